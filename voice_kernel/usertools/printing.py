"""What a tool's function prints goes to its task, and not into whatever cell is newest.

While a call runs, `sys.stdout` and `sys.stderr` are stood in for by streams that look who writes: code in
the context of a call (its thread, its coroutine, whatever these start with their context) writes to its
task, everybody else to the stream that was there before. It does not know tasks.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any

Write = Callable[[str], None]

_writer: ContextVar[Write | None] = ContextVar("voice_kernel_tool_output", default=None)
_lock = threading.Lock()
_calls = 0
"""How many calls run whose output is looked for."""


class RoutedStream:
    """A text stream that passes on what is written, to a call's task or to the stream it stands in for."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text, as `io.TextIOBase.write`."""
        writer = _writer.get()
        if writer is None:
            return int(self.stream.write(text))
        writer(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        """Whether a terminal reads it; a task is none."""
        return _writer.get() is None and bool(self.stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def routed() -> Iterator[None]:
    """Stand in for the streams while the context is open; contexts may overlap. Any thread.

    Somebody may have put other streams in place meanwhile (`%%capture`, `redirect_stdout`): those are
    left as they are, and a stream of ours that they put back later passes everything on.
    """
    global _calls
    with _lock:
        _calls += 1
        for name in ("stdout", "stderr"):
            if not isinstance(getattr(sys, name), RoutedStream):
                setattr(sys, name, RoutedStream(getattr(sys, name)))
    try:
        yield
    finally:
        with _lock:
            _calls -= 1
            for name in ("stdout", "stderr") if _calls == 0 else ():
                stream = getattr(sys, name)
                if isinstance(stream, RoutedStream):
                    setattr(sys, name, stream.stream)


@contextlib.contextmanager
def written_to(write: Write) -> Iterator[None]:
    """Let what the code inside prints go to `write`: of this context, and of what it starts with it."""
    token = _writer.set(write)
    try:
        yield
    finally:
        _writer.reset(token)
