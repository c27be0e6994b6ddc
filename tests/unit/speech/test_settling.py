"""Partial texts: settled words never change, and the rest follows the newest reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.speech.settling import Settling

READINGS = [
    "Run",
    "Run the",
    "Run the tests.",
    "run the tests in",
    "Run the test in the",
    "Run the tests in the unit folder.",
]


def test_words_settle_once_two_readings_agree_and_more_was_said() -> None:
    settling = Settling()
    shown = [settling.next(reading) for reading in READINGS]
    assert [each.text[: each.settled] for each in shown] == [
        "",
        "",
        "Run",
        "Run the",
        "Run the",
        "Run the",
    ]
    assert shown[-1].text == "Run the tests in the unit folder."


def test_a_settled_word_keeps_the_manner_in_which_it_was_first_shown() -> None:
    settling = Settling()
    for reading in ("Show df now", "Show df now please", "show DF now please then"):
        shown = settling.next(reading)
    assert shown.text == "Show df now please then"


@given(
    st.lists(st.lists(st.sampled_from(["run", "the", "test", "tests", "in", "unit"]), max_size=6), max_size=8)
)
def test_what_is_settled_is_never_taken_back(readings: list[list[str]]) -> None:
    settling, before = Settling(), ""
    for words in readings:
        shown = settling.next(" ".join(words))
        settled = shown.text[: shown.settled]
        assert settled.startswith(before)
        before = settled
