"""Answers are heard: real sound out of a real page, stopped at once."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import Notebook, chromium, lab_server, write_notebook
from panel_page import PanelPage
from panel_scenes import first_run, turn
from playwright.sync_api import Browser, Page, expect
from sound import LISTEN, figures, forget, listen, wait_loud, wait_quiet

from voice_kernel.messages import (
    HoldSpeaking,
    SpeakAnswer,
    SpeakChanged,
    StopSpeaking,
    TurnChanged,
    to_surface,
)

WAIT_MS = 60_000
RATE_HZ = 24_000
STOP_LIMIT_MS = 200
OPTIONS = ["--autoplay-policy=no-user-gesture-required"]


def tone(seconds: float) -> bytes:
    """Return a tone as PCM."""
    count = int(seconds * RATE_HZ)
    return struct.pack(
        f"<{count}h", *(int(12_000 * math.sin(2 * math.pi * 440 * at / RATE_HZ)) for at in range(count))
    )


def deliver(panel: PanelPage, message: SpeakAnswer, pcm: bytes = b"") -> None:
    """Hand an answer to the panel as a widget's model does: buffers beside it, as views."""
    panel.page.evaluate(
        """([message, pcm]) => {
          const bytes = Uint8Array.from(pcm);
          window.emit('msg:custom', message, pcm.length ? [new DataView(bytes.buffer)] : []);
        }""",
        [to_surface.dump_python(message, mode="json"), list(pcm)],
    )


def answer(panel: PanelPage, seconds: float = 3.0, number: int = 1, text: str = "Two files.") -> None:
    piece = SpeakAnswer(id=number, turn_id=1, text=text, rate_hz=RATE_HZ, last=False)
    deliver(panel, piece, tone(seconds))
    deliver(panel, SpeakAnswer(id=number, seq=1, turn_id=1))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(OPTIONS) as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 700, "height": 900})
    context.set_default_timeout(10_000)
    made = context.new_page()
    listen(made)
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert errors == []


@pytest.fixture
def panel(page: Page) -> PanelPage:
    made = PanelPage(page)
    made.deliver(*first_run())
    return made


def states(panel: PanelPage) -> list[str]:
    return [message["state"] for message in panel.sent("speaking_state")]


# ---- the panel alone --------------------------------------------------------------------------------


def test_an_answer_is_heard_shown_and_told_to_have_ended(panel: PanelPage) -> None:
    page = panel.page
    answer(panel, 0.6)
    wait_loud(page)
    expect(page.locator("[data-speaking]")).to_contain_text("Two files.")
    assert figures(page)["peak"] > 0.2
    panel.page.wait_for_function("window.sent.some(m => m.state === 'ended')")
    expect(page.locator("[data-speaking]")).to_have_count(0)
    assert states(panel) == ["started", "ended"]


@pytest.mark.parametrize("how", ["key", "click", "button", "kernel"])
def test_it_stops_within_200_ms(panel: PanelPage, how: str) -> None:
    page = panel.page
    answer(panel, 8.0)
    wait_loud(page)
    expect(page.locator("[data-speaking]")).to_be_visible()
    page.evaluate(
        """() => {
          const note = () => { window.asked ??= performance.now(); };
          window.addEventListener('keydown', note, true);
          window.addEventListener('pointerdown', note, true);
        }"""
    )
    if how == "key":
        page.keyboard.press("Escape")
    elif how == "click":
        page.locator(".vk-feed, .vk-place").first.click()
    elif how == "button":
        page.get_by_role("button", name="Stop speaking").click()
    else:
        page.evaluate("window.asked = performance.now()")
        panel.deliver(StopSpeaking(id=1))
    quiet = wait_quiet(page)
    took = quiet - page.evaluate("window.asked")
    print(f"{how}: silence after {took:.0f} ms")
    assert took < STOP_LIMIT_MS
    assert states(panel)[1:] == ([] if how == "kernel" else ["stopped"])
    expect(page.locator("[data-speaking]")).to_have_count(0)


def test_a_held_answer_is_silent_and_goes_on_where_it_was(panel: PanelPage) -> None:
    page = panel.page
    answer(panel, 2.0)
    wait_loud(page)
    panel.deliver(HoldSpeaking(id=1, hold=True))
    held = wait_quiet(page)
    expect(page.locator("[data-speaking]")).to_be_visible()
    panel.deliver(HoldSpeaking(id=1, hold=False))
    page.wait_for_function("() => window.sound.loud.length > 1", polling=5)
    first, again = figures(page)["loud"]
    page.wait_for_function("window.sent.some(m => m.state === 'ended')")
    assert states(panel) == ["started", "held", "ended"]
    heard_ms = (held - first) + (wait_quiet(page) - again)
    assert 1_800 < heard_ms < 2_300  # nothing is lost, nothing said twice


def test_what_comes_after_it_was_stopped_is_not_heard(panel: PanelPage) -> None:
    page = panel.page
    piece = SpeakAnswer(id=1, turn_id=1, text="One.", rate_hz=RATE_HZ, last=False)
    deliver(panel, piece, tone(4))
    wait_loud(page)
    page.keyboard.press("Escape")
    wait_quiet(page)
    forget(page)
    deliver(panel, piece.model_copy(update={"seq": 1, "text": "Two."}), tone(4))
    deliver(panel, SpeakAnswer(id=1, seq=2, turn_id=1))
    deliver(panel, SpeakAnswer(id=2, turn_id=2, text="Three.", rate_hz=RATE_HZ, last=False), tone(0.3))
    wait_loud(page)
    assert page.evaluate("window.sound.seconds") == pytest.approx(0.3, abs=0.01)


def test_sentences_follow_each_other_without_overlap(panel: PanelPage) -> None:
    page = panel.page
    for seq in range(3):
        piece = SpeakAnswer(id=1, seq=seq, turn_id=1, text=f"Part {seq}.", rate_hz=RATE_HZ, last=False)
        deliver(panel, piece, tone(0.3))
    deliver(panel, SpeakAnswer(id=1, seq=3, turn_id=1))
    began = wait_loud(page)
    expect(page.locator("[data-speaking]")).to_contain_text("Part 0. Part 1. Part 2.")
    page.wait_for_function("window.sent.some(m => m.state === 'ended')")
    assert page.evaluate("performance.now()") - began > 900


def test_the_button_switches_speaking_on_and_off_and_is_remembered(panel: PanelPage) -> None:
    page = panel.page
    assert panel.sent("speak_choice")[-1]["speak"] == "off"
    button = page.get_by_role("button", name="Answer out loud")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert panel.sent("speak_choice")[-1]["speak"] == "short"
    page.get_by_role("button", name="Microphone settings").click()
    page.get_by_label("Spoken answers").select_option("full")
    page.get_by_label("Pace").fill("1.5")
    last = panel.sent("speak_choice")[-1]
    assert (last["speak"], last["rate"]) == ("full", 1.5)
    assert panel.violations() == []
    button.click()
    button.click()
    assert panel.sent("speak_choice")[-1]["speak"] == "full"
    panel.deliver(SpeakChanged(speak="errors", rate=0.8))
    expect(page.get_by_label("Spoken answers")).to_have_value("errors")
    again = PanelPage(page)
    again.deliver(*first_run())
    assert again.sent("speak_choice")[-1] | {"browser_voice": False} == {
        "type": "speak_choice",
        "speak": "errors",
        "voice": "auto",
        "rate": 0.8,
        "browser_voice": False,
    }


def test_the_bar_of_what_is_said_has_no_accessibility_problem(panel: PanelPage) -> None:
    answer(panel, 5.0, text="12 passed, 1 failed: test login, expected 200, got 500.")
    wait_loud(panel.page)
    expect(panel.page.locator("[data-speaking]")).to_be_visible()
    assert panel.violations() == []


def test_a_screen_reader_is_not_told_what_is_spoken_anyway(panel: PanelPage) -> None:
    page = panel.page
    surface = panel.sent("hello")[0]["surface_id"]
    polite = page.locator("[aria-live=polite]").first
    panel.deliver(TurnChanged(turn=turn(1, "x", origin="text", surface_id=surface, answer="Said so.")))
    expect(polite).to_contain_text("Said so.")
    page.get_by_role("button", name="Answer out loud").click()
    panel.deliver(TurnChanged(turn=turn(2, "y", origin="text", surface_id=surface, answer="And this.")))
    panel.deliver(TurnChanged(turn=turn(3, "z", origin="text", surface_id="other", answer="Elsewhere.")))
    expect(polite).to_contain_text("Elsewhere.")
    # What could not be made into sound is told after all.
    deliver(panel, SpeakAnswer(id=1, turn_id=2, text="And this."))
    expect(polite).to_contain_text("And this.")
    assert states(panel) == ["failed"]


def test_a_browser_that_forbids_sound_is_said_with_what_to_do(page: Page) -> None:
    # What Chromium does before anybody has clicked or typed: the context stays suspended.
    page.add_init_script("AudioContext.prototype.resume = () => new Promise(() => {});")
    page.add_init_script(
        "Object.defineProperty(AudioContext.prototype, 'state', { get: () => 'suspended' });"
    )
    panel = PanelPage(page)
    panel.deliver(*first_run())
    answer(panel, 1.0)
    expect(page.get_by_text("The browser did not let this page make a sound.")).to_be_visible()
    expect(page.locator("[aria-live=polite]").first).to_contain_text("Two files.")
    assert states(panel) == ["failed"]
    assert panel.violations() == []


# ---- everything together ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lab")
    write_notebook(root / "speak.ipynb", ["%load_ext voice_kernel\n%voice"])
    for number in range(12):
        (root / f"file{number}.txt").write_text("x")
    return root


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(folder, tmp_path_factory.mktemp("jupyter")) as base:
        yield base


def say(page: Page, text: str) -> None:
    box = page.locator(".vk-panel").get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def heard(page: Page) -> Any:
    return page.locator("[data-speaking]")


def test_a_command_is_answered_by_the_local_voice_and_repeated_and_silenced(
    browser: Browser, lab: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.add_init_script(LISTEN)
    notebook = Notebook.open(context, lab, "speak.ipynb")
    page = notebook.page
    notebook.run(0)
    button = page.locator(".vk-panel").get_by_role("button", name="Answer out loud")
    button.click(timeout=WAIT_MS)

    say(page, "list files")
    wait_loud(page, WAIT_MS)
    expect(heard(page)).to_contain_text("13 files", timeout=WAIT_MS)
    page.keyboard.press("Escape")
    expect(heard(page)).to_have_count(0)
    wait_quiet(page)

    forget(page)
    say(page, "repeat")
    wait_loud(page, WAIT_MS)
    expect(heard(page)).to_contain_text("13 files", timeout=WAIT_MS)
    wait_quiet(page)

    forget(page)
    say(page, "answer in full")
    expect(heard(page)).to_contain_text("I answer in full now.", timeout=WAIT_MS)
    say(page, "be quiet")
    expect(page.locator(".vk-turn").last).to_contain_text("Stopped.", timeout=WAIT_MS)
    expect(heard(page)).to_have_count(0)

    forget(page)
    say(page, "stop answering out loud")
    expect(button).to_have_attribute("aria-pressed", "false", timeout=WAIT_MS)
    assert figures(page)["loud"] == []
    notebook.shut_down()
    context.close()
