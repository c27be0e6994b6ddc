"""What the tests of MCP servers share: real servers, under real supervision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from faulty_servers import LIMIT_S, Run, faulty

from voice_kernel.tools.mcp import stdio
from voice_kernel.tools.mcp.running import RunningServer


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time to tell how a process ended."""
    monkeypatch.setattr(stdio, "LAST_WORDS_S", LIMIT_S)


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    """Give a function that makes a server under supervision; all are stopped in the end."""
    made: list[RunningServer] = []

    def make(fault: str = "", secrets: dict[str, str] | None = None, **limits: float) -> RunningServer:
        values = secrets or {}
        server = faulty(fault=fault, secrets=tuple(values))
        made.append(RunningServer(server, values.get, lambda _: None, **limits))
        return made[-1]

    yield make
    await asyncio.gather(*(running.stop() for running in made))
