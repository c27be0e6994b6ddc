"""An event loop whose clock can be put forward: a time limit is over when a test has seen enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LIMIT_S = 120.0


class HastyLoop(asyncio.SelectorEventLoop):
    """A loop that takes it to be later than it is, once it is told to."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


def run_past(limit_s: float, when: Callable[[], bool], work: Coroutine[Any, Any, T]) -> T:
    """Run something that has a time limit of its own, which is over as soon as something is true.

    Args:
        limit_s: the time limit.
        when: what must be true before; what only other processes know is asked again and again.
        work: what has the limit.
    """
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        return runner.run(_run_past(limit_s, when, work))


async def _run_past(limit_s: float, when: Callable[[], bool], work: Coroutine[Any, Any, T]) -> T:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HastyLoop)
    running = asyncio.ensure_future(work)
    async with asyncio.timeout(LIMIT_S):
        while not when():
            assert not running.done(), "it was over before"
            await asyncio.sleep(0.01)
    loop.ahead_s += limit_s
    async with asyncio.timeout(LIMIT_S):
        return await running
