"""Server-sent events: a response that goes on, and notices at once when nobody reads it any more.

Source: the event stream format of https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

KEEP_ALIVE_S = 15.0
"""A comment after so long without an event: proxies close what is silent."""
MAX_WAITING = 5_000
"""Pieces that wait for one reader; one that is so far behind is let go of."""

HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """An ASGI response whose pieces are put into it from elsewhere.

    Args:
        on_gone: told when the reader has gone before the end, and only then.
    """

    def __init__(self, on_gone: Callable[[], None] = lambda: None) -> None:
        self.gone = False
        """Whether nobody reads any more."""
        self._on_gone = on_gone
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

    def when_gone(self, callback: Callable[[], object]) -> None:
        """Tell one more when nobody reads any more."""
        before = self._on_gone

        def both() -> None:
            before()
            callback()

        self._on_gone = both

    def put(self, piece: bytes) -> None:
        """Send a piece of the stream; nothing where nobody reads any more."""
        if self.gone:
            return
        if self._waiting.qsize() >= MAX_WAITING:
            self._leave()
            self.end()
            return
        self._waiting.put_nowait(piece)

    def end(self) -> None:
        """End the stream once everything is sent."""
        self._waiting.put_nowait(None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send the stream, as ASGI has it."""
        watch = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            while not self.gone:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        piece = await self._waiting.get()
                except TimeoutError:
                    piece = b": \n\n"
                if piece is None:
                    self.gone = True  # to the end: nobody has left before it
                    await send({"type": "http.response.body", "body": b""})
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except OSError:  # the connection has broken
            pass
        finally:
            watch.cancel()
            self._leave()

    async def _watch(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._leave()
        self.end()

    def _leave(self) -> None:
        if not self.gone:
            self.gone = True
            self._on_gone()


def event(name: str, data: str) -> bytes:
    """Return an event; its data is on one line, as JSON is."""
    return f"event: {name}\ndata: {data}\n\n".encode()
