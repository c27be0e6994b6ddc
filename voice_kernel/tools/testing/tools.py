"""The tools of the area `tests`: run them, watch them, open what failed, save the report."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, ngettext_, number
from voice_kernel.messages import CellReply, OpenFile, Result, TestCase
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry, ToolFailed
from voice_kernel.tools.testing import changes, junit, watching
from voice_kernel.tools.testing.project import interpreter
from voice_kernel.tools.testing.record import Memory, RunTests
from voice_kernel.tools.testing.run import Execution, Selection
from voice_kernel.tools.testing.selection import MAX_CHOSEN, as_argument, resolve_path, resolve_test

RUN_FIRST = N_("Say: run the tests.")

OpenInEditor = Callable[[OpenFile, TaskHandle], Awaitable[CellReply]]


class OpenFailingTest(Arguments):
    """Arguments of `open_failing_test`."""

    number: int = Field(default=1, ge=1, le=1000, description="Which failure, from 1 as they are listed.")


class SaveTestReport(Arguments):
    """Arguments of `save_test_report`."""

    path: str = Field(default="report.xml", max_length=4096, description="The file to write, JUnit XML.")


def register(
    registry: Registry,
    *,
    cwd: Callable[[], Path] = Path.cwd,
    executor: Executor = LOCAL,
    open_file: OpenInEditor | None = None,
    notebook_folder: Callable[[], Path] | None = None,
) -> None:
    """Register the test tools.

    Args:
        registry: where.
        cwd: the folder in which the tests run, asked at each call.
        executor: runs them.
        open_file: has the front end show a file; None where there is none.
        notebook_folder: the folder of the notebook, which the front end knows; `cwd` by default.
    """
    memory = Memory()

    async def run(task: TaskHandle, args: RunTests) -> Result:
        folder = cwd()
        if args.again:
            if memory.last is None:
                raise ToolError(_("No tests have been run yet."), hint=_(RUN_FIRST))
            args = memory.last.args
        task.progress(None, _("collecting tests"))
        chosen = await _selection(folder, args, memory)
        return await Execution(task, args, chosen, executor, memory).result()

    @registry.tool(
        area="tests",
        effects=frozenset({"execute"}),
        untrusted=True,
        target=lambda args: args.path or args.test or _("all tests"),
        time_limit=lambda args: args.timeout,
    )
    async def run_tests(task: TaskHandle, args: RunTests) -> Result:
        """Run the tests with pytest and report each failure with its place and reason."""
        return await run(task, args)

    @registry.tool(
        area="tests",
        effects=frozenset({"execute"}),
        untrusted=True,
        target=lambda args: args.path or args.test or _("all tests"),
    )
    async def watch_tests(task: TaskHandle, args: RunTests) -> Result:
        """Run the tests now and again at each change of a source file, until it is cancelled."""
        folder = cwd()
        number = 0
        changed: list[str] = []
        while True:
            # Looked at before they run: what is saved meanwhile is seen afterwards.
            now = await asyncio.to_thread(watching.stamps, folder)
            number += 1
            task.output(
                ("" if number == 1 else "\n")
                + "── "
                + _("run {number}").format(number=number)
                + f"{_because(changed)}\n"
            )
            try:
                said = (await run(task, args)).summary
            except ToolFailed as failed:
                said = failed.problem.message
            except ToolError as error:
                if number == 1:
                    raise  # asked for wrongly, which no change of a file would cure
                said = error.message
            task.output("── " + _("run {number}").format(number=number) + f": {said}\n")
            task.progress(
                None, _("{said} (run {number}; waiting for a change)").format(said=said, number=number)
            )
            changed, _stamps = await watching.change(folder, now)

    @registry.tool(
        area="tests",
        effects=frozenset({"read"}),
        target=lambda args: _("failure {number}").format(number=args.number),
    )
    async def open_failing_test(task: TaskHandle, args: OpenFailingTest) -> Result:
        """Open the file of a failing test in the editor, at the line where it failed."""
        case, folder = _failure(memory, args.number)
        name = case.id.rpartition("::")[2] or case.file
        place = f"{case.file}:{case.line}" if case.line else case.file
        told = Result(
            summary=_("{name} failed at {place}.").format(name=name, place=place),
            text=case.message,
            data={"id": case.id, "file": case.file, "line": case.line, "opened": False},
        )
        if open_file is None or not case.file:
            return told
        base = notebook_folder() if notebook_folder is not None else cwd()
        relative = _relative(folder / case.file, base).replace(os.sep, "/")
        try:
            await open_file(OpenFile(path=relative, line=max(1, case.line)), task)
        except ToolError as error:  # no such front end, or the file is outside of what it shows
            return told.model_copy(
                update={
                    "text": _("{message}\n\nNot opened: {problem}")
                    .format(message=case.message, problem=error.message)
                    .strip()
                }
            )
        return told.model_copy(
            update={
                "summary": _("Opened {place}, where {name} failed.").format(place=place, name=name),
                "data": {**told.data, "opened": True},
            }
        )

    @registry.tool(area="tests", effects=frozenset({"write"}), target=lambda args: args.path)
    async def save_test_report(task: TaskHandle, args: SaveTestReport) -> Result:
        """Save the results of the last test run as a JUnit XML file."""
        last = memory.last
        if last is None:
            raise ToolError(_("No tests have been run yet."), hint=_(RUN_FIRST))
        data = await asyncio.to_thread(junit.report, last)
        path = await asyncio.to_thread(_write, cwd(), args.path.strip() or "report.xml", data)
        name = _relative(path, cwd())
        summary = _("Saved the results of {count} tests as {name}.").format(
            count=number(len(last.records)), name=name
        )
        return Result(summary=summary, data={"path": name, "tests": len(last.records), "bytes": len(data)})


async def _selection(folder: Path, args: RunTests, memory: Memory) -> Selection:
    """Return what is to be run, looked up on a worker: the disk may be slow.

    Raises:
        ToolError: there is no such thing.
    """
    found = await asyncio.to_thread(interpreter, folder)
    chosen: list[str] = []
    note = ""
    if args.path.strip():
        path = await asyncio.to_thread(resolve_path, folder, args.path)
        chosen += [path] if path else []
    if args.test.strip():
        tests = await asyncio.to_thread(resolve_test, folder, args.test)
        within = [test for test in tests if not chosen or test.startswith(chosen[0])]
        if not within:
            raise ToolError(
                _("There is no test {test} in {path}.").format(test=args.test, path=args.path),
                hint=_("Leave the file out."),
            )
        chosen = within
    elif args.changed:
        concerned = await changes.concerned(folder)
        if not concerned.changed and not concerned.tests:
            raise ToolError(_("Nothing has changed since the last commit."), hint=_("Run all tests instead."))
        tests = [as_argument(test) for test in concerned.tests]
        chosen = [test for test in tests if not chosen or test.startswith(chosen[0])]
        if not chosen:
            what = _listed(concerned.changed)
            raise ToolError(
                _("No test imports what has changed: {what}.").format(what=what),
                hint=_("Run all tests instead."),
            )
        if concerned.unplaced:
            note = _("Not considered: {listed}.").format(listed=_listed(concerned.unplaced))
    if found.runner == "unittest" and args.failed_only:
        failed = memory.failed(folder)
        if not failed:
            raise ToolError(
                _("No test failed last time, as far as this session knows."), hint=_("Run all tests instead.")
            )
        chosen = failed
    if len(chosen) > MAX_CHOSEN:
        chosen, note = [], _("{count} files are concerned, so all tests ran.").format(count=len(chosen))
    return Selection(folder, found, tuple(chosen), note)


def _failure(memory: Memory, number: int) -> tuple[TestCase, Path]:
    last = memory.last
    if last is None:
        raise ToolError(_("No tests have been run yet."), hint=_(RUN_FIRST))
    if not last.failures:
        raise ToolError(_("No test failed last time."), hint=_(RUN_FIRST))
    if number > len(last.failures):
        message = ngettext_(
            "There is no failure {number}: only one test failed.",
            "There is no failure {number}: {count} tests failed.",
            len(last.failures),
        )
        raise ToolError(
            message.format(number=number, count=len(last.failures)),
            hint=_("Say: open the failing test."),
        )
    return last.failures[number - 1], last.cwd


def _relative(path: Path, folder: Path) -> str:
    return os.path.relpath(path, folder)


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / os.path.expanduser(name)
    if not path.suffix:
        path = path.with_suffix(".xml")
    try:
        if path.is_dir():
            raise ToolError(
                _("{name} is a folder.").format(name=path.name), hint=_("Name a file, e.g. report.xml.")
            )
        if path.exists() and b"<testsuite" not in path.read_bytes()[:400]:
            raise ToolError(
                _("{name} is there already and no test report.").format(name=path.name),
                hint=_("Name another file."),
            )
        path.write_bytes(data)
        return path
    except OSError as error:
        raise ToolError(
            _("{name} could not be written: {strerror}.").format(name=path.name, strerror=error.strerror)
        ) from None


def _listed(paths: tuple[str, ...]) -> str:
    more = len(paths) - 3
    names = ", ".join(paths[:3])
    return _("{names} and {count} more").format(names=names, count=more) if more > 0 else names


def _because(changed: list[str]) -> str:
    return ": " + _("{names} changed").format(names=_listed(tuple(changed))) if changed else ""
