"""Answers are heard: real sound out of a real page, stopped at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import WAIT_MS, Notebook, chromium, lab_server, type_command, write_notebook
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

RATE_HZ = 24_000
OPTIONS = ["--autoplay-policy=no-user-gesture-required"]
LONG_S = 120.0
"""An answer that does not end by itself while a test goes on."""

WATCH = """
window.shown = [];
window.pieces = [];
new MutationObserver(() => {
  const text = document.querySelector('[data-speaking]')?.textContent ?? '';
  if (text && text !== window.shown.at(-1)) window.shown.push(text);
}).observe(document, { subtree: true, childList: true, characterData: true });
(() => {
  const { start, stop } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (at, ...rest) {
    window.pieces.push({ at, seconds: this.buffer.duration, context: this.context, cut: false, node: this });
    return start.call(this, at, ...rest);
  };
  AudioBufferSourceNode.prototype.stop = function (...args) {
    window.pieces.filter(piece => piece.node === this).forEach(piece => { piece.cut = true; });
    return stop.apply(this, args);
  };
})();
"""
"""Writes down every text that was shown while it was said, and every piece of sound that was begun: an answer
may be over before anybody has looked."""


def deliver(panel: PanelPage, message: SpeakAnswer, seconds: float = 0.0) -> None:
    """Hand an answer to the panel as a widget's model does: beside it a tone, in a buffer, as a view."""
    panel.page.evaluate(
        """([message, rate, count]) => {
          const wave = at => 12_000 * Math.sin((2 * Math.PI * 440 * at) / rate);
          const pcm = new Int16Array(count).map((_, at) => wave(at));
          window.emit('msg:custom', message, count ? [new DataView(pcm.buffer)] : []);
        }""",
        [to_surface.dump_python(message, mode="json"), RATE_HZ, int(seconds * RATE_HZ)],
    )


def begin(panel: PanelPage, seconds: float, text: str = "Two files.") -> None:
    """Hand over the first piece of the answer."""
    deliver(panel, SpeakAnswer(id=1, turn_id=1, text=text, rate_hz=RATE_HZ, last=False), seconds)


def end(panel: PanelPage, seq: int = 1) -> None:
    """Tell that the answer has no more pieces."""
    deliver(panel, SpeakAnswer(id=1, seq=seq, turn_id=1))


def was_shown(page: Page, text: str) -> None:
    """Wait until a text has been shown as what is said."""
    page.wait_for_function("text => window.shown.some(each => each.includes(text))", arg=text)


def wait_state(panel: PanelPage, state: str) -> None:
    """Wait until the panel has told that an answer is in a state."""
    panel.page.wait_for_function("state => window.sent.some(m => m.state === state)", arg=state)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(OPTIONS) as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 700, "height": 900})
    made = context.new_page()
    # The first sound of a browser starts what makes it sound.
    made.evaluate(
        "async () => { const sound = new AudioContext(); await sound.resume(); await sound.close(); }"
    )
    listen(made)
    made.add_init_script(WATCH)
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
    begin(panel, 5.0)
    wait_loud(page)
    page.wait_for_function("() => window.sound.peak > 0.2")
    expect(page.locator("[data-speaking]")).to_contain_text("Two files.")
    end(panel)
    wait_state(panel, "ended")
    expect(page.locator("[data-speaking]")).to_have_count(0)
    assert states(panel) == ["started", "ended"]


@pytest.mark.parametrize("how", ["key", "click", "button", "kernel"])
def test_it_stops_long_before_its_end(panel: PanelPage, how: str) -> None:
    """How soon is measured by the bench."""
    page = panel.page
    begin(panel, LONG_S)
    end(panel)
    wait_loud(page)
    expect(page.locator("[data-speaking]")).to_be_visible()
    if how == "key":
        page.keyboard.press("Escape")
    elif how == "click":
        page.locator(".vk-feed, .vk-place").first.click()
    elif how == "button":
        page.get_by_role("button", name="Stop speaking").click()
    else:
        panel.deliver(StopSpeaking(id=1))
    wait_quiet(page)
    assert page.evaluate("window.pieces.map(({ cut }) => cut)") == [True]
    played_s = page.evaluate("window.pieces[0].context.currentTime - window.pieces[0].at")
    assert played_s < LONG_S / 2
    assert states(panel)[1:] == ([] if how == "kernel" else ["stopped"])
    expect(page.locator("[data-speaking]")).to_have_count(0)


def test_a_held_answer_is_silent_and_goes_on_where_it_was(panel: PanelPage) -> None:
    page = panel.page
    begin(panel, 6.0)
    end(panel)
    hold, go_on = (
        to_surface.dump_python(HoldSpeaking(id=1, hold=hold), mode="json") for hold in (True, False)
    )
    # All of it in the page: nobody else is quick enough for certain to let go before the panel does.
    shown = page.evaluate(
        """async ([hold, goOn]) => {
          const until = async holds => {
            while (!holds()) await new Promise(done => setTimeout(done, 2));
          };
          const { sound, pieces } = window;
          await until(() => sound.loud.length === 1);
          window.deliver(hold);
          await until(() => sound.quiet !== null && pieces[0].context.state === 'suspended');
          const shown = document.querySelector('[data-speaking]')?.textContent;
          window.deliver(goOn);
          await until(() => sound.loud.length === 2);
          return shown;
        }""",
        [hold, go_on],
    )
    assert "Two files." in shown
    wait_state(panel, "ended")
    assert states(panel) == ["started", "held", "ended"]
    # One piece, that stood still while it was held: nothing is lost, nothing said twice.
    assert page.evaluate("window.pieces.map(({ cut }) => cut)") == [False]


def test_what_comes_after_it_was_stopped_is_not_heard(panel: PanelPage) -> None:
    page = panel.page
    piece = SpeakAnswer(id=1, turn_id=1, text="One.", rate_hz=RATE_HZ, last=False)
    deliver(panel, piece, LONG_S)
    wait_loud(page)
    page.keyboard.press("Escape")
    wait_quiet(page)
    forget(page)
    deliver(panel, piece.model_copy(update={"seq": 1, "text": "Two."}), 4.0)
    end(panel, seq=2)
    deliver(panel, SpeakAnswer(id=2, turn_id=2, text="Three.", rate_hz=RATE_HZ, last=False), 3.0)
    wait_loud(page)
    assert page.evaluate("window.sound.seconds") == pytest.approx(3.0, abs=0.01)


def test_sentences_follow_each_other_without_overlap(panel: PanelPage) -> None:
    page = panel.page
    for seq in range(3):
        piece = SpeakAnswer(id=1, seq=seq, turn_id=1, text=f"Part {seq}.", rate_hz=RATE_HZ, last=False)
        deliver(panel, piece, 0.3)
    expect(page.locator("[data-speaking]")).to_contain_text("Part 0. Part 1. Part 2.")
    end(panel, seq=3)
    wait_state(panel, "ended")
    first, second, third = page.evaluate("window.pieces.map(({ at, seconds }) => [at, at + seconds])")
    assert first[1] <= second[0] < second[1] <= third[0]


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
    begin(panel, LONG_S, text="12 passed, 1 failed: test login, expected 200, got 500.")
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
    begin(panel, 1.0)
    end(panel)
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
    type_command(page.locator(".vk-panel"), text)


def heard(page: Page) -> Any:
    return page.locator("[data-speaking]")


def test_a_command_is_answered_by_the_local_voice_and_repeated_and_silenced(
    browser: Browser, lab: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.add_init_script(LISTEN)
    context.add_init_script(WATCH)
    notebook = Notebook.open(context, lab, "speak.ipynb")
    page = notebook.page
    notebook.run(0)
    button = page.locator(".vk-panel").get_by_role("button", name="Answer out loud")
    button.click(timeout=WAIT_MS)

    say(page, "list files")
    wait_loud(page, WAIT_MS)
    was_shown(page, "13 files")
    page.keyboard.press("Escape")
    expect(heard(page)).to_have_count(0)
    wait_quiet(page)

    forget(page)
    page.evaluate("window.shown.length = 0")
    say(page, "repeat")
    wait_loud(page, WAIT_MS)
    was_shown(page, "13 files")
    wait_quiet(page)

    forget(page)
    say(page, "answer in full")
    was_shown(page, "I answer in full now.")
    say(page, "be quiet")
    expect(page.locator(".vk-turn").last).to_contain_text("Stopped.", timeout=WAIT_MS)
    expect(heard(page)).to_have_count(0)

    forget(page)
    say(page, "stop answering out loud")
    expect(button).to_have_attribute("aria-pressed", "false", timeout=WAIT_MS)
    assert figures(page)["loud"] == []
    notebook.shut_down()
    context.close()
