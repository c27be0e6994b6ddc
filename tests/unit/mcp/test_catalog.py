"""The registry: finding servers, and what running one would mean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mcp_registry import registry

from voice_kernel.errors import ToolError, WebError
from voice_kernel.tools.mcp.catalog import Catalog, Offer, filled
from voice_kernel.tools.mcp.commands import chosen, consent


@pytest.fixture(scope="module")
def catalog() -> Iterator[Catalog]:
    with registry() as url:
        yield Catalog(url)


async def only(catalog: Catalog, name: str) -> Offer:
    return chosen(name, "", await catalog.find(name))


async def test_a_package_of_pypi_is_run_with_its_version_pinned(catalog: Catalog) -> None:
    offer = await only(catalog, "io.github.modelcontextprotocol/time")
    assert offer.server.command == "uvx"
    assert offer.server.args[0] == f"mcp-server-time=={offer.server.version}"
    assert offer.server.args[1:] == ("--local-timezone", "UTC")


async def test_a_package_of_npm_is_run_with_its_version_pinned(catalog: Catalog) -> None:
    offer = await only(catalog, "everything")
    assert offer.server.command == "npx"
    assert offer.server.args == ("-y", f"@modelcontextprotocol/server-everything@{offer.server.version}")


async def test_secrets_are_asked_by_name_and_never_part_of_a_command(catalog: Catalog) -> None:
    server = (await only(catalog, "vault")).server
    assert server.secrets == ("VAULT_TOKEN",)
    assert server.args == (
        "run",
        "-i",
        "--rm",
        "-e",
        "VAULT_REGION",
        "-e",
        "VAULT_TOKEN",
        "ghcr.io/example/vault:1.2.3",
    )
    assert server.env == {"VAULT_REGION": "eu"}
    remote = (await only(catalog, "weather")).server
    assert (remote.transport, remote.url, remote.secrets) == (
        "http",
        "https://weather.example.com/mcp",
        ("Authorization",),
    )


async def test_what_must_be_known_first_is_asked_with_the_way_to_say_it(catalog: Catalog) -> None:
    offer = await only(catalog, "filesystem")
    with pytest.raises(ToolError, match="folder: Folder that may be used") as caught:
        filled(offer, {})
    assert "--set folder=..." in caught.value.hint
    assert filled(offer, {"folder": "/data"}).args[-1] == "/data"


async def test_several_of_one_name_are_told_apart_by_their_publishers(catalog: Catalog) -> None:
    found = await catalog.find("time")
    with pytest.raises(ToolError, match=r"time by io\.github\.modelcontextprotocol; time by org\.other"):
        chosen("time", "", found)
    assert chosen("time", "model context protocol", found).publisher == "io.github.modelcontextprotocol"


async def test_an_entry_that_is_no_package_name_is_left_out(catalog: Catalog) -> None:
    assert await catalog.find("com.evil/shell") == []


async def test_a_card_shows_the_whole_command(catalog: Catalog) -> None:
    text = consent((await only(catalog, "vault")).server, "com.example")
    assert "runs docker run -i --rm -e VAULT_REGION -e VAULT_TOKEN ghcr.io/example/vault:1.2.3" in text
    assert "gets the secrets VAULT_TOKEN" in text
    assert "published by com.example" in text
    assert "version 1.2.3" in text


async def test_a_registry_that_is_not_there_is_said() -> None:
    with pytest.raises(WebError, match="registry of MCP servers did not answer"):
        await Catalog("http://127.0.0.1:9").search("time")
