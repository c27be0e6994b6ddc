"""What the grammar makes fits what the tools take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import (
    data,
    dictation,
    editing,
    files,
    navigation,
    notebook,
    planned,
    queries,
    reading,
    repairs,
    shell,
    tests,
)
from voice_kernel.tools.caret import Caret

COMMANDS = Path(__file__).parents[2] / "data" / "intents" / "en" / "commands.jsonl"


def every_tool() -> Registry:
    """Register the tools without what they act on: their arguments are all that is looked at."""
    registry, nothing, caret = Registry(), cast("Any", None), Caret()
    for tables in (data, queries):
        tables.register(registry, runner=nothing, context=Context)
    desk = notebook.register(registry, host=nothing, kernel=nothing, asked_by_cell=lambda turn_id: False)
    navigation.register(registry, desk=desk, caret=caret)
    reading.register(registry, desk=desk, caret=caret)
    editing.register(registry, desk=desk, caret=caret, write=nothing)
    dictation.register(
        registry, desk=desk, caret=caret, dictation=dictation.Dictation(lambda on: None), write=nothing
    )
    repairs.register(
        registry, desk=desk, context=Context, attributes=lambda path: (), tasks=lambda: (), call=nothing
    )
    for module in (files, shell, tests, planned):
        module.register(registry)
    return registry


def test_every_call_is_accepted_by_the_schema_of_its_tool(grammar: Grammar) -> None:
    registry = every_tool()
    checked = set()
    for line in COMMANDS.read_text("utf-8").splitlines():
        for call in grammar.parse(json.loads(line)["say"]).calls:
            if call.tool in registry.specs:
                registry.get(call.tool).validate(dict(call.arguments))  # raises on what it does not take
                checked.add(call.tool)
    assert checked == set(registry.specs)
