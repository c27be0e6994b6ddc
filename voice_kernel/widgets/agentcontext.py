"""ChatKit's `AgentContext` for a function that was written for it, where a task of ours runs the function.

What it streams becomes what a task has: widgets, progress, lines of output. The thread and the store around
it are those of this one call, in memory: ours keeps turns and tasks by itself.

The one module here that imports `chatkit`; it is imported only for such a function.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import uuid4

from chatkit.agents import AgentContext
from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata, ThreadStreamEvent
from pydantic import PrivateAttr

MAX_ITEMS = 1_000
"""Items that one call may keep in its thread."""

Context = dict[str, Any]


class Shower(Protocol):
    """What the task takes: `voice_kernel.ToolContext`."""

    def stream_widget(self, widget: Any, copy_text: str = "") -> Awaitable[Any]:
        """Show a widget with the task."""
        ...

    def progress(self, fraction: float | None = None, label: str = "") -> None:
        """Say how far the work is."""
        ...

    def output(self, text: str) -> None:
        """Add a line of output."""
        ...


def agent_context(shower: Shower) -> TaskContext:
    """Return the context of one call.

    Args:
        shower: the task.
    """
    # ChatKit's times are naive, and in UTC.
    thread = ThreadMetadata(id=f"thr_{uuid4().hex[:8]}", created_at=datetime.now(UTC).replace(tzinfo=None))
    made = TaskContext(thread=thread, store=CallStore(thread), request_context={})
    made._shower = shower
    return made


class TaskContext(AgentContext[Context]):
    """Streams into a task."""

    _shower: Any = PrivateAttr(default=None)

    async def stream_widget(self, widget: Any, copy_text: str | None = None) -> None:
        """Show a widget with the task; an async generator gives its states."""
        await self._shower.stream_widget(widget, copy_text or "")

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Tell the task what an event says; what has no place in a task is left out."""
        told: Any = event
        kind = told.type
        if kind == "progress_update":
            self._shower.progress(None, told.text)
        elif kind == "thread.item.added":
            self._tell_workflow(told.item)
        elif kind == "thread.item.updated":
            self._tell_task(getattr(told.update, "task", None))
        elif kind == "thread.item.done":
            await self._tell_item(told.item)
        elif kind in ("notice", "error") and told.message:
            self._shower.output(told.message)

    async def _tell_item(self, item: Any) -> None:
        if item.type == "widget":
            await self._shower.stream_widget(item.widget, item.copy_text or "")
        elif item.type == "assistant_message":
            for content in item.content:
                self._shower.output(content.text)

    def _tell_workflow(self, item: Any) -> None:
        if item.type == "workflow":
            for task in item.workflow.tasks[-1:]:
                self._tell_task(task)

    def _tell_task(self, task: Any) -> None:
        title = getattr(task, "title", None) or getattr(task, "content", None)
        if title:
            self._shower.progress(None, str(title))


class CallStore(Store[Context]):
    """The thread of one call, for what reads or writes it; gone with the call."""

    def __init__(self, thread: ThreadMetadata) -> None:
        self._thread = thread
        self._items: OrderedDict[str, ThreadItem] = OrderedDict()

    async def load_thread(self, thread_id: str, context: Context) -> ThreadMetadata:
        """Return the call's thread."""
        if thread_id != self._thread.id:
            raise NotFoundError(f"There is no thread {thread_id}")
        return self._thread

    async def save_thread(self, thread: ThreadMetadata, context: Context) -> None:
        """Keep the thread until the call ends."""
        self._thread = thread

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Context
    ) -> Page[ThreadMetadata]:
        """Return the one thread there is."""
        return Page(data=[self._thread], has_more=False)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Context
    ) -> Page[ThreadItem]:
        """Return the items that the call has kept."""
        items = list(self._items.values())
        if order == "desc":
            items.reverse()
        if after is not None:
            places = [place for place, item in enumerate(items) if item.id == after]
            items = items[places[0] + 1 :] if places else []
        shown = items[:limit]
        return Page(data=shown, has_more=len(items) > limit, after=shown[-1].id if shown else None)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        """Keep an item."""
        self._items[item.id] = item
        while len(self._items) > MAX_ITEMS:
            self._items.popitem(last=False)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        """Keep an item in the place of its earlier version."""
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: Context) -> ThreadItem:
        """Return an item."""
        if item_id not in self._items:
            raise NotFoundError(f"There is no item {item_id}")
        return self._items[item_id]

    async def delete_thread(self, thread_id: str, context: Context) -> None:
        """Forget the items."""
        self._items.clear()

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Context) -> None:
        """Forget an item."""
        self._items.pop(item_id, None)

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        """Keep nothing: a task has no attachments."""

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        """Find nothing."""
        raise NotFoundError(f"There is no attachment {attachment_id}")

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        """Forget nothing."""
