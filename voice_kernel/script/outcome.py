"""How tasks ended, as far as that can be compared with another time.

State, kind of problem, exit status and numbers of tests; never times, messages or raw output, which differ
between two runs that a person would call the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from voice_kernel.messages import Task, TaskState, TestReport


class Counts(NamedTuple):
    """Numbers of a test run."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, report: TestReport) -> Counts:
        """Return the numbers of a report."""
        return cls(report.passed, report.failed, report.errors, report.skipped)

    def __str__(self) -> str:
        words = [f"{number} {name}" for name, number in self._asdict().items() if number]
        return ", ".join(words) or "no tests"


class TaskOutcome(BaseModel):
    """How one task ended."""

    # What a later version adds to its scripts is no reason not to read them.
    model_config = ConfigDict(frozen=True, extra="ignore")

    tool: str
    state: TaskState
    problem: str = ""
    """Kind of the problem, e.g. `TestsFailed`, or the name of the exception of user code."""
    exit_code: int | None = None
    tests: Counts | None = None

    @classmethod
    def of(cls, task: Task) -> TaskOutcome:
        """Return how a task ended."""
        result = task.result
        return cls(
            tool=task.tool,
            state=task.state,
            problem=task.problem.kind if task.problem is not None else "",
            exit_code=result.exit_code if result is not None else None,
            tests=Counts.of(result.tests) if result is not None and result.tests is not None else None,
        )

    @property
    def words(self) -> str:
        """The outcome for a person: `failed (TestsFailed), 3 passed, 1 failed`."""
        said = self.state + (f" ({self.problem})" if self.problem and self.problem != "Cancelled" else "")
        if self.exit_code:
            said += f", exit status {self.exit_code}"
        return said + (f", {self.tests}" if self.tests is not None else "")


REFUSALS = frozenset({"Refused", "NobodyToAsk"})
Outcome = tuple[TaskOutcome, ...]
"""How the tasks of one step ended, in the order in which they began."""


def outcome_of(tasks: Sequence[Task]) -> Outcome:
    """Return how the tasks of a turn ended."""
    return tuple(TaskOutcome.of(task) for task in sorted(tasks, key=lambda task: task.id))


def words_of(outcome: Outcome) -> str:
    """Return an outcome for a person."""
    if len(outcome) == 1:
        return outcome[0].words
    return "; ".join(f"{task.tool} {task.words}" for task in outcome) or "nothing was done"


def difference(expected: Outcome, actual: Outcome) -> str:
    """Return the first way in which two outcomes differ, as a sentence; empty when they are the same."""
    for before, now in zip(expected, actual, strict=False):
        if before.tool != now.tool:
            return f"It called {now.tool}; before it was {before.tool}."
        if _compared(before) != _compared(now):
            return f"{now.tool}: {now.words}; before it was {_rest(before, now)}."
    if len(actual) < len(expected):
        missing = expected[len(actual)]
        return f"{missing.tool} was not called; before it {missing.words}."
    if len(actual) > len(expected):
        return f"It also called {actual[len(expected)].tool}, which it did not before."
    return ""


def _compared(outcome: TaskOutcome) -> TaskOutcome:
    # Whether a person said no or could not be asked: it was not let through.
    return outcome.model_copy(update={"problem": "Refused"}) if outcome.problem in REFUSALS else outcome


def _rest(before: TaskOutcome, now: TaskOutcome) -> str:
    """Return only what differs, where the rest is the same."""
    same = (before.state, before.problem) == (now.state, now.problem)
    if same and before.exit_code == now.exit_code and before.tests is not None:
        return str(before.tests)
    if same and before.tests == now.tests and before.exit_code is not None:
        return f"exit status {before.exit_code}"
    return before.words
