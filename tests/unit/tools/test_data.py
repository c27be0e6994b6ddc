"""The data tools: which names are meant, and code that really draws what was asked."""

from __future__ import annotations

import ast
import contextlib
import io
import time
from collections.abc import Callable
from typing import Any

import matplotlib
import pandas as pd
import polars as pl
import pytest
from workbench import Workbench

from voice_kernel.context import Context, Variable
from voice_kernel.kernel import CodeResult
from voice_kernel.kernel.namespace import describe
from voice_kernel.messages import Output, Problem, Result, Task
from voice_kernel.tools import data
from voice_kernel.tools.charts import quoted

matplotlib.use("agg")
import matplotlib.pyplot as plt


class PlainRunner:
    """Runs code in a namespace of its own: what the kernel's door does, without a kernel."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {}
        self.ran: list[str] = []
        self.proposed: list[str] = []

    async def run(
        self, code: str, *, show: bool | str = True, on_output: Callable[[Output], None] | None = None
    ) -> CodeResult:
        self.ran.append(code)
        printed = io.StringIO()
        outputs: list[Output] = []
        error = None
        try:
            tree = ast.parse(code)
            last = tree.body[-1] if tree.body else None
            if isinstance(last, ast.Expr):
                tree.body.pop()
            with contextlib.redirect_stdout(printed):
                exec(compile(tree, "cell", "exec"), self.namespace)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), "cell", "eval"), self.namespace)
                    if value is not None:
                        outputs.append(Output(kind="result", data={"text/plain": repr(value)}))
        except Exception as raised:  # noqa: BLE001 - whatever the code raises is its result
            error = Problem(kind=type(raised).__name__, message=str(raised))
        if printed.getvalue():
            outputs.insert(0, Output(kind="stream", text=printed.getvalue()))
        for output in outputs:
            if on_output is not None:
                on_output(output)
        return CodeResult(error is None, tuple(outputs), error, duration_s=time.monotonic() * 0)

    def context(self) -> Context:
        names = (name for name in self.namespace if not name.startswith("__"))
        return Context(variables=tuple(describe(name, self.namespace[name]) for name in names))


@pytest.fixture
def runner(bench: Workbench) -> PlainRunner:
    runner = PlainRunner()
    data.register(bench.registry, runner=runner, context=runner.context, propose_cell=runner.proposed.append)
    plt.close("all")
    return runner


def sales() -> dict[str, list[Any]]:
    return {
        "month": ["Jan", "Feb", "Mar", "Jan"],
        "region": ["north", "south", "north", "east"],
        "revenue": [10.0, 20.0, 30.0, 5.0],
        "unit_price": [1.0, 2.0, 3.0, 4.0],
    }


def ended_well(task: Task) -> Result:
    assert task.state == "succeeded", task.problem
    assert task.result is not None
    return task.result


def failed(task: Task) -> tuple[str, str]:
    assert task.state == "failed"
    assert task.problem is not None
    return task.problem.message, task.problem.hint


# ---- code -------------------------------------------------------------------------------------------


def test_code_runs_and_its_output_is_the_result(bench: Workbench, runner: PlainRunner) -> None:
    result = ended_well(bench.call("run_code", code="print('hello')\n6 * 7"))
    assert result.code == "print('hello')\n6 * 7"
    assert result.summary == "The result is 42"
    assert result.text == "hello\n42"
    assert [output.kind for output in result.outputs] == ["stream", "result"]
    assert bench.output == "hello\n"


def test_code_that_raises_fails_and_keeps_what_it_printed(bench: Workbench, runner: PlainRunner) -> None:
    task = bench.call("run_code", code="print('before'); 1 / 0")
    assert failed(task)[0] == "division by zero"
    assert task.problem is not None
    assert task.problem.kind == "ZeroDivisionError"
    assert task.result is not None
    assert task.result.text == "before"
    assert task.result.data["error"] == "ZeroDivisionError: division by zero"


# ---- variables --------------------------------------------------------------------------------------


def test_variables_are_listed_newest_first(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(count=3, df=pd.DataFrame(sales()), os=ast, run=lambda: None, names=["a", "b"])
    result = ended_well(bench.call("list_variables"))
    assert result.summary == "3 variables"
    assert [line.split()[0] for line in result.text.splitlines()] == ["name", "names", "df", "count", "and"]
    assert "4 rows, 4 columns" in result.text
    assert result.text.endswith("and 1 function, 1 module")
    assert runner.ran == []


def test_no_variables_is_said(bench: Workbench, runner: PlainRunner) -> None:
    assert ended_well(bench.call("list_variables")).summary == "There are no variables yet."


def test_a_table_shows_its_first_rows_and_its_size(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame({"n": range(1000)})
    result = ended_well(bench.call("show_variable", name="df"))
    assert result.code == "df.head(10)"
    assert result.summary == "df: DataFrame, 1,000 rows, 1 column"
    assert result.outputs[0].kind == "result"


def test_other_values_show_themselves(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(names=["a", "b"], df=pd.DataFrame(sales()))
    assert ended_well(bench.call("show_variable", name="names")).text == "['a', 'b']"
    assert ended_well(bench.call("show_variable", name="df.revenue")).code == "df.revenue"


def test_a_variable_is_found_without_regard_to_case_and_word_breaks(
    bench: Workbench, runner: PlainRunner
) -> None:
    runner.namespace["train_data"] = [1]
    assert ended_well(bench.call("show_variable", name="Train data")).code == "train_data"


def test_an_unknown_variable_names_what_is_near(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(prices=[1], df=pd.DataFrame(sales()))
    assert failed(bench.call("show_variable", name="pricess_")) == (
        "There is no variable named pricess_.",
        "Did you mean prices?",
    )
    assert failed(bench.call("show_variable", name="revenue"))[1] == (
        "revenue is a column of df; say df dot revenue."
    )


@pytest.mark.parametrize("name", ["__import__('os')", "df; print(1)", "df.x()", "df[0]", "df.__class__()"])
def test_a_name_is_never_run_as_code(bench: Workbench, runner: PlainRunner, name: str) -> None:
    runner.namespace["df"] = 1
    failed(bench.call("show_variable", name=name))
    assert runner.ran == []


def test_a_table_is_described_the_newest_by_default(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(old=pd.DataFrame({"a": [1]}), df=pd.DataFrame(sales()), n=1)
    result = ended_well(bench.call("describe_data"))
    assert result.code == 'df.describe(include="all")'
    assert result.summary == "df: DataFrame, 4 rows, 4 columns"
    assert ended_well(bench.call("describe_data", frame="old")).code == 'old.describe(include="all")'


def test_a_table_of_polars_is_described_in_its_own_way(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pl.DataFrame(sales())
    assert ended_well(bench.call("describe_data")).code == "df.describe()"


def test_without_a_table_there_is_nothing_to_describe(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["n"] = 1
    assert failed(bench.call("describe_data"))[0] == "There is no table in the notebook yet."
    assert failed(bench.call("describe_data", frame="n"))[0] == "n is no table but an int."


# ---- plots ------------------------------------------------------------------------------------------


def axes() -> Any:
    return plt.gcf().axes[0]


def test_a_line_of_two_columns_has_labels_and_title(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    result = ended_well(bench.call("plot", y="revenue", x="month"))
    assert result.code == (
        "import matplotlib.pyplot as plt\n\n"
        'df.plot.line(x="month", y="revenue", title="Revenue by month", xlabel="month", ylabel="revenue", '
        "legend=False)\nplt.show()"
    )
    assert runner.proposed == [result.code]
    assert (axes().get_title(), axes().get_xlabel(), axes().get_ylabel()) == (
        "Revenue by month",
        "month",
        "revenue",
    )
    assert list(axes().lines[0].get_ydata()) == [10, 20, 30, 5]


def test_a_bar_chart_adds_up_what_repeats(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    ended_well(bench.call("plot", y="revenue", x="region", kind="bar"))
    assert [bar.get_height() for bar in axes().patches] == [40, 20, 5]
    assert [label.get_text() for label in axes().get_xticklabels()] == ["north", "south", "east"]
    assert axes().get_title() == "Total revenue by region"


def test_a_bar_chart_of_one_column_counts(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    ended_well(bench.call("plot", y="region", kind="bar"))
    assert sorted(bar.get_height() for bar in axes().patches) == [1, 1, 2]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "scatter", "x": "unit price", "y": "revenue"},
        {"kind": "hist", "x": "unit price"},
        {"kind": "hist", "y": "revenue"},
        {"kind": "box", "y": "revenue"},
        {"kind": "box", "y": "revenue", "x": "region"},
        {"kind": "pie", "y": "revenue", "x": "region"},
        {"kind": "pie", "y": "region"},
        {"kind": "area", "y": "revenue", "x": "month"},
        {"kind": "area", "y": "revenue"},
        {"kind": "bar", "y": "revenue", "x": "region"},
        {"kind": "bar", "x": "region"},
        {"kind": "line", "y": "revenue"},
        {"kind": "line", "x": "month", "y": "revenue"},
        {"y": "Revenues"},
        {},
        {"kind": "hist"},
        {"kind": "box"},
        {"kind": "bar"},
        {"y": "df"},
        {"frame": "df"},
    ],
)
def test_every_kind_of_chart_draws_something(
    bench: Workbench, runner: PlainRunner, make: Callable[[Any], Any], arguments: dict[str, str]
) -> None:
    runner.namespace["df"] = make(sales())
    result = ended_well(bench.call("plot", **arguments))
    assert result.summary
    drawn = axes()
    assert drawn.lines or drawn.patches or drawn.collections


def test_a_plot_leaves_no_new_variables_but_the_imports(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    ended_well(bench.call("plot", y="revenue", x="region", kind="bar"))
    assert set(runner.namespace) == {"df", "plt", "__builtins__"}


def test_a_table_of_an_unknown_package_is_taken_at_its_word(bench: Workbench, runner: PlainRunner) -> None:
    class GeoDataFrame(pd.DataFrame):
        pass

    runner.namespace["places"] = GeoDataFrame(sales())
    assert "places.plot.line" in ended_well(bench.call("plot", x="month", y="revenue", frame="places")).code
    assert ended_well(bench.call("show_variable", name="places")).code == "places.head(10)"
    assert ended_well(bench.call("describe_data", frame="places")).summary == "places: GeoDataFrame"


def test_the_newest_table_that_has_the_columns_is_plotted(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(
        first=pd.DataFrame(sales()), second=pd.DataFrame(sales()), other=pd.DataFrame({"a": [1]})
    )
    assert "second.plot" in ended_well(bench.call("plot", y="revenue", x="month")).code
    assert "first.plot" in ended_well(bench.call("plot", y="revenue", x="month", frame="first")).code


def test_lists_of_the_namespace_can_be_plotted(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(hours=[1, 2, 3], visits=[4, 5, 6])
    assert ended_well(bench.call("plot", y="visits", x="hours")).code == (
        "import matplotlib.pyplot as plt\n\nplt.plot(hours, visits)\n"
        'plt.xlabel("hours")\nplt.ylabel("visits")\nplt.title("Visits by hours")\nplt.show()'
    )
    for kind in ("scatter", "bar", "area", "pie"):
        ended_well(bench.call("plot", y="visits", x="hours", kind=kind))
    for kind in ("line", "hist", "box", "bar", "area", "pie"):
        ended_well(bench.call("plot", y="visits", kind=kind))


def test_a_missing_column_names_what_is_near(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    assert failed(bench.call("plot", y="revenu", x="month")) == (
        "There is no column revenu in df.",
        "Did you mean revenue?",
    )
    assert failed(bench.call("plot", y="weather"))[1] == "df has: month, region, revenue, unit_price."
    assert runner.proposed == []


def test_columns_of_two_tables_are_not_mixed(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace.update(a=pd.DataFrame({"x": [1]}), b=pd.DataFrame({"y": [1]}))
    assert failed(bench.call("plot", x="x", y="y"))[0] == "No single table has both x and y."


def test_without_a_table_there_is_nothing_to_plot(bench: Workbench, runner: PlainRunner) -> None:
    assert failed(bench.call("plot", y="revenue"))[0] == "There is no table to plot from yet."


def test_a_scatter_plot_of_one_column_is_refused_in_words(bench: Workbench, runner: PlainRunner) -> None:
    runner.namespace["df"] = pd.DataFrame(sales())
    assert failed(bench.call("plot", y="revenue", kind="scatter"))[0] == "A scatter plot needs two columns."


@pytest.mark.parametrize("name", ['a"b', "a'b", "a\\b", "a\nb", "é", '"); print("x', "{x}", "%s", "$x$y"])
def test_column_names_are_only_ever_strings_of_the_code(
    bench: Workbench, runner: PlainRunner, name: str
) -> None:
    assert ast.literal_eval(quoted(name)) == name
    runner.namespace["df"] = pd.DataFrame({name: [1, 2], "n": [1, 2]})
    for kind in ("line", "bar", "hist", "pie", "box"):
        ended_well(bench.call("plot", y=name, x="n", kind=kind))
    assert bench.output == ""


def test_variables_are_described_by_a_value_and_not_by_code() -> None:
    table = Variable("df", "DataFrame", (1, 2), ("a", "b"), library="pandas")
    assert data.described(table) == "df: DataFrame, 1 row, 2 columns"
    assert data.described(Variable("a", "ndarray", (2, 3, 4))) == "a: ndarray, 2 × 3 × 4"
    assert data.described(Variable("f", "Thing")) == "f: Thing"
