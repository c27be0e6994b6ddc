"""Which conversation is open: goes on with the last one, begins, opens, renames and deletes them.

Keeps what is shown (hub), what can be said of it (session, runner) and what is written (store) in step.
Knows nothing of surfaces, nor how anything is written. Nothing here waits for the database but whoever
asks it something: until it is open, and where it cannot be used, the session works in memory. Everything
belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from voice_kernel.errors import HistoryError, Refused
from voice_kernel.events import Hub
from voice_kernel.language import N_, _
from voice_kernel.messages import (
    FindTasks,
    Keeping,
    KeepingChanged,
    ListThreads,
    Notice,
    PastTask,
    PastTasks,
    Task,
    Thread,
    Threads,
    Turn,
)
from voice_kernel.session import Session
from voice_kernel.task.runner import INTERRUPTED, Runner, in_words, problem_of
from voice_kernel.task.state import ENDED

if TYPE_CHECKING:
    from voice_kernel.store import Conversation, Left, Store, Wanted

log = logging.getLogger(__name__)

NOT_KEPT = Keeping(
    message=N_("Conversations and tasks are not kept: history is turned off."),
    hint=N_("Set VOICE_KERNEL_KEEP_HISTORY=true and restart the kernel to keep them."),
)
OPEN_LIMIT_S = 10.0
"""How long a person who asks for what is kept waits for it to be opened."""
CANCEL_LIMIT_S = 0.5
"""How long the work of tasks may take to stop when the session ends; their children are ended anyway."""


class Conversations:
    """The conversations of one session, of which one is open.

    Args:
        hub: what is shown.
        session: the turns.
        runner: the tasks.
        store: what is written; None keeps nothing.
        resume: whether to go on with the last conversation of the workspace.
        recalled: told the turns of the conversation that is open now, for the model's memory.
        somebody_listens: whether a person can see a card now.
    """

    def __init__(
        self,
        hub: Hub,
        session: Session,
        runner: Runner,
        store: Store | None,
        *,
        resume: bool,
        recalled: Callable[[Sequence[Turn]], None] = lambda turns: None,
        somebody_listens: Callable[[], bool] = lambda: False,
    ) -> None:
        self._hub = hub
        self._session = session
        self._runner = runner
        self._store = store
        self._resume = resume
        self._recalled = recalled
        self._somebody_listens = somebody_listens
        self._left_in = ""
        """The conversation in which cards of ended sessions may wait; empty when they have been asked for."""
        self._asking: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._elsewhere: dict[int, str] = {}
        """Turns that go on although another conversation is open: the id of theirs."""
        self._one_at_a_time = asyncio.Lock()
        self._warned = False
        hub.tell_also(store)
        hub.keeping = store.keeping if store is not None else _not_kept()

    # ---- the session's life -----------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to open what is kept, once; nobody has to wait for it."""
        if self._opening is None and self._store is not None:
            self._opening = asyncio.ensure_future(self._go_on(self._store))
            self._opening.add_done_callback(_look_at)

    def somebody_came(self) -> None:
        """Ask again what waited for a person when its kernel ended: now somebody can see it."""
        store = self._store
        if not (store is not None and self._left_in and self._somebody_listens()):
            return
        thread_id, self._left_in = self._left_in, ""
        asking = asyncio.ensure_future(self._ask_again(store, thread_id))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        asking.add_done_callback(_look_at)

    async def wait_open(self, limit_s: float) -> bool:
        """Wait until the conversation to go on with is there, at most `limit_s`; False when it is not."""
        self.begin()
        if self._opening is not None and not self._opening.done():
            await asyncio.wait({self._opening}, timeout=limit_s)
        return self._opening is None or self._opening.done()

    def keeping_changed(self, keeping: Keeping) -> None:
        """Tell everyone what is kept; when that ceases, or begins again, also with a notice."""
        self._hub.publish(KeepingChanged(keeping=keeping))
        if keeping.state == "memory" and keeping.message and not self._warned:
            self._warned = True
            self._hub.publish(Notice(level="warning", message=keeping.message, hint=keeping.hint))
        elif keeping.state == "kept" and self._warned:
            self._warned = False
            self._hub.publish(Notice(message=_("Conversations and tasks are being kept again.")))

    async def close(self, limit_s: float) -> None:
        """End the session within `limit_s`: what runs is interrupted, and what is known is written."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.wait({self._closing}, timeout=limit_s)

    # ---- what a person asks for -------------------------------------------------------------------

    async def threads(self, request: ListThreads) -> Threads:
        """Return conversations, those used last first."""
        try:
            threads, more = await (await self._opened()).threads(
                request.query, everywhere=request.everywhere, before=request.before, limit=request.limit
            )
        except HistoryError as error:
            return Threads(id=request.id, problem=problem_of(error))
        return Threads(id=request.id, threads=threads, more=more)

    async def find(self, request: FindTasks) -> PastTasks:
        """Search the history: tasks without their outputs, newest first."""
        try:
            tasks, more = await self.search(
                request.query,
                states=request.states,
                areas=request.areas,
                everywhere=request.everywhere,
                before=request.before,
                limit=request.limit,
            )
        except HistoryError as error:
            return PastTasks(id=request.id, problem=problem_of(error))
        return PastTasks(id=request.id, tasks=tasks, more=more)

    async def search(
        self, query: str = "", *, everywhere: bool = True, **which: Unpack[Wanted]
    ) -> tuple[list[PastTask], bool]:
        """Search the history, as `Store.find` does.

        Raises:
            HistoryError: there is no database to read now.
        """
        return await (await self._opened()).find(query, everywhere=everywhere, **which)

    async def past(self, past_id: int) -> PastTask | None:
        """Return a task by its number in the history, with its outputs.

        Raises:
            HistoryError: there is no database to read now.
        """
        return await (await self._opened()).past(past_id)

    async def new(self) -> None:
        """Begin a new conversation; what runs goes on."""
        async with self._one_at_a_time:
            self._resume = False  # should the last one only now be there
            before = self._hub.keeping.thread
            if self._store is not None:
                await self._store.new_thread()
            self._show([], [], before)

    async def open(self, thread_id: str) -> None:
        """Go on with a conversation; what runs goes on.

        Raises:
            NotInHistory: there is none with that id; so do those below.
            HistoryError: there is no database to use now; so do those below.
        """
        store = await self._opened()
        async with self._one_at_a_time:
            before = self._hub.keeping.thread
            if before is not None and before.id == thread_id:
                return
            self._show_kept(await store.open_thread(thread_id), before)

    async def rename(self, thread_id: str, title: str) -> None:
        """Give a conversation a title."""
        await (await self._opened()).rename_thread(thread_id, title)

    async def delete(self, thread_id: str) -> None:
        """Delete a conversation with its tasks and logs; the open one is followed by a new one.

        Raises:
            Refused: something of it still runs.
        """
        store = await self._opened()
        async with self._one_at_a_time:
            thread = self._hub.keeping.thread
            is_open = thread is not None and thread.id == thread_id
            if any(self._thread_of(turn_id) == thread_id for turn_id in self._session.open_turns):
                raise Refused(
                    _("Something still runs in this conversation."),
                    hint=_("Cancel it, or wait until it has ended."),
                )
            await store.delete_thread(thread_id)
            if is_open:
                self._show([], [], None)

    # ---- inside -----------------------------------------------------------------------------------

    async def _go_on(self, store: Store) -> None:
        conversation = await store.open(resume=self._resume)
        if conversation is None:
            return
        if self._resume:
            self._show_kept(conversation, None)
        else:
            await store.new_thread()

    async def _opened(self) -> Store:
        if self._store is None:
            raise HistoryError(_(NOT_KEPT.message), hint=_(NOT_KEPT.hint))
        await self.wait_open(OPEN_LIMIT_S)
        return self._store

    def _show_kept(self, conversation: Conversation, before: Thread | None) -> None:
        # What this session itself knows is newer than what is written, or the same.
        own = {task.id: task for task in self._runner.tasks() if not task.earlier}
        tasks = [task if task.earlier else own.get(task.id, task) for task in conversation.tasks]
        turns = [self._session.turn(turn.id) or turn for turn in conversation.turns]
        self._show(turns, tasks, before, conversation.last_turn_id, conversation.last_task_id)
        self._left_in = conversation.thread.id
        self.somebody_came()

    async def _ask_again(self, store: Store, thread_id: str) -> None:
        try:
            left = await store.take_left(thread_id)
        except HistoryError:
            return  # it is still there the next time
        by_turn: dict[tuple[str, int], list[Left]] = {}
        for one in left:
            by_turn.setdefault((one.session_id, one.turn_id), []).append(one)
        await asyncio.gather(*(self._session.ask_again(waited) for waited in by_turn.values()))

    def _show(
        self,
        turns: Sequence[Turn],
        tasks: Sequence[Task],
        before: Thread | None,
        last_turn_id: int = 0,
        last_task_id: int = 0,
    ) -> None:
        now = self._hub.keeping.thread
        going_on = self._session.open_turns
        if before is not None:
            self._elsewhere = {i: self._elsewhere.get(i, before.id) for i in going_on}
        if now is not None:
            self._elsewhere = {i: home for i, home in self._elsewhere.items() if home != now.id}
        self._session.recall(max([last_turn_id, *(turn.id for turn in turns)]))
        self._runner.recall([task for task in tasks if task.state in ENDED], last_task_id, going_on)
        self._hub.show(turns, tasks)
        self._recalled(turns)

    def _thread_of(self, turn_id: int) -> str:
        thread = self._hub.keeping.thread
        return self._elsewhere.get(turn_id, thread.id if thread is not None else "")

    async def _close(self) -> None:
        interrupting = asyncio.ensure_future(self._runner.close(CANCEL_LIMIT_S))
        await asyncio.sleep(0)  # by now the tasks know what they end as
        self._session.leave()
        await interrupting
        self._session.close(in_words(INTERRUPTED))
        if self._store is not None:
            await self._store.close()


def _not_kept() -> Keeping:
    return NOT_KEPT.model_copy(update={"message": _(NOT_KEPT.message), "hint": _(NOT_KEPT.hint)})


def _look_at(opening: asyncio.Task[None]) -> None:
    if not opening.cancelled() and (error := opening.exception()) is not None:
        log.error("a conversation could not be gone on with: %s", type(error).__name__)


def workspace(environ: Mapping[str, str], folder: Path) -> tuple[str, bool]:
    """Return what a kernel works for, and whether that is a notebook: else it is the folder.

    Source: jupyter_server names the file whose kernel it starts in `JPY_SESSION_NAME`; consoles get a
    name of no file there, and other programs that start kernels set nothing.
    """
    name = environ.get("JPY_SESSION_NAME", "")
    if name.endswith(".ipynb"):
        return os.path.abspath(folder / name), True
    return str(folder), False
