"""A model proposes changes of cells: each waits for its own yes, then the cells are run, within a budget."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from brain_bench import LIMIT_S, Asked, Bench
from openai_server import Call, OpenAIServer
from played_notebook import PlayedNotebook
from test_brain import told

from voice_kernel.agent.brain import Brain, Limits
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.messages import Approval, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.tools import notebook, proposals
from voice_kernel.tools.desk import Desk


@pytest.fixture
def played(bench: Bench) -> PlayedNotebook:
    played = PlayedNotebook()
    for source in ("x = 1", "print(x + y)", "# notes"):
        played.add(source)
    desk = Desk(played, played, lambda turn_id: False)
    notebook.register(bench.toolbox.registry, desk)

    async def call(task: TaskHandle, tool: str, arguments: dict[str, Any]) -> Task:
        return await bench.toolbox.call(
            tool, arguments, turn_id=task.turn_id, origin=task.origin, untrusted=task.untrusted
        )

    proposals.register(bench.toolbox.registry, desk=desk, call=call)
    return played


@pytest.fixture
async def coder(server: OpenAIServer, bench: Bench, played: PlayedNotebook) -> AsyncIterator[Asked]:
    settings = ModelSettings("test-model", None, server.url)
    asked = Asked(Brain(settings, bench.toolbox, working_folder="/", limits=Limits(attempts=2)))
    yield asked
    await asked.brain.close()


def edits(*changes: dict[str, Any], run: bool = False) -> Call:
    return Call("propose_edits", {"edits": list(changes), "run": run})


async def cards(bench: Bench, count: int) -> list[Approval]:
    """Wait until so many cards are open."""
    async with asyncio.timeout(LIMIT_S):
        while len(bench.toolbox.approvals.open) < count:  # noqa: ASYNC110 - cards come one by one
            await asyncio.sleep(0.002)
    return bench.toolbox.approvals.open


async def card_of(bench: Bench, number: int) -> Approval:
    """Wait until the card with a number is open."""
    async with asyncio.timeout(LIMIT_S):
        while not (found := [card for card in bench.toolbox.approvals.open if card.id == number]):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    return found[0]


async def test_every_change_is_shown_as_a_diff_and_accepted_or_rejected_by_itself(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(
        edits(
            {"cell": "1", "source": "x = 2"},
            {"cell": "2", "source": "print(x)"},
            {"action": "insert", "cell": "2", "source": "# done", "kind": "markdown"},
            {"action": "delete", "cell": "3"},
        ),
        "Two of four.",
    )
    asking = asyncio.create_task(coder.answer("tidy up"))
    shown = await cards(bench, 4)
    diffs = [card.diff for card in shown if card.diff is not None]
    assert [(d.name, d.action, d.before, d.after) for d in diffs] == [
        ("cell 1", "edit", "x = 1", "x = 2"),
        ("cell 2", "edit", "print(x + y)", "print(x)"),
        ("a new cell after cell 2", "insert", "", "# done"),
        ("cell 3", "delete", "# notes", ""),
    ]
    assert played.sources == ["x = 1", "print(x + y)", "# notes"]
    for card, yes in zip(shown, (False, True, True, False), strict=True):
        bench.toolbox.approvals.decide(card.id, yes)
    await asking
    assert played.sources == ["x = 1", "print(x)", "# done", "# notes"]
    (result,) = told(server.asked[1])
    assert "cell 1: rejected by the user" in result
    assert "2 of 4 changes were accepted." in result


async def test_undo_takes_the_whole_turn_back(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(edits({"cell": "1", "source": "x = 2"}, {"cell": "3", "source": "# n"}), "Done.")
    asking = asyncio.create_task(coder.answer("tidy up", turn_id=5))
    for card in await cards(bench, 2):
        bench.toolbox.approvals.decide(card.id, True)
    await asking
    assert played.sources[0] == "x = 2"
    await bench.toolbox.call("undo", {}, turn_id=6, origin="voice")
    assert played.sources == ["x = 1", "print(x + y)", "# notes"]


async def test_accepted_cells_are_run_and_a_failure_is_told_to_the_model(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    played.execute("x = 1")
    server.says(
        edits({"cell": "2", "source": "print(x + z)"}, run=True),
        edits({"cell": "2", "source": "print(x + 1)"}, run=True),
        "It prints 2.",
    )
    asking = asyncio.create_task(coder.answer("fix cell 2"))
    for number in (1, 2):
        card = await card_of(bench, number)
        assert card.diff is not None
        assert card.diff.runs
        bench.toolbox.approvals.decide(card.id, True)
    assert await asking == "It prints 2."
    assert "NameError" in told(server.asked[1])[0]
    assert "2" in told(server.asked[2])[1]


async def test_attempts_end_with_the_budget_and_the_model_must_say_why(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    wrong = [edits({"cell": "2", "source": f"nope{number}"}, run=True) for number in range(4)]
    server.says(*wrong[:3], "It cannot work.")
    asking = asyncio.create_task(coder.answer("fix cell 2"))
    for number in (1, 2):
        bench.toolbox.approvals.decide((await card_of(bench, number)).id, True)
    assert await asking == "It cannot work."
    assert "last of 2 attempts" in told(server.asked[3])[2]
    assert played.sources[1] == "nope1"


async def test_a_cell_that_was_changed_meanwhile_is_left_alone(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(edits({"cell": "1", "source": "x = 2"}), "It was changed.")
    asking = asyncio.create_task(coder.answer("tidy up"))
    (card,) = await cards(bench, 1)
    played.cells[0] = played.cells[0].model_copy(update={"source": "x = 3  # mine"})
    bench.toolbox.approvals.decide(card.id, True)
    await asking
    assert played.sources[0] == "x = 3  # mine"
    assert "not made: The cell was changed meanwhile." in told(server.asked[1])[0]


async def test_all_changes_are_accepted_by_one_word_said_after_they_were_seen(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(edits({"cell": "1", "source": "x = 2"}, {"cell": "3", "source": "# n"}), "Done.")
    asking = asyncio.create_task(coder.answer("tidy up"))
    shown = await cards(bench, 2)
    approvals = bench.toolbox.approvals
    approvals.shown(shown[0].id)
    assert "does not count" in approvals.spoken_for_changes(True, time.time() + 1)
    approvals.shown(shown[1].id)
    assert "does not count" in approvals.spoken_for_changes(True, time.time() - 10)
    assert approvals.spoken_for_changes(True, time.time() + 1) == ""
    await asking
    assert played.sources == ["x = 2", "print(x + y)", "# n"]
    assert approvals.spoken_for_changes(True, time.time()) == "No changes are waiting for your approval."


async def test_a_change_that_changes_nothing_asks_nobody(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(edits({"cell": "1", "source": "x = 1"}), "It is fine as it is.")
    assert await coder.answer("tidy up") == "It is fine as it is."
    assert "already read like that" in json.loads(told(server.asked[1])[0])["problem"]["message"]


async def test_a_decision_that_comes_twice_counts_once(
    coder: Asked, bench: Bench, played: PlayedNotebook, server: OpenAIServer
) -> None:
    server.says(edits({"action": "insert", "cell": "0", "source": "once"}), "Done.")
    asking = asyncio.create_task(coder.answer("add it"))
    (card,) = await cards(bench, 1)
    decided = [bench.toolbox.approvals.decide(card.id, True) for _ in range(3)]
    await asking
    assert decided == [True, False, False]
    assert played.sources.count("once") == 1
