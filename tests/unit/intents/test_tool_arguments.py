"""What the grammar makes fits what the tools take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_kernel.app import known_tools
from voice_kernel.intents import Grammar
from voice_kernel.intents.sentences import languages

DATA = Path(__file__).parents[2] / "data" / "intents"


@pytest.mark.parametrize("language", languages())
def test_every_call_is_accepted_by_the_schema_of_its_tool(language: str) -> None:
    grammar = Grammar.shared(language)
    registry = known_tools()
    checked = set()
    for line in (DATA / language / "commands.jsonl").read_text("utf-8").splitlines():
        for call in grammar.parse(json.loads(line)["say"]).calls:
            if call.tool in registry.specs:
                registry.get(call.tool).validate(dict(call.arguments))  # raises on what it does not take
                checked.add(call.tool)
    assert checked == {name for name in registry.specs if grammar.examples(name)}
