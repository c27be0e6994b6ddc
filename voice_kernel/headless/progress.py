"""How a run goes, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable

from voice_kernel.headless.commands import Command
from voice_kernel.headless.run import Outcome
from voice_kernel.messages import Notice, TaskChanged, TaskOutput, ToSurface
from voice_kernel.toolbox.door import title_of
from voice_kernel.tools.terminal import plain

MARKS = {
    "passed": "✓", "failed": "✗", "unknown": "?", "refused": "✗", "timeout": "✗", "killed": "✗",
    "cancelled": "–", "skipped": "·",
}  # fmt: skip


class TerminalProgress:
    """Writes lines.

    Args:
        write: takes text, line ends included.
        quiet: whether only what went wrong is told.
    """

    def __init__(self, write: Callable[[str], object], *, quiet: bool = False) -> None:
        self._write = write
        self._quiet = quiet
        self._printed: dict[int, int] = {}
        self._open_line = False

    def begins(self, number: int, count: int, command: Command) -> None:
        """A command begins; numbers from 1."""
        self._line(f"[{number}/{count}] {command.label}")
        for call in command.calls:  # the words need not mean it: it was written down
            self._line(f"      → {plain(title_of(call.tool, call.arguments))}")

    def said(self, event: ToSurface) -> None:
        """The session tells something."""
        if isinstance(event, TaskOutput):
            self._output(event.task_id, event.text, event.output_bytes)
        elif isinstance(event, TaskChanged):
            task = event.task
            new = task.output_bytes - self._printed.get(task.id, 0)
            if new > 0:  # a changed task carries its newest output with it
                self._output(task.id, task.tail.encode()[-new:].decode(errors="replace"), task.output_bytes)
            if task.ended_at is not None and task.state == "succeeded" and task.result is not None:
                self._line(f"      {task.result.summary}".rstrip())
        elif isinstance(event, Notice) and event.level != "info":
            self._line(f"      {event.message} {event.hint}".rstrip())

    def ran(self, position: int, count: int, outcome: Outcome) -> None:
        """A cell was run; positions from 1."""
        if outcome.state != "skipped":
            self._outcome(f"cell {position} of {count}", outcome, "  ")

    def ended(self, outcome: Outcome) -> None:
        """A command has ended."""
        self._outcome(outcome.name, outcome, "  ")

    def _outcome(self, name: str, outcome: Outcome, margin: str) -> None:
        failed = outcome.state not in ("passed", "skipped")
        state = f" {outcome.state}" if failed else ""
        self._line(f"{margin}{MARKS[outcome.state]} {name}{state}  {outcome.duration_s:.2f} s", failed)
        for text in (outcome.message, outcome.hint) if failed else ():
            if text:
                self._line(f"{margin}  {text}", True)

    def _output(self, task_id: int, text: str, output_bytes: int) -> None:
        self._printed[task_id] = output_bytes
        if not self._quiet and text:
            self._write(text)
            self._open_line = not text.endswith("\n")

    def _line(self, text: str, important: bool = False) -> None:
        if (self._quiet and not important) or not text.strip():
            return
        self._write(("\n" if self._open_line else "") + text + "\n")
        self._open_line = False
