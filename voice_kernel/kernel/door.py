"""The queue of code jobs, and the two ways in which the main thread gets to run them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from voice_kernel.context import Variable
from voice_kernel.kernel.display import Bundle, Display
from voice_kernel.loop import AgentLoop
from voice_kernel.messages import Output, Problem

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

T = TypeVar("T")

Reach = Literal["owned", "named", "none"]
"""How messages of a comm arrive while the main thread runs a cell: always, over a subshell of our own;
only from front ends that name a subshell themselves; not before the cell ends."""


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


class Kernel:
    """The door to one IPython shell, with or without a Jupyter kernel around it.

    Args:
        shell: the user's shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

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
        raise NotImplementedError

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
        raise NotImplementedError

    def interrupt(self) -> bool:
        """Do what the interrupt button does: interrupt the cell, job or wait on the main thread.

        Callable from any thread; nothing happens when the main thread is idle.

        Returns:
            Whether something was there to interrupt.
        """
        raise NotImplementedError

    @property
    def waiting(self) -> bool:
        """Whether a blocking magic waits now."""
        raise NotImplementedError

    def close(self) -> None:
        """Refuse new jobs, end the queued ones with `KernelError`, and undo all hooks."""
        raise NotImplementedError

    # ---- what is there ----------------------------------------------------------------------------

    def namespace(self) -> tuple[Variable, ...]:
        """Describe the user's variables without running user code. Callable from any thread."""
        raise NotImplementedError

    @property
    def has_kernel(self) -> bool:
        """Whether a Jupyter kernel is around the shell (a terminal has none)."""
        raise NotImplementedError

    @property
    def can_ask(self) -> bool:
        """Whether a person sits before the cell that runs (or waits, or ran last).

        JupyterLab allows its cells to ask for input; nbclient, papermill and `jupyter execute` do not.
        """
        raise NotImplementedError

    # ---- the cell ---------------------------------------------------------------------------------

    def show(self, bundle: Bundle, metadata: dict[str, Any] | None = None) -> Display:
        """Show something in the cell that runs (from the turn of a waiting `%voice`: in that cell)."""
        raise NotImplementedError

    def set_next_input(self, code: str) -> bool:
        """Put code into a new cell below the one whose `%voice` waits, when that ends.

        Returns:
            False when no `%voice` waits for the calling turn: nothing was done.
        """
        raise NotImplementedError

    # ---- messages while a cell runs ---------------------------------------------------------------

    def route(self, comm: Any) -> Reach:
        """Let a comm's messages arrive while the main thread runs a cell. Callable from any thread.

        Call it as soon as the comm is open; what the comm was sent before takes its usual way.
        """
        raise NotImplementedError

    def on_control(self, callback: Callable[[dict[str, Any], list[bytes]], None]) -> bool:
        """Hand every `voice_kernel_request` of the control channel to a callback (one at a time).

        The content of such a message is one `ToKernel` message. It arrives whatever the main thread
        does, on every ipykernel; the callback runs on the control thread and must return at once.

        Returns:
            False when there is no control channel.
        """
        raise NotImplementedError
