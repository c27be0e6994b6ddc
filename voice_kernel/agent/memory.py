"""What the model still knows of earlier turns of this conversation: bounded, and compacted when long.

Kept as plain items without the provider's ids, so that they survive a change of model or protocol, and
never refer to anything stored elsewhere. What outlives the kernel is in the conversation's turns; after a
restart it is made from them.

The newest turns are kept whole. Older ones shrink to what was asked and how the answer began; of the oldest
only a list of what was asked is left, as long as there is room for it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from voice_kernel.agent.report import clip

MAX_TURNS = 10
"""Turns kept whole."""
MAX_CHARS = 30_000
"""Of them all together, those that have shrunk included."""
MAX_EXCHANGES = 12
MAX_ARGUMENT_CHARS = 500
MAX_REPORT_CHARS = 1_500
MAX_MESSAGE_CHARS = 6_000

MAX_SHRUNK = 20
SHRUNK_CHARS = 400
MAX_ASKED = 40
ASKED_CHARS = 120

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of the model and what it was told."""

    call_id: str
    tool: str
    arguments: dict[str, Any]
    report: str


@dataclass(frozen=True, slots=True)
class _Past:
    items: tuple[Item, ...]
    untrusted: str
    question: str
    answer: str
    calls: tuple[str, ...]

    @property
    def chars(self) -> int:
        return sum(len(str(value)) for item in self.items for value in item.values())


class Memory:
    """The turns of one conversation, at most about `MAX_CHARS` characters in all."""

    def __init__(self) -> None:
        self._turns: deque[_Past] = deque()
        self._shrunk: deque[_Past] = deque()
        self._asked: deque[str] = deque(maxlen=MAX_ASKED)

    @property
    def untrusted(self) -> str:
        """What brought text of strangers into what is remembered; empty when nothing did."""
        found = (past.untrusted for past in (*self._turns, *self._shrunk) if past.untrusted)
        return next(found, "")  # of the oldest only the person's own words are left

    def items(self) -> list[Item]:
        """Return what is remembered as input items of the Responses protocol, oldest first."""
        items: list[Item] = []
        if self._asked:
            words = "\n".join(f"- {question}" for question in self._asked)
            items.append({"role": "user", "content": f"(Earlier in this conversation I asked:\n{words}\n)"})
            items.append({"role": "assistant", "content": "I remember."})
        items += [dict(item) for past in (*self._shrunk, *self._turns) for item in past.items]
        return items

    def add(self, question: str, exchanges: Sequence[Exchange], answer: str, *, untrusted: str) -> None:
        """Remember a turn, and shrink older ones until all fits."""
        items: list[Item] = [{"role": "user", "content": clip(question, MAX_MESSAGE_CHARS)}]
        for exchange in exchanges[-MAX_EXCHANGES:]:
            short = {key: _short(value) for key, value in exchange.arguments.items()}
            items += items_of(replace(exchange, arguments=short), MAX_REPORT_CHARS)
        if answer:
            items.append({"role": "assistant", "content": clip(answer, MAX_MESSAGE_CHARS)})
        calls = tuple(exchange.tool for exchange in exchanges)
        self._turns.append(_Past(tuple(items), untrusted, question, answer, calls))
        while len(self._turns) > 1 and (len(self._turns) > MAX_TURNS or self._chars() > MAX_CHARS):
            self._shrink()

    def compact(self) -> bool:
        """Shrink everything as far as it goes; returns whether that made room.

        For a model whose context is smaller than what is remembered.
        """
        before = self._chars()
        while self._turns:
            self._shrink()
        while self._shrunk:
            self._forget_answer()
        return self._chars() < before

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
        self._shrunk.clear()
        self._asked.clear()

    def _chars(self) -> int:
        asked = sum(map(len, self._asked))
        return asked + sum(past.chars for past in (*self._shrunk, *self._turns))

    def _shrink(self) -> None:
        past = self._turns.popleft()
        answer = clip(past.answer, SHRUNK_CHARS) or "(no answer)"
        if past.calls:
            answer += f" (called: {', '.join(dict.fromkeys(past.calls))})"
        items: tuple[Item, ...] = (
            {"role": "user", "content": clip(past.question, SHRUNK_CHARS)},
            {"role": "assistant", "content": answer},
        )
        self._shrunk.append(_Past(items, past.untrusted, past.question, past.answer, past.calls))
        while len(self._shrunk) > MAX_SHRUNK:
            self._forget_answer()

    def _forget_answer(self) -> None:
        past = self._shrunk.popleft()
        self._asked.append(clip(" ".join(past.question.split()), ASKED_CHARS))


def items_of(exchange: Exchange, max_report_chars: int) -> list[Item]:
    """Return a call and what came of it as input items of the Responses protocol."""
    return [
        {
            "type": "function_call",
            "call_id": exchange.call_id,
            "name": exchange.tool,
            "arguments": json.dumps(exchange.arguments),
        },
        {
            "type": "function_call_output",
            "call_id": exchange.call_id,
            "output": clip(exchange.report, max_report_chars),
        },
    ]


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return value if len(text) <= MAX_ARGUMENT_CHARS else clip(text, MAX_ARGUMENT_CHARS)
