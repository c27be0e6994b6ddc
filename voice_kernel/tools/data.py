"""Variables, code and plots in the user's own namespace.

Every tool here shows the code it runs: what a data scientist would have typed, so that it can be kept.
Which names exist comes from the context; nothing of the user's is touched but by that code. The code
itself for plots is charts' part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Protocol

from pydantic import Field

from voice_kernel.context import Context, Variable
from voice_kernel.errors import ToolError
from voice_kernel.kernel import CodeResult
from voice_kernel.language import ENGLISH, _, ngettext_, number, used
from voice_kernel.messages import Output, Problem, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools import charts, suggestion
from voice_kernel.tools.sourcecode import effects_of_source
from voice_kernel.tools.terminal import clip, plain

MAX_LISTED = 200
MAX_MODEL_CHARS = 8_000
HEAD_ROWS = 10
UNLISTED = {
    "module": "module",
    "function": "function",
    "builtin_function_or_method": "function",
    "type": "class",
}
"""Types that are only counted: they are tools of the user, not data."""


class RunCode(Arguments):
    """Arguments of `run_code`."""

    code: str = Field(min_length=1, max_length=100_000, description="Python code, as in a notebook cell.")


class ListVariables(Arguments):
    """Arguments of `list_variables`."""


class ShowVariable(Arguments):
    """Arguments of `show_variable`."""

    name: str = Field(min_length=1, max_length=200, description="Name of a variable, e.g. df or df.price.")


class DescribeData(Arguments):
    """Arguments of `describe_data`."""

    frame: str = Field(default="", max_length=200, description="Name of a table; the newest one if absent.")


class Plot(Arguments):
    """Arguments of `plot`."""

    x: str = Field(default="", max_length=200, description="Column along the x axis.")
    y: str = Field(default="", max_length=200, description="Column up the y axis.")
    kind: Literal["", "line", "bar", "scatter", "hist", "box", "pie", "area"] = Field(
        default="", description="Kind of chart; line if absent."
    )
    frame: str = Field(
        default="",
        max_length=200,
        description="Name of the table; the newest one with these columns if absent.",
    )


VALUES: Effects = frozenset({"read", "values"})


class CodeRunner(Protocol):
    """Where code runs: `voice_kernel.kernel.Kernel`."""

    async def run(
        self, code: str, *, show: bool | str = True, on_output: Callable[[Output], None] | None = None
    ) -> CodeResult:
        """Run code on the main thread, in the user's namespace."""
        ...


def register(
    registry: Registry,
    *,
    runner: CodeRunner,
    context: Callable[[], Context],
    propose_cell: Callable[[str], Any] | None = None,
) -> None:
    """Register the data tools.

    Args:
        registry: where.
        runner: runs code.
        context: what exists now.
        propose_cell: puts the code of a plot into a new cell, where there is a way to.
    """

    def effects_of(args: RunCode) -> Effects:
        return effects_of_source(args.code)

    @registry.tool(area="data", effects=effects_of, target=lambda args: args.code, untrusted=True)
    async def run_code(task: TaskHandle, args: RunCode) -> Result:
        """Run Python code in the notebook's kernel."""
        return await run(task, runner, args.code)

    @registry.tool(area="data", effects=frozenset({"read"}), untrusted=True)
    async def list_variables(task: TaskHandle, args: ListVariables) -> Result:
        """List the variables with their types and shapes."""
        variables = context().variables
        if task.origin == "model":  # names, types and shapes; values are asked for one by one
            variables = tuple(replace(variable, preview="") for variable in variables)
        return variables_listed(variables)

    @registry.tool(area="data", effects=VALUES, target=lambda args: args.name, untrusted=True)
    async def show_variable(task: TaskHandle, args: ShowVariable) -> Result:
        """Show what a variable holds; of a table its first rows and its size."""
        variable, rest = find_variable(args.name, context().variables)
        code = variable.name + rest
        if not rest and (is_table(variable) or variable.type_name == "Series"):
            code += f".slice(0, {HEAD_ROWS})" if variable.library == "pyarrow" else f".head({HEAD_ROWS})"
        result = await run(task, runner, code)
        about = described(variable)
        return result.model_copy(
            update={
                "summary": about if not rest else _("{name} is shown.").format(name=f"{variable.name}{rest}")
            }
        )

    @registry.tool(
        area="data",
        effects=VALUES,
        target=lambda args: args.frame or _("the newest table"),
        untrusted=True,
    )
    async def describe_data(task: TaskHandle, args: DescribeData) -> Result:
        """Describe a table: statistics of every column."""
        frame = find_frame(args.frame, context().variables)
        result = await run(task, runner, charts.describing(frame))
        return result.model_copy(update={"summary": described(frame)})

    @registry.tool(
        area="data",
        effects=frozenset({"execute"}),
        target=lambda args: args.y or args.x or args.frame,
        untrusted=True,
    )
    async def plot(task: TaskHandle, args: Plot) -> Result:
        """Draw a chart of one or two columns, and show the code that draws it."""
        chart = choose_chart(args, context().variables)
        code = charts.drawing(chart)
        if propose_cell is not None:
            propose_cell(code)
        result = await run(task, runner, code)
        return result.model_copy(update={"summary": charts.title_of(chart)})


async def run(task: TaskHandle, runner: CodeRunner, code: str) -> Result:
    """Run code and return what it put out.

    Raises:
        ToolFailed: the code raised; the result is kept.
    """

    def show(output: Output) -> None:
        if output.text:
            task.output(output.text if output.text.endswith("\n") else output.text + "\n")

    done = await runner.run(code, on_output=show)
    result = Result(
        summary=_summary(done),
        text=clip("\n".join(filter(None, (text_of(output) for output in done.outputs)))),
        code=code,
        outputs=list(done.outputs),
        data={"success": done.success, "output": plain(_joined(done.outputs))[-MAX_MODEL_CHARS:]},
    )
    if done.success:
        return result
    error = done.error or Problem(kind="Error", message=_("The code did not run to its end."))
    data = {**result.data, "error": f"{error.kind}: {error.message}", "line": done.line}
    raise ToolFailed(error, result.model_copy(update={"data": data}))


def text_of(output: Output) -> str:
    """Return an output as plain text; of a picture nothing."""
    return output.text.rstrip("\n") or output.data.get("text/plain", "")


# ---- names ------------------------------------------------------------------------------------------


def find_variable(name: str, variables: tuple[Variable, ...]) -> tuple[Variable, str]:
    """Return the variable that is meant, and what was asked of it (`.price`), if anything.

    Raises:
        ToolError: there is none; names what is near.
    """
    by_name = {variable.name: variable for variable in variables}
    found = suggestion.match(name.strip(), by_name)
    if found is not None:
        return by_name[found], ""
    base, dot, rest = name.strip().partition(".")
    if dot and base in by_name and all(part.isidentifier() for part in rest.split(".")):
        return by_name[base], dot + rest
    column = [v for v in variables if suggestion.match(name, v.columns)]
    if column:
        hint = _("{name} is a column of {table}; say {table} dot {name}.").format(
            name=name, table=column[-1].name
        )
    else:
        hint = suggestion.hint(name, by_name, _("There are no variables yet.") if not by_name else "")
    raise ToolError(_("There is no variable named {name}.").format(name=name), hint=hint)


def find_frame(name: str, variables: tuple[Variable, ...]) -> Variable:
    """Return the table that is meant, the newest when no name is given.

    Raises:
        ToolError: there is none, or the variable is no table.
    """
    if name.strip():
        variable, rest = find_variable(name, variables)
        if not is_table(variable) or rest:
            kind = _with_article(variable.type_name) if used() == ENGLISH else variable.type_name
            raise ToolError(_("{name} is no table but {kind}.").format(name=name, kind=kind))
        return variable
    tables = [variable for variable in variables if is_table(variable)]
    if not tables:
        raise ToolError(
            _("There is no table in the notebook yet."), hint=_("Load one first, for example into df.")
        )
    return tables[-1]


def is_table(variable: Variable) -> bool:
    """Return whether a variable is a table of columns."""
    arrow = variable.type_name == "Table" and variable.library == "pyarrow"
    return arrow or variable.type_name.endswith("DataFrame")


def choose_chart(args: Plot, variables: tuple[Variable, ...]) -> charts.Chart:
    """Return which table and columns a chart is made of.

    Raises:
        ToolError: there is no table, or it has no such column; names what is near.
    """
    x, y, frame = args.x.strip(), args.y.strip(), args.frame.strip()
    names = {variable.name: variable for variable in variables}
    every = [variable for variable in reversed(variables) if is_table(variable)]
    tables = [find_frame(frame, variables)] if frame else [v for v in every if v.shape is not None] or every
    for table in tables:
        # Of a table of a package that is not known, e.g. geopandas, the columns are not known either.
        known = table.columns if table.shape is not None else (x, y)
        columns = {name: suggestion.match(name, known) for name in (x, y) if name}
        if all(columns.values()):
            found_x, found_y = columns.get(x), columns.get(y)
            if args.kind == "hist" and found_y is None:
                found_x, found_y = None, found_x
            return charts.Chart(table.name, table.library, args.kind or "line", found_x, found_y)
    if not frame:
        # No column: perhaps a variable of its own, a list or a series, or the name of a table.
        alone = suggestion.match(y or x, names) if not (x and y) else None
        if alone and is_table(names[alone]):
            return charts.Chart(alone, names[alone].library, args.kind or "line")
        both = [suggestion.match(name, names) for name in (x, y) if name]
        if both and all(name and names[name].shape and not is_table(names[name]) for name in both):
            of_x = both[0] if x and y else None
            return charts.Chart("", "", args.kind or "line", of_x, both[-1])
    if not tables:
        raise ToolError(
            _("There is no table to plot from yet."), hint=_("Load one first, for example into df.")
        )
    raise _no_column(x, y, tables)


def _no_column(x: str, y: str, tables: list[Variable]) -> ToolError:
    missing = [name for name in (y, x) if name and not any(suggestion.match(name, t.columns) for t in tables)]
    if not missing:
        return ToolError(
            _("No single table has both {x} and {y}.").format(x=x, y=y), hint=_("Merge them first.")
        )
    columns = [column for table in tables for column in table.columns]
    where = tables[0].name if len(tables) == 1 else _("any table")
    otherwise = _("{table} has: {columns}.").format(
        table=tables[0].name, columns=", ".join(tables[0].columns[:8])
    )
    return ToolError(
        _("There is no column {missing} in {where}.").format(missing=missing[0], where=where),
        hint=suggestion.hint(missing[0], columns, otherwise),
    )


# ---- what a person reads ----------------------------------------------------------------------------


def variables_listed(variables: tuple[Variable, ...]) -> Result:
    """Return the variables as a table of text, the newest first."""
    listed = [variable for variable in reversed(variables) if variable.type_name not in UNLISTED]
    others: dict[str, int] = {}
    for variable in variables:
        if variable.type_name in UNLISTED:
            noun = UNLISTED[variable.type_name]
            others[noun] = others.get(noun, 0) + 1
    shown = listed[:MAX_LISTED]
    rows = [(v.name, v.type_name, size_of(v), v.preview or ", ".join(v.columns[:12])) for v in shown]
    also = ", ".join(_count(how_many, noun) for noun, how_many in sorted(others.items()))
    if len(listed) > len(shown):
        also = _("{count} more").format(count=len(listed) - len(shown)) + (f", {also}" if also else "")
    text = _aligned([(_("name"), _("type"), _("size"), _("content")), *rows]) if rows else ""
    if also:
        text += ("\n" if text else "") + _("and {others}").format(others=also)
    return Result(
        summary=_count(len(listed), "variable") if listed else _("There are no variables yet."),
        text=clip(text),
        data={
            "variables": [
                {"name": v.name, "type": v.type_name, "size": size_of(v), "columns": list(v.columns[:20])}
                for v in shown
            ]
        },
    )


def described(variable: Variable) -> str:
    """Return one line about a variable: `df: DataFrame, 1,000 rows, 5 columns`."""
    size = size_of(variable)
    return f"{variable.name}: {variable.type_name}" + (f", {size}" if size else "")


def size_of(variable: Variable) -> str:
    """Return how large a variable is, in words; empty where that has no meaning."""
    shape = variable.shape
    if shape is None:
        return ""
    if is_table(variable) and len(shape) == 2:
        return f"{_count(shape[0], 'row')}, {_count(shape[1], 'column')}"
    if len(shape) == 1:
        return _count(shape[0], "character" if variable.type_name == "str" else "item")
    return " × ".join(f"{length:,}" for length in shape)


def _summary(done: CodeResult) -> str:
    if not done.success:
        if done.error is None:
            return _("The code did not run to its end.")
        return _("The code raised {kind}.").format(kind=done.error.kind)
    last = next((output for output in reversed(done.outputs) if output.kind == "result"), None)
    text = last.data.get("text/plain", "") if last else ""
    if text and "\n" not in text and len(text) <= 120 and not text.startswith("<"):
        return _("The result is {value}").format(value=text)
    pictures = sum(any(mime.startswith("image/") for mime in output.data) for output in done.outputs)
    if not pictures:
        return _("Done.")
    return ngettext_("Done, with {count} picture.", "Done, with {count} pictures.", pictures).format(
        count=number(pictures)
    )


def _joined(outputs: tuple[Output, ...]) -> str:
    return "\n".join(filter(None, map(text_of, outputs)))


def _aligned(rows: list[tuple[str, str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )
    return "\n".join(lines)


def _count(how_many: int, noun: str) -> str:
    counted = {
        "character": ngettext_("{count} character", "{count} characters", how_many),
        "class": ngettext_("{count} class", "{count} classes", how_many),
        "column": ngettext_("{count} column", "{count} columns", how_many),
        "function": ngettext_("{count} function", "{count} functions", how_many),
        "item": ngettext_("{count} item", "{count} items", how_many),
        "module": ngettext_("{count} module", "{count} modules", how_many),
        "row": ngettext_("{count} row", "{count} rows", how_many),
        "variable": ngettext_("{count} variable", "{count} variables", how_many),
    }
    return counted[noun].format(count=number(how_many))


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
