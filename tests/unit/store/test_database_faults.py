"""What a person is told, and what is kept, when the database cannot be used for a while or at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres_server
from tests.unit.store.sessions import IMPATIENT, LIMIT_S, Session, Sessions
from voice_kernel.errors import HistoryError
from voice_kernel.messages import Output, Result
from voice_kernel.store import History

ROOT = Path(__file__).parents[3]


def told(session: Session) -> list[str]:
    """What the store said, one after the other, whatever became of the conversation's title meanwhile."""
    said = [f"{keeping.state}: {keeping.message}".strip(": ") for keeping in session.told]
    return [now for before, now in zip(["", *said], said, strict=False) if now != before]


async def all_kept(session: Session, texts: list[str]) -> None:
    """All that was said is in the database, and no event is missing."""
    await session.written()
    found, _ = await session.store.find(limit=200)
    assert [past.utterance for past in reversed(found)] == texts
    assert {past.task.state for past in found} == {"succeeded"}
    events = await session.store.events(limit=10_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.kind for event in events if event.kind == "gap"] == []


# ---- locked ---------------------------------------------------------------------------------------

LOCKS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
print("let go", flush=True)
"""


class Locker:
    """Another program that holds the file's lock until it is told to let go."""

    def __init__(self, file: Path) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", LOCKS, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdout is not None
        assert self._child.stdout.readline() == "locked\n"

    def let_go(self) -> None:
        out, _ = self._child.communicate("\n", timeout=LIMIT_S)
        assert out == "let go\n"


async def test_while_another_program_locks_the_file_all_stays_in_memory_and_nothing_is_lost(
    files: Sessions,
) -> None:
    session = await files.begin(patience=IMPATIENT)
    session.do("before")
    await session.written()
    locker = Locker(files.folder / "history.db")
    session.do("meanwhile")
    keeping = await session.until("memory")
    assert keeping.message == "The history is locked by another program."
    assert keeping.hint == "It is written as soon as that is possible again."
    for number in range(20):
        session.do(f"number {number}")
    # What was written before can be read; asking does not wait for the lock.
    assert [past.utterance for past in (await session.store.find())[0]] == ["before"]
    locker.let_go()
    await session.until("kept")
    await all_kept(session, ["before", "meanwhile", *(f"number {n}" for n in range(20))])
    assert told(session) == ["kept", f"memory: {keeping.message}", "kept"]


async def test_a_file_that_is_locked_from_the_start_is_used_once_it_is_free(files: Sessions) -> None:
    first = await files.begin()
    first.do("before")
    await first.close()
    locker = Locker(files.folder / "history.db")
    session = await files.begin(patience=IMPATIENT)
    assert session.conversation is None
    assert session.store.keeping.state == "memory"
    session.do("meanwhile")
    assert [past.utterance for past in (await session.store.find())[0]] == ["before"]
    locker.let_go()
    await session.until("kept")
    await session.written()
    assert [past.utterance for past in (await session.store.find())[0]] == ["meanwhile", "before"]
    assert [event.seq for event in await session.store.events()] == [1, 2, 3, 4, 5]


async def test_what_needs_the_database_says_so_at_once_while_it_is_locked(files: Sessions) -> None:
    session = await files.begin(patience=IMPATIENT)
    session.do("before")
    await session.written()
    thread = session.store.keeping.thread
    assert thread is not None
    locker = Locker(files.folder / "history.db")
    session.do("meanwhile")
    await session.until("memory")
    for asked in (session.store.rename_thread(thread.id, "x"), session.store.delete_thread(thread.id)):
        with pytest.raises(HistoryError, match="locked"):
            await asked
    assert (await session.store.new_thread()).id != thread.id
    locker.let_go()
    await session.until("kept")
    assert len((await session.store.threads())[0]) == 1


# ---- damaged --------------------------------------------------------------------------------------


async def a_history(files: Sessions, count: int = 50) -> bytes:
    session = await files.begin(resume=False)
    for number in range(count):
        session.do(f"old {number}", title="x" * 500)
    await session.close()
    return (files.folder / "history.db").read_bytes()


@pytest.mark.parametrize("damage", ["garbage", "cut", "cut to a part of its first page", "overwritten"])
async def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(files: Sessions, damage: str) -> None:
    whole = await a_history(files)
    file = files.folder / "history.db"
    damaged = {
        "garbage": os.urandom(50_000),
        "cut": whole[: len(whole) // 2],
        "cut to a part of its first page": whole[:300],
        "overwritten": whole[:4096] + b"\xa5" * (len(whole) - 4096),
    }[damage]
    file.write_bytes(damaged)
    session = await files.begin()
    assert session.conversation is None
    assert session.store.keeping.state == "kept"
    (aside,) = files.folder.glob("history.corrupt-*.db")
    assert aside.read_bytes() == damaged
    assert told(session) == ["memory: The history file is damaged.", "kept"]
    assert str(aside) in next(keeping for keeping in session.told if keeping.message).hint
    session.do("new")
    await all_kept(session, ["new"])
    assert file.stat().st_mode & 0o777 == 0o600


async def test_of_two_kernels_that_find_the_damage_only_one_moves_the_file(files: Sessions) -> None:
    await a_history(files)
    (files.folder / "history.db").write_bytes(b"garbage" * 1_000)
    first, second = files.make(), files.make()
    await asyncio.gather(first.open(), second.open())
    first.do("one")
    second.do("two")
    await first.written()
    await second.written()
    assert {past.utterance for past in (await first.store.find())[0]} == {"one", "two"}
    assert len(list(files.folder.glob("history.corrupt-*.db"))) == 1


async def test_a_file_that_is_damaged_while_it_is_used_is_replaced_too(files: Sessions) -> None:
    session = await files.begin()
    for number in range(20):
        session.do(f"old {number}", title="x" * 500)
    await session.written()
    # As a broken disk or a careless program would: the root of a table is somewhere else.
    harm = sqlite3.connect(files.folder / "history.db", timeout=LIMIT_S)
    harm.execute("PRAGMA writable_schema = ON")
    harm.execute("UPDATE sqlite_master SET rootpage = 999999 WHERE name = 'tasks'")
    harm.execute("PRAGMA schema_version = 1000")
    harm.commit()
    harm.close()
    session.do("after")
    await session.written()
    assert told(session) == ["kept", "memory: The history file is damaged.", "kept"]
    assert [past.utterance for past in (await session.store.find())[0]] == ["after"]
    gap, *rest = await session.store.events()
    assert gap.kind == "gap"
    assert (gap.data["first"], gap.data["last"], gap.seq) == (1, 100, 100)
    assert [event.seq for event in rest] == [101, 102, 103, 104, 105]
    session.do("more")
    await session.written()
    assert len(list(files.folder.glob("history.corrupt-*.db"))) == 1


async def test_damage_that_a_reader_meets_first_is_seen_to(files: Sessions) -> None:
    session = await files.begin()
    session.do("old")
    await session.written()
    harm = sqlite3.connect(files.folder / "history.db", timeout=LIMIT_S)
    harm.execute("PRAGMA writable_schema = ON")
    harm.execute("UPDATE sqlite_master SET rootpage = 999999 WHERE name = 'tasks'")
    harm.execute("PRAGMA schema_version = 1000")
    harm.commit()
    harm.close()
    with pytest.raises(HistoryError, match="damaged"):
        await session.store.find()
    await session.written()
    assert await session.store.find() == ([], False)
    assert told(session) == ["kept", "memory: The history file is damaged.", "kept"]


async def test_a_row_that_makes_no_sense_is_an_error_in_words(files: Sessions) -> None:
    session = await files.begin()
    session.do("one")
    await session.written()
    with sqlite3.connect(files.folder / "history.db", timeout=LIMIT_S) as harm:
        harm.execute("UPDATE tasks SET data = 'no json'")
    ((past,), _) = await session.store.find()
    assert (past.utterance, past.task.title, past.task.state) == ("one", "run_shell", "succeeded")
    with sqlite3.connect(files.folder / "history.db", timeout=LIMIT_S) as harm:
        harm.execute("UPDATE tasks SET created_at = 'noon'")
    with pytest.raises(HistoryError, match="A part of the history cannot be read"):
        await session.store.find()
    with files.history() as history, pytest.raises(HistoryError, match="cannot be read"):
        history.find()
    session.do("two")
    await session.written()
    assert told(session) == ["kept"]  # nothing is wrong with the file


async def test_a_file_that_is_deleted_while_it_is_used_is_made_again(files: Sessions) -> None:
    session = await files.begin()
    session.do("old")
    await session.written()
    for file in files.folder.glob("history.db*"):
        file.unlink()
    session.do("new")
    await session.written()
    assert [past.utterance for past in (await session.store.find())[0]] == ["new"]
    shutil.rmtree(files.folder)
    session.do("newer")
    await session.written()
    assert [past.utterance for past in (await session.store.find())[0]] == ["newer"]


def test_the_command_line_says_that_a_file_is_damaged_and_leaves_it(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"garbage" * 1_000)
    with pytest.raises(HistoryError, match="damaged"):
        History("", tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["history.db"]


def test_the_command_line_makes_no_history_where_there_is_none(tmp_path: Path) -> None:
    with History("", tmp_path / "data") as history:
        assert history.find() == ([], False)
        assert history.past(1) is None
        assert history.tasks() == []
        assert history.threads() == ([], False)
        assert history.conversation(thread_id="x") is None
        assert history.sessions() == []
        assert history.events("x") == []
        assert history.statistics().tasks == 0
        assert not any(history.prune(days=1, tasks=1).__dict__.values())
    assert not (tmp_path / "data").exists()


# ---- not to be written ----------------------------------------------------------------------------


async def test_a_folder_that_cannot_be_made_lets_the_session_work_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sessions = Sessions("", tmp_path / "file" / "data")
    session = await sessions.begin()
    session.do("one")
    keeping = session.store.keeping
    assert (keeping.state, keeping.message) == ("memory", f"{tmp_path}/file/data cannot be written.")
    assert "VOICE_KERNEL_DATABASE_URL" in keeping.hint
    assert keeping.thread is not None
    with pytest.raises(HistoryError, match="cannot be written"):
        await session.store.find()
    assert (await session.store.new_thread()).id != keeping.thread.id
    await session.close()
    assert {said.message for said in session.told} == {keeping.message}


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Mount a small disk in memory; skip where this user may not."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"only root may mount a small disk: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


async def test_a_read_only_disk_keeps_nothing_new_and_shows_what_is_there(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "8m"):
        files = Sessions("", disk)
        first = await files.begin()
        first.do("before")
        await first.close()
        remount(disk, "ro")
        session = await files.begin()
        assert session.conversation is None
        keeping = session.store.keeping
        assert (keeping.state, keeping.message) == ("memory", f"{disk} cannot be written.")
        session.do("meanwhile")
        assert [past.utterance for past in (await session.store.find())[0]] == ["before"]
        with files.history() as history:
            assert [past.utterance for past in history.find()[0]] == ["before"]
            with pytest.raises(HistoryError, match="cannot be written"):
                history.prune(tasks=1)
        remount(disk, "rw")
        await session.until("kept")
        await session.written()
        assert [past.utterance for past in (await session.store.find())[0]] == ["meanwhile", "before"]
        assert [event.seq for event in await session.store.events()] == [1, 2, 3, 4, 5]
        await files.close()


async def test_on_a_full_disk_all_stays_in_memory_until_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, "2m"):
        files = Sessions("", disk)
        session = await files.begin()
        session.do("before")
        await session.written()
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        big = Result(outputs=[Output(kind="stream", text="x" * 50_000)])
        texts = ["before"]
        for number in range(10):
            turn = session.say(f"number {number}")
            session.end(session.start(turn), result=big)
            session.end_turn(turn)
            texts.append(turn.text)
        keeping = await session.until("memory")
        assert keeping.message == "The disk is full."
        assert keeping.hint == "Make room. It is written as soon as that is possible again."
        assert [past.utterance for past in (await session.store.find())[0]] == ["before"]
        filler.unlink()
        await session.until("kept")
        await all_kept(session, texts)
        assert told(session) == ["kept", "memory: The disk is full.", "kept"]
        await files.close()
        with sqlite3.connect(disk / "history.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


QUOTA = """
import asyncio, json, resource, sys
from pathlib import Path
from tests.unit.store.sessions import Sessions
from voice_kernel.messages import Output, Result

async def main():
    sessions = Sessions("", Path(sys.argv[1]))
    session = await sessions.begin()
    session.do("before")
    await session.written()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    big = Result(outputs=[Output(kind="stream", text="x" * 50_000)])
    for number in range(10):
        turn = session.say(f"number {number}")
        session.end(session.start(turn), result=big)
    keeping = await session.until("memory")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await session.until("kept")
    await session.written()
    events = await session.store.events()
    print(json.dumps([keeping.message, [e.seq for e in events], len((await session.store.find())[0])]))
    await session.close()

asyncio.run(main())
"""


def test_a_quota_that_is_used_up_is_like_a_full_disk(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUOTA, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        timeout=3 * LIMIT_S,
        check=False,
    )
    assert not done.returncode, done.stderr.decode()
    message, numbers, count = json.loads(done.stdout)
    assert message == f"The disk that holds {tmp_path} reports an error, or your quota is used up."
    assert numbers == list(range(1, 46))
    assert count == 11


# ---- a server -------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[postgres_server.Server]:
    """A server that may be stopped, unlike the one all tests share."""
    with postgres_server.running() as own:
        yield own


async def test_a_server_that_goes_away_and_comes_back_has_everything(
    server: postgres_server.Server, tmp_path: Path
) -> None:
    sessions = Sessions(server.fresh(), tmp_path)
    session = await sessions.begin()
    session.do("before")
    await session.written()
    server.stop()
    session.do("meanwhile")
    keeping = await session.until("memory")
    assert keeping.message == "The database server of this machine cannot be reached."
    assert "VOICE_KERNEL_DATABASE_URL" in keeping.hint
    with pytest.raises(HistoryError, match="cannot be reached"):
        await session.store.find()
    server.start()
    await session.until("kept")
    session.do("after")
    await all_kept(session, ["before", "meanwhile", "after"])
    assert told(session) == ["kept", f"memory: {keeping.message}", "kept"]
    await sessions.close()


async def test_a_server_that_is_not_there_at_the_start_is_tried_again(
    server: postgres_server.Server, tmp_path: Path
) -> None:
    url = server.fresh()
    server.stop()
    sessions = Sessions(url, tmp_path)
    session = await sessions.begin()
    assert session.store.keeping.state == "memory"
    session.do("early")
    server.start()
    await session.until("kept")
    await all_kept(session, ["early"])
    await sessions.close()


async def test_a_database_that_is_not_there_is_named_without_its_password(
    postgres: postgres_server.Server, tmp_path: Path
) -> None:
    url = postgres.url("nowhere").replace("tester@", "tester:geheim99@")
    session = await Sessions(url, tmp_path).begin()
    keeping = session.store.keeping
    assert keeping.message == "The database server of this machine does not let us in."
    assert "geheim99" not in f"{session.told}"
    await session.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url", "is not a database URL"),
        ("mysql://root@localhost/x", "is neither of SQLite nor of PostgreSQL"),
        ("postgresql+pg8000://me@host/x", "is neither of SQLite nor of PostgreSQL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///x.db?mode=ro", "names no file"),
    ],
)
async def test_a_url_that_cannot_be_used_is_said_and_not_tried_again(
    url: str, message: str, tmp_path: Path
) -> None:
    session = await Sessions(url, tmp_path).begin()
    keeping = session.store.keeping
    assert keeping.state == "memory"
    assert keeping.message.startswith("VOICE_KERNEL_DATABASE_URL")
    assert message in keeping.message
    session.do("one")
    assert not await session.store.flush(LIMIT_S)
    with pytest.raises(HistoryError, match=message):
        History(url, tmp_path)
    await session.close()


async def test_without_psycopg_the_way_to_get_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    session = await Sessions("postgresql://me@localhost/history", tmp_path).begin()
    keeping = session.store.keeping
    assert keeping.message == "The history is to be kept in PostgreSQL, but psycopg is not installed."
    assert keeping.hint == "pip install 'voice-kernel[postgres]'"
    await session.close()


# ---- locks ----------------------------------------------------------------------------------------


async def test_without_lock_files_a_session_shows_by_heartbeats_that_it_lives(
    postgres: postgres_server.Server, tmp_path: Path
) -> None:
    """As two hosts do that share a server: neither sees the other's lock files."""
    url = postgres.fresh()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "sessions").write_text("in the way")
    here, there = Sessions(url, tmp_path / "here"), Sessions(url, tmp_path / "there")
    first = await here.begin()
    running = first.start(first.say("train"))
    await first.written()
    second = await there.begin()
    assert [past.task.state for past in (await second.store.find())[0]] == ["running"]
    await second.close()
    # Two minutes later, without a sign of life.
    from voice_kernel.store.database import Database, Place

    database = Database(Place.of(url, tmp_path))
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE sessions SET beaten_at = beaten_at - 121")
    database.close()
    third = await there.begin()
    assert [past.task.state for past in (await third.store.find())[0]] == ["interrupted"]
    # It was not dead, only out of reach: what it runs is running again, and no number is missing or taken.
    first.do("after")
    await first.written()
    await first.written()
    assert [past.task.state for past in (await third.store.find())[0]] == ["succeeded", "running"]
    first.end(running)
    await first.written()
    assert {past.task.state for past in (await third.store.find())[0]} == {"succeeded"}
    events = await third.store.events(first.store.session_id)
    assert [event.seq for event in events] == list(range(1, 10))
    assert [event.kind for event in events[:4]] == [
        "turn.running",
        "task.queued",
        "task.running",
        "turn.running",
    ]
    await here.close()
    await there.close()
