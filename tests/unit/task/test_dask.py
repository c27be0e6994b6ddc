"""Commands, tests and functions on a Dask cluster: real workers in other processes, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import LocalCluster, default_client

from voice_kernel import doctor
from voice_kernel.errors import ExecutorError
from voice_kernel.events import Hub
from voice_kernel.messages import About, Progress, Result, Task, TaskOutput, TaskProgress, ToSurface
from voice_kernel.task import dask as dask_module
from voice_kernel.task import process, runner
from voice_kernel.task.dask import DaskExecutor
from voice_kernel.task.function import FunctionRaised, Reporter, run_function
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import shell, testing
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.shelf import Shelf
from voice_kernel.usertools.toolcontext import ToolContext

LIMIT_S = 300.0
NEVER_S = 2 * LIMIT_S


@pytest.fixture(autouse=True)
def nobody_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give nothing up because the machine is slow; tests of giving up set limits of their own."""
    monkeypatch.setattr(runner, "STOP_LIMIT_S", NEVER_S)
    monkeypatch.setattr(dask_module, "STOP_LIMIT_S", NEVER_S)
    monkeypatch.setattr(dask_module, "CONNECT_LIMIT_S", LIMIT_S)


def new_cluster(workers: int) -> LocalCluster:
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # None is port 8787, whoever has it
    )


@pytest.fixture(scope="module")
def cluster_process() -> Iterator[LocalCluster]:
    with new_cluster(2) as cluster:
        yield cluster


@pytest.fixture
def cluster(cluster_process: LocalCluster) -> LocalCluster:
    """The cluster, with its two workers."""
    cluster_process.wait_for_workers(2, timeout=LIMIT_S)
    return cluster_process


class Bench:
    """Tools that run on a cluster, called as tasks."""

    def __init__(self, executor: DaskExecutor, folder: Path) -> None:
        self.executor = executor
        self.folder = folder
        self.registry = Registry()
        self.output = ""
        self.progress: list[Progress] = []
        self.hub = Hub(About(version="test"))
        logs = LogFolder(folder.parent / "logs")
        self.runner = Runner(self, lambda task_id: logs.open(f"task-{task_id}"))
        shell.register(self.registry, cwd=lambda: folder, executor=executor)
        testing.register(self.registry, cwd=lambda: folder, executor=executor)

    def publish(self, message: ToSurface) -> None:
        self.hub.publish(message)
        if isinstance(message, TaskProgress) and message.progress is not None:
            self.progress.append(message.progress)
        if isinstance(message, TaskOutput):
            self.output += message.text
            task = self.runner.task(message.task_id)
            assert task is not None
            assert task.state == "running"

    async def call(self, tool: str, **arguments: Any) -> Task:
        spec = self.registry.get(tool)
        handle = self.runner.create(turn_id=1, tool=tool, arguments=arguments, title=tool, origin="text")
        assert spec.handler is not None
        handler = spec.handler

        async def work(task: TaskHandle) -> Result:
            task.move("running")
            return await handler(task, spec.validate(arguments))

        return await self.runner.run(handle, work)

    def begin(self, tool: str, **arguments: Any) -> asyncio.Task[Task]:
        return asyncio.ensure_future(self.call(tool, **arguments))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return folder


@contextlib.asynccontextmanager
async def benched(cluster: LocalCluster, folder: Path, retries: int = 0) -> AsyncIterator[Bench]:
    executor = DaskExecutor(cluster.scheduler_address, retries=retries)
    async with asyncio.timeout(LIMIT_S):
        yield Bench(executor, folder)
        await executor.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S / 2):
        while not condition():  # noqa: ASYNC110 - the state belongs to other processes
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pids(folder: Path) -> list[int]:
    return [int(path.name.removeprefix("pid-")) for path in folder.glob("pid-*")]


def worker_of(pid: int) -> psutil.Process:
    """The worker under which a command runs: the parent of its reaper."""
    reaper = psutil.Process(pid).parent()
    assert reaper is not None
    worker = reaper.parent()
    assert worker is not None
    return worker


def read(path: str) -> str:
    return Path(path).read_text()


def start(code: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-P", "-c", code, *arguments], env=os.environ | variables)


HANGS = "touch pid-$BASHPID; echo begun; (touch pid-$BASHPID; sleep 600; true) & sleep 600; true"


# ---- as it would be here ---------------------------------------------------------------------------


async def test_a_command_runs_on_a_worker_as_it_would_here(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        task = await bench.call(
            "run_shell", command="pwd; test -t 1 && echo terminal; ps -o comm= $PPID; exit 3"
        )
    assert task.state == "failed"
    assert task.result is not None
    assert task.result.exit_code == 3
    assert bench.output == f"{folder}\nterminal\nvk-reaper\n"
    assert read(task.log_path) == bench.output
    assert task.problem is not None
    assert task.problem.kind == "CommandFailed"


async def test_output_comes_while_the_command_runs(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        running = bench.begin(
            "run_shell", command="echo one; until test -e go; do sleep 0.05; done; echo two"
        )
        await until(lambda: bench.output == "one\n")
        (folder / "go").touch()
        assert (await running).state == "succeeded"
    assert bench.output == "one\ntwo\n"


async def test_a_flood_comes_whole_and_in_order_and_in_few_pieces(
    cluster: LocalCluster, folder: Path
) -> None:
    pieces: list[tuple[float, bytes]] = []
    async with benched(cluster, folder) as bench:
        await bench.executor.run(
            process.shell_argv("seq 1000000"), on_output=lambda data: pieces.append((time.monotonic(), data))
        )
    assert b"".join(data for _, data in pieces) == b"".join(b"%d\n" % n for n in range(1, 1_000_001))
    times = sorted({round(at, 2) for at, _ in pieces})
    # Ten a second, where they are sent. Here some may come at once: what has waited on the scheduler, and
    # what the worker has left at the end. Were none put together, there were some in every hundredth.
    assert len(times) <= 10 * (times[-1] - times[0]) + 15


async def test_a_project_is_tested_on_a_worker(cluster: LocalCluster, folder: Path) -> None:
    (folder / "test_a.py").write_text(
        "import os\ndef test_good(): pass\ndef test_bad(): assert 1 == 2, 'differ'\n"
        "def test_keys(): assert 'VOICE_KERNEL_EVENTS_FD' not in os.environ\n"
    )
    async with benched(cluster, folder) as bench:
        task = await bench.call("run_tests")
        again = await bench.call("run_tests", failed_only=True, parallel=True)
    assert task.state == again.state == "failed"
    assert task.result is not None
    assert task.result.tests is not None
    report = task.result.tests
    assert (report.passed, report.failed) == (2, 1)
    assert (report.cases[0].id, report.cases[0].file, report.cases[0].line) == (
        "test_a.py::test_bad",
        "test_a.py",
        3,
    )
    assert "differ" in report.cases[0].message
    assert "2 passed" in bench.output
    assert again.result is not None
    assert again.result.tests is not None
    assert (again.result.tests.passed, again.result.tests.failed) == (0, 1)


async def test_a_time_limit_ends_a_command_on_its_worker(cluster: LocalCluster, folder: Path) -> None:
    for limit_s in (0.5, 5.0, 50.0):  # until that is long enough to begin in
        async with benched(cluster, folder) as bench:
            task = await bench.call("run_shell", command=HANGS, timeout=limit_s)
        assert task.problem is not None
        assert task.problem.kind == "TimedOut"
        assert not [pid for pid in pids(folder) if alive(pid)]
        if len(pids(folder)) >= 2:
            break
    assert len(pids(folder)) >= 2


async def test_what_waits_for_a_free_worker_says_so_and_then_runs(
    cluster: LocalCluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_module, "LOOK_S", 0.1)
    waits: list[str] = []
    async with benched(cluster, folder) as bench:
        first = [
            bench.begin("run_shell", command=f"touch pid-{n}; until test -e go; do sleep 0.05; done")
            for n in (1, 2)
        ]
        await until(lambda: len(pids(folder)) == 2)
        third = asyncio.ensure_future(bench.executor.run(["true"], on_wait=waits.append))
        await until(lambda: waits)
        (folder / "go").touch()
        assert (await third).code == 0
        assert [(await task).state for task in first] == ["succeeded", "succeeded"]
    assert waits == ["waiting for a free Dask worker", ""]


# ---- ends ------------------------------------------------------------------------------------------


async def test_cancelling_ends_all_that_the_command_started(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        running = bench.begin("run_shell", command=HANGS)
        await until(lambda: len(pids(folder)) == 2 and "begun" in bench.output)
        assert all(map(alive, pids(folder)))
        assert bench.runner.cancel(1)
        task = await running  # which does not give up before all of it has ended
        assert not [pid for pid in pids(folder) if alive(pid)]
    assert task.state == "cancelled"
    assert task.problem is not None
    assert task.problem.message == "Cancelled."


async def test_cancelling_a_flood_ends_it(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        running = bench.begin("run_shell", command="touch pid-$BASHPID; yes")
        await until(lambda: "y" in bench.output)
        bench.runner.cancel(1)
        assert (await running).state == "cancelled"
        assert not [pid for pid in pids(folder) if alive(pid)]


async def test_a_command_that_was_cancelled_while_it_waited_never_runs(
    cluster: LocalCluster, folder: Path
) -> None:
    async with benched(cluster, folder) as bench:
        busy = [bench.begin("run_shell", command=f"touch pid-{n}; sleep 600") for n in (1, 2)]
        await until(lambda: len(pids(folder)) == 2)
        waiting = bench.begin("run_shell", command="touch ran")
        await asyncio.sleep(0)
        bench.runner.cancel(3)
        assert (await waiting).state == "cancelled"
        bench.runner.cancel(1)
        bench.runner.cancel(2)
        assert [(await task).state for task in busy] == ["cancelled", "cancelled"]
        assert (await bench.call("run_shell", command="echo next")).state == "succeeded"
    assert not (folder / "ran").exists()


async def test_nothing_is_left_on_the_scheduler(cluster: LocalCluster, folder: Path) -> None:
    queues = cluster.scheduler.extensions["queues"].queues
    before = set(queues)
    async with benched(cluster, folder) as bench:
        await bench.call("run_shell", command="echo hello")
        await until(lambda: set(queues) <= before)
        running = bench.begin("run_shell", command=HANGS)
        await until(lambda: "begun" in bench.output)
        assert len(set(queues) - before) == 2
        bench.runner.cancel(2)
        await running
    await until(lambda: set(queues) <= before and not cluster.scheduler.tasks)


async def test_disconnecting_ends_what_runs(
    cluster: LocalCluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_module, "CLOSE_LIMIT_S", LIMIT_S / 2)
    async with benched(cluster, folder) as bench:
        running = bench.begin("run_shell", command=HANGS)
        await until(lambda: "begun" in bench.output)
        await bench.executor.close()
        task = await running
        await until(lambda: not [pid for pid in pids(folder) if alive(pid)])
    assert task.state == "interrupted"


OWNER = """
import asyncio, sys
from voice_kernel.task import process
from voice_kernel.task.dask import DaskExecutor
asyncio.run(DaskExecutor(sys.argv[1]).run(process.shell_argv(sys.argv[2]), cwd=sys.argv[3]))
"""


@pytest.mark.parametrize("command", [HANGS, "touch pid-$BASHPID; yes"])
async def test_a_command_ends_when_its_kernel_is_killed(
    cluster: LocalCluster, folder: Path, command: str
) -> None:
    owner = start(OWNER, cluster.scheduler_address, command, str(folder))
    try:
        await until(lambda: pids(folder))
    finally:
        owner.kill()
        owner.wait()
    await until(lambda: not [pid for pid in pids(folder) if alive(pid)])
    queues = cluster.scheduler.extensions["queues"].queues
    # The names stay, as there is nobody to remove them; what they held does not.
    for queue in list(queues.values()):
        await until(lambda: queue.qsize() <= 1)  # noqa: B023 - called before it changes
    queues.clear()


# ---- workers that die ------------------------------------------------------------------------------

SLOW_TESTS = """
    import os, pathlib, time

    def test_first():
        pass

    def test_second():
        pathlib.Path(f"pid-{os.getpid()}").touch()
        while not os.path.exists("go"):
            time.sleep(0.05)
"""


async def test_a_worker_that_dies_interrupts_its_tests_and_keeps_what_they_had(
    cluster: LocalCluster, folder: Path
) -> None:
    (folder / "test_a.py").write_text(textwrap.dedent(SLOW_TESTS))
    async with benched(cluster, folder) as bench:
        running = bench.begin("run_tests")
        await until(lambda: bench.progress and bench.progress[-1].done == 1 and pids(folder))
        worker_of(pids(folder)[0]).kill()
        task = await running
        await until(lambda: not [pid for pid in pids(folder) if alive(pid)])
    assert task.state == "interrupted"
    assert task.problem is not None
    assert task.problem.message.endswith("died while it ran.")
    assert (task.problem.hint, task.problem.retryable) == ("Retry runs it again.", True)
    assert task.result is not None
    assert task.result.tests is not None
    assert [case.id for case in task.result.tests.cases] == ["test_a.py::test_first"]
    (folder / "go").touch()
    cluster.wait_for_workers(2, timeout=LIMIT_S)
    assert len(pids(folder)) == 1  # nobody has begun them again


async def test_a_worker_that_dies_has_its_tests_run_again_where_that_is_set(
    cluster: LocalCluster, folder: Path
) -> None:
    (folder / "test_a.py").write_text(textwrap.dedent(SLOW_TESTS))
    async with benched(cluster, folder, retries=1) as bench:
        running = bench.begin("run_tests")
        await until(lambda: pids(folder))
        worker_of(pids(folder)[0]).kill()
        await until(lambda: len(pids(folder)) == 2)
        (folder / "go").touch()
        task = await running
    assert task.state == "succeeded"
    assert task.result is not None
    assert task.result.tests is not None
    assert task.result.tests.passed == 2
    assert "is gone: run again on" in bench.output
    assert "try 2 of 2" in bench.output


async def test_a_command_is_run_again_only_as_often_as_is_set(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder, retries=1) as bench:
        running = bench.begin("run_shell", command="touch pid-$BASHPID; sleep 600; true")
        await until(lambda: pids(folder))
        [first] = pids(folder)
        worker_of(first).kill()
        await until(lambda: len(pids(folder)) == 2)
        [second] = set(pids(folder)) - {first}
        worker_of(second).kill()
        task = await running
    assert task.state == "interrupted"
    assert task.problem is not None
    assert task.problem.message.endswith("died while it ran, on try 2.")
    cluster.wait_for_workers(2, timeout=LIMIT_S)
    assert len(pids(folder)) == 2


async def test_a_worker_that_is_retired_has_its_command_run_again_where_that_is_set(folder: Path) -> None:
    with new_cluster(2) as own:
        async with benched(own, folder, retries=1) as bench:
            running = bench.begin(
                "run_shell", command="touch pid-$BASHPID; until test -e go; do sleep 0.05; done"
            )
            await until(lambda: pids(folder))
            [first] = pids(folder)
            worker = worker_of(first).pid
            address = next(nanny.worker_address for nanny in own.workers.values() if nanny.pid == worker)
            client = await bench.executor._connected()
            await client.retire_workers([address], close_workers=True)
            await until(lambda: len(pids(folder)) == 2 and not alive(first))
            (folder / "go").touch()
            assert (await running).state == "succeeded"


async def test_what_waits_goes_to_the_worker_that_is_free_first(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        long = bench.begin("run_shell", command="touch pid-1; sleep 600")
        await until(lambda: pids(folder))
        more = [bench.begin("run_shell", command=f"sleep 0.2; echo {n}") for n in range(6)]
        assert {(await task).state for task in more} == {"succeeded"}
        bench.runner.cancel(1)
        assert (await long).state == "cancelled"


async def test_a_cluster_that_goes_away_interrupts_its_commands(folder: Path) -> None:
    with new_cluster(1) as own:
        async with benched(own, folder) as bench:
            running = bench.begin("run_shell", command=HANGS)
            await until(lambda: "begun" in bench.output)
            await asyncio.to_thread(own.close)
            task = await running
            await until(lambda: not [pid for pid in pids(folder) if alive(pid)])
    assert task.state == "interrupted"
    assert task.problem is not None
    assert task.problem.hint == "Retry runs it again."


# ---- what cannot be done ---------------------------------------------------------------------------


async def refused(executor: DaskExecutor, **options: Any) -> ExecutorError:
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(ExecutorError) as caught:
            await executor.run(["true"], **options)
        await executor.close()
    return caught.value


async def test_a_scheduler_that_cannot_be_reached_is_said_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_module, "CONNECT_LIMIT_S", 1.0)
    tries: list[DaskExecutor] = []

    class Counted(DaskExecutor):
        async def _connect(self) -> Any:
            tries.append(self)
            return await super()._connect()

    executor = Counted("tcp://127.0.0.1:9")
    error, *_others = await asyncio.gather(*(refused(executor) for _ in range(20)))
    assert len(tries) == 1  # they wait for one and the same
    assert error.message == "The Dask scheduler at tcp://127.0.0.1:9 cannot be reached."
    assert "dask scheduler" in error.hint
    assert "VOICE_KERNEL_EXECUTOR=local" in error.hint


async def test_an_address_that_is_none_is_said() -> None:
    assert "cannot be reached" in (await refused(DaskExecutor("what://ever"))).message


async def test_without_an_address_it_is_said_how_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    error = await refused(DaskExecutor())
    assert error.message == "No Dask scheduler is configured."
    assert "VOICE_KERNEL_DASK_SCHEDULER" in error.hint


async def test_the_scheduler_that_dask_is_configured_for_is_used(cluster: LocalCluster, folder: Path) -> None:
    import dask.config

    with dask.config.set({"scheduler-address": cluster.scheduler_address}):
        executor = DaskExecutor()
        assert (await executor.run(["true"], cwd=folder)).code == 0
        await executor.close()


async def test_without_dask_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = await refused(DaskExecutor("tcp://127.0.0.1:9"))
    assert "not installed" in error.message
    assert "voice-kernel[dask]" in error.hint


async def test_a_folder_that_the_worker_does_not_have_is_said(cluster: LocalCluster, tmp_path: Path) -> None:
    error = await refused(DaskExecutor(cluster.scheduler_address), cwd=tmp_path / "elsewhere")
    assert f"The folder {tmp_path}/elsewhere does not exist where the Dask worker runs" in error.message
    assert "share the folder" in error.hint


async def test_a_worker_with_another_version_is_said(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_module, "Job", functools.partial(dask_module.Job, version="0.0.1"))
    error = await refused(DaskExecutor(cluster.scheduler_address))
    assert "has voice_kernel" in error.message


async def test_a_worker_without_voice_kernel_is_said_and_lives_on(tmp_path: Path) -> None:
    (tmp_path / "voice_kernel").mkdir()
    (tmp_path / "voice_kernel" / "__init__.py").write_text("raise ImportError('none here')")
    with new_cluster(0) as cluster:
        options = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)]
        worker = start(
            "from distributed.cli.dask_worker import main; main()",
            cluster.scheduler_address,
            *options,
            PYTHONPATH=str(tmp_path),
        )
        try:
            cluster.wait_for_workers(1, timeout=LIMIT_S)
            before = set(cluster.scheduler.workers)
            error = await refused(DaskExecutor(cluster.scheduler_address))
            assert set(cluster.scheduler.workers) == before
        finally:
            worker.terminate()
            worker.wait()
    assert "has no voice_kernel" in error.message
    assert "voice-kernel[dask]==" in error.hint


async def test_a_program_that_is_not_there_is_said_with_its_worker(
    cluster: LocalCluster, folder: Path
) -> None:
    async with benched(cluster, folder) as bench:
        exit_ = await bench.executor.run(["no-such-program"])
    assert exit_.code == 127
    assert (
        "There is no command named 'no-such-program' here. It was tried on the Dask worker" in exit_.problem
    )


async def test_the_doctor_tries_the_cluster(cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WORKER_LIMIT_S", LIMIT_S)
    monkeypatch.setenv("VOICE_KERNEL_EXECUTOR", "dask")
    monkeypatch.setenv("VOICE_KERNEL_DASK_SCHEDULER", cluster.scheduler_address)
    findings = await asyncio.to_thread(lambda: list(doctor.examine()))
    [finding] = [finding for finding in findings if finding.subject == "executor"]
    assert (finding.level, finding.message) == (
        "ok",
        f"commands and tests run on the Dask cluster at {cluster.scheduler_address}",
    )


async def test_a_cluster_without_workers_is_said_and_not_waited_for_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_module, "LOOK_S", 0.05)
    monkeypatch.setattr(dask_module, "LAST_LOOK_S", 0.01)
    monkeypatch.setattr(dask_module, "NO_WORKER_LIMIT_S", 0.3)
    waits: list[str] = []
    with new_cluster(0) as empty:
        error = await refused(DaskExecutor(empty.scheduler_address), on_wait=waits.append)
    assert "No Dask worker was there" in error.message
    assert waits == ["waiting: no Dask worker is there"]


# ---- beside what the user does ---------------------------------------------------------------------


def test_dask_is_not_imported_before_it_is_used() -> None:
    code = (
        "import sys, voice_kernel.app, voice_kernel.task.dask as dask; dask.DaskExecutor('tcp://x:1')\n"
        "sys.exit(bool({'dask', 'distributed', 'tornado.tcpserver'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_the_users_own_client_stays_the_default(cluster: LocalCluster, folder: Path) -> None:
    async with benched(cluster, folder) as bench:
        await bench.executor.run(["true"])
        with pytest.raises(ValueError, match="No clients found"):
            default_client()


async def test_a_users_own_tool_runs_on_a_worker(
    cluster: LocalCluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)

    def train(ctx: ToolContext, epochs: int) -> int:
        print("training", flush=True)
        ctx.progress(1.0, "trained")
        Path(f"pid-{os.getpid()}").touch()
        while epochs > 3:
            time.sleep(0.1)
        return epochs

    shelf = Shelf()
    shelf.put(define(train, thread="process"))
    async with benched(cluster, folder) as bench:
        Adoption(shelf, bench.registry, NoDoor(), print, bench.executor).update()
        task = await bench.call("train", epochs=3)
        assert task.state == "succeeded", task.problem
        assert (task.result and task.result.summary, task.tail) == ("3", "training\n")
        assert bench.progress[-1] == Progress(fraction=1.0, label="trained")
        [ended] = pids(folder)
        hangs = bench.begin("train", epochs=4)
        await until(lambda: len(pids(folder)) == 2)
        [pid] = set(pids(folder)) - {ended}
        assert worker_of(pid).pid in {nanny.pid for nanny in cluster.workers.values()}
        bench.runner.cancel(2)
        assert (await hangs).state == "cancelled"
        assert not alive(pid)


class NoDoor:
    """A main thread that nothing here needs."""

    async def run(self, code: str, **_options: Any) -> Any:
        raise AssertionError("it was asked for the main thread")


async def test_a_function_runs_on_a_worker(cluster: LocalCluster, folder: Path) -> None:
    def counted(report: Reporter, limit: int) -> int:
        for number in range(limit):
            print(number, flush=True)
        report.progress(1.0, "counted")
        return limit

    def raises() -> None:
        raise LookupError("nothing there")

    output, told = bytearray(), list[Progress]()
    async with benched(cluster, folder) as bench:
        value = await run_function(
            bench.executor,
            counted,
            [Reporter(), 3],
            cwd=folder,
            on_output=output.extend,
            on_progress=told.append,
        )
        with pytest.raises(FunctionRaised, match="nothing there"):
            await run_function(bench.executor, raises, cwd=folder)
    assert value == 3
    assert output == b"0\n1\n2\n"
    assert told[-1] == Progress(fraction=1.0, label="counted")
