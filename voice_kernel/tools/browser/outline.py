"""What is on a page, as assistive technology has it: roles, names, values, states, in order.

Reads Playwright's accessibility snapshot (`page.aria_snapshot(mode="ai")`), a list in YAML whose keys look
like `button "Save" [disabled] [ref=e7]`. Knows no page and no browser: text in, elements out. A parser of
our own, since a YAML library gives nested values without their order of lines and is slow on large pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_LINES = 20_000
MAX_NAME_CHARS = 500
EDITABLE = frozenset({"textbox", "searchbox", "combobox", "spinbutton"})
INTERACTIVE = EDITABLE | {
    "button", "link", "tab", "checkbox", "radio", "switch", "option", "menuitem", "menuitemcheckbox",
    "menuitemradio", "treeitem", "slider", "listbox", "columnheader", "gridcell",
}  # fmt: skip
_LINE = re.compile(r"(?P<indent> *)- (?P<rest>.*)")
_KEY = re.compile(
    r'(?P<role>/?[\w-]+)(?: (?P<name>"(?:[^"\\]|\\.)*"))?'
    r"(?P<attributes>(?: \[[^\]]*\])*):?(?: (?P<value>.*))?$"
)
_ATTRIBUTE = re.compile(r"\[([\w-]+)(?:=([^\]]*))?\]")


@dataclass(slots=True)
class Element:
    """One node of the tree."""

    index: int
    """Its place in the order of the page, from 0."""
    role: str
    """ARIA role; `text` for bare text, `generic` for what has none."""
    name: str = ""
    value: str = ""
    """Its own text, or what a field holds."""
    ref: str = ""
    """How Playwright finds it again, as long as the page stays as it is."""
    states: dict[str, str] = field(default_factory=dict)
    """`checked`, `disabled`, `expanded`, `selected`, `active`, `level`, `cursor`."""
    url: str = ""
    placeholder: str = ""
    parent: int = -1
    depth: int = 0
    children: list[int] = field(default_factory=list)

    @property
    def editable(self) -> bool:
        """Whether text can be typed into it."""
        return self.role in EDITABLE and "disabled" not in self.states

    @property
    def interactive(self) -> bool:
        """Whether it is there to be acted on."""
        return self.role in INTERACTIVE or self.states.get("cursor") == "pointer"


class Outline:
    """The elements of a page, in order."""

    def __init__(self, elements: list[Element]) -> None:
        self.elements = elements
        self._text: dict[int, str] = {}

    def __iter__(self) -> Iterator[Element]:
        return iter(self.elements)

    def __len__(self) -> int:
        return len(self.elements)

    def parent(self, element: Element) -> Element | None:
        """Return what it stands in."""
        return self.elements[element.parent] if element.parent >= 0 else None

    def ancestors(self, element: Element) -> Iterator[Element]:
        """Yield what it stands in, the innermost first."""
        above = self.parent(element)
        while above is not None:
            yield above
            above = self.parent(above)

    def below(self, element: Element) -> Iterator[Element]:
        """Yield everything inside it, in order."""
        for index in element.children:
            yield self.elements[index]
            yield from self.below(self.elements[index])

    def text(self, element: Element) -> str:
        """Return its name, or the text it shows, on one line."""
        known = self._text.get(element.index)
        if known is None:
            parts = [element.name or element.value]
            if not element.name:
                parts += [self.text(self.elements[index]) for index in element.children]
            known = " ".join(" ".join(parts).split())[:MAX_NAME_CHARS]
            self._text[element.index] = known
        return known

    def label(self, element: Element) -> str:
        """Return what a person would call it: its name, else its placeholder, else the text beside it."""
        if element.name:
            return element.name
        if element.placeholder:
            return element.placeholder
        if element.role in EDITABLE or element.role in ("checkbox", "radio", "listbox", "slider"):
            return self._beside(element)
        return self.text(element)

    def _beside(self, element: Element) -> str:
        child = element
        for above in self.ancestors(element):
            place = above.children.index(child.index)
            before = [self.elements[index] for index in above.children[:place]]
            after = [self.elements[index] for index in above.children[place + 1 :]]
            # What is ticked has its words behind it, what is filled in before it.
            order = (after, before[::-1]) if element.role in ("checkbox", "radio") else (before[::-1], after)
            for near in (order[0][:1], order[1][:1]):
                for other in near:
                    if not other.interactive and not any(e.interactive for e in self.below(other)):
                        text = self.text(other)
                        if text:
                            return text
            if before or after:
                return ""
            child = above
        return ""


def outline_of(snapshot: str) -> Outline:
    """Return the elements of a snapshot; lines that cannot be read are left out."""
    elements: list[Element] = []
    open_: list[tuple[int, int]] = []  # (indent, index) of the elements that the next may stand in
    for line in snapshot.splitlines()[:MAX_LINES]:
        match = _LINE.match(line)
        if match is None:
            continue
        indent = len(match["indent"])
        while open_ and open_[-1][0] >= indent:
            open_.pop()
        parent = open_[-1][1] if open_ else -1
        key, value = _split(match["rest"])
        parts = _KEY.match(key)
        if parts is None:
            continue
        value = value or _scalar(parts["value"] or "")
        if parts["role"].startswith("/"):
            if parent >= 0 and parts["role"] == "/url":
                elements[parent].url = value
            elif parent >= 0 and parts["role"] == "/placeholder":
                elements[parent].placeholder = value
            continue
        states = {name: given or "true" for name, given in _ATTRIBUTE.findall(parts["attributes"])}
        element = Element(
            index=len(elements),
            role=parts["role"],
            name=_scalar(parts["name"] or "")[:MAX_NAME_CHARS],
            value=value[:MAX_NAME_CHARS],
            ref=states.pop("ref", ""),
            states=states,
            parent=parent,
            depth=len(open_),
        )
        elements.append(element)
        if parent >= 0:
            elements[parent].children.append(element.index)
        open_.append((indent, element.index))
    return Outline(elements)


def _split(rest: str) -> tuple[str, str]:
    """Take a quoted key apart from its value; a plain key is left to the pattern."""
    if rest.startswith("'"):
        end = 1
        while end < len(rest):
            if rest[end] == "'":
                if rest[end + 1 : end + 2] != "'":
                    break
                end += 1
            end += 1
        return rest[1:end].replace("''", "'"), _scalar(rest[end + 1 :].removeprefix(":").strip())
    return rest, ""


def _scalar(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
