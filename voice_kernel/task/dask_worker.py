"""What runs on a Dask worker: one command, its output sent back, and the end of both.

Runs in a thread of the worker, the command under a reaper beside it, so that nothing of the command
outlives the worker. What it puts out goes through a short queue on the scheduler: pieces in order, ten a
second at most; where nobody takes them, the command waits. It does not know whose command it is.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import sys
import threading
import time
import zlib
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from voice_kernel.task.executor import LocalExecutor
from voice_kernel.version import __version__

PAUSE_S = 0.1
"""Least time between two pieces."""
PIECE_BYTES = 1024 * 1024
HELD_BYTES = 2 * PIECE_BYTES
"""Output kept while it waits to be sent; when there is more, the command is made to wait."""
JOINED_BYTES = 64 * 1024
STREAM_PIECES = 4
"""Pieces that the scheduler holds."""
WATCH_S = 0.05
"""How often to look whether the command is still wanted."""
LAST_WORD_LIMIT_S = 2.0
"""How long to wait for somebody who takes the last pieces of a command that is no longer wanted."""

PACKAGE = str(Path(__file__).parents[1])
ALIVE = frozenset({"running", "paused", "closing_gracefully"})
"""States of a worker that still works."""


BEGIN = """
try:
    import pickle, zlib
    from voice_kernel.task.dask_worker import work
except ImportError:
    import asyncio, socket
    from distributed import get_worker
    worker = get_worker()
    end = {"attempt": 1_000_000, "end": {"no_package": socket.gethostname()}}
    told = worker.scheduler.queue_put(name=stream, data=end)
    asyncio.run_coroutine_threadsafe(told, worker.loop.asyncio_loop).result()
else:
    work(pickle.loads(zlib.decompress(job)))
"""
"""What a Dask task executes, with a packed job (`Job.packed`) and the name of its stream.

A function of ours would have to be loaded, and a worker that cannot load what it is sent ends itself, as
do then the next ones (seen in Dask 2026.8); this text any of them can. What fails is logged by Dask with
its arguments: packed, they show nothing of the command.
"""


@dataclass(frozen=True)
class Job:
    """One command for a worker."""

    key: str
    """Of the Dask task."""
    stream: str
    """Name of the queue for what it puts out."""
    tickets: str
    """Name of the queue with the ticket that allows to begin: its number, from 1."""
    tries: int
    """How often it may begin."""
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    pty: bool
    payload: bytes
    event_variable: str
    """Empty where nobody listens to events."""
    timeout_s: float | None
    version: str = __version__
    package: str = PACKAGE
    """Where voice_kernel is at the sender's: paths into it are changed to where it is here."""
    python: str = field(default_factory=lambda: sys.executable)
    """The sender's Python: where it is not here, it is the worker's."""

    @property
    def packed(self) -> bytes:
        """The job for `work`."""
        return zlib.compress(pickle.dumps(asdict(self)), 1)

    def here(self, value: str) -> str:
        """Return an argument or variable as it has to be on this machine."""
        if value == self.python and not os.path.exists(value):
            return sys.executable
        return value.replace(self.package, PACKAGE)


def work(fields: dict[str, Any]) -> None:
    """Run a command; what the Dask task calls. Everything it has to tell goes into the stream.

    Args:
        fields: those of a `Job`, perhaps of another version.
    """
    from distributed import get_worker

    scheduler = _Scheduler(get_worker(), *(fields[name] for name in ("key", "stream", "tickets", "tries")))
    ticket = scheduler.ticket()
    if ticket is None:  # it has begun before, on a worker that is gone, and is not to begin again
        return
    outbox = _Outbox(scheduler, ticket)
    outbox.begin()
    if fields["version"] != __version__:
        outbox.end({"version": __version__})
    elif not os.path.isdir(fields["cwd"]):
        outbox.end({"no_folder": fields["cwd"]})
    else:
        end = asyncio.run(_run(Job(**fields), scheduler, outbox))
        if scheduler.leaving and "exit" not in end:
            outbox.close()  # the command was ended with its worker: to the sender, both have died
        else:
            outbox.end(end)


async def _run(job: Job, scheduler: _Scheduler, outbox: _Outbox) -> dict[str, Any]:
    running = asyncio.ensure_future(
        LocalExecutor().run(
            [job.here(value) for value in job.argv],
            cwd=job.cwd,
            env={name: job.here(value) for name, value in job.env.items()},
            pty=job.pty,
            payload=job.payload,
            on_output=lambda data: outbox.add(False, data),
            on_event=(lambda data: outbox.add(True, data)) if job.event_variable else None,
            event_variable=job.event_variable,
            timeout_s=job.timeout_s,
        )
    )
    while not running.done():
        await asyncio.wait({running}, timeout=WATCH_S)
        if not scheduler.wanted:
            running.cancel()
            await asyncio.wait({running})
    try:
        return {"exit": asdict(running.result())}
    except (asyncio.CancelledError, _NoLongerWanted):
        return {"cancelled": True}
    except OSError as error:  # no descriptors, processes or disk are left
        return {"not_started": error.strerror}


class _NoLongerWanted(Exception):
    """The command was cancelled, or whoever sent it is gone."""


class _Scheduler:
    """The worker's line to the scheduler. Callable from any thread but the worker's own loop.

    The queues are the sender's. They are spoken to without a `distributed.Queue`, since one that was open
    on a worker that died is never removed; and without time limits, since the scheduler logs each that is
    over as an error.
    """

    def __init__(self, worker: Any, key: str, stream: str, tickets: str, tries: int) -> None:
        self.worker = worker
        self._key = key
        self._stream = stream
        self._tickets = tickets
        self._tries = tries

    @property
    def wanted(self) -> bool:
        """Whether the command is to run on: not when it was cancelled, or the sender is gone."""
        task = self.worker.state.tasks.get(self._key)
        return task is not None and task.state == "executing" and not self.leaving

    @property
    def leaving(self) -> bool:
        """Whether the worker is being closed."""
        return self.worker.status.name not in ALIVE

    def ticket(self) -> int | None:
        """Take the ticket, leaving the next one for whoever has to begin again; None where there is none.

        Between the two this worker may die: then it is not begun again, which is the lesser harm.
        """
        records = self._take(self._tickets)
        if not records:
            return None
        number = int(records[0]["value"])
        if number < self._tries:
            self._call(self.worker.scheduler.queue_put(name=self._tickets, data=number + 1))
        return number

    def put(self, record: dict[str, Any]) -> None:
        """Hand a record on, once there is room for it."""
        self._call(self.worker.scheduler.queue_put(name=self._stream, data=record))

    @property
    def waiting(self) -> int:
        """How many records nobody has taken yet."""
        return int(self._call(self.worker.scheduler.queue_qsize(name=self._stream)))

    def clear(self) -> None:
        """Take back what nobody takes: the scheduler would hold it for good."""
        self._take(self._stream)

    def finish(self) -> None:
        """Take the ticket away: a result that gets lost with this worker is no reason to begin again."""
        self._take(self._tickets)

    def _take(self, name: str) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self._call(self.worker.scheduler.queue_get(name=name, batch=True))
        return records

    def _call(self, request: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(request, self.worker.loop.asyncio_loop).result()


class _Outbox:
    """What waits to be sent, in order, by a thread of its own."""

    def __init__(self, scheduler: _Scheduler, attempt: int) -> None:
        self._scheduler = scheduler
        self._attempt = attempt
        self._changed = threading.Condition()
        self._parts: list[tuple[bool, bytes]] = []
        """Each whether it is an event, and the bytes."""
        self._held_bytes = 0
        self._ended = False
        self._thread = threading.Thread(target=self._send_all, name="voice-kernel-outbox", daemon=True)

    def begin(self) -> None:
        """Tell where it runs, and send from now on."""
        place = {"worker": self._scheduler.worker.address, "host": socket.gethostname()}
        self._scheduler.put({"attempt": self._attempt, "begin": place})
        self._thread.start()

    def add(self, is_event: bool, data: bytes) -> None:
        """Have a piece sent; waits while too much is waiting already.

        Raises:
            _NoLongerWanted: and so nobody takes any of it.
        """
        with self._changed:
            while not self._changed.wait_for(lambda: self._held_bytes <= HELD_BYTES, WATCH_S):
                if not self._scheduler.wanted:
                    raise _NoLongerWanted
            kind, last = self._parts[-1] if self._parts else (is_event, b"")
            if self._parts and kind == is_event and len(last) + len(data) <= JOINED_BYTES:
                self._parts[-1] = (is_event, last + data)
            else:
                self._parts.append((is_event, data))
            self._held_bytes += len(data)
            self._changed.notify_all()

    def close(self) -> None:
        """Take nothing more; what is there may still be sent."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def end(self, how: dict[str, Any]) -> None:
        """Send what is left, and how it ended."""
        self.close()
        try:
            self._see_through()
            self._scheduler.finish()
            self._scheduler.put({"attempt": self._attempt, "end": how})
        except OSError:  # the scheduler is gone, and with it all who wanted to know
            return

    def _see_through(self) -> None:
        """Wait until all is sent; of what is no longer wanted, until it is clear that nobody takes it."""
        limit = time.monotonic() + LAST_WORD_LIMIT_S
        while self._thread.is_alive() or (not self._scheduler.wanted and self._scheduler.waiting):
            if self._thread.is_alive():
                self._thread.join(WATCH_S)
            else:
                time.sleep(WATCH_S)
            if self._scheduler.wanted:
                limit = time.monotonic() + LAST_WORD_LIMIT_S
            elif time.monotonic() > limit:
                self._scheduler.clear()

    def _send_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._parts or self._ended)
                if not self._parts:
                    return
                parts = self._take()
                self._changed.notify_all()
            try:
                self._scheduler.put({"attempt": self._attempt, "parts": parts})
            except OSError:  # the scheduler is gone: the worker ends soon, and all of this with it
                return
            with self._changed:
                self._changed.wait_for(lambda: self._ended, PAUSE_S)

    def _take(self) -> list[tuple[bool, bytes]]:
        taken: list[tuple[bool, bytes]] = []
        size = 0
        while self._parts and size < PIECE_BYTES:
            taken.append(self._parts.pop(0))
            size += len(taken[-1][1])
        self._held_bytes -= size
        return taken
