"""What a model may take, and how a turn ends that takes too much or goes wrong: in words, with a way on.

Through the real client, on both protocols. What a server says in one piece is in test_brain.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from brain_bench import Asked, Bench
from openai_server import Call, OpenAIServer, Reply

from voice_kernel.agent import provider
from voice_kernel.agent.accounts import Accounts, Price
from voice_kernel.agent.brain import Brain
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import ModelError
from voice_kernel.messages import Turn, Usage

LIMITED = {"message": "slow down", "type": "rate_limit", "code": "rate_limit_exceeded"}
TOO_LONG = Reply(status=400, error={"message": "too long", "code": "context_length_exceeded"})


def sent(body: dict[str, Any]) -> str:
    return json.dumps(body)


# ---- servers that do not answer at once -----------------------------------------------------------------


async def test_a_rate_limit_that_is_soon_over_is_waited_for(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(status=429, error=LIMITED, headers={"retry-after": "1"}), "Here I am.")
    began = time.monotonic()
    assert await brain.answer("hello") == "Here I am."
    assert time.monotonic() - began >= 0.9
    assert len(server.asked) == 2


async def test_a_rate_limit_that_lasts_is_said_at_once(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(status=429, error=LIMITED, headers={"retry-after": str(int(provider.MAX_WAIT_S) + 1)}))
    with pytest.raises(ModelError, match="limits how often") as caught:
        await brain.answer("hello")
    assert caught.value.hint == "Ask again in 16 s."
    assert caught.value.retryable
    assert len(server.asked) == 1


async def test_an_account_without_credit_is_not_asked_again(brain: Asked, server: OpenAIServer) -> None:
    spent = {"message": "no", "code": "insufficient_quota"}
    server.says(Reply(status=429, error=spent, headers={"retry-after": "1"}), "never")
    with pytest.raises(ModelError, match="no credit left"):
        await brain.answer("hello")
    assert len(server.asked) == 1


async def test_a_server_that_stumbles_twice_is_asked_a_third_time(brain: Asked, server: OpenAIServer) -> None:
    server.says(*[Reply(status=500, error={"message": "oops"})] * 2, "Here I am.")
    assert await brain.answer("hello") == "Here I am."


async def test_what_was_said_before_the_stream_dropped_is_kept_and_known(
    brain: Asked, server: OpenAIServer
) -> None:
    server.says(Reply(text="One two three four.", cut_after=2), "three four.")
    with pytest.raises(ModelError) as caught:
        await brain.answer("count to four")
    assert "".join(brain.pieces) == "One two "
    assert caught.value.retryable
    assert caught.value.hint
    assert await brain.answer("go on", turn_id=2) == "three four."
    assert "One two" in sent(server.asked[1])


# ---- conversations that grow too long -------------------------------------------------------------------


async def test_a_conversation_that_does_not_fit_is_compacted_and_asked_again(
    brain: Asked, server: OpenAIServer
) -> None:
    server.says("a very long answer " * 50, TOO_LONG, "Now it fits.")
    await brain.answer("tell me everything")
    assert await brain.answer("and now", turn_id=2) == "Now it fits."
    assert "very long answer" in sent(server.asked[1])
    assert "very long answer" not in sent(server.asked[2])
    assert "tell me everything" in sent(server.asked[2])


async def test_a_question_that_fits_nowhere_is_said(brain: Asked, server: OpenAIServer) -> None:
    server.says(TOO_LONG)
    with pytest.raises(ModelError, match="too long for test-model") as caught:
        await brain.answer("x" * 1000)
    assert caught.value.hint


async def test_what_was_done_before_it_grew_too_long_is_not_done_again(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says("Hello.", Call("list_variables"), TOO_LONG)
    await brain.answer("hello")
    with pytest.raises(ModelError, match="too long"):
        await brain.answer("look", turn_id=2)
    assert bench.ran == ["list_variables"]


# ---- models that go astray ------------------------------------------------------------------------------


async def test_a_call_made_again_and_again_is_refused_and_then_ended(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(*[Call("list_variables")] * 11)
    with pytest.raises(ModelError, match="round in circles") as caught:
        await brain.answer("loop")
    assert bench.ran == ["list_variables"] * 3
    assert "always with the same result" in sent(server.asked[4])
    assert caught.value.hint


async def test_a_model_that_is_told_it_repeats_itself_can_still_answer(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(*[Call("list_variables")] * 4, "There are two.")
    assert await brain.answer("look") == "There are two."
    assert len(bench.ran) == 3


@pytest.mark.parametrize("wrong", ['{"code": "1"', "", "[[", '{"code": 1, "code": {}}'])
async def test_a_malformed_call_is_told_and_can_be_mended(
    wrong: str, brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", wrong), Call("run_code", {"code": "1"}), "Done.")
    assert await brain.answer("run one", approved_tools=["run_code"]) == "Done."
    assert bench.ran == ["1"]


async def test_an_unknown_tool_is_told_and_can_be_mended(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("python", {"code": "1"}), Call("list_variables"), "Two.")
    assert await brain.answer("look") == "Two."
    assert bench.ran == ["list_variables"]


async def test_a_refusal_in_mid_conversation_leaves_it_usable(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(refusal="No."), "Gladly.")
    with pytest.raises(ModelError, match=r"declined: No\."):
        await brain.answer("something bad")
    assert await brain.answer("something good", turn_id=2) == "Gladly."


# ---- what it takes --------------------------------------------------------------------------------------


async def test_usage_of_all_steps_of_a_turn_is_told(brain: Asked, server: OpenAIServer) -> None:
    server.says(Call("list_variables"), "Two.")
    await brain.answer("look")
    usage = brain.changes["usage"]
    assert (usage.requests, usage.input_tokens, usage.output_tokens) == (2, 20, 10)
    assert usage.price_usd is None
    assert brain.changes["model"].startswith("test-model at 127.0.0.1:")


async def test_a_price_is_told_where_it_is_known(
    settings: ModelSettings, bench: Bench, server: OpenAIServer
) -> None:
    accounts = Accounts(Price.parse("1/10"))
    asked = Asked(Brain(settings, bench.toolbox, working_folder="/", accounts=accounts))
    server.says("Hello.")
    await asked.answer("hello")
    assert asked.changes["usage"].price_usd == pytest.approx(60e-6)
    await asked.brain.close()


async def test_a_budget_stops_a_turn_and_the_next_one(
    settings: ModelSettings, bench: Bench, server: OpenAIServer
) -> None:
    asked = Asked(Brain(settings, bench.toolbox, working_folder="/", accounts=Accounts(budget=20)))
    server.says(
        Reply(text="Let me look.", calls=(Call("list_variables"),)), Call("list_variables"), "never said"
    )
    with pytest.raises(ModelError, match="used up its budget: 30 of 20 tokens") as caught:
        await asked.answer("look")
    assert "".join(asked.pieces) == "Let me look."
    assert "new conversation" in caught.value.hint
    before = len(server.asked)
    with pytest.raises(ModelError, match="used up its budget"):
        await asked.answer("again", turn_id=2)
    assert len(server.asked) == before
    asked.brain.recall([])  # a new conversation
    server.reset()
    server.says("Hello.")
    assert await asked.answer("hello", turn_id=3) == "Hello."
    await asked.brain.close()


async def test_what_a_conversation_took_before_a_restart_counts(
    settings: ModelSettings, bench: Bench, server: OpenAIServer
) -> None:
    brain = Brain(settings, bench.toolbox, working_folder="/", accounts=Accounts(budget=1000))
    taken = Usage(requests=3, input_tokens=900, output_tokens=200)
    brain.recall(
        [Turn(id=1, state="succeeded", origin="text", text="q", route="model", created_at=1, usage=taken)]
    )
    with pytest.raises(ModelError, match=r"1,100 of 1,000"):
        await Asked(brain).answer("hello")
    assert server.asked == []


async def test_when_what_happened_is_told_on_request(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("list_variables"), "Two.")
    await brain.answer("look", turn_id=4)
    found = brain.brain.timelines.of()
    assert found is not None
    number, timeline = found
    lines = timeline.told(bench.tasks).splitlines()
    assert number == 4
    assert [line.split("  ")[-1].split(" ")[0] for line in lines] == ["request", "list_variables", "request"]
    assert "10 tokens in, 5 out" in lines[0]
