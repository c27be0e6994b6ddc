"""What words ask of a server: the tool that fits, its arguments, what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import Tool

from voice_kernel.errors import InvalidArguments
from voice_kernel.tools.mcp.spoken import how_to_say, meant


def tool(name: str, description: str, required: int = 99, **parameters: Any) -> Tool:
    properties = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(properties)[:required]}
    return Tool(name=name, description=description, input_schema=schema)


TIME = [
    tool("get_current_time", "Get current time in a specific timezone", timezone="string"),
    tool(
        "convert_time",
        "Convert time between timezones",
        source_timezone="string",
        time="string",
        target_timezone="string",
    ),
]
OTHERS = [
    tool("add", "Add two numbers", a="number", b="number"),
    tool("echo", "Echo a message back", message="string"),
    tool("printEnv", "Print the environment"),
    tool("longRunningOperation", "Takes a while", required=0, duration="number", steps="integer"),
    tool("paint", "Paint a wall", colour={"type": "string", "enum": ["red", "green"]}, twice="boolean"),
]


@pytest.mark.parametrize(
    ("request_", "name", "arguments"),
    [
        ("get the current time in Oslo", "get_current_time", {"timezone": "Europe/Oslo"}),
        ("tell me the current time in New York", "get_current_time", {"timezone": "America/New_York"}),
        ("get the current time with timezone Asia/Tokyo", "get_current_time", {"timezone": "Asia/Tokyo"}),
        (
            "convert time with source timezone Oslo, time 15:30 and target timezone Tokyo",
            "convert_time",
            {"source_timezone": "Europe/Oslo", "time": "15:30", "target_timezone": "Asia/Tokyo"},
        ),
    ],
)
def test_the_time_server_is_understood(request_: str, name: str, arguments: dict[str, Any]) -> None:
    found = meant(request_, TIME)
    assert (found.tool, found.arguments, found.missing) == (name, arguments, ())


@pytest.mark.parametrize(
    ("request_", "name", "arguments"),
    [
        ("add three and four", "add", {"a": 3, "b": 4}),
        ("add with a 3.5 and b twenty one", "add", {"a": 3.5, "b": 21}),
        ("echo good morning", "echo", {"message": "good morning"}),
        ("print the env", "printEnv", {}),
        (
            "do the long running operation with duration two and steps five",
            "longRunningOperation",
            {"duration": 2, "steps": 5},
        ),
        ("paint with colour green and twice yes", "paint", {"colour": "green", "twice": True}),
    ],
)
def test_simple_arguments_are_understood(request_: str, name: str, arguments: dict[str, Any]) -> None:
    found = meant(request_, OTHERS)
    assert (found.tool, found.arguments, found.missing) == (name, arguments, ())


def test_what_is_missing_is_named_with_the_way_to_say_it() -> None:
    found = meant("convert the time", TIME)
    assert found.missing == ("source_timezone", "time", "target_timezone")
    assert how_to_say("time", "add", ["a", "b"]) == "Say: use time to add with a … and b …."
    assert meant("add three", OTHERS).missing == ("b",)


def test_a_request_that_fits_no_tool_names_those_there_are() -> None:
    with pytest.raises(InvalidArguments, match="not clear") as caught:
        meant("dance a waltz", OTHERS)
    assert "echo" in caught.value.hint
