"""Edits inside a cell, for hands that cannot type: lines, words, names.

Each reads the cell, changes its text and writes it back, provided it is still the text that was read;
ids, metadata and outputs stay, and "undo" takes the edit back as one step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import CellView, Cursor, EditCell, NotebookView, Result, SelectCell
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools import lines as texts
from voice_kernel.tools.caret import Caret, end_of_line
from voice_kernel.tools.desk import Desk, told

MAX_WORDS_CHARS = 2_000
WRITE: Effects = frozenset({"write"})

Write = Callable[[str, str, str], Awaitable[str]]
"""Writes spoken words: (text, kind of cell, text before the cursor) -> text before the cursor, with them."""


class InCell(Arguments):
    """A cell."""

    cell: str = Field(default="current", max_length=200, description="Which cell.")


class Line(InCell):
    """A line of a cell."""

    line: str = Field(max_length=40, description=f"Which line: {texts.ADDRESSES}.")


class EditLines(InCell):
    """Arguments of `edit_lines`."""

    action: texts.LineAction = Field(description="What to do with them.")
    lines: str = Field(
        default="current", max_length=40, description=f"Which lines of the cell: {texts.ADDRESSES}."
    )


class InsertLine(InCell):
    """Arguments of `insert_line`."""

    text: str = Field(max_length=MAX_WORDS_CHARS, description="The line, as typed or as dictated.")
    line: str = Field(default="current", max_length=40, description="Beside which line.")
    position: Literal["above", "below"] = Field(default="below", description="On which side of it.")


class ReplaceText(InCell):
    """Arguments of `replace_text`."""

    old: str = Field(min_length=1, max_length=MAX_WORDS_CHARS, description="The words to replace.")
    new: str = Field(default="", max_length=MAX_WORDS_CHARS, description="What to put in their place.")


class RenameVariable(Arguments):
    """Arguments of `rename_variable`."""

    old: str = Field(min_length=1, max_length=200, description="The variable.")
    new: str = Field(min_length=1, max_length=200, description="Its new name.")
    cells: str = Field(default="all", max_length=200, description="In which cells.")


def register(registry: Registry, *, desk: Desk, caret: Caret, write: Write) -> None:
    """Register the tools that edit inside a cell.

    Args:
        registry: where.
        desk: reaches the cells.
        caret: where voice commands, or the person, left off.
        write: writes spoken words as code or Markdown.
    """

    async def open_cell(task: TaskHandle, address: str) -> tuple[CellView, NotebookView]:
        view = await desk.outline(task)
        caret.follow(view)
        cell = desk.resolve_one(address, view, task)
        whole = await desk.read(task, cells=[cell.id])
        return next(one for one in whole.cells if one.id == cell.id), view

    async def save(task: TaskHandle, cell: CellView, source: str, cursor: Cursor | None = None) -> None:
        await desk.snapshot(task)
        edit = EditCell(cell=cell.id, source=source, expected=cell.source, cursor=cursor)
        await desk.ask(edit, task)

    async def save_at(task: TaskHandle, cell: CellView, source: str, line: int) -> None:
        await save(task, cell, source, end_of_line(line, source))
        caret.put(cell.id, line)

    async def as_code(text: str) -> str:
        return await write(text, "code", "")

    @registry.tool(
        area="notebook",
        effects=WRITE,
        untrusted=True,
        target=lambda args: _("line {line} of {cell}").format(line=args.line, cell=args.cell),
    )
    async def go_to_line(task: TaskHandle, args: Line) -> Result:
        """Put the cursor at a line of a cell, to edit there."""
        cell, view = await open_cell(task, args.cell)
        line, _last = texts.find_lines(args.line, cell.source, caret.line_in(cell.id))
        await desk.ask(SelectCell(cell=cell.id, line=line), task)
        caret.put(cell.id, line)
        text = texts.lines_of(cell.source)[line - 1]
        return told(
            _("Line {line} of {cell}.").format(line=line, cell=addresses.named([cell], view)),
            [cell],
            view,
            text=text.strip(),
        )

    @registry.tool(
        area="notebook",
        effects=WRITE,
        untrusted=True,
        target=lambda args: _("lines {lines} of {cell}").format(lines=args.lines, cell=args.cell),
    )
    async def edit_lines(task: TaskHandle, args: EditLines) -> Result:
        """Delete, comment out, uncomment, indent, dedent or duplicate lines of a cell."""
        cell, view = await open_cell(task, args.cell)
        if args.action in ("comment", "uncomment") and cell.kind != "code":
            raise ToolError(_("Only lines of code can be commented out."))
        first, last = texts.find_lines(args.lines, cell.source, caret.line_in(cell.id))
        source = texts.changed(cell.source, first, last, args.action)
        where = _("{lines} of {cell}").format(
            lines=texts.named(first, last), cell=addresses.named([cell], view)
        )
        if source == cell.source:
            return told(_(_NOTHING[args.action]).format(lines=where), [cell], view)
        await save_at(task, cell, source, min(first, len(texts.lines_of(source))))
        return told(_(_DONE[args.action]).format(lines=where), [cell], view, code=source)

    @registry.tool(area="notebook", effects=WRITE, target=lambda args: args.text)
    async def insert_line(task: TaskHandle, args: InsertLine) -> Result:
        """Insert a line into a cell, above or below another line."""
        cell, view = await open_cell(task, args.cell)
        current = caret.line_in(cell.id) or len(texts.lines_of(cell.source))
        first, last = texts.find_lines(args.line, cell.source, current)
        after = first - 1 if args.position == "above" else last
        text = await write(args.text, cell.kind, "")
        new = after + 1 if cell.source else 1
        await save_at(task, cell, texts.with_line(cell.source, text, after), new)
        return told(
            _("Inserted line {line} in {cell}.").format(line=new, cell=addresses.named([cell], view)),
            [cell],
            view,
            code=text,
        )

    @registry.tool(area="notebook", effects=WRITE, untrusted=True, target=lambda args: args.old)
    async def replace_text(task: TaskHandle, args: ReplaceText) -> Result:
        """Replace words in a cell wherever they stand in it."""
        cell, view = await open_cell(task, args.cell)
        spoken = {words: await as_code(words) for words in (args.old, args.new) if words}
        source, hit = texts.replaced(
            cell.source, args.old, args.new, cell.kind, lambda words: spoken.get(words, words)
        )
        where = addresses.named([cell], view)
        if source == cell.source:
            return told(_("{cell} stays as it is.").format(cell=where.capitalize()), [cell], view)
        await save(task, cell, source)
        what = ", ".join(f"“{text}”" for text in hit[:3])
        return told(
            _("Replaced {words} in {cell}.").format(words=what, cell=where), [cell], view, code=source
        )

    @registry.tool(area="notebook", effects=WRITE, target=lambda args: f"{args.old} to {args.new}")
    async def rename_variable(task: TaskHandle, args: RenameVariable) -> Result:
        """Rename a variable in the code of the notebook."""
        view = await desk.outline(task)
        ids = [cell.id for cell in desk.resolve(args.cells, view, task) if cell.kind == "code"]
        whole = await desk.read(task, cells=ids)
        code = [cell for cell in whole.cells if cell.id in set(ids)]
        old = next(filter(None, (texts.find_name(cell.source, args.old) for cell in code)), None)
        if old is None:
            raise ToolError(_("There is no variable {old} in the code.").format(old=args.old))
        new = texts.as_name(await as_code(args.new), old)
        touched: list[CellView] = []
        places = 0
        for cell in code:
            source, count = texts.renamed(cell.source, old, new)
            if count:
                await save(task, cell, source)
                touched.append(cell)
                places += count
        if not touched:
            raise ToolError(
                _("{old} is no variable of its own in the code.").format(old=old),
                hint=_("Say: replace it with."),
            )
        summary = ngettext_(
            "Renamed {old} to {new}, once in {cells}.",
            "Renamed {old} to {new}, {count} times in {cells}.",
            places,
        )
        cells = addresses.named(touched, view)
        return told(summary.format(old=old, new=new, count=places, cells=cells), touched, view)


_DONE = {
    "delete": N_("Deleted {lines}."),
    "comment": N_("Commented out {lines}."),
    "uncomment": N_("Uncommented {lines}."),
    "indent": N_("Indented {lines}."),
    "dedent": N_("Dedented {lines}."),
    "duplicate": N_("Duplicated {lines}."),
}
_NOTHING = {
    "delete": N_("There is nothing to delete in {lines}."),
    "comment": N_("There is nothing to comment in {lines}."),
    "uncomment": N_("There is nothing to uncomment in {lines}."),
    "indent": N_("There is nothing to indent in {lines}."),
    "dedent": N_("There is nothing to dedent in {lines}."),
    "duplicate": N_("There is nothing to duplicate in {lines}."),
}
