"""Find any line of a large log at once, by a small index beside it.

The index holds how many lines end in the first 64 KB of the log, in the first 128 KB, and so on: eight
bytes each, 64 KB for a log of 512 MB. Any line, however long, is then found by reading one such block.
The writer of a log lets its index grow with it; what the index does not cover yet, or all of it where it
is missing or does not fit the log, is counted when the log is read. Knows bytes, nothing of what they say.
"""

from __future__ import annotations

import bisect
import contextlib
import errno
import os
import stat
import struct
import sys
import time
from array import array
from types import TracebackType
from typing import Self

BLOCK_BYTES = 64 * 1024
SUFFIX = ".index"
MAX_INDEX_BYTES = 16 * 1024**2
"""What is read of an index: that of a log of 128 GB."""

_HEADER = struct.pack("<8sII", b"vk-lines", 1, BLOCK_BYTES)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


def index_path(log_path: str) -> str:
    """Return where the index of a log is."""
    return log_path + SUFFIX


class IndexWriter:
    """Lets an index grow with its log. A short log needs none, and gets none.

    An index that cannot be written is no loss worth telling: the reader then counts by itself.
    """

    def __init__(self, log_path: str) -> None:
        self._path = index_path(log_path)
        self._fd = -1
        self._ends = 0
        self._block_bytes = 0
        self._broken = False

    def feed(self, data: bytes) -> None:
        """Take note of what was just appended to the log."""
        full = array("Q")
        at = 0
        while at < len(data):
            end = min(len(data), at + BLOCK_BYTES - self._block_bytes)
            self._ends += data.count(b"\n", at, end)
            self._block_bytes += end - at
            at = end
            if self._block_bytes == BLOCK_BYTES:
                self._block_bytes = 0
                full.append(self._ends)
        if full:
            self._append(full)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, counts: array[int]) -> None:
        if self._broken:
            return
        data = _little_endian(counts).tobytes()
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, _WRITE, 0o600)
                data = _HEADER + data
            if os.write(self._fd, data) == len(data):
                return
        except OSError:
            pass
        self._broken = True  # what is there stays right, a piece of a number at its end is not read
        self.close()


class LineIndex:
    """How many lines end in each block of one log, as far as it was counted."""

    def __init__(self) -> None:
        self.counts = array("Q", [0])
        """Lines that end in the first 0, 1, 2 ... blocks."""
        self._kept_blocks = 0

    @classmethod
    def load(cls, log_path: str) -> LineIndex:
        """Return the index that is beside a log, an empty one where there is none. Never raises."""
        index = cls()
        try:
            with open(index_path(log_path), "rb", opener=lambda path, _flags: os.open(path, _READ)) as file:
                header, data = file.read(len(_HEADER)), file.read(MAX_INDEX_BYTES)
        except OSError:
            return index
        if header == _HEADER:
            found = array("Q")
            found.frombytes(data[: len(data) // 8 * 8])
            index.counts.extend(_little_endian(found))
            index._kept_blocks = len(found)
        return index

    @property
    def covered_bytes(self) -> int:
        """How much of the log it knows."""
        return (len(self.counts) - 1) * BLOCK_BYTES

    @property
    def kept(self) -> bool:
        """Whether what is on disk is as much."""
        return self._kept_blocks == len(self.counts) - 1

    def check(self, fd: int, size: int) -> None:
        """Begin anew if it cannot be this log's: longer, or wrong about the log's last block."""
        if len(self.counts) == 1:
            return
        if self.covered_bytes <= size:
            before, ends = self.counts[-2:]
            block = os.pread(fd, BLOCK_BYTES, self.covered_bytes - BLOCK_BYTES)
            if block.count(b"\n") == ends - before:
                return
        del self.counts[1:]
        self._kept_blocks = -1

    def extend(self, fd: int, size: int, deadline: float) -> bool:
        """Count the blocks that are full; returns whether that was done before `time.monotonic()` says so."""
        while self.covered_bytes + BLOCK_BYTES <= size:
            block = os.pread(fd, BLOCK_BYTES, self.covered_bytes)
            if len(block) < BLOCK_BYTES:
                break
            self.counts.append(self.counts[-1] + block.count(b"\n"))
            if time.monotonic() > deadline:
                return self.covered_bytes + BLOCK_BYTES > size
        return True

    def save(self, log_path: str) -> None:
        """Put it beside its log, for whoever opens it next. Never raises."""
        path = index_path(log_path)
        fresh = index_path(f"{log_path}.{os.getpid()}")  # one left behind is the index of no log, and removed
        try:
            fd = os.open(fresh, _WRITE, 0o600)
            with open(fd, "wb") as file:
                file.write(_HEADER + _little_endian(self.counts[1:]).tobytes())
            os.replace(fresh, path)
            self._kept_blocks = len(self.counts) - 1
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(fresh)


class LineFile:
    """A log that is open for reading, with its lines counted.

    Args:
        path: where it is. A symbolic link is not followed.
        known: what was counted of it before; extended here, and begun anew where it does not fit the log.
        deadline: when to give up counting, as `time.monotonic()`.

    Attributes:
        size: bytes it had when it was opened; what is written later is not seen.
        total_lines: how many lines that is, one without an end included.
        counted: whether all of it could be counted before the deadline. Else only that can be asked.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, known: LineIndex, deadline: float) -> None:
        self.fd = os.open(path, _READ)
        try:
            status = os.fstat(self.fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "Not a file", path)
            self.size = status.st_size
            known.check(self.fd, self.size)
            self.counted = known.extend(self.fd, self.size, deadline)
            self._counts = known.counts[:]  # others may go on with what is known
            self.counted_bytes = known.covered_bytes
            self.total_lines = 0
            if self.counted:
                rest = self.read(self.counted_bytes, BLOCK_BYTES)
                last = self.read(self.size - 1, 1) if self.size else b"\n"
                self.total_lines = self._counts[-1] + rest.count(b"\n") + (last != b"\n")
        except BaseException:
            os.close(self.fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)

    def read(self, start: int, count: int) -> bytes:
        """Return up to `count` bytes from `start`, none from beyond the size."""
        return os.pread(self.fd, max(0, min(count, self.size - start)), start)

    def start_of(self, line: int) -> int:
        """Return the offset of the first byte of a line, from 0; the size for one beyond the last."""
        if line <= 0:
            return 0
        if line >= self.total_lines:
            return self.size
        # Line n begins after the n-th line end, and that is in the first block that reaches n.
        block = bisect.bisect_left(self._counts, line) - 1
        start = block * BLOCK_BYTES
        return start + _after_end(self.read(start, BLOCK_BYTES), line - self._counts[block])


def _after_end(data: bytes, number: int) -> int:
    """Return the offset after the `number`-th line end of a block, halving what is looked through."""
    low, high = 0, len(data)
    while high - low > 256:
        middle = (low + high) // 2
        ends = data.count(b"\n", low, middle)
        if ends >= number:
            high = middle
        else:
            low, number = middle, number - ends
    at = low
    for _ in range(number):
        at = data.find(b"\n", at) + 1
        if at == 0:  # the log was changed under us; any place in the block is as good
            return len(data)
    return at


def _little_endian(counts: array[int]) -> array[int]:
    if sys.byteorder == "big":
        counts = counts[:]
        counts.byteswap()
    return counts
