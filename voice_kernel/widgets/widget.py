"""`voice_kernel.Widget`: a widget that a cell shows, and that may change afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voice_kernel.widgets.document import Json, as_root, from_template
from voice_kernel.widgets.frozen import widget_html, widget_text

MIME = "application/vnd.voice-kernel.widget+json"


class Widget:
    """A ChatKit widget in a cell.

        card = Widget({"type": "Card", "children": [{"type": "Title", "value": "Seat 12A"}]})
        card                      # as the last line of a cell, or display(card)
        card.update({...})        # it changes wherever it is shown

    JupyterLab and Notebook 7 draw it and hear its clicks: an action of the type `seat.change` calls the
    function that `@voice_kernel.action("seat.change")` stands above, or the tool of that name. Everywhere
    else, and where the kernel is gone and the extension is not installed, it is plain HTML.

    Args:
        widget: a dict with ChatKit's own names, or an object of `chatkit.widgets`.
        copy_text: what is copied, and read where it cannot be drawn.

    Raises:
        InvalidWidget: it is no widget, or larger than 256 kB.
    """

    def __init__(self, widget: Any, *, copy_text: str = "") -> None:
        self._voice_kernel_root = as_root(widget)
        self._copy_text = copy_text
        self._id = ""

    @classmethod
    def from_file(
        cls, path: str | Path, data: Mapping[str, Any] | None = None, *, copy_text: str = ""
    ) -> Widget:
        """Make a widget of a `.widget` template, as ChatKit's Widget Builder writes it.

        Args:
            path: the file; from the working directory when it is relative.
            data: the values that the template names.
            copy_text: what is copied.

        Raises:
            InvalidWidget: the file is no template, or the data do not fit it; or openai-chatkit, which
                reads it, is not installed.
        """
        return cls(from_template(path, data), copy_text=copy_text)

    @property
    def root(self) -> Json:
        """A copy of its JSON as it is now, after the last click in it: change it, and give it to `update`."""
        return as_root(self._now)

    @property
    def id(self) -> str:
        """Its id in the session, from the first time it is shown; empty before."""
        return self._id

    def update(self, widget: Any) -> None:
        """Let it be another, wherever it is shown. Callable from any thread.

        Raises:
            InvalidWidget: it is no widget, or larger than 256 kB.
        """
        root = as_root(widget)
        self._voice_kernel_root = root
        if self._id:
            from voice_kernel.widgets.live import live

            live.change(self._id, root)

    def __repr__(self) -> str:
        return widget_text(self._now, self._copy_text)

    @property
    def _now(self) -> Json:
        """As the last click has left it: its handler changes the live one."""
        if self._id:
            from voice_kernel.widgets.live import live

            shown = live.get(self._id)
            if shown is not None:
                self._voice_kernel_root = shown.root
        return self._voice_kernel_root

    def _ipython_display_(self) -> None:
        from voice_kernel.kernel.pinned import show_here
        from voice_kernel.widgets.live import live

        root = self._now
        if not self._id or live.get(self._id) is None:
            self._id = live.add(root, copy_text=self._copy_text, widget_id=self._id).id
        display = show_here(bundle_of([(self._id, root, self._copy_text)]))
        if display is not None:
            live.show_at(
                self._id,
                lambda widget: display.update(bundle_of([(widget.id, widget.root, widget.copy_text)])),
            )


def bundle_of(
    widgets: list[tuple[str, Json, str]], *, html: str = "", text: str = "", said: str = ""
) -> Json:
    """Return the mime bundle of widgets in a cell's output.

    Args:
        widgets: of each its id, its JSON and what is copied of it.
        html: the frozen form of all; made of the widgets when it is not given.
        text: the same as text.
        said: what a person said that led to them.
    """
    shown = [{"id": name, "root": root, "copy_text": copied} for name, root, copied in widgets]
    return {
        MIME: {"version": 1, "widgets": shown, "said": said},
        "text/html": html or "".join(widget_html(root) for _, root, _ in widgets),
        "text/plain": text or "\n".join(widget_text(root, copied) for _, root, copied in widgets),
    }


def show(value: Any) -> None:
    """Show an object of ChatKit's in the cell that runs; IPython calls it."""
    Widget(value)._ipython_display_()
