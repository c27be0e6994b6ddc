"""Several servers at once: each apart from the others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from faulty_servers import LIMIT_S, below, below_since, faulty, until

from voice_kernel.errors import ToolError
from voice_kernel.tools.mcp import Secrets, ServerFile, Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    secrets = Secrets(tmp_path / "secrets.json", use_keyring=False)
    return Supervisor(ServerFile(tmp_path / "mcp.json"), secrets, start_s=2 * LIMIT_S)


async def test_a_dead_server_holds_none_of_the_others_up(supervisor: Supervisor) -> None:
    before = below()
    supervisor.put(faulty("dead", "deaf"))
    supervisor.put(faulty("broken", "crash"))
    for name in ("one", "two"):
        supervisor.put(faulty(name))
    starting = asyncio.ensure_future(supervisor.start_all(supervisor.names))
    await until(lambda: all(supervisor.get(name).state == "running" for name in ("one", "two")))
    assert supervisor.get("dead").state == "starting"
    assert (await supervisor.get("one").call("echo", {"text": "hi"})).content[0].text == "hi"
    await supervisor.close()
    ended = await starting
    assert ended["one"] is None
    assert isinstance(ended["dead"], ToolError)
    assert "exit status 3" in str(ended["broken"])
    await until(lambda: not below_since(before))  # what a busy machine does not end in time ends by itself


async def test_only_those_marked_so_are_to_start_with_a_session(supervisor: Supervisor) -> None:
    supervisor.put(faulty("one", autostart=True))
    supervisor.put(faulty("two"))
    assert supervisor.to_start() == ["one"]
