"""What tools there are: names, arguments, effects, handlers. Knows nothing of what they do."""

from __future__ import annotations

import contextlib
import inspect
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from voice_kernel.errors import InvalidArguments, UnknownTool
from voice_kernel.language import _
from voice_kernel.messages import Diff, Result
from voice_kernel.task.runner import TaskFailed as ToolFailed
from voice_kernel.task.runner import TaskHandle

__all__ = ["Arguments", "Effect", "Effects", "Registry", "ToolFailed", "ToolSpec"]

Effect = Literal[
    "read",
    "values",
    "write",
    "execute",
    "delete",
    "install",
    "restart",
    "network",
    "send",
    "share",
    "shell",
    "unreadable",
]
"""What a call may do to the world; policy decides by it. `shell` marks what needs CLI execution;
`execute` runs code in the kernel or a process; `delete` is what undo cannot restore; `send` is what may
tell somebody something or act in the person's name elsewhere: a click on a page, a form; `share` gives what
the person works on to another machine; `values` tells values of the person's data; `unreadable` is what
nobody can tell before it has been done."""
Effects = frozenset[Effect]


class Arguments(BaseModel):
    """Base of every tool's arguments: frozen, unknown names refused."""

    # Built when a tool is first called: a session calls few of them.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="after")
    def _without_nul(self) -> Self:
        # No path, command or name can hold one: better said here than raised deep in a system call.
        for name, value in self:
            if isinstance(value, str) and "\0" in value:
                raise ValueError(f"{name} holds a NUL character")
        return self


Handler = Callable[[TaskHandle, Any], Awaitable[Result]]


@dataclass(frozen=True)
class ToolSpec:
    """One tool, as brains, policy and surfaces see it."""

    name: str
    area: str
    description: str
    """One sentence for models and for help."""
    arguments: type[Arguments]
    handler: Handler | None
    """None for a tool that is known but not available; `reason` then says why."""
    effects: Callable[[Any], Effects]
    target: Callable[[Any], str]
    """What a call touches, in a person's words: the command, the host, the file."""
    untrusted: bool = False
    """Whether its result carries text that neither the person nor we wrote: pages, files, servers, output
    of code and programs, names in data."""
    for_models: bool = True
    """Whether a model may call it; False for what only makes sense from a person's own mouth."""
    asks: str = ""
    """Why every call asks a person first, whatever its effects; empty when they decide."""
    reason: str = ""
    offered: bool = True
    """Whether models are offered it; False for what only other tools call for them."""
    attempt: bool = False
    """Whether a call is an attempt to make something work: a model may fail at it so often in a turn."""
    diff: Callable[[TaskHandle, Any], Awaitable[Diff | None]] | None = None
    """What a call would change in a cell's text, for the card that asks; None where there is no such cell."""
    time_limit: Callable[[Any], float | None] | None = None
    """Seconds that a call gives itself, or None. A tool that has one keeps `TaskHandle.time_left_s` by
    itself, and tells what it has by then; any other is cancelled when its time is over."""

    def json_schema(self) -> dict[str, Any]:
        """Return the arguments as JSON Schema."""
        return self.arguments.model_json_schema()

    def validate(self, arguments: dict[str, Any]) -> Arguments:
        """Return the arguments as their model.

        Raises:
            InvalidArguments: naming the first argument that does not fit.
        """
        try:
            return self.arguments.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or _("arguments")
            names = ", ".join(self.json_schema().get("properties", {})) or _("none")
            raise InvalidArguments(
                f"{self.name}: {where}: {first['msg']}.",
                hint=_("Its arguments are: {names}.").format(names=names),
            ) from None


@dataclass
class Registry:
    """Tools by name."""

    specs: dict[str, ToolSpec] = field(default_factory=dict)

    def tool(
        self,
        *,
        area: str,
        effects: Effects | Callable[[Any], Effects] = frozenset(),
        target: Callable[[Any], str] | None = None,
        untrusted: bool = False,
        for_models: bool = True,
        asks: str = "",
        time_limit: Callable[[Any], float | None] | None = None,
        attempt: bool = False,
        offered: bool = True,
        diff: Callable[[TaskHandle, Any], Awaitable[Diff | None]] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Register an async function `(task, args) -> Result` as the tool of its name.

        Its first docstring line becomes the description, the annotation of its second parameter
        the arguments. For the others see `ToolSpec`.
        """

        def register(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler, localns=_models_of(handler))
            parameters = list(inspect.signature(handler).parameters)
            arguments = hints[parameters[1]]
            self.add(
                ToolSpec(
                    name=handler.__name__,
                    area=area,
                    description=(inspect.getdoc(handler) or "").partition("\n")[0],
                    arguments=arguments,
                    handler=handler,
                    effects=effects if callable(effects) else _always(effects),
                    target=target or _first_value,
                    untrusted=untrusted,
                    for_models=for_models,
                    asks=asks,
                    time_limit=time_limit,
                    attempt=attempt,
                    offered=offered,
                    diff=diff,
                )
            )
            return handler

        return register

    def planned(
        self, name: str, area: str, arguments: type[Arguments], description: str, reason: str
    ) -> None:
        """Declare a tool that is known by name but cannot be used yet, and say why."""
        self.add(
            ToolSpec(
                name=name,
                area=area,
                description=description,
                arguments=arguments,
                handler=None,
                effects=_always(frozenset()),
                target=_first_value,
                reason=reason,
            )
        )

    def add(self, spec: ToolSpec) -> None:
        """Register a tool; a second one of the same name is a bug, unless the first was only planned."""
        known = self.specs.get(spec.name)
        if known is not None and known.handler is not None:
            raise ValueError(f"tool {spec.name} is registered twice")
        self.specs[spec.name] = spec

    def remove(self, name: str) -> None:
        """Forget a tool; calls that run go on."""
        self.specs.pop(name, None)

    def get(self, name: str) -> ToolSpec:
        """Return the tool of that name.

        Raises:
            UnknownTool: when there is none.
        """
        spec = self.specs.get(name)
        if spec is None:
            raise UnknownTool(
                _("There is no tool named {name!r}.").format(name=name),
                hint=_(
                    'Say "help" for what there is. If it is one of your own, run the cell that defines it.'
                ),
            )
        return spec

    def available(self) -> list[ToolSpec]:
        """Return the tools that can be used, by area and name."""
        usable = (spec for spec in self.specs.values() if spec.handler is not None)
        return sorted(usable, key=lambda spec: (spec.area, spec.name))


def _models_of(handler: Handler) -> dict[str, Any]:
    # `from __future__ import annotations` leaves names; models defined inside `register` functions
    # are only in the closure. What is defined below the handler is not there yet.
    found = {}
    for name, cell in zip(handler.__code__.co_freevars, handler.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):
            found[name] = cell.cell_contents
    return found


def _always(effects: Effects) -> Callable[[Any], Effects]:
    return lambda _arguments: effects


def _first_value(arguments: Arguments) -> str:
    for value in arguments.model_dump(exclude_none=True).values():
        if value not in ("", False):
            return str(value)
    return ""
