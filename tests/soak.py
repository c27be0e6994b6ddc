"""A long day in ten minutes: many tasks, cancelled, killed and reloaded at random; then nothing may be lost.

    make soak                      2,000 tasks, at most ten minutes
    python tests/soak.py --tasks 200 --seed 7

Two notebooks work at once with one history. The kernel of the first lives all through and its memory is
watched; that of the second is killed again and again. Pages are reloaded in both. At the end every task
in the history has a final state, no process is left, and no event is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import queue
import random
import shutil
import sqlite3
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.manager import AsyncKernelManager

from voice_kernel.client import LOAD, Link
from voice_kernel.messages import (
    Call,
    CancelTask,
    Do,
    Hello,
    MoveTask,
    State,
    Task,
    TaskChanged,
    ToSurface,
)
from voice_kernel.store import History

ENDED = frozenset({"succeeded", "failed", "cancelled", "interrupted"})
AT_ONCE = 12
"""Tasks under way in each notebook."""
CANCELLED = 0.12
RELOAD_EVERY = 60
KILL_EVERY = 60
START_LIMIT_S = 60.0
MARK = "VOICE_KERNEL_SOAK"
TESTS = "def test_one():\n    assert True\n\n\ndef test_two():\n    assert 1 + 1 == 2\n"

KINDS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (20, "run_shell", {"command": "echo hello"}),
    (10, "run_shell", {"command": "seq 20000"}),
    (6, "run_shell", {"command": "sleep 0.3"}),
    (4, "run_shell", {"command": "exit 3"}),
    (6, "run_shell", {"command": "sleep 600 & sleep 600 & wait"}),
    (3, "run_shell", {"command": "setsid sleep 600 & echo left behind"}),
    (1, "run_tests", {}),
    (10, "run_code", {"code": "total = sum(range(1_000))\nprint(total)"}),
    (4, "run_code", {"code": "1 / 0"}),
    (10, "list_variables", {}),
    (8, "list_files", {"path": "."}),
    (8, "list_tasks", {}),
)
"""Weight, tool, arguments. What sleeps for ten minutes ends by being cancelled, or with its kernel."""


class Notebook:
    """One notebook with its kernel and its page."""

    def __init__(self, name: str, folder: Path, random_: random.Random) -> None:
        self.name = name
        self.folder = folder
        self.tasks: dict[int, Task] = {}
        self.asked = 0
        self.kills = 0
        self.reloads = 0
        self._sent = 0  # to the kernel that lives
        self._newest = 0  # number of its newest task that was heard of
        self._cancelled: set[int] = set()
        self._moved: set[int] = set()
        self._random = random_
        self._manager: AsyncKernelManager | None = None
        self._client: Any = None
        self._link: Link | None = None

    async def start(self) -> None:
        """Start the kernel, load voice_kernel, open the page."""
        self._sent = self._newest = 0
        self._cancelled, self._moved = set(), set()
        self._manager = AsyncKernelManager(kernel_name="python3")
        environment = os.environ | {"JPY_SESSION_NAME": str(self.folder / f"{self.name}.ipynb")}
        await self._manager.start_kernel(cwd=str(self.folder), env=environment)
        self._client = self._manager.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=START_LIMIT_S)
        await self._client.execute_interactive(
            LOAD, silent=True, store_history=False, timeout=START_LIMIT_S, output_hook=lambda _message: None
        )
        await self.reload()

    async def reload(self) -> None:
        """Open the page anew, as a reload of the browser does."""
        self.reloads += 1
        self._link = Link(self._client)
        self._link.open(Hello(surface_id=f"page-{uuid.uuid4().hex[:8]}", kind="client"))
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            event = await self._next(1.0)
            if isinstance(event, State):
                self._take(event)
                return
        raise TimeoutError(f"{self.name}: the session did not answer")

    async def kill(self) -> None:
        """Kill the kernel as the system does when memory is short, and start another."""
        self.kills += 1
        await self.stop(now=True)
        await self.start()

    async def stop(self, *, now: bool) -> None:
        """End the kernel: at once, or as a person shuts it down."""
        assert self._manager is not None
        self._client.stop_channels()
        if now:
            os.kill(self.pid, 9)
            with contextlib.suppress(psutil.Error, TimeoutError):
                await asyncio.to_thread(psutil.Process(self.pid).wait, 10)
        await self._manager.shutdown_kernel(now=now)

    @property
    def pid(self) -> int:
        """The kernel's process."""
        assert self._manager is not None
        return int(self._manager.provisioner.pid)

    @property
    def open(self) -> list[Task]:
        """What has not ended."""
        return [task for task in self.tasks.values() if task.state not in ENDED]

    async def work(self, many: int, until: float, *, kill: bool) -> None:
        """Ask for tasks until there were enough, keeping some under way all the time."""
        weights = [weight for weight, _tool, _arguments in KINDS]
        begun = self.asked
        while self.asked - begun < many and time.monotonic() < until:
            while len(self.open) + self._on_the_way < AT_ONCE and self.asked - begun < many:
                _weight, tool, arguments = self._random.choices(KINDS, weights)[0]
                self._send(Do(text=f"{self.name} {self.asked}", calls=[Call(tool=tool, arguments=arguments)]))
                self.asked += 1
                self._sent += 1
                if self.asked % RELOAD_EVERY == 0:
                    await self.reload()
                if kill and self.asked % KILL_EVERY == 0:
                    await self.kill()
            await self._hear()
            self._meddle()
        while (self.open or self._on_the_way > 0) and time.monotonic() < until:
            await self._hear()
            for task in self.open:
                if "600" in str(task.arguments):
                    self._cancel(task)

    @property
    def _on_the_way(self) -> int:
        """What was sent and is no task yet: tasks are numbered from 1 in every session."""
        return max(0, self._sent - self._newest)

    def _meddle(self) -> None:
        for task in self.open:
            endless = "600" in str(task.arguments)
            if self._random.random() < (0.5 if endless else CANCELLED / 10):
                self._cancel(task)
            elif task.state == "queued" and task.id not in self._moved and self._random.random() < 0.05:
                self._send(MoveTask(task_id=task.id, to=self._random.choice(("first", "up", "down", "last"))))
                self._moved.add(task.id)

    def _cancel(self, task: Task) -> None:
        """Once, as a person clicks."""
        if task.id not in self._cancelled:
            self._send(CancelTask(task_id=task.id))
            self._cancelled.add(task.id)

    async def _hear(self) -> None:
        event = await self._next(0.2)
        while event is not None:
            if isinstance(event, TaskChanged):
                self.tasks[event.task.id] = event.task
                self._newest = max(self._newest, event.task.id)
            elif isinstance(event, State):
                self._take(event)
            event = await self._next(0.001)

    def _take(self, state: State) -> None:
        self.tasks = {task.id: task for task in state.tasks}
        self._newest = max([self._newest, *self.tasks])

    async def _next(self, limit_s: float) -> ToSurface | None:
        try:
            message = await self._client.get_iopub_msg(timeout=limit_s)
        except queue.Empty:
            return None
        assert self._link is not None
        return self._link.received(message)

    def _send(self, message: Any) -> None:
        assert self._link is not None
        self._link.send(message)


async def soak(many: int, limit_s: float, seed: int, folder: Path) -> bool:
    """Run it, print the table; returns whether all is well."""
    (folder / "test_small.py").write_text(TESTS)
    began = time.monotonic()
    until = began + limit_s * 0.85
    steady = Notebook("steady", folder, random.Random(seed))
    mortal = Notebook("mortal", folder, random.Random(seed + 1))
    await asyncio.gather(steady.start(), mortal.start())
    memory: list[int] = []

    async def watched() -> None:
        share = many * 7 // 10
        await steady.work(share // 4, until, kill=False)
        memory.append(psutil.Process(steady.pid).memory_info().rss)
        await steady.work(share - share // 4, until, kill=False)
        memory.append(psutil.Process(steady.pid).memory_info().rss)

    await asyncio.gather(watched(), mortal.work(many - many * 7 // 10, until, kill=True))
    await asyncio.gather(steady.stop(now=False), mortal.stop(now=True))
    # Whoever opens the history next finds what the killed kernel left, and mends it.
    after = Notebook("mortal", folder, random.Random(seed))
    await after.start()
    await after.stop(now=False)
    return report(steady, mortal, memory, time.monotonic() - began)


def report(steady: Notebook, mortal: Notebook, memory: list[int], took_s: float) -> bool:
    """Look at what is left, and print it."""
    data = Path(os.environ["JUPYTER_DATA_DIR"]) / "voice_kernel"
    with History("", data) as history:
        sessions = history.sessions(limit=1_000)
        states: Counter[str] = Counter()
        events = gaps = without_end = 0
        for session in sessions:
            tasks = history.tasks(session_id=session.id)
            states.update(past.task.state for past in tasks)
            seqs = []
            ended: set[int] = set()
            after = 0
            while page := history.events(session.id, after=after, limit=5_000):
                seqs += [event.seq for event in page]
                gaps += sum(event.kind == "gap" for event in page)
                ended |= {
                    event.task_id
                    for event in page
                    if event.task_id is not None and event.kind.removeprefix("task.") in ENDED
                }
                after = page[-1].seq
            events += len(seqs)
            gaps += len(set(range(1, len(seqs) + 1)) - set(seqs))
            without_end += len({past.task.id for past in tasks} - ended)
    with contextlib.closing(sqlite3.connect(data / "history.db")) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
    left = _processes_left()
    growth = memory[1] / memory[0]
    asked = steady.asked + mortal.asked
    unfinished = sum(states[state] for state in states if state not in ENDED)
    rows = [
        ("tasks asked for", asked, ""),
        ("tasks in the history", states.total(), ""),
        *((f"  {state}", count, "") for state, count in sorted(states.items())),
        ("tasks without a final state", unfinished, _well(unfinished == 0)),
        ("tasks whose end is no event", without_end, _well(without_end == 0)),
        ("kernels killed", mortal.kills + 1, ""),
        ("pages reloaded", steady.reloads + mortal.reloads, ""),
        ("sessions in the history", len(sessions), ""),
        ("events", events, ""),
        ("events missing", gaps, _well(gaps == 0)),
        ("processes left", len(left), _well(not left)),
        ("memory at 25 %", f"{memory[0] / 1e6:.0f} MB", ""),
        ("memory at the end", f"{memory[1] / 1e6:.0f} MB, {growth:.2f}x", _well(growth <= 1.1)),
        ("database", integrity, _well(integrity == "ok")),
        ("time", f"{took_s:.0f} s", ""),
    ]
    for name, value, verdict in rows:
        print(f"{name:<32}{value!s:>16}  {verdict}")
    for process in left:
        print("left:", process)
    return all(verdict != "NOT WELL" for _name, _value, verdict in rows)


def _well(fine: bool) -> str:
    return "ok" if fine else "NOT WELL"


def _processes_left() -> list[str]:
    mark = f"{MARK}={os.environ[MARK]}".encode()
    deadline = time.monotonic() + 10
    while True:
        left = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            with contextlib.suppress(OSError):
                if process.pid != os.getpid() and mark in Path(f"/proc/{process.pid}/environ").read_bytes():
                    left.append(f"{process.pid} {' '.join(process.info['cmdline'] or [])[:80]}")
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds")
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="voice-kernel-soak-"))
    work = folder / "work"
    work.mkdir()
    os.environ[MARK] = uuid.uuid4().hex
    os.environ |= {"ALLOW_CLI_EXECUTION": "true", "JUPYTER_DATA_DIR": str(folder / "data")}
    try:
        well = asyncio.run(soak(options.tasks, options.limit, options.seed, work))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
