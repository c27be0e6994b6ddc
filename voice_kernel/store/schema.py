"""The tables, as SQLAlchemy sees them. Knows nothing of how rows come about.

`migrations/` makes them; a test holds the two together. Besides these there are the full-text indexes,
which only the migrations and `search.py` know: FTS5 tables on SQLite, tsvector columns on PostgreSQL.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

HEAD = "0002"
"""The schema's version: the last revision in `migrations/versions`. Revisions are counted up, so that a
database of a newer version is known as such."""

metadata = MetaData()

# SQLite counts INTEGER PRIMARY KEYs only; elsewhere the history of a hub outgrows 32 bits.
Number = BigInteger().with_variant(Integer, "sqlite")

sessions = Table(
    "sessions",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("workspace", Text, nullable=False),
    Column("kernel", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("thread_id", Text, nullable=False),  # the open conversation, which may have no row yet
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("ending", Text, nullable=False),
    Column("beaten_at", Double),  # the last heartbeat, by the database's clock; none where locks tell
    Column("last_seq", Integer, nullable=False),
    Column("last_turn", Integer, nullable=False),
    Column("last_task", Integer, nullable=False),
    Index("sessions_ended", "ended_at"),
    Index("sessions_workspace", "workspace", "number"),
    sqlite_autoincrement=True,
)

threads = Table(
    "threads",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("workspace", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("titled", Boolean, nullable=False),  # by a person: no utterance replaces it
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("words", Text, nullable=False),
    Index("threads_updated", "updated_at"),
    Index("threads_workspace", "workspace", "updated_at"),
    sqlite_autoincrement=True,
)

items = Table(
    "items",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # the turn's, in its session
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("data", Text, nullable=False),  # the turn as JSON
    UniqueConstraint("session_id", "number", name="items_of_session"),
    Index("items_thread", "thread_id", "id"),
    sqlite_autoincrement=True,
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # the task's, in its session
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("utterance", Text, nullable=False),
    Column("log_path", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("data", Text, nullable=False),  # the task as JSON, without what is heavy
    Column("heavy", Text),  # tail and whole result as JSON; last, so that lists need not read over it
    UniqueConstraint("session_id", "number", name="tasks_of_session"),
    Index("tasks_thread", "thread_id", "id"),
    Index("tasks_state", "state", "id"),
    Index("tasks_area", "area", "id"),
    Index("tasks_workspace", "workspace", "id"),
    Index("tasks_created", "created_at", "id"),
    sqlite_autoincrement=True,
)

approvals = Table(
    "approvals",
    metadata,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("thread_id", Text, nullable=False),
    Column("task", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("data", Text, nullable=False),  # the approval as JSON
    Index("approvals_thread", "thread_id"),
)

events = Table(
    "events",
    metadata,
    Column("session_id", Text, ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("turn", Integer),
    Column("task", Integer),
    Column("data", Text, nullable=False),  # JSON; empty where there is nothing to say
    sqlite_with_rowid=False,
)

# ---- what ChatKit clients have: threads of their own, since a client names and pages them itself ------

chat_threads = Table(
    "chat_threads",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("user_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),  # the last time anything of it was written
    Column("data", Text, nullable=False),  # ChatKit's thread as JSON, without its items
    UniqueConstraint("user_id", "id", name="chat_threads_of_user"),
    Index("chat_threads_page", "user_id", "created_at", "number"),
    Index("chat_threads_updated", "updated_at"),
    sqlite_autoincrement=True,
)

chat_items = Table(
    "chat_items",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("thread", Number, ForeignKey("chat_threads.number", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("data", Text, nullable=False),  # ChatKit's item as JSON
    UniqueConstraint("thread", "id", name="chat_items_of_thread"),
    Index("chat_items_page", "thread", "created_at", "number"),
    sqlite_autoincrement=True,
)

chat_attachments = Table(
    "chat_attachments",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("user_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("thread_id", Text, nullable=False),  # empty before a message has it
    Column("created_at", Double, nullable=False),
    Column("data", Text, nullable=False),  # ChatKit's attachment as JSON
    UniqueConstraint("user_id", "id", name="chat_attachments_of_user"),
    Index("chat_attachments_thread", "user_id", "thread_id"),
    Index("chat_attachments_created", "created_at"),
    sqlite_autoincrement=True,
)

chat_feedback = Table(
    "chat_feedback",
    metadata,
    Column("thread", Number, ForeignKey("chat_threads.number", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", Double, nullable=False),
)
