"""`voice-kernel run`: its exit codes, its reports, and a file that is whole whatever happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from lab import isolated, write_notebook

from voice_kernel.cli import main

RECORDING = Path(__file__).parents[2] / "notebooks" / "tour" / "audio" / "list_variables.wav"
HANGS = "print('started', flush=True)\nimport time\ntime.sleep(600)"
DIES = """print('started', flush=True)
%load_ext voice_kernel
%voice save the notebook
import os, signal
os.kill(os.getpid(), signal.SIGKILL)"""
"""Once the notebook is saved, what was printed before has arrived."""
LIMIT_S = 600


@dataclass
class Done:
    """What one run left."""

    code: int
    notebook: nbformat.NotebookNode
    printed: str
    report: dict[str, object]

    def text(self, position: int) -> str:
        outputs = self.notebook.cells[position - 1].get("outputs", [])
        return "".join(output.get("text", "") or output.get("evalue", "") for output in outputs)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name not in (environment := isolated(tmp_path / "jupyter")):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> object:
    def run(cells: list[str], *options: str) -> Done:
        path = folder / "book.ipynb"
        write_notebook(path, cells)
        before = path.read_text()
        out, report = folder / "out.ipynb", folder / "report.json"
        code = main(["run", str(path), "-o", str(out), "--report", str(report), *options])
        captured = capsys.readouterr()
        assert path.read_text() == before
        assert not [entry for entry in folder.iterdir() if entry.suffix == ".tmp"]
        notebook = nbformat.read(out, as_version=4)
        nbformat.validate(notebook)
        data = json.loads(report.read_text())
        assert data["exit_code"] == code
        return Done(code, notebook, captured.out + captured.err, data)

    return run


# ---- exit codes -------------------------------------------------------------------------------------


def test_all_cells_are_run_when_nothing_is_said(run) -> None:
    done = run(["#md # Title", "x = 20\nprint(x)", "x + 1"])
    assert done.code == 0
    assert done.text(2) == "20\n"
    assert done.notebook.cells[2].outputs[0].data["text/plain"] == "21"
    assert [cell.get("execution_count") for cell in done.notebook.cells] == [None, 1, 2]
    assert done.report["outcome"] == "passed"
    assert "✓ cell 3 of 3" in done.printed


def test_commands_are_done_in_the_order_in_which_they_are_given(run, folder: Path) -> None:
    script = folder / "check.voice"
    script.write_text("# what comes first\n\ninsert a cell at the bottom\nrun cell two\n")
    done = run(
        ["runs = 'a'", "print(runs)"],
        "--say",
        "run cell one",
        "--script",
        str(script),
        "--say",
        "delete cell one",
    )
    assert done.code == 0
    assert [cell.source for cell in done.notebook.cells] == ["print(runs)", ""]
    assert done.text(1) == "a\n"
    commands = done.report["commands"]
    assert isinstance(commands, list)
    assert [(one["name"], one.get("where")) for one in commands] == [
        ("run cell one", None),
        ("insert a cell at the bottom", "check.voice:3"),
        ("run cell two", "check.voice:4"),
        ("delete cell one", None),
    ]


def test_a_recording_is_a_command(run) -> None:
    done = run(["x = 1"], "--audio", str(RECORDING))
    assert done.code == 0
    assert "list variables" in done.printed.lower()


@pytest.mark.parametrize("options", [[], ["--say", "run all cells"]], ids=["cells", "command"])
def test_a_cell_that_raises(run, options: list[str]) -> None:
    done = run(["print(1)", "raise ValueError('no')", "print(3)"], *options)
    assert done.code == 1
    assert (done.text(1), done.text(2), done.text(3)) == ("1\n", "no", "")
    assert "ValueError: no" in done.printed


def test_a_command_that_is_not_understood(run) -> None:
    done = run(["x = 1"], "--say", "we ran the tests last week", "--say", "run all cells")
    assert done.code == 3
    assert done.notebook.cells[0].execution_count is None
    commands = done.report["commands"]
    assert isinstance(commands, list)
    assert [one["state"] for one in commands] == ["unknown", "skipped"]


def test_what_policy_or_nobody_allows_is_refused(run) -> None:
    assert run(["x = 1"], "--say", "git status").code == 4
    assert run(["x = 1"], "--say", "restart the kernel").code == 4


def test_what_was_allowed_beforehand_is_done(run) -> None:
    done = run(["print('again')"], "--allow-cli", "--say", "run the command echo hello")
    assert done.code == 0
    assert "hello" in done.printed
    done = run(["print('again')"], "--approve", "restart_kernel", "--say", "restart and run all")
    assert done.code == 0
    assert done.text(1) == "again\n"


@pytest.mark.parametrize(
    ("limit_s", "options"), [(8, []), (20, ["--say", "run all cells"])], ids=["cells", "command"]
)
def test_a_limit_in_time(run, limit_s: int, options: list[str]) -> None:
    # Time enough to print something in; in the command's the sentences are read too.
    done = run(["print(1)", HANGS, "print(3)"], "--timeout", str(limit_s), *options)
    assert done.code == 5
    assert (done.text(1), done.text(3)) == ("1\n", "")
    assert done.text(2).startswith("started")


@pytest.mark.parametrize("options", [[], ["--say", "run all cells"]], ids=["cells", "command"])
def test_a_kernel_that_dies(run, options: list[str]) -> None:
    done = run(["print(1)", DIES, "print(3)"], *options)
    assert done.code == 6
    assert (done.text(1), done.text(2), done.text(3)) == ("1\n", "started\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_from_outside_keeps_what_it_has(folder: Path, number: int) -> None:
    path, ran = folder / "book.ipynb", folder / "ran"
    write_notebook(path, ["print(1)", f"open({str(ran)!r}, 'w').close()\n{HANGS}", "print(3)"])
    process = subprocess.Popen(
        [sys.executable, "-m", "voice_kernel.cli", "run", str(path), "--report", str(folder / "r.json")],
        env=isolated(folder / "jupyter"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + LIMIT_S
    while not ran.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].outputs[0].text == "1\n"
    assert notebook.cells[2].outputs == []
    assert json.loads((folder / "r.json").read_text())["outcome"] == "cancelled"


@pytest.mark.parametrize(
    "options",
    [["missing.ipynb"], ["book.ipynb", "--report", "r.txt"], ["book.ipynb", "--script", "missing.voice"]],
)
def test_wrong_options_are_said_before_anything_is_done(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    monkeypatch.chdir(folder)
    write_notebook(folder / "book.ipynb", ["x = 1"])
    assert main(["run", *options]) == 2
    assert "voice-kernel: " in capsys.readouterr().err


def test_a_kernel_that_is_not_installed_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "book.ipynb"
    write_notebook(path, ["x = 1"])
    before = path.read_text()
    assert main(["run", str(path), "--kernel", "nonsense", "--report", str(folder / "r.xml")]) == 1
    assert "no kernel named 'nonsense'" in capsys.readouterr().err
    assert path.read_text() == before
    assert "nonsense" in (folder / "r.xml").read_text()


# ---- what is written --------------------------------------------------------------------------------


def test_the_report_is_junit_where_its_name_says_so(folder: Path) -> None:
    path, report = folder / "book.ipynb", folder / "out" / "report.xml"
    write_notebook(path, ["print(1)", "print('\x1b[31mred\x1b[0m'); 1/0"])
    assert (
        main(["run", str(path), "-q", "--say", "run all cells", "--say", "undo", "--report", str(report)])
        == 1
    )
    suites = {suite.get("name"): suite for suite in ElementTree.parse(report).getroot()}
    commands = suites["book.ipynb commands"]
    assert (commands.get("tests"), commands.get("failures"), commands.get("skipped")) == ("2", "1", "1")
    failure = commands[0].find("failure")
    assert failure is not None
    assert failure.get("message") == "Cell 2 raised ZeroDivisionError: division by zero"
    assert suites["book.ipynb cells"].get("tests") == "2"


def test_without_another_place_the_notebook_itself_is_written_and_differs_only_in_what_ran(
    folder: Path,
) -> None:
    path = folder / "book.ipynb"
    write_notebook(path, ["print(1)", "#md text"])
    before = path.read_text().splitlines()
    assert main(["run", str(path), "-q", "--say", "run cell one"]) == 0
    gone = [line for line in before if line not in path.read_text().splitlines()]
    assert {line.strip() for line in gone} <= {'"execution_count": null,', '"outputs": [],', "}"}


def test_parameters_go_where_papermill_puts_them(run) -> None:
    done = run(["a = 1\nb = 'x'", "print(a, b)"], "-p", "a", "5", "-p", "b", "five")
    assert done.code == 0
    assert done.notebook.cells[0].metadata.tags == ["injected-parameters"]
    assert "a = 5" in done.notebook.cells[0].source
    assert done.text(3) == "1 x\n"  # there is no cell with the tag `parameters`: they come first


def test_cells_with_widgets_keep_their_state(run) -> None:
    done = run(["import ipywidgets\nipywidgets.IntSlider(value=7)"])
    state = done.notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert any(model["state"].get("value") == 7 for model in state.values())


def test_a_command_in_a_cell_runs_another_cell(run) -> None:
    done = run(["%load_ext voice_kernel", "%voice run cell 3", "print('three')"])
    assert done.code == 0
    assert done.text(3) == "three\n"
    assert done.text(1) == ""  # its own load of the extension finds none loaded
