"""The panel, or the live card of one turn, as an anywidget.

Responsible for the model's traits and for the bundle they load. It does not know what is said over it:
`channel.WidgetChannel` carries the messages.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets as t

from voice_kernel.language import N_, _
from voice_kernel.ui.bundle import built

_FALLBACK = {
    "panel": N_("The voice panel lives in a running notebook: run this cell again to open it."),
    "card": N_("This voice command was still under way when the notebook was closed."),
}


class PanelWidget(anywidget.AnyWidget):
    """A view on the session: the whole panel, or the card of one turn.

    The bundle is read when a widget is made, not when this module is imported.
    """

    _esm = t.Unicode().tag(sync=True)
    _css = t.Unicode().tag(sync=True)

    view = t.Enum(["panel", "card"], default_value="panel").tag(sync=True)
    turn_id = t.Int(0).tag(sync=True)
    """The turn that a card shows."""
    surface_kind = t.Enum(["widget", "card", "sidebar"]).tag(sync=True)
    """What the page calls itself in Hello; follows from `view` unless given."""

    @t.default("_esm")
    def _read_module(self) -> str:
        return built("panel.js")

    @t.default("_css")
    def _read_style(self) -> str:
        return built("panel.css")

    @t.default("surface_kind")
    def _kind_of_view(self) -> str:
        return "card" if self.view == "card" else "widget"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        made: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if made is None:
            return None
        data, metadata = made
        # For a front end without widgets, and for a notebook that is read without its kernel.
        fallback = _(_FALLBACK[self.view])
        return {**data, "text/plain": fallback, "text/html": f"<p><em>{fallback}</em></p>"}, metadata
