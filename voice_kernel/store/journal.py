"""Takes down what happens in a session, and has one thread write it.

The loop thread tells it every message (`publish`); it picks out transitions, numbers them, and keeps of
each entity the newest version. The thread writes all that in batches. While that is not possible,
everything stays in memory up to a cap, and is written as soon as it is possible again. Knows no
database: that is the `Ledger`'s.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Container
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from voice_kernel.events import OPEN_TASKS, OPEN_TURNS, clip_tail
from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    Problem,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    Thread,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.store.faults import Fault, Patience
from voice_kernel.store.numbering import Numbering

log = logging.getLogger(__name__)

MAX_EVENTS = 50_000
MAX_CHARS = 64 * 1024**2
"""What is kept in memory while it cannot be written: events, and the size of entities together."""
MAX_BATCH = 2_000
MAX_KNOWN = 2_000
"""Ended turns and tasks whose state is still remembered, so that a second telling is no event."""
MAX_TITLE_CHARS = 80
STOP_LIMIT_S = 3.0
MAX_DOUBTS = 3
TIDY_AGAIN_S = 600.0
NEVER = float("inf")

INTERRUPTED = Problem(
    kind="Interrupted",
    message="The kernel ended while it ran.",
    hint="Retry runs it again.",
    retryable=True,
)

Answer = TypeVar("Answer")


class Happening(NamedTuple):
    """One event, as it happened."""

    seq: int
    at: float
    kind: str
    turn: int | None = None
    task: int | None = None
    thread_id: str = ""
    problem: Problem | None = None
    gap: tuple[int, int] | None = None
    """The first and last number of events that were dropped; this event's is the last."""


@dataclass
class Batch:
    """What is to be written; of each entity its newest version.

    Attributes:
        events: in order.
        threads: conversations that have something new, by id.
        turns: with the id of their conversation, by number.
        tasks: with the id of their conversation and the words of their turn, by number.
        approvals: with the id of their conversation, by number.
        chars: about how large turns and tasks are together.
    """

    events: deque[Happening] = field(default_factory=deque)
    threads: dict[str, Thread] = field(default_factory=dict)
    turns: OrderedDict[int, tuple[Turn, str]] = field(default_factory=OrderedDict)
    tasks: OrderedDict[int, tuple[Task, str, str]] = field(default_factory=OrderedDict)
    approvals: OrderedDict[int, tuple[Approval, str]] = field(default_factory=OrderedDict)
    chars: int = 0

    def __bool__(self) -> bool:
        return bool(self.events or self.threads or self.turns or self.tasks or self.approvals)

    def put_turn(self, turn: Turn, thread_id: str) -> None:
        """Take the newest version of a turn."""
        old = self.turns.pop(turn.id, None)
        self.turns[turn.id] = (turn, thread_id)
        self.chars += _turn_chars(turn) - (_turn_chars(old[0]) if old else 0)

    def put_task(self, task: Task, thread_id: str, utterance: str) -> None:
        """Take the newest version of a task."""
        old = self.tasks.pop(task.id, None)
        self.tasks[task.id] = (task, thread_id, utterance)
        self.chars += _task_chars(task) - (_task_chars(old[0]) if old else 0)

    def take(self, limit: int = MAX_BATCH) -> Batch:
        """Take out what is written next; an entity is never written after its events."""
        part = Batch(threads=self.threads, approvals=self.approvals)
        self.threads, self.approvals = {}, OrderedDict()
        while self.turns and len(part.turns) < limit:
            number, turn = self.turns.popitem(last=False)
            part.turns[number] = turn
        while self.tasks and len(part.tasks) < limit:
            number, task = self.tasks.popitem(last=False)
            part.tasks[number] = task
        while self.events and len(part.events) < limit and not (self.turns or self.tasks):
            part.events.append(self.events.popleft())
        return part

    def put_back(self, older: Batch) -> None:
        """Take in again what could not be written; newer versions win."""
        self.events.extendleft(reversed(older.events))
        self.threads = older.threads | self.threads
        self.turns = OrderedDict({**older.turns, **self.turns})
        self.tasks = OrderedDict({**older.tasks, **self.tasks})
        self.approvals = OrderedDict({**older.approvals, **self.approvals})
        self.chars = sum(_turn_chars(turn) for turn, _ in self.turns.values())
        self.chars += sum(_task_chars(task) for task, _, _ in self.tasks.values())

    def drop_thread(self, thread_id: str) -> None:
        """Forget what belongs to a conversation; that something happened stays."""
        self.threads.pop(thread_id, None)
        self.turns = OrderedDict((n, kept) for n, kept in self.turns.items() if kept[1] != thread_id)
        self.tasks = OrderedDict((n, kept) for n, kept in self.tasks.items() if kept[1] != thread_id)
        self.approvals = OrderedDict((n, kept) for n, kept in self.approvals.items() if kept[1] != thread_id)
        self.events = deque(
            event._replace(problem=None, thread_id="") if event.thread_id == thread_id else event
            for event in self.events
        )

    def stay_below(self, max_events: int, max_chars: int) -> None:
        """Drop what is oldest; a gap in the events says so in their place."""
        while len(self.events) > max_events:
            first, second = self.events.popleft(), self.events.popleft()
            begin, end = (first.gap or (first.seq,))[0], second.seq
            self.events.appendleft(Happening(end, second.at, "gap", gap=(begin, end)))
        while self.chars > max_chars and len(self.tasks) + len(self.turns) > 1:
            if self.tasks:
                _, (task, _, _) = self.tasks.popitem(last=False)
                self.chars -= _task_chars(task)
            else:
                _, (turn, _) = self.turns.popitem(last=False)
                self.chars -= _turn_chars(turn)


class Ledger(Protocol):
    """Where batches are written. All its methods belong to the journal's thread, and raise `Fault`."""

    beats: bool
    """Whether others learn only by heartbeats that the session lives."""

    def write(self, batch: Batch) -> None:
        """Write everything or nothing; writing the same again changes nothing."""
        ...

    def beat(self) -> None:
        """Say that the session lives."""
        ...

    def tidy(self) -> float:
        """Do a little of what nobody waits for; returns the seconds until it wants to do more."""
        ...

    def end(self) -> None:
        """Write that the session is over."""
        ...

    def close(self) -> None:
        """Let the database go; never raises."""
        ...


class _Known(NamedTuple):
    state: str
    thread_id: str
    text: str = ""


class Journal:
    """The account of one session.

    Args:
        thread: the conversation that is open.
        connect: opens the database; called on the journal's thread, and again where it has to be opened
            anew. Told how often damage was met in it, one time after the other.
        numbering: told which numbers the session gives.
        on_fault: told, on the journal's thread, that nothing is being written from now on and why; None
            says that all is being written again.
        on_thread: told, in `publish`, that the open conversation was said something in or got its title.
        patience: how long to wait.

    Attributes:
        thread: the conversation that is open.
        began: whether something was taken down.
    """

    def __init__(
        self,
        thread: Thread,
        connect: Callable[[int], Ledger],
        numbering: Numbering,
        *,
        on_fault: Callable[[Fault | None], None],
        on_thread: Callable[[Thread], None] = lambda thread: None,
        patience: Patience | None = None,
    ) -> None:
        self.thread = thread
        self.began = False
        self._connect = connect
        self._numbering = numbering
        self._on_fault = on_fault
        self._on_thread = on_thread
        self._patience = patience or Patience()
        # Of the loop thread alone:
        self._seq = 0
        self._turns: OrderedDict[int, _Known] = OrderedDict()
        self._tasks: OrderedDict[int, _Known] = OrderedDict()
        self._approvals: OrderedDict[int, str] = OrderedDict()
        self._open: dict[int, Task] = {}
        self._open_turns: dict[int, Turn] = {}
        self._titled: set[str] = set()
        self._gone: set[str] = set()
        # Of both, under the lock, which is never held while something is waited for:
        self._wake = threading.Condition()
        self._batch = Batch()
        self._due_at = NEVER
        self._jobs: deque[tuple[Callable[[Any], Any], Future[Any]]] = deque()
        self._flushes: list[Future[bool]] = []
        self._closing = False
        self._doubted = False
        self._fault: Fault | None = None
        self._told = False
        self._worker: threading.Thread | None = None
        # Of the journal's thread alone:
        self._ledger: Ledger | None = None
        self._doubts = 0
        self._try_at = 0.0
        self._wait_s = self._patience.retry_s
        self._beat_at = NEVER
        self._tidy_at = NEVER

    # ---- the loop thread ---------------------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The number of the last event."""
        return self._seq

    @property
    def fault(self) -> Fault | None:
        """Why nothing is being written now; None when it is, or when nothing was tried yet."""
        return self._fault

    def start(self) -> None:
        """Begin to write."""
        if self._worker is None:
            # A daemon: whatever a disk or a server does, it does not keep the process from ending.
            self._worker = threading.Thread(target=self._run, name="voice-history", daemon=True)
            self._worker.start()

    def publish(self, message: ToSurface) -> None:
        """Take down a message, if it is a transition of something that is kept. Never blocks."""
        if isinstance(message, TaskChanged):
            self._task(message.task)
        elif isinstance(message, TurnChanged):
            self._turn(message.turn)
        elif isinstance(message, TaskOutput):
            self._output(message)
        elif isinstance(message, TaskProgress):
            task = self._open.get(message.task_id)
            if task is not None:
                self._task(task.model_copy(update={"progress": message.progress}))
        elif isinstance(message, ApprovalChanged):
            self._approval(message.approval)

    def enter(self, thread: Thread, *, titled: bool = False) -> None:
        """Let what begins from now on belong to another conversation."""
        self.thread = thread
        self._gone.discard(thread.id)
        if titled or thread.title:
            self._titled.add(thread.id)

    def retitle(self, title: str) -> None:
        """Give the open conversation a title that no utterance replaces."""
        self.thread = self.thread.model_copy(update={"title": title})
        self._titled.add(self.thread.id)
        with self._wake:
            if self.thread.id in self._batch.threads:
                self._batch.threads[self.thread.id] = self.thread

    def drop_thread(self, thread_id: str) -> list[str]:
        """Take down nothing more of a conversation, and forget what of it is not written yet.

        Returns:
            The paths of logs that only what is forgotten tells of.
        """
        self._gone.add(thread_id)
        with self._wake:
            forgotten = [task for task, home, _ in self._batch.tasks.values() if home == thread_id]
            self._batch.drop_thread(thread_id)
        return [task.log_path for task in forgotten if task.log_path]

    def keep_thread(self, thread_id: str) -> None:
        """Take a conversation down again after all."""
        self._gone.discard(thread_id)

    def interrupt(self) -> None:
        """Take down that what is still open ended with the session."""
        now = time.time()
        for task in list(self._open.values()):
            self._task(interrupted(task, now))
        for turn in list(self._open_turns.values()):
            change = {"state": "failed", "problem": INTERRUPTED, "ended_at": now, "partial": False}
            self._turn(turn.model_copy(update=change))

    def submit(self, work: Callable[[Any], Answer]) -> Future[Answer]:
        """Have the journal's thread do something with the ledger, after all that was taken down so far.

        The future raises `Fault` where the database cannot be used now.
        """
        future: Future[Answer] = Future()
        with self._wake:
            if self._closing:
                future.set_exception(Fault("unreachable", "The history is closed.", hint=""))
            else:
                self._jobs.append((work, future))
                self._wake.notify()
        return future

    def flush(self) -> Future[bool]:
        """Have everything so far written at once; the future says whether it was."""
        future: Future[bool] = Future()
        with self._wake:
            if self._closing or self._worker is None:
                future.set_result(False)
            else:
                self._flushes.append(future)
                self._wake.notify()
        return future

    def doubt(self) -> None:
        """Have the database looked through: somebody who read it met damage."""
        with self._wake:
            self._doubted = True
            self._write_in(0.0)

    def stop(self) -> Callable[[], None]:
        """Write what is left and stop; returns a function that waits for that, for a bounded time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        worker = self._worker
        return lambda: worker.join(STOP_LIMIT_S) if worker is not None else None

    # ---- picking out -------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        if task.earlier:
            return
        turn = self._turns.get(task.turn_id)
        known = self._tasks.get(task.id)
        thread_id = known.thread_id if known else turn.thread_id if turn else self.thread.id
        utterance = known.text if known else turn.text if turn else ""
        self._numbering.tasks.add(task.id)
        self._tasks[task.id] = _Known(task.state, thread_id, utterance)
        before = self._open.get(task.id)
        if task.state in OPEN_TASKS:
            self._open[task.id] = task
        else:
            self._open.pop(task.id, None)
            self._tasks.move_to_end(task.id)
            _shrink(self._tasks, self._open)
        changed = known is None or known.state != task.state
        if thread_id in self._gone:
            if changed:
                self._happen(f"task.{task.state}", turn=task.turn_id, task=task.id)
            return
        with self._wake:
            self._batch.put_task(task, thread_id, utterance)
            # Where its log is, is worth knowing early: the output of a killed kernel is read from there.
            has_log = before is not None and task.log_path != before.log_path
            self._write_in(self._patience.gather_s if has_log else self._patience.lazy_s)
        if changed:
            self._happen(f"task.{task.state}", task.turn_id, task.id, thread_id, task.problem)

    def _output(self, message: TaskOutput) -> None:
        """Keep the newest output of what runs: should the kernel be killed, it is what there is to show."""
        task = self._open.get(message.task_id)
        if task is not None:
            tail = clip_tail(task.tail + message.text)
            self._task(task.model_copy(update={"tail": tail, "output_bytes": message.output_bytes}))

    def _turn(self, turn: Turn) -> None:
        known = self._turns.get(turn.id)
        thread_id = known.thread_id if known else self.thread.id
        self._numbering.turns.add(turn.id)
        self._turns[turn.id] = _Known(turn.state, thread_id, turn.text)
        if turn.state in OPEN_TURNS:
            self._open_turns[turn.id] = turn
        else:
            self._open_turns.pop(turn.id, None)
            self._turns.move_to_end(turn.id)
            _shrink(self._turns, self._open_turns)
        changed = known is None or known.state != turn.state
        if thread_id in self._gone:
            thread_id = ""
        elif is_worth_keeping(turn) and not turn.partial:
            self._touch(thread_id, turn)
            with self._wake:
                self._batch.put_turn(turn, thread_id)
                self._write_in(self._patience.lazy_s)
        if changed:
            self._happen(f"turn.{turn.state}", turn.id, None, thread_id, turn.problem)

    def _approval(self, approval: Approval) -> None:
        changed = self._approvals.get(approval.id) != approval.state
        self._approvals[approval.id] = approval.state
        _shrink(self._approvals, ())
        if not changed:
            return  # only when it was shown
        known = self._tasks.get(approval.task_id)
        thread_id = known.thread_id if known else self.thread.id
        if thread_id in self._gone:
            thread_id = ""
        else:
            with self._wake:
                self._batch.approvals[approval.id] = (approval, thread_id)
        self._happen(f"approval.{approval.state}", None, approval.task_id, thread_id)

    def _touch(self, thread_id: str, turn: Turn) -> None:
        """Let a conversation be the one used last, with a title from what was said first."""
        if thread_id != self.thread.id:
            return
        change: dict[str, Any] = {"updated_at": max(turn.created_at, self.thread.updated_at)}
        if thread_id not in self._titled and turn.text.strip():
            self._titled.add(thread_id)
            change["title"] = turn.text.strip().splitlines()[0][:MAX_TITLE_CHARS]
        self.thread = self.thread.model_copy(update=change)
        with self._wake:
            self._batch.threads[thread_id] = self.thread
        if "title" in change:
            self._on_thread(self.thread)

    def _happen(
        self,
        kind: str,
        turn: int | None = None,
        task: int | None = None,
        thread_id: str = "",
        problem: Problem | None = None,
    ) -> None:
        self.began = True
        with self._wake:
            self._seq += 1
            self._batch.events.append(Happening(self._seq, time.time(), kind, turn, task, thread_id, problem))
            self._batch.stay_below(MAX_EVENTS, MAX_CHARS)
            self._write_in(self._patience.gather_s)

    def _write_in(self, delay_s: float) -> None:
        due_at = time.monotonic() + delay_s
        if due_at < self._due_at:
            self._due_at = due_at
            self._wake.notify()

    # ---- the journal's thread ----------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wait()
                closing, jobs, flushes = self._closing, list(self._jobs), list(self._flushes)
                self._jobs.clear()
                self._flushes.clear()
                batch, self._batch, self._due_at = self._batch, Batch(), NEVER
            fault = self._fault
            # While it is no use, nobody is kept waiting for yet another attempt.
            if fault is None or closing or (not fault.lasting and time.monotonic() >= self._try_at):
                fault = self._attempt(batch)
            self._keep_unwritten(batch, fault)
            self._tell(fault)
            for flush in flushes:
                flush.set_result(fault is None)
            for work, future in jobs:
                self._do(work, future)
            if closing:
                self._finish()
                return

    def _wait(self) -> None:
        """Return when there is something to do; the lock is held, and let go while waiting."""
        while not (self._closing or self._jobs or self._flushes):
            if self._fault is None:
                due_at = min(self._due_at, self._beat_at, self._tidy_at)
            else:
                due_at = NEVER if self._fault.lasting else self._try_at
            left_s = due_at - time.monotonic()
            if left_s <= 0:
                return
            self._wake.wait(None if due_at == NEVER else left_s)

    def _attempt(self, batch: Batch) -> Fault | None:
        """Write a batch and do what else is due; what could not be written is left in it."""

        def write() -> None:
            self._write(batch)
            self._look_after()

        fault = self._guarded(write)
        for _ in range(MAX_DOUBTS):
            if fault is None or fault.kind not in ("corrupt", "moved"):
                break
            # There is another file by now, or connecting makes one.
            self._doubts += fault.kind == "corrupt"
            self._let_go()
            fault = self._guarded(write)
        if fault is None:
            self._wait_s, self._doubts = self._patience.retry_s, 0
        else:
            self._try_at = time.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, self._patience.most_retry_s)
        return fault

    def _write(self, batch: Batch) -> None:
        if self._doubted:
            self._doubted = False
            self._doubts += 1
            self._let_go()
        if self._ledger is None:
            self._ledger = self._connect(self._doubts)
            self._beat_at = self._tidy_at = 0.0
        while batch:
            part = batch.take()
            try:
                self._ledger.write(part)
            except BaseException:
                batch.put_back(part)
                raise

    def _look_after(self) -> None:
        ledger, now = self._ledger, time.monotonic()
        if ledger is None or self._closing:
            return
        if now >= self._beat_at:
            self._beat_at = now + self._patience.beat_s if ledger.beats else NEVER
            if ledger.beats:
                ledger.beat()
        if now >= self._tidy_at and not self._jobs:
            try:
                delay_s = ledger.tidy()
            except Fault as fault:
                if fault.kind == "corrupt":
                    raise
                delay_s = TIDY_AGAIN_S  # it is still being written: nobody need know
            self._tidy_at = time.monotonic() + delay_s

    def _guarded(self, work: Callable[[], object]) -> Fault | None:
        try:
            work()
        except Fault as fault:
            return fault
        except Exception as error:  # noqa: BLE001  a mistake of ours must not end the thread: say it instead
            log.error("the history could not be written: %s", _where(error))
            return Fault(
                "refused",
                f"Something went wrong while writing the history ({type(error).__name__}).",
                hint="Please report it.",
            )
        return None

    def _keep_unwritten(self, batch: Batch, fault: Fault | None) -> None:
        if not batch or (fault is not None and fault.lasting):
            return
        for thread_id in list(self._gone):
            batch.drop_thread(thread_id)
        with self._wake:
            self._batch.put_back(batch)
            self._batch.stay_below(MAX_EVENTS, MAX_CHARS)

    def _tell(self, fault: Fault | None) -> None:
        before, self._fault = self._fault, fault
        told = self._told
        self._told = True
        if not told or (before and before.kind) != (fault and fault.kind):
            self._on_fault(fault)

    def _do(self, work: Callable[[Any], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if self._fault is not None:
            future.set_exception(self._fault)
            return
        try:
            future.set_result(work(self._ledger))
        except BaseException as error:  # noqa: BLE001  whoever waits for it gets it
            future.set_exception(error)

    def _finish(self) -> None:
        if self._ledger is not None and self._fault is None:
            self._guarded(self._ledger.end)
        self._let_go()
        with self._wake:
            jobs, flushes = list(self._jobs), list(self._flushes)
        for _, future in jobs:
            future.set_exception(Fault("unreachable", "The history is closed.", hint=""))
        for flush in flushes:
            flush.set_result(False)

    def _let_go(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def interrupted(task: Task, at: float) -> Task:
    """Return a task as it is when its kernel ended under it.

    Args:
        task: as it was last.
        at: when it ended, as far as that is known.
    """
    change = {"state": "interrupted", "problem": INTERRUPTED, "queue_position": None, "deadline_at": None}
    return task.model_copy(update={**change, "ended_at": max(at, task.started_at or task.created_at)})


def is_worth_keeping(turn: Turn) -> bool:
    """Return whether a turn is written.

    What was typed or run is. What was heard is only once something is done about it: a microphone also
    hears what was not meant for it.
    """
    if turn.origin == "voice":
        return bool(turn.calls) or (bool(turn.text) and turn.state in ("running", "succeeded", "failed"))
    return bool(turn.text or turn.calls)


def _shrink(known: OrderedDict[int, Any], open_ones: Container[int]) -> None:
    for number in list(known)[: max(0, len(known) - MAX_KNOWN)]:
        if number not in open_ones:
            del known[number]


def _turn_chars(turn: Turn) -> int:
    return len(turn.text) + len(turn.answer) + sum(len(str(call.arguments)) for call in turn.calls) + 500


def _task_chars(task: Task) -> int:
    size = len(task.tail) + sum(len(str(value)) for value in task.arguments.values()) + 500
    if task.result is not None:
        size += len(task.result.text) + len(task.result.code)
        size += sum(len(o.text) + sum(map(len, o.data.values())) for o in task.result.outputs)
        if task.result.tests is not None:
            size += sum(len(case.message) + len(case.detail) + 200 for case in task.result.tests.cases)
    return size


def _where(error: BaseException) -> str:
    # Not its message, which may quote what was to be written.
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
