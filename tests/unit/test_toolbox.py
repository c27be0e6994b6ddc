"""The one door: validation, policy, approval, task; and what counts as a yes."""

from __future__ import annotations

import asyncio
import contextlib
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from voice_kernel.errors import UnknownTool
from voice_kernel.events import Hub, Subscription
from voice_kernel.messages import About, Approval, ApprovalChanged, Origin, QueueChanged, Result, Task
from voice_kernel.task import lanes as lanes_module
from voice_kernel.task import runner as runner_module
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox import approval as approval_module
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import MAX_TITLE_CHARS, Toolbox, title_of
from voice_kernel.toolbox.policy import SHELL_HINT, Policy
from voice_kernel.toolbox.registry import Arguments, Effect, Registry, ToolFailed
from voice_kernel.toolbox.timelimit import timed_out

PEOPLE: list[Origin] = ["voice", "text", "magic", "script", "retry"]


class NoLog:
    path = ""
    cut_bytes = 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Command(Arguments):
    command: str
    timeout: float | None = None


class Nothing(Arguments):
    pass


@dataclass
class Bench:
    hub: Hub
    toolbox: Toolbox
    somebody: list[bool]
    ran: list[str] = field(default_factory=list)

    @property
    def approvals(self) -> Approvals:
        return self.toolbox.approvals

    async def call(self, tool: str, arguments: dict[str, Any] | None = None, **how: Any) -> Task:
        options: dict[str, Any] = {"turn_id": 1, "origin": "voice"} | how
        async with asyncio.timeout(120):
            return await self.toolbox.call(tool, arguments or {}, **options)

    async def asks(self, tool: str, **how: Any) -> tuple[asyncio.Task[Task], Approval]:
        """Start a call and wait for its card."""
        _state, subscription = self.hub.subscribe()
        calling = asyncio.create_task(self.call(tool, **how))
        return calling, await card_in(subscription, lambda card: card.state == "open")


async def card_in(subscription: Subscription, wanted: Callable[[Approval], bool]) -> Approval:
    async with asyncio.timeout(30):
        while True:
            for message in await subscription.changes():
                if isinstance(message, ApprovalChanged) and wanted(message.approval):
                    subscription.close()
                    return message.approval


@pytest.fixture
def bench() -> Bench:
    return make_bench(Policy())


def make_bench(policy: Policy, **how: Any) -> Bench:
    somebody = [True]

    async def somebody_listens() -> bool:
        return somebody[0]

    hub = Hub(About(version="test"))
    registry = Registry()
    runner = Runner(hub, lambda _id: NoLog())
    toolbox = Toolbox(registry, policy, Approvals(hub, somebody_listens), runner, **how)
    bench = Bench(hub, toolbox, somebody)

    def add(name: str, *effects: Effect) -> None:
        async def handler(task: TaskHandle, arguments: Nothing) -> Result:
            """Note that it ran."""
            bench.ran.append(name)
            return Result(summary=f"{name} ran")

        handler.__name__ = name
        registry.tool(area="test", effects=frozenset(effects))(handler)

    add("look", "read")
    add("edit", "write")
    add("run_code", "execute")
    add("fetch", "network")
    add("install", "install")
    add("restart", "restart")
    add("delete", "delete")

    @registry.tool(area="shell", effects=frozenset({"shell"}), target=lambda a: f"$ {a.command}")
    async def run_shell(task: TaskHandle, arguments: Command) -> Result:
        """Run a command.

        More about it, which models need not read.
        """
        bench.ran.append(arguments.command)
        return Result()

    registry.planned("fly", "lab", Nothing, "Fly.", "It has no wings yet.")
    return bench


# ---- the way through ----------------------------------------------------------------------------------


async def test_a_call_becomes_a_task_with_its_turn_origin_and_title(bench: Bench) -> None:
    task = await bench.call("look", turn_id=7, origin="script")
    assert (task.state, task.tool, task.turn_id, task.origin) == ("succeeded", "look", 7, "script")
    assert bench.hub.tasks[task.id] == task


async def test_a_tool_that_does_not_exist_is_a_failed_task(bench: Bench) -> None:
    task = await bench.call("dance")
    assert task.state == "failed"
    assert task.problem is not None
    assert (task.problem.kind, "dance" in task.problem.message) == ("UnknownTool", True)


async def test_a_tool_that_is_only_planned_says_why(bench: Bench) -> None:
    task = await bench.call("fly")
    assert task.problem is not None
    assert (task.problem.kind, task.problem.message) == ("ToolUnavailable", "It has no wings yet.")
    assert "fly" not in [spec.name for spec in bench.toolbox.registry.available()]


@pytest.mark.parametrize(
    "arguments", [{}, {"command": 3}, {"command": "ls", "cwd": "/"}, {"command": "ls", "timeout": "soon"}]
)
async def test_wrong_arguments_are_a_failed_task_that_names_the_right_ones(arguments: dict[str, Any]) -> None:
    bench = make_bench(Policy(shell_allowed=True))
    task = await bench.call("run_shell", arguments)
    assert task.problem is not None
    assert task.problem.kind == "InvalidArguments"
    assert task.problem.hint == "Its arguments are: command, timeout."
    assert bench.ran == []


async def test_none_counts_as_absent() -> None:
    bench = make_bench(Policy(shell_allowed=True))
    task = await bench.call("run_shell", {"command": "ls", "timeout": None})
    assert (task.state, task.arguments) == ("succeeded", {"command": "ls"})


def test_a_title_is_one_short_line() -> None:
    assert title_of("run_tests", {"path": "tests", "failed_only": True, "keyword": ""}) == (
        "run_tests tests failed_only"
    )
    assert title_of("run_code", {"code": "x = 1\ny = 2"}) == "run_code x = 1 y = 2"
    assert len(title_of("run_code", {"code": "x" * 500})) == MAX_TITLE_CHARS


def test_a_tool_cannot_be_registered_twice_but_may_replace_its_plan(bench: Bench) -> None:
    registry = bench.toolbox.registry
    with pytest.raises(ValueError, match="twice"):
        registry.planned("look", "test", Nothing, "Look.", "")

    @registry.tool(area="lab")
    async def fly(task: TaskHandle, arguments: Nothing) -> Result:
        """Fly."""
        return Result()

    assert registry.get("fly").handler is not None


def test_a_spec_comes_from_its_function(bench: Bench) -> None:
    spec = bench.toolbox.registry.get("run_shell")
    assert spec.description == "Run a command."
    assert spec.json_schema()["required"] == ["command"]
    assert spec.target(Command(command="ls")) == "$ ls"
    with pytest.raises(UnknownTool):
        bench.toolbox.registry.get("dance")


# ---- cards that outlive their kernel ------------------------------------------------------------------


class Kept:
    """A keeper that notes what it is given, and says whether a yes counts."""

    def __init__(self, *, ours: bool = True) -> None:
        self.kept: dict[int, dict[str, Any]] = {}
        self.claimed: list[int] = []
        self._ours = ours

    def keep(self, approval_id: int, going_on: dict[str, Any]) -> None:
        self.kept[approval_id] = going_on

    async def claim(self, approval_id: int) -> bool:
        self.claimed.append(approval_id)
        return self._ours


async def test_what_is_needed_to_go_on_is_kept_with_the_card_and_a_yes_is_claimed_first(bench: Bench) -> None:
    keeper = bench.approvals.keeper = Kept()
    calling, card = await bench.asks("install", going_on=lambda: {"then": []}, untrusted="a page")
    assert keeper.kept == {card.id: {"origin": "voice", "untrusted": "a page", "then": []}}
    assert bench.approvals.decide(card.id, True)
    assert not bench.approvals.decide(card.id, True)  # the second click
    assert (await calling).state == "succeeded"
    assert (keeper.claimed, bench.ran) == ([card.id], ["install"])


async def test_a_yes_that_another_session_was_given_does_nothing_here(bench: Bench) -> None:
    bench.approvals.keeper = Kept(ours=False)
    calling, card = await bench.asks("install", going_on=lambda: {"then": []})
    bench.approvals.decide(card.id, True)
    task = await calling
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.message == "Another session has taken this card over."
    assert bench.ran == []
    assert bench.hub.approvals[card.id].state == "expired"


async def test_a_call_that_was_asked_for_before_asks_again_whatever_policy_says(bench: Bench) -> None:
    calling, card = await bench.asks("look", asked_at=12.0, approved_tools=["look"])
    assert (card.reason, card.created_at) == ("Asked before the restart.", 12.0)
    bench.approvals.decide(card.id, True)
    assert (await calling).state == "succeeded"


async def test_the_cell_that_is_gone_keeps_no_card() -> None:
    bench = make_bench(Policy(), asked_by_cell=lambda turn_id: True)
    keeper = bench.approvals.keeper = Kept()
    calling, card = await bench.asks("install", going_on=lambda: {"then": []})
    assert keeper.kept == {}
    bench.approvals.decide(card.id, False)
    await calling


@pytest.mark.parametrize("leaves", [True, False])
async def test_a_card_stays_open_when_its_session_ends_and_not_when_it_is_cancelled(
    bench: Bench, leaves: bool
) -> None:
    bench.approvals.keeper = Kept()
    calling, card = await bench.asks("install", going_on=lambda: {"then": []})
    if leaves:
        bench.approvals.leave()
    calling.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await calling
    assert bench.hub.approvals[card.id].state == ("open" if leaves else "expired")
    assert bench.ran == []


# ---- policy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [*PEOPLE, "model"])
async def test_with_shell_off_it_is_refused_with_the_way_to_allow_it(bench: Bench, origin: Origin) -> None:
    task = await bench.call("run_shell", {"command": "ls"}, origin=origin, approved_tools=["run_shell"])
    assert task.problem is not None
    assert (task.problem.kind, task.problem.hint) == ("Refused", SHELL_HINT)
    assert "ALLOW_CLI_EXECUTION=true" in SHELL_HINT
    assert ".env" in SHELL_HINT
    assert bench.ran == []


@pytest.mark.parametrize("origin", PEOPLE)
@pytest.mark.parametrize("tool", ["look", "edit", "run_code", "fetch"])
async def test_a_person_is_not_asked_for_the_ordinary(bench: Bench, tool: str, origin: Origin) -> None:
    assert (await bench.call(tool, origin=origin)).state == "succeeded"


@pytest.mark.parametrize("origin", [*PEOPLE, "model"])
@pytest.mark.parametrize("tool", ["install", "restart", "delete"])
async def test_what_cannot_be_taken_back_always_asks(bench: Bench, tool: str, origin: Origin) -> None:
    calling, card = await bench.asks(tool, origin=origin)
    assert bench.ran == []
    assert bench.hub.tasks[card.task_id].state == "awaiting_approval"
    bench.approvals.decide(card.id, True)
    assert (await calling).state == "succeeded"


def test_what_cannot_be_read_is_asked_about_in_its_own_words() -> None:
    unreadable = Policy(shell_allowed=True).decide(frozenset({"shell", "unreadable"}), "voice")
    assert (unreadable.kind, "cannot be read in advance" in unreadable.reason) == ("ask", True)
    both = Policy(shell_allowed=True).decide(frozenset({"shell", "unreadable", "delete"}), "voice")
    assert "deletes or overwrites" in both.reason


@pytest.mark.parametrize("tool", ["edit", "run_code", "fetch"])
async def test_a_model_is_asked_for_whatever_changes_something(bench: Bench, tool: str) -> None:
    calling, card = await bench.asks(tool, origin="model")
    assert "a model wants" in card.reason
    bench.approvals.decide(card.id, False)
    task = await calling
    assert task.state == "failed"
    assert task.problem is not None
    assert (task.problem.kind, task.problem.retryable) == ("Refused", False)
    assert bench.ran == []


async def test_a_model_may_look_without_asking(bench: Bench) -> None:
    assert (await bench.call("look", origin="model")).state == "succeeded"


async def test_a_model_that_runs_a_command_asks_with_the_command_on_the_card() -> None:
    bench = make_bench(Policy(shell_allowed=True))
    calling, card = await bench.asks("run_shell", arguments={"command": "rm -r data"}, origin="model")
    assert (card.target, card.arguments) == ("$ rm -r data", {"command": "rm -r data"})
    bench.approvals.decide(card.id, False)
    await calling


async def test_a_tool_approved_beforehand_runs_at_once(bench: Bench) -> None:
    bench.somebody[0] = False
    assert (await bench.call("delete", approved_tools=["delete"])).state == "succeeded"


async def test_after_text_of_strangers_an_earlier_approval_does_not_count(bench: Bench) -> None:
    bench.somebody[0] = False
    task = await bench.call("run_code", origin="model", approved_tools=["run_code"], untrusted="a page")
    assert task.problem is not None
    assert task.problem.kind == "NobodyToAsk"
    assert bench.ran == []


async def test_where_nobody_can_be_asked_the_call_is_refused_at_once(bench: Bench) -> None:
    bench.somebody[0] = False
    task = await bench.call("delete", origin="script")  # a card would be waited for ten minutes
    assert task.problem is not None
    assert task.problem.kind == "NobodyToAsk"
    assert "--approve delete" in task.problem.hint
    assert bench.hub.approvals == {}


# ---- what counts as a yes -----------------------------------------------------------------------------


async def test_a_yes_from_before_the_card_was_shown_does_not_count(bench: Bench) -> None:
    calling, card = await bench.asks("delete")
    assert "before the card" in bench.approvals.spoken(True, None, time.time() + 1)  # never shown
    began = time.time()
    _state, subscription = bench.hub.subscribe()
    bench.approvals.shown(card.id)
    shown = await card_in(subscription, lambda card: card.shown_at is not None)
    assert shown.shown_at is not None
    assert "before the card" in bench.approvals.spoken(True, None, began - 0.1)
    assert "before the card" in bench.approvals.spoken(True, None, shown.shown_at)
    assert bench.ran == []
    assert bench.approvals.spoken(True, None, shown.shown_at + 0.001) == ""
    assert (await calling).state == "succeeded"


async def test_a_second_surface_does_not_move_the_time_of_showing(bench: Bench) -> None:
    calling, card = await bench.asks("delete")
    bench.approvals.shown(card.id)
    first = bench.approvals.open[0].shown_at
    bench.approvals.shown(card.id)
    assert bench.approvals.open[0].shown_at == first
    bench.approvals.decide(card.id, False)
    await calling


async def test_with_two_cards_the_number_must_be_said(bench: Bench) -> None:
    one, first = await bench.asks("delete")
    two, second = await bench.asks("install")
    bench.approvals.shown(first.id)
    bench.approvals.shown(second.id)
    later = time.time() + 1
    assert bench.approvals.spoken(True, None, later) == (
        f"Several cards are open. Say the number, for example: approve {first.id}. "
        f"Open: {first.id}, {second.id}."
    )
    assert bench.approvals.spoken(True, 99, later) == "No open card has the number 99."
    assert bench.ran == []
    assert bench.approvals.spoken(True, second.id, later) == ""
    assert (await two).state == "succeeded"
    assert not one.done()
    assert bench.approvals.spoken(True, None, later) == ""  # one is left: it is meant
    assert (await one).state == "succeeded"


async def test_a_no_counts_at_once_and_for_all(bench: Bench) -> None:
    one, _first = await bench.asks("delete")
    two, _second = await bench.asks("install")
    assert bench.approvals.spoken(False, None, 0.0) == ""
    assert {(await one).state, (await two).state} == {"failed"}
    assert bench.ran == []
    assert bench.approvals.open == []


async def test_without_a_card_there_is_nothing_to_approve(bench: Bench) -> None:
    assert bench.approvals.spoken(True, None, time.time()) == "Nothing is waiting for your approval."
    assert not bench.approvals.decide(1, True)


async def test_a_click_counts_once(bench: Bench) -> None:
    calling, card = await bench.asks("delete")
    assert bench.approvals.decide(card.id, False)
    assert not bench.approvals.decide(card.id, True)
    assert (await calling).state == "failed"
    assert bench.ran == []


async def test_a_card_nobody_answers_expires_as_a_no(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approval_module, "APPROVAL_LIMIT_S", 0.01)
    task = await bench.call("delete")
    assert task.problem is not None
    assert (task.problem.kind, "Nobody answered" in task.problem.message) == ("Refused", True)
    (card,) = bench.hub.approvals.values()
    assert card.state == "expired"
    assert bench.ran == []


async def test_cancelling_a_task_that_waits_takes_its_card_away(bench: Bench) -> None:
    calling, card = await bench.asks("delete")
    bench.toolbox.runner.cancel(card.task_id)
    assert (await calling).state == "cancelled"
    assert bench.hub.approvals[card.id].state == "expired"
    assert bench.approvals.open == []
    assert not bench.approvals.decide(card.id, True)
    assert bench.ran == []


async def test_an_answered_card_tells_how_it_was_answered(bench: Bench) -> None:
    for approved, state in ((True, "approved"), (False, "denied")):
        calling, card = await bench.asks("delete")
        bench.approvals.decide(card.id, approved)
        await calling
        assert bench.hub.approvals[card.id].state == state


# ---- order ----------------------------------------------------------------------------------------


@dataclass
class Cells:
    """Tools of the notebook that hold until they are let go, and note when they start."""

    bench: Bench
    started: list[str] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    start: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until_started(self, count: int) -> None:
        """Wait until so many calls have begun to act."""
        async with asyncio.timeout(30), self.start:
            await self.start.wait_for(lambda: len(self.started) >= count)

    def add(self, name: str, *effects: Effect, area: str = "notebook") -> None:
        async def handler(task: TaskHandle, arguments: Nothing) -> Result:
            """Note the start, then hold."""
            async with self.start:
                self.started.append(name)
                self.start.notify_all()
            await self.release.wait()
            return Result()

        handler.__name__ = name
        self.bench.toolbox.registry.tool(area=area, effects=frozenset(effects))(handler)


@pytest.fixture
def cells(bench: Bench) -> Cells:
    cells = Cells(bench)
    cells.add("run_cell", "execute")
    cells.add("save", "write")
    cells.add("write", "write")
    cells.add("read", "read")
    cells.add("run_tests", "execute", area="tests")
    return cells


async def test_what_changes_the_notebook_runs_in_the_order_it_was_asked_for(cells: Cells) -> None:
    calls = [asyncio.create_task(cells.bench.call(name)) for name in ("run_cell", "save")]
    await cells.until_started(1)
    assert [task.state for task in cells.bench.toolbox.runner.tasks()] == ["running", "queued"]
    cells.release.set()
    await asyncio.gather(*calls)
    assert cells.started == ["run_cell", "save"]


async def test_looking_and_tests_run_beside_a_cell(cells: Cells) -> None:
    calls = [asyncio.create_task(cells.bench.call(name)) for name in ("run_cell", "read", "run_tests")]
    await cells.until_started(3)
    cells.release.set()
    await asyncio.gather(*calls)


async def test_a_queued_action_can_be_cancelled_and_the_next_one_moves_up(cells: Cells) -> None:
    calls = [asyncio.create_task(cells.bench.call(name)) for name in ("run_cell", "save", "run_cell")]
    await cells.until_started(1)
    assert cells.bench.toolbox.runner.cancel(2)
    assert (await calls[1]).state == "cancelled"
    cells.release.set()
    await asyncio.gather(*calls)
    assert cells.started == ["run_cell", "run_cell"]


async def test_a_command_inside_a_cell_does_not_wait_for_the_cell(cells: Cells) -> None:
    running = asyncio.create_task(cells.bench.call("run_cell"))
    await cells.until_started(1)
    inside = asyncio.create_task(cells.bench.call("save", origin="magic"))
    async with asyncio.timeout(30):
        while cells.started != ["run_cell", "save"]:  # noqa: ASYNC110  handlers tell nobody
            await asyncio.sleep(0)
    cells.release.set()
    await asyncio.gather(running, inside)


async def test_nor_does_what_a_model_does_for_a_command_inside_a_cell(bench: Bench) -> None:
    bench.toolbox = Toolbox(
        bench.toolbox.registry,
        bench.toolbox.policy,
        bench.toolbox.approvals,
        bench.toolbox.runner,
        lambda turn_id: turn_id == 2,
    )
    cells = Cells(bench)
    cells.add("run_cell", "execute")
    cells.add("save", "write")
    outer = bench.toolbox.call("run_cell", {}, turn_id=1, origin="voice")
    inner = bench.toolbox.call("save", {}, turn_id=2, origin="model", approved_tools=["save"])
    calls = [asyncio.create_task(call) for call in (outer, inner)]
    async with asyncio.timeout(30):
        while cells.started != ["run_cell", "save"]:  # noqa: ASYNC110  handlers tell nobody
            await asyncio.sleep(0)
    cells.release.set()
    await asyncio.gather(*calls)


# ---- queues -------------------------------------------------------------------------------------------


async def test_a_task_knows_its_area_its_place_and_then_none(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "TELL_S", 0.001)
    bench = cells.bench
    _state, subscription = bench.hub.subscribe()
    calls = [asyncio.create_task(bench.call("run_cell")) for _ in range(3)]
    async with asyncio.timeout(30):
        while QueueChanged(lane="cells", tasks=[2, 3]) not in await subscription.changes():
            pass
    tasks = bench.toolbox.runner.tasks()
    assert [(task.area, task.state, task.queue_position) for task in tasks] == [
        ("notebook", "running", None), ("notebook", "queued", 1), ("notebook", "queued", 2),
    ]  # fmt: skip
    assert [task.queue_position for task in bench.hub.tasks.values()] == [None, 1, 2]
    cells.release.set()
    await asyncio.gather(*calls)
    assert {task.queue_position for task in bench.hub.tasks.values()} == {None}


async def test_a_waiting_task_can_be_moved_to_the_front(cells: Cells) -> None:
    calls = [
        asyncio.create_task(cells.bench.call(name)) for name in ("run_cell", "save", "run_cell", "write")
    ]
    await cells.until_started(1)
    assert cells.bench.toolbox.lanes.move(4, "first")
    cells.release.set()
    await asyncio.gather(*calls)
    assert cells.started == ["run_cell", "write", "save", "run_cell"]


async def test_as_many_tasks_of_an_area_run_as_the_settings_say() -> None:
    bench = make_bench(Policy(), limits={"slow": 2})
    cells = Cells(bench)
    cells.add("dig", area="slow")
    calls = [asyncio.create_task(bench.call("dig")) for _ in range(5)]
    await cells.until_started(2)
    assert [task.state for task in bench.toolbox.runner.tasks()] == ["running"] * 2 + ["queued"] * 3
    cells.release.set()
    assert [task.state for task in await asyncio.gather(*calls)] == ["succeeded"] * 5


async def test_who_waits_for_a_person_holds_no_place_and_queues_after_the_yes(cells: Cells) -> None:
    bench = cells.bench
    cells.add("erase", "delete")
    asking, card = await bench.asks("erase")
    running = asyncio.create_task(bench.call("run_cell"))
    await cells.until_started(1)  # past the card
    assert bench.hub.tasks[card.task_id].approval_id == card.id
    bench.approvals.decide(card.id, True)
    async with asyncio.timeout(30):
        while bench.toolbox.lanes.waiting("cells") != [card.task_id]:  # noqa: ASYNC110 - nobody is told yet
            await asyncio.sleep(0)
    task = bench.hub.tasks[card.task_id]
    assert (task.state, task.approval_id) == ("queued", None)
    cells.release.set()
    await asyncio.gather(running, asking)
    assert cells.started == ["run_cell", "erase"]


async def test_a_card_that_is_denied_or_expires_ends_its_task_with_no_card(bench: Bench) -> None:
    calling, card = await bench.asks("delete")
    assert bench.toolbox.runner.tasks()[0].approval_id == card.id
    bench.approvals.decide(card.id, False)
    assert (await calling).approval_id is None


async def test_a_tool_may_call_tools_of_its_own_lane(bench: Bench) -> None:
    cells = Cells(bench)
    cells.add("save", "write")
    cells.release.set()

    @bench.toolbox.registry.tool(area="notebook", effects=frozenset({"write"}))
    async def repair(task: TaskHandle, arguments: Nothing) -> Result:
        """Call another one."""
        inner = await bench.toolbox.call("save", {}, turn_id=task.turn_id, origin=task.origin)
        return Result(summary=inner.state)

    task = await bench.call("repair")
    assert task.result == Result(summary="succeeded")


async def test_a_task_that_does_not_stop_makes_room_for_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "STOP_LIMIT_S", 0.02)
    started, release = asyncio.Event(), asyncio.Event()

    @bench.toolbox.registry.tool(area="notebook", effects=frozenset({"write"}))
    async def deaf(task: TaskHandle, arguments: Nothing) -> Result:
        """Hear nothing."""
        started.set()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        return Result()

    cells = Cells(bench)
    cells.add("save", "write")
    cells.release.set()
    first = asyncio.create_task(bench.call("deaf"))
    await started.wait()
    second = asyncio.create_task(bench.call("save"))
    bench.toolbox.runner.cancel(1)
    assert (await second).state == "succeeded"
    assert (await first).state == "cancelled"
    release.set()


# ---- time limits --------------------------------------------------------------------------------------


def slow_bench(**how: Any) -> Bench:
    bench = make_bench(Policy(), **how)

    @bench.toolbox.registry.tool(area="slow")
    async def sleep(task: TaskHandle, arguments: Nothing) -> Result:
        """Wait for ever."""
        await asyncio.Event().wait()
        return Result()

    @bench.toolbox.registry.tool(area="slow", time_limit=lambda arguments: arguments.timeout)
    async def tidy(task: TaskHandle, arguments: Command) -> Result:
        """Keep the limit."""
        await asyncio.sleep(task.time_left_s or 0.0)
        problem = timed_out("tidy was ended", task.limit_s or 0.0)
        raise ToolFailed(problem, Result(text="half of it"))

    return bench


async def test_a_task_is_ended_at_the_time_limit_of_its_area() -> None:
    bench = slow_bench(time_limits={"slow": 0.02})
    task = await bench.call("sleep")
    assert task.state == "failed"
    assert task.problem is not None
    assert task.problem.kind == "TimedOut"
    assert task.problem.message == "sleep was ended after 20 ms, its time limit."
    assert "task_time_limits (slow=0.02)" in task.problem.hint
    assert task.started_at is not None
    assert task.deadline_at is not None
    assert task.created_at + 0.02 <= task.deadline_at <= task.started_at + 0.02


async def test_time_in_a_queue_does_not_count() -> None:
    bench = slow_bench(time_limits={"slow": 0.02}, limits={"slow": 1})
    calls = [asyncio.create_task(bench.call("sleep")) for _ in range(3)]
    tasks = await asyncio.gather(*calls)
    for task in tasks:
        assert task.started_at is not None
        assert task.problem is not None
        assert task.problem.kind == "TimedOut"
    for before, after in pairwise(tasks):
        assert before.deadline_at is not None
        assert after.deadline_at is not None
        assert after.deadline_at > before.deadline_at + 0.01  # each has its own


async def test_a_tool_that_keeps_its_limit_has_something_to_show() -> None:
    task = await slow_bench().call("tidy", {"command": "x", "timeout": 0.02})
    assert task.result == Result(text="half of it")
    assert task.deadline_at is not None
    assert task.problem is not None
    assert task.problem.message == "tidy was ended after 20 ms, its time limit."
    assert task.problem.hint == "Ask for it again with a longer time limit, or with none."


async def test_the_shorter_of_two_limits_counts() -> None:
    bench = slow_bench(time_limits={"slow": 0.02})
    task = await bench.call("tidy", {"command": "x", "timeout": 3600.0})
    assert task.problem is not None
    assert "20 ms" in task.problem.message


async def test_without_a_limit_there_is_no_deadline(bench: Bench) -> None:
    assert (await bench.call("look")).deadline_at is None


# ---- many at once -------------------------------------------------------------------------------------


async def test_two_hundred_tasks_at_once_all_end_in_the_order_of_their_lanes() -> None:
    bench = make_bench(Policy())
    running: dict[str, int] = {}
    most: dict[str, int] = {}
    started: dict[str, list[int]] = {}

    def add(name: str, area: str, *effects: Effect) -> None:
        async def handler(task: TaskHandle, arguments: Nothing) -> Result:
            """Say something, and give the others a turn."""
            running[name] = running.get(name, 0) + 1
            most[name] = max(most.get(name, 0), running[name])
            started.setdefault(name, []).append(task.id)
            for _ in range(5):
                task.output("line of output\n" * 200)
                await asyncio.sleep(0)
            running[name] -= 1
            return Result(summary=name, text="x" * 16_000)

        handler.__name__ = name
        bench.toolbox.registry.tool(area=area, effects=frozenset(effects))(handler)

    areas = {
        "run_cells": "notebook",
        "test": "tests",
        "command": "shell",
        "browse": "browser",
        "find": "research",
    }
    for name, area in areas.items():
        add(name, area, "execute")
    tracemalloc.start()
    calls = [asyncio.create_task(bench.call(list(areas)[n % 5])) for n in range(200)]
    tasks = await asyncio.gather(*calls)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert {task.state for task in tasks} == {"succeeded"}
    assert all(ids == sorted(ids) and len(ids) == 40 for ids in started.values())
    assert most == {"run_cells": 1, "test": 2, "command": 4, "browse": 2, "find": 4}
    assert bench.toolbox.runner.open_tasks() == []
    assert peak < 200 * (16_000 + 3 * 8_192) + 8_000_000  # results and tails, each kept twice at most
