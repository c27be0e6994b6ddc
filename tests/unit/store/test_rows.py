"""What is kept of a task has a size, and what is read back is what was written."""

from __future__ import annotations

import json

from voice_kernel.messages import Call, Output, Problem, Progress, Result, Task, TestCase, TestReport, Turn
from voice_kernel.store import rows
from voice_kernel.store.redaction import Redaction
from voice_kernel.store.rows import Rows, capped, task_of, turn_of

ROWS = Rows("session", "/nb.ipynb", Redaction())
TASK = Task(id=7, turn_id=3, tool="run_tests", title="run_tests tests", created_at=5.0, area="tests")


def row(task: Task, utterance: str = "run the tests") -> dict[str, object]:
    return {"id": 1, **ROWS.task(task, "thread", utterance)}


def test_a_task_comes_back_as_it_was() -> None:
    tests = TestReport(passed=1, failed=1, cases=[TestCase(id="a", outcome="failed", message="x")])
    result = Result(summary="s", text="t", code="c", outputs=[Output(kind="stream", text="o")], tests=tests)
    for task in (
        TASK,
        TASK.model_copy(update={"state": "running", "progress": Progress(done=3, total=4), "tail": "tail"}),
        TASK.model_copy(
            update={
                "state": "failed",
                "started_at": 6.0,
                "ended_at": 7.0,
                "arguments": {"a": [1, None, {"b": "ü"}]},
                "result": result,
                "problem": Problem(kind="E", message="m", hint="h", retryable=True),
                "log_path": "/logs/a.log",
                "origin": "voice",
                "output_bytes": 10,
                "exit_code": None,
            }
        ),
    ):
        again = task_of(row(task), heavy=True)
        assert again == Task.model_validate(
            {key: value for key, value in task.model_dump().items() if key in Task.model_fields}
        )


def test_without_what_is_heavy_only_the_summary_of_a_result_is_left() -> None:
    result = Result(summary="s", text="t", exit_code=3, outputs=[Output(kind="stream", text="o")])
    light = task_of(row(TASK.model_copy(update={"result": result, "tail": "tail"})), heavy=False)
    assert light.result == Result(summary="s", exit_code=3)
    assert light.tail == ""


def test_a_task_is_found_by_its_words_title_summary_and_problem() -> None:
    task = TASK.model_copy(
        update={"result": Result(summary="Zwölf passed"), "problem": Problem(kind="E", message="Timed out")}
    )
    assert row(task)["words"] == "run the tests zwolf passed timed out"


def test_a_turn_comes_back_as_it_was() -> None:
    turn = Turn(
        id=3,
        parent_id=2,
        state="nothing",
        origin="text",
        text="blah",
        calls=[Call(tool="x", arguments={"y": 1})],
        closest=["run the tests"],
        answer="What?",
        created_at=5.0,
        ended_at=6.0,
    )
    assert turn_of({"id": 1, **ROWS.turn(turn, "thread")}) == turn


def test_large_text_is_cut_and_what_is_left_out_is_named() -> None:
    result = capped(
        Result(
            text="x" * 300_000,
            outputs=[
                Output(kind="stream", text="a" * 200_000),
                Output(kind="stream", text="b" * 200_000),
                Output(kind="display", data={"text/html": "c" * 500, "text/plain": "d"}),
                Output(kind="stream", text="never"),
            ],
            data={"x": "y" * 100_000},
        )
    )
    kept = [output.text for output in result.outputs]
    assert len(kept[0]) == 200_000
    assert kept[1].startswith("b" * 62_144 + "\n[the rest is not kept in the history: 137856 characters]")
    assert result.outputs[2].data == {}
    assert "text/html, 0.0 MB" in kept[2]
    assert result.data == {}
    assert len(result.text) < 300_000
    assert sum(len(output.text) for output in result.outputs) < rows.MAX_OUTPUTS_CHARS + 1_000


def test_pictures_are_kept_up_to_a_size_beside_their_text() -> None:
    picture = "i" * 1_500_000
    outputs = [Output(kind="display", data={"image/png": picture, "text/plain": "<Figure>"})] * 4
    kept = capped(Result(outputs=outputs)).outputs
    assert [len(output.data.get("image/png", "")) for output in kept] == [1_500_000, 1_500_000, 0, 0]
    assert all(output.data["text/plain"] == "<Figure>" for output in kept)
    assert kept[2].text == "[not kept in the history: image/png, 1.5 MB]"


def test_a_thousand_outputs_are_not_a_thousand_notes() -> None:
    outputs = [Output(kind="display", data={"image/png": "i" * 5_000_000})] * 1_000
    text = [Output(kind="stream", text="x" * 300_000)]
    kept = capped(Result(outputs=[*text, *outputs])).outputs
    assert sum(len(output.text) + len(str(output.data)) for output in kept) < 400_000


def test_huge_arguments_answers_and_reports_are_cut() -> None:
    task = TASK.model_copy(update={"arguments": {"source": "x" * 300_000}})
    assert task_of(row(task), heavy=True).arguments == {}
    turn = Turn(
        id=1,
        state="succeeded",
        origin="text",
        text="x",
        answer="y" * 300_000,
        calls=[Call(tool="t", arguments={"source": "x" * 300_000}), Call(tool="u")],
        created_at=1.0,
    )
    kept = turn_of({"id": 1, **ROWS.turn(turn, "thread")})
    assert [call.tool for call in kept.calls] == ["u"]
    assert len(kept.answer) < 270_000
    cases = [TestCase(id=f"t{n}", outcome="failed", detail="d" * 4_000) for n in range(500)]
    report = capped(Result(tests=TestReport(failed=500, cases=cases))).tests
    assert report is not None
    assert report.failed == 500
    assert 100 < len(report.cases) < 200


def test_what_another_version_wrote_is_read_as_far_as_it_is_understood() -> None:
    written = row(TASK.model_copy(update={"state": "succeeded", "result": Result(summary="s", text="t")}))
    heavy = json.loads(str(written["heavy"]))
    heavy["result"]["invented"] = 1
    data = json.loads(str(written["data"])) | {"colour": "red", "progress": {"fraction": 7}}
    odd = written | {"data": json.dumps(data), "heavy": json.dumps(heavy)}
    task = task_of(odd, heavy=True)
    assert task.result == Result(summary="s", text="t")
    assert task.progress is None
    assert (task.title, task.state, task.id) == ("run_tests tests", "succeeded", 7)
    assert task_of(written | {"data": "[]", "heavy": "nonsense"}, heavy=True).title == "run_tests"
