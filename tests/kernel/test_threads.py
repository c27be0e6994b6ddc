"""Conversations in a real kernel: begun, listed, opened, renamed, deleted, gone on with after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page import Notebook, Page

from voice_kernel.messages import (
    CancelTask,
    DeleteThread,
    FindTasks,
    ListThreads,
    NewThread,
    OpenThread,
    RenameThread,
    RetryTask,
    Say,
)


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    with Notebook(tmp_path) as notebook:
        yield notebook


@pytest.fixture
def page(notebook: Notebook) -> Page:
    page = notebook.open()
    page.until_kept()
    return page


def until_written(page: Page) -> None:
    """Wait until what has ended is on disk: on a busy machine no question waits as long as that takes."""
    ended = {task.id for task in page.tasks.values() if task.ended_at is not None}
    page.until(lambda: ended <= {past.task.id for past in page.find() if past.task.ended_at is not None})


def until_listed(page: Page, *titles: str) -> None:
    """Wait until these are the conversations, in this order."""
    page.until(lambda: [thread.title for thread in page.threads()] == list(titles))


def new_thread(page: Page) -> str:
    """Begin a conversation with a click; returns its id."""
    until_written(page)
    before = page.thread.id
    page.send(NewThread())
    page.until(lambda: page.thread.id != before)
    return page.thread.id


def open_thread(page: Page, thread_id: str) -> None:
    """Open a conversation with a click, and wait until it is shown."""
    until_written(page)
    states = len(page.states)
    page.send(OpenThread(thread_id=thread_id))
    page.until(lambda: len(page.states) > states and page.thread.id == thread_id)


def test_a_conversation_is_listed_by_its_first_words_newest_first(page: Page) -> None:
    assert page.threads() == []  # nothing was said yet
    page.done("echo one")
    until_listed(page, "run echo one")
    new_thread(page)
    assert page.tasks == {}
    until_listed(page, "run echo one")
    page.done("echo two")
    until_listed(page, "run echo two", "run echo one")
    assert [thread.turns for thread in page.threads()] == [1, 1]
    assert [thread.title for thread in page.threads(query="one")] == ["run echo one"]


def test_an_opened_conversation_shows_its_tasks_and_goes_on(page: Page) -> None:
    first = page.thread.id
    page.done("echo one")
    second = new_thread(page)
    page.done("echo two")
    open_thread(page, first)
    assert {i: task.tail for i, task in page.tasks.items()} == {1: "one\n"}
    assert page.done("echo three").id == 3
    open_thread(page, second)
    assert {i: task.tail for i, task in page.tasks.items()} == {2: "two\n"}
    open_thread(page, first)
    assert {i: task.tail for i, task in page.tasks.items()} == {1: "one\n", 3: "three\n"}
    assert not any(task.earlier for task in page.tasks.values())


def test_the_words_new_conversation_do_what_the_button_does(page: Page) -> None:
    page.done("echo one")
    first = page.thread.id
    page.send(Say(text="new conversation"))
    page.until(lambda: page.thread.id != first)
    page.until(lambda: [turn.state for turn in page.turns.values()] == ["succeeded"])
    assert [task.tool for task in page.tasks.values()] == ["new_thread"]
    page.done("echo two")
    until_written(page)
    assert page.find("two")[0].thread_id == page.thread.id
    # The words themselves were said in the first.
    assert page.find("new conversation")[0].thread_id == first


def test_what_runs_goes_on_in_its_own_conversation(page: Page) -> None:
    first = page.thread.id
    task = page.shell("echo begun; while [ ! -e go ]; do sleep 0.05; done; echo ended")
    page.until(lambda: "begun" in page.tasks[task.id].tail)
    second = new_thread(page)
    assert list(page.tasks) == [task.id]  # in sight, or nobody could cancel it
    page.done("echo meanwhile")
    (page.kernel.folder / "go").touch()
    assert page.ended(task.id).state == "succeeded"
    until_written(page)
    of_task = {past.task.id: past.thread_id for past in page.find()}
    assert of_task == {1: first, 2: second}
    open_thread(page, first)
    assert {i: task.tail for i, task in page.tasks.items()} == {1: "begun\nended\n"}


def test_what_runs_elsewhere_can_be_cancelled(page: Page) -> None:
    task = page.shell("sleep 600")
    new_thread(page)
    page.send(CancelTask(task_id=task.id))
    assert page.ended(task.id).state == "cancelled"


def test_a_title_is_kept(page: Page, notebook: Notebook) -> None:
    page.done("echo one")
    page.send(RenameThread(thread_id=page.thread.id, title="Sales of June"))
    page.until(lambda: page.thread.title == "Sales of June")
    page.done("echo two")
    until_listed(page, "Sales of June")
    until_written(page)
    page.kernel.shut_down()
    page = notebook.open()
    page.until_shown(1, 2)
    assert page.thread.title == "Sales of June"


def test_a_deleted_conversation_is_gone_with_its_tasks_and_logs(page: Page, notebook: Notebook) -> None:
    page.done("echo one")
    log = Path(page.tasks[1].log_path)
    first = page.thread.id
    second = new_thread(page)
    page.done("echo two")
    page.send(DeleteThread(thread_id=first))
    until_listed(page, "run echo two")
    assert [past.task.id for past in page.find()] == [2]
    page.until(lambda: not log.exists())
    page.send(DeleteThread(thread_id=second))  # the open one: followed by a new one
    page.until(lambda: page.thread.id != second and page.tasks == {})
    assert page.threads() == []
    assert page.done("echo three").id == 3


def test_a_conversation_of_which_something_runs_is_not_deleted(page: Page) -> None:
    task = page.shell("sleep 600")
    page.send(DeleteThread(thread_id=page.thread.id))
    page.until(lambda: bool(page.notices))
    assert "still runs" in page.notices[0].message
    page.send(CancelTask(task_id=task.id))
    page.ended(task.id)
    page.until(lambda: len(page.threads()) == 1)


def test_after_a_restart_the_last_conversation_goes_on_and_others_can_be_opened(
    page: Page, notebook: Notebook
) -> None:
    first = page.thread.id
    page.done("echo one")
    second = new_thread(page)
    page.done("echo two")
    open_thread(page, first)
    page.done("echo three")
    open_thread(page, second)
    page.done("echo four")
    until_written(page)
    page.kernel.shut_down()

    page = notebook.open()
    page.until_shown(2, 4)
    assert page.thread.id == second
    assert page.done("echo five").id == 5
    open_thread(page, first)
    assert sorted(page.tasks) == [1, 3]
    assert page.done("echo six").id == 6
    assert {past.task.tail or past.task.title for past in page.find()} != set()
    open_thread(page, second)
    assert sorted(page.tasks) == [2, 4, 5]
    assert [task.earlier for _, task in sorted(page.tasks.items())] == [True, True, False]


def test_numbers_never_clash_with_those_of_another_notebook(page: Page, notebook: Notebook) -> None:
    mine = page.done("echo mine")
    running = page.shell("sleep 600")
    with Notebook(notebook.folder, name="other.ipynb") as other:
        there = other.open()
        there.until_kept()
        assert there.done("echo theirs").id == mine.id  # each counts for itself
        theirs = there.thread.id
        until_written(there)
        there.kernel.shut_down()
    page.until(lambda: [thread.id for thread in page.threads()] == [page.thread.id])
    assert theirs in [thread.id for thread in page.threads(everywhere=True)]
    open_thread(page, theirs)
    assert running.id in page.tasks
    (past,) = [task for task in page.tasks.values() if task.earlier]
    assert past.tail == "theirs\n"
    assert past.id not in (mine.id, running.id)
    page.send(RetryTask(task_id=past.id))
    page.until(lambda: len(page.tasks) == 3)
    again = page.ended(max(page.tasks))
    assert (again.tail, again.id > past.id) == ("theirs\n", True)
    page.send(CancelTask(task_id=running.id))
    assert page.ended(running.id).title == running.title


def test_a_conversation_that_another_kernel_has_open_is_not_gone_on_with(
    page: Page, notebook: Notebook
) -> None:
    page.done("echo one")
    with Notebook(notebook.folder) as again:  # the same notebook, as a second browser window may do
        second = again.open()
        second.until_kept()
        assert second.tasks == {}
        assert second.thread.id != page.thread.id
        second.done("echo two")
        page.until(lambda: len(page.threads()) == 2)
        assert page.tasks.keys() == {1}


def test_what_is_not_there_is_said(page: Page) -> None:
    page.send(OpenThread(thread_id="nowhere"))
    page.until(lambda: len(page.notices) == 1)
    assert page.notices[0].level == "error"
    page.send(RenameThread(thread_id="nowhere", title="x"))
    page.until(lambda: len(page.notices) == 2)


def test_the_history_is_searched_by_words_state_and_page(page: Page) -> None:
    for number in range(3):
        page.done(f"echo apple {number}")
    page.done("echo pear; exit 3")
    until_written(page)
    assert [past.task.id for past in page.find("apple")] == [3, 2, 1]
    assert [past.task.id for past in page.find(states=["failed"])] == [4]
    assert [past.task.id for past in page.find(areas=["tests"])] == []
    newest = page.find(limit=2)
    assert [past.task.id for past in newest] == [4, 3]
    assert [past.task.id for past in page.find(before=newest[-1].id)] == [2, 1]
    assert newest[1].utterance == "run echo apple 2"


def test_without_history_conversations_cannot_be_listed_and_it_says_why(tmp_path: Path) -> None:
    with Notebook(tmp_path, environment={"VOICE_KERNEL_KEEP_HISTORY": "false"}) as notebook:
        page = notebook.open()
        assert "turned off" in page.refused(ListThreads(id=1))
        assert "turned off" in page.refused(FindTasks(id=2))
        assert page.keeping.hint
