"""Several commands in one utterance."""

from __future__ import annotations

import pytest

from voice_kernel.intents import Grammar


def plan(grammar: Grammar, text: str) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text).calls]


@pytest.mark.parametrize(
    "text",
    [
        "run all cells, then run the tests",
        "run all cells and then run the tests",
        "run all cells and run the tests",
        "Run all cells. Run the tests.",
        "please run all cells, and after that run the tests for me",
        "first run all cells then finally run the tests please",
    ],
)
def test_steps_may_be_joined_in_many_ways(grammar: Grammar, text: str) -> None:
    assert plan(grammar, text) == [("run_cells", {"cells": "all"}), ("run_tests", {})]


def test_an_and_inside_free_text_is_text(grammar: Grammar) -> None:
    assert plan(grammar, "search for salt and pepper") == [("web_search", {"query": "salt and pepper"})]
    assert plan(grammar, "search for undo and redo") == [("web_search", {"query": "undo and redo"})]


def test_free_text_ends_where_the_rest_is_a_command(grammar: Grammar) -> None:
    assert plan(grammar, "search for salt and pepper and run the tests") == [
        ("web_search", {"query": "salt and pepper"}),
        ("run_tests", {}),
    ]


def test_a_plan_is_understood_as_a_whole_or_not_at_all(grammar: Grammar) -> None:
    assert plan(grammar, "run the tests and feed the cat") == []
    assert plan(grammar, "run the tests and don't save") == []


def test_it_is_what_the_step_before_was_about(grammar: Grammar) -> None:
    assert plan(grammar, "run cell three and clear its output") == [
        ("run_cells", {"cells": "3"}),
        ("clear_outputs", {"cells": "3"}),
    ]
    assert plan(grammar, "start the git server and list its tools")[1] == ("mcp_list_tools", {"name": "git"})
    assert plan(grammar, "describe it") == []


def test_separate_cells_are_separate_calls_the_last_first_when_deleting(grammar: Grammar) -> None:
    assert plan(grammar, "run cells two and five") == [
        ("run_cells", {"cells": "2"}),
        ("run_cells", {"cells": "5"}),
    ]
    assert plan(grammar, "delete cells two and five") == [
        ("delete_cells", {"cells": "5"}),
        ("delete_cells", {"cells": "2"}),
    ]
    assert plan(grammar, "run cells one, two and three") == [("run_cells", {"cells": "1-3"})]


def test_approval_is_no_step_of_a_plan(grammar: Grammar) -> None:
    assert plan(grammar, "run the tests and yes") == []
    assert plan(grammar, "approve and save") == []


def test_a_long_chain_is_bounded_and_quick(grammar: Grammar) -> None:
    assert plan(grammar, " and then ".join(["save"] * 40)) == []
    assert len(plan(grammar, " and then ".join(["save"] * 6))) == 6
