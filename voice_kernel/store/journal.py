"""Takes down what happens in a session: picks out transitions, numbers them, and knows whose they are.

The loop thread tells it every message. Of each turn, task and approval the newest version goes into the
writer's batch, and every change of state an event: in order, numbered without a gap. Knows neither the
thread that writes nor the database.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Container
from typing import Any, NamedTuple

from voice_kernel.events import OPEN_TASKS, OPEN_TURNS, clip_tail
from voice_kernel.language import N_, _
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
from voice_kernel.store.batch import Happening
from voice_kernel.store.numbering import Numbering
from voice_kernel.store.writer import Writer

MAX_KNOWN = 2_000
"""Ended turns and tasks whose state is still remembered, so that a second telling is no event."""
MAX_TITLE_CHARS = 80

INTERRUPTED = Problem(
    kind="Interrupted",
    message=N_("The kernel ended while it ran."),
    hint=N_("Retry runs it again."),
    retryable=True,
)


NEVER_RAN = Problem(
    kind="Interrupted",
    message=N_("The kernel ended before it was approved: it did not run."),
    hint=N_("If no card asks for it again, Retry does."),
    retryable=True,
)


class _Known(NamedTuple):
    state: str
    thread_id: str
    text: str


class Journal:
    """The account of one session. All of it belongs to the loop thread.

    Args:
        thread: the conversation that is open.
        writer: what is taken down goes into its batch.
        numbering: told which numbers the session gives.
        on_title: told, in `publish`, that the open conversation got its title.

    Attributes:
        thread: the conversation that is open.
        began: whether something was taken down.
    """

    def __init__(
        self,
        thread: Thread,
        writer: Writer,
        numbering: Numbering,
        *,
        on_title: Callable[[], None] = lambda: None,
    ) -> None:
        self.thread = thread
        self.began = False
        self._writer = writer
        self._numbering = numbering
        self._on_title = on_title
        self._seq = 0
        self._turns: OrderedDict[int, _Known] = OrderedDict()
        self._tasks: OrderedDict[int, _Known] = OrderedDict()
        self._approvals: OrderedDict[int, str] = OrderedDict()
        self._going_on: dict[int, dict[str, Any]] = {}
        self._open: dict[int, Task] = {}
        self._open_turns: dict[int, Turn] = {}
        self._titled: set[str] = set()
        self._gone: set[str] = set()

    def publish(self, message: ToSurface) -> None:
        """Take down a message, if it is a transition of something that is kept. Never blocks."""
        fault = self._writer.fault
        if fault is not None and fault.lasting:
            return  # it would never be written
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

    def keep(self, approval_id: int, going_on: dict[str, Any]) -> None:
        """Take down what is needed to go on from an approval's answer, with the approval itself."""
        self._going_on[approval_id] = going_on

    def enter(self, thread: Thread) -> None:
        """Let what begins from now on belong to another conversation."""
        self.thread = thread
        self._gone.discard(thread.id)
        self._writer.keep_thread(thread.id)
        if thread.title:
            self._titled.add(thread.id)

    def retitle(self, title: str) -> None:
        """Give the open conversation a title that no utterance replaces."""
        self.thread = self.thread.model_copy(update={"title": title})
        self._titled.add(self.thread.id)
        with self._writer.lock:
            if self.thread.id in self._writer.batch.threads:
                self._writer.batch.threads[self.thread.id] = self.thread

    def drop_thread(self, thread_id: str) -> list[str]:
        """Take down nothing more of a conversation, and forget what of it is not written yet.

        Returns:
            The paths of logs that only what is forgotten tells of.
        """
        self._gone.add(thread_id)
        return self._writer.drop_thread(thread_id)

    def keep_thread(self, thread_id: str) -> None:
        """Take a conversation down again after all."""
        self._gone.discard(thread_id)
        self._writer.keep_thread(thread_id)

    def interrupt(self) -> None:
        """Take down that what is still open ended with the session."""
        now = time.time()
        for task in list(self._open.values()):
            self._task(interrupted(task, now))
        for turn in list(self._open_turns.values()):
            change = {"state": "failed", "problem": in_words(INTERRUPTED), "ended_at": now, "partial": False}
            self._turn(turn.model_copy(update=change))

    def tell_again(self) -> None:
        """Have what is open written again: another session took this one for dead."""
        for turn in list(self._open_turns.values()):
            self._turn(turn)
        for task in list(self._open.values()):
            self._task(task)

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
                with self._writer.lock:
                    self._happen(f"task.{task.state}", task.turn_id, task.id)
            return
        with self._writer.lock:
            self._writer.batch.put_task(task, thread_id, utterance)
            # Where its log is, is worth knowing early: the output of a killed kernel is read from there.
            has_log = before is not None and task.log_path != before.log_path
            patience = self._writer.patience
            self._writer.write_in(patience.gather_s if has_log else patience.lazy_s)
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
            with self._writer.lock:
                self._writer.batch.put_turn(turn, thread_id)
                self._writer.write_in(self._writer.patience.lazy_s)
        if changed:
            with self._writer.lock:
                self._happen(f"turn.{turn.state}", turn.id, None, thread_id, turn.problem)

    def _approval(self, approval: Approval) -> None:
        changed = self._approvals.get(approval.id) != approval.state
        self._approvals[approval.id] = approval.state
        _shrink(self._approvals, ())
        going_on = self._going_on.get(approval.id)
        if approval.state != "open":
            self._going_on.pop(approval.id, None)
            going_on = None
        if not changed:
            return  # only when it was shown
        known = self._tasks.get(approval.task_id)
        thread_id = known.thread_id if known else self.thread.id
        if thread_id in self._gone:
            thread_id = ""
        with self._writer.lock:
            if thread_id:
                self._writer.batch.approvals[approval.id] = (approval, thread_id, going_on)
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
        with self._writer.lock:
            self._writer.batch.threads[thread_id] = self.thread
        if "title" in change:
            self._on_title()

    def _happen(
        self,
        kind: str,
        turn: int | None = None,
        task: int | None = None,
        thread_id: str = "",
        problem: Problem | None = None,
    ) -> None:
        """Add an event; the writer's lock is held."""
        self.began = True
        self._seq += 1
        batch = self._writer.batch
        batch.events.append(Happening(self._seq, time.time(), kind, turn, task, thread_id, problem))
        batch.stay_small()
        self._writer.write_in(self._writer.patience.gather_s)


def in_words(problem: Problem) -> Problem:
    """Return one of the problems above in the session's language."""
    return problem.model_copy(update={"message": _(problem.message), "hint": _(problem.hint)})


def interrupted(task: Task, at: float) -> Task:
    """Return a task as it is when its kernel ended under it.

    Args:
        task: as it was last.
        at: when it ended, as far as that is known.
    """
    problem = NEVER_RAN if task.state == "awaiting_approval" else INTERRUPTED
    change = {
        "state": "interrupted",
        "problem": in_words(problem),
        "queue_position": None,
        "deadline_at": None,
    }
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
    if len(known) <= 2 * MAX_KNOWN:
        return  # in strides: looking through all of them each time would cost more than it saves
    for number in list(known)[:-MAX_KNOWN]:
        if number not in open_ones:
            del known[number]
