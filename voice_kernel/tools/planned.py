"""The tools that have a name and sentences already, but cannot act yet: each says plainly why.

Their arguments are the public vocabulary that replay scripts and brains may rely on. A module that
makes one of them real registers it under the same name, and the entry here goes.
"""

from __future__ import annotations

from pydantic import Field

from voice_kernel.toolbox.registry import Arguments, Registry

NO_SERVERS = "Managing MCP servers is not in this version yet."


class Nothing(Arguments):
    """No arguments."""


class Query(Arguments):
    """Something to search for."""

    query: str = Field(description="What to search for.")


class Server(Arguments):
    """An MCP server."""

    name: str = Field(description="Name of the server.")


PLANNED: tuple[tuple[str, str, type[Arguments], str, str], ...] = (
    ("mcp_list_servers", "mcp", Nothing, "List the MCP servers.", NO_SERVERS),
    ("mcp_search", "mcp", Query, "Search the registry of MCP servers.", NO_SERVERS),
    ("mcp_install", "mcp", Server, "Install an MCP server.", NO_SERVERS),
    ("mcp_remove", "mcp", Server, "Remove an MCP server.", NO_SERVERS),
    ("mcp_start", "mcp", Server, "Start an MCP server.", NO_SERVERS),
    ("mcp_stop", "mcp", Server, "Stop an MCP server.", NO_SERVERS),
    ("mcp_list_tools", "mcp", Server, "List the tools of an MCP server.", NO_SERVERS),
)
"""Name, area, arguments, description and why not."""


def register(registry: Registry) -> None:
    """Declare every planned tool that nobody has made real."""
    for name, area, arguments, description, reason in PLANNED:
        if name not in registry.specs:
            registry.planned(name, area, arguments, description, reason)
