"""Pictures of every scene, light and dark, narrow and wide: `python tests/panel_shots.py FOLDER`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from lab import CHROMIUM
from panel_page import PanelPage, Theme
from panel_scenes import SCENES, answering, busy, crowd, stored, troubled, working
from playwright.sync_api import Browser, Page, sync_playwright

from voice_kernel.messages import State
from voice_kernel.ui.frozen import frozen_html

WIDTHS = (300, 900)


def _tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.wait_for_selector(f"[data-place={name.lower()}][data-shown=true]")


def _conversations(page: Page) -> None:
    page.locator(".vk-title").click()
    page.get_by_role("button", name="Delete “Cart").click()


def _task(page: Page, number: int) -> None:
    _tab(page, "Tasks")
    page.locator(f"[data-row='{number}'] .vk-row-main").click()


def _again(page: Page) -> None:
    _task(page, 8)
    page.get_by_role("button", name="Run again with changes").click()


def _log(page: Page) -> None:
    _tab(page, "Tasks")
    page.get_by_role("button", name="Open log of task 7").click()
    page.get_by_role("searchbox", name="Find in the log").fill("error")


def _large(page: Page) -> None:
    _log(page)
    page.get_by_role("button", name="Enlarge").click()


PLACES: dict[str, Callable[[Page], None]] = {
    "tasks": lambda page: _tab(page, "Tasks"),
    "task": lambda page: _task(page, 7),
    "again": _again,
    "history": lambda page: _tab(page, "History"),
    "conversations": _conversations,
    "notifications": lambda page: page.get_by_role("button", name="Notifications").click(),
    "log": _log,
    "log_enlarged": _large,
}
"""What a person does to get there, from the busy panel."""


def main(folder: Path, only: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *fake])
        themes: tuple[Theme, ...] = ("light", "dark")
        for theme in themes:
            for width in WIDTHS:
                _places(browser, folder, theme, width, only)
                for name, scene in {**SCENES, "listening": SCENES["first_run"]}.items():
                    if only and name not in only:
                        continue
                    page = browser.new_page(viewport={"width": width + 24, "height": 860})
                    panel = PanelPage(page, theme=theme, width=width)
                    panel.deliver(*scene())
                    if name == "listening":
                        page.get_by_role("button", name="Microphone settings").click()
                        page.get_by_role("button", name="Hold to talk").click()
                        page.wait_for_timeout(2_500)
                    page.wait_for_timeout(600)
                    page.screenshot(path=folder / f"{name}-{theme}-{width}.png")
                    page.close()
            _cards(browser, folder, theme)
        browser.close()


def _places(browser: Browser, folder: Path, theme: Theme, width: int, only: list[str]) -> None:
    """Tasks, history, conversations and logs, and a crowd of tasks."""
    for name, act in {**PLACES, "crowd": PLACES["tasks"]}.items():
        if only and name not in only:
            continue
        page = browser.new_page(viewport={"width": width + 24, "height": 860})
        panel = PanelPage(page, theme=theme, width=width)
        panel.deliver(*(crowd() if name == "crowd" else busy()))
        panel.answer(stored())
        act(page)
        page.wait_for_timeout(900)
        page.screenshot(path=folder / f"{name}-{theme}-{width}.png")
        page.close()


def _cards(browser: Browser, folder: Path, theme: Theme) -> None:
    """The live card of a turn, and below it what remains of turns that have ended."""
    page = browser.new_page(viewport={"width": 824, "height": 1500})
    panel = PanelPage(page, theme=theme, width=800, view="card", turn_id=3)
    panel.deliver(*working())
    frozen = []
    for scene in (working, answering, troubled):
        state = scene()[0]
        assert isinstance(state, State)
        frozen += [
            frozen_html(turn, [task for task in state.tasks if task.turn_id == turn.id])
            for turn in state.turns
        ]
    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)",
        "<div style='width:800px;color:var(--jp-ui-font-color1)'>" + "<br>".join(frozen) + "</div>",
    )
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"cards-{theme}.png", full_page=True)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
