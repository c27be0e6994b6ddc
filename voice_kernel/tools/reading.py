"""Reading back: where one is, what a cell holds, what it put out, how it failed.

The summary of each result is short enough to be spoken; the whole is in its text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _, capital, ngettext_
from voice_kernel.messages import CellView, NotebookView, Output, Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.caret import Caret
from voice_kernel.tools.desk import Desk, told
from voice_kernel.tools.diagnosis import places_in
from voice_kernel.tools.navigation import headings
from voice_kernel.tools.running import error_in
from voice_kernel.tools.terminal import clip, plain

MAX_SPOKEN_CHARS = 240
READ: Effects = frozenset({"read"})
READERS = frozenset({"where_am_i", "read_cell", "read_output", "read_error", "explain_error"})
"""They fail without being what has failed."""


class Nothing(Arguments):
    """No arguments."""


class Cell(Arguments):
    """A cell."""

    cell: str = Field(default="current", max_length=200, description="Which cell.")


def register(
    registry: Registry, *, desk: Desk, caret: Caret, tasks: Callable[[], Sequence[Task]] = tuple
) -> None:
    """Register the tools that read back.

    Args:
        registry: where.
        desk: reaches the cells.
        caret: where voice commands, or the person, left off.
        tasks: the known tasks, oldest first: "the error" is that of what failed last, cell or not.
    """

    async def open_cell(task: TaskHandle, address: str, *, outputs: bool) -> tuple[CellView, NotebookView]:
        view = await desk.outline(task)
        cell = desk.resolve_one(address, view, task)
        whole = await desk.read(task, outputs=outputs, cells=[cell.id])
        return next(one for one in whole.cells if one.id == cell.id), view

    @registry.tool(area="notebook", effects=READ, untrusted=True)
    async def where_am_i(task: TaskHandle, args: Nothing) -> Result:
        """Say which cell is the current one, where it stands and what state it is in."""
        view = await desk.read(task)
        caret.follow(view)
        if not view.cells:
            return Result(summary=_("The notebook has no cells."))
        at = desk.anchor(view, task)
        if not 0 <= at < len(view.cells):
            raise ToolError(_("No cell is selected."), hint=_("Select one first, or say its number."))
        cell = view.cells[at]
        parts = [
            _("Cell {number} of {count}, {kind}").format(
                number=at + 1, count=len(view.cells), kind=_kind(cell)
            )
        ]
        line = caret.line_in(cell.id)
        if line is not None:
            parts.append(_("line {number}").format(number=line))
        under = [heading for heading in headings(view.cells) if heading.cell <= at]
        if under:
            parts.append(_("under {heading}").format(heading=under[-1].text))
        state = " " + _("It failed.") if cell.failed else ""
        return told(f"{', '.join(parts)}.{state}", [cell], view, text=cell.source)

    @registry.tool(area="notebook", effects=READ, untrusted=True)
    async def read_cell(task: TaskHandle, args: Cell) -> Result:
        """Read a cell's text."""
        cell, view = await open_cell(task, args.cell, outputs=False)
        name = capital(addresses.named([cell], view))
        if not cell.source.strip():
            return told(_("{cell} is empty.").format(cell=name), [cell], view)
        code = cell.source if cell.kind == "code" else ""
        text = "" if code else cell.source
        return told(f"{name}, {_kind(cell)}: {spoken(cell.source)}", [cell], view, code=code, text=text)

    @registry.tool(area="notebook", effects=READ | {"values"}, untrusted=True)
    async def read_output(task: TaskHandle, args: Cell) -> Result:
        """Read what a cell put out."""
        cell, view = await open_cell(task, args.cell, outputs=True)
        name = addresses.named([cell], view)
        if not cell.outputs:
            return told(_("{cell} has no output.").format(cell=capital(name)), [cell], view)
        if cell.failed:
            error = error_in(cell)
            said = _("{cell} failed with {error}").format(
                cell=capital(name), error=f"{error.kind}: {spoken(error.message)}"
            )
        else:
            said = f"{capital(name)}: {_outputs_spoken(cell.outputs)}"
        text = "\n".join(filter(None, (_text(output) for output in cell.outputs)))
        return told(said, [cell], view, text=text, outputs=cell.outputs)

    @registry.tool(area="notebook", effects=READ, untrusted=True)
    async def read_error(task: TaskHandle, args: Cell) -> Result:
        """Read the error of a cell: its name, what it says, and the line where it was raised.

        Without a cell: the error of what failed last, be it a cell, a command or a test.
        """
        failed = last_failure(tasks()) if args.cell == "current" else None
        if failed is not None and failed.area != "notebook":
            return _task_error(failed)
        try:
            cell, view = await failed_cell(desk, task, args.cell)
        except ToolError:
            if failed is None:
                raise
            return _task_error(failed)
        error = error_in(cell)
        line = next(
            (line for number, line in places_in(cell.outputs) if number == cell.execution_count), None
        )
        at = ", " + _("line {number}").format(number=line) if line else ""
        lines = cell.source.splitlines()
        code = f": {lines[line - 1].strip()}" if line and line <= len(lines) else ""
        said = f"{capital(addresses.named([cell], view))}{at}: {error.kind}: {spoken(error.message)}"
        text = "\n".join(filter(None, [said + code, *(_text(o) for o in cell.outputs if o.kind == "error")]))
        return told(said, [cell], view, text=text)


def last_failure(tasks: Sequence[Task]) -> Task | None:
    """Return the task that ended last, if it failed; those that only read things do not count."""
    ended = (task for task in reversed(tasks) if task.ended_at is not None and task.tool not in READERS)
    last = next(ended, None)
    return last if last is not None and last.state == "failed" and last.problem is not None else None


def _task_error(failed: Task) -> Result:
    problem = failed.problem
    assert problem is not None
    hint = f" {problem.hint}" if problem.hint else ""
    result = failed.result or Result()
    return Result(
        summary=f"{spoken(problem.message)}{hint}",
        text=result.text,
        tests=result.tests,
        data={"task": failed.id, "error": problem.kind},
    )


async def failed_cell(desk: Desk, task: TaskHandle, address: str) -> tuple[CellView, NotebookView]:
    """Return the cell whose error is meant, with its outputs, and the outline.

    `current` means the current cell if it failed, else the one that failed last.

    Raises:
        ToolError: it did not fail, or none did.
    """
    view = await desk.outline(task)
    if address == "current":
        at = desk.anchor(view, task)
        cell = view.cells[at] if 0 <= at < len(view.cells) else None
        if cell is None or not cell.failed:
            failed = [one for one in view.cells if one.failed]
            if not failed:
                raise ToolError(_("No cell has failed."))
            cell = max(failed, key=lambda one: one.execution_count or 0)
    else:
        cell = desk.resolve_one(address, view, task)
        if not cell.failed:
            raise ToolError(_("{cell} has not failed.").format(cell=capital(addresses.named([cell], view))))
    whole = await desk.read(task, outputs=True, cells=[cell.id])
    return next(one for one in whole.cells if one.id == cell.id), view


def spoken(text: str) -> str:
    """Return a text short enough to be read aloud: its beginning, and how much more there is."""
    lines = [line.strip() for line in plain(text).strip().splitlines() if line.strip()]
    whole = "; ".join(lines)
    if len(whole) <= MAX_SPOKEN_CHARS:
        return whole
    kept, size = 0, 0
    for line in lines:
        if size + len(line) > MAX_SPOKEN_CHARS:
            break
        kept, size = kept + 1, size + len(line) + 2
    if not kept:
        return lines[0][: MAX_SPOKEN_CHARS - 1] + "…"
    more = len(lines) - kept
    rest = ngettext_("and {count} more line", "and {count} more lines", more).format(count=more)
    return "; ".join([*lines[:kept], rest])


def _outputs_spoken(outputs: Sequence[Output]) -> str:
    pictures = sum(any(mime.startswith("image/") for mime in output.data) for output in outputs)
    texts = [
        _text(output) for output in outputs if not any(mime.startswith("image/") for mime in output.data)
    ]
    said = spoken("\n".join(filter(None, texts)))
    if pictures:
        rest = ngettext_("and a picture", "and {count} pictures", pictures)
        only = ngettext_("It shows a picture.", "It shows {count} pictures.", pictures)
        said = f"{said}; {rest.format(count=pictures)}" if said else only.format(count=pictures)
    return said or _("Its output is no text.")


def _text(output: Output) -> str:
    return clip(plain(output.text or output.data.get("text/plain", "")).rstrip("\n"))


def _kind(cell: CellView) -> str:
    return {"markdown": "Markdown"}.get(cell.kind, cell.kind)
