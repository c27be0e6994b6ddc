"""What of the things that are heard is acted on, asked about, or let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel import language
from voice_kernel.heeding import Heed, heed, is_echo, is_sure, may_be_meant, without_over
from voice_kernel.intents import Grammar
from voice_kernel.speech.transcriber import Transcript

DATA = Path(__file__).parents[1] / "data" / "intents" / "de"


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.shared()


@pytest.fixture(scope="module")
def german() -> Grammar:
    return Grammar.shared("de")


def heard(logprob: float | None) -> Transcript:
    return Transcript("run", 1.0, 0.1, "local", avg_logprob=logprob)


@pytest.mark.parametrize(
    ("text", "sure", "addressed", "model", "heeded"),
    [
        ("run the tests", True, False, False, "act"),
        ("run the tests", False, False, False, "ask"),
        ("the weather is nice today", True, False, False, "ignore"),
        ("the weather is nice today", True, False, True, "ignore"),
        ("what's the weather like", True, False, False, "ignore"),
        ("what's the weather like", True, False, True, "act"),
        ("the weather is nice today", True, True, True, "act"),
        ("run the flux tests capacitor", True, False, False, "act"),
        ("run the flux tests capacitor", False, False, False, "ignore"),
        ("yes", True, False, False, "ignore"),
        ("", True, True, True, "ignore"),
    ],
)
def test_words_are_heeded_as_far_as_they_are_meant_for_us(
    grammar: Grammar, text: str, sure: bool, addressed: bool, model: bool, heeded: Heed
) -> None:
    assert heed(text, grammar.parse(text), sure=sure, addressed=addressed, model=model) == heeded


GERMAN_NEAR = [
    "führe den Fluxkompensator mit den Tests aus",
    "könntest du bitte die Ausgaben nach Alter speichern",
    "alle leeren Zellen entfernen",
    "öffne den vorletzten Tab links",
    "installiere alle Pakete aus der Anforderungsdatei",
    "ich möchte die Ausgaben der Zellen drucken",
]


@pytest.mark.parametrize("text", GERMAN_NEAR)
def test_who_gives_a_german_command_that_is_not_known_is_told_what_would_be(
    german: Grammar, text: str
) -> None:
    parse = german.parse(text)
    assert (parse.route, bool(parse.closest)) == ("none", True)
    assert heed(text, parse, sure=True, addressed=False, language="de") == "act"
    assert heed(text, parse, sure=False, addressed=False, language="de") == "ignore"


@pytest.mark.parametrize(
    "text",
    [
        "mach bitte die Tür zu",
        "könnten Sie mir bitte sagen wie spät es ist",
        "ich möchte einen Kaffee bitte",
        "er hat gesagt er will die Tabelle später löschen",
        "man kann die Zelle auch löschen",
        "ich würde die Zelle nicht ausführen",
        "wie viele Leute kommen eigentlich heute Abend",
    ],
)
def test_german_talk_is_let_pass(german: Grammar, text: str) -> None:
    assert heed(text, german.parse(text), sure=True, addressed=False, language="de") == "ignore"


def test_hardly_any_german_talk_is_answered(german: Grammar) -> None:
    lines = [
        line
        for line in (DATA / "talk.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    heeded = [heed(line, german.parse(line), sure=True, addressed=False, language="de") for line in lines]
    assert heeded.count("ask") == 0
    assert heeded.count("act") < 0.1 * len(lines)  # and those are told that they were not understood


def test_a_german_question_is_for_the_model_and_talk_is_not(german: Grammar) -> None:
    def heeded(text: str) -> Heed:
        return heed(text, german.parse(text), sure=True, addressed=False, model=True, language="de")

    assert heeded("welche Spalte erklärt den Umsatz am besten") == "act"
    assert heeded("schreibe eine Funktion die Primzahlen findet") == "act"
    assert heeded("das Wetter ist heute schön") == "ignore"


def test_the_sessions_language_counts_where_none_is_given(german: Grammar) -> None:
    text = "installiere alle Pakete aus der Anforderungsdatei"
    assert heed(text, german.parse(text), sure=True, addressed=False) == "ignore"
    language.use("de")
    try:
        assert heed(text, german.parse(text), sure=True, addressed=False) == "act"
        assert may_be_meant("führe die", "unfinished")
        assert not may_be_meant("was ist", "unfinished")
    finally:
        language.use("en")


def test_a_verb_alone_is_in_common_with_a_command_by_chance(grammar: Grammar) -> None:
    assert not grammar.parse("open the window").resembling
    assert grammar.parse("run the flux tests capacitor").resembling


def test_a_yes_counts_only_where_something_was_asked(grammar: Grammar) -> None:
    assert heed("yes", grammar.parse("yes"), sure=True, addressed=True) == "ignore"
    assert heed("yes", grammar.parse("yes"), sure=True, addressed=False, asked=True) == "act"
    assert heed("yes", grammar.parse("yes"), sure=False, addressed=False, asked=True) == "ignore"
    assert heed("no", grammar.parse("no"), sure=False, addressed=False, asked=True) == "act"


def test_less_is_believed_of_words_that_no_template_fits() -> None:
    assert is_sure(heard(-0.9))
    assert not is_sure(heard(-0.9), understood=False)
    assert not is_sure(heard(-1.1))
    assert is_sure(heard(None), understood=False)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Run all cells. Over.", "Run all cells"),
        ("run the tests over", "run the tests"),
        ("Over.", None),
        ("move the cell over there", None),
        ("rollover", None),
    ],
)
def test_over_counts_where_it_is_said_last(text: str, rest: str | None) -> None:
    assert without_over(text) == rest


def test_over_is_the_languages_own() -> None:
    assert without_over("alle Zellen ausführen, Ende.", "de") == "alle Zellen ausführen"
    assert without_over("alle Zellen ausführen, Ende.", "en") is None


@pytest.mark.parametrize(
    ("said", "echo"),
    [
        ("twelve passed one failed", True),
        ("passed, one failed test login", True),
        ("stop", False),
        ("run the tests again", False),
        ("cancel task three", False),
    ],
)
def test_our_own_words_are_known_again(said: str, echo: bool) -> None:
    assert is_echo(said, "Twelve passed, one failed: test login, expected 200 got 500.") is echo


def test_nothing_is_an_echo_while_nothing_is_said() -> None:
    assert not is_echo("twelve passed one failed", "")


def test_a_turn_begins_early_only_for_the_words_of_a_command() -> None:
    assert may_be_meant("run the", "unfinished")
    assert may_be_meant("df", "extensible")
    assert not may_be_meant("what is", "unfinished")
    assert not may_be_meant("the what", "unfinished")
    assert not may_be_meant("we should go", "other")
