"""The MCP servers as a ChatKit widget: which there are, how they are, and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterable

from voice_kernel.language import N_, _
from voice_kernel.messages import McpServer
from voice_kernel.widgets.taskcards import Json

START_SERVER, STOP_SERVER = "voice_kernel.start_server", "voice_kernel.stop_server"
SHOW_SERVERS = "voice_kernel.show_servers"

MAX_LISTED = 50
BADGES = {
    "running": (N_("Running"), "success"),
    "starting": (N_("Starting"), "info"),
    "waiting": (N_("Waiting"), "info"),
    "failed": (N_("Failed"), "danger"),
    "asleep": (N_("Asleep"), "secondary"),
    "stopped": (N_("Stopped"), "secondary"),
}
"""A word and a colour for each state."""


def server_list(servers: Iterable[McpServer]) -> Json:
    """Return the dashboard of MCP servers."""
    listed = list(servers)[:MAX_LISTED]
    if not listed:
        nothing = _("There is no MCP server yet. Say: install the time server.")
        return {"type": "Card", "children": [{"type": "Text", "value": nothing}]}
    return {"type": "ListView", "key": "servers", "limit": 10, "children": [_row(one) for one in listed]}


def _row(server: McpServer) -> Json:
    up = server.state in ("running", "starting", "asleep")
    counted = _("{tools} tools, {calls} calls, {errors} errors").format(
        tools=server.tools, calls=server.calls, errors=server.errors
    )
    told = server.problem or (counted if up else server.what)
    action = {"type": STOP_SERVER if up else START_SERVER, "payload": {"server": server.name}}
    return {
        "type": "ListViewItem",
        "key": f"server-{server.name}",
        "align": "center",
        "children": [
            {"type": "Badge", "label": _(BADGES[server.state][0]), "color": BADGES[server.state][1]},
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
                "label": _("Stop") if up else _("Start"),
                "size": "sm",
                "variant": "outline",
                "onClickAction": action,
            },
        ],
    }
