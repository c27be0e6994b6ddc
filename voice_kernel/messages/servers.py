"""MCP servers: how they stand, what they offer, which could be installed, and their secrets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from voice_kernel.messages.wire import Problem, Wire


class Question(Wire):
    """A value that a server needs before it can start."""

    name: str
    description: str = ""
    secret: bool = False
    """Typed into a field of its own, kept apart, and never shown again."""
    required: bool = True
    default: str = ""


class McpTool(Wire):
    """A tool of an MCP server."""

    name: str
    description: str = ""
    arguments: list[str] = []
    """By name; in brackets those that may be left out."""
    on: bool = True
    hint: Literal["reads", "destroys", ""] = ""
    """What its server says of it."""


class McpEntry(Wire):
    """A prompt or a resource of an MCP server."""

    name: str
    """A resource's is its address."""
    title: str = ""
    description: str = ""
    arguments: list[str] = []


class McpServer(Wire):
    """An MCP server as a dashboard shows it; never a secret."""

    name: str
    state: Literal["stopped", "starting", "running", "failed", "waiting", "asleep"] = "stopped"
    """`waiting`: to be started again; `asleep`: the next call wakes it."""
    problem: str = ""
    """Its last error."""
    what: str = ""
    """Its command line or address."""
    transport: Literal["stdio", "http", "sse"] = "stdio"
    version: str = ""
    registry_name: str = ""
    autostart: bool = False
    """Whether it starts with every session."""
    pid: int | None = None
    started_at: float | None = None
    tools: int = 0
    tools_off: int = 0
    calls: int = 0
    errors: int = 0
    log_lines: int = 0
    """So far: it has changed when this has."""
    secrets: list[str] = []
    """Their names."""
    missing: list[str] = []
    """Those that have no value yet."""
    sign_in: str = ""
    """The page where a person signs in, while the server waits for that."""


class McpOffer(Wire):
    """A server of the registry, and what installing it would mean."""

    name: str
    """In the registry, e.g. `io.github.ada/time`."""
    short: str
    """As it would be called here."""
    publisher: str = ""
    version: str = ""
    description: str = ""
    repository: str = ""
    runs: str = ""
    """Everything that would run or be reached, a line each."""
    questions: list[Question] = []
    missing: str = ""
    """The program that would have to be installed first."""
    hint: str = ""
    installed: bool = False


class ServersChanged(Wire):
    """The MCP servers as they are now, for those who watch them."""

    type: Literal["servers"] = "servers"
    servers: list[McpServer] = []
    registry: str = ""
    """Where servers are searched."""
    secrets_place: str = ""
    """Where secrets are kept, for a person."""
    configs: list[str] = []
    """Configurations of other clients that are on this machine."""
    problem: Problem | None = None


class ServerDetails(Wire):
    """Answer to `ReadServer`."""

    type: Literal["server_details"] = "server_details"
    id: int
    tools: list[McpTool] = []
    prompts: list[McpEntry] = []
    resources: list[McpEntry] = []
    problem: Problem | None = None


class Offers(Wire):
    """Answer to `SearchRegistry`."""

    type: Literal["offers"] = "offers"
    id: int
    offers: list[McpOffer] = []
    problem: Problem | None = None


class WatchServers(Wire):
    """Be told of the MCP servers, now and whenever something of them changes, or no longer."""

    type: Literal["watch_servers"] = "watch_servers"
    on: bool = True


class ReadServer(Wire):
    """Read what an MCP server offers. Answered with `ServerDetails`."""

    type: Literal["read_server"] = "read_server"
    id: int
    server: str = Field(max_length=60)


class SearchRegistry(Wire):
    """Search the registry of MCP servers. Answered with `Offers`."""

    type: Literal["search_registry"] = "search_registry"
    id: int
    query: str = Field(max_length=200)


class KeepSecret(Wire):
    """Keep a secret of an MCP server, or forget it where the value is empty. Answered with `Done`.

    The only message that carries one, and only this way; nothing of it is logged or kept elsewhere.
    """

    type: Literal["keep_secret"] = "keep_secret"
    id: int
    server: str = Field(max_length=60)
    name: str = Field(min_length=1, max_length=200)
    value: SecretStr = Field(max_length=20_000)


class FinishSignIn(Wire):
    """Hand over the address that a sign-in led to, where the browser is on another machine than the kernel.

    Answered with `Done`.
    """

    type: Literal["finish_sign_in"] = "finish_sign_in"
    id: int
    server: str = Field(max_length=60)
    address: SecretStr = Field(max_length=8_000)
    """It holds a code that is good for once."""
