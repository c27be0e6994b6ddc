"""Ends what sessions left open that are no more: killed, crashed, or gone with their machine.

Their tasks become interrupted with what they had put out, each with an event in the session's own
numbering. Done by the next session that opens the database, in one transaction, so that of several only
one does it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from voice_kernel.events import MAX_TAIL_CHARS, OPEN_TASKS, OPEN_TURNS, clip_tail
from voice_kernel.messages import Task
from voice_kernel.store import owner
from voice_kernel.store.journal import INTERRUPTED, in_words, interrupted
from voice_kernel.store.redaction import Redaction
from voice_kernel.store.rows import Rows, approval_of, task_of, turn_of
from voice_kernel.store.schema import approvals, events, items, sessions, tasks

UNREADABLE = (ValueError, TypeError, KeyError)
"""What a row may end with that another program has written into: no reason to keep no history at all."""
LEFT = "left"
"""State of an approval that can be asked for again: its session ended before the answer."""
ASKED_AGAIN = "asked_again"
"""State of one that was: whoever asked again answers for it."""
KEPT_S = 24 * 3600.0
"""A card that is older is not asked again: nobody remembers what it was about."""
SILENT_S = 120.0
"""A session that tells others of its life only by heartbeats is dead after so long without one."""


def end_dead(connection: Connection, locks: Path, redaction: Redaction, *, now: float, own: str) -> list[str]:
    """End every session whose process is gone; returns their ids.

    Args:
        connection: a transaction that writes.
        locks: the folder of the lock files.
        redaction: hides secrets in what is read from logs.
        now: the database's time.
        own: the session that asks.
    """
    left = select(sessions).where(sessions.c.ended_at.is_(None), sessions.c.id != own)
    if connection.dialect.name != "sqlite":
        left = left.with_for_update(skip_locked=True)
    ended = []
    for session in connection.execute(left).mappings().all():
        if not is_alive(session, locks, now=now):
            end(connection, dict(session), redaction, now=now, ending="died")
            ended.append(session["id"])
    return ended


def is_alive(session: Any, locks: Path, *, now: float) -> bool:
    """Return whether the process of a session lives, as far as can be known from here.

    Args:
        session: its row.
        locks: the folder of the lock files.
        now: the database's time.
    """
    lives = owner.lives(locks, session["id"])
    if lives is None and session["beaten_at"] is not None:
        # Its lock is in another folder, or on another host.
        return bool(now - session["beaten_at"] < SILENT_S)
    # One that does not beat has its lock here: without, it was left by a process that got no further.
    return bool(lives)


def end(
    connection: Connection, session: dict[str, Any], redaction: Redaction, *, now: float, ending: str
) -> None:
    """End a session with all that it left open.

    Args:
        connection: a transaction that writes.
        session: its row.
        redaction: hides secrets in what is read from logs.
        now: the time of the events.
        ending: `closed` or `died`.
    """
    session_id = session["id"]
    of_events = select(events.c.seq, events.c.at).where(events.c.session_id == session_id)
    last = connection.execute(of_events.order_by(events.c.seq.desc()).limit(1)).first()
    seq = max(session["last_seq"], last.seq if last else 0)
    last_sign = max(session["started_at"], last.at if last else 0.0)
    rows = Rows(session_id, session["workspace"], redaction)
    happened: list[dict[str, Any]] = []

    def note(kind: str, turn: int | None, task: int | None, data: str) -> None:
        nonlocal seq
        seq += 1
        happened.append(
            {
                "session_id": session_id,
                "seq": seq,
                "at": now,
                "kind": kind,
                "turn": turn,
                "task": task,
                "data": data,
            }
        )

    problem = in_words(INTERRUPTED)
    why = rows.reason(problem)
    of_session = tasks.c.session_id == session_id
    open_tasks = select(tasks).where(of_session, tasks.c.state.in_(OPEN_TASKS)).order_by(tasks.c.id)
    for row in connection.execute(open_tasks).mappings().all():
        note("task.interrupted", row["turn"], row["number"], why)
        changed: dict[str, Any] = {"state": "interrupted", "ended_at": last_sign}
        with contextlib.suppress(*UNREADABLE):
            task, at = _with_log(task_of(dict(row), heavy=True))
            changed = rows.task(interrupted(task, max(last_sign, at)), row["thread_id"], row["utterance"])
        connection.execute(update(tasks).where(tasks.c.id == row["id"]).values(changed))
    open_turns = select(items).where(items.c.session_id == session_id, items.c.state.in_(OPEN_TURNS))
    for row in connection.execute(open_turns.order_by(items.c.id)).mappings().all():
        note("turn.failed", row["number"], None, why)
        changed = {"state": "failed"}
        with contextlib.suppress(*UNREADABLE):
            turn = turn_of(dict(row))
            ended = {"state": "failed", "problem": problem, "ended_at": max(last_sign, turn.created_at)}
            changed = rows.turn(turn.model_copy(update=ended), row["thread_id"])
        connection.execute(update(items).where(items.c.id == row["id"]).values(changed))
    waiting = approvals.c.session_id == session_id, approvals.c.state == "open"
    for row in connection.execute(select(approvals).where(*waiting)).mappings().all():
        state = "expired"
        with contextlib.suppress(*UNREADABLE):
            _, going_on = approval_of(dict(row))
            state = "expired" if going_on is None else LEFT
        note(f"approval.{state}", None, row["task"], "")
        of_card = approvals.c.session_id == session_id, approvals.c.number == row["number"]
        connection.execute(update(approvals).where(*of_card).values(state=state))
    note(f"session.{'ended' if ending == 'closed' else ending}", None, None, "")
    connection.execute(insert(events), happened)
    over = {"ended_at": now if ending == "closed" else last_sign, "ending": ending, "last_seq": seq}
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(over))


def _with_log(task: Task) -> tuple[Task, float]:
    """Return a task with the end of its log as tail, and when that was written (0 where there is none)."""
    if not task.log_path.endswith(".log"):
        return task, 0.0
    with contextlib.suppress(OSError), open(task.log_path, "rb") as log:
        size, written_at = log.seek(0, os.SEEK_END), os.fstat(log.fileno()).st_mtime
        if size < task.output_bytes:
            return task, written_at  # killed before it wrote what it had told, or at the cap
        log.seek(max(0, size - 4 * MAX_TAIL_CHARS))
        tail = clip_tail(log.read().decode("utf-8", "replace"))
        return task.model_copy(update={"tail": tail, "output_bytes": size}), written_at
    return task, 0.0
