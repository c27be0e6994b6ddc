"""list_files shows a folder and touches nothing in it."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.messages import Result, Task
from voice_kernel.tools import files

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def registered(bench: Workbench) -> None:
    files.register(bench.registry, cwd=bench.cwd)
    (bench.folder / "notebooks").mkdir()
    (bench.folder / "notebooks" / "tour.ipynb").write_text("x" * 3400)
    (bench.folder / "b.py").write_text("12")
    (bench.folder / "A.txt").write_text("")
    (bench.folder / ".hidden").write_text("")


def listed(task: Task) -> Result:
    assert task.state == "succeeded"
    assert task.result is not None
    return task.result


def test_folders_come_first_and_files_have_sizes(bench: Workbench) -> None:
    result = listed(bench.call("list_files"))
    assert result.summary == "2 files and 1 folder here, 1 hidden"
    assert [line.split() for line in result.text.splitlines()] == [
        ["notebooks/"],
        ["0", "B", "A.txt"],
        ["2", "B", "b.py"],
    ]
    assert result.data["entries"][0] == {"name": "notebooks", "folder": True}


def test_a_folder_can_be_named(bench: Workbench) -> None:
    result = listed(bench.call("list_files", path="notebooks"))
    assert result.summary == "1 file and 0 folders in notebooks"
    assert result.text.split() == ["3.4", "KB", "tour.ipynb"]


def test_a_missing_folder_names_what_is_near(bench: Workbench) -> None:
    task = bench.call("list_files", path="notebook")
    assert task.problem is not None
    assert task.problem.message == "There is no folder notebook here."
    assert task.problem.hint == "Did you mean notebooks?"


def test_a_file_is_listed_by_itself(bench: Workbench) -> None:
    assert listed(bench.call("list_files", path="b.py")).text.split() == ["2", "B", "b.py"]


def test_a_long_folder_is_cut_and_says_so(bench: Workbench) -> None:
    many = bench.folder / "many"
    many.mkdir()
    for number in range(600):
        (many / f"{number:03}").touch()
    result = listed(bench.call("list_files", path="many"))
    assert result.summary == "600 files and 0 folders in many"
    assert result.text.endswith("… and 100 more")
    assert len(result.data["entries"]) == 500
    assert result.data["left_out"] == 100


def test_names_that_would_disturb_a_terminal_are_made_harmless(bench: Workbench) -> None:
    os.mkdir(os.fsencode(bench.folder) + b"/odd")
    for name in (b"\x1b[31mred", b"new\nline", b"bad\xffbyte"):
        open(os.path.join(os.fsencode(bench.folder), b"odd", name), "wb").close()
    result = listed(bench.call("list_files", path="odd"))
    assert "\x1b" not in result.text
    assert len(result.text.splitlines()) == 3
    result.model_dump_json()


def test_a_broken_link_and_a_pipe_are_listed_without_being_opened(bench: Workbench) -> None:
    os.symlink("nowhere", bench.folder / "notebooks" / "link")
    os.mkfifo(bench.folder / "notebooks" / "pipe")
    text = listed(bench.call("list_files", path="notebooks")).text
    assert "link" in text
    assert "pipe" in text


def test_looking_for_near_names_is_bounded(bench: Workbench) -> None:
    for number in range(30):
        (bench.folder / f"d{number}").mkdir()
    assert len(files.known_paths(bench.folder, limit=10)) <= 10


def test_a_disk_that_does_not_answer_holds_nothing_else_up(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()
    scandir = os.scandir

    def waiting(folder: str) -> object:
        asked.set()
        answered.wait(LIMIT_S)
        return scandir(folder)

    monkeypatch.setattr(files.os, "scandir", waiting)

    async def both() -> Task:
        call = asyncio.ensure_future(bench.start("list_files"))
        async with asyncio.timeout(LIMIT_S / 2):  # the loop goes on, or this would be over too late
            while not asked.is_set():  # noqa: ASYNC110 - a thread sets it
                await asyncio.sleep(0.01)
        assert not call.done()
        answered.set()
        return await asyncio.wait_for(call, LIMIT_S)

    assert listed(asyncio.run(both())).summary == "2 files and 1 folder here, 1 hidden"
