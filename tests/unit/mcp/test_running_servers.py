"""One server's life: it starts, answers, fails, is restarted, ends with all that it started."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import psutil
import pytest
from faulty_servers import LIMIT_S, Clock, Run, below, below_since, until

from voice_kernel.errors import ToolError
from voice_kernel.tools.mcp.stdio import LINES_AT_ONCE


async def test_a_server_starts_tells_its_tools_and_answers(run: Run) -> None:
    running = run()
    await running.start()
    assert running.state == "running"
    assert {"echo", "add", "count"} <= set(running.tools)
    result = await running.call("add", {"a": 2, "b": 3})
    assert result.content[0].text == "5.0"
    await until(lambda: "hello from the server" in running.log)
    assert (running.calls, running.errors) == (1, 0)


async def test_a_stopped_server_leaves_no_process(run: Run) -> None:
    before = below()
    running = run("children")
    await running.start()
    assert below_since(before)
    await running.stop()
    assert not below_since(before)
    assert running.state == "stopped"
    assert running.tools == {}


async def test_a_server_that_ignores_being_asked_is_ended(run: Run) -> None:
    before = below()
    running = run("stubborn")
    await running.start()
    await running.stop()
    assert not below_since(before)


async def test_a_server_that_crashes_at_its_start_says_its_last_words(run: Run) -> None:
    running = run("crash")
    with pytest.raises(ToolError, match="exit status 3") as caught:
        await running.start()
    assert "cannot open the vault" in caught.value.hint
    assert running.state == "failed"


async def test_what_a_server_prints_of_its_secrets_is_not_in_its_log(run: Run) -> None:
    running = run("crash", {"TOKEN": "hunter22"})
    with pytest.raises(ToolError) as caught:
        await running.start()
    assert "hunter22" not in f"{caught.value} {running.log} {running.problem}"
    assert any("vault with ***" in line for line in running.log)


async def test_a_missing_program_is_named(run: Run) -> None:
    running = run()
    running.server = running.server.model_copy(update={"command": "no-such-program"})
    with pytest.raises(ToolError, match="no program no-such-program"):
        await running.start()


async def test_a_missing_secret_is_asked_for(run: Run) -> None:
    running = run()
    running.server = running.server.model_copy(update={"secrets": ("TOKEN",)})
    with pytest.raises(ToolError, match="voice-kernel mcp secret faulty TOKEN"):
        await running.start()


async def test_a_server_that_never_answers_is_given_up_and_ended(run: Run) -> None:
    before = below()
    running = run("deaf", start_s=0.5)
    with pytest.raises(ToolError, match="did not answer within"):
        await running.start()
    assert not below_since(before)


async def test_a_slow_start_is_waited_for(run: Run) -> None:
    running = run("slow")
    await running.start()
    assert running.state == "running"


async def test_garbage_on_stdout_is_passed_over_and_noted(run: Run) -> None:
    running = run("garbage")
    await running.start()
    assert (await running.call("echo", {"text": "hi"})).content[0].text == "hi"
    assert sum("no message" in line for line in running.log) == 3


async def test_a_flood_of_garbage_is_no_server(run: Run) -> None:
    running = run("flood")
    with pytest.raises(ToolError, match="no messages"):
        await running.start()


async def test_a_flood_on_stderr_holds_nobody_else_up(run: Run) -> None:
    running = run("shouting")
    await running.start()
    most, first = 0, running.log_lines
    async with asyncio.timeout(LIMIT_S):
        while running.log_lines < first + 50 * LINES_AT_ONCE:
            before = running.log_lines
            await asyncio.sleep(0)
            most = max(most, running.log_lines - before)
    assert most <= 2 * LINES_AT_ONCE  # in one turn of the loop; else every line that is there is read first
    assert (await running.call("echo", {"text": "hello"})).content[0].text == "hello"


async def test_a_killed_server_is_started_again(run: Run) -> None:
    running = run(pause_s=0.05)
    await running.start()
    assert running.process not in (None, running.pid)
    os.kill(running.process, signal.SIGKILL)
    await until(lambda: any("ended: it was ended by SIGKILL" in line for line in running.log))
    assert (await running.call("echo", {"text": "again"})).content[0].text == "again"


async def test_a_server_that_keeps_dying_is_left_alone(run: Run) -> None:
    running = run(pause_s=0.01)
    for _ in range(3):
        with pytest.raises(ToolError, match="ended during the call"):
            await running.call("die", {})
    await until(lambda: running.state == "failed")
    assert running.errors == 3
    await running.start()
    assert running.state == "running"


async def test_a_call_that_is_too_slow_is_given_up_and_the_server_told(run: Run) -> None:
    running = run()
    for limit_s in (0.3, 3.0, 30.0):
        with pytest.raises(ToolError, match="did not answer within"):
            await running.call("wait", {}, limit_s=limit_s)
        await running.call("echo", {"text": "what came before is read"})
        if "waiting" in running.log:  # on a busy machine it may not have come to that
            break
    await until(lambda: "the wait was cancelled" in running.log)
    assert running.state == "running"


async def test_progress_is_passed_on_and_gives_more_time(run: Run) -> None:
    running, clock = run(), Clock()
    told: list[tuple[float, float | None, str]] = []

    def progress(*one: Any) -> None:
        told.append(one)
        clock.turn(40)

    await running.call("count", {"to": 5}, on_progress=progress, limit_s=100)
    assert told[-1] == (5, 5, "number 5")


async def test_a_cancelled_call_is_cancelled_at_the_server(run: Run) -> None:
    running = run()
    await running.start()
    call = asyncio.ensure_future(running.call("wait", {}))
    await until(lambda: "waiting" in running.log)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: "the wait was cancelled" in running.log)


async def test_a_server_that_stops_answering_is_started_again(run: Run) -> None:
    running, clock = run(ping_every_s=0.1, pause_s=0.05, ping_s=60), Clock()
    await running.start()
    first = psutil.Process(running.process)
    first.suspend()
    for _ in range(1_000):
        if running.problem:  # no more of the clock: what is started now has all its time
            break
        clock.turn(60)
        await asyncio.sleep(0)
    assert running.problem == "it does not answer any more"
    await until(lambda: not first.is_running() and running.state == "running")


async def test_an_unused_server_sleeps_and_its_next_call_wakes_it(run: Run) -> None:
    before = below()
    running = run(ping_every_s=0.05, idle_s=0.1)
    await running.start()
    await until(lambda: running.state == "asleep")
    assert not below_since(before)
    assert "echo" in running.tools
    assert (await running.call("echo", {"text": "awake"})).content[0].text == "awake"


async def test_new_tools_are_learned_when_the_server_tells(run: Run) -> None:
    running = run()
    await running.call("learn", {})
    await until(lambda: "learned" in running.tools)
