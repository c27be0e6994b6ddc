"""Full logs, of tasks and of servers: read by the page, and searched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voice_kernel.messages.wire import Problem, Wire


class LogPage(Wire):
    """Answer to `ReadLog`."""

    type: Literal["log_page"] = "log_page"
    id: int
    first_line: int = 0
    """Position of the first of `lines`, from 0."""
    lines: list[str] = []
    """With ANSI colours; each at most 4,000 characters, together at most 200 KB."""
    total_lines: int = 0
    """So far; a running task's log grows."""
    total_bytes: int = 0
    complete: bool = True
    """Whether the log has got its last line."""
    problem: Problem | None = None


class LogHit(Wire):
    """A line of a log that holds what was searched."""

    line: int
    """From 0."""
    text: str
    """At most 300 characters around the first place."""


class LogHits(Wire):
    """Answer to `SearchLog`."""

    type: Literal["log_hits"] = "log_hits"
    id: int
    hits: list[LogHit] = []
    next_line: int | None = None
    """Where to go on searching; None when the end was reached."""
    problem: Problem | None = None


class ReadLog(Wire):
    """Read lines of a task's full log. Answered with `LogPage`."""

    type: Literal["read_log"] = "read_log"
    id: int
    task_id: int | None = None
    past_id: int | None = None
    """The number in the history, for a task of another session."""
    server: str = ""
    """The name of an MCP server, for its log; one of the three is given."""
    first_line: int = 0
    """From 0; negative counts from the end."""
    lines: int = Field(default=500, ge=1, le=5_000)


class SearchLog(Wire):
    """Find text in a task's full log. Answered with `LogHits`."""

    type: Literal["search_log"] = "search_log"
    id: int
    task_id: int | None = None
    past_id: int | None = None
    server: str = ""
    query: str = Field(min_length=1, max_length=200)
    """Plain text; upper and lower case are alike."""
    from_line: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=1_000)
