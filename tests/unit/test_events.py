"""The hub: a snapshot and a subscription that fit each other, whatever the subscriber's pace."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from voice_kernel import events
from voice_kernel.events import MAX_PENDING, MAX_TAIL_CHARS, MAX_TAIL_LINES, Hub, Subscription, clip_tail
from voice_kernel.messages import (
    About,
    AnswerDelta,
    Approval,
    ApprovalChanged,
    Call,
    Notice,
    Output,
    Result,
    Speech,
    SpeechChanged,
    State,
    Task,
    TaskChanged,
    TaskOutput,
    ToSurface,
    Turn,
    TurnChanged,
)


def a_task(task_id: int = 1, **fields: Any) -> Task:
    fields = {"state": "running"} | fields
    return Task(id=task_id, turn_id=1, tool="run_shell", title="run_shell", created_at=0, **fields)


def a_turn(turn_id: int = 1, **fields: Any) -> Turn:
    fields = {"state": "running"} | fields
    return Turn(id=turn_id, origin="text", created_at=0, **fields)


def a_card(card_id: int, state: Any = "open") -> Approval:
    return Approval(id=card_id, task_id=1, tool="t", target="x", reason="r", state=state, created_at=0)


class Surface:
    """What a panel does with messages: the newest version wins, deltas append."""

    def __init__(self, state: State, subscription: Subscription) -> None:
        self.subscription = subscription
        self.load(state)

    def load(self, state: State) -> None:
        self.tails = {task.id: task.tail for task in state.tasks}
        self.answers = {turn.id: turn.answer for turn in state.turns}

    async def fetch(self) -> list[ToSurface]:
        async with asyncio.timeout(5):
            batch = await self.subscription.changes()
        for message in batch:
            match message:
                case TaskChanged():
                    self.tails[message.task.id] = message.task.tail
                case TaskOutput():
                    self.tails[message.task_id] = clip_tail(self.tails[message.task_id] + message.text)
                case TurnChanged():
                    self.answers[message.turn.id] = message.turn.answer
                case AnswerDelta():
                    self.answers[message.turn_id] += message.text
        return batch


@pytest.fixture
def hub() -> Hub:
    return Hub(About(version="test"))


def test_a_long_tail_keeps_its_newest_lines_and_characters() -> None:
    lines = [f"line {n}\n" for n in range(1000)]
    assert clip_tail("".join(lines)) == "".join(lines[-MAX_TAIL_LINES:])
    assert clip_tail("a" + "b" * MAX_TAIL_CHARS) == "b" * MAX_TAIL_CHARS
    assert clip_tail("short\n") == "short\n"


async def test_a_late_joiner_sees_every_piece_of_output_exactly_once(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task()))
    hub.publish(TaskOutput(task_id=1, text="before ", output_bytes=7))
    surface = Surface(*hub.subscribe())
    hub.publish(TaskOutput(task_id=1, text="after", output_bytes=12))
    await surface.fetch()
    assert surface.tails[1] == "before after"


async def test_a_late_joiner_sees_every_piece_of_an_answer_exactly_once(hub: Hub) -> None:
    hub.publish(TurnChanged(turn=a_turn()))
    hub.publish(AnswerDelta(turn_id=1, text="It is "))
    surface = Surface(*hub.subscribe())
    hub.publish(AnswerDelta(turn_id=1, text="forty-"))
    hub.publish(AnswerDelta(turn_id=1, text="two."))
    await surface.fetch()
    assert surface.answers[1] == "It is forty-two."


async def test_surfaces_of_every_pace_end_with_what_the_hub_has(hub: Hub) -> None:
    """Whatever is published and whenever they join and fetch."""
    rng = random.Random(7)  # the same story in every run
    surfaces: list[Surface] = []
    tails: dict[int, str] = {}
    answers: dict[int, str] = {}
    total = 0
    for step in range(3_000):
        which = rng.randrange(1, 5)
        match rng.randrange(6):
            case 0:
                tails.setdefault(which, "")
                hub.publish(TaskChanged(task=a_task(which, tail=tails[which])))
            case 1 if which in tails:
                piece = f"{step};"
                total += len(piece)
                tails[which] = clip_tail(tails[which] + piece)
                hub.publish(TaskOutput(task_id=which, text=piece, output_bytes=total))
            case 2:
                answers.setdefault(which, "")
                hub.publish(TurnChanged(turn=a_turn(which, answer=answers[which])))
            case 3 if which in answers:
                answers[which] += f"{step},"
                hub.publish(AnswerDelta(turn_id=which, text=f"{step},"))
            case 4 if len(surfaces) < 8:
                surfaces.append(Surface(*hub.subscribe()))
            case 5 if surfaces:
                surface = rng.choice(surfaces)
                if surface.subscription._pending:
                    await surface.fetch()
    for surface in surfaces:
        hub.publish(TaskChanged(task=a_task(9)))
        await surface.fetch()
        assert {i: surface.tails[i] for i in tails} == tails
        assert surface.answers == answers
    state = hub.state()
    assert {task.id: task.tail for task in state.tasks if task.id in tails} == tails
    assert {turn.id: turn.answer for turn in state.turns} == answers


async def test_output_that_waits_is_joined_and_what_was_dropped_is_counted(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task()))
    surface = Surface(*hub.subscribe())
    piece = "é" * 1_000 + "\n"  # 2,001 bytes
    for n in range(1, 101):
        hub.publish(TaskOutput(task_id=1, text=piece, output_bytes=n * 2_001))
    (message,) = await surface.fetch()
    assert isinstance(message, TaskOutput)
    assert len(message.text) <= MAX_TAIL_CHARS
    assert message.output_bytes == 200_100
    assert message.skipped_bytes == 200_100 - len(message.text.encode())


async def test_of_one_entity_only_the_newest_version_waits(hub: Hub) -> None:
    _state, subscription = hub.subscribe()
    for number in range(5):
        hub.publish(TaskChanged(task=a_task(tail=str(number))))
        hub.publish(SpeechChanged(speech=Speech(message=str(number))))
    task, speech = await subscription.changes()
    assert isinstance(task, TaskChanged)
    assert isinstance(speech, SpeechChanged)
    assert (task.task.tail, speech.speech.message) == ("4", "4")


async def test_every_notice_is_told(hub: Hub) -> None:
    _state, subscription = hub.subscribe()
    hub.publish(Notice(message="one"))
    hub.publish(Notice(message="one"))
    assert len(await subscription.changes()) == 2


async def test_a_surface_that_never_fetches_costs_bounded_memory_and_starts_anew(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task()))
    surface = Surface(*hub.subscribe())
    for number in range(MAX_PENDING * 3):
        hub.publish(Notice(message=str(number)))
        assert len(surface.subscription._pending) <= MAX_PENDING
    hub.publish(TaskOutput(task_id=1, text="late", output_bytes=4))
    assert await surface.fetch() == []
    assert surface.subscription.overflowed
    surface.subscription.close()
    surface = Surface(*hub.subscribe())
    assert surface.tails == {1: "late"}


async def test_a_closed_subscription_receives_nothing_and_may_be_closed_again(hub: Hub) -> None:
    _state, subscription = hub.subscribe()
    subscription.close()
    subscription.close()
    hub.publish(Notice(message="x"))
    assert not subscription._pending


async def test_a_waiting_subscriber_wakes_on_the_first_change(hub: Hub) -> None:
    _state, subscription = hub.subscribe()
    waiting = asyncio.create_task(subscription.changes())
    await asyncio.sleep(0)
    assert not waiting.done()
    hub.publish(Notice(message="x"))
    assert len(await asyncio.wait_for(waiting, 5)) == 1


def test_old_tasks_are_forgotten_but_never_one_that_still_runs(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_TASKS", 10)
    hub.publish(TaskChanged(task=a_task(1)))
    for number in range(2, 60):
        hub.publish(TaskChanged(task=a_task(number, state="succeeded")))
    assert list(hub.tasks) == [1, *range(51, 60)]


def test_old_turns_are_forgotten_but_never_one_that_still_runs(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MAX_TURNS", 5)
    hub.publish(TurnChanged(turn=a_turn(1)))
    for number in range(2, 20):
        hub.publish(TurnChanged(turn=a_turn(number, state="succeeded")))
    assert list(hub.turns) == [1, 16, 17, 18, 19]


def test_even_open_entities_are_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_TASKS", 10)
    for number in range(1, 40):
        hub.publish(TaskChanged(task=a_task(number)))
    assert list(hub.tasks) == list(range(30, 40))


def test_an_open_card_stays_when_many_others_were_answered(hub: Hub) -> None:
    hub.publish(ApprovalChanged(approval=a_card(1)))
    for number in range(2, 300):
        hub.publish(ApprovalChanged(approval=a_card(number, "denied")))
    assert 1 in hub.approvals
    assert len(hub.approvals) <= events.MAX_APPROVALS


def test_a_state_stays_below_what_the_server_lets_through(hub: Hub) -> None:
    for number in range(1, 101):
        output = Output(kind="display", data={"image/png": "A" * 50_000})
        result = Result(summary="drew", text="t" * 16_000, data={"x": "d" * 30_000}, outputs=[output])
        task = a_task(
            number, state="succeeded", tail="z" * 8_000, arguments={"code": "c" * 9_000}, result=result
        )
        hub.publish(TaskChanged(task=task))
        call = Call(tool="run_code", arguments={"code": "c" * 9_000})
        hub.publish(TurnChanged(turn=a_turn(number, state="succeeded", answer="a" * 20_000, calls=[call])))
    state = hub.state()
    assert len(state.model_dump_json()) < 1_000_000
    assert state.tasks[-1] == hub.tasks[100]  # the newest are whole
    assert state.turns[-1] == hub.turns[100]
    first = state.tasks[0]
    assert first.result is not None
    assert (first.result.summary, first.result.outputs) == ("drew", [])


def test_the_outputs_of_old_tasks_are_let_go(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_KEPT_CHARS", 1_000_000)
    for number in range(1, 101):
        result = Result(outputs=[Output(kind="display", data={"image/png": "A" * 100_000})])
        hub.publish(TaskChanged(task=a_task(number, state="succeeded", result=result)))
    whole = [t.id for t in hub.tasks.values() if t.result is not None and t.result.outputs]
    assert whole == list(range(91, 101))
