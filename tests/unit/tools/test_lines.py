"""Edits of a cell's text, without a cell."""

from __future__ import annotations

import pytest

from voice_kernel.errors import ToolError
from voice_kernel.tools import lines

SOURCE = "a\nb\nc\nd"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("2", (2, 2)),
        ("2-3", (2, 3)),
        ("3-2", (2, 3)),
        ("2 to 4", (2, 4)),
        ("all", (1, 4)),
        ("first", (1, 1)),
        ("last", (4, 4)),
        ("last 2", (3, 4)),
        ("first 3", (1, 3)),
        ("current", (2, 2)),
        ("next", (3, 3)),
        ("previous", (1, 1)),
        ("last 9", (1, 4)),
    ],
)
def test_lines_are_addressed_like_cells(address: str, found: tuple[int, int]) -> None:
    assert lines.find_lines(address, SOURCE, current=2) == found


@pytest.mark.parametrize("address", ["0", "5", "3-9", "some", "", "-1"])
def test_lines_that_are_not_there_are_refused(address: str) -> None:
    with pytest.raises(ToolError):
        lines.find_lines(address, SOURCE)


def test_this_line_needs_a_cursor_unless_there_is_only_one() -> None:
    assert lines.find_lines("current", "x") == (1, 1)
    with pytest.raises(ToolError, match="at which line"):
        lines.find_lines("current", SOURCE)


@pytest.mark.parametrize(
    ("action", "becomes"),
    [
        ("delete", "def f():\n    return 1"),
        ("comment", "def f():\n    # x = 1\n    #     # y\n    return 1"),
        ("indent", "def f():\n        x = 1\n            # y\n    return 1"),
        ("dedent", "def f():\nx = 1\n    # y\n    return 1"),
        ("uncomment", "def f():\n    x = 1\n        y\n    return 1"),
        ("duplicate", "def f():\n    x = 1\n        # y\n    x = 1\n        # y\n    return 1"),
    ],
)
def test_what_is_done_to_lines(action: lines.LineAction, becomes: str) -> None:
    assert lines.changed("def f():\n    x = 1\n        # y\n    return 1", 2, 3, action) == becomes


def test_commenting_out_and_back_changes_nothing() -> None:
    source = "if x:\n\n    y = 1\n    if z:\n        w()"
    assert lines.changed(lines.changed(source, 1, 5, "comment"), 1, 5, "uncomment") == source


def test_a_new_line_is_indented_like_its_neighbour() -> None:
    assert lines.with_line("if x:\n    y", "z", 2) == "if x:\n    y\n    z"
    assert lines.with_line("if x:\n    y", "z", 1) == "if x:\n    z\n    y"
    assert lines.with_line("x", "y", 0) == "y\nx"
    assert lines.with_line("", "y", 1) == "y"


def spoken(text: str) -> str:
    return {"open paren": "(", "three": "3"}.get(text, text)


@pytest.mark.parametrize(
    ("source", "old", "new", "becomes"),
    [
        ("price = prices + price", "price", "cost", "cost = prices + cost"),
        ("unit_price = 1", "unit price", "net price", "net_price = 1"),
        ("unitPrice = 1", "unit price", "net price", "netPrice = 1"),
        ("x = 'north wind'", "north wind", "south wind", "x = 'south wind'"),
        ("x = 3", "three", "4", "x = 4"),
        ("Total = 1", "total", "sum", "sum = 1"),
        ("reveneu = 1", "revenue", "cost", "cost = 1"),
        ("x = 1", "x", "", " = 1"),
    ],
)
def test_words_are_replaced_as_they_are_meant(source: str, old: str, new: str, becomes: str) -> None:
    assert lines.replaced(source, old, new, "code", spoken)[0] == becomes


def test_prose_keeps_its_capitals() -> None:
    assert lines.replaced("Sales rose.", "sales", "profits", "markdown", spoken)[0] == "Profits rose."


def test_words_that_are_not_there_are_said() -> None:
    with pytest.raises(ToolError, match="do not find"):
        lines.replaced("x = 1", "weather", "y", "code", spoken)


def test_a_variable_is_renamed_where_it_is_one() -> None:
    source = "a = 1\nb.a = a\nf(a=a, c=a)\nprint('a', a)  # a\ndef g(a=2): return a"
    renamed, count = lines.renamed(source, "a", "z")
    assert renamed == "z = 1\nb.a = z\nf(a=z, c=z)\nprint('a', z)  # a\ndef g(z=2): return z"
    assert count == 7


def test_code_that_is_no_python_yet_is_renamed_as_far_as_it_goes() -> None:
    assert lines.renamed("a = (a +", "a", "z")[0] == "z = (z +"
    assert lines.renamed("a = 'x\na", "a", "z")[1] >= 1


@pytest.mark.parametrize(
    ("said", "like", "name"),
    [("net price", "", "net_price"), ("net price", "unitPrice", "netPrice"), ("x2", "", "x2")],
)
def test_spoken_words_become_a_name(said: str, like: str, name: str) -> None:
    assert lines.as_name(said, like) == name


@pytest.mark.parametrize("said", ["class", "2 x", "", "!"])
def test_what_cannot_be_a_name_is_refused(said: str) -> None:
    with pytest.raises(ToolError):
        lines.as_name(said)
