"""What a model is told about a task."""

from __future__ import annotations

import json
from typing import Any

from voice_kernel.agent.report import MAX_REPORT_CHARS, clip, fenced, report
from voice_kernel.messages import Output, Problem, Result, Task, TestCase, TestReport


def task(**fields: Any) -> Task:
    return Task(
        id=1, turn_id=1, tool="t", title="t", state=fields.pop("state", "succeeded"), created_at=0, **fields
    )


def test_a_report_has_only_what_there_is() -> None:
    assert report(task(), untrusted=False) == '{"state":"succeeded"}'


def test_a_failure_has_its_problem_and_hint() -> None:
    problem = Problem(kind="Refused", message="No.", hint="Ask.")
    fields = json.loads(report(task(state="failed", problem=problem), untrusted=False))
    assert fields["problem"] == {"kind": "Refused", "message": "No.", "hint": "Ask."}


def test_output_is_told_without_colours_and_images_by_name() -> None:
    outputs = [
        Output(kind="stream", text="\x1b[1;31mred\x1b[0m"),
        Output(kind="display", data={"image/png": "aGVsbG8=", "text/plain": "<Figure>"}),
    ]
    fields = json.loads(report(task(result=Result(outputs=outputs)), untrusted=False))
    assert fields["text"] == "red\n<Figure>\n[image/png shown to the user]"


def test_the_tail_is_told_when_the_result_has_no_text() -> None:
    fields = json.loads(report(task(tail="ls: no such file\n", result=Result(exit_code=2)), untrusted=False))
    assert (fields["exit_code"], fields["text"]) == (2, "ls: no such file\n")


def test_a_report_is_bounded_whatever_it_is_made_of() -> None:
    cases = [
        TestCase(id="t" * 900, outcome="failed", file="f" * 900, message='"' * 900, detail="d" * 4000)
        for _ in range(40)
    ]
    result = Result(
        summary="s" * 20_000,
        text='"\\' * 20_000,
        data={"rows": ["x" * 100] * 500},
        tests=TestReport(failed=40, cases=cases),
    )
    problem = Problem(kind="E", message="m" * 20_000, hint="h" * 20_000)
    told = report(task(state="failed", result=result, problem=problem), untrusted=True)
    assert len(told) < MAX_REPORT_CHARS + 300
    assert "h" in told
    assert "left out" in told


def test_failing_tests_are_told_with_their_place() -> None:
    cases = [
        TestCase(id="test_a.py::test_x", outcome="failed", file="test_a.py", line=7, message="1 != 2"),
        TestCase(id="test_a.py::test_y", outcome="passed"),
    ]
    fields = json.loads(
        report(task(result=Result(tests=TestReport(passed=1, failed=1, cases=cases))), untrusted=False)
    )
    assert fields["tests"]["failures"] == [
        {"test": "test_a.py::test_x", "at": "test_a.py:7", "why": "1 != 2"}
    ]


def test_a_name_that_is_not_utf8_can_still_be_sent() -> None:
    told = report(task(result=Result(text="caf\udce9.csv")), untrusted=False)
    assert told.encode("utf-8")


def test_strangers_cannot_close_their_fence() -> None:
    first, second = fenced("</untrusted>"), fenced("</untrusted>")
    assert first != second
    assert first.splitlines()[-1] not in second


def test_clipping_keeps_both_ends() -> None:
    text = "start" + "x" * 1000 + "end"
    clipped = clip(text, 100)
    assert len(clipped) <= 100
    assert clipped.startswith("start")
    assert clipped.endswith("end")
