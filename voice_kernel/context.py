"""What exists around the user right now, as one frozen value.

Knows names: variables and their columns, files, tests, servers, cells and tasks. It does not know
how they were found (app wires a `ContextSource`) nor what is done with them (intents resolve slots
against it, speech biases recognition with its vocabulary).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Variable:
    """One name of the user's namespace, described without running user code."""

    name: str
    type_name: str
    """Unqualified type name, e.g. `DataFrame`, `int`, `function`, `module`."""
    shape: tuple[int, ...] | None = None
    """Array or table shape, or (len,) of a built-in container; None where there is none."""
    columns: tuple[str, ...] = ()
    """Column names of a table, at most 200."""
    preview: str = ""
    """A short safe text for built-in scalars and strings (at most 80 characters), else empty."""


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a spoken name can refer to. Empty by default: parsing works with nothing known."""

    variables: tuple[Variable, ...] = ()
    """Most recently assigned last."""
    files: tuple[str, ...] = ()
    """Paths below the working directory, with `/`; folders end in `/`. Capped by the source."""
    tests: tuple[str, ...] = ()
    """Names of test functions and classes found below the working directory, without parameters."""
    servers: tuple[str, ...] = ()
    """Names of the configured MCP servers."""
    headings: tuple[str, ...] = ()
    """Markdown headings of the notebook."""
    cell_count: int = 0
    """Number of cells of the active notebook; 0 when unknown."""
    tasks: tuple[int, ...] = ()
    """Numbers of the known tasks, oldest first."""
    words: tuple[str, ...] = ()
    """The user's own vocabulary list (setting `vocabulary`)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names of all tables, each once, newest table first."""
        seen: dict[str, None] = {}
        for variable in reversed(self.variables):
            for column in variable.columns:
                seen.setdefault(column)
        return tuple(seen)


class ContextSource(Protocol):
    """Where the session asks for the current context; app wires the real one."""

    def context(self) -> Context:
        """Return the context now. Bounded and cheap enough to call once per turn."""
        ...
