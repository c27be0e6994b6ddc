"""One background thread with one loop: handed work from anywhere, ended within a bound."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import inspect
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from voice_kernel.loop import THREAD_NAME, AgentLoop

LIMIT_S = 60.0


@pytest.fixture
def errors() -> list[BaseException]:
    return []


@pytest.fixture
def agent_loop(errors: list[BaseException]) -> Iterator[AgentLoop]:
    loop = AgentLoop(errors.append)
    yield loop
    loop.stop()


async def where() -> str:
    return threading.current_thread().name


async def fail(text: str) -> None:
    raise ValueError(text)


def test_the_thread_starts_with_the_first_work(agent_loop: AgentLoop) -> None:
    assert not agent_loop.running
    assert agent_loop.run_sync(where(), LIMIT_S) == THREAD_NAME
    assert agent_loop.running


def test_all_work_shares_one_thread(agent_loop: AgentLoop) -> None:
    async def ident() -> int:
        return threading.get_ident()

    def ask(found: list[int]) -> None:
        found.append(agent_loop.submit(ident()).result(LIMIT_S))

    found: list[int] = []
    threads = [threading.Thread(target=ask, args=(found,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1


def test_calls_keep_their_order(agent_loop: AgentLoop) -> None:
    seen: list[int] = []
    for i in range(100):
        agent_loop.call_soon(seen.append, i)
    agent_loop.run_sync(asyncio.sleep(0), LIMIT_S)
    assert seen == list(range(100))


def test_a_cancelled_future_is_done_when_its_coroutine_has_ended(agent_loop: AgentLoop) -> None:
    started, may_end = threading.Event(), threading.Event()

    async def tidy() -> None:
        started.set()
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.to_thread(may_end.wait)

    submission = agent_loop.submit(tidy())
    assert started.wait(LIMIT_S)
    assert submission.cancel()
    assert not submission.done()
    may_end.set()
    with pytest.raises(concurrent.futures.CancelledError):
        submission.result(LIMIT_S)
    assert submission.cancelled()
    assert not submission.cancel()


def test_a_future_cancelled_at_once_ends_too(agent_loop: AgentLoop) -> None:
    for _ in range(100):
        submission = agent_loop.submit(asyncio.sleep(600))
        submission.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            submission.result(LIMIT_S)


def test_an_exception_nobody_fetches_is_reported(agent_loop: AgentLoop, errors: list[BaseException]) -> None:
    agent_loop.submit(fail("lost"))
    agent_loop.run_sync(asyncio.sleep(0), LIMIT_S)
    gc.collect()
    assert [str(error) for error in errors] == ["lost"]


def test_an_exception_of_a_task_nobody_awaits_is_reported(
    agent_loop: AgentLoop, errors: list[BaseException]
) -> None:
    async def spawn() -> None:
        asyncio.ensure_future(fail("orphan"))  # noqa: RUF006 - dropping it is the point

    agent_loop.run_sync(spawn(), LIMIT_S)
    agent_loop.run_sync(asyncio.sleep(0), LIMIT_S)
    gc.collect()
    assert [str(error) for error in errors] == ["orphan"]


def test_an_exception_that_is_fetched_is_not_reported(
    agent_loop: AgentLoop, errors: list[BaseException]
) -> None:
    with pytest.raises(ValueError, match="mine"):
        agent_loop.run_sync(fail("mine"), LIMIT_S)
    gc.collect()
    assert errors == []


def test_the_log_names_no_content(caplog: pytest.LogCaptureFixture) -> None:
    loop = AgentLoop()
    with caplog.at_level(logging.DEBUG):
        loop.submit(fail("my secret words"))
        loop.run_sync(asyncio.sleep(0), LIMIT_S)
        gc.collect()
    loop.stop()
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_waiting_has_a_bound(agent_loop: AgentLoop) -> None:
    slow = asyncio.sleep(600)
    with pytest.raises(TimeoutError):
        agent_loop.run_sync(slow, 0.05)
    agent_loop.run_sync(asyncio.sleep(0), LIMIT_S)
    assert inspect.getcoroutinestate(slow) == inspect.CORO_CLOSED


def test_waiting_for_itself_is_refused(agent_loop: AgentLoop) -> None:
    async def inside() -> None:
        agent_loop.run_sync(asyncio.sleep(0), 1)

    with pytest.raises(RuntimeError, match="wait for itself"):
        agent_loop.run_sync(inside(), LIMIT_S)


def test_stop_cancels_what_runs_and_is_final(agent_loop: AgentLoop) -> None:
    ended: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.append("tidied")

    submissions = [agent_loop.submit(tidy()) for _ in range(10)]
    agent_loop.run_sync(asyncio.sleep(0), LIMIT_S)
    assert agent_loop.stop(LIMIT_S)
    assert ended == ["tidied"] * 10
    assert all(submission.done() for submission in submissions)
    assert not agent_loop.running
    with pytest.raises(RuntimeError, match="stopped"):
        agent_loop.submit(asyncio.sleep(0))
    assert agent_loop.stop()


def test_what_cannot_run_any_more_ends_as_cancelled() -> None:
    loop = AgentLoop()
    hold = threading.Event()

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                hold.set()

    submission = loop.submit(stubborn())
    loop.run_sync(asyncio.sleep(0), LIMIT_S)
    loop.stop(0.4)
    assert hold.wait(LIMIT_S)
    with pytest.raises(concurrent.futures.CancelledError):
        submission.result(LIMIT_S)


def test_stop_has_a_bound() -> None:
    loop = AgentLoop()
    begun, hold = threading.Event(), threading.Event()

    async def block() -> None:
        begun.set()
        hold.wait(600)  # a coroutine that does not yield at all

    loop.submit(block())
    assert begun.wait(LIMIT_S)
    assert not loop.stop(0.2)  # it still runs
    hold.set()


def test_stop_from_the_loop_thread_does_not_wait_for_itself(agent_loop: AgentLoop) -> None:
    agent_loop.call_soon(agent_loop.stop)
    thread = agent_loop._thread
    assert thread is not None or agent_loop.stop()
    if thread is not None:
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def test_a_process_ends_in_time_with_work_pending() -> None:
    code = (
        "import asyncio\nfrom voice_kernel.loop import AgentLoop\nloop = AgentLoop()\n"
        "[loop.submit(asyncio.sleep(600)) for _ in range(50)]\nloop.run_sync(asyncio.sleep(0), 60)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
