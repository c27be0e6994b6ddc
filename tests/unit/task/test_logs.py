"""Logs are whole up to their cap, hold no secret, and never end the work they belong to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from voice_kernel.task.logs import Log, LogFolder, Redactor

T = TypeVar("T")


def on_loop(act: Callable[[], T]) -> T:
    async def call() -> T:
        return act()

    return asyncio.run(call())


def written(log: Log, *pieces: bytes) -> bytes:
    def act() -> None:
        for piece in pieces:
            log.write(piece)
        log.close()

    on_loop(act)
    return Path(log.path).read_bytes()


def test_everything_written_is_in_the_file(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "logs").open("task-7")
    assert log.path == str(tmp_path / "logs" / "task-7.log")
    assert written(log, b"one\n", b"\xff\x00two") == b"one\n\xff\x00two"
    assert (log.cut_bytes, log.problem) == (0, "")


def test_only_the_owner_can_read_a_log(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "logs").open("task")
    assert os.stat(log.path).st_mode & 0o077 == 0
    assert os.stat(tmp_path / "logs").st_mode & 0o077 == 0
    log.close()


def test_output_is_on_disk_while_the_task_still_runs(tmp_path: Path) -> None:
    async def scenario() -> None:
        log = LogFolder(tmp_path).open("task")
        log.write(b"early")
        assert os.stat(log.path).st_size == 0
        async with asyncio.timeout(60):
            while os.stat(log.path).st_size != 5:  # noqa: ASYNC110 - a file can only be looked at
                await asyncio.sleep(0.01)
        log.close()

    asyncio.run(scenario())


def test_a_flood_is_written_before_it_fills_memory(tmp_path: Path) -> None:
    def act() -> int:
        log = LogFolder(tmp_path).open("task")
        log.write(b"x" * 300_000)
        size = os.stat(log.path).st_size
        log.close()
        return size

    assert on_loop(act) == 300_000


def test_a_log_above_its_cap_says_where_it_was_cut(tmp_path: Path) -> None:
    log = LogFolder(tmp_path, max_log_bytes=10).open("task")
    text = written(log, b"01234567", b"89abc", b"de")
    assert text.startswith(b"0123456789\n[voice_kernel: the log was cut here, at its cap of 10 bytes")
    assert text.endswith(b"bytes not kept so far: 5]\n")
    assert text.count(b"cut here") == 1
    assert log.cut_bytes == 5


def test_the_cut_is_marked_even_if_the_kernel_is_killed_before_the_end(tmp_path: Path) -> None:
    def act() -> bytes:
        log = LogFolder(tmp_path, max_log_bytes=10).open("task")
        log.write(b"0123456789abc")
        log.flush()
        return Path(log.path).read_bytes()

    assert b"cut here" in on_loop(act)


def test_a_log_that_ends_exactly_at_its_cap_is_not_cut(tmp_path: Path) -> None:
    log = LogFolder(tmp_path, max_log_bytes=10).open("task")
    assert written(log, b"0123456789") == b"0123456789"


def test_closing_twice_does_nothing(tmp_path: Path) -> None:
    log = LogFolder(tmp_path).open("task")
    log.close()
    log.close()


def test_logs_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    folder = LogFolder(tmp_path)
    first, second = folder.open("task"), folder.open("task")
    assert first.path != second.path
    first.close()
    second.close()


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "logs").open("../../etc/passwd")
    assert Path(log.path).parent == tmp_path / "logs"
    log.close()


def finished(folder: Path, name: str, size: int, age: int) -> Path:
    path = folder / f"{name}.log"
    path.write_bytes(b"x" * size)
    os.utime(path, (1_000_000 - age, 1_000_000 - age))
    return path


def test_the_oldest_logs_go_when_the_folder_is_above_its_size(tmp_path: Path) -> None:
    old, middle, new = (finished(tmp_path, n, 100, age) for n, age in (("a", 3), ("b", 2), ("c", 1)))
    LogFolder(tmp_path, max_bytes=250).open("task").close()
    assert not old.exists()
    assert middle.exists()
    assert new.exists()


def test_the_oldest_logs_go_when_there_are_too_many(tmp_path: Path) -> None:
    old, new = finished(tmp_path, "a", 1, 3), finished(tmp_path, "b", 1, 2)
    log = LogFolder(tmp_path, max_logs=2).open("task")
    assert (old.exists(), new.exists()) == (False, True)
    log.close()


def test_limits_are_kept_by_a_folder_that_is_used_for_long(tmp_path: Path) -> None:
    folder = LogFolder(tmp_path, max_logs=10, max_bytes=10_000)
    for _ in range(60):
        written(folder.open("task"), b"x" * 100)
    assert len(list(tmp_path.iterdir())) <= 10 + 20
    for _ in range(30):
        written(folder.open("task"), b"x" * 2_000)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000 + 2 * 2_000


def test_a_log_that_is_being_written_is_never_removed(tmp_path: Path) -> None:
    folder = LogFolder(tmp_path, max_logs=1)
    first = folder.open("first")
    second = folder.open("second")
    assert Path(first.path).exists()
    first.close()
    second.close()


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    LogFolder(tmp_path, max_logs=1, max_bytes=0).open("task").close()
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_that_cannot_be_written_is_told_once_and_work_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told: list[str] = []
    folder = LogFolder(tmp_path / "file" / "logs", on_problem=told.append)
    for name in ("one", "two"):
        log = folder.open(name)
        log.write(b"12345")
        log.close()
        assert (log.path, log.cut_bytes) == ("", 5)
        assert "Not a directory" in log.problem
    assert told == [folder.problem]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a full device")
def test_a_full_disk_ends_the_log_and_not_the_work(tmp_path: Path) -> None:
    told: list[str] = []
    folder = LogFolder(tmp_path, on_problem=told.append)

    def act() -> Log:
        log = folder.open("task")
        os.dup2(os.open("/dev/full", os.O_WRONLY), log._file.fileno())  # type: ignore[union-attr]
        log.write(b"x" * 300_000)
        log.write(b"more")
        log.close()
        return log

    log = on_loop(act)
    assert log.cut_bytes == 300_004
    assert told == ["The log of a task could not be written to the end: No space left on device."]


@pytest.mark.parametrize("size", range(1, 12))
def test_a_secret_is_hidden_wherever_the_pieces_are_split(size: int) -> None:
    data = b"key=sk-abcdef end, sk-abcdefgh and sk-abc sk-abcde"
    redactor = Redactor(["sk-abcdef", "sk-abcdefgh"])
    pieces = [redactor.feed(data[i : i + size]) for i in range(0, len(data), size)]
    assert b"".join([*pieces, redactor.close()]) == b"key=[secret] end, [secret] and sk-abc sk-abcde"


def test_a_secret_of_repeated_characters_is_hidden_whole() -> None:
    redactor = Redactor(["aaaaaa"])
    shown = b"".join([*(redactor.feed(b"a") for _ in range(13)), redactor.close()])
    assert shown == b"[secret][secret]a"


def test_values_too_short_to_be_secret_are_left() -> None:
    assert Redactor(["a", ""]).feed(b"banana") == b"banana"


def test_a_log_holds_no_secret(tmp_path: Path) -> None:
    log = LogFolder(tmp_path, secrets=["sk-abcdef"]).open("task")
    assert written(log, b"x sk-abc", b"def y sk-", b"abc") == b"x [secret] y sk-abc"
