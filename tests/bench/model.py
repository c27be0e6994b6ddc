"""What our turn with a model costs beside the SDK alone, and how soon its first word is seen.

Both sides ask the same scripted server on loopback, in a process of its own, with the same instructions and
the same tools; one tool is called. The first word is timed in a page of JupyterLab, by the clock that the
server reads too. A session that never asks a model is looked at for what it has loaded.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab import chromium, lab_server
from loading import measure
from openai_server import Call, OpenAIServer, Reply, serve
from sidebar_page import FrontEnd, Sidebar, write_cells

from voice_kernel.agent.brain import Brain
from voice_kernel.agent.instructions import instructions
from voice_kernel.agent.provider import ModelSettings, connect
from voice_kernel.agent.tools import TurnTools
from voice_kernel.app import known_tools
from voice_kernel.context import Context
from voice_kernel.events import Hub
from voice_kernel.messages import About, Result
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry

TURNS = 20
PAGES = 10
MAX_RATIO = 1.3
MAX_FIRST_MS = 30.0
CANCELS = 10
MAX_CANCEL_MS = 100.0
ANSWER = "There are two variables: df, a table of sales, and x, a number that nobody has used yet. " * 3
WORD = "Zebra"

SEEN = """word => { window.seenAt = 0; const observer = new MutationObserver(() => {
  if (document.querySelector('.vk-sidebar')?.textContent.includes(word)) {
    window.seenAt = performance.timeOrigin + performance.now(); observer.disconnect(); } });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true }); }"""


class NoLog:
    """A log that keeps nothing."""

    path = ""
    cut_bytes = 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


def served(pipe: Connection) -> None:
    """Serve one tool call and one answer after the other, in a process of its own."""
    with serve() as server:
        server.script = _Endless(server)
        pipe.send(server.url)
        pipe.recv()


class _Endless(list[Reply]):
    """Replies that never end: a call, then an answer."""

    def __init__(self, server: OpenAIServer) -> None:
        super().__init__([Reply()])
        self._server = server
        self._call = False

    def pop(self, _index: Any = -1) -> Reply:
        self._server.seen.clear()
        self._call = not self._call
        return Reply(calls=(Call("list_variables", {}),)) if self._call else Reply(text=ANSWER)


async def does_nothing(task: TaskHandle, arguments: Any) -> Result:
    """Be a tool."""
    return Result(summary="2 variables")


def toolbox(handler: Callable[[TaskHandle, Any], Awaitable[Result]] = does_nothing) -> Toolbox:
    """Return every tool, doing nothing, or what is given."""

    async def somebody() -> bool:
        return True

    hub = Hub(About(version="bench"))
    registry = Registry()
    for spec in known_tools().specs.values():
        registry.add(dataclasses.replace(spec, handler=handler, diff=None))
    return Toolbox(registry, Policy(), Approvals(hub, somebody), Runner(hub, lambda _id: NoLog()))


async def cpu_ms(*sides: Callable[[], Awaitable[object]]) -> list[float]:
    """Return the median CPU time of a turn of each side; they take turns, so noise meets them alike."""
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(3 + TURNS):
        for turn, times in zip(sides, taken, strict=True):
            began = time.process_time()
            await turn()
            if number >= 3:  # the first ones warm up
                times.append((time.process_time() - began) * 1000)
    return [statistics.median(times) for times in taken]


async def overhead(url: str) -> float:
    """Print both sides; return their ratio."""
    import agents

    box = toolbox()
    settings = ModelSettings("scripted", None, url)
    connection = await connect(settings)
    words = instructions(box.registry, working_folder="/", shell_allowed=False)
    offered = TurnTools(box, turn_id=0, strict=False).function_tools()

    async def nothing(_context: Any, _arguments: str) -> str:
        return '{"state":"succeeded","summary":"2 variables"}'

    async def bare() -> None:
        tools = [dataclasses.replace(tool, on_invoke_tool=nothing) for tool in offered]
        agent = agents.Agent(
            name="bare",
            instructions=words,
            model=connection.model,
            model_settings=connection.tuning,
            tools=[*tools],
        )
        config = agents.RunConfig(model_provider=connection.provider, tracing_disabled=True)
        run = agents.Runner.run_streamed(agent, "what is here", run_config=config)
        async for _ in run.stream_events():
            pass

    numbers = iter(range(1, 10_000))

    async def ours() -> None:
        brain = Brain(settings, box, working_folder="/")
        brain._connections[settings] = connection
        await brain.answer("what is here", turn_id=next(numbers), context=Context(), on_text=lambda _: None)

    bare_ms, ours_ms = await cpu_ms(bare, ours)
    await connection.close()
    print(f"one turn, one tool call, {len(offered)} tools offered, {TURNS} runs each, median CPU:")
    print(f"  agents.Runner alone   {bare_ms:7.1f} ms")
    print(f"  our turn              {ours_ms:7.1f} ms   {ours_ms / bare_ms:.2f}x (at most {MAX_RATIO}x)")
    return ours_ms / bare_ms


async def cancelling(url: str) -> float:
    """Print and return how long a turn goes on that is cancelled while its tool runs, in ms."""
    begun = asyncio.Event()

    async def waits(task: TaskHandle, arguments: Any) -> Result:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    brain = Brain(ModelSettings("scripted", None, url), toolbox(waits), working_folder="/")
    taken = []
    for number in range(1, 2 * CANCELS + 1):
        begun.clear()
        question = brain.answer("what is here", turn_id=number, context=Context(), on_text=lambda _: None)
        turn, waiting = asyncio.create_task(question), asyncio.create_task(begun.wait())
        await asyncio.wait({turn, waiting}, return_when="FIRST_COMPLETED")
        waiting.cancel()
        if not turn.done():  # every other time the server answers in words
            began = time.perf_counter()
            turn.cancel()
            await asyncio.wait({turn})
            taken.append((time.perf_counter() - began) * 1000)
    await brain.close()
    median = statistics.median(taken)
    print(
        f"a turn that is cancelled while its tool runs, {len(taken)} times: median {median:.1f} ms, ", end=""
    )
    print(f"worst {max(taken):.1f} ms (at most {MAX_CANCEL_MS:.0f} ms in the median)")
    return median


def first_words(folder: Path) -> float:
    """Print and return how long after the server sent it the first word is in the panel, in ms."""
    with serve() as model:
        (folder / ".env").write_text(f"VOICE_KERNEL_BASE_URL={model.url}\nMODEL=scripted\n")
        write_cells(folder / "bench.ipynb", [])
        taken = []
        with lab_server(folder, folder / "jupyter") as base, chromium([]) as browser:
            context = browser.new_context(viewport={"width": 1400, "height": 900})
            notebook = FrontEnd("lab", base).open(context, "bench.ipynb")
            sidebar = Sidebar.open(notebook.page)
            for number in range(PAGES + 1):
                word = f"{WORD}{number}"
                model.says(Reply(text=f"{word} is the first word of quite a long answer.", hold_after=1))
                sidebar.page.evaluate(SEEN, word)
                turn = sidebar.send("ask the model for a word")
                sidebar.page.wait_for_function("() => window.seenAt > 0", timeout=60_000)
                taken.append(float(sidebar.page.evaluate("() => window.seenAt")) - model.sent_at * 1000)
                model.release.set()
                sidebar.ended(turn)
                model.release.clear()
            notebook.shut_down()
    median = statistics.median(taken[1:])  # the first one also imports the SDK
    worst = max(taken[1:])
    print(
        f"first word in the panel after the server sent it, {PAGES} turns: median {median:.0f} ms, ", end=""
    )
    print(f"worst {worst:.0f} ms (at most {MAX_FIRST_MS:.0f} ms in the median)")
    return median


def unused(folder: Path) -> bool:
    """Print what a session takes that asks no model; return whether the SDK stayed out of it."""
    look = "import sys; _loaded = [n for n in ('agents', 'openai') if n in sys.modules]"
    steps = ["%load_ext voice_kernel", "%voice list variables", f"{look}; assert not _loaded, _loaded"]
    try:
        costs = measure(Path(sys.executable), steps, folder)
    except RuntimeError as error:
        print(f"a session that asks no model has loaded the SDK: {error}")
        return False
    used = sum(cost["rss_mb"] for cost in costs)
    print(
        f"a session that asks no model: +{used:.0f} MB RSS after its first command, nothing of the SDK loaded"
    )
    imported = measure(Path(sys.executable), ["import agents"], folder)[0]
    print(f"  importing the SDK would add {imported['rss_mb']:.0f} MB and {imported['cpu_s']:.1f} s CPU")
    return True


def main() -> int:
    """Print the figures; return 1 when one is out of its budget."""
    print(f"load {psutil.getloadavg()[0]:.1f}")
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=served, args=(there,), daemon=True)
    process.start()
    url = here.recv()
    ratio = asyncio.run(overhead(url))
    cancel_ms = asyncio.run(cancelling(url))
    here.send("stop")
    process.join(10)
    with tempfile.TemporaryDirectory() as scratch:
        median = first_words(Path(scratch))
    with tempfile.TemporaryDirectory() as scratch:
        kept_out = unused(Path(scratch))
    figures = {"ratio": round(ratio, 3), "cancel_ms": round(cancel_ms, 1), "first_ms": round(median, 1)}
    print(json.dumps({**figures, "sdk_loaded": not kept_out}))
    kept = ratio <= MAX_RATIO and cancel_ms <= MAX_CANCEL_MS and median <= MAX_FIRST_MS and kept_out
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
