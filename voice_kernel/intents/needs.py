"""What must be there for a command to be one: where no page is open, "press the button" is talk.

Knows which tools act on something that others bring about, and says what is missing. It does not know the
sentences, nor what the tools do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from voice_kernel.context import Context
from voice_kernel.intents.calls import ToolCall

Need = Literal["page", "server"]

_PAGE = (
    "browser_badges", "browser_check", "browser_click", "browser_file_upload", "browser_handle_dialog",
    "browser_hover", "browser_navigate_back", "browser_press_key", "browser_scroll", "browser_select_option",
    "browser_snapshot", "browser_take_screenshot", "browser_type", "browser_wait_for",
)  # fmt: skip
_SERVER = (
    "mcp_autostart", "mcp_list_prompts", "mcp_list_resources", "mcp_list_tools", "mcp_read_resource",
    "mcp_remove", "mcp_restart", "mcp_show_log", "mcp_show_prompt", "mcp_start", "mcp_stop",
    "mcp_toggle_tool", "mcp_use",
)  # fmt: skip
NEEDS: Mapping[str, Need] = {**dict.fromkeys(_PAGE, "page"), **dict.fromkeys(_SERVER, "server")}
BRINGS: Mapping[str, Need] = {
    "browser_navigate": "page", "browser_tabs": "page", "mcp_install": "server", "mcp_import": "server",
}  # fmt: skip
"""Tools after which, in the same breath, there is one."""


def lacking(calls: Sequence[ToolCall], context: Context) -> Need | Literal[""]:
    """Return what a plan needs that is not there; empty when nothing is missing, or nobody can know."""
    if not context.complete:
        return ""
    there = {
        name for name, is_there in (("page", context.page_open), ("server", context.servers)) if is_there
    }
    for call in calls:
        need = NEEDS.get(call.tool)
        if need is not None and need not in there:
            return need
        if call.tool in BRINGS:
            there.add(BRINGS[call.tool])
    return ""
