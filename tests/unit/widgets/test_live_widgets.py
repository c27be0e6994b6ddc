"""The widgets whose clicks count: bounded, told of in order, drawn not too often, known by their actions."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from voice_kernel.errors import InvalidArguments
from voice_kernel.events import Hub, Subscription
from voice_kernel.messages import About, ActionConfig, Widget, WidgetChanged, WidgetUpdated
from voice_kernel.widgets.actions import arguments_of, component_of, label_of
from voice_kernel.widgets.document import Json
from voice_kernel.widgets.live import MAX_LIVE, LiveWidgets
from voice_kernel.widgets.update import applied

WAIT_S = 30.0


def text(value: str, **fields: Any) -> Json:
    return {"type": "Card", "children": [{"type": "Text", "id": "t", "value": value, **fields}]}


def test_the_oldest_is_forgotten_past_the_limit() -> None:
    live = LiveWidgets()
    shown = [live.add(text(str(n))).id for n in range(MAX_LIVE + 1)]
    assert live.get(shown[0]) is None
    assert [widget.id for widget in live.all()] == shown[1:]
    assert not live.change(shown[0], text("x"))


def test_ids_cannot_be_guessed() -> None:
    live = LiveWidgets()
    names = {live.add(text("x")).id for _ in range(40)}
    assert len(names) == 40
    assert all(len(name) == 32 for name in names)


def test_listeners_hear_every_change_in_its_order() -> None:
    live = LiveWidgets()
    heard: list[tuple[Widget, list[Json]]] = []
    stop = live.listen(lambda widget, updates: heard.append((widget, updates)))
    shown = live.add(text("A", streaming=True))
    live.change(shown.id, text("AB", streaming=True))
    live.change(shown.id, text("AB", streaming=True))
    live.change(shown.id, text("C"))
    stop()
    live.change(shown.id, text("D"))
    assert [[update["type"] for update in updates] for _, updates in heard] == [
        [],
        ["widget.streaming_text.value_delta"],
        ["widget.root.updated"],
    ]


def test_a_cell_is_drawn_with_the_newest_state_and_not_for_each() -> None:
    live = LiveWidgets()
    drawn: list[str] = []
    newest = threading.Event()

    def place(widget: Widget) -> None:
        drawn.append(widget.root["children"][0]["value"])
        if drawn[-1] == "99":
            newest.set()

    shown = live.add(text("-"))
    live.show_at(shown.id, place)
    began = time.monotonic()
    for n in range(100):
        live.change(shown.id, text(str(n)))
    assert newest.wait(WAIT_S)
    assert drawn[0] == "0"
    assert len(drawn) <= 2 + 10 * (time.monotonic() - began) + 1


async def received(subscription: Subscription, root: Json) -> Json:
    """Apply what a page would receive to what it has."""
    for message in await subscription.changes():
        if isinstance(message, WidgetChanged):
            root = message.widget.root
        elif isinstance(message, WidgetUpdated):
            root = applied(root, [message.update])
    return root


@pytest.mark.parametrize("every", [1, 3, 1_000])
async def test_a_page_that_is_slow_ends_with_the_same_widget(every: int) -> None:
    live, hub = LiveWidgets(), Hub(About(version="1"))
    live.listen(hub.redraw)
    _, page = hub.subscribe()
    shown = live.add(text("", streaming=True))
    seen = await received(page, {})
    states = [text("ab"[: n % 3] * 2 + "c" * n, streaming=n % 4 != 0) for n in range(60)]
    states += [text("c" * n, streaming=True) for n in range(200)]
    waiting = 0
    for n, state in enumerate(states, 1):
        live.change(shown.id, state)
        waiting += 1
        if n % every == 0:
            seen, waiting = await received(page, seen), 0
    if waiting:
        seen = await received(page, seen)
    assert seen["children"][0]["value"] == "c" * 199
    assert hub.state().widgets[-1].root == states[-1]


async def test_many_small_steps_of_a_text_reach_a_page_as_one() -> None:
    live, hub = LiveWidgets(), Hub(About(version="1"))
    live.listen(hub.redraw)
    shown = live.add(text("", streaming=True))
    _, page = hub.subscribe()
    for n in range(1, 500):
        live.change(shown.id, text("x" * n, streaming=True))
    (message,) = await page.changes()
    assert isinstance(message, WidgetUpdated)
    assert message.update["delta"] == "x" * 499


SEATS: Json = {
    "type": "Card",
    "confirm": {"label": "Book", "action": {"type": "book", "payload": {"seat": "1A"}}},
    "children": [
        {
            "type": "Button",
            "key": "one",
            "label": "First",
            "onClickAction": {"type": "go", "payload": {"n": 1}},
        },
        {
            "type": "Button",
            "key": "two",
            "label": "Second",
            "onClickAction": {"type": "go", "payload": {"n": 2}},
        },
        {
            "type": "ListViewItem",
            "onClickAction": {"type": "open", "handler": "client"},
            "children": [{"type": "Text", "value": "Open it"}],
        },
    ],
}


def test_a_click_means_the_component_that_has_its_very_action() -> None:
    found = component_of(SEATS, ActionConfig(type="go", payload={"n": 2}))
    assert found is not None
    assert label_of(found, ActionConfig(type="go", payload={"n": 2})) == "Second"
    card = component_of(SEATS, ActionConfig(type="book", payload={"seat": "1A"}))
    assert card is not None
    assert label_of(card, ActionConfig(type="book", payload={"seat": "1A"})) == "Book"


@pytest.mark.parametrize(
    "action",
    [
        ActionConfig(type="go", payload={"n": 3}),
        ActionConfig(type="run_shell", payload={"command": "rm"}),
        ActionConfig(type="open"),
        ActionConfig(type="go"),
    ],
)
def test_an_action_that_does_not_stand_in_the_widget_is_none(action: ActionConfig) -> None:
    assert component_of(SEATS, action) is None


def test_an_action_in_a_payload_is_no_action() -> None:
    hidden = {"type": "Card", "children": [{"type": "Text", "data": {"onClickAction": {"type": "go"}}}]}
    assert component_of(hidden, ActionConfig(type="go")) is None


SCHEMA = {"properties": {"seat": {"type": "string"}, "count": {"type": "integer"}}}


def test_payload_and_form_become_arguments() -> None:
    action = ActionConfig(type="go", payload={"seat": "1A"})
    given = arguments_of(action, {"count": "2", "newsletter": True, "seat": "2B"}, SCHEMA)
    assert given == {"seat": "2B", "count": "2"}


def test_an_empty_field_is_no_number() -> None:
    assert arguments_of(ActionConfig(type="go"), {"count": "", "seat": ""}, SCHEMA) == {"seat": ""}


def test_a_tool_may_take_payload_and_form_as_they_are() -> None:
    schema = {"properties": {"payload": {}, "values": {}}}
    assert arguments_of(ActionConfig(type="go", payload=[1]), {"a": {"b": 1}}, schema) == {
        "payload": [1],
        "values": {"a": {"b": 1}},
    }


def test_a_payload_without_names_needs_a_tool_that_takes_it() -> None:
    with pytest.raises(InvalidArguments, match="no names"):
        arguments_of(ActionConfig(type="go", payload=[1]), {}, SCHEMA)
