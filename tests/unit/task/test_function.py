"""A function runs in a process of its own, and what becomes of it comes back. Real processes throughout."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from voice_kernel import language
from voice_kernel.errors import ExecutorError
from voice_kernel.messages import Progress
from voice_kernel.task import function as function_module
from voice_kernel.task import process
from voice_kernel.task.executor import LOCAL, environment
from voice_kernel.task.function import FunctionEnded, FunctionRaised, Reporter, run_function

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(120):
            return await coroutine

    return asyncio.run(bounded())


def test_arguments_go_and_a_value_comes_back() -> None:
    def add(a: int, b: int = 0) -> dict[str, int]:
        return {"sum": a + b, "pid": os.getpid()}

    value = run(run_function(LOCAL, add, [2], {"b": 3}))
    assert value["sum"] == 5
    assert value["pid"] != os.getpid()


def test_a_coroutine_function_is_run_to_its_end() -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return "done"

    assert run(run_function(LOCAL, later)) == "done"


def test_what_it_prints_and_how_far_it_is_comes_as_it_goes() -> None:
    def work(report: Reporter) -> None:
        print("half", flush=True)
        report.progress(0.5, "loading")
        report.write("more\n")
        report.progress(1.0, done=4, total=4, unit="files")

    output, told = bytearray(), list[Progress]()
    run(run_function(LOCAL, work, [Reporter()], on_output=output.extend, on_progress=told.append))
    assert output == b"half\nmore\n"
    assert told == [
        Progress(fraction=0.5, label="loading"),
        Progress(fraction=1.0, done=4, total=4, unit="files"),
    ]


def test_progress_told_in_every_step_stays_a_trickle() -> None:
    def work(report: Reporter) -> None:
        for step in range(200_000):
            report.progress(step / 200_000)
        report.progress(1.0)

    told: list[Progress] = []
    run(run_function(LOCAL, work, [Reporter()], on_progress=told.append))
    assert told[-1].fraction == 1.0
    assert len(told) < 20_000  # by the clock: how many depends on the machine


def test_an_exception_comes_back_with_its_traceback() -> None:
    class OwnError(Exception):
        pass

    def work() -> None:
        raise OwnError("no such column")

    with pytest.raises(FunctionRaised) as caught:
        run(run_function(LOCAL, work))
    assert (caught.value.kind, caught.value.message) == ("OwnError", "no such column")
    assert "in work" in caught.value.traceback
    assert "function.py" not in caught.value.traceback.splitlines()[1].replace("test_function.py", "")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os._exit(3), "ended its process with exit status 3"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "ended by SIGSEGV"),
        (lambda: exit(4), "ended its process with exit status 4"),
    ],
)
def test_a_process_that_ends_without_a_result_is_said(end: Any, said: str) -> None:
    with pytest.raises(FunctionEnded, match=said):
        run(run_function(LOCAL, end))


def test_a_time_limit_ends_it() -> None:
    with pytest.raises(FunctionEnded, match="time limit") as caught:
        run(run_function(LOCAL, time.sleep, [600], timeout_s=0.5))
    assert caught.value.exit.timed_out


def test_cancelling_lets_it_tidy_up_and_ends_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "run", functools.partial(process.run, grace_s=60.0))

    def work() -> None:
        import subprocess

        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        try:
            Path(f"child-{child.pid}").touch()
            time.sleep(600)
        finally:
            Path("tidied").touch()

    def children() -> list[int]:
        return [int(path.name.removeprefix("child-")) for path in tmp_path.glob("child-*")]

    async def scenario() -> None:
        task = asyncio.ensure_future(run_function(LOCAL, work, cwd=tmp_path))
        while not children():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())
    assert (tmp_path / "tidied").exists()
    [child] = children()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_modules_of_the_working_folder_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "pipeline.py").write_text("def size(): return 7\n")

    def work() -> int:
        import pipeline  # type: ignore[import-not-found]

        return int(pipeline.size())

    assert run(run_function(LOCAL, work, cwd=tmp_path)) == 7


def test_what_cannot_be_sent_is_said_with_what_to_do() -> None:
    import threading

    with pytest.raises(ExecutorError, match="cannot be sent to another process") as caught:
        run(run_function(LOCAL, print, [threading.Lock()]))
    assert "picklable" in caught.value.hint


def test_what_cannot_be_sent_back_is_said_with_what_to_do() -> None:
    def work() -> Any:
        import threading

        return threading.Lock()

    with pytest.raises(ExecutorError, match="cannot be sent back") as caught:
        run(run_function(LOCAL, work))
    assert "file" in caught.value.hint


def test_the_process_tells_in_the_sessions_language_what_cannot_be_sent_back() -> None:
    def lock() -> Any:
        import threading

        return threading.Lock()

    def arguments() -> list[str]:
        import sys

        return sys.argv[1:]

    language.use("de")
    try:
        assert run(run_function(LOCAL, arguments)) == []
        with pytest.raises(ExecutorError, match="lässt sich nicht zurücksenden") as caught:
            run(run_function(LOCAL, lock))
    finally:
        language.use("en")
    assert "Datei" in caught.value.hint


def test_a_result_that_is_too_large_is_said_with_what_to_do() -> None:
    with pytest.raises(ExecutorError, match=r"too large to be sent back: 20 MB, and not 16\.") as caught:
        run(run_function(LOCAL, bytes, [20 * 1024**2]))
    assert "return the path" in caught.value.hint


def test_a_large_result_comes_whole() -> None:
    assert run(run_function(LOCAL, bytes, [10 * 1024**2])) == bytes(10 * 1024**2)


def test_the_call_is_nobody_elses_to_read_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def modes() -> list[str]:
        return [f"{path.stat().st_mode & 0o777:o}" for path in tmp_path.iterdir()]

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert run(run_function(LOCAL, modes)) == ["600"]
    assert list(tmp_path.iterdir()) == []


def test_a_reporter_without_a_task_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().progress(0.5)
    Reporter().write("text\n")
    assert capsys.readouterr().out == "text\n"
    assert function_module._events_fd == -1


def test_lists_of_folders_go_in_front_of_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    variables = environment({"PATH": "/own/bin", "PYTHONPATH": "/own", "OTHER": "x"})
    assert (variables["PATH"], variables["PYTHONPATH"], variables["OTHER"]) == (
        "/own/bin:/usr/bin",
        "/own",
        "x",
    )
