"""Explaining the last error and, where that is sure enough, mending the code that raised it.

The deterministic part: what `diagnosis` knows. Finds the error (of a cell, else of the last task that ran
code) and carries the suggestion out as an edit that "undo" takes back; a missing package is installed
through the toolbox, which asks first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from pydantic import Field

from voice_kernel.context import Context
from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.messages import CellView, EditCell, InsertCells, NotebookView, Problem, Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.desk import Desk, told
from voice_kernel.tools.diagnosis import Diagnosis, Failure, Known, diagnose, places_in, syntax_line
from voice_kernel.tools.reading import failed_cell
from voice_kernel.tools.running import error_in

READ: Effects = frozenset({"read"})
WRITE: Effects = frozenset({"write"})

Call = Callable[[TaskHandle, str, dict[str, str]], Awaitable[Task]]
"""Calls a tool through the toolbox, for the turn of a task."""


class OfCell(Arguments):
    """A cell that failed."""

    cell: str = Field(
        default="current", max_length=200, description="Which cell; the one that failed last if it did not."
    )


@dataclass(frozen=True)
class Found:
    """An error, and the cell it was raised in, if it was one."""

    failure: Failure
    view: NotebookView | None = None
    cell: CellView | None = None
    """Where the line is that raised: perhaps a function that another cell defines."""

    @property
    def where(self) -> str:
        """The place in a person's words."""
        if self.cell is None or self.view is None:
            return _("The code")
        return addresses.named([self.cell], self.view).capitalize()

    @property
    def place(self) -> str:
        """The place as it is named inside a sentence."""
        if self.cell is None or self.view is None:
            return _("the code")
        return addresses.named([self.cell], self.view)


def register(
    registry: Registry,
    *,
    desk: Desk,
    context: Callable[[], Context],
    attributes: Callable[[str], tuple[str, ...]],
    tasks: Callable[[], Iterable[Task]],
    call: Call,
) -> None:
    """Register the tools that explain and mend errors.

    Args:
        registry: where.
        desk: reaches the cells.
        context: what exists now.
        attributes: names on a variable or a module's part, without running user code.
        tasks: the session's tasks, oldest first.
        call: calls another tool.
    """

    async def last_error(task: TaskHandle, address: str) -> tuple[Found, Diagnosis]:
        try:
            cell, _outline = await failed_cell(desk, task, address)
        except ToolError as missing:
            ran = _failed_task(tasks())
            if ran is None or address != "current":
                raise missing
            found = Found(ran)
            return found, diagnose(ran, Known(context(), attributes))
        whole = await desk.read(task)
        found = _locate(cell, whole)
        others = tuple(
            (addresses.named([other], whole), other.source)
            for other in whole.cells
            if other.kind == "code" and found.cell is not None and other.id != found.cell.id
        )
        return found, diagnose(found.failure, Known(context(), attributes, others))

    @registry.tool(area="notebook", effects=READ, untrusted=True)
    async def explain_error(task: TaskHandle, args: OfCell) -> Result:
        """Explain the last error in plain words, and suggest what to do."""
        found, known = await last_error(task, args.cell)
        failure = found.failure
        at = ", " + _("line {number}").format(number=failure.line) if failure.line else ""
        lines = [f"{found.where}{at}: {failure.kind}. {known.meaning}"]
        lines += [known.suggestion] if known.suggestion else []
        lines += [_('Say "fix the error" to have it done.')] if known.source or known.package else []
        line = failure.code.strip() if failure.line else ""
        text = "\n".join(filter(None, [f"{failure.kind}: {failure.message}", line and f"    {line}"]))
        return _result(found, " ".join(lines), text, known)

    @registry.tool(
        area="notebook",
        effects=WRITE,
        untrusted=True,
        target=lambda args: _("the error of {cell}").format(cell=args.cell),
    )
    async def fix_error(task: TaskHandle, args: OfCell) -> Result:
        """Carry out what is suggested for the last error; it can be undone."""
        found, known = await last_error(task, args.cell)
        if known.package:
            await _install(task, known.package)
            summary = _("Installed {package}. Run {place} again.").format(
                package=known.package, place=found.place
            )
            return _result(found, summary, "", known)
        if not known.source:
            raise ToolError(
                _("{meaning} I do not know a sure fix for it.").format(meaning=known.meaning),
                hint=known.suggestion or _("Edit the code."),
            )
        if found.cell is None:
            view = await desk.outline(task)
            index = desk.anchor(view, task) + 1
            reply = await desk.ask(InsertCells(index=index, kinds=["code"], sources=[known.source]), task)
            after = await desk.outline(task)
            summary = _("{fixed}: the code is in {cells}.").format(
                fixed=known.fixed, cells=addresses.named(reply.cells, after)
            )
            return told(summary, reply.cells, after, code=known.source)
        await desk.snapshot(task)
        edit = EditCell(cell=found.cell.id, source=known.source, expected=found.failure.source)
        await desk.ask(edit, task)
        return _result(
            found,
            _("{fixed} in {place}. Run it again.").format(fixed=known.fixed, place=found.place),
            "",
            known,
        )

    async def _install(task: TaskHandle, package: str) -> None:
        done = await call(task, "run_shell", {"command": f"pip install {package}"})
        if done.state != "succeeded":
            problem = done.problem or Problem(
                kind="Error", message=_("{package} was not installed.").format(package=package)
            )
            raise ToolFailed(problem, done.result)


def _locate(cell: CellView, whole: NotebookView) -> Found:
    """Return the error of a failed cell with the innermost line of the notebook that it passed."""
    error = error_in(cell)
    by_number = {one.execution_count: one for one in whole.cells if one.execution_count is not None}
    source = next(one.source for one in whole.cells if one.id == cell.id)
    for number, line in places_in(cell.outputs):
        place = by_number.get(number)
        if place is not None and line <= place.source.count("\n") + 1:
            return Found(Failure(error.kind, error.message, place.source, line), whole, place)
    here = next(one for one in whole.cells if one.id == cell.id)
    return Found(Failure(error.kind, error.message, source, syntax_line(error)), whole, here)


def _failed_task(tasks: Iterable[Task]) -> Failure | None:
    """Return the error of the last task that ran code, if it failed."""
    ran = [task for task in tasks if task.result is not None and task.result.code]
    if not ran or ran[-1].state != "failed" or ran[-1].problem is None or ran[-1].result is None:
        return None
    line = ran[-1].result.data.get("line")
    return Failure(
        ran[-1].problem.kind,
        ran[-1].problem.message,
        ran[-1].result.code,
        line if isinstance(line, int) else syntax_line(ran[-1].problem),
    )


def _result(found: Found, summary: str, text: str, known: Diagnosis) -> Result:
    data = {"error": found.failure.kind, "line": found.failure.line, "suggestion": known.suggestion}
    if found.cell is None or found.view is None:
        return Result(summary=summary, text=text, code=known.source, data=data)
    return told(summary, [found.cell], found.view, text=text, code=known.source, data=data)
