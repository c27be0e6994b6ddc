"""A grammar with further sentences on top, compiled without compiling the rest again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_kernel.errors import IntentError
from voice_kernel.intents import Grammar


def source(intents: dict[str, object], **more: object) -> str:
    return json.dumps({"intents": intents, **more})


def test_further_sentences_are_understood_and_the_others_as_before(grammar: Grammar) -> None:
    morning = source({"morning": {"sentences": ["good <time>"], "calls": [{"run_tests": {}}]}},
                     expansion_rules={"time": "(morning|evening)"})  # fmt: skip
    further = grammar.extended([("tool", morning)])
    assert further.parse("good evening").calls[0].tool == "run_tests"
    assert further.parse("run cell three") == grammar.parse("run cell three")
    assert grammar.parse("good evening").calls == ()


def test_extensions_pile_up_and_each_has_its_own_lists(grammar: Grammar) -> None:
    first = source({"a": {"sentences": ["paint {colour}"]}}, lists={"colour": {"values": ["red"]}})
    second = source({"b": {"sentences": ["mix {colour}"]}}, lists={"colour": {"values": ["blue"]}})
    both = grammar.extended([("first", first)]).extended([("second", second)])
    assert both.parse("paint red").calls[0].tool == "a"
    assert both.parse("mix blue").calls[0].tool == "b"
    assert both.parse("paint blue").route != "intents"


def test_nothing_more_is_the_same_grammar(grammar: Grammar) -> None:
    assert grammar.extended([]) is grammar


def test_a_wrong_source_is_named(grammar: Grammar) -> None:
    with pytest.raises(IntentError, match="my tool"):
        grammar.extended([("my tool", source({"a": {"sentences": ["go {nowhere}"]}}))])


def test_the_tools_of_our_own_sentences_are_known_by_name(tmp_path: Path) -> None:
    own = tmp_path / "sentences.yaml"
    own.write_text('intents:\n  mine: {sentences: ["do mine"]}\n')
    tools = Grammar.load("en", own).tools
    assert {"run_cells", "run_tests", "cancel_task"} <= tools
    assert "mine" not in tools


def test_a_shared_grammar_is_compiled_once_until_the_users_file_changes(tmp_path: Path) -> None:
    own = tmp_path / "sentences.yaml"
    own.write_text('intents:\n  run_tests: {sentences: ["check it"]}\n')
    first = Grammar.shared("en", own)
    assert Grammar.shared("en", own) is first
    own.write_text('intents:\n  run_tests: {sentences: ["check it all"]}\n')
    import os

    os.utime(own, ns=(1, 1))
    assert Grammar.shared("en", own).parse("check it all").calls[0].tool == "run_tests"
