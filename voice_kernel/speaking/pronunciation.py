"""Names, paths, numbers and symbols as a person would say them.

A voice reads `test_login` letter by letter or not at all, and nobody wants to hear a path, an address in
memory or sixteen digits. What is left out is on the screen. Knows words and symbols; nothing of tasks.
"""

from __future__ import annotations

import re
import unicodedata

from voice_kernel.speaking.phrases import ENGLISH, Phrases

EXACT_BELOW = 100_000
"""Whole numbers below it are said as they are."""
MAX_WORD_CHARS = 60
"""What is longer is no word."""

_ANSI = re.compile(r"\x1b\[[\d;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CALL = re.compile(r"[\w.]*\w\((?:[^()]|\([^()]*\))*\)(?:\.\w+\b)*")
_BRACKETS = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}|<[^<>\s][^<>]*>")
_NUMBER = re.compile(r"[-−+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?$")
_NUMBER_UNIT = re.compile(r"([-−+]?[\d.,]*\d)(%|[A-Za-z]{1,3})$")
_URL = re.compile(r"\w+://(?:[^/\s@]*@)?(?:www\.)?([^/\s:?#]+)\S*")
_HASH = re.compile(r"(?:0x[0-9a-fA-F]+|(?=[0-9a-f-]*\d)(?=[0-9a-f-]*[a-f])[0-9a-f-]{8,})$")
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*$|\.?\w+(?:[-.]\w+)+$")
_OPENING = "([{<«„“\"'‘`"
_CLOSING = ")]}>»“”\"'’`"
_ENDING = ".,;:!?…"
_SMALL = 0.001
_LINE = re.compile(r"(.*\.[A-Za-z]\w*):(\d+)$")
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)(?::\d+)?$")
_ALTERNATIVES = frozenset({"and/or", "yes/no", "on/off", "true/false", "input/output", "und/oder", "ja/nein"})
"""A slash that is no path."""
_PAIR = re.compile(r"(\d+)([/–-])(\d+)$")


def pronounced(text: str, phrases: Phrases = ENGLISH) -> str:
    """Return a text of one or more sentences as it should be read aloud.

    Calls and literals of code, ids and addresses in memory are left out; paths and addresses of the web are
    shortened to what names them; numbers are rounded.
    """
    text = _ANSI.sub("", text).replace("\u202f", "")  # between the thousands of a number
    text = _URL.sub(lambda found: _dotted(found.group(1), phrases), text)
    text = _CALL.sub(" \x00 ", text)
    for _ in range(3):  # nested brackets, from the inside
        text = _BRACKETS.sub(" \x00 ", text)
    words: list[str] = []
    for word in text.split():
        if word == "\x00":
            _leave_out(words, phrases)
            continue
        core, after = _parted(word.replace("\x00", ""))
        said = _said(core, words, phrases)
        if said == "" and core:
            _leave_out(words, phrases)
        ending = "".join(sign for sign in after if sign in _ENDING).replace("…", ",")
        if said:
            words.append(said + ending)
        elif ending and words:
            words[-1] = words[-1].rstrip(_ENDING) + ending
    return _tidied(" ".join(words))


def number_said(value: float, phrases: Phrases = ENGLISH) -> str:
    """Return a number as it is said: 0.8734 is "0.87", 1,234,567 is "about 1.2 million"."""
    if value < 0:
        return phrases.minus.format(number_said(-value, phrases))
    if value != value or value == float("inf"):
        return str(value)
    if value >= 1e15 or 0 < value < _SMALL:
        mantissa, _, power = f"{value:.1e}".partition("e")
        shown = mantissa.rstrip("0").rstrip(".").replace(".", phrases.decimal)
        exponent = int(power)
        said = phrases.minus.format(-exponent) if exponent < 0 else str(exponent)
        return phrases.power.format(shown, said)
    for floor, name in ((1e9, phrases.billion), (1e6, phrases.million)):
        if value >= floor * 0.99995:
            shown = f"{value / floor:.1f}".removesuffix(".0").replace(".", phrases.decimal)
            said = name.format(shown)
            return said if value == floor * float(f"{value / floor:.1f}") else phrases.about.format(said)
    if value >= EXACT_BELOW:
        said = phrases.thousand.format(round(value / 1_000))
        return said if value % 1_000 == 0 else phrases.about.format(said)
    if value == int(value) or value >= 1_000:
        return str(round(value))
    shown = f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
    if "e" in shown:
        shown = f"{value:.4f}"
    if value >= 100:
        shown = f"{value:.0f}"
    elif value >= 10:
        shown = f"{value:.1f}"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace(".", phrases.decimal)


def name_said(name: str, phrases: Phrases = ENGLISH) -> str:
    """Return a name of code as words: `test_login` is "test login", `prices.csv` is "prices dot csv"."""
    return _dotted(name.rpartition("::")[2].strip("\"'`"), phrases)


def _said(core: str, words: list[str], phrases: Phrases) -> str:
    """Return one token as it is said; empty when it is left out."""
    if not core:
        return ""
    if core in phrases.symbols:
        return phrases.symbols[core]
    if core in phrases.units and words and words[-1][-1:].isdigit():
        return phrases.units[core][0 if words[-1] == "1" else 1]
    if _NUMBER.match(core):
        return _number(core, phrases)
    if _LOOPBACK.match(core):
        return phrases.this_machine
    united = _NUMBER_UNIT.match(core)
    if united and _NUMBER.match(united.group(1)):
        number = _number(united.group(1), phrases)
        if united.group(2) == "%":
            return phrases.percent.format(number)
        unit = phrases.units.get(united.group(2))
        if unit:
            return f"{number} {unit[0 if number == '1' else 1]}"
    pair = _PAIR.match(core)
    if pair:
        form = phrases.fraction if pair.group(2) == "/" else phrases.span
        return form.format(_number(pair.group(1), phrases), _number(pair.group(3), phrases))
    if _HASH.match(core) or len(core) > MAX_WORD_CHARS * 3:
        return ""
    if "::" in core:
        core = core.rpartition("::")[2]
    if core.lower() in _ALTERNATIVES:
        return core.replace("/", " ")
    if "/" in core or "\\" in core:
        core = _file_name(core)
    line = _LINE.match(core)
    if line:
        return phrases.at_line.format(_dotted(line.group(1), phrases), line.group(2))
    if "=" in core and not core.startswith("="):
        return _assignment(core, phrases)
    if len(core) > MAX_WORD_CHARS:
        return ""
    if _NAME.match(core):
        return _dotted(core, phrases)
    if core.startswith("-") and core.strip("-").replace("-", "").isalnum():
        return core.strip("-").replace("-", " ")  # an option of a program
    return _without_symbols(core)


def _number(text: str, phrases: Phrases) -> str:
    value = float(text.replace(",", "").replace("−", "-"))
    return number_said(value, phrases)


def _file_name(path: str) -> str:
    """Return what names a path."""
    parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".", "..", "~")]
    return parts[-1] if parts else ""


def _assignment(core: str, phrases: Phrases) -> str:
    """Say `epochs=20` and `a==b`; leave longer code out."""
    found = re.match(r"([\w.]+)(==|!=|>=|<=|=)([\w.%-]+)$", core)
    if not found:
        return ""
    left, sign, right = found.groups()
    return f"{_value(left, phrases)} {phrases.symbols[sign]} {_value(right, phrases)}"


def _value(text: str, phrases: Phrases) -> str:
    return _number(text, phrases) if _NUMBER.match(text) else _dotted(text, phrases)


def _dotted(name: str, phrases: Phrases) -> str:
    parts = [part for part in name.split(".") if part]
    if len(parts) > 1 and all(len(part) == 1 for part in parts):
        return name  # an abbreviation, e.g. e.g
    return f" {phrases.dot} ".join(filter(None, map(_words, parts)))


def _words(name: str) -> str:
    spaced = name.replace("_", " ").strip()
    if "_" in name and spaced.isupper():
        spaced = spaced.lower()
    parts: list[str] = []
    for part in spaced.split():
        humps = _CAMEL.split(part)
        parts.extend(
            [part] if len(humps) == 1 else [hump if hump.isupper() else hump.lower() for hump in humps]
        )
    return " ".join(parts)


def _parted(token: str) -> tuple[str, str]:
    """Return a token without the quotes and brackets around it, and what follows it."""
    start, end = 0, len(token)
    while start < end and token[start] in _OPENING:
        start += 1
    while end > start and token[end - 1] in _CLOSING + _ENDING:
        end -= 1
    return token[start:end], token[end:]


def _leave_out(words: list[str], phrases: Phrases) -> None:
    """Take the preposition away that led to what is left out: "the result of" is "the result"."""
    if words and words[-1].lower() in phrases.prepositions:
        words.pop()


def _without_symbols(core: str) -> str:
    kept = "".join(
        sign if unicodedata.category(sign)[0] in "LN" or sign in "'’-" else " " for sign in core
    ).strip("- ")
    return " ".join(kept.split())


def _tidied(text: str) -> str:
    text = re.sub(r"\s+([.,;:!?])", r"\1", text)
    text = re.sub(r"([,;:])(?=[.!?])", "", text)
    text = re.sub(r"([,;:])[,;:]+", r"\1", text)
    return text.strip(" ,;:").strip()
