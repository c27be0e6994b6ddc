"""The language in which the session shows and says things: English as the code has it, or a catalogue's.

A sentence is marked where it is made, whole, with its values as named places: `_("{name} is not here.")
.format(name=name)`; one with a number has both forms: `ngettext_("{count} file", "{count} files", n)`. A
constant is marked with `N_` and translated with `_` where it is shown. What has no entry stays English.

One process is one session, so the language is the process's: the composition root chooses it once. What was
said is kept as it was said. Log messages, names, and what other programs read are never marked.

The catalogues are `locale/*.po`, in gettext's format, read as they are. Knows no sentence and no setting.
"""

from __future__ import annotations

import gettext
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ENGLISH = "en"
FOLDER = Path(__file__).parent / "locale"
GROUPS = {"de": "\u202f"}
"""What stands between the thousands of a number, where it is no comma."""
POINTS = {"de": ","}
"""What stands before the decimals of a number, where it is no point."""
QUOTES = {"de": "„{}“"}
"""What stands around words that were said, where it is not “ and ”."""


@dataclass(frozen=True)
class Catalogue:
    """The sentences of one language by their English ones."""

    forms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By the English sentence (of two forms: the first), the translation in all its forms."""
    form_of: Callable[[int], int] = lambda number: int(number != 1)
    """Which form a number takes."""

    @classmethod
    def read(cls, text: str) -> Catalogue:
        """Return the catalogue of a `.po` file's text; entries that are not filled in are left out."""
        forms: dict[str, tuple[str, ...]] = {}
        header = ""
        for entry in _entries(text):
            english = entry.pop("msgid", "")
            entry.pop("msgid_plural", "")
            if not english:
                header = entry.get("msgstr", "")
            elif all(entry.values()):
                forms[english] = tuple(entry.values())
        for line in header.splitlines():
            name, _colon, value = line.partition(":")
            if name == "Plural-Forms":
                return cls(forms, gettext.c2py(value.partition("plural=")[2].rstrip("; ")))
        return cls(forms)


def _entries(text: str) -> Iterator[dict[str, str]]:
    """Give the entries of a `.po` file, each as its keywords with their strings, in order."""
    entry: dict[str, str] = {}
    keyword = ""
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith('"'):
            entry[keyword] += json.loads(line)
        elif line.startswith("msg"):
            keyword, _space, string = line.partition(" ")
            if keyword == "msgid" and entry:
                yield entry
                entry = {}
            entry[keyword] = json.loads(string)
    if entry:
        yield entry


_language = ENGLISH
_catalogue = Catalogue()


def use(language: str) -> None:
    """Show and say things in a language from now on; in English where there is no catalogue of it.

    Args:
        language: an ISO 639-1 code.
    """
    global _language, _catalogue
    path = FOLDER / f"{language}.po"
    known = language != ENGLISH and path.is_file()
    _catalogue = Catalogue.read(path.read_text(encoding="utf-8")) if known else Catalogue()
    _language = language if known else ENGLISH


def used() -> str:
    """Return the code of the language in which things are shown and said."""
    return _language


def _(text: str) -> str:
    """Return a sentence in the session's language."""
    return _catalogue.forms.get(text, (text,))[0]


def ngettext_(one: str, many: str, number: int) -> str:
    """Return the form of a sentence that fits a number, in the session's language."""
    forms = _catalogue.forms.get(one)
    if forms is None:
        return one if number == 1 else many
    return forms[min(_catalogue.form_of(number), len(forms) - 1)]


def N_(text: str) -> str:  # noqa: N802  gettext's name for it
    """Mark a sentence that is translated later, where it is shown; returns it as it is."""
    return text


def number(value: int) -> str:
    """Return a whole number as it is written in the session's language: `12,345`."""
    return f"{value:,}".replace(",", GROUPS.get(_language, ","))


def capital(text: str) -> str:
    """Return words as a sentence begins."""
    return text[:1].upper() + text[1:]


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimals as it is written in the session's language: `1.5`."""
    return f"{value:.{places}f}".replace(".", POINTS.get(_language, "."))


def quoted(text: str) -> str:
    """Return words that were said between the quotation marks of the session's language."""
    return QUOTES.get(_language, "“{}”").format(text)
