"""Hands-free listening on real speech: what is acted on, what is asked about, and what is let pass."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from open_microphone import Microphone, sound

from voice_kernel import handsfree, heeding
from voice_kernel.intents import Grammar
from voice_kernel.messages import Notice, SpeechChanged, TurnChanged
from voice_kernel.room import Manners
from voice_kernel.speech.frames import FRAME_S
from voice_kernel.speech.keeping import AudioFolder
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import RATE_HZ, Transcriber
from voice_kernel.speech.vad import SpeechDetector

LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def patient() -> Iterator[None]:
    """Wait for a transcript as long as a busy machine takes, also after a test has undone its own changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handsfree, "FINISH_LIMIT_S", 600.0)
        yield


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalTranscriber]:
    transcriber = LocalTranscriber(threads=2)
    asyncio.run(transcriber.load())
    yield transcriber
    asyncio.run(transcriber.close())


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.shared()


RUN_3 = ("run_cells", {"cells": "3"})
CHATTER = ("librivox_0930.wav", "sb_spk1_snt5.wav", "hibari_077.wav", "az_weather.wav")


async def test_three_commands_between_pauses_and_chatter_are_three_acts(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(
        sound(
            0.8, "hibari_002.wav", 1.2, "librivox_0930.wav", 1.5, "hibari_010.wav", 1.0,
            "hibari_077.wav", 1.4, "flite-slt_030.wav", 1.5,
        )
    )  # fmt: skip
    await microphone.close()
    assert microphone.acts == [RUN_3, ("delete_cells", {"cells": "current"}), ("run_tests", {})]
    assert [turn.text.strip(". ").lower() for turn in microphone.turns] == [
        "run cell three" if "three" in microphone.turns[0].text.lower() else "run cell 3",
        "delete this cell",
        "run tests",
    ]


async def test_chatter_is_shown_for_a_moment_and_becomes_no_turn(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    for clip in CHATTER:
        await microphone.hear(sound(0.5, clip, 1.2))
    await microphone.close()
    assert microphone.turns == []
    heard = [message.speech.heard for message in microphone.told if isinstance(message, SpeechChanged)]
    assert any("weather" in text.lower() for text in heard)


class Hearsay:
    """An engine that tells partial words, and nothing of pauses: as engines of others do."""

    def __init__(self, engine: LocalTranscriber) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def open(self, **options: Any) -> Any:
        inner = self.engine.open(**options)

        class Plain:
            feed, finish, discard = inner.feed, inner.finish, inner.discard

        return Plain()


class Hasty(Hearsay):
    """An engine that takes the first syllable of everything for a command."""

    def open(self, **options: Any) -> Any:
        inner = self.engine.open(**options)
        tell = options.get("on_partial")

        class Guessing:
            finish, discard = inner.finish, inner.discard
            guessed = False

            def feed(self, pcm: bytes) -> None:
                if tell is not None and not self.guessed:
                    self.guessed = True
                    tell("Search the files.")
                inner.feed(pcm)

        return Guessing()


async def test_talk_that_began_like_a_command_becomes_no_turn_either(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, ear=cast("Transcriber", Hasty(engine)))
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_077.wav", 1.2))
    await microphone.close()
    told = [message.turn for message in microphone.told if isinstance(message, TurnChanged)]
    assert told[0].state == "listening"
    assert (told[-1].state, told[-1].text) == ("dismissed", "")
    assert microphone.turns == []
    heard = [message.speech.heard for message in microphone.told if isinstance(message, SpeechChanged)]
    assert any("weather" in text.lower() for text in heard)


async def test_with_a_wake_phrase_the_same_commands_are_not_acted_on(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(wake_phrase="hey jupyter"))
    await microphone.open()
    assert microphone.hub.speech.waiting_for == "hey jupyter"
    await microphone.hear(sound(0.8, "hibari_002.wav", 1.2, "hibari_010.wav", 1.5, "flite-slt_030.wav", 1.5))
    await microphone.close()
    assert microphone.turns == []


async def test_the_wake_phrase_wakes_for_a_command_in_the_same_breath_and_for_one_after_it(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(wake_phrase="hey jupyter"))
    await microphone.open()
    await microphone.hear(sound(0.8, "hibari_010.wav", 1.2, "hey_jupyter_run_cell_three", 1.5))
    await microphone.ended()
    assert microphone.acts == [RUN_3]
    assert "upyter" in microphone.turns[0].text  # the words are shown as they were heard
    await microphone.hear(sound(0.8, "hibari_010.wav", 1.2, "hey_jupyter", 1.4, "flite-slt_030.wav", 1.5))
    await microphone.ended()
    assert microphone.acts == [RUN_3, ("run_tests", {})]
    await microphone.hear(sound(0.5, "hibari_010.wav", 1.5))  # it sleeps again
    await microphone.close()
    assert len(microphone.acts) == 2


async def test_a_phrase_with_a_model_of_its_own_wakes_without_the_recogniser(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    pytest.importorskip("pymicro_wakeword")
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(wake_phrase="Hey Jarvis"))
    await microphone.open()
    await microphone.hear(sound(1.5, "hibari_010.wav", 1.2, "hey_jarvis_run_cell_three", 1.6))
    await microphone.ended()
    assert microphone.acts == [RUN_3]
    await microphone.hear(sound(1.0, "hey_jarvis", 1.4, "flite-slt_030.wav", 1.5))
    await microphone.close()
    assert microphone.acts == [RUN_3, ("run_tests", {})]


async def test_a_pause_in_the_middle_of_a_command_does_not_cut_it(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.6, "run_the_tests_in", 0.6, "the_unit_folder", 1.6))
    await microphone.close()
    assert microphone.acts == [("run_tests", {"path": "tests/unit"})]


async def test_a_command_that_breaks_off_is_waited_for_with_any_engine(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, ear=cast("Transcriber", Hearsay(engine)))
    await microphone.open()
    await microphone.hear(sound(0.6, "run_the_tests_in", 0.6, "the_unit_folder", 1.6))
    await microphone.close()
    assert microphone.acts == [("run_tests", {"path": "tests/unit"})]


async def test_over_ends_a_command_before_the_silence_does(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(end_silence_s=2.0))
    await microphone.open()
    await microphone.hear(sound(0.6, "run_all_cells_over", 0.4))
    await microphone.ended()
    assert microphone.acts == [("run_cells", {"cells": "all"})]
    assert microphone.turns[0].text.lower().rstrip(". ").endswith("over")
    await microphone.close()


async def test_stop_listening_closes_the_microphone_of_the_page(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.6, "stop_listening", 1.0))
    await microphone.ended()
    assert microphone.controls == ["stop_listening"]
    await microphone.close()


async def test_what_was_not_heard_well_is_asked_and_a_spoken_yes_does_it(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heeding, "SURE_LOGPROB", 0.0)  # nothing is ever heard so well
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_002.wav", 1.0))
    await microphone.ended()
    (turn,) = microphone.turns
    assert turn.asks == f"Did you mean “{turn.text}”?"
    assert microphone.acts == []
    await microphone.play(sound(0.3, "yes", 1.0))
    await microphone.ended()
    assert microphone.acts == []  # that was not heard well either
    monkeypatch.undo()
    await microphone.play(sound(0.3, "yes", 1.0))  # what was said before the question would not count
    await microphone.ended()
    assert microphone.acts == [RUN_3]
    await microphone.close()


async def test_a_yes_that_was_not_heard_well_approves_nothing(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    session = Microphone(engine, tmp_path, grammar).session
    turn_id = session.begin("voice", surface_id="page", state="understanding")
    result = await session.understand(turn_id, "yes", sure=False)
    assert result.outcome == "failed"
    assert result.turn.problem is not None
    assert "does not count" in result.turn.problem.message


async def test_words_that_were_not_meant_for_us_are_shown_for_a_moment_only(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handsfree, "HEARD_S", 0.0)
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_077.wav", 1.2))
    async with asyncio.timeout(LIMIT_S):
        while microphone.hub.speech.heard:  # noqa: ASYNC110  a timer of the loop takes it away
            await asyncio.sleep(0)
    heard = [message.speech.heard for message in microphone.told if isinstance(message, SpeechChanged)]
    assert any(heard)
    await microphone.close()


async def test_a_microphone_that_nobody_can_listen_to_is_closed_and_that_is_said(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handsfree, "has_model", lambda phrase: True)
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(wake_phrase="hey jupyter"))
    await microphone.open()
    microphone.listener.chunk("m", 0, bytes(1280))
    async with asyncio.timeout(LIMIT_S):
        while not microphone.controls:  # noqa: ASYNC110  the thread that fails tells the loop
            await asyncio.sleep(0.01)
    assert microphone.controls == ["stop_listening"]
    assert any(isinstance(m, Notice) and "no model" in m.message for m in microphone.told)
    await microphone.close()


async def test_of_two_open_microphones_only_the_newer_one_is_listened_to(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    microphone.listener.start("other", RATE_HZ, "another page", hands_free=True)
    await microphone.open()
    assert [stream.surface_id for stream in microphone.listener.microphones] == ["page"]
    notices = [message.message for message in microphone.told if isinstance(message, Notice)]
    assert any("Another page" in text for text in notices)
    await microphone.close()


class Mouth:
    """Says one thing until it is stopped."""

    def __init__(self, words: str) -> None:
        self.saying = words
        self.stopped_at: list[float] = []
        self.is_held = False
        self.held_at: list[float] = []
        self.clock = lambda: 0.0

    def stop(self, surface_id: str = "") -> bool:
        if self.saying:
            self.stopped_at.append(self.clock())
        self.saying = ""
        return True

    def hold(self, surface_id: str) -> None:
        if self.saying and not self.is_held:
            self.held_at.append(self.clock())
            self.is_held = True

    def held(self, surface_id: str) -> bool:
        return self.is_held

    def go_on(self, surface_id: str) -> None:
        self.is_held = False


async def test_who_speaks_up_stops_the_answer(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    mouth = Mouth("Here is a long answer about the weather in the mountains.")
    microphone = Microphone(engine, tmp_path, grammar, mouth=mouth)
    await microphone.open()
    mouth.clock = lambda: microphone.stream.heard_s
    spoken = sound(0.5, "hibari_002.wav", 1.2)
    track = SpeechDetector().track()
    track.push(spoken.astype(np.float32) / 32768)
    await microphone.hear(spoken, step_s=0.04)
    await microphone.close()
    assert microphone.acts == [RUN_3]
    spoke_s = track.speech.index(True) * FRAME_S
    assert spoke_s <= mouth.held_at[0] <= spoke_s + 0.2
    assert mouth.held_at[0] < mouth.stopped_at[0]


async def test_our_own_words_are_not_acted_on(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    class Deaf(Mouth):
        def stop(self, surface_id: str = "") -> bool:
            return False  # it is heard to its end

    mouth = Deaf("You can say: run cell three, or delete this cell.")
    microphone = Microphone(engine, tmp_path, grammar, mouth=mouth)
    await microphone.open()
    await microphone.hear(sound(0.8, "hibari_002.wav", 1.2, "hibari_010.wav", 1.2))
    await microphone.ended()
    assert microphone.turns == []
    mouth.saying = ""
    await microphone.hear(sound(0.8, "hibari_002.wav", 1.2))
    await microphone.close()
    assert microphone.acts == [RUN_3]


async def test_a_key_ends_an_utterance_at_once(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_002.wav")[: -round(0.4 * RATE_HZ)])
    assert microphone.acts == []
    await microphone.close()
    assert microphone.acts == [RUN_3]
    assert not microphone.hub.speech.hands_free


async def test_words_appear_while_they_are_spoken_and_settled_ones_stay(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar)
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_015.wav", 1.2))
    await microphone.close()
    partials = [
        message.turn
        for message in microphone.told
        if isinstance(message, TurnChanged) and message.turn.partial
    ]
    assert len(partials) >= 3
    before = ""
    for turn in partials:
        settled = turn.text[: turn.settled]
        assert settled.startswith(before)
        before = settled
    assert before


async def test_nothing_is_written_unless_the_person_wants_it(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    folder = tmp_path / "recordings"
    microphone = Microphone(engine, tmp_path / "logs", grammar, keep_in=AudioFolder(folder))
    await microphone.open()
    await microphone.hear(sound(0.5, "hibari_077.wav", 1.2))
    await microphone.ended()
    assert not folder.exists()  # talk that is not meant for us is not kept either
    await microphone.hear(sound(0.5, "hibari_002.wav", 1.2))
    await microphone.close()
    async with asyncio.timeout(LIMIT_S):
        while not list(folder.glob("*.wav")):  # noqa: ASYNC110  it is written in a thread of its own
            await asyncio.sleep(0.01)
    (kept,) = folder.glob("*.wav")
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.name.endswith("turn-1.wav")
