"""How long what a command started lives on after its kernel was killed, and what a command costs.

The peer is a plain child in a session of its own (`subprocess`, `start_new_session=True`), which is what
keeps a command from dying of the kernel's interrupt; nothing ends it when the kernel is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from voice_kernel.task import process

RUNS = 15
LIMIT_S = 10.0
COMMAND = "touch pid-$BASHPID; setsid bash -c 'touch pid-$BASHPID; sleep 600; true' & sleep 600; true"
OWN = """
import asyncio, sys
from voice_kernel.task import process
asyncio.run(process.run(process.shell_argv(sys.argv[1]), pty=True))
"""
PEER = """
import subprocess, sys
subprocess.Popen(["/bin/bash", "-c", sys.argv[1]], start_new_session=True).wait()
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def after_kill(code: str) -> tuple[float, list[int]]:
    """Kill a kernel under a command; returns the seconds until all was gone, and what was not."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = subprocess.Popen([sys.executable, "-c", code, COMMAND], cwd=folder)
        while len(list(Path(folder).iterdir())) < 2:
            time.sleep(0.005)
        pids = [int(path.name.removeprefix("pid-")) for path in Path(folder).iterdir()]
        kernel.send_signal(signal.SIGKILL)
        begin = time.perf_counter()
        kernel.wait()
        while any(map(alive, pids)) and time.perf_counter() - begin < LIMIT_S:
            time.sleep(0.001)
        left = [pid for pid in pids if alive(pid)]
        return time.perf_counter() - begin, left


async def cost(pty: bool) -> float:
    begin = time.perf_counter()
    await process.run(["true"], pty=pty)
    return time.perf_counter() - begin


async def cancel() -> float:
    with tempfile.TemporaryDirectory() as folder:
        task = asyncio.create_task(process.run(process.shell_argv(COMMAND), cwd=folder, pty=True))
        while len(os.listdir(folder)) < 2:  # noqa: ASYNC110 - other processes make them
            await asyncio.sleep(0.005)
        begin = time.perf_counter()
        task.cancel()
        await asyncio.wait({task})
        return time.perf_counter() - begin


async def plain_cost() -> float:
    begin = time.perf_counter()
    await (await asyncio.create_subprocess_exec("true", start_new_session=True)).wait()
    return time.perf_counter() - begin


def show(name: str, values: list[float]) -> None:
    print(f"  {name:<52} median {statistics.median(values) * 1e3:7.1f} ms   most {max(values) * 1e3:7.1f} ms")


def main() -> int:
    print(f"A kernel is killed (SIGKILL) under `sleep 600` and a child of it, {RUNS} times:")
    runs = [after_kill(OWN) for _ in range(RUNS)]
    show("until both are gone", [seconds for seconds, _ in runs])
    left = [pid for _, pids in runs for pid in pids]
    global LIMIT_S
    limit, LIMIT_S = LIMIT_S, 1.0
    _, peers = after_kill(PEER)
    LIMIT_S = limit
    print(f"  left over: {len(left)}; of the peer (subprocess alone) after 1 s: {len(peers)} of 2")
    for pid in peers + left:
        os.kill(pid, signal.SIGKILL)
    print("A command in a running kernel:")
    show("cancelled with what it started", [asyncio.run(cancel()) for _ in range(RUNS)])
    show("`true`, from start to end", [asyncio.run(cost(False)) for _ in range(RUNS)])
    show("`true` in a terminal", [asyncio.run(cost(True)) for _ in range(RUNS)])
    show("`true` with asyncio alone (the peer)", [asyncio.run(plain_cost()) for _ in range(RUNS)])
    return 1 if left or statistics.median(seconds for seconds, _ in runs) > LIMIT_S else 0


if __name__ == "__main__":
    sys.exit(main())
