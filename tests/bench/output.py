"""Output and many tasks: a flood, a chatty command, and 200 commands started at once.

The peers: `subprocess.run(capture_output=True)`, which keeps it all; IPython's `!command`, shown and into a
file; asyncio's own subprocesses.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from real_kernel import RealKernel

from voice_kernel.messages import Result, TaskChanged, TaskOutput, ToSurface
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import shell

TOTAL = 300_000_000
LOG_CAP = 100_000_000
MAX_GROWTH_MB = 30.0
CHATTY = "seq 1000000"
CHATTY_BYTES = 6_888_896
RUNS = 7
MANY = 200
COMMAND = f"yes 'a line of output, as programs write them by the million' | head -c {TOTAL}"


class Rss(threading.Thread):
    """Watches this process's memory."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.before = self.most = self.now()
        self.over = threading.Event()

    def now(self) -> float:
        """Resident memory in MB."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6

    def run(self) -> None:
        while not self.over.wait(0.01):
            self.most = max(self.most, self.now())

    def growth_mb(self) -> float:
        self.over.set()
        return max(self.most, self.now()) - self.before


class Sink:
    """Counts what surfaces would get."""

    def __init__(self) -> None:
        self.messages = 0
        self.characters = 0

    def publish(self, message: ToSurface) -> None:
        self.messages += 1
        if isinstance(message, TaskOutput):
            self.characters += len(message.text)


async def through_run_shell(logs: Path, command: str, sink: Sink) -> TaskHandle:
    registry = Registry()
    shell.register(registry)
    folder = LogFolder(logs, max_log_bytes=LOG_CAP)
    runner = Runner(sink, lambda task_id: folder.open(f"task-{task_id}"))
    handle = runner.create(turn_id=1, tool="run_shell", arguments={}, title="run_shell", origin="text")
    spec = registry.get("run_shell")

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        assert spec.handler is not None
        return await spec.handler(task, spec.validate({"command": command}))

    await runner.run(handle, work)
    return handle


async def seconds_of(logs: Path) -> float:
    begin = time.perf_counter()
    task = (await through_run_shell(logs, CHATTY, Sink())).task
    assert task.output_bytes == CHATTY_BYTES, task
    return time.perf_counter() - begin


def terminal_alone() -> float:
    """Read the command's terminal and throw it away: what no program that shows output can beat."""
    begin = time.perf_counter()
    ours, its = os.openpty()
    attributes = termios.tcgetattr(its)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(its, termios.TCSANOW, attributes)
    process = subprocess.Popen(["/bin/bash", "-c", CHATTY], stdout=its)
    os.close(its)
    size = 0
    with contextlib.suppress(OSError):  # its other end is closed
        while data := os.read(ours, 65_536):
            size += len(data)
    process.wait()
    os.close(ours)
    assert size == CHATTY_BYTES
    return time.perf_counter() - begin


def in_a_kernel(kernel: RealKernel, code: str) -> tuple[float, int, int]:
    """Return the seconds until the kernel is idle again, the messages, and their characters."""
    begin = time.perf_counter()
    cell = kernel.execute(code).expect_ok()
    return time.perf_counter() - begin, len(cell.messages), len(json.dumps(cell.messages, default=str))


def chatty(logs: Path, folder: Path) -> bool:
    print(f"\nA chatty command, `{CHATTY}` ({CHATTY_BYTES / 1e6:.1f} MB), median of {RUNS}:")

    def show(name: str, values: list[float], more: str = "") -> float:
        median = statistics.median(values)
        print(f"  {name:<58} {median * 1e3:7.0f} ms  {more}")
        return median

    into_file = f"{CHATTY} > {shlex.quote(str(folder / 'numbers'))}"

    def plain() -> float:
        begin = time.perf_counter()
        subprocess.run(["/bin/bash", "-c", into_file], check=True)
        return time.perf_counter() - begin

    show("bash, into a file", [plain() for _ in range(RUNS)])
    show("a terminal that is read and thrown away", [terminal_alone() for _ in range(RUNS)])
    show("run_shell: whole log, tail for the card", [asyncio.run(seconds_of(logs)) for _ in range(RUNS)])
    environment = {"ALLOW_CLI_EXECUTION": "true", "VOICE_KERNEL_LOG_DIR": str(logs)}
    kernel = RealKernel(folder, setup="%load_ext voice_kernel\n%voice list tasks", environment=environment)
    try:
        medians = {}
        for name, code in (
            ("IPython, !seq into a file", f"!{into_file}"),
            ("IPython, !seq shown", f"!{CHATTY}"),
            ("%voice: understood, log, card, tail", f"%voice run shell command {CHATTY}"),
        ):
            runs = [in_a_kernel(kernel, code) for _ in range(RUNS)]
            messages, characters = (round(statistics.median(run[at] for run in runs)) for at in (1, 2))
            more = f"{messages} messages, {characters / 1e3:,.0f} thousand characters"
            medians[name] = show(name, [run[0] for run in runs], more)
    finally:
        kernel.shut_down()
    _file, shown, ours = medians.values()
    print(f"  %voice takes {ours / shown:.2f} times what IPython takes to show it")
    return ours < shown


async def many_at_once(logs: Path) -> tuple[float, bool, int]:
    """Start `MANY` commands through the door at once; returns seconds, whether in order, messages."""
    sink, registry, folder = Told(), Registry(), LogFolder(logs)
    shell.register(registry)
    runner = Runner(sink, lambda task_id: folder.open(f"task-{task_id}"))

    async def nobody() -> bool:
        return False

    toolbox = Toolbox(registry, Policy(shell_allowed=True), Approvals(sink, nobody), runner)
    begin = time.perf_counter()
    calls = [
        toolbox.call("run_shell", {"command": f"echo {number}"}, turn_id=1, origin="text")
        for number in range(MANY)
    ]
    tasks = await asyncio.gather(*calls)
    seconds = time.perf_counter() - begin
    assert {task.state for task in tasks} == {"succeeded"}
    return seconds, sink.started == sorted(sink.started), sink.messages


async def many_peers() -> float:
    """The same with asyncio alone, four at a time."""
    four = asyncio.Semaphore(4)

    async def one(number: int) -> None:
        async with four:
            process = await asyncio.create_subprocess_shell(f"echo {number}", stdout=asyncio.subprocess.PIPE)
            await process.communicate()

    begin = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(MANY)))
    return time.perf_counter() - begin


class Told(Sink):
    """Notes in which order tasks began to run."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[int] = []

    def publish(self, message: ToSurface) -> None:
        super().publish(message)
        # A task is told again as it changes: the first time counts.
        running = isinstance(message, TaskChanged) and message.task.state == "running"
        if running and message.task.id not in self.started:
            self.started.append(message.task.id)


def at_once(logs: Path) -> bool:
    rss = Rss()
    rss.start()
    seconds, in_order, messages = asyncio.run(many_at_once(logs))
    growth = rss.growth_mb()
    peer = asyncio.run(many_peers())
    print(f"\n{MANY} commands started at once, four at a time:")
    print(f"  as tasks: {seconds:.1f} s ({seconds / MANY * 1e3:.1f} ms each), memory grew by {growth:.1f} MB")
    print(f"  started in the order asked for: {in_order}; messages to the surfaces: {messages}")
    print(f"  the peer, asyncio's subprocesses behind a semaphore: {peer:.1f} s")
    return in_order and growth < MAX_GROWTH_MB


def flood() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(through_run_shell(Path(folder), "echo warm", Sink()))
        sink, rss, begin = Sink(), Rss(), time.perf_counter()
        rss.start()
        task = asyncio.run(through_run_shell(Path(folder), COMMAND, sink)).task
        seconds, growth = time.perf_counter() - begin, rss.growth_mb()
        log = Path(task.log_path)
        end = subprocess.run(["tail", "-n", "1", str(log)], capture_output=True, text=True).stdout.strip()
        size = log.stat().st_size
    print(f"  {TOTAL / 1e6:.0f} MB through run_shell: {seconds:.1f} s, memory grew by {growth:.1f} MB")
    print(f"  to the surfaces: {sink.messages} messages, {sink.characters / 1e3:.0f} thousand characters")
    cut_mb = task.log_cut_bytes / 1e6
    print(f"  log of {size / 1e6:.1f} MB (cap {LOG_CAP / 1e6:.0f}), {cut_mb:.0f} MB cut; it ends:")
    print(f"    {end}")
    peer, begin = Rss(), time.perf_counter()
    peer.start()
    kept = subprocess.run(["/bin/bash", "-c", COMMAND], capture_output=True)
    print(
        f"  the peer, subprocess.run(capture_output=True): {time.perf_counter() - begin:.1f} s, "
        f"memory grew by {peer.growth_mb():.1f} MB"
    )
    whole = task.output_bytes == len(kept.stdout) == TOTAL
    return whole and growth < MAX_GROWTH_MB and "cut here" in end


def main() -> int:
    good = [flood()]
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        good += [chatty(logs, Path(folder)), at_once(logs)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
