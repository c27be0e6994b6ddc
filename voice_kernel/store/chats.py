"""What ChatKit clients keep, as rows: threads with their items, attachments and feedback, for each user.

Knows users, ids, order and pages; what is in a thread or an item is JSON that somebody else writes and
reads. Nothing of one user's is found under the name of another. Synchronous, for one thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Table, and_, delete, func, insert, or_, select, update

from voice_kernel.store.database import Database, Place
from voice_kernel.store.rows import clean
from voice_kernel.store.schema import chat_attachments, chat_feedback, chat_items, chat_threads

MAX_THREADS = 2_000
"""Of one user; the one written longest ago makes room for a new one."""
MAX_ITEMS = 5_000
"""Of one thread; the oldest makes room for a new one."""
MAX_PAGE = 200

Order = Literal["asc", "desc"]


@dataclass(frozen=True)
class Documents:
    """A page of JSON documents, in order."""

    documents: list[str]
    after: str | None = None
    """The id that the next page comes after; None where there is none."""


class Chats:
    """The threads of all users.

    Args:
        url: SQLAlchemy URL; empty for `history.db` in the folder.
        folder: voice_kernel's data folder.

    Raises:
        HistoryError: the database cannot be used. So do all methods.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._database = Database(Place.of(url, folder))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    # ---- threads ----------------------------------------------------------------------------------

    def thread(self, user_id: str, thread_id: str) -> str | None:
        """Return a thread; None where the user has none of that id."""
        with self._database.reading() as connection:
            return connection.execute(
                select(chat_threads.c.data).where(_of_user(chat_threads, user_id, thread_id))
            ).scalar()

    def save_thread(self, user_id: str, thread_id: str, created_at: float, document: str) -> None:
        """Write a thread, whether it is there already or not."""
        with self._database.writing() as connection:
            values = {"updated_at": time.time(), "data": clean(document)}
            changed = connection.execute(
                update(chat_threads).where(_of_user(chat_threads, user_id, thread_id)).values(**values)
            )
            if changed.rowcount:
                return
            connection.execute(
                insert(chat_threads).values(user_id=user_id, id=thread_id, created_at=created_at, **values)
            )
            self._make_room(connection, user_id)

    def _make_room(self, connection: Connection, user_id: str) -> None:
        mine = chat_threads.c.user_id == user_id
        over = connection.execute(select(func.count()).where(mine)).scalar_one() - MAX_THREADS
        if over > 0:
            oldest = select(chat_threads.c.number).where(mine).order_by(chat_threads.c.updated_at).limit(over)
            connection.execute(delete(chat_threads).where(chat_threads.c.number.in_(oldest)))

    def delete_thread(self, user_id: str, thread_id: str) -> list[str] | None:
        """Delete a thread with all it has; returns its attachments' ids, or None where it is not there."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(chat_threads).where(_of_user(chat_threads, user_id, thread_id)))
            if not gone.rowcount:
                return None
            attached = and_(chat_attachments.c.user_id == user_id, chat_attachments.c.thread_id == thread_id)
            ids = list(connection.execute(select(chat_attachments.c.id).where(attached)).scalars())
            connection.execute(delete(chat_attachments).where(attached))
            return ids

    def threads(self, user_id: str, *, after: str | None, limit: int, order: Order) -> Documents | None:
        """Return a page of a user's threads by the time they were made; None where `after` is not there."""
        with self._database.reading() as connection:
            return _page(connection, chat_threads, chat_threads.c.user_id == user_id, after, limit, order)

    def prune(self, days: int) -> int:
        """Delete threads that nobody has written to for so many days; returns how many."""
        with self._database.writing() as connection:
            old = time.time() - days * 86_400
            gone = connection.execute(delete(chat_threads).where(chat_threads.c.updated_at < old))
            return gone.rowcount

    # ---- items ------------------------------------------------------------------------------------

    def items(
        self, user_id: str, thread_id: str, *, after: str | None, limit: int, order: Order
    ) -> Documents | None:
        """Return a page of a thread's items by the time they were made.

        None where the thread, or `after`, is not there.
        """
        with self._database.reading() as connection:
            number = _number(connection, user_id, thread_id)
            if number is None:
                return None
            return _page(connection, chat_items, chat_items.c.thread == number, after, limit, order)

    def item(self, user_id: str, thread_id: str, item_id: str) -> str | None:
        """Return an item; None where it is not there."""
        with self._database.reading() as connection:
            number = _number(connection, user_id, thread_id)
            if number is None:
                return None
            return connection.execute(select(chat_items.c.data).where(_of_thread(number, item_id))).scalar()

    def save_item(
        self,
        user_id: str,
        thread_id: str,
        item_id: str,
        created_at: float,
        document: str,
        *,
        replace: bool = True,
    ) -> bool:
        """Write an item; one that is there keeps its place, and what it was unless `replace` is true.

        Returns:
            Whether the thread is there.
        """
        with self._database.writing() as connection:
            number = _number(connection, user_id, thread_id)
            if number is None:
                return False
            one = _of_thread(number, item_id)
            if connection.execute(select(chat_items.c.number).where(one)).first() is None:
                values = {"thread": number, "id": item_id, "created_at": created_at, "data": clean(document)}
                connection.execute(insert(chat_items).values(**values))
                self._drop_oldest(connection, number)
            elif replace:
                connection.execute(update(chat_items).where(one).values(data=clean(document)))
            _touch(connection, number)
            return True

    def _drop_oldest(self, connection: Connection, number: int) -> None:
        mine = chat_items.c.thread == number
        over = connection.execute(select(func.count()).where(mine)).scalar_one() - MAX_ITEMS
        if over > 0:
            oldest = select(chat_items.c.number).where(mine).order_by(chat_items.c.number).limit(over)
            connection.execute(delete(chat_items).where(chat_items.c.number.in_(oldest)))

    def delete_item(self, user_id: str, thread_id: str, item_id: str) -> None:
        """Delete an item, if it is there."""
        with self._database.writing() as connection:
            number = _number(connection, user_id, thread_id)
            if number is not None:
                connection.execute(delete(chat_items).where(_of_thread(number, item_id)))
                _touch(connection, number)

    def save_feedback(self, user_id: str, thread_id: str, item_ids: Sequence[str], kind: str) -> bool:
        """Keep what a person thinks of items; a later word replaces the one before.

        Returns:
            Whether the thread is there.
        """
        with self._database.writing() as connection:
            number = _number(connection, user_id, thread_id)
            if number is None:
                return False
            known = set(
                connection.execute(
                    select(chat_items.c.id).where(
                        chat_items.c.thread == number, chat_items.c.id.in_(item_ids)
                    )
                ).scalars()
            )
            for item_id in known:
                one = and_(chat_feedback.c.thread == number, chat_feedback.c.item_id == item_id)
                connection.execute(delete(chat_feedback).where(one))
                connection.execute(
                    insert(chat_feedback).values(thread=number, item_id=item_id, kind=kind, at=time.time())
                )
            return True

    def feedback(self, user_id: str, thread_id: str) -> dict[str, str]:
        """Return what a person thinks of the items of a thread: `positive` or `negative`, by item."""
        with self._database.reading() as connection:
            number = _number(connection, user_id, thread_id)
            rows = connection.execute(
                select(chat_feedback.c.item_id, chat_feedback.c.kind).where(chat_feedback.c.thread == number)
            )
            return {row.item_id: row.kind for row in rows}

    # ---- attachments ------------------------------------------------------------------------------

    def attachment(self, user_id: str, attachment_id: str) -> str | None:
        """Return an attachment; None where the user has none of that id."""
        with self._database.reading() as connection:
            return connection.execute(
                select(chat_attachments.c.data).where(_of_user(chat_attachments, user_id, attachment_id))
            ).scalar()

    def save_attachment(self, user_id: str, attachment_id: str, thread_id: str, document: str) -> None:
        """Write an attachment, whether it is there already or not."""
        with self._database.writing() as connection:
            values = {"thread_id": thread_id, "data": clean(document)}
            changed = connection.execute(
                update(chat_attachments)
                .where(_of_user(chat_attachments, user_id, attachment_id))
                .values(**values)
            )
            if not changed.rowcount:
                connection.execute(
                    insert(chat_attachments).values(
                        user_id=user_id, id=attachment_id, created_at=time.time(), **values
                    )
                )

    def delete_attachment(self, user_id: str, attachment_id: str) -> None:
        """Delete an attachment, if it is there."""
        with self._database.writing() as connection:
            connection.execute(
                delete(chat_attachments).where(_of_user(chat_attachments, user_id, attachment_id))
            )

    def stale_attachments(self, before: float) -> list[tuple[str, str]]:
        """Delete attachments made before a time that no message has; returns their users and ids."""
        with self._database.writing() as connection:
            loose = and_(chat_attachments.c.thread_id == "", chat_attachments.c.created_at < before)
            rows = connection.execute(select(chat_attachments.c.user_id, chat_attachments.c.id).where(loose))
            found = [(row.user_id, row.id) for row in rows]
            connection.execute(delete(chat_attachments).where(loose))
            return found


def _of_user(table: Table, user_id: str, name: str) -> Any:
    return and_(table.c.user_id == user_id, table.c.id == name)


def _of_thread(number: int, item_id: str) -> Any:
    return and_(chat_items.c.thread == number, chat_items.c.id == item_id)


def _number(connection: Connection, user_id: str, thread_id: str) -> int | None:
    return connection.execute(
        select(chat_threads.c.number).where(_of_user(chat_threads, user_id, thread_id))
    ).scalar()


def _touch(connection: Connection, number: int) -> None:
    connection.execute(
        update(chat_threads).where(chat_threads.c.number == number).values(updated_at=time.time())
    )


def _page(
    connection: Connection, table: Table, mine: Any, after: str | None, limit: int, order: Order
) -> Documents | None:
    # By time, and among those of one moment by the order in which they were written.
    time_, number = table.c.created_at, table.c.number
    rows = select(table.c.id, table.c.data).where(mine)
    if after is not None:
        at = connection.execute(select(time_, number).where(mine, table.c.id == after)).first()
        if at is None:
            return None
        if order == "desc":
            rows = rows.where(or_(time_ < at[0], and_(time_ == at[0], number < at[1])))
        else:
            rows = rows.where(or_(time_ > at[0], and_(time_ == at[0], number > at[1])))
    direction = (time_.desc(), number.desc()) if order == "desc" else (time_, number)
    limit = max(1, min(limit, MAX_PAGE))
    found = connection.execute(rows.order_by(*direction).limit(limit + 1)).all()
    kept = found[:limit]
    return Documents([row.data for row in kept], kept[-1].id if len(found) > limit else None)
