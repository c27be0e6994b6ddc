"""What keeping a history costs: events of four kernels at once, and finding things among 100,000 tasks.

The peer of the writers is bare `sqlite3`: the same rows, by the same statements, in the same batches, but
ready-made: nothing to pick out, number, put into JSON, redact or cut into words. Four processes each, on
one file; the runs take turns.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests import postgres_server
from tests.many_tasks import fill
from voice_kernel.messages import (
    Call,
    Keeping,
    Output,
    Result,
    Task,
    TaskChanged,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.store import Store, records
from voice_kernel.store.database import Database, Place
from voice_kernel.store.faults import Patience

KERNELS = 4
COMMANDS = 2_000
"""Of each kernel; each is five events: of a turn, begun and ended, and of a task, queued, begun and ended."""
EVENTS = 5 * COMMANDS
TASKS = 100_000
RUNS = 5
AIM = 0.5
PATIENT = Patience(busy_s=60.0)
Batches = list[list[tuple[str, Any]]]


def told() -> Iterator[ToSurface]:
    """What a session of some commands tells."""
    for n in range(1, COMMANDS + 1):
        now = time.time()
        turn = Turn(
            id=n,
            state="running",
            origin="text",
            text=f"run the tests of module {n % 97}",
            route="intents",
            calls=[Call(tool="run_tests", arguments={"path": f"tests/unit/test_{n % 97}.py"})],
            created_at=now,
        )
        task = Task(
            id=n,
            turn_id=n,
            tool="run_tests",
            arguments=turn.calls[0].arguments,
            area="tests",
            title=f"run_tests tests/unit/test_{n % 97}.py",
            created_at=now,
        )
        result = Result(summary="12 passed in 0.3 s", outputs=[Output(kind="stream", text="." * 200)])
        yield TurnChanged(turn=turn)
        yield TaskChanged(task=task)
        yield TaskChanged(task=task.model_copy(update={"state": "running", "started_at": now}))
        done = {"state": "succeeded", "started_at": now, "ended_at": now, "result": result, "tail": "." * 200}
        yield TaskChanged(task=task.model_copy(update=done))
        yield TurnChanged(turn=turn.model_copy(update={"state": "succeeded", "ended_at": now}))


def kernel(folder: str, ready: Any, go: Any, ends: Any) -> None:
    """Keep a session through a store; puts when it began and ended."""

    async def session() -> None:
        store = Store("", Path(folder), workspace="/nb", on_keeping=_nobody, patience=PATIENT)
        await store.open(resume=False)
        messages = list(told())
        ready.release()
        go.wait()
        begin = time.monotonic()
        for message in messages:
            store.publish(message)
            if message.type == "turn" and message.turn.id % 20 == 0:
                await asyncio.sleep(0)
        assert await store.flush(120.0)
        ends.put((begin, time.monotonic()))
        await store.close()

    asyncio.run(session())


def bare(folder: str, batches: str, ready: Any, go: Any, ends: Any) -> None:
    """Write ready-made batches with bare sqlite3; puts when it began and ended."""
    connection = sqlite3.connect(Path(folder) / "history.db", timeout=60.0, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    with open(batches, "rb") as file:
        prepared: Batches = pickle.load(file)
    ready.release()
    go.wait()
    begin = time.monotonic()
    for batch in prepared:
        connection.execute("BEGIN IMMEDIATE")
        for statement, parameters in batch:
            if isinstance(parameters, list):
                connection.executemany(statement, parameters)
            else:
                connection.execute(statement, parameters)
        connection.execute("COMMIT")
    ends.put((begin, time.monotonic()))


def recorded(session: int) -> Batches:
    """Keep a session alone, and return the statements of its batches with their parameters."""
    batches: Batches = []

    async def run(folder: str) -> None:
        store = Store("", Path(folder), workspace="/nb", on_keeping=_nobody, patience=PATIENT)
        await store.open(resume=False)
        database = store._database
        assert database is not None

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
            if statement.startswith("BEGIN"):
                batches.append([])
            elif batches and not statement.startswith("SELECT"):
                batches[-1].append((statement, list(parameters) if many else parameters))

        event.listen(database.engine, "before_cursor_execute", note)
        for message in told():
            store.publish(message)
            if message.type == "turn" and message.turn.id % 20 == 0:
                await asyncio.sleep(0)
        assert await store.flush(120.0)
        event.remove(database.engine, "before_cursor_execute", note)
        with sqlite3.connect(Path(folder) / "history.db") as connection:
            row = connection.execute("SELECT * FROM sessions").fetchone()
        names = ", ".join("?" * len(row))
        batches.insert(0, [(f"INSERT INTO sessions VALUES ({names})", (session, *row[1:]))])
        await store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(folder))
    return [batch for batch in batches if batch]


def at_once(work: Callable[..., None], arguments: Callable[[int], tuple[Any, ...]]) -> float:
    """Run four processes at once; returns the seconds from the first beginning to the last end."""
    context = multiprocessing.get_context("spawn")
    ready, go, ends = context.Semaphore(0), context.Event(), context.Queue()
    children = [context.Process(target=work, args=(*arguments(n), ready, go, ends)) for n in range(KERNELS)]
    for child in children:
        child.start()
    for _ in children:
        ready.acquire()
    go.set()
    times = [ends.get(timeout=300) for _ in children]
    for child in children:
        child.join()
    return max(end for _, end in times) - min(begin for begin, _ in times)


def writing() -> float:
    """Print the events of four kernels a second; returns how they compare with the peer's."""
    ours, peers = [], []
    sizes: list[int] = []
    with tempfile.TemporaryDirectory() as kept:
        files = []
        for n in range(KERNELS):
            batches = recorded(n + 1)
            sizes += [sum(len(p) if isinstance(p, list) else 1 for _, p in batch) for batch in batches[1:]]
            files.append(str(Path(kept) / f"{n}.pickle"))
            Path(files[-1]).write_bytes(pickle.dumps(batches))
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                ours.append(at_once(kernel, lambda n, folder=folder: (folder,)))
                _check(folder)
            with tempfile.TemporaryDirectory() as folder:
                Database(Place.of("", Path(folder)), PATIENT).close()
                peers.append(at_once(bare, lambda n, folder=folder: (folder, files[n])))
                _check(folder)
    mine, peer = (KERNELS * EVENTS / statistics.median(times) for times in (ours, peers))
    print(f"Events of {KERNELS} kernels at once, {EVENTS:,} each, with their turns and tasks:")
    print(f"  {'through the store':<46} {mine:10,.0f} a second   ({_spread(ours)})")
    print(f"  {'bare sqlite3, the same batches':<46} {peer:10,.0f} a second   ({_spread(peers)})")
    print(f"  rows of a batch: {statistics.median(sizes):.0f} (median)")
    print(f"  ratio {mine / peer:.2f} (aim: at least {AIM}); of the best runs {min(peers) / min(ours):.2f}")
    return mine / peer


def _check(folder: str) -> None:
    with sqlite3.connect(Path(folder) / "history.db") as connection:
        count = connection.execute("SELECT count(*), count(DISTINCT session_id) FROM tasks").fetchone()
        assert count == (KERNELS * COMMANDS, KERNELS), count
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
        per_session = connection.execute(
            "SELECT max(seq), count(*) FROM events GROUP BY session_id"
        ).fetchall()
        assert all(last == found for last, found in per_session), per_session
        assert sum(found for _, found in per_session) >= KERNELS * EVENTS


def publishing() -> None:
    """Print what the loop thread pays for each event."""

    async def session(folder: str) -> list[float]:
        store = Store("", Path(folder), workspace="/nb", on_keeping=_nobody, patience=PATIENT)
        await store.open(resume=False)
        costs = []
        for message in told():
            begin = time.perf_counter()
            store.publish(message)
            costs.append(time.perf_counter() - begin)
            if len(costs) % 100 == 0:
                await asyncio.sleep(0.002)
        await store.close()
        return costs

    with tempfile.TemporaryDirectory() as folder:
        costs = asyncio.run(session(folder))
    median, most = statistics.median(costs), sorted(costs)[int(0.999 * len(costs))]
    print(f"  the loop thread pays {median * 1e6:.0f} µs an event (99.9%: {most * 1e6:.0f} µs)")


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "list of conversations": lambda c: records.find_threads(c),
    "list of those of one notebook": lambda c: records.find_threads(c, workspace="/home/me/notebook3.ipynb"),
    "conversations in which words were said": lambda c: records.find_threads(c, "module77 xdist"),
    "list of tasks": lambda c: records.find_tasks(c),
    "tasks with two words, one rare": lambda c: records.find_tasks(c, "module77 xdist"),
    "tasks with words that all have": lambda c: records.find_tasks(c, "run tests"),
    "tasks by three letters as prefixes": lambda c: records.find_tasks(c, "r t p"),
    "failed or interrupted tasks": lambda c: records.find_tasks(c, states=["failed", "interrupted"]),
    "a conversation whole": lambda c: records.past_tasks(c, thread_id="thread77"),
}


def finding(name: str, url: str) -> None:
    """Print how long lists and searches take among many tasks."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Place.of(url, Path(folder)), PATIENT)
        fill(database, TASKS, kept_chars=1_000)
        print(f"Among {TASKS:,} tasks in {name} ({database.size_bytes() / 1e6:.0f} MB), 50 of them shown:")
        for what, question in QUESTIONS.items():
            times = []
            for _ in range(9):
                begin = time.perf_counter()
                database.ask(question)
                times.append(time.perf_counter() - begin)
            median, most = statistics.median(times) * 1e3, max(times) * 1e3
            print(f"  {what:<46} median {median:7.1f} ms   most {most:7.1f} ms")
        database.close()


def _spread(times: list[float]) -> str:
    return ", ".join(f"{seconds:.2f} s" for seconds in sorted(times))


def _nobody(keeping: Keeping) -> None:
    assert keeping.state == "kept" or not keeping.message, keeping.message


def main() -> int:
    ratio = writing()
    publishing()
    finding("SQLite", "")
    if postgres_server.programs() is not None:
        with postgres_server.running() as server:
            finding("PostgreSQL", server.fresh())
    return 0 if ratio >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
