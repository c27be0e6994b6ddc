"""Questions of turns that are not sure of what they heard."""

from __future__ import annotations

import asyncio
import time

import pytest

from voice_kernel.toolbox.questions import Questions


class Screen:
    """What is asked at the moment, by turn."""

    def __init__(self) -> None:
        self.shown: dict[int, str] = {}
        self.changed = asyncio.Event()

    def tell(self, turn_id: int, text: str) -> None:
        self.shown[turn_id] = text
        self.changed.set()


@pytest.fixture
async def screen() -> Screen:
    return Screen()


@pytest.fixture
async def questions(screen: Screen) -> Questions:
    return Questions(screen.tell)


async def asked(questions: Questions, screen: Screen, turn_id: int = 1) -> asyncio.Task[bool]:
    screen.changed.clear()
    task = asyncio.ensure_future(questions.ask(turn_id, "Did you mean that?"))
    await asyncio.wait_for(screen.changed.wait(), 30)
    return task


@pytest.mark.parametrize("yes", [True, False])
async def test_a_click_answers_and_takes_the_question_away(
    questions: Questions, screen: Screen, yes: bool
) -> None:
    task = await asked(questions, screen)
    assert screen.shown == {1: "Did you mean that?"}
    assert questions.answer(1, yes)
    assert await task is yes
    assert screen.shown == {1: ""}
    assert not questions.answer(1, yes)


async def test_a_spoken_yes_from_before_the_question_does_not_count(
    questions: Questions, screen: Screen
) -> None:
    before = time.time() - 1
    task = await asked(questions, screen)
    assert "does not count" in questions.spoken(True, before)
    assert questions.spoken(True, time.time() + 0.01) == ""
    assert await task is True


async def test_a_spoken_no_always_counts(questions: Questions, screen: Screen) -> None:
    task = await asked(questions, screen)
    assert questions.spoken(False, 0.0) == ""
    assert await task is False


async def test_a_newer_question_takes_the_place_of_the_one_before(
    questions: Questions, screen: Screen
) -> None:
    first = await asked(questions, screen, 1)
    second = await asked(questions, screen, 2)
    assert await first is False
    assert questions.open == [2]
    questions.withdraw()
    assert await second is False


async def test_nobodys_answer_is_a_no(screen: Screen) -> None:
    questions = Questions(screen.tell, limit_s=0.01)
    assert await questions.ask(1, "Did you mean that?") is False
    assert "Nothing is waiting" in questions.spoken(True, time.time())


async def test_a_turn_that_is_cancelled_asks_no_more(questions: Questions, screen: Screen) -> None:
    task = await asked(questions, screen)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert questions.open == []
    assert screen.shown == {1: ""}
