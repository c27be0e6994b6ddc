"""Writes the batches of a session, and answers for the session's row.

All of it belongs to the writer's thread. One `SessionLedger` is one connection to one database: when
that is no longer there, the next one is made.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Table, case, delete, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from voice_kernel.errors import NotInHistory
from voice_kernel.language import N_, _
from voice_kernel.messages import Thread
from voice_kernel.store import recovery
from voice_kernel.store.batch import Batch, Happening
from voice_kernel.store.database import Database
from voice_kernel.store.faults import Fault
from voice_kernel.store.kept import Left
from voice_kernel.store.owner import forget, sweep
from voice_kernel.store.records import thread as read_thread
from voice_kernel.store.redaction import Redaction
from voice_kernel.store.retention import Limits, presumed_now, prune_step, remove_logs, remove_thread
from voice_kernel.store.rows import Row, Rows, approval_of
from voice_kernel.store.schema import approvals, events, items, sessions, tasks, threads
from voice_kernel.store.words import indexed

log = logging.getLogger(__name__)

MAX_TITLE_CHARS = 200
MAX_LEFT = 20
"""Cards of ended sessions that are asked again at once."""
TIDY_AGAIN_S = 24 * 3600.0
TIDY_PAUSE_S = 0.2
NO_THREAD = N_("There is no such conversation.")


@dataclass(frozen=True)
class SessionCard:
    """What is known of a session from the start.

    Attributes:
        id: what everything names it by.
        workspace: the notebook or folder it works for.
        kernel: what the kernel calls itself.
        host: this machine.
        beats: whether others learn only by heartbeats that it lives: they do not see its lock.
        started_at: when it began.
    """

    id: str
    workspace: str
    kernel: str
    host: str
    beats: bool
    started_at: float


class SessionLedger:
    """The database as one session writes it.

    Args:
        database: open, and at the right version.
        card: the session.
        thread_id: the conversation that is open.
        redaction: hides secrets.
        locks: the folder of lock files.
        limits: what is kept.
        on_revived: told that this session was taken for dead meanwhile, and what it runs for interrupted.

    Attributes:
        database: as given.
        recovered: the ids of dead sessions that were ended.

    Raises:
        Fault: the database cannot be written now.
    """

    def __init__(
        self,
        database: Database,
        card: SessionCard,
        *,
        thread_id: str,
        redaction: Redaction,
        locks: Path,
        limits: Limits,
        on_revived: Callable[[], None],
    ) -> None:
        self.database = database
        self.beats = card.beats
        self.recovered: list[str] = []
        self._card = card
        self._thread_id = thread_id
        self._redaction = redaction
        self._locks = locks
        self._limits = limits
        self._on_revived = on_revived
        self._rows = Rows(card.id, card.workspace, redaction)
        self._known_threads: set[str] = set()
        self._statements = _statements(database.engine.dialect)
        self._missing_before = False
        self._replaces_ending = False
        self._checked = False
        with database.writing() as connection:
            self._begin(connection)

    # ---- what the writer asks for ------------------------------------------------------------------

    def write(self, batch: Batch) -> None:
        """Write everything or nothing; rows that the database refuses for themselves are left out."""
        try:
            self._write(batch)
        except Fault as fault:
            if fault.kind != "refused":
                raise
            self._known_threads.clear()
            self._write_singly(batch)

    def beat(self) -> None:
        """Say that the session lives; this always writes."""
        with self.database.writing() as connection:
            beaten_at = self.database.now(connection) if self.beats else None
            own = update(sessions).where(sessions.c.id == self._card.id)
            connection.execute(own.values(beaten_at=beaten_at))

    def tidy(self) -> float:
        """Remove a little of what is too old or too much; look through a file that was left in haste."""
        if not self._checked:
            self._checked = True
            if self.recovered and not self.database.is_sound():
                raise Fault("corrupt", _("The history file is damaged."))
            sweep(self._locks)
        with self.database.reading() as connection:
            now = presumed_now(connection, self._card.id)
        if any((pruned := prune_step(self.database, self._limits, now=now)).__dict__.values()):
            log.info("pruned %d conversations and %d tasks", pruned.threads, pruned.tasks)
            return TIDY_PAUSE_S
        return TIDY_PAUSE_S if self.database.give_back() else TIDY_AGAIN_S

    def end(self) -> None:
        """Write that the session is over, with all that is still open."""
        with self.database.writing() as connection:
            own = select(sessions).where(sessions.c.id == self._card.id)
            row = connection.execute(own).mappings().first()
            if row is not None:
                recovery.end(connection, dict(row), self._redaction, now=time.time(), ending="closed")

    def close(self) -> None:
        """Let the database go."""
        self.database.close()

    # ---- what the store asks for -------------------------------------------------------------------

    def resume(self) -> str:
        """Claim the conversation that the workspace's last session had open; returns its id, or nothing.

        Nothing too where that conversation has been deleted, or a living session has it.
        """
        with self.database.writing() as connection:
            last = (
                select(sessions.c.thread_id)
                .where(sessions.c.workspace == self._card.workspace, sessions.c.ended_at.is_not(None))
                .order_by(sessions.c.number.desc())
                .limit(1)
            )
            thread_id = connection.execute(last).scalar() or ""
            if read_thread(connection, thread_id) is None or self._held(connection, thread_id):
                return ""
            self._claim(connection, thread_id)
            return thread_id

    def claim(self, number: int) -> bool:
        """Take down that an own approval was approved; False if another session has asked for it again.

        One that is not written yet can be nobody else's.
        """
        own = approvals.c.session_id == self._card.id, approvals.c.number == number
        with self.database.writing() as connection:
            # Left: another session took this one for dead, but nobody has asked for it again.
            open_here = update(approvals).where(*own, approvals.c.state.in_(("open", recovery.LEFT)))
            if connection.execute(open_here.values(state="approved")).rowcount:
                return True
            return connection.execute(select(approvals.c.state).where(*own)).scalar() is None

    def take_left(self, thread_id: str) -> list[Left]:
        """Take over the approvals that sessions which have ended left open in a conversation, oldest first.

        Each is handed to one session only, however many ask at once.
        """
        turn = (items.c.session_id == tasks.c.session_id) & (items.c.number == tasks.c.turn)
        task = (tasks.c.session_id == approvals.c.session_id) & (tasks.c.number == approvals.c.task)
        left = (
            select(approvals, tasks.c.turn, items.c.text)
            .join(tasks, task)
            .outerjoin(items, turn)
            .where(approvals.c.thread_id == thread_id, approvals.c.state == recovery.LEFT)
            .order_by(approvals.c.created_at)
        )
        taken: list[Left] = []
        with self.database.writing() as connection:
            now = self.database.now(connection)
            for row in connection.execute(left).mappings().all():
                approval, going_on = approval_of(dict(row))
                is_old = now - approval.created_at > recovery.KEPT_S or len(taken) >= MAX_LEFT
                state = "expired" if is_old or going_on is None else recovery.ASKED_AGAIN
                own = approvals.c.session_id == row["session_id"], approvals.c.number == row["number"]
                take = update(approvals).where(*own, approvals.c.state == recovery.LEFT).values(state=state)
                if connection.execute(take).rowcount and going_on is not None and state != "expired":
                    session_id, turn_id = row["session_id"], row["turn"]
                    taken.append(Left(session_id, turn_id, row["text"] or "", approval, going_on))
        return taken

    def enter(self, thread_id: str) -> None:
        """Note which conversation is open."""
        with self.database.writing() as connection:
            self._claim(connection, thread_id)

    def rename(self, thread: Thread, title: str) -> Thread:
        """Give a conversation a title; one that has no row yet gets one.

        Raises:
            NotInHistory: there is none with that id, and it is not the open one.
        """
        title = self._rows.text(title, MAX_TITLE_CHARS)
        with self.database.writing() as connection:
            if read_thread(connection, thread.id) is None:
                if thread.id != self._thread_id:
                    raise NotInHistory(_(NO_THREAD))
                self._put_threads(connection, [thread])
            named = {"title": title, "titled": True, "words": indexed(title)}
            connection.execute(update(threads).where(threads.c.id == thread.id).values(named))
            renamed = read_thread(connection, thread.id)
        assert renamed is not None
        return renamed

    def delete(self, thread_id: str, logs: Sequence[str] = ()) -> None:
        """Delete a conversation with its tasks and logs.

        Args:
            thread_id: which.
            logs: paths of logs of it that were not written yet.

        Raises:
            NotInHistory: there is none with that id.
        """
        with self.database.writing() as connection:
            found = read_thread(connection, thread_id) is not None
            paths = remove_thread(connection, thread_id)
        self._known_threads.discard(thread_id)
        remove_logs([*logs, *paths], self._limits.logs)
        if not found:
            raise NotInHistory(_(NO_THREAD))

    # ---- sessions ----------------------------------------------------------------------------------

    def _begin(self, connection: Connection) -> None:
        now = self.database.now(connection)
        self.recovered = recovery.end_dead(
            connection, self._locks, self._redaction, now=now, own=self._card.id
        )
        for session_id in self.recovered:
            forget(self._locks, session_id)
        beaten_at = now if self.beats else None
        of_session = sessions.c.id == self._card.id
        found = connection.execute(select(sessions.c.ended_at).where(of_session)).first()
        if found is None:
            self._missing_before = True
            row = {
                "id": self._card.id,
                "workspace": self._card.workspace,
                "kernel": self._card.kernel,
                "host": self._card.host,
                "pid": os.getpid(),
                "thread_id": self._thread_id,
                "started_at": self._card.started_at,
                "ending": "",
                "beaten_at": beaten_at,
                "last_seq": 0,
                "last_turn": 0,
                "last_task": 0,
            }
            connection.execute(sessions.insert(), row)
        elif found.ended_at is not None:
            self._replaces_ending = True
            self._on_revived()
            alive = {"ended_at": None, "ending": "", "beaten_at": beaten_at}
            connection.execute(update(sessions).where(of_session).values(alive))

    def _held(self, connection: Connection, thread_id: str) -> bool:
        others = select(sessions).where(
            sessions.c.thread_id == thread_id, sessions.c.ended_at.is_(None), sessions.c.id != self._card.id
        )
        now = self.database.now(connection)
        return any(
            recovery.is_alive(session, self._locks, now=now)
            for session in connection.execute(others).mappings()
        )

    def _claim(self, connection: Connection, thread_id: str) -> None:
        self._thread_id = thread_id
        connection.execute(update(sessions).where(sessions.c.id == self._card.id).values(thread_id=thread_id))

    # ---- batches -----------------------------------------------------------------------------------

    def _write(self, batch: Batch) -> None:
        # All of it is made before the transaction begins: others wait for that to end.
        homes = {home for _, home in batch.turns.values()} | {home for _, home, _ in batch.tasks.values()}
        prepared = [
            (of, self._statements[of].parameters(rows))
            for of, rows in (
                (items, [self._rows.turn(turn, home) for turn, home in batch.turns.values()]),
                (tasks, [self._rows.task(task, home, said) for task, home, said in batch.tasks.values()]),
                (approvals, [self._rows.approval(*asked) for asked in batch.approvals.values()]),
                (events, [self._event(event) for event in batch.events]),
            )
            if rows
        ]
        now = time.time()
        missing = homes - self._known_threads - set(batch.threads)
        strangers = [
            Thread(id=thread_id, workspace=self._card.workspace, created_at=now, updated_at=now)
            for thread_id in missing
        ]
        with self.database.writing() as connection:
            self._note_progress(connection, batch)
            self._put_threads(connection, [*batch.threads.values(), *strangers])
            for of, parameters in prepared:
                self._statements[of].execute(connection, parameters)
        self._known_threads |= missing | set(batch.threads)
        if batch.events:
            self._missing_before = self._replaces_ending = False

    def _write_singly(self, batch: Batch) -> None:
        """Write as much of a batch as the database takes."""
        parts: list[Batch] = [Batch(threads=batch.threads, events=batch.events)]
        for number, turn in batch.turns.items():
            parts.append(Batch())
            parts[-1].turns[number] = turn
        for number, task in batch.tasks.items():
            parts.append(Batch())
            parts[-1].tasks[number] = task
        for number, approval in batch.approvals.items():
            parts.append(Batch())
            parts[-1].approvals[number] = approval
        for part in parts:
            try:
                self._write(part)
            except Fault as fault:
                if fault.kind != "refused":
                    raise
                log.error("the history refused a row; it is left out")

    def _note_progress(self, connection: Connection, batch: Batch) -> None:
        reached = {}
        if batch.events:
            reached["last_seq"] = batch.events[-1].seq
        if batch.turns:
            reached["last_turn"] = max(batch.turns)
        if batch.tasks:
            reached["last_task"] = max(batch.tasks)
        if not reached:
            return
        columns = {
            name: case((sessions.c[name] < value, value), else_=sessions.c[name])
            for name, value in reached.items()
        }
        own = sessions.c.id == self._card.id, sessions.c.ended_at.is_(None)
        noted = update(sessions).where(*own).values(columns)
        if not connection.execute(noted).rowcount:
            # A database that was put back from a backup, or another kernel that took this one for dead.
            self._begin(connection)
            connection.execute(noted)
        if not batch.events:
            return
        first = batch.events[0]
        begin = first.gap[0] if first.gap else first.seq
        if self._replaces_ending:
            # What was noted of a death that was none has our numbers.
            of_ending = events.c.session_id == self._card.id, events.c.seq >= begin
            connection.execute(delete(events).where(*of_ending))
            connection.execute(update(sessions).where(own[0]).values(last_seq=reached["last_seq"]))
        elif self._missing_before and begin > 1:
            # What came before is in another database, which was moved aside.
            gap = Happening(begin - 1, first.at, "gap", gap=(1, begin - 1))
            self._put(connection, events, [self._event(gap)])

    def _put_threads(self, connection: Connection, rows: Iterable[Thread]) -> None:
        prepared = []
        for thread in rows:
            title = self._rows.text(thread.title, MAX_TITLE_CHARS)
            prepared.append(
                {
                    "id": thread.id,
                    "workspace": thread.workspace,
                    "title": title,
                    "titled": False,
                    "created_at": thread.created_at,
                    "updated_at": thread.updated_at,
                    "words": indexed(title),
                }
            )
        self._put(connection, threads, prepared)

    def _put(self, connection: Connection, of: Table, rows: list[Row]) -> None:
        if rows:
            statement = self._statements[of]
            statement.execute(connection, statement.parameters(rows))

    def _event(self, event: Happening) -> Row:
        data = self._rows.reason(event.problem)
        if event.gap is not None:
            data = json.dumps({"first": event.gap[0], "last": event.gap[1]})
        return {
            "session_id": self._card.id,
            "seq": event.seq,
            "at": event.at,
            "kind": event.kind,
            "turn": event.turn,
            "task": event.task,
            "data": data,
        }


FILLED = {threads: "number", items: "id", tasks: "id"}
"""Columns that the database fills itself."""


class _Statement:
    """One statement for many rows, made once: SQLAlchemy would prepare each row anew."""

    def __init__(self, statement: Any, of: Table, dialect: Dialect) -> None:
        added = [column.name for column in of.columns if column.name != FILLED.get(of)]
        compiled = statement.compile(dialect=dialect, column_keys=added)
        self._sql = str(compiled)
        self._order = compiled.positiontup if compiled.positional else None

    def parameters(self, rows: list[Row]) -> list[Any]:
        """Return rows as the driver wants them."""
        order = self._order
        return rows if order is None else [tuple([row[name] for name in order]) for row in rows]

    def execute(self, connection: Connection, parameters: list[Any]) -> None:
        """Write rows that `parameters` has prepared."""
        connection.exec_driver_sql(self._sql, parameters)


def _statements(dialect: Dialect) -> dict[Table, _Statement]:
    """Make one statement for each table, by which a row is added, or brought up to date."""
    insert: Any = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    statements: dict[Table, Any] = {}
    for of, changing in (
        (items, ("state", "text", "words", "data")),
        (tasks, ("area", "state", "ended_at", "log_path", "words", "data", "heavy")),
        (approvals, ("state", "data")),
    ):
        adding = insert(of)
        changed = {name: adding.excluded[name] for name in changing}
        if of is approvals:
            # It is another session's by now, which took this one for dead.
            gone = approvals.c.state == literal_column(f"'{recovery.ASKED_AGAIN}'")
            changed["state"] = case((gone, approvals.c.state), else_=adding.excluded.state)
        statements[of] = adding.on_conflict_do_update(index_elements=["session_id", "number"], set_=changed)
    # An event does not change; that it is there already means that a batch was written after all.
    statements[events] = insert(events).on_conflict_do_nothing()
    adding = insert(threads)
    new = adding.excluded
    later = case((new.updated_at > threads.c.updated_at, new.updated_at), else_=threads.c.updated_at)
    named = threads.c.title != literal_column("''")
    statements[threads] = adding.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "updated_at": later,
            "title": case((named, threads.c.title), else_=new.title),
            "words": case((named, threads.c.words), else_=new.words),
        },
    )
    return {of: _Statement(statement, of, dialect) for of, statement in statements.items()}
