"""The history as a command line uses it: read, searched and pruned, with no session of its own.

Synchronous; for the loop thread there is `Store`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from voice_kernel.messages import PastTask, TaskState, Thread
from voice_kernel.store.kept import Conversation, Event, PastSession, Pruned, Statistics


class History:
    """A database of past tasks; empty where there is none yet, and then none is made.

    Args:
        url: SQLAlchemy URL; empty for `history.db` in the folder.
        folder: voice_kernel's data folder.
        logs: the folder of the task logs; `logs` in the folder by default.

    Raises:
        HistoryError: it cannot be read: damaged, of a newer version, or out of reach.
    """

    def __init__(self, url: str, folder: Path, *, logs: Path | None = None) -> None:
        self._url = url
        self._folder = folder

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(
        self,
        query: str = "",
        *,
        states: Sequence[TaskState] = (),
        areas: Sequence[str] = (),
        workspace: str | None = None,
        session_id: str = "",
        thread_id: str = "",
        since: float | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> tuple[list[PastTask], bool]:
        """Search: tasks without their outputs, newest first, and whether there are more."""
        return [], False

    def past(self, past_id: int) -> PastTask | None:
        """Return a task by its number in the history, with its outputs."""
        return None

    def tasks(self, *, session_id: str = "", thread_id: str = "") -> list[PastTask]:
        """Return all tasks of a session or conversation with their outputs, oldest first."""
        return []

    def threads(
        self, query: str = "", *, workspace: str | None = None, before: float | None = None, limit: int = 50
    ) -> tuple[list[Thread], bool]:
        """Return conversations, those used last first, and whether there are more."""
        return [], False

    def conversation(self, *, thread_id: str = "", session_id: str = "") -> Conversation | None:
        """Return all of a conversation, or all that was said and done in a session (under its last one)."""
        return None

    def sessions(self, limit: int = 50) -> list[PastSession]:
        """Return sessions, the newest first."""
        return []

    def events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[Event]:
        """Return events of a session above a number, in order."""
        return []

    def statistics(self) -> Statistics:
        """Return how much there is."""
        return Statistics()

    def prune(self, *, days: int = 0, tasks: int = 0, dry_run: bool = False) -> Pruned:
        """Remove what is older than `days` or above the newest `tasks`, with its logs; 0 is no limit."""
        return Pruned()

    def close(self) -> None:
        """Close the database."""
