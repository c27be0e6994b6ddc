"""One daemon thread that runs short jobs, the most urgent first.

Decoding takes a tenth of a second or more and must block neither the event loop nor the end of the
process. It does not know what the jobs do.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Callable
from enum import IntEnum

logger = logging.getLogger(__name__)


class Urgency(IntEnum):
    """What goes first when several jobs wait."""

    STOP = 0
    ANSWER = 1
    """Somebody waits for a final text."""
    LISTEN = 2
    """Cheap, and keeps up with the microphone."""
    READ_AHEAD = 3
    """Only when there is nothing better to do."""


class Worker:
    """Runs jobs one after the other in a thread of its own, which starts with the first job."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.PriorityQueue[tuple[Urgency, int, Callable[[], None]]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._on_end: Callable[[], None] = _nothing

    def submit(self, urgency: Urgency, job: Callable[[], None]) -> bool:
        """Queue a job; returns False when the worker is closed. The job reports its own errors."""
        with self._lock:
            if self._closed.is_set():
                return False
            self._jobs.put((urgency, next(self._numbers), job))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return True

    def close(self, on_end: Callable[[], None]) -> None:
        """Take no more jobs and drop those that wait; the one under way is not disturbed.

        Args:
            on_end: called once, from any thread, when no job runs any more.
        """
        with self._lock:
            self._on_end = on_end
            running = self._thread is not None and self._thread.is_alive()
            self._closed.set()
            self._jobs.put((Urgency.STOP, next(self._numbers), _nothing))
        if not running:
            on_end()

    def _run(self) -> None:
        while True:
            _, _, job = self._jobs.get()
            if self._closed.is_set():
                break
            try:
                job()
            except Exception:  # a bug in one utterance must not make the session deaf
                logger.exception("a job of %s failed", self._name)
            del job  # or the utterance of the last job would live until the next one
        with self._lock:  # `close` is done, so `on_end` is known
            on_end = self._on_end
        on_end()


def _nothing() -> None:
    """Wake the thread."""
