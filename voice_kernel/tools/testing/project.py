"""The project whose tests are run: its interpreter, its test files, what is in them. Runs nothing of it."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _
from voice_kernel.tools.files import known_paths

PLUGIN_FOLDER = Path(__file__).parents[1] / "pytest_plugin"
MAX_SOURCE_BYTES = 1_000_000
MAX_PATHS = 20_000
"""Files and folders that are looked at for tests."""

NO_PYTEST = N_("pytest is not installed here.")
_WITH_UNITTEST = re.compile(r"^(?:from unittest(?:\.case)? |import [\w., ]*\bunittest\b)", re.MULTILINE)
_WITH_PYTEST = re.compile(r"^(?:from pytest |import [\w., ]*\bpytest\b|(?:async )?def test_)", re.MULTILINE)


@dataclass(frozen=True)
class Interpreter:
    """What runs the tests."""

    python: Path
    runner: str = "pytest"
    """The module that does: `pytest`, or `unittest` where there is no pytest and none is needed."""

    def has(self, module: str) -> bool:
        """Return whether it can import a module, as far as its folders tell."""
        if self.python == Path(sys.executable):
            return importlib.util.find_spec(module) is not None
        environment = self.python.parent.parent
        return any(environment.glob(f"lib/python*/site-packages/{module}"))

    def install_hint(self, package: str = "pytest") -> str:
        """Return what to say so that a package gets installed for it."""
        own = "%pip" if self.python == Path(sys.executable) else f"{self.python} -m pip"
        return _("Install it with: {command}").format(command=f"{own} install {package}")

    def variables(self) -> dict[str, str]:
        """Return what a run adds to its environment: where the plugin is, and the interpreter's own tools."""
        found = {"PYTHONPATH": str(PLUGIN_FOLDER)}
        if self.python != Path(sys.executable):
            found.update(VIRTUAL_ENV=str(self.python.parent.parent), PATH=str(self.python.parent))
        return found


def interpreter(cwd: Path) -> Interpreter:
    """Return what to test with: the project's own environment where it can, else ours.

    Raises:
        ToolError: pytest is in neither, and the tests need it.
    """
    without: Path | None = None
    for folder in (cwd, *cwd.parents):
        for name in (".venv", "venv"):
            python = folder / name / "bin" / "python"
            if not python.exists():
                continue
            if Interpreter(python).has("pytest"):
                return Interpreter(python)
            if os.access(python, os.X_OK):
                without = without or python
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            break  # the project's top
    own = Interpreter(Path(sys.executable))
    if (without is not None or not own.has("pytest")) and _needs_unittest_only(cwd):
        return Interpreter(without or own.python, "unittest")
    if not own.has("pytest"):
        raise ToolError(_(NO_PYTEST), hint=own.install_hint())
    return own


def test_files(cwd: Path) -> list[str]:
    """Return the files below a folder that pytest would look into by itself, nearest first."""
    return [path for path in known_paths(cwd, limit=MAX_PATHS) if is_test_file(path)]


test_files.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of the name


def is_test_file(path: str) -> bool:
    """Return whether pytest takes a file for one with tests."""
    name = os.path.basename(path)
    return name.endswith(".py") and (name.startswith("test") or name.endswith("_test.py"))


def source_of(path: Path) -> str:
    """Return a source file's text, as much of it as is looked at; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_SOURCE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def named(cwd: Path, name: str) -> list[str]:
    """Return the node ids of the tests and test classes of exactly that name."""
    found = []
    for path in test_files(cwd):
        source = source_of(cwd / path)
        if not re.search(
            rf"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+{re.escape(name)}\b", source, re.MULTILINE
        ):
            continue
        found += [f"{path}::{'::'.join(steps)}" for steps in _tests_of(source) if steps[-1] == name]
    return found


def names(cwd: Path) -> list[str]:
    """Return the names of all tests and test classes, each once."""
    found = {steps[-1]: None for path in test_files(cwd) for steps in _tests_of(source_of(cwd / path))}
    return list(found)


def _tests_of(source: str) -> Iterator[tuple[str, ...]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):  # pytest says it better, when it gets there
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test"):
                yield (node.name,)
        elif isinstance(node, ast.ClassDef):
            yield (node.name,)
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name.startswith(
                    "test"
                ):
                    yield (node.name, inner.name)


def _needs_unittest_only(cwd: Path) -> bool:
    """Whether some test file is written for `unittest`, and none for pytest."""
    sources = [source_of(cwd / path) for path in test_files(cwd)]
    return any(map(_WITH_UNITTEST.search, sources)) and not any(map(_WITH_PYTEST.search, sources))
