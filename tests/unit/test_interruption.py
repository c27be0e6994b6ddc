"""A spoken answer that somebody may be talking into: held, then ended or let go on."""

from __future__ import annotations

import pytest

from voice_kernel.interruption import MAX_HELD_S, NOBODY_S, Interruption
from voice_kernel.speech.frames import FRAME_S

PAGE = "page"


class Mouth:
    """Says one thing, and does as it is told."""

    def __init__(self) -> None:
        self.saying = "Twelve passed, one failed."
        self.is_held = False
        self.deeds: list[str] = []

    def stop(self, surface_id: str = "") -> bool:
        self.deeds.append("stop")
        self.saying, self.is_held = "", False
        return True

    def hold(self, surface_id: str) -> None:
        self.deeds.append("hold")
        self.is_held = True

    def held(self, surface_id: str) -> bool:
        return self.is_held and surface_id == PAGE

    def go_on(self, surface_id: str) -> None:
        if self.is_held:
            self.deeds.append("go on")
        self.is_held = False


@pytest.fixture
def mouth() -> Mouth:
    return Mouth()


@pytest.fixture
def interruption(mouth: Mouth) -> Interruption:
    return Interruption(mouth, PAGE)


def hear(
    interruption: Interruption, seconds: float, *, speech: bool = False, undecided: bool = False
) -> None:
    """Let sound pass, a frame at a time."""
    for _ in range(round(seconds / FRAME_S)):
        interruption.arrived(FRAME_S)
        interruption.looked([0.9 if speech else 0.01], undecided=undecided)


def test_whoever_goes_on_talking_while_it_is_held_ends_the_answer(
    mouth: Mouth, interruption: Interruption
) -> None:
    hear(interruption, 0.2, speech=True, undecided=True)
    mouth.is_held = True  # the page was quicker
    hear(interruption, 0.5, speech=True, undecided=True)
    assert mouth.deeds == ["stop"]


def test_what_was_no_speech_lets_the_answer_go_on_within_half_a_second(
    mouth: Mouth, interruption: Interruption
) -> None:
    mouth.is_held = True
    hear(interruption, NOBODY_S + 3 * FRAME_S)
    assert mouth.deeds == ["go on"]
    assert NOBODY_S < 0.5


def test_an_echo_ends_with_the_answer_and_ends_it_not(mouth: Mouth, interruption: Interruption) -> None:
    interruption.insisted()
    hear(interruption, 0.2, speech=True, undecided=True)  # on its way when the answer was held
    hear(interruption, 0.6, undecided=True)
    assert mouth.deeds == ["hold"]  # perhaps a short word: it is being read
    hear(interruption, 0.1)  # it was not
    assert mouth.deeds == ["hold", "go on"]


def test_no_answer_is_held_for_long_however_long_the_reading_takes(
    mouth: Mouth, interruption: Interruption
) -> None:
    interruption.insisted()
    hear(interruption, MAX_HELD_S + 0.2, undecided=True)
    assert mouth.deeds == ["hold", "go on"]


def test_a_microphone_that_hears_us_holds_nothing_by_itself_any_more(
    mouth: Mouth, interruption: Interruption
) -> None:
    interruption.echoed()
    interruption.insisted()
    assert mouth.deeds == []
    mouth.is_held = True  # what the page finds above its own sound still counts
    hear(interruption, 0.6, speech=True, undecided=True)
    assert mouth.deeds == ["stop"]


def test_a_microphone_that_is_closed_lets_the_answer_go_on(mouth: Mouth, interruption: Interruption) -> None:
    interruption.insisted()
    interruption.close()
    assert mouth.deeds == ["hold", "go on"]
