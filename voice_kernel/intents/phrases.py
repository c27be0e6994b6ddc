"""How a template sounds: example phrases, and the slots it has.

Reads a template as the compiler does, but writes it out instead of matching it: for help, for phrases to
offer, and to find out whether somebody else already means the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from voice_kernel.errors import IntentError
from voice_kernel.intents.templates import read
from voice_kernel.language import _

if TYPE_CHECKING:
    from hassil.expression import Expression


class SlotPlace(NamedTuple):
    """A `{list:slot}` of a template; `{name}` is short for `{name:name}`."""

    list_name: str
    slot: str


def slots_in(template: str) -> tuple[SlotPlace, ...]:
    """Return the slots that stand in a template, in order, without those of its rules.

    Raises:
        IntentError: the template cannot be read.
    """
    return tuple(_slots(read(template)))


def phrase(
    template: str, samples: Mapping[str, str], rules: Mapping[str, str] | None = None, *, full: bool = True
) -> str:
    """Return one phrase that a template matches: of alternatives the first, all optional parts or none.

    Args:
        template: a sentence template.
        samples: slot -> what is said for it; a slot without one is said by its name.
        rules: the rules that it may refer to; the name stands for one that is missing.
        full: whether optional parts are said.

    Raises:
        IntentError: the template cannot be read.
    """
    return " ".join(_said(read(template), samples, rules or {}, full, 0).split())


def _said(
    expression: Expression, samples: Mapping[str, str], rules: Mapping[str, str], full: bool, depth: int
) -> str:
    from hassil import expression as ex

    if isinstance(expression, ex.TextChunk):
        return expression.original_text
    if isinstance(expression, ex.ListReference):
        return samples.get(expression.slot_name, expression.slot_name.replace("_", " "))
    if isinstance(expression, ex.RuleReference):
        if depth > 20:
            raise IntentError(_("The rule <{name}> refers to itself.").format(name=expression.rule_name))
        body = rules.get(expression.rule_name)
        if body is None:
            return expression.rule_name.replace("_", " ")
        return _said(read(body), samples, rules, full, depth + 1)
    if isinstance(expression, ex.Alternative):
        if expression.is_optional and not full:
            return ""
        return _said(expression.items[0], samples, rules, full, depth)
    pieces = [_said(item, samples, rules, full, depth) for item in getattr(expression, "items", ())]
    return (" " if isinstance(expression, ex.Permutation) else "").join(pieces)


def _slots(expression: Expression) -> Iterator[SlotPlace]:
    from hassil import expression as ex

    if isinstance(expression, ex.ListReference):
        yield SlotPlace(expression.list_name, expression.slot_name)
    for item in getattr(expression, "items", ()):
        yield from _slots(item)
