"""Run commands on a Dask cluster, as if they ran here.

Each command is one Dask task (see `dask_worker`). What it puts out comes through a queue on the scheduler
that the worker fills and this side empties; cancelling the Dask task is what ends it, and so is the end of
this process, which the scheduler notices. A worker that dies makes the command interrupted, or has it run
again as often as was set. This and `dask_worker` are the only modules that import Dask, when first used.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import ExecutorError
from voice_kernel.language import N_, _
from voice_kernel.messages import Problem
from voice_kernel.task.dask_worker import BEGIN, STREAM_PIECES, Job
from voice_kernel.task.process import Exit
from voice_kernel.task.runner import TaskInterrupted
from voice_kernel.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future, Queue

CONNECT_LIMIT_S = 5.0
LOOK_S = 1.0
"""How often to look after a command that puts nothing out: whether its worker still lives."""
LAST_LOOK_S = 0.3
ANSWER_LIMIT_S = 30.0
"""How long the scheduler may be silent before it counts as gone."""
NO_WORKER_LIMIT_S = 300.0
"""How long to wait for a first worker: clusters that grow when there is work take minutes."""
STOP_LIMIT_S = 4.5
"""How long a worker may take to end what was cancelled; a little less than a task waits for its work."""
CLOSE_LIMIT_S = 2.0
MAX_PAYLOAD_BYTES = 8 * 1024**2

LOCAL = N_("Set VOICE_KERNEL_EXECUTOR=local to run things here.")


class DaskExecutor:
    """Runs commands on the workers of a Dask cluster. Everything here belongs to the loop thread.

    Args:
        address: the scheduler's; the one that Dask is configured for when empty.
        retries: how often a command is run again when its worker dies.
    """

    def __init__(self, address: str = "", *, retries: int = 0) -> None:
        self._address = address
        self._retries = retries
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        """Commands that have ended, and let go of what the scheduler holds of them."""

    @property
    def place(self) -> str:
        """Where commands run, for a person."""
        if not self._address:
            return _("the Dask cluster")
        return _("the Dask cluster at {address}").format(address=self._address)

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
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise ExecutorError(
                _("This call is too large to be sent to {place}: {size:.0f} MB.").format(
                    place=self.place, size=len(payload) / 1024**2
                ),
                hint=_("Put its data into a file that the workers can read."),
            )
        client = await self._connected()
        key = f"voice-kernel-{uuid.uuid4().hex}"
        job = Job(
            key=key,
            stream=f"{key}-stream",
            tickets=f"{key}-tickets",
            tries=1 + self._retries,
            argv=tuple(argv),
            cwd=os.path.join(os.getcwd(), cwd),
            env=dict(env or {}),
            pty=pty,
            payload=payload,
            event_variable=event_variable if on_event is not None else "",
            timeout_s=timeout_s,
        )
        command = _Command(
            client,
            job,
            on_output or _ignore,
            on_event or _ignore,
            on_wait or _ignore,
            on_restart or _nothing,
        )
        try:
            return await command.run()
        except (OSError, KeyError) as error:  # a scheduler that was started anew knows no queue of ours
            if self._client is client:
                await self._disconnect()  # it would go on trying for half a minute, and complain
            raise _interrupted(_("The connection to the Dask scheduler was lost while it ran.")) from error
        finally:
            ending = asyncio.ensure_future(command.release())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """Disconnect. What still runs on a worker is then ended there."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._endings:
            await asyncio.wait(self._endings, timeout=CLOSE_LIMIT_S)
        await self._disconnect()

    async def _connected(self) -> Client:
        if self._client is not None and self._client.status == "running":
            return self._client
        if self._connecting is None:  # once for all who wait, whoever of them is cancelled meanwhile
            self._connecting = asyncio.ensure_future(self._connect())
            self._connecting.add_done_callback(self._has_connected)
        return await asyncio.shield(self._connecting)

    def _has_connected(self, connecting: asyncio.Task[Client]) -> None:
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._client = connecting.result()

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await _close(client)

    async def _connect(self) -> Client:
        await self._disconnect()  # from one that was lost
        try:
            connect, configured = await asyncio.to_thread(_dask)
        except ImportError:
            raise ExecutorError(
                _("Dask is not installed in the environment of the kernel."),
                hint=_or_here(
                    _("Install it: {command}.").format(command="%pip install 'voice-kernel[dask]'")
                ),
            ) from None
        address = self._address or configured
        if not address:
            raise ExecutorError(
                _("No Dask scheduler is configured."),
                hint=_or_here(_("Set VOICE_KERNEL_DASK_SCHEDULER to its address, e.g. tcp://host:8786.")),
            )
        client: Client | None = None
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                # Not as the default client: that is for what the user does with Dask in the notebook.
                client = connect(address, asynchronous=True, set_as_default=False, timeout=CONNECT_LIMIT_S)
                await client
        except (OSError, ValueError, TypeError) as error:
            if client is not None:
                await _close(client)
            raise ExecutorError(
                _("The Dask scheduler at {address} cannot be reached.").format(address=address),
                hint=_or_here(
                    _("Start it with `dask scheduler`, and workers with `dask worker {address}`.").format(
                        address=address
                    )
                ),
                retryable=True,
            ) from error
        except BaseException:
            if client is not None:
                await _close(client)
            raise
        return client


def _dask() -> tuple[type[Client], str]:
    """Import Dask, which takes most of a second; return the client's class and the configured scheduler."""
    import dask.config
    from distributed import Client

    return Client, dask.config.get("scheduler-address", None) or ""


class _Command:
    """One command on its way through the cluster."""

    def __init__(
        self,
        client: Client,
        job: Job,
        on_output: Callable[[bytes], None],
        on_event: Callable[[bytes], None],
        on_wait: Callable[[str], None],
        on_restart: Callable[[], None],
    ) -> None:
        self._client = client
        self._job = job
        self._on_output = on_output
        self._on_event = on_event
        self._on_wait = on_wait
        self._on_restart = on_restart
        self._queues: list[Queue] = []
        self._future: Future[None] | None = None
        self._reading: asyncio.Task[dict[str, Any]] | None = None
        self._early: dict[str, Any] | None = None
        self._attempt = 0
        self._worker = ""
        """Address of the worker that has it; empty while none has."""
        self._host = ""
        self._waits = ""
        self._waited_s = 0.0
        self._submitted = 0

    async def run(self) -> Exit:
        beginning = asyncio.ensure_future(self._begin())
        try:
            await asyncio.shield(beginning)  # half begun, nobody would know what the scheduler holds
            return self._outcome(await self._end())
        except asyncio.CancelledError:
            # Seen through in a task of its own: whoever cancels may do so twice.
            await asyncio.shield(asyncio.ensure_future(self._stop(beginning)))
            raise

    async def _begin(self) -> None:
        from distributed import Queue

        for name, size in ((self._job.stream, STREAM_PIECES), (self._job.tickets, 0)):
            self._queues.append(await Queue(name, client=self._client, maxsize=size))
        await self._queues[1].put(1)
        self._submit()

    def _submit(self) -> None:
        self._submitted += 1
        given = {"job": self._job.packed, "stream": self._job.stream}
        self._future = self._client.submit(exec, BEGIN, given, key=self._job.key, pure=False)

    # ---- listening --------------------------------------------------------------------------------

    async def _end(self) -> dict[str, Any]:
        """Read until the command has ended; return how."""
        while True:
            record = await self._next(LOOK_S)
            if record is None:
                await self._look_after()
            elif record["attempt"] < self._attempt:
                continue  # of a worker that the scheduler has given up, and that does not know it yet
            elif "begin" in record:
                self._begun(record["attempt"], record["begin"])
            elif "parts" in record:
                for is_event, data in record["parts"]:
                    (self._on_event if is_event else self._on_output)(data)
            else:
                end: dict[str, Any] = record["end"]
                return end

    async def _next(self, limit_s: float) -> dict[str, Any] | None:
        """Return the next record; None when none has come in time."""
        if self._early is not None:
            early, self._early = self._early, None
            return early
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._queues[0].get())
        done, _open = await asyncio.wait({self._reading}, timeout=limit_s)
        if not done:
            return None
        reading, self._reading = self._reading, None
        return reading.result()

    def _begun(self, attempt: int, place: dict[str, str]) -> None:
        if self._attempt:
            note = _(
                "The Dask worker on {gone} is gone: run again on {host}, try {attempt} of {tries}."
            ).format(gone=self._host, host=place["host"], attempt=attempt, tries=self._job.tries)
            self._on_output(f"\n[{note}]\n".encode())
            self._on_restart()
        self._attempt, self._worker, self._host = attempt, place["worker"], place["host"]
        self._wait_for("")

    # ---- looking after it -------------------------------------------------------------------------

    async def _look_after(self) -> None:
        """Find out why nothing comes.

        Raises:
            ExecutorError: it cannot be run there.
            TaskInterrupted: its worker is gone, or the scheduler.
        """
        assert self._future is not None
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                workers = await self._client.nthreads(workers=[self._worker] if self._worker else None)
        except TimeoutError:
            raise _interrupted(_("The Dask scheduler does not answer any more.")) from None
        status = self._future.status
        if status == "pending" and workers:
            if not self._worker:
                self._wait(len(workers))
            return
        self._early = await self._next(LAST_LOOK_S)  # it may have ended at this very moment
        if self._early is not None:
            return
        if status == "error":
            self._failed(await self._future.exception())
        elif status in ("lost", "cancelled"):
            raise _interrupted(_("The Dask cluster was restarted, or somebody cancelled it there."))
        elif self._worker or status == "finished":  # finished: it was not allowed to begin again
            self._lost()
        else:
            self._wait(len(workers))

    def _failed(self, error: BaseException | None) -> None:
        """Say why Dask could not run it, or have it run again if that is allowed."""
        name = type(error).__name__
        if name == "KilledWorker" and max(self._attempt, self._submitted) < self._job.tries:
            # Dask's own limit of tries may be lower than ours: go on under another name.
            self._job = replace(self._job, key=f"voice-kernel-{uuid.uuid4().hex}")
            self._submit()
        elif name == "KilledWorker":
            self._lost()
        else:
            raise ExecutorError(
                _("The Dask cluster could not run it ({name}).").format(name=name),
                hint=_or_here(_("Look at the logs of the Dask workers.")),
                retryable=True,
            )

    def _lost(self) -> None:
        if self._attempt >= self._job.tries or not self._worker:
            if not self._host:
                message = _("The Dask worker died while it ran.")
            elif self._attempt > 1:
                message = _("The Dask worker on {host} died while it ran, on try {attempt}.")
            else:
                message = _("The Dask worker on {host} died while it ran.")
            raise _interrupted(message.format(host=self._host, attempt=self._attempt))
        self._worker = ""  # the scheduler gives it to another worker

    def _wait(self, workers: int) -> None:
        """Tell what it waits for.

        Raises:
            ExecutorError: there has been no worker for far too long.
        """
        self._wait_for(
            _("waiting for a free Dask worker") if workers else _("waiting: no Dask worker is there")
        )
        self._waited_s = 0.0 if workers else self._waited_s + LOOK_S
        if self._waited_s >= NO_WORKER_LIMIT_S:
            raise ExecutorError(
                _("No Dask worker was there for {minutes:.0f} minutes.").format(
                    minutes=NO_WORKER_LIMIT_S / 60
                ),
                hint=_or_here(_("Start some with `dask worker ADDRESS`.")),
                retryable=True,
            )

    def _wait_for(self, what: str) -> None:
        if what != self._waits:
            self._waits = what
            self._on_wait(what)

    def _outcome(self, end: dict[str, Any]) -> Exit:
        if "exit" in end:
            exit_ = Exit(**end["exit"])
            if exit_.problem:
                tried = _("It was tried on the Dask worker {host}.").format(host=self._host)
                return replace(exit_, problem=f"{exit_.problem} {tried}")
            return exit_
        if "no_package" in end:
            raise ExecutorError(
                _("The Dask worker on {host} has no voice_kernel.").format(host=end["no_package"]),
                hint=_or_here(
                    _("Install {package} where the workers run.").format(
                        package=f"voice-kernel[dask]=={__version__}"
                    )
                ),
            )
        if "no_folder" in end:
            raise ExecutorError(
                _("The folder {folder} does not exist where the Dask worker runs ({host}).").format(
                    folder=end["no_folder"], host=self._host
                ),
                hint=_or_here(_("Use workers that share the folder with the kernel.")),
            )
        if "version" in end:
            raise ExecutorError(
                _("The Dask worker on {host} has voice_kernel {theirs}, and not {ours}.").format(
                    host=self._host, theirs=end["version"], ours=__version__
                ),
                hint=_or_here(_("Install the same version there as in the kernel.")),
            )
        if "not_started" in end:
            raise ExecutorError(
                _("The command could not be started on the Dask worker {host}: {reason}.").format(
                    host=self._host, reason=end["not_started"]
                ),
                retryable=True,
            )
        raise _interrupted(_("It was cancelled on the Dask cluster, and not from here."))

    # ---- ending it --------------------------------------------------------------------------------

    async def _stop(self, beginning: asyncio.Task[None]) -> None:
        """Cancel it, and wait within a bound until its worker has ended it."""
        # What takes longer, or can no longer be reached, is the worker's part.
        with contextlib.suppress(TimeoutError, OSError, KeyError):
            async with asyncio.timeout(STOP_LIMIT_S):
                await beginning
                assert self._future is not None
                begun = await self._queues[1].get(batch=True) != [1] or self._attempt > 0
                await self._future.cancel()
                while begun:
                    record = await self._next(LOOK_S)
                    if record is None:
                        begun = not self._worker or bool(await self._client.nthreads(workers=[self._worker]))
                    elif "end" in record:
                        return
                    for is_event, data in (record or {}).get("parts", ()):
                        if not is_event:
                            self._on_output(data)

    async def release(self) -> None:
        """Let go of what the scheduler holds."""
        if self._future is not None:
            self._future.release()
        with contextlib.suppress(TimeoutError, OSError, KeyError):
            if self._reading is not None:
                # A question that is still open there is answered, or it would stay open.
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await self._queues[0].put({})
                    await self._reading
        for queue in self._queues:
            queue.close()
            queue.close()  # awaiting one has opened it twice; closing one that is gone does nothing


def _or_here(hint: str) -> str:
    return f"{hint} {_(LOCAL)}"


def _interrupted(message: str) -> TaskInterrupted:
    return TaskInterrupted(
        Problem(kind="Interrupted", message=message, hint=_("Retry runs it again."), retryable=True)
    )


async def _close(client: Client) -> None:
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await client.close(timeout=CLOSE_LIMIT_S)


def _ignore(_what: object) -> None:
    """Take what nobody wants."""


def _nothing() -> None:
    """Do nothing about a restart."""
