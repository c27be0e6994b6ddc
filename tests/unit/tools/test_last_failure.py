"""The error that is read is that of what failed last."""

from __future__ import annotations

from typing import Any

from voice_kernel.messages import Problem, Task
from voice_kernel.tools.reading import last_failure


def task(number: int, tool: str = "run_shell", **changes: Any) -> Task:
    values: dict[str, Any] = {
        "id": number,
        "turn_id": number,
        "tool": tool,
        "title": tool,
        "state": "failed",
        "created_at": number,
        "ended_at": number + 0.5,
        "problem": Problem(kind="CommandFailed", message=f"It failed: {number}."),
    }
    return Task(**{**values, **changes})


def test_the_error_is_that_of_what_failed_last() -> None:
    first, second = task(1), task(2, "run_tests")
    assert last_failure([first, second]) == second


def test_what_went_well_since_has_no_error() -> None:
    assert last_failure([task(1), task(2, state="succeeded", problem=None)]) is None
    assert last_failure([]) is None


def test_what_still_runs_and_what_only_reads_do_not_count() -> None:
    failed = task(1)
    running = task(2, state="running", ended_at=None, problem=None)
    reading = task(3, "read_error")
    assert last_failure([failed, running, reading]) == failed
