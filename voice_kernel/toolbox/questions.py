"""Questions of turns that ask before they act, because what was heard is not sure.

Unlike an approval it is about the words, not about the danger: what policy wants to ask is asked as well.
Nobody's answer is a no. All of it belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from voice_kernel.language import _

QUESTION_LIMIT_S = 30.0
"""A question that nobody answers is closed after this long; nothing is done."""


@dataclass
class _Open:
    asked_at: float
    answer: asyncio.Future[bool]


class Questions:
    """The open questions.

    Args:
        tell: shows the question of a turn; an empty text takes it away.
        limit_s: how long one waits for its answer.
    """

    def __init__(self, tell: Callable[[int, str], None], limit_s: float = QUESTION_LIMIT_S) -> None:
        self._tell = tell
        self._limit_s = limit_s
        self._open: dict[int, _Open] = {}

    @property
    def open(self) -> list[int]:
        """The turns that ask, oldest first."""
        return [turn_id for turn_id, question in self._open.items() if not question.answer.done()]

    async def ask(self, turn_id: int, text: str) -> bool:
        """Ask, and wait for the answer. A newer question takes the place of those before it."""
        self.withdraw()
        question = _Open(time.time(), asyncio.get_running_loop().create_future())
        self._open[turn_id] = question
        self._tell(turn_id, text)
        try:
            async with asyncio.timeout(self._limit_s):
                return await question.answer
        except TimeoutError:
            return False
        finally:
            self._open.pop(turn_id, None)
            self._tell(turn_id, "")

    def answer(self, turn_id: int, yes: bool) -> bool:
        """Answer by a click; returns whether the question was open."""
        question = self._open.get(turn_id)
        if question is None or question.answer.done():
            return False
        question.answer.set_result(yes)
        return True

    def spoken(self, yes: bool, first_sample_at: float) -> str:
        """Answer by voice or typed text; returns what to say when it did not count, else empty.

        Args:
            yes: the answer.
            first_sample_at: when the utterance began, seconds since the epoch.
        """
        for turn_id in reversed(self.open):
            if yes and first_sample_at <= self._open[turn_id].asked_at:
                return _("That was said before the question was asked, so it does not count. Say it again.")
            self.answer(turn_id, yes)
            return ""
        return _("Nothing is waiting for your answer.")

    def withdraw(self) -> None:
        """Take every open question back: something else was said."""
        for turn_id in self.open:
            self.answer(turn_id, False)
