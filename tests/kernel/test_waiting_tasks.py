"""In a real kernel: tasks wait their turn, can be moved and taken out, and end at their limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page import SHELL, Notebook, Page

from voice_kernel.messages import Call, CancelTask, Do, MoveTask


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    with Notebook(tmp_path, environment=SHELL) as notebook:
        yield notebook


def ask(page: Page, command: str) -> int:
    """Ask for a command without waiting for it; returns its task."""
    known = len(page.tasks)
    page.send(Do(calls=[Call(tool="run_shell", arguments={"command": command})]))
    page.until(lambda: len(page.tasks) > known)
    return max(page.tasks)


def test_commands_wait_their_turn_and_a_person_may_change_the_order(notebook: Notebook) -> None:
    page = notebook.open({"VOICE_KERNEL_TASK_LIMITS": "shell=1"})
    gate = ask(page, "until [ -e go ]; do sleep 0.02; done")
    a, b, c, d = (ask(page, f"echo {name} >> order") for name in "abcd")
    page.until(lambda: page.tasks[d].queue_position == 4 and page.tasks[gate].state == "running")
    assert [page.tasks[task].state for task in (a, b, c, d)] == ["queued"] * 4
    page.send(MoveTask(task_id=c, to="first"))
    page.send(MoveTask(task_id=a, to="last"))
    page.send(CancelTask(task_id=b))
    page.until(lambda: [page.tasks[task].queue_position for task in (c, d, a)] == [1, 2, 3])
    assert page.ended(b).state == "cancelled"
    page.open()  # who looks only now sees the queue all the same
    assert [page.tasks[task].queue_position for task in (c, d, a)] == [1, 2, 3]
    (notebook.folder / "go").touch()
    assert [page.ended(task).state for task in (c, d, a)] == ["succeeded"] * 3
    assert (notebook.folder / "order").read_text().split() == ["c", "d", "a"]
    assert {task.queue_position for task in page.tasks.values()} == {None}
    assert {task.area for task in page.tasks.values()} == {"shell"}


def test_a_command_is_ended_at_the_limit_of_its_area_with_what_it_has_put_out(notebook: Notebook) -> None:
    # Time enough to begin in, on a machine that is slow and busy.
    page = notebook.open({"VOICE_KERNEL_TASK_TIME_LIMITS": "shell=10"})
    task = page.ended(ask(page, "echo begun; sleep 600"))
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TimedOut"
    assert "10 s, its time limit" in task.problem.message
    assert "task_time_limits (shell=10)" in task.problem.hint
    assert task.result is not None
    assert task.result.text == "begun\n"
    assert task.started_at is not None
    assert task.deadline_at is not None
    assert task.created_at <= task.deadline_at - 10 <= task.started_at


def test_progress_of_a_program_is_shown_while_it_runs(notebook: Notebook) -> None:
    page = notebook.open()
    bar = "50%|#####     | 2/4 [00:01<00:01,  2.00it/s]"
    task = ask(page, f"printf '\\r%s' '{bar}'; until [ -e go ]; do sleep 0.02; done")
    page.until(lambda: page.tasks[task].progress is not None)
    progress = page.tasks[task].progress
    assert progress is not None
    assert (progress.fraction, progress.done, progress.total) == (0.5, 2, 4)
    (notebook.folder / "go").touch()
    assert page.ended(task).progress is None
