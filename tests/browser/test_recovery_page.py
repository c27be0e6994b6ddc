"""What a person sees after the kernel has died: the conversation, what was interrupted, and how to go on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import nbformat
import pytest
from lab import WAIT_MS, chromium, lab_server
from playwright.sync_api import expect
from sidebar_page import FrontEnd, Sidebar, write_cells

OUT = Path(__file__).parents[2] / "out"
KEPT = """
import os
import voice_kernel.app
_app = voice_kernel.app.app_of(get_ipython())
assert _app.loop.run_sync(_app.store.flush(30), 40)
print(os.getpid())
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_after_the_kernel_died_the_panel_shows_what_was_interrupted_and_runs_it_again(
    tmp_path: Path, theme: str
) -> None:
    root = tmp_path / "notebooks"
    root.mkdir()
    (root / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    write_cells(root / "work.ipynb", [nbformat.v4.new_code_cell("import os; print(os.getpid())")])
    with lab_server(root, tmp_path) as base, chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        notebook = FrontEnd("lab", base).open(context, "work.ipynb")
        page = notebook.page
        if theme == "dark":
            page.evaluate(
                "() => window.jupyterapp.commands.execute('apputils:change-theme',"
                " { theme: 'JupyterLab Dark' })"
            )
        sidebar = Sidebar.open(page)
        sidebar.say("run the command echo hello")
        sidebar.send("run the command echo 20 plus 22 is $((20 + 22)); [ -e short ] || sleep 600")
        expect(sidebar.tasks.last).to_contain_text("20 plus 22 is 42", timeout=WAIT_MS)
        pid = int(notebook.execute(KEPT))  # what the page shows is on the disk a moment later
        # The server starts the kernel again by itself, and JupyterLab says so, sooner or later.
        told = page.locator(".jp-Dialog").get_by_role("button", name="Ok")
        page.add_locator_handler(told, lambda button: button.click())
        os.kill(pid, signal.SIGKILL)

        expect(sidebar.tasks.last).to_have_attribute("data-state", "interrupted", timeout=WAIT_MS)
        assert sidebar.wait_gone_on() == 2
        expect(sidebar.tasks.last).to_contain_text("20 plus 22 is 42")
        expect(sidebar.tasks.last).to_contain_text("The kernel ended while it ran.")
        page.screenshot(path=OUT / f"recovery-{theme}.png")
        (root / "short").touch()
        sidebar.tasks.last.get_by_role("button", name="Retry task 2").click()
        expect(sidebar.tasks).to_have_count(3)
        expect(sidebar.tasks.last).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
        context.close()
