"""What is kept: conversations, and the tasks of this kernel and earlier ones."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.tasks import Task, TaskState
from voice_kernel.messages.wire import Problem, Wire


class Thread(Wire):
    """A conversation: turns in order, kept over restarts."""

    id: str
    title: str = ""
    """Given by a person, else the first utterance."""
    workspace: str = ""
    """The notebook it belongs to, or the folder where there is none."""
    created_at: float
    updated_at: float
    turns: int = 0
    """How many it has."""


class PastTask(Wire):
    """A task of the history, of this kernel or an earlier one."""

    id: int
    """Its number in the history, which no other task has; `task.id` is unique in its session only."""
    task: Task
    utterance: str = ""
    """The text of its turn."""
    session_id: str = ""
    thread_id: str = ""
    thread_title: str = ""


class Keeping(Wire):
    """What of this session outlives it."""

    state: Literal["kept", "memory"] = "memory"
    """`memory`: nothing is being written; what was written before is safe."""
    message: str = ""
    """Why it is not being kept, in one sentence."""
    hint: str = ""
    thread: Thread | None = None
    """The conversation that is open."""


class KeepingChanged(Wire):
    type: Literal["keeping"] = "keeping"
    keeping: Keeping


class Threads(Wire):
    """Answer to `ListThreads`: the conversations, those used last first."""

    type: Literal["threads"] = "threads"
    id: int
    threads: list[Thread] = []
    more: bool = False
    problem: Problem | None = None


class PastTasks(Wire):
    """Answer to `FindTasks`: the newest first."""

    type: Literal["past_tasks"] = "past_tasks"
    id: int
    tasks: list[PastTask] = []
    """Without their outputs: those are read from the log."""
    more: bool = False
    problem: Problem | None = None


class ListThreads(Wire):
    type: Literal["list_threads"] = "list_threads"
    id: int
    query: str = Field(default="", max_length=200)
    everywhere: bool = False
    """Those of every notebook and folder, not only of this one."""
    before: float | None = None
    """Only those last used before this time: the next page."""
    limit: int = Field(default=50, ge=1, le=200)


class NewThread(Wire):
    type: Literal["new_thread"] = "new_thread"


class OpenThread(Wire):
    """Go on with a conversation: surfaces get a new `State`, the tasks that run go on."""

    type: Literal["open_thread"] = "open_thread"
    thread_id: str


class RenameThread(Wire):
    type: Literal["rename_thread"] = "rename_thread"
    thread_id: str
    title: str = Field(min_length=1, max_length=200)


class DeleteThread(Wire):
    """Delete a conversation with its tasks and logs. Final; the front end has asked."""

    type: Literal["delete_thread"] = "delete_thread"
    thread_id: str


class FindTasks(Wire):
    """Search the history. Answered with `PastTasks`."""

    type: Literal["find_tasks"] = "find_tasks"
    id: int
    query: str = Field(default="", max_length=200)
    """Words that the utterance, the title, the summary or the problem must all hold (as prefixes)."""
    states: list[TaskState] = []
    areas: list[str] = []
    everywhere: bool = True
    """Of every notebook and folder, not only of this one."""
    before: int | None = None
    """Only tasks whose number in the history is below this one: the next page."""
    limit: int = Field(default=50, ge=1, le=200)
