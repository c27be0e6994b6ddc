"""No test reads what the person who runs it has kept, nor what another test has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab import isolated

from voice_kernel.app import data_folder

seen: set[Path] = set()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_data_folder_of_its_own(kept_folders: Path, turn: int) -> None:
    folder = data_folder()
    assert folder.is_relative_to(kept_folders)
    assert folder not in seen
    assert not folder.parent.exists()
    seen.add(folder)


def test_programs_that_tests_start_keep_everything_below_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_DATABASE_URL", "postgresql://the-users-own")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/notebook.ipynb")
    environment = isolated(tmp_path)
    assert Path(environment["JUPYTER_DATA_DIR"]).is_relative_to(tmp_path)
    assert "VOICE_KERNEL_DATABASE_URL" not in environment
    assert "JPY_SESSION_NAME" not in environment
    assert os.environ["JUPYTER_DATA_DIR"] != environment["JUPYTER_DATA_DIR"]
