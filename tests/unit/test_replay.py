"""A replay against a session of the test's own making: what is sent, what is compared, where it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from voice_kernel.errors import KernelDied
from voice_kernel.messages import (
    Approval,
    ApprovalChanged,
    ApprovalShown,
    Call,
    CancelTurn,
    Decide,
    Do,
    Problem,
    Result,
    Say,
    Task,
    TaskChanged,
    ToKernel,
    ToSurface,
    Turn,
    TurnChanged,
)
from voice_kernel.replay import Done, Replay
from voice_kernel.script.outcome import outcome_of
from voice_kernel.script.step import Step

Answer = Callable[["FakeSession", Turn, list[Call]], None]


class FakeSession:
    """Does every call as `answer` says; tells turns and tasks as a session does."""

    surface_id = "client-1"

    def __init__(self, answer: Answer | None = None) -> None:
        self.sent: list[ToKernel] = []
        self.answer = answer or (lambda session, turn, calls: session.ends(turn, calls))
        self._events: asyncio.Queue[ToSurface | Exception] = asyncio.Queue()
        self._turn = 7
        self._task = 20
        self.tell(TurnChanged(turn=self.turn("of somebody else", surface_id="panel", ended_at=1.0)))

    def tell(self, event: ToSurface | Exception) -> None:
        self._events.put_nowait(event)

    def send(self, message: ToKernel) -> None:
        self.sent.append(message)
        if isinstance(message, Do):
            self._begin(message.text, message.calls)
        elif isinstance(message, Say):
            self._begin(message.text, [])
        elif isinstance(message, CancelTurn):
            self.tell(TurnChanged(turn=self.turn("", id=message.turn_id, state="cancelled", ended_at=2.0)))

    def _begin(self, text: str, calls: list[Call]) -> None:
        self._turn += 1
        turn = self.turn(text)
        self.tell(TurnChanged(turn=turn))
        self.answer(self, turn, calls)

    async def events(self) -> AsyncIterator[ToSurface]:
        while True:
            event = await self._events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    def turn(self, text: str, **fields: Any) -> Turn:
        defaults = {"id": self._turn, "state": "running", "origin": "script", "surface_id": self.surface_id}
        return Turn.model_validate({**defaults, "text": text, "created_at": 1.0, **fields})

    def ends(self, turn: Turn, calls: list[Call], state: str = "succeeded", kind: str = "") -> None:
        """Tell a task for each call, and the end of the turn."""
        problem = Problem(kind=kind, message=f"{kind} happened.") if kind else None
        for call in calls:
            self._task += 1
            task = made(self._task, call, turn_id=turn.id, state="running")
            self.tell(TaskChanged(task=task))
            self.tell(TaskChanged(task=task.model_copy(update={"state": state, "problem": problem})))
        end = "succeeded" if state == "succeeded" else "failed"
        self.tell(
            TurnChanged(turn=turn.model_copy(update={"state": end, "problem": problem, "ended_at": 2.0}))
        )


def made(number: int, call: Call, **fields: Any) -> Task:
    defaults = {
        "id": number,
        "turn_id": 1,
        "tool": call.tool,
        "arguments": call.arguments,
        "title": call.tool,
    }
    return Task.model_validate({**defaults, "state": "succeeded", "created_at": 1.0, **fields})


def step(text: str, tool: str = "run_shell", **expected: Any) -> Step:
    call = Call(tool=tool, arguments={"command": text})
    return Step(text, (call,), outcome_of([made(1, call, **expected)]))


async def replayed(
    session: FakeSession, steps: list[Step], keep_going: bool = False, **how: Any
) -> list[Done]:
    async with asyncio.timeout(30):
        return [done async for done in Replay(session, **how).run(steps, keep_going=keep_going)]


def states(done: list[Done]) -> list[str]:
    return [one.state for one in done]


FAILED: dict[str, Any] = {"state": "failed", "problem": Problem(kind="CommandFailed", message="")}


async def test_the_exact_calls_are_sent_and_the_same_outcomes_are_the_same() -> None:
    session = FakeSession()
    done = await replayed(session, [step("make"), step("make test")])
    assert states(done) == ["same", "same"]
    assert [(message.text, message.calls[0].tool) for message in session.sent if isinstance(message, Do)] == [
        ("make", "run_shell"),
        ("make test", "run_shell"),
    ]


async def test_it_stops_at_the_first_difference_and_names_it_at_its_step() -> None:
    session = FakeSession(lambda session, turn, calls: session.ends(turn, calls, "failed", "CommandFailed"))
    done = await replayed(session, [step("one", **FAILED), step("two"), step("three")])
    assert states(done) == ["same", "different", "not_done"]
    assert (done[1].number, done[1].step.text) == (2, "two")
    assert done[1].message == "run_shell: failed (CommandFailed); before it was succeeded."
    assert len(session.sent) == 2


async def test_it_goes_on_when_told_to() -> None:
    session = FakeSession(lambda session, turn, calls: session.ends(turn, calls, "failed", "CommandFailed"))
    done = await replayed(session, [step("one"), step("two", **FAILED)], keep_going=True)
    assert states(done) == ["different", "same"]


async def test_words_without_calls_are_said() -> None:
    session = FakeSession()
    done = await replayed(session, [Step("run the tests")])
    assert states(done) == ["done"]
    assert session.sent == [Say(text="run the tests")]


async def test_words_that_are_not_understood_stop_it() -> None:
    def nothing(session: FakeSession, turn: Turn, calls: list[Call]) -> None:
        problem = Problem(kind="NotUnderstood", message="I did not understand that.")
        update = {"state": "nothing", "problem": problem, "closest": ["run the tests"], "ended_at": 2.0}
        session.tell(TurnChanged(turn=turn.model_copy(update=update)))

    (done,) = await replayed(FakeSession(nothing), [Step("rum the tits")])
    assert (done.state, done.message) == ("failed", "I did not understand that.")
    assert done.hint == "Closest: run the tests."


async def test_a_step_that_is_left_out_is_told_and_not_done() -> None:
    session = FakeSession()
    done = await replayed(session, [Step("sleep", left_out="it was cancelled"), step("make")])
    assert states(done) == ["left_out", "same"]
    assert done[0].message == "Left out: it was cancelled."
    assert len(session.sent) == 1


async def test_a_refusal_is_told_as_one() -> None:
    session = FakeSession(lambda session, turn, calls: session.ends(turn, calls, "failed", "NobodyToAsk"))
    (done,) = await replayed(session, [step("pip install rich")])
    assert done.state == "refused"
    assert done.message.endswith("before it was succeeded. NobodyToAsk happened.")


async def test_a_refusal_that_was_one_before_is_the_same() -> None:
    session = FakeSession(lambda session, turn, calls: session.ends(turn, calls, "failed", "Refused"))
    before = {"state": "failed", "problem": Problem(kind="Refused", message="")}
    assert states(await replayed(session, [step("rm -rf x", **before)])) == ["same"]


@pytest.mark.parametrize("approved", [True, False])
async def test_a_person_is_asked_once_for_each_card_after_it_was_shown(approved: bool) -> None:
    def asks(session: FakeSession, turn: Turn, calls: list[Call]) -> None:
        card = Approval(id=4, task_id=21, tool="run_shell", target="rm", reason="It asks.", created_at=1.0)
        session.tell(ApprovalChanged(approval=card))
        session.tell(ApprovalChanged(approval=card.model_copy(update={"shown_at": 2.0})))
        session.ends(turn, calls)

    async def ask(card: Approval) -> bool:
        asked.append(card.target)
        return approved

    asked: list[str] = []
    session = FakeSession(asks)
    await replayed(session, [step("rm")], ask=ask)
    assert asked == ["rm"]
    assert session.sent[1:] == [ApprovalShown(approval_id=4), Decide(approval_id=4, approved=approved)]


async def test_a_step_that_takes_too_long_is_cancelled_and_ends_it() -> None:
    session = FakeSession(lambda session, turn, calls: None)
    done = await replayed(session, [step("sleep"), step("make")], timeout_s=0.01)
    assert states(done) == ["timeout", "not_done"]
    assert done[0].message == "It took longer than 0.01 s."
    assert isinstance(session.sent[-1], CancelTurn)


async def test_cancelling_it_cancels_the_step() -> None:
    session = FakeSession(lambda session, turn, calls: began.set())
    began = asyncio.Event()
    work = asyncio.ensure_future(replayed(session, [step("sleep")]))
    await began.wait()
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert session.sent[-1] == CancelTurn(turn_id=8)


async def test_a_kernel_that_dies_ends_it() -> None:
    session = FakeSession(lambda session, turn, calls: session.tell(KernelDied("The kernel died.")))
    with pytest.raises(KernelDied):
        await replayed(session, [step("os._exit(1)")])


async def test_what_tools_called_in_turn_counts_as_well() -> None:
    def twice(session: FakeSession, turn: Turn, calls: list[Call]) -> None:
        session.ends(turn, [*calls, Call(tool="plot")])

    before = outcome_of([made(1, Call(tool="fix_error")), made(2, Call(tool="plot"))])
    (done,) = await replayed(FakeSession(twice), [Step("fix it", (Call(tool="fix_error"),), before)])
    assert done.state == "same"


async def test_the_output_of_a_step_is_at_hand() -> None:
    def prints(session: FakeSession, turn: Turn, calls: list[Call]) -> None:
        result = Result(summary="No.", exit_code=2)
        task = made(30, calls[0], turn_id=turn.id, state="failed", tail="oh no\n", result=result)
        session.tell(TaskChanged(task=task))
        session.tell(TurnChanged(turn=turn.model_copy(update={"state": "failed", "ended_at": 2.0})))

    (done,) = await replayed(FakeSession(prints), [step("make")])
    assert done.tasks[0].tail == "oh no\n"
