"""Which tests what changed since the last commit may concern: read from git and from `import` statements.

It knows what a module imports in so many words, at any distance. It does not know what is imported by a
name made at run time, nor which test reads which data file: what it could not place is told, not guessed.
"""

from __future__ import annotations

import ast
import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.task import process
from voice_kernel.tools.files import known_paths
from voice_kernel.tools.testing.project import MAX_PATHS, is_test_file, source_of

GIT_LIMIT_S = 30.0
MAX_GIT_BYTES = 4_000_000
MAX_MODULES = 5_000
"""Python files whose imports are read."""
ROOTS = ("", "src/", "lib/")
"""Folders of a project from which its modules are imported."""


@dataclass(frozen=True)
class Concerned:
    """What a change concerns."""

    tests: tuple[str, ...]
    """Test files, and folders whose conftest changed, as arguments for pytest."""
    changed: tuple[str, ...]
    """What changed and is still there, below the folder."""
    unplaced: tuple[str, ...]
    """Of these, what is no Python: no test was chosen by it."""


async def concerned(cwd: Path) -> Concerned:
    """Return the tests that what changed since the last commit concerns.

    Raises:
        ToolError: the folder is in no git repository, or has no commit, or git is not there.
    """
    changed = await changed_files(cwd)
    return await asyncio.to_thread(_concerned, cwd, changed)


async def changed_files(cwd: Path) -> list[str]:
    """Return the files below a folder that differ from the last commit, new ones too, deleted ones too.

    Raises:
        ToolError: see `concerned`.
    """
    # Names end in NUL: they may hold anything else.
    known = await _git(cwd, "diff", "--name-only", "--relative", "--no-renames", "-z", "HEAD")
    new = await _git(cwd, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({name for name in (known + new).split("\0") if name})


async def _git(cwd: Path, *arguments: str) -> str:
    said = bytearray()

    def take(data: bytes) -> None:
        if len(said) < MAX_GIT_BYTES:
            said.extend(data)

    exit_ = await process.run(
        ["git", *arguments], cwd=cwd, on_output=take, timeout_s=GIT_LIMIT_S
    )  # fmt: skip
    text = bytes(said).decode("utf-8", "replace")
    if exit_.problem:
        raise ToolError(_("git is not installed here."), hint=_("Run all tests instead."))
    if "not a git repository" in text.lower():
        raise ToolError(
            _("{name} is in no git repository, so what changed cannot be told.").format(name=cwd.name),
            hint=_("Run all tests instead."),
        )
    if exit_.code and "HEAD" in text:
        raise ToolError(_("Nothing has been committed here yet."), hint=_("Run all tests instead."))
    if exit_.code or exit_.timed_out:
        raise ToolError(
            _("git could not tell what changed: {value}").format(
                value=text.strip()[:200] or _("it took too long.")
            )
        )
    return text


def _concerned(cwd: Path, changed: list[str]) -> Concerned:
    files = [path for path in known_paths(cwd, limit=MAX_PATHS) if path.endswith(".py")][:MAX_MODULES]
    # A module that was deleted is still imported by name.
    modules = {name: path for path in [*files, *changed] for name in module_names(path)}
    importers: dict[str, set[str]] = {}
    for path in files:
        for name in imported(path, source_of(cwd / path)):
            target = modules.get(name)
            if target is not None and target != path:
                importers.setdefault(target, set()).add(path)
    reached = set(changed)
    waiting = list(changed)
    while waiting:
        for path in importers.get(waiting.pop(), ()):
            if path not in reached:
                reached.add(path)
                waiting.append(path)
    there = [path for path in changed if (cwd / path).exists()]
    tests = {path for path in reached if is_test_file(path) and (cwd / path).is_file()}
    folders = {os.path.dirname(path) or "." for path in reached if os.path.basename(path) == "conftest.py"}
    tests = {path for path in tests if not any(_below(path, folder) for folder in folders)}
    return Concerned(
        tests=tuple(sorted(tests | folders)),
        changed=tuple(there),
        unplaced=tuple(path for path in there if not path.endswith(".py")),
    )


def _below(path: str, folder: str) -> bool:
    return folder == "." or path.startswith(folder + "/")


def module_names(path: str) -> list[str]:
    """Return the names by which a Python file may be imported: from the project's top, `src` or `lib`.

    A file beside a test is imported by its own name too, as pytest puts a test's folder on the path.
    """
    if not path.endswith(".py"):
        return []
    stem = path.removesuffix(".py").removesuffix("/__init__")
    names = [stem.removeprefix(root).replace("/", ".") for root in ROOTS if stem.startswith(root)]
    if any(part.startswith("test") for part in path.split("/")[:-1]):
        names.append(stem.rpartition("/")[2])
    return names


def imported(path: str, source: str) -> Iterator[str]:
    """Yield the full names of what a file's source imports: modules, and names that may be modules."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    package = module_names(path)[0].split(".")
    if not path.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module.split(".") if node.module else [])])
            if base:
                yield from _with_parents(base)
            for alias in node.names:
                yield f"{base}.{alias.name}" if base else alias.name


def _with_parents(name: str) -> Iterator[str]:
    # `import a.b.c` runs a and a.b as well.
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield ".".join(parts[:end])
