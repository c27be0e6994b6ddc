"""Runs cells: through the front end, or here where a cell waits for them.

A turn that a cell asked for (`%voice run cell 3`) cannot let the front end run cells: they would queue
behind the cell that waits for them. Their code runs here instead, and the front end is told into which
cell its output belongs.

Where no front end answers, what was run is run again: cells then go by the number of their execution, as in
`In[3]`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from voice_kernel.errors import ToolError, ToolUnavailable
from voice_kernel.language import _, capital
from voice_kernel.messages import (
    CellView,
    NotebookView,
    Output,
    Problem,
    ReadNotebook,
    Result,
    RunCells,
    ShowOutputs,
)
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import ToolFailed
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.cells import ids_of
from voice_kernel.tools.desk import MAX_OUTPUT_CHARS, Desk, size_of, told, view_of
from voice_kernel.tools.terminal import plain


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
            size = size_of(output)
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
        where = capital(addresses.named([self.failed], self.view))
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
    reply = await desk.ask(RunCells(cells=ids_of(found)), task)
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
                if nested.joined_late and sum(map(size_of, done.outputs)) <= MAX_OUTPUT_CHARS:
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


async def run_inputs(task: TaskHandle, address: str, desk: Desk, missing: ToolUnavailable) -> Result:
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


def _plain(outputs: Sequence[Output]) -> str:
    texts = (output.text or output.data.get("text/plain", "") for output in outputs)
    return plain("\n".join(text.rstrip("\n") for text in texts if text))[-8_000:]
