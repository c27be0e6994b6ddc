"""Conversations as notebooks: valid, safe to open, and doing the same again."""

from __future__ import annotations

from typing import Any

import nbformat

from voice_kernel.export.notebook import notebook, source_of
from voice_kernel.messages import Call, Output, Problem, Result, Task, Turn
from voice_kernel.script.step import Recorded, Step


def recorded(text: str, state: str = "succeeded", **fields: Any) -> Recorded:
    call = Call(tool="run_code", arguments={"code": "x"})
    problem = fields.get("problem")
    turn = Turn.model_validate(
        {
            "id": 1, "state": state, "origin": "voice", "text": text, "calls": [call], "created_at": 1.0,
            "ended_at": 2.0, "problem": problem,
        }
    )  # fmt: skip
    task = {
        "id": 1, "turn_id": 1, "tool": "run_code", "arguments": {"code": "x"}, "title": "run_code x",
        "state": state, "created_at": 1.0, **fields,
    }  # fmt: skip
    return Recorded(turn, (Task.model_validate(task),))


def only_cell(one: Recorded) -> Any:
    made = notebook([one], "one")
    nbformat.validate(made)
    return made.cells[2]


def test_what_code_put_out_stands_before_its_card_as_in_the_notebook() -> None:
    outputs = [
        Output(kind="stream", text="hello\n"),
        Output(kind="result", data={"text/plain": "42", "text/html": "<b>42</b>"}),
    ]
    cell = only_cell(recorded("run the code x", result=Result(code="x", outputs=outputs, text="hello\n42")))
    assert cell.source == "%voice run the code x"
    assert [output.output_type for output in cell.outputs] == ["stream", "display_data", "display_data"]
    assert cell.outputs[1].data == {"text/plain": "42", "text/html": "<b>42</b>"}
    assert "hello" not in cell.outputs[2].data["text/html"]


def test_a_failure_is_an_error_of_the_cell() -> None:
    problem = Problem(kind="ZeroDivisionError", message="division by zero")
    traceback = Output(kind="error", text="Traceback\nZeroDivisionError: division by zero")
    cell = only_cell(
        recorded("run it", "failed", problem=problem, result=Result(code="1/0", outputs=[traceback]))
    )
    assert [output.output_type for output in cell.outputs] == ["error", "display_data", "error"]
    assert cell.outputs[0].traceback[-1] == "ZeroDivisionError: division by zero"
    assert cell.outputs[2].ename == "TurnFailed"
    assert cell.metadata.voice_kernel.tasks[0].problem == "ZeroDivisionError"


def test_nothing_that_runs_is_among_the_outputs() -> None:
    data = {
        "text/html": "<img src=x onerror=alert(1)><script>alert(1)</script><b>fine</b>",
        "application/javascript": "alert(1)",
        "application/vnd.jupyter.widget-view+json": "{}",
        "text/plain": "fine",
    }
    outputs = [
        Output(kind="display", data=data),
        Output(kind="display", data={"application/javascript": "x"}),
    ]
    cell = only_cell(recorded("show it", result=Result(outputs=outputs)))
    assert len(cell.outputs) == 2
    assert cell.outputs[0].data == {"text/html": "<b>fine</b>", "text/plain": "fine"}


def test_titles_and_words_of_others_are_no_markup_and_no_code() -> None:
    made = notebook([recorded("one\n!rm -rf /\n%%bash")], "<script>x</script>")
    assert made.cells[0].source == "# Voice session\n\n    <script>x</script>"
    assert made.cells[2].source == "%voice one !rm -rf / %%bash"


def test_words_that_begin_with_a_dash_are_no_options() -> None:
    assert source_of(Step("--audio x.wav")) == "%voice -- --audio x.wav"


def test_what_is_left_out_is_a_comment() -> None:
    made = notebook([recorded("sleep", "cancelled")], "one")
    assert made.cells[2].source == "# left out, since it was cancelled: sleep"
