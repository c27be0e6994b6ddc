"""The user's functions as tasks: output, progress, results, failures, and how they are ended."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.errors import KernelError, Refused, UnknownTool
from voice_kernel.kernel import CodeResult
from voice_kernel.messages import Notice, Output, Task
from voice_kernel.usertools import calling, worker
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.shelf import Shelf
from voice_kernel.usertools.toolcontext import ToolCancelled, ToolContext


class Door:
    """A main thread that is this one: runs the code that asks for a call, and shows its value as text."""

    def __init__(self) -> None:
        self.closed = False

    async def run(
        self, code: str, *, show: bool | str = True, on_output: Callable[[Output], None] | None = None
    ) -> CodeResult:
        if self.closed:
            raise KernelError("The assistant is shutting down.")
        namespace: dict[str, Any] = {}
        try:
            if code.startswith("await "):
                value = await eval(code.removeprefix("await "), namespace)
            else:
                value = eval(code, namespace)
        except Exception as error:  # noqa: BLE001 - as the real one
            lines = error._render_traceback_()  # type: ignore[attr-defined]  # what our calls raise has it
            return CodeResult(False, (Output(kind="error", text="\n".join(lines)),))
        if value is None:
            return CodeResult(True)
        output = Output(kind="result", data={"text/plain": repr(value)})
        if on_output is not None:
            on_output(output)
        return CodeResult(True, (output,))


@pytest.fixture
def door() -> Door:
    return Door()


class Own(Workbench):
    """A workbench with the user's functions on it."""

    def __init__(self, folder: Path, door: Door) -> None:
        super().__init__(folder, folder / "logs")
        self.shelf = Shelf()
        self.notices: list[Notice] = []
        self.adoption = Adoption(self.shelf, self.registry, door, self.notices.append)

    def tool(self, function: Callable[..., Any], **options: Any) -> None:
        self.shelf.put(define(function, **options))
        self.notices += self.adoption.update()


@pytest.fixture
def own(tmp_path: Path, door: Door) -> Own:
    return Own(tmp_path, door)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a function waits for that nothing can end; opened when the test is over."""
    gate = threading.Event()
    yield gate
    gate.set()
    for thread in [thread for thread in threading.enumerate() if thread.name == "voice-kernel-block"]:
        thread.join(LIMIT_S)


# ---- what comes of a call -------------------------------------------------------------------------


def test_a_function_runs_in_a_thread_and_its_prints_and_progress_are_the_tasks(own: Own) -> None:
    seen: list[str] = []

    def train(epochs: int, ctx: ToolContext) -> dict[str, float]:
        seen.append(threading.current_thread().name)
        for epoch in range(epochs):
            ctx.progress(done=epoch + 1, total=epochs, unit="epochs")
        print("printed")
        print("to stderr", file=sys.stderr)
        ctx.output("told")
        ctx.log.warning("logged %d", 7)
        return {"accuracy": 0.93}

    own.tool(train)
    task = own.call("train", epochs="3")
    assert task.state == "succeeded"
    assert task.result is not None
    assert (task.result.summary, task.result.data) == ("accuracy 0.93", {"accuracy": 0.93})
    assert seen == ["voice-kernel-train"]
    assert task.tail.startswith("printed\nto stderr\ntold\n")
    assert task.tail.endswith("WARNING logged 7\n")
    told = [event.task.progress for event in own.events if event.type == "task" and event.task.progress]
    assert told == [] or told[-1].unit == "epochs"


def test_progress_reaches_the_surfaces_while_it_runs(own: Own, gate: threading.Event) -> None:
    def load(ctx: ToolContext) -> None:
        ctx.progress(0.4, "loading")
        gate.wait(LIMIT_S)

    own.tool(load)

    def there() -> bool:
        return any(progress.fraction == 0.4 and progress.label == "loading" for progress in own.progress)

    async def until_told() -> Task:
        running = asyncio.ensure_future(own.start("load"))
        async with asyncio.timeout(LIMIT_S):
            while not there():  # noqa: ASYNC110 - a thread tells it
                await asyncio.sleep(0.01)
        gate.set()
        return await running

    assert asyncio.run(until_told()).state == "succeeded"


def test_progress_bars_that_are_printed_are_read_until_the_function_tells_its_own(own: Own) -> None:
    def until(told: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + LIMIT_S
        while not told():
            assert time.monotonic() < give_up_at
            time.sleep(0.005)

    def download(ctx: ToolContext) -> None:
        for percent in (10, 50):
            print(
                f"\r {percent}%|####      | {percent}/100 [00:01<00:01, 50.00it/s]", end="", file=sys.stderr
            )
            until(lambda: percent / 100 in [progress.fraction for progress in own.progress])  # noqa: B023
        ctx.progress(0.9)
        print("\r 95%|######### | 95/100 [00:01<00:01, 50.00it/s]", end="", file=sys.stderr)
        until(lambda: "95/100" in own.output)

    own.tool(download)
    assert own.call("download").state == "succeeded"
    fractions = [progress.fraction for progress in own.progress]
    assert fractions == [0.1, 0.5, 0.9]


def test_a_coroutine_runs_on_the_loop_with_its_own_prints(own: Own) -> None:
    async def wait(ctx: ToolContext) -> str:
        print("on", threading.current_thread() is threading.main_thread())
        ctx.progress(0.5)
        await asyncio.sleep(0)
        await asyncio.to_thread(print, "and beside it")
        return "waited"

    own.tool(wait)
    task = own.call("wait")
    assert (task.state, task.tail) == ("succeeded", "on True\nand beside it\n")


def test_a_coroutine_that_blocks_the_loop_is_told_so(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "STEP_LIMIT_S", 0.01)

    async def block() -> None:
        await asyncio.sleep(0)
        time.sleep(0.02)  # noqa: ASYNC251  to block the loop is what is tested

    own.tool(block)
    task = own.call("block")
    assert task.state == "succeeded"
    assert "kept the assistant from doing anything else" in task.tail


def test_what_words_cannot_tell_is_shown_on_the_main_thread(own: Own, door: Door) -> None:
    class Table:
        def __repr__(self) -> str:
            return f"drawn on {threading.current_thread() is threading.main_thread()}"

    def table() -> Table:
        return Table()

    own.tool(table)
    result = own.call("table").result
    assert result is not None
    assert (result.summary, result.text) == ("A Table.", "drawn on True")
    assert [output.kind for output in result.outputs] == ["result"]
    door.closed = True
    result = own.call("table").result
    assert result is not None
    assert (result.summary, result.outputs) == ("A Table.", [])


def test_a_busy_main_thread_does_not_keep_a_result_for_ever(
    own: Own, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(code: str, **options: Any) -> CodeResult:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(door, "run", never)
    monkeypatch.setattr(calling, "SHOW_LIMIT_S", 0.01)

    def table() -> object:
        return object()

    own.tool(table)
    task = own.call("table")
    assert task.state == "succeeded"
    assert task.result is not None
    assert task.result.summary == "An object."


@pytest.mark.parametrize("awaits", [False, True])
def test_on_the_main_thread_it_runs_through_the_kernels_door(own: Own, awaits: bool) -> None:
    def here(rows: int = 1) -> str:
        return "main" if threading.current_thread() is threading.main_thread() else "other"

    async def here_too(rows: int = 1) -> str:
        await asyncio.sleep(0)
        return here()

    own.tool(here_too if awaits else here, name="here", thread="main")
    result = own.call("here", rows=2).result
    assert result is not None
    assert result.summary == "main"
    assert result.code == f"{'here_too' if awaits else 'here'}(rows=2)"


# ---- failures -------------------------------------------------------------------------------------


def explode() -> None:
    raise ValueError("no such column: price")


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_what_a_function_raises_is_a_failed_task_with_its_own_traceback(own: Own, thread: str) -> None:
    own.tool(explode, thread=thread)
    task = own.call("explode")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "ValueError"
    assert task.problem.message == "ValueError: no such column: price"
    assert task.result is not None
    (output,) = task.result.outputs
    assert output.kind == "error"
    assert "in explode" in output.text
    assert "voice_kernel/" not in output.text.replace("\\", "/")


def test_a_coroutine_that_raises_is_a_failed_task_too(own: Own) -> None:
    async def lose() -> None:
        raise KeyError("x")

    own.tool(lose)
    task = own.call("lose")
    assert task.problem is not None
    assert task.problem.message == "KeyError: 'x'"


def test_our_own_errors_keep_their_hint(own: Own) -> None:
    def refuse() -> None:
        raise Refused("Not today.", hint="Tomorrow.")

    own.tool(refuse)
    problem = own.call("refuse").problem
    assert problem is not None
    assert (problem.kind, problem.message, problem.hint) == ("Refused", "Not today.", "Tomorrow.")


def test_an_exception_that_cannot_say_what_it_is_still_ends_the_task(own: Own) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fail() -> None:
        raise Mute

    own.tool(fail)
    task = own.call("fail")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.message == "Mute"


@pytest.mark.parametrize("awaits", [False, True])
def test_exit_ends_the_task_and_nothing_else(own: Own, awaits: bool) -> None:
    def leave() -> None:
        sys.exit(3)

    async def leave_too() -> None:
        sys.exit(3)

    own.tool(leave_too if awaits else leave, name="leave")
    task = own.call("leave")
    assert (task.state, task.problem and task.problem.kind) == ("failed", "SystemExit")


# ---- being cancelled ------------------------------------------------------------------------------


def running(own: Own) -> bool:
    return "ready" in own.output


def test_a_loop_that_never_asks_is_ended_at_its_next_step(own: Own) -> None:
    ended = threading.Event()

    def spin() -> None:
        print("ready")
        try:
            while True:
                sum(range(100))
        finally:
            ended.set()

    own.tool(spin)
    task = asyncio.run(own.call_and_cancel(lambda: running(own), "spin"))
    assert (task.state, task.problem and task.problem.message) == ("cancelled", "Cancelled.")
    assert ended.wait(LIMIT_S)


def test_a_function_that_asks_ends_by_itself_and_tidies_up(own: Own) -> None:
    noticed: list[str] = []

    def work(ctx: ToolContext) -> None:
        print("ready")
        try:
            while True:
                ctx.progress(0.5)
                time.sleep(0.001)
        except ToolCancelled:
            noticed.append("progress")
            raise
        finally:
            noticed.append(f"tidied, {ctx.cancelled}")

    own.tool(work)
    assert asyncio.run(own.call_and_cancel(lambda: running(own), "work")).state == "cancelled"
    assert noticed == ["progress", "tidied, True"]


def test_a_wait_of_the_context_ends_at_once(own: Own) -> None:
    def nap(ctx: ToolContext) -> None:
        print("ready")
        ctx.sleep(3600)

    own.tool(nap)
    # Which would not wait for it as long as nothing else is done about it.
    assert LIMIT_S < calling.COOPERATIVE_S
    assert asyncio.run(own.call_and_cancel(lambda: running(own), "nap")).state == "cancelled"


def test_an_except_that_takes_every_exception_does_not_hold_it(own: Own) -> None:
    def stubborn() -> None:
        print("ready")
        while True:
            try:
                sum(range(100))
            except Exception:  # noqa: BLE001 - as people write it
                print("never")

    own.tool(stubborn)
    assert asyncio.run(own.call_and_cancel(lambda: running(own), "stubborn")).state == "cancelled"


def test_what_cannot_be_ended_is_left_and_said(
    own: Own, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "REACHED_S", 0.05)

    def block() -> None:
        print("ready")
        gate.wait()  # in C: no exception of ours gets in

    own.tool(block)
    task = asyncio.run(own.call_and_cancel(lambda: running(own), "block"))
    assert task.state == "cancelled"
    assert task.problem is not None
    assert task.problem.message == "Cancelled, but it could not be stopped: it still runs in its thread."
    assert "Restarting the kernel" in task.problem.hint


def test_one_that_was_left_and_ends_after_its_loop_is_no_longer_counted(
    own: Own, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "REACHED_S", 0.05)
    threads: list[threading.Thread] = []
    before = sys.stdout

    def block() -> None:
        threads.append(threading.current_thread())
        print("ready")
        gate.wait()

    own.tool(block)
    asyncio.run(own.call_and_cancel(lambda: running(own), "block"))
    assert len(worker._left) == 1
    assert sys.stdout is not before
    gate.set()
    threads[0].join(LIMIT_S)
    assert not worker._left
    assert sys.stdout is before


def test_after_too_many_threads_that_cannot_be_ended_no_more_are_started(
    own: Own, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "REACHED_S", 0.05)
    monkeypatch.setattr(worker, "MAX_LEFT", len(worker._left) + 1)

    def block() -> None:
        print("ready")
        gate.wait()

    own.tool(block)

    async def twice() -> Task:
        await own.call_and_cancel(lambda: running(own), "block")
        return await own.start("block")

    task = asyncio.run(twice())
    assert task.state == "failed"
    assert task.problem is not None
    assert "could not be ended and still run" in task.problem.message


def test_a_coroutine_is_cancelled_where_it_awaits(own: Own) -> None:
    noticed: list[str] = []

    async def wait(ctx: ToolContext) -> None:
        print("ready")
        try:
            await asyncio.sleep(600)
        finally:
            noticed.append(f"tidied, {ctx.cancelled}")

    own.tool(wait)
    assert asyncio.run(own.call_and_cancel(lambda: running(own), "wait")).state == "cancelled"
    assert noticed == ["tidied, True"]


def test_a_flood_of_prints_waits_for_the_loop_and_loses_nothing(own: Own) -> None:
    def flood() -> None:
        for number in range(200_000):
            print(number)

    own.tool(flood)
    task = own.call("flood")
    assert task.output_bytes == sum(len(f"{number}\n") for number in range(200_000))
    assert task.tail.endswith("199999\n")
    with open(task.log_path) as log:
        assert sum(1 for _ in log) == 200_000


def test_threads_beyond_the_limit_wait(own: Own, gate: threading.Event) -> None:
    own.adoption._caller._threads = asyncio.Semaphore(2)

    def block() -> None:
        gate.wait(LIMIT_S)

    own.tool(block)

    def threads() -> int:
        return sum(thread.name == "voice-kernel-block" for thread in threading.enumerate())

    async def many() -> list[Task]:
        calls = [asyncio.ensure_future(own.start("block")) for _ in range(8)]
        for _ in range(100):  # each would have its thread by now
            await asyncio.sleep(0)
        assert threads() == 2
        gate.set()
        return await asyncio.gather(*calls)

    assert {task.state for task in asyncio.run(many())} == {"succeeded"}


# ---- in one session -------------------------------------------------------------------------------


def test_a_tool_is_replaced_and_forgotten_as_the_shelf_is(own: Own) -> None:
    def first() -> str:
        return "first"

    def second() -> str:
        return "second"

    own.tool(first, name="it")
    own.tool(second, name="it")
    result = own.call("it").result
    assert result is not None
    assert result.summary == "second"
    own.shelf.clear()
    own.adoption.update()
    with pytest.raises(UnknownTool) as caught:
        own.registry.get("it")
    assert "run the cell that defines it" in caught.value.hint


def test_a_tool_of_ours_is_never_replaced(own: Own) -> None:
    def mine() -> str:
        return "mine"

    own.tool(mine, name="ours")
    own.registry.add(own.registry.specs.pop("ours"))  # as if it had been there from the beginning
    own.adoption._adopted.clear()
    own.tool(mine, name="ours")
    assert [notice.message for notice in own.notices] == [
        "Your tool ours is left out: there is a tool of that name already."
    ]


def test_a_card_says_what_the_tool_does(own: Own) -> None:
    def buy(item: str, count: int = 1) -> None:
        """Buy something."""

    own.tool(buy)
    spec = own.registry.get("buy")
    assert spec.target(spec.validate({"item": "tea"})) == "Buy something."
    assert spec.area == "own"


def test_models_get_the_arguments_as_a_schema(own: Own) -> None:
    from voice_kernel.agent.tools import _schema

    def fit(source: Path, columns: list[str], epochs: int = 3) -> None:
        """Fit the model.

        Args:
            source: where the data is.
        """

    own.tool(fit)
    schema, strict = _schema(own.registry.get("fit"), True)
    assert strict
    assert schema["required"] == ["source", "columns", "epochs"]
    assert schema["properties"]["source"]["description"] == "where the data is."
