"""Widgets are read from whatever a person has, and kept within bounds."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from chatkit.widgets import BasicRoot, DynamicWidgetRoot

from voice_kernel import Widget
from voice_kernel import messages as wire
from voice_kernel.errors import InvalidWidget
from voice_kernel.store.rows import capped
from voice_kernel.widgets.document import MAX_BYTES, as_root, components, from_template, is_widget

CARD: dict[str, Any] = {"type": "Card", "children": [{"type": "Title", "value": "Hello"}]}


def test_a_dict_is_copied() -> None:
    root = as_root(CARD)
    root["children"][0]["value"] = "changed"
    assert CARD["children"][0]["value"] == "Hello"


def test_an_object_of_chatkit_becomes_its_json_without_what_is_not_given() -> None:
    card = DynamicWidgetRoot.model_validate({**CARD, "asForm": True})
    assert as_root(card) == {**CARD, "asForm": True}


def test_a_component_that_cannot_stand_alone_is_put_into_a_root() -> None:
    assert as_root({"type": "Button", "label": "Go"}) == {
        "type": "Basic",
        "children": [{"type": "Button", "label": "Go"}],
    }


def test_moments_become_text() -> None:
    picker = {"type": "DatePicker", "name": "day", "defaultValue": datetime.date(2026, 11, 23)}
    assert as_root({"type": "Card", "children": [picker]})["children"][0]["defaultValue"] == "2026-11-23"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a text", "is no widget"),
        ({"children": []}, "has no type"),
        ({"type": "Card", "children": [{"type": "Text", "value": float("nan")}]}, "JSON"),
        ({"type": "Card", "children": [{"type": "Text", "value": object()}]}, "JSON"),
        ({"type": "Card", "children": [{"type": "Text", "value": "x" * 150_000}]}, "characters"),
        ({"type": "Card", "children": [{"type": "Text", "value": "x" * MAX_BYTES}]}, "bytes"),
    ],
)
def test_what_is_no_widget_or_too_much_of_one_is_refused_in_words(value: Any, said: str) -> None:
    with pytest.raises(InvalidWidget, match=said):
        as_root(value)


def test_a_widget_that_is_too_deep_is_refused() -> None:
    root: dict[str, Any] = {"type": "Box"}
    for _ in range(60):
        root = {"type": "Box", "children": [root]}
    with pytest.raises(InvalidWidget, match="deep"):
        as_root({"type": "Card", "children": [root]})


def test_a_widget_within_itself_is_refused() -> None:
    root: dict[str, Any] = {"type": "Card", "children": []}
    root["children"].append(root)
    with pytest.raises(InvalidWidget, match="JSON"):
        as_root(root)


def test_unknown_components_and_fields_pass_through() -> None:
    root = {"type": "Card", "children": [{"type": "Progress", "value": 40, "surprise": [1]}]}
    assert as_root(root) == root


def test_a_transition_has_one_child() -> None:
    root = {"type": "Card", "children": [{"type": "Transition", "children": {"type": "Text", "value": "x"}}]}
    assert [component["type"] for component in components(root)] == ["Card", "Transition", "Text"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (CARD, True),
        (BasicRoot(children=[]), True),
        (Widget(CARD), True),
        ({"type": "Card"}, False),
        ({"type": "visa", "children": []}, False),
        ({"price": 1}, False),
        ("Card", False),
    ],
)
def test_a_result_is_taken_for_a_widget_only_where_it_can_be_nothing_else(value: Any, expected: bool) -> None:
    assert is_widget(value) is expected


def template(path: Path, text: str) -> Path:
    path.write_text(
        json.dumps({"version": "1.0", "name": "seat", "template": text, "jsonSchema": {}}), encoding="utf-8"
    )
    return path


def test_a_widget_file_is_filled_in(tmp_path: Path) -> None:
    file = template(
        tmp_path / "seat.widget",
        '{"type": "Card", "children": [{"type": "Title", "value": {{ seat | tojson }}}]}',
    )
    assert from_template(file, {"seat": '12"A'})["children"][0]["value"] == '12"A'
    assert repr(Widget.from_file(file, {"seat": "12A"})) == "12A"


@pytest.mark.parametrize(
    ("text", "data"),
    [('{"type": ', {}), ('{"type": "Card", "children": [{{ a.b.c | tojson }}]}', {}), ("{% if %}", {})],
)
def test_a_widget_file_that_does_not_fit_is_named(tmp_path: Path, text: str, data: dict[str, Any]) -> None:
    file = template(tmp_path / "broken.widget", text)
    with pytest.raises(InvalidWidget, match=r"broken\.widget"):
        from_template(file, data)
    with pytest.raises(InvalidWidget, match="cannot be read"):
        from_template(tmp_path / "absent.widget")


def test_halves_of_characters_are_replaced_so_that_it_can_be_sent() -> None:
    root = as_root({"type": "Card", "children": [{"type": "Text", "value": "caf\udce9.csv"}]})
    assert json.dumps(root, ensure_ascii=False).encode()


def test_the_history_keeps_the_widgets_that_fit() -> None:
    small = wire.Widget(id="a", root=as_root(CARD))
    large = wire.Widget(id="b", root=as_root({"type": "Card", "children": texts(240)}))
    kept = capped(wire.Result(summary="Two.", widgets=[small, large, large]))
    assert [widget.id for widget in kept.widgets] == ["a", "b"]
    assert capped(wire.Result(widgets=[small])).widgets == [small]


def texts(count: int) -> list[dict[str, Any]]:
    return [{"type": "Text", "value": "x" * 1_000} for _ in range(count)]
