"""Untrusted HTML made safe by writing it anew.

Responsible for the tables and texts that outputs carry. Safe by construction: what comes out is made of bare
tags from a fixed list and of escaped text; no attribute of the input survives but a cell's span, as a number.
"""

from __future__ import annotations

import html
from html.parser import HTMLParser

_TEXT = ("b", "br", "code", "em", "i", "s", "small", "span", "strong", "sub", "sup", "u")
_BLOCK = ("blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre")
_LIST = ("dd", "dl", "dt", "li", "ol", "ul")
_TABLE = ("caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr")
_KEPT = frozenset((*_TEXT, *_BLOCK, *_LIST, *_TABLE))
_VOID = frozenset(("br", "hr"))
_CODE = ("script", "style", "template", "noscript", "iframe", "object", "svg", "math")
_FORM = ("textarea", "select")
_SILENT = frozenset((*_CODE, *_FORM, "head", "title"))
"""Whose content is no text for a reader."""
_MAX_SPAN = 1_000
_STYLE = {
    "table": "border-collapse:collapse;font-size:12px",
    "td": "padding:2px 10px 2px 0;border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)",
    "th": "padding:2px 10px 2px 0;border-bottom:1px solid color-mix(in srgb,currentColor 30%,transparent)",
}


def sanitize(source: str) -> str:
    """Return the text and structure of `source`, without anything that acts or loads."""
    writer = _Writer()
    writer.feed(source)
    writer.close()
    return writer.finish()


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._open: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._silent or tag in _SILENT:
            self._silent.append(tag)
            return
        if tag not in _KEPT:
            return
        inside = self._open[-1] if self._open else ""
        self._pieces.append(f"<{tag}{_spans(tag, attrs)}{_styled(tag, inside)}>")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent and tag in _VOID:
            self._pieces.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            # Whatever was opened inside ends with it.
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        if tag in self._open:
            while True:
                closed = self._open.pop()
                self._pieces.append(f"</{closed}>")
                if closed == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(html.escape(data))

    def finish(self) -> str:
        self._pieces.extend(f"</{tag}>" for tag in reversed(self._open))
        self._open.clear()
        return "".join(self._pieces)


def _spans(tag: str, attrs: list[tuple[str, str | None]]) -> str:
    if tag not in ("td", "th"):
        return ""
    kept = [
        f' {name}="{min(int(value), _MAX_SPAN)}"'
        for name, value in attrs
        if name in ("colspan", "rowspan") and value and value.isascii() and value.isdigit() and len(value) < 6
    ]
    return "".join(kept)


def _styled(tag: str, inside: str) -> str:
    # A cell of prose is no number, for which Jupyter's own style sheet takes every cell.
    style = "margin:0;text-align:left" if (tag, inside) == ("p", "td") else _STYLE.get(tag)
    return f' style="{style}"' if style else ""
