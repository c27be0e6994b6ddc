"""What words ask of a server: which of its tools, with which arguments.

"get the current time in Oslo" is `get_current_time(timezone="Europe/Oslo")`. Only simple parameters can be
spoken: texts, numbers, switches, one of several words. What is missing is named, never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from voice_kernel.context import nearest
from voice_kernel.errors import InvalidArguments
from voice_kernel.intents.words import word_set
from voice_kernel.language import _

if TYPE_CHECKING:
    from mcp.types import Tool

LINKS = word_set(
    "in of for from to with at on by about as called named into the a an is it and using set me my please"
)
JOINS = word_set("and to from by with into in for")
ENDS = word_set("with in for to from of at on by using about named") | {","}
"""After these no tool is named any more."""
LEAST, NEAR, CLEAR, MISSING = 0.1, 0.8, 0.05, 0.4
"""Of the fit of a tool: the least there must be, how far others may be below the best to be thought of, how
far the best must be before the next, and what a parameter costs that nothing was said about."""
YES = word_set("yes true on")
NO = word_set("no false off")
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Meant:
    """What the words came to."""

    tool: str
    arguments: dict[str, Any]
    missing: tuple[str, ...] = ()
    """Required parameters that nothing was said about."""


def meant(request: str, tools: Iterable[Tool]) -> Meant:
    """Return which tool words ask for, and its arguments as far as they were said.

    Raises:
        InvalidArguments: no tool is clearly meant.
    """
    words = request.replace(",", " , ").split()
    ranked = _ranked(words, list(tools))
    read = [
        (score - MISSING * len(one.missing), one) for score, one in ((s, _read(words, t)) for s, t in ranked)
    ]
    read.sort(key=lambda one: -one[0])
    unclear = len(read) > 1 and read[0][0] - read[1][0] < CLEAR
    if not read or unclear:
        names = ", ".join(sorted(one.tool for _rank, one in read) or sorted(tool.name for tool in tools)[:20])
        raise InvalidArguments(
            _("It is not clear which tool you mean."),
            hint=_("The tools are: {names}.").format(names=names) if names else "",
        )
    return read[0][1]


def how_to_say(server: str, tool: str, missing: Sequence[str]) -> str:
    """Return an example of a request that leaves nothing out."""
    said = " and ".join(f"{' '.join(_parts(name))} …" for name in missing)
    return f"Say: use {server} to {' '.join(_parts(tool))} with {said}."


# ---- which tool -------------------------------------------------------------------------------------


def _ranked(words: Sequence[str], tools: Sequence[Tool]) -> list[tuple[float, Tool]]:
    """Return the tools that words may mean, each with how well its name and description fit."""
    said = frozenset(_stem(word) for word in words)
    rarity = _rarity([_stems(tool.name) for tool in tools])
    ranked: list[tuple[float, Tool]] = []
    for tool in tools:
        name = _stems(tool.name)
        known = sum(rarity[part] for part in name & said)
        whole = sum(rarity[part] for part in name) or 1.0
        about = _stems(tool.description or "") & said - name
        # Parts of its name count most, and all of it more than half of it; its description settles a tie.
        score = known + known / whole + 0.05 * min(4, len(about))
        if score >= LEAST or len(tools) == 1:
            ranked.append((score, tool))
    ranked.sort(key=lambda one: -one[0])
    return [one for one in ranked if ranked[0][0] - one[0] < NEAR]


def _read(words: Sequence[str], tool: Tool) -> Meant:
    """Return the arguments that words have for a tool."""
    schema = tool.input_schema if isinstance(tool.input_schema, dict) else {}
    parameters = schema.get("properties") or {}
    required = [name for name in schema.get("required") or () if name in parameters]
    rest = _after_name(words, _stems(tool.name))
    given = _named(rest, parameters)
    if not given:
        given = _in_order(rest, required or list(parameters)[:1], parameters)
    return Meant(tool.name, given, tuple(name for name in required if name not in given))


def _after_name(words: Sequence[str], name: frozenset[str]) -> list[str]:
    """Return the words after those that name the tool: what is said twice is said of something else."""
    seen: set[str] = set()
    end = 0
    for at, word in enumerate(words):
        part = _stem(word)
        if part in name and part not in seen:
            seen.add(part)
            end = at + 1
        elif (
            seen and word.lower() in ENDS and not {_stem(one) for one in words[at + 1 : at + 3]} & name - seen
        ):
            break
    return list(words[end:])


def _rarity(names: Sequence[frozenset[str]]) -> dict[str, float]:
    """Return how much each part of a name says: one that all tools share says nearly nothing."""
    parts = {part for name in names for part in name}
    return {part: 0.2 + math.log((1 + len(names)) / sum(part in name for name in names)) for part in parts}


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(part) for part in _parts(text)) - LINKS


def _stem(word: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", word.lower())
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") and not plain.endswith("ss") else plain


def _parts(name: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(name)]


# ---- with which arguments ---------------------------------------------------------------------------


def _named(words: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that follow the names of their parameters: "with a three and b four"."""
    starts: list[tuple[int, int, str]] = []
    at = 0
    while at < len(words):
        found = [(len(_parts(name)), name) for name in parameters if _begins(words[at:], _parts(name))]
        if found:
            length, name = max(found)
            starts.append((at, at + length, name))
            at += length
        else:
            at += 1
    given: dict[str, Any] = {}
    for number, (_at, begin, name) in enumerate(starts):
        end = starts[number + 1][0] if number + 1 < len(starts) else len(words)
        value = _value(_bare(words[begin:end]), name, parameters[name])
        if value is not None:
            given.setdefault(name, value)
    return given


def _begins(words: Sequence[str], name: Sequence[str]) -> bool:
    return bool(name) and [word.lower() for word in words[: len(name)]] == list(name)


def _in_order(words: Sequence[str], names: Sequence[str], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for parameters that were not named: all the words for one, else part by part."""
    bare = _bare(words)
    if not bare or not names:
        return {}
    if len(names) == 1:
        pieces = [bare]
    else:
        pieces, piece = [], list[str]()
        for word in [*bare, ","]:
            if word == "," or word.lower() in JOINS:
                pieces += [piece] if piece else []
                piece = []
            else:
                piece.append(word)
        if len(pieces) > len(names):  # more than there are: nobody can say which is which
            return {}
    values = zip(names, pieces, strict=False)
    found = {name: _value(_bare(piece), name, parameters[name]) for name, piece in values}
    return {name: value for name, value in found.items() if value is not None}


def _bare(words: Sequence[str]) -> list[str]:
    """Return the words without the little ones at both ends."""
    kept = list(words)
    while kept and (kept[0].lower() in LINKS or kept[0] == ","):
        del kept[0]
    while kept and (kept[-1].lower() in ("and", "with", "to") or kept[-1] == ","):
        del kept[-1]
    return kept


def _value(words: Sequence[str], name: str, schema: Any) -> Any:
    """Return words as a parameter wants them; None when they cannot be that."""
    about = schema if isinstance(schema, dict) else {}
    text = " ".join(words).replace(" ,", ",").strip()
    kinds = _kinds(about)
    choices = [one for one in about.get("enum") or () if isinstance(one, str)]
    if choices:
        return nearest(text, choices) if text else None
    if "boolean" in kinds:
        first = words[0].lower() if words else "yes"
        return True if first in YES else False if first in NO else None
    if not text:
        return None
    if kinds & {"integer", "number"}:
        number = _number(words)
        if number is not None:
            return int(number) if number == int(number) else number
        return None if "string" not in kinds else text
    if "array" in kinds:
        return [piece.strip() for piece in re.split(r",| and ", text) if piece.strip()]
    if "object" in kinds:
        return None
    if "timezone" in name.lower().replace("_", ""):
        return _timezone(text)
    return text


def _kinds(about: Mapping[str, Any]) -> set[str]:
    kinds = about.get("type")
    found = {kinds} if isinstance(kinds, str) else set(kinds) if isinstance(kinds, list) else set()
    for one in about.get("anyOf") or ():
        found |= _kinds(one) if isinstance(one, dict) else set()
    return found


def _number(words: Sequence[str]) -> float | None:
    text = "".join(words).replace(",", "")
    try:
        number = float(text)
        return number if math.isfinite(number) else None
    except ValueError:
        pass
    total = 0
    for word in " ".join(words).lower().replace("-", " ").split():
        if word in _TENS:
            total += 10 * _TENS.index(word)
        elif word in _SMALL:
            total += _SMALL.index(word)
        elif word == "hundred":
            total = (total or 1) * 100
        elif word != "and":
            return None
    return float(total)


def _timezone(text: str) -> str:
    """Return the name of a place's time zone: `Europe/Oslo` of Oslo; else the words as they are."""
    from zoneinfo import available_timezones

    zones = sorted(available_timezones(), key=lambda zone: (zone.count("/"), zone))
    known = {zone.rpartition("/")[2].replace("_", " "): zone for zone in reversed(zones) if "/" in zone}
    found = nearest(text.replace("_", " "), known)
    if found is not None:
        return known[found]
    return nearest(text, zones) or text
