"""Text and queries are cut into the same words, whatever is in them."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.store.words import MAX_QUERY_WORDS, MAX_WORD_CHARS, fts5, indexed, tsquery, wanted, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run the tests", ["run", "the", "tests"]),
        ("run_tests tests/unit/test_x.py::test_y", ["run", "tests", "unit", "test", "x", "py", "y"]),
        ("Müller's naïve résumé", ["muller", "s", "naive", "resume"]),
        ("STRASSE straße", ["strasse"]),
        ("3.14 is π", ["3", "14", "is", "π"]),
        ("日本語 текст", ["日本語", "текст"]),
        ("done 🎉→", ["done", "🎉", "→"]),
        ("“” — … ***", []),
        ("a\0b\ud83dc", ["a", "b", "c"]),
        ("", []),
    ],
)
def test_text_is_cut_into_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_query_is_either_nothing_or_words() -> None:
    assert wanted("  ") is None
    assert wanted("***") == []
    assert wanted("run tests") == ["run", "tests"]
    assert len(wanted(" ".join(f"w{n}" for n in range(100))) or []) == MAX_QUERY_WORDS
    assert wanted("x" * 1_000) == ["x" * MAX_WORD_CHARS]


def test_queries_are_written_in_the_databases_languages() -> None:
    assert fts5(["run", "tests"]) == '"run"* "tests"*'
    assert tsquery(["run", "tests"]) == "'run':* & 'tests':*"


@given(st.text(max_size=200), st.text(max_size=60))
def test_no_text_is_found_by_a_query_that_its_words_do_not_answer(text: str, query: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE w USING fts5(words, tokenize='ascii', detail='none')")
    connection.execute("INSERT INTO w VALUES (?)", (indexed(text),))
    asked = wanted(query)
    if not asked:
        return
    found = connection.execute("SELECT count(*) FROM w WHERE w MATCH ?", (fts5(asked),)).fetchone()[0]
    kept = words(text)
    assert bool(found) == all(any(word.startswith(one) for word in kept) for one in asked)
