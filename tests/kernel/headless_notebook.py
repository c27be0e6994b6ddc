"""A notebook without a browser: a document, a real kernel, and a session to talk to."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat

from voice_kernel.headless.document import Document
from voice_kernel.headless.execution import Execution, Ran
from voice_kernel.headless.frontend import FrontEnd
from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    CancelTask,
    Decide,
    Say,
    Task,
    TaskChanged,
    ToSurface,
    Turn,
    TurnChanged,
)

PROJECT = Path(__file__).resolve().parents[2]
LIMIT_S = 120.0


def notebook_of(cells: Sequence[str]) -> nbformat.NotebookNode:
    """Make a notebook of code cells; a cell that starts with `#md ` is Markdown."""
    notebook = nbformat.v4.new_notebook()
    for source in cells:
        if source.startswith("#md "):
            notebook.cells.append(nbformat.v4.new_markdown_cell(source[4:]))
        else:
            notebook.cells.append(nbformat.v4.new_code_cell(source))
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def environment(folder: Path) -> dict[str, str]:
    """Return what keeps a kernel's files below a folder."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")])),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "VOICE_KERNEL_LOG_DIR": str(folder / "logs"),
        "XDG_CONFIG_HOME": str(folder / "xdg"),
        "OPENAI_API_KEY": "",
    }


class HeadlessNotebook:
    """What `voice-kernel run` is made of, driven step by step."""

    def __init__(self, folder: Path, cells: Sequence[str], approve: Sequence[str] = ()) -> None:
        self.folder = folder
        self.path = folder / "notebook.ipynb"
        self.document = Document(notebook_of(cells), self.path)
        self.document.save()
        self.turns: dict[int, Turn] = {}
        self.tasks: dict[int, Task] = {}
        self.approvals: dict[int, Approval] = {}
        self._changed = asyncio.Event()
        self.execution = Execution(
            self.document.notebook,
            cwd=folder,
            env=environment(folder),
            on_event=lambda event: self.front_end.received(event),
        )
        self.front_end = FrontEnd(
            self.document,
            self.execution,
            save_to=self.path,
            approve=approve,
            on_event=self._said,
            on_ran=lambda cell, ran: None,
        )

    async def start(self) -> None:
        """Start the kernel and connect."""
        await self.execution.start()
        await self.front_end.connect()

    async def stop(self) -> None:
        """Stop the kernel."""
        await self.front_end.close()
        await self.execution.stop()

    def replace(self, cells: Sequence[str]) -> None:
        """Put other cells into the notebook."""
        self.document.notebook.cells = list(notebook_of(cells).cells)
        self.document.select(self.document.cells[0])

    # ---- cells ------------------------------------------------------------------------------------

    async def run(self, position: int) -> Ran:
        """Run a cell as a front end does; positions from 1."""
        async with asyncio.timeout(LIMIT_S):
            return await self.front_end.run(self.document.cells[position - 1])

    def begin(self, position: int) -> asyncio.Task[Ran]:
        """Begin to run a cell."""
        return asyncio.ensure_future(self.run(position))

    def text(self, position: int) -> str:
        """Return what a cell shows, as plain text."""
        parts = []
        for output in self.document.cells[position - 1].get("outputs", []):
            match output.output_type:
                case "stream":
                    parts.append(output.text)
                case "error":
                    parts.append(f"{output.ename}: {output.evalue}")
                case _:
                    parts.append(output.data.get("text/plain", ""))
        return "\n".join(part.rstrip("\n") for part in parts)

    @property
    def sources(self) -> list[str]:
        """The cells' sources."""
        return [cell.source for cell in self.document.cells]

    def json(self) -> str:
        """The notebook as it would be saved."""
        return json.dumps(self.document.notebook, sort_keys=True)

    # ---- words ------------------------------------------------------------------------------------

    def send(self, text: str) -> int:
        """Say something; returns the number that its turn will have at the earliest."""
        self.execution.link.send(Say(text=text))
        return max(self.turns, default=0) + 1

    async def say(self, text: str) -> Turn:
        """Say something and wait for the end of its turn."""
        earliest = self.send(text)
        return await self.ended(lambda turn: turn.id >= earliest and turn.text == text)

    async def ended(self, which: Callable[[Turn], bool]) -> Turn:
        """Wait for the end of a turn."""
        await self.until(lambda: any(which(t) and t.ended_at is not None for t in self.turns.values()))
        return next(turn for turn in self.turns.values() if which(turn) and turn.ended_at is not None)

    def task_of(self, turn: Turn) -> Task:
        """Return a turn's last task."""
        return next(task for task in reversed(self.tasks.values()) if task.turn_id == turn.id)

    def cancel(self, task_id: int) -> None:
        """Click Cancel on a task."""
        self.execution.link.send(CancelTask(task_id=task_id))

    def approve(self, approval_id: int) -> None:
        """Click Approve on a card."""
        self.execution.link.send(Decide(approval_id=approval_id, approved=True))

    async def until(self, condition: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
        """Wait until a condition holds, looking when something was told or a cell has changed."""
        async with asyncio.timeout(limit_s):
            while not condition():
                self._changed.clear()
                try:
                    async with asyncio.timeout(0.02):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _said(self, event: ToSurface) -> None:
        match event:
            case TurnChanged():
                self.turns[event.turn.id] = event.turn
            case TaskChanged():
                self.tasks[event.task.id] = event.task
            case ApprovalChanged():
                self.approvals[event.approval.id] = event.approval
        self._changed.set()
