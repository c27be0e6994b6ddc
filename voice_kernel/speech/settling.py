"""Partial texts that do not flicker: words that two readings in a row agree on stay as they are.

Source: LocalAgreement-2 (Macháček, Dabre, Bojar: "Turning Whisper into Real-Time Transcription System",
2023). It does not know engines, nor the final text, which replaces whatever was shown. Standard library only.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Shown(NamedTuple):
    """A partial text."""

    text: str
    settled: int
    """Its first so many characters will not change while more is said."""


class Settling:
    """The partial texts of one utterance."""

    def __init__(self) -> None:
        self._settled: list[str] = []
        self._before: list[str] = []

    def next(self, reading: str) -> Shown:
        """Take the next reading; return what to show now."""
        words = reading.split()
        agreed = 0
        for old, new in zip(self._before, words, strict=False):
            if _key(old) != _key(new):
                break
            agreed += 1
        # The newest word is often cut in two by the end of the sound: it is never settled.
        agreed = min(agreed, len(words) - 1, len(self._before) - 1)
        if agreed > len(self._settled):
            self._settled += words[len(self._settled) : agreed]
        self._before = words
        text = " ".join([*self._settled, *words[len(self._settled) :]])
        return Shown(text, len(" ".join(self._settled)))


def _key(word: str) -> str:
    return re.sub(r"\W", "", word).casefold()
