"""Tools and sentences of the user's own in a German session; and what is said where they are in English."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from voice_kernel import language
from voice_kernel.errors import IntentError, InvalidTool
from voice_kernel.intents import Grammar
from voice_kernel.intents.sentences import wording
from voice_kernel.intents.tongue import other_tongue
from voice_kernel.usertools.definition import define
from voice_kernel.usertools.sentences import foreign
from voice_kernel.usertools.understanding import surprises

OWN = """
language: de
frames:
  auswerten: ["werte * aus", "* auswerten"]
intents:
  auswertung:
    frame: auswerten
    sentences: ["[die] messung", "[die] messungen [von {query}]"]
    calls:
      - run_cells: {cells: all}
      - run_tests: {keyword: "{query}"}
  save_notebook:
    sentences: ["räume das Notebook weg"]
"""


@pytest.fixture(scope="module")
def german() -> Grammar:
    return Grammar.shared("de")


@pytest.fixture
def in_german(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("VOICE_KERNEL_LANGUAGE", "de")
    monkeypatch.setenv("VOICE_KERNEL_SENTENCES_FILE", str(tmp_path / "sentences.yaml"))
    language.use("de")
    yield
    language.use("en")


def train(epochs: int = 3, rate: float = 0.1, quick: bool = False) -> None: ...
def clean(path: Path) -> None: ...
def cleanup() -> None: ...


def with_tool(base: Grammar, function: Callable[..., Any], sentences: Any = None) -> Grammar:
    tool = define(function, sentences=sentences)
    return base.extended([(tool.name, tool.source)])


def calls(grammar: Grammar, text: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text).calls]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("trainiere das Modell", {}),
        ("Könnten Sie bitte das Modell trainieren?", {}),
        ("trainier das Modell", None),
        ("trainiere bitte mal das Modell für einundzwanzig Epochen", {"epochs": 21}),
        ("trainiere Modell für zweitausend Epochen", {"epochs": 2000}),
        ("ich möchte das Modell für 12 Epochen trainieren", {"epochs": 12}),
        ("trainiere das Modell für 3 Epochen mit Rate 0,01", {"epochs": 3, "rate": 0.01}),
        ("trainiere das Modell mit Rate null Komma null fünf", {"rate": 0.05}),
        ("trainiere das Modell schnell ja", {"quick": True}),
        ("trainiere das Modell schnell aus", {"quick": False}),
        ("führe die Prüfung für 3 Epochen durch", {"epochs": 3}),
        ("fuehre die Pruefung fuer drei Epochen durch", {"epochs": 3}),
    ],
)
def test_a_tool_is_said_in_german(german: Grammar, text: str, arguments: dict[str, Any] | None) -> None:
    grammar = with_tool(
        german,
        train,
        [
            "trainiere [das] Modell [für {epochs} Epochen] [mit Rate {rate}] [schnell {quick}]",
            "[das] Modell [für {epochs} Epochen] trainieren",
            "führe [die] Prüfung [für {epochs} Epochen] durch",
        ],
    )
    if arguments is None:  # the short form of a verb that only the user knows is near, and no more
        assert grammar.parse(text).route != "intents"
    else:
        assert calls(grammar, text) == [("train", arguments)]


@pytest.mark.parametrize(
    "text", ["cleanup", "starte cleanup", "führe cleanup aus", "cleanup bitte ausführen"]
)
def test_a_tool_without_sentences_is_said_by_its_name(german: Grammar, text: str) -> None:
    assert calls(with_tool(german, cleanup), text) == [("cleanup", {})]


@pytest.mark.parametrize("text", ["clean mit data.csv", "führe clean mit data.csv aus", "clean data.csv"])
def test_a_tool_without_sentences_takes_one_argument_in_german(german: Grammar, text: str) -> None:
    assert calls(with_tool(german, clean), text) == [("clean", {"path": "data.csv"})]


def test_a_file_of_german_sentences_has_frames_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "sentences.yaml"
    path.write_text(OWN, "utf-8")
    grammar = Grammar.load("de", path)
    everything = ("run_cells", {"cells": "all"})
    for text in ("werte die Messung aus", "die Messung auswerten", "können Sie bitte die Messung auswerten"):
        assert calls(grammar, text)[0] == everything
    said = calls(grammar, "werte die Messungen von Labor drei aus")
    assert said == [everything, ("run_tests", {"keyword": "Labor drei"})]
    assert calls(grammar, "räum das Notebook weg") == [("save_notebook", {})]
    assert calls(grammar, "speichern") == [("save_notebook", {})]


def test_a_file_for_another_language_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sentences.yaml"
    path.write_text(OWN, "utf-8")
    with pytest.raises(IntentError, match="language 'de', and the session understands 'en'") as caught:
        Grammar.load("en", path)
    assert "VOICE_KERNEL_LANGUAGE=de" in caught.value.hint


def test_english_sentences_in_a_file_are_known_by_their_words(tmp_path: Path) -> None:
    path = tmp_path / "sentences.yaml"
    path.write_text('intents:\n  save_notebook:\n    data:\n      - sentences: ["put all the cells away"]\n')
    assert other_tongue(wording(path), "de") == "en"
    assert other_tongue(wording(path), "en") == ""
    path.write_text(OWN, "utf-8")
    assert other_tongue(wording(path), "en") == "de"


@pytest.mark.parametrize(
    ("sentences", "told"),
    [
        (["train the model for {epochs} epochs"], True),
        (["trainiere das Modell für {epochs} Epochen"], False),
        (["trainiere das Modell", "train the model"], False),
        (["fit"], False),
        ([], False),
        (None, False),
    ],
)
def test_a_tool_in_english_is_told_of_in_german(in_german: None, sentences: Any, told: bool) -> None:
    found = surprises(define(train, sentences=sentences))
    assert any("klingen nach Englisch, und diese Sitzung versteht Deutsch" in one for one in found) is told


def test_a_sentence_that_is_taken_is_told_of_in_german(in_german: None) -> None:
    found = surprises(define(train, sentences=["speichere das Notebook"]))
    assert found == ["„speichere das Notebook“ bedeutete bisher save_notebook; ab jetzt bedeutet es train."]


def test_a_german_tool_in_an_english_session_is_told_of() -> None:
    made = define(train, sentences=["trainiere das Modell für {epochs} Epochen"])
    told = "The sentences of train sound like German, and this session understands English: "
    assert foreign("train", made.sentences, "en").startswith(told)


def test_what_is_wrong_with_a_tool_is_told_in_german(in_german: None) -> None:
    with pytest.raises(InvalidTool) as caught:
        define(train, sentences=["trainiere {epoche} Epochen"])
    assert (
        caught.value.message
        == "train: Im Satz „trainiere {epoche} Epochen“ steht epoche, und das ist kein Argument."
    )
    assert caught.value.hint == "Meinten Sie epochs?"
