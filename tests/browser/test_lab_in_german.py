"""JupyterLab in German, with a session in German: side bar, palette, settings, and what a command answers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyterlab_server.translation_utils import get_installed_packages_locale
from lab import WAIT_MS, Notebook, chromium, lab_server, type_command, write_notebook
from playwright.sync_api import Page, expect

PACK = "jupyterlab_language_pack_de_DE"


def test_jupyterlab_finds_our_german_texts() -> None:
    found, problems = get_installed_packages_locale("de_DE")
    assert not problems.strip()
    assert found["voice_kernel"]["Voice: Open Panel"] == ["Sprache: Panel öffnen"]


def install_bare_pack(folder: Path) -> None:
    """Install a language pack without a text: JupyterLab offers German only where one is there."""
    (folder / PACK).mkdir(parents=True)
    (folder / PACK / "__init__.py").write_text("")
    about = folder / f"{PACK}-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACK}\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[jupyterlab.languagepack]\nde_DE = {PACK}\n")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder, root = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("root")
    install_bare_pack(folder / "site")
    settings = folder / "settings"
    for plugin, chosen in (
        ("@jupyterlab/translation-extension", '{"locale": "de_DE"}'),
        ("voice-kernel", '{"language": "de"}'),
    ):
        (settings / plugin).mkdir(parents=True)
        (settings / plugin / "plugin.jupyterlab-settings").write_text(chosen)
    write_notebook(root / "buch.ipynb", ["x = 3"])
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(folder / "site"), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        with lab_server(root, folder) as base, chromium() as browser:
            context = browser.new_context(viewport={"width": 1300, "height": 900})
            notebook = Notebook.open(context, base, "buch.ipynb")
            notebook.run(0)
            notebook.page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
            yield notebook.page
            context.close()


def test_the_side_bar_and_a_command_are_german(page: Page) -> None:
    panel = page.locator(".vk-root[lang=de]")
    expect(panel.get_by_role("tab", name="Verlauf")).to_be_visible(timeout=WAIT_MS)
    expect(panel.get_by_role("textbox", name="Befehl eintippen")).to_be_visible()
    type_command(panel, "zeige x")
    expect(panel.locator(".vk-turn").first).to_contain_text("Fertig", timeout=WAIT_MS)
    type_command(panel, "show all of the variables please")
    expect(panel).to_contain_text("Das klingt nach Englisch, und diese Sitzung versteht Deutsch.")


def test_the_palette_and_the_status_bar_are_german(page: Page) -> None:
    labels = page.evaluate(
        "names => names.map(name => window.jupyterapp.commands.label(`voice-kernel:${name}`))",
        ["open", "undo", "toggle-badges"],
    )
    assert labels == [
        "Sprache: Panel öffnen",
        "Sprache: Letzte Sprachaktion rückgängig machen",
        "Sprache: Zellen immer nummerieren",
    ]
    expect(page.locator(".vk-status-item")).to_have_attribute(
        "title", re.compile(r"^Sprache: .*\. Das Sprachpanel öffnen\.$")
    )
