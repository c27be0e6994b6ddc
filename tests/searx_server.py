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
TRIES = 5


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
    path, log = folder / "searx.yml", folder / "searx.log"
    environment = os.environ | {"SEARX_SETTINGS_PATH": str(path)}
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        environment.pop(name, None)
    for _ in range(TRIES):
        port = _free_port()
        path.write_text(yaml.safe_dump(_settings(found, port)))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [PYTHON, "-m", "searx.webapp"], env=environment, cwd=folder, stdout=output, stderr=output
            )
        try:
            if _answers(f"http://127.0.0.1:{port}/healthz", process):
                yield f"http://127.0.0.1:{port}"
                return
        finally:
            process.terminate()
            process.wait(START_LIMIT_S)
        if "already in use" not in log.read_text():  # else somebody was quicker
            break
    raise RuntimeError(f"searx did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


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


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=START_LIMIT_S):
                return True
        except OSError:
            time.sleep(0.1)
    return False
