"""The user's own functions, as a person uses them: spoken into JupyterLab, watched, cancelled, approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import WAIT_MS, Notebook, lab_server, write_notebook
from playwright.sync_api import Browser, expect
from sidebar_page import put_into_microphone, speak

CLIP = Path(__file__).parent / "train_the_model.wav"
"""“Train the model for twenty epochs.” Made with hibari-tts 0.2.1 (Apache-2.0)."""
PICTURES = Path(__file__).parents[2] / "out"

TOOLS = '''
import threading
import pandas as pd
from voice_kernel import ToolContext, ask, tasks, tool

go_on = threading.Event()

@tool(sentences=["train [the] model [for {epochs} epochs]"])
def train(ctx: ToolContext, epochs: int = 3):
    """Train the model."""
    for epoch in range(epochs):
        print(f"epoch {epoch + 1}: loss {0.8 ** epoch:.3f}")
        ctx.progress(done=epoch + 1, total=epochs, unit="epochs")
        if epoch + 1 == 8:
            while not go_on.is_set():
                ctx.sleep(0.05)
    return {"loss": round(0.8 ** epochs, 3), "epochs": epochs}

@tool
def prices() -> pd.DataFrame:
    "Show the prices."
    return pd.DataFrame({"fruit": ["apple", "pear"], "price": [1.2, 1.5]})

@tool(sentences=["buy {amount} (apple|apples)"], asks="it costs money")
def buy(amount: int) -> str:
    "Buy apples."
    return f"Bought {amount} apples."
'''


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("lab")
    with lab_server(root, tmp_path_factory.mktemp("jupyter")) as base:
        yield base, root


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: tuple[str, Path]) -> Iterator[Notebook]:
    base, root = lab
    write_notebook(
        root / "own.ipynb",
        [
            "%load_ext voice_kernel\n%voice",
            TOOLS.strip(),
            "go_on.set()",
            "tasks",
            "await ask('train the model')",
        ],
    )
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, permissions=["microphone"])
    opened = Notebook.open(context, base, "own.ipynb")
    opened.run(0)
    expect(opened.page.locator(".vk-panel .vk-status")).to_have_attribute(
        "data-status", re.compile("ready|listening", re.I), timeout=WAIT_MS
    )
    opened.run(1)
    yield opened
    opened.shut_down()
    context.close()


def test_a_spoken_sentence_runs_the_function_with_its_number_and_shows_how_far_it_is(
    notebook: Notebook,
) -> None:
    page = notebook.page
    panel = page.locator(".vk-panel").first
    put_into_microphone(page, CLIP)
    button = panel.get_by_role("button", name="Hold to talk")
    button.scroll_into_view_if_needed()
    button.hover()
    page.mouse.down()
    speak(page)
    expect(panel.locator(".vk-transcript").last).to_contain_text("epochs", timeout=WAIT_MS)
    page.mouse.up()
    task = panel.locator(".vk-task").last
    expect(task).to_contain_text("train 20", timeout=WAIT_MS)
    expect(task.locator("progress")).to_have_attribute("value", "0.4", timeout=WAIT_MS)
    expect(task).to_contain_text("epoch 8: loss")
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / "own_tool_running.png")
    notebook.run(2)
    expect(task).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(task).to_contain_text("epochs 20")


def test_cancel_ends_the_function(notebook: Notebook) -> None:
    notebook.execute("go_on.clear()")
    task = notebook.say("train the model for nine epochs").locator(".vk-task")
    expect(task).to_contain_text("epoch 8", timeout=WAIT_MS)
    task.get_by_role("button", name=re.compile("^Cancel")).click()
    expect(task).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)


def test_a_table_that_is_returned_is_shown_as_a_table(notebook: Notebook) -> None:
    task = notebook.say("prices").locator(".vk-task")
    expect(task).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(task.locator("table")).to_contain_text("pear")
    expect(task).to_contain_text("2 rows, 2 columns")


def test_a_tool_that_asks_shows_its_reason_and_waits_for_a_yes(notebook: Notebook) -> None:
    turn = notebook.say("buy three apples")
    card = notebook.page.locator(".vk-approval")
    expect(card).to_contain_text("It asks because it costs money.", timeout=WAIT_MS)
    expect(card).to_contain_text("Buy apples.")
    notebook.page.screenshot(path=PICTURES / "own_tool_asks.png")
    card.get_by_role("button", name=re.compile("Approve")).click()
    task = turn.locator(".vk-task")
    expect(task).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    expect(task).to_contain_text("Bought 3 apples.")


def test_the_tasks_are_a_table_in_a_cell(notebook: Notebook) -> None:
    notebook.execute("go_on.set()")
    notebook.run(4)
    notebook.run(3)
    table = notebook.page.locator(".jp-OutputArea table", has_text="buy 3").last
    expect(table).to_contain_text("“buy three apples”", timeout=WAIT_MS)
    expect(table).to_contain_text("cancelled")
    table.scroll_into_view_if_needed()
    notebook.page.screenshot(path=PICTURES / "own_tasks.png")
