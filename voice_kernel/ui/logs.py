"""Answer what a page asks of the logs of tasks.

A page names a task and never a path: the path is the task's own. Reading happens on worker threads, two
at a time; a page that asks for more than the Jupyter server passes on waits, and one that asks for far
more is told so. Knows tasks and messages; how a log is read is `task.logpages`' part.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from voice_kernel.errors import LogError, VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import LogHit, LogHits, LogPage, PastTask, ReadLog, SearchLog, Task
from voice_kernel.task.logpages import Hits, LogReader, Page
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import problem_of
from voice_kernel.task.state import ENDED

READERS = 2
MAX_WAITING = 40
BYTES_PER_S = 500_000
"""The Jupyter server silently drops what comes faster than 1 MB/s, and output is to pass as well."""

T = TypeVar("T")


class LogDesk:
    """Reads and searches logs for pages. Everything here belongs to the loop thread.

    Args:
        folder: where logs are written.
        task: returns a task of this session by its number, as it is now.
        past: returns a task of the history by its number there.
    """

    def __init__(
        self,
        folder: LogFolder,
        task: Callable[[int], Task | None],
        past: Callable[[int], Awaitable[PastTask | None]] | None = None,
    ) -> None:
        self._folder = folder
        self._task = task
        self._past = past
        self._reader = LogReader()
        self._readers = asyncio.Semaphore(READERS)
        self._waiting = 0
        self._free_at = 0.0

    async def page(self, request: ReadLog) -> LogPage:
        """Return the lines that were asked for, or why there are none."""
        try:
            task = await self._known(request.task_id, request.past_id)
            ended = task.state in ENDED
            page = Page()
            if task.log_path:
                page = await self._read(
                    lambda: self._reader.page(task.log_path, request.first_line, request.lines, ended=ended)
                )
                await self._passed_on(sum(map(len, page.lines)))
        except VoiceKernelError as error:
            return LogPage(id=request.id, problem=problem_of(error))
        return LogPage(
            id=request.id,
            first_line=page.first_line,
            lines=page.lines,
            total_lines=page.total_lines,
            total_bytes=page.total_bytes,
            complete=ended,
        )

    async def hits(self, request: SearchLog) -> LogHits:
        """Return the places of a text, or why it cannot be searched."""
        try:
            task = await self._known(request.task_id, request.past_id)
            found = Hits()
            if task.log_path:
                found = await self._read(
                    lambda: self._reader.search(
                        task.log_path,
                        request.query,
                        request.from_line,
                        request.limit,
                        ended=task.state in ENDED,
                    )
                )
                await self._passed_on(sum(len(hit.text) for hit in found.hits))
        except VoiceKernelError as error:
            return LogHits(id=request.id, problem=problem_of(error))
        hits = [LogHit(line=hit.line, text=hit.text) for hit in found.hits]
        return LogHits(id=request.id, hits=hits, next_line=found.next_line)

    async def _known(self, task_id: int | None, past_id: int | None) -> Task:
        """Return the task that is meant, with all of its output so far on disk."""
        task = self._task(task_id) if task_id is not None else None
        if task is None and past_id is not None and self._past is not None:
            past = await self._past(past_id)
            task = past.task if past is not None else None
        if task is None:
            raise LogError(
                _("This task is not known any more."), hint=_("Search the history for it, or run it again.")
            )
        if not task.log_path and task.output_bytes:
            raise LogError(
                _("The output of this task was not kept in a log."),
                hint=_("What is left of it is on its card; the folder of the logs could not be written."),
            )
        if task.log_path:
            self._folder.flush(task.log_path)
        return task

    async def _read(self, read: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise LogError(_("Too much is asked of the logs at once."), hint=_("Try again."), retryable=True)
        self._waiting += 1
        try:
            async with self._readers:
                return await asyncio.to_thread(read)
        finally:
            self._waiting -= 1

    async def _passed_on(self, size: int) -> None:
        """Wait until an answer of this size may be sent."""
        now = asyncio.get_running_loop().time()
        wait_s = self._free_at - now
        self._free_at = max(now, self._free_at) + size / BYTES_PER_S
        if wait_s > 0:
            await asyncio.sleep(wait_s)
