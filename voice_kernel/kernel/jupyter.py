"""The Jupyter kernel around the shell: parents, idle time, subshells, control messages.

All use of ipykernel that is not public API is in this module, each piece behind a look whether it is
there, with the next best thing when it is not. Tested against the ipykernel that is installed; known
to differ: 7.0-7.3 have no routing of replies (`_reply_subshell_for`), 6.x has no subshells.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Literal

logger = logging.getLogger(__name__)

CONTROL_MESSAGE = "voice_kernel_request"
CONTROL_REPLY = "voice_kernel_reply"
SUBSHELL_TIMEOUT_S = 5.0

Message = dict[str, Any]
Reach = Literal["owned", "named", "none"]
"""How messages of a comm arrive while the main thread runs a cell: always, over a subshell of our own;
only from front ends that name a subshell themselves; not before the cell ends."""
OnControl = Callable[[Message, list[bytes]], None]


class JupyterKernel:
    """What the door needs of an ipykernel.

    Args:
        kernel: the `ipykernel.ipkernel.IPythonKernel`.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        _let_captures_have_parents()
        self._subshell_lock = threading.Lock()
        self._subshell_id: str | None = None

    # ---- the main thread --------------------------------------------------------------------------

    def call_when_idle(self, function: Callable[[], Awaitable[None]]) -> None:
        """Let the kernel's main loop call a coroutine function. Callable from any thread.

        It runs in an empty context: that of the caller may hold the parent of some cell.
        """
        contextvars.Context().run(self._kernel.io_loop.add_callback, function)

    def main_lock(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """Return the lock under which the kernel handles one shell message at a time."""
        lock: contextlib.AbstractAsyncContextManager[Any] | None
        lock = getattr(self._kernel, "_main_asyncio_lock", None)
        return lock if lock is not None else contextlib.nullcontext()

    @property
    def is_busy(self) -> bool:
        """Whether the main thread handles a shell message now, so far as can be known."""
        lock = getattr(self._kernel, "_main_asyncio_lock", None)
        return lock is None or bool(lock.locked())

    @property
    def allows_stdin(self) -> bool:
        """Whether the newest request of the calling thread's shell may ask its front end for input."""
        content = self._kernel.get_parent("shell").get("content")
        return bool(isinstance(content, Mapping) and content.get("allow_stdin"))

    # ---- messages ---------------------------------------------------------------------------------

    def new_parent(self, message_id: str | None = None) -> Message:
        """Make up a request to which outputs can belong: nobody shows them, unless told its id."""
        message: Message = self._kernel.session.msg("execute_request", {})
        if message_id is not None:
            message["header"]["msg_id"] = message["msg_id"] = message_id
        return message

    def publish(self, message_type: str, content: Message, parent: Message) -> None:
        """Send an output that belongs to a given request. Callable from any thread."""
        topic = message_type.removeprefix("update_").encode()
        self._kernel.session.send(
            self._kernel.iopub_socket, message_type, content, parent=parent, ident=topic
        )

    @contextlib.contextmanager
    def shown_busy(self) -> Iterator[None]:
        """Let front ends show the kernel as busy for a while."""
        parent = self.new_parent()
        self.publish("status", {"execution_state": "busy"}, parent)
        try:
            yield
        finally:
            self.publish("status", {"execution_state": "idle"}, parent)

    def on_control(self, callback: OnControl) -> Callable[[], None] | None:
        """Hand `CONTROL_MESSAGE`s to a callback, on the control thread.

        Returns:
            A function that stops it, or None when this kernel has no handlers for control messages.
        """
        handlers = getattr(self._kernel, "control_handlers", None)
        if not isinstance(handlers, dict):
            return None
        session = self._kernel.session

        def handle(stream: Any, ident: Any, request: Message) -> None:
            reply = {"status": "ok"}
            try:
                callback(request["content"], [bytes(buffer) for buffer in request.get("buffers", ())])
            except Exception as error:  # noqa: BLE001 - any failure must become a reply: the other side waits for it
                logger.error("A control message could not be taken: %s", type(error).__name__)
                reply = {"status": "error", "ename": type(error).__name__, "evalue": ""}
            session.send(stream, CONTROL_REPLY, reply, request, ident=ident)

        handlers[CONTROL_MESSAGE] = handle
        return lambda: handlers.pop(CONTROL_MESSAGE, None) and None

    def on_shutdown(self, callback: Callable[[], object]) -> Callable[[], None] | None:
        """Call a function, on a thread of its own, before the kernel carries out a shutdown request.

        Also while a cell runs, when neither `atexit` nor anything else of the main thread gets its turn
        before the process is killed. The request waits for the function.

        Returns:
            A function that stops it, or None when this kernel has no handlers for control messages.
        """
        handlers = getattr(self._kernel, "control_handlers", None)
        usual = handlers.get("shutdown_request") if isinstance(handlers, dict) else None
        if not isinstance(handlers, dict) or usual is None:
            return None

        async def handle(stream: Any, ident: Any, request: Message) -> None:
            try:
                await asyncio.to_thread(callback)
            except Exception as error:  # noqa: BLE001 - whatever it is, the kernel must still shut down
                logger.error("Something could not be ended: %s", type(error).__name__)
            result = usual(stream, ident, request)
            if inspect.isawaitable(result):
                await result

        handlers["shutdown_request"] = handle
        return lambda: handlers.update(shutdown_request=usual)

    # ---- subshells --------------------------------------------------------------------------------

    def own_subshell(self) -> str | None:
        """Return the id of a subshell of our own, made when first needed; None where there is none.

        A subshell is a thread of ipykernel that handles shell messages beside the main one.
        """
        with self._subshell_lock:
            if self._subshell_id is None:
                self._subshell_id = self._create_subshell()
            return self._subshell_id

    def route(self, comm: Any, after_message: Callable[[], None]) -> Reach:
        """Let a comm's messages be handled on our own subshell, whatever the sender names.

        Args:
            comm: an open comm.
            after_message: called after each message, on the thread that handled it.

        Source: ipykernel 7.4 asks `comm._reply_subshell_for` where a message goes, and by default
        answers the shell that last published on the comm: for a comm made in a cell, the busy one.
        """
        self._handle_quietly(comm, after_message)
        if getattr(comm, "_reply_subshell_for", None) is None:
            # Before 7.4 the message itself decides, and one that names no subshell waits for the cell.
            return "named" if self._has_subshells else "none"
        subshell_id = self.own_subshell()
        if subshell_id is None:
            comm._reply_subshell_for = lambda data, named: named
            return "named" if self._has_subshells else "none"
        comm._reply_subshell_for = lambda data, named: subshell_id
        return "owned"

    def _handle_quietly(self, comm: Any, after_message: Callable[[], None]) -> None:
        # comm.BaseComm.handle_msg wraps the callback in the shell's pre_execute and post_execute events.
        # Off the main thread that is a bug: post_execute makes matplotlib's inline backend draw and
        # close the figures of the cell that is running, into no cell at all.
        if not hasattr(comm, "_msg_callback"):
            return

        def handle(message: Message) -> None:
            callback = comm._msg_callback
            try:
                if callback is not None:
                    callback(message)
            finally:
                after_message()

        comm.handle_msg = handle

    @property
    def _has_subshells(self) -> bool:
        return getattr(self._kernel, "shell_channel_thread", None) is not None

    def _create_subshell(self) -> str | None:
        thread = getattr(self._kernel, "shell_channel_thread", None)
        create = getattr(getattr(thread, "manager", None), "_create_subshell", None)
        if thread is None or create is None:
            return None
        done = threading.Event()
        created: list[str] = []

        def make() -> None:
            try:
                created.append(create())
            except Exception as error:  # noqa: BLE001 - private API: whatever it raises now, cure A remains
                logger.warning("No subshell of our own: %s", type(error).__name__)
            finally:
                done.set()

        thread.io_loop.add_callback(make)
        done.wait(SUBSHELL_TIMEOUT_S)
        return created[0] if created else None


def _let_captures_have_parents() -> None:
    """Let messages be handled while `%%capture` runs.

    ipykernel tells the shell's publisher of every message it handles, on every thread. During
    `%%capture` that is IPython's capturing one, which cannot be told: the message would be lost.
    """
    from IPython.core.displaypub import CapturingDisplayPublisher

    if not hasattr(CapturingDisplayPublisher, "set_parent"):
        CapturingDisplayPublisher.set_parent = lambda self, parent: None  # type: ignore[attr-defined]
