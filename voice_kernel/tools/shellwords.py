"""Read a command line the way a shell would: into simple commands, with those of substitutions.

Knows quotes, operators, redirections, here-documents and expansions; it runs nothing and judges
nothing. What it cannot read, or what is written so that nobody can, it says so about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_DEPTH = 12


class Unreadable(Exception):
    """The text is not a command this module can read."""


@dataclass(frozen=True)
class Word:
    """One word of a command, with its quotes resolved."""

    text: str
    dynamic: bool = False
    """Whether the shell would put something else in: a variable, a substitution, a pattern."""


@dataclass
class Command:
    """One simple command: words and redirections."""

    words: list[Word] = field(default_factory=list)
    writes: list[Word] = field(default_factory=list)
    """Files that a redirection empties first."""
    piped: bool = False
    """Whether its input comes from another command, or from a text in the line."""


class _Reader:
    """Splits a command line into simple commands; those of substitutions are read along."""

    def __init__(self, text: str, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise Unreadable
        self.text = text
        self.depth = depth
        self.at = 0
        self.last_comma = text.rfind(",")
        self.commands: list[Command] = []
        self._command = Command()
        self._heredocs: list[tuple[str, bool, bool]] = []

    def read(self) -> list[Command]:
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.text.startswith("\\\n", self.at):
                self.at += 2
            elif char in " \t\r":
                self.at += 1
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text.startswith(("&>", "<", ">"), self.at):
                self._redirection()
            elif char in "\n;&|()":
                self._operator()
            else:
                self._word_of_command()
        self._end(piped=False)
        if self._heredocs:
            raise Unreadable
        return self.commands

    def _word_of_command(self) -> None:
        begin = self.at
        word = self._word()
        if self.text[begin : self.at].isdigit() and self.text[self.at : self.at + 1] in ("<", ">"):
            return  # the descriptor of a redirection
        self._command.words.append(word)

    def _operator(self) -> None:
        char = self.text[self.at]
        for operator in ("||", "&&", "|&", ";;&", ";;", ";&", char):
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                break
        self._end(piped=operator in ("|", "|&"))
        if operator == "\n":
            self._skip_heredocs()

    def _end(self, *, piped: bool) -> None:
        if self._command.words or self._command.writes:
            self.commands.append(self._command)
            self._command = Command(piped=piped)
        elif piped:
            self._command.piped = True

    def _redirection(self) -> None:
        for operator in ("&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<(", "<", ">>", ">|", ">&", ">(", ">"):
            if self.text.startswith(operator, self.at):
                break
        if operator in ("<(", ">("):  # a process in the place of a file
            self._command.words.append(self._word())
            return
        self.at += len(operator)
        self._blanks()
        begin = self.at
        target = self._word()
        if self.at == begin:
            raise Unreadable
        if operator in ("<<", "<<-"):
            quoted = target.text != self.text[begin : self.at]
            self._heredocs.append((target.text, operator == "<<-", quoted))
            self._command.piped = True
        elif operator in ("<<<", "<"):
            self._command.piped = True
        elif operator in ("&>", ">|", ">", "<>") or (
            operator == ">&" and not re.fullmatch(r"\d*-?", target.text)
        ):
            self._command.writes.append(target)

    def _skip_heredocs(self) -> None:
        for end, dashed, quoted in self._heredocs:
            while True:
                if self.at >= len(self.text):
                    raise Unreadable
                stop = self.text.find("\n", self.at)
                stop = len(self.text) if stop < 0 else stop
                line = self.text[self.at : stop]
                self.at = stop + 1
                if (line.lstrip("\t") if dashed else line) == end:
                    break
                if not quoted and ("$(" in line or "`" in line):
                    raise Unreadable  # commands hidden in a text
        self._heredocs.clear()

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def _word(self) -> Word:
        parts: list[str] = []
        dynamic = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if self.text.startswith(("<(", ">("), self.at):
                self.at += 1
                self._nested(self._balanced("(", ")"))
                dynamic = True
            elif char in " \t\r\n;&|()<>":
                break
            elif char == "\\":
                if self.at + 1 >= len(self.text):
                    raise Unreadable
                if self.text[self.at + 1] != "\n":
                    parts.append(self.text[self.at + 1])
                self.at += 2
            elif char == "'":
                end = self.text.find("'", self.at + 1)
                if end < 0:
                    raise Unreadable
                parts.append(self.text[self.at + 1 : end])
                self.at = end + 1
            elif char == '"':
                text, inner = self._double_quoted()
                parts.append(text)
                dynamic = dynamic or inner
            elif char == "$" and self.text[self.at + 1 : self.at + 2] == '"':
                self.at += 1
            elif char == "$" and self.text[self.at + 1 : self.at + 2] == "'":
                raise Unreadable  # escapes such as \x72 could spell anything
            elif char in "$`":
                dynamic = self._expansion(parts) or dynamic
            else:
                # Patterns and braces make other words of this one; `~` alone does no harm.
                dynamic = dynamic or char in "*?[" or (char == "{" and self.at < self.last_comma)
                parts.append(char)
                self.at += 1
        text = "".join(parts)
        return Word(text, dynamic and text not in ("[", "[["))

    def _double_quoted(self) -> tuple[str, bool]:
        parts: list[str] = []
        dynamic = False
        self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return "".join(parts), dynamic
            if char == "\\" and self.text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                if self.text[self.at + 1] != "\n":
                    parts.append(self.text[self.at + 1])
                self.at += 2
            elif char in "$`":
                dynamic = self._expansion(parts) or dynamic
            else:
                parts.append(char)
                self.at += 1
        raise Unreadable

    def _expansion(self, parts: list[str]) -> bool:
        """Read what begins with `$` or a backtick; returns whether it is an expansion."""
        text = self.text
        if text[self.at] == "`":
            end = self.at + 1
            while end < len(text) and text[end] != "`":
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise Unreadable
            self._nested(re.sub(r"\\([\\`$])", r"\1", text[self.at + 1 : end]))
            self.at = end + 1
            return True
        follower = text[self.at + 1 : self.at + 2]
        if text.startswith("$((", self.at):
            self.at += 1
            inner = self._balanced("(", ")")
            if "$(" in inner or "`" in inner:
                self._nested(inner)
            return True
        if follower == "(":
            self.at += 1
            self._nested(self._balanced("(", ")"))
            return True
        if follower == "{":
            self.at += 1
            inner = self._balanced("{", "}")
            if "$(" in inner or "`" in inner:
                raise Unreadable
            return True
        name = re.compile(r"\$(\w+|[@*#?$!-])").match(text, self.at)
        if name is None:  # a lone dollar sign
            parts.append("$")
            self.at += 1
            return False
        self.at = name.end()
        return True

    def _balanced(self, opening: str, closing: str) -> str:
        """Return what is between the bracket here and its match, and go past it."""
        begin, depth = self.at + 1, 0
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\":
                self.at += 1
            elif char == "'":
                self.at = self.text.find("'", self.at + 1)
                if self.at < 0:
                    raise Unreadable
            elif char == '"':
                self._skip_double_quoted()
            elif char == opening:
                depth += 1
            elif char == closing:
                depth -= 1
                if depth == 0:
                    self.at += 1
                    return self.text[begin : self.at - 1]
            self.at += 1
        raise Unreadable

    def _skip_double_quoted(self) -> None:
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if self.text.startswith("$(", self.at):
                self.at += 1
                self._balanced("(", ")")
                continue
            self.at += 2 if self.text[self.at] == "\\" else 1
        if self.at >= len(self.text):
            raise Unreadable

    def _nested(self, text: str) -> None:
        self.commands += _Reader(text, self.depth + 1).read()


def simple_commands(text: str) -> list[Command]:
    """Return all simple commands of a command line, those in substitutions included.

    Raises:
        Unreadable: a quote or bracket is open, or it is written in a way that hides what runs.
    """
    return _Reader(text).read()
