"""The one thread of a session that writes: in batches, and again when it could not.

The loop thread puts things into the batch; this thread takes the batch and hands it to a `Ledger`. While
that fails, all stays in memory up to a cap, is tried ever less often, and is said once. Knows neither
what is written nor any database.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from voice_kernel.language import _
from voice_kernel.store.batch import Batch
from voice_kernel.store.faults import Fault, Patience

log = logging.getLogger(__name__)

MAX_DOUBTS = 3
TIDY_AGAIN_S = 600.0
STOP_LIMIT_S = 3.0
NEVER = float("inf")

Answer = TypeVar("Answer")


class Ledger(Protocol):
    """Where batches are written. All its methods belong to the writer's thread, and raise `Fault`."""

    beats: bool
    """Whether others learn only by heartbeats that the session lives."""

    def write(self, batch: Batch) -> None:
        """Write everything or nothing; writing the same again changes nothing."""
        ...

    def beat(self) -> None:
        """Say that the session lives; this always writes."""
        ...

    def tidy(self) -> float:
        """Do a little of what nobody waits for; returns the seconds until it wants to do more."""
        ...

    def end(self) -> None:
        """Write that the session is over."""
        ...

    def close(self) -> None:
        """Let the database go; never raises."""
        ...


class Writer:
    """Writes batches to a ledger, on a thread of its own.

    Args:
        connect: makes the ledger; called on the writer's thread, and again where it has to be made anew. Told
            how often damage was met in it, one time after the other.
        on_fault: told, on the writer's thread, that nothing is being written from now on and why; None says
            that all is being written again.
        patience: how long to wait.

    Attributes:
        lock: for `batch` and `write_in`; never held while something is waited for.
        batch: what is to be written.
        patience: as given.
    """

    def __init__(
        self,
        connect: Callable[[int], Ledger],
        *,
        on_fault: Callable[[Fault | None], None],
        patience: Patience | None = None,
    ) -> None:
        self.lock = threading.Lock()
        self.batch = Batch()
        self.patience = patience or Patience()
        self._connect = connect
        self._on_fault = on_fault
        # Of both threads, under the lock:
        self._wake = threading.Condition(self.lock)
        self._due_at = NEVER
        self._jobs: deque[tuple[Callable[[Any], Any], Future[Any]]] = deque()
        self._flushes: list[Future[bool]] = []
        self._dropped: set[str] = set()
        self._closing = False
        self._doubted = False
        self._fault: Fault | None = None
        self._worker: threading.Thread | None = None
        # Of the writer's thread alone:
        self._ledger: Ledger | None = None
        self._told = False
        self._doubts = 0
        self._try_at = 0.0
        self._wait_s = self.patience.retry_s
        self._beat_at = NEVER
        self._tidy_at = NEVER

    # ---- any thread --------------------------------------------------------------------------------

    @property
    def fault(self) -> Fault | None:
        """Why nothing is being written now; None when it is, or when nothing was tried yet."""
        return self._fault

    def start(self) -> None:
        """Begin to write."""
        if self._worker is None:
            # A daemon: whatever a disk or a server does, it does not keep the process from ending.
            self._worker = threading.Thread(target=self._run, name="voice-history", daemon=True)
            self._worker.start()

    def write_in(self, delay_s: float) -> None:
        """Have the batch written in so many seconds at most; the lock is held."""
        due_at = time.monotonic() + delay_s
        if due_at < self._due_at:
            self._due_at = due_at
            self._wake.notify()

    def submit(self, work: Callable[[Any], Answer]) -> Future[Answer]:
        """Have something done with the ledger, after all that was put into the batch so far.

        The future raises `Fault` where the database cannot be used now.
        """
        future: Future[Answer] = Future()
        with self.lock:
            if self._closing:
                future.set_exception(Fault("unreachable", _("The history is closed."), hint=""))
            else:
                self._jobs.append((work, future))
                self._wake.notify()
        return future

    def flush(self) -> Future[bool]:
        """Have everything so far written at once; the future says whether it was."""
        future: Future[bool] = Future()
        with self.lock:
            if self._closing or self._worker is None:
                future.set_result(False)
            else:
                self._flushes.append(future)
                self._wake.notify()
        return future

    def doubt(self) -> None:
        """Have the database looked through: somebody who read it met damage."""
        with self.lock:
            self._doubted = True
            self.write_in(0.0)

    def drop_thread(self, thread_id: str) -> list[str]:
        """Forget what is not written yet of a conversation.

        Returns:
            The paths of logs that only what is forgotten tells of.
        """
        with self.lock:
            self._dropped.add(thread_id)
            forgotten = [task for task, home, _ in self.batch.tasks.values() if home == thread_id]
            self.batch.drop_thread(thread_id)
        return [task.log_path for task in forgotten if task.log_path]

    def keep_thread(self, thread_id: str) -> None:
        """Write of a conversation again after all."""
        with self.lock:
            self._dropped.discard(thread_id)

    def stop(self) -> Callable[[], None]:
        """Write what is left and stop; returns a function that waits for that, for a bounded time."""
        with self.lock:
            self._closing = True
            self._wake.notify()
        worker = self._worker
        return lambda: worker.join(STOP_LIMIT_S) if worker is not None else None

    # ---- the writer's thread -----------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self.lock:
                self._wait()
                closing, jobs, flushes = self._closing, list(self._jobs), list(self._flushes)
                self._jobs.clear()
                self._flushes.clear()
                batch, self.batch, self._due_at = self.batch, Batch(), NEVER
            fault = self._fault
            # While it is no use, nobody is kept waiting for yet another attempt.
            is_time = closing or time.monotonic() >= self._try_at
            if fault is None or (is_time and not fault.lasting):
                fault = self._attempt(batch)
            self._keep_unwritten(batch, fault)
            self._tell(fault)
            for work, future in jobs:
                self._do(work, future)
            for flush in flushes:
                flush.set_result(fault is None)
            if closing:
                self._finish()
                return
            if fault is None and not self._jobs:
                # Nobody waits for this.
                self._tell(self._guarded(self._look_after))

    def _wait(self) -> None:
        """Return when there is something to do; the lock is held, and let go while waiting."""
        while not (self._closing or self._jobs or self._flushes):
            if self._fault is None:
                due_at = min(self._due_at, self._beat_at, self._tidy_at)
            else:
                due_at = NEVER if self._fault.lasting else self._try_at
            left_s = due_at - time.monotonic()
            if left_s <= 0:
                return
            self._wake.wait(None if due_at == NEVER else left_s)

    def _attempt(self, batch: Batch) -> Fault | None:
        """Write a batch and do what else is due; what could not be written is left in it."""
        fault = self._guarded(lambda: self._write(batch))
        for _doubt in range(MAX_DOUBTS):
            if fault is None or fault.kind not in ("corrupt", "moved"):
                break
            # There is another file by now, or connecting makes one.
            self._doubts += fault.kind == "corrupt"
            self._let_go()
            fault = self._guarded(lambda: self._write(batch))
        if fault is None:
            self._wait_s, self._doubts = self.patience.retry_s, 0
        else:
            self._try_at = time.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, self.patience.most_retry_s)
        return fault

    def _write(self, batch: Batch) -> None:
        if self._doubted:
            self._doubted = False
            self._doubts += 1
            self._let_go()
        if self._ledger is None:
            self._ledger = self._connect(self._doubts)
            self._beat_at = self._tidy_at = 0.0
        elif self._fault is not None and not batch:
            self._ledger.beat()  # with nothing to write, this shows whether it can be written again
        while batch:
            part = batch.take()
            try:
                self._ledger.write(part)
            except BaseException:
                batch.put_back(part)
                raise

    def _look_after(self) -> None:
        ledger, now = self._ledger, time.monotonic()
        if ledger is None:
            return
        if now >= self._beat_at:
            self._beat_at = now + self.patience.beat_s if ledger.beats else NEVER
            if ledger.beats:
                ledger.beat()
        if now >= self._tidy_at:
            try:
                delay_s = ledger.tidy()
            except Fault as fault:
                delay_s = TIDY_AGAIN_S
                if fault.kind == "corrupt":
                    self.doubt()
                # Whatever else: it is still being written, and nobody need know.
            self._tidy_at = time.monotonic() + delay_s

    def _guarded(self, work: Callable[[], object]) -> Fault | None:
        try:
            work()
        except Fault as fault:
            return fault
        except Exception as error:  # noqa: BLE001  a mistake of ours must not end the thread: say it instead
            log.error("the history could not be written: %s", _where(error))
            return Fault(
                "refused",
                _("Something went wrong while writing the history ({name}).").format(
                    name=type(error).__name__
                ),
                hint=_("Please report it."),
            )
        return None

    def _keep_unwritten(self, batch: Batch, fault: Fault | None) -> None:
        if not batch or (fault is not None and fault.lasting):
            return
        for thread_id in list(self._dropped):
            batch.drop_thread(thread_id)
        with self.lock:
            # The lock is held for as long as what is new takes, which is little.
            batch.add(self.batch)
            batch.stay_small()
            self.batch = batch

    def _tell(self, fault: Fault | None) -> None:
        before, self._fault = self._fault, fault
        told = self._told
        self._told = True
        if not told or (before and before.kind) != (fault and fault.kind):
            self._on_fault(fault)

    def _do(self, work: Callable[[Any], Any], future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        if self._fault is not None:
            future.set_exception(self._fault)
            return
        try:
            future.set_result(work(self._ledger))
        except BaseException as error:  # noqa: BLE001  whoever waits for it gets it
            future.set_exception(error)

    def _finish(self) -> None:
        if self._ledger is not None and self._fault is None:
            self._guarded(self._ledger.end)
        self._let_go()
        with self.lock:
            jobs, flushes = list(self._jobs), list(self._flushes)
        for _work, future in jobs:
            future.set_exception(Fault("unreachable", _("The history is closed."), hint=""))
        for flush in flushes:
            flush.set_result(False)

    def _let_go(self) -> None:
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _where(error: BaseException) -> str:
    # Not its message, which may quote what was to be written.
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    places = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
