"""Tell what pytest does, one JSON object a line, to the descriptor named in the environment.

A pytest plugin (`-p voice_kernel_events`) that is loaded by whatever Python and pytest (6 or newer) a
project has: the standard library and pytest are all it may import, and it must not disturb a run
whatever happens to its reader. This folder holds nothing else, since it is put on PYTHONPATH.

Events: collected, start, report, problem, finish. See `voice_kernel.tools.tests`, which reads them.
"""

# ruff: noqa: D102 - the hooks are pytest's, and documented there
from __future__ import annotations

import json
import os
from typing import Any

import pytest

VARIABLE = "VOICE_KERNEL_EVENTS_FD"
MAX_DETAIL = 4000
MAX_MESSAGE = 500


class Events:
    """Writes the events. Made in the main process only, never in the workers of pytest-xdist."""

    def __init__(self, fd: int, rootdir: Any, invocation_dir: Any) -> None:
        self.fd = fd
        self.pid = os.getpid()
        self.rootdir = rootdir
        self.invocation_dir = invocation_dir

    def emit(self, event: str, **values: Any) -> None:
        if self.fd < 0 or os.getpid() != self.pid:  # nobody reads, or a test forked and came this far
            return
        data = (json.dumps(dict(values, event=event), default=str) + "\n").encode()
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError:
            self.fd = -1

    def pytest_collection_finish(self, session: Any) -> None:
        self.emit("collected", count=len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Any) -> None:
        self.emit("collected", count=len(ids))

    def pytest_deselected(self, items: Any) -> None:
        self.emit("deselected", count=len(items))

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

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        self.emit("finish", exit=int(exitstatus))


def error_of(text: str) -> str:
    """Return the error's own line of a report: of its last lines that begin with `E`, the first."""
    lines = text.strip().splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E   ")]
    return (errors[-1] if errors else lines[-1] if lines else "")[:MAX_MESSAGE]


def pytest_configure(config: Any) -> None:
    """Start to tell, where somebody asked for it."""
    fd = os.environ.pop(VARIABLE, "")  # not for pytest runs inside of tests
    if not fd.isdigit() or hasattr(config, "workerinput"):
        return
    os.set_inheritable(int(fd), False)
    if config.getoption("lf", False) and not config.pluginmanager.hasplugin("lfplugin"):
        raise pytest.UsageError("pytest's cache is off")  # it would run all tests instead
    invocation = getattr(config, "invocation_params", None)
    start = getattr(invocation, "dir", None) or os.getcwd()
    root = getattr(config, "rootpath", None) or config.rootdir
    config.pluginmanager.register(Events(int(fd), root, start), "voice-kernel-events")
