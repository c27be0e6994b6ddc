"""Every test has a place of its own for what voice_kernel keeps: none reads the person's history."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def kept_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the data folders of all tests of this process."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def own_data_folder(kept_folders: Path) -> Iterator[None]:
    """Give the test, and every process that it starts, a data folder that no other test has.

    Not with `monkeypatch`: a test that undoes its own changes would undo this.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DATA_DIR", str(kept_folders / str(next(_numbers))))
        yield
