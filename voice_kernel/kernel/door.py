"""The queue of code jobs, and the two ways in which the main thread gets to run them.

A job is run by the pump of a magic that waits on the main thread, or else by a callback of the kernel's
main loop when no cell runs. Both take from one queue under one lock, and a pump that ends leaves the
rest to the callback, so that no job is stranded between them.

Interrupts are signals to the main thread. While a pump or a job of ours runs, one handler decides by
the stack what was hit: user code, in which it raises, or a wait, which it cancels.
"""

from __future__ import annotations

import _thread
import asyncio
import builtins
import concurrent.futures
import contextlib
import getpass
import logging
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from voice_kernel.context import Variable
from voice_kernel.errors import KernelError
from voice_kernel.kernel.capture import Capture, Recorder
from voice_kernel.kernel.display import Bundle, Display
from voice_kernel.kernel.jupyter import JupyterKernel, Message, OnControl, Reach
from voice_kernel.kernel.namespace import Namespace
from voice_kernel.loop import AgentLoop, Submission
from voice_kernel.messages import Output, Problem

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_JOBS = 1_000
MAX_DEPTH = 3
"""Of waits within waits: a turn that runs a cell that holds `%voice`, and so on."""
INTERRUPT_GRACE_S = 5.0
"""How long an interrupted wait lets its coroutine clean up."""
CANCEL_GRACE_S = 5.0
"""How long a cancelled `run` waits for the interrupted code to end."""
HEARTBEAT_S = 1.0
"""A waiting pump looks around at least this often, should a wake-up ever be lost."""
SIGNAL_TIMEOUT_S = 0.5
MAX_MESSAGE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class CodeResult:
    """What became of a piece of code. Code that raises is a result, not an exception."""

    success: bool
    outputs: tuple[Output, ...] = ()
    """In order; capped, and the last one then says so. A traceback is an output of kind `error`."""
    error: Problem | None = None
    """`kind` is the exception's name, `message` its text (at most 2,000 characters)."""
    line: int | None = None
    """Line of the code at which it failed, from 1; None when unknown."""
    interrupted: bool = False
    """Whether an interrupt ended it; the turn should then go no further."""
    duration_s: float = 0.0


@dataclass(eq=False, slots=True)
class _Pump(Generic[T]):
    """A magic that waits on the main thread."""

    parent: Message | None
    can_ask: bool
    jobs_below: int
    """How many jobs were running when it began: it waits inside the last of them."""
    wake: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    """Anything in it means: look around. Its `put` is safe in a signal handler."""
    submission: Submission[T] | None = None
    interrupts: int = 0
    next_input: str | None = None
    ended: bool = False

    def interrupt(self) -> None:
        """Ask the wait to end. Safe in a signal handler."""
        self.interrupts += 1
        self.wake.put(None)


@dataclass(eq=False, slots=True)
class _Job:
    """A piece of code that is to run, or runs."""

    code: str
    show: bool | str
    store_history: bool
    recorder: Recorder
    pump: _Pump[Any] | None
    """The wait to whose turn it belongs."""
    future: concurrent.futures.Future[CodeResult] = field(default_factory=concurrent.futures.Future)
    stop: bool = False
    """A signal was sent to end it and has not been handled yet."""
    stoppable: bool = False
    """Whether a signal may be sent to end it."""
    armed: bool = False
    """Whether the shell runs its code now, so that an interrupt may raise."""
    task: asyncio.Task[Any] | None = None
    """What runs code with top-level await."""
    result: ExecutionResult | None = None
    interrupted: bool = False
    duration_s: float = 0.0


_waiting: ContextVar[_Pump[Any] | None] = ContextVar("voice_kernel_pump", default=None)
"""The wait to which the running coroutine belongs."""


class Kernel:
    """The door to one IPython shell, with or without a Jupyter kernel around it.

    Args:
        shell: the user's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell: Any = shell  # a kernel's has more methods than a terminal's, and few of either are typed
        kernel = getattr(shell, "kernel", None)
        self._jupyter = JupyterKernel(kernel) if kernel is not None else None
        self._lock = threading.Lock()  # never taken in the signal handler
        self._jobs: deque[_Job] = deque()
        self._running: list[_Job] = []
        self._pumps: list[_Pump[Any]] = []
        self._idle_scheduled = False
        self._closed = False
        self._namespace = Namespace()
        self._namespace_lock = threading.Lock()
        self._cell_parent: Message | None = None
        self._undo = contextlib.ExitStack()
        if self._jupyter is not None:
            self._note_cell()
            shell.events.register("pre_execute", self._note_cell)
            self._undo.callback(shell.events.unregister, "pre_execute", self._note_cell)

    # ---- running code -----------------------------------------------------------------------------

    async def run(
        self,
        code: str,
        *,
        show: bool | str = True,
        on_output: Callable[[Output], None] | None = None,
        store_history: bool = False,
    ) -> CodeResult:
        """Run code in the user's namespace on the main thread.

        It runs at once when a `%voice` waits, else as soon as the kernel is idle. Cancelling the
        awaiting coroutine removes the job from the queue, or interrupts it and waits for its end at
        most `CANCEL_GRACE_S`.

        Args:
            code: what a cell may hold: several lines, magics, top-level `await`.
            show: True shows the outputs live in the cell whose `%voice` waits for this turn; there
                being none, and with False, they are only captured. A string is a parent message id of
                the front end's making, under which the outputs are published.
            on_output: called on the caller's loop with every output as it comes, until the caps.
            store_history: whether it counts as an input of its own (`In[n]`).

        Raises:
            KernelError: nothing can run the code: shutting down, too many jobs, or a terminal in
                which no `%voice` waits.
        """
        loop = asyncio.get_running_loop()

        def tell(output: Output) -> None:
            if on_output is not None:
                with contextlib.suppress(RuntimeError):  # the loop has ended, and its listener with it
                    loop.call_soon_threadsafe(on_output, output)

        recorder = Recorder(tell if on_output is not None else None)
        job = _Job(code, show, store_history, recorder, _waiting.get())
        self._enqueue(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            if not self._withdraw(job):
                self._stop(job)
                await asyncio.wait({asyncio.wrap_future(job.future)}, timeout=CANCEL_GRACE_S)
            raise

    def wait(self, loop: AgentLoop, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop thread, and meanwhile the code jobs on this one, the main thread.

        For a blocking magic. An interrupt while it waits cancels that coroutine (and only it) and gives
        it `INTERRUPT_GRACE_S` to end; an interrupt inside the code of a job raises in that code.
        Called on another thread (a cell in a subshell) it only waits.

        Args:
            loop: where the coroutine runs.
            start: makes the coroutine, on the loop thread, when everything is ready for it.

        Returns:
            The coroutine's result, also when it was interrupted and still returned one.

        Raises:
            KeyboardInterrupt: it was interrupted.
            asyncio.CancelledError: it was cancelled by someone else.
            KernelError: waits are nested deeper than `MAX_DEPTH`, or the door is closed.
        """
        if not _on_main_thread():
            return _outcome(loop.submit(_begin(start, None)))
        parent: Message | None = None
        if self._jupyter is not None:
            parent = self.shell.get_parent()
        pump: _Pump[T] = _Pump(parent, self._may_ask_here(), len(self._running))
        with self._interrupts_decided():
            return self._pump(pump, loop, start)

    def interrupt(self) -> bool:
        """Do what the interrupt button does: interrupt the cell, job or wait on the main thread.

        Callable from any thread; nothing happens when the main thread is idle.

        Returns:
            Whether something was there to interrupt.
        """
        busy = bool(self._running or self._pumps) or (self._jupyter is not None and self._jupyter.is_busy)
        if busy:
            _signal_main_thread()
        return busy

    @property
    def waiting(self) -> bool:
        """Whether a blocking magic waits now."""
        return bool(self._pumps)

    def close(self) -> None:
        """Refuse new jobs, end the queued ones with `KernelError`, and undo all hooks."""
        with self._lock:
            self._closed = True
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(_shutting_down())
        self._undo.close()

    # ---- what is there ----------------------------------------------------------------------------

    def namespace(self) -> tuple[Variable, ...]:
        """Describe the user's variables without running user code. Callable from any thread."""
        with self._namespace_lock:
            return self._namespace.describe(self.shell.user_ns, self.shell.user_ns_hidden)

    @property
    def has_kernel(self) -> bool:
        """Whether a Jupyter kernel is around the shell (a terminal has none)."""
        return self._jupyter is not None

    @property
    def can_ask(self) -> bool:
        """Whether a person sits before the cell that runs (or waits, or ran last).

        JupyterLab allows its cells to ask for input; nbclient, papermill and `jupyter execute` do not.
        """
        pump = _waiting.get()
        if pump is None and not _on_main_thread():
            pump = next(iter(self._pumps[-1:]), None)
        return pump.can_ask if pump is not None else self._may_ask_here()

    # ---- the cell ---------------------------------------------------------------------------------

    def show(self, bundle: Bundle, metadata: dict[str, Any] | None = None) -> Display:
        """Show something in the cell that runs (from the turn of a waiting `%voice`: in that cell)."""
        pump = _waiting.get()
        jupyter, shell = self._jupyter, self.shell
        if jupyter is None:
            display = Display(lambda kind, content: shell.display_pub.publish(**content))
            shell.display_pub.publish(**display.content(bundle, metadata))
            return display
        on_main_thread = _on_main_thread()
        parent: Message = pump.parent if pump is not None and pump.parent else shell.get_parent()
        display = Display(lambda kind, content: jupyter.publish(kind, content, parent))
        content = display.content(bundle, metadata)
        if on_main_thread:
            shell.display_pub.publish(**content)  # in order with the cell's other output
        else:
            jupyter.publish("display_data", content, parent)
        return display

    def set_next_input(self, code: str) -> bool:
        """Put code into a new cell below the one whose `%voice` waits, when that ends.

        Returns:
            False when no `%voice` waits for the calling turn: nothing was done.
        """
        pump = _waiting.get()
        if pump is None and _on_main_thread():
            pump = next(iter(self._pumps[-1:]), None)
        if pump is None or pump.ended:
            return False
        pump.next_input = code
        return True

    # ---- messages while a cell runs ---------------------------------------------------------------

    def route(self, comm: Any) -> Reach:
        """Let a comm's messages arrive while the main thread runs a cell. Callable from any thread.

        Call it as soon as the comm is open; what the comm was sent before takes its usual way.
        """
        return self._jupyter.route(comm, self._settle) if self._jupyter is not None else "none"

    def on_control(self, callback: OnControl) -> bool:
        """Hand every `voice_kernel_request` of the control channel to a callback (one at a time).

        The content of such a message is one `ToKernel` message. It arrives whatever the main thread
        does, on every ipykernel; the callback runs on the control thread and must return at once.

        Returns:
            False when there is no control channel.
        """
        stop = self._jupyter.on_control(callback) if self._jupyter is not None else None
        if stop is None:
            return False
        self._undo.callback(stop)
        return True

    # ---- the queue (any thread) -------------------------------------------------------------------

    def _enqueue(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise _shutting_down()
            if len(self._jobs) >= MAX_JOBS:
                raise KernelError(
                    "Too much code is waiting to run.", hint="Cancel some of the tasks.", retryable=True
                )
            if not self._pumps and self._jupyter is None:
                raise KernelError(
                    "In a terminal, code can only run while %voice waits for it.",
                    hint="Use %voice without -b.",
                )
            self._jobs.append(job)
            if self._pumps:
                self._pumps[-1].wake.put(None)
            else:
                self._schedule_idle()

    def _withdraw(self, job: _Job) -> bool:
        """Take a cancelled job out of the queue; return whether it will never run."""
        with self._lock:
            with contextlib.suppress(ValueError):  # already taken
                self._jobs.remove(job)
            return job.future.cancelled()

    def _stop(self, job: _Job) -> None:
        """Interrupt a job if its code runs now."""
        with self._lock:  # it cannot end meanwhile, so the signal cannot meet other code
            if job.stoppable and not job.stop:
                job.stop = True
                _signal_main_thread()

    def _take(self) -> _Job | None:
        with self._lock:
            while self._jobs:
                job = self._jobs.popleft()
                if job.future.set_running_or_notify_cancel():
                    return job
            return None

    def _schedule_idle(self) -> None:  # holding the lock
        if not self._idle_scheduled and self._jupyter is not None:
            self._idle_scheduled = True
            self._jupyter.call_when_idle(self._run_when_idle)

    # ---- the idle callback (main thread) ----------------------------------------------------------

    async def _run_when_idle(self) -> None:
        assert self._jupyter is not None
        async with self._jupyter.main_lock():
            with self._lock:
                self._idle_scheduled = False
            if self._cell_parent is not None:  # this callback has a context of its own, without a parent
                self.shell.set_parent(self._cell_parent)
            try:
                job = self._take()
                if job is not None:
                    with self._interrupts_decided(), _no_input():
                        await self._run_idle_job(job)
            finally:
                with self._lock:  # one job a time, so that cells get their turn in between
                    if self._jobs and not self._pumps:
                        self._schedule_idle()

    async def _run_idle_job(self, job: _Job) -> None:
        with self._on_stage(job), self._captured(job):
            if self._needs_loop(job.code):
                job.task = asyncio.get_running_loop().create_task(self._run_cell_async(job))
                await asyncio.wait({job.task})
                self._finish_async(job)
            else:
                self._guarded(job, lambda: self._run_cell(job))
        self._deliver(job)

    # ---- the pump (main thread) -------------------------------------------------------------------

    def _pump(self, pump: _Pump[T], loop: AgentLoop, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._lock:
            if self._closed:
                raise _shutting_down()
            if len(self._pumps) >= MAX_DEPTH:
                raise KernelError(
                    f"%voice runs inside %voice more than {MAX_DEPTH} levels deep.",
                    hint="Leave out the cell that calls itself.",
                )
            # Before the coroutine starts: else it might leave its first job to an idle moment that
            # never comes.
            self._pumps.append(pump)
        try:
            submission = pump.submission = loop.submit(_begin(start, pump))
            submission.add_done_callback(lambda done: pump.wake.put(None))
            self._pump_until_done(pump, submission)
        finally:
            with self._lock:
                pump.ended = True
                self._pumps.remove(pump)
                if self._jobs and not self._pumps:
                    self._schedule_idle()
        if pump.next_input is not None:
            self.shell.set_next_input(pump.next_input)
        if not submission.done():
            raise KeyboardInterrupt
        if pump.interrupts and submission.cancelled():
            raise KeyboardInterrupt
        return _outcome(submission)

    def _pump_until_done(self, pump: _Pump[T], submission: Submission[T]) -> None:
        deadline: float | None = None
        while not submission.done():
            if pump.interrupts and deadline is None:
                deadline = time.monotonic() + INTERRUPT_GRACE_S
                submission.cancel()
            if deadline is not None and (time.monotonic() > deadline or pump.interrupts > 1):
                return
            job = self._take()
            if job is not None:
                self._run_pumped_job(job)
                continue
            with contextlib.suppress(queue.Empty):
                pump.wake.get(timeout=HEARTBEAT_S)

    def _run_pumped_job(self, job: _Job) -> None:
        with self._on_stage(job), self._captured(job):
            if self._needs_loop(job.code):
                loop = _main_loop()
                if loop.is_running():
                    # Only now: it swaps in asyncio's slow pure-Python tasks for good.
                    import nest_asyncio2

                    nest_asyncio2.apply(loop)
                job.task = loop.create_task(self._run_cell_async(job))
                self._run_nested(loop, job.task)
                self._finish_async(job)
            else:
                self._guarded(job, lambda: self._run_cell(job))
        self._deliver(job)

    def _run_nested(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # of the task; `_finish_async` sees it
            loop.run_until_complete(task)

    # ---- one job (main thread) --------------------------------------------------------------------

    @contextlib.contextmanager
    def _on_stage(self, job: _Job) -> Iterator[None]:
        """Let a job be the one that runs: it can be stopped meanwhile, and always ends."""
        cell_parent = self._cell_parent
        started = time.monotonic()
        self._running.append(job)
        with self._lock:
            job.stoppable = True
        try:
            yield
        except BaseException as error:
            # What ends the stage itself is no matter of the user's code. The awaiting tool must hear of
            # it, and the main thread's loop must not: only an end of the process passes through.
            logger.error("A job's stage broke: %s", type(error).__name__)
            if not job.future.done():
                job.future.set_exception(KernelError(f"The code could not be run: {type(error).__name__}."))
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                job.stoppable = False
            # A signal on its way is waited for, or it would meet the code that runs next.
            deadline = time.monotonic() + SIGNAL_TIMEOUT_S
            while job.stop and time.monotonic() < deadline:
                time.sleep(0.0005)
            self._running.remove(job)
            job.duration_s = time.monotonic() - started
            self._cell_parent = cell_parent
            if signal.getsignal(signal.SIGINT) != self._on_signal and _on_main_thread():
                signal.signal(signal.SIGINT, self._on_signal)  # the code left a handler of its own

    def _captured(self, job: _Job) -> Capture:
        """Return what catches a job's outputs, and shows them where they belong."""
        parent: Message | None = None
        hide = True
        if job.show is True and job.pump is not None and not job.pump.ended:
            parent, hide = job.pump.parent, False
        if self._jupyter is not None:
            if isinstance(job.show, str):
                parent, hide = self._jupyter.new_parent(job.show), False
            elif not parent:
                parent, hide = self._jupyter.new_parent(), True
        return Capture(self.shell, job.recorder, parent=parent, hide=hide, code=job.code)

    def _needs_loop(self, code: str) -> bool:
        """Return whether code has a top-level await that asyncio runs. Source: ipykernel's do_execute."""
        from IPython.core.async_helpers import _asyncio_runner

        shell: Any = self.shell
        if shell.loop_runner is not _asyncio_runner:
            return False
        try:
            transformed = shell.transform_cell(code)
        except Exception:  # noqa: BLE001 - code that cannot be read is run, so that IPython says why
            return False
        return bool(shell.should_run_async(code, transformed_cell=transformed))

    def _run_cell(self, job: _Job) -> None:
        job.result = self.shell.run_cell(job.code, store_history=job.store_history)

    async def _run_cell_async(self, job: _Job) -> None:
        if job.interrupted:
            return
        shell = self.shell
        job.result = await shell.run_cell_async(
            job.code, store_history=job.store_history, transformed_cell=shell.transform_cell(job.code)
        )

    def _finish_async(self, job: _Job) -> None:
        task, job.task = job.task, None
        assert task is not None
        if task.cancelled():
            job.interrupted = True
        elif (error := task.exception()) is not None:
            raise error

        # `run_cell` would do it; matplotlib's figures come out here.
        self.shell.events.trigger("post_execute")
        self.shell.events.trigger("post_run_cell", job.result)

    def _guarded(self, job: _Job, call: Callable[[], None]) -> None:
        """Call the shell, unless interrupted before; an interrupt that IPython lets through ends here."""
        try:
            job.armed = True
            if not job.interrupted:
                call()
        except KeyboardInterrupt:
            job.interrupted = True
        finally:
            job.armed = False

    def _deliver(self, job: _Job) -> None:
        if job.future.done():  # the stage failed
            return
        result = job.result
        error = (result.error_before_exec or result.error_in_exec) if result is not None else None
        interrupted = isinstance(error, KeyboardInterrupt) or (
            job.interrupted and (result is None or isinstance(error, asyncio.CancelledError))
        )
        if interrupted and error is None:
            job.recorder.error("KeyboardInterrupt")
        job.future.set_result(
            CodeResult(
                success=result is not None and bool(result.success) and not interrupted,
                outputs=job.recorder.finish(),
                error=_problem(error, interrupted),
                line=self._line_of(error),
                interrupted=interrupted,
                duration_s=job.duration_s,
            )
        )

    def _line_of(self, error: BaseException | None) -> int | None:
        if isinstance(error, SyntaxError):
            return error.lineno
        trace = error.__traceback__ if error is not None else None
        while trace is not None:
            # Functions of earlier cells share these globals; the outermost frame is the cell's own.
            if trace.tb_frame.f_globals is self.shell.user_global_ns:
                return trace.tb_lineno
            trace = trace.tb_next
        return None

    # ---- interrupts (main thread) -----------------------------------------------------------------

    @contextlib.contextmanager
    def _interrupts_decided(self) -> Iterator[None]:
        """Let `_on_signal` decide about interrupts."""
        if not _on_main_thread():
            yield  # a kernel embedded in a thread: signals are not for it
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            # Python first lets the present handler handle what is pending, and then replaces it.
            signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Decide what an interrupt hits. Runs between any two steps of the main thread; takes no lock."""
        job = self._running[-1] if self._running else None
        place = self._place(frame)
        target = next((job for job in self._running if job.stop), None)
        if target is not None:
            # Sent by `_stop`: it ends that job, and with it the waits that began inside it.
            target.stop = False
            target.interrupted = True
            index = self._running.index(target)
            for pump in self._pumps:
                if pump.jobs_below > index:
                    pump.interrupt()
        elif self._pumps and (place == "wait" or job is None or job.pump is not self._pumps[-1]):
            # A person: the cell that waits is meant, also while it runs code for somebody else.
            self._pumps[-1].interrupt()
        elif job is not None:
            job.interrupted = True
        if job is None or place == "wait":
            return
        if place == "code":
            if frame is not None and frame.f_code is _GUARDED:
                job.armed = False  # in `_guarded` itself only once, or it would hit its own clean-up
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
        job = self._running[-1] if self._running else None
        user_code = getattr(type(self.shell).run_code, "__code__", None)
        while frame is not None:
            code: CodeType = frame.f_code
            if code is user_code:
                return "code"
            if code is _GUARDED:
                return "code" if job is not None and job.armed else "wait"
            if code is _NESTED:
                return "loop"
            if code is _WAITING:
                return "wait"
            frame = frame.f_back
        return "loop"

    # ---- small things -----------------------------------------------------------------------------

    def _may_ask_here(self) -> bool:
        if self._jupyter is not None:
            return self._jupyter.allows_stdin
        return bool(sys.stdin is not None and sys.stdin.isatty())

    def _note_cell(self) -> None:
        """Before a cell or a job runs: remember whose output is whose."""
        if _on_main_thread():
            shell: Any = self.shell
            self._cell_parent = parent = shell.get_parent()
            shell.set_parent(parent)  # also for threads, should `_settle` have just reset it

    def _settle(self) -> None:
        """Give the running cell back the output of its threads and child processes.

        Handling a message on a subshell makes that message the parent of whatever is printed by
        threads that have no parent of their own, such as the one that reads C-level output.
        """
        parent = self._cell_parent
        if parent is not None and not _on_main_thread():
            self.shell.set_parent(parent)


_GUARDED: CodeType = Kernel._guarded.__code__
_NESTED: CodeType = Kernel._run_nested.__code__
_WAITING: CodeType = Kernel.wait.__code__


async def _begin(start: Callable[[], Coroutine[Any, Any, T]], pump: _Pump[T] | None) -> T:
    _waiting.set(pump)
    return await start()


def _outcome(submission: Submission[T]) -> T:
    try:
        return submission.result()
    except concurrent.futures.CancelledError:
        raise asyncio.CancelledError from None


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _signal_main_thread() -> None:
    ident = threading.main_thread().ident
    if ident is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(ident, signal.SIGINT)  # unlike interrupt_main, it wakes a sleep
    else:
        _thread.interrupt_main()


def _main_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # a terminal
        from IPython.core.async_helpers import get_asyncio_loop

        loop: asyncio.AbstractEventLoop = get_asyncio_loop()  # type: ignore[no-untyped-call]
        return loop


@contextlib.contextmanager
def _no_input() -> Iterator[None]:
    """Let `input()` fail plainly: in idle time no front end waits to be asked."""
    from IPython.core.error import StdinNotImplementedError

    def refuse(*args: object, **options: object) -> str:
        raise StdinNotImplementedError("input() needs a cell: this code was not started from one")

    before = builtins.input, getpass.getpass
    builtins.input, getpass.getpass = refuse, refuse
    try:
        yield
    finally:
        builtins.input, getpass.getpass = before


def _problem(error: BaseException | None, interrupted: bool) -> Problem | None:
    if interrupted:
        return Problem(kind="KeyboardInterrupt", message="The code was interrupted.", retryable=True)
    if error is None:
        return None
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's making may fail to say what it is
        message = ""
    return Problem(kind=type(error).__name__, message=message[:MAX_MESSAGE_CHARS])


def _shutting_down() -> KernelError:
    return KernelError("The assistant is shutting down.", hint="Restart the kernel to use it again.")
