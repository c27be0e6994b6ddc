"""The wake phrase: in text however it was spelled, and in sound where there is a model."""

from __future__ import annotations

import numpy as np
import pytest

from voice_kernel.errors import EngineUnavailable
from voice_kernel.speech.wake import WakeModel, after_phrase, has_model


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Hey Jupyter, run the tests.", "run the tests."),
        ("Hey Jupiter run the tests", "run the tests"),
        ("A Jupiter. Run the tests.", "Run the tests."),
        ("Um, hey Jupyter show df", "show df"),
        ("Hey, Jew Peter, stop.", "stop."),
        ("Hey Jubiter", ""),
    ],
)
def test_the_phrase_is_found_however_it_was_spelled(text: str, rest: str) -> None:
    assert after_phrase(text, "hey jupyter") == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hey",
        "Run the tests.",
        "The weather is nice today.",
        "Hey, you better run.",
        "Hey Peter, come here.",
        "Hey Juliet, run the tests.",
        "Tell them hey Jupyter.",
    ],
)
def test_what_only_resembles_the_phrase_or_has_it_elsewhere_wakes_nobody(text: str) -> None:
    assert after_phrase(text, "hey jupyter") is None


def test_a_phrase_of_one_word_must_be_that_word() -> None:
    assert after_phrase("Computer, run the tests.", "computer") == "run the tests."
    assert after_phrase("Compute the sum.", "computer") is None


def test_a_phrase_without_a_model_says_which_ones_there_are() -> None:
    pytest.importorskip("pymicro_wakeword")
    assert has_model("Hey, Jarvis!")
    assert not has_model("hey jupyter")
    with pytest.raises(EngineUnavailable, match="hey jupyter") as raised:
        WakeModel("hey jupyter")
    assert "hey jarvis" in raised.value.hint


def test_the_model_hears_nothing_in_noise() -> None:
    pytest.importorskip("pymicro_wakeword")
    noise = np.random.default_rng(3).normal(0, 2000, 16_000 * 10).astype("<i2").tobytes()
    model = WakeModel("hey jarvis")
    assert not any(model.heard(noise[at : at + 1280]) for at in range(0, len(noise), 1280))
