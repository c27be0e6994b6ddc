"""What is found on the web is read, digested and cited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import searx_server
import web_site
from workbench import LIMIT_S, Workbench

from voice_kernel.messages import Task
from voice_kernel.task import process
from voice_kernel.task.runner import TaskHandle
from voice_kernel.tools import research
from voice_kernel.web import engines, library
from voice_kernel.web.addresses import Reach
from voice_kernel.web.engines import engine_of
from voice_kernel.web.fetch import Fetcher
from voice_kernel.web.library import Library


class Searching(web_site.Site):
    """A site that is a SearXNG server too, and speaks as the engines with a key do."""

    def page_search(self) -> None:
        self.answer(json.dumps({"results": self.found("content")}).encode(), kind="application/json")

    page_found = page_search

    def page_brave(self) -> None:
        if self.headers["x-subscription-token"] != "right-key":
            self.answer(b"{}", status=401)
            return
        body = {"web": {"results": self.found("description")}}
        self.answer(json.dumps(body).encode(), kind="application/json")

    def page_no_json(self) -> None:
        self.answer(b"<html>nothing for programs</html>")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = self.headers["x-api-key"] or self.headers["authorization"]
        if key not in ("right-key", "Bearer right-key") or "polars" not in asked["query"]:
            self.answer(b"{}", status=401)
            return
        self.answer(json.dumps({"results": self.found("content")}).encode(), kind="application/json")

    def found(self, snippet: str) -> list[dict[str, str]]:
        names = ("polars", "cooking", "inward", "nowhere")
        return [
            {"url": f"http://{self.headers['host']}/{name}", "title": name.title(), snippet: "..."}
            for name in names
        ]


async def run(argv: Sequence[str], limit_s: float) -> int:
    return (await process.run(argv, timeout_s=limit_s)).code


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as it takes for what answers in moments."""
    monkeypatch.setattr(library, "READ_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(engines, "LIMIT_S", LIMIT_S)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with web_site.serve(Searching) as address:
        yield address


@pytest.fixture
def made(tmp_path: Path, site: str) -> Callable[..., Workbench]:
    def make(engine: str = "searxng", url: str = "", key: str = "") -> Workbench:
        bench = Workbench(tmp_path, tmp_path / "logs")
        reach = Reach(private=(site.partition("://")[2],))

        async def call(task: TaskHandle, tool: str, arguments: dict[str, Any]) -> Task:
            inserted = Task(id=99, turn_id=1, tool=tool, title="", created_at=0.0, state="succeeded")
            bench.inserted = arguments
            return inserted

        research.register(
            bench.registry,
            library=lambda: Library(Fetcher(reach, total_s=LIMIT_S), run),
            engine=lambda: engine_of(engine, url or site, key),  # type: ignore[arg-type]
            pages=4,
            tasks=bench.runner.tasks,
            call=call,
        )
        return bench

    return make


def test_a_search_gives_passages_with_their_sources(made: Callable[..., Workbench], site: str) -> None:
    task = made().call("web_search", query="is polars faster than pandas")
    assert task.state == "succeeded"
    assert task.result is not None
    assert f"{web_site.POLARS[2]} [1]" in task.result.text
    assert f"[1] Polars and pandas. The Loop, 2026-10-02. {site}/polars" in task.result.text
    assert "has no such page" in task.result.text
    assert "private network" in task.result.text


def test_every_citation_is_found_on_its_page(made: Callable[..., Workbench], site: str) -> None:
    bench = made()
    task = bench.call("web_search", query="polars broth rows bones")
    assert task.result is not None
    cited = task.result.data["citations"]
    assert {one["number"] for one in cited} == {1, 2}
    for one in cited:
        page = web_site.POLARS if one["url"].endswith("/polars") else web_site.COOKING
        assert one["passage"] in " ".join(page)


def test_a_page_is_read_with_title_site_and_date(made: Callable[..., Workbench], site: str) -> None:
    task = made().call("read_page", url=f"{site}/cooking")
    assert task.result is not None
    assert task.result.data["title"] == "Broth"
    assert task.result.data["date"] == "2026-10-02"
    assert web_site.COOKING[1] in task.result.text


def test_hostile_words_of_a_page_are_no_markup(made: Callable[..., Workbench], site: str) -> None:
    task = made().call("read_page", url=f"{site}/script")
    assert task.result is not None
    shown = task.result.outputs[0].data["text/markdown"]
    assert "<script>" not in shown.replace("\\<", "")
    assert "](javascript:" not in shown


@pytest.mark.skipif(not searx_server.installed(), reason="Debian's searx is not installed")
def test_a_real_metasearch_engine_is_asked(made: Callable[..., Workbench], site: str, tmp_path: Path) -> None:
    with searx_server.serve(f"{site}/found", tmp_path) as searx:
        task = made(url=searx).call("web_search", query="is polars faster than pandas")
    assert task.state == "succeeded", task.problem
    assert task.result is not None
    assert f"{web_site.POLARS[2]} [1]" in task.result.text


@pytest.mark.parametrize("engine", ["tavily", "exa", "brave"])
def test_engines_with_a_key_are_asked_in_their_own_way(
    made: Callable[..., Workbench], site: str, engine: str
) -> None:
    url = f"{site}/{engine}"
    task = made(engine, url, "right-key").call("web_search", query="polars and pandas rows")
    assert task.state == "succeeded", task.problem
    assert task.result is not None
    assert task.result.data["hits"][0]["url"] == f"{site}/polars"
    refused = made(engine, url, "wrong-key").call("web_search", query="polars")
    assert refused.problem is not None
    assert "API_KEY" in refused.problem.hint


def test_an_engine_that_is_not_there_is_named_with_what_to_do(made: Callable[..., Workbench]) -> None:
    task = made(url="http://127.0.0.1:9").call("web_search", query="polars")
    assert task.problem is not None
    assert "VOICE_KERNEL_SEARCH_URL" in task.problem.hint


def test_passages_become_a_cell_with_a_bibliography(made: Callable[..., Workbench], site: str) -> None:
    bench = made()
    bench.call("web_search", query="is polars faster than pandas")
    task = bench.call("insert_citations")
    assert task.state == "succeeded", task.problem
    source = bench.inserted["source"]
    assert bench.inserted["kind"] == "markdown"
    assert web_site.POLARS[2].replace(",", ",") in source.replace("\\", "")
    assert f"1. [Polars and pandas](<{site}/polars>)" in source


def test_without_passages_there_is_nothing_to_insert(made: Callable[..., Workbench]) -> None:
    task = made().call("insert_citations")
    assert task.problem is not None
    assert "Search the web" in task.problem.hint
