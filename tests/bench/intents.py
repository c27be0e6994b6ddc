"""CPU per sentence and accuracy of the grammar, beside bare hassil on the same templates.

    python tests/bench/intents.py [FILE.jsonl ...]

A row is `{"say": ..., "calls": [[tool, {argument: value}], ...]}`; the project's own rows by default. Bare
hassil gets the same text and the same templates and is asked for its best match; it knows nothing of
spoken symbols, plans, repairs or the user's names, so that its time is the yardstick, not its accuracy.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))

from long_texts import COMMANDS, DICTATION

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.intents.sentences import built_in

DATA = Path(__file__).parents[1] / "data" / "intents"
LIMIT = 3.0
"""Our CPU time per sentence may be at most this multiple of bare hassil's, at the median."""
MAX_LOAD_S = 1.0
MAX_LONG_S = 1.0
"""CPU time for the longest of the texts that are long and odd."""


def main() -> int:
    paths = [Path(argument) for argument in sys.argv[1:]] or [
        DATA / "utterances.jsonl", DATA / "en" / "commands.jsonl", DATA / "en" / "misheard.jsonl",
    ]  # fmt: skip
    rows = [
        json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines() if line.strip()
    ]

    started = time.process_time()
    grammar = Grammar.load("en")
    load_s = time.process_time() - started
    context = Context()
    grammar.parse("run cell three", context)

    ours: list[float] = []
    right = false_accepts = commands_missed = 0
    for row in rows:
        started = time.process_time()
        parse = grammar.parse(row["say"], context)
        ours.append(time.process_time() - started)
        if _matches(parse.calls, row["calls"]):
            right += 1
        elif not row["calls"]:
            false_accepts += 1
        else:
            commands_missed += 1

    longest_s = _longest(grammar)
    theirs = _bare_hassil([row["say"] for row in rows])
    mine, bare = statistics.median(ours) * 1e3, statistics.median(theirs) * 1e3
    ratio = mine / bare
    print(f"sentences        {len(rows)}")
    print(f"right            {right} ({100 * right / len(rows):.1f}%)")
    print(f"false accepts    {false_accepts}")
    print(f"wrong or missed  {commands_missed}")
    print(f"grammar load     {load_s:.2f} s CPU (hassil and YAML included; at most {MAX_LOAD_S:.0f} s)")
    print(f"long, odd texts  {longest_s * 1e3:.0f} ms CPU for the worst (at most {MAX_LONG_S:.0f} s)")
    print(f"ours             p50 {mine:.2f} ms CPU, p95 {_p95(ours):.2f} ms")
    print(f"bare hassil      p50 {bare:.2f} ms CPU, p95 {_p95(theirs):.2f} ms")
    print(f"ratio            {ratio:.2f}x at the median (at most {LIMIT:.0f}x)")
    return 0 if ratio <= LIMIT and load_s <= MAX_LOAD_S and longest_s <= MAX_LONG_S else 1


def _matches(calls: Any, wanted: list[Any]) -> bool:
    return len(calls) == len(wanted) and all(
        call.tool == tool
        and all(
            str(call.arguments.get(name)).lower() == str(value).lower() for name, value in arguments.items()
        )
        for call, (tool, arguments) in zip(calls, wanted, strict=True)
    )


def _longest(grammar: Grammar) -> float:
    times: list[float] = []
    for text in COMMANDS:
        started = time.process_time()
        grammar.parse(text)
        times.append(time.process_time() - started)
    for kind in ("code", "markdown"):
        started = time.process_time()
        grammar.write(DICTATION, kind)
        times.append(time.process_time() - started)
    return max(times)


def _bare_hassil(texts: list[str]) -> list[float]:
    from hassil import Intents, recognize_best
    from hassil.util import merge_dict

    sentences: dict[str, Any] = {}
    for _, text in built_in("en"):
        merge_dict(sentences, yaml.load(text, Loader=yaml.CSafeLoader))
    intents = Intents.from_dict(sentences)
    recognize_best("run cell three", intents)  # parses its templates now
    times: list[float] = []
    for text in texts:
        started = time.process_time()
        recognize_best(text, intents)
        times.append(time.process_time() - started)
    return times


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)] * 1e3


if __name__ == "__main__":
    sys.exit(main())
