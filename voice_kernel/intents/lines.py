"""Texts in, JSON out: how the grammar is used and tested from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from voice_kernel.context import Context
from voice_kernel.intents.grammar import Grammar


def parse_lines(lines: Iterable[str], grammar: Grammar, context: Context | None = None) -> Iterator[str]:
    """Parse one utterance a line and yield one JSON object a line.

    Args:
        lines: texts; a line that is a JSON object with the key `say` stands for that value.
        grammar: what can be said.
        context: what names can refer to.

    Yields:
        `{"text", "route", "calls": [{"tool", "arguments"}], "closest"}`.
    """
    for line in lines:
        text = line.rstrip("\r\n")
        if text.lstrip().startswith("{"):
            try:
                row = json.loads(text)
            except ValueError:
                row = None
            if isinstance(row, dict) and isinstance(row.get("say"), str):
                text = row["say"]
        parse = grammar.parse(text, context)
        yield json.dumps(
            {
                "text": parse.text,
                "route": parse.route,
                "calls": [{"tool": call.tool, "arguments": dict(call.arguments)} for call in parse.calls],
                "closest": list(parse.closest),
            },
            ensure_ascii=False,
        )
