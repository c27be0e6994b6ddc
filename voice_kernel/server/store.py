"""ChatKit's store on our database: its items as JSON documents of `voice_kernel.store.chats`.

Knows ChatKit's types, and not what is said in a thread. Everything is asked of the database on one thread
of its own, in the order in which it was asked for; names of arguments are ChatKit's, which gives them by
keyword.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from voice_kernel.store.chats import Chats

Answer = TypeVar("Answer")

PREFIXES: dict[StoreItemType, str] = {
    "thread": "thr",
    "message": "msg",
    "tool_call": "tc",
    "workflow": "wf",
    "task": "tsk",
    "attachment": "atc",
    "sdk_hidden_context": "shcx",
}

_item: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
_attachment: TypeAdapter[Attachment] = TypeAdapter(Attachment)


@dataclass
class Caller:
    """Who asks."""

    user_id: str
    """Whose threads these are."""
    session_id: str = ""
    """Whose kernel does it."""
    base_url: str = ""
    """The server's address as the caller sees it, without a slash at the end."""


class ChatStore(Store[Caller]):
    """Threads, items and attachments of all users.

    Args:
        url: SQLAlchemy URL; empty for the usual file in the folder.
        folder: voice_kernel's data folder.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self.on_deleted: Callable[[str, list[str], Caller], Awaitable[None]] | None = None
        """Told of a thread that was deleted, and which attachments it had."""
        self._chats: Chats | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice-kernel-chats")

    async def close(self) -> None:
        """Finish what was asked for, and close the database."""
        await self._ask(lambda chats: chats.close())
        self._thread.shutdown(wait=False)

    async def _ask(self, question: Callable[[Chats], Answer]) -> Answer:
        """Ask the database, seen through even when whoever asked has gone."""
        asked = asyncio.get_running_loop().run_in_executor(self._thread, partial(self._answer, question))
        return await asyncio.shield(asked)

    def _answer(self, question: Callable[[Chats], Answer]) -> Answer:
        if self._chats is None:
            from voice_kernel.store.chats import Chats

            self._chats = Chats(self._url, self._folder)
        return question(self._chats)

    # ---- names ------------------------------------------------------------------------------------

    def generate_thread_id(self, context: Caller) -> str:
        """Return a new name for a thread, which nobody can guess."""
        return new_name("thread")

    def generate_item_id(self, item_type: StoreItemType, thread: ThreadMetadata, context: Caller) -> str:
        """Return a new name for an item."""
        return new_name(item_type)

    # ---- threads ----------------------------------------------------------------------------------

    async def load_thread(self, thread_id: str, context: Caller) -> ThreadMetadata:
        """Return a thread without its items.

        Raises:
            NotFoundError: the caller has no such thread.
        """
        document = await self._ask(lambda chats: chats.thread(context.user_id, thread_id))
        return ThreadMetadata.model_validate_json(_found(document, "Thread", thread_id))

    async def save_thread(self, thread: ThreadMetadata, context: Caller) -> None:
        """Write a thread, whether it is there already or not."""
        # A thread with its items is a thread as well; those are kept one by one.
        document = thread.model_dump_json(exclude={"items"})
        made_at = _moment(thread.created_at)
        await self._ask(lambda chats: chats.save_thread(context.user_id, thread.id, made_at, document))

    async def delete_thread(self, thread_id: str, context: Caller) -> None:
        """Delete a thread with all it has.

        Raises:
            NotFoundError: the caller has no such thread.
        """
        attached = _found(
            await self._ask(lambda chats: chats.delete_thread(context.user_id, thread_id)),
            "Thread",
            thread_id,
        )
        if self.on_deleted is not None:
            await self.on_deleted(thread_id, attached, context)

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Caller
    ) -> Page[ThreadMetadata]:
        """Return a page of the caller's threads, by the time they were made.

        Raises:
            NotFoundError: `after` is none of them.
        """
        page = _found(
            await self._ask(
                lambda chats: chats.threads(context.user_id, after=after, limit=limit, order=_order(order))
            ),
            "Thread",
            after or "",
        )
        threads = [ThreadMetadata.model_validate_json(document) for document in page.documents]
        return Page(data=threads, has_more=page.after is not None, after=page.after)

    # ---- items ------------------------------------------------------------------------------------

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Caller
    ) -> Page[ThreadItem]:
        """Return a page of a thread's items, by the time they were made.

        A thread that the caller does not have is an empty one.

        Raises:
            NotFoundError: `after` is none of its items.
        """
        page = await self._ask(
            lambda chats: chats.items(
                context.user_id, thread_id, after=after, limit=limit, order=_order(order)
            )
        )
        if page is None and after is None:
            return Page()
        page = _found(page, "Item", after or "")
        items = [_item.validate_json(document) for document in page.documents]
        return Page(data=items, has_more=page.after is not None, after=page.after)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Caller) -> None:
        """Write a new item; one that is there already stays as it is.

        Raises:
            NotFoundError: the caller has no such thread.
        """
        await self._write(thread_id, item, context, replace=False)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Caller) -> None:
        """Write an item, whether it is there already or not; it keeps its place.

        Raises:
            NotFoundError: the caller has no such thread.
        """
        await self._write(thread_id, item, context, replace=True)

    async def _write(self, thread_id: str, item: ThreadItem, context: Caller, *, replace: bool) -> None:
        document, made_at = item.model_dump_json(by_alias=True), _moment(item.created_at)
        written = await self._ask(
            lambda chats: chats.save_item(
                context.user_id, thread_id, item.id, made_at, document, replace=replace
            )
        )
        _found(written or None, "Thread", thread_id)

    async def load_item(self, thread_id: str, item_id: str, context: Caller) -> ThreadItem:
        """Return an item.

        Raises:
            NotFoundError: it is not there.
        """
        document = await self._ask(lambda chats: chats.item(context.user_id, thread_id, item_id))
        return _item.validate_json(_found(document, "Item", item_id))

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Caller) -> None:
        """Delete an item, if it is there."""
        await self._ask(lambda chats: chats.delete_item(context.user_id, thread_id, item_id))

    async def save_feedback(self, thread_id: str, item_ids: list[str], kind: str, context: Caller) -> None:
        """Keep what the caller thinks of items.

        Raises:
            NotFoundError: the caller has no such thread.
        """
        kept = await self._ask(lambda chats: chats.save_feedback(context.user_id, thread_id, item_ids, kind))
        _found(kept or None, "Thread", thread_id)

    async def feedback(self, thread_id: str, context: Caller) -> dict[str, str]:
        """Return what the caller thinks of the items of a thread, by item."""
        return await self._ask(lambda chats: chats.feedback(context.user_id, thread_id))

    # ---- attachments ------------------------------------------------------------------------------

    async def save_attachment(self, attachment: Attachment, context: Caller) -> None:
        """Write what is known of a file, whether it is there already or not."""
        document, thread_id = attachment.model_dump_json(), attachment.thread_id or ""
        await self._ask(
            lambda chats: chats.save_attachment(context.user_id, attachment.id, thread_id, document)
        )

    async def load_attachment(self, attachment_id: str, context: Caller) -> Attachment:
        """Return what is known of a file.

        Raises:
            NotFoundError: the caller has no such file.
        """
        document = await self._ask(lambda chats: chats.attachment(context.user_id, attachment_id))
        return _attachment.validate_json(_found(document, "Attachment", attachment_id))

    async def delete_attachment(self, attachment_id: str, context: Caller) -> None:
        """Forget a file, if it is there."""
        await self._ask(lambda chats: chats.delete_attachment(context.user_id, attachment_id))

    async def prune(self, days: int, loose_before: float) -> list[tuple[str, str]]:
        """Delete what is old.

        Args:
            days: threads that nobody has written to for so long go; 0 keeps them.
            loose_before: attachments made before this time that no message has go.

        Returns:
            Users and ids of attachments whose files can go.
        """
        if days:
            await self._ask(lambda chats: chats.prune(days))
        return await self._ask(lambda chats: chats.stale_attachments(loose_before))


def new_name(kind: StoreItemType) -> str:
    """Return a new name, which nobody can guess."""
    # ChatKit's own names have 32 bits: too few for all the items of a hub.
    return f"{PREFIXES[kind]}_{uuid.uuid4().hex[:20]}"


def _order(order: str) -> Literal["asc", "desc"]:
    return cast(Any, order) if order in ("asc", "desc") else "desc"


def _moment(moment: datetime) -> float:
    # ChatKit's times are naive: taken as UTC they sort as they were written, also when clocks change.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _found(answer: Answer | None, kind: str, name: str) -> Answer:
    if answer is None:
        raise NotFoundError(f"{kind} {name} not found")
    return answer
