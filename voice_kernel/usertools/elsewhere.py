"""A user's function in a process of its own, on this machine or wherever the executor runs things.

It can be ended at any moment, also inside a call that does not return. What it is, what it is given and
what it returns travel between processes. The process loads this module too, and so little is imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.task.function import FunctionEnded, FunctionRaised, Reporter, run_function
from voice_kernel.usertools.toolcontext import ToolContext

if TYPE_CHECKING:
    from voice_kernel.messages import Progress
    from voice_kernel.task.executor import Executor
    from voice_kernel.task.runner import TaskHandle
    from voice_kernel.toolbox.registry import Arguments
    from voice_kernel.usertools.definition import UserTool
    from voice_kernel.usertools.relay import Relay


async def call_elsewhere(
    executor: Executor, tool: UserTool, task: TaskHandle, arguments: Arguments, relay: Relay
) -> Any:
    """Call the function where the executor runs things; return what it returns.

    Raises:
        TaskFailed: it raised, or its process ended without a result.
        ExecutorError: it cannot be sent there, or its result not back.
    """
    from voice_kernel.messages import Output, Problem, Result
    from voice_kernel.task.runner import TaskFailed

    def progressed(progress: Progress) -> None:
        relay.progress(progress.fraction, progress.label, progress.done, progress.total, progress.unit)

    signature = tool.signature
    values = [(parameter, getattr(arguments, parameter.name)) for parameter in signature.parameters]
    positional = [value for parameter, value in values if parameter.by_position]
    named = {parameter.name: value for parameter, value in values if not parameter.by_position}
    context = (signature.context, signature.context_by_position)
    try:
        return await run_function(
            executor,
            called,
            [tool.function, tool.name, context, positional, named],
            cwd=Path.cwd(),
            timeout_s=task.time_left_s,
            on_output=task.output,
            on_progress=progressed,
            on_wait=lambda what: task.progress(None, what),
        )
    except FunctionRaised as raised:
        message = f"{raised.kind}: {raised.message}" if raised.message else raised.kind
        outputs = [Output(kind="error", text=raised.traceback)]
        raise TaskFailed(Problem(kind=raised.kind, message=message), Result(outputs=outputs)) from None
    except FunctionEnded as ended:
        raise TaskFailed(Problem(kind="FunctionEnded", message=str(ended))) from None


def called(
    function: Callable[..., Any],
    name: str,
    context: tuple[str, bool],
    positional: list[Any],
    named: dict[str, Any],
) -> Any:
    """Call the function, in its process.

    Args:
        function: the user's function.
        name: the tool's name.
        context: the parameter that takes the `ToolContext`, empty without one; whether by position.
        positional: arguments by position.
        named: arguments by name.
    """
    parameter, by_position = context
    if parameter and by_position:
        positional = [ToolContext(Reporter(), name), *positional]
    elif parameter:
        named = {**named, parameter: ToolContext(Reporter(), name)}
    return function(*positional, **named)
