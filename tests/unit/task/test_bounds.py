"""Results within their bounds: small ones untouched, large ones cut with a note, all of them JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.messages import Output, Problem, Result
from voice_kernel.task import bounds
from voice_kernel.task.bounds import (
    MAX_DATA_BYTES,
    MAX_OUTPUT_BYTES,
    MAX_OUTPUTS,
    MAX_OUTPUTS_BYTES,
    MAX_TEXT_BYTES,
    bounded,
    bounded_problem,
)


def test_a_result_within_its_bounds_is_left_alone() -> None:
    result = Result(
        summary="Exit 0",
        text="x" * MAX_TEXT_BYTES,
        outputs=[Output(kind="result", text="1")],
        data={"a": [1]},
    )
    assert bounded(result) is result


def test_a_long_text_is_cut_at_its_end_with_a_note() -> None:
    text = bounded(Result(text="é" * 100_000)).text
    assert len(text.encode()) <= MAX_TEXT_BYTES
    assert text.startswith("éé")
    assert text.endswith("\n[184 KB more were left out]")


def test_the_largest_values_of_data_go_first() -> None:
    data = bounded(Result(data={"rows": list(range(50_000)), "count": 50_000, "name": "sales"})).data
    assert data == {"rows": "[339 KB were left out]", "count": 50_000, "name": "sales"}


def test_data_of_too_many_names_is_left_out_as_a_whole() -> None:
    data = bounded(Result(data={f"name {number}": number for number in range(20_000)})).data
    assert data == {"left_out": "[398 KB were left out]"}


def test_what_is_no_json_becomes_text() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    given = {
        "set": {1},
        "nan": float("nan"),
        "bytes": b"x",
        "odd": Odd(),
        "good": [1, {"a": None}],
        "s": "\udce9",
    }
    data = bounded(Result(data=given)).data
    assert data == {
        "set": "{1}", "nan": "nan", "bytes": "b'x'", "odd": "<Odd>",
        "good": [1, {"a": None}], "s": "'\\udce9'",
    }  # fmt: skip
    json.dumps(data, allow_nan=False)


def test_of_many_outputs_the_newest_stay() -> None:
    outputs = [Output(kind="stream", text=f"{number}\n") for number in range(MAX_OUTPUTS + 2)]
    kept = bounded(Result(outputs=outputs)).outputs
    assert kept[0].text == "[2 earlier outputs were left out]\n"
    assert [kept[1].text, kept[-1].text] == ["2\n", f"{MAX_OUTPUTS + 1}\n"]


def test_all_outputs_together_are_bounded() -> None:
    picture = Output(kind="display", data={"image/png": "A" * 1_000_000})
    kept = bounded(Result(outputs=[picture] * 20)).outputs
    assert sum(len(output.data.get("image/png", "")) for output in kept) <= MAX_OUTPUTS_BYTES
    assert "left out" in kept[0].text


def test_a_picture_that_is_too_large_goes_whole_and_is_named() -> None:
    output = Output(kind="display", data={"image/png": "A" * 3_000_000, "text/plain": "<Figure>"})
    (kept,) = bounded(Result(outputs=[output])).outputs
    assert kept.data == {"text/plain": "<Figure>"}
    assert "[image/png of 3.0 MB was left out]" in kept.text


def test_a_traceback_that_is_too_long_is_cut() -> None:
    (kept,) = bounded(Result(outputs=[Output(kind="error", text="x" * 3_000_000)])).outputs
    assert len(kept.text) <= MAX_OUTPUT_BYTES
    assert kept.text.endswith("left out]")


def test_names_that_are_no_utf_8_do_not_keep_a_result_from_being_sent() -> None:
    result = bounded(
        Result(
            summary="name-\udce9",
            text="\udce9",
            outputs=[Output(kind="stream", text="\udce9")],
            data={"\udce9": 1},
        )
    )
    assert "name-?" in result.model_dump_json()


def test_a_problem_that_quotes_too_much_is_cut() -> None:
    problem = bounded_problem(Problem(kind="ValueError", message="x" * 100_000, hint="Mend it."))
    assert len(problem.message) <= bounds.MAX_MESSAGE_BYTES
    assert problem.hint == "Mend it."
    small = Problem(kind="ValueError", message="x")
    assert bounded_problem(small) is small


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.sets(st.integers())
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(deadline=None)  # other work on the machine
@given(st.dictionaries(st.text(), VALUES, max_size=5), st.text(), st.integers(1, 30_000))
def test_any_result_can_be_sent_and_is_within_its_bounds(data: dict[str, Any], text: str, times: int) -> None:
    result = bounded(Result(summary=text * times, text=text * times, data={**data, "long": text * times}))
    sent = json.loads(result.model_dump_json())
    assert len(result.text.encode()) <= MAX_TEXT_BYTES
    assert len(json.dumps(sent["data"], ensure_ascii=False).encode()) <= MAX_DATA_BYTES


@pytest.mark.parametrize("result", [Result(text="x" * 99_999), Result(data={"a": "x" * 99_999})])
def test_what_is_bounded_stays_as_it_is(result: Result) -> None:
    once = bounded(result)
    assert bounded(once) == once
