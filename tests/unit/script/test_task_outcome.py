"""What counts as the same outcome, and how a difference is told."""

from __future__ import annotations

from typing import Any

import pytest

from voice_kernel.messages import Problem, Result, Task, TestReport
from voice_kernel.script.outcome import difference, outcome_of, words_of


def task(number: int = 1, tool: str = "run_tests", state: str = "succeeded", **fields: Any) -> Task:
    kind, tests, exit_code = fields.pop("kind", ""), fields.pop("tests", None), fields.pop("exit_code", None)
    if kind:
        fields["problem"] = Problem(kind=kind, message=fields.pop("message", "It went wrong."))
    if tests is not None:
        passed, failed = tests
        fields["result"] = Result(tests=TestReport(passed=passed, failed=failed, duration_s=number))
    elif exit_code is not None:
        fields["result"] = Result(exit_code=exit_code, text=fields.pop("text", ""))
    return Task.model_validate(
        {"id": number, "turn_id": 1, "tool": tool, "title": tool, "state": state, "created_at": 0.0, **fields}
    )


def compared(before: list[Task], now: list[Task]) -> str:
    return difference(outcome_of(before), outcome_of(now))


def test_times_messages_and_raw_output_do_not_count() -> None:
    before = task(1, state="failed", kind="TestsFailed", message="1 failed: test_a", tests=(3, 1))
    now = task(9, state="failed", kind="TestsFailed", message="1 failed: test_b", tests=(3, 1), ended_at=7.0)
    assert compared([before], [now]) == ""
    assert compared([task(exit_code=0, text="a")], [task(exit_code=0, text="b")]) == ""


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (
            task(tests=(4, 0)),
            task(state="failed", kind="TestsFailed", tests=(3, 1)),
            "run_tests: failed (TestsFailed), 3 passed, 1 failed; before it was succeeded, 4 passed.",
        ),
        (
            task(state="failed", kind="TestsFailed", tests=(3, 1)),
            task(state="failed", kind="TestsFailed", tests=(2, 2)),
            "run_tests: failed (TestsFailed), 2 passed, 2 failed; before it was 3 passed, 1 failed.",
        ),
        (
            task(tool="run_shell", state="failed", kind="CommandFailed", exit_code=1),
            task(tool="run_shell", state="failed", kind="CommandFailed", exit_code=2),
            "run_shell: failed (CommandFailed), exit status 2; before it was exit status 1.",
        ),
        (
            task(tool="run_code", state="failed", kind="NameError"),
            task(tool="run_code", state="failed", kind="TypeError"),
            "run_code: failed (TypeError); before it was failed (NameError).",
        ),
        (task(tool="plot"), task(tool="run_code"), "It called run_code; before it was plot."),
    ],
)
def test_a_difference_names_what_is_now_and_what_was_before(before: Task, now: Task, told: str) -> None:
    assert compared([before], [now]) == told


def test_a_call_that_nobody_could_approve_ends_like_one_that_was_denied() -> None:
    denied = task(tool="run_shell", state="failed", kind="Refused")
    unasked = task(tool="run_shell", state="failed", kind="NobodyToAsk")
    assert compared([denied], [unasked]) == compared([unasked], [denied]) == ""
    assert "Refused" in compared([task(tool="run_shell")], [denied])


def test_missing_and_further_calls_are_differences() -> None:
    one, two = task(1, tool="run_code"), task(2, tool="plot")
    assert compared([one, two], [one]) == "plot was not called; before it succeeded."
    assert compared([one], [one, two]) == "It also called plot, which it did not before."
    assert compared([one], []) == "run_code was not called; before it succeeded."


def test_tasks_are_compared_in_the_order_in_which_they_began() -> None:
    one, two = task(1, tool="run_code"), task(2, tool="plot")
    assert compared([two, one], [one, two]) == ""


def test_an_outcome_is_told_in_words() -> None:
    assert words_of(outcome_of([task(tests=(4, 0))])) == "succeeded, 4 passed"
    assert words_of(outcome_of([task(1, tool="run_code"), task(2, tool="plot")])) == (
        "run_code succeeded; plot succeeded"
    )
    assert words_of(()) == "nothing was done"
