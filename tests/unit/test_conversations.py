"""Conversations: what is shown, what can be said of it and what is kept stay in step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from voice_kernel.context import Context
from voice_kernel.conversations import NOT_KEPT, Conversations, workspace
from voice_kernel.errors import HistoryError, NotInHistory, Refused
from voice_kernel.events import Hub, Subscription
from voice_kernel.intents import Grammar
from voice_kernel.messages import (
    About,
    Call,
    FindTasks,
    Keeping,
    ListThreads,
    Notice,
    Result,
    State,
    Task,
    Thread,
    ToSurface,
    Turn,
)
from voice_kernel.session import Session
from voice_kernel.store import Conversation, Store
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Arguments, Registry

LIMIT_S = 30.0


def a_thread(name: str) -> Thread:
    return Thread(id=name, title=name, workspace="w", created_at=1, updated_at=2)


def past_turn(number: int, **fields: Any) -> Turn:
    return Turn(id=number, state="succeeded", origin="text", text=f"said {number}", created_at=1, **fields)


def past_task(number: int, turn_id: int, **fields: Any) -> Task:
    return Task.model_validate(
        {
            "id": number,
            "turn_id": turn_id,
            "tool": "note",
            "title": f"note {number}",
            "state": "interrupted",
            "created_at": 1,
            "earlier": True,
        }
        | fields
    )


class Shelf(Store):
    """A store with some conversations on it, in memory."""

    def __init__(self, kept: list[Conversation]) -> None:
        self.told: list[Keeping] = []
        super().__init__("", Path("nowhere"), workspace="w", on_keeping=self._tell)
        self.kept = {conversation.thread.id: conversation for conversation in kept}
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.heard: list[ToSurface] = []
        self.closed = False
        self.desk: Conversations | None = None

    def _tell(self, keeping: Keeping) -> None:
        self.keeping = keeping
        if self.desk is not None:
            self.desk.keeping_changed(keeping)

    def publish(self, message: ToSurface) -> None:
        self.heard.append(message)

    async def open(self, *, resume: bool) -> Conversation | None:
        await self.may_open.wait()
        self._tell(Keeping(state="kept", thread=self.keeping.thread))
        turns = [message for message in self.heard if message.type == "turn"]
        if not resume or turns or not self.kept:
            return None
        return await self.open_thread(next(reversed(self.kept)))

    async def open_thread(self, thread_id: str) -> Conversation:
        if thread_id not in self.kept:
            raise NotInHistory("There is no such conversation.")
        self._tell(self.keeping.model_copy(update={"thread": self.kept[thread_id].thread}))
        return self.kept[thread_id]

    async def delete_thread(self, thread_id: str) -> None:
        del self.kept[thread_id]
        if self.keeping.thread is not None and self.keeping.thread.id == thread_id:
            await self.new_thread()

    async def close(self) -> None:
        self.closed = True


class Note(Arguments):
    wait: bool = False


class Desk:
    """A session with one tool, and what a surface of it is told."""

    def __init__(self, folder: Path, store: Store | None, *, resume: bool = True) -> None:
        self.hub = Hub(About(version="test"))
        self.runner = Runner(self.hub, lambda task_id: LogFolder(folder).open(f"task-{task_id}"))
        registry = Registry()
        self.go = asyncio.Event()
        self.waiting: asyncio.Queue[int] = asyncio.Queue()

        @registry.tool(area="shell")
        async def note(task: TaskHandle, args: Note) -> Result:
            """Note something."""
            if args.wait:
                self.waiting.put_nowait(task.id)
                await self.go.wait()
            return Result(summary="Noted.")

        async def nobody() -> bool:
            return False

        async def grammar() -> Grammar:
            raise AssertionError("nothing is parsed here")

        async def context() -> Context:
            return Context()

        toolbox = Toolbox(registry, Policy(shell_allowed=True), Approvals(self.hub, nobody), self.runner)
        self.session = Session(self.hub, toolbox, grammar, context, lambda: None)
        self.recalled: list[list[int]] = []
        self.conversations = Conversations(
            self.hub,
            self.session,
            self.runner,
            store,
            resume=resume,
            recalled=lambda turns: self.recalled.append([turn.id for turn in turns]),
        )
        if isinstance(store, Shelf):
            store.desk = self.conversations
        self.subscription: Subscription
        _, self.subscription = self.hub.subscribe()

    async def note(self, *, wait: bool = False) -> Any:
        call = Call(tool="note", arguments={"wait": True} if wait else {})
        return await self.session.do([call], text="note it", origin="text")

    async def start(self) -> asyncio.Task[Any]:
        """Begin a note that runs until `go`."""
        work = asyncio.ensure_future(self.note(wait=True))
        await asyncio.wait_for(self.waiting.get(), LIMIT_S)
        return work

    async def told(self) -> list[ToSurface]:
        """Return what surfaces were told since the last time."""
        return await asyncio.wait_for(self.subscription.changes(), LIMIT_S)

    @property
    def shown(self) -> tuple[list[int], list[int]]:
        return list(self.hub.turns), list(self.hub.tasks)


OLD = Conversation(
    a_thread("old"), [past_turn(4)], [past_task(7, 4), past_task(9, 4)], last_turn_id=6, last_task_id=12
)
OTHER = Conversation(
    a_thread("other"), [past_turn(30)], [past_task(31, 30)], last_turn_id=30, last_task_id=31
)


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf([OTHER, OLD])


@pytest.fixture
async def desk(tmp_path: Path, shelf: Shelf) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path, shelf)
    yield desk
    desk.go.set()


# ---- going on -----------------------------------------------------------------------------------------


async def test_a_notebook_goes_on_with_its_last_conversation(desk: Desk) -> None:
    assert await desk.conversations.wait_open(LIMIT_S)
    assert desk.shown == ([4], [7, 9])
    assert any(isinstance(message, State) for message in await desk.told())
    assert desk.recalled == [[4]]


async def test_numbers_go_on_where_the_workspace_left_off(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    result = await desk.note()
    assert (result.turn.id, result.tasks[0].id) == (7, 13)


async def test_a_task_of_an_earlier_kernel_can_be_run_again(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    result = await desk.session.retry(7)
    assert result is not None
    assert (result.turn.text, result.outcome) == ("Again: note 7", "succeeded")
    assert [task.earlier for task in result.tasks] == [False]
    assert desk.runner.task(7) is not None  # it stays where it is


async def test_nobody_waits_for_a_database_that_is_slow(tmp_path: Path, shelf: Shelf) -> None:
    shelf.may_open.clear()
    desk = Desk(tmp_path, shelf)
    assert not await desk.conversations.wait_open(0.01)
    assert (await desk.note()).ok
    shelf.may_open.set()
    assert await desk.conversations.wait_open(LIMIT_S)
    assert desk.shown == ([1], [1])  # something was said first: the old conversation stays in the list


async def test_a_conversation_begun_before_the_database_was_open_is_not_replaced(
    tmp_path: Path, shelf: Shelf
) -> None:
    shelf.may_open.clear()
    desk = Desk(tmp_path, shelf)
    await desk.conversations.wait_open(0.01)
    await desk.conversations.new()
    shelf.may_open.set()
    await desk.conversations.wait_open(LIMIT_S)
    assert desk.shown == ([], [])
    assert shelf.keeping.thread is not None
    assert shelf.keeping.thread.id not in ("old", "other")


async def test_a_script_begins_a_conversation_of_its_own(tmp_path: Path, shelf: Shelf) -> None:
    desk = Desk(tmp_path, shelf, resume=False)
    assert await desk.conversations.wait_open(LIMIT_S)
    assert desk.shown == ([], [])


# ---- another conversation -----------------------------------------------------------------------------


async def test_opening_a_conversation_shows_it_and_counts_on(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    await desk.conversations.open("other")
    assert desk.shown == ([30], [31])
    assert desk.runner.task(7) is None
    result = await desk.note()
    assert (result.turn.id, result.tasks[0].id) == (31, 32)


async def test_what_runs_goes_on_in_sight_and_can_be_cancelled(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    work = await desk.start()
    await desk.conversations.new()
    assert desk.shown == ([7], [13])
    assert desk.session.cancel_task(13)
    result = await work
    assert [task.state for task in result.tasks] == ["cancelled"]


async def test_a_turn_that_outlives_its_conversation_still_has_its_result(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    work = await desk.start()
    await desk.conversations.new()
    desk.go.set()
    result = await work
    await desk.conversations.new()
    assert desk.shown == ([], [])
    assert result.ok
    assert desk.session.result(result.turn.id).turn == result.turn


async def test_coming_back_shows_what_still_runs_as_it_is_now(desk: Desk, shelf: Shelf) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    work = await desk.start()
    await desk.conversations.open("other")
    written = past_task(13, 7, state="queued", earlier=False)
    shelf.kept["old"] = Conversation(
        OLD.thread, [*OLD.turns, past_turn(7)], [*OLD.tasks, written], last_turn_id=7, last_task_id=13
    )
    await desk.conversations.open("old")
    assert desk.shown == ([4, 7], [7, 9, 13])
    assert desk.hub.tasks[13].state == "running"
    assert desk.hub.turns[7].state == "running"
    desk.go.set()
    assert (await work).ok


async def test_opening_the_conversation_that_is_open_changes_nothing(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    await desk.told()
    await desk.conversations.open("old")
    assert desk.recalled == [[4]]


async def test_a_conversation_that_is_not_there_is_said_and_the_open_one_stays(desk: Desk) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    with pytest.raises(NotInHistory):
        await desk.conversations.open("gone")
    assert desk.shown == ([4], [7, 9])


async def test_deleting_the_open_conversation_leaves_a_new_one(desk: Desk, shelf: Shelf) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    await desk.conversations.delete("old")
    assert desk.shown == ([], [])
    assert list(shelf.kept) == ["other"]


async def test_a_conversation_of_which_something_runs_is_not_deleted(desk: Desk, shelf: Shelf) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    work = await desk.start()
    with pytest.raises(Refused):
        await desk.conversations.delete("old")
    await desk.conversations.open("other")
    with pytest.raises(Refused):  # also when it is not the open one
        await desk.conversations.delete("old")
    desk.go.set()
    await work
    await desk.conversations.delete("old")
    assert list(shelf.kept) == ["other"]


# ---- what is kept -------------------------------------------------------------------------------------


async def test_without_a_store_a_conversation_can_be_begun_but_none_found(tmp_path: Path) -> None:
    desk = Desk(tmp_path, None)
    assert await desk.conversations.wait_open(0)
    assert desk.hub.state().keeping == NOT_KEPT
    assert (await desk.note()).ok
    await desk.conversations.new()
    assert desk.shown == ([], [])
    found = await desk.conversations.threads(ListThreads(id=1))
    assert found.problem is not None
    assert "turned off" in found.problem.message
    assert (await desk.conversations.find(FindTasks(id=1))).problem is not None
    with pytest.raises(HistoryError):
        await desk.conversations.open("old")


async def test_that_nothing_is_kept_is_told_once_with_what_to_do(desk: Desk, shelf: Shelf) -> None:
    await desk.conversations.wait_open(LIMIT_S)
    await desk.told()
    full = Keeping(message="The disk is full.", hint="Make room.")
    for keeping in (full, full, Keeping(state="kept")):
        desk.conversations.keeping_changed(keeping)
    notices = [message for message in await desk.told() if isinstance(message, Notice)]
    assert [(notice.message, notice.hint) for notice in notices] == [
        ("The disk is full.", "Make room."),
        ("Conversations and tasks are being kept again.", ""),
    ]


async def test_the_end_of_the_session_interrupts_what_runs_but_not_what_was_cancelled(
    tmp_path: Path, shelf: Shelf
) -> None:
    desk = Desk(tmp_path, shelf)
    await desk.conversations.wait_open(LIMIT_S)
    works = [await desk.start(), await desk.start()]
    desk.session.cancel_task(13)
    await desk.conversations.close(LIMIT_S)
    assert shelf.closed
    states = {message.task.id: message.task for message in shelf.heard if message.type == "task"}
    assert {i: task.state for i, task in states.items()} == {13: "cancelled", 14: "interrupted"}
    problem = states[14].problem
    assert problem is not None
    assert problem.retryable
    results = [await work for work in works]
    assert [result.turn.state for result in results] == ["cancelled", "failed"]
    assert (await desk.note()).outcome == "failed"  # nothing runs from now on


async def test_the_end_is_waited_for_within_its_bound(
    tmp_path: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(shelf, "close", never)
    desk = Desk(tmp_path, shelf)
    await desk.conversations.close(0.01)


# ---- whose notebook -----------------------------------------------------------------------------------


def test_a_kernel_works_for_the_notebook_the_server_names_or_else_for_its_folder(tmp_path: Path) -> None:
    assert workspace({"JPY_SESSION_NAME": "/home/ada/a.ipynb"}, tmp_path) == ("/home/ada/a.ipynb", True)
    assert workspace({"JPY_SESSION_NAME": "b/../a.ipynb"}, tmp_path) == (str(tmp_path / "a.ipynb"), True)
    assert workspace({"JPY_SESSION_NAME": "/home/ada/console-1-0"}, tmp_path) == (str(tmp_path), False)
    assert workspace({}, tmp_path) == (str(tmp_path), False)
