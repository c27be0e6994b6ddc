"""A voice ends the answer that is being spoken; a noise does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lab import WAIT_MS, Notebook, lab_server, type_command, write_notebook
from numpy.typing import NDArray
from open_microphone import sound
from playwright.sync_api import Browser, Page, expect
from sound import LISTEN, ROOM, figures, say, wait_loud, wait_quiet

from voice_kernel.speech.transcriber import RATE_HZ

SPOKEN = sound("librivox_0930.wav", 3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("barge_in")
    write_notebook(root / "speak.ipynb", ["%load_ext voice_kernel\n%voice"])
    return root


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(folder, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


@pytest.fixture
def page(browser: Browser, lab: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, permissions=["microphone"])
    context.add_init_script(LISTEN)
    context.add_init_script(ROOM)
    notebook = Notebook.open(context, lab, "speak.ipynb")
    notebook.run(0)
    yield notebook.page
    notebook.shut_down()
    context.close()


def listen_and_answer(page: Page) -> None:
    """Open the microphone hands-free, in a panel that has answered aloud before."""
    panel = page.locator(".vk-panel")
    expect(panel.locator(".vk-status")).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_label("Spoken answers").select_option("full")
    panel.get_by_label("How to listen").select_option("handsfree")
    panel.get_by_label("Tones when the microphone opens").uncheck()  # they are sound, too
    panel.get_by_role("button", name="Microphone settings").click()
    ask(page, "list files")  # what is first loaded is loaded with it
    wait_loud(page, WAIT_MS)
    wait_quiet(page, WAIT_MS)
    panel.get_by_role("button", name="Listen hands-free").click()
    expect(panel.locator(".vk-talk")).to_have_attribute("data-phase", "listening", timeout=WAIT_MS)
    page.evaluate("window.sound.forget()")


def ask(page: Page, text: str) -> None:
    type_command(page.locator(".vk-panel"), text)


def test_who_speaks_up_ends_the_answer(page: Page) -> None:
    listen_and_answer(page)
    ask(page, "help")  # a minute and more, read in full
    wait_loud(page)
    page.evaluate("window.room.cut = 0")
    expect(page.locator("[data-speaking]")).to_have_count(1)
    say(page, SPOKEN, RATE_HZ)
    expect(page.locator("[data-speaking]")).to_have_count(0)
    assert page.evaluate("window.room.cut") > 0, "the answer came to its own end"
    quiet = wait_quiet(page)
    spoken = float(page.evaluate("window.room.spoken"))
    print(f"silence {quiet - spoken:.0f} ms after the first sound at the microphone")


def test_an_answer_goes_on_after_a_cough_or_a_click(page: Page) -> None:
    listen_and_answer(page)
    page.evaluate("window.room.cut = 0")
    ask(page, "help")
    wait_loud(page, WAIT_MS)
    say(page, click(), RATE_HZ)
    page.wait_for_function("() => window.room.over", timeout=WAIT_MS)
    say(page, cough(), RATE_HZ)
    quiet = wait_quiet(page, WAIT_MS)  # for as long as it may be a voice
    page.wait_for_function("() => window.sound.loud.length > 1", timeout=WAIT_MS)
    print(f"held for {figures(page)['loud'][1] - quiet:.0f} ms")
    expect(page.locator("[data-speaking]")).to_have_count(1)
    assert page.evaluate("window.room.cut") == 0
    page.keyboard.press("Escape")
    expect(page.locator("[data-speaking]")).to_have_count(0)


def click() -> NDArray[np.int16]:
    """Return two keys of a keyboard."""
    random = np.random.default_rng(3)
    key = random.normal(0, 0.3, RATE_HZ // 50)
    pause = np.zeros(RATE_HZ // 10)
    return sixteen_bit(np.concatenate([key, pause, key, pause]))


def cough() -> NDArray[np.int16]:
    """Return a burst of noise that dies away, a quarter of a second long."""
    random = np.random.default_rng(4)
    length = RATE_HZ // 4
    return sixteen_bit(random.normal(0, 0.3, length) * np.exp(-np.arange(length) / (RATE_HZ * 0.08)))


def sixteen_bit(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return (np.clip(samples, -1, 1) * 32767).astype(np.int16)
