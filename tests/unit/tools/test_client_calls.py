"""What a tool asks its page to do: the tool goes on with the answer, once, and waits only so long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from workbench import LIMIT_S, Workbench

from voice_kernel.kernel import CodeResult
from voice_kernel.messages import ClientCall, Task, TaskChanged
from voice_kernel.toolbox.clientcalls import MAX_CHARS, ClientCalls
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.shelf import Shelf
from voice_kernel.usertools.toolcontext import ToolContext

TURN = 1


class NoDoor:
    async def run(self, code: str, *, show: bool | str = True, on_output: Any = None) -> CodeResult:
        raise AssertionError(code)


class Page:
    """A session's tools, and a page that answers what they ask of it."""

    def __init__(self, folder: Path, *, limit_s: float = LIMIT_S, able: bool = True) -> None:
        self.bench = Workbench(folder, folder / "logs")
        self.shelf = Shelf()
        self.calls = ClientCalls(lambda _turn: able, limit_s)
        self.adoption = Adoption(self.shelf, self.bench.registry, NoDoor(), print, clients=self.calls)

    def tool(self, function: Callable[..., Any]) -> None:
        self.shelf.put(define(function))
        self.adoption.update()

    def calls_told(self) -> list[ClientCall]:
        changes = [event for event in self.bench.events if isinstance(event, TaskChanged)]
        return [change.task.client_call for change in changes if change.task.client_call is not None]

    async def asked(self, number: int = 1) -> ClientCall:
        """Wait until a page has been asked for so many things; return the last."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.calls_told()) < number:  # noqa: ASYNC110 - a thread may ask it
                await asyncio.sleep(0.01)
        return self.calls_told()[number - 1]

    async def answered(self, name: str, result: Any, problem: str = "") -> Task:
        running = asyncio.ensure_future(self.bench.start(name))
        call = await self.asked()
        assert self.calls.answer(call.id, result, problem)
        assert not self.calls.answer(call.id, "once more")
        return await running


def saves(ctx: ToolContext) -> str:
    kept = ctx.client_tool("save_fact", {"fact": "Ada likes maps"}).wait()
    return f"kept as {kept['number']}"


async def saves_soon(ctx: ToolContext) -> str:
    kept = await ctx.client_tool("save_fact", {"fact": "Ada likes maps"})
    return f"kept as {kept['number']}"


def hands_over() -> dict[str, Any]:
    return {"client_tool": "save_fact", "arguments": {"fact": "Ada likes maps"}}


@pytest.mark.parametrize("function", [saves, saves_soon])
def test_a_function_goes_on_with_what_the_page_answers(tmp_path: Path, function: Callable[..., Any]) -> None:
    page = Page(tmp_path)
    page.tool(function)
    task = asyncio.run(page.answered(function.__name__, {"number": 7}))
    assert task.state == "succeeded"
    assert task.result is not None
    assert task.result.summary == "kept as 7"
    assert task.client_call is None


def test_what_a_tool_hands_over_to_the_page_comes_back_as_its_result(tmp_path: Path) -> None:
    page = Page(tmp_path)
    page.tool(hands_over)
    task = asyncio.run(page.answered("hands_over", {"number": 7}))
    assert task.result is not None
    assert task.result.data == {"number": 7}
    assert task.result.summary == 'The page has done save_fact: {"number": 7}'


def test_a_page_that_would_not_is_the_tools_failure(tmp_path: Path) -> None:
    page = Page(tmp_path)
    page.tool(saves)
    task = asyncio.run(page.answered("saves", None, "There is no list to save it to."))
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.message == "There is no list to save it to."


def test_an_answer_that_is_too_large_is_refused(tmp_path: Path) -> None:
    page = Page(tmp_path)
    page.tool(hands_over)
    task = asyncio.run(page.answered("hands_over", "x" * MAX_CHARS))
    assert task.problem is not None
    assert "too much" in task.problem.message


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    page = Page(tmp_path, limit_s=0.05)
    page.tool(hands_over)
    task = asyncio.run(page.bench.start("hands_over"))
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.message == "The page has not answered save_fact in time."
    assert task.client_call is None


def test_a_function_that_waits_no_longer_may_ask_again(tmp_path: Path) -> None:
    page = Page(tmp_path)

    async def impatient(ctx: ToolContext) -> str:
        for number in range(2):
            answer = ctx.client_tool("save_fact", {"try": number})
            await page.asked(number + 1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(_awaited(answer), 0.05)
        return "enough"

    page.tool(impatient)
    task = asyncio.run(page.bench.start("impatient"))
    assert (task.state, task.client_call) == ("succeeded", None)
    assert [call.arguments["try"] for call in page.calls_told()] == [0, 1]


async def _awaited(answer: Any) -> Any:
    return await answer


def test_a_task_that_is_cancelled_waits_no_longer(tmp_path: Path) -> None:
    page = Page(tmp_path)
    page.tool(saves)

    async def cancelled() -> Task:
        running = asyncio.ensure_future(page.bench.start("saves"))
        call = await page.asked()
        assert page.bench.runner.cancel(1)
        task = await running
        assert not page.calls.answer(call.id, {"number": 7})
        return task

    task = asyncio.run(cancelled())
    assert (task.state, task.client_call) == ("cancelled", None)


def test_where_no_page_can_it_is_said_or_told_as_data(tmp_path: Path) -> None:
    page = Page(tmp_path, able=False)
    page.tool(saves)
    page.tool(hands_over)
    task = asyncio.run(page.bench.start("saves"))
    assert task.problem is not None
    assert task.problem.message == "Nothing here carries out save_fact."
    told = asyncio.run(page.bench.start("hands_over"))
    assert told.result is not None
    assert told.result.data["client_tool"] == "save_fact"
