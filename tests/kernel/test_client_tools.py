"""What a tool asks the page to do, over HTTP: who asked goes on with the answer, once, and not for ever."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import (
    InferenceOptions,
    ItemsListParams,
    ItemsListReq,
    ThreadAddClientToolOutputParams,
    ThreadCreateParams,
    ThreadsAddClientToolOutputReq,
    ThreadsCreateReq,
    ToolChoice,
    UserMessageInput,
    UserMessageTextContent,
)
from openai_server import Call, OpenAIServer
from openai_server import serve as serve_model
from served import WAIT_S, ChatClient, Served, answer, attached_server, client, items, thread_of

TOOLS = """
from voice_kernel import ToolContext, tool

@tool(sentences="remember this page")
def remember_page():
    "Let the page remember itself."
    return {"client_tool": "save_fact", "arguments": {"fact": "Ada likes maps"}}

@tool(sentences="count the facts")
def count_facts(ctx: ToolContext):
    "Count what the page has saved."
    first = ctx.client_tool("count", {"of": "facts"}).wait()
    second = ctx.client_tool("count", {"of": "notes"}).wait()
    return f"{first['count']} facts and {second['count']} notes"
"""
FOR_A_MODEL = """
from typing import Any
from agents import RunContextWrapper, function_tool
from chatkit.agents import AgentContext, ClientToolCall
from voice_kernel import tool

@function_tool
def save_fact(ctx: RunContextWrapper[AgentContext[Any]], fact: str) -> None:
    "Save a fact in the page."
    ctx.context.client_tool_call = ClientToolCall(name="record_fact", arguments={"fact": fact})

tool(effects=["read"])(save_fact)
"""


def done(thread_id: str, result: Any) -> ThreadsAddClientToolOutputReq:
    params = ThreadAddClientToolOutputParams(thread_id=thread_id, result=result)
    return ThreadsAddClientToolOutputReq(params=params)


async def kept(chat: ChatClient, thread_id: str) -> list[dict[str, Any]]:
    page = await chat.ask(ItemsListReq(params=ItemsListParams(thread_id=thread_id, order="asc", limit=100)))
    found: list[dict[str, Any]] = page["data"]
    return found


async def settled(chat: ChatClient, thread_id: str) -> dict[str, Any]:
    """Wait until the call in the thread is no longer pending; return it."""
    give_up_at = time.monotonic() + WAIT_S
    while True:
        (call,) = [one for one in await kept(chat, thread_id) if one["type"] == "client_tool_call"]
        if call["status"] == "completed":
            return call
        assert time.monotonic() < give_up_at, call
        await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with attached_server(tmp_path_factory.mktemp("attached"), TOOLS) as (running, _):
        yield running


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with serve_model() as running:
        yield running


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, model: OpenAIServer) -> Iterator[Served]:
    """A session with a model that may call a function written for ChatKit."""
    folder = tmp_path_factory.mktemp("answered")
    settings = {
        "VOICE_KERNEL_BASE_URL": model.url,
        "MODEL": "scripted",
        "VOICE_KERNEL_MODEL_SHARE": "always",
        "VOICE_KERNEL_MODEL_CHOICES": "second",
        "VOICE_KERNEL_CONFIG": str(folder / "none.toml"),
    }
    with attached_server(folder, FOR_A_MODEL, settings) as (running, _):
        yield running


# ---- a tool that asks -----------------------------------------------------------------------------


async def test_the_tool_that_asked_goes_on_and_asks_again(attached: Served) -> None:
    async with client(attached) as chat:
        events = await chat.create("count the facts")
        thread_id = thread_of(events)
        assert events[-1].item.type == "client_tool_call"
        (call,) = items(events, "client_tool_call")
        assert (call.name, call.arguments, call.status) == ("count", {"of": "facts"}, "pending")
        events = await chat.events(done(thread_id, {"count": 3}))
        (call,) = items(events, "client_tool_call")
        assert call.arguments == {"of": "notes"}
        events = await chat.events(done(thread_id, {"count": 1}))
        assert "3 facts and 1 notes" in answer(events)
        assert [
            one["status"] for one in await kept(chat, thread_id) if one["type"] == "client_tool_call"
        ] == [
            "completed",
            "completed",
        ]


async def test_an_answer_counts_once(attached: Served) -> None:
    async with client(attached) as chat:
        thread_id = thread_of(await chat.create("remember this page"))
        replies = await asyncio.gather(*(chat.post(done(thread_id, {"number": n})) for n in range(3)))
        said = [reply.text for reply in replies if "The page has done save_fact" in reply.text]
        assert len(said) == 1
        again = await chat.post(done(thread_id, {"number": 9}))
        assert again.status_code == 409
        finished = [one for one in await kept(chat, thread_id) if one["type"] == "assistant_message"]
        assert len(finished) == 1


async def test_a_page_that_was_loaded_again_answers(attached: Served) -> None:
    async with client(attached, "reloading") as chat:
        thread_id = thread_of(await chat.create("remember this page"))
    async with client(attached, "reloading") as chat:  # another secret and another session
        assert (await kept(chat, thread_id))[-1]["type"] == "client_tool_call"
        assert "save_fact" in answer(await chat.events(done(thread_id, "saved")))


async def test_nobody_else_can_answer(attached: Served) -> None:
    async with client(attached) as chat, client(attached, "eve") as eve:
        thread_id = thread_of(await chat.create("remember this page"))
        assert (await eve.post(done(thread_id, {"stolen": True}))).status_code == 404
        assert "stolen" not in answer(await chat.events(done(thread_id, {"saved": True})))


async def test_the_next_message_gives_up_what_the_page_has_not_done(attached: Served) -> None:
    async with client(attached) as chat:
        thread_id = thread_of(await chat.create("remember this page"))
        assert answer(await chat.add(thread_id, "list tasks"))
        call = await settled(chat, thread_id)
        assert call["output"]["error"]
        assert (await chat.post(done(thread_id, {"late": True}))).status_code == 409


async def test_a_task_that_is_cancelled_leaves_no_call_open(attached: Served) -> None:
    async with client(attached) as chat:
        events = await chat.create("remember this page")
        tasks = (await chat.http.get("/api/tasks", headers=chat.headers)).json()["tasks"]
        (task,) = [one for one in tasks if one["client_call"] is not None]
        await chat.http.post(f"/api/tasks/{task['id']}/cancel", headers=chat.headers)
        call = await settled(chat, thread_of(events))
        assert call["output"]["error"] == "Cancelled."


# ---- a model that asks ----------------------------------------------------------------------------


def message(text: str, **options: Any) -> ThreadsCreateReq:
    said = UserMessageInput(
        content=[UserMessageTextContent(text=text)],
        attachments=[],
        inference_options=InferenceOptions(**options),
    )
    return ThreadsCreateReq(params=ThreadCreateParams(input=said))


async def test_the_models_turn_goes_on_with_what_the_page_has_done(
    answered: Served, model: OpenAIServer
) -> None:
    model.reset()
    model.says(Call("save_fact", {"fact": "Ada likes maps"}), "It is saved as number 7.")
    async with client(answered) as chat:
        events = await chat.create("would you please keep in mind that Ada likes maps")
        (call,) = items(events, "client_tool_call")
        assert (call.name, call.arguments) == ("record_fact", {"fact": "Ada likes maps"})
        assert len(model.asked) == 1
        events = await chat.events(done(thread_of(events), {"number": 7}))
        assert answer(events) == "It is saved as number 7."
    assert len(model.asked) == 2
    assert "number" in json.dumps(model.asked[1]["messages"][-1])


async def test_a_client_chooses_only_models_that_the_settings_let_be_chosen(
    answered: Served, model: OpenAIServer
) -> None:
    model.reset()
    async with client(answered) as chat:
        model.says("One.", "Two.")
        assert answer(await chat.events(message("why are maps so very old", model="second"))) == "One."
        assert answer(await chat.events(message("why are maps so very old", model="scripted"))) == "Two."
        assert [asked["model"] for asked in model.asked] == ["second", "scripted"]
        for name in ("openai/gpt-5", "ollama", "http://127.0.0.1:1/v1#x", "third"):
            refused = answer(await chat.events(message("why are maps so very old", model=name)))
            assert "may not be chosen" in refused
        assert len(model.asked) == 2
        # What needs no model is done whatever was chosen.
        assert answer(await chat.events(message("list tasks", model="third")))


async def test_a_client_names_the_tool_that_is_to_be_used(answered: Served, model: OpenAIServer) -> None:
    model.reset()
    model.says(Call("list_files", {}), "There are none.")
    async with client(answered) as chat:
        asked = message("what have we got lying around", tool_choice=ToolChoice(id="list_files"))
        assert "There are none." in answer(await chat.events(asked))
        assert model.asked[0]["tool_choice"]["function"]["name"] == "list_files"
        unknown = message("what have we got", tool_choice=ToolChoice(id="drop_tables"))
        assert "no tool drop_tables" in answer(await chat.events(unknown))
        control = message("go ahead with it", tool_choice=ToolChoice(id="approve"))
        assert "for a person only" in answer(await chat.events(control))
        assert len(model.asked) == 2


async def test_without_a_model_a_named_tool_is_used_for_words_that_ask_for_it(attached: Served) -> None:
    async with client(attached) as chat:
        asked = message("list the files", tool_choice=ToolChoice(id="list_files"))
        assert "file" in answer(await chat.events(asked))
        other = message("list the files", tool_choice=ToolChoice(id="run_tests"))
        assert "there is no model that could" in answer(await chat.events(other))


async def test_a_kernel_that_dies_leaves_no_call_open(tmp_path: Path) -> None:
    with attached_server(tmp_path, TOOLS) as (served, kernel):
        async with client(served) as chat:
            thread_id = thread_of(await chat.create("remember this page"))
            kernel.stop()
            reply = await chat.post(done(thread_id, {"saved": True}))
            assert reply.status_code in (200, 409)
            assert (await settled(chat, thread_id))["status"] == "completed"
