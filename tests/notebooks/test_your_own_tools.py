"""The guide to one's own tools, run as anybody would run it: what it says is what happens."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from lab import executed

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> dict[str, nbformat.NotebookNode]:
    """The executed notebook's code cells, by their first line that is no import."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(NOTEBOOKS / "tour", folder / "tour")
    path = Path(shutil.copy(NOTEBOOKS / "your_own_tools.ipynb", folder))
    notebook = executed(path)
    return {cell.source.splitlines()[-1]: cell for cell in notebook.cells if cell.cell_type == "code"}


def text_of(cell: nbformat.NotebookNode) -> str:
    """Return what a person reads of a cell's outputs."""
    pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    plain = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs
    ]
    told = re.sub(r"<[^>]*>", " ", html.unescape(" ".join(pages))) + " ".join(plain)
    return " ".join(told.split())


def test_no_cell_of_the_saved_guide_has_outputs() -> None:
    notebook = nbformat.read(NOTEBOOKS / "your_own_tools.ipynb", as_version=4)
    assert [cell.id for cell in notebook.cells if cell.get("outputs")] == []


def test_a_function_is_said_and_comes_back_with_its_result(guide: dict[str, nbformat.NotebookNode]) -> None:
    card = text_of(guide["%voice please train the model for six epochs"])
    assert "loss 0.262, epochs 6" in card
    assert "epoch 6: loss 0.262" in card


def test_what_is_cancelled_says_so(guide: dict[str, nbformat.NotebookNode]) -> None:
    assert "of 5000 epochs" in text_of(guide["tasks.running"])
    assert "cancelled" in text_of(guide["tasks.last.wait()"])


def test_tables_and_pictures_stand_in_their_cells(guide: dict[str, nbformat.NotebookNode]) -> None:
    assert "north" in text_of(guide["%voice show me the best region by revenue"])
    drawn = guide["%voice sketch the revenue"].outputs
    assert any("image/png" in output.get("data", {}) for output in drawn)


def test_the_tasks_are_listed_and_a_table_for_pandas(guide: dict[str, nbformat.NotebookNode]) -> None:
    assert "“show me the best region by revenue”" in text_of(guide["tasks"])
    (frame,) = [cell for line, cell in guide.items() if "to_frame" in line]
    assert "train the model for five thousand epochs" in text_of(frame)
    (log,) = [cell for line, cell in guide.items() if ".log()" in line]
    assert "epoch 6: loss 0.262" in text_of(log)
