"""What a function returns is told in words where it can be, and shown where it cannot."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from voice_kernel.messages import Output
from voice_kernel.usertools.outcome import MAX_VALUES, described, needs_showing, shown, told


@pytest.mark.parametrize(
    ("value", "summary", "text", "data"),
    [
        (None, "Done.", "", {}),
        ("", "Done.", "", {"value": ""}),
        ("All good.", "All good.", "", {"value": "All good."}),
        ("First.\nSecond.", "First.", "First.\nSecond.", {}),
        (True, "yes", "", {"value": True}),
        (0.123456789, "0.1235", "", {"value": 0.123456789}),
        (float("nan"), "nan", "", {"value": "nan"}),
        (np.float64(0.5), "0.5", "", {"value": 0.5}),
        (np.int64(7), "7", "", {"value": 7}),
        (Path("out/model.pt"), "out/model.pt", "", {"value": "out/model.pt"}),
        (date(2026, 1, 2), "2026-01-02", "", {"value": "2026-01-02"}),
        ({"accuracy": 0.93, "epochs": 5}, "accuracy 0.93, epochs 5", "", {"accuracy": 0.93, "epochs": 5}),
        (["a", None, 3], "a, nothing, 3", "", {"values": ["a", None, 3]}),
        ({"b", "a"}, "a, b", "", {"values": ["a", "b"]}),
        ((), "0 values", "[]", {"values": []}),
        ({"a": {"b": 1}}, "1 value", '{\n  "a": {\n    "b": 1\n  }\n}', {"a": {"b": 1}}),
        (list(range(7)), "7 values", None, {"values": list(range(7))}),
    ],
)
def test_plain_values_are_told_in_words_and_kept_as_data(
    value: Any, summary: str, text: str | None, data: dict[str, Any]
) -> None:
    assert not needs_showing(value)
    result = told(value)
    assert (result.summary, result.data) == (summary, data)
    assert text is None or result.text == text


class Drawn:
    def _repr_html_(self) -> str:
        return "<b>drawn</b>"


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else []


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": [1]}),
        np.zeros(3),
        Drawn(),
        {"frame": pd.DataFrame()},
        {1: "a key that JSON does not have"},
        [0] * (MAX_VALUES + 1),
        nested(50),
        object(),
        Exception,
    ],
)
def test_everything_else_is_shown(value: Any) -> None:
    assert needs_showing(value)


def test_a_shown_value_is_described_and_its_text_kept_for_models() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    output = Output(kind="result", data={"text/plain": "   a\n0  1", "text/html": "<table></table>"})
    result = shown(frame, [output])
    assert result.summary == "A DataFrame: 2 rows, 1 column."
    assert result.text == "   a\n0  1"
    assert result.outputs == [output]


def test_a_value_is_described_without_its_own_code() -> None:
    class Evil:
        @property
        def shape(self) -> Any:
            raise RuntimeError

    assert described(Evil()) == "An Evil."
    assert described(np.zeros((3, 4))) == "A ndarray: 3 rows, 4 columns."


def test_a_figure_that_pyplot_will_draw_is_not_shown_twice() -> None:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure = plt.figure()
    try:
        assert not needs_showing(figure)
        assert told(figure).summary == "Done."
    finally:
        plt.close(figure)
    assert needs_showing(figure)
    assert "matplotlib.pyplot" in sys.modules
