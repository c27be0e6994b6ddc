"""How far an utterance is, as end-pointing needs to know it."""

from __future__ import annotations

import pytest

from voice_kernel.intents import Completeness, Grammar


@pytest.mark.parametrize(
    ("text", "far"),
    [
        ("run the tests in", "unfinished"),
        ("run the tests in the", "unfinished"),
        ("delete", "unfinished"),
        ("plot revenue by", "unfinished"),
        ("run cell 3 and", "unfinished"),
        ("search the web for", "unfinished"),
        ("run the tests", "extensible"),
        ("run the tests in the unit folder", "extensible"),
        ("delete this cell", "finished"),
        ("help", "finished"),
        ("stop listening", "finished"),
        ("the weather is nice today", "other"),
        ("I think we should go", "other"),
        ("cancel timer", "other"),
        ("", "other"),
    ],
)
def test_an_utterance_tells_how_far_it_is(grammar: Grammar, text: str, far: Completeness) -> None:
    assert grammar.completeness(text) == far


def test_what_could_follow_changes_nothing_about_what_is_understood(grammar: Grammar) -> None:
    before = grammar.parse("run the tests")
    grammar.completeness("run the tests")
    assert grammar.parse("run the tests") == before
