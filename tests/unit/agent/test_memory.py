"""What the model still knows of earlier turns."""

from __future__ import annotations

import json

from voice_kernel.agent.memory import MAX_CHARS, MAX_SHRUNK, MAX_TURNS, Exchange, Memory


def test_the_newest_turns_are_kept_whole_and_older_ones_shrink() -> None:
    memory = Memory()
    call = [Exchange("c1", "run_code", {"code": "1"}, "long " * 200)]
    for number in range(MAX_TURNS + 5):
        memory.add(f"question {number}", call, f"answer {number} " + "and so on " * 100, untrusted="")
    items = memory.items()
    assert items[0]["content"] == "question 0"
    assert len(items[1]["content"]) < 500
    assert "called: run_code" in items[1]["content"]
    assert sum(item.get("type") == "function_call" for item in items) == MAX_TURNS
    assert items[-1]["content"].startswith(f"answer {MAX_TURNS + 4}")


def test_of_a_very_long_conversation_what_was_asked_is_left() -> None:
    memory = Memory()
    for number in range(500):
        memory.add(f"question {number}", [], "a" * 3_000, untrusted="")
    items = memory.items()
    assert "question 47" in items[0]["content"]
    assert len(json.dumps(items)) < 2 * MAX_CHARS


def test_a_memory_that_does_not_fit_shrinks_to_what_was_asked() -> None:
    memory = Memory()
    memory.add("first", [], "a" * 3_000, untrusted="a page")
    memory.add("second", [], "b" * 3_000, untrusted="")
    assert memory.compact()
    assert len(json.dumps(memory.items())) < 300
    assert "second" in memory.items()[0]["content"]
    assert not memory.untrusted
    assert not memory.compact()


def test_long_turns_push_out_older_ones_and_are_cut_themselves() -> None:
    memory = Memory()
    calls = [Exchange(f"c{i}", "run_code", {"code": "x" * 90_000}, "r" * 90_000) for i in range(30)]
    for _ in range(4):
        memory.add("q" * 90_000, calls, "a" * 90_000, untrusted="")
    assert len(json.dumps(memory.items())) < 2 * MAX_CHARS


def test_every_call_keeps_its_result_and_valid_arguments() -> None:
    memory = Memory()
    memory.add("q", [Exchange("c1", "run_code", {"code": "y" * 9_000, "n": 1}, "ok")], "a", untrusted="")
    _question, call, output, _answer = memory.items()
    assert call["call_id"] == output["call_id"] == "c1"
    arguments = json.loads(call["arguments"])
    assert arguments["n"] == 1
    assert len(arguments["code"]) <= 500


def test_text_of_strangers_is_remembered_as_such_until_it_is_forgotten() -> None:
    memory = Memory()
    memory.add("read it", [], "It says hello.", untrusted="a page")
    assert memory.untrusted == "a page"
    for number in range(MAX_TURNS + MAX_SHRUNK):
        memory.add(f"question {number}", [], "a", untrusted="")
    assert not memory.untrusted
    memory.add("read it", [], "It says hello.", untrusted="a page")
    memory.clear()
    assert not memory.untrusted
    assert memory.items() == []
