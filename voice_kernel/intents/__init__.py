"""Intents: a deterministic grammar that turns what was said into tool calls, without any model.

`Grammar.load()` reads the sentences, `Grammar.parse(text, context)` understands one utterance.
"""

from voice_kernel.intents.grammar import Grammar, Parse, ToolCall, parse_lines

__all__ = ["Grammar", "Parse", "ToolCall", "parse_lines"]
