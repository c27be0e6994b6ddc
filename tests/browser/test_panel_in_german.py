"""The panel of a session that speaks German, in a real Chromium: its words, and room for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lab import chromium
from panel_page import ROOT, PanelPage
from panel_scenes import SCENES, busy, working
from playwright.sync_api import Browser, Page, expect

from voice_kernel.messages import State, ToSurface

TEXTS: dict[str, str | list[str]] = json.loads(
    (ROOT / "labextension" / "src" / "panel" / "locale" / "de.json").read_text(encoding="utf-8")
)
ENGLISH = sorted(text for text, german in TEXTS.items() if isinstance(german, str) and german != text)

FOUND = """english => {
  const texts = new Set(english);
  const found = [];
  const root = document.querySelector('.vk-root');
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const said = node instanceof Element
      ? ['aria-label', 'title', 'placeholder', 'alt'].map(name => node.getAttribute(name))
      : [node.textContent];
    if (!node.parentElement.closest('pre')) {  // printed by programs
      found.push(...said.filter(text => text && texts.has(text.trim())));
    }
  }
  return found;
}"""
"""Texts of a catalogue that stand in the panel."""
CUT = """() => [...document.querySelectorAll(
    '.vk-root :is(button, [role=tab], label, h2, h3, .vk-status, .vk-state-word)'
  )].filter(node => node.checkVisibility() && !node.closest('[inert]'))
    .filter(node => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).display !== 'inline')
    .filter(node => !node.matches('.vk-hidden, .vk-title, .vk-row-main, .vk-task-toggle'))
    .map(node => `${node.className}: ${node.textContent.trim()}`)"""
"""What is too wide for its place; titles may be cut."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 900})
    yield context.new_page()
    context.close()


def in_german(messages: list[ToSurface]) -> list[ToSurface]:
    """Return a scene as a session tells it that speaks German."""

    def told(message: ToSurface) -> ToSurface:
        if isinstance(message, State):
            return message.model_copy(update={"about": message.about.model_copy(update={"language": "de"})})
        return message

    return [told(message) for message in messages]


def opened(page: Page, scene: list[ToSurface], **options: Any) -> None:
    PanelPage(page, **options).deliver(*in_german(scene))
    expect(page.get_by_role("tab", name="Verlauf")).to_be_visible()


def looked_at(page: Page, scene: list[ToSurface]) -> None:
    told = "".join(message.model_dump_json() for message in scene)
    own = [text for text in ENGLISH if json.dumps(text, ensure_ascii=False) not in told]
    assert page.evaluate(FOUND, own) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [300, 640])
@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_scene_is_german_and_nothing_is_cut_off(page: Page, name: str, width: int) -> None:
    scene = SCENES[name]()
    opened(page, scene, width=width)
    looked_at(page, scene)


def test_the_panel_says_which_language_it_is_in(page: Page) -> None:
    opened(page, working())
    expect(page.locator(".vk-root")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Zum Sprechen halten")).to_be_visible()


@pytest.mark.parametrize("width", [300, 640])
def test_sheets_and_settings_are_german_and_nothing_is_cut_off(page: Page, width: int) -> None:
    scene = busy()
    opened(page, scene, width=width)
    for name in ("Mikrofoneinstellungen", "Benachrichtigungen", "MCP-Server"):
        page.get_by_role("button", name=name, exact=False).first.click()
        looked_at(page, scene)
        if page.get_by_role("button", name="Schließen").count():
            page.get_by_role("button", name="Schließen").first.click()
    page.get_by_role("tab", name="Aufgaben").click()
    page.wait_for_selector("[data-place=tasks][data-shown=true]")
    looked_at(page, scene)
