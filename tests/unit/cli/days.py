"""A history as sessions leave it behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.unit.store.sessions import Session, Sessions
from voice_kernel.messages import Call, Output, Problem, Result, Task, TestCase, TestReport
from voice_kernel.settings import data_folder

LIMIT_S = 60.0
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def keep(what: Callable[[Session], object], folder: Path | None = None) -> None:
    """Let one session keep something."""

    async def kept() -> None:
        sessions = Sessions("", folder or data_folder())
        session = await sessions.begin(workspace="/work/shop", resume=False)
        what(session)
        assert await session.store.flush(LIMIT_S)  # the end of a session waits no more than a moment
        await sessions.close()

    asyncio.run(kept())


def tested(passed: int, failed: int) -> Result:
    """Return the result of a test run."""
    cases = [
        TestCase(id=f"tests/test_shop.py::test_{n}", outcome="passed", duration_s=0.01) for n in range(passed)
    ]
    cases += [
        TestCase(
            id=f"tests/test_shop.py::test_bad_{n}",
            outcome="failed",
            message="assert 1 == 2",
            detail="E  1 == 2",
        )
        for n in range(failed)
    ]
    return Result(tests=TestReport(passed=passed, failed=failed, cases=cases), exit_code=1 if failed else 0)


def a_day(session: Session) -> None:
    """Tests that fail, a command, a plot, a mistake, a cancelled command and words that are no command."""
    call = Call(tool="run_tests", arguments={"path": "tests"})
    turn = session.say("run the tests in tests", calls=[call], route="intents")
    task = session.start(turn, "run_tests", arguments=call.arguments, title="run_tests tests", area="tests")
    problem = Problem(kind="TestsFailed", message="2 passed, 1 failed: test_bad_0")
    session.end(task, "failed", result=tested(2, 1), problem=problem, tail="3 tests\n1 failed\n")
    session.end_turn(turn, "failed", problem=problem)

    shell(session, "shell pip install rich", "pip install rich", tail="Successfully installed rich\n")

    call = Call(tool="plot", arguments={"x": "month", "y": "revenue"})
    turn = session.say("plot revenue against month", calls=[call], route="intents")
    figure = Output(kind="display", data={"image/png": PICTURE, "text/plain": "<Figure size 640x480>"})
    result = Result(
        summary="Revenue by month", code="df.plot()", outputs=[figure], text="<Figure size 640x480>"
    )
    session.end(session.start(turn, "plot", arguments=call.arguments, area="data"), result=result)
    session.end_turn(turn)

    turn = session.say("shell sleep 600", calls=[Call(tool="run_shell", arguments={"command": "sleep 600"})])
    task = session.start(turn, arguments={"command": "sleep 600"}, title="run_shell sleep 600")
    session.end(task, "cancelled", problem=Problem(kind="Cancelled", message="Cancelled."))
    session.end_turn(turn, "cancelled")

    turn = session.say("what is love", route="none")
    session.end_turn(
        turn, "nothing", problem=Problem(kind="NotUnderstood", message="I did not understand that.")
    )


def shell(session: Session, text: str, command: str, **more: Any) -> Task:
    """Keep a command that succeeded."""
    call = Call(tool="run_shell", arguments={"command": command})
    turn = session.say(text, calls=[call], route="intents")
    task = session.start(turn, arguments=call.arguments, title=f"run_shell {command}", **more)
    done = session.end(task, result=Result(summary="Exit 0 in 1 s", exit_code=0))
    session.end_turn(turn)
    return done
