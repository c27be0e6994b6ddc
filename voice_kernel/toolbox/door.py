"""The one door: validates a call, asks policy and a person, makes a task of it and runs it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from typing import Any

from voice_kernel.errors import Refused, ToolUnavailable
from voice_kernel.messages import Origin, Result, Task
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Effects, Registry, ToolSpec

MAX_TITLE_CHARS = 80

ORDERED_AREAS = frozenset({"notebook", "data"})
ORDERED_EFFECTS: Effects = frozenset({"execute", "write", "delete"})
"""What changes the notebook or the namespace runs in the order in which it was asked for: "run cell two"
and then "save" means just that. What only looks, and tests, shell and browser, run beside it."""


class Toolbox:
    """Calls tools by name; every call becomes a task that ends in a state with its reason.

    Args:
        registry: the tools.
        policy: whether a call may run.
        approvals: asks a person.
        runner: makes tasks of calls.
        asked_by_cell: whether a turn was asked for by a magic in a cell.
    """

    def __init__(
        self,
        registry: Registry,
        policy: Policy,
        approvals: Approvals,
        runner: Runner,
        asked_by_cell: Callable[[int], bool] = lambda turn_id: False,
    ) -> None:
        self.registry = registry
        self.policy = policy
        self.approvals = approvals
        self.runner = runner
        self._asked_by_cell = asked_by_cell
        self._turnstile = asyncio.Lock()  # first come, first served

    async def call(
        self,
        name: str,
        arguments: dict[str, Any],
        *,
        turn_id: int,
        origin: Origin,
        approved_tools: Collection[str] = (),
        untrusted: bool = False,
    ) -> Task:
        """Run one tool call to its end.

        Args:
            name: the tool's name.
            arguments: its arguments; None values count as absent.
            turn_id: the turn that asks.
            origin: who asks; policy treats a model differently from a person.
            approved_tools: tools a person approved beforehand for this turn.
            untrusted: whether text of strangers has entered the turn.

        Returns:
            The ended task. Refusals and wrong arguments are failed tasks, not exceptions.
        """
        given = {key: value for key, value in arguments.items() if value is not None}
        handle = self.runner.create(
            turn_id=turn_id, tool=name, arguments=given, title=title_of(name, given), origin=origin
        )

        async def work(task: TaskHandle) -> Result:
            spec = self.registry.get(name)
            parsed = spec.validate(given)
            if spec.handler is None:
                raise ToolUnavailable(spec.reason, hint='Say "help" for what works now.')
            decision = self.policy.decide(spec.effects(parsed), origin, untrusted=untrusted)
            if decision.kind == "refuse":
                raise Refused(decision.reason, hint=decision.hint)
            if decision.kind == "ask":
                task.move("awaiting_approval")
                # What was approved beforehand was approved before strangers had a say.
                approved = () if untrusted else approved_tools
                await self.approvals.ask(task.task, spec.target(parsed), decision.reason, approved)
            within_a_cell = origin in ("magic", "script") or self._asked_by_cell(turn_id)
            async with self._in_order(spec, spec.effects(parsed), within_a_cell):
                task.move("running")
                return await spec.handler(task, parsed)

        return await self.runner.run(handle, work)

    def _in_order(
        self, spec: ToolSpec, effects: Effects, within_a_cell: bool
    ) -> contextlib.AbstractAsyncContextManager[Any]:
        # A cell's own `%voice` has its place already, the cell's: that cell may be run by the very
        # task that holds the turnstile.
        if spec.area in ORDERED_AREAS and effects & ORDERED_EFFECTS and not within_a_cell:
            return self._turnstile
        return contextlib.nullcontext()


def title_of(name: str, arguments: dict[str, Any]) -> str:
    """Return the short text of a task's card: the tool and its values, on one line."""
    values = " ".join(
        key if value is True else str(value)
        for key, value in arguments.items()
        if value not in (None, False, "")
    )
    title = " ".join(f"{name} {values}".split())
    return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
