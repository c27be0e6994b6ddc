"""Keeps a history from growing for ever: what is too old or too much goes, with its logs.

Works in small steps, so that no other kernel waits for it. Logs are removed only where they lie in the
folder of logs, whatever path the database may name.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, or_, select, update

from voice_kernel.store.database import Database
from voice_kernel.store.kept import Pruned
from voice_kernel.store.schema import approvals, events, items, sessions, tasks, threads

STEP = 200
"""Tasks, conversations and sessions that one step removes at most: others wait for 0.1 s at most."""
EVENTS_STEP = 2_000
DAY_S = 86_400.0
AWAY_S = 30 * DAY_S
"""A session takes at most so much to have passed since the one before. Whoever comes back after a year,
or whose clock is wrong for once, does not lose everything at that moment."""
BESIDE = ("", ".index")
"""Endings of the files of a log: itself, and what finds its lines."""


@dataclass(frozen=True)
class Limits:
    """What is kept.

    Attributes:
        days: conversations not used for so long go; 0 keeps them.
        tasks: tasks above so many go, the oldest first; 0 keeps them.
        logs: the folder of the logs.
    """

    days: int
    tasks: int
    logs: Path


def prune_step(database: Database, limits: Limits, *, now: float, step: int = STEP) -> Pruned:
    """Remove one step's worth; returns what: nothing, when there is nothing more.

    Raises:
        Fault: the database cannot be written now.
    """
    with database.writing() as connection:
        gone, paths = _remove_old(connection, limits, now, step)
        from_threads = len(paths)
        surplus = _surplus(connection, limits, step - from_threads)
        connection.execute(delete(tasks).where(tasks.c.id.in_([task_id for task_id, _ in surplus])))
        paths += [path for _, path in surplus]
        emptied = list(connection.execute(_emptied().limit(step)).scalars()) if surplus else []
        for thread_id in emptied:
            remove_thread(connection, thread_id)
        spent = _remove_spent(connection)
    logs, log_bytes = remove_logs(paths, limits.logs)
    return Pruned(
        threads=gone + len(emptied),
        tasks=len(paths),
        sessions=spent,
        logs=logs,
        log_bytes=log_bytes,
    )


def outlook(database: Database, limits: Limits, *, now: float) -> Pruned:
    """Return what pruning would remove, without removing it; sessions are not counted.

    Raises:
        Fault: the database cannot be read now.
    """
    with database.reading() as connection:
        old = _old(limits, now)
        gone = connection.execute(select(func.count()).select_from(old.subquery())).scalar_one()
        of_old = select(tasks.c.log_path).where(tasks.c.thread_id.in_(old))
        paths = list(connection.execute(of_old).scalars())
        total = connection.execute(select(func.count()).select_from(tasks)).scalar_one()
        many = max(0, total - len(paths) - limits.tasks) if limits.tasks else 0
        oldest = _ended_tasks().where(tasks.c.thread_id.not_in(old)).limit(many)
        paths += [path for _, path in connection.execute(oldest).all()] if many else []
    sizes = [_size(path) for path in paths if _is_log(path, limits.logs) and os.path.exists(path)]
    return Pruned(threads=gone, tasks=len(paths), logs=len(sizes), log_bytes=sum(sizes))


def remove_thread(connection: Connection, thread_id: str) -> list[str]:
    """Remove a conversation with all that was said and done in it.

    That something happened stays: its events keep their numbers, and lose what they say.

    Returns:
        The path of the log of each of its tasks, empty for those that have none.
    """
    done = select(tasks.c.session_id, tasks.c.number, tasks.c.log_path).where(tasks.c.thread_id == thread_id)
    said = select(items.c.session_id, items.c.number).where(items.c.thread_id == thread_id)
    done_rows, said_rows = connection.execute(done).all(), connection.execute(said).all()
    for column, rows in ((events.c.task, done_rows), (events.c.turn, said_rows)):
        for session_id in {row.session_id for row in rows}:
            numbers = [row.number for row in rows if row.session_id == session_id]
            for begin in range(0, len(numbers), 500):
                of_thread = events.c.session_id == session_id, column.in_(numbers[begin : begin + 500])
                silenced = update(events).where(*of_thread, events.c.data != "").values(data="")
                connection.execute(silenced)
    connection.execute(delete(approvals).where(approvals.c.thread_id == thread_id))
    connection.execute(delete(threads).where(threads.c.id == thread_id))
    return [row.log_path for row in done_rows]


def remove_logs(paths: list[str], folder: Path) -> tuple[int, int]:
    """Remove logs with what lies beside them; returns how many there were, and their bytes."""
    removed, size = 0, 0
    for path in paths:
        if not _is_log(path, folder):
            continue
        for ending in BESIDE:
            with contextlib.suppress(OSError):
                size += os.stat(path + ending).st_size
                os.unlink(path + ending)
                removed += not ending
    return removed, size


def presumed_now(connection: Connection, session_id: str) -> float:
    """Return the time by which age is counted, which a wrong clock moves by `AWAY_S` at most."""
    before = select(func.max(sessions.c.started_at)).where(sessions.c.id != session_id)
    last = connection.execute(before).scalar()
    return min(time.time(), last + AWAY_S) if last is not None else time.time()


def _remove_old(connection: Connection, limits: Limits, now: float, step: int) -> tuple[int, list[str]]:
    """Remove old conversations; of a very long one only the first tasks, and the rest another time."""
    removed, paths = 0, list[str]()
    for thread_id in list(connection.execute(_old(limits, now).limit(step)).scalars()):
        of_thread = select(tasks.c.id, tasks.c.log_path).where(tasks.c.thread_id == thread_id)
        first = connection.execute(of_thread.order_by(tasks.c.id).limit(step - len(paths))).all()
        if len(first) == step - len(paths):
            connection.execute(delete(tasks).where(tasks.c.id.in_([row.id for row in first])))
            return removed, paths + [row.log_path for row in first]
        paths += remove_thread(connection, thread_id)
        removed += 1
    return removed, paths


def _remove_spent(connection: Connection) -> int:
    """Remove sessions of which nothing is left; of very long ones only the first events."""
    removed, room = 0, EVENTS_STEP
    for session_id in list(connection.execute(_spent().limit(STEP)).scalars()):
        of_session = events.c.session_id == session_id
        last = select(events.c.seq).where(of_session).order_by(events.c.seq).offset(room - 1).limit(1)
        beyond = connection.execute(last).scalar()
        if beyond is not None:
            connection.execute(delete(events).where(of_session, events.c.seq <= beyond))
            return removed + 1  # which is to say that there is more
        room -= connection.execute(delete(events).where(of_session)).rowcount
        connection.execute(delete(sessions).where(sessions.c.id == session_id))
        removed += 1
        if room <= 0:
            break
    return removed


# ---- what goes ------------------------------------------------------------------------------------


def _old(limits: Limits, now: float) -> Select[str]:
    before = now - limits.days * DAY_S if limits.days else float("-inf")
    return (
        select(threads.c.id).where(threads.c.updated_at < before, ~_is_open()).order_by(threads.c.updated_at)
    )


def _is_open() -> ColumnElement[bool]:
    """A conversation that a living session has open stays, however old."""
    return exists().where(sessions.c.thread_id == threads.c.id, sessions.c.ended_at.is_(None))


def _ended_tasks() -> Select[int, str]:
    over = or_(tasks.c.ended_at.is_not(None), sessions.c.ended_at.is_not(None))
    of_session = sessions.c.id == tasks.c.session_id
    return select(tasks.c.id, tasks.c.log_path).join(sessions, of_session).where(over).order_by(tasks.c.id)


def _surplus(connection: Connection, limits: Limits, step: int) -> list[tuple[int, str]]:
    if not limits.tasks or step <= 0:
        return []
    total = connection.execute(select(func.count()).select_from(tasks)).scalar_one()
    if total <= limits.tasks:
        return []
    oldest = _ended_tasks().limit(min(step, total - limits.tasks))
    return [(task_id, path) for task_id, path in connection.execute(oldest)]


def _emptied() -> Select[str]:
    """Conversations older than the oldest task that is left."""
    oldest = select(func.min(tasks.c.created_at)).scalar_subquery()
    return select(threads.c.id).where(
        threads.c.updated_at < oldest, ~exists().where(tasks.c.thread_id == threads.c.id), ~_is_open()
    )


def _spent() -> Select[str]:
    """Sessions of which only events are left; the last of a workspace tells the next one where to go on."""
    last = select(func.max(sessions.c.number)).group_by(sessions.c.workspace)
    return (
        select(sessions.c.id)
        .where(sessions.c.ended_at.is_not(None), sessions.c.number.not_in(last))
        .where(~exists().where(tasks.c.session_id == sessions.c.id))
        .where(~exists().where(items.c.session_id == sessions.c.id))
    )


def _is_log(path: str, folder: Path) -> bool:
    return path.endswith(".log") and os.path.dirname(os.path.abspath(path)) == os.path.abspath(folder)


def _size(path: str) -> int:
    with contextlib.suppress(OSError):
        return os.stat(path).st_size
    return 0
