"""What is taken back before the sentence is over."""

from __future__ import annotations

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar


def calls(grammar: Grammar, text: str) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text, Context()).calls]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("run cell two, no, cell four", "run cell four"),
        ("run cell two no cell four and save", "run cell four and save"),
        ("run cell fifteen, sorry, fifty", "run cell fifty"),
        ("run cell twenty five, sorry, thirty six", "run cell thirty six"),
        ("go to cell seven no wait eight", "go to cell eight"),
        ("delete cell three, I mean cell thirteen", "delete cell thirteen"),
        ("insert a cell above, sorry, below", "insert a cell below"),
        ("make cell three markdown, no, code", "make cell three code"),
        ("open github dot com, sorry, gitlab dot com", "open gitlab dot com"),
        ("plot price by year, no, by month", "plot price by month"),
        ("save, no wait, undo", "undo"),
        ("run the tests, no wait, run all cells", "run all cells"),
        ("run cell, uh, no, cell four", "run cell four"),
    ],
)
def test_what_is_said_last_is_what_was_meant(grammar: Grammar, said: str, meant: str) -> None:
    assert calls(grammar, said) == calls(grammar, meant) != []


@pytest.mark.parametrize(
    "said",
    [
        "I ran cell two, no, cell four",
        "the answer is two, no, four",
        "we saw three, sorry, four people",
        "the tests failed, sorry, run the tests",
        "do not run cell two, I mean cell four",
    ],
)
def test_talk_that_is_taken_back_stays_talk(grammar: Grammar, said: str) -> None:
    assert calls(grammar, said) == []


@pytest.mark.parametrize("said", ["run cell two, no, yes", "run cell two no accept all changes"])
def test_a_second_thought_consents_to_nothing(grammar: Grammar, said: str) -> None:
    assert calls(grammar, said) == []


@pytest.mark.parametrize("said", ["select cell three, no, delete it", "run cell two, I mean it"])
def test_what_it_was_is_not_guessed_from_what_was_taken_back(grammar: Grammar, said: str) -> None:
    assert calls(grammar, said) == []


def test_free_text_may_hold_a_no(grammar: Grammar) -> None:
    assert calls(grammar, "search for the no free lunch theorem") == [
        ("web_search", {"query": "the no free lunch theorem"})
    ]


def test_a_command_that_is_taken_back_whole_is_not_replaced_by_the_words_for_it(grammar: Grammar) -> None:
    assert calls(grammar, "run cell two, no, wait") == []
