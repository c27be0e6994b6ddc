"""Puts a server together and runs it with uvicorn, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from voice_kernel import language
from voice_kernel.client import OwnKernel, RunningKernel, connection_path
from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.server.app import Parts, make_app
from voice_kernel.server.attachments import Files
from voice_kernel.server.chatkit import VoiceChatKitServer
from voice_kernel.server.ear import Ear
from voice_kernel.server.kernels import Kernels
from voice_kernel.server.limits import LOOPBACK, Origins, Rate
from voice_kernel.server.secrets import Secrets
from voice_kernel.server.store import ChatStore
from voice_kernel.settings import Settings, data_folder

LOOSE_S = 86_400.0
"""After so long a file that no message has is deleted."""
STOP_S = 3
KEEP_ALIVE_S = 75
"""An idle connection is kept for longer than clients and proxies keep one (httpx 5 s, nginx 60 s): who closes
first must not be the server, or a request that is just being sent is lost."""
MAX_CONNECTIONS = 900
"""Fewer than the files that a process may commonly open."""


@dataclass(frozen=True)
class Options:
    """How a server is run."""

    host: str = "127.0.0.1"
    port: int = 8765
    """0 takes any that is free."""
    token: str = ""
    """Empty for a new random one."""
    kernel: str = ""
    """The connection file of a kernel that runs already; empty for one of its own for each session."""
    kernels: int = 8
    """How many there may be at once."""
    idle_s: float = 3_600.0
    """A kernel that nobody used for so long is stopped."""
    life_s: float = 600.0
    """How long a client secret is good for."""
    hosts: Sequence[str] = ()
    """Other names of the server."""
    origins: Sequence[str] = ()
    """Pages of other servers that may ask."""
    cwd: Path = field(default_factory=Path.cwd)
    """Where kernels work."""


def assembled(options: Options, settings: Settings) -> tuple[Starlette, str]:
    """Return the application and its token."""
    passing = None
    folder = data_folder()
    if not settings.keep_history:
        passing = tempfile.TemporaryDirectory(prefix="voice-kernel-chats-")
        folder = Path(passing.name)
    secrets = Secrets(options.token, life_s=options.life_s)
    store = ChatStore(settings.database_url if passing is None else "", folder)
    files = Files(folder / "attachments", secrets.key_of)
    kernels = Kernels(
        lambda: RunningKernel(options.kernel) if options.kernel else OwnKernel(options.cwd),
        shared=bool(options.kernel),
        most=options.kernels,
        idle_s=options.idle_s,
    )
    ear = Ear(settings)
    chatkit = VoiceChatKitServer(store, files, kernels, ear)
    parts = Parts(
        chatkit=chatkit,
        kernels=kernels,
        secrets=secrets,
        origins=Origins(hosts=(*options.hosts, options.host), origins=options.origins),
        asks=Rate(per_s=20, burst=120),
        panel_asks=Rate(per_s=60, burst=240),
        tries=Rate(per_s=5, burst=400),
    )
    tidying = _Tidying(store, files, settings.history_days)

    async def end() -> None:
        tidying.stop()
        await kernels.close()
        await chatkit.close()
        await ear.close()
        await store.close()
        if passing is not None:
            passing.cleanup()

    return make_app(parts, end, tidying.start), secrets.token


class _Tidying:
    """Deletes once a day what is old."""

    def __init__(self, store: ChatStore, files: Files, days: int) -> None:
        self._store, self._files, self._days = store, files, days
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._work = asyncio.create_task(self._tidy())

    def stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _tidy(self) -> None:
        from voice_kernel.server.store import Caller

        while True:
            with contextlib.suppress(VoiceKernelError):  # the database is away: tomorrow, then
                for user_id, attachment_id in await self._store.prune(self._days, time.time() - LOOSE_S):
                    await self._files.delete_attachment(attachment_id, Caller(user_id))
            await asyncio.sleep(LOOSE_S)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[int], Awaitable[None]]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._told(self.servers[0].sockets[0].getsockname()[1])


def serve(options: Options, settings: Settings, started: Callable[[str, str], None]) -> None:
    """Serve until interrupted.

    Args:
        options: how.
        settings: those of the installation.
        started: told the address and the token once requests are answered.

    Raises:
        VoiceKernelError: the port is taken, or the kernel is not there.
    """
    language.use(settings.language)
    if options.kernel:
        connection_path(options.kernel)  # said now, and not with the first message
    app, token = assembled(options, settings)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # Named TCP, or asyncio leaves Nagle's algorithm on: each event would wait up to 40 ms for the one before.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((options.host, options.port))
    except OSError as error:
        listening.close()
        raise VoiceKernelError(
            _("{address} cannot be used: {problem}.").format(
                address=f"{options.host}:{options.port}", problem=error.strerror
            ),
            hint=_("Choose another port: --port 0 takes any that is free."),
        ) from None
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # addresses may hold keys
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=64_000,
        lifespan="on",
        ws="none",
        limit_concurrency=MAX_CONNECTIONS,
    )

    async def tell(port: int) -> None:
        host = "127.0.0.1" if options.host in ("0.0.0.0", "") else options.host  # noqa: S104  only compared
        name = f"[{host}]" if ":" in host else host
        started(f"http://{name}:{port}", token)

    with listening:
        asyncio.run(_Server(config, tell).serve([listening]))


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server at that address."""
    return host in LOOPBACK or host.startswith("127.") or host == "::1"
