"""One run of a project's tests in a process of its own, and what has been heard of it so far.

What happens comes from `pytest_plugin`, which the project's interpreter loads, never from the text
pytest prints: that is shown, and read only where pytest could not even start.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_kernel.errors import ToolError
from voice_kernel.language import _, capital, ngettext_
from voice_kernel.messages import Problem, Result, TestCase, TestReport
from voice_kernel.task.executor import Executor
from voice_kernel.task.process import Exit
from voice_kernel.task.runner import TaskHandle, TaskInterrupted
from voice_kernel.toolbox.registry import ToolFailed
from voice_kernel.toolbox.timelimit import duration, timed_out
from voice_kernel.tools.shell import notes
from voice_kernel.tools.terminal import Tail, clip, plain
from voice_kernel.tools.testing.project import NO_PYTEST, Interpreter
from voice_kernel.tools.testing.record import Memory, Record, Run, RunTests
from voice_kernel.tools.testing.selection import keyword_expression, marker_expression

PLUGIN = "voice_kernel_events"
UNITTEST = "voice_kernel_unittest"
EVENTS_VARIABLE = "VOICE_KERNEL_EVENTS_FD"
COVERAGE_VARIABLE = "VOICE_KERNEL_COVERAGE"
LIMIT_S = 24 * 60 * 60.0
MAX_EVENT_BYTES = 256 * 1024
MAX_FAILURES = 100
"""Failures kept with their reports; more are only counted."""
MAX_OTHERS = 200
MAX_NAMED = 3
"""Failures named in the summary."""
SLOWEST = 10
"""Tests told of as the slowest."""


@dataclass(frozen=True)
class Selection:
    """What is to be run."""

    cwd: Path
    interpreter: Interpreter
    tests: tuple[str, ...] = ()
    """Files, folders and node ids; none for all."""
    note: str = ""
    """What a person should know of the choice."""


class Execution:
    """One run of the tests, and what has been heard of it so far."""

    def __init__(
        self, task: TaskHandle, args: RunTests, selection: Selection, executor: Executor, memory: Memory
    ) -> None:
        self.task = task
        self.args = args
        self.selection = selection
        self.cwd = selection.cwd
        self.interpreter = selection.interpreter
        self.runner = selection.interpreter.runner
        self.executor = executor
        self.memory = memory

    def _begin(self) -> None:
        """Forget what was heard: pytest begins, or begins again elsewhere."""
        self.tail = Tail()
        self.began = time.monotonic()
        self.run = self.memory.last = Run(self.cwd, self.args, started_at=time.time())
        self.coverage: dict[str, Any] = {}
        self.count = 0
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
        """Run the tests, and return what came of them.

        Raises:
            ToolError: they cannot be run as asked.
            ToolFailed: not every test passed, or they could not be run to their end; with what there is.
            TaskInterrupted: the place where they ran is gone; with what there is.
        """
        command = self._command()
        self._begin()
        self.task.progress(None, _("collecting tests"))
        try:
            return await self._executed(command)
        finally:
            self.run.failures = [*self.problems, *self.bad][:MAX_FAILURES]
            self.run.duration_s = time.monotonic() - self.began

    async def _executed(self, command: list[str]) -> Result:
        limits = [limit for limit in (self.task.time_left_s, self.args.timeout) if limit is not None]
        try:
            exit_ = await self.executor.run(
                command,
                cwd=self.cwd,
                env={**self.interpreter.variables(), COVERAGE_VARIABLE: "1" if self.args.coverage else ""},
                pty=True,
                on_output=self._on_output,
                on_event=self._on_events,
                event_variable=EVENTS_VARIABLE,
                on_wait=self._on_wait,
                on_restart=self._begin,
                timeout_s=min(limits, default=LIMIT_S),
            )
        except TaskInterrupted as interrupted:
            raise TaskInterrupted(interrupted.problem, self._summarised()) from None
        for note in notes(exit_):
            self._on_output(f"[{note}]\n".encode())
        problem = self._problem(exit_)
        if self.finished is None and not exit_.problem:
            self._cut_off(exit_)
        result = self._summarised(exit_)
        if result.tests is not None and result.tests.cases and result.text:
            # Beside a table of tests, surfaces show no other text; the output is shown everywhere.
            self._on_output(f"\n{result.text}\n".encode())
        if problem is None:
            return result
        summary = result.summary if problem.kind == "TestsFailed" else problem.message
        raise ToolFailed(problem, result.model_copy(update={"summary": summary}))

    def _command(self) -> list[str]:
        """Return what runs the tests.

        Raises:
            ToolError: something that was asked for is not installed, or unittest cannot do it.
        """
        python = str(self.interpreter.python)
        if self.runner == "unittest":
            return [python, "-m", UNITTEST, *self._unittest_options()]
        options = ["-p", PLUGIN]
        if self.args.parallel:
            options += ["-n", "auto"]
        if self.args.keyword.strip():
            options += ["-k", keyword_expression(self.args.keyword)]
        if self.args.marker.strip():
            options += ["-m", marker_expression(self.args.marker)]
        if self.args.failed_only:
            options += ["--last-failed", "--last-failed-no-failures=none"]
        if self.args.show_locals:
            options.append("--showlocals")
        if not self.args.coverage:
            return [python, "-m", "pytest", *options, *self.selection.tests]
        if self.interpreter.has("pytest_cov"):
            return [python, "-m", "pytest", *options, "--cov", *self.selection.tests]
        if not self.interpreter.has("coverage") or self.args.parallel:
            raise ToolError(
                _("pytest-cov, which measures coverage, is not installed here."),
                hint=self.interpreter.install_hint("pytest-cov"),
            )
        source = [] if self._has_coverage_settings() else ["--source=."]
        return [
            python, "-m", "coverage", "run", *source, "-m", "pytest", *options, *self.selection.tests
        ]  # fmt: skip

    def _unittest_options(self) -> list[str]:
        for asked, what in (
            (self.args.marker.strip(), _("Markers are known to pytest only, and this project has none.")),
            (
                self.args.parallel,
                _("Parallel tests are known to pytest only, and this project has none."),
            ),
            (self.args.coverage, _("Coverage is known to pytest only, and this project has none.")),
        ):
            if asked:
                hint = self.interpreter.install_hint()
                raise ToolError(what, hint=hint)
        options = ["--locals"] if self.args.show_locals else []
        if self.args.keyword.strip():
            options += ["-k", keyword_expression(self.args.keyword)]
        return [*options, *self.selection.tests]

    def _has_coverage_settings(self) -> bool:
        """Return whether the project says itself what is to be measured."""
        if (self.cwd / ".coveragerc").exists():
            return True
        for name, section in (("pyproject.toml", "[tool.coverage"), ("setup.cfg", "[coverage:")):
            try:
                if section in (self.cwd / name).read_text("utf-8", "replace"):
                    return True
            except OSError:
                continue
        return False

    # ---- listening ---------------------------------------------------------------------------------

    def _on_wait(self, what: str) -> None:
        self.began = time.monotonic()
        self.task.progress(None, what or _("collecting tests"))

    def _on_output(self, data: bytes) -> None:
        self.tail.feed(data)
        self.task.output(data)

    def _on_events(self, data: bytes) -> None:
        *lines, self.partial = (self.partial + data).split(b"\n")
        if len(self.partial) > MAX_EVENT_BYTES:
            self.partial = b""
        for line in lines:
            try:
                event = json.loads(line)
                self._on_event(event.pop("event"), event)
            except (ValueError, KeyError, TypeError, AttributeError):
                # A test that writes to descriptors which are not its own; the rest is still good.
                continue

    def _on_event(self, name: str, event: dict[str, Any]) -> None:
        if name == "collected":
            self.count = max(self.count, int(event["count"]))
        elif name == "start":
            self.running[event["id"]] = None
        elif name == "problem":
            case = TestCase(
                id=event["id"], outcome="error", message=plain(event["message"]), detail=event["detail"],
                file=event["id"].partition("::")[0],
            )  # fmt: skip
            if len(self.problems) < MAX_FAILURES:
                self.problems.append(case)
            self.run.add(Record(case.id, "error", 0.0, case.message, case.detail))
            self.outcomes["error"] += 1
        elif name == "report":
            self._on_report(event)
        elif name == "stop" and event["id"] in self.running:  # parts of it were told of, and not itself
            del self.running[event["id"]]
            self.done += 1
        elif name == "coverage":
            self.coverage = {
                "percent": float(event["percent"]),
                "files": [
                    {key: file[key] for key in ("file", "percent", "missing")} for file in event["files"][:20]
                ],
            }
        elif name == "finish":
            self.finished = int(event["exit"])
        if name != "start":
            self._tell()

    def _on_report(self, event: dict[str, Any]) -> None:
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
        kept = outcome in ("failed", "error") and len(self.bad) < MAX_FAILURES
        self.run.add(
            Record(case.id, outcome, case.duration_s, case.message, plain(case.detail) if kept else "")
        )
        if outcome in ("failed", "error"):
            if kept:
                self.bad.append(case)
        elif len(self.others) < MAX_OTHERS:
            self.others.append(case)

    def _tell(self) -> None:
        bad = self.outcomes["failed"] + self.outcomes["error"]
        failed = ", " + _("{count} failed").format(count=bad) if bad else ""
        if self.count:
            label = _("{done} of {count}").format(done=self.done, count=self.count) + failed
            self.task.progress(None, label, done=self.done, total=self.count, unit="tests")
        elif failed:
            self.task.progress(None, failed.removeprefix(", "))

    # ---- reporting ---------------------------------------------------------------------------------

    def _summarised(self, exit_: Exit | None = None) -> Result:
        """Return what was heard as a result; `exit_` is None where pytest was cut off."""
        duration_s = time.monotonic() - self.began
        slowest = [(record.id, round(record.duration_s, 3)) for record in self.run.slowest(SLOWEST)]
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
            summary=self._counts()
            + (
                f": {self._names()}"
                if bad
                else " " + _("in {duration}").format(duration=duration(duration_s))
            )
            + self._covered(),
            text=self._told(slowest) or ("" if report.cases else clip(self.tail.text())),
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
                "slowest": [{"id": id_, "duration_s": seconds} for id_, seconds in slowest],
                **({"coverage": self.coverage} if self.coverage else {}),
            },
        )

    def _told(self, slowest: list[tuple[str, float]]) -> str:
        """Return what was asked for besides the tests themselves."""
        parts = [self.selection.note]
        if self.args.slowest and slowest:
            lines = [f"{duration(seconds)}  {id_}" for id_, seconds in slowest]
            parts.append("\n".join([_("The slowest tests:"), *lines]))
        if self.coverage:
            lines = [
                f"{file['percent']:8.0f}%  {file['file']} "
                + _("({count} lines not run)").format(count=file["missing"])
                for file in self.coverage["files"]
            ]
            parts.append(
                "\n".join(
                    [
                        _("{percent}% of the code was run.").format(
                            percent=f"{self.coverage['percent']:.0f}"
                        ),
                        *lines,
                    ]
                )
            )
        elif self.args.coverage and self.finished is not None:
            parts.append(_("How much of the code was run could not be measured."))
        return clip("\n\n".join(part for part in parts if part))

    def _covered(self) -> str:
        if not self.coverage:
            return ""
        return ", " + _("{percent}% covered").format(percent=f"{self.coverage['percent']:.0f}")

    def _counts(self) -> str:
        passed = self.outcomes["passed"] + self.outcomes["xpassed"]
        counts = (
            [_("{count} passed").format(count=passed)] if passed or not any(self.outcomes.values()) else []
        )
        errors = self.outcomes["error"]
        words = {
            "failed": _("{count} failed"),
            "error": ngettext_("{count} error", "{count} errors", errors),
            "skipped": _("{count} skipped"),
            "xfailed": _("{count} expected to fail"),
        }
        counts += [
            words[outcome].format(count=self.outcomes[outcome]) for outcome in words if self.outcomes[outcome]
        ]
        return ", ".join(counts)

    def _names(self) -> str:
        """Return the names of the first failures, and how many more there are."""
        cases = [*self.problems, *self.bad][:MAX_NAMED]
        names = ", ".join(case.id.rpartition("::")[2] or _("pytest itself") for case in cases)
        more = self.outcomes["failed"] + self.outcomes["error"] - len(cases)
        return _("{names} and {count} more").format(names=names, count=more) if more > 0 else names

    def _problem(self, exit_: Exit) -> Problem | None:
        """Return why the run was no success; None when it was."""
        if exit_.problem:
            return Problem(
                kind="TestsNotRun",
                message=_("{runner} could not be started. {problem}").format(
                    runner=self.runner, problem=exit_.problem
                ),
            )
        if exit_.timed_out:
            limits = [limit for limit in (self.task.limit_s, self.args.timeout) if limit is not None]
            limit_s = min(limits, default=LIMIT_S)
            area = "tests" if limits and limit_s != self.args.timeout else ""
            problem = timed_out(_("The tests were ended") + self._where(), limit_s, area)
            message = f"{problem.message} " + _("{how_far} had ended.").format(
                how_far=capital(self._how_far())
            )
            return problem.model_copy(update={"message": message})
        if self.finished is None:
            return self._not_finished(exit_)
        if exit_.code == 0:
            return None
        if exit_.code == 1 or self.bad or self.problems:
            return self._failed(exit_)
        if exit_.code == 5:
            return self._nothing_ran()
        said = self._said()
        message = _("pytest stopped with exit status {code}").format(code=exit_.code) + (
            f": {said}" if said else "."
        )
        return Problem(kind="TestsNotRun", message=message)

    def _failed(self, exit_: Exit) -> Problem:
        if self.problems and not self.done:
            first = self.problems[0]
            where = _("pytest itself failed")
            if first.id:
                where = _("{test} could not be collected").format(test=first.id)
            return Problem(kind="TestsNotRun", message=f"{where}: {first.message}")
        if not self.bad and not self.problems:  # e.g. --cov-fail-under, --strict options
            return Problem(
                kind="TestsNotRun",
                message=_("pytest failed: {reason}").format(reason=self._said() or "exit 1"),
            )
        return Problem(kind="TestsFailed", message=f"{self._counts()}: {self._names()}")

    def _not_finished(self, exit_: Exit) -> Problem:
        said = self._said()
        if "No module named pytest" in said:
            return Problem(kind="TestsNotRun", message=_(NO_PYTEST), hint=self.interpreter.install_hint())
        if self.args.parallel and "unrecognized arguments: -n" in said:
            return Problem(
                kind="TestsNotRun",
                message=_("pytest-xdist, which runs tests in parallel, is not installed here."),
                hint=self.interpreter.install_hint("pytest-xdist"),
            )
        if exit_.code in (3, 4) and not exit_.signal and not self.count:
            no_cache = "cache is off" in said or "unrecognized arguments: --l" in said
            if self.args.failed_only and no_cache:
                return Problem(
                    kind="TestsNotRun",
                    message=_("This project does not remember which tests failed: pytest's cache is off."),
                    hint=_("Run all tests instead."),
                )
            return Problem(
                kind="TestsNotRun",
                message=_("{runner} could not start: {reason}").format(
                    runner=self.runner, reason=said or _("it gave no reason.")
                ),
            )
        how = _("{runner} ended with exit status {code}").format(runner=self.runner, code=exit_.code)
        if exit_.signal:
            how = _("{runner} was ended by {signal}").format(runner=self.runner, signal=exit_.signal)
        where = self._where() if self.running else " " + _("before the end")
        hint = _("The system sends SIGKILL when memory runs out.") if exit_.signal == "SIGKILL" else ""
        message = how + where + ", " + _("after {how_far}.").format(how_far=self._how_far())
        return Problem(kind="TestsCrashed", message=message, hint=hint)

    def _where(self) -> str:
        """Return which test was running at the end."""
        if not self.running:
            return "" if self.count else " " + _("while they were collected")
        # Of several workers' tests it is the one that began first that does not end.
        first, more = next(iter(self.running)), len(self.running) - 1
        if not more:
            return " " + _("while {test} was running").format(test=first)
        others = ngettext_(
            "while {test} and {count} other were running",
            "while {test} and {count} others were running",
            more,
        )
        return " " + others.format(test=first, count=more)

    def _how_far(self) -> str:
        if not self.count:
            return _("an unknown number of tests")
        return _("{done} of {count} tests").format(done=self.done, count=self.count)

    def _cut_off(self, exit_: Exit) -> None:
        """Count what was running at the end as an error: it is where a person will look first."""
        how = _("It was still running when {runner} ended.").format(runner=self.runner)
        if exit_.timed_out:
            how = _("It was still running when the time was over.")
        for id_ in list(self.running)[: MAX_FAILURES - len(self.bad)]:
            file = id_.partition("::")[0]
            case = TestCase(id=id_, outcome="error", file=file, message=how)
            self.bad.append(case)
            self.run.add(Record(id_, "error", 0.0, case.message))
            self.outcomes["error"] += 1

    def _nothing_ran(self) -> Problem:
        where = " " + _("in {folder}").format(folder=self.args.path) if self.args.path else ""
        hint = ""
        if self.args.failed_only:
            message = _("No test failed last time{where}, so there is nothing to run again.").format(
                where=where
            )
        elif self.args.keyword.strip():
            message = _("No test{where} matches {keyword!r}.").format(where=where, keyword=self.args.keyword)
        elif self.args.marker.strip():
            message = _("No test{where} has the marker {marker!r}.").format(
                where=where, marker=self.args.marker
            )
            hint = _("pytest --markers lists those that the project declares.")
        else:
            message = _("No tests were found{where}.").format(
                where=where or " " + _("in {folder}").format(folder=self.cwd.name)
            )
            hint = _("pytest looks for functions named test_... in files named test_*.py.")
        return Problem(kind="NoTests", message=message, hint=hint)

    def _said(self) -> str:
        """Return the line in which pytest gives its reason, from what it printed."""
        lines = [" ".join(line.split()) for line in plain(self.tail.text()).splitlines()]
        beginnings = (r"\S.*?: error: ", r"ERROR: ", r"E ", r"FAIL ", r"INTERNALERROR> ", r"!!!+ ")
        for beginning in beginnings:
            found = [line for line in lines if re.match(beginning, line)]
            if found:
                return re.sub(beginning, "", found[-1], count=1).strip("! ")[:300]
        return next((line[:300] for line in reversed(lines) if line), "")


def outcome_of(event: dict[str, Any]) -> Any:
    """Return a report's outcome in pytest's words; None for one that does not count (a rerun)."""
    outcome, when = event["outcome"], event["when"]
    if event.get("xfail"):
        return {"skipped": "xfailed", "passed": "xpassed"}.get(outcome, "failed")
    if outcome == "failed" and when != "call":
        return "error"
    return outcome if outcome in ("passed", "failed", "skipped") else None
