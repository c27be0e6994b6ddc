"""list_tasks, and the tools that are only planned."""

from __future__ import annotations

import typing

import pytest
from workbench import Workbench

from voice_kernel.errors import InvalidArguments
from voice_kernel.messages import Problem, Progress, Task
from voice_kernel.tools import files, planned, shell, tasks


def task(number: int, **fields: typing.Any) -> Task:
    defaults: dict[str, typing.Any] = {
        "turn_id": 1,
        "tool": "run_shell",
        "title": "run_shell make",
        "created_at": 0,
    }
    return Task(id=number, **{**defaults, **fields})


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
    tasks.register(bench.registry, tasks=bench.runner.tasks)
    first = bench.call("list_tasks")
    second = bench.call("list_tasks")
    assert first.result is not None
    assert second.result is not None
    assert first.result.summary == "There are no tasks yet."
    assert [entry["id"] for entry in second.result.data["tasks"]] == [1]


def test_a_planned_tool_has_arguments_and_a_reason_but_no_handler(bench: Workbench) -> None:
    planned.register(bench.registry)
    assert len(bench.registry.specs) == len(planned.PLANNED)
    assert bench.registry.available() == []
    spec = bench.registry.get("browser_click")
    assert spec.reason == "Driving a web browser is not in this version yet."
    spec.validate({"target": "Sign in"})
    with pytest.raises(InvalidArguments):
        spec.validate({"element": "Sign in"})


def test_every_planned_tool_says_in_a_sentence_what_it_is_and_why_it_is_missing(bench: Workbench) -> None:
    planned.register(bench.registry)
    for spec in bench.registry.specs.values():
        assert spec.reason.endswith(".")
        assert spec.description.endswith(".")
        for field in spec.json_schema().get("properties", {}).values():
            assert field["description"].endswith(".")


def test_a_real_tool_is_not_replaced_by_its_plan(bench: Workbench) -> None:
    shell.register(bench.registry, cwd=bench.cwd)
    files.register(bench.registry, cwd=bench.cwd)
    before = dict(bench.registry.specs)
    planned.register(bench.registry)
    assert before.items() <= bench.registry.specs.items()
