"""The schema and its versions: upgraded with all that is there, and never touched by an older one."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tests.unit.store.sessions import QUICK, Sessions
from voice_kernel.errors import HistoryError
from voice_kernel.messages import Output, Result
from voice_kernel.store import History
from voice_kernel.store.database import MIGRATIONS, Database, Place
from voice_kernel.store.faults import Fault
from voice_kernel.store.schema import HEAD, metadata

NEXT = '''
"""What a later version might do."""
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"

def upgrade():
    op.add_column("tasks", sa.Column("note", sa.Text, nullable=False, server_default="none"))
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    {more}
'''


def later(folder: Path, more: str = "") -> tuple[Path, str]:
    """Make the migrations of a later version; returns their folder and the version."""
    revision = f"{int(HEAD) + 1:04}"
    migrations = folder / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    step = migrations / "versions" / f"v{revision}_later.py"
    step.write_text(NEXT.format(revision=revision, before=HEAD, more=more))
    return migrations, revision


def test_the_version_is_that_of_the_last_migration() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_current_head() == HEAD
    assert [script.revision for script in scripts.walk_revisions()][-1] == "0001"


def test_the_migrations_make_what_the_tables_say(url: str, tmp_path: Path) -> None:
    database = Database(Place.of(url, tmp_path), QUICK)
    try:
        with database.reading() as connection:
            differences = compare_metadata(MigrationContext.configure(connection), metadata)
    finally:
        database.close()
    # The full-text indexes are no tables of ours: FTS5's own, or generated columns.
    real = [d for d in differences if "words" not in repr(d[1]) and "lexemes" not in repr(d)]
    assert real == []


async def test_a_database_of_an_older_version_keeps_all_that_is_there(
    sessions: Sessions, tmp_path: Path
) -> None:
    session = await sessions.begin()
    outputs = [Output(kind="stream", text="12 passed")]
    turn = session.say("run the tests")
    session.end(session.start(turn, title="run_tests"), result=Result(summary="12 passed", outputs=outputs))
    session.end_turn(turn)
    await session.close()
    with sessions.history() as history:
        before = history.tasks(), history.events(session.store.session_id), history.sessions()
    migrations, version = later(tmp_path)
    place = Place.of(sessions.url, sessions.folder)
    Database(place, QUICK, migrations=migrations, head=version).close()
    again = Database(place, QUICK, migrations=migrations, head=version)
    try:
        with again.reading() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == version
            assert connection.execute(text("SELECT note FROM tasks")).scalars().all() == ["none"]
        # Read as the later version would, which knows everything this one knows.
        history = History.__new__(History)
        history._database, history._logs = again, tmp_path
        after = history.tasks(), history.events(session.store.session_id), history.sessions()
        assert after == before
        assert len(history.find("12 pass")[0]) == 1
        assert len(history.threads("tests")[0]) == 1
    finally:
        again.close()


async def test_a_database_of_a_newer_version_is_left_alone_and_the_session_goes_on(
    sessions: Sessions, tmp_path: Path
) -> None:
    session = await sessions.begin()
    session.do("one")
    await session.close()
    migrations, version = later(tmp_path)
    Database(Place.of(sessions.url, sessions.folder), QUICK, migrations=migrations, head=version).close()
    before = content(sessions)
    newer = await sessions.begin()
    assert newer.conversation is None
    newer.do("two")
    assert not await newer.store.flush(5.0)
    keeping = newer.store.keeping
    assert keeping.state == "memory"
    assert keeping.message == "The history was written by a newer version of voice_kernel."
    assert "Upgrade" in keeping.hint
    with pytest.raises(HistoryError, match="newer version"):
        await newer.store.find()
    with pytest.raises(HistoryError, match="newer version"):
        sessions.history()
    await newer.close()
    assert content(sessions) == before
    assert {(said.state, said.message) for said in newer.told} == {("memory", keeping.message)}


def content(sessions: Sessions) -> bytes:
    if sessions.url.startswith("postgresql"):
        dump = subprocess.run(["pg_dump", sessions.url], capture_output=True, check=True).stdout
        # The dump of some versions holds a key that is new each time.
        return b"\n".join(line for line in dump.splitlines() if b"restrict" not in line)
    return (sessions.folder / "history.db").read_bytes()


async def test_a_migration_that_fails_leaves_the_version_before(sessions: Sessions, tmp_path: Path) -> None:
    session = await sessions.begin()
    session.do("one")
    await session.close()
    migrations, version = later(tmp_path, more="raise RuntimeError('half way')")
    with pytest.raises(RuntimeError, match="half way"):
        Database(Place.of(sessions.url, sessions.folder), QUICK, migrations=migrations, head=version)
    with sessions.history() as history:
        assert [past.utterance for past in history.find("one")[0]] == ["one"]


def test_what_the_first_version_wrote_can_be_read(tmp_path: Path) -> None:
    kept = Path(__file__).parents[2] / "data" / "history-v1.db.gz"
    (tmp_path / "history.db").write_bytes(gzip.decompress(kept.read_bytes()))
    with History("", tmp_path) as history:
        (_, past), _ = history.find("test")
        assert past.utterance == "run the tests"
        whole = history.past(past.id)
        assert whole is not None
        assert whole.task.result is not None
        assert whole.task.result.outputs[0].text == "12 passed\n"
        assert whole.task.result.tests is not None
        assert whole.task.result.tests.passed == 12
        assert [event.seq for event in history.events(past.session_id)] == list(range(1, 12))
        conversation = history.conversation(thread_id=past.thread_id)
        assert conversation is not None
        assert [turn.state for turn in conversation.turns] == ["succeeded", "failed"]


def test_a_file_of_another_program_is_not_taken_for_ours(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('ae1027a6acf')")
    with pytest.raises(Fault) as refused:
        Database(Place.of("", tmp_path), QUICK)
    assert refused.value.kind == "newer"
