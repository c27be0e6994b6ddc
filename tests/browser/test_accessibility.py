"""Without a mouse and without sight: axe, keys alone, and what a screen reader is told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import NOTEBOOK, Notebook
from panel_page import AXE
from playwright.sync_api import Browser, Locator, Page, expect
from sidebar_page import (
    SPOKEN,
    WAIT_MS,
    FrontEnd,
    Sidebar,
    outputs_text,
    put_into_microphone,
    speak,
    write_cells,
)

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

CODE = ("x = 1\nprint(x)", "y = x + 41\ny", "1 / 0")
MIN_CONTRAST = 4.5
"""Of text this small. Source: WCAG 2.2, 1.4.3."""
MAX_TABS = 60
"""Further from the text box than this, nobody tabs."""

WATCH = """() => {
  window.told = [];
  const watch = (region, urgent) => new MutationObserver(() => {
    const text = region.textContent.trim();
    if (text) window.told.push(urgent ? '! ' + text : text);
  }).observe(region, { childList: true, subtree: true, characterData: true });
  for (const region of document.querySelectorAll(
      '.vk-announcer, .vk-sidebar-panel [aria-live]:not([aria-live=off])')) {
    watch(region, region.ariaLive === 'assertive');
  }
}"""
"""Keeps what live regions say, in order; what interrupts begins with `!`."""

AXE_RUN = """include => axe.run({ include }, { resultTypes: ['violations'] }).then(report =>
  report.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 300)}`)))"""

BADGE = """() => {
  const style = getComputedStyle(document.querySelector('.jp-Cell[data-vk-position]'), '::after');
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(value => value / 255)
      .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, bright] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}"""
"""Contrast of the numbers beside the cells: axe does not look at generated content."""


IN_ONE = pytest.mark.parametrize("front_end", ["lab"], ids=["JupyterLab"], indirect=True)
"""For what does not depend on the front end."""


@pytest.fixture(scope="module")
def notebook(browser: Browser, front_end: FrontEnd, root: Path) -> Iterator[Notebook]:
    folder = root / front_end.app
    folder.mkdir()
    (folder / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    write_cells(folder / "page.ipynb", code_cells())
    context = browser.new_context(
        viewport={"width": 1400, "height": 1000}, reduced_motion="reduce", permissions=["microphone"]
    )
    opened = front_end.open(context, f"{front_end.app}/page.ipynb")
    opened.page.evaluate(AXE.read_text(encoding="utf-8"))
    yield opened
    opened.shut_down()
    context.close()


@pytest.fixture
def page(notebook: Notebook) -> Page:
    """The page with a fresh notebook and an empty record of what was told."""
    page = notebook.page
    page.evaluate(
        f"content => {{ const n = ({NOTEBOOK}).content; n.model.sharedModel.fromJSON(content);"
        " n.activeCellIndex = 0; }",
        nbformat.v4.new_notebook(cells=code_cells()),
    )
    return page


def code_cells() -> list[Any]:
    return [nbformat.v4.new_code_cell(source, id=f"cell-{at}") for at, source in enumerate(CODE, 1)]


def told(page: Page) -> list[str]:
    found: list[str] = page.evaluate("() => window.told.splice(0)")
    return found


def violations(page: Page, *selectors: str) -> list[str]:
    there = [[selector] for selector in selectors if page.locator(selector).count()]
    assert there
    found: list[str] = page.evaluate(AXE_RUN, there)
    return found


def focus_by_tab(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab, or Shift+Tab, until an element has the focus."""
    for _ in range(MAX_TABS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"not reached by Tab: {target}")


def use_theme(page: Page, name: str) -> None:
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name)
    page.wait_for_selector(f'body[data-jp-theme-name="{name}"]', state="attached", timeout=WAIT_MS)


def approval_of(sidebar: Sidebar) -> Locator:
    """A card that waits for an answer, ready for it."""
    sidebar.send("restart the kernel")
    card = sidebar.panel.locator(".vk-approval")
    approve = card.get_by_role("button", name="Approve restart_kernel")
    expect(approve).to_have_attribute("aria-disabled", "false", timeout=WAIT_MS)
    return card


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_in_what_voice_adds_to_the_page(page: Page, theme: str) -> None:
    use_theme(page, theme)
    status_bar = [".vk-status-item", ".jp-Toolbar-item[data-jp-item-name='voice']"]
    assert violations(page, *status_bar) == [], "before the panel is open"
    sidebar = Sidebar.open(page)
    ours = [".vk-sidebar", ".vk-announcer", *status_bar]
    sidebar.say("run all cells", outcome="failed")
    sidebar.say("sing me a song", outcome="nothing")
    assert violations(page, *ours) == [], "after commands"

    card = approval_of(sidebar)
    assert violations(page, *ours) == [], "with an approval card"
    card.get_by_role("button", name="Deny").click()

    theirs = violations(page, ".jp-Notebook")
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered")
    assert violations(page, ".jp-Notebook") == theirs, "with numbers beside the cells"
    assert page.evaluate(BADGE) >= MIN_CONTRAST
    page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:toggle-badges')")
    page.wait_for_selector(".vk-numbered", state="detached")


def open_by_keys(page: Page) -> Sidebar:
    """Open the panel, or come back to its text box, by the shortcut."""
    page.keyboard.press("Control+Alt+KeyV")
    sidebar = Sidebar(page)
    sidebar.wait_ready()
    expect(sidebar.box).to_be_focused()
    return sidebar


def command_by_keys(sidebar: Sidebar, text: str, state: str = "succeeded") -> Locator:
    """Type a command into the text box, which has the focus; returns its turn once it has ended."""
    before = sidebar.newest
    sidebar.page.keyboard.type(text)
    sidebar.page.keyboard.press("Enter")
    turn = sidebar.ended(sidebar.after(before), state)
    # The cell acted on is shown; the focus stays where the person types.
    expect(sidebar.box).to_be_focused()
    return turn


@IN_ONE
def test_the_main_commands_work_by_keys_alone(page: Page, notebook: Notebook) -> None:
    keys = page.keyboard
    page.evaluate("() => window.jupyterapp.shell.collapseRight()")
    page.locator(".jp-Cell").first.evaluate("cell => cell.closest('.jp-Notebook').focus()")
    sidebar = open_by_keys(page)

    def command(text: str, state: str = "succeeded") -> None:
        command_by_keys(sidebar, text, state)

    command("run cell one")
    assert outputs_text(notebook, 0) == "1\n"
    command("insert a markdown cell saying hello world")
    assert "hello world" in sidebar.sources()
    command("delete cell one")
    assert CODE[0] not in sidebar.sources()
    command("undo")
    assert CODE[0] in sidebar.sources()

    # A task is cancelled, and a card answered, by Tab and Enter.
    keys.type("run the command sleep 600")
    keys.press("Enter")
    task = sidebar.turns.last.locator(".vk-task")
    expect(task).to_have_attribute("data-state", "running", timeout=WAIT_MS)
    focus_by_tab(page, task.get_by_role("button", name=re.compile("^Cancel task")), back=True)
    keys.press("Enter")
    expect(task).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)

    open_by_keys(page)
    keys.type("restart the kernel")
    keys.press("Enter")
    card = sidebar.panel.locator(".vk-approval")
    expect(card).to_be_visible(timeout=WAIT_MS)
    focus_by_tab(page, card.get_by_role("button", name="Deny restart_kernel"), back=True)
    keys.press("Enter")
    expect(card).to_have_count(0)
    expect(sidebar.turns.last).to_have_attribute("data-state", "failed", timeout=WAIT_MS)

    # A result leads to its cell, and back in the notebook its own keys work.
    open_by_keys(page)
    command("run all cells", "failed")
    focus_by_tab(page, sidebar.turns.last.get_by_role("link", name="Cell 4"), back=True)
    keys.press("Enter")
    expect(page.locator(".jp-Cell.jp-mod-active")).to_contain_text("1 / 0")


@IN_ONE
def test_all_that_the_tour_shows_can_be_done_by_keys_alone(
    browser: Browser, front_end: FrontEnd, root: Path
) -> None:
    folder = root / "by-keys"
    folder.mkdir()
    shutil.copy(NOTEBOOKS / "tour.ipynb", folder)
    shutil.copytree(NOTEBOOKS / "tour", folder / "tour")
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, permissions=["microphone"])
    notebook = front_end.open(context, "by-keys/tour.ipynb")
    page, keys = notebook.page, notebook.page.keyboard

    # The notebook itself, from its first cell to its last.
    focus_by_tab(page, page.locator(".jp-Cell").first)
    code = [cell["id"] for cell in Sidebar(page).cells() if cell["cell_type"] == "code"]
    for _ in range(len(Sidebar(page).cells()) - 1):
        keys.press("Shift+Enter")
    keys.press("Control+Enter")
    page.wait_for_function(
        f"""ids => ({NOTEBOOK}).content.widgets.map(cell => cell.model)
          .filter(model => ids.includes(model.id))
          .every(model => model.executionCount && model.executionState === 'idle')""",
        arg=code,
        timeout=3 * WAIT_MS,
    )
    outputs = {cell["id"]: json.dumps(cell.get("outputs", "")) for cell in Sidebar(page).cells()}
    assert not [text for text in outputs.values() if '"output_type": "error"' in text]
    assert sum("image/png" in text for text in outputs.values()) == 2  # its two charts
    assert "switched off" in outputs[code[-1]]

    # The same in the panel: typed, and spoken while the shortcut is held.
    sidebar = open_by_keys(page)
    said = {
        "help": "run all cells",
        "list variables": "df",
        "describe df": "mean",
        "plot revenue against month": "Revenue",
        "draw a bar chart of sales by region": "Sales",
        "run the tests": "passed",
        "list the files in tour": "sales.csv",
        "show df": "revenue",
        "run the code 2 ** 10": "1024",
        "run the tests that match revenue": "passed",
    }
    for text, shown in said.items():
        expect(command_by_keys(sidebar, text)).to_contain_text(re.compile(shown, re.I))
    expect(command_by_keys(sidebar, "we ran the tests last week", "nothing")).to_contain_text("Did you mean")
    expect(command_by_keys(sidebar, "git status", "failed")).to_contain_text("ALLOW_CLI_EXECUTION=true")
    before = sidebar.newest
    put_into_microphone(page, folder / "tour/audio/run_tests.wav")
    held = ("Control", "Shift", "Space")
    for key in held:
        keys.down(key)
    speak(page)
    page.wait_for_function("() => window.clipEnded", timeout=WAIT_MS)
    for key in held:
        keys.up(key)
    spoken = sidebar.ended(sidebar.after(before))
    assert sidebar.calls(spoken) == "run_tests()"

    # Back in the notebook its own keys work.
    link = command_by_keys(sidebar, "go to cell six").get_by_role("link", name="Cell 6")
    focus_by_tab(page, link, back=True)
    keys.press("Enter")
    expect(page.locator(".jp-Cell.jp-mod-active")).to_contain_text("read_csv")
    page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.shutdown(); }}")
    context.close()


@IN_ONE
def test_what_happens_is_told_to_screen_readers_once_and_in_words(page: Page) -> None:
    sidebar = Sidebar.open(page)
    page.evaluate(WATCH)
    expected = {
        "go to cell two": ["Cell 2", "done: Cell 2 is selected."],
        "run cell one": ["Ran cell 1", "done: Ran cell 1."],
        "insert a markdown cell saying hello": [
            "Inserted cell 3",
            "done: Inserted a Markdown cell as cell 3.",
        ],
        "delete cell three": ["Deleted cell 3", "done: Deleted cell 3."],
        "undo": ["Undone: 1 cell", "done: Undone: cell 3."],
        "run all cells": ["Cell 4 failed", "! failed: Cell 4 raised ZeroDivisionError: division by zero"],
    }
    for text, lines in expected.items():
        sidebar.say(text, outcome="failed" if text == "run all cells" else "succeeded")
        assert [re.sub(r"Task \d+ ", "", line) for line in told(page)] == lines, text

    sidebar.ended(sidebar.hear(SPOKEN / "hibari_017.wav"))
    assert [re.sub(r"Task \d+ ", "", line) for line in told(page)] == [
        "Heard: Clear the outputs.",
        "Outputs of 3 cells cleared",
        "done: Cleared the outputs of cells 1, 2 and 4.",
    ]

    sidebar.say("sing me a song", outcome="nothing")
    [line] = told(page)
    assert line.startswith('! I did not understand that. Say "help" for what you can say. Closest: ')

    approval_of(sidebar)
    [line] = told(page)
    assert re.fullmatch(r"! Approval \d+ needed: restart_kernel\(.*\)\. .+", line)
    sidebar.panel.get_by_role("button", name="Deny restart_kernel").click()
    expect(sidebar.turns.last).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
    [line] = told(page)
    assert line.startswith("! Task")
