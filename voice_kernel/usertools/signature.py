"""From a function's parameters to the arguments of a tool.

Annotations and defaults become the fields of an `Arguments` model, the `Args:` of a Google-style docstring
their descriptions. It also says how a value of each is spoken. It does not know sentences, nor how the
function is called.
"""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, create_model
from pydantic.errors import PydanticUserError

from voice_kernel.context import squash
from voice_kernel.errors import InvalidTool
from voice_kernel.language import _
from voice_kernel.toolbox.registry import Arguments
from voice_kernel.usertools.toolcontext import ToolContext

CONTEXT_NAME = "ctx"
"""A parameter of this name without a type is the context too."""
INFERRED = (bool, int, float, str)
"""A parameter without a type takes that of its default, if it is one of these."""

_PARAMETER = re.compile(r"\s*\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns?|Raises|Yields?|Examples?|Notes?|Attributes):\s*$")
_SEPARATORS = re.compile(r"\s*(?:,\s*and\b|,|;|\band\b)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Spoken:
    """How a value of a parameter is said."""

    kind: str = "query"
    """The kind of slot; see intents.slots. Empty when only `values` can be said."""
    values: tuple[tuple[str, Any], ...] = ()
    """What is said, as a template, and what it stands for."""
    sample: str = ""
    """What an example phrase says for it."""


@dataclass(frozen=True)
class Parameter:
    """One argument of a tool."""

    name: str
    required: bool
    spoken: Spoken
    by_position: bool = False
    """Whether the function takes it by position only."""


@dataclass(frozen=True)
class Signature:
    """What a function takes."""

    model: type[Arguments]
    parameters: tuple[Parameter, ...]
    context: str = ""
    """The parameter that takes the `ToolContext`; empty without one."""
    context_by_position: bool = False

    def call(self, function: Callable[..., Any], arguments: Arguments, context: ToolContext) -> Any:
        """Call the function with validated arguments."""
        positional: list[Any] = []
        named: dict[str, Any] = {}
        if self.context and self.context_by_position:
            positional.append(context)
        elif self.context:
            named[self.context] = context
        for parameter in self.parameters:
            value = getattr(arguments, parameter.name)
            if parameter.by_position:
                positional.append(value)
            else:
                named[parameter.name] = value
        return function(*positional, **named)


def signature_of(function: Callable[..., Any], names: Mapping[str, Any]) -> Signature:
    """Read what a function takes.

    Args:
        function: the user's function.
        names: names that annotations may use besides the function's globals.

    Raises:
        InvalidTool: a parameter cannot be an argument; names it, and what to write instead.
    """
    tool = function.__name__
    parameters = inspect.signature(function).parameters
    hints = _hints(function, names)
    described = argument_docs(inspect.getdoc(function) or "")
    context, context_by_position = "", False
    fields: dict[str, Any] = {}
    found: list[Parameter] = []
    for number, (name, parameter) in enumerate(parameters.items()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InvalidTool(
                _("{tool}: a tool cannot take {parameter}.").format(tool=tool, parameter=parameter),
                hint=_("Name each argument, so that it can be said and checked."),
                parameter=name,
            )
        by_position = parameter.kind is parameter.POSITIONAL_ONLY
        annotation = hints.get(name, parameter.empty)
        if _is_context(annotation) or (name == CONTEXT_NAME and annotation is parameter.empty):
            if context:
                raise InvalidTool(
                    _("{tool}: {context} and {name} are both the context.").format(
                        tool=tool, context=context, name=name
                    ),
                    parameter=name,
                )
            if by_position and number:
                raise InvalidTool(
                    _("{tool}: {name} must come first, or not before the /.").format(tool=tool, name=name),
                    parameter=name,
                )
            context, context_by_position = name, by_position
            continue
        if number == 0 and name in ("self", "cls"):
            raise InvalidTool(
                _("{tool}: a method cannot be a tool.").format(tool=tool),
                hint=_("Write a function that calls it, and make that a tool."),
                parameter=name,
            )
        annotation = _typed(tool, parameter, annotation)
        spoken = spoken_of(annotation, name, parameter.default)
        fields[name] = _field(tool, parameter, annotation, described.get(name, ""))
        found.append(Parameter(name, parameter.default is parameter.empty, spoken, by_position))
    return Signature(_model(tool, fields), tuple(found), context, context_by_position)


def argument_docs(docstring: str) -> dict[str, str]:
    """Return what a Google-style docstring says of each argument, on one line each."""
    lines = inspect.cleandoc(docstring).splitlines()
    start = next(
        (i for i, line in enumerate(lines) if re.match(r"(Args|Arguments|Parameters):\s*$", line)), None
    )
    if start is None:
        return {}
    found: dict[str, str] = {}
    name, depth = "", None
    for line in lines[start + 1 :]:
        if line.strip() and not line[0].isspace():
            break  # the next section
        indent = len(line) - len(line.lstrip())
        if line.strip() and depth is None:
            depth = indent
        match = _PARAMETER.match(line) if indent == depth else None
        if match:
            name = match.group(1)
            found[name] = match.group(2).strip()
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def summary_of(docstring: str) -> str:
    """Return a docstring's first paragraph on one line."""
    lines: list[str] = []
    for line in inspect.cleandoc(docstring).splitlines():
        if not line.strip() or _SECTION.match(line):
            break
        lines.append(line.strip())
    return " ".join(lines)


# ---- types ----------------------------------------------------------------------------------------


def spoken_of(annotation: Any, name: str, default: Any = inspect.Parameter.empty) -> Spoken:
    """Say how a value of a type is spoken.

    Args:
        annotation: the type.
        name: the parameter's name, which an example says where there is nothing better.
        default: its default value; an example says it where it can be said.
    """
    plain = _plain(annotation)
    words = name.replace("_", " ").strip()
    if plain is bool:
        return Spoken("", (("(yes|true|on|ja|an)", True), ("(no|false|off|nein|aus)", False)), "yes")
    if plain is int:
        return Spoken("integer", sample=str(default) if type(default) is int else "3")
    if plain is float:
        return Spoken("decimal", sample=str(default) if isinstance(default, float | int) else "0.5")
    if typing.get_origin(plain) is Literal:
        choices = typing.get_args(plain)
        if all(type(choice) is int for choice in choices):
            return Spoken("integer", sample=str(choices[0]))
        return _choices([(str(choice), choice) for choice in choices])
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        pairs = [(member.name, _enum_value(plain, member)) for member in plain]
        pairs += [(member.value, member.value) for member in plain if isinstance(member.value, str)]
        return _choices(pairs)
    if isinstance(plain, type) and issubclass(plain, PurePath):
        return Spoken("path", sample=str(default) if isinstance(default, str | PurePath) else "data.csv")
    said = isinstance(default, str) and re.fullmatch(r"\w+(?: \w+){0,3}", default)
    return Spoken("query", sample=default if said else words)


def _plain(annotation: Any) -> Any:
    """Return a type without `Annotated` and without None."""
    while typing.get_origin(annotation) is Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [part for part in typing.get_args(annotation) if part is not type(None)]
        return _plain(rest[0]) if len(rest) == 1 else annotation
    return annotation


def _choices(pairs: Iterable[tuple[str, Any]]) -> Spoken:
    """Return the choices by what is said for them: in words, and as they are written."""
    values: dict[str, Any] = {}
    for text, value in pairs:
        parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)
        written = "".join(mark for mark in text.lower() if mark.isalnum() or mark in "_-+#. ")
        for said in dict.fromkeys((" ".join(parts).lower(), " ".join(written.split()))):
            if said:
                values.setdefault(said, value)
    return Spoken("", tuple(values.items()), next(iter(values), ""))


def _enum_value(kind: type[enum.Enum], member: enum.Enum) -> Any:
    """Return what stands for a member in JSON: its value where that can, else its name."""
    return member.value if _has_plain_values(kind) else member.name


def _has_plain_values(kind: type[enum.Enum]) -> bool:
    return all(isinstance(member.value, str | int | float) for member in kind)


def _is_context(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, ToolContext)


def _typed(tool: str, parameter: inspect.Parameter, annotation: Any) -> Any:
    """Return the type of a parameter, taken from its default where none is written."""
    if annotation is parameter.empty:
        kind = next((kind for kind in INFERRED if type(parameter.default) is kind), None)
        if kind is None:
            raise InvalidTool(
                _("{tool}: the argument {name} has no type.").format(tool=tool, name=parameter.name),
                hint=_("Write {name}: str (or int, float, bool, Path, Literal[...], list[str]).").format(
                    name=parameter.name
                ),
                parameter=parameter.name,
            )
        return kind
    if parameter.default is None and type(None) not in typing.get_args(annotation):
        return annotation | None if isinstance(annotation, type) else typing.Union[annotation, None]  # noqa: UP007 - of any form
    return annotation


def _field(tool: str, parameter: inspect.Parameter, annotation: Any, description: str) -> tuple[Any, Any]:
    """Return the model's field, checked by itself so that an error can name it."""
    name = parameter.name
    if name.startswith("_") or (name.startswith("model_") and hasattr(Arguments, name)):
        wrong = _("{tool}: an argument cannot be named {name}.").format(tool=tool, name=name)
        raise InvalidTool(wrong, parameter=name)
    annotation = _lenient(annotation)
    try:
        TypeAdapter(annotation, config=ConfigDict(extra="forbid")).json_schema()
    except (PydanticUserError, TypeError, NameError) as error:
        shown = inspect.formatannotation(_plain(parameter.annotation))
        raise InvalidTool(
            _(
                "{tool}: the argument {name} is of the type {shown}, which can be neither said nor written."
            ).format(tool=tool, name=name, shown=shown),
            hint=_("Take what a person can say, such as the name of a variable as str, and look it up."),
            parameter=name,
        ) from error
    default = ... if parameter.default is parameter.empty else parameter.default
    return annotation, Field(default, description=description or None)


def _lenient(annotation: Any) -> Any:
    """Return a type that also takes what speech gives for it: "a, b and c" for a list, a member's name."""
    plain = _plain(annotation)
    if typing.get_origin(plain) in (list, tuple, set, frozenset) or plain in (list, tuple, set, frozenset):
        return Annotated[annotation, BeforeValidator(_split)]
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        if _has_plain_values(plain):
            return Annotated[annotation, BeforeValidator(_member_by_name(plain))]
        names: Any = Literal[tuple(member.name for member in plain)]
        by_name = Annotated[names, AfterValidator(lambda name: plain[name])]
        return by_name if annotation is plain else typing.Union[by_name, None]  # noqa: UP007 - made at run time
    return annotation


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [part for part in _SEPARATORS.split(value) if part]


def _member_by_name(kind: type[enum.Enum]) -> Callable[[Any], Any]:
    by_name = {squash(member.name): member for member in kind}
    values = {member.value for member in kind}

    def find(value: Any) -> Any:
        if isinstance(value, str) and value not in values:
            return by_name.get(squash(value), value)
        return value

    return find


def _model(tool: str, fields: dict[str, Any]) -> type[Arguments]:
    with warnings.catch_warnings():
        # An argument may be named `copy` or `schema`: nobody asks our models for those.
        warnings.simplefilter("ignore")
        try:
            return create_model(f"{tool}_arguments", __base__=Arguments, **fields)
        except (PydanticUserError, NameError, TypeError) as error:
            raise InvalidTool(
                _("{tool}: its arguments cannot be read: {error}").format(tool=tool, error=error)
            ) from error


def _hints(function: Callable[..., Any], names: Mapping[str, Any]) -> dict[str, Any]:
    # What it returns is its own business: only what it takes is read.
    taken = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    try:
        return typing.get_type_hints(
            types.SimpleNamespace(__annotations__=taken),
            globalns=getattr(function, "__globals__", {}),
            localns=dict(names),
            include_extras=True,
        )
    except NameError as error:
        raise InvalidTool(
            _("{tool}: a type cannot be read: {error}.").format(tool=function.__name__, error=error),
            hint=_("Define or import it before the function."),
        ) from error
    except TypeError as error:
        raise InvalidTool(
            _("{tool}: a type cannot be read: {error}.").format(tool=function.__name__, error=error)
        ) from error
