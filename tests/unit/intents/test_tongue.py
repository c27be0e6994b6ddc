"""Words in the wrong language are told apart, and words in the right one never are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voice_kernel.intents.tongue import other_tongue

DATA = Path(__file__).parents[2] / "data" / "intents"
LEAST = 0.9
"""The rest are names and words that are the same in both: "git status", "Undo"."""


def said(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    if path.suffix == ".jsonl":
        return [json.loads(line)["say"] for line in lines if line]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(
    ("language", "folder"), [("en", DATA / "en"), ("de", DATA / "de")], ids=["english", "german"]
)
def test_words_of_the_expected_language_are_not_taken_for_another(language: str, folder: Path) -> None:
    lines = [line for path in sorted(folder.iterdir()) for line in said(path)]
    told = [line for line in lines if other_tongue(line, language)]
    assert len(told) <= len(lines) // 500, told


@pytest.mark.parametrize(
    ("expected", "language", "folder"),
    [("de", "en", DATA / "en"), ("en", "de", DATA / "de")],
    ids=["english", "german"],
)
def test_commands_of_another_language_are_noticed(expected: str, language: str, folder: Path) -> None:
    lines = said(folder / "commands.jsonl")
    noticed = [line for line in lines if other_tongue(line, expected) == language]
    assert len(noticed) >= LEAST * len(lines)


@pytest.mark.parametrize("text", ["", "...", "git status", "42"])
def test_what_is_in_no_language_is_in_no_other(text: str) -> None:
    assert other_tongue(text, "en") == other_tongue(text, "de") == ""


def test_a_language_that_is_not_known_is_not_contradicted() -> None:
    assert other_tongue("führe die Zelle aus", "fr") == ""
