"""A tool's templates in the grammar: its own slots, its own lists, and nobody else's words taken unsaid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.usertools.definition import UserTool, define
from voice_kernel.usertools.sentences import meanings, told


@pytest.fixture(scope="session")
def base() -> Grammar:
    return Grammar.shared("en")


def train(epochs: int = 3, rate: float = 0.1, quick: bool = False) -> None: ...
def fit(model: Literal["mean_model", "resnet50"], columns: list[str]) -> None: ...
def look(name: str, path: Path, query: str = "", cells: int = 0) -> None: ...


def with_tool(base: Grammar, function: Callable[..., Any], sentences: Any, **options: Any) -> Grammar:
    tool = define(function, sentences=sentences, **options)
    return base.extended([(tool.name, tool.source)])


def calls(grammar: Grammar, text: str, context: Context | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    parse = grammar.parse(text, context)
    return [(call.tool, dict(call.arguments)) for call in parse.calls if parse.route == "intents"]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("train the model", {}),
        ("please train model for twenty five epochs", {"epochs": 25}),
        ("train the model for two thousand epochs", {"epochs": 2000}),
        ("train the model for 3 epochs at 0.01", {"epochs": 3, "rate": 0.01}),
        ("train the model at zero point zero one", {"rate": 0.01}),
        ("train the model at minus 2.5", {"rate": -2.5}),
        ("train the model at 1e-3", {"rate": 0.001}),
        ("train the model overnight", {"epochs": 500, "quick": False}),
        ("train the model quick yes", {"quick": True}),
        ("train the model quick off", {"quick": False}),
    ],
)
def test_numbers_and_switches_are_heard_as_they_are_spoken(
    base: Grammar, text: str, arguments: dict[str, Any]
) -> None:
    grammar = with_tool(
        base,
        train,
        {
            "train [the] model [for {epochs} epochs] [at {rate}] [quick {quick}]": {},
            "train [the] model overnight": {"epochs": 500, "quick": False},
        },
    )
    assert calls(grammar, text) == [("train", arguments)]
    assert [type(value) for _, said in calls(grammar, text) for value in said.values()] == [
        type(value) for value in arguments.values()
    ]


def test_choices_are_said_in_words_and_stand_for_what_is_written(base: Grammar) -> None:
    grammar = with_tool(base, fit, ["fit [the] {model} to {columns}"])
    for text in ("fit the mean model to price and revenue", "fit mean_model to price and revenue"):
        assert calls(grammar, text) == [("fit", {"model": "mean_model", "columns": "price and revenue"})]
    assert calls(grammar, "fit resnet 50 to x")[0][1]["model"] == "resnet50"


def test_a_tool_cannot_change_what_other_sentences_understand(base: Grammar) -> None:
    context = Context(files=("notebooks/",))
    said = ("list the files in notebooks", "search the web for polars", "run cells 3 to 5", "show df")
    grammar = with_tool(base, look, ["look for {query} named {name} in {path} at {cells}"])
    for text in said:
        assert grammar.parse(text, context) == base.parse(text, context)
    assert calls(grammar, "look for a red ball named rex in notebooks at three", context) == [
        ("look", {"query": "a red ball", "name": "rex", "path": "notebooks", "cells": 3})
    ]


def test_a_slot_may_use_one_of_the_grammars_own_lists(base: Grammar) -> None:
    grammar = with_tool(base, look, ["inspect {existing_name:name} in {path}"])
    from voice_kernel.context import Variable

    context = Context(variables=(Variable("sales_data", "DataFrame"),), files=("tests/",))
    assert calls(grammar, "inspect sales data in tests", context) == [
        ("look", {"name": "sales_data", "path": "tests"})
    ]


def test_a_tool_takes_part_in_plans_of_several_steps(base: Grammar) -> None:
    grammar = with_tool(base, train, ["train [the] model [for {epochs} epochs]"])
    assert calls(grammar, "train the model for two epochs and then run the tests") == [
        ("train", {"epochs": 2}),
        ("run_tests", {}),
    ]


def test_a_tools_phrases_are_in_help_and_offered_after_a_miss(base: Grammar) -> None:
    grammar = with_tool(base, train, ["train [the] model [for {epochs} epochs]"])
    assert grammar.help()["own"] == ("train the model for 3 epochs",)
    assert grammar.examples("train") == ("train the model for 3 epochs",)
    assert grammar.parse("the model training for many epochs").closest[0] == "train the model for 3 epochs"
    assert "own" not in base.help()


def test_a_misheard_word_of_a_tools_sentence_is_repaired(base: Grammar) -> None:
    grammar = with_tool(base, train, ["calibrate the telescope"])
    parse = grammar.parse("calibrite the telescope")
    assert (parse.route, [call.tool for call in parse.calls]) == ("fuzzy", ["train"])


def test_a_tool_without_sentences_is_not_said_but_known(base: Grammar) -> None:
    tool = define(train, sentences=[])
    assert base.extended([("train", tool.source)]).parse("train").route == "none"


# ---- who else means it ----------------------------------------------------------------------------


def surprises(base: Grammar, tool: UserTool) -> list[str]:
    found = meanings(base, base.extended([(tool.name, tool.source)]), tool.name, tool.sentences)
    return [told(tool.name, meaning) for meaning in found]


def test_a_sentence_that_meant_something_else_is_told_and_the_users_wins(base: Grammar) -> None:
    tool = define(train, sentences=["run [all] the tests"])
    assert surprises(base, tool) == ["“run the tests” meant run_tests until now; from now on it means train."]
    grammar = base.extended([("train", tool.source)])
    assert calls(grammar, "run the tests") == [("train", {})]


def test_a_sentence_that_another_wins_is_told(base: Grammar) -> None:
    def say(words: str = "tests") -> None: ...

    (surprise,) = surprises(base, define(say, sentences=["run the {words}"]))
    assert surprise == "“run the tests” still means run_tests, not say: give say another sentence."


def test_a_sentence_that_nobody_can_say_is_told(base: Grammar) -> None:
    (surprise,) = surprises(base, define(train, sentences=["what's my score"]))
    assert "contractions written out" in surprise


def test_an_ordinary_tool_has_no_surprises(base: Grammar) -> None:
    assert surprises(base, define(train, sentences=["train [the] model [for {epochs} epochs]"])) == []
    assert surprises(base, define(train)) == []
