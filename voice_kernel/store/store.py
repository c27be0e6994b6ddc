"""The history of one session, as the session uses it: nothing here blocks the loop.

Everything belongs to the loop thread; the work is done on other threads. A store that cannot be written
is no error: the session goes on, and `on_keeping` says what is not being kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

from voice_kernel.errors import HistoryError, NotInHistory
from voice_kernel.messages import Keeping, PastTask, TaskState, Thread, ToSurface
from voice_kernel.store.kept import Conversation, Event


class Store:
    """Keeps what one session does.

    Args:
        url: SQLAlchemy URL of the database; empty for `history.db` in the folder.
        folder: voice_kernel's data folder: the database, `sessions/` (locks) and `logs/`.
        workspace: the notebook or folder this session works for.
        kernel: what the kernel calls itself.
        secrets: values that are never written.
        on_keeping: told, on the loop thread, whenever `keeping` changes.
        max_tasks: most tasks kept; 0 keeps all.
        days: conversations not used for so long are removed; 0 keeps them.
        logs: the folder of the task logs; `logs` in the folder by default.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        workspace: str,
        kernel: str = "",
        secrets: Sequence[str] = (),
        on_keeping: Callable[[Keeping], None],
        max_tasks: int = 100_000,
        days: int = 365,
        logs: Path | None = None,
    ) -> None:
        self._workspace = workspace
        self._on_keeping = on_keeping
        self.session_id = token_hex(8)
        self.keeping = Keeping(thread=self._fresh())

    def publish(self, message: ToSurface) -> None:
        """Keep what a message tells, if it is worth keeping. Never blocks, never raises."""

    async def open(self, *, resume: bool) -> Conversation | None:
        """Connect, mend what dead sessions left behind, and begin this session.

        Args:
            resume: whether to go on with the workspace's last conversation, if no living session has it.

        Returns:
            The conversation to go on with; None to begin a new one. Always None when something was
            published before, and when the database cannot be used now (`on_keeping` says so).
        """
        return None

    async def threads(
        self, query: str = "", *, everywhere: bool = False, before: float | None = None, limit: int = 50
    ) -> tuple[list[Thread], bool]:
        """Return conversations, those used last first, and whether there are more.

        Args:
            query: words that the title or something said must hold, as prefixes.
            everywhere: those of all workspaces.
            before: only those last used before this time.
            limit: most to return.

        Raises:
            HistoryError: there is no database to read now.
        """
        raise self._unavailable()

    async def new_thread(self) -> Thread:
        """Begin a new conversation; it is written when something is said in it."""
        return self._enter(self._fresh())

    async def open_thread(self, thread_id: str) -> Conversation:
        """Go on with a conversation.

        Raises:
            NotInHistory: there is none with that id.
            HistoryError: there is no database to read now.
        """
        raise NotInHistory("There is no such conversation.")

    async def rename_thread(self, thread_id: str, title: str) -> Thread:
        """Give a conversation a title. Raises like `open_thread`."""
        raise NotInHistory("There is no such conversation.")

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation with its tasks and their logs; the open one is followed by a new one.

        Raises like `open_thread`.
        """
        raise NotInHistory("There is no such conversation.")

    async def find(
        self,
        query: str = "",
        *,
        states: Sequence[TaskState] = (),
        areas: Sequence[str] = (),
        everywhere: bool = True,
        since: float | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> tuple[list[PastTask], bool]:
        """Search the history: tasks without their outputs, newest first, and whether there are more.

        Args:
            query: words that utterance, title, summary or problem must all hold, as prefixes.
            states: only tasks in one of these; any when empty.
            areas: only tools of these areas; any when empty.
            everywhere: those of all workspaces.
            since: only tasks made at this time or later.
            before: only tasks with a lower number in the history.
            limit: most to return.

        Raises:
            HistoryError: there is no database to read now.
        """
        raise self._unavailable()

    async def past(self, past_id: int) -> PastTask | None:
        """Return a task by its number in the history, with its outputs. Raises like `find`."""
        raise self._unavailable()

    async def past_of(self, task_id: int) -> PastTask | None:
        """Return a task of this session by its own number. Raises like `find`."""
        raise self._unavailable()

    async def tasks(self, *, session_id: str = "", thread_id: str = "") -> list[PastTask]:
        """Return all tasks of a session or conversation with their outputs, oldest first."""
        raise self._unavailable()

    async def events(self, session_id: str = "", *, after: int = 0, limit: int = 1_000) -> list[Event]:
        """Return events of a session (this one by default) above a number, in order."""
        raise self._unavailable()

    async def flush(self, timeout_s: float) -> bool:
        """Wait until all that was published is in the database; False if it is not in time."""
        return False

    async def close(self) -> None:
        """Write what is left, let open tasks be interrupted, end the session. Takes 3 s at most."""

    def _fresh(self) -> Thread:
        now = time.time()
        return Thread(id=token_hex(8), workspace=self._workspace, created_at=now, updated_at=now)

    def _enter(self, thread: Thread) -> Thread:
        self.keeping = self.keeping.model_copy(update={"thread": thread})
        self._on_keeping(self.keeping)
        return thread

    def _unavailable(self) -> HistoryError:
        message = self.keeping.message or "The history is not open."
        return HistoryError(message, hint=self.keeping.hint, retryable=True)
