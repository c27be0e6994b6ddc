"""Tasks as a table: the newest first, bounded, and nothing of it is taken for markup."""

from __future__ import annotations

import re

from voice_kernel.messages import Problem, Progress, Result, Task
from voice_kernel.ui.frozen import task_html, task_text
from voice_kernel.ui.tasktable import COLUMNS, MAX_ROWS, duration_s, records, table_html, table_text


def task(number: int = 1, **changes: object) -> Task:
    fields = {"id": number, "turn_id": number, "tool": "train", "title": "train 5", "created_at": 100.0}
    return Task.model_validate(fields | {"started_at": 100.0} | changes)


DONE = task(1, state="succeeded", ended_at=102.5, result=Result(summary="accuracy 0.93"))
FAILED = task(2, state="failed", ended_at=100.1, problem=Problem(kind="ValueError", message="ValueError: no"))
RUNNING = task(
    3, state="running", progress=Progress(fraction=0.4, label="loading", done=4, total=10, unit="files")
)
WAITING = task(4, state="queued", started_at=None, queue_position=2)
ASKING = task(5, state="awaiting_approval", started_at=None)
ALL = (DONE, FAILED, RUNNING, WAITING, ASKING)


def test_a_terminal_shows_one_line_a_task_the_newest_first() -> None:
    assert table_text(ALL, {}, now=163.0).splitlines() == [
        "5  ? waiting for your approval             train 5",
        "4  … queued                                train 5  number 2 in its queue",
        "3  ▸ running                    1 min 3 s  train 5  loading, 4 of 10 files",
        "2  ✗ failed                     100 ms     train 5  ValueError: no",
        "1  ✓ done                       2.5 s      train 5  accuracy 0.93",
    ]


def test_a_notebook_shows_a_table_with_what_was_said() -> None:
    page = table_html(ALL, {1: "train the model"}, now=163.0)
    assert page.count("<tr>") == len(ALL) + 1
    assert "“train the model”" in page
    assert page.index("waiting for your approval") < page.index("accuracy 0.93")


def test_nothing_of_a_task_is_taken_for_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    bad = task(
        1,
        title=evil,
        tool=evil,
        state="failed",
        ended_at=101.0,
        problem=Problem(kind="E", message=evil, hint=evil),
    )
    for page in (table_html([bad], {1: evil}), task_html(bad)):
        assert "<img" not in page
        assert "&lt;img" in page


def test_a_long_list_is_cut_and_says_so() -> None:
    many = [task(number) for number in range(1, MAX_ROWS + 11)]
    assert table_html(many, {}).count("<tr>") == MAX_ROWS + 1
    assert "and 10 older ones" in table_html(many, {})
    assert table_text(many, {}).splitlines()[-1] == "and 10 older ones"
    long = table_text([task(1, title="x" * 500)], {1: "y" * 500})
    assert max(map(len, long.splitlines())) < 200


def test_no_tasks_are_nothing() -> None:
    assert (table_html((), {}), table_text((), {}), records((), {})) == ("", "", [])


def test_records_have_every_column() -> None:
    (record,) = records([DONE], {1: "train the model"})
    assert tuple(record) == COLUMNS
    assert (record["task"], record["said"], record["duration_s"]) == (1, "train the model", 2.5)
    assert (record["summary"], record["problem"], record["exit_code"]) == ("accuracy 0.93", "", None)
    assert duration_s(WAITING) is None


def test_one_task_is_shown_as_it_is_now() -> None:
    assert task_text(RUNNING, now=True).startswith("▸ 3 train 5: running")
    assert "running" in task_html(RUNNING)
    assert "was still running" in task_text(RUNNING)


def test_a_card_in_a_cell_shows_what_a_tool_of_the_users_printed_and_raised() -> None:
    from voice_kernel.messages import Output

    value = Output(kind="result", data={"text/plain": "A TABLE"})
    raised = Output(kind="error", text="Traceback: in train")
    printed = task(
        1, area="own", origin="magic", state="succeeded", ended_at=101.0, tail="epoch 1\n",
        result=Result(summary="A table.", outputs=[value], text="A TABLE"),
    )  # fmt: skip
    assert "epoch 1" in task_text(printed)
    assert "A TABLE" not in task_text(printed)  # it stands in the cell
    failed = task(
        1, area="own", origin="magic", state="failed", ended_at=101.0, result=Result(outputs=[raised])
    )
    assert "in train" in task_text(failed)
    code = task(
        1, area="own", origin="magic", state="succeeded", ended_at=101.0, tail="epoch 1\n",
        result=Result(code="train()", outputs=[Output(kind="stream", text="epoch 1\n")]),
    )  # fmt: skip
    assert "epoch 1" not in task_text(code)  # on the main thread, it was printed into the cell
    assert re.search(r"epoch 1", task_text(code, now=True))
