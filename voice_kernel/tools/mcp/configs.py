"""The configurations of other MCP clients: where they are, and how they are read and written.

    {"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time==2026.10.19"]}}}

is the form of Claude Desktop, Cursor and Claude Code; VS Code has `servers`, comments and `${input:...}`.
Others keep keys in the clear, among arguments and in addresses too: here they become `${NAME}`, and what
stands for them is a secret.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from pydantic import ValidationError

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.tools.mcp.servers import HOLE, Server

MAX_FILE_BYTES = 1_000_000

SECRET = re.compile(r"key|token|secret|passw|credential|auth|cookie|\bpat\b|bearer", re.IGNORECASE)
TOKEN = re.compile(
    r"(?:sk|pk|rk)[-_][\w-]{12,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|hf_\w{16,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
)
"""What a key looks like, whatever it is called. Source: the prefixes their issuers document."""
_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')


def known_files(folder: Path) -> list[str]:
    """Return the configurations of other clients that are here. Blocking.

    Args:
        folder: of the project.
    """
    home = Path.home()
    data = Path(os.environ.get("APPDATA") or os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    mac = home / "Library" / "Application Support"
    places = [
        folder / ".mcp.json",
        folder / ".vscode" / "mcp.json",
        folder / ".cursor" / "mcp.json",
        home / ".claude.json",
        home / ".cursor" / "mcp.json",
        home / ".codeium" / "windsurf" / "mcp_config.json",
        *(base / "Claude" / "claude_desktop_config.json" for base in (data, mac)),
        *(base / "Code" / "User" / "mcp.json" for base in (data, mac)),
    ]
    return [str(path) for path in places if path.is_file()]


def servers_of(text: str, source: str) -> list[Server]:
    """Read servers from the configuration of a client: `mcpServers`, or `servers` as VS Code has it.

    Args:
        text: JSON, with comments and commas too many as VS Code allows them.
        source: its name, for messages.

    Raises:
        ToolError: it is no such configuration; says where.
    """
    if len(text) > MAX_FILE_BYTES:
        raise ToolError(_("{source} is too large for a list of servers.").format(source=source))
    try:
        known = json.loads(without_comments(text))
    except ValueError as error:
        raise ToolError(_("{source} is no JSON: {error}.").format(source=source, error=error)) from None
    if not isinstance(known, dict):
        raise _no_list(source)
    listed = known.get("mcpServers", known.get("servers"))
    if not isinstance(listed, dict):
        raise _no_list(source)
    return [_server(name, entry, source) for name, entry in listed.items()]


def _no_list(source: str) -> ToolError:
    return ToolError(
        _("{source} lists no servers.").format(source=source),
        hint=_("It should begin with {beginning}.").format(beginning='{"mcpServers": {...}}'),
    )


def without_comments(text: str) -> str:
    """Return JSON without comments and trailing commas, in as many lines as before."""

    def blank(found: re.Match[str]) -> str:
        piece = found[0]
        return piece if piece.startswith('"') else "\n" * piece.count("\n") or " "

    bare = _COMMENT.sub(blank, text.removeprefix("\ufeff"))
    return _TRAILING.sub(lambda found: found[0] if found[0] != "," else "", bare)


def kept_apart(server: Server) -> tuple[Server, dict[str, str]]:
    """Return a server whose secrets have left it, and the secrets.

    They are known by what they are called (`API_KEY`, `--token`, `Authorization`) and by what they look like.
    """
    plain = server.headers if server.url else server.env
    hidden = {
        name: value
        for name, value in plain.items()
        if (SECRET.search(name) or TOKEN.search(value)) and not HOLE.search(value)
    }
    left = {name: value for name, value in plain.items() if name not in hidden}
    taken = set(plain) | set(server.secrets)
    args, found = _args_apart(server.args, taken)
    url, more = _url_apart(server.url, taken | set(found))
    hidden |= found | more
    changes: dict[str, Any] = {"headers" if server.url else "env": left, "args": args, "url": url}
    changes["secrets"] = tuple(dict.fromkeys([*server.secrets, *hidden]))
    return server.model_copy(update=changes), hidden


def shown(server: Server) -> str:
    """Return a server's command line or address for a person, without what looks like a secret."""
    return kept_apart(server)[0].what


def exported(servers: Iterable[Server], *, ours: bool = False) -> str:
    """Return servers as the configuration of other clients; secrets by name only, as `${NAME}`."""
    listed: dict[str, Any] = {}
    for server in servers:
        entry: dict[str, Any] = {}
        named = {name: f"${{{name}}}" for name in server.secrets if name not in server.holes}
        if server.transport == "stdio":
            entry = {"command": server.command, "args": list(server.args)}
            if server.env or named:
                entry["env"] = server.env | named
        else:
            entry = {"type": server.transport, "url": server.url}
            if server.headers or named:
                entry["headers"] = server.headers | named
        if ours:
            entry["voice_kernel"] = server.model_dump(
                include={"registry_name", "version", "off", "autostart", "secrets", "optional"}, mode="json"
            )
        listed[server.name] = entry
    return json.dumps({"mcpServers": listed}, indent=2) + "\n"


def _args_apart(args: tuple[str, ...], taken: Collection[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    left: list[str] = []
    hidden: dict[str, str] = {}

    def hide(name: str, value: str) -> str:
        if not value or HOLE.search(value):
            return value  # it is apart already
        called = _named(name, {*taken, *hidden})
        hidden[called] = value
        return f"${{{called}}}"

    before = ""
    for arg in args:
        option, joined, value = arg.partition("=")
        header = re.match(r"([\w-]+):\s*(.+)", arg)
        if arg.startswith("-") and joined and SECRET.search(option):
            left.append(f"{option}={hide(option, value)}")
        elif SECRET.search(before) and not arg.startswith("-"):
            left.append(hide(before, arg))
        elif header and SECRET.search(header[1]):
            left.append(f"{header[1]}: {hide(header[1], header[2])}")
        elif not arg.startswith("-") and joined and SECRET.search(option) and option.isidentifier():
            left.append(f"{option}={hide(option, value)}")  # docker run -e KEY=value
        else:
            left.append(TOKEN.sub(lambda found: hide("TOKEN", found[0]), arg))
        before = arg if arg.startswith("-") and "=" not in arg else ""
    return tuple(left), hidden


def _url_apart(url: str, taken: Collection[str]) -> tuple[str, dict[str, str]]:
    hidden: dict[str, str] = {}

    def hide(name: str, value: str) -> str:
        if HOLE.search(value):
            return value
        called = _named(name, {*taken, *hidden})
        hidden[called] = unquote(value)
        return f"${{{called}}}"

    url = re.sub(
        r"([?&;])([^=&#;]+)=([^&#;]+)",
        lambda one: f"{one[1]}{one[2]}={hide(one[2], one[3]) if SECRET.search(one[2]) else one[3]}",
        url,
    )
    url = re.sub(r"(://[^/@:]+:)([^/@]+)@", lambda one: f"{one[1]}{hide('PASSWORD', one[2])}@", url)
    return TOKEN.sub(lambda found: hide("TOKEN", found[0]), url), hidden


def _named(name: str, taken: Collection[str]) -> str:
    plain = re.sub(r"\W+", "_", name).strip("_").upper() or "SECRET"
    called, number = plain, 2
    while called in taken:
        called, number = f"{plain}_{number}", number + 1
    return called


def with_secrets(text: str, values: dict[str, str], *, in_url: bool = False) -> str:
    """Return an argument or address with the secrets that `${NAME}` stands for."""

    def fill(hole: re.Match[str]) -> str:
        value = values.get(hole[1])
        return hole[0] if value is None else quote(value, safe="") if in_url else value

    return HOLE.sub(fill, text)


def _server(name: str, entry: Any, source: str) -> Server:
    if not isinstance(entry, dict):
        raise ToolError(_("{source}: {name} is no server.").format(source=source, name=name))
    ours = entry.get("voice_kernel") or {}
    url = _as_hole(entry.get("url") or entry.get("serverUrl") or "")
    kind = {"streamable-http": "http", "streamableHttp": "http"}.get(entry.get("type", ""), entry.get("type"))
    values = entry.get("headers" if url else "env") or {}
    args = tuple(_as_hole(part) for part in entry.get("args", ()))
    # `${NAME}` stands for a secret of that name, in our own files and in VS Code's (`${input:NAME}`).
    holes = {key: re.fullmatch(r"\$\{(?:input:|env:)?[\w.-]+\}", str(value)) for key, value in values.items()}
    plain = {key: _as_hole(value) for key, value in values.items() if not holes[key]}
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "server"
    inside = [hole for text in (*args, url, *plain.values()) for hole in HOLE.findall(text)]
    try:
        return Server(
            name=safe[:60],
            transport="sse" if kind == "sse" else "http" if url else "stdio",
            command=entry.get("command", ""),
            args=args,
            env={} if url else plain,
            headers=plain if url else {},
            url=url,
            secrets=tuple(dict.fromkeys([*(key for key in values if holes[key]), *inside])),
            registry_name=ours.get("registry_name", ""),
            version=ours.get("version", ""),
            off=tuple(ours.get("off", ())),
            autostart=bool(ours.get("autostart", False)),
            optional=tuple(ours.get("optional", ())),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ToolError(f"{source}: {name}: {first['msg']}.") from None


def _as_hole(part: Any) -> str:
    """Return a text with VS Code's `${input:NAME}` as `${NAME}`."""
    return re.sub(r"\$\{(?:input|env):([\w.-]+)\}", r"${\1}", str(part))
