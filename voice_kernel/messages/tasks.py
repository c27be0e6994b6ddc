"""Tasks, the actions that are carried out: how one stands, and what a person does to it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voice_kernel.messages.results import Result
from voice_kernel.messages.wire import Problem, Wire

TaskState = Literal[
    "queued", "awaiting_approval", "running", "succeeded", "failed", "cancelled", "interrupted"
]
Origin = Literal["voice", "text", "magic", "script", "model", "retry"]
"""Who asked: a person's voice or text, a cell's magic, a script or replay, a model, a retry click."""


class Progress(Wire):
    """How far a running task is."""

    fraction: float | None = Field(default=None, ge=0, le=1)
    label: str = ""
    done: float | None = None
    """Steps done, where the work counts them: `12` of 40 tests."""
    total: float | None = None
    unit: str = ""
    """What is counted, e.g. `tests`, `MB`."""


class Call(Wire):
    """One tool call of a plan, as the parser or the model made it."""

    tool: str
    arguments: dict[str, Any] = {}


class ClientCall(Wire):
    """Something that a tool asks the page to do, and whose answer it waits for."""

    id: str
    name: str
    arguments: dict[str, Any] = {}


class Task(Wire):
    """One action: a tool call that was let through the door, or waits before it."""

    id: int
    """The number a person says: from 1, never reused in a session."""
    turn_id: int
    tool: str
    arguments: dict[str, Any] = {}
    area: str = ""
    """The tool's area: `shell`, `tests`, `notebook` ... Limits and queues are per area."""
    title: str
    """Short text for the card, e.g. `run_tests tests/unit`."""
    state: TaskState = "queued"
    origin: Origin = "text"
    created_at: float
    """Seconds since the epoch, as are all times."""
    started_at: float | None = None
    ended_at: float | None = None
    queue_position: int | None = None
    """While it is queued behind others of its area: its place, from 1."""
    deadline_at: float | None = None
    """When it is ended whatever it does."""
    earlier: bool = False
    """Whether an earlier kernel ran it: it can be retried, but not cancelled."""
    progress: Progress | None = None
    tail: str = ""
    """The newest output, at most 300 lines and 8 KB, with ANSI colours."""
    output_bytes: int = 0
    """Bytes of output so far, shown or not."""
    log_path: str = ""
    """Where the full log is; empty while there is none."""
    log_cut_bytes: int = 0
    """Bytes that did not fit below the log's cap."""
    result: Result | None = None
    problem: Problem | None = None
    approval_id: int | None = None
    client_call: ClientCall | None = None
    """While it waits for the page."""


class TaskChanged(Wire):
    type: Literal["task"] = "task"
    task: Task


class TaskOutput(Wire):
    """More output of a running task, coalesced to at most 10 a second and 8 KB each."""

    type: Literal["task_output"] = "task_output"
    task_id: int
    text: str
    output_bytes: int
    """Total so far, this piece included."""
    skipped_bytes: int = 0
    """Bytes between the last piece and this one that are only in the log."""


class TaskProgress(Wire):
    """How far a running task is now; at most 10 a second."""

    type: Literal["task_progress"] = "task_progress"
    task_id: int
    progress: Progress | None


class QueueChanged(Wire):
    """The order in which tasks wait, as it is now; at most 4 a second."""

    type: Literal["queue"] = "queue"
    lane: str
    """Which queue: an area, or `cells` for whatever changes the notebook or its variables."""
    tasks: list[int] = []
    """Those that wait, the next one first: `queue_position` is the place in this list, from 1."""


class CancelTask(Wire):
    type: Literal["cancel_task"] = "cancel_task"
    task_id: int


class RetryTask(Wire):
    type: Literal["retry_task"] = "retry_task"
    task_id: int
    request: str = Field(default="", max_length=64)
    """As in `Say`."""


class MoveTask(Wire):
    """Change the place of a queued task in its queue."""

    type: Literal["move_task"] = "move_task"
    task_id: int
    to: Literal["first", "up", "down", "last"]


class ClientAnswer(Wire):
    """What came of a `Task.client_call`. The first one counts."""

    type: Literal["client_answer"] = "client_answer"
    call_id: str = Field(max_length=64)
    result: Any = None
    """Plain data."""
    problem: str = Field(default="", max_length=500)
    """Why the page has not done it."""
