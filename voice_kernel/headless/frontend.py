"""The surface without a browser: answers cell requests on a document, and runs cells for itself.

Knows what each request means for the document and the kernel; not who asks, nor what was said.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from nbformat import NotebookNode

from voice_kernel.errors import ClientError, VoiceKernelError
from voice_kernel.headless.document import MAX_VIEW_CHARS, CannotAct, Document
from voice_kernel.headless.execution import Execution, Ran
from voice_kernel.messages import (
    CellAction,
    CellCancel,
    CellReply,
    CellRequest,
    CellView,
    ChangeKind,
    ClearOutputs,
    DeleteCells,
    EditCell,
    Hello,
    InsertCells,
    MoveCells,
    OpenFile,
    Problem,
    ReadNotebook,
    RestartKernel,
    RunCells,
    RunCommand,
    SaveNotebook,
    SelectCell,
    ShowOutputs,
    Snapshot,
    State,
    ToSurface,
    UndoStep,
)

HELLO_LIMIT_S = 30.0
COMMANDS: dict[str, CellAction] = {
    "save notebook": SaveNotebook(),
    "undo": UndoStep(action="undo"),
    "redo": UndoStep(action="redo"),
}
"""Commands of JupyterLab that mean something without it."""

OnRan = Callable[[NotebookNode, Ran], None]
"""Told of every cell that was run."""


class FrontEnd:
    """Shows a notebook to a session.

    Args:
        document: the notebook.
        execution: its kernel; `received` must be told what its session says.
        save_to: where "save the notebook" writes.
        approve: tools that are approved beforehand.
        on_event: told what the session says and is no request.
        on_ran: told of every cell that was run.
    """

    def __init__(
        self,
        document: Document,
        execution: Execution,
        *,
        save_to: Path,
        approve: Sequence[str] = (),
        on_event: Callable[[ToSurface], None],
        on_ran: OnRan,
    ) -> None:
        self.surface_id = f"headless-{uuid.uuid4().hex[:12]}"
        self.restart_wanted: RestartKernel | None = None
        """Set when the session asked for a restart; done by whoever drives, once the turn has ended."""
        self._document = document
        self._execution = execution
        self._save_to = save_to
        self._approve = list(approve)
        self._on_event = on_event
        self._on_ran = on_ran
        self._one_at_a_time = asyncio.Lock()
        self._answers: dict[int, asyncio.Task[None]] = {}
        self._greeted: asyncio.Event = asyncio.Event()

    async def connect(self) -> None:
        """Connect to the session in the kernel, which is loaded if need be.

        Raises:
            ClientError: there is none, or it does not answer.
        """
        self._greeted.clear()
        hello = Hello(surface_id=self.surface_id, kind="headless", cells=True, approve=self._approve)
        await self._execution.connect(hello)
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                await self._execution.until_dead(self._greeted.wait())
        except TimeoutError:
            raise ClientError("voice_kernel does not answer in the kernel.", retryable=True) from None

    async def run(self, cell: NotebookNode) -> Ran:
        """Run one cell, after those that were asked for before. Raises like `Execution.run`."""
        async with self._one_at_a_time:
            self._document.select(cell)
            ran = await self._execution.run(cell)
            self._on_ran(cell, ran)
            return ran

    def received(self, event: ToSurface) -> None:
        """Take what the session says, in the order in which it comes."""
        match event:
            case CellRequest():
                if isinstance(event.request, ShowOutputs):
                    # Now, and not in a task: the outputs around it are taken in this same order.
                    self._reply(event.id, self._shown(event.request, event.step))
                else:
                    answer = asyncio.ensure_future(self._answer(event))
                    self._answers[event.id] = answer
                    answer.add_done_callback(lambda _done: self._answers.pop(event.id, None))
            case CellCancel():
                answering = self._answers.get(event.id)
                if answering is not None:
                    answering.cancel()
            case State():
                self._greeted.set()
                self._on_event(event)
            case _:
                self._on_event(event)

    async def close(self) -> None:
        """Give up what is still being answered."""
        for answer in list(self._answers.values()):
            answer.cancel()
        if self._answers:
            await asyncio.wait(list(self._answers.values()))

    # ---- answers ----------------------------------------------------------------------------------

    async def _answer(self, request: CellRequest) -> None:
        try:
            reply = await self._act(request.request, request.step)
        except CannotAct as cannot:
            reply = CellReply(id=0, problem=cannot.problem)
        except ClientError:
            return  # the kernel that asked has died
        except VoiceKernelError as error:
            problem = Problem(kind=type(error).__name__, message=error.message, hint=error.hint)
            reply = CellReply(id=0, problem=problem)
        self._reply(request.id, reply)

    def _reply(self, request_id: int, reply: CellReply) -> None:
        self._execution.link.send(reply.model_copy(update={"id": request_id}))

    async def _act(self, action: CellAction, step: int) -> CellReply:
        document = self._document
        match action:
            case ReadNotebook():
                view = document.view(
                    calling=self._execution.calling,
                    sources=action.sources,
                    outputs=action.outputs,
                    wanted=action.cells,
                )
                return CellReply(id=0, notebook=view)
            case RunCells():
                return await self._run_cells(action, step)
            case InsertCells():
                return self._told(document.insert(action.index, action.kinds, action.sources, step=step))
            case EditCell():
                return self._told([document.edit(action.cell, action.source, action.expected, step=step)])
            case DeleteCells():
                document.delete(action.cells, step=step)
                return CellReply(id=0)
            case MoveCells():
                document.move(action.cells, action.index, step=step)
                return self._told([document.cell(cell_id) for cell_id in action.cells])
            case ChangeKind():
                return self._told(document.change_kind(action.cells, action.kind, step=step))
            case ClearOutputs():
                return self._told(document.clear(action.cells, step=step))
            case SelectCell():
                cell = document.cell(action.cell)
                document.select(cell)
                return self._told([cell])
            case UndoStep():
                changed, count = document.undo() if action.action == "undo" else document.redo()
                return self._told(changed, str(count))
            case SaveNotebook():
                return CellReply(id=0, text=str(document.save(self._save_to)))
            case RestartKernel():
                self.restart_wanted = action
                return CellReply(id=0)
            case RunCommand():
                known = COMMANDS.get(" ".join(action.label.lower().split()))
                if known is None:
                    raise CannotAct(
                        "UnknownCommand",
                        f"There is no command “{action.label}” without a browser.",
                        "Open the notebook in JupyterLab for it.",
                    )
                reply = await self._act(known, step)
                return reply.model_copy(update={"text": action.label})
            case OpenFile():
                raise CannotAct(
                    "NoEditor", "Without a browser there is no editor.", "Open the notebook in JupyterLab."
                )
            case Snapshot():
                folder = self._save_to.resolve().parent / ".ipynb_checkpoints"
                name = f"{self._save_to.stem}-before-voice.ipynb"
                return CellReply(id=0, text=str(document.save(folder / name)))
            case ShowOutputs():
                return self._shown(action, step)

    async def _run_cells(self, action: RunCells, step: int) -> CellReply:
        cells = [self._document.cell(cell_id) for cell_id in action.cells]
        self._document.runs(cells, step=step)
        done: list[CellView] = []
        room = MAX_VIEW_CHARS
        for cell in cells:
            if self._document.position(cell) < 0:
                continue  # deleted while it waited
            ran = await self.run(cell)
            view = self._document.view_of(cell, sources=False)
            room -= sum(len(output.text) + sum(map(len, output.data.values())) for output in view.outputs)
            if room < 0 and not view.failed:
                view = view.model_copy(update={"outputs": []})  # they are in the cell
            done.append(view)
            if not ran.ok:
                break
        return CellReply(id=0, cells=done)

    def _shown(self, action: ShowOutputs, step: int) -> CellReply:
        try:
            cell = self._document.cell(action.cell)
        except CannotAct as cannot:
            return CellReply(id=0, problem=cannot.problem)
        if action.done:
            self._execution.shown(cell, action.parent_msg_id, action.execution_count)
        else:
            self._document.runs([cell], step=step)
            self._execution.show(cell, action.parent_msg_id)
        return CellReply(id=0)

    def _told(self, cells: Sequence[NotebookNode], text: str = "") -> CellReply:
        views = [self._document.view_of(cell, sources=True, outputs=False) for cell in cells]
        return CellReply(id=0, cells=views, text=text)
