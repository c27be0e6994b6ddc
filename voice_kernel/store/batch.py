"""What is to be written: events in order, and of every entity its newest version.

Knows no thread and no database.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from voice_kernel.messages import Approval, Problem, Task, Thread, Turn

MAX_EVENTS = 50_000
MAX_CHARS = 64 * 1024**2
"""What is kept in memory while it cannot be written: events, and the size of entities together."""
MAX_PART = 2_000
"""Rows of a kind that are written in one transaction: others wait for their turn meanwhile."""


AskedFor = tuple[Approval, str, dict[str, Any] | None]


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
        approvals: with the id of their conversation and what is needed to go on from their answer, by number.
        chars: about how large turns and tasks are together.
    """

    events: deque[Happening] = field(default_factory=deque)
    threads: dict[str, Thread] = field(default_factory=dict)
    turns: OrderedDict[int, tuple[Turn, str]] = field(default_factory=OrderedDict)
    tasks: OrderedDict[int, tuple[Task, str, str]] = field(default_factory=OrderedDict)
    approvals: OrderedDict[int, AskedFor] = field(default_factory=OrderedDict)
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

    def take(self, limit: int = MAX_PART) -> Batch:
        """Take out what is written next; an entity is never written after its events."""
        part = Batch(threads=self.threads, approvals=self.approvals)
        self.threads, self.approvals = {}, OrderedDict()
        while self.turns and len(part.turns) < limit:
            number, turn = self.turns.popitem(last=False)
            self.chars -= _turn_chars(turn[0])
            part.turns[number] = turn
        while self.tasks and len(part.tasks) < limit:
            number, task = self.tasks.popitem(last=False)
            self.chars -= _task_chars(task[0])
            part.tasks[number] = task
        while self.events and len(part.events) < limit and not (self.turns or self.tasks):
            part.events.append(self.events.popleft())
        return part

    def put_back(self, older: Batch) -> None:
        """Take in again, before the rest, what could not be written; newer versions win."""
        self.events.extendleft(reversed(older.events))
        self.threads = older.threads | self.threads
        self.approvals = OrderedDict({**older.approvals, **self.approvals})
        for number, turn in reversed(older.turns.items()):
            if number not in self.turns:
                self.turns[number] = turn
                self.turns.move_to_end(number, last=False)
                self.chars += _turn_chars(turn[0])
        for number, task in reversed(older.tasks.items()):
            if number not in self.tasks:
                self.tasks[number] = task
                self.tasks.move_to_end(number, last=False)
                self.chars += _task_chars(task[0])

    def add(self, newer: Batch) -> None:
        """Take in what came later."""
        self.events.extend(newer.events)
        self.threads |= newer.threads
        self.approvals |= newer.approvals
        for turn, thread_id in newer.turns.values():
            self.put_turn(turn, thread_id)
        for task, thread_id, utterance in newer.tasks.values():
            self.put_task(task, thread_id, utterance)

    def drop_thread(self, thread_id: str) -> None:
        """Forget what belongs to a conversation; that something happened stays."""
        self.threads.pop(thread_id, None)
        for number in [n for n, (_, home) in self.turns.items() if home == thread_id]:
            self.chars -= _turn_chars(self.turns.pop(number)[0])
        for number in [n for n, (_, home, _) in self.tasks.items() if home == thread_id]:
            self.chars -= _task_chars(self.tasks.pop(number)[0])
        self.approvals = OrderedDict((n, kept) for n, kept in self.approvals.items() if kept[1] != thread_id)
        self.events = deque(
            event._replace(problem=None, thread_id="") if event.thread_id == thread_id else event
            for event in self.events
        )

    def stay_small(self) -> None:
        """Drop what is oldest above `MAX_EVENTS` and `MAX_CHARS`; a gap says so in the place of events."""
        while len(self.events) > MAX_EVENTS:
            first, second = self.events.popleft(), self.events.popleft()
            begin, end = (first.gap or (first.seq,))[0], second.seq
            self.events.appendleft(Happening(end, second.at, "gap", gap=(begin, end)))
        while self.chars > MAX_CHARS and len(self.tasks) + len(self.turns) > 1:
            if self.tasks:
                _, (task, _, _) = self.tasks.popitem(last=False)
                self.chars -= _task_chars(task)
            else:
                _, (turn, _) = self.turns.popitem(last=False)
                self.chars -= _turn_chars(turn)


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
