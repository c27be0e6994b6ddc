"""A model's conversation goes on from the answer to a card that its kernel did not live to see."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from brain_bench import LIMIT_S, Asked, Bench, Code
from openai_server import Call, OpenAIServer, Reply

from voice_kernel.agent.brain import Brain
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import ModelError
from voice_kernel.messages import Approval, Result, Turn, Usage
from voice_kernel.store import Left
from voice_kernel.task.runner import TaskHandle


class Kept:
    """Keeps as the store does: as JSON."""

    def __init__(self) -> None:
        self.kept: dict[int, str] = {}

    def keep(self, approval_id: int, going_on: dict[str, Any]) -> None:
        self.kept[approval_id] = json.dumps(going_on)

    async def claim(self, approval_id: int) -> bool:
        return True


async def left_behind(brain: Asked, bench: Bench, text: str = "clean up") -> Left:
    """Ask something that waits for a card, and end there as a kernel ends."""
    keeper = bench.toolbox.approvals.keeper = Kept()
    waiting = asyncio.create_task(bench.card())
    asking = asyncio.create_task(brain.answer(text))
    card = await waiting
    bench.toolbox.approvals.leave()
    asking.cancel()
    await asyncio.wait({asking})
    return Left("dead", 1, text, card, json.loads(keeper.kept[card.id]))


async def gone_on(bench: Bench, settings: ModelSettings, left: Left, *, approved: bool) -> tuple[str, Brain]:
    """Go on in another brain, with an answer to the card."""
    brain = Brain(settings, bench.toolbox, working_folder="/home/ada/work")
    brain.recall([Turn(id=1, state="failed", origin="text", text=left.text, route="model", created_at=1)])
    waiting = asyncio.create_task(bench.card())
    going = asyncio.create_task(brain.go_on([left], turn_id=2, on_text=lambda piece: None))
    card: Approval = await waiting
    assert card.reason.startswith("Asked before the restart.")
    bench.toolbox.approvals.decide(card.id, approved)
    try:
        async with asyncio.timeout(LIMIT_S):
            return await going, brain
    finally:
        await brain.close()


async def test_the_call_is_made_and_the_model_goes_on_with_its_result(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    server.says(
        Call("list_variables"),
        Reply(text="I tidy it.", calls=(Call("run_code", {"code": "del x"}),)),
        "Done.",
    )
    left = await left_behind(brain, bench)
    assert bench.ran == ["list_variables"]
    answer, _ = await gone_on(bench, settings, left, approved=True)
    assert answer == "Done."
    assert bench.ran == ["list_variables", "del x"]
    before, after = (json.dumps(asked) for asked in server.asked[-2:])
    for said in ("clean up", "2 variables"):
        assert after.count(said) == before.count(said)
    assert "I tidy it." in after
    assert "42" in after
    assert [task.tool for task in bench.tasks if task.turn_id == 2] == ["run_code"]


async def test_a_no_is_told_to_the_model(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    server.says(Call("run_code", {"code": "del x"}), "As you wish.")
    left = await left_behind(brain, bench)
    answer, _ = await gone_on(bench, settings, left, approved=False)
    assert answer == "As you wish."
    assert bench.ran == []
    assert "You said no to run_code." in json.dumps(server.asked[-1])


async def test_what_was_read_before_still_counts_as_text_of_strangers(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    server.says(Call("read_page", {"name": "x"}), Call("run_code", {"code": "a"}), "Done.", "Again.")
    left = await left_behind(brain, bench)
    assert left.going_on["untrusted"] == "read_page x"
    answer, again = await gone_on(bench, settings, left, approved=True)
    assert answer == "Done."
    assert again._memory.untrusted == "read_page x"


async def test_what_follows_asks_for_itself_and_the_next_question_knows_all(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    server.says(Call("run_code", {"code": "a"}), "Done.", "You asked me to clean up.")
    left = await left_behind(brain, bench)
    _, again = await gone_on(bench, settings, left, approved=True)
    asked = Asked(again)
    assert await asked.answer("what was that", turn_id=3) == "You asked me to clean up."
    assert json.dumps(server.asked[-1]).count("clean up") >= 1
    await again.close()


async def test_what_waited_inside_a_call_is_asked_for_again_and_told_as_its_result(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    @bench.toolbox.registry.tool(area="data", effects=frozenset({"read"}))
    async def run_twice(task: TaskHandle, arguments: Code) -> Result:
        """Run code, each part as a call of its own."""
        how: dict[str, Any] = {"turn_id": task.turn_id, "origin": task.origin, "going_on": task.going_on}
        parts = (bench.toolbox.call("run_code", {"code": code}, **how) for code in arguments.code.split())
        await asyncio.gather(*parts)
        return Result()

    keeper = bench.toolbox.approvals.keeper = Kept()
    server.says(Call("run_twice", {"code": "a b"}), "One of two.")
    asking = asyncio.create_task(brain.answer("run both"))
    await bench.until(lambda message: len(bench.toolbox.approvals.open) == 2)
    cards = bench.toolbox.approvals.open
    bench.toolbox.approvals.leave()
    asking.cancel()
    await asyncio.wait({asking})
    left = [Left("dead", 1, "run both", card, json.loads(keeper.kept[card.id])) for card in cards]
    again = Brain(settings, bench.toolbox, working_folder="/home/ada/work")
    before = {card.id for card in cards}
    going = asyncio.create_task(again.go_on(left, turn_id=2, on_text=lambda piece: None))
    await bench.until(lambda message: len({c.id for c in bench.toolbox.approvals.open} - before) == 2)
    for card in bench.toolbox.approvals.open:
        bench.toolbox.approvals.decide(card.id, card.arguments["code"] == "b")
    assert await going == "One of two."
    assert bench.ran == ["b"]
    told = json.dumps(server.asked[-1])
    assert "did not come to its end" in told
    assert "refused by the user" in told
    assert told.count('"run_twice"') == 2  # the tool, and the one call of it
    await again.close()


async def test_without_a_model_the_call_is_made_all_the_same(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "a"}))
    left = await left_behind(brain, bench)
    with pytest.raises(ModelError, match="No model is configured"):
        await gone_on(bench, ModelSettings(None, None, None), left, approved=True)
    assert bench.ran == ["a"]


async def test_a_card_of_a_cancelled_turn_is_closed(brain: Asked, bench: Bench, server: OpenAIServer) -> None:
    bench.toolbox.approvals.keeper = Kept()
    server.says(Call("run_code", {"code": "a"}))
    waiting = asyncio.create_task(bench.card())
    asking = asyncio.create_task(brain.answer("clean up"))
    card = await waiting
    asking.cancel()
    await asyncio.wait({asking})
    assert bench.hub.approvals[card.id].state == "expired"


async def test_what_going_on_takes_is_counted(
    brain: Asked, bench: Bench, server: OpenAIServer, settings: ModelSettings
) -> None:
    server.says(Call("run_code", {"code": "a"}), "Done.")
    left = await left_behind(brain, bench)
    _, again = await gone_on(bench, settings, left, approved=True)
    assert again.accounts.conversation == Usage(requests=1, input_tokens=10, output_tokens=5)
