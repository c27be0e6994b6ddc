"""`run_shell`: run a command as a person would in a terminal, and tell how it went.

How a command is run and ended is process's part, what it may do to the world commandline's; this module
makes a result of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import Field

from voice_kernel.language import _, ngettext_
from voice_kernel.messages import Problem, Result
from voice_kernel.task import process
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.process import Exit
from voice_kernel.task.progress import ProgressReader
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.toolbox.timelimit import duration as duration
from voice_kernel.toolbox.timelimit import timed_out
from voice_kernel.tools.commandline import effects_of
from voice_kernel.tools.terminal import Tail, clip, last_line, plain

MAX_TIMEOUT_S = 24 * 60 * 60.0
MAX_MODEL_CHARS = 8_000


class RunShell(Arguments):
    """Arguments of `run_shell`."""

    command: str = Field(min_length=1, max_length=100_000, description="The command, as for bash.")
    timeout: float | None = Field(
        default=None,
        gt=0,
        le=MAX_TIMEOUT_S,
        description="End it after this many seconds; no limit if absent.",
    )


def register(registry: Registry, *, cwd: Callable[[], Path] = Path.cwd, executor: Executor = LOCAL) -> None:
    """Register the shell tool.

    Args:
        registry: where.
        cwd: the folder in which commands run, asked at each call.
        executor: runs them.
    """

    def effects(args: RunShell) -> Effects:
        shell: Effects = frozenset({"shell"})
        return shell | effects_of(args.command, cwd())

    @registry.tool(
        area="shell",
        effects=effects,
        untrusted=True,
        target=lambda args: args.command,
        time_limit=lambda args: args.timeout,
    )
    async def run_shell(task: TaskHandle, args: RunShell) -> Result:
        """Run a shell command in the working folder and show its output as it comes."""
        tail = Tail()
        task.progress_from(ProgressReader().read)

        def take(data: bytes) -> None:
            tail.feed(data)
            task.output(data)

        left_s = task.time_left_s
        exit_ = await executor.run(
            process.shell_argv(args.command),
            cwd=cwd(),
            pty=True,
            on_output=take,
            on_wait=lambda what: task.progress(None, what),
            timeout_s=left_s if left_s is not None else args.timeout or MAX_TIMEOUT_S,
        )
        for note in notes(exit_):
            take(f"[{note}]\n".encode())
        return _result(args, exit_, tail, task.limit_s)


def _result(args: RunShell, exit_: Exit, tail: Tail, limit_s: float | None) -> Result:
    text = tail.text()
    result = Result(
        summary=_("Exit {code} in {duration}").format(code=exit_.code, duration=duration(exit_.duration_s)),
        text=clip(text),
        exit_code=exit_.code,
        data=_data(exit_, text, tail.total_bytes),
    )
    if exit_.code == 0 and not exit_.timed_out:
        return result
    program = program_of(args.command)
    line = re.sub(r"^(/\S+/)?\w*sh: (-c: )?line \d+: ", "", last_line(_without_notes(text)))
    if exit_.timed_out:
        own_s = args.timeout or MAX_TIMEOUT_S
        limit_s = own_s if limit_s is None else limit_s
        problem = timed_out(
            _("{program} was ended").format(program=program), limit_s, "shell" if limit_s < own_s else ""
        )
    elif exit_.problem:
        problem = _failed(exit_.problem)
    elif exit_.signal:
        problem = _failed(_("{program} was ended by {signal}.").format(program=program, signal=exit_.signal))
    elif exit_.code == 127 and line.endswith("command not found"):
        problem = _failed(
            _("There is no command named {name!r} here.").format(
                name=line.removesuffix(": command not found")
            )
        )
    else:
        problem = _failed(
            _("{program} exited with {code}").format(program=program, code=exit_.code)
            + (f": {line}" if line else ".")
        )
    raise ToolFailed(problem, result.model_copy(update={"summary": problem.message}))


def _failed(message: str) -> Problem:
    return Problem(kind="CommandFailed", message=message)


def notes(exit_: Exit) -> Iterable[str]:
    """Return what a person should know of how everything was ended, one sentence each."""
    if exit_.ended and not exit_.timed_out:
        yield ngettext_(
            "A background process was ended with the command.",
            "{count} background processes were ended with the command.",
            exit_.ended,
        ).format(count=exit_.ended)
    if exit_.survivors:
        yield _("{count} of its processes could not be ended: not enough rights, or they hang.").format(
            count=exit_.survivors
        )


def program_of(command: str) -> str:
    """Return the name of the program a command line starts, or "The command" when it is not plain."""
    first = command.split(maxsplit=1)[0] if command.split() else ""
    name = os.path.basename(first)
    single = not re.search(r"[|;&\n(){}<>$`]", command)
    return name if single and re.fullmatch(r"[\w.+-]+", name) else _("The command")


def _data(exit_: Exit, text: str, total_bytes: int) -> dict[str, Any]:
    output = plain(text)
    return {
        "exit_code": exit_.code,
        "signal": exit_.signal,
        "timed_out": exit_.timed_out,
        "duration_s": round(exit_.duration_s, 3),
        "output": output[-MAX_MODEL_CHARS:],
        "output_bytes": total_bytes,
        "output_is_cut": total_bytes > len(text.encode()) or len(output) > MAX_MODEL_CHARS,
    }


def _without_notes(text: str) -> str:
    return re.sub(r"(^|\n)\[[^\n]*\.\]\n$", r"\1", text)
