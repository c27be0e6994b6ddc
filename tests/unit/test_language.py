"""The session's language: catalogues, and that they say everything the code says."""

from __future__ import annotations

import ast
import asyncio
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import marked
import pytest

from voice_kernel import language
from voice_kernel.context import Context
from voice_kernel.events import Hub
from voice_kernel.intents import Grammar
from voice_kernel.language import Catalogue, _, ngettext_
from voice_kernel.messages import About, Approval, Task
from voice_kernel.session import Session, TurnResult
from voice_kernel.speaking.renderer import Renderer
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import files, shell, tasks
from voice_kernel.tools.session import register

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
    forms = catalogue(code).forms
    missing = [f"{s.place}: {s.english}" for s in SENTENCES.values() if s.english not in forms]
    assert not missing, "python tests/marked.py puts them in; then fill them in"


@pytest.mark.parametrize("code", CATALOGUES)
def test_no_entry_is_left_of_what_is_no_longer_said(code: str) -> None:
    assert not set(catalogue(code).forms) - set(SENTENCES), "python tests/marked.py takes them out"


IN_A_TERMINAL = ("cli", "doctor", "headless", "script", "settings")
"""Modules whose sentences are read in a terminal alone, or before there is a language: they speak English."""


def test_whatever_an_error_tells_a_person_in_a_notebook_is_marked() -> None:
    trees = {
        path.relative_to(marked.PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(marked.PACKAGE.rglob("*.py"))
    }
    told = marked.errors_of(trees.values()) | marked.TOLD
    assert {"SettingsError", "Fault"} <= told
    forgotten = [
        sentence
        for module, tree in trees.items()
        if module.split("/")[0].removesuffix(".py") not in IN_A_TERMINAL
        for sentence in marked.unmarked(tree, told, module)
    ]
    assert not forgotten, "mark it with _ or N_, run python tests/marked.py, and fill it in"


@pytest.mark.parametrize(
    "call",
    [
        'ToolError("There is none.")',
        'ToolError(_("There is none."), hint="Say it again.")',
        'ToolError(f"There is no {name}.")',
        'errors.ToolError(words if words else "There is none.")',
        'ToolError(_("There is none."), hint=_("Say it.") + " It may help.")',
    ],
)
def test_a_sentence_that_was_forgotten_is_found(call: str) -> None:
    assert list(marked.unmarked(ast.parse(call), frozenset({"ToolError"})))


def test_names_marked_sentences_and_what_was_worded_elsewhere_are_not_taken_for_forgotten() -> None:
    code = """ToolError(_("There is no {name}.").format(name="a b"), hint=hint, kind="not mine")
ToolError(f"{name}: {error.message}", hint=ngettext_("one cell", "some cells", 2))
ValueError("two words")"""
    assert not list(marked.unmarked(ast.parse(code), frozenset({"ToolError"})))


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


# ---- a session in German ----------------------------------------------------------------------------


class Room:
    """A session in German with real tools, a person who sees cards, and a voice."""

    def __init__(self, folder: Path, *, somebody: bool = True) -> None:
        self.hub = Hub(About(version="test", language="de"))
        self.registry = Registry()
        runner = Runner(self.hub, lambda task_id: LogFolder(folder.parent / "logs").open(f"task-{task_id}"))

        async def seen() -> bool:
            return somebody

        async def grammar() -> Grammar:
            return Grammar.shared("de")

        async def context() -> Context:
            return Context()

        async def begin_thread() -> None:
            return None

        self.approvals = Approvals(self.hub, seen)
        toolbox = Toolbox(self.registry, Policy(shell_allowed=True), self.approvals, runner)
        self.session = Session(self.hub, toolbox, grammar, context, lambda: None)
        register(self.registry, grammar, begin_thread)
        files.register(self.registry, cwd=lambda: folder)
        shell.register(self.registry, cwd=lambda: folder)
        tasks.register(self.registry, tasks=runner.tasks, call=self._call)
        self.renderer = Renderer("de")

    async def _call(self, *_given: object) -> Task:
        raise AssertionError("no task is done again here")

    async def say(self, words: str) -> TurnResult:
        turn_id = self.session.begin("text", state="understanding")
        return await self.session.understand(turn_id, words)

    async def card(self) -> Approval:
        """Wait for the card of what was said, and note that it is on the screen."""
        _state, told = self.hub.subscribe()
        while not self.approvals.open:
            await told.changes()
        told.close()
        card = self.approvals.open[0]
        self.approvals.shown(card.id)
        return card

    def aloud(self, result: TurnResult) -> str:
        return self.renderer.turn(result.turn, result.tasks, "short")


@pytest.fixture
async def room(tmp_path: Path) -> Room:
    language.use("de")
    (tmp_path / "preise.csv").write_text("a,b")
    (tmp_path / "daten").mkdir()
    return Room(tmp_path)


async def test_a_command_in_german_is_answered_in_german(room: Room) -> None:
    result = await room.say("liste die Dateien auf")
    assert result.results[0].summary == "1 Datei und 1 Ordner hier"
    assert room.aloud(result) == "1 Datei und 1 Ordner hier."


async def test_the_same_session_answers_in_english_after_a_change_of_language(room: Room) -> None:
    language.use("en")
    result = await room.say("liste die Dateien auf")
    assert result.results[0].summary == "1 file and 1 folder here"


async def test_what_was_said_stays_as_it_was_said(room: Room) -> None:
    result = await room.say("liste die Dateien auf")
    language.use("en")
    assert room.session.result(result.turn.id).results[0].summary == "1 Datei und 1 Ordner hier"


async def test_an_unknown_command_gets_a_german_hint(room: Room) -> None:
    result = await room.say("der Hund schläft im Garten")
    assert result.outcome == "nothing"
    assert result.turn.problem is not None
    assert result.turn.problem.message == "Das habe ich nicht verstanden."
    assert result.turn.problem.hint == "Sagen Sie „Hilfe“, um zu sehen, was Sie sagen können."


async def test_help_lists_what_can_be_said_in_german(room: Room) -> None:
    result = await room.say("Hilfe")
    assert result.results[0].summary == "Das können Sie sagen."
    assert "liste die Dateien auf" in result.results[0].text


async def test_a_command_of_the_shell_is_told_in_german(room: Room) -> None:
    result = await room.say("führe den Befehl ls aus")
    assert re.fullmatch(r"Exit-Code 0 nach \S+ m?s", result.results[0].summary)
    failed = await room.say("führe den Befehl gibtsnicht aus")
    assert failed.turn.problem is not None
    assert failed.turn.problem.message == "Einen Befehl namens 'gibtsnicht' gibt es hier nicht."
    assert room.aloud(failed).startswith("Einen Befehl namens gibtsnicht")


async def test_an_approval_is_asked_for_and_answered_in_german(room: Room) -> None:
    turn = asyncio.ensure_future(room.say("führe den Befehl rm preise.csv aus"))
    card = await asyncio.wait_for(room.card(), 60)
    assert card.target == "rm preise.csv"
    assert card.reason == (
        "Es wird gefragt, weil es etwas löscht oder überschreibt, das sich nicht wiederherstellen lässt."
    )
    assert room.renderer.approval(card).startswith("Ich brauche Ihre Freigabe. Es wird gefragt, weil")
    denied = await room.say("nein")
    assert denied.turn.answer == "Abgelehnt."
    result = await turn
    assert result.turn.problem is not None
    assert result.turn.problem.message == "Sie haben run_shell abgelehnt."
    late = await room.say("ja")
    assert late.turn.problem is not None
    assert late.turn.problem.message == "Es wartet nichts auf Ihre Freigabe."


async def test_where_nobody_can_be_asked_it_is_said_in_german(tmp_path: Path) -> None:
    language.use("de")
    result = await Room(tmp_path, somebody=False).say("führe den Befehl rm preise.csv aus")
    assert result.turn.problem is not None
    assert result.turn.problem.message.startswith(
        "run_shell braucht eine Freigabe, und hier lässt sich niemand"
    )


async def test_a_number_of_tasks_takes_its_form(room: Room) -> None:
    first = await room.say("liste die Dateien auf")
    assert first.ok
    one = await room.say("liste die Aufgaben auf")
    assert one.results[0].summary == "1 Aufgabe, davon 0 noch nicht fertig"
    two = await room.say("liste die Aufgaben auf")
    assert two.results[0].summary == "2 Aufgaben, davon 0 noch nicht fertig"


def quoted() -> list[str]:
    """Return the commands that German sentences tell a person to say."""
    found = set()
    for form in (form for forms in catalogue("de").forms.values() for form in forms):
        if "Sagen Sie" in form:
            found.update(re.findall(r"„([^“{]+)“", form))
    return sorted(found)


@pytest.mark.parametrize("command", quoted())
def test_what_a_person_is_told_to_say_is_understood(command: str) -> None:
    parse = Grammar.shared("de").parse(command, Context())
    assert parse.route == "intents", parse.closest


def test_a_large_number_is_written_and_said_as_the_language_does() -> None:
    assert language.number(1234567) == "1,234,567"
    language.use("de")
    assert language.number(1234567) == "1\u202f234\u202f567"
    assert Renderer("de").question(f"{language.number(12345)} Zeilen?") == "12345 Zeilen?"


@pytest.mark.parametrize(
    ("code", "seconds", "quote"), [("en", "1.5", "“run the tests”"), ("de", "1,5", "„run the tests“")]
)
def test_decimals_and_quotation_marks_are_the_languages_own(code: str, seconds: str, quote: str) -> None:
    language.use(code)
    assert language.decimal(1.46, 1) == seconds
    assert language.quoted("run the tests") == quote
