"""What sounds like a command is one only where there is something to act on."""

from __future__ import annotations

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.intents.needs import BRINGS, NEEDS, lacking

NOTHING = Context(complete=True)
PAGE = Context(complete=True, page_open=True)
SERVER = Context(complete=True, servers=("time",))


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.shared("en")


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("press the elevator button", "page"), ("tap on the window", "page"), ("click the seat belt", "page"),
        ("turn off the lights switch", "page"), ("tick tock", "page"),
        ("upload the photos to the cloud tomorrow", "page"), ("start the dinner server", "server"),
        ("show the tools of the trade", "server"), ("what tools does the carpenter have", "server"),
    ],
)  # fmt: skip
def test_talk_of_buttons_and_tools_is_no_command_where_there_are_none(
    grammar: Grammar, text: str, need: str
) -> None:
    calls = grammar.parse(text, NOTHING).calls
    assert lacking(calls, NOTHING) == need
    assert lacking(calls, PAGE if need == "page" else SERVER) == ""
    assert lacking(calls, Context()) == ""  # without a session nobody knows


@pytest.mark.parametrize(
    "text",
    ["open python dot org and click downloads", "install the time server and start the time server",
     "open a new tab on python dot org then take a screenshot", "run the tests", "go to python dot org"],
)  # fmt: skip
def test_what_the_same_breath_brings_about_is_there(grammar: Grammar, text: str) -> None:
    calls = grammar.parse(text, NOTHING).calls
    assert calls
    assert lacking(calls, NOTHING) == ""


def test_every_tool_that_is_named_exists(grammar: Grammar) -> None:
    assert {*NEEDS, *BRINGS} <= grammar.tools
