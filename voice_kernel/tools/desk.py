"""The cells of the notebook as every tool reaches them: which are meant, the current one, snapshots.

Every request goes to the front end that shows the notebook, a `CellHost`. All requests of one turn share a
step, so that "undo" takes the turn back as a whole; before the first change of a turn that loses something, a
snapshot is kept. It knows no tool.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.kernel import CodeResult
from voice_kernel.language import _
from voice_kernel.messages import (
    CellAction,
    CellReply,
    CellView,
    NotebookView,
    Output,
    ReadNotebook,
    Result,
    SelectCell,
    ShowOutputs,
    Snapshot,
    UndoStep,
)
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Effects
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.terminal import clip

MAX_SOURCE_CHARS = 100_000
MAX_OUTPUT_CHARS = 200_000
"""Outputs that travel with a result; all of them are in the cells."""


class CellHost(Protocol):
    """The front end that shows the notebook."""

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
        ...


class CellKernel(Protocol):
    """What runs code without a front end: `voice_kernel.kernel.Kernel`."""

    @property
    def calling_request(self) -> str:
        """Id of the request whose magic waits for the calling turn; empty when none does."""
        ...

    async def run(
        self,
        code: str,
        *,
        show: bool | str = True,
        on_output: Callable[[Output], None] | None = None,
        store_history: bool = False,
    ) -> CodeResult:
        """Run code on the main thread, in the user's namespace."""
        ...

    def inputs(self) -> dict[int, str]:
        """Return what was run so far, by execution number."""
        ...

    def set_next_input(self, code: str) -> bool:
        """Put code into a new cell below the one whose magic waits; False when none does."""
        ...


WRITE: Effects = frozenset({"write"})


class Desk:
    """The cells as the tools of one session reach them, and what is to be remembered about them.

    Args:
        host: the front end that shows the notebook.
        kernel: runs code.
        asked_by_cell: whether a turn was asked for by a magic in a cell.
    """

    def __init__(self, host: CellHost, kernel: CellKernel, asked_by_cell: Callable[[int], bool]) -> None:
        self._host = host
        self.kernel = kernel
        self.asked_by_cell = asked_by_cell
        self._nested: dict[str, Nested] = {}
        """By the request under which a cell's code runs here."""
        self._caller = ("", "")
        """The request of the front end's that waits, and the cell it runs."""
        self._snapshot_turn = 0
        self._selected_in = ""
        """The request during which a cell was last selected: from then on `current` is that one."""

    async def ask(self, action: CellAction, task: TaskHandle) -> CellReply:
        """Have the front end do something for a task's turn. Raises what `CellHost.request` raises."""
        return await self._host.request(action, step=task.turn_id)

    async def outline(self, task: TaskHandle) -> NotebookView:
        """Return the cells without their sources and outputs."""
        return view_of(await self.ask(ReadNotebook(), task))

    async def read(
        self, task: TaskHandle, *, outputs: bool = False, cells: Sequence[str] = ()
    ) -> NotebookView:
        """Return the cells with the sources, and if wanted the outputs, of all or of some."""
        return view_of(await self.ask(ReadNotebook(sources=True, outputs=outputs, cells=list(cells)), task))

    def resolve(self, address: str, view: NotebookView, task: TaskHandle) -> list[CellView]:
        """Return the cells an address means for a task's turn."""
        return addresses.resolve(address, view, anchor=self.anchor(view, task), busy=self.busy(view))

    def resolve_one(self, address: str, view: NotebookView, task: TaskHandle) -> CellView:
        """Return the one cell an address means for a task's turn."""
        return addresses.resolve_one(address, view, anchor=self.anchor(view, task), busy=self.busy(view))

    def busy(self, view: NotebookView) -> Collection[str]:
        """Return the ids of the cells that wait for what is asked now."""
        return {*(nested.cell for nested in self._nested.values()), self._calling(view)[1]} - {""}

    def anchor(self, view: NotebookView, task: TaskHandle) -> int:
        """Return the position of the current cell.

        For a magic it is the cell that holds it, however it was run (Shift+Enter makes the next one
        active, Run All the last one), until the same cell selects another.
        """
        request = self.kernel.calling_request
        if request and request != self._selected_in and self.asked_by_cell(task.turn_id):
            cell_id = self._nested[request].cell if request in self._nested else self._calling(view)[1]
            at = addresses.position_of(cell_id, view)
            if at is not None:
                return at
        return view.active

    def _calling(self, view: NotebookView) -> tuple[str, str]:
        """Return the request of the front end's that waits, and the cell it runs.

        While a cell runs inside another one, the front end sees two that run: what it said before counts.
        """
        request = self.kernel.calling_request
        while request in self._nested:
            request = self._nested[request].outer
        if not request:
            return "", view.calling
        if self._caller[0] != request:
            self._caller = (request, view.calling)
        return self._caller

    async def select(self, cell_id: str, task: TaskHandle) -> None:
        """Make a cell the current one."""
        await self.ask(SelectCell(cell=cell_id), task)
        self.selected()

    def selected(self) -> None:
        """Note that another cell is the current one now."""
        self._selected_in = self.kernel.calling_request

    async def snapshot(self, task: TaskHandle) -> dict[str, Any]:
        """Keep the notebook as it is, once a turn, before something is lost.

        A snapshot that cannot be written does not keep from acting: the change can be undone.
        """
        if self._snapshot_turn == task.turn_id:
            return {}
        self._snapshot_turn = task.turn_id
        try:
            reply = await self.ask(Snapshot(), task)
        except ToolUnavailable:
            raise
        except ToolError as error:
            return {"snapshot_problem": error.message}
        return {"snapshot": reply.text}

    async def turn_back(self, action: Literal["undo", "redo"], task: TaskHandle) -> Result:
        """Undo, or do again, one step."""
        reply = await self.ask(UndoStep(action=action), task)
        if reply.text == "0":
            nothing = _("There is nothing to undo.") if action == "undo" else _("There is nothing to redo.")
            raise ToolError(nothing)
        done = _("Undone") if action == "undo" else _("Done again")
        if not reply.cells:
            return Result(summary=f"{done}.")
        view = await self.outline(task)
        return told(f"{done}: {addresses.named(reply.cells, view)}.", reply.cells, view)

    @contextlib.contextmanager
    def running(self, cell_id: str) -> Iterator[Nested]:
        """Note that a cell's code runs here."""
        nested = Nested(uuid.uuid4().hex, cell_id, self.kernel.calling_request)
        self._nested[nested.request] = nested
        try:
            yield nested
        finally:
            del self._nested[nested.request]

    def shown_now(self) -> list[ShowOutputs]:
        """Return what a page that has just come must know of the cells that run here, outermost first."""
        for nested in self._nested.values():
            nested.joined_late = True
        return [
            ShowOutputs(cell=nested.cell, parent_msg_id=nested.request, outputs=nested.outputs())
            for nested in self._nested.values()
        ]


@dataclass
class Nested:
    """A cell whose code runs here."""

    request: str
    """Id of the request under which it does."""
    cell: str
    outer: str
    """Id of the request that waits for it."""
    joined_late: bool = False
    """Whether a page has come since it began, which may have missed some of what it put out."""
    _pieces: list[Output] = field(default_factory=list)
    _room: int = MAX_OUTPUT_CHARS

    def add(self, output: Output) -> None:
        """Remember a piece of what it puts out, as long as there is room."""
        self._room -= size_of(output)
        if self._room >= 0:
            self._pieces.append(output)

    def outputs(self) -> list[Output]:
        """Return what is remembered, streams in one piece."""
        outputs: list[Output] = []
        for kind, pieces in itertools.groupby(self._pieces, key=lambda piece: piece.kind):
            if kind == "stream":
                outputs.append(Output(kind=kind, text="".join(piece.text for piece in pieces)))
            else:
                outputs.extend(pieces)
        return outputs


def told(
    summary: str,
    cells: Sequence[CellView],
    view: NotebookView,
    *,
    text: str = "",
    code: str = "",
    outputs: Sequence[Output] = (),
    data: dict[str, Any] | None = None,
) -> Result:
    """Return a result that names its cells, so that a card can link to them."""
    positions = {cell.id: at for at, cell in enumerate(view.cells, 1)}
    links = [{"id": cell.id, "position": positions.get(cell.id)} for cell in cells[:200]]
    return Result(
        summary=summary,
        text=clip(text),
        code=code,
        outputs=list(outputs),
        data={"notebook": view.path, "cells": links, **(data or {})},
    )


def view_of(reply: CellReply) -> NotebookView:
    """Return the notebook that a front end answered with.

    Raises:
        ToolError: it said nothing of it.
    """
    if reply.notebook is None:
        raise ToolError(_("The front end did not say what the notebook holds."), hint=_("Reload the page."))
    return reply.notebook


def size_of(output: Output) -> int:
    """Return how many characters an output has, of all its kinds."""
    return len(output.text) + sum(map(len, output.data.values()))
