"""`voice-kernel mcp`: MCP servers from the terminal. Secrets are entered here, and nowhere else."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OK, EXIT_REFUSED
from voice_kernel.errors import ToolError

if TYPE_CHECKING:
    from voice_kernel.tools.mcp import Catalog, Supervisor
    from voice_kernel.tools.mcp.running import RunningServer


DESCRIPTION = """MCP servers from the terminal. Secrets are entered here (or in the panel), never spoken.
What is installed here can be used by every session of yours."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    mcp = commands.add_parser("mcp", help="MCP servers: find, install, look after", description=DESCRIPTION)
    actions = mcp.add_subparsers(required=True, metavar="ACTION")

    def action(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        parser = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        parser.set_defaults(run=run)
        return parser

    action("list", _list, "the servers there are")
    action("search", _search, "search the registry").add_argument("words", nargs="+")
    install = action("install", _install, "install a server of the registry")
    install.add_argument("name")
    install.add_argument("--publisher", default="", help="who published it, where several did")
    install.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="what the server asks"
    )
    install.add_argument("--yes", action="store_true", help="do not ask")
    for name, run, text in (
        ("remove", _remove, "forget a server and its secrets"),
        ("start", _start, "start a server, as a trial, and say how that went"),
        ("tools", _tools, "what a server can do"),
        ("log", _log, "start a server and show what it writes"),
    ):
        action(name, run, text).add_argument("name")
    take = action("import", _import, "add the servers of another client's configuration")
    take.add_argument("file", type=Path)
    take.add_argument("--yes", action="store_true", help="do not ask")
    give = action("export", _export, "write the servers for other clients, secrets by name only")
    give.add_argument("file", type=Path, nargs="?", help="stdout if not given")
    secret = action("secret", _secret, "enter a secret of a server, unseen; empty forgets it")
    secret.add_argument("name")
    secret.add_argument("key")


def _list(options: argparse.Namespace) -> int:
    from voice_kernel.tools.mcp.configs import shown

    servers = _supervisor().all()
    if not servers:
        print("No MCP server is here yet. Find one with: voice-kernel mcp search WORDS")
    for running in servers:
        server = running.server
        off = f" ({len(server.off)} tools off)" if server.off else ""
        print(f"{server.name}: {shown(server)}{off}")
    return EXIT_OK


def _search(options: argparse.Namespace) -> int:
    offers = asyncio.run(_catalog().search(" ".join(options.words)))
    for offer in offers:
        print(f"{offer.server.registry_name} {offer.server.version} [{offer.package}] {offer.description}")
    return EXIT_OK if offers else EXIT_FAILED


def _install(options: argparse.Namespace) -> int:
    from voice_kernel.tools.mcp.catalog import filled
    from voice_kernel.tools.mcp.commands import chosen, consent

    supervisor = _supervisor()
    answers = dict(pair.partition("=")[::2] for pair in options.set)
    offer = chosen(options.name, options.publisher, asyncio.run(_catalog().find(options.name)))
    server = filled(offer, answers)
    if offer.missing:
        raise ToolError(f"{server.name} needs {offer.missing}, which is not here.", hint=offer.hint)
    if server.name in supervisor.names:
        raise ToolError(
            f"There is a server {server.name} already.", hint=f"voice-kernel mcp remove {server.name}"
        )
    if not _agreed(consent(server, offer.publisher), options.yes):
        return EXIT_REFUSED
    supervisor.put(server)
    for key in server.secrets:
        needs = "may have" if key in server.optional else "needs"
        print(f"It {needs} a secret: voice-kernel mcp secret {server.name} {key}")
    print(f"Installed {server.name}.")
    return EXIT_OK


def _remove(options: argparse.Namespace) -> int:
    gone = asyncio.run(_supervisor().remove(options.name))
    print(f"Removed {gone.name} and its secrets.")
    return EXIT_OK


def _start(options: argparse.Namespace) -> int:
    def show(supervisor: Supervisor) -> None:
        running = supervisor.get(options.name)
        print(f"{running.server.name} starts, and has {len(running.tools)} tools. It is stopped again now.")

    return _tried(options.name, show)


def _tools(options: argparse.Namespace) -> int:
    from voice_kernel.tools.mcp.commands import tools_of

    return _tried(options.name, lambda supervisor: print(tools_of(supervisor.get(options.name))))


def _log(options: argparse.Namespace) -> int:
    return _tried(options.name, lambda supervisor: print("\n".join(supervisor.get(options.name).log)))


def _tried(name: str, show: Callable[[Supervisor], None]) -> int:
    """Run a server for as long as it takes to show something of it."""
    supervisor = _supervisor()

    async def trial() -> int:
        try:
            running = await supervisor.start(name)
        except ToolError:
            with_log = list(supervisor.get(name).log)[-20:]
            print("\n".join(with_log), file=sys.stderr)
            raise
        try:
            show(supervisor)
        finally:
            await running.stop()
        return EXIT_OK

    return asyncio.run(trial())


def _import(options: argparse.Namespace) -> int:
    from voice_kernel.tools.mcp.commands import consent, servers_in
    from voice_kernel.tools.mcp.configs import kept_apart

    supervisor = _supervisor()
    for server, secrets in map(kept_apart, servers_in(options.file)):
        if server.name in supervisor.names:
            print(f"{server.name} is here already.")
            continue
        print(f"\n{server.name}:")
        if not _agreed(consent(server, options.file.name), options.yes):
            continue
        supervisor.put(server)
        for key, value in secrets.items():
            supervisor.secrets.put(server.name, key, value)
        print(f"Added {server.name}" + (f", its secrets in {supervisor.secrets.place}." if secrets else "."))
    return EXIT_OK


def _export(options: argparse.Namespace) -> int:
    from voice_kernel.tools.mcp.commands import write_new
    from voice_kernel.tools.mcp.configs import exported

    text = exported(running.server for running in _supervisor().all())
    if options.file is None:
        print(text, end="")
    else:
        write_new(options.file, text)
    return EXIT_OK


def _secret(options: argparse.Namespace) -> int:
    supervisor = _supervisor()
    server = supervisor.get(options.name).server
    # Not a terminal: from a program that has it, one line.
    interactive = sys.stdin.isatty()
    value = (
        getpass.getpass(f"{options.key} of {server.name}: ")
        if interactive
        else sys.stdin.readline().rstrip("\n")
    )
    if value:
        supervisor.secrets.put(server.name, options.key, value)
    else:
        supervisor.secrets.forget_one(server.name, options.key)
    if options.key not in server.secrets:
        supervisor.put(server.model_copy(update={"secrets": (*server.secrets, options.key)}))
    print(f"{'Kept' if value else 'Forgot'} {options.key} in {supervisor.secrets.place}.")
    return EXIT_OK


def _agreed(text: str, yes: bool) -> bool:
    print(text)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ToolError("Nobody can be asked here.", hint="Look at the command above, then pass --yes.")
    return input("Add it? [y/N] ").strip().lower() in ("y", "yes")


def _supervisor() -> Supervisor:
    from voice_kernel.settings import data_folder
    from voice_kernel.tools.mcp import Secrets, ServerFile, Supervisor
    from voice_kernel.tools.mcp.people import Nobody

    class Terminal(Nobody):
        """A person who sees the page to sign in on, and can open it; no form is asked for here."""

        async def somebody(self) -> bool:
            return sys.stdout.isatty()

    folder = data_folder()
    secrets = Secrets(folder / "secrets.json")
    supervisor = Supervisor(ServerFile(folder / "mcp.json"), secrets, people=Terminal())
    shown: set[str] = set()

    def tell(running: RunningServer) -> None:
        if running.sign_in and running.sign_in not in shown:
            shown.add(running.sign_in)
            print(f"To sign in to {running.server.name}, open {running.sign_in}", flush=True)

    supervisor.on_change(tell)
    return supervisor


def _catalog() -> Catalog:
    from voice_kernel.settings import load
    from voice_kernel.tools.mcp import Catalog

    return Catalog(load().mcp_registry_url)
