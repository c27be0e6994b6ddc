"""The tools that have a name and sentences already, but cannot act yet: each says plainly why.

Their arguments are the public vocabulary that replay scripts and brains may rely on. A module that
makes one of them real registers it under the same name, and the entry here goes.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.toolbox.registry import Arguments, Registry

NO_BROWSER = "Driving a web browser is not in this version yet."
NO_SERVERS = "Managing MCP servers is not in this version yet."


class Nothing(Arguments):
    """No arguments."""


class Url(Arguments):
    """An address."""

    url: str = Field(description="Address of the page.")


class Target(Arguments):
    """An element of the page."""

    target: str = Field(description="Its name as it is on the page, or its reference in the snapshot.")


class TypeText(Target):
    """Arguments of `browser_type`."""

    text: str = Field(description="What to type.")
    submit: bool = Field(default=False, description="Whether to press Enter afterwards.")


class PressKey(Arguments):
    """Arguments of `browser_press_key`."""

    key: str = Field(description="Name of the key, e.g. Enter or Control+a.")


class SelectOption(Target):
    """Arguments of `browser_select_option`."""

    value: str = Field(description="The option.")


class WaitFor(Arguments):
    """Arguments of `browser_wait_for`."""

    text: str = Field(default="", description="Text that should appear.")
    time: float | None = Field(default=None, description="Seconds to wait.")


class Tabs(Arguments):
    """Arguments of `browser_tabs`."""

    action: Literal["list", "new", "select", "close"] = Field(default="list", description="What to do.")
    index: int | None = Field(default=None, description="Number of the tab, from 1.")


class Query(Arguments):
    """Something to search for."""

    query: str = Field(description="What to search for.")


class Server(Arguments):
    """An MCP server."""

    name: str = Field(description="Name of the server.")


PLANNED: tuple[tuple[str, str, type[Arguments], str, str], ...] = (
    ("browser_navigate", "browser", Url, "Open a page.", NO_BROWSER),
    ("browser_snapshot", "browser", Nothing, "Read what is on the page.", NO_BROWSER),
    ("browser_click", "browser", Target, "Click something on the page.", NO_BROWSER),
    ("browser_type", "browser", TypeText, "Type into a field of the page.", NO_BROWSER),
    ("browser_press_key", "browser", PressKey, "Press a key.", NO_BROWSER),
    ("browser_select_option", "browser", SelectOption, "Choose an option of a list.", NO_BROWSER),
    ("browser_hover", "browser", Target, "Move the pointer over something.", NO_BROWSER),
    ("browser_wait_for", "browser", WaitFor, "Wait for a text or a time.", NO_BROWSER),
    ("browser_navigate_back", "browser", Nothing, "Go back to the previous page.", NO_BROWSER),
    ("browser_tabs", "browser", Tabs, "List, open, select or close tabs.", NO_BROWSER),
    ("browser_take_screenshot", "browser", Nothing, "Take a picture of the page.", NO_BROWSER),
    ("browser_close", "browser", Nothing, "Close the browser.", NO_BROWSER),
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
