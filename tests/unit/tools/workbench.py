"""A workbench for tools: the real registry and the real runner, with every event recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hasty_loop import run_past

from voice_kernel.messages import Progress, Result, Task, TaskOutput, TaskProgress, ToSurface
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.registry import Effects, Registry

LIMIT_S = 300.0


class Workbench:
    """Calls tools as the toolbox does, but without policy."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.folder = folder
        self.registry = Registry()
        self.events: list[ToSurface] = []
        folder_of_logs = LogFolder(logs)
        self.runner = Runner(self, lambda task_id: folder_of_logs.open(f"task-{task_id}"))

    def publish(self, message: ToSurface) -> None:
        self.events.append(message)

    def cwd(self) -> Path:
        return self.folder

    def call(self, tool: str, **arguments: Any) -> Task:
        """Run a tool to its end."""
        return asyncio.run(asyncio.wait_for(self.start(tool, **arguments), LIMIT_S))

    def effects(self, tool: str, **arguments: Any) -> Effects:
        spec = self.registry.get(tool)
        return spec.effects(spec.validate(arguments))

    async def start(self, tool: str, **arguments: Any) -> Task:
        spec = self.registry.get(tool)
        handle = self.runner.create(turn_id=1, tool=tool, arguments=arguments, title=tool, origin="text")
        assert spec.handler is not None
        handler = spec.handler

        async def work(task: TaskHandle) -> Result:
            parsed = spec.validate(arguments)
            task.move("running")
            return await handler(task, parsed)

        return await self.runner.run(handle, work)

    def call_past_limit(
        self, when: Callable[[], bool], tool: str, *, timeout: float, **arguments: Any
    ) -> Task:
        """Run a tool to its end; its time is over as soon as something is true."""
        return run_past(timeout, when, self.start(tool, timeout=timeout, **arguments))

    async def call_and_cancel(self, when: Callable[[], bool], tool: str, **arguments: Any) -> Task:
        """Start a tool, and cancel it as soon as something is true."""
        task = asyncio.ensure_future(self.start(tool, **arguments))
        async with asyncio.timeout(LIMIT_S):
            while not when():  # noqa: ASYNC110 - the state belongs to other processes
                await asyncio.sleep(0.01)
            assert self.runner.cancel(1)
            return await task

    @property
    def progress(self) -> list[Progress]:
        told = [event.progress for event in self.events if isinstance(event, TaskProgress)]
        return [progress for progress in told if progress is not None]

    @property
    def output(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TaskOutput))
