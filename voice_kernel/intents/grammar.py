"""From what was said to a plan of tool calls: (text, Context) -> Parse.

The words are matched against the templates of every tool. If nothing matches, words that were perhaps
misheard are replaced by ones that sound alike (`near`), and the cheapest reading is taken when it is
clearly the best. It does not know how a call is carried out; controls are printed like calls.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from voice_kernel.context import Context, squash
from voice_kernel.errors import IntentError
from voice_kernel.intents import dictation
from voice_kernel.intents import sentences as files
from voice_kernel.intents.calls import ANSWERS, ToolCall, gist, refers_back, settled
from voice_kernel.intents.near import Ear
from voice_kernel.intents.plans import Plan, Templates, plans
from voice_kernel.intents.retractions import Retractions
from voice_kernel.intents.slots import WordLists, kinds, known_names, known_tests
from voice_kernel.intents.templates import Compiler, Hearing, Kind, Values
from voice_kernel.intents.words import GluedNumbers, Lexicon, Word, apart, listen, word_set
from voice_kernel.language import _

Route = Literal["intents", "fuzzy", "none"]
Completeness = Literal["unfinished", "extensible", "finished", "other"]
"""How far an utterance is: it breaks off in the middle of a command; it is one that could still go on ("run
the tests", "... in the unit folder"); it is one that nothing can follow; it is no command as it stands."""

LONGEST = 600
"""Words of an utterance that are looked at; longer text is no command."""
FEW = 4
"""A command after which no more words than this could follow is as good as finished: "help (me)"."""
BROKEN_OFF = 2
"""Words of a command that is not one yet that a second thought can replace: "run cell, no, cell four"."""
SURE = 0.3
"""How much dearer than the best reading the second best must be, when words were misheard."""


@dataclass(frozen=True, slots=True)
class Parse:
    """What an utterance means."""

    text: str
    """The utterance as it was given."""
    route: Route
    """`intents`: understood as said; `fuzzy`: misheard words were repaired; `none`: no command."""
    calls: tuple[ToolCall, ...] = ()
    closest: tuple[str, ...] = ()
    """When nothing was understood: up to three phrases that would have been, the nearest first."""
    resembling: bool = False
    """Whether they have more in common with it than one word: then it was perhaps meant as a command."""


class Grammar:
    """Everything that can be said, compiled.

    Args:
        sentences: the content of the sentence files.

    Raises:
        IntentError: a template is wrong; the message names the file and the intent.
    """

    def __init__(self, sentences: files.Sentences) -> None:
        speech = sentences.speech
        self._lexicon = _lexicon(speech)
        self._kinds: Mapping[str, Kind] = kinds(self._lexicon, _word_lists(speech, self._lexicon))
        self._compiler = Compiler(sentences.rules, self._lists(sentences), self._lexicon.fold)
        self._templates = Templates(self._compiler, sentences.blocks, speech, self._lexicon)
        self._examples = {area: dict(intents) for area, intents in sentences.examples.items()}
        self._speech = speech
        self._retractions = Retractions(speech.get("retractions", ()), self._lexicon)
        self.rules: Mapping[str, str] = sentences.rules
        """The rules that templates may refer to."""
        self.tools = frozenset(
            tool
            for block in sentences.blocks
            if not block.own
            for tool in ([block.intent] if block.calls is None else [name for name, _ in block.calls])
        )
        """The names of all tools and controls that our own sentences call."""
        self._ear = self._listening()

    def extended(self, more: Sequence[tuple[str, str]]) -> Grammar:
        """Return this grammar with further sentences on top; what is compiled already is shared.

        Args:
            more: (name for messages, YAML text) pairs, as for `load`; none may replace an intent.

        Raises:
            IntentError: a source is wrong; the message names it.
        """
        if not more:
            return self
        added = files.merge([("", ""), *more])
        grammar = copy.copy(self)
        grammar.rules = {**self.rules, **added.rules}
        grammar._compiler = self._compiler.extended(added.rules, self._lists(added))
        grammar._templates = self._templates.extended(grammar._compiler, added.blocks)
        grammar._examples = {area: dict(intents) for area, intents in self._examples.items()}
        for area, intents in added.examples.items():
            grammar._examples.setdefault(area, {}).update(intents)
        grammar._ear = grammar._listening()
        return grammar

    def _lists(self, sentences: files.Sentences) -> dict[str, Values | Kind]:
        lists: dict[str, Values | Kind] = {}
        for name, body in sentences.lists.items():
            if isinstance(body, Values):
                lists[name] = body
            elif body in self._kinds:
                lists[name] = self._kinds[body]
            else:
                raise IntentError(
                    _("The list {name} is of the unknown kind {kind!r}.").format(
                        name=f"{{{name}}}", kind=body
                    ),
                    hint=_("Known kinds: {kinds}.").format(kinds=", ".join(sorted(self._kinds))),
                )
        return lists

    def _listening(self) -> Ear:
        phrases = [
            (tool, phrase)
            for intents in self._examples.values()
            for tool, examples in intents.items()
            for phrase in examples
        ]
        return Ear(
            vocabulary=self._templates.vocabulary,
            confusions=self._speech.get("confusions", {}),
            function_words=self._words("function_words"),
            phrases=phrases,
            inside=self._words("inside"),
            endings=tuple(str(self._speech.get("endings", "")).split()),
            forms=self._speech.get("forms", {}),
            numbers=self._lexicon.numbers,
            formal=str(self._speech.get("formal", "")),
            gerund=str(self._speech.get("gerund", "")),
            gerund_after=self._speech.get("gerund_after", ()),
            fold=self._lexicon.fold,
        )

    def _words(self, name: str) -> frozenset[str]:
        return word_set(self._lexicon.fold(str(self._speech.get(name, ""))))

    @classmethod
    def load(
        cls, language: str = "en", extra: Path | None = None, more: Sequence[tuple[str, str]] = ()
    ) -> Grammar:
        """Read and compile a language's sentences, with the user's own on top.

        Args:
            language: two letters; the language's own file is part of the package.
            extra: the user's sentence file; one that does not exist is no error.
            more: further (name, YAML text) sources, e.g. of tools that were registered at run time.

        Raises:
            IntentError: a file is missing or wrong.
        """
        sources = files.built_in(language)
        ours = len(sources)
        if extra is not None and extra.exists():
            sources.append(files.read(extra))
        sources.extend(more)
        return cls(files.merge(sources, ours=ours))

    @classmethod
    def shared(cls, language: str = "en", extra: Path | None = None) -> Grammar:
        """Return what `load` does, compiled once for the process as long as the user's file stays as it is.

        Raises:
            IntentError: a file is missing or wrong.
        """
        try:
            changed_ns = extra.stat().st_mtime_ns if extra is not None else 0
        except OSError:
            changed_ns = 0
        return _compiled(language, extra, changed_ns)

    def parse(self, text: str, context: Context | None = None) -> Parse:
        """Return what an utterance means; no calls when it is no command.

        Args:
            text: what was said or typed.
            context: what names can refer to.
        """
        context = context or Context()
        words = listen(text, self._lexicon)
        if not words or len(words) > LONGEST:
            return Parse(text, "none")
        hearing, found, talk = self._plans(text, words, context)
        if not (found or talk) and (parts := apart(words, self._lexicon)) != words:
            hearing, found, talk = self._plans(text, parts, context)
        if found:
            guess = _is_guess(found[0].calls, hearing) and self._repair(hearing, context)
            if guess and not _is_guess(guess, hearing):
                return Parse(text, "fuzzy", settled(guess))
            return Parse(text, "intents", settled(found[0].calls))
        if not talk:
            meant = self._second_thought(text, words, context)
            if meant:
                return Parse(text, "intents", settled(meant))
            repaired = self._repair(hearing, context)
            if repaired:
                return Parse(text, "fuzzy", settled(repaired))
        closest, resembling = self._ear.closest(words)
        return Parse(text, "none", (), closest, resembling)

    def completeness(self, text: str, context: Context | None = None) -> Completeness:
        """Return how far an utterance is, for whoever must decide whether the speaker has finished.

        Args:
            text: what was said so far.
            context: what names can refer to.
        """
        context = context or Context()
        words = listen(text, self._lexicon)
        if not words or len(words) > LONGEST:
            return "other"
        hearing, found, talk = self._plans(text, words, context)
        if found:
            return "extensible" if len(hearing.wanted) > FEW or "*" in hearing.wanted else "finished"
        return "unfinished" if hearing.wanted and not talk else "other"

    def write(self, text: str, kind: str, before: str = "", context: Context | None = None) -> str:
        """Return the text before a cursor with dictated words added.

        Args:
            text: what was said or typed.
            kind: `code`, or anything else for Markdown.
            before: the text before the cursor.
            context: what names can be spoken.
        """
        names = [variable.name for variable in reversed(context.variables)] if context else []
        names += context.columns if context else ()
        return dictation.typed(text, self._lexicon, kind, before=before, names=names)

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every word that a template knows."""
        return self._ear.vocabulary

    def help(self) -> dict[str, tuple[str, ...]]:
        """Return example phrases by area (notebook, data, shell, ...), in the order of the file."""
        return {
            area: tuple(phrase for examples in intents.values() for phrase in examples)
            for area, intents in self._examples.items()
        }

    def examples(self, tool: str) -> tuple[str, ...]:
        """Return example phrases of one tool; none for a tool without sentences."""
        for intents in self._examples.values():
            if tool in intents:
                return intents[tool]
        return ()

    def _plans(
        self, text: str, words: tuple[Word, ...], context: Context
    ) -> tuple[Hearing, list[Plan], bool]:
        """Return what was heard, the ways to understand it as said, and whether it is mere talk."""
        known, tests = known_names(context), known_tests(context)
        readings = self._ear.readings(words)
        hearing = Hearing(text, words, readings, known=known, tests=tests)
        polite = self._ear.with_courtesy(readings, words)
        if polite is not readings:
            hearing = Hearing(text, words, polite, known=known, tests=tests, exact=hearing)
        found, talk = plans(self._templates, hearing, context)
        return hearing, found, talk

    def _second_thought(
        self, text: str, words: tuple[Word, ...], context: Context
    ) -> tuple[ToolCall, ...] | None:
        """Return the calls of what was meant in place of what was said first, if both are commands.

        No answer to a question is read out of a second thought, nor an "it" that was perhaps in the first:
        "select cell three, no, delete it" deletes nothing.
        """
        said: dict[str, bool] = {}
        for first, meant, cut in self._retractions.revised(text, words):
            if first not in said:
                said[first] = bool(self._plans(first, listen(first, self._lexicon), context)[1])
            if not said[first] and cut > BROKEN_OFF:
                continue
            _, found, talk = self._plans(meant, listen(meant, self._lexicon), context)
            if talk or not found:
                continue
            calls = found[0].calls
            if any(call.tool in ANSWERS or refers_back(call) for call in calls):
                continue
            return calls
        return None

    def _repair(self, hearing: Hearing, context: Context) -> tuple[ToolCall, ...] | None:
        readings = self._ear.near_readings(hearing.words)
        if readings is None:
            return None
        loose = Hearing(
            hearing.text,
            hearing.words,
            readings,
            True,
            hearing.known,
            hearing.tests,
            self._ear.vocabulary,
        )
        found, talk = plans(self._templates, loose, context)
        found = [plan for plan in found if plan.repair > 0]
        if not found or talk:
            return None
        best = found[0]
        if not self._ear.believable(hearing.words, best.repair, best.steps):
            return None
        wanted = gist(best.calls)
        for other in found[1:]:
            if gist(other.calls) != wanted and other.weight - best.weight < SURE:
                return None
        return best.calls


@lru_cache(maxsize=4)
def _compiled(language: str, extra: Path | None, changed_ns: int) -> Grammar:
    return Grammar.load(language, extra)


def _is_guess(calls: Sequence[ToolCall], hearing: Hearing) -> bool:
    """Return whether all there is to a plan is a name that nobody knows: "show hystery"."""
    return (
        len(calls) == 1
        and len(hearing.words) <= 3
        and all(len(word.text) > 4 for word in hearing.words[1:])
        and calls[0].tool == "show_variable"
        and squash(str(calls[0].arguments.get("name", ""))) not in hearing.known
    )


def _lexicon(speech: Mapping[str, Any]) -> Lexicon:
    spelling = {str(letter): str(plain) for letter, plain in speech.get("spelling", {}).items()}
    fold = Lexicon({}, {}, {}, spelling=spelling).fold
    counting = speech.get("counting", {})

    def named(body: Mapping[Any, Any]) -> dict[str, Any]:
        return {fold(str(name)): value for name, value in body.items()}

    def words(body: Mapping[str, Any], name: str) -> frozenset[str]:
        return word_set(fold(str(body.get(name, ""))))

    def marks(name: str) -> dict[str, str]:
        return {
            heard: str(mark)
            for mark, names in speech.get(name, {}).items()
            for heard in fold(names).split(", ")
        }

    numbers: Mapping[str, int] = named(speech.get("numbers", {}))
    if glue := str(counting.get("glue", "")):
        numbers = GluedNumbers(numbers, glue, named(counting.get("units", {})))
    return Lexicon(
        contractions={
            short: tuple(fold(str(long)).split())
            for short, long in named(speech.get("contractions", {})).items()
        },
        numbers=numbers,
        hesitations=words(speech, "hesitations"),
        letters=named(speech.get("letters", {})),
        spelling=spelling,
        scales=named(counting.get("scales", {})),
        number_joins=words(counting, "joins"),
        decimal_words=words(counting, "decimals"),
        decimal_mark=str(counting.get("decimal_mark", ".")),
        negatives=words(counting, "negatives"),
        ordinal_endings=words(counting, "ordinal_endings"),
        possessive=str(counting.get("possessive", "")),
        to=str(counting.get("to", "")),
        numbered=words(counting, "nouns"),
        glued=named(counting.get("glued", {})),
        compounds={begin: fold(str(word)) for begin, word in named(speech.get("compounds", {})).items()},
        marks=marks("marks"),
        prose_marks=marks("prose_marks"),
    )


def _word_lists(speech: Mapping[str, Any], lexicon: Lexicon) -> WordLists:
    def words(name: str) -> frozenset[str]:
        return word_set(lexicon.fold(str(speech.get(name, ""))))

    programs: dict[str, frozenset[str]] = {}
    for program, following in speech.get("programs", {}).items():
        programs[str(program)] = frozenset() if following == "*" else word_set(following)
    return WordLists(
        function=words("function_words"),
        clause=words("clause_words"),
        empty=words("empty_words"),
        subjects=words("subjects"),
        commands=words("commands"),
        programs=programs,
        misheard_numbers={
            lexicon.fold(str(word)): int(value) for word, value in speech.get("misheard_numbers", {}).items()
        },
        joins=words("joins"),
        owners=words("owners"),
        relatives=words("relatives"),
        questions=words("questions"),
        in_names=words("in_names"),
        in_servers=words("in_servers"),
        no_clause=words("no_clause"),
        no_value=words("no_value"),
        no_correction=words("no_correction"),
        numbered=words("corrected_nouns"),
        ranges=words("ranges"),
        tables=words("tables"),
        plurals=words("plurals"),
        package_begins=words("package_begins"),
    )
