"""One connection to a Realtime server, through `agents.realtime`.

Opens it, sends on it, hands every event of the server to whoever listens, and says in words why it broke.
It does not know utterances or turns. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from voice_kernel.endpoint import CONNECT_LIMIT_S, REST_S, Endpoint, Failure, wrong_key
from voice_kernel.errors import ServerFailed
from voice_kernel.language import _

if TYPE_CHECKING:
    from agents import FunctionTool
    from agents.realtime import RealtimeRunConfig, RealtimeSession

logger = logging.getLogger(__name__)

MAX_EVENT_BYTES = 8 * 1024 * 1024
HARMLESS = frozenset(
    {
        "input_audio_buffer_commit_empty",
        "item_delete_invalid_item_id",
        "response_cancel_not_active",
    }
)
"""Errors of the server that say no more than: there was nothing to do."""

BROKEN, TOOL_ENDED, TOOL_MISSING = "line.broken", "tool.ended", "tool.missing"
"""Events of our own, among those of the server."""

Event = dict[str, Any]

_wire = logging.getLogger(f"{__name__}.wire")
# At DEBUG the WebSocket library writes down every header and frame: the key, the sound and the words.
_wire.setLevel(logging.WARNING)


class Line:
    """An open connection. Made by `connect`."""

    def __init__(self, endpoint: Endpoint, session: RealtimeSession) -> None:
        self.failure: ServerFailed | None = None
        """Why nothing comes any more; None while the line is open."""
        self._endpoint = endpoint
        self._session = session
        self._opened_at = time.monotonic()
        self._listeners: list[Callable[[Event], None]] = []
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(cls, endpoint: Endpoint, settings: dict[str, Any]) -> Line:
        """Open a connection.

        Args:
            endpoint: the server.
            settings: of the session, as `agents.realtime` names them.

        Raises:
            ServerFailed: the server cannot be reached, or does not want us.
        """
        import websockets
        from agents.realtime import OpenAIRealtimeWebSocketModel, RealtimeAgent, RealtimeRunner

        class Model(OpenAIRealtimeWebSocketModel):
            async def _create_websocket_connection(
                self, url: str, headers: dict[str, str], transport_config: Any = None
            ) -> websockets.ClientConnection:
                return await websockets.connect(
                    url,
                    additional_headers=headers,
                    max_size=MAX_EVENT_BYTES,
                    open_timeout=CONNECT_LIMIT_S,
                    logger=_wire,
                )

        model = settings["model_name"]
        runner = RealtimeRunner(
            RealtimeAgent(name="voice_kernel"),
            model=Model(),
            # The SDK would post every session to OpenAI's tracing.
            config=cast("RealtimeRunConfig", {"tracing_disabled": True, "model_settings": settings}),
        )
        session = await runner.run(
            model_config={
                "url": f"{endpoint.realtime_url}?model={model}",
                "api_key": endpoint.api_key or "none",
            }
        )
        try:
            await session.enter()
        except websockets.InvalidStatus as error:
            failure = _refusal(error.response.status_code, endpoint, model)
        except (OSError, TimeoutError, websockets.WebSocketException):
            hint = _("Check the network, and {url_setting}.").format(url_setting=endpoint.url_setting)
            failure = Failure(
                _("{server} cannot be reached.").format(server=endpoint.server), hint, rest_s=REST_S
            )
        else:
            return cls(endpoint, session)
        raise ServerFailed(failure.message, hint=failure.hint, rest_s=failure.rest_s)

    @property
    def age_s(self) -> float:
        """How long the line has been open, in seconds."""
        return time.monotonic() - self._opened_at

    @property
    def usable(self) -> bool:
        """Whether something new may begin on it."""
        return self.failure is None

    def retire(self) -> None:
        """Let nothing new begin on this line: the next user makes another one."""
        self.failure = self.failure or ServerFailed(_("The conversation goes on over another connection."))

    @contextlib.contextmanager
    def heard(self, listener: Callable[[Event], None]) -> Iterator[None]:
        """Hand every event to a listener until the block ends; the last one may be `BROKEN`."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def send(self, kind: str, **fields: Any) -> None:
        """Send an event of the protocol.

        Raises:
            ServerFailed: the line is broken.
        """
        from agents.realtime import RealtimeModelSendRawMessage

        message = RealtimeModelSendRawMessage(message={"type": kind, "other_data": fields})
        with self._said():
            await self._session.model.send_event(message)

    async def send_audio(self, pcm: bytes) -> None:
        """Send sound: mono 16-bit little-endian PCM at 24 kHz. Raises like `send`."""
        with self._said():
            await self._session.send_audio(pcm)

    async def add(self, role: str, text: str) -> None:
        """Add a text to the conversation, to which nobody is asked to answer yet. Raises like `send`."""
        content = {"type": "input_text" if role == "user" else "output_text", "text": text}
        item = {"type": "message", "role": role, "content": [content]}
        await self.send("conversation.item.create", item=item)

    async def expect(self, transcription: dict[str, Any]) -> None:
        """Say how the next utterance is to be written down. Raises like `send`."""
        session = {"type": "realtime", "audio": {"input": {"transcription": transcription}}}
        await self.send("session.update", session=session)

    async def equip(self, told: str, tools: Sequence[FunctionTool]) -> None:
        """Give the model instructions and tools. Raises like `send`."""
        from agents.realtime import RealtimeAgent

        with self._said():
            await self._session.update_agent(
                RealtimeAgent(name="voice_kernel", instructions=told, tools=list(tools))
            )

    async def respond(self) -> None:
        """Ask the model for its next step. Raises like `send`."""
        await self.send("response.create")

    async def interrupt(self) -> None:
        """Stop the model; what it has begun stays unfinished, so that the line is not used again."""
        self.retire()
        with contextlib.suppress(ServerFailed), self._said():
            await self._session.interrupt()

    async def close(self) -> None:
        """Hang up."""
        self.retire()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        try:
            await self._session.close()
        except Exception as error:  # noqa: BLE001  whatever state the other side left it in: it is over
            logger.debug("hanging up failed: %s", type(error).__name__)

    # ---- inside ------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            async for event in self._session:
                if event.type == "raw_model_event" and event.data.type == "raw_server_event":
                    self._tell(event.data.data)
                elif event.type == "tool_end":
                    self._tell({"type": TOOL_ENDED})
                elif event.type == "error" and "not found" in str(_field(event.error, "message")):
                    self._tell({"type": TOOL_MISSING})
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  the SDK hands on whatever the connection or its own tasks raised
            logger.debug("the line broke: %s", type(error).__name__)
        self.failure = _broke_off(self._endpoint)
        self._tell({"type": BROKEN})

    def _tell(self, event: Any) -> None:
        if not isinstance(event, dict):
            return
        if event.get("type") == "error" and _field(event.get("error"), "code") in HARMLESS:
            return
        for listener in list(self._listeners):
            listener(event)

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        """Turn what a broken connection raises into words."""
        import websockets

        try:
            yield
        except (websockets.WebSocketException, OSError, AssertionError) as error:
            # The SDK asserts that it is connected.
            self.failure = _broke_off(self._endpoint)
            raise self.failure from error


def reported(event: Event, endpoint: Endpoint) -> ServerFailed | None:
    """Return what is wrong when an event of the server says so, else None."""
    if event["type"] == BROKEN:
        return _broke_off(endpoint)
    error: Any = None
    if event["type"] in ("error", "conversation.item.input_audio_transcription.failed"):
        error = event.get("error")
    elif event["type"] == "response.done":
        response = event.get("response") or {}
        if response.get("status") in ("failed", "incomplete"):
            details = response.get("status_details") or {}
            reason = details.get("reason") or _("no reason given")
            error = details.get("error") or {"message": _("unfinished: {reason}").format(reason=reason)}
    if error is None:
        return None
    code, words = str(_field(error, "code")), str(_field(error, "message"))
    if code in ("rate_limit_exceeded", "insufficient_quota"):
        message = (
            _("{server} limits how often it can be asked.")
            if code.startswith("rate")
            else _("The account at {server} has no credit left.")
        )
        return ServerFailed(
            message.format(server=endpoint.server), hint=_("Check its billing and limits."), rest_s=REST_S
        )
    return ServerFailed(
        _("{server} reported an error: {quote}").format(server=endpoint.server, quote=endpoint.quote(words))
    )


def _broke_off(endpoint: Endpoint) -> ServerFailed:
    return ServerFailed(_("The connection to {server} broke off.").format(server=endpoint.server))


def _field(error: Any, name: str) -> Any:
    value = error.get(name) if isinstance(error, dict) else getattr(error, name, None)
    return value or ""


def _refusal(status: int, endpoint: Endpoint, model: str) -> Failure:
    server = endpoint.server
    if status == 401:
        return wrong_key(endpoint)
    if status == 403:
        message = _("{server} does not let this API key use {model}.").format(server=server, model=model)
        return Failure(message, rest_s=REST_S)
    if status == 404:
        return Failure(
            _("{server} has no Realtime interface for {model} at this address.").format(
                server=server, model=model
            ),
            _("Check {where}.").format(
                where=_("{model_setting} and {url_setting}").format(
                    model_setting="VOICE_KERNEL_REALTIME_MODEL", url_setting=endpoint.url_setting
                )
            ),
            rest_s=REST_S,
        )
    if status == 429:
        message = _("{server} limits how often it can be asked.").format(server=server)
        return Failure(message, rest_s=REST_S / 6)
    if status >= 500:
        message = _("{server} has a problem of its own ({status}).").format(server=server, status=status)
        return Failure(message, rest_s=REST_S / 6)
    message = _("{server} refused the connection ({status}).").format(server=server, status=status)
    return Failure(message, rest_s=REST_S)
