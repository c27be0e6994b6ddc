"""Sentence templates in hassil's language, compiled for matching word by word.

hassil reads a template into an expression; this module turns the expression into nodes that walk over
what was heard. Unlike hassil's own matcher it works on words instead of characters, remembers what it
has tried, skips whatever cannot start with the next word, and can walk over words that were perhaps
misheard: each reading of a word carries the price of having been misheard. It knows nothing of tools,
slots' meanings or the user's names: what a `{slot}` may span, the slot's kind says.

Source: the template language is https://github.com/OHF-Voice/hassil (README, "Sentence Templates").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, permutations, product
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from voice_kernel.errors import IntentError
from voice_kernel.intents.words import Word
from voice_kernel.language import _, number

if TYPE_CHECKING:
    from hassil.expression import Expression

MAX_STEPS = 96
"""Readings kept at any point of a template; beyond that the dearest are dropped."""
MAX_WAYS = 5_000
"""In which one part of a template may be said: the orders of `(a;b;c)`, the spellings of `un(do|redo)`."""


class Capture(NamedTuple):
    """What one slot spans."""

    slot: str
    kind: str
    start: int
    end: int
    value: Any
    """The value, where the kind or the list already knows it; else None."""


class Step(NamedTuple):
    """One way to have walked a node."""

    end: int
    """Index of the next word."""
    cost: float
    """How loosely the words are held: nothing for literal words, more for free text."""
    repair: float
    """The price of the words that were taken for others."""
    captures: tuple[Capture, ...]


class Kind(Protocol):
    """What a slot may span."""

    @property
    def name(self) -> str:
        """What sentence files call it."""
        ...

    def spans(self, hearing: Hearing, at: int) -> Iterable[tuple[int, float, float, Any]]:
        """Yield (end, cost, repair, value) for every run of words from `at` that the slot may hold."""
        ...


@dataclass(slots=True)
class Hearing:
    """What was heard: words, and at each place the readings a template may match."""

    text: str
    words: tuple[Word, ...]
    readings: list[dict[str, tuple[tuple[int, float], ...]]]
    """For each word: template word -> ((index after it, price of the repair), ...)."""
    loose: bool = False
    """Whether misheard words are among the readings."""
    known: frozenset[str] = frozenset()
    """Names of the user's that a slot may hold, squashed (see context.squash)."""
    tests: frozenset[str] = frozenset()
    """Names of the user's tests, squashed."""
    vocabulary: frozenset[str] = frozenset()
    """Every word that a template knows; only filled when readings are loose."""
    exact: Hearing | None = None
    """The same without words of courtesy skipped, for what counts only word by word."""
    memo: dict[tuple[int, int], list[Step]] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    """Words that some template would have gone on with, had more been said; `*` for words of any kind."""


class Node:
    """A compiled piece of a template."""

    __slots__ = ("first", "nullable")

    first: frozenset[str] | None
    """The words it can begin with; None when it may begin with anything."""
    nullable: bool
    """Whether it may match nothing at all."""

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Return every way to match from a word on."""
        raise NotImplementedError


class Words(Node):
    """One word out of a set."""

    __slots__ = ("words",)

    def __init__(self, words: frozenset[str]) -> None:
        self.words = words
        self.first = words
        self.nullable = False

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Return the readings of the next word that are in the set."""
        if at >= len(hearing.readings):
            return []
        words = self.words
        return [
            Step(end, 0.0, repair, ())
            for word, ends in hearing.readings[at].items()
            if word in words
            for end, repair in ends
        ]


class Run(Node):
    """Several nodes, one after the other."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)
        self.nullable = all(node.nullable for node in nodes)
        first: frozenset[str] | None = frozenset()
        for node in nodes:
            first = None if first is None or node.first is None else first | node.first
            if not node.nullable:
                break
        self.first = first

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Walk every node, each from where the one before ended."""
        steps = [Step(at, 0.0, 0.0, ())]
        for node in self.nodes:
            following: list[Step] = []
            for step in steps:
                end, cost, repair, captures = step
                if not node.nullable and not _may_begin(node, hearing, end):
                    continue
                for further in node.walk(hearing, end):
                    following.append(
                        Step(
                            further.end,
                            cost + further.cost,
                            repair + further.repair,
                            captures + further.captures if further.captures else captures,
                        )
                    )
            if not following:
                return following
            steps = following if len(following) <= 3 else _thin(following)
        return steps


class Choice(Node):
    """One node out of several."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: Sequence[Node], optional: bool) -> None:
        self.nodes = tuple(nodes)
        self.nullable = optional or any(node.nullable for node in nodes)
        firsts = [node.first for node in nodes]
        self.first = (
            None
            if any(first is None for first in firsts)
            else frozenset().union(*(first for first in firsts if first is not None))
        )

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Walk every node that may begin here."""
        steps = [Step(at, 0.0, 0.0, ())] if self.nullable else []
        if not _may_begin(self, hearing, at):
            return steps
        for node in self.nodes:
            if _may_begin(node, hearing, at):
                steps.extend(node.walk(hearing, at))
        return steps


class Shared(Node):
    """A rule or a list that many templates use; its walks are remembered."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node
        self.first = node.first
        self.nullable = node.nullable

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Walk the node, or recall the walk."""
        key = (id(self), at)
        steps = hearing.memo.get(key)
        if steps is None:
            steps = hearing.memo[key] = _thin(self.node.walk(hearing, at))
        return steps


class Value(Node):
    """One entry of a list: words that stand for a value."""

    __slots__ = ("kind", "node", "slot", "value")

    def __init__(self, node: Node, slot: str, kind: str, value: Any) -> None:
        self.node, self.slot, self.kind, self.value = node, slot, kind, value
        self.first = node.first
        self.nullable = False

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Walk the words and note what they stand for."""
        return [
            Step(
                step.end,
                step.cost,
                step.repair,
                (*step.captures, Capture(self.slot, self.kind, at, step.end, self.value)),
            )
            for step in self.node.walk(hearing, at)
            if step.end > at
        ]


class Slot(Node):
    """A place for words that the template does not know."""

    __slots__ = ("kind", "slot")

    def __init__(self, kind: Kind, slot: str) -> None:
        self.kind, self.slot = kind, slot
        self.first = None
        self.nullable = False

    def walk(self, hearing: Hearing, at: int) -> list[Step]:
        """Let the kind say what the slot may span."""
        kind = self.kind.name
        return [
            Step(end, cost, repair, (Capture(self.slot, kind, at, end, value),))
            for end, cost, repair, value in self.kind.spans(hearing, at)
        ]


def _may_begin(node: Node, hearing: Hearing, at: int) -> bool:
    first = node.first
    if at >= len(hearing.readings):
        hearing.wanted.update(first if first is not None else ("*",))
    if first is None or node.nullable:
        return True
    return at < len(hearing.readings) and not first.isdisjoint(hearing.readings[at])


def _thin(steps: list[Step]) -> list[Step]:
    """Drop repeats and, past a bound, the dearest."""
    if len(steps) < 2:
        return steps
    best: dict[tuple[int, tuple[Capture, ...]], Step] = {}
    for step in steps:
        key = (step.end, step.captures)
        known = best.get(key)
        if known is None or (step.repair, step.cost) < (known.repair, known.cost):
            best[key] = step
    kept = list(best.values())
    if len(kept) > MAX_STEPS:
        kept.sort(key=lambda step: step.repair * 4 + step.cost - 0.05 * step.end)
        del kept[MAX_STEPS:]
    return kept


# ---- compiling ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Values:
    """A list of a sentence file: templates and what each stands for."""

    entries: tuple[tuple[str, Any], ...]


def read(template: str) -> Expression:
    """Return a template as hassil reads it.

    Raises:
        IntentError: it cannot be read.
    """
    from hassil.errors import HassilError
    from hassil.parse_expression import parse_sentence
    from hassil.parser import ParseError

    try:
        return parse_sentence(template).expression
    except (HassilError, ParseError, ValueError, AssertionError, RecursionError) as error:
        raise IntentError(
            _("The template {template!r} cannot be read: {error}").format(template=template, error=error),
            hint=_("Check its brackets: [optional], (one|or the other), {slot}, <rule>."),
        ) from error


class Compiler:
    """Compiles the templates of one grammar; rules and lists are shared between them.

    Args:
        rules: what `<rule>` stands for.
        lists: what `{slot}` may hold.
        fold: how the language spells a text that words are compared with.
    """

    def __init__(
        self,
        rules: Mapping[str, str],
        lists: Mapping[str, Values | Kind],
        fold: Callable[[str], str] = str.lower,
    ) -> None:
        self._rules = rules
        self._lists = lists
        self._fold = fold
        self._shared: dict[tuple[str, str], Node] = {}
        self._open: set[str] = set()

    def extended(self, rules: Mapping[str, str], lists: Mapping[str, Values | Kind]) -> Compiler:
        """Return a compiler that knows further rules and lists; what is compiled already is shared."""
        further = Compiler({**self._rules, **rules}, {**self._lists, **lists}, self._fold)
        further._shared = {
            (name, what): node
            for (name, what), node in self._shared.items()
            if not (what in rules if name == "rule" else name in lists)
        }
        return further

    def compile(self, template: str) -> Node:
        """Compile one template.

        Raises:
            IntentError: the template cannot be read, or names a rule or a list that does not exist.
        """
        return self._node(read(template))

    def _node(self, expression: Expression) -> Node:
        from hassil import expression as ex

        if isinstance(expression, ex.TextChunk):
            return _literal(self._fold(expression.text))
        if isinstance(expression, ex.RuleReference):
            return self._rule(expression.rule_name)
        if isinstance(expression, ex.ListReference):
            return self._slot(expression.list_name, expression.slot_name)
        if isinstance(expression, ex.Alternative):
            branches = [self._node(item) for item in expression.items if not _is_empty(item)]
            return _choice(branches, expression.is_optional)
        if isinstance(expression, ex.Permutation):
            _check_ways(math.factorial(len(expression.items)))
            parts = [self._node(item) for item in expression.items]
            return _choice([Run(order) for order in permutations(parts)], False)
        if isinstance(expression, ex.Group):
            return self._run(expression.items)
        raise IntentError(
            _("A template holds something unknown: {expression!r}.").format(expression=expression)
        )

    def _run(self, items: Sequence[Expression]) -> Node:
        nodes: list[Node] = []
        glued: list[Expression] = []
        for item in [*items, None]:
            if item is not None and glued and not _ends_word(glued[-1]) and not _begins_word(item):
                glued.append(item)
                continue
            if len(glued) == 1:
                nodes.append(self._node(glued[0]))
            elif glued:
                spellings = list(map(_spellings, glued))
                _check_ways(math.prod(map(len, spellings)))
                texts = {"".join(parts) for parts in product(*spellings)}
                nodes.append(_choice([_literal(self._fold(text)) for text in sorted(texts)], False))
            glued = [] if item is None else [item]
        nodes = [node for node in nodes if not (isinstance(node, Run) and not node.nodes)]
        return nodes[0] if len(nodes) == 1 else Run(nodes)

    def _rule(self, name: str) -> Node:
        key = ("rule", name)
        if key not in self._shared:
            if name not in self._rules:
                raise IntentError(
                    _("There is no rule <{name}>.").format(name=name),
                    hint=_("Define it under expansion_rules."),
                )
            if name in self._open:
                raise IntentError(_("The rule <{name}> refers to itself.").format(name=name))
            self._open.add(name)
            self._shared[key] = Shared(self.compile(self._rules[name]))
            self._open.discard(name)
        return self._shared[key]

    def _slot(self, list_name: str, slot: str) -> Node:
        key = (list_name, slot)
        if key not in self._shared:
            known = self._lists.get(list_name)
            if known is None:
                raise IntentError(
                    _("There is no list {name}.").format(name=f"{{{list_name}}}"),
                    hint=_("Define it under lists."),
                )
            if isinstance(known, Values):
                entries = [
                    Value(self.compile(template), slot, list_name, value) for template, value in known.entries
                ]
                self._shared[key] = Shared(_choice(list(entries), False))
            else:
                self._shared[key] = Shared(Slot(known, slot))
        return self._shared[key]


def _check_ways(many: int) -> None:
    if many > MAX_WAYS:
        raise IntentError(
            _("A template can be said in too many ways, {count} is the most.").format(count=number(MAX_WAYS)),
            hint=_("Part it into several sentences."),
        )


def _literal(text: str) -> Node:
    words = text.split()
    nodes = [Words(frozenset((word,))) for word in words]
    return nodes[0] if len(nodes) == 1 else Run(nodes)


def _choice(nodes: list[Node], optional: bool) -> Node:
    """Make a choice, its single words drawn together into one node."""
    single = frozenset(word for node in nodes if isinstance(node, Words) for word in node.words)
    rest = [node for node in nodes if not isinstance(node, Words)]
    if single:
        rest.insert(0, Words(single))
    return rest[0] if len(rest) == 1 and not optional else Choice(rest, optional)


def _is_empty(expression: Expression) -> bool:
    return getattr(expression, "text", None) == ""


def _begins_word(expression: Expression) -> bool:
    return _edge(expression, 0)


def _ends_word(expression: Expression) -> bool:
    return _edge(expression, -1)


def _edge(expression: Expression, side: int) -> bool:
    """Whether an expression has white space at its beginning (0) or its end (-1)."""
    text = getattr(expression, "text", None)
    if isinstance(text, str):
        return text == "" or text[side].isspace()
    items = getattr(expression, "items", None)
    if not items:
        return False
    if type(expression).__name__ == "Sequence":
        return _edge(items[side], side)
    return all(_edge(item, side) for item in items if not _is_empty(item))


def _spellings(expression: Expression) -> list[str]:
    """Return every text of such an expression, when they are not too many."""
    texts = list(islice(_texts(expression), MAX_WAYS + 1))
    _check_ways(len(texts))
    return texts


def _texts(expression: Expression) -> Iterator[str]:
    """Yield every text of an expression that holds no slot and no rule."""
    text = getattr(expression, "text", None)
    if isinstance(text, str):
        yield text
        return
    items = getattr(expression, "items", None)
    if items is None:
        raise IntentError(
            _("A slot or a rule touches a word in a template."), hint=_("Put a space between them.")
        )
    if type(expression).__name__ == "Sequence":
        for parts in product(*map(_spellings, items)):
            yield "".join(parts)
    else:
        for item in items:
            yield from _texts(item)
