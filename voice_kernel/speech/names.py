"""Sentences in which a name of the context stands where something that sounds like it was heard.

A recogniser prefers words it knows, so of `box_expected` it makes "mark expected", and no list of readings
has the name. Here the names that sound near are put in the place of the words that were heard; which of the
sentences is in the sound, the recogniser is then asked. It does not know the grammar, nor the sound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from voice_kernel import phonemes
from voice_kernel.context import Context
from voice_kernel.speech.transcriber import Expect
from voice_kernel.speech.vocabulary import TERMS, command_prompt

MOST_NAMES = 600
"""Names that are compared, the likeliest first."""
MOST_WORDS = 6
"""Words that one name may have been heard as."""
MOST_HEARD = 14
"""Longer sentences are dictated, and hold no single name."""
FARTHEST = 0.55
"""Unlikeness (see `phonemes`) up to which a name is put in the place of words."""
NEAREST = 6
"""Names that are tried in one place."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What may have been said instead."""

    text: str
    """With the name as it is written in code."""
    sayings: tuple[str, ...]
    """As a recogniser would write it: in words."""
    unlikeness: float
    """How far the whole sentence sounds from what was heard, 0 to 1."""


def names_of(context: Context) -> tuple[str, ...]:
    """Return the names that may be spoken, the likeliest first, at most `MOST_NAMES`."""
    files = [path.rstrip("/").rsplit("/", 1)[-1] for path in context.files]
    variables = [variable.name for variable in reversed(context.variables)]
    groups = (context.words, variables[:250], context.columns[:250], context.servers, files, context.tests)
    named = dict.fromkeys(name for group in groups for name in group if 1 < len(name) <= 40)
    return tuple(name for name in named if not name.startswith("_"))[:MOST_NAMES]


def hint(context: Context, expect: Expect, language: str, most_chars: int) -> str:
    """Return what a server is told to expect, as text that might have been said before.

    Args:
        context: the names that may be spoken.
        expect: what kind of speech this is; dictation is not bent towards anything.
        language: what is spoken. Where there are no sentences of commands in it, the names stand alone.
        most_chars: how long it may be.
    """
    if expect != "command":
        return ""
    if prompt := command_prompt(context, lambda text: len(text) <= most_chars, language):
        return prompt
    chosen = ""
    for name in names_of(context):
        if len(chosen) + len(name) + 2 > most_chars:
            break
        chosen = f"{chosen}, {name}" if chosen else name
    return chosen


def sentences(readings: Sequence[str], context: Context) -> list[Sentence]:
    """Return sentences with names in the place of words that sound like them, the nearest first.

    Args:
        readings: what was heard, several ways; the first word of each is a verb and stays.
        context: where the names are from.
    """
    names = _names(names_of(context))
    best: dict[str, Sentence] = {}
    near: dict[str, list[tuple[float, str]]] = {}
    for reading in readings:
        words = reading.rstrip(" .!?,").split()
        if len(words) > MOST_HEARD:
            continue
        length = max(6, len(phonemes.text(reading)))
        for start in range(1, len(words)):
            for end in range(start + 1, min(len(words), start + MOST_WORDS) + 1):
                span = " ".join(words[start:end])
                if all(part in TERMS for part in re.findall(r"[a-z]+", span.lower())):
                    continue  # a word of the trade was said as it stands
                heard = phonemes.text(span)
                if heard not in near:
                    near[heard] = names.near(heard, limit=NEAREST) if len(heard) > 1 else []
                for score, name in near[heard]:
                    if score > FARTHEST:
                        break
                    whole = score * max(len(heard), 1) / length
                    text = _with(words, start, end, name)
                    if text not in best or whole < best[text].unlikeness:
                        sayings = tuple(_with(words, start, end, said) for said in phonemes.written(name))
                        best[text] = Sentence(text, sayings, whole)
    return sorted(best.values(), key=lambda sentence: sentence.unlikeness)


def _with(words: Sequence[str], start: int, end: int, name: str) -> str:
    return re.sub(r"\s+", " ", " ".join((*words[:start], name, *words[end:]))) + "."


@lru_cache(maxsize=4)
def _names(names: tuple[str, ...]) -> phonemes.Names:
    return phonemes.Names(names)
