"""What a slot may hold, and what it stands for in the user's context.

Each `{slot}` of a template has a kind. While a template is matched, the kind says which runs of words
the slot may span and how loosely (its cost); once a whole sentence is understood, `resolve` turns the
words into the value of an argument: a name that exists where there is one, else the name as spoken.
It does not know the templates, nor what a tool does with its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voice_kernel.context import Context, nearest, squash
from voice_kernel.intents import spoken
from voice_kernel.intents.templates import Capture, Hearing
from voice_kernel.intents.words import Lexicon, Word, as_marks, cardinal_at, number_at, said, word_set

_NAME = re.compile(r"\w[\w.]*")
_TYPED_NUMBER = re.compile(r"-\d+(?:\.\d+)?|-?\d*\.?\d+e[-+]?\d+")
_MARKS = word_set(
    "dot slash underscore dash hyphen colon equals pipe star asterisk tilde backslash point quote unquote "
    "comma"
)
_ARITHMETIC = word_set("plus minus divided multiplied squared")
_DASHES = word_set("dash minus")
_OPERATORS = word_set(
    "equals equal plus minus times divided multiplied dot print import paren parens bracket squared modulo "
    "underscore lambda def return len range sum"
)
"""What only code has: names of marks (see `spoken`), and words of Python, in every language."""
_OF_TESTS = word_set("keyword known_keyword known_test spelled_test")
_ADDRESS_MARKS = word_set("dot localhost colon host")

NAMES = word_set("name existing_name known_name frame known_frame column known_column keyword path")
"""Kinds that hold a name of the user's."""
LONGEST_NAME = 8
"""Words of a name that exists."""
FREE = word_set(
    "query topic subject target typed entry dictation code expression command command_line program label "
    "correction correction_known package package_name known_package value edited cell_clause"
)
"""Kinds that hold free text: whatever stands there is taken as it is."""


@dataclass(frozen=True, slots=True)
class Text:
    """A slot for words that no template knows."""

    name: str
    longest: int
    """Most words it may span."""
    base: float
    each: float
    """What one word costs: the higher, the sooner other readings of those words win."""
    barred: frozenset[str] = frozenset()
    """Words that it cannot hold: it ends before them."""
    not_first: frozenset[str] = frozenset()
    """Words that it cannot begin with."""
    dear: frozenset[str] = frozenset()
    """Words that it can hold only at a price: they rather begin another command."""
    only: Callable[[Hearing, int, int], bool] | None = None
    """A further condition on the words from a start to an end."""
    over_pause: float = 0.0
    """What going on after a comma costs: another command may begin there."""

    def spans(self, hearing: Hearing, at: int) -> Iterator[tuple[int, float, float, Any]]:
        """Yield every run of words that the slot may hold."""
        words = hearing.words
        if at >= len(words) or words[at].text in self.not_first:
            return
        known = set(self._known(hearing, at))
        for end in known:
            yield end, self.base + self.each, 0.0, None
        cost = self.base
        for end in range(at, min(len(words), at + self.longest)):
            if end + 1 in known:
                cost += self.each
                continue
            if words[end].text in self.barred:
                return
            cost += self.each if words[end].text not in self.dear else 1.5
            if end > at and words[end - 1].pause:
                cost += self.over_pause
            if self.only is None or self.only(hearing, at, end + 1):
                yield end + 1, cost, 0.0, None

    def _known(self, hearing: Hearing, at: int) -> Iterator[int]:
        """Yield the ends of names of several words that exist, whatever they hold: "data for grouping"."""
        if self.name not in NAMES or not hearing.known:
            return
        letters = hearing.words[at].text
        for end in range(at + 1, min(len(hearing.words), at + LONGEST_NAME)):
            word = hearing.words[end].text
            letters += word if word not in _MARKS else ""
            if squash(letters) in hearing.known:
                yield end + 1


@dataclass(frozen=True, slots=True)
class Number:
    """A slot for a number, in digits or in words."""

    name: str
    lexicon: Lexicon
    misheard: Mapping[str, int]
    """Words that numbers are taken for; only used when readings are loose."""

    def spans(self, hearing: Hearing, at: int) -> Iterator[tuple[int, float, float, Any]]:
        """Yield the numbers that begin here."""
        for end, value in number_at(hearing.words, at, self.lexicon):
            yield end, 0.1, 0.0, str(value)
        if hearing.loose and at < len(hearing.words):
            number = self.misheard.get(hearing.words[at].text)
            if number is not None:
                yield at + 1, 0.1, 0.2, str(number)


@dataclass(frozen=True, slots=True)
class Amount:
    """A slot for a number of any size, with its sign, in digits or in words."""

    name: str
    lexicon: Lexicon
    whole: bool
    """Whether it has no decimals."""

    def spans(self, hearing: Hearing, at: int) -> Iterator[tuple[int, float, float, Any]]:
        """Yield the number that begins here, as a number."""
        words = hearing.words
        negative = at < len(words) and words[at].text in self.lexicon.negatives
        start = at + negative
        typed = words[start].text if start < len(words) else ""
        if _TYPED_NUMBER.fullmatch(typed):
            end = start + 1
        else:
            end, typed = cardinal_at(words, start, self.lexicon)
        if end == start or (self.whole and not typed.lstrip("-").isdigit()):
            return
        value = int(typed) if self.whole else float(typed)
        yield end, 0.1, 0.0, -value if negative else value


@dataclass(frozen=True, slots=True)
class Address:
    """A slot for a web address."""

    name: str
    lexicon: Lexicon
    barred: frozenset[str]
    """Words that are not joined to another to make a name."""

    def spans(self, hearing: Hearing, at: int) -> Iterator[tuple[int, float, float, Any]]:
        """Yield the runs of words that are an address."""
        words = hearing.words
        last = min(len(words), at + 16)
        if not any(
            self.lexicon.mark(word.text) in _ADDRESS_MARKS or "." in word.text or ":" in word.text
            for word in words[at:last]
        ):
            return
        for end in range(at + 1, last + 1):
            address = spoken.url(words[at:end], hearing.text, self.lexicon)
            if address is not None:
                yield end, 0.5 - 0.02 * (end - at), 0.0, address
            elif not any(word.text in self.barred or word.pause for word in words[at : end - 1]):
                address = spoken.url(words[at:end], hearing.text, self.lexicon, join=True)
                if address is not None:
                    yield end, 1.0, 0.0, address


@dataclass(frozen=True, slots=True)
class WordLists:
    """The words of one language that tell names from talk; they come from its sentence file."""

    function: frozenset[str]
    """Articles, pronouns, auxiliaries, prepositions: no name holds them."""
    clause: frozenset[str]
    """Verbs of a clause: where one follows a name, somebody is talking about a thing."""
    empty: frozenset[str]
    """Words of which a search or a click cannot consist alone."""
    subjects: frozenset[str]
    """Nouns of which at least one, a number or a known name is in a correction."""
    commands: frozenset[str]
    """Shell programs that need "shell" or "the command" before them."""
    programs: Mapping[str, frozenset[str]]
    """Shell programs that need not, with the words that may follow each; none where anything may."""
    misheard_numbers: Mapping[str, int]
    """Words that numbers are taken for ("tree" for three)."""
    joins: frozenset[str]
    """What joins two commands in one word; a value holds it only at a price."""
    owners: frozenset[str]
    """Articles, possessives and prepositions: a target does not begin with one."""
    relatives: frozenset[str]
    """What begins a clause about a thing: a target ends before it."""
    questions: frozenset[str]
    """Of the function words those that a subject to search for may begin with."""
    in_names: frozenset[str]
    """Of the function words those that a new name may hold."""
    in_servers: frozenset[str]
    """Of the function words those that a server's name may hold."""
    no_clause: frozenset[str]
    """What a clause about a cell does not begin with."""
    no_value: frozenset[str]
    """What a value does not begin with."""
    no_correction: frozenset[str]
    """What a correction does not begin with."""
    numbered: frozenset[str]
    """Nouns of which a correction may name the number."""
    ranges: frozenset[str]
    """What stands between two numbers."""
    tables: frozenset[str]
    """What the name of a table may end in."""
    plurals: frozenset[str]
    """What a column's name may have added to it: "Regionen" of the column Region."""
    package_begins: frozenset[str]
    """First words of packages' names that have several."""


def kinds(lexicon: Lexicon, lists: WordLists) -> dict[str, Text | Number | Amount | Address]:
    """Return the kinds of slot by name.

    Args:
        lexicon: the language's numbers and letters.
        lists: the words that tell names from talk.
    """

    def existing(hearing: Hearing, at: int, end: int) -> bool:
        return squash("".join(word.text for word in hearing.words[at:end])) in hearing.known

    def known(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        return squash("".join(word.text for word in words)) in hearing.known or _is_identifier(words, lexicon)

    def known_column(hearing: Hearing, at: int, end: int) -> bool:
        if known(hearing, at, end):
            return True
        letters = squash("".join(word.text for word in hearing.words[at:end]))
        return any(
            letters.endswith(more) and letters[: -len(more)] in hearing.known for more in lists.plurals
        )

    def known_server(hearing: Hearing, at: int, end: int) -> bool:
        return f"server {squash(''.join(word.text for word in hearing.words[at:end]))}" in hearing.known

    def program(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        if any(word.text in lists.clause for word in words) and not any(
            word.text in ("-m", "commit", "m", "-c") for word in words
        ):
            return False
        if len(words) > 2 and words[1].text == "status" and lexicon.mark(words[2].text) not in _DASHES:
            return words[2].text.startswith(("-", "."))
        first = hearing.words[at].text
        following = lists.programs.get(first)
        if following is None:
            return "/" in first and len(first) > 1 and first[0] in "./~"
        if not following:
            return True
        if end == at + 1:
            return "alone" in following
        second = hearing.words[at + 1].text
        return (
            second in following
            or second.startswith("-")
            or lexicon.mark(second) in _DASHES
            or "*" in following
        )

    def filename(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        name = spoken.path(words, hearing.text, lexicon) or ""
        return "." in name.rsplit("/", 1)[-1][1:] or squash(name) in hearing.known

    def script(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        if any(word.text.startswith(("%", "!")) for word in words):
            return False  # code for IPython
        return (spoken.path(words, hearing.text, lexicon) or "").endswith((".py", ".PY"))

    def test_file(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        name = (spoken.path(words, hearing.text, lexicon) or "").rsplit("/", 1)[-1]
        return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))

    def known_test(hearing: Hearing, at: int, end: int) -> bool:
        words = as_marks(hearing.words[at:end], lexicon.marks)
        letters = squash("".join(word.text for word in words if word.text not in _MARKS))
        return letters in hearing.tests or f"test{letters}" in hearing.tests

    def known_keyword(hearing: Hearing, at: int, end: int) -> bool:
        """Whether tests or files have the words in their names, or the words are a name out of code."""
        words = as_marks(hearing.words[at:end], lexicon.marks)
        letters = squash("".join(word.text for word in words if word.text not in _MARKS))
        names = (*hearing.tests, *hearing.known)
        return _is_identifier(hearing.words[at:end], lexicon) or (
            len(letters) >= 3 and any(letters in name for name in names)
        )

    def spelled_test(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        name = spoken.identifier(words, lexicon)
        return (
            name.startswith("test_")
            and len(name) > 5
            and "." not in name
            and any("_" in word.text or lexicon.mark(word.text) == "underscore" for word in words)
        )

    def correction(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        return (
            any(word.text in lists.subjects for word in words)
            or all(number_at((word,), 0, lexicon) for word in words)
            or known(hearing, at, end)
            or any(
                lexicon.mark(word.text) == "slash" or "/" in word.text or "_" in word.text for word in words
            )
        )

    def expression(hearing: Hearing, at: int, end: int) -> bool:
        """Whether words hold something that only code has."""
        words = hearing.words[at:end]
        if any(word.text in _OPERATORS for word in as_marks(words, lexicon.marks)):
            return words[0].text not in lists.clause
        typed = said(hearing.text, words)
        return any(mark in typed for mark in "=+*/()[]_")

    def command_line(hearing: Hearing, at: int, end: int) -> bool:
        """Whether words are a command: a program is named, or they are few and form no clause."""
        words = hearing.words[at:end]
        first = words[0].text
        if lexicon.mark(first) == "dot" and len(words) > 1:
            return lexicon.mark(words[1].text) == "slash"
        if first in lists.programs or first in lists.commands or "/" in first or "." in first:
            return not (len(words) > 1 and words[1].text in lists.clause)
        return len(words) == 1 or lexicon.mark(words[1].text) in _DASHES or words[1].text.startswith("-")

    def package_name(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        return (
            len(words) == 1
            or any(word.text in _MARKS for word in as_marks(words, lexicon.marks))
            or words[0].text in lists.package_begins
            or spoken.package(words) is not None
        )

    def known_package(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        return spoken.package(words) is not None or (len(words) == 1 and words[0].text in spoken.PACKAGES)

    def correction_cell(hearing: Hearing, at: int, end: int) -> bool:
        words = hearing.words[at:end]
        return (
            len(words) >= 2
            and words[0].text in lists.numbered
            and all(word.text in lists.ranges or number_at((word,), 0, lexicon) for word in words[1:])
        )

    def data_name(hearing: Hearing, at: int, end: int) -> bool:
        return end > at + 1 and hearing.words[end - 1].text in lists.tables

    def modest(hearing: Hearing, at: int, end: int) -> bool:
        """Not only "it", "this one"."""
        return any(word.text not in lists.empty for word in hearing.words[at:end])

    names = lists.function - _MARKS
    not_in_frames = {"dot"} | {name for name, mark in lexicon.marks.items() if mark == "dot"}
    slashes = {"slash"} | {name for name, mark in lexicon.marks.items() if mark == "slash"}
    return {
        kind.name: kind
        for kind in (
            Number("number", lexicon, lists.misheard_numbers),
            Amount("integer", lexicon, True),
            Amount("decimal", lexicon, False),
            Address("url", lexicon, names),
            Text("name", 4, 0.6, 0.3, names),
            Text("existing_name", 5, 0.4, 0.3, names, only=existing),
            Text("known_name", 5, 0.4, 0.3, names, only=known),
            Text("frame", 4, 0.6, 0.3, names | not_in_frames),
            Text("known_frame", 5, 0.4, 0.3, names, only=known),
            Text("column_word", 1, 0.5, 0.3, names),
            Text("data_name", 3, 0.6, 0.3, names, only=data_name),
            Text("column", 4, 0.5, 0.3, names | _ARITHMETIC),
            Text("known_column", 5, 0.4, 0.3, names, only=known_column),
            Text("value", 6, 0.5, 0.2, lists.clause, not_first=lists.no_value, dear=lists.joins),
            Text("new_name", 4, 0.6, 0.3, names - lists.in_names),
            Text("cell_clause", 12, 0.9, 0.2, not_first=lists.clause | lists.no_clause, only=modest),
            Text("edited", 6, 0.8, 0.3, not_first=lists.function),
            Text("path", 10, 0.6, 0.2, names),
            Text("filename", 10, 0.5, 0.1, names, not_first=frozenset(slashes), only=filename),
            Text("script", 10, 0.5, 0.1, names, not_first=frozenset(slashes), only=script),
            Text("keyword", 4, 0.8, 0.3, names),
            Text("server", 4, 0.6, 0.3, names - lists.in_servers),
            Text("wanted", 4, 0.6, 0.3, names - lists.in_servers),
            Text("known_server", 4, 0.4, 0.3, names - lists.in_servers, only=known_server),
            Text("package", 6, 0.8, 0.2, names),
            Text("package_name", 6, 0.8, 0.2, names, only=package_name),
            Text("known_package", 3, 0.7, 0.2, names, only=known_package),
            Text("expression", 100, 0.9, 0.1, only=expression),
            Text("command_line", 80, 0.8, 0.1, dear=lists.joins, only=command_line),
            Text("query", 60, 1.0, 0.3, only=modest),
            Text("topic", 60, 1.2, 0.3, lists.clause, not_first=lists.function, only=modest),
            Text("subject", 60, 1.2, 0.3, not_first=lists.function - lists.questions, only=modest),
            Text(
                "target",
                10,
                1.0,
                0.3,
                lists.clause | lists.relatives,
                not_first=lists.owners,
                only=modest,
                over_pause=2.0,
            ),
            Text("typed", 60, 0.8, 0.25),
            Text("entry", 60, 0.8, 0.25),
            Text("dictation", 400, 1.0, 0.05),
            Text("code", 400, 1.0, 0.1),
            Text("command", 80, 0.8, 0.1, dear=lists.joins),
            Text("program", 80, 0.6, 0.1, dear=lists.joins, only=program),
            Text("label", 6, 0.8, 0.1, only=modest),
            Text("correction", 8, 1.0, 0.3, not_first=lists.no_correction),
            Text(
                "correction_known", 7, 0.9, 0.3, lists.clause, not_first=lists.no_correction, only=correction
            ),
            Text("correction_cell", 5, 0.5, 0.1, only=correction_cell),
            Text("test_file", 10, 0.4, 0.1, names, only=test_file),
            Text("known_test", 12, 0.3, 0.02, names, only=known_test),
            Text("spelled_test", 8, 0.5, 0.1, names, only=spelled_test),
            Text("known_keyword", 4, 0.7, 0.3, names, only=known_keyword),
        )
    }


def resolve(
    capture: Capture, hearing: Hearing, context: Context, lexicon: Lexicon
) -> tuple[Any, float] | None:
    """Return the value of a slot and what that changes in the reading's cost, or None when it has none."""
    if capture.value is not None:
        return capture.value, 0.0
    words = hearing.words[capture.start : capture.end]
    kind = capture.kind
    if kind in (
        "name",
        "known_name",
        "existing_name",
        "frame",
        "known_frame",
        "data_name",
        "column",
        "column_word",
        "known_column",
        "new_name",
        "keyword",
        "known_test",
        "known_keyword",
        "spelled_test",
        "server",
        "known_server",
    ):
        return _name(kind, words, context, lexicon)
    if kind in ("path", "filename", "script", "test_file"):
        return _path(words, hearing.text, context, lexicon)
    if kind in ("package", "package_name", "known_package"):
        return _package(words, hearing.text, lexicon), 0.0
    if kind in ("command", "program", "command_line"):
        typed = spoken.typed(hearing.words, hearing.text, capture.start, capture.end)
        return spoken.command(words, hearing.text, typed, lexicon), 0.0
    if kind in ("code", "expression"):
        typed = spoken.typed(hearing.words, hearing.text, capture.start, capture.end)
        return spoken.code(words, hearing.text, typed, lexicon), 0.0
    if kind == "value":
        return spoken.value(words, hearing.text, lexicon), 0.0
    if kind == "entry":
        return spoken.entry(words, hearing.text, lexicon) or _as_said(hearing, capture), 0.0
    if kind == "dictation":
        return spoken.typed(hearing.words, hearing.text, capture.start, capture.end), 0.0
    return _as_said(hearing, capture), 0.0


def _as_said(hearing: Hearing, capture: Capture) -> str:
    """Return the words of a slot as they stand in the text; of "Anmelden-Button" only what is in the slot."""
    words = hearing.words[capture.start : capture.end]
    text = said(hearing.text, words)
    last = words[-1]
    if capture.end < len(hearing.words) and hearing.words[capture.end].start == last.start:
        written = hearing.text[last.start : last.end]
        inside = sum(word.start == last.start for word in words)
        if "-" in written:
            return text.removesuffix(written) + "-".join(written.split("-")[:inside])
    return text


def known_tests(context: Context) -> frozenset[str]:
    """Return what `known_test` slots accept, with or without the `test` before it."""
    return frozenset(squash(name) for name in context.tests)


def known_names(context: Context) -> frozenset[str]:
    """Return what `known_name` and `filename` slots accept besides what looks like an identifier."""
    names = {squash(variable.name) for variable in context.variables}
    names.update(squash(column) for column in context.columns)
    for file in context.files:
        names.add(squash(file))
        names.add(squash(file.rstrip("/").rsplit("/", 1)[-1]))
    names.discard("")
    # With a space, which no squashed name has: a server is known as a server only.
    names.update(f"server {squash(server)}" for server in context.servers)
    return frozenset(names)


def _name(kind: str, words: tuple[Word, ...], context: Context, lexicon: Lexicon) -> tuple[str, float] | None:
    name = spoken.identifier(words, lexicon)
    if not _NAME.fullmatch(name):
        return None
    found = nearest(name, _candidates(kind, context))
    if found is None and kind in _OF_TESTS:
        found = nearest(f"test_{name}", context.tests)
    return (found, -0.4) if found is not None else (name, 0.0)


def _candidates(kind: str, context: Context) -> Iterable[str]:
    newest = [variable.name for variable in reversed(context.variables)]
    if kind in ("frame", "known_frame", "data_name"):
        tables = [variable.name for variable in reversed(context.variables) if variable.columns]
        return [*tables, *newest]
    if kind in ("column", "column_word", "known_column"):
        return [*context.columns, *newest]
    if kind == "new_name":
        return ()
    if kind in _OF_TESTS:
        return context.tests
    if kind in ("server", "known_server"):
        return context.servers
    return newest


def _path(words: tuple[Word, ...], text: str, context: Context, lexicon: Lexicon) -> tuple[str, float] | None:
    spelled = spoken.path(words, text, lexicon)
    if spelled is None:
        return None
    if context.files:
        unmarked = [word for word in as_marks(words, lexicon.marks) if word.text not in _MARKS]
        plain = spoken.path(unmarked, text, lexicon) or spelled
        for wanted in dict.fromkeys((spelled, plain)):
            found = _file(wanted, context.files)
            if found is not None:
                return found.rstrip("/"), -0.4
    return spelled, 0.0


def _file(wanted: str, files: tuple[str, ...]) -> str | None:
    """Return the file or folder that was meant: by its whole path, its name, its name without ending."""
    letters = squash(wanted)
    by_name: str | None = None
    for file in files:
        if squash(file) == letters:
            return file
        name = file.rstrip("/").rsplit("/", 1)[-1]
        if by_name is None and (squash(name) == letters or squash(name.rsplit(".", 1)[0]) == letters):
            by_name = file
    if by_name is not None:
        return by_name
    # A folder in a folder was said: nothing elsewhere is meant. (Of "test_store.py" a recogniser also makes
    # "tests/store.py": with an ending it may be any file.)
    if "/" in wanted.strip("/") and "." not in wanted:
        depth = wanted.strip("/").count("/")
        return nearest(wanted, [file for file in files if file.strip("/").count("/") == depth])
    names = {file.rstrip("/").rsplit("/", 1)[-1].rsplit(".", 1)[0]: file for file in reversed(files)}
    close = nearest(wanted, names) or nearest(wanted, names.values())
    return names.get(close, close) if close is not None else None


def _package(words: tuple[Word, ...], text: str, lexicon: Lexicon) -> str:
    known = spoken.package(words)
    if known is not None:
        return known
    out = ""
    glue = True
    for word in as_marks(words, lexicon.marks):
        mark = {"dash": "-", "hyphen": "-", "underscore": "_", "dot": "."}.get(word.text)
        if mark is not None and len(words) > 1:
            out, glue = out + mark, True
            continue
        if word.text == "equals":
            out, glue = (out if out.endswith("==") else out + "=="), True
            continue
        out += word.text if glue else "-" + word.text
        glue = False
    return out


def _is_identifier(words: tuple[Word, ...], lexicon: Lexicon) -> bool:
    """Whether words look like a name out of code and not like a word of the language."""
    texts = [lexicon.mark(word.text) for word in words]
    if len(texts) == 1:
        text = texts[0]
        if "_" in text or any(mark.isdigit() for mark in text):
            return any(mark.isalpha() for mark in text)
        return len(text) <= 3 and text.isalpha() and not set(text) & set("aeiou")
    if "underscore" in texts:
        return True
    return len(texts) <= 4 and all(len(lexicon.letters.get(text, text)) == 1 for text in texts)
