"""A registry of MCP servers on loopback: real entries, as the official one serves them (API v0.1)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

ENTRIES = Path(__file__).parent / "data" / "mcp" / "servers.json"


class Registry(BaseHTTPRequestHandler):
    """Answers searches and questions for the newest version."""

    entries: list[dict[str, Any]] = []  # noqa: RUF012 - replaced whole

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        parts = [unquote(part) for part in address.path.strip("/").split("/")]
        if parts[:2] != ["v0.1", "servers"]:
            return self.answer(404, {"title": "Not Found"})
        if len(parts) == 5 and parts[3:] == ["versions", "latest"]:
            found = [entry for entry in self.entries if entry["name"] == parts[2]]
            return (
                self.answer(200, {"server": found[0]}) if found else self.answer(404, {"title": "Not Found"})
            )
        wanted = parse_qs(address.query).get("search", [""])[0].lower()
        found = [entry for entry in self.entries if wanted in entry["name"].lower()]
        return self.answer(
            200, {"servers": [{"server": one} for one in found], "metadata": {"count": len(found)}}
        )

    def answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def registry(entries: list[dict[str, Any]] | None = None) -> Iterator[str]:
    """Serve entries, those of the file if not given; gives the address."""
    known = entries if entries is not None else json.loads(ENTRIES.read_text())
    handler = type("Registry", (Registry,), {"entries": known})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
