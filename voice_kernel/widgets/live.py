"""The widgets of this process whose clicks are heard, as they are now. One collection for the process.

A widget is among them because the user's code showed it: nothing that a page, a model or an MCP server says
puts one here. Its id cannot be guessed, so that no other notebook's output can speak for it.

All methods may be called from any thread. It does not know where a widget is drawn: whoever draws it
listens.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from secrets import token_hex

from voice_kernel.messages import Widget
from voice_kernel.widgets.document import Json
from voice_kernel.widgets.update import diff

MAX_LIVE = 50
"""Past that the oldest is forgotten: it is still to be seen, but its clicks come to nothing."""
MAX_PLACES = 20
"""Cells that show one widget."""
MAX_COPY_CHARS = 50_000
PAUSE_S = 0.1
"""Between two updates of a cell's output, and longer for a large one."""
BYTES_PER_S = 400_000
"""Less than half of what a Jupyter server lets through in a second."""

OnChange = Callable[[Widget, list[Json]], object]
"""Told of a widget as it is now, and what of it has changed: nothing where it is new."""
Place = Callable[[Widget], object]
"""Draws a widget anew."""

acting: ContextVar[str] = ContextVar("voice_kernel_acting_widget", default="")
"""The widget in which a person has clicked, while what the click asked for is being done."""
acting_item: ContextVar[str] = ContextVar("voice_kernel_acting_item", default="")
"""The component of it that was clicked, by its `id` or `key`."""


class _Kept:
    def __init__(self, widget: Widget) -> None:
        self.widget = widget
        self.places: list[Place] = []
        self.drawn_at = 0.0
        self.waits = False


class LiveWidgets:
    """The live widgets, the newest last."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._listeners: list[OnChange] = []

    def add(self, root: Json, *, task_id: int = 0, copy_text: str = "", widget_id: str = "") -> Widget:
        """Make a widget live.

        Args:
            root: its JSON, as `document.as_root` gives it.
            task_id: the task that shows it; 0 where a cell does.
            copy_text: what is copied, and read where it cannot be drawn.
            widget_id: its id, where it has one already.
        """
        copied = copy_text.encode("utf-8", "replace").decode()[:MAX_COPY_CHARS]
        widget = Widget(id=widget_id or token_hex(16), task_id=task_id, root=root, copy_text=copied)
        with self._lock:
            self._kept[widget.id] = _Kept(widget)
            while len(self._kept) > MAX_LIVE:
                self._kept.popitem(last=False)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(widget, [])
        return widget

    def get(self, widget_id: str) -> Widget | None:
        """Return a widget as it is now; None when it is live no more."""
        with self._lock:
            kept = self._kept.get(widget_id)
            return kept.widget if kept is not None else None

    def all(self) -> list[Widget]:
        """Return all of them, the newest last."""
        with self._lock:
            return [kept.widget for kept in self._kept.values()]

    def change(self, widget_id: str, root: Json) -> bool:
        """Let a widget be another; returns whether it is live."""
        with self._lock:
            kept = self._kept.get(widget_id)
            if kept is None:
                return False
            updates = diff(kept.widget.root, root)
            if not updates:
                return True
            kept.widget = kept.widget.model_copy(update={"root": root})
            listeners = list(self._listeners)
            for listener in listeners:  # still holding the lock: in the order of the changes
                listener(kept.widget, updates)
            self._draw(kept)
        return True

    def show_at(self, widget_id: str, place: Place) -> None:
        """Have a widget drawn somewhere whenever it has changed, at most some times a second."""
        with self._lock:
            kept = self._kept.get(widget_id)
            if kept is not None:
                kept.places = [*kept.places[-MAX_PLACES + 1 :], place]

    def listen(self, listener: OnChange) -> Callable[[], None]:
        """Have a listener told of every change, on the thread that makes it. It must not block.

        Returns:
            A function that stops it.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._kept.clear()

    def _draw(self, kept: _Kept) -> None:  # holding the lock
        if not kept.places or kept.waits:
            return
        pause_s = max(PAUSE_S, len(str(kept.widget.root)) * 2 / BYTES_PER_S)
        wait_s = kept.drawn_at + pause_s - time.monotonic()
        if wait_s <= 0:
            self._draw_now(kept)
            return
        kept.waits = True
        timer = threading.Timer(wait_s, self._drawn_later, [kept])
        timer.daemon = True
        timer.start()

    def _drawn_later(self, kept: _Kept) -> None:
        with self._lock:
            kept.waits = False
            self._draw_now(kept)

    def _draw_now(self, kept: _Kept) -> None:  # holding the lock: the newest is drawn last
        kept.drawn_at = time.monotonic()
        for place in kept.places:
            place(kept.widget)


live = LiveWidgets()
"""The ones of this process."""
