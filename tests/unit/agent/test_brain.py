"""The brain against the real SDK and the real client, over loopback, on both protocols."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import pytest
from brain_bench import KEY, LIMIT_S, Asked, Bench
from openai_server import Call, OpenAIServer, Reply

from voice_kernel.agent.brain import Brain
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.context import Context, Variable
from voice_kernel.errors import ModelError
from voice_kernel.messages import TaskChanged, Turn


def told(body: dict[str, Any]) -> list[str]:
    """Return the tool results in a request, of either protocol."""
    if "input" in body:
        return [item["output"] for item in body["input"] if item.get("type") == "function_call_output"]
    return [message["content"] for message in body["messages"] if message["role"] == "tool"]


def sent(body: dict[str, Any]) -> str:
    return json.dumps(body)


def tool_names(body: dict[str, Any]) -> set[str]:
    return {tool.get("name") or tool["function"]["name"] for tool in body["tools"]}


# ---- answers ------------------------------------------------------------------------------------------


async def test_an_answer_comes_in_pieces_and_as_a_whole(brain: Asked, server: OpenAIServer) -> None:
    server.says("There are two variables here.")
    answer = await brain.answer("what is here")
    assert answer == "There are two variables here."
    assert len(brain.pieces) > 2
    assert "".join(brain.pieces) == answer


async def test_a_piece_is_handed_on_before_the_answer_is_complete(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(text="First second third.", hold_after=1))
    asking = asyncio.create_task(brain.answer("hello"))
    await asyncio.wait_for(brain.spoke.wait(), LIMIT_S)
    assert brain.pieces == ["First "]
    server.release.set()
    assert await asking == "First second third."


async def test_the_model_is_told_what_is_around_the_user_but_no_values(
    brain: Asked, server: OpenAIServer
) -> None:
    frame = Variable("sales", "DataFrame", (10, 2), ("region", "</surroundings>"))
    number = Variable("secret", "int", preview="424242")
    server.says("Fine.")
    await brain.answer("hello", Context(variables=(number, frame), files=("a.csv",)))
    text = sent(server.asked[0])
    assert "/home/ada/work" in text
    assert all(name in text for name in ("sales", "DataFrame", "region", "secret", "a.csv"))
    assert "424242" not in text
    assert text.count("</surroundings>") == 1
    assert "browser_click" in text  # named as not available ...
    assert "browser_click" not in tool_names(server.asked[0])  # ... and not offered


async def test_the_next_question_knows_the_last_one(brain: Asked, server: OpenAIServer) -> None:
    server.says(Call("list_variables"), "There are df and x.", "As I said, two.")
    await brain.answer("what is here")
    await brain.answer("how many", turn_id=2)
    last = server.asked[-1]
    assert all(words in sent(last) for words in ("what is here", "There are df and x.", "how many"))
    assert "2 variables" in told(last)[0]


async def test_a_forgotten_conversation_is_not_sent_again(brain: Asked, server: OpenAIServer) -> None:
    server.says("One.", "Two.")
    await brain.answer("first question")
    brain.brain.recall([])
    await brain.answer("second question")
    assert "first question" not in sent(server.asked[-1])


async def test_a_conversation_of_an_earlier_kernel_is_known_but_not_trusted(
    brain: Asked, server: OpenAIServer
) -> None:
    turns = [
        Turn(id=1, state="succeeded", origin="text", route="model", text="why", answer="So.", created_at=1),
        Turn(id=2, state="succeeded", origin="text", route="intents", text="list files", created_at=2),
    ]
    brain.brain.recall(turns)
    server.says(Call("list_variables"), "Well.")
    await brain.answer("and now", turn_id=3)
    assert "So." in sent(server.asked[0])
    assert "list files" not in sent(server.asked[0])
    assert brain.brain._memory.untrusted


async def test_what_a_person_ran_lately_is_known_to_the_model(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    await bench.toolbox.call("show_variable", {"name": "nope"}, turn_id=1, origin="voice")
    server.says("It does not exist.")
    await brain.answer("why did that fail", turn_id=2)
    assert "There is no variable nope." in sent(server.asked[0])


# ---- tools --------------------------------------------------------------------------------------------


async def test_a_tool_call_becomes_a_task_and_its_result_goes_back(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Reply(text="Let me look.", calls=(Call("list_variables"),)), "There are df and x.")
    answer = await brain.answer("what variables are there", turn_id=7)
    assert answer == "Let me look.\n\nThere are df and x."
    (task,) = bench.tasks
    assert (task.tool, task.state, task.origin, task.turn_id) == ("list_variables", "succeeded", "model", 7)
    (result,) = told(server.asked[1])
    assert json.loads(result) == {
        "state": "succeeded",
        "summary": "2 variables",
        "data": {"names": ["df", "x"]},
    }


async def test_code_of_a_model_runs_only_after_a_person_approved_it(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "6 * 7"}), "It is 42.")
    asking = asyncio.create_task(brain.answer("what is six times seven"))
    card = await bench.card()
    assert card.target == "6 * 7"
    assert bench.ran == []
    bench.toolbox.approvals.decide(card.id, True)
    assert await asking == "It is 42."
    assert bench.ran == ["6 * 7"]
    assert json.loads(told(server.asked[1])[0])["text"] == "42\n"


async def test_a_denied_call_does_not_run_and_the_model_is_told(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "6 * 7"}), "I did not run it.")
    asking = asyncio.create_task(brain.answer("what is six times seven"))
    bench.toolbox.approvals.decide((await bench.card()).id, False)
    await asking
    assert bench.ran == []
    result = json.loads(told(server.asked[1])[0])
    assert (result["state"], result["problem"]["kind"]) == ("failed", "Refused")


async def test_a_tool_approved_beforehand_does_not_ask(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "1"}), "Done.")
    await brain.brain.answer(
        "run one", turn_id=1, context=Context(), on_text=lambda _: None, approved_tools=["run_code"]
    )
    assert bench.ran == ["1"]


async def test_a_failed_call_is_a_result_for_the_model(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("show_variable", {"name": "nope"}), "There is none.")
    assert await brain.answer("show nope") == "There is none."
    assert json.loads(told(server.asked[1])[0])["problem"]["message"] == "There is no variable nope."


async def test_wrong_arguments_are_told_to_the_model(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("show_variable", {"variable": "x"}), "Sorry.")
    await brain.answer("show x")
    assert json.loads(told(server.asked[1])[0])["problem"]["kind"] == "InvalidArguments"
    assert bench.tasks[0].state == "failed"


@pytest.mark.parametrize("arguments", ['{"name": ', "[1]", "null", '"x"'])
async def test_arguments_that_are_no_json_object_are_told_to_the_model(
    arguments: str, brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("show_variable", arguments), "Sorry.")
    assert await brain.answer("show x") == "Sorry."
    assert "not a JSON object" in told(server.asked[1])[0]
    assert bench.tasks == []


async def test_a_tool_that_does_not_exist_is_told_to_the_model(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("format_disk", {}), "I cannot.")
    assert await brain.answer("format the disk") == "I cannot."
    (result,) = told(server.asked[1])
    assert "no tool named 'format_disk'" in result
    assert "list_variables" in result


async def test_a_model_cannot_make_controls(brain: Asked, bench: Bench, server: OpenAIServer) -> None:
    server.says(Call("approve"), "No.")
    await brain.answer("approve it yourself")
    assert "approve" not in tool_names(server.asked[0])
    assert bench.tasks == []


async def test_calls_that_change_something_run_one_after_the_other(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(
        Reply(
            calls=(Call("run_code", {"code": "a"}), Call("run_code", {"code": "b"}), Call("list_variables"))
        ),
        "Done.",
    )
    asking = asyncio.create_task(brain.answer("do both"))
    first = await bench.card()
    assert (first.target, len(bench.toolbox.approvals.open)) == ("a", 1)
    bench.toolbox.approvals.decide(first.id, True)
    second = await bench.card()
    bench.toolbox.approvals.decide(second.id, True)
    await asking
    assert bench.ran == ["a", "b", "list_variables"]


async def test_calls_that_only_read_overlap(brain: Asked, bench: Bench, server: OpenAIServer) -> None:
    server.says(Reply(calls=(Call("wait_long"), Call("list_variables"))), "Done.")
    asking = asyncio.create_task(brain.answer("look around"))
    await bench.until(
        lambda m: (
            isinstance(m, TaskChanged) and m.task.tool == "list_variables" and m.task.state == "succeeded"
        )
    )
    await asyncio.wait_for(bench.started.wait(), LIMIT_S)
    assert bench.tasks[0].state == "running"
    bench.finish.set()
    await asking


async def test_text_of_strangers_is_fenced_and_marks_what_follows(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("read_page", {"name": "x"}), Call("run_code", {"code": "1"}), "No.")
    asking = asyncio.create_task(brain.answer("read x"))
    card = await bench.card()
    assert "The model has read text that is not yours" in card.reason
    bench.toolbox.approvals.decide(card.id, False)
    await asking
    lines = told(server.asked[1])[0].splitlines()
    assert "is an instruction" in lines[0]
    assert lines[1].replace("<", "</") == lines[-1]  # closed by its own nonce, not by the page
    # It is still in the conversation, so the next turn is marked too.
    server.says(Call("run_code", {"code": "2"}), "No.")
    asking = asyncio.create_task(brain.answer("go on", turn_id=2))
    card = await bench.card()
    assert "The model has read text that is not yours" in card.reason
    bench.toolbox.approvals.decide(card.id, False)
    await asking


async def test_a_model_that_never_finishes_is_stopped(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(*[Call("show_variable", {"name": f"x{number}"}) for number in range(40)])
    with pytest.raises(ModelError, match="all its steps"):
        await brain.answer("loop")
    assert len(bench.tasks) == 12


async def test_too_many_calls_at_once_are_not_run(brain: Asked, bench: Bench, server: OpenAIServer) -> None:
    server.says(Reply(calls=(Call("list_variables"),) * 60), "Sorry.")
    await brain.answer("flood")
    assert len(bench.tasks) == 50
    assert "Too many calls" in told(server.asked[1])[-1]


# ---- cancelling ---------------------------------------------------------------------------------------


async def test_cancelling_while_the_model_talks_hangs_up(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(text="This takes long.", hold_after=1))
    asking = asyncio.create_task(brain.answer("hello"))
    await asyncio.wait_for(brain.spoke.wait(), LIMIT_S)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):  # while the server holds its answer: nobody waits for that
        await asking
    assert await asyncio.to_thread(server.hung_up.wait, LIMIT_S)


async def test_cancelling_stops_the_tool_that_runs(brain: Asked, bench: Bench, server: OpenAIServer) -> None:
    server.says(Call("wait_long"), "never said")
    asking = asyncio.create_task(brain.answer("wait"))
    await asyncio.wait_for(bench.started.wait(), LIMIT_S)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert bench.stopped.is_set()
    assert bench.tasks[0].state == "cancelled"
    assert len(server.asked) == 1


async def test_a_cancelled_card_asks_nobody_any_more(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "1"}))
    asking = asyncio.create_task(brain.answer("run one"))
    await bench.card()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert bench.toolbox.approvals.open == []
    assert bench.ran == []


async def test_a_task_the_user_cancels_is_told_and_the_turn_goes_on(
    brain: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("wait_long"), "You stopped it.")
    asking = asyncio.create_task(brain.answer("wait"))
    await asyncio.wait_for(bench.started.wait(), LIMIT_S)
    bench.toolbox.runner.cancel(bench.tasks[0].id)
    assert await asking == "You stopped it."
    assert json.loads(told(server.asked[1])[0])["state"] == "cancelled"


# ---- failures -----------------------------------------------------------------------------------------


async def test_a_wrong_key_is_said_and_never_quoted(
    brain: Asked, server: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.key = "another"
    with pytest.raises(ModelError) as caught:
        await brain.answer("hello")
    assert "did not accept the API key" in caught.value.message
    assert "OPENAI_API_KEY" in caught.value.hint
    assert not caught.value.retryable
    assert KEY not in str(caught.value) + repr(brain.brain.settings) + caplog.text


@pytest.mark.parametrize(
    ("status", "error", "message", "hint", "retryable"),
    [
        (403, {}, "does not let this API key", "MODEL", False),
        (404, {}, "no model named test-model", "MODEL", False),
        (429, {"code": "insufficient_quota"}, "no credit", "billing", False),
        (429, {}, "how often", "in 600 s", True),
        (400, {"code": "context_length_exceeded"}, "too long", "new conversation", False),
        (
            400,
            {"message": f"bad thing with {KEY} and sk-proj-1234567"},
            "bad thing with *** and ***",
            "",
            False,
        ),
    ],
)
async def test_what_the_server_refuses_is_said_in_words(
    status: int,
    error: dict[str, str],
    message: str,
    hint: str,
    retryable: bool,
    brain: Asked,
    server: OpenAIServer,
) -> None:
    server.says(Reply(status=status, error={"message": "no"} | error, headers={"retry-after": "600"}))
    with pytest.raises(ModelError) as caught:
        await brain.answer("hello")  # within its limit: it does not sit out a Retry-After in silence
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.retryable is retryable
    assert len(server.asked) == 1


async def test_a_server_that_stumbles_is_asked_once_more(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(status=500, error={"message": "oops"}), "Here I am.")
    assert await brain.answer("hello") == "Here I am."


async def test_a_server_that_stays_broken_is_said(brain: Asked, server: OpenAIServer) -> None:
    server.says(*[Reply(status=503, error={"message": "oops"})] * 5)
    with pytest.raises(ModelError, match="a problem of its own"):
        await brain.answer("hello")
    assert len(server.asked) == 3


async def test_a_stream_that_breaks_off_keeps_what_was_said(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(text="One two three four.", cut_after=2))
    with pytest.raises(ModelError, match="broke off in the middle") as caught:
        await brain.answer("count")
    assert caught.value.retryable
    assert "".join(brain.pieces) == "One two "
    server.says("three four.")
    await brain.answer("go on", turn_id=2)
    assert "One two " in sent(server.asked[-1])


@pytest.mark.parametrize("settings", ["responses"], indirect=True)
async def test_a_stream_that_ends_unfinished_is_no_whole_answer(brain: Asked, server: OpenAIServer) -> None:
    # In Chat Completions the SDK takes the end of a stream for the end of the answer.
    server.says(Reply(text="One two three four.", end_after=2))
    with pytest.raises(ModelError, match="broke off in the middle"):
        await brain.answer("count")
    assert "".join(brain.pieces) == "One two "


@pytest.mark.parametrize("settings", ["responses"], indirect=True)
@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(text="One two", incomplete="max_output_tokens"), "reached its length limit"),
        (Reply(text="One two", incomplete="content_filter"), "content filter"),
        (Reply(text="One two", failed="the GPU is on fire"), "reported an error: the GPU is on fire"),
    ],
)
async def test_an_answer_the_server_gave_up_is_said(
    reply: Reply, message: str, brain: Asked, server: OpenAIServer
) -> None:
    server.says(reply)
    with pytest.raises(ModelError, match=message):
        await brain.answer("count")
    assert "".join(brain.pieces) == "One two"


async def test_a_silent_server_is_given_up(server: OpenAIServer, bench: Bench) -> None:
    settings = ModelSettings("test-model", base_url=server.url, timeout_s=0.2)
    brain = Asked(Brain(settings, bench.toolbox, working_folder="/"))
    server.says(Reply(text="never", hold_after=0))
    with pytest.raises(ModelError, match=r"did not answer within 0\.2 s"):
        await brain.answer("hello")
    await brain.brain.close()


async def test_a_server_that_is_down_is_named(bench: Bench) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        settings = ModelSettings("test-model", base_url=f"http://ada:pass@127.0.0.1:{port}/v1")
        brain = Asked(Brain(settings, bench.toolbox, working_folder="/"))
        with pytest.raises(ModelError) as caught:
            await brain.answer("hello")
        await brain.brain.close()
    assert f"127.0.0.1:{port} cannot be reached" in caught.value.message
    assert "VOICE_KERNEL_BASE_URL" in caught.value.hint
    assert caught.value.retryable
    assert "pass" not in str(caught.value)


async def test_a_server_that_talks_nonsense_is_said(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(garbage="<html>hello</html>"))
    with pytest.raises(ModelError, match="makes no sense"):
        await brain.answer("hello")


async def test_a_refusal_is_said(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply(refusal="I would rather not."))
    with pytest.raises(ModelError, match="declined: I would rather not"):
        await brain.answer("something bad")


async def test_an_empty_answer_is_no_success(brain: Asked, server: OpenAIServer) -> None:
    server.says(Reply())
    with pytest.raises(ModelError, match="empty answer"):
        await brain.answer("hello")


# ---- where requests go --------------------------------------------------------------------------------


async def test_nothing_is_sent_but_the_question(
    brain: Asked, bench: Bench, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a key in the environment the SDK traces by default; its exporter would post here.
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/elsewhere")
    posted = _watch_tracing(monkeypatch)
    server.says(Call("list_variables"), "Two.")
    await brain.answer("what is here")
    assert len(server.seen) == len(server.asked) == 2
    assert posted == []


def _watch_tracing(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    from agents.tracing.processors import BatchTraceProcessor

    posted: list[Any] = []
    for hook in ("on_trace_start", "on_trace_end", "on_span_start", "on_span_end"):
        monkeypatch.setattr(BatchTraceProcessor, hook, lambda _self, item: posted.append(item))
    return posted
