"""Where somebody speaks: found in speech, not in silence, whatever the chunks."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.speech.conftest import CLIPS
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.frames import FRAME
from voice_kernel.speech.vad import SpeechDetector


@cache
def detector() -> SpeechDetector:
    return SpeechDetector()


def test_speech_is_found_where_it_is() -> None:
    sound = AudioClip.read(CLIPS / "hibari_002.wav").samples
    silence = np.zeros(16_000, np.float32)
    track = detector().track()
    track.push(np.concatenate([silence, sound, silence]))
    first = track.speech.index(True) * FRAME / 16_000
    assert 0.9 < first < 1.0 + len(sound) / 16_000
    assert not any(track.speech[-10:])


@pytest.mark.parametrize("level", [0.0, 0.001, 0.1])
def test_there_is_no_speech_in_silence_or_hiss(level: float) -> None:
    track = detector().track()
    track.push(np.random.default_rng(0).normal(0, 1, 48_000).astype(np.float32) * np.float32(level))
    assert not any(track.speech)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 4_000), min_size=1, max_size=20))
def test_chunks_of_any_size_give_the_same_answer(sizes: list[int]) -> None:
    sound = AudioClip.read(CLIPS / "hibari_002.wav").samples
    whole, cut = detector().track(), detector().track()
    whole.push(sound)
    at = 0
    for size in sizes:
        cut.push(sound[at : at + size])
        at += size
    cut.push(sound[at:])
    np.testing.assert_allclose(cut.probabilities, whole.probabilities, atol=1e-5)


def test_the_rest_of_a_frame_is_heard_at_the_end() -> None:
    track = detector().track()
    track.push(np.zeros(FRAME + 1, np.float32))
    assert len(track.probabilities) == 1
    track.flush()
    track.flush()
    assert len(track.probabilities) == 2
