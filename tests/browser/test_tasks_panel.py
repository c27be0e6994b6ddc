"""Tasks, history, conversations and logs in the panel, in a real Chromium with a scripted kernel."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab import NOTEBOOK, Notebook, chromium, lab_server, type_command, write_notebook
from panel_page import STATIC, PanelPage, Theme
from panel_scenes import (
    ABOUT,
    approval,
    busy,
    crowd,
    first_run,
    kept,
    state,
    stored,
    task,
    turn,
    unkept,
    working,
)
from playwright.sync_api import Browser, Locator, Page, expect

from voice_kernel.messages import (
    ApprovalChanged,
    Keeping,
    KeepingChanged,
    Notice,
    Progress,
    QueueChanged,
    Result,
    State,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    TestReport,
)

MAX_ROWS = 40
"""A window's worth of rows and some to spare, however many tasks there are."""
MAX_LINES = 120


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    yield made
    context.close()
    assert errors == []


def go(page: Page, place: str) -> None:
    page.get_by_role("tab", name=place).click()
    expect(page.locator(f"[data-place={place.lower()}]")).to_have_attribute("data-shown", "true")


def row(page: Page, number: int) -> Locator:
    """Return the row of a task in the list that is in sight."""
    return page.locator(f"[data-shown=true] [data-row='{number}']")


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def stop_clock(page: Page) -> None:
    """Let no time go by in a page, whose clock is installed, but what a test says."""
    page.clock.pause_at(datetime.now() + timedelta(hours=1))


def type_quickly(page: Page, text: str) -> None:
    """Type as a person does who does not pause, and then does."""
    stop_clock(page)
    for key in text:
        page.keyboard.type(key)
        page.clock.run_for(50)
    page.clock.run_for(1_000)
    page.clock.resume()


def at_rest(page: Page, value: str) -> Any:
    """Wait until the value of an expression stays: a wheel scrolls smoothly. Return it."""
    page.evaluate("delete window.before")
    page.wait_for_function(
        f"() => {{ const is = {value}; const was = window.before; window.before = is; return is === was; }}",
        polling=300,
    )
    return page.evaluate("window.before")


def tasks_page(page: Page, **options: Any) -> PanelPage:
    panel = PanelPage(page, **options)
    panel.deliver(*busy())
    go(page, "Tasks")
    return panel


# ---- places ---------------------------------------------------------------------------------------


def test_the_places_are_tabs_that_keys_switch(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*busy())
    panel.answer(stored())
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Conversation", re.compile("Tasks"), "History"])
    tabs.nth(0).focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    expect(row(page, 7)).to_be_visible()
    expect(page.locator(".vk-feed")).not_to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_role("searchbox", name="Search the history")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".vk-feed")).to_be_visible()


def test_a_place_is_found_again_as_it_was_left(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(state(turns=[turn(number, f"command {number}") for number in range(1, 60)]))
    feed = page.locator(".vk-feed")
    feed.hover()
    page.mouse.wheel(0, -900)
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    before = at_rest(page, "document.querySelector('.vk-feed').scrollTop")
    go(page, "Tasks")
    panel.deliver(TaskChanged(task=task(1, 59, "list_files .")))
    go(page, "Conversation")
    assert abs(feed.evaluate("box => box.scrollTop") - before) < 5


def test_the_microphone_and_the_text_box_stay_wherever_one_is(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*busy())
    panel.answer(stored())
    for place in ("Tasks", "History", "Conversation"):
        go(page, place)
        expect(page.get_by_role("button", name="Hold to talk")).to_be_visible()
        expect(page.get_by_role("textbox", name="Type a command")).to_be_visible()


def test_an_approval_is_never_covered(page: Page) -> None:
    panel = tasks_page(page)
    panel.answer(stored())
    page.get_by_role("button", name="Open log of task 7").click()
    page.get_by_role("button", name="Enlarge").click()
    expect(page.locator(".vk-sheet:popover-open")).to_be_visible()
    panel.deliver(ApprovalChanged(approval=approval(1, 11)))
    expect(page.locator(".vk-sheet:popover-open")).to_have_count(0)
    assert panel.wait_sent("approval_shown")["approval_id"] == 1
    expect(page.get_by_role("button", name="Approve run_shell")).to_be_visible()


def test_an_approval_counts_as_shown_only_when_nothing_lies_over_it(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    page.evaluate(
        """() => { const cover = document.createElement('div');
          cover.id = 'cover';
          cover.style = 'position:fixed;inset:0;background:#888;z-index:9';
          document.body.append(cover); }"""
    )
    panel.deliver(ApprovalChanged(approval=approval()))
    page.wait_for_function(
        """() => { const box = document.querySelector('.vk-approval').getBoundingClientRect();
          return box.height > 0 && performance.now() > 0; }"""
    )
    assert panel.sent("approval_shown") == []
    page.evaluate("document.getElementById('cover').remove()")
    panel.wait_sent("approval_shown")


# ---- what is kept ---------------------------------------------------------------------------------


def test_what_is_not_being_kept_is_said_with_what_to_do_until_it_is_kept_again(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*unkept())
    line = page.locator(".vk-unkept")
    expect(line).to_contain_text("The disk is full")
    expect(line).to_contain_text("Free some space")
    go(page, "Tasks")
    expect(line).to_be_visible()
    panel.deliver(KeepingChanged(keeping=kept()))
    expect(line).to_have_count(0)


def test_a_store_that_stops_writing_is_told_to_screen_readers(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*busy())
    panel.deliver(
        KeepingChanged(keeping=Keeping(state="memory", message="The database is locked.", hint="Wait."))
    )
    expect(page.locator("[aria-live=polite]")).to_have_text("The database is locked. Wait.")


def test_a_kernel_that_still_opens_its_store_is_no_reason_to_warn(page: Page) -> None:
    PanelPage(page).deliver(*first_run())
    expect(page.locator(".vk-unkept")).to_have_count(0)


# ---- conversations --------------------------------------------------------------------------------


def conversations(page: Page) -> PanelPage:
    panel = PanelPage(page)
    panel.deliver(*busy())
    panel.answer(stored())
    page.get_by_role("button", name="load the prices and look at them").click()
    expect(sheet(page).locator(".vk-thread")).to_have_count(4)
    return panel


def test_the_open_conversation_heads_the_panel_and_leads_to_the_others(page: Page) -> None:
    panel = conversations(page)
    assert panel.sent("list_threads")[0]["everywhere"] is False
    expect(page.locator(".vk-thread[data-current=true]")).to_contain_text("load the prices")
    page.get_by_role("button", name=re.compile("^Cart totals")).click()
    assert panel.wait_sent("open_thread") == {"type": "open_thread", "thread_id": "thread-1"}
    expect(sheet(page)).to_have_count(0)
    first = busy()[0]
    assert isinstance(first, State)
    opened = kept().thread
    assert opened is not None
    panel.deliver(
        first.model_copy(update={"keeping": kept(thread=opened.model_copy(update={"title": "Cart totals"}))})
    )
    expect(page.locator(".vk-title")).to_have_text("Cart totals")


def test_conversations_are_searched_as_one_types_also_those_of_other_notebooks(page: Page) -> None:
    page.clock.install()
    panel = conversations(page)
    expect(sheet(page).get_by_role("searchbox")).to_be_focused()
    type_quickly(page, "rates")
    expect(sheet(page).locator(".vk-thread")).to_have_count(1)
    asked = panel.sent("list_threads")
    assert [message["query"] for message in asked] == ["", "rates"], "not at every key"
    sheet(page).get_by_role("checkbox", name="Of all notebooks and folders").check()
    page.wait_for_function("window.sent.some(message => message.everywhere === true)")


def test_a_conversation_is_renamed_in_its_place(page: Page) -> None:
    panel = conversations(page)
    page.get_by_role("button", name=re.compile("^Rename “Fit the model")).click()
    field = page.get_by_role("textbox", name="New name of “Fit the model”")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(sheet(page)).to_be_visible()
    assert panel.sent("rename_thread") == []
    page.get_by_role("button", name=re.compile("^Rename “Fit the model")).click()
    field.fill("The model, again")
    page.keyboard.press("Enter")
    assert panel.wait_sent("rename_thread")["title"] == "The model, again"
    expect(page.get_by_role("button", name=re.compile("^The model, again"))).to_be_focused()


def test_deleting_a_conversation_says_what_goes_and_is_easily_kept(page: Page) -> None:
    panel = conversations(page)
    page.get_by_role("button", name=re.compile("^Delete “Cart totals")).click()
    asks = page.get_by_role("alertdialog")
    expect(asks).to_contain_text("Its 7 commands go for good, with their tasks and logs.")
    expect(asks).to_contain_text("Your notebook and files stay as they are.")
    expect(asks.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    assert panel.sent("delete_thread") == []
    page.get_by_role("button", name=re.compile("^Delete “Cart totals")).click()
    asks.get_by_role("button", name="Delete").click()
    assert panel.wait_sent("delete_thread")["thread_id"] == "thread-1"
    expect(sheet(page).locator(".vk-thread")).to_have_count(3)


def test_a_new_conversation_begins_with_the_text_box(page: Page) -> None:
    panel = conversations(page)
    page.get_by_role("button", name="New conversation").click()
    panel.wait_sent("new_thread")
    expect(sheet(page)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Type a command")).to_be_focused()


def test_a_list_that_cannot_be_had_says_why(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    panel.answer(
        """message => message.type === 'list_threads' && window.deliver({ type: 'threads', id: message.id,
          threads: [], more: false, problem: { kind: 'NotKept', message: 'Nothing is being kept.',
          hint: 'Set VOICE_KERNEL_KEEP_HISTORY=true.', retryable: false } })"""
    )
    page.get_by_role("button", name="New conversation").click()
    expect(sheet(page)).to_contain_text("Nothing is being kept.")
    expect(sheet(page)).to_contain_text("VOICE_KERNEL_KEEP_HISTORY")


def test_escape_closes_what_lies_over_a_place_and_gives_the_focus_back(page: Page) -> None:
    conversations(page)
    page.keyboard.press("Escape")
    expect(sheet(page)).to_have_count(0)
    expect(page.locator(".vk-title")).to_be_focused()
    go(page, "Tasks")
    main = row(page, 7).locator(".vk-row-main")
    main.focus()
    page.keyboard.press("Enter")
    sheet(page).get_by_role("button", name="Open log").click()
    expect(sheet(page)).to_contain_text("Log of task 7")
    page.keyboard.press("Escape")
    expect(sheet(page)).to_contain_text("22 of 48 tests")
    page.keyboard.press("Escape")
    expect(main).to_be_focused()


# ---- tasks ----------------------------------------------------------------------------------------


def titles(page: Page) -> Locator:
    return page.locator("[data-shown=true] .vk-row-title")


def last_row(page: Page) -> None:
    """Go to the end of the list, as a person does who looks for what is old."""
    page.locator("[data-shown=true] .vk-row-main").first.focus()
    page.keyboard.press("End")


def test_tasks_stand_in_the_order_in_which_a_person_looks_for_them(page: Page) -> None:
    tasks_page(page)
    expect(row(page, 6)).to_be_visible()
    numbers = page.locator("[data-shown=true] [data-row]").evaluate_all(
        "rows => rows.map(row => row.dataset.row)"
    )
    assert numbers[:6] == ["6", "7", "11", "8", "9", "10"]
    expect(page.locator(".vk-group")).to_have_text(
        [re.compile("Running"), re.compile("Waiting"), re.compile("Ended"), re.compile("Before the restart")]
    )
    expect(row(page, 7)).to_contain_text("22 of 48 tests · 1 failed")
    expect(row(page, 7).get_by_role("progressbar")).to_have_attribute("value", "0.46")
    expect(row(page, 9)).to_contain_text("Number 2 in line")


def test_a_running_task_shows_its_progress_its_newest_line_and_its_time(page: Page) -> None:
    page.clock.install()
    panel = tasks_page(page)
    panel.deliver(
        TaskProgress(task_id=7, progress=Progress(fraction=0.75, done=36, total=48, unit="tests")),
        TaskOutput(task_id=7, text="tests/unit/test_slow.py \x1b[32m....\x1b[0m\n", output_bytes=700),
    )
    expect(row(page, 7)).to_contain_text("36 of 48 tests")
    expect(row(page, 7)).to_contain_text("tests/unit/test_slow.py ....")
    elapsed = row(page, 7).locator(".vk-elapsed")
    stop_clock(page)
    before = elapsed.inner_text()
    page.clock.run_for(2_100)
    expect(elapsed).not_to_have_text(before)


def test_tasks_are_filtered_and_searched(page: Page) -> None:
    tasks_page(page)
    filters = page.get_by_role("group", name="Which tasks")
    expect(filters.get_by_role("button")).to_have_text(["All 11", "Running 2", "Waiting 4", "Failed 2"])
    filters.get_by_role("button", name="Failed").click()
    expect(titles(page)).to_have_text(["run_tests tests/unit", "run_tests tests/integration"])
    filters.get_by_role("button", name="All").click()
    page.get_by_role("searchbox", name="Search the tasks").fill("docs train")
    # The phrase counts as well as the title.
    expect(titles(page)).to_have_text(
        ["run_shell python train.py --epochs 40 --rate 0.01", re.compile("report"), "run_shell make docs"]
    )
    page.get_by_role("searchbox", name="Search the tasks").fill("no such thing")
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("button", name="All 11")).to_have_attribute("aria-pressed", "true")
    expect(row(page, 6)).to_be_visible()


def test_a_queue_is_reordered_by_button_and_by_key(page: Page) -> None:
    panel = tasks_page(page)
    row(page, 9).get_by_role("button", name="Move task 9 to the front").click()
    assert panel.wait_sent("move_task") == {"type": "move_task", "task_id": 9, "to": "first"}
    panel.deliver(QueueChanged(lane="shell", tasks=[9, 8, 10]))
    expect(row(page, 9)).to_contain_text("Next in line")
    numbers = page.locator("[data-shown=true] [data-row]").evaluate_all(
        "rows => rows.map(row => row.dataset.row)"
    )
    assert numbers[3:6] == ["9", "8", "10"]
    row(page, 8).locator(".vk-row-main").focus()
    page.keyboard.press("Alt+ArrowDown")
    assert panel.sent("move_task")[-1] == {"type": "move_task", "task_id": 8, "to": "down"}
    expect(row(page, 10).get_by_role("button", name="Move task 10 down")).to_have_attribute(
        "aria-disabled", "true"
    )


def test_a_task_is_cancelled_or_retried_from_its_row(page: Page) -> None:
    panel = tasks_page(page)
    page.get_by_role("button", name="Cancel task 8").click()
    assert panel.wait_sent("cancel_task")["task_id"] == 8
    row(page, 9).locator(".vk-row-main").focus()
    page.keyboard.press("Delete")
    assert panel.sent("cancel_task")[-1]["task_id"] == 9
    row(page, 3).get_by_role("button", name="Retry task 3").click()
    assert panel.wait_sent("retry_task")["task_id"] == 3


def test_an_interrupted_task_is_told_apart_from_a_cancelled_one_and_offers_retry_in_words(page: Page) -> None:
    panel = tasks_page(page)
    last_row(page)
    interrupted, cancelled = row(page, 1), row(page, 5)
    expect(interrupted.locator(".vk-state")).to_have_text("Interrupted")
    expect(cancelled.locator(".vk-state")).to_have_text("Cancelled")
    assert interrupted.locator(".vk-state svg path").get_attribute("d") != cancelled.locator(
        ".vk-state svg path"
    ).get_attribute("d")
    expect(interrupted.get_by_role("button", name="Retry task 1")).to_have_text("Retry")
    interrupted.locator(".vk-row-main").click()
    expect(sheet(page)).to_contain_text("The kernel ended while it ran.")
    expect(sheet(page)).to_contain_text("An earlier kernel ran this, before the restart.")
    expect(sheet(page)).to_contain_text("test session starts")
    sheet(page).get_by_role("button", name="Retry").click()
    assert panel.wait_sent("retry_task")["task_id"] == 1


def test_what_was_before_the_restart_is_marked_in_the_conversation(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*busy())
    expect(page.locator("[data-task='1']")).to_contain_text("before the restart")
    expect(page.locator(".vk-divider")).to_have_text("The kernel was restarted")
    after = page.locator("li", has=page.locator(".vk-divider")).locator("[data-turn]")
    expect(after).to_have_attribute("data-turn", "1")


def test_the_command_and_the_output_of_a_task_are_copied(page: Page) -> None:
    page.clock.install()
    tasks_page(page)
    row(page, 8).locator(".vk-row-main").click()
    sheet(page).get_by_role("button", name="Copy command").click()
    expect(page.locator("[aria-live=polite]")).to_have_text("Copied")
    assert clipboard(page) == "python train.py --epochs 40 --rate 0.01"
    page.keyboard.press("Escape")
    row(page, 6).locator(".vk-row-main").click()
    stop_clock(page)  # what the button says then is taken back a moment later
    sheet(page).get_by_role("button", name="Copy output").click()
    expect(sheet(page).get_by_role("button", name="Copied")).to_be_visible()
    copied = clipboard(page)
    assert "+ numpy 2.3.1" in copied
    assert "\x1b" not in copied, "without the colours"


def test_a_task_is_run_again_with_changed_arguments(page: Page) -> None:
    panel = tasks_page(page)
    row(page, 8).locator(".vk-row-main").click()
    sheet(page).get_by_role("button", name="Run again with changes").click()
    command = sheet(page).get_by_role("textbox", name="command")
    expect(command).to_be_focused()
    command.fill("python train.py --epochs 80")
    sheet(page).get_by_role("textbox", name="timeout").fill("soon")
    sheet(page).get_by_role("button", name="Run", exact=True).click()
    expect(sheet(page).get_by_role("alert")).to_have_text("A number, please.")
    assert panel.sent("do") == []
    sheet(page).get_by_role("textbox", name="timeout").fill("60")
    page.keyboard.press("Control+Enter")
    assert panel.wait_sent("do")["calls"] == [
        {"tool": "run_shell", "arguments": {"command": "python train.py --epochs 80", "timeout": 60}}
    ]
    expect(sheet(page)).to_have_count(0)
    expect(page.get_by_role("tab", name="Tasks")).to_have_attribute("aria-selected", "true")


def test_two_hundred_tasks_keep_the_page_small_and_every_one_in_reach(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*crowd(200))
    in_conversation: int = page.evaluate("document.querySelectorAll('#host *').length")
    assert in_conversation < 3_000, "the conversation shows its newest turns"
    go(page, "Tasks")
    expect(row(page, 2)).to_be_visible()
    assert 5 < page.locator("[data-shown=true] [data-row]").count() < MAX_ROWS
    row(page, 2).locator(".vk-row-main").focus()
    page.keyboard.press("End")
    expect(row(page, 200).locator(".vk-row-main")).to_be_focused()
    expect(row(page, 200)).to_be_in_viewport()
    assert page.locator("[data-shown=true] [data-row]").count() < MAX_ROWS
    page.keyboard.press("ArrowUp")
    expect(row(page, 199).locator(".vk-row-main")).to_be_focused()
    page.keyboard.press("Home")
    expect(row(page, 2).locator(".vk-row-main")).to_be_focused()
    assert row(page, 2).get_attribute("aria-setsize") == "2"
    tabbable = page.locator("[data-shown=true] .vk-scroll [tabindex='0']")
    assert (
        len(set(tabbable.evaluate_all("all => all.map(one => one.closest('[data-row]').dataset.row)"))) == 1
    )


def test_two_hundred_tasks_that_change_at_once_keep_the_page_small(page: Page) -> None:
    """Ten waves of 200 changes each; figures are printed by the bench."""
    panel = PanelPage(page)
    panel.deliver(*crowd(200))
    go(page, "Tasks")
    nodes: list[int] = page.evaluate(
        """async () => {
          const found = [];
          for (let wave = 0; wave < 10; wave++) {
            for (let id = 1; id <= 200; id++) {
              window.deliver({ type: 'task_output', task_id: id, text: `line ${wave} of ${id}\\n`.repeat(20),
                output_bytes: wave * 100, skipped_bytes: 0 });
              window.deliver({ type: 'task_progress', task_id: id,
                progress: { fraction: wave / 10, label: '', done: wave, total: 10, unit: 'steps' } });
            }
            await new Promise(done => requestAnimationFrame(done));
            found.push(document.querySelectorAll('#host *').length);
          }
          return found;
        }"""
    )
    assert max(nodes) < 4_000
    assert page.locator("[data-shown=true] [data-row]").count() < MAX_ROWS


def test_one_turn_of_many_tasks_shows_some_and_leads_to_the_others(page: Page) -> None:
    panel = PanelPage(page)
    tasks = [task(number, 1, f"run_cells {number}", area="notebook") for number in range(1, 31)]
    panel.deliver(state(turns=[turn(1, "run all cells one by one")], tasks=tasks))
    expect(page.locator(".vk-task")).to_have_count(8)
    page.get_by_role("button", name="22 more tasks").click()
    expect(row(page, 30)).to_be_visible()


# ---- history --------------------------------------------------------------------------------------


def history_page(page: Page, **options: Any) -> PanelPage:
    panel = PanelPage(page, **options)
    panel.deliver(*busy())
    panel.answer(stored())
    go(page, "History")
    expect(row(page, 400)).to_be_visible()
    return panel


def test_the_history_comes_in_pages_as_one_scrolls(page: Page) -> None:
    panel = history_page(page)
    assert [message["before"] for message in panel.sent("find_tasks")] == [None]
    page.wait_for_function(
        """() => { const box = document.querySelector('[data-shown=true] .vk-scroll');
          box.scrollTo(0, box.scrollHeight);
          return box.querySelector("[data-row='281']"); }"""
    )
    expect(row(page, 281)).to_be_visible()
    assert [message["before"] for message in panel.sent("find_tasks")] == [None, 951, 901]
    assert page.locator("[data-shown=true] [data-row]").count() < MAX_ROWS


def test_the_history_is_searched_when_typing_pauses_and_filtered(page: Page) -> None:
    page.clock.install()
    panel = history_page(page)
    page.get_by_role("searchbox", name="Search the history").focus()
    type_quickly(page, "train")
    expect(row(page, 400)).to_have_count(0)
    expect(row(page, 397)).to_contain_text("Interrupted")
    assert [message["query"] for message in panel.sent("find_tasks")] == ["", "train"]
    page.get_by_role("button", name="Empty the search").click()
    page.get_by_role("combobox", name="Kind").select_option("tests")
    page.get_by_role("combobox", name="How it ended").select_option("failed")
    page.wait_for_function("window.sent.some(message => message.areas?.[0] && message.states?.[0])")
    asked = panel.sent("find_tasks")[-1]
    assert (asked["areas"], asked["states"], asked["everywhere"]) == (["tests"], ["failed"], True)
    page.get_by_role("combobox", name="Where").select_option("This notebook")
    page.wait_for_function("window.sent.some(message => message.everywhere === false)")


def test_tasks_of_the_history_say_when_and_in_which_words(page: Page) -> None:
    history_page(page)
    expect(row(page, 400)).to_contain_text("“run the unit tests”")
    expect(row(page, 400)).to_contain_text("before the restart")
    expect(row(page, 394)).not_to_contain_text("before the restart")
    expect(page.locator("[data-shown=true] .vk-group").first).to_have_text(re.compile("Today|Yesterday"))


def test_a_task_of_the_history_is_run_again_as_it_was_or_changed(page: Page) -> None:
    panel = history_page(page)
    row(page, 399).get_by_role("button", name="Run task 399 again").click()
    assert panel.wait_sent("do")["calls"] == [
        {"tool": "run_shell", "arguments": {"command": "git pull", "timeout": None}}
    ]
    go(page, "History")
    row(page, 399).locator(".vk-row-main").click()
    expect(sheet(page)).to_contain_text("git pull")
    sheet(page).get_by_role("button", name="Run again with changes").click()
    sheet(page).get_by_role("textbox", name="command").fill("git pull --rebase")
    sheet(page).get_by_role("button", name="Run", exact=True).click()
    assert panel.sent("do")[-1]["calls"] == [
        {"tool": "run_shell", "arguments": {"command": "git pull --rebase", "timeout": None}}
    ]


def test_the_log_of_a_task_of_the_history_is_asked_for_by_its_number_there(page: Page) -> None:
    panel = history_page(page)
    row(page, 400).get_by_role("button", name="Open log of task 400").click()
    asked = panel.wait_sent("read_log")
    assert (asked["task_id"], asked["past_id"]) == (None, 1_000)


def test_a_history_that_cannot_be_had_says_why_and_tries_again(page: Page) -> None:
    panel = PanelPage(page)
    panel.deliver(*first_run())
    panel.answer(
        """message => message.type === 'find_tasks' && window.deliver({ type: 'past_tasks', id: message.id,
          tasks: [], more: false, problem: { kind: 'Locked', message: 'The history is locked.',
          hint: 'Another program holds it.', retryable: true } })"""
    )
    go(page, "History")
    expect(page.get_by_text("The history is locked.")).to_be_visible()
    panel.answer(stored())
    page.get_by_role("button", name="Try again").click()
    expect(row(page, 400)).to_be_visible()


# ---- logs -----------------------------------------------------------------------------------------

LINES = 3_400_000
"""Of 88 bytes: 300 MB."""


TOP_LINE = """() => {
  const { top } = document.querySelector('.vk-log-box').getBoundingClientRect();
  const lines = [...document.querySelectorAll('.vk-log-line')];
  return Number(lines.find(line => line.getBoundingClientRect().bottom > top + 1)?.dataset.line);
}"""


def log_page(page: Page, number: int = 3, **options: Any) -> PanelPage:
    """Open the log of a task; 3 has ended, 7 runs."""
    panel = tasks_page(page, **options)
    panel.answer(stored(LINES))
    page.get_by_role("button", name=f"Open log of task {number}").click()
    expect(page.locator(".vk-log-facts")).to_contain_text("3,400,000 lines · 299 MB")
    return panel


def line(page: Page, number: int) -> Locator:
    return page.locator(f".vk-log-line[data-line='{number}'][data-here=true]")


def view(page: Page) -> Locator:
    return page.locator(".vk-log-box")


def test_a_log_of_300_mb_opens_at_its_end_with_one_small_question(page: Page) -> None:
    panel = log_page(page)
    expect(line(page, LINES)).to_be_in_viewport()
    asked = panel.sent("read_log")
    assert len(asked) == 1
    assert (asked[0]["task_id"], asked[0]["past_id"]) == (3, None)
    assert asked[0]["lines"] <= MAX_LINES
    assert page.locator(".vk-log-line").count() < MAX_LINES
    expect(line(page, LINES).locator(".ansi-red-fg")).to_have_text("ERROR")


def test_a_long_log_is_read_from_end_to_end_with_keys_and_wheel(page: Page) -> None:
    log_page(page)
    view(page).focus()
    page.keyboard.press("Home")
    expect(line(page, 1)).to_be_in_viewport()
    page.keyboard.press("PageDown")
    expect(line(page, 1)).not_to_be_in_viewport()
    expect(line(page, 30)).to_be_in_viewport()
    # The bar follows a key a moment later, and would end a scroll that has begun meanwhile.
    page.wait_for_function("document.querySelector('.vk-log-box').scrollTop > 0")
    view(page).hover()
    for _ in range(40):
        page.mouse.wheel(0, 180)
    expect(line(page, 430)).to_be_in_viewport()
    page.keyboard.press("End")
    expect(line(page, LINES)).to_be_in_viewport()
    page.mouse.wheel(0, -360)
    expect(line(page, LINES)).not_to_be_in_viewport()
    expect(line(page, LINES - 25)).to_be_in_viewport()
    assert page.locator(".vk-log-line").count() < MAX_LINES


def test_the_scroll_bar_reaches_every_part_of_a_log_taller_than_a_browser_can_lay_out(page: Page) -> None:
    log_page(page)
    assert view(page).evaluate("box => box.scrollHeight") < 9_000_000
    for share in (0.25, 0.5, 0.75):
        view(page).evaluate("(box, share) => { box.scrollTop = share * box.scrollHeight; }", share)
        page.wait_for_function(
            """([share, lines]) => { const drawn = document.querySelectorAll('.vk-log-line[data-here=true]');
              return drawn.length > 20 && Math.abs(drawn[0].dataset.line / lines - share) < 0.08; }""",
            arg=[share, LINES],
        )


def test_a_line_is_jumped_to(page: Page) -> None:
    panel = log_page(page)
    page.get_by_role("textbox", name="Go to line").fill("1,234,567")
    page.keyboard.press("Enter")
    expect(line(page, 1_234_567)).to_be_in_viewport()
    assert all(message["lines"] <= 500 for message in panel.sent("read_log"))


def test_a_log_is_searched_hit_by_hit_and_marked(page: Page) -> None:
    page.clock.install()
    log_page(page)
    find = page.get_by_role("searchbox", name="Find in the log")
    stop_clock(page)  # a moment later it is searched without the key, which then leads to the next hit
    find.fill("error")
    page.keyboard.press("Enter")
    page.clock.resume()
    expect(page.locator(".vk-log-hits")).to_have_text("1 of 200+")
    expect(line(page, 1_000)).to_be_in_viewport()
    expect(line(page, 1_000).locator("mark")).to_have_text("ERROR")
    expect(line(page, 1_000)).to_have_attribute("data-current", "true")
    page.keyboard.press("Enter")
    expect(line(page, 2_000)).to_be_in_viewport()
    page.keyboard.press("Shift+Enter")
    expect(line(page, 1_000)).to_be_in_viewport()
    page.get_by_role("button", name="Previous hit").click()
    expect(page.locator(".vk-log-hits")).to_have_text("200 of 200+")
    page.get_by_role("button", name="Next hit").click()
    expect(page.locator(".vk-log-hits")).to_have_text("201 of 400+")
    expect(page.locator("[aria-live=polite]")).to_contain_text("201 of 400, line 201,000: ERROR batch")
    find.fill("no such thing")
    expect(page.locator(".vk-log-hits")).to_have_text("Not found")


def test_the_find_shortcut_finds_in_the_log_while_it_is_open(page: Page) -> None:
    log_page(page)
    page.evaluate(
        """window.reached = [];
        document.addEventListener('keydown', event => {
          if (!event.target.closest('[data-lm-suppress-shortcuts]')) window.reached.push(event.key);
        }, true)"""
    )
    view(page).focus()
    page.keyboard.press("Control+f")
    expect(page.get_by_role("searchbox", name="Find in the log")).to_be_focused()
    assert "f" not in page.evaluate("window.reached")
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Type a command").focus()
    page.keyboard.press("Control+f")
    assert "f" in page.evaluate("window.reached")


def test_a_growing_log_is_followed_until_one_scrolls_up_and_again_when_asked(page: Page) -> None:
    panel = log_page(page, 7)
    expect(page.locator(".vk-log-facts")).to_contain_text("following")

    def grow(lines: int) -> None:
        page.evaluate("lines => { window.kept.lines += lines; window.kept.growing = true; }", lines)
        panel.deliver(TaskOutput(task_id=7, text="more\n", output_bytes=5_000 + lines))

    grow(50)
    expect(line(page, LINES + 50)).to_be_in_viewport()
    view(page).hover()
    page.mouse.wheel(0, -900)
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_be_visible()
    top = at_rest(page, f"({TOP_LINE})()")
    grow(70)
    expect(page.locator(".vk-log-facts")).to_contain_text("3,400,120 lines")
    assert page.evaluate(TOP_LINE) == top
    follow.click()
    expect(line(page, LINES + 120)).to_be_in_viewport()


def test_long_lines_are_wrapped_when_asked_and_every_line_is_still_reached(page: Page) -> None:
    log_page(page, width=320)
    page.get_by_role("button", name="Wrap long lines").click()
    expect(line(page, LINES)).to_be_in_viewport()
    page.wait_for_function(
        """() => { const box = document.querySelector('.vk-log-box');
          return box.scrollWidth === box.clientWidth; }"""
    )
    view(page).focus()
    page.keyboard.press("Home")
    expect(line(page, 1)).to_be_in_viewport()
    seen = set()
    for _ in range(30):
        seen |= set(
            page.locator(".vk-log-line").evaluate_all(
                """lines => { const box = document.querySelector('.vk-log-box').getBoundingClientRect();
                  return lines.filter(line => { const { top, bottom } = line.getBoundingClientRect();
                    return bottom > box.top && top < box.bottom; })
                    .map(line => Number(line.dataset.line)); }"""
            )
        )
        page.keyboard.press("PageDown")
    assert seen == set(range(1, max(seen) + 1)), "no line was passed over"
    assert max(seen) > 100


def test_where_a_log_was_cut_is_said(page: Page) -> None:
    panel = tasks_page(page)
    cut = task(
        20, 2, "run_shell yes", area="shell", log_path="/logs/20.log", log_cut_bytes=88_000_000, ended_at=1.0
    )
    panel.deliver(TaskChanged(task=cut))
    panel.answer(stored(1_000))
    page.get_by_role("button", name="Open log of task 20").click()
    expect(page.locator(".vk-log-facts")).to_contain_text("Cut at the log's limit: 88 MB more were not kept.")


def test_a_log_is_copied_whole_when_short_else_its_newest_part(page: Page) -> None:
    panel = tasks_page(page)
    panel.answer(stored(1_200))
    page.get_by_role("button", name="Open log of task 3").click()
    page.get_by_role("button", name="Copy the log").click()
    expect(page.locator("[aria-live=polite]")).to_have_text("Copied 1,200 lines")
    copied = clipboard(page).split("\n")
    assert len(copied) == 1_200
    assert copied[999].startswith("ERROR batch 0001000")


def test_a_log_that_cannot_be_read_says_why(page: Page) -> None:
    panel = tasks_page(page)
    panel.answer(
        """message => message.type === 'read_log' && window.deliver({ type: 'log_page', id: message.id,
          first_line: 0, lines: [], total_lines: 0, total_bytes: 0, complete: true, problem: { kind: 'NoLog',
          message: 'The log is not there any more.', hint: 'Old logs are removed.', retryable: false } })"""
    )
    page.get_by_role("button", name="Open log of task 3").click()
    expect(sheet(page)).to_contain_text("The log is not there any more.")
    expect(sheet(page)).to_contain_text("Old logs are removed.")


def test_a_log_is_enlarged_over_the_window_and_comes_back(page: Page) -> None:
    log_page(page, width=320)
    small = view(page).bounding_box()
    page.get_by_role("button", name="Enlarge").click()
    expect(page.locator(".vk-sheet:popover-open")).to_be_visible()
    large = view(page).bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > 2 * small["width"]
    expect(line(page, LINES)).to_be_in_viewport()
    page.get_by_role("button", name="Back to its place").click()
    expect(page.locator(".vk-sheet:popover-open")).to_have_count(0)
    back = view(page).bounding_box()
    assert back is not None
    assert abs(back["width"] - small["width"]) < 2


def test_a_log_opens_from_the_card_below_a_cell(page: Page) -> None:
    panel = PanelPage(page, view="card", turn_id=2)
    panel.deliver(*working())
    panel.answer(stored(LINES))
    page.get_by_role("button", name="Open log of task 2").click()
    expect(line(page, LINES)).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(sheet(page)).to_have_count(0)


# ---- notifications --------------------------------------------------------------------------------

RECORD = """() => {
  window.shown = [];
  class Shown {
    static permission = 'default';
    static requestPermission = async () => (Shown.permission = window.answerOfPerson ?? 'granted');
    constructor(title, options) { this.title = title; this.body = options.body; window.shown.push(this); }
    close() {}
  }
  window.Notification = Shown;
  window.said = [];
  Object.defineProperty(window, 'speechSynthesis', { value: {
    getVoices: () => [], cancel: () => {}, speak: utterance => window.said.push(utterance.text) } });
}"""


def ended(**changes: Any) -> TaskChanged:
    values: dict[str, Any] = {
        "area": "tests",
        "state": "failed",
        "ended_at": 0.0,
        "result": Result(summary="1 failed", tests=TestReport(passed=45, failed=2)),
        **changes,
    }
    run = task(7, 4, "run_tests tests/secret", **values)
    return TaskChanged(
        task=run.model_copy(update={"started_at": run.created_at, "ended_at": run.created_at + 90})
    )


def notifying(page: Page) -> PanelPage:
    panel = PanelPage(page)
    page.evaluate(RECORD)
    panel.deliver(*busy())
    page.get_by_role("button", name="Notifications").click()
    return panel


def test_nobody_is_notified_who_did_not_ask_for_it(page: Page) -> None:
    panel = notifying(page)
    panel.deliver(ended())
    assert page.evaluate("[window.shown.length, window.said.length]") == [0, 0]


def test_the_end_of_a_long_task_is_notified_also_while_another_tab_is_in_front(page: Page) -> None:
    notifying(page)
    expect(page.get_by_text("For tasks that take longer than 20 s.")).to_be_visible()
    page.get_by_role("checkbox", name="Show a notification of the browser").check()
    page.keyboard.press("Escape")
    # A page that is not in front draws nothing.
    page.evaluate(
        """() => { Object.defineProperty(document, 'hidden', { value: true });
          const draw = window.requestAnimationFrame.bind(window);
          const waiting = [];
          window.requestAnimationFrame = callback => waiting.push(callback);
          window.comeBack = () => { window.requestAnimationFrame = draw; waiting.forEach(draw); }; }"""
    )
    page.evaluate("message => window.deliver(message)", ended().model_dump(mode="json"))
    [shown] = page.evaluate("window.shown.map(({ title, body }) => [title, body])")
    assert shown == ["Tests: 2 failed, 45 passed", "Task 7, after 1 min 30 s."]
    page.evaluate("() => { window.comeBack(); window.shown[0].onclick(); }")
    expect(page.get_by_role("tab", name="Tasks")).to_have_attribute("aria-selected", "true")
    expect(sheet(page)).to_contain_text("Task 7")
    expect(page.locator(".vk-sheet:focus-within")).to_have_count(1)


def test_the_end_is_said_aloud_when_that_was_switched_on(page: Page) -> None:
    panel = notifying(page)
    page.get_by_role("checkbox", name="Say it aloud").check()
    panel.deliver(ended())
    assert page.evaluate("window.said") == ["Done: Tests, 2 failed"]
    assert page.evaluate("window.shown.length") == 0


def test_the_kernel_says_what_is_long(page: Page) -> None:
    panel = notifying(page)
    page.get_by_role("checkbox", name="Show a notification of the browser").check()
    first = busy()[0]
    assert isinstance(first, State)
    panel.deliver(first.model_copy(update={"about": ABOUT.model_copy(update={"notify_after_s": 600.0})}))
    panel.deliver(ended())
    assert page.evaluate("window.shown.length") == 0


def test_a_browser_that_says_no_is_explained(page: Page) -> None:
    notifying(page)
    page.evaluate("window.answerOfPerson = 'denied'")
    choice = page.get_by_role("checkbox", name="Show a notification of the browser")
    choice.click()
    expect(page.get_by_text("The browser does not let this page show notifications.")).to_be_visible()
    expect(choice).not_to_be_checked()


# ---- accessibility and size -----------------------------------------------------------------------


@pytest.mark.parametrize("width", [300, 860])
@pytest.mark.parametrize("theme", ["light", "dark", "none"])
def test_no_place_and_nothing_over_it_has_an_accessibility_violation(
    page: Page, theme: Theme, width: int
) -> None:
    page.emulate_media(reduced_motion="reduce")
    panel = PanelPage(page, theme=theme, width=width)
    panel.deliver(*busy())
    panel.answer(stored(LINES))

    def check(what: str) -> None:
        panel.settle()
        assert panel.violations() == [], what

    page.locator(".vk-title").click()
    expect(page.locator(".vk-thread")).to_have_count(4)
    check("conversations")
    page.get_by_role("button", name=re.compile("^Rename “Fit")).click()
    page.get_by_role("button", name=re.compile("^Delete “Cart")).click()
    check("renaming and deleting")
    page.get_by_role("button", name="Notifications").click()
    check("notifications")
    go_back = page.get_by_role("button", name="Close")
    go_back.click()
    go(page, "Tasks")
    check("tasks")
    row(page, 7).locator(".vk-row-main").click()
    check("a task")
    page.get_by_role("button", name="Run again with changes").click()
    check("run again with changes")
    page.keyboard.press("Escape")
    sheet(page).get_by_role("button", name="Open log").click()
    page.get_by_role("searchbox", name="Find in the log").fill("error")
    expect(line(page, 1_000)).to_be_in_viewport()
    check("a log")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    go(page, "History")
    expect(row(page, 400)).to_be_visible()
    check("history")


@pytest.mark.parametrize("width", [250, 280, 430, 860])
def test_nothing_is_cut_off_at_any_width(page: Page, width: int) -> None:
    panel = PanelPage(page, width=width)
    panel.deliver(*busy(), Notice(message="A notice.", hint="With a hint."))
    panel.answer(stored(LINES))
    for place in ("Conversation", "Tasks", "History"):
        go(page, place)
        panel.settle()
        wide: list[str] = page.evaluate(
            """() => { const panel = document.querySelector('.vk-panel').getBoundingClientRect();
              return [...document.querySelectorAll('.vk-panel button, .vk-panel input, .vk-panel select')]
                .filter(each => each.checkVisibility({ visibilityProperty: true }))
                .filter(each => { const { right, left } = each.getBoundingClientRect();
                  return right > panel.right + 1 || left < panel.left - 1; })
                .map(each => each.outerHTML.slice(0, 120)); }"""
        )
        assert wide == [], place


def test_the_bundle_stays_small() -> None:
    assert len(gzip.compress((STATIC / "panel.js").read_bytes(), 9)) <= 100_000


# ---- for real -------------------------------------------------------------------------------------


def test_in_jupyterlab_tasks_outlive_their_kernel_and_their_logs_are_read(
    browser: Browser, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / ".env").write_text("ALLOW_CLI_EXECUTION=true\n")
    write_notebook(root / "a.ipynb", ["x = 1"])
    with lab_server(root, tmp_path / "jupyter") as base:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        notebook = Notebook.open(context, base, "a.ipynb")
        page = notebook.page
        page.evaluate("() => window.jupyterapp.commands.execute('voice-kernel:open')")
        panel = page.locator(".vk-panel:visible")

        def say(text: str) -> None:
            type_command(panel, text)

        expect(panel.get_by_role("textbox", name="Type a command")).to_be_visible()
        panel.get_by_role("tab", name="Tasks").click()
        say("run the command seq 1 200000")
        expect(row(page, 1)).to_have_attribute("data-state", "succeeded")
        panel.get_by_role("button", name="Open log of task 1").click()
        expect(line(page, 200_000)).to_be_in_viewport()
        page.get_by_role("searchbox", name="Find in the log").fill("123456")
        expect(page.locator(".vk-log-hits")).to_have_text("1 of 1")
        expect(line(page, 123_456).locator("mark")).to_have_text("123456")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")

        say("run the command sleep 300")
        expect(row(page, 2)).to_have_attribute("data-state", "running")
        expect(panel.locator(".vk-title")).to_have_text("run the command seq 1 200000")
        page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.session.kernel.restart(); }}")
        expect(panel.locator("[data-task='2']")).to_have_attribute("data-state", "interrupted")
        expect(panel.locator(".vk-divider")).to_have_text("The kernel was restarted")
        panel.get_by_role("tab", name="Tasks").click()
        expect(page.locator(".vk-group")).to_have_text(re.compile("Before the restart"))
        row(page, 2).get_by_role("button", name="Retry task 2").click()
        expect(row(page, 3)).to_have_attribute("data-state", "running")
        expect(row(page, 3)).to_contain_text("sleep 300")
        row(page, 3).get_by_role("button", name="Cancel task 3").click()
        expect(row(page, 3)).to_have_attribute("data-state", "cancelled")

        panel.get_by_role("tab", name="History").click()
        expect(page.locator("[data-shown=true] .vk-row")).to_have_count(3)
        panel.locator(".vk-title").click()
        page.get_by_role("button", name="New conversation").click()
        expect(panel.locator(".vk-title")).to_have_text("New conversation")
        panel.locator(".vk-title").click()
        page.get_by_role("button", name=re.compile("^run the command seq")).click()
        expect(panel.locator(".vk-title")).to_have_text("run the command seq 1 200000")
        expect(panel.locator("[data-turn]")).to_have_count(3)
        notebook.shut_down()
        context.close()
