"""What it costs to run things on a Dask cluster: against running them directly, and against a bare Dask task.

The cluster is two workers in other processes on this machine, so that what is measured is the way there and
back, and not another machine's speed.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from distributed import LocalCluster

from voice_kernel.events import Hub
from voice_kernel.messages import About, Result, Task
from voice_kernel.task import process
from voice_kernel.task.dask import DaskExecutor
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import testing

RUNS = 9
TESTS = 500
FLOOD_LINES = 2_000_000
MAX_COST_S = 1.0


Act = Callable[[], Coroutine[Any, Any, Any]]


async def compared(name: str, acts: dict[str, Act], runs: int = RUNS) -> dict[str, float]:
    """Time each act in turn, so that whatever else the machine does meets all of them; print the medians."""
    times: dict[str, list[float]] = {who: [] for who in acts}
    for _ in range(runs):
        for who, act in acts.items():
            begin = time.perf_counter()
            own = await act()
            times[who].append(own if isinstance(own, float) else time.perf_counter() - begin)
    found = {who: statistics.median(taken) for who, taken in times.items()}
    print(f"  {name:<34}" + "   ".join(f"{who} {seconds * 1e3:8.1f} ms" for who, seconds in found.items()))
    return found


async def tested(executor: Executor, folder: Path) -> None:
    registry = Registry()
    testing.register(registry, cwd=lambda: folder, executor=executor)
    logs = LogFolder(folder / "logs")
    runner = Runner(Hub(About(version="bench")), lambda task_id: logs.open(f"task-{task_id}"))
    handle = runner.create(turn_id=1, tool="run_tests", arguments={}, title="run_tests", origin="text")
    spec = registry.get("run_tests")
    assert spec.handler is not None
    handler = spec.handler

    async def work(task: TaskHandle) -> Result:
        return await handler(task, spec.validate({}))

    task: Task = await runner.run(handle, work)
    assert task.state == "succeeded", task.problem
    assert task.result is not None
    assert task.result.tests is not None
    assert task.result.tests.passed == TESTS


async def flooded(executor: Executor) -> None:
    size = 0

    def take(data: bytes) -> None:
        nonlocal size
        size += len(data)

    await executor.run(process.shell_argv(f"seq {FLOOD_LINES}"), pty=True, on_output=take)
    assert size == sum(len(str(number)) + 1 for number in range(1, FLOOD_LINES + 1))


async def cancelled(executor: Executor) -> float:
    begun = asyncio.Event()
    task = asyncio.ensure_future(
        executor.run(
            process.shell_argv("echo begun; sleep 600 & sleep 600; true"), on_output=lambda _data: begun.set()
        )
    )
    await begun.wait()
    begin = time.perf_counter()
    task.cancel()
    await asyncio.wait({task})
    return time.perf_counter() - begin


async def measure(address: str, folder: Path) -> int:
    far = DaskExecutor(address)
    begin = time.perf_counter()
    await far.run(["true"])
    print(f"  first command, the connection with it: {time.perf_counter() - begin:.2f} s")

    client = await far._connected()

    async def bare() -> None:
        await client.submit(subprocess.call, ["true"], pure=False)

    def both(act: Callable[[Executor], Coroutine[Any, Any, Any]]) -> dict[str, Act]:
        return {"directly": lambda: act(LOCAL), "on Dask": lambda: act(far)}

    await compared("`true`", {**both(lambda where: where.run(["true"])), "bare Dask task": bare})
    cost = await compared(f"run_tests, {TESTS} tests", both(lambda where: tested(where, folder)), 5)
    more_s = cost["on Dask"] - cost["directly"]
    print(f"  overhead of run_tests on Dask: {more_s * 1e3:.0f} ms, {100 * more_s / cost['directly']:.0f}%")
    await compared(f"seq {FLOOD_LINES}, all of it", both(flooded), 3)
    await compared("cancelled with what it started", both(cancelled))
    await far.close()
    return 1 if more_s > MAX_COST_S else 0


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as name,
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        folder = Path(name)
        (folder / "pyproject.toml").touch()
        (folder / "test_many.py").write_text(
            f"import pytest\n@pytest.mark.parametrize('n', range({TESTS}))\ndef test_n(n): assert n >= 0\n"
        )
        os.chdir(folder)
        print("Two Dask workers in other processes, on loopback:")
        return asyncio.run(measure(cluster.scheduler_address, folder))


if __name__ == "__main__":
    sys.exit(main())
