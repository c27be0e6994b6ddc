"""What can be said about MCP servers: `mcp_list_servers`, `mcp_install`, `mcp_use` and the rest.

Whatever adds a server goes through `mcp_add`, which always asks a person: its card shows the whole command.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from voice_kernel.context import nearest, squash
from voice_kernel.errors import InvalidArguments, ToolError
from voice_kernel.language import _, ngettext_
from voice_kernel.messages import Output, Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools.mcp import bridge, configs, spoken
from voice_kernel.tools.mcp.bridge import name_in_toolbox
from voice_kernel.tools.mcp.catalog import Catalog, Offer, filled
from voice_kernel.tools.mcp.running import RunningServer
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.supervisor import Supervisor
from voice_kernel.tools.terminal import clip

MAX_LOG_LINES = 200
LOOK_S = 0.2
"""How often a start is looked at for a page to sign in on."""

Call = Callable[[TaskHandle, str, dict[str, Any]], Awaitable[Task]]
"""Calls a tool through the toolbox, for the turn of a task."""


class Nothing(Arguments):
    """No arguments."""


class Query(Arguments):
    """Arguments of `mcp_search`."""

    query: str = Field(min_length=1, max_length=200, description="What to search for.")


class Named(Arguments):
    """Arguments of what is about one server."""

    name: str = Field(min_length=1, max_length=200, description="Name of the server.")


class Installation(Named):
    """Arguments of `mcp_install`."""

    publisher: str = Field(default="", max_length=200, description="Who published it, where several did.")
    answers: dict[str, str] = Field(
        default={}, description="Values for what the server asks; never secrets, which a person enters."
    )


class Addition(Arguments):
    """Arguments of `mcp_add`: all that would run, nothing hidden."""

    name: str = Field(max_length=60)
    command: str = ""
    args: list[str] = Field(default_factory=list)
    env: dict[str, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)
    optional: list[str] = Field(default_factory=list)
    transport: str = "stdio"
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    registry_name: str = ""
    version: str = ""
    publisher: str = ""


class ToolSwitch(Named):
    """Arguments of `mcp_toggle_tool`."""

    tool: str = Field(min_length=1, max_length=200, description="Name of the tool at the server.")
    on: bool | None = Field(default=None, description="On or off; absent for the other of what it is.")


class Autostart(Named):
    """Arguments of `mcp_autostart`."""

    on: bool = Field(default=True, description="Whether it starts with every session.")


class ResourceName(Arguments):
    """Arguments of `mcp_read_resource`."""

    name: str = Field(default="", max_length=200, description="Its server; empty for any that runs.")
    uri: str = Field(min_length=1, max_length=2_000, description="Its address, or its name in words.")


class PromptUse(Named):
    """Arguments of `mcp_show_prompt`."""

    prompt: str = Field(min_length=1, max_length=200, description="Name of the prompt.")
    arguments: dict[str, str] = Field(default={}, description="What the prompt asks for.")


class Use(Arguments):
    """Arguments of `mcp_use`."""

    server: str = Field(min_length=1, max_length=200, description="Name of the server.")
    request: str = Field(min_length=1, max_length=2_000, description="What it is to do, in words.")


class FilePath(Arguments):
    """Arguments of `mcp_import` and `mcp_export`."""

    path: str = Field(min_length=1, max_length=4_096, description="A configuration file of an MCP client.")


def register(
    registry: Registry,
    *,
    supervisor: Callable[[], Supervisor],
    catalog: Callable[[], Catalog],
    call: Call,
) -> None:
    """Register what can be done with MCP servers.

    Args:
        registry: where.
        supervisor: has the servers.
        catalog: finds new ones.
        call: calls a tool through the door.
    """
    read: Effects = frozenset({"read"})
    execute: Effects = frozenset({"execute"})
    network: Effects = frozenset({"network"})
    write: Effects = frozenset({"write"})
    install: Effects = frozenset({"install"})

    @registry.tool(area="mcp", effects=read)
    async def mcp_list_servers(task: TaskHandle, args: Nothing) -> Result:
        """List the MCP servers."""
        return listed(supervisor().all())

    @registry.tool(area="mcp", effects=network, untrusted=True)
    async def mcp_search(task: TaskHandle, args: Query) -> Result:
        """Search the registry of MCP servers."""
        return _found(args.query, await catalog().search(args.query))

    @registry.tool(area="mcp", effects=network, untrusted=True)
    async def mcp_install(task: TaskHandle, args: Installation) -> Result:
        """Install an MCP server."""
        task.progress(None, _("looking in the registry"))
        offer = chosen(args.name, args.publisher, await catalog().find(args.name))
        server = filled(offer, args.answers)
        if offer.missing:
            raise ToolError(
                _("{server} needs {program}, which is not here.").format(
                    server=server.name, program=offer.missing
                ),
                hint=offer.hint,
            )
        await _add(task, server, offer.publisher)
        name = server.name
        values = await asyncio.to_thread(
            lambda: {key: supervisor().secrets.get(name, key) for key in server.secrets}
        )
        unset = [key for key, value in values.items() if value is None and key not in server.optional]
        if unset:
            ways = "\n".join(f"voice-kernel mcp secret {name} {key}" for key in unset)
            where = _("In the panel's dashboard of servers, or in a terminal, where nobody hears it:")
            return Result(
                summary=_("{name} is installed. Before it can start it needs {unset}.").format(
                    name=name, unset=", ".join(unset)
                ),
                text=_("{where}\n{ways}\nThen say: start the {name} server.").format(
                    where=where, ways=ways, name=name
                ),
            )
        task.progress(None, _("starting {name}").format(name=name))
        running = await _started(task, name)
        return Result(
            summary=_("{name} is installed and runs, with {count} tools.").format(
                name=name, count=len(running.tools)
            ),
            text=tools_of(running),
        )

    @registry.tool(area="mcp", effects=install, target=lambda args: consent(server_of(args), args.publisher))
    async def mcp_add(task: TaskHandle, args: Addition) -> Result:
        """Add an MCP server by its command or address."""
        server = server_of(args)
        if server.name in supervisor().names:
            raise ToolError(
                _("There is a server {name} already.").format(name=server.name),
                hint=_("Say: remove the {name} server.").format(name=server.name),
            )
        supervisor().put(server)
        return Result(
            summary=_("Added the server {name}.").format(name=server.name),
            text=consent(server, args.publisher),
        )

    @registry.tool(area="mcp", effects=install)
    async def mcp_remove(task: TaskHandle, args: Named) -> Result:
        """Remove an MCP server."""
        gone = await supervisor().remove(args.name)
        return Result(summary=_("Removed the server {name} and its secrets.").format(name=gone.name))

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_start(task: TaskHandle, args: Named) -> Result:
        """Start an MCP server."""
        running = await _started(task, args.name)
        return Result(
            summary=_("{name} runs, with {count} tools.").format(
                name=running.server.name, count=len(running.tools)
            ),
            text=tools_of(running),
        )

    @registry.tool(area="mcp", effects=execute)
    async def mcp_stop(task: TaskHandle, args: Named) -> Result:
        """Stop an MCP server."""
        running = await supervisor().stop(args.name)
        return Result(summary=_("Stopped {name}.").format(name=running.server.name))

    @registry.tool(area="mcp", effects=execute)
    async def mcp_restart(task: TaskHandle, args: Named) -> Result:
        """Stop an MCP server and start it again."""
        await supervisor().stop(args.name)
        running = await _started(task, args.name)
        return Result(
            summary=_("{name} runs again, with {count} tools.").format(
                name=running.server.name, count=len(running.tools)
            )
        )

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_list_tools(task: TaskHandle, args: Named) -> Result:
        """List the tools of an MCP server; one that does not run is started."""
        running = supervisor().get(args.name)
        if not running.tools:
            await running.start()
        name = running.server.name
        return Result(
            summary=_("{name} has {count} tools.").format(name=name, count=len(running.tools)),
            text=tools_of(running),
            data={"server": name, "tools": sorted(running.tools)},
        )

    @registry.tool(area="mcp", effects=read, untrusted=True)
    async def mcp_show_log(task: TaskHandle, args: Named) -> Result:
        """Show the log of an MCP server: what it wrote, and what was done with it."""
        running = supervisor().get(args.name)
        lines = list(running.log)[-MAX_LOG_LINES:]
        said = _("The log of {name}, {count} lines.").format(name=running.server.name, count=len(lines))
        return Result(
            summary=said if lines else _("{name} has written nothing.").format(name=running.server.name),
            text=clip("\n".join(lines)),
        )

    @registry.tool(area="mcp", effects=write)
    async def mcp_toggle_tool(task: TaskHandle, args: ToolSwitch) -> Result:
        """Switch a tool of an MCP server on or off."""
        running = supervisor().get(args.name)
        server = running.server
        tool = _nearest(args.tool, [*running.tools, *server.off])
        on = args.on if args.on is not None else tool in server.off
        off = tuple(one for one in server.off if one != tool) + (() if on else (tool,))
        supervisor().put(server.model_copy(update={"off": off}))
        return Result(
            summary=(_("{tool} of {server} is on.") if on else _("{tool} of {server} is off.")).format(
                tool=tool, server=server.name
            )
        )

    @registry.tool(area="mcp", effects=execute)
    async def mcp_autostart(task: TaskHandle, args: Autostart) -> Result:
        """Have an MCP server start with every session, or not."""
        server = supervisor().get(args.name).server
        supervisor().put(server.model_copy(update={"autostart": args.on}))
        if args.on:
            return Result(summary=_("{name} will start with every session.").format(name=server.name))
        return Result(summary=_("{name} will start when it is asked for.").format(name=server.name))

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_list_prompts(task: TaskHandle, args: Named) -> Result:
        """List the prompts of an MCP server."""
        running = supervisor().get(args.name)
        known = await running.prompts()
        lines = []
        for one in known:
            names = [
                argument.name if argument.required else f"[{argument.name}]"
                for argument in one.arguments or ()
            ]
            lines.append(f"{one.name}({', '.join(names)}): {_line(one.description or one.title)}")
        many = ngettext_("{count} prompt", "{count} prompts", len(known)).format(count=len(known))
        return Result(
            summary=_("{name} has {many}.").format(name=running.server.name, many=many),
            text=clip(running.without_secrets("\n".join(lines))),
            data={"server": running.server.name, "prompts": [one.name for one in known]},
        )

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_show_prompt(task: TaskHandle, args: PromptUse) -> Result:
        """Show a prompt of an MCP server, made out."""
        running = supervisor().get(args.name)
        name = _nearest(args.prompt, [one.name for one in await running.prompts()], "prompt")
        made = await running.prompt(name, args.arguments)
        texts = [f"{message.role}: {bridge.text_of(message.content)}" for message in made.messages]
        return Result(
            summary=_("The prompt {name} of {server}.").format(name=name, server=running.server.name),
            text=clip(running.without_secrets("\n\n".join(texts))),
        )

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_list_resources(task: TaskHandle, args: Named) -> Result:
        """List the resources of an MCP server."""
        running = supervisor().get(args.name)
        known = await running.resources()
        lines = [f"{one.uri}: {_line(one.title or one.name)}" for one in known]
        many = ngettext_("{count} resource", "{count} resources", len(known)).format(count=len(known))
        return Result(
            summary=_("{name} has {many}.").format(name=running.server.name, many=many),
            text=clip(running.without_secrets("\n".join(lines))),
            data={"server": running.server.name, "resources": [str(one.uri) for one in known][:200]},
        )

    @registry.tool(area="mcp", effects=execute, untrusted=True)
    async def mcp_read_resource(task: TaskHandle, args: ResourceName) -> Result:
        """Read a resource of an MCP server."""
        known = supervisor().all()
        asked = (
            [supervisor().get(args.name)] if args.name else [one for one in known if one.state == "running"]
        )
        places: dict[str, tuple[RunningServer, str]] = {}
        for one in asked:
            if "://" in args.uri and len(asked) == 1:
                places[args.uri] = one, args.uri
                continue
            for resource in await one.resources():
                uri = str(resource.uri)
                for said in (uri, uri.rpartition("/")[2], resource.name, resource.title):
                    places.setdefault(said or uri, (one, uri))
        running, uri = places[_nearest(args.uri, list(places), "resource")]
        texts, outputs = bridge.read_of((await running.read(uri)).contents)
        return Result(
            summary=_("The resource {uri} of {name}.").format(uri=uri, name=running.server.name),
            text=clip(running.without_secrets("\n".join(texts))),
            outputs=outputs,
        )

    @registry.tool(area="mcp", untrusted=True)
    async def mcp_use(task: TaskHandle, args: Use) -> Result:
        """Have an MCP server do what words ask for, with the tool that fits."""
        running = supervisor().get(args.server)
        if not running.tools:
            started = await call(task, "mcp_start", {"name": running.server.name})
            _ensure(started)
        name = running.server.name
        tools = [tool for tool in running.tools.values() if tool.name not in running.server.off]
        asked = spoken.meant(args.request, tools)
        if asked.missing:
            raise InvalidArguments(
                _("{tool} also needs {names}.").format(tool=asked.tool, names=_(" and ").join(asked.missing)),
                hint=spoken.how_to_say(name, asked.tool, asked.missing),
            )
        done = await call(task, name_in_toolbox(name, asked.tool), asked.arguments)
        return _ensure(done)

    @registry.tool(area="mcp", effects=write)
    async def mcp_export(task: TaskHandle, args: FilePath) -> Result:
        """Write the MCP servers to a file that other clients read, secrets by name only."""
        known = [running.server for running in supervisor().all()]
        path = _path(args)
        await asyncio.to_thread(write_new, path, configs.exported(known))
        return Result(summary=_("Wrote {count} servers to {name}.").format(count=len(known), name=path.name))

    @registry.tool(area="mcp", effects=read)
    async def mcp_import(task: TaskHandle, args: FilePath) -> Result:
        """Add the MCP servers of another client's configuration; each is asked about."""
        path = _path(args)
        offered = [configs.kept_apart(one) for one in await asyncio.to_thread(servers_in, path)]
        known = set(supervisor().names)
        lines, added = [], 0
        for server, secrets in offered:
            if server.name in known:
                lines.append(_("{name}: is here already").format(name=server.name))
                continue
            try:
                await _add(task, server, path.name)
            except ToolFailed as refused:
                lines.append(f"{server.name}: {refused.problem.message}")
                continue
            for key, value in secrets.items():
                await asyncio.to_thread(supervisor().secrets.put, server.name, key, value)
            added += 1
            line = _("{server}: added")
            if secrets:
                line = _("{server}: added, and keeps {names} as secret")
            lines.append(line.format(server=server.name, names=_(" and ").join(secrets)))
        return Result(
            summary=_("Added {added} of {count} servers.").format(added=added, count=len(offered)),
            text="\n".join(lines),
        )

    async def _started(task: TaskHandle, name: str) -> RunningServer:
        """Start a server; where a person has to sign in first, say on which page."""
        running = supervisor().get(name)
        starting = asyncio.ensure_future(running.start())
        told = ""
        try:
            while not starting.done():
                await asyncio.wait({starting}, timeout=LOOK_S)
                if running.sign_in and running.sign_in != told:
                    told = running.sign_in
                    task.progress(None, _("waiting for you to sign in"))
                    task.output(
                        _("To sign in to {name}, open {told}\n").format(name=running.server.name, told=told)
                    )
            await starting
        finally:
            starting.cancel()  # only the wait for it: the server itself goes on
        return running

    async def _add(task: TaskHandle, server: Server, publisher: str) -> None:
        given = server.model_dump(mode="json", exclude={"off", "autostart"}) | {"publisher": publisher}
        _ensure(await call(task, "mcp_add", given))


# ---- what is shown ----------------------------------------------------------------------------------


def consent(server: Server, publisher: str) -> str:
    """Return everything that adding a server would mean, for a person to look at."""
    lines = []
    if server.url:
        lines.append(_("connects to {url}").format(url=server.url))
    else:
        lines.append(
            _("runs {command}").format(
                command=" ".join(_quoted(part) for part in (server.command, *server.args))
            )
        )
    lines += [
        _("sets {name}={value}").format(name=name, value=_quoted(value))
        for name, value in (server.env | server.headers).items()
    ]
    if server.secrets:
        named = (
            _("{name} (if set)").format(name=name) if name in server.optional else name
            for name in server.secrets
        )
        lines.append(_("gets the secrets {named}").format(named=", ".join(named)))
    if publisher:
        lines.append(
            _("published by {publisher} as {name}").format(publisher=publisher, name=server.registry_name)
            if server.registry_name
            else _("published by {publisher}").format(publisher=publisher)
        )
    lines.append(
        _("version {version}").format(version=server.version) if server.version else _("of no fixed version")
    )
    return "\n".join(lines)


def listed(known: list[RunningServer]) -> Result:
    """Return the servers as a table."""
    if not known:
        return Result(summary=_("There are no MCP servers."), text=_("Say: install the time server."))
    rows = [
        {
            "name": one.server.name,
            "state": one.state,
            "tools": len(one.tools) - len(set(one.server.off) & set(one.tools)),
            "calls": one.calls,
            "errors": one.errors,
            "what": configs.shown(one.server)[:100],
            "problem": one.problem if one.state in ("failed", "waiting") else "",
        }
        for one in known
    ]
    text = "\n".join(
        _("{name}: {state}, {tools} tools, {calls} calls, {errors} errors").format(
            name=row["name"], state=row["state"], tools=row["tools"], calls=row["calls"], errors=row["errors"]
        )
        + (f" ({row['problem']})" if row["problem"] else "")
        for row in rows
    )
    names = (_("server"), _("state"), _("tools"), _("calls"), _("errors"), _("last error"))
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(str(row[key]))}</td>"
            for key in ("name", "state", "tools", "calls", "errors", "problem")
        )
        + "</tr>"
        for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    running = sum(one.state == "running" for one in known)
    many = ngettext_("{count} MCP server", "{count} MCP servers", len(known)).format(count=len(known))
    return Result(
        summary=_("{many}, {running} running.").format(many=many, running=running),
        text=text,
        outputs=[Output(kind="display", data={"text/html": table, "text/plain": text})],
        data={"servers": rows},
    )


def _found(query: str, offers: list[Offer]) -> Result:
    if not offers:
        return Result(summary=_("The registry has no server for {query}.").format(query=query))
    lines = [
        f"{offer.server.name} ({offer.publisher}) {offer.server.version}: {offer.description}"
        for offer in offers
    ]
    return Result(
        summary=_("{count} servers for {query}.").format(count=len(offers), query=query),
        text=clip("\n".join(lines)),
        data={
            "servers": [
                {
                    "name": offer.server.registry_name,
                    "package": offer.package,
                    "description": offer.description,
                }
                for offer in offers
            ]
        },
    )


def tools_of(running: RunningServer) -> str:
    """Return what a server offers, a line for each tool."""
    lines = []
    for tool in running.tools.values():
        schema: Mapping[str, Any] = tool.input_schema if isinstance(tool.input_schema, dict) else {}
        required = schema.get("required") or ()
        names = [name if name in required else f"[{name}]" for name in schema.get("properties") or ()]
        about = " ".join((tool.description or "").split())[:160]
        off = " (off)" if tool.name in running.server.off else ""
        lines.append(f"{tool.name}({', '.join(names)}){off}: {about}")
    return clip("\n".join(lines))


def _quoted(text: str) -> str:
    plain = text.isprintable() and text and not set(text) & set(" '\"\\$`")
    return text if plain else repr(text)


# ---- inside -----------------------------------------------------------------------------------------


def chosen(name: str, publisher: str, offers: list[Offer]) -> Offer:
    """Return the one server that was meant.

    Raises:
        ToolError: there is none, or several; says which.
    """
    if publisher:
        offers = [offer for offer in offers if squash(publisher) in squash(offer.publisher)]
    if not offers:
        raise ToolError(
            _("The registry has no server {name}.").format(name=name),
            hint=_("Say: search the registry for it."),
        )
    if len(offers) > 1:
        several = "; ".join(f"{offer.server.name} by {offer.publisher}" for offer in offers[:8])
        first = offers[0]
        raise ToolError(
            _("Several servers may be meant: {several}.").format(several=several),
            hint=_("Say: install the {name} server by {publisher}.").format(
                name=first.server.name, publisher=first.publisher
            ),
        )
    return offers[0]


def server_of(args: Addition) -> Server:
    """Return the server that arguments describe."""
    return Server.model_validate(args.model_dump(exclude={"publisher"}))


def _ensure(done: Task) -> Result:
    if done.state != "succeeded":
        if done.problem is not None:
            raise ToolFailed(done.problem, done.result)
        raise ToolError(_("{title} was {state}.").format(title=done.title, state=done.state))
    return done.result or Result()


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:160]


def _nearest(said: str, names: list[str], what: str = "tool") -> str:
    found = said if said in names else nearest(said, names)
    if found is None:
        none = {
            "tool": _("There is no tool {name}."),
            "prompt": _("There is no prompt {name}."),
            "resource": _("There is no resource {name}."),
        }
        listed = ", ".join(sorted(names)[:20])
        raise ToolError(none[what].format(name=said), hint=_("There are: {names}.").format(names=listed))
    return found


def _path(args: FilePath) -> Path:
    return Path(args.path).expanduser()


def servers_in(path: Path) -> list[Server]:
    """Return the servers of a client's configuration.

    Raises:
        ToolError: it cannot be read, or is none.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise ToolError(_("{path} is no file.").format(path=path))
        with path.open("rb") as file:
            text = file.read(configs.MAX_FILE_BYTES + 1).decode("utf-8")
    except FileNotFoundError:
        raise ToolError(_("There is no file {path}.").format(path=path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(
            _("{path} cannot be read ({name}).").format(path=path, name=type(error).__name__)
        ) from None
    return configs.servers_of(text, path.name)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        ToolError: it is there, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ToolError(
            _("{path} is there already.").format(path=path), hint=_("Name another file.")
        ) from None
    except OSError as error:
        raise ToolError(
            _("{path} cannot be written: {strerror}.").format(path=path, strerror=error.strerror)
        ) from None
