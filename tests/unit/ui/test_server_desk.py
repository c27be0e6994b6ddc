"""What a page is told of MCP servers, and what it may hand over."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp_registry import registry

from voice_kernel.messages import (
    KeepSecret,
    ReadLog,
    ReadServer,
    SearchLog,
    SearchRegistry,
    ServersChanged,
)
from voice_kernel.tools.mcp import Catalog, Secrets, ServerFile, Supervisor, catalog
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.ui.servers import ServerDesk

FAULTY = Path(__file__).parents[2] / "mcp_server.py"
LIMIT_S = 60.0


class House:
    """A desk over real servers, with one page that watches."""

    def __init__(self, folder: Path, url: str) -> None:
        self.file = ServerFile(folder / "mcp.json")
        self.secrets = Secrets(folder / "secrets.json", use_keyring=False)
        self.supervisor = Supervisor(self.file, self.secrets)
        self.desk = ServerDesk(lambda: self.supervisor, lambda: Catalog(url), url, lambda: folder)
        self.told: asyncio.Queue[ServersChanged] = asyncio.Queue()

    def add(self, name: str = "helper", **changes: object) -> None:
        self.supervisor.put(Server(name=name, command=sys.executable, args=(str(FAULTY),), **changes))

    async def until(self, state: str, name: str = "helper", lines: int = 0) -> ServersChanged:
        """Return the first that is told of a server in a state, with so many lines in its log."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                told = await self.told.get()
                for one in told.servers:
                    if one.name == name and one.state == state and one.log_lines >= lines:
                        return told


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(catalog, "LIMIT_S", LIMIT_S)
    with registry() as url:
        made = House(tmp_path, url)
        yield made
        made.desk.watch(made, None)
        await made.supervisor.close()


async def test_whoever_watches_is_told_at_once_and_of_every_change(house: House) -> None:
    house.add()
    house.desk.watch(house, house.told.put_nowait)
    first = await house.until("stopped")
    assert first.servers[0].what.endswith("mcp_server.py")
    await house.supervisor.start("helper")
    running = (await house.until("running", lines=1)).servers[0]  # its greeting
    assert running.pid is not None
    assert running.tools > 5
    # What somebody does in a terminal counts too.
    ServerFile(house.file._path).put(Server(name="other", command="uvx"))
    await house.until("stopped", "other")
    await house.supervisor.stop("helper")
    await house.until("stopped")


async def test_details_name_tools_prompts_and_resources(house: House) -> None:
    house.add(off=("erase",))
    await house.supervisor.start("helper")
    details = await house.desk.details(ReadServer(id=1, server="helper"))
    tools = {one.name: one for one in details.tools}
    assert (tools["echo"].hint, tools["erase"].hint, tools["erase"].on) == ("reads", "destroys", False)
    assert tools["add"].arguments == ["a", "b"]
    assert [one.name for one in details.prompts] == ["greeting"]
    assert [one.name for one in details.resources] == ["memo://one", "memo://pixel"]
    unknown = await house.desk.details(ReadServer(id=2, server="nothing"))
    assert unknown.problem is not None


async def test_an_offer_says_all_that_would_run(house: House) -> None:
    found = await house.desk.offers(SearchRegistry(id=1, query="vault"))
    [offer] = found.offers
    assert "docker run -i --rm -e" in offer.runs
    assert "gets the secrets VAULT_TOKEN" in offer.runs
    assert [(one.name, one.secret) for one in offer.questions] == [("VAULT_TOKEN", True)]
    assert not offer.installed


async def test_a_secret_is_kept_and_never_told(house: House, tmp_path: Path) -> None:
    house.add(secrets=("TOKEN",))
    house.desk.watch(house, house.told.put_nowait)
    assert (await house.until("stopped")).servers[0].missing == ["TOKEN"]
    request = KeepSecret(id=1, server="helper", name="TOKEN", value="hunter22")
    assert "hunter22" not in repr(request) + request.model_dump_json()
    assert (await house.desk.keep(request)).problem is None
    assert json.loads((tmp_path / "secrets.json").read_text()) == {"helper/TOKEN": "hunter22"}
    told = await asyncio.wait_for(house.told.get(), LIMIT_S)
    assert told.servers[0].missing == []
    assert "hunter22" not in told.model_dump_json()
    await house.desk.keep(KeepSecret(id=2, server="helper", name="TOKEN", value=""))
    assert house.secrets.get("helper", "TOKEN") is None


async def test_a_log_is_read_and_searched(house: House) -> None:
    house.add()
    await house.supervisor.start("helper")
    running = house.supervisor.get("helper")
    async with asyncio.timeout(LIMIT_S):
        while not running.log_lines:  # noqa: ASYNC110  its greeting comes by a way of its own
            await asyncio.sleep(0.01)
    for number in range(3_000):
        running.note(f"line {number}")
    page = await house.desk.page(ReadLog(id=1, server="helper", first_line=-2, lines=2))
    assert page.lines == ["[voice_kernel] line 2998", "[voice_kernel] line 2999"]
    assert page.total_lines == running.log_lines > 3_000
    old = await house.desk.page(ReadLog(id=2, server="helper", first_line=0, lines=5))
    assert old.lines == [""] * 5  # not kept any more, and said so by nothing
    hits = await house.desk.hits(SearchLog(id=3, server="helper", query="LINE 2999", limit=5))
    assert [hit.line for hit in hits.hits] == [page.total_lines - 1]
    assert (await house.desk.page(ReadLog(id=4, server="gone"))).problem is not None
