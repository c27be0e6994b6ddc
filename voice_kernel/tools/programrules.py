"""Programs with rules of their own: what git, curl, find, tar ... would do with the arguments they are given.

Each rule is given the judge of the line, which knows the folder and what was written before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from voice_kernel.toolbox.registry import Effect
from voice_kernel.tools import programs
from voice_kernel.tools.judge import UNREADABLE, Judge, Rule
from voice_kernel.tools.options import first_of, operands_of, short_for, values_of
from voice_kernel.tools.shellwords import Word


def _cd(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    target = arguments[0] if arguments else Word("~")
    if judge.cwd is None or target.dynamic or target.text == "-":
        judge.cwd = None
    else:
        judge.cwd = judge.cwd / os.path.expanduser(target.text)
    return set()


def _eval(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    if any(word.dynamic for word in arguments):
        return set(UNREADABLE)
    text = " ".join(word.text for word in arguments)
    return judge.nested(text)


def _copy(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    operands = [word for word in arguments if not word.text.startswith("-")]
    options = {word.text for word in arguments if word.text.startswith("-")}
    if options & {"-n", "--no-clobber", "--update=none"}:
        return set()
    if len(operands) < 2 or any(option.startswith(("-t", "--target")) for option in options):
        return {"delete"} if options else set()
    *sources, target = operands
    if target.dynamic or judge.cwd is None or any(word.dynamic for word in sources):
        return {"delete"}
    folder = judge.cwd / os.path.expanduser(target.text)
    if folder.is_dir():
        targets = [Word(str(folder / os.path.basename(source.text.rstrip("/")))) for source in sources]
    else:
        targets = [target]
    lost = any(judge.overwrites(word) or (folder.is_dir() and Path(word.text).is_dir()) for word in targets)
    return {"delete"} if lost else set()


def _tee(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    if any(word.text in ("-a", "--append") for word in arguments):
        return set()
    files = [word for word in arguments if not word.text.startswith("-")]
    judge.written |= {os.path.normpath(word.text) for word in files}
    return {"delete"} if any(map(judge.overwrites, files)) else set()


def _in_place(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    edits = any(
        re.match(r"-\w*i|--in-place", word.text) or programs.SED_ACTS.search(word.text) for word in arguments
    )
    return {"delete"} if edits else set()


def _find(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    for at, word in enumerate(arguments):
        if word.text in ("-delete", "-fprint", "-fprintf", "-fls"):
            found.add("delete")
        elif word.text in ("-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"):
            rest = list(arguments[at + 1 :])
            ends = [i for i, other in enumerate(rest) if other.text in (";", "+")]
            found |= judge.command_words(rest[: ends[0]] if ends else rest)
    return found


def _systemctl(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    operands = operands_of("systemctl", arguments)
    first = operands[0].text if operands else "status"
    harmless = first in ("status", "show", "cat", "help", "get-default") or first.startswith(("list-", "is-"))
    return set() if harmless else {"restart"}


def _service(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    names = [word.text for word in arguments]
    return set() if "status" in names or "--status-all" in names else {"restart"}


def _git(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    operands = operands_of("git", arguments)
    before = arguments[: arguments.index(operands[0])] if operands else arguments
    for option, value in pairwise([*before, Word("")]):
        if option.text in ("-c", "--config-env"):
            found |= _git_setting(judge, value)
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
    if programs.git_deletes(first, names) or (first == "checkout" and _names_file(judge, rest)):
        found.add("delete")
    found |= _run_by_git(judge, first, rest)
    if any(word.dynamic for word in rest) and first in ("reset", "checkout", "push", "branch", "stash"):
        found |= UNREADABLE
    return found


def _git_setting(judge: Judge, setting: Word) -> set[Effect]:
    """Judge `core.pager=rm x`, `alias.x=!rm y` and their like, which run anything."""
    name, _, value = setting.text.partition("=")
    if setting.dynamic or name.startswith("include"):
        return set(UNREADABLE)
    if name.startswith("alias.") and not value.startswith("!"):
        value = f"git {value}"
    return judge.nested(value.removeprefix("!")) - {"network"}


def _run_by_git(judge: Judge, first: str, rest: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    words = [word.text for word in rest]
    if (first == "bisect" and "run" in words) or (first == "submodule" and "foreach" in words):
        found |= judge.run_by_another(rest)
    letters, names = programs.GIT_RUN_OPTIONS.get(first, ("", ()))
    found |= judge.handed(values_of(rest, letters, names))
    if first == "config":
        operands = [word for word in rest if not word.text.startswith("-")]
        if len(operands) > 1:
            found |= _git_setting(judge, Word(f"{operands[0].text}={operands[1].text}", operands[1].dynamic))
    elif first == "clone":
        for setting in values_of(rest, "c", ("--config",)):
            found |= _git_setting(judge, setting)
    if any(word.text.startswith("ext::") for word in rest):
        found |= UNREADABLE
    if first in ("diff", "log", "show", "archive", "format-patch"):
        found |= _output_option(judge, rest)
    return found


def _names_file(judge: Judge, words: Sequence[Word]) -> bool:
    cwd = judge.cwd
    return cwd is None or any(not word.text.startswith("-") and (cwd / word.text).exists() for word in words)


def _curl(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    if any(re.match(r"-[a-zA-Z]*K|--config", word.text) for word in arguments):
        return set(UNREADABLE)  # what it does stands in a file
    found = _download(judge, arguments, "o")
    if any(re.match(r"-\w*O|--remote-name", word.text) for word in arguments):
        names = _remote_names(judge, arguments)
        found |= {"delete"} if any(judge.overwrites(Word(name)) for name in names) else set()
    return found


def _wget(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    if any(re.match(r"-[bcdkmnpqrvxNHELK]*i|--input-file", word.text) for word in arguments):
        return set(UNREADABLE)  # what is fetched stands in a file
    _remote_names(judge, arguments)  # it never overwrites a file by itself
    return _download(judge, arguments, "oO")


def _download(judge: Judge, arguments: Sequence[Word], letters: str) -> set[Effect]:
    found: set[Effect] = set()
    for value in values_of(arguments, letters, ("--output", "--output-document")):
        judge.written.add(os.path.normpath(value.text))
        found |= {"delete"} if judge.overwrites(value) else set()
    methods = {"DELETE", "PUT", "PATCH"} & {word.text.upper().removeprefix("-X") for word in arguments}
    return found | {"delete"} if methods else found


def _remote_names(judge: Judge, arguments: Sequence[Word]) -> set[str]:
    """Return the names that files get from their addresses, and note that they are written."""
    names = {os.path.basename(word.text) for word in arguments if not word.text.startswith("-")}
    judge.written |= names
    return names - {""}


def _dd(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    outputs = [word for word in arguments if word.text.startswith("of=")]
    lost = any(word.dynamic or judge.overwrites(Word(word.text[3:])) for word in outputs)
    return {"delete"} if lost else set()


def _awk(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    for script in values_of(arguments, "fEil", ("--file", "--exec", "--include", "--load")):
        found |= judge.script(script)
    for word in arguments:
        if word.dynamic and programs.AWK_RUNS.search(word.text):
            found |= UNREADABLE
        runs = len(programs.AWK_RUNS.findall(word.text))
        texts = [match[1] or match[2] or match[3] for match in programs.AWK_TEXTS.finditer(word.text)]
        if len(texts) < runs:
            found |= UNREADABLE  # put together as it runs
        for text in texts:
            # What awk prints is the input of that command: a shell would run it.
            found |= judge.nested(f"printf x | {text}".replace('\\"', '"'))
        for match in programs.AWK_WRITES.finditer(word.text):
            lost = not match[1] or judge.overwrites(Word(match[1]))
            found |= {"delete"} if lost else set()
    return found


def _tar(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    for option in arguments:
        name, _, value = option.text.partition("=")
        if short_for(name, "--checkpoint-action") and not option.dynamic:
            # Others than exec only print.
            found |= judge.handed([Word(value[5:])] if value.startswith("exec=") else [])
    if any(word.text.startswith("--checkpoint-action") and "=" not in word.text for word in arguments):
        found |= UNREADABLE
    creates = re.match(r"-?\w*c\w*f$", first_of(arguments)) and len(arguments) > 1
    lost = bool(creates) and judge.overwrites(arguments[1])
    if lost or any(word.text.startswith(programs.TAR_DELETES) for word in arguments):
        found.add("delete")
    return found


def _container(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    """Judge what runs inside of a container: whatever of the words can be read as a command."""
    found: set[Effect] = set()
    for at, word in enumerate(arguments):
        if not word.dynamic and not word.text.startswith("-"):
            found |= judge.command_words(arguments[at:])
    return found - {"network"}


def _kubectl(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    operands = operands_of("kubectl", arguments)
    if operands and operands[0].text in ("exec", "run", "debug"):
        return _container(judge, arguments[arguments.index(operands[0]) + 1 :])
    return set()


def _output_option(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    lost = any(map(judge.overwrites, values_of(arguments, "o", ("--output",))))
    return {"delete"} if lost else set()


def _forced(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    forced = any(re.match(r"-\w*f|--force|-aoa|-y$", word.text) for word in arguments)
    return {"delete"} if forced else set()


def _editor(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    # Without these it waits for somebody who types.
    scripted = ("-c", "+", "-e", "-s", "-S", "--cmd", "--eval", "--batch", "--script", "-l")
    return set(UNREADABLE) if any(word.text.startswith(scripted) for word in arguments) else set()


def _make(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    files = list(values_of(arguments, "f", ("--file", "--makefile")))
    if any(word.text.startswith(("--eval", "-E")) for word in arguments):
        return set(UNREADABLE)
    if any(word.text in ("-", "/dev/stdin") for word in files):
        return set(UNREADABLE)
    found: set[Effect] = set()
    for word in files or [Word(name) for name in ("GNUmakefile", "makefile", "Makefile")]:
        found |= judge.script(word)
    for word in arguments:
        if programs.ASSIGNMENT.match(word.text):  # `SHELL=...`, and what `$(shell ...)` would run
            found |= UNREADABLE if re.match(r"SHELL\+?=", word.text) or "$(" in word.text else set()
    return found


def _jupyter(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    emptying = any(word.text in ("--inplace", "--clear-output") for word in arguments)
    return {"delete"} if emptying else set()


def _unzip(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    return {"delete"} if any(re.match(r"-\w*o", word.text) for word in arguments) else set()


def _rsync(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    removing = any(word.text.startswith(("--delete", "--del", "--remove")) for word in arguments)
    target = arguments[-1] if arguments else Word("")
    lost = ":" not in target.text and judge.overwrites(target)
    return {"delete"} if removing or lost else set()


def _modes(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    return {"delete"} if any(re.match(r"-\w*R|--recursive", w.text) for w in arguments) else set()


def _cloud(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    removing = re.compile(r"rm|rb|mv|sync|delete.*|terminate.*|remove.*|purge|destroy|stop.*|reboot.*")
    return {"delete"} if any(removing.fullmatch(word.text) for word in arguments) else set()


def _compose(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    names = [word.text for word in arguments]
    if "down" in names or "rm" in names:
        return {"delete", "restart"}
    return {"restart"} if {"restart", "stop", "kill", "up"} & set(names) else set()


def _docker(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    operands = operands_of("docker", arguments)
    if operands and operands[0].text == "compose":
        return _compose(judge, arguments)
    if operands and operands[0].text in ("exec", "run"):
        return _container(judge, arguments[arguments.index(operands[0]) + 1 :])
    return {"delete"} if any(word.text in ("prune", "rm", "down") for word in operands[:3]) else set()


def _uv(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    operands = operands_of("uv", arguments)
    if operands and operands[0].text == "pip":
        return judge.by_tables("pip", arguments[arguments.index(operands[0]) + 1 :])
    if operands and operands[0].text == "run":
        return judge.command_words(arguments[arguments.index(operands[0]) + 1 :])
    return set()


def _runner(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    names = [word.text for word in arguments]
    return _container(judge, arguments[names.index("run") + 1 :]) if "run" in names else set()


def _ssh(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    rest = list(arguments)
    operands: list[Word] = []
    while rest:
        word = rest.pop(0)
        if operands or not word.text.startswith("-"):
            operands.append(word)
        elif re.fullmatch(r"-\w*[bcDEeFIiJLlmOopQRSWwB]", word.text) and rest:
            rest.pop(0)
    found |= _ssh_settings(judge, arguments)
    if any(word.dynamic for word in operands[1:]):
        return found | UNREADABLE
    # What runs on another machine is judged like a line here, but there every file may exist.
    return found | judge.elsewhere().line(" ".join(word.text for word in operands[1:]))


def _ssh_settings(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    """Judge `-o ProxyCommand=...` and its like, which run here."""
    found: set[Effect] = set()
    for setting in values_of(arguments, "o", ()):
        name, _, value = re.sub(r"^(\w+)[ \t]+", r"\1=", setting.text).partition("=")
        if name.lower() in programs.SSH_RUN_SETTINGS:
            found |= judge.handed([Word(value, setting.dynamic)])
        elif setting.dynamic or name.lower() in ("include", "match"):
            found |= UNREADABLE
    return found


def _remote_copy(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    return _rsync(judge, arguments) | _ssh_settings(judge, arguments)


def _declare(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    found: set[Effect] = set()
    for word in arguments:
        if programs.ASSIGNMENT.match(word.text):
            found |= judge.assignment(word)
    return found


def _option_c(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    for option, value in pairwise(arguments):
        if option.text in ("-c", "--command"):
            if value.dynamic:
                return set(UNREADABLE)
            return judge.nested(value.text)
    return set(UNREADABLE)


def _always_asks(judge: Judge, arguments: Sequence[Word]) -> set[Effect]:
    del arguments
    return set(UNREADABLE)


RULES: Mapping[str, Rule] = {
    "cd": _cd,
    "pushd": _cd,
    "popd": lambda judge, _: _cd(judge, [Word("-")]),
    **dict.fromkeys(("source", "."), lambda judge, words: judge.script(words[0]) if words else set()),
    "at": _always_asks,
    "batch": _always_asks,
    "eval": _eval,
    "trap": lambda judge, words: _eval(judge, words[:1]),
    "alias": _always_asks,
    "cp": _copy,
    "mv": _copy,
    "ln": _copy,
    "install": _copy,
    "tee": _tee,
    "sponge": _tee,
    "sed": _in_place,
    "gsed": _in_place,
    "perl": _in_place,
    "find": _find,
    "fd": _find,
    "systemctl": _systemctl,
    "service": _service,
    "rc-service": _service,
    "git": _git,
    "curl": _curl,
    "wget": _wget,
    "dd": _dd,
    "awk": _awk,
    "gawk": _awk,
    "mawk": _awk,
    "tar": _tar,
    "kubectl": _kubectl,
    "sort": _output_option,
    "shuf": _output_option,
    **dict.fromkeys(("gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "zstd", "7z"), _forced),
    "zip": lambda _, words: {"delete"} if any(re.match(r"-\w*m|--move", w.text) for w in words) else set(),
    **dict.fromkeys(("vi", "vim", "nvim", "emacs", "nano"), _editor),
    "make": _make,
    "jupyter": _jupyter,
    "jupyter-nbconvert": _jupyter,
    **dict.fromkeys(("osascript", "expect", "enable", "bind", "fc"), _always_asks),
    "hash": lambda _, words: set(UNREADABLE) if words else set(),
    "mapfile": lambda _, words: set(UNREADABLE) if any(w.text == "-C" for w in words) else set(),
    "unzip": _unzip,
    "rsync": _rsync,
    "scp": _remote_copy,
    "sftp": _remote_copy,
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), _declare),
    "run-parts": _always_asks,
    "chmod": _modes,
    "chown": _modes,
    "chgrp": _modes,
    "setfacl": _modes,
    "aws": _cloud,
    "gcloud": _cloud,
    "gsutil": _cloud,
    "az": _cloud,
    "gh": _cloud,
    "docker": _docker,
    "docker-compose": _compose,
    "uv": _uv,
    "poetry": _runner,
    "pdm": _runner,
    "pipenv": _runner,
    "conda": _runner,
    "ssh": _ssh,
    "su": _option_c,
    "script": _option_c,
    "ed": _always_asks,
    "ex": _always_asks,
}
