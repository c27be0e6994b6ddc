"""From an understood sentence to tool calls.

Fills the arguments of a sentence's calls with what its slots hold, turns spoken cells into cell
addresses, and carries "it" from one step of a plan to the next. It does not know the templates, nor what
a call does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice_kernel.context import Context
from voice_kernel.intents.sentences import Block, slots_of
from voice_kernel.intents.slots import resolve
from voice_kernel.intents.templates import Capture, Hearing
from voice_kernel.intents.words import Lexicon

NUMBERS = ("index", "time", "timeout", "approval", "count")
"""Arguments that tools take as numbers."""
CONSENT = frozenset(("approve", "accept_changes"))
"""What must be said exactly: no reading is preferred because it would do that."""
ANSWERS = CONSENT | {"deny", "reject_changes", "correct"}
"""What answers, or takes up what came before: an utterance of its own."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a plan."""

    tool: str
    arguments: Mapping[str, Any]


def calls_of(
    block: Block, captures: Sequence[Capture], hearing: Hearing, context: Context, lexicon: Lexicon
) -> tuple[tuple[ToolCall, ...], float] | None:
    """Return the calls of an understood sentence, and what resolving its slots changed in its cost."""
    values: dict[str, Any] = {}
    several: list[str] = []
    change = 0.0
    for capture in captures:
        resolved = resolve(capture, hearing, context, lexicon)
        if resolved is None:
            return None
        value, saving = resolved
        change += saving
        if capture.slot == "cells_and":
            several.append(str(value))
        else:
            values[capture.slot] = value
    arguments = {**block.slots, **values}
    later = [cell for cell in (arguments.pop("cells_after", None), arguments.pop("cells_then", None)) if cell]
    spread: list[str] = []
    if "cells" in arguments or any(name.startswith("cells_") for name in arguments):
        cells = _cells(arguments, several, context)
        if cells is None:
            return None
        arguments["cells"] = cells[0]
        spread = cells[1:]
    for name in NUMBERS:
        value = arguments.get(name)
        if isinstance(value, str) and value.isdigit():
            arguments[name] = int(value)
    arguments.pop("instead_of", None)
    if block.calls is None:
        tool = block.intent
        calls = [ToolCall(tool, arguments)]
        calls += [ToolCall(tool, {**arguments, "cells": cell}) for cell in spread]
        calls += [ToolCall(tool, {**arguments, "cells": cell}) for cell in later]
        if tool == "delete_cells":
            calls.sort(key=_first_cell, reverse=True)  # from the end, so that numbers stay true
        return tuple(calls), change
    return tuple(ToolCall(tool, _fill(wanted, arguments)) for tool, wanted in block.calls), change


def chain(before: tuple[ToolCall, ...], after: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """Join two steps; "it" in the second means what the first was about."""
    if not after:
        return before
    head = after[0]
    arguments = dict(head.arguments)
    last = before[-1]
    if arguments.get("frame") == "it" and isinstance(last.arguments.get("name"), str):
        arguments["frame"] = last.arguments["name"]
    for name in ("cells", "cell"):
        if arguments.get(name) == "it":
            if last.tool == "insert_cell":
                arguments[name] = "current"
                continue
            earlier = last.arguments.get("cells", last.arguments.get("cell"))
            if last.tool == "select_cell" or earlier is None:
                earlier = "current"
            if name == "cells" or "-" not in str(earlier):
                arguments[name] = earlier
    if (
        arguments.get("name", "it") == "it"
        and head.tool in ("mcp_list_tools", "mcp_start")
        and "name" in last.arguments
    ):
        arguments["name"] = last.arguments["name"]
    return (*before, ToolCall(head.tool, arguments), *after[1:])


def settled(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """Return calls in which an "it" that nothing came before means the current cell."""
    return tuple(
        ToolCall(call.tool, {name: "current" if value == "it" and name in ("cells", "cell") else value
                             for name, value in call.arguments.items()})
        for call in calls
    )  # fmt: skip


def dangles(call: ToolCall) -> bool:
    """Return whether a call is about an "it" that nothing came before."""
    return "it" in (call.arguments.get("name"), call.arguments.get("frame"))


def refers_back(call: ToolCall) -> bool:
    """Return whether a call is about an "it", whatever that is."""
    return "it" in (call.arguments.get(name) for name in ("cells", "cell", "name", "frame"))


def plain(calls: Sequence[ToolCall]) -> str:
    """Return a text that equal calls have in common."""
    return repr([(call.tool, sorted(call.arguments.items())) for call in calls])


def gist(calls: Sequence[ToolCall]) -> list[tuple[str, Any]]:
    """Return what a person would miss if it were another: the tools, and which cell or task."""
    return [(call.tool, [call.arguments.get(name) for name in ("cells", "cell", "task")]) for call in calls]


def _fill(wanted: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with their `{slots}` filled; an argument whose slot was not said is left out."""
    filled: dict[str, Any] = {}
    for name, value in wanted.items():
        if isinstance(value, str):
            slots = slots_of(value)
            if any(slot not in values for slot in slots):
                continue
            if slots and value == "{" + slots[0] + "}":
                value = values[slots[0]]
            else:
                for slot in slots:
                    value = value.replace("{" + slot + "}", str(values[slot]))
        filled[name] = value
    return filled


def _cells(arguments: dict[str, Any], several: list[str], context: Context) -> list[str] | None:
    """Return the cells that were named, as strings of the tools' cell address, or None when impossible."""
    cells = str(arguments.get("cells", ""))
    to = arguments.pop("cells_to", None)
    first = arguments.pop("cells_first", None)
    last = arguments.pop("cells_last", None)
    if first is not None:
        return [f"1-{first}" if first != "1" else "first"]
    if last is not None:
        return [f"last {last}" if last != "1" else "last"]
    if to is not None:
        start = "1" if cells == "first" else cells
        if not (start.isdigit() and str(to).isdigit()) or int(start) > int(to):
            return None
        return [f"{start}-{to}" if start != to else start]
    if several:
        numbers = [cells, *several]
        if not all(number.isdigit() for number in numbers):
            return None
        ordered = sorted({int(number) for number in numbers})
        if len(ordered) > 1 and ordered == list(range(ordered[0], ordered[-1] + 1)):
            return [f"{ordered[0]}-{ordered[-1]}"]
        return [str(number) for number in ordered]
    return [cells]


def _first_cell(call: ToolCall) -> int:
    start = str(call.arguments.get("cells", "")).split("-")[0]
    return int(start) if start.isdigit() else 0
