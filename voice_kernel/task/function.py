"""Call a Python function where an executor runs things: in a process of its own, under its reaper.

The function, its arguments and what it returns travel as pickles, by cloudpickle where that is installed,
so that a function of a notebook can go too. What it prints is output; how far it is, it tells a `Reporter`
among its arguments. Cancelling the call ends the process with all it started. This module is both ends:
`run_function` here, `main` in the process, which loads little more than this file.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voice_kernel.language import _, use, used

if TYPE_CHECKING:
    from voice_kernel.messages import Progress
    from voice_kernel.task.executor import Executor
    from voice_kernel.task.process import Exit

PAYLOAD_VARIABLE = "VOICE_KERNEL_PAYLOAD"
EVENTS_VARIABLE = "VOICE_KERNEL_EVENTS_FD"
MAX_RESULT_BYTES = 16 * 1024**2
MAX_EVENT_BYTES = 2 * MAX_RESULT_BYTES
MAX_TRACEBACK_CHARS = 16_000
TOLD_EVERY_S = 0.05
"""Progress that comes faster is left out."""


class Reporter:
    """Where a function tells how far it is: put one among its arguments.

    Called by hand, without a task, it says nothing.
    """

    def progress(
        self,
        fraction: float | None = None,
        label: str = "",
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
    ) -> None:
        """Tell how far the function is; the parts of `messages.Progress`."""
        global _told_at
        now = time.monotonic()
        if now - _told_at >= TOLD_EVERY_S or fraction == 1:
            _told_at = now
            values = {"fraction": fraction, "label": label, "done": done, "total": total, "unit": unit}
            _tell("progress", **values)

    def write(self, text: str) -> None:
        """Put out text, as `print` does."""
        sys.stdout.write(text)
        sys.stdout.flush()


class FunctionRaised(Exception):
    """The function raised: its exception as text, since its class may not exist here."""

    def __init__(self, kind: str, message: str, lines: str) -> None:
        super().__init__(message)
        self.kind = kind
        """Name of the exception's class."""
        self.message = message
        self.traceback = lines


class FunctionEnded(Exception):
    """The function's process ended without a result: killed, out of time, or by itself."""

    def __init__(self, message: str, exit_: Exit) -> None:
        super().__init__(message)
        self.exit = exit_


async def run_function(
    executor: Executor,
    function: Callable[..., Any],
    arguments: Sequence[Any] = (),
    named: Mapping[str, Any] | None = None,
    *,
    cwd: str | os.PathLike[str] = ".",
    timeout_s: float | None = None,
    on_output: Callable[[bytes], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[str], None] | None = None,
    on_restart: Callable[[], None] | None = None,
) -> Any:
    """Call a function where the executor runs things, and return what it returns.

    A coroutine function is run to its end there. Cancelling ends its process: it has two seconds to tidy
    up, beginning with a `SystemExit` raised in it.

    Args:
        executor: where.
        function: what; with its arguments it must be picklable.
        arguments: its arguments, a `Reporter` among them if it wants to tell how far it is.
        named: its arguments by name.
        cwd: the working folder, from which it can import as well.
        timeout_s: end it after this time.
        on_output: called with what it prints.
        on_progress: called with what it tells its `Reporter`.
        on_wait: see `Executor.run`.
        on_restart: see `Executor.run`.

    Raises:
        FunctionRaised: it raised.
        FunctionEnded: its process ended without a result.
        ExecutorError: it cannot be sent or run there, or its result cannot be sent back.
        TaskInterrupted: the place where it ran is gone.
    """
    from voice_kernel.errors import ExecutorError

    try:
        payload = _dumps((function, tuple(arguments), dict(named or {})))
    except Exception as error:  # noqa: BLE001 - whatever the user's objects raise when they are pickled
        raise ExecutorError(
            _("The function cannot be sent to another process: {name}: {error}").format(
                name=type(error).__name__, error=error
            ),
            hint=_(
                "Its arguments, and what it uses, must be picklable. A function of a notebook needs "
                "cloudpickle: %pip install cloudpickle."
            ),
        ) from None
    heard = _Heard(on_progress)
    exit_ = await executor.run(
        [sys.executable, "-m", __name__, used()],
        cwd=cwd,
        pty=True,
        payload=payload,
        on_output=on_output,
        on_event=heard.feed,
        event_variable=EVENTS_VARIABLE,
        on_wait=on_wait,
        on_restart=on_restart,
        timeout_s=timeout_s,
    )
    return heard.result(exit_)


class _Heard:
    """What the process tells."""

    def __init__(self, on_progress: Callable[[Progress], None] | None) -> None:
        self._on_progress = on_progress
        self._partial = bytearray()
        self._last: dict[str, Any] = {}

    def feed(self, data: bytes) -> None:
        self._partial += data
        if b"\n" not in data:
            if len(self._partial) > MAX_EVENT_BYTES:
                self._partial.clear()
            return
        *lines, self._partial = self._partial.split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
                if event["event"] == "progress":
                    self._progressed(event["values"])
                else:
                    self._last = event
            except (ValueError, KeyError, TypeError):
                continue  # code that writes to descriptors which are not its own; the rest is still good

    def _progressed(self, values: dict[str, Any]) -> None:
        from voice_kernel.messages import Progress

        if self._on_progress is not None:
            self._on_progress(Progress(**values))

    def result(self, exit_: Exit) -> Any:
        from voice_kernel.errors import ExecutorError

        event = self._last.get("event")
        if event == "returned":
            try:
                return pickle.loads(base64.b64decode(self._last["values"]["data"]))  # noqa: S301 - of our own call
            except Exception as error:  # noqa: BLE001 - whatever the user's objects raise
                raise ExecutorError(
                    _("What the function returned cannot be used here: {name}: {error}").format(
                        name=type(error).__name__, error=error
                    ),
                    hint=_("Return something plainer, or write it to a file."),
                ) from None
        if event == "raised":
            raise FunctionRaised(**self._last["values"])
        if event == "refused":
            raise ExecutorError(self._last["values"]["message"], hint=self._last["values"]["hint"])
        if exit_.problem:
            message = exit_.problem
        elif exit_.timed_out:
            message = _("The function was ended at its time limit.")
        elif exit_.signal:
            message = _("The function's process was ended by {signal}.").format(signal=exit_.signal)
        else:
            message = _("The function ended its process with exit status {code}.").format(code=exit_.code)
        raise FunctionEnded(message, exit_)


# ---- in the process --------------------------------------------------------------------------------

_events_fd = -1
_told_at = 0.0
_telling = threading.Lock()


def main() -> None:
    """Make the call that waits in the payload, and tell what it comes to."""
    global _events_fd
    use(sys.argv.pop())  # the session's; the user's function finds no argument of ours
    _events_fd = int(os.environ.pop(EVENTS_VARIABLE))
    os.set_inheritable(_events_fd, False)
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(128 + signal.SIGTERM))  # `finally` is to be run
    with open(os.environ.pop(PAYLOAD_VARIABLE), "rb") as file:
        data = file.read()
    try:
        function, arguments, named = pickle.loads(data)  # noqa: S301 - of whom it belongs to
    except Exception as error:  # noqa: BLE001 - modules that are missing here, and whatever else
        hint = _("What it uses must be installed there too, and the versions of Python must be the same.")
        _tell(
            "refused",
            message=_("The function cannot be loaded: {name}: {error}").format(
                name=type(error).__name__, error=error
            ),
            hint=hint,
        )
        sys.exit(1)
    try:
        value = function(*arguments, **named)
        if inspect.isawaitable(value):
            value = asyncio.run(_awaited(value))
    except Exception as error:  # noqa: BLE001 - whatever the user's function raises is its result
        trace = error.__traceback__
        while trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("voice_kernel."):
            trace = trace.tb_next  # from where the user's own code begins
        lines = "".join(traceback.format_exception(type(error), error, trace))[-MAX_TRACEBACK_CHARS:]
        _tell("raised", kind=type(error).__name__, message=str(error)[:2_000], lines=lines)
        sys.exit(1)
    _return(value)


async def _awaited(value: Any) -> Any:
    return await value


def _return(value: Any) -> None:
    try:
        data = _dumps(value)
    except Exception as error:  # noqa: BLE001 - whatever the user's objects raise
        message = _("What the function returned cannot be sent back: {name}: {error}").format(
            name=type(error).__name__, error=error
        )
        _tell("refused", message=message, hint=_("Return something plainer, or write it to a file."))
        return
    if len(data) > MAX_RESULT_BYTES:
        size, limit = len(data) / 1024**2, MAX_RESULT_BYTES // 1024**2
        message = _(
            "What the function returned is too large to be sent back: {size:.0f} MB, and not {limit}."
        ).format(size=size, limit=limit)
        _tell("refused", message=message, hint=_("Write it to a file, and return the path."))
        return
    _tell("returned", data=base64.b64encode(data).decode())


def _tell(event: str, **values: Any) -> None:
    if _events_fd < 0:
        return
    rest = memoryview((json.dumps({"event": event, "values": values}) + "\n").encode())
    with _telling:
        while rest:
            rest = rest[os.write(_events_fd, rest) :]


def _dumps(value: Any) -> bytes:
    try:
        import cloudpickle
    except ImportError:
        return pickle.dumps(value)
    dumped: bytes = cloudpickle.dumps(value)
    return dumped


if __name__ == "__main__":
    # Under its own name, so that a `Reporter` in the arguments speaks through this very module.
    from voice_kernel.task.function import main as run_main

    run_main()
