"""The user's functions in processes of their own: as tasks like any other, and ended at any moment."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from workbench import Workbench

from voice_kernel.errors import InvalidTool
from voice_kernel.messages import Notice
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.shelf import Shelf
from voice_kernel.usertools.toolcontext import ToolContext


class NoDoor:
    """A main thread that nothing here needs."""

    async def run(self, code: str, **_options: object) -> None:
        raise AssertionError("it was asked for the main thread")


class Own(Workbench):
    """A workbench with the user's functions on it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, folder / "logs")
        self.shelf = Shelf()
        self.notices: list[Notice] = []
        self.adoption = Adoption(self.shelf, self.registry, NoDoor(), self.notices.append)  # type: ignore[arg-type]

    def tool(self, function: object) -> None:
        self.shelf.put(define(function, thread="process"))  # type: ignore[arg-type]
        self.adoption.update()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Own:
    monkeypatch.chdir(tmp_path)
    return Own(tmp_path)


def test_its_arguments_prints_progress_and_result_are_the_tasks(own: Own) -> None:
    def train(ctx: ToolContext, /, name: str, epochs: int = 2) -> dict[str, object]:
        for epoch in range(epochs):
            ctx.progress(done=epoch + 1, total=epochs, unit="epochs")
            time.sleep(0.15)
        print("printed")
        ctx.output("told")
        ctx.log.warning("logged")
        return {"name": name, "epochs": epochs, "pid": os.getpid()}

    own.tool(train)
    task = own.call("train", name="small", epochs="3")
    assert task.state == "succeeded", task.problem
    assert task.result is not None
    assert task.result.data["name"] == "small"
    assert task.result.data["epochs"] == 3
    assert task.result.data["pid"] != os.getpid()
    assert task.tail.startswith("printed\ntold\n")
    assert task.tail.endswith("WARNING logged\n")
    last = own.progress[-1]
    assert (last.done, last.total, last.unit) == (3, 3, "epochs")


def test_a_coroutine_function_runs_there_too(own: Own) -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "fetched"

    own.tool(fetch)
    task = own.call("fetch")
    assert task.result is not None
    assert task.result.summary == "fetched"


def test_what_it_raises_is_a_failure_with_its_own_frames_only(own: Own) -> None:
    def inner() -> None:
        raise LookupError("no such column")

    def study() -> None:
        inner()

    own.tool(study)
    task = own.call("study")
    assert task.state == "failed"
    assert task.problem is not None
    assert (task.problem.kind, task.problem.message) == ("LookupError", "LookupError: no such column")
    assert task.result is not None
    shown = task.result.outputs[0].text
    assert "in study" in shown
    assert "in inner" in shown
    assert "voice_kernel" not in shown.replace(str(Path(__file__)), "")


def test_one_that_is_deaf_is_ended_at_once_all_the_same(own: Own) -> None:
    def deaf() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        Path(f"pid-{os.getpid()}").touch()
        sum(range(10**15))  # for weeks, in one step of the interpreter: a thread could not be ended in it

    def pids() -> list[int]:
        return [int(path.name.removeprefix("pid-")) for path in own.folder.glob("pid-*")]

    own.tool(deaf)
    task = asyncio.run(own.call_and_cancel(lambda: bool(pids()), "deaf"))
    assert task.state == "cancelled"
    assert task.problem is not None
    assert task.problem.message == "Cancelled."
    [pid] = pids()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_one_that_ends_its_process_is_said(own: Own) -> None:
    def crash() -> None:
        os._exit(9)

    own.tool(crash)
    task = own.call("crash")
    assert task.problem is not None
    assert task.problem.message == "The function ended its process with exit status 9."


def test_what_cannot_be_sent_is_said_with_what_to_do(own: Own) -> None:
    gate = asyncio.get_event_loop_policy().new_event_loop()

    def study() -> str:
        return str(gate)

    own.tool(study)
    task = own.call("study")
    gate.close()
    assert task.problem is not None
    assert "cannot be sent to another process" in task.problem.message
    assert "picklable" in task.problem.hint


def test_a_wrong_thread_names_those_there_are() -> None:
    with pytest.raises(InvalidTool, match='"worker", "main" or "process"'):
        define(lambda: None, name="odd", thread="elsewhere")  # type: ignore[arg-type]
