"""Does again what was done before, step by step, and compares the outcomes.

Speaks through a `client` to a session in a kernel of its own. Knows steps and outcomes; not where the steps
come from, nor how any of it is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from voice_kernel.language import _
from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    ApprovalShown,
    CancelTurn,
    Decide,
    Do,
    Problem,
    Say,
    Task,
    TaskChanged,
    ToKernel,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.script.outcome import Outcome, difference, outcome_of
from voice_kernel.script.step import Step

State = Literal["same", "done", "different", "failed", "refused", "timeout", "left_out", "not_done"]
"""`same`: as before. `done`: it succeeded, and nothing is known of before. `failed`: the same, but it did
not. `refused`: differently, since policy or a person said no, or nobody could be asked. `left_out`: the step
is not one to be done again. `not_done`: one before it ended the replay."""

WENT_WELL = frozenset({"same", "done", "left_out"})
CANCEL_LIMIT_S = 10.0
"""How long a step that took too long may take to end once it is cancelled."""


class Session(Protocol):
    """What a replay speaks to: `client.Client`."""

    @property
    def surface_id(self) -> str:
        """What its turns are known by."""
        ...

    def send(self, message: ToKernel) -> None:
        """Send one message to the session."""
        ...

    def events(self) -> AsyncIterator[ToSurface]:
        """Yield what the session tells, from now on."""
        ...


@dataclass(frozen=True)
class Done:
    """What became of one step."""

    number: int
    """From 1."""
    step: Step
    state: State
    outcome: Outcome = ()
    message: str = ""
    """What differs, or why it was not done, in a sentence."""
    hint: str = ""
    tasks: tuple[Task, ...] = ()
    """As they ended, with the newest of their output."""

    @property
    def went_well(self) -> bool:
        """Whether the replay goes on after it."""
        return self.state in WENT_WELL


@dataclass
class Replay:
    """One replay.

    Attributes:
        session: does the steps.
        ask: asks a person whether a call may run; None where nobody can be asked.
        on_event: told all that the session tells meanwhile.
        timeout_s: limit of each step; None is no limit.
    """

    session: Session
    ask: Callable[[Approval], Awaitable[bool]] | None = None
    on_event: Callable[[ToSurface], None] = lambda event: None
    timeout_s: float | None = None
    _last_turn_id: int = 0

    async def run(self, steps: Sequence[Step], *, keep_going: bool = False) -> AsyncGenerator[Done, None]:
        """Do the steps in their order, and yield what became of each.

        Args:
            steps: what to do.
            keep_going: whether to go on after a step that came out differently.

        Raises:
            KernelDied: the kernel died.
        """
        stopped = False
        for number, step in enumerate(steps, 1):
            if stopped:
                yield Done(number, step, "not_done")
            elif step.left_out:
                yield Done(
                    number, step, "left_out", message=_("Left out: {reason}.").format(reason=step.left_out)
                )
            else:
                done = await self._step(number, step)
                stopped = not (done.went_well or keep_going)
                yield done

    async def _step(self, number: int, step: Step) -> Done:
        if step.calls:
            self.session.send(Do(text=step.text[:10_000], calls=list(step.calls)))
        else:
            self.session.send(Say(text=step.text))
        seen = _Seen(self.session.surface_id, self._last_turn_id)
        try:
            async with asyncio.timeout(self.timeout_s):
                turn = await self._until_ended(seen)
        except TimeoutError:
            await self._give_up(seen)
            message = _("It took longer than {limit_s:g} s.").format(limit_s=self.timeout_s)
            return Done(number, step, "timeout", message=message, tasks=tuple(seen.of_turn()))
        except asyncio.CancelledError:
            if seen.turn is not None:
                self.session.send(CancelTurn(turn_id=seen.turn.id))
            raise
        finally:
            self._last_turn_id = seen.turn.id if seen.turn is not None else self._last_turn_id
        return judged(number, step, turn, seen.of_turn())

    async def _until_ended(self, seen: _Seen) -> Turn:
        async for event in self.session.events():
            self.on_event(event)
            seen.take(event)
            if isinstance(event, ApprovalChanged) and event.approval.state == "open" and self.ask:
                await self._answer(event.approval, seen)
            if seen.turn is not None and seen.turn.ended_at is not None:
                return seen.turn
        raise AssertionError("a session tells until it ends, and then says so")

    async def _answer(self, approval: Approval, seen: _Seen) -> None:
        if self.ask is None or approval.id in seen.answered:
            return
        seen.answered.add(approval.id)
        self.session.send(ApprovalShown(approval_id=approval.id))
        # A form needs a page to be filled in on; here it gets a no.
        approved = not approval.fields and await self.ask(approval)
        self.session.send(Decide(approval_id=approval.id, approved=approved))

    async def _give_up(self, seen: _Seen) -> None:
        if seen.turn is None:
            return
        self.session.send(CancelTurn(turn_id=seen.turn.id))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_LIMIT_S):
                await self._until_ended(seen)


class _Seen:
    """What was told of the step that runs."""

    def __init__(self, surface_id: str, last_turn_id: int) -> None:
        self._surface_id = surface_id
        self._last_turn_id = last_turn_id
        self._tasks: dict[int, Task] = {}
        self.turn: Turn | None = None
        self.answered: set[int] = set()

    def take(self, event: ToSurface) -> None:
        """Note what concerns it."""
        if isinstance(event, TaskChanged):
            self._tasks[event.task.id] = event.task
        elif (
            isinstance(event, TurnChanged)
            and event.turn.surface_id == self._surface_id
            and event.turn.id > self._last_turn_id
        ):
            self.turn = event.turn

    def of_turn(self) -> list[Task]:
        """Return the step's tasks, in the order in which they began."""
        number = self.turn.id if self.turn is not None else None
        return [task for _, task in sorted(self._tasks.items()) if task.turn_id == number]


def judged(number: int, step: Step, turn: Turn, tasks: Sequence[Task]) -> Done:
    """Return what became of a step, from the turn that it was this time.

    Args:
        number: the step's number, from 1.
        step: the step.
        turn: its turn, ended.
        tasks: the turn's tasks.
    """
    outcome = outcome_of(tasks)
    problem = turn.problem or Problem(kind="", message=turn.answer)
    if step.expected is not None:
        wrong = difference(step.expected, outcome)
        state: State = "different" if wrong else "same"
        if wrong and not tasks:
            wrong = f"{wrong} {problem.message}".strip()
    else:
        wrong = "" if turn.state == "succeeded" else problem.message or f"It was {turn.state}."
        state = "failed" if wrong else "done"
    if wrong and problem.kind in ("Refused", "NobodyToAsk"):
        state = "refused"
        wrong = wrong if problem.message in wrong else f"{wrong} {problem.message}".strip()
    hint = problem.hint if wrong else ""
    if wrong and turn.closest:
        hint = _("Closest: {sentences}.").format(sentences="; ".join(turn.closest))
    return Done(number, step, state, outcome, wrong, hint, tuple(tasks))
