"""Asks the front end that shows the notebook to act on its cells, and waits for its answers.

A surface that said `cells` in its Hello is such a front end. Requests are no state of the hub: each goes to
one surface, and only that one answers. Everything belongs to the loop thread.

A front end cannot be relied on to say that it goes: a closed or reloaded page leaves its comm open. So
waits are bounded, except for running cells, which may take as long as it takes; and when a new front end
arrives, the older ones must show that they are still there.

What a cell puts out that runs here, nested, is shown by every front end that came while it ran: a reloaded
page goes on where the old one stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.events import Hub
from voice_kernel.language import N_, _
from voice_kernel.messages import (
    CellAction,
    CellCancel,
    CellReply,
    CellRequest,
    NotebookView,
    OpenFile,
    ReadNotebook,
    RunCells,
    RunCommand,
    SaveNotebook,
    ShowOutputs,
    Snapshot,
    ToSurface,
)

ANSWER_LIMIT_S = 10.0
"""How long a front end may take for what it can do at once."""
FILE_LIMIT_S = 60.0
"""The same for what goes to a server or a disk, or may show a dialog."""
PROBE_LIMIT_S = 5.0
RETURN_LIMIT_S = 10.0
"""How long a page may take to be loaded again, for what waits for it."""
MAX_HEADINGS = 100

NO_FRONT_END = N_("No front end shows the cells of this notebook to the assistant.")
OPEN_ONE = N_(
    "Open the Voice sidebar in JupyterLab or Notebook 7, or run the notebook with `voice-kernel run`."
)
GONE = N_("The page that shows the notebook has gone.")
SILENT = N_("The page that shows the notebook does not answer.")
RELOAD = N_("Reload the page, open the Voice sidebar, and say it again.")


class FrontEnd(Protocol):
    """A surface that shows the notebook."""

    surface_id: str

    def send(self, message: ToSurface) -> None:
        """Send it one message."""
        ...


class SurfaceCells:
    """The front ends of a session: implements `tools.notebook.CellHost`.

    Args:
        hub: knows from which surface a turn came.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._front_ends: list[FrontEnd] = []
        """The newest last."""
        self._shown = asyncio.Event()
        """Set while a front end is there."""
        self._waiting: dict[int, tuple[FrontEnd, asyncio.Future[CellReply]]] = {}
        self._probes: set[asyncio.Task[None]] = set()
        self._shown_on: dict[str, set[FrontEnd]] = {}
        """By the request under which a cell runs here: the front ends that show what it puts out."""
        self._last_id = 0
        self.cell_count = 0
        """Cells of the notebook when it was last looked at; 0 when nobody shows it."""
        self.headings: tuple[str, ...] = ()
        """Its Markdown headings when it was last read."""
        self.running: Callable[[], Sequence[ShowOutputs]] = tuple
        """What says which cells run here now, with what they have put out so far."""

    # ---- front ends -------------------------------------------------------------------------------

    def arrived(self, front_end: FrontEnd) -> None:
        """Take a front end in; what it has said before counts no more."""
        older = [other for other in self._front_ends if other is not front_end]
        self._front_ends = [*older, front_end]
        self._shown.set()
        for other in older:
            if other.surface_id == front_end.surface_id:
                self.left(other)  # the same page, reloaded
            else:
                self._start(self._probe(other))
        self._start(self._look(front_end))
        if self.running():
            self._start(self._resume(front_end))

    def left(self, front_end: FrontEnd) -> None:
        """Forget a front end: whoever waits for it hears at once that it has gone."""
        if front_end in self._front_ends:
            self._front_ends.remove(front_end)
        for shown_on in self._shown_on.values():
            shown_on.discard(front_end)
        if not self._front_ends:
            self._shown.clear()
            self.cell_count, self.headings = 0, ()
        for asked, answer in list(self._waiting.values()):
            if asked is front_end and not answer.done():
                answer.set_exception(_Gone(_(GONE), hint=_(RELOAD), retryable=True))

    def replied(self, front_end: FrontEnd, reply: CellReply) -> None:
        """Take an answer; one that nobody waits for any more is dropped."""
        asked, answer = self._waiting.get(reply.id, (None, None))
        if asked is front_end and answer is not None and not answer.done():
            answer.set_result(reply)
            if reply.notebook is not None:
                self._note(reply.notebook)

    # ---- requests ---------------------------------------------------------------------------------

    async def request(self, action: CellAction, *, step: int = 0) -> CellReply:
        """Have something done to the cells, and return the answer once it is done.

        Args:
            action: what.
            step: the turn that asks: its changes are undone together, and the surface from which it came
                is asked before others.

        Raises:
            ToolUnavailable: no front end shows the notebook, or it has gone.
            ToolError: it could not be done; says why.
        """
        others: set[FrontEnd] = set()
        if isinstance(action, ShowOutputs) and action.done:
            others = self._shown_on.pop(action.parent_msg_id, others)
        while True:
            front_end = self._choose(step)
            if isinstance(action, ShowOutputs):
                self._show_alike(action, front_end, others)
            try:
                reply = await self._ask(front_end, action, step)
            except _Gone:
                # A page that was loaded again, or another one, may as well do what changes nothing.
                if isinstance(action, ReadNotebook | ShowOutputs) and await self._returned(action):
                    continue
                raise
            except TimeoutError:
                self.left(front_end)
                # What only reads may as well be answered by another page; a change may have been made.
                if isinstance(action, ReadNotebook) and self._front_ends:
                    continue
                raise ToolUnavailable(_(SILENT), hint=_(RELOAD), retryable=True) from None
            if reply.problem is None:
                return reply
            kind = ToolUnavailable if reply.problem.kind == "NoNotebook" else ToolError
            raise kind(reply.problem.message, hint=reply.problem.hint, retryable=reply.problem.retryable)

    async def _returned(self, action: CellAction) -> bool:
        """Return whether a page shows the notebook, now or soon."""
        ended = isinstance(action, ShowOutputs) and action.done  # nothing is worth waiting for
        if not ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETURN_LIMIT_S):
                    await self._shown.wait()
        return bool(self._front_ends)

    def _choose(self, turn_id: int) -> FrontEnd:
        if not self._front_ends:
            raise ToolUnavailable(_(NO_FRONT_END), hint=_(OPEN_ONE))
        turn = self._hub.turns.get(turn_id)
        asking = turn.surface_id if turn is not None else ""
        return next((one for one in self._front_ends if one.surface_id == asking), self._front_ends[-1])

    async def _ask(self, front_end: FrontEnd, action: CellAction, step: int) -> CellReply:
        self._last_id += 1
        request = CellRequest(id=self._last_id, step=step, request=action)
        answer: asyncio.Future[CellReply] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = (front_end, answer)
        front_end.send(request)
        try:
            async with asyncio.timeout(_limit_s(action)):
                return await answer
        except (TimeoutError, asyncio.CancelledError):
            front_end.send(CellCancel(id=request.id))
            raise
        finally:
            del self._waiting[request.id]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        probe = asyncio.ensure_future(work)
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)

    def _show_alike(self, action: ShowOutputs, front_end: FrontEnd, others: set[FrontEnd]) -> None:
        """Note who shows what a cell puts out, and tell them all when it has ended."""
        if not action.done:
            self._shown_on.setdefault(action.parent_msg_id, set()).add(front_end)
        for other in others - {front_end}:
            self._start(self._tell(other, action))

    async def _resume(self, front_end: FrontEnd) -> None:
        """Let a page that has just come show what cells put out that run here now.

        Where pages share their cells it sees what an older one shows, and would only double it.
        """
        with contextlib.suppress(TimeoutError, ToolError):
            reply = await self._ask(front_end, ReadNotebook(), 0)
            shared = reply.notebook is not None and reply.notebook.shared
            if shared:
                older = [other for other in self._front_ends if other is not front_end]
                await asyncio.gather(*map(self._probe, older))
            for show in self.running():
                shown_on = self._shown_on.setdefault(show.parent_msg_id, set())
                if not (shared and shown_on):
                    shown_on.add(front_end)
                    self._start(self._tell(front_end, show))

    async def _tell(self, front_end: FrontEnd, action: ShowOutputs) -> None:
        """Show outputs on a page that nobody waits for; it may not have that cell."""
        with contextlib.suppress(TimeoutError, ToolError):
            await self._ask(front_end, action, 0)

    async def _look(self, front_end: FrontEnd) -> None:
        """Read a notebook that has just come, for the names in it that may be spoken."""
        with contextlib.suppress(TimeoutError, ToolError):
            await self._ask(front_end, ReadNotebook(sources=True), 0)

    def _note(self, notebook: NotebookView) -> None:
        self.cell_count = len(notebook.cells)
        if any(cell.source for cell in notebook.cells):
            lines = [
                line.strip()
                for cell in notebook.cells
                if cell.kind == "markdown"
                for line in cell.source.splitlines()
                if line.startswith("#")
            ]
            self.headings = tuple(line.lstrip("#").strip() for line in lines[:MAX_HEADINGS])

    async def _probe(self, front_end: FrontEnd) -> None:
        try:
            async with asyncio.timeout(PROBE_LIMIT_S):
                await self._ask(front_end, ReadNotebook(), 0)
        except TimeoutError:
            self.left(front_end)
        except ToolError:
            pass  # it has gone meanwhile


class _Gone(ToolUnavailable):
    """The page that was asked has gone."""


def _limit_s(action: CellAction) -> float | None:
    if isinstance(action, RunCells):
        return None
    slow = isinstance(action, SaveNotebook | Snapshot | RunCommand | OpenFile)
    return FILE_LIMIT_S if slow else ANSWER_LIMIT_S
