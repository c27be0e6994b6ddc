"""What changes between two states of a widget, as ChatKit tells it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from chatkit.server import diff_widget
from chatkit.widgets import DynamicWidgetRoot

from voice_kernel.widgets.update import applied, diff

DELTA = "widget.streaming_text.value_delta"


def card(value: str, *, name: str = "t", **fields: Any) -> dict[str, Any]:
    text = {"type": "Text", "id": name, "value": value, **fields}
    return {
        "type": "Card",
        "children": [{"type": "Row", "children": [text]}, {"type": "Title", "value": "x"}],
    }


def test_text_that_grows_is_sent_as_what_was_added() -> None:
    assert diff(card("A", streaming=True), card("A seat", streaming=True)) == [
        {"type": DELTA, "component_id": "t", "delta": " seat", "done": False}
    ]


def test_the_end_of_a_text_is_told() -> None:
    assert diff(card("A", streaming=True), card("A")) == [
        {"type": DELTA, "component_id": "t", "delta": "", "done": True}
    ]


@pytest.mark.parametrize(
    "after",
    [
        card("B"),
        card("A", name="other"),
        card("A", color="red"),
        {"type": "Card", "children": []},
        {"type": "ListView", "children": []},
    ],
)
def test_all_else_is_a_new_root(after: dict[str, Any]) -> None:
    assert diff(card("A"), after) == [{"type": "widget.root.updated", "widget": after}]


def test_nothing_is_sent_of_what_stayed() -> None:
    assert diff(card("A"), card("A")) == []


def test_a_text_without_an_id_that_grows_is_not_lost() -> None:
    before, after = (
        {"type": "Card", "children": [{"type": "Text", "value": value}]} for value in ("A", "AB")
    )
    assert applied(before, diff(before, after)) == after  # the SDK's own rule sends nothing


def test_a_component_is_replaced_where_it_stands() -> None:
    update = {"type": "widget.component.updated", "component_id": "t", "component": {"type": "Badge"}}
    assert applied(card("A"), [update])["children"][0]["children"] == [{"type": "Badge"}]


@pytest.mark.parametrize(
    "update",
    [
        {"type": "widget.component.updated", "component_id": "nowhere", "component": {"type": "Badge"}},
        {"type": DELTA, "component_id": "nowhere", "delta": "x", "done": True},
        {"type": DELTA, "component_id": 7, "delta": None},
        {"type": "widget.root.updated"},
        {"type": "of.another.day"},
    ],
)
def test_an_update_that_fits_nothing_changes_nothing(update: dict[str, Any]) -> None:
    assert applied(card("A"), [update]) == card("A")


def random_root(chance: random.Random) -> dict[str, Any]:
    words = ["A", "A seat", "A seat on"]
    texts = [
        {"type": chance.choice(["Text", "Markdown"]), "id": f"t{n}", "value": chance.choice(words)}
        for n in range(chance.randint(1, 2))
    ]
    for text in texts if chance.random() < 0.2 else ():
        if chance.random() < 0.5:
            text["streaming"] = chance.random() < 0.5
    return {"type": "Card", "children": [{"type": "Col", "children": texts}, {"type": "Title", "value": "x"}]}


def test_any_state_follows_from_the_last_and_the_updates_as_in_the_sdk() -> None:
    chance = random.Random(7)
    agreed = 0
    for _ in range(1_000):
        before, after = random_root(chance), random_root(chance)
        updates = diff(before, after)
        reached = applied(before, updates)
        assert [*texts(reached)] == [*texts(after)]
        try:
            theirs = diff_widget(
                DynamicWidgetRoot.model_validate(before), DynamicWidgetRoot.model_validate(after)
            )
        except (ValueError, AttributeError):  # it refuses texts that do not grow, and fields that come
            continue
        kinds = [update.type for update in theirs]
        if kinds and kinds != ["widget.root.updated"]:
            agreed += 1
            assert [update["type"] for update in updates] == kinds
    assert agreed > 20


def texts(root: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(t["id"], t["value"], bool(t.get("streaming"))) for t in root["children"][0]["children"]]
