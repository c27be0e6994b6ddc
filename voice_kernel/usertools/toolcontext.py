"""What a tool's function holds of its task: progress, output, a log, and whether it is cancelled.

A function asks for it by a parameter `ctx: ToolContext`. All methods may be called from any thread. It does
not know how the function runs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Protocol


class ToolCancelled(asyncio.CancelledError):
    """The task was cancelled: raised inside its function, which should let it pass.

    No `except Exception` catches it; a `finally` still tidies up.
    """


class Sink(Protocol):
    """Where progress and output of one call go; callable from any thread."""

    def write(self, text: str) -> None:
        """Take output."""
        ...

    def progress(
        self, fraction: float | None, label: str, done: float | None, total: float | None, unit: str
    ) -> None:
        """Take how far it is."""
        ...


class _Printed:
    """The sink of a function that is called as any other function is."""

    def write(self, text: str) -> None:
        print(text, end="")  # noqa: T201  there is no task to write to

    def progress(
        self, fraction: float | None, label: str, done: float | None, total: float | None, unit: str
    ) -> None:
        pass


class ToolContext:
    """Tell a task how far it is, and find out whether it was cancelled.

    Made for each call. `ToolContext()` is one without a task, to call a tool's function by hand:
    output is printed, progress goes nowhere, and nothing cancels it.

    Args:
        sink: where output and progress go.
        name: the tool's name, for the log.
    """

    def __init__(self, sink: Sink | None = None, name: str = "tool") -> None:
        self._sink: Sink = sink or _Printed()
        self._cancelled = threading.Event()
        self.log = _logger(self._sink, name)
        """A standard logger; what it is told is output of the task, with its time."""

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled: return soon, or call `check`."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `ToolCancelled` if the task was cancelled."""
        if self._cancelled.is_set():
            raise ToolCancelled

    def progress(
        self,
        fraction: float | None = None,
        label: str = "",
        *,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
    ) -> None:
        """Say how far the work is. Cheap enough to be called in every step of a loop.

        Args:
            fraction: from 0 to 1; None when it is not known, or follows from `done` and `total`.
            label: what is being done, in a few words.
            done: how many of what is counted.
            total: how many there are.
            unit: what is counted, e.g. `files`.

        Raises:
            ToolCancelled: the task was cancelled.
        """
        self.check()
        self._sink.progress(fraction, label, done, total, unit)

    def output(self, text: str) -> None:
        """Add a line of output to the task, as `print` in its function does.

        Raises:
            ToolCancelled: the task was cancelled.
        """
        self.check()
        self._sink.write(text if text.endswith("\n") else text + "\n")

    def sleep(self, seconds: float) -> None:
        """Wait, unlike `time.sleep` only until the task is cancelled. Not for `async def`.

        Raises:
            ToolCancelled: the task was cancelled, before or meanwhile.
        """
        if self._cancelled.wait(seconds):
            raise ToolCancelled

    def cancel(self) -> None:
        """Note that the task was cancelled; whoever runs the function calls it."""
        self._cancelled.set()


def _logger(sink: Sink, name: str) -> logging.Logger:
    # Not one of `logging.getLogger`: those are kept for good, and this one belongs to a call.
    logger = logging.Logger(name, logging.DEBUG)
    handler = _Lines(sink)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    return logger


class _Lines(logging.Handler):
    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink.write(self.format(record) + "\n")
