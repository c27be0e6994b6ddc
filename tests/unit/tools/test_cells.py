"""Which cells an address means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.errors import ToolError
from voice_kernel.messages import CellView, NotebookView
from voice_kernel.tools.cells import WORDS, named, resolve, resolve_one


def notebook(count: int, *, active: int = 0, failed: tuple[int, ...] = ()) -> NotebookView:
    cells = [CellView(id=f"c{at + 1}", kind="code", failed=at + 1 in failed) for at in range(count)]
    return NotebookView(path="a.ipynb", cells=cells, active=active)


def ids(address: str, view: NotebookView, **options: object) -> list[str]:
    return [cell.id for cell in resolve(address, view, **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("all", "c1 c2 c3 c4 c5"),
        ("current", "c3"),
        ("next", "c4"),
        ("previous", "c2"),
        ("first", "c1"),
        ("last", "c5"),
        ("above", "c1 c2"),
        ("below", "c3 c4 c5"),
        ("failed", "c2 c5"),
        ("3", "c3"),
        ("3-5", "c3 c4 c5"),
        ("5-3", "c3 c4 c5"),
        ("3 to 5", "c3 c4 c5"),
        ("1,4", "c1 c4"),
        ("4, 1 and 2-3", "c1 c2 c3 c4"),
        (" Current ", "c3"),
    ],
)
def test_an_address_means_these_cells(address: str, expected: str) -> None:
    assert ids(address, notebook(5, active=2, failed=(2, 5))) == expected.split()


@pytest.mark.parametrize(
    ("address", "message", "hint"),
    [
        ("6", "There is no cell 6.", "The notebook has 5 cells."),
        ("0", "There is no cell 0.", "The notebook has 5 cells."),
        ("3-9", "There is no cell 9.", "The notebook has 5 cells."),
        ("999999", "There is no cell 999999.", "The notebook has 5 cells."),
        ("next", "There is no cell below the current one.", "The notebook has 5 cells."),
        ("failed", "No cell has failed.", ""),
        ("the blue one", "“the blue one” does not say which cell.", "Say all, current, next"),
        ("", "“” does not say which cell.", "Say all, current, next"),
        ("3-", "“3-” does not say which cell.", "Say all, current, next"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(address: str, message: str, hint: str) -> None:
    with pytest.raises(ToolError) as caught:
        resolve(address, notebook(5, active=4))
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


def test_an_empty_notebook_has_no_cells_to_name() -> None:
    for address in (*WORDS, "1"):
        with pytest.raises(ToolError, match="no cells"):
            resolve(address, notebook(0, active=-1))


def test_without_an_active_cell_only_places_in_the_notebook_can_be_named() -> None:
    view = notebook(3, active=-1)
    assert ids("last", view) == ["c3"]
    for address in ("current", "next", "previous", "above", "below"):
        with pytest.raises(ToolError, match="No cell is selected"):
            resolve(address, view)


def test_cells_that_wait_are_left_out_of_words_for_several_but_not_of_their_own_number() -> None:
    view = notebook(4, active=1, failed=(2, 3))
    assert ids("all", view, busy={"c2"}) == ["c1", "c3", "c4"]
    assert ids("failed", view, busy={"c2"}) == ["c3"]
    assert ids("below", view, busy={"c2"}) == ["c3", "c4"]
    assert ids("2", view, busy={"c2"}) == ["c2"]
    with pytest.raises(ToolError, match="no other cell"):
        resolve("all", notebook(1), busy={"c1"})


def test_the_anchor_takes_the_place_of_the_active_cell() -> None:
    assert ids("next", notebook(5, active=0), anchor=3) == ["c5"]


def test_one_cell_must_be_one() -> None:
    assert resolve_one("2-2", notebook(3)).id == "c2"
    with pytest.raises(ToolError, match="means 2 cells"):
        resolve_one("1-2", notebook(3))


@pytest.mark.parametrize(
    ("address", "words"),
    [("2", "cell 2"), ("2-4", "cells 2 to 4"), ("1,4", "cells 1 and 4"), ("1-2,5", "cells 1, 2 and 5")],
)
def test_cells_are_named_in_words(address: str, words: str) -> None:
    view = notebook(5)
    assert named(resolve(address, view), view) == words


@given(
    count=st.integers(0, 30),
    active=st.integers(-1, 29),
    address=st.one_of(
        st.sampled_from(WORDS),
        st.from_regex(r"\A\d{1,3}(-\d{1,3})?(, ?\d{1,3})?\Z"),
        st.text(max_size=20),
    ),
)
def test_whatever_is_said_it_is_cells_in_order_each_once_or_an_error_for_a_person(
    count: int, active: int, address: str
) -> None:
    view = notebook(count, active=min(active, count - 1))
    problem: ToolError | None = None
    found: list[str] = []
    try:
        found = ids(address, view)
    except ToolError as error:
        problem = error
    assert bool(found) == (problem is None)
    assert problem is None or problem.message.endswith(".")
    order = [cell.id for cell in view.cells]
    assert found == [cell_id for cell_id in order if cell_id in set(found)]
