"""The JSON of a widget, from whatever a person has: a dict, an object of ChatKit's, a `.widget` template.

What is taken in is a copy, and plain: names and values of JSON, so large and so deep at most. Which
components there are and which fields they have is for the page to know; unknown ones pass through.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voice_kernel.errors import InvalidWidget
from voice_kernel.language import _
from voice_kernel.language import number as grouped

MAX_BYTES = 256_000
"""Of a whole widget, as JSON."""
MAX_STRING_CHARS = 100_000
MAX_DEPTH = 40
"""Components within components, as in the page."""
ROOTS = frozenset({"Card", "ListView", "Basic"})

Json = dict[str, Any]


def is_widget(value: Any) -> bool:
    """Say whether a value is a widget: ours, an object of ChatKit's, or a dict that can be nothing else."""
    if isinstance(value, dict):
        return value.get("type") in ROOTS and isinstance(value.get("children"), list)
    return is_object(value) or isinstance(getattr(value, "_voice_kernel_root", None), dict)


def is_object(value: Any) -> bool:
    """Say whether a value is a component of ChatKit's Python types; imports nothing for it."""
    widgets = sys.modules.get("chatkit.widgets")
    return widgets is not None and isinstance(value, widgets.WidgetComponentBase)


def as_root(value: Any) -> Json:
    """Return a widget's JSON, as a copy.

    Args:
        value: a dict, an object of ChatKit's, or a `voice_kernel.Widget`. A component that cannot stand by
            itself, such as a Button, is put into a `Basic`.

    Raises:
        InvalidWidget: it is no widget, or more than can be shown.
    """
    own = getattr(value, "_voice_kernel_root", None)
    if isinstance(own, dict):
        value = own
    elif hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if not isinstance(value, Mapping):
        raise InvalidWidget(
            _("A {kind} is no widget.").format(kind=type(value).__name__),
            hint=_("Give a dict such as {example}, or an object of chatkit.widgets.").format(
                example='{"type": "Card", "children": [...]}'
            ),
        )
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidWidget(
            _("The widget cannot be written as JSON: {problem}.").format(problem=error),
            hint=_("Use texts, numbers, lists and dicts only."),
        ) from None
    whole = text.encode("utf-8", "replace")  # names of files may hold halves of characters, which no JSON can
    size = len(whole)
    if size > MAX_BYTES:
        raise InvalidWidget(
            _("The widget has {size} bytes of JSON; {most} can be shown.").format(
                size=grouped(size), most=grouped(MAX_BYTES)
            ),
            hint=_("Show fewer rows at once, or give pictures as links."),
        )
    root: Json = json.loads(whole)
    if not isinstance(root.get("type"), str) or not root["type"]:
        raise InvalidWidget(
            _('The widget has no type: its "type" is the name of a component.'),
            hint=_("At the top stands one of: {names}.").format(names=", ".join(sorted(ROOTS))),
        )
    _check(root, 1)
    return root if root["type"] in ROOTS else {"type": "Basic", "children": [root]}


def children_of(component: Mapping[str, Any]) -> list[Json]:
    """Return the components in a component: `children` is a list or, as in a Transition, one."""
    children = component.get("children")
    found = children if isinstance(children, list) else [children]
    return [child for child in found if isinstance(child, dict)]


def components(root: Json) -> Iterator[Json]:
    """Yield a widget's components, each before those in it."""
    yield root
    for child in children_of(root):
        yield from components(child)


def from_template(path: str | Path, data: Mapping[str, Any] | None = None) -> Json:
    """Return what a `.widget` file makes of some data.

    ChatKit's own `WidgetTemplate` reads it.

    Raises:
        InvalidWidget: there is no such file, it is no template, or the data do not fit it.
    """
    try:
        from chatkit.widgets import WidgetTemplate
    except ImportError:
        raise InvalidWidget(
            _("A .widget file needs openai-chatkit."),
            hint=_("Install it: {command}").format(command='%pip install "voice-kernel[server]"'),
        ) from None
    from jinja2 import TemplateError  # ChatKit's templates are Jinja's

    file = Path(path).expanduser().resolve()
    try:
        return as_root(WidgetTemplate.from_file(str(file)).build(dict(data or {})))
    except OSError as error:
        raise InvalidWidget(
            _("{path} cannot be read: {problem}.").format(path=path, problem=error.strerror)
        ) from None
    except (KeyError, TypeError, ValueError, TemplateError) as error:
        raise InvalidWidget(
            _("{path} makes no widget of these data: {problem}.").format(path=path, problem=error),
            hint=_("Give every value that it names."),
        ) from None


def _plain(value: Any) -> Any:
    """Write what JSON does not have: moments as ISO 8601, models by their own rules."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True, exclude_none=True)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _check(component: Json, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidWidget(_("The widget is more than {depth} components deep.").format(depth=MAX_DEPTH))
    for name, value in component.items():
        if isinstance(value, str) and len(value) > MAX_STRING_CHARS:
            raise InvalidWidget(
                _("{component}.{field} has {count} characters; {most} can be shown.").format(
                    component=component.get("type"),
                    field=name,
                    count=grouped(len(value)),
                    most=grouped(MAX_STRING_CHARS),
                )
            )
    for child in children_of(component):
        _check(child, depth + 1)
