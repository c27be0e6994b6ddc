"""Configurations of MCP clients: read as they write them, written so that they can read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_kernel.errors import ToolError
from voice_kernel.tools.mcp.configs import exported, kept_apart, known_files, servers_of, shown, with_secrets
from voice_kernel.tools.mcp.secrets import Secrets
from voice_kernel.tools.mcp.serverfile import ServerFile
from voice_kernel.tools.mcp.servers import Server

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


def test_keys_in_arguments_and_addresses_become_secrets_too() -> None:
    args = ("-y", "fs", "--api-key", "k-1", "--token=t-2", "--header", "Authorization: Bearer b-3")
    args += ("-e", "DB_PASSWORD=p-4", "sk-abcdefghijklmnop", "/tmp")
    server = Server(name="files", command="npx", args=args)
    kept, secrets = kept_apart(server)
    assert kept.args == (
        "-y", "fs", "--api-key", "${API_KEY}", "--token=${TOKEN}", "--header",
        "Authorization: ${AUTHORIZATION}", "-e", "DB_PASSWORD=${DB_PASSWORD}", "${TOKEN_2}", "/tmp",
    )  # fmt: skip
    assert secrets["AUTHORIZATION"] == "Bearer b-3"
    assert tuple(with_secrets(part, secrets) for part in kept.args) == args
    assert kept_apart(kept) == (kept, {})
    assert not any(value in shown(server) for value in secrets.values())
    remote = Server(name="r", transport="http", url="https://example.com/mcp?api_key=k%2F1&page=2")
    kept, secrets = kept_apart(remote)
    assert kept.url == "https://example.com/mcp?api_key=${API_KEY}&page=2"
    assert with_secrets(kept.url, secrets, in_url=True) == remote.url
    assert servers_of(exported([kept]), "ours")[0].secrets == ("API_KEY",)


def test_vs_codes_comments_and_last_commas_are_read_over() -> None:
    text = """\ufeff{
      // my servers, see https://example.com
      "servers": {
        "time": {"command": "uvx", "args": ["a//b", "/* c */", "d,]",],}, /* two
        lines */
      },
    }"""
    [server] = servers_of(text, "mcp.json")
    assert server.args == ("a//b", "/* c */", "d,]")
    with pytest.raises(ToolError, match="line 4"):
        servers_of(text.replace('"uvx",', '"uvx"'), "mcp.json")


def test_configurations_of_other_clients_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    files = [project / ".vscode" / "mcp.json", home / ".config" / "Claude" / "claude_desktop_config.json"]
    for file in files:
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    assert known_files(project) == [str(file) for file in files]


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
