"""A server on loopback that speaks OpenAI's protocol to the real client, as a test scripts it.

Speaks Responses and Chat Completions (JSON and SSE), the list of models, transcription, and Realtime over a
WebSocket. Each model request takes the next `Reply` of the script, and each recording the next of `hearing`.
Every request of any kind is recorded, so a test can also say what was *not* sent. Knows nothing of
voice_kernel.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

LIMIT_S = 120.0
"""Nothing on this server waits longer: a test that hangs fails instead."""


@dataclass(frozen=True)
class Call:
    """A tool call the model makes; `arguments` as text are sent as they are, right or wrong."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)

    @property
    def json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Reply:
    """What the model answers to one request."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    status: int = 200
    error: dict[str, Any] = field(default_factory=dict)
    """With a status other than 200: the error object of the body."""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Cut the connection after this many pieces of text."""
    end_after: int | None = None
    """End the stream in good order after this many pieces of text, without having finished."""
    hold_after: int | None = None
    """Wait after this many pieces of text, until the test sets `server.release`."""
    incomplete: str = ""
    """Responses only: end as incomplete, for this reason, after the text."""
    failed: str = ""
    """Responses only: end as failed, with this message, after the text."""
    garbage: str = ""
    """Sent in place of any answer, as an SSE event."""

    @property
    def pieces(self) -> list[str]:
        return re.findall(r"\S+\s*", self.text)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class OpenAIServer:
    """The script, what arrived, and the events a test waits for."""

    def __init__(self) -> None:
        self.url = ""
        self.reset()

    def reset(self) -> None:
        """Be as new, at the same address."""
        self.script: list[Reply] = []
        self.key: str | None = None
        """The key to insist on; None takes any."""
        self.models = ["test-model"]
        self.transcript = "run the tests"
        self.streams = True
        """Whether transcriptions are streamed to those who ask for it."""
        self.hearing: list[Reply] = []
        self.refuses = 0
        """A status with which Realtime connections are refused."""
        self.talks: list[list[dict[str, Any]]] = []
        """What came over each Realtime connection, without the sound; `audio` events hold its size."""
        self.seen: list[Seen] = []
        self.holding = threading.Event()
        """Set when a reply has come to its `hold_after`."""
        self.release = threading.Event()
        self.sent_at = 0.0
        """When the first piece of text of the last reply was sent, in seconds since the epoch."""
        self.hung_up = threading.Event()
        """Set when the client closed a reply that was on hold."""
        self._ids = itertools.count(1)

    def says(self, *replies: Reply | str | Call) -> None:
        """Add replies: a text, one tool call, or a whole `Reply`."""
        for reply in replies:
            if isinstance(reply, str):
                reply = Reply(text=reply)
            elif isinstance(reply, Call):
                reply = Reply(calls=(reply,))
            self.script.append(reply)

    def hears(self, *replies: Reply | str) -> None:
        """Add answers to recordings, one for each; after them every recording is `transcript`."""
        self.hearing += [reply if isinstance(reply, Reply) else Reply(text=reply) for reply in replies]

    @property
    def recordings(self) -> list[dict[str, Any]]:
        """The fields of the transcriptions asked for; `bytes` is the recording's size."""
        return [seen.body for seen in self.seen if seen.path.endswith("/audio/transcriptions")]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Bodies of the model requests."""
        return [seen.body for seen in self.seen if seen.path.endswith(("/responses", "/completions"))]

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/responses", self._responses, methods=["POST"]),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/audio/transcriptions", self._transcribe, methods=["POST"]),
                Route("/v1/models", self._models),
                WebSocketRoute("/v1/realtime", self._realtime),
                Route("/{rest:path}", self._other, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    # ---- endpoints --------------------------------------------------------------------------------

    async def _responses(self, request: Request) -> Response:
        body = await self._note(request)
        if (refused := self._refused(request)) is not None:
            return refused
        reply = self._next()
        if reply.status != 200:
            return JSONResponse({"error": reply.error}, reply.status, headers=reply.headers)
        if not body.get("stream"):
            return JSONResponse(self._response(body, "completed", self._items(reply)))
        return _sse(self._response_events(body, reply))

    async def _chat(self, request: Request) -> Response:
        body = await self._note(request)
        if (refused := self._refused(request)) is not None:
            return refused
        reply = self._next()
        if reply.status != 200:
            return JSONResponse({"error": reply.error}, reply.status, headers=reply.headers)
        if body.get("stream"):
            return _sse(self._chat_events(body, reply))
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if reply.refusal:
            message["refusal"] = reply.refusal
        if reply.calls:
            message["tool_calls"] = [self._chat_call(call) for call in reply.calls]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if reply.calls else "stop"}
        return JSONResponse(
            self._chat_base(body, "chat.completion") | {"choices": [choice], "usage": _CHAT_USAGE}
        )

    async def _transcribe(self, request: Request) -> Response:
        async with request.form() as form:
            upload = form["file"]
            assert not isinstance(upload, str)
            fields: dict[str, Any] = {}
            for key, value in form.multi_items():
                if isinstance(value, str):
                    fields[key] = [*fields.get(key, []), value] if key.endswith("[]") else value
            size = len(await upload.read())
        self.seen.append(Seen(request.url.path, dict(request.headers), fields | {"bytes": size}))
        if (refused := self._refused(request)) is not None:
            return refused
        reply = self.hearing.pop(0) if self.hearing else Reply(text=self.transcript)
        if reply.status != 200:
            return JSONResponse({"error": reply.error}, reply.status, headers=reply.headers)
        if self.streams and fields.get("stream") in ("true", "True", "1"):
            return _sse(self._transcript_events(reply))
        return JSONResponse({"text": reply.text})

    async def _transcript_events(self, reply: Reply) -> AsyncIterator[str]:
        if reply.garbage:
            yield f"data: {reply.garbage}\n\n"
            return
        for count, piece in enumerate(reply.pieces):
            if await self._stops(reply, count):
                return
            yield _event({"type": "transcript.text.delta", "delta": piece})
        if await self._stops(reply, len(reply.pieces)):
            return
        if reply.failed:
            yield _event({"type": "error", "error": {"message": reply.failed, "code": "server_error"}})
            return
        yield _event({"type": "transcript.text.done", "text": reply.text})

    async def _models(self, request: Request) -> Response:
        await self._note(request)
        if (refused := self._refused(request)) is not None:
            return refused
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.models]
        return JSONResponse({"object": "list", "data": listed})

    async def _other(self, request: Request) -> Response:
        await self._note(request)
        return JSONResponse({"error": {"message": "no such address"}}, 404)

    # ---- Responses --------------------------------------------------------------------------------

    async def _response_events(self, body: dict[str, Any], reply: Reply) -> AsyncIterator[str]:
        serial = itertools.count()

        def event(kind: str, **fields: Any) -> str:
            return _event({"type": kind, "sequence_number": next(serial), **fields})

        yield event("response.created", response=self._response(body, "in_progress", []))
        if reply.garbage:
            yield f"data: {reply.garbage}\n\n"
            return
        items = self._items(reply)
        for index, item in enumerate(items):
            place = {"item_id": item["id"], "output_index": index}
            if item["type"] == "function_call":
                start = item | {"arguments": "", "status": "in_progress"}
                yield event("response.output_item.added", item=start, output_index=index)
                yield event("response.function_call_arguments.delta", **place, delta=item["arguments"])
                yield event(
                    "response.function_call_arguments.done",
                    **place,
                    name=item["name"],
                    arguments=item["arguments"],
                )
            else:
                part = item["content"][0]
                kind, field_name = ("refusal", "refusal") if reply.refusal else ("output_text", "text")
                place["content_index"] = 0
                start = item | {"content": [], "status": "in_progress"}
                yield event("response.output_item.added", item=start, output_index=index)
                yield event("response.content_part.added", **place, part=part | {field_name: ""})
                for count, piece in enumerate(reply.pieces or [reply.refusal]):
                    if await self._stops(reply, count):
                        return
                    yield event(f"response.{kind}.delta", **place, delta=piece, logprobs=[])
                if await self._stops(reply, len(reply.pieces)):
                    return
                yield event(f"response.{kind}.done", **place, **{field_name: part[field_name]}, logprobs=[])
                yield event("response.content_part.done", **place, part=part)
            yield event("response.output_item.done", item=item, output_index=index)
        if reply.incomplete:
            cut = self._response(body, "incomplete", items)
            cut["incomplete_details"] = {"reason": reply.incomplete}
            yield event("response.incomplete", response=cut)
        elif reply.failed:
            wrong = self._response(body, "failed", items)
            wrong["error"] = {"code": "server_error", "message": reply.failed}
            yield event("response.failed", response=wrong)
        else:
            yield event("response.completed", response=self._response(body, "completed", items))

    def _items(self, reply: Reply) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        part: dict[str, Any] | None = None
        if reply.refusal:
            part = {"type": "refusal", "refusal": reply.refusal}
        elif reply.text:
            part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        if part is not None:
            items.append(
                {
                    "id": self._id("msg"),
                    "type": "message",
                    "role": "assistant",
                    "status": "completed",
                    "content": [part],
                }
            )
        for call in reply.calls:
            items.append(
                {
                    "id": self._id("fc"),
                    "type": "function_call",
                    "call_id": self._id("call"),
                    "name": call.name,
                    "arguments": call.json,
                    "status": "completed",
                }
            )
        return items

    def _response(self, body: dict[str, Any], status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        response = {
            "id": self._id("resp"),
            "object": "response",
            "created_at": time.time(),
            "model": body["model"],
            "status": status,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": body.get("tools", []),
        }
        if status == "completed":
            response["usage"] = {
                "input_tokens": 10,
                "output_tokens": 5,
                "total_tokens": 15,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            }
        return response

    # ---- Chat Completions -------------------------------------------------------------------------

    async def _chat_events(self, body: dict[str, Any], reply: Reply) -> AsyncIterator[str]:
        base = self._chat_base(body, "chat.completion.chunk")

        def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return f"data: {json.dumps(base | {'choices': [choice]})}\n\n"

        yield chunk({"role": "assistant", "content": ""})
        if reply.garbage:
            yield f"data: {reply.garbage}\n\n"
            return
        for count, piece in enumerate(reply.pieces):
            if await self._stops(reply, count):
                return
            yield chunk({"content": piece})
        if await self._stops(reply, len(reply.pieces)):
            return
        if reply.refusal:
            yield chunk({"refusal": reply.refusal})
        for index, call in enumerate(reply.calls):
            yield chunk({"tool_calls": [{"index": index, **self._chat_call(call)}]})
        yield chunk({}, "tool_calls" if reply.calls else "stop")
        yield f"data: {json.dumps(base | {'choices': [], 'usage': _CHAT_USAGE})}\n\n"
        yield "data: [DONE]\n\n"

    def _chat_base(self, body: dict[str, Any], kind: str) -> dict[str, Any]:
        return {
            "id": self._id("chatcmpl"),
            "object": kind,
            "created": int(time.time()),
            "model": body["model"],
        }

    def _chat_call(self, call: Call) -> dict[str, Any]:
        return {
            "id": self._id("call"),
            "type": "function",
            "function": {"name": call.name, "arguments": call.json},
        }

    # ---- Realtime ---------------------------------------------------------------------------------

    async def _realtime(self, socket: WebSocket) -> None:
        self.seen.append(Seen(socket.url.path, dict(socket.headers), dict(socket.query_params)))
        status = self.refuses or (401 if self._wrong_key(dict(socket.headers)) else 0)
        if status:
            await socket.send_denial_response(JSONResponse({"error": {"message": "no"}}, status))
            return
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, ConnectionResetError):
            await RealtimeTalk(self, socket).run()
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(1011)

    # ---- both -------------------------------------------------------------------------------------

    async def _note(self, request: Request) -> dict[str, Any]:
        raw = await request.body()
        body = json.loads(raw) if raw and "json" in request.headers.get("content-type", "") else {}
        self.seen.append(Seen(request.url.path, dict(request.headers), body))
        return body if isinstance(body, dict) else {}

    def _refused(self, request: Request) -> Response | None:
        given = self._wrong_key(dict(request.headers))
        if given is None:
            return None
        # As OpenAI does, it quotes the wrong key.
        error = {
            "message": f"Incorrect API key provided: {given}.",
            "type": "invalid_request_error",
            "code": "invalid_api_key",
        }
        return JSONResponse({"error": error}, 401)

    def _wrong_key(self, headers: dict[str, str]) -> str | None:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        return None if self.key is None or given == self.key else given

    def _next(self) -> Reply:
        if not self.script:
            return Reply(status=400, error={"message": "the test's script is at its end"})
        return self.script.pop(0)

    async def _stops(self, reply: Reply, count: int) -> bool:
        """Do what the reply wants after `count` pieces; returns whether it ends there."""
        if count == 0:
            self.sent_at = time.time()
        if count == reply.hold_after:
            release, hung_up = self.release, self.hung_up  # of this test: the next one has others
            self.holding.set()
            try:
                async with asyncio.timeout(LIMIT_S):
                    while not release.is_set():  # noqa: ASYNC110 - set on the test's thread
                        await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                hung_up.set()
                raise
        if count == reply.cut_after:
            raise ConnectionResetError("the test wants the connection cut here")
        return count == reply.end_after

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._ids)}"


_CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def _event(fields: dict[str, Any]) -> str:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n"


def _sse(events: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream")


class RealtimeTalk:
    """One Realtime connection."""

    def __init__(self, server: OpenAIServer, socket: WebSocket) -> None:
        self._server = server
        self._socket = socket
        self._heard: list[dict[str, Any]] = []
        self._bytes = 0
        server.talks.append(self._heard)

    async def run(self) -> None:
        session = {"type": "realtime", "id": self._id("sess"), "object": "realtime.session", "model": "m"}
        await self._say("session.created", session=session)
        while True:
            event = json.loads(await self._socket.receive_text())
            kind = event["type"]
            if kind == "input_audio_buffer.append":
                self._bytes += len(base64.b64decode(event["audio"]))
                continue
            self._heard.append(event)
            match kind:
                case "input_audio_buffer.clear":
                    self._bytes = 0
                    await self._say("input_audio_buffer.cleared")
                case "input_audio_buffer.commit":
                    event["audio"] = self._bytes
                    await self._commit()
                case "conversation.item.create":
                    await self._say("conversation.item.added", item={"id": self._id("item"), **event["item"]})
                case "conversation.item.delete":
                    await self._say("conversation.item.deleted", item_id=event["item_id"])
                case "session.update":
                    await self._say("session.updated", session={"type": "realtime", **event["session"]})
                case "response.create":
                    await self._respond()

    async def _commit(self) -> None:
        server, item = self._server, self._id("item")
        reply = server.hearing.pop(0) if server.hearing else Reply(text=server.transcript)
        self._bytes = 0
        await self._say("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        place = {"item_id": item, "content_index": 0}
        kind = "conversation.item.input_audio_transcription"
        for count, piece in enumerate(reply.pieces):
            await self._stops(reply, count)
            await self._say(f"{kind}.delta", **place, delta=piece)
        await self._stops(reply, len(reply.pieces))
        if reply.failed:
            await self._say(f"{kind}.failed", **place, error={"message": reply.failed, "code": "bad_audio"})
            return
        usage = {"type": "duration", "seconds": 1.0}
        await self._say(f"{kind}.completed", **place, transcript=reply.text, usage=usage)

    async def _respond(self) -> None:
        reply = self._server._next()
        response = {"id": self._id("resp"), "object": "realtime.response", "status": "in_progress"}
        await self._say("response.created", response={**response, "output": []})
        place: dict[str, Any] = {"response_id": response["id"], "output_index": 0}
        output: list[dict[str, Any]] = []
        if reply.text:
            item = {"id": self._id("item"), "object": "realtime.item", "type": "message", "role": "assistant"}
            start = {**item, "status": "in_progress", "content": []}
            await self._say("response.output_item.added", **place, item=start)
            for count, piece in enumerate(reply.pieces):
                await self._stops(reply, count)
                await self._say(
                    "response.output_text.delta", **place, item_id=item["id"], content_index=0, delta=piece
                )
            await self._stops(reply, len(reply.pieces))
            content = [{"type": "output_text", "text": reply.text}]
            output.append({**item, "status": "completed", "content": content})
        for call in reply.calls:
            output.append(
                {
                    "id": self._id("item"),
                    "object": "realtime.item",
                    "type": "function_call",
                    "status": "completed",
                    "name": call.name,
                    "call_id": self._id("call"),
                    "arguments": call.json,
                }
            )
        for item in output:
            await self._say("response.output_item.done", **place, item=item)
        usage = {"total_tokens": 15, "input_tokens": 10, "output_tokens": 5}
        usage |= {"input_token_details": {"cached_tokens": 2, "text_tokens": 4, "audio_tokens": 6}}
        ended = {**response, "status": "completed", "output": output, "usage": usage}
        if reply.failed:
            error = {"type": "server_error", "code": "server_error", "message": reply.failed}
            ended |= {"status": "failed", "status_details": {"type": "failed", "error": error}}
        await self._say("response.done", response=ended)

    async def _stops(self, reply: Reply, count: int) -> None:
        if await self._server._stops(reply, count):
            raise ConnectionResetError

    async def _say(self, kind: str, **fields: Any) -> None:
        await self._socket.send_text(json.dumps({"event_id": self._id("event"), "type": kind, **fields}))

    def _id(self, kind: str) -> str:
        return self._server._id(kind)


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.contextmanager
def serve() -> Iterator[OpenAIServer]:
    """Serve on a free port of loopback until the block ends."""
    server = OpenAIServer()
    # Named TCP, or asyncio leaves Nagle's algorithm on, as no server of a model's does.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    # A connection is kept longer than any client keeps one: none is closed while a request is on its way.
    config = uvicorn.Config(
        server.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, timeout_keep_alive=600
    )
    web = _Uvicorn(config)
    thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert web.ready.wait(LIMIT_S)
    try:
        yield server
    finally:
        server.release.set()
        web.should_exit = True
        thread.join(LIMIT_S)
        listener.close()
