"""The MCP servers a person has: what is kept of them, in a file that other clients can read.

    {"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time==2026.10.19"]}}}

The form is that of Claude Desktop, Cursor and Claude Code; what only we know stands under `voice_kernel` in
each entry. Values of secrets are never in this file (see secrets.py), only their names.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voice_kernel.errors import ToolError

MAX_SERVERS = 100
MAX_FILE_BYTES = 1_000_000
SECRET = re.compile(r"key|token|secret|passw|credential|auth|cookie", re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,59}")


class Server(BaseModel):
    """One configured server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME.pattern)
    transport: Literal["stdio", "http", "sse"] = "stdio"
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    """Plain values; a name without a value here is a secret."""
    secrets: tuple[str, ...] = ()
    """Names of environment variables, or headers of a remote server, whose values are kept as secrets."""
    url: str = ""
    headers: dict[str, str] = {}
    registry_name: str = ""
    """Its name in the registry it was installed from, e.g. `io.github.ada/time`."""
    version: str = ""
    off: tuple[str, ...] = ()
    """Tools that are switched off."""
    autostart: bool = False

    @property
    def what(self) -> str:
        """The command line or address, for a person."""
        return self.url or " ".join([self.command, *self.args])


class ServerFile:
    """The file of servers.

    Args:
        path: where it is; made when a server is first added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Server]:
        """Return the servers by name.

        Raises:
            ToolError: the file cannot be read; it is left as it is.
        """
        try:
            text = self._path.read_text("utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise ToolError(f"{self._path} cannot be read ({type(error).__name__}).") from None
        return {server.name: server for server in servers_of(text, str(self._path))}

    def stamp(self) -> object:
        """Return what is another value once the file has changed; cheap."""
        try:
            about = self._path.stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def put(self, server: Server) -> None:
        """Add a server, or replace the one of its name."""
        servers = self.read()
        servers[server.name] = server
        if len(servers) > MAX_SERVERS:
            raise ToolError(f"There are {MAX_SERVERS} servers already.", hint="Remove one first.")
        self._write(servers)

    def remove(self, name: str) -> None:
        """Forget a server."""
        servers = self.read()
        servers.pop(name, None)
        self._write(servers)

    def _write(self, servers: Mapping[str, Server]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = exported(servers.values(), ours=True)
        fd, half = tempfile.mkstemp(dir=self._path.parent, prefix=".mcp-", suffix=".json")  # mode 0600
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(half, self._path)
        except BaseException:
            os.unlink(half)
            raise


def servers_of(text: str, source: str) -> list[Server]:
    """Read servers from the configuration of a client: `mcpServers`, or `servers` as VS Code has it.

    Args:
        text: JSON.
        source: its name, for messages.

    Raises:
        ToolError: it is no such configuration; says where.
    """
    if len(text) > MAX_FILE_BYTES:
        raise ToolError(f"{source} is too large for a list of servers.")
    try:
        known = json.loads(text)
    except ValueError as error:
        raise ToolError(f"{source} is no JSON: {error}.") from None
    if not isinstance(known, dict):
        raise ToolError(f"{source} lists no servers.", hint='It should begin with {"mcpServers": {...}}.')
    listed = known.get("mcpServers", known.get("servers"))
    if not isinstance(listed, dict):
        raise ToolError(f"{source} lists no servers.", hint='It should begin with {"mcpServers": {...}}.')
    return [_server(name, entry, source) for name, entry in listed.items()]


def kept_apart(server: Server) -> tuple[Server, dict[str, str]]:
    """Return a server whose secrets have left it, as far as their names tell, and the secrets.

    Other clients keep keys in the clear among the plain values.
    """
    plain = server.headers if server.url else server.env
    hidden = {name: value for name, value in plain.items() if SECRET.search(name)}
    left = {name: value for name, value in plain.items() if name not in hidden}
    changes: dict[str, Any] = {"headers" if server.url else "env": left}
    changes["secrets"] = tuple(dict.fromkeys([*server.secrets, *hidden]))
    return server.model_copy(update=changes), hidden


def exported(servers: Any, *, ours: bool = False) -> str:
    """Return servers as the configuration of other clients; secrets by name only, as `${NAME}`."""
    listed: dict[str, Any] = {}
    for server in servers:
        entry: dict[str, Any] = {}
        if server.transport == "stdio":
            entry = {"command": server.command, "args": list(server.args)}
            env = server.env | {name: f"${{{name}}}" for name in server.secrets}
            if env:
                entry["env"] = env
        else:
            entry = {"type": server.transport, "url": server.url}
            headers = server.headers | {name: f"${{{name}}}" for name in server.secrets}
            if headers:
                entry["headers"] = headers
        if ours:
            entry["voice_kernel"] = server.model_dump(
                include={"registry_name", "version", "off", "autostart", "secrets"}, mode="json"
            )
        listed[server.name] = entry
    return json.dumps({"mcpServers": listed}, indent=2) + "\n"


def _server(name: str, entry: Any, source: str) -> Server:
    if not isinstance(entry, dict):
        raise ToolError(f"{source}: {name} is no server.")
    ours = entry.get("voice_kernel") or {}
    url = entry.get("url") or entry.get("serverUrl") or ""
    kind = {"streamable-http": "http", "streamableHttp": "http"}.get(entry.get("type", ""), entry.get("type"))
    values = entry.get("headers" if url else "env") or {}
    # `${NAME}` stands for a secret of that name, in our own files and in VS Code's (`${input:NAME}`).
    holes = {key: re.fullmatch(r"\$\{(?:input:|env:)?[\w.-]+\}", str(value)) for key, value in values.items()}
    plain = {key: str(value) for key, value in values.items() if not holes[key]}
    safe = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "server"
    try:
        return Server(
            name=safe[:60],
            transport="sse" if kind == "sse" else "http" if url else "stdio",
            command=entry.get("command", ""),
            args=tuple(map(str, entry.get("args", ()))),
            env={} if url else plain,
            headers=plain if url else {},
            url=url,
            secrets=tuple(dict.fromkeys([key for key in values if holes[key]])),
            registry_name=ours.get("registry_name", ""),
            version=ours.get("version", ""),
            off=tuple(ours.get("off", ())),
            autostart=bool(ours.get("autostart", False)),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ToolError(f"{source}: {name}: {first['msg']}.") from None
