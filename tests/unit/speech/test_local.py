"""The local engine on real weights: what it hears, when it tells, and that it lets go."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.unit.speech.conftest import CLIPS, Clips
from tests.unit.speech.test_weights import fake_distribution, real_model
from voice_kernel.context import Context, Variable
from voice_kernel.errors import AudioError, EngineUnavailable, SpeechError
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.files import transcribe_files
from voice_kernel.speech.local import LocalRecognition, LocalTranscriber
from voice_kernel.speech.weights import SHA256
from voice_kernel.speech.whisper import Whisper
from voice_kernel.speech.worker import Urgency

LIMIT_S = 60.0
CHUNK = 1280
"""Bytes of 40 ms at 16 kHz: what the panel sends."""


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c.isspace() else " " for c in text.casefold()).split()


def feed(recognition: LocalRecognition, pcm: bytes, size: int = CHUNK) -> None:
    for at in range(0, len(pcm), size):
        recognition.feed(pcm[at : at + size])


@contextmanager
def held(engine: LocalTranscriber) -> Iterator[Callable[[], bool]]:
    """Keep the worker busy until the block ends; gives a function that says whether it is."""
    begun, gate, over = threading.Event(), threading.Event(), threading.Event()

    def job() -> None:
        begun.set()
        gate.wait(LIMIT_S)
        over.set()

    engine.submit(Urgency.ANSWER, job)
    assert begun.wait(LIMIT_S)
    try:
        yield lambda: not over.is_set()
    finally:
        gate.set()


def noise(kind: str, level: float) -> AudioClip:
    random, count = np.random.default_rng(5), 48_000
    t = np.arange(count) / 16_000
    sound = {
        "silence": np.zeros(count),
        "white": random.normal(0, 1, count),
        "brown": np.cumsum(random.normal(0, 0.02, count)),
        "hum": np.sin(2 * np.pi * 50 * t) + np.sin(2 * np.pi * 150 * t),
        "tones": sum(np.sin(2 * np.pi * f * t) for f in (262, 330, 392)),
        "clicks": random.normal(0, 1, count) * (np.arange(count) % 4000 < 60),
    }[kind]
    return AudioClip(np.clip(sound * level, -1, 1).astype(np.float32))


# ---- what it hears ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "heard"),
    [
        ("hibari_002.wav", "run cell 3"),
        ("hibari_031.wav", "execute the tests in test unit"),
        ("hibari_076.wav", "um could you please run the tests"),
        ("flite-slt_060.wav", "cancel task 3"),
        ("wyoming_lamp.wav", "turn on the living room lamp"),
        ("sb_spk2_snt4.wav", "mend the coat before you go out"),
    ],
)
async def test_a_clip_of_speech_gives_its_words(
    engine: LocalTranscriber, clips: Clips, file: str, heard: str
) -> None:
    clip = clips[file]
    transcript = await engine.transcribe(clip)
    assert words(transcript.text) == words(heard)
    assert transcript.audio_s == pytest.approx(clip.duration_s, abs=1e-3)
    assert 0 < transcript.speech_s < transcript.audio_s
    assert transcript.latency_s > 0
    assert transcript.engine == "local"
    assert transcript.avg_logprob is not None
    assert transcript.notice == ""


@pytest.mark.parametrize("kind", ["silence", "white", "hum", "clicks"])
async def test_the_detector_alone_tells_speech_from_noise(
    engine: LocalTranscriber, clips: Clips, kind: str
) -> None:
    assert await engine.speech_in(clips["hibari_002.wav"].pcm, 16_000)
    assert not await engine.speech_in(noise(kind, 0.1).pcm, 16_000)


async def test_the_hint_is_what_makes_an_unclear_command_heard(
    engine: LocalTranscriber, clips: Clips
) -> None:
    clip = clips["flite-slt_060.wav"]
    assert words((await engine.transcribe(clip, expect="command")).text) == ["cancel", "task", "3"]
    assert words((await engine.transcribe(clip, expect="dictation")).text) != ["cancel", "task", "3"]


async def test_of_readings_about_as_likely_the_one_that_is_understood_is_taken(
    engine: LocalTranscriber, clips: Clips
) -> None:
    clip = clips["hibari_031.wav"]
    asked: list[str] = []

    def nothing(text: str) -> bool:
        asked.append(text)
        return False

    likeliest = (await engine.transcribe(clip, understands=nothing)).text
    assert likeliest in asked
    others = [text for text in asked if text != likeliest]
    assert others, "no other reading was offered"
    assert (await engine.transcribe(clip, understands=lambda text: text == others[0])).text == others[0]
    assert (await engine.transcribe(clip, understands=lambda text: True)).text == likeliest


async def test_talk_is_never_bent_into_something_that_is_understood(
    engine: LocalTranscriber, clips: Clips
) -> None:
    asked: list[str] = []
    clip = clips["sb_spk2_snt4.wav"]
    transcript = await engine.transcribe(clip, understands=lambda text: bool(asked.append(text)) or True)
    assert words(transcript.text) == words(clips.said["sb_spk2_snt4.wav"])
    assert asked == []


async def test_a_context_full_of_names_leaves_commands_as_they_are(
    engine: LocalTranscriber, clips: Clips
) -> None:
    context = Context(
        variables=tuple(Variable(f"frame_{n}", "DataFrame", columns=(f"a{n}", f"b{n}")) for n in range(200)),
        files=tuple(f"folder{n}/" for n in range(500)),
    )
    transcript = await engine.transcribe(clips["hibari_002.wav"], context=context)
    assert words(transcript.text) == ["run", "cell", "3"]


@pytest.mark.parametrize("level", [0.01, 0.3])
@pytest.mark.parametrize("kind", ["silence", "white", "brown", "hum", "tones", "clicks"])
async def test_silence_and_noise_give_no_text(engine: LocalTranscriber, kind: str, level: float) -> None:
    transcript = await engine.transcribe(noise(kind, level))
    assert transcript.text == ""
    assert transcript.speech_s == 0


async def test_words_in_noise_are_heard_and_the_noise_is_not(engine: LocalTranscriber, clips: Clips) -> None:
    hiss = noise("white", 0.003).samples
    sound = np.concatenate([hiss, clips["hibari_002.wav"].samples, hiss])
    assert words((await engine.transcribe(AudioClip(sound))).text) == ["run", "cell", "3"]


async def test_speech_longer_than_the_window_is_cut_at_silences_and_joined(
    engine: LocalTranscriber, clips: Clips
) -> None:
    files = [file for file in clips.said if not file.startswith("flite")]
    gap = np.zeros(4_800, np.float32)
    sound = AudioClip(np.concatenate([part for file in files for part in (clips[file].samples, gap)]))
    assert sound.duration_s > 40
    transcript = await engine.transcribe(sound, expect="dictation")
    said = [word for file in files for word in words(clips.said[file])]
    heard = words(transcript.text)
    assert sum(word in heard for word in said) > 0.8 * len(said)
    assert "country" in heard
    assert abs(len(heard) - len(said)) < 0.25 * len(said)


async def test_bytes_that_are_no_speech_are_no_text_and_no_crash(engine: LocalTranscriber) -> None:
    recognition = engine.open(rate_hz=16_000)
    feed(recognition, np.random.default_rng(2).bytes(64_000))
    assert (await recognition.finish()).text == ""


async def test_an_utterance_without_any_sound_is_no_text(engine: LocalTranscriber) -> None:
    transcript = await engine.open(rate_hz=48_000).finish()
    assert (transcript.text, transcript.audio_s) == ("", 0.0)


async def test_half_a_sample_at_the_end_is_refused(engine: LocalTranscriber) -> None:
    recognition = engine.open(rate_hz=16_000)
    recognition.feed(b"\x00\x01\x02")
    with pytest.raises(AudioError, match="middle of a sample"):
        await recognition.finish()


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 192_001])
async def test_a_rate_out_of_range_is_refused(engine: LocalTranscriber, rate_hz: int) -> None:
    with pytest.raises(AudioError, match="sampling rate"):
        engine.open(rate_hz=rate_hz)


async def test_what_comes_after_five_minutes_is_cut_and_said_so(engine: LocalTranscriber) -> None:
    recognition = engine.open(rate_hz=8_000)
    for _ in range(310):
        recognition.feed(bytes(16_000))
    transcript = await recognition.finish()
    assert transcript.audio_s == 300
    assert "first 5 minutes" in transcript.notice


# ---- while you speak -------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["hibari_015.wav", "jfk.wav"])
async def test_partial_texts_come_while_you_speak_and_the_final_one_is_that_of_the_file(
    engine: LocalTranscriber, clips: Clips, file: str
) -> None:
    clip = clips[file]
    partials: asyncio.Queue[str] = asyncio.Queue()
    recognition = engine.open(rate_hz=clip.rate_hz, on_partial=partials.put_nowait)
    middle = len(clip.pcm) // CHUNK // 2 * CHUNK
    feed(recognition, clip.pcm[:middle])
    first = await asyncio.wait_for(partials.get(), LIMIT_S)
    assert words(first)
    feed(recognition, clip.pcm[middle:])
    transcript = await recognition.finish()
    told = partials.qsize()
    assert transcript.text == (await engine.transcribe(clip)).text
    assert partials.qsize() == told, "a partial came after the final text"


async def test_text_read_ahead_in_the_silence_before_the_key_is_released_is_the_final_one(
    engine: LocalTranscriber, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = clips["hibari_002.wav"]
    expected = (await engine.transcribe(clip)).text
    settled = asyncio.Event()

    def on_partial(text: str) -> None:
        if text == expected:
            settled.set()

    decodes: list[None] = []
    encode = Whisper.encode
    monkeypatch.setattr(Whisper, "encode", lambda *given: decodes.append(None) or encode(*given))
    recognition = engine.open(rate_hz=clip.rate_hz, on_partial=on_partial)
    feed(recognition, clip.pcm + bytes(16_000))
    await asyncio.wait_for(settled.wait(), LIMIT_S)
    ahead = len(decodes)
    assert ahead
    transcript = await recognition.finish()
    assert transcript.text == expected
    assert len(decodes) == ahead, "it was read once more"


async def test_after_the_key_was_let_go_in_a_pause_the_whole_text_is_told(
    engine: LocalTranscriber, clips: Clips
) -> None:
    clip = clips["hibari_002.wav"]
    expected = (await engine.transcribe(clip)).text
    recognition = engine.open(rate_hz=clip.rate_hz, on_partial=lambda _: None)
    told: asyncio.Queue[str] = asyncio.Queue()
    feed(recognition, clip.pcm + bytes(8_000))
    recognition.on_pause = told.put_nowait
    recognition.closing()
    assert await asyncio.wait_for(told.get(), LIMIT_S) == expected
    recognition.closing()  # what was told before is told again
    assert await asyncio.wait_for(told.get(), LIMIT_S) == expected
    assert (await recognition.finish()).text == expected


async def test_after_the_key_was_let_go_within_a_word_nothing_is_told_before_its_end(
    engine: LocalTranscriber, clips: Clips
) -> None:
    clip = clips["jfk.wav"]
    recognition = engine.open(rate_hz=clip.rate_hz, on_partial=lambda _: None)
    told: list[str] = []
    recognition.on_pause = told.append
    recognition.closing()
    feed(recognition, clip.pcm[:32_000])  # "And so my fel"
    transcript = await recognition.finish()
    assert words(transcript.text)[:2] == ["and", "so"]
    assert told == []


@pytest.mark.parametrize("size", [2, 333, 100_000])
async def test_the_size_of_chunks_does_not_change_the_text(
    engine: LocalTranscriber, clips: Clips, size: int
) -> None:
    clip = clips["hibari_026.wav"]
    recognition = engine.open(rate_hz=clip.rate_hz)
    feed(recognition, clip.pcm, size)
    assert (await recognition.finish()).text == (await engine.transcribe(clip)).text


async def test_two_people_can_speak_at_once(engine: LocalTranscriber, clips: Clips) -> None:
    one, other = clips["hibari_002.wav"].pcm, clips["hibari_000.wav"].pcm
    first, second = engine.open(rate_hz=16_000), engine.open(rate_hz=16_000)
    for at in range(0, max(len(one), len(other)), CHUNK):
        first.feed(one[at : at + CHUNK])
        second.feed(other[at : at + CHUNK])
    heard = await asyncio.gather(first.finish(), second.finish())
    assert [words(t.text) for t in heard] == [["run", "cell", "3"], ["run", "all", "cells"]]


async def test_feeding_does_not_wait_for_a_worker_that_is_busy(engine: LocalTranscriber) -> None:
    with held(engine) as going_on:
        recognition = engine.open(rate_hz=16_000, on_partial=lambda _: None)
        feed(recognition, bytes(200 * CHUNK))
        assert going_on()
        recognition.discard()


# ---- letting go ------------------------------------------------------------------------------------


async def test_a_discarded_utterance_gives_nothing_any_more(engine: LocalTranscriber, clips: Clips) -> None:
    partials: list[str] = []
    recognition = engine.open(rate_hz=16_000, on_partial=partials.append)
    feed(recognition, clips["hibari_002.wav"].pcm)
    recognition.discard()
    recognition.discard()
    recognition.feed(bytes(CHUNK))
    with pytest.raises(SpeechError, match="thrown away"):
        await recognition.finish()
    await engine.transcribe(clips["hibari_000.wav"])  # whatever the worker still had to do is done now
    assert partials == []


async def test_cancelling_the_wait_for_a_transcript_discards_it(
    engine: LocalTranscriber, clips: Clips
) -> None:
    recognition = engine.open(rate_hz=16_000)
    feed(recognition, clips["jfk.wav"].pcm)
    waiting = asyncio.ensure_future(recognition.finish())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(SpeechError):
        await recognition.finish()


async def test_closing_waits_for_no_job_that_does_not_end(caplog: pytest.LogCaptureFixture) -> None:
    engine = LocalTranscriber()
    with held(engine) as going_on:
        await engine.close()
        assert going_on()
    assert "still busy" in caplog.text


async def test_closing_in_the_middle_of_a_decode_tells_who_waits(clips: Clips) -> None:
    engine = LocalTranscriber()
    await engine.load()
    recognition = engine.open(rate_hz=16_000, expect="dictation")
    feed(recognition, clips["jfk.wav"].pcm * 20, 200_000)
    waiting = asyncio.ensure_future(recognition.finish())
    await asyncio.sleep(0)
    await engine.close()
    with pytest.raises(SpeechError, match="closed"):
        await waiting
    with pytest.raises(SpeechError, match="closed"):
        await engine.open(rate_hz=16_000).finish()


# ---- loading ---------------------------------------------------------------------------------------


async def test_those_who_load_at_once_share_one_load(tmp_path: Path) -> None:
    engine = LocalTranscriber(search_path=[str(tmp_path)])
    outcomes = await asyncio.gather(*(engine.load() for _ in range(5)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {EngineUnavailable}
    assert len({id(outcome) for outcome in outcomes}) == 1
    await engine.close()


async def test_an_engine_that_was_missing_loads_once_it_is_installed(tmp_path: Path, clips: Clips) -> None:
    engine = LocalTranscriber(search_path=[str(tmp_path)])
    with pytest.raises(EngineUnavailable, match="not installed"):
        await engine.load()
    recognition = engine.open(rate_hz=16_000)
    feed(recognition, bytes(CHUNK))
    with pytest.raises(EngineUnavailable, match="not installed"):
        await recognition.finish()
    assert not engine.loaded
    model = fake_distribution(tmp_path)
    for name in SHA256:
        (model / name).symlink_to(real_model() / name)
    await engine.load()
    assert engine.loaded
    assert (await engine.transcribe(clips["hibari_002.wav"])).text
    await engine.close()


async def test_a_folder_that_holds_no_model_is_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    engine = LocalTranscriber(tmp_path)
    with pytest.raises(EngineUnavailable, match="holds no Whisper model"):
        await engine.load()
    await engine.close()


async def test_closing_what_was_never_used_is_fine() -> None:
    await LocalTranscriber().close()


def test_importing_speech_imports_nothing_heavy() -> None:
    check = (
        "import sys, voice_kernel.speech, voice_kernel.speech.local; "
        "from voice_kernel.speech import LocalTranscriber; LocalTranscriber(); "
        "heavy = {'numpy', 'ctranslate2', 'onnxruntime', 'faster_whisper', 'tokenizers', 'av', 'pydantic'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ---- files -----------------------------------------------------------------------------------------


def test_files_become_records_and_a_bad_one_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"not a sound")
    good = CLIPS / "hibari_002.wav"
    records = list(transcribe_files([bad, good], LocalTranscriber()))
    assert records[0]["file"] == str(bad)
    assert "not a recording" in records[0]["error"]
    assert words(records[1]["text"]) == ["run", "cell", "3"]
    assert set(records[1]) == {"file", "text", "audio_s", "latency_s", "engine"}
