"""Debian's PostgreSQL, started for the tests on a socket in a folder of its own, and gone with them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

START_LIMIT_S = 60.0
SETTINGS = {
    "listen_addresses": "",  # a socket only: nothing to collide with, nothing to reach from outside
    "fsync": "off",  # what survives a power cut is not tested here
    "max_connections": "60",
    "shared_buffers": "32MB",
}
USER = "tester"


def programs() -> Path | None:
    """Return the folder with the server's programs, the newest version's; None where there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if installed:
        return installed[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@dataclass
class Server:
    """A server that can be stopped and started again.

    Attributes:
        folder: its data and its socket.
    """

    folder: Path
    _programs: Path
    _user: str | None
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def fresh(self) -> str:
        """Make an empty database; returns its URL."""
        name = f"history{next(self._numbers)}"
        self._run("createdb", "--host", str(self.folder), "--username", USER, name)
        return self.url(name)

    def start(self) -> None:
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        options += ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                preexec_fn=_end_with_parent,
            )
        give_up_at = time.monotonic() + START_LIMIT_S
        ready = [str(self._programs / "pg_isready"), "--quiet", "--host", str(self.folder)]
        while subprocess.run(ready).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < give_up_at, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it at once, as if it had crashed; connections are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(START_LIMIT_S)
            self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments], user=self._user, capture_output=True, cwd="/"
        )
        assert not done.returncode, done.stderr.decode()


def _end_with_parent() -> None:
    # Should the tests be killed. It is set after the change of user, which would clear it.
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Start a server; it is gone afterwards, with its data."""
    found = programs()
    assert found is not None, "PostgreSQL is not installed: make test does that (.ci/debian.py)"
    user = None
    # Not below pytest's folders: the server's user may not look into those.
    folder = Path(tempfile.mkdtemp(prefix="history-", dir="/tmp"))
    if os.geteuid() == 0:
        # The server refuses to run as root.
        user = next(name for name in ("postgres", "nobody") if _exists(name))
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    server = Server(folder, found, user)
    try:
        server._run("initdb", "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "-N")
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _exists(user: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(user))
    return False
