"""The chosen engine, and the local one in its place: nothing said is lost, nothing is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from voice_kernel.context import Context
from voice_kernel.errors import AudioError, EngineUnavailable, ServerFailed, SpeechError
from voice_kernel.speech.browser import BrowserTranscriber
from voice_kernel.speech.chosen import ChosenTranscriber
from voice_kernel.speech.transcriber import Expect, HeardByPage, Transcriber, Transcript

SOUND = b"\x01\x00" * 16_000


@dataclass
class Ear:
    """An engine that hears what the test wants, or fails as it wants."""

    name: str = "local"
    sent_to: str = ""
    says: str = "run the tests"
    fails: SpeechError | None = None
    missing: EngineUnavailable | None = None
    loaded: bool = False
    heard: list[bytes] = field(default_factory=list)
    closed: bool = False

    async def load(self) -> None:
        if self.missing is not None:
            raise self.missing
        self.loaded = True

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> Hearing:
        return Hearing(self)

    async def close(self) -> None:
        self.closed = True


class Hearing:
    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._sound = b""
        self.discarded = False

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm

    async def finish(self) -> Transcript:
        await asyncio.sleep(0)
        self._ear.heard.append(self._sound)
        if self._ear.missing is not None:
            raise self._ear.missing
        if self._ear.fails is not None:
            raise self._ear.fails
        return Transcript(self._ear.says, len(self._sound) / 32_000, 0.1, self._ear.name)

    def discard(self) -> None:
        self.discarded = True


class Desk:
    """A choice between `local` and one other engine, with what was told and a clock to turn."""

    def __init__(self, other: Transcriber, local: Ear | None = None) -> None:
        self.local = local or Ear()
        self.other = other
        self.told: list[tuple[str, str]] = []
        self.now = 100.0
        self.made: list[str] = []
        self.chosen = ChosenTranscriber(
            self._make,
            other.name,
            tell=lambda message, hint: self.told.append((message, hint)),
            clock=lambda: self.now,
        )

    def _make(self, name: str) -> Transcriber:
        self.made.append(name)
        for engine in (self.local, self.other):
            if engine.name == name:
                return engine
        raise EngineUnavailable(f"There is no speech engine named {name}.")

    async def hear(self) -> Transcript:
        recognition = self.chosen.open(rate_hz=16_000)
        for start in range(0, len(SOUND), 1280):
            recognition.feed(SOUND[start : start + 1280])
        return await recognition.finish()


def remote(**how: object) -> Ear:
    return Ear(name="openai", sent_to="api.example", says="plot the data", **how)  # type: ignore[arg-type]


async def test_the_chosen_engine_hears() -> None:
    desk = Desk(remote())
    transcript = await desk.hear()
    assert (transcript.text, transcript.engine, transcript.notice) == ("plot the data", "openai", "")
    assert (desk.chosen.name, desk.chosen.sent_to) == ("openai", "api.example")
    assert desk.local.heard == []


async def test_before_sound_leaves_the_machine_it_is_said_once() -> None:
    desk = Desk(remote())
    desk.chosen.open(rate_hz=16_000)
    assert desk.told == [
        (
            "What you say is sent to api.example to be turned into text.",
            "The engine “local” keeps it on this machine.",
        )
    ]
    await desk.hear()
    assert len(desk.told) == 1


async def test_the_local_engine_hears_all_of_what_another_one_lost() -> None:
    desk = Desk(remote(fails=ServerFailed("The connection broke off.", hint="Check the network.")))
    transcript = await desk.hear()
    assert (transcript.text, transcript.engine) == ("run the tests", "local")
    assert transcript.notice == "The connection broke off. This was recognised on this machine instead."
    assert transcript.hint == "Check the network."
    assert desk.local.heard == [SOUND]


async def test_where_nobody_spoke_nothing_is_said_of_a_failure() -> None:
    desk = Desk(remote(fails=ServerFailed("Broken.")), Ear(says=""))
    assert (await desk.hear()).notice == ""


async def test_a_server_that_wants_rest_is_left_alone_for_as_long_and_then_asked_again() -> None:
    desk = Desk(remote(fails=ServerFailed("Too often.", rest_s=7)))
    await desk.hear()
    assert (desk.chosen.name, desk.chosen.chosen, desk.chosen.sent_to) == ("local", "openai", "")
    await desk.hear()
    assert len(desk.other.heard) == 1  # type: ignore[attr-defined]
    desk.now += 7
    assert desk.chosen.name == "openai"
    await desk.hear()
    assert len(desk.other.heard) == 2  # type: ignore[attr-defined]


async def test_a_failure_that_passes_is_no_reason_to_rest() -> None:
    desk = Desk(remote(fails=ServerFailed("Broken off.")))
    await desk.hear()
    assert desk.chosen.name == "openai"


async def test_an_engine_that_cannot_be_loaded_is_replaced_and_that_is_said() -> None:
    desk = Desk(remote(missing=EngineUnavailable("It wants an API key.", hint="Set OPENAI_API_KEY.")))
    await desk.chosen.load()
    assert desk.told == [
        ("It wants an API key. Speech is recognised on this machine meanwhile.", "Set OPENAI_API_KEY.")
    ]
    assert (desk.chosen.name, desk.chosen.loaded) == ("local", True)
    assert (await desk.hear()).engine == "local"


async def test_an_engine_of_a_name_that_nobody_knows_is_replaced_and_that_is_said() -> None:
    desk = Desk(remote())
    chosen = ChosenTranscriber(
        desk._make, "moonshine", tell=lambda message, hint: desk.told.append((message, hint))
    )
    assert chosen.name == "local"
    assert "no speech engine named moonshine" in desk.told[0][0]


async def test_when_no_engine_can_hear_both_reasons_are_given() -> None:
    desk = Desk(
        remote(fails=ServerFailed("The server is down.")),
        Ear(missing=EngineUnavailable("The model is not installed.", hint="Install it.")),
    )
    with pytest.raises(SpeechError, match=r"The server is down\. The model is not installed\.") as raised:
        await desk.hear()
    assert raised.value.hint == "Install it."
    assert raised.value.retryable


async def test_sound_that_is_none_is_no_reason_to_ask_another_engine() -> None:
    desk = Desk(remote(fails=AudioError("Half a sample.")))
    with pytest.raises(AudioError):
        await desk.hear()
    assert desk.local.heard == []


async def test_another_engine_can_be_chosen_between_two_utterances() -> None:
    desk = Desk(remote())
    assert (await desk.hear()).engine == "openai"
    desk.chosen.choose("local")
    assert (await desk.hear()).engine == "local"
    with pytest.raises(EngineUnavailable):
        desk.chosen.choose("nothing")
    assert desk.chosen.chosen == "local"
    desk.chosen.choose("openai")
    assert (await desk.hear()).engine == "openai"
    assert sorted(desk.made) == ["local", "nothing", "openai"], "each engine is made once"


async def test_choosing_an_engine_again_ends_its_rest() -> None:
    desk = Desk(remote(fails=ServerFailed("No.", rest_s=60)))
    await desk.hear()
    desk.chosen.choose("openai")
    assert desk.chosen.name == "openai"


async def test_a_sound_without_speech_is_not_sent_away() -> None:
    class Detector(Ear):
        async def speech_in(self, pcm: bytes, rate_hz: int) -> bool:
            return any(pcm) and pcm != SOUND

    desk = Desk(remote(), Detector())
    transcript = await desk.hear()
    assert (transcript.text, transcript.audio_s) == ("", 1.0)
    assert (desk.local.heard, desk.other.heard) == ([], [])  # type: ignore[attr-defined]


async def test_a_discarded_utterance_goes_to_no_engine() -> None:
    desk = Desk(remote())
    recognition = desk.chosen.open(rate_hz=16_000)
    recognition.feed(SOUND)
    recognition.discard()
    with pytest.raises(SpeechError, match="thrown away"):
        await recognition.finish()
    assert (desk.local.heard, desk.other.heard) == ([], [])  # type: ignore[attr-defined]


async def test_closing_closes_what_was_used() -> None:
    desk = Desk(remote())
    await desk.hear()
    await desk.chosen.close()
    assert desk.other.closed  # type: ignore[attr-defined]
    assert desk.local.closed  # it told whether anybody spoke


@pytest.mark.parametrize("where", ["open", "feed", "finish"])
async def test_a_bug_in_an_engine_of_somebody_else_loses_nothing(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_how: object) -> None:
        raise ZeroDivisionError

    desk = Desk(Ear(name="moonshine"))
    if where == "open":
        monkeypatch.setattr(desk.other, "open", broken)
    else:
        monkeypatch.setattr(Hearing, where, broken)
        monkeypatch.setattr(desk.local, "open", lambda **_how: _Local())
    transcript = await desk.hear()
    assert transcript.text == "run the tests"
    assert "moonshine failed (ZeroDivisionError)" in transcript.notice


class _Local:
    def feed(self, pcm: bytes) -> None: ...

    async def finish(self) -> Transcript:
        return Transcript("run the tests", 1.0, 0.1, "local")

    def discard(self) -> None: ...


# ---- the browser as an engine ------------------------------------------------------------------------


async def test_the_words_of_the_page_are_the_transcript() -> None:
    desk = Desk(BrowserTranscriber(final_limit_s=60))
    partials: list[str] = []
    recognition = desk.chosen.open(rate_hz=16_000, on_partial=partials.append)
    assert isinstance(recognition, HeardByPage)
    recognition.heard("")
    recognition.feed(SOUND)
    recognition.heard("run the")
    finishing = asyncio.ensure_future(recognition.finish())
    await asyncio.sleep(0)
    recognition.heard("run the tests", final=True)
    transcript = await finishing
    assert (transcript.text, transcript.engine, transcript.audio_s) == ("run the tests", "browser", 1.0)
    assert partials == ["run the"]
    assert desk.local.heard == []


@pytest.mark.parametrize("how", ["says why", "says nothing more", "heard no words", "never began"])
async def test_where_the_browser_fails_the_sound_beside_it_is_heard(how: str) -> None:
    desk = Desk(BrowserTranscriber(final_limit_s=0.05))
    recognition = desk.chosen.open(rate_hz=16_000)
    assert isinstance(recognition, HeardByPage)
    if how != "never began":
        recognition.heard("")
    recognition.feed(SOUND)
    if how == "says why":
        recognition.heard("", problem="This browser has no speech recognition.")
    elif how == "heard no words":
        recognition.heard("", final=True)
    transcript = await recognition.finish()
    assert (transcript.text, transcript.engine) == ("run the tests", "local")
    assert "This was recognised on this machine instead." in transcript.notice
    assert desk.local.heard == [SOUND]
