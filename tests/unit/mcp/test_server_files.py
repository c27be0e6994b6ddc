"""Configurations of MCP clients: read as they write them, written so that they can read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_kernel.errors import ToolError
from voice_kernel.tools.mcp.secrets import Secrets
from voice_kernel.tools.mcp.servers import Server, ServerFile, exported, kept_apart, servers_of

CLAUDE = {
    "mcpServers": {"files": {"command": "npx", "args": ["-y", "fs", "/tmp"], "env": {"API_KEY": "k-12345"}}}
}
CURSOR = {
    "mcpServers": {
        "remote": {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer k-12345"}}
    }
}
VSCODE = {
    "inputs": [{"type": "promptString", "id": "token", "password": True}],
    "servers": {
        "github": {
            "type": "http",
            "url": "https://example.com/mcp/",
            "headers": {"X-Token": "${input:token}"},
        },
        "local": {"type": "stdio", "command": "uvx", "args": ["mcp-server-git"], "env": {"REGION": "eu"}},
    },
}


@pytest.mark.parametrize("theirs", [CLAUDE, CURSOR, VSCODE], ids=["Claude", "Cursor", "VS Code"])
def test_a_clients_servers_come_in_and_go_out_again_without_secrets(theirs: dict[str, object]) -> None:
    pairs = [kept_apart(server) for server in servers_of(json.dumps(theirs), "theirs")]
    servers = [server for server, _ in pairs]
    text = exported(servers)
    assert "k-12345" not in text
    assert servers_of(text, "ours") == servers


def test_keys_among_plain_values_are_found_by_their_names() -> None:
    [(server, secrets)] = [kept_apart(one) for one in servers_of(json.dumps(CLAUDE), "theirs")]
    assert secrets == {"API_KEY": "k-12345"}
    assert (server.env, server.secrets) == ({}, ("API_KEY",))
    [(remote, hidden)] = [kept_apart(one) for one in servers_of(json.dumps(CURSOR), "theirs")]
    assert hidden == {"Authorization": "Bearer k-12345"}
    assert remote.transport == "http"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mcpServers": 3}', '{"mcpServers": {"a": 3}}'])
def test_what_is_no_configuration_says_so(text: str) -> None:
    with pytest.raises(ToolError, match="theirs"):
        servers_of(text, "theirs")


def test_a_file_keeps_what_it_is_given(tmp_path: Path) -> None:
    file = ServerFile(tmp_path / "deep" / "mcp.json")
    assert file.read() == {}
    server = Server(
        name="time", command="uvx", args=("mcp-server-time",), off=("a",), autostart=True, version="1"
    )
    file.put(server)
    assert file.read() == {"time": server}
    before = file.stamp()
    file.remove("time")
    assert file.read() == {}
    assert file.stamp() != before


def test_a_damaged_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("{half")
    with pytest.raises(ToolError, match="no JSON"):
        ServerFile(path).put(Server(name="time", command="uvx"))
    assert path.read_text() == "{half"


def test_secrets_without_a_keyring_are_for_their_owner_only(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.json", use_keyring=False)
    secrets.put("time", "TOKEN", "hunter22")
    secrets.put("other", "TOKEN", "hunter33")
    assert secrets.get("time", "TOKEN") == "hunter22"
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    secrets.forget("time", ["TOKEN"])
    assert secrets.get("time", "TOKEN") is None
    assert secrets.get("other", "TOKEN") == "hunter33"
