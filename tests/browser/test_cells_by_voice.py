"""Every notebook tool in a real JupyterLab and a real Notebook 7: by typed words, five of them by speech, and
after each change the notebook comes back exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from lab import NOTEBOOK, Notebook
from playwright.sync_api import Browser, Locator, expect
from sidebar_page import SPOKEN, WAIT_MS, FrontEnd, Sidebar, outputs_text, text_of, write_cells

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""

AREA = "def area(width, height):\n    size = width * height\n    return size"

Cells = list[dict[str, Any]]


def source_cells() -> list[Any]:
    """Cells with everything that an action must not lose: ids, tags, attachments, outputs, counts."""
    new = nbformat.v4
    first = new.new_code_cell("x = 1\nprint(x)", id="first", metadata={"tags": ["keep"], "collapsed": False})
    first.execution_count = 3
    first.outputs = [new.new_output("stream", name="stdout", text="before\n")]
    second = new.new_markdown_cell(
        "# Two ![](attachment:i.png)", id="second", metadata={"own": {"deep": [1]}}
    )
    second.attachments = {"i.png": {"image/png": PIXEL}}
    third = new.new_code_cell("x + 41", id="third")
    picture = {"image/png": PIXEL, "text/plain": "<Figure>"}
    third.outputs = [
        new.new_output("display_data", picture, metadata={"image/png": {"width": 20}}),
        new.new_output("execute_result", {"text/plain": "7"}, execution_count=4),
    ]
    third.execution_count = 4
    fourth = new.new_code_cell("1 / 0", id="fourth")
    fourth.outputs = [
        new.new_output(
            "error",
            ename="ZeroDivisionError",
            evalue="division by zero",
            traceback=["ZeroDivisionError: division by zero"],
        )
    ]
    fifth = new.new_raw_cell("raw", id="fifth", metadata={"format": "text/plain"})
    sixth = new.new_code_cell(AREA, id="sixth")
    return [first, second, third, fourth, fifth, sixth]


@pytest.fixture(scope="module")
def open_notebook(browser: Browser, front_end: FrontEnd, root: Path) -> Iterator[Notebook]:
    """One notebook with an open panel, for all tests that only act on its cells."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, permissions=["microphone"])
    name = f"desk-{front_end.app}.ipynb"
    write_cells(root / name, source_cells())
    notebook = front_end.open(context, name)
    Sidebar.open(notebook.page)
    yield notebook
    notebook.shut_down()
    context.close()


@pytest.fixture
def desk(open_notebook: Notebook) -> Sidebar:
    """Its panel, over the cells of `source_cells`, the first of them the active one."""
    sidebar = Sidebar(open_notebook.page)
    sidebar.put(source_cells())
    return sidebar


# ---- what changes the notebook ----------------------------------------------------------------------


class Change(NamedTuple):
    """What is said, the tool that is to be called, and whether it happened."""

    said: str
    tool: str
    happened: Callable[[Cells, Cells], bool]


def order(*ids: str) -> Callable[[Cells, Cells], bool]:
    return lambda before, after: [cell["id"] for cell in after] == list(ids)


def kind_of(position: int, kind: str) -> Callable[[Cells, Cells], bool]:
    """The cell has another kind, and is otherwise what it was."""

    def changed(before: Cells, after: Cells) -> bool:
        old, new = before[position - 1], after[position - 1]
        return new["cell_type"] == kind and all(new[key] == old[key] for key in ("id", "source", "metadata"))

    return changed


def wait_ran(desk: Sidebar, index: int, count: int | None = None) -> None:
    """Wait until a cell that had no number has run; with `count`, until it has run as that."""
    desk.page.wait_for_function(
        f"""([index, count]) => {{
          const {{ executionCount, executionState }} = ({NOTEBOOK}).content.widgets[index].model;
          return executionState === 'idle' && (count === null ? executionCount : executionCount === count);
        }}""",
        arg=[index, count],
        timeout=WAIT_MS,
    )


def source_of(position: int, source: str) -> Callable[[Cells, Cells], bool]:
    """The cell has another text, and is otherwise what it was."""
    return lambda before, after: (
        after[position - 1] == {**before[position - 1], "source": source}
        and after[: position - 1] == before[: position - 1]
    )


CHANGES = (
    Change("run cell one", "run_cells", lambda before, after: text_of(after[0]["outputs"]) == "1\n"),
    Change("run everything above", "run_cells", lambda before, after: text_of(after[2]["outputs"]) == "42"),
    Change("insert a markdown cell saying hello world", "insert_cell",
           lambda before, after: after[1]["source"] == "hello world" and after[1]["cell_type"] == "markdown"
           and [*after[:1], *after[2:]] == before),
    Change("insert a code cell above", "insert_cell",
           lambda before, after: after[0]["source"] == "" and after[1:] == before),
    Change("insert a cell at the bottom", "insert_cell",
           lambda before, after: after[-1]["source"] == "" and after[:-1] == before),
    Change("change cell one to x equals 5", "edit_cell", source_of(1, "x = 5")),
    Change("delete cell two", "delete_cells", order("first", "third", "fourth", "fifth", "sixth")),
    Change("delete cells two to four", "delete_cells", order("first", "fifth", "sixth")),
    Change("delete all cells", "delete_cells", lambda before, after: [c["source"] for c in after] == [""]),
    Change("move cell one down", "move_cells",
           order("second", "first", "third", "fourth", "fifth", "sixth")),
    Change("move cell two up", "move_cells", order("second", "first", "third", "fourth", "fifth", "sixth")),
    Change("move cells two to three to the bottom", "move_cells",
           order("first", "fourth", "fifth", "sixth", "second", "third")),
    Change("change cell one to markdown", "change_cell_type", kind_of(1, "markdown")),
    Change("make cell two a code cell", "change_cell_type", kind_of(2, "code")),
    Change("turn cell five into markdown", "change_cell_type", kind_of(5, "markdown")),
    Change("clear the outputs of cell one", "clear_outputs",
           lambda before, after: after[0]["outputs"] == [] and after[0]["execution_count"] is None
           and after[1:] == before[1:]),
    Change("clear all outputs", "clear_outputs",
           lambda before, after: not any(cell.get("outputs") for cell in after)),
    Change("comment lines one to two of cell six", "edit_lines",
           source_of(6, "# def area(width, height):\n#     size = width * height\n    return size")),
    Change("delete line two of cell six", "edit_lines",
           source_of(6, "def area(width, height):\n    return size")),
    Change("indent line three of cell six", "edit_lines",
           source_of(6, AREA.replace("    return", "        return"))),
    Change("insert a line after line two of cell six saying size equals five", "insert_line",
           source_of(6, AREA.replace("    return", "    size = 5\n    return"))),
    Change("replace size with surface in cell six", "replace_text",
           source_of(6, AREA.replace("size", "surface"))),
    Change("rename variable size to surface", "rename_variable",
           source_of(6, AREA.replace("size", "surface"))),
    Change("run the lab command insert heading below current heading", "run_command",
           lambda before, after: len(after) == 7),
    Change("run the lab command cut cell", "run_command",
           order("second", "third", "fourth", "fifth", "sixth")),
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.said.replace(" ", "-"))
def test_what_is_said_happens_and_undo_restores_the_notebook_exactly(desk: Sidebar, change: Change) -> None:
    if change.said == "run everything above":
        desk.select(4)
    before = desk.cells()
    turn = desk.say(change.said)
    assert desk.calls(turn).startswith(change.tool)
    after = desk.cells()
    assert change.happened(before, after), after
    assert after != before
    desk.say("undo")
    assert desk.cells() == before
    desk.say("redo")
    assert desk.cells() == after
    desk.say("undo")
    assert desk.cells() == before


SPEECH = {
    "hibari_002.wav": Change(
        "run cell three", "run_cells", lambda before, after: text_of(after[2]["outputs"]) == "42"
    ),
    "hibari_015.wav": Change(
        "insert a markdown cell that says first look at the data",
        "insert_cell",
        lambda before, after: after[1]["source"].lower().startswith("first look at the data"),
    ),
    "hibari_012.wav": Change("move cell 2 up", "move_cells", lambda before, after: after[0] == before[1]),
    "hibari_017.wav": Change(
        "clear the outputs", "clear_outputs", lambda before, after: not any(c.get("outputs") for c in after)
    ),
    "hibari_010.wav": Change(
        "delete this cell", "delete_cells", order("second", "third", "fourth", "fifth", "sixth")
    ),
}


def test_five_tools_by_speech_and_undo_by_speech(desk: Sidebar) -> None:
    desk.say("run the code x = 1")
    for clip, (said, tool, happened) in SPEECH.items():
        desk.put(source_cells())
        before = desk.cells()
        turn = desk.ended(desk.hear(SPOKEN / clip))
        assert desk.calls(turn).startswith(tool), said
        after = desk.cells()
        assert happened(before, after), after
        desk.say("undo")
        assert desk.cells() == before, said
        desk.say("redo")
        assert desk.cells() == after, said
    desk.ended(desk.hear(SPOKEN / "hibari_018.wav"))
    assert desk.cells() == before


def test_a_voice_action_of_several_steps_is_taken_back_as_one(desk: Sidebar) -> None:
    before = desk.cells()
    desk.say("delete cell one and move cell two up and clear all outputs")
    assert desk.ids() == ["third", "second", "fourth", "fifth", "sixth"]
    desk.say("undo")
    assert desk.cells() == before


def test_a_snapshot_from_before_the_change_can_be_restored(desk: Sidebar) -> None:
    before = desk.cells()
    desk.say("delete all cells")
    page = desk.page
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:restore-snapshot')")
    page.locator(".jp-Dialog").get_by_role("button", name="Restore").click()
    expect(page.locator(".jp-Cell")).to_have_count(len(before))
    assert desk.cells() == before


def test_a_locked_cell_is_not_deleted(desk: Sidebar) -> None:
    locked = nbformat.v4.new_code_cell("mine", id="mine", metadata={"deletable": False})
    desk.put([locked, *source_cells()])
    turn = desk.say("delete cell one", outcome="failed")
    expect(turn).to_contain_text("locked")
    assert desk.ids()[0] == "mine"


def test_what_a_person_typed_since_is_not_taken_back(desk: Sidebar) -> None:
    desk.say("change cell one to x equals 5")
    desk.page.evaluate(
        f"() => ({NOTEBOOK}).content.widgets[0].model.sharedModel.setSource('x = 5  # my own')"
    )
    turn = desk.say("undo", outcome="failed")
    expect(turn).to_contain_text("edited since")
    assert desk.sources()[0] == "x = 5  # my own"


# ---- what only looks, or acts on the whole notebook -------------------------------------------------


def test_a_cell_is_selected_scrolls_into_view_and_is_announced(desk: Sidebar) -> None:
    desk.put([nbformat.v4.new_code_cell(f"print({i})\n" * 6) for i in range(40)])
    turn = desk.say("go to cell thirty")
    assert desk.calls(turn) == 'select_cell(cell="30")'
    assert desk.announced() == "Cell 30"
    assert desk.active == 30
    expect(desk.page.locator(".jp-Cell.jp-mod-active")).to_be_in_viewport()


def test_the_notebook_is_read(desk: Sidebar) -> None:
    turn = desk.say("read the notebook")
    assert desk.calls(turn) == "read_notebook()"
    expect(turn).to_contain_text("6 cells, 4 of them code, 1 failed.")
    expect(turn).to_contain_text("def area(width, height):")


def test_the_notebook_is_saved(desk: Sidebar, root: Path, front_end: FrontEnd) -> None:
    desk.say("change cell one to saved equals true")
    turn = desk.say("save the notebook")
    assert desk.calls(turn) == "save_notebook()"
    saved = json.loads((root / f"desk-{front_end.app}.ipynb").read_text())
    assert "".join(saved["cells"][0]["source"]) == "saved = True"
    assert not desk.page.evaluate(f"() => ({NOTEBOOK}).context.model.dirty")


def test_undo_and_redo_say_when_there_is_nothing_to_do(desk: Sidebar) -> None:
    desk.say("change cell one to x equals 5")
    turn = desk.say("redo", outcome="failed")
    expect(turn).to_contain_text("There is no voice action to do again.")


def test_a_cell_that_raises_is_named_with_its_error_and_leads_to_its_cell(desk: Sidebar) -> None:
    turn = desk.say("run all cells", outcome="failed")
    expect(turn).to_contain_text("Cell 4 raised ZeroDivisionError: division by zero")
    assert desk.announced() == "Cell 4 failed"
    desk.select(1)
    turn.get_by_role("link", name="Cell 4").click()
    assert desk.active == 4


def test_a_command_of_the_palette_runs_by_its_name(desk: Sidebar) -> None:
    numbers = desk.page.locator(".jp-Cell .cm-lineNumbers").first
    expect(numbers).not_to_be_visible()
    turn = desk.say("run the lab command show line numbers")
    assert desk.calls(turn).startswith("run_command")
    expect(numbers).to_be_visible()
    desk.say("show line numbers")
    expect(numbers).not_to_be_visible()
    turn = desk.say("run the lab command make coffee", outcome="failed")
    expect(turn).to_contain_text("There is no command")


def test_a_misheard_name_runs_no_command_that_asks_first(desk: Sidebar) -> None:
    turn = desk.say("run the lab command shutdwn all kernels", outcome="failed")
    expect(turn).to_contain_text("only “Shut Down All Kernels")


def test_a_command_that_cannot_be_undone_asks_first(desk: Sidebar) -> None:
    turn = desk.send("run the lab command shut down all kernels")
    desk.card.get_by_role("button", name="Deny").click(timeout=WAIT_MS)
    desk.ended(turn, "failed")
    expect(turn).to_contain_text("You said no")


# ---- finding, reading, errors -----------------------------------------------------------------------


def test_cells_are_found_by_what_is_in_them(desk: Sidebar) -> None:
    turn = desk.say("go to the cell that defines area")
    assert desk.calls(turn).startswith("find_cell")
    assert desk.active == 6
    desk.say("go to the first heading")
    assert desk.active == 2
    desk.say("next error")
    assert desk.active == 4
    turn = desk.say("where am I")
    expect(turn).to_contain_text("Cell 4 of 6, code, under Two")


def test_cells_and_their_outputs_are_read_back(desk: Sidebar) -> None:
    expect(desk.say("read cell three")).to_contain_text("Cell 3, code: x + 41")
    expect(desk.say("read the output of cell one")).to_contain_text("Cell 1: before")
    desk.select(4)
    expect(desk.say("read the error")).to_contain_text("Cell 4: ZeroDivisionError: division by zero")


def test_an_error_is_explained_fixed_and_the_fix_undone(desk: Sidebar) -> None:
    desk.put([nbformat.v4.new_code_cell("price = 3"), nbformat.v4.new_code_cell("print(prize)")])
    desk.say("run all cells", outcome="failed")
    before = desk.cells()
    turn = desk.say("explain the error")
    expect(turn).to_contain_text("NameError")
    expect(turn).to_contain_text("price")
    assert desk.cells() == before
    desk.say("fix the error")
    assert desk.sources()[1] == "print(price)"
    desk.say("undo")
    assert desk.cells() == before


# ---- writing ----------------------------------------------------------------------------------------


def cursor_at(desk: Sidebar, position: int, line: int, column: int) -> None:
    """Put the cursor into a cell as a person does: a click, then keys; then go back to the panel."""
    page = desk.page
    page.locator(".jp-Cell").nth(position - 1).locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+Home")
    for _ in range(line - 1):
        page.keyboard.press("ArrowDown")
    for _ in range(column):
        page.keyboard.press("ArrowRight")
    desk.box.click()


@pytest.fixture
def dictating(desk: Sidebar) -> Iterator[Sidebar]:
    """That panel; whatever was dictated in it, commands count again afterwards."""
    yield desk
    desk.say("stop dictation")


def test_dictated_words_go_where_the_persons_cursor_is(dictating: Sidebar) -> None:
    desk = dictating
    before = desk.cells()
    cursor_at(desk, 6, line=2, column=len("    size = width"))
    desk.say("start dictation")
    expect(desk.panel).to_contain_text("Dictation")
    desk.say("plus one")
    desk.say("plus two")
    assert desk.sources()[5].split("\n")[1] == "    size = width + 1 + 2 * height"
    desk.say("scratch that")
    assert desk.sources()[5].split("\n")[1] == "    size = width + 1 * height"
    # A click elsewhere, in the middle of it, and the words go there.
    cursor_at(desk, 6, line=3, column=len("    return size"))
    desk.say("plus height")
    assert desk.sources()[5].split("\n")[2] == "    return size + height"
    desk.say("stop dictation")
    for _ in range(4):  # each utterance is a step of its own
        desk.say("undo")
    assert desk.cells() == before


def test_dictation_without_a_cursor_goes_to_the_end_of_the_cell(dictating: Sidebar) -> None:
    desk = dictating
    desk.select(3)
    before = desk.cells()
    desk.say("dictate code")
    desk.say("plus camel case learning rate")
    desk.say("new line print open paren x close paren")
    assert desk.sources()[2] == "x + 41 + learningRate\nprint(x)"
    desk.say("new cell")
    desk.say("total equals zero")
    assert desk.sources()[3] == "total = 0"
    desk.say("stop dictation")
    for _ in range(4):
        desk.say("undo")
    assert desk.cells() == before


def test_dictated_markdown_is_formatted(dictating: Sidebar) -> None:
    desk = dictating
    before = desk.cells()
    desk.say("dictate markdown")
    desk.say("heading two results")
    desk.say("new paragraph it is bold very end bold good")
    assert desk.sources()[1] == "## Results\n\nit is **very** good"
    assert desk.cells()[1]["cell_type"] == "markdown"
    desk.say("stop dictation")
    for _ in range(3):
        desk.say("undo")
    assert desk.cells() == before


def test_this_line_is_the_one_with_the_persons_cursor(desk: Sidebar) -> None:
    before = desk.cells()
    cursor_at(desk, 6, line=2, column=6)
    expect(desk.say("where am I")).to_contain_text("Cell 6 of 6, code, line 2")
    desk.say("comment this line")
    assert desk.sources()[5].split("\n")[1] == "    # size = width * height"
    desk.say("undo")
    assert desk.cells() == before


def test_a_line_is_gone_to_and_edited_there(desk: Sidebar) -> None:
    desk.select(6)
    desk.say("line two")
    expect(desk.page.locator(".jp-Cell.jp-mod-active .cm-content")).to_be_focused()
    desk.page.keyboard.type("  # typed")
    assert desk.sources()[5].split("\n")[1] == "    size = width * height  # typed"
    desk.say("delete this line")
    assert desk.sources()[5] == "def area(width, height):\n    return size"


def test_a_card_is_answered_by_words_while_dictation_is_on(dictating: Sidebar) -> None:
    desk = dictating
    desk.put([nbformat.v4.new_code_cell(source) for source in ("x = 1", "%voice run the code %reset -f")])
    notebook = Notebook(desk.page)
    desk.say("dictate code")
    notebook.run(1, wait=False)
    expect(desk.card.get_by_role("button", name="Approve")).to_have_attribute(
        "aria-disabled", "false", timeout=WAIT_MS
    )
    assert desk.calls(desk.say("no")) == "deny()"
    expect(desk.card).to_have_count(0)
    wait_ran(desk, 1)
    assert "You said no" in json.dumps(notebook.outputs(1))
    # With nothing to answer they are words like any others.
    desk.select(1)
    desk.say("new line yes equals no")
    assert desk.sources()[0] == "x = 1\nyes = no"
    desk.say("stop dictation")


# ---- data -------------------------------------------------------------------------------------------


def test_questions_to_a_table_show_the_code_that_answers_them(desk: Sidebar) -> None:
    desk.say(
        "run the code import pandas as pd; sales = pd.DataFrame"
        "({'region': ['north', 'south', 'north'], 'price': [90, 150, 210]})"
    )
    turn = desk.say("average price by region")
    expect(turn.locator(".vk-code")).to_contain_text("groupby")
    expect(turn).to_contain_text("150.0")
    turn = desk.say("rows where price is over one hundred")
    expect(turn.locator(".vk-code")).to_contain_text("100")
    expect(turn.get_by_role("row")).to_have_text([re.compile("region"), re.compile("150"), re.compile("210")])
    turn = desk.say("first two rows")
    expect(turn.locator(".vk-code")).to_contain_text("head(2)")
    # On demand it is a cell, to be edited and run like any other.
    before = desk.cells()
    desk.say("put the code in a cell")
    assert desk.sources()[1] == "sales.head(2)"
    desk.say("undo")
    assert desk.cells() == before


# ---- code that ends things --------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["exit()", "quit", "%reset -f", "import os; os._exit(1)"])
def test_code_that_ends_the_kernel_or_its_memory_asks_first(desk: Sidebar, code: str) -> None:
    desk.say("run the code kept = 1")
    turn = desk.send(f"run the code {code}")
    desk.card.get_by_role("button", name="Deny").click(timeout=WAIT_MS)
    desk.ended(turn, "failed")
    assert Notebook(desk.page).execute("print(kept)") == "1\n"


# ---- a cell that speaks -----------------------------------------------------------------------------


def test_a_cell_run_by_the_magic_streams_into_the_real_cell_while_it_waits(
    desk: Sidebar, root: Path, front_end: FrontEnd
) -> None:
    page, notebook = desk.page, Notebook(desk.page)
    go_on = f"go-on-{front_end.app}"
    code = (
        "import os, time\nprint('tick 0', flush=True)\n"
        f"while not os.path.exists('{go_on}'):\n    time.sleep(0.05)\nprint('tick 1')\n'done'"
    )
    desk.put([nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("%voice run cell one")])
    notebook.run(1, wait=False)
    page.wait_for_function(
        f"""() => {{
          const [cell, caller] = ({NOTEBOOK}).content.widgets;
          return JSON.stringify(cell.model.outputs.toJSON()).includes('tick 0')
            && caller.model.executionState === 'running';
        }}""",
        timeout=WAIT_MS,
    )
    assert outputs_text(notebook, 0) == "tick 0\n"
    (root / go_on).touch()
    wait_ran(desk, 1)
    assert outputs_text(notebook, 0) == "tick 0\ntick 1\n'done'"
    assert desk.cells()[0]["execution_count"] is not None


# ---- the numbers beside the cells -------------------------------------------------------------------


def test_the_numbers_beside_the_cells_follow_the_setting_and_the_cells(desk: Sidebar) -> None:
    page = desk.page
    second = page.locator(".jp-Cell").nth(1)
    number = "el => getComputedStyle(el, '::after').content"
    assert second.evaluate(number) == "none"
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered")
    assert second.evaluate(number) == '"2"'
    desk.say("delete cell one")
    expect(page.locator(".jp-Cell").first).to_have_attribute("data-vk-position", "1")
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered", state="detached")


# ---- last, since they end the kernel ----------------------------------------------------------------


def ask_to_restart(desk: Sidebar, said: str) -> Locator:
    """Have the kernel restarted; returns once the new one answers."""
    turn = desk.send(said)
    desk.page.evaluate(
        f"""() => {{
          window.restarts = 0;
          const {{ statusChanged }} = ({NOTEBOOK}).sessionContext;
          statusChanged.connect((_, status) => {{ window.restarts += status === 'restarting' ? 1 : 0; }});
        }}"""
    )
    desk.card.get_by_role("button", name="Approve").click(timeout=WAIT_MS)
    desk.page.wait_for_function("() => window.restarts > 0", timeout=WAIT_MS)
    Notebook(desk.page).wait_idle()
    return turn


def test_a_restart_asks_and_the_panel_comes_back(desk: Sidebar) -> None:
    desk.say("run the code kept = 1")
    ask_to_restart(desk, "restart the kernel")
    assert desk.wait_gone_on() > 0
    assert Notebook(desk.page).execute("print('kept' in dir())") == "False\n"
    desk.say("run cell one")


def test_restart_and_run_all_runs_all_cells_in_the_new_kernel(desk: Sidebar) -> None:
    desk.put(source_cells()[:3])
    ask_to_restart(desk, "restart and run all")
    wait_ran(desk, 2, count=2)
    desk.wait_ready()
    assert text_of(desk.cells()[2]["outputs"]) == "42"
