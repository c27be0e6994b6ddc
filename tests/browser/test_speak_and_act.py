"""The main job, as a person does it: real JupyterLab, real Chromium, real speech into the microphone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import WAIT_MS, Notebook, lab_server, type_command, write_notebook
from playwright.sync_api import Browser, Page, expect
from sidebar_page import put_into_microphone, speak

CLIP = Path(__file__).parent / "run_the_tests.wav"
PICTURE = Path(__file__).parent.parent.parent / "out" / "panel.png"

TESTS = """
import pytest

PRICES = {"apple": 1.2, "pear": 1.5}

@pytest.mark.parametrize("fruit", ["apple", "pear"])
def test_every_price_is_positive(fruit):
    assert PRICES[fruit] > 0

def test_a_basket_adds_up():
    assert sum(PRICES.values()) == 2.8
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lab")
    (root / "tests").mkdir()
    (root / "tests" / "test_prices.py").write_text(TESTS)
    (root / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    (root / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:asyncio\n")
    return root


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(folder, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


@pytest.fixture
def notebook(browser: Browser, lab: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    name = f"{request.node.name}.ipynb"
    write_notebook(
        folder / name,
        ["%load_ext voice_kernel\n%voice", "import time\ntime.sleep(600)", "%voice list tasks"],
    )
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened = Notebook.open(context, lab, name)
    opened.run(0)
    expect(opened.page.locator(".vk-panel .vk-status")).to_have_attribute(
        "data-status", re.compile("ready|listening", re.I), timeout=WAIT_MS
    )
    yield opened
    opened.shut_down()
    context.close()


def say(page: Page, text: str) -> None:
    type_command(page.locator(".vk-panel"), text)


def test_a_spoken_command_becomes_a_transcript_a_route_a_task_and_test_results(notebook: Notebook) -> None:
    page = notebook.page
    panel = page.locator(".vk-panel")
    put_into_microphone(page, CLIP)
    button = panel.get_by_role("button", name="Hold to talk")
    button.scroll_into_view_if_needed()
    button.hover()
    page.mouse.down()
    speak(page)
    # The clip is the microphone: its words appear while they are spoken, then the key is released.
    expect(panel.locator(".vk-transcript").last).to_contain_text("folder", timeout=WAIT_MS)
    page.mouse.up()

    turn = panel.locator(".vk-turn").last
    expect(turn.locator("[data-route]")).to_have_attribute("data-route", "intents", timeout=WAIT_MS)
    expect(turn.locator(".vk-transcript")).to_have_text(
        re.compile("^run the tests in the tests? folder.?$", re.I)
    )
    task = turn.locator(".vk-task")
    expect(task).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
    expect(task).to_contain_text("test_a_basket_adds_up")
    expect(task).to_contain_text("tests/test_prices.py")
    expect(task).to_contain_text("2 passed")

    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE)


def test_cancel_ends_a_shell_task_while_a_cell_is_running(notebook: Notebook) -> None:
    page = notebook.page
    say(page, "run the command sleep 600")
    task = page.locator(".vk-task", has_text="sleep 600")
    expect(task).to_have_attribute("data-state", "running", timeout=WAIT_MS)
    notebook.run(1, wait=False)
    page.wait_for_function(
        "() => document.querySelectorAll('.jp-Cell')[1].innerText.includes('[*]')", timeout=WAIT_MS
    )
    task.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(task).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)
    # The 600 s cell has not ended: the click did not wait for it.
    assert notebook.count(1) is None


def test_a_page_that_connects_late_is_shown_what_happened_before(notebook: Notebook) -> None:
    page = notebook.page
    say(page, "list files")
    expect(page.locator(".vk-task").last).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    notebook.run(0)
    second = page.locator(".vk-panel").last
    expect(second.locator(".vk-transcript")).to_have_text("list files", timeout=WAIT_MS)
    expect(second.locator(".vk-task")).to_have_attribute("data-state", "succeeded")


def test_an_install_asks_first_and_a_click_on_deny_is_a_no(notebook: Notebook) -> None:
    page = notebook.page
    say(page, "install the package requests")
    card = page.locator(".vk-approval")
    expect(card).to_contain_text("pip install requests", timeout=WAIT_MS)
    card.get_by_role("button", name=re.compile("Deny")).click()
    task = page.locator(".vk-task", has_text="pip install requests")
    expect(task).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
    expect(task).to_contain_text("You said no")


def test_a_typed_no_counts_and_a_half_yes_does_not(notebook: Notebook) -> None:
    page = notebook.page
    say(page, "install the package requests")
    card = page.locator(".vk-approval")
    expect(card).to_be_visible(timeout=WAIT_MS)
    say(page, "yes but not now")
    task = page.locator(".vk-task", has_text="pip install requests")
    expect(page.locator(".vk-turn").last).to_have_attribute(
        "data-state", re.compile("nothing|failed"), timeout=WAIT_MS
    )
    expect(task).to_have_attribute("data-state", "awaiting_approval")
    say(page, "okay wait don't run that")
    expect(task).to_have_attribute("data-state", "failed", timeout=WAIT_MS)


def test_what_a_cell_said_is_frozen_when_its_turn_ends(notebook: Notebook) -> None:
    notebook.run(2)
    html = [output["data"].get("text/html", "") for output in notebook.outputs(2) if "data" in output]
    assert any("voice-kernel-turn" in page for page in html)
    assert not any(
        "application/vnd.jupyter.widget-view+json" in o.get("data", {}) for o in notebook.outputs(2)
    )
