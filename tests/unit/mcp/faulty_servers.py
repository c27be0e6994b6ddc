"""Real servers for the tests of MCP, and looks at what runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from voice_kernel.tools.mcp.running import RunningServer
from voice_kernel.tools.mcp.servers import Server

FAULTY = Path(__file__).parents[2] / "mcp_server.py"
LIMIT_S = 60.0


def faulty(name: str = "faulty", fault: str = "", **changes: object) -> Server:
    """Return the definition of a server with a fault."""
    return Server(
        name=name, command=sys.executable, args=(str(FAULTY), *([fault] if fault else [])), **changes
    )


async def until(true: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Wait for a state that others bring about."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - the state belongs to other processes
            await asyncio.sleep(0.01)


class Clock:
    """The clock of the running loop, to be turned on by hand: a long wait is over without anybody waiting."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        real = loop.time
        self._ahead_s = 0.0
        loop.time = lambda: real() + self._ahead_s  # type: ignore[method-assign]

    def turn(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead_s += seconds


def below() -> dict[int, str]:
    """Return the command lines of all living processes that this one has started, by their numbers."""
    found = {}
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                found[child.pid] = " ".join(child.cmdline())
        except psutil.NoSuchProcess:
            continue
    return found


def below_since(before: dict[int, str]) -> list[str]:
    """Return those that live and were not there before; of the others, some may have ended meanwhile."""
    return [line for pid, line in below().items() if pid not in before]


Run = Callable[..., RunningServer]
