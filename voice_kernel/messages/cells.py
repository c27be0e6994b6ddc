"""Cells: requests of the kernel to the front end that shows the notebook, and its replies.

This way is turned round: the kernel asks, and one surface answers.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from voice_kernel.messages.results import Output
from voice_kernel.messages.wire import Problem, Wire


class CellView(Wire):
    """One cell as the front end has it; positions are those of the list it stands in."""

    id: str
    """nbformat cell id; what every request addresses cells by."""
    kind: Literal["code", "markdown", "raw"]
    source: str = ""
    """Left out (empty) in an outline."""
    execution_count: int | None = None
    failed: bool = False
    """Whether its outputs hold an error."""
    outputs: list[Output] = []
    """Left out in an outline; capped like a task's outputs."""


class Cursor(Wire):
    """A place in a cell's text."""

    line: int = Field(ge=1)
    """From 1."""
    column: int = Field(ge=0)
    """Characters (code points) before it in its line."""


class NotebookView(Wire):
    """The notebook as a front end has it."""

    path: str
    cells: list[CellView]
    active: int
    """Position of the active cell, from 0; -1 when there is none."""
    cursor: Cursor | None = None
    """Where the person's cursor is in the active cell; None unless they have put it there."""
    calling: str = ""
    """Id of the cell whose `%voice` waits now; empty otherwise."""
    shared: bool = False
    """Whether other pages see every change of its cells at once, outputs included (collaboration)."""


class ReadNotebook(Wire):
    """Answered with a `NotebookView`."""

    action: Literal["read"] = "read"
    sources: bool = False
    outputs: bool = False
    cells: list[str] = []
    """Ids whose sources and outputs are wanted; empty for all."""


class RunCells(Wire):
    """Run cells in order, stopping at the first that raises; answered with their views, outputs included."""

    action: Literal["run"] = "run"
    cells: list[str]


class ShowOutputs(Wire):
    """Show what a cell put out while the kernel ran it nested under `%voice`: live, then final."""

    action: Literal["outputs"] = "outputs"
    cell: str
    parent_msg_id: str
    """iopub messages with this parent belong to the cell until `done`."""
    execution_count: int | None = None
    done: bool = False
    outputs: list[Output] = []
    """For a page that came while the cell ran: what it has put out so far or, with `done`, all of it; left
    out where that is too much."""


class InsertCells(Wire):
    """Insert cells before `index` (from 0; the number of cells appends); answered with their views."""

    action: Literal["insert"] = "insert"
    index: int
    kinds: list[Literal["code", "markdown", "raw"]]
    sources: list[str]


class EditCell(Wire):
    """Replace a cell's source, keeping id, metadata and attachments."""

    action: Literal["edit"] = "edit"
    cell: str
    source: str
    expected: str | None = None
    """Refuse (`Conflict`) unless this is the source now; None edits whatever is there."""
    cursor: Cursor | None = None
    """Where the person's cursor is to be afterwards; None leaves it to the front end."""


class DeleteCells(Wire):
    action: Literal["delete"] = "delete"
    cells: list[str]


class MoveCells(Wire):
    """Move cells, as a block in their order, so that the first stands at `index` afterwards."""

    action: Literal["move"] = "move"
    cells: list[str]
    index: int


class ChangeKind(Wire):
    action: Literal["kind"] = "kind"
    cells: list[str]
    kind: Literal["code", "markdown", "raw"]


class ClearOutputs(Wire):
    action: Literal["clear"] = "clear"
    cells: list[str]


class SelectCell(Wire):
    """Make a cell the active one and scroll it into view."""

    action: Literal["select"] = "select"
    cell: str
    line: int | None = None
    """Put the cursor at the end of this line, from 1, and start editing."""


class UndoStep(Wire):
    """Take back, or do again, the last step of this session; answered with how many cells changed."""

    action: Literal["undo", "redo"]


class SaveNotebook(Wire):
    action: Literal["save"] = "save"


class RestartKernel(Wire):
    """Restart the kernel; answered before it goes, since nothing of the session is left afterwards."""

    action: Literal["restart"] = "restart"
    run_all: bool = False


class RunCommand(Wire):
    """Run a command of the front end by the label a person sees; answered with the label it found."""

    action: Literal["command"] = "command"
    label: str
    exact: bool = False
    """Whether one whose label is only like it is not to be run, but named."""


class OpenFile(Wire):
    """Show a file in the front end's editor; answered once it is open."""

    action: Literal["open"] = "open"
    path: str
    """Relative to the notebook's folder, with `/`."""
    line: int = 1
    """Where the cursor goes, from 1."""


class Snapshot(Wire):
    """Keep the notebook as it is now, to be restored; answered with the snapshot's path."""

    action: Literal["snapshot"] = "snapshot"


CellAction = Annotated[
    ReadNotebook
    | RunCells
    | ShowOutputs
    | InsertCells
    | EditCell
    | DeleteCells
    | MoveCells
    | ChangeKind
    | ClearOutputs
    | SelectCell
    | UndoStep
    | SaveNotebook
    | RestartKernel
    | RunCommand
    | OpenFile
    | Snapshot,
    Field(discriminator="action"),
]


class CellRequest(Wire):
    """Ask the one front end that shows the notebook to do something; it answers with `CellReply`."""

    type: Literal["cell_request"] = "cell_request"
    id: int
    step: int = 0
    """Requests of one voice action share a step: undo takes all of them back at once. 0 is no step."""
    request: CellAction


class CellCancel(Wire):
    """Give a `CellRequest` up, unanswered.

    Cells it still waits to run are not run, and the one that runs is interrupted.
    """

    type: Literal["cell_cancel"] = "cell_cancel"
    id: int


class CellReply(Wire):
    """The front end's answer to a `CellRequest`: one of the three, or none where nothing is to be said."""

    type: Literal["cell_reply"] = "cell_reply"
    id: int
    problem: Problem | None = None
    """Why it could not be done: kinds `NoSuchCell`, `Conflict`, `NoNotebook`, `UnknownCommand`, ..."""
    notebook: NotebookView | None = None
    cells: list[CellView] = []
    """The cells concerned, in the order of the notebook, with their outputs where cells were run."""
    text: str = ""
    """What else there is to say: a label, a path, a count."""
    ran: bool = True
    """False when the command in `text` was only named, see `RunCommand.exact`."""
