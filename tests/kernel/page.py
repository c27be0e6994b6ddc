"""A page that shows the session of a real kernel: what it is told, and what a person does on it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil
from real_kernel import TIMEOUT_S, RealKernel

from voice_kernel.client import LOAD, Link
from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    ApprovalShown,
    Call,
    Decide,
    Do,
    FindTasks,
    Hello,
    Keeping,
    KeepingChanged,
    ListThreads,
    Notice,
    PastTask,
    PastTasks,
    QueueChanged,
    Say,
    State,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    Thread,
    Threads,
    ToKernel,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.store import History

LIMIT_S = TIMEOUT_S
SHELL = {"ALLOW_CLI_EXECUTION": "true", "OPENAI_API_KEY": ""}
T = TypeVar("T", bound=ToSurface)


class Page:
    """The panel's side of the wire, beside one kernel."""

    def __init__(self, kernel: RealKernel) -> None:
        self.kernel = kernel
        self.states: list[State] = []
        self.turns: dict[int, Turn] = {}
        self.tasks: dict[int, Task] = {}
        self.approvals: dict[int, Approval] = {}
        self.notices: list[Notice] = []
        self.keeping = Keeping()
        self._answers: dict[int, Threads | PastTasks] = {}
        self._numbers = itertools.count(1)
        self._link: Link
        kernel.listeners.append(self._heard)
        self.open()

    def open(self) -> None:
        """Open the page, or load it again; returns when its first state is there."""
        self._link = Link(self.kernel.client)
        self.kernel.execute(LOAD, silent=True, store_history=False).expect_ok()
        self.states = []
        self._link.open(Hello(surface_id="page", kind="sidebar"))
        self.kernel.until(lambda: bool(self.states))

    # ---- what a person does -----------------------------------------------------------------------

    def send(self, message: ToKernel) -> None:
        """Send a message."""
        self._link.send(message)

    def shell(self, command: str) -> Task:
        """Run a shell command; returns its task once it runs."""
        known = set(self.tasks)
        self.send(Do(text=f"run {command}", calls=[Call(tool="run_shell", arguments={"command": command})]))
        self.until(lambda: any(i not in known and t.state != "queued" for i, t in self.tasks.items()))
        return next(task for task_id, task in self.tasks.items() if task_id not in known)

    def done(self, command: str) -> Task:
        """Run a shell command to its end."""
        return self.ended(self.shell(command).id)

    def ended(self, task_id: int) -> Task:
        """Wait for the end of a task."""
        self.until(lambda: task_id in self.tasks and self.tasks[task_id].ended_at is not None)
        return self.tasks[task_id]

    def say(self, text: str) -> Turn:
        """Type words, and wait for the end of their turn."""
        return self.said(self.begin(text))

    def begin(self, text: str) -> int:
        """Type words; returns the number of their turn."""
        known = set(self.turns)
        self.send(Say(text=text))
        self.until(lambda: any(i not in known for i in self.turns))
        return next(i for i in self.turns if i not in known)

    def said(self, turn_id: int) -> Turn:
        """Wait for the end of a turn."""
        self.until(lambda: self.turns[turn_id].ended_at is not None)
        return self.turns[turn_id]

    def card(self) -> Approval:
        """Wait for a card that asks, and have it on the screen."""
        self.until(lambda: any(card.state == "open" for card in self.approvals.values()))
        card = next(card for card in self.approvals.values() if card.state == "open")
        self.send(ApprovalShown(approval_id=card.id))
        return card

    def answer(self, card: Approval, approved: bool) -> None:
        """Click on Approve or Deny."""
        self.send(Decide(approval_id=card.id, approved=approved))
        self.until(lambda: self.approvals[card.id].state != "open")

    def threads(self, **how: Any) -> list[Thread]:
        """List the conversations."""
        number = next(self._numbers)
        answer = self._asked(number, ListThreads(id=number, **how))
        assert isinstance(answer, Threads)
        assert answer.problem is None, answer.problem
        return answer.threads

    def find(self, query: str = "", **how: Any) -> list[PastTask]:
        """Search the history."""
        number = next(self._numbers)
        answer = self._asked(number, FindTasks(id=number, query=query, **how))
        assert isinstance(answer, PastTasks)
        assert answer.problem is None, answer.problem
        return answer.tasks

    def refused(self, message: ListThreads | FindTasks) -> str:
        """Ask for what cannot be read; returns why."""
        answer = self._asked(message.id, message)
        assert answer.problem is not None
        return answer.problem.message

    # ---- what it is told --------------------------------------------------------------------------

    def until(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Wait until a condition holds."""
        self.kernel.until(condition, limit_s)

    def until_kept(self) -> None:
        """Wait until the database is open."""
        self.until(lambda: self.keeping.state == "kept")

    def until_shown(self, *tasks: int) -> None:
        """Wait until these are the tasks that are shown."""
        self.until(lambda: sorted(self.tasks) == sorted(tasks))

    @property
    def thread(self) -> Thread:
        """The conversation that is open."""
        assert self.keeping.thread is not None
        return self.keeping.thread

    def _asked(self, number: int, message: ToKernel) -> Threads | PastTasks:
        self.send(message)
        self.until(lambda: number in self._answers)
        return self._answers.pop(number)

    def _heard(self, published: dict[str, Any]) -> None:
        message = self._link.received(published)
        match message:
            case State():
                self.states.append(message)
                self.turns = {turn.id: turn for turn in message.turns}
                self.tasks = {task.id: task for task in message.tasks}
                self.keeping = message.keeping
            case TurnChanged():
                self.turns[message.turn.id] = message.turn
            case TaskChanged():
                self.tasks[message.task.id] = message.task
            case TaskOutput() if message.task_id in self.tasks:
                self._change(message.task_id, tail=self.tasks[message.task_id].tail + message.text)
            case TaskProgress() if message.task_id in self.tasks:
                self._change(message.task_id, progress=message.progress)
            case QueueChanged():
                for position, task_id in enumerate(message.tasks, 1):
                    if task_id in self.tasks:
                        self._change(task_id, queue_position=position)
            case ApprovalChanged():
                self.approvals[message.approval.id] = message.approval
            case KeepingChanged():
                self.keeping = message.keeping
            case Notice():
                self.notices.append(message)
            case Threads() | PastTasks():
                self._answers[message.id] = message

    def _change(self, task_id: int, **changes: Any) -> None:
        self.tasks[task_id] = self.tasks[task_id].model_copy(update=changes)


class Notebook:
    """A notebook whose kernels come and go; closes the last one."""

    def __init__(self, folder: Path, name: str = "work.ipynb", **options: Any) -> None:
        self.folder = folder
        self.name = name
        self.options = {"environment": SHELL, "setup": "import os, sys"} | options
        self.kernel: RealKernel | None = None

    def __enter__(self) -> Notebook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.kernel is not None and self.kernel.manager.is_alive():
            self.kernel.stop()

    def open(self, environment: Mapping[str, str] | None = None, **options: Any) -> Page:
        """Start a kernel for the notebook and open a page on it."""
        chosen = self.options | options
        chosen["environment"] = {**chosen["environment"], **(environment or {})}
        self.kernel = RealKernel(self.folder, notebook=self.name, **chosen)
        return Page(self.kernel)

    @property
    def history(self) -> History:
        """What is on disk."""
        return History("", self.data)

    @property
    def data(self) -> Path:
        """The folder of what is kept."""
        return self.folder / "data" / "voice_kernel"

    def written(self, condition: Callable[[list[Task]], bool], limit_s: float = LIMIT_S) -> list[Task]:
        """Wait until the tasks on disk, oldest first, are so; returns them."""
        deadline = time.monotonic() + limit_s
        while True:
            with self.history as history:
                tasks = [past.task for past in reversed(history.find(limit=1_000)[0])]
            if condition(tasks):
                return tasks
            if time.monotonic() > deadline:
                raise TimeoutError(f"never written: {[(task.id, task.state) for task in tasks]}")


def living(marker: str) -> list[int]:
    """Return the processes with a text in their command line."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(marker in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def until_gone(marker: str, limit_s: float = LIMIT_S) -> None:
    """Wait until no process has a text in its command line."""
    deadline = time.monotonic() + limit_s
    while living(marker):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still running: {living(marker)}")
        time.sleep(0.02)  # nobody tells when a process of others ends
