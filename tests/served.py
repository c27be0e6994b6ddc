"""A real server in a process of its own, and a ChatKit client that speaks with the SDK's own types."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from chatkit.types import (
    InferenceOptions,
    ThreadAddUserMessageParams,
    ThreadCreateParams,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadStreamEvent,
    UserMessageInput,
    UserMessageTextContent,
)
from lab import isolated
from pydantic import BaseModel, TypeAdapter

SERVE = [sys.executable, "-c", "from voice_kernel.cli import main; raise SystemExit(main())", "serve"]
WAIT_S = 60.0

_event: TypeAdapter[ThreadStreamEvent] = TypeAdapter(ThreadStreamEvent)


@dataclass
class Served:
    """A server that runs."""

    address: str
    token: str
    process: subprocess.Popen[str]
    folder: Path

    def kernels(self) -> list[int]:
        """Return the processes of its kernels."""
        import psutil

        found = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it ends just now
                if "ipykernel" in " ".join(one.cmdline()):
                    found.append(one.pid)
        return found


@contextlib.contextmanager
def server(folder: Path, *options: str, environment: dict[str, str] | None = None) -> Iterator[Served]:
    """Serve the folder `work` below a folder, with Jupyter's files beside it."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    surroundings = isolated(folder) | {"PYTHONUNBUFFERED": "1", "TMPDIR": "/tmp"} | (environment or {})
    surroundings.pop("PYTEST_CURRENT_TEST", None)
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [*SERVE, "--port", "0", *options],
            cwd=work,
            env=surroundings,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"Panel:\s+(\S+)/#token=(\S+)", line):
                yield Served(found[1], found[2], process, work)
                break
        else:
            raise RuntimeError((folder / "server.log").read_text())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        assert process.stdout is not None
        process.stdout.close()


def user_message(text: str, attachments: Sequence[str] = (), **more: Any) -> UserMessageInput:
    """Return what a person sends."""
    return UserMessageInput(
        content=[UserMessageTextContent(text=text)],
        attachments=list(attachments),
        inference_options=InferenceOptions(),
        **more,
    )


class ChatClient:
    """A ChatKit client of one session."""

    def __init__(self, served: Served, http: httpx.AsyncClient) -> None:
        self.served = served
        self.http = http
        self.session_id = ""
        self.secret = ""

    async def open(self, user: str = "me", session_id: str = "") -> ChatClient:
        """Get a client secret."""
        reply = await self.http.post(
            "/api/create-session",
            headers={"authorization": f"Bearer {self.served.token}"},
            json={"user": user, "session_id": session_id},
        )
        reply.raise_for_status()
        self.secret, self.session_id = reply.json()["client_secret"], reply.json()["session_id"]
        return self

    @property
    def headers(self) -> dict[str, str]:
        """What every request has."""
        return {"authorization": f"Bearer {self.secret}"}

    async def ask(self, request: BaseModel) -> Any:
        """Send a request that is answered at once; returns the JSON."""
        reply = await self.post(request)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def post(self, request: BaseModel) -> httpx.Response:
        """Send a request; returns the whole response."""
        return await self.http.post(
            "/api/chatkit", content=request.model_dump_json(), headers=self.headers, timeout=WAIT_S
        )

    async def stream(self, request: BaseModel) -> AsyncIterator[Any]:
        """Send a request, and yield its events as they come."""
        async with self.http.stream(
            "POST", "/api/chatkit", content=request.model_dump_json(), headers=self.headers, timeout=WAIT_S
        ) as reply:
            if reply.status_code != 200:
                raise AssertionError((await reply.aread()).decode())
            assert reply.headers["content-type"].startswith("text/event-stream")
            async for line in reply.aiter_lines():
                if line.startswith("data: "):
                    yield _event.validate_json(line[6:])

    async def events(self, request: BaseModel) -> list[Any]:
        """Send a request; returns all its events."""
        return [event async for event in self.stream(request)]

    async def create(self, text: str, **more: Any) -> list[Any]:
        """Begin a thread with a message."""
        return await self.events(
            ThreadsCreateReq(params=ThreadCreateParams(input=user_message(text, **more)))
        )

    async def add(self, thread_id: str, text: str, **more: Any) -> list[Any]:
        """Add a message to a thread."""
        params = ThreadAddUserMessageParams(thread_id=thread_id, input=user_message(text, **more))
        return await self.events(ThreadsAddUserMessageReq(params=params))


@contextlib.asynccontextmanager
async def client(served: Served, user: str = "me") -> AsyncIterator[ChatClient]:
    """A client with a session of its own."""
    async with httpx.AsyncClient(base_url=served.address, trust_env=False) as http:
        yield await ChatClient(served, http).open(user)


def thread_of(events: Sequence[Any]) -> str:
    """Return the thread that was created."""
    return str(next(event.thread.id for event in events if event.type == "thread.created"))


def items(events: Sequence[Any], kind: str = "") -> list[Any]:
    """Return the items that were finished."""
    done = [event.item for event in events if event.type == "thread.item.done"]
    return [item for item in done if not kind or item.type == kind]


def answer(events: Sequence[Any]) -> str:
    """Return what the assistant said."""
    said = items(events, "assistant_message")
    return "\n".join(part.text for item in said for part in item.content)


def as_json(model: BaseModel) -> Any:
    """Return a model as plain data."""
    return json.loads(model.model_dump_json(exclude_none=True))
