"""What sounds like a command is one only where there is something to act on."""

from __future__ import annotations

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.intents.needs import BRINGS, MANY_TESTS, NEEDS, lacking

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


TESTS = Context(complete=True, tests=("test_login_fails", "test_tax"), files=("tests/", "tests/test_shop.py"))


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("run the login tests", ""), ("run the shop tests", ""), ("run tests that match tax", ""),
        ("run the blood tests", "test"), ("run the tests about the patients", "test"), ("run the tests", ""),
    ],
)  # fmt: skip
def test_tests_of_something_that_no_test_here_is_about_are_talk(
    grammar: Grammar, text: str, need: str
) -> None:
    assert lacking(grammar.parse(text, TESTS).calls, TESTS) == need
    assert lacking(grammar.parse(text, NOTHING).calls, NOTHING) == ""  # where there are none, pytest says it
    many = Context(complete=True, tests=tuple(f"test_{number}" for number in range(MANY_TESTS)))
    assert lacking(grammar.parse(text, many).calls, many) == ""  # there may be more than are known


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("run the test tax", True), ("run the tests on tax", True), ("run the tests on the shop", True),
        ("run the test drive", False), ("run the tests on the patients", False),
    ],
)  # fmt: skip
def test_a_loose_way_to_name_a_test_needs_one_of_that_name(grammar: Grammar, text: str, called: bool) -> None:
    assert [call.tool for call in grammar.parse(text, TESTS).calls] == ["run_tests"] * called


def test_every_tool_that_is_named_exists(grammar: Grammar) -> None:
    assert {*NEEDS, *BRINGS} <= grammar.tools
