"""How a transcript and its calls are scored: word errors, and whether the right thing would be done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: n for n, word in enumerate(_NUMBERS.split())}
NUMBERS |= {word: 20 + 10 * n for n, word in enumerate(_TENS.split())}
_TENS_DIGITS = {str(NUMBERS[word]) for word in _TENS.split()}


def normalise(text: str) -> list[str]:
    """Return the words as they sound: no case, no punctuation, numbers as digits, signs as words."""
    text = text.casefold().replace("’", "'").replace("'", "")
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    text = re.sub(r"(?<=\w)\.(?=\w)", " dot ", text)
    text = re.sub(r"--", " dash dash ", text)
    text = re.sub(r"/", " slash ", text)
    text = re.sub(r":(?=\d)", " colon ", text)
    words: list[str] = []
    for word in re.sub(r"[^\w\s]|_", " ", text).split():
        if word not in NUMBERS:
            words.append(word)
        elif words and words[-1] in _TENS_DIGITS and 0 < NUMBERS[word] < 10:
            words[-1] = str(int(words[-1]) + NUMBERS[word])
        else:
            words.append(str(NUMBERS[word]))
    return words


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Return the least number of words to insert, delete or replace."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row = row, [i]
        for j, other in enumerate(heard, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Return the word errors of (said, heard) texts in proportion to the words that were said."""
    words = wrong = 0
    for said, heard in pairs:
        reference = normalise(said)
        words += len(reference)
        wrong += distance(reference, normalise(heard))
    return wrong / words if words else 0.0


def agrees(expected: Sequence[Any], calls: Sequence[tuple[str, Mapping[str, Any]]]) -> bool:
    """Return whether the calls are the expected ones; only listed arguments count, without case."""
    return len(expected) == len(calls) and all(
        tool == wanted[0]
        and all(str(arguments.get(k)).casefold() == str(v).casefold() for k, v in wanted[1].items())
        for wanted, (tool, arguments) in zip(expected, calls, strict=True)
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies; 0 when there are none."""
    if not values:
        return 0.0
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
