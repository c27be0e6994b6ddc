"""All the MCP servers of a session: those of the file, started and stopped, each apart from the others.

Reads the file again whenever it has changed, so that what is done in a terminal counts here at once. Does
not know what is made of the servers' tools: whoever wants to know of changes says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path

from voice_kernel.context import nearest
from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.tools.mcp.people import People
from voice_kernel.tools.mcp.running import START_S, RunningServer
from voice_kernel.tools.mcp.secrets import Secrets
from voice_kernel.tools.mcp.serverfile import ServerFile
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.signin import OAUTH

CLOSE_S = 6.0


class Supervisor:
    """The servers by name.

    Args:
        file: which there are.
        secrets: where their secrets are.
        start_s: how long one may take to answer first, in seconds.
        people: who can be asked while a tool runs.
        root: the folder that servers are told of as the one to work in.
    """

    def __init__(
        self,
        file: ServerFile,
        secrets: Secrets,
        *,
        start_s: float = START_S,
        people: People | None = None,
        root: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self.secrets = secrets
        self._people = people
        self._root = root
        self._file = file
        self._start_s = start_s
        self._running: dict[str, RunningServer] = {}
        self._listeners: list[Callable[[RunningServer], None]] = []
        self._stamp: object = None

    def on_change(self, listener: Callable[[RunningServer], None]) -> None:
        """Have a function told of every change of a server's state, tools or definition."""
        self._listeners.append(listener)

    # ---- which there are ----------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the servers; empty when the file cannot be read."""
        with contextlib.suppress(ToolError):
            self._read()
        return tuple(self._running)

    def all(self) -> list[RunningServer]:
        """Return the servers.

        Raises:
            ToolError: the file cannot be read.
        """
        self._read()
        return list(self._running.values())

    def get(self, name: str) -> RunningServer:
        """Return the server that was meant.

        Raises:
            ToolError: there is none of that name.
        """
        self._read()
        found = name if name in self._running else nearest(name, self._running)
        if found is None:
            known = ", ".join(sorted(self._running)[:20])
            raise ToolError(
                _("There is no server {name}.").format(name=name),
                hint=_("There are: {known}.").format(known=known)
                if known
                else _("Say: install the {name} server.").format(name=name),
            )
        return self._running[found]

    def put(self, server: Server) -> RunningServer:
        """Keep a server, new or changed; one that runs goes on as it was started."""
        self._read()
        self._file.put(server)
        self._read()
        return self._running[server.name]

    async def remove(self, name: str) -> Server:
        """Stop a server and forget it with its secrets.

        Raises:
            ToolError: there is none of that name.
        """
        running = self.get(name)
        await running.stop()
        self._file.remove(running.server.name)
        names = (*running.server.secrets, OAUTH)
        await asyncio.to_thread(self.secrets.forget, running.server.name, names)
        self._read()
        return running.server

    # ---- their lives --------------------------------------------------------------------------------

    async def start(self, name: str) -> RunningServer:
        """Start a server and wait until it answers.

        Raises:
            ToolError: there is none of that name, or it did not start.
        """
        running = self.get(name)
        await running.start()
        return running

    async def stop(self, name: str) -> RunningServer:
        """Stop a server."""
        running = self.get(name)
        await running.stop()
        return running

    async def restart(self, name: str) -> RunningServer:
        """Stop a server and start it again."""
        running = await self.stop(name)
        await running.start()
        return running

    async def start_all(self, names: Iterable[str]) -> dict[str, ToolError | None]:
        """Start several servers beside each other; returns what went wrong with each, None if nothing."""

        async def start(name: str) -> tuple[str, ToolError | None]:
            try:
                await self.start(name)
            except ToolError as error:
                return name, error
            return name, None

        return dict(await asyncio.gather(*(start(name) for name in names)))

    def to_start(self) -> list[str]:
        """Return the names of those that are to run whenever a session does."""
        return [name for name in self.names if self._running[name].server.autostart]

    async def close(self) -> None:
        """Stop all of them."""
        alive = [running for running in self._running.values() if running.alive]
        if alive:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await asyncio.gather(*(running.stop() for running in alive))

    # ---- inside -------------------------------------------------------------------------------------

    def _read(self) -> None:
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return
        servers = self._file.read()
        self._stamp = stamp
        for name, server in servers.items():
            running = self._running.get(name)
            if running is None:
                self._running[name] = RunningServer(
                    server,
                    self._secret_of(name),
                    self._tell,
                    start_s=self._start_s,
                    keep_secret=self._keep_secret_of(name),
                    people=self._people,
                    root=self._root,
                )
            elif running.server != server:
                running.server = server
                self._tell(running)
        for name in [name for name in self._running if name not in servers]:
            gone = self._running.pop(name)
            if gone.alive:  # removed in a terminal, while it ran here
                asyncio.ensure_future(gone.stop())  # noqa: RUF006 - it holds its own task; this only asks

    def _secret_of(self, server: str) -> Callable[[str], str | None]:
        return lambda name: self.secrets.get(server, name)

    def _keep_secret_of(self, server: str) -> Callable[[str, str], None]:
        return lambda name, value: self.secrets.put(server, name, value)

    def _tell(self, running: RunningServer) -> None:
        for listener in self._listeners:
            listener(running)
