"""One MCP server that runs: its process or connection, its tools, its log, its end.

Each has an asyncio task of its own that holds the connection (the SDK's scopes belong to one task), so that
a server that hangs, floods or dies touches no other. Everything belongs to the agent loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Literal

from voice_kernel.errors import ToolError
from voice_kernel.tools.mcp import stdio
from voice_kernel.tools.mcp.servers import Server

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

START_S = 60.0
"""`npx` and `uvx` may have to fetch a package first."""
CALL_S = 120.0
"""A call may be silent for so long; each progress it tells gives it as long again."""
MAX_CALL_S = 3_600.0
PING_EVERY_S = 30.0
PING_S = 10.0
IDLE_S = 1_800.0
STOP_S = 10.0
MAX_RESTARTS = 3
RESTART_WINDOW_S = 120.0
MAX_TOOLS = 500
LOG_LINES = 2_000
MAX_SHOWN_GARBAGE = 3

State = Literal["stopped", "starting", "running", "failed", "waiting", "asleep"]


class RunningServer:
    """A server under supervision.

    Args:
        server: what to run.
        secret: gives the values of its secrets, when it is started; called on a worker thread.
        changed: told whenever its state or its tools change.
        start_s, ping_every_s, idle_s: seconds it may take to answer first, between two looks whether it is
            well, and without a call before it is put to sleep.
        pause_s: before it is started again after it died; twice as long each time.
        ping_s: how long it may take to answer to a ping.

    Attributes:
        state: what it does now; `waiting` before it is started again, `asleep` until the next call.
        problem: why it failed, in one sentence.
        tools: what it offers, by name; kept while it sleeps.
        log: the newest lines of its stderr, and what we did with it, without secrets.
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
        ping_s: float = PING_S,
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
        self._pause_s, self._ping_s = pause_s, ping_s
        self._client: Client | None = None
        self._life: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._stop = asyncio.Event()
        self._again = asyncio.Event()
        self._gone = asyncio.Event()
        self._open_calls = 0
        self._used = time.monotonic()
        self._born = False
        """Whether it has answered since it was last started by somebody."""
        self._values: tuple[str, ...] = ()
        self._garbage = 0

    # ---- what others ask ----------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it runs, or is about to."""
        return self._life is not None and not self._life.done()

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ToolError: it did not start; says why.
        """
        if not self.alive or self._stop.is_set():
            await self.stop()  # one that is just ending has to be gone first
            self._stop = asyncio.Event()
            self._born = False
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
        if self.state == "asleep":
            self.tools = {}
            self._move("stopped")

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        on_progress: Callable[[float, float | None, str], None] | None = None,
        limit_s: float = CALL_S,
    ) -> CallToolResult:
        """Call a tool; a server that does not run is started.

        Args:
            tool: its name at the server.
            arguments: as its schema has them.
            on_progress: gets how far it is, of how much, and a message.
            limit_s: after so long without progress it is given up.

        Raises:
            ToolError: the server is gone, answered with an error, or not in time.
        """
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED
        from pydantic import ValidationError

        await self.start()
        client = self._client
        assert client is not None
        gone = self._gone
        now = asyncio.get_running_loop().time
        last = now() + MAX_CALL_S
        deadline = now() + limit_s

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            nonlocal deadline
            deadline = min(last, now() + limit_s)
            if on_progress is not None:
                on_progress(progress, total, message or "")

        self._open_calls += 1
        self.calls += 1
        # `None`: the SDK's own limit knows nothing of progress.
        call = asyncio.ensure_future(client.call_tool(tool, dict(arguments), None, progress))
        end = asyncio.ensure_future(gone.wait())
        try:
            while not call.done() and not end.done() and now() < deadline:
                await asyncio.wait({call, end}, timeout=deadline - now(), return_when="FIRST_COMPLETED")
            if not call.done():
                self.errors += 1
                raise self._ended_in_call() if end.done() else self._silent(limit_s)
            result = call.result()
            self.errors += bool(result.is_error)
            return result
        except MCPError as error:
            self.errors += 1
            if error.code == CONNECTION_CLOSED:
                self._lose(client)
                raise self._ended_in_call() from None
            raise ToolError(f"{self.server.name}: {self.without_secrets(_reason(error))}.") from None
        except (
            ValidationError,
            RuntimeError,
        ):  # a result that is none, or does not fit the tool's own schema
            self.errors += 1
            raise ToolError(f"{self.server.name} answered with what is no result of {tool}.") from None
        finally:
            self._open_calls -= 1
            self._used = time.monotonic()
            end.cancel()
            if not call.done():
                call.cancel()  # tells the server so
                await asyncio.wait({call}, timeout=1.0)
            if not call.cancelled():
                call.exception()  # looked at: the loop need not complain

    def without_secrets(self, text: str) -> str:
        """Return a server's text without the values of its secrets."""
        for value in self._values:
            text = text.replace(value, "***")
        return text

    def note(self, line: str) -> None:
        """Add a line of our own to the log."""
        self.log.append(f"[voice_kernel] {self.without_secrets(line)}")

    def _ended_in_call(self) -> ToolError:
        return ToolError(
            f"The server {self.server.name} ended during the call.",
            hint=f"Say: show the log of the {self.server.name} server.",
            retryable=True,
        )

    def _silent(self, limit_s: float) -> ToolError:
        return ToolError(f"{self.server.name} did not answer within {limit_s:.0f} seconds.", retryable=True)

    # ---- its life -----------------------------------------------------------------------------------

    async def _live(self) -> None:
        began: deque[float] = deque(maxlen=MAX_RESTARTS)
        asleep = False
        try:
            while not self._stop.is_set():
                began.append(time.monotonic())
                asleep = await self._once()
                if asleep or self._stop.is_set():
                    break
                often = len(began) == MAX_RESTARTS and time.monotonic() - began[0] < RESTART_WINDOW_S
                if often or not self._born:
                    self._move("failed")
                    return
                pause_s = self._pause_s * 2 ** (len(began) - 1)
                self.note(f"starting again in {pause_s:.0f} s")
                self._move("waiting")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._stop.wait()
        finally:
            self._client = None
            if not asleep:
                self.tools = {}
            if self._ready is not None and not self._ready.done():
                why = self.problem or "it was stopped"
                self._ready.set_exception(
                    ToolError(f"The server {self.server.name} did not start: {why}.", hint=self._hint())
                )
                self._ready.exception()  # whoever waits gets it; nobody need wait
            self._move("failed" if self.state == "failed" else "asleep" if asleep else "stopped")

    async def _once(self) -> bool:
        """Run it from its start to its end; returns whether it was put to sleep."""
        from mcp import MCPError

        self._move("starting")
        self.problem = ""
        self._gone = asyncio.Event()
        self._again.clear()
        self._garbage = 0
        try:
            async with AsyncExitStack() as stack:
                client = await self._connected(stack)
                await self._learn(client)
                self._client = client
                self.started_at = time.time()
                self._used = time.monotonic()
                self._born = True
                assert self._ready is not None
                if not self._ready.done():
                    self._ready.set_result(None)
                self._move("running")
                asleep = await self._watch(client)
                self._lose(client)
                return asleep
        except TimeoutError:
            self.problem = self.problem or f"it did not answer within {self._start_s:.0f} seconds"
        except (MCPError, OSError, ValueError, RuntimeError, ToolError) as error:
            self.problem = self.problem or _reason(error)
        except BaseExceptionGroup as group:  # what the SDK's task groups raise
            if group.subgroup(asyncio.CancelledError) is not None:
                raise
            self.problem = self.problem or _reason(group)
        except Exception as error:  # noqa: BLE001 - an SDK meeting garbage may raise anything
            self.problem = self.problem or _reason(error)
        finally:
            if self._client is not None:
                self._lose(self._client)
            self._gone.set()
            if self.problem:
                self.problem = self.without_secrets(self.problem)
                self.note(f"ended: {self.problem}")
        return False

    async def _connected(self, stack: AsyncExitStack) -> Client:
        from mcp import Client

        server = self.server
        values = await asyncio.to_thread(lambda: {name: self._secret(name) for name in server.secrets})
        missing = [name for name, value in values.items() if value is None]
        if missing:
            raise ToolError(
                f"its secret {missing[0]} is not set; in a terminal: "
                f"voice-kernel mcp secret {server.name} {missing[0]}"
            )
        secrets = {name: value for name, value in values.items() if value is not None}
        # Short ones would take their letters out of every text.
        self._values = tuple(value for value in secrets.values() if len(value) >= 4)
        if server.transport == "stdio":
            env = environment() | server.env | secrets
            if shutil.which(server.command, path=env.get("PATH")) is None:
                raise ToolError(f"there is no program {server.command}")
            transport: Any = stdio.pipes(
                [server.command, *server.args],
                env,
                on_line=lambda line: self.log.append(self.without_secrets(line)),
                on_garbage=self._heard_garbage,
                on_end=self._ended,
            )
        else:
            import httpx2

            headers = server.headers | secrets
            if server.transport == "http":
                from mcp.client.streamable_http import streamable_http_client

                http = await stack.enter_async_context(
                    httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30.0, read=300.0))
                )
                transport = streamable_http_client(server.url, http_client=http)
            else:
                from mcp.client.sse import sse_client

                transport = sse_client(server.url, headers=headers)
        # Through the handshake: with it come pings and the news that the list of tools has changed.
        client = Client(transport, message_handler=self._heard, mode="legacy")
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
        """Wait until it is to stop, to sleep (True), or does not answer any more."""
        while True:
            events = {
                asyncio.ensure_future(event.wait()): event for event in (self._stop, self._again, self._gone)
            }
            try:
                await asyncio.wait(events, timeout=self._ping_every_s, return_when="FIRST_COMPLETED")
            finally:
                for waiter in events:
                    waiter.cancel()
            if self._stop.is_set() or self._gone.is_set():
                return False
            if self._again.is_set():
                self._again.clear()
                await self._learn(client)
                self.note("its tools have changed")
                self._changed(self)
                continue
            if self._open_calls == 0 and time.monotonic() - self._used > self._idle_s:
                self.note("asleep, since it was not used; the next call wakes it")
                return True
            if self._open_calls == 0:  # a busy server may be slow to answer
                try:
                    async with asyncio.timeout(self._ping_s):
                        await client.session.send_ping()
                except TimeoutError:
                    self.problem = "it does not answer any more"
                    return False

    def _lose(self, client: Client) -> None:
        """Note that this connection is no more: whoever calls from now on waits for the next one."""
        if self._client is client:
            self._client = None
            self._ready = asyncio.get_running_loop().create_future()

    async def _heard(self, message: Any) -> None:
        kind = type(getattr(message, "root", message)).__name__
        if kind == "ToolListChangedNotification":
            self._again.set()

    def _heard_garbage(self) -> None:
        self._garbage += 1
        if self._garbage <= MAX_SHOWN_GARBAGE:
            self.note("it wrote a line to its stdout that is no message")

    def _ended(self, reason: str) -> None:
        if not self._stop.is_set():
            self.problem = self.problem or reason
        self._gone.set()

    def _move(self, state: State) -> None:
        self.state = state
        self._changed(self)

    def _hint(self) -> str:
        last = next((line for line in reversed(self.log) if line and "[voice_kernel]" not in line), "")
        return f"Its last words: {last[:200]}" if last else ""


def environment() -> dict[str, str]:
    """Return what a server may know of our environment: no keys, and no more than it needs."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME", "SHELL", "TERM")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    trusted = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    folders = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR")
    sources = ("NPM_CONFIG_REGISTRY", "npm_config_registry", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")
    names = (*kept, *proxies, *(name.lower() for name in proxies), *trusted, *folders, *sources)
    return {name: os.environ[name] for name in names if name in os.environ}


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(getattr(error, "message", "") or error).split())[:200].rstrip(".")
    return text or type(error).__name__
