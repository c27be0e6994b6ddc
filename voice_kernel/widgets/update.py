"""What has changed between two states of a widget, in ChatKit's words, and a state after such a change.

Text that only grew is sent as what was added, everything else as a new root: the rule of `diff_widget` of
ChatKit's server (importing that costs a second and a half, since it brings the agents SDK; a test holds
ours against it). Where its rule would lose a change, the whole widget is sent.

Source: openai-chatkit 1.6, `chatkit.server.diff_widget`; `chatkit.types`, the three updates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voice_kernel.widgets.document import Json, components

ROOT = "widget.root.updated"
DELTA = "widget.streaming_text.value_delta"
STREAMED = frozenset({"Text", "Markdown"})


def diff(before: Json, after: Json) -> list[Json]:
    """Return the updates that make `after` of `before`; none where they are alike."""
    if before == after:
        return []
    texts = _texts(before)
    deltas = []
    for name, component in _texts(after).items():
        old, new = texts.get(name, {}).get("value"), component.get("value")
        done = not component.get("streaming")
        was_done = not texts.get(name, {}).get("streaming")
        if not isinstance(old, str) or not isinstance(new, str) or not new.startswith(old):
            continue
        if new != old or done != was_done:
            deltas.append({"type": DELTA, "component_id": name, "delta": new[len(old) :], "done": done})
    if deltas and _settled(applied(before, deltas)) == _settled(after):
        return deltas
    return [{"type": ROOT, "widget": after}]


def applied(root: Json, updates: Iterable[Json]) -> Json:
    """Return a widget after updates; one that names nothing that is there changes nothing."""
    for update in updates:
        match update:
            case {"type": "widget.root.updated", "widget": dict(widget)}:
                root = widget
            case {
                "type": "widget.component.updated",
                "component_id": str(name),
                "component": dict(component),
            }:
                root = _replaced(root, name, component)
            case {
                "type": "widget.streaming_text.value_delta",
                "component_id": str(name),
                "delta": str(delta),
            }:
                text = next((one for one in components(root) if one.get("id") == name), None)
                if text is not None:
                    grown = {**text, "value": f"{text.get('value') or ''}{delta}"}
                    grown["streaming"] = not update.get("done")
                    root = _replaced(root, name, grown)
    return root


def _texts(root: Json) -> dict[str, Json]:
    return {
        component["id"]: component
        for component in components(root)
        if component.get("type") in STREAMED and isinstance(component.get("id"), str) and component["id"]
    }


def _replaced(component: Json, name: str, new: Json) -> Json:
    if component.get("id") == name:
        return new
    children = component.get("children")
    if isinstance(children, dict):
        return {**component, "children": _replaced(children, name, new)}
    if isinstance(children, list):
        changed = [_replaced(child, name, new) if isinstance(child, dict) else child for child in children]
        return {**component, "children": changed}
    return component


def _settled(value: Any) -> Any:
    """Return JSON in which a text that does not grow any more says nothing of it."""
    if isinstance(value, dict):
        return {
            name: _settled(each)
            for name, each in value.items()
            if not (name == "streaming" and not each and value.get("type") in STREAMED)
        }
    if isinstance(value, list):
        return [_settled(each) for each in value]
    return value
