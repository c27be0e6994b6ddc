"""What a history is asked, and what it gives back that is no message: plain values.

Knows nothing of where they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from voice_kernel.messages import Approval, Task, TaskState, Thread, Turn


class Wanted(TypedDict, total=False):
    """Which tasks a search is for; what is not said may be anything."""

    states: Sequence[TaskState]
    """Only tasks in one of these; any when empty."""
    areas: Sequence[str]
    """Only tools of these areas; any when empty."""
    since: float | None
    """Only tasks made at this time or later, in seconds since the epoch."""
    until: float | None
    """Only tasks made before this time."""
    before: int | None
    """Only tasks with a lower number in the history: the next page."""
    limit: int
    """Most to return; 50 when not given."""


class WantedOf(Wanted, total=False):
    """The same, of one place, session or conversation."""

    workspace: str | None
    """Only those done for this notebook or folder; None for any."""
    session_id: str
    thread_id: str


@dataclass(frozen=True)
class Conversation:
    """A conversation with what was said and done in it, oldest first.

    Attributes:
        thread: which one.
        turns: the newest `events.MAX_TURNS` of them.
        tasks: the newest `events.MAX_TASKS` of them. Those of other sessions have `earlier` set. Where
            numbers of several sessions clash, those of the others are moved up, the same way for turns,
            tasks and what refers to them; numbers of the asking session are never moved.
        last_turn_id: no turn of the workspace has a higher number; a session that goes on counts on from it.
        last_task_id: the same for tasks.
    """

    thread: Thread
    turns: list[Turn] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    last_turn_id: int = 0
    last_task_id: int = 0


@dataclass(frozen=True)
class Said:
    """A turn with the session that numbered it."""

    session_id: str
    turn: Turn


@dataclass(frozen=True)
class Left:
    """A card that waited when its kernel ended, with what is needed to go on from its answer.

    Attributes:
        session_id: the session that asked.
        turn_id: its turn there.
        text: the words of that turn.
        approval: the card: which call, and when it was asked for.
        going_on: what was handed to `Store.keep`, without secrets.
    """

    session_id: str
    turn_id: int
    text: str
    approval: Approval
    going_on: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One thing that happened in a session.

    Attributes:
        session_id: in which.
        seq: its number there: from 1, without a gap. The order is by it, whatever the clock did.
        at: when, in seconds since the epoch.
        kind: `turn.<state>`, `task.<state>`, `approval.<state>`, at last `session.ended` or `session.died`;
            or `gap` for events that could not be kept: its data then hold the numbers `first` and `last`.
        turn_id: the turn concerned.
        task_id: the task concerned.
        data: what else there is to say: the reason of an end.
    """

    session_id: str
    seq: int
    at: float
    kind: str
    turn_id: int | None = None
    task_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PastSession:
    """One run of a kernel.

    Attributes:
        id: what events and tasks name it by.
        workspace: the notebook or folder it worked for.
        kernel: what the kernel calls itself; may be empty.
        host: the machine.
        pid: the process.
        started_at: in seconds since the epoch.
        ended_at: None while it lives.
        ending: `closed`, `died`, or empty while it lives.
        tasks: how many it had.
    """

    id: str
    workspace: str
    kernel: str
    host: str
    pid: int
    started_at: float
    ended_at: float | None
    ending: str
    tasks: int


@dataclass(frozen=True)
class Statistics:
    """How much there is: rows by kind, tasks by state, bytes of the database (0 where unknown)."""

    sessions: int = 0
    threads: int = 0
    turns: int = 0
    tasks: int = 0
    events: int = 0
    states: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(frozen=True)
class Pruned:
    """What a pruning removed, or would remove: rows by kind, log files and their bytes."""

    threads: int = 0
    tasks: int = 0
    sessions: int = 0
    logs: int = 0
    log_bytes: int = 0
