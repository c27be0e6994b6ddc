"""The panel in a plain page: no Jupyter, HTTP only, a real server, a real kernel and a spoken turn."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import WAIT_MS, type_command
from playwright.sync_api import Browser, Page, expect
from real_kernel import RealKernel
from served import Served, server
from sidebar_page import put_into_microphone, speak

CLIP = Path(__file__).parent / "run_the_tests.wav"
STATIC = Path(__file__).parents[2] / "voice_kernel" / "ui" / "static"
PICTURE = Path(__file__).parents[2] / "out" / "page.png"

TESTS = """
def test_a_basket_adds_up():
    assert 1.2 + 1.5 == 2.8

def test_every_price_is_positive():
    assert min(1.2, 1.5) > 0
"""

TOOLS = """
import voice_kernel
from voice_kernel import tool

def board(count):
    click = {"type": "count_up", "payload": {"by": 2}}
    return {"type": "Card", "children": [
        {"type": "Title", "value": "Counter"},
        {"type": "Text", "value": f"counted {count}"},
        {"type": "Button", "label": "More", "onClickAction": click},
    ]}

counted = 0

@tool(sentences="show the counter")
def show_counter(ctx):
    "Show the counter."
    ctx.stream_widget(board(counted))

@voice_kernel.action("count_up")
def count_up(ctx, by: int):
    "Count."
    global counted
    counted += by
    ctx.update_widget(board(counted))

@tool(sentences="note that {fact}")
async def save_fact(ctx, fact: str):
    "Have the page keep a fact."
    kept = await ctx.client_tool("save_fact", {"fact": fact})
    return f"The page keeps {len(kept)}: {kept[-1]}"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("page")
    work = folder / "work"
    (work / "tests").mkdir(parents=True)
    (work / "tests" / "test_prices.py").write_text(TESTS)
    (work / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    (work / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:asyncio\n")
    kernel = RealKernel(work, setup=TOOLS)
    try:
        with server(folder, "--kernel", kernel.manager.connection_file) as running:
            yield running
    finally:
        kernel.stop()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 900}, permissions=["microphone"])
    opened = context.new_page()
    opened.goto(f"{served.address}/#token={served.token}")
    expect(opened.locator(".vk-panel .vk-status")).to_have_attribute(
        "data-status", re.compile("ready|listening", re.I), timeout=WAIT_MS
    )
    yield opened
    context.close()


def say(page: Page, text: str) -> None:
    type_command(page.locator(".vk-panel"), text)


def test_a_spoken_command_is_done_an_approval_is_answered_and_a_widget_is_clicked(
    page: Page, served: Served
) -> None:
    assert "token" not in page.url
    asked: list[str] = []
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    put_into_microphone(page, CLIP)
    page.get_by_role("button", name="Hold to talk").hover()
    page.mouse.down()
    speak(page)
    expect(page.locator(".vk-transcript").last).to_contain_text("folder", timeout=WAIT_MS)
    page.mouse.up()
    task = page.locator(".vk-turn").last.locator(".vk-task")
    expect(task).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
    expect(task).to_contain_text("test_a_basket_adds_up")
    expect(task).to_contain_text("1 passed")

    say(page, "run the command pip install nothing-of-that-name")
    card = page.locator(".vk-approval").last
    card.get_by_role("button", name=re.compile("^Deny")).click(timeout=WAIT_MS)
    expect(page.locator(".vk-turn").last).to_contain_text(re.compile("denied|said no", re.I), timeout=WAIT_MS)

    say(page, "show the counter")
    shown = page.locator(".vk-task", has_text="counted 0").last
    shown.get_by_role("button", name="More").click(timeout=WAIT_MS)
    expect(page.locator(".vk-task", has_text="counted 2").first).to_be_visible(timeout=WAIT_MS)
    PICTURE.parent.mkdir(exist_ok=True)
    page.screenshot(path=PICTURE)
    assert not [text for text in said if "Content Security Policy" in text]
    assert {url.split("/")[2] for url in asked if url.startswith(("http", "ws"))} == {
        served.address.removeprefix("http://")
    }


def test_a_page_that_is_loaded_again_goes_on_with_the_same_kernel(page: Page) -> None:
    say(page, "run the command echo before the reload")
    task = page.locator(".vk-task", has_text="before the reload")
    expect(task).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    page.reload()
    expect(task).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)


def test_without_the_token_the_page_says_what_it_needs(browser: Browser, served: Served) -> None:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(served.address)
    expect(opened.get_by_role("alert")).to_contain_text("token", timeout=WAIT_MS)
    context.close()


def test_the_page_is_as_small_as_the_panel() -> None:
    assert len(gzip.compress((STATIC / "page.js").read_bytes(), 9)) <= 100_000


def test_a_tool_asks_the_pages_own_code_and_is_told_where_there_is_none(page: Page) -> None:
    panel = page.locator(".vk-panel")
    say(page, "note that it rains")
    expect(panel.locator(".vk-turn").last).to_contain_text("This page cannot do “save_fact”.")
    page.evaluate(
        """() => {
          window.facts = [];
          addEventListener('voice-kernel:client-tool', event => {
            if (event.detail.name === 'save_fact') {
              facts.push(event.detail.arguments.fact);
              event.detail.respondWith(Promise.resolve(facts));
            }
          });
        }"""
    )
    say(page, "note that snow falls")
    expect(panel.locator(".vk-turn").last).to_contain_text("The page keeps 1: snow falls")
    assert page.evaluate("window.facts") == ["snow falls"]
