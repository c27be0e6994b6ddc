"""Pictures of every scene, light and dark, narrow and wide: `python tests/panel_shots.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from lab import CHROMIUM
from panel_page import PanelPage, Theme
from panel_scenes import SCENES, answering, troubled, working
from playwright.sync_api import Browser, sync_playwright

from voice_kernel.messages import State
from voice_kernel.ui.frozen import frozen_html


def main(folder: Path, only: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        fake = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *fake])
        themes: tuple[Theme, ...] = ("light", "dark")
        for theme in themes:
            for width in (320, 800):
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
