"""What is printed: text of others made harmless for a terminal, colours where they are wanted, tables."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

COLOURS = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "bold": "1"}
OF_STATE = {
    "succeeded": "green", "failed": "red", "interrupted": "red", "cancelled": "dim", "running": "yellow",
    "queued": "yellow", "awaiting_approval": "yellow",
}  # fmt: skip
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""What a terminal obeys, what turns text around, and what no terminal can print."""
_SEQUENCES = re.compile(r"\x1b\[[0-9;]*m")
"""Colours: they hide nothing when they go."""


def safe(text: str) -> str:
    """Return text in which nothing is an order to a terminal: such characters are written out."""
    return _HOSTILE.sub(_written, text)


def one_line(text: str) -> str:
    """Return text on one line, without colours and safe."""
    return safe(" ".join(_SEQUENCES.sub("", text).split()))


def painted(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Return text in a colour, where the stream is a terminal that wants any."""
    if not colour or not wants_colour(stream or sys.stdout):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def wants_colour(stream: TextIO) -> bool:
    """Return whether colours are wanted.

    Source: https://no-color.org
    """
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width(text: str) -> int:
    """Return how many columns a terminal needs for text on one line."""
    columns = 0
    for char in text:
        if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me"):
            continue
        columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return columns


def fitted(text: str, columns: int) -> str:
    """Return text cut to fit into so many columns."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept + char) >= columns:
            break
        kept += char
    return kept + "…"


def table(rows: Sequence[Sequence[str]], *, flexible: int, columns: int | None = None) -> list[list[str]]:
    """Return rows with their cells padded to columns that fit on the terminal.

    Args:
        rows: the texts, safe; the first row is the heading.
        flexible: the column that is cut where there is too little room.
        columns: width of the terminal; found out if absent.
    """
    if not rows:
        return []
    room = columns or shutil.get_terminal_size().columns
    widths = [max(width(row[at]) for row in rows) for at in range(len(rows[0]))]
    spare = room - sum(widths) - 2 * (len(widths) - 1)
    if spare < 0:
        widths[flexible] = max(12, widths[flexible] + spare)
    padded = []
    for row in rows:
        cells = [fitted(text, wide) for text, wide in zip(row, widths, strict=True)]
        last = len(cells) - 1
        padded.append(
            [text + " " * (wide - width(text)) if at < last else text
             for at, (text, wide) in enumerate(zip(cells, widths, strict=True))]
        )  # fmt: skip
    return padded


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
