"""Changes of cells that a model proposes: each is shown as a diff, and made when a person accepts it.

`propose_edits` works out which cells are meant and what stands in them; then each change is a task of its own
(`apply_edit`) that waits for its own yes. All changes of a turn share its step: "undo" takes them back at
once. A cell that was changed meanwhile is left alone. Cells that were accepted are then run, if the proposal
says so, and the cards said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _, ngettext_
from voice_kernel.messages import (
    CellView,
    DeleteCells,
    Diff,
    EditCell,
    InsertCells,
    NotebookView,
    Problem,
    Result,
    Task,
)
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.desk import MAX_SOURCE_CHARS, WRITE, Desk, told
from voice_kernel.tools.running import run_found
from voice_kernel.tools.sourcecode import effects_of_source

MAX_EDITS = 20
APPLY = "apply_edit"

CallTool = Callable[[TaskHandle, str, dict[str, Any]], Awaitable[Task]]
Action = Literal["edit", "insert", "delete"]
Kind = Literal["code", "markdown", "raw"]


class Edit(Arguments):
    """One change of one cell."""

    action: Action = Field(default="edit", description="What is done to the cell.")
    cell: str = Field(
        default="current",
        max_length=40,
        description="Which cell: its number, or current. For insert: the cell after which; 0 for the top.",
    )
    source: str = Field(default="", max_length=MAX_SOURCE_CHARS, description="The cell's whole new text.")
    kind: Kind = Field(default="code", description="For insert: the kind of cell.")


class ProposeEdits(Arguments):
    """Arguments of `propose_edits`."""

    edits: list[Edit] = Field(min_length=1, max_length=MAX_EDITS, description="The changes, in order.")
    run: bool = Field(default=False, description="Whether to run the accepted code cells afterwards.")


class ApplyEdit(Arguments):
    """Arguments of `apply_edit`: a change whose cell is known by its id."""

    action: Action
    name: str
    cell: str = ""
    kind: Kind = "code"
    before: str = ""
    source: str = ""
    runs: bool = False
    rank: int = 0
    """Of a cell to insert: its place among those that go after the same cell."""


def register(registry: Registry, *, desk: Desk, call: CallTool) -> None:
    """Register the tools.

    Args:
        registry: where.
        desk: reaches the cells.
        call: calls another tool as a task of the same turn.
    """
    made: dict[int, tuple[str, str]] = {}
    """By task: the cell that was changed or inserted, and its kind."""
    inserted: dict[tuple[int, str], list[int]] = {}
    """By turn and cell: the ranks of the cells that were inserted after it."""

    @registry.tool(
        area="notebook", effects=frozenset({"read"}), target=_counted, attempt=True, untrusted=True
    )
    async def propose_edits(task: TaskHandle, args: ProposeEdits) -> Result:
        """Propose changes of cells to the user, who sees each as a diff and accepts or rejects it."""
        view = await desk.outline(task)
        changes = await _worked_out(task, args, view, desk)
        tasks = await asyncio.gather(*(call(task, APPLY, change.model_dump()) for change in changes))
        lines = [f"{change.name}: {_outcome(done)}" for change, done in zip(changes, tasks, strict=True)]
        accepted = [done for done in tasks if done.state == "succeeded"]
        data = {"accepted": len(accepted), "rejected": len(tasks) - len(accepted)}
        summary = _("{count} of {total} changes were accepted.").format(count=len(accepted), total=len(tasks))
        if not accepted:
            problem = Problem(
                kind="Refused", message=_("No change was accepted."), hint=_("Ask what is wanted.")
            )
            raise ToolFailed(problem, Result(summary=summary, text="\n".join(lines), data=data))
        ran = [made.pop(done.id) for done in tasks if done.id in made]
        result = Result(summary=summary, text="\n".join(lines), data=data)
        wanted = {cell_id for cell_id, kind in ran if kind == "code"}
        return await _run(task, wanted, result, desk) if args.run and wanted else result

    def effects(args: ApplyEdit) -> Effects:
        runs = args.runs and args.kind == "code" and args.action != "delete"
        return WRITE | effects_of_source(args.source) if runs else WRITE

    async def diff(task: TaskHandle, args: ApplyEdit) -> Diff:
        return Diff(
            name=args.name,
            action=args.action,
            kind=args.kind,
            before=args.before,
            after=args.source,
            runs=args.runs and args.kind == "code",
            cell=args.cell if args.action != "insert" else "",
        )

    @registry.tool(
        area="notebook",
        effects=effects,
        target=lambda args: args.name,
        diff=diff,
        offered=False,
        untrusted=True,
    )
    async def apply_edit(task: TaskHandle, args: ApplyEdit) -> Result:
        """Make one proposed change."""
        view = await desk.outline(task)
        if args.action == "insert":
            return await insert(task, args, view)
        cell = next((cell for cell in view.cells if cell.id == args.cell), None)
        if cell is None:
            raise ToolError(_("{name} is not there any more.").format(name=args.name.capitalize()))
        snapshot = await desk.snapshot(task)
        if args.action == "delete":
            await desk.ask(DeleteCells(cells=[cell.id]), task)
            return told(_("Deleted {cells}.").format(cells=args.name), [cell], view, data=snapshot)
        await desk.ask(EditCell(cell=cell.id, source=args.source, expected=args.before), task)
        made[task.id] = (cell.id, cell.kind)
        return told(
            _("Changed {cells}.").format(cells=args.name), [cell], view, code=args.source, data=snapshot
        )

    async def insert(task: TaskHandle, args: ApplyEdit, view: NotebookView) -> Result:
        after = addresses.position_of(args.cell, view) if args.cell else -1
        if after is None:
            raise ToolError(_("The cell after which it should go is not there any more."))
        ranks = inserted.setdefault((task.turn_id, args.cell), [])
        index = after + 1 + sum(rank < args.rank for rank in ranks)
        reply = await desk.ask(InsertCells(index=index, kinds=[args.kind], sources=[args.source]), task)
        ranks.append(args.rank)
        while len(inserted) > MAX_EDITS:
            del inserted[next(iter(inserted))]
        made[task.id] = (reply.cells[0].id, args.kind)
        cells = [*view.cells[:index], *reply.cells, *view.cells[index:]]
        now = view.model_copy(update={"cells": cells})
        return told(
            _("Inserted {cells}.").format(cells=addresses.named(reply.cells, now)),
            reply.cells,
            now,
            code=args.source,
        )


async def _worked_out(
    task: TaskHandle, args: ProposeEdits, view: NotebookView, desk: Desk
) -> list[ApplyEdit]:
    """Say for each edit which cell it means and what stands there now."""
    meant: list[CellView | None] = []
    for edit in args.edits:
        top = edit.action == "insert" and (edit.cell.strip() == "0" or not view.cells)
        meant.append(None if top else desk.resolve_one(edit.cell, view, task))
    ids = [cell.id for cell in meant if cell is not None]
    whole = await desk.read(task, cells=ids) if ids else view
    known = {cell.id: cell for cell in whole.cells}
    changes: list[ApplyEdit] = []
    for rank, (edit, cell) in enumerate(zip(args.edits, meant, strict=True)):
        if edit.action == "insert":
            where = addresses.named([cell], view) if cell is not None else ""
            name = _("a new cell at the top")
            if where:
                name = _("a new cell after {cell}").format(cell=where)
            changes.append(
                ApplyEdit(
                    action="insert",
                    name=name,
                    cell=cell.id if cell is not None else "",
                    kind=edit.kind,
                    source=edit.source,
                    runs=args.run,
                    rank=rank,
                )
            )
            continue
        assert cell is not None  # only what is inserted may be after no cell
        now = known.get(cell.id, cell)
        if edit.action == "edit" and now.source == edit.source:
            continue  # nothing to accept
        changes.append(
            ApplyEdit(
                action=edit.action,
                name=addresses.named([cell], view),
                cell=cell.id,
                kind=now.kind,
                before=now.source,
                source=edit.source if edit.action == "edit" else "",
                runs=args.run and edit.action == "edit",
            )
        )
    if not changes:
        raise ToolError(_("These cells already read like that."), hint=_("Nothing has to be changed."))
    return changes


async def _run(task: TaskHandle, wanted: set[str], result: Result, desk: Desk) -> Result:
    """Run the accepted cells in the order of the notebook; the cards have said so."""
    view = await desk.outline(task)
    found = [cell for cell in view.cells if cell.id in wanted]
    try:
        ran = await run_found(task, found, view, desk)
    except ToolFailed as failed:
        wrong = failed.result or Result()
        text = "\n".join(filter(None, (result.text, wrong.text, wrong.summary)))
        told = wrong.model_copy(update={"text": text, "data": {**wrong.data, **result.data}})
        raise ToolFailed(failed.problem, told) from None
    text = "\n".join(filter(None, (result.text, ran.text)))
    return ran.model_copy(
        update={
            "summary": f"{result.summary} {ran.summary}",
            "text": text,
            "data": {**ran.data, **result.data},
        }
    )


def _counted(args: ProposeEdits) -> str:
    return ngettext_("one change", "{count} changes", len(args.edits)).format(count=len(args.edits))


def _outcome(done: Task) -> str:
    if done.state == "succeeded":
        return _("accepted")
    if done.problem is None:
        return done.state
    if done.problem.kind == "Refused":
        return _("rejected by the user")
    return _("not made: {problem}").format(problem=done.problem.message)
