"""What the grammar makes fits what the tools take."""

from __future__ import annotations

import json
from pathlib import Path

from voice_kernel.intents import Grammar
from voice_kernel.tools.planned import PLANNED

COMMANDS = Path(__file__).parents[2] / "data" / "intents" / "en" / "commands.jsonl"


def test_every_call_is_accepted_by_the_schema_of_its_tool(grammar: Grammar) -> None:
    schemas = {name: arguments for name, _, arguments, _, _ in PLANNED}
    for line in COMMANDS.read_text("utf-8").splitlines():
        for call in grammar.parse(json.loads(line)["say"]).calls:
            if call.tool in schemas:
                schemas[call.tool].model_validate(dict(call.arguments))  # raises on what it does not know
