"""One piece of code that is to run, what became of it, and the wait it may belong to."""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from voice_kernel.kernel.capture import Recorder
from voice_kernel.kernel.jupyter import Message
from voice_kernel.messages import Output, Problem

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult


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
    execution_count: int | None = None
    """Its number as an input, when it counts as one."""


@dataclass(eq=False, slots=True)
class Pump:
    """A magic that waits on the main thread."""

    parent: Message | None
    can_ask: bool
    jobs_below: int
    """How many jobs were running when it began: it waits inside the last of them."""
    wake: queue.SimpleQueue[None] = field(default_factory=queue.SimpleQueue)
    """Anything in it means: look around. Its `put` is safe in a signal handler."""
    interrupts: int = 0
    next_input: str | None = None
    ended: bool = False

    def interrupt(self) -> None:
        """Ask the wait to end. Safe in a signal handler."""
        self.interrupts += 1
        self.wake.put(None)


@dataclass(eq=False, slots=True)
class Job:
    """A piece of code that is to run, or runs."""

    code: str
    show: bool | str
    store_history: bool
    recorder: Recorder
    pump: Pump | None
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
