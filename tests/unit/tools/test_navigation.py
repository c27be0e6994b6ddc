"""Which cell, which heading is meant."""

from __future__ import annotations

import pytest

from voice_kernel.errors import ToolError
from voice_kernel.messages import CellView
from voice_kernel.tools.navigation import choose_heading, headings, search


def cells(*sources: str) -> list[CellView]:
    return [
        CellView(id=str(at), kind="markdown" if source.startswith("#") else "code", source=source)
        for at, source in enumerate(sources)
    ]


NOTEBOOK = cells(
    "# Sales report\n\nAbout pandas.\n## Data *cleaning*",
    "import numpy as np\nfrom pandas import DataFrame",
    "def train_model(x):\n    return fit(x)",
    "# Results\n```\n# no heading\n```",
    "model = train_model(3)\nplt.plot(revenue)",
    "print(train_model)",
)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("imports pandas", 1),
        ("imports numpy", 1),
        ("defines train model", 2),
        ("define the function train model", 2),
        ("pandas", 1),
        ("plot revenue", 4),
        ("plotting the revenue", 4),
        ("about pandas", 0),
        ("defines model", 4),
        ("print", 5),
        ("imports weather", None),
        ("bananas", None),
    ],
)
def test_a_cell_is_found_by_what_is_in_it(text: str, position: int | None) -> None:
    assert search(text, NOTEBOOK, 0) == position


def test_the_same_words_again_go_on_to_the_next_cell() -> None:
    assert search("train model", NOTEBOOK, 0) == 2
    assert search("train model", NOTEBOOK, 2) == 4
    assert search("train model", NOTEBOOK, 4) == 5
    assert search("train model", NOTEBOOK, 5) == 2


def test_headings_are_those_of_markdown_cells() -> None:
    assert [(h.cell, h.line, h.level, h.text) for h in headings(NOTEBOOK)] == [
        (0, 1, 1, "Sales report"),
        (0, 4, 2, "Data cleaning"),
        (3, 1, 1, "Results"),
    ]


@pytest.mark.parametrize(
    ("which", "current", "text"),
    [
        ("next", 0, "Results"),
        ("previous", 4, "Results"),
        ("first", 4, "Sales report"),
        ("last", 0, "Results"),
        ("results", 0, "Results"),
        ("data cleaning", 4, "Data cleaning"),
        ("sales", 4, "Sales report"),
        ("the cleaning", 4, "Data cleaning"),
    ],
)
def test_a_heading_is_found_by_its_place_or_its_words(which: str, current: int, text: str) -> None:
    assert choose_heading(which, headings(NOTEBOOK), current).text == text


@pytest.mark.parametrize("which", ["next", "weather"])
def test_a_heading_that_is_not_there_names_those_that_are(which: str) -> None:
    with pytest.raises(ToolError) as caught:
        choose_heading(which, headings(NOTEBOOK), 5)
    assert caught.value.hint == "There are: Sales report, Data cleaning, Results."


def test_an_empty_notebook_has_nothing_to_find() -> None:
    assert search("x", [], -1) is None
    with pytest.raises(ToolError):
        choose_heading("next", [], -1)
