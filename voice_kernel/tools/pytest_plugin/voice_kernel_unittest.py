"""Run tests with `unittest` and tell of them as the pytest plugin does, for interpreters without pytest.

`python -m voice_kernel_unittest [--locals] [-k EXPRESSION] [FILE | FOLDER | FILE::CLASS::METHOD ...]`: tests
are found in the files that pytest would look into, here or in what is named. The standard library is all
that it may import, of any Python from 3.8 on.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import sys
import time
import traceback
import unittest
from collections.abc import Iterator
from typing import Any

from voice_kernel_wire import Wire, wire  # type: ignore[import-not-found]  # beside it on PYTHONPATH

MAX_DETAIL = 4000
MAX_MESSAGE = 500
PATTERNS = ("test*.py", "*_test.py")
SKIPPED = ("venv", "node_modules", "__pycache__", "build", "dist")
WITHOUT_TESTS = 5
"""Exit status, as pytest's."""


class Result(unittest.TextTestResult):
    """Tells of each test as it ends."""

    wire: Wire | None = None

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Note that a test begins."""
        super().startTest(test)
        self.began = time.perf_counter()
        self.emit("start", id=node_id(test))

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Tell of a test that passed."""
        super().addSuccess(test)
        self.report(test, "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """Tell of an assertion that does not hold."""
        super().addFailure(test, err)
        self.report(test, "failed", err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """Tell of a test that raised, or of what could not be imported or set up."""
        super().addError(test, err)
        if isinstance(test, unittest.loader._FailedTest):  # type: ignore[attr-defined]
            _, text = described(err)
            name = failed_import(test)
            detail = text[text.find("\n") + 1 :]
            self.emit("problem", id=name, message=last_line(text), detail=detail[-MAX_DETAIL:])
        elif isinstance(test, unittest.TestCase):
            self.report(test, "failed", err)
        else:  # setUpClass, setUpModule
            self.report(test, "failed", err, when="setup")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        """Tell of a test that was skipped."""
        super().addSkip(test, reason)
        self.report(test, "skipped", message=f"Skipped: {reason}")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """Tell of a test that failed as it should."""
        super().addExpectedFailure(test, err)
        self.report(test, "skipped", xfail=True)

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Tell of a test that should have failed; unittest counts that as a failure."""
        super().addUnexpectedSuccess(test)
        self.report(test, "failed", message="Unexpected success")

    def addSubTest(self, test: unittest.TestCase, subtest: Any, err: Any) -> None:  # noqa: N802
        """Tell of a part of a test that failed."""
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.report(test, "failed", err, subtest=subtest._subDescription())

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Note that a test has ended, one whose parts failed too."""
        super().stopTest(test)
        self.emit("stop", id=node_id(test))

    def report(self, test: Any, outcome: str, err: Any = None, when: str = "call", **values: Any) -> None:
        """Tell how a test, or a part of one, ended."""
        values.update(
            id=node_id(test), when=when, outcome=outcome, file=file_of(test), line=line_of(test),
            duration_s=round(time.perf_counter() - getattr(self, "began", time.perf_counter()), 6),
        )  # fmt: skip
        if err is not None:
            values["message"] = described(err)[0]
            values["detail"] = self._exc_info_to_string(err, test)[-MAX_DETAIL:]  # type: ignore[attr-defined]
            place = deepest(err[2])
            if place:
                values["file"], values["line"] = place
        self.emit("report", **values)

    def emit(self, event: str, **values: Any) -> None:
        """Write an event, where somebody reads."""
        if self.wire is not None:
            self.wire.emit(event, **values)


def described(err: Any) -> tuple[str, str]:
    """Return an error in one line, and whole."""
    kind, error, _ = err
    return "".join(traceback.format_exception_only(kind, error)).strip()[:MAX_MESSAGE], str(error)


def last_line(text: str) -> str:
    """Return the last line that says something."""
    return ([line for line in text.splitlines() if line.strip()] or [""])[-1].strip()[:MAX_MESSAGE]


def failed_import(test: Any) -> str:
    """Return the file of a module that could not be imported."""
    return str(getattr(test, "voice_kernel_file", "")) or test.id().rpartition(".")[2]


def deepest(tb: Any) -> tuple[str, int] | None:
    """Return the deepest place of a traceback that is in the project."""
    found = None
    while tb is not None:
        path = os.path.abspath(tb.tb_frame.f_code.co_filename)
        inside = path.startswith(os.getcwd() + os.sep) and "site-packages" not in path
        if inside and "__unittest" not in tb.tb_frame.f_globals:
            found = os.path.relpath(path), tb.tb_lineno
        tb = tb.tb_next
    return found


def file_of(test: Any) -> str:
    """Return the file of a test, as seen from here."""
    module = sys.modules.get(type(test).__module__)
    path = getattr(module, "__file__", None)
    if path is None or not isinstance(test, unittest.TestCase):
        return ""
    return os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else str(path)


def line_of(test: Any) -> int:
    """Return the line where a test begins; 0 when that is not known."""
    method = getattr(test, getattr(test, "_testMethodName", ""), None)
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    return code.co_firstlineno if code is not None else 0


def node_id(test: Any) -> str:
    """Return what pytest would call a test."""
    file = file_of(test)
    if not file:
        return str(test)
    return "::".join((file, type(test).__qualname__, test._testMethodName))


def discover(path: str) -> Iterator[Any]:
    """Yield the tests of a file, or of the test files in a folder and below it, in packages or not."""
    if os.path.isfile(path):
        folder, name = os.path.split(path)
        # A loader remembers the top of its first discovery, so each file gets one of its own.
        for test in flat(unittest.TestLoader().discover(folder or ".", name, top_of(folder or "."))):
            test.voice_kernel_file = path  # what could not be imported does not know it
            yield test
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in SKIPPED)
        for name in sorted(names):
            if any(fnmatch.fnmatch(name, pattern) for pattern in PATTERNS):
                yield from discover(os.path.normpath(os.path.join(folder, name)))


def top_of(folder: str) -> str:
    """Return the folder from which a folder's modules are imported: the first above that is no package."""
    folder = os.path.abspath(folder)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    return folder


def flat(suite: Any) -> Iterator[Any]:
    """Yield the tests of a suite, in order."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def chosen(names: list[str], keyword: str) -> list[Any]:
    """Return the tests that were asked for, each once."""
    found: dict[Any, Any] = {}
    for name in names or ["."]:
        path, _, rest = name.partition("::")
        for test in discover(path):
            failed = not file_of(test) or isinstance(test, unittest.loader._FailedTest)  # type: ignore[attr-defined]
            inside = node_id(test).partition("::")[2]
            if failed or (
                (not rest or inside == rest or inside.startswith(rest + "::")) and holds(keyword, test)
            ):
                found.setdefault(test.id(), test)
    return list(found.values())


def holds(keyword: str, test: Any) -> bool:
    """Return whether a test's name is as an expression of words with and, or, not says, as `-k` of pytest."""
    if not keyword:
        return True
    name = node_id(test).lower()
    tokens = re.findall(r"[()]|[^\s()]+", keyword)
    words = [
        token if token in ("(", ")", "and", "or", "not") else str(token.lower() in name) for token in tokens
    ]
    try:
        # Of nothing but True, False, and, or, not, ( and ).
        return bool(eval(" ".join(words), {"__builtins__": {}}))  # noqa: S307
    except SyntaxError:
        return False


def main() -> int:
    """Run what the command line says; returns the exit status, as pytest's."""
    parser = argparse.ArgumentParser(prog="python -m unittest")
    parser.add_argument("-k", dest="keyword", default="")
    parser.add_argument("--locals", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    Result.wire = wire()
    sys.path.insert(0, os.getcwd())
    tests = chosen(options.names, options.keyword)
    emit = Result.wire.emit if Result.wire is not None else lambda *_, **__: None
    emit("collected", count=len(tests))
    runner = unittest.TextTestRunner(
        resultclass=Result,  # type: ignore[arg-type]  # its stream is an internal type
        verbosity=2,
        tb_locals=options.locals,
    )
    ended = runner.run(unittest.TestSuite(tests))
    status = WITHOUT_TESTS if not tests else 0 if ended.wasSuccessful() else 1
    emit("finish", exit=status)
    return status


if __name__ == "__main__":
    sys.exit(main())
