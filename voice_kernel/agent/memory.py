"""What the model still knows of earlier turns of this session: bounded, in memory only.

Kept as plain items without the provider's ids, so that they survive a change of model or protocol, and
never refer to anything stored elsewhere.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voice_kernel.agent.report import clip

MAX_TURNS = 10
MAX_CHARS = 30_000
MAX_EXCHANGES = 12
MAX_ARGUMENT_CHARS = 500
MAX_REPORT_CHARS = 1_500
MAX_MESSAGE_CHARS = 6_000

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
    chars: int
    untrusted: bool


class Memory:
    """The newest turns, at most `MAX_TURNS` and about `MAX_CHARS` characters in all."""

    def __init__(self) -> None:
        self._turns: deque[_Past] = deque()

    @property
    def untrusted(self) -> bool:
        """Whether text of strangers is among what is remembered."""
        return any(past.untrusted for past in self._turns)

    def items(self) -> list[Item]:
        """Return the remembered turns as input items of the Responses protocol, oldest first."""
        return [dict(item) for past in self._turns for item in past.items]

    def add(self, question: str, exchanges: Sequence[Exchange], answer: str, *, untrusted: bool) -> None:
        """Remember a turn, and forget the oldest ones that no longer fit."""
        items: list[Item] = [{"role": "user", "content": clip(question, MAX_MESSAGE_CHARS)}]
        for exchange in exchanges[-MAX_EXCHANGES:]:
            arguments = json.dumps({key: _short(value) for key, value in exchange.arguments.items()})
            items += [
                {
                    "type": "function_call",
                    "call_id": exchange.call_id,
                    "name": exchange.tool,
                    "arguments": arguments,
                },
                {
                    "type": "function_call_output",
                    "call_id": exchange.call_id,
                    "output": clip(exchange.report, MAX_REPORT_CHARS),
                },
            ]
        if answer:
            items.append({"role": "assistant", "content": clip(answer, MAX_MESSAGE_CHARS)})
        chars = sum(len(str(value)) for item in items for value in item.values())
        self._turns.append(_Past(tuple(items), chars, untrusted))
        while len(self._turns) > 1 and (
            len(self._turns) > MAX_TURNS or sum(past.chars for past in self._turns) > MAX_CHARS
        ):
            self._turns.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return value if len(text) <= MAX_ARGUMENT_CHARS else clip(text, MAX_ARGUMENT_CHARS)
