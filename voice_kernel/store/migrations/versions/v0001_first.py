"""The first schema: sessions, threads, items, tasks, approvals, events and what they are found by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")

FTS5 = """
CREATE VIRTUAL TABLE {table}_words USING fts5(
    words, content='{table}', content_rowid='{key}', tokenize='ascii', detail='none', columnsize=0
)
"""
# Kept by triggers, so that no writer can forget it, cascaded deletes included.
TRIGGERS = (
    """
CREATE TRIGGER {table}_words_added AFTER INSERT ON {table} BEGIN
    INSERT INTO {table}_words (rowid, words) VALUES (new.{key}, new.words);
END
""",
    """
CREATE TRIGGER {table}_words_removed AFTER DELETE ON {table} BEGIN
    INSERT INTO {table}_words ({table}_words, rowid, words) VALUES ('delete', old.{key}, old.words);
END
""",
    """
CREATE TRIGGER {table}_words_changed AFTER UPDATE OF words ON {table} WHEN old.words <> new.words BEGIN
    INSERT INTO {table}_words ({table}_words, rowid, words) VALUES ('delete', old.{key}, old.words);
    INSERT INTO {table}_words (rowid, words) VALUES (new.{key}, new.words);
END
""",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sessions",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("kernel", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("ending", sa.Text, nullable=False),
        sa.Column("beaten_at", sa.Double),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_turn", sa.Integer, nullable=False),
        sa.Column("last_task", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("sessions_ended", "sessions", ["ended_at"])
    op.create_index("sessions_workspace", "sessions", ["workspace", "number"])

    op.create_table(
        "threads",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("titled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("threads_updated", "threads", ["updated_at"])
    op.create_index("threads_workspace", "threads", ["workspace", "updated_at"])

    op.create_table(
        "items",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("thread_id", sa.Text, sa.ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("session_id", "number", name="items_of_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("items_thread", "items", ["thread_id", "id"])

    op.create_table(
        "tasks",
        sa.Column("id", Number, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("thread_id", sa.Text, sa.ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("utterance", sa.Text, nullable=False),
        sa.Column("log_path", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("heavy", sa.Text),
        sa.UniqueConstraint("session_id", "number", name="tasks_of_session"),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_thread", "tasks", ["thread_id", "id"])
    op.create_index("tasks_state", "tasks", ["state", "id"])
    op.create_index("tasks_area", "tasks", ["area", "id"])
    op.create_index("tasks_workspace", "tasks", ["workspace", "id"])
    op.create_index("tasks_created", "tasks", ["created_at", "id"])

    op.create_table(
        "approvals",
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("task", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("approvals_thread", "approvals", ["thread_id"])

    op.create_table(
        "events",
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer),
        sa.Column("task", sa.Integer),
        sa.Column("data", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )

    for table, key in (("threads", "number"), ("items", "id"), ("tasks", "id")):
        if op.get_bind().dialect.name == "sqlite":
            for statement in (FTS5, *TRIGGERS):
                op.execute(statement.format(table=table, key=key))
        else:
            op.execute(
                f"ALTER TABLE {table} ADD COLUMN lexemes tsvector GENERATED ALWAYS AS "
                "(array_to_tsvector(string_to_array(words, ' '))) STORED"
            )
            op.execute(f"CREATE INDEX {table}_lexemes ON {table} USING gin (lexemes)")
