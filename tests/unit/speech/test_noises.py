"""Nobody speaks: nothing is heard, and nothing done."""

from __future__ import annotations

import numpy as np
from noises import KINDS, LEVELS, noises

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import understanding
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.local import LocalTranscriber


def test_the_noises_are_many_and_the_same_at_every_call() -> None:
    first, second = noises(0.5), noises(0.5)
    assert len(first) == len(KINDS) * len(LEVELS) + 2 >= 60
    for (name, samples), (again, same) in zip(first, second, strict=True):
        assert name == again
        assert np.array_equal(samples, same)
        assert np.abs(samples).max() <= 1


async def test_no_noise_gives_a_text(engine: LocalTranscriber) -> None:
    understands = understanding(Grammar.shared("en"), Context())
    heard = {
        name: (await engine.transcribe(AudioClip(samples), understands=understands)).text
        for name, samples in noises()
    }
    assert {name: text for name, text in heard.items() if text} == {}
