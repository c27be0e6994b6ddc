"""How one call of a user's function runs, and what comes of it.

A plain function runs in a thread of its own, an `async def` on the loop, and either on the kernel's main
thread or in a process of its own where the tool says so. Whatever it raises is a result with a traceback,
not an exception of ours. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Protocol

from voice_kernel.errors import KernelError, VoiceKernelError
from voice_kernel.kernel import CodeResult
from voice_kernel.language import _, decimal
from voice_kernel.messages import Output, Problem, Result
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.progress import ProgressReader
from voice_kernel.task.runner import CANCELLED, TaskFailed, TaskHandle
from voice_kernel.toolbox.clientcalls import ClientCalls
from voice_kernel.toolbox.registry import Arguments
from voice_kernel.usertools.definition import UserTool
from voice_kernel.usertools.elsewhere import call_elsewhere
from voice_kernel.usertools.mainthread import MainThreadCall
from voice_kernel.usertools.outcome import (
    DONE,
    MAX_SUMMARY_CHARS,
    client_tool,
    done_by_page,
    needs_showing,
    shown,
    told,
)
from voice_kernel.usertools.printing import routed, written_to
from voice_kernel.usertools.relay import Relay
from voice_kernel.usertools.toolcontext import ToolContext
from voice_kernel.usertools.tracebacks import plain
from voice_kernel.usertools.worker import Worker
from voice_kernel.widgets.document import is_widget
from voice_kernel.widgets.frozen import widget_text

MAX_TEXT_CHARS = 8_000
"""Of the text of a result that is read instead of its widgets."""
MAX_THREADS = 32
"""Functions that run in threads at once; more wait."""
COOPERATIVE_S = 1.0
"""How long a cancelled function that has a context may take to notice it by itself."""
REACHED_S = 2.0
"""How long it may then take to be reached in its thread, and to tidy up; then it is left to itself."""
STEP_LIMIT_S = 1.0
"""A coroutine that runs longer than this without an `await` is told that it blocks."""
SHOW_LIMIT_S = 20.0
"""How long a value waits for the main thread to show it: a cell may keep that for hours."""


class CodeDoor(Protocol):
    """Where code runs on the main thread: `voice_kernel.kernel.Kernel`."""

    async def run(
        self, code: str, *, show: bool | str = True, on_output: Callable[[Output], None] | None = None
    ) -> CodeResult:
        """Run code on the main thread, in the user's namespace."""
        ...


class Caller:
    """Calls the user's functions for one session.

    Args:
        door: the main thread.
        executor: runs functions that have a process of their own.
        clients: has pages do what a function asks of them.
    """

    def __init__(
        self, door: CodeDoor, executor: Executor = LOCAL, clients: ClientCalls | None = None
    ) -> None:
        self._clients = clients or ClientCalls()
        self._door = door
        self._executor = executor
        self._threads = asyncio.Semaphore(MAX_THREADS)

    async def call(self, tool: UserTool, task: TaskHandle, arguments: Arguments) -> Result:
        """Run one call to its end.

        Raises:
            TaskFailed: the function raised; the traceback is in the result.
        """
        relay = Relay(task, partial(self._clients.ask, task))
        task.progress_from(relay.unless_told(ProgressReader().read))  # of tqdm and the like
        call = _Call(tool, task, arguments, ToolContext(relay, tool.name), relay)
        try:
            result = await self._called(call)
            if (asked := client_tool(result)) is not None and self._clients.able(task.turn_id):
                result = done_by_page(asked[0], await self._clients.ask(task, *asked))
            return with_widgets(result, relay)
        except VoiceKernelError as error:
            if not relay.widgets:
                raise
            raise TaskFailed(_problem(error), with_widgets(Result(), relay)) from error
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises is a result
            failed = _failed(error)
            if relay.widgets:
                failed.result = with_widgets(failed.result or Result(), relay)
            raise failed from None
        finally:
            relay.close()

    async def _called(self, call: _Call) -> Result:
        if call.tool.thread == "main":
            return await self._on_main_thread(call)
        if call.tool.thread == "process":
            value = await call_elsewhere(self._executor, call.tool, call.task, call.arguments, call.relay)
        else:
            value = await (self._on_loop(call) if call.tool.awaits else self._in_thread(call))
        return await self._result(call, value)

    async def _in_thread(self, call: _Call) -> Any:
        async with self._threads:
            with contextlib.ExitStack() as around:
                around.enter_context(routed())
                with written_to(call.relay.write):
                    worker = Worker(call, f"voice-kernel-{call.tool.name}")
                try:
                    await worker.ended()
                except asyncio.CancelledError:
                    if not await self._end(worker, call):
                        worker.leave(around.pop_all().close)
                    raise
                return worker.result()

    async def _end(self, worker: Worker, call: _Call) -> bool:
        """End a cancelled function; returns whether it could be."""
        call.context.cancel()
        if call.tool.signature.context and await worker.ended(COOPERATIVE_S):
            return True
        worker.stop()
        if await worker.ended(REACHED_S):
            return True
        worker.stop()  # once more: the first may have met an `except` that takes everything
        ending, problem = call.task.stopping or ("cancelled", CANCELLED)
        message = _("{message}, but it could not be stopped: it still runs in its thread.").format(
            message=problem.message.rstrip(".")
        )
        hint = _("Nothing waits for it any more. Restarting the kernel ends it for certain.")
        call.task.stopping = (ending, problem.model_copy(update={"message": message, "hint": hint}))
        return False

    async def _on_loop(self, call: _Call) -> Any:
        with routed():
            with written_to(call.relay.write):
                steps = _Steps(_guarded(call))
                work = asyncio.create_task(steps)
            try:
                await asyncio.wait({work})
            except asyncio.CancelledError:
                call.context.cancel()
                work.cancel()
                await asyncio.wait({work})  # one that is deaf to it is given up by whoever runs the task
                raise
        if steps.longest_s > STEP_LIMIT_S:
            call.task.output(
                "["
                + _(
                    "{tool} kept the assistant from doing anything else for {seconds} s. "
                    "Let it await, or make it a plain def, which has a thread of its own."
                ).format(tool=call.tool.name, seconds=decimal(steps.longest_s, 1))
                + "]\n"
            )
        return work.result()

    async def _on_main_thread(self, call: _Call) -> Result:
        def show(output: Output) -> None:
            if output.text:
                call.task.output(output.text if output.text.endswith("\n") else output.text + "\n")

        with MainThreadCall(call, needs_showing, call.tool.awaits) as made:
            running = asyncio.ensure_future(self._door.run(made.code, on_output=show))
            try:
                await asyncio.wait({running})
            except asyncio.CancelledError:
                call.context.cancel()
                running.cancel()
                await asyncio.wait({running})
                raise
            done = running.result()
        if not done.success:
            problem = _problem(made.error) if made.error is not None else done.error
            problem = problem or Problem(kind="Error", message=_("It did not run to its end."))
            raise TaskFailed(problem, Result(code=call.code, outputs=list(done.outputs)))
        if is_widget(made.value):
            call.relay.show_widget(made.value)
            result = Result(summary=DONE, outputs=list(done.outputs))
        elif needs_showing(made.value):
            result = shown(made.value, done.outputs)
        else:
            result = told(made.value).model_copy(update={"outputs": list(done.outputs)})
        return result.model_copy(update={"code": call.code})

    async def _result(self, call: _Call, value: Any) -> Result:
        if is_widget(value):
            call.relay.show_widget(value)
            return Result(summary=DONE)
        if not needs_showing(value):
            return told(value)
        outputs: tuple[Output, ...] = ()
        with contextlib.suppress(KernelError, TimeoutError):  # then it is only described
            async with asyncio.timeout(SHOW_LIMIT_S):
                with MainThreadCall(lambda: value, lambda _value: True) as made:
                    outputs = (await self._door.run(made.code)).outputs
        return shown(value, outputs)


def with_widgets(result: Result, relay: Relay) -> Result:
    """Return a result with the widgets that its call has shown."""
    widgets = relay.widgets
    if not widgets:
        return result
    changes: dict[str, Any] = {"widgets": widgets}
    said = next((one for one in widgets if one.copy_text.strip()), None)
    if result.summary in ("", DONE) and said is not None:
        changes["summary"] = said.copy_text.strip().partition("\n")[0][:MAX_SUMMARY_CHARS]
    if not result.text:  # what models and programs read of it
        changes["text"] = "\n".join(widget_text(one.root, one.copy_text) for one in widgets)[:MAX_TEXT_CHARS]
    return result.model_copy(update=changes)


class _Call:
    """One call with its arguments, ready to be made on any thread."""

    def __init__(
        self, tool: UserTool, task: TaskHandle, arguments: Arguments, context: ToolContext, relay: Relay
    ) -> None:
        self.tool = tool
        self.task = task
        self.arguments = arguments
        self.context = context
        self.relay = relay

    def __call__(self) -> Any:
        return self.tool.signature.call(self.tool.function, self.arguments, self.context)

    @property
    def code(self) -> str:
        """The call as one would type it."""
        given = self.arguments.model_dump(exclude_unset=True).items()
        return f"{self.tool.function.__name__}({', '.join(f'{name}={value!r}' for name, value in given)})"


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine, watched for how long it keeps the loop from everything else."""

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner
        self.longest_s = 0.0

    def send(self, value: Any) -> Any:
        """Go on to the next `await`."""
        began = time.monotonic()
        try:
            return self._inner.send(value)
        finally:
            self.longest_s = max(self.longest_s, time.monotonic() - began)

    def throw(self, *error: Any) -> Any:
        """Go on with an exception."""
        return self._inner.throw(*error)

    def close(self) -> None:
        """End it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


async def _guarded(call: _Call) -> Any:
    try:
        return await call()
    except (SystemExit, KeyboardInterrupt) as error:  # else it would end the loop, and every other task
        name = type(error).__name__
        raise TaskFailed(
            Problem(kind=name, message=_("It ended itself with {name}.").format(name=name))
        ) from None


def _failed(error: Exception) -> TaskFailed:
    if isinstance(error, TaskFailed):
        return error
    return TaskFailed(_problem(error), Result(outputs=[Output(kind="error", text=plain(error))]))


def _problem(error: BaseException) -> Problem:
    if isinstance(error, VoiceKernelError):
        return Problem(kind=type(error).__name__, message=error.message, hint=error.hint)
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's making may fail to say what it is
        message = ""
    kind = type(error).__name__
    return Problem(kind=kind, message=f"{kind}: {message}" if message else kind)
