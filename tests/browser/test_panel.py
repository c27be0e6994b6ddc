"""The panel in a real Chromium, with a scripted kernel: by keyboard, by microphone, by screen reader."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import chromium
from panel_page import PanelPage, Theme
from panel_scenes import (
    SCENES,
    approval,
    approving,
    first_run,
    running_shell,
    state,
    task,
    troubled,
    turn,
    working,
)
from playwright.sync_api import Browser, Page, expect

from voice_kernel.messages import (
    AnswerDelta,
    ApprovalChanged,
    ControlSpoken,
    Output,
    Result,
    TaskChanged,
    TaskOutput,
    TurnChanged,
)

ROOT = Path(__file__).parents[2]
CHUNK_SAMPLES = 640
MICROPHONE = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]


KEEP_STREAM = """() => {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async constraints => (window.stream = await open(constraints));
}"""
"""Leaves the microphone's stream where the test can reach it."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(MICROPHONE) as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 900})
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert errors == []


def talk_button(page: Page) -> Any:
    return page.get_by_role("button", name="Hold to talk")


def click_to_talk(page: Page) -> None:
    """Click on the button; events all happen at one time meanwhile, or a slow click would be a hold."""
    page.evaluate(
        """() => { const now = performance.now();
          window.ownTime = Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp');
          Object.defineProperty(Event.prototype, 'timeStamp', { configurable: true, get: () => now }); }"""
    )
    talk_button(page).click()
    page.evaluate("() => { Object.defineProperty(Event.prototype, 'timeStamp', window.ownTime); }")


def listening(page: Page) -> None:
    expect(page.locator(".vk-status")).to_have_text("Listening")


def idle(page: Page) -> None:
    expect(page.locator(".vk-talk")).to_have_attribute("data-phase", "idle")


# ---- connection -----------------------------------------------------------------------------------


def test_a_panel_introduces_itself_and_draws_the_state_it_is_given(page: Page) -> None:
    panel = PanelPage(page)
    expect(page.locator(".vk-status")).to_have_text("Connecting")
    assert [message["type"] for message in panel.sent()] == ["hello", "warm_up"]
    assert panel.sent("hello")[0]["kind"] == "widget"
    panel.deliver(*working())
    assert page.locator(".vk-turn").count() == 3
    expect(page.locator(".vk-status")).to_have_text("Running")


def test_a_kernel_that_goes_away_is_said_with_what_to_do(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    page.evaluate("window.emit('comm_live_update')")
    expect(page.locator(".vk-status")).to_have_text("Disconnected")
    expect(page.get_by_text("Run the %voice cell again to open a new panel.")).to_be_visible()


def test_a_kernel_that_never_answers_is_said_after_ten_seconds(page: Page) -> None:
    page.clock.install()
    PanelPage(page)
    page.clock.run_for(10_100)
    expect(page.get_by_text("The kernel does not answer.")).to_be_visible()


def test_a_panel_that_is_taken_down_leaves_nothing_behind(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*working())
    page.evaluate("window.unmount()")
    assert page.evaluate("document.getElementById('host').innerHTML") == ""


# ---- keyboard and text box ------------------------------------------------------------------------


def test_a_command_is_typed_sent_and_recalled_with_keys_alone(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    box = page.get_by_role("textbox", name="Type a command")
    box.focus()
    page.keyboard.type("list files")
    page.keyboard.press("Enter")
    said = panel.wait_sent("say")
    assert said == {"type": "say", "text": "list files", "corrects_turn_id": None}
    expect(box).to_have_value("")
    panel.deliver(TurnChanged(turn=turn(1, "list files", origin="text")))
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("list files")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_value("")


def test_everything_can_be_reached_with_the_tab_key(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*working(), ApprovalChanged(approval=approval()))
    names = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        names.add(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id")
        )
    for wanted in (
        "What can I say?",
        "Conversation",
        "Cancel task 3",
        "Retry task 2",
        "Edit “list files”",
        "Run “list files” again",
        "Deny run_shell",
        "Approve run_shell",
        "Hold to talk",
        "Microphone settings",
        "Send",
    ):
        assert wanted in names


def test_a_transcript_is_edited_and_run_as_a_correction(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*troubled())
    page.get_by_role("button", name="Edit “run sell tree”").click()
    box = page.get_by_role("textbox", name="Type a command")
    expect(box).to_be_focused()
    expect(box).to_have_value("run sell tree")
    box.fill("run cell three")
    page.keyboard.press("Enter")
    assert panel.wait_sent("say") == {"type": "say", "text": "run cell three", "corrects_turn_id": 1}


def test_a_near_phrase_fills_the_text_box(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*troubled())
    page.get_by_role("button", name="run the tests", exact=True).click()
    expect(page.get_by_role("textbox", name="Type a command")).to_have_value("run the tests")
    assert panel.sent("say") == []


def test_running_again_retrying_cancelling_and_help_are_one_click(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*working())
    page.get_by_role("button", name="Run “list files” again").click()
    assert panel.wait_sent("say")["text"] == "list files"
    page.get_by_role("button", name="Retry task 2").click()
    assert panel.wait_sent("retry_task")["task_id"] == 2
    page.get_by_role("button", name="Cancel task 3").click()
    assert panel.wait_sent("cancel_task")["task_id"] == 3
    page.get_by_role("button", name="What can I say?").click()
    assert panel.wait_sent("say")["text"] == "help"


def test_single_keys_in_the_panel_do_not_reach_the_shortcuts_of_the_front_end(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    # What Lumino does: capture on the document, and look for its mark from the target upwards.
    page.evaluate(
        """window.reached = [];
        document.addEventListener('keydown', event => {
          if (!event.target.closest('[data-lm-suppress-shortcuts]')) window.reached.push(event.key);
        }, true)"""
    )
    talk_button(page).focus()
    for key in ("d", "d", "Shift+Enter", "Control+Enter", "Control+s"):
        page.keyboard.press(key)
    assert [key for key in page.evaluate("window.reached") if key not in ("Control", "Shift")] == ["s"]


# ---- microphone -----------------------------------------------------------------------------------


def utterances(panel: PanelPage) -> list[list[dict[str, Any]]]:
    """Return the audio messages, one list for each utterance."""
    found: dict[str, list[dict[str, Any]]] = {}
    for message in panel.sent():
        if message["type"].startswith("audio"):
            found.setdefault(message["utterance_id"], []).append(message)
    return list(found.values())


def check_utterance(panel: PanelPage, messages: list[dict[str, Any]], *, discard: bool = False) -> int:
    """Check order, numbering and size of the chunks; return how many there are."""
    start, *between, end = messages
    chunks = [message for message in between if message["type"] == "audio"]
    assert len(between) - len(chunks) == (0 if discard else 1), "it is told once that the key was let go"
    assert (start["type"], start["rate_hz"]) == ("audio_start", 16_000)
    assert [chunk["seq"] for chunk in chunks] == list(range(len(chunks)))
    assert end == {**end, "type": "audio_end", "chunks": len(chunks), "discard": discard}
    lengths = panel.page.evaluate(
        "id => window.buffers.filter((_, n) => window.sent[n].type === 'audio' && "
        "window.sent[n].utterance_id === id).map(([samples]) => samples.length)",
        start["utterance_id"],
    )
    released = [number for number, message in enumerate(between) if message["type"] == "audio_released"]
    whole = released[0] - 1 if released else len(lengths) - 1  # what is last must not wait
    assert set(lengths[:whole]) <= {CHUNK_SAMPLES}
    assert all(0 < length <= CHUNK_SAMPLES for length in lengths)
    return len(chunks)


def test_holding_the_button_streams_chunks_in_order(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    talk_button(page).hover()
    page.mouse.down()
    listening(page)
    expect(talk_button(page)).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 30")
    page.mouse.up()
    panel.wait_sent("audio_end")
    idle(page)
    [messages] = utterances(panel)
    assert check_utterance(panel, messages) > 30
    loudest = page.evaluate(
        "Math.max(...window.buffers.flatMap(list => [...(list[0] ?? [0])]).map(Math.abs))"
    )
    assert loudest > 500, "the fake microphone beeps"


def test_a_click_keeps_listening_until_the_next_one(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    click_to_talk(page)
    listening(page)
    page.wait_for_function("window.sent.some(message => message.type === 'audio')")
    assert panel.sent("audio_end") == []
    click_to_talk(page)
    panel.wait_sent("audio_end")
    [messages] = utterances(panel)
    check_utterance(panel, messages)


def test_a_hold_that_a_busy_page_hears_of_too_late_is_a_hold_all_the_same(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    at = """(button, [type, timeStamp]) => {
      performance.now = () => 5_000;  // both are handled then
      const event = new KeyboardEvent(type, { key: ' ', bubbles: true, cancelable: true });
      Object.defineProperty(event, 'timeStamp', { value: timeStamp });
      button.dispatchEvent(event);
      delete performance.now;
    }"""
    talk_button(page).evaluate(at, ["keydown", 1_000])
    listening(page)
    talk_button(page).evaluate(at, ["keyup", 3_000])
    panel.wait_sent("audio_end")
    idle(page)


@pytest.mark.parametrize("key", ["Space", "Enter"])
def test_the_button_is_held_with_a_key(page: Page, key: str) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    talk_button(page).focus()
    page.keyboard.down(key)
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 12")
    page.keyboard.down(key)  # repeats while it is held
    page.keyboard.up(key)
    panel.wait_sent("audio_end")
    [messages] = utterances(panel)
    check_utterance(panel, messages)


def test_the_hold_key_works_from_anywhere_on_the_page(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { id: 'cell' }))")
    page.locator("#cell").focus()
    page.keyboard.down("Control")
    page.keyboard.down("Shift")
    page.keyboard.down("Space")
    listening(page)
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 12")
    page.keyboard.up("Control")
    panel.wait_sent("audio_end")
    expect(page.locator("#cell")).to_have_value("")
    expect(page.locator("#cell")).to_be_focused()


def test_escape_throws_a_recording_away_that_the_hold_key_began_elsewhere(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    page.keyboard.down("Control")
    page.keyboard.down("Shift")
    page.keyboard.down("Space")
    listening(page)
    page.keyboard.press("Escape")
    panel.wait_sent("audio_end")
    for key in ("Space", "Shift", "Control"):
        page.keyboard.up(key)
    idle(page)
    [messages] = utterances(panel)
    check_utterance(panel, messages, discard=True)


def test_escape_throws_the_recording_away(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    click_to_talk(page)
    listening(page)
    page.keyboard.press("Escape")
    panel.wait_sent("audio_end")
    idle(page)
    [messages] = utterances(panel)
    check_utterance(panel, messages, discard=True)


def test_losing_the_window_while_holding_ends_the_utterance(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    talk_button(page).hover()
    page.mouse.down()
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 12")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    panel.wait_sent("audio_end")
    page.mouse.up()
    [messages] = utterances(panel)
    check_utterance(panel, messages)


def test_letting_go_before_the_microphone_is_open_sends_nothing_and_says_so(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    page.evaluate(
        """() => { const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = constraints =>
            new Promise(done => { window.allow = () => done(open(constraints)); }); }"""
    )
    talk_button(page).hover()
    page.mouse.down()
    expect(page.get_by_text("Opening the microphone…")).to_be_visible()
    page.wait_for_function("performance.now() > 0")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    page.evaluate("window.allow()")
    expect(page.get_by_text("You let go before the microphone was open.")).to_be_visible()
    idle(page)
    page.mouse.up()
    assert utterances(panel) == []


def test_a_spoken_stop_ends_the_recording(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    click_to_talk(page)
    listening(page)
    panel.deliver(ControlSpoken(control="stop_listening"))
    panel.wait_sent("audio_end")
    idle(page)
    click_to_talk(page)
    listening(page)


def test_a_microphone_that_is_unplugged_sends_what_it_heard(page: Page) -> None:
    panel = PanelPage(page)
    page.evaluate(KEEP_STREAM)
    panel.deliver(*first_run())
    click_to_talk(page)
    listening(page)
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 5")
    # `stop()` itself tells nobody; an unplugged device does.
    page.evaluate(
        """() => { const [track] = window.stream.getAudioTracks();
          track.stop();
          track.dispatchEvent(new Event('ended')); }"""
    )
    panel.wait_sent("audio_end")
    expect(page.get_by_text("The microphone went away while you were talking.")).to_be_visible()
    [messages] = utterances(panel)
    check_utterance(panel, messages)


def test_the_device_is_released_after_each_utterance(page: Page) -> None:
    panel = PanelPage(page)
    page.evaluate(KEEP_STREAM)
    panel.deliver(*first_run())
    click_to_talk(page)
    listening(page)
    page.get_by_role("button", name="Discard").click()
    panel.wait_sent("audio_end")
    assert page.evaluate("window.stream.getTracks().map(track => track.readyState)") == ["ended"]


def test_a_page_that_cannot_run_at_sixteen_kilohertz_still_sends_sixteen(page: Page) -> None:
    panel = PanelPage(page)
    # What Firefox does.
    page.evaluate(
        """() => { const make = AudioContext.prototype.createMediaStreamSource;
          AudioContext.prototype.createMediaStreamSource = function (stream) {
            if (this.sampleRate === 16000) throw new DOMException('different rates', 'NotSupportedError');
            return make.call(this, stream); }; }"""
    )
    panel.deliver(*first_run())
    began = time.monotonic()
    click_to_talk(page)
    page.wait_for_function("window.sent.filter(message => message.type === 'audio').length > 40")
    click_to_talk(page)
    panel.wait_sent("audio_end")
    [messages] = utterances(panel)
    chunks = check_utterance(panel, messages)
    assert chunks * 0.04 <= time.monotonic() - began + 0.1, "as much sound as time went by"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotAllowedError", "The browser does not let this page use the microphone."),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "The microphone is in use by another program"),
        ("OverconstrainedError", "The chosen microphone is not there any more."),
    ],
)
def test_a_microphone_that_cannot_be_opened_is_explained(page: Page, name: str, words: str) -> None:
    panel = PanelPage(page)
    page.evaluate(
        """name => { navigator.mediaDevices.getUserMedia = async () => {
          throw new DOMException('no', name); }; }""",
        name,
    )
    panel.deliver(*first_run())
    click_to_talk(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(words)
    assert alert.locator(".vk-hint").inner_text() != ""
    idle(page)
    assert utterances(panel) == []


def test_plain_http_is_told_apart_from_a_missing_microphone(page: Page) -> None:
    panel = PanelPage(page)
    page.evaluate("Object.defineProperty(window, 'isSecureContext', { value: false })")
    panel.deliver(*first_run())
    click_to_talk(page)
    expect(page.get_by_role("alert")).to_contain_text("Open Jupyter over https")


def test_a_click_of_assistive_technology_starts_and_stops(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    talk_button(page).evaluate("button => button.click()")
    listening(page)
    talk_button(page).evaluate("button => button.click()")
    panel.wait_sent("audio_end")


# ---- approvals ------------------------------------------------------------------------------------


def test_an_approval_says_that_it_is_on_the_screen_and_takes_no_focus(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    box = page.get_by_role("textbox", name="Type a command")
    box.focus()
    panel.deliver(*approving())
    assert panel.wait_sent("approval_shown")["approval_id"] == 1
    expect(box).to_be_focused()
    page.keyboard.type("yes")
    page.keyboard.press("Enter")
    assert panel.sent("decide") == []
    card = page.locator(".vk-approval")
    for words in ("run_shell", "uv pip install polars --upgrade", "installs packages"):
        expect(card).to_contain_text(words)


def test_an_approval_out_of_sight_does_not_count_as_shown(page: Page) -> None:
    page.set_viewport_size({"width": 900, "height": 600})
    page.clock.install()
    panel = PanelPage(page)
    page.evaluate("document.getElementById('host').style.marginTop = '2000px'")
    panel.deliver(*approving())
    expect(page.locator(".vk-approval")).to_be_attached()
    page.clock.run_for(2_000)  # it looks several times a second
    assert panel.sent("approval_shown") == []
    page.locator(".vk-approval").scroll_into_view_if_needed()
    panel.wait_sent("approval_shown")


def test_a_click_on_its_way_does_not_approve_but_the_next_one_does(page: Page) -> None:
    panel = PanelPage(page)
    approve = page.get_by_role("button", name="Approve run_shell")
    # In the moment in which the card counts as seen.
    panel.answer(
        """message => {
          if (message.type === 'approval_shown')
            document.querySelector('[aria-label="Approve run_shell"]').click();
        }"""
    )
    panel.deliver(*approving())
    panel.wait_sent("approval_shown")
    assert panel.sent("decide") == []
    expect(approve).to_have_attribute("aria-disabled", "false")
    approve.click()
    assert panel.wait_sent("decide") == {"type": "decide", "approval_id": 1, "approved": True, "values": {}}
    panel.deliver(ApprovalChanged(approval=approval(state="approved")))
    expect(page.locator(".vk-approval")).to_have_count(0)
    expect(page.get_by_role("group", name="Conversation")).to_be_focused()


def test_with_two_cards_open_each_is_decided_by_its_number(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*approving(2))
    page.get_by_role("button", name="Deny 2 browser_navigate").click()
    assert panel.wait_sent("decide") == {"type": "decide", "approval_id": 2, "approved": False, "values": {}}


@pytest.mark.parametrize("height", [420, 600, 860])
@pytest.mark.parametrize("sheet", [False, True])
def test_in_a_narrow_panel_nothing_lies_over_two_cards_that_ask(page: Page, height: int, sheet: bool) -> None:
    page.set_viewport_size({"width": 324, "height": height})
    panel = PanelPage(page, width=300)
    panel.deliver(*approving(2))
    panel.wait_sent("approval_shown")
    if sheet:
        page.get_by_role("button", name="Notifications").click()
        expect(page.get_by_role("dialog")).to_be_visible()
    covered: list[str] = page.evaluate(
        """() => {
      const box = document.querySelector('.vk-approvals').getBoundingClientRect();
      const points = [0.15, 0.5, 0.85].flatMap(x => [0.1, 0.5, 0.9].map(
        y => [box.left + box.width * x, box.top + box.height * y]
      ));
      return points.map(([x, y]) => document.elementFromPoint(x, y))
        .filter(seen => !seen?.closest('.vk-approvals'))
        .map(seen => seen?.outerHTML.slice(0, 100) ?? '');
    }"""
    )
    assert covered == []
    stage, cards = (page.locator(part).bounding_box() for part in (".vk-stage", ".vk-approvals"))
    assert stage is not None
    assert cards is not None
    assert stage["y"] + stage["height"] <= cards["y"] + 0.5
    assert stage["height"] >= 64 or height < 600, "nothing of the conversation is left"
    page.locator(".vk-approvals").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    page.get_by_role("button", name="Deny 2 browser_navigate").click(trial=True)
    (ROOT / "out").mkdir(exist_ok=True)
    page.screenshot(path=ROOT / "out" / f"narrow-approvals-{height}{'-sheet' if sheet else ''}.png")


# ---- what is shown --------------------------------------------------------------------------------


def test_a_turn_grows_from_partial_words_to_its_outcome(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    heard = turn(1, "run the", state="listening", partial=True, route=None, latency_s=None)
    panel.deliver(TurnChanged(turn=heard))
    expect(page.locator(".vk-partial")).to_have_text("run the")
    panel.deliver(
        TurnChanged(turn=turn(1, "run the tests", state="running")),
        TaskChanged(task=task(1, 1, "run_tests", state="running", ended_at=None)),
    )
    expect(page.locator(".vk-partial")).to_have_count(0)
    expect(page.locator("[aria-live=polite]")).to_have_text("Heard: run the tests")
    expect(page.locator(".vk-chip")).to_have_text("grammar")
    done = task(1, 1, "run_tests", result=Result(summary="14 passed"))
    panel.deliver(TaskChanged(task=done), TurnChanged(turn=turn(1, "run the tests")))
    expect(page.locator("[aria-live=polite]")).to_have_text("Task 1 done: 14 passed")
    expect(page.locator(".vk-task")).to_have_attribute("data-state", "succeeded")


def test_failed_tests_come_first_with_their_place_and_report(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*working())
    first = page.locator(".vk-failure").first
    expect(first).to_have_attribute("open", "")
    for words in ("test_total_counts_each_item_once", "tests/unit/test_cart.py:42", "Decimal('59.97')"):
        expect(first).to_contain_text(words)
    page.get_by_text("The other tests (7)").click()
    expect(page.get_by_role("cell", name="test_case_0")).to_be_visible()


HOSTILE = """<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>
<svg onload="window.hacked=1"></svg>
<a href="javascript:window.hacked=1">x</a><iframe src="https://example.org"></iframe>
<form action="https://example.org"><button>x</button></form><style>body{display:none}</style>"""


def test_untrusted_text_and_markup_never_act_nor_load(page: Page) -> None:
    loaded: list[str] = []
    panel = PanelPage(page)
    page.on("request", lambda request: loaded.append(request.url))
    html = Output(kind="result", data={"text/html": f"<table border=1><tr><td>7</td></tr></table>{HOSTILE}"})
    stream = Output(kind="stream", text=HOSTILE)
    svg = Output(
        kind="display",
        data={
            "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'><script>window.hacked=1</script></svg>"
        },
    )
    markdown = f"[guide](https://example.org/x) ![chart](https://example.org/pixel.png) {HOSTILE}"
    panel.deliver(
        state(
            turns=[turn(1, HOSTILE, route="model", answer=markdown)],
            tasks=[
                task(1, 1, HOSTILE, tail=HOSTILE, result=Result(summary=HOSTILE, outputs=[html, stream, svg]))
            ],
        )
    )
    expect(page.locator(".vk-html td")).to_have_text("7")
    link = page.get_by_role("link", name="guide")
    assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")
    expect(page.get_by_role("link", name="[image: chart]")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    inside = page.locator(".vk-prose")
    assert inside.locator("script, iframe, form, style, svg, img, [onerror], [onload]").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert [url for url in loaded if not url.startswith("data:")] == []


def test_a_streamed_answer_is_drawn_as_it_grows(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(state(turns=[turn(1, "why", route="model", state="running", answer="It is **bo")]))
    panel.deliver(AnswerDelta(turn_id=1, text="ld**."))
    expect(page.locator(".vk-prose strong")).to_have_text("bold")


def test_the_conversation_follows_unless_the_person_scrolled_up(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(state(turns=[turn(number, f"command {number}") for number in range(1, 60)]))
    feed = page.locator(".vk-feed")
    expect(page.locator(".vk-transcript", has_text="command 59")).to_be_in_viewport()
    feed.hover()
    page.mouse.wheel(0, -5_000)
    newest = page.get_by_role("button", name="Newest")
    expect(newest).to_be_visible()
    panel.deliver(TurnChanged(turn=turn(60, "command 60")))
    expect(page.locator(".vk-transcript", has_text="command 60")).not_to_be_in_viewport()
    newest.click()
    expect(page.locator(".vk-transcript", has_text="command 60")).to_be_in_viewport()
    expect(newest).to_have_count(0)


def test_a_card_shows_its_turn_alone_with_its_approval(page: Page) -> None:
    panel = PanelPage(page, view="card", turn_id=1)
    assert [message["type"] for message in panel.sent()] == ["hello"]
    assert panel.sent("hello")[0]["kind"] == "card"
    first = approving()[0]
    panel.deliver(first)
    panel.deliver(TurnChanged(turn=turn(2, "another")), TurnChanged(turn=turn(3, "inside", parent_id=1)))
    expect(page.locator(".vk-transcript")).to_have_text(["install polars", "inside"])
    expect(page.locator(".vk-approval")).to_be_visible()
    assert page.locator(".vk-mic, .vk-text").count() == 0
    page.get_by_role("button", name="Cancel task 5").click()
    assert panel.wait_sent("cancel_task")["task_id"] == 5


# ---- accessibility and cost -----------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark", "none"])
def test_no_scene_has_an_accessibility_violation(page: Page, theme: Theme) -> None:
    page.emulate_media(reduced_motion="reduce")
    panel = PanelPage(page, theme=theme)
    for name, scene in SCENES.items():
        panel.deliver(*scene())
        if name == "first_run":
            page.get_by_role("button", name="Microphone settings").click()
        if name == "approving":
            page.wait_for_function("!document.querySelector('.vk-primary[aria-disabled=true]')")
        assert panel.violations() == [], name


def test_a_card_has_no_accessibility_violation(page: Page) -> None:
    panel = PanelPage(page, view="card", turn_id=2, theme="dark")
    panel.deliver(*working())
    assert panel.violations() == []


def test_of_long_output_only_its_end_is_drawn(page: Page) -> None:
    """As many pieces of 8 KB as 300 MB leave of themselves at 10 Hz in half a minute, one a frame."""
    panel = PanelPage(page)
    panel.deliver(state(turns=[turn(3, "clone", state="running")], tasks=[running_shell()]))
    line = "\x1b[32mpassed\x1b[0m tests/unit/test_cart.py::test_total " + "x" * 20 + "\n"
    piece = TaskOutput(task_id=3, text=line * 110, output_bytes=1, skipped_bytes=900_000)
    nodes: list[int] = page.evaluate(
        """async message => {
          const nodes = [];
          for (let n = 0; n < 300; n++) {
            window.deliver({ ...message, output_bytes: n * 1_000_000 });
            await new Promise(done => requestAnimationFrame(done));
            nodes.push(document.getElementsByTagName('*').length);
          }
          return nodes;
        }""",
        piece.model_dump(mode="json"),
    )
    assert page.locator(".vk-tail").inner_text().count("\n") <= 300
    assert max(nodes) <= max(nodes[:10]) * 1.1, "the longer the output, the more there is to draw"
