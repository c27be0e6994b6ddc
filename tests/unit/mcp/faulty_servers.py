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
LIMIT_S = 30.0


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


def below() -> list[str]:
    """Return the command lines of all living processes that this one has started."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(child.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return found


Run = Callable[..., RunningServer]
