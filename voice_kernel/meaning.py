"""What words mean here and now: a plan of calls, or why there is none.

Responsible for reading words with the grammar and what exists, looking again where something was named that
is not known, and for what is said to words that mean nothing. It does not know turns, nor what is done.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from voice_kernel.context import Context
from voice_kernel.intents import Grammar, Parse
from voice_kernel.intents.needs import lacking
from voice_kernel.intents.tongue import TONGUES, other_tongue
from voice_kernel.language import N_, _, used
from voice_kernel.messages import Problem

NOT_UNDERSTOOD = N_("I did not understand that.")
LACKS: Mapping[str, tuple[str, str]] = {
    "page": (N_("No page is open."), N_("Say where to go: open python dot org.")),
    "server": (N_("There is no MCP server yet."), N_("Say: install the time server.")),
    "test": (N_("No test here has that in its name."), N_("Say: run the tests.")),
}
"""What is said to words that would be a command if there were such a thing."""
PREPARED_S = 3.0
"""What was worked out so long ago at most still holds when the turn ends."""


@dataclass(frozen=True)
class Meaning:
    """What a text means, perhaps worked out while it was still being said."""

    text: str
    context: Context
    parse: Parse
    at: float
    """Seconds of `time.monotonic`."""
    lacks: tuple[str, str] | None = None
    """What is said, and how to go on, where it would be a command if something were there."""


class Meanings:
    """What is said in one session, and what it means.

    Args:
        grammar: the intents; loaded when first needed.
        context: what exists now.
        look_again: what exists after looking again, where something was named that is not known.
    """

    def __init__(
        self,
        grammar: Callable[[], Awaitable[Grammar]],
        context: Callable[[], Awaitable[Context]],
        look_again: Callable[[], Awaitable[Context]] | None = None,
    ) -> None:
        self._grammar = grammar
        self._context = context
        self._look_again = look_again
        self._prepared: Meaning | None = None

    async def of(self, text: str) -> Meaning:
        """Return what a text means; it is remembered for a moment, as the text may still go on."""
        prepared = self._prepared
        if prepared is None or prepared.text != text or time.monotonic() - prepared.at > PREPARED_S:
            grammar, context = await self._grammar(), await self._context()
            parse = grammar.parse(text, context)
            lacks = lacking(parse.calls, context)
            if lacks == "test" and self._look_again is not None:
                context = await self._look_again()
                parse = grammar.parse(text, context)
                lacks = lacking(parse.calls, context)
            if lacks:  # talk that sounds like a command
                parse = Parse(text, "none")
            prepared = Meaning(text, context, parse, time.monotonic(), LACKS.get(lacks))
            self._prepared = prepared
        return prepared

    def forget(self) -> None:
        """Work it out anew the next time: the same words may mean something else then."""
        self._prepared = None


def not_understood(meaning: Meaning, *, sure: bool) -> tuple[Problem, list[str]]:
    """Return what is said to words that are no command, and the phrases nearest to them.

    Args:
        meaning: of the words.
        sure: whether they were heard well.
    """
    if meaning.lacks is None and (tongue := other_tongue(meaning.text, used())):
        return _in_another_tongue(tongue), []  # what is near to it in this language is near by chance
    message, hint = meaning.lacks or (NOT_UNDERSTOOD, N_('Say "help" for what you can say.'))
    told = _(hint)
    if not sure and meaning.lacks is None:
        # To a recogniser that does not know it, another language is this one said badly.
        unclear = _("It was not clear, and I listen for {language}.")
        told = f"{unclear.format(language=_(TONGUES[used()]))} {told}"
    problem = Problem(kind="NotUnderstood", message=_(message), hint=told)
    return problem, list(meaning.parse.closest)


def _in_another_tongue(tongue: str) -> Problem:
    """Say that words are in another language than the session."""
    return Problem(
        kind="OtherLanguage",
        message=_("That sounds like {other}, and this session understands {own}.").format(
            other=_(TONGUES[tongue]), own=_(TONGUES[used()])
        ),
        hint=_("For {other}, set VOICE_KERNEL_LANGUAGE={code} and restart the kernel.").format(
            other=_(TONGUES[tongue]), code=tongue
        ),
    )
