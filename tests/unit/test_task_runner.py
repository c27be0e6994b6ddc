"""Tasks: every one ends in a state with its reason, and a flood of output stays a trickle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from voice_kernel import events
from voice_kernel.errors import Refused
from voice_kernel.events import MAX_TAIL_CHARS, Hub
from voice_kernel.messages import (
    About,
    Output,
    Problem,
    Result,
    Task,
    TaskChanged,
    TaskOutput,
    TaskState,
    ToSurface,
)
from voice_kernel.task import runner as runner_module
from voice_kernel.task.runner import Runner, TaskFailed, TaskHandle
from voice_kernel.task.state import ENDED, MOVES, check_move

Work = Callable[[TaskHandle], Awaitable[Result]]


class KeptLog:
    """A log in memory."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.cut_bytes = 0
        self.data = b""
        self.closed = 0

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.data += data

    def close(self) -> None:
        self.closed += 1


class Told(Hub):
    """A hub that also keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(About(version="test"))
        self.messages: list[ToSurface] = []

    def publish(self, message: ToSurface) -> None:
        self.messages.append(message)
        super().publish(message)

    @property
    def states(self) -> list[TaskState]:
        return [message.task.state for message in self.messages if isinstance(message, TaskChanged)]

    @property
    def outputs(self) -> list[TaskOutput]:
        return [message for message in self.messages if isinstance(message, TaskOutput)]


class Desk:
    """A runner, what it told and the logs it wrote."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self.hub = Told()
        self.logs: list[KeptLog] = []
        self.runner = Runner(self.hub, self._open, secrets)

    def _open(self, task_id: int) -> KeptLog:
        self.logs.append(KeptLog(f"log-{task_id}"))
        return self.logs[-1]

    def create(self) -> TaskHandle:
        return self.runner.create(turn_id=1, tool="t", arguments={}, title="t", origin="text")

    async def run(self, work: Work) -> Task:
        async with asyncio.timeout(30):
            return await self.runner.run(self.create(), work)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# ---- ends ---------------------------------------------------------------------------------------------


async def test_work_that_returns_succeeded_with_its_result(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.move("running")
        return Result(summary="Done.")

    task = await desk.run(work)
    assert (task.state, task.result, task.problem) == ("succeeded", Result(summary="Done."), None)
    assert task.started_at is not None
    assert task.ended_at is not None
    assert desk.hub.states == ["queued", "running", "succeeded"]
    assert desk.hub.tasks[task.id] == task


async def test_work_that_never_says_it_runs_ends_all_the_same(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        return Result()

    assert (await desk.run(work)).state == "succeeded"


async def test_a_failure_keeps_its_problem_and_what_it_has_to_show(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.move("running")
        raise TaskFailed(Problem(kind="NonZeroExit", message="It exited with 2."), Result(exit_code=2))

    task = await desk.run(work)
    assert (task.state, task.result) == ("failed", Result(exit_code=2))
    assert task.problem is not None
    assert task.problem.kind == "NonZeroExit"


async def test_an_error_for_a_person_keeps_its_words(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        raise Refused("You said no.", hint="Ask again.", retryable=True)

    task = await desk.run(work)
    assert task.problem == Problem(kind="Refused", message="You said no.", hint="Ask again.", retryable=True)


async def test_a_working_folder_that_has_gone_is_no_bug_of_ours(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(task: TaskHandle) -> Result:
        Path.cwd()
        return Result()

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    task = await desk.run(work)
    assert task.problem is not None
    assert "working folder" in task.problem.message


async def test_a_bug_ends_the_task_and_its_log_line_quotes_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(task: TaskHandle) -> Result:
        raise KeyError("the user's password")

    with caplog.at_level(logging.DEBUG):
        task = await desk.run(work)
    assert task.state == "failed"
    assert task.problem is not None
    assert "KeyError" in task.problem.message
    assert "test_task_runner.py" in caplog.text
    assert "password" not in caplog.text + task.problem.message


# ---- cancelling ---------------------------------------------------------------------------------------


async def test_a_cancelled_task_stops_its_work_and_says_so(desk: Desk) -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    assert desk.runner.cancel(1)
    task = await running
    assert stopped.is_set()
    assert task.state == "cancelled"
    assert task.problem == Problem(kind="Cancelled", message="Cancelled.")
    assert not desk.runner.cancel(1)


async def test_a_task_cancelled_before_it_runs_never_runs(desk: Desk) -> None:
    ran = asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        ran.set()
        return Result()

    handle = desk.create()
    assert desk.runner.cancel(handle.id)
    task = await desk.runner.run(handle, work)
    assert task.state == "cancelled"
    assert not ran.is_set()


async def test_cancelling_the_caller_waits_for_the_work_and_is_passed_on(desk: Desk) -> None:
    started, cleaned = asyncio.Event(), asyncio.Event()
    release = asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()
            cleaned.set()
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    running.cancel()
    await asyncio.sleep(0)
    assert not running.done()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cleaned.is_set()
    task = desk.runner.task(1)
    assert task is not None
    assert task.state == "cancelled"


async def test_a_caller_cancelled_twice_leaves_a_task_that_still_ends(desk: Desk) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await release.wait()
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [task.state for task in desk.runner.open_tasks()] == ["running"]
    _state, subscription = desk.hub.subscribe()
    release.set()
    async with asyncio.timeout(5):
        await subscription.changes()
    task = desk.hub.tasks[1]
    assert task.state == "cancelled"
    assert task.problem is not None
    assert desk.runner.open_tasks() == []


async def test_work_that_turns_cancellation_into_a_result_keeps_it(desk: Desk) -> None:
    """A shell command that was stopped still has output to show."""
    started = asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TaskFailed(Problem(kind="Stopped", message="Stopped."), Result(exit_code=-15)) from None
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    desk.runner.cancel(1)
    task = await running
    assert (task.state, task.result) == ("failed", Result(exit_code=-15))


# ---- output -------------------------------------------------------------------------------------------


async def test_output_goes_whole_to_the_log_and_its_tail_to_the_surfaces(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.move("running")
        task.output("héllo ".encode()[:2])  # a character cut in two between reads
        task.output("héllo ".encode()[2:])
        task.output("world\n")
        return Result()

    task = await desk.run(work)
    assert task.tail == "héllo world\n"
    assert task.output_bytes == 13
    assert desk.logs[0].data == "héllo world\n".encode()
    assert (desk.logs[0].closed, task.log_path) == (1, "log-1")


async def test_bytes_that_are_no_text_do_no_harm(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.output(b"\xff\xfe ok")
        task.output("name-\udce9")  # a file name that is not UTF-8
        return Result()

    task = await desk.run(work)
    assert task.model_dump_json()
    assert " ok" in task.tail


async def test_a_task_without_output_has_no_log(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.output("")
        return Result()

    assert (await desk.run(work)).log_path == ""
    assert desk.logs == []


async def test_a_flood_of_output_is_told_in_few_small_pieces(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The rhythm itself is the loop's clock; one beat is enough to count pieces.
    monkeypatch.setattr(runner_module, "FLUSH_S", 3600.0)
    line = "x" * 99 + "\n"

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        for beat in range(3):
            for _ in range(1_000):
                task.output(line)
            assert len(desk.hub.outputs) == beat  # nothing before the beat
            assert len(task._unsent) <= 2 * runner_module.MAX_UNSENT_BYTES
            task.flush()  # the beat
        return Result()

    task = await desk.run(work)
    assert len(desk.hub.outputs) == 3
    for number, piece in enumerate(desk.hub.outputs, 1):
        assert len(piece.text) <= MAX_TAIL_CHARS
        assert piece.skipped_bytes + len(piece.text) == 100_000
        assert piece.output_bytes == number * 100_000
    assert len(task.tail) <= MAX_TAIL_CHARS
    assert len(desk.logs[0].data) == 300_000


async def test_output_is_told_within_a_beat_and_not_before(desk: Desk) -> None:
    clock = asyncio.get_running_loop().time
    _state, subscription = desk.hub.subscribe()
    times: list[float] = []

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        await subscription.changes()
        for _ in range(3):
            began = clock()
            task.output("x")
            task.progress(0.5)
            await subscription.changes()
            times.append(clock() - began)
        return Result()

    await desk.run(work)
    assert all(runner_module.FLUSH_S * 0.9 <= waited < 2 for waited in times)


async def test_output_after_the_end_is_dropped(desk: Desk) -> None:
    handles: list[TaskHandle] = []

    async def work(task: TaskHandle) -> Result:
        handles.append(task)
        return Result()

    task = await desk.run(work)
    told = len(desk.hub.messages)
    handles[0].output("late")
    handles[0].progress(0.5)
    handles[0].flush()
    assert len(desk.hub.messages) == told
    assert desk.logs == []
    assert desk.runner.task(task.id) == task


async def test_progress_is_kept_in_bounds_and_gone_after_success(desk: Desk) -> None:
    seen: list[float | None] = []

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        for fraction in (-1.0, 0.5, 7.0, None):
            task.progress(fraction, "l" * 900)
            task.flush()
            assert task.task.progress is not None
            seen.append(task.task.progress.fraction)
            assert len(task.task.progress.label) <= 200
        return Result()

    task = await desk.run(work)
    assert seen == [0.0, 0.5, 1.0, None]
    assert task.progress is None


# ---- the record ---------------------------------------------------------------------------------------


async def test_numbers_start_at_one_and_are_never_used_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "MAX_TASKS", 3)

    async def work(task: TaskHandle) -> Result:
        return Result()

    numbers = [(await desk.run(work)).id for _ in range(6)]
    assert numbers == [1, 2, 3, 4, 5, 6]
    assert [task.id for task in desk.runner.tasks()] == [4, 5, 6]


async def test_a_task_that_runs_is_never_forgotten(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "MAX_TASKS", 3)
    desk.create()

    async def work(task: TaskHandle) -> Result:
        return Result()

    for _ in range(6):
        await desk.run(work)
    assert [task.id for task in desk.runner.open_tasks()] == [1]
    assert len(desk.runner.tasks()) == 3


async def test_outputs_of_old_tasks_are_let_go_but_not_what_a_retry_needs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_KEPT_CHARS", 250_000)
    arguments = {"code": "c" * 5_000}

    async def work(task: TaskHandle) -> Result:
        return Result(outputs=[Output(kind="display", data={"image/png": "A" * 100_000})])

    for _ in range(5):
        handle = desk.runner.create(turn_id=1, tool="t", arguments=arguments, title="t", origin="text")
        await desk.runner.run(handle, work)
    tasks = desk.runner.tasks()
    assert [bool(task.result and task.result.outputs) for task in tasks] == [False, False, False, True, True]
    assert all(task.arguments == arguments for task in tasks)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nothing_leads_out_of_an_end(state: TaskState) -> None:
    for then in MOVES:
        with pytest.raises(ValueError, match="cannot go"):
            check_move(state, then)


async def test_no_card_log_or_result_carries_a_secret_whatever_prints_it() -> None:
    desk = Desk(secrets=('sk-"quoted"-secret',))

    async def work(task: TaskHandle) -> Result:
        task.output('OPENAI_API_KEY=sk-"quo')
        task.output('ted"-secret\nplain')
        shown = Output(kind="stream", text='it is sk-"quoted"-secret.')
        return Result(text='sk-"quoted"-secret', outputs=[shown], data={"k": ['sk-"quoted"-secret']})

    ended = await desk.run(work)
    assert ended.tail == "OPENAI_API_KEY=[secret]\nplain"
    assert desk.logs[0].data == ended.tail.encode()
    assert ended.result is not None
    assert ended.result.outputs[0].text == "it is [secret]."
    assert "quoted" not in "".join(message.model_dump_json() for message in desk.hub.messages)
