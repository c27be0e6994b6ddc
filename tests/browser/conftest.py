"""What tests of both front ends share: one JupyterLab and one Notebook 7 per module, and one Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import chromium, lab_server
from playwright.sync_api import Browser
from sidebar_page import FrontEnd


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the notebooks."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="module", params=["lab", "notebook"], ids=["JupyterLab", "Notebook 7"])
def front_end(
    root: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[FrontEnd]:
    """A server over `root`; tests that use it run in one front end, then in the other."""
    with lab_server(root, tmp_path_factory.mktemp(request.param), app=request.param) as base:
        yield FrontEnd(request.param, base)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium in which sound may be played without a click."""
    with chromium(["--autoplay-policy=no-user-gesture-required"]) as opened:
        yield opened
