"""The words that stand for marks when code or Markdown is dictated, as tables.

These are the names that the writers know; what another language calls them is in its sentence file.

Source: the spoken forms are those of dictation software and of programmers who dictate ("open paren",
"camel case learning rate"); docs/commands.md, "Edit", lists them.
"""

from __future__ import annotations

from typing import NamedTuple

LONGEST_PHRASE = 6
"""Words of the longest phrase below."""


class Mark(NamedTuple):
    """What stands for a few words, and whether it touches what is before and after it."""

    typed: str
    left: bool = False
    right: bool = False


def _marks(*rows: tuple[str, Mark]) -> dict[str, Mark]:
    return {phrase: mark for phrases, mark in rows for phrase in phrases.split(", ")}


CODE = _marks(
    ("open paren, open parens, open parenthesis, open parentheses, left paren, left parenthesis",
     Mark("(", True, True)),
    ("close paren, close parens, close parenthesis, close parentheses, right paren, right parenthesis",
     Mark(")", True)),
    ("open bracket, open square bracket, left bracket, open square", Mark("[", True, True)),
    ("close bracket, close square bracket, right bracket, close square", Mark("]", True)),
    ("open brace, open curly, open curly brace, open curly bracket, left brace", Mark("{", False, True)),
    ("close brace, close curly, close curly brace, close curly bracket, right brace", Mark("}", True)),
    ("parens, empty parens, open close paren, open close parens, open paren close paren",
     Mark("()", True)),
    ("open parenthesis close parenthesis", Mark("()", True)),
    ("open bracket close bracket, empty brackets", Mark("[]")),
    ("open brace close brace, empty braces", Mark("{}")),
    ("equals, equal, equal sign, equals sign, single equals", Mark("=")),
    ("double equals, equals equals, equal equal, is equal to", Mark("==")),
    ("not equals, not equal, not equal to, is not equal to, bang equals", Mark("!=")),
    ("less than, is less than, less than sign", Mark("<")),
    ("greater than, is greater than, greater than sign, more than", Mark(">")),
    ("less than or equal to, is less than or equal to, less or equal", Mark("<=")),
    ("greater than or equal to, is greater than or equal to, greater or equal", Mark(">=")),
    ("plus equals", Mark("+=")), ("minus equals", Mark("-=")), ("times equals", Mark("*=")),
    ("plus, plus sign", Mark("+")), ("minus, minus sign", Mark("-")),
    ("times, star, asterisk, multiplied by", Mark("*")),
    ("double star, star star, to the power of", Mark("**")), ("squared", Mark("** 2")),
    ("cubed", Mark("** 3")),
    ("divided by, forward slash, slash", Mark("/")),
    ("double slash, floor divided by", Mark("//")),
    ("modulo, percent sign", Mark("%")),
    ("ampersand", Mark("&")), ("pipe, vertical bar", Mark("|")), ("caret", Mark("^")),
    ("tilde", Mark("~", False, True)), ("at sign", Mark("@", False, True)),
    ("dot", Mark(".", True, True)), ("comma", Mark(",", True)), ("colon", Mark(":", True)),
    ("semicolon, semi colon", Mark(";", True)), ("underscore", Mark("_", True, True)),
    ("dash, hyphen", Mark("-", True, True)), ("backslash", Mark("\\", True, True)),
    ("arrow", Mark("->")), ("walrus", Mark(":=")), ("ellipsis", Mark("...")),
    ("dollar sign", Mark("$", False, True)), ("bang, exclamation mark", Mark("!", False, True)),
    ("question mark", Mark("?", True)), ("backtick, back tick", Mark("`", True, True)),
    ("hash, hash sign, pound sign", Mark("#")), ("triple quote, triple quotes", Mark('"""')),
)  # fmt: skip
"""Spoken symbols of code."""

PROSE = _marks(
    ("comma", Mark(",", True)), ("period, full stop", Mark(".", True)), ("colon", Mark(":", True)),
    ("semicolon, semi colon", Mark(";", True)), ("question mark", Mark("?", True)),
    ("exclamation mark, exclamation point", Mark("!", True)),
    ("open paren, open parenthesis, left paren", Mark("(", False, True)),
    ("close paren, close parenthesis, right paren", Mark(")", True)),
    ("open bracket", Mark("[", False, True)), ("close bracket", Mark("]", True)),
    ("open quote", Mark('"', False, True)), ("close quote, end quote, unquote", Mark('"', True)),
    ("em dash", Mark("—")), ("hyphen", Mark("-", True, True)),
    ("slash, forward slash", Mark("/", True, True)),
    ("dollar sign", Mark("$", False, True)), ("percent sign", Mark("%", True)), ("ampersand", Mark("&")),
    ("hash sign", Mark("#", False, True)), ("asterisk", Mark("\\*", True, True)),
    ("at sign", Mark("@", True, True)),
    ("underscore", Mark("_", True, True)), ("ellipsis", Mark("...", True)),
)  # fmt: skip
"""Spoken symbols of prose."""

STRING = _marks(
    ("dot, point", Mark(".", True, True)), ("slash, forward slash", Mark("/", True, True)),
    ("underscore", Mark("_", True, True)), ("dash, hyphen", Mark("-", True, True)),
    ("colon", Mark(":", True)), ("comma", Mark(",", True)), ("star, asterisk", Mark("*", True, True)),
    ("open brace, open curly", Mark("{", False, True)), ("close brace, close curly", Mark("}", True)),
    ("new line", Mark("\\n", True, True)), ("percent sign", Mark("%", True, True)),
    ("space", Mark(" ", True, True)),
    ("no space", Mark("", True, True)), ("question mark", Mark("?", True)),
    ("exclamation mark", Mark("!", True)),
)  # fmt: skip
"""Spoken symbols inside a string of code; every other word stands as it was said."""

BLOCKS = {
    "heading one": "# ", "heading two": "## ", "heading three": "### ", "heading four": "#### ",
    "heading 1": "# ", "heading 2": "## ", "heading 3": "### ", "heading 4": "#### ",
    "heading": "# ", "title": "# ", "subheading": "## ", "sub heading": "## ",
    "bullet": "- ", "bullet point": "- ", "list item": "- ", "next bullet": "- ", "dash": "- ",
    "numbered item": "1. ", "number item": "1. ", "numbered": "1. ", "next number": "1. ",
    "block quote": "> ", "blockquote": "> ", "quote": "> ",
    "checkbox": "- [ ] ", "check box": "- [ ] ", "to do": "- [ ] ",
}  # fmt: skip
"""What begins a line of Markdown; counts only where a line or a sentence begins."""

STYLES = {"bold": "**", "italic": "*", "italics": "*", "strikethrough": "~~", "code": "`", "math": "$"}
"""What surrounds words of Markdown, up to "end bold" or the end of the line."""

LINES = {"new line": 1, "newline": 1, "next line": 1, "new paragraph": 2, "blank line": 2, "empty line": 2}
"""What begins a new line, and how many."""

QUOTES = {
    "quote": '"', "open quote": '"', "double quote": '"', "single quote": "'", "open single quote": "'",
}  # fmt: skip
"""What begins a string of code."""
