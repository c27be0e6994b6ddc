"""A person's worst day: the kernel is busy for long, and commands keep coming, spoken and typed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import BinaryIO

import nbformat
import pytest
from lab import NOTEBOOK, WAIT_MS, Notebook, lab_server
from playwright.sync_api import Browser, Page, expect
from sidebar_page import ENDED, SPOKEN, Sidebar, outputs_text, write_cells

RUN_CELL_THREE = SPOKEN / "hibari_002.wav"
RUN_CELLS_THREE_TO_FIVE = SPOKEN / "hibari_003.wav"
INSERT_A_MARKDOWN_CELL = SPOKEN / "hibari_015.wav"


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lab_server(root, tmp_path_factory.mktemp("lab")) as base:
        yield base


class Gate:
    """A pipe: the cell that reads it runs until the gate opens."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._writer: BinaryIO | None = None

    def wait_until_read(self) -> None:
        """Wait until a cell reads: opening one end of a pipe waits for the other."""
        opening: Future[BinaryIO] = Future()
        Thread(target=lambda: opening.set_result(self.path.open("wb")), daemon=True).start()
        self._writer = opening.result(WAIT_MS / 1000)

    def open(self) -> None:
        """Let the cell end."""
        assert self._writer is not None
        self._writer.write(b"go")
        self._writer.close()


@pytest.fixture
def gate(root: Path, request: pytest.FixtureRequest) -> Gate:
    return Gate(root / f"{request.node.name}.gate")


@pytest.fixture
def busy(
    browser: Browser, lab: str, root: Path, gate: Gate, request: pytest.FixtureRequest
) -> Iterator[Notebook]:
    """A notebook with an open panel whose first cell runs until the gate opens."""
    name = f"{request.node.name}.ipynb"
    wait = f"open({str(gate.path)!r}).read()"
    code = [f"ran = []\n{wait}", "#", *(f"ran.append({n})" for n in (3, 4, 5)), wait, "ran.append(7)"]
    write_cells(root / name, [nbformat.v4.new_code_cell(source) for source in code])
    context = browser.new_context(viewport={"width": 1400, "height": 900}, permissions=["microphone"])
    notebook = Notebook.open(context, lab, name)
    Sidebar.open(notebook.page)
    notebook.run(0, wait=False)
    wait_running(notebook.page, 0)
    gate.wait_until_read()
    yield notebook
    notebook.shut_down()
    context.close()


def wait_running(page: Page, index: int) -> None:
    page.wait_for_function(
        "i => document.querySelectorAll('.jp-Cell')[i].innerText.includes('[*]')", arg=index, timeout=WAIT_MS
    )


def wait_count(page: Page, index: int) -> None:
    page.wait_for_function(
        f"i => ({NOTEBOOK}).content.widgets[i].model.executionCount", arg=index, timeout=WAIT_MS
    )


def test_five_commands_during_a_long_cell_wait_in_sight_and_run_in_order(busy: Notebook, gate: Gate) -> None:
    page = busy.page
    sidebar = Sidebar(page)
    first = sidebar.hear(RUN_CELL_THREE)
    expect(first.locator(".vk-task")).to_have_attribute("data-state", "running", timeout=WAIT_MS)
    second = sidebar.hear(RUN_CELLS_THREE_TO_FIVE)
    third = sidebar.send("run cell four")
    fourth = sidebar.send("run cell five")
    fifth = sidebar.hear(INSERT_A_MARKDOWN_CELL)

    waiting = (second, third, fourth, fifth)
    for turn in waiting:
        task = turn.locator(".vk-task")
        expect(task).to_have_attribute("data-state", "queued", timeout=WAIT_MS)
        expect(task).to_contain_text("Waiting")
    second.get_by_role("button", name=re.compile("^Cancel task")).click()
    expect(second).to_have_attribute("data-state", ENDED, timeout=WAIT_MS)
    expect(second.locator(".vk-task")).to_have_attribute("data-state", "cancelled")
    # Nothing has run: the long cell is not done yet.
    assert [busy.count(index) for index in range(7)] == [None] * 7

    gate.open()
    for turn in (first, third, fourth, fifth):
        expect(turn).to_have_attribute("data-state", "succeeded", timeout=WAIT_MS)
    assert busy.execute("print(ran)") == "[3, 4, 5]\n"
    assert "first look at the data" in " ".join(sidebar.sources()).lower()


def test_a_command_cancelled_while_it_waits_does_not_touch_the_cell_that_runs(
    busy: Notebook, gate: Gate
) -> None:
    page = busy.page
    sidebar = Sidebar(page)
    turn = sidebar.send("run cell three")
    expect(turn.locator(".vk-task")).to_have_attribute("data-state", "running", timeout=WAIT_MS)
    turn.get_by_role("button", name=re.compile("^Cancel task")).click()
    expect(turn.locator(".vk-task")).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)
    gate.open()
    wait_count(page, 0)
    assert outputs_text(busy, 0) == "'go'"
    assert busy.execute("print(ran)") == "[]\n"


def test_controls_pass_the_queue(busy: Notebook) -> None:
    sidebar = Sidebar(busy.page)
    waiting = [sidebar.send("run cell three"), sidebar.send("run cell four")]
    expect(waiting[1].locator(".vk-task")).to_have_attribute("data-state", "queued", timeout=WAIT_MS)
    sidebar.say("interrupt the kernel")
    wait_count(busy.page, 0)
    assert outputs_text(busy, 0) == "KeyboardInterrupt"


def test_cancelling_a_run_ends_its_running_cell_and_those_behind_it(busy: Notebook, gate: Gate) -> None:
    gate.open()
    wait_count(busy.page, 0)
    sidebar = Sidebar(busy.page)
    turn = sidebar.send("run cells three to seven")
    gate.wait_until_read()  # by the sixth cell
    turn.get_by_role("button", name=re.compile("^Cancel task")).click()
    expect(turn.locator(".vk-task")).to_have_attribute("data-state", "cancelled", timeout=WAIT_MS)
    wait_count(busy.page, 5)
    assert outputs_text(busy, 5) == "KeyboardInterrupt"
    assert busy.execute("print(ran)") == "[3, 4, 5]\n"
    assert busy.count(6) is None
