"""What a person of a ChatKit client reads in a German session: cards, rows, summaries, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from voice_kernel import language
from voice_kernel.messages import (
    Approval,
    FormField,
    McpServer,
    Problem,
    Result,
    Task,
    TestReport,
    Turn,
    TurnChanged,
)
from voice_kernel.messages import TaskChanged as Changed
from voice_kernel.server.app import unauthorized
from voice_kernel.server.attachments import too_large
from voice_kernel.server.line import Feed
from voice_kernel.server.turnstream import TurnStream, Waiting, values_of
from voice_kernel.widgets.frozen import widget_html
from voice_kernel.widgets.servercards import server_list
from voice_kernel.widgets.taskcards import approval_card, task_card, task_list


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    language.use("de")
    yield
    language.use("en")


def task(number: int = 1, **more: object) -> Task:
    fields = {
        "id": number, "turn_id": 1, "tool": "run_shell", "title": "run_shell ls", "state": "succeeded",
        "created_at": 1.0, "ended_at": 2.0,
    }  # fmt: skip
    return Task.model_validate({**fields, **more})


def test_the_cards_of_tasks_servers_and_approvals_are_german() -> None:
    report = Result(tests=TestReport(passed=3, failed=1))
    said = json.dumps(
        [
            task_card(task(result=report)),
            task_card(task(state="running", ended_at=None)),
            task_list([]),
            task_list([task(state="awaiting_approval", ended_at=None)]),
            server_list([]),
            server_list([McpServer(name="zeit", state="running")]),
        ],
        ensure_ascii=False,
    )
    for words in (
        "Fertig", "3 bestanden", "1 fehlgeschlagen", "Wiederholen", "Läuft", "Abbrechen", "noch nichts getan",
        "Wartet auf Sie", "noch keinen MCP-Server", "0 Werkzeuge, 0 Aufrufe, 0 Fehler", "Stopp",
    ):  # fmt: skip
        assert words in said
    fields = {"id": 1, "task_id": 1, "tool": "t", "target": "ls", "reason": "Darum.", "created_at": 1.0}
    asks = approval_card(Approval.model_validate(fields))
    assert (asks["confirm"]["label"], asks["cancel"]["label"]) == ("Genehmigen", "Ablehnen")
    denied = approval_card(Approval.model_validate({**fields, "state": "denied"}))
    assert denied["children"][-1]["label"] == "Abgelehnt"


async def test_a_turn_is_told_in_german() -> None:
    feed = Feed("request")
    stream = TurnStream(feed, "thread", lambda kind: kind, lambda approval: None, list)
    ended = task(state="failed", problem=Problem(kind="X", message="Es ging nicht."))
    feed.turn = Turn(id=1, state="cancelled", origin="text", created_at=1.0, ended_at=2.0)
    feed.tasks[1] = ended
    feed.put(Changed(task=ended))
    feed.put(TurnChanged(turn=feed.turn))
    feed.end()
    told = "".join([event.model_dump_json() async for event in stream.events()])
    assert "1 Aufgabe: 1 fehlgeschlagen" in told
    assert "Abgebrochen." in told


def test_a_german_yes_is_a_yes() -> None:
    waiting = Waiting("item", 1, fields=(FormField(name="sure", kind="boolean"),))
    assert values_of(waiting, {"sure": ["Ja"]}) == {"sure": True}
    assert values_of(waiting, {"sure": ["Nein"]}) == {"sure": False}


def test_refusals_are_german() -> None:
    assert unauthorized().message.startswith("Ein Client-Secret")
    assert too_large("a.txt").message == "a.txt ist zu groß: höchstens 8 MB."


def test_the_frozen_form_of_a_picture_is_german() -> None:
    assert "Bild" in widget_html({"type": "Card", "children": [{"type": "Image", "src": "x"}]})
