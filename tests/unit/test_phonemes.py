"""How words and names of code sound."""

from __future__ import annotations

import pytest

from voice_kernel import phonemes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cell", "sell"), ("kernel", "colonel"), ("right", "write"), ("two", "to"), ("whether", "weather"),
        ("site", "cite"), ("for", "four"), ("know", "no"), ("2", "two"), ("16", "sixteen"),
    ],
)  # fmt: skip
def test_homophones_sound_the_same(one: str, other: str) -> None:
    assert phonemes.word(one) == phonemes.word(other)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("d f", "df"), ("dee eff", "df"), ("data frame", "df"), ("learning rate", "lr"),
        ("ex train", "X_train"), ("customer eye dee", "customer_id"), ("sails data", "sales_data"),
        ("group by", "groupby"), ("test parser pie", "test_parser.py"), ("quarks", "kwargs"),
        ("num pie", "numpy"),
        ("train two", "train2"), ("max column", "maxCol"),
    ],
)  # fmt: skip
def test_a_name_of_code_is_said_in_one_of_its_forms(said: str, name: str) -> None:
    heard = phonemes.text(said)
    assert min(phonemes.unlikeness(heard, form) for form in phonemes.forms(name)) < 0.12


@pytest.mark.parametrize(
    ("one", "near", "far"),
    [
        ("plot", "plod", "show"),
        ("sales", "sails", "price"),
        ("run", "ron", "save"),
        ("test", "taste", "cell"),
    ],
)
def test_sounds_made_alike_are_near(one: str, near: str, far: str) -> None:
    word = phonemes.word(one)
    assert phonemes.distance(word, phonemes.word(near)) < phonemes.distance(word, phonemes.word(far)) / 2


def test_a_distance_is_the_same_both_ways_and_nothing_to_itself() -> None:
    one, other = phonemes.word("temperature"), phonemes.word("tempura")
    assert phonemes.distance(one, other) == phonemes.distance(other, one) > 0
    assert phonemes.distance(one, one) == 0


def test_the_names_that_sound_most_alike_come_first() -> None:
    names = ["revenue", "reviews", "avenue", "price", "kwargs"]
    assert next(name for _, name in phonemes.ranked(phonemes.text("review"), names)) == "reviews"


def test_a_name_without_letters_has_a_form() -> None:
    assert phonemes.forms("___") == ("",)
    assert phonemes.ranked("", ["___"]) == []
