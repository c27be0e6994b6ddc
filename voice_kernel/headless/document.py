"""A notebook file: its cells, what can be done to them, undo, and saving that never leaves half a file.

Knows nbformat and the file; nothing of kernels, requests or who asks. A cell is one `NotebookNode` for as
long as the document lives, whatever is done to it: outputs that arrive late still find it.
"""

from __future__ import annotations

import copy
import json
import os
import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from voice_kernel.errors import NotebookError
from voice_kernel.messages import CellView, NotebookView, Output, Problem

Kind = Literal["code", "markdown", "raw"]

MAX_VIEW_CHARS = 2_000_000
"""Outputs of one cell in a view."""
MAX_STEPS = 100
EXPECTED_ERROR = "raises-exception"
"""Tag of a cell whose error is no failure. Source: nbclient."""


class CannotAct(Exception):
    """A request does not fit the notebook as it is; says why, as data."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(kind=kind, message=message, hint=hint)


@dataclass
class _Step:
    """How the notebook was before a step: the order of its cells, and those whose content changed."""

    number: int
    order: list[NotebookNode]
    contents: dict[int, tuple[NotebookNode, dict[str, Any]]] = field(default_factory=dict)


class Document:
    """An open notebook.

    Args:
        notebook: as nbformat reads it.
        path: where it is saved.
        indent: spaces of one level in the file.
        newline: whether the file ends with one.
    """

    def __init__(self, notebook: NotebookNode, path: Path, *, indent: int = 1, newline: bool = True) -> None:
        self.notebook = notebook
        self.path = path
        self._indent = indent
        self._newline = newline
        self._active: NotebookNode | None = self.cells[0] if self.cells else None
        self._ids: dict[int, str] = {}
        """Ids of cells that have none in the file (nbformat before 4.5)."""
        self._done: list[_Step] = []
        self._undone: list[_Step] = []

    @classmethod
    def open(cls, path: Path) -> Document:
        """Read a notebook file.

        Raises:
            NotebookError: there is none, or it is no notebook.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotebookError(f"{path} cannot be read: {_reason(error)}.") from None
        try:
            notebook = nbformat.reads(text, as_version=4)
            nbformat.validate(notebook)
        except Exception as error:  # noqa: BLE001 - nbformat raises many kinds for what is no notebook
            raise NotebookError(
                f"{path} is no valid notebook: {_reason(error)}.",
                hint="Open and save it in JupyterLab, which repairs what it can.",
            ) from None
        indented = re.match(r"\{\n( +)", text)
        return cls(notebook, path, indent=len(indented[1]) if indented else 1, newline=text.endswith("\n"))

    def replaced(self, notebook: NotebookNode) -> Document:
        """Return a new document of the same file, with other content."""
        return Document(notebook, self.path, indent=self._indent, newline=self._newline)

    # ---- the file ---------------------------------------------------------------------------------

    def save(self, path: Path | None = None) -> Path:
        """Write the notebook, whole or not at all; returns where.

        A file that would not change is left alone.

        Raises:
            NotebookError: it cannot be written; the file is as before.
        """
        target = Path(os.path.realpath(path or self.path))  # through a link, to the file itself
        text = nbformat.writes(self.notebook, indent=self._indent).rstrip("\n")
        data = (text + ("\n" if self._newline else "")).encode()
        temporary = ""
        try:
            if target.is_file() and target.read_bytes() == data:
                return target
            target.parent.mkdir(parents=True, exist_ok=True)
            number, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
            os.chmod(temporary, mode)
            os.replace(temporary, target)
        except OSError as error:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            raise NotebookError(f"{target} cannot be written: {_reason(error)}.") from None
        return target

    # ---- cells ------------------------------------------------------------------------------------

    @property
    def cells(self) -> list[NotebookNode]:
        """The cells, in order."""
        cells: list[NotebookNode] = self.notebook.cells
        return cells

    def id_of(self, cell: NotebookNode) -> str:
        """Return a cell's id; one is made up for a file that has none."""
        if "id" in cell:
            return str(cell["id"])
        return self._ids.setdefault(id(cell), uuid.uuid4().hex[:8])

    def cell(self, cell_id: str) -> NotebookNode:
        """Return the cell with that id.

        Raises:
            CannotAct: there is none.
        """
        for cell in self.cells:
            if self.id_of(cell) == cell_id:
                return cell
        raise CannotAct("NoSuchCell", "That cell is not in the notebook any more.")

    def position(self, cell: NotebookNode) -> int:
        """Return a cell's position, from 0; -1 when it is not in the notebook."""
        return next((at for at, other in enumerate(self.cells) if other is cell), -1)

    @property
    def active(self) -> int:
        """Position of the active cell, from 0; -1 when there is none."""
        return self.position(self._active) if self._active is not None else -1

    def select(self, cell: NotebookNode) -> None:
        """Make a cell the active one."""
        self._active = cell

    def view(
        self,
        *,
        calling: NotebookNode | None = None,
        sources: bool = False,
        outputs: bool = False,
        wanted: Sequence[str] = (),
    ) -> NotebookView:
        """Return the notebook as data.

        Args:
            calling: the cell whose magic waits.
            sources: whether sources are wanted.
            outputs: whether outputs are wanted.
            wanted: ids of the cells of which they are; all when empty.
        """
        chosen = set(wanted)
        cells = []
        for cell in self.cells:
            whole = not chosen or self.id_of(cell) in chosen
            cells.append(self.view_of(cell, sources=sources and whole, outputs=outputs and whole))
        return NotebookView(
            path=self.path.name,
            cells=cells,
            active=self.active,
            calling=self.id_of(calling) if calling is not None else "",
        )

    def view_of(self, cell: NotebookNode, *, sources: bool = True, outputs: bool = True) -> CellView:
        """Return one cell as data."""
        return CellView(
            id=self.id_of(cell),
            kind=cell.cell_type,
            source=cell.source if sources else "",
            execution_count=cell.get("execution_count"),
            failed=has_failed(cell),
            outputs=_outputs(cell) if outputs else [],
        )

    # ---- changes ----------------------------------------------------------------------------------

    def insert(
        self, index: int, kinds: Sequence[Kind], sources: Sequence[str], *, step: int = 0
    ) -> list[NotebookNode]:
        """Insert cells before `index`, and make the last of them the active one; returns them."""
        if len(kinds) != len(sources):
            raise CannotAct("InvalidRequest", "Every new cell needs a kind and a source.")
        made = [self._new(kind, source) for kind, source in zip(kinds, sources, strict=True)]
        self._begin(step)
        index = min(max(index, 0), len(self.cells))
        self.cells[index:index] = made
        self._active = made[-1] if made else self._active
        return made

    def edit(self, cell_id: str, source: str, expected: str | None = None, *, step: int = 0) -> NotebookNode:
        """Replace a cell's source.

        Raises:
            CannotAct: the source is not the expected one.
        """
        cell = self.cell(cell_id)
        if expected is not None and cell.source != expected:
            raise CannotAct("Conflict", "The cell has been changed meanwhile.", "Say it again.")
        self._begin(step, [cell])
        cell["source"] = source
        return cell

    def delete(self, ids: Sequence[str], *, step: int = 0) -> None:
        """Delete cells."""
        doomed = [self.cell(cell_id) for cell_id in ids]
        at = self.active
        self._begin(step)
        self.notebook.cells = [cell for cell in self.cells if not any(cell is gone for gone in doomed)]
        if self.active < 0:
            before = min(at, len(self.cells) - 1)
            self._active = self.cells[before] if self.cells else None

    def move(self, ids: Sequence[str], index: int, *, step: int = 0) -> None:
        """Move cells, as a block in their order, so that the first stands at `index` afterwards."""
        chosen = [self.cell(cell_id) for cell_id in ids]
        block = [cell for cell in self.cells if any(cell is one for one in chosen)]
        rest = [cell for cell in self.cells if not any(cell is one for one in block)]
        self._begin(step)
        index = min(max(index, 0), len(rest))
        self.notebook.cells = [*rest[:index], *block, *rest[index:]]

    def change_kind(self, ids: Sequence[str], kind: Kind, *, step: int = 0) -> list[NotebookNode]:
        """Change the kind of cells; what the new kind cannot hold goes."""
        changing = [cell for cell in map(self.cell, ids) if cell.cell_type != kind]
        self._begin(step, changing)
        for cell in changing:
            cell["cell_type"] = kind
            if kind == "code":
                cell.pop("attachments", None)
                cell["execution_count"], cell["outputs"] = None, []
            else:
                cell.pop("execution_count", None)
                cell.pop("outputs", None)
        return changing

    def clear(self, ids: Sequence[str], *, step: int = 0) -> list[NotebookNode]:
        """Clear the outputs and execution numbers of code cells."""
        cells = [cell for cell in map(self.cell, ids) if cell.cell_type == "code"]
        self._begin(step, cells)
        for cell in cells:
            cell["execution_count"], cell["outputs"] = None, []
        return cells

    def runs(self, cells: Sequence[NotebookNode], *, step: int = 0) -> None:
        """Remember how cells are before they are run: undo brings their outputs back."""
        if step:
            self._begin(step, cells)

    # ---- undo -------------------------------------------------------------------------------------

    def undo(self) -> tuple[list[NotebookNode], int]:
        """Take the last step back.

        Returns:
            The cells that came back or were changed, and how many were touched, with those that went.

        Raises:
            CannotAct: there is no step.
        """
        return self._turn(self._done, self._undone, "undo")

    def redo(self) -> tuple[list[NotebookNode], int]:
        """Do the last undone step again; returns and raises like `undo`."""
        return self._turn(self._undone, self._done, "redo")

    def _turn(self, source: list[_Step], target: list[_Step], verb: str) -> tuple[list[NotebookNode], int]:
        if not source:
            raise CannotAct("NothingToDo", f"There is nothing to {verb}.")
        step = source.pop()
        inverse = _Step(step.number, list(self.cells))
        known = {id(cell) for cell in self.cells}
        for cell, content in step.contents.values():
            inverse.contents[id(cell)] = (cell, copy.deepcopy(dict(cell)))
            cell.clear()
            cell.update(copy.deepcopy(content))
        self.notebook.cells = list(step.order)
        target.append(inverse)
        if self.active < 0:
            self._active = self.cells[0] if self.cells else None
        there = [cell for cell in self.cells if id(cell) in step.contents or id(cell) not in known]
        gone = known - {id(cell) for cell in self.cells}
        return there, max(1, len(there) + len(gone))  # a move alone touches something, too

    def _begin(self, number: int, changing: Sequence[NotebookNode] = ()) -> None:
        """Remember how things are, before they change; requests of one step share what is remembered."""
        self._undone.clear()
        step = self._done[-1] if self._done else None
        if step is None or number == 0 or step.number != number:
            step = _Step(number, list(self.cells))
            self._done = [*self._done[-MAX_STEPS + 1 :], step]
        for cell in changing:
            if id(cell) not in step.contents:
                step.contents[id(cell)] = (cell, copy.deepcopy(dict(cell)))

    def _new(self, kind: Kind, source: str) -> NotebookNode:
        make: dict[str, Any] = {
            "code": nbformat.v4.new_code_cell,
            "markdown": nbformat.v4.new_markdown_cell,
            "raw": nbformat.v4.new_raw_cell,
        }
        cell: NotebookNode = make[kind](source)
        if self.notebook.nbformat_minor < 5:
            del cell["id"]  # which that version of the format does not know
        return cell


def has_failed(cell: NotebookNode) -> bool:
    """Return whether a cell's outputs hold an error that was not expected."""
    if EXPECTED_ERROR in cell.metadata.get("tags", []):
        return False
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _outputs(cell: NotebookNode) -> list[Output]:
    """Return a cell's outputs as data, within `MAX_VIEW_CHARS`."""
    room = MAX_VIEW_CHARS
    made: list[Output] = []
    for output in cell.get("outputs", []):
        match output.output_type:
            case "stream":
                made.append(Output(kind="stream", text=output.text[: max(room, 0)]))
            case "error":
                data = {"ename": str(output.ename), "evalue": str(output.evalue)[:2_000]}
                made.append(Output(kind="error", text="\n".join(output.traceback)[-100_000:], data=data))
            case kind:
                texts = {mime: _text(value) for mime, value in output.data.items()}
                kept = {mime: text for mime, text in texts.items() if len(text) <= room}
                made.append(Output(kind="result" if kind == "execute_result" else "display", data=kept))
        room -= len(made[-1].text) + sum(map(len, made[-1].data.values()))
    return made


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return " ".join(str(error).split("\n")[0].split())[:200] or type(error).__name__
