"""The inline card of a turn: live while it runs, plain HTML afterwards.

A widget view lives only as long as its kernel; so when the turn ends the card is replaced by static HTML
that a saved notebook, nbconvert and a reopened page can show. Where no person can see a live card
(`jupyter execute`), there is only the HTML.
"""

from __future__ import annotations

from typing import Any

from voice_kernel.kernel import Display, Kernel
from voice_kernel.session import TurnResult
from voice_kernel.ui.channel import Route, WidgetChannel
from voice_kernel.ui.frozen import frozen_html, frozen_text
from voice_kernel.ui.surface import Surfaces


def show_panel(surfaces: Surfaces, route: Route) -> Any:
    """Make a live panel and connect it; returns the widget, for the cell to display."""
    from voice_kernel.ui.widget import PanelWidget

    widget = PanelWidget(view="panel", turn_id=0)
    surfaces.connect(WidgetChannel(widget, route=route))
    return widget


class Card:
    """One turn's card in the cell that started it."""

    def __init__(self, kernel: Kernel, surfaces: Surfaces, route: Route, turn_id: int) -> None:
        self._widget: Any = None
        self._channel: WidgetChannel | None = None
        bundle: dict[str, Any] = {"text/plain": "voice_kernel is working…"}
        if kernel.has_kernel and kernel.can_ask:
            from voice_kernel.ui.widget import PanelWidget

            self._widget = PanelWidget(view="card", turn_id=turn_id)
            self._channel = WidgetChannel(self._widget, route=route)
            surfaces.connect(self._channel)
            bundle = self._widget._repr_mimebundle_()
            if isinstance(bundle, tuple):  # (data, metadata), as IPython also allows
                bundle = bundle[0]
        self._display: Display | None = kernel.show(bundle) if kernel.has_kernel else None

    def freeze(self, result: TurnResult) -> None:
        """Replace the live card by what the turn came to. Callable from any thread."""
        if self._display is None:
            print(frozen_text(result.turn, list(result.tasks)))  # noqa: T201  a terminal has no display
            return
        self._display.update(
            {
                "text/html": frozen_html(result.turn, list(result.tasks)),
                "text/plain": frozen_text(result.turn, list(result.tasks)),
            }
        )
        if self._channel is not None:
            self._channel.close()
        if self._widget is not None:
            self._widget.close()
