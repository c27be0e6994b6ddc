"""Pages are driven by words in a real browser; what leads away, or out of the folder, is held."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import expect
from web_site import Site

from voice_kernel.errors import AddressRefused, Refused, ToolError
from voice_kernel.tools.browser.life import MAX_UNSEEN, clean_name
from voice_kernel.web.addresses import Reach

from .conftest import LIMIT_S, Desk, desk_over


async def test_numbers_stand_beside_what_can_be_clicked_with_or_without_a_name(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    shown = await desk.say("badges")
    lines = shown.text.splitlines()
    assert "1. Sign in" in lines[0]
    hearts = [line.partition(".")[0] for line in lines if "span beside “Red kettle" in line]
    picture = await desk.say("take_screenshot")
    assert picture.data["bytes"] > 10_000
    out = Path(__file__).parents[3] / "out"
    out.mkdir(exist_ok=True)
    await desk.life.current().page.screenshot(path=out / "badges.png")
    await desk.say("click", target=f"number {hearts[0]}")
    assert await desk.status() == "liked red"
    with pytest.raises(ToolError, match="There is no number 99"):
        await desk.say("click", target="ninety nine")
    missing = await desk.say("navigate", url=f"{site}/nowhere")
    assert "status 404" in missing.text
    await desk.say("badges", visible=False)
    assert await desk.life.current().page.locator("voice-kernel-badges").count() == 0


async def test_numbers_are_gone_after_another_page_was_opened(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("badges", only="links")
    await desk.say("click", target="one")
    assert desk.life.current().page.url.endswith("/signin")
    with pytest.raises(ToolError):
        await desk.say("click", target="2")


async def test_a_page_that_has_only_just_come_is_called_by_its_title(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    page = desk.life.current().page
    await page.set_content(f"<a href='{site}/late'>Onward</a>")
    Site.begun.clear()
    loop = asyncio.get_running_loop()
    page.on("framenavigated", lambda frame: loop.call_later(0.5, Site.begun.set))  # so slow is the line
    came = await desk.say("click", target="onward")
    assert came.data["title"] == "Better late"
    assert came.summary == "Clicked “Onward”. Better late"


async def test_boxes_are_ticked_options_chosen_and_fields_filled(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("check", target="milk")
    await desk.say("check", target="milk")
    await desk.say("select_option", target="colour", value="deep")
    await desk.say("type", target="note", text="hello")
    page = desk.life.current().page
    assert await page.locator("#milk").is_checked()
    assert await page.locator("#colour").input_value() == "deep blue"
    await desk.say("check", target="milk", checked=False)
    assert not await page.locator("#milk").is_checked()


async def test_the_page_scrolls_and_says_where_it_ends(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    assert "Scrolled down" in (await desk.say("scroll", direction="down")).summary
    assert "100%" in (await desk.say("scroll", direction="bottom")).summary
    assert "the end already" in (await desk.say("scroll", direction="down")).summary
    await desk.say("scroll", direction="top")
    await desk.say("scroll", target="the end")
    assert await desk.life.current().page.evaluate("scrollY") > 1_000


async def test_a_dialog_waits_for_an_answer(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    asked = await desk.say("click", target="buy")
    assert "Really buy?" in asked.text
    await desk.say("handle_dialog", accept=False)
    assert await desk.status() == "left"
    await desk.say("click", target="name me")
    await desk.say("handle_dialog", text="Ada")
    assert await desk.status() == "Ada"


async def test_a_page_that_asks_is_answered_before_anything_else_is_done(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("click", target="buy")
    for tool, arguments in (("click", {"target": "about"}), ("scroll", {}), ("badges", {"visible": False})):
        with pytest.raises(ToolError, match="The page asks first: “Really buy"):
            await desk.say(tool, **arguments)
    await desk.say("handle_dialog", accept=True)
    assert await desk.status() == "bought"
    asked = await desk.say("press_key", key="Enter")  # the button is in focus
    assert "Really buy?" in asked.summary
    await desk.say("handle_dialog", accept=False)
    assert await desk.status() == "left"
    with pytest.raises(ToolError, match="in time"):
        await desk.say("wait_for", text="zebra", time=0.2)
    script = (await desk.say("export")).text
    assert script.index("name='Buy'") < script.index("keyboard.press('Enter')")
    assert "DIALOGS = [(True, ''), (False, '')]" in script


async def test_there_is_nothing_before_the_first_page(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    with pytest.raises(ToolError, match="no page to go back to"):
        await desk.say("navigate_back")
    assert desk.life.current().page.url == f"{site}/shop"


async def test_files_go_up_from_the_working_folder_only(
    desk: Desk, site: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (desk.folder / "data.csv").write_text("a,b\n")
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("x")
    (desk.folder / "link.txt").symlink_to(secret)
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("file_upload", paths="data dot csv", target="papers")
    assert await desk.status() == "data.csv"
    for path in (str(secret), "../" + secret.name, "link.txt"):
        with pytest.raises((Refused, ToolError)):
            await desk.say("file_upload", paths=[path])


async def test_downloads_have_clean_names_and_never_replace_a_file(desk: Desk, site: str) -> None:
    name = clean_name("re<port>.csv")
    (desk.folder / name).write_text("mine")
    await desk.say("navigate", url=f"{site}/shop")
    for count in (1, 2):
        await desk.say("click", target="report")
        await _until(lambda count=count: len(list(desk.folder.iterdir())) == 1 + count)  # type: ignore[misc]
        await desk.life.settled()
    names = sorted(file.name for file in desk.folder.iterdir())
    assert (desk.folder / name).read_text() == "mine"
    assert len(names) == 3
    assert all(file.read_text() == "a,b\n1,2\n" for file in desk.folder.iterdir() if file.name != name)


async def test_a_download_that_is_too_large_is_not_kept(desk: Desk, site: str) -> None:
    desk.life.max_download_bytes = 100_000
    await desk.say("navigate", url=f"{site}/shop")
    clicked = await desk.say("click", target="large")
    before, window = clicked.data.get("happened", []), desk.life.current()
    await _until(lambda: any("larger than" in line for line in [*before, *window.said]))
    assert list(desk.folder.iterdir()) == []


async def test_a_page_that_downloads_without_end_does_not_fill_the_folder(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/greedy")
    window = desk.life.current()
    await window.page.evaluate("begin()")  # only now: what was begun before a look does not count after it
    async with asyncio.timeout(5 * LIMIT_S):
        while window.begun < MAX_UNSEEN + 10:  # noqa: ASYNC110 - the state belongs to the page
            await asyncio.sleep(0.05)
    await desk.life.settled()
    told = (await desk.say("snapshot")).data["happened"]
    assert sum("goes on downloading" in line for line in told) == 1
    assert 0 < len(list(desk.folder.iterdir())) <= MAX_UNSEEN


@pytest.mark.parametrize(
    ("suggested", "kept"),
    [
        ("../../etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot.ini"), (".bashrc", "bashrc"),
        ("a" * 500 + ".csv", "a" * 120 + ".csv"), ("", "download"), ("..", "download"),
        ("a\nb.txt", "a_b.txt"), ("numpy.py", "numpy.py.download"), ("../Pandas.PY ", "Pandas.PY.download"),
        ("math.cpython-311-x86_64-linux-gnu.so", "math.cpython-311-x86_64-linux-gnu.so.download"),
        ("pytest.ini", "pytest.ini.download"), ("Makefile", "Makefile.download"), ("notes.ini", "notes.ini"),
    ],
)  # fmt: skip
def test_a_name_of_the_pages_choosing_is_made_safe(suggested: str, kept: str) -> None:
    assert clean_name(suggested) == kept


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "FILE:/etc/passwd", "javascript:alert(1)", "data:text/html,hi",
        "chrome://settings", "about:config", "view-source:https://x.org", "blob:https://x.org/1", "ftp://x.org",
    ],
)  # fmt: skip
async def test_only_the_web_is_opened(desk: Desk, url: str) -> None:
    with pytest.raises(AddressRefused):
        await desk.say("navigate", url=url)
    assert not desk.life.is_open


async def test_a_browser_that_is_switched_off_is_refused_with_the_way_to_allow_it(tmp_path: Path) -> None:
    desk = desk_over(tmp_path, allowed=False)
    for tool, arguments in (("navigate", {"url": "python.org"}), ("click", {"target": "x"}), ("badges", {})):
        with pytest.raises(Refused, match="switched off") as refused:
            await desk.say(tool, **arguments)
        assert "ALLOW_BROWSER_AUTOMATION=true" in refused.value.hint


async def test_a_model_asks_at_its_first_visit_to_a_host_only(desk: Desk, site: str, other_site: str) -> None:
    assert desk.decision("navigate", url=f"{site}/shop") == "ask"
    await desk.say("navigate", url=f"{site}/shop")
    assert desk.decision("navigate", url=f"{site}/polars") == "allow"
    assert desk.decision("navigate", url=other_site) == "ask"
    assert desk.decision("click", target="about") == "allow"


async def test_what_a_model_clicks_does_not_lead_to_a_new_host(
    desk: Desk, site: str, other_site: str
) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    desk.origin = "model"
    for away in (f"{other_site}/polars", f"{site}/leave?{other_site}/polars"):
        await desk.say("navigate", url=f"{site}/shop")
        await desk.say("type", target="note", text=away)
        await _try_to_go_there(desk)
        assert not desk.life.current().page.url.startswith(other_site)
    desk.origin = "text"
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("type", target="note", text=f"{other_site}/polars")
    await desk.say("click", target="go there")
    await desk.life.current().page.wait_for_url(f"{other_site}/**", timeout=LIMIT_S * 1000)


async def test_a_redirect_to_a_new_host_is_held_before_it_is_asked(
    desk: Desk, site: str, other_site: str
) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    desk.origin = "model"
    away = f"{site}/leave?{site}/leave?{other_site}/polars?never"
    with pytest.raises(Refused, match="not opened before"):
        await desk.say("navigate", url=away)
    assert desk.life.current().page.url == f"{site}/shop"
    await desk.say("navigate", url=f"{site}/link?{away}")
    with contextlib.suppress(Refused):  # a new tab may be kept from going there only later
        await desk.say("click", target="away")
    hold = desk.life.current().hold
    assert hold is not None
    await _until(lambda: bool(hold.held))
    told = await desk.say("press_key", key="Escape")
    assert "was kept from it" in told.text
    assert "/polars?never" not in Site.asked


async def test_a_tab_that_a_page_opens_leads_where_a_model_may_go(desk: Desk, site: str) -> None:
    desk.origin = "model"
    await desk.say("navigate", url=f"{site}/link?{site}/leave?{site}/polars?seen")
    await desk.say("click", target="away")
    await _until(lambda: desk.life.current().page.url == f"{site}/polars?seen")
    assert "Polars and pandas" in (await desk.say("snapshot")).text
    assert len(desk.life.current().context.pages) == 2


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - of new tabs only the browser knows
            await asyncio.sleep(0.02)


async def _try_to_go_there(desk: Desk) -> None:
    """Click what leads away, and be told that it was not let through: at once, or at the next step."""
    told = ""
    try:
        await desk.say("click", target="go there")
        hold = desk.life.current().hold
        assert hold is not None
        await _until(lambda: bool(hold.held))
        told = (await desk.say("press_key", key="Escape")).text
    except Refused as refused:
        told = refused.message
    assert "was kept from it" in told or "not opened before" in told


async def test_denied_hosts_are_not_reached_by_redirect_or_frame(
    tmp_path: Path, site: str, other_site: str
) -> None:
    denied = other_site.partition("://")[2]
    desk = desk_over(tmp_path, reach=Reach(denied=(denied,)))
    try:
        with pytest.raises(AddressRefused):
            await desk.say("navigate", url=other_site)
        await desk.say("navigate", url=f"{site}/leave?{other_site}/polars")
        assert "not allowed" in (await desk.say("snapshot")).text
        await desk.say("navigate", url=f"{site}/frame?{other_site}/polars")
        inner = desk.life.current().page.frame_locator("iframe").locator("body")
        await expect(inner).to_contain_text("not allowed", timeout=LIMIT_S * 1000)
        await desk.say("navigate", url=f"{site}/polars")
        assert "Polars and pandas" in (await desk.say("snapshot")).text
    finally:
        await desk.life.stop()


async def test_what_was_done_is_exported_as_a_script_that_runs(desk: Desk, site: str) -> None:
    await desk.say("navigate", url=f"{site}/shop")
    await desk.say("check", target="milk")
    await desk.say("select_option", target="colour", value="deep blue")
    await desk.say("type", target="password", text="hunter2")
    await desk.say("click", target="sign in")
    await desk.say("type", target="user name", text="ada")
    await desk.say("take_screenshot")
    told = await desk.say("export", path="again.py")
    script = (desk.folder / "again.py").read_text()
    assert "hunter2" not in script
    assert "page.get_by_role('link', name='Sign in', exact=True).click()" in script
    assert "7 steps" in told.summary
    environment = {
        "PATH": "/usr/bin:/bin",
        "CHROMIUM": desk.life.executable() or "",
        "CHROMIUM_ARGS": "--no-sandbox",
        "PASSWORD": "x",
    }
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "again.py", cwd=desk.folder, env=environment, stderr=asyncio.subprocess.PIPE
    )
    _out, problem = await asyncio.wait_for(ran.communicate(), 3 * LIMIT_S)
    assert ran.returncode == 0, problem.decode()
    assert (desk.folder / "screenshot-7.png").stat().st_size > 5_000
