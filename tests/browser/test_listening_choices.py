"""How the panel listens, with a scripted kernel: the choice, what is visible of it, tones, questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import chromium
from panel_page import PanelPage, Theme
from panel_scenes import ABOUT, state, turn
from playwright.sync_api import Browser, Page, expect

from voice_kernel.messages import ControlSpoken, Speech, SpeechChanged, TurnChanged

PICTURES = Path(__file__).parents[2] / "out" / "listening"
MICROPHONE = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
COUNT_TONES = """() => {
  window.tones = [];
  const start = AudioScheduledSourceNode.prototype.start;
  AudioScheduledSourceNode.prototype.start = function (...when) {
    if (this instanceof OscillatorNode) window.tones.push(Math.round(this.frequency.value));
    return start.apply(this, when);
  };
}"""
HANDS_FREE = Speech(state="listening", hands_free=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(MICROPHONE) as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 700, "height": 800})
    made = context.new_page()
    made.add_init_script(f"({COUNT_TONES})()")
    yield made
    context.close()


def open_panel(page: Page, *, theme: Theme = "light", **about: object) -> PanelPage:
    panel = PanelPage(page, theme=theme, width=460)
    panel.deliver(state(about=ABOUT.model_copy(update=about)))
    return panel


def choose(page: Page, mode: str) -> None:
    page.get_by_role("button", name="Microphone settings").click()
    page.get_by_label("How to listen").select_option(mode)
    page.get_by_role("button", name="Microphone settings").click()


def listen(page: Page, panel: PanelPage) -> None:
    page.get_by_role("button", name="Listen hands-free").click()
    panel.deliver(SpeechChanged(speech=HANDS_FREE))
    expect(page.locator(".vk-status")).to_have_text("Hands-free")


def test_hands_free_opens_one_stream_that_a_click_ends(page: Page) -> None:
    panel = open_panel(page)
    choose(page, "handsfree")
    listen(page, panel)
    assert panel.wait_sent("audio_start")["hands_free"] is True
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 20")
    assert len(panel.sent("audio_start")) == 1
    page.get_by_role("button", name="Listen hands-free").click()
    assert panel.wait_sent("audio_end")["discard"] is False
    expect(page.locator(".vk-talk")).to_have_attribute("data-phase", "idle")


def test_the_choice_is_remembered_and_the_setting_counts_where_there_is_none(page: Page) -> None:
    open_panel(page, listen="handsfree")
    expect(page.get_by_role("button", name="Listen hands-free")).to_be_visible()
    choose(page, "toggle")
    expect(page.get_by_role("button", name="Click to talk")).to_be_visible()
    open_panel(page, listen="handsfree")
    expect(page.get_by_role("button", name="Click to talk")).to_be_visible()


def test_what_is_waited_for_and_what_is_heard_is_always_visible(page: Page) -> None:
    panel = open_panel(page, wake_phrase="hey jupyter")
    choose(page, "handsfree")
    listen(page, panel)
    waiting = HANDS_FREE.model_copy(update={"waiting_for": "hey jupyter"})
    panel.deliver(SpeechChanged(speech=waiting))
    expect(page.locator(".vk-status")).to_have_text("Waiting for “hey jupyter”")
    expect(page.locator(".vk-talk-title")).to_contain_text("Waiting for “hey jupyter”")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "waiting.png")
    panel.deliver(SpeechChanged(speech=HANDS_FREE.model_copy(update={"heard": "The weather is nice today."})))
    expect(page.locator(".vk-heard")).to_contain_text("The weather is nice today.")
    page.screenshot(path=PICTURES / "heard.png")
    panel.deliver(
        TurnChanged(turn=turn(7, "Run the tests in", state="listening", partial=True, settled=13, route=None))
    )
    expect(page.locator(".vk-status")).to_have_text("Listening")
    expect(page.locator(".vk-settled")).to_have_text("Run the tests")
    page.screenshot(path=PICTURES / "listening.png")


def test_a_spoken_stop_closes_an_open_microphone(page: Page) -> None:
    panel = open_panel(page)
    choose(page, "handsfree")
    listen(page, panel)
    panel.deliver(ControlSpoken(control="stop_listening"))
    panel.wait_sent("audio_end")
    expect(page.locator(".vk-talk")).to_have_attribute("data-phase", "idle")


def test_tones_tell_that_the_microphone_opens_and_closes_and_can_be_switched_off(page: Page) -> None:
    panel = open_panel(page)
    choose(page, "handsfree")
    listen(page, panel)
    page.wait_for_function("JSON.stringify(window.tones) === '[587,880]'")
    page.get_by_role("button", name="Listen hands-free").click()
    page.wait_for_function("JSON.stringify(window.tones) === '[587,880,880,587]'")
    page.get_by_role("button", name="Microphone settings").click()
    page.get_by_label("Tones when the microphone opens").uncheck()
    listen(page, panel)
    page.wait_for_function("window.sent.filter(message => message.type === 'audio_start').length === 2")
    # Its tones would have come by the time it can be ended.
    page.get_by_role("button", name="Listen hands-free").click()
    page.wait_for_function("window.sent.filter(message => message.type === 'audio_end').length === 2")
    expect(page.locator(".vk-talk")).to_have_attribute("data-phase", "idle")
    assert len(page.evaluate("window.tones")) == 4


@pytest.mark.parametrize(("button", "yes"), [("Yes", True), ("No", False)])
def test_a_question_is_answered_by_a_click(page: Page, button: str, yes: bool) -> None:
    panel = open_panel(page)
    asks = "Did you mean “Restart the kernel”?"
    panel.deliver(
        TurnChanged(turn=turn(7, "Restart the kernel", state="understanding", asks=asks, route=None))
    )
    question = page.get_by_role("group", name=asks)
    expect(question).to_contain_text(asks)
    expect(page.locator("[aria-live=assertive]")).to_contain_text("Say yes or no.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / "question.png")
    question.get_by_role("button", name=button, exact=True).click()
    answer = panel.wait_sent("answer_question")
    assert (answer["turn_id"], answer["yes"]) == (7, yes)


def test_where_recordings_are_kept_is_never_hidden(page: Page) -> None:
    open_panel(page, audio_kept_in="/home/ada/recordings")
    expect(page.locator(".vk-talk")).to_contain_text("Recordings are kept in /home/ada/recordings")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_listening_has_no_accessibility_violation(page: Page, theme: Theme) -> None:
    panel = open_panel(page, theme=theme, wake_phrase="hey jupyter", audio_kept_in="/home/ada/recordings")
    choose(page, "handsfree")
    listen(page, panel)
    panel.deliver(
        SpeechChanged(speech=HANDS_FREE.model_copy(update={"heard": "The weather is nice today."})),
        TurnChanged(turn=turn(7, "Undo", state="understanding", asks="Did you mean “Undo”?", route=None)),
    )
    page.get_by_role("button", name="Microphone settings").click()
    assert panel.violations() == []
