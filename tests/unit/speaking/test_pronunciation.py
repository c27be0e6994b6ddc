"""Names, paths, numbers and symbols as a person would say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.speaking.phrases import GERMAN
from voice_kernel.speaking.pronunciation import name_said, number_said, pronounced


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("test_login failed", "test login failed"),
        ("The result of df.head() is shown.", "The result is shown."),
        ("The result is array([1, 2, 3]).", "The result is."),
        ("Opened /home/ada/x/report_final.csv.", "Opened report final dot csv."),
        (r"Opened C:\data\sales.csv", "Opened sales dot csv"),
        ("tests/unit/test_cart.py::TestCart::test_total failed", "test total failed"),
        ("ModuleNotFoundError: No module named 'pandas'", "module not found error: No module named pandas"),
        ("df: DataFrame, 1,000 rows, 5 columns", "df: data frame, 1000 rows, 5 columns"),
        ("read https://www.python.org/doc/?x=1", "read python dot org"),
        ("<Figure size 640x480 with 1 Axes>", ""),
        ("object at 0x7f3a2b", "object"),
        ("commit 81cea84f02 is newest", "commit is newest"),
        ("Cells 3-5 are selected; 12/40 tests", "Cells 3 to 5 are selected; 12 of 40 tests"),
        ("it’s “fine” — really", "it’s fine really"),
        ("epochs=20, x == 5", "epochs equals 20, x equals 5"),
        ("2.4 MB in 340ms, 1 s", "2.4 megabytes in 340 milliseconds, 1 second"),
        ("read and/or write", "read and or write"),
        ("87.345% done", "87.3 percent done"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("install it with --upgrade-all", "install it with upgrade all"),
    ],
)
def test_what_is_written_is_said_as_a_person_would(written: str, said: str) -> None:
    assert pronounced(written) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0.8734, "0.87"),
        (1_234_567, "about 1.2 million"),
        (2_000_000, "2 million"),
        (123_456, "about 123 thousand"),
        (99_999, "99999"),
        (42, "42"),
        (42.1049, "42.1"),
        (3.0, "3"),
        (-3.25, "minus 3.25"),
        (1.2e-07, "1.2 times ten to the minus 7"),
        (0.05, "0.05"),
        (999_999_999, "about 1 billion"),
        (0, "0"),
    ],
)
def test_numbers_are_rounded_to_what_the_ear_can_hold(number: float, said: str) -> None:
    assert number_said(number) == said


def test_german_numbers_have_a_comma_and_german_words() -> None:
    assert (
        pronounced("0.8734 in 3.2 s, 1234567 rows", GERMAN) == "0,87 in 3,2 Sekunden, etwa 1,2 Millionen rows"
    )


def test_a_name_of_a_test_is_its_last_part() -> None:
    assert name_said("tests/test_cart.py::TestCart::test_total_counts") == "test total counts"
    assert name_said("VOICE_KERNEL_SPEAK") == "voice kernel speak"


@given(st.text(max_size=300))
def test_nothing_that_is_written_breaks_it_and_no_sign_of_code_is_left(text: str) -> None:
    said = pronounced(text)
    assert not re.search(r"[_`{}<>\\|\x00\x1b]", said)
    assert said == said.strip()
