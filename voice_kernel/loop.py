"""The one background thread with one asyncio loop, on which everything but user code runs.

Responsible for starting that thread when it is first needed, for handing work to it from any other
thread, and for ending it within a bound. It knows nothing of what runs on it. Child processes are
spawned from this thread, because Linux ties a child's parent-death signal to the spawning *thread*.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREAD_NAME = "voice-kernel"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0

ErrorHandler = Callable[[BaseException], None]
"""Told of an exception that nobody fetched. Called on any thread."""


def log_error(error: BaseException) -> None:
    """Log where an exception came from, without its text: that may hold what a user said or ran."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"
    logger.error("A background task failed with %s at %s", type(error).__name__, where)


class Submission(concurrent.futures.Future[T], Generic[T]):
    """The outcome of a coroutine on the loop thread.

    Unlike the future of `asyncio.run_coroutine_threadsafe`, it is done only when the coroutine has
    ended: `cancel()` asks, and whoever waits sees the clean-up through.
    """

    def __init__(self, on_error: ErrorHandler) -> None:
        super().__init__()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None
        self._on_error = on_error
        self._fetched = False

    def cancel(self) -> bool:
        """Ask the coroutine to end; return whether it was still running."""
        if self.done():
            return False
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and abandons what is left
                self._loop.call_soon_threadsafe(self._cancel_task)
        return True

    def result(self, timeout: float | None = None) -> T:
        """Wait for the coroutine's result, at most `timeout` seconds."""
        self._fetched = self._fetched or self.done() or timeout is None
        try:
            return super().result(timeout)
        finally:
            self._fetched = self.done()

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the coroutine's exception, at most `timeout` seconds."""
        error = super().exception(timeout)
        self._fetched = True
        return error

    def begin(self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> None:
        """Run the coroutine soon, on its loop. Before `cancel`, in whatever order they are then asked.

        Raises:
            RuntimeError: the loop is closed.
        """
        self._loop = loop
        loop.call_soon_threadsafe(self._create_task, coroutine)

    def _create_task(self, coroutine: Coroutine[Any, Any, T]) -> None:
        assert self._loop is not None
        self._task = self._loop.create_task(coroutine)
        self._task.add_done_callback(self._settle)

    def _cancel_task(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _settle(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            super().cancel()
            self.set_running_or_notify_cancel()
        elif (error := task.exception()) is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())

    def abandon(self) -> None:
        """End without an outcome, as cancelled: the loop is gone."""
        if super().cancel():
            self.set_running_or_notify_cancel()

    def __del__(self) -> None:
        if not self._fetched and self.done() and not self.cancelled():
            error = super().exception()
            if error is not None:
                self._on_error(error)


class AgentLoop:
    """A daemon thread with an asyncio loop, started when it is first needed.

    Args:
        on_error: told of every exception that nobody fetched; logs its type and place by default.
    """

    def __init__(self, on_error: ErrorHandler = log_error) -> None:
        self._on_error = on_error
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._open: set[concurrent.futures.Future[Any]] = set()
        """Submissions that are not done: should the loop end without them, they end with it."""
        _alive.add(self)

    @property
    def running(self) -> bool:
        """Whether the thread runs, in this process."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the caller is on the loop thread."""
        return self._thread is threading.current_thread()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Submission[T]:
        """Run a coroutine on the loop thread. Callable from any thread.

        An exception that is never fetched from the returned future goes to the error handler.

        Raises:
            RuntimeError: the loop was stopped.
        """
        submission: Submission[T] = Submission(self._on_error)
        try:
            loop = self._running_loop()
            self._open.add(submission)
            submission.add_done_callback(self._open.discard)
            submission.begin(loop, coroutine)
        except RuntimeError:
            coroutine.close()
            submission.abandon()
            raise
        return submission

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the loop thread, soon. Callable from any thread, in the order called.

        Raises:
            RuntimeError: the loop was stopped.
        """
        self._running_loop().call_soon_threadsafe(function, *args)

    def run_sync(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Run a coroutine on the loop thread and wait for its result.

        Nothing that runs user code may be waited for like this from the main thread: that is what
        `Kernel.wait` is for.

        Raises:
            TimeoutError: it took longer than `timeout_s`; the coroutine is cancelled.
            RuntimeError: called on the loop thread itself, or the loop was stopped.
        """
        if self.is_current:
            coroutine.close()
            raise RuntimeError("run_sync would wait for itself: called on the loop thread")
        submission = self.submit(coroutine)
        try:
            return submission.result(timeout_s)
        except TimeoutError:
            submission.cancel()
            raise
        except KeyboardInterrupt:
            submission.cancel()
            raise

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Cancel all tasks, then wait for the thread at most `timeout_s` seconds.

        Final: what is submitted later is refused. Safe to call twice, and from the loop thread
        (which is then not waited for).

        Returns:
            Whether the thread has ended.
        """
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return True
        deadline = time.monotonic() + timeout_s
        try:
            loop.call_soon_threadsafe(self._cancel_all, loop, timeout_s * 0.75)
        except RuntimeError:  # closed between the look and the call: it has ended by itself
            return True
        if thread is threading.current_thread():
            return False
        thread.join(max(0.0, deadline - time.monotonic()))
        return not thread.is_alive()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._stopped:
                raise RuntimeError("the background loop was stopped")
            if self._loop is None:
                self._start()
            assert self._loop is not None
            return self._loop

    def _start(self) -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(self._report)
        started = threading.Event()
        loop.call_soon(started.set)
        self._thread = threading.Thread(target=self._run, args=(loop,), name=THREAD_NAME, daemon=True)
        self._thread.start()
        if not started.wait(START_TIMEOUT_S):
            raise RuntimeError("the background loop did not start")
        self._loop = loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            for submission in list(self._open):
                assert isinstance(submission, Submission)
                submission.abandon()

    def _report(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._on_error(error)
        else:
            logger.error("The background loop reports: %s", context.get("message", "?"))

    def _cancel_all(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()

        async def finish() -> None:
            if tasks:
                await asyncio.wait(tasks, timeout=timeout_s)
            await loop.shutdown_asyncgens()
            loop.stop()

        self._finishing = loop.create_task(finish())

    def _forget(self) -> None:
        # In a forked child the thread is gone, and the loop's selector is shared with the parent:
        # closing it here would unregister the parent's sockets. So it is kept, unused.
        if self._loop is not None:
            _abandoned.append(self._loop)
        self._lock = threading.Lock()
        self._loop = None
        self._thread = None
        self._open = set()


_alive: weakref.WeakSet[AgentLoop] = weakref.WeakSet()
_abandoned: list[asyncio.AbstractEventLoop] = []


def _stop_all() -> None:
    for loop in list(_alive):
        loop.stop()


def _forget_all() -> None:
    for loop in list(_alive):
        loop._forget()


atexit.register(_stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
