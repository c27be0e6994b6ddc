"""One MCP server that runs: its process or connection, its tools, its log, its end.

Each has an asyncio task of its own that holds the connection (the SDK's scopes belong to one task), so that
a server that hangs, floods or dies touches no other. Everything belongs to the agent loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.tools.mcp import remote, stdio
from voice_kernel.tools.mcp.configs import with_secrets
from voice_kernel.tools.mcp.people import Nobody, People, fields_of, with_defaults
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.signin import OAUTH, SIGN_IN_S, TokenShelf

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client.session import ClientRequestContext
    from mcp.types import (
        CallToolResult,
        ElicitRequestParams,
        ElicitResult,
        GetPromptResult,
        ListPromptsResult,
        ListResourcesResult,
        ListRootsResult,
        Prompt,
        ReadResourceResult,
        Resource,
        Tool,
    )

    from voice_kernel.task.runner import TaskHandle

START_S = 60.0
"""`npx` and `uvx` may have to fetch a package first."""
CALL_S = 120.0
"""A call may be silent for so long; each progress it tells gives it as long again."""
MAX_CALL_S = 3_600.0
PING_EVERY_S = 30.0
PING_S = 10.0
IDLE_S = 1_800.0
STOP_S = 10.0
STARTING_STOP_S = 0.5
MAX_RESTARTS = 3
RESTART_WINDOW_S = 120.0
MAX_TOOLS = 500
MAX_FORMS = 5
"""Of one server, open at once: a person is not to drown in cards."""
LOG_LINES = 2_000
MAX_SHOWN_GARBAGE = 3

T = TypeVar("T")
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
        keep_secret: keeps what signing in has brought; called on a worker thread.
        people: who can be asked while a tool runs.
        root: the folder that a server is told of as the one to work in.

    Attributes:
        state: what it does now; `waiting` before it is started again, `asleep` until the next call.
        problem: why it failed, in one sentence.
        tools: what it offers, by name; kept while it sleeps.
        log: the newest lines of its stderr, and what we did with it, without secrets.
        log_lines: how many lines there were in all.
        pid: the process that stands guard over it, while there is one.
        sign_in: the page on which a person is to sign in, while it waits for that.
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
        keep_secret: Callable[[str, str], None] = lambda _name, _value: None,
        people: People | None = None,
        root: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self.server = server
        self.state: State = "stopped"
        self.problem = ""
        self.tools: dict[str, Tool] = {}
        self.instructions = ""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.log_lines = 0
        self.pid: int | None = None
        self.sign_in = ""
        self.calls = self.errors = 0
        self.started_at: float | None = None
        self._secret = secret
        self._keep_secret = keep_secret
        self._people: People = people or Nobody()
        self._root = root
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
        self._asking: list[TaskHandle] = []
        """The tasks whose calls are under way: a form belongs to the newest."""
        self._limit: asyncio.Timeout | None = None
        self._forms = 0
        """How many forms a person has before them."""
        self._used = time.monotonic()
        self._born = False
        """Whether it has answered since it was last started by somebody."""
        self._values: tuple[str, ...] = ()
        self._garbage = 0

    # ---- what others ask ----------------------------------------------------------------------------

    @property
    def process(self) -> int | None:
        """Its process, as far as the system tells; that of its guard otherwise."""
        if self.pid is None:
            return None
        with contextlib.suppress(OSError, ValueError, IndexError):  # no such file elsewhere than on Linux
            below = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii")
            return int(below.split()[0])
        return self.pid

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
        # One that is still starting looks at nothing else: it may wait for a person for minutes.
        done, _ = await asyncio.wait({life}, timeout=STOP_S if self.state == "running" else STARTING_STOP_S)
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
        task: TaskHandle | None = None,
    ) -> CallToolResult:
        """Call a tool; a server that does not run is started.

        Args:
            tool: its name at the server.
            arguments: as its schema has them.
            on_progress: gets how far it is, of how much, and a message.
            limit_s: after so long without progress it is given up; time a person takes does not count.
            task: whose call it is; without one nobody can be asked anything.

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
        if task is not None:
            self._asking.append(task)
        # `None`: the SDK's own limit knows nothing of progress.
        call = asyncio.ensure_future(client.call_tool(tool, dict(arguments), None, progress))
        end = asyncio.ensure_future(gone.wait())
        try:
            while not call.done() and not end.done() and now() < deadline:
                await asyncio.wait({call, end}, timeout=deadline - now(), return_when="FIRST_COMPLETED")
                if (self._forms or self.sign_in) and now() >= deadline:
                    deadline = min(last, now() + limit_s)
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
            raise ToolError(
                _("{name} answered with what is no result of {tool}.").format(
                    name=self.server.name, tool=tool
                )
            ) from None
        finally:
            self._open_calls -= 1
            if task is not None:
                self._asking.remove(task)
            self._used = time.monotonic()
            end.cancel()
            if not call.done():
                call.cancel()  # tells the server so
                await asyncio.wait({call}, timeout=1.0)
            if not call.cancelled():
                call.exception()  # looked at: the loop need not complain

    async def prompts(self) -> list[Prompt]:
        """Return the prompts it offers; a server that does not run is started.

        Raises:
            ToolError: it could not be asked.
        """
        if not self._can("prompts"):
            return []
        found: list[Prompt] = []
        cursor: str | None = None
        while len(found) < MAX_TOOLS:
            page = await self._ask(_prompts_after(cursor))
            found += page.prompts
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def resources(self) -> list[Resource]:
        """Return the resources it offers; a server that does not run is started.

        Raises:
            ToolError: it could not be asked.
        """
        if not self._can("resources"):
            return []
        found: list[Resource] = []
        cursor: str | None = None
        while len(found) < MAX_TOOLS:
            page = await self._ask(_resources_after(cursor))
            found += page.resources
            cursor = page.next_cursor
            if not cursor:
                break
        return found

    async def read(self, uri: str) -> ReadResourceResult:
        """Read a resource.

        Raises:
            ToolError: it could not be read.
        """
        return await self._ask(lambda client: client.read_resource(uri))

    async def prompt(self, name: str, arguments: Mapping[str, str]) -> GetPromptResult:
        """Return a prompt, made out.

        Raises:
            ToolError: there is none, or an argument is missing.
        """
        return await self._ask(lambda client: client.get_prompt(name, dict(arguments)))

    async def _ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        """Ask something of the running server, within the time of a call."""
        from mcp import MCPError
        from pydantic import ValidationError

        await self.start()
        client = self._client
        assert client is not None
        self._used = time.monotonic()
        self._open_calls += 1
        try:
            async with asyncio.timeout(CALL_S):
                return await question(client)
        except TimeoutError:
            raise self._silent(CALL_S) from None
        except MCPError as error:
            raise ToolError(f"{self.server.name}: {self.without_secrets(_reason(error))}.") from None
        except (ValidationError, RuntimeError):
            raise ToolError(
                _("{name} answered with what is no answer.").format(name=self.server.name)
            ) from None
        finally:
            self._open_calls -= 1

    def _can(self, ability: str) -> bool:
        """Whether the server says that it has an ability; one that does not run may have it."""
        abilities = self._client.server_capabilities if self._client is not None else None
        return abilities is None or getattr(abilities, ability, None) is not None

    def without_secrets(self, text: str) -> str:
        """Return a server's text without the values of its secrets."""
        for value in self._values:
            text = text.replace(value, "***")
        return text

    def note(self, line: str) -> None:
        """Add a line of our own to the log."""
        self._write(f"[voice_kernel] {line}")

    def _write(self, line: str) -> None:
        self.log_lines += 1
        self.log.append(self.without_secrets(line))

    def _ended_in_call(self) -> ToolError:
        return ToolError(
            _("The server {name} ended during the call.").format(name=self.server.name),
            hint=_("Say: show the log of the {name} server.").format(name=self.server.name),
            retryable=True,
        )

    def _silent(self, limit_s: float) -> ToolError:
        return ToolError(
            _("{name} did not answer within {limit_s:.0f} seconds.").format(
                name=self.server.name, limit_s=limit_s
            ),
            retryable=True,
        )

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
                why = self.problem or _("it was stopped")
                self._ready.set_exception(
                    ToolError(
                        _("The server {name} did not start: {why}.").format(name=self.server.name, why=why),
                        hint=self._hint(),
                    )
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
            self.problem = self.problem or _("it did not answer within {limit_s:.0f} seconds").format(
                limit_s=self._start_s
            )
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
            self.pid = self.started_at = None
            self.sign_in = ""
            if self.problem:
                self.problem = self.without_secrets(self.problem)
                self.note(f"ended: {self.problem}")
        return False

    async def _connected(self, stack: AsyncExitStack) -> Client:
        from mcp import Client

        # Else what a server sends that is no message is printed in the notebook, with its content.
        sdk = logging.getLogger("mcp")
        if not sdk.handlers:
            sdk.addHandler(logging.NullHandler())
        server = self.server
        values = await asyncio.to_thread(lambda: {name: self._secret(name) for name in server.secrets})
        missing = [name for name, value in values.items() if value is None and name not in server.optional]
        if missing:
            raise ToolError(
                _(
                    "its secret {missing} is not set; in a terminal: voice-kernel mcp secret {name} {missing}"
                ).format(missing=missing[0], name=server.name)
            )
        secrets = {name: value for name, value in values.items() if value is not None}
        # Short ones would take their letters out of every text.
        self._values = tuple(value for value in secrets.values() if len(value) >= 4)
        named = {name: value for name, value in secrets.items() if name not in server.holes}
        if server.transport == "stdio":
            env = environment() | server.env | named
            args = [with_secrets(part, secrets) for part in server.args]
            if shutil.which(server.command, path=env.get("PATH")) is None:
                raise ToolError(_("there is no program {command}").format(command=server.command))
            transport: Any = stdio.pipes(
                [server.command, *args],
                env,
                on_start=self._begun,
                on_line=self._write,
                on_garbage=self._heard_garbage,
                on_end=self._ended,
            )
        else:
            shelf = TokenShelf(lambda: self._secret(OAUTH), lambda value: self._keep_secret(OAUTH, value))
            transport = await stack.enter_async_context(
                remote.streams(
                    server,
                    with_secrets(server.url, secrets, in_url=True),
                    {key: with_secrets(value, secrets) for key, value in server.headers.items()} | named,
                    shelf,
                    self._wants_sign_in,
                )
            )
        # Through the handshake: with it come pings and the news that the list of tools has changed.
        # Nothing is offered for sampling: a server gets no use of the person's model.
        client = Client(
            transport,
            message_handler=self._heard,
            mode="legacy",
            elicitation_callback=self._wants_answer,
            list_roots_callback=self._wants_roots,
        )
        async with self._in_time():
            return await stack.enter_async_context(client)

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        """Limit a part of its start; a person who has to sign in gets more time."""
        try:
            async with asyncio.timeout(self._start_s) as self._limit:
                yield
        finally:
            self._limit = None

    def _begun(self, pid: int) -> None:
        self.pid = pid

    async def _wants_sign_in(self, page: str) -> None:
        """Show a person the page to sign in on, and give them time; an empty one says that it is over."""
        if page and not await self._people.somebody():
            raise ToolError(_("a person has to sign in to it, and nobody can be asked here"))
        if page and self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + SIGN_IN_S + self._start_s)
        self.sign_in = page
        self.note("waiting for a person to sign in" if page else "the wait for the sign-in is over")
        self._changed(self)

    async def _wants_roots(self, context: ClientRequestContext) -> ListRootsResult:
        from mcp.types import ListRootsResult, Root

        root = self._root()
        named = [Root.model_validate({"uri": root.as_uri(), "name": root.name})] if root is not None else []
        return ListRootsResult(roots=named)

    async def _wants_answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        from mcp.types import ElicitRequestFormParams, ElicitResult

        if not isinstance(params, ElicitRequestFormParams):
            return ElicitResult(action="decline")
        try:
            fields = fields_of(params.requested_schema)
        except ValueError as error:
            self.note(f"asked for {error}: declined")
            return ElicitResult(action="decline")
        if not self._asking or not await self._people.somebody():
            self.note("asked a person, and nobody can be asked: declined")
            return ElicitResult(action="decline")
        if self._forms >= MAX_FORMS:
            self.note(f"asked for more than {MAX_FORMS} forms at once: declined")
            return ElicitResult(action="decline")
        self._forms += 1
        try:
            given = await self._people.fill_in(
                self._asking[-1], self.server.name, params.message[:2_000], fields
            )
            if given is None:
                return ElicitResult(action="decline")
            return ElicitResult(action="accept", content=with_defaults(fields, given))
        except ValueError as error:
            self.note(f"what was filled in does not fit: {error}")
            return ElicitResult(action="cancel")
        finally:
            self._forms -= 1

    async def _learn(self, client: Client) -> None:
        tools: dict[str, Tool] = {}
        cursor: str | None = None
        async with self._in_time():
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
                    self.problem = _("it does not answer any more")
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
        return _("Its last words: {words}").format(words=last[:200]) if last else ""


def _prompts_after(cursor: str | None) -> Callable[[Client], Awaitable[ListPromptsResult]]:
    return lambda client: client.list_prompts(cursor=cursor)


def _resources_after(cursor: str | None) -> Callable[[Client], Awaitable[ListResourcesResult]]:
    return lambda client: client.list_resources(cursor=cursor)


def environment() -> dict[str, str]:
    """Return what a server may know of our environment: no keys, and no more than it needs."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LOGNAME", "SHELL", "TERM")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
    trusted = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    folders = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR")
    sources = ("NPM_CONFIG_REGISTRY", "npm_config_registry", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")
    names = (*kept, *proxies, *(name.lower() for name in proxies), *trusted, *folders, *sources)
    return {name: os.environ[name] for name in names if name in os.environ} | {"PATH": program_path()}


def program_path() -> str:
    """Return where programs are looked for: `uvx` may stand beside a Python whose folder is on no PATH."""
    beside = str(Path(sys.executable).parent)
    return os.pathsep.join(part for part in (os.environ.get("PATH", os.defpath), beside) if part)


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(getattr(error, "message", "") or error).split())[:200].rstrip(".")
    return text or type(error).__name__
