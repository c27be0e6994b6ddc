"""What runs on the main thread, and what an interrupt of it hits.

An interrupt is a signal: of a person who presses the button, or our own, to end one job. While a wait or
a job of ours is on the main thread, one handler decides by the stack what was hit: the code of a job, in
which it raises, or a wait, which it cancels. It knows nothing of how jobs come to run.
"""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Literal, TypeVar

from voice_kernel.kernel.job import Job, Pump

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

T = TypeVar("T")

SIGNAL_TIMEOUT_S = 0.5
"""How long a job that has ended waits for a signal that is on its way to it."""


def is_current() -> bool:
    """Whether the caller is on the main thread."""
    return threading.current_thread() is threading.main_thread()


def send_interrupt() -> None:
    """Do what the interrupt button does. Callable from any thread."""
    ident = threading.main_thread().ident
    if ident is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(ident, signal.SIGINT)  # unlike interrupt_main, it wakes a sleep
    else:
        _thread.interrupt_main()


class MainThread:
    """The jobs and waits on the main thread, one inside the other.

    Args:
        shell: whose code runs there.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._user_code: CodeType | None = getattr(type(shell).run_code, "__code__", None)
        self._lock = threading.Lock()  # never taken in the handler
        self.jobs: list[Job] = []
        """What runs, the innermost last. Changed on the main thread only."""
        self.pumps: list[Pump] = []
        """What waits, the innermost last. Changed on the main thread only."""

    # ---- what runs --------------------------------------------------------------------------------

    def wait(self, call: Callable[[], T]) -> T:
        """Call what waits; an interrupt in it raises nothing, but interrupts the innermost pump."""
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            return call()
        finally:
            # Python first lets the present handler handle what is pending, and then replaces it.
            signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Decide about interrupts where nothing waits: around a job in idle time."""
        if not is_current():
            yield  # a kernel embedded in a thread: signals are not for it
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)

    @contextlib.contextmanager
    def running(self, job: Job) -> Iterator[None]:
        """Let a job be the one that runs: it can be stopped meanwhile."""
        started = time.monotonic()
        self.jobs.append(job)
        with self._lock:
            job.stoppable = True
        try:
            yield
        finally:
            with self._lock:
                job.stoppable = False
            # A signal on its way is waited for, or it would meet the code that runs next.
            deadline = time.monotonic() + SIGNAL_TIMEOUT_S
            while job.stop and time.monotonic() < deadline:
                time.sleep(0.0005)
            self.jobs.remove(job)
            job.duration_s = time.monotonic() - started
            if is_current() and signal.getsignal(signal.SIGINT) != self._on_signal:
                signal.signal(signal.SIGINT, self._on_signal)  # the code left a handler of its own

    def guard(self, job: Job, call: Callable[[], None]) -> None:
        """Call the shell, unless interrupted before; an interrupt that IPython lets through ends here."""
        try:
            job.armed = True
            if not job.interrupted:
                call()
        except KeyboardInterrupt:
            job.interrupted = True
        finally:
            job.armed = False

    async def guard_awaited(self, job: Job, call: Callable[[], Awaitable[None]]) -> None:
        """Await the shell, unless interrupted before; an interrupt that IPython lets through ends here.

        Between two statements IPython compiles: what is interrupted there must not go on to the next one.
        """
        try:
            job.armed = True
            if not job.interrupted:
                await call()
        except KeyboardInterrupt:
            job.interrupted = True
        finally:
            job.armed = False

    def run_nested(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
        """Run a loop until a job's task is done; an interrupt between its steps cancels the task."""
        with contextlib.suppress(asyncio.CancelledError):  # of the task, which is asked later
            loop.run_until_complete(task)

    def stop(self, job: Job) -> None:
        """Interrupt a job if it runs now. Callable from any thread."""
        with self._lock:  # the job cannot end meanwhile, so that the signal cannot meet other code
            if job.stoppable and not job.stop:
                job.stop = True
                send_interrupt()

    # ---- the handler ------------------------------------------------------------------------------

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # Runs between any two steps of the main thread: takes no lock, and raises only where it may.
        job = self.jobs[-1] if self.jobs else None
        place = self._place(frame)
        target = next((job for job in self.jobs if job.stop), None)
        if target is not None:
            # Sent by `stop`: it ends that job, and with it the waits that began inside it.
            target.stop = False
            target.interrupted = True
            index = self.jobs.index(target)
            for pump in self.pumps:
                if pump.jobs_below > index:
                    pump.interrupt()
        elif self.pumps and (place == "wait" or job is None or job.pump is not self.pumps[-1]):
            # A person: the cell that waits is meant, also while it runs code for somebody else.
            self.pumps[-1].interrupt()
        elif job is not None:
            job.interrupted = True
        if job is None or place == "wait":
            return
        if place == "code":
            if frame is not None and frame.f_code in _GUARDS:
                job.armed = False  # in the guard itself only once, or it would hit its own clean-up
            raise KeyboardInterrupt
        if job.task is not None:
            job.interrupted = True
            job.task.get_loop().call_soon_threadsafe(job.task.cancel)

    def _place(self, frame: FrameType | None) -> Literal["code", "loop", "wait"]:
        """Find what the main thread does: the innermost of the frames that mark it.

        Returns:
            `code`: the code of a job, where an interrupt can raise; `wait`: a pump, or what is around
            a job's code; `loop`: code with a top-level await, between its steps.
        """
        job = self.jobs[-1] if self.jobs else None
        while frame is not None:
            code = frame.f_code
            if code is self._user_code:
                return "code"
            if code in _GUARDS:
                return "code" if job is not None and job.armed else "wait"
            if code is _NESTED:
                return "loop"
            if code is _WAIT:
                return "wait"
            frame = frame.f_back
        return "loop"


_GUARDS = (MainThread.guard.__code__, MainThread.guard_awaited.__code__)
_NESTED = MainThread.run_nested.__code__
_WAIT = MainThread.wait.__code__
