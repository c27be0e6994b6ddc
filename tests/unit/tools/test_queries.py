"""Questions to tables: the code that is run, and that it answers them, for every kind of table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pytest
from test_data import PlainRunner, ended_well, failed, sales
from workbench import Workbench

from voice_kernel.tools import queries
from voice_kernel.tools.queries import literal


@pytest.fixture
def runner(bench: Workbench) -> PlainRunner:
    runner = PlainRunner()
    queries.register(
        bench.registry, runner=runner, context=runner.context, propose_cell=runner.proposed.append
    )
    return runner


QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("aggregate", {"column": "revenue", "by": "region"}),
    ("aggregate", {"column": "revenue", "how": "median"}),
    ("aggregate", {"by": "region", "how": "sum"}),
    ("aggregate", {"by": "region", "how": "count"}),
    ("aggregate", {"how": "count"}),
    ("aggregate", {"column": "region", "how": "nunique"}),
    ("filter_rows", {"column": "revenue", "operator": ">", "value": "10"}),
    ("filter_rows", {"column": "region", "value": "NORTH"}),
    ("filter_rows", {"column": "region", "operator": "!=", "value": "north"}),
    ("filter_rows", {"column": "region", "operator": "contains", "value": "or"}),
    ("filter_rows", {"column": "region", "operator": "starts", "value": "N"}),
    ("filter_rows", {"column": "unit price", "operator": "between", "value": "2", "upper": "3"}),
    ("filter_rows", {"column": "revenue", "operator": "present"}),
    ("show_rows", {"count": 2}),
    ("show_rows", {"count": 2, "which": "last"}),
    ("show_rows", {"count": 9, "which": "random"}),
    ("show_rows", {"count": 2, "which": "largest", "column": "revenue"}),
    ("sort_rows", {"column": "revenue", "descending": True}),
    ("count_values", {"column": "region"}),
    ("unique_values", {"column": "region"}),
    ("missing_values", {}),
    ("missing_values", {"column": "revenue"}),
    ("count_rows", {}),
    ("correlate", {"x": "revenue", "y": "unit_price"}),
    ("correlate", {}),
]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(("tool", "arguments"), QUESTIONS)
def test_every_question_is_answered_for_every_kind_of_table(
    bench: Workbench, runner: PlainRunner, make: Callable[[Any], Any], tool: str, arguments: dict[str, Any]
) -> None:
    runner.namespace["df"] = make(sales())
    result = ended_well(bench.call(tool, **arguments))
    assert result.text
    assert result.summary
    assert runner.proposed == [result.code]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_the_answers_are_right(bench: Workbench, runner: PlainRunner, make: Callable[[Any], Any]) -> None:
    runner.namespace["df"] = make(sales())
    result = ended_well(bench.call("aggregate", column="revenue", how="sum"))
    assert result.summary == "The total revenue is 65."
    grouped = ended_well(bench.call("aggregate", column="revenue", by="region", how="sum"))
    assert grouped.summary == "Total revenue by region."
    assert "40.0" in grouped.text
    rows = ended_well(bench.call("filter_rows", column="region", value="North"))
    assert rows.text.count("north") == 2
    assert "south" not in rows.text


def test_code_is_what_one_would_have_typed(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    codes = [
        ended_well(bench.call(tool, **arguments)).code
        for tool, arguments in (QUESTIONS[0], QUESTIONS[6], QUESTIONS[13], QUESTIONS[17])
    ]
    assert codes == [
        'df.groupby("region")["revenue"].mean()',
        'df[df["revenue"] > 10]',
        "df.head(2)",
        'df.sort_values("revenue", ascending=False)',
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("100", "100"),
        ("1,000", "1000"),
        ("-2.5", "-2.5"),
        ("007", "7"),
        ("0", "0"),
        ("north", '"north"'),
        ("true", "True"),
        ('a"b', "'a\"b'"),
        ("__import__('os')", "\"__import__('os')\""),
        ("1); x(", '"1); x("'),
    ],
)
def test_a_value_is_only_ever_a_number_or_a_text(value: str, code: str) -> None:
    assert literal(value) == code


def test_the_newest_table_with_the_columns_is_meant(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(first=pd.DataFrame(sales()), second=pd.DataFrame({"a": [1]}))
    assert ended_well(bench.call("sort_rows", column="Revenue")).code == 'first.sort_values("revenue")'
    assert ended_well(bench.call("show_rows", count=1)).code == "second.head(1)"
    assert ended_well(bench.call("show_rows", count=1, frame="first")).code == "first.head(1)"


def test_missing_values_of_a_table_by_its_name(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(first=pd.DataFrame(sales()), second=pd.DataFrame({"a": [1]}))
    assert ended_well(bench.call("missing_values", column="first")).code == "first.isna().sum()"


def test_what_is_missing_is_said(bench: Workbench, runner: PlainRunner) -> None:
    assert failed(bench.call("count_rows"))[0] == "There is no table in the notebook yet."
    runner.namespace["df"] = pd.DataFrame(sales())
    assert failed(bench.call("sort_rows", column="revenu")) == (
        "There is no column revenu in df.",
        "Did you mean revenue?",
    )
    assert failed(bench.call("filter_rows", column="revenue"))[0] == "Compared to what?"
    assert failed(bench.call("show_rows", which="largest"))[0] == "The largest rows by which column?"
    assert failed(bench.call("correlate", x="revenue"))[0] == "A correlation needs two columns."
