"""Intents: a deterministic grammar that turns what was said into tool calls, without any model.

words       a text, cut into the words that templates see
symbols     the words that stand for marks: "open paren", "bullet"
dictation   code and Markdown, as they are dictated
spoken      paths, addresses, commands and code of a command, as they are said aloud
templates   hassil templates, compiled and walked word by word
phrases     templates written out: how they sound, and their slots
slots       what a slot may hold, and what it stands for in the user's context
sentences   sentence files: ours (en.yaml) and the user's
calls       a sentence's slots become the arguments of tool calls
near        misheard words, and the phrases nearest to a miss
needs       what must be there for a command to be one
plans       one utterance, several commands
correction  what "no, I meant ..." asks for
grammar     all of it: `Grammar.load()`, `Grammar.parse(text, context)`
lines       texts in, JSON out, for the command line
"""

from voice_kernel.intents.calls import ToolCall
from voice_kernel.intents.grammar import Completeness, Grammar, Parse
from voice_kernel.intents.lines import parse_lines

__all__ = ["Completeness", "Grammar", "Parse", "ToolCall", "parse_lines"]
