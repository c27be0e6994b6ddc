"""One utterance, several commands: finds the cheapest way to understand all of it.

Every template that may begin at a word is walked; what is left may be fillers ("please", "for me"), or,
after a joining word or a pause, a next command. Free text costs more than words that a template knows,
so that "search for salt and pepper" stays whole and "search for salt and run the tests" does not. It does
not know how misheard words become readings, nor what becomes of a plan.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from voice_kernel.context import Context
from voice_kernel.errors import IntentError
from voice_kernel.intents.calls import ToolCall, calls_of, chain, dangles, plain
from voice_kernel.intents.near import CONFUSED
from voice_kernel.intents.sentences import Block
from voice_kernel.intents.slots import FREE
from voice_kernel.intents.templates import Choice, Compiler, Hearing, Node, Step, Words
from voice_kernel.intents.words import Lexicon, word_set
from voice_kernel.language import _

STEP_COST = 0.6
"""What a further step of a plan costs: free text of two words and a step weigh about the same."""
FILLER_COST = 0.05
"""What leaving out a filler costs: what a template knows as its own words wins."""
MAX_STEPS = 12
"""Steps of one plan."""


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

    @property
    def weight(self) -> float:
        """How dear it is in all: misheard words weigh more than loose ones."""
        return self.cost + 4.0 * self.repair


@dataclass(frozen=True, slots=True)
class _Template:
    node: Node
    block: Block


class Templates:
    """The compiled templates of a grammar, found by the words they may begin with.

    Args:
        compiler: knows the rules and the lists.
        blocks: the sentences.
        speech: the language's fillers and joining words.
        lexicon: the language's numbers and letters.

    Raises:
        IntentError: a template is wrong; the message names the file and the intent.
    """

    def __init__(
        self, compiler: Compiler, blocks: Iterable[Block], speech: Mapping[str, Any], lexicon: Lexicon
    ) -> None:
        self._lexicon = lexicon
        self._by_first: dict[str, list[_Template]] = {}
        self._by_any: list[_Template] = []
        self._add(compiler, blocks)
        self.before = _any_of(compiler, speech.get("before", ()))
        """What may stand before a command."""
        self.after = _any_of(compiler, speech.get("after", ()))
        """What may stand after a command."""
        self.between = _any_of(compiler, speech.get("between", ()))
        """What joins two commands."""
        self.weak_join = str(speech.get("weak_join", ""))
        """What may just as well join two words of free text."""
        self.in_turn = word_set(lexicon.fold(str(speech.get("in_turn", ""))))
        """What, among joining words, is said on purpose: the next command begins."""

    def extended(self, compiler: Compiler, blocks: Iterable[Block]) -> Templates:
        """Return these templates and further ones; those that are compiled are shared.

        Raises:
            IntentError: a template is wrong; the message names its source and its intent.
        """
        further = copy.copy(self)
        further._by_first = {word: list(templates) for word, templates in self._by_first.items()}
        further._by_any = list(self._by_any)
        further._add(compiler, blocks)
        return further

    def _add(self, compiler: Compiler, blocks: Iterable[Block]) -> None:
        for block in blocks:
            for sentence in block.sentences:
                try:
                    node = compiler.compile(sentence)
                except IntentError as error:
                    raise IntentError(
                        _("{file}, intent {intent!r}, sentence {sentence!r}: {problem}").format(
                            file=block.source,
                            intent=block.intent,
                            sentence=sentence,
                            problem=error.message,
                        ),
                        hint=error.hint,
                    ) from error
                self._index(_Template(node, block))

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every word that a template knows."""
        words: set[str] = set()
        seen: set[int] = set()
        waiting: list[Node] = [
            template.node for group in (*self._by_first.values(), self._by_any) for template in group
        ]
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

    def readings(self, hearing: Hearing, context: Context, at: int, *, alone: bool) -> Iterator[Reading]:
        """Yield the commands that begin at a word."""
        for template in self._candidates(hearing, at):
            block = template.block
            if block.alone != alone and not (alone and block.calls == ()):
                continue
            if hearing.loose and block.exact:
                continue
            for step in template.node.walk(hearing.exact if block.alone and hearing.exact else hearing, at):
                if alone and step.end != len(hearing.words):
                    continue
                if not alone and not self._may_end(hearing, step.end):
                    continue
                if block.calls == ():
                    yield Reading(step.end, step.cost, step.repair, (), True, False)
                    continue
                understood = calls_of(block, step.captures, hearing, context, self._lexicon)
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
            for first in (self.after.first, self.between.first)
        )

    def _index(self, template: _Template) -> None:
        first = template.node.first
        if first is None or template.node.nullable:
            self._by_any.append(template)
        else:
            for word in first:
                self._by_first.setdefault(word, []).append(template)


def plans(templates: Templates, hearing: Hearing, context: Context) -> tuple[list[Plan], bool]:
    """Return the ways to understand the whole utterance, cheapest first, and whether it is mere talk."""
    whole = len(hearing.words)
    alone = [
        reading for reading in templates.readings(hearing, context, 0, alone=True) if reading.end == whole
    ]
    search = _Search(templates, hearing, context)
    found = search.plans(0)
    found += [Plan(reading.cost, reading.repair, reading.calls, 1) for reading in alone if not reading.talk]
    found = [plan for plan in found if not any(dangles(call) for call in plan.calls)]
    found.sort(key=lambda plan: plan.weight)
    talk = min((reading.cost for reading in alone if reading.talk), default=None)
    if search.talk is not None and (talk is None or search.talk < talk):
        talk = search.talk
    if talk is not None and (not found or talk <= found[0].cost):
        return [], True
    return found, False


class _Search:
    """Finds the plans of one utterance; remembers what it found from each word on."""

    def __init__(self, templates: Templates, hearing: Hearing, context: Context) -> None:
        self._templates = templates
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
        for skipped, start in enumerate(self._skip(self._templates.before, at, 8)):
            for reading in self._templates.readings(self._hearing, self._context, start, alone=False):
                if reading.talk:
                    if reading.end == whole and at == 0 and (self.talk is None or reading.cost < self.talk):
                        self.talk = reading.cost
                    continue
                for left_out, end in enumerate(self._skip(self._templates.after, reading.end, 4)):
                    fillers = FILLER_COST * (skipped + 2 * left_out)
                    if end == whole:
                        _keep(best, Plan(fillers + reading.cost, reading.repair, reading.calls, 1))
                        continue
                    for following, joined in self._join(end):
                        for rest in self.plans(following):
                            if rest.steps >= MAX_STEPS:
                                continue
                            cost = fillers + reading.cost + rest.cost + STEP_COST
                            if (
                                reading.free
                                and joined == self._templates.weak_join
                                and whole - following == 1
                            ):
                                cost += 3.0  # "search for undo and redo": one word is no second command
                            if reading.free and not self._templates.in_turn.isdisjoint(joined.split()):
                                cost -= 2.5  # said on purpose: the free text ends here
                            _keep(
                                best,
                                Plan(
                                    cost,
                                    reading.repair + rest.repair,
                                    chain(reading.calls, rest.calls),
                                    rest.steps + 1,
                                ),
                            )
        plans = sorted(best.values(), key=lambda plan: plan.weight)[:3]
        self._found[at] = plans
        return plans

    def _skip(self, node: Node, at: int, most: int) -> list[int]:
        """Return the places that fillers lead to, none included."""
        reached = [at]
        frontier = [at]
        for _further in range(most):
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
            for step in self._templates.between.walk(self._hearing, end)
            if step.repair == 0 and step.end < len(words)
        ]
        if words[end - 1].pause:
            joins.append((end, ","))
        return joins


def _keep(best: dict[str, Plan], plan: Plan) -> None:
    key = plain(plan.calls)
    known = best.get(key)
    if known is None or plan.weight < known.weight:
        best[key] = plan


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


def _any_of(compiler: Compiler, templates: Iterable[str]) -> Node:
    return Choice([compiler.compile(template) for template in templates], False)
