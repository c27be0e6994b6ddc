"""What a shell command would do to the world, judged from its text alone.

Reads the command the way a shell would: quotes, operators, substitutions, `sudo` and its like,
`bash -c`, pipes into a shell. It never runs anything, and looks at files only to see whether one would
be overwritten. It is careful, not clever: what it cannot read counts as something that must be asked
about. What a script or program does inside is beyond it; that is why the shell as a whole is off until
somebody allows it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from voice_kernel.toolbox.registry import Effect, Effects
from voice_kernel.tools import programs
from voice_kernel.tools.shellwords import MAX_DEPTH, Command, Unreadable, Word, simple_commands

UNREADABLE: Effects = frozenset({"unreadable"})
"""Of what cannot be read, or is written so that nobody can tell what will run."""


def effects_of(command: str, cwd: str | os.PathLike[str] = ".") -> Effects:
    """Return what a shell command may do: `install`, `restart`, `delete`, `network`, `unreadable`.

    Args:
        command: the text a shell would get.
        cwd: the folder it would run in, to see whether a file would be overwritten.
    """
    return _Judge(Path(cwd)).line(command)


class _Judge:
    """Judges the commands of one line in order; keeps in which folder they would run."""

    def __init__(self, cwd: Path, depth: int = 0) -> None:
        self.cwd: Path | None = cwd
        """None once it cannot be known."""
        self.written: set[str] = set()
        """Files that earlier commands of the line have written: running one runs what came from elsewhere."""
        self.depth = depth
        if depth > MAX_DEPTH:
            raise Unreadable

    def line(self, text: str) -> Effects:
        try:
            commands = simple_commands(text)
            found: set[Effect] = set()
            for command in commands:
                found |= self._command(command)
        except (Unreadable, RecursionError):
            return UNREADABLE
        return frozenset(found)

    def _text(self, text: str) -> set[Effect]:
        """Judge a line that a command of this one hands to a shell."""
        judge = _Judge(Path("."), self.depth + 1)
        judge.cwd, judge.written = self.cwd, self.written
        return set(judge.line(text))

    def _handed(self, words: Iterable[Word]) -> set[Effect]:
        """Judge the values of options that are run as commands."""
        found: set[Effect] = set()
        for word in words:
            found |= UNREADABLE if word.dynamic else self._text(word.text)
        return found

    def _command(self, command: Command) -> set[Effect]:
        found: set[Effect] = set()
        if any(self._overwrites(word) for word in command.writes):
            found.add("delete")
        self.written |= {os.path.normpath(word.text) for word in command.writes}
        words = list(command.words)
        while words and not words[0].dynamic and words[0].text in programs.KEYWORDS | programs.CLOSING:
            if words.pop(0).text == "function":
                words = words[1:]
        if words and words[0].text in ("for", "select", "case", "in"):
            return found
        return found | self._words(words, piped=command.piped)

    def _words(self, words: Sequence[Word], *, piped: bool = False) -> set[Effect]:
        words = list(words)
        found: set[Effect] = set()
        while words and programs.ASSIGNMENT.match(words[0].text):
            found |= self._assignment(words.pop(0))
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
        letters, names = programs.RUN_OPTIONS.get(_family(program), ("", ()))
        found |= self._handed(_values(arguments, letters, names))
        special = _SPECIAL.get(program) or _SPECIAL.get(_family(program))
        if special is not None:
            found |= special(self, arguments)
        if _family(program) in programs.SHELLS:
            found |= self._shell(arguments, piped=piped)
        found |= self._inline(_family(program), arguments, piped=piped)
        found |= self._tables(program, arguments)
        found |= self._last_word_written(program, arguments)
        judged = (_SPECIAL, programs.INLINE, programs.SQL, programs.TEXT_TAKERS, programs.VALUE_OPTIONS)
        if not any(_family(program) in table for table in judged):
            found |= self._run_by_another(arguments)
        return found

    def _assignment(self, word: Word) -> set[Effect]:
        name, _, value = word.text.partition("=")
        name = name.removesuffix("+")
        if programs.REDEFINING.fullmatch(name):
            return set(UNREADABLE)  # the names that follow may mean anything
        if programs.RUN_VALUES.fullmatch(name):
            return self._handed([Word(value, word.dynamic)])
        return set()

    def _run_by_another(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge what a program nothing is known of may run: commands among its words and in its options."""
        found: set[Effect] = set()
        for at, word in enumerate(arguments):
            first, _, more = word.text.lstrip().partition(" ")
            name = _family(os.path.basename(first))
            if word.dynamic or name not in programs.RUN_BY_OTHERS:
                continue
            if more:
                found |= self._text(word.text)
            elif name not in programs.WRAPPERS or arguments[at + 1 :]:
                found |= self._words(arguments[at:])
        for option, value in pairwise([*arguments, Word("")]):
            name, equals, given = option.text.partition("=")
            if programs.RUN_OPTION.fullmatch(name):
                found |= self._handed([Word(given, option.dynamic) if equals else value])
        return found

    def _tables(self, program: str, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        if (program, _first(arguments)) in programs.ONLY_LOOKS:
            return found
        if program in programs.DELETES or program.startswith(("mkfs.", "fsck.")):
            found.add("delete")
        if program in programs.RESTARTS:
            found.add("restart")
        if program in programs.INSTALLS and not (
            program == "dpkg" and _first(arguments) in ("-l", "-L", "-s", "-S")
        ):
            found.add("install")
        family = _family(program)
        operands = _operands(family, arguments)
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
                return self._text(" ".join(filter(None, [split, *(word.text for word in rest)])))
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
            return self._text(" ".join(word.text for word in rest if word.text != "-c"))
        if program == "xargs":
            return self._with_input(rest, replaced)
        return self._words(rest, piped=piped)

    def _with_input(self, words: Sequence[Word], replaced: str) -> set[Effect]:
        """Judge a command to which words are added that come from its input."""
        if not replaced:
            return self._words([*words, Word("", dynamic=True)]) if words else set()
        filled = [Word(word.text, word.dynamic or replaced in word.text) for word in words]
        return self._words(filled)

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
        return self._text(filled if filled != text else f"{text} $1")

    def _shell(self, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        rest = list(arguments)
        while rest and rest[0].text.startswith(("-", "+")):
            option = rest.pop(0)
            if option.text == "-s":
                return {"install"}
            if re.fullmatch(r"-\w*c", option.text):
                if not rest or rest[0].dynamic:
                    return set(UNREADABLE)
                return self._text(rest[0].text)
            if option.text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                rest = rest[1:]
        if rest:
            return self._script(rest[0])
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
                return self._words([Word(code.text), *arguments[2:]])
            if re.fullmatch(rf"-\w*[{options}]|--eval|--print", option.text):
                return _inline_code(code)
            if not option.text.startswith("-"):
                break
        if any(word.text.startswith(("-c", "-e", "-i")) and len(word.text) > 2 for word in arguments[:3]):
            return set(UNREADABLE)
        scripts = [word for word in arguments if not word.text.startswith("-")]
        if any(word.text == "-" for word in arguments) or (piped and not scripts):
            return {"install"}  # a program from somewhere else
        return self._setup(scripts) | (self._script(scripts[0]) if scripts else set())

    def _script(self, script: Word) -> set[Effect]:
        """Judge the running of a file: what it does is not in this text, only where it comes from."""
        if script.dynamic:
            return set(UNREADABLE)
        return {"install"} if os.path.normpath(script.text) in self.written else set()

    def _source(self, arguments: Sequence[Word]) -> set[Effect]:
        return self._script(arguments[0]) if arguments else set()

    def _setup(self, scripts: Sequence[Word]) -> set[Effect]:
        names = [word.text for word in scripts]
        installs = names[:1] == ["setup.py"] and {"install", "develop", "clean"} & set(names[1:])
        return {"install"} if installs else set()

    def _overwrites(self, word: Word) -> bool:
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

    # ---- programs with rules of their own ----------------------------------------------------------

    def _cd(self, arguments: Sequence[Word]) -> set[Effect]:
        target = arguments[0] if arguments else Word("~")
        if self.cwd is None or target.dynamic or target.text == "-":
            self.cwd = None
        else:
            self.cwd = self.cwd / os.path.expanduser(target.text)
        return set()

    def _eval(self, arguments: Sequence[Word]) -> set[Effect]:
        if any(word.dynamic for word in arguments):
            return set(UNREADABLE)
        text = " ".join(word.text for word in arguments)
        return self._text(text)

    def _copy(self, arguments: Sequence[Word]) -> set[Effect]:
        operands = [word for word in arguments if not word.text.startswith("-")]
        options = {word.text for word in arguments if word.text.startswith("-")}
        if options & {"-n", "--no-clobber", "--update=none"}:
            return set()
        if len(operands) < 2 or any(option.startswith(("-t", "--target")) for option in options):
            return {"delete"} if options else set()
        *sources, target = operands
        if target.dynamic or self.cwd is None or any(word.dynamic for word in sources):
            return {"delete"}
        folder = self.cwd / os.path.expanduser(target.text)
        if folder.is_dir():
            targets = [Word(str(folder / os.path.basename(source.text.rstrip("/")))) for source in sources]
        else:
            targets = [target]
        lost = any(
            self._overwrites(word) or (folder.is_dir() and Path(word.text).is_dir()) for word in targets
        )
        return {"delete"} if lost else set()

    def _tee(self, arguments: Sequence[Word]) -> set[Effect]:
        if any(word.text in ("-a", "--append") for word in arguments):
            return set()
        files = [word for word in arguments if not word.text.startswith("-")]
        self.written |= {os.path.normpath(word.text) for word in files}
        return {"delete"} if any(map(self._overwrites, files)) else set()

    def _in_place(self, arguments: Sequence[Word]) -> set[Effect]:
        edits = any(
            re.match(r"-\w*i|--in-place", word.text) or programs.SED_ACTS.search(word.text)
            for word in arguments
        )
        return {"delete"} if edits else set()

    def _find(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        for at, word in enumerate(arguments):
            if word.text in ("-delete", "-fprint", "-fprintf", "-fls"):
                found.add("delete")
            elif word.text in ("-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"):
                rest = list(arguments[at + 1 :])
                ends = [i for i, other in enumerate(rest) if other.text in (";", "+")]
                found |= self._words(rest[: ends[0]] if ends else rest)
        return found

    def _systemctl(self, arguments: Sequence[Word]) -> set[Effect]:
        operands = _operands("systemctl", arguments)
        first = operands[0].text if operands else "status"
        harmless = first in ("status", "show", "cat", "help", "get-default") or first.startswith(
            ("list-", "is-")
        )
        return set() if harmless else {"restart"}

    def _service(self, arguments: Sequence[Word]) -> set[Effect]:
        names = [word.text for word in arguments]
        return set() if "status" in names or "--status-all" in names else {"restart"}

    def _git(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        operands = _operands("git", arguments)
        before = arguments[: arguments.index(operands[0])] if operands else arguments
        for option, value in pairwise([*before, Word("")]):
            if option.text in ("-c", "--config-env"):
                found |= self._git_setting(value)
            elif option.text.startswith(("-c=", "--exec-path=")):
                found |= UNREADABLE
        if not operands:
            return found
        if operands[0].dynamic:
            return set(UNREADABLE)
        first = operands[0].text
        rest = list(arguments[arguments.index(operands[0]) + 1 :])
        names = [word.text for word in rest]
        if first in ("clone", "fetch", "pull", "push", "ls-remote", "submodule"):
            found.add("network")
        if programs.git_deletes(first, names) or (first == "checkout" and self._names_file(rest)):
            found.add("delete")
        found |= self._run_by_git(first, rest)
        if any(word.dynamic for word in rest) and first in ("reset", "checkout", "push", "branch", "stash"):
            found |= UNREADABLE
        return found

    def _git_setting(self, setting: Word) -> set[Effect]:
        """Judge `core.pager=rm x`, `alias.x=!rm y` and their like, which run anything."""
        name, _, value = setting.text.partition("=")
        if setting.dynamic or name.startswith("include"):
            return set(UNREADABLE)
        if name.startswith("alias.") and not value.startswith("!"):
            value = f"git {value}"
        return self._text(value.removeprefix("!")) - {"network"}

    def _run_by_git(self, first: str, rest: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        words = [word.text for word in rest]
        if (first == "bisect" and "run" in words) or (first == "submodule" and "foreach" in words):
            found |= self._run_by_another(rest)
        letters, names = programs.GIT_RUN_OPTIONS.get(first, ("", ()))
        found |= self._handed(_values(rest, letters, names))
        if first == "config":
            operands = [word for word in rest if not word.text.startswith("-")]
            if len(operands) > 1:
                found |= self._git_setting(
                    Word(f"{operands[0].text}={operands[1].text}", operands[1].dynamic)
                )
        elif first == "clone":
            for setting in _values(rest, "c", ("--config",)):
                found |= self._git_setting(setting)
        if any(word.text.startswith("ext::") for word in rest):
            found |= UNREADABLE
        if first in ("diff", "log", "show", "archive", "format-patch"):
            found |= self._output_option(rest)
        return found

    def _names_file(self, words: Sequence[Word]) -> bool:
        cwd = self.cwd
        return cwd is None or any(
            not word.text.startswith("-") and (cwd / word.text).exists() for word in words
        )

    def _curl(self, arguments: Sequence[Word]) -> set[Effect]:
        if any(re.match(r"-[a-zA-Z]*K|--config", word.text) for word in arguments):
            return set(UNREADABLE)  # what it does stands in a file
        found = self._download(arguments, "o")
        if any(re.match(r"-\w*O|--remote-name", word.text) for word in arguments):
            names = self._remote_names(arguments)
            found |= {"delete"} if any(self._overwrites(Word(name)) for name in names) else set()
        return found

    def _wget(self, arguments: Sequence[Word]) -> set[Effect]:
        if any(re.match(r"-[bcdkmnpqrvxNHELK]*i|--input-file", word.text) for word in arguments):
            return set(UNREADABLE)  # what is fetched stands in a file
        self._remote_names(arguments)  # it never overwrites a file by itself
        return self._download(arguments, "oO")

    def _download(self, arguments: Sequence[Word], letters: str) -> set[Effect]:
        found: set[Effect] = set()
        for value in _values(arguments, letters, ("--output", "--output-document")):
            self.written.add(os.path.normpath(value.text))
            found |= {"delete"} if self._overwrites(value) else set()
        methods = {"DELETE", "PUT", "PATCH"} & {word.text.upper().removeprefix("-X") for word in arguments}
        return found | {"delete"} if methods else found

    def _remote_names(self, arguments: Sequence[Word]) -> set[str]:
        """Return the names that files get from their addresses, and note that they are written."""
        names = {os.path.basename(word.text) for word in arguments if not word.text.startswith("-")}
        self.written |= names
        return names - {""}

    def _dd(self, arguments: Sequence[Word]) -> set[Effect]:
        outputs = [word for word in arguments if word.text.startswith("of=")]
        lost = any(word.dynamic or self._overwrites(Word(word.text[3:])) for word in outputs)
        return {"delete"} if lost else set()

    def _awk(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        for script in _values(arguments, "fEil", ("--file", "--exec", "--include", "--load")):
            found |= self._script(script)
        for word in arguments:
            if word.dynamic and programs.AWK_RUNS.search(word.text):
                found |= UNREADABLE
            runs = len(programs.AWK_RUNS.findall(word.text))
            texts = [match[1] or match[2] or match[3] for match in programs.AWK_TEXTS.finditer(word.text)]
            if len(texts) < runs:
                found |= UNREADABLE  # put together as it runs
            for text in texts:
                # What awk prints is the input of that command: a shell would run it.
                found |= self._text(f"printf x | {text}".replace('\\"', '"'))
            for match in programs.AWK_WRITES.finditer(word.text):
                lost = not match[1] or self._overwrites(Word(match[1]))
                found |= {"delete"} if lost else set()
        return found

    def _tar(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        for option in arguments:
            name, _, value = option.text.partition("=")
            if _short_for(name, "--checkpoint-action") and not option.dynamic:
                # Others than exec only print.
                found |= self._handed([Word(value[5:])] if value.startswith("exec=") else [])
        if any(word.text.startswith("--checkpoint-action") and "=" not in word.text for word in arguments):
            found |= UNREADABLE
        creates = re.match(r"-?\w*c\w*f$", _first(arguments)) and len(arguments) > 1
        lost = bool(creates) and self._overwrites(arguments[1])
        if lost or any(word.text.startswith(programs.TAR_DELETES) for word in arguments):
            found.add("delete")
        return found

    def _container(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge what runs inside of a container: whatever of the words can be read as a command."""
        found: set[Effect] = set()
        for at, word in enumerate(arguments):
            if not word.dynamic and not word.text.startswith("-"):
                found |= self._words(arguments[at:])
        return found - {"network"}

    def _kubectl(self, arguments: Sequence[Word]) -> set[Effect]:
        operands = _operands("kubectl", arguments)
        if operands and operands[0].text in ("exec", "run", "debug"):
            return self._container(arguments[arguments.index(operands[0]) + 1 :])
        return set()

    def _last_word_written(self, program: str, arguments: Sequence[Word]) -> set[Effect]:
        """Judge programs that write what their last word names, and those told so by an option."""
        written: list[Word] = []
        if program in programs.WRITE_LAST_WORD and len(arguments) > 1:
            written = list(arguments[-1:])
        elif program in programs.WRITE_OPTION:
            written = list(_values(arguments, "", ("-o", "-out", "--output", "--outfile")))
        return {"delete"} if any(map(self._overwrites, written)) else set()

    def _output_option(self, arguments: Sequence[Word]) -> set[Effect]:
        lost = any(map(self._overwrites, _values(arguments, "o", ("--output",))))
        return {"delete"} if lost else set()

    def _forced(self, arguments: Sequence[Word]) -> set[Effect]:
        forced = any(re.match(r"-\w*f|--force|-aoa|-y$", word.text) for word in arguments)
        return {"delete"} if forced else set()

    def _editor(self, arguments: Sequence[Word]) -> set[Effect]:
        # Without these it waits for somebody who types.
        scripted = ("-c", "+", "-e", "-s", "-S", "--cmd", "--eval", "--batch", "--script", "-l")
        return set(UNREADABLE) if any(word.text.startswith(scripted) for word in arguments) else set()

    def _make(self, arguments: Sequence[Word]) -> set[Effect]:
        files = list(_values(arguments, "f", ("--file", "--makefile")))
        if any(word.text.startswith(("--eval", "-E")) for word in arguments):
            return set(UNREADABLE)
        if any(word.text in ("-", "/dev/stdin") for word in files):
            return set(UNREADABLE)
        found: set[Effect] = set()
        for word in files or [Word(name) for name in ("GNUmakefile", "makefile", "Makefile")]:
            found |= self._script(word)
        for word in arguments:
            if programs.ASSIGNMENT.match(word.text):  # `SHELL=...`, and what `$(shell ...)` would run
                found |= UNREADABLE if re.match(r"SHELL\+?=", word.text) or "$(" in word.text else set()
        return found

    def _jupyter(self, arguments: Sequence[Word]) -> set[Effect]:
        emptying = any(word.text in ("--inplace", "--clear-output") for word in arguments)
        return {"delete"} if emptying else set()

    def _unzip(self, arguments: Sequence[Word]) -> set[Effect]:
        return {"delete"} if any(re.match(r"-\w*o", word.text) for word in arguments) else set()

    def _rsync(self, arguments: Sequence[Word]) -> set[Effect]:
        removing = any(word.text.startswith(("--delete", "--del", "--remove")) for word in arguments)
        target = arguments[-1] if arguments else Word("")
        lost = ":" not in target.text and self._overwrites(target)
        return {"delete"} if removing or lost else set()

    def _modes(self, arguments: Sequence[Word]) -> set[Effect]:
        return {"delete"} if any(re.match(r"-\w*R|--recursive", w.text) for w in arguments) else set()

    def _cloud(self, arguments: Sequence[Word]) -> set[Effect]:
        removing = re.compile(r"rm|rb|mv|sync|delete.*|terminate.*|remove.*|purge|destroy|stop.*|reboot.*")
        return {"delete"} if any(removing.fullmatch(word.text) for word in arguments) else set()

    def _compose(self, arguments: Sequence[Word]) -> set[Effect]:
        names = [word.text for word in arguments]
        if "down" in names or "rm" in names:
            return {"delete", "restart"}
        return {"restart"} if {"restart", "stop", "kill", "up"} & set(names) else set()

    def _docker(self, arguments: Sequence[Word]) -> set[Effect]:
        operands = _operands("docker", arguments)
        if operands and operands[0].text == "compose":
            return self._compose(arguments)
        if operands and operands[0].text in ("exec", "run"):
            return self._container(arguments[arguments.index(operands[0]) + 1 :])
        return {"delete"} if any(word.text in ("prune", "rm", "down") for word in operands[:3]) else set()

    def _uv(self, arguments: Sequence[Word]) -> set[Effect]:
        operands = _operands("uv", arguments)
        if operands and operands[0].text == "pip":
            return self._tables("pip", arguments[arguments.index(operands[0]) + 1 :])
        if operands and operands[0].text == "run":
            return self._words(arguments[arguments.index(operands[0]) + 1 :])
        return set()

    def _runner(self, arguments: Sequence[Word]) -> set[Effect]:
        names = [word.text for word in arguments]
        return self._container(arguments[names.index("run") + 1 :]) if "run" in names else set()

    def _ssh(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        rest = list(arguments)
        operands: list[Word] = []
        while rest:
            word = rest.pop(0)
            if operands or not word.text.startswith("-"):
                operands.append(word)
            elif re.fullmatch(r"-\w*[bcDEeFIiJLlmOopQRSWwB]", word.text) and rest:
                rest.pop(0)
        found |= self._ssh_settings(arguments)
        if any(word.dynamic for word in operands[1:]):
            return found | UNREADABLE
        # What runs on another machine is judged like a line here, but there every file may exist.
        judge = _Judge(Path("."), self.depth + 1)
        judge.cwd = None
        return found | judge.line(" ".join(word.text for word in operands[1:]))

    def _ssh_settings(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge `-o ProxyCommand=...` and its like, which run here."""
        found: set[Effect] = set()
        for setting in _values(arguments, "o", ()):
            name, _, value = re.sub(r"^(\w+)[ \t]+", r"\1=", setting.text).partition("=")
            if name.lower() in programs.SSH_RUN_SETTINGS:
                found |= self._handed([Word(value, setting.dynamic)])
            elif setting.dynamic or name.lower() in ("include", "match"):
                found |= UNREADABLE
        return found

    def _remote_copy(self, arguments: Sequence[Word]) -> set[Effect]:
        return self._rsync(arguments) | self._ssh_settings(arguments)

    def _declare(self, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        for word in arguments:
            if programs.ASSIGNMENT.match(word.text):
                found |= self._assignment(word)
        return found

    def _option_c(self, arguments: Sequence[Word]) -> set[Effect]:
        for option, value in pairwise(arguments):
            if option.text in ("-c", "--command"):
                if value.dynamic:
                    return set(UNREADABLE)
                return self._text(value.text)
        return set(UNREADABLE)

    def _always_asks(self, arguments: Sequence[Word]) -> set[Effect]:
        del arguments
        return set(UNREADABLE)


_SPECIAL: dict[str, Callable[[_Judge, Sequence[Word]], set[Effect]]] = {
    "cd": _Judge._cd,
    "pushd": _Judge._cd,
    "popd": lambda judge, _: judge._cd([Word("-")]),
    "source": _Judge._source,
    ".": _Judge._source,
    "at": _Judge._always_asks,
    "batch": _Judge._always_asks,
    "eval": _Judge._eval,
    "trap": lambda judge, words: judge._eval(words[:1]),
    "alias": _Judge._always_asks,
    "cp": _Judge._copy,
    "mv": _Judge._copy,
    "ln": _Judge._copy,
    "install": _Judge._copy,
    "tee": _Judge._tee,
    "sponge": _Judge._tee,
    "sed": _Judge._in_place,
    "gsed": _Judge._in_place,
    "perl": _Judge._in_place,
    "find": _Judge._find,
    "fd": _Judge._find,
    "systemctl": _Judge._systemctl,
    "service": _Judge._service,
    "rc-service": _Judge._service,
    "git": _Judge._git,
    "curl": _Judge._curl,
    "wget": _Judge._wget,
    "dd": _Judge._dd,
    "awk": _Judge._awk,
    "gawk": _Judge._awk,
    "mawk": _Judge._awk,
    "tar": _Judge._tar,
    "kubectl": _Judge._kubectl,
    "sort": _Judge._output_option,
    "shuf": _Judge._output_option,
    **dict.fromkeys(("gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "zstd", "7z"), _Judge._forced),
    "zip": lambda _, words: {"delete"} if any(re.match(r"-\w*m|--move", w.text) for w in words) else set(),
    **dict.fromkeys(("vi", "vim", "nvim", "emacs", "nano"), _Judge._editor),
    "make": _Judge._make,
    "jupyter": _Judge._jupyter,
    "jupyter-nbconvert": _Judge._jupyter,
    **dict.fromkeys(("osascript", "expect", "enable", "bind", "fc"), _Judge._always_asks),
    "hash": lambda _, words: set(UNREADABLE) if words else set(),
    "mapfile": lambda _, words: set(UNREADABLE) if any(w.text == "-C" for w in words) else set(),
    "unzip": _Judge._unzip,
    "rsync": _Judge._rsync,
    "scp": _Judge._remote_copy,
    "sftp": _Judge._remote_copy,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _Judge._declare),
    "run-parts": _Judge._always_asks,
    "chmod": _Judge._modes,
    "chown": _Judge._modes,
    "chgrp": _Judge._modes,
    "setfacl": _Judge._modes,
    "aws": _Judge._cloud,
    "gcloud": _Judge._cloud,
    "gsutil": _Judge._cloud,
    "az": _Judge._cloud,
    "gh": _Judge._cloud,
    "docker": _Judge._docker,
    "docker-compose": _Judge._compose,
    "uv": _Judge._uv,
    "poetry": _Judge._runner,
    "pdm": _Judge._runner,
    "pipenv": _Judge._runner,
    "conda": _Judge._runner,
    "ssh": _Judge._ssh,
    "su": _Judge._option_c,
    "script": _Judge._option_c,
    "ed": _Judge._always_asks,
    "ex": _Judge._always_asks,
}


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


def _short_for(given: str, name: str) -> bool:
    """Return whether GNU's parser of options may take one for the other: `--check` for `--checkpoint`."""
    return len(given) > 3 and name.startswith(given)


def _family(program: str) -> str:
    """Return the name whose rules hold for a program: `pip3.11` is `pip`, `apt-get` is `apt`."""
    bare = program if program in programs.SQL else re.sub(r"[\d.]+$", "", program) or program
    return programs.FAMILIES.get(bare, bare)


def _operands(family: str, arguments: Sequence[Word]) -> list[Word]:
    """Return the words of a command that are no options, nor values of options."""
    takes_value = programs.VALUE_OPTIONS.get(family, frozenset())
    return list(_without_options(arguments, takes_value))


def _without_options(arguments: Sequence[Word], takes_value: frozenset[str]) -> Iterator[Word]:
    skip = False
    for word in arguments:
        if skip:
            skip = False
        elif word.text.startswith(("-", "+")) and len(word.text) > 1:
            skip = word.text in takes_value
        else:
            yield word


def _values(arguments: Sequence[Word], letters: str, names: tuple[str, ...]) -> Iterator[Word]:
    """Yield the values of an option, in all the ways in which one can be given: -o x, -ox, --output=x."""
    for option, value in pairwise([*arguments, Word("")]):
        name, equals, given = option.text.partition("=")
        if name in names or any(_short_for(name, full) for full in names):
            yield Word(given, option.dynamic) if equals else value
        elif letters and (match := re.fullmatch(rf"-\w*?[{letters}](.*)", option.text)):
            yield Word(match[1], option.dynamic) if match[1] else value


def _first(arguments: Sequence[Word]) -> str:
    return arguments[0].text if arguments else ""
