"""A turn, a task or a question as a short spoken answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from voice_kernel.app import known_tools
from voice_kernel.messages import Approval, Call, Problem, Result, Task, TestCase, TestReport, Turn
from voice_kernel.speaking.renderer import FULL_CHARS, SHORT_CHARS, Renderer

DATA = Path(__file__).parents[2] / "data" / "spoken_results.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
"""Results as the tools write them, and what is heard of each in short."""

ALIKE = {
    "browser_check", "browser_file_upload", "browser_handle_dialog", "browser_hover",
    "browser_navigate_back", "browser_press_key", "browser_scroll", "browser_select_option", "browser_type",
    "browser_wait_for",  # all as browser_click: what was done, and where the browser is then
    "mcp_add", "mcp_autostart", "mcp_export", "mcp_import", "mcp_list_prompts", "mcp_list_resources",
    "mcp_remove", "mcp_restart", "mcp_show_log", "mcp_show_prompt", "mcp_start", "mcp_stop",
    "mcp_toggle_tool", "mcp_use",  # all a sentence with the server's name, as mcp_install
    "share_with_model", "show_model_context", "show_timeline",  # a fixed sentence each
}  # fmt: skip

SIGNS = re.compile(r"[_`{}<>=\\|]|\(\)|0x|/")


def task(tool: str, result: Result | None, **changes: Any) -> Task:
    arguments = {"name": "learning_rate"} if tool == "show_variable" else {}
    values: dict[str, Any] = {
        "id": 1,
        "turn_id": 1,
        "tool": tool,
        "arguments": arguments,
        "title": tool,
        "state": "succeeded",
        "created_at": 1.0,
        "result": result,
    }
    return Task(**{**values, **changes})


def turn(**changes: Any) -> Turn:
    return Turn(**{"id": 1, "state": "succeeded", "origin": "voice", "created_at": 1.0, **changes})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['tool']}: {row['result']['summary'][:30]}")
def test_every_tools_result_is_one_short_answer(row: dict[str, Any]) -> None:
    done = task(row["tool"], Result.model_validate(row["result"]))
    assert Renderer().turn(turn(), [done], "short") == row["said"]
    for verbosity in ("short", "full"):
        text = Renderer().turn(turn(), [done], verbosity)
        assert text
        assert not SIGNS.search(text)
        assert len(text) <= (SHORT_CHARS if verbosity == "short" else FULL_CHARS) * 2


def test_no_tool_is_forgotten() -> None:
    assert {spec.name for spec in known_tools().available()} - {row["tool"] for row in ROWS} - ALIKE == set()


def case(name: str, message: str) -> TestCase:
    return TestCase(id=f"tests/test_shop.py::{name}", outcome="failed", message=message)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("assert 500 == 200", "12 passed, 1 failed: test login, expected 200, got 500."),
        ("AssertionError: assert 0.30000000000000004 == 0.3 ± 3.0e-07", "expected 0.3, got 0.3"),
        ("AssertionError: assert Decimal('59.97') == Decimal('39.98')", "expected 40, got 60"),
        ("assert 'Ada' == 'Grace'", "expected Grace, got Ada"),
        ("assert {'a': 1} == {'a': 2}", "1 failed: test login."),
        ("KeyError: 'unit_price'", "test login, key error, unit price."),
        (
            "ModuleNotFoundError: No module named 'requests'",
            "module not found error, No module named requests",
        ),
        ("AssertionError: the basket is empty", "test login, the basket is empty."),
        ("fixture 'db' not found", "test login, fixture db not found."),
        ("", "12 passed, 1 failed: test login."),
    ],
)
def test_a_failed_test_is_named_with_what_was_wrong(message: str, said: str) -> None:
    report = TestReport(passed=12, failed=1, cases=[case("test_login[chrome]", message)])
    failed = task(
        "run_tests", Result(tests=report), state="failed", problem=Problem(kind="TestsFailed", message="x")
    )
    assert said in Renderer().turn(turn(state="failed"), [failed], "errors")


def test_of_many_failures_a_short_answer_names_the_first_and_a_full_one_more() -> None:
    cases = [case(f"test_{name}", "assert 1 == 2") for name in ("a1", "b2", "c3", "d4", "e5", "f6")]
    report = TestReport(passed=1_200, failed=6, errors=1, skipped=2, cases=cases)
    failed = task("run_tests", Result(tests=report), state="failed")
    short = Renderer().turn(turn(state="failed"), [failed], "short")
    assert short == "1200 passed, 6 failed, 1 error. The first is test a1, expected 2, got 1."
    full = Renderer().turn(turn(state="failed"), [failed], "full")
    assert full.startswith("1200 passed, 6 failed, 1 error, 2 skipped: test a1, expected 2, got 1; test b2")
    assert full.endswith("and 3 more.")


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem(kind="Refused", message="Shell commands are off.",
                 hint="Set ALLOW_CLI_EXECUTION=true, then restart the kernel. It is in the manual."),
         "Shell commands are off. Set allow cli execution equals true, then restart the kernel."),
        (Problem(kind="ZeroDivisionError", message="division by zero"),
         "Zero division error, division by zero."),
        (Problem(kind="KeyError", message="Cell 3 raised KeyError: 'unit_price'"),
         "Cell 3 raised key error: unit price."),
        (Problem(kind="CommandFailed", message="git exited with 128: fatal: not a git repository: .git"),
         "Git exited with 128: fatal: not a git repository: git."),
        (Problem(kind="ToolError", message="There is no variable named price.", hint="Did you mean prices?"),
         "There is no variable named price. Did you mean prices?"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said_with_what_to_do_next(problem: Problem, said: str) -> None:
    failed = task("run_shell", None, state="failed", problem=problem)
    for verbosity in ("errors", "short", "full"):
        assert Renderer().turn(turn(state="failed", problem=problem), [failed], verbosity) == said
    assert Renderer().turn(turn(state="failed", problem=problem), [], "short") == said


def test_errors_only_is_silent_about_what_went_well_unless_it_was_asked_for() -> None:
    render = Renderer().turn
    assert render(turn(), [task("run_cells", Result(summary="Ran cell 3."))], "errors") == ""
    assert (
        render(turn(), [task("read_cell", Result(summary="Cell 3 is empty."))], "errors")
        == "Cell 3 is empty."
    )
    assert render(turn(answer="Hello."), [], "errors") == ""


def test_what_was_cancelled_or_heard_as_nothing_is_not_talked_about() -> None:
    render = Renderer().turn
    assert render(turn(state="cancelled"), [], "full") == ""
    assert render(turn(state="nothing", answer="I heard no speech."), [], "full") == ""


def test_what_was_not_understood_is_said_with_what_is_near() -> None:
    problem = Problem(kind="NotUnderstood", message="I did not understand that.", hint='Say "help" for more.')
    lost = turn(state="nothing", route="none", problem=problem)
    assert Renderer().turn(lost, [], "short") == "I did not understand that. Say help for more."
    near = lost.model_copy(update={"closest": ["run the tests", "run cell 3"]})
    assert Renderer().turn(near, [], "short") == "I did not understand that. Close to it is: run the tests."


def test_a_models_answer_is_short_in_short_and_whole_in_full() -> None:
    text = "The **mean** is `42.10492`.\n\n```python\ndf.mean()\n```\n" + "It rises slowly. " * 20
    answered = turn(route="model", answer=text)
    short = Renderer().turn(answered, [], "short")
    assert short.startswith("The mean is 42.1. It rises slowly.")
    assert short.endswith("The rest is on the screen.")
    full = Renderer().turn(answered, [], "full")
    assert full.count("It rises slowly.") == 20
    assert full.endswith("The code is on the screen.")


def test_several_tasks_of_a_turn_are_told_in_order_and_the_same_words_once() -> None:
    done = [task("run_cells", Result(summary=text)) for text in ("Ran cell 1.", "Ran cell 1.", "Saved.")]
    assert Renderer().turn(turn(), done, "short") == "Ran cell 1. Saved."


def test_a_control_answers_for_itself() -> None:
    said = Renderer().turn(
        turn(answer="Cancelled run_shell sleep 600.", calls=[Call(tool="cancel_task")]), [], "short"
    )
    assert said == "Cancelled run shell sleep 600."


def test_an_approval_is_asked_for_without_the_command() -> None:
    card = Approval(
        id=3, task_id=1, tool="run_shell", target="pip install x", reason="It installs x.", created_at=1.0
    )
    assert Renderer().approval(card) == "I need your approval. It installs x. Say: yes, do it, or no."


def test_german_has_sentences_of_its_own() -> None:
    report = TestReport(passed=12, failed=1, cases=[case("test_login", "assert 500 == 200")])
    failed = task("run_tests", Result(tests=report), state="failed")
    said = Renderer("de").turn(turn(state="failed"), [failed], "short")
    assert said == "12 bestanden, 1 fehlgeschlagen: test login, erwartet 200, bekommen 500."
