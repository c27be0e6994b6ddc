"""300 MB of output through run_shell: what the kernel's memory makes of it, and what the log keeps.

The peer is what `!command` and `subprocess.run(capture_output=True)` do: keep it all.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from voice_kernel.messages import Result, TaskOutput, ToSurface
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import shell

TOTAL = 300_000_000
LOG_CAP = 100_000_000
MAX_GROWTH_MB = 30.0
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


def main() -> int:
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
    return 0 if whole and growth < MAX_GROWTH_MB and "cut here" in end else 1


if __name__ == "__main__":
    sys.exit(main())
