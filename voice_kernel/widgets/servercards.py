"""The MCP servers as a ChatKit widget: which there are, how they are, and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterable

from voice_kernel.messages import McpServer
from voice_kernel.widgets.taskcards import Json

START_SERVER, STOP_SERVER = "voice_kernel.start_server", "voice_kernel.stop_server"
SHOW_SERVERS = "voice_kernel.show_servers"

MAX_LISTED = 50
COLOURS = {
    "running": "success",
    "starting": "info",
    "waiting": "info",
    "failed": "danger",
    "asleep": "secondary",
    "stopped": "secondary",
}


def server_list(servers: Iterable[McpServer]) -> Json:
    """Return the dashboard of MCP servers."""
    listed = list(servers)[:MAX_LISTED]
    if not listed:
        nothing = "There is no MCP server yet. Say: install the time server."
        return {"type": "Card", "children": [{"type": "Text", "value": nothing}]}
    return {"type": "ListView", "key": "servers", "limit": 10, "children": [_row(one) for one in listed]}


def _row(server: McpServer) -> Json:
    up = server.state in ("running", "starting", "asleep")
    counted = f"{server.tools} tools, {server.calls} calls, {server.errors} errors"
    told = server.problem or (counted if up else server.what)
    action = {"type": STOP_SERVER if up else START_SERVER, "payload": {"server": server.name}}
    return {
        "type": "ListViewItem",
        "key": f"server-{server.name}",
        "align": "center",
        "children": [
            {"type": "Badge", "label": server.state.capitalize(), "color": COLOURS[server.state]},
            {
                "type": "Col",
                "flex": 1,
                "gap": 0,
                "children": [
                    {"type": "Text", "value": server.name, "weight": "medium"},
                    {"type": "Caption", "value": told[:300], "truncate": True},
                ],
            },
            {
                "type": "Button",
                "key": "switch",
                "label": "Stop" if up else "Start",
                "size": "sm",
                "variant": "outline",
                "onClickAction": action,
            },
        ],
    }
