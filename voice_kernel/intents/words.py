"""Speech as words: what was said, cut into the units that templates are matched against.

Knows casing, punctuation, contractions, hyphens, initialisms and number words. It does not know any
template, tool or name of the user's, and no language: what a language calls a number or a mark is in its
`Lexicon`. The text itself is never changed: every word remembers where in it it stands, so that free text
can be handed on in the person's own words and casing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_CHUNK = re.compile(r"\S+")
_OPENING = "\"'“”‘’([{<«¿¡,;:!?…`*"
_CLOSING = "\"'“”‘’,;:!?….`*"
_BRACKETS = {")": "(", "]": "[", "}": "{", ">": "<", "»": "«"}
_INITIALISM = re.compile(r"(?:[a-z]\.)+[a-z]")
_RANGE = re.compile(r"(\d{1,4})[-–—](\d{1,4})")
_HYPHENATED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_GLUED_NUMBER = re.compile(r"([^\W\d_]+)-?(\d{1,4})")
_ORDINAL = re.compile(r"(\d{1,4})([^\W\d_]{1,3})")
_GROUPED = {".": re.compile(r"\d{1,3}(?:,\d{3})+"), ",": re.compile(r"\d{1,3}(?:\.\d{3})+")}
"""Digits in groups of three, by what stands before decimals."""
_DIGITS = re.compile(r"\d{1,6}")
_LONGEST_MARK = 5
"""Words of the longest name of a mark."""


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
    spelled: str = ""
    """The word with its accents, where `text` is without them."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word-level facts of one language; comes from its sentence file."""

    contractions: Mapping[str, tuple[str, ...]]
    """`what's` -> (`what`, `is`)."""
    numbers: Mapping[str, int]
    """Number words from zero; a hundred is 100."""
    letters: Mapping[str, str]
    """Names of letters as they are spelled aloud: `dee` -> `d`."""
    hesitations: frozenset[str] = frozenset()
    """Sounds that are no words: they are not heard at all."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """Letters that may also be written as others: `ü` -> `ue`. Templates and words are compared in these."""
    scales: Mapping[str, int] = field(default_factory=dict)
    """Words that multiply: `hundred` -> 100."""
    number_joins: frozenset[str] = frozenset()
    """Words inside a number: two hundred *and* five."""
    decimal_words: frozenset[str] = frozenset()
    """What stands before decimals, as it is said: two *point* five."""
    decimal_mark: str = "."
    """What stands before decimals, as it is written."""
    negatives: frozenset[str] = frozenset()
    """What makes a number negative."""
    ordinal_endings: frozenset[str] = frozenset()
    """What follows digits of an ordinal: 3rd."""
    numbered: frozenset[str] = frozenset()
    """Nouns that a number in digits may be glued to: cell3."""
    glued: Mapping[str, str] = field(default_factory=dict)
    """How such a noun begins when a number word is glued to it -> the noun: `zell` -> `zelle`."""
    compounds: Mapping[str, str] = field(default_factory=dict)
    """First parts of words that are written as one -> the word that they are by themselves."""
    possessive: str = ""
    """What makes a number a possessive: cell three's output."""
    to: str = "to"
    """The word that a written range stands for: 3-5."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """What a language calls a mark of code -> what `spoken` and `symbols` call it."""
    prose_marks: Mapping[str, str] = field(default_factory=dict)
    """The same for marks of Markdown."""

    def fold(self, text: str) -> str:
        """Return a text in lower case, its letters as `spelling` has them."""
        text = text.lower()
        for letter, plain in self.spelling.items():
            if letter in text:
                text = text.replace(letter, plain)
        return text

    def mark(self, text: str) -> str:
        """Return what a word is as a mark of code, or the word itself."""
        return self.marks.get(text, text)


class GluedNumbers(Mapping[str, int]):
    """Number words of a language that writes them as one: `dreiundzwanzig`, `zweihundertfünf`.

    Args:
        words: the words that all others are made of, tens and `hundert` included.
        glue: what stands between units and tens.
        units: what units are called inside of others, where that differs: `ein` -> 1.
    """

    def __init__(self, words: Mapping[str, int], glue: str, units: Mapping[str, int]) -> None:
        self._words = dict(words)
        self._glue = glue
        self._units = {**{word: value for word, value in words.items() if 0 < value < 10}, **units}
        self._tens = {word: value for word, value in words.items() if 20 <= value < 100 and value % 10 == 0}
        self._scales = sorted(
            ((word, value) for word, value in words.items() if value in (100, 1000)),
            key=lambda scale: -scale[1],
        )
        self._known: dict[str, int | None] = {}

    def __getitem__(self, word: str) -> int:
        value = self._words.get(word)
        if value is None:
            if word not in self._known:
                if len(self._known) > 4096:
                    self._known.clear()
                self._known[word] = self._value(word) if len(word) < 64 else None
            value = self._known[word]
        if value is None:
            raise KeyError(word)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)

    def _value(self, word: str) -> int | None:
        for name, scale in self._scales:
            before, found, after = word.partition(name)
            if not found:
                continue
            times = 1 if not before else self._units.get(before) or self._words.get(before)
            if times is None and scale == 1000:
                times = self._value(before)
            rest = after.removeprefix(self._glue) or after
            more = 0 if not after else self._words.get(rest) or self._value(rest)
            if times is None or more is None or times >= scale or more >= scale:
                return None
            return times * scale + more
        unit, found, ten = word.partition(self._glue)
        if found and unit in self._units and ten in self._tens:
            return self._units[unit] + self._tens[ten]
        return None


def listen(text: str, lexicon: Lexicon) -> tuple[Word, ...]:
    """Return the words of a text, in order.

    Args:
        text: what was said or typed.
        lexicon: the language's word-level facts.
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
        folded = lexicon.fold(core)
        if folded in lexicon.hesitations:
            continue
        parts = _parts(folded, lexicon)
        words.extend(
            Word(
                part,
                start,
                end,
                pause and number == len(parts) - 1,
                core if parts == (folded,) != (core,) else "",
            )
            for number, part in enumerate(parts)
        )
    return tuple(words)


def apart(words: Sequence[Word], lexicon: Lexicon) -> tuple[Word, ...]:
    """Return words with what a language writes as one taken apart: `gesamtumsatz` as `gesamte umsatz`.

    Args:
        words: the words of an utterance.
        lexicon: the language's word-level facts.
    """
    return tuple(part for word in words for part in _apart(word, lexicon))


def _apart(word: Word, lexicon: Lexicon) -> Iterator[Word]:
    core = word.spelled or word.text
    for begin, first in lexicon.compounds.items():
        if not word.text.startswith(begin) or len(word.text) - len(begin) < 3:
            continue
        at = next(at for at in range(len(core)) if lexicon.fold(core[:at]) == begin)
        rest, middle = core[at:], word.start + at
        folded = lexicon.fold(rest)
        yield Word(first, word.start, middle)
        yield Word(folded, middle, word.end, word.pause, rest if rest != folded else "")
        return
    yield word


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
    if ordinal and ordinal.group(2) in lexicon.ordinal_endings:
        return [(at + 1, int(ordinal.group(1)))]
    numbers = lexicon.numbers
    value = numbers.get(text)
    if value is None:
        return []
    found = [(at + 1, value)]
    end = at + 1
    scale = lexicon.scales.get(words[end].text) if end < len(words) else None
    if 0 < value < 100 and scale == 1000:
        found.insert(0, (end + 1, value * 1000))
    if 0 < value < 10 and scale == 100:
        value, end = value * 100, end + 1
        found.insert(0, (end, value))
        rest = end + 1 if end < len(words) and words[end].text in lexicon.number_joins else end
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
    typed = _number_mark(words[at].text, lexicon) if at < len(words) else ""
    if re.fullmatch(r"\d+(?:\.\d+)?", typed):
        end, whole = at + 1, typed
        if "." in typed:
            return end, whole
        value = int(typed)
        scale = lexicon.scales.get(words[end].text, 0) if end < len(words) else 0
        if scale:
            end, whole = end + 1, str(value * scale)
    else:
        end, counted = _counted(words, at, lexicon)
        if end == at:
            return at, ""
        whole = str(counted)
    digits = ""
    last = end + 1
    if end < len(words) and words[end].text in lexicon.decimal_words:
        while last < len(words):
            text = words[last].text
            digit = text if text.isdigit() else str(lexicon.numbers.get(text, ""))
            if not digit or (len(digit) > 1 and digits):
                break
            digits += digit
            last += 1
    return (last, f"{whole}.{digits}") if digits else (end, whole)


def _number_mark(text: str, lexicon: Lexicon) -> str:
    """Return digits as Python writes them: no groups, a point before decimals."""
    if lexicon.decimal_mark == ".":
        return text.replace(",", "")
    if _GROUPED[","].fullmatch(text):
        return text.replace(".", "")
    return text.replace(",", ".") if re.fullmatch(r"\d+,\d+", text) else text


def _counted(words: Sequence[Word], at: int, lexicon: Lexicon) -> tuple[int, int]:
    """Return the whole number that begins at a word, in words, and the index after it."""
    total = group = 0
    end = at
    place = 1_000_000_000_000
    tens = units = True
    while end < len(words):
        text = words[end].text
        joined = text in lexicon.number_joins and end > at and words[end - 1].text in lexicon.scales
        if joined and end + 1 < len(words):
            text = words[end + 1].text
            if lexicon.numbers.get(text, 100) >= 100:
                break
            end += 1
        if text in lexicon.scales:
            scale = lexicon.scales[text]
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
            if value is not None and value >= 100 and end == at:
                total, tens, units = value, False, False  # written as one word
                end += 1
                continue
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


def as_marks(words: Sequence[Word], names: Mapping[str, str]) -> Sequence[Word]:
    """Return words with what a language calls a mark replaced by what `symbols` calls it.

    Args:
        words: the words of a slot or of an utterance.
        names: of the language: `Lexicon.marks` or `Lexicon.prose_marks`.
    """
    if not names:
        return words
    replaced: list[Word] = []
    at = 0
    while at < len(words):
        for count in range(min(_LONGEST_MARK, len(words) - at), 0, -1):
            heard = words[at : at + count]
            name = names.get(" ".join(word.text for word in heard))
            if name is not None and not any(word.pause for word in heard[:-1]):
                start, end = heard[0].start, heard[-1].end
                replaced.extend(Word(part, start, end, heard[-1].pause) for part in name.split())
                at += count
                break
        else:
            replaced.append(words[at])
            at += 1
    return replaced


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
        return _glued(core, lexicon) or (core,)
    if _INITIALISM.fullmatch(core):
        return (core.replace(".", ""),)
    span = _RANGE.fullmatch(core)
    if span:
        return (span.group(1), lexicon.to, span.group(2))
    if _HYPHENATED.fullmatch(core):
        return tuple(core.split("-"))
    glued = _GLUED_NUMBER.fullmatch(core)
    if glued and glued.group(1) in lexicon.numbered:
        return (glued.group(1), glued.group(2))
    if lexicon.possessive and core.removesuffix(lexicon.possessive) in lexicon.numbers:
        return (core.removesuffix(lexicon.possessive),)
    if _GROUPED[lexicon.decimal_mark].fullmatch(core):
        return (_number_mark(core, lexicon),)
    if core.startswith("#") and core[1:].isdigit():
        return (core[1:],)
    return (core,)


def _glued(core: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Return a noun and the number word that a recogniser wrote together with it: `zelldrei`."""
    for short, noun in lexicon.glued.items():
        if core.startswith(short) and core[len(short) :] in lexicon.numbers:
            return (noun, core[len(short) :])
    return ()


def _with_pause(word: Word) -> Word:
    return Word(word.text, word.start, word.end, True, word.spelled)
