"""What must be there for a command to be one: where no page is open, "press the button" is talk.

Knows which tools act on something that others bring about, or that has a name here, and says what is
missing. It does not know the sentences, nor what the tools do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from voice_kernel.context import Context, squash
from voice_kernel.intents.calls import ToolCall

Need = Literal["page", "server", "test"]

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
MANY_TESTS = 1_000
MANY_FILES = 2_000
"""So many, and there may be more than are known. Source: `surroundings`."""


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
        if call.tool == "run_tests" and _no_test_has(str(call.arguments.get("keyword", "")), context):
            return "test"
        if call.tool in BRINGS:
            there.add(BRINGS[call.tool])
    return ""


def _no_test_has(keyword: str, context: Context) -> bool:
    """Return whether there are tests, and neither they nor their files have a word in their names."""
    letters = squash(keyword)
    if not letters or not 0 < len(context.tests) < MANY_TESTS or len(context.files) >= MANY_FILES:
        return False
    return not any(letters in squash(name) for name in (*context.tests, *context.files))
