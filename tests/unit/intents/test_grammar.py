"""Misses, help, the command line's door, and that no text keeps it busy."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from long_texts import COMMANDS

from voice_kernel.intents import Grammar, parse_lines


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("restart the kernl thing", "restart the kernel"),
        ("plot", "plot revenue against month"),
        ("click", "click more information"),
        ("mcp install something", "install the fetch MCP server"),
        ("variables list now show", "list variables"),
    ],
)
def test_a_miss_offers_phrases_that_are_near(grammar: Grammar, text: str, near: str) -> None:
    parse = grammar.parse(text)
    assert parse.route == "none"
    assert near in parse.closest
    assert len(parse.closest) <= 3


def test_talk_offers_nothing_where_nothing_is_near(grammar: Grammar) -> None:
    assert grammar.parse("the weather is nice today").closest == ()


def test_every_example_is_understood(grammar: Grammar) -> None:
    for examples in grammar.help().values():
        for phrase in examples:
            assert grammar.parse(phrase).route == "intents", phrase


def test_help_covers_every_area_of_the_tool_table(grammar: Grammar) -> None:
    assert set(grammar.help()) == {
        "notebook", "data", "shell", "tests", "browser", "research", "mcp", "tasks", "lab", "session",
        "model", "controls",
    }  # fmt: skip
    assert grammar.examples("run_cells")[0] == "run cell three"
    assert grammar.examples("no_such_tool") == ()


def test_each_line_gives_one_object(grammar: Grammar) -> None:
    lines = ["run all cells\n", '{"say": "go to python dot org", "calls": []}\n', "{not json\n", "\n"]
    objects = [json.loads(line) for line in parse_lines(lines, grammar)]
    assert objects[0] == {
        "text": "run all cells",
        "route": "intents",
        "calls": [{"tool": "run_cells", "arguments": {"cells": "all"}}],
        "closest": [],
    }
    assert objects[1]["text"] == "go to python dot org"
    assert objects[1]["calls"][0]["arguments"] == {"url": "https://python.org"}
    assert [row["route"] for row in objects[2:]] == ["none", "none"]


@pytest.mark.parametrize("text", COMMANDS, ids=lambda text: text[:20])
def test_no_text_is_chewed_on_without_end(grammar: Grammar, text: str) -> None:
    started = time.process_time()
    assert grammar.parse(text).calls == ()
    assert time.process_time() - started < 60  # milliseconds; hours, were every way to read it tried


def test_importing_the_intents_loads_neither_hassil_nor_rapidfuzz() -> None:
    heavy = {"hassil", "rapidfuzz", "yaml", "pydantic"}
    code = f"import sys, voice_kernel.intents; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
