"""`voice-kernel history`: what it finds, how it prints it, and what it says when it cannot."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.unit.cli.days import keep, shell
from voice_kernel.messages import PastTask
from voice_kernel.script import voicefile
from voice_kernel.settings import data_folder

pytestmark = pytest.mark.usefixtures("day")


def numbers(printed: Any) -> dict[str, str]:
    """Return the numbers of the tasks by what was called."""
    return {line.split("\t")[4]: line.split("\t")[0] for line in printed.lines}


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 100) -> None:
    """Let what is printed go to a terminal so wide."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: __import__("os").terminal_size((columns, 24)))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


# ---- lists ----------------------------------------------------------------------------------------


def test_piped_it_is_one_task_a_line_with_tabs_the_newest_first(vk: Any) -> None:
    lines = [line.split("\t") for line in vk("history").lines]
    assert [line[2] for line in lines] == ["cancelled", "succeeded", "succeeded", "failed"]
    assert lines[3][4:6] == ["run_tests tests", "run the tests in tests"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line[1]) for line in lines)


def test_on_a_terminal_it_is_a_table_that_fits(vk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch, 72)
    out = vk("history").out
    plain = re.sub(r"\x1b\[\d*m", "", out)
    assert plain.splitlines()[0].split() == ["no", "when", "what", "outcome"]
    assert all(len(line) <= 72 for line in plain.splitlines())
    assert "\x1b[31mfailed" in out
    assert "\x1b[32msucceeded" in out


def test_no_colours_where_none_are_wanted(vk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in vk("history").out


def test_json_is_one_task_a_line(vk: Any) -> None:
    tasks = [PastTask.model_validate_json(line) for line in vk("history", "--json").lines]
    assert [past.task.tool for past in tasks] == ["run_shell", "plot", "run_shell", "run_tests"]
    assert tasks[3].utterance == "run the tests in tests"


@pytest.mark.parametrize(
    ("options", "called"),
    [
        (["--status", "failed,cancelled"], ["run_shell sleep 600", "run_tests tests"]),
        (["--search", "pip"], ["run_shell pip install rich"]),
        (["--search", "tests failed"], ["run_tests tests"]),
        (["--limit", "1"], ["run_shell sleep 600"]),
        (
            ["--since", "yesterday", "--until", "today", "--status", "succeeded"],  # it may be past midnight
            ["plot", "run_shell pip install rich"],
        ),
        (["--until", "2000-01-01"], []),
        (["--since", "12h", "--search", "sleep"], ["run_shell sleep 600"]),
        (["--session", "last", "--limit", "1"], ["run_shell sleep 600"]),
    ],
)
def test_it_finds_what_is_asked_for(vk: Any, options: list[str], called: list[str]) -> None:
    assert [line.split("\t")[4] for line in vk("history", *options).lines] == called


def test_a_conversation_and_a_session_are_named_by_their_beginnings(vk: Any) -> None:
    keep(lambda session: shell(session, "shell make", "make"))
    thread = vk("history", "threads").lines[0].split("\t")
    session = vk("history", "sessions").lines[0].split("\t")
    assert thread[3] == "shell make"
    assert session[2:4] == ["1", "closed"]
    for option, name in (("--thread", thread[0]), ("--session", session[0])):
        assert [line.split("\t")[4] for line in vk("history", option, name[:10]).lines] == ["run_shell make"]


def test_threads_are_found_by_what_was_said(vk: Any) -> None:
    keep(lambda session: shell(session, "shell make", "make"))
    assert [
        json.loads(line)["title"] for line in vk("history", "threads", "--json", "--search", "make").lines
    ] == ["shell make"]


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--since", "soon"], 1, "'soon' is no time that I know."),
        (["--status", "great"], 2, "'great' is none of"),
        (["--limit", "0"], 2, "at least 1"),
        (["--thread", "zz"], 1, "There is no conversation 'zz'."),
        (["--session", "zz"], 1, "There is no session 'zz'."),
        (["show", "99"], 1, "There is no task 99 in the history."),
        (["--search", "nothing at all"], 0, "No task is like that."),
    ],
)
def test_what_is_not_there_says_so(vk: Any, options: list[str], code: int, told: str) -> None:
    done = vk("history", *options)
    assert (done.code, done.out) == (code, "")
    assert told in done.err


# ---- one task -------------------------------------------------------------------------------------


def test_one_task_is_shown_with_what_happened_and_what_it_put_out(vk: Any) -> None:
    number = numbers(vk("history"))["run_tests tests"]
    out = vk("history", "show", number).out
    for told in (
        "“run the tests in tests”",
        'run_tests(path="tests")',
        "task.queued",
        "task.failed",
        "2 passed, 1 failed: test_bad_0",
        "failed  tests/test_shop.py::test_bad_0: assert 1 == 2",
        "  1 failed\n",
    ):
        assert told in out
    data = json.loads(vk("history", "show", number, "--json").out)
    assert data["task"]["tool"] == "run_tests"
    assert [event["kind"] for event in data["events"]][-1] == "task.failed"


def test_a_log_is_printed_whole_and_raw_into_a_pipe_harmless_on_a_terminal(
    vk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "task.log"
    log.write_bytes(b"\x1b[31mred\x1b[0m \x1b]0;owned\x07\n")
    keep(lambda session: shell(session, "shell make", "make", log_path=str(log)))
    number = numbers(vk("history"))["run_shell make"]
    assert vk("history", "show", number, "--log").out.startswith("\x1b[31mred")
    on_terminal(monkeypatch)
    assert vk("history", "show", number, "--log").out == "\\x1b[31mred\\x1b[0m \\x1b]0;owned\\x07\n"
    log.unlink()
    assert "not there any more" in vk("history", "show", number, "--log").err


def test_text_of_others_is_no_order_to_the_terminal(vk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "shell \x1b[2J\x1b]0;owned\x07 \u202eevil\u2069 \x9b31m"
    keep(lambda session: shell(session, hostile, "echo \x1b[2J", tail="\x1b[2Jout\x9b"))
    number = vk("history").lines[0].split("\t")[0]
    monkeypatch.setenv("NO_COLOR", "1")
    for arguments in (
        ["history"],
        ["history", "show", number],
        ["history", "threads"],
        ["replay", "--task", number],
    ):
        out = vk(*arguments).out
        assert not re.search("[\x1b\x07\x9b\u202e\u2069]", out), arguments
    on_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search("[\x1b\x07\x9b\u202e\u2069]", vk("history").out)


# ---- export ---------------------------------------------------------------------------------------


def test_a_session_as_a_script_has_its_steps_and_says_what_it_leaves_out(vk: Any) -> None:
    done = vk("history", "export", "--session", "last", "-o", "day.voice")
    assert done.err == "Wrote day.voice: 3 steps, 2 left out.\n"
    text = Path("day.voice").read_text()
    assert "# left out, since it was cancelled: shell sleep 600\n" in text
    assert "# left out, since it was not understood: what is love\n" in text
    steps = voicefile.read(Path("day.voice"))
    assert [step.text for step in steps] == [
        "run the tests in tests",
        "shell pip install rich",
        "plot revenue against month",
    ]
    assert steps[0].expected is not None
    assert steps[0].expected[0].tests == (2, 1, 0, 0)


def test_a_session_as_a_notebook_is_valid_and_shows_what_the_cells_showed(vk: Any) -> None:
    assert vk("history", "export", "--session", "last", "-o", "day.ipynb").code == 0
    notebook = nbformat.read("day.ipynb", as_version=4)
    nbformat.validate(notebook)
    sources = [cell.source for cell in notebook.cells]
    assert sources[1:4] == [
        "%load_ext voice_kernel",
        "%voice run the tests in tests",
        "%voice shell pip install rich",
    ]
    assert sources[5:] == [
        "# left out, since it was cancelled: shell sleep 600",
        "# left out, since it was not understood: what is love",
    ]
    failed, plotted = notebook.cells[2], notebook.cells[4]
    assert [output.output_type for output in failed.outputs] == ["display_data", "error"]
    assert "test_bad_0" in failed.outputs[0].data["text/plain"]
    assert failed.metadata["voice_kernel"]["calls"] == [{"tool": "run_tests", "arguments": {"path": "tests"}}]
    assert "image/png" in plotted.outputs[0].data
    assert "image/png" not in plotted.outputs[1].data["text/html"]


def test_a_session_as_a_report_has_its_pictures_beside_it(vk: Any) -> None:
    done = vk("history", "export", "--session", "last", "-o", "out/day.md")
    assert done.err == "Wrote out/day.md and 1 picture in day_files: 3 steps, 2 left out.\n"
    text = Path("out/day.md").read_text()
    (address,) = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert (Path("out") / address).read_bytes().startswith(b"\x89PNG")
    assert "| `tests/test_shop.py::test_bad_0` | failed | 0 ms |" in text


@pytest.mark.parametrize("options", [["-o", "-"], ["-o", "day.md", "--embed"]])
def test_a_report_can_hold_its_pictures_itself(vk: Any, options: list[str]) -> None:
    done = vk("history", "export", "--session", "last", "--format", "md", *options)
    text = done.out if options[1] == "-" else Path("day.md").read_text()
    assert "](data:image/png;base64,iVBOR" in text
    assert not Path("day_files").exists()


def test_one_task_is_exported_whatever_became_of_it(vk: Any) -> None:
    number = numbers(vk("history"))["run_shell sleep 600"]
    for name in ("one.voice", "one.ipynb", "one.md"):
        assert vk("history", "export", "--task", number, "-o", name).code == 0
    (step,) = voicefile.read(Path("one.voice"))
    assert step.calls[0].arguments == {"command": "sleep 600"}
    assert step.expected is None


def test_an_export_that_cannot_be_written_says_so(vk: Any) -> None:
    Path("folder.md").mkdir()
    done = vk("history", "export", "--session", "last", "-o", "folder.md")
    assert done.code == 1
    assert "folder.md cannot be written: Is a directory." in done.err
    assert vk("history", "export", "--session", "last", "-o", "day.txt").code == 2


# ---- prune ----------------------------------------------------------------------------------------


def test_what_would_go_is_said_before_it_goes(vk: Any) -> None:
    keep(lambda session: shell(session, "shell make", "make"))
    would = vk("history", "prune", "--keep", "1", "--dry-run").out
    assert would.startswith("Would remove 4 tasks")
    assert len(vk("history").lines) == 5
    assert vk("history", "prune", "--keep", "1").out.startswith("Removed 4 tasks")
    assert [line.split("\t")[4] for line in vk("history").lines] == ["run_shell make"]


def test_what_is_not_old_stays(vk: Any) -> None:
    assert vk("history", "prune").out.startswith("Removed 0 tasks")
    assert vk("history", "prune", "--older-than", "30d").out.startswith("Removed 0 tasks")
    assert vk("history", "prune", "--older-than", "2h").code == 1
    assert len(vk("history").lines) == 4


# ---- what can be wrong ----------------------------------------------------------------------------


def test_no_history_is_no_error_and_makes_none(vk: Any) -> None:
    shutil.rmtree(data_folder())
    done = vk("history")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Nothing is in the history yet: it begins with the first command in a kernel.\n"
    assert not data_folder().exists()
    assert "There is no task 1" in vk("history", "show", "1").err
    assert "Nothing has been done" in vk("replay", "--session", "last").err


@pytest.mark.parametrize("content", [b"", b"no database at all" * 500])
def test_a_damaged_history_is_named_and_left_as_it_is(vk: Any, content: bytes) -> None:
    file = data_folder() / "history.db"
    whole = file.read_bytes()
    for rest in data_folder().glob("history.db-*"):
        rest.unlink()
    damaged = content or whole[: len(whole) // 2]
    file.write_bytes(damaged)
    done = vk("history")
    assert done.code == 1
    assert "damaged" in done.err
    assert str(file) in done.err
    assert "written" not in done.err
    assert file.read_bytes() == damaged


def test_it_is_read_while_another_process_writes(vk: Any) -> None:
    writer = sqlite3.connect(data_folder() / "history.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    assert len(vk("history").lines) == 4
    writer.execute("ROLLBACK")
    writer.close()


def test_history_is_read_also_where_nothing_more_is_kept(vk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_KERNEL_KEEP_HISTORY", "false")
    assert len(vk("history").lines) == 4


def test_a_database_that_cannot_be_reached_says_where_it_is_named(
    vk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    done = vk("history")
    assert done.code == 1
    assert "VOICE_KERNEL_DATABASE_URL" in done.err


def test_many_tasks_are_listed_page_by_page(vk: Any) -> None:
    def many(session: Any) -> None:
        for number in range(420):
            shell(session, f"shell echo {number}", f"echo {number}")

    keep(many)
    assert len(vk("history", "--limit", "500").lines) == 424
