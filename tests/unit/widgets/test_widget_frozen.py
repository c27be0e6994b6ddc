"""A widget without its kernel: semantic, escaped, and nothing in it acts or loads."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from voice_kernel.widgets.frozen import MAX_HTML_CHARS, widget_html, widget_text

PIXEL = "data:image/png;base64,iVBORw0KGgo="
TEXTS = ("Title", "Text", "Caption", "Markdown", "Label")
FIELDS = ("Input", "Textarea", "Select", "DatePicker")
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def root(*children: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "Card", "children": list(children), **fields}


class Tags(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


SAFE = {"div", "span", "p", "strong", "em", "s", "hr", "ul", "li", "a", "img", "progress", "table", "thead"}
SAFE |= {"tbody", "tr", "td", "th"}
ATTRIBUTES = {
    "style",
    "class",
    "href",
    "rel",
    "target",
    "src",
    "alt",
    "max",
    "value",
    "scope",
    "colspan",
    "rowspan",
}


@pytest.mark.parametrize(
    "kind", [*TEXTS, *FIELDS, "Badge", "Button", "Image", "Checkbox", "Nonsense", "Icon"]
)
def test_what_stands_in_a_component_cannot_act(kind: str) -> None:
    names = ("value", "label", "name", "placeholder", "defaultValue", "src", "alt", "color", "size", "title")
    source = widget_html(root({"type": kind, **dict.fromkeys(names, EVIL)}, status={"text": EVIL}))
    for tag, attributes in Tags(source).tags:
        assert tag in SAFE
        assert attributes.keys() <= ATTRIBUTES
    assert "<script" not in source


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml;base64,PHN2Zz4=",
        "//evil.example/x.png",
        'http://a.example/x.png" onload="alert(1)',
        "vbscript:x",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_none_leads_nowhere(address: str) -> None:
    source = widget_html(root({"type": "Image", "src": address, "alt": "a plane"}))
    assert not any(tag in ("img", "a") for tag, _ in Tags(source).tags)
    assert "a plane" in source


def test_a_picture_of_the_web_is_not_loaded_and_one_in_the_widget_is_shown() -> None:
    source = widget_html(
        root(
            {"type": "Image", "src": "https://a.example/p.png", "alt": "far"}, {"type": "Image", "src": PIXEL}
        )
    )
    tags = Tags(source).tags
    assert [attributes["src"] for tag, attributes in tags if tag == "img"] == [PIXEL]
    (link,) = [attributes for tag, attributes in tags if tag == "a"]
    assert link["href"] == "https://a.example/p.png"
    assert "noopener" in str(link["rel"])


def test_a_chart_is_written_as_a_table_with_heads() -> None:
    chart = {
        "type": "Chart",
        "data": [{"day": "Mon", "calls": 3}, {"day": "Tue", "calls": 5}],
        "series": [{"type": "bar", "dataKey": "calls", "label": "Calls"}],
        "xAxis": {"dataKey": "day"},
    }
    source = widget_html(root(chart))
    heads = [attributes.get("scope") for tag, attributes in Tags(source).tags if tag == "th"]
    assert heads == ["col", "col", "row", "row"]
    assert widget_text(root(chart)) == "day: Mon  calls: 3\nday: Tue  calls: 5"


def test_a_table_keeps_its_rows_and_heads() -> None:
    rows = [
        {"type": "Table.Row", "header": True, "children": [cell("Seat"), cell("Class", colSpan=2)]},
        {"type": "Table.Row", "children": [cell("12A"), cell("Economy")]},
    ]
    source = widget_html(root({"type": "Table", "children": rows}))
    assert [tag for tag, _ in Tags(source).tags if tag in ("th", "td")] == ["th", "th", "td", "td"]
    assert 'colspan="2"' in source
    assert widget_text(root({"type": "Table", "children": rows})) == "Seat  Class\n12A  Economy"


def cell(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "Table.Cell", "children": [{"type": "Text", "value": text}], **fields}


def test_fields_show_what_is_in_them_and_never_a_password() -> None:
    form = root(
        {"type": "Input", "name": "who", "defaultValue": "Ada"},
        {"type": "Input", "name": "pin", "inputType": "password", "defaultValue": "hunter2"},
        {
            "type": "Select",
            "name": "meal",
            "defaultValue": "v",
            "options": [{"value": "v", "label": "Vegetarian"}],
        },
    )
    for shown in (widget_html(form), widget_text(form)):
        assert "Ada" in shown
        assert "Vegetarian" in shown
        assert "hunter2" not in shown


def test_what_is_unknown_is_shown_by_its_texts() -> None:
    thing = {"type": "Hologram", "label": "A plane", "children": [{"type": "Text", "value": "turning"}]}
    assert "A plane" in widget_html(root(thing))
    assert widget_text(root(thing)) == "A plane\nturning"


def test_a_large_widget_is_cut_and_says_so() -> None:
    source = widget_html(root(*({"type": "Text", "value": "x" * 5_000} for _ in range(150))))
    assert len(source) < MAX_HTML_CHARS + 50_000
    assert "…" in source


@pytest.mark.parametrize("wrong", [None, 7, "x", [], [None, 7, ["x"]], {"type": 5}, {"type": None}])
def test_nothing_in_the_place_of_children_breaks_it(wrong: Any) -> None:
    for kind in ("Card", "ListView", "Row", "Table", "Table.Row", "Transition", "Chart", "RadioGroup"):
        thing = {"type": kind, "children": wrong, "options": wrong, "data": wrong, "series": wrong}
        assert widget_html(root(thing)).startswith("<div")
        assert widget_text(root(thing))


def test_its_authors_words_are_its_text() -> None:
    assert widget_text(root({"type": "Text", "value": "x"}), "Your seat is 12A.") == "Your seat is 12A."
