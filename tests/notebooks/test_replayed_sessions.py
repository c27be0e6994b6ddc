"""Sessions that are done again: on a fresh copy of a project, changed ones, and ones that act on cells."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import isolated, write_notebook

VOICE = [sys.executable, "-m", "voice_kernel.cli"]
LIMIT_S = 600
DAY = """run the tests
run shell command mkdir -p out && echo done > out/log.txt
run the code import pandas as pd; sales = pd.read_csv('sales.csv')
list variables
total revenue by region
plot revenue against month
run shell command cat missing.txt
run the code 1 / 0
list the files
"""
SALES = "month,region,revenue\n1,north,3\n2,south,5\n3,north,8\n"
TESTS = """
from pathlib import Path

def test_there_are_sales():
    assert Path("sales.csv").read_text().startswith("month")

def test_sum():
    assert 1 + 1 == 2

def test_wrong():
    assert "profit" in Path("sales.csv").read_text(), "no profit yet"
"""


@dataclass
class Done:
    """What one command left."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {**isolated(tmp_path_factory.mktemp("jupyter")), "MPLBACKEND": "agg"}


def project(folder: Path) -> Path:
    """Make a fresh copy of the project."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "test_sales.py").write_text(TESTS)
    (folder / "sales.csv").write_text(SALES)
    (folder / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    return folder


def vk(environment: dict[str, str], folder: Path, *arguments: str) -> Done:
    done = subprocess.run(
        [*VOICE, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def day(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work for a day in a notebook, and export the session as a script."""
    folder = project(tmp_path_factory.mktemp("day") / "shop")
    write_notebook(folder / "day.ipynb", ["%load_ext voice_kernel", f"%%voice --keep-going\n{DAY}"])
    assert vk(environment, folder, "run", "day.ipynb").code == 1  # some of it fails
    script = folder.parent / "day.voice"
    done = vk(environment, folder, "history", "export", "--session", "last", "-o", str(script))
    assert done.err == f"Wrote {script}: 9 steps.\n"
    return script


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return project(tmp_path / "copy")


# ---- a whole session ------------------------------------------------------------------------------


def test_showing_it_does_nothing(environment: dict[str, str], day: Path, copy: Path) -> None:
    before = sorted(copy.rglob("*"))
    done = vk(environment, copy, "replay", str(day))
    assert done.code == 0
    assert done.out.startswith("day.voice: 9 steps. Nothing is done yet.\n")
    assert 'run_shell(command="cat missing.txt")' in done.out
    assert "before: failed (TestsFailed), exit status 1, 2 passed, 1 failed" in done.out
    assert sorted(copy.rglob("*")) == before


def test_on_a_fresh_copy_every_outcome_is_the_same(
    environment: dict[str, str], day: Path, copy: Path
) -> None:
    done = vk(environment, copy, "replay", str(day), "--run")
    assert (done.code, done.err) == (0, ""), done.out
    assert "✓ [1/9] run the tests  failed (TestsFailed), exit status 1, 2 passed, 1 failed" in done.out
    assert "✓ [8/9] run the code 1 / 0  failed (ZeroDivisionError)" in done.out
    assert done.out.endswith("All 9 steps came out as before.\n")
    assert (copy / "out" / "log.txt").read_text() == "done\n"


def test_a_changed_outcome_is_told_at_its_step_and_ends_it(
    environment: dict[str, str], day: Path, copy: Path
) -> None:
    (copy / "missing.txt").write_text("found\n")
    done = vk(environment, copy, "replay", str(day), "--run")
    assert done.code == 1
    assert "✓ [6/9] plot revenue against month  succeeded" in done.out
    assert (
        "✗ [7/9] run shell command cat missing.txt  different\n"
        "      run_shell: succeeded; before it was failed (CommandFailed), exit status 1.\n"
        "      | found\n"
    ) in done.out
    assert "· [8/9] run the code 1 / 0  not done" in done.out
    assert done.out.endswith("1 of 9 came out differently, 2 not done.\n")


def test_it_goes_on_when_told_to(environment: dict[str, str], day: Path, copy: Path) -> None:
    (copy / "sales.csv").write_text("month,region,revenue,profit\n1,north,3,1\n")
    done = vk(environment, copy, "replay", str(day), "--run", "--keep-going", "--json")
    assert done.code == 1
    rows = done.rows()
    assert [row["state"] for row in rows] == ["different", *["same"] * 8]
    assert rows[0]["outcome"] == [
        {"tool": "run_tests", "state": "succeeded", "exit_code": 0, "tests": [3, 0, 0, 0]}
    ]
    assert rows[0]["expected"][0]["tests"] == [2, 1, 0, 0]


def test_the_last_session_is_the_one_that_was_replayed_and_not_the_replay(
    environment: dict[str, str], day: Path, copy: Path
) -> None:
    (copy / "one.voice").write_text("list the files\n")
    assert vk(environment, copy, "replay", "one.voice", "--run").code == 0
    shown = vk(environment, copy, "replay", "--session", "last")
    assert "9 steps. Nothing is done yet." in shown.out
    assert shown.out.count("before: ") == 9


def test_an_exported_notebook_runs(environment: dict[str, str], day: Path, copy: Path) -> None:
    path = copy / "day.ipynb"
    assert vk(environment, copy, "history", "export", "--session", "last", "-o", str(path)).code == 0
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            cell.metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    done = vk(environment, copy, "run", str(path))
    assert done.code == 0, done.out


# ---- one task, refusals, and what ends it ---------------------------------------------------------


def test_one_task_is_done_again_by_its_number(environment: dict[str, str], day: Path, copy: Path) -> None:
    found = vk(environment, copy, "history", "--search", "missing.txt").out.splitlines()
    number = found[-1].split("\t")[0]  # the first time; later ones are replays
    done = vk(environment, copy, "replay", "--task", number, "--run")
    assert done.code == 0
    assert done.out.endswith("It came out as before.\n")


def test_what_asks_is_refused_where_nobody_can_be_asked_and_done_with_approval(
    environment: dict[str, str], copy: Path
) -> None:
    script = copy / "rm.voice"
    script.write_text("run shell command rm sales.csv\nlist the files\n")
    shown = vk(environment, copy, "replay", str(script), "--json").rows()
    assert [row["calls"] for row in shown] == [[], []]  # words alone are understood when it is done
    done = vk(environment, copy, "replay", str(script), "--run")
    assert done.code == 4
    assert "✗ [1/2] run shell command rm sales.csv  refused" in done.out
    assert (copy / "sales.csv").exists()
    done = vk(environment, copy, "replay", str(script), "--run", "--approve", "run_shell")
    assert (done.code, (copy / "sales.csv").exists()) == (0, False)


def test_an_exported_approval_is_no_approval(environment: dict[str, str], copy: Path) -> None:
    assert vk(environment, copy, "say", "--approve", "run_shell", "shell rm sales.csv").code == 0
    assert vk(environment, copy, "history", "export", "--session", "last", "-o", "rm.voice").code == 0
    (copy / "sales.csv").write_text(SALES)
    (call,) = vk(environment, copy, "replay", "rm.voice", "--json").rows()[0]["calls"]
    assert (call["decision"], call["arguments"]) == ("ask", {"command": "rm sales.csv"})
    assert vk(environment, copy, "replay", "rm.voice", "--run").code == 4
    assert (copy / "sales.csv").exists()


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, False), ("\n", 4, True)])
def test_a_person_at_a_terminal_is_asked(
    environment: dict[str, str], copy: Path, answer: str, code: int, left: bool
) -> None:
    (copy / "rm.voice").write_text("run shell command rm sales.csv\n")
    ours, theirs = pty.openpty()
    command = [*VOICE, "replay", "rm.voice", "--run"]
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as asked:
        os.close(theirs)
        said = read_until(ours, "Approve? [y/N]")
        os.write(ours, answer.encode())
        rest = read_until(ours, "before" if code == 0 else "differently")
        assert asked.wait(LIMIT_S) == code, rest
    os.close(ours)
    assert "rm sales.csv" in said
    assert (copy / "sales.csv").exists() == left


def read_until(fd: int, text: str) -> str:
    """Read from a terminal until it shows a text."""
    said = ""
    deadline = time.monotonic() + LIMIT_S
    while text not in said:
        assert time.monotonic() < deadline, said
        try:
            said += os.read(fd, 4096).decode(errors="replace")
        except OSError:
            raise AssertionError(said) from None
    return said


def test_ctrl_c_ends_what_runs(environment: dict[str, str], copy: Path) -> None:
    (copy / "long.voice").write_text("run shell command touch begun && sleep 600\nlist the files\n")
    command = [*VOICE, "replay", "long.voice", "--run"]
    with subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.PIPE, text=True) as replay:
        deadline = time.monotonic() + LIMIT_S
        while not (copy / "begun").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        replay.send_signal(signal.SIGINT)
        out, _err = replay.communicate(timeout=LIMIT_S)
    assert replay.returncode == 130
    assert "list the files" not in out
    found = vk(environment, copy, "history", "--search", "sleep 600", "--limit", "1")
    assert found.out.split("\t")[2] in ("cancelled", "interrupted")


def test_a_step_that_takes_too_long_ends_it(environment: dict[str, str], copy: Path) -> None:
    (copy / "long.voice").write_text("run shell command sleep 600\n")
    done = vk(environment, copy, "replay", "long.voice", "--run", "--timeout", "2")
    assert done.code == 5
    assert "timeout\n      It took longer than 2 s." in done.out


def test_a_script_makes_no_control_and_a_kernel_that_dies_is_told_with_its_step(
    environment: dict[str, str], copy: Path
) -> None:
    (copy / "dies.voice").write_text("approve\nrun the code import os; os.kill(os.getpid(), 9)\n")
    done = vk(environment, copy, "replay", "dies.voice", "--run", "--approve", "run_code", "--keep-going")
    assert done.code == 6
    assert "✗ [1/2] approve  refused\n      approve is for a person only.\n" in done.out
    assert "The kernel died in step 2." in done.err


# ---- cells ----------------------------------------------------------------------------------------


def test_a_session_with_cells_is_done_again_in_a_notebook_and_compared(
    environment: dict[str, str], copy: Path
) -> None:
    def book(source: str) -> None:
        write_notebook(copy / "book.ipynb", ["x = 5", source])

    book("print(x / 0)")
    script = copy / "cells.voice"
    script.write_text("run cell one\nrun cell two\n")
    assert vk(environment, copy, "run", "book.ipynb", "-o", "out.ipynb", "--script", str(script)).code == 1
    done = vk(environment, copy, "history", "export", "--session", "last", "-o", str(script))
    assert done.code == 0
    assert '"problem":"ZeroDivisionError"' in script.read_text()

    again = vk(environment, copy, "run", "book.ipynb", "-o", "out.ipynb", "--script", str(script))
    assert again.code == 0, again.out
    assert "[2/2] run cell two\n      → run_cells 2\n" in again.out

    book("print(x)")
    changed = vk(environment, copy, "run", "book.ipynb", "-o", "out.ipynb", "--script", str(script))
    assert changed.code == 1
    assert "It came out differently. run_cells: succeeded; before it was failed" in changed.out


def test_a_damaged_script_is_named_before_anything_is_done(environment: dict[str, str], copy: Path) -> None:
    (copy / "bad.voice").write_text("list the files\n#= {\n")
    write_notebook(copy / "book.ipynb", ["x = 5"])
    for command in (["replay", "bad.voice", "--run"], ["run", "book.ipynb", "--script", "bad.voice"]):
        done = vk(environment, copy, *command)
        assert (done.code, done.out) == (2, "")
        assert "bad.voice:2: this line is damaged." in done.err
