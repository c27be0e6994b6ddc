"""The decoder's guard against loops, and the spectrum it reads."""

from __future__ import annotations

import numpy as np
import pytest

from voice_kernel.speech.melspectrum import MelSpectrum
from voice_kernel.speech.whisper import without_loops


@pytest.mark.parametrize(
    "said",
    [
        "",
        "no no",
        "Run cell 3.",
        "run the tests in tests/unit",
        "run cell three then run cell four",
        "ask not what your country can do for you, ask what you can do for your country",
        "the more the merrier",
    ],
)
def test_what_people_say_passes_the_loop_guard_unchanged(said: str) -> None:
    assert without_loops(said) == said


@pytest.mark.parametrize(
    ("looped", "said"),
    [
        ("stop stop stop stop", "stop"),
        ("run it run it", "run it"),
        ("Run cell 3. Run cell 3. Run cell 3.", "Run cell 3."),
        ("Retry. Retry.", "Retry."),
        ("Run the tests. The tests. The tests. And more", "Run the tests."),
        ("Can I have some coffee please? Can I have some coffee", "Can I have some coffee please?"),
        ("Delete this cell. Delete the cell", "Delete this cell."),
    ],
)
def test_a_text_that_repeats_itself_is_cut_where_it_begins_to(looped: str, said: str) -> None:
    assert without_loops(looped) == said


def test_the_spectrum_is_the_one_the_model_was_trained_on() -> None:
    reference = pytest.importorskip("faster_whisper.feature_extractor").FeatureExtractor()
    sound = np.random.default_rng(3).normal(0, 0.1, 24000).astype(np.float32)
    padded = np.pad(sound, (0, 160000 - len(sound)))
    expected = reference(padded, padding=0)[:, :1000]
    np.testing.assert_allclose(MelSpectrum()(sound, 1000), expected, atol=1e-4)
