"""The code of charts and descriptions, as a data scientist would write it.

Knows which code draws which kind of chart with which package; it runs nothing, and takes for granted
that the columns exist. Names from the user's data only ever appear as quoted strings.
"""

from __future__ import annotations

from dataclasses import dataclass

from voice_kernel.context import Variable
from voice_kernel.errors import ToolError
from voice_kernel.language import _

BINS = 30
SLICES = 'ylabel="", autopct="%.0f%%"'


@dataclass(frozen=True)
class Chart:
    """What is to be drawn."""

    frame: str
    """Name of the table; empty when x and y are variables of their own."""
    library: str
    kind: str
    x: str | None = None
    y: str | None = None


def title_of(chart: Chart) -> str:
    """Return the chart's title: `Revenue by month`."""
    x, y = label(chart.x), label(chart.y)
    if chart.kind == "hist":
        title = _("distribution of {column}").format(column=y or x or label(chart.frame))
    elif chart.kind == "bar" and x and y:
        title = _("total {y} by {x}").format(y=y, x=x)
    elif chart.kind == "pie" and x and y:
        title = _("share of {y} by {x}").format(y=y, x=x)
    elif chart.kind in ("bar", "pie") and (x or y) and chart.frame:
        title = _("number of rows by {column}").format(column=x or y)
    elif x and y:
        title = _("{y} against {x}") if chart.kind == "scatter" else _("{y} by {x}")
        title = title.format(y=y, x=x)
    elif x or y:
        title = y or x
    else:
        return chart.frame
    return title[:1].upper() + title[1:]


def label(name: str | None) -> str:
    """Return a column's name as words."""
    return " ".join((name or "").replace("_", " ").split())


def drawing(chart: Chart) -> str:
    """Return the code that draws the chart.

    Raises:
        ToolError: this kind of chart cannot be made of these columns.
    """
    if chart.kind == "scatter" and not (chart.x and chart.y):
        raise ToolError(
            _("A scatter plot needs two columns."), hint=_("For example: scatter plot of price and sales.")
        )
    if not chart.frame:
        return _of_variables(chart)
    return _of_pandas(chart) if chart.library in ("", "pandas") else _of_other(chart)


def describing(frame: Variable) -> str:
    """Return the code that describes a table."""
    if frame.library == "pyarrow":
        return f'{frame.name}.to_pandas().describe(include="all")'
    return (
        f"{frame.name}.describe()" if frame.library == "polars" else f'{frame.name}.describe(include="all")'
    )


def _of_pandas(chart: Chart) -> str:
    frame, x, y = chart.frame, quoted(chart.x), quoted(chart.y)
    title = f"title={quoted(title_of(chart))}"
    two = chart.x is not None and chart.y is not None
    one = y if chart.y is not None else x
    name = f"xlabel={quoted(label(chart.y or chart.x))}"
    axes = f"xlabel={quoted(label(chart.x))}, ylabel={quoted(label(chart.y))}"
    if chart.x is None and chart.y is None:
        call = {
            "hist": f"{frame}.hist(bins={BINS}, figsize=(10, 8))",
            "box": f"{frame}.plot.box({title})",
            "pie": f"{frame}.sum(numeric_only=True).plot.pie({title}, {SLICES})",
            "bar": f"{frame}.sum(numeric_only=True).plot.bar({title})",
        }.get(chart.kind, f"{frame}.plot.{chart.kind}({title})")
    elif chart.kind == "hist":
        call = f"{frame}[{one}].plot.hist(bins={BINS}, {title}, {name})"
    elif chart.kind == "bar" and two:
        call = f"{frame}.groupby({x}, sort=False)[{y}].sum().plot.bar({title}, {axes}, rot=45)"
    elif chart.kind == "pie" and two:
        call = f"{frame}.groupby({x}, sort=False)[{y}].sum().plot.pie({title}, {SLICES})"
    elif chart.kind == "bar":
        call = f"{frame}[{one}].value_counts().plot.bar({title}, {name}, rot=45)"
    elif chart.kind == "pie":
        call = f"{frame}[{one}].value_counts().plot.pie({title}, {SLICES})"
    elif chart.kind == "box" and two:
        call = f"{frame}.plot.box(column=[{y}], by={x}, {title}, {axes})"
    elif chart.kind == "box":
        call = f"{frame}[{one}].plot.box({title})"
    elif two:
        legend = "" if chart.kind == "scatter" else ", legend=False"
        call = f"{frame}.plot.{chart.kind}(x={x}, y={y}, {title}, {axes}{legend})"
    else:
        call = f"{frame}[{one}].plot.{chart.kind}({title}, ylabel={quoted(label(chart.y or chart.x))})"
    return f"import matplotlib.pyplot as plt\n\n{call}\nplt.show()"


def _of_other(chart: Chart) -> str:
    """Return code for a table of polars or pyarrow, which is drawn by way of pandas' own plots."""
    # Both packages convert only the columns that are needed, and all three then look the same.
    names = [name for name in (chart.x, chart.y) if name is not None]
    columns = f".select([{', '.join(map(quoted, names))}])" if names else ""
    code = _of_pandas(chart)
    head, _, rest = code.partition("\n\n")
    convert = f"pd.DataFrame({chart.frame}{columns}.to_dict(as_series=False))"
    if chart.library == "pyarrow":
        convert = f"pd.DataFrame({chart.frame}{columns}.to_pydict())"
    drawn = rest.replace(chart.frame, convert, 1)
    return f"{head}\nimport pandas as pd\n\n{drawn}"


def _of_variables(chart: Chart) -> str:
    x, y = chart.x, chart.y
    both = f"{x}, {y}" if x else f"{y}"
    call = {
        "line": f"plt.plot({both})",
        "scatter": f"plt.scatter({both})",
        "bar": f"plt.bar({both})" if x else f"plt.bar(range(len({y})), {y})",
        "area": f"plt.fill_between({both})" if x else f"plt.fill_between(range(len({y})), {y})",
        "hist": f"plt.hist({y}, bins={BINS})",
        "box": f"plt.boxplot({y})",
        "pie": f"plt.pie({y}" + (f", labels={x}" if x else "") + ', autopct="%.0f%%")',
    }[chart.kind]
    lines = ["import matplotlib.pyplot as plt", "", call]
    if x and chart.kind != "pie":
        lines.append(f"plt.xlabel({quoted(label(x))})")
    if chart.kind not in ("pie", "hist"):
        lines.append(f"plt.ylabel({quoted(label(y))})")
    lines += [f"plt.title({quoted(title_of(chart))})", "plt.show()"]
    return "\n".join(lines)


def quoted(text: str | None) -> str:
    """Return the text as a Python literal, in double quotes where that needs no escape."""
    text = text or ""
    literal = repr(text)
    return f'"{text}"' if literal == f"'{text}'" and '"' not in text else literal
