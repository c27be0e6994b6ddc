"""`replay_task`: does again what a task, or the whole conversation, did, and compares the outcomes.

What it would do is on the card that asks for approval: nothing is done before somebody has seen it. Every
step goes through the door again, so that what asked before asks again. It stops at the first outcome that
differs, unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, PrivateAttr

from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import Call, Problem, Result, Task, Turn
from voice_kernel.script.outcome import difference, outcome_of, words_of
from voice_kernel.script.step import NOT_REPLAYED, Recorded, Step, recorded_of, step_of_task, steps_of
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.door import title_of
from voice_kernel.toolbox.forecast import Forecast
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools.tasks import LOOKING, WORDS, CallTool, picked

MAX_STEPS = 200
ASKS = N_("It asks because it does again what was done before.")
MAX_SHOWN = 30
"""Steps on the card; the rest is counted."""


class ReplayTask(Arguments):
    """Arguments of `replay_task`."""

    task: str = Field(default="last", max_length=20, description="Its number, last or all.")
    keep_going: bool = Field(
        default=False, description="Whether to go on after an outcome that differs from the first time."
    )
    _steps: list[Step] | None = PrivateAttr(default=None)

    def steps(self, made: Callable[[str], list[Step]]) -> list[Step]:
        """Return what is to be done, as it was when this was first asked: what was approved is done."""
        if self._steps is None:
            self._steps = made(self.task)
        return self._steps


@dataclass(frozen=True)
class Past:
    """What there is to be done again: the turns and tasks of this conversation, oldest first."""

    turns: Callable[[], Sequence[Turn]]
    tasks: Callable[[], Sequence[Task]]

    def steps(self, which: str) -> list[Step]:
        """Return what is to be done again: of a number, `last` or `all`.

        Raises:
            ToolError: there is nothing to replay.
        """
        if which == "all":
            steps = [
                step for step in steps_of(self.recorded()) if not step.left_out and not _only_looks(step)
            ]
            if not steps:
                raise ToolError(_("There is nothing to replay yet."))
            if len(steps) > MAX_STEPS:
                raise ToolError(
                    _("{count} steps are too many to replay here.").format(count=len(steps)),
                    hint=_("Use voice-kernel replay in a terminal."),
                )
            return steps
        task = picked(self.tasks(), which)
        if task.tool in NOT_REPLAYED:
            raise ToolError(
                _("{tool} is not replayed.").format(tool=task.tool), hint=_("Replay what it did.")
            )
        turn = next((turn for turn in self.turns() if turn.id == task.turn_id), None)
        return [step_of_task(task, turn.text if turn is not None and len(turn.calls) == 1 else "")]

    def recorded(self) -> list[Recorded]:
        """Return the turns with their tasks."""
        return recorded_of([turn for turn in self.turns() if turn.ended_at is not None], self.tasks())


def register(registry: Registry, *, past: Past, call: CallTool, foreseen: Callable[[Call], Forecast]) -> None:
    """Register the tool.

    Args:
        registry: where.
        past: what can be done again.
        call: calls another tool.
        foreseen: what the door would say to a call now.
    """

    def effects(args: ReplayTask) -> Effects:
        args.steps(past.steps)  # those of now; each has effects of its own, and asks for itself
        return frozenset()

    def target(args: ReplayTask) -> str:
        return plan_told(args.steps(past.steps), foreseen)

    @registry.tool(area="tasks", effects=effects, target=target, for_models=False, asks=ASKS)
    async def replay_task(task: TaskHandle, args: ReplayTask) -> Result:
        """Do again what a task or the whole conversation did, and compare the outcomes."""
        steps = args.steps(past.steps)
        lines: list[str] = []
        rows: list[dict[str, Any]] = []
        differs: list[str] = []
        for number, step in enumerate(steps, 1):
            task.progress(
                (number - 1) / len(steps),
                _("step {number} of {count}: {text}").format(number=number, count=len(steps), text=step.text),
            )
            done = await _do(task, step, call)
            wrong = _wrong(step, done)
            lines.append(f"{'✗' if wrong else '✓'} {number}. {step.text}: {words_of(outcome_of(done))}")
            rows.append({"step": number, "said": step.text, "same": not wrong, "tasks": [t.id for t in done]})
            if wrong:
                lines.append(f"     {wrong}")
                differs.append(
                    _("Step {number}, “{text}”, came out differently. {wrong}").format(
                        number=number, text=step.text, wrong=wrong
                    )
                )
                if not args.keep_going:
                    break
        left = len(steps) - len(rows)
        if left:
            rest = ngettext_(
                "The {count} after it was not done.", "The {count} after it were not done.", left
            )
            lines.append(rest.format(count=left))
        result = Result(text="\n".join(lines), data={"steps": rows, "not_done": left})
        if differs:
            more = " " + _("So did {count} more.").format(count=len(differs) - 1) if len(differs) > 1 else ""
            problem = Problem(kind="DifferentOutcome", message=differs[0] + more)
            raise ToolFailed(problem, result.model_copy(update={"summary": problem.message}))
        summary = ngettext_(
            "Replayed: the same outcome as before.",
            "Replayed: {count} steps, the same outcomes as before.",
            len(steps),
        )
        return result.model_copy(update={"summary": summary.format(count=len(steps))})


def plan_told(steps: Sequence[Step], foreseen: Callable[[Call], Forecast]) -> str:
    """Return what would be done, for a person: one line a step, and what each call would meet."""
    lines = []
    for number, step in enumerate(steps[:MAX_SHOWN], 1):
        before = (
            " " + _("(before: {outcome})").format(outcome=words_of(step.expected))
            if step.expected is not None
            else ""
        )
        lines.append(f"{number}. {step.text}{before}")
        for one in step.calls:
            lines.append(f"   {title_of(one.tool, one.arguments)}{remark(foreseen(one))}")
    if len(steps) > MAX_SHOWN:
        lines.append("… " + _("and {count} more").format(count=len(steps) - MAX_SHOWN))
    return "\n".join(lines)


def remark(forecast: Forecast) -> str:
    """Return what is to be said of a call that would not simply be done; empty when it would."""
    return {
        "allow": "",
        "ask": f" — {_('asks first.')} {forecast.reason}",
        "refuse": f" — {_('would be refused.')} {forecast.reason}",
        "impossible": f" — {_('cannot be done here.')} {forecast.reason}",
    }[forecast.kind]


async def _do(task: TaskHandle, step: Step, call: CallTool) -> list[Task]:
    done = []
    for one in step.calls:
        done.append(await call(task, one.tool, one.arguments))
        if done[-1].state != "succeeded":
            break  # as the plan of an utterance does
    return done


def _wrong(step: Step, done: Sequence[Task]) -> str:
    if step.expected is not None:
        return difference(_direct(step), outcome_of(done))
    failed = [task for task in done if task.state != "succeeded"]
    return (
        _("{tool} {state}; there is no outcome to compare with.").format(
            tool=failed[0].tool, state=_(WORDS[failed[0].state])
        )
        if failed
        else ""
    )


def _direct(step: Step) -> Any:
    """Return the outcomes of the calls themselves, without those of tools that they called in turn."""
    wanted = [call.tool for call in step.calls]
    outcomes = []
    for one in step.expected or ():
        if wanted and one.tool == wanted[0]:
            outcomes.append(one)
            wanted.pop(0)
    return tuple(outcomes)


def _only_looks(step: Step) -> bool:
    return all(call.tool in LOOKING for call in step.calls)
