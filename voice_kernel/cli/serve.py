"""`voice-kernel serve`: the session over HTTP, for ChatKit clients and for the panel in a plain page."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from importlib.util import find_spec
from typing import Any

from voice_kernel.cli.exits import EXIT_OK
from voice_kernel.errors import VoiceKernelError

TOKEN = "VOICE_KERNEL_SERVER_TOKEN"  # noqa: S105  the name of a variable
NEEDED = ("chatkit", "starlette", "uvicorn", "python_multipart")
DESCRIPTION = f"""A ChatKit endpoint at /api/chatkit, tasks and MCP servers over HTTP, and the panel at /.
It works in this folder, on this machine only unless --host says otherwise. Whoever has the token may do what
you may do here: it is printed at the start, and new each time unless {TOKEN} or --token gives one."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    serve = commands.add_parser("serve", help="serve ChatKit clients and the panel", description=DESCRIPTION)
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, default=8765, help="the port (8765); 0 takes any that is free")
    serve.add_argument("--token", default="", help=f"the token, else {TOKEN}, else a random one")
    serve.add_argument(
        "--kernel",
        default="",
        metavar="CONNECTION_FILE",
        help="use a kernel that runs already, for everybody",
    )
    serve.add_argument("--kernels", type=int, default=8, metavar="N", help="most kernels at once (8)")
    serve.add_argument(
        "--idle", type=float, default=60.0, metavar="MINUTES", help="stop kernels unused for so long (60)"
    )
    serve.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="pages of another server that may ask, as http://localhost:5173",
    )
    serve.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="another name of this server"
    )
    serve.add_argument("--open", action="store_true", help="open the panel in the browser")
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise VoiceKernelError(
            f"Serving needs {', '.join(missing)}.", hint="pip install 'voice-kernel[server]'"
        )
    from voice_kernel.server.run import Options, is_loopback, serve
    from voice_kernel.settings import load

    def started(address: str, token: str) -> None:
        page = f"{address}/#token={token}"
        print(f"ChatKit:  {address}/api/chatkit")
        print(f"Panel:    {page}", flush=True)
        if not is_loopback(options.host):
            print(
                "Others on your network can reach this server, and what is said to it is not encrypted.",
                file=sys.stderr,
            )
        if options.open:
            webbrowser.open(page)

    serve(
        Options(
            host=options.host,
            port=options.port,
            token=options.token or os.environ.get(TOKEN, ""),
            kernel=options.kernel,
            kernels=max(1, options.kernels),
            idle_s=max(1.0, options.idle * 60),
            hosts=tuple(options.allow_host),
            origins=tuple(options.allow_origin),
        ),
        load(),
        started,
    )
    return EXIT_OK
