"""Hands-free listening on real speech: what is acted on, what is asked about, and what is let pass."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from open_microphone import Microphone, sound

from voice_kernel.handsfree import Manners
from voice_kernel.intents import Grammar
from voice_kernel.messages import SpeechChanged, TurnChanged
from voice_kernel.speech.keeping import AudioFolder
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import RATE_HZ


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


async def test_with_a_wake_phrase_the_same_commands_are_not_acted_on(
    engine: LocalTranscriber, grammar: Grammar, tmp_path: Path
) -> None:
    microphone = Microphone(engine, tmp_path, grammar, manners=Manners(wake_phrase="hey jupyter"))
    await microphone.open()
    assert microphone.hub.speech.waiting_for == "hey jupyter"
    await microphone.hear(sound(0.8, "hibari_002.wav", 1.2, "hibari_010.wav", 1.5, "flite-slt_030.wav", 1.5))
    await microphone.close()
    assert microphone.turns == []


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
    assert not folder.exists()  # talk that is not meant for us is not kept either
    await microphone.hear(sound(0.5, "hibari_002.wav", 1.2))
    await microphone.close()
    async with asyncio.timeout(5):
        while not list(folder.glob("*.wav")):  # noqa: ASYNC110  it is written in a thread of its own
            await asyncio.sleep(0.01)
    (kept,) = folder.glob("*.wav")
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.name.endswith("turn-1.wav")
