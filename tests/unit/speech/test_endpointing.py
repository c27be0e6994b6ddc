"""When an utterance begins and ends, from probabilities of speech and what was read of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.speech.endpointing import (
    FINISHED_SHARE,
    MAX_SPEECH_S,
    READING_S,
    UNFINISHED_S,
    Began,
    Ended,
    Endpointer,
    Event,
    Insisted,
    Progress,
)
from voice_kernel.speech.frames import FRAME_S

SILENCE, SPEECH = 0.02, 0.97


def frames(seconds: float) -> int:
    return round(seconds / FRAME_S)


def spoken(endpointer: Endpointer, seconds: float = 1.0) -> list[Event]:
    return endpointer.push([SPEECH] * frames(seconds))


def silence_until_the_end(endpointer: Endpointer) -> float:
    """Return how long it takes to end; 9 s is never."""
    for count in range(frames(9)):
        if any(isinstance(event, Ended) for event in endpointer.push([SILENCE])):
            return (count + 1) * FRAME_S
    return 9.0


def test_speech_begins_an_utterance_at_its_first_frame() -> None:
    endpointer = Endpointer()
    assert endpointer.push([SILENCE] * 20) == []
    assert endpointer.push([SPEECH] * 3) == [Began(20)]
    assert endpointer.in_utterance


def test_a_click_begins_nothing() -> None:
    endpointer = Endpointer()
    assert endpointer.push(([SPEECH] * 2 + [SILENCE] * 20) * 50) == []


def test_who_speaks_up_insists_once() -> None:
    endpointer = Endpointer()
    events = spoken(endpointer, 2.0)
    assert [type(event) for event in events] == [Began, Insisted]
    assert endpointer.push([0.6] * 60) == []


@pytest.mark.parametrize(
    ("progress", "expected_s"),
    [
        ("other", 0.5),
        ("extensible", 0.5),
        ("finished", 0.5 * FINISHED_SHARE),
        ("unfinished", 0.5 + UNFINISHED_S),
        ("unread", 0.5 + READING_S),
    ],
)
def test_how_long_a_silence_must_be_depends_on_what_was_said(progress: Progress, expected_s: float) -> None:
    endpointer = Endpointer(0.5)
    spoken(endpointer)
    endpointer.push([SILENCE] * 6)
    assert endpointer.read(progress) == []
    assert silence_until_the_end(endpointer) + 6 * FRAME_S == pytest.approx(expected_s, abs=FRAME_S)


def test_over_ends_the_utterance_at_once() -> None:
    endpointer = Endpointer()
    spoken(endpointer)
    endpointer.push([SILENCE] * 6)
    (ended,) = endpointer.read("over")
    assert isinstance(ended, Ended)
    assert not endpointer.in_utterance


def test_words_that_are_read_late_end_it_as_soon_as_they_are_there() -> None:
    endpointer = Endpointer(0.5)
    spoken(endpointer)
    endpointer.push([SILENCE] * frames(0.7))
    assert endpointer.in_utterance
    assert [type(event) for event in endpointer.read("extensible")] == [Ended]


def test_what_was_read_before_counts_no_more_once_somebody_goes_on() -> None:
    endpointer = Endpointer(0.5)
    spoken(endpointer)
    endpointer.push([SILENCE] * 8)
    endpointer.read("finished")
    spoken(endpointer)
    endpointer.push([SILENCE] * frames(0.4))
    assert endpointer.in_utterance
    assert endpointer.read("other") == []


def test_talk_without_end_is_cut_off() -> None:
    endpointer = Endpointer()
    events = spoken(endpointer, MAX_SPEECH_S + 1)
    ends = [event for event in events if isinstance(event, Ended)]
    assert len(ends) == 1
    assert ends[0].too_long


def test_an_utterance_that_was_given_up_does_not_end() -> None:
    endpointer = Endpointer()
    spoken(endpointer)
    endpointer.drop()
    assert endpointer.push([SILENCE] * frames(3)) == []


@given(
    st.lists(st.sampled_from([SILENCE, 0.4, 0.6, SPEECH]), max_size=300),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_how_a_stream_was_cut_makes_no_difference(probabilities: list[float], sizes: list[int]) -> None:
    whole, pieces = Endpointer(), Endpointer()
    expected, found, at, turn = whole.push(probabilities), [], 0, 0
    while at < len(probabilities):
        size = sizes[turn % len(sizes)]
        found += pieces.push(probabilities[at : at + size])
        at, turn = at + size, turn + 1
    assert found == expected
