"""What exists around the user right now, as one frozen value.

Knows names: variables and their columns, files, tests, servers, cells and tasks. It does not know
how they were found (app wires a `ContextSource`) nor what is done with them (intents resolve slots
against it, speech biases recognition with its vocabulary).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from voice_kernel import phonemes

VOCABULARY_LIMIT = 80
"""Names offered to a recogniser; a longer prompt costs time and starts to invent words."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One name of the user's namespace, described without running user code."""

    name: str
    type_name: str
    """Unqualified type name, e.g. `DataFrame`, `int`, `function`, `module`."""
    shape: tuple[int, ...] | None = None
    """Array or table shape, or (len,) of a built-in container; None where there is none."""
    columns: tuple[str, ...] = ()
    """Column names of a table, at most 200."""
    preview: str = ""
    """A short safe text for built-in scalars and strings (at most 80 characters), else empty."""
    library: str = ""
    """The package a table or array comes from, e.g. `pandas`; empty for everything else."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a spoken name can refer to. Empty by default: parsing works with nothing known."""

    variables: tuple[Variable, ...] = ()
    """Most recently assigned last."""
    files: tuple[str, ...] = ()
    """Paths below the working directory, with `/`; folders end in `/`. Capped by the source."""
    tests: tuple[str, ...] = ()
    """Names of test functions and classes found below the working directory, without parameters."""
    servers: tuple[str, ...] = ()
    """Names of the configured MCP servers."""
    headings: tuple[str, ...] = ()
    """Markdown headings of the notebook."""
    cell_count: int = 0
    """Number of cells of the active notebook; 0 when unknown."""
    tasks: tuple[int, ...] = ()
    """Numbers of the known tasks, oldest first."""
    words: tuple[str, ...] = ()
    """The user's own vocabulary list (setting `vocabulary`)."""
    called: str = ""
    """What is said before a command to call the assistant (the wake phrase), where something is."""
    page_open: bool = False
    """Whether the browser shows a page, or is about to."""
    complete: bool = False
    """Whether what is not in here does not exist; without a session nobody knows."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names of all tables, each once, newest table first."""
        seen: dict[str, None] = {}
        for variable in reversed(self.variables):
            for column in variable.columns:
                seen.setdefault(column)
        return tuple(seen)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Names the recogniser should expect, the likeliest first, at most `VOCABULARY_LIMIT`.

        The user's own words come first, then what was touched last: tables' columns and variables,
        servers, folders and files, tests, headings.
        """
        seen: dict[str, None] = {}
        variables = [variable.name for variable in reversed(self.variables)]
        stems = [path.rstrip("/").rsplit("/", 1)[-1] for path in self.files]
        groups: tuple[Iterable[str], ...] = (
            self.words, self.columns[:30], variables[:40], self.servers, stems[:40], self.tests[:40],
            self.headings,
        )  # fmt: skip
        for group in groups:
            for name in group:
                if name and not name.startswith("_") and len(name) <= 40:
                    seen.setdefault(name)
        return tuple(seen)[:VOCABULARY_LIMIT]


# ---- names by ear ---------------------------------------------------------------------------------

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SQUASHED = re.compile(r"[^a-z0-9]+")
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(?:kn|gn|pn)", "n"), (r"^wr", "r"), (r"^wh", "w"), (r"^x", "s"), (r"^ps", "s"),
        (r"tch", "S"), (r"sch", "S"), (r"ch|sh", "S"), (r"[ts]i(?=o|a)", "S"), (r"ph", "f"), (r"gh(?=t)", ""),
        (r"ough$", "f"), (r"gh$", ""), (r"th", "t"), (r"dge", "j"), (r"g(?=[eiy])", "j"), (r"ck", "k"),
        (r"qu", "kw"), (r"x", "ks"), (r"c(?=[eiy])", "s"), (r"c", "k"), (r"mb$", "m"),
        (r"(?<=[^aeiouyszx])es$", "s"), (r"le$", "al"), (r"(?<=[^aeiouy])e$", ""),
        (r"(?<=[aeiouy])[hw](?![aeiouy])", ""), (r"[aeiouy]+", "a"),
        (r"[pb]", "p"), (r"[td]", "t"), (r"[kgq]", "k"), (r"[fv]", "f"), (r"[szj]", "s"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
"""Spelling to sound, in this order. Voiced and voiceless consonants and all vowels fall together: they
are what a recogniser confuses (cell/sell/sale, plot/blot, save/safe). After Philips' Metaphone."""


def squash(name: str) -> str:
    """Return a name without case, spaces and marks: `Sales_Data` and `sales data` are the same.

    Letters with marks are written without: `Umsätze` is `umsaetze`, `café` is `cafe`.
    """
    name = name.lower()
    if not name.isascii():
        name = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(_TWO_LETTERS))
    return _SQUASHED.sub("", name)


@lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """Return how an English word sounds, coarsely: `cell`, `sell` and `sale` are the same."""
    text = squash(word)
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return text


def _sounds(name: str) -> str:
    """Return how a name of several words sounds: `sales_data`, `salesData` and "sails data" are the same."""
    return "".join(sound(part) for part in _PARTS.findall(name))


def nearest(said: str, names: Iterable[str], *, cutoff: float = 84.0) -> str | None:
    """Return the name that was most probably meant, or None when no name is clearly the nearest.

    Exactly the same letters win, then the same sound, then the nearest sound, then the most similar
    spelling.

    Args:
        said: the name as it was spoken or written down by a recogniser.
        names: candidates, the likeliest first.
        cutoff: least similarity of spelling, 0 to 100.
    """
    wanted = squash(said)
    if not wanted:
        return None
    candidates = list(dict.fromkeys(names))
    squashed = [squash(name) for name in candidates]
    for name, letters in zip(candidates, squashed, strict=True):
        if letters == wanted:
            return name
    if not candidates:
        return None
    if len(wanted) < 4:  # too short to guess: df, dx and ds are different things
        return _by_ear(said, candidates, most=SAME_SOUND)
    heard = _sounds(said)
    alike = [name for name in candidates if _sounds(name) == heard]
    if len(alike) == 1 and len(heard) >= 3:
        return alike[0]
    by_ear = _by_ear(said, candidates)
    if by_ear is not None:
        return by_ear
    from rapidfuzz import fuzz, process

    ranked = process.extract(wanted, squashed, scorer=fuzz.ratio, limit=2, score_cutoff=cutoff)
    if not ranked or (len(ranked) == 2 and ranked[0][1] - ranked[1][1] < 4):
        return None
    return candidates[ranked[0][2]]


SAME_SOUND, NEAR_SOUND = 0.05, 0.2
"""Unlikeness (see `phonemes`) up to which names sound the same, and up to which one is heard for another."""
CLEARLY = 0.08
"""By how much the nearest name must be nearer than the next."""


def _by_ear(said: str, names: Sequence[str], *, most: float = NEAR_SOUND) -> str | None:
    """Return the name that sounds most like what was said, or None when none is clearly the nearest."""
    best: dict[str, float] = {}
    for heard in dict.fromkeys((phonemes.text(said), *phonemes.forms(said))):
        if len(heard) < 2:
            continue
        for score, name in phonemes.ranked(heard, names):
            best[name] = min(score, best.get(name, 1.0))
    found = sorted((score, number, name) for number, (name, score) in enumerate(best.items()))
    if not found or found[0][0] > most:
        return None
    if len(found) > 1 and found[1][0] - found[0][0] < CLEARLY:
        return None
    return found[0][2]
