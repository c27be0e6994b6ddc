"""Playwright's driver in a guard, with a temporary folder of its own.

Playwright starts a Node.js program, that starts Chromium, and both leave profiles in the temporary folder
when they are killed. The guard is started in Node's place (`PLAYWRIGHT_NODEJS_PATH` is Playwright's own
setting for that) and outlives all of them, us included.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from voice_kernel.task import process

GUARD = Path(process.__file__).with_name("guard.py")
GRACE_S = 2.0
SETTING = "PLAYWRIGHT_NODEJS_PATH"
PREFIX = "voice-kernel-browser-"
MAX_STALE = 50
MAX_PLACE_CHARS = 40


class GuardedDriver:
    """Starts the driver, and tidies up after it."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    async def start(self, async_playwright: Any) -> Any:
        """Start Playwright; returns it.

        Args:
            async_playwright: Playwright's entry.
        """
        if os.name == "nt":  # no guard there: the driver sees the pipe close
            return await async_playwright().start()
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_place()))
        before = os.environ.get(SETTING)
        os.environ[SETTING] = str(self._wrapper(self._folder, before or _bundled_node()))
        try:
            return await async_playwright().start()
        finally:
            if before is None:
                os.environ.pop(SETTING, None)
            else:
                os.environ[SETTING] = before

    def tidy(self) -> None:
        """Remove the folder; the guard does so as well, but may not have come to it yet."""
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def largest(self) -> int:
        """Return the bytes of the largest download under way, or that was fetched in this life."""
        if self._folder is None:
            return 0
        sizes = []
        for file in self._folder.glob("playwright-artifacts-*/*"):
            with contextlib.suppress(OSError):  # finished and gone meanwhile
                sizes.append(file.stat().st_size)
        return max(sizes, default=0)

    def _wrapper(self, folder: Path, node: str) -> Path:
        guard = [sys.executable, "-I", "-S", str(GUARD), "--tidy", str(folder)]
        words = [*guard, str(os.getpid()), str(GRACE_S), node]
        script = folder / "node"
        script.write_text(
            f'#!/bin/sh\nexport TMPDIR={shlex.quote(str(folder))}\nexec {shlex.join(words)} "$@"\n'
        )
        script.chmod(0o700)
        return script


def _place() -> str:
    """Return the folder for ours: Chromium opens a socket in it, whose path the system keeps short."""
    usual = tempfile.gettempdir()
    return usual if len(usual) <= MAX_PLACE_CHARS or not os.access("/tmp", os.W_OK) else "/tmp"  # noqa: S108


def _bundled_node() -> str:
    import playwright

    bundled = Path(playwright.__file__).parent / "driver" / "node"
    return str(bundled) if bundled.is_file() else "node"


def _sweep() -> None:
    """Remove what kernels left that were killed together with their guard, as a container is."""
    try:
        folders = list(Path(_place()).glob(f"{PREFIX}*"))
    except OSError:
        return
    for folder in folders[:MAX_STALE]:
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        try:
            if owner.isdigit() and folder.stat().st_uid == os.getuid() and not _lives(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # gone meanwhile
            continue


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
