"""A conversation as steps: what is done again, and what is left out and why."""

from __future__ import annotations

from typing import Any

import pytest

from voice_kernel.controls import CONTROLS
from voice_kernel.messages import Call, Problem, Task, Turn
from voice_kernel.script.step import NOT_REPLAYED, Recorded, step_of_task, steps_of


def call(tool: str, **arguments: Any) -> Call:
    return Call(tool=tool, arguments=arguments)


def turn(number: int, text: str, *calls: Call, **fields: Any) -> Turn:
    defaults: dict[str, Any] = {
        "state": "succeeded",
        "origin": "text",
        "route": "intents",
        "created_at": float(number),
        "ended_at": number + 1.0,
    }
    return Turn.model_validate({**defaults, "id": number, "text": text, "calls": list(calls), **fields})


def task(number: int, done: Call, state: str = "succeeded", kind: str = "", **fields: Any) -> Task:
    return Task.model_validate(
        {
            "id": number,
            "turn_id": 1,
            "tool": done.tool,
            "arguments": done.arguments,
            "title": f"{done.tool} it",
            "state": state,
            "created_at": float(number),
            "problem": Problem(kind=kind, message="") if kind else None,
            **fields,
        }
    )


TESTS, MAKE, VARIABLES = call("run_tests"), call("run_shell", command="make"), call("list_variables")


def test_a_control_is_never_replayed() -> None:
    assert CONTROLS < NOT_REPLAYED


def test_a_turn_becomes_a_step_with_its_exact_calls_and_its_outcome() -> None:
    (step,) = steps_of(
        [Recorded(turn(1, "run  the\ntests", TESTS), (task(1, TESTS, "failed", "TestsFailed"),))]
    )
    assert step.text == "run the tests"
    assert step.calls == (TESTS,)
    assert step.expected is not None
    assert [(one.tool, one.state, one.problem) for one in step.expected] == [
        ("run_tests", "failed", "TestsFailed")
    ]
    assert step.left_out == ""


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ((turn(1, "make", MAKE, state="cancelled"), task(1, MAKE, "cancelled")), "it was cancelled"),
        ((turn(1, "make", MAKE, state="failed"), task(1, MAKE, "interrupted")), "it was interrupted"),
        ((turn(1, "yes", call("approve")),), "only a person does it"),
        ((turn(1, "bla", route="none", state="nothing"),), "it was not understood"),
        ((turn(1, "hello", route="model"),), "nothing was done"),
        ((turn(1, "run it", VARIABLES, parent_id=7), task(1, VARIABLES)), "another step"),
        ((turn(1, "new", call("new_thread")), task(1, call("new_thread"))), "that conversation"),
        ((turn(1, "make", MAKE, ended_at=None, state="running"), task(1, MAKE, "running")), "not ended"),
    ],
)
def test_what_is_not_done_again_says_why(recorded: tuple[Any, ...], reason: str) -> None:
    (step,) = steps_of([Recorded(recorded[0], recorded[1:])])
    assert reason in step.left_out
    assert step.expected is None


def test_what_no_message_can_carry_is_left_out() -> None:
    tasks = tuple(task(number, MAKE) for number in range(1, 52))
    (step,) = steps_of([Recorded(turn(1, "build it all", route="model"), tasks)])
    assert step.left_out == "it made more than 50 calls"


def test_a_control_beside_a_command_leaves_the_command() -> None:
    (step,) = steps_of(
        [
            Recorded(
                turn(1, "cancel all and run the tests", call("cancel_task", task="all"), TESTS),
                (task(1, TESTS),),
            )
        ]
    )
    assert step.calls == (TESTS,)
    assert step.left_out == ""


def test_a_models_calls_are_those_of_its_tasks() -> None:
    tasks = (task(4, TESTS), task(3, MAKE))
    (step,) = steps_of([Recorded(turn(1, "see to it", route="model", answer="Done."), tasks)])
    assert step.calls == (MAKE, TESTS)


def test_a_replay_is_done_again_by_what_it_did() -> None:
    replay = call("replay_task", task="all")
    tasks = (task(5, replay), task(6, MAKE), task(7, TESTS))
    (step,) = steps_of([Recorded(turn(3, "replay everything", replay), tasks)])
    assert step.calls == (MAKE, TESTS)
    assert step.expected is not None
    assert [one.tool for one in step.expected] == ["run_shell", "run_tests"]


def test_a_retry_takes_the_words_of_the_first_time() -> None:
    first = Recorded(turn(1, "run the tests", TESTS), (task(1, TESTS, "failed"),))
    again = Recorded(turn(2, "Again: run_tests", TESTS, origin="retry", route=None), (task(2, TESTS),))
    steps = steps_of([first, again])
    assert [step.text for step in steps] == ["run the tests", "run the tests"]
    (alone,) = steps_of([again])
    assert alone.text == "Again: run_tests"


def test_words_that_look_like_a_comment_are_none() -> None:
    (step,) = steps_of([Recorded(turn(1, "# run the tests", TESTS), (task(1, TESTS),))])
    assert step.text == "run the tests"


def test_one_task_that_did_not_end_by_itself_has_no_outcome_to_compare_with() -> None:
    step = step_of_task(task(1, MAKE, "cancelled"))
    assert (step.text, step.calls, step.expected) == ("run_shell it", (MAKE,), None)
    assert "cancelled" in step.note
    assert step_of_task(task(1, MAKE), "make it").expected is not None
