"""Finds out what exists around the user: the `Context` behind names that are spoken.

Knows where names come from (the namespace, the working folder, the notebook, the session's tasks), and
nothing of what they are used for. Belongs to the loop thread; the folder is scanned on a worker.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from voice_kernel.context import Context, Variable

SCAN_EVERY_S = 5.0
"""A folder is scanned again when the last scan is older than this."""
SCAN_AGAIN_S = 0.5
"""How old a scan is when something is looked for again: partial texts come several times a second."""
SCAN_LIMIT_S = 2.0
"""A turn waits no longer for a scan; a slow disk then gives the names of the scan before."""

MAX_FILES = 2_000
MAX_TESTS = 1_000
MAX_TEST_FILES = 200
MAX_TEST_FILE_BYTES = 200_000
MAX_DEPTH = 8
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages", "build", "dist"})
"""Folders whose names nobody says; those that begin with a dot are skipped too."""
TEST_NAME = re.compile(rb"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(test_\w+|Test\w+)", re.MULTILINE)

Names = tuple[tuple[str, ...], tuple[str, ...]]
"""Files (folders end in `/`) and names of tests."""


def scan(folder: Path) -> Names:
    """Return the files and the tests below a folder: nearest first, capped, nothing executed."""
    files: list[str] = []
    test_files: list[Path] = []
    level: list[tuple[Path, str]] = [(folder, "")]
    for _ in range(MAX_DEPTH):
        below: list[tuple[Path, str]] = []
        for path, prefix in level:
            for entry in _entries(path):
                if len(files) >= MAX_FILES:
                    return tuple(files), _tests(test_files)
                if entry.name.startswith(".") or entry.name in SKIPPED or entry.name.endswith(".egg-info"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    files.append(f"{prefix}{entry.name}/")
                    below.append((Path(entry.path), f"{prefix}{entry.name}/"))
                else:
                    files.append(prefix + entry.name)
                    tests = entry.name.endswith(".py") and ("test_" in entry.name or "_test" in entry.name)
                    if tests and _is_plain(entry):
                        test_files.append(Path(entry.path))
        level = below
    return tuple(files), _tests(test_files)


def _entries(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # a folder that is not ours to read has no names for us
        return []


def _is_plain(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a file that can be read to its end: a pipe would be waited for, for ever."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _tests(files: list[Path]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for path in files[:MAX_TEST_FILES]:
        try:
            with path.open("rb") as file:
                source = file.read(MAX_TEST_FILE_BYTES)
        except OSError:
            continue
        for match in TEST_NAME.finditer(source):
            names.setdefault(match.group(1).decode())
            if len(names) >= MAX_TESTS:
                return tuple(names)
    return tuple(names)


class Surroundings:
    """The current context, cheap to ask for.

    Args:
        cwd: returns the working folder.
        namespace: returns the user's variables; callable from any thread.
        tasks: returns the numbers of the session's tasks.
        scan: returns the files and the tests below a folder; runs on a worker.
        words: the user's own vocabulary.
        notebook: returns the number of the notebook's cells, and its headings, as last seen.
        servers: returns the names of the MCP servers.
        page_open: returns whether the browser shows a page, or is about to.
    """

    def __init__(
        self,
        cwd: Callable[[], Path],
        namespace: Callable[[], tuple[Variable, ...]],
        tasks: Callable[[], tuple[int, ...]],
        scan: Callable[[Path], Names],
        words: tuple[str, ...] = (),
        notebook: Callable[[], tuple[int, tuple[str, ...]]] = lambda: (0, ()),
        servers: Callable[[], tuple[str, ...]] = lambda: (),
        page_open: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cwd = cwd
        self._namespace = namespace
        self._tasks = tasks
        self._scan = scan
        self._notebook = notebook
        self._servers = servers
        self._page_open = page_open
        self._folder = Context(words=words)
        self._scanned_at = float("-inf")
        self._scanned: Path | None = None
        self._scanning: asyncio.Future[Names] | None = None
        self._begun_at = 0.0

    def expect(self, words: tuple[str, ...]) -> None:
        """Take other words for the user's own vocabulary."""
        if words != self._folder.words:
            self._folder = replace(self._folder, words=words)

    def now(self) -> Context:
        """Return the context with the folder as last scanned."""
        cell_count, headings = self._notebook()
        return replace(
            self._folder,
            variables=self._namespace(),
            tasks=self._tasks(),
            servers=self._servers(),
            page_open=self._page_open(),
            complete=True,
            cell_count=cell_count,
            headings=headings,
        )

    async def look_again(self) -> Context:
        """Return the context after another scan: something was named that may be quite new."""
        if time.monotonic() - self._scanned_at > SCAN_AGAIN_S:
            self._scanned = None
        return await self.refresh()

    async def refresh(self) -> Context:
        """Return the context, scanning the folder again when the last scan is old."""
        try:
            folder = self._cwd()
        except OSError:  # it has been deleted; variables and tasks are still there
            self._folder = replace(self._folder, files=(), tests=())
            self._scanned = None
            return self.now()
        if self._scanned != folder or time.monotonic() - self._scanned_at > SCAN_EVERY_S:
            if self._scanning is None or self._scanning.done():
                self._scanning = asyncio.ensure_future(asyncio.to_thread(self._scan, folder))
                self._begun_at = time.monotonic()
            # From its beginning: a disk that hangs holds one turn up, not each.
            limit_s = max(0.0, self._begun_at + SCAN_LIMIT_S - time.monotonic())
            scanning = self._scanning  # once it is done, others may begin the next one before this goes on
            done, _ = await asyncio.wait({scanning}, timeout=limit_s)
            if done and not scanning.cancelled() and scanning.exception() is None:
                files, tests = scanning.result()
                self._folder = replace(self._folder, files=files, tests=tests)
                self._scanned, self._scanned_at = folder, time.monotonic()
        return self.now()
