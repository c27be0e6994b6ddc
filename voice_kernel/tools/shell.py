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

from voice_kernel.messages import Problem, Result
from voice_kernel.task import process
from voice_kernel.task.process import Exit
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolFailed
from voice_kernel.tools.commandline import effects_of
from voice_kernel.tools.terminal import Tail, clip, last_line, plain

MAX_TIMEOUT_S = 24 * 60 * 60.0
MAX_MODEL_CHARS = 8_000
_PERCENT = re.compile(rb"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?%")


class RunShell(Arguments):
    """Arguments of `run_shell`."""

    command: str = Field(min_length=1, max_length=100_000, description="The command, as for bash.")
    timeout: float | None = Field(
        default=None,
        gt=0,
        le=MAX_TIMEOUT_S,
        description="End it after this many seconds; no limit if absent.",
    )


def register(registry: Registry, *, cwd: Callable[[], Path] = Path.cwd) -> None:
    """Register the shell tool.

    Args:
        registry: where.
        cwd: the folder in which commands run, asked at each call.
    """

    def effects(args: RunShell) -> Effects:
        shell: Effects = frozenset({"shell"})
        return shell | effects_of(args.command, cwd())

    @registry.tool(area="shell", effects=effects, target=lambda args: args.command)
    async def run_shell(task: TaskHandle, args: RunShell) -> Result:
        """Run a shell command in the working folder and show its output as it comes."""
        tail = Tail()

        def take(data: bytes) -> None:
            tail.feed(data)
            task.output(data)
            fraction = _fraction(data)
            if fraction is not None:
                task.progress(fraction)

        exit_ = await process.run(
            process.shell_argv(args.command),
            cwd=cwd(),
            pty=True,
            on_output=take,
            timeout_s=args.timeout or MAX_TIMEOUT_S,
        )
        for note in notes(exit_):
            take(f"[{note}]\n".encode())
        return _result(args, exit_, tail)


def _result(args: RunShell, exit_: Exit, tail: Tail) -> Result:
    text = tail.text()
    result = Result(
        summary=f"Exit {exit_.code} in {duration(exit_.duration_s)}",
        text=clip(text),
        exit_code=exit_.code,
        data=_data(exit_, text, tail.total_bytes),
    )
    if exit_.code == 0 and not exit_.timed_out:
        return result
    program = program_of(args.command)
    line = re.sub(r"^(/\S+/)?\w*sh: (-c: )?line \d+: ", "", last_line(_without_notes(text)))
    if exit_.problem:
        message = exit_.problem
    elif exit_.timed_out:
        message = f"{program} was ended after {duration(args.timeout or MAX_TIMEOUT_S)}, its time limit."
    elif exit_.signal:
        message = f"{program} was ended by {exit_.signal}."
    elif exit_.code == 127 and line.endswith("command not found"):
        message = f"There is no command named {line.removesuffix(': command not found')!r} here."
    else:
        message = f"{program} exited with {exit_.code}" + (f": {line}" if line else ".")
    kind = "TimedOut" if exit_.timed_out else "CommandFailed"
    raise ToolFailed(Problem(kind=kind, message=message), result.model_copy(update={"summary": message}))


def notes(exit_: Exit) -> Iterable[str]:
    """Return what a person should know of how everything was ended, one sentence each."""
    if exit_.ended and not exit_.timed_out:
        many = f"{exit_.ended} background processes were" if exit_.ended > 1 else "A background process was"
        yield f"{many} ended with the command."
    if exit_.survivors:
        yield f"{exit_.survivors} of its processes could not be ended: not enough rights, or they hang."


def duration(seconds: float) -> str:
    """Return a length of time for a person: `40 ms`, `1.2 s`, `12 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".replace(" 0 s", "")
    return f"{whole // 3600} h {whole % 3600 // 60} min".replace(" 0 min", "")


def program_of(command: str) -> str:
    """Return the name of the program a command line starts, or "The command" when it is not plain."""
    first = command.split(maxsplit=1)[0] if command.split() else ""
    name = os.path.basename(first)
    single = not re.search(r"[|;&\n(){}<>$`]", command)
    return name if single and re.fullmatch(r"[\w.+-]+", name) else "The command"


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


def _fraction(data: bytes) -> float | None:
    """Return the newest percentage of a line that is being redrawn, as pip and tqdm do it."""
    end = data[-512:]
    if b"%" not in end or b"\r" not in end:
        return None
    found = _PERCENT.findall(end)
    value = float(found[-1]) if found else 101.0
    return value / 100 if value <= 100 else None
