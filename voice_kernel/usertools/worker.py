"""A function in a thread of its own, and how it is ended.

Python cannot end a thread. What can be done: raise an exception in it, which comes through as soon as it
runs Python code again, so also in a loop that never asks. A call into C that does not return (a sleep, a
query, a lock) is not reached; the thread is then left to itself, counted, and ends with the process. It
does not know tasks.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import threading
from collections.abc import Callable
from typing import Any

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.usertools.toolcontext import ToolCancelled

MAX_LEFT = 8
"""Threads that could not be ended; with so many of them no further function is started."""

_left: set[Worker] = set()


class Worker:
    """One call in one thread. Belongs to the loop thread.

    Args:
        call: what to call; its context is that of the caller.
        name: the thread's name.

    Raises:
        ToolError: too many threads could not be ended and still run.
    """

    def __init__(self, call: Callable[[], Any], name: str) -> None:
        if len(_left) >= MAX_LEFT:
            raise ToolError(
                _("{count} functions that were cancelled could not be ended and still run.").format(
                    count=len(_left)
                ),
                hint=_("Restart the kernel to end them."),
            )
        self._call = call
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[tuple[Any, BaseException | None]] = self._loop.create_future()
        self._returned = False
        """Whether the function has ended: nothing may be raised in its thread any more."""
        self._leaving = threading.Lock()
        self._over = False
        self._when_ended: Callable[[], object] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the function has ended."""
        return self._outcome.done()

    async def ended(self, limit_s: float | None = None) -> bool:
        """Wait until the function has ended, or `limit_s` seconds; return whether it has."""
        await asyncio.wait({self._outcome}, timeout=limit_s)
        return self.done

    def result(self) -> Any:
        """Return what the function returned, or raise what it raised, once it has ended."""
        value, error = self._outcome.result()
        if error is not None:
            raise error
        return value

    def stop(self) -> None:
        """Raise `ToolCancelled` in the function; it comes through at its next step of Python code."""
        if not self._returned and self._thread.ident is not None:
            _raise_in(self._thread.ident, ToolCancelled)

    def leave(self, when_ended: Callable[[], object]) -> None:
        """Count the thread among those that could not be ended, until it ends by itself.

        It is the thread that says so then, to `when_ended`: the loop may have ended before it.
        """
        with self._leaving:
            if not self._over:
                _left.add(self)
                self._when_ended = when_ended
                return
        when_ended()

    # ---- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            try:
                value = self._context.run(self._call)
            except BaseException as raised:  # noqa: BLE001 - whatever it raises is what came of it
                error = raised
            self._returned = True
        except ToolCancelled as late:  # it came when there was nothing left to end
            self._returned = True
            error = error or late
        # One that was on its way when the function ended comes at any of these steps: they are begun
        # again, and settling twice does no harm.
        for _again in range(3):
            try:
                _raise_in(threading.get_ident(), None)
                with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
                    self._loop.call_soon_threadsafe(self._settle, value, error)
                break
            except ToolCancelled:
                continue
        with self._leaving:
            self._over = True
        _left.discard(self)
        if self._when_ended is not None:
            self._when_ended()

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if not self._outcome.done():
            self._outcome.set_result((value, error))


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    """Raise an exception in a thread at its next step; None takes back one that is on its way."""
    argument = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), argument)
