"""How well a text is understood: what a recogniser asks that has several readings of one sound.

A command about a name that exists is more probable than one about a name that does not. It does not know
sounds, nor how likely the recogniser thinks a reading is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voice_kernel.context import Context, squash
from voice_kernel.intents.calls import CONSENT
from voice_kernel.intents.grammar import Grammar

UNKNOWN_NAME = 0.8
"""How well a command is understood whose name does not exist, where names of its kind are known."""
FREE_TEXT = 0.85
"""How well a command is understood that holds free text: it would hold anything."""
REPAIRED = 0.5
"""How well a command is understood in which some words are taken for others that sound like them."""
FREE = frozenset(("command", "code", "query", "text", "source", "label", "target", "instruction"))
"""Arguments that hold free text."""


def understanding(grammar: Grammar, context: Context) -> Callable[[str], float]:
    """Return a function from a text to how well it is understood, from 0 to 1.

    0: not at all, or only as what must have been said exactly. `REPAIRED`: when some words are taken for
    others. `UNKNOWN_NAME`: as a command about a name that does not exist. `FREE_TEXT`: as a command that
    holds free text. 1: as a command, and all of it.
    """
    names = _names(context)

    def rate(text: str) -> float:
        parse = grammar.parse(text, context)
        if parse.route == "none" or any(call.tool in CONSENT for call in parse.calls):
            return 0.0
        rates = [1.0 if parse.route == "intents" else REPAIRED]
        for call in parse.calls:
            for argument, value in call.arguments.items():
                if argument in FREE:
                    rates.append(FREE_TEXT)
                known = names.get("server" if call.tool.startswith("mcp_") else argument)
                if known and isinstance(value, str) and squash(value) not in known:
                    rates.append(UNKNOWN_NAME)
        return min(rates)

    return rate


def _names(context: Context) -> Mapping[str, frozenset[str]]:
    """Return what may stand in an argument, squashed; an argument that may hold anything is left out."""
    variables = frozenset(squash(variable.name) for variable in context.variables)
    columns = frozenset(squash(column) for column in context.columns)
    paths = {squash(path) for path in context.files}
    paths |= {squash(path.rstrip("/").rsplit("/", 1)[-1]) for path in context.files}
    tests = frozenset(squash(test) for test in context.tests)
    series = columns | variables if columns else frozenset()
    return {
        "name": variables,
        "server": frozenset(squash(server) for server in context.servers),
        "frame": variables,
        "x": series,
        "y": series,
        "column": series,
        "by": series,
        "path": frozenset(paths),
        "keyword": tests,
    }
