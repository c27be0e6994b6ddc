"""How long a page of a 300 MB log takes, and a search in it, beside `tail`, `sed`, `grep` of the same file.

The log is written as a task writes it, its index with it. Each figure of ours is that of a reader that has
not seen the log before, as after a restart; the file is in the page cache, for the peers as well.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voice_kernel.task.logindex import index_path
from voice_kernel.task.logpages import Hits, LogReader, Page
from voice_kernel.task.logs import LogFolder

LOG_BYTES = 300 * 1024**2
PIECE_BYTES = 65_536
PAGE_LINES = 500
RUNS = 7
MAX_PAGE_S = 0.1


def text() -> bytes:
    lines, size, number = [], 0, 0
    while size < 8 * 1024**2:
        number += 1
        colour = b"\x1b[32mINFO\x1b[0m" if number % 10 == 0 else b"INFO"
        lines.append(b"2026-11-22 10:%02d:%02d %s worker %d did step %d of the pipeline\n"
                     % (number // 60 % 60, number % 60, colour, number % 16, number))  # fmt: skip
        size += len(lines[-1])
    return b"".join(lines)


async def write(folder: Path, data: bytes) -> tuple[str, float]:
    log = LogFolder(folder).open("task")
    begin = time.perf_counter()
    for at in range(0, LOG_BYTES, PIECE_BYTES):
        start = at % (len(data) - PIECE_BYTES)
        log.write(data[start : start + PIECE_BYTES])
    log.write(b"\nNeedle in the last line\n")
    log.close()
    return log.path, time.perf_counter() - begin


def write_plain(path: Path, data: bytes) -> float:
    begin = time.perf_counter()
    with open(path, "wb", buffering=0) as file:
        for at in range(0, LOG_BYTES, 4 * PIECE_BYTES):
            start = at % (len(data) - 4 * PIECE_BYTES)
            file.write(data[start : start + 4 * PIECE_BYTES])
    return time.perf_counter() - begin


def timed(act: Callable[[], Any]) -> float:
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        act()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def peer(*argv: str) -> Callable[[], bytes]:
    return lambda: subprocess.run(argv, stdout=subprocess.PIPE, check=False).stdout


def show(name: str, own_s: float, peer_name: str, peer_s: float) -> None:
    print(f"  {name:<40} {own_s * 1e3:8.1f} ms    {peer_name:<28} {peer_s * 1e3:8.1f} ms")


def search(path: str, query: str) -> list[int]:
    reader, found = LogReader(), list[int]()
    hits = Hits(next_line=0)
    while hits.next_line is not None:
        hits = reader.search(path, query, hits.next_line, 1_000)
        found += [hit.line for hit in hits.hits]
    return found


def main() -> int:
    data = text()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, write_s = asyncio.run(write(folder, data))
        plain_s = write_plain(folder / "plain", data)
        total = LogReader().page(path, 0, 1).total_lines
        print(f"A log of {os.path.getsize(path) / 1024**2:.0f} MB, {total:,} lines, its index "
              f"{os.path.getsize(index_path(path)) / 1024:.0f} KB; page = {PAGE_LINES} lines:")  # fmt: skip
        show("written, with its index", write_s, "write() alone", plain_s)

        def page(first: int) -> Page:
            return LogReader().page(path, first, PAGE_LINES)

        middle = total // 2
        sed = f"{middle + 1},{middle + PAGE_LINES}p;{middle + PAGE_LINES}q"
        pages = [
            ("opened at the top", 0, "head", peer("head", "-n", str(PAGE_LINES), path)),
            ("tail", -PAGE_LINES, "tail", peer("tail", "-n", str(PAGE_LINES), path)),
            ("jump to the middle", middle, "sed -n", peer("sed", "-n", sed, path)),
        ]
        slow = []
        for label, first, peer_name, run in pages:
            own_s = timed(lambda: page(first))  # noqa: B023 - called before it changes
            show(label, own_s, peer_name, timed(run))
            theirs = run().decode().replace("\x1b[32m", "").replace("\x1b[0m", "").splitlines()
            ours = [line.replace("\x1b[32m", "").replace("\x1b[0m", "") for line in page(first).lines]
            assert ours == theirs[: len(ours)] or ours == theirs[-len(ours) :], label
            slow += [label] if own_s > MAX_PAGE_S else []
        for label, query in [("is there once", "needle"), ("is there now and then", "step 77777 ")]:
            run = peer("env", "LC_ALL=C.UTF-8", "grep", "-n", "-i", query, path)
            found = len(search(path, query))
            assert found == run().count(b"\n") > 0, query
            own_s = timed(lambda: search(path, query.upper()))  # noqa: B023 - called before it changes
            show(f"search for what {label} ({found})", own_s, "grep -n -i", timed(run))

        def without_index() -> None:
            os.unlink(index_path(path))
            page(middle)

        show(
            "jump without an index, which is made",
            timed(without_index),
            "wc -l",
            timed(peer("wc", "-l", path)),
        )
    if slow:
        print(f"  slower than {MAX_PAGE_S * 1e3:.0f} ms: {', '.join(slow)}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
