"""The side bar in a page of JupyterLab, as a person uses it: open it, say something, see what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from lab import NOTEBOOK, Notebook
from playwright.sync_api import Locator, Page, expect

WAIT_MS = 60_000
READY = re.compile("ready|loading", re.I)
ENDED = re.compile("succeeded|failed|cancelled|nothing")


@dataclass
class Sidebar:
    """The panel of the notebook in front."""

    page: Page

    @classmethod
    def open(cls, page: Page) -> Sidebar:
        """Open the side bar and wait until it is connected."""
        page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
        sidebar = cls(page)
        sidebar.wait_ready()
        return sidebar

    @property
    def panel(self) -> Locator:
        """The panel that is shown."""
        return self.page.locator(".vk-sidebar .vk-sidebar-panel:not([hidden])")

    @property
    def box(self) -> Locator:
        """Where commands are typed."""
        return self.panel.get_by_role("textbox", name="Type a command")

    @property
    def turns(self) -> Locator:
        """The utterances, oldest first, each with its state in `data-state`."""
        return self.panel.locator(".vk-turns > li [data-turn]")

    @property
    def tasks(self) -> Locator:
        """The cards of the tasks, oldest first."""
        return self.panel.locator(".vk-task")

    def wait_ready(self) -> None:
        """Wait until the panel is connected."""
        expect(self.panel.locator(".vk-status")).to_have_attribute("data-status", READY, timeout=WAIT_MS)

    def send(self, text: str) -> Locator:
        """Type a command; returns its turn as soon as it is shown."""
        before = self.turns.count()
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.turns).to_have_count(before + 1, timeout=WAIT_MS)
        return self.turns.nth(before)

    def say(self, text: str, outcome: str = "succeeded") -> Locator:
        """Type a command and wait for what became of it; returns its turn."""
        turn = self.send(text)
        expect(turn).to_have_attribute("data-state", ENDED, timeout=WAIT_MS)
        assert turn.get_attribute("data-state") == outcome, turn.inner_text()
        return turn

    def sources(self) -> list[str]:
        """Return the text of every cell."""
        found: list[str] = self.page.evaluate(
            f"() => ({NOTEBOOK}).content.model.toJSON().cells.map(cell => cell.source)"
        )
        return found


def write_cells(path: Path, cells: list[Any]) -> None:
    """Write a notebook of these cells for the standard kernel."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)


def outputs_text(notebook: Notebook, index: int) -> str:
    """Return what a cell printed or gave back, as text."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") or output.get("ename", "")
        for output in notebook.outputs(index)
    )
