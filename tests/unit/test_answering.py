"""What is spoken, when, in which order, to whom, and when it stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from voice_kernel import speaker
from voice_kernel.answering import Answering
from voice_kernel.errors import Refused, VoiceUnavailable
from voice_kernel.events import Hub
from voice_kernel.messages import (
    About,
    AnswerDelta,
    Approval,
    ApprovalChanged,
    Call,
    HoldSpeaking,
    Notice,
    Problem,
    Result,
    SpeakAnswer,
    SpeakChanged,
    SpeakChoice,
    SpeakingState,
    StopSpeaking,
    Task,
    TaskChanged,
    ToSurface,
    Turn,
    TurnChanged,
    VoiceEngine,
)
from voice_kernel.speaking.renderer import Renderer
from voice_kernel.speaking.voice import Voice

LIMIT_S = 30.0


class FakeVoice:
    """A voice of silence: a tenth of a second for every piece, as soon as it may."""

    name = "local"
    rate_hz = 8_000

    def __init__(self, *, problem: VoiceUnavailable | None = None) -> None:
        self.loaded = False
        self.problem = problem
        self.spoken: list[tuple[str, float]] = []
        self.may_speak = asyncio.Event()
        self.may_speak.set()
        self.closed_early = False

    async def load(self) -> None:
        if self.problem is not None:
            raise self.problem
        self.loaded = True

    async def speak(self, text: str, *, rate: float = 1.0) -> AsyncGenerator[bytes, None]:
        await self.load()
        try:
            await self.may_speak.wait()
            self.spoken.append((text, rate))
            yield bytes(1_600)
        except (GeneratorExit, asyncio.CancelledError):
            self.closed_early = True
            raise

    async def close(self) -> None:
        pass


class FakePage:
    """A page that hears, and says so when it is told to."""

    def __init__(self, answering: Answering, surface_id: str, *, ends: bool = True) -> None:
        self.surface_id = surface_id
        self.messages: list[ToSurface] = []
        self.buffers: list[bytes] = []
        self.ends = ends
        self._answering = answering
        self._changed = asyncio.Event()

    def send(self, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        self.messages.append(message)
        self.buffers.extend(buffers)
        self._changed.set()
        if self.ends and isinstance(message, SpeakAnswer) and message.last:
            asyncio.get_running_loop().call_soon(self.say, message.id, "ended")

    def say(self, answer_id: int, state: str) -> None:
        self._answering.speaker.page_said(
            self, SpeakingState.model_validate({"id": answer_id, "state": state})
        )

    def choose(self, speak: str = "short", **choice: object) -> None:
        self._answering.choose(self, SpeakChoice.model_validate({"speak": speak, **choice}))

    @property
    def heard(self) -> list[str]:
        """The texts of the pieces that came."""
        return [m.text for m in self.messages if isinstance(m, SpeakAnswer) and m.text]

    @property
    def held(self) -> list[bool]:
        return [m.hold for m in self.messages if isinstance(m, HoldSpeaking)]

    @property
    def stopped(self) -> list[int]:
        return [m.id for m in self.messages if isinstance(m, StopSpeaking)]

    async def until(self, condition: object) -> None:
        assert callable(condition)
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_heard(self, text: str) -> None:
        await self.until(lambda: text in self.heard)


class Room:
    """A hub, a voice, and whoever listens."""

    def __init__(self, voice: FakeVoice | None = None, language: str = "en") -> None:
        self.hub = Hub(About(version="1"))
        self.voice = voice or FakeVoice()
        self.asked: list[VoiceEngine] = []
        self.answering = Answering(self.hub, lambda: Renderer(language), self._voice, notify_after_s=20.0)
        self._turns = 0

    def _voice(self, engine: VoiceEngine) -> Voice:
        self.asked.append(engine)
        return self.voice

    def page(self, surface_id: str = "page", **options: bool) -> FakePage:
        return FakePage(self.answering, surface_id, **options)

    def begin(self, surface_id: str = "page", state: str = "understanding", **changes: object) -> Turn:
        self._turns += 1
        turn = Turn.model_validate(
            {
                "id": self._turns,
                "state": state,
                "origin": "text",
                "surface_id": surface_id,
                "created_at": time.time(),
                **changes,
            }
        )
        self.hub.publish(TurnChanged(turn=turn))
        return turn

    def end(self, turn: Turn, summary: str = "", *, took_s: float = 0.1, **changes: object) -> Turn:
        if summary:
            self.hub.publish(
                TaskChanged(
                    task=Task(
                        id=turn.id,
                        turn_id=turn.id,
                        tool="list_files",
                        title="list files",
                        state="succeeded",
                        created_at=turn.created_at,
                        result=Result(summary=summary),
                    )
                )
            )
        ended = turn.model_copy(
            update={"state": "succeeded", "ended_at": turn.created_at + took_s, **changes}
        )
        self.hub.publish(TurnChanged(turn=ended))
        return ended

    def say(self, summary: str, surface_id: str = "page", **changes: object) -> Turn:
        return self.end(self.begin(surface_id), summary, **changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing end, or be forgotten, because the machine is slow."""
    for name in ("GRACE_S", "ECHO_S", "STALE_S"):
        monkeypatch.setattr(speaker, name, 3600.0)


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    made = Room()
    yield made
    await made.answering.close()


async def settled(rounds: int = 20) -> None:
    """Let everything that can happen now happen."""
    for _ in range(rounds):
        await asyncio.sleep(0)


async def test_a_result_is_spoken_with_its_sound_to_the_page_that_asked(room: Room) -> None:
    page, other = room.page("page"), room.page("other")
    page.choose()
    other.choose()
    room.say("12 files and 3 folders here")
    await page.until_heard("12 files and 3 folders here.")
    await page.until(lambda: any(isinstance(m, SpeakAnswer) and m.last for m in page.messages))
    assert page.buffers == [bytes(1_600)]
    first = next(m for m in page.messages if isinstance(m, SpeakAnswer))
    assert (first.by, first.rate_hz, first.seq, first.last) == ("kernel", 8_000, 0, False)
    assert other.messages == []


async def test_nothing_is_loaded_or_followed_before_a_page_wants_to_hear(room: Room) -> None:
    page = room.page()
    page.choose("off")
    room.say("Saved.")
    await settled()
    assert page.messages == []
    assert room.asked == []
    assert not room.voice.loaded


async def test_what_is_said_in_the_moment_of_switching_on_is_answered_aloud(room: Room) -> None:
    page = room.page()
    page.choose()
    room.end(room.begin(), "Twelve files.")
    await page.until_heard("Twelve files.")


async def test_the_voice_loads_ahead_when_speaking_is_switched_on(room: Room) -> None:
    room.page().choose("short")
    await settled()
    assert room.voice.loaded
    assert room.voice.spoken == []


async def test_only_what_goes_wrong_is_spoken_when_that_is_the_choice(room: Room) -> None:
    page = room.page()
    page.choose("errors")
    room.say("Saved.")
    problem = Problem(kind="Refused", message="Shell commands are off.", hint="Allow them first.")
    room.end(room.begin(), state="failed", problem=problem)
    await page.until(lambda: len(page.heard) == 2)
    assert page.heard == ["Shell commands are off.", "Allow them first."]


async def test_a_new_command_ends_the_answer_before_it(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    room.say("The first answer.")
    await page.until_heard("The first answer.")
    room.begin(state="listening")
    await page.until(lambda: page.stopped == [1])
    assert not room.answering.speaker.speaking


async def test_nothing_is_spoken_into_an_open_microphone(room: Room) -> None:
    page = room.page()
    page.choose()
    work = room.begin()
    talk = room.begin(state="listening")
    room.end(work, "Tests ran.", took_s=30)
    await settled()
    assert page.heard == []
    room.end(talk, state="nothing")
    await page.until_heard("Tests ran.")


async def test_what_ends_in_the_background_is_announced_only_when_it_took_long(room: Room) -> None:
    page = room.page()
    page.choose()
    short, long = room.begin(), room.begin()
    room.say("The newest.")
    await page.until_heard("The newest.")
    room.end(short, "It was short.", took_s=3)
    room.end(long, "It was long.", took_s=60)
    await page.until_heard("It was long.")
    assert "It was short." not in page.heard


async def test_announcements_wait_for_the_answer_that_is_being_spoken(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    long = room.begin()
    room.say("The newest.")
    await page.until_heard("The newest.")
    room.end(long, "It was long.", took_s=60)
    await settled()
    assert "It was long." not in page.heard
    page.say(1, "ended")
    await page.until_heard("It was long.")


async def test_a_cell_is_not_answered_aloud_unless_it_took_long(room: Room) -> None:
    page = room.page()
    page.choose()
    room.end(room.begin("", origin="magic"), "From a cell.", took_s=2)
    room.end(room.begin("", origin="script"), "From a script.", took_s=200)
    room.end(room.begin("", origin="magic"), "From a long cell.", took_s=200)
    await page.until_heard("From a long cell.")
    assert len(page.heard) == 1


async def test_stop_is_at_once_and_forgets_what_waits(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    long = room.begin()
    room.say("The newest.")
    await page.until_heard("The newest.")
    room.end(long, "It was long.", took_s=60)
    await settled()
    assert room.answering.speaker.saying == "The newest."
    assert room.answering.speaker.stop("page")
    assert page.stopped == [1]
    assert room.answering.speaker.saying == "The newest."  # it may still echo for a moment
    await settled()
    assert page.heard == ["The newest."]
    assert not room.answering.speaker.stop()


async def test_stopping_while_the_voice_works_ends_its_work(room: Room) -> None:
    room.voice.may_speak.clear()
    page = room.page()
    page.choose()
    room.say("Never heard.")
    await settled()
    assert not room.answering.speaker.stop()  # nothing was heard yet
    await settled()
    assert room.voice.closed_early
    assert page.messages == []


async def test_the_page_stops_it_too(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    room.say("One. Two. Three.")
    await page.until_heard("One.")
    page.say(1, "stopped")
    assert not room.answering.speaker.speaking


async def test_repeat_says_the_last_answer_again(room: Room) -> None:
    page = room.page()
    page.choose()
    assert room.answering.control("repeat_answer", {}, "page") == "I have not said anything yet."
    room.say("12 files.")
    await page.until_heard("12 files.")
    turn = room.begin()
    answer = room.answering.control("repeat_answer", {}, "page")
    assert answer == "12 files."
    room.end(turn, answer=answer, calls=[Call(tool="repeat_answer")])
    await page.until(lambda: page.heard == ["12 files.", "12 files."])


async def test_speaking_slower_and_faster_is_remembered_by_the_page(room: Room) -> None:
    page = room.page()
    page.choose()
    assert room.answering.control("change_speech_rate", {"change": "faster"}, "page")
    assert page.messages[-1] == SpeakChanged(speak="short", rate=1.2)
    room.say("Quick.")
    await page.until_heard("Quick.")
    assert room.voice.spoken[-1] == ("Quick.", 1.2)
    for _ in range(10):
        said = room.answering.control("change_speech_rate", {"change": "slower"}, "page")
    assert said == "I cannot speak slower than this."


async def test_speaking_is_switched_on_and_off_by_words(room: Room) -> None:
    page = room.page(ends=False)
    page.choose("off")
    assert room.answering.control("repeat_answer", {}, "page") == (
        "Answers are not spoken. Say: answer out loud."
    )
    room.answering.control("answer_aloud", {"how": "full"}, "page")
    assert page.messages == [SpeakChanged(speak="full", rate=1.0)]
    await settled()
    room.say("Now.")
    await page.until_heard("Now.")
    room.answering.control("answer_aloud", {"how": "off"}, "page")
    assert page.stopped == [1]
    room.say("Not any more.")
    await settled()
    assert "Not any more." not in page.heard


def test_only_a_page_can_be_told_to_speak() -> None:
    room = Answering(Hub(About(version="1")), Renderer, lambda engine: FakeVoice())
    with pytest.raises(Refused, match="panel"):
        room.control("answer_aloud", {}, "")


async def test_be_quiet_is_not_answered_aloud(room: Room) -> None:
    page = room.page()
    page.choose()
    room.end(room.begin(), answer="Stopped.", calls=[Call(tool="stop_speaking")])
    room.say("Next.")
    await page.until_heard("Next.")
    assert page.heard == ["Next."]


async def test_a_question_is_asked_aloud_once(room: Room) -> None:
    page = room.page()
    page.choose("errors")
    turn = room.begin()
    task = Task(id=1, turn_id=turn.id, tool="run_shell", title="pip", state="awaiting_approval", created_at=1)
    room.hub.publish(TaskChanged(task=task))
    card = Approval(
        id=1, task_id=1, tool="run_shell", target="pip", reason="It installs a package.", created_at=1
    )
    room.hub.publish(ApprovalChanged(approval=card))
    room.hub.publish(ApprovalChanged(approval=card.model_copy(update={"shown_at": 2.0})))
    await page.until(lambda: len(page.heard) >= 3)
    await settled()
    assert page.heard == ["I need your approval.", "It installs a package.", "Say: yes, do it, or no."]


async def test_the_browsers_voice_is_given_the_words() -> None:
    room = Room()
    page = room.page()
    page.choose("short", browser_voice=True, rate=1.5)
    room.say("12 files.")
    await page.until_heard("12 files.")
    assert page.messages[0] == SpeakAnswer(id=1, turn_id=1, text="12 files.", rate=1.5, by="browser")
    assert room.asked == []
    await room.answering.close()


async def test_where_the_local_voice_is_missing_the_browsers_speaks_and_that_is_said_once() -> None:
    room = Room(FakeVoice(problem=VoiceUnavailable("It is not installed.", hint="Install it.")))
    page = room.page()
    page.choose("short", voice="local", browser_voice=True)
    room.say("One.")
    await page.until_heard("One.")
    room.say("Two.")
    await page.until_heard("Two.")
    notices = [m for m in page.messages if isinstance(m, Notice)]
    assert [n.message for n in notices] == ["It is not installed. The browser's voice speaks instead."]
    await room.answering.close()


async def test_where_nothing_can_speak_the_page_gets_the_words() -> None:
    room = Room(FakeVoice(problem=VoiceUnavailable("It is not installed.", hint="Install it.")))
    page = room.page()
    page.choose()
    room.say("One.")
    await page.until_heard("One.")
    answer = next(m for m in page.messages if isinstance(m, SpeakAnswer))
    assert (answer.by, answer.rate_hz, answer.last) == ("kernel", 0, True)
    assert any(isinstance(m, Notice) for m in page.messages)
    await room.answering.close()


async def test_a_page_that_goes_is_forgotten(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    room.say("One.")
    await page.until_heard("One.")
    room.answering.left(page)
    assert not room.answering.speaker.speaking
    room.say("Two.")
    await settled()
    assert page.heard == ["One."]


async def test_sound_is_not_sent_far_ahead_of_what_is_heard(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voice_kernel.speaker.AHEAD_S", 0.25)
    page = room.page()
    page.choose("full")
    began = time.monotonic()
    room.say("One. Two. Three. Four. Five.")
    await page.until_heard("Five.")
    assert time.monotonic() - began >= 0.1  # 0.5 s of sound, at most 0.25 s ahead and one piece


async def test_a_models_answer_is_spoken_while_it_is_written(room: Room) -> None:
    page = room.page()
    page.choose("full")
    turn = room.begin(state="running", route="model")
    for piece in ("The mean ", "is 3.5. ", "It rises", " slowly. T"):
        room.hub.publish(AnswerDelta(turn_id=turn.id, text=piece))
    await page.until_heard("It rises slowly.")
    assert not any(isinstance(m, SpeakAnswer) and m.last for m in page.messages)
    room.end(turn, route="model", answer="The mean is 3.5. It rises slowly. That is all.\n\n```\nx\n```\n")
    await page.until(lambda: any(isinstance(m, SpeakAnswer) and m.last for m in page.messages))
    assert page.heard == [
        "The mean is 3.5.",
        "It rises slowly.",
        "That is all.",
        "The code is on the screen.",
    ]
    assert len({m.id for m in page.messages if isinstance(m, SpeakAnswer)}) == 1
    await settled()
    assert room.answering.control("repeat_answer", {}, "page").startswith("The mean is 3.5.")


async def test_a_models_answer_that_was_stopped_is_not_begun_again(room: Room) -> None:
    page = room.page()
    page.choose("full")
    turn = room.begin(state="running", route="model")
    room.hub.publish(AnswerDelta(turn_id=turn.id, text="The first. The sec"))
    await page.until_heard("The first.")
    page.say(1, "stopped")
    room.hub.publish(AnswerDelta(turn_id=turn.id, text="ond. The third"))
    await settled()
    room.end(turn, route="model", answer="The first. The second. The third.")
    await settled()
    assert page.heard == ["The first."]


async def test_a_question_is_not_kept_waiting_by_an_answer_that_is_being_written(room: Room) -> None:
    page = room.page()
    page.choose("full")
    turn = room.begin(state="running", route="model")
    room.hub.publish(AnswerDelta(turn_id=turn.id, text="I will install it. The"))
    await page.until_heard("I will install it.")
    task = Task(id=1, turn_id=turn.id, tool="run_shell", title="pip", state="awaiting_approval", created_at=1)
    room.hub.publish(TaskChanged(task=task))
    card = Approval(id=1, task_id=1, tool="run_shell", target="x", reason="It installs it.", created_at=1)
    room.hub.publish(ApprovalChanged(approval=card))
    await page.until_heard("It installs it.")
    room.end(turn, route="model", answer="I will install it. Then it is done.")
    await page.until_heard("Then it is done.")
    assert page.heard.count("I will install it.") == 1


async def test_a_voice_that_does_not_know_the_language_is_not_used_and_that_is_said() -> None:
    room = Room(language="de")
    page = room.page()
    page.choose()
    room.say("12 Dateien.")
    await page.until_heard("12 Dateien.")
    answer = next(m for m in page.messages if isinstance(m, SpeakAnswer))
    assert (answer.rate_hz, answer.last) == (0, True)
    (notice,) = [m for m in page.messages if isinstance(m, Notice)]
    assert "English only" in notice.message
    assert room.asked == []
    await room.answering.close()


async def test_an_answer_that_is_being_written_outlives_the_turns_of_other_pages(room: Room) -> None:
    page, other = room.page("page"), room.page("other")
    page.choose("full")
    other.choose("off")
    turn = room.begin(state="running", route="model")
    room.hub.publish(AnswerDelta(turn_id=turn.id, text="The first. The sec"))
    await page.until_heard("The first.")
    room.say("Elsewhere.", "other")
    await settled()
    room.end(turn, route="model", answer="The first. The second.")
    await page.until(lambda: any(isinstance(m, SpeakAnswer) and m.last for m in page.messages))
    assert page.heard == ["The first.", "The second."]


async def test_a_model_that_fails_in_the_middle_of_its_answer_is_said(room: Room) -> None:
    page = room.page()
    page.choose("full")
    turn = room.begin(state="running", route="model")
    room.hub.publish(AnswerDelta(turn_id=turn.id, text="The first. The sec"))
    await page.until_heard("The first.")
    problem = Problem(kind="ModelError", message="The server has gone.")
    room.end(turn, route="model", answer="The first. The sec", state="failed", problem=problem)
    await page.until_heard("The server has gone.")
    assert page.stopped == [1]


@pytest.mark.parametrize("tool", ["approve", "stop_speaking", ""])
async def test_a_yes_or_noise_in_between_does_not_make_a_command_one_of_the_background(
    room: Room, tool: str
) -> None:
    page = room.page()
    page.choose()
    command = room.begin()
    calls = [Call(tool=tool)] if tool else []
    room.end(room.begin(), calls=calls, answer="Approved.", state="succeeded" if tool else "nothing")
    room.end(command, "It is installed.", took_s=5)
    await page.until_heard("It is installed.")
    assert page.heard == ["It is installed."]


async def test_what_a_page_holds_goes_on_when_nobody_spoke(room: Room) -> None:
    page = room.page(ends=False)
    page.choose()
    room.say("Twelve files.")
    await page.until(lambda: any(isinstance(m, SpeakAnswer) and m.last for m in page.messages))
    mouth = room.answering.speaker
    mouth.hold(page.surface_id)
    assert page.held == [True]
    assert not mouth.held(page.surface_id)  # not before the page says so
    page.say(1, "held")
    mouth.go_on("another")
    assert mouth.held(page.surface_id)
    mouth.go_on(page.surface_id)
    assert page.held == [True, False]
    assert mouth.speaking
    assert page.stopped == []


async def test_the_end_of_an_answer_that_is_held_is_waited_for(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaker, "GRACE_S", 0.01)
    page = room.page(ends=False)
    page.choose()
    room.say("Twelve files.")
    await page.until(lambda: any(isinstance(m, SpeakAnswer) and m.last for m in page.messages))
    page.say(1, "held")
    await asyncio.sleep(0.3)  # longer than it takes
    assert room.answering.speaker.speaking
    page.say(1, "started")
    async with asyncio.timeout(LIMIT_S):
        while room.answering.speaker.speaking:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
