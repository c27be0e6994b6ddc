"""Text as terminals print it: keep its end, take its colours and redrawn lines away.

Knows bytes and escape codes, nothing of who wrote them.
"""

from __future__ import annotations

import re

TAIL_BYTES = 64 * 1024
MAX_TEXT_BYTES = 16_000
"""Cap of `Result.text`."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles and links
    r"|\x1b[ -/]*[0-~]"  # the two-character ones
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Tail:
    """The newest bytes of a stream, in bounded memory."""

    def __init__(self, max_bytes: int = TAIL_BYTES) -> None:
        self._max_bytes = max_bytes
        self._data = bytearray()
        self.total_bytes = 0

    def feed(self, data: bytes) -> None:
        """Append, and forget what is too old."""
        self.total_bytes += len(data)
        self._data += data[-self._max_bytes :]
        if len(self._data) > 2 * self._max_bytes:
            del self._data[: -self._max_bytes]

    def text(self) -> str:
        """Return the end as text, colours included, from the start of a line."""
        data = bytes(self._data[-self._max_bytes :])
        if len(data) < self.total_bytes:
            data = data[data.find(b"\n", 0, 4096) + 1 :]
        return data.decode("utf-8", "replace")


def plain(text: str) -> str:
    """Return the text as a person would see it: no escape codes, of a redrawn line the last state."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    lines = (_last_state(line) for line in text.split("\n"))
    return _CONTROLS.sub("", "\n".join(lines))


def last_line(text: str, max_chars: int = 200) -> str:
    """Return the last line that says something, without colours; empty when none does."""
    for line in reversed(plain(text).split("\n")):
        if line.strip():
            line = " ".join(line.split())
            return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
    return ""


def clip(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Keep the end of a text, from the start of a line where there is one near."""
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    data = data[-max_bytes:]
    return data[data.find(b"\n", 0, 2048) + 1 :].decode("utf-8", "ignore")


def _last_state(line: str) -> str:
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")
