"""A small MCP server with every unkindness: `python mcp_server.py [FAULT]`.

Faults: crash (at once), slow (a second before it answers), deaf (never answers), garbage (lines on stdout
that are no messages), flood (nothing but such lines), shouting (fills stderr without end), stubborn (ignores
SIGTERM and stdin's end), children (leaves a process of its own that ignores SIGTERM).
"""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import threading
import time

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def main() -> None:
    fault = sys.argv[1] if len(sys.argv) > 1 else ""
    print("hello from the server", file=sys.stderr, flush=True)
    if fault == "crash":
        print(
            f"cannot open the vault with {os.environ.get('TOKEN', 'no token')}", file=sys.stderr, flush=True
        )
        sys.exit(3)
    if fault == "slow":
        time.sleep(1)
    if fault == "deaf":
        time.sleep(600)
    if fault == "flood":
        while True:
            sys.stdout.write("all work and no play\n" * 1000)
    if fault == "garbage":
        print('Welcome to my server!\n{"jsonrpc": 1}\n' + "x" * 200_000, flush=True)
    if fault == "shouting":
        threading.Thread(target=shout, daemon=True).start()
    if fault == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if fault in ("children", "stubborn"):
        subprocess.Popen([sys.executable, "-c", DEAF], stdin=subprocess.DEVNULL, start_new_session=True)
    serve(fault)
    if fault == "stubborn":
        time.sleep(600)


def shout() -> None:
    while True:
        os.write(2, b"\n" * 65_536)


def serve(fault: str) -> None:
    from mcp import MCPError
    from mcp.server.mcpserver import Context, Image, MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import (
        EmbeddedResource,
        SamplingMessage,
        TextContent,
        TextResourceContents,
        ToolAnnotations,
    )
    from pydantic import BaseModel, Field

    class Booking(BaseModel):
        guests: int = Field(title="Guests", description="How many", default=2)
        when: str = Field(title="When")

    server = MCPServer("faulty", instructions="Be kind.")

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def echo(text: str) -> str:
        """Say a text again."""
        return text

    @server.tool(annotations=ToolAnnotations(read_only_hint=True))
    def add(a: float, b: float) -> float:
        """Add two numbers."""
        return a + b

    @server.tool(annotations=ToolAnnotations(destructive_hint=True))
    def erase(path: str) -> str:
        """Delete a file for ever."""
        return f"{path} is gone"

    @server.tool()
    def environment(name: str) -> str:
        """Tell a variable of the environment."""
        return os.environ.get(name, "not set")

    @server.tool()
    def picture() -> Image:
        """Draw a picture."""
        return Image(data=PIXEL, format="png")

    @server.tool()
    def page() -> EmbeddedResource:
        """Give a resource."""
        contents = TextResourceContents(uri="memo://one", mime_type="text/plain", text="a memo")
        return EmbeddedResource(type="resource", resource=contents)

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise ToolError("the moon is in the wrong phase")

    @server.tool()
    async def count(to: int, ctx: Context) -> str:
        """Count slowly."""
        for number in range(1, to + 1):
            await ctx.report_progress(number, to, f"number {number}")
            await asyncio.sleep(0.02)
        return "done"

    @server.tool()
    async def wait(ctx: Context) -> str:
        """Wait for ever."""
        print("waiting", file=sys.stderr, flush=True)
        try:
            await asyncio.sleep(600)
        except BaseException:
            print("the wait was cancelled", file=sys.stderr, flush=True)
            raise
        return "never"

    @server.tool()
    async def die(ctx: Context) -> str:
        """End the process during the call."""
        os._exit(9)

    @server.tool()
    async def learn(ctx: Context) -> str:
        """Have one more tool."""
        server.add_tool(learned, name="learned")
        await ctx.session.send_tool_list_changed()
        return "I know one more"

    @server.tool()
    async def book(ctx: Context) -> str:
        """Book a table, after asking for how many."""
        answer = await ctx.elicit("For how many, and when?", Booking)
        return (
            f"{answer.action}: {answer.data.guests} at {answer.data.when}"
            if answer.action == "accept"
            else answer.action
        )

    @server.tool()
    async def places(ctx: Context) -> str:
        """Tell the folders to work in."""
        return " ".join(str(root.uri) for root in (await ctx.session.list_roots()).roots)

    @server.tool()
    async def think(ctx: Context) -> str:
        """Use the model of whoever calls."""
        message = SamplingMessage(role="user", content=TextContent(type="text", text="think"))
        try:
            await ctx.session.create_message([message], max_tokens=5)
        except MCPError as error:
            return f"refused: {error}"
        return "it thought"

    @server.prompt()
    def greeting(name: str) -> str:
        """Greet somebody."""
        return f"Say hello to {name}"

    @server.resource("memo://one", title="The memo", mime_type="text/plain")
    def memo() -> str:
        """A memo to read."""
        return "remember the milk"

    @server.resource("memo://pixel", mime_type="image/png")
    def pixel() -> bytes:
        """A picture to look at."""
        return PIXEL

    def learned(x: int) -> int:
        """Do what was learned."""
        return x

    server.run()


if __name__ == "__main__":
    main()
