"""How one surface's messages travel: the same interface over a widget model and over a comm.

Responsible for sending and receiving JSON with binary buffers beside it. It does not know what the
messages mean, nor batches them: the notebook server silently drops a kernel's messages past about
1,000 a second or 1 MB/s, so a surface sends in batches.

Messages arrive on whatever thread Jupyter chose (the main one, a subshell, the control thread). A
callback here copies the buffers to bytes, hands over, and touches nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

OnMessage = Callable[[dict[str, Any], list[bytes]], None]
"""Given a message and its buffers, copied. May be called on any thread, and must return at once."""
OnClose = Callable[[], None]
"""Told, once, that the other side is gone. May be called on any thread."""
Route = Callable[[Any], object]
"""Makes a comm's messages arrive while a cell runs: `Kernel.route`."""

COMM_TARGET = "voice_kernel"


class Channel(Protocol):
    """One connected surface."""

    def send(self, message: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send one message. Callable from any thread; a closed channel drops it."""
        ...

    def on_message(self, callback: OnMessage) -> None:
        """Call back for every message that arrives from now on. One callback at a time."""
        ...

    def on_close(self, callback: OnClose) -> None:
        """Call back once when the other side is gone."""
        ...

    def close(self) -> None:
        """End the connection. Safe to call twice."""
        ...


class WidgetChannel:
    """A channel over the custom messages of an anywidget (or any ipywidgets) model.

    Args:
        widget: the live model.
        route: applied to the model's comm, so that messages arrive while a cell runs.
    """

    def __init__(self, widget: Any, route: Route | None = None) -> None:
        raise NotImplementedError


class CommChannel:
    """A channel over one comm.

    Args:
        comm: an open comm.
        route: applied to the comm, so that messages arrive while a cell runs.
    """

    def __init__(self, comm: Any, route: Route | None = None) -> None:
        raise NotImplementedError


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
    raise NotImplementedError
