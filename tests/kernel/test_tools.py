"""The tools through the real magic, in a real kernel."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from real_kernel import Cell, RealKernel, shown


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / ".env").write_text(f"ALLOW_CLI_EXECUTION=true\nVOICE_KERNEL_LOG_DIR={folder / 'logs'}\n")
    tests = "def test_good(): pass\n\ndef test_login():\n    assert 1 == 2, 'numbers differ'\n"
    (folder / "tests").mkdir()
    (folder / "tests" / "test_app.py").write_text(tests)
    return folder


@pytest.fixture(scope="module")
def assistant(project: Path) -> Iterator[RealKernel]:
    kernel = RealKernel(project)
    kernel.execute("%load_ext voice_kernel").expect_ok()
    yield kernel
    kernel.stop()


def pictures(cell: Cell) -> list[Any]:
    shows = [message["content"]["data"] for message in cell.messages if message["msg_type"] == "display_data"]
    return [data["image/png"] for data in shows if "image/png" in data]


def written(folder: Path) -> list[int]:
    """Return the processes that have written their numbers into `pid-1` and `pid-2`, whole."""
    texts = [path.read_text() for path in sorted(folder.glob("pid-*"))]
    return [int(text) for text in texts if text.endswith("\n")]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_tests_run_and_their_failures_are_shown_with_place_and_reason(assistant: RealKernel) -> None:
    cell = assistant.execute("%voice run the tests in the tests folder")
    assert cell.status == "error"
    text = shown(cell)
    assert "1 passed, 1 failed: test_login" in text


def test_a_plot_is_drawn_in_the_cell_and_its_code_is_proposed(assistant: RealKernel) -> None:
    assistant.execute(
        "import pandas as pd; df = pd.DataFrame({'month': [1, 2], 'revenue': [3, 4]})"
    ).expect_ok()
    cell = assistant.execute("%voice plot revenue against month").expect_ok()
    assert len(pictures(cell)) == 1
    assert 'df.plot.line(x="month", y="revenue"' in shown(cell)
    assert cell.reply is not None
    payload = cell.reply["content"]["payload"]
    assert [part["source"] for part in payload] == ["set_next_input"]
    assert "df.plot.line" in payload[0]["text"]


def test_variables_are_listed_and_shown(assistant: RealKernel) -> None:
    assistant.execute("import pandas as pd; frame = pd.DataFrame({'a': range(50)})").expect_ok()
    assert "50 rows, 1 column" in shown(assistant.execute("%voice list variables").expect_ok())
    assert "frame.head(10)" in shown(assistant.execute("%voice show frame").expect_ok())


def test_a_command_streams_into_the_card(assistant: RealKernel, project: Path) -> None:
    cell = assistant.execute("%voice shell echo hello").expect_ok()
    assert "hello" in shown(cell)
    logs = list((project / "logs").glob("*.log"))
    assert any(log.read_text() == "hello\n" for log in logs)


def test_the_interrupt_button_ends_a_command_and_what_it_started(
    assistant: RealKernel, project: Path
) -> None:
    script = project / "long.sh"
    script.write_text("echo $$ > pid-1; setsid bash -c 'echo $$ > pid-2; exec sleep 600' & sleep 600\n")
    cell = assistant.begin("%voice shell bash long.sh")
    assistant.until(lambda: len(written(project)) == 2)
    assistant.interrupt()
    assert assistant.finish(cell).status == "error"
    assistant.until(lambda: not any(map(alive, written(project))))


def test_the_interrupt_button_ends_a_cell_of_commands_even_one_that_keeps_going(
    assistant: RealKernel,
) -> None:
    cell = assistant.begin(
        "%%voice --keep-going\n"
        "run the code import time; print('begun', flush=True); time.sleep(600)\n"
        "run the code print('second')"
    )
    assistant.printed(cell, "begun")
    assistant.interrupt()
    finished = assistant.finish(cell)
    assert finished.reply is not None
    assert finished.reply["content"]["ename"] == "TurnCancelled"
    assert "second" not in finished.text


def test_nothing_of_a_command_outlives_a_kernel_that_is_killed(new_kernel: RealKernel) -> None:
    folder = new_kernel.folder
    (folder / ".env").write_text(f"ALLOW_CLI_EXECUTION=true\nVOICE_KERNEL_LOG_DIR={folder / 'logs'}\n")
    (folder / "long.sh").write_text(
        "echo $$ > pid-1; setsid bash -c 'echo $$ > pid-2; exec sleep 600' & sleep 600\n"
    )
    new_kernel.execute("%load_ext voice_kernel").expect_ok()
    pid = int(new_kernel.value("os.getpid()"))
    new_kernel.begin("%voice shell bash long.sh")
    new_kernel.until(lambda: len(written(folder)) == 2)
    os.kill(pid, signal.SIGKILL)
    new_kernel.until(lambda: not any(map(alive, written(folder))))
