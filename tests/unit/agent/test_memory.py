"""What the model still knows of earlier turns."""

from __future__ import annotations

import json

from voice_kernel.agent.memory import MAX_CHARS, MAX_TURNS, Exchange, Memory


def test_the_newest_turns_are_kept() -> None:
    memory = Memory()
    for number in range(MAX_TURNS + 5):
        memory.add(f"question {number}", [], f"answer {number}", untrusted=False)
    items = memory.items()
    assert items[0]["content"] == "question 5"
    assert items[-1]["content"] == f"answer {MAX_TURNS + 4}"


def test_long_turns_push_out_older_ones_and_are_cut_themselves() -> None:
    memory = Memory()
    calls = [Exchange(f"c{i}", "run_code", {"code": "x" * 90_000}, "r" * 90_000) for i in range(30)]
    for _ in range(4):
        memory.add("q" * 90_000, calls, "a" * 90_000, untrusted=False)
    assert len(json.dumps(memory.items())) < 2 * MAX_CHARS


def test_every_call_keeps_its_result_and_valid_arguments() -> None:
    memory = Memory()
    memory.add("q", [Exchange("c1", "run_code", {"code": "y" * 9_000, "n": 1}, "ok")], "a", untrusted=False)
    _question, call, output, _answer = memory.items()
    assert call["call_id"] == output["call_id"] == "c1"
    arguments = json.loads(call["arguments"])
    assert arguments["n"] == 1
    assert len(arguments["code"]) <= 500


def test_text_of_strangers_is_remembered_as_such_until_it_is_forgotten() -> None:
    memory = Memory()
    memory.add("read it", [], "It says hello.", untrusted=True)
    assert memory.untrusted
    for number in range(MAX_TURNS):
        memory.add(f"question {number}", [], "a", untrusted=False)
    assert not memory.untrusted
    memory.add("read it", [], "It says hello.", untrusted=True)
    memory.clear()
    assert not memory.untrusted
    assert memory.items() == []
