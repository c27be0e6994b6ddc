"""Judges one line of a shell, command by command: wrappers, shells in shells, code that is handed over.

What holds for single programs it is told: tables of names are `programs`, rules are given to it. It never
runs anything, and looks at files only to see whether one would be overwritten.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from voice_kernel.toolbox.registry import Effect, Effects
from voice_kernel.tools import programs
from voice_kernel.tools.options import family_of, first_of, operands_of, values_of
from voice_kernel.tools.shellwords import MAX_DEPTH, Command, Unreadable, Word, simple_commands

UNREADABLE: Effects = frozenset({"unreadable"})
"""Of what cannot be read, or is written so that nobody can tell what will run."""


class Judge:
    """Judges the commands of one line in order; keeps in which folder they would run.

    Args:
        cwd: that folder.
        rules: of programs that have rules of their own.
        depth: how many lines this one stands in.

    Raises:
        Unreadable: too many.
    """

    def __init__(self, cwd: Path, rules: Mapping[str, Rule], depth: int = 0) -> None:
        self._rules = rules
        self.cwd: Path | None = cwd
        """None once it cannot be known."""
        self.written: set[str] = set()
        """Files that earlier commands of the line have written: running one runs what came from elsewhere."""
        self.depth = depth
        if depth > MAX_DEPTH:
            raise Unreadable

    def line(self, text: str) -> Effects:
        """Return what a whole line may do; `UNREADABLE` of one that cannot be read."""
        try:
            commands = simple_commands(text)
            found: set[Effect] = set()
            for command in commands:
                found |= self._command(command)
        except (Unreadable, RecursionError):
            return UNREADABLE
        return frozenset(found)

    def nested(self, text: str) -> set[Effect]:
        """Judge a line that a command of this one hands to a shell."""
        judge = Judge(Path("."), self._rules, self.depth + 1)
        judge.cwd, judge.written = self.cwd, self.written
        return set(judge.line(text))

    def elsewhere(self) -> Judge:
        """Return a judge of lines on another machine, where every file may exist."""
        judge = Judge(Path("."), self._rules, self.depth + 1)
        judge.cwd = None
        return judge

    def handed(self, words: Iterable[Word]) -> set[Effect]:
        """Judge the values of options that are run as commands."""
        found: set[Effect] = set()
        for word in words:
            found |= UNREADABLE if word.dynamic else self.nested(word.text)
        return found

    def _command(self, command: Command) -> set[Effect]:
        found: set[Effect] = set()
        if any(self.overwrites(word) for word in command.writes):
            found.add("delete")
        self.written |= {os.path.normpath(word.text) for word in command.writes}
        words = list(command.words)
        while words and not words[0].dynamic and words[0].text in programs.KEYWORDS | programs.CLOSING:
            if words.pop(0).text == "function":
                words = words[1:]
        if words and words[0].text in ("for", "select", "case", "in"):
            return found
        return found | self.command_words(words, piped=command.piped)

    def command_words(self, words: Sequence[Word], *, piped: bool = False) -> set[Effect]:
        """Judge one simple command: its assignments, its program and its arguments."""
        words = list(words)
        found: set[Effect] = set()
        while words and programs.ASSIGNMENT.match(words[0].text):
            found |= self.assignment(words.pop(0))
        if not words:
            return found
        if words[0].dynamic:
            return set(UNREADABLE)
        program, arguments = os.path.basename(words[0].text), words[1:]
        if "/" in words[0].text and os.path.normpath(words[0].text) in self.written:
            return {"install"}
        if program in programs.WRAPPERS:
            return found | self._wrapped(program, arguments, piped=piped)
        if program in programs.NETWORK:
            found.add("network")
        letters, names = programs.RUN_OPTIONS.get(family_of(program), ("", ()))
        found |= self.handed(values_of(arguments, letters, names))
        special = self._rules.get(program) or self._rules.get(family_of(program))
        if special is not None:
            found |= special(self, arguments)
        if family_of(program) in programs.SHELLS:
            found |= self._shell(arguments, piped=piped)
        found |= self._inline(family_of(program), arguments, piped=piped)
        found |= self.by_tables(program, arguments)
        found |= self._last_word_written(program, arguments)
        judged = (self._rules, programs.INLINE, programs.SQL, programs.TEXT_TAKERS, programs.VALUE_OPTIONS)
        if not any(family_of(program) in table for table in judged):
            found |= self.run_by_another(arguments)
        return found

    def assignment(self, word: Word) -> set[Effect]:
        """Judge a variable that is set: some change what other names mean, some are run."""
        name, _, value = word.text.partition("=")
        name = name.removesuffix("+")
        if programs.REDEFINING.fullmatch(name):
            return set(UNREADABLE)  # the names that follow may mean anything
        if programs.RUN_VALUES.fullmatch(name):
            return self.handed([Word(value, word.dynamic)])
        return set()

    def run_by_another(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge what a program nothing is known of may run: commands among its words and in its options."""
        found: set[Effect] = set()
        for at, word in enumerate(arguments):
            first, _, more = word.text.lstrip().partition(" ")
            name = family_of(os.path.basename(first))
            if word.dynamic or name not in programs.RUN_BY_OTHERS:
                continue
            if more:
                found |= self.nested(word.text)
            elif name not in programs.WRAPPERS or arguments[at + 1 :]:
                found |= self.command_words(arguments[at:])
        for option, value in pairwise([*arguments, Word("")]):
            name, equals, given = option.text.partition("=")
            if programs.RUN_OPTION.fullmatch(name):
                found |= self.handed([Word(given, option.dynamic) if equals else value])
        return found

    def by_tables(self, program: str, arguments: Sequence[Word]) -> set[Effect]:
        """Return what `programs` knows of a program and its subcommands."""
        found: set[Effect] = set()
        if (program, first_of(arguments)) in programs.ONLY_LOOKS:
            return found
        if program in programs.DELETES or program.startswith(("mkfs.", "fsck.")):
            found.add("delete")
        if program in programs.RESTARTS:
            found.add("restart")
        if program in programs.INSTALLS and not (
            program == "dpkg" and first_of(arguments) in ("-l", "-L", "-s", "-S")
        ):
            found.add("install")
        family = family_of(program)
        operands = operands_of(family, arguments)
        first = operands[0].text if operands else ""
        second = operands[1].text if len(operands) > 1 else ""
        if (
            operands
            and operands[0].dynamic
            and any(family in table for table in programs.SUBCOMMANDS.values())
        ):
            return {*found, *UNREADABLE}
        for effect, table in programs.SUBCOMMANDS.items():
            if first in table.get(family, ()) and second not in programs.HARMLESS_THEN.get(
                (family, first), programs.names("")
            ):
                found.add(effect)
        return found

    def _last_word_written(self, program: str, arguments: Sequence[Word]) -> set[Effect]:
        """Judge programs that write what their last word names, and those told so by an option."""
        written: list[Word] = []
        if program in programs.WRITE_LAST_WORD and len(arguments) > 1:
            written = list(arguments[-1:])
        elif program in programs.WRITE_OPTION:
            written = list(values_of(arguments, "", ("-o", "-out", "--output", "--outfile")))
        return {"delete"} if any(map(self.overwrites, written)) else set()

    def _wrapped(self, program: str, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        if program == "parallel":
            return self._parallel(arguments)
        rest = list(arguments)
        takes_value = programs.WRAPPERS[program]
        replaced = ""  # what xargs puts its input in the place of
        while rest and rest[0].text.startswith("-"):
            option = rest.pop(0).text
            if option == "--":
                break
            if program == "env" and re.match(r"-\w*S|--split", option):
                split = re.sub(r"^(-\w*?S|--split[\w-]*=?)", "", option)
                return self.nested(" ".join(filter(None, [split, *(word.text for word in rest)])))
            if program == "command" and option in ("-v", "-V"):
                return set()
            if program == "xargs" and (marker := re.fullmatch(r"-I(.*)|-i(.*)|--replace(?:=(.*))?", option)):
                given = next((group for group in marker.groups() if group), "")
                replaced = given or (rest[0].text if option == "-I" and rest else "{}")
            short = re.fullmatch(r"-(\w)", option)
            if (short and short[1] in takes_value) or option in programs.WRAPPER_LONG_VALUES:
                rest = rest[1:]
        rest = rest[programs.WRAPPER_OPERANDS.get(program, 0) :]
        if program == "watch" or (program == "flock" and rest and rest[0].text == "-c"):
            return self.nested(" ".join(word.text for word in rest if word.text != "-c"))
        if program == "xargs":
            return self._with_input(rest, replaced)
        return self.command_words(rest, piped=piped)

    def _with_input(self, words: Sequence[Word], replaced: str) -> set[Effect]:
        """Judge a command to which words are added that come from its input."""
        if not replaced:
            return self.command_words([*words, Word("", dynamic=True)]) if words else set()
        filled = [Word(word.text, word.dynamic or replaced in word.text) for word in words]
        return self.command_words(filled)

    def _parallel(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge GNU parallel, which hands its words to a shell, or whole lines when it is given none."""
        rest = list(arguments)
        while rest and rest[0].text.startswith("-"):
            option = rest.pop(0).text
            if option in programs.PARALLEL_VALUES:
                rest = rest[1:]
        sources = [at for at, word in enumerate(rest) if word.text.startswith(":::")]
        line = rest[: sources[0]] if sources else rest
        if not line or any(word.dynamic for word in line):
            return set(UNREADABLE)  # without one, every line of the input is a command
        text = " ".join(word.text for word in line)
        filled = re.sub(r"\{[^{}\s]*\}", "$1", text)
        return self.nested(filled if filled != text else f"{text} $1")

    def _shell(self, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        rest = list(arguments)
        while rest and rest[0].text.startswith(("-", "+")):
            option = rest.pop(0)
            if option.text == "-s":
                return {"install"}
            if re.fullmatch(r"-\w*c", option.text):
                if not rest or rest[0].dynamic:
                    return set(UNREADABLE)
                return self.nested(rest[0].text)
            if option.text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                rest = rest[1:]
        if rest:
            return self.script(rest[0])
        return {"install"} if piped else set()  # `curl ... | sh`

    def _inline(self, program: str, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        if program in programs.SQL:
            text = " ".join(word.text for word in arguments)
            found: set[Effect] = {"delete"} if programs.SQL_DELETES.search(text) else set()
            return found | UNREADABLE if piped or programs.SQL_RUNS.search(text) else found
        options = programs.INLINE.get(program)
        if options is None:
            return set()
        if program in ("python", "pypy"):
            arguments = _python_options(arguments)
        for option, code in pairwise(arguments):
            if option.text == "-m" and program in ("python", "pypy"):
                return self.command_words([Word(code.text), *arguments[2:]])
            if re.fullmatch(rf"-\w*[{options}]|--eval|--print", option.text):
                return _inline_code(code)
            if not option.text.startswith("-"):
                break
        if any(word.text.startswith(("-c", "-e", "-i")) and len(word.text) > 2 for word in arguments[:3]):
            return set(UNREADABLE)
        scripts = [word for word in arguments if not word.text.startswith("-")]
        if any(word.text == "-" for word in arguments) or (piped and not scripts):
            return {"install"}  # a program from somewhere else
        return self._setup(scripts) | (self.script(scripts[0]) if scripts else set())

    def script(self, script: Word) -> set[Effect]:
        """Judge the running of a file: what it does is not in this text, only where it comes from."""
        if script.dynamic:
            return set(UNREADABLE)
        return {"install"} if os.path.normpath(script.text) in self.written else set()

    def _setup(self, scripts: Sequence[Word]) -> set[Effect]:
        names = [word.text for word in scripts]
        installs = names[:1] == ["setup.py"] and {"install", "develop", "clean"} & set(names[1:])
        return {"install"} if installs else set()

    def overwrites(self, word: Word) -> bool:
        """Return whether writing to this file would lose something, as far as can be told."""
        if word.dynamic:
            return True
        if programs.SAFE_TARGETS.fullmatch(word.text):
            return False
        path = Path(os.path.expanduser(word.text))
        if not path.is_absolute():
            if self.cwd is None:
                return True
            path = self.cwd / path
        try:
            if path.is_file():
                return path.stat().st_size > 0
            return path.exists() and not path.is_dir()
        except OSError:
            return True


def _inline_code(code: Word) -> set[Effect]:
    """Judge code that an interpreter is given on the command line: by what can be seen of it."""
    if code.dynamic:
        return set(UNREADABLE)
    found: set[Effect] = {"delete"} if programs.INLINE_DELETES.search(code.text) else set()
    return found | UNREADABLE if programs.INLINE_RUNS.search(code.text) else found


def _python_options(arguments: Sequence[Word]) -> list[Word]:
    """Return what `python` is given with each option by itself: `-Im pip` and `-mpip` as `-m pip`."""
    rest = list(arguments)
    parted: list[Word] = []
    while rest and (match := re.fullmatch(r"-([^-cmWX]*)([cmWX]?)(.*)", rest[0].text, re.DOTALL)):
        word = rest.pop(0)
        letter, joined = match[2], match[3]
        value = [Word(joined, word.dynamic)] if joined else rest[:1]
        if letter in ("c", "m"):
            return [Word(f"-{letter}"), *value, *(rest if joined else rest[1:])]
        if word.text == "-":
            parted.append(word)
        elif letter:
            rest = rest if joined else rest[1:]
        else:
            parted.append(Word(word.text[:2]))  # what is left of it takes no part in what runs
    return [*parted, *rest]


Rule = Callable[[Judge, Sequence[Word]], set[Effect]]
"""What a program does with its arguments, by rules of its own."""
