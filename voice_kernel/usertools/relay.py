"""From any thread to a task on the loop thread: output and progress of one call.

Output is handed over in batches: one wake-up of the loop carries all that was written since the last. A
writer that is faster than the loop waits for it, so that nothing piles up.

A writer may be ended by an exception at any step of its own (see worker), and must never leave the lock
behind, for which the loop would wait: so there is a plain lock, which `with` takes and releases in one
step of the interpreter each, and no condition, whose own steps can be torn apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from voice_kernel.errors import InvalidWidget, Refused
from voice_kernel.language import _, number
from voice_kernel.messages import Progress, Widget
from voice_kernel.widgets.document import as_root
from voice_kernel.widgets.live import acting, acting_item, live

MAX_WIDGETS = 8
"""Widgets of one call."""
MAX_WAITING_CHARS = 1_000_000
WRITER_LIMIT_S = 5.0
"""How long a writer waits for the loop to take what waits; past that its text is lost, and counted."""
WRITER_PAUSE_S = 0.005


class Ear(Protocol):
    """A task, as far as output and progress go. Belongs to the loop thread."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    def output(self, data: bytes | str) -> None:
        """Append output."""
        ...

    def progress(
        self,
        fraction: float | None,
        label: str = "",
        *,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
    ) -> None:
        """Say how far it is."""
        ...


_Progress = tuple[float | None, str, float | None, float | None, str]


AskClient = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, Any]]
"""Has the page do something; on the loop thread."""


class Relay:
    """One call's way to its task. Made and closed on the loop thread; `write` and `progress` on any."""

    def __init__(self, task: Ear, ask_client: AskClient | None = None) -> None:
        self._task = task
        self._ask_client = ask_client
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._pieces: list[str] = []
        self._waiting_chars = 0
        self._lost_chars = 0
        self._progress: _Progress | None = None
        self._told = False
        self._scheduled = False
        self._closed = False
        self._shown: list[str] = []
        self.clicked = acting.get()
        """The widget whose click made the call."""
        self.clicked_item = acting_item.get()
        """The component of it that was clicked."""

    def write(self, text: str) -> None:
        """Take output; waits while too much of it is on its way."""
        if text and self._may_write():
            with self._lock:
                self._pieces.append(text)
                self._waiting_chars += len(text)
                self._schedule()
        else:
            self._lost_chars += len(text)

    def progress(
        self, fraction: float | None, label: str, done: float | None, total: float | None, unit: str
    ) -> None:
        """Take how far it is; only the newest is passed on."""
        with self._lock:
            self._progress = (fraction, label, done, total, unit)
            self._told = True
            self._schedule()

    def show_widget(self, widget: Any, copy_text: str = "") -> str:
        """Show a widget with the task; returns its id."""
        if len(self._shown) >= MAX_WIDGETS:
            raise InvalidWidget(
                _("A task shows {count} widgets at most.").format(count=MAX_WIDGETS),
                hint=_("Change one that is there: ctx.update_widget."),
            )
        shown = live.add(as_root(widget), task_id=self._task.id, copy_text=copy_text)
        self._shown.append(shown.id)
        return shown.id

    def change_widget(self, widget_id: str, widget: Any) -> bool:
        """Let a widget be another; returns whether it is still live."""
        return live.change(widget_id, as_root(widget))

    def widget(self, widget_id: str) -> dict[str, Any] | None:
        """Return the JSON of a widget as it is now."""
        shown = live.get(widget_id)
        return as_root(shown.root) if shown is not None else None

    def client_tool(self, name: str, arguments: Mapping[str, Any]) -> Future[Any]:
        """Have the page do something; the future is what it says came of it."""
        if self._ask_client is None:
            raise Refused(_("Nothing here carries out {name}.").format(name=name))
        return asyncio.run_coroutine_threadsafe(self._ask_client(name, arguments), self._loop)

    @property
    def widgets(self) -> list[Widget]:
        """What the call has shown, as it is now."""
        return [shown for shown in map(live.get, self._shown) if shown is not None]

    def unless_told(self, read: Callable[[str], Progress | None]) -> Callable[[str], Progress | None]:
        """Return a reader of progress from output that is silent once the function tells it by itself."""
        return lambda text: None if self._told else read(text)

    def close(self) -> None:
        """Pass on what waits; what comes later is dropped."""
        self._closed = True
        self._pass_on()
        if self._lost_chars:
            note = _("{count} characters of output were lost").format(count=number(self._lost_chars))
            self._task.output(f"\n[{note}]\n")

    def _may_write(self) -> bool:
        """Wait until there is room; return whether there is."""
        if threading.get_ident() == self._loop_thread:
            return not self._closed
        deadline = time.monotonic() + WRITER_LIMIT_S
        while self._waiting_chars >= MAX_WAITING_CHARS and not self._closed:
            if time.monotonic() > deadline:
                return False
            time.sleep(WRITER_PAUSE_S)
        return not self._closed

    def _schedule(self) -> None:  # holding the lock
        if not (self._scheduled or self._closed):
            self._scheduled = True
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the task with it
                self._loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        with self._lock:
            text, progress = "".join(self._pieces), self._progress
            self._pieces.clear()
            self._waiting_chars = 0
            self._progress = None
            self._scheduled = False
        if text:
            self._task.output(text)
        if progress is not None:
            fraction, label, done, total, unit = progress
            self._task.progress(fraction, label, done=done, total=total, unit=unit)
