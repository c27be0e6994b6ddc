"""What is remembered of a run of the tests: how it was asked for, and how each test ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from voice_kernel.messages import TestCase
from voice_kernel.toolbox.registry import Arguments

MAX_RECORDS = 100_000
"""Tests remembered one by one, for the slowest and for the report; more are only counted."""


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
    test: str = Field(
        default="", max_length=1000, description="One test by its whole name, e.g. test_login_works."
    )
    marker: str = Field(
        default="", max_length=200, description="Only tests with this marker, e.g. slow, or: not slow."
    )
    changed: bool = Field(
        default=False, description="Only tests that files changed since the last commit concern."
    )
    slowest: bool = Field(default=False, description="Tell which tests took longest.")
    coverage: bool = Field(default=False, description="Tell how much of the code the tests ran.")
    show_locals: bool = Field(default=False, description="Show local variables in the reports of failures.")
    again: bool = Field(default=False, description="As last time: the other arguments are the last run's.")
    timeout: float | None = Field(
        default=None, gt=0, le=86_400, description="End the tests after so many seconds."
    )


class Record(NamedTuple):
    """How one test ended."""

    id: str
    outcome: str
    duration_s: float
    message: str = ""
    detail: str = ""


@dataclass
class Run:
    """One run, as far as it went."""

    cwd: Path
    args: RunTests
    records: list[Record] = field(default_factory=list)
    left_out: int = 0
    """Tests past `MAX_RECORDS`."""
    failures: list[TestCase] = field(default_factory=list)
    """In the order in which they are shown; at most as many as are."""
    started_at: float = 0.0
    duration_s: float = 0.0

    def add(self, record: Record) -> None:
        """Remember how a test ended."""
        if len(self.records) < MAX_RECORDS:
            self.records.append(record)
        else:
            self.left_out += 1

    def slowest(self, count: int) -> list[Record]:
        """Return the tests that took longest, the longest first."""
        return sorted(self.records, key=lambda record: -record.duration_s)[:count]


class Memory:
    """The last run of the tests in this session."""

    def __init__(self) -> None:
        self.last: Run | None = None

    def failed(self, cwd: Path) -> list[str]:
        """Return the ids of what failed last time in a folder."""
        if self.last is None or self.last.cwd != cwd:
            return []
        return [case.id for case in self.last.failures if case.id]
