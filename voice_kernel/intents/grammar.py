"""From what was said to a plan of tool calls: (text, Context) -> Parse.

The words are matched against the templates of every tool. One utterance may hold several commands
("run all cells, then save"): every way to cut it is weighed, and the cheapest whole wins, where free text
costs more than words that a template knows. If nothing matches, words that were perhaps misheard are
replaced by ones that sound alike (`hearing`), and the cheapest reading is taken when it is clearly the
best. It does not know how a call is carried out; controls are printed like calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from voice_kernel.context import Context, squash
from voice_kernel.errors import IntentError
from voice_kernel.intents import sentences as files
from voice_kernel.intents.near import CONFUSED, Ear
from voice_kernel.intents.slots import FREE, WordLists, kinds, known_names, resolve
from voice_kernel.intents.templates import Choice, Compiler, Hearing, Kind, Node, Step, Values, Words
from voice_kernel.intents.words import Lexicon, listen, word_set

Route = Literal["intents", "fuzzy", "none"]

STEP_COST = 0.6
"""What a further step of a plan costs: free text of two words and a step weigh about the same."""
FILLER_COST = 0.05
"""What leaving out a filler costs: what a template knows as its own words wins."""
LONGEST = 600
"""Words of an utterance that are looked at; longer text is no command."""
MAX_STEPS = 12
"""Steps of one plan."""
SURE = 0.3
"""How much dearer than the best reading the second best must be, when words were misheard."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a plan."""

    tool: str
    arguments: Mapping[str, Any]


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


class Reading(NamedTuple):
    """One command found in an utterance."""

    end: int
    cost: float
    repair: float
    calls: tuple[ToolCall, ...]
    talk: bool
    free: bool
    """Whether it ends in free text that might have gone on."""


class Plan(NamedTuple):
    """A way to understand the rest of an utterance."""

    cost: float
    repair: float
    calls: tuple[ToolCall, ...]
    steps: int


@dataclass(frozen=True, slots=True)
class _Template:
    node: Node
    block: files.Block


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
        slot_kinds: Mapping[str, Kind] = kinds(self._lexicon, _word_lists(speech))
        lists: dict[str, Values | Kind] = {}
        for name, body in sentences.lists.items():
            if isinstance(body, Values):
                lists[name] = body
            elif body in slot_kinds:
                lists[name] = slot_kinds[body]
            else:
                raise IntentError(
                    f"The list {{{name}}} is of the unknown kind {body!r}.",
                    hint=f"Known kinds: {', '.join(sorted(slot_kinds))}.",
                )
        compiler = Compiler(sentences.rules, lists)
        self._by_first: dict[str, list[_Template]] = {}
        self._by_any: list[_Template] = []
        for block in sentences.blocks:
            for sentence in block.sentences:
                try:
                    node = compiler.compile(sentence)
                except IntentError as error:
                    raise IntentError(
                        f"{block.source}, intent {block.intent!r}, sentence {sentence!r}: {error.message}",
                        hint=error.hint,
                    ) from error
                self._index(_Template(node, block))
        self._before = _any_of(compiler, speech.get("before", ()))
        self._after = _any_of(compiler, speech.get("after", ()))
        self._between = _any_of(compiler, speech.get("between", ()))
        self._examples = {area: dict(intents) for area, intents in sentences.examples.items()}
        phrases = [
            (tool, phrase)
            for intents in self._examples.values()
            for tool, examples in intents.items()
            for phrase in examples
        ]
        self._ear = Ear(
            vocabulary=_vocabulary([template.node for template in self._templates()]),
            confusions=speech.get("confusions", {}),
            function_words=word_set(str(speech.get("function_words", ""))),
            phrases=phrases,
        )

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
        sources = [files.built_in(language)]
        if extra is not None and extra.exists():
            sources.append(files.read(extra))
        sources.extend(more)
        return cls(files.merge(sources))

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
        hearing = Hearing(text, words, self._ear.readings(words), known=known_names(context))
        plans, talk = self._plans(hearing, context)
        if plans:
            guess = _is_guess(plans[0].calls, hearing) and self._repair(hearing, context)
            if guess and not _is_guess(guess, hearing):
                return Parse(text, "fuzzy", settled(guess))
            return Parse(text, "intents", settled(plans[0].calls))
        if not talk:
            repaired = self._repair(hearing, context)
            if repaired:
                return Parse(text, "fuzzy", settled(repaired))
        return Parse(text, "none", (), self._ear.closest(words))

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

    # ---- plans ------------------------------------------------------------------------------------

    def _plans(self, hearing: Hearing, context: Context) -> tuple[list[Plan], bool]:
        """Return the ways to understand the whole utterance, cheapest first, and whether it is mere talk."""
        whole = len(hearing.words)
        alone = [
            reading for reading in self._readings(hearing, context, 0, alone=True) if reading.end == whole
        ]
        search = _Search(self, hearing, context)
        plans = search.plans(0)
        plans += [
            Plan(reading.cost, reading.repair, reading.calls, 1) for reading in alone if not reading.talk
        ]
        plans = [plan for plan in plans if not any(_dangles(call) for call in plan.calls)]
        plans.sort(key=_weight)
        talk = min((reading.cost for reading in alone if reading.talk), default=None)
        if search.talk is not None and (talk is None or search.talk < talk):
            talk = search.talk
        if talk is not None and (not plans or talk <= plans[0].cost):
            return [], True
        return plans, False

    def _repair(self, hearing: Hearing, context: Context) -> tuple[ToolCall, ...] | None:
        readings = self._ear.near_readings(hearing.words)
        if readings is None:
            return None
        loose = Hearing(
            hearing.text, hearing.words, readings, True, hearing.known, vocabulary=self._ear.vocabulary
        )
        plans, talk = self._plans(loose, context)
        plans = [plan for plan in plans if plan.repair > 0]
        if not plans or talk:
            return None
        best = plans[0]
        if not self._ear.believable(hearing.words, best.repair, best.steps):
            return None
        wanted = _gist(best.calls)
        for other in plans[1:]:
            if _gist(other.calls) != wanted and _weight(other) - _weight(best) < SURE:
                return None
        return best.calls

    def _readings(self, hearing: Hearing, context: Context, at: int, *, alone: bool) -> Iterator[Reading]:
        """Yield the commands that begin at a word."""
        for template in self._candidates(hearing, at):
            block = template.block
            if block.alone != alone and not (alone and block.calls == ()):
                continue
            if hearing.loose and block.exact:
                continue
            for step in template.node.walk(hearing, at):
                if alone and step.end != len(hearing.words):
                    continue
                if not alone and not self._may_end(hearing, step.end):
                    continue
                if block.calls == ():
                    yield Reading(step.end, step.cost, step.repair, (), True, False)
                    continue
                understood = _calls(block, step.captures, hearing, context, self._lexicon)
                if understood is None:
                    continue
                if step.repair and not _repairable(hearing, at, step):
                    continue
                calls, change = understood
                cost = step.cost + change - (0.5 if block.own else 0.0)
                free = (
                    bool(step.captures)
                    and step.captures[-1].end == step.end
                    and step.captures[-1].value is None
                )
                yield Reading(step.end, cost, step.repair, calls, False, free)

    def _candidates(self, hearing: Hearing, at: int) -> Iterable[_Template]:
        if at >= len(hearing.readings):
            return ()
        seen: dict[int, _Template] = {}
        for word in hearing.readings[at]:
            for template in self._by_first.get(word, ()):
                seen[id(template)] = template
        return [*seen.values(), *self._by_any]

    def _may_end(self, hearing: Hearing, end: int) -> bool:
        words = hearing.words
        if end >= len(words) or words[end - 1].pause:
            return True
        readings = hearing.readings[end]
        return any(
            first is None or not first.isdisjoint(readings)
            for first in (self._after.first, self._between.first)
        )

    def _templates(self) -> Iterator[_Template]:
        seen: set[int] = set()
        for group in (*self._by_first.values(), self._by_any):
            for template in group:
                if id(template) not in seen:
                    seen.add(id(template))
                    yield template

    def _index(self, template: _Template) -> None:
        first = template.node.first
        if first is None or template.node.nullable:
            self._by_any.append(template)
        else:
            for word in first:
                self._by_first.setdefault(word, []).append(template)


class _Search:
    """Finds the plans of one utterance; remembers what it found from each word on."""

    def __init__(self, grammar: Grammar, hearing: Hearing, context: Context) -> None:
        self._grammar = grammar
        self._hearing = hearing
        self._context = context
        self._found: dict[int, list[Plan]] = {}
        self.talk: float | None = None
        """The cost of the cheapest template of mere talk that spans the whole utterance."""

    def plans(self, at: int) -> list[Plan]:
        """Return the best plans for the words from `at` to the end, cheapest first."""
        known = self._found.get(at)
        if known is not None:
            return known
        self._found[at] = []
        best: dict[str, Plan] = {}
        whole = len(self._hearing.words)
        for skipped, start in enumerate(self._skip(self._grammar._before, at, 8)):
            for reading in self._grammar._readings(self._hearing, self._context, start, alone=False):
                if reading.talk:
                    if reading.end == whole and at == 0 and (self.talk is None or reading.cost < self.talk):
                        self.talk = reading.cost
                    continue
                for left_out, end in enumerate(self._skip(self._grammar._after, reading.end, 4)):
                    fillers = FILLER_COST * (skipped + 2 * left_out)
                    if end == whole:
                        _keep(best, Plan(fillers + reading.cost, reading.repair, reading.calls, 1))
                        continue
                    for following, joined in self._join(end):
                        for rest in self.plans(following):
                            if rest.steps >= MAX_STEPS:
                                continue
                            cost = fillers + reading.cost + rest.cost + STEP_COST
                            if reading.free and joined == "and" and whole - following == 1:
                                cost += 3.0  # "search for undo and redo": one word is no second command
                            if reading.free and "then" in joined:
                                cost -= 2.5  # said on purpose: the free text ends here
                            _keep(
                                best,
                                Plan(
                                    cost,
                                    reading.repair + rest.repair,
                                    _chain(reading.calls, rest.calls),
                                    rest.steps + 1,
                                ),
                            )
        plans = sorted(best.values(), key=_weight)[:3]
        self._found[at] = plans
        return plans

    def _skip(self, node: Node, at: int, most: int) -> list[int]:
        """Return the places that fillers lead to, none included."""
        reached = [at]
        frontier = [at]
        for _ in range(most):
            further = {
                step.end
                for place in frontier
                if place < len(self._hearing.words)
                for step in node.walk(self._hearing, place)
                if step.repair == 0 and step.end not in reached
            }
            if not further:
                break
            frontier = sorted(further)
            reached.extend(frontier)
        return reached

    def _join(self, end: int) -> list[tuple[int, str]]:
        """Return where a next command may begin after one that ended, and the word that joins them."""
        words = self._hearing.words
        joins = [
            (step.end, " ".join(word.text for word in words[end : step.end]))
            for step in self._grammar._between.walk(self._hearing, end)
            if step.repair == 0 and step.end < len(words)
        ]
        if words[end - 1].pause:
            joins.append((end, ","))
        return joins


def _weight(plan: Plan) -> float:
    return plan.cost + 4.0 * plan.repair


def _keep(best: dict[str, Plan], plan: Plan) -> None:
    key = _plain(plan.calls)
    known = best.get(key)
    if known is None or _weight(plan) < _weight(known):
        best[key] = plan


def _gist(calls: Sequence[ToolCall]) -> list[tuple[str, Any]]:
    """Return what a person would miss if it were another: the tools, and which cell or task."""
    return [(call.tool, [call.arguments.get(name) for name in ("cells", "cell", "task")]) for call in calls]


def _is_guess(calls: Sequence[ToolCall], hearing: Hearing) -> bool:
    """Return whether all there is to a plan is a name that nobody knows: "show hystery"."""
    return (
        len(calls) == 1
        and len(hearing.words) <= 3
        and all(len(word.text) > 4 for word in hearing.words[1:])
        and calls[0].tool == "show_variable"
        and squash(str(calls[0].arguments.get("name", ""))) not in hearing.known
    )


def _dangles(call: ToolCall) -> bool:
    """Return whether a call is about an "it" that nothing came before."""
    return "it" in (call.arguments.get("name"), call.arguments.get("frame"))


def _plain(calls: Sequence[ToolCall]) -> str:
    return repr([(call.tool, sorted(call.arguments.items())) for call in calls])


# ---- calls ----------------------------------------------------------------------------------------


def _calls(
    block: files.Block, captures: Sequence[Any], hearing: Hearing, context: Context, lexicon: Lexicon
) -> tuple[tuple[ToolCall, ...], float] | None:
    """Return the calls of an understood sentence, and what resolving its slots changed in its cost."""
    values: dict[str, Any] = {}
    several: list[str] = []
    change = 0.0
    for capture in captures:
        resolved = resolve(capture, hearing, context, lexicon)
        if resolved is None:
            return None
        value, saving = resolved
        change += saving
        if capture.slot == "cells_and":
            several.append(str(value))
        else:
            values[capture.slot] = value
    arguments = {**block.slots, **values}
    spread: list[str] = []
    if "cells" in arguments or any(name.startswith("cells_") for name in arguments):
        cells = _cells(arguments, several, context)
        if cells is None:
            return None
        arguments["cells"] = cells[0]
        spread = cells[1:]
    for name in ("task", "approval", "index", "time", "timeout"):
        value = arguments.get(name)
        if name in ("index", "time", "timeout", "approval") and isinstance(value, str) and value.isdigit():
            arguments[name] = int(value)
    arguments.pop("instead_of", None)
    if block.calls is None:
        tool = block.intent
        calls = [ToolCall(tool, arguments)]
        calls += [ToolCall(tool, {**arguments, "cells": cell}) for cell in spread]
        if tool == "delete_cells":
            calls.sort(key=_first_cell, reverse=True)  # from the end, so that numbers stay true
        return tuple(calls), change
    return tuple(ToolCall(tool, _fill(wanted, arguments)) for tool, wanted in block.calls), change


def _fill(wanted: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with their `{slots}` filled; an argument whose slot was not said is left out."""
    filled: dict[str, Any] = {}
    for name, value in wanted.items():
        if isinstance(value, str):
            slots = files.slots_of(value)
            if any(slot not in values for slot in slots):
                continue
            if slots and value == "{" + slots[0] + "}":
                value = values[slots[0]]
            else:
                for slot in slots:
                    value = value.replace("{" + slot + "}", str(values[slot]))
        filled[name] = value
    return filled


def _cells(arguments: dict[str, Any], several: list[str], context: Context) -> list[str] | None:
    """Return the cells that were named, as strings of the tools' cell address, or None when impossible."""
    cells = str(arguments.get("cells", ""))
    to = arguments.pop("cells_to", None)
    first = arguments.pop("cells_first", None)
    last = arguments.pop("cells_last", None)
    if first is not None:
        return [f"1-{first}" if first != "1" else "first"]
    if last is not None:
        if last == "1":
            return ["last"]
        if context.cell_count < int(last):
            return None
        return [f"{context.cell_count - int(last) + 1}-{context.cell_count}"]
    if to is not None:
        start = "1" if cells == "first" else cells
        if not (start.isdigit() and str(to).isdigit()) or int(start) > int(to):
            return None
        return [f"{start}-{to}" if start != to else start]
    if several:
        numbers = [cells, *several]
        if not all(number.isdigit() for number in numbers):
            return None
        ordered = sorted({int(number) for number in numbers})
        if len(ordered) > 1 and ordered == list(range(ordered[0], ordered[-1] + 1)):
            return [f"{ordered[0]}-{ordered[-1]}"]
        return [str(number) for number in ordered]
    return [cells]


def _repairable(hearing: Hearing, at: int, step: Step) -> bool:
    """Return whether a reading with misheard words may be trusted.

    Free text can swallow anything, so beside it the verb must have been heard as it stands; beside
    names it may at most be a confusion that is known.
    """
    if any(capture.kind in FREE and capture.value is None for capture in step.captures):
        return False
    if any(capture.value is None for capture in step.captures):
        return step.repair <= CONFUSED or hearing.words[at].text in hearing.vocabulary
    return True


def _first_cell(call: ToolCall) -> int:
    start = str(call.arguments.get("cells", "")).split("-")[0]
    return int(start) if start.isdigit() else 0


def _chain(before: tuple[ToolCall, ...], after: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """Join two steps; "it" in the second means what the first was about."""
    if not after:
        return before
    head = after[0]
    arguments = dict(head.arguments)
    last = before[-1]
    if arguments.get("frame") == "it" and isinstance(last.arguments.get("name"), str):
        arguments["frame"] = last.arguments["name"]
    for name in ("cells", "cell"):
        if arguments.get(name) == "it":
            if last.tool == "insert_cell":
                arguments[name] = "current"
                continue
            earlier = last.arguments.get("cells", last.arguments.get("cell"))
            if last.tool == "select_cell" or earlier is None:
                earlier = "current"
            if name == "cells" or "-" not in str(earlier):
                arguments[name] = earlier
    if (
        arguments.get("name", "it") == "it"
        and head.tool in ("mcp_list_tools", "mcp_start")
        and "name" in last.arguments
    ):
        arguments["name"] = last.arguments["name"]
    return (*before, ToolCall(head.tool, arguments), *after[1:])


def settled(calls: tuple[ToolCall, ...]) -> tuple[ToolCall, ...]:
    """Return calls in which an "it" that nothing came before means the current cell."""
    return tuple(
        ToolCall(call.tool, {name: "current" if value == "it" and name in ("cells", "cell") else value
                             for name, value in call.arguments.items()})
        for call in calls
    )  # fmt: skip


# ---- the command line's door ----------------------------------------------------------------------


def parse_lines(lines: Iterable[str], grammar: Grammar, context: Context | None = None) -> Iterator[str]:
    """Parse one utterance a line and yield one JSON object a line.

    Args:
        lines: texts; a line that is a JSON object with the key `say` stands for that value.
        grammar: what can be said.
        context: what names can refer to.

    Yields:
        `{"text", "route", "calls": [{"tool", "arguments"}], "closest"}`.
    """
    for line in lines:
        text = line.rstrip("\r\n")
        if text.lstrip().startswith("{"):
            try:
                row = json.loads(text)
            except ValueError:
                row = None
            if isinstance(row, dict) and isinstance(row.get("say"), str):
                text = row["say"]
        parse = grammar.parse(text, context)
        yield json.dumps(
            {
                "text": parse.text,
                "route": parse.route,
                "calls": [{"tool": call.tool, "arguments": dict(call.arguments)} for call in parse.calls],
                "closest": list(parse.closest),
            },
            ensure_ascii=False,
        )


# ---- loading --------------------------------------------------------------------------------------


def _lexicon(speech: Mapping[str, Any]) -> Lexicon:
    numbers = {str(word): int(value) for word, value in speech.get("numbers", {}).items()}
    return Lexicon(
        contractions={
            str(short): tuple(str(long).split()) for short, long in speech.get("contractions", {}).items()
        },
        numbers=numbers,
        hesitations=word_set(str(speech.get("hesitations", ""))),
        letters={str(name): str(letter) for name, letter in speech.get("letters", {}).items()},
    )


def _word_lists(speech: Mapping[str, Any]) -> WordLists:
    def words(name: str) -> frozenset[str]:
        return word_set(str(speech.get(name, "")))

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
            str(word): int(value) for word, value in speech.get("misheard_numbers", {}).items()
        },
    )


def _any_of(compiler: Compiler, templates: Iterable[str]) -> Node:
    return Choice([compiler.compile(template) for template in templates], False)


def _vocabulary(nodes: Iterable[Node]) -> frozenset[str]:
    """Return every word that a template knows."""
    words: set[str] = set()
    seen: set[int] = set()
    waiting: list[Node] = list(nodes)
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Words):
            words |= node.words
        waiting.extend(getattr(node, "nodes", ()))
        inner = getattr(node, "node", None)
        if inner is not None:
            waiting.append(inner)
    return frozenset(words)
