"""Tell what pytest does, one JSON object a line, to the descriptor named in the environment.

A pytest plugin (`-p voice_kernel_events`) that is loaded by whatever Python and pytest (6 or newer) a
project has: the standard library and pytest are all it may import, and it must not disturb a run
whatever happens to its reader. This folder holds nothing but what runs tests, since it is put on PYTHONPATH.

Events: collected, start, report, problem, coverage, finish. See
`voice_kernel.tools.testing.run`, which reads them.
"""

# ruff: noqa: D102 - the hooks are pytest's, and documented there
from __future__ import annotations

import contextlib
import json
import os
import tempfile
from typing import Any

import pytest
from voice_kernel_wire import Wire, wire  # type: ignore[import-not-found]  # beside it on PYTHONPATH

COVERAGE_VARIABLE = "VOICE_KERNEL_COVERAGE"
MAX_FILES = 20
"""Files told of that were run least."""
MAX_DETAIL = 4000
MAX_MESSAGE = 500


class Events:
    """Writes the events. Made in the main process only, never in the workers of pytest-xdist."""

    def __init__(self, out: Wire, config: Any, rootdir: Any, invocation_dir: Any) -> None:
        self.emit = out.emit
        self.config = config
        self.rootdir = rootdir
        self.invocation_dir = invocation_dir
        self.coverage = os.environ.pop(COVERAGE_VARIABLE, "")

    def pytest_collection_finish(self, session: Any) -> None:
        self.emit("collected", count=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Any) -> None:
        self.emit("collected", count=len(ids))

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            text = report.longreprtext
            self.emit("problem", id=report.nodeid, message=error_of(text), detail=text[-MAX_DETAIL:])

    def pytest_internalerror(self, excrepr: Any) -> None:
        text = str(excrepr)
        self.emit(
            "problem", id="", message=text.strip().splitlines()[-1][:MAX_MESSAGE], detail=text[-MAX_DETAIL:]
        )

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        self.emit("start", id=nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        file, line, _ = report.location
        values = {
            "id": report.nodeid,
            "when": report.when,
            "outcome": report.outcome,
            "duration_s": round(getattr(report, "duration", 0.0), 6),
            "file": self.relative(os.path.join(str(self.rootdir), file)),
            "line": (line or 0) + 1,
        }
        context = getattr(report, "context", None)  # a subtest
        if context is not None:
            values["subtest"] = str(getattr(context, "msg", "") or getattr(context, "kwargs", ""))
        if hasattr(report, "wasxfail"):
            values["xfail"] = True
        if report.failed:
            values.update(self.failure(report))
        elif report.skipped and isinstance(report.longrepr, tuple):
            values["message"] = str(report.longrepr[2])[:MAX_MESSAGE]
        self.emit("report", **values)

    def failure(self, report: Any) -> dict[str, Any]:
        text = report.longreprtext
        found = {"detail": text[-MAX_DETAIL:], "message": error_of(text)}
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            found["message"] = str(crash.message)[:MAX_MESSAGE]
        place = self.place(report.longrepr) or (crash and self.own(crash.path, crash.lineno))
        if place:
            found["file"], found["line"] = place
        return found

    def place(self, longrepr: Any) -> tuple[str, int] | None:
        """Return the deepest line of the traceback that belongs to the project."""
        traceback = getattr(longrepr, "reprtraceback", None)
        for entry in reversed(getattr(traceback, "reprentries", None) or []):
            location = getattr(entry, "reprfileloc", None)
            place = location and self.own(location.path, location.lineno)
            if place:
                return place
        return None

    def own(self, path: Any, line: int) -> tuple[str, int] | None:
        full = os.path.normpath(os.path.join(str(self.invocation_dir), str(path)))
        root = os.path.join(str(self.rootdir), "")
        parts = full[len(root) :].split(os.sep)
        if not full.startswith(root) or "site-packages" in parts or not os.path.isfile(full):
            return None
        return self.relative(full), int(line)

    def relative(self, path: str) -> str:
        """Return the path as seen from where pytest was started, when it is below."""
        start = os.path.join(str(self.invocation_dir), "")
        path = os.path.normpath(path)
        return path[len(start) :] if path.startswith(start) else path

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        if self.coverage:
            # Whatever goes wrong in there must not change how the run ends: then nothing is told of it.
            with contextlib.suppress(Exception):
                self.emit("coverage", **covered(self.config))
        self.emit("finish", exit=int(exitstatus))


def covered(config: Any) -> dict[str, Any]:
    """Return how much of the code was run, and of which files the least: by pytest-cov or by coverage."""
    plugin = config.pluginmanager.getplugin("_cov")
    controller = getattr(plugin, "cov_controller", None)
    if controller is not None:
        measured = getattr(controller, "combining_cov", None) or controller.cov
    else:
        from coverage import Coverage

        measured = Coverage.current()
    with tempfile.TemporaryDirectory(prefix="voice-kernel-") as folder:
        path = os.path.join(folder, "coverage.json")
        measured.json_report(outfile=path)
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    files = [
        {
            "file": name,
            "percent": round(found["summary"]["percent_covered"], 1),
            "missing": found["summary"]["missing_lines"],
        }
        for name, found in report["files"].items()
        if found["summary"]["missing_lines"]
    ]
    files.sort(key=lambda file: (file["percent"], -file["missing"]))
    return {"percent": round(report["totals"]["percent_covered"], 1), "files": files[:MAX_FILES]}


def error_of(text: str) -> str:
    """Return the error's own line of a report: of its last lines that begin with `E`, the first."""
    lines = text.strip().splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E   ")]
    return (errors[-1] if errors else lines[-1] if lines else "")[:MAX_MESSAGE]


def pytest_configure(config: Any) -> None:
    """Start to tell, where somebody asked for it."""
    if hasattr(config, "workerinput"):
        return
    out = wire()
    if out is None:
        return
    if config.getoption("lf", False) and not config.pluginmanager.hasplugin("lfplugin"):
        raise pytest.UsageError("pytest's cache is off")  # it would run all tests instead
    invocation = getattr(config, "invocation_params", None)
    start = getattr(invocation, "dir", None) or os.getcwd()
    root = getattr(config, "rootpath", None) or config.rootdir
    config.pluginmanager.register(Events(out, config, root, start), "voice-kernel-events")
