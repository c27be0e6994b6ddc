"""From words to an element: "sign in", "the second result", "the search box", "the checkbox next to Milk".

Deterministic and pure: words and an outline in, a choice out. When several fit equally well the choice says
so, and whoever asked asks back; nothing is clicked by guess. Numbers that were shown as badges are looked
up by their place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from voice_kernel.tools.browser.outline import EDITABLE, Element, Outline

Purpose = Literal["click", "type", "select", "hover", "check", "read"]
MAX_CHOICES = 9
FUZZY = 82.0
"""Least likeness of a name that was misheard."""
SAME, ALIKE = 95.0, 1.0
"""Least likeness of a name: of what is only text, and of what is there to be acted on."""
NEAR_MISS = 1.5
"""Scores closer than this are equally good."""

ORDINALS = {
    word: number
    for number, words in enumerate(
        (
            ("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"),
            ("sixth", "6th"), ("seventh", "7th"), ("eighth", "8th"), ("ninth", "9th"), ("tenth", "10th"),
        ),
        1,
    )
    for word in words
} | {"last": -1}  # fmt: skip

TEXT_FIELDS = EDITABLE
KINDS: dict[str, frozenset[str]] = {
    "button": frozenset({"button"}),
    "link": frozenset({"link"}),
    "tab": frozenset({"tab"}),
    "checkbox": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    "check box": frozenset({"checkbox", "switch", "menuitemcheckbox"}),
    "tick box": frozenset({"checkbox", "switch"}),
    "switch": frozenset({"switch", "checkbox"}),
    "toggle": frozenset({"switch", "checkbox", "button"}),
    "radio": frozenset({"radio", "menuitemradio"}),
    "radio button": frozenset({"radio", "menuitemradio"}),
    "option": frozenset({"option", "radio", "menuitem", "menuitemradio"}),
    "field": TEXT_FIELDS,
    "text field": TEXT_FIELDS,
    "input field": TEXT_FIELDS,
    "input": TEXT_FIELDS,
    "text box": TEXT_FIELDS,
    "textbox": TEXT_FIELDS,
    "text area": TEXT_FIELDS,
    "textarea": TEXT_FIELDS,
    "box": TEXT_FIELDS | {"checkbox"},
    "bar": TEXT_FIELDS,
    "dropdown": frozenset({"combobox", "listbox"}),
    "drop down": frozenset({"combobox", "listbox"}),
    "combo box": frozenset({"combobox"}),
    "list": frozenset({"combobox", "listbox", "list"}),
    "menu": frozenset({"menu", "menuitem", "combobox", "button"}),
    "menu item": frozenset({"menuitem", "menuitemcheckbox", "menuitemradio"}),
    "item": frozenset({"menuitem", "listitem", "option", "treeitem", "link"}),
    "image": frozenset({"img"}),
    "picture": frozenset({"img"}),
    "icon": frozenset({"img", "button", "link", "generic"}),
    "heading": frozenset({"heading"}),
    "section": frozenset({"heading", "tab", "button"}),
    "row": frozenset({"row", "listitem"}),
    "cell": frozenset({"cell", "gridcell"}),
    "column": frozenset({"columnheader"}),
    "slider": frozenset({"slider"}),
    "spinner": frozenset({"spinbutton"}),
    "dialog": frozenset({"dialog", "alertdialog"}),
    "result": frozenset({"link"}),
}
"""What people call things, and the roles they mean."""
_KINDS = "|".join(sorted(map(re.escape, KINDS), key=len, reverse=True))
_KIND = re.compile(rf"(?:^|(?<=\s))({_KINDS})s?$")
_KIND_FIRST = re.compile(
    rf"({_KINDS}) (?:(?:with the (?:name|text|label)|that says|called|named|labell?ed|titled|saying) )?"
)
_LEAD = re.compile(r"^(?:the|a|an|this|that|on|onto|in|into|named|called|labell?ed|titled|saying)\s+")
_BESIDE = re.compile(
    r"^(?P<what>.+?) (?:next to|beside|near|by|for|of|in the row (?:of|with|for)|in|under|below|after|from) "
    r"(?:the (?:row|line|user|item) )?(?P<anchor>.+)$"
)
_MARKS = re.compile(r"[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words taken apart."""

    name: str
    """What it is called; empty when only its kind or place was said."""
    roles: frozenset[str] = frozenset()
    place: int = 0
    """Which of several, from 1; -1 for the last, 0 when it was not said."""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What words may mean on a page."""

    element: Element | None
    """The one; None when there is none, or several."""
    several: tuple[Element, ...] = ()
    """Those that fit equally well, in the order of the page, when there is more than one."""
    nearest: tuple[str, ...] = ()
    """Names that are most like the words, when nothing fits."""
    name: str = ""
    """What was looked for: text that may stand on the page without being an element of its own."""
    place: int = 0


def wanted(words: str) -> list[Wanted]:
    """Take spoken or typed words apart, in every way they can be meant, the likeliest first."""
    text = " ".join(words.split()).strip(" .!?,;:\"'“”‘’")
    place = 0
    lead = _LEAD.match(text.lower())
    while lead:
        text = text[lead.end() :]
        lead = _LEAD.match(text.lower())
    first, _, rest = text.partition(" ")
    if rest and first.lower() in ORDINALS:
        place, text = ORDINALS[first.lower()], rest
    elif match := re.fullmatch(r"(.+?) (?:number |#)(\d{1,3})", text, re.IGNORECASE):
        place, text = int(match[2]), match[1]
    readings = []
    kind = _KIND.search(text.lower())
    if kind is not None:
        readings.append(Wanted(_unquoted(text[: kind.start()]), KINDS[kind[1]], place, kind[1]))
    kind = _KIND_FIRST.match(text.lower())
    if kind is not None:
        readings.append(Wanted(_unquoted(text[kind.end() :]), KINDS[kind[1]], place, kind[1]))
    return [*readings, Wanted(_unquoted(text), place=place), Wanted(_unquoted(words))]


def choose(words: str, outline: Outline, purpose: Purpose = "click") -> Choice:
    """Return the element that words mean.

    Args:
        words: as said or typed; a `ref` of the outline is taken as it is.
        outline: the page.
        purpose: what is to be done with it; a field is preferred for typing, and so on.
    """
    for element in outline:
        if element.ref and words.strip() == element.ref:
            return Choice(element)
    exact = [e for e in outline if e.ref and _plain(outline.label(e)) == _plain(words)]
    if not exact and not _LEAD.sub("", f"{_plain(words)} "):
        return Choice(None)
    readings = [Wanted(_unquoted(words))] if len(exact) == 1 else wanted(words)
    choices = [_choose(reading, outline, purpose) for reading in readings]
    for choice in choices:
        if choice.element is not None or choice.several:
            return choice
    return _beside(words, outline, purpose) or choices[0]


def described(element: Element, outline: Outline) -> str:
    """Return an element in words that tell it from others: kind, name and what it stands beside."""
    name = outline.label(element)
    kind = "text" if element.role in ("generic", "text", "paragraph") else element.role
    around = ""
    for above in outline.ancestors(element):
        text = outline.text(above).replace(name, " ")
        if len(text.split()) >= 1:
            around = " ".join(text.split())[:40]
            break
    return f"{kind} “{name[:60]}”" + (f" ({around})" if around else "")


def _choose(want: Wanted, outline: Outline, purpose: Purpose) -> Choice:
    scored = [
        (score, element)
        for element in outline
        if element.ref and (score := _score(want, element, outline, purpose)) > 0
    ]
    if not scored:
        return Choice(None, nearest=_nearest(want.name, outline, purpose), name=want.name, place=want.place)
    best = max(score for score, _element in scored)
    top = [element for score, element in scored if score >= best - NEAR_MISS]
    top = _innermost(top, outline)
    if want.place:
        wider = _innermost([element for score, element in scored if score >= best - 14], outline)
        pool = top if len(top) >= abs(want.place) else wider
        if want.place <= len(pool):
            return Choice(pool[want.place - 1 if want.place > 0 else -1], name=want.name)
        return Choice(None, tuple(pool[:MAX_CHOICES]), name=want.name)
    if len(top) == 1:
        return Choice(top[0], name=want.name)
    modal = [element for element in top if _in_dialog(element, outline)]
    if len(modal) == 1:  # what lies before everything else is meant
        return Choice(modal[0], name=want.name)
    return Choice(None, tuple(top[:MAX_CHOICES]), name=want.name)


def _score(want: Wanted, element: Element, outline: Outline, purpose: Purpose) -> float:
    if want.roles and element.role not in want.roles:
        return 0.0
    if want.kind == "result" and not _is_result(element, outline):
        return 0.0
    if want.kind == "icon" and (not element.interactive or len(outline.text(element)) > 40):
        return 0.0
    if want.name:
        likeness = _likeness(want.name, element, outline)
        loosely = element.interactive or purpose == "read" or want.roles
        if likeness < (ALIKE if loosely else SAME):
            return 0.0  # words somewhere in a text are looked for on the page itself
    elif want.roles:
        likeness = 60.0
    else:
        return 0.0
    score = likeness
    if element.interactive:
        score += 8
    if element.role in ("generic", "text", "paragraph", "list", "group", "document", "main"):
        score -= 6 if len(element.children) < 3 else 20
    if purpose == "type":
        score += 20 if element.editable else -40
    elif purpose == "check":
        score += 15 if element.role in ("checkbox", "radio", "switch", "menuitemcheckbox") else -20
    elif purpose == "select":
        score += 15 if element.role in ("combobox", "listbox", "radio", "menu", "list") else -10
    if "disabled" in element.states:
        score -= 15
    if "aria-hidden" in element.states:
        score -= 10
    return score


def _likeness(name: str, element: Element, outline: Outline) -> float:
    """Return how much a name is like what an element is called, 0 to 102."""
    label = outline.label(element) or (element.value if element.editable else "")
    if not label:
        return 0.0
    if label == name:
        return 102.0
    said, shown = _plain(name), _plain(label)
    if not said or not shown:
        return 98.0 if label.strip().lower() == name.strip().lower() else 0.0
    if said == shown:
        return 100.0
    if _squashed(said) == _squashed(shown):
        return 97.0
    if len(shown) > 200:
        return 0.0
    words, others = said.split(), shown.split()
    if others[: len(words)] == words:
        return 86.0 - min(10, len(others) - len(words)) * 0.5
    if all(word in others for word in words):
        return 80.0 - min(20, len(others) - len(words)) * 0.5
    if len(words) > 1 and _squashed(said) in _squashed(shown):
        return 70.0 - min(20, len(others) - len(words)) * 0.5
    alike = fuzz.ratio(_squashed(said), _squashed(shown))
    return 62.0 * alike / 100 if alike >= FUZZY and len(said) > 3 else 0.0


def _beside(words: str, outline: Outline, purpose: Purpose) -> Choice | None:
    match = _BESIDE.match(" ".join(words.split()))
    if match is None:
        return None
    want = wanted(match["what"])[0]
    anchors = _anchors(wanted(match["anchor"])[0].name or match["anchor"], outline)
    for anchor in anchors:
        fitting = {
            element.index
            for element in outline
            if element.ref and element.index != anchor.index and _score(want, element, outline, purpose) > 0
        }
        for above in (anchor, *outline.ancestors(anchor)):
            inside = [element for element in outline.below(above) if element.index in fitting]
            if inside:
                inside = _innermost(inside, outline)
                scores = {e.index: _score(want, e, outline, purpose) for e in inside}
                best = max(scores.values())
                top = [e for e in inside if scores[e.index] >= best - NEAR_MISS]
                if len(top) == 1 or not want.place:
                    top.sort(key=lambda e: abs(e.index - anchor.index))
                    return Choice(top[0], name=want.name)
                if want.place <= len(top):
                    return Choice(top[want.place - 1 if want.place > 0 else -1], name=want.name)
    return None


def _anchors(name: str, outline: Outline) -> list[Element]:
    found = [(_likeness(name, element, outline), element) for element in outline]
    best = max((score for score, _element in found), default=0.0)
    return [element for score, element in found if score and score >= best - NEAR_MISS] if best >= 60 else []


def _innermost(elements: Sequence[Element], outline: Outline) -> list[Element]:
    """Leave out what holds another of the elements, unless only the outer one is there to be acted on."""
    chosen = {element.index for element in elements}
    drop: set[int] = set()
    for element in elements:
        for above in outline.ancestors(element):
            if above.index in chosen:
                outer_acts = above.interactive and not element.interactive
                drop.add(element.index if outer_acts else above.index)
    return [element for element in elements if element.index not in drop]


def _is_result(element: Element, outline: Outline) -> bool:
    """Whether a link is one of a page's results: it heads something, and does not lead through them."""
    text = outline.text(element)
    if len(_plain(text)) < 3 or _plain(text) in ("next", "previous", "next page", "previous page"):
        return False
    for above in outline.ancestors(element):
        if above.role in ("navigation", "banner", "contentinfo", "complementary", "search"):
            return False
        if above.role == "heading":
            return True
        links = [below for below in outline.below(above) if below.role == "link"]
        if links and links[0] is not element:
            return False  # a second link of a result leads beside it
        if len(outline.text(above)) > len(text) + 3 or above.role in ("listitem", "article", "row"):
            return True
    return any(below.role == "heading" for below in outline.below(element))


def _in_dialog(element: Element, outline: Outline) -> bool:
    return any(above.role in ("dialog", "alertdialog") for above in outline.ancestors(element))


def _nearest(name: str, outline: Outline, purpose: Purpose) -> tuple[str, ...]:
    labels: dict[str, float] = {}
    for element in outline:
        usable = element.editable if purpose == "type" else element.interactive
        label = outline.label(element) if usable else ""
        if label and len(label) < 80:
            labels[label] = fuzz.WRatio(_plain(name), _plain(label))
    ranked = sorted(labels, key=lambda label: -labels[label])
    return tuple(ranked[:5])


def _plain(text: str) -> str:
    return " ".join(_MARKS.sub(" ", text.casefold()).split())


def _squashed(text: str) -> str:
    return text.replace(" ", "").replace("_", "")


def _unquoted(text: str) -> str:
    return " ".join(text.split()).strip(" \"'“”‘’")
