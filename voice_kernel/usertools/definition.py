"""A function is checked and becomes a `UserTool`; what is wrong is said at the line where it is written."""

from __future__ import annotations

import ast
import inspect
import keyword
import linecache
import re
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from voice_kernel.errors import InvalidTool
from voice_kernel.language import _
from voice_kernel.toolbox.registry import Effect, Effects
from voice_kernel.usertools.sentences import (
    Sentence,
    default_templates,
    sentences_of,
    source_of,
)
from voice_kernel.usertools.signature import Signature, signature_of, summary_of

Thread = Literal["worker", "main", "process"]
Templates = Sequence[str] | Mapping[str, Mapping[str, Any]]
"""Sentence templates, or each with the arguments that it gives without saying them."""

EFFECTS: Effects = frozenset({"execute"})
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""Source: OpenAI, function calling: names of functions."""


@dataclass(frozen=True, eq=False)
class UserTool:
    """A function of the user's as a tool."""

    name: str
    function: Callable[..., Any]
    description: str
    """One sentence for models and for help."""
    signature: Signature
    sentences: tuple[Sentence, ...]
    effects: Effects
    asks: str
    """Why it always asks before it runs; empty when it does not."""
    thread: Thread
    place: str
    """Where it is written."""
    for_models: bool = True
    """Whether a model may call it; what only answers a click is not for one."""

    @property
    def awaits(self) -> bool:
        """Whether it is an `async def`."""
        return inspect.iscoroutinefunction(self.function)

    @property
    def source(self) -> str:
        """Its sentences, as a source of the grammar."""
        return source_of(self.name, self.sentences, self.signature.parameters)


def define(
    function: Callable[..., Any],
    *,
    name: str = "",
    sentences: Templates | str | None = None,
    effects: Collection[str] = EFFECTS,
    asks: bool | str = False,
    thread: Thread = "worker",
    names: Mapping[str, Any] | None = None,
    for_models: bool = True,
) -> UserTool:
    """Check a function and make a tool of it.

    Args:
        function: the user's function.
        name: the tool's name; the function's by default.
        sentences: templates of what is said; None for one from its name.
        effects: what a call may do to the world.
        asks: whether every call asks first, or why.
        thread: where a function that is no `async def` runs.
        names: names that annotations may use besides the function's globals.
        for_models: whether a model may call it.

    Raises:
        InvalidTool: it cannot be a tool as it is; says what to write instead, and where.
    """
    try:
        made = _define(function, name, sentences, effects, asks, thread, names or {})
        return made if for_models else replace(made, for_models=False)
    except InvalidTool as error:
        if not error.place:
            error.place = place_of(function, error.parameter)
        raise


def _define(
    function: Callable[..., Any],
    name: str,
    sentences: Templates | str | None,
    effects: Collection[str],
    asks: bool | str,
    thread: Thread,
    names: Mapping[str, Any],
) -> UserTool:
    if not inspect.isroutine(function) or not hasattr(function, "__code__"):
        what = _("a class") if inspect.isclass(function) else f"a {type(function).__name__}"
        raise InvalidTool(
            _("@tool is for functions, not for {what}.").format(what=what),
            hint=_("Write a def, and put @tool above it."),
        )
    name = name or function.__name__
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or "__" in name:
        raise InvalidTool(
            _("{name} cannot be the name of a tool.").format(name=repr(name)),
            hint=_('Give it one of letters, digits and single _: @tool(name="train_model").'),
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidTool(
            _("{tool}: a function with yield cannot be a tool.").format(tool=name),
            hint=_("Return the result, and say what happens on the way with ctx.progress and ctx.output."),
        )
    known = get_args(Effect)
    wrong = [effects] if isinstance(effects, str) else [effect for effect in effects if effect not in known]
    if wrong:
        raise InvalidTool(
            _("{tool}: {wrong} is not a set of effects.").format(tool=name, wrong=repr(wrong[0])),
            hint=_("Write effects={example}, of: {known}.").format(
                example=f'{{"{known[0]}"}}', known=", ".join(known)
            ),
        )
    if thread not in get_args(Thread):
        wanted = _('{tool}: thread is "worker", "main" or "process", not {thread}.')
        raise InvalidTool(wanted.format(tool=name, thread=repr(thread)))
    signature = signature_of(function, names)
    given = _templates(name, sentences, signature)
    why = asks if isinstance(asks, str) else _("its author wants it to") if asks else ""
    return UserTool(
        name=name,
        function=function,
        description=summary_of(inspect.getdoc(function) or "") or f"Run {name.replace('_', ' ')}.",
        signature=signature,
        sentences=sentences_of(name, given, signature.parameters, ours=sentences is None),
        effects=frozenset(effects),  # type: ignore[arg-type]  # each has been looked up above
        asks=_("It asks because {reason}.").format(reason=why.rstrip(".")) if why else "",
        thread=thread,
        place=place_of(function),
    )


def _templates(
    name: str, sentences: Templates | str | None, signature: Signature
) -> dict[str, Mapping[str, Any]]:
    if sentences is None:
        return {template: {} for template in default_templates(name, signature.parameters)}
    if isinstance(sentences, str):
        return {sentences: {}}
    if isinstance(sentences, Mapping):
        return dict(sentences)
    return {template: {} for template in sentences}


def place_of(function: Callable[..., Any], parameter: str = "") -> str:
    """Return where a function, or one of its parameters, is written: `line 4: def train(epochs):`."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return ""
    number = code.co_firstlineno
    try:
        lines, first = inspect.getsourcelines(function)
        number = first + _line_in("".join(lines), parameter) - 1
    except (OSError, SyntaxError, TypeError):  # written where no source is kept
        pass
    text = linecache.getline(code.co_filename, number).strip()
    # IPython gives every cell a file name of its own, which nobody knows.
    file = (
        "" if "ipykernel" in code.co_filename or code.co_filename.startswith("<") else f"{code.co_filename}, "
    )
    return f"{file}line {number}" + (f": {text}" if text else "")


def _line_in(source: str, parameter: str) -> int:
    """Return the line, from 1, of a parameter in the source of its function, or of its `def`."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            taken = node.args
            everything = [*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg]
            named = [arg for arg in everything if arg is not None and arg.arg == parameter]
            return named[0].lineno if named else node.lineno
        if isinstance(node, ast.ClassDef):
            return node.lineno
    return 1
