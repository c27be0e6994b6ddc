"""Tests run again and again, whenever a file of the project changes, until somebody cancels that.

Changes are found by looking at times and sizes: that works on every disk, network disks too.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from voice_kernel.tools.files import known_paths

LOOK_S = 0.7
"""How often to look."""
MAX_WATCHED = 20_000
"""Files and folders looked at; of a larger project what lies nearest is watched."""
WATCHED = (".py", ".pyi", ".toml", ".ini", ".cfg")
"""Endings of what is watched: sources and settings, since tests write other files themselves."""

Stamps = dict[str, tuple[int, int]]


def stamps(folder: Path) -> Stamps:
    """Return when each source of a project changed last, and its size."""
    found: Stamps = {}
    for path in known_paths(folder, limit=MAX_WATCHED):
        if path.endswith(WATCHED):
            try:
                stat = os.stat(folder / path)
            except OSError:  # deleted since it was listed
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


def differences(before: Stamps, now: Stamps) -> list[str]:
    """Return what was changed, made or deleted."""
    return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))


async def change(folder: Path, before: Stamps) -> tuple[list[str], Stamps]:
    """Wait for a change, and until it is over: an editor or git writes several files in a row.

    Returns:
        What changed, and how everything is now.
    """
    while True:
        now = await asyncio.to_thread(stamps, folder)
        if now != before:
            while True:
                await asyncio.sleep(LOOK_S / 2)
                later = await asyncio.to_thread(stamps, folder)
                if later == now:
                    break
                now = later
            changed = differences(before, now)
            if changed:
                return changed, now
        await asyncio.sleep(LOOK_S)
