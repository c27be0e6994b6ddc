"""A web site driven by voice from JupyterLab: opened, clicked, filled in, and its picture in the card."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from lab import WAIT_MS, Notebook, chromium, lab_server, write_notebook
from playwright.sync_api import expect
from sidebar_page import put_into_microphone, speak
from web_site import serve

CLIP = Path(__file__).parent / "open_the_shop.wav"
"""“Open localhost port 8000, click sign in, type Ada into user name, take a screenshot.”
Made with hibari-tts 0.2.1 (Apache-2.0)."""
PICTURES = Path(__file__).parents[2] / "out"
PORT = 8000


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The site that is spoken of."""
    try:
        with serve(port=PORT, home="/shop") as address:
            yield address
    except OSError:
        pytest.skip(f"port {PORT} is taken on this machine")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory, site: str) -> Iterator[Notebook]:
    root = tmp_path_factory.mktemp("lab")
    write_notebook(root / "web.ipynb", ["%load_ext voice_kernel\n%voice", "user_name = 'Ada'"])
    with lab_server(root, tmp_path_factory.mktemp("jupyter")) as base, chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 1000})
        opened = Notebook.open(context, base, "web.ipynb")
        opened.run(1)
        opened.run(0)
        expect(opened.page.locator(".vk-panel .vk-status")).to_have_attribute(
            "data-status", re.compile("ready|listening", re.I), timeout=WAIT_MS
        )
        yield opened
        opened.shut_down()
        context.close()


def test_four_spoken_commands_open_click_type_and_show_the_picture(notebook: Notebook) -> None:
    page = notebook.page
    panel = page.locator(".vk-panel").first
    put_into_microphone(page, CLIP)
    button = panel.get_by_role("button", name="Hold to talk")
    button.scroll_into_view_if_needed()
    button.hover()
    page.mouse.down()
    speak(page)
    expect(panel.locator(".vk-transcript").last).to_contain_text("screenshot", timeout=WAIT_MS)
    page.mouse.up()
    turn = panel.locator(".vk-turn").last
    expect(turn.locator("[data-route]")).to_have_attribute("data-route", "intents", timeout=WAIT_MS)
    tasks = turn.locator(".vk-task")
    expect(tasks).to_have_count(4, timeout=WAIT_MS)
    for number in range(4):
        expect(tasks.nth(number)).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(tasks.nth(1)).to_contain_text("Sign in to the shop")
    expect(tasks.nth(2)).to_contain_text("User name")
    picture = tasks.nth(3).locator("img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 1280)
    picture.scroll_into_view_if_needed()
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "web_browser.png")


def test_numbers_are_shown_and_one_of_them_is_clicked(notebook: Notebook, site: str) -> None:
    notebook.say(f"open {site.removeprefix('http://')}/shop")
    shown = notebook.say("show numbers")
    expect(shown.locator(".vk-task").first).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(shown).to_contain_text("Numbers 1 to 15 are shown")
    turn = notebook.say("click number one and take a screenshot")
    expect(turn.locator(".vk-task").nth(1)).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(turn.locator(".vk-task").first).to_contain_text("Sign in to the shop")


def test_a_number_clicks_what_has_no_name_and_the_picture_shows_it(notebook: Notebook, site: str) -> None:
    notebook.say(f"open {site.removeprefix('http://')}/shop")
    numbers = notebook.say("show numbers")
    expect(numbers.locator(".vk-task").first).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    clicked = notebook.say("click four")
    expect(clicked.locator(".vk-task").first).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    read = notebook.say("read the page")
    expect(read.locator(".vk-task").first).to_contain_text("liked red", timeout=WAIT_MS)
    turn = notebook.say("take a screenshot")
    picture = turn.locator(".vk-task img").first
    expect(picture).to_be_visible(timeout=WAIT_MS)
    picture.scroll_into_view_if_needed()
    notebook.page.screenshot(path=PICTURES / "web_numbers.png")


def test_restart_kernel_leaves_nothing_of_the_browser(notebook: Notebook, site: str) -> None:
    opened = notebook.say(f"open {site.removeprefix('http://')}/shop")
    expect(opened.locator(".vk-task").first).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    pid = int(notebook.execute("import os; print(os.getpid())"))
    mark = f"voice-kernel-browser-{pid}-"
    assert driven_by(mark)
    page = notebook.page
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:restart-kernel')")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    deadline = time.monotonic() + WAIT_MS / 1000
    while driven_by(mark) or any(Path("/tmp").glob(f"{mark}*")):
        assert time.monotonic() < deadline, driven_by(mark)
        page.wait_for_timeout(100)  # nobody tells when a process of others ends
    notebook.wait_idle()
    assert int(notebook.execute("import os; print(os.getpid())")) != pid


def driven_by(mark: str) -> list[str]:
    """Return the processes of the browser that a kernel drives."""
    found = []
    for process in psutil.process_iter():
        try:
            if mark in " ".join([*process.cmdline(), process.environ().get("TMPDIR", "")]):
                found.append(process.name())
        except psutil.Error:  # gone meanwhile
            continue
    return found
