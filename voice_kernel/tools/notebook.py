"""The cells of the notebook: run, insert, edit, delete, move and read them, with undo.

Every change goes through the front end that shows the notebook (a `CellHost`), whose own model keeps ids,
metadata and undo. All requests of one turn share a step, so that "undo" takes the turn back as a whole;
before the first change of a turn that loses something, a snapshot is kept.

A turn that a cell asked for (`%voice run cell 3`) cannot let the front end run cells: they would queue
behind the cell that waits for them. Their code runs here instead, and the front end is told into which
cell its output belongs.

Where no front end answers, what the kernel alone can do is done: cells then go by the number of their
execution, `In[3]`. The rest says what to open.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import Field

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.kernel import CodeResult
from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import (
    CellAction,
    CellReply,
    CellView,
    ChangeKind,
    ClearOutputs,
    DeleteCells,
    Diff,
    EditCell,
    InsertCells,
    MoveCells,
    NotebookView,
    Output,
    Problem,
    ReadNotebook,
    RestartKernel,
    Result,
    RunCells,
    RunCommand,
    SaveNotebook,
    SelectCell,
    ShowOutputs,
    Snapshot,
    UndoStep,
)
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effect, Effects, Registry, ToolFailed
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.terminal import clip, plain

MAX_SOURCE_CHARS = 100_000
MAX_OUTPUT_CHARS = 200_000
"""Outputs that travel with a result; all of them are in the cells."""
MAX_READ_CHARS = 48_000
"""Sources in the data of `read_notebook`."""

CellKind = Literal["code", "markdown", "raw"]
INSERTED: Mapping[str, str] = {
    "code": N_("Inserted a code cell as {cells}."),
    "markdown": N_("Inserted a Markdown cell as {cells}."),
    "raw": N_("Inserted a raw cell as {cells}."),
}


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


# ---- arguments --------------------------------------------------------------------------------------


class Nothing(Arguments):
    """No arguments."""


class Cells(Arguments):
    """Some cells."""

    cells: str = Field(default="current", max_length=200, description=f"Which cells: {addresses.ADDRESSES}.")


class Cell(Arguments):
    """One cell."""

    cell: str = Field(
        max_length=200, description="Which cell: current, next, previous, first, last or a position from 1."
    )


class InsertCell(Arguments):
    """Arguments of `insert_cell`."""

    source: str = Field(default="", max_length=MAX_SOURCE_CHARS, description="The cell's text.")
    kind: CellKind = Field(default="code", description="Kind of cell.")
    position: str = Field(
        default="below",
        max_length=40,
        description="above or below the current cell, first, last, or the position it shall have.",
    )


class EditCellArguments(Arguments):
    """Arguments of `edit_cell`."""

    cell: str = Field(default="current", max_length=200, description="Which cell.")
    source: str = Field(max_length=MAX_SOURCE_CHARS, description="Its new text.")


class MoveCellsArguments(Cells):
    """Arguments of `move_cells`."""

    direction: Literal["up", "down", "first", "last", "top", "bottom"] = Field(
        description="up, down, first (top) or last (bottom)."
    )


class ChangeCellType(Cells):
    """Arguments of `change_cell_type`."""

    kind: CellKind = Field(description="The new kind.")


class RestartKernelArguments(Arguments):
    """Arguments of `restart_kernel`."""

    run_all: bool = Field(default=False, description="Whether to run all cells afterwards.")


class RunCommandArguments(Arguments):
    """Arguments of `run_command`."""

    label: str = Field(min_length=1, max_length=200, description="The command's name in the command palette.")


WRITE: Effects = frozenset({"write"})


def register(
    registry: Registry, *, host: CellHost, kernel: CellKernel, asked_by_cell: Callable[[int], bool]
) -> Desk:
    """Register the notebook tools; returns what other tools reach the same cells with.

    Args:
        registry: where.
        host: the front end that shows the notebook.
        kernel: runs code.
        asked_by_cell: whether a turn was asked for by a magic in a cell.
    """
    desk = Desk(host, kernel, asked_by_cell)

    @registry.tool(
        area="notebook",
        effects=frozenset({"execute"}),
        target=lambda args: _("cells: {cells}").format(cells=args.cells),
        untrusted=True,
    )
    async def run_cells(task: TaskHandle, args: Cells) -> Result:
        """Run cells in order, stopping at the first that raises."""
        try:
            view = await desk.outline(task)
        except ToolUnavailable as missing:
            return await _run_inputs(task, args.cells, desk, missing)
        found = desk.resolve(args.cells, view, task)
        if any(cell.id in desk.busy(view) for cell in found):
            raise ToolError(
                _("{cells} would run the cell that is waiting for it.").format(
                    cells=_capital(addresses.named(found, view))
                ),
                hint=_("Name other cells."),
            )
        return await run_found(task, found, view, desk)

    @registry.tool(area="notebook", effects=WRITE, target=lambda args: args.source)
    async def insert_cell(task: TaskHandle, args: InsertCell) -> Result:
        """Insert a cell above or below the current one."""
        try:
            view = await desk.outline(task)
        except ToolUnavailable:
            below = args.position == "below" and args.kind == "code" and args.source
            if below and kernel.set_next_input(args.source):
                return Result(summary=_("The code is in a new cell below."), code=args.source)
            raise
        index = _index_of(args.position, view, desk.anchor(view, task))
        reply = await desk.ask(InsertCells(index=index, kinds=[args.kind], sources=[args.source]), task)
        desk.selected()  # the front end makes what it inserts the active cell
        after = view.model_copy(update={"cells": [*view.cells[:index], *reply.cells, *view.cells[index:]]})
        return told(
            _(INSERTED[args.kind]).format(cells=addresses.named(reply.cells, after)),
            reply.cells,
            after,
            code=args.source if args.kind == "code" else "",
            text=args.source if args.kind != "code" else "",
        )

    async def changed(task: TaskHandle, args: EditCellArguments) -> Diff | None:
        try:
            view = await desk.outline(task)
            cell = desk.resolve_one(args.cell, view, task)
            whole = await desk.read(task, cells=[cell.id])
        except ToolError:  # the tool itself will say it
            return None
        now = next((one for one in whole.cells if one.id == cell.id), cell)
        name = addresses.named([cell], view)
        return Diff(name=name, kind=now.kind, before=now.source, after=args.source, cell=cell.id)

    @registry.tool(
        area="notebook",
        effects=WRITE,
        target=lambda args: _("cell: {cell}").format(cell=args.cell),
        diff=changed,
    )
    async def edit_cell(task: TaskHandle, args: EditCellArguments) -> Result:
        """Replace the text of a cell."""
        view = await desk.outline(task)
        cell = desk.resolve_one(args.cell, view, task)
        snapshot = await desk.snapshot(task)
        await desk.ask(EditCell(cell=cell.id, source=args.source), task)
        return told(
            _("Changed {cells}.").format(cells=addresses.named([cell], view)),
            [cell],
            view,
            code=args.source,
            data=snapshot,
        )

    @registry.tool(
        area="notebook", effects=WRITE, target=lambda args: _("cells: {cells}").format(cells=args.cells)
    )
    async def delete_cells(task: TaskHandle, args: Cells) -> Result:
        """Delete cells; "undo" brings them back."""
        view = await desk.outline(task)
        found = desk.resolve(args.cells, view, task)
        snapshot = await desk.snapshot(task)
        await desk.ask(DeleteCells(cells=_ids(found)), task)
        return told(
            _("Deleted {cells}.").format(cells=addresses.named(found, view)), found, view, data=snapshot
        )

    @registry.tool(
        area="notebook", effects=WRITE, target=lambda args: _("cells: {cells}").format(cells=args.cells)
    )
    async def move_cells(task: TaskHandle, args: MoveCellsArguments) -> Result:
        """Move cells up, down, to the top or to the bottom."""
        view = await desk.outline(task)
        found = desk.resolve(args.cells, view, task)
        index = _moved_to(found, view, args.direction)
        order = _after_move(found, view, index)
        if order == _ids(view.cells):
            name = _capital(addresses.named(found, view))
            if args.direction in ("up", "first", "top"):
                summary = ngettext_(
                    "{cells} is at the top already.", "{cells} are at the top already.", len(found)
                )
            else:
                summary = ngettext_(
                    "{cells} is at the bottom already.", "{cells} are at the bottom already.", len(found)
                )
            return told(summary.format(cells=name), found, view)
        await desk.ask(MoveCells(cells=_ids(found), index=index), task)
        by_id = {cell.id: cell for cell in view.cells}
        after = view.model_copy(update={"cells": [by_id[cell_id] for cell_id in order]})
        return told(
            _("Moved {cells}: now {now}.").format(
                cells=addresses.named(found, view), now=addresses.named(found, after)
            ),
            found,
            after,
        )

    @registry.tool(
        area="notebook",
        effects=frozenset({"read"}),
        target=lambda args: _("cell: {cell}").format(cell=args.cell),
    )
    async def select_cell(task: TaskHandle, args: Cell) -> Result:
        """Select a cell and scroll it into view."""
        view = await desk.outline(task)
        cell = desk.resolve_one(args.cell, view, task)
        await desk.select(cell.id, task)
        return told(
            _("{cells} is selected.").format(cells=_capital(addresses.named([cell], view))), [cell], view
        )

    @registry.tool(
        area="notebook", effects=WRITE, target=lambda args: _("cells: {cells}").format(cells=args.cells)
    )
    async def change_cell_type(task: TaskHandle, args: ChangeCellType) -> Result:
        """Make cells code, Markdown or raw cells."""
        view = await desk.outline(task)
        found = desk.resolve(args.cells, view, task)
        changing = [cell for cell in found if cell.kind != args.kind]
        kind = "Markdown" if args.kind == "markdown" else args.kind
        if not changing:
            summary = ngettext_("{cells} is {kind} already.", "{cells} are {kind} already.", len(found))
            name = _capital(addresses.named(found, view))
            return told(summary.format(cells=name, kind=kind), found, view)
        snapshot = await desk.snapshot(task)
        await desk.ask(ChangeKind(cells=_ids(changing), kind=args.kind), task)
        return told(
            _("Made {cells} {kind}.").format(cells=addresses.named(changing, view), kind=kind),
            changing,
            view,
            data=snapshot,
        )

    @registry.tool(
        area="notebook", effects=WRITE, target=lambda args: _("cells: {cells}").format(cells=args.cells)
    )
    async def clear_outputs(task: TaskHandle, args: Cells) -> Result:
        """Clear the outputs of cells."""
        view = await desk.outline(task)
        found = [cell for cell in desk.resolve(args.cells, view, task) if cell.kind == "code"]
        if not found:
            raise ToolError(_("These cells are no code cells: they have no outputs."))
        snapshot = await desk.snapshot(task)
        await desk.ask(ClearOutputs(cells=_ids(found)), task)
        return told(
            _("Cleared the outputs of {cells}.").format(cells=addresses.named(found, view)),
            found,
            view,
            data=snapshot,
        )

    @registry.tool(area="notebook", effects=WRITE)
    async def undo(task: TaskHandle, args: Nothing) -> Result:
        """Undo the last change that was made by voice, however many cells it touched."""
        return await desk.turn_back("undo", task)

    @registry.tool(area="notebook", effects=WRITE)
    async def redo(task: TaskHandle, args: Nothing) -> Result:
        """Do again what was undone."""
        return await desk.turn_back("redo", task)

    @registry.tool(area="notebook", effects=WRITE)
    async def save_notebook(task: TaskHandle, args: Nothing) -> Result:
        """Save the notebook."""
        reply = await desk.ask(SaveNotebook(), task)
        return Result(summary=_("The notebook is saved."), text=reply.text)

    @registry.tool(
        area="notebook", effects=frozenset({"restart"}), target=lambda args: _("the notebook's kernel")
    )
    async def restart_kernel(task: TaskHandle, args: RestartKernelArguments) -> Result:
        """Restart the kernel: all variables are lost."""
        await desk.ask(RestartKernel(run_all=args.run_all), task)
        return Result(
            summary=_("The kernel restarts and all cells run.") if args.run_all else _("The kernel restarts.")
        )

    @registry.tool(area="notebook", effects=frozenset({"read"}), untrusted=True)
    async def read_notebook(task: TaskHandle, args: Nothing) -> Result:
        """Read the cells of the notebook: position, kind, text and whether it failed."""
        try:
            reply = await desk.ask(ReadNotebook(sources=True), task)
        except ToolUnavailable:
            inputs = kernel.inputs()
            if not inputs:
                raise
            return _inputs_listed(inputs)
        return _notebook_told(view_of(reply))

    @registry.tool(area="lab", effects=effects_of_command, target=lambda args: args.label)
    async def run_command(task: TaskHandle, args: RunCommandArguments) -> Result:
        """Run a command of JupyterLab by its name in the command palette."""
        reply = await desk.ask(RunCommand(label=args.label), task)
        return Result(summary=_("Ran “{value}”.").format(value=reply.text or args.label))

    return desk


class Desk:
    """The cells as the tools of one session reach them, and what is to be remembered about them."""

    def __init__(self, host: CellHost, kernel: CellKernel, asked_by_cell: Callable[[int], bool]) -> None:
        self._host = host
        self.kernel = kernel
        self.asked_by_cell = asked_by_cell
        self._nested: dict[str, _Nested] = {}
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
    def running(self, cell_id: str) -> Iterator[_Nested]:
        """Note that a cell's code runs here."""
        nested = _Nested(uuid.uuid4().hex, cell_id, self.kernel.calling_request)
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
class _Nested:
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
        self._room -= _size(output)
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


# ---- running ----------------------------------------------------------------------------------------


class _Ran:
    """What became of the cells of one call so far."""

    def __init__(self, found: Sequence[CellView], view: NotebookView) -> None:
        self.view = view
        self.found = found
        self.outputs: list[Output] = []
        self.lines: list[str] = []
        self.count = 0
        self.failed: CellView | None = None
        self.error: Problem | None = None
        self.line: int | None = None
        self._room = MAX_OUTPUT_CHARS

    def add(self, cell: CellView, outputs: Sequence[Output], error: Problem | None) -> None:
        """Take one cell that was run."""
        self.count += 1
        name = addresses.named([cell], self.view)
        if error is None:
            self.lines.append(_("{cells}: done").format(cells=name))
        else:
            self.lines.append(_("{cells}: raised {error}").format(cells=name, error=_said(error)))
            self.failed, self.error = cell, error
        for output in outputs:
            size = _size(output)
            if size <= self._room or output.kind == "error":
                self._room -= size
                self.outputs.append(output)

    def result(self) -> Result:
        """Return the result of a success.

        Raises:
            ToolFailed: a cell raised; the result is kept.
        """
        left = [cell for cell in self.found if cell.kind == "code"][self.count :]
        if self.failed is not None and left:
            self.lines.append(_("{cells}: not run").format(cells=addresses.named(left, self.view)))
        name = addresses.named(self.found, self.view)
        result = told(
            _("Ran {cells}.").format(cells=name) if self.failed is None else "",
            self.found,
            self.view,
            text="\n".join(self.lines) if len(self.found) > 1 else "",
            outputs=self.outputs,
            data={"ran": self.count, "output": _plain(self.outputs)},
        )
        if self.failed is None or self.error is None:
            return result
        at = addresses.position_of(self.failed.id, self.view)
        failed = {"id": self.failed.id, "position": None if at is None else at + 1, "line": self.line}
        where = _capital(addresses.named([self.failed], self.view))
        problem = Problem(
            kind=self.error.kind,
            message=_("{cell} raised {error}").format(cell=where, error=_said(self.error)),
            hint=self.error.hint,
            retryable=self.error.retryable,
        )
        raise ToolFailed(
            problem,
            result.model_copy(
                update={"summary": problem.message, "data": {**result.data, "failed_cell": failed}}
            ),
        )


async def run_found(task: TaskHandle, found: list[CellView], view: NotebookView, desk: Desk) -> Result:
    """Run cells in their order.

    Raises:
        ToolFailed: one of them raised; the result is kept.
    """
    ran = _Ran(found, view)
    if desk.asked_by_cell(task.turn_id):
        await _run_here(task, ran, desk)
        return ran.result()
    task.progress(None, addresses.named(found, view))
    reply = await desk.ask(RunCells(cells=_ids(found)), task)
    for cell in reply.cells:
        if cell.kind != "code":
            continue
        ran.add(cell, cell.outputs, error_in(cell) if cell.failed else None)
        if cell.failed:
            break  # the front end stopped here; a cell below may have failed long ago
    return ran.result()


async def _run_here(task: TaskHandle, ran: _Ran, desk: Desk) -> None:
    """Run cells' code in the kernel, and let the front end show what they put out."""
    wanted = [cell.id for cell in ran.found if cell.kind == "code"]
    if not wanted:
        return
    reply = await desk.ask(ReadNotebook(sources=True, cells=wanted), task)
    sources = {cell.id: cell.source for cell in view_of(reply).cells}
    for cell in ran.found:
        source = sources.get(cell.id, "")
        if cell.kind != "code":
            continue
        task.progress(ran.count / len(wanted), addresses.named([cell], ran.view))
        if not source.strip():
            ran.add(cell, (), None)
            continue
        number: int | None = None
        with desk.running(cell.id) as nested:
            shown = ShowOutputs(cell=cell.id, parent_msg_id=nested.request)
            await desk.ask(shown, task)
            final: list[Output] = []
            try:
                done = await desk.kernel.run(
                    source, show=nested.request, on_output=nested.add, store_history=True
                )
                number = done.execution_count
                if nested.joined_late and sum(map(_size, done.outputs)) <= MAX_OUTPUT_CHARS:
                    final = list(done.outputs)
            finally:
                # Also when cancelled; and a page that has gone meanwhile does not undo what was run.
                ended = {"execution_count": number, "done": True, "outputs": final}
                with contextlib.suppress(ToolError):
                    await desk.ask(shown.model_copy(update=ended), task)
        error = None if done.success else done.error or Problem(kind="Error", message=_("It did not finish."))
        ran.line = done.line
        ran.add(cell, done.outputs, error)
        if error is not None:
            return


async def _run_inputs(task: TaskHandle, address: str, desk: Desk, missing: ToolUnavailable) -> Result:
    """Run inputs again by their execution number, where no front end can say which cell is where.

    Raises:
        ToolUnavailable: the address says where a cell stands, which only a front end knows.
    """
    inputs = desk.kernel.inputs()
    if desk.asked_by_cell(task.turn_id) and desk.kernel.calling_request and inputs:
        inputs.pop(max(inputs))  # the one that asks
    if not inputs or not (re.fullmatch(r"[\d\s,–-]+", address) or address == "previous"):
        raise missing
    last = max(inputs)
    view = NotebookView(
        path="",
        cells=[CellView(id=str(number), kind="code") for number in range(1, last + 1)],
        active=last,
    )
    found = [view.cells[-1]] if address == "previous" else addresses.resolve(address, view)
    absent = [cell for cell in found if int(cell.id) not in inputs]
    if absent:
        raise ToolError(_("Nothing was run as In[{id}].").format(id=absent[0].id), hint=missing.hint)
    outputs: list[Output] = []
    for cell in found:
        done = await desk.kernel.run(inputs[int(cell.id)], show=True, store_history=True)
        outputs.extend(done.outputs)
        if not done.success:
            error = done.error or Problem(kind="Error", message=_("It did not finish."))
            problem = error.model_copy(
                update={
                    "message": _("{cell} raised {error}").format(cell=f"In[{cell.id}]", error=_said(error))
                }
            )
            raise ToolFailed(problem, Result(summary=problem.message, outputs=outputs))
    names = ", ".join(f"In[{cell.id}]" for cell in found)
    return Result(
        summary=_("Ran {cells} again.").format(cells=names),
        text=_("Without the Voice sidebar, cells go by the number of their execution."),
        code="\n\n".join(inputs[int(cell.id)] for cell in found),
        outputs=outputs,
    )


def error_in(cell: CellView) -> Problem:
    """Return the error that a cell's outputs hold; of none, one without text."""
    text = next((output for output in reversed(cell.outputs) if output.kind == "error"), None)
    if text is None:
        return Problem(kind="Error", message="")
    if text.data.get("ename"):
        return Problem(kind=text.data["ename"], message=text.data.get("evalue", ""))
    for line in reversed(plain(text.text).strip().splitlines()):
        match = re.match(r"([A-Za-z_][\w.]*)(?::\s?(.*))?$", line.strip())
        if match is not None:
            return Problem(kind=match[1], message=match[2] or "")
    return Problem(kind="Error", message="")


def _said(error: Problem) -> str:
    message = " ".join(error.message.split())
    if len(message) > 300:
        message = message[:299] + "…"
    return f"{error.kind}: {message}" if message else f"{error.kind}."


# ---- where ------------------------------------------------------------------------------------------


def _index_of(position: str, view: NotebookView, anchor: int) -> int:
    """Return before which index a new cell goes.

    Raises:
        ToolError: it is no position.
    """
    said = " ".join(position.lower().split())
    count = len(view.cells)
    if said in ("first", "top"):
        return 0
    if said in ("last", "bottom", "end") or not 0 <= anchor < count:
        return count
    if said in ("above", "before"):
        return anchor
    if said in ("", "below", "after"):
        return anchor + 1
    match = re.fullmatch(r"(?:(above|before|below|after) )?(\d{1,6})", said)
    if match is None or not 1 <= int(match[2]) <= count + (match[1] is None):
        raise ToolError(
            _("A cell cannot be inserted at “{position}”.").format(position=position),
            hint=_("Say above, below, first, last, or a position."),
        )
    return int(match[2]) - (match[1] not in ("below", "after"))


def _moved_to(found: Sequence[CellView], view: NotebookView, direction: str) -> int:
    """Return where the first of the cells stands after the move."""
    ids = {cell.id for cell in found}
    places = [at for at, cell in enumerate(view.cells) if cell.id in ids]
    end = len(view.cells) - len(places)
    match direction:
        case "up":
            return max(0, places[0] - 1)
        case "down":
            return min(end, places[-1] + 2 - len(places))
        case "first" | "top":
            return 0
        case _:
            return end


def _after_move(found: Sequence[CellView], view: NotebookView, index: int) -> list[str]:
    moved = _ids(found)
    rest = [cell.id for cell in view.cells if cell.id not in set(moved)]
    return [*rest[:index], *moved, *rest[index:]]


# ---- commands of the front end ----------------------------------------------------------------------

_COMMANDS: tuple[tuple[re.Pattern[str], Effect], ...] = (
    (re.compile(r"\b(restart|shut ?down|kill|terminate|log ?out|quit|exit|interrupt)"), "restart"),
    (re.compile(r"\b(install|uninstall|extension|update)"), "install"),
    (
        re.compile(
            r"\b(delete|remove|close|clear|discard|revert|reload|reset|overwrite|trash|erase|trust|rename"
            r"|move to|restore|import|replace all)"
        ),
        "delete",
    ),
    (re.compile(r"\b(run|execute|terminal|console)"), "execute"),
)
"""What a command may do, by the words of its label. The front end knows no more about most of them."""


def effects_of_command(args: RunCommandArguments) -> Effects:
    """Return what a command may do, judged by its label: what cannot be undone asks first."""
    label = args.label.lower()
    return WRITE | {effect for pattern, effect in _COMMANDS if pattern.search(label)}


# ---- what a person reads ----------------------------------------------------------------------------


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


def _notebook_told(view: NotebookView) -> Result:
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    room = MAX_READ_CHARS
    for at, cell in enumerate(view.cells, 1):
        state = ", " + _("failed") if cell.failed else ""
        first = cell.source.strip().partition("\n")[0][:100]
        lines.append(f"{at:>3}  {cell.kind}{state}  {first}".rstrip())
        source = cell.source[: max(0, room)]
        room -= len(source)
        data.append(
            {"position": at, "id": cell.id, "kind": cell.kind, "source": source, "failed": cell.failed}
        )
    count = len(view.cells)
    code = sum(cell.kind == "code" for cell in view.cells)
    failed = sum(cell.failed for cell in view.cells)
    summary = ngettext_(
        "{count} cell, {code} of them code", "{count} cells, {code} of them code", count
    ).format(count=count, code=code)
    if failed:
        summary += ", " + _("{count} failed").format(count=failed)
    return Result(
        summary=summary + ".",
        text=clip("\n".join(lines)),
        data={"notebook": view.path, "active": view.active + 1, "cells": data[:500]},
    )


def _inputs_listed(inputs: dict[int, str]) -> Result:
    lines = [
        f"In[{number}]  {source.strip().partition(chr(10))[0][:100]}" for number, source in inputs.items()
    ]
    return Result(
        summary=_("{count} inputs were run; the cells themselves are not known here.").format(
            count=len(inputs)
        ),
        text=clip("\n".join(lines)),
        data={"inputs": {str(number): source[:2_000] for number, source in list(inputs.items())[-20:]}},
    )


def _plain(outputs: Sequence[Output]) -> str:
    texts = (output.text or output.data.get("text/plain", "") for output in outputs)
    return plain("\n".join(text.rstrip("\n") for text in texts if text))[-8_000:]


def view_of(reply: CellReply) -> NotebookView:
    """Return the notebook that a front end answered with.

    Raises:
        ToolError: it said nothing of it.
    """
    if reply.notebook is None:
        raise ToolError(_("The front end did not say what the notebook holds."), hint=_("Reload the page."))
    return reply.notebook


def _size(output: Output) -> int:
    return len(output.text) + sum(map(len, output.data.values()))


def _ids(cells: Sequence[CellView]) -> list[str]:
    return [cell.id for cell in cells]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
