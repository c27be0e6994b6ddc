"""A kernel and the runs of cells in it, on nbclient.

nbclient starts the kernel, and knows what a message does to a cell's outputs and to the state of widgets.
It reads the kernel's messages only while one cell runs, and drops those of anybody else; a front end must
hear the session all the time, and the output of a cell that runs inside another. So the reading is done
here, by one reader a channel, which hands every message to the cell, or the session, it belongs to.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import queue
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from voice_kernel.client import LOAD, Link, check_loaded, environment, kernel_died
from voice_kernel.errors import ClientError
from voice_kernel.headless.document import EXPECTED_ERROR
from voice_kernel.messages import Hello, ToSurface

log = logging.getLogger(__name__)

T = TypeVar("T")

START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0
ALIVE_EVERY_S = 0.5
LOOK_S = 0.1
"""How often the shell's socket is looked at even if it tells nothing. Messages are sent past its asyncio
wrapper (`Session.send`), which then may miss that a reply came in the same moment: zmq tells of it once.
Source: zmq_getsockopt(3), ZMQ_FD."""
LAST_OUTPUT_LIMIT_S = 5.0
"""How long a cell that has replied may take to publish the rest of its output."""
INTERRUPT_LIMIT_S = 5.0
SKIP_TAG = "skip-execution"

Message = dict[str, Any]


@dataclass(eq=False)
class _Route:
    """Where the messages of one request go."""

    cell: NotebookNode
    idle: asyncio.Future[None]
    clear_next: bool = False


@dataclass(frozen=True)
class Ran:
    """What became of one run of a cell."""

    ok: bool
    error: str = ""
    """`ValueError: no such thing`; empty when it is ok."""
    skipped: bool = False
    duration_s: float = 0.0


class _Outputs(NotebookClient):  # type: ignore[misc, unused-ignore]  # Any where nbclient has no types
    """What nbclient knows about outputs, for cells whose position may change meanwhile."""

    def __init__(self, notebook: NotebookNode, **options: Any) -> None:
        super().__init__(notebook, **options)
        self._displays: dict[str, list[NotebookNode]] = {}

    def take(self, message: Message, route: _Route) -> None:
        """Let a message do to a cell what it does; the end of its request completes the route."""
        self.clear_before_next_output = route.clear_next
        try:
            self.process_message(message, route.cell, 0)
        except CellExecutionComplete:
            if not route.idle.done():
                route.idle.set_result(None)
        route.clear_next = self.clear_before_next_output

    def take_of_nobody(self, message: Message) -> None:
        """Take a message whose request has ended, or was not ours: widgets and displays go on changing."""
        kind = message["msg_type"]
        if kind == "update_display_data":
            display_id = (message["content"].get("transient") or {}).get("display_id")
            if display_id:
                self._update_display_id(display_id, message)
        elif kind in ("comm_msg", "comm_close") or (
            kind == "comm_open" and message["content"].get("target_name") in self.comm_open_handlers
        ):
            self.handle_comm_msg([], message, 0)

    def output(
        self, outs: list[NotebookNode], msg: Message, display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        before = len(outs)
        made: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        if made is None:
            return None
        if display_id:
            self._displays.setdefault(display_id, []).append(made)
        # A front end shows what is printed piece by piece as one.
        if made.output_type == "stream" and before and len(outs) == before + 1:
            last = outs[before - 1]
            if last.output_type == "stream" and last.name == made.name:
                last["text"] += made.text
                outs.pop()
        return made

    def _update_display_id(self, display_id: str, msg: Message) -> None:
        displays = self._displays.get(display_id)
        if displays:
            new = output_from_msg({**msg, "header": {**msg["header"], "msg_type": "display_data"}})
            for output in displays:
                output["data"], output["metadata"] = new["data"], new["metadata"]

    def forget_displays(self) -> None:
        """Forget the displays of a kernel that is gone."""
        self._displays.clear()


class Execution:
    """One kernel for one notebook.

    Args:
        notebook: gets the outputs.
        cwd: folder in which the kernel starts.
        kernel_name: which kernel; the one the notebook names if empty.
        env: added to the kernel's environment.
        on_event: told what the session in the kernel says.
    """

    def __init__(
        self,
        notebook: NotebookNode,
        *,
        cwd: Path,
        on_event: Callable[[ToSurface], None],
        kernel_name: str = "",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._nb = _Outputs(
            notebook,
            kernel_name=kernel_name,
            resources={"metadata": {"path": str(cwd)}},
            startup_timeout=START_LIMIT_S,
            record_timing=False,  # times in the metadata make every run a change
        )
        self._env = dict(env or {})
        self._on_event = on_event
        self._link: Link | None = None
        self._routes: dict[str, _Route] = {}
        self._replies: dict[str, asyncio.Future[Message]] = {}
        self._running: list[NotebookNode] = []
        self._work: list[asyncio.Task[None]] = []
        self._death: asyncio.Future[None] | None = None
        self._sockets = ""

    # ---- the kernel -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the kernel.

        Raises:
            ClientError: it does not start.
        """
        from jupyter_client.kernelspec import NoSuchKernel

        try:
            manager: Any = self._nb.create_kernel_manager()
            if os.name == "posix":
                # Not over TCP, where other users could listen. A short path: a socket's has a limit.
                self._sockets = tempfile.mkdtemp(prefix="voice-kernel-")
                manager.transport, manager.ip = "ipc", f"{self._sockets}/k"
            await self._nb.async_start_new_kernel(env={**environment(), **self._env})
            await self._nb.async_start_new_kernel_client()
            self._listen()
            await self._note_language()
        except NoSuchKernel as error:
            await self.stop()
            raise ClientError(
                f"There is no kernel named {error.name!r}, which the notebook asks for.",
                hint="Install it, or choose another one with --kernel (jupyter kernelspec list).",
            ) from None
        except (RuntimeError, OSError) as error:
            await self.stop()
            raise ClientError(
                f"The kernel did not start: {type(error).__name__}.",
                hint="Run voice-kernel doctor to see what is wrong.",
                retryable=True,
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def connect(self, hello: Hello) -> None:
        """Load voice_kernel in the kernel and say hello to its session.

        Raises:
            ClientError: it cannot be loaded.
            KernelDied: the kernel died.
        """
        message_id = self._client.execute(LOAD, silent=True, store_history=False, allow_stdin=False)
        check_loaded(await self._reply(message_id, START_LIMIT_S), self._nb.kernel_name or "python3")
        self._link = Link(self._client)
        self._link.open(hello)

    @property
    def link(self) -> Link:
        """The way to the session. Only after `connect`."""
        assert self._link is not None
        return self._link

    async def interrupt(self) -> None:
        """Interrupt what runs in the kernel."""
        if self.alive:
            await self._manager.interrupt_kernel()

    async def restart(self) -> None:
        """Restart the kernel; the session in it, and all of its state, are gone.

        Raises:
            KernelDied: the new one does not come up.
        """
        await self._deafen()
        self._link = None
        self._nb.forget_displays()
        try:
            await self._manager.restart_kernel(now=False)
            await self._client.wait_for_ready(timeout=START_LIMIT_S)
        except RuntimeError as error:
            raise kernel_died() from error
        self._listen()

    async def stop(self) -> None:
        """Stop the kernel; its children end with it. A kernel that does not end is killed."""
        await self._deafen()
        manager = self._manager
        try:
            if self._client is not None:
                self._client.stop_channels()
            if manager is not None and manager.has_kernel:
                try:
                    async with asyncio.timeout(STOP_LIMIT_S):
                        await manager.shutdown_kernel(now=False)
                except (TimeoutError, RuntimeError):
                    with contextlib.suppress(RuntimeError):  # it has gone by itself
                        await manager.shutdown_kernel(now=True)
        finally:
            if self._sockets:
                shutil.rmtree(self._sockets, ignore_errors=True)

    @property
    def alive(self) -> bool:
        """Whether the kernel lives, so far as is known."""
        return self._death is not None and not self._death.done()

    def keep_widgets(self) -> None:
        """Put the state of live widgets into the notebook, as saving it in JupyterLab would."""
        self._nb.set_widgets_metadata()

    @property
    def _manager(self) -> Any:
        return self._nb.km

    @property
    def _client(self) -> Any:
        return self._nb.kc

    # ---- cells ------------------------------------------------------------------------------------

    @property
    def calling(self) -> NotebookNode | None:
        """The cell that runs now."""
        return self._running[-1] if self._running else None

    async def run(self, cell: NotebookNode) -> Ran:
        """Run one cell, and wait for all of its output. Cancelling interrupts it.

        Raises:
            KernelDied: the kernel died.
        """
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not cell.source.strip() or SKIP_TAG in tags:
            return Ran(True, skipped=True)
        expected = EXPECTED_ERROR in tags
        started = time.monotonic()
        cell["outputs"], cell["execution_count"] = [], None
        message_id = self._client.execute(cell.source, store_history=True, stop_on_error=not expected)
        route = self._routes[message_id] = _Route(cell, asyncio.get_running_loop().create_future())
        self._running.append(cell)
        ended = asyncio.ensure_future(self._end_of(message_id, route))
        try:
            await asyncio.wait({ended})
        except asyncio.CancelledError:
            await self.interrupt()
            await asyncio.wait({ended}, timeout=INTERRUPT_LIMIT_S)
            raise
        finally:
            ended.cancel()
            self._running.remove(cell)
            self._routes.pop(message_id, None)
        content = ended.result()["content"]
        duration_s = time.monotonic() - started
        if content["status"] == "ok" or expected:
            return Ran(True, duration_s=duration_s)
        name = content.get("ename", "Aborted")
        return Ran(False, f"{name}: {content.get('evalue', '')}".rstrip(": "), duration_s=duration_s)

    def show(self, cell: NotebookNode, message_id: str) -> None:
        """Show in a cell, from now on, what is published under a request of the session's making."""
        cell["outputs"], cell["execution_count"] = [], None
        self._routes[message_id] = _Route(cell, asyncio.get_running_loop().create_future())

    def shown(self, cell: NotebookNode, message_id: str, execution_count: int | None) -> None:
        """Stop showing it: everything has come."""
        self._routes.pop(message_id, None)
        cell["execution_count"] = execution_count

    # ---- messages ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        self._death = asyncio.get_running_loop().create_future()
        self._death.add_done_callback(_seen)
        self._work = [
            asyncio.ensure_future(self._read_published()),
            asyncio.ensure_future(self._read_replies()),
            asyncio.ensure_future(self._watch()),
        ]
        for task in self._work:
            task.add_done_callback(self._stopped_listening)

    async def _deafen(self) -> None:
        for task in self._work:
            task.cancel()
        if self._work:
            await asyncio.wait(self._work)
        self._work = []
        if self._death is not None and not self._death.done():
            self._death.cancel()

    async def _read_published(self) -> None:
        while True:
            message = await self._client.iopub_channel.get_msg(timeout=None)
            event = self._link.received(message) if self._link is not None else None
            if event is not None:
                self._on_event(event)
                continue
            route = self._routes.get(message["parent_header"].get("msg_id", ""))
            if route is not None:
                self._nb.take(message, route)
            else:
                self._nb.take_of_nobody(message)

    async def _read_replies(self) -> None:
        while True:
            try:
                message = await self._client.shell_channel.get_msg(timeout=LOOK_S)
            except queue.Empty:
                continue
            waiting = self._replies.get(message["parent_header"].get("msg_id", ""))
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    async def _watch(self) -> None:
        while await self._manager.is_alive():  # noqa: ASYNC110  nobody tells when a process ends
            await asyncio.sleep(ALIVE_EVERY_S)

    def _stopped_listening(self, task: asyncio.Task[None]) -> None:
        """Let everybody know who waits for the kernel: it has died, or a reader of its messages broke."""
        if task.cancelled() or self._death is None or self._death.done():
            return
        error = task.exception()
        if error is not None:
            log.error("a message of the kernel could not be taken: %s", type(error).__name__)
        self._death.set_exception(error or kernel_died())

    async def _end_of(self, message_id: str, route: _Route) -> Message:
        reply = await self._reply(message_id, None)
        with contextlib.suppress(TimeoutError):  # what comes later than that is let go
            await self._alive(route.idle, LAST_OUTPUT_LIMIT_S)
        return reply

    async def _reply(self, message_id: str, limit_s: float | None) -> Message:
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._replies[message_id] = waiting
        try:
            return await self._alive(waiting, limit_s)
        except TimeoutError:
            raise ClientError("The kernel does not answer.", retryable=True) from None
        finally:
            del self._replies[message_id]

    async def _alive(self, waiting: asyncio.Future[T], limit_s: float | None) -> T:
        """Wait for something the kernel will do, but not longer than it lives."""
        assert self._death is not None
        either: set[asyncio.Future[Any]] = {waiting, self._death}
        await asyncio.wait(either, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        if self._death.done():
            self._death.result()
            raise kernel_died()
        raise TimeoutError

    async def _note_language(self) -> None:
        reply = await self._reply(self._client.kernel_info(), START_LIMIT_S)
        language = reply["content"].get("language_info")
        if language:
            self._nb.nb.metadata["language_info"] = copy.deepcopy(language)

    async def until_dead(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work that the kernel's death makes pointless.

        Raises:
            KernelDied: the kernel died first.
        """
        task = asyncio.ensure_future(work)
        try:
            return await self._alive(task, None)
        finally:
            task.cancel()


def _seen(future: asyncio.Future[None]) -> None:
    if not future.cancelled():
        future.exception()  # whoever waits is told; that nobody did is no news
