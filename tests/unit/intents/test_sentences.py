"""Whole sentences: what is understood, what is repaired, and what is left alone."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar

DATA = Path(__file__).parents[2] / "data" / "intents"
NAMES = """
    run_cells insert_cell edit_cell delete_cells move_cells select_cell change_cell_type clear_outputs undo
    redo save_notebook restart_kernel read_notebook list_variables show_variable describe_data plot run_code
    run_shell list_files run_tests watch_tests open_failing_test save_test_report
    browser_navigate browser_snapshot browser_click browser_type
    browser_press_key browser_select_option browser_hover browser_wait_for browser_navigate_back
    browser_tabs browser_take_screenshot browser_close web_search read_page mcp_list_servers mcp_search
    mcp_install mcp_remove mcp_start mcp_stop mcp_list_tools list_tasks retry_task show_history replay_task
    run_command correct help new_thread approve deny cancel_task interrupt_kernel stop_listening
    stop_speaking repeat_answer change_speech_rate answer_aloud
    find_cell go_to_heading go_to_error where_am_i read_cell read_output read_error
    explain_error fix_error go_to_line edit_lines insert_line replace_text rename_variable
    start_dictation stop_dictation
    dictate scratch_dictation aggregate filter_rows show_rows sort_rows count_values unique_values
    missing_values count_rows correlate
"""
TOOLS = NAMES.split()


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def talk() -> list[str]:
    lines = (DATA / "en" / "talk.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_right(grammar: Grammar, row: dict[str, Any]) -> bool:
    """Only the listed arguments count, without regard to case."""
    calls = grammar.parse(row["say"], Context()).calls
    return len(calls) == len(row["calls"]) and all(
        call.tool == tool
        and all(str(call.arguments.get(k)).lower() == str(v).lower() for k, v in wanted.items())
        for call, (tool, wanted) in zip(calls, row["calls"], strict=True)
    )


WORDINGS = ["en/wordings.jsonl", "en/wordings_misheard.jsonl"]
"""What people of many kinds say to the same end: terse, wordy, polite, with slips, in words of their own."""


@pytest.mark.parametrize("name", ["utterances.jsonl", "en/commands.jsonl", "en/misheard.jsonl", *WORDINGS])
def test_every_sentence_of_the_data_makes_the_right_calls(grammar: Grammar, name: str) -> None:
    wrong = [row["say"] for row in rows(name) if not is_right(grammar, row)]
    assert wrong == []


@pytest.mark.parametrize("shape", [str, str.upper, lambda text: text.capitalize() + "."])
def test_casing_and_a_full_stop_change_nothing(grammar: Grammar, shape: Any) -> None:
    wrong = [
        row["say"]
        for row in rows("utterances.jsonl")
        if not is_right(grammar, {**row, "say": shape(row["say"])})
    ]
    # In capitals a file's name is taken as it stands, and arguments are compared without case.
    assert wrong == []


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_and_control_has_five_sentences_of_our_own(tool: str) -> None:
    ours = Counter(row["calls"][0][0] for row in rows("en/commands.jsonl") if row["calls"])
    assert ours[tool] >= 5


def test_talk_is_never_acted_on(grammar: Grammar) -> None:
    lines = talk()
    assert len(lines) >= 300
    accepted = [line for line in lines if grammar.parse(line, Context()).calls]
    assert accepted == []


def test_talk_is_never_acted_on_as_a_recogniser_writes_it(grammar: Grammar) -> None:
    accepted = [line for line in talk() if grammar.parse(line[0].upper() + line[1:] + ".", Context()).calls]
    assert accepted == []


def test_what_was_understood_as_said_is_no_repair(grammar: Grammar) -> None:
    assert {grammar.parse(row["say"]).route for row in rows("utterances.jsonl") if row["calls"]} == {
        "intents"
    }


@pytest.mark.parametrize(
    "text", ["run sell three", "run the test's", "run all sales", "list very ables", "restart the colonel"]
)
def test_misheard_words_are_repaired_and_the_route_says_so(grammar: Grammar, text: str) -> None:
    assert grammar.parse(text).route == "fuzzy"


@pytest.mark.parametrize(
    "text",
    ["ran the tests", "we ran the tests", "deleted the cell", "running all cells", "improve", "yes I sell"],
)
def test_other_forms_of_a_verb_are_not_misheard(grammar: Grammar, text: str) -> None:
    assert grammar.parse(text).calls == ()


@pytest.mark.parametrize("text", ["approve", "yes", "Yes, do it.", "go ahead", "approve two"])
def test_an_exact_phrase_approves(grammar: Grammar, text: str) -> None:
    assert [call.tool for call in grammar.parse(text).calls] == ["approve"]


@pytest.mark.parametrize(
    "text",
    [
        "okay wait don't run that", "approve and run the tests", "yes but wait", "improve", "a proof",
        "yes run the tests",
        "okay", "I would approve", "do it later", "go ahead and wait", "yeah", "prove it",
    ],
)  # fmt: skip
def test_nothing_else_approves(grammar: Grammar, text: str) -> None:
    assert "approve" not in [call.tool for call in grammar.parse(text).calls]


def test_the_text_is_returned_as_it_was_given(grammar: Grammar) -> None:
    text = "  Um, RUN the   tests!! "
    assert grammar.parse(text).text == text


@pytest.mark.parametrize("text", ["", "   ", "...", "um", "?!", "🙂", "\x00", "run " * 1000])
def test_odd_texts_are_no_command(grammar: Grammar, text: str) -> None:
    assert grammar.parse(text).calls == ()
