"""The inline card of a turn: live while it runs, plain HTML afterwards.

A widget view lives only as long as its kernel; so when the turn ends the card is replaced by static HTML
that a saved notebook, nbconvert and a reopened page can show. Where no person can see a live card
(`jupyter execute`), there is only the HTML.
"""

from __future__ import annotations

import html
import threading
import time
import weakref
from collections import Counter
from typing import Any

from voice_kernel.kernel import Display, Kernel
from voice_kernel.language import _, quoted
from voice_kernel.messages import Widget
from voice_kernel.session import TurnResult
from voice_kernel.ui.channel import Route, WidgetChannel
from voice_kernel.ui.frozen import frozen_html, frozen_text
from voice_kernel.ui.surface import Surfaces
from voice_kernel.widgets.live import live
from voice_kernel.widgets.widget import bundle_of

MAX_LIVE = 12
"""Live cards of one cell at once: each is a widget, that every page and the saved notebook carry."""
MAX_NAMED = 20
MAX_NAMED_CHARS = 200
TELL_S = 0.2
STYLE = (
    "border:1px solid var(--jp-border-color2, #ccc);border-radius:6px;padding:8px 12px;margin:4px 0;"
    "color:var(--jp-ui-font-color1, inherit);font-family:var(--jp-ui-font-family, sans-serif);font-size:13px"
)

Bundle = dict[str, Any]


def show_panel(surfaces: Surfaces, route: Route) -> Any:
    """Make a live panel and connect it; returns the widget, for the cell to display."""
    from voice_kernel.ui.widget import PanelWidget

    widget = PanelWidget(view="panel", turn_id=0)
    surfaces.connect(WidgetChannel(widget, route=route))
    return widget


class Cards:
    """The cards of cells. A cell has so many live ones at once; one more stands for all the others."""

    def __init__(self, kernel: Kernel, surfaces: Surfaces, route: Route) -> None:
        self._kernel = kernel
        self._surfaces = surfaces
        self._route = route
        self._live: weakref.WeakSet[Card] = weakref.WeakSet()
        self._others: Others | None = None

    def open(self, turn_id: int) -> Card | Others:
        """Show a turn in the cell that runs. Called on the main thread."""
        cell = self._kernel.request
        live = [card for card in self._live if card.live and card.cell == cell]
        if len(live) < MAX_LIVE:
            card = Card(self._kernel, self._surfaces, self._route, turn_id, cell)
            self._live.add(card)
            return card
        if self._others is None or self._others.cell != cell:
            self._others = Others(self._kernel, cell)
        self._others.begun()
        return self._others


class Card:
    """One turn's card in the cell that started it."""

    def __init__(
        self, kernel: Kernel, surfaces: Surfaces, route: Route, turn_id: int, cell: str = ""
    ) -> None:
        self.cell = cell
        self._kernel = kernel
        self._widget: Any = None
        self._channel: WidgetChannel | None = None
        self._bundle: Bundle = {"text/plain": _("voice_kernel is working…")}
        if kernel.has_kernel and kernel.can_ask:
            from voice_kernel.ui.widget import PanelWidget

            self._widget = PanelWidget(view="card", turn_id=turn_id)
            self._channel = WidgetChannel(self._widget, route=route)
            surfaces.connect(self._channel)
            bundle = self._widget._repr_mimebundle_()
            # (data, metadata), as IPython also allows
            self._bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        self._display: Display | None = kernel.show(self._bundle) if kernel.has_kernel else None

    @property
    def live(self) -> bool:
        """Whether it holds a widget."""
        return self._widget is not None

    def freeze(self, result: TurnResult) -> None:
        """Replace the live card by what the turn came to. Callable from any thread."""
        text = frozen_text(result.turn, list(result.tasks))
        if self._display is None:
            print(text)  # noqa: T201  a terminal has no display
            return
        self._bundle = {"text/html": frozen_html(result.turn, list(result.tasks)), "text/plain": text}
        widgets = [widget for task in result.tasks if task.result for widget in task.result.widgets]
        if widgets:
            self._bundle = _with_widgets(result, widgets)
            for widget in widgets:
                live.show_at(widget.id, _Redrawn(self._display, result, widgets))
        self._display.update(self._bundle)
        if self._channel is not None:
            self._channel.close()
        widget, self._widget = self._widget, None
        if widget is not None:
            widget.close()

    def show_again(self) -> None:
        """Tell from the cell that runs now what an earlier one shows.

        Who runs a notebook without a browser hears of a display only from the cell it waits for.
        """
        if self._display is not None:
            self._kernel.show_again(self._display, self._bundle)


class _Redrawn:
    """A frozen card whose widgets still change: a click in one is heard as long as the kernel lives."""

    def __init__(self, display: Display, result: TurnResult, widgets: list[Widget]) -> None:
        self._display = display
        self._result = result
        self._widgets = widgets

    def __call__(self, changed: Widget) -> None:
        self._widgets = [live.get(widget.id) or widget for widget in self._widgets]
        self._display.update(_with_widgets(self._result, self._widgets))


def _with_widgets(result: TurnResult, widgets: list[Widget]) -> Bundle:
    """Return what a turn came to with its widgets, drawn by the page where it can, else as HTML."""
    now = {widget.id: widget for widget in widgets}
    whole, bare = [], []
    for task in result.tasks:
        if task.result is not None and task.result.widgets:
            shown = [now.get(widget.id, widget) for widget in task.result.widgets]
            whole.append(
                task.model_copy(update={"result": task.result.model_copy(update={"widgets": shown})})
            )
            bare.append(task.model_copy(update={"result": task.result.model_copy(update={"text": ""})}))
        else:
            whole.append(task)
            bare.append(task)
    return bundle_of(
        [(widget.id, widget.root, widget.copy_text) for widget in widgets],
        html=frozen_html(result.turn, whole),
        text=frozen_text(result.turn, whole),
        said=frozen_text(result.turn, bare),
    )


class Others:
    """One card for the turns of a cell that got none of their own: how many, and which did not succeed."""

    def __init__(self, kernel: Kernel, cell: str) -> None:
        self.cell = cell
        self._lock = threading.Lock()
        self._begun = 0
        self._told_at = 0.0
        self._ended: Counter[str] = Counter()
        self._bad: list[tuple[str, str]] = []
        self._display = kernel.show(self._bundle())

    def begun(self) -> None:
        """Count one more turn."""
        with self._lock:
            self._begun += 1
        self._tell()

    def freeze(self, result: TurnResult) -> None:
        """Count a turn that has ended. Callable from any thread."""
        turn = result.turn
        with self._lock:
            self._ended[turn.state] += 1
            if turn.state != "succeeded" and len(self._bad) < MAX_NAMED:
                why = turn.problem.message if turn.problem else turn.answer
                self._bad.append((turn.text[:MAX_NAMED_CHARS], why[:MAX_NAMED_CHARS]))
        self._tell()

    def show_again(self) -> None:
        """There is a person before this card, whose front end has heard of it."""

    def _tell(self) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._told_at < TELL_S and self._ended.total() < self._begun:
                return
            self._told_at = now
            bundle = self._bundle()
        self._display.update(bundle)

    def _bundle(self) -> Bundle:
        running = self._begun - self._ended.total()
        counts = [f"{number} {_(state)}" for state, number in self._ended.items()]
        counts += [_("{count} under way").format(count=running)] if running else []
        lines = [
            _("{count} more commands of this cell, which the voice panel shows: {states}.").format(
                count=self._begun, states=", ".join(counts)
            ),
            *(f"{quoted(text)}: {why}" if why else quoted(text) for text, why in self._bad),
        ]
        more = sum(number for state, number in self._ended.items() if state != "succeeded") - len(self._bad)
        if more:
            lines.append(_("And {count} more that did not succeed.").format(count=more))
        shown = "<br>".join(html.escape(line) for line in lines)
        return {"text/plain": "\n".join(lines), "text/html": f'<div style="{STYLE}">{shown}</div>'}
