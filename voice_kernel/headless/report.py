"""The outcomes of a run as a file: JUnit XML for continuous integration, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from voice_kernel.errors import NotebookError
from voice_kernel.headless.run import Outcome, Report

FAILURES = frozenset({"failed", "unknown", "refused"})
ERRORS = frozenset({"timeout", "killed", "cancelled"})
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check(path: Path) -> None:
    """Raise unless a report can be written in the format that a file's name asks for.

    Raises:
        NotebookError: it ends neither in `.xml` nor in `.json`.
    """
    if path.suffix not in _FORMATS:
        raise NotebookError(
            f"No report can be written as {path.name}.", hint="Name it .xml (JUnit) or .json."
        )


def write(report: Report, path: Path, exit_code: int) -> None:
    """Write a report in the format of the file's name.

    Raises:
        NotebookError: it cannot be written, or has no known format.
    """
    check(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_FORMATS[path.suffix](report, exit_code), encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{path} cannot be written: {error.strerror}.") from None


def as_json(report: Report, exit_code: int) -> str:
    """Return a report as JSON."""
    data = {
        "notebook": str(report.notebook),
        "output": str(report.output),
        "outcome": report.state,
        "exit_code": exit_code,
        "started_at": _time(report),
        "duration_s": round(report.duration_s, 3),
        "commands": [_outcome(outcome) for outcome in report.commands],
        "cells": [_outcome(outcome) for outcome in report.cells],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_junit(report: Report, exit_code: int) -> str:
    """Return a report as JUnit XML: a suite of the commands, and one of the cells."""
    root = Element("testsuites", name="voice-kernel run")
    for name, outcomes in (("commands", report.commands), ("cells", report.cells)):
        if outcomes:
            _suite(root, name, outcomes, report)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, name: str, outcomes: Sequence[Outcome], report: Report) -> None:
    suite = SubElement(
        root,
        "testsuite",
        name=f"{report.notebook.name} {name}",
        tests=str(len(outcomes)),
        failures=str(sum(outcome.state in FAILURES for outcome in outcomes)),
        errors=str(sum(outcome.state in ERRORS for outcome in outcomes)),
        skipped=str(sum(outcome.state == "skipped" for outcome in outcomes)),
        time=f"{sum(outcome.duration_s for outcome in outcomes):.3f}",
        timestamp=_time(report),
    )
    for outcome in outcomes:
        case = SubElement(
            suite,
            "testcase",
            classname=f"{report.notebook.stem}.{name}",
            name=_xml(outcome.name),
            time=f"{outcome.duration_s:.3f}",
        )
        if outcome.where:
            case.set("file", outcome.where.partition(":")[0])
            case.set("line", outcome.where.partition(":")[2])
        if outcome.state == "skipped":
            SubElement(case, "skipped")
        elif outcome.state != "passed":
            kind = "failure" if outcome.state in FAILURES else "error"
            problem = SubElement(case, kind, type=outcome.state, message=_xml(outcome.message))
            problem.text = _xml(f"{outcome.message}\n{outcome.hint}".strip())


def _outcome(outcome: Outcome) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": outcome.name,
        "state": outcome.state,
        "duration_s": round(outcome.duration_s, 3),
    }
    for name in ("message", "hint", "where"):
        if getattr(outcome, name):
            data[name] = getattr(outcome, name)
    return data


def _time(report: Report) -> str:
    return datetime.fromtimestamp(report.started_at, UTC).isoformat(timespec="seconds")


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


_FORMATS: dict[str, Callable[[Report, int], str]] = {".xml": as_junit, ".json": as_json}
