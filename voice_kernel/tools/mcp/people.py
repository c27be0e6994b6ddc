"""What a server may ask of a person while a tool of it runs: a form to fill in, or a page to sign in on.

A port: whoever wires the servers says who can be asked. Where nobody can, a server is told no at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from voice_kernel.messages import FormField

if TYPE_CHECKING:
    from voice_kernel.task.runner import TaskHandle

MAX_FIELDS = 30
MAX_TEXT = 2_000


class People(Protocol):
    """Who can be asked."""

    async def somebody(self) -> bool:
        """Return whether anybody can be asked now."""
        ...

    async def fill_in(
        self, task: TaskHandle, server: str, message: str, fields: list[FormField]
    ) -> dict[str, Any] | None:
        """Have a form filled in; None when the person declines, or nobody can be asked."""
        ...


class Nobody:
    """Where no person is."""

    async def somebody(self) -> bool:
        """Nobody can be asked."""
        return False

    async def fill_in(
        self, task: TaskHandle, server: str, message: str, fields: list[FormField]
    ) -> dict[str, Any] | None:
        """Nobody fills it in."""
        return None


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Return the fields of a form: the flat, simple properties a server may ask for.

    Source: MCP, elicitation (2025-11-25): strings, numbers, booleans, one or several of a list.

    Raises:
        ValueError: it asks for something else.
    """
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or len(properties) > MAX_FIELDS:
        raise ValueError("no form of simple fields")
    required = schema.get("required") or ()
    return [_field(str(name), about, name in required) for name, about in properties.items()]


def _field(name: str, about: Any, required: bool) -> FormField:
    if not isinstance(about, Mapping):
        raise ValueError("a field that is none")
    kind = about.get("type")
    several = kind == "array"
    of = about.get("items") if several else about
    if not isinstance(of, Mapping):
        raise ValueError("a list of nothing")
    choices = [(str(one), str(one)) for one in of.get("enum") or ()]
    named = of.get("anyOf") if several else of.get("oneOf")
    choices += [
        (str(one.get("const", "")), str(one.get("title") or one.get("const", "")))
        for one in named or ()
        if isinstance(one, Mapping)
    ]
    labels = about.get("enumNames")
    if choices and isinstance(labels, list) and len(labels) == len(choices):
        choices = [(value, str(label)) for (value, _), label in zip(choices, labels, strict=True)]
    if several and not choices:
        raise ValueError("a list of anything")
    if kind not in ("string", "number", "integer", "boolean", "array"):
        raise ValueError("a field of no simple kind")
    default = about.get("default")
    return FormField(
        name=name[:200],
        title=str(about.get("title") or name)[:200],
        description=str(about.get("description") or "")[:500],
        kind="choices" if several else "choice" if choices else "text" if kind == "string" else kind,
        required=required,
        choices=[value for value, _ in choices][:200],
        labels=[label for _, label in choices][:200],
        default=default if isinstance(default, str | int | float | bool | list) else None,
    )


def with_defaults(fields: list[FormField], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled in as the server wants it; what was left alone has its default.

    Raises:
        ValueError: a required field is missing, or a value is of the wrong kind.
    """
    values: dict[str, Any] = {}
    for field in fields:
        value = given.get(field.name, field.default)
        if value in (None, ""):
            if field.required and field.kind != "text":
                raise ValueError(f"{field.title} is missing")
            if field.required:
                values[field.name] = ""
            continue
        values[field.name] = _typed(field, value)
    return values


def _typed(field: FormField, value: Any) -> Any:
    match field.kind:
        case "boolean":
            if isinstance(value, bool):
                return value
        case "integer" | "number":
            number = float(value) if not isinstance(value, bool) else math.nan
            if math.isfinite(number) and (field.kind == "number" or number == int(number)):
                return int(number) if field.kind == "integer" else number
        case "choices":
            if isinstance(value, list) and all(one in field.choices for one in value):
                return [str(one) for one in value]
        case "choice":
            if value in field.choices:
                return str(value)
        case "text":
            return str(value)[:MAX_TEXT]
    raise ValueError(f"{field.title} is of the wrong kind")
