"""A kernel far away: behind a hub's prefix, over a slow WebSocket, and on a page without https."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from lab import Notebook, chromium, lab_server
from playwright.sync_api import Browser, BrowserContext, expect
from sidebar_page import WAIT_MS, Sidebar, write_cells
from slow_proxy import SlowProxy, slow_proxy

CLIP = Path(__file__).parent / "run_the_tests.wav"
SOUND = ["--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required"]
PREFIX = "/user/ada"
HOST = "notebook.example"
DELAY_S = 0.15
"""Each way: 300 ms there and back."""


@dataclass(frozen=True)
class Hub:
    """A server below a prefix, with a slow way to it."""

    port: int
    slow_port: int
    proxy: SlowProxy

    @property
    def slow(self) -> str:
        """The address by which WebSockets are slow."""
        return f"http://127.0.0.1:{self.slow_port}{PREFIX}"

    @property
    def plain(self) -> str:
        """The address of another host, over plain http."""
        return f"http://{HOST}:{self.port}{PREFIX}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_sum.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:asyncio\n")
    (folder / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    return folder


@pytest.fixture(scope="module")
def hub(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("lab")
    remote = ["--ServerApp.allow_remote_access=True"]
    with lab_server(root, folder, options=remote, prefix=PREFIX) as base:
        port = int(urlsplit(base).port or 0)
        with slow_proxy(port, DELAY_S) as (slow_port, proxy):
            yield Hub(port, slow_port, proxy)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium([*SOUND, f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]) as opened:
        yield opened


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    for page in opened.pages:
        Notebook(page).shut_down()
    opened.close()


@pytest.fixture
def path(root: Path, request: pytest.FixtureRequest) -> str:
    name = f"{request.node.name}.ipynb"
    write_cells(root / name, [nbformat.v4.new_code_cell(source) for source in ("x = 1", "x + 1")])
    return name


def test_speech_cells_and_cancel_work_behind_a_prefix_over_a_slow_web_socket(
    context: BrowserContext, hub: Hub, path: str
) -> None:
    before = hub.proxy.web_sockets
    notebook = Notebook.open(context, hub.slow, path)
    page = notebook.page
    sidebar = Sidebar.open(page)
    assert hub.proxy.web_sockets > before

    page.context.grant_permissions(["microphone"])
    sidebar.hold(CLIP)
    expect(sidebar.panel.locator(".vk-transcript").last).to_contain_text("folder", timeout=WAIT_MS)
    page.mouse.up()
    spoken = sidebar.turns.last
    expect(spoken.locator(".vk-transcript")).to_have_text(
        re.compile("^run the tests in the tests? folder.?$", re.I), timeout=WAIT_MS
    )
    expect(spoken).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(spoken).to_contain_text("1 passed")

    sidebar.say("run all cells")
    assert notebook.outputs(1)[0]["data"]["text/plain"] == "2"
    sidebar.say("delete cell one")
    assert sidebar.sources() == ["x + 1"]
    sidebar.say("undo")
    assert sidebar.sources() == ["x = 1", "x + 1"]

    running = sidebar.send("run the command sleep 600")
    task = running.locator(".vk-task")
    expect(task).to_have_attribute("data-state", "running", timeout=WAIT_MS)
    task.get_by_role("button", name=re.compile("^Cancel task")).click()
    expect(task).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)


def test_over_plain_http_the_panel_says_why_there_is_no_microphone_and_what_to_do(
    context: BrowserContext, hub: Hub, path: str
) -> None:
    notebook = Notebook.open(context, hub.plain, path)
    page = notebook.page
    assert page.evaluate("() => window.isSecureContext") is False
    sidebar = Sidebar.open(page)
    sidebar.panel.get_by_role("button", name="Hold to talk").click()
    alert = sidebar.panel.get_by_role("alert")
    expect(alert).to_contain_text("Browsers give the microphone only to secure pages", timeout=WAIT_MS)
    expect(alert).to_contain_text("this one is plain http")
    expect(alert).to_contain_text("Open Jupyter over https, or through a tunnel as http://localhost")
    # Typing works meanwhile, as it says.
    sidebar.say("run all cells")
    assert notebook.outputs(1)[0]["data"]["text/plain"] == "2"
