"""The model in a real JupyterLab and a real Notebook 7, against a server on loopback: its changes are seen as
diffs, accepted, rejected and undone; a card that waits survives what happens to pages and kernels, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab import NOTEBOOK, Notebook, shut_down
from openai_server import Call, OpenAIServer, Reply, serve
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sidebar_page import WAIT_MS, FrontEnd, Sidebar, outputs_text, write_cells

OUT = Path(__file__).resolve().parents[2] / "out"
IN_ONE = pytest.mark.parametrize("front_end", ["lab"], ids=["JupyterLab"], indirect=True)
AREA = "def area(width, height):\n    size = width * height\n    return size"
BETTER = "def area(width: float, height: float) -> float:\n    return width * height"
KEPT = """
def _kept():
    import contextlib, sqlite3, time
    from jupyter_core.paths import jupyter_data_dir
    from voice_kernel.app import app_of
    session_id = app_of(get_ipython()).store.session_id
    give_up = time.monotonic() + 100
    while time.monotonic() < give_up:
        with contextlib.closing(sqlite3.connect(f"{jupyter_data_dir()}/voice_kernel/history.db", 30)) as base:
            asked = "SELECT data FROM approvals WHERE session_id = ? AND state = 'open'"
            cards = [data for (data,) in base.execute(asked, (session_id,)) if '"going_on"' in data]
        if len(cards) == COUNT:
            return len(cards)
        time.sleep(0.05)
print(_kept())
del _kept
"""
"""Waits until so many open cards are on disk, with what is needed to go on from their answers."""
ONCE = "with open('ran.txt', 'a') as file:\n    file.write('x')"


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


@pytest.fixture(autouse=True)
def _configured(model: OpenAIServer, root: Path) -> None:
    model.reset()
    (root / ".env").write_text(f"VOICE_KERNEL_BASE_URL={model.url}\nMODEL=scripted\n")
    (root / "ran.txt").write_text("")


def some_cells() -> list[Any]:
    new = nbformat.v4
    return [
        new.new_code_cell(AREA, id="area"),
        new.new_code_cell("print(area(3, 4))", id="use"),
        new.new_code_cell("left alone", id="rest"),
    ]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1400, "height": 900})
    yield opened
    shut_down(opened)


@pytest.fixture
def notebook(
    context: BrowserContext, front_end: FrontEnd, root: Path, request: pytest.FixtureRequest
) -> Notebook:
    name = f"{request.node.name.split('[')[0]}-{front_end.app}.ipynb"
    write_cells(root / name, some_cells())
    return front_end.open(context, name)


@pytest.fixture
def sidebar(notebook: Notebook) -> Sidebar:
    return Sidebar.open(notebook.page)


def card(sidebar: Sidebar, name: str) -> Locator:
    """Return the card that asks about a cell, or about a tool."""
    return sidebar.card.filter(has=sidebar.page.get_by_role("heading", name=name))


def reopened(page: Page) -> Sidebar:
    """Open the side bar of a page while a card waits."""
    page.evaluate("() => void window.jupyterapp.commands.execute('voice-kernel:open')")
    sidebar = Sidebar(page)
    sidebar.wait_ready(re.compile("Needs approval"))
    return sidebar


def restart(notebook: Notebook, cards: int) -> Sidebar:
    """Restart the kernel once the cards that wait are kept; returns the side bar with them."""
    assert notebook.execute(KEPT.replace("COUNT", str(cards))) == f"{cards}\n"
    notebook.page.evaluate(f"async () => {{ await ({NOTEBOOK}).sessionContext.restartKernel(); }}")
    return reopened(notebook.page)


def click(button: Locator) -> None:
    """Click a button once it can be: a card takes no click in its first moment."""
    expect(button).not_to_have_attribute("aria-disabled", "true", timeout=WAIT_MS)
    button.click()


def proposal() -> Call:
    edits = [
        {"cell": "1", "source": BETTER},
        {"cell": "3", "source": "gone = True"},
        {"action": "insert", "cell": "1", "source": "# A rectangle's area", "kind": "markdown"},
    ]
    return Call("propose_edits", {"edits": edits, "run": True})


def test_changes_are_seen_as_diffs_accepted_rejected_and_undone(
    sidebar: Sidebar, front_end: FrontEnd, model: OpenAIServer
) -> None:
    model.says(Reply(text="I would **type** the function.", calls=(proposal(),)), "Two of three are in.")
    before = sidebar.sources()
    turn = sidebar.send("ask the model to tidy up cell 1")
    edit = card(sidebar, "Change cell 1 and run it?")
    expect(edit.locator(".vk-diff-table")).to_be_visible(timeout=WAIT_MS)
    expect(edit.locator(".vk-diff-removed.vk-diff-line")).to_contain_text(["def area(width, height):"])
    expect(sidebar.card).to_have_count(3)
    assert sidebar.sources() == before
    sidebar.page.screenshot(path=OUT / f"diff-{front_end.app}.png")
    edit.get_by_role("button", name="Side by side").click()
    dialog = sidebar.page.get_by_role("dialog", name="Changes of cell 1")
    expect(dialog.get_by_role("columnheader", name="Proposed")).to_be_visible()
    sidebar.page.screenshot(path=OUT / f"diff-wide-{front_end.app}.png")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    click(edit.get_by_role("button", name="Accept"))
    click(card(sidebar, "Change cell 3").get_by_role("button", name="Reject"))
    expect(sidebar.card).to_have_count(1)
    said = sidebar.send("accept")  # the last one by words
    sidebar.ended(said)
    sidebar.ended(turn)
    assert sidebar.sources() == [BETTER, "# A rectangle's area", "print(area(3, 4))", "left alone"]
    expect(turn).to_contain_text("Two of three are in.")
    expect(turn.locator("[data-model]")).to_contain_text("scripted at 127.0.0.1")
    sidebar.say("undo")
    assert sidebar.sources() == before


@IN_ONE
def test_all_changes_are_rejected_by_one_click_and_nothing_has_changed(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says(proposal(), "As you wish.")
    before = sidebar.sources()
    turn = sidebar.send("ask the model to tidy up")
    expect(sidebar.card).to_have_count(3, timeout=WAIT_MS)
    sidebar.panel.get_by_role("button", name="Reject all").click()
    sidebar.ended(turn)
    assert sidebar.sources() == before
    assert "rejected by the user" in str(model.asked[1])


def once() -> Call:
    return Call("run_code", {"code": ONCE})


@IN_ONE
def test_a_card_survives_a_reload_and_a_double_click_runs_it_once(
    sidebar: Sidebar, notebook: Notebook, model: OpenAIServer, root: Path
) -> None:
    model.says(once(), "Done.")
    sidebar.send("ask the model to note it")
    expect(card(sidebar, "run_code")).to_be_visible(timeout=WAIT_MS)
    sidebar.page.reload()
    expect(sidebar.page.locator(".jp-Cell").first).to_be_visible(timeout=WAIT_MS)
    again = reopened(sidebar.page)
    approve = card(again, "run_code").get_by_role("button", name="Approve")
    expect(approve).not_to_have_attribute("aria-disabled", "true", timeout=WAIT_MS)
    approve.dblclick()
    again.ended(again.turns.last)
    assert (root / "ran.txt").read_text() == "x"


@IN_ONE
def test_two_tabs_that_both_approve_run_it_once(
    sidebar: Sidebar, notebook: Notebook, context: BrowserContext, model: OpenAIServer, root: Path
) -> None:
    model.says(once(), "Done.")
    turn = sidebar.send("ask the model to note it")
    here = card(sidebar, "run_code").get_by_role("button", name="Approve")
    expect(here).not_to_have_attribute("aria-disabled", "true", timeout=WAIT_MS)
    other_page = context.new_page()
    other_page.goto(sidebar.page.url)
    expect(other_page.locator(".jp-Cell").first).to_be_visible(timeout=WAIT_MS)
    other = reopened(other_page)
    there = card(other, "run_code").get_by_role("button", name="Approve")
    expect(there).not_to_have_attribute("aria-disabled", "true", timeout=WAIT_MS)
    there.evaluate("button => button.click()")
    # If it is still there: the answer given there is on its way.
    here.evaluate_all("buttons => buttons.forEach(button => button.click())")
    sidebar.ended(turn)
    expect(other.card).to_have_count(0)
    assert (root / "ran.txt").read_text() == "x"


@IN_ONE
def test_a_card_that_waits_while_the_kernel_restarts_is_shown_again_and_runs_once(
    sidebar: Sidebar, notebook: Notebook, model: OpenAIServer, root: Path
) -> None:
    model.says(Reply(text="I would note it.", calls=(once(),)), "It is noted.")
    sidebar.send("ask the model to note it")
    expect(card(sidebar, "run_code")).to_be_visible(timeout=WAIT_MS)
    sidebar.page.screenshot(path=OUT / "card-before-restart.png")
    again = restart(notebook, cards=1)
    asked = card(again, "run_code")
    expect(asked).to_contain_text("Asked before the restart.", timeout=WAIT_MS)
    assert (root / "ran.txt").read_text() == ""
    sidebar.page.screenshot(path=OUT / "card-after-restart.png")
    click(asked.get_by_role("button", name="Approve"))
    turn = again.ended(again.turns.last)
    expect(turn).to_contain_text("It is noted.")
    assert (root / "ran.txt").read_text() == "x"
    assert "I would note it." in str(model.asked[1])
    sidebar.page.screenshot(path=OUT / "card-answered-after-restart.png")


@IN_ONE
def test_changes_that_wait_while_the_kernel_restarts_are_shown_again_as_diffs(
    sidebar: Sidebar, notebook: Notebook, model: OpenAIServer
) -> None:
    model.says(proposal(), "Two of three are in.")
    sidebar.send("ask the model to tidy up")
    expect(sidebar.card).to_have_count(3, timeout=WAIT_MS)
    again = restart(notebook, cards=3)
    edit = card(again, "Change cell 1 and run it?")
    expect(edit.locator(".vk-diff-table")).to_be_visible(timeout=WAIT_MS)
    expect(again.card).to_have_count(3, timeout=WAIT_MS)
    click(edit.get_by_role("button", name="Accept"))
    click(card(again, "Change cell 3").get_by_role("button", name="Reject"))
    expect(again.card).to_have_count(1)
    again.ended(again.send("accept"))
    again.ended(again.turns.nth(-2))
    assert again.sources() == [BETTER, "# A rectangle's area", "print(area(3, 4))", "left alone"]
    assert "refused by the user" in str(model.asked[1])


@IN_ONE
def test_faults_end_in_words_with_what_was_said_before_and_a_way_on(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says(Reply(text="One two three four.", cut_after=2), "One two three four.")
    broken = sidebar.say("ask the model to count to four", "failed")
    expect(broken).to_contain_text("One two")
    expect(broken).to_contain_text("broke off in the middle of its answer")
    sidebar.page.screenshot(path=OUT / "model-broke-off.png")
    newest = sidebar.newest
    broken.get_by_role("button", name="Try again").click()
    expect(sidebar.ended(sidebar.after(newest))).to_contain_text("One two three four.")
    model.says(Reply(status=429, error={"message": "slow"}, headers={"retry-after": "90"}))
    expect(sidebar.say("ask the model again", "failed")).to_contain_text("Ask again in 90 s.")
    model.says(Reply(refusal="I would rather not."))
    expect(sidebar.say("ask the model for more", "failed")).to_contain_text("The model declined")
    model.key = "sk-right"
    expect(sidebar.say("ask the model once more", "failed")).to_contain_text("wants an API key")


@IN_ONE
def test_what_a_model_gets_wrong_is_told_to_it_and_the_turn_goes_on(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says(Call("no_such_tool"), Call("describe_variable", "{not json"), "I was mistaken.")
    expect(sidebar.say("ask the model for the impossible", "succeeded")).to_contain_text("I was mistaken.")
    model.says(Reply(garbage="<html>hello</html>"))
    nonsense = sidebar.say("ask the model to go on", "failed")
    expect(nonsense).to_contain_text("makes no sense")
    expect(nonsense).not_to_contain_text("hello")


@IN_ONE
def test_a_conversation_that_is_too_long_for_the_model_ends_in_words_and_a_way_on(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    too_long = Reply(status=400, error={"message": "too long", "code": "context_length_exceeded"})
    model.says(too_long, too_long)  # the second time without what was said before
    ended = sidebar.say("ask the model about everything", "failed")
    expect(ended).to_contain_text("too long for")
    expect(ended).to_contain_text("new conversation")


@IN_ONE
def test_the_first_piece_of_an_answer_is_seen_while_the_rest_is_still_being_written(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says(Reply(text="First second third.", hold_after=1))
    turn = sidebar.send("ask the model to count")
    expect(turn).to_contain_text("First", timeout=WAIT_MS)
    expect(turn).not_to_contain_text("second")
    turn.get_by_role("button", name=re.compile("^Stop")).click()
    sidebar.ended(turn, "cancelled")
    expect(turn).to_contain_text("First")


@IN_ONE
def test_another_model_is_chosen_in_the_panel(sidebar: Sidebar, model: OpenAIServer) -> None:
    chooser = sidebar.panel.get_by_role("combobox", name="Model")
    expect(chooser.locator("option").first).to_have_text("scripted")
    newest = sidebar.newest
    chooser.select_option("ollama")
    turn = sidebar.ended(sidebar.after(newest), "failed")  # nobody listens there
    expect(turn).to_contain_text("cannot be reached")
    model.says("Still me.")
    expect(sidebar.say("ask the model who it is")).to_contain_text("Still me.")
    assert outputs_text(Notebook(sidebar.page), 0) == ""


@IN_ONE
def test_a_file_that_is_dropped_goes_with_the_question_that_names_it(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    sidebar.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(['Sow in May.'], 'my plan.txt', { type: 'text/plain' }));
          document.querySelector('.vk-sidebar-panel:not([hidden]) .vk-say').dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(sidebar.box).to_have_value('@"my plan.txt" ')
    model.says("In May.")
    sidebar.say('ask the model when to sow by @"my plan.txt"')
    assert "Sow in May." in str(model.asked[0])


@IN_ONE
def test_a_file_is_dragged_from_the_file_browser_into_the_question(
    sidebar: Sidebar, model: OpenAIServer, root: Path
) -> None:
    (root / "sowing.txt").write_text("Sow in June.")
    page = sidebar.page
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:refresh')")
    item = page.locator(".jp-DirListing-item", has_text="sowing.txt")
    expect(item).to_be_visible(timeout=WAIT_MS)
    item.hover()
    page.mouse.down()
    box = sidebar.box.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] - 40, steps=8)
    page.mouse.move(box["x"] + 40, box["y"] + 8, steps=8)
    page.mouse.up()
    expect(sidebar.box).to_have_value("@sowing.txt ", timeout=WAIT_MS)
    page.screenshot(path=OUT / "file-dragged.png")
    assert (root / "sowing.txt").exists()  # it was not moved anywhere
    model.says("In June.")
    expect(sidebar.say("ask the model when to sow by @sowing.txt")).to_contain_text("In June.")
    assert "Sow in June." in str(model.asked[0])


@pytest.fixture
def costs(root: Path, model: OpenAIServer) -> None:
    """A price, and a budget for two requests of the scripted model."""
    with (root / ".env").open("a") as file:
        file.write("VOICE_KERNEL_MODEL_PRICE=1/10\nVOICE_KERNEL_MODEL_BUDGET=20\n")


@IN_ONE
@pytest.mark.usefixtures("costs")
def test_what_an_answer_cost_is_seen_and_a_budget_stops_in_words(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says("One.", "Two.", "never said")
    first = sidebar.say("ask the model for one")
    taken = "1 request, 10 tokens in, 5 out, 0.0001 US dollars"
    expect(first.locator("[data-model]")).to_have_attribute("title", taken)
    told = sidebar.say("how many tokens did the model use")
    expect(told).to_contain_text("This conversation has taken 1 request, 10 tokens in, 5 out")
    expect(told).to_contain_text("Its budget is 20 tokens.")
    sidebar.say("ask the model for two")
    stopped = sidebar.say("ask the model for three", "failed")
    expect(stopped).to_contain_text("This conversation has used up its budget: 30 of 20 tokens.")
    expect(stopped).to_contain_text("new conversation")
    assert len(model.asked) == 2
    sidebar.page.screenshot(path=OUT / "model-budget.png")
    sidebar.say("new conversation")
    model.script.clear()
    model.says("Four.")
    expect(sidebar.say("ask the model for four")).to_contain_text("Four.")


@IN_ONE
def test_a_model_that_goes_round_in_circles_is_stopped_in_words(
    sidebar: Sidebar, model: OpenAIServer
) -> None:
    model.says(*[Call("list_variables", {})] * 12)
    stopped = sidebar.say("ask the model what is here", "failed")
    expect(stopped).to_contain_text("The model went round in circles and was stopped.")
    expect(stopped).to_contain_text("Ask in other words, or for a smaller step")
