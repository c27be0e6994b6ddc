"""Tasks: every one ends in a state with its reason, and a flood of output stays a trickle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from voice_kernel import events
from voice_kernel.errors import Refused
from voice_kernel.events import MAX_TAIL_CHARS, Hub
from voice_kernel.messages import (
    About,
    Output,
    Problem,
    Progress,
    Result,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
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


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up no work because the machine is slow."""
    monkeypatch.setattr(runner_module, "STOP_LIMIT_S", 3600.0)


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
    async with asyncio.timeout(30):
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


# ---- whatever happens ---------------------------------------------------------------------------------


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for deaf work only a moment."""
    monkeypatch.setattr(runner_module, "STOP_LIMIT_S", 0.02)


class Deaf:
    """Work that does not hear of its cancellation, until it is let go."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, task: TaskHandle) -> Result:
        task.move("running")
        task.output("begun\n")
        self.started.set()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                task.output("not now\n")
        self.over.set()
        task.output("late\n")
        return Result(summary="Late.")


@pytest.mark.usefixtures("impatient")
async def test_work_that_is_deaf_to_cancellation_is_left_to_itself(desk: Desk) -> None:
    deaf = Deaf()
    running = asyncio.create_task(desk.run(deaf))
    await deaf.started.wait()
    desk.runner.cancel(1)
    task = await running
    assert not deaf.over.is_set()
    assert (task.state, task.tail) == ("cancelled", "begun\nnot now\n")
    assert task.problem == Problem(
        kind="Cancelled",
        message="Cancelled, but it did not stop: it may still run.",
        hint="Restarting the kernel ends it for certain.",
    )
    told = len(desk.hub.messages)
    deaf.release.set()
    await deaf.over.wait()
    await asyncio.sleep(0)
    assert len(desk.hub.messages) == told
    assert desk.runner.task(1) == task
    assert desk.logs[0].closed == 1


@pytest.mark.usefixtures("impatient")
async def test_a_caller_does_not_wait_for_deaf_work_either(desk: Desk) -> None:
    deaf = Deaf()
    running = asyncio.create_task(desk.run(deaf))
    await deaf.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [task.state for task in desk.runner.tasks()] == ["cancelled"]
    deaf.release.set()
    await deaf.over.wait()


@pytest.mark.usefixtures("impatient")
async def test_deaf_work_past_its_time_limit_has_failed(desk: Desk) -> None:
    deaf = Deaf()
    problem = Problem(kind="TimedOut", message="It was ended after 10 ms.", hint="Allow more.")

    async def work(task: TaskHandle) -> Result:
        task.end_after(0.01, problem)
        return await deaf(task)

    task = await desk.run(work)
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TimedOut"
    assert task.problem.message == "It was ended after 10 ms, but it did not stop: it may still run."
    deaf.release.set()
    await deaf.over.wait()


async def test_work_is_ended_when_its_time_is_over(desk: Desk) -> None:
    problem = Problem(kind="TimedOut", message="It was ended.", hint="Allow more.")

    async def work(task: TaskHandle) -> Result:
        task.end_after(0.01, problem)
        await asyncio.Event().wait()
        return Result()

    task = await desk.run(work)
    assert (task.state, task.problem) == ("failed", problem)


async def test_work_knows_how_much_of_its_time_is_left(desk: Desk) -> None:
    left: list[float | None] = []

    async def work(task: TaskHandle) -> Result:
        left.append(task.time_left_s)
        task.end_after(3600.0, Problem(kind="TimedOut", message="It was ended."))
        left.append(task.time_left_s)
        return Result()

    await desk.run(work)
    assert left[0] is None
    assert left[1] is not None
    assert 0 < left[1] <= 3600.0


async def test_what_ends_itself_at_its_limit_keeps_what_it_has_to_show(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        task.end_after(0.0, Problem(kind="TimedOut", message="Ended from outside."), grace_s=30)
        await asyncio.sleep(task.time_left_s or 0.0)
        raise TaskFailed(Problem(kind="TimedOut", message="Ended by itself."), Result(text="half"))

    task = await desk.run(work)
    assert task.result == Result(text="half")
    assert task.problem is not None
    assert task.problem.message == "Ended by itself."


async def test_a_session_that_closes_interrupts_what_is_open(desk: Desk) -> None:
    started = asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        task.output("half of it\n")
        started.set()
        await asyncio.Event().wait()
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    waiting = desk.create()
    await desk.runner.close()
    late = await desk.run(work)
    ended = await running
    assert [task.state for task in desk.runner.tasks()] == ["interrupted"] * 3
    assert desk.runner.task(waiting.id) is not None
    assert late.problem == ended.problem == runner_module.INTERRUPTED
    assert ended.tail == "half of it\n"
    assert ended.ended_at is not None


@pytest.mark.usefixtures("impatient")
async def test_a_session_does_not_wait_for_deaf_work_when_it_closes(desk: Desk) -> None:
    deaf = Deaf()
    running = asyncio.create_task(desk.run(deaf))
    await deaf.started.wait()
    await desk.runner.close(limit_s=0.0)
    assert (await running).state == "interrupted"
    deaf.release.set()
    await deaf.over.wait()


async def test_the_first_reason_to_end_is_the_one_that_is_told(desk: Desk) -> None:
    started = asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        started.set()
        await asyncio.Event().wait()
        return Result()

    running = asyncio.create_task(desk.run(work))
    await started.wait()
    desk.runner.cancel(1)
    await desk.runner.close()
    assert (await running).state == "cancelled"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
async def test_work_that_wants_to_end_the_process_ends_only_itself(desk: Desk, error: BaseException) -> None:
    async def work(task: TaskHandle) -> Result:
        raise error

    task = await desk.run(work)
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == type(error).__name__


async def test_work_that_returns_something_else_has_failed(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        return None  # type: ignore[return-value]

    task = await desk.run(work)
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TypeError"


async def test_a_listener_that_raises_keeps_no_task_from_its_end(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def publish(self, message: ToSurface) -> None:
            raise RuntimeError("what the user said")

    runner = Runner(Broken(), lambda _id: KeptLog(""))
    handle = runner.create(turn_id=1, tool="t", arguments={}, title="t", origin="text")
    called: list[str] = []

    def broken() -> None:
        raise RuntimeError("what the user said")

    handle.when_ended(broken)
    handle.when_ended(lambda: called.append("second"))

    async def work(task: TaskHandle) -> Result:
        task.output("x")
        task.progress(0.5)
        return Result(summary="Done.")

    task = await runner.run(handle, work)
    assert (task.state, called) == ("succeeded", ["second"])
    assert "user said" not in caplog.text
    handle.when_ended(lambda: called.append("at once"))
    assert called == ["second", "at once"]


async def test_a_log_that_raises_keeps_no_task_from_its_end() -> None:
    class Broken(KeptLog):
        def close(self) -> None:
            raise OSError("gone")

    hub = Told()
    runner = Runner(hub, lambda _id: Broken("log"))
    handle = runner.create(turn_id=1, tool="t", arguments={}, title="t", origin="text")

    async def work(task: TaskHandle) -> Result:
        task.output("x")
        return Result(summary="Done.")

    task = await runner.run(handle, work)
    assert task.state == "failed"
    assert task.problem is not None
    assert task.ended_at is not None
    assert hub.tasks[1] == task


async def test_a_large_result_is_cut_and_says_so(desk: Desk) -> None:
    async def work(task: TaskHandle) -> Result:
        return Result(text="x" * 100_000, data={"rows": ["x"] * 50_000})

    task = await desk.run(work)
    assert task.result is not None
    assert len(task.result.text) <= 16 * 1024
    assert task.result.text.endswith("more were left out]")
    assert task.result.data == {"rows": "[250 KB were left out]"}


@dataclass
class Fates:
    """Works of all kinds, by number, each ending in its own way once it is let go."""

    release: asyncio.Event

    async def work(self, kind: str, task: TaskHandle) -> Result:
        if kind != "silent":
            task.move("running")
        if kind in ("late", "deaf", "good", "silent", "bad", "failed"):
            while not self.release.is_set():
                try:
                    await self.release.wait()
                except asyncio.CancelledError:
                    if kind == "late":
                        raise TaskFailed(Problem(kind="Late", message="Late."), Result(text="x")) from None
                    if kind != "deaf":
                        raise
        task.output(kind)
        if kind == "bad":
            raise ValueError(kind)
        if kind == "failed":
            raise TaskFailed(Problem(kind="Failed", message="Failed."))
        if kind == "exit":
            raise SystemExit
        if kind == "wrong":
            return kind  # type: ignore[return-value]
        if kind == "cancels itself":
            raise asyncio.CancelledError
        return Result(summary=kind)


KINDS = ["good", "silent", "bad", "failed", "late", "deaf", "exit", "wrong", "cancels itself"]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from(KINDS)),
        st.tuples(st.sampled_from(["cancel", "abandon", "time"]), st.integers(0, 20)),
        st.tuples(st.sampled_from(["create", "let go", "close"]), st.none()),
    ),
    max_size=30,
)


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(ACTIONS)
def test_whatever_happens_every_task_ends_once_with_reason_and_times(
    actions: list[tuple[str, str | int | None]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner_module, "STOP_LIMIT_S", 0.0)
        asyncio.run(_live(actions))


async def _live(actions: list[tuple[str, str | int | None]]) -> None:
    desk, fates = Desk(), Fates(asyncio.Event())
    handles: list[TaskHandle] = []
    callers: list[asyncio.Task[Task]] = []
    for name, value in actions:
        if name == "start":
            kind = str(value)
            handles.append(desk.create())
            callers.append(asyncio.create_task(desk.runner.run(handles[-1], partial(fates.work, kind))))
        elif name == "create":
            handles.append(desk.create())
        elif name == "close":
            await desk.runner.close(limit_s=0.0)
        elif name == "let go":
            fates.release.set()
        elif handles and isinstance(value, int):
            handle = handles[value % len(handles)]
            if name == "cancel":
                was_open = handle.task.state not in ENDED
                assert desk.runner.cancel(handle.id) == was_open
            elif name == "time":
                desk.runner.stop(handle, "failed", Problem(kind="TimedOut", message="Over."))
            elif callers:
                callers[value % len(callers)].cancel()
        for _ in range(value if isinstance(value, int) else 2):
            await asyncio.sleep(0)
    for handle in handles:  # those that nobody ran
        if handle.work is None:
            desk.runner.cancel(handle.id)
    await asyncio.sleep(0)
    fates.release.set()
    await asyncio.gather(*callers, return_exceptions=True)
    for handle in handles:
        told = [m.task for m in desk.hub.messages if isinstance(m, TaskChanged) and m.task.id == handle.id]
        states = [task.state for task in told]
        assert states[0] == "queued"
        for now, then in pairwise(states):
            assert then in MOVES[now]
        ended = told[-1]
        assert ended.state in ENDED
        assert ended.ended_at is not None
        assert ended.created_at <= (ended.started_at or ended.created_at) <= ended.ended_at
        assert (ended.problem is None) == (ended.state == "succeeded")
        assert ended.progress is None or ended.state != "succeeded"
        assert desk.runner.task(handle.id) == ended == desk.hub.tasks[handle.id]
    assert desk.runner.open_tasks() == []
    assert all(log.closed == 1 for log in desk.logs)


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


async def test_output_and_progress_are_told_after_a_beat_and_not_before(desk: Desk) -> None:
    # A loop that is late still calls back in the order of what is due.
    call_later = asyncio.get_running_loop().call_later

    async def told_in_a_beat(task: TaskHandle, fraction: float) -> list[str]:
        told, before, over = len(desk.hub.messages), list[ToSurface](), asyncio.Event()
        call_later(0.9 * runner_module.FLUSH_S, lambda: before.extend(desk.hub.messages[told:]))
        task.output("x")
        task.progress(fraction)
        call_later(1.1 * runner_module.FLUSH_S, over.set)
        await over.wait()
        assert before == []
        return [message.type for message in desk.hub.messages[told:]]

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        # The whole task once, for its log has a name now.
        assert await told_in_a_beat(task, 0.2) == ["task_output", "task_progress", "task"]
        assert await told_in_a_beat(task, 0.4) == ["task_output", "task_progress"]
        assert await told_in_a_beat(task, 0.6) == ["task_output", "task_progress"]
        return Result()

    assert (await desk.run(work)).state == "succeeded"


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


async def test_progress_is_told_without_the_whole_task(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "FLUSH_S", 3600.0)

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        task.output("x" * 5_000)
        task.flush()
        told = len(desk.hub.messages)
        for count in range(10):
            task.progress(None, "tests", done=count, total=10, unit="tests")
        task.flush()
        task.flush()
        (message,) = desk.hub.messages[told:]
        assert isinstance(message, TaskProgress)
        assert message.progress == Progress(fraction=0.9, label="tests", done=9, total=10, unit="tests")
        assert len(message.model_dump_json()) < 200
        assert desk.hub.tasks[task.id].progress == message.progress
        return Result()

    assert (await desk.run(work)).state == "succeeded"


async def test_progress_is_read_from_the_output_at_every_beat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "FLUSH_S", 3600.0)
    pieces: list[str] = []

    def read(text: str) -> Progress | None:
        pieces.append(text)
        return Progress(fraction=0.5) if text.endswith("50%") else None

    async def work(task: TaskHandle) -> Result:
        task.progress_from(read)
        task.output(b"10%")
        task.output("…".encode()[:1])
        task.flush()
        task.output("…".encode()[1:] + b"50%")
        task.flush()
        assert task.task.progress == Progress(fraction=0.5)
        return Result()

    assert (await desk.run(work)).state == "succeeded"
    assert pieces == ["10%", "…50%"]


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


async def test_tasks_of_an_earlier_kernel_are_remembered_and_counted_on_from(desk: Desk) -> None:
    first = desk.create()
    earlier = [
        Task(
            id=number, turn_id=1, tool="t", title="t", state=state, created_at=1.0, ended_at=2.0, earlier=True
        )
        for number, state in ((1, "succeeded"), (7, "interrupted"), (5, "failed"), (9, "running"))
    ]
    desk.runner.restore(earlier)
    assert [task.id for task in desk.runner.tasks()] == [1, 5, 7]
    assert desk.runner.task(1) == first.task
    assert desk.create().id == 8
    assert not desk.runner.cancel(7)


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

    async def failing(task: TaskHandle) -> Result:
        task.progress(0.5, 'with sk-"quoted"-secret')
        task.flush()
        raise TaskFailed(Problem(kind="Failed", message='exited with 1: sk-"quoted"-secret is wrong'))

    failed = await desk.run(failing)
    assert failed.problem is not None
    assert failed.problem.message == "exited with 1: [secret] is wrong"
    ended = await desk.run(work)
    assert ended.tail == "OPENAI_API_KEY=[secret]\nplain"
    assert desk.logs[0].data == ended.tail.encode()
    assert ended.result is not None
    assert ended.result.outputs[0].text == "it is [secret]."
    assert "quoted" not in "".join(message.model_dump_json() for message in desk.hub.messages)
