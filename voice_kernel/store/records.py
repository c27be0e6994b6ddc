"""Reads the tables: conversations, tasks found and whole, events, numbers.

Everything is synchronous and takes a connection; order is by the row's number, not by time, so that a
clock that jumps changes nothing. Knows SQL, not who asks.
"""

from __future__ import annotations

import json
from typing import Any, Unpack

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from voice_kernel.events import MAX_TASKS, MAX_TURNS
from voice_kernel.messages import PastTask, Thread
from voice_kernel.store.kept import Event, PastSession, Said, Statistics, WantedOf
from voice_kernel.store.rows import Row, task_of, turn_of
from voice_kernel.store.schema import events, items, sessions, tasks, threads
from voice_kernel.store.words import fts5, tsquery, wanted

MAX_HEAVY_CHARS = 8 * 1024**2
"""Outputs that a conversation is restored with, all together; the newest have them."""

THREAD = (threads.c.id, threads.c.workspace, threads.c.title, threads.c.created_at, threads.c.updated_at)
TURN = (items.c.session_id, items.c.number, items.c.state, items.c.created_at, items.c.text, items.c.data)
LIGHT = tuple(c for c in tasks.c if c.name not in ("words", "heavy", "workspace", "log_path"))


# ---- conversations --------------------------------------------------------------------------------


def find_threads(
    connection: Connection,
    query: str = "",
    *,
    workspace: str | None = None,
    before: float | None = None,
    limit: int = 50,
) -> tuple[list[Thread], bool]:
    """Return conversations, those used last first, and whether there are more.

    Args:
        connection: where to read.
        query: words that the title, or one thing said, must all hold, as prefixes.
        workspace: only those of this one; None for all.
        before: only those last used before this time.
        limit: most to return.
    """
    words = wanted(query)
    if words == []:
        return [], False
    found = _threads()
    if words is not None:
        said = select(items.c.thread_id).select_from(_matching(connection, items, "id"))
        found = found.where(
            or_(
                threads.c.id.in_(said.where(_matches(connection, items, words))),
                _named(connection, words),
            )
        )
    if workspace is not None:
        found = found.where(threads.c.workspace == workspace)
    if before is not None:
        found = found.where(threads.c.updated_at < before)
    rows = connection.execute(found.order_by(threads.c.updated_at.desc()).limit(limit + 1)).mappings().all()
    return [Thread(**row) for row in rows[:limit]], len(rows) > limit


def thread(connection: Connection, thread_id: str) -> Thread | None:
    """Return one conversation."""
    row = connection.execute(_threads().where(threads.c.id == thread_id)).mappings().first()
    return Thread(**row) if row else None


def turns(
    connection: Connection, *, thread_id: str = "", session_id: str = "", limit: int = MAX_TURNS
) -> list[Said]:
    """Return the newest turns of a conversation or session, oldest first."""
    newest = select(*TURN).order_by(items.c.id.desc()).limit(limit)
    rows = connection.execute(newest.where(_of(items, thread_id, session_id))).mappings().all()
    return [Said(row["session_id"], turn_of(dict(row))) for row in reversed(rows)]


def past_tasks(
    connection: Connection,
    *,
    thread_id: str = "",
    session_id: str = "",
    limit: int = MAX_TASKS,
    heavy_chars: int = MAX_HEAVY_CHARS,
) -> list[PastTask]:
    """Return the newest tasks of a conversation or session, oldest first.

    Args:
        connection: where to read.
        thread_id: of which conversation, or
        session_id: of which session.
        limit: most to return.
        heavy_chars: how large their outputs may be together; older ones come without.
    """
    newest = _tasks(heavy=False).where(_of(tasks, thread_id, session_id))
    rows = connection.execute(newest.order_by(tasks.c.id.desc()).limit(limit)).mappings().all()
    outputs: dict[int, str | None] = {}
    for begin in range(0, len(rows), 20):
        ids = [row["id"] for row in rows[begin : begin + 20]]
        chosen = select(tasks.c.id, tasks.c.heavy).where(tasks.c.id.in_(ids)).order_by(tasks.c.id.desc())
        for row in connection.execute(chosen):
            heavy_chars -= len(row.heavy or "")
            outputs[row.id] = row.heavy if heavy_chars >= 0 else None
        if heavy_chars < 0:
            break
    return [_past(dict(row) | {"heavy": outputs.get(row["id"])}, heavy=True) for row in reversed(rows)]


# ---- tasks ----------------------------------------------------------------------------------------


def find_tasks(
    connection: Connection, query: str = "", **which: Unpack[WantedOf]
) -> tuple[list[PastTask], bool]:
    """Search tasks: newest first, without outputs, and whether there are more. See `Store.find`."""
    limit = which.get("limit", 50)
    found = _tasks_query(connection, query, which, limit + 1)
    if found is None:
        return [], False
    rows = connection.execute(found).mappings().all()
    return [_past(dict(row), heavy=False) for row in rows[:limit]], len(rows) > limit


def _tasks_query(connection: Connection, query: str, which: WantedOf, limit: int) -> Select[Any] | None:
    """Write the statement of `find_tasks`; None where nothing can be found."""
    states, areas, workspace = which.get("states", ()), which.get("areas", ()), which.get("workspace")
    since, until, before = which.get("since"), which.get("until"), which.get("before")
    session_id, thread_id = which.get("session_id", ""), which.get("thread_id", "")
    words = wanted(query)
    if words == []:
        return None
    key: ColumnElement[Any] = tasks.c.id if words is None else _key(connection, tasks, "id")
    conditions: list[ColumnElement[bool]] = []
    if words is not None:
        conditions.append(_matches(connection, tasks, words))
    if before is not None:
        conditions.append(key < before)
    if since is not None:
        # As a range of numbers, in which the order of the list is; the index on time gives where it begins.
        first = select(tasks.c.id).where(tasks.c.created_at >= since)
        first = first.order_by(tasks.c.created_at, tasks.c.id).limit(1)
        conditions += [key >= first.scalar_subquery(), tasks.c.created_at >= since]
    if until is not None:
        # The highest number and not the newest time: of two kernels the slower one writes later.
        last = select(func.max(tasks.c.id)).where(tasks.c.created_at < until)
        conditions += [key <= last.scalar_subquery(), tasks.c.created_at < until]
    if areas:
        conditions.append(tasks.c.area.in_(list(areas)))
    if workspace is not None:
        conditions.append(tasks.c.workspace == workspace)
    if session_id:
        conditions.append(tasks.c.session_id == session_id)
    if thread_id:
        conditions.append(tasks.c.thread_id == thread_id)
    if words is not None:
        found = _tasks(heavy=False, source=_matching(connection, tasks, "id")).where(*conditions)
        if states:
            found = found.where(tasks.c.state.in_(list(states)))
    elif len(states) > 1:
        # The newest of each state by its index; of several at once no index has the newest.
        newest = (
            select(tasks.c.id).where(tasks.c.state == state, *conditions).order_by(key.desc()).limit(limit)
            for state in dict.fromkeys(states)
        )
        of_any = union_all(*(select(one.subquery().c.id) for one in newest))
        found = _tasks(heavy=False).where(tasks.c.id.in_(of_any))
    else:
        found = _tasks(heavy=False).where(*conditions, *(tasks.c.state == state for state in states))
    return found.order_by(key.desc()).limit(limit)


def past(connection: Connection, past_id: int) -> PastTask | None:
    """Return a task by its number in the history, with its outputs."""
    row = connection.execute(_tasks(heavy=True).where(tasks.c.id == past_id)).mappings().first()
    return _past(dict(row), heavy=True) if row else None


def past_of(connection: Connection, session_id: str, number: int) -> PastTask | None:
    """Return a task by its session and its number there, with its outputs."""
    one = _tasks(heavy=True).where(tasks.c.session_id == session_id, tasks.c.number == number)
    row = connection.execute(one).mappings().first()
    return _past(dict(row), heavy=True) if row else None


# ---- sessions -------------------------------------------------------------------------------------


def past_sessions(
    connection: Connection, *, session_id: str = "", workspace: str | None = None, limit: int = 50
) -> list[PastSession]:
    """Return sessions, the newest first; `session_id` may be the beginning of an id."""
    count = select(func.count()).where(tasks.c.session_id == sessions.c.id).scalar_subquery()
    wanted_columns = (
        sessions.c[name]
        for name in ("id", "workspace", "kernel", "host", "pid", "started_at", "ended_at", "ending")
    )
    found = select(*wanted_columns, count.label("tasks")).order_by(sessions.c.number.desc()).limit(limit)
    if session_id:
        found = found.where(sessions.c.id.startswith(session_id, autoescape=True))
    if workspace is not None:
        found = found.where(sessions.c.workspace == workspace)
    return [PastSession(**row) for row in connection.execute(found).mappings()]


def last_thread(connection: Connection, session_id: str) -> str:
    """Return the id of the conversation in which a session did something last; empty where it did nothing."""
    last = select(items.c.thread_id).where(items.c.session_id == session_id).order_by(items.c.id.desc())
    return connection.execute(last.limit(1)).scalar() or ""


def past_events(
    connection: Connection, session_id: str, *, after: int = 0, limit: int = 1_000
) -> list[Event]:
    """Return events of a session above a number, in order."""
    found = select(events).where(events.c.session_id == session_id, events.c.seq > after)
    return [
        Event(
            session_id=row.session_id,
            seq=row.seq,
            at=row.at,
            kind=row.kind,
            turn_id=row.turn,
            task_id=row.task,
            data=json.loads(row.data) if row.data else {},
        )
        for row in connection.execute(found.order_by(events.c.seq).limit(limit))
    ]


def statistics(connection: Connection) -> Statistics:
    """Return how much there is; the size is not known here."""

    def count(of: Any) -> int:
        return connection.execute(select(func.count()).select_from(of)).scalar_one()

    by_state = select(tasks.c.state, func.count()).group_by(tasks.c.state)
    states = {row[0]: row[1] for row in connection.execute(by_state)}
    return Statistics(
        sessions=count(sessions),
        threads=count(threads),
        turns=count(items),
        tasks=sum(states.values()),
        events=count(events),
        states=states,
    )


def last_numbers(connection: Connection, workspace: str) -> tuple[int, int]:
    """Return the highest numbers of a turn and of a task that sessions of a workspace gave."""
    highest = select(func.max(sessions.c.last_turn), func.max(sessions.c.last_task))
    turn, task = connection.execute(highest.where(sessions.c.workspace == workspace)).one()
    return turn or 0, task or 0


# ---- parts ----------------------------------------------------------------------------------------


def _threads() -> Select[Any]:
    said = select(func.count()).where(items.c.thread_id == threads.c.id).scalar_subquery()
    return select(*THREAD, said.label("turns"))


def _tasks(*, heavy: bool, source: FromClause = tasks) -> Select[Any]:
    title = select(threads.c.title).where(threads.c.id == tasks.c.thread_id).scalar_subquery()
    columns: list[ColumnElement[Any]] = [*LIGHT, func.coalesce(title, "").label("thread_title")]
    if heavy:
        columns.append(tasks.c.heavy)
    return select(*columns).select_from(source)


def _past(row: Row, *, heavy: bool) -> PastTask:
    return PastTask(
        id=row["id"],
        task=task_of(row, heavy=heavy),
        utterance=row["utterance"],
        session_id=row["session_id"],
        thread_id=row["thread_id"],
        thread_title=row["thread_title"],
    )


def _of(rows: Any, thread_id: str, session_id: str) -> ColumnElement[bool]:
    if thread_id:
        return rows.c.thread_id == thread_id  # type: ignore[no-any-return]
    return rows.c.session_id == session_id if session_id else true()


# On SQLite a table `x` has its words in `x_words`, found by the row's number; on PostgreSQL in a column.


def _matching(connection: Connection, rows: Any, key: str) -> FromClause:
    if connection.dialect.name == "sqlite":
        found = table(f"{rows.name}_words", column("rowid"))
        return found.join(rows, rows.c[key] == found.c.rowid)
    return rows  # type: ignore[no-any-return]


def _key(connection: Connection, rows: Any, key: str) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return literal_column(f"{rows.name}_words.rowid")
    return rows.c[key]  # type: ignore[no-any-return]


def _named(connection: Connection, words: list[str]) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        titles = table("threads_words", column("rowid"))
        matching = select(titles.c.rowid).where(_matches(connection, threads, words))
        return threads.c.number.in_(matching)
    return _matches(connection, threads, words)


def _matches(connection: Connection, rows: Any, words: list[str]) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":
        return literal_column(f"{rows.name}_words").op("MATCH", is_comparison=True)(fts5(words))
    lexemes: ColumnElement[Any] = literal_column(f"{rows.name}.lexemes")
    return lexemes.op("@@", is_comparison=True)(cast(literal(tsquery(words)), TSQUERY))
