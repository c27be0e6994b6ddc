"""The hint: names of the context in sentences, within what the recogniser can take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.context import Context, Variable
from voice_kernel.intents.sentences import languages
from voice_kernel.speech.vocabulary import STANDING, command_prompt, openings, opens_like_a_command

CONTEXT = Context(
    variables=(
        Variable("weights", "ndarray"),
        Variable("orders", "DataFrame", columns=("revenue", "order_date")),
        Variable("_private", "int"),
    ),
    files=("data/", "tests/", "tests/unit/", "analysis.ipynb"),
    tests=("test_parser",),
    servers=("fetch",),
    headings=("Cleaning",),
    words=("kubectl",),
)


def test_the_standing_commands_are_hinted_at_without_any_context() -> None:
    assert command_prompt(Context(), lambda _: True) == STANDING


def test_names_of_every_kind_are_in_sentences() -> None:
    prompt = command_prompt(CONTEXT, lambda _: True)
    for sentence in (
        "Show orders.",
        "Plot revenue by order_date.",
        "kubectl.",
        "Run the tests in tests/unit.",
        "Start the fetch server.",
        "Run the test test_parser.",
        "List the files in data.",
        "Go to Cleaning.",
    ):
        assert sentence in prompt
    assert "_private" not in prompt


def test_german_names_are_in_german_sentences() -> None:
    prompt = command_prompt(CONTEXT, lambda _: True, "de")
    for sentence in (
        "Zeige orders.",
        "Zeichne revenue nach order_date.",
        "Führe die Tests in tests/unit aus.",
        "Führe den Test test_parser aus.",
        "Starte den Server fetch.",
        "Gehe zu Cleaning.",
    ):
        assert sentence in prompt
    assert "Show" not in prompt


def test_no_english_sentences_stand_before_a_language_that_has_none_of_its_own() -> None:
    assert command_prompt(CONTEXT, lambda _: True, "fr") == ""


def test_the_newest_variable_stands_nearest_to_the_speech() -> None:
    prompt = command_prompt(CONTEXT, lambda _: True)
    assert prompt.endswith("Show orders.")


@given(st.integers(0, 2000), st.lists(st.text(min_size=1, max_size=60), max_size=30))
def test_names_are_left_out_when_the_hint_is_full(limit: int, names: list[str]) -> None:
    context = Context(variables=tuple(Variable(name, "int") for name in names))
    prompt = command_prompt(context, lambda text: len(text) <= limit)
    assert prompt == STANDING or len(prompt) <= limit


@pytest.mark.parametrize(
    "text", ["Run cell 3.", "um, could you please run the tests", "Okay, wait, don't", "git status"]
)
def test_a_command_is_known_by_its_opening(text: str) -> None:
    assert opens_like_a_command(text)


@pytest.mark.parametrize(
    "text", ["", "...", "The weather is nice.", "I never run the tests", "And so, my fellow Americans"]
)
def test_other_talk_is_known_by_its_opening(text: str) -> None:
    assert not opens_like_a_command(text)


@pytest.mark.parametrize(
    "text",
    [
        "Führe Zelle drei aus.",
        "Könnten Sie bitte alle leeren Zellen löschen?",
        "ähm, ich möchte die Ausgaben drucken",
        "die Tests mit drei Prozessen ausführen bitte",
        "zeig mal alles",
    ],
)
def test_a_german_command_is_known_by_its_opening_or_by_the_verb_it_ends_in(text: str) -> None:
    assert opens_like_a_command(text, "de")


@pytest.mark.parametrize(
    "text", ["", "Run cell 3.", "Das Wetter ist schön.", "ich habe gestern alle Zellen löschen müssen"]
)
def test_other_german_talk_is_known_by_its_opening(text: str) -> None:
    assert not opens_like_a_command(text, "de")


def test_every_language_that_is_understood_has_openings() -> None:
    for language in languages():
        known = openings(language)
        assert all((known.commands, known.questions, known.polite, known.over)), language
    assert openings("xx").commands == frozenset()
