"""What Python code would do beyond the notebook, read from its text: so that a slip of the tongue asks first.

Finds what is handed to a shell, what ends the kernel or another process, and what is deleted for good, as
far as it is called by its name. Code can hide what it does: this is no sandbox, and none is needed where a
person types into the same kernel.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from voice_kernel.toolbox.registry import Effect, Effects
from voice_kernel.tools.commandline import effects_of

EXECUTE: Effects = frozenset({"execute"})
SHELL: Effects = frozenset({"execute", "shell"})
MAX_DEPTH = 5
"""Of code inside of strings inside of code."""

_ENDS = frozenset(
    [
        *("exit", "quit", "_exit", "os._exit", "posix._exit", "os.abort", "os.kill", "os.killpg"),
        *(f"os.exec{suffix}" for suffix in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
        "signal.raise_signal",
    ]
)
"""Calls that end the kernel, or something else that runs."""
_ENDING_METHODS = frozenset(["ask_exit", "do_shutdown"])
_DELETES = frozenset(
    ["os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree", "globals().clear"]
)
"""Calls that delete what undo cannot bring back."""
_DELETING_METHODS = frozenset(["unlink", "rmdir", "rmtree"])
_SHELLS = frozenset(["get_ipython()", "ip", "ipython", "shell"])

_TIMED = re.compile(r"^(\s*)%{1,2}(?:time|timeit|prun|lprun|memit|mprun)\b[ \t]*((?:-\S+[ \t]+)*)")
_ESCAPED = re.compile(r"^(\s*)(?:[%!?].*|[^#\n]*\?\s*)$")
_ASSIGNED = re.compile(r"^(\s*[\w, .\[\]'\"]+=\s*)[%!].*$")
_CALLED = re.compile(r"^(\s*)[/,;]\s*(\w+)\b.*$")
"""IPython's autocall: `/exit` is `exit()`."""
_MAGIC = re.compile(r"^\s*(%{0,2})(\w+)\b(?!\s*[=.(,\[])[ \t]*(.*)$")
_SESSION = re.compile(r"voice_kernel\b")
_FORGETS = re.compile(r"(?:^|\s)-[zd]\b")
_LAST_RESORT = re.compile(r"\b(?:exit|quit|_exit)\s*\(|^\s*(?:exit|quit)\s*$", re.MULTILINE)

_CELL_SHELLS = "bash|sh|script|system|sx|!|perl|ruby|python|python2|python3|pypy|cmd"
_ALIASES = "rm|rmdir|mv|cp|mkdir|ls|ll|lf|lk|ldir|lx|cat|less|more|man|pip|conda|mamba|micromamba|uv"
"""Commands that IPython has as magics, which need no `%` where the line is no Python."""
_ESCAPE = re.compile(
    r"^\s*(?:%(?:time|timeit|prun)\s+(?:-\S+\s+)*)?"
    r"(?:[\w, .\[\]'\"]+=\s*)?"
    r"(?:!!?(?P<bang>.*)"
    rf"|%%(?:{_CELL_SHELLS})\b(?P<cell>.*)"
    r"|%(?:sx|system)\b(?P<system>.*)"
    rf"|%?(?P<alias>(?:{_ALIASES})\b(?!\s*[=.(,]).*))"
)
_HIDDEN = re.compile(r"\.\s*(system|getoutput|system_raw|run_cell_magic|run_line_magic)\s*\(")


def effects_of_source(code: str, cwd: Path | None = None) -> Effects:
    """Return what code may do: run in the kernel and, beyond that, what it says it does.

    Args:
        code: as in a notebook cell, with magics and shell escapes.
        cwd: the folder it would run in, to see whether a file would be overwritten; the current one if
            absent.
    """
    commands = shell_commands(code)
    effects = EXECUTE if not commands else SHELL | effects_of("\n".join(commands))
    return effects | _of_python(code, 0) | _of_magics(code, cwd or Path())


# ---- Python -----------------------------------------------------------------------------------------


def _of_python(code: str, depth: int) -> set[Effect]:
    tree = _parsed(code) or _parsed(_without_escapes(code))
    if tree is None:
        return {"restart"} if _LAST_RESORT.search(code) else set()
    names = _imported(tree)
    found: set[Effect] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Name):
            # IPython calls these two for whoever only names them.
            found |= {"restart"} if node.value.id in ("exit", "quit") else set()
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func, names)
        owner, _, method = name.rpartition(".")
        if name in _ENDS or method in _ENDING_METHODS:
            found.add("restart")
        if name in _DELETES or method in _DELETING_METHODS or (method == "reset" and owner in _SHELLS):
            found.add("delete")
        if name in ("exec", "eval") and node.args and depth < MAX_DEPTH:
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found |= _of_python(text.value, depth + 1)
    return found


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what names stand for that the code itself imports."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Return what is called as one name, `os._exit`; a part that has none is `()` or empty."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    if isinstance(node, ast.Call):
        called = _dotted(node.func, names)
        module = node.args[0] if called == "__import__" and node.args else None
        return str(module.value) if isinstance(module, ast.Constant) else f"{called}()"
    return ""


def _without_escapes(code: str) -> str:
    """Return code without what only IPython understands; what a magic measures is kept."""
    lines = []
    for line in code.splitlines():
        text = _TIMED.sub(r"\1", line, count=1)
        text = _ASSIGNED.sub(r"\1None", text)
        text = _CALLED.sub(r"\1\2()", text)
        text = _ESCAPED.sub(r"\1pass", text)
        lines.append(text if text.strip() or not line.strip() else "pass")
    return "\n".join(lines)


# ---- magics -----------------------------------------------------------------------------------------


def _of_magics(code: str, cwd: Path) -> set[Effect]:
    found: set[Effect] = set()
    escaped = _parsed(code) is None
    for line in code.splitlines():
        match = _MAGIC.match(line)
        if match is None or (match[1] and not escaped):  # a `%` of Python's own, or in a string
            continue
        cell, name, rest = match[1] == "%%", match[2], match[3]
        if name == "killbgscripts" or (name in ("unload_ext", "reload_ext") and _SESSION.match(rest)):
            found.add("restart")
        elif (
            name in ("reset", "reset_selective")
            or (name == "store" and _FORGETS.search(rest))
            or (cell and name in ("writefile", "file") and _overwrites(rest, cwd))
        ):
            found.add("delete")
    return found


def _overwrites(rest: str, cwd: Path) -> bool:
    words = rest.split()
    if "-a" in words or "--append" in words or not words:
        return False
    try:
        return (cwd / Path(words[-1].strip("'\"")).expanduser()).exists()
    except (OSError, RuntimeError, ValueError):
        return True  # a name that cannot be looked at


# ---- shell escapes ----------------------------------------------------------------------------------


def shell_commands(code: str) -> list[str]:
    """Return the commands that code hands to a shell through IPython's escapes."""
    commands = [match[0] for match in _HIDDEN.finditer(code) if "get_ipython" in code or "ip." in code]
    if commands:  # what it runs is hidden in an expression
        return ["$(hidden)"]
    if _parsed(code) is not None:
        return []
    lines = code.splitlines()
    for number, line in enumerate(lines):
        match = _ESCAPE.match(line)
        if match is None:
            continue
        if match["cell"] is not None:
            commands.append("\n".join(lines[number + 1 :]))
            break
        commands.append(match["bang"] or match["system"] or match["alias"] or "")
    return [re.sub(r"\{[^{}]*\}", "$value", command) for command in commands]
