"""Whether the process that owns a session is alive.

A living session holds a POSIX record lock on `sessions/<id>.lock`. Such a lock ends with its process
however it dies, survives a reboot as nothing, needs no clock, and is not inherited by children. It has
one trap: closing *any* descriptor of the file gives the lock up. Files of this process's own sessions
are therefore never opened again, and answered for from memory.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from pathlib import Path

HELD = (errno.EACCES, errno.EAGAIN)
"""What asking for a lock ends with where another process holds it."""
STALE_S = 24 * 3600.0
"""A lock file whose session left no other trace is removed after this long."""

_held: dict[str, int] = {}
"""Paths of the locks that are held here, with the process that holds them: a fork inherits this table,
but no lock."""
_guard = threading.Lock()


class Owner:
    """Holds a session's lock until it is released or the process ends.

    Args:
        folder: where the locks are; made when missing.
        session_id: whose.

    Attributes:
        held: whether there is a lock; False where the folder cannot be written or knows no locks.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        self._path = folder / f"{session_id}.lock"
        self._fd: int | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        with _guard:
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(fd)
                if error.errno not in HELD:
                    forget(folder, session_id)  # a disk that knows no locks
                return
            self._fd = fd
            _held[str(self._path)] = os.getpid()

    @property
    def held(self) -> bool:
        """Whether there is a lock."""
        return self._fd is not None

    def release(self) -> None:
        """Give the lock up and remove its file; a second call does nothing."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        with _guard:
            _held.pop(str(self._path), None)
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(fd)


def lives(folder: Path, session_id: str) -> bool | None:
    """Return whether a session's process is alive; None where no lock file tells."""
    path = folder / f"{session_id}.lock"
    with _guard:
        if _held.get(str(path)) == os.getpid():
            return True
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return True if error.errno in HELD else None
        finally:
            os.close(fd)
    return False


def forget(folder: Path, session_id: str) -> None:
    """Remove the lock file of a session that is over."""
    with contextlib.suppress(OSError):
        (folder / f"{session_id}.lock").unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove lock files that nobody holds and that are old: their sessions never got as far as a row."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            name, _, ending = entry.name.rpartition(".")
            old = ending == "lock" and time.time() - entry.stat().st_mtime > STALE_S
            if old and lives(folder, name) is False:
                forget(folder, name)
