"""A notebook that stands for a front end: keeps cells, runs their code, takes steps back."""

from __future__ import annotations

import contextlib
import io
import traceback
from dataclasses import dataclass, field
from typing import Any

from voice_kernel.errors import ToolError
from voice_kernel.kernel import CodeResult
from voice_kernel.messages import (
    CellAction,
    CellReply,
    CellView,
    DeleteCells,
    EditCell,
    InsertCells,
    NotebookView,
    Output,
    Problem,
    ReadNotebook,
    RunCells,
    UndoStep,
)


@dataclass
class PlayedNotebook:
    """Implements `CellHost` and `CellKernel`."""

    cells: list[CellView] = field(default_factory=list)
    active: int = 0
    names: dict[str, Any] = field(default_factory=dict)
    """The namespace in which code runs."""
    asked: list[CellAction] = field(default_factory=list)
    calling_request = ""
    _steps: list[tuple[int, list[CellView]]] = field(default_factory=list)
    _count: int = 0

    def add(self, source: str, kind: str = "code") -> str:
        """Append a cell; returns its id."""
        cell = CellView.model_validate({"id": f"c{len(self.cells) + 1}", "kind": kind, "source": source})
        self.cells.append(cell)
        return cell.id

    @property
    def sources(self) -> list[str]:
        return [cell.source for cell in self.cells]

    async def request(self, action: CellAction, *, step: int = 0) -> CellReply:
        self.asked.append(action)
        if isinstance(action, InsertCells | EditCell | DeleteCells) and (
            not self._steps or self._steps[-1][0] != step
        ):
            self._steps.append((step, list(self.cells)))
        match action:
            case ReadNotebook():
                return CellReply(id=0, notebook=self._view(action))
            case InsertCells():
                self._count += 1
                fresh = [
                    CellView(id=f"n{self._count}-{i}", kind=kind, source=source)
                    for i, (kind, source) in enumerate(zip(action.kinds, action.sources, strict=True))
                ]
                self.cells[action.index : action.index] = fresh
                return CellReply(id=0, cells=fresh)
            case EditCell():
                return self._edit(action)
            case DeleteCells():
                self.cells = [cell for cell in self.cells if cell.id not in action.cells]
            case RunCells():
                return self._run(action)
            case UndoStep():
                if not self._steps:
                    return CellReply(id=0, text="0")
                self.cells = self._steps.pop()[1]
                return CellReply(id=0, text="1")
            case _:
                pass
        return CellReply(id=0)

    async def run(self, code: str, **_options: object) -> CodeResult:
        outputs, error = self.execute(code)
        return CodeResult(success=error is None, outputs=tuple(outputs), error=error)

    def inputs(self) -> dict[int, str]:
        return {}

    def set_next_input(self, code: str) -> bool:
        return False

    def execute(self, code: str) -> tuple[list[Output], Problem | None]:
        """Run code; returns what it put out, and its error."""
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(code, "<cell>", "exec"), self.names)  # the tests' own code
        except Exception as error:  # noqa: BLE001 - whatever a cell raises is its result
            problem = Problem(kind=type(error).__name__, message=str(error))
            trace = "".join(traceback.format_exception_only(error))
            return [Output(kind="stream", text=out.getvalue()), Output(kind="error", text=trace)], problem
        return [Output(kind="stream", text=out.getvalue())] if out.getvalue() else [], None

    def _view(self, action: ReadNotebook) -> NotebookView:
        wanted = set(action.cells) or {cell.id for cell in self.cells}
        cells = [
            cell.model_copy(
                update={
                    "source": cell.source if action.sources and cell.id in wanted else "",
                    "outputs": cell.outputs if action.outputs and cell.id in wanted else [],
                }
            )
            for cell in self.cells
        ]
        return NotebookView(path="a.ipynb", cells=cells, active=min(self.active, len(cells) - 1))

    def _edit(self, action: EditCell) -> CellReply:
        at = next((i for i, cell in enumerate(self.cells) if cell.id == action.cell), None)
        if at is None:
            raise ToolError("There is no such cell.")
        if action.expected is not None and self.cells[at].source != action.expected:
            raise ToolError("The cell was changed meanwhile.")
        self.cells[at] = self.cells[at].model_copy(update={"source": action.source})
        return CellReply(id=0, cells=[self.cells[at]])

    def _run(self, action: RunCells) -> CellReply:
        done: list[CellView] = []
        for at, cell in enumerate(self.cells):
            if cell.id not in action.cells or cell.kind != "code":
                continue
            self._count += 1
            outputs, error = self.execute(cell.source)
            ran = cell.model_copy(
                update={"outputs": outputs, "failed": error is not None, "execution_count": self._count}
            )
            self.cells[at] = ran
            done.append(ran)
            if error is not None:
                break
        return CellReply(id=0, cells=done)
