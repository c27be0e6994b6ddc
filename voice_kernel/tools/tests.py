"""`run_tests`: run a project's own pytest in a process of its own, and tell of each test as it ends.

What happens comes from `pytest_plugin`, which the project's interpreter loads, never from the text
pytest prints: that is shown, and read only where pytest could not even start.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.messages import Problem, Result, TestCase, TestReport
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.process import Exit
from voice_kernel.task.runner import TaskHandle, TaskInterrupted
from voice_kernel.toolbox.registry import Arguments, Registry, ToolFailed
from voice_kernel.toolbox.timelimit import duration, timed_out
from voice_kernel.tools import suggestion
from voice_kernel.tools.files import known_paths
from voice_kernel.tools.shell import notes
from voice_kernel.tools.terminal import Tail, clip, plain

PLUGIN = "voice_kernel_events"
PLUGIN_FOLDER = Path(__file__).with_name("pytest_plugin")
EVENTS_VARIABLE = "VOICE_KERNEL_EVENTS_FD"
LIMIT_S = 24 * 60 * 60.0
MAX_EVENT_BYTES = 256 * 1024
MAX_FAILURES = 100
"""Failures kept with their reports; more are only counted."""
MAX_OTHERS = 200
MAX_NAMED = 3
"""Failures named in the summary."""


class RunTests(Arguments):
    """Arguments of `run_tests`."""

    path: str = Field(
        default="",
        max_length=4096,
        description="File or folder, or node id such as tests/test_a.py::test_b; all tests if absent.",
    )
    keyword: str = Field(
        default="", max_length=1000, description="Only tests whose names contain these words."
    )
    failed_only: bool = Field(default=False, description="Only the tests that failed last time.")
    parallel: bool = Field(default=False, description="Several at once, on all cores (pytest-xdist).")


def register(registry: Registry, *, cwd: Callable[[], Path] = Path.cwd, executor: Executor = LOCAL) -> None:
    """Register the test tool.

    Args:
        registry: where.
        cwd: the folder in which pytest runs, asked at each call.
        executor: runs it.
    """

    @registry.tool(area="tests", effects=frozenset({"execute"}), target=lambda args: args.path or "all tests")
    async def run_tests(task: TaskHandle, args: RunTests) -> Result:
        """Run the tests with pytest and report each failure with its place and reason."""
        return await _Run(task, args, cwd(), executor).result()


class _Run:
    """One run of pytest, and what has been heard of it so far."""

    def __init__(self, task: TaskHandle, args: RunTests, cwd: Path, executor: Executor) -> None:
        self.task = task
        self.args = args
        self.cwd = cwd
        self.executor = executor
        self.path = resolve_path(cwd, args.path)
        self.python = interpreter(cwd)
        self.tail = Tail()
        self.begin()

    def begin(self) -> None:
        """Forget what was heard: pytest begins, or begins again elsewhere."""
        self.began = time.monotonic()
        self.count = 0
        self.deselected = 0
        self.finished: int | None = None
        """pytest's exit status, once it has said its last word."""
        self.running: dict[str, None] = {}
        self.outcomes = {"passed": 0, "failed": 0, "error": 0, "skipped": 0, "xfailed": 0, "xpassed": 0}
        self.done = 0
        self.bad: list[TestCase] = []
        self.others: list[TestCase] = []
        self.problems: list[TestCase] = []
        """What went wrong outside of any test: collection, pytest itself."""
        self.partial = b""

    async def result(self) -> Result:
        self.task.progress(None, "collecting tests")
        left_s = self.task.time_left_s
        try:
            exit_ = await self.executor.run(
                [str(self.python), "-m", "pytest", *self.options()],
                cwd=self.cwd,
                env=variables(self.python),
                pty=True,
                on_output=self.on_output,
                on_event=self.on_events,
                event_variable=EVENTS_VARIABLE,
                on_wait=self.on_wait,
                on_restart=self.begin,
                timeout_s=LIMIT_S if left_s is None else left_s,
            )
        except TaskInterrupted as interrupted:
            raise TaskInterrupted(interrupted.problem, self.summarised()) from None
        for note in notes(exit_):
            self.on_output(f"[{note}]\n".encode())
        result = self.summarised(exit_)
        problem = self.problem(exit_)
        if problem is None:
            return result
        summary = result.summary if problem.kind == "TestsFailed" else problem.message
        raise ToolFailed(problem, result.model_copy(update={"summary": summary}))

    def options(self) -> list[str]:
        options = ["-p", PLUGIN]
        if self.args.parallel:
            options += ["-n", "auto"]
        if self.args.keyword.strip():
            options += ["-k", keyword_expression(self.args.keyword)]
        if self.args.failed_only:
            options += ["--last-failed", "--last-failed-no-failures=none"]
        if self.path:
            options.append(self.path)
        return options

    # ---- listening ---------------------------------------------------------------------------------

    def on_wait(self, what: str) -> None:
        self.began = time.monotonic()
        self.task.progress(None, what or "collecting tests")

    def on_output(self, data: bytes) -> None:
        self.tail.feed(data)
        self.task.output(data)

    def on_events(self, data: bytes) -> None:
        *lines, self.partial = (self.partial + data).split(b"\n")
        if len(self.partial) > MAX_EVENT_BYTES:
            self.partial = b""
        for line in lines:
            try:
                event = json.loads(line)
                self.on_event(event.pop("event"), event)
            except (ValueError, KeyError, TypeError, AttributeError):
                # A test that writes to descriptors which are not its own; the rest is still good.
                continue

    def on_event(self, name: str, event: dict[str, Any]) -> None:
        if name == "collected":
            self.count = max(self.count, int(event["count"]))
        elif name == "deselected":
            self.deselected += int(event["count"])
        elif name == "start":
            self.running[event["id"]] = None
        elif name == "problem":
            case = TestCase(
                id=event["id"], outcome="error", message=plain(event["message"]), detail=event["detail"],
                file=event["id"].partition("::")[0],
            )  # fmt: skip
            self.problems.append(case)
            self.outcomes["error"] += 1
        elif name == "report":
            self.on_report(event)
        elif name == "finish":
            self.finished = int(event["exit"])
        if name != "start":
            self.tell()

    def on_report(self, event: dict[str, Any]) -> None:
        outcome = outcome_of(event)
        if outcome is None:
            return
        subtest = event.get("subtest")
        if subtest is None and event["when"] != "teardown":
            self.running.pop(event["id"], None)
            self.done += 1
        elif subtest is not None and outcome == "passed":
            return
        self.outcomes[outcome] += 1
        case = TestCase(
            id=event["id"] + (f" [{subtest}]" if subtest else ""),
            outcome=outcome,
            duration_s=event["duration_s"],
            file=event["file"],
            line=event["line"],
            message=plain(event.get("message", ""))[:500],  # pytest colours comparisons in it
            detail=event.get("detail", "")[-4000:],
        )
        if outcome in ("failed", "error"):
            if len(self.bad) < MAX_FAILURES:
                self.bad.append(case)
        elif len(self.others) < MAX_OTHERS:
            self.others.append(case)

    def tell(self) -> None:
        bad = self.outcomes["failed"] + self.outcomes["error"]
        failed = f", {bad} failed" if bad else ""
        if self.count:
            label = f"{self.done} of {self.count}{failed}"
            self.task.progress(None, label, done=self.done, total=self.count, unit="tests")
        elif failed:
            self.task.progress(None, failed.removeprefix(", "))

    # ---- reporting ---------------------------------------------------------------------------------

    def summarised(self, exit_: Exit | None = None) -> Result:
        """Return what was heard as a result; `exit_` is None where pytest was cut off."""
        duration_s = time.monotonic() - self.began
        report = TestReport(
            passed=self.outcomes["passed"] + self.outcomes["xpassed"],
            failed=self.outcomes["failed"],
            errors=self.outcomes["error"],
            skipped=self.outcomes["skipped"] + self.outcomes["xfailed"],
            duration_s=round(duration_s, 3),
            cases=[*self.problems[:MAX_FAILURES], *self.bad, *self.others],
        )
        bad = [*self.problems, *self.bad]
        return Result(
            summary=self.counts() + (f": {self.names()}" if bad else f" in {duration(duration_s)}"),
            text="" if report.cases else clip(self.tail.text()),
            tests=report,
            exit_code=exit_.code if exit_ is not None else None,
            data={
                "passed": report.passed,
                "failed": report.failed,
                "errors": report.errors,
                "skipped": report.skipped,
                "failures": [
                    {"id": case.id, "file": case.file, "line": case.line, "message": case.message}
                    for case in bad[:20]
                ],
            },
        )

    def counts(self) -> str:
        words = {"failed": "failed", "error": "error", "skipped": "skipped", "xfailed": "expected to fail"}
        passed = self.outcomes["passed"] + self.outcomes["xpassed"]
        counts = [f"{passed} passed"] if passed or not any(self.outcomes.values()) else []
        for outcome, word in words.items():
            number = self.outcomes[outcome]
            if number:
                counts.append(f"{number} {word}{'s' if word == 'error' and number > 1 else ''}")
        return ", ".join(counts)

    def names(self) -> str:
        """Return the names of the first failures, and how many more there are."""
        cases = [*self.problems, *self.bad][:MAX_NAMED]
        names = ", ".join(case.id.rpartition("::")[2] or "pytest itself" for case in cases)
        more = self.outcomes["failed"] + self.outcomes["error"] - len(cases)
        return f"{names} and {more} more" if more > 0 else names

    def problem(self, exit_: Exit) -> Problem | None:
        """Return why the run was no success; None when it was."""
        if exit_.problem:
            return Problem(kind="TestsNotRun", message=f"pytest could not be started. {exit_.problem}")
        if exit_.timed_out:
            limit_s = self.task.limit_s
            return timed_out("The tests were ended", limit_s or LIMIT_S, "tests" if limit_s else "")
        if self.finished is None:
            return self.not_finished(exit_)
        if exit_.code == 0:
            return None
        if exit_.code == 1 or self.bad or self.problems:
            return self.failed(exit_)
        if exit_.code == 5:
            return self.nothing_ran()
        said = self.said()
        message = f"pytest stopped with exit status {exit_.code}" + (f": {said}" if said else ".")
        return Problem(kind="TestsNotRun", message=message)

    def failed(self, exit_: Exit) -> Problem:
        if self.problems and not self.done:
            first = self.problems[0]
            where = f"{first.id} could not be collected" if first.id else "pytest itself failed"
            return Problem(kind="TestsNotRun", message=f"{where}: {first.message}")
        if not self.bad and not self.problems:  # e.g. --cov-fail-under, --strict options
            return Problem(kind="TestsNotRun", message=f"pytest failed: {self.said() or 'exit 1'}")
        return Problem(kind="TestsFailed", message=f"{self.counts()}: {self.names()}")

    def not_finished(self, exit_: Exit) -> Problem:
        said = self.said()
        if "No module named pytest" in said:
            return Problem(kind="TestsNotRun", message=NO_PYTEST, hint=install_hint(self.python))
        if self.args.parallel and "unrecognized arguments: -n" in said:
            return Problem(
                kind="TestsNotRun",
                message="pytest-xdist, which runs tests in parallel, is not installed here.",
                hint=install_hint(self.python, "pytest-xdist"),
            )
        if exit_.code in (3, 4) and not exit_.signal:
            no_cache = "cache is off" in said or "unrecognized arguments: --l" in said
            if self.args.failed_only and no_cache:
                return Problem(
                    kind="TestsNotRun",
                    message="This project does not remember which tests failed: pytest's cache is off.",
                    hint="Run all tests instead.",
                )
            return Problem(
                kind="TestsNotRun", message=f"pytest could not start: {said or 'it gave no reason.'}"
            )
        how = f"was ended by {exit_.signal}" if exit_.signal else f"ended with exit status {exit_.code}"
        during = next(reversed(self.running), "")
        where = f" while {during} was running" if during else " before the end"
        of = f"{self.done} of {self.count} tests" if self.count else "an unknown number of tests"
        return Problem(kind="TestsCrashed", message=f"pytest {how}{where}, after {of}.")

    def nothing_ran(self) -> Problem:
        where = f" in {self.args.path}" if self.args.path else ""
        hint = ""
        if self.args.failed_only:
            message = f"No test failed last time{where}, so there is nothing to run again."
        elif self.args.keyword.strip():
            message = f"No test{where} matches {self.args.keyword!r}."
        else:
            message = f"No tests were found{where or f' in {self.cwd.name}'}."
            hint = "pytest looks for functions named test_... in files named test_*.py."
        return Problem(kind="NoTests", message=message, hint=hint)

    def said(self) -> str:
        """Return the line in which pytest gives its reason, from what it printed."""
        lines = [" ".join(line.split()) for line in plain(self.tail.text()).splitlines()]
        beginnings = (r"\S.*?: error: ", r"ERROR: ", r"E ", r"FAIL ", r"INTERNALERROR> ", r"!!!+ ")
        for beginning in beginnings:
            found = [line for line in lines if re.match(beginning, line)]
            if found:
                return re.sub(beginning, "", found[-1], count=1).strip("! ")[:300]
        return next((line[:300] for line in reversed(lines) if line), "")


NO_PYTEST = "pytest is not installed here."


def install_hint(python: Path, package: str = "pytest") -> str:
    """Return what to say so that a package gets installed for this interpreter."""
    own = "%pip" if python == Path(sys.executable) else f"{python} -m pip"
    return f"Install it with: {own} install {package}"


def outcome_of(event: dict[str, Any]) -> Any:
    """Return a report's outcome in pytest's words; None for one that does not count (a rerun)."""
    outcome, when = event["outcome"], event["when"]
    if event.get("xfail"):
        return {"skipped": "xfailed", "passed": "xpassed"}.get(outcome, "failed")
    if outcome == "failed" and when != "call":
        return "error"
    return outcome if outcome in ("passed", "failed", "skipped") else None


def keyword_expression(keyword: str) -> str:
    """Return the words as an expression for `-k`; one that is already valid stays as it is.

    Two words are a name said aloud, `data loader`, or two things a name should contain.
    """
    name = r"(?!(?:and|or|not)\b)\w[\w.\[\]:/+-]*"
    if re.fullmatch(rf"(?:not )?{name}(?: (?:and|or) (?:not )?{name})*", keyword.strip()):
        return keyword.strip()
    words = [word for word in re.findall(r"\w+", keyword) if word not in ("and", "or", "not")]
    if len(words) < 2:
        return words[0] if words else "nothing_that_could_match"
    return f"{'_'.join(words)} or ({' and '.join(words)})"


def resolve_path(cwd: Path, path: str) -> str:
    """Return the path as an argument for pytest that cannot be taken for an option.

    A bare file name is looked for below the folder, when only one file has it.

    Raises:
        ToolError: there is no such file or folder.
    """
    path = path.strip()
    if path in ("", "."):
        return ""
    file, separator, rest = path.partition("::")
    full = os.path.normpath(os.path.join(cwd, os.path.expanduser(file)))
    if not os.path.exists(full):
        known = known_paths(cwd)
        same = [other for other in known if os.path.basename(other) == file or other.endswith("/" + file)]
        if len(same) != 1:
            likely = [other for other in known if other.endswith(".py") or os.path.isdir(cwd / other)]
            short = {os.path.basename(other): other for other in likely}
            near = same or [short.get(name, name) for name in suggestion.nearest(file, [*likely, *short])]
            hint = f"Did you mean {' or '.join(dict.fromkeys(near[:3]))}?" if near else "Say: list files."
            raise ToolError(f"There is no file or folder {file} here.", hint=hint)
        full = os.path.join(cwd, same[0])
    relative = os.path.relpath(full, cwd)
    plain_start = relative[0].isalnum() or relative[0] in "_."
    return (relative if plain_start else os.path.join(".", relative)) + separator + rest


def interpreter(cwd: Path) -> Path:
    """Return the Python to test with: the project's own environment if it has pytest, else ours.

    Raises:
        ToolError: pytest is in neither.
    """
    for folder in (cwd, *cwd.parents):
        for name in (".venv", "venv"):
            python = folder / name / "bin" / "python"
            if python.exists() and any((folder / name).glob("lib/python*/site-packages/pytest")):
                return python
        if (folder / ".git").exists() or (folder / "pyproject.toml").exists():
            break  # the project's top
    own = Path(sys.executable)
    if importlib.util.find_spec("pytest") is None:
        raise ToolError(NO_PYTEST, hint=install_hint(own))
    return own


def variables(python: Path) -> dict[str, str]:
    """Return what a run adds to its environment: where the plugin is, and the interpreter's own tools."""
    found = {"PYTHONPATH": str(PLUGIN_FOLDER)}
    if python != Path(sys.executable):
        found.update(VIRTUAL_ENV=str(python.parent.parent), PATH=str(python.parent))
    return found
