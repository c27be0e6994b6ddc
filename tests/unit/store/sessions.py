"""Sessions as they tell their store what happens, without anything happening."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    Call,
    Keeping,
    Origin,
    Result,
    Task,
    TaskChanged,
    TaskState,
    Turn,
    TurnChanged,
    TurnState,
)
from voice_kernel.store import Conversation, History, Store
from voice_kernel.store.faults import Patience

QUICK = Patience(
    busy_s=60.0, connect_s=60.0, gather_s=0.005, lazy_s=0.02, retry_s=0.02, most_retry_s=0.1, beat_s=3600.0
)
"""Nothing is waited for that need not be, and everything that only takes long on a slow machine."""
IMPATIENT = replace(QUICK, busy_s=0.2)
"""For a database that another program holds."""
NOTEBOOK = "/home/me/work.ipynb"
LIMIT_S = 60.0


class Session:
    """One session and its store.

    Attributes:
        store: its store.
        told: what the store said of what is kept.
        conversation: what there was to go on with.
    """

    def __init__(self, store: Store, told: list[Keeping]) -> None:
        self.store = store
        self.told = told
        self.conversation: Conversation | None = None
        self.closed = False
        self._turn = 0
        self._task = 0
        self._changed = asyncio.Event()

    def heard(self, keeping: Keeping) -> None:
        self.told.append(keeping)
        self._changed.set()

    async def open(self, *, resume: bool = True) -> Session:
        self.conversation = await self.store.open(resume=resume)
        self.take_over(self.conversation)
        return self

    def take_over(self, conversation: Conversation | None) -> None:
        """Count on from a conversation, as a session does."""
        if conversation is not None:
            self._turn = max(self._turn, conversation.last_turn_id)
            self._task = max(self._task, conversation.last_task_id)

    async def until(self, state: str) -> Keeping:
        """Wait until the store says that it keeps, or that it does not."""
        async with asyncio.timeout(LIMIT_S):
            while self.store.keeping.state != state:
                self._changed.clear()
                await self._changed.wait()
        return self.store.keeping

    def say(self, text: str, *, origin: Origin = "text", state: TurnState = "running", **more: Any) -> Turn:
        """Begin a turn."""
        self._turn += 1
        fields = {"created_at": time.time(), **more}
        turn = Turn(id=self._turn, state=state, origin=origin, text=text, **fields)
        self.store.publish(TurnChanged(turn=turn))
        return turn

    def end_turn(self, turn: Turn, state: TurnState = "succeeded", **more: Any) -> Turn:
        turn = turn.model_copy(update={"state": state, "ended_at": time.time(), **more})
        self.store.publish(TurnChanged(turn=turn))
        return turn

    def start(self, turn: Turn, tool: str = "run_shell", **more: Any) -> Task:
        """Begin a task and let it run."""
        self._task += 1
        fields = {"title": tool, "area": "shell", "origin": turn.origin, "created_at": time.time(), **more}
        task = Task(id=self._task, turn_id=turn.id, tool=tool, **fields)
        self.store.publish(TaskChanged(task=task))
        return self.change(task, "running", started_at=time.time())

    def change(self, task: Task, state: TaskState, **more: Any) -> Task:
        task = task.model_copy(update={"state": state, **more})
        self.store.publish(TaskChanged(task=task))
        return task

    def end(self, task: Task, state: TaskState = "succeeded", **more: Any) -> Task:
        return self.change(task, state, ended_at=time.time(), **more)

    def ask(self, task: Task, **more: Any) -> Approval:
        approval = Approval(
            id=task.id, task_id=task.id, tool=task.tool, target="x", reason="y", created_at=1.0, **more
        )
        self.store.publish(ApprovalChanged(approval=approval))
        return approval

    def do(self, text: str, tool: str = "run_shell", summary: str = "done", **more: Any) -> Task:
        """Say something that one task does."""
        turn = self.say(text, calls=[Call(tool=tool)])
        task = self.end(self.start(turn, tool, **more), result=Result(summary=summary))
        self.end_turn(turn)
        return task

    async def written(self) -> None:
        """Wait until all of it is in the database, and the store has looked after the rest of it."""
        assert await self.store.flush(LIMIT_S)
        assert await self.store.flush(LIMIT_S)  # answered after that

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            worker = self.store._writer._worker
            await self.store.close()
            if worker is not None:  # it waits for its writer only so long
                await asyncio.to_thread(worker.join, LIMIT_S)


class Sessions:
    """Makes sessions on one database.

    Attributes:
        url: of the database.
        folder: voice_kernel's data folder.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._all: list[Session] = []

    def make(self, *, workspace: str = NOTEBOOK, secrets: Sequence[str] = (), **more: Any) -> Session:
        """Make a session whose store is not open yet."""
        told: list[Keeping] = []
        more = {"patience": QUICK, "url": self.url, **more}
        store = Store(
            more.pop("url"),
            self.folder,
            workspace=workspace,
            secrets=secrets,
            on_keeping=lambda keeping: session.heard(keeping),
            **more,
        )
        session = Session(store, told)
        self._all.append(session)
        return session

    async def begin(self, *, resume: bool = True, **more: Any) -> Session:
        """Make a session and open its store."""
        return await self.make(**more).open(resume=resume)

    def history(self) -> History:
        """Open the database as a command line does."""
        return History(self.url, self.folder)

    async def close(self) -> None:
        for session in self._all:
            await session.close()
