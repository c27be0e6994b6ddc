"""A history does not grow for ever, and nothing goes that should stay."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import text

from tests.many_tasks import fill
from tests.unit.store.sessions import QUICK, Session, Sessions
from voice_kernel.store.database import Database, Place
from voice_kernel.store.retention import AWAY_S, DAY_S, STEP, Limits, presumed_now, prune_step

OTHER = "/home/me/other.ipynb"


def opened(sessions: Sessions) -> Database:
    return Database(Place.of(sessions.url, sessions.folder), QUICK)


def change(sessions: Sessions, statement: str, **values: object) -> None:
    database = opened(sessions)
    with database.writing() as connection:
        connection.execute(text(statement), values)
    database.close()


def put_log(log: Path) -> None:
    log.parent.mkdir(exist_ok=True)
    log.write_text("output")
    Path(f"{log}.index").write_text("index")


async def with_log(session: Session, words: str, log: Path) -> None:
    put_log(log)
    turn = session.say(words)
    session.end(session.start(turn), log_path=str(log))
    session.end_turn(turn)
    await session.written()


async def test_conversations_not_used_for_long_go_with_their_logs(sessions: Sessions) -> None:
    logs = sessions.folder / "logs"
    old = await sessions.begin(workspace=OTHER)
    await with_log(old, "old", logs / "task-1-1.log")
    await old.close()
    new = await sessions.begin()
    await with_log(new, "new", logs / "task-2-1.log")
    await new.close()
    change(sessions, "UPDATE threads SET updated_at = :at WHERE title = 'old'", at=time.time() - 31 * DAY_S)
    with sessions.history() as history:
        assert not any(history.prune(days=32).__dict__.values())
        would = history.prune(days=30, dry_run=True)
        assert (would.threads, would.tasks, would.logs, would.log_bytes) == (1, 1, 1, 6)
        assert len(history.find()[0]) == 2
        done = history.prune(days=30)
        assert (done.threads, done.tasks, done.logs, done.log_bytes) == (1, 1, 1, 11)
        assert [past.utterance for past in history.find()[0]] == ["new"]
        assert history.threads("old") == ([], False)
        assert not any(history.prune(days=30).__dict__.values())
    assert sorted(file.name for file in logs.iterdir()) == ["task-2-1.log", "task-2-1.log.index"]


async def test_of_too_many_tasks_the_oldest_go_and_conversations_that_are_left_empty(
    sessions: Sessions,
) -> None:
    session = await sessions.begin()
    for thread in range(3):
        for number in range(4):
            session.do(f"conversation {thread} number {number}")
        await session.store.new_thread()
    running = session.start(session.say("running"))
    await session.written()
    with sessions.history() as history:
        would = history.prune(tasks=6, dry_run=True)
        assert would.tasks == 7
        done = history.prune(tasks=6)
        assert (done.tasks, done.threads) == (7, 1)
        left = [past.utterance for past in history.find()[0]]
        assert left == [
            "running",
            *(f"conversation 2 number {n}" for n in (3, 2, 1, 0)),
            "conversation 1 number 3",
        ]
        assert [thread.title for thread in history.threads()[0]] == [
            "running",
            "conversation 2 number 0",
            "conversation 1 number 0",
        ]
        # What runs stays, however many others there are.
        assert history.prune(tasks=1).tasks == 5
        assert [past.task.state for past in history.find()[0]] == ["running"]
    session.end(running)


async def test_a_session_prunes_by_itself_in_small_steps(sessions: Sessions) -> None:
    database = opened(sessions)
    fill(database, 4 * STEP)
    database.close()
    session = await sessions.begin(max_tasks=STEP)
    while (await session.store.find(limit=STEP + 1))[1]:
        session.do("go on")
    with sessions.history() as history:
        assert history.statistics().tasks <= STEP + 60
        assert history.statistics().sessions <= 201


async def test_very_long_conversations_and_sessions_go_in_steps(sessions: Sessions) -> None:
    session = await sessions.begin(workspace=OTHER)
    turn = session.say("many")
    for _ in range(2 * STEP + 50):
        session.end(session.start(turn))
    await session.written()
    await session.store.new_thread()
    await session.close()
    await (await sessions.begin(workspace=OTHER)).close()
    change(sessions, "UPDATE threads SET updated_at = 1.0")
    database = opened(sessions)
    limits = Limits(days=1, tasks=0, logs=sessions.folder)
    steps = []
    while any((step := prune_step(database, limits, now=time.time())).__dict__.values()):
        steps.append(step)
    database.close()
    assert [step.tasks for step in steps] == [STEP, STEP, 50]
    assert sum(step.threads for step in steps) == 1
    assert steps[-1].sessions == 1


async def test_a_conversation_that_is_open_stays_however_old(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("old")
    await session.written()
    change(sessions, "UPDATE threads SET updated_at = 1.0")
    with sessions.history() as history:
        assert history.prune(days=1).threads == 0
        await session.close()
        assert history.prune(days=1).threads == 1


async def test_a_clock_that_is_wrong_for_once_does_not_empty_the_history(sessions: Sessions) -> None:
    first = await sessions.begin(workspace=OTHER)
    first.do("one")
    await first.close()
    # To this session it is as if ten years had passed since the last one.
    change(sessions, "UPDATE sessions SET started_at = started_at - :s", s=3_650 * DAY_S)
    change(sessions, "UPDATE threads SET updated_at = updated_at - :s", s=3_650 * DAY_S)
    second = await sessions.begin(days=365)
    second.do("two")
    await second.written()
    database = opened(sessions)
    with database.reading() as connection:
        now = presumed_now(connection, second.store.session_id)
    database.close()
    assert now < time.time() - 3_650 * DAY_S + AWAY_S + DAY_S
    assert len((await second.store.find())[0]) == 2


async def test_room_is_given_back_to_the_disk(files: Sessions) -> None:
    session = await files.begin()
    for number in range(300):
        turn = session.say(f"number {number}")
        session.end(session.start(turn), tail="x" * 8_000)
        session.end_turn(turn)
    await session.close()
    file = files.folder / "history.db"
    before = file.stat().st_size
    with files.history() as history:
        assert history.prune(tasks=10).tasks == 290
        assert history.statistics().size_bytes == file.stat().st_size
    assert file.stat().st_size < before / 2
