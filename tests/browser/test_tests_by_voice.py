"""A project's tests from the side bar: run, read, and the failing one opened in JupyterLab's editor."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from lab import WAIT_MS, chromium, lab_server
from playwright.sync_api import expect
from sidebar_page import FrontEnd, Sidebar, write_cells

OUT = Path(__file__).parents[2] / "out"
TESTS = """import pytest


def test_total():
    assert sum([1, 2]) == 3


def test_login_works():
    user = {"name": "ada", "roles": ["author"]}
    assert user["name"] == "bob", "another user is logged in"


@pytest.mark.skip(reason="later")
def test_later():
    pass
"""
LINE = 10
CURSOR = """() => {
    const editor = window.jupyterapp.shell.currentWidget?.content?.editor;
    return editor ? editor.getCursorPosition().line + 1 : 0;
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose notebook is not in its top folder."""
    root = tmp_path_factory.mktemp("project")
    (root / "tests").mkdir()
    (root / "tests" / "test_user.py").write_text(TESTS)
    (root / "pyproject.toml").touch()
    (root / "work").mkdir()
    write_cells(root / "work" / "a.ipynb", [nbformat.v4.new_code_cell("%cd ..")])
    return root


def test_a_failing_test_is_read_in_the_panel_and_opened_at_its_line(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with lab_server(folder, tmp_path_factory.mktemp("lab")) as base, chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        notebook = FrontEnd("lab", base).open(context, "work/a.ipynb")
        sidebar = Sidebar.open(notebook.page)
        notebook.run(0)
        turn = sidebar.say("run the tests", outcome="failed")
        expect(sidebar.panel).to_contain_text("another user is logged in")
        expect(sidebar.panel).to_contain_text(f"tests/test_user.py:{LINE}")
        OUT.mkdir(exist_ok=True)
        turn.scroll_into_view_if_needed()
        notebook.page.screenshot(path=OUT / "failing-tests.png")
        sidebar.say("open the failing test")
        page = notebook.page
        expect(page.get_by_role("tab", name="test_user.py")).to_be_visible(timeout=WAIT_MS)
        page.wait_for_function(f"() => ({CURSOR})() === {LINE}", timeout=WAIT_MS)
        page.screenshot(path=OUT / "failing-test-open.png")
        notebook.shut_down()
        context.close()


def test_notebook_7_opens_the_failing_test_in_a_tab(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with lab_server(folder, tmp_path_factory.mktemp("nb7"), "notebook") as base, chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        notebook = FrontEnd("notebook", base).open(context, "work/a.ipynb")
        sidebar = Sidebar.open(notebook.page)
        notebook.run(0)
        turn = sidebar.say("run the tests and show the slowest", outcome="failed")
        expect(turn).to_contain_text("The slowest tests:")
        with context.expect_page(timeout=WAIT_MS) as opened:
            asked = sidebar.send("open the failing test")
        editor = opened.value
        expect(editor.locator(".jp-FileEditor")).to_contain_text("test_login_works", timeout=WAIT_MS)
        assert "/edit/tests/test_user.py" in editor.url
        OUT.mkdir(exist_ok=True)
        editor.screenshot(path=OUT / "failing-test-notebook-7.png")
        notebook.page.bring_to_front()  # nothing is drawn in a tab that nobody sees
        sidebar.ended(asked)
        turn.scroll_into_view_if_needed()
        notebook.page.screenshot(path=OUT / "slowest-tests.png")
        notebook.shut_down()
        context.close()
