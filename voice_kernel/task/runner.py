"""Runs one piece of work as a task and tells every change of it.

The runner owns the task's record: its state, times, progress, tail of output and log. It does not know
tools, policy or surfaces: work is a coroutine, changes go to an `EventSink`, output to a `LogFile`.
Everything here belongs to the loop thread.

Whatever happens, a task ends in exactly one final state, with its reason: work that raises, that is
cancelled before it began, that is deaf to cancellation, that exits the process's way, and a session that
ends under it.
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
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, Literal, Protocol, TypeVar

from voice_kernel.errors import VoiceKernelError
from voice_kernel.events import MAX_TAIL_CHARS, MAX_TASKS, EventSink, clip_tail, let_go
from voice_kernel.language import N_, _
from voice_kernel.messages import (
    ClientCall,
    Origin,
    Problem,
    Progress,
    Result,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    TaskState,
    ToSurface,
    Wire,
)
from voice_kernel.task.bounds import bounded, bounded_problem
from voice_kernel.task.logs import REDACTED, Redactor
from voice_kernel.task.state import ENDED, check_move

log = logging.getLogger(__name__)

FLUSH_S = 0.1
"""Output and progress reach the surfaces at most every 100 ms: past about 1,000 messages or 1 MB a
second the Jupyter server drops messages silently. Source: measured, FACTS on throughput."""
STOP_LIMIT_S = 5.0
"""How long work that was cancelled may take to stop. Past that its task ends without it."""
MAX_UNSENT_BYTES = 2 * MAX_TAIL_CHARS
"""Output kept for the next beat; what is more is only in the log."""

CANCELLED = Problem(kind="Cancelled", message=N_("Cancelled."))
INTERRUPTED = Problem(
    kind="Interrupted",
    message=N_("The kernel ended while it ran."),
    hint=N_("Retry runs it again."),
    retryable=True,
)
"""Of a task whose owner ended before it did."""
NEVER_RAN = Problem(
    kind="Interrupted",
    message=N_("The kernel ended before it was approved: it did not run."),
    hint=N_("If no card asks for it again, Retry does."),
    retryable=True,
)
"""Of a task that still waited for a person then."""

Ending = Literal["failed", "cancelled", "interrupted"]
W = TypeVar("W", bound=Wire)


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


class TaskInterrupted(TaskFailed):
    """The work was cut off: the place where it ran is gone. It may be run again."""


def in_words(problem: Problem) -> Problem:
    """Return a problem in the session's language, if it is one of those above."""
    if problem.kind not in (CANCELLED.kind, INTERRUPTED.kind):
        return problem  # it was worded where it was found, or is one of the user's code
    return problem.model_copy(update={"message": _(problem.message), "hint": _(problem.hint)})


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
            message=_("The working folder does not exist any more."),
            hint=_("Change to one that does, e.g. %cd ~"),
        )
    return Problem(
        kind=type(error).__name__,
        message=_("Something went wrong inside voice_kernel ({name}).").format(name=type(error).__name__),
        hint=_("Please report it with what you asked for; nothing else was changed."),
    )


def _has_working_folder() -> bool:
    try:
        os.getcwd()
    except OSError:
        return False
    return True


class TaskHandle:
    """What the work holds of its own task: where output and progress go, and how long it may take."""

    def __init__(self, runner: Runner, task: Task, open_log: Callable[[int], LogFile]) -> None:
        self.task = task
        self.origin: Origin = task.origin
        self.untrusted = ""
        """What brought text of strangers into the turn that asked for it; empty when nothing did."""
        self.going_on: Callable[[], dict[str, Any]] | None = None
        """Says what is needed to go on after a restart, should a call of its own wait for a person then."""
        self.limit_s: float | None = None
        """How long it may run in all; None without a limit."""
        self.work: asyncio.Task[Result] | None = None
        self.stopping: tuple[Ending, Problem] | None = None
        """What it is to end as, once somebody has asked it to."""
        self.ended = asyncio.Event()
        self._runner = runner
        self._open_log = open_log
        self._log: LogFile | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._redactor = Redactor(runner.secrets)
        self._unsent = bytearray()
        self._unsent_bytes = 0
        self._read_progress: Callable[[str], Progress | None] | None = None
        self._progress_changed = False
        self._flush: asyncio.TimerHandle | None = None
        self._limit: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._callbacks: list[Callable[[], None]] = []

    @property
    def id(self) -> int:
        """The task's number."""
        return self.task.id

    @property
    def turn_id(self) -> int:
        """The turn that asked for it."""
        return self.task.turn_id

    @property
    def time_left_s(self) -> float | None:
        """Seconds until its time limit; None without one."""
        if self.limit_s is None:
            return None
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    # ---- for the work -----------------------------------------------------------------------------

    def output(self, data: bytes | str) -> None:
        """Append output: all of it to the log, the newest part to the surfaces.

        What comes after the task has ended is dropped: its log is closed and its card is final.
        """
        raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
        if self.task.state not in ENDED:
            self._take(self._redactor.feed(raw))

    def progress(
        self,
        fraction: float | None,
        label: str = "",
        *,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
    ) -> None:
        """Say how far the work is.

        Args:
            fraction: from 0 to 1; None when it is not known, and no `total` says it.
            label: one short line.
            done: how many of what is counted.
            total: how many there are.
            unit: what is counted, e.g. `tests`.
        """
        if fraction is None and done is not None and total:
            fraction = done / total
        if fraction is not None:
            fraction = min(1.0, max(0.0, fraction))
        self._set_progress(
            Progress(fraction=fraction, label=label[:200], done=done, total=total, unit=unit[:40])
        )

    def progress_from(self, read: Callable[[str], Progress | None]) -> None:
        """Have progress read from the output: `read` is given what is new, at every beat that has some."""
        self._read_progress = read

    # ---- for those who run it ---------------------------------------------------------------------

    def move(self, state: TaskState, **changes: Any) -> None:
        """Go to another state, with the changes that come with it, and tell everyone."""
        check_move(self.task.state, state)
        if changes.get("result") is not None:
            changes["result"] = self._runner.without_secrets(bounded(changes["result"]))
        if changes.get("problem") is not None:
            changes["problem"] = self._runner.without_secrets(bounded_problem(in_words(changes["problem"])))
        if state in ENDED:
            self._take(self._redactor.close())
        self.flush()
        now = time.time()
        if state == "running":
            changes.setdefault("started_at", now)
        if state != "queued":
            changes.setdefault("queue_position", None)
        if state != "awaiting_approval":
            changes.setdefault("approval_id", None)
        if state in ENDED:
            changes.setdefault("ended_at", now)
            changes["client_call"] = None
            if self._log is not None:
                self._log.close()
                changes.update(log_path=self._log.path, log_cut_bytes=self._log.cut_bytes)
        self.task = self.task.model_copy(update={"state": state, **changes})
        self._runner.publish(self.task)
        if state in ENDED:
            self._has_ended()

    def waits_for(self, approval_id: int) -> None:
        """Note the card that it waits for, and tell everyone."""
        self.task = self.task.model_copy(update={"approval_id": approval_id})
        self._runner.publish(self.task)

    def asks_client(self, call: ClientCall | None) -> None:
        """Note what it waits for the page to do, or that it waits no longer, and tell everyone."""
        if self.task.state not in ENDED:
            self.task = self.task.model_copy(update={"client_call": call})
            self._runner.publish(self.task)

    def queued(self) -> None:
        """Note that it has to wait in a queue, after it has waited for a person."""
        if self.task.state != "queued":
            self.move("queued")

    def placed(self, position: int | None) -> None:
        """Note its place in a queue, from 1; None when it no longer waits. Tells nobody."""
        if self.task.queue_position != position:
            self.task = self.task.model_copy(update={"queue_position": position})

    def end_after(self, limit_s: float, problem: Problem, *, grace_s: float = 0.0) -> None:
        """End it as failed, with this problem, unless it has ended by then.

        Args:
            limit_s: seconds from now.
            problem: the reason to tell.
            grace_s: how much longer work may take that ends itself in time, and has something to show.
        """
        loop = asyncio.get_running_loop()
        self.limit_s = limit_s
        self._deadline = loop.time() + limit_s
        self._limit = loop.call_later(limit_s + grace_s, self._runner.stop, self, "failed", problem)

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Have a callback called once the task has ended, at once if it has."""
        if self.task.state in ENDED:
            callback()
        else:
            self._callbacks.append(callback)

    def flush(self) -> None:
        """Send what is waiting now."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._unsent_bytes:
            self._send_output()
        if self._progress_changed:
            self._progress_changed = False
            self._runner.tell(TaskProgress(task_id=self.id, progress=self.task.progress))

    def end_bare(self, state: TaskState, problem: Problem) -> None:
        """End it without a result, after `move` has failed to: nothing here can go wrong."""
        self.task = self.task.model_copy(
            update={
                "state": state, "problem": problem, "ended_at": time.time(), "queue_position": None,
                "approval_id": None, "client_call": None,
            }
        )  # fmt: skip
        self._runner.publish(self.task)
        self._has_ended()

    def give_up_after(self, seconds: float) -> None:
        """Wait so long for work that was asked to stop."""
        if self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(seconds, self._runner.give_up, self)

    # ---- inside -----------------------------------------------------------------------------------

    def _take(self, raw: bytes) -> None:
        if not raw:
            return
        if self._log is None:
            self._log = self._open_log(self.id)
        self._log.write(raw)
        self._unsent_bytes += len(raw)
        self._unsent += raw[-MAX_UNSENT_BYTES:]
        if len(self._unsent) > 2 * MAX_UNSENT_BYTES:
            # A flood is cut before it is kept, and decoded only then: just the newest is worth it.
            del self._unsent[:-MAX_UNSENT_BYTES]
        self._schedule()

    def _send_output(self) -> None:
        data, whole = bytes(self._unsent), len(self._unsent) == self._unsent_bytes
        if not whole:
            self._decoder.reset()  # what it holds of a character has its other half in what was cut
            start = next((at for at, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
            data = data[start:]
        fresh = self._decoder.decode(data)
        text = clip_tail(fresh)
        total = self.task.output_bytes + self._unsent_bytes
        skipped = max(0, self._unsent_bytes - len(text.encode()))
        self.task = self.task.model_copy(
            update={
                "tail": clip_tail(self.task.tail + text),
                "output_bytes": total,
                "log_path": self._log.path if self._log is not None else "",
            }
        )
        self._unsent.clear()
        self._unsent_bytes = 0
        self._runner.tell(TaskOutput(task_id=self.id, text=text, output_bytes=total, skipped_bytes=skipped))
        if self._read_progress is not None:
            progress = self._read_progress(fresh)
            if progress is not None:
                self._set_progress(progress)

    def _set_progress(self, progress: Progress) -> None:
        if self.task.state in ENDED or progress == self.task.progress:
            return
        self.task = self.task.model_copy(update={"progress": self._runner.without_secrets(progress)})
        self._progress_changed = True
        self._schedule()

    def _has_ended(self) -> None:
        for timer in (self._flush, self._limit, self._patience):
            if timer is not None:
                timer.cancel()
        self._flush = self._limit = self._patience = None
        self.ended.set()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 - a listener's fault is not the task's
                _log_fault(self.task, error)

    def _schedule(self) -> None:
        if self._flush is None and self.task.state not in ENDED:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._due)

    def _due(self) -> None:
        self._flush = None
        had_log = bool(self.task.log_path)
        self.flush()
        if self.task.log_path and not had_log:
            self._runner.publish(self.task)  # should the kernel be killed, its output is in the log


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
        self._closed = False
        self._deaf: set[asyncio.Task[Result]] = set()
        """Work that outlived its task: held, or it would be collected while it runs."""

    def create(
        self,
        *,
        turn_id: int,
        tool: str,
        arguments: dict[str, Any],
        title: str,
        origin: Origin,
        area: str = "",
    ) -> TaskHandle:
        """Make a queued task and tell everyone."""
        self._last_id += 1
        task = Task(
            id=self._last_id,
            turn_id=turn_id,
            tool=tool,
            arguments=arguments,
            area=area,
            title=title,
            origin=origin,
            created_at=time.time(),
        )
        handle = TaskHandle(self, task, self._open_log)
        self._handles[task.id] = handle
        self._forget()
        self.publish(task)
        return handle

    def restore(self, tasks: Iterable[Task]) -> None:
        """Remember tasks of an earlier kernel, all of them ended, and count on from their numbers.

        Tells nobody. A task whose number is in use here is left out.
        """
        for task in tasks:
            if task.state in ENDED and task.id not in self._handles:
                self._handles[task.id] = TaskHandle(self, task, self._open_log)
                self._last_id = max(self._last_id, task.id)
        self._handles = OrderedDict(sorted(self._handles.items()))
        self._forget()

    def recall(self, tasks: Iterable[Task], last_id: int, turn_ids: Collection[int] = ()) -> None:
        """Remember the tasks of another conversation instead of those that have ended in this one.

        Args:
            tasks: as for `restore`.
            last_id: new tasks get higher numbers.
            turn_ids: turns whose tasks stay remembered, ended or not.
        """
        for handle in list(self._handles.values()):
            if handle.task.state in ENDED and handle.turn_id not in turn_ids:
                del self._handles[handle.id]
        self._last_id = max(self._last_id, last_id)
        self.restore(tasks)

    async def run(self, handle: TaskHandle, work: Callable[[TaskHandle], Awaitable[Result]]) -> Task:
        """Run the work to its end and return the ended task.

        Whatever the work does, the task ends in a state with its reason. Cancelling this coroutine
        cancels the work and is passed on once the task has ended. A task that was cancelled before it
        ran does not run.
        """
        if self._closed:
            self.stop(handle, "interrupted", INTERRUPTED)
        if handle.task.state in ENDED:
            return handle.task
        handle.work = asyncio.ensure_future(_awaited(work, handle))
        # A callback, not code after the wait: the task must end in a state even if we are cancelled twice.
        handle.work.add_done_callback(lambda work: self._end(handle, work))
        try:
            await handle.ended.wait()
        except asyncio.CancelledError:
            self.stop(handle, "cancelled", CANCELLED)
            await handle.ended.wait()
            raise
        return handle.task

    def cancel(self, task_id: int) -> bool:
        """Cancel a task that has not ended; returns whether there was one."""
        handle = self._handles.get(task_id)
        if handle is None or handle.task.state in ENDED:
            return False
        self.stop(handle, "cancelled", CANCELLED)
        return True

    def stop(self, handle: TaskHandle, ending: Ending, problem: Problem) -> None:
        """Ask a task to end, as this and for this reason; the first one asked for stays.

        Work that has not stopped after `STOP_LIMIT_S` is left to itself, and the task ends without it.
        """
        if handle.task.state in ENDED:
            return
        handle.stopping = handle.stopping or (ending, problem)
        if handle.work is None:
            self._conclude(handle, *handle.stopping)
        else:
            handle.give_up_after(STOP_LIMIT_S)
            handle.work.cancel()

    def give_up(self, handle: TaskHandle) -> None:
        """End a task that was asked to stop, and has not."""
        if handle.task.state in ENDED or handle.stopping is None:
            return
        ending, problem = handle.stopping
        if handle.work is not None and not handle.work.done():
            self._deaf.add(handle.work)
            handle.work.add_done_callback(self._deaf.discard)
            problem = problem.model_copy(
                update={
                    "message": _("{message}, but it did not stop: it may still run.").format(
                        message=_(problem.message).rstrip(".")
                    ),
                    "hint": _("Restarting the kernel ends it for certain."),
                }
            )
        self._conclude(handle, ending, problem)

    async def ended(self, task_id: int) -> Task | None:
        """Wait until a task has ended, and return it; None when it is not known."""
        handle = self._handles.get(task_id)
        if handle is None:
            return None
        if handle.task.state not in ENDED:
            await handle.ended.wait()
        return handle.task

    async def close(self, limit_s: float = STOP_LIMIT_S) -> None:
        """End every open task as interrupted, `limit_s` at most; whatever comes later is ended at once."""
        self._closed = True
        open_handles = [handle for handle in self._handles.values() if handle.task.state not in ENDED]
        for handle in open_handles:
            waited = handle.task.state == "awaiting_approval"
            self.stop(handle, "interrupted", NEVER_RAN if waited else INTERRUPTED)
        ends = [asyncio.ensure_future(handle.ended.wait()) for handle in open_handles]
        try:
            if ends:
                await asyncio.wait(ends, timeout=limit_s)
        finally:
            for end in ends:
                end.cancel()
            for handle in open_handles:
                self.give_up(handle)

    def publish(self, task: Task) -> None:
        """Tell everyone about the task as it is now."""
        self.tell(TaskChanged(task=task))

    def tell(self, message: ToSurface) -> None:
        """Tell everyone. A listener's fault never reaches the task: it has an end to come to."""
        try:
            self.sink.publish(message)
        except Exception as error:  # noqa: BLE001 - see above
            log.error("a %s message could not be told: %s", message.type, type(error).__name__)

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

    def without_secrets(self, shown: W) -> W:
        """Return what is to be shown with every secret value in it hidden."""
        if not self.secrets:
            return shown
        text = shown.model_dump_json()
        hidden = text
        for secret in self.secrets:
            hidden = hidden.replace(json.dumps(secret, ensure_ascii=False)[1:-1], REDACTED.decode())
        return shown if hidden == text else type(shown).model_validate_json(hidden)

    def _end(self, handle: TaskHandle, work: asyncio.Task[Result]) -> None:
        error = None if work.cancelled() else work.exception()
        if handle.task.state in ENDED:
            return  # given up before
        if work.cancelled():
            nobody_asked: tuple[Ending, Problem] = ("cancelled", CANCELLED)
            self._conclude(handle, *(handle.stopping or nobody_asked))
            return
        if error is None:
            if handle.task.state != "running":
                handle.move("running")  # work that had nothing to wait for need not say that it runs
            self._conclude(handle, "succeeded", result=work.result(), progress=None)
            return
        result = error.result if isinstance(error, TaskFailed) else None
        ending: Ending = "interrupted" if isinstance(error, TaskInterrupted) else "failed"
        self._conclude(handle, ending, problem_of(error), result=result)
        if not isinstance(error, TaskFailed | VoiceKernelError):
            _log_fault(handle.task, error)

    def _conclude(
        self, handle: TaskHandle, state: TaskState, problem: Problem | None = None, **changes: Any
    ) -> None:
        try:
            handle.move(state, problem=problem, **changes)
        except Exception as error:  # noqa: BLE001 - a result that cannot be kept, a log that raises: it ends
            _log_fault(handle.task, error)
            if handle.task.state not in ENDED:
                ended = "failed" if state == "succeeded" else state
                handle.end_bare(ended, problem or problem_of(error))
        self._forget()

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
    try:
        result = await work(handle)
    except (SystemExit, KeyboardInterrupt) as error:  # else the loop ends with it, and every other task
        name = type(error).__name__
        raise TaskFailed(
            Problem(kind=name, message=_("It ended itself with {name}.").format(name=name))
        ) from None
    if not isinstance(result, Result):
        raise TypeError(f"work returned {type(result).__name__}, not Result")
    return result


def _log_fault(task: Task, error: BaseException) -> None:
    # Where, but not its message, which may quote the user's code or data.
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    log.error("task %d (%s): %s at %s", task.id, task.tool, type(error).__name__, where)
