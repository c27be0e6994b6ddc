"""The file of the MCP servers that a person has; other clients can read it, and write it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.tools.mcp.configs import exported, servers_of
from voice_kernel.tools.mcp.servers import Server

MAX_SERVERS = 100


class ServerFile:
    """The file of servers, in the form that other clients read (see configs.py).

    What only we know stands under `voice_kernel` in each entry.

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
            raise ToolError(
                _("{path} cannot be read ({name}).").format(path=self._path, name=type(error).__name__)
            ) from None
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
            raise ToolError(
                _("There are {count} servers already.").format(count=MAX_SERVERS), hint=_("Remove one first.")
            )
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
