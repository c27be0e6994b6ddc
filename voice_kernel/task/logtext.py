"""One line of a log as a person would see it in a terminal.

A line that was redrawn with carriage returns, backspaces and the like is shown in its last state; colours
stay, every other control is taken out. Knows one line at a time: what moves to other lines is left out.
"""

from __future__ import annotations

import re

MAX_CHARS = 4_000
"""Cap of a shown line."""
MAX_REDRAWN_BYTES = 16_384
"""How much of the end of a line that was redrawn is looked at: earlier states are painted over."""
MAX_STYLE_CHARS = 64

ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    rb"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles and links
    rb"|\x1b[ -/]*[0-~]"  # the two-character ones
)
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROLS = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
"""All but the tab; colours begin with one of them."""
_PLAIN_COLOURS = re.compile(rb"\x1b\[[0-9;:]*m")
_PARTS = re.compile(
    r"(?P<csi>\x1b\[(?P<value>[0-?]*)[ -/]*(?P<final>[@-~]))"
    r"|(?P<osc>\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?)"
    r"|(?P<escape>\x1b[ -/]*[0-~]?)"
    r"|(?P<control>[\x00-\x08\x0a-\x1f\x7f-\x9f])"
    r"|(?P<text>[^\x00-\x08\x0a-\x1f\x7f-\x9f]+)"
)


def shown(line: bytes) -> str:
    """Return a line (without its end) as it is shown, with its colours, at most `MAX_CHARS` characters."""
    return clip(whole(line))


def shown_long(head: bytes, tail: bytes, size: int) -> str:
    """Return a line of `size` bytes that is too long to be read whole, by its beginning and its end."""
    last = last_state(tail)
    return shown(last) if last is not None else clip(whole(head), size - len(head))


def whole(line: bytes) -> str:
    """Return a line as it is shown, but not cut; of one that was redrawn, its end is looked at.

    What is no UTF-8 is replaced.
    """
    line = line.rstrip(b"\r")
    if _CONTROLS.search(line) and _CONTROLS.search(_PLAIN_COLOURS.sub(b"", line)):
        return _redrawn(line)
    return line.decode("utf-8", "replace")


def last_state(tail: bytes) -> bytes | None:
    """Return what the end of a line shows if the line was redrawn within it, else None."""
    _, drawn, after = tail.rstrip(b"\r").partition(b"\r")
    return after if drawn else None


def plain(text: str) -> str:
    """Return a shown line without its colours."""
    return _COLOURS.sub("", text) if "\x1b" in text else text


def clip(text: str, more: int = 0) -> str:
    """Cut a shown line to `MAX_CHARS`, never within a colour, and say how much is left out.

    Args:
        text: the line.
        more: how many bytes follow that are not in `text`.
    """
    if len(text) <= MAX_CHARS and not more:
        return text
    cut = min(len(text), MAX_CHARS - 40)
    for found in _COLOURS.finditer(text, max(0, cut - MAX_STYLE_CHARS), cut + MAX_STYLE_CHARS):
        if found.start() < cut < found.end():
            cut = found.start()
    reset = "\x1b[0m" if "\x1b[" in text[:cut] else ""
    return f"{text[:cut]}{reset}… ({len(text) - cut + more:,} more)"


def _redrawn(line: bytes) -> str:
    if len(line) > MAX_REDRAWN_BYTES:
        line = last_state(line[-MAX_REDRAWN_BYTES:]) or line
    screen = _Row()
    for part in _PARTS.finditer(line.decode("utf-8", "replace")):
        if part["text"]:
            screen.write(part["text"])
        elif part["csi"]:
            screen.control(part["final"], part["value"], part["csi"])
        elif part["control"] == "\r":
            screen.column = 0
        elif part["control"] == "\b":
            screen.column = max(0, screen.column - 1)
    return screen.text()


class _Row:
    """One row of a terminal that is as wide as it needs to be."""

    def __init__(self) -> None:
        self.cells: list[tuple[str, str]] = []
        """Each a colour and a character."""
        self.column = 0
        self.style = ""

    def write(self, text: str) -> None:
        text = text[: max(0, MAX_CHARS + 1 - self.column)]
        self._reach(self.column)
        self.cells[self.column : self.column + len(text)] = [(self.style, char) for char in text]
        self.column += len(text)

    def control(self, final: str, value: str, whole: str) -> None:
        """Carry out one control sequence, where it stays in its row."""
        if final == "m":
            style = "" if value.strip("0;") == "" else self.style + whole
            self.style = style if len(style) <= MAX_STYLE_CHARS else whole
            return
        number = int(value) if value.isdigit() and len(value) < 6 else 0
        if final in "KJ" and number == 0:
            del self.cells[self.column :]
        elif final == "K" and number == 1:
            self.cells[: self.column + 1] = [("", " ")] * min(len(self.cells), self.column + 1)
        elif final in "KJ":  # all of it
            self.cells.clear()
        elif final == "G":
            self.column = max(0, number - 1)
        elif final == "C":
            self.column += max(1, number)
        elif final == "D":
            self.column = max(0, self.column - max(1, number))
        elif final == "P":
            del self.cells[self.column : self.column + max(1, number)]
        self.column = min(self.column, MAX_CHARS + 1)

    def _reach(self, column: int) -> None:
        self.cells += [("", " ")] * (column - len(self.cells))

    def text(self) -> str:
        pieces = []
        now = ""
        for style, char in self.cells:
            if style != now:
                pieces.append(("\x1b[0m" if now else "") + style)
                now = style
            pieces.append(char)
        return "".join(pieces).rstrip(" ") + ("\x1b[0m" if now else "")
