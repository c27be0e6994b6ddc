"""The `realtime` engine: the real SDK over a WebSocket of a server on loopback."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from brain_bench import Bench
from openai_server import Call, OpenAIServer, Reply

from voice_kernel.agent import line
from voice_kernel.agent.accounts import NOTHING, Accounts, Price
from voice_kernel.agent.realtime import Realtime
from voice_kernel.context import Context, Variable
from voice_kernel.endpoint import Endpoint
from voice_kernel.errors import ModelError, ServerFailed, SpeechError
from voice_kernel.messages import Turn, Usage
from voice_kernel.speech.transcriber import Transcript

KEY = "sk-test-0123456789abcdef"
LIMIT_S = 60.0
SOUND = b"\x10\x00\xf0\xff" * 8_000
"""One second at 16 kHz."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time to shake hands."""
    monkeypatch.setattr(line, "CONNECT_LIMIT_S", LIMIT_S)


@pytest.fixture
async def ear(server: OpenAIServer, bench: Bench) -> AsyncIterator[Realtime]:
    server.key = KEY
    engine = Realtime(
        Endpoint(server.url, KEY), toolbox=bench.toolbox, working_folder="/home/ada", text_limit_s=LIMIT_S
    )
    await engine.load()
    yield engine
    await engine.close()


async def hear(engine: Realtime, partials: list[str] | None = None, **how: object) -> Transcript:
    on_partial = None if partials is None else partials.append
    recognition = engine.open(rate_hz=16_000, on_partial=on_partial, **how)  # type: ignore[arg-type]
    for start in range(0, len(SOUND), 1280):
        recognition.feed(SOUND[start : start + 1280])
    async with asyncio.timeout(LIMIT_S):
        return await recognition.finish()


async def ask(engine: Realtime, text: str, pieces: list[str] | None = None) -> str:
    def on_text(piece: str) -> None:
        if pieces is not None:
            pieces.append(piece)

    async with asyncio.timeout(LIMIT_S):
        return await engine.answer(text, turn_id=1, context=Context(), on_text=on_text)


def past(text: str, answer: str) -> Turn:
    return Turn(
        id=9, state="succeeded", origin="voice", text=text, route="model", answer=answer, created_at=1
    )


def kinds(talk: list[dict[str, object]]) -> list[object]:
    return [event["type"] for event in talk]


async def test_sound_is_relayed_as_it_comes_and_its_text_comes_back_word_by_word(
    ear: Realtime, server: OpenAIServer
) -> None:
    partials: list[str] = []
    transcript = await hear(ear, partials)
    assert (transcript.text, transcript.engine, transcript.audio_s) == ("run the tests", "realtime", 1.0)
    assert partials == ["run", "run the", "run the tests"]
    [talk] = server.talks
    commit = next(event for event in talk if event["type"] == "input_audio_buffer.commit")
    # A second at 24 kHz, and the silence at its end.
    assert commit["audio"] == pytest.approx(48_000 + 4_800, abs=200)
    assert "response.create" not in kinds(talk), "the model was not asked"
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"
    session = next(event["session"] for event in talk if event["type"] == "session.update")
    assert session["audio"]["input"]["turn_detection"] is None
    assert "tracing" not in session


async def test_the_words_of_the_notebook_are_named_for_each_utterance(
    ear: Realtime, server: OpenAIServer
) -> None:
    context = Context(variables=(Variable("revenue_df", "DataFrame", columns=("month",)),))
    await hear(ear, context=context)
    updates = [event["session"] for event in server.talks[0] if event["type"] == "session.update"]
    told = updates[-1]["audio"]["input"]["transcription"]
    assert "revenue_df" in told["prompt"]
    assert told["keywords"] == ["revenue_df", "month"]


async def test_one_line_carries_utterance_after_utterance(ear: Realtime, server: OpenAIServer) -> None:
    server.hears("run the tests", "plot the data")
    assert (await hear(ear)).text == "run the tests"
    assert (await hear(ear)).text == "plot the data"
    assert len(server.talks) == 1


async def test_what_the_grammar_took_is_gone_before_the_model_is_asked(
    ear: Realtime, server: OpenAIServer
) -> None:
    server.hears("run the tests", "what is wrong here")
    server.says("Nothing is.")
    await hear(ear)
    heard = await hear(ear)
    assert await ask(ear, heard.text) == "Nothing is."
    [talk] = server.talks
    assert kinds(talk).count("conversation.item.delete") == 1
    assert kinds(talk).index("conversation.item.delete") < kinds(talk).index("response.create")


async def test_typed_words_are_not_answered_together_with_a_command_before_them(
    ear: Realtime, server: OpenAIServer
) -> None:
    server.says("Hello.")
    await hear(ear)
    assert await ask(ear, "good morning") == "Hello."
    order = kinds(server.talks[0])
    assert order.index("conversation.item.delete") < order.index("response.create")


async def test_the_model_acts_through_the_toolbox_and_then_answers(
    ear: Realtime, server: OpenAIServer, bench: Bench
) -> None:
    server.hears("what do I have")
    server.says(Call("list_variables"), "You have two variables.")
    pieces: list[str] = []
    heard = await hear(ear)
    assert await ask(ear, heard.text, pieces) == "You have two variables."
    assert bench.ran == ["list_variables"]
    assert "".join(pieces) == "You have two variables."
    [talk] = server.talks
    output = next(e["item"] for e in talk if e.get("item", {}).get("type") == "function_call_output")
    assert "2 variables" in output["output"]
    tools = [event["session"]["tools"] for event in talk if event.get("session", {}).get("tools")][-1]
    assert {"list_variables", "run_code"} <= {tool["name"] for tool in tools}
    [task] = bench.toolbox.runner.tasks()
    assert (task.origin, task.turn_id) == ("model", 1)


async def test_a_tool_that_does_not_exist_does_not_end_the_answer(
    ear: Realtime, server: OpenAIServer
) -> None:
    server.says(Call("fly_to_the_moon"), "I cannot do that.")
    assert await ask(ear, "fly to the moon") == "I cannot do that."


async def test_typed_words_are_answered_over_the_same_line(ear: Realtime, server: OpenAIServer) -> None:
    server.says("Hello.", "Again hello.")
    assert await ask(ear, "good morning") == "Hello."
    assert await ask(ear, "and again") == "Again hello."
    assert len(server.talks) == 1


async def test_after_a_break_the_model_is_told_what_was_said_before(
    ear: Realtime, server: OpenAIServer
) -> None:
    server.says("The mean is 3.", Reply(text="It is still 3.", cut_after=1), "Still 3.")
    await ask(ear, "what is the mean")
    with pytest.raises(ModelError, match="broke off"):
        await ask(ear, "and now")
    assert await ask(ear, "and now") == "Still 3."
    texts = [event["item"]["content"][0]["text"] for event in server.talks[1] if "item" in event]
    assert texts[:2] == ["what is the mean", "The mean is 3."]


async def test_another_conversation_begins_on_another_line(ear: Realtime, server: OpenAIServer) -> None:
    server.says("One.", "Two.")
    await ask(ear, "one")
    ear.recall([past("old", "news")])
    await ask(ear, "two")
    texts = [event["item"]["content"][0]["text"] for event in server.talks[1] if "item" in event]
    assert texts[:2] == ["old", "news"]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "did not accept the API key"),
        (403, "does not let this API key use"),
        (404, "no Realtime interface"),
        (429, "limits how often"),
        (503, "a problem of its own"),
    ],
)
async def test_a_refused_connection_is_said_in_words(
    ear: Realtime, server: OpenAIServer, status: int, message: str
) -> None:
    server.refuses = status
    with pytest.raises(ServerFailed, match=message) as raised:
        await hear(ear)
    assert raised.value.rest_s > 0
    with pytest.raises(ModelError, match=message):
        await ask(ear, "hello")
    server.refuses = 0
    assert (await hear(ear)).text == "run the tests"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(text="run the tests", cut_after=1), "broke off"),
        (Reply(text="run the tests", end_after=1), "broke off"),
        (Reply(text="run", failed="cannot read it"), "reported an error: cannot read it"),
    ],
)
async def test_an_utterance_that_is_not_written_down_to_its_end_has_failed(
    ear: Realtime, server: OpenAIServer, reply: Reply, message: str
) -> None:
    server.hears(reply)
    with pytest.raises(SpeechError, match=message):
        await hear(ear)
    assert (await hear(ear)).text == "run the tests", "the next utterance is heard as ever"


async def test_a_text_that_does_not_come_is_given_up(server: OpenAIServer) -> None:
    engine = Realtime(Endpoint(server.url, KEY), text_limit_s=0.5)
    await engine.load()
    server.hears(Reply(text="run the tests", hold_after=1))
    with pytest.raises(ServerFailed, match="in time"):
        await hear(engine)
    server.release.set()
    await engine.close()


async def test_a_response_that_failed_is_said(ear: Realtime, server: OpenAIServer) -> None:
    server.says(Reply(text="Well", failed="the machine is on fire"))
    with pytest.raises(ModelError, match="on fire"):
        await ask(ear, "hello")


async def test_cancelling_an_answer_stops_its_tools(
    ear: Realtime, server: OpenAIServer, bench: Bench
) -> None:
    server.says(Call("wait_long"), "Fresh.")
    asking = asyncio.ensure_future(ask(ear, "wait"))
    async with asyncio.timeout(LIMIT_S):
        await bench.started.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await bench.stopped.wait()
    assert await ask(ear, "hello") == "Fresh."


async def test_after_text_of_strangers_the_next_turn_knows(
    ear: Realtime, server: OpenAIServer, bench: Bench
) -> None:
    server.says(Call("read_page", {"name": "x"}), "Read.", Call("run_code", {"code": "1"}), "Ran.")
    await ask(ear, "read it")
    asking = asyncio.ensure_future(ask(ear, "run it"))
    async with asyncio.timeout(LIMIT_S):
        card = await bench.card()
    assert bench.ran == []
    bench.toolbox.approvals.decide(card.id, True)
    assert await asking == "Ran."
    assert bench.ran == ["1"]


async def test_an_ear_is_told_nothing_but_what_it_hears(ear: Realtime, server: OpenAIServer) -> None:
    ear.recall([past("old", "news")])
    await hear(ear)
    assert "/home/ada" not in str(server.talks[0])
    assert "news" not in str(server.talks[0])


async def test_what_is_said_into_an_answer_is_not_for_the_model(
    ear: Realtime, server: OpenAIServer, bench: Bench
) -> None:
    server.says(Call("wait_long"), "Done.")
    asking = asyncio.ensure_future(ask(ear, "wait"))
    async with asyncio.timeout(LIMIT_S):
        await bench.started.wait()
        server.hears("approve")
        assert (await hear(ear)).text == "approve"
        with pytest.raises(ModelError, match="answering another turn"):
            await ask(ear, "and this")
        bench.finish.set()
        assert await asking == "Done."
    order = kinds(server.talks[0])
    assert order.index("conversation.item.delete") < len(order) - 1 - order[::-1].index("response.create")


async def test_two_utterances_at_once_do_not_mix(ear: Realtime, server: OpenAIServer) -> None:
    server.hears("run the tests", "plot the data")
    first = ear.open(rate_hz=16_000)
    second = ear.open(rate_hz=48_000)
    for _ in range(10):
        first.feed(SOUND[:1280])
        second.feed(SOUND[:3840])
    async with asyncio.timeout(LIMIT_S):
        other = asyncio.ensure_future(second.finish())
        assert (await first.finish()).text == "run the tests"
        assert (await other).text == "plot the data"


async def test_a_discarded_utterance_leaves_nothing_behind(ear: Realtime, server: OpenAIServer) -> None:
    recognition = ear.open(rate_hz=16_000)
    recognition.feed(SOUND)
    recognition.discard()
    with pytest.raises(SpeechError, match="thrown away"):
        await recognition.finish()
    assert (await hear(ear)).text == "run the tests"
    commits = [event for talk in server.talks for event in talk if event["type"].endswith("commit")]
    assert [commit["audio"] for commit in commits] == [pytest.approx(52_800, abs=200)]


async def test_neither_key_nor_sound_nor_words_are_logged(
    ear: Realtime, server: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "uvicorn")
    caplog.set_level(logging.INFO, "websockets.server")
    server.hears("the secret plan")
    server.says("the secret answer")
    heard = await hear(ear)
    await ask(ear, heard.text)
    for word in (KEY, "secret", "input_audio_buffer.append"):
        assert word not in caplog.text


# ---- what it takes ------------------------------------------------------------------------------------


async def test_what_an_answer_takes_is_told_and_counted_in_the_conversation(
    server: OpenAIServer, bench: Bench
) -> None:
    accounts = Accounts(Price.parse("1/10"))
    engine = Realtime(Endpoint(server.url, KEY), toolbox=bench.toolbox, accounts=accounts)
    await engine.load()
    changes: dict[str, object] = {}
    server.says(Call("list_variables"), "Two.")
    async with asyncio.timeout(LIMIT_S):
        await engine.answer(
            "what is here",
            turn_id=1,
            context=Context(),
            on_text=lambda piece: None,
            on_change=lambda **what: changes.update(what),
        )
    await engine.close()
    # Sound has a price of its own, which nobody has told us.
    taken = Usage(requests=2, input_tokens=20, cached_tokens=4, output_tokens=10)
    assert changes["usage"] == accounts.conversation == taken


async def test_a_used_up_budget_stops_it_before_anything_is_asked(server: OpenAIServer, bench: Bench) -> None:
    engine = Realtime(Endpoint(server.url, KEY), toolbox=bench.toolbox, accounts=Accounts(budget=15))
    await engine.load()
    server.says("One.", "never said")
    assert await ask(engine, "first") == "One."
    with pytest.raises(ModelError, match="used up its budget: 15 of 15 tokens"):
        await ask(engine, "second")
    await engine.close()
    assert sum(kinds(talk).count("response.create") for talk in server.talks) == 1


async def test_a_budget_also_stops_between_the_steps_of_an_answer(server: OpenAIServer, bench: Bench) -> None:
    engine = Realtime(Endpoint(server.url, KEY), toolbox=bench.toolbox, accounts=Accounts(budget=10))
    await engine.load()
    server.says(Call("list_variables"), "never said")
    with pytest.raises(ModelError, match="used up its budget"):
        await ask(engine, "what is here")
    await engine.close()


def test_a_conversation_has_a_price_only_where_all_its_requests_have_one() -> None:
    accounts = Accounts(Price.parse("1/10"))
    reported = SimpleNamespace(input_tokens=1_000_000, output_tokens=100_000)
    assert accounts.add(NOTHING, reported).price_usd == pytest.approx(2.0)
    accounts.add(NOTHING, reported)
    assert accounts.conversation.price_usd == pytest.approx(4.0)
    assert accounts.add(NOTHING, reported, priced=False).price_usd is None
    assert accounts.conversation.price_usd is None
    accounts.add(NOTHING, reported)
    assert accounts.conversation.price_usd is None
    assert accounts.conversation.requests == 4
