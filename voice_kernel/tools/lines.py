"""The text of one cell, line by line and word by word: what an edit by voice makes of it.

Pure: sources in, sources out. Lines are addressed like cells: `current first last all 3 3-5 last 2`,
from 1. What a word in a source is, and whether it stands in a string, is decided here.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections.abc import Callable
from typing import Literal

from voice_kernel.context import nearest, squash
from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, ngettext_

INDENT = "    "
ADDRESSES = N_("current, first, last, all, a number such as 3, or a range such as 3-5")

LineAction = Literal["delete", "comment", "uncomment", "indent", "dedent", "duplicate"]

_WORD = re.compile(r"[^\W\d]\w*|\d[\w.]*")


def lines_of(source: str) -> list[str]:
    """Return the lines of a source; an empty one has one empty line."""
    return source.split("\n")


def find_lines(address: str, source: str, current: int | None = None) -> tuple[int, int]:
    """Return the first and the last line that are meant, from 1.

    Args:
        address: see the module.
        source: the cell's text.
        current: the line where the cursor stands, if that is known.

    Raises:
        ToolError: there are no such lines, or it is no address.
    """
    count = len(lines_of(source))
    said = " ".join(address.lower().split())
    if said == "all":
        return 1, count
    if said == "first":
        return 1, 1
    match = re.fullmatch(r"(first|last)(?: (\d{1,6}))?", said)
    if match is not None:
        many = min(int(match[2] or 1), count)
        return (1, many) if match[1] == "first" else (count - many + 1, count)
    if said in ("current", "next", "previous"):
        if current is None and count > 1:
            raise ToolError(
                _("I do not know at which line you are."), hint=_("Say its number, for example line 3.")
            )
        at = min(current or 1, count) + {"current": 0, "next": 1, "previous": -1}[said]
        if not 1 <= at <= count:
            raise ToolError(_("There is no {said} line.").format(said=said), hint=_there_are(count))
        return at, at
    match = re.fullmatch(r"(\d{1,6})(?: ?(?:-|–|to) ?(\d{1,6}))?", said)
    if match is None:
        raise ToolError(
            _("“{address}” does not say which line.").format(address=address),
            hint=_("Say {addresses}.").format(addresses=_(ADDRESSES)),
        )
    first, last = sorted((int(match[1]), int(match[2] or match[1])))
    if first < 1 or last > count:
        wrong = first if first < 1 or first > count else last
        raise ToolError(_("There is no line {wrong}.").format(wrong=wrong), hint=_there_are(count))
    return first, last


def named(first: int, last: int) -> str:
    """Return lines in a person's words: `line 3`, `lines 3 to 5`."""
    if first == last:
        return _("line {number}").format(number=first)
    return _("lines {first} to {last}").format(first=first, last=last)


def changed(source: str, first: int, last: int, action: LineAction) -> str:
    """Return the source with something done to some of its lines."""
    lines = lines_of(source)
    chosen = lines[first - 1 : last]
    filled = [line for line in chosen if line.strip()]
    match action:
        case "delete":
            new: list[str] = []
        case "duplicate":
            new = [*chosen, *chosen]
        case "indent":
            new = [INDENT + line if line.strip() else line for line in chosen]
        case "dedent":
            new = [line[min(len(INDENT), _indent(line)) :] for line in chosen]
        case "comment":
            margin = min((_indent(line) for line in filled), default=0)
            new = [f"{line[:margin]}# {line[margin:]}" if line.strip() else line for line in chosen]
        case "uncomment":
            new = [re.sub(r"^(\s*)# ?", r"\1", line) for line in chosen]
    return "\n".join([*lines[: first - 1], *new, *lines[last:]])


def with_line(source: str, text: str, after: int) -> str:
    """Return the source with lines put after a line (0: at the top), indented like their neighbour."""
    if not source:
        return text
    lines = lines_of(source)
    neighbour = lines[after - 1] if after else lines[0]
    margin = neighbour[: _indent(neighbour)]
    if after and neighbour.rstrip().endswith(":"):
        margin += INDENT
    new = [margin + line if line.strip() else line for line in lines_of(text)]
    return "\n".join([*lines[:after], *new, *lines[after:]])


# ---- words ------------------------------------------------------------------------------------------


def replaced(
    source: str, old: str, new: str, kind: str, write: Callable[[str], str]
) -> tuple[str, list[str]]:
    """Return the source with words replaced, and what was replaced, as it stood there.

    Looked for as said, then without regard to case, then as a name ("unit price" is `unit_price`), then
    as symbols ("open paren"), then as the name most like it.

    Args:
        source: the cell's text.
        old: the words to replace, as spoken or typed.
        new: what to put there.
        kind: the cell's kind: in code, spoken symbols and names are written as code.
        write: turns spoken words into code.

    Raises:
        ToolError: they are not there.
    """
    spans = _places(source, old, kind, write)
    if not spans:
        words = list(dict.fromkeys(match[0] for match in _WORD.finditer(source)))
        found = nearest(old, words)
        if found is None:
            raise ToolError(
                _("I do not find “{old}” in the cell.").format(old=old),
                hint=_('Say "read the cell" to hear it.'),
            )
        spans = _exact(source, found, re.NOFLAG)
    strings = _strings(source) if kind == "code" else []
    out, at, hit = "", 0, []
    for start, end in spans:
        there = source[start:end]
        hit.append(there)
        inside = any(first <= start and end <= last for first, last in strings)
        piece = _in_style(new, there, write) if kind == "code" and not inside else _like(new, there)
        out += source[at:start] + piece
        at = end
    return out + source[at:], list(dict.fromkeys(hit))


def find_name(source: str, said: str) -> str | None:
    """Return the name in code that was said: "unit price" is `unit_price`; None when there is none."""
    names = dict.fromkeys(token.string for token in _tokens(source) if _is_name(token))
    if said in names:
        return said
    wanted = squash(said)
    return next((name for name in names if squash(name) == wanted), None)


def renamed(source: str, old: str, new: str) -> tuple[str, int]:
    """Return code with a variable renamed, and in how many places.

    Attributes, names of arguments in a call, strings and comments stay as they are.
    """
    lines = source.splitlines(keepends=True)
    tokens = _tokens(source)
    places: list[tuple[int, int]] = []
    depth: list[bool] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.string in "([{" and token.type == tokenize.OP:
            depth.append(token.string == "(" and before is not None and _calls(tokens, at))
        elif token.string in ")]}" and token.type == tokenize.OP and depth:
            depth.pop()
        if token.type != tokenize.NAME or token.string != old:
            continue
        attribute = before is not None and before.string == "."
        argument = bool(depth and depth[-1]) and after is not None and after.string == "="
        if not attribute and not argument:
            places.append(token.start)
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + new + line[column + len(old) :]
    return "".join(lines), len(places)


def as_name(said: str, like: str = "") -> str:
    """Return spoken words as a name of Python: snake case, or camel case if the name it is like has it.

    Raises:
        ToolError: they cannot be a name.
    """
    text = said.strip()
    if not text.isidentifier():
        parts = re.findall(r"[^\W_]+", text)
        if re.fullmatch(r"[a-z]+(?:[A-Z]\w*)+", like):
            text = "".join([*parts[:1], *(part.capitalize() for part in parts[1:])])
        else:
            text = "_".join(part.lower() for part in parts)
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ToolError(_("“{said}” cannot be a name in Python.").format(said=said))
    return text


def _places(source: str, old: str, kind: str, write: Callable[[str], str]) -> list[tuple[int, int]]:
    spans = _exact(source, old, re.NOFLAG) or _exact(source, old, re.IGNORECASE)
    if not spans:
        wanted = squash(old)
        spans = [match.span() for match in _WORD.finditer(source) if wanted and squash(match[0]) == wanted]
    if not spans and kind == "code":
        code = write(old)
        spans = [] if code == old else _exact(source, code, re.NOFLAG)
    return spans


def _exact(source: str, text: str, flags: re.RegexFlag) -> list[tuple[int, int]]:
    words = [re.escape(word) for word in text.split()]
    if not words:
        return []
    left = r"(?<!\w)" if text[:1].isalnum() or text[:1] == "_" else ""
    right = r"(?!\w)" if text[-1:].isalnum() or text[-1:] == "_" else ""
    return [match.span() for match in re.finditer(left + r"\s+".join(words) + right, source, flags)]


def _in_style(new: str, there: str, write: Callable[[str], str]) -> str:
    """Return spoken words as code that stands where a name stood."""
    code = write(new)
    if there.isidentifier() and re.fullmatch(r"[^\W\d]\w*(?: \w+)+", code):
        return as_name(code, there)
    return code


def _like(new: str, there: str) -> str:
    """Return words with a capital where the words they replace had one."""
    capital = there[:1].isupper() and not there.isupper()
    return new[:1].upper() + new[1:] if capital else new


def _strings(source: str) -> list[tuple[int, int]]:
    """Return the spans of strings and comments in code."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return [
        (starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1])
        for token in _tokens(source)
        if token.type in (tokenize.STRING, tokenize.COMMENT)
    ]


def _tokens(source: str) -> list[tokenize.TokenInfo]:
    """Return the tokens of code, up to where it is no Python any more."""
    tokens: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            tokens.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass
    return tokens


def _is_name(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NAME and not keyword.iskeyword(token.string)


def _calls(tokens: list[tokenize.TokenInfo], at: int) -> bool:
    """Return whether a bracket opens the arguments of a call, and not the parameters of a function."""
    before = tokens[at - 1]
    named_before = tokens[at - 2].string if at > 1 else ""
    return (_is_name(before) or before.string in ")]") and named_before not in ("def", "class")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _there_are(count: int) -> str:
    return ngettext_("The cell has one line.", "The cell has {count} lines.", count).format(count=count)
