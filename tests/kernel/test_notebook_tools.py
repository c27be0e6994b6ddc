"""Every notebook tool, by words, through the front end without a browser and a real kernel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nbformat
import pytest
import pytest_asyncio
from headless_notebook import HeadlessNotebook

from voice_kernel.messages import Task, Turn

pytestmark = pytest.mark.asyncio(loop_scope="module")

CELLS = [
    "#md # Title",
    "x = 1\nprint('one')",
    "x += 1\nprint('two', x)",
    "raise ValueError('no such thing')",
    "print('five')",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HeadlessNotebook]:
    notebook = HeadlessNotebook(tmp_path_factory.mktemp("notebook"), CELLS)
    await notebook.start()
    yield notebook
    await notebook.stop()


@pytest.fixture
def notebook(assistant: HeadlessNotebook) -> HeadlessNotebook:
    assistant.replace(CELLS)
    return assistant


def running_since(notebook: HeadlessNotebook, before: int) -> list[Task]:
    """Return the tasks that run of those that came after a number, in their order."""
    return [t for _, t in sorted(notebook.tasks.items()) if t.id > before and t.state == "running"]


# ---- running ----------------------------------------------------------------------------------------


async def test_cells_run_in_order_and_show_what_they_put_out(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("run cells two to three")
    assert turn.state == "succeeded"
    assert (notebook.text(2), notebook.text(3)) == ("one", "two 2")
    result = notebook.task_of(turn).result
    assert result is not None
    assert result.summary == "Ran cells 2 to 3."
    assert [output.text for output in result.outputs] == ["one\n", "two 2\n"]
    assert [cell["position"] for cell in result.data["cells"]] == [2, 3]


async def test_a_cell_that_raises_stops_the_run_and_is_named_with_its_error(
    notebook: HeadlessNotebook,
) -> None:
    turn = await notebook.say("run all cells")
    assert turn.state == "failed"
    assert turn.problem is not None
    assert turn.problem.message == "Cell 4 raised ValueError: no such thing"
    result = notebook.task_of(turn).result
    assert result is not None
    assert result.data["failed_cell"]["id"] == notebook.document.cells[3].id
    assert result.data["failed_cell"]["position"] == 4
    assert "cell 5: not run" in result.text
    assert notebook.text(5) == ""


async def test_the_failed_cell_can_be_run_again(notebook: HeadlessNotebook) -> None:
    await notebook.say("run cell 4")
    notebook.document.cells[3]["source"] = "print('mended')"
    turn = await notebook.say("rerun the failed cell")
    assert turn.state == "succeeded"
    assert notebook.text(4) == "mended"


async def test_a_cell_whose_error_is_expected_does_not_stop_the_run(notebook: HeadlessNotebook) -> None:
    notebook.document.cells[3].metadata["tags"] = ["raises-exception"]
    turn = await notebook.say("run all cells")
    assert turn.state == "succeeded"
    assert notebook.text(5) == "five"


async def test_a_position_that_is_not_there_is_said(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("run cell 9")
    assert turn.problem is not None
    assert (turn.problem.message, turn.problem.hint) == ("There is no cell 9.", "The notebook has 5 cells.")


async def test_commands_given_while_the_kernel_is_busy_run_in_order_and_can_be_cancelled(
    notebook: HeadlessNotebook,
) -> None:
    gate = notebook.folder / "gate"
    notebook.replace(
        [
            f"import os, time\norder = []\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)",
            *[f"order.append({n})" for n in range(2, 6)],
            "print(order)",
        ]
    )
    busy = notebook.begin(1)
    before = max(notebook.tasks, default=0)
    for position in (3, 2, 5, 4):
        notebook.send(f"run cell {position}")
    await notebook.until(lambda: len(running_since(notebook, before)) == 4)
    waiting = running_since(notebook, before)
    notebook.cancel(waiting[2].id)
    await notebook.until(lambda: notebook.tasks[waiting[2].id].state == "cancelled")
    gate.touch()
    assert (await busy).ok
    await notebook.until(lambda: all(notebook.tasks[task.id].ended_at for task in waiting))
    await notebook.run(6)
    assert notebook.text(6) == "[3, 2, 4]"


async def test_cancelling_a_run_interrupts_the_cell(notebook: HeadlessNotebook) -> None:
    notebook.replace(["print('started')\nimport time\ntime.sleep(600)", "print('next')"])
    before = max(notebook.tasks, default=0)
    notebook.send("run all cells")
    await notebook.until(lambda: "started" in notebook.text(1) and running_since(notebook, before))
    (task,) = running_since(notebook, before)
    notebook.cancel(task.id)
    await notebook.until(lambda: "KeyboardInterrupt" in notebook.text(1))
    await notebook.until(lambda: notebook.tasks[task.id].state == "cancelled")
    assert (await notebook.say("run cell 2")).state == "succeeded"


# ---- changing ---------------------------------------------------------------------------------------

CHANGES = {
    "insert a cell below": ["#", "1", "", "2", "3", "4"],
    "insert a cell above": ["#", "", "1", "2", "3", "4"],
    "add a markdown cell that says first look at the data": None,
    "insert a code cell at the bottom": ["#", "1", "2", "3", "4", ""],
    "change cell three to x equals five": None,
    "delete this cell": ["#", "2", "3", "4"],
    "delete cells three to five": ["#", "1"],
    "delete the last two cells": ["#", "1", "2"],
    "move cell two down": ["#", "2", "1", "3", "4"],
    "move cells four to five up": ["#", "1", "3", "4", "2"],
    "move this cell to the top": ["1", "#", "2", "3", "4"],
    "move cell one to the bottom": ["1", "2", "3", "4", "#"],
    "turn cell three into markdown": None,
    "make cell one a code cell": None,
    "clear the outputs": None,
    "clear the output of cell two": None,
    "run cell three": None,
    "run cell four": None,
}
"""What is said, and the first letters of the cells afterwards where that shows it. Cell 2 is current."""

LETTERS = {"#": "# Title", "1": CELLS[1], "2": CELLS[2], "3": CELLS[3], "4": CELLS[4], "": ""}


@pytest.mark.parametrize("said", CHANGES)
async def test_a_change_is_made_undone_exactly_and_made_again(notebook: HeadlessNotebook, said: str) -> None:
    for position in (2, 3, 4):
        await notebook.run(position)
    notebook.document.cells[0].metadata["kept"] = {"a": 1}
    notebook.document.cells[0]["attachments"] = {"p.png": {"image/png": "aGVsbG8="}}
    notebook.document.select(notebook.document.cells[1])
    before = notebook.json()
    turn = await notebook.say(said)
    assert turn.state == ("failed" if said == "run cell four" else "succeeded"), turn.problem
    after = notebook.json()
    assert after != before
    nbformat.validate(notebook.document.notebook)
    order = CHANGES[said]
    if order is not None:
        assert notebook.sources == [LETTERS[letter] for letter in order]
    assert (await notebook.say("undo")).state == "succeeded"
    assert notebook.json() == before
    assert (await notebook.say("redo")).state == "succeeded"
    assert notebook.json() == after


async def test_a_plan_of_several_changes_is_undone_as_one(notebook: HeadlessNotebook) -> None:
    before = notebook.json()
    turn = await notebook.say("delete cell five, then move cell two down")
    assert len(turn.calls) == 2
    assert turn.state == "succeeded"
    await notebook.say("undo")
    assert notebook.json() == before


async def test_what_was_written_is_in_the_cell(notebook: HeadlessNotebook) -> None:
    await notebook.say("add a markdown cell that says first look at the data")
    cell = notebook.document.cells[1]
    assert (cell.cell_type, cell.source) == ("markdown", "first look at the data")
    assert notebook.document.active == 1
    await notebook.say("change cell three to x equals five")
    assert notebook.sources[2] == "x = 5"


async def test_before_something_is_lost_a_snapshot_is_kept(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("delete cell two")
    result = notebook.task_of(turn).result
    assert result is not None
    kept = nbformat.read(result.data["snapshot"], as_version=4)
    assert [cell.source for cell in kept.cells] == ["# Title", *CELLS[1:]]


async def test_what_has_no_effect_says_so(notebook: HeadlessNotebook) -> None:
    for said, told in {
        "move cell one up": "Cell 1 is at the top already.",
        "turn cell one into markdown": "Cell 1 is Markdown already.",
    }.items():
        result = notebook.task_of(await notebook.say(said)).result
        assert result is not None
        assert result.summary == told


async def test_there_may_be_nothing_to_redo(notebook: HeadlessNotebook) -> None:
    await notebook.say("delete cell two")
    turn = await notebook.say("redo")
    assert turn.problem is not None
    assert turn.problem.message == "There is nothing to redo."


# ---- the notebook -----------------------------------------------------------------------------------


async def test_cells_are_selected(notebook: HeadlessNotebook) -> None:
    for said, active in {
        "select cell four": 3,
        "previous cell": 2,
        "next cell": 3,
        "go to the first cell": 0,
    }.items():
        assert (await notebook.say(said)).state == "succeeded"
        assert notebook.document.active == active


async def test_the_notebook_is_read(notebook: HeadlessNotebook) -> None:
    await notebook.run(4)
    result = notebook.task_of(await notebook.say("read the notebook")).result
    assert result is not None
    assert result.summary == "5 cells, 4 of them code, 1 failed."
    assert result.data["cells"][1]["source"] == CELLS[1]


async def test_the_notebook_is_saved(notebook: HeadlessNotebook) -> None:
    await notebook.say("delete cell five")
    await notebook.say("save the notebook")
    assert len(nbformat.read(notebook.path, as_version=4).cells) == 4


async def test_restarting_needs_somebody_to_ask(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("restart the kernel")
    assert turn.problem is not None
    assert turn.problem.kind == "NobodyToAsk"
    assert notebook.front_end.restart_wanted is None


async def test_a_kernel_that_may_be_restarted_is(tmp_path: Path) -> None:
    notebook = HeadlessNotebook(tmp_path, ["x = 1", "x"], approve=["restart_kernel"])
    await notebook.start()
    try:
        await notebook.run(1)
        assert (await notebook.say("restart the kernel")).state == "succeeded"
        assert notebook.front_end.restart_wanted is not None
        await notebook.execution.restart()
        await notebook.front_end.connect()
        ran = await notebook.run(2)
        assert ran.error.startswith("NameError")
        notebook.turns.clear()
        assert (await notebook.say("run cell one")).state == "succeeded"
    finally:
        await notebook.stop()


async def test_a_script_is_no_person(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("yes approve it")
    assert turn.state != "succeeded"
    turn = await notebook.say("interrupt the kernel")
    assert turn.problem is not None
    assert turn.problem.message == "interrupt_kernel is for a person only."


# ---- cells that speak -------------------------------------------------------------------------------

MAGIC = [
    "%load_ext voice_kernel",
    "runs = 0",
    "runs += 1\nprint('three', runs)",
    "",
    "%voice run cell 3\nprint('after')",
]


async def test_a_cell_runs_another_one_whose_output_streams_while_it_waits(
    notebook: HeadlessNotebook,
) -> None:
    gate = notebook.folder / "gate-2"
    waits = (
        f"import os, time\nprint('here')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n1 + 1"
    )
    notebook.replace([*MAGIC[:2], waits, *MAGIC[3:]])
    await notebook.run(1)
    calling = notebook.begin(5)
    await notebook.until(lambda: notebook.text(3) == "here")
    assert not calling.done()
    assert "after" not in notebook.text(5)
    gate.touch()
    assert (await calling).ok
    assert notebook.text(3) == "here\n2"
    assert notebook.text(5).endswith("Ran cell 3.\nafter")
    assert notebook.document.cells[2].execution_count is not None


async def test_fifty_times_in_a_row(notebook: HeadlessNotebook) -> None:
    notebook.replace(MAGIC)
    await notebook.run(1)
    await notebook.run(2)
    for number in range(1, 51):
        assert (await notebook.run(5)).ok
        assert notebook.text(3) == f"three {number}"


async def test_the_cell_that_asks_is_left_out_of_all(notebook: HeadlessNotebook) -> None:
    notebook.replace([*MAGIC[:4], "%voice run all cells"])
    assert (await notebook.run(1)).ok
    assert (await notebook.run(5)).ok
    assert notebook.text(3) == "three 1"
    notebook.replace([*MAGIC[:4], "%voice run cell five"])
    ran = await notebook.run(5)
    assert "Cell 5 would run the cell that is waiting for it." in ran.error


async def test_for_a_magic_the_current_cell_is_its_own_until_it_selects_another(
    notebook: HeadlessNotebook,
) -> None:
    notebook.replace([*MAGIC[:3], "%%voice\nrun the previous cell\nselect cell two\nrun this cell"])
    await notebook.run(1)
    await notebook.run(2)
    assert (await notebook.run(4)).ok
    assert notebook.text(3) == "three 1"
    notebook.document.select(notebook.document.cells[0])
    assert (await notebook.run(4)).ok
    assert notebook.text(3) == "three 1"


async def test_an_interrupt_ends_the_inner_cell_and_the_one_that_waits(notebook: HeadlessNotebook) -> None:
    notebook.replace([*MAGIC[:2], "print('in')\nimport time\ntime.sleep(600)", "", MAGIC[4]])
    await notebook.run(1)
    calling = notebook.begin(5)
    await notebook.until(lambda: notebook.text(3) == "in")
    await notebook.execution.interrupt()
    ran = await calling
    assert not ran.ok
    assert "KeyboardInterrupt" in notebook.text(3)
    assert "after" not in notebook.text(5)
    notebook.replace(["print('fine')"])
    assert (await notebook.run(1)).ok


async def test_cancelling_the_task_ends_the_inner_cell_and_the_one_that_waits(
    notebook: HeadlessNotebook,
) -> None:
    notebook.replace([*MAGIC[:2], "print('in')\nimport time\ntime.sleep(600)", "", MAGIC[4]])
    await notebook.run(1)
    before = max(notebook.tasks, default=0)
    calling = notebook.begin(5)
    await notebook.until(lambda: notebook.text(3) == "in" and running_since(notebook, before))
    (task,) = running_since(notebook, before)
    notebook.cancel(task.id)
    assert not (await calling).ok
    assert "KeyboardInterrupt" in notebook.text(3)
    notebook.replace(["print('fine')"])
    assert (await notebook.run(1)).ok


async def test_the_first_inner_cell_that_raises_ends_the_run(notebook: HeadlessNotebook) -> None:
    notebook.replace(["%load_ext voice_kernel", "1/0", "print('never')", "%voice run the cells two to three"])
    await notebook.run(1)
    ran = await notebook.run(4)
    assert "Cell 2 raised ZeroDivisionError: division by zero" in ran.error
    assert notebook.text(2) == "ZeroDivisionError: division by zero"
    assert notebook.text(3) == ""


async def test_a_command_in_an_inner_cell_is_a_child_three_deep_at_most(notebook: HeadlessNotebook) -> None:
    deep = ["%load_ext voice_kernel", *[f"%voice run cell {n}" for n in (3, 4, 5, 6)], "print('deep')"]
    notebook.replace(deep)
    await notebook.run(1)
    assert (await notebook.run(3)).ok  # 3 runs 4 runs 5 runs 6: three commands, and no fourth
    assert notebook.text(6) == "deep"
    said = [f"run cell {n}" for n in (4, 5, 6)]

    def told() -> list[Turn]:
        return [t for t in notebook.turns.values() if not t.surface_id and t.text in said and t.ended_at]

    await notebook.until(lambda: len(told()) == 3)
    first, second, third = sorted(told(), key=lambda turn: turn.id)
    assert [first.parent_id, second.parent_id, third.parent_id] == [None, first.id, second.id]
    notebook.replace(deep)
    ran = await notebook.run(2)
    assert "more than 3 levels deep" in notebook.text(5)
    assert not ran.ok


async def test_cells_that_call_each_other_are_stopped(notebook: HeadlessNotebook) -> None:
    notebook.replace(["%load_ext voice_kernel", "%voice run cell three", "%voice run cell two"])
    await notebook.run(1)
    ran = await notebook.run(2)
    assert not ran.ok
    assert "Cell 2 would run the cell that is waiting for it." in notebook.text(3)


async def test_a_handle_may_be_awaited_in_the_cell_that_made_it(notebook: HeadlessNotebook) -> None:
    notebook.replace([*MAGIC[:4], "handle = %voice -b run cell 3\nprint(handle.result().outcome)"])
    await notebook.run(1)
    await notebook.run(2)
    assert (await notebook.run(5)).ok
    assert notebook.text(3) == "three 1"
    assert "succeeded" in notebook.text(5)


async def test_words_from_outside_while_a_cell_waits_are_done_after_it(notebook: HeadlessNotebook) -> None:
    gate = notebook.folder / "gate-3"
    waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\nruns = 7"
    notebook.replace([*MAGIC[:2], waits, "print(runs)", MAGIC[4]])
    await notebook.run(1)
    calling = notebook.begin(5)
    await notebook.until(lambda: notebook.execution.calling is not None)
    before = max(notebook.turns, default=0)
    saying = asyncio.ensure_future(notebook.say("run cell 4"))
    await notebook.until(
        lambda: any(turn.text == "run cell 4" and turn.id > before for turn in notebook.turns.values())
    )
    gate.touch()
    assert (await calling).ok
    assert (await saying).state == "succeeded"
    assert notebook.text(4) == "7"


async def test_a_handle_outlives_the_session_that_made_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    assistant = HeadlessNotebook(
        tmp_path,
        [
            "%load_ext voice_kernel",
            "ended = %voice -b list variables\nprint(ended.result().outcome)",
            "endless = %voice -b run the command sleep 600",
            "%unload_ext voice_kernel",
            "print(ended.done, ended.result().outcome, ended.cancel(), endless.done)",
            "endless.result()",
        ],
    )
    await assistant.start()
    try:
        for position in range(1, 6):
            assert (await assistant.run(position)).ok, assistant.text(position)
        assert assistant.text(5) == "True succeeded False True"
        assert not (await assistant.run(6)).ok
        assert "had not ended when voice_kernel was unloaded" in assistant.text(6)
        assert "%load_ext voice_kernel" in assistant.text(6)
    finally:
        await assistant.stop()
