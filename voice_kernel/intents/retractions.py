"""What a speaker takes back before the sentence is over: "run cell two, no, cell four".

Proposes what the utterance would have been without the slip; whether that is a command is for the grammar
to say. It knows the language's words of taking back, and no template, tool or name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from voice_kernel.intents.words import Lexicon, Word, number_at

LONGEST = 30
"""Words of an utterance that is looked at; a longer one is talk."""
MOST_PLACES = 3
"""Second thoughts of one utterance that are looked at, the last first."""
MOST_CUT = 8
"""Words of what was said first that a second thought can replace, short of all of them."""
MOST_TRIED = 4
"""Ways to put the two halves together that are looked at, the likeliest first."""


class Retractions:
    """Finds a second thought in the middle of an utterance.

    Args:
        phrases: what is said to take back what came before it: "no", "sorry", "I mean".
        lexicon: the language's numbers.
    """

    def __init__(self, phrases: Iterable[str], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._phrases = frozenset(tuple(lexicon.fold(phrase).split()) for phrase in phrases)
        self._longest = max((len(phrase) for phrase in self._phrases), default=0)

    def revised(self, text: str, words: Sequence[Word]) -> Iterator[tuple[str, str, int]]:
        """Yield (what was said first, what was meant in all, how many words of the first it replaces).

        The likeliest comes first: what is replaced looks like what replaces it. "Delete cell three, I mean
        cell five" replaces "cell three", "open a dot com, sorry, b dot com" all three words.
        """
        if len(words) > LONGEST:
            return
        for start, end in islice(self._places(words), MOST_PLACES):
            first = text[: words[start - 1].end]
            second = text[words[end].start :]
            before, after = words[:start], words[end:]
            cuts = sorted(
                {*range(1, min(MOST_CUT, start) + 1), start},
                key=lambda cut: (-self._likeness(before[-cut:], after), cut),
            )
            for cut in cuts[:MOST_TRIED]:
                kept = text[: before[-cut].start]
                yield first, kept + second, cut

    def _places(self, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
        """Yield where something is taken back: the first word of it and the one after it, the last first."""
        for start in range(len(words) - 2, 0, -1):
            for count in range(min(self._longest, len(words) - 1 - start), 0, -1):
                end = start + count
                if tuple(word.text for word in words[start:end]) not in self._phrases:
                    continue
                if tuple(word.text for word in words[end:]) in self._phrases:
                    break  # nothing is put in its place: "no, wait"
                if start > 1 and (words[start - 1].text,) in self._phrases:
                    break  # the phrase began earlier: "no, wait"
                yield start, end
                break

    def _likeness(self, replaced: Sequence[Word], meant: Sequence[Word]) -> int:
        """Return how many words of two runs are of a kind, place by place."""
        alike = 0
        for old, new in zip(replaced, meant, strict=False):
            if old.text == new.text:
                alike += 2
            elif self._is_number(old) and self._is_number(new):
                alike += 1
        return alike

    def _is_number(self, word: Word) -> bool:
        return bool(number_at((word,), 0, self._lexicon))
