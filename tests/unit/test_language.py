"""The session's language: catalogues, and that they say everything the code says."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Iterator

import marked
import pytest

from voice_kernel import language
from voice_kernel.language import Catalogue, _, ngettext_

SENTENCES = marked.in_code()
CATALOGUES = sorted(path.stem for path in language.FOLDER.glob("*.po"))


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.use("en")


def catalogue(code: str) -> Catalogue:
    return Catalogue.read((language.FOLDER / f"{code}.po").read_text(encoding="utf-8"))


def places(text: str) -> Counter[tuple[str | None, str | None, str | None]]:
    """Return the places for values in a sentence, with how they are written."""
    return Counter(part[1:] for part in string.Formatter().parse(text) if part[1] is not None)


def test_nothing_is_translated_before_a_language_is_chosen() -> None:
    assert language.used() == "en"
    assert _("Done.") == "Done."
    assert ngettext_("{count} file", "{count} files", 2) == "{count} files"


def test_a_language_without_a_catalogue_leaves_english() -> None:
    language.use("eo")
    assert language.used() == "en"
    assert _("Done.") == "Done."


def test_a_chosen_language_holds_until_another_is_chosen() -> None:
    language.use("de")
    assert language.used() == "de"
    assert _("Done.") == "Fertig."
    assert _("A sentence that nobody has translated.") == "A sentence that nobody has translated."
    language.use("en")
    assert _("Done.") == "Done."


def test_a_catalogue_is_read_with_its_plurals_line_breaks_and_quotes() -> None:
    read = Catalogue.read(
        '# a comment\nmsgid ""\nmsgstr ""\n"Plural-Forms: nplurals=3; '
        'plural=(n==1 ? 0 : n<5 ? 1 : 2);\\n"\n\n'
        '#: somewhere.py\nmsgid ""\n"Two "\n"parts: \\"x\\"\\n"\nmsgstr "Zwei Teile: \\"x\\"\\n"\n\n'
        'msgid "{n} cell"\nmsgid_plural "{n} cells"\nmsgstr[0] "a"\nmsgstr[1] "b"\nmsgstr[2] "c"\n\n'
        'msgid "Not yet."\nmsgstr ""\n'
    )
    assert read.forms == {'Two parts: "x"\n': ('Zwei Teile: "x"\n',), "{n} cell": ("a", "b", "c")}
    assert [read.form_of(number) for number in (0, 1, 2, 5)] == [1, 0, 1, 2]


def test_a_number_chooses_its_form() -> None:
    language._catalogue = Catalogue({"{n} cell": ("{n} Zelle", "{n} Zellen")})
    said = [ngettext_("{n} cell", "{n} cells", number).format(n=number) for number in (0, 1, 2)]
    assert said == ["0 Zellen", "1 Zelle", "2 Zellen"]


@pytest.mark.parametrize("code", CATALOGUES)
def test_every_sentence_of_the_code_has_an_entry(code: str) -> None:
    missing = [
        f"{s.place}: {s.english}" for s in SENTENCES.values() if s.english not in catalogue(code).forms
    ]
    assert not missing, "python tests/marked.py puts them in; then fill them in"


@pytest.mark.parametrize("code", CATALOGUES)
def test_no_entry_is_left_of_what_is_no_longer_said(code: str) -> None:
    assert not set(catalogue(code).forms) - set(SENTENCES), "python tests/marked.py takes them out"


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_has_the_places_of_its_sentence(code: str) -> None:
    wrong = []
    for english, forms in catalogue(code).forms.items():
        sentence = SENTENCES.get(english)
        if sentence is None:
            continue
        if len(forms) != (2 if sentence.many else 1):
            wrong.append(english)
        for number, form in enumerate(forms):
            model = sentence.many if number and sentence.many else english
            # "one cell" need not name its number.
            fits = places(form) == places(model) or (sentence.many and places(form) == places(sentence.many))
            if not fits and not (sentence.many and not number and set(places(form)) <= set(places(model))):
                wrong.append(form)
    assert not wrong


@pytest.mark.parametrize("code", CATALOGUES)
def test_a_translation_ends_as_its_sentence_does(code: str) -> None:
    def end(text: str) -> str:
        return found[0] if (found := re.search(r"[.:?!…\s]+$", text)) else ""

    wrong = [
        form
        for english, forms in catalogue(code).forms.items()
        for form in forms
        if end(form) != end(english)
    ]
    assert not wrong


def test_no_function_that_translates_uses_the_underscore_for_something_else() -> None:
    clashes = []
    for path in marked.PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                body = list(ast.walk(function))
                uses = {type(n.ctx) for n in body if isinstance(n, ast.Name) and n.id == "_"}
                called = any(isinstance(n, ast.Call) and getattr(n.func, "id", "") == "_" for n in body)
                named = any(isinstance(n, ast.arg) and n.arg == "_" for n in body)
                if called and (ast.Store in uses or named):
                    clashes.append(f"{path.name}:{function.lineno}")
    assert not clashes
