"""German: what is understood, what is left alone, and what approves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from voice_kernel.cli import main
from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar

DATA = Path(__file__).parents[2] / "data" / "intents" / "de"
NOTEBOOK = Context(
    variables=(Variable("df", "DataFrame", columns=("Umsatz", "Monat", "Region", "Preis", "Menge")),),
    servers=("fetch", "time", "git"),
)
PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@pytest.fixture(scope="module")
def german() -> Grammar:
    return Grammar.load("de")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def talk() -> list[str]:
    lines = (DATA / "talk.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def calls(grammar: Grammar, text: str, context: Context | None = None) -> list[tuple[str, dict[str, Any]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text, context).calls]


def is_right(
    grammar: Grammar, row: dict[str, Any], plain: bool = False, context: Context | None = None
) -> bool:
    """Only the listed arguments count, without regard to case."""

    def same(made: Any, wanted: Any) -> bool:
        made, wanted = str(made).lower(), str(wanted).lower()
        return made == (wanted.translate(PLAIN) if plain else wanted)

    made = calls(grammar, row["say"].translate(PLAIN) if plain else row["say"], context)
    return len(made) == len(row["calls"]) and all(
        tool == wanted_tool and all(same(arguments.get(k), v) for k, v in wanted.items())
        for (tool, arguments), (wanted_tool, wanted) in zip(made, row["calls"], strict=True)
    )


@pytest.mark.parametrize("name", ["commands.jsonl", "misheard.jsonl", "tour.jsonl"])
def test_every_german_sentence_of_the_data_makes_the_right_calls(german: Grammar, name: str) -> None:
    assert [row["say"] for row in rows(name) if not is_right(german, row)] == []


def test_words_of_the_notebook_are_known_in_german(german: Grammar) -> None:
    assert [
        row["say"] for row in rows("in_a_notebook.jsonl") if not is_right(german, row, context=NOTEBOOK)
    ] == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Gesamtumsatz pro Monat", {"how": "sum", "column": "umsatz", "by": "monat"}),
        ("Durchschnittspreis je Region", {"how": "mean", "column": "preis", "by": "region"}),
        ("Höchsterlös nach Ländern", {"how": "max", "column": "erlös", "by": "ländern"}),
    ],
)
def test_what_german_writes_as_one_word_is_taken_apart(
    german: Grammar, text: str, wanted: dict[str, Any]
) -> None:
    assert calls(german, text) == [("aggregate", wanted)]


def test_a_column_whose_name_is_one_word_is_not_taken_apart(german: Grammar) -> None:
    table = Variable("df", "DataFrame", columns=("Gesamtumsatz", "Monat"))
    made = calls(german, "Summe von Gesamtumsatz pro Monat", Context(variables=(table,)))
    assert made == [("aggregate", {"how": "sum", "column": "Gesamtumsatz", "by": "Monat"})]


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Führen Sie bitte Zelle drei aus", "run_cells"),
        ("Lesen Sie den Fehler vor", "read_error"),
        ("Speichern Sie das Notebook", "save_notebook"),
        ("Löschen Sie diese Zelle", "delete_cells"),
        ("Übernehmen Sie alle Änderungen", "accept_changes"),
        ("Starten Sie den Kernel neu", "restart_kernel"),
        ("gehen sie nach Hause", ""),
        ("die Kollegen führen sie aus", ""),
    ],
)
def test_an_order_may_be_formal(german: Grammar, text: str, tool: str) -> None:
    assert [name for name, _ in calls(german, text)] == ([tool] if tool else [])


@pytest.mark.parametrize("text", ["Zelldrei ausführen", "Zelledrei ausführen", "zelle3 ausführen"])
def test_a_number_may_be_written_together_with_its_noun(german: Grammar, text: str) -> None:
    assert calls(german, text) == [("run_cells", {"cells": "3"})]


@pytest.mark.parametrize(
    "text",
    [
        "installiere bitte den MCP-Server fetch",
        "installier mir doch bitte mal den MCP-Server fetch",
        "könnten Sie bitte den MCP-Server fetch installieren",
    ],
)
def test_what_must_be_said_exactly_may_be_said_politely(german: Grammar, text: str) -> None:
    assert calls(german, text) == [("mcp_install", {"name": "fetch"})]


def test_umlauts_may_be_written_with_an_e(german: Grammar) -> None:
    assert [row["say"] for row in rows("commands.jsonl") if not is_right(german, row, plain=True)] == []


@pytest.mark.parametrize("shape", [str.lower, str.upper, lambda text: text.rstrip(".!?") + "."])
def test_casing_and_a_full_stop_change_nothing_in_german(german: Grammar, shape: Any) -> None:
    wrong = [
        row["say"]
        for row in rows("tour.jsonl")
        if not is_right(german, {**row, "say": shape(row["say"])}) and "Data" not in row["say"]
    ]
    assert wrong == []


def test_german_talk_is_never_acted_on(german: Grammar) -> None:
    lines = talk()
    assert len(lines) >= 300
    assert [line for line in lines if german.parse(line).calls] == []


def test_german_talk_is_never_acted_on_as_a_recogniser_writes_it(german: Grammar) -> None:
    assert [line for line in talk() if german.parse(line[0].upper() + line[1:] + ".").calls] == []


def test_german_talk_is_never_acted_on_in_a_full_notebook(german: Grammar) -> None:
    variables = tuple(
        Variable(name, "DataFrame", columns=("umsatz", "preis", "region", "monat"))
        for name in ("df", "verkauf", "kunden", "daten")
    )
    context = Context(
        variables=variables,
        files=("daten/", "daten/verkauf.csv", "tests/", "tests/test_preis.py"),
        tests=("test_preis", "test_umsatz"),
        servers=("git", "time"),
        page_open=True,
    )
    assert [line for line in talk() if german.parse(line, context).calls] == []


def test_german_says_all_that_english_says(german: Grammar, grammar: Grammar) -> None:
    assert german.tools == grammar.tools
    assert list(german.help()) == list(grammar.help())


def test_every_german_example_is_understood_as_what_it_shows(german: Grammar) -> None:
    wrong = [
        example
        for tool in sorted(german.tools)
        for example in german.examples(tool)
        if tool not in [name for name, _ in calls(german, example)]
    ]
    assert wrong == []


@pytest.mark.parametrize("tool", sorted(Grammar.shared("de").tools))
def test_every_tool_has_a_german_sentence_in_the_data(tool: str) -> None:
    assert tool in {call[0] for row in rows("commands.jsonl") for call in row["calls"]}


@pytest.mark.parametrize(
    "text",
    ["ja", "Ja.", "Ja, mach das.", "genehmigen", "Ja, bitte ausführen", "ich bestätige", "einverstanden"],
)
def test_an_exact_german_phrase_approves(german: Grammar, text: str) -> None:
    assert calls(german, text) == [("approve", {})]


@pytest.mark.parametrize(
    "text",
    [
        "ja aber warte", "ja und führe die Tests aus", "ja mal sehen", "na ja", "okay", "gut", "klar",
        "mach das nicht", "ja mach das nicht", "ja bitte nicht", "genehmige das nicht", "jaja", "ja nein",
        "ich würde das genehmigen", "mach das später", "tja", "jacke", "mach es morgen", "ja doch nicht",
        "bitte", "bestätige das bloß nicht", "yes", "approve", "genemigen", "bestetigen",
        "einverstanden nicht",
    ],
)  # fmt: skip
def test_nothing_else_approves_in_german(german: Grammar, text: str) -> None:
    assert "approve" not in [tool for tool, _ in calls(german, text)]


@pytest.mark.parametrize(
    "text",
    ["nein", "Nein, danke.", "nein, mach das nicht", "okay warte, führ das nicht aus", "auf keinen Fall",
     "lehne das ab", "bitte nicht ausführen", "ablehnen"],
)  # fmt: skip
def test_a_german_no_denies(german: Grammar, text: str) -> None:
    assert [tool for tool, _ in calls(german, text)] == ["deny"]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("Zelle eins", "1"), ("Zelle zwölf", "12"), ("Zelle dreiundzwanzig", "23"), ("Zelle 23", "23"),
        ("Zelle hundertfünf", "105"), ("Zelle zweihunderteinundzwanzig", "221"), ("die dritte Zelle", "3"),
        ("die 3. Zelle", "3"), ("die zwanzigste Zelle", "20"), ("Zellen drei bis fünf", "3-5"),
        ("Zellen 3 bis 5", "3-5"), ("Zellen 3-5", "3-5"), ("die ersten drei Zellen", "1-3"),
        ("die letzten zwei Zellen", "last 2"), ("Zelle zwei und drei", "2-3"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "way", ["{} ausführen", "führe {} aus", "lass {} laufen", "kannst du bitte {} ausführen"]
)
def test_german_numbers_and_ranges(german: Grammar, text: str, cells: str, way: str) -> None:
    assert calls(german, way.format(text)) == [("run_cells", {"cells": cells})]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("x gleich drei plus vier", "x = 3 + 4"),
        ("print Klammer auf x Klammer zu", "print(x)"),
        ("x gleich zwei Komma fünf", "x = 2.5"),
        ("df Punkt head Klammer auf Klammer zu", "df.head()"),
        ("y gleich x mal zwei", "y = x * 2"),
        ("x Unterstrich neu gleich einundzwanzig", "x_neu = 21"),
        ("sum([1, 2, 3])", "sum([1, 2, 3])"),
    ],
)
def test_code_can_be_dictated_in_german(german: Grammar, said: str, code: str) -> None:
    assert calls(german, f"führe den Code {said} aus") == [("run_code", {"code": code})]


def test_steps_follow_each_other_in_german(german: Grammar) -> None:
    said = "Speichere das Notebook, starte den Kernel neu und führe anschließend die Tests aus"
    assert [tool for tool, _ in calls(german, said)] == ["save_notebook", "restart_kernel", "run_tests"]


def test_free_text_holds_a_joining_word(german: Grammar) -> None:
    assert calls(german, "suche im Web nach Salz und Pfeffer") == [
        ("web_search", {"query": "Salz und Pfeffer"})
    ]
    assert [tool for tool, _ in calls(german, "suche im Web nach Salz und führe die Tests aus")] == [
        "web_search",
        "run_tests",
    ]


def test_names_that_exist_are_found_with_their_umlauts(german: Grammar) -> None:
    context = Context(variables=(Variable("umsätze", "list"),))
    for said in ("zeige Umsätze", "zeige umsaetze", "Umsätze anzeigen"):
        assert calls(german, said, context) == [("show_variable", {"name": "umsätze"})]


def test_a_miss_offers_german_phrases(german: Grammar) -> None:
    assert "welche Variablen habe ich" in german.parse("bitte die Variablen irgendwie auftürmen").closest


def test_the_command_line_takes_a_language(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "--json", "--language", "de", "führe die Tests aus"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == [{"tool": "run_tests", "arguments": {}}]


def test_of_a_word_with_a_hyphen_only_the_name_is_clicked(german: Grammar) -> None:
    assert calls(german, "klicke auf den Anmelden-Button") == [("browser_click", {"target": "Anmelden"})]
    assert calls(german, "klicke auf den E-Mail-Link") == [("browser_click", {"target": "E-Mail"})]
