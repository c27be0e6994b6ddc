"""What ChatKit clients keep: threads, items, attachments and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chat_threads",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("user_id", "id", name="chat_threads_of_user"),
        sqlite_autoincrement=True,
    )
    op.create_index("chat_threads_page", "chat_threads", ["user_id", "created_at", "number"])
    op.create_index("chat_threads_updated", "chat_threads", ["updated_at"])
    op.create_table(
        "chat_items",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("thread", Number, sa.ForeignKey("chat_threads.number", ondelete="CASCADE"), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("thread", "id", name="chat_items_of_thread"),
        sqlite_autoincrement=True,
    )
    op.create_index("chat_items_page", "chat_items", ["thread", "created_at", "number"])
    op.create_table(
        "chat_attachments",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.UniqueConstraint("user_id", "id", name="chat_attachments_of_user"),
        sqlite_autoincrement=True,
    )
    op.create_index("chat_attachments_thread", "chat_attachments", ["user_id", "thread_id"])
    op.create_index("chat_attachments_created", "chat_attachments", ["created_at"])
    op.create_table(
        "chat_feedback",
        sa.Column(
            "thread",
            Number,
            sa.ForeignKey("chat_threads.number", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
