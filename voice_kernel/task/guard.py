"""Stand between us and a program that a library starts, so that nothing of it outlives us.

    python -I -S guard.py [--tidy FOLDER] PARENT GRACE_S COMMAND...

runs the command with its own stdin, stdout and stderr, and ends everything below it when the parent is gone,
when it is asked to (SIGTERM), or when the command has ended. For programs that this project starts itself
there is `process.run`; this is for those whose pipes a library must hold, as an MCP client does. A folder
named with `--tidy` is removed in the end. Only the standard library is imported.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys

# At the end: what stands beside an installed voice_kernel must not hide the standard library.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from voice_kernel.task.reaper import (
    POLL_S,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_NAME,
    PR_SET_PDEATHSIG,
    RESTORED,
    Watch,
    prctl,
)


def main() -> int:
    """Watch over the command of the arguments; returns its exit status, 127 if it could not be started."""
    given = sys.argv[1:]
    folder = ""
    if given[0] == "--tidy":
        folder, given = given[1], given[2:]
    parent, grace_s, argv = int(given[0]), float(given[1]), given[2:]
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    with contextlib.suppress(OSError):  # it leads a group already
        os.setsid()  # a kernel is killed with its whole group, and this is to tidy up after it
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_r, False)
    os.set_blocking(wake_w, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
    prctl(PR_SET_NAME, b"vk-guard")
    subreaper = prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()  # a group of its own: the way to find all of it where nothing is a subreaper
            prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
            for name in RESTORED:
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            os.execvp(argv[0], argv)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)
    # The pipes are the command's alone: whoever is at their other end must see it close them.
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    command = Watch(pid, grace_s, subreaper)
    poller = select.poll()
    poller.register(wake_r, select.POLLIN)
    command.reap()
    while command.status is None and os.getppid() == parent:
        if poller.poll(POLL_S * 1000) and any(n != signal.SIGCHLD for n in os.read(wake_r, 1024)):
            break
        command.reap()
    if command.status is not None:
        command.settle()
    command.stop()
    if folder:
        import shutil  # only now: it would make every start slower

        shutil.rmtree(folder, ignore_errors=True)
    if command.status is None:
        return 128 + signal.SIGTERM
    code = os.waitstatus_to_exitcode(command.status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
