"""Run one command and everything it starts, streamed, bounded and without orphans.

Between the kernel and the command stands `reaper.py`, a small process that outlives a killed kernel
just long enough to end whatever the command started. This module starts it, reads the output in pieces
no faster than they are taken, and reports how the command ended. It does not know what is run, why, or
who reads the output. Everything here belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_kernel.language import _

REAPER = Path(__file__).with_name("reaper.py")

PIECE_BYTES = 65_536
"""Most that one read hands on. Nothing is read while a piece is being handled: that is the
back-pressure that keeps a flood out of memory."""
LOOK_S = 1.0
"""How often to look whether the reaper still lives, should its last word have been lost."""
COLUMNS, LINES = 120, 40

GRACE_S = 2.0
"""Time between SIGTERM and SIGKILL."""

SECRET_ENDINGS = ("_API_KEY", "_API_TOKEN", "_CLIENT_SECRET")
"""Endings of variables a command has no business with: keys of models and of the Jupyter server."""
LEFT_OUT = frozenset(["FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES"])
"""What speaks of another terminal: ipykernel makes pipes and so files get colours; sizes are not ours."""


@dataclass(frozen=True)
class Exit:
    """How a command ended."""

    code: int
    """Its exit status; 128 + the signal's number when a signal ended it, 127 when it never started."""
    signal: str = ""
    """Name of the signal that ended it, e.g. `SIGSEGV`; else empty."""
    timed_out: bool = False
    duration_s: float = 0.0
    ended: int = 0
    """How many background processes it left behind, which were then ended."""
    survivors: int = 0
    """How many of them could not be ended: they belong to another user, or hang in the system."""
    problem: str = ""
    """Why it never started, in one sentence; else empty."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the kernel's environment for a command: without keys, and fit for nobody typing.

    Pagers and editors would wait for keys that never come; git, ssh and sudo would ask for a password.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith(SECRET_ENDINGS) and name not in LEFT_OUT
    }
    if kept.get("MPLBACKEND", "").startswith("module://"):
        # ipykernel's inline backend: another interpreter may not have it, and has no cell to draw in.
        del kept["MPLBACKEND"]
    kept.update(
        TERM="xterm-256color",
        PAGER="cat",
        GIT_PAGER="cat",
        MANPAGER="cat",
        SYSTEMD_PAGER="cat",
        GIT_TERMINAL_PROMPT="0",
    )
    kept.update(extra or {})
    return kept


def shell_argv(command: str) -> list[str]:
    """Return the argument list that runs a shell command."""
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    return [shell, "-c", command]


async def run(
    argv: Sequence[str],
    *,
    cwd: str | os.PathLike[str] = ".",
    env: Mapping[str, str] | None = None,
    pty: bool = False,
    on_output: Callable[[bytes], None] | None = None,
    on_event: Callable[[bytes], None] | None = None,
    event_variable: str = "",
    timeout_s: float | None = None,
    grace_s: float = GRACE_S,
) -> Exit:
    """Run a command to its end and return how it ended.

    The command has no stdin. With `pty` its output is a terminal of 120 x 40, but not its controlling
    terminal: what would ask at `/dev/tty` for a password fails at once instead of waiting for ever.
    When it ends, when the time is over or when this coroutine is cancelled, everything it started is
    ended too.

    Args:
        argv: the program and its arguments; see `shell_argv` for a shell command.
        cwd: the working directory.
        env: the whole environment; `environment()` when None.
        pty: whether stdout and stderr are a terminal rather than a pipe.
        on_output: called with each piece of output, at most `PIECE_BYTES`, in order.
        on_event: called with what the command writes to the descriptor whose number it finds in
            `event_variable`.
        event_variable: name of the environment variable that carries that number.
        timeout_s: end it after this time.
        grace_s: time between SIGTERM and SIGKILL.

    Raises:
        OSError: the kernel's own limits (descriptors, processes) are exhausted.
    """
    running = _Running(list(argv), os.fspath(cwd), env, pty, on_output, on_event, event_variable, grace_s)
    timed_out = False
    try:
        async with asyncio.timeout(timeout_s) as limit:
            await asyncio.shield(running.closed)
    except TimeoutError:
        if not limit.expired():
            raise
        timed_out = True
        running.stop()
        await asyncio.shield(running.closed)
    finally:
        # Cancelled, here or above: ask, then see it through. A second cancellation leaves the rest to
        # the callbacks and to the reaper, which need nobody to wait for them.
        if not running.closed.done():
            running.stop()
            await asyncio.shield(running.closed)
    return running.outcome(timed_out)


class _Running:
    """One command on its way; all descriptors and callbacks of it."""

    def __init__(
        self,
        argv: list[str],
        cwd: str,
        env: Mapping[str, str] | None,
        pty: bool,
        on_output: Callable[[bytes], None] | None,
        on_event: Callable[[bytes], None] | None,
        event_variable: str,
        grace_s: float,
    ) -> None:
        self._argv0 = argv[0]
        self._cwd = cwd
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        """Done when nothing of the command is left and all its output was handed on."""
        self._readers: dict[int, Callable[[bytes], None]] = {}
        self._status = b""
        self._words: dict[str, list[str]] = {}
        self._begin = time.monotonic()
        self._duration_s = 0.0
        self._error: BaseException | None = None
        self._look: asyncio.TimerHandle | None = None

        variables = dict(environment() if env is None else env)
        given: list[int] = []  # descriptors of the other side, closed here once it has them
        control_w = -1
        try:
            control_r, control_w = os.pipe()
            given.append(control_r)
            status_r, status_w = os.pipe()
            given.append(status_w)
            self._readers[status_r] = self._on_status
            out_r, out_w = _open_terminal() if pty else os.pipe()
            given.append(out_w)
            self._readers[out_r] = on_output or _ignore
            kept: list[int] = []
            if on_event is not None:
                event_r, event_w = os.pipe()
                given.append(event_w)
                kept.append(event_w)
                self._readers[event_r] = on_event
                variables[event_variable] = str(event_w)
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(REAPER)),
                    *(str(os.getpid()), str(grace_s), str(out_w), ",".join(map(str, kept)), cwd),
                    *argv,
                ],
                stdin=control_r,
                stdout=status_w,
                stderr=subprocess.DEVNULL,
                pass_fds=[out_w, *kept],
                env=variables,
                start_new_session=True,  # an interrupt of the kernel's group must not reach it
            )
        except BaseException:
            for fd in (*self._readers, *given, control_w):
                if fd >= 0:
                    os.close(fd)
            raise
        for fd in given:
            os.close(fd)
        self._control: int | None = control_w
        self._status_fd = status_r
        for fd in self._readers:
            os.set_blocking(fd, False)
            self._loop.add_reader(fd, self._read, fd)
        self._look = self._loop.call_later(LOOK_S, self._look_after)

    def stop(self) -> None:
        """Ask the reaper to end everything."""
        if self._control is not None:
            # A byte and not only the end: code of the user that forked meanwhile holds a copy.
            with contextlib.suppress(OSError):
                os.write(self._control, b"x")
            os.close(self._control)
            self._control = None

    def outcome(self, timed_out: bool) -> Exit:
        """Return how it ended, once closed."""
        if self._error is not None:
            raise self._error
        ended = int(self._words.get("ended", ["0"])[0])
        survivors = int(self._words.get("survived", ["0"])[0])
        if "failed" in self._words:
            step, number = self._words["failed"]
            problem = _reason(step, int(number), self._argv0, self._cwd)
            return Exit(127, duration_s=self._duration_s, problem=problem)
        if "exited" not in self._words:  # somebody killed the reaper, and with it the command
            return Exit(128 + signal.SIGKILL, "SIGKILL", timed_out, self._duration_s, ended, survivors)
        code = os.waitstatus_to_exitcode(int(self._words["exited"][0]))
        name = ""
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
            code = 128 - code
        return Exit(code, name, timed_out, self._duration_s, ended, survivors)

    def _read(self, fd: int) -> bool:
        """Hand on one piece; returns whether there was one."""
        data, ended = _read_piece(fd)
        if data and (self._error is None or fd == self._status_fd):
            try:
                self._readers[fd](data)
            except Exception as error:  # noqa: BLE001 - the taker's own fault, raised again in run()
                self._error = error
                self.stop()
        if ended:
            self._forget(fd)
        return bool(data)

    def _on_status(self, data: bytes) -> None:
        *lines, self._status = (self._status + data).split(b"\n")
        for line in lines:
            word, *rest = line.decode().split()
            self._words[word] = rest
            if word == "exited":
                self._duration_s = time.monotonic() - self._begin
            elif word == "done":
                self._loop.call_soon(self._finish)

    def _look_after(self) -> None:
        if self._process.poll() is None:
            self._look = self._loop.call_later(LOOK_S, self._look_after)
            return
        with contextlib.suppress(OSError):
            while self._status_fd in self._readers and self._read(self._status_fd):
                pass
        self._finish()

    def _finish(self) -> None:
        """Take what output is still waiting, close everything, and say so."""
        if self.closed.done():
            return
        if self._look is not None:
            self._look.cancel()
        if "done" not in self._words and "started" in self._words:
            # The reaper was killed. The command died with it (PR_SET_PDEATHSIG); end its group.
            with contextlib.suppress(OSError):
                os.killpg(int(self._words["started"][0]), signal.SIGKILL)
        self._drain()

    def _drain(self) -> None:
        # All writers are dead, so this ends: what is left is at most what a pipe or terminal holds.
        # One piece a turn of the loop, though, and no more than a pipe holds should a survivor write on.
        for _turn in range(32):
            if not any(self._read(fd) for fd in tuple(self._readers)):
                break
        self._close()

    def _close(self) -> None:
        for fd in tuple(self._readers):
            self._forget(fd)
        self.stop()
        self._duration_s = self._duration_s or time.monotonic() - self._begin
        self._collect(0.001)

    def _collect(self, pause_s: float) -> None:
        """Take the reaper's own exit status; it has said its last word, so this is a moment."""
        if self._process.poll() is None and pause_s < LOOK_S:
            self._loop.call_later(pause_s, self._collect, pause_s * 2)
        elif not self.closed.done():
            self.closed.set_result(None)

    def _forget(self, fd: int) -> None:
        if self._readers.pop(fd, None) is not None:
            self._loop.remove_reader(fd)
            os.close(fd)


def _read_piece(fd: int) -> tuple[bytes, bool]:
    """Return what there is to read, and whether the end has come.

    A terminal gives at most 4 KB at once: handing on several of those together is what makes a chatty
    command cheap.
    """
    pieces: list[bytes] = []
    size = 0
    ended = False
    while size < PIECE_BYTES and not ended:
        try:
            piece = os.read(fd, PIECE_BYTES - size)
        except BlockingIOError:
            break
        except OSError:  # EIO: the last process with this terminal has closed it
            piece = b""
        ended = not piece
        pieces.append(piece)
        size += len(piece)
    return (pieces[0] if len(pieces) == 1 else b"".join(pieces)), ended


def _open_terminal() -> tuple[int, int]:
    """Return the two ends of a terminal, the second for writing only; of a pipe where there is none."""
    import fcntl
    import termios

    try:
        master, slave = os.openpty()
    except OSError:
        return os.pipe()
    try:
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        attributes = termios.tcgetattr(slave)
        attributes[1] &= ~termios.OPOST  # lines end as written, not in CR LF
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        # For writing only: a pager that falls back to reading its stderr then fails at once.
        writable = os.open(os.ttyname(slave), os.O_WRONLY | os.O_NOCTTY)
    except OSError:
        return master, slave
    os.close(slave)
    return master, writable


def _reason(step: str, number: int, program: str, cwd: str) -> str:
    if step == "cwd":
        return _("The folder {cwd} cannot be entered: {strerror}.").format(
            cwd=cwd, strerror=os.strerror(number)
        )
    if step == "exec" and not os.path.dirname(program):
        return _("There is no command named {program!r} here.").format(program=program)
    return _("{program!r} could not be started: {strerror}.").format(
        program=program, strerror=os.strerror(number)
    )


def _ignore(_data: bytes) -> None:
    """Take output nobody wants."""
