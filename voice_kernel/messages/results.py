"""What a task gives back: its outputs in Jupyter's words, the report of a test run, the whole."""

from __future__ import annotations

from typing import Any, Literal

from voice_kernel.messages.widgets import Widget
from voice_kernel.messages.wire import Wire


class Output(Wire):
    """One piece of output, in the words of the Jupyter messaging protocol."""

    kind: Literal["stream", "display", "result", "error"]
    text: str = ""
    """Plain text with ANSI colours: the stream's text, or the traceback of an error."""
    data: dict[str, str] = {}
    """Mime bundle of a display or a result; images as base64 text. At most 2 MB in all."""


class TestCase(Wire):
    """One test's outcome."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    id: str
    """pytest node id."""
    outcome: Literal["passed", "failed", "skipped", "error", "xfailed", "xpassed"]
    duration_s: float = 0.0
    file: str = ""
    line: int = 0
    """From 1; 0 when unknown."""
    message: str = ""
    """The assertion or error, first 500 characters."""
    detail: str = ""
    """The failure's report, last 4,000 characters."""


class TestReport(Wire):
    """What a test run amounts to; failures first, then up to 200 others."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    duration_s: float = 0.0
    cases: list[TestCase] = []


class Result(Wire):
    """What a task gave back."""

    summary: str = ""
    """One line for a person (and later for speech): no code, no ids."""
    text: str = ""
    """Plain text body, at most 16 KB."""
    code: str = ""
    """The code that was run, when the tool ran or proposes code."""
    outputs: list[Output] = []
    tests: TestReport | None = None
    exit_code: int | None = None
    """Exit status of a command; None when there was no process."""
    data: dict[str, Any] = {}
    """JSON result for programs and models, at most 64 KB."""
    widgets: list[Widget] = []
    """As they stood when the task ended; at most 8."""
