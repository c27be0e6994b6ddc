"""Which action of which component a click means, and what a tool is given for it.

A page says which action was clicked; only one that stands in the widget as it is now counts. So nobody gains
by sending another type or another payload than the widget's author wrote.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voice_kernel.errors import InvalidArguments
from voice_kernel.language import _
from voice_kernel.messages import ActionConfig
from voice_kernel.widgets.document import Json, components

MAX_LABEL_CHARS = 80
MAX_ITEM_CHARS = 200


def component_of(root: Json, action: ActionConfig, item_id: str = "") -> Json | None:
    """Return the component that has this very action; None when there is none.

    Args:
        root: the widget.
        action: what was clicked.
        item_id: the component's `id` or `key`, to tell those apart that have the same action.
    """
    found = [component for component in components(root) if _has(component, action)]
    named = [
        component for component in found if item_id and item_id in (component.get("id"), component.get("key"))
    ]
    return next(iter(named or found), None)


def item_of(root: Json, action: ActionConfig) -> str:
    """Return the `id` or `key` of the one component that has an action; empty where several have it."""
    found = [component for component in components(root) if _has(component, action)]
    name = (found[0].get("id") or found[0].get("key") or "") if len(found) == 1 else ""
    return name if isinstance(name, str) and len(name) <= MAX_ITEM_CHARS else ""


def label_of(component: Json, action: ActionConfig) -> str:
    """Return what a person sees of what they click on, for the words of the turn."""
    for button in ("confirm", "cancel"):
        part = component.get(button)
        if isinstance(part, dict) and _same(part.get("action"), action) and part.get("label"):
            return str(part["label"])[:MAX_LABEL_CHARS]
    for text in (component.get("label"), *(_texts(component))):
        if isinstance(text, str) and text.strip():
            return text.strip()[:MAX_LABEL_CHARS]
    return action.type


def arguments_of(
    action: ActionConfig, values: Mapping[str, Any], schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that a tool is given for a click.

    The payload's names are arguments, and the form's values those that the tool knows. A tool that takes an
    argument `payload`, or one `values`, gets these as they are.

    Args:
        action: what was clicked.
        values: of the form around it.
        schema: of the tool's arguments, as JSON Schema.

    Raises:
        InvalidArguments: the payload has no names, and the tool takes no `payload`.
    """
    known: Mapping[str, Any] = schema.get("properties", {})
    given: dict[str, Any] = {}
    if "payload" in known:
        given["payload"] = action.payload
    elif isinstance(action.payload, Mapping):
        given |= {str(name): value for name, value in action.payload.items()}
    elif action.payload is not None:
        raise InvalidArguments(
            _("The payload of {action} has no names.").format(action=action.type),
            hint=_("Write it as {example}, or let the tool take an argument payload.").format(
                example='{"name": value}'
            ),
        )
    if "values" in known:
        given["values"] = dict(values)
    else:
        given |= {
            name: value for name, value in values.items() if name in known and _filled(value, known[name])
        }
    return given


def _filled(value: Any, field: Mapping[str, Any]) -> bool:
    """Say whether a field was filled in: an empty one is no number, and no choice."""
    if value is None:
        return False
    return value != "" or field.get("type") == "string"


def _has(component: Json, action: ActionConfig) -> bool:
    return any(_same(written, action) for written in _written(component))


def _written(component: Json) -> Iterator[Any]:
    for name, value in component.items():
        if name.endswith("Action"):
            yield value
        elif name in ("confirm", "cancel") and isinstance(value, dict):
            yield value.get("action")


def _same(written: Any, action: ActionConfig) -> bool:
    return (
        isinstance(written, dict)
        and written.get("type") == action.type
        and written.get("payload") == action.payload
        and (written.get("handler") or "server") == action.handler
    )


def _texts(component: Json) -> Iterator[Any]:
    for inner in components(component):
        if inner.get("type") in ("Title", "Text", "Label", "Badge", "Caption"):
            yield inner.get("value") or inner.get("label")
