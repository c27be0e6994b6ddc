"""What answers of a model have taken: tokens, money where a price is known, and the bound on both.

Knows numbers only, neither the SDK nor who asked. A price is what the settings say: we know none by heart,
since they change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from voice_kernel.errors import ModelError
from voice_kernel.language import _, number
from voice_kernel.messages import Turn, Usage

NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input_usd: float
    output_usd: float

    @classmethod
    def parse(cls, text: str) -> Price | None:
        """Return the price written as `in/out`; None for an empty text."""
        if not text:
            return None
        given, _slash, answered = text.partition("/")
        return cls(float(given), float(answered))

    def of(self, usage: Usage) -> float:
        """Return what usage costs."""
        return (usage.input_tokens * self.input_usd + usage.output_tokens * self.output_usd) / 1e6


class Accounts:
    """What the turns of one conversation have taken, and whether they may take more.

    Args:
        price: None where it is not known.
        budget: tokens, in and out, that a conversation may take; 0 for any number.
    """

    def __init__(self, price: Price | None = None, budget: int = 0) -> None:
        self.price = price
        self.budget = budget
        self.conversation = NOTHING
        """What all turns of the conversation have taken."""

    def begin(self, before: Usage = NOTHING) -> None:
        """Begin, or go on with, a conversation that has taken so much before."""
        self.conversation = before

    def add(self, turn: Usage, reported: Any, *, priced: bool = True) -> Usage:
        """Return a turn's usage with one more request in it.

        Args:
            turn: so far.
            reported: what the server says it took, as the Responses protocol has it; None when it does not.
            priced: whether it costs what the price says: not where another kind of model answered.
        """
        details = getattr(reported, "input_tokens_details", None)
        request = Usage(
            requests=1,
            input_tokens=getattr(reported, "input_tokens", 0) or 0,
            cached_tokens=getattr(details, "cached_tokens", 0) or 0,
            output_tokens=getattr(reported, "output_tokens", 0) or 0,
        )
        if priced and self.price is not None:
            request = request.model_copy(update={"price_usd": self.price.of(request)})
        self.conversation = add(self.conversation, request)
        return add(turn, request)

    def check(self) -> None:
        """Stop who would ask for more than the budget has.

        Raises:
            ModelError: the conversation's budget is used up.
        """
        taken = self.conversation.input_tokens + self.conversation.output_tokens
        if self.budget and taken >= self.budget:
            raise ModelError(
                _("This conversation has used up its budget: {taken} of {budget} tokens.").format(
                    taken=number(taken), budget=number(self.budget)
                ),
                hint=_('Say "new conversation", or raise VOICE_KERNEL_MODEL_BUDGET.'),
            )


def taken_by(turns: Iterable[Turn]) -> Usage:
    """Return what turns have taken together."""
    taken = NOTHING
    for turn in turns:
        taken = add(taken, turn.usage) if turn.usage is not None else taken
    return taken


def add(one: Usage, other: Usage) -> Usage:
    """Return the sum of two, with a price only where all requests have one."""
    priced = all(usage.price_usd is not None or not usage.requests for usage in (one, other))
    priced = priced and bool(one.requests or other.requests)
    return Usage(
        requests=one.requests + other.requests,
        input_tokens=one.input_tokens + other.input_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        price_usd=(one.price_usd or 0.0) + (other.price_usd or 0.0) if priced else None,
    )
