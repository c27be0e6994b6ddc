"""What is dictated, as it would be typed: spoken symbols in code and in Markdown.

Two writers, `code` and `markdown`. Each takes the words of one utterance and the text that stands before
the cursor, and returns that text with the utterance added. Both are deterministic: the same words after
the same text always give the same, whatever the kernel knows. They know no cells and no modes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from itertools import pairwise

from voice_kernel.intents.symbols import (
    BLOCKS,
    CODE,
    LINES,
    LONGEST_PHRASE,
    PROSE,
    QUOTES,
    STRING,
    STYLES,
    Mark,
)
from voice_kernel.intents.words import Lexicon, Word, as_marks, cardinal_at, listen, said, word_set

INDENT = "    "

_CASES = word_set("camel pascal snake constant kebab title")
_NAME_ENDS = word_set("tab end quote no outdent dedent")
_LITERAL = word_set("literal literally")
_CONSTANTS = {"true": "True", "false": "False", "none": "None"}
_KEYWORDS = word_set(
    "and as assert async await class def del elif else except finally for from global if import in is lambda "
    "nonlocal not or raise return try while with yield"
)
_QUOTE_ENDS = word_set("quote unquote endquote")
_OPERATOR_ENDS = tuple("=+-*/<>,%&|^~:;")
_CLOSING = re.compile(r"[^\w\s]*")
_WRITTEN = re.compile(r"^\s*[!%]|[=()\[\]{}+*/<>\"]|'\S[^']*'")
"""What no recogniser writes of its own accord."""
_PUNCTUATION = re.compile(r"[-.:;%&|^~@#]")
"""What it may write, too: this counts only where the whole is Python as it stands."""


def code(
    words: Sequence[Word], text: str, lexicon: Lexicon, *, before: str = "", names: Sequence[str] = ()
) -> str:
    """Return code with an utterance added: "x equals three plus four" is `x = 3 + 4`.

    Args:
        words: the words of the utterance, or those of a slot in it.
        text: what they stand in.
        lexicon: the language's numbers and letters.
        before: the code before the cursor.
        names: names that exist: "sales data" is then `sales_data`.
    """
    words = as_marks(words, lexicon.marks)
    writer = _Code(words, text, lexicon, before, names)
    while writer.at < len(words):
        writer.take()
    return writer.out


def markdown(words: Sequence[Word], text: str, lexicon: Lexicon, *, before: str = "") -> str:
    """Return Markdown with an utterance added: "heading two results" is `## Results`.

    Words, capitals and punctuation stay as they were said or written. Arguments like `code`.
    """
    words = as_marks(words, lexicon.prose_marks)
    writer = _Markdown(words, text, lexicon, before)
    while writer.at < len(words):
        writer.take()
    return writer.finished()


def typed(text: str, lexicon: Lexicon, kind: str, *, before: str = "", names: Sequence[str] = ()) -> str:
    """Return the text before the cursor with an utterance added, of a code or any other cell."""
    words = listen(text, lexicon)
    if kind == "code":
        if is_written(text, as_marks(words, lexicon.marks)):
            return _joined(before, text.strip())
        return code(words, text, lexicon, before=before, names=names)
    return markdown(words, text, lexicon, before=before)


def is_written(text: str, words: Sequence[Word]) -> bool:
    """Return whether code was typed and not said: it holds marks, and nothing that stands for one."""
    heard = {word.text for word in words}
    if not heard.isdisjoint(("equals", "paren", "bracket", "parens", "quote", "colon", "newline", "brace")):
        return False
    return _WRITTEN.search(text) is not None or (
        _PUNCTUATION.search(text) is not None and _is_python(text.strip())
    )


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _joined(before: str, text: str) -> str:
    tight = not before or before[-1].isspace() or before[-1] in "([{."
    return before + ("" if tight else " ") + text


class _Writer:
    """A text as it grows, word by word."""

    def __init__(self, words: Sequence[Word], text: str, lexicon: Lexicon, before: str) -> None:
        self._words, self._text, self._lexicon = words, text, lexicon
        self._taken = -1
        self.at = 0
        self.out = before
        self.glue = not before or before[-1].isspace()
        """Whether what comes next touches what is there."""

    def _phrase(self, table: dict[str, Mark]) -> Mark | None:
        """Take the longest phrase of a table that stands next."""
        for count in range(min(LONGEST_PHRASE, len(self._words) - self.at), 0, -1):
            mark = table.get(self._said(count))
            if mark is not None:
                self.at += count
                return mark
        return None

    def _said(self, count: int) -> str:
        return " ".join(word.text for word in self._words[self.at : self.at + count])

    def _name(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self._words[at].text if 0 <= at < len(self._words) else ""

    def _new_lines(self) -> int:
        for count in (2, 1):
            lines = LINES.get(self._said(count), 0)
            if lines:
                self.at += count
                return lines
        return 0

    def _after(self) -> str:
        """Return the mark that was written after the word before."""
        end = self._words[self.at - 1].end if self.at else 0
        return self._text[end : end + 1] if self.at else "."

    def _raw(self) -> str:
        """Return the next word as it was written; nothing for the second half of a contraction."""
        word = self._words[self.at]
        self.at += 1
        if word.start == self._taken:
            return ""
        self._taken = word.start
        return self._text[word.start : word.end]

    def put(self, piece: str, *, left: bool = False, right: bool = False) -> None:
        """Append a piece that touches what is before it (left), or what comes after it (right)."""
        if left and self.out.rsplit("\n", 1)[-1].strip():
            self.out = self.out.rstrip(" ")
        elif not (self.glue or left) and self.out:
            self.out += " "
        self.out += piece
        self.glue = right


class _Code(_Writer):
    """Code as it grows."""

    def __init__(
        self, words: Sequence[Word], text: str, lexicon: Lexicon, before: str, names: Sequence[str]
    ) -> None:
        super().__init__(words, text, lexicon, before)
        self._names: dict[tuple[str, ...], str] = {}
        for name in names:
            self._names.setdefault(_parts(name), name)
        self.glue = self.glue or before[-1] in "([{._"

    def take(self) -> None:
        """Take the next word, or the next few where they stand for something."""
        if self._line() or self._case() or self._string() or self._comment() or self._symbol():
            return
        if self._name() in _LITERAL and self._name(1):
            self.at += 1
            self.put(self._raw())
            return
        if self._name() == "no" and self._name(1) == "space":
            self.at, self.glue = self.at + 2, True
            return
        if not (self._known() or self._number()):
            self._word()

    def _line(self) -> bool:
        lines = self._new_lines()
        last = self.out.rsplit("\n", 1)[-1]
        if lines:
            indent = last[: len(last) - len(last.lstrip(" "))]
            if last.rstrip().endswith(":"):
                indent += INDENT
            self.out = self.out.rstrip(" ") + "\n" * lines + indent
            self.glue = True
            return True
        if self._name() == "tab":
            self.at += 1
            self.out += INDENT
            self.glue = True
            return True
        if self._said(2) in ("back tab", "shift tab") or self._name() in ("outdent", "dedent", "backtab"):
            self.at += 2 if self._said(2) in ("back tab", "shift tab") else 1
            if not last.strip():
                self.out = self.out[: len(self.out) - min(len(INDENT), len(last))]
            return True
        return False

    def _case(self) -> bool:
        """Take a name in a case: "camel case learning rate", "all caps max", "cap series"."""
        style, words = self._name(), 2
        if style in _CASES and self._name(1) == "case":
            pass
        elif style.removesuffix("case") in _CASES and style.endswith("case"):
            style, words = style.removesuffix("case"), 1
        elif self._said(2) == "all caps" and self._name(2):
            self.at += 2
            self.put(self._raw().upper())
            return True
        elif style in ("cap", "capital") and self._name(1):
            self.at += 1
            raw = self._raw()
            self.put(raw[:1].upper() + raw[1:])
            return True
        else:
            return False
        self.at += words
        parts: list[str] = []
        while self.at < len(self._words) and not self._ends_name():
            end, number = cardinal_at(self._words, self.at, self._lexicon)
            parts.append(number if end > self.at else self._name())
            self.at = max(end, self.at + 1)
        if self._said(2) == "end case":
            self.at += 2
        if parts:
            self.put(_in_case(style, parts))
        return True

    def _ends_name(self) -> bool:
        name = self._name()
        if (
            name in _KEYWORDS
            or name in _LITERAL
            or name in ("tab", "end", "quote", "no", "newline", "outdent")
        ):
            return True
        return any(self._said(count) in CODE or self._said(count) in LINES for count in range(1, 6))

    def _string(self) -> bool:
        """Take a string: "quote north america unquote"."""
        for count in (3, 2, 1):
            quote = QUOTES.get(self._said(count))
            if quote is not None:
                break
        else:
            return False
        self.at += count
        inner = _Writer(self._words, self._text, self._lexicon, "")
        inner.at = self.at
        while inner.at < len(self._words):
            if inner._said(2) in ("end quote", "close quote", "single quote", "double quote", "end single"):
                inner.at += 2 + (inner._name(2) == "quote")
                break
            if inner._name() in _QUOTE_ENDS:
                inner.at += 1
                break
            mark = inner._phrase(STRING)
            if mark is not None:
                inner.put(mark.typed, left=mark.left, right=mark.right)
                continue
            raw = inner._raw()
            if raw:
                inner.put(raw)
        self.at = inner.at
        prefixed = re.search(r"(?:^|[\s(,=\[])[frbFRB]$", self.out) is not None
        self.put(f"{quote}{inner.out}{quote}", left=prefixed)
        return True

    def _comment(self) -> bool:
        """Take a comment: from "comment", at the beginning of a line, to its end."""
        at_start = not self.out.rsplit("\n", 1)[-1].strip()
        if self._name() != "comment" or not at_start or not self._name(1):
            return False
        self.at += 1
        first = self.at
        while self.at < len(self._words) and not any(self._said(count) in LINES for count in (1, 2)):
            self.at += 1
        self.put("# " + said(self._text, self._words[first : self.at]))
        return True

    def _symbol(self) -> bool:
        mark = self._phrase(CODE)
        if mark is None:
            return False
        line = self.out.rsplit("\n", 1)[-1].rstrip()
        last_word = re.search(r"(\w+)$", line)
        prefix = not line or line.endswith((*_OPERATOR_ENDS, "(", "[", "{")) or (
            last_word is not None and last_word[1] in _KEYWORDS
        )  # fmt: skip
        left, right = mark.left, mark.right
        if mark.typed in ("(", "[", "()") and prefix and not line.endswith(("(", "[", "{")):
            left = False
        elif mark.typed in ("-", "*", "**") and prefix and not mark.left:
            right = True
        elif mark.typed == "-" and mark.left:
            left = right = not prefix
            right = True
        elif mark.typed == "=" and _innermost(self.out) == "call":
            left = right = True
        elif mark.typed == ":" and _innermost(self.out) == "[":
            right = True
        self.put(mark.typed, left=left, right=right)
        return True

    def _known(self) -> bool:
        """Take the longest run of words that spells a name that exists."""
        for count in range(min(5, len(self._words) - self.at), 0, -1):
            name = self._names.get(
                tuple(_spoken_parts(self._words[self.at : self.at + count], self._lexicon))
            )
            if name is not None and (count > 1 or self._name() not in _KEYWORDS):
                self.at += count
                self.put(name)
                self._comma()
                return True
        return False

    def _number(self) -> bool:
        word = self._words[self.at]
        end, number = cardinal_at(self._words, self.at, self._lexicon)
        if end == self.at or (word.text.isalpha() and word.text.endswith(("st", "nd", "rd", "th"))):
            return False
        self.at = end
        self.put(number)
        self._comma()
        return True

    def _word(self) -> None:
        starts = self.at == 0 or self._after() in (".", "?", "!")
        name = self._name()
        raw = self._raw()
        if not raw:
            return
        if name in _CONSTANTS:
            raw = _CONSTANTS[name]
        elif self._lexicon.fold(raw) != name:
            raw = name
        elif starts and raw[:1].isupper() and not raw[1:].isupper() and (raw[1:].islower() or len(raw) == 1):
            raw = raw.lower()  # a recogniser's capital
        self.put(raw)
        self._comma()

    def _comma(self) -> None:
        """Keep a comma that was written after a word, unless a symbol is spoken next."""
        if self._after() != "," or self.at >= len(self._words):
            return
        spoken = any(
            self._said(count) in CODE or self._said(count) in LINES or self._said(count) in QUOTES
            for count in range(1, 6)
        )
        if not spoken and not self.out.endswith(","):
            self.put(",", left=True)


class _Markdown(_Writer):
    """Markdown as it grows."""

    def __init__(self, words: Sequence[Word], text: str, lexicon: Lexicon, before: str) -> None:
        super().__init__(words, text, lexicon, before)
        self._open: str | None = None
        self._heading = False
        self._capital = False

    def take(self) -> None:
        """Take the next word, or the next few where they stand for something."""
        lines = self._new_lines()
        if lines:
            self._close()
            self.out = self.out.rstrip(" ") + "\n" * lines
            self.glue, self._heading = True, False
            return
        if self._block() or self._style():
            return
        if self._name() in _LITERAL and self._name(1):
            self.at += 1
            self._plain()
            return
        if self._name() == "no" and self._name(1) == "space":
            self.at, self.glue = self.at + 2, True
            return
        if self._name() == "cap" and self._name(1):
            self.at += 1
            self._capital = True
            self._plain()
            return
        if self._said(2) == "all caps" and self._name(2):
            self.at += 2
            self.put(self._raw().upper())
            return
        mark = self._phrase(PROSE)
        if mark is not None:
            self.put(mark.typed, left=mark.left, right=mark.right)
            return
        self._plain()

    def finished(self) -> str:
        """Return the whole text; what was begun is closed."""
        if self._heading:
            self.out = self.out.rstrip(".")
        self._close()
        return self.out

    def _plain(self) -> None:
        word = self._words[self.at]
        raw = self._raw()
        if not raw:
            return
        first = word.start
        while first and not (self._text[first - 1].isalnum() or self._text[first - 1].isspace()):
            first -= 1
        opening = self._text[first : word.start]
        closing = _CLOSING.match(self._text, word.end)
        following = closing[0] if closing else ""
        if self._spoken_next():
            following = re.sub(r"[,.]+", "", following)
        if self._capital:
            raw, self._capital = raw[:1].upper() + raw[1:], False
        self.put(opening + raw + following)

    def _spoken_next(self) -> bool:
        """Return whether a symbol is spoken next: the recogniser's own comma before it is none."""
        return any(
            self._said(count) in PROSE or self._said(count) in LINES or self._said(2).startswith("end ")
            for count in range(1, 4)
        )

    def _block(self) -> bool:
        """Take what begins a line, where a line or a sentence begins."""
        line = self.out.rsplit("\n", 1)[-1]
        begins = self.at == 0 or not line.strip() or self._after() in (".", "!", "?")
        if not begins:
            return False
        for count in (2, 1):
            mark = BLOCKS.get(self._said(count))
            if mark is not None and self._name(count):
                self.at += count
                if line.strip():
                    self.out = self.out.rstrip(" ") + ("\n" if _same_list(line, mark) else "\n\n")
                self._heading = mark.startswith("#")
                if mark == "1. ":
                    above = self.out.rstrip().rsplit("\n", 1)[-1]
                    numbered = re.match(r"(\d+)\. ", above)
                    mark = f"{int(numbered[1]) + 1 if numbered else 1}. "
                self.out += mark
                self.glue, self._capital = True, True
                return True
        return False

    def _style(self) -> bool:
        name = self._name()
        if name == "end" and STYLES.get(self._name(1), "") == self._open and self._open is not None:
            self.at += 2
            self._close()
            return True
        mark = STYLES.get(name)
        if mark is None or self._open is not None or not self._name(1):
            return False
        line = self.out.rsplit("\n", 1)[-1]
        rest = [word.text for word in self._words[self.at + 1 :]]
        closed = any(pair == ("end", name) for pair in pairwise(rest))
        if not (closed or self.at == 0 or re.fullmatch(r"\s*(?:[-#>]+ |\d+\. |- \[ \] )?", line)):
            return False  # "a bold move"
        self.at += 1
        if name == "code":
            end = next(
                (at for at in range(self.at, len(self._words) - 1)
                 if (self._words[at].text, self._words[at + 1].text) == ("end", "code")),
                len(self._words),
            )  # fmt: skip
            self.put(f"`{code(self._words[self.at : end], self._text, self._lexicon)}`")
            self.at = min(len(self._words), end + 2)
            return True
        self.put(mark, right=True)
        self._open = mark
        return True

    def _close(self) -> None:
        if self._open is not None:
            match = re.search(r"[.,;:!?]*$", self.out)
            end = match.start() if match else len(self.out)
            self.out = self.out[:end] + self._open + self.out[end:]
            self._open, self.glue = None, False


def _same_list(line: str, mark: str) -> bool:
    """Return whether a line and what begins the next one belong to one list or quotation."""
    if mark == "1. ":
        return re.match(r"\d+\. ", line) is not None
    return mark[:1] in "->" and line.startswith(mark[:2])


def _in_case(style: str, parts: list[str]) -> str:
    if style == "camel":
        return parts[0] + "".join(part.capitalize() for part in parts[1:])
    if style == "pascal":
        return "".join(part.capitalize() for part in parts)
    if style == "constant":
        return "_".join(parts).upper()
    if style == "title":
        return " ".join(part.capitalize() for part in parts)
    return ("-" if style == "kebab" else "_").join(parts)


def _innermost(text: str) -> str:
    """Return the innermost bracket that is open: `call` for that of a call, nothing when none is."""
    stack: list[str] = []
    quote = ""
    for at, mark in enumerate(text):
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "\"'":
            quote = mark
        elif mark in "([{":
            called = mark == "(" and at > 0 and (text[at - 1].isalnum() or text[at - 1] in "_])")
            stack.append("call" if called else mark)
        elif mark in ")]}" and stack:
            stack.pop()
    return stack[-1] if stack else ""


def _parts(name: str) -> tuple[str, ...]:
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return tuple(part.lower() for part in found)


def _spoken_parts(words: Sequence[Word], lexicon: Lexicon) -> list[str]:
    parts: list[str] = []
    for word in words:
        if word.text == "underscore":
            continue
        number = lexicon.numbers.get(word.text)
        parts += [str(number)] if number is not None else _parts(word.text) or [word.text]
    return parts
