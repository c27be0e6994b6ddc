"""Keep the full output of tasks as files: capped, rotated, without secrets.

Beside a log of some length grows an index of its lines, for `logpages`, and goes where the log goes.
Knows folders and bytes, not tasks. A log that cannot be written, because the disk is full or the folder
read-only, never ends the work it belongs to: the work goes on without, and the reason is told once.
Everything here belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from voice_kernel.language import N_, _
from voice_kernel.task.logindex import SUFFIX, IndexWriter, index_path

MAX_LOG_BYTES = 512 * 1024**2
MAX_FOLDER_BYTES = 2 * 1024**3
MAX_FOLDER_LOGS = 500
ROTATE_AFTER_LOGS = 20
"""The folder is looked through after so many logs, or an eighth of its size; its limits are kept to that."""
BUFFER_BYTES = 256 * 1024
FLUSH_S = 0.25
REDACTED = b"[secret]"
MIN_SECRET_CHARS = 6
"""Shorter values are no secrets: hiding every `1` or `test` would make a log unreadable."""
UNWRITTEN = N_("The log of a task could not be written to the end: {reason}.")


class Redactor:
    """Replaces secret values in a stream of bytes, also where a value is split between two pieces.

    Args:
        secrets: the values; those shorter than `MIN_SECRET_CHARS` are left out.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        values = {secret.encode() for secret in secrets if len(secret) >= MIN_SECRET_CHARS}
        self._values = sorted(values, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, self._values))) if values else None
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what can be shown now; an end that may be the start of a secret is held back."""
        if self._pattern is None:
            return data
        data = self._held + data
        cut = len(data) - self._possible_start(data)
        for match in self._pattern.finditer(data):
            if match.start() < cut < match.end():
                cut = match.end()
        self._held = data[cut:]
        return self._pattern.sub(REDACTED, data[:cut])

    def close(self) -> bytes:
        """Return what was held back."""
        held, self._held = self._held, b""
        return self._pattern.sub(REDACTED, held) if self._pattern is not None else held

    def _possible_start(self, data: bytes) -> int:
        longest = min(len(data), len(self._values[0]) - 1)
        for length in range(longest, 0, -1):
            end = data[-length:]
            if any(value.startswith(end) for value in self._values if len(value) > length):
                return length
        return 0


class Log:
    """The output of one task. Made by `LogFolder.open`.

    Attributes:
        path: where it is; empty when it could not be opened.
        written_bytes: bytes that are in it.
        cut_bytes: bytes that are not in it: above its cap, or after the disk was full.
        problem: why it is missing or not whole, in one sentence; empty when all is well.
    """

    def __init__(
        self,
        path: str,
        file: BinaryIO | None,
        *,
        max_bytes: int,
        redactor: Redactor,
        on_problem: Callable[[str], None],
        on_close: Callable[[], None],
    ) -> None:
        self.path = path
        self.written_bytes = 0
        self.cut_bytes = 0
        self.problem = ""
        self._file = file
        self._index = IndexWriter(path)
        self._max_bytes = max_bytes
        self._redactor = redactor
        self._on_problem = on_problem
        self._on_close = on_close
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        """Append, up to the log's cap; on disk at most `FLUSH_S` later. Never raises."""
        if self._file is None:
            self.cut_bytes += len(data)
            return
        data = self._redactor.feed(data)
        room = self._max_bytes - self.written_bytes - self._waiting_bytes
        if len(data) > room:
            self.cut_bytes += len(data) - room
            data = data[:room]
        if data:
            self._pieces.append(data)
            self._waiting_bytes += len(data)
        if self._waiting_bytes >= BUFFER_BYTES:
            self.flush()
        elif self._waiting_bytes and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Put what is waiting on disk."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pieces, self._pieces = self._pieces, []
        waiting, self._waiting_bytes = self._waiting_bytes, 0
        if self._file is None or not pieces:
            return
        try:
            data = b"".join(pieces)
            self._put(data)
            self._index.feed(data)
            self.written_bytes += waiting
            if self.cut_bytes and self.written_bytes >= self._max_bytes:
                self._say_cut()
        except OSError as error:
            self.cut_bytes += waiting
            self._fail(_(UNWRITTEN).format(reason=error.strerror))

    def close(self) -> None:
        """Write the end, and where it was cut; a second call does nothing."""
        if self._file is not None:
            held = self._redactor.close()
            if held:
                self._redactor = Redactor()
                self.write(held)
        self.flush()
        if self._file is not None:
            try:
                if self.cut_bytes:
                    self._say_cut()
                self._file.close()
            except OSError as error:
                self._fail(_(UNWRITTEN).format(reason=error.strerror))
            else:
                self._closed()

    def _closed(self) -> None:
        self._file = None
        self._index.close()
        self._on_close()

    def _say_cut(self) -> None:
        # Written when the cap is reached, so that it is there even if the kernel is killed, and again
        # at the end, when the number is known.
        assert self._file is not None
        self._file.seek(self.written_bytes)
        self._file.truncate()
        self._put(
            f"\n[voice_kernel: the log was cut here, at its cap of {self._max_bytes} bytes; "
            f"bytes not kept so far: {self.cut_bytes}]\n".encode()
        )

    def _put(self, data: bytes) -> None:
        assert self._file is not None
        rest = memoryview(data)
        while rest:  # an unbuffered file may take less than it is given
            rest = rest[self._file.write(rest) :]

    def _fail(self, problem: str) -> None:
        self.problem = problem
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._closed()
        self._on_problem(problem)


def remove(path: str) -> bool:
    """Remove a log with its index; returns whether there was one. Never raises."""
    with contextlib.suppress(OSError):
        os.unlink(index_path(path))
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


class LogFolder:
    """The folder that holds the logs, and its limits.

    Args:
        path: the folder; made when the first log is opened.
        secrets: values that no log may hold.
        max_log_bytes: cap of one log.
        max_bytes: cap of all finished logs together; the oldest are removed first.
        max_logs: most files kept.
        on_problem: told, once, that logs cannot be written and why.

    Attributes:
        problem: the first reason why a log could not be written; empty when all is well.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[str] = (),
        max_log_bytes: int = MAX_LOG_BYTES,
        max_bytes: int = MAX_FOLDER_BYTES,
        max_logs: int = MAX_FOLDER_LOGS,
        on_problem: Callable[[str], None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.problem = ""
        self._secrets = tuple(secrets)
        self._max_log_bytes = max_log_bytes
        self._max_bytes = max_bytes
        self._max_logs = max_logs
        self._on_problem = on_problem
        self._open: dict[str, Log] = {}
        self._unlooked_bytes = 0
        self._unlooked_logs = ROTATE_AFTER_LOGS  # the first log looks

    def open(self, name: str) -> Log:
        """Start a log whose file name begins with `name`. Never raises."""
        path, file, problem = "", None, ""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rotate_in_time()
            path, file = self._create(re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "task")
        except OSError as error:
            problem = _("Logs cannot be kept in {path}: {strerror}.").format(
                path=self.path, strerror=error.strerror
            )
        log = Log(
            path,
            file,
            max_bytes=self._max_log_bytes,
            redactor=Redactor(self._secrets),
            on_problem=self._tell,
            on_close=lambda: self._closed(log),
        )
        if problem:
            log.problem = problem
            self._tell(problem)
        else:
            self._open[path] = log
        return log

    def flush(self, path: str) -> bool:
        """Put what a log that is being written still holds back on disk; returns whether it is one."""
        log = self._open.get(path)
        if log is not None:
            log.flush()
        return path in self._open

    def _create(self, stem: str) -> tuple[str, BinaryIO]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        for number in range(1, 10_000):
            path = self.path / (f"{stem}.log" if number == 1 else f"{stem}.{number}.log")
            try:
                fd = os.open(path, flags, 0o600)  # output is private, whatever the umask says
            except FileExistsError:
                continue
            return str(path), os.fdopen(fd, "wb", buffering=0)
        raise OSError(17, "too many logs of the same name")

    def _rotate(self) -> None:
        """Remove the oldest logs above the limits, but none that is being written here."""
        finished = []
        for entry in os.scandir(self.path):
            if entry.name.endswith(".log") and entry.path not in self._open:
                with contextlib.suppress(OSError):  # removed by another kernel meanwhile
                    stat = entry.stat()
                    finished.append((stat.st_mtime, entry.path, stat.st_size))
            elif entry.name.endswith(SUFFIX) and not os.path.exists(entry.path.removesuffix(SUFFIX)):
                with contextlib.suppress(OSError):  # its log was removed by hand
                    os.unlink(entry.path)
        finished.sort()
        total = sum(size for _, _, size in finished)
        while finished and (total > self._max_bytes or len(finished) >= self._max_logs):
            _, path, size = finished.pop(0)
            total -= size
            remove(path)

    def _rotate_in_time(self) -> None:
        # Not for every log: the folder may be on a slow network disk.
        if self._unlooked_logs >= ROTATE_AFTER_LOGS or self._unlooked_bytes > self._max_bytes // 8:
            self._unlooked_logs = self._unlooked_bytes = 0
            self._rotate()
        self._unlooked_logs += 1

    def _closed(self, log: Log) -> None:
        self._open.pop(log.path, None)
        self._unlooked_bytes += log.written_bytes

    def _tell(self, problem: str) -> None:
        if not self.problem:
            self.problem = problem
            if self._on_problem is not None:
                self._on_problem(problem)
