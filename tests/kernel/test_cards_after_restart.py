"""A card that waits when its kernel ends is asked for again by the next; its call is made once or never."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import Call, OpenAIServer, Reply, serve
from page import SHELL, Notebook, Page

from voice_kernel.messages import Approval, CancelTurn, OpenThread

ONCE = "with open('ran.txt', 'a') as file:\n    file.write('x')"


@pytest.fixture(scope="module")
def _one_server() -> Iterator[OpenAIServer]:
    with serve() as running:
        yield running


@pytest.fixture
def model(_one_server: OpenAIServer) -> OpenAIServer:
    _one_server.reset()
    return _one_server


@pytest.fixture
def notebook(model: OpenAIServer, tmp_path: Path) -> Iterator[Notebook]:
    asks = {"VOICE_KERNEL_BASE_URL": model.url, "MODEL": "scripted", "VOICE_KERNEL_MODEL_SHARE": "always"}
    with Notebook(tmp_path, environment={**SHELL, **asks}) as notebook:
        yield notebook


def ran(notebook: Notebook) -> str:
    """What the call has left behind."""
    file = notebook.folder / "ran.txt"
    return file.read_text() if file.exists() else ""


def until_kept(notebook: Notebook, state: str = "open") -> None:
    """Wait until a card with what is needed to go on is on disk."""
    kernel = notebook.kernel
    assert kernel is not None

    def kept() -> bool:
        with contextlib.closing(sqlite3.connect(notebook.data / "history.db", timeout=30)) as database:
            rows = database.execute("SELECT data FROM approvals WHERE state = ?", (state,)).fetchall()
        return any('"going_on"' in data for (data,) in rows)

    kernel.until(kept)


def ask(notebook: Notebook, model: OpenAIServer, words: str = "ask the model to note it") -> Page:
    """Let the model call something that needs approval; returns when its card is on disk."""
    model.says(Reply(text="I would note it.", calls=(Call("run_code", {"code": ONCE}),)), "Noted.")
    page = notebook.open()
    page.until_kept()
    page.begin(words)
    page.card()
    until_kept(notebook)
    return page


def asked_again(page: Page) -> Approval:
    """Return the card that the new kernel shows."""
    card = page.card()
    assert card.reason.startswith("Asked before the restart.")
    assert (card.tool, card.arguments) == ("run_code", {"code": ONCE})
    return card


def test_approved_after_a_restart_it_runs_once_and_the_model_goes_on_with_its_result(
    notebook: Notebook, model: OpenAIServer
) -> None:
    page = ask(notebook, model)
    page.kernel.restart()
    page = Page(page.kernel)
    card = asked_again(page)
    assert ran(notebook) == ""
    before = page.turns[1]
    assert (before.state, before.answer) == ("failed", "I would note it.")
    page.answer(card, True)
    turn = page.said(page.tasks[card.task_id].turn_id)
    assert (turn.state, turn.answer, turn.text) == ("succeeded", "Noted.", before.text), (turn, page.tasks)
    assert (turn.route, turn.model.split()[0]) == ("model", "scripted")
    assert ran(notebook) == "x"
    first, second = model.asked
    assert str(second).count("ask the model to note it") == str(first).count("ask the model to note it")
    assert "I would note it." in str(second)
    # Nothing of it is left for yet another kernel.
    page.kernel.restart()
    page = Page(page.kernel)
    page.until(lambda: turn.id in page.turns)
    page.done("echo later")
    assert not [card for card in page.approvals.values() if card.state == "open"]
    assert ran(notebook) == "x"


def test_a_killed_kernel_leaves_the_card_too_and_a_no_is_told_to_the_model(
    notebook: Notebook, model: OpenAIServer
) -> None:
    page = ask(notebook, model)
    page.kernel.kill()
    page = notebook.open()
    card = asked_again(page)
    page.answer(card, False)
    turn = page.said(page.tasks[card.task_id].turn_id)
    assert (turn.state, turn.answer) == ("succeeded", "Noted.")
    assert "You said no to run_code." in str(model.asked[1])
    assert ran(notebook) == ""


def test_a_card_is_asked_for_again_as_often_as_the_kernel_restarts(
    notebook: Notebook, model: OpenAIServer
) -> None:
    page = ask(notebook, model)
    asked_at = page.approvals[1].created_at
    for _ in range(2):
        page.kernel.restart()
        page = Page(page.kernel)
        card = asked_again(page)
        assert card.created_at == asked_at
        until_kept(notebook)
    page.answer(card, True)
    assert page.said(page.tasks[card.task_id].turn_id).answer == "Noted."
    assert ran(notebook) == "x"


def test_a_card_that_was_cancelled_is_not_asked_for_again(notebook: Notebook, model: OpenAIServer) -> None:
    page = ask(notebook, model)
    page.send(CancelTurn(turn_id=1))
    page.said(1)
    notebook.written(lambda tasks: [task.state for task in tasks] == ["cancelled"])
    page.kernel.restart()
    page = Page(page.kernel)
    page.until(lambda: 1 in page.turns)
    page.done("echo later")
    assert not [card for card in page.approvals.values() if card.state == "open"]


def test_of_two_kernels_on_one_store_only_one_asks_again(
    notebook: Notebook, model: OpenAIServer, tmp_path: Path
) -> None:
    page = ask(notebook, model)
    thread = page.thread.id
    page.kernel.kill()
    with Notebook(tmp_path, "other.ipynb", **notebook.options) as other_notebook:
        other = other_notebook.open()
        other.until_kept()
        other.send(OpenThread(thread_id=thread))
        card = asked_again(other)
        page = notebook.open()  # a living session has the conversation: this one begins another
        page.until_kept()
        page.send(OpenThread(thread_id=thread))
        page.until(lambda: page.thread.id == thread)
        page.done("echo later")
        assert not [card for card in page.approvals.values() if card.state == "open"]
        other.answer(card, True)
        assert other.said(other.tasks[card.task_id].turn_id).answer == "Noted."
    assert ran(notebook) == "x"


def test_a_command_asks_again_and_its_plan_goes_on(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    page.begin("run command pip uninstall nothing-of-that-name --yes and then list variables")
    page.card()
    until_kept(notebook)
    page.kernel.restart()
    page = Page(page.kernel)
    card = page.card()
    assert card.tool == "run_shell"
    assert card.reason.startswith("Asked before the restart.")
    page.answer(card, True)
    turn = page.said(page.tasks[card.task_id].turn_id)
    assert turn.state == "succeeded"
    assert [task.tool for task in page.tasks.values() if task.turn_id == turn.id] == [
        "run_shell",
        "list_variables",
    ]


def test_a_cell_that_waited_asks_again_only_when_it_is_run_again(
    notebook: Notebook, model: OpenAIServer
) -> None:
    model.says(Call("run_code", {"code": ONCE}), "Noted.")
    page = notebook.open()
    page.until_kept()
    page.kernel.begin("%load_ext voice_kernel\n%voice ask the model to note it")
    page.card()
    page.kernel.restart()
    page = Page(page.kernel)
    page.until(lambda: 1 in page.turns)
    page.done("echo later")
    assert not [card for card in page.approvals.values() if card.state == "open"]
    assert ran(notebook) == ""
