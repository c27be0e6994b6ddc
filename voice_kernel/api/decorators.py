"""`@tool` and `@action`: functions of the user's become tools, and answer clicks in widgets."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from voice_kernel.api.place import app_if_any, shell_here

if TYPE_CHECKING:
    from voice_kernel.toolbox.registry import Effect
    from voice_kernel.usertools.definition import Templates, Thread, UserTool

P = ParamSpec("P")
R = TypeVar("R")

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
            any, its name is what to say; with `[]`, nothing is. In the session's language
            (`VOICE_KERNEL_LANGUAGE`): `["trainiere das Modell [für {epochs} Epochen]"]`. German puts its
            verbs at both ends: `["werte {table} aus", "{table} auswerten"]`.
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

        _speak()
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


def _speak() -> None:
    """Tell what is wrong in the settings' language, before a session has said in which."""
    if shell_here() is None or app_if_any() is not None:
        return
    from voice_kernel.language import use
    from voice_kernel.usertools.understanding import settings_here

    use(settings_here().language)


def _put(made: UserTool) -> list[str]:
    """Put a tool on the shelf; returns what is surprising about its sentences."""
    from voice_kernel.usertools.shelf import AREA, shelf

    if shell_here() is None:  # a module of tools, imported by a script: nobody speaks there
        shelf.put(made)
        return []
    from voice_kernel.usertools.understanding import surprises

    app = app_if_any()
    others = [other for other in shelf.tools if other.name != made.name]
    names = (
        {name for name, spec in app.registry.specs.items() if spec.area != AREA} if app is not None else ()
    )
    told = surprises(made, others, names)
    shelf.put(made)
    return told


def _caller_names() -> dict[str, Any]:
    """Return the local names where a decorator stands, for annotations that are only text."""
    frame = sys._getframe(2)
    return dict(frame.f_locals) if frame.f_locals is not frame.f_globals else {}
