"""No field of ChatKit's types is unknown to the renderer: a new one of theirs is seen here first."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest

widgets = pytest.importorskip("chatkit.widgets")

RENDERER = Path(__file__).parents[3] / "labextension" / "src" / "panel" / "widgets"
OPTIONS = ("SelectOption", "RadioOption", "EditableProps", "XAxisConfig", "Border", "Borders", "Spacing")


def fields_of_the_sdk() -> dict[str, set[str]]:
    """Return the fields of each component and of what stands in them."""
    union = typing.get_args(widgets.StrictWidgetComponent)[0]
    roots = (widgets.Card, widgets.ListView, *typing.get_args(typing.get_args(widgets.Series)[0]))
    found = {kind.__name__: set(kind.model_fields) for kind in (*typing.get_args(union), *roots)}
    assert len(found) >= 28
    for name in OPTIONS:
        found[name] = set(typing.get_type_hints(getattr(widgets, name)))
    return found


def test_the_renderer_reads_every_field_of_the_sdks_components() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in RENDERER.rglob("*.ts*"))
    read = set(re.findall(r"'(\w+)'", source))
    unread = {
        f"{kind}.{field}"
        for kind, fields in fields_of_the_sdk().items()
        for field in fields
        if field not in read
    }
    assert unread == set()
