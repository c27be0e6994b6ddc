"""The user's own sentences, and what is said when a file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel.errors import IntentError
from voice_kernel.intents import Grammar

OWN = """
intents:
  morning:
    data:
      - sentences: ["good morning", "start [my] day in {path}"]
        calls:
          - run_cells: {cells: all}
          - run_tests: {path: "{path}"}
  save_notebook:
    replace: true
    data:
      - sentences: ["put it away"]
  lamp:
    data:
      - sentences: ["(turn|switch) <politely> the {room:where} lamp on"]
        slots: {state: "on"}
        calls: [house__lamp: {room: "{where}", state: "{state}"}]
expansion_rules:
  politely: "[please|kindly]"
lists:
  room:
    values: [kitchen, {in: "(living room|lounge)", out: living}]
"""


@pytest.fixture
def own(tmp_path: Path) -> Grammar:
    file = tmp_path / "sentences.yaml"
    file.write_text(OWN)
    return Grammar.load("en", file)


def calls(grammar: Grammar, text: str) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text).calls]


def test_an_own_sentence_makes_several_calls(own: Grammar) -> None:
    assert calls(own, "start my day in tests slash unit") == [
        ("run_cells", {"cells": "all"}),
        ("run_tests", {"path": "tests/unit"}),
    ]


def test_a_slot_that_was_not_said_is_left_out(own: Grammar) -> None:
    assert calls(own, "Good morning!") == [("run_cells", {"cells": "all"}), ("run_tests", {})]


def test_an_intent_can_be_replaced(own: Grammar) -> None:
    assert calls(own, "put it away") == [("save_notebook", {})]
    assert calls(own, "save the notebook") == []


def test_own_lists_rules_and_fixed_slots_work(own: Grammar) -> None:
    assert calls(own, "switch please the lounge lamp on") == [
        ("house__lamp", {"room": "living", "state": "on"})
    ]


def test_the_example_of_the_docs_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "commands.md").read_text("utf-8")
    file = tmp_path / "sentences.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    assert calls(Grammar.load("en", file), "good morning notebook") == [
        ("run_code", {"code": "import pandas as pd"}),
        ("list_variables", {}),
    ]


def test_an_own_sentence_wins_over_ours(tmp_path: Path) -> None:
    file = tmp_path / "sentences.yaml"
    file.write_text('intents: {mine: {data: [{sentences: ["run the tests"], calls: [save_notebook]}]}}')
    assert calls(Grammar.load("en", file), "run the tests") == [("save_notebook", {})]


def test_tools_of_the_run_time_bring_sentences_of_their_own() -> None:
    source = ("@tool greet", 'intents: {greet: {data: [{sentences: ["greet {name:who}"]}]}}')
    assert calls(Grammar.load("en", more=[source]), "greet ann") == [("greet", {"who": "ann"})]


def test_a_file_that_does_not_exist_is_no_error(tmp_path: Path) -> None:
    assert calls(Grammar.load("en", tmp_path / "none.yaml"), "save") == [("save_notebook", {})]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("intents: [", "line 2"),
        ("intents:\n  mine:\n    data: [{sentences: ['run (the']}]", "'mine'"),
        ("intents:\n  mine:\n    data: [{sentences: ['run <nothing>']}]", "<nothing>"),
        ("intents:\n  mine:\n    data: [{sentences: ['run {nothing}']}]", "{nothing}"),
        ("intents:\n  mine:\n    phrases: ['x']", "line 2, intent 'mine'"),
        ("intents:\n  mine:\n    data: [{phrases: ['x']}]", "no list of sentences"),
        ("intents:\n  mine:\n    sentences: []", "no list of sentences"),
        ("intents:\n  mine:\n    data: [{sentences: ['x'], calls: [3]}]", "a call"),
        ("intents:\n  mine: 3", "line 2"),
        ("rules: {}", "'rules' is not known"),
        ("- a\n- b", "mapping"),
        ("expansion_rules: {a: '<b>', b: '<a>'}\nintents: {m: {data: [{sentences: ['<a> x']}]}}", "itself"),
        ("lists: {a: {wildcard: true, kind: magic}}", "magic"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "sentences.yaml"
    file.write_text(text)
    with pytest.raises(IntentError) as caught:
        Grammar.load("en", file)
    assert says in str(caught.value)
    if "magic" not in says:
        assert "sentences.yaml" in str(caught.value)


def test_an_unknown_language_says_what_to_do() -> None:
    with pytest.raises(IntentError, match="VOICE_KERNEL_LANGUAGE"):
        Grammar.load("xx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("intents: {list_files: {sentences: [so what], examples: 5}}", "examples is not a list"),
        ("lists: {room: {values: 5}}", "values is not a list"),
        ("intents: {list_files: {sentences: [2026-99-99]}}", "month must be in"),
        (f"intents: {{list_files: {{sentences: [1{'0' * 5_000}]}}}}", "digits"),
        ('intents: {list_files: {sentences: ["(a;b;c;d;e;f;g;h;i;j;k;l) now"]}}', "too many ways"),
        (f"intents: {{list_files: {{sentences: [x{'(a|b)' * 30} now]}}}}", "too many ways"),
        (f"intents: {{list_files: {{sentences: [x({'(a|b)' * 30}) now]}}}}", "too many ways"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_said_of_the_file(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "sentences.yaml"
    file.write_text(text)
    with pytest.raises(IntentError, match=said):
        Grammar.load("en", file)
