"""The panel's own protocol over HTTP: a page sends POSTs, and is told by server-sent events.

A POST carries messages of `messages` one after the other, each with the bytes beside it: two numbers of
four bytes (big-endian: length of the JSON, length of the bytes), then both. An event is `{"message",
"buffers"}`, the bytes as base64. A page that was away for a moment goes on with the same surface.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from voice_kernel.client import Link
from voice_kernel.errors import ClientError
from voice_kernel.language import _
from voice_kernel.messages import Hello, ToKernel, to_kernel
from voice_kernel.server.line import Line
from voice_kernel.server.sse import EventStream, event

AWAY_S = 20.0
"""After so long without its events a page has gone."""
MAX_PANELS = 16
"""Of one session."""
MAX_HELD = 500
HEAD = struct.Struct(">II")
KINDS = ("widget", "card", "sidebar")


class Malformed(ClientError):
    """What a page sent is no message of the panel."""


def frames(body: bytes) -> Iterator[tuple[ToKernel, list[bytes]]]:
    """Yield the messages of a POST, with the bytes beside each.

    Raises:
        Malformed: it is cut off, or one is no message of the panel.
    """
    at = 0
    while at < len(body):
        if len(body) - at < HEAD.size:
            raise Malformed(_("A message is cut off."))
        json_size, data_size = HEAD.unpack_from(body, at)
        at += HEAD.size
        end = at + json_size + data_size
        if end > len(body):
            raise Malformed(_("A message is cut off."))
        try:
            message = to_kernel.validate_json(body[at : at + json_size])
        except ValidationError as error:
            raise Malformed(
                _("A message does not fit: {count} errors.").format(count=error.error_count())
            ) from None
        data = body[at + json_size : end]
        yield message, [data] if data_size else []
        at = end


class Panel:
    """One page's panel."""

    def __init__(self, line: Line, surface_id: str) -> None:
        self.line = line
        self.surface_id = surface_id
        self.closed = False
        self._link: Link | None = None
        self._stream: EventStream | None = None
        self._held: list[bytes] = []
        self._early: list[tuple[ToKernel, list[bytes]]] | None = []
        """What came before the session answered the hello, which it would overtake; None after that."""
        self._closing: asyncio.TimerHandle | None = None

    def take(self, message: ToKernel, buffers: list[bytes]) -> None:
        """Hand a message of the page to the session.

        Raises:
            Malformed: the page has not said hello, or says it is what it cannot be.
        """
        if isinstance(message, Hello):
            if message.kind not in KINDS or message.surface_id != self.surface_id or message.approve:
                raise Malformed(_("This is not how a page says hello."))
            self._early = []
            self._link = self.line.open_panel(message, self._told)
        elif self._link is None:
            raise Malformed(_("The page has not said hello."), hint=_("Reload the page."))
        elif self._early is None:
            self._link.send(message, buffers)
        elif len(self._early) < MAX_HELD:
            self._early.append((message, buffers))

    def stream(self) -> EventStream:
        """Return the events from now on; a page has one stream, the newest."""
        if self._closing is not None:
            self._closing.cancel()
        if self._stream is not None:
            self._stream.end()
        stream = self._stream = EventStream(lambda: self._left(stream))
        stream.put(event("ready", "{}"))
        for piece in self._held:
            stream.put(piece)
        self._held = []
        return stream

    def close(self) -> None:
        """Let the session forget the page."""
        self.closed = True
        if self._closing is not None:
            self._closing.cancel()
        if self._stream is not None:
            self._stream.end()
        self._link = None
        self.line.close_panel(self.surface_id)

    def _told(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        early, self._early = self._early, None
        for message, beside in early or ():
            if self._link is not None:
                self._link.send(message, beside)
        encoded = [base64.b64encode(buffer).decode() for buffer in buffers]
        piece = event("message", json.dumps({"message": data, "buffers": encoded}))
        if self._stream is not None and not self._stream.gone:
            self._stream.put(piece)
        elif len(self._held) < MAX_HELD:
            self._held.append(piece)

    def _left(self, stream: EventStream) -> None:
        if stream is self._stream:
            # Back within a moment it says hello again and is told everything anew: nothing need be held.
            self._held = []
            self._closing = asyncio.get_running_loop().call_later(AWAY_S, self.close)


class Panels:
    """The panels of all sessions."""

    def __init__(self) -> None:
        self._panels: dict[tuple[str, str], Panel] = {}

    def panel(self, session_id: str, surface_id: str, line: Line) -> Panel:
        """Return a page's panel, made when it is new.

        Raises:
            ClientError: the session has too many.
        """
        key = (session_id, surface_id)
        panel = self._panels.get(key)
        if panel is not None and panel.line is line and not panel.closed:
            return panel
        self._panels = {name: other for name, other in self._panels.items() if not other.closed}
        mine = [other for other in self._panels if other[0] == session_id]
        if panel is None and len(mine) >= MAX_PANELS:
            self._panels.pop(mine[0]).close()
        panel = self._panels[key] = Panel(line, surface_id)
        return panel

    def close(self) -> None:
        """Close all of them."""
        for panel in self._panels.values():
            panel.close()
        self._panels.clear()
