"""replay_task: shows what it would do on the card that asks, does just that, and compares the outcomes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from voice_kernel.events import Hub
from voice_kernel.messages import About, Approval, Call, Origin, Problem, Result, Task, Turn, TurnChanged
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.forecast import forecast
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Arguments, Registry, ToolFailed
from voice_kernel.tools import replay


class NoLog:
    path = ""
    cut_bytes = 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Named(Arguments):
    name: str = ""


@dataclass
class Bench:
    """A session's tools and a person: `work` succeeds until its name is in `broken`; `wipe` always asks."""

    hub: Hub = field(default_factory=lambda: Hub(About(version="test")))
    registry: Registry = field(default_factory=Registry)
    somebody: bool = True
    broken: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    cards: list[Approval] = field(default_factory=list)
    turns: int = 0

    def __post_init__(self) -> None:
        async def somebody_listens() -> bool:
            return self.somebody

        runner = Runner(self.hub, lambda _id: NoLog())
        self.toolbox = Toolbox(self.registry, Policy(), Approvals(self.hub, somebody_listens), runner)

        async def act(task: TaskHandle, args: Named) -> Result:
            self.ran.append(args.name)
            if args.name in self.broken:
                raise ToolFailed(Problem(kind="CommandFailed", message="It broke."))
            return Result(summary="Done.")

        async def work(task: TaskHandle, args: Named) -> Result:
            """Do something."""
            return await act(task, args)

        async def wipe(task: TaskHandle, args: Named) -> Result:
            """Delete something."""
            return await act(task, args)

        self.registry.tool(area="shell")(work)
        self.registry.tool(area="shell", effects=frozenset({"delete"}))(wipe)
        replay.register(
            self.registry,
            past=replay.Past(lambda: list(self.hub.turns.values()), lambda: list(self.hub.tasks.values())),
            call=lambda task, tool, arguments: self.toolbox.call(
                tool, arguments, turn_id=task.turn_id, origin=task.origin
            ),
            foreseen=lambda call: forecast(self.registry, self.toolbox.policy, call, "script"),
        )

    async def turn(
        self, text: str, *calls: tuple[str, dict[str, Any]], origin: Origin = "voice"
    ) -> list[Task]:
        """Carry out a turn as the session does; a card is answered with yes."""
        self.turns += 1
        plan = [Call(tool=tool, arguments=arguments) for tool, arguments in calls]
        turn = Turn(
            id=self.turns,
            state="running",
            origin=origin,
            text=text,
            route="intents",
            calls=plan,
            created_at=1.0,
        )
        self.hub.publish(TurnChanged(turn=turn))
        done = []
        for call in plan:
            work = asyncio.ensure_future(
                self.toolbox.call(call.tool, call.arguments, turn_id=turn.id, origin=origin)
            )
            await self.answer(work, lambda card: True)
            done.append(work.result())
        state = "succeeded" if all(task.state == "succeeded" for task in done) else "failed"
        self.hub.publish(TurnChanged(turn=turn.model_copy(update={"state": state, "ended_at": 2.0})))
        return done

    async def answer(self, work: asyncio.Future[Any], says: Callable[[Approval], bool]) -> None:
        """Answer the cards that come until some work is done."""
        _state, subscription = self.hub.subscribe()
        while not work.done():
            for card in self.toolbox.approvals.open:
                if card.id not in [known.id for known in self.cards]:
                    self.cards.append(card)
                    self.toolbox.approvals.decide(card.id, says(card))
            change = asyncio.ensure_future(subscription.changes())
            await asyncio.wait({work, change}, return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
        subscription.close()

    async def replay(self, says: Callable[[Approval], bool] = lambda card: True, **arguments: Any) -> Task:
        """Ask for a replay, and answer its cards."""
        self.turns += 1
        self.cards.clear()
        self.ran.clear()
        calling = self.toolbox.call("replay_task", arguments, turn_id=self.turns, origin="voice")
        work = asyncio.ensure_future(calling)
        async with asyncio.timeout(30):
            await self.answer(work, says)
        return work.result()


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    bench.broken.add("bad")
    await bench.turn("do a", ("work", {"name": "a"}))
    await bench.turn("do the bad one", ("work", {"name": "bad"}))
    await bench.turn("wipe it", ("wipe", {"name": "disk"}))
    return bench


async def test_what_it_would_do_is_on_the_card_before_anything_is_done(bench: Bench) -> None:
    done = await bench.replay(lambda card: False, task="all")
    assert bench.ran == []
    (card,) = bench.cards
    assert card.tool == "replay_task"
    assert card.reason == "It asks because it does again what was done before."
    assert card.target.splitlines() == [
        "1. do a (before: succeeded)",
        "   work a",
        "2. do the bad one (before: failed (CommandFailed))",
        "   work bad",
        "3. wipe it (before: succeeded)",
        "   wipe disk — asks first. It asks because it deletes or overwrites what undo cannot bring back.",
    ]
    assert done.problem is not None
    assert done.problem.kind == "Refused"


async def test_a_conversation_with_the_same_outcomes_succeeds_failures_included(bench: Bench) -> None:
    done = await bench.replay(task="all")
    assert bench.ran == ["a", "bad", "disk"]
    assert done.state == "succeeded"
    assert done.result is not None
    assert done.result.summary == "Replayed: 3 steps, the same outcomes as before."


async def test_what_asked_before_asks_again(bench: Bench) -> None:
    done = await bench.replay(lambda card: card.tool == "replay_task", task="all")
    assert [card.tool for card in bench.cards] == ["replay_task", "wipe"]
    assert bench.ran == ["a", "bad"]
    assert done.problem is not None
    assert done.problem.message == (
        "Step 3, “wipe it”, came out differently. wipe: failed (Refused); before it was succeeded."
    )


async def test_it_stops_at_the_first_outcome_that_differs(bench: Bench) -> None:
    bench.broken = {"a"}
    done = await bench.replay(task="all")
    assert bench.ran == ["a"]
    assert done.problem is not None
    assert done.problem.kind == "DifferentOutcome"
    assert done.problem.message.startswith("Step 1, “do a”, came out differently.")
    assert done.result is not None
    assert done.result.text.splitlines() == [
        "✗ 1. do a: failed (CommandFailed)",
        "     work: failed (CommandFailed); before it was succeeded.",
        "The 2 after it were not done.",
    ]


async def test_it_goes_on_when_told_to(bench: Bench) -> None:
    bench.broken = {"a"}
    done = await bench.replay(task="all", keep_going=True)
    assert bench.ran == ["a", "bad", "disk"]
    assert done.problem is not None
    assert done.problem.message.endswith("So did 1 more.")


async def test_a_number_is_one_task_and_last_is_the_last_that_did_something(bench: Bench) -> None:
    await bench.replay(task="1")
    assert bench.ran == ["a"]
    await bench.replay()
    assert bench.ran == ["a"]  # what the replay did was the last thing done
    await bench.replay(task="2")
    assert bench.ran == ["bad"]


async def test_what_was_approved_is_what_is_done_whatever_has_begun_since(bench: Bench) -> None:
    calling = bench.toolbox.call("replay_task", {"task": "last"}, turn_id=9, origin="voice")
    work = asyncio.ensure_future(calling)
    while not bench.toolbox.approvals.open:  # noqa: ASYNC110 - a few turns of the loop
        await asyncio.sleep(0)
    await bench.toolbox.call("work", {"name": "later"}, turn_id=10, origin="voice")
    bench.ran.clear()
    bench.cards.clear()
    await bench.answer(work, lambda card: True)
    assert bench.ran == ["disk"]


async def test_a_replay_is_itself_replayed_by_what_it_did(bench: Bench) -> None:
    await bench.turn("replay task one", ("replay_task", {"task": "1"}))
    done = await bench.replay(task="all")
    assert bench.ran == ["a", "bad", "disk", "a"]
    assert done.state == "succeeded"


async def test_where_nobody_can_be_asked_nothing_is_replayed(bench: Bench) -> None:
    bench.somebody = False
    done = await bench.replay(task="1")
    assert bench.ran == []
    assert done.problem is not None
    assert done.problem.kind == "NobodyToAsk"


async def test_a_model_cannot_replay(bench: Bench) -> None:
    done = await bench.toolbox.call("replay_task", {"task": "1"}, turn_id=9, origin="model")
    assert done.problem is not None
    assert done.problem.message == "replay_task is for a person only."


@pytest.mark.parametrize(
    ("which", "told"), [("77", "There is no task 77."), ("soon", "There is no task soon.")]
)
async def test_what_is_not_there_says_so_without_a_card(bench: Bench, which: str, told: str) -> None:
    done = await bench.replay(task=which)
    assert bench.cards == []
    assert done.problem is not None
    assert done.problem.message == told


async def test_a_long_conversation_is_counted_on_the_card_not_listed_to_its_end() -> None:
    bench = Bench()
    for number in range(40):
        await bench.turn(f"do {number}", ("work", {"name": str(number)}))
    await bench.replay(lambda card: False, task="all")
    assert bench.cards[0].target.endswith("… and 10 more")
