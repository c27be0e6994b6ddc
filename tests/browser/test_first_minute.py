"""The first minute with the start notebook, as the README tells it; the README's pictures are taken of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import NOTEBOOK, Notebook, chromium, lab_server
from playwright.sync_api import Browser, Page, expect
from sidebar_page import WAIT_MS, Sidebar

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
SPOKEN = NOTEBOOKS / "tour" / "audio" / "bar_chart_of_sales_by_region.wav"
PICTURES = ROOT / "out"
"""`make screenshot` makes `panel-light.png` and `panel-dark.png` the README's."""
PANEL_FROM_PX = 840


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("notebooks")
    shutil.copy(NOTEBOOKS / "start.ipynb", root)
    shutil.copytree(NOTEBOOKS / "tour", root / "tour", ignore=shutil.ignore_patterns("__pycache__"))
    with lab_server(root, tmp_path_factory.mktemp("jupyter")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(["--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]) as opened:
        yield opened


@pytest.fixture
def notebook(browser: Browser, base: str) -> Iterator[Notebook]:
    context = browser.new_context(viewport={"width": 1400, "height": 900}, permissions=["microphone"])
    opened = Notebook.open(context, base, "start.ipynb")
    yield opened
    opened.shut_down()
    context.close()


def test_what_the_start_notebook_tells_to_do_works_in_its_order(notebook: Notebook) -> None:
    page = notebook.page
    page.locator(".jp-NotebookPanel-toolbar").get_by_role("button", name="voice").click()
    sidebar = Sidebar(page)
    sidebar.wait_ready()
    sidebar.say("run the next cell")
    expect(page.locator(".jp-OutputArea-output table")).to_be_visible(timeout=WAIT_MS)
    sidebar.say("describe df")
    turn = sidebar.ended(sidebar.hear(SPOKEN))
    assert "plot" in sidebar.calls(turn)
    expect(turn.locator("img")).to_be_visible(timeout=WAIT_MS)
    photograph(page)


def photograph(page: Page) -> None:
    """Take the README's pictures: the notebook, the panel beside it, the plot in view."""
    PICTURES.mkdir(exist_ok=True)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    edge = page.locator(".vk-sidebar").bounding_box()
    assert edge is not None
    page.mouse.move(edge["x"] - 2, 400)
    page.mouse.down()
    page.mouse.move(PANEL_FROM_PX, 400, steps=4)
    page.mouse.up()
    page.evaluate(f"() => {{ ({NOTEBOOK}).content.node.scrollTop = 0; }}")
    for theme, light, name in (("Light", "true", "panel-light.png"), ("Dark", "false", "panel-dark.png")):
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            f"JupyterLab {theme}",
        )
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light, timeout=WAIT_MS)
        expect(page.locator("#jupyterlab-splash")).to_have_count(0, timeout=WAIT_MS)
        page.locator(".vk-sidebar-panel:not([hidden]) .vk-turn").last.evaluate(
            "turn => turn.scrollIntoView()"
        )
        page.screenshot(path=PICTURES / name)
