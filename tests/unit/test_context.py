"""Names by ear, and the words a recogniser should expect."""

from __future__ import annotations

import pytest

from voice_kernel.context import VOCABULARY_LIMIT, Context, Variable, nearest, sound, squash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cell", "sell"),
        ("cell", "sale"),
        ("plot", "blot"),
        ("save", "safe"),
        ("phone", "fone"),
        ("night", "nite"),
    ],
)
def test_words_that_sound_alike_have_one_sound(one: str, other: str) -> None:
    assert sound(one) == sound(other)


@pytest.mark.parametrize(("one", "other"), [("cell", "test"), ("run", "plot"), ("save", "show")])
def test_words_that_do_not_sound_alike_differ(one: str, other: str) -> None:
    assert sound(one) != sound(other)


def test_squashing_drops_case_and_marks() -> None:
    assert squash("Sales_Data.CSV") == squash("sales data csv") == "salesdatacsv"


def test_squashing_writes_umlauts_and_accents_out() -> None:
    assert squash("Umsätze_Größe") == squash("Umsa\u0308tze Groesse") == "umsaetzegroesse"
    assert squash("Café") == "cafe"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("sales data", "sales_data"), ("sails data", "sales_data"), ("total", "total"), ("Totals", "total"),
        ("df", "df"), ("dx", None), ("weather", None), ("", None),
    ],
)  # fmt: skip
def test_the_nearest_name_is_found_or_none(said: str, found: str | None) -> None:
    assert nearest(said, ["df", "sales_data", "total"]) == found


def test_no_name_is_guessed_between_two_that_are_as_near() -> None:
    assert nearest("model tree", ["model_a_tree", "model_b_tree"]) is None


def test_the_vocabulary_is_ranked_and_capped() -> None:
    context = Context(
        variables=(
            Variable("old", "int"),
            Variable("_hidden", "int"),
            Variable("df", "DataFrame", (1, 1), ("price",)),
        ),
        files=tuple(f"data/file{number}.csv" for number in range(500)),
        words=("kubeflow",),
    )
    vocabulary = context.vocabulary
    assert vocabulary[:4] == ("kubeflow", "price", "df", "old")
    assert "_hidden" not in vocabulary
    assert len(vocabulary) <= VOCABULARY_LIMIT


def test_an_empty_context_has_no_vocabulary() -> None:
    assert Context().vocabulary == ()
