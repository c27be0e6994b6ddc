"""Notebook commands where nobody shows the cells: the kernel does what it can, the rest says what to open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from real_kernel import Cell, RealKernel, shown


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealKernel]:
    kernel = RealKernel(tmp_path_factory.mktemp("bare"))
    kernel.execute("%load_ext voice_kernel").expect_ok()
    kernel.execute("%voice help").expect_ok()  # the sentences are read
    yield kernel
    kernel.stop()


def number_of(cell: Cell) -> int:
    assert cell.reply is not None
    return int(cell.reply["content"]["execution_count"])


@pytest.mark.parametrize(
    "said",
    [
        "run all cells",
        "run this cell",
        "run everything above",
        "rerun the failed cell",
        "delete cell 1",
        "insert a cell above",
        "change cell one to x equals five",
        "move cell two up",
        "go to the first cell",
        "turn cell two into markdown",
        "clear the outputs",
        "undo",
        "redo",
        "save the notebook",
    ],
)
def test_what_only_a_front_end_can_do_is_refused_at_once_with_what_to_open(
    assistant: RealKernel, said: str
) -> None:
    cell = assistant.execute(f"%voice {said}", timeout_s=60)
    assert cell.status == "error"
    assert "Open the Voice sidebar" in shown(cell)


def test_a_number_is_that_of_an_execution(assistant: RealKernel) -> None:
    number = number_of(assistant.execute("print('once', 6 * 7)").expect_ok())
    cell = assistant.execute(f"%voice run cell {number}").expect_ok()
    assert "once 42" in cell.text
    assert f"Ran In[{number}] again." in shown(cell)


def test_the_previous_one_is_the_one_that_ran_before(assistant: RealKernel) -> None:
    assistant.execute("print('before')").expect_ok()
    assert "before" in assistant.execute("%voice run the previous cell").expect_ok().text


def test_an_execution_that_raises_again_fails(assistant: RealKernel) -> None:
    number = number_of(assistant.execute("1/0"))
    cell = assistant.execute(f"%voice run cell {number}")
    assert cell.status == "error"
    assert f"In[{number}] raised ZeroDivisionError: division by zero" in shown(cell)


def test_a_number_nothing_was_run_as_is_said(assistant: RealKernel) -> None:
    assert "There is no cell 999." in shown(assistant.execute("%voice run cell 999"))


def test_what_was_run_is_read(assistant: RealKernel) -> None:
    assistant.execute("marked = 1").expect_ok()
    assert "marked = 1" in shown(assistant.execute("%voice read the notebook").expect_ok())


def test_code_to_insert_is_put_below_the_cell_that_asks(assistant: RealKernel) -> None:
    cell = assistant.execute("%voice insert a code cell with x equals five").expect_ok()
    assert cell.reply is not None
    payload = cell.reply["content"]["payload"]
    assert [(part["source"], part["text"]) for part in payload] == [("set_next_input", "x = 5")]
