"""What "no, I meant ..." asks for: a command of its own, or the last one with another end.

It does not know who said what when, nor what the last command still runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice_kernel.context import Context
from voice_kernel.intents.grammar import Grammar, Parse
from voice_kernel.messages import Call


def corrected(
    grammar: Grammar, context: Context, text: str, last: tuple[str, Sequence[Call]] | None
) -> list[Call] | None:
    """Return the calls that a correction asks for; None where it makes no command.

    Args:
        grammar: the intents.
        context: what exists now.
        text: what was meant.
        last: the last command, and the calls it made.
    """
    whole = grammar.parse(text, context)
    # "the next cell" alone selects it; as a correction it is what the last command was to be about.
    bare = whole.calls == grammar.parse(f"select {text}", context).calls
    fitted = None
    if last is not None and (bare or whole.route != "intents"):
        fitted = _fitted(grammar, context, text, *last)
    if fitted is None and whole.route == "intents":
        fitted = whole
    if fitted is None:
        return None
    return [Call(tool=call.tool, arguments=dict(call.arguments)) for call in fitted.calls]


def _fitted(grammar: Grammar, context: Context, text: str, said: str, calls: Sequence[Call]) -> Parse | None:
    """Put a correction in the place of the last command's end: "run cell three" and "cell four"."""
    words = said.split()
    for keep in range(len(words) - 1, 0, -1):
        attempt = grammar.parse(" ".join([*words[:keep], text]), context)
        same = [call.tool for call in attempt.calls] == [call.tool for call in calls]
        changed = [dict(call.arguments) for call in attempt.calls] != [call.arguments for call in calls]
        if attempt.route == "intents" and same and changed:
            return attempt
    return None
