"""How people say the same thing: word order, courtesy, slips of the tongue and of the recogniser."""

from __future__ import annotations

import pytest

from voice_kernel.context import Context
from voice_kernel.intents import Grammar


def calls(grammar: Grammar, text: str) -> list[tuple[str, dict[str, object]]]:
    return [(call.tool, dict(call.arguments)) for call in grammar.parse(text, Context()).calls]


@pytest.mark.parametrize(
    ("said", "plainly"),
    [
        ("would you mind running cell eight", "run cell eight"),
        ("would you mind saving the notebook and then closing the browser", "save, then close the browser"),
        ("I would appreciate it if you could run the tests", "run the tests"),
        ("delete please cell two", "delete cell two"),
        ("execute now the next cell", "run the next cell"),
        ("save the, um, the notebook", "save the notebook"),
        ("run run cell three", "run cell three"),
    ],
)
def test_courtesy_and_slips_change_nothing(grammar: Grammar, said: str, plainly: str) -> None:
    assert calls(grammar, said) == calls(grammar, plainly) != []


@pytest.mark.parametrize("said", ["running cell eight", "we were running the tests", "saving is important"])
def test_a_gerund_without_a_request_is_talk(grammar: Grammar, said: str) -> None:
    assert calls(grammar, said) == []


@pytest.mark.parametrize("said", ["approve, approve", "yes yes yes please"])
def test_a_stammered_consent_is_not_what_must_be_said(grammar: Grammar, said: str) -> None:
    assert calls(grammar, said) == []


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("open stack overflow dot com", "https://stackoverflow.com"),
        ("visit news dot y combinator dot com", "https://news.ycombinator.com"),
        ("go to localhost eight thousand", "http://localhost:8000"),
        ("go to the website python dot org", "https://python.org"),
    ],
)
def test_a_spoken_address_may_have_names_of_two_words(grammar: Grammar, said: str, address: str) -> None:
    assert calls(grammar, said) == [("browser_navigate", {"url": address})]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("fill in the email field with ann at example dot com", "ann@example.com"),
        ("fill in the email field with ann dot lee at example dot co dot uk", "ann.lee@example.co.uk"),
        ("type forty two into the age field", "42"),
        ("type example dot com into the address field", "example.com"),
        ("type look at the dot into the search field", "look at the dot"),
    ],
)
def test_what_is_typed_into_a_field_is_written_as_one_would(grammar: Grammar, said: str, text: str) -> None:
    assert calls(grammar, said)[0][1]["text"] == text


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("git commit dash m fix the typo", 'git commit -m "fix the typo"'),
        ("git commit dash a m fix dash dash no dash verify", "git commit -am fix --no-verify"),
        ("install numb pie", "pip install numpy"),
        ("pip install mat plot lib", "pip install matplotlib"),
        ("install pandas and numpy", "pip install pandas numpy"),
        ("shell get diff dash dash stat", "git diff --stat"),
        ("run python train dot py", "python train.py"),
    ],
)
def test_a_spoken_command_is_written_as_one_would(grammar: Grammar, said: str, command: str) -> None:
    assert calls(grammar, said) == [("run_shell", {"command": command})]


def test_packages_that_are_named_are_not_taken_for_another(grammar: Grammar) -> None:
    assert calls(grammar, "pip install numpy polars") == [
        ("run_shell", {"command": "pip install numpy polars"})
    ]
    assert calls(grammar, "install pandera") == [("run_shell", {"command": "pip install pandera"})]


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        ("run cell", "run cell three"),
        ("insert a video cell", "insert a cell above"),
        ("stop the server", "stop the time server"),
        ("search", "search the history for pip"),
    ],
)
def test_what_is_offered_has_the_verb_that_was_said(grammar: Grammar, said: str, offered: str) -> None:
    closest = grammar.parse(said, Context()).closest
    verb = said.split()[0]
    assert offered in closest
    assert all(verb in phrase.split() or verb in phrase for phrase in closest[:1])


@pytest.mark.parametrize(
    "said", ["copy cell three", "split this cell", "paste the cell", "merge cells two and three"]
)
def test_nothing_that_deletes_is_offered_to_whom_did_not_say_so(grammar: Grammar, said: str) -> None:
    parse = grammar.parse(said, Context())
    assert parse.calls == ()
    assert not any(phrase.startswith(("delete", "remove", "restart")) for phrase in parse.closest)
