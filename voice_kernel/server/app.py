"""Routes: what is asked over HTTP, by whom, and how often.

Everything but the page itself, its health and its documentation needs a client secret, which
`/api/create-session` gives to whoever has the server's token. What is refused is said as JSON:
`{"error": {"type", "message", "hint"}}`. Knows no kernel and no database: `chatkit` and `kernels` do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from chatkit.errors import CustomStreamError
from chatkit.server import StreamingResult
from chatkit.store import NotFoundError
from chatkit.types import AttachmentCreateParams
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from voice_kernel.errors import ClientError, HistoryError, SpeechError, UnknownTask, VoiceKernelError
from voice_kernel.language import _
from voice_kernel.language import number as grouped
from voice_kernel.messages import (
    ApprovalChanged,
    Call,
    Decide,
    Do,
    ReadServer,
    RetryTask,
    TaskChanged,
    TurnChanged,
    WatchServers,
    to_surface,
)
from voice_kernel.server.attachments import MAX_BYTES, PICTURES, NotTaken
from voice_kernel.server.chatkit import Asked, VoiceChatKitServer, cancel
from voice_kernel.server.kernels import Kernels
from voice_kernel.server.limits import Origins, Rate
from voice_kernel.server.line import Feed, Line
from voice_kernel.server.openapi import document
from voice_kernel.server.panel import Malformed, Panels, frames
from voice_kernel.server.secrets import Secrets, Session, new_session_id
from voice_kernel.server.sse import EventStream, event
from voice_kernel.ui.bundle import STATIC
from voice_kernel.version import __version__

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=BaseModel)

MAX_REQUEST_BYTES = 12_000_000
"""Of a ChatKit request: a minute of sound as base64 fits."""
MAX_SMALL_BYTES = 64_000
MAX_PANEL_BYTES = 9_000_000
DRAINED_BYTES = 64_000_000
"""What is read of a request that is too large, before the connection is closed."""
MAX_STREAMS = 32
"""Of one session, at once."""
CLOSE_GRACE_S = 2.0
"""How long a turn goes on after its client has closed the stream, which is how ChatKit cancels: a page that
is loaded again asks for its thread within this time, and then the turn is not cancelled."""
REMEMBERED_S = 120.0
"""How long it is known that a page has come to a thread: a kernel may take so long to start."""
BODY_LIMIT_S = 120.0
"""How long a request may take to arrive."""
BEGUN_LIMIT_S = 10.0
"""How long is waited until a turn has something to show."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Voice kernel</title>
<link rel="stylesheet" href="static/page.css">
</head>
<body>
<main id="panel"></main>
<noscript>The voice panel needs JavaScript.</noscript>
<script type="module" src="static/page.js"></script>
</body>
</html>
"""
POLICY = (
    "default-src 'none'; script-src 'self' blob:; worker-src 'self' blob:; connect-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; media-src 'self' data: blob:; "
    "font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KINDS = {".js": "text/javascript", ".css": "text/css", ".map": "application/json"}


class Refusal(Exception):
    """A request is not answered.

    Args:
        status: the HTTP status.
        message: one sentence.
        hint: what can be done.
        headers: of the response.
    """

    def __init__(
        self, status: int, message: str, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = KINDS_OF_REFUSAL.get(status, "error")
        self.message = message
        self.hint = hint
        self.headers = headers

    def response(self) -> JSONResponse:
        """Return it as JSON."""
        error = {"type": self.kind, "message": self.message, "hint": self.hint}
        return JSONResponse({"error": error}, self.status, headers=self.headers)


KINDS_OF_REFUSAL = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    409: "conflict",
    413: "too_large",
    422: "not_possible",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}


class Wanted(BaseModel):
    """What a session is asked for with."""

    model_config = ConfigDict(extra="ignore")

    user: str = Field(default="me", min_length=1, max_length=200)
    """Whose threads are seen; whoever has the token may name anybody."""
    session_id: str = Field(default="", pattern=r"^(ses_[0-9a-f]{24})?$")
    """A session to go on with, and so a kernel."""


class Decision(BaseModel):
    """An answer to an approval."""

    approved: bool
    values: dict[str, Any] = {}


@dataclass
class Parts:
    """What the routes need.

    Attributes:
        chatkit: answers ChatKit's requests.
        kernels: the sessions.
        secrets: who may ask.
        origins: from which pages.
        asks: how often a session may ask.
        panel_asks: how often its panels may.
        tries: how often an address may try to get in.
    """

    chatkit: VoiceChatKitServer
    kernels: Kernels
    secrets: Secrets
    origins: Origins
    asks: Rate
    panel_asks: Rate
    tries: Rate


def make_app(
    parts: Parts, on_end: Callable[[], Awaitable[None]], on_start: Callable[[], None] = lambda: None
) -> Starlette:
    """Return the application.

    Args:
        parts: what it needs.
        on_end: called when the server stops.
        on_start: called when it starts.
    """
    routes = _Routes(parts)

    @contextlib.asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        parts.kernels.start()
        on_start()
        try:
            yield
        finally:
            await routes.close()
            await on_end()

    def route(path: str, method: str, endpoint: Callable[[Request], Awaitable[Any]]) -> Route:
        return Route(path, endpoint, methods=[method])

    app = Starlette(
        routes=[
            route("/", "GET", routes.page),
            route("/static/{name:path}", "GET", routes.static),
            route("/api/health", "GET", routes.health),
            route("/api/openapi.json", "GET", routes.openapi),
            route("/api/create-session", "POST", routes.create_session),
            route("/api/chatkit", "POST", routes.chatkit),
            route("/api/attachments", "POST", routes.upload),
            route("/api/attachments/{user}/{name}", "PUT", routes.put_attachment),
            route("/api/attachments/{user}/{name}", "GET", routes.preview),
            route("/api/tasks", "GET", routes.tasks),
            route("/api/tasks/events", "GET", routes.task_events),
            route("/api/tasks/{task:int}", "GET", routes.task),
            route("/api/tasks/{task:int}/cancel", "POST", routes.cancel_task),
            route("/api/tasks/{task:int}/retry", "POST", routes.retry_task),
            route("/api/approvals/{approval:int}", "POST", routes.decide),
            route("/api/mcp", "GET", routes.servers),
            route("/api/mcp/{server}/tools", "GET", routes.server_tools),
            route("/api/mcp/{server}/start", "POST", routes.start_server),
            route("/api/mcp/{server}/stop", "POST", routes.stop_server),
            route("/api/panel/{surface}", "POST", routes.panel),
            route("/api/panel/{surface}/events", "GET", routes.panel_events),
        ],
        exception_handlers={Refusal: _refused, HTTPException: _refused, Exception: _failed},
        lifespan=life,
    )
    app.add_middleware(Guard, origins=parts.origins)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        kind = KINDS_OF_REFUSAL.get(error.status_code, "error")
        message = {
            404: _("There is nothing at this address."),
            405: _("This address is asked otherwise."),
        }.get(error.status_code, str(error.detail))
        body = {"error": {"type": kind, "message": message, "hint": _("See /api/openapi.json.")}}
        return JSONResponse(body, error.status_code, headers=error.headers)
    assert isinstance(error, Refusal)
    return error.response()


async def _failed(request: Request, error: Exception) -> Response:
    return Refusal(500, _("Something went wrong in the server."), _("Its log says more.")).response()


class Guard:
    """Refuses what comes for another host or from a page that may not ask; an ASGI middleware."""

    def __init__(self, app: Any, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin", "")
        if not self._origins.knows_host(host):
            refusal = Refusal(403, _("This server has another name."), _("Start it with --allow-host NAME."))
            await refusal.response()(scope, receive, send)
            return
        foreign = bool(origin) and not self._origins.is_ours(origin, host)
        if foreign and not self._origins.is_allowed(origin):
            refusal = Refusal(
                403, _("Pages of this origin may not ask."), _("Start the server with --allow-origin ORIGIN.")
            )
            await refusal.response()(scope, receive, send)
            return
        shared = _cors(origin) if foreign else []
        if foreign and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=dict(shared))(scope, receive, send)
            return

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                extra = [*shared, ("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
                raw = [(name.encode(), value.encode()) for name, value in extra]
                message = {**message, "headers": [*message["headers"], *raw]}
            await send(message)

        await self._app(scope, receive, sent)


def _cors(origin: str) -> list[tuple[str, str]]:
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-methods", "GET, POST, PUT"),
        ("access-control-allow-headers", "authorization, content-type"),
        ("access-control-max-age", "600"),
        ("vary", "origin"),
    ]


class _Routes:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._panels = Panels()
        self._streams: dict[str, int] = {}
        self._pumps: set[asyncio.Task[None]] = set()
        self._looked_at: dict[tuple[str, str], float] = {}
        self._putting: set[tuple[str, str]] = set()
        """Files that are on their way to their address."""

    async def close(self) -> None:
        self._panels.close()
        pumps = list(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    # ---- who asks ---------------------------------------------------------------------------------

    def _caller(self, request: Request, rate: Rate | None = None) -> Asked:
        """Return who asks.

        Raises:
            Refusal: nobody knows them, or they ask too often.
        """
        session = self._parts.secrets.session(_bearer(request))
        if session is None:
            self._tried(request)
            raise unauthorized()
        _within(rate or self._parts.asks, session.id)
        return Asked(session.user_id, session.id, str(request.base_url).rstrip("/"))

    def _tried(self, request: Request) -> None:
        _within(self._parts.tries, request.client.host if request.client else "")

    async def _line(self, caller: Asked) -> Line:
        try:
            return await self._parts.kernels.line(caller.session_id)
        except ClientError as error:
            raise _unavailable(error) from error

    # ---- the page, and about the server -------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
        return HTMLResponse(PAGE, headers=headers)

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = (STATIC / name.replace("\0", "")).resolve()
        if not path.is_relative_to(STATIC.resolve()) or not path.is_file() or path.suffix not in KINDS:
            raise Refusal(404, _("There is no such file."))
        data = await asyncio.to_thread(path.read_bytes)
        return Response(data, media_type=KINDS[path.suffix], headers={"cache-control": "no-cache"})

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__, "kernels": len(self._parts.kernels)})

    async def openapi(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(document))

    # ---- sessions ---------------------------------------------------------------------------------

    async def create_session(self, request: Request) -> Response:
        given = _bearer(request) or request.query_params.get("token", "")
        secrets = self._parts.secrets
        current = secrets.session(given)
        if current is not None:  # a client secret that is still good gets the next one
            _within(self._parts.asks, current.id)
        elif not secrets.is_token(given):
            self._tried(request)
            raise unauthorized()
        wanted = _parsed(Wanted, await _body(request, MAX_SMALL_BYTES) or b"{}")
        issued = secrets.issue(current or Session(wanted.session_id or new_session_id(), wanted.user))
        body = {
            "client_secret": issued.client_secret,
            "expires_at": issued.expires_at,
            "session_id": issued.session.id,
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})

    # ---- ChatKit ----------------------------------------------------------------------------------

    async def chatkit(self, request: Request) -> Any:
        caller = self._caller(request)
        body = await _body(request, MAX_REQUEST_BYTES)
        self._looks(caller, body)
        with _as_refusals():
            result = await self._parts.chatkit.process(body, caller)
        if not isinstance(result, StreamingResult):
            return Response(result.json, media_type="application/json")
        if self._streams.get(caller.session_id, 0) >= MAX_STREAMS:
            raise Refusal(429, _("Too many answers are being streamed."), headers={"retry-after": "2"})
        stream = EventStream(lambda: self._gone(caller))
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pump = asyncio.create_task(self._pump(result, stream, first, caller))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)
        with _as_refusals():
            await asyncio.shield(first)  # what is wrong from the start has a status of its own
        return stream

    async def _pump(
        self, result: StreamingResult, stream: EventStream, first: asyncio.Future[None], caller: Asked
    ) -> None:
        """See an answer through, whether or not somebody still reads it: so all of it is kept."""
        self._streams[caller.session_id] = self._streams.get(caller.session_id, 0) + 1
        try:
            async for piece in result:
                stream.put(piece)
                if not first.done():
                    first.set_result(None)
        except Exception as error:  # noqa: BLE001  whatever it is, the reader must hear of it
            if not first.done():
                first.set_exception(error)
            else:
                log.error("an answer broke off: %s", type(error).__name__)
                told = {"type": "error", "code": "stream.error", "allow_retry": True}
                stream.put(f"data: {json.dumps(told)}\n\n".encode())
        finally:
            if not first.done():
                first.set_result(None)
            caller.told = True
            stream.end()
            left = self._streams[caller.session_id] - 1
            if left:
                self._streams[caller.session_id] = left
            else:
                del self._streams[caller.session_id]

    def _looks(self, caller: Asked, body: bytes) -> None:
        """Note that a page has come to a thread."""
        if b'"threads.get_by_id"' not in body and b'"items.list"' not in body:
            return
        with contextlib.suppress(ValueError, KeyError, TypeError):
            thread_id = str(json.loads(body)["params"]["thread_id"])
            now = time.monotonic()
            late = {key for key, at in self._looked_at.items() if now - at > REMEMBERED_S}
            self._looked_at = {key: at for key, at in self._looked_at.items() if key not in late}
            self._looked_at[caller.user_id, thread_id] = now

    def _gone(self, caller: Asked) -> None:
        """The reader has gone: it cancels, unless its page comes back at once."""
        left_at = time.monotonic()

        def look() -> None:
            running = caller.running
            back = self._looked_at.get((caller.user_id, caller.thread_id), 0.0) > left_at
            if caller.told or back:
                return
            if running is None or running.feed.turn is None:  # its kernel may be starting
                asyncio.get_running_loop().call_later(CLOSE_GRACE_S, look)
            elif not running.stream.waiting:
                running.cancel()

        asyncio.get_running_loop().call_later(CLOSE_GRACE_S, look)

    # ---- attachments ------------------------------------------------------------------------------

    async def upload(self, request: Request) -> Response:
        caller = self._caller(request)
        body = await _body(request, MAX_BYTES + MAX_SMALL_BYTES)

        async def pieces() -> AsyncIterator[bytes]:
            yield body

        try:
            form = await MultiPartParser(request.headers, pieces(), max_files=1, max_fields=10).parse()  # type: ignore[arg-type]  # an async iterator is enough
        except (MultiPartException, KeyError, AssertionError):
            raise Refusal(400, _("A file is sent as multipart/form-data, in the field `file`.")) from None
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refusal(400, _("The field `file` is missing."))
        data = await file.read()
        kind = (file.content_type or "application/octet-stream").partition(";")[0]
        params = AttachmentCreateParams(name=file.filename or "file", size=len(data), mime_type=kind)
        files, store = self._parts.chatkit.files, self._parts.chatkit.chats
        attachment_id = files.generate_attachment_id(kind, caller)
        with _as_refusals():
            await files.write(caller.user_id, attachment_id, data)
            attachment = files.made(attachment_id, params, caller, here=True)
            await store.save_attachment(attachment, context=caller)
        shown = attachment.model_dump_json(exclude_none=True, context={"exclude_metadata": True})
        return Response(shown, media_type="application/json")

    async def put_attachment(self, request: Request) -> Response:
        user, name = request.path_params["user"], request.path_params["name"]
        self._tried(request)
        if not self._parts.secrets.is_key_of(f"put {user} {name}", request.query_params.get("key", "")):
            raise Refusal(403, _("This address is not good, or not any more."), _("Announce the file again."))
        if (user, name) in self._putting:
            raise Refusal(409, _("The file is there already."))
        self._putting.add((user, name))
        try:
            return await self._put(request, user, name)
        finally:
            self._putting.discard((user, name))

    async def _put(self, request: Request, user: str, name: str) -> Response:
        files, store = self._parts.chatkit.files, self._parts.chatkit.chats
        caller = Asked(user)
        with _as_refusals():
            attachment = await store.load_attachment(name, caller)
            if attachment.upload_descriptor is None:
                raise Refusal(409, _("The file is there already."))
            announced = int((attachment.metadata or {}).get("size", MAX_BYTES))
            data = await _body(request, min(MAX_BYTES, announced))
            if len(data) != announced:
                words = _("The file has {count} bytes, and not {announced} as was announced.")
                raise Refusal(400, words.format(count=len(data), announced=announced))
            await files.write(user, name, data)
            done = attachment.model_copy(update={"upload_descriptor": None})
            await store.save_attachment(done, context=caller)
        return Response(status_code=204)

    async def preview(self, request: Request) -> Response:
        user, name = request.path_params["user"], request.path_params["name"]
        if not self._parts.secrets.is_key_of(f"get {user} {name}", request.query_params.get("key", "")):
            self._tried(request)
            raise Refusal(403, _("This address is not good, or not any more."))
        with _as_refusals():
            attachment = await self._parts.chatkit.chats.load_attachment(name, Asked(user))
        data = await self._parts.chatkit.files.read(user, name)
        if data is None or attachment.mime_type not in PICTURES:
            raise Refusal(404, _("There is no picture."))
        headers = {
            "content-security-policy": "default-src 'none'; sandbox",
            "content-disposition": f"inline; filename*=UTF-8''{quote(attachment.name)}",
            "cache-control": "private, max-age=600",
        }
        return Response(data, media_type=attachment.mime_type, headers=headers)

    # ---- tasks ------------------------------------------------------------------------------------

    async def tasks(self, request: Request) -> Response:
        line = self._parts.kernels.known(self._caller(request).session_id)
        tasks = [task.model_dump(mode="json") for task in line.tasks.values()] if line else []
        cards = [card.model_dump(mode="json") for card in line.approvals.values()] if line else []
        return JSONResponse({"tasks": tasks, "approvals": cards})

    async def task(self, request: Request) -> Response:
        _, task = self._task(request)
        return JSONResponse(task.model_dump(mode="json"))

    def _task(self, request: Request) -> tuple[Line, Any]:
        line = self._parts.kernels.known(self._caller(request).session_id)
        number = request.path_params["task"]
        task = line.tasks.get(number) if line is not None else None
        if line is None or task is None:
            raise Refusal(404, _("There is no task {number}.").format(number=number))
        return line, task

    async def cancel_task(self, request: Request) -> Response:
        line, task = self._task(request)
        if task.ended_at is None:
            await cancel(line, task.id)
        return JSONResponse(line.tasks[task.id].model_dump(mode="json"))

    async def retry_task(self, request: Request) -> Response:
        line, task = self._task(request)
        if task.ended_at is None:
            raise Refusal(409, _("Task {number} has not ended.").format(number=task.id))
        feed = line.follow(lambda name: RetryTask(task_id=task.id, request=name))
        return JSONResponse(await _begun(line, feed), 202)

    async def task_events(self, request: Request) -> Any:
        line = await self._line(self._caller(request))
        stream = EventStream()

        async def tell() -> None:
            async with line.watching() as changes:
                for task in list(line.tasks.values()):
                    stream.put(event("task", to_surface.dump_json(TaskChanged(task=task)).decode()))
                stream.put(event("ready", "{}"))
                while not stream.gone:
                    change = await changes.get()
                    if isinstance(change, TaskChanged | ApprovalChanged | TurnChanged) or change.type in (
                        "task_output",
                        "task_progress",
                    ):
                        stream.put(event(change.type, to_surface.dump_json(change).decode()))

        telling = asyncio.create_task(tell())
        self._pumps.add(telling)
        telling.add_done_callback(self._pumps.discard)
        stream.when_gone(telling.cancel)
        return stream

    async def decide(self, request: Request) -> Response:
        line = self._parts.kernels.known(self._caller(request).session_id)
        decision = _parsed(Decision, await _body(request, MAX_SMALL_BYTES))
        number = request.path_params["approval"]
        if line is None or number not in line.approvals:
            raise Refusal(404, _("Approval {number} is not open.").format(number=number))
        line.send(Decide(approval_id=number, approved=decision.approved, values=decision.values))
        return JSONResponse({"approval_id": number, "approved": decision.approved}, 202)

    # ---- MCP servers --------------------------------------------------------------------------------

    async def servers(self, request: Request) -> Response:
        line = await self._line(self._caller(request))
        with _as_refusals():
            told = await line.watched_servers(WatchServers())
        body = {"servers": [one.model_dump(mode="json") for one in told.servers], "registry": told.registry}
        return JSONResponse(body)

    async def server_tools(self, request: Request) -> Response:
        line = await self._line(self._caller(request))
        name = request.path_params["server"][:60]
        with _as_refusals():
            told = await line.ask(lambda number: ReadServer(id=number, server=name))
        if told.type != "server_details":
            raise Refusal(422, _("The session does not tell what the server offers."))
        if told.problem is not None:
            raise Refusal(404, told.problem.message, told.problem.hint)
        return JSONResponse(told.model_dump(mode="json", include={"tools", "prompts", "resources"}))

    async def start_server(self, request: Request) -> Response:
        return await self._with_server(request, "mcp_start")

    async def stop_server(self, request: Request) -> Response:
        return await self._with_server(request, "mcp_stop")

    async def _with_server(self, request: Request, tool: str) -> Response:
        line = await self._line(self._caller(request))
        call = Call(tool=tool, arguments={"name": request.path_params["server"][:60]})
        feed = line.follow(lambda name: Do(calls=[call], request=name))
        return JSONResponse(await _begun(line, feed), 202)

    # ---- the panel ----------------------------------------------------------------------------------

    async def panel(self, request: Request) -> Response:
        caller = self._caller(request, self._parts.panel_asks)
        body = await _body(request, MAX_PANEL_BYTES)
        with _as_refusals():
            messages = list(frames(body))
            panel = self._panels.panel(caller.session_id, _surface(request), await self._line(caller))
            for message, buffers in messages:
                panel.take(message, buffers)
        return Response(status_code=204)

    async def panel_events(self, request: Request) -> Any:
        caller = self._caller(request, self._parts.panel_asks)
        return self._panels.panel(caller.session_id, _surface(request), await self._line(caller)).stream()


# ---- requests and refusals ------------------------------------------------------------------------


def unauthorized() -> Refusal:
    """Return the refusal of those whom nobody knows."""
    return Refusal(
        401,
        _("A client secret is needed, and this is none, or not any more."),
        _("Get one from /api/create-session."),
        {"www-authenticate": "Bearer"},
    )


def _bearer(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _surface(request: Request) -> str:
    return str(request.path_params["surface"])[:100]


def _within(rate: Rate, who: str) -> None:
    wait_s = rate.wait_s(who)
    if wait_s:
        headers = {"retry-after": str(max(1, round(wait_s)))}
        raise Refusal(429, _("These are too many requests."), _("Ask again in a moment."), headers)


async def _body(request: Request, limit: int) -> bytes:
    """Read a request's body.

    Raises:
        Refusal: it is larger than the limit.
    """
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            async for piece in request.stream():
                size += len(piece)
                if size > DRAINED_BYTES:
                    break
                if size <= limit:  # the rest is read and dropped: who still sends would not hear the answer
                    pieces.append(piece)
    except TimeoutError:
        raise Refusal(
            408, _("The request took too long to arrive."), headers={"connection": "close"}
        ) from None
    except ClientDisconnect:
        raise Refusal(400, _("The request did not arrive whole.")) from None
    if size > limit:
        words = _("A request has at most {limit} bytes here.").format(limit=grouped(limit))
        raise Refusal(413, words, headers={"connection": "close"})
    return b"".join(pieces)


def _parsed(model: type[Model], body: bytes) -> Model:
    with _as_refusals():
        return model.model_validate_json(body)


@contextlib.contextmanager
def _as_refusals() -> Any:
    """Say what is wrong with a request in words of HTTP."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or _("the request")
        words = _("The request does not fit: {place}: {problem}.")
        raise Refusal(400, words.format(place=place, problem=first["msg"])) from None
    except NotFoundError as error:
        raise Refusal(404, str(error)) from None
    except NotTaken as error:
        raise Refusal(413, error.message, error.hint) from None
    except CustomStreamError as error:  # of an action that has no stream to say it in
        raise Refusal(422, error.message or "") from None
    except (Malformed, UnknownTask) as error:
        raise Refusal(400, error.message, error.hint) from None
    except SpeechError as error:
        raise Refusal(422, error.message, error.hint) from None
    except (ClientError, HistoryError) as error:
        raise _unavailable(error) from None
    except VoiceKernelError as error:
        raise Refusal(422, error.message, error.hint) from None
    except ValueError as error:  # how the SDK says that a request does not fit what is there
        raise Refusal(409, str(error)[:300]) from None


def _unavailable(error: VoiceKernelError) -> Refusal:
    headers = {"retry-after": "5"} if error.retryable else None
    return Refusal(503, error.message, error.hint, headers)


async def _begun(line: Line, feed: Feed) -> dict[str, Any]:
    """Wait until a turn has a task, a card or its end; returns what there is."""
    try:
        async with asyncio.timeout(BEGUN_LIMIT_S):
            while not feed.ended.is_set():
                told = await feed.next()
                if isinstance(told, ApprovalChanged):
                    break
                if isinstance(told, TaskChanged) and told.task.state not in ("queued", "awaiting_approval"):
                    break
    except TimeoutError:
        pass  # it goes on, and /api/tasks/events tells of it
    finally:
        line.drop(feed)
    tasks = [task.model_dump(mode="json") for task in feed.tasks.values()]
    turn = feed.turn.model_dump(mode="json") if feed.turn is not None else None
    cards = [card.model_dump(mode="json") for card in feed.approvals.values()]
    return {"turn": turn, "tasks": tasks, "approvals": cards}
