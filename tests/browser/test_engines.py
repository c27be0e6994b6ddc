"""Who turns speech into text, as a person meets it: chosen in the panel, said where the sound goes, replaced
where it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import WAIT_MS, Notebook, chromium, lab_server, microphone, write_notebook
from openai_server import OpenAIServer, Reply, serve
from panel_page import PanelPage
from panel_scenes import ABOUT, turn
from playwright.sync_api import Browser, Locator, Page, expect

from voice_kernel.messages import Notice, Problem, Speech, SpeechChanged, State, TurnChanged

CLIP = Path(__file__).parent / "run_the_tests.wav"
OUT = Path(__file__).parents[2] / "out"
KEY = "sk-loopback-0123456789abcdef"

ENGINES = """
message => {
  if (message.type === 'list_engines') {
    window.deliver({
      type: 'speech_engines', id: message.id, chosen: 'local', locked: window.locked ?? false, problem: null,
      engines: [
        { name: 'local', sent_to: '', problem: '', hint: '' },
        { name: 'browser', sent_to: '', problem: '', hint: '' },
        { name: 'openai', sent_to: 'api.openai.com', problem: '', hint: '' },
        { name: 'realtime', sent_to: 'api.openai.com', problem: 'api.openai.com wants an API key.',
          hint: 'Set OPENAI_API_KEY.' },
        { name: 'moonshine', sent_to: '', problem: '', hint: '' }
      ]
    });
  }
}
"""

RECOGNISER = """
window.recognisers = [];
window.SpeechRecognition = class {
  static available() { return Promise.resolve('PLACE'); }
  constructor() { window.recognisers.push(this); }
  start(track) {
    this.track = track;
    setTimeout(() => this.onresult?.({ results: [[{ transcript: 'run the' }]] }), 100);
  }
  stop() {
    this.onresult?.({ results: [[{ transcript: 'run the tests' }]] });
    setTimeout(() => this.onend?.(), 50);
  }
  abort() {}
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(microphone(CLIP, loop=True)) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 720, "height": 900}, permissions=["microphone"])
    yield context.new_page()
    context.close()


def opened(page: Page, speech: Speech) -> PanelPage:
    panel = PanelPage(page)
    panel.answer(ENGINES)
    panel.deliver(State(about=ABOUT, speech=speech))
    return panel


def chooser(page: Page) -> Locator:
    page.get_by_role("button", name="Microphone settings").click()
    select = page.get_by_label("Speech is recognised by")
    expect(select.locator("option")).to_have_count(5)
    return select


def wait_elapsed(page: Page, seconds: int) -> None:
    """Wait until the panel has listened for so long, or longer."""
    page.wait_for_function(
        """seconds => {
          const shown = document.querySelector('.vk-talk .vk-elapsed')?.textContent ?? '0:0';
          const [minutes, rest] = shown.split(':');
          return 60 * minutes + Number(rest) >= seconds;
        }""",
        arg=seconds,
        timeout=WAIT_MS,
    )


def test_the_engine_is_chosen_in_the_panel_and_it_says_where_the_sound_goes(page: Page) -> None:
    panel = opened(page, Speech(state="ready", engine="local"))
    expect(page.locator(".vk-sound-goes")).to_have_count(0)
    select = chooser(page)
    expect(page.locator(".vk-settings")).to_contain_text("What you say stays on the kernel’s machine.")
    select.select_option("openai")
    assert panel.wait_sent("choose_engine")["engine"] == "openai"
    panel.deliver(SpeechChanged(speech=Speech(state="ready", engine="openai", sent_to="api.openai.com")))
    expect(page.locator(".vk-sound-goes")).to_have_text("What you say is sent to api.openai.com.")
    expect(select).to_have_value("openai")
    assert panel.violations() == []
    OUT.mkdir(exist_ok=True)
    page.screenshot(path=OUT / "engines.png")


def test_an_engine_that_lacks_something_says_what(page: Page) -> None:
    panel = opened(page, Speech(state="ready", engine="local", chosen="realtime"))
    chooser(page)
    expect(page.locator(".vk-settings")).to_contain_text("api.openai.com wants an API key.")
    expect(page.locator(".vk-settings")).to_contain_text("Set OPENAI_API_KEY.")
    expect(page.locator(".vk-sound-goes")).to_have_text(
        "The speech engine “realtime” cannot be used now. What you say stays on the kernel’s machine."
    )
    assert panel.violations() == []


def test_where_the_administrator_has_chosen_nobody_else_does(page: Page) -> None:
    page.add_init_script("window.locked = true")
    opened(page, Speech(state="ready", engine="local"))
    expect(chooser(page)).to_be_disabled()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("available", "This browser recognises speech on this device."),
        ("unavailable", "This browser sends what you say to a server of its maker."),
    ],
)
def test_the_browser_recognises_and_says_whether_sound_leaves_the_device(
    page: Page, place: str, told: str
) -> None:
    page.add_init_script(RECOGNISER.replace("PLACE", place))
    panel = opened(page, Speech(state="ready", engine="browser", phrases=["revenue"]))
    chooser(page)
    expect(page.locator(".vk-settings")).to_contain_text(told)
    expect(page.locator(".vk-sound-goes")).to_have_count(0 if place == "available" else 1)
    button = page.get_by_role("button", name="Hold to talk")
    button.hover()
    page.mouse.down()
    page.wait_for_function(
        "window.sent.some(message => message.type === 'heard' && message.text === 'run the')"
    )
    wait_elapsed(page, 1)  # a shorter press is a click
    page.mouse.up()
    page.wait_for_function("window.sent.some(message => message.type === 'heard' && message.final)")
    heard = panel.sent("heard")
    assert [(message["text"], message["final"]) for message in heard] == [
        ("", False),
        ("run the", False),
        ("run the tests", False),
        ("run the tests", True),
    ]
    assert {message["utterance_id"] for message in heard} == {panel.wait_sent("audio_end")["utterance_id"]}
    assert panel.sent("audio"), "the sound is streamed beside it"
    assert page.evaluate("window.recognisers[0].track.readyState") == "ended"
    assert page.evaluate("window.recognisers[0].processLocally ?? false") is (place == "available")


def test_what_no_text_came_of_can_be_recognised_again(page: Page) -> None:
    panel = opened(page, Speech(state="ready"))
    problem = Problem(kind="SpeechError", message="The server is down.", hint="Try again.", retryable=True)
    missed = turn(1, "", state="failed", route=None, problem=problem, kept_audio=True)
    panel.deliver(TurnChanged(turn=missed))
    page.get_by_role("button", name="Recognise it again").click()
    assert panel.wait_sent("hear_again")["turn_id"] == 1
    panel.deliver(TurnChanged(turn=missed.model_copy(update={"kept_audio": False})))
    expect(page.get_by_role("button", name="Recognise it again")).to_have_count(0)
    panel.deliver(Notice(message="The sound of that turn is not kept any more."))
    assert panel.violations() == []


# ---- the whole way: JupyterLab, a kernel, and a server on loopback -------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


@pytest.fixture
def notebook(
    browser: Browser, server: OpenAIServer, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Notebook]:
    server.reset()
    server.key = KEY
    (tmp_path / ".env").write_text(
        f"VOICE_KERNEL_SPEECH_ENGINE=openai\nVOICE_KERNEL_SPEECH_URL={server.url}\n"
        f"VOICE_KERNEL_SPEECH_API_KEY={KEY}\nVOICE_KERNEL_TRANSCRIPTION_MODEL=gpt-transcribe\n"
    )
    write_notebook(tmp_path / "engines.ipynb", ["%load_ext voice_kernel\n%voice"])
    with lab_server(tmp_path, tmp_path_factory.mktemp("jupyter")) as base:
        context = browser.new_context(viewport={"width": 1280, "height": 1000}, permissions=["microphone"])
        running = Notebook.open(context, base, "engines.ipynb")
        running.run(0)
        expect(running.page.locator(".vk-panel .vk-status")).to_have_attribute(
            "data-status", re.compile("ready", re.I), timeout=WAIT_MS
        )
        yield running
        running.shut_down()
        context.close()


def speak(panel: Locator, page: Page) -> None:
    """Hold the button for longer than the clip, which is spoken again and again: its words are all in it."""
    button = panel.get_by_role("button", name="Hold to talk")
    button.scroll_into_view_if_needed()
    button.hover()
    page.mouse.down()
    wait_elapsed(page, 9)
    page.mouse.up()


def test_a_server_hears_and_where_it_fails_this_machine_does_and_says_so(
    notebook: Notebook, server: OpenAIServer
) -> None:
    page = notebook.page
    panel = page.locator(".vk-panel")
    host = server.url.removeprefix("http://").removesuffix("/v1")
    expect(panel.locator(".vk-sound-goes")).to_have_text(f"What you say is sent to {host}.", timeout=WAIT_MS)

    server.hears("List the tasks.")
    speak(panel, page)
    turn = panel.locator(".vk-turn").last
    expect(turn.locator("[data-route]")).to_have_attribute("data-route", "intents", timeout=WAIT_MS)
    expect(turn.locator(".vk-transcript")).to_have_text("List the tasks.")
    expect(panel).to_contain_text(f"What you say is sent to {host} to be turned into text.")
    [recording] = server.recordings
    assert recording["bytes"] > 3 * 32_000

    # Half of the text comes, then the line is cut: what was said is not lost.
    server.hears(Reply(text="List the tasks.", cut_after=1))
    speak(panel, page)
    expect(panel.locator(".vk-transcript").last).to_contain_text(re.compile("tests", re.I), timeout=WAIT_MS)
    expect(panel).to_contain_text(
        f"The connection to {host} broke off in the middle of the text. This was recognised on this machine"
    )

    # The key is no longer good: the server is left alone, and the panel says who listens.
    server.key = "sk-another"
    speak(panel, page)
    expect(panel).to_contain_text(f"{host} did not accept the API key.", timeout=WAIT_MS)
    expect(panel.locator(".vk-sound-goes")).to_have_text(
        "The speech engine “openai” cannot be used now. What you say stays on the kernel’s machine.",
        timeout=WAIT_MS,
    )
    assert KEY not in page.content()
    page.screenshot(path=OUT / "engines-fallback.png")

    # Without a restart, another engine is chosen.
    panel.get_by_role("button", name="Microphone settings").click()
    panel.get_by_label("Speech is recognised by").select_option("local")
    expect(panel.locator(".vk-sound-goes")).to_have_count(0, timeout=WAIT_MS)
