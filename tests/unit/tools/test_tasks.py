"""list_tasks and retry_task."""

from __future__ import annotations

import typing

import pytest
from workbench import Workbench

from voice_kernel.messages import Problem, Progress, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.tools import tasks


def task(number: int, **fields: typing.Any) -> Task:
    defaults: dict[str, typing.Any] = {
        "turn_id": 1,
        "tool": "run_shell",
        "title": "run_shell make",
        "created_at": 0,
    }
    return Task(id=number, **{**defaults, **fields})


def with_tasks(
    bench: Workbench, known: typing.Sequence[Task] = (), ends: typing.Sequence[str] = ()
) -> list[tuple[str, dict[str, typing.Any]]]:
    """Register the tools on known tasks; returns the calls to come, which end as `ends` says."""
    called: list[tuple[str, dict[str, typing.Any]]] = []

    async def call(asking: TaskHandle, tool: str, arguments: dict[str, typing.Any]) -> Task:
        state = ends[len(called)]
        called.append((tool, arguments))
        problem = Problem(kind="CommandFailed", message="make exited with 2.") if state == "failed" else None
        return task(100 + len(called), tool=tool, arguments=arguments, state=state, problem=problem)

    tasks.register(bench.registry, tasks=lambda: [*known, *bench.runner.tasks()], call=call)
    return called


def test_tasks_are_listed_newest_first_with_their_state() -> None:
    known = [
        task(1, state="succeeded", started_at=10, ended_at=12.5),
        task(2, state="failed", started_at=10, ended_at=11, problem=Problem(kind="X", message="No.")),
        task(3, state="running", started_at=90, progress=Progress(fraction=0.5, label="3 of 6")),
        task(4, state="awaiting_approval"),
    ]
    result = tasks.tasks_listed(known, now=100)
    assert result.summary == "4 tasks, 2 of them running"
    assert [line.strip() for line in result.text.splitlines()] == [
        "4  run_shell make  (waiting for your approval)",
        "3  run_shell make  (running, 10 s, 3 of 6)",
        "2  run_shell make  (failed, 1 s: No.)",
        "1  run_shell make  (succeeded, 2.5 s)",
    ]


def test_the_task_that_lists_does_not_list_itself(bench: Workbench) -> None:
    with_tasks(bench)
    first = bench.call("list_tasks")
    second = bench.call("list_tasks")
    assert first.result is not None
    assert second.result is not None
    assert first.result.summary == "There are no tasks yet."
    assert [entry["id"] for entry in second.result.data["tasks"]] == [1]


MAKE: dict[str, typing.Any] = {"arguments": {"command": "make"}}
KNOWN = [
    task(11, state="failed", **MAKE),
    task(12, state="cancelled", tool="run_tests", title="run_tests"),
    task(13, state="succeeded", **MAKE),
    task(14, state="interrupted", arguments={"command": "sleep 9"}),
    task(15, state="succeeded", tool="list_tasks", title="list_tasks"),
]


def test_a_retry_calls_the_same_again(bench: Workbench) -> None:
    called = with_tasks(bench, KNOWN, ["succeeded"])
    done = bench.call("retry_task", task="12")
    assert called == [("run_tests", {})]
    assert done.result is not None
    assert done.result.summary == "It succeeded this time."
    assert done.result.text == "12 again as 101  run_shell make  (succeeded)"


def test_the_last_task_is_not_the_list_that_was_looked_at(bench: Workbench) -> None:
    called = with_tasks(bench, KNOWN, ["succeeded"])
    bench.call("retry_task")
    assert called == [("run_shell", {"command": "sleep 9"})]


def test_all_are_those_that_have_not_succeeded_since(bench: Workbench) -> None:
    called = with_tasks(bench, KNOWN, ["succeeded", "failed"])
    done = bench.call("retry_task", task="all")
    assert called == [("run_tests", {}), ("run_shell", {"command": "sleep 9"})]
    assert done.state == "failed"
    assert done.problem is not None
    assert (done.problem.kind, done.problem.message) == (
        "CommandFailed",
        "make exited with 2. 1 of 2 did not succeed.",
    )


def test_nothing_is_retried_when_all_went_well(bench: Workbench) -> None:
    assert with_tasks(bench, KNOWN[2:3]) == []
    done = bench.call("retry_task", task="all")
    assert done.result is not None
    assert done.result.summary == "No task is left that did not succeed."


@pytest.mark.parametrize(
    ("known", "which", "told"),
    [
        ([], "last", "Nothing has been done yet."),
        (KNOWN, "99", "There is no task 99."),
        ([task(16, state="running")], "16", "Task 16 has not ended."),
    ],
)
def test_what_cannot_be_retried_says_why(bench: Workbench, known: list[Task], which: str, told: str) -> None:
    with_tasks(bench, known)
    done = bench.call("retry_task", task=which)
    assert done.problem is not None
    assert done.problem.message == told
