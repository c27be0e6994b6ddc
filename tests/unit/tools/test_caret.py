"""Where the next words go."""

from __future__ import annotations

import pytest

from voice_kernel.messages import CellView, Cursor, NotebookView
from voice_kernel.tools.caret import Caret, cursor_at, end_of_line, offset_of

SOURCE = "one\n\nthree é😀"


@pytest.mark.parametrize("offset", range(len(SOURCE) + 1))
def test_a_place_and_the_characters_before_it_are_the_same(offset: int) -> None:
    assert offset_of(cursor_at(offset, SOURCE), SOURCE) == offset


def test_a_place_past_the_end_is_the_end() -> None:
    assert offset_of(Cursor(line=1, column=99), SOURCE) == 3
    assert offset_of(Cursor(line=9, column=99), SOURCE) == len(SOURCE)
    assert end_of_line(9, SOURCE) == end_of_line(3, SOURCE) == Cursor(line=3, column=8)
    assert end_of_line(2, SOURCE) == Cursor(line=2, column=0)


def view(cursor: Cursor | None) -> NotebookView:
    cells = [CellView(id=name, kind="code", source=SOURCE) for name in ("a", "b")]
    return NotebookView(path="", cells=cells, active=1, cursor=cursor)


def test_the_persons_cursor_counts_for_more_than_the_last_command() -> None:
    caret = Caret()
    caret.put("a", 2)
    caret.follow(view(Cursor(line=3, column=1)))
    a, b = view(None).cells
    assert (caret.line_in("a"), caret.line_in("b")) == (None, 3)
    assert (caret.offset_in(a), caret.offset_in(b)) == (None, 6)


def test_without_a_cursor_the_line_of_the_last_command_stays() -> None:
    caret = Caret()
    caret.put("b", 2)
    caret.follow(view(None))
    assert caret.line_in("b") == 2
    assert caret.offset_in(view(None).cells[1]) is None
