"""`from voice_kernel import ask, tasks, tool`: the assistant from Python.

    result = await ask("run the tests")          # in a cell or an async function
    result = ask("run the tests").result()       # anywhere else on the main thread
    tasks.failed, tasks.last.log(), tasks.to_frame()

    @tool(sentences=["train [the] model [for {epochs} epochs]"])
    def train(epochs: int, ctx: ToolContext): ...

Responsible for how this reads in a notebook. What is done is done by the same session that `%voice` has,
begun by the first `ask`; importing this module and looking at `tasks` begin nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Collection, Coroutine, Generator, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from voice_kernel.errors import KernelError, UnknownTask, VoiceKernelError

if TYPE_CHECKING:
    from pandas import DataFrame

    from voice_kernel.app import App
    from voice_kernel.handles import TurnGroup
    from voice_kernel.messages import Problem, Progress, Result, Task, TaskState
    from voice_kernel.session import TurnResult
    from voice_kernel.toolbox.registry import Effect
    from voice_kernel.usertools.definition import Templates, Thread, UserTool

P = ParamSpec("P")
R = TypeVar("R")

LOOK_LIMIT_S = 5.0
"""How long looking at tasks may take: the loop thread only copies what it has."""
BEGIN_LIMIT_S = 10.0
MAX_LOG_CHARS = 1_000_000

# ---- ask ------------------------------------------------------------------------------------------


def ask(text: str) -> Asked:
    """Do what the words say, as `%voice` does.

    `await` it in a cell or an async function, or call its `.result()`. It begins then, not before;
    several that are made in one cell and awaited together (`asyncio.gather(ask(...), ask(...))`) run
    beside each other. Code of a turn runs on the main thread while it waits, so that other coroutines of
    the notebook wait meanwhile. The interrupt button cancels.

    Nothing can be approved beforehand here: what asks first shows its card, in the cell or the panel, and
    waits for a person. (Where nobody sits before the notebook: `voice-kernel run --approve TOOL`.)

    Args:
        text: what you would say.

    Raises:
        VoiceKernelError: here is no notebook, or this is not its main thread.
    """
    return Asked(text, _begun_app())


class Asked(Coroutine[Any, Any, "TurnResult"]):
    """Words that wait to be done: `await` them, or call `result()`."""

    # A coroutine, and not only awaitable, so that `asyncio.create_task` takes it too.

    def __init__(self, text: str, app: App) -> None:
        self.text = text
        self._app = app
        self._number = next(_numbers)
        self._cell = app.kernel.request
        self._turns: TurnGroup | None = None
        self._turn_id = 0
        self._steps: Generator[Any, None, TurnResult] | None = None
        _waiting.add(self)

    def result(self) -> TurnResult:
        """Wait until it is done and return what it came to; a second call returns the same.

        Raises:
            TurnFailed: it failed.
            TurnCancelled: it was cancelled, or the wait was interrupted.
        """
        if self._turns is None:
            _require_main_thread()
            together = [asked for asked in {*_waiting, self} if asked._goes_with(self)]
            together.sort(key=lambda asked: asked._number)
            _waiting.difference_update(together)
            turns = self._app.say_together([asked.text for asked in together])
            for asked, turn_id in zip(together, turns.turn_ids, strict=True):
                asked._turns, asked._turn_id = turns, turn_id
        assert self._turns is not None  # it is one of those that were together
        return self._app.outcome_of(self._turns.result(self._turn_id))

    def _goes_with(self, other: Asked) -> bool:
        """Say whether it begins when another one is waited for: both were made in the same cell."""
        return self is other or (self._app is other._app and self._cell == other._cell)

    def send(self, value: Any) -> Any:
        """Go on, as a step of a task."""
        self._steps = self._steps or self.__await__()
        return self._steps.send(value)

    def throw(
        self, kind: Any, value: BaseException | object = None, traceback: TracebackType | None = None
    ) -> Any:
        """Go on with an exception: to be cancelled, before it has begun or while it is awaited."""
        self._steps = self._steps or self.__await__()
        if self._turns is None:
            _waiting.discard(self)
        return self._steps.throw(kind if value is None else value)  # type: ignore[arg-type]  # as it is called

    def close(self) -> None:
        """Forget it, unless it has begun."""
        _waiting.discard(self)
        if self._steps is not None:
            self._steps.close()

    def __await__(self) -> Generator[Any, None, TurnResult]:
        if self._turns is not None and self._turns.under_way(self._turn_id):
            # Another ask of this cell waits on this same thread, for this one too, and its code lets us run.
            try:
                yield from asyncio.wrap_future(self._turns.ended(self._turn_id))
            except asyncio.CancelledError:
                self._turns.cancel(self._turn_id)
                raise
        return self._app.as_awaited(self.result)

    def __repr__(self) -> str:
        if self._turns is not None:
            return repr(self._app.result(self._turn_id))
        return f"“{self.text}” has not begun: write await ask(...), or ask(...).result()"


_numbers = itertools.count(1)
_waiting: weakref.WeakSet[Asked] = weakref.WeakSet()
"""What was asked and has not begun; what nobody holds any more is forgotten."""


# ---- tasks ----------------------------------------------------------------------------------------


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
        found = _on_loop(self._app, lambda: self._app.hub.tasks.get(self._task.id))
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
        return bool(_on_loop(self._app, lambda: self._app.session.cancel_task(self.id)))

    def retry(self) -> TaskView:
        """Run the same call again, in the background; returns the new task.

        It goes through the same door: what asks first asks again.

        Raises:
            VoiceKernelError: it was forgotten, or no task came of it.
        """
        app = _open(self._app)
        task: Task | None = app.loop.run_sync(_again(app, self._task), BEGIN_LIMIT_S)
        if task is None:
            raise UnknownTask(f"Task {self.id} is not known any more.", hint="Say it again.")
        return TaskView(app, task)

    def wait(self, timeout_s: float | None = None) -> TaskView:
        """Wait until it has ended; an interrupt ends the wait, and not the task.

        Args:
            timeout_s: how long at most.

        Raises:
            TimeoutError: it has not ended by then.
        """
        app = _open(self._app)
        if app.loop.is_current:
            raise KernelError("A tool cannot wait for a task.", hint=_INSIDE)

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

    _none = "No tasks yet."

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
                raise UnknownTask(f"There are {len(found)} tasks here.")
            return found[number]
        for row in found:
            if row.id == number:
                return row
        known = f"{found[0].id} to {found[-1].id}" if found else "none yet"
        raise UnknownTask(f"There is no task {number}.", hint=f"There are: {known}.")

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
            raise VoiceKernelError("to_frame needs pandas.", hint="Install it: %pip install pandas") from None
        from voice_kernel.ui.tasktable import COLUMNS, records

        frame = pd.DataFrame(records(self._tasks(), self._turns()), columns=list(COLUMNS))
        for column in ("created_at", "started_at", "ended_at"):
            frame[column] = pd.to_datetime(frame[column], unit="s", utc=True)
        return frame.set_index("task")

    def __repr__(self) -> str:
        from voice_kernel.ui.tasktable import table_text

        return table_text(self._tasks(), self._turns()) or self._none

    def _repr_html_(self) -> str:
        from voice_kernel.ui.tasktable import table_html

        return table_html(self._tasks(), self._turns()) or f"<div>{self._none}</div>"

    def _rows(self) -> list[TaskView]:
        app = _app_if_any()
        return [TaskView(app, task) for task in self._tasks()] if app is not None else []

    def _tasks(self) -> list[Task]:
        app = _app_if_any()
        return _on_loop(app, lambda: list(app.hub.tasks.values())) if app is not None else []

    def _turns(self) -> dict[int, str]:
        """Return what was said, by the number of the turn."""
        app = _app_if_any()
        if app is None:
            return {}
        return _on_loop(app, lambda: {turn.id: turn.text for turn in app.hub.turns.values()})


class _Chosen(Tasks):
    """Some of the tasks, chosen anew at every look."""

    _none = "No tasks."

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
    _, changes = app.hub.subscribe()
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
            f"The log cannot be read: {error.strerror}.", hint="Old logs are removed to make room."
        ) from None


# ---- tool -----------------------------------------------------------------------------------------

EXECUTES: tuple[Literal["execute"]] = ("execute",)


@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def tool(
    *,
    sentences: Templates | str | None = None,
    name: str = "",
    asks: bool | str = False,
    effects: Collection[Effect] = EXECUTES,
    thread: Thread = "worker",
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    sentences: Templates | str | None = None,
    name: str = "",
    asks: bool | str = False,
    effects: Collection[Effect] = EXECUTES,
    thread: Thread = "worker",
) -> Any:
    """Make a function a tool: something to say, that becomes a task with progress, output and cancel.

        @tool(sentences=["train [the] model [for {epochs} epochs]"])
        def train(ctx: ToolContext, epochs: int = 10):
            for epoch in range(epochs):
                ctx.progress(done=epoch, total=epochs, unit="epochs")
                ...
            return {"accuracy": 0.93}

    The function stays as it is and can be called as before. Running its cell again replaces the tool;
    `%unload_ext voice_kernel` forgets all of them.

    Its parameters, with their types and defaults, are what can be said: str, int, float, bool, Literal,
    Enum, Path, list[str], and `| None` of these. A parameter `ctx: ToolContext` is given the task. What the
    function prints is the task's output; what it returns, its result. Its docstring tells people and models
    what it and its arguments are for.

    An `async def` runs on the assistant's own loop and must not block it; any other function in a thread of
    its own, which is ended when the task is cancelled: at its next step of Python, but not inside a call
    that does not return. With `thread="main"` it runs like a cell: it sees the notebook's figures, one
    at a time, and waits while a cell runs. With `thread="process"` it has a process of its own, which is
    ended at once when the task is cancelled, and which runs on the Dask cluster where one is configured;
    it, its arguments and what it returns must be picklable, and the notebook's variables are copies there.

    What it shows are widgets: `ctx.stream_widget(widget)`, or a widget that it returns. A `@function_tool` of
    the agents SDK, also one that was written for ChatKit's `AgentContext`, becomes a tool as it is:
    `tool(get_weather)`, or `tool(sentences=["weather in {city}"])(get_weather)`.

    Args:
        function: the function, when there is nothing else to say: `@tool`.
        sentences: templates of what can be said, `[optional]`, `(one|or the other)`, `{argument}`; or
            each with the arguments that it gives unsaid: `{"train overnight": {"epochs": 500}}`. Without
            any, its name is what to say; with `[]`, nothing is.
        name: the tool's name; the function's by default.
        asks: True, or why: every call shows a card and waits for a person's yes.
        effects: what a call may do: read, write, execute, delete, install, restart, network, shell. A
            model that calls it is asked about; a person only where it deletes, installs or restarts.
        thread: `worker`, `main` or `process`.

    Raises:
        InvalidTool: it cannot be a tool as it is written; says what to write instead, and where.
    """
    names = _caller_names()

    def make(function: Callable[..., Any], callers: int = 1) -> Callable[..., Any]:
        from voice_kernel.usertools.definition import define

        written, always = _of_the_sdk(function) or (function, False)
        made = define(
            written,
            name=name,
            sentences=sentences,
            effects=effects,
            asks=asks or always,
            thread=thread,
            names=names,
        )
        for surprise in _put(made):
            warnings.warn(surprise, stacklevel=callers + 1)
        return function

    return make if function is None else make(function, 2)


def _of_the_sdk(function: Any) -> tuple[Callable[..., Any], bool] | None:
    """Return a function for a `@function_tool` of the agents SDK, and whether it wants to be approved."""
    if "agents" not in sys.modules:
        return None
    from voice_kernel.agent.functiontools import as_function, is_function_tool

    return (as_function(function), bool(function.needs_approval)) if is_function_tool(function) else None


def action(
    type: str,  # noqa: A002  ChatKit's name for it
    /,
    *,
    name: str = "",
    asks: bool | str = False,
    effects: Collection[Effect] = EXECUTES,
    thread: Thread = "worker",
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function answer the clicks in widgets whose action is of a type.

        @action("seat.change")
        def change_seat(seat: str, ctx: ToolContext):
            ctx.update_widget(card_for(seat))

    The names of the action's `payload` are its arguments, and the values of the form around the component
    that was clicked those that it has parameters for. A parameter `payload` takes all of the payload, one
    `values` all of the form. `ctx.widget` is the JSON of the widget that was clicked in, `ctx.update_widget`
    changes it. In all else the function is as one with `@tool`, and it is a task as such a one: checked,
    asked about where its effects want that, with progress, output and cancel. It has no sentences, and no
    model may call it; put `@tool` below `@action` for both.

    An action whose type is the name of a tool needs none of this: the click calls that tool.

    Args:
        type: of the action, as the widget has it.
        name: of the tool that it becomes; the function's by default.
        asks: True, or why: every click shows a card and waits for a person's yes.
        effects: what it may do, as of `tool`.
        thread: `worker` or `main`.

    Raises:
        InvalidTool: it cannot answer as it is written; says what to write instead, and where.
    """
    names = _caller_names()

    def make(function: Callable[..., Any]) -> Callable[..., Any]:
        from voice_kernel.usertools.definition import define
        from voice_kernel.usertools.shelf import shelf

        known = next((made for made in shelf.tools if made.function is function), None)
        if known is None:
            known = define(
                function,
                name=name,
                sentences=[],
                effects=effects,
                asks=asks,
                thread=thread,
                names=names,
                for_models=False,
            )
            shelf.put(known)
        shelf.answer(type, known.name)
        return function

    return make


def _put(made: UserTool) -> list[str]:
    """Put a tool on the shelf; returns what is surprising about its sentences."""
    from voice_kernel.usertools.sentences import told
    from voice_kernel.usertools.shelf import AREA, shelf

    if _shell() is None:  # a module of tools, imported by a script: nobody speaks there
        shelf.put(made)
        return []
    from voice_kernel.usertools.understanding import understood

    app = _app_if_any()
    others = [other for other in shelf.tools if other.name != made.name]
    names = (
        {name for name, spec in app.registry.specs.items() if spec.area != AREA} if app is not None else ()
    )
    surprises = understood(made, others, names)
    shelf.put(made)
    return [told(made.name, meaning) for meaning in surprises]


# ---- where we are ---------------------------------------------------------------------------------

_INSIDE = 'Inside a tool call the functions themselves, or give it the main thread: @tool(thread="main").'


def _shell() -> Any:
    """Return the IPython shell of this process; None outside of a notebook and of IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _begun_app() -> App:
    """Return the session, begun now if it has not."""
    shell = _shell()
    if shell is None:
        raise KernelError(
            "ask needs a notebook or IPython around it.",
            hint='In a terminal or a script: voice-kernel say "run the tests".',
        )
    _require_main_thread()
    from voice_kernel.app import app_of

    return app_of(shell)


def _app_if_any() -> App | None:
    """Return the session, if one has begun."""
    module = sys.modules.get("voice_kernel.app")
    shell = _shell()
    return module.app_if_any(shell) if module is not None and shell is not None else None


def _open(app: App) -> App:
    if app.closed:
        raise KernelError("The session has ended.", hint="Load it again with %load_ext voice_kernel.")
    return app


def _require_main_thread() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise KernelError(
            "ask was called on another thread than the notebook's own: the code of a turn could not run.",
            hint=f"Call it from a cell, or say it in the panel. {_INSIDE}",
        )


def _on_loop(app: App, look: Callable[[], R]) -> R:
    """Look at something that belongs to the loop thread."""
    if app.closed or app.loop.is_current:
        return look()

    async def there() -> R:
        return look()

    return app.loop.run_sync(there(), LOOK_LIMIT_S)


def _caller_names() -> dict[str, Any]:
    """Return the local names where a decorator stands, for annotations that are only text."""
    frame = sys._getframe(2)
    return dict(frame.f_locals) if frame.f_locals is not frame.f_globals else {}
