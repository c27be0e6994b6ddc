"""`list_tasks` and `retry_task`: what runs now and what has run in this session, and running it again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import Field

from voice_kernel.controls import CONTROLS
from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import Problem, Result, Task
from voice_kernel.script.step import OF_THE_MOMENT, REPEATS
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry, ToolFailed
from voice_kernel.tools.shell import duration
from voice_kernel.tools.terminal import clip

MAX_LISTED = 100
WORDS = {
    "queued": N_("waiting"),
    "awaiting_approval": N_("waiting for your approval"),
    "running": N_("running"),
    "succeeded": N_("succeeded"),
    "failed": N_("failed"),
    "cancelled": N_("cancelled"),
    "interrupted": N_("interrupted"),
}
"""The states of tasks, in a person's words."""
ENDED = frozenset(["succeeded", "failed", "cancelled", "interrupted"])
WENT_WRONG = ENDED - {"succeeded"}
LOOKING = frozenset({"list_tasks", "show_history", "help"})
"""What "the last task" does not mean: whoever asks for the list wants what is on it."""
NOT_LAST = CONTROLS | OF_THE_MOMENT | REPEATS | LOOKING

CallTool = Callable[[TaskHandle, str, dict[str, Any]], Awaitable[Task]]
"""Calls a tool through the toolbox, for the turn of a task."""


class ListTasks(Arguments):
    """Arguments of `list_tasks`."""


class RetryTask(Arguments):
    """Arguments of `retry_task`."""

    task: str = Field(
        default="last",
        max_length=20,
        description="Its number, last, or all: every task that did not succeed, nor has since.",
    )


def register(
    registry: Registry,
    *,
    tasks: Callable[[], list[Task]],
    call: CallTool,
    now: Callable[[], float] = time.time,
) -> None:
    """Register the tools about tasks.

    Args:
        registry: where.
        tasks: the known tasks, oldest first.
        call: calls another tool.
        now: the time, in seconds since the epoch.
    """

    @registry.tool(area="tasks", effects=frozenset({"read"}), untrusted=True)
    async def list_tasks(task: TaskHandle, args: ListTasks) -> Result:
        """List the tasks with their numbers, states and how long they took."""
        return tasks_listed([other for other in tasks() if other.id != task.id], now())

    @registry.tool(
        area="tasks", target=lambda args: _("task {number}").format(number=args.task), untrusted=True
    )
    async def retry_task(task: TaskHandle, args: RetryTask) -> Result:
        """Run a task again, or all that did not succeed."""
        before = [other for other in tasks() if other.id != task.id]
        chosen = unsuccessful(before) if args.task == "all" else [picked(before, args.task)]
        if not chosen:
            return Result(summary=_("No task is left that did not succeed."))
        done: list[Task] = []
        for number, other in enumerate(chosen):
            task.progress(number / len(chosen), other.title)
            done.append(await call(task, other.tool, other.arguments))
        lines = [
            _("{number} again as {again}").format(number=other.id, again=again.id)
            + f"  {again.title}  ({_(WORDS[again.state])})"
            for other, again in zip(chosen, done, strict=True)
        ]
        failed = [again for again in done if again.state != "succeeded"]
        result = Result(text=clip("\n".join(lines)), data={"tasks": [again.id for again in done]})
        if failed:
            first = failed[0].problem or Problem(
                kind="Error", message=f"{failed[0].title} {_(WORDS[failed[0].state])}."
            )
            message = first.message
            if len(done) > 1:
                message += " " + _("{failed} of {count} did not succeed.").format(
                    failed=len(failed), count=len(done)
                )
            problem = first.model_copy(update={"message": message})
            raise ToolFailed(problem, result.model_copy(update={"summary": problem.message}))
        summary = ngettext_("It succeeded this time.", "All {count} succeeded this time.", len(done))
        return result.model_copy(update={"summary": summary.format(count=len(done))})


def picked(tasks: Sequence[Task], which: str) -> Task:
    """Return the task with a number, or the last that did something; it has ended.

    Raises:
        ToolError: there is none, or it has not ended.
    """
    if which == "last":
        chosen = [task for task in tasks if task.tool not in NOT_LAST and task.state in ENDED]
    else:
        chosen = [task for task in tasks if str(task.id) == which]
    if not chosen:
        missing = _("There is no task {number}.").format(number=which)
        if which == "last":
            missing = _("Nothing has been done yet.")
        raise ToolError(missing, hint=_('Say "list tasks" or "show history" to see what there is.'))
    if chosen[-1].state not in ENDED:
        raise ToolError(
            _("Task {which} has not ended.").format(which=which), hint=_("Wait for it, or cancel it.")
        )
    return chosen[-1]


def unsuccessful(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks that did not succeed and whose call has not succeeded since, oldest first."""
    left: dict[str, Task] = {}
    for task in tasks:
        if task.tool in NOT_LAST:
            continue
        key = f"{task.tool} {sorted(task.arguments.items())}"
        left.pop(key, None)
        if task.state in WENT_WRONG:
            left[key] = task
    return list(left.values())


def tasks_listed(tasks: list[Task], now: float) -> Result:
    """Return the tasks as text, the newest first."""
    shown = list(reversed(tasks))[:MAX_LISTED]
    lines = []
    for task in shown:
        state = _(WORDS[task.state])
        if task.started_at is not None:
            state += f", {duration(max(0.0, (task.ended_at or now) - task.started_at))}"
        if task.state not in ENDED and task.progress is not None and task.progress.label:
            state += f", {task.progress.label}"
        if task.state == "failed" and task.problem is not None:
            state += f": {task.problem.message}"
        lines.append(f"{task.id:>4}  {task.title}  ({state})")
    if len(tasks) > len(shown):
        lines.append("      " + _("and {count} older ones").format(count=len(tasks) - len(shown)))
    open_tasks = sum(task.state not in ENDED for task in tasks)
    counted = ngettext_(
        "{count} task, {running} of them running", "{count} tasks, {running} of them running", len(tasks)
    )
    return Result(
        summary=counted.format(count=len(tasks), running=open_tasks)
        if tasks
        else _("There are no tasks yet."),
        text=clip("\n".join(lines)),
        data={
            "tasks": [
                {"id": task.id, "tool": task.tool, "title": task.title, "state": task.state} for task in shown
            ]
        },
    )
