"""What servers may ask of a person, of the folder and of a model; what they offer besides tools."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from faulty_servers import faulty, until

from voice_kernel.errors import ToolError
from voice_kernel.messages import FormField
from voice_kernel.tools.mcp.people import fields_of, with_defaults
from voice_kernel.tools.mcp.running import MAX_FORMS, RunningServer


class Person:
    """Fills every form in with the same values, or declines."""

    def __init__(self, values: dict[str, Any] | None, here: bool = True) -> None:
        self.values = values
        self.here = here
        self.asked: list[tuple[str, str, list[FormField]]] = []

    async def somebody(self) -> bool:
        return self.here

    async def fill_in(
        self, task: Any, server: str, message: str, fields: list[FormField]
    ) -> dict[str, Any] | None:
        self.asked.append((server, message, fields))
        return self.values


async def booked(person: Person | None, task: Any = "the task") -> str:
    running = RunningServer(faulty(), lambda _: None, lambda _: None, people=person, root=Path.cwd)
    try:
        return str((await running.call("book", {}, task=task)).content[0].text)
    finally:
        await running.stop()


async def test_a_form_that_a_person_fills_in_goes_to_the_server() -> None:
    person = Person({"when": "seven", "guests": 4})
    assert await booked(person) == "accept: 4 at seven"
    [(server, message, fields)] = person.asked
    assert (server, message) == ("faulty", "For how many, and when?")
    assert [(one.title, one.kind, one.default) for one in fields] == [
        ("Guests", "integer", 2),
        ("When", "text", None),
    ]


async def test_a_server_opens_a_few_forms_at_once_and_no_more() -> None:
    answered = asyncio.Event()

    class Slow(Person):
        async def fill_in(self, *asked: Any) -> dict[str, Any] | None:
            await answered.wait()
            return await super().fill_in(*asked)

    running = RunningServer(
        faulty(), lambda _: None, lambda _: None, people=Slow({"when": "seven"}), root=Path.cwd
    )
    try:
        await running.start()
        calls = [asyncio.ensure_future(running.call("book", {}, task="the task")) for _ in range(8)]
        await until(lambda: sum(call.done() for call in calls) == 8 - MAX_FORMS)
        answered.set()
        texts = [(await call).content[0].text for call in calls]
        assert sorted(texts) == ["accept: 2 at seven"] * MAX_FORMS + ["decline"] * (8 - MAX_FORMS)
    finally:
        await running.stop()


async def test_what_is_left_alone_has_its_default() -> None:
    assert await booked(Person({"when": "seven"})) == "accept: 2 at seven"


@pytest.mark.parametrize(
    ("person", "answer"),
    [
        (Person(None), "decline"),
        (Person({}, here=False), "decline"),
        (None, "decline"),
        (Person({"when": "seven", "guests": "many"}), "cancel"),
    ],
    ids=["a no", "nobody here", "nobody at all", "nonsense"],
)
async def test_without_a_fitting_answer_the_server_is_told_so(person: Person | None, answer: str) -> None:
    assert await booked(person) == answer


async def test_nobody_is_asked_outside_a_task() -> None:
    person = Person({"when": "seven"})
    assert await booked(person, task=None) == "decline"
    assert person.asked == []


async def test_a_server_is_told_the_folder_and_gets_no_model() -> None:
    running = RunningServer(faulty(), lambda _: None, lambda _: None, root=Path.cwd)
    assert (await running.call("places", {})).content[0].text == Path.cwd().as_uri()
    assert "refused" in (await running.call("think", {})).content[0].text
    await running.stop()


async def test_prompts_and_resources_are_listed_and_read() -> None:
    running = RunningServer(faulty(), lambda _: None, lambda _: None)
    try:
        assert [one.name for one in await running.prompts()] == ["greeting"]
        assert [str(one.uri) for one in await running.resources()] == ["memo://one", "memo://pixel"]
        assert (await running.read("memo://one")).contents[0].text == "remember the milk"
        made = await running.prompt("greeting", {"name": "Ada"})
        assert made.messages[0].content.text == "Say hello to Ada"
        with pytest.raises(ToolError, match="memo://two"):
            await running.read("memo://two")
    finally:
        await running.stop()


def test_a_form_has_simple_fields_only() -> None:
    schema = {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "oneOf": [
                {"const": "r", "title": "Red"}, {"const": "b", "title": "Blue"},
            ]},
            "size": {"type": "string", "enum": ["s", "l"], "enumNames": ["Small", "Large"], "default": "s"},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}, "default": ["x"]},
            "sure": {"type": "boolean", "default": True},
            "score": {"type": "number"},
        },
        "required": ["colour"],
    }  # fmt: skip
    fields = fields_of(schema)
    assert [one.kind for one in fields] == ["choice", "choice", "choices", "boolean", "number"]
    assert fields[0].labels == ["Red", "Blue"]
    assert fields[1].labels == ["Small", "Large"]
    assert with_defaults(fields, {"colour": "b", "score": 2}) == {
        "colour": "b", "size": "s", "tags": ["x"], "sure": True, "score": 2.0,
    }  # fmt: skip
    for wrong in ({}, {"colour": "green"}, {"colour": "r", "score": "inf"}, {"colour": "r", "tags": ["z"]}):
        with pytest.raises(ValueError, match=r"missing|wrong kind"):
            with_defaults(fields, wrong)
    for schema in ({"properties": {"a": {"type": "object"}}}, {"properties": {"a": 1}}, {}):
        with pytest.raises(ValueError, match=r"field|form"):
            fields_of(schema)
