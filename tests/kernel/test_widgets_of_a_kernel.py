"""Widgets in a real kernel: shown by cells and tools, clicked, changed, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from real_kernel import Cell, RealKernel

MIME = "application/vnd.voice-kernel.widget+json"
SETUP = '''
import json, threading
import voice_kernel
from voice_kernel import ToolContext, Widget, action, ask, tasks, tool
from voice_kernel.app import app_if_any
from voice_kernel.messages import ActionConfig, WidgetAction

def card(text, *buttons, **fields):
    return {"type": "Card", "children": [{"type": "Text", "id": "text", "value": text, **fields}, *buttons]}

def button(type, payload=None, **fields):
    return {"type": "Button", "label": type,
            "onClickAction": {"type": type, "payload": payload, **fields}}

def click(widget_id, type, payload=None, values={}, **fields):
    """Click as a page does; returns the problem's kind, or None."""
    clicked = WidgetAction(id=1, widget_id=widget_id, values=values,
                           action=ActionConfig(type=type, payload=payload, **fields))
    app = app_if_any(get_ipython())
    done = app.wait(lambda: app.surfaces.widgets.act(clicked, "page"))
    return done.problem and done.problem.kind

def said(widget):
    return widget.root["children"][0]["value"]

@action("seat.change")
def change_seat(seat: str, ctx: ToolContext, count: int = 1):
    """Change the seat."""
    assert ctx.widget["type"] == "Card"
    ctx.update_widget(card(f"{seat} for {count}", button("seat.change", {"seat": "9F"})))

@action("all")
def everything(payload: dict, values: dict, ctx: ToolContext):
    ctx.update_widget(card(json.dumps([payload, values])))

@tool(sentences=["show the seat"])
async def show_seat(ctx: ToolContext):
    async def states():
        for end in (1, 2, 3):
            yield card("12C"[:end], button("seat.change", {"seat": "9F"}), streaming=end < 3)
    shown = await ctx.stream_widget(states(), copy_text="Your seat: 12C")
    assert shown.id

@tool(sentences=["return a card"])
def return_card():
    return card("returned")

@tool(sentences=["return an object"], thread="main")
def return_object():
    from chatkit.widgets import DynamicWidgetRoot
    return DynamicWidgetRoot.model_validate(card("made by the SDK"))

@tool(sentences=["fail with a card"])
def fail(ctx: ToolContext):
    ctx.stream_widget(card("so far"))
    raise ValueError("no more")

@tool(sentences=["show many"])
def many(ctx: ToolContext):
    for n in range(20):
        ctx.stream_widget(card(str(n)))

@tool(sentences=["show from a process"], thread="process")
def from_process(ctx: ToolContext):
    ctx.stream_widget(card("x"))

@tool(sentences=[], effects={"delete"})
def give_up(seat: str):
    return "gone"
'''


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKernel]:
    kernel = RealKernel(tmp_path_factory.mktemp("widgets"))
    kernel.execute("%load_ext voice_kernel").expect_ok()
    kernel.execute(SETUP).expect_ok()
    kernel.execute("first = await ask('list variables')").expect_ok()
    yield kernel
    kernel.stop()


def bundles(cell: Cell) -> list[dict[str, Any]]:
    """Return what a cell has displayed, updates included."""
    shown = ("display_data", "update_display_data")
    return [m["content"]["data"] for m in cell.messages if m["msg_type"] in shown]


def value(notebook: RealKernel, expression: str) -> Any:
    cell = notebook.execute(f"print(json.dumps({expression}))").expect_ok()
    return json.loads(cell.text.strip().splitlines()[-1])


def test_the_last_line_of_a_cell_shows_a_widget_in_every_form(notebook: RealKernel) -> None:
    (bundle,) = bundles(notebook.execute("w = Widget(card('12A <b>'))\nw").expect_ok())
    assert bundle[MIME]["widgets"][0]["root"]["children"][0]["value"] == "12A <b>"
    assert "12A &lt;b&gt;" in bundle["text/html"]
    assert bundle["text/plain"] == "12A <b>"


def test_a_widget_is_changed_where_it_was_shown(notebook: RealKernel) -> None:
    shown = notebook.execute("w = Widget(card('one'))\ndisplay(w)").expect_ok()
    changed = notebook.execute("w.update(card('two'))").expect_ok()
    notebook.until(lambda: any("two" in b["text/plain"] for b in bundles(shown) + bundles(changed)))
    assert value(notebook, "said(w)") == "two"


def test_an_object_of_chatkit_is_shown_as_a_widget(notebook: RealKernel) -> None:
    code = (
        "from chatkit.widgets import DynamicWidgetRoot\nDynamicWidgetRoot.model_validate(card('by the SDK'))"
    )
    (bundle,) = bundles(notebook.execute(code).expect_ok())
    assert bundle[MIME]["widgets"][0]["root"]["children"][0]["value"] == "by the SDK"


def test_a_click_calls_the_function_that_answers_its_action(notebook: RealKernel) -> None:
    notebook.execute("w = Widget(card('-', button('seat.change', {'seat': '9F'})))\nw").expect_ok()
    assert value(notebook, "click(w.id, 'seat.change', {'seat': '9F'}, {'count': '2', 'more': 1})") is None
    assert value(notebook, "said(w)") == "9F for 2"
    assert value(notebook, "[tasks.last.tool, tasks.last.state]") == ["change_seat", "succeeded"]


def test_a_click_may_hand_over_payload_and_form_whole(notebook: RealKernel) -> None:
    notebook.execute("w = Widget(card('-', button('all', {'a': [1]})))\nw").expect_ok()
    assert value(notebook, "click(w.id, 'all', {'a': [1]}, {'b': {'c': 2}})") is None
    assert json.loads(value(notebook, "said(w)")) == [{"a": [1]}, {"b": {"c": 2}}]


def test_a_click_may_call_a_tool_by_its_name(notebook: RealKernel) -> None:
    notebook.execute("w = Widget(card('-', button('run_code', {'code': 'clicked = 6 * 7'})))\nw").expect_ok()
    assert value(notebook, "click(w.id, 'run_code', {'code': 'clicked = 6 * 7'})") is None
    assert value(notebook, "clicked") == 42


@pytest.mark.parametrize(
    ("clicked", "kind"),
    [
        ("'0' * 32, 'seat.change', {'seat': '9F'}", "Refused"),  # no such widget
        ("w.id, 'seat.change', {'seat': '1A'}", "Refused"),  # another payload than its author wrote
        ("w.id, 'give_up', {'seat': '9F'}", "Refused"),  # an action that it does not have
        ("w.id, 'approve'", "Refused"),  # a control is no tool
        ("w.id, 'nobody.answers'", "Refused"),
        ("w.id, 'open_link', {'url': 'https://a.example'}, handler='client'", "Refused"),
        ("w.id, 'seat.change'", "InvalidArguments"),  # the seat is missing
        ("w.id, 'give_up', {'seat': '2B'}", "NobodyToAsk"),  # what deletes asks first
    ],
)
def test_a_click_that_may_not_or_cannot_is_answered_with_why(
    notebook: RealKernel, clicked: str, kind: str
) -> None:
    notebook.execute(
        "w = Widget(card('-', button('seat.change', {'seat': '9F'}), button('seat.change'),"
        " button('approve'), button('nobody.answers'), button('give_up', {'seat': '2B'}),"
        " button('open_link', {'url': 'https://a.example'}, handler='client')))\nw"
    ).expect_ok()
    assert value(notebook, f"click({clicked})") == kind
    assert value(notebook, "said(w)") == "-"


def test_what_a_tool_streams_is_kept_with_its_task(notebook: RealKernel) -> None:
    cell = notebook.execute("turn = await ask('show the seat')").expect_ok()
    assert value(notebook, "turn.results[0].summary") == "Your seat: 12C"
    root = value(notebook, "turn.results[0].widgets[0].root")
    assert root["children"][0] == {"type": "Text", "id": "text", "value": "12C", "streaming": False}
    assert bundles(cell)[-1]["text/plain"].startswith("“show the seat”")


def test_a_click_in_what_a_task_showed_changes_the_task_too(notebook: RealKernel) -> None:
    notebook.execute("turn = await ask('show the seat')\nshown = turn.results[0].widgets[0]").expect_ok()
    assert value(notebook, "click(shown.id, 'seat.change', {'seat': '9F'})") is None
    text = "tasks[shown.task_id].result.widgets[0].root['children'][0]['value']"
    assert value(notebook, text) == "9F for 1"


@pytest.mark.parametrize(
    ("words", "text"), [("return a card", "returned"), ("return an object", "made by the SDK")]
)
def test_a_widget_that_is_returned_is_shown(notebook: RealKernel, words: str, text: str) -> None:
    notebook.execute(f"turn = await ask('{words}')").expect_ok()
    assert value(notebook, "said(turn.results[0].widgets[0])") == text


def test_a_tool_that_fails_keeps_what_it_has_shown(notebook: RealKernel) -> None:
    notebook.execute(
        "try:\n    await ask('fail with a card')\nexcept Exception as error:\n    failed = error"
    )
    assert value(notebook, "[tasks.last.state, said(tasks.last.result.widgets[0])]") == ["failed", "so far"]


def test_a_tool_shows_so_many_widgets_and_no_more(notebook: RealKernel) -> None:
    notebook.execute("try:\n    await ask('show many')\nexcept Exception as error:\n    failed = error")
    assert value(notebook, "[tasks.last.problem.kind, len(tasks.last.result.widgets)]") == [
        "InvalidWidget",
        8,
    ]


def test_a_tool_in_another_process_says_that_it_cannot_show_any(notebook: RealKernel) -> None:
    notebook.execute(
        "try:\n    await ask('show from a process')\nexcept Exception as error:\n    failed = error"
    )
    assert "cannot be shown from here" in value(notebook, "tasks.last.problem.message")


def test_a_tool_called_by_hand_shows_its_widget_in_the_cell(notebook: RealKernel) -> None:
    cell = notebook.execute("c = ToolContext()\nshown = c.stream_widget(card('by hand'))").expect_ok()
    assert "by hand" in bundles(cell)[-1]["text/plain"]
    notebook.execute("shown.update(card('changed'))").expect_ok()


def test_nothing_is_shown_any_more_once_the_extension_is_unloaded(notebook: RealKernel) -> None:
    notebook.execute("%unload_ext voice_kernel").expect_ok()
    cell = notebook.execute(
        "from chatkit.widgets import DynamicWidgetRoot\nDynamicWidgetRoot.model_validate(card('plain'))"
    ).expect_ok()
    assert bundles(cell) == []
