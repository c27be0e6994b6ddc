"""Names: resolved against what exists, spelled out where nothing does."""

from __future__ import annotations

import pytest

from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar

CONTEXT = Context(
    variables=(
        Variable("total", "int"),
        Variable("sales_data", "DataFrame", (3, 3), ("unit_price", "Region", "orderDate")),
        Variable("X_train", "ndarray", (3, 3)),
    ),
    files=("tests/", "tests/unit/", "tests/unit/test_store.py", "data/", "data/raw_sales.csv", "main.py"),
    tests=("test_add_item", "test_remove", "TestParser"),
    servers=("brave-search", "fetch"),
    cell_count=9,
)


def arguments(grammar: Grammar, text: str, context: Context = CONTEXT) -> dict[str, object]:
    calls = grammar.parse(text, context).calls
    assert len(calls) == 1, calls
    return dict(calls[0].arguments)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("show sales data", "name", "sales_data"),
        ("show me the sales data", "name", "sales_data"),
        ("show X train", "name", "X_train"),
        ("describe the data frame sails data", "frame", "sales_data"),
        ("plot unit price against order date", "y", "unit_price"),
        ("plot unit price against order date", "x", "orderDate"),
        ("plot unit price by region", "x", "Region"),
        ("run the tests in the unit folder", "path", "tests/unit"),
        ("run the tests in tests unit", "path", "tests/unit"),
        ("run the tests in test slash unit", "path", "tests/unit"),
        ("run the tests in test store", "path", "tests/unit/test_store.py"),
        ("run the tests in test underscore store dot py", "path", "tests/unit/test_store.py"),
        ("run test_store.py", "path", "tests/unit/test_store.py"),
        ("list the files in the data folder", "path", "data"),
        ("run the test add item", "test", "test_add_item"),
        ("start the brave search server", "name", "brave-search"),
        ("stop the fetch server", "name", "fetch"),
        ("run the last two cells", "cells", "last 2"),
    ],
)
def test_a_spoken_name_finds_what_exists(grammar: Grammar, text: str, name: str, value: str) -> None:
    assert arguments(grammar, text)[name] == value


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("show sales data", "name", "sales_data"),
        ("show d f", "name", "df"),
        ("show DF", "name", "df"),
        ("show D.F.", "name", "df"),
        ("show dee eff", "name", "df"),
        ("show train underscore df", "name", "train_df"),
        ("list the files in tests slash unit", "path", "tests/unit"),
        ("list the files in tests unit", "path", "tests/unit"),
        ("run the tests in test underscore store dot py", "path", "test_store.py"),
        ("plot unit price against order date", "x", "order_date"),
        ("start the brave search server", "name", "brave_search"),
    ],
)
def test_a_name_that_nothing_matches_is_spelled_out(
    grammar: Grammar, text: str, name: str, value: str
) -> None:
    assert arguments(grammar, text, Context())[name] == value


def test_show_the_something_needs_a_name_that_exists(grammar: Grammar) -> None:
    assert grammar.parse("show me the total", Context()).calls == ()
    assert arguments(grammar, "show me the total") == {"name": "total"}


def test_what_is_something_asks_for_a_name_that_exists(grammar: Grammar) -> None:
    assert grammar.parse("what is total", Context()).calls == ()
    assert arguments(grammar, "what is sales data") == {"name": "sales_data"}


def test_cells_that_cannot_be_are_not_understood(grammar: Grammar) -> None:
    assert grammar.parse("run cells five to three", CONTEXT).calls == ()
