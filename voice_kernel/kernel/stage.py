"""How one job runs on the main thread: its output caught, its failure a result.

Knows the shell's two ways to run a cell, with and without an event loop. It does not know when a job's
turn comes.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import getpass
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import KernelError
from voice_kernel.kernel.capture import Capture
from voice_kernel.kernel.job import CodeResult, Job
from voice_kernel.kernel.jupyter import JupyterKernel, Message
from voice_kernel.kernel.mainthread import MainThread
from voice_kernel.language import _
from voice_kernel.messages import Problem

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

logger = logging.getLogger(__name__)

MAX_MESSAGE_CHARS = 2_000


class Stage:
    """Where jobs run, one at a time or one inside the other.

    Args:
        shell: the user's shell.
        jupyter: the Jupyter kernel around it, if any.
        main_thread: told what runs.
    """

    def __init__(
        self, shell: InteractiveShell, jupyter: JupyterKernel | None, main_thread: MainThread
    ) -> None:
        self._shell: Any = shell  # a kernel's has more methods than a terminal's, and few are typed
        self._jupyter = jupyter
        self._main_thread = main_thread

    def run(self, job: Job) -> None:
        """Run a job inside a cell that waits."""
        with self._failures_told(job), self._main_thread.running(job), self._captured(job):
            if self._needs_loop(job.code):
                loop = _main_loop()
                if loop.is_running():
                    # Only now: it swaps in asyncio's slow pure-Python tasks for good.
                    import nest_asyncio2

                    nest_asyncio2.apply(loop)
                job.task = self._begun(job, loop)
                self._main_thread.run_nested(loop, job.task)
                self._finish_async(job)
            else:
                self._main_thread.guard(job, lambda: self._run_cell(job))
        self._deliver(job)

    async def run_when_idle(self, job: Job) -> None:
        """Run a job in a callback of the kernel's loop, while no cell runs."""
        assert self._jupyter is not None
        with (
            self._failures_told(job),
            self._main_thread.listening(),
            self._jupyter.shown_busy(),
            _no_input(),
            self._main_thread.running(job),
            self._captured(job),
        ):
            if self._needs_loop(job.code):
                job.task = self._begun(job, asyncio.get_running_loop())
                await asyncio.wait({job.task})
                self._finish_async(job)
            else:
                self._main_thread.guard(job, lambda: self._run_cell(job))
        self._deliver(job)

    def _captured(self, job: Job) -> Capture:
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
        return Capture(self._shell, job.recorder, parent=parent, hide=hide, code=job.code)

    @contextlib.contextmanager
    def _failures_told(self, job: Job) -> Iterator[None]:
        # What breaks around the user's code is no result of it. The tool that awaits the job must hear
        # of it, and the main thread's loop must not: only an end of the process passes through.
        try:
            yield
        except BaseException as error:
            logger.error("A job could not be run: %s", type(error).__name__)
            if not job.future.done():
                message = _("The code could not be run: {name}.").format(name=type(error).__name__)
                job.future.set_exception(KernelError(message))
            if not isinstance(error, Exception):
                raise

    # ---- the shell --------------------------------------------------------------------------------

    def _needs_loop(self, code: str) -> bool:
        """Return whether code has a top-level await that asyncio runs. Source: ipykernel's do_execute."""
        from IPython.core.async_helpers import _asyncio_runner

        if self._shell.loop_runner is not _asyncio_runner:
            return False
        try:
            transformed = self._shell.transform_cell(code)
        except Exception:  # noqa: BLE001 - code that cannot be read is run, so that IPython says why
            return False
        return bool(self._shell.should_run_async(code, transformed_cell=transformed))

    def _run_cell(self, job: Job) -> None:
        job.result = self._shell.run_cell(job.code, store_history=job.store_history)

    def _begun(self, job: Job, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        return loop.create_task(self._main_thread.guard_awaited(job, lambda: self._run_cell_async(job)))

    async def _run_cell_async(self, job: Job) -> None:
        job.result = await self._shell.run_cell_async(
            job.code,
            store_history=job.store_history,
            transformed_cell=self._shell.transform_cell(job.code),
        )

    def _finish_async(self, job: Job) -> None:
        task, job.task = job.task, None
        assert task is not None
        if task.cancelled():
            job.interrupted = True
        elif (error := task.exception()) is not None:
            raise error
        # What `run_cell` would do; matplotlib's figures come out here.
        self._shell.events.trigger("post_execute")
        self._shell.events.trigger("post_run_cell", job.result)

    # ---- the result -------------------------------------------------------------------------------

    def _deliver(self, job: Job) -> None:
        if job.future.done():  # it could not be run
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
                execution_count=result.execution_count if result is not None else None,
            )
        )

    def _line_of(self, error: BaseException | None) -> int | None:
        if isinstance(error, SyntaxError):
            return error.lineno
        trace = error.__traceback__ if error is not None else None
        while trace is not None:
            # Functions of earlier cells share these globals; the outermost frame is the code's own.
            if trace.tb_frame.f_globals is self._shell.user_global_ns:
                return trace.tb_lineno
            trace = trace.tb_next
        return None


def _problem(error: BaseException | None, interrupted: bool) -> Problem | None:
    if interrupted:
        return Problem(kind="KeyboardInterrupt", message=_("The code was interrupted."), retryable=True)
    if error is None:
        return None
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's making may fail to say what it is
        message = ""
    return Problem(kind=type(error).__name__, message=message[:MAX_MESSAGE_CHARS])


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
        raise StdinNotImplementedError(_("input() needs a cell: this code was not started from one"))

    before = builtins.input, getpass.getpass
    builtins.input, getpass.getpass = refuse, refuse
    try:
        yield
    finally:
        builtins.input, getpass.getpass = before
