"""Questions to a table: totals by group, rows that match, rows in order, what is missing.

Each becomes a line of code that a data scientist would have typed; it is shown, and can be kept and
edited. Knows tables by name and columns by what the context says of them; never what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from voice_kernel.context import Context, Variable
from voice_kernel.errors import ToolError
from voice_kernel.language import N_, _, capital
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools import suggestion
from voice_kernel.tools.charts import label, quoted
from voice_kernel.tools.data import CodeRunner, find_frame, is_table, run

MAX_ROWS = 1_000
EXECUTE: Effects = frozenset({"execute"})

How = Literal["mean", "sum", "median", "max", "min", "count", "std", "nunique"]
Operator = Literal[">", ">=", "<", "<=", "==", "!=", "between", "contains", "starts", "missing", "present"]
Which = Literal["first", "last", "random", "largest", "smallest"]

HOW_SAID: dict[str, str] = {
    "mean": N_("average {column}"), "sum": N_("total {column}"), "median": N_("median {column}"),
    "max": N_("maximum {column}"), "min": N_("minimum {column}"), "count": N_("number {column}"),
    "std": N_("standard deviation {column}"), "nunique": N_("number of different {column}"),
}  # fmt: skip
OPERATOR_SAID: dict[str, str] = {
    ">": N_("over"), ">=": N_("at least"), "<": N_("under"), "<=": N_("at most"), "==": "", "!=": N_("not"),
    "between": N_("between"), "contains": N_("contains"), "starts": N_("starts with"),
    "missing": N_("missing"), "present": N_("not missing"),
}  # fmt: skip
SHOWN: dict[Which, str] = {
    "first": N_("The first {count} rows of {table}{order}."),
    "last": N_("The last {count} rows of {table}{order}."),
    "random": N_("The random {count} rows of {table}{order}."),
    "largest": N_("The largest {count} rows of {table}{order}."),
    "smallest": N_("The smallest {count} rows of {table}{order}."),
}
_NUMBER = re.compile(r"[+-]?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_NUMPY = re.compile(r"^np\.\w+\((.*)\)$")


class Frame(Arguments):
    """Arguments of tools that look at a table."""

    frame: str = Field(
        default="",
        max_length=200,
        description="Name of the table; the newest one with these columns if absent.",
    )


class Aggregate(Frame):
    """Arguments of `aggregate`."""

    column: str = Field(default="", max_length=200, description="Column; every numeric one if absent.")
    by: str = Field(default="", max_length=200, description="Column whose values form the groups.")
    how: How = Field(default="mean", description="What is computed.")


class FilterRows(Frame):
    """Arguments of `filter_rows`."""

    column: str = Field(max_length=200, description="Column that decides.")
    operator: Operator = Field(default="==", description="How it is compared.")
    value: str = Field(default="", max_length=1_000, description="What with: a number or a text.")
    upper: str = Field(default="", max_length=200, description="Upper end, for between.")


class ShowRows(Frame):
    """Arguments of `show_rows`."""

    count: int = Field(default=10, ge=1, le=MAX_ROWS, description="How many rows.")
    which: Which = Field(default="first", description="Which ones; largest and smallest need a column.")
    column: str = Field(default="", max_length=200, description="Column for largest and smallest.")


class SortRows(Frame):
    """Arguments of `sort_rows`."""

    column: str = Field(max_length=200, description="Column to sort by.")
    descending: bool = Field(default=False, description="Whether the largest come first.")


class OneColumn(Frame):
    """Arguments of tools about one column."""

    column: str = Field(max_length=200, description="Column.")


class MissingValues(Frame):
    """Arguments of `missing_values`."""

    column: str = Field(default="", max_length=200, description="Column; all of them if absent.")


class Correlate(Frame):
    """Arguments of `correlate`."""

    x: str = Field(default="", max_length=200, description="One column; all numeric ones if absent.")
    y: str = Field(default="", max_length=200, description="The other.")


def register(
    registry: Registry,
    *,
    runner: CodeRunner,
    context: Callable[[], Context],
    propose_cell: Callable[[str], Any] | None = None,
) -> None:
    """Register the tools that question tables. Arguments like those of `data.register`."""

    async def answer(task: TaskHandle, code: str, title: str, *, scalar: str = "") -> Result:
        if propose_cell is not None:
            propose_cell(code)
        result = await run(task, runner, code)
        value = _NUMPY.sub(r"\1", result.text.strip())
        one_line = scalar and value and "\n" not in value and len(value) <= 60
        return result.model_copy(update={"summary": scalar.format(_short(value)) if one_line else title})

    def table_of(frame: str, *columns: str) -> tuple[Variable, list[str]]:
        return find_table(frame, [column for column in columns if column], context().variables)

    def target(args: Frame) -> str:
        return args.frame or _("the newest table")

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def aggregate(task: TaskHandle, args: Aggregate) -> Result:
        """Compute the mean, sum, median, ... of a column, by group if wanted."""
        table, columns = table_of(args.frame, args.column, args.by)
        column = columns[0] if args.column else ""
        by = columns[-1] if args.by else ""
        what = _(HOW_SAID[args.how]).format(column=label(column)).strip()
        title = capital(_("{what} by {column}").format(what=what, column=label(by)) if by else what)
        return await answer(task, aggregating(table, column, by, args.how), f"{title}.", scalar=_is(what))

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def filter_rows(task: TaskHandle, args: FilterRows) -> Result:
        """Show the rows whose column compares to a value."""
        table, (column,) = table_of(args.frame, args.column)
        code = filtering(table, column, args.operator, args.value, args.upper)
        upper = _("and {others}").format(others=args.upper) if args.upper else ""
        said = " ".join(filter(None, [_(OPERATOR_SAID[args.operator]), args.value, upper]))
        return await answer(
            task,
            code,
            _("Rows of {table} where {column} is {said}.").format(
                table=table.name, column=label(column), said=said
            ),
        )

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def show_rows(task: TaskHandle, args: ShowRows) -> Result:
        """Show the first, last, largest, smallest or some random rows."""
        if args.which in ("largest", "smallest") and not args.column:
            raise ToolError(
                _("The {which} rows by which column?").format(which=args.which),
                hint=_("Say: top ten rows by price."),
            )
        table, columns = table_of(args.frame, args.column)
        code = showing(table, args.count, args.which, columns[0] if columns else "")
        order = " " + _("by {column}").format(column=label(columns[0])) if columns else ""
        shown = _(SHOWN[args.which]).format(count=args.count, table=table.name, order=order)
        return await answer(task, code, shown)

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def sort_rows(task: TaskHandle, args: SortRows) -> Result:
        """Show the rows in the order of a column; the table itself stays as it is."""
        table, (column,) = table_of(args.frame, args.column)
        order = ", ascending=False" if args.descending else ""
        code = _with_pandas(table, f"{_expression(table)}.sort_values({quoted(column)}{order})")
        title = _("{table} by {column}, largest first.") if args.descending else _("{table} by {column}.")
        return await answer(task, code, title.format(table=table.name, column=label(column)))

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def count_values(task: TaskHandle, args: OneColumn) -> Result:
        """Count the rows for each value of a column."""
        table, (column,) = table_of(args.frame, args.column)
        code = _with_pandas(table, f"{_expression(table)}[{quoted(column)}].value_counts()")
        return await answer(task, code, _("Number of rows by {column}.").format(column=label(column)))

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def unique_values(task: TaskHandle, args: OneColumn) -> Result:
        """List the different values of a column."""
        table, (column,) = table_of(args.frame, args.column)
        code = _with_pandas(table, f"{_expression(table)}[{quoted(column)}].unique()")
        return await answer(task, code, _("The different values of {column}.").format(column=label(column)))

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def missing_values(task: TaskHandle, args: MissingValues) -> Result:
        """Count the missing values, of a column or of each one."""
        # "missing values in df" names a table where others name a column.
        tables = {variable.name for variable in context().variables if is_table(variable)}
        frame = args.frame or (suggestion.match(args.column, tables) or "" if args.column else "")
        table, columns = table_of(frame, "" if frame and not args.frame else args.column)
        part = f"[{quoted(columns[0])}]" if columns else ""
        code = _with_pandas(table, f"{_expression(table)}{part}.isna().sum()")
        of = label(columns[0]) if columns else table.name
        return await answer(
            task,
            code,
            _("Missing values of {column}.").format(column=of),
            scalar=_("{column} misses {{}} values.").format(column=capital(of)),
        )

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def count_rows(task: TaskHandle, args: Frame) -> Result:
        """Count the rows of a table."""
        table, _columns = table_of(args.frame)
        code = f"{table.name}.num_rows" if table.library == "pyarrow" else f"len({table.name})"
        return await answer(
            task,
            code,
            _("Rows of {table}.").format(table=table.name),
            scalar=_("{table} has {{}} rows.").format(table=table.name),
        )

    @registry.tool(area="data", effects=EXECUTE, target=target, untrusted=True)
    async def correlate(task: TaskHandle, args: Correlate) -> Result:
        """Compute how two columns, or all numeric ones, correlate."""
        if bool(args.x) != bool(args.y):
            raise ToolError(
                _("A correlation needs two columns."), hint=_("Say: correlation of price and sales.")
            )
        table, columns = table_of(args.frame, args.x, args.y)
        data = _expression(table)
        if not columns:
            return await answer(
                task,
                _with_pandas(table, f"{data}.corr(numeric_only=True)"),
                _("Correlations of {table}.").format(table=table.name),
            )
        x, y = columns
        code = f"{data}[[{quoted(x)}, {quoted(y)}]].corr().iloc[0, 1]"
        what = _("correlation of {x} and {y}").format(x=label(x), y=label(y))
        return await answer(task, _with_pandas(table, code), f"{capital(what)}.", scalar=_is(what))


def _is(what: str) -> str:
    return _("The {what} is {{}}.").format(what=what)


# ---- names ------------------------------------------------------------------------------------------


def find_table(frame: str, columns: list[str], variables: tuple[Variable, ...]) -> tuple[Variable, list[str]]:
    """Return the table that is meant, the newest that has the columns, and the columns as they are named.

    Raises:
        ToolError: there is none; names what is near.
    """
    if frame.strip():
        tables = [find_frame(frame, variables)]
    else:
        tables = [variable for variable in reversed(variables) if is_table(variable)]
    if not tables:
        raise ToolError(
            _("There is no table in the notebook yet."), hint=_("Load one first, for example into df.")
        )
    for table in tables:
        # Of a table of a package that is not known, e.g. geopandas, the columns are not known either.
        known = table.columns if table.shape is not None else tuple(columns)
        found = [suggestion.match(column, known) for column in columns]
        named = [column for column in found if column is not None]
        if len(named) == len(columns):
            return table, named
    newest = tables[0]
    missing = next((c for c in columns if suggestion.match(c, newest.columns) is None), columns[0])
    otherwise = _("{table} has: {columns}.").format(table=newest.name, columns=", ".join(newest.columns[:8]))
    raise ToolError(
        _("There is no column {missing} in {where}.").format(missing=missing, where=newest.name),
        hint=suggestion.hint(missing, newest.columns, otherwise),
    )


# ---- code -------------------------------------------------------------------------------------------


def aggregating(table: Variable, column: str, by: str, how: How) -> str:
    """Return code that computes something of a column, or of every numeric one, by group or over all."""
    data = _expression(table)
    if how == "count" and not column:
        code = f"{data}.groupby({quoted(by)}).size()" if by else f"len({table.name})"
    else:
        numeric = "numeric_only=True" if not column and how not in ("count", "nunique") else ""
        data += f".groupby({quoted(by)})" if by else ""
        data += f"[{quoted(column)}]" if column else ""
        code = f"{data}.{how}({numeric})"
    return _with_pandas(table, code)


def filtering(table: Variable, column: str, operator: Operator, value: str, upper: str = "") -> str:
    """Return code that shows the rows whose column compares to a value.

    Texts are compared without regard to case: who speaks cannot say capitals.

    Raises:
        ToolError: the comparison needs a value, or a second one.
    """
    if operator not in ("missing", "present") and not value:
        raise ToolError(_("Compared to what?"), hint=_("Say: rows where price is over one hundred."))
    if operator == "between" and not upper:
        raise ToolError(
            _("Between that and what?"), hint=_("Say: rows where price is between ten and twenty.")
        )
    rows = table.name if table.library in ("", "pandas") else "rows"
    data = f"{rows}[{quoted(column)}]"
    text = quoted(value.casefold())
    if operator == "missing":
        test = f"{data}.isna()"
    elif operator == "present":
        test = f"{data}.notna()"
    elif operator == "between":
        test = f"{data}.between({literal(value)}, {literal(upper)})"
    elif operator == "contains":
        test = f"{data}.str.contains({quoted(value)}, case=False, regex=False, na=False)"
    elif operator == "starts":
        test = f"{data}.str.casefold().str.startswith({text}, na=False)"
    elif operator in ("==", "!=") and literal(value)[:1] in "\"'":
        test = f"{data}.str.casefold() {operator} {text}"
    else:
        test = f"{data} {operator} {literal(value)}"
    if rows == table.name:
        return f"{rows}[{test}]"
    return _with_pandas(table, f"{_expression(table)}[lambda rows: {test}]")


def showing(table: Variable, count: int, which: Which, column: str = "") -> str:
    """Return code that shows some rows."""
    if which in ("largest", "smallest"):
        return _with_pandas(table, f"{_expression(table)}.n{which}({count}, {quoted(column)})")
    if table.library == "pyarrow":
        start = f"max({table.name}.num_rows - {count}, 0)" if which == "last" else "0"
        if which != "random":
            return f"{table.name}.slice({start}, {count})"
        return _with_pandas(table, f"{_expression(table)}.sample({count})")
    size = f"min({count}, len({table.name}))" if which == "random" else str(count)
    method = {"first": "head", "last": "tail", "random": "sample"}[which]
    return f"{table.name}.{method}({size})"


def literal(value: str) -> str:
    """Return a value as Python: a number, True, False, or a quoted text."""
    said = value.strip()
    number = said.replace(",", "")
    if _NUMBER.fullmatch(number):
        return repr(float(number)) if re.search(r"[.e]", number, re.IGNORECASE) else str(int(number))
    if said.lower() in ("true", "false"):
        return said.capitalize()
    return quoted(said)


def _expression(table: Variable) -> str:
    """Return code for the table as one of pandas."""
    if table.library == "polars":
        return f"pd.DataFrame({table.name}.to_dict(as_series=False))"
    if table.library == "pyarrow":
        return f"pd.DataFrame({table.name}.to_pydict())"
    return table.name


def _with_pandas(table: Variable, code: str) -> str:
    return f"import pandas as pd\n\n{code}" if "pd." in code and table.library not in ("", "pandas") else code


def _short(value: str) -> str:
    """Return a number as one says it: four digits after the point at most."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:,.4f}".rstrip("0").rstrip(".") if "." in value else f"{number:,.0f}"
