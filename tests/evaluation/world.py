"""A small world in which a model is tried: a notebook, a folder, a shell, tests and an MCP server, all real
but the notebook's page. A person who approves everything sits before it, and counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from played_notebook import PlayedNotebook

from voice_kernel.agent.brain import Brain, Limits
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.agent.surroundings import Sight
from voice_kernel.context import Context
from voice_kernel.events import Hub
from voice_kernel.kernel.namespace import describe
from voice_kernel.messages import (
    About,
    ApprovalChanged,
    NotebookView,
    ReadNotebook,
    Task,
    Usage,
)
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import data, files, lab, mcp, notebook, proposals, shell, testing
from voice_kernel.tools.desk import Desk, view_of
from voice_kernel.tools.mcp.servers import Server

MCP_SERVER = Path(__file__).parents[1] / "mcp_server.py"


@dataclass
class World:
    """What a task finds, and what became of it."""

    folder: Path
    notebook: PlayedNotebook
    toolbox: Toolbox
    brain: Brain
    asked: int = 0
    """Cards that were approved."""
    usage: Usage = field(default_factory=Usage)

    @property
    def tasks(self) -> list[Task]:
        """What the model did."""
        return [task for task in self.toolbox.runner.tasks() if task.origin == "model"]

    def write(self, name: str, text: str) -> None:
        """Put a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    async def ask(self, words: str) -> str:
        """Ask the model; returns its answer."""

        def changed(**changes: Any) -> None:
            self.usage = changes.get("usage") or self.usage

        return await self.brain.answer(
            words, turn_id=1, context=self.context(), on_text=lambda _: None, on_change=changed
        )

    def context(self) -> Context:
        """Return what exists."""
        names = {name: value for name, value in self.notebook.names.items() if not name.startswith("_")}
        found = sorted(
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()
        )
        return Context(
            variables=tuple(describe(name, value) for name, value in names.items()),
            files=tuple(found),
            servers=("helper",),
            cell_count=len(self.notebook.cells),
        )


@contextlib.asynccontextmanager
async def world(settings: ModelSettings, folder: Path, *, servers: bool = False) -> AsyncIterator[World]:
    """Make a world, with an MCP server if wanted, and end it."""

    async def somebody() -> bool:
        return True

    played = PlayedNotebook()
    hub = Hub(About(version="evaluation"))
    registry = Registry()
    logs = LogFolder(folder.parent / f"{folder.name}-logs")
    runner = Runner(hub, lambda task_id: logs.open(f"task-{task_id}"))
    toolbox = Toolbox(registry, Policy(shell_allowed=True), Approvals(hub, somebody), runner)

    async def call(task: TaskHandle, tool: str, arguments: dict[str, Any]) -> Task:
        return await toolbox.call(
            tool, arguments, turn_id=task.turn_id, origin=task.origin, untrusted=task.untrusted
        )

    async def look(turn_id: int, ids: list[str] | None) -> NotebookView:
        wanted = ReadNotebook() if ids is None else ReadNotebook(sources=True, outputs=True, cells=ids)
        return view_of(await played.request(wanted, step=turn_id))

    async def show(turn_id: int, name: str) -> Task:
        return await toolbox.call("show_variable", {"name": name}, turn_id=turn_id, origin="text")

    sight = Sight(look, show, lambda: folder)
    brain = Brain(settings, toolbox, working_folder=str(folder), around=sight, limits=Limits())
    one = World(folder, played, toolbox, brain)
    data.register(registry, runner=played, context=one.context)
    desk = Desk(played, played, lambda turn_id: False)
    notebook.register(registry, desk)
    lab.register(registry, desk)
    proposals.register(registry, desk=desk, call=call)
    shell.register(registry, cwd=lambda: folder)
    files.register(registry, cwd=lambda: folder)
    testing.register(registry, cwd=lambda: folder)
    keys = mcp.Secrets(folder.parent / f"{folder.name}-secrets.json")
    supervisor = mcp.Supervisor(mcp.ServerFile(folder.parent / f"{folder.name}-mcp.json"), keys)
    supervisor.on_change(mcp.Bridge(registry).update)
    supervisor.put(Server(name="helper", command=sys.executable, args=(str(MCP_SERVER),)))
    if servers:
        await supervisor.start_all(["helper"])
    approving = asyncio.ensure_future(_approve(one, hub))
    try:
        yield one
    finally:
        approving.cancel()
        await asyncio.gather(approving, return_exceptions=True)
        await brain.close()
        await supervisor.close()


async def _approve(one: World, hub: Hub) -> None:
    _state, subscription = hub.subscribe()
    while True:
        for message in await subscription.changes():
            if isinstance(message, ApprovalChanged) and message.approval.state == "open":
                one.asked += one.toolbox.approvals.decide(message.approval.id, True)
