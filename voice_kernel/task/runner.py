"""Runs one piece of work as a task and tells every change of it.

The runner owns the task's record: its state, times, progress, tail of output and log. It does not know
tools, policy or surfaces: work is a coroutine, changes go to an `EventSink`, output to a `LogFile`.
Everything here belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
import os
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from voice_kernel.errors import VoiceKernelError
from voice_kernel.events import MAX_TASKS, EventSink, clip_tail, let_go
from voice_kernel.messages import (
    Origin,
    Problem,
    Progress,
    Result,
    Task,
    TaskChanged,
    TaskOutput,
    TaskState,
)
from voice_kernel.task.logs import REDACTED, Redactor
from voice_kernel.task.state import ENDED, check_move

log = logging.getLogger(__name__)

FLUSH_S = 0.1
"""Output and progress reach the surfaces at most every 100 ms: past about 1,000 messages or 1 MB a
second the Jupyter server drops messages silently. Source: measured, FACTS on throughput."""


class LogFile(Protocol):
    """Where a task's full output goes."""

    path: str
    cut_bytes: int

    def write(self, data: bytes) -> None:
        """Append, up to the log's cap. Never raises: a full disk must not end a task."""
        ...

    def close(self) -> None:
        """Flush and close; a second call does nothing."""
        ...


class TaskFailed(Exception):
    """The work ended without success, as a result and not as a bug: it has something to show."""

    def __init__(self, problem: Problem, result: Result | None = None) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.result = result


def problem_of(error: BaseException) -> Problem:
    """Turn an exception into data for a person. The one place that does."""
    if isinstance(error, TaskFailed):
        return error.problem
    if isinstance(error, VoiceKernelError):
        return Problem(
            kind=type(error).__name__, message=error.message, hint=error.hint, retryable=error.retryable
        )
    if isinstance(error, FileNotFoundError) and not _has_working_folder():
        return Problem(
            kind=type(error).__name__,
            message="The working folder does not exist any more.",
            hint="Change to one that does, e.g. %cd ~",
        )
    return Problem(
        kind=type(error).__name__,
        message=f"Something went wrong inside voice_kernel ({type(error).__name__}).",
        hint="Please report it with what you asked for; nothing else was changed.",
    )


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


class TaskHandle:
    """What the work holds of its own task: where output and progress go."""

    def __init__(self, runner: Runner, task: Task, open_log: Callable[[int], LogFile]) -> None:
        self.task = task
        self.origin: Origin = task.origin
        self._runner = runner
        self._open_log = open_log
        self._log: LogFile | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._redactor = Redactor(runner.secrets)
        self._unsent = ""
        self._unsent_bytes = 0
        self._progress_changed = False
        self._flush: asyncio.TimerHandle | None = None
        self.work: asyncio.Task[Result] | None = None

    @property
    def id(self) -> int:
        """The task's number."""
        return self.task.id

    @property
    def turn_id(self) -> int:
        """The turn that asked for it."""
        return self.task.turn_id

    def output(self, data: bytes | str) -> None:
        """Append output: all of it to the log, the newest part to the surfaces.

        What comes after the task has ended is dropped: its log is closed and its card is final.
        """
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if self.task.state not in ENDED:
            self._take(self._redactor.feed(raw))

    def _take(self, raw: bytes) -> None:
        if not raw:
            return
        if self._log is None:
            self._log = self._open_log(self.id)
        self._log.write(raw)
        text = self._decoder.decode(raw)
        self._unsent_bytes += len(raw)
        joined = self._unsent + text
        # A flood is cut before it is kept: only the newest tail is worth holding.
        self._unsent = clip_tail(joined) if len(joined) > 16_384 else joined
        self._schedule()

    def progress(self, fraction: float | None, label: str = "") -> None:
        """Say how far the work is: `fraction` from 0 to 1 or None, `label` one short line."""
        if self.task.state in ENDED:
            return
        if fraction is not None:
            fraction = min(1.0, max(0.0, fraction))
        self.task = self.task.model_copy(update={"progress": Progress(fraction=fraction, label=label[:200])})
        self._progress_changed = True
        self._schedule()

    def move(self, state: TaskState, **changes: Any) -> None:
        """Go to another state, with the changes that come with it, and tell everyone."""
        check_move(self.task.state, state)
        if state in ENDED:
            self._take(self._redactor.close())
        if changes.get("result") is not None:
            changes["result"] = self._runner.without_secrets(changes["result"])
        self.flush()
        now = time.time()
        if state == "running":
            changes.setdefault("started_at", now)
        if state in ENDED:
            changes.setdefault("ended_at", now)
            if self._log is not None:
                self._log.close()
                changes.update(log_path=self._log.path, log_cut_bytes=self._log.cut_bytes)
        self.task = self.task.model_copy(update={"state": state, **changes})
        self._runner.publish(self.task)

    def flush(self) -> None:
        """Send what is waiting now."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._unsent_bytes:
            text = clip_tail(self._unsent)
            total = self.task.output_bytes + self._unsent_bytes
            skipped = max(0, self._unsent_bytes - len(text.encode()))
            self.task = self.task.model_copy(
                update={
                    "tail": clip_tail(self.task.tail + text),
                    "output_bytes": total,
                    "log_path": self._log.path if self._log is not None else "",
                }
            )
            self._unsent, self._unsent_bytes = "", 0
            self._runner.sink.publish(
                TaskOutput(task_id=self.id, text=text, output_bytes=total, skipped_bytes=skipped)
            )
        if self._progress_changed:
            self._progress_changed = False
            self._runner.publish(self.task)

    def _schedule(self) -> None:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._due)

    def _due(self) -> None:
        self._flush = None
        self.flush()


class Runner:
    """Numbers tasks, runs their work, and cancels it.

    Args:
        sink: where changes are told.
        open_log: opens the log of a task by its number.
        secrets: values that no output and no result may carry: keys and tokens.
    """

    def __init__(
        self, sink: EventSink, open_log: Callable[[int], LogFile], secrets: Sequence[str] = ()
    ) -> None:
        self.sink = sink
        self.secrets = tuple(secrets)
        self._open_log = open_log
        self._handles: OrderedDict[int, TaskHandle] = OrderedDict()
        self._last_id = 0

    def create(
        self, *, turn_id: int, tool: str, arguments: dict[str, Any], title: str, origin: Origin
    ) -> TaskHandle:
        """Make a queued task and tell everyone."""
        self._last_id += 1
        task = Task(
            id=self._last_id,
            turn_id=turn_id,
            tool=tool,
            arguments=arguments,
            title=title,
            origin=origin,
            created_at=time.time(),
        )
        handle = TaskHandle(self, task, self._open_log)
        self._handles[task.id] = handle
        self._forget()
        self.publish(task)
        return handle

    async def run(self, handle: TaskHandle, work: Callable[[TaskHandle], Awaitable[Result]]) -> Task:
        """Run the work to its end and return the ended task.

        Whatever the work does, the task ends in a state with its reason. Cancelling this coroutine
        cancels the work and is passed on once the work has stopped. A task that was cancelled before
        it ran does not run.
        """
        if handle.task.state in ENDED:
            return handle.task
        handle.work = asyncio.ensure_future(_awaited(work, handle))
        # A callback, not code after the wait: the task must end in a state even if we are cancelled
        # twice. It is added first, so it has run when the wait below returns.
        handle.work.add_done_callback(lambda work: self._end(handle, work))
        try:
            await asyncio.wait({handle.work})
        except asyncio.CancelledError:
            handle.work.cancel()
            await asyncio.wait({handle.work})
            raise
        return handle.task

    def cancel(self, task_id: int) -> bool:
        """Cancel a task that has not ended; returns whether there was one."""
        handle = self._handles.get(task_id)
        if handle is None or handle.task.state in ENDED:
            return False
        if handle.work is not None:
            handle.work.cancel()
        else:
            self._cancelled(handle)
        return True

    def publish(self, task: Task) -> None:
        """Tell everyone about the task as it is now."""
        self.sink.publish(TaskChanged(task=task))

    def task(self, task_id: int) -> Task | None:
        """Return the task with that number, if it is still remembered."""
        handle = self._handles.get(task_id)
        return handle.task if handle else None

    def tasks(self) -> list[Task]:
        """Return the remembered tasks, oldest first."""
        return [handle.task for handle in self._handles.values()]

    def open_tasks(self) -> list[Task]:
        """Return the tasks that have not ended, oldest first."""
        return [task for task in self.tasks() if task.state not in ENDED]

    def without_secrets(self, result: Result) -> Result:
        """Return the result with every secret value in it hidden."""
        if not self.secrets:
            return result
        text = result.model_dump_json()
        hidden = text
        for secret in self.secrets:
            hidden = hidden.replace(json.dumps(secret, ensure_ascii=False)[1:-1], REDACTED.decode())
        return result if hidden == text else Result.model_validate_json(hidden)

    def _end(self, handle: TaskHandle, work: asyncio.Task[Result]) -> None:
        if work.cancelled():
            self._cancelled(handle)
            return
        error = work.exception()
        if error is None:
            if handle.task.state != "running":
                handle.move("running")  # work that had nothing to wait for need not say that it runs
            handle.move("succeeded", result=work.result(), progress=None)
        else:
            result = error.result if isinstance(error, TaskFailed) else None
            handle.move("failed", problem=problem_of(error), result=result)
            if not isinstance(error, TaskFailed | VoiceKernelError):
                # Where, but not its message, which may quote the user's code or data.
                frames = traceback.extract_tb(error.__traceback__)[-5:]
                where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
                log.error("task %d (%s): %s at %s", handle.id, handle.task.tool, type(error).__name__, where)
        self._forget()

    def _cancelled(self, handle: TaskHandle) -> None:
        if handle.task.state not in ENDED:
            handle.move("cancelled", problem=Problem(kind="Cancelled", message="Cancelled."))

    def _forget(self) -> None:
        for task_id in [i for i, h in self._handles.items() if h.task.state in ENDED]:
            if len(self._handles) <= MAX_TASKS:
                break
            del self._handles[task_id]
        kept = {task_id: handle.task for task_id, handle in self._handles.items()}
        let_go(kept)
        for task_id, task in kept.items():
            self._handles[task_id].task = task


async def _awaited(work: Callable[[TaskHandle], Awaitable[Result]], handle: TaskHandle) -> Result:
    return await work(handle)
