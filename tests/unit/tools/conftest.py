"""What the tests of tools share."""

from __future__ import annotations

from pathlib import Path

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.task import runner
from voice_kernel.usertools import calling, relay

NEVER_S = 2 * LIMIT_S
"""Longer than any test may take."""


@pytest.fixture(autouse=True)
def nobody_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give nothing up because the machine is slow; tests of giving up set limits of their own."""
    monkeypatch.setattr(runner, "STOP_LIMIT_S", NEVER_S)
    monkeypatch.setattr(relay, "WRITER_LIMIT_S", NEVER_S)
    for name in ("COOPERATIVE_S", "REACHED_S", "STEP_LIMIT_S", "SHOW_LIMIT_S"):
        monkeypatch.setattr(calling, name, NEVER_S)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    folder = tmp_path / "project"
    folder.mkdir()
    return Workbench(folder, tmp_path / "logs")
