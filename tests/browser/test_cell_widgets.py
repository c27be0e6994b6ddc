"""ChatKit's widgets in a notebook: drawn in cells and with tasks, clicked, changed, there afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import NOTEBOOK, WAIT_MS, Notebook, type_command, write_notebook
from playwright.sync_api import Browser, Locator, expect
from sidebar_page import FrontEnd

PICTURES = Path(__file__).parents[2] / "out"
MIME = "application/vnd.voice-kernel.widget+json"

SEATS = """
from voice_kernel import ToolContext, Widget, action, tool

def seat_card(seat, note="", streaming=False):
    return {
        "type": "Card",
        "children": [
            {"type": "Row", "justify": "between", "children": [
                {"type": "Title", "value": f"Seat {seat}"},
                {"type": "Badge", "label": "confirmed", "color": "success"},
            ]},
            {"type": "Text", "id": "note", "value": note, "streaming": streaming},
            {"type": "Form",
             "onSubmitAction": {"type": "seat.change"},
             "children": [
                {"type": "Label", "value": "Another seat", "fieldName": "seat"},
                {"type": "Input", "name": "seat", "required": True, "placeholder": "14C"},
                {"type": "Button", "submit": True, "label": "Change seat"},
             ]},
            {"type": "Row", "children": [
                {"type": "Button", "label": "To the window",
                 "onClickAction": {"type": "seat.change", "payload": {"seat": "12F"}}},
                {"type": "Button", "label": "Give it up",
                 "onClickAction": {"type": "give_up", "payload": {"seat": seat}}},
            ]},
        ],
    }

@action("seat.change")
def change_seat(seat: str, ctx: ToolContext):
    "Change the seat."
    ctx.update_widget(seat_card(seat, "Changed."))
    return f"You sit in {seat} now."

@tool(sentences=[], effects={"delete"})
def give_up(seat: str, ctx: ToolContext):
    "Give a seat up."
    ctx.update_widget({"type": "Card", "children": [{"type": "Text", "value": f"No seat {seat} any more"}]})

@tool(sentences=["show my seat"])
def show_seat(ctx: ToolContext):
    "Show the seat."
    text = "A seat on the aisle, in the quiet part."
    ctx.stream_widget(seat_card("12C", text[:end], end < len(text)) for end in range(1, len(text) + 1))
    return "Your seat is 12C."
"""


@pytest.fixture(scope="module")
def notebook(browser: Browser, front_end: FrontEnd, root: Path) -> Iterator[Notebook]:
    write_notebook(
        root / "seats.ipynb",
        [
            "%load_ext voice_kernel",
            SEATS.strip(),
            "seat = Widget(seat_card('11B'), copy_text='Your seat: 11B')\nseat",
            "%voice show my seat",
            "from chatkit.widgets import DynamicWidgetRoot\n"
            "DynamicWidgetRoot(type='Card', children=[{'type': 'Text', 'value': 'made by the SDK'}])",
        ],
    )
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened = Notebook.open(context, front_end.base, "seats.ipynb", front_end.app)
    opened.run(0)
    opened.run(1)
    yield opened
    opened.shut_down()
    context.close()


def widget_of(notebook: Notebook, cell: int) -> Locator:
    """Return the widget in a cell's output."""
    return notebook.page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-OutputArea .vk-widget")


def wait_saved_as(notebook: Notebook, cell: int, text: str) -> None:
    """Wait until what would be saved of a cell's output says something, as what is seen does."""
    notebook.page.wait_for_function(
        f"""([cell, text]) => {{
          const [output] = ({NOTEBOOK}).content.widgets[cell].model.outputs.toJSON();
          return [output.data['text/html']].flat().join('').includes(text);
        }}""",
        arg=[cell, text],
        timeout=WAIT_MS,
    )


def test_the_last_line_of_a_cell_shows_a_widget_and_a_click_changes_it(
    notebook: Notebook, front_end: FrontEnd
) -> None:
    notebook.run(2)
    shown = widget_of(notebook, 2)
    expect(shown).to_contain_text("Seat 11B", timeout=WAIT_MS)
    shown.get_by_role("button", name="To the window").click()
    # Nothing was loaded in the kernel for it before: the click itself begins the session.
    expect(shown).to_contain_text("Seat 12F", timeout=WAIT_MS)
    notebook.page.screenshot(path=PICTURES / f"cell-widget-{front_end.app}.png")
    assert notebook.execute("print(seat.root['children'][0]['children'][0]['value'])") == "Seat 12F\n"
    wait_saved_as(notebook, 2, "Seat 12F")
    (output,) = notebook.outputs(2)
    assert "<script" not in output["data"]["text/html"]
    assert output["data"][MIME]["widgets"][0]["id"]


def test_a_form_hands_what_was_typed_to_the_handler(notebook: Notebook) -> None:
    shown = widget_of(notebook, 2)
    shown.get_by_role("textbox", name="Another seat").fill("3A")
    shown.get_by_role("button", name="Change seat").click()
    expect(shown).to_contain_text("Seat 3A", timeout=WAIT_MS)
    expect(shown).to_contain_text("Changed.")


def test_a_card_of_a_turn_keeps_its_widgets_alive(notebook: Notebook, front_end: FrontEnd) -> None:
    notebook.run(3)
    shown = widget_of(notebook, 3)
    expect(shown).to_contain_text("A seat on the aisle, in the quiet part.", timeout=WAIT_MS)
    said = notebook.page.locator(".jp-Cell").nth(3).locator(".vk-widget-said")
    expect(said).to_contain_text("“show my seat”")
    shown.get_by_role("button", name="To the window").click()
    expect(shown).to_contain_text("Seat 12F", timeout=WAIT_MS)


def test_a_cell_that_ends_in_an_object_of_chatkit_shows_it(notebook: Notebook) -> None:
    notebook.run(4)
    expect(widget_of(notebook, 4)).to_contain_text("made by the SDK", timeout=WAIT_MS)


def test_the_panel_shows_a_tools_widget_and_asks_before_a_click_deletes(
    notebook: Notebook, front_end: FrontEnd
) -> None:
    page = notebook.page
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    panel = page.locator(".vk-panel")
    type_command(panel, "show my seat")
    shown = panel.locator(".vk-turn", has_text="show my seat").last.locator(".vk-widget")
    expect(shown).to_contain_text("A seat on the aisle, in the quiet part.", timeout=WAIT_MS)
    page.screenshot(path=PICTURES / f"panel-widget-{front_end.app}.png")
    shown.get_by_role("button", name="Give it up").click()
    card = panel.get_by_role("button", name="Approve")
    card.click(timeout=WAIT_MS)
    expect(shown).to_contain_text("No seat 12C any more", timeout=WAIT_MS)


def test_a_widget_is_still_drawn_when_its_kernel_is_gone(
    notebook: Notebook, front_end: FrontEnd, root: Path
) -> None:
    wait_saved_as(notebook, 2, "Seat 3A")
    notebook.save()
    saved = json.loads((root / "seats.ipynb").read_text())
    assert "Seat 3A" in "".join(saved["cells"][2]["outputs"][0]["data"]["text/html"])
    notebook.shut_down()
    page = notebook.page
    page.reload()
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=WAIT_MS)
    shown = widget_of(notebook, 2)
    expect(shown).to_contain_text("Seat 3A", timeout=WAIT_MS)
    page.wait_for_function(f"() => ({NOTEBOOK})?.sessionContext.isReady", timeout=WAIT_MS)
    shown.get_by_role("button", name="To the window").click()
    # A new kernel knows nothing of it, or there is none.
    expect(shown.get_by_role("alert")).to_contain_text(
        re.compile("earlier session|no kernel", re.I), timeout=WAIT_MS
    )
    expect(shown).to_contain_text("Seat 3A")
