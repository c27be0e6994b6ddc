"""Where the next words go: the line of a cell at which voice commands left off.

A front end has a cursor of its own, which is moved along; this one is what "delete this line" and
dictation mean by here. It is forgotten when its cell is gone.
"""

from __future__ import annotations


class Caret:
    """A place in a cell."""

    def __init__(self) -> None:
        self._cell = ""
        self._line: int | None = None

    def put(self, cell: str, line: int | None) -> None:
        """Put it at a line, from 1, of the cell with that id; None: at its end."""
        self._cell, self._line = cell, line

    def line_in(self, cell: str) -> int | None:
        """Return the line, from 1, if it is in the cell with that id."""
        return self._line if cell == self._cell else None
