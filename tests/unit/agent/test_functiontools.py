"""Functions written for ChatKit's `AgentContext` run unchanged, for a model and for a person."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from agents import RunContextWrapper, function_tool
from brain_bench import Asked, Bench
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    CustomTask,
    ProgressUpdateEvent,
    ThreadItemDoneEvent,
    Workflow,
)
from chatkit.widgets import DynamicWidgetRoot
from openai_server import Call, OpenAIServer

from voice_kernel import tool
from voice_kernel.kernel import CodeResult
from voice_kernel.messages import Task, TaskProgress, ToSurface
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.shelf import Shelf, shelf

PLACES: list[tuple[str, str | None]] = []


def forecast(place: str, text: str) -> DynamicWidgetRoot:
    return DynamicWidgetRoot.model_validate(
        {
            "type": "Card",
            "children": [
                {"type": "Title", "value": place},
                {"type": "Text", "id": "text", "value": text, "streaming": text != "Sunny all day"},
            ],
        }
    )


# ---- as its author wrote it, for a ChatKit server --------------------------------------------------


@function_tool(description_override="Show the weather of a place.")
async def show_weather(
    ctx: RunContextWrapper[AgentContext[Any]],
    place: str,
    unit: Literal["celsius", "fahrenheit"] | None = None,
) -> str:
    PLACES.append((place, unit))
    await ctx.context.stream(ProgressUpdateEvent(text="Asking the sky"))

    async def states() -> AsyncGenerator[DynamicWidgetRoot, None]:
        for end in ("Sunny", "Sunny all", "Sunny all day"):
            yield forecast(place, end)

    await ctx.context.stream_widget(states(), copy_text=f"{place}: sunny")
    item = AssistantMessageItem(
        id=ctx.context.generate_id("message"),
        thread_id=ctx.context.thread.id,
        created_at=datetime.now(UTC).replace(tzinfo=None),
        content=[AssistantMessageContent(text="Take a hat.")],
    )
    await ctx.context.store.add_thread_item(ctx.context.thread.id, item, ctx.context.request_context)
    await ctx.context.stream(ThreadItemDoneEvent(item=item))
    page = await ctx.context.store.load_thread_items(ctx.context.thread.id, None, 10, "asc", {})
    return f"Shown, with {len(page.data)} message."


@function_tool
async def plan_trip(ctx: RunContextWrapper[AgentContext[Any]], stops: list[str]) -> str:
    """Plan a trip.

    Args:
        stops: where it leads.
    """
    await ctx.context.start_workflow(Workflow(type="custom", tasks=[]))
    for stop in stops:
        await ctx.context.add_workflow_task(CustomTask(title=f"Look up {stop}"))
    await ctx.context.end_workflow()
    return " - ".join(stops)


@function_tool
def save_fact(ctx: RunContextWrapper[AgentContext[Any]], fact: str) -> None:
    """Save a fact in the page."""
    ctx.context.client_tool_call = ClientToolCall(name="record_fact", arguments={"fact": fact})


# ---- as a person adds it to this session -----------------------------------------------------------


class Door:
    """No main thread: nothing here is shown by IPython."""

    async def run(self, code: str, *, show: bool | str = True, on_output: Any = None) -> CodeResult:
        raise AssertionError(code)


@pytest.fixture
def own(bench: Bench) -> Iterator[Shelf]:
    tool(sentences=["weather in {place}"])(show_weather)
    tool(plan_trip)
    tool(save_fact)
    adoption = Adoption(shelf, bench.toolbox.registry, Door(), bench.hub.publish)
    assert adoption.update() == []
    yield shelf
    shelf.clear()
    PLACES.clear()


class Ear:
    """Hears every change, also those that are soon replaced."""

    def __init__(self) -> None:
        self.heard: list[ToSurface] = []

    def publish(self, message: ToSurface) -> None:
        self.heard.append(message)


async def called(bench: Bench, name: str, **arguments: Any) -> Task:
    return await bench.toolbox.call(name, arguments, turn_id=1, origin="text")


async def test_a_model_calls_it_and_its_widget_is_the_tasks(
    bench: Bench, brain: Asked, server: OpenAIServer, own: Shelf
) -> None:
    server.says(Call("show_weather", {"place": "Kiel", "unit": None}), "It is sunny in Kiel.")
    assert await brain.answer("how is it in Kiel?", approved_tools=["show_weather"]) == "It is sunny in Kiel."
    (task,) = bench.tasks
    assert (task.state, task.problem) == ("succeeded", None)
    assert PLACES == [("Kiel", None)]
    assert task.result is not None
    (widget,) = task.result.widgets
    assert widget.root["children"][1]["value"] == "Sunny all day"
    assert widget.copy_text == "Kiel: sunny"
    assert widget.task_id == task.id
    assert "Shown, with 1 message." in str(server.asked[-1])  # the model reads what it returned
    assert "Take a hat." in task.tail


async def test_a_person_calls_it_with_its_own_types_and_defaults(bench: Bench, own: Shelf) -> None:
    task = await called(bench, "show_weather", place="Oslo", unit="celsius")
    assert task.state == "succeeded"
    assert PLACES == [("Oslo", "celsius")]
    wrong = await called(bench, "show_weather", place="Oslo", unit="kelvin")
    assert wrong.problem is not None
    assert wrong.problem.kind == "InvalidArguments"


async def test_its_progress_and_workflow_are_the_tasks(bench: Bench, own: Shelf) -> None:
    ear = Ear()
    bench.hub.tell_also(ear)
    task = await called(bench, "plan_trip", stops=["Rome", "Bari"])
    assert task.result is not None
    assert "Rome - Bari" in (task.result.text or str(task.result.data) or task.result.summary)
    told = [message.progress for message in ear.heard if isinstance(message, TaskProgress)]
    assert any(progress is not None and progress.label.startswith("Look up ") for progress in told)


async def test_what_it_asks_of_its_page_is_told(bench: Bench, own: Shelf) -> None:
    task = await called(bench, "save_fact", fact="Ada wrote the first program")
    assert task.result is not None
    assert task.result.data["client_tool"] == "record_fact"


async def test_what_is_said_reaches_it(bench: Bench, own: Shelf) -> None:
    (weather,) = [made for made in own.tools if made.name == "show_weather"]
    assert weather.description == "Show the weather of a place."
    assert [sentence.template for sentence in weather.sentences] == ["weather in {place}"]


def test_its_arguments_are_described_to_models(own: Shelf) -> None:
    (trip,) = [made for made in own.tools if made.name == "plan_trip"]
    assert trip.signature.model.model_json_schema()["properties"]["stops"]["description"] == "where it leads."
