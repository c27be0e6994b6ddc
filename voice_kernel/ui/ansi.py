"""Terminal output as safe HTML or plain text.

Responsible for what a terminal would show of a finished text: colours and weight become spans, everything
else a terminal obeys is dropped, and all text is escaped.
"""

from __future__ import annotations

import html
import re

# Colours with a name (30-37, 90-97), as hues that are mixed with the text colour of the page: so they
# stand out on light and dark ground alike.
_HUES = ("#808080", "#d32f2f", "#2e8b3d", "#b07d00", "#1f6fd0", "#b03ab0", "#008a94", "#808080")

_SGR = re.compile(r"\x1b\[([\d;]*)m")
_OTHER = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)"  # titles and hyperlinks: their text stays
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)"  # strings for the terminal
    r"|\x1b\[[\d;:?<=>]*[ -/]*[@-ln-~]"  # cursor, erase, modes: every CSI but `m`
    r"|\x1b\[[\d;:?<=>]*[ -/]*$"  # one that was cut off
    r"|\x1b[()*+][0-9A-Za-z]"  # character sets
    r"|\x1b(?!\[[\d;]*m).?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")


def collapse_returns(text: str) -> str:
    """Keep of every line what was written last: progress bars return to the line's start."""
    if "\r" not in text:
        return text
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(lines)


def ansi_to_text(text: str) -> str:
    """Return what would be read, without colours."""
    return _SGR.sub("", _visible(text))


def ansi_to_html(text: str) -> str:
    """Return escaped HTML with inline styles for colour, bold, italic and underline."""
    pieces: list[str] = []
    style: dict[str, str] = {}
    at = 0
    visible = _visible(text)
    for match in _SGR.finditer(visible):
        _append(pieces, visible[at : match.start()], style)
        _apply(style, match.group(1))
        at = match.end()
    _append(pieces, visible[at:], style)
    return "".join(pieces)


def _visible(text: str) -> str:
    return _CONTROL.sub("", collapse_returns(_OTHER.sub("", text)))


def _append(pieces: list[str], text: str, style: dict[str, str]) -> None:
    if not text:
        return
    escaped = html.escape(text)
    if not style:
        pieces.append(escaped)
        return
    css = ";".join(f"{name}:{value}" for name, value in style.items())
    pieces.append(f'<span style="{css}">{escaped}</span>')


def _apply(style: dict[str, str], parameters: str) -> None:
    codes = [int(code or 0) for code in parameters.split(";") if len(code) < 4]
    position = 0
    while position < len(codes):
        code = codes[position]
        position += 1
        if code == 0:
            style.clear()
        elif code == 1:
            style["font-weight"] = "bold"
        elif code == 2:
            style["opacity"] = "0.75"
        elif code == 3:
            style["font-style"] = "italic"
        elif code == 4:
            style["text-decoration"] = "underline"
        elif code == 22:
            style.pop("font-weight", None)
            style.pop("opacity", None)
        elif code == 23:
            style.pop("font-style", None)
        elif code == 24:
            style.pop("text-decoration", None)
        elif code == 39:
            style.pop("color", None)
        elif code == 49:
            style.pop("background", None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["color"] = _mix(_HUES[code % 10], 70)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["background"] = _tint(_HUES[code % 10])
        elif code in (38, 48):
            hue, used = _extended(codes[position:])
            position += used
            if hue:
                style["color" if code == 38 else "background"] = _mix(hue, 70) if code == 38 else _tint(hue)


def _extended(codes: list[int]) -> tuple[str, int]:
    """Return the colour of `38;5;n` or `38;2;r;g;b`, and how many codes it took."""
    if len(codes) >= 2 and codes[0] == 5:
        return _palette(codes[1]), 2
    if len(codes) >= 4 and codes[0] == 2:
        red, green, blue = (min(255, code) for code in codes[1:4])
        return f"#{red:02x}{green:02x}{blue:02x}", 4
    return "", len(codes)


def _palette(index: int) -> str:
    if index < 16:
        return _HUES[index % 8]
    if index > 255:
        return ""
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    levels = (0, 95, 135, 175, 215, 255)
    red, rest = divmod(index - 16, 36)
    green, blue = divmod(rest, 6)
    return f"#{levels[red]:02x}{levels[green]:02x}{levels[blue]:02x}"


def _mix(hue: str, percent: int) -> str:
    return f"color-mix(in srgb,{hue} {percent}%,currentColor)"


def _tint(hue: str) -> str:
    return f"color-mix(in srgb,{hue} 30%,transparent)"
