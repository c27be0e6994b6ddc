"""`list_tasks`: what runs now and what has run in this session."""

from __future__ import annotations

import time
from collections.abc import Callable

from voice_kernel.messages import Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry
from voice_kernel.tools.shell import duration
from voice_kernel.tools.terminal import clip

MAX_LISTED = 100
WORDS = {"queued": "waiting", "awaiting_approval": "waiting for your approval"}
ENDED = frozenset(["succeeded", "failed", "cancelled", "interrupted"])


class ListTasks(Arguments):
    """Arguments of `list_tasks`."""


def register(
    registry: Registry, *, tasks: Callable[[], list[Task]], now: Callable[[], float] = time.time
) -> None:
    """Register the tools about tasks.

    Args:
        registry: where.
        tasks: the known tasks, oldest first.
        now: the time, in seconds since the epoch.
    """

    @registry.tool(area="tasks", effects=frozenset({"read"}))
    async def list_tasks(task: TaskHandle, args: ListTasks) -> Result:
        """List the tasks with their numbers, states and how long they took."""
        return tasks_listed([other for other in tasks() if other.id != task.id], now())


def tasks_listed(tasks: list[Task], now: float) -> Result:
    """Return the tasks as text, the newest first."""
    shown = list(reversed(tasks))[:MAX_LISTED]
    lines = []
    for task in shown:
        state = WORDS.get(task.state, task.state)
        if task.started_at is not None:
            state += f", {duration(max(0.0, (task.ended_at or now) - task.started_at))}"
        if task.state not in ENDED and task.progress is not None and task.progress.label:
            state += f", {task.progress.label}"
        if task.state == "failed" and task.problem is not None:
            state += f": {task.problem.message}"
        lines.append(f"{task.id:>4}  {task.title}  ({state})")
    if len(tasks) > len(shown):
        lines.append(f"      and {len(tasks) - len(shown)} older ones")
    open_tasks = sum(task.state not in ENDED for task in tasks)
    noun = "task" if len(tasks) == 1 else "tasks"
    return Result(
        summary=f"{len(tasks)} {noun}, {open_tasks} of them running" if tasks else "There are no tasks yet.",
        text=clip("\n".join(lines)),
        data={
            "tasks": [
                {"id": task.id, "tool": task.tool, "title": task.title, "state": task.state} for task in shown
            ]
        },
    )
