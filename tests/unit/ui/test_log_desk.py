"""A page reads the logs of tasks that are known, whole and in time, and is told why when it cannot."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from voice_kernel.events import Hub
from voice_kernel.messages import About, LogPage, PastTask, ReadLog, Result, SearchLog, Task
from voice_kernel.task import logpages
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.ui import logs as logs_module
from voice_kernel.ui.logs import LogDesk

Work = Callable[[TaskHandle], Coroutine[Any, Any, Result]]


class Desk:
    """A desk over a real runner and a real folder of logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = LogFolder(folder)
        self.runner = Runner(Hub(About(version="test")), lambda task_id: self.folder.open(f"task-{task_id}"))
        self.past: dict[int, PastTask] = {}
        self.desk = LogDesk(self.folder, self.runner.task, self.recall)

    async def recall(self, past_id: int) -> PastTask | None:
        return self.past.get(past_id)

    def begin(self, work: Work) -> tuple[TaskHandle, asyncio.Task[Task]]:
        handle = self.runner.create(turn_id=1, tool="run_shell", arguments={}, title="run", origin="text")

        async def running(task: TaskHandle) -> Result:
            task.move("running")
            return await work(task)

        return handle, asyncio.ensure_future(self.runner.run(handle, running))

    async def page(self, task_id: int, first_line: int = 0, lines: int = 500) -> LogPage:
        return await self.desk.page(ReadLog(id=7, task_id=task_id, first_line=first_line, lines=lines))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer with all that fits, however long the machine takes."""
    for name in ("INDEX_SLICE_S", "PAGE_SLICE_S", "SEARCH_SLICE_S"):
        monkeypatch.setattr(logpages, name, 3600.0)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "logs")


async def printed(task: TaskHandle, text: str = "one\ntwo\nthree\n") -> Result:
    task.output(text)
    return Result()


async def test_a_running_task_is_read_up_to_what_it_has_just_put_out(desk: Desk) -> None:
    go, done = asyncio.Event(), asyncio.Event()

    async def work(task: TaskHandle) -> Result:
        task.output("one\n")
        task.flush()
        task.output("two\nthr")  # neither shown nor on disk yet
        go.set()
        await done.wait()
        task.output("ee\n")
        return Result()

    handle, running = desk.begin(work)
    await go.wait()
    page = await desk.page(handle.id)
    assert (page.id, page.problem, page.complete) == (7, None, False)
    assert (page.lines, page.total_lines) == (["one", "two", "thr"], 3)
    done.set()
    await running
    page = await desk.page(handle.id, -2)
    assert (page.first_line, page.lines, page.complete) == (1, ["two", "three"], True)


async def test_a_log_is_searched(desk: Desk) -> None:
    handle, running = desk.begin(printed)
    await running
    hits = await desk.desk.hits(SearchLog(id=3, task_id=handle.id, query="T"))
    assert (hits.id, [(hit.line, hit.text) for hit in hits.hits]) == (3, [(1, "two"), (2, "three")])
    assert (hits.next_line, hits.problem) == (None, None)


async def test_a_task_of_another_session_is_read_by_its_number_in_the_history(desk: Desk) -> None:
    _, running = desk.begin(printed)
    desk.past[901] = PastTask(id=901, task=(await running).model_copy(update={"id": 5}))
    page = await desk.desk.page(ReadLog(id=1, past_id=901))
    assert page.lines == ["one", "two", "three"]
    hits = await desk.desk.hits(SearchLog(id=1, past_id=901, query="two"))
    assert [hit.line for hit in hits.hits] == [1]


async def test_a_task_that_is_not_known_has_no_log(desk: Desk) -> None:
    for request in (ReadLog(id=1, task_id=99), ReadLog(id=1, past_id=99), ReadLog(id=1)):
        page = await desk.desk.page(request)
        assert page.problem is not None
        assert page.problem.message == "This task is not known any more."
        assert page.problem.hint


async def test_a_task_without_output_has_an_empty_log(desk: Desk) -> None:
    async def silent(task: TaskHandle) -> Result:
        return Result()

    handle, running = desk.begin(silent)
    await running
    page = await desk.page(handle.id)
    assert (page.lines, page.total_lines, page.complete, page.problem) == ([], 0, True, None)
    hits = await desk.desk.hits(SearchLog(id=1, task_id=handle.id, query="x"))
    assert (hits.hits, hits.problem) == ([], None)


async def test_a_log_that_was_rotated_away_says_what_to_do(desk: Desk) -> None:
    handle, running = desk.begin(printed)
    os.unlink((await running).log_path)
    page = await desk.page(handle.id)
    assert page.problem is not None
    assert page.problem.kind == "LogError"
    assert "no longer kept" in page.problem.message
    assert "run the task again" in page.problem.hint


async def test_output_that_could_not_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    desk = Desk(tmp_path / "file" / "logs")
    handle, running = desk.begin(printed)
    await running
    page = await desk.page(handle.id)
    assert page.problem is not None
    assert "not kept in a log" in page.problem.message


async def test_a_flood_of_requests_is_refused_rather_than_piled_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs_module, "MAX_WAITING", 5)
    handle, running = desk.begin(printed)
    await running
    pages = await asyncio.gather(*(desk.page(handle.id) for _ in range(20)))
    refused = [page for page in pages if page.problem is not None]
    assert len(refused) == 15
    assert all(page.problem is not None and page.problem.retryable for page in refused)
    assert (await desk.page(handle.id)).lines == ["one", "two", "three"]


async def test_pages_come_no_faster_than_the_server_passes_them_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, running = desk.begin(lambda task: printed(task, "x" * 1_000 + "\n"))
    await running
    monkeypatch.setattr(logs_module, "BYTES_PER_S", 10_000)
    begin = asyncio.get_running_loop().time()
    await asyncio.gather(*(desk.page(handle.id) for _ in range(4)))
    assert asyncio.get_running_loop().time() - begin >= 0.3
