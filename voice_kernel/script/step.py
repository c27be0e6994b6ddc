"""One utterance with its exact calls and its outcome; a conversation as a list of such steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_kernel.controls import CONTROLS
from voice_kernel.messages import Call, Task, Turn
from voice_kernel.script.outcome import Outcome, outcome_of
from voice_kernel.task.state import ENDED

REPEATS = frozenset({"replay_task", "retry_task"})
"""They do what other tasks did: in a script, those other calls stand in their place."""
OF_THE_MOMENT = frozenset({"new_thread", "correct"})
"""They mean something only in the conversation in which they were said."""
MAX_CALLS = 50
"""Of one step: what `messages.Do` carries."""
NOT_REPLAYED = CONTROLS | REPEATS | OF_THE_MOMENT


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do, and how it ended when it was done before."""

    text: str
    """The words, on one line."""
    calls: tuple[Call, ...] = ()
    """What exactly to call; without any the words are understood anew."""
    expected: Outcome | None = None
    """How it ended before; None when that is not known, or says nothing about another time."""
    where: str = ""
    """Where it was written down, e.g. `check.voice:3`; empty when it comes from the history."""
    left_out: str = ""
    """Why it is not done again; empty when it is."""
    note: str = ""
    """What a person should know about it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A turn of the history with its tasks."""

    turn: Turn
    tasks: tuple[Task, ...] = ()


def recorded_of(turns: Sequence[Turn], tasks: Sequence[Task]) -> list[Recorded]:
    """Return turns with their tasks, in the order of the turns; those of a turn in which they began."""
    of_turn: dict[int, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: task.id):
        of_turn.setdefault(task.turn_id, []).append(task)
    return [Recorded(turn, tuple(of_turn.get(turn.id, ()))) for turn in turns]


def steps_of(recorded: Sequence[Recorded]) -> list[Step]:
    """Return a conversation as steps, in its order; those that are not to be done again say why."""
    steps = []
    said: list[tuple[tuple[Call, ...], str]] = []
    for one in recorded:
        calls = calls_of(one)
        text = one_line(one.turn.text)
        if one.turn.origin == "retry" or not text:
            # "Again: run_tests" is what the panel calls it, and no sentence: take those of the first time.
            text = next((words for known, words in reversed(said) if known == calls), text)
        else:
            said.append((calls, text))
        steps.append(_step(one, calls, text or ", ".join(call.tool for call in calls)))
    return steps


def step_of_task(task: Task, text: str = "") -> Step:
    """Return one task as a step, whatever became of it.

    Args:
        task: the task.
        text: the utterance that it came from.
    """
    known = task.state in ("succeeded", "failed")
    return Step(
        text=one_line(text) or task.title,
        calls=(Call(tool=task.tool, arguments=task.arguments),),
        expected=outcome_of([task]) if known else None,
        note="" if known else f"It was {task.state}: there is no outcome to compare with.",
    )


def calls_of(one: Recorded) -> tuple[Call, ...]:
    """Return what a turn called, exactly, as it is to be called again."""
    planned = [call for call in one.turn.calls if call.tool not in CONTROLS]
    if planned and not any(call.tool in REPEATS for call in planned):
        return tuple(call for call in planned if call.tool not in OF_THE_MOMENT)
    # A model's calls are only in its tasks, and so is what a repeated task did.
    tasks = sorted(one.tasks, key=lambda task: task.id)
    return tuple(
        Call(tool=task.tool, arguments=task.arguments) for task in tasks if task.tool not in NOT_REPLAYED
    )


def one_line(text: str) -> str:
    """Return words on one line that no script takes for a comment."""
    return " ".join(text.split()).lstrip("# ")


def _step(one: Recorded, calls: tuple[Call, ...], text: str) -> Step:
    counted = [task for task in one.tasks if task.tool not in NOT_REPLAYED]
    reason = _left_out(one.turn, counted, calls)
    return Step(text, calls, None if reason else outcome_of(counted), left_out=reason)


def _left_out(turn: Turn, tasks: Sequence[Task], calls: tuple[Call, ...]) -> str:
    if turn.parent_id is not None:
        return "it was started by a cell that another step runs"
    if turn.ended_at is None and any(task.state not in ENDED for task in tasks):
        return "it has not ended"
    for state in ("interrupted", "cancelled"):
        if turn.state == state or any(task.state == state for task in tasks):
            return f"it was {state}"
    if not calls and any(call.tool in CONTROLS for call in turn.calls):
        return "only a person does it"
    if not calls and turn.calls:
        return "it belonged to that conversation"
    if turn.route == "none" or turn.state == "nothing":
        return "it was not understood"
    if not tasks:
        return "nothing was done"
    if len(calls) > MAX_CALLS:
        return f"it made more than {MAX_CALLS} calls"
    return ""
