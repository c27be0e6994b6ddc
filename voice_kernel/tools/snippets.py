"""The code behind a result as a cell of its own, to be edited and run like any other.

Where a cell asks (`%voice average sales by region`) the code is put below that cell without being asked for.
In the panel nothing is put into the notebook unless a person says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.messages import InsertCells, Result, Task
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.desk import Desk, told


class Nothing(Arguments):
    """No arguments."""


def register(registry: Registry, *, desk: Desk, tasks: Callable[[], Iterable[Task]]) -> None:
    """Register the tool that keeps code.

    Args:
        registry: where; knows which tools are about data.
        desk: reaches the cells.
        tasks: the session's tasks, oldest first.
    """

    @registry.tool(area="notebook", effects=frozenset({"write"}), for_models=False)
    async def keep_code(task: TaskHandle, args: Nothing) -> Result:
        """Put the code behind the last result into a new cell below the current one."""
        code = next((code for one in reversed(list(tasks())) if (code := _code_of(one, registry))), "")
        if not code:
            raise ToolError(
                _("No result has code to keep."), hint=_('Say "average sales by region", for example.')
            )
        view = await desk.outline(task)
        index = desk.anchor(view, task) + 1
        reply = await desk.ask(InsertCells(index=index, kinds=["code"], sources=[code]), task)
        desk.selected()
        after = view.model_copy(update={"cells": [*view.cells[:index], *reply.cells, *view.cells[index:]]})
        return told(
            _("The code is in {cells}.").format(cells=addresses.named(reply.cells, after)),
            reply.cells,
            after,
            code=code,
        )


def _code_of(task: Task, registry: Registry) -> str:
    """Return the code that a task ran, where it was about data; what is done to cells is in them already."""
    spec = registry.specs.get(task.tool)
    return task.result.code if task.result is not None and spec is not None and spec.area == "data" else ""
