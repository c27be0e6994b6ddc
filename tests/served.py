"""A real server in a process of its own, and a ChatKit client that speaks with the SDK's own types."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
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
from real_kernel import RealKernel

SERVE = "from voice_kernel.cli import main; raise SystemExit(main())"
WAIT_S = 120.0
"""A request that needs a kernel may have to wait until that has started."""
STOP_S = 60.0
"""It stops its kernels first, and lets them write down what they know."""

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

        found: list[int] = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it ends just now
                # What a kernel starts looks like the kernel itself until it has become another program.
                if one.ppid() not in found and "ipykernel" in " ".join(one.cmdline()):
                    found.append(one.pid)
        return found


@contextlib.contextmanager
def server(
    folder: Path, *options: str, environment: dict[str, str] | None = None, setup: str = ""
) -> Iterator[Served]:
    """Serve the folder `work` below a folder, with Jupyter's files beside it.

    Args:
        folder: where everything is that it keeps.
        options: of `voice-kernel serve`.
        environment: added to the process's.
        setup: code that its process runs first, to change one of its limits.
    """
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    surroundings = isolated(folder) | {"PYTHONUNBUFFERED": "1", "TMPDIR": "/tmp"} | (environment or {})
    surroundings.pop("PYTEST_CURRENT_TEST", None)
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", f"{setup}\n{SERVE}", "serve", "--port", "0", *options],
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
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def attached_server(
    folder: Path, setup: str, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[Served, RealKernel]]:
    """Run a kernel with a setup, as a notebook would, and serve it."""
    (folder / "kernel").mkdir(exist_ok=True)
    kernel = RealKernel(folder / "kernel", setup=setup, environment=environment)
    try:
        with server(folder / "server", "--kernel", kernel.manager.connection_file) as running:
            yield running, kernel
    finally:
        if kernel.manager.is_alive():
            kernel.stop()


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
        return await self.http.post("/api/chatkit", content=request.model_dump_json(), headers=self.headers)

    async def stream(self, request: BaseModel) -> AsyncGenerator[Any]:
        """Send a request, and yield its events as they come."""
        async with self.http.stream(
            "POST", "/api/chatkit", content=request.model_dump_json(), headers=self.headers
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


def http_client(served: Served, **options: Any) -> httpx.AsyncClient:
    """A client of the server's whose requests have time to be answered."""
    return httpx.AsyncClient(base_url=served.address, trust_env=False, timeout=WAIT_S, **options)


@contextlib.asynccontextmanager
async def client(served: Served, user: str = "me", session_id: str = "") -> AsyncIterator[ChatClient]:
    """A ChatKit client; without the name of a session it has one of its own."""
    async with http_client(served) as http:
        yield await ChatClient(served, http).open(user, session_id)


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
