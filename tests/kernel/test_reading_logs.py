"""A page of a long log, asked of a real kernel while the task still runs and after it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from voice_kernel.client import Client
from voice_kernel.messages import (
    LogHits,
    LogPage,
    ReadLog,
    Say,
    SearchLog,
    Task,
    TaskChanged,
    TaskOutput,
    ToKernel,
)


async def asked(client: Client, question: ToKernel) -> LogPage | LogHits:
    """The answer to a question, asked again as a page does: what takes long is done in several goes."""
    client.send(question)
    async for event in client.events():
        if isinstance(event, LogPage | LogHits):
            if event.problem is None or not event.problem.retryable:
                return event
            client.send(question)
    raise AssertionError("unreachable")


async def found(client: Client, task_id: int, query: str) -> list[tuple[int, str]]:
    """The lines of a log that hold a text."""
    hits: list[tuple[int, str]] = []
    line: int | None = 0
    while line is not None:
        answer = await asked(client, SearchLog(id=3, task_id=task_id, query=query, from_line=line))
        assert isinstance(answer, LogHits)
        hits += [(hit.line, hit.text) for hit in answer.hits]
        line = answer.next_line
    return hits


async def ended(client: Client) -> Task:
    async for event in client.events():
        if isinstance(event, TaskChanged) and event.task.ended_at is not None:
            return event.task
    raise AssertionError("unreachable")


async def shown(client: Client, end: str) -> int:
    """The number of the task whose output ends so; a surface may get it as part of the task."""
    async for event in client.events():
        if isinstance(event, TaskOutput) and event.text.endswith(end):
            return event.task_id
        if isinstance(event, TaskChanged) and event.task.tail.endswith(end):
            return event.task.id
    raise AssertionError("unreachable")


async def test_any_part_of_a_long_log_can_be_read_and_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_CLI_EXECUTION", "true")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    async with asyncio.timeout(600), Client(tmp_path, approve=["run_shell"]) as client:
        client.send(Say(text="run the command seq 300000; until test -e go; do sleep 0.05; done; echo over"))
        task_id = await shown(client, "300000\n")
        page = await asked(client, ReadLog(id=1, task_id=task_id, first_line=200_000, lines=3))
        assert isinstance(page, LogPage)
        assert (page.problem, page.complete, page.total_lines) == (None, False, 300_000)
        assert page.lines == ["200001", "200002", "200003"]
        (tmp_path / "go").touch()
        assert (await ended(client)).state == "succeeded"
        page = await asked(client, ReadLog(id=2, task_id=task_id, first_line=-2))
        assert isinstance(page, LogPage)
        assert (page.lines, page.complete) == (["300000", "over"], True)
        assert await found(client, task_id, "OVER") == [(300_000, "over")]
