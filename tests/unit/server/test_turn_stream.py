"""Turns as ChatKit's events: what waits for a person, sources, widgets, progress."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from voice_kernel.errors import KernelDied
from voice_kernel.messages import (
    AnswerDelta,
    Approval,
    ApprovalChanged,
    FormField,
    Problem,
    Progress,
    Result,
    Task,
    TaskChanged,
    TaskProgress,
    ToSurface,
    Turn,
    TurnChanged,
    Widget,
    WidgetChanged,
    WidgetUpdated,
)
from voice_kernel.server.line import Feed
from voice_kernel.server.turnstream import TurnStream, Waiting, values_of, widget_of

CARD = {"type": "Card", "children": [{"type": "Text", "id": "t", "value": "one", "streaming": True}]}


class Followed:
    """A turn stream and its feed."""

    def __init__(self) -> None:
        numbers = count(1)
        self.feed = Feed("request")
        self.shown: list[Approval] = []
        self.stream = TurnStream(
            self.feed,
            "thread",
            lambda kind: f"{kind}{next(numbers)}",
            self.shown.append,
            lambda: list(self.feed.tasks.values()),
        )

    def tell(self, events: Iterable[ToSurface]) -> None:
        for event in events:
            if isinstance(event, TurnChanged):
                self.feed.turn = event.turn
            elif isinstance(event, TaskChanged):
                self.feed.tasks[event.task.id] = event.task
            self.feed.put(event)
            if isinstance(event, TurnChanged) and event.turn.ended_at is not None:
                self.feed.end()

    async def read(self, *events: ToSurface) -> list[Any]:
        self.tell(events)
        return [event async for event in self.stream.events()]


def turn(state: Any = "running", **more: Any) -> TurnChanged:
    ended = 2.0 if state in ("succeeded", "failed", "cancelled", "nothing") else None
    fields = {"id": 1, "state": state, "origin": "text", "created_at": 1.0, "ended_at": ended}
    return TurnChanged(turn=Turn(**fields | more))


def task(state: Any = "running", number: int = 1, **more: Any) -> TaskChanged:
    ended = 2.0 if state in ("succeeded", "failed", "cancelled") else None
    fields: dict[str, Any] = {
        "id": number, "turn_id": 1, "tool": "run_shell", "area": "shell", "title": "run_shell ls",
        "state": state, "created_at": 1.0, "ended_at": ended,
    }  # fmt: skip
    return TaskChanged(task=Task(**fields | more))


def approval(state: Any = "open", **more: Any) -> ApprovalChanged:
    fields = {
        "id": 3,
        "task_id": 1,
        "tool": "run_shell",
        "target": "ls",
        "reason": "It asks.",
        "state": state,
    }
    return ApprovalChanged(approval=Approval(**fields | {"created_at": 1.0} | more))


def of(events: list[Any], kind: str) -> list[Any]:
    return [event for event in events if event.type == kind]


async def test_the_answer_of_a_model_grows_and_is_whole_at_the_end() -> None:
    events = await Followed().read(
        AnswerDelta(turn_id=1, text="It is "),
        turn(answer=""),  # a change that says nothing of the answer
        AnswerDelta(turn_id=1, text="four"),
        turn("succeeded", answer="It is four.", route="model"),
    )
    deltas = [e.update.delta for e in of(events, "thread.item.updated") if "delta" in e.update.type]
    assert deltas == ["It is ", "four", "."]
    (done,) = of(events, "thread.item.done")
    assert done.item.content[0].text == "It is four."


async def test_an_approval_ends_the_stream_and_the_answer_goes_on_with_it() -> None:
    followed = Followed()
    events = await followed.read(task("awaiting_approval"), approval())
    (card,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "widget"]
    assert followed.shown
    assert followed.stream.still_waits
    assert followed.stream.waiting[card.id].approval_id == 3
    events = await followed.read(
        approval("approved"), task(), task("succeeded", result=Result(summary="Done")), turn("succeeded")
    )
    (replaced,) = of(events, "thread.item.replaced")
    assert replaced.item.id == card.id
    assert replaced.item.created_at == card.created_at
    assert "confirm" not in replaced.item.model_dump(exclude_none=True)["widget"]
    assert not followed.stream.still_waits
    assert events[-1].type == "client_effect"


async def test_a_form_is_structured_input_and_its_answers_have_the_types_of_its_fields() -> None:
    fields = [
        FormField(name="city", title="Which city?", required=True),
        FormField(name="size", kind="choice", choices=["s", "m"], labels=["Small", "Medium"]),
        FormField(name="count", kind="integer"),
        FormField(name="sure", kind="boolean"),
        FormField(name="days", kind="choices", choices=["mon", "tue"]),
    ]
    followed = Followed()
    events = await followed.read(task("awaiting_approval"), approval(fields=fields))
    (item,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "structured_input"]
    assert [part.type for part in item.inputs] == [
        "freeform", "multiple_choice", "freeform", "multiple_choice", "multiple_choice",
    ]  # fmt: skip
    assert [option.value for option in item.inputs[1].options] == ["Small", "Medium"]
    waiting = followed.stream.waiting[item.id]
    answers = {"city": ["Rome"], "size": ["Medium"], "count": ["3"], "sure": ["Yes"], "days": ["mon", "tue"]}
    assert values_of(waiting, answers) == {
        "city": "Rome", "size": "m", "count": 3, "sure": True, "days": ["mon", "tue"],
    }  # fmt: skip
    with pytest.raises(ValueError, match="Which city"):
        values_of(waiting, {"count": ["3"]})
    with pytest.raises(ValueError, match="many"):
        values_of(waiting, {"city": ["Rome"], "count": ["many"]})


async def test_a_question_is_asked_with_yes_and_no() -> None:
    followed = Followed()
    events = await followed.read(turn(asks="Did you mean cell 3?"))
    (item,) = [e.item for e in of(events, "thread.item.done")]
    assert item.inputs[0].question == "Did you mean cell 3?"
    assert followed.stream.waiting[item.id] == Waiting(item.id, None, 1)
    events = await followed.read(turn(asks=""), turn("nothing", answer="Nothing was done."))
    (settled,) = of(events, "thread.item.replaced")
    assert (settled.item.id, settled.item.status) == (item.id, "skipped")


async def test_passages_of_the_web_are_quoted_with_their_sources() -> None:
    cited = [
        {
            "url": "https://a.example/x",
            "title": "A",
            "site": "a.example",
            "date": "2026",
            "passage": "First.",
        },
        {"url": "https://b.example/y", "title": "B", "site": "b.example", "date": "", "passage": "Second."},
    ]
    found = task(
        "succeeded",
        tool="web_search",
        arguments={"query": "what"},
        result=Result(summary="2 passages.", text="…", data={"citations": cited}),
    )
    events = await Followed().read(found, turn("succeeded", route="intents"))
    (said,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "assistant_message"]
    (content,) = said.content
    assert [note.source.url for note in content.annotations] == ["https://a.example/x", "https://b.example/y"]
    assert [content.text[: note.index].endswith(end) for note, end in
            zip(content.annotations, ("First.", "Second."), strict=True)] == [True, True]  # fmt: skip
    (workflow,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "workflow"]
    assert workflow.workflow.tasks[0].type == "web_search"
    assert len(workflow.workflow.tasks[0].sources) == 2


async def test_a_widget_of_a_tool_is_streamed_and_kept_as_it_stood_at_the_end() -> None:
    after = {"type": "Card", "children": [{"type": "Text", "id": "t", "value": "one two"}]}
    update = {"type": "widget.streaming_text.value_delta", "component_id": "t", "delta": " two", "done": True}
    events = await Followed().read(
        task(),
        WidgetChanged(widget=Widget(id="w7", task_id=1, root=CARD)),
        WidgetUpdated(widget_id="w7", update=update),
        task("succeeded", result=Result(widgets=[Widget(id="w7", task_id=1, root=after)])),
        turn("succeeded"),
    )
    added = [e.item for e in of(events, "thread.item.added") if e.item.type == "widget"]
    (done,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "widget"]
    assert [item.id for item in added] == [done.id]
    assert widget_of(done) == "w7"
    assert done.model_dump(exclude_none=True)["widget"]["children"][0]["value"] == "one two"
    kinds = [e.update.type for e in of(events, "thread.item.updated")]
    assert "widget.streaming_text.value_delta" in kinds


async def test_a_root_that_chatkit_has_no_name_for_is_shown_all_the_same() -> None:
    root = {"type": "Progress", "id": "p", "label": "Half", "value": 50}
    events = await Followed().read(
        task(), WidgetChanged(widget=Widget(id="w", task_id=1, root=root)), turn("cancelled")
    )
    (done,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "widget"]
    assert done.widget.type == "Basic"


async def test_progress_and_failures_are_told() -> None:
    progress = Progress(fraction=0.5, label="Building")
    problem = Problem(kind="ToolError", message="It broke.", hint="Mend it.")
    events = await Followed().read(
        task(),
        TaskProgress(task_id=1, progress=progress),
        task("failed", problem=problem),
        turn("failed", problem=problem),
    )
    assert of(events, "progress_update")[0].text == "Building · 50%"
    (said,) = [e.item for e in of(events, "thread.item.done") if e.item.type == "assistant_message"]
    assert said.content[0].text == "It broke. Mend it."


async def test_who_reads_on_is_told_first_what_is_still_open() -> None:
    followed = Followed()
    followed.tell([task(), AnswerDelta(turn_id=1, text="So far")])
    events = followed.stream.events()
    begun = [await anext(events) for _ in range(4)]
    await events.aclose()  # type: ignore[attr-defined]
    again = await followed.read(turn("succeeded", answer="So far, so good.", route="model"))
    opened = [e.item for e in of(begun, "thread.item.added")]
    assert [e.item.id for e in again[:2]] == [item.id for item in opened]
    assert again[1].item.content[0].text == "So far"


async def test_a_kernel_that_dies_ends_what_is_open_and_is_said() -> None:
    followed = Followed()
    followed.tell([task(), AnswerDelta(turn_id=1, text="Half")])
    followed.feed.end(KernelDied("The kernel died."))
    events = await followed.read()
    assert [e.item.type for e in of(events, "thread.item.done")] == ["workflow", "assistant_message"]
    assert events[-1].type == "error"
    assert events[-1].allow_retry
