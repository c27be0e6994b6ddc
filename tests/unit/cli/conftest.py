"""The command line on a history of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.days import a_day, keep
from voice_kernel.cli import main
from voice_kernel.settings import data_folder


@dataclass
class Printed:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def vk(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Printed:
        try:
            code = main(list(arguments))
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        return Printed(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def kept_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a day's work in it."""
    folder = tmp_path_factory.mktemp("day")
    keep(a_day, folder=folder)
    return folder


@pytest.fixture
def day(kept_day: Path) -> None:
    """Have a day's work in the history."""
    shutil.copytree(kept_day, data_folder())
