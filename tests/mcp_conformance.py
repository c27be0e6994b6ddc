"""A client for the official conformance suite: `python mcp_conformance.py URL`.

The suite starts a server for each scenario and this program beside it. All it does is what a session does
(servers under supervision, a person who signs in and fills forms in); only that the person is a program.

Source: github.com/modelcontextprotocol/conformance, "Testing Clients".
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from voice_kernel.errors import ToolError
from voice_kernel.messages import FormField
from voice_kernel.tools.mcp import Secrets, ServerFile, Supervisor
from voice_kernel.tools.mcp.running import RunningServer
from voice_kernel.tools.mcp.servers import Server
from voice_kernel.tools.mcp.signin import OAUTH

CALLS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "tools_call": (("add_numbers", {"a": 5, "b": 3}),),
    "elicitation-sep1034-client-defaults": (("test_client_elicitation_defaults", {}),),
    "sse-retry": (("test_reconnection", {}),),
}
"""What a person asks for, by scenario; any first tool elsewhere."""
PORT = 41_763
"""Of the address to which a client that was registered beforehand is sent back."""


class Person:
    """Leaves every form as it is, and sends it."""

    async def somebody(self) -> bool:
        return True

    async def fill_in(self, task: Any, server: str, message: str, fields: list[FormField]) -> dict[str, Any]:
        return {}


def browse(page: str) -> None:
    """Follow a page to where it leads, as a browser would after a click on Allow."""
    urllib.request.urlopen(page, timeout=20).read()


async def main(url: str) -> int:
    scenario = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
    context = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    browsing: set[asyncio.Task[None]] = set()

    def look(running: RunningServer) -> None:
        if running.sign_in:
            browsing.add(asyncio.ensure_future(asyncio.to_thread(browse, running.sign_in)))

    with tempfile.TemporaryDirectory() as folder:
        secrets = Secrets(Path(folder) / "secrets.json", use_keyring=False)
        if "client_id" in context and "pre-registration" in scenario:
            client = {
                "client_id": context["client_id"],
                "client_secret": context.get("client_secret"),
                "token_endpoint_auth_method": "client_secret_basic",
                "redirect_uris": [f"http://127.0.0.1:{PORT}/callback"],
            }
            secrets.put("suite", OAUTH, json.dumps({"client": client}))
        supervisor = Supervisor(ServerFile(Path(folder) / "mcp.json"), secrets, people=Person())
        supervisor.put(Server(name="suite", transport="http", url=url))
        supervisor.on_change(look)
        running = supervisor.get("suite")
        task: Any = object()
        try:
            await running.start()
            first = next(iter(running.tools), None)
            wanted = CALLS.get(scenario) or (((first, {}),) if first else ())
            for tool, arguments in wanted:
                print((await running.call(tool, arguments, task=task, limit_s=20)).content)
        except ToolError as error:
            print(error, *running.log, sep="\n", file=sys.stderr)
            return 1
        finally:
            await supervisor.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[-1])))
