"""`tasks`: the tasks of this session as values, of which every look shows what is then.

Importing it and looking at `tasks` begin nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from voice_kernel.api.place import INSIDE, app_if_any, on_loop, still_open
from voice_kernel.errors import KernelError, UnknownTask, VoiceKernelError
from voice_kernel.language import N_, _, ngettext_

if TYPE_CHECKING:
    from pandas import DataFrame

    from voice_kernel.app import App
    from voice_kernel.messages import Problem, Progress, Result, Task, TaskState

BEGIN_LIMIT_S = 10.0
MAX_LOG_CHARS = 1_000_000


class TaskView:
    """One task of this session: every look shows it as it is then.

    What a surface shows is there under the same name: `id tool arguments title state progress
    created_at started_at ended_at result problem log_path`.
    """

    def __init__(self, app: App, task: Task) -> None:
        self._app = app
        self._task = task

    @property
    def task(self) -> Task:
        """The task as it is now; as last seen, once the session has forgotten it."""
        found = on_loop(self._app, lambda: self._app.hub.tasks.get(self._task.id))
        self._task = found or self._task
        return self._task

    @property
    def id(self) -> int:
        """The number a person says."""
        return self._task.id

    @property
    def tool(self) -> str:
        """The tool's name."""
        return self._task.tool

    @property
    def arguments(self) -> dict[str, Any]:
        """What it was called with."""
        return dict(self._task.arguments)

    @property
    def title(self) -> str:
        """The tool and its values, on one line."""
        return self._task.title

    @property
    def state(self) -> TaskState:
        """Queued, awaiting_approval, running, succeeded, failed, cancelled or interrupted."""
        return self.task.state

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.task.ended_at is not None

    @property
    def progress(self) -> Progress | None:
        """How far it is, while it runs."""
        return self.task.progress

    @property
    def result(self) -> Result | None:
        """What it gave back: summary, text, data, outputs."""
        return self.task.result

    @property
    def problem(self) -> Problem | None:
        """Why it did not succeed."""
        return self.task.problem

    @property
    def duration_s(self) -> float | None:
        """How long it ran, or has been running; None before it starts."""
        from voice_kernel.ui.tasktable import duration_s

        return duration_s(self.task)

    @property
    def log_path(self) -> str:
        """Where its full output is; empty when it had none."""
        return self.task.log_path

    def log(self, lines: int | None = None) -> str:
        """Return its output from the log, the newest `MAX_LOG_CHARS` characters at most.

        Args:
            lines: only so many of its last lines.
        """
        task = self.task
        text = _end_of(task.log_path) if task.log_path else task.tail
        if lines is None:
            return text
        return "".join(text.splitlines(keepends=True)[-lines:]) if lines > 0 else ""

    def cancel(self) -> bool:
        """Cancel it; returns whether it was still open."""
        return bool(on_loop(self._app, lambda: self._app.session.cancel_task(self.id)))

    def retry(self) -> TaskView:
        """Run the same call again, in the background; returns the new task.

        It goes through the same door: what asks first asks again.

        Raises:
            VoiceKernelError: it was forgotten, or no task came of it.
        """
        app = still_open(self._app)
        task: Task | None = app.loop.run_sync(_again(app, self._task), BEGIN_LIMIT_S)
        if task is None:
            message = _("Task {number} is not known any more.").format(number=self.id)
            raise UnknownTask(message, hint=_("Say it again."))
        return TaskView(app, task)

    def wait(self, timeout_s: float | None = None) -> TaskView:
        """Wait until it has ended; an interrupt ends the wait, and not the task.

        Args:
            timeout_s: how long at most.

        Raises:
            TimeoutError: it has not ended by then.
        """
        app = still_open(self._app)
        if app.loop.is_current:
            raise KernelError(_("A tool cannot wait for a task."), hint=_(INSIDE))

        async def ended() -> bool:
            try:
                async with asyncio.timeout(timeout_s):
                    await app.toolbox.runner.ended(self.id)
            except TimeoutError:
                return False
            return True

        if not app.wait(ended):
            raise TimeoutError(f"task {self.id} has not ended after {timeout_s:g} s")
        return self

    def __repr__(self) -> str:
        from voice_kernel.ui.frozen import task_text

        return task_text(self.task, now=True)

    def _repr_html_(self) -> str:
        from voice_kernel.ui.frozen import task_html

        return task_html(self.task)


class Tasks(Sequence[TaskView]):
    """The tasks of this session, oldest first: a live view.

    `tasks[3]` is the task with that number, as it is said; `tasks[-1]` and `tasks.last` the newest. Before
    the first command it is simply empty.
    """

    _none = N_("No tasks yet.")

    @property
    def last(self) -> TaskView | None:
        """The newest task; None before the first."""
        found = self._rows()
        return found[-1] if found else None

    @property
    def running(self) -> Tasks:
        """Those that have not ended: running, queued, or waiting for an approval."""
        return _Chosen(self, lambda task: task.ended_at is None)

    @property
    def failed(self) -> Tasks:
        """Those that failed, or whose kernel ended under them."""
        return _Chosen(self, lambda task: task.state in ("failed", "interrupted"))

    @overload
    def __getitem__(self, number: int) -> TaskView: ...

    @overload
    def __getitem__(self, number: slice) -> list[TaskView]: ...

    def __getitem__(self, number: int | slice) -> TaskView | list[TaskView]:
        """Return the task with a number; below zero, counted from the newest.

        Raises:
            UnknownTask: there is none.
        """
        found = self._rows()
        if isinstance(number, slice):
            return found[number]
        if number < 0:
            if -number > len(found):
                raise UnknownTask(
                    ngettext_(
                        "There is {count} task here.", "There are {count} tasks here.", len(found)
                    ).format(count=len(found))
                )
            return found[number]
        for row in found:
            if row.id == number:
                return row
        known = (
            _("{first} to {last}").format(first=found[0].id, last=found[-1].id) if found else _("none yet")
        )
        raise UnknownTask(
            _("There is no task {number}.").format(number=number),
            hint=_("There are: {known}.").format(known=known),
        )

    def __len__(self) -> int:
        return len(self._tasks())

    def __iter__(self) -> Iterator[TaskView]:
        return iter(self._rows())

    def __contains__(self, item: object) -> bool:
        return isinstance(item, TaskView) and any(task.id == item.id for task in self._tasks())

    def to_frame(self) -> DataFrame:
        """Return them as a pandas DataFrame, one row a task, its number being the index.

        Raises:
            VoiceKernelError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise VoiceKernelError(
                _("to_frame needs pandas."),
                hint=_("Install it: {command}").format(command="%pip install pandas"),
            ) from None
        from voice_kernel.ui.tasktable import COLUMNS, records

        frame = pd.DataFrame(records(self._tasks(), self._turns()), columns=list(COLUMNS))
        for column in ("created_at", "started_at", "ended_at"):
            frame[column] = pd.to_datetime(frame[column], unit="s", utc=True)
        return frame.set_index("task")

    def __repr__(self) -> str:
        from voice_kernel.ui.tasktable import table_text

        return table_text(self._tasks(), self._turns()) or _(self._none)

    def _repr_html_(self) -> str:
        from voice_kernel.ui.tasktable import table_html

        return table_html(self._tasks(), self._turns()) or f"<div>{_(self._none)}</div>"

    def _rows(self) -> list[TaskView]:
        app = app_if_any()
        return [TaskView(app, task) for task in self._tasks()] if app is not None else []

    def _tasks(self) -> list[Task]:
        app = app_if_any()
        return on_loop(app, lambda: list(app.hub.tasks.values())) if app is not None else []

    def _turns(self) -> dict[int, str]:
        """Return what was said, by the number of the turn."""
        app = app_if_any()
        if app is None:
            return {}
        return on_loop(app, lambda: {turn.id: turn.text for turn in app.hub.turns.values()})


class _Chosen(Tasks):
    """Some of the tasks, chosen anew at every look."""

    _none = N_("No tasks.")

    def __init__(self, among: Tasks, wanted: Callable[[Task], bool]) -> None:
        self._among = among
        self._wanted = wanted

    def _tasks(self) -> list[Task]:
        return [task for task in self._among._tasks() if self._wanted(task)]


tasks = Tasks()
"""The tasks of this session."""


async def _again(app: App, task: Task) -> Task | None:
    """Begin a task's call again, and return the new task as soon as there is one."""
    before = set(app.hub.tasks)
    _told, changes = app.hub.subscribe()
    work = asyncio.ensure_future(app.session.retry(task.id))
    try:
        while not work.done():
            told = asyncio.ensure_future(changes.changes())
            await asyncio.wait({told, work}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            for new in reversed(app.hub.tasks.values()):
                turn = app.hub.turns.get(new.turn_id)
                same = new.tool == task.tool and new.arguments == task.arguments
                if new.id not in before and same and turn is not None and turn.origin == "retry":
                    return new
    finally:
        changes.close()
        work.add_done_callback(_fetched)
    result = work.result()
    return result.tasks[0] if result is not None and result.tasks else None


def _fetched(work: Any) -> None:
    if not work.cancelled():
        work.exception()  # a turn tells its failure by itself


def _end_of(path: str) -> str:
    """Return the end of a log, with its colours."""
    try:
        with open(path, "rb") as log:
            size = log.seek(0, 2)
            log.seek(max(0, size - 4 * MAX_LOG_CHARS))
            return log.read().decode("utf-8", "replace")[-MAX_LOG_CHARS:]
    except OSError as error:
        raise VoiceKernelError(
            _("The log cannot be read: {reason}.").format(reason=error.strerror),
            hint=_("Old logs are removed to make room."),
        ) from None
