"""Tracebacks of the user's functions: from where they leave this package, and with cells by their numbers."""

from __future__ import annotations

import re
import sys
import traceback
from types import TracebackType
from typing import Any

_FILE = re.compile(r'^  File "([^"]+)", line (\d+)', re.MULTILINE)


def coloured(error: BaseException) -> list[str]:
    """Return a traceback as IPython shows it. Main thread only: IPython's formatter is not for others."""
    shell = _shell()
    trace = outside(error.__traceback__)
    if shell is None:
        return traceback.format_exception(type(error), error, trace)
    lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, trace)
    return lines


def plain(error: BaseException) -> str:
    """Return a traceback as Python prints it. Any thread."""
    lines = traceback.format_exception(type(error), error, outside(error.__traceback__))
    return _FILE.sub(_place, "".join(lines).rstrip("\n"))


def outside(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from where it leaves this package: the function's own frames."""
    here = __name__.rpartition(".")[0] + "."
    first = trace
    while trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith(here):
        trace = trace.tb_next
    return trace if trace is not None else first


def _place(match: re.Match[str]) -> str:
    # IPython gives every cell a file of its own, whose name tells nobody anything.
    shell = _shell()
    named = shell.compile.format_code_name(match.group(1)) if shell is not None else None
    return f"  {named[0]} {named[1]}, line {match.group(2)}" if named else match.group(0)


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None
