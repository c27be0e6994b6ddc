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
    Keeping,
    KeepingChanged,
    Notice,
    Output,
    Progress,
    QueueChanged,
    Result,
    Speech,
    SpeechChanged,
    State,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
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
        async with asyncio.timeout(30):
            batch = await self.subscription.changes()
        for message in batch:
            match message:
                case State():
                    self.load(message)
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


async def test_of_progress_and_places_only_the_newest_reaches_a_slow_surface(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task(1)))
    for task_id in (2, 3):
        hub.publish(TaskChanged(task=a_task(task_id, state="queued")))
    _state, subscription = hub.subscribe()
    for fraction in (0.1, 0.2, 0.3):
        hub.publish(TaskProgress(task_id=1, progress=Progress(fraction=fraction)))
    for tasks in ([2], [2, 3], [3, 2]):
        hub.publish(QueueChanged(lane="shell", tasks=tasks))
    hub.publish(QueueChanged(lane="tests", tasks=[99]))
    assert await subscription.changes() == [
        TaskProgress(task_id=1, progress=Progress(fraction=0.3)),
        QueueChanged(lane="shell", tasks=[3, 2]),
        QueueChanged(lane="tests", tasks=[99]),
    ]
    late = {task.id: task for task in hub.subscribe()[0].tasks}
    assert late[1].progress == Progress(fraction=0.3)
    assert (late[2].queue_position, late[3].queue_position) == (2, 1)


async def test_a_whole_task_makes_its_waiting_progress_needless(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task()))
    _state, subscription = hub.subscribe()
    hub.publish(TaskProgress(task_id=1, progress=Progress(fraction=0.3)))
    ended = TaskChanged(task=a_task(state="succeeded"))
    hub.publish(ended)
    assert await subscription.changes() == [ended]


def test_a_task_that_has_begun_is_given_no_place(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task(1)))
    hub.publish(QueueChanged(lane="shell", tasks=[1]))
    assert hub.tasks[1].queue_position is None


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
    assert len(await asyncio.wait_for(waiting, 30)) == 1


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


def test_a_turn_that_was_talk_is_kept_nowhere(hub: Hub) -> None:
    hub.publish(TurnChanged(turn=a_turn(1)))
    hub.publish(TurnChanged(turn=a_turn(2, state="listening")))
    hub.publish(TurnChanged(turn=a_turn(2, state="dismissed")))
    assert [turn.id for turn in hub.state().turns] == [1]


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


# ---- conversations ------------------------------------------------------------------------------------


class Ear:
    """Hears everything, as a journal does."""

    def __init__(self) -> None:
        self.heard: list[ToSurface] = []

    def publish(self, message: ToSurface) -> None:
        self.heard.append(message)


def test_a_second_ear_hears_every_change_whatever_surfaces_fetch(hub: Hub) -> None:
    ear = Ear()
    hub.tell_also(ear)
    hub.subscribe()
    changes: list[ToSurface] = [TaskChanged(task=a_task(tail=str(n))) for n in range(MAX_PENDING + 1)]
    for change in changes:
        hub.publish(change)
    hub.show([a_turn(7, state="succeeded")], [])
    assert ear.heard == changes  # what was kept before is no news
    hub.tell_also(None)
    hub.publish(Notice(message="x"))
    assert len(ear.heard) == len(changes)


def test_another_conversation_takes_the_place_of_what_has_ended(hub: Hub) -> None:
    hub.publish(TurnChanged(turn=a_turn(1, state="succeeded")))
    hub.publish(TaskChanged(task=a_task(1, state="succeeded")))
    hub.publish(ApprovalChanged(approval=a_card(1, "denied")))
    hub.show([a_turn(5, state="failed")], [a_task(9, state="interrupted", earlier=True)])
    state = hub.state()
    assert [turn.id for turn in state.turns] == [5]
    assert [(task.id, task.earlier) for task in state.tasks] == [(9, True)]
    assert state.approvals == []


def test_what_still_goes_on_stays_in_sight_in_another_conversation(hub: Hub) -> None:
    hub.publish(TurnChanged(turn=a_turn(1, state="succeeded")))
    hub.publish(TurnChanged(turn=a_turn(2)))
    hub.publish(TurnChanged(turn=a_turn(3, state="succeeded")))
    hub.publish(TaskChanged(task=a_task(1, state="succeeded")))
    hub.publish(TaskChanged(task=a_task(2, state="succeeded").model_copy(update={"turn_id": 2})))
    hub.publish(TaskChanged(task=a_task(3, tail="so far").model_copy(update={"turn_id": 3})))
    hub.publish(ApprovalChanged(approval=a_card(4)))
    hub.show([a_turn(2, text="as it was written")], [a_task(3, tail="as it was written")])
    # An open turn with all its tasks, an open task with its turn, an open card; each as it is now.
    assert {i: turn.text for i, turn in hub.turns.items()} == {2: "", 3: ""}
    assert {i: task.tail for i, task in hub.tasks.items()} == {2: "", 3: "so far"}
    assert list(hub.approvals) == [4]


async def test_surfaces_get_a_whole_state_and_nothing_of_it_twice(hub: Hub) -> None:
    hub.publish(TaskChanged(task=a_task(1)))
    surface = Surface(*hub.subscribe())
    hub.publish(TaskOutput(task_id=1, text="before ", output_bytes=7))
    hub.show([], [a_task(2, state="succeeded", tail="old")])
    hub.publish(TaskOutput(task_id=1, text="after", output_bytes=12))
    await surface.fetch()
    assert surface.tails == {1: "before after", 2: "old"}


async def test_the_end_of_a_turn_is_told_although_another_conversation_was_opened(hub: Hub) -> None:
    hub.publish(TurnChanged(turn=a_turn(1)))
    _state, subscription = hub.subscribe()
    hub.publish(TurnChanged(turn=a_turn(1, state="succeeded")))
    hub.publish(Notice(message="x"))
    hub.show([], [])
    turn, notice, state = await subscription.changes()
    assert isinstance(turn, TurnChanged)
    assert turn.turn.state == "succeeded"
    assert isinstance(notice, Notice)
    assert isinstance(state, State)
    assert state.turns == []


def test_what_is_kept_is_part_of_the_state(hub: Hub) -> None:
    keeping = Keeping(state="memory", message="The disk is full.")
    hub.publish(KeepingChanged(keeping=keeping))
    assert hub.state().keeping == keeping


def test_a_long_conversation_is_shown_up_to_the_caps(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_TURNS", 3)
    monkeypatch.setattr(events, "MAX_TASKS", 4)
    ended: Any = "succeeded"
    hub.show([a_turn(n, state=ended) for n in range(9)], [a_task(n, state=ended) for n in range(9)])
    assert (list(hub.turns), list(hub.tasks)) == ([6, 7, 8], [5, 6, 7, 8])
