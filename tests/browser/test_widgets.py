"""ChatKit's widgets in a real Chromium: how they look, by keyboard, by screen reader, and against attacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import chromium
from panel_page import Theme
from playwright.sync_api import Browser, Page, expect
from widget_page import WidgetPage
from widget_scenes import CHOICES, FORM, LIST, SCENES, SHEET, Node, action, node, text

ROOT = Path(__file__).parents[2]
ATTACKS: dict[str, list[str]] = json.loads(
    (ROOT / "tests/data/widget_attacks.json").read_text(encoding="utf-8")
)

COMPONENTS = [
    "Card", "ListView", "Basic", "Box", "Form", "Text", "Title", "Caption", "Markdown", "Label",
    "Badge", "Icon", "Image", "Button", "Input", "Textarea", "Select", "DatePicker", "Checkbox",
    "RadioGroup", "Chart", "Table", "Transition", "Divider", "Progress", "Unknown",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    errors: list[str] = []
    made = browser.new_page(viewport={"width": 720, "height": 900})
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    made.close()
    assert errors == []


@pytest.mark.parametrize("theme", ["light", "dark", "none"])
@pytest.mark.parametrize("scene", list(SCENES))
def test_a_screen_reader_finds_nothing_amiss(page: Page, scene: str, theme: Theme) -> None:
    assert WidgetPage(page, SCENES[scene], theme=theme).violations() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_component_is_drawn_in_a_sheet(page: Page, theme: Theme) -> None:
    WidgetPage(page, SHEET, theme=theme)
    folder = ROOT / "out"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"widgets-{theme}.png", full_page=True)
    widths: list[int] = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert widths[0] <= widths[1], "something is wider than the page"


def test_a_narrow_panel_holds_every_component(page: Page) -> None:
    WidgetPage(page, SHEET, width=280)
    outside: list[str] = page.evaluate(
        """() => {
      const right = document.getElementById('host').getBoundingClientRect().right + 1;
      const scrolls = element => element.closest('.vk-w-table, pre, .vk-w-unseen, svg');
      return [...document.querySelectorAll('.vk-widget *')]
        .filter(element => !scrolls(element) && element.getBoundingClientRect().right > right)
        .map(element => element.outerHTML.slice(0, 120));
    }"""
    )
    assert outside == []


def test_a_form_is_filled_in_and_sent_by_keyboard_alone(page: Page) -> None:
    widget = WidgetPage(page, FORM)
    keys = page.keyboard
    keys.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".vk-w-invalid").first).to_be_visible()
    expect(page.get_by_label("Name")).to_be_focused()
    assert widget.actions() == []
    keys.type("Ada")
    expect(page.locator(".vk-w-invalid")).to_have_count(1)  # the checkbox is still to be ticked
    keys.press("Tab")
    keys.type("ada@example.org")
    keys.press("Tab")
    expect(page.get_by_label("People")).to_be_focused()
    keys.press("ArrowUp")
    keys.press("Tab")
    expect(page.get_by_label("Dome")).to_be_focused()
    keys.type("North")
    keys.press("Tab")
    expect(page.get_by_label("Night")).to_be_focused()
    page.get_by_role("radio", name="Refractor").focus()
    keys.press("ArrowRight")
    keys.press("Tab")
    keys.type("Saturn")
    keys.press("Tab")
    keys.press("Space")
    expect(page.get_by_role("checkbox")).to_be_checked()
    page.get_by_label("Name").focus()
    keys.press("Enter")
    page.wait_for_function("window.actions.length > 0")
    assert widget.actions() == [
        {
            "action": {
                "type": "visit.book",
                "payload": {"room": 7},
                "handler": "server",
                "loadingBehavior": "auto",
            },
            "values": {
                "visitor": {"name": "Ada", "mail": "ada@example.org"},
                "people": 3,
                "dome": "n",
                "night": "2026-11-30",
                "telescope": "reflector",
                "remarks": "Saturn",
                "terms": True,
                "title": "Draft of the invitation",
            },
            "item": "visit",
        }
    ]


def test_a_long_list_is_searched_and_chosen_from_by_keyboard(page: Page) -> None:
    widget = WidgetPage(page, CHOICES)
    keys = page.keyboard
    body = page.get_by_role("combobox", name="Body")
    expect(body).to_have_text("Saturn")
    body.focus()
    keys.press("ArrowDown")
    search = page.get_by_role("combobox", name="Search")
    expect(search).to_be_focused()
    expect(page.get_by_role("option", name="Saturn", exact=True)).to_have_attribute("aria-selected", "true")
    assert widget.violations() == []
    keys.type("moon jup")
    expect(page.get_by_role("option")).to_have_count(4)
    keys.press("ArrowDown")
    page.screenshot(path=ROOT / "out" / "widget-select.png")
    keys.press("Enter")
    expect(body).to_be_focused()
    expect(body).to_have_text("Europa")
    page.wait_for_function("window.actions.length > 0")
    (done,) = widget.actions()
    assert (done["item"], done["values"]) == ("body", {"body": "Europa"})
    keys.type("x")
    expect(page.get_by_role("status")).to_have_text("Nothing found.")
    assert widget.violations() == []
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(body).to_be_focused()
    body.click()
    page.get_by_role("option", name="Choose a body").click()
    expect(body).to_have_text("Choose a body")
    body.click()
    page.mouse.click(5, 5)
    expect(page.get_by_role("dialog")).to_have_count(0)


def box_of(page: Page, selector: str) -> dict[str, float]:
    """Return where an element stands in the window."""
    box: dict[str, float] = page.evaluate(
        "selector => document.querySelector(selector).getBoundingClientRect().toJSON()", selector
    )
    return box


def test_a_calendar_opens_at_the_side_that_is_asked_for(page: Page) -> None:
    widget = WidgetPage(page, CHOICES)
    keys = page.keyboard
    page.get_by_label("First night").focus()
    keys.press("Alt+ArrowDown")
    expect(page.locator(".vk-w-calendar [tabindex='0']")).to_be_focused()
    field, popup = box_of(page, ".vk-w-day"), box_of(page, ".vk-w-popup")
    assert popup["left"] >= field["right"]
    assert abs((popup["top"] + popup["bottom"]) - (field["top"] + field["bottom"])) <= 2
    assert widget.violations() == []
    page.screenshot(path=ROOT / "out" / "widget-calendar.png")
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(page.get_by_label("First night")).to_have_value("2026-11-24")
    page.wait_for_function("window.actions.length > 0")
    (done,) = widget.actions()
    assert (done["item"], done["values"]) == ("from", {"from": "2026-11-24"})
    page.get_by_role("button", name="Calendar").last.click()
    expect(page.get_by_role("grid")).to_be_visible()
    field, popup = box_of(page, ".vk-w-day:has([data-vk-field=to])"), box_of(page, ".vk-w-popup")
    assert popup["bottom"] <= field["top"]
    assert abs(popup["right"] - field["right"]) <= 1
    keys.press("Escape")
    expect(page.get_by_label("Last night")).to_be_focused()
    expect(page.get_by_label("Last night")).to_have_value("")
    page.get_by_role("button", name="Calendar").first.focus()
    keys.press("Tab")
    expect(page.get_by_label("Last night")).to_be_focused()


def test_what_opens_beside_a_control_stays_in_a_small_window(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 400})
    WidgetPage(page, CHOICES, width=280)
    for open_it in (
        page.get_by_role("combobox", name="Body"),
        page.get_by_role("button", name="Calendar").first,
    ):
        open_it.click()
        expect(page.locator(".vk-w-popup")).to_be_visible()
        popup = box_of(page, ".vk-w-popup")
        assert popup["left"] >= 0
        assert popup["right"] <= 320
        assert popup["top"] >= 0
        assert popup["bottom"] <= 400
        page.keyboard.press("Escape")
        expect(page.locator(".vk-w-popup")).to_have_count(0)


def test_while_an_action_runs_nothing_can_be_started_twice_and_the_focus_stays(page: Page) -> None:
    card = node(
        "Card",
        node("Input", name="who", defaultValue="Ada"),
        asForm=True,
        confirm={"label": "Send", "action": action("send")},
    )
    widget = WidgetPage(page, card)
    page.evaluate("() => { window.answer = () => new Promise(done => { window.finish = done; }); }")
    page.get_by_role("textbox").focus()
    page.keyboard.press("Enter")
    expect(page.locator("section[aria-busy=true]")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("x")
    page.get_by_role("button", name="Send").click(force=True)
    assert len(widget.actions()) == 1
    expect(page.get_by_role("textbox")).to_be_focused()
    expect(page.get_by_role("textbox")).to_have_value("Ada")
    page.evaluate("() => window.finish()")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_function("window.actions.length === 2")


def test_what_an_action_failed_with_is_told(page: Page) -> None:
    WidgetPage(page, node("Card", node("Button", label="Book", onClickAction=action("book"))))
    page.evaluate("() => { window.answer = () => Promise.reject(new Error('The dome is closed.')); }")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("alert")).to_contain_text("The dome is closed.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_item_of_a_list_is_one_button_named_by_its_words(page: Page) -> None:
    widget = WidgetPage(page, LIST)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Cosmic Distances V. Leto new")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_text("Field Guide to Dust").click(force=True)  # the button lies over the words
    page.wait_for_function("window.actions.length === 2")
    assert [each["action"]["payload"]["title"] for each in widget.actions()] == [
        "Cosmic Distances",
        "Field Guide to Dust",
    ]
    page.get_by_role("button", name="Show 1 more").click()
    expect(page.get_by_text("A Quiet Sun", exact=True)).to_be_visible()


def test_the_numbers_of_a_chart_are_told_by_pointer_by_keyboard_and_as_a_table(page: Page) -> None:
    WidgetPage(page, SCENES["charts"])
    plot = page.locator(".vk-w-plot").first
    plot.hover(position={"x": 60, "y": 60})
    expect(page.locator(".vk-w-tooltip").first).to_contain_text("Mon")
    page.mouse.move(0, 0)
    plot.focus()
    page.keyboard.press("End")
    expect(page.locator(".vk-w-tooltip")).to_contain_text("Sun")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".vk-w-tooltip")).to_contain_text("Sat")
    page.keyboard.press("Escape")
    expect(page.locator(".vk-w-tooltip")).to_have_count(0)
    table = page.get_by_role("table").first
    expect(table.get_by_role("row", name="Tue 18 9 6")).to_have_count(1)


def test_a_moved_field_keeps_the_focus_and_what_was_typed(page: Page) -> None:
    def rows(*names: str) -> Node:
        return node("Card", *(node("Input", key=name, name=name) for name in names))

    widget = WidgetPage(page, rows("a", "b", "c"))
    field = page.locator("[data-vk-field=c]")
    field.focus()
    page.keyboard.type("typed")
    widget.update({"type": "widget.root.updated", "widget": rows("c", "new", "a", "b")})
    expect(field).to_be_focused()
    page.keyboard.type("!")
    expect(field).to_have_value("typed!")


def test_text_streams_in(page: Page) -> None:
    widget = WidgetPage(page, node("Card", text("One", id="t", streaming=True)))
    delta = {
        "type": "widget.streaming_text.value_delta",
        "component_id": "t",
        "delta": ", two",
        "done": False,
    }
    widget.update(delta)
    expect(page.locator(".vk-w-text")).to_have_text("One, two")
    expect(page.locator(".vk-w-text")).to_have_attribute("data-streaming", "true")
    widget.update({**delta, "delta": ".", "done": True})
    expect(page.locator(".vk-w-text")).to_have_text("One, two.")
    expect(page.locator(".vk-w-text[data-streaming]")).to_have_count(0)


def test_a_root_may_ask_for_a_theme_that_is_not_the_pages(page: Page) -> None:
    WidgetPage(
        page, node("Basic", node("Card", text("x"), theme="light"), node("Card", text("x"))), theme="dark"
    )
    grounds: list[list[int]] = page.evaluate(
        """() => [...document.querySelectorAll('.vk-w-card')].map(card => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
      canvas.fillStyle = getComputedStyle(card).backgroundColor;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    })"""
    )
    assert grounds[0][0] > 240 > 80 > grounds[1][0]


def attacked(kind: str, attack: str) -> Node:
    """Return a component with the attack in every field that is a text."""
    fields: dict[str, Any] = dict.fromkeys(ATTACKS["fields"], attack)
    return {
        **fields,
        "type": kind,
        "children": [node("Text", value=attack, color=attack)],
        "options": [{"value": attack, "label": attack}],
        "status": {"text": attack, "icon": attack, "favicon": attack},
        "data": [{"x": attack, attack: 1}],
        "series": [{"type": "bar", "dataKey": attack, "label": attack, "color": attack}],
        "confirm": {"label": attack, "action": {"type": attack}},
        "editable": {"name": attack, "pattern": attack},
    }


@pytest.mark.parametrize("kind", COMPONENTS)
def test_an_attack_in_any_field_does_nothing(page: Page, kind: str) -> None:
    widget = WidgetPage(page)
    for attack in ATTACKS["attacks"]:
        widget.show(node("Card", attacked(kind, attack)))
    assert page.evaluate("() => window.pwned") is None
    assert page.evaluate("() => ({}).polluted") is None
    assert page.url.endswith("/widget/"), "the page was led away"
    # The link that Markdown makes of a picture is never fetched by itself, nor is anything else.
    assert widget.asked == []
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.vk-widget *')].filter(element =>
      /^(script|iframe|object|embed|base|link|style|template)$/.test(element.localName) ||
      [...element.attributes].some(({ name, value }) => /^on/i.test(name) || /^\\s*javascript:/i.test(value))
    ).map(element => element.outerHTML.slice(0, 200))"""
    )
    assert found == []


def test_a_widget_draws_nothing_outside_of_itself(page: Page) -> None:
    far = node("Box", text("far"), margin={"top": -400, "left": "-900px"}, width=4000, height=4000)
    WidgetPage(page, node("Basic", far))
    size = page.evaluate("() => document.querySelector('.vk-widget').getBoundingClientRect().width")
    assert size <= 640
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
