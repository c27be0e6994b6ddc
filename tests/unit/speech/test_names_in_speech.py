"""Names of the notebook in what was heard: by their sound, and only when the sound agrees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.speech.conftest import Clips
from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import FREE_TEXT, REPAIRED, UNKNOWN_NAME, understanding
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.names import MOST_NAMES, names_of, sentences
from voice_kernel.speech.vocabulary import terms, unglued

DATA = Path(__file__).parents[2] / "data" / "speech"
ROWS = [json.loads(line) for line in (DATA / "identifiers.jsonl").read_text("utf-8").splitlines()]
NOTEBOOK = Context(
    variables=(
        *(Variable(row["name"], "object") for row in ROWS if row["kind"] == "variable"),
        Variable("frame", "DataFrame", columns=tuple(r["name"] for r in ROWS if r["kind"] == "column")),
    ),
    files=("tests/", *(f"tests/{row['name']}" for row in ROWS if row["kind"] == "file")),
)
"""200 names of data-science code, drawn at random."""


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.shared("en")


# ---- sentences that may have been meant -----------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("Show engine quarks", "engine_kwargs"), ("Show root three", "root"),
        ("Show sanitizer ray", "sanitize_array"),
        ("Show marks expected", "box_expected"), ("Run the tests in bite swap.py", "test_byteswap.py"),
    ],
)  # fmt: skip
def test_a_name_that_sounds_like_what_was_heard_is_offered(heard: str, name: str) -> None:
    assert any(name in sentence.text for sentence in sentences([heard], NOTEBOOK)[:40])


def test_the_nearest_sentence_comes_first() -> None:
    found = sentences(["Show engine quarks."], Context(variables=(Variable("engine_kwargs", "dict"),)))
    assert found[0].text == "Show engine_kwargs."
    assert found[0].sayings[0] == "Show engine kwargs."


def test_the_verb_and_words_of_the_trade_are_left_alone() -> None:
    context = Context(variables=(Variable("sho", "int"), Variable("pandus", "int")))
    assert [sentence.text for sentence in sentences(["Show pandas."], context)] == []


def test_what_is_compared_is_capped() -> None:
    many = Context(variables=tuple(Variable(f"name_{number}", "int") for number in range(5000)))
    assert len(names_of(many)) <= MOST_NAMES


def test_hidden_and_endless_names_are_not_said() -> None:
    context = Context(
        variables=(Variable("_secret", "int"), Variable("x" * 60, "int"), Variable("price", "int"))
    )
    assert names_of(context) == ("price",)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("Showbox expected.", "Show box expected."), ("Plotfigure", "Plot figure"), ("Show df.", "Show df."),
        ("Shows", "Shows"), ("", ""),
    ],
)  # fmt: skip
def test_an_opening_is_set_apart_from_the_word_it_was_glued_to(heard: str, meant: str) -> None:
    assert unglued(heard) == meant


def test_words_of_the_trade_are_counted() -> None:
    assert terms("Search the web for polars versus pandas.") > terms(
        "Search the web for polar's versus pandas."
    )


# ---- how well a text is understood ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("plot engine_kwargs", 1.0), ("show box expected", 1.0), ("show data for grouping", 1.0),
        ("show elephants", UNKNOWN_NAME), ("search the web for elephants", FREE_TEXT),
        ("run sell 3", REPAIRED), ("the weather is nice", 0.0), ("approve", 0.0), ("run all cells", 1.0),
    ],
)  # fmt: skip
def test_a_command_about_a_name_that_exists_is_understood_best(
    grammar: Grammar, text: str, rate: float
) -> None:
    assert understanding(grammar, NOTEBOOK)(text) == rate


def test_where_no_names_are_known_none_is_missing(grammar: Grammar) -> None:
    assert understanding(grammar, Context())("show elephants") == 1.0


# ---- in the sound ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["box_expected", "sanitize_array"])
async def test_a_spoken_name_is_heard_as_it_is_written_in_the_notebook(
    engine: LocalTranscriber, clips: Clips, grammar: Grammar, name: str
) -> None:
    heard = await engine.transcribe(
        clips[f"identifier_{name}.wav"], context=NOTEBOOK, understands=understanding(grammar, NOTEBOOK)
    )
    calls = grammar.parse(heard.text, NOTEBOOK).calls
    assert [(call.tool, dict(call.arguments)["name"]) for call in calls] == [("show_variable", name)]


async def test_a_command_without_a_name_is_heard_the_same_in_a_notebook_full_of_names(
    engine: LocalTranscriber, clips: Clips, grammar: Grammar
) -> None:
    heard = await engine.transcribe(
        clips["hibari_002.wav"], context=NOTEBOOK, understands=understanding(grammar, NOTEBOOK)
    )
    assert [(c.tool, dict(c.arguments)) for c in grammar.parse(heard.text, NOTEBOOK).calls] == [
        ("run_cells", {"cells": "3"})
    ]
