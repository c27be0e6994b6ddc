"""Finding, reading back, editing, dictating, tables and errors: by words, in a real notebook and kernel."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from headless_notebook import HeadlessNotebook

from voice_kernel.messages import Result, Task, Turn

pytestmark = pytest.mark.asyncio(loop_scope="module")

CELLS = [
    "#md # Sales\n\nWhat was sold where.",
    "import pandas as pd",
    "sales = pd.DataFrame({'region': ['north', 'south', 'north'], 'price': [50.0, 150.0, 250.0]})",
    "#md ## Results",
    "def total(table):\n    amount = table.price.sum()\n    return amount",
    "total(sales)",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def assistant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HeadlessNotebook]:
    notebook = HeadlessNotebook(tmp_path_factory.mktemp("notebook"), CELLS)
    await notebook.start()
    await notebook.say("run all cells")
    yield notebook
    await notebook.stop()


@pytest.fixture
def notebook(assistant: HeadlessNotebook) -> HeadlessNotebook:
    assistant.replace(CELLS)
    return assistant


def select(notebook: HeadlessNotebook, position: int) -> None:
    notebook.document.select(notebook.document.cells[position - 1])


def result_of(notebook: HeadlessNotebook, turn: Turn) -> Result:
    task: Task = notebook.task_of(turn)
    assert turn.state == "succeeded", turn.problem or turn
    assert task.result is not None
    return task.result


async def summary(notebook: HeadlessNotebook, text: str) -> str:
    return result_of(notebook, await notebook.say(text)).summary


# ---- finding and reading back -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("go to the cell that imports pandas", 2),
        ("find the cell with what was sold", 1),
        ("where is total defined", 5),
        ("go to the heading results", 4),
        ("last heading", 4),
    ],
)
async def test_a_cell_is_found_by_what_is_in_it(notebook: HeadlessNotebook, text: str, position: int) -> None:
    turn = await notebook.say(text)
    assert turn.state == "succeeded", turn.problem
    assert notebook.document.active == position - 1


async def test_headings_are_gone_through_in_order(notebook: HeadlessNotebook) -> None:
    assert await summary(notebook, "next heading") == "Results, cell 4."
    assert await summary(notebook, "previous heading") == "Sales, cell 1."
    turn = await notebook.say("previous heading")
    assert turn.problem is not None
    assert turn.problem.hint == "There are: Sales, Results."


async def test_where_one_is_is_said_in_one_sentence(notebook: HeadlessNotebook) -> None:
    await notebook.say("select cell five")
    assert await summary(notebook, "where am I") == "Cell 5 of 6, code, under Results."
    await notebook.say("line two")
    assert await summary(notebook, "where am I") == "Cell 5 of 6, code, line 2, under Results."


async def test_a_cell_and_its_output_are_read(notebook: HeadlessNotebook) -> None:
    assert await summary(notebook, "read cell two") == "Cell 2, code: import pandas as pd"
    await notebook.say("run cells two to six")
    assert "450.0" in await summary(notebook, "read the output of cell six")
    assert await summary(notebook, "read the output of cell two") == "Cell 2 has no output."


# ---- editing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (
            "comment lines two to three",
            "def total(table):\n    # amount = table.price.sum()\n    # return amount",
        ),
        ("delete line two", "def total(table):\n    return amount"),
        ("delete the last line", "def total(table):\n    amount = table.price.sum()"),
        ("indent line three", "def total(table):\n    amount = table.price.sum()\n        return amount"),
        (
            "insert a line after line two saying print open paren amount close paren",
            "def total(table):\n    amount = table.price.sum()\n    print(amount)\n    return amount",
        ),
        ("replace sum with mean", "def total(table):\n    amount = table.price.mean()\n    return amount"),
        ("replace amount with net amount in cell five",
         "def total(table):\n    net_amount = table.price.sum()\n    return net_amount"),
        ("rename variable amount to sum of prices",
         "def total(table):\n    sum_of_prices = table.price.sum()\n    return sum_of_prices"),
    ],
)  # fmt: skip
async def test_an_edit_in_a_cell_is_one_step_that_can_be_undone(
    notebook: HeadlessNotebook, text: str, source: str
) -> None:
    select(notebook, 5)
    before = notebook.json()
    turn = await notebook.say(text)
    assert turn.state == "succeeded", turn.problem
    assert notebook.sources[4] == source
    await notebook.say("undo")
    assert notebook.json() == before


async def test_this_line_is_where_the_last_command_went(notebook: HeadlessNotebook) -> None:
    select(notebook, 5)
    await notebook.say("line two")
    await notebook.say("delete this line")
    assert notebook.sources[4] == "def total(table):\n    return amount"


async def test_a_variable_is_renamed_in_the_whole_notebook_at_once(notebook: HeadlessNotebook) -> None:
    before = notebook.json()
    assert await summary(notebook, "rename variable sales to turnover") == (
        "Renamed sales to turnover, 2 times in cells 3 and 6."
    )
    assert notebook.sources[5] == "total(turnover)"
    await notebook.say("undo")
    assert notebook.json() == before


async def test_a_line_that_is_not_there_is_said(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("delete line nine in cell five")
    assert turn.problem is not None
    assert (turn.problem.message, turn.problem.hint) == ("There is no line 9.", "The cell has 3 lines.")


# ---- dictation --------------------------------------------------------------------------------------


async def test_dictated_code_goes_into_the_cell_until_dictation_stops(notebook: HeadlessNotebook) -> None:
    select(notebook, 6)
    await notebook.say("insert a cell")
    assert await summary(notebook, "start dictation") == "Dictation is on: code goes into cell 7."
    for words in (
        "camel case learning rate equals zero point one",
        "new line for row in sales colon",
        "new line print open paren row close paren",
    ):
        await notebook.say(words)
    assert notebook.sources[6] == "learningRate = 0.1\nfor row in sales:\n    print(row)"
    await notebook.say("scratch that")
    assert notebook.sources[6] == "learningRate = 0.1\nfor row in sales:"
    await notebook.say("Stop dictation.")
    turn = await notebook.say("where am I")
    assert turn.calls[0].tool == "where_am_i"


async def test_dictated_markdown_starts_a_cell_of_its_own(notebook: HeadlessNotebook) -> None:
    select(notebook, 2)
    await notebook.say("dictate markdown")
    await notebook.say("Heading two results.")
    await notebook.say("new line Sales went up.")
    await notebook.say("new cell")
    await notebook.say("bullet first thing")
    await notebook.say("stop dictation")
    assert notebook.sources[2:4] == ["## Results\nSales went up.", "- First thing"]
    assert [cell.cell_type for cell in notebook.document.cells[2:4]] == ["markdown", "markdown"]


async def test_a_cells_own_magic_is_a_command_while_dictation_is_on(notebook: HeadlessNotebook) -> None:
    notebook.replace([*CELLS, "%load_ext voice_kernel", "%voice list variables"])
    select(notebook, 6)
    await notebook.say("start dictation")
    await notebook.run(7)
    assert (await notebook.run(8)).ok
    assert notebook.sources[5] == "total(sales)"
    await notebook.say("stop dictation")


# ---- tables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("average price by region", 'sales.groupby("region")["price"].mean()', "150.0"),
        ("rows where price is over one hundred", 'sales[sales["price"] > 100]', "250.0"),
        ("rows where region is North", 'sales[sales["region"].str.casefold() == "north"]', "250.0"),
        ("first two rows", "sales.head(2)", "south"),
        ("sort by price descending", 'sales.sort_values("price", ascending=False)', "250.0"),
        ("count rows by region", 'sales["region"].value_counts()', "2"),
        ("how many missing values", "sales.isna().sum()", "price"),
        ("unique values of region", 'sales["region"].unique()', "south"),
        ("top two rows by price", 'sales.nlargest(2, "price")', "250.0"),
        ("how many rows are there", "len(sales)", "3"),
    ],
)
async def test_a_question_to_a_table_runs_code_that_is_shown(
    notebook: HeadlessNotebook, text: str, code: str, shown: str
) -> None:
    result = result_of(notebook, await notebook.say(text))
    assert result.code == code
    assert shown in result.text


async def test_one_number_is_said_in_the_summary(notebook: HeadlessNotebook) -> None:
    assert await summary(notebook, "calculate the average price") == "The average price is 150."
    assert await summary(notebook, "how many rows are there") == "sales has 3 rows."


# ---- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "says", "fixed"),
    [
        ("total(salse)", "There is no variable salse. Did you mean sales?", "total(sales)"),
        (
            "sales['prize'].sum()",
            "There is no column or key prize. Did you mean price?",
            "sales['price'].sum()",
        ),
        ("sales.gropby('region')", "Did you mean groupby?", "sales.groupby('region')"),
        ("sales.price.maen()", "Did you mean mean?", "sales.price.mean()"),
        ("pd.read_cvs('x')", "Did you mean read_csv?", "pd.read_csv('x')"),
        ("np.arange(3)", "np was not imported. Add import numpy as np.", "import numpy as np\nnp.arange(3)"),
        ("import pandsa", "Did you mean pandas?", "import pandas"),
        ("for x in range(3)\n    print(x)", "Add a colon.", "for x in range(3):\n    print(x)"),
        ("print('a'", "Close the bracket", "print('a')"),
    ],
)
async def test_an_error_is_explained_and_fixed(
    notebook: HeadlessNotebook, source: str, says: str, fixed: str
) -> None:
    notebook.replace([*CELLS, source])
    select(notebook, 7)
    assert not (await notebook.run(7)).ok
    said = await summary(notebook, "explain the error")
    assert says in said
    assert said.startswith("Cell 7, line ")
    turn = await notebook.say("fix the error")
    assert turn.state == "succeeded", turn.problem
    assert notebook.sources[6] == fixed
    await notebook.say("undo")
    assert notebook.sources[6] == source


async def test_the_error_is_found_in_the_cell_that_defines_the_function(notebook: HeadlessNotebook) -> None:
    notebook.replace(["def area(width):\n    return width * hight", "hight_ = 2\nheight = 3", "area(2)"])
    for position in (1, 2):
        await notebook.run(position)
    select(notebook, 3)
    await notebook.run(3)
    assert (await summary(notebook, "explain the error")).startswith("Cell 1, line 2: NameError.")


async def test_a_missing_package_is_installed_only_when_it_may_be(notebook: HeadlessNotebook) -> None:
    notebook.replace(["import qqzzy_not_a_module"])
    await notebook.run(1)
    assert "Install the package qqzzy-not-a-module." in await summary(notebook, "explain the error")
    turn = await notebook.say("fix the error")
    assert turn.state == "failed"
    assert turn.problem is not None
    assert "CLI" in turn.problem.message + turn.problem.hint or "shell" in turn.problem.message.lower()


async def test_an_error_without_a_sure_fix_is_left_alone(notebook: HeadlessNotebook) -> None:
    notebook.replace(["1 / 0"])
    await notebook.run(1)
    assert "Something was divided by zero." in await summary(notebook, "why did it fail")
    turn = await notebook.say("fix the error")
    assert turn.problem is not None
    assert "do not know a sure fix" in turn.problem.message


async def test_an_error_is_gone_to_and_read(notebook: HeadlessNotebook) -> None:
    notebook.replace(["1", "x = 3\n1 / 0", "2"])
    await notebook.run(2)
    select(notebook, 1)
    assert await summary(notebook, "next error") == "Cell 2 failed."
    assert await summary(notebook, "read the error") == "Cell 2, line 2: ZeroDivisionError: division by zero"


# ---- corrections ------------------------------------------------------------------------------------


async def test_a_bare_correction_takes_the_place_of_what_was_meant(notebook: HeadlessNotebook) -> None:
    await notebook.say("read cell two")
    turn = await notebook.say("no, I meant the next cell")
    assert [(call.tool, call.arguments) for call in turn.calls] == [("read_cell", {"cell": "next"})]
    turn = await notebook.say("no, I meant where am I")
    assert [call.tool for call in turn.calls] == ["where_am_i"]


async def test_several_cells_are_run_in_the_order_they_are_named(notebook: HeadlessNotebook) -> None:
    turn = await notebook.say("run cell three and then the second")
    assert [call.arguments for call in turn.calls] == [{"cells": "3"}, {"cells": "2"}]
    assert notebook.document.cells[1].execution_count > notebook.document.cells[2].execution_count
    turn = await notebook.say("run the last two cells")
    assert result_of(notebook, turn).summary == "Ran cells 5 to 6."
