"""Find what somebody meant among the names that exist.

Knows spelling only: case, word breaks and small slips. How a word sounds is for intents.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from voice_kernel.language import _

CUTOFF = 0.55
"""Below this share of common letters two names have nothing to do with each other."""


def folded(name: str) -> str:
    """Return the name without regard to case and word breaks: `Unit Price` is `unit_price`."""
    return "_".join(re.findall(r"[^\W_]+", name.casefold()))


def match(name: str, names: Iterable[str]) -> str | None:
    """Return the one name that is meant: as written, else the only one of the same words."""
    names = list(names)
    if name in names:
        return name
    for same in (folded, lambda text: folded(text).replace("_", ""), _singular):
        found = {other for other in names if same(other) == same(name)}
        if len(found) == 1:
            return found.pop()
        if found:
            return None
    return None


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Return the names most like this one, best first; those much less like it than the best are left out."""
    matcher = difflib.SequenceMatcher(b=name.casefold())  # keeps what it knows of b
    scores: dict[str, float] = {}
    for other in dict.fromkeys(names):
        matcher.set_seq1(other.casefold())
        if matcher.real_quick_ratio() >= CUTOFF and matcher.quick_ratio() >= CUTOFF:
            scores[other] = matcher.ratio()
    best = max(scores.values(), default=0.0)
    near = [other for other, score in scores.items() if score >= max(CUTOFF, best - 0.15)]
    return sorted(near, key=lambda other: -scores[other])[:count]


def likeness(name: str, other: str) -> float:
    """Return how alike two names are, without regard to case: 0 to 1."""
    return difflib.SequenceMatcher(a=other.casefold(), b=name.casefold()).ratio()


def hint(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return "Did you mean ...?" for a person, or what to say when nothing is near."""
    found = nearest(name, names)
    if not found:
        return otherwise
    if len(found) == 1:
        return _("Did you mean {name}?").format(name=found[0])
    return _("Did you mean {names} or {name}?").format(names=", ".join(found[:-1]), name=found[-1])


def _singular(name: str) -> str:
    return "_".join(word.removesuffix("s") for word in folded(name).split("_"))
