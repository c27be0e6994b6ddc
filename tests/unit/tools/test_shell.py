"""run_shell with real commands."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from workbench import Workbench

from voice_kernel.messages import Task
from voice_kernel.tools import shell
from voice_kernel.tools.shell import duration, program_of
from voice_kernel.tools.terminal import Tail, clip, last_line, plain

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def registered(bench: Workbench) -> None:
    shell.register(bench.registry, cwd=bench.cwd)


def message(task: Task) -> str:
    assert task.state == "failed"
    assert task.problem is not None
    return task.problem.message


def test_a_command_that_ends_well_succeeds_with_its_output(bench: Workbench) -> None:
    task = bench.call("run_shell", command="echo one; echo two")
    assert task.state == "succeeded"
    assert task.result is not None
    assert task.result.summary.startswith("Exit 0 in ")
    assert task.result.text == "one\ntwo\n"
    assert task.result.exit_code == 0
    assert task.result.data["output"] == "one\ntwo\n"
    assert bench.output == "one\ntwo\n"
    assert Path(task.log_path).read_text() == "one\ntwo\n"


def test_it_runs_in_the_working_folder(bench: Workbench) -> None:
    task = bench.call("run_shell", command="pwd")
    assert task.result is not None
    assert task.result.text == f"{bench.folder}\n"


def test_colours_reach_the_person_but_not_the_model(bench: Workbench) -> None:
    task = bench.call("run_shell", command=r"printf '\033[31mred\033[0m\n'; test -t 1 && echo terminal")
    assert task.result is not None
    assert "\x1b[31mred" in task.result.text
    assert task.result.data["output"] == "red\nterminal\n"


def test_a_failing_command_says_its_name_status_and_reason(bench: Workbench) -> None:
    task = bench.call("run_shell", command="git status")
    assert message(task).startswith("git exited with 128: fatal: not a git repository")
    assert task.result is not None
    assert task.result.exit_code == 128
    assert "fatal" in task.result.data["output"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "exit exited with 3."),
        ("echo why; exit 3; # because", "The command exited with 3: why"),
        ("no-such-command", "There is no command named 'no-such-command' here."),
        ("kill -SEGV $$", "The command was ended by SIGSEGV."),
        ("cat nowhere.txt", "cat exited with 1: cat: nowhere.txt: No such file or directory"),
        ("echo 'unclosed", "echo exited with 2: unexpected EOF while looking for matching `''"),
    ],
)
def test_each_way_to_fail_has_its_sentence(bench: Workbench, command: str, said: str) -> None:
    assert message(bench.call("run_shell", command=command)) == said


def test_a_time_limit_is_kept_and_said(bench: Workbench) -> None:
    task = bench.call_past_limit(
        lambda: "begun\n" in bench.output, "run_shell", command="echo begun; sleep 3600", timeout=300
    )
    assert message(task) == "The command was ended after 5 min, its time limit."
    assert task.problem is not None
    assert task.problem.kind == "TimedOut"
    assert task.result is not None
    assert task.result.text == "begun\n"


def test_a_command_that_waits_for_input_gets_none(bench: Workbench) -> None:
    task = bench.call("run_shell", command='python3 -c "input()"')
    assert "EOFError" in message(task)


def test_background_processes_end_with_the_command_and_that_is_said(bench: Workbench) -> None:
    task = bench.call("run_shell", command="sleep 600 & echo started")
    assert task.result is not None
    assert task.result.text == "started\n[A background process was ended with the command.]\n"


def test_output_is_seen_while_the_command_runs(bench: Workbench) -> None:
    async def scenario() -> Task:
        return await bench.call_and_cancel(
            lambda: "working" in bench.output, "run_shell", command="echo working; sleep 600"
        )

    task = asyncio.run(scenario())
    assert task.state == "cancelled"
    assert task.tail == "working\n"


def test_the_percentage_of_a_redrawn_line_is_progress(bench: Workbench) -> None:
    bench.call("run_shell", command=r"for p in 10 50 100; do printf '\r%s%% done' $p; sleep 0.15; done; echo")
    assert {0.1, 0.5, 1.0} >= {progress.fraction for progress in bench.progress} > set()


def test_a_flood_is_kept_to_its_end_in_memory_and_whole_in_the_log(bench: Workbench) -> None:
    task = bench.call("run_shell", command="seq 1 1000000")
    assert task.result is not None
    assert task.result.text.endswith("999999\n1000000\n")
    assert len(task.result.text) <= 16_000
    assert len(task.result.data["output"]) <= 8_000
    assert task.result.data["output_is_cut"]
    assert task.output_bytes == os.stat(task.log_path).st_size == 6_888_896
    assert len(task.tail) <= 8_192


def test_bytes_that_are_no_text_do_no_harm(bench: Workbench) -> None:
    task = bench.call("run_shell", command="head -c 100000 /dev/urandom")
    assert task.state == "succeeded"
    task.model_dump_json()


def test_a_command_that_no_system_could_run_is_refused_in_words(bench: Workbench) -> None:
    assert "command holds a NUL character" in message(bench.call("run_shell", command="echo \0"))


def test_what_the_command_would_do_is_told_beforehand(bench: Workbench) -> None:
    assert bench.effects("run_shell", command="ls") == {"shell"}
    assert bench.effects("run_shell", command="pip install x") == {"shell", "install"}
    (bench.folder / "kept.txt").write_text("x")
    assert bench.effects("run_shell", command="echo x > kept.txt") == {"shell", "delete"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "40 ms"),
        (1.23, "1.2 s"),
        (12.4, "12 s"),
        (60, "1 min"),
        (185, "3 min 5 s"),
        (7440, "2 h 4 min"),
    ],
)
def test_lengths_of_time_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_only_a_plain_command_has_a_name() -> None:
    assert program_of("/usr/bin/git status") == "git"
    assert program_of("a | b") == "The command"
    assert program_of("") == "The command"


def test_a_redrawn_line_reads_as_its_last_state() -> None:
    assert plain("10%\r50%\r100%\nend\r\n") == "100%\nend\n"
    assert plain("\x1b]0;title\x07\x1b[1mbold\x1b[0m\x08") == "bold"
    assert last_line("one\n  two  words \n\n") == "two words"


def test_a_tail_starts_with_a_whole_line() -> None:
    tail = Tail(max_bytes=10)
    for number in range(100):
        tail.feed(f"{number}\n".encode())
    assert tail.text() == "97\n98\n99\n"
    assert clip("first\nsecond\n", 9) == "second\n"
