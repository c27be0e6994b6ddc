"""Debian's searx on loopback: a real metasearch engine, whose one engine is a site of the test's own."""

from __future__ import annotations

import gzip
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = Path("/usr/share/doc/searx/examples/settings.yml")
PYTHON = "/usr/bin/python3"
START_LIMIT_S = 60.0


def installed() -> bool:
    """Whether searx is there, with the settings it is documented with."""
    return EXAMPLE.exists() or EXAMPLE.with_suffix(".yml.gz").exists()


@contextmanager
def serve(found: str, folder: Path) -> Iterator[str]:
    """Serve searx; gives its address.

    Args:
        found: address that answers `?q=` with `{"results": [{"url", "title", "content"}]}`.
        folder: for its settings and its log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = folder / "searx.yml"
    path.write_text(yaml.safe_dump(_settings(found, port)))
    environment = os.environ | {"SEARX_SETTINGS_PATH": str(path)}
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    with (folder / "searx.log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "searx.webapp"], env=environment, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(f"http://127.0.0.1:{port}/healthz", process, folder / "searx.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _settings(found: str, port: int) -> dict[str, Any]:
    packed = EXAMPLE.with_suffix(".yml.gz")
    text = EXAMPLE.read_text() if EXAMPLE.exists() else gzip.decompress(packed.read_bytes()).decode()
    settings: dict[str, Any] = yaml.safe_load(text)
    settings["engines"] = [
        {
            "name": "loopback",
            "engine": "json_engine",
            "shortcut": "lb",
            "categories": "general",
            "paging": False,
            "enable_http": True,
            "search_url": f"{found}?q={{query}}",
            "results_query": "results",
            "url_query": "url",
            "title_query": "title",
            "content_query": "content",
        }
    ]
    settings.setdefault("search", {})["formats"] = ["html", "json"]
    settings["server"] |= {
        "port": port,
        "bind_address": "127.0.0.1",
        "secret_key": secrets.token_hex(16),
        "base_url": False,
    }
    return settings


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"searx did not start:\n{log.read_text()[-2000:]}")
