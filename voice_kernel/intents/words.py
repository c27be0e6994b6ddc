"""Speech as words: what was said, cut into the units that templates are matched against.

Knows casing, punctuation, contractions, hyphens, initialisms and number words. It does not know any
template, tool or name of the user's. The text itself is never changed: every word remembers where in
it it stands, so that free text can be handed on in the person's own words and casing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_CHUNK = re.compile(r"\S+")
_OPENING = "\"'“”‘’([{<«¿¡,;:!?…`*"
_CLOSING = "\"'“”‘’,;:!?….`*"
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<", "»": "«"}
_INITIALISM = re.compile(r"(?:[a-z]\.)+[a-z]")
_RANGE = re.compile(r"(\d{1,4})[-–—](\d{1,4})")
_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_GLUED_NUMBER = re.compile(r"(cells?|tasks?|tabs?)(\d{1,4})")
_ORDINAL = re.compile(r"(\d{1,4})(?:st|nd|rd|th)")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_DIGITS = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Word:
    """One word as templates see it, and the place in the text it came from."""

    text: str
    """Lower case, without surrounding punctuation."""
    start: int
    end: int
    """The word's span in the text, surrounding punctuation left out."""
    pause: bool = False
    """Whether a comma, a full stop or the like follows."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word-level facts of one language; comes from its sentence file."""

    contractions: Mapping[str, tuple[str, ...]]
    """`what's` -> (`what`, `is`)."""
    numbers: Mapping[str, int]
    """Number words from zero, ordinals included; `hundred` is 100."""
    letters: Mapping[str, str]
    """Names of letters as they are spelled aloud: `dee` -> `d`."""
    hesitations: frozenset[str] = frozenset()
    """Sounds that are no words: they are not heard at all."""


def listen(text: str, lexicon: Lexicon) -> tuple[Word, ...]:
    """Return the words of a text, in order.

    Args:
        text: what was said or typed.
        lexicon: contractions of the language.
    """
    words: list[Word] = []
    for chunk in _CHUNK.finditer(text):
        start, end = chunk.span()
        start, end = _strip(text, start, end)
        if start == end:
            if words and chunk.group().strip("-–—") == "":
                words[-1] = _with_pause(words[-1])
            continue
        pause = any(mark in ",;.!?…:" for mark in text[end : chunk.end()])
        core = unicodedata.normalize("NFKC", text[start:end]).replace("’", "'").replace("‘", "'").lower()
        if core in lexicon.hesitations:
            continue
        parts = _parts(core, lexicon)
        words.extend(
            Word(part, start, end, pause and number == len(parts) - 1) for number, part in enumerate(parts)
        )
    return tuple(words)


def number_at(words: Sequence[Word], at: int, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Return the numbers that begin at a word, longest first.

    Returns:
        pairs of (index after the number, value); ordinals count as their number.
    """
    if at >= len(words):
        return []
    text = words[at].text
    if _DIGITS.fullmatch(text):
        return [(at + 1, int(text))]
    ordinal = _ORDINAL.fullmatch(text)
    if ordinal:
        return [(at + 1, int(ordinal.group(1)))]
    numbers = lexicon.numbers
    value = numbers.get(text)
    if value is None:
        return []
    found = [(at + 1, value)]
    end = at + 1
    if 0 < value < 100 and end < len(words) and words[end].text == "thousand":
        found.insert(0, (end + 1, value * 1000))
    if 0 < value < 10 and end < len(words) and words[end].text == "hundred":
        value, end = value * 100, end + 1
        found.insert(0, (end, value))
        rest = end + 1 if end < len(words) and words[end].text == "and" else end
        tail = numbers.get(words[rest].text) if rest < len(words) else None
        if tail is not None and tail < 100:
            value, end = value + tail, rest + 1
            found.insert(0, (end, value))
    if value % 100 >= 20 and value % 10 == 0 and end < len(words):
        unit = numbers.get(words[end].text)
        if unit is not None and 0 < unit < 10:
            found.insert(0, (end + 1, value + unit))
    return found


def cardinal_at(words: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[int, str]:
    """Return the longest number that begins at a word, as it would be typed.

    Of any size, with decimals: "two thousand five hundred", "minus" left out, "zero point zero one".

    Returns:
        The index after it, `at` itself when there is none, and the number.
    """
    typed = words[at].text.replace(",", "") if at < len(words) else ""
    if re.fullmatch(r"\d+(?:\.\d+)?", typed):
        end, whole = at + 1, typed
        if "." in typed:
            return end, whole
        value = int(typed)
        scale = _SCALES.get(words[end].text, 0) if end < len(words) else 0
        if scale:
            end, whole = end + 1, str(value * scale)
    else:
        end, counted = _counted(words, at, lexicon)
        if end == at:
            return at, ""
        whole = str(counted)
    digits = ""
    last = end + 1
    if end < len(words) and words[end].text == "point":
        while last < len(words):
            text = words[last].text
            digit = text if text.isdigit() else str(lexicon.numbers.get(text, ""))
            if not digit or (len(digit) > 1 and digits):
                break
            digits += digit
            last += 1
    return (last, f"{whole}.{digits}") if digits else (end, whole)


_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def _counted(words: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[int, int]:
    """Return the whole number that begins at a word, in words, and the index after it."""
    total = group = 0
    end = at
    place = 1_000_000_000_000
    tens = units = True
    while end < len(words):
        text = words[end].text
        if text == "and" and end > at and words[end - 1].text in _SCALES and end + 1 < len(words):
            text = words[end + 1].text
            if lexicon.numbers.get(text, 100) >= 100:
                break
            end += 1
        if text in _SCALES:
            scale = _SCALES[text]
            if scale == 100:
                if group >= 10:
                    break
                group = (group or 1) * 100
                tens = units = True
            elif scale < place and (group or end == at):
                total += (group or 1) * scale
                group, place = 0, scale
                tens = units = True
            else:
                break
        else:
            value = lexicon.numbers.get(text)
            if value is None or value >= 100:
                break
            if value >= 20 and value % 10 == 0:
                if not tens:
                    break
                tens = False
            elif value >= 10 or value == 0:
                if not (tens and units):
                    break
                tens = units = False
            else:
                if not units:
                    break
                tens = units = False
            group += value
        end += 1
    return end, total + group


def said(text: str, words: Sequence[Word]) -> str:
    """Return the person's own words for a run of words, inner punctuation and casing kept."""
    return text[words[0].start : words[-1].end] if words else ""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _OPENING:
        start += 1
    while end > start:
        mark = text[end - 1]
        opening = _BRACKETS.get(mark)
        unbalanced = opening is not None and text.count(opening, start, end) < text.count(mark, start, end)
        if mark not in _CLOSING and not unbalanced:
            break
        end -= 1
    if text[start:end].strip("-–—_") == "":
        return start, start
    return start, end


def _parts(core: str, lexicon: Lexicon) -> tuple[str, ...]:
    known = lexicon.contractions.get(core)
    if known is not None:
        return known
    if core.isalpha():
        return (core,)
    if _INITIALISM.fullmatch(core):
        return (core.replace(".", ""),)
    span = _RANGE.fullmatch(core)
    if span:
        return (span.group(1), "to", span.group(2))
    if _HYPHENATED.fullmatch(core):
        return tuple(core.split("-"))
    glued = _GLUED_NUMBER.fullmatch(core)
    if glued:
        return (glued.group(1), glued.group(2))
    if core.endswith("'s") and core[:-2] in lexicon.numbers:
        return (core[:-2],)  # "cell three's output"
    if _GROUPED.fullmatch(core):
        return (core.replace(",", ""),)
    if core.startswith("#") and core[1:].isdigit():
        return (core[1:],)
    return (core,)


def _with_pause(word: Word) -> Word:
    return Word(word.text, word.start, word.end, True)
