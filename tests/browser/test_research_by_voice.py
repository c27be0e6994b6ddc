"""The web searched by words from the side bar: passages with their places, and the citations in a cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import searx_server
from lab import WAIT_MS, chromium, lab_server
from playwright.sync_api import expect
from sidebar_page import FrontEnd, Sidebar, write_cells
from web_site import Site, serve

OUT = Path(__file__).parents[2] / "out"
QUESTION = "search the web for polars versus pandas"


class Found(Site):
    """A site that also answers searches, for an engine and as one."""

    def page_found(self) -> None:
        pages = {"polars": "Polars and pandas", "cooking": "Broth", "nowhere": "Gone"}
        here = f"http://{self.headers['host']}"
        found = [{"url": f"{here}/{path}", "title": name, "content": "…"} for path, name in pages.items()]
        self.answer(json.dumps({"results": found}).encode(), kind="application/json")

    page_search = page_found


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serve(Found) as address:
        yield address


@pytest.fixture(scope="module")
def engine(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SearXNG server: Debian's where it is installed, else the site, which answers as one."""
    if not searx_server.installed():
        yield site
        return
    with searx_server.serve(f"{site}/found", tmp_path_factory.mktemp("searx")) as address:
        yield address


def test_the_web_is_searched_and_its_passages_become_a_cell(
    site: str, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("research")
    place = site.partition("://")[2]
    (root / ".env").write_text(f"VOICE_KERNEL_SEARCH_URL={engine}\nVOICE_KERNEL_PRIVATE_HOSTS={place}\n")
    write_cells(root / "notes.ipynb", [nbformat.v4.new_markdown_cell("# Notes")])
    with lab_server(root, tmp_path_factory.mktemp("lab")) as base, chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        notebook = FrontEnd("lab", base).open(context, "notes.ipynb")
        page = notebook.page
        sidebar = Sidebar.open(page)
        turn = sidebar.say(QUESTION)
        passages = turn.locator("blockquote")
        expect(passages.first).to_be_visible(timeout=WAIT_MS)
        fastest = passages.filter(has_text="four times faster than pandas")
        place_of_it = fastest.get_by_role("link").get_attribute("href") or ""
        assert place_of_it.startswith(f"{site}/polars#:~:text=In%20our%20measurement%20on,")
        expect(turn.get_by_role("link", name="Polars and pandas")).to_have_attribute("href", f"{site}/polars")
        expect(turn.get_by_role("listitem").filter(has_text="Gone (not read:")).to_be_visible()
        turn.scroll_into_view_if_needed()
        OUT.mkdir(exist_ok=True)
        page.screenshot(path=OUT / "research.png")

        sidebar.say("insert the citations")
        cell = page.locator(".jp-MarkdownCell").nth(1)
        expect(cell.locator("blockquote").first).to_be_visible(timeout=WAIT_MS)
        expect(cell.get_by_role("heading")).to_contain_text("Polars versus pandas")
        expect(cell.locator("ol li").first).to_contain_text("Polars and pandas, The Loop, 2026-10-02")
        assert sidebar.sources()[1].count("#:~:text=") == cell.locator("blockquote").count()
        cell.scroll_into_view_if_needed()
        page.screenshot(path=OUT / "citations.png")

        with context.expect_page(timeout=WAIT_MS) as opened:
            cell.locator("blockquote").filter(has_text="four times faster").get_by_role("link").click()
        expect(opened.value.locator("article")).to_contain_text("In our measurement on ten million rows")
        notebook.shut_down()
        context.close()
