"""History and replay as a person sees them beside the notebook, and in a cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from lab import Notebook, lab_server
from playwright.sync_api import Browser, expect
from sidebar_page import WAIT_MS, Sidebar, write_cells

PICTURES = Path(__file__).parents[2] / "out"


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    (root / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    with lab_server(root, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


@pytest.fixture
def notebook(browser: Browser, lab: str, root: Path) -> Iterator[Notebook]:
    cells = ["%load_ext voice_kernel", "%voice show history"]
    write_cells(root / "day.ipynb", [nbformat.v4.new_code_cell(source) for source in cells])
    context = browser.new_context(viewport={"width": 1500, "height": 950})
    notebook = Notebook.open(context, lab, "day.ipynb")
    yield notebook
    notebook.shut_down()
    context.close()


def test_the_history_is_a_table_and_a_replay_shows_its_plan_first(notebook: Notebook, root: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    sidebar = Sidebar.open(notebook.page)
    sidebar.say("shell echo one more line >> log.txt")
    sidebar.say("run the code 1 / 0", "failed")
    history = sidebar.say("show history")
    told = history.locator(".vk-task").last
    expect(told).to_contain_text("2 tasks.")
    expect(told).to_contain_text("run the code 1 / 0 [run_code]")
    expect(told).to_contain_text("division by zero")

    replay = sidebar.send("replay everything")
    expect(sidebar.card).to_contain_text("does again what was done before", timeout=WAIT_MS)
    expect(sidebar.card).to_contain_text("1. shell echo one more line >> log.txt (before: succeeded)")
    expect(sidebar.card).to_contain_text("2. run the code 1 / 0 (before: failed (ZeroDivisionError))")
    notebook.page.screenshot(path=PICTURES / "replay-plan.png")
    assert (root / "log.txt").read_text().count("\n") == 1
    sidebar.approve(replay)
    sidebar.ended(replay)
    expect(replay).to_contain_text("Replayed: 2 steps, the same outcomes as before.")
    assert (root / "log.txt").read_text().count("\n") == 2
    replay.scroll_into_view_if_needed()
    notebook.page.screenshot(path=PICTURES / "replayed.png")

    notebook.run(0)
    notebook.run(1)
    card = notebook.page.locator(".jp-Cell").nth(1).locator(".jp-OutputArea")
    expect(card).to_contain_text("run the code 1 / 0 [run_code]", timeout=WAIT_MS)
    notebook.page.screenshot(path=PICTURES / "history-in-cell.png")
