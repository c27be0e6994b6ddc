"""How long six MCP servers take to start: beside each other, and one after the other in the same run.

The peer is the same supervisor, asked for one server after the other. A seventh that never answers must not
hold the six up; it is waited for on its own.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from voice_kernel.tools.mcp import Secrets, ServerFile, Supervisor
from voice_kernel.tools.mcp.servers import Server

SERVER = Path(__file__).parents[1] / "mcp_server.py"
SIX = tuple(f"server-{number}" for number in range(6))
RUNS = 3
START_S = 30.0
BUDGET_PARALLEL, BUDGET_DEAD = 0.7, 1.2


def made(folder: Path, *, dead: bool) -> Supervisor:
    """Return a supervisor of six servers and, if wanted, a seventh that never answers."""
    file = ServerFile(folder / "mcp.json")
    for name in SIX:
        file.put(Server(name=name, command=sys.executable, args=(str(SERVER),)))
    if dead:
        file.put(Server(name="dead", command=sys.executable, args=(str(SERVER), "deaf")))
    secrets = Secrets(folder / "secrets.json", use_keyring=False)
    return Supervisor(file, secrets, start_s=START_S)


async def one_after_the_other() -> float:
    """Return the seconds until six servers run that are started in turn."""
    with tempfile.TemporaryDirectory() as folder:
        supervisor = made(Path(folder), dead=False)
        begin = time.perf_counter()
        for name in SIX:
            await supervisor.start(name)
        took = time.perf_counter() - begin
        await supervisor.close()
        return took


async def beside_each_other(*, dead: bool) -> float:
    """Return the seconds until six servers run that are started together."""
    with tempfile.TemporaryDirectory() as folder:
        supervisor = made(Path(folder), dead=dead)
        begin = time.perf_counter()
        starting = asyncio.ensure_future(supervisor.start_all(supervisor.names))
        running = asyncio.Event()

        def look(_: object) -> None:
            if all(supervisor.get(name).state == "running" for name in SIX):
                running.set()

        supervisor.on_change(look)
        await running.wait()
        took = time.perf_counter() - begin
        await supervisor.close()
        await starting
        return took


async def main() -> int:
    """Print the figures; returns 1 where one is out of its budget."""
    await beside_each_other(dead=False)  # files, caches
    serial, parallel, with_dead = [], [], []
    for _ in range(RUNS):  # in turn, so that whatever else the machine does meets all alike
        serial.append(await one_after_the_other())
        parallel.append(await beside_each_other(dead=False))
        with_dead.append(await beside_each_other(dead=True))
    one, two, three = map(statistics.median, (serial, parallel, with_dead))
    print(f"six servers, median of {RUNS}: each about {one / len(SIX):.2f} s to start")
    print(f"  one after the other         {one:6.2f} s")
    print(f"  beside each other           {two:6.2f} s   {two / one:.2f}x   (budget {BUDGET_PARALLEL}x)")
    print(f"  and a seventh that is dead  {three:6.2f} s   {three / two:.2f}x   (budget {BUDGET_DEAD}x)")
    return int(two > BUDGET_PARALLEL * one or three > BUDGET_DEAD * two)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
