"""A kernel for each session, made when it is first needed; or one that runs already, for all.

Knows how many there may be and how long an unused one is kept. All of them end with the server: orderly when
it stops, and by their own watch over their parent when it is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from voice_kernel.client import OwnKernel, RunningKernel
from voice_kernel.errors import ClientError
from voice_kernel.language import _
from voice_kernel.server.line import Line

LOOK_S = 5.0
SHARED = ""


class Kernels:
    """The kernels of all sessions.

    Args:
        make: makes a kernel that is not started yet.
        shared: whether all sessions have the same one.
        most: how many there may be at once.
        idle_s: seconds after which one that nobody uses is stopped.
    """

    def __init__(
        self,
        make: Callable[[], OwnKernel | RunningKernel],
        *,
        shared: bool = False,
        most: int = 8,
        idle_s: float = 3_600.0,
    ) -> None:
        self.shared = shared
        self._make = make
        self._most = most
        self._idle_s = idle_s
        self._lines: dict[str, Line] = {}
        self._opening: dict[str, asyncio.Task[Line]] = {}
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def start(self) -> None:
        """Begin to watch for kernels that nobody uses."""
        self._watch = asyncio.create_task(self._look())

    def known(self, session_id: str) -> Line | None:
        """Return the line to a session's kernel, if it has one."""
        return self._lines.get(SHARED if self.shared else session_id)

    async def line(self, session_id: str) -> Line:
        """Return the line to a session's kernel, which is started where there is none.

        Raises:
            ClientError: it does not start, or there are too many.
        """
        key = SHARED if self.shared else session_id
        if (line := self._lines.get(key)) is not None:
            line.used_at = time.monotonic()
            return line
        opening = self._opening.get(key)
        if opening is None:
            opening = self._opening[key] = asyncio.create_task(self._open(key))
            opening.add_done_callback(lambda _: self._opening.pop(key, None))
        # Whoever asked first may go away; the others wait for the same kernel.
        return await asyncio.shield(opening)

    async def _open(self, key: str) -> Line:
        await self._make_room()
        line = Line(self._make(), lambda: self._forget(key))
        try:
            await line.open()
        except BaseException:
            await line.close()
            raise
        self._lines[key] = line
        return line

    async def _make_room(self) -> None:
        if len(self._lines) + len(self._opening) <= self._most:  # this one is being opened already
            return
        unused = [(line.used_at, key) for key, line in self._lines.items() if not line.is_busy]
        if not unused:
            raise ClientError(
                _("All {count} kernels are in use.").format(count=self._most),
                hint=_("Try again when one of them is free, or start the server with --kernels."),
                retryable=True,
            )
        await self.stop(min(unused)[1])

    async def stop(self, key: str) -> None:
        """Stop a session's kernel, if it has one."""
        line = self._lines.pop(key, None)
        if line is not None:
            await line.close()

    async def close(self) -> None:
        """Stop all of them."""
        if self._watch is not None:
            self._watch.cancel()
        for opening in list(self._opening.values()):
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, ClientError):
                await opening
        await asyncio.gather(*(self.stop(key) for key in list(self._lines)))

    def _forget(self, key: str) -> None:
        line = self._lines.pop(key, None)
        if line is not None:
            closing = asyncio.ensure_future(line.kernel.stop())
            closing.add_done_callback(lambda done: done.exception())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK_S, self._idle_s / 4))
            late = time.monotonic() - self._idle_s
            for key, line in list(self._lines.items()):
                if line.used_at < late and not line.is_busy:
                    await self.stop(key)
