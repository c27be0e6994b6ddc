"""Reports in Markdown: what they hold, and that nothing of others' is ever markup in them."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.export.pictures import Pictures
from voice_kernel.export.report import MAX_LINES, block, cell, report, span
from voice_kernel.messages import Output, Problem, Result, Task, TestCase, TestReport, Turn
from voice_kernel.script.step import Recorded

PNG = base64.b64encode(b"\x89PNG rest").decode()


def recorded(text: str = "run the tests", answer: str = "", **fields: Any) -> Recorded:
    turn = Turn(
        id=1, state="succeeded", origin="voice", route="intents", text=text, answer=answer,
        created_at=1_795_000_000.0, ended_at=1_795_000_002.0,
    )  # fmt: skip
    task = {
        "id": 3, "turn_id": 1, "tool": "run_tests", "title": "run_tests", "state": "succeeded",
        "created_at": 1.0, "started_at": 1.0, "ended_at": 2.5, **fields,
    }  # fmt: skip
    return Recorded(turn, (Task.model_validate(task),))


def made(*parts: Recorded, pictures: Pictures | None = None) -> str:
    return report(parts, "A day", [("workspace", "/work/shop")], pictures or Pictures())


def outside_of_code(markdown: str) -> str:
    """Return what a reader of Markdown would take for markup: all but fenced blocks and code spans."""
    kept, fence = [], ""
    for line in markdown.split("\n"):
        ticks = re.match("`{3,}", line)
        if fence:
            if line == fence:
                fence = ""
        elif ticks and "`" not in line[len(ticks[0]) :]:
            fence = ticks[0]
        else:
            kept.append(re.sub(r"(`+)(?!`)(.*?[^`])\1(?!`)", "", line))
    assert not fence, "a fence was left open"
    return "\n".join(kept)


def test_a_task_is_told_with_its_call_outcome_tests_and_output() -> None:
    cases = [
        TestCase(id="tests/t.py::test_a", outcome="passed", duration_s=0.5),
        TestCase(id="tests/t.py::test_b", outcome="failed", detail="E  assert 1 == 2"),
    ]
    tests = TestReport(passed=1, failed=1, cases=cases)
    text = made(
        recorded(
            state="failed",
            arguments={"path": "tests"},
            problem=Problem(kind="TestsFailed", message="1 passed, 1 failed", hint="Look."),
            result=Result(tests=tests, exit_code=1),
        )
    )
    for told in (
        "# `A day`",
        "| workspace | `/work/shop` |",
        "| tasks | `1 failed` |",
        "| 3 | `run_tests` | ✗ failed, exit status 1, 1 passed, 1 failed | 1.5 s |",
        "## `run the tests`",
        '```json\n{\n  "path": "tests"\n}\n```',
        "`TestsFailed`:\n\n```text\n1 passed, 1 failed\nLook.\n```",
        "| `tests/t.py::test_b` | failed | 0 ms |\n| `tests/t.py::test_a` | passed | 0.5 s |",
        "```text\nE  assert 1 == 2\n```",
    ):
        assert told in text


def test_pictures_are_files_beside_it_or_in_it() -> None:
    outputs = [
        Output(kind="display", data={"image/png": PNG, "text/plain": "<Figure>](javascript:x)"}),
        Output(kind="display", data={"image/svg+xml": "<svg/>"}),
        Output(kind="display", data={"image/png": "no base64!"}),
    ]
    one = recorded(result=Result(outputs=outputs, text="<Figure>](javascript:x)"))
    beside = Pictures("a day_files")
    text = made(one, pictures=beside)
    assert "![Figure javascript x](a%20day_files/task-3-1.png)" in text
    assert "![figure](a%20day_files/task-3-2.svg)" in text
    assert [(picture.name, picture.data) for picture in beside.found] == [
        ("task-3-1.png", b"\x89PNG rest"),
        ("task-3-2.svg", b"<svg/>"),
    ]
    assert f"](data:image/png;base64,{PNG})" in made(one)


def test_a_long_output_is_told_by_its_end() -> None:
    text = made(recorded(tail="\n".join(f"line {number}" for number in range(200))))
    assert f"… {200 - MAX_LINES} lines before\nline {200 - MAX_LINES}\n" in text
    assert "line 199\n```" in text


HOSTILE = [
    "```\n# owned\n```",
    "~~~\n<script>alert(1)</script>",
    "`` ` `` <img src=x onerror=alert(1)>",
    "| a | b |\n|---|---|\n[x](javascript:alert(1))",
    "\n\n# heading\n",
    "`" * 40 + "\n# owned",
    "a\\|b|c",
    "\u202etxt.exe\u2069 \x1b]0;t\x07",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_is_never_markup(text: str) -> None:
    result = Result(summary=text, text=text, code=text, data={})
    page = made(
        recorded(text, answer=text, title=text, arguments={"x": text}, result=result, log_path=text),
        recorded(text, tail=text, problem=Problem(kind=text, message=text, hint=text), state="failed"),
        recorded(
            result=Result(
                tests=TestReport(failed=1, cases=[TestCase(id=text, outcome="failed", message=text)])
            )
        ),
    )
    outside = outside_of_code(page)
    for mark in ("owned", "<script", "<img", "javascript", "heading", "txt.exe"):
        assert mark not in outside, outside
    assert not re.search("[\x1b\x07\u202e\u2069]", page)


@given(st.text())
def test_a_code_span_holds_any_text_on_its_line(text: str) -> None:
    shown = span(text)
    assert "\n" not in shown
    assert outside_of_code(shown) == ""
    bars = re.findall(r"(?<!\\)\|", cell(text))
    assert bars == []


@given(st.text())
def test_a_block_holds_any_text(text: str) -> None:
    assert outside_of_code("\n".join(block(text))).strip() == ""
