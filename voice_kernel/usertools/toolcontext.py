"""What a tool's function holds of its task: progress, output, a log, and whether it is cancelled.

A function asks for it by a parameter `ctx: ToolContext`. All methods may be called from any thread. It does
not know how the function runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Protocol, cast

from voice_kernel.errors import InvalidWidget, Refused
from voice_kernel.language import _

WAIT_STEP_S = 0.2
"""How soon a plain function that waits for a page notices that it was cancelled."""


class ToolCancelled(asyncio.CancelledError):
    """The task was cancelled: raised inside its function, which should let it pass.

    No `except Exception` catches it; a `finally` still tidies up.
    """


class Sink(Protocol):
    """Where progress and output of one call go; callable from any thread."""

    def write(self, text: str) -> None:
        """Take output."""
        ...

    def progress(
        self, fraction: float | None, label: str, done: float | None, total: float | None, unit: str
    ) -> None:
        """Take how far it is."""
        ...


class WidgetSink(Protocol):
    """Where widgets of one call go, where there is such a place; callable from any thread."""

    @property
    def clicked(self) -> str:
        """The id of the widget whose click made the call; empty when none did."""
        ...

    def show_widget(self, widget: Any, copy_text: str) -> str:
        """Show a widget with the task; returns its id."""
        ...

    def change_widget(self, widget_id: str, widget: Any) -> bool:
        """Let a widget be another; returns whether it is still live."""
        ...

    def widget(self, widget_id: str) -> dict[str, Any] | None:
        """Return the JSON of a widget as it is now; None when it is live no more."""
        ...


class _Printed:
    """The sink of a function that is called as any other function is."""

    def write(self, text: str) -> None:
        print(text, end="")  # noqa: T201  there is no task to write to

    def progress(
        self, fraction: float | None, label: str, done: float | None, total: float | None, unit: str
    ) -> None:
        pass

    clicked = ""

    def __init__(self) -> None:
        self._widgets: dict[str, Any] = {}

    def show_widget(self, widget: Any, copy_text: str) -> str:
        from voice_kernel.widgets.widget import Widget

        shown = Widget(widget, copy_text=copy_text)
        shown._ipython_display_()
        self._widgets[shown.id] = shown
        return shown.id

    def change_widget(self, widget_id: str, widget: Any) -> bool:
        if widget_id in self._widgets:
            self._widgets[widget_id].update(widget)
        return widget_id in self._widgets

    def widget(self, widget_id: str) -> dict[str, Any] | None:
        return None


class ShownWidget:
    """A widget that a tool has shown: it can be changed, and awaited while it streams."""

    def __init__(
        self, context: ToolContext, widget_id: str, states: AsyncIterator[Any] | None = None
    ) -> None:
        self._context = context
        self._states = states
        self.id = widget_id

    def update(self, widget: Any) -> None:
        """Let it be another.

        Raises:
            InvalidWidget: it is no widget, or larger than 256 kB.
        """
        self._context._change(self, widget)

    def __await__(self) -> Generator[Any, Any, ShownWidget]:
        return self._streamed().__await__()

    async def _streamed(self) -> ShownWidget:
        states, self._states = self._states, None
        if states is not None:
            async for state in states:
                self._context._next_state(self, state)
        return self


class ClientAnswer:
    """What a page has been asked to do: `await` it in an `async def`, or `wait()` for it elsewhere."""

    def __init__(self, context: ToolContext, answer: Future[Any]) -> None:
        self._context = context
        self._answer = answer

    def wait(self) -> Any:
        """Wait until the page has done it; returns what it says came of it.

        Raises:
            Refused: it would not, or has not answered in time.
            ToolCancelled: the task was cancelled.
        """
        try:
            while True:
                with contextlib.suppress(FutureTimeoutError):
                    return self._answer.result(WAIT_STEP_S)
                self._context.check()
        finally:
            self._answer.cancel()

    def __await__(self) -> Generator[Any, Any, Any]:
        return asyncio.wrap_future(self._answer).__await__()


class ToolContext:
    """Tell a task how far it is, and find out whether it was cancelled.

    Made for each call. `ToolContext()` is one without a task, to call a tool's function by hand:
    output is printed, progress goes nowhere, and nothing cancels it.

    Args:
        sink: where output and progress go.
        name: the tool's name, for the log.
    """

    def __init__(self, sink: Sink | None = None, name: str = "tool") -> None:
        self._sink: Sink = sink or _Printed()
        self._cancelled = threading.Event()
        self._shown = ""
        self._copy_text = ""
        self.log = _logger(self._sink, name)
        """A standard logger; what it is told is output of the task, with its time."""

    @property
    def cancelled(self) -> bool:
        """Whether the task was cancelled: return soon, or call `check`."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Raise `ToolCancelled` if the task was cancelled."""
        if self._cancelled.is_set():
            raise ToolCancelled

    def progress(
        self,
        fraction: float | None = None,
        label: str = "",
        *,
        done: float | None = None,
        total: float | None = None,
        unit: str = "",
    ) -> None:
        """Say how far the work is. Cheap enough to be called in every step of a loop.

        Args:
            fraction: from 0 to 1; None when it is not known, or follows from `done` and `total`.
            label: what is being done, in a few words.
            done: how many of what is counted.
            total: how many there are.
            unit: what is counted, e.g. `files`.

        Raises:
            ToolCancelled: the task was cancelled.
        """
        self.check()
        self._sink.progress(fraction, label, done, total, unit)

    def output(self, text: str) -> None:
        """Add a line of output to the task, as `print` in its function does.

        Raises:
            ToolCancelled: the task was cancelled.
        """
        self.check()
        self._sink.write(text if text.endswith("\n") else text + "\n")

    def sleep(self, seconds: float) -> None:
        """Wait, unlike `time.sleep` only until the task is cancelled. Not for `async def`.

        Raises:
            ToolCancelled: the task was cancelled, before or meanwhile.
        """
        if self._cancelled.wait(seconds):
            raise ToolCancelled

    def stream_widget(self, widget: Any, copy_text: str = "") -> ShownWidget:
        """Show a widget with the task, and keep it with its result.

        Args:
            widget: a dict with ChatKit's own names, an object of `chatkit.widgets`, a `voice_kernel.Widget`;
                or a generator of its states, each whole: what has changed since the last is sent. An async
                generator runs while it is awaited: `await ctx.stream_widget(states())`.
            copy_text: what is copied, and read where it cannot be drawn.

        Returns:
            The widget, for `update`. It may be awaited in any case.

        Raises:
            InvalidWidget: it is no widget, or larger than 256 kB; or the tool runs in another process.
            ToolCancelled: the task was cancelled.
        """
        self.check()
        self._copy_text = copy_text
        if hasattr(widget, "__aiter__"):
            return ShownWidget(self, "", widget)
        shown = ShownWidget(self, "")
        for state in widget if isinstance(widget, Iterator) else (widget,):
            self._next_state(shown, state)
        return shown

    def update_widget(self, widget: Any) -> None:
        """Let a widget be another: the last one that this call has shown, else the one that was clicked in.

        Raises:
            InvalidWidget: it is no widget, or larger than 256 kB; or there is none to be changed.
            ToolCancelled: the task was cancelled.
        """
        self._change(ShownWidget(self, self._shown or self._widgets.clicked), widget)

    @property
    def widget(self) -> dict[str, Any] | None:
        """The widget in which a person has clicked, as it is now: a copy of its JSON; None without one."""
        sink = getattr(self._sink, "widget", None)
        return sink(self._widgets.clicked) if sink is not None else None

    def client_tool(self, name: str, arguments: Mapping[str, Any] | None = None) -> ClientAnswer:
        """Have the page from which the tool was asked do something, as ChatKit's client tools do.

        `saved = await ctx.client_tool("save_fact", {"fact": fact})`, or with `.wait()` in a plain function.

        Args:
            name: what the page knows it by (`onClientTool` of a ChatKit page; the event
                `voice-kernel:client-tool` in a page with our panel).
            arguments: plain data.

        Raises:
            Refused: no page can be asked from here; or, while waiting: none carries it out, it would not, or
                it has not answered in time.
            ToolCancelled: the task was cancelled.
        """
        self.check()
        ask = getattr(self._sink, "client_tool", None)
        if ask is None:
            raise Refused(_("Nothing here carries out {name}.").format(name=name))
        return ClientAnswer(self, ask(name, arguments or {}))

    @property
    def item_id(self) -> str:
        """The component in which a person has clicked, by its `id` or `key`; empty without one of its own."""
        return str(getattr(self._sink, "clicked_item", ""))

    @property
    def _widgets(self) -> WidgetSink:
        if not hasattr(self._sink, "show_widget"):
            raise InvalidWidget(
                _("Widgets cannot be shown from here."),
                hint=_('Only a tool in the kernel\'s own process can: leave out thread="process".'),
            )
        return cast(WidgetSink, self._sink)

    def _next_state(self, shown: ShownWidget, state: Any) -> None:
        if shown.id:
            self._change(shown, state)
        else:
            self.check()
            shown.id = self._shown = self._widgets.show_widget(state, self._copy_text)

    def _change(self, shown: ShownWidget, widget: Any) -> None:
        self.check()
        if not self._widgets.change_widget(shown.id, widget):
            raise InvalidWidget(
                _("There is no widget to be changed."),
                hint=_("Show one first: ctx.stream_widget(widget)."),
            )

    def cancel(self) -> None:
        """Note that the task was cancelled; whoever runs the function calls it."""
        self._cancelled.set()


def _logger(sink: Sink, name: str) -> logging.Logger:
    # Not one of `logging.getLogger`: those are kept for good, and this one belongs to a call.
    logger = logging.Logger(name, logging.DEBUG)
    handler = _Lines(sink)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    return logger


class _Lines(logging.Handler):
    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink.write(self.format(record) + "\n")
