"""The one door: validates a call, asks policy and a person, makes a task of it and runs it in its lane."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from voice_kernel.errors import Refused, ToolUnavailable
from voice_kernel.language import _
from voice_kernel.messages import Origin, Result, Task
from voice_kernel.task.lanes import LIMITS, Lanes
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Effects, Registry, ToolSpec
from voice_kernel.toolbox.timelimit import timed_out

MAX_TITLE_CHARS = 80
GoingOn = Callable[[], dict[str, Any]]

CELLS = "cells"
"""The lane of whatever changes the notebook or the namespace: one at a time, in the order in which it was
asked for: "run cell two" and then "save" means just that. What only looks runs beside it."""
ORDERED_AREAS = frozenset({"notebook", "data"})
ORDERED_EFFECTS: Effects = frozenset({"execute", "write", "delete", "unreadable"})

TIDY_S = 10.0
"""How much longer a tool may take that keeps its time limit by itself: to end processes, to tell."""


class Toolbox:
    """Calls tools by name; every call becomes a task that ends in a state with its reason.

    Args:
        registry: the tools.
        policy: whether a call may run.
        approvals: asks a person.
        runner: makes tasks of calls.
        asked_by_cell: whether a turn was asked for by a magic in a cell.
        limits: how many tasks of an area run at once, where it is not `lanes.LIMITS`.
        time_limits: seconds after which a task of an area is ended.
    """

    def __init__(
        self,
        registry: Registry,
        policy: Policy,
        approvals: Approvals,
        runner: Runner,
        asked_by_cell: Callable[[int], bool] = lambda turn_id: False,
        *,
        limits: Mapping[str, int] | None = None,
        time_limits: Mapping[str, float] | None = None,
    ) -> None:
        self.registry = registry
        self.policy = policy
        self.approvals = approvals
        self.runner = runner
        self.lanes = Lanes({**LIMITS, **(limits or {}), CELLS: 1}, runner.sink)
        self._time_limits = dict(time_limits or {})
        self._asked_by_cell = asked_by_cell
        self._consents: set[str] = set()
        """What a person has agreed to for the rest of the session."""

    async def call(
        self,
        name: str,
        arguments: dict[str, Any],
        *,
        turn_id: int,
        origin: Origin,
        approved_tools: Collection[str] = (),
        untrusted: str = "",
        going_on: GoingOn | None = None,
        asked_at: float | None = None,
    ) -> Task:
        """Run one tool call to its end.

        Args:
            name: the tool's name.
            arguments: its arguments; None values count as absent.
            turn_id: the turn that asks.
            origin: who asks; policy treats a model differently from a person.
            approved_tools: tools a person approved beforehand for this turn.
            untrusted: what brought text of strangers into the turn; empty when nothing did.
            going_on: says what is needed to go on from the answer after a restart, should a person be asked;
                None when that cannot be done.
            asked_at: when a person was asked for this call in a kernel that has ended before the answer, in
                seconds since the epoch. It is asked again, whatever policy says.

        Returns:
            The ended task. Refusals and wrong arguments are failed tasks, not exceptions.
        """
        given = {key: value for key, value in arguments.items() if value is not None}
        known = self.registry.specs.get(name)
        handle = self.runner.create(
            turn_id=turn_id,
            tool=name,
            arguments=given,
            title=title_of(name, given),
            origin=origin,
            area=known.area if known is not None else "",
        )

        handle.untrusted = untrusted
        if going_on is not None and origin == "model":
            handle.going_on = _within(going_on, name, given)

        async def work(task: TaskHandle) -> Result:
            spec = self.registry.get(name)
            parsed = spec.validate(given)
            if spec.handler is None:
                raise ToolUnavailable(_(spec.reason), hint=_('Say "help" for what works now.'))
            if origin == "model" and not spec.for_models:
                raise Refused(_("{name} is for a person only.").format(name=name))
            effects = spec.effects(parsed)
            decision = self.policy.decide(effects, origin, untrusted=untrusted, asks=spec.asks)
            if decision.kind == "refuse":
                raise Refused(decision.reason, hint=decision.hint)
            asks = decision.kind == "ask" and decision.consent not in self._consents
            if asks or asked_at is not None:
                # What was approved beforehand was approved before strangers had a say.
                approved = () if untrusted or asked_at is not None else approved_tools
                diff = await spec.diff(task, parsed) if spec.diff is not None else None
                kept = None
                # A cell that is gone is run again by whoever wants it, and asks again then.
                if going_on is not None and not self._asked_by_cell(turn_id):
                    kept = {"origin": origin, "untrusted": untrusted, **going_on()}
                await self.approvals.ask(
                    task,
                    spec.target(parsed),
                    decision.reason,
                    approved,
                    diff=diff,
                    going_on=kept,
                    asked_at=asked_at,
                )
                if decision.consent:
                    self._consents.add(decision.consent)
            within_a_cell = origin in ("magic", "script") or self._asked_by_cell(turn_id)
            # Asked before it waits, and waiting only then: whoever waits for a person holds no place.
            async with self.lanes.slot(self._lane(spec, effects, within_a_cell), task):
                self._start(task, spec, parsed)
                return await spec.handler(task, parsed)

        return await self.runner.run(handle, work)

    def _lane(self, spec: ToolSpec, effects: Effects, within_a_cell: bool) -> str:
        # A cell's own `%voice` has its place already, the cell's: that cell may be run by the very task
        # that holds the lane.
        ordered = spec.area in ORDERED_AREAS and effects & ORDERED_EFFECTS
        if ordered:
            return "" if within_a_cell else CELLS
        return spec.area

    def _start(self, task: TaskHandle, spec: ToolSpec, parsed: Any) -> None:
        """Let the task run, and its time with it."""
        own_s = spec.time_limit(parsed) if spec.time_limit is not None else None
        area_s = self._time_limits.get(spec.area)
        limit_s = min((limit for limit in (own_s, area_s) if limit is not None), default=None)
        if limit_s is None:
            task.move("running")
            return
        task.move("running", deadline_at=time.time() + limit_s)
        problem = timed_out(
            _("{program} was ended").format(program=spec.name), limit_s, spec.area if limit_s != own_s else ""
        )
        task.end_after(limit_s, problem, grace_s=TIDY_S if spec.time_limit is not None else 0.0)


def _within(going_on: GoingOn, name: str, given: dict[str, Any]) -> GoingOn:
    """Return what is needed to go on from a call that this one makes: of the outermost, which is known."""
    return lambda: {"outer": {"tool": name, "arguments": given}, **going_on()}


def title_of(name: str, arguments: dict[str, Any]) -> str:
    """Return the short text of a task's card: the tool and its values, on one line."""
    values = " ".join(
        key if value is True else str(value)
        for key, value in arguments.items()
        if value not in (None, False, "")
    )
    title = " ".join(f"{name} {values}".split())
    return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1] + "…"
