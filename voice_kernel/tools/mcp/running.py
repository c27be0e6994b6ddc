"""One MCP server that runs: its process or connection, its tools, its log, its end.

Each has an asyncio task of its own that holds the connection (the SDK's scopes belong to one task), so that
a server that hangs, floods or dies touches no other. Everything belongs to the agent loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from voice_kernel.errors import ToolError
from voice_kernel.task import process
from voice_kernel.tools.mcp.servers import Server

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

GUARD = Path(process.__file__).with_name("guard.py")
START_S = 60.0
"""`npx` and `uvx` may have to fetch a package first."""
CALL_S = 120.0
PING_EVERY_S = 30.0
PING_S = 10.0
IDLE_S = 1_800.0
STOP_S = 8.0
MAX_RESTARTS = 3
RESTART_WINDOW_S = 120.0
MAX_TOOLS = 500
LOG_LINES = 2_000
LINE_CHARS = 2_000

State = Literal["stopped", "starting", "running", "failed", "waiting"]


class RunningServer:
    """A server under supervision.

    Args:
        server: what to run.
        secret: gives the values of its secrets, when it is started.
        changed: told whenever its state or its tools change.

    Attributes:
        state: what it does now; `waiting` before it is started again.
        problem: why it failed, in one sentence.
        tools: what it offers, by name.
        log: the newest lines of its stderr, and what we did with it.
        calls, errors: how many calls it had, and how many failed.
    """

    def __init__(
        self,
        server: Server,
        secret: Callable[[str], str | None],
        changed: Callable[[RunningServer], None],
        *,
        start_s: float = START_S,
        ping_every_s: float = PING_EVERY_S,
        idle_s: float = IDLE_S,
        pause_s: float = 1.0,
    ) -> None:
        self.server = server
        self.state: State = "stopped"
        self.problem = ""
        self.tools: dict[str, Tool] = {}
        self.instructions = ""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.calls = self.errors = 0
        self.started_at: float | None = None
        self._secret = secret
        self._changed = changed
        self._start_s, self._ping_every_s, self._idle_s = start_s, ping_every_s, idle_s
        self._pause_s = pause_s
        self._client: Client | None = None
        self._life: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._stop = asyncio.Event()
        self._again = asyncio.Event()
        self._open_calls = 0
        self._used = time.monotonic()

    # ---- what others ask ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ToolError: it did not start; says why.
        """
        if self._life is None or self._life.done():
            self._stop.clear()
            self._ready = asyncio.get_running_loop().create_future()
            self._life = asyncio.ensure_future(self._live())
        assert self._ready is not None
        await asyncio.shield(self._ready)

    async def stop(self) -> None:
        """Stop it; its process and all that it started are gone when this returns."""
        self._stop.set()
        life = self._life
        if life is None:
            return
        done, _ = await asyncio.wait({life}, timeout=STOP_S)
        if not done:
            life.cancel()
            await asyncio.wait({life}, timeout=STOP_S)

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        on_progress: Callable[[float, float | None, str], None] | None = None,
        limit_s: float = CALL_S,
    ) -> CallToolResult:
        """Call a tool.

        Args:
            tool: its name at the server.
            arguments: as its schema has them.
            on_progress: gets how far it is, of how much, and a message.
            limit_s: after so long it is given up.

        Raises:
            ToolError: the server is gone, answered with an error, or not in time.
        """
        from mcp import MCPError

        await self.start()
        client = self._client
        assert client is not None

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            if on_progress is not None:
                on_progress(progress, total, message or "")

        self._open_calls += 1
        self.calls += 1
        life = self._life
        assert life is not None
        call = asyncio.ensure_future(client.call_tool(tool, dict(arguments), limit_s, progress))
        try:
            await asyncio.wait({call, life}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if call.done():
                return call.result()
            self.errors += 1
            if life.done() or self._client is not client:
                raise ToolError(
                    f"The server {self.server.name} ended during the call.",
                    hint=f"Say: show the log of the {self.server.name} server.",
                    retryable=True,
                )
            raise ToolError(
                f"{self.server.name} did not answer within {limit_s:.0f} seconds.", retryable=True
            )
        except MCPError as error:
            self.errors += 1
            raise ToolError(f"{self.server.name}: {' '.join(str(error).split())[:300]}") from None
        finally:
            self._open_calls -= 1
            self._used = time.monotonic()
            if not call.done():
                call.cancel()  # tells the server so
                with contextlib.suppress(BaseException):
                    await asyncio.wait({call}, timeout=1.0)

    def note(self, line: str) -> None:
        """Add a line of our own to the log."""
        self.log.append(f"[voice_kernel] {line}")

    # ---- its life -----------------------------------------------------------------------------------

    async def _live(self) -> None:
        began: deque[float] = deque(maxlen=MAX_RESTARTS)
        try:
            while not self._stop.is_set():
                began.append(time.monotonic())
                ended_well = await self._once()
                if ended_well or self._stop.is_set():
                    break
                fresh = self._ready is not None and not self._ready.done()
                often = len(began) == MAX_RESTARTS and time.monotonic() - began[0] < RESTART_WINDOW_S
                if fresh or often:
                    self._move("failed")
                    return
                pause_s = self._pause_s * 2 ** (len(began) - 1)
                self.note(f"starting again in {pause_s:.0f} s")
                self._move("waiting")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._stop.wait()
            self._move("stopped")
        finally:
            self._client = None
            self.tools = {}
            if self._ready is not None and not self._ready.done():
                self._ready.set_exception(
                    ToolError(
                        f"The server {self.server.name} did not start: {self.problem or 'it was stopped'}.",
                        hint=self._hint(),
                    )
                )
                self._ready.exception()  # whoever waits gets it; nobody need wait
            if self.state not in ("stopped", "failed"):
                self._move("stopped")
            self._changed(self)

    async def _once(self) -> bool:
        """Run it from its start to its end; returns whether it ended because it was to."""
        from mcp import MCPError

        self._move("starting")
        self.problem = ""
        try:
            async with AsyncExitStack() as stack:
                client = await self._connected(stack)
                self._client = client
                await self._learn(client)
                self.started_at = time.time()
                self._used = time.monotonic()
                self._move("running")
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
                return await self._watch(client)
        except TimeoutError:
            self.problem = f"it did not answer within {self._start_s:.0f} seconds"
        except FileNotFoundError:
            self.problem = f"there is no program {self.server.command}"
        except (MCPError, OSError, ValueError, RuntimeError) as error:
            self.problem = self.problem or _reason(error)
        except BaseExceptionGroup as group:  # what the SDK's task groups raise
            if group.subgroup(asyncio.CancelledError) is not None:
                raise
            self.problem = self.problem or _reason(group)
        except Exception as error:  # noqa: BLE001 - an SDK meeting garbage may raise anything
            self.problem = self.problem or _reason(error)
        finally:
            self._client = None
        self.note(f"ended: {self.problem}")
        return False

    async def _connected(self, stack: AsyncExitStack) -> Client:
        from mcp import Client

        secrets = {name: value for name in self.server.secrets if (value := self._secret(name)) is not None}
        missing = [name for name in self.server.secrets if name not in secrets]
        if missing:
            raise ValueError(f"its secret {missing[0]} is not set")
        if self.server.transport == "stdio":
            from mcp.client.stdio import StdioServerParameters, stdio_client

            errors = stack.enter_context(self._stderr())
            argv = [sys.executable, "-I", "-S", str(GUARD), str(os.getpid()), "2.0"]
            argv += [self.server.command, *self.server.args]
            parameters = StdioServerParameters(
                command=argv[0], args=argv[1:], env=_environment() | self.server.env | secrets
            )
            transport: Any = stdio_client(parameters, errlog=errors)
        else:
            import httpx2

            headers = self.server.headers | secrets
            http = await stack.enter_async_context(
                httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30.0, read=300.0))
            )
            if self.server.transport == "http":
                from mcp.client.streamable_http import streamable_http_client

                transport = streamable_http_client(self.server.url, http_client=http)
            else:
                from mcp.client.sse import sse_client

                transport = sse_client(self.server.url, headers=headers)
        client = Client(transport, message_handler=self._heard, client_info=None)
        async with asyncio.timeout(self._start_s):
            return await stack.enter_async_context(client)

    async def _learn(self, client: Client) -> None:
        tools: dict[str, Tool] = {}
        cursor: str | None = None
        async with asyncio.timeout(self._start_s):
            while len(tools) < MAX_TOOLS:
                page = await client.list_tools(cursor=cursor)
                tools.update({tool.name: tool for tool in page.tools})
                cursor = page.next_cursor
                if not cursor:
                    break
        self.tools = tools
        self.instructions = (client.instructions or "")[:4_000]

    async def _watch(self, client: Client) -> bool:
        """Wait until it is to stop (True), or does not answer any more (False)."""
        while True:
            stop = asyncio.ensure_future(self._stop.wait())
            again = asyncio.ensure_future(self._again.wait())
            done, pending = await asyncio.wait(
                {stop, again}, timeout=self._ping_every_s, return_when=asyncio.FIRST_COMPLETED
            )
            for other in pending:
                other.cancel()
            if stop in done:
                return True
            if again in done:
                self._again.clear()
                await self._learn(client)
                self.note("its tools have changed")
                self._changed(self)
                continue
            if self._open_calls == 0 and time.monotonic() - self._used > self._idle_s:
                self.note("stopped, since it was not used")
                return True
            try:
                async with asyncio.timeout(PING_S):
                    await client.send_ping()
            except TimeoutError:
                if self._open_calls == 0:  # busy servers may be slow to answer
                    self.problem = "it does not answer any more"
                    return False

    async def _heard(self, message: Any) -> None:
        if isinstance(message, Exception):
            self.note("it sent something that is no message")
            return
        kind = type(getattr(message, "root", message)).__name__
        if kind == "ToolListChangedNotification":
            self._again.set()

    @contextlib.contextmanager
    def _stderr(self) -> Any:
        """Give a file whose lines go to the log."""
        loop = asyncio.get_running_loop()
        read_fd, write_fd = os.pipe()
        os.set_blocking(read_fd, False)
        rest = b""

        def take() -> None:
            nonlocal rest
            try:
                data = os.read(read_fd, 65_536)
            except BlockingIOError:
                return
            if not data:
                loop.remove_reader(read_fd)
                return
            *lines, rest = (rest + data)[-262_144:].split(b"\n")
            self.log.extend(line.decode("utf-8", "replace")[:LINE_CHARS] for line in lines)

        loop.add_reader(read_fd, take)
        file: TextIO = os.fdopen(write_fd, "w")
        try:
            yield file
        finally:
            file.close()
            take()
            loop.remove_reader(read_fd)
            os.close(read_fd)

    def _move(self, state: State) -> None:
        self.state = state
        self._changed(self)

    def _hint(self) -> str:
        last = next((line for line in reversed(self.log) if line and "[voice_kernel]" not in line), "")
        return f"Its last words: {last[:200]}" if last else ""


def _environment() -> dict[str, str]:
    """Return what a server may know of our environment: no keys, and no more than it needs."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "SHELL", "TERM")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")
    tools = (
        "NPM_CONFIG_REGISTRY",
        "npm_config_registry",
        "UV_INDEX_URL",
        "UV_DEFAULT_INDEX",
        "PIP_INDEX_URL",
    )
    names = (*kept, *proxies, *(name.lower() for name in proxies), *tools)
    return {name: os.environ[name] for name in names if name in os.environ}


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())[:200]
    return text or type(error).__name__
