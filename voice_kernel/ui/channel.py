"""How one surface's messages travel: the same interface over a widget model and over a comm.

Responsible for sending and receiving JSON with binary buffers beside it. It does not know what the
messages mean, nor batches them: the notebook server silently drops a kernel's messages past about
1,000 a second or 1 MB/s, so a surface sends in batches.

Messages arrive on whatever thread Jupyter chose (the main one, or a subshell). What is called then
copies the buffers to bytes, hands over, and touches nothing else.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

OnMessage = Callable[[dict[str, Any], list[bytes]], None]
"""Given a message and its buffers, copied. May be called on any thread, and must return at once."""
OnClose = Callable[[], None]
"""Told, once, that the other side is gone. May be called on any thread."""

Route = Callable[[Any], object]
"""Lets a comm's messages arrive while a cell runs: `Kernel.route`."""

COMM_TARGET = "voice_kernel"


class Channel(Protocol):
    """One connected surface."""

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message. Callable from any thread; a closed channel drops it."""
        ...

    def on_message(self, callback: OnMessage) -> None:
        """Call back for every message that arrives from now on; a later callback replaces it."""
        ...

    def on_close(self, callback: OnClose) -> None:
        """Call back once when the other side is gone, at once if it already is."""
        ...

    def close(self) -> None:
        """End the connection. Safe to call twice."""
        ...


class _Ends:
    """What both kinds of channel share: whom to tell, and telling the end only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._on_message: OnMessage | None = None
        self._on_close: OnClose | None = None
        self._closed = False

    def on_message(self, callback: OnMessage) -> None:
        self._on_message = callback

    def on_close(self, callback: OnClose) -> None:
        with self._lock:
            self._on_close = callback
            closed = self._closed
        if closed:
            callback()

    def _arrived(self, message: object, buffers: Sequence[Any] | None) -> None:
        callback = self._on_message
        if callback is not None and isinstance(message, dict):
            callback(message, [bytes(buffer) for buffer in buffers or ()])

    def _gone(self) -> bool:
        """Note the end; return whether it is news."""
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            callback = self._on_close
        if callback is not None:
            callback()
        return True


class WidgetChannel(_Ends):
    """A channel over the custom messages of an anywidget (or any ipywidgets) model.

    Args:
        widget: the live model.
        route: applied to the comm, so that messages arrive while a cell runs.
    """

    def __init__(self, widget: Any, route: Route | None = None) -> None:
        super().__init__()
        self._widget = widget
        comm = widget.comm
        if comm is not None:
            if route is not None:
                route(comm)
            comm.on_close(lambda message: self._gone())  # closed by the page; ipywidgets does not look
        widget.on_msg(self._received)
        widget.observe(self._comm_changed, names="comm")  # closed by the kernel: it becomes None

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message. Callable from any thread; a closed channel drops it."""
        if not self._closed:
            self._widget.send(message, list(buffers))

    def close(self) -> None:
        """End the connection and close the model, which disappears from its cells."""
        if self._gone():
            self._widget.close()

    def _received(self, widget: object, content: object, buffers: Sequence[Any] | None) -> None:
        self._arrived(content, buffers)

    def _comm_changed(self, change: dict[str, Any]) -> None:
        if change["new"] is None:
            self._gone()


class CommChannel(_Ends):
    """A channel over one comm.

    Args:
        comm: an open comm.
        route: applied to the comm, so that messages arrive while a cell runs.
    """

    def __init__(self, comm: Any, route: Route | None = None) -> None:
        super().__init__()
        self._comm = comm
        if route is not None:
            route(comm)
        comm.on_msg(self._received)
        comm.on_close(lambda message: self._gone())

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message. Callable from any thread; a closed channel drops it."""
        if not self._closed:
            self._comm.send(message, buffers=list(buffers))

    def close(self) -> None:
        """End the connection. Safe to call twice."""
        if self._gone():
            self._comm.close()

    def _received(self, message: dict[str, Any]) -> None:
        self._arrived(message["content"].get("data"), message.get("buffers"))


def register_target(
    on_open: Callable[[CommChannel, dict[str, Any]], None],
    route: Route | None = None,
    name: str = COMM_TARGET,
) -> Callable[[], None]:
    """Accept comms of a target: `on_open` is called with the channel and the data of the opening.

    `on_open` may run on any thread; it sets its callbacks and returns.

    Returns:
        A function that stops accepting.
    """
    import comm  # the kernel side of comms: there where a kernel is, and only needed then

    comms = comm.get_comm_manager()

    def opened(new: Any, message: dict[str, Any]) -> None:
        channel = CommChannel(new, route)
        data = message["content"].get("data")
        on_open(channel, data if isinstance(data, dict) else {})

    def stop() -> None:
        with contextlib.suppress(KeyError):  # already gone
            comms.unregister_target(name, opened)

    comms.register_target(name, opened)
    return stop
