"""The history as a command line uses it: read, searched and pruned, with no session of its own.

Synchronous; for the loop thread there is `Store`. It never makes a database; one of an older version is
brought up to date.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from voice_kernel.messages import PastTask, Thread
from voice_kernel.store.kept import Conversation, Event, PastSession, Pruned, Statistics, WantedOf
from voice_kernel.store.numbering import Numbering

if TYPE_CHECKING:
    from voice_kernel.store.database import Database

EVERYTHING = 1_000_000
MAX_HEAVY_CHARS = 256 * 1024**2

Answer = TypeVar("Answer")


class History:
    """A database of past tasks; empty where there is none yet, and then none is made.

    Args:
        url: SQLAlchemy URL; empty for `history.db` in the folder.
        folder: voice_kernel's data folder.
        logs: the folder of the task logs; `logs` in the folder by default.

    Raises:
        HistoryError: it cannot be read: damaged, of a newer version, or out of reach. So do all methods.
    """

    def __init__(self, url: str, folder: Path, *, logs: Path | None = None) -> None:
        from voice_kernel.store.database import Place, open_to_read

        self._logs = logs or folder / "logs"
        place = Place.of(url, folder)
        self._database: Database | None = None
        if place.file is None or place.file.exists():
            self._database = open_to_read(place)

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def find(self, query: str = "", **which: Unpack[WantedOf]) -> tuple[list[PastTask], bool]:
        """Search: tasks without their outputs, newest first, and whether there are more.

        Args:
            query: words that utterance, title, summary or problem must all hold, as prefixes.
            which: the tasks among which to search.
        """
        from voice_kernel.store.records import find_tasks

        nothing: tuple[list[PastTask], bool] = ([], False)
        return self._ask(nothing, find_tasks, query, **which)

    def past(self, past_id: int) -> PastTask | None:
        """Return a task by its number in the history, with its outputs."""
        from voice_kernel.store.records import past

        return self._ask(None, past, past_id)

    def tasks(self, *, session_id: str = "", thread_id: str = "") -> list[PastTask]:
        """Return all tasks of a session or conversation with their outputs, oldest first."""
        from voice_kernel.store.records import past_tasks

        return self._ask(
            [],
            past_tasks,
            session_id=session_id,
            thread_id=thread_id,
            limit=EVERYTHING,
            heavy_chars=MAX_HEAVY_CHARS,
        )

    def threads(
        self, query: str = "", *, workspace: str | None = None, before: float | None = None, limit: int = 50
    ) -> tuple[list[Thread], bool]:
        """Return conversations, those used last first, and whether there are more.

        Args:
            query: words that the title, or something said, must hold, as prefixes.
            workspace: only those of this notebook or folder; None for any.
            before: only those last used before this time, in seconds since the epoch: the next page.
            limit: most to return.
        """
        from voice_kernel.store.records import find_threads

        nothing: tuple[list[Thread], bool] = ([], False)
        return self._ask(nothing, find_threads, query, workspace=workspace, before=before, limit=limit)

    def conversation(self, *, thread_id: str = "", session_id: str = "") -> Conversation | None:
        """Return all of a conversation, or all that was said and done in a session; None if there is none.

        That of a session goes under the conversation it was in last.
        """
        from voice_kernel.store import records

        def whole(connection: Any) -> Conversation | None:
            said = records.turns(connection, thread_id=thread_id, session_id=session_id, limit=EVERYTHING)
            past = records.past_tasks(
                connection,
                thread_id=thread_id,
                session_id=session_id,
                limit=EVERYTHING,
                heavy_chars=MAX_HEAVY_CHARS,
            )
            thread = records.thread(connection, thread_id or records.last_thread(connection, session_id))
            if thread is None:
                return None
            return Numbering(session_id).conversation(thread, said, past, (0, 0))

        return self._ask(None, whole)

    def sessions(
        self, limit: int = 50, *, session_id: str = "", workspace: str | None = None
    ) -> list[PastSession]:
        """Return sessions, the newest first.

        Args:
            limit: most to return.
            session_id: only those whose id begins so.
            workspace: only those of this notebook or folder; None for any.
        """
        from voice_kernel.store.records import past_sessions

        return self._ask([], past_sessions, session_id=session_id, workspace=workspace, limit=limit)

    def events(self, session_id: str, *, after: int = 0, limit: int = 1_000) -> list[Event]:
        """Return events of a session above a number, in order."""
        from voice_kernel.store.records import past_events

        return self._ask([], past_events, session_id, after=after, limit=limit)

    def statistics(self) -> Statistics:
        """Return how much there is."""
        from voice_kernel.store.records import statistics

        found = self._ask(Statistics(), statistics)
        if self._database is not None:
            found = Statistics(**{**found.__dict__, "size_bytes": self._database.size_bytes()})
        return found

    def prune(self, *, days: int = 0, tasks: int = 0, dry_run: bool = False) -> Pruned:
        """Remove what goes over a limit, with its logs, and give the room back to the disk.

        Args:
            days: conversations not used for so long go; 0 keeps them.
            tasks: tasks above so many go, the oldest first; 0 keeps them.
            dry_run: only say what would go.
        """
        from voice_kernel.store.retention import Limits, outlook, prune_step

        if self._database is None:
            return Pruned()
        limits = Limits(days=days, tasks=tasks, logs=self._logs)
        if dry_run:
            return outlook(self._database, limits, now=time.time())
        total = Pruned()
        while any((step := prune_step(self._database, limits, now=time.time())).__dict__.values()):
            total = Pruned(**{name: getattr(total, name) + value for name, value in step.__dict__.items()})
        while self._database.give_back():
            pass
        return total

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()

    def _ask(
        self, nothing: Answer, question: Callable[..., Answer], *arguments: Any, **keywords: Any
    ) -> Answer:
        if self._database is None:
            return nothing
        return self._database.ask(question, *arguments, **keywords)
