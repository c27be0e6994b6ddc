"""The history of one session, as the session uses it: nothing here blocks the loop.

Everything belongs to the loop thread; the work is done on other threads. A store that cannot be written
is no error: the session goes on, and `on_keeping` says what is not being kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from voice_kernel.errors import HistoryError, NotInHistory
from voice_kernel.language import _
from voice_kernel.messages import Keeping, PastTask, Thread, ToSurface
from voice_kernel.store.faults import Fault, Patience
from voice_kernel.store.journal import Journal
from voice_kernel.store.kept import Conversation, Event, Left, Said, Wanted
from voice_kernel.store.numbering import Numbering
from voice_kernel.store.owner import Owner
from voice_kernel.store.writer import Writer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from voice_kernel.store.database import Database
    from voice_kernel.store.ledger import SessionLedger

log = logging.getLogger(__name__)

FLUSH_LIMIT_S = 1.0
"""How long a question waits for what was published before it to be written."""

CLAIM_LIMIT_S = 2.0
"""How long a yes waits until it is on disk."""

Answer = TypeVar("Answer")
Told = tuple[Thread, list[Said], list[PastTask], tuple[int, int]]


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
        patience: how long to wait for what.

    Attributes:
        session_id: what the history names this session by.
        keeping: what is being kept now.
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
        patience: Patience | None = None,
    ) -> None:
        self.session_id = token_hex(8)
        self._url = url
        self._folder = folder.absolute()
        self._logs = logs or self._folder / "logs"
        self._workspace = workspace
        self._kernel = kernel
        self._secrets = tuple(secrets)
        self._on_keeping = on_keeping
        self._max_tasks = max_tasks
        self._days = days
        self._patience = patience or Patience()
        self._started_at = time.time()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner: Owner | None = None
        self._database: Database | None = None
        self._numbering = Numbering(self.session_id)
        thread = self._fresh()
        self.keeping = Keeping(thread=thread)
        self._writer = Writer(self._connect, on_fault=self._fault_changed, patience=self._patience)
        self._journal = Journal(thread, self._writer, self._numbering, on_title=self._title_changed)

    def publish(self, message: ToSurface) -> None:
        """Keep what a message tells, if it is worth keeping. Never blocks, never raises."""
        try:
            self._journal.publish(message)
        except Exception as error:  # noqa: BLE001  no task may fail because it could not be taken down
            log.error("a message could not be taken down: %s", type(error).__name__)

    def keep(self, approval_id: int, going_on: dict[str, Any]) -> None:
        """Keep, with an approval that is about to be published, what is needed to go on from its answer.

        Args:
            approval_id: the approval's number.
            going_on: as JSON has it; where `then` are the calls that come after it.
        """
        self._journal.keep(approval_id, going_on)

    async def claim(self, approval_id: int) -> bool:
        """Take down, before anything is done, that an approval was approved.

        Returns:
            False if another session, which took this one for dead, asks for it by now. True too when the
            database cannot be used now: a person's yes must not wait for it.
        """
        try:
            taken = await _within(
                CLAIM_LIMIT_S, self._writer.submit(lambda ledger: ledger.claim(approval_id))
            )
        except HistoryError:
            return True
        return taken is not False

    async def take_left(self, thread_id: str) -> list[Left]:
        """Take over the approvals that sessions which have ended left open in a conversation, oldest first.

        Each is handed out once, however many sessions ask. Those older than a day are closed instead.

        Raises:
            HistoryError: there is no database to write now.
        """
        return await self._written(lambda ledger: ledger.take_left(thread_id))

    async def open(self, *, resume: bool) -> Conversation | None:
        """Connect, mend what dead sessions left behind, and begin this session.

        Args:
            resume: whether to go on with the workspace's last conversation, if no living session has it.

        Returns:
            The conversation to go on with; None to begin a new one. Always None when something was
            published before, and when the database cannot be used now (`on_keeping` says so).
        """
        self._loop = asyncio.get_running_loop()
        self._writer.start()

        def begin(ledger: SessionLedger) -> Told | None:
            thread_id = ledger.resume() if resume and not self._journal.began else ""
            if not thread_id:
                return None
            with ledger.database.reading() as connection:
                return self._told(connection, thread_id)

        try:
            told = await self._written(begin)
        except HistoryError:
            return None  # `on_keeping` has said it
        if told is None:
            return None
        if self._journal.began:
            # Something was done while we looked: it belongs to the conversation that was open then.
            self._claim(self._journal.thread.id)
            return None
        self._enter(told[0])
        return self._numbering.conversation(*told)

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
        from voice_kernel.store.records import find_threads

        workspace = None if everywhere else self._workspace
        return await self._read(find_threads, query, workspace=workspace, before=before, limit=limit)

    async def new_thread(self) -> Thread:
        """Begin a new conversation; it is written when something is said in it."""
        thread = self._enter(self._fresh())
        self._claim(thread.id)
        return thread

    async def open_thread(self, thread_id: str) -> Conversation:
        """Go on with a conversation.

        Raises:
            NotInHistory: there is none with that id.
            HistoryError: there is no database to read now.
        """
        told = await self._read(self._told, thread_id)
        if told is None:
            if thread_id != self._journal.thread.id:
                raise NotInHistory(_("There is no such conversation."))
            return Conversation(self._journal.thread)
        self._enter(told[0])
        self._claim(thread_id)
        return self._numbering.conversation(*told)

    async def rename_thread(self, thread_id: str, title: str) -> Thread:
        """Give a conversation a title. Raises like `open_thread`."""
        thread = self._journal.thread
        if thread_id != thread.id:
            thread = thread.model_copy(update={"id": thread_id})
        renamed = await self._written(lambda ledger: ledger.rename(thread, title))
        if thread_id == self._journal.thread.id:
            self._journal.retitle(renamed.title)
            self._title_changed()
        return renamed

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation with its tasks and their logs; the open one is followed by a new one.

        Raises like `open_thread`.
        """
        is_open = thread_id == self._journal.thread.id
        if self._writer.fault is not None:
            raise self._writer.fault
        # First: what is told while it is being deleted must not bring it back.
        logs = self._journal.drop_thread(thread_id)
        try:
            await self._written(lambda ledger: ledger.delete(thread_id, logs))
        except HistoryError as error:
            if not (is_open and isinstance(error, NotInHistory)):
                self._journal.keep_thread(thread_id)
                raise
        if is_open:
            await self.new_thread()

    async def find(
        self, query: str = "", *, everywhere: bool = True, **which: Unpack[Wanted]
    ) -> tuple[list[PastTask], bool]:
        """Search the history: tasks without their outputs, newest first, and whether there are more.

        Args:
            query: words that utterance, title, summary or problem must all hold, as prefixes.
            everywhere: those of all workspaces.
            which: the tasks among which to search.

        Raises:
            HistoryError: there is no database to read now.
        """
        from voice_kernel.store.records import find_tasks

        workspace = None if everywhere else self._workspace
        return await self._read(find_tasks, query, workspace=workspace, **which)

    async def past(self, past_id: int) -> PastTask | None:
        """Return a task by its number in the history, with its outputs. Raises like `find`."""
        from voice_kernel.store.records import past

        return await self._read(past, past_id)

    async def past_of(self, task_id: int) -> PastTask | None:
        """Return a task by the number it has in this session, own or taken over. Raises like `find`."""
        from voice_kernel.store.records import past_of

        return await self._read(past_of, *self._numbering.origin(task_id))

    async def tasks(self, *, session_id: str = "", thread_id: str = "") -> list[PastTask]:
        """Return all tasks of a session or conversation with their outputs, oldest first.

        Raises like `find`.
        """
        from voice_kernel.store.records import past_tasks

        everything = {"limit": 100_000, "heavy_chars": 64 * 1024**2}
        return await self._read(past_tasks, session_id=session_id, thread_id=thread_id, **everything)

    async def events(self, session_id: str = "", *, after: int = 0, limit: int = 1_000) -> list[Event]:
        """Return events of a session (this one by default) above a number, in order. Raises like `find`."""
        from voice_kernel.store.records import past_events

        return await self._read(past_events, session_id or self.session_id, after=after, limit=limit)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until all that was published is in the database; False if it is not in time."""
        written = self._writer.flush()
        return await _within(timeout_s, written) or False

    async def close(self) -> None:
        """Write what is left, let open tasks be interrupted, end the session. Takes 3 s at most."""
        self._journal.interrupt()
        wait = self._writer.stop()
        try:
            await asyncio.to_thread(wait)
        except RuntimeError:  # the interpreter is ending, and starts no more threads: nobody is kept waiting
            wait()
        if self._owner is not None:
            self._owner.release()

    # ---- the writer's thread -----------------------------------------------------------------------

    def _connect(self, doubts: int) -> SessionLedger:
        # Here SQLAlchemy is imported (0.2 s): not by the loop, and not before anything is kept.
        from voice_kernel.store.database import Database, Place, open_or_replace
        from voice_kernel.store.ledger import SessionCard, SessionLedger
        from voice_kernel.store.redaction import Redaction
        from voice_kernel.store.retention import Limits

        place = Place.of(self._url, self._folder)
        locks = self._folder / "sessions"
        if self._owner is None or not self._owner.held:
            self._owner = Owner(locks, self.session_id)
        suspect = self._database.inode if doubts and self._database is not None else None
        try:
            database = open_or_replace(
                place, self._patience, suspect=suspect, sure=doubts > 1, on_replaced=self._replaced
            )
        except Fault as fault:
            if fault.kind == "unwritable" and self._database is None:
                # What was written before can be read all the same.
                with contextlib.suppress(Fault):
                    self._use(Database(place, self._patience, read_only=True))
            raise
        card = SessionCard(
            id=self.session_id,
            workspace=self._workspace,
            kernel=self._kernel,
            host=socket.gethostname(),
            # Who opens the same file elsewhere, or another host on a server, does not see the lock.
            beats=not (self._owner.held and place.file is not None and place.file.parent == self._folder),
            started_at=self._started_at,
        )
        try:
            ledger = SessionLedger(
                database,
                card,
                thread_id=self._journal.thread.id,
                redaction=Redaction([*self._secrets, *place.secrets]),
                locks=locks,
                limits=Limits(days=self._days, tasks=self._max_tasks, logs=self._logs),
                on_revived=lambda: self._soon(self._journal.tell_again),
            )
        except BaseException:
            # It cannot be written, but what was written before can be read.
            self._use(database)
            raise
        self._use(database)
        return ledger

    def _use(self, database: Database) -> None:
        before, self._database = self._database, database
        if before is not None:
            before.close()

    def _replaced(self, where: Path) -> None:
        fault = Fault(
            "corrupt",
            _("The history file is damaged."),
            hint=_("It was moved to {where}; a new one has been begun.").format(where=where),
        )
        self._fault_changed(fault)
        self._fault_changed(None)  # the new one is being written, or the journal says why not

    def _fault_changed(self, fault: Fault | None) -> None:
        if fault is None:
            self._soon(self._keep, Keeping(state="kept"))
        else:
            self._soon(self._keep, Keeping(state="memory", message=fault.message, hint=fault.hint))

    # ---- inside ------------------------------------------------------------------------------------

    def _soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            pass  # the loop is closed: nobody is there to be told

    def _keep(self, keeping: Keeping) -> None:
        keeping = keeping.model_copy(update={"thread": self._journal.thread})
        if keeping != self.keeping:
            self.keeping = keeping
            self._on_keeping(keeping)

    def _title_changed(self) -> None:
        self._keep(self.keeping)

    def _fresh(self) -> Thread:
        now = time.time()
        return Thread(id=token_hex(8), workspace=self._workspace, created_at=now, updated_at=now)

    def _enter(self, thread: Thread) -> Thread:
        self._journal.enter(thread)
        self._keep(self.keeping)
        return thread

    def _claim(self, thread_id: str) -> None:
        # Nobody waits for it: it matters to the next session. Should it fail, the next batch says it too.
        self._writer.submit(lambda ledger: ledger.enter(thread_id))

    def _told(self, connection: Connection, thread_id: str) -> Told | None:
        from voice_kernel.store import records

        thread = records.thread(connection, thread_id)
        if thread is None:
            return None
        said = records.turns(connection, thread_id=thread_id)
        past = records.past_tasks(connection, thread_id=thread_id)
        return thread, said, past, records.last_numbers(connection, self._workspace)

    async def _written(self, work: Callable[[SessionLedger], Answer]) -> Answer:
        return await asyncio.wrap_future(self._writer.submit(work))

    async def _read(self, question: Callable[..., Answer], *arguments: Any, **keywords: Any) -> Answer:
        """Ask the database something on another thread, after what was published before."""
        await self.flush(FLUSH_LIMIT_S)
        database = self._database
        if database is None:
            message = self.keeping.message or _("The history is not open.")
            raise HistoryError(message, hint=self.keeping.hint, retryable=True)

        try:
            return await asyncio.to_thread(database.ask, question, *arguments, **keywords)
        except Fault as fault:
            if fault.kind == "corrupt":
                self._writer.doubt()
            raise


async def _within(timeout_s: float, future: Future[Answer]) -> Answer | None:
    waiting = asyncio.ensure_future(asyncio.wrap_future(future))
    await asyncio.wait({waiting}, timeout=timeout_s)
    return waiting.result() if waiting.done() else None
