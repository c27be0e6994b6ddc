"""Where the next words go: the place in a cell at which voice commands, or the person, left off.

"Delete this line" and dictation mean it by here. A front end says where the person's own cursor is and
moves it along with every edit; where it says nothing (no cursor was put anywhere, or there is no screen),
the line of the last command counts. Forgotten when its cell is gone.
"""

from __future__ import annotations

from voice_kernel.messages import CellView, Cursor, NotebookView


class Caret:
    """A place in a cell."""

    def __init__(self) -> None:
        self._cell = ""
        self._line: int | None = None
        self._cursor: Cursor | None = None

    def put(self, cell: str, line: int | None) -> None:
        """Put it at a line, from 1, of the cell with that id; None: at its end."""
        self._cell, self._line, self._cursor = cell, line, None

    def follow(self, view: NotebookView) -> None:
        """Take over where the person's cursor is, if the front end says so."""
        if view.cursor is not None and 0 <= view.active < len(view.cells):
            self.put(view.cells[view.active].id, view.cursor.line)
            self._cursor = view.cursor
        else:
            self._cursor = None

    def line_in(self, cell: str) -> int | None:
        """Return the line, from 1, if it is in the cell with that id."""
        return self._line if cell == self._cell else None

    def offset_in(self, cell: CellView) -> int | None:
        """Return the characters before the person's own cursor, if it is in that cell."""
        if self._cursor is None or cell.id != self._cell:
            return None
        return offset_of(self._cursor, cell.source)


def offset_of(cursor: Cursor, source: str) -> int:
    """Return how many characters stand before a place; past the end of its line it is that end."""
    lines = source.split("\n")
    at = min(cursor.line, len(lines)) - 1
    return sum(len(line) + 1 for line in lines[:at]) + min(cursor.column, len(lines[at]))


def cursor_at(offset: int, source: str) -> Cursor:
    """Return the place with so many characters before it."""
    before = source[:offset]
    return Cursor(line=before.count("\n") + 1, column=len(before) - before.rfind("\n") - 1)


def end_of_line(line: int, source: str) -> Cursor:
    """Return the place at the end of a line, from 1."""
    lines = source.split("\n")
    at = min(max(line, 1), len(lines))
    return Cursor(line=at, column=len(lines[at - 1]))
