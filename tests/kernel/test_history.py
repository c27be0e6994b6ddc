"""History and replay by words, in real kernels: what earlier ones did, done again in this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page import Notebook, Page
from real_kernel import RealKernel, shown

from voice_kernel.messages import Result, Task


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    with Notebook(tmp_path) as notebook:
        yield notebook


@pytest.fixture
def page(notebook: Notebook) -> Page:
    page = notebook.open()
    page.until_kept()
    return page


def last(page: Page, tool: str) -> Task:
    return [task for task in page.tasks.values() if task.tool == tool][-1]


def result(page: Page, tool: str) -> Result:
    found = last(page, tool).result
    assert found is not None
    return found


# ---- history --------------------------------------------------------------------------------------


def test_what_an_earlier_kernel_did_is_shown_and_searched_by_words(page: Page, notebook: Notebook) -> None:
    page.say("shell echo apple")
    page.say("shell echo pear; exit 3")
    notebook.written(lambda tasks: [task.state for task in tasks] == ["succeeded", "failed"])
    page.kernel.shut_down()
    page = notebook.open()
    page.until_shown(1, 2)

    page.say("show history")
    assert [(row["id"], row["title"]) for row in result(page, "show_history").data["tasks"]] == [
        (2, "run_shell echo pear; exit 3"),
        (1, "run_shell echo apple"),
    ]
    page.say("search the history for apple")
    assert [row["state"] for row in result(page, "show_history").data["tasks"]][-1] == "succeeded"
    page.say("failed tasks of today")
    assert [row["title"] for row in result(page, "show_history").data["tasks"]] == [
        "run_shell echo pear; exit 3"
    ]
    page.say("what did I run yesterday")
    assert result(page, "show_history").summary == "Nothing of that kind was done."


def test_other_notebooks_are_shown_only_when_they_are_asked_for(page: Page, notebook: Notebook) -> None:
    page.say("shell echo mine")
    notebook.written(lambda tasks: [task.state for task in tasks] == ["succeeded"])
    with Notebook(notebook.folder, name="other.ipynb") as other:
        there = other.open()
        there.until_kept()
        there.say("show history")
        assert result(there, "show_history").data["tasks"] == []
        there.say("show the history of all notebooks")
        assert "run_shell echo mine" in [row["title"] for row in result(there, "show_history").data["tasks"]]
        assert "voice-kernel history show" in result(there, "show_history").text


def test_where_nothing_is_kept_this_session_is_shown(tmp_path: Path) -> None:
    with Notebook(
        tmp_path, environment={"ALLOW_CLI_EXECUTION": "true", "VOICE_KERNEL_KEEP_HISTORY": "false"}
    ) as book:
        page = book.open()
        page.say("shell echo apple")
        page.say("show history")
        found = result(page, "show_history")
        assert [row["title"] for row in found.data["tasks"]] == ["run_shell echo apple"]
        assert found.summary.endswith("These are the tasks of this session only.")


# ---- replay ---------------------------------------------------------------------------------------


def test_a_replay_shows_what_it_would_do_and_does_just_that_once_approved(page: Page) -> None:
    (page.kernel.folder / "n").write_text("")
    page.say("shell echo x >> n")
    page.say("run the code 1 / 0")
    turn = page.begin("replay everything")
    card = page.card()
    assert card.tool == "replay_task"
    assert card.target.splitlines() == [
        "1. shell echo x >> n (before: succeeded)",
        "   run_shell echo x >> n",
        "2. run the code 1 / 0 (before: failed (ZeroDivisionError))",
        "   run_code 1 / 0",
    ]
    assert (page.kernel.folder / "n").read_text() == "x\n"
    page.answer(card, True)
    assert page.said(turn).state == "succeeded"
    assert result(page, "replay_task").summary == "Replayed: 2 steps, the same outcomes as before."
    assert (page.kernel.folder / "n").read_text() == "x\nx\n"


def test_what_is_not_approved_is_not_done(page: Page) -> None:
    page.say("shell echo x >> n")
    turn = page.begin("replay that")
    page.answer(page.card(), False)
    assert page.said(turn).state == "failed"
    assert (page.kernel.folder / "n").read_text() == "x\n"


def test_a_changed_outcome_is_told_at_its_step(page: Page) -> None:
    page.say("shell test -e there")
    page.say("shell echo after >> n")
    (page.kernel.folder / "there").touch()
    turn = page.begin("replay the whole session")
    page.answer(page.card(), True)
    ended = page.said(turn)
    assert ended.state == "failed"
    assert ended.problem is not None
    assert ended.problem.message == (
        "Step 1, “shell test -e there”, came out differently. "
        "run_shell: succeeded; before it was failed (CommandFailed), exit status 1."
    )
    assert (page.kernel.folder / "n").read_text() == "after\n"


def test_a_task_of_an_earlier_kernel_is_replayed_by_its_number(page: Page, notebook: Notebook) -> None:
    page.say("shell echo x >> n")
    notebook.written(lambda tasks: [task.state for task in tasks] == ["succeeded"])
    page.kernel.shut_down()
    page = notebook.open()
    page.until_shown(1)
    turn = page.begin("replay task one")
    page.answer(page.card(), True)
    assert page.said(turn).state == "succeeded"
    assert (page.kernel.folder / "n").read_text() == "x\nx\n"


def test_every_step_that_asks_asks_again(page: Page) -> None:
    (page.kernel.folder / "old").touch()
    turn = page.begin("shell rm old")
    page.answer(page.card(), True)
    page.said(turn)
    (page.kernel.folder / "old").touch()
    turn = page.begin("replay that")
    plan = page.card()
    assert "asks first" in plan.target
    page.answer(plan, True)
    step = page.card()
    assert (step.tool, step.target) == ("run_shell", "rm old")
    page.answer(step, False)
    assert page.said(turn).state == "failed"
    assert (page.kernel.folder / "old").exists()


def test_everything_that_did_not_succeed_is_retried(page: Page) -> None:
    page.say("shell test -e there")
    page.say("shell echo fine")
    (page.kernel.folder / "there").touch()
    assert page.say("retry all tasks").state == "succeeded"
    assert result(page, "retry_task").summary == "It succeeded this time."
    assert page.say("retry all tasks").state == "succeeded"
    assert result(page, "retry_task").summary == "No task is left that did not succeed."


# ---- in a cell ------------------------------------------------------------------------------------


def test_a_cell_shows_the_history_and_replays_only_where_somebody_can_be_asked(
    new_kernel: RealKernel,
) -> None:
    new_kernel.execute("%load_ext voice_kernel").expect_ok()
    new_kernel.execute("%voice list the files").expect_ok()
    cell = new_kernel.execute("%voice show history").expect_ok()
    assert "list the files [list_files]" in shown(cell)
    refused = new_kernel.execute("%voice replay task one")
    assert refused.status == "error"
    assert refused.reply is not None
    assert "--approve replay_task" in refused.reply["content"]["evalue"]
