"""Hands-free in a real JupyterLab: one long recording of commands, pauses and chatter is the microphone."""

from __future__ import annotations

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import WAIT_MS, Notebook, chromium, lab_server, microphone, write_notebook
from open_microphone import sound
from playwright.sync_api import Browser, Page, expect

from voice_kernel.speech.transcriber import RATE_HZ

PARTS = (
    1.5, "hibari_025.wav",  # show df
    1.6, "librivox_0930.wav",
    1.4, "flite-slt_035.wav",  # list files
    1.5, "hibari_077.wav",  # the weather is nice today
    1.4, "sb_spk1_snt5.wav",
    1.5, "hibari_025.wav",  # show df
    2.0,
)  # fmt: skip
CALLS = ["show_variable", "list_files", "show_variable"]
HEARD_MS = 30_000 + WAIT_MS
"""Until all of it was heard, as fast as it is spoken, and understood."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handsfree")


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(folder, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


@pytest.fixture
def phrase() -> str:
    """The wake phrase, which is none."""
    return ""


@pytest.fixture
def browser(folder: Path, phrase: str) -> Iterator[Browser]:
    """A browser that hears the recording; where a phrase wakes, it is spoken at the end, with a command."""
    woken: tuple[str | float, ...] = ("hey_jupyter_run_cell_three", 2.0) if phrase else ()
    spoken = sound(*PARTS, *woken)
    clip = folder / "microphone.wav"
    with wave.open(str(clip), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(spoken.tobytes())
    with chromium(microphone(clip)) as opened:
        yield opened


@pytest.fixture
def notebook(
    browser: Browser, lab: str, folder: Path, phrase: str, request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    (folder / ".env").write_text(f"VOICE_KERNEL_WAKE_PHRASE={phrase}\n" if phrase else "")
    name = f"{request.node.originalname}.ipynb"
    cells = ["%load_ext voice_kernel\n%voice", "df = [1, 2, 3]", "answer = 6 * 7"]
    write_notebook(folder / name, cells)
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, permissions=["microphone"])
    opened = Notebook.open(context, lab, name)
    opened.run(1)
    opened.run(0)
    yield opened
    opened.shut_down()
    context.close()


def listen(page: Page) -> None:
    """Open the microphone hands-free."""
    panel = page.locator(".vk-panel")
    expect(panel.locator(".vk-status")).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_label("How to listen").select_option("handsfree")
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_role("button", name="Listen hands-free").click()
    expect(panel.locator(".vk-talk")).to_have_attribute("data-phase", "listening", timeout=WAIT_MS)


def acted_on(page: Page, tools: list[str]) -> None:
    """Wait until these tools were called, in this order, and no other."""
    calls = page.locator(".vk-turn .vk-calls")
    expect(calls).to_have_text([re.compile(rf"^{tool}\(") for tool in tools], timeout=HEARD_MS)


def test_of_commands_and_chatter_in_one_recording_exactly_the_commands_are_acted_on(
    notebook: Notebook,
) -> None:
    page = notebook.page
    listen(page)
    acted_on(page, CALLS)
    expect(page.locator(".vk-turn")).to_have_count(3)
    expect(page.locator(".vk-turn[data-state=succeeded]")).to_have_count(3, timeout=WAIT_MS)
    expect(page.locator(".vk-status")).to_have_text("Hands-free")
    page.locator(".vk-panel").get_by_role("button", name="Listen hands-free").click()
    expect(page.locator(".vk-status")).to_have_text("Ready", timeout=WAIT_MS)


@pytest.mark.parametrize("phrase", ["hey jupyter"])
def test_with_a_wake_phrase_the_same_recording_is_not_acted_on(notebook: Notebook) -> None:
    page = notebook.page
    listen(page)
    expect(page.locator(".vk-status")).to_have_text("Waiting for “hey jupyter”")
    acted_on(page, ["run_cells"])
    expect(page.locator(".vk-turn")).to_have_count(1)
    expect(page.locator(".vk-status")).to_have_text("Waiting for “hey jupyter”", timeout=WAIT_MS)
