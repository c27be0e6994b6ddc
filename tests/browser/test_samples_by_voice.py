"""The sample applications in JupyterLab: one step of each is spoken, and its widget answers."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import WAIT_MS, Notebook, lab_server
from playwright.sync_api import Browser, Locator, expect
from sidebar_page import FrontEnd, Sidebar

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"
SPOKEN = Path(__file__).parents[1] / "data" / "samples"
PICTURES = Path(__file__).parents[2] / "out"


@pytest.fixture(scope="module")
def front_end(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    """JupyterLab over a copy of the samples."""
    shutil.copytree(SAMPLES, root, dirs_exist_ok=True)
    with lab_server(root, tmp_path_factory.mktemp("lab")) as base:
        yield FrontEnd("lab", base)


@contextmanager
def sample(browser: Browser, front_end: FrontEnd, name: str) -> Iterator[tuple[Notebook, Sidebar]]:
    """Open a sample, run what defines it, and open the panel beside it."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000}, permissions=["microphone"])
    notebook = Notebook.open(context, front_end.base, f"{name}.ipynb")
    cells = json.loads((SAMPLES / f"{name}.ipynb").read_text())["cells"]
    for index, cell in enumerate(cells):
        if cell["cell_type"] == "code" and defines("".join(cell["source"])):
            notebook.run(index)
    try:
        yield notebook, Sidebar.open(notebook.page)
    finally:
        PICTURES.mkdir(exist_ok=True)
        notebook.page.screenshot(path=PICTURES / f"sample-{name}.png")
        notebook.shut_down()
        context.close()


def defines(source: str) -> bool:
    """Say whether a cell begins the session, defines tools, or shows the card that they change."""
    return any(part in source for part in ("%load_ext", "@tool", "Widget("))


def cards(notebook: Notebook) -> Locator:
    """Return the widgets in the notebook's cells."""
    return notebook.page.locator(".jp-Notebook .jp-OutputArea .vk-widget")


def test_two_bags_are_added_by_voice_and_a_third_by_the_cards_button(
    browser: Browser, front_end: FrontEnd
) -> None:
    with sample(browser, front_end, "customer_support") as (notebook, sidebar):
        sidebar.ended(sidebar.hear(SPOKEN / "add_two_bags.wav"))
        card = cards(notebook).first
        expect(card).to_contain_text("Checked bags: 3", timeout=WAIT_MS)
        card.get_by_role("button", name="Add a bag").click()
        expect(card).to_contain_text("Checked bags: 4", timeout=WAIT_MS)
        expect(card).to_contain_text("45 euros")


def test_documents_are_asked_by_voice_and_a_click_shows_the_one_that_answers(
    browser: Browser, front_end: FrontEnd
) -> None:
    with sample(browser, front_end, "knowledge_assistant") as (_, sidebar):
        turn = sidebar.ended(sidebar.hear(SPOKEN / "ask_the_documents.wav"))
        expect(turn).to_contain_text("thirty-five minutes")
        found = turn.locator(".vk-widget")
        expect(found).to_contain_text("power_and_network.md", timeout=WAIT_MS)
        found.get_by_role("button", name=re.compile("When everything goes dark")).click()
        expect(sidebar.turns.last).to_contain_text("The generator", timeout=WAIT_MS)


def test_the_weather_is_drawn_by_voice_and_a_fact_is_forgotten_by_a_click(
    browser: Browser, front_end: FrontEnd
) -> None:
    with sample(browser, front_end, "facts_and_weather") as (notebook, sidebar):
        turn = sidebar.ended(sidebar.hear(SPOKEN / "weather_in_oslo.wav"))
        expect(turn.locator(".vk-widget")).to_contain_text("Oslo, Norway", timeout=WAIT_MS)
        sidebar.say("remember that I live in Vienna")
        panel = cards(notebook).first
        expect(panel).to_contain_text("1. I live in Vienna", timeout=WAIT_MS)
        panel.get_by_role("button", name="Forget").click()
        expect(panel).to_contain_text("Nothing yet", timeout=WAIT_MS)


def test_variants_are_made_by_voice_and_approved_in_the_gallery(
    browser: Browser, front_end: FrontEnd
) -> None:
    with sample(browser, front_end, "marketing_assets") as (notebook, sidebar):
        sidebar.ended(sidebar.hear(SPOKEN / "three_variants.wav"))
        gallery = cards(notebook).first
        expect(gallery.locator("img")).to_have_count(3, timeout=WAIT_MS)
        gallery.get_by_role("button", name="Approve").nth(1).click()
        expect(gallery).to_contain_text("3 variants, 1 approved", timeout=WAIT_MS)


def test_the_theme_is_changed_by_voice_and_an_error_lies_over_the_card_until_it_is_dismissed(
    browser: Browser, front_end: FrontEnd
) -> None:
    with sample(browser, front_end, "starter") as (notebook, sidebar):
        sidebar.ended(sidebar.hear(SPOKEN / "use_the_dark_theme.wav"))
        card = cards(notebook).first
        card.get_by_role("button", name="Roll five dice").click()
        expect(card).to_contain_text("5 1 4 3 1: 14", timeout=WAIT_MS)
        assert json.loads(notebook.execute("import json\nprint(json.dumps(card.root))"))["theme"] == "dark"
        sidebar.say("roll fifty dice", outcome="failed")
        expect(card).to_contain_text("One to twenty dice can be rolled.", timeout=WAIT_MS)
        card.get_by_role("button", name="Dismiss").click()
        expect(card).to_contain_text("What shall we roll?", timeout=WAIT_MS)
        expect(card).not_to_contain_text("Something went wrong")
