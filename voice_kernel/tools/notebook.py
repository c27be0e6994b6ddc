"""The cells of the notebook: insert, edit, delete, move, run and read them, with undo.

Every change goes through the front end that shows the notebook, whose own model keeps ids, metadata and undo.
Where none answers, what the kernel alone can do is done; the rest says what to open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.language import N_, _, capital, ngettext_
from voice_kernel.messages import (
    CellView,
    ChangeKind,
    ClearOutputs,
    DeleteCells,
    Diff,
    EditCell,
    InsertCells,
    MoveCells,
    NotebookView,
    ReadNotebook,
    RestartKernel,
    Result,
    SaveNotebook,
)
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.cells import ids_of
from voice_kernel.tools.desk import MAX_SOURCE_CHARS, WRITE, Desk, told, view_of
from voice_kernel.tools.running import run_found, run_inputs
from voice_kernel.tools.terminal import clip

MAX_READ_CHARS = 48_000
"""Sources in the data of `read_notebook`."""

CellKind = Literal["code", "markdown", "raw"]
INSERTED: Mapping[str, str] = {
    "code": N_("Inserted a code cell as {cells}."),
    "markdown": N_("Inserted a Markdown cell as {cells}."),
    "raw": N_("Inserted a raw cell as {cells}."),
}


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


def register(registry: Registry, desk: Desk) -> None:
    """Register the notebook tools."""

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
            return await run_inputs(task, args.cells, desk, missing)
        found = desk.resolve(args.cells, view, task)
        if any(cell.id in desk.busy(view) for cell in found):
            raise ToolError(
                _("{cells} would run the cell that is waiting for it.").format(
                    cells=capital(addresses.named(found, view))
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
            if below and desk.kernel.set_next_input(args.source):
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
        await desk.ask(DeleteCells(cells=ids_of(found)), task)
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
        if order == ids_of(view.cells):
            name = capital(addresses.named(found, view))
            if args.direction in ("up", "first", "top"):
                summary = ngettext_(
                    "{cells} is at the top already.", "{cells} are at the top already.", len(found)
                )
            else:
                summary = ngettext_(
                    "{cells} is at the bottom already.", "{cells} are at the bottom already.", len(found)
                )
            return told(summary.format(cells=name), found, view)
        await desk.ask(MoveCells(cells=ids_of(found), index=index), task)
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
            _("{cells} is selected.").format(cells=capital(addresses.named([cell], view))), [cell], view
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
            name = capital(addresses.named(found, view))
            return told(summary.format(cells=name, kind=kind), found, view)
        snapshot = await desk.snapshot(task)
        await desk.ask(ChangeKind(cells=ids_of(changing), kind=args.kind), task)
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
        await desk.ask(ClearOutputs(cells=ids_of(found)), task)
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
            inputs = desk.kernel.inputs()
            if not inputs:
                raise
            return _inputs_listed(inputs)
        return _notebook_told(view_of(reply))


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
    moved = ids_of(found)
    rest = [cell.id for cell in view.cells if cell.id not in set(moved)]
    return [*rest[:index], *moved, *rest[index:]]


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
