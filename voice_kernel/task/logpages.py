"""Read and search the log of a task, however long it is: a page of lines, the places of a text.

Every call is bounded in time and in what it returns; a search says where to go on. Knows files, not tasks:
whoever calls must have the path from a task, never from a page. Callable from several threads at once.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from voice_kernel.errors import LogError
from voice_kernel.language import _
from voice_kernel.task.logindex import LineFile, LineIndex
from voice_kernel.task.logtext import ESCAPES, last_state, plain, shown, shown_long, whole

MAX_PAGE_BYTES = 200_000
"""As JSON."""
MAX_HIT_CHARS = 300
LEAD_CHARS = 100
"""How much of a long line is shown before what was found in it."""
INDEX_SLICE_S = 2.0
"""How long one call may count lines that no index knows; the next one goes on from there."""
PAGE_SLICE_S = 1.0
SEARCH_SLICE_S = 0.5

READ_BYTES = 256 * 1024
MAX_LINE_BYTES = 128 * 1024
"""A longer line is not read whole."""
HEAD_BYTES, TAIL_BYTES = 16_384, 65_536
BATCH_LINES = 200
OVERLAP_BYTES = 4_096
LONG_LINE_S = 2.0
KNOWN_LOGS = 8


@dataclass(frozen=True)
class Page:
    """Lines of a log."""

    first_line: int = 0
    """Position of the first, from 0."""
    lines: list[str] = field(default_factory=list)
    """As a terminal would show them, with colours."""
    total_lines: int = 0
    total_bytes: int = 0


@dataclass(frozen=True)
class Hit:
    """A line that holds what was searched."""

    line: int
    text: str
    """Without colours, at most `MAX_HIT_CHARS` around the first place."""


@dataclass(frozen=True)
class Hits:
    """What a search has found so far."""

    hits: list[Hit] = field(default_factory=list)
    next_line: int | None = None
    """Where to go on; None when the end was reached."""


class LogReader:
    """Reads logs, and remembers where the lines of the last few are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[threading.Lock, LineIndex]] = OrderedDict()

    def page(self, path: str, first_line: int, lines: int, *, ended: bool = True) -> Page:
        """Return lines of a log, as many as fit a page.

        Args:
            path: the log of a known task.
            first_line: from 0; a negative one counts from the end, and it is the end then that must fit.
            lines: how many are wanted.
            ended: whether it has its last line, so that an index of it may be kept.

        Raises:
            LogError: it is gone, cannot be read, or its lines are not counted yet.
        """
        with self._opened(path, ended) as log:
            total = log.total_lines
            first = min(first_line, total) if first_line >= 0 else max(0, total + first_line)
            last = min(total, first + lines)
            if first_line < 0 and last == total:
                found = _last_page(log, first)
                first = last - len(found)
            else:
                found = _page(log, first, last)
            return Page(first, found, total, log.size)

    def search(
        self, path: str, query: str, from_line: int = 0, limit: int = 200, *, ended: bool = True
    ) -> Hits:
        """Find a text, upper and lower case alike, in what a person would see of a log.

        Colours do not matter, and of a line that was redrawn only its last state is looked at. Stops
        after `SEARCH_SLICE_S` or `limit` lines, and says where to go on.

        Raises:
            LogError: as `page`.
        """
        with self._opened(path, ended) as log:
            return _Search(log, query, limit).run(from_line)

    @contextlib.contextmanager
    def _opened(self, path: str, ended: bool) -> Iterator[LineFile]:
        lock, index = self._index(path)
        try:
            with lock:
                log = LineFile(path, index, time.monotonic() + INDEX_SLICE_S)
                if ended and not index.kept:
                    index.save(path)
            with log:
                if not log.counted:
                    part = 100 * log.counted_bytes // log.size
                    raise LogError(
                        _("The lines of this log are still being counted ({part}% done).").format(part=part),
                        hint=_("Ask again in a moment."),
                        retryable=True,
                    )
                yield log
        except FileNotFoundError:
            raise LogError(
                _("The log of this task is no longer kept."),
                hint=_("The oldest logs make room for new ones; run the task again to see its output."),
            ) from None
        except OSError as error:
            raise LogError(
                _("The log of this task cannot be read: {value}.").format(
                    value=error.strerror or type(error).__name__
                ),
                hint=_("Look at the disk and the rights of the folder of the logs."),
                retryable=True,
            ) from None

    def _index(self, path: str) -> tuple[threading.Lock, LineIndex]:
        with self._lock:
            known = self._known.pop(path, None) or (threading.Lock(), LineIndex.load(path))
            self._known[path] = known
            while len(self._known) > KNOWN_LOGS:
                self._known.popitem(last=False)
            return known


# ---- pages -----------------------------------------------------------------------------------------


def _page(log: LineFile, first: int, last: int) -> list[str]:
    """Return the lines from `first`: one at least, then as many as fit and can be had in time."""
    found: list[str] = []
    deadline = time.monotonic() + PAGE_SLICE_S
    room = MAX_PAGE_BYTES
    for line in _lines(log, first, last):
        room -= _size(line)
        if found and (room < 0 or time.monotonic() > deadline):
            break
        found.append(line)
    return found


def _last_page(log: LineFile, first: int) -> list[str]:
    """Return the last lines, none before `first`: one at least, then as many as fit and so on."""
    found: list[str] = []
    deadline = time.monotonic() + PAGE_SLICE_S
    room = MAX_PAGE_BYTES
    last = log.total_lines
    while last > first:
        start = max(first, last - BATCH_LINES)
        for line in reversed(list(_lines(log, start, last))):
            room -= _size(line)
            if found and (room < 0 or time.monotonic() > deadline):
                return found[::-1]
            found.append(line)
        last = start
    return found[::-1]


def _lines(log: LineFile, first: int, last: int) -> Iterator[str]:
    """Yield lines as they are shown."""
    at = log.start_of(first)
    data = b""
    begin = 0
    for number in range(first, last):
        end = data.find(b"\n", begin)
        while end < 0 and at < log.size and len(data) - begin <= MAX_LINE_BYTES:
            piece = log.read(at, READ_BYTES)
            if not piece:  # cut off meanwhile
                return
            data, begin, at = data[begin:] + piece, 0, at + len(piece)
            end = data.find(b"\n", begin)
        if end >= 0:
            yield shown(data[begin:end])
            begin = end + 1
        elif at >= log.size:
            yield shown(data[begin:])
            begin = len(data)
        else:
            start = at - (len(data) - begin)
            at = log.start_of(number + 1)
            yield _long_line(log, start, at)
            data, begin = b"", 0


def _long_line(log: LineFile, start: int, end: int) -> str:
    tail = log.read(max(start, end - TAIL_BYTES), TAIL_BYTES)
    size = end - start - tail.endswith(b"\n")
    return shown_long(log.read(start, HEAD_BYTES), tail.removesuffix(b"\n"), size)


def _size(line: str) -> int:
    return len(json.dumps(line, ensure_ascii=False).encode()) + 2


# ---- search ----------------------------------------------------------------------------------------


class _Search:
    """One slice of a search through a log."""

    def __init__(self, log: LineFile, query: str, limit: int) -> None:
        self.log = log
        self.query = query.lower()
        self.limit = limit
        self.hits: list[Hit] = []
        self.deadline = time.monotonic() + SEARCH_SLICE_S

    @property
    def over(self) -> bool:
        return len(self.hits) >= self.limit or time.monotonic() > self.deadline

    def run(self, line: int) -> Hits:
        at = self.log.start_of(line)
        while at < self.log.size:
            data = self.log.read(at, READ_BYTES)
            end = data.rfind(b"\n") + 1
            if not end and at + len(data) >= self.log.size:
                end = len(data)
            if not data:  # cut off meanwhile
                break
            if end:
                next_line = self.in_block(data[:end], line)
                if next_line is not None:
                    return self.so_far(next_line)
                line += data.count(b"\n", 0, end)
                at += end
            else:
                end_at = self.log.start_of(line + 1)
                self.in_long_line(at, end_at, line)
                line, at = line + 1, end_at
            if self.over:
                return self.so_far(line)
        return self.so_far(None)

    def so_far(self, next_line: int | None) -> Hits:
        if next_line is not None and next_line >= self.log.total_lines:
            next_line = None
        return Hits(self.hits, next_line)

    def in_block(self, block: bytes, line: int) -> int | None:
        """Search whole lines, the first of them number `line`; return where to go on if not behind them."""
        text = self.folded(block)
        lines: list[bytes] = []
        first, counted, at = line, 0, 0
        while (at := text.find(self.query, at)) >= 0:
            line += text.count("\n", counted, at)
            counted = at
            lines = lines or block.split(b"\n")
            self.look_at(lines[line - first], line)
            if self.over:
                return line + 1
            at = text.find("\n", at) + 1
            if not at:
                break
        return None

    def in_long_line(self, start: int, end: int, line: int) -> None:
        """Search a line that is not read whole. It is given up where it takes far too long."""
        last = last_state(self.log.read(max(start, end - TAIL_BYTES), TAIL_BYTES).removesuffix(b"\n"))
        if last is not None:
            self.look_at(last, line)
            return
        while start < end and time.monotonic() < self.deadline + LONG_LINE_S:
            data = self.log.read(start, min(READ_BYTES, end - start))
            if self.query in self.folded(data):
                self.look_at(data, line)
                return
            start += max(1, len(data) - OVERLAP_BYTES) if start + len(data) < end else len(data) or end

    def look_at(self, line: bytes, number: int) -> None:
        """Note a line that seems to hold the text, if what is shown of it does."""
        text = plain(whole(line))
        at = text.lower().find(self.query)
        if at >= 0:
            self.hits.append(Hit(number, _around(text, at)))

    def folded(self, data: bytes) -> str:
        """Return lines to look for the text in: as many, without colours, in lower case."""
        if b"\b" in data:
            return "\n".join(plain(whole(line)).lower() for line in data.split(b"\n"))
        if b"\x1b" in data:
            data = ESCAPES.sub(b"", data)
        # Bytes are far quicker to fold than characters, and as good for a query that is all ASCII.
        if self.query.isascii():
            return data.lower().decode("latin-1")
        return data.decode("utf-8", "replace").lower()


def _around(text: str, at: int) -> str:
    if len(text) <= MAX_HIT_CHARS:
        return text
    begin = max(0, min(at - LEAD_CHARS, len(text) - MAX_HIT_CHARS + 1))
    before = "…" if begin else ""
    if begin + MAX_HIT_CHARS - 1 >= len(text):
        return before + text[begin:]
    return before + text[begin : begin + MAX_HIT_CHARS - 1 - len(before)] + "…"
