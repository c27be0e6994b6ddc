"""Two people, or two tabs, in one notebook with jupyter-collaboration: what one does, the other sees.

That extension changes every notebook of a Jupyter server, so it is not part of the usual environment:
`make together` makes one that has it and runs this, and all tests of cells, in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lab import NOTEBOOK, WAIT_MS, Notebook, lab_server
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sidebar_page import Sidebar, outputs_text, write_cells

pytest.importorskip("jupyter_server_ydoc", reason="needs jupyter-collaboration: make together")

SOURCES = ("x = 1\nprint(x)", "x + 41", "1 / 0")


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(root, tmp_path_factory.mktemp("lab")) as base:
        yield base


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    if opened.pages:
        Notebook(opened.pages[0]).shut_down()
    opened.close()


@pytest.fixture
def name(root: Path, request: pytest.FixtureRequest) -> str:
    write_cells(
        root / f"{request.node.name}.ipynb",
        [nbformat.v4.new_code_cell(source, id=f"cell-{at}") for at, source in enumerate(SOURCES, 1)],
    )
    return f"{request.node.name}.ipynb"


def open_tab(context: BrowserContext, lab: str, name: str) -> Sidebar:
    notebook = Notebook.open(context, lab, name)
    assert notebook.page.evaluate(f"() => ({NOTEBOOK}).context.model.collaborative")
    return Sidebar.open(notebook.page)


def wait_for_sources(page: Page, sources: list[str]) -> None:
    page.wait_for_function(
        f"""sources => JSON.stringify(({NOTEBOOK}).content.model.toJSON().cells.map(cell => cell.source))
          === JSON.stringify(sources)""",
        arg=sources,
        timeout=WAIT_MS,
    )


def test_what_is_said_in_one_tab_is_seen_in_the_other_and_undone_exactly(
    context: BrowserContext, lab: str, name: str
) -> None:
    one, other = open_tab(context, lab, name), open_tab(context, lab, name)
    before = one.cells()
    one.say("delete cell two")
    wait_for_sources(other.page, [SOURCES[0], SOURCES[2]])
    other.say("insert a markdown cell at the bottom saying hello")
    wait_for_sources(one.page, [SOURCES[0], SOURCES[2], "hello"])
    other.say("undo")
    one.say("undo")
    wait_for_sources(one.page, list(SOURCES))
    wait_for_sources(other.page, list(SOURCES))
    assert one.cells() == other.cells() == before
    one.say("run cell one")
    expect(other.page.locator(".jp-Cell").first.locator(".jp-OutputArea")).to_contain_text("1")
    assert outputs_text(Notebook(other.page), 0) == "1\n"


def test_what_somebody_else_types_meanwhile_is_kept(context: BrowserContext, lab: str, name: str) -> None:
    one, other = open_tab(context, lab, name), open_tab(context, lab, name)
    one.say("change cell two to x plus 1")
    wait_for_sources(other.page, [SOURCES[0], "x + 1", SOURCES[2]])
    other.page.locator(".jp-Cell").nth(1).locator(".cm-content").click()
    other.page.keyboard.press("Control+End")
    other.page.keyboard.type("  # mine")
    wait_for_sources(one.page, [SOURCES[0], "x + 1  # mine", SOURCES[2]])
    turn = one.say("undo", outcome="failed")
    expect(turn).to_contain_text("edited since")
    assert one.sources()[1] == "x + 1  # mine"
    # The other person's cursor stays where it is while words go into another cell.
    one.select(3)
    one.say("dictate code")
    one.say("plus two")
    one.say("stop dictation")
    other.page.keyboard.type("!")
    wait_for_sources(one.page, [SOURCES[0], "x + 1  # mine!", "1 / 0 + 2"])


def test_a_tab_that_comes_while_a_cell_runs_inside_of_another_does_not_double_its_output(
    context: BrowserContext, lab: str, root: Path, name: str
) -> None:
    gate = root / "gate"
    os.mkfifo(gate)
    one = open_tab(context, lab, name)
    code = f"print('before')\nopen({str(gate)!r}).read()\nprint('after')"
    one.put([nbformat.v4.new_code_cell(source) for source in (code, "%voice run cell one")])
    Notebook(one.page).run(1, wait=False)
    with gate.open("wb") as opened:  # waits until the cell reads
        page = context.new_page()
        page.goto(f"{lab}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=WAIT_MS)
        page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
        other = Sidebar(page)
        expect(other.turns).to_have_count(1, timeout=WAIT_MS)
        opened.write(b"go")
    expect(other.turns.last).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    for each in (page, one.page):
        expect(each.locator(".jp-Cell").first.locator(".jp-OutputArea")).to_contain_text("after")
    assert outputs_text(Notebook(page), 0) == outputs_text(Notebook(one.page), 0) == "before\nafter\n"
