"""A kernel that is set to run things on a Dask cluster: spoken tests run there, and its end ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from voice_kernel.client import Client
from voice_kernel.messages import Say, Task, TaskChanged, TaskOutput

LIMIT_S = 240.0


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    for name, value in {
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "VOICE_KERNEL_EXECUTOR": "dask",
        "ALLOW_CLI_EXECUTION": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return folder


async def ended(client: Client, text: str) -> Task:
    client.send(Say(text=text))
    async for event in client.events():
        if isinstance(event, TaskChanged) and event.task.ended_at is not None:
            return event.task
    raise AssertionError("unreachable")


async def shown(client: Client, start: str) -> str:
    """The first output of a task; a surface may get it as part of the task."""
    async for event in client.events():
        text = event.text if isinstance(event, TaskOutput) else ""
        text = event.task.tail if isinstance(event, TaskChanged) else text
        if text.startswith(start):
            return text
    raise AssertionError("unreachable")


async def test_spoken_tests_and_commands_run_on_the_cluster_and_end_with_the_kernel(
    cluster: LocalCluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_DASK_SCHEDULER", cluster.scheduler_address)
    (folder / "test_a.py").write_text("def test_one(): pass\ndef test_two(): pass\n")
    worker = cluster.workers[0].pid
    async with asyncio.timeout(LIMIT_S), Client(folder, approve=["run_shell"]) as client:
        task = await ended(client, "run the tests")
        assert (task.state, task.result and task.result.summary[:8]) == ("succeeded", "2 passed")
        client.send(Say(text="run the command echo pid $PPID; sleep 600"))
        reaper = psutil.Process(int((await shown(client, "pid ")).split()[1]))
        assert reaper.ppid() == worker
    # The kernel is shut down now, and with it goes what it had running elsewhere.
    assert not psutil.wait_procs([reaper], timeout=LIMIT_S)[1]


async def test_a_scheduler_that_is_not_there_fails_the_task_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_DASK_SCHEDULER", "tcp://127.0.0.1:9")
    async with asyncio.timeout(LIMIT_S), Client(folder, approve=["run_shell"]) as client:
        task = await ended(client, "run the command echo hello")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "ExecutorError"
    assert "VOICE_KERNEL_EXECUTOR=local" in task.problem.hint
