"""What HTTP costs: the same words to the same kernel, once over a comm and once as a ChatKit request.

Timed until the first event of the turn that knows its task (a comm's `task`, ChatKit's workflow), and until
the end of the turn. Both ways take turns, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

RUNS = 60
WORDS = "list tasks"
MAX_OVERHEAD_MS = 40.0

Timed = tuple[float, float, float]
"""Milliseconds until the first event at all, the first of the task, and the end."""


async def over_comm(link: object, messages: object, name: str) -> Timed:
    """Say it over a comm."""
    from voice_kernel.messages import Say, TaskChanged, TurnChanged

    began = time.perf_counter()
    link.send(Say(text=WORDS, request=name))  # type: ignore[attr-defined]
    first = task = 0.0
    turn_id = 0
    async for message in messages:  # type: ignore[attr-defined]
        event = link.received(message)  # type: ignore[attr-defined]
        now = (time.perf_counter() - began) * 1_000
        if isinstance(event, TurnChanged) and event.turn.request == name:
            first, turn_id = first or now, event.turn.id
            if event.turn.ended_at is not None:
                return first, task, now
        elif isinstance(event, TaskChanged) and event.task.turn_id == turn_id:
            task = task or now
    raise RuntimeError("the kernel ended")


async def over_http(chat: object, thread_id: str) -> Timed:
    """Say it as a ChatKit client does."""
    from chatkit.types import ThreadAddUserMessageParams, ThreadsAddUserMessageReq
    from served import user_message

    params = ThreadAddUserMessageParams(thread_id=thread_id, input=user_message(WORDS))
    began = time.perf_counter()
    first = task = 0.0
    async for event in chat.stream(ThreadsAddUserMessageReq(params=params)):  # type: ignore[attr-defined]
        now = (time.perf_counter() - began) * 1_000
        first = first or now
        if event.type == "thread.item.added" and event.item.type == "workflow":
            task = now
    return first, task, (time.perf_counter() - began) * 1_000


async def compare(folder: Path) -> tuple[list[Timed], list[Timed]]:
    """Time both ways, in turns."""
    from real_kernel import RealKernel
    from served import client, server, thread_of

    from voice_kernel.client import Link, RunningKernel, published
    from voice_kernel.messages import Hello, State

    (folder / "kernel").mkdir()
    real = RealKernel(folder / "kernel", setup="pass")
    comm: list[Timed] = []
    http: list[Timed] = []
    try:
        with server(folder / "server", "--kernel", real.manager.connection_file) as served:
            kernel = RunningKernel(real.manager.connection_file)
            await kernel.start()
            link, messages = Link(kernel.client), published(kernel)
            link.open(Hello(surface_id="bench", kind="client"))
            async for message in messages:
                if isinstance(link.received(message), State):
                    break
            async with client(served) as chat:
                thread_id = thread_of(await chat.create(WORDS))
                for number in range(RUNS):
                    comm.append(await over_comm(link, messages, f"bench{number}"))
                    http.append(await over_http(chat, thread_id))
                    await asyncio.sleep(0.2)  # below the rate at which a server asks to wait
            link.close()
            await kernel.stop()
    finally:
        real.stop()
    return comm, http


def main() -> int:
    from results import keep

    with tempfile.TemporaryDirectory() as folder:
        comm, http = asyncio.run(compare(Path(folder)))
    figures = {}
    print(f"{RUNS} times “{WORDS}”, one kernel, milliseconds          p50     p95")
    for way, times in (("comm", comm), ("http", http)):
        for at, what in enumerate(("first event", "first of the task", "whole turn")):
            column = sorted(one[at] for one in times)
            p50, p95 = statistics.median(column), column[int(0.95 * len(column))]
            figures[f"{way}, {what}"] = {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}
            print(f"  {way}, {what:20} {p50:30.1f} {p95:7.1f}")
    overhead = figures["http, first of the task"]["p50_ms"] - figures["comm, first of the task"]["p50_ms"]
    print(f"  HTTP adds {overhead:.1f} ms until the task is seen (at most {MAX_OVERHEAD_MS:.0f})")
    keep("http", {**figures, "overhead_ms": round(overhead, 1)})
    return 1 if overhead > MAX_OVERHEAD_MS else 0


if __name__ == "__main__":
    sys.exit(main())
