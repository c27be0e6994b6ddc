"""Finds out what exists around the user: the `Context` behind names that are spoken.

Knows where names come from (the namespace, the working folder, the session's tasks), and nothing of what
they are used for. Belongs to the loop thread; the folder is scanned on a worker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voice_kernel.context import Context, Variable

SCAN_EVERY_S = 5.0
"""A folder is scanned again when the last scan is older than this."""
SCAN_LIMIT_S = 2.0
"""A turn waits no longer for a scan; a slow disk then gives the names of the scan before."""

Names = tuple[tuple[str, ...], tuple[str, ...]]


class Surroundings:
    """The current context, cheap to ask for.

    Args:
        cwd: returns the working folder.
        namespace: returns the user's variables; callable from any thread.
        tasks: returns the numbers of the session's tasks.
        scan: returns the files and the tests below a folder; runs on a worker.
        words: the user's own vocabulary.
    """

    def __init__(
        self,
        cwd: Callable[[], Path],
        namespace: Callable[[], tuple[Variable, ...]],
        tasks: Callable[[], tuple[int, ...]],
        scan: Callable[[Path], Names],
        words: tuple[str, ...] = (),
    ) -> None:
        self._cwd = cwd
        self._namespace = namespace
        self._tasks = tasks
        self._scan = scan
        self._folder = Context(words=words)
        self._scanned_at = float("-inf")
        self._scanned: Path | None = None
        self._scanning: asyncio.Future[Names] | None = None

    def now(self) -> Context:
        """Return the context with the folder as last scanned."""
        return replace(self._folder, variables=self._namespace(), tasks=self._tasks())

    async def refresh(self) -> Context:
        """Return the context, scanning the folder again when the last scan is old."""
        folder = self._cwd()
        if self._scanned != folder or time.monotonic() - self._scanned_at > SCAN_EVERY_S:
            if self._scanning is None or self._scanning.done():
                self._scanning = asyncio.ensure_future(asyncio.to_thread(self._scan, folder))
            done, _ = await asyncio.wait({self._scanning}, timeout=SCAN_LIMIT_S)
            if done and not self._scanning.cancelled() and self._scanning.exception() is None:
                files, tests = self._scanning.result()
                self._folder = replace(self._folder, files=files, tests=tests)
                self._scanned, self._scanned_at = folder, time.monotonic()
        return self.now()
