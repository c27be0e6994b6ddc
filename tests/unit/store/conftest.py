"""Stores on SQLite and on PostgreSQL: what is asked of one is asked of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests import postgres_server
from tests.unit.store.sessions import LIMIT_S, Sessions
from voice_kernel.store import store, writer


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as it takes for what is done in moments."""
    monkeypatch.setattr(writer, "STOP_LIMIT_S", LIMIT_S)
    for name in ("FLUSH_LIMIT_S", "CLAIM_LIMIT_S"):
        monkeypatch.setattr(store, name, LIMIT_S)


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    return request.getfixturevalue("postgres").fresh()


@pytest.fixture
async def sessions(url: str, tmp_path: Path) -> AsyncIterator[Sessions]:
    """Sessions on one database, closed at the end."""
    all_of_them = Sessions(url, tmp_path)
    yield all_of_them
    await all_of_them.close()


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Sessions]:
    """Sessions on one file."""
    all_of_them = Sessions("", tmp_path)
    yield all_of_them
    await all_of_them.close()
