"""The queue of code jobs, and the two ways in which the main thread gets to run them.

A job is run by the pump of a magic that waits on the main thread, or else by a callback of the kernel's
main loop when no cell runs. Both take from one queue under one lock, and a pump that ends leaves the
rest to the callback, so that no job is stranded between them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from voice_kernel.context import Variable
from voice_kernel.errors import KernelError
from voice_kernel.kernel import mainthread
from voice_kernel.kernel.capture import Recorder
from voice_kernel.kernel.display import Bundle, Display
from voice_kernel.kernel.job import CodeResult, Job, Pump
from voice_kernel.kernel.jupyter import JupyterKernel, Message, OnControl, Reach
from voice_kernel.kernel.mainthread import MainThread
from voice_kernel.kernel.namespace import Namespace
from voice_kernel.kernel.namespace import attributes as attributes_of
from voice_kernel.kernel.stage import Stage
from voice_kernel.language import _
from voice_kernel.loop import AgentLoop, Submission
from voice_kernel.messages import Output

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

T = TypeVar("T")

MAX_JOBS = 1_000
MAX_DEPTH = 3
"""Of waits within waits: a turn that runs a cell that holds `%voice`, and so on."""
INTERRUPT_GRACE_S = 5.0
"""How long an interrupted wait lets its coroutine clean up."""
CANCEL_GRACE_S = 5.0
"""How long a cancelled `run` waits for the interrupted code to end."""
MAX_INPUTS = 1_000
HEARTBEAT_S = 1.0
"""A waiting pump looks around at least this often, should a wake-up ever be lost."""

_waiting: ContextVar[Pump | None] = ContextVar("voice_kernel_pump", default=None)
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
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._main_thread = MainThread(shell)
        self._stage = Stage(shell, self._jupyter, self._main_thread)
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
        job = Job(code, show, store_history, recorder, _waiting.get())
        self._enqueue(job)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            if not self._withdraw(job):
                self._main_thread.stop(job)
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
        if not mainthread.is_current():
            return _outcome(loop.submit(_begin(start, None)))
        parent: Message | None = None
        if self._jupyter is not None:
            parent = self.shell.get_parent()
        pump = Pump(parent, self._may_ask_here(), len(self._main_thread.jobs))
        __tracebackhide__ = True  # IPython leaves this frame out, which makes the button feel prompt
        try:
            return self._main_thread.wait(lambda: self._pump(pump, loop, start))
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # without the frames of this package

    def interrupt(self) -> bool:
        """Do what the interrupt button does: interrupt the cell, job or wait on the main thread.

        Callable from any thread; nothing happens when the main thread is idle.

        Returns:
            Whether something was there to interrupt.
        """
        busy = bool(self._main_thread.jobs or self._main_thread.pumps) or (
            self._jupyter is not None and self._jupyter.is_busy
        )
        if busy:
            mainthread.send_interrupt()
        return busy

    @property
    def waiting(self) -> bool:
        """Whether a blocking magic waits now."""
        return bool(self._main_thread.pumps)

    @property
    def calling_request(self) -> str:
        """Id of the request (the run of a cell) whose magic waits for the calling turn; else empty."""
        pump = _waiting.get()
        if pump is None or pump.ended or not pump.parent:
            return ""
        return str(pump.parent.get("header", {}).get("msg_id", ""))

    @property
    def request(self) -> str:
        """Id of the request (the run of a cell) that the main thread handles, or else handled last."""
        if self._jupyter is None:
            return str(self.shell.execution_count)
        return str((self.shell.get_parent() or {}).get("header", {}).get("msg_id", ""))

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

    def attributes(self, path: str) -> tuple[str, ...]:
        """Return the names on a variable or on `module.part`, without running user code. Any thread."""
        return attributes_of(self.shell.user_ns, path)

    def inputs(self) -> dict[int, str]:
        """Return the newest `MAX_INPUTS` inputs by execution number, as typed. Callable from any thread."""
        history = getattr(self.shell, "history_manager", None)
        typed = list(history.input_hist_raw) if history is not None else []
        return {number: source for number, source in list(enumerate(typed))[-MAX_INPUTS:] if source.strip()}

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
        if pump is None and not mainthread.is_current():
            pump = next(iter(self._main_thread.pumps[-1:]), None)
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
        on_main_thread = mainthread.is_current()
        parent: Message = pump.parent if pump is not None and pump.parent else shell.get_parent()
        display = Display(lambda kind, content: jupyter.publish(kind, content, parent))
        content = display.content(bundle, metadata)
        if on_main_thread:
            shell.display_pub.publish(**content)  # in order with the cell's other output
        else:
            jupyter.publish("display_data", content, parent)
        return display

    def show_again(self, display: Display, bundle: Bundle) -> None:
        """Update a display as an output of the cell that runs now, not of the one it was made in."""
        self.shell.display_pub.publish(**display.content(bundle), update=True)

    def set_next_input(self, code: str) -> bool:
        """Put code into a new cell below the one whose `%voice` waits, when that ends.

        Returns:
            False when no `%voice` waits for the calling turn: nothing was done.
        """
        pump = _waiting.get()
        if pump is None and mainthread.is_current():
            pump = next(iter(self._main_thread.pumps[-1:]), None)
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

    def on_shutdown(self, callback: Callable[[], object]) -> bool:
        """Call a function before the kernel shuts down or restarts on request, whatever it is doing.

        It is called on a thread of its own and must end soon: the front end waits for it, and kills the
        process when it takes more than a few seconds.

        Returns:
            False when there is no kernel that could be asked to shut down.
        """
        stop = self._jupyter.on_shutdown(callback) if self._jupyter is not None else None
        if stop is None:
            return False
        self._undo.callback(stop)
        return True

    # ---- the queue (any thread) -------------------------------------------------------------------

    def _enqueue(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise _shutting_down()
            if len(self._jobs) >= MAX_JOBS:
                raise KernelError(
                    _("Too much code is waiting to run."),
                    hint=_("Cancel some of the tasks."),
                    retryable=True,
                )
            if not self._main_thread.pumps and self._jupyter is None:
                raise KernelError(
                    _("In a terminal, code can only run while %voice waits for it."),
                    hint=_("Use %voice without -b."),
                )
            self._jobs.append(job)
            if self._main_thread.pumps:
                self._main_thread.pumps[-1].wake.put(None)
            else:
                self._schedule_idle()

    def _withdraw(self, job: Job) -> bool:
        """Take a cancelled job out of the queue; return whether it will never run."""
        with self._lock:
            with contextlib.suppress(ValueError):  # already taken
                self._jobs.remove(job)
            return job.future.cancelled()

    def _take(self) -> Job | None:
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
            cell_parent = self._cell_parent
            if cell_parent is not None:  # this callback has a context of its own, without a parent
                self.shell.set_parent(cell_parent)
            try:
                job = self._take()
                if job is not None:
                    await self._stage.run_when_idle(job)
            finally:
                self._cell_parent = cell_parent
                with self._lock:  # one job a time, so that cells get their turn in between
                    if self._jobs and not self._main_thread.pumps:
                        self._schedule_idle()

    # ---- the pump (main thread) -------------------------------------------------------------------

    def _pump(self, pump: Pump, loop: AgentLoop, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._lock:
            if self._closed:
                raise _shutting_down()
            if len(self._main_thread.pumps) >= MAX_DEPTH:
                raise KernelError(
                    _("%voice runs inside %voice more than {count} levels deep.").format(count=MAX_DEPTH),
                    hint=_("Leave out the cell that calls itself."),
                )
            # Before the coroutine starts: else it might leave its first job to an idle moment that
            # never comes.
            self._main_thread.pumps.append(pump)
        try:
            try:
                submission = loop.submit(_begin(start, pump))
            except RuntimeError:
                raise _shutting_down() from None
            submission.add_done_callback(lambda done: pump.wake.put(None))
            self._pump_until_done(pump, submission)
        finally:
            with self._lock:
                pump.ended = True
                self._main_thread.pumps.remove(pump)
                if self._jobs and not self._main_thread.pumps:
                    self._schedule_idle()
        if pump.next_input is not None:
            self.shell.set_next_input(pump.next_input)
        if not submission.done():
            raise KeyboardInterrupt
        if pump.interrupts and submission.cancelled():
            raise KeyboardInterrupt
        return _outcome(submission)

    def _pump_until_done(self, pump: Pump, submission: Submission[T]) -> None:
        deadline: float | None = None
        while not submission.done():
            if pump.interrupts and deadline is None:
                deadline = time.monotonic() + INTERRUPT_GRACE_S
                submission.cancel()
            if deadline is not None and (time.monotonic() > deadline or pump.interrupts > 1):
                return
            job = self._take()
            if job is not None:
                cell_parent = self._cell_parent
                self._stage.run(job)
                self._cell_parent = cell_parent
                continue
            with contextlib.suppress(queue.Empty):
                pump.wake.get(timeout=HEARTBEAT_S)

    # ---- small things -----------------------------------------------------------------------------

    def _may_ask_here(self) -> bool:
        if self._jupyter is not None:
            return self._jupyter.allows_stdin
        return bool(sys.stdin is not None and sys.stdin.isatty())

    def _note_cell(self) -> None:
        """Before a cell or a job runs: remember whose output is whose."""
        if mainthread.is_current():
            parent = self.shell.get_parent()
            if parent.get("msg_type") == "execute_request":  # else a comm message: it comes here too
                self._cell_parent = parent
                self.shell.set_parent(parent)  # also for threads, should `_settle` have just reset it

    def _settle(self) -> None:
        """Give the running cell back the output of its threads and child processes.

        Handling a message on a subshell makes that message the parent of whatever is printed by
        threads that have no parent of their own, such as the one that reads C-level output.
        """
        parent = self._cell_parent
        if parent is not None and not mainthread.is_current():
            self.shell.set_parent(parent)


async def _begin(start: Callable[[], Coroutine[Any, Any, T]], pump: Pump | None) -> T:
    _waiting.set(pump)
    return await start()


def _outcome(submission: Submission[T]) -> T:
    try:
        return submission.result()
    except concurrent.futures.CancelledError:
        raise asyncio.CancelledError from None


def _shutting_down() -> KernelError:
    return KernelError(_("The assistant is shutting down."), hint=_("Restart the kernel to use it again."))
