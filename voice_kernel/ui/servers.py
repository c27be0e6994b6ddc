"""Answer what a page asks of MCP servers, and tell those who watch them of every change.

A page only looks, searches and hands secrets over here; whatever starts, stops or adds a server goes through
the one door, as what is said does. Belongs to the loop thread. Knows no SDK.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from voice_kernel.errors import LogError, VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import (
    Done,
    FinishSignIn,
    KeepSecret,
    LogHit,
    LogHits,
    LogPage,
    McpEntry,
    McpOffer,
    McpServer,
    McpTool,
    Offers,
    Question,
    ReadLog,
    ReadServer,
    SearchLog,
    SearchRegistry,
    ServerDetails,
    ServersChanged,
    ToSurface,
)
from voice_kernel.task.runner import problem_of
from voice_kernel.tools.mcp import Catalog, Supervisor
from voice_kernel.tools.mcp.catalog import Offer
from voice_kernel.tools.mcp.commands import consent
from voice_kernel.tools.mcp.configs import known_files, shown
from voice_kernel.tools.mcp.running import RunningServer
from voice_kernel.tools.mcp.signin import send_back

LOOK_S = 1.0
"""How often what changes without a word (calls, log lines, a file changed elsewhere) is looked at."""
MAX_DESCRIPTION = 500
MAX_SHOWN = 500

Send = Callable[[ToSurface], None]


class ServerDesk:
    """Shows MCP servers to pages.

    Args:
        supervisor: has the servers; asked only once somebody looks.
        catalog: finds new ones.
        registry: its address, for a person.
        folder: where configurations of a project are looked for.
    """

    def __init__(
        self,
        supervisor: Callable[[], Supervisor],
        catalog: Callable[[], Catalog],
        registry: str,
        folder: Callable[[], Path],
    ) -> None:
        self._supervisor = supervisor
        self._catalog = catalog
        self._registry = registry
        self._folder = folder
        self._watchers: dict[object, Send] = {}
        self._watch: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._listening = False
        self._missing: dict[str, tuple[tuple[str, ...], list[str]]] = {}
        """By server: names of secrets as they were looked up, and those without a value."""
        self._last: ServersChanged | None = None

    # ---- watching -----------------------------------------------------------------------------------

    def watch(self, who: object, send: Send | None) -> None:
        """Tell somebody of the servers, now and at every change; None ends that."""
        if send is None:
            self._watchers.pop(who, None)
            return
        self._watchers[who] = send
        self._last = None  # whoever is new gets everything
        self._missing.clear()
        self._changed.set()
        if not self._listening:
            self._listening = True
            self._supervisor().on_change(lambda _: self._changed.set())
        if self._watch is None or self._watch.done():
            self._watch = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        while self._watchers:
            self._changed.clear()
            now = await self._now()
            if now != self._last:
                self._last = now
                for send in list(self._watchers.values()):
                    send(now)
                await asyncio.sleep(0.1)  # a burst of changes is one
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()

    async def _now(self) -> ServersChanged:
        try:
            servers = [await self._shown(running) for running in self._supervisor().all()]
        except VoiceKernelError as error:
            return ServersChanged(registry=self._registry, problem=problem_of(error))
        return ServersChanged(
            servers=servers,
            registry=self._registry,
            secrets_place=self._supervisor().secrets.place,
            configs=await asyncio.to_thread(known_files, self._folder()),
        )

    async def _shown(self, running: RunningServer) -> McpServer:
        server = running.server
        names = server.secrets
        if names and self._missing.get(server.name, ((), []))[0] != names:
            secrets = self._supervisor().secrets
            values = await asyncio.to_thread(
                lambda: [
                    name
                    for name in names
                    if name not in server.optional and secrets.get(server.name, name) is None
                ]
            )
            self._missing[server.name] = (names, values)
        return McpServer(
            name=server.name,
            state=running.state,
            problem=running.problem[:500],
            what=running.without_secrets(shown(server))[:1_000],
            transport=server.transport,
            version=server.version,
            registry_name=server.registry_name,
            autostart=server.autostart,
            pid=running.process,
            started_at=running.started_at,
            tools=len(running.tools),
            tools_off=len(set(server.off) & set(running.tools)),
            calls=running.calls,
            errors=running.errors,
            log_lines=running.log_lines,
            secrets=list(names),
            missing=self._missing[server.name][1] if names else [],
            sign_in=running.sign_in,
        )

    # ---- questions ----------------------------------------------------------------------------------

    async def details(self, request: ReadServer) -> ServerDetails:
        """Return what a server offers, or why that is not known."""
        try:
            running = self._supervisor().get(request.server)
            tools = [_tool(running, name) for name in running.tools]
            tools += [
                McpTool(name=name, on=False) for name in running.server.off if name not in running.tools
            ]
            prompts: list[McpEntry] = []
            resources: list[McpEntry] = []
            if running.state == "running":
                prompts = [
                    McpEntry(
                        name=one.name[:200],
                        title=(one.title or "")[:200],
                        description=(one.description or "")[:MAX_DESCRIPTION],
                        arguments=[argument.name for argument in one.arguments or ()][:50],
                    )
                    for one in await running.prompts()
                ]
                resources = [
                    McpEntry(
                        name=str(one.uri)[:1_000],
                        title=(one.title or one.name or "")[:200],
                        description=(one.description or "")[:MAX_DESCRIPTION],
                    )
                    for one in await running.resources()
                ]
        except VoiceKernelError as error:
            return ServerDetails(id=request.id, problem=problem_of(error))
        return ServerDetails(
            id=request.id,
            tools=tools[:MAX_SHOWN],
            prompts=prompts[:MAX_SHOWN],
            resources=resources[:MAX_SHOWN],
        )

    async def offers(self, request: SearchRegistry) -> Offers:
        """Return what the registry has, or why it does not say."""
        try:
            found = await self._catalog().search(request.query)
            names = set(self._supervisor().names)
        except VoiceKernelError as error:
            return Offers(id=request.id, problem=problem_of(error))
        return Offers(id=request.id, offers=[_offer(one, names) for one in found])

    async def keep(self, request: KeepSecret) -> Done:
        """Keep a secret of a server, or forget it."""
        try:
            supervisor = self._supervisor()
            server = supervisor.get(request.server).server
            value = request.value.get_secret_value()
            if value:
                await asyncio.to_thread(supervisor.secrets.put, server.name, request.name, value)
            else:
                await asyncio.to_thread(supervisor.secrets.forget_one, server.name, request.name)
            if request.name not in server.secrets:
                supervisor.put(server.model_copy(update={"secrets": (*server.secrets, request.name)}))
        except (VoiceKernelError, OSError) as error:
            return Done(id=request.id, problem=problem_of(error))
        self._missing.pop(server.name, None)
        self._changed.set()
        return Done(id=request.id)

    async def finish(self, request: FinishSignIn) -> Done:
        """Hand a server the address that its sign-in led to."""
        try:
            running = self._supervisor().get(request.server)
            await send_back(running.sign_in, request.address.get_secret_value())
        except VoiceKernelError as error:
            return Done(id=request.id, problem=problem_of(error))
        return Done(id=request.id)

    # ---- logs ---------------------------------------------------------------------------------------

    async def page(self, request: ReadLog) -> LogPage:
        """Return lines of a server's log; those that are not kept any more are empty."""
        try:
            running, gone = self._log(request.server)
        except VoiceKernelError as error:
            return LogPage(id=request.id, problem=problem_of(error))
        total = running.log_lines
        first = (
            max(0, total + request.first_line) if request.first_line < 0 else min(request.first_line, total)
        )
        wanted = range(first, min(total, first + request.lines))
        return LogPage(
            id=request.id,
            first_line=first,
            lines=[running.log[line - gone] if line >= gone else "" for line in wanted],
            total_lines=total,
            total_bytes=sum(map(len, running.log)),
            complete=not running.alive,
        )

    async def hits(self, request: SearchLog) -> LogHits:
        """Return the places of a text in a server's log."""
        try:
            running, gone = self._log(request.server)
        except VoiceKernelError as error:
            return LogHits(id=request.id, problem=problem_of(error))
        wanted = request.query.lower()
        hits: list[LogHit] = []
        for line, text in enumerate(running.log, gone):
            at = text.lower().find(wanted)
            if line < request.from_line or at < 0:
                continue
            if len(hits) == request.limit:
                return LogHits(id=request.id, hits=hits, next_line=line)
            hits.append(LogHit(line=line, text=text[max(0, at - 100) : at + 200]))
        return LogHits(id=request.id, hits=hits)

    def _log(self, name: str) -> tuple[RunningServer, int]:
        """Return a server, and how many lines of its log are not kept any more."""
        running = next((one for one in self._supervisor().all() if one.server.name == name), None)
        if running is None:
            raise LogError(_("There is no server {name} any more.").format(name=name))
        return running, running.log_lines - len(running.log)


def _tool(running: RunningServer, name: str) -> McpTool:
    tool = running.tools[name]
    schema = tool.input_schema if isinstance(tool.input_schema, dict) else {}
    required = schema.get("required") or ()
    hints = tool.annotations
    reads = hints is not None and hints.read_only_hint is True
    destroys = hints is not None and hints.destructive_hint is True
    return McpTool(
        name=name[:200],
        description=" ".join((tool.description or "").split())[:MAX_DESCRIPTION],
        arguments=[one if one in required else f"[{one}]" for one in schema.get("properties") or ()][:50],
        on=name not in running.server.off,
        hint="reads" if reads else "destroys" if destroys else "",
    )


def _offer(offer: Offer, names: set[str]) -> McpOffer:
    server = offer.server
    return McpOffer(
        name=server.registry_name,
        short=server.name,
        publisher=offer.publisher,
        version=server.version,
        description=offer.description,
        repository=offer.repository if offer.repository.startswith("https://") else "",
        runs=consent(server, offer.publisher),
        questions=[
            Question(
                name=one.name,
                description=one.description,
                secret=one.secret,
                required=one.required,
                default=one.default,
            )
            for one in offer.questions
        ],
        missing=offer.missing,
        hint=offer.hint,
        installed=server.name in names,
    )
