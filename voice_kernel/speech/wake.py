"""The wake phrase: a small model for the phrases that have one, and the recogniser's text for any other.

`WakeModel` hears one of `BUNDLED` in the sound itself; `after_phrase` finds any phrase at the beginning of
what the recogniser wrote, however it spelled it. It does not know microphones, nor what follows.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from voice_kernel.context import sound, squash
from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _

BUNDLED = {
    "hey jarvis": "HEY_JARVIS",
    "okay nabu": "OKAY_NABU",
    "ok nabu": "OKAY_NABU",
    "alexa": "ALEXA",
    "hey mycroft": "HEY_MYCROFT",
}
"""Phrases that pymicro-wakeword brings a model for."""

NEAR = 78.0
"""Least likeness, from 0 to 100, in letters or in sound, of what was written for a phrase of words."""
TELLING = 80.0
"""Least likeness in letters of its longest word, unless it sounds the same."""
SURE = 95.0
"""The same, for a phrase of a single word: "compute" is not "computer"."""
HESITATIONS = frozenset(
    ("um", "uh", "er", "so", "and", "oh", "okay", "ok", "well", "äh", "ähm", "öh", "also", "und", "na")
)
"""What may be said before it, in the languages that are understood."""

_FRAME_BYTES = 320  # 10 ms at 16 kHz: what the features want to be given


def has_model(phrase: str) -> bool:
    """Return whether a phrase is one of `BUNDLED`, and the library that knows it is installed."""
    from importlib.util import find_spec

    return plain(phrase) in BUNDLED and find_spec("pymicro_wakeword") is not None


def plain(phrase: str) -> str:
    """Return a phrase as it is compared: small letters, single spaces, no marks."""
    return " ".join(re.sub(r"[^\w\s']", " ", phrase.casefold()).split())


def after_phrase(text: str, phrase: str) -> str | None:
    """Return what was said after the wake phrase, or None when the text does not begin with it.

    What sounds like it counts ("Hey Jupiter, ..." for "hey jupyter"), and so may a hesitation before it.

    Args:
        text: what was heard.
        phrase: the wake phrase.
    """
    wanted = plain(phrase)
    spans = [match.span() for match in re.finditer(r"[\w']+", text)]
    words = [plain(text[start:end]) for start, end in spans]
    if not wanted or not words:
        return None
    first = 0
    while first < len(words) - 1 and words[first] in HESITATIONS and words[first] != wanted.split()[0]:
        first += 1
    count = len(wanted.split())
    best, best_end = 0.0, 0
    for start in {0, first}:
        for length in range(max(1, count - 1), count + 2):
            if start + length > len(words):
                break
            likeness = _likeness(" ".join(words[start : start + length]), wanted)
            if likeness > best:
                best, best_end = likeness, start + length
    if best < (NEAR if count > 1 else SURE):
        return None
    if not _telling_word_said(words[:best_end], max(wanted.split(), key=len)):
        return None  # "hey you better" has the letters of "hey jupyter", and no word of it
    return text[spans[best_end - 1][1] :].lstrip(" ,.!?;:–-")


def _likeness(said: str, wanted: str) -> float:
    from rapidfuzz import fuzz

    letters = fuzz.ratio(squash(said), squash(wanted))
    return max(float(letters), 0.95 * float(fuzz.ratio(_sounds(said), _sounds(wanted))))


def _telling_word_said(words: list[str], telling: str) -> bool:
    from rapidfuzz import fuzz

    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    return any(
        _sounds(said) == _sounds(telling) or fuzz.ratio(squash(said), squash(telling)) >= TELLING
        for said in [*words, *pairs]
    )


def _sounds(words: str) -> str:
    return "".join(sound(word) for word in words.split())


class WakeModel:
    """Listens for one of `BUNDLED` in a stream. Used by one thread at a time.

    Args:
        phrase: the wake phrase.

    Raises:
        EngineUnavailable: pymicro-wakeword is not installed, or has no model for the phrase.
    """

    def __init__(self, phrase: str) -> None:
        try:
            import pymicro_wakeword
        except ImportError as error:
            raise EngineUnavailable(
                _("The models of wake phrases are not installed."),
                hint=_('Run: pip install "voice-kernel[wake]"'),
            ) from error
        name = BUNDLED.get(plain(phrase))
        if name is None:
            raise EngineUnavailable(
                _("There is no model for the wake phrase {phrase!r}.").format(phrase=phrase),
                hint=_("There are: {bundled}.").format(bundled=", ".join(BUNDLED)),
            )
        self._model: Any = pymicro_wakeword.MicroWakeWord.from_builtin(getattr(pymicro_wakeword.Model, name))
        self._features: Any = pymicro_wakeword.MicroWakeWordFeatures()
        self._rest = b""

    def heard(self, pcm: bytes) -> bool:
        """Listen to more 16 kHz PCM; return whether the phrase has just ended."""
        pcm = self._rest + pcm
        whole = len(pcm) // _FRAME_BYTES * _FRAME_BYTES
        self._rest = pcm[whole:]
        found = False
        for at in range(0, whole, _FRAME_BYTES):
            for features in self._features.process_streaming(pcm[at : at + _FRAME_BYTES]):
                found = bool(self._model.process_streaming(features)) or found
        return found
