"""Notebooks with `%voice` cells, run without a browser by the tools people run notebooks with."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from demo import run_tour
from lab import isolated, jupyter_execute, write_notebook


def execute(folder: Path, *cells: str) -> tuple[int, nbformat.NotebookNode, str]:
    """Run a notebook with `jupyter execute`; returns its exit code, the saved notebook and stderr."""
    path = folder / "book.ipynb"
    write_notebook(path, cells)
    done = jupyter_execute(path)
    return done.returncode, nbformat.read(path, as_version=4), done.stderr


def html_of(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


def text_of(cell: nbformat.NotebookNode) -> str:
    """Return what a person reads of a cell's HTML."""
    return " ".join(re.sub(r"<[^>]*>", " ", html.unescape(html_of(cell))).split())


def test_a_passing_command_leaves_its_frozen_card_in_the_saved_file(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert True\n")
    code, notebook, stderr = execute(tmp_path, "%load_ext voice_kernel", "%voice run the tests")
    assert code == 0, stderr
    card = html_of(notebook.cells[1])
    assert "run the tests" in card
    assert "1 passed" in text_of(notebook.cells[1])
    assert "<script" not in card
    nbformat.validate(notebook)


def test_a_failing_command_makes_the_run_fail(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 == 2\n")
    code, _, stderr = execute(tmp_path, "%load_ext voice_kernel", "%voice run the tests", "print('after')")
    assert code != 0
    assert "TurnFailed" in stderr
    assert "test_it" in stderr


def test_a_command_that_is_not_understood_makes_the_run_fail(tmp_path: Path) -> None:
    code, _, stderr = execute(tmp_path, "%load_ext voice_kernel", "%voice colourless green ideas")
    assert code != 0
    assert "I did not understand" in stderr


def test_what_needs_a_persons_approval_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    (tmp_path / "keep.txt").write_text("kept")
    code, _, stderr = execute(tmp_path, "%load_ext voice_kernel", "%voice run the command rm keep.txt")
    assert code != 0
    assert "nobody can be asked" in stderr
    assert (tmp_path / "keep.txt").read_text() == "kept"


def test_the_card_of_a_turn_in_the_background_shows_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    code, notebook, stderr = execute(
        tmp_path,
        "%load_ext voice_kernel",
        "endless = %voice -b run the command sleep 600",
        "brief = %voice -b list variables",
        "endless.cancel()",
        "brief.result().outcome",
    )
    assert code == 0, stderr
    assert "cancelled" in text_of(notebook.cells[1])
    assert "✓" in text_of(notebook.cells[2])


def test_a_cell_of_commands_stops_at_the_first_that_fails(tmp_path: Path) -> None:
    code, _, _ = execute(
        tmp_path,
        "%load_ext voice_kernel",
        "%%voice\nrun the code one = 1\nrun the code 1 / 0\nrun the code two = 2",
        "",
    )
    assert code != 0
    code, notebook, stderr = execute(
        tmp_path,
        "%load_ext voice_kernel",
        "try:\n    get_ipython().run_cell_magic("
        "'voice', '--keep-going', 'run the code 1 / 0\\nrun the code two = 2')\n"
        "except Exception as error:\n    print(type(error).__name__, two)",
    )
    assert code == 0, stderr
    said = "".join(output.get("text", "") for output in notebook.cells[1].outputs)
    assert said.endswith("TurnFailed 2\n")


def test_a_turn_comes_back_as_a_value(tmp_path: Path) -> None:
    code, notebook, stderr = execute(
        tmp_path,
        "%load_ext voice_kernel",
        "turn = %voice run the code 6 * 7",
        "print(turn.transcript, turn.route, turn.calls[0].tool, turn.outcome)",
        "print(turn.outputs[0].data['text/plain'])",
    )
    assert code == 0, stderr
    assert notebook.cells[2].outputs[0].text == "run the code 6 * 7 intents run_code succeeded\n"
    assert notebook.cells[3].outputs[0].text == "42\n"


def test_papermill_runs_it_too(tmp_path: Path) -> None:
    write_notebook(tmp_path / "book.ipynb", ["%load_ext voice_kernel", "%voice list files"])
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "-k", "python3", "book.ipynb", "out.ipynb"],
        cwd=tmp_path, env=isolated(tmp_path / "jupyter"), capture_output=True, text=True, timeout=1_200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "list_files" in html_of(nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[1])


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return run_tour(tmp_path_factory.mktemp("tour"))


def test_the_tour_runs_from_its_recordings_and_leaves_a_page(tour: tuple[Path, Path]) -> None:
    notebook, page = tour
    said = "".join(text_of(cell) for cell in nbformat.read(notebook, as_version=4).cells if "outputs" in cell)
    for heard in ("List variables", "Describe the dataframe df", "Plot revenue against month", "Run tests"):
        assert heard in said
    assert "3 passed" in said
    assert "voice-kernel-turn" in page.read_text()
