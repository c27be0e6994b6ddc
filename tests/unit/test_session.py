"""Turns without words: calls that a page or a replay asks for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from test_conversations import Desk

from voice_kernel.messages import Call


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, None)


async def test_calls_are_carried_out_in_order_as_one_turn(desk: Desk) -> None:
    calls = [Call(tool="note"), Call(tool="note")]
    result = await desk.session.do(calls, text="both", origin="script", surface_id="page")
    assert (result.turn.text, result.turn.origin, result.turn.surface_id) == ("both", "script", "page")
    assert result.turn.calls == calls
    assert [task.state for task in result.tasks] == ["succeeded", "succeeded"]
    assert result.ok


async def test_calls_without_words_are_named_by_what_they_do(desk: Desk) -> None:
    result = await desk.session.do([Call(tool="note", arguments={"wait": False})], text="", origin="text")
    assert result.turn.text == "note"


async def test_a_call_that_fails_ends_the_turn(desk: Desk) -> None:
    result = await desk.session.do(
        [Call(tool="note", arguments={"wait": "perhaps"}), Call(tool="note")], text="x", origin="text"
    )
    assert (result.outcome, len(result.tasks)) == ("failed", 1)
    assert result.turn.problem is not None
    assert result.turn.problem.kind == "InvalidArguments"


@pytest.mark.parametrize("tool", ["approve", "cancel_task", "interrupt_kernel"])
async def test_controls_are_for_the_moment_and_not_carried_out_like_calls(desk: Desk, tool: str) -> None:
    work = await desk.start()
    result = await desk.session.do([Call(tool="note"), Call(tool=tool)], text="x", origin="text")
    assert (result.outcome, result.tasks) == ("failed", ())
    assert desk.runner.open_tasks()
    desk.go.set()
    assert (await work).ok


async def test_cancelling_the_turn_cancels_what_it_runs(desk: Desk) -> None:
    work = await desk.start()
    assert desk.session.cancel_turn(1)
    result = await work
    assert (result.outcome, [task.state for task in result.tasks]) == ("cancelled", ["cancelled"])


async def test_a_retry_of_an_unknown_task_begins_no_turn(desk: Desk) -> None:
    assert await desk.session.retry(99) is None
    assert list(desk.hub.turns) == []


async def test_a_retry_can_be_retried_while_the_first_still_runs(desk: Desk) -> None:
    first = await desk.start()
    second = asyncio.ensure_future(desk.session.retry(1))
    await asyncio.wait_for(desk.waiting.get(), 30)
    desk.go.set()
    assert (await first).ok
    retried = await second
    assert retried is not None
    assert (retried.turn.origin, retried.turn.text) == ("retry", "Again: note wait")
