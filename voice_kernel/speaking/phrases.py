"""The sentences of our own that are only ever spoken, per language, whole and with their plurals.

What is also shown (summaries, problems, hints) comes in the session's language already.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language. `{}` stands for what is put in; pairs are for one and for many."""

    passed: str
    failed: str
    errors: tuple[str, str]
    skipped: str
    no_tests: str
    expected_got: str
    first_failure: str
    and_more: tuple[str, str]
    done: str
    done_in: str
    done_lines: tuple[str, str]
    code_on_screen: str
    table_on_screen: str
    rest_on_screen: str
    result_on_screen: str
    result_is: str
    is_value: str
    picture: tuple[str, str]
    asks: str
    asks_plain: str
    not_understood_closest: str
    failed_plain: str
    interrupted: str
    nothing_said_yet: str
    is_off: str
    now_aloud: str
    now_full: str
    now_errors: str
    now_off: str
    slower: str
    faster: str
    normal: str
    slowest: str
    fastest: str
    about: str
    million: str
    billion: str
    thousand: str
    minus: str
    percent: str
    dot: str
    power: str
    fraction: str
    span: str
    at_line: str
    this_machine: str
    symbols: dict[str, str]
    units: dict[str, tuple[str, str]]
    prepositions: frozenset[str]
    decimal: str = "."


ENGLISH = Phrases(
    passed="{} passed",
    failed="{} failed",
    errors=("{} error", "{} errors"),
    skipped="{} skipped",
    no_tests="No test ran.",
    expected_got="expected {}, got {}",
    first_failure="The first is {}",
    and_more=("and {} more", "and {} more"),
    done="Done.",
    done_in="Done, in {}.",
    done_lines=("Done, with {} line of output.", "Done, with {} lines of output."),
    code_on_screen="The code is on the screen.",
    table_on_screen="A table is on the screen.",
    rest_on_screen="The rest is on the screen.",
    result_on_screen="The result is on the screen.",
    result_is="The result is {}.",
    is_value="{} is {}.",
    picture=("A picture is shown.", "{} pictures are shown."),
    asks="May I {}? {} Say: yes, do it, or no.",
    asks_plain="I need your approval. {} Say: yes, do it, or no.",
    not_understood_closest="I did not understand that. Close to it is: {}.",
    failed_plain="That failed.",
    interrupted="It was interrupted.",
    nothing_said_yet="I have not said anything yet.",
    is_off="Answers are not spoken. Say: answer out loud.",
    now_aloud="I answer out loud now.",
    now_full="I answer in full now.",
    now_errors="I only speak up when something goes wrong.",
    now_off="I do not answer out loud any more.",
    slower="I speak slower now.",
    faster="I speak faster now.",
    normal="I speak at my usual pace.",
    slowest="I cannot speak slower than this.",
    fastest="I cannot speak faster than this.",
    about="about {}",
    million="{} million",
    billion="{} billion",
    thousand="{} thousand",
    minus="minus {}",
    percent="{} percent",
    dot="dot",
    power="{} times ten to the {}",
    fraction="{} of {}",
    span="{} to {}",
    at_line="{} line {}",
    this_machine="this machine",
    symbols={
        "==": "equals",
        "=": "equals",
        "!=": "is not",
        ">=": "is at least",
        "<=": "is at most",
        ">": "is more than",
        "<": "is less than",
        "->": "to",
        "→": "to",
        "+": "plus",
        "&": "and",
        "×": "by",
        "@": "at",
    },
    units={
        "ms": ("millisecond", "milliseconds"),
        "s": ("second", "seconds"),
        "min": ("minute", "minutes"),
        "h": ("hour", "hours"),
        "B": ("byte", "bytes"),
        "kB": ("kilobyte", "kilobytes"),
        "KB": ("kilobyte", "kilobytes"),
        "MB": ("megabyte", "megabytes"),
        "GB": ("gigabyte", "gigabytes"),
        "TB": ("terabyte", "terabytes"),
        "MiB": ("megabyte", "megabytes"),
        "GiB": ("gigabyte", "gigabytes"),
    },
    prepositions=frozenset({"of", "in", "from", "for", "with", "by", "at", "on", "to", "into", "as"}),
)

GERMAN = Phrases(
    passed="{} bestanden",
    failed="{} fehlgeschlagen",
    errors=("{} Fehler", "{} Fehler"),
    skipped="{} übersprungen",
    no_tests="Es lief kein Test.",
    expected_got="erwartet {}, bekommen {}",
    first_failure="Der erste ist {}",
    and_more=("und noch einer", "und noch {}"),
    done="Fertig.",
    done_in="Fertig, in {}.",
    done_lines=("Fertig, mit {} Zeile Ausgabe.", "Fertig, mit {} Zeilen Ausgabe."),
    code_on_screen="Der Code steht auf dem Bildschirm.",
    table_on_screen="Eine Tabelle steht auf dem Bildschirm.",
    rest_on_screen="Der Rest steht auf dem Bildschirm.",
    result_on_screen="Das Ergebnis steht auf dem Bildschirm.",
    result_is="Das Ergebnis ist {}.",
    is_value="{} ist {}.",
    picture=("Ein Bild ist zu sehen.", "{} Bilder sind zu sehen."),
    asks="Darf ich {}? {} Sagen Sie: ja, mach das, oder nein.",
    asks_plain="Ich brauche Ihre Freigabe. {} Sagen Sie: ja, mach das, oder nein.",
    not_understood_closest="Das habe ich nicht verstanden. Am nächsten kommt: {}.",
    failed_plain="Das ist fehlgeschlagen.",
    interrupted="Es wurde unterbrochen.",
    nothing_said_yet="Ich habe noch nichts gesagt.",
    is_off="Antworten werden nicht vorgelesen. Sagen Sie: antworte laut.",
    now_aloud="Ich antworte jetzt laut.",
    now_full="Ich antworte jetzt ausführlich.",
    now_errors="Ich melde mich nur, wenn etwas schiefgeht.",
    now_off="Ich antworte nicht mehr laut.",
    slower="Ich spreche jetzt langsamer.",
    faster="Ich spreche jetzt schneller.",
    normal="Ich spreche in meinem üblichen Tempo.",
    slowest="Langsamer kann ich nicht sprechen.",
    fastest="Schneller kann ich nicht sprechen.",
    about="etwa {}",
    million="{} Millionen",
    billion="{} Milliarden",
    thousand="{} tausend",
    minus="minus {}",
    percent="{} Prozent",
    dot="Punkt",
    power="{} mal zehn hoch {}",
    fraction="{} von {}",
    span="{} bis {}",
    at_line="{} Zeile {}",
    this_machine="diesem Rechner",
    symbols={
        "==": "ist gleich",
        "=": "ist gleich",
        "!=": "ist nicht",
        ">=": "ist mindestens",
        "<=": "ist höchstens",
        ">": "ist größer als",
        "<": "ist kleiner als",
        "->": "nach",
        "→": "nach",
        "+": "plus",
        "&": "und",
        "×": "mal",
        "@": "ät",
    },
    units={
        "ms": ("Millisekunde", "Millisekunden"),
        "s": ("Sekunde", "Sekunden"),
        "min": ("Minute", "Minuten"),
        "h": ("Stunde", "Stunden"),
        "B": ("Byte", "Byte"),
        "kB": ("Kilobyte", "Kilobyte"),
        "KB": ("Kilobyte", "Kilobyte"),
        "MB": ("Megabyte", "Megabyte"),
        "GB": ("Gigabyte", "Gigabyte"),
        "TB": ("Terabyte", "Terabyte"),
        "MiB": ("Megabyte", "Megabyte"),
        "GiB": ("Gigabyte", "Gigabyte"),
    },
    prepositions=frozenset({"von", "in", "aus", "für", "mit", "bei", "an", "auf", "zu", "nach", "als"}),
    decimal=",",
)

_LANGUAGES = {"en": ENGLISH, "de": GERMAN}


def phrases_of(language: str) -> Phrases:
    """Return a language's sentences; English where there are none."""
    return _LANGUAGES.get(language, ENGLISH)


def plural(forms: tuple[str, str], number: int) -> str:
    """Return the form that fits a number, with the number in it."""
    return forms[0 if number == 1 else 1].format(number)
