"""Where commands run: on this machine, or wherever another executor puts them.

An executor runs a command as `process.run` does: its output comes in pieces as it is put out, what it
started ends with it, cancelling the call ends it. Tools that may run elsewhere take an executor and do not
know which; `dask` is the other one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from voice_kernel.task import process
from voice_kernel.task.function import PAYLOAD_VARIABLE
from voice_kernel.task.process import Exit

PATHS = ("PATH", "PYTHONPATH")
"""Variables whose values are lists: what is given goes in front of what is there."""


class Executor(Protocol):
    """Runs commands."""

    @property
    def place(self) -> str:
        """Where commands run, for a person, e.g. `the Dask cluster at tcp://...`; empty for this machine."""
        ...

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | os.PathLike[str] = ".",
        env: Mapping[str, str] | None = None,
        pty: bool = False,
        payload: bytes = b"",
        on_output: Callable[[bytes], None] | None = None,
        on_event: Callable[[bytes], None] | None = None,
        event_variable: str = "",
        on_wait: Callable[[str], None] | None = None,
        on_restart: Callable[[], None] | None = None,
        timeout_s: float | None = None,
    ) -> Exit:
        """Run a command to its end and return how it ended.

        Args:
            argv: the program and its arguments.
            cwd: the working folder.
            env: variables on top of the environment that commands have where it runs; those of `PATHS`
                go in front of what is there.
            pty: whether stdout and stderr are a terminal.
            payload: bytes for the command, in a private file whose path is in `PAYLOAD_VARIABLE`.
            on_output: called with each piece of output, in order.
            on_event: called with what the command writes to the descriptor whose number it finds in
                `event_variable`.
            event_variable: name of the environment variable that carries that number.
            on_wait: told what it waits for before it can begin, in a few words; with "" when it begins.
            on_restart: told that it begins again from the start, since the place where it ran is gone.
            timeout_s: end it after this time.

        Raises:
            ExecutorError: it cannot be run there; says what to do.
            TaskInterrupted: the place where it ran is gone, and it is not to be run again by itself.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held, within a bound. What still runs is ended."""
        ...


class LocalExecutor:
    """Runs commands as processes of this machine."""

    place = ""

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | os.PathLike[str] = ".",
        env: Mapping[str, str] | None = None,
        pty: bool = False,
        payload: bytes = b"",
        on_output: Callable[[bytes], None] | None = None,
        on_event: Callable[[bytes], None] | None = None,
        event_variable: str = "",
        on_wait: Callable[[str], None] | None = None,
        on_restart: Callable[[], None] | None = None,
        timeout_s: float | None = None,
    ) -> Exit:
        """Run a command to its end and return how it ended; see `Executor`."""
        with _kept(payload) as variables:
            return await process.run(
                argv,
                cwd=cwd,
                env=environment({**(env or {}), **variables}),
                pty=pty,
                on_output=on_output,
                on_event=on_event,
                event_variable=event_variable,
                timeout_s=timeout_s,
            )

    async def close(self) -> None:
        """Do nothing: commands are tasks, and end with these."""


LOCAL = LocalExecutor()


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command here, with these variables on top."""
    variables = process.environment(extra)
    for name in PATHS:
        earlier = os.environ.get(name, "")
        if extra.get(name) and earlier:
            variables[name] = os.pathsep.join((extra[name], earlier))
    return variables


@contextlib.contextmanager
def _kept(payload: bytes) -> Iterator[dict[str, str]]:
    """Keep bytes in a private file as long as the command runs."""
    if not payload:
        yield {}
        return
    with tempfile.NamedTemporaryFile(prefix="voice-kernel-") as file:
        file.write(payload)
        file.flush()
        yield {PAYLOAD_VARIABLE: file.name}
