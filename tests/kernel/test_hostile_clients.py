"""Clients that send what no client should: the server says no in words, and goes on."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from chatkit.types import AttachmentCreateParams, AttachmentsCreateReq, ThreadCreateParams, ThreadsCreateReq
from served import WAIT_S, ChatClient, Served, answer, client, server, thread_of, user_message


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "work").mkdir()
    (folder / "work" / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    with server(folder) as running:
        yield running


@pytest.fixture
async def chat(served: Served) -> AsyncIterator[ChatClient]:
    async with client(served, session_id="ses_" + "0b" * 12) as chat:
        yield chat


def request(kind: str, **params: Any) -> bytes:
    return json.dumps({"type": kind, "params": params}).encode()


async def sent(chat: ChatClient, content: bytes, path: str = "/api/chatkit") -> httpx.Response:
    return await chat.http.post(path, content=content, headers=chat.headers)


def is_refused(reply: httpx.Response) -> bool:
    return 400 <= reply.status_code < 500 and bool(reply.json()["error"]["message"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"\x00" * 100,
        '{"type":"threads.list","params":{}}'.encode("utf-16"),
        b'{"type":"threads.list","params":{"after":"\xff\xfe"}}',
        b'{"type":"threads.list","params":{"after":"\\ud800"}}',
        b'{"type":"threads.list","params":{"limit":NaN}}',
        b'{"type":["threads.list"],"params":{}}',
        request("attachments.create", name="x", size=-1, mime_type="text/plain"),
        request("attachments.create", name="x", size=10**15, mime_type="text/plain"),
        request("input.transcribe", audio_base64="!!!!", mime_type="audio/webm"),
        request("input.transcribe", audio_base64="", mime_type="audio/webm"),
        request("threads.get_by_id", thread_id="../../etc/passwd"),
        request("threads.get_by_id", thread_id="a\x00b"),
    ],
    ids=range(17),
)
async def test_what_is_no_request_is_refused_in_words(chat: ChatClient, content: bytes) -> None:
    assert is_refused(await sent(chat, content))


async def test_actions_that_make_no_sense_are_answered_in_words(chat: ChatClient) -> None:
    thread_id = thread_of(await chat.create("list tasks"))
    retry, cancel = "voice_kernel.retry_task", "voice_kernel.cancel_task"
    for action in (
        {"type": retry, "payload": {"task_id": "9" * 5_000}},
        {"type": retry, "payload": {"task_id": "²"}},
        {"type": cancel, "payload": {"task_id": "-1"}},
        {"type": "voice_kernel.start_server", "payload": {"server": "../" * 5_000}},
        {"type": "approve", "payload": {}},
        {"type": "no_such_tool", "payload": {}},
        {"type": "run_shell", "payload": "ls"},
    ):
        reply = await sent(chat, request("threads.custom_action", thread_id=thread_id, action=action))
        assert "stream.error" not in reply.text, action
        assert '"type":"error"' in reply.text or "assistant_message" in reply.text, action
    action = {"type": cancel, "payload": {}}
    alone = await sent(chat, request("threads.sync_custom_action", thread_id=thread_id, action=action))
    assert (alone.status_code, is_refused(alone)) == (422, True)


async def test_tricks_with_paths_lead_nowhere(chat: ChatClient) -> None:
    for path in ("/static/%2e%2e/%2e%2e/pyproject.toml", "/static//etc/passwd", "/static/%00"):
        assert (await chat.http.get(path)).status_code == 404
    for name in ("../../etc/passwd", "a\x00b", '"q"\r\nX: y'):
        reply = await chat.http.post(
            "/api/attachments", headers=chat.headers, files={"file": (name, b"a", "text/plain")}
        )
        assert reply.status_code == 200
        assert answer(await chat.create("list tasks", attachments=[reply.json()["id"]]))
    assert (await chat.http.get("/api/attachments/..%2f..%2fx/y?key=a")).status_code in (403, 404)


async def test_a_file_that_is_put_several_times_at_once_is_taken_once(chat: ChatClient) -> None:
    params = AttachmentCreateParams(name="x.txt", size=3, mime_type="text/plain")
    for _ in range(5):
        announced = await chat.ask(AttachmentsCreateReq(params=params))
        where = announced["upload_descriptor"]["url"]
        replies = await asyncio.gather(*(chat.http.put(where, content=b"abc") for _ in range(6)))
        assert sorted(reply.status_code for reply in replies) == [204, 409, 409, 409, 409, 409]


async def test_a_panel_cannot_say_what_only_others_may(chat: ChatClient) -> None:
    def frame(message: Any) -> bytes:
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        return struct.pack(">II", len(text), 0) + text

    for wrong in (
        b"\xff" * 7,
        b"\xff" * 8,
        frame(b"[" * 100_000),
        frame({"type": "hello", "surface_id": "p", "kind": "client", "asks": True}),
        frame({"type": "hello", "surface_id": "p", "kind": "headless", "approve": ["run_shell"]}),
        frame({"type": "hello", "surface_id": "p", "kind": "widget", "approve": ["run_shell"]}),
        frame({"type": "decide", "approval_id": 1, "approved": True}),
        frame({"type": "client_answer", "call_id": "x", "result": 1}),
    ):
        assert is_refused(await sent(chat, wrong, "/api/panel/p"))


def raw(served: Served, data: bytes) -> bytes:
    """Send bytes; returns the first of what comes back."""
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
        connection.sendall(data)
        return connection.recv(4_096)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Host: a\r\nHost: 127.0.0.1\r\n", b"400"),
        (b"Host: 127.0.0.1\r\nOrigin: http://[\r\n", b"403"),
        (b"Host: 127.0.0.1\r\nContent-Length: -5\r\n", b"400"),
        (b"Host: 127.0.0.1.evil.example\r\n", b"403"),
    ],
)
def test_headers_that_are_none_are_refused(served: Served, head: bytes, status: bytes) -> None:
    assert raw(served, b"GET / HTTP/1.1\r\n" + head + b"\r\n").split()[1] == status


async def test_others_are_served_while_many_send_slowly(served: Served) -> None:
    host, port = served.address.removeprefix("http://").split(":")
    async with client(served) as chat:
        head = f"POST /api/chatkit HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n"
        head += f"Authorization: Bearer {chat.secret}\r\n\r\n{{"
        slow = [socket.create_connection((host, int(port))) for _ in range(100)]
        try:
            for connection in slow:
                connection.sendall(head.encode())
            async with client(served, "other") as other:
                assert (await other.http.get("/api/tasks", headers=other.headers)).status_code == 200
        finally:
            for connection in slow:
                connection.close()
        assert (await chat.http.get("/api/health")).status_code == 200


async def test_who_leaves_while_the_kernel_starts_leaves_nothing_running(served: Served) -> None:
    async with client(served, "hasty") as chat:
        words = ThreadsCreateReq(params=ThreadCreateParams(input=user_message("run the command sleep 600")))
        stream = chat.stream(words)
        async for event in stream:
            if event.type == "progress_update":  # the kernel is being started
                break
        await stream.aclose()
        await chat.create("list variables")  # the kernel is there, and what came first has come to it
        give_up_at = time.monotonic() + WAIT_S
        while True:
            tasks = (await chat.http.get("/api/tasks", headers=chat.headers)).json()["tasks"]
            if all(task["state"] in ("succeeded", "cancelled") for task in tasks):
                break
            assert time.monotonic() < give_up_at, tasks
            await asyncio.sleep(0.1)
        assert "succeeded" in [task["state"] for task in tasks]
