"""Hands-free in a real JupyterLab: one long recording of commands, pauses and chatter is the microphone."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Notebook, chromium, lab_server, microphone, write_notebook
from open_microphone import sound
from playwright.sync_api import Browser, Page, expect

from voice_kernel.speech.transcriber import RATE_HZ

WAIT_MS = 60_000
SPOKEN = sound(
    1.5, "hibari_025.wav",  # show df
    1.6, "librivox_0930.wav",
    1.4, "flite-slt_035.wav",  # list files
    1.5, "hibari_077.wav",  # the weather is nice today
    1.4, "sb_spk1_snt5.wav",
    1.5, "hibari_025.wav",  # show df
    2.0,
)  # fmt: skip
CALLS = ["show_variable", "list_files", "show_variable"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handsfree")


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(folder, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    clip = folder / "microphone.wav"
    with wave.open(str(clip), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(SPOKEN.tobytes())
    with chromium(microphone(clip)) as opened:
        yield opened


@pytest.fixture
def notebook(browser: Browser, lab: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Notebook]:
    (folder / ".env").write_text(getattr(request, "param", ""))
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
    """Open the microphone hands-free, and wait until the whole recording was heard."""
    panel = page.locator(".vk-panel")
    expect(panel.locator(".vk-status")).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_label("How to listen").select_option("handsfree")
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_role("button", name="Listen hands-free").click()
    expect(panel.locator(".vk-talk")).to_have_attribute("data-phase", "listening", timeout=WAIT_MS)
    length_s = len(SPOKEN) / RATE_HZ
    page.wait_for_function(
        """seconds => {
          const shown = document.querySelector('.vk-talk .vk-elapsed')?.textContent ?? '0:00';
          const [minutes, rest] = shown.split(':').map(Number);
          return minutes * 60 + rest >= seconds;
        }""",
        arg=length_s + 2,
        timeout=(length_s + 30) * 1000,
    )


def test_of_commands_and_chatter_in_one_recording_exactly_the_commands_are_acted_on(
    notebook: Notebook,
) -> None:
    page = notebook.page
    listen(page)
    tools = page.locator(".vk-turn .vk-calls")
    assert [text.split("(")[0] for text in tools.all_text_contents()] == CALLS
    expect(page.locator(".vk-turn")).to_have_count(3)
    expect(page.locator(".vk-turn[data-state=succeeded]")).to_have_count(3, timeout=WAIT_MS)
    expect(page.locator(".vk-status")).to_have_text("Hands-free")
    page.locator(".vk-panel").get_by_role("button", name="Listen hands-free").click()
    expect(page.locator(".vk-status")).to_have_text("Ready", timeout=WAIT_MS)


@pytest.mark.parametrize("notebook", ["VOICE_KERNEL_WAKE_PHRASE=hey jupyter\n"], indirect=True)
def test_with_a_wake_phrase_the_same_recording_is_not_acted_on(notebook: Notebook) -> None:
    page = notebook.page
    listen(page)
    expect(page.locator(".vk-turn")).to_have_count(0)
    expect(page.locator(".vk-status")).to_have_text("Waiting for “hey jupyter”")
