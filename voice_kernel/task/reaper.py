"""Watch over one command, and see to it that nothing it started outlives its owner.

Runs as a small process of its own, `python -I -S reaper.py`, between the kernel and the command: a
kernel that is killed cannot tidy up after itself, this process can. It knows nothing of voice_kernel
(only the standard library is imported, and little of that: it starts once per command).

    fd 0  control, from the kernel: any byte, or its end, means "stop everything"
    fd 1  status, to the kernel, one line each:
            started PID | failed STEP ERRNO | exited WAITSTATUS | ended COUNT | survived COUNT | done

On Linux it is a subreaper: whatever the command started, however often it forked or called setsid, ends
up as a child of this process and is found. Elsewhere the command's process group is all that is known.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import time

try:
    # The module behind `signal`, without its enumerations: they cost a third of the time this takes to start.
    import _signal as signal  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    import signal

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

POLL_S = 1.0
"""How often to look whether the kernel still lives. The pipe's end says so at once, unless code of the
user forked without exec: such a copy of the kernel keeps the pipe open."""
SWEEP_S = 0.01
"""Pause between two looks at what is still running while stopping."""
SETTLE_S = 0.05
"""Time that what a finished command leaves behind has to end by itself, as helpers do."""
KILL_LIMIT_S = 5.0
"""How long to go on with SIGKILL. What is left then belongs to another user or hangs in the system."""

RESTORED = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGTTOU", "SIGTTIN")


def tell(line: str) -> None:
    """Send one status line; a kernel that is gone does not need it."""
    try:
        os.write(1, line.encode() + b"\n")
    except OSError:
        return


def prctl(option: int, value: int | bytes) -> bool:
    """Set a property of this process as Linux can; False where it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):  # a C library without it, or no ctypes
        return False


def start(argv: list[str], cwd: str, out_fd: int, kept_fds: list[int]) -> int:
    """Fork and execute the command in a session of its own, with empty stdin; return its pid.

    Raises:
        ChildProcessError: it could not be started; its text is `STEP ERRNO`.
    """
    told_r, told_w = os.pipe()  # closed by a successful exec, else carries the reason
    pid = os.fork()
    if pid == 0:
        step = "session"
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))  # should this process itself be killed
            for name in RESTORED:
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(out_fd, 1)
            os.dup2(out_fd, 2)
            for fd in kept_fds:
                os.set_inheritable(fd, True)
            if out_fd > 2 and out_fd not in kept_fds:
                os.close(out_fd)
            step = "cwd"
            os.chdir(cwd)
            step = "exec"
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(told_w, f"{step} {error.errno or 0}".encode())
        except BaseException:  # noqa: BLE001 - whatever it is, this copy must never run on as a second reaper
            os.write(told_w, f"{step} 0".encode())
        os._exit(127)
    os.close(told_w)
    reason = os.read(told_r, 100).decode()
    os.close(told_r)
    if reason:
        os.waitpid(pid, 0)
        raise ChildProcessError(reason)
    return pid


def descendants() -> list[int] | None:
    """Return the pids of all living processes below this one; None where /proc cannot tell."""
    children: dict[int, list[int]] = {}
    try:
        names = os.listdir("/proc")
    except OSError:
        return None
    for name in names:
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                stat = file.read()
            # The name in parentheses may hold anything, so read on after the last one.
            state, parent = stat[stat.rindex(b")") + 2 :].split(None, 2)[:2]
        except (OSError, ValueError):  # gone meanwhile
            continue
        if state not in b"ZX":
            children.setdefault(int(parent), []).append(int(name))
        else:
            children.setdefault(int(parent), [])
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found if children else None


def send(pid: int, number: int, *, group: bool = False) -> None:
    """Send a signal, to a process that may be gone or may belong to somebody else."""
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


class Watch:
    """The command and what it has started, from its start until nothing is left."""

    def __init__(self, pid: int, grace_s: float, subreaper: bool) -> None:
        self.pid = pid
        self.grace_s = grace_s
        self.subreaper = subreaper
        self.status: int | None = None
        """Wait status of the command itself, once it has ended."""
        self.childless = False

    def reap(self) -> None:
        """Collect every child that has ended, and tell when it was the command."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.childless = True
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.status = status
                tell(f"exited {status}")

    def left(self) -> list[int]:
        """Return what is still running below this process."""
        if self.subreaper and self.childless:
            return []  # without a look through /proc: whoever loses a parent becomes a child of this process
        found = descendants() if self.subreaper else None
        if found is not None:
            return found
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return []
        except PermissionError:  # macOS says so of a group that is all zombies
            return []
        return [self.pid]

    def signal(self, pids: list[int], number: int) -> None:
        """Send a signal to these processes, and to the command's group."""
        send(self.pid, number, group=True)
        for pid in pids:
            send(pid, number)

    def settle(self) -> None:
        """Wait a moment for the rest of a finished command."""
        end = time.monotonic() + SETTLE_S
        while self.left() and time.monotonic() < end:
            time.sleep(0.002)
            self.reap()

    def stop(self) -> None:
        """End everything: SIGTERM, a time of grace, then SIGKILL until none is left."""
        signalled: set[int] = set()
        begin = time.monotonic()
        while True:
            self.reap()
            left = self.left()
            if not left and (self.childless or not self.subreaper):
                break
            waited_s = time.monotonic() - begin
            if waited_s > self.grace_s + KILL_LIMIT_S:
                tell(f"survived {len(left)}")
                return
            if waited_s > self.grace_s:
                self.signal(left, signal.SIGKILL)
            else:
                fresh = [pid for pid in left if pid not in signalled]
                if fresh:
                    self.signal(fresh, signal.SIGTERM)
                    for pid in fresh:  # a stopped process would not see it
                        send(pid, signal.SIGCONT)
                    signalled.update(fresh)
            time.sleep(min(SWEEP_S, 0.001 + waited_s / 10))
        tell(f"ended {len(signalled - {self.pid})}")


def watch(pid: int, grace_s: float, subreaper: bool, wake_fd: int, parent: int) -> None:
    """Wait for the command to end, or for the kernel to be gone or to ask; then stop what is left."""
    command = Watch(pid, grace_s, subreaper)
    poller = select.poll()
    poller.register(0, select.POLLIN | select.POLLHUP)
    poller.register(wake_fd, select.POLLIN)
    command.reap()  # the command may have ended before the first wait
    while command.status is None and os.getppid() == parent:
        ready = dict(poller.poll(POLL_S * 1000))
        if 0 in ready:
            break
        if wake_fd in ready and any(number != signal.SIGCHLD for number in os.read(wake_fd, 1024)):
            break
        command.reap()
    if command.status is not None:
        command.settle()
    command.stop()


def main() -> None:
    """Read `PARENT GRACE_S OUT_FD KEPT_FDS CWD COMMAND...` from the arguments and do the watching."""
    parent, grace_s, out_fd = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    kept_fds = [int(fd) for fd in sys.argv[4].split(",") if fd]
    cwd, argv = sys.argv[5], sys.argv[6:]

    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_r, False)
    os.set_blocking(wake_w, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
    prctl(PR_SET_NAME, b"vk-reaper")
    subreaper = prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        pid = start(argv, cwd, out_fd, kept_fds)
    except ChildProcessError as error:
        tell(f"failed {error}")
    except OSError as error:
        tell(f"failed fork {error.errno or errno.EAGAIN}")
    else:
        for fd in (out_fd, *kept_fds):
            os.close(fd)
        tell(f"started {pid}")
        watch(pid, grace_s, subreaper, wake_r, parent)
    tell("done")


if __name__ == "__main__":
    main()
