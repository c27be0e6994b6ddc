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
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from voice_kernel.toolbox.registry import Effect, Effects
from voice_kernel.tools.shellwords import MAX_DEPTH, Command, Unreadable, Word, simple_commands

UNREADABLE: Effects = frozenset({"delete"})


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KEYWORDS = _names("if then elif else while until do ! { time coproc function")
_CLOSING = _names("fi done esac } ;;")

_SHELLS = _names("sh bash dash zsh ksh fish ash csh tcsh")
_INLINE = {
    **dict.fromkeys(("python", "pypy", "ipython"), "c"),
    **dict.fromkeys(("perl", "julia"), "eE"),
    **dict.fromkeys(("ruby", "lua", "R", "Rscript"), "e"),
    **dict.fromkeys(("node", "nodejs"), "ep"),
    "php": "r",
}
"""Interpreters and the short options after which code follows."""
_INLINE_DELETES = re.compile(
    r"rmtree|unlink|rmdir|remove|delete|truncate|rename|replace\(|rmSync|system|popen|spawn|exec|subprocess"
    r"|open\([^)]*['\"][wx]|writeFile|write_text|write_bytes|shutil|kill|install|\brm\b"
    r"|getattr|eval\(|__import__|decode\(",
    re.IGNORECASE,
)
_SQL = _names("psql mysql mariadb sqlite3 duckdb clickhouse-client")
_SQL_DELETES = re.compile(r"\b(drop|delete|truncate|alter|update|replace)\b", re.IGNORECASE)

_WRAPPERS: dict[str, str] = {
    "sudo": "ughpCRTDrt",
    "doas": "uC",
    "env": "uCS",
    "nice": "n",
    "ionice": "cnpt",
    "nohup": "",
    "setsid": "",
    "stdbuf": "ioe",
    "exec": "a",
    "command": "",
    "builtin": "",
    "busybox": "",
    "xargs": "aEeIiLlnPsd",
    "watch": "n",
    "timeout": "sk",
    "chroot": "",
    "unshare": "",
    "strace": "eop",
    "parallel": "j",
    "caffeinate": "",
    "chronic": "",
    "flock": "wE",
}
"""Commands that run the command after them, with the short options that take a value."""
_WRAPPER_OPERANDS = {"timeout": 1, "chroot": 1, "flock": 1}
"""Words of their own before that command."""
_WRAPPER_LONG_VALUES = _names(
    "--user --group --prompt --chdir --unset --signal --kill-after --max-args --max-procs --replace "
    "--delimiter --arg-file --adjustment --interval --host --jobs"
)

_DELETES = _names(
    "rm rmdir unlink shred truncate wipe srm trash trash-put del erase mkfs mkswap fdisk sfdisk gdisk "
    "parted wipefs blkdiscard lvremove vgremove pvremove userdel groupdel deluser delgroup dropdb dropuser "
    "visudo passwd chpasswd crontab fallocate rename prename cryptsetup losetup mount umount"
)
_PLAIN_DELETES = _names("rm rmdir unlink shred truncate srm")
"""Those that are hardly ever a mere word: found behind another program, they are what it runs."""
_TEXT_TAKERS = _names(
    "echo printf grep egrep fgrep zgrep rg ag ack man info help type which whereis whatis apropos tldr ls cd "
    "cat test [ [[ expr pytest py.test notify-send logger export declare local readonly read mkdir touch"
)
"""Programs whose words are only words."""
_RUN_VALUES = re.compile(
    r"(?:\w+_)?(?:PAGER|EDITOR)|VISUAL|BROWSER|PROMPT_COMMAND|LESSOPEN|GIT_(?:SSH_COMMAND|EXTERNAL_DIFF)"
)
"""Variables whose values are run as commands."""
_SED_ACTS = re.compile(
    r"(?:^|[;{}\n])\s*(?:\d+|\$|/[^/]*/)?(?:,(?:\d+|\$))?\s*[we]\s"  # w FILE, e COMMAND
    r"|s([/|,#])(?:(?!\1).)*\1(?:(?!\1).)*\1\w*[we](?:\s|$)"  # s/a/b/w FILE, s/a/b/e
)
"""Commands of sed that write files or run commands."""
_ONLY_LOOKS = {("crontab", "-l"), ("kill", "-l"), ("kill", "-0"), ("mount", "")}
"""Programs of these lists that do no harm when their first word is this one; the empty one: none."""
_RESTARTS = _names(
    "reboot shutdown halt poweroff init telinit kill pkill killall killall5 skill xkill fuser systemd-run "
    "launchctl apachectl initctl loginctl"
)
_INSTALLS = _names(
    "npx bunx uvx pnpx dpkg rpm easy_install installer opkg emerge nix-env nix-channel make-install cpan "
    "cpanm apt-key add-apt-repository update-alternatives ldconfig depmod modprobe insmod rmmod"
)
_NETWORK = _names(
    "curl wget ssh scp sftp rsync ftp telnet nc ncat netcat socat ping dig host nslookup aria2c http https "
    "gh aws gcloud gsutil az kubectl helm rclone"
)

_VALUE_OPTIONS: dict[str, frozenset[str]] = {
    "git": _names("-C -c --git-dir --work-tree --namespace --exec-path --config-env"),
    "docker": _names("-H --host -c --context --config -l --log-level -f --file -p --project-name"),
    "kubectl": _names("-n --namespace --context --kubeconfig --cluster --user -s --server"),
    "npm": _names("--prefix -C -w --workspace --registry"),
    "yarn": _names("--cwd"),
    "pnpm": _names("-C --dir --filter -F"),
    "pip": _names("--python --proxy --log --timeout --retries --cache-dir --cert"),
    "uv": _names("--directory --project --python -p --cache-dir --config-file"),
    "apt": _names("-o -c -t --option --target-release"),
    "systemctl": _names("-H --host -M --machine -t --type"),
    "cargo": _names("--config -Z -C --color"),
    "conda": _names("-n --name -p --prefix"),
    "make": _names("-C -f -j -I -o -W --directory --file"),
}
"""Options before a subcommand that take the next word as their value."""

_PACKAGES = _names("install uninstall remove add update upgrade purge autoremove reinstall")
_SUBCOMMANDS: dict[Effect, dict[str, frozenset[str]]] = {
    "install": {
        "pip": _PACKAGES | _names("sync"),
        "pipx": _PACKAGES | _names("run inject uninject upgrade-all uninstall-all ensurepath"),
        "uv": _names("add remove sync tool python self venv"),
        "conda": _PACKAGES | _names("create clean env rename"),
        "apt": _PACKAGES | _names("full-upgrade dist-upgrade clean autoclean build-dep edit-sources"),
        "dnf": _PACKAGES | _names("group groupinstall erase downgrade swap autoremove"),
        "zypper": _PACKAGES | _names("in rm up dup"),
        "apk": _names("add del upgrade fix"),
        "brew": _PACKAGES | _names("tap untap link unlink cask cleanup bundle"),
        "port": _PACKAGES,
        "snap": _PACKAGES | _names("refresh revert"),
        "flatpak": _PACKAGES,
        "npm": _PACKAGES
        | _names(
            "i in ci un rm r up unlink link ln exec x init create install-test it audit dedupe prune "
            "rebuild publish unpublish"
        ),
        "yarn": _PACKAGES | _names("dlx up link unlink global create publish") | {""},
        "pnpm": _PACKAGES | _names("i rm un up dlx exec link prune create publish"),
        "bun": _PACKAGES | _names("i a rm x link create"),
        "cargo": _names("install uninstall add remove update publish yank"),
        "gem": _PACKAGES | _names("cleanup push yank"),
        "go": _names("install get"),
        "rustup": _PACKAGES | _names("default toolchain target component self"),
        "poetry": _PACKAGES | _names("self lock sync publish"),
        "pdm": _PACKAGES | _names("sync publish"),
        "pipenv": _PACKAGES | _names("sync clean lock"),
        "pixi": _PACKAGES | _names("global self-update clean"),
        "rye": _PACKAGES | _names("sync self toolchain"),
        "helm": _PACKAGES | _names("rollback"),
        "playwright": _names("install install-deps uninstall"),
        "jupyter": _names("labextension nbextension serverextension kernelspec"),
        "make": _names("install uninstall"),
        "twine": _names("upload"),
    },
    "restart": {
        "supervisorctl": _names("restart stop start reload shutdown update signal"),
        "pm2": _names("restart stop reload kill delete"),
        "docker": _names("restart stop kill pause"),
        "tmux": _names("kill-server kill-session kill-window kill-pane"),
    },
    "delete": {
        "docker": _names("rm rmi prune system volume image container network builder"),
        "kubectl": _names("delete drain apply replace patch scale rollout edit cordon"),
        "terraform": _names("destroy apply import state taint"),
        "rclone": _names("delete deletefile purge sync move moveto rmdir rmdirs cleanup"),
        "make": _names("clean distclean mrproper"),
        **dict.fromkeys(("cargo", "go", "mvn", "gradle", "gradlew", "bazel"), _names("clean")),
        "hg": _names("purge revert strip"),
        "svn": _names("revert cleanup"),
        "dvc": _names("gc remove destroy"),
        "git-lfs": _names("prune"),
        "alembic": _names("downgrade"),
        "redis-cli": _names("flushall flushdb del"),
        "dolt": _names("reset clean"),
    },
}
"""First words after a program that make it install, restart or delete something."""
_HARMLESS_THEN: dict[tuple[str, str], frozenset[str]] = {
    ("docker", "image"): _names("ls list inspect history"),
    ("docker", "container"): _names("ls list inspect logs stats top port diff"),
    ("docker", "volume"): _names("ls list inspect create"),
    ("docker", "network"): _names("ls list inspect create"),
    ("docker", "system"): _names("df info events"),
    ("docker", "builder"): _names("build du ls"),
    ("terraform", "state"): _names("list show"),
    ("kubectl", "rollout"): _names("status history"),
    ("conda", "env"): _names("list export"),
    ("uv", "tool"): _names("list dir"),
    ("uv", "python"): _names("list find dir"),
    ("rustup", "toolchain"): _names("list"),
    ("rustup", "target"): _names("list"),
    ("rustup", "component"): _names("list"),
    ("jupyter", "labextension"): _names("list check"),
    ("jupyter", "kernelspec"): _names("list"),
    ("poetry", "self"): _names("show"),
    ("npm", "audit"): frozenset({""}),
}
"""Second words that make such a first word harmless after all; the empty one: none follows."""

_FAMILIES = {
    "apt-get": "apt", "aptitude": "apt", "yum": "dnf", "microdnf": "dnf", "mamba": "conda",
    "micromamba": "conda", "podman": "docker", "nerdctl": "docker", "tofu": "terraform", "oc": "kubectl",
    "gmake": "make", "docker-compose": "docker",
}  # fmt: skip

_SAFE_TARGETS = re.compile(r"/dev/(null|stdout|stderr|tty|full|fd/\d+)")


def effects_of(command: str, cwd: str | os.PathLike[str] = ".") -> Effects:
    """Return what a shell command may do: any of `install`, `restart`, `delete` and `network`.

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

    def _command(self, command: Command) -> set[Effect]:
        found: set[Effect] = set()
        if any(self._overwrites(word) for word in command.writes):
            found.add("delete")
        self.written |= {os.path.normpath(word.text) for word in command.writes}
        words = list(command.words)
        while words and not words[0].dynamic and words[0].text in _KEYWORDS | _CLOSING:
            if words.pop(0).text == "function":
                words = words[1:]
        if words and words[0].text in ("for", "select", "case", "in"):
            return found
        return found | self._words(words, piped=command.piped)

    def _words(self, words: Sequence[Word], *, piped: bool = False) -> set[Effect]:
        words = list(words)
        found: set[Effect] = set()
        while words and re.match(r"\w+\+?=", words[0].text):
            name, _, value = words[0].text.partition("=")
            if name in ("LD_PRELOAD", "PATH", "BASH_ENV", "IFS"):
                return set(UNREADABLE)  # the names that follow may mean anything
            if _RUN_VALUES.fullmatch(name):
                found |= _Judge(self.cwd or Path("."), self.depth + 1).line(value)
            words.pop(0)
        if not words:
            return found
        if words[0].dynamic:
            return set(UNREADABLE)
        program, arguments = os.path.basename(words[0].text), words[1:]
        if "/" in words[0].text and os.path.normpath(words[0].text) in self.written:
            return {"install"}
        if program in _WRAPPERS:
            return found | self._wrapped(program, arguments, piped=piped)
        if program in _NETWORK:
            found.add("network")
        special = _SPECIAL.get(program) or _SPECIAL.get(_family(program))
        if special is not None:
            found |= special(self, arguments)
        if _family(program) in _SHELLS:
            found |= self._shell(arguments, piped=piped)
        found |= self._inline(_family(program), arguments, piped=piped)
        found |= self._tables(program, arguments)
        judged = (_SPECIAL, _INLINE, _SQL, _TEXT_TAKERS, _VALUE_OPTIONS)
        if not any(_family(program) in table for table in judged):
            found |= self._run_by_another(arguments)
        return found

    def _run_by_another(self, arguments: Sequence[Word]) -> set[Effect]:
        """Judge what a program nothing is known of may run: commands among its words."""
        found: set[Effect] = set()
        for at, word in enumerate(arguments):
            first, _, more = word.text.lstrip().partition(" ")
            name = os.path.basename(first)
            if word.dynamic or name not in _PLAIN_DELETES | _SHELLS | _WRAPPERS.keys():
                continue
            if more:
                found |= _Judge(self.cwd or Path("."), self.depth + 1).line(word.text)
            else:
                found |= self._words(arguments[at:])
        return found

    def _tables(self, program: str, arguments: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        if (program, _first(arguments)) in _ONLY_LOOKS:
            return found
        if program in _DELETES or program.startswith(("mkfs.", "fsck.")):
            found.add("delete")
        if program in _RESTARTS:
            found.add("restart")
        if program in _INSTALLS and not (program == "dpkg" and _first(arguments) in ("-l", "-L", "-s", "-S")):
            found.add("install")
        family = _family(program)
        operands = _operands(family, arguments)
        first = operands[0].text if operands else ""
        second = operands[1].text if len(operands) > 1 else ""
        if operands and operands[0].dynamic and any(family in table for table in _SUBCOMMANDS.values()):
            return {*found, "delete"}
        for effect, table in _SUBCOMMANDS.items():
            if first in table.get(family, ()) and second not in _HARMLESS_THEN.get(
                (family, first), _names("")
            ):
                found.add(effect)
        return found

    def _wrapped(self, program: str, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        rest = list(arguments)
        takes_value = _WRAPPERS[program]
        while rest and rest[0].text.startswith("-"):
            option = rest.pop(0).text
            if option == "--":
                break
            if program == "env" and option.startswith(("-S", "--split-string")):
                return set(UNREADABLE)
            if program == "command" and option in ("-v", "-V"):
                return set()
            short = re.fullmatch(r"-(\w)", option)
            if (short and short[1] in takes_value) or option in _WRAPPER_LONG_VALUES:
                rest = rest[1:]
        rest = rest[_WRAPPER_OPERANDS.get(program, 0) :]
        if program == "watch" or (program == "flock" and rest and rest[0].text == "-c"):
            text = " ".join(word.text for word in rest if word.text != "-c")
            return set(_Judge(self.cwd or Path("."), self.depth + 1).line(text))
        return self._words(rest, piped=piped and program != "xargs")

    def _shell(self, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        rest = list(arguments)
        while rest and rest[0].text.startswith(("-", "+")):
            option = rest.pop(0)
            if option.text == "-s":
                return {"install"}
            if re.fullmatch(r"-\w*c", option.text):
                if not rest or rest[0].dynamic:
                    return set(UNREADABLE)
                return set(_Judge(self.cwd or Path("."), self.depth + 1).line(rest[0].text))
            if option.text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
                rest = rest[1:]
        if rest:
            return self._script(rest[0])
        return {"install"} if piped else set()  # `curl ... | sh`

    def _inline(self, program: str, arguments: Sequence[Word], *, piped: bool) -> set[Effect]:
        if program in _SQL:
            deletes = piped or any(_SQL_DELETES.search(word.text) for word in arguments)
            return {"delete"} if deletes else set()
        options = _INLINE.get(program)
        if options is None:
            return set()
        for option, code in pairwise(arguments):
            if option.text == "-m" and program in ("python", "pypy"):
                return self._words([Word(code.text), *arguments[2:]])
            if re.fullmatch(rf"-\w*[{options}]|--eval|--print", option.text):
                return {"delete"} if code.dynamic or _INLINE_DELETES.search(code.text) else set()
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
        if _SAFE_TARGETS.fullmatch(word.text):
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
        return set(_Judge(self.cwd or Path("."), self.depth + 1).line(text))

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
            re.match(r"-\w*i|--in-place", word.text) or _SED_ACTS.search(word.text) for word in arguments
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
        for option, value in pairwise(arguments):
            # `-c alias.x='!rm ...'`, `-c core.pager='rm x'` and their like run anything.
            _, _, setting = value.text.partition("=")
            if option.text == "-c" and (
                "!" in setting or _Judge(self.cwd or Path("."), self.depth + 1).line(setting) - {"network"}
            ):
                return set(UNREADABLE)
        operands = _operands("git", arguments)
        if not operands:
            return set()
        if operands[0].dynamic:
            return set(UNREADABLE)
        first = operands[0].text
        rest = list(arguments[arguments.index(operands[0]) + 1 :])
        names = [word.text for word in rest]
        found: set[Effect] = set()
        if first in ("clone", "fetch", "pull", "push", "ls-remote", "submodule"):
            found.add("network")
        if _git_deletes(first, names) or (first == "checkout" and self._names_file(rest)):
            found.add("delete")
        found |= self._run_by_git(first, rest)
        if any(word.dynamic for word in rest) and first in ("reset", "checkout", "push", "branch", "stash"):
            found.add("delete")
        return found

    def _run_by_git(self, first: str, rest: Sequence[Word]) -> set[Effect]:
        found: set[Effect] = set()
        for option, value in pairwise(rest):
            if (first, option.text) in (("bisect", "run"), ("submodule", "foreach")):
                found |= self._run_by_another(rest)
            elif option.text in ("-x", "--exec", "--extcmd") and first in ("rebase", "difftool"):
                found |= _Judge(self.cwd or Path("."), self.depth + 1).line(value.text)
            elif first == "config" and value.text.startswith("!"):
                found |= _Judge(self.cwd or Path("."), self.depth + 1).line(value.text[1:])
        if first in ("diff", "log", "show", "archive", "format-patch"):
            found |= self._output_option(rest)
        return found

    def _names_file(self, words: Sequence[Word]) -> bool:
        cwd = self.cwd
        return cwd is None or any(
            not word.text.startswith("-") and (cwd / word.text).exists() for word in words
        )

    def _download(self, arguments: Sequence[Word]) -> set[Effect]:
        for value in _values(arguments, "oO", ("--output", "--output-document")):
            self.written.add(os.path.normpath(value.text))
            if self._overwrites(value):
                return {"delete"}
        if any(re.match(r"-\w*O|--remote-name", word.text) for word in arguments) or not arguments[1:]:
            urls = [word.text for word in arguments if not word.text.startswith("-")]
            self.written |= {os.path.basename(url) for url in urls}
        methods = {"DELETE", "PUT", "PATCH"} & {word.text.upper().removeprefix("-X") for word in arguments}
        return {"delete"} if methods else set()

    def _dd(self, arguments: Sequence[Word]) -> set[Effect]:
        outputs = [word for word in arguments if word.text.startswith("of=")]
        lost = any(word.dynamic or self._overwrites(Word(word.text[3:])) for word in outputs)
        return {"delete"} if lost else set()

    def _awk(self, arguments: Sequence[Word]) -> set[Effect]:
        acts = re.compile(r"system\s*\(|\|\s*(getline|\")|print[^;}]*>")
        return {"delete"} if any(acts.search(word.text) for word in arguments) else set()

    def _tar(self, arguments: Sequence[Word]) -> set[Effect]:
        acts = (
            "--remove", "--checkpoint-action", "--to-command", "--use-compress", "--delete", "--rsh",
            "--overwrite", "--unlink-first", "--recursive-unlink",
        )  # fmt: skip
        creates = re.match(r"-?\w*c\w*f$", _first(arguments)) and len(arguments) > 1
        lost = bool(creates) and self._overwrites(arguments[1])
        return {"delete"} if lost or any(word.text.startswith(acts) for word in arguments) else set()

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

    def _output_option(self, arguments: Sequence[Word]) -> set[Effect]:
        lost = any(map(self._overwrites, _values(arguments, "o", ("--output",))))
        return {"delete"} if lost else set()

    def _forced(self, arguments: Sequence[Word]) -> set[Effect]:
        forced = any(re.match(r"-\w*f|--force|-aoa|-y$", word.text) for word in arguments)
        return {"delete"} if forced else set()

    def _editor(self, arguments: Sequence[Word]) -> set[Effect]:
        # Without these it waits for somebody who types.
        scripted = ("-c", "+", "-e", "-s", "-S", "--cmd", "--eval", "--batch", "--script", "-l")
        return {"delete"} if any(word.text.startswith(scripted) for word in arguments) else set()

    def _make(self, arguments: Sequence[Word]) -> set[Effect]:
        foreign = any(option.text == "-f" and value.text == "-" for option, value in pairwise(arguments))
        foreign = foreign or any(word.text.startswith(("--eval", "-f-")) for word in arguments)
        return set(UNREADABLE) if foreign else set()

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
        # What runs on another machine is judged like a line here, but there every file may exist.
        operands = [word for word in arguments if not word.text.startswith("-")]
        if any(word.dynamic for word in operands[1:]):
            return set(UNREADABLE)
        judge = _Judge(Path("."), self.depth + 1)
        judge.cwd = None
        return set(judge.line(" ".join(word.text for word in operands[1:])))

    def _option_c(self, arguments: Sequence[Word]) -> set[Effect]:
        for option, value in pairwise(arguments):
            if option.text in ("-c", "--command"):
                if value.dynamic:
                    return set(UNREADABLE)
                return set(_Judge(self.cwd or Path("."), self.depth + 1).line(value.text))
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
    "curl": _Judge._download,
    "wget": _Judge._download,
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
    "scp": _Judge._rsync,
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


def _git_deletes(first: str, names: Sequence[str]) -> bool:
    """Return whether this git command loses work that no ordinary git command brings back."""
    flags = set(names)
    if first in ("clean", "rm", "filter-branch", "filter-repo", "prune", "replace", "update-ref"):
        return not flags & {"-n", "--dry-run", "--cached"}
    if first == "reset":  # git takes any beginning of a long option for it
        return any(name.startswith(("--h", "--me", "--k")) for name in names)
    if first in ("merge", "rebase", "am", "cherry-pick", "revert"):
        return bool(flags & {"--abort", "--skip"})
    if first in ("mv", "checkout-index"):
        return bool(flags & {"-f", "--force"})
    if first == "read-tree":
        return "--reset" in flags
    if first == "checkout":
        return bool(flags & {"--", ".", "-f", "--force", "-B", "--ours", "--theirs", "-p", "--patch"})
    if first == "restore":
        return not (flags & {"--staged", "-S"} and not flags & {"--worktree", "-W"})
    if first == "switch":
        return bool(flags & {"-f", "--force", "--discard-changes", "-C"})
    if first == "push":
        return any(
            name.startswith(("--force", "--delete", "--mirror", "--prune", "+", ":"))
            or re.fullmatch(r"-\w*[fd]\w*", name)
            for name in names
        )
    if first == "branch":
        return any(re.fullmatch(r"-\w*[dDMfC]\w*|--delete|--force", name) for name in names)
    if first == "tag":
        return bool(flags & {"-d", "--delete", "-f", "--force"})
    if first == "stash":
        return bool(flags & {"drop", "clear"})
    if first in ("worktree", "remote", "submodule"):
        return bool(flags & {"remove", "rm", "prune", "deinit"})
    if first == "reflog":
        return bool(flags & {"expire", "delete"})
    return first == "gc" and any(name.startswith("--prune") for name in names)


def _family(program: str) -> str:
    """Return the name whose rules hold for a program: `pip3.11` is `pip`, `apt-get` is `apt`."""
    bare = program if program in _SQL else re.sub(r"[\d.]+$", "", program) or program
    return _FAMILIES.get(bare, bare)


def _operands(family: str, arguments: Sequence[Word]) -> list[Word]:
    """Return the words of a command that are no options, nor values of options."""
    takes_value = _VALUE_OPTIONS.get(family, frozenset())
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
        if name in names:
            yield Word(given, option.dynamic) if equals else value
        elif match := re.fullmatch(rf"-\w*?[{letters}](.*)", option.text):
            yield Word(match[1], option.dynamic) if match[1] else value


def _first(arguments: Sequence[Word]) -> str:
    return arguments[0].text if arguments else ""
