"""A widget as it stood: HTML that needs neither kernel nor script, and the same as text.

What a saved notebook, nbconvert and a front end without our extension show. Semantic tags with inline styles;
every text is escaped, links and pictures lead only where they may, and nothing can be clicked that a kernel
would have to answer: buttons and fields stand there as they were. Markdown stays as written. A component
that is not known is shown by its texts.

Colours are the front end's (`--jp-*`) or mixed with the page's own, for light and dark ground alike.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from voice_kernel.language import _
from voice_kernel.widgets.document import Json, children_of

MAX_HTML_CHARS = 300_000
MAX_TEXT_CHARS = 20_000
MAX_ROWS = 200
"""Rows of a chart that are written as a table, and items of a list."""
MAX_COLUMNS = 20

_LINE = "color-mix(in srgb,currentColor 18%,transparent)"
_MUTED = "opacity:.72"
_CARD = (
    f"border:1px solid {_LINE};border-radius:10px;padding:10px 14px;max-width:560px;margin:4px 0;"
    "color:var(--jp-ui-font-color1,inherit);line-height:1.45;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"
)
_CELL = f"padding:2px 10px 2px 0;border-bottom:1px solid {_LINE};text-align:left"
_BUTTON = (
    f"display:inline-block;border:1px solid {_LINE};border-radius:6px;padding:1px 10px;margin:2px 4px 2px 0;"
    f"{_MUTED}"
)
_BADGES = {
    "success": "#2e8b3d",
    "danger": "#d32f2f",
    "warning": "#b07d00",
    "info": "#1565c0",
    "discovery": "#7b3fbf",
}
_SIZES = {"sm": 14, "md": 16, "lg": 18, "xl": 20, "2xl": 22, "3xl": 24, "4xl": 28, "5xl": 32}
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}\Z")


def widget_html(root: Json) -> str:
    """Return a widget as self-contained HTML; past its bounds it says so."""
    left = [MAX_HTML_CHARS]
    body = _html(root, left)
    return f'<div class="voice-kernel-widget" style="{_CARD}">{body}</div>'


def widget_text(root: Json, copy_text: str = "") -> str:
    """Return a widget for a terminal: what its author gave for it, else its texts, a line each."""
    if copy_text.strip():
        return copy_text.strip()[:MAX_TEXT_CHARS]
    lines: list[str] = []
    _lines(root, lines)
    return "\n".join(line for line in lines if line.strip())[:MAX_TEXT_CHARS] or _("(an empty widget)")


# ---- HTML -----------------------------------------------------------------------------------------


def _html(component: Json, left: list[int]) -> str:
    if left[0] <= 0:
        return ""
    draw = _DRAWN.get(str(component.get("type")), _unknown)
    made = draw(component, left)
    left[0] -= len(made) if not children_of(component) else 100
    return made if left[0] > 0 else "<p>…</p>"


def _inside(component: Json, left: list[int]) -> str:
    return "".join(_html(child, left) for child in children_of(component)[:MAX_ROWS])


def _block(component: Json, left: list[int]) -> str:
    return f"<div>{_inside(component, left)}</div>"


def _row(component: Json, left: list[int]) -> str:
    wraps = "wrap" if component.get("wrap") != "nowrap" else "nowrap"
    between = "justify-content:space-between;" if component.get("justify") == "between" else ""
    style = f"display:flex;flex-wrap:{wraps};gap:4px 10px;align-items:center;{between}margin:2px 0"
    return f'<div style="{style}">{_inside(component, left)}</div>'


def _box(component: Json, left: list[int]) -> str:
    return (_row if component.get("direction") == "row" else _block)(component, left)


def _card(component: Json, left: list[int]) -> str:
    buttons = [part for part in (component.get("cancel"), component.get("confirm")) if isinstance(part, dict)]
    foot = "".join(_button(part, left) for part in buttons)
    return _status(component) + _inside(component, left) + (f"<div>{foot}</div>" if foot else "")


def _list(component: Json, left: list[int]) -> str:
    shown = children_of(component)
    items = "".join(f'<li style="margin:3px 0">{_html(child, left)}</li>' for child in shown[:MAX_ROWS])
    more = f"<p>{_more(len(shown))}</p>" if len(shown) > MAX_ROWS else ""
    return f'{_status(component)}<ul style="list-style:none;margin:0;padding:0">{items}</ul>{more}'


def _status(component: Json) -> str:
    status = component.get("status")
    text = status.get("text") if isinstance(status, dict) else None
    return f'<p style="margin:0 0 4px;{_MUTED}">{_text(text)}</p>' if text else ""


def _title(component: Json, left: list[int]) -> str:
    size = _SIZES.get(str(component.get("size")), 16)
    return f'<p style="margin:2px 0;font-weight:600;font-size:{size}px">{_text(component.get("value"))}</p>'


def _plain(component: Json, left: list[int]) -> str:
    value = _text(component.get("value"))
    if component.get("lineThrough"):
        value = f"<s>{value}</s>"
    if component.get("italic"):
        value = f"<em>{value}</em>"
    if component.get("weight") in ("semibold", "bold", "medium"):
        value = f"<strong>{value}</strong>"
    return f'<div style="white-space:pre-wrap;overflow-wrap:anywhere">{value}</div>'


def _caption(component: Json, left: list[int]) -> str:
    return f'<div style="font-size:12px;{_MUTED}">{_text(component.get("value"))}</div>'


def _label(component: Json, left: list[int]) -> str:
    return f'<div style="font-weight:600;font-size:12px;margin-top:4px">{_text(component.get("value"))}</div>'


def _badge(component: Json, left: list[int]) -> str:
    colour = _BADGES.get(str(component.get("color")), "currentColor")
    style = (
        f"display:inline-block;border-radius:9px;padding:0 8px;font-size:11px;"
        f"background:color-mix(in srgb,{colour} 18%,transparent);"
        f"color:color-mix(in srgb,{colour} 60%,currentColor)"
    )
    return f'<span style="{style}">{_text(component.get("label"))}</span>'


def _icon(component: Json, left: list[int]) -> str:
    return ""  # it never stands for a word


def _more(count: int) -> str:
    return _("… and {count} more").format(count=count - MAX_ROWS)


def _image(component: Json, left: list[int]) -> str:
    alt = _text(component.get("alt") or _("Picture"))
    source = component.get("src")
    if isinstance(source, str) and _IMAGE.match(source) and len(source) < left[0]:
        return f'<img src="{source}" alt="{alt}" style="max-width:100%;border-radius:6px">'
    if isinstance(source, str) and re.match(r"https?://[^\s\"'<>]+\Z", source):
        # Not loaded: a saved notebook tells nobody that it is being read.
        link = html.escape(source, quote=True)
        return f'<a href="{link}" rel="noopener noreferrer nofollow" target="_blank">{alt}</a>'
    return f"<span>[{alt}]</span>"


def _button(component: Json, left: list[int]) -> str:
    label = _text(component.get("label"))
    return f'<span style="{_BUTTON}">{label}</span>' if label else ""


def _field(component: Json, left: list[int]) -> str:
    value = _given(component)
    style = f"border:1px solid {_LINE};border-radius:6px;padding:2px 8px;margin:2px 0;white-space:pre-wrap"
    muted = "" if component.get("defaultValue") else f";{_MUTED}"
    return f'<div style="{style}{muted}">{_text(value)}&nbsp;</div>'


def _checkbox(component: Json, left: list[int]) -> str:
    mark = "☑" if component.get("defaultChecked") else "☐"
    return f"<div>{mark} {_text(component.get('label'))}</div>"


def _radio(component: Json, left: list[int]) -> str:
    rows = [
        f"<div>{'◉' if option.get('value') == component.get('defaultValue') else '○'} "
        f"{_text(option.get('label'))}</div>"
        for option in _records(component.get("options"))[:MAX_ROWS]
    ]
    return "".join(rows)


def _divider(component: Json, left: list[int]) -> str:
    return f'<hr style="border:0;border-top:1px solid {_LINE};margin:6px 0">'


def _progress(component: Json, left: list[int]) -> str:
    value = component.get("value")
    label = _text(component.get("label"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<div>{label} …</div>"
    share = min(100.0, max(0.0, float(value)))
    return f'<div>{label} <progress max="100" value="{share:g}">{share:g}%</progress> {share:g}%</div>'


def _chart(component: Json, left: list[int]) -> str:
    axis = component.get("xAxis")
    key = axis.get("dataKey") if isinstance(axis, dict) else axis
    series = [one for one in _records(component.get("series")) if isinstance(one.get("dataKey"), str)]
    series = series[:MAX_COLUMNS]
    names = [str(one.get("label") or one["dataKey"]) for one in series]
    head = "".join(f'<th scope="col" style="{_CELL}">{_text(name)}</th>' for name in [key, *names])
    rows = _records(component.get("data"))
    body = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:400">{_text(row.get(str(key)))}</th>'
        + "".join(f'<td style="{_CELL}">{_text(row.get(one["dataKey"]))}</td>' for one in series)
        + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = f"<p>{_more(len(rows))}</p>" if len(rows) > MAX_ROWS else ""
    return (
        '<table style="border-collapse:collapse;font-size:12px;margin:4px 0">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
    )


def _table(component: Json, left: list[int]) -> str:
    rows = "".join(_html(child, left) for child in children_of(component)[:MAX_ROWS])
    return (
        f'<table style="border-collapse:collapse;font-size:12px;margin:4px 0"><tbody>{rows}</tbody></table>'
    )


def _table_row(component: Json, left: list[int]) -> str:
    tag = "th" if component.get("header") else "td"
    cells = []
    for child in children_of(component)[:MAX_COLUMNS]:
        of_cell = child.get("type") == "Table.Cell"
        inner = _inside(child, left) if of_cell else _html(child, left)
        cells.append(f'<{tag}{_spans(child)} style="{_CELL}">{inner}</{tag}>')
    return f"<tr>{''.join(cells)}</tr>"


def _spans(cell: Json) -> str:
    return "".join(
        f' {name.lower()}="{cell[name]}"'
        for name in ("colSpan", "rowSpan")
        if type(cell.get(name)) is int and 1 < cell[name] <= MAX_ROWS
    )


def _unknown(component: Json, left: list[int]) -> str:
    said = [
        str(component[name]) for name in ("title", "label", "value", "text") if _is_said(component.get(name))
    ]
    shown = f"<div>{_text(' '.join(said))}</div>" if said else ""
    return shown + _inside(component, left)


_DRAWN: dict[str, Callable[[Json, list[int]], str]] = {
    "Card": _card,
    "ListView": _list,
    "ListViewItem": _row,
    "Basic": _block,
    "Box": _box,
    "Row": _row,
    "Col": _block,
    "Form": _block,
    "Spacer": lambda component, left: '<span style="flex:1"></span>',
    "Divider": _divider,
    "Transition": _block,
    "Text": _plain,
    "Title": _title,
    "Caption": _caption,
    "Markdown": _plain,
    "Label": _label,
    "Badge": _badge,
    "Icon": _icon,
    "Image": _image,
    "Button": _button,
    "Input": _field,
    "Textarea": _field,
    "Select": _field,
    "DatePicker": _field,
    "Checkbox": _checkbox,
    "RadioGroup": _radio,
    "Chart": _chart,
    "Table": _table,
    "Table.Row": _table_row,
    "Table.Cell": _block,
    "Progress": _progress,
}
"""How each component is drawn; all of ChatKit's, and our Progress."""


# ---- text -----------------------------------------------------------------------------------------


def _lines(component: Json, lines: list[str]) -> None:
    kind = component.get("type")
    if kind in ("Title", "Text", "Caption", "Markdown", "Label"):
        lines.append(str(component.get("value") or ""))
    elif kind in ("Button", "Badge"):
        lines.append(f"[{component['label']}]" if component.get("label") else "")
    elif kind == "Image":
        lines.append(f"({component.get('alt') or _('picture')})")
    elif kind in ("Input", "Textarea", "Select", "DatePicker"):
        lines.append(f"{component.get('name', '')}: {_given(component)}")
    elif kind == "Checkbox":
        lines.append(f"[{'x' if component.get('defaultChecked') else ' '}] {component.get('label') or ''}")
    elif kind == "RadioGroup":
        for option in _records(component.get("options"))[:MAX_ROWS]:
            chosen = option.get("value") == component.get("defaultValue")
            lines.append(f"({'x' if chosen else ' '}) {option.get('label', '')}")
    elif kind == "Progress":
        lines.append(f"{component.get('label') or ''} {component.get('value', '')}%".strip())
    elif kind == "Chart":
        _chart_lines(component, lines)
    elif kind not in _DRAWN:
        said = [component.get(name) for name in ("title", "label", "value", "text")]
        lines.append(" ".join(str(each) for each in said if _is_said(each)))
    if kind in ("Table.Row", "Row", "ListViewItem"):
        inner: list[str] = []
        for child in children_of(component)[:MAX_ROWS]:
            _lines(child, inner)
        lines.append("  ".join(line for line in inner if line.strip()))
        return
    for child in children_of(component)[:MAX_ROWS]:
        _lines(child, lines)


def _chart_lines(component: Json, lines: list[str]) -> None:
    for row in _records(component.get("data"))[:MAX_ROWS]:
        lines.append("  ".join(f"{name}: {value}" for name, value in list(row.items())[:MAX_COLUMNS]))


def _given(component: Json) -> str:
    """Return what stands in a field: its value, never a secret, else what it asks for."""
    value = component.get("defaultValue")
    if component.get("inputType") == "password":
        return "•••" if value else ""
    for option in _records(component.get("options")):
        if value is not None and option.get("value") == value:
            return str(option.get("label") or value)
    return str(value if value is not None else component.get("placeholder") or "")


def _records(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_said(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return "" if value is None else html.escape(str(value), quote=True)
