"""What is known of command line programs, as tables: which delete, install, restart, run others.

Names and options only; how a line is read with them is commandline's part.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice_kernel.toolbox.registry import Effect


def names(text: str) -> frozenset[str]:
    """Return the words of a text, as a set."""
    return frozenset(text.split())


KEYWORDS = names("if then elif else while until do ! { time coproc function")
CLOSING = names("fi done esac } ;;")

SHELLS = names("sh bash dash zsh ksh fish ash csh tcsh")
INLINE = {
    **dict.fromkeys(("python", "pypy", "ipython"), "c"),
    **dict.fromkeys(("perl", "julia"), "eE"),
    **dict.fromkeys(("ruby", "lua", "R", "Rscript"), "e"),
    **dict.fromkeys(("node", "nodejs"), "ep"),
    "php": "r",
}
"""Interpreters and the short options after which code follows."""
INLINE_DELETES = re.compile(
    r"rmtree|unlink|rmdir|remove|delete|truncate|rename|replace\(|rmSync"
    r"|open\([^)]*['\"][wx]|writeFile|write_text|write_bytes|shutil|kill|install|\brm\b",
    re.IGNORECASE,
)
INLINE_RUNS = re.compile(
    r"system|popen|spawn|exec|subprocess|`|%x|getattr|eval\(|__import__|importlib|decode\(|ctypes",
    re.IGNORECASE,
)
"""Code that runs other programs, or hides what it does."""
SQL = names("psql mysql mariadb sqlite3 duckdb clickhouse-client")
SQL_RUNS = re.compile(r"\\!|\\[io] |\.(?:shell|system|read|load)\b|\bprogram\b|\bsystem\b", re.IGNORECASE)
"""What leads out of the database, or into a file."""
SQL_DELETES = re.compile(r"\b(drop|delete|truncate|alter|update|replace)\b", re.IGNORECASE)

WRAPPERS: dict[str, str] = {
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
PARALLEL_VALUES = names(
    "-j -n -N -S -a -P -d --jobs --max-procs --arg-file --joblog --delay --timeout --colsep"
)
WRAPPER_OPERANDS = {"timeout": 1, "chroot": 1, "flock": 1}
"""Words of their own before that command."""
WRAPPER_LONG_VALUES = names(
    "--user --group --prompt --chdir --unset --signal --kill-after --max-args --max-procs --replace "
    "--delimiter --arg-file --adjustment --interval --host --jobs"
)

DELETES = names(
    "rm rmdir unlink shred truncate wipe srm trash trash-put del erase mkfs mkswap fdisk sfdisk gdisk "
    "parted wipefs blkdiscard lvremove vgremove pvremove userdel groupdel deluser delgroup dropdb dropuser "
    "visudo passwd chpasswd crontab fallocate rename prename cryptsetup losetup mount umount"
)
PLAIN_DELETES = names("rm rmdir unlink shred truncate srm")
"""Those that are hardly ever a mere word: found behind another program, they are what it runs."""
TEXT_TAKERS = names(
    "echo printf grep egrep fgrep zgrep rg ag ack man info help type which whereis whatis apropos tldr ls cd "
    "cat test [ [[ expr pytest py.test notify-send logger export declare local readonly read mkdir touch"
)
"""Programs whose words are only words."""
ASSIGNMENT = re.compile(r"\w+\+?=")
RUN_VALUES = re.compile(
    r"(?:\w+_)?(?:PAGER|EDITOR|ASKPASS|RSH)|VISUAL|BROWSER|PROMPT_COMMAND|LESSOPEN|LESSCLOSE|PS4"
    r"|GIT_(?:SSH|SSH_COMMAND|EXTERNAL_DIFF|PROXY_COMMAND)|FZF_DEFAULT_COMMAND"
)
"""Variables whose values are run as commands."""
REDEFINING = re.compile(
    r"LD_(?:PRELOAD|AUDIT)|DYLD_INSERT_LIBRARIES|PATH|BASH_ENV|IFS|SHELL|GIT_CONFIG\w*|GIT_EXEC_PATH"
    r"|PERL5OPT|PYTHONHOME|TAR_OPTIONS"
)
"""Variables that make other programs of the names that follow, or have them run something first."""
SED_ACTS = re.compile(
    r"(?:^|[;{}\n])\s*(?:\d+|\$|/[^/]*/)?(?:,(?:\d+|\$))?\s*[we]\s"  # w FILE, e COMMAND
    r"|s([/|,#])(?:(?!\1).)*\1(?:(?!\1).)*\1\w*[we](?:\s|$)"  # s/a/b/w FILE, s/a/b/e
)
"""Commands of sed that write files or run commands."""
AWK_RUNS = re.compile(r"system\s*\(|\|&?\s*getline|\bprintf?\b[^;}\n]*\|")
AWK_TEXTS = re.compile(
    r"""system\s*\(\s*"((?:[^"\\]|\\.)*)"\s*\)|"((?:[^"\\]|\\.)*)"\s*\|&?\s*getline"""
    r"""|\|&?\s*"((?:[^"\\]|\\.)*)"\s*(?=[;}\n]|$)"""
)
"""The same where the command stands there as a plain text."""
AWK_WRITES = re.compile(r"""\bprintf?\b[^;}>\n|]*>(?!>|=)\s*(?:"([^"]*)"\s*(?=[;}\n]|$))?""")
WRITE_LAST_WORD = names("ffmpeg convert magick mogrify cwebp dwebp gs uniq pdftotext")
"""Programs that write the file their last word names, over whatever it held."""
WRITE_OPTION = names(
    "pandoc gpg openssl jupyter-nbconvert typst dot plantuml wkhtmltopdf inkscape protoc qpdf csvjoin "
    "csvstack yt-dlp prettier dvisvgm graph-easy"
)
"""Programs that write the file an option names, over whatever it held. What a compiler makes can be made
again."""
TAR_DELETES = ("--remove", "--delete", "--overwrite", "--unlink-first", "--recursive-unlink")
SSH_RUN_SETTINGS = names(
    "proxycommand localcommand remotecommand knownhostscommand authorizedkeyscommand proxyusefdpass "
    "pkcs11provider securitykeyprovider xauthlocation"
)
RUN_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "rg": ("", ("--pre", "--hostname-bin")),
    "man": ("PH", ("--pager", "--html")),
    "sort": ("", ("--compress-program",)),
    "split": ("", ("--filter",)),
    "zip": ("", ("--unzip-command", "-TT")),
    "tar": ("IF", ("--use-compress-program", "--to-command", "--rsh-command", "--info-script")),
    "bsdtar": ("", ("--use-compress-program",)),
    "rsync": ("e", ("--rsh",)),
    "scp": ("SD", ()),
    "sftp": ("SD", ()),
    "wget": ("", ("--use-askpass", "--execute")),
    "tcpdump": ("z", ()),
    "fzf": ("", ("--preview", "--bind")),
    "gcc": ("", ("-wrapper",)),
    "hyperfine": ("psCc", ("--prepare", "--setup", "--cleanup", "--conclude")),
    "gdb": ("", ("-ex", "--eval-command", "-iex", "-x", "--command")),
    "entr": ("s", ()),
    "nodemon": ("x", ("--exec",)),
    "ip": ("", ("-batch",)),
}
"""Programs with options whose values are run as commands: the short ones, the long ones."""
RUN_OPTION = re.compile(r"--?(?:[\w-]+-)?(?:command|cmd|exec|execute|pager|rsh|wrap|wrapper|shell-command)")
"""What such an option is called elsewhere."""
GIT_RUN_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "grep": ("O", ("--open-files-in-pager",)),
    "rebase": ("x", ("--exec",)),
    "difftool": ("x", ("--extcmd",)),
    "clone": ("u", ("--upload-pack",)),
    "fetch": ("", ("--upload-pack",)),
    "pull": ("", ("--upload-pack",)),
    "ls-remote": ("", ("--upload-pack", "--exec")),
    "fetch-pack": ("", ("--upload-pack", "--exec")),
    "push": ("", ("--receive-pack", "--exec")),
    "archive": ("", ("--exec",)),
    "send-email": ("", ("--sendmail-cmd", "--to-cmd", "--cc-cmd", "--smtp-server")),
}
ONLY_LOOKS = {("crontab", "-l"), ("kill", "-l"), ("kill", "-0"), ("mount", "")}
"""Programs of these lists that do no harm when their first word is this one; the empty one: none."""
RESTARTS = names(
    "reboot shutdown halt poweroff init telinit kill pkill killall killall5 skill xkill fuser systemd-run "
    "launchctl apachectl initctl loginctl"
)
INSTALLS = names(
    "npx bunx uvx pnpx dpkg rpm easy_install installer opkg emerge nix-env nix-channel make-install cpan "
    "cpanm apt-key add-apt-repository update-alternatives ldconfig depmod modprobe insmod rmmod"
)
NETWORK = names(
    "curl wget ssh scp sftp rsync ftp telnet nc ncat netcat socat ping dig host nslookup aria2c http https "
    "gh aws gcloud gsutil az kubectl helm rclone"
)

VALUE_OPTIONS: dict[str, frozenset[str]] = {
    "git": names("-C -c --git-dir --work-tree --namespace --exec-path --config-env"),
    "docker": names("-H --host -c --context --config -l --log-level -f --file -p --project-name"),
    "kubectl": names("-n --namespace --context --kubeconfig --cluster --user -s --server"),
    "npm": names("--prefix -C -w --workspace --registry"),
    "yarn": names("--cwd"),
    "pnpm": names("-C --dir --filter -F"),
    "pip": names("--python --proxy --log --timeout --retries --cache-dir --cert"),
    "uv": names("--directory --project --python -p --cache-dir --config-file"),
    "apt": names("-o -c -t --option --target-release"),
    "systemctl": names("-H --host -M --machine -t --type"),
    "cargo": names("--config -Z -C --color"),
    "conda": names("-n --name -p --prefix"),
    "make": names("-C -f -j -I -o -W --directory --file"),
}
"""Options before a subcommand that take the next word as their value."""

PACKAGES = names("install uninstall remove add update upgrade purge autoremove reinstall")
SUBCOMMANDS: dict[Effect, dict[str, frozenset[str]]] = {
    "install": {
        "pip": PACKAGES | names("sync"),
        "pipx": PACKAGES | names("run inject uninject upgrade-all uninstall-all ensurepath"),
        "uv": names("add remove sync tool python self venv"),
        "conda": PACKAGES | names("create clean env rename"),
        "apt": PACKAGES | names("full-upgrade dist-upgrade clean autoclean build-dep edit-sources"),
        "dnf": PACKAGES | names("group groupinstall erase downgrade swap autoremove"),
        "zypper": PACKAGES | names("in rm up dup"),
        "apk": names("add del upgrade fix"),
        "brew": PACKAGES | names("tap untap link unlink cask cleanup bundle"),
        "port": PACKAGES,
        "snap": PACKAGES | names("refresh revert"),
        "flatpak": PACKAGES,
        "npm": PACKAGES
        | names(
            "i in ci un rm r up unlink link ln exec x init create install-test it audit dedupe prune "
            "rebuild publish unpublish"
        ),
        "yarn": PACKAGES | names("dlx up link unlink global create publish") | {""},
        "pnpm": PACKAGES | names("i rm un up dlx exec link prune create publish"),
        "bun": PACKAGES | names("i a rm x link create"),
        "cargo": names("install uninstall add remove update publish yank"),
        "gem": PACKAGES | names("cleanup push yank"),
        "go": names("install get"),
        "rustup": PACKAGES | names("default toolchain target component self"),
        "poetry": PACKAGES | names("self lock sync publish"),
        "pdm": PACKAGES | names("sync publish"),
        "pipenv": PACKAGES | names("sync clean lock"),
        "pixi": PACKAGES | names("global self-update clean"),
        "rye": PACKAGES | names("sync self toolchain"),
        "helm": PACKAGES | names("rollback"),
        "playwright": names("install install-deps uninstall"),
        "jupyter": names("labextension nbextension serverextension kernelspec"),
        "make": names("install uninstall"),
        "twine": names("upload"),
    },
    "restart": {
        "supervisorctl": names("restart stop start reload shutdown update signal"),
        "pm2": names("restart stop reload kill delete"),
        "docker": names("restart stop kill pause"),
        "tmux": names("kill-server kill-session kill-window kill-pane"),
    },
    "delete": {
        "docker": names("rm rmi prune system volume image container network builder"),
        "kubectl": names("delete drain apply replace patch scale rollout edit cordon"),
        "terraform": names("destroy apply import state taint"),
        "rclone": names("delete deletefile purge sync move moveto rmdir rmdirs cleanup"),
        "make": names("clean distclean mrproper"),
        **dict.fromkeys(("cargo", "go", "mvn", "gradle", "gradlew", "bazel"), names("clean")),
        "hg": names("purge revert strip"),
        "svn": names("revert cleanup"),
        "dvc": names("gc remove destroy"),
        "git-lfs": names("prune"),
        "alembic": names("downgrade"),
        "redis-cli": names("flushall flushdb del"),
        "dolt": names("reset clean"),
    },
}
"""First words after a program that make it install, restart or delete something."""
HARMLESS_THEN: dict[tuple[str, str], frozenset[str]] = {
    ("docker", "image"): names("ls list inspect history"),
    ("docker", "container"): names("ls list inspect logs stats top port diff"),
    ("docker", "volume"): names("ls list inspect create"),
    ("docker", "network"): names("ls list inspect create"),
    ("docker", "system"): names("df info events"),
    ("docker", "builder"): names("build du ls"),
    ("terraform", "state"): names("list show"),
    ("kubectl", "rollout"): names("status history"),
    ("conda", "env"): names("list export"),
    ("uv", "tool"): names("list dir"),
    ("uv", "python"): names("list find dir"),
    ("rustup", "toolchain"): names("list"),
    ("rustup", "target"): names("list"),
    ("rustup", "component"): names("list"),
    ("jupyter", "labextension"): names("list check"),
    ("jupyter", "kernelspec"): names("list"),
    ("poetry", "self"): names("show"),
    ("npm", "audit"): frozenset({""}),
}
"""Second words that make such a first word harmless after all; the empty one: none follows."""

FAMILIES = {
    "apt-get": "apt", "aptitude": "apt", "yum": "dnf", "microdnf": "dnf", "mamba": "conda",
    "micromamba": "conda", "podman": "docker", "nerdctl": "docker", "tofu": "terraform", "oc": "kubectl",
    "gmake": "make", "docker-compose": "docker",
}  # fmt: skip

SAFE_TARGETS = re.compile(r"/dev/(null|stdout|stderr|tty|full|fd/\d+)")

RUN_BY_OTHERS = (
    PLAIN_DELETES
    | SHELLS
    | WRAPPERS.keys()
    | INLINE.keys()
    | (SUBCOMMANDS["install"].keys() - names("go make port snap bun rye"))
    | (INSTALLS - names("installer"))
    | names("git docker podman kubectl terraform dd rsync systemctl crontab cp mv tee sed awk tar curl wget")
)
"""Names that are hardly ever mere words: behind a program nothing is known of, they are what it runs."""


def git_deletes(first: str, names: Sequence[str]) -> bool:
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
