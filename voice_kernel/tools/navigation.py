"""Going to a cell by what is in it: words, headings, errors.

Looks at sources, headings and failures as the front end has them; nothing is run and nothing changes
but which cell is selected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from voice_kernel.context import nearest, squash
from voice_kernel.errors import ToolError
from voice_kernel.language import _, capital
from voice_kernel.messages import CellView, NotebookView, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.caret import Caret
from voice_kernel.tools.desk import Desk, told

WRITE: Effects = frozenset({"write"})
ENOUGH = 0.6
"""Least share of the words that a cell must hold to be the one that is meant."""

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_WORD = re.compile(r"[A-Za-z_]\w*|\d+")
_EMPTY = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "in",
        "with",
        "that",
        "which",
        "to",
        "is",
        "and",
        "my",
        "this",
        "cell",
        "it",
        "its",
        "for",
        "by",
    ]
)
_VERBS: tuple[tuple[str, str], ...] = (
    (r"(?:imports?|importing|loads? the (?:module|package|library))\s+(.+)",
     r"^\s*(?:import|from)\b.*\b{}\b"),
    (r"(?:defines?|defining|creates?|makes?|sets?|assigns?)\s+(?:the )?(?:function |class |variable )?(.+)",
     r"(?:^\s*(?:async\s+)?(?:def|class)\s+{}\b|^\s*{}\s*(?::[^=]+)?=(?!=))"),
    (r"(?:calls?|uses?|using|calling)\s+(.+)", r"\b{}\b"),
)  # fmt: skip
"""What is said of a cell, and what its code then holds; `{}` stands for the name."""


class FindCell(Arguments):
    """Arguments of `find_cell`."""

    text: str = Field(min_length=1, max_length=500, description="What is in the cell.")


class Which(Arguments):
    """One of several things in the notebook."""

    which: str = Field(default="next", max_length=200, description="next, previous, first or last.")


class WhichHeading(Arguments):
    """A heading."""

    which: str = Field(
        default="next", max_length=200, description="next, previous, first, last, or its words."
    )


class Heading(NamedTuple):
    """A heading of the notebook."""

    cell: int
    """Position of its cell, from 0."""
    line: int
    """Line in the cell, from 1."""
    level: int
    text: str


def register(registry: Registry, *, desk: Desk, caret: Caret) -> None:
    """Register the tools that go to a cell by what is in it.

    Args:
        registry: where.
        desk: reaches the cells.
        caret: where voice commands, or the person, left off.
    """

    async def go(
        task: TaskHandle, view: NotebookView, at: int, summary: str, line: int | None = None
    ) -> Result:
        cell = view.cells[at]
        await desk.select(cell.id, task)
        caret.put(cell.id, line)
        return told(summary, [cell], view, text=cell.source)

    @registry.tool(area="notebook", effects=WRITE, untrusted=True, target=lambda args: args.text)
    async def find_cell(task: TaskHandle, args: FindCell) -> Result:
        """Go to the cell that holds some words, or imports or defines something."""
        view = await desk.read(task)
        at = search(args.text, view.cells, desk.anchor(view, task))
        if at is None:
            raise ToolError(
                _("I find no cell with “{text}”.").format(text=args.text), hint=_("Say words that are in it.")
            )
        first = next((line.strip() for line in view.cells[at].source.splitlines() if line.strip()), "")
        return await go(task, view, at, f"{capital(addresses.named([view.cells[at]], view))}: {first[:80]}")

    @registry.tool(area="notebook", effects=WRITE, untrusted=True)
    async def go_to_heading(task: TaskHandle, args: WhichHeading) -> Result:
        """Go to the next or previous heading, or to the one with these words."""
        view = await desk.read(task)
        found = choose_heading(args.which, headings(view.cells), desk.anchor(view, task))
        where = addresses.named([view.cells[found.cell]], view)
        return await go(task, view, found.cell, f"{found.text}, {where}.", found.line)

    @registry.tool(area="notebook", effects=WRITE)
    async def go_to_error(task: TaskHandle, args: Which) -> Result:
        """Go to the next or previous cell that failed."""
        view = await desk.outline(task)
        failed = [at for at, cell in enumerate(view.cells) if cell.failed]
        if not failed:
            raise ToolError(_("No cell has failed."))
        at = _step(args.which, failed, desk.anchor(view, task))
        if at is None:
            raise ToolError(
                _("There is no {which} cell that failed.").format(which=args.which),
                hint=_only(view, failed),
            )
        return await go(
            task,
            view,
            at,
            _("{cells} failed.").format(cells=capital(addresses.named([view.cells[at]], view))),
        )


def headings(cells: Sequence[CellView]) -> list[Heading]:
    """Return the headings of the Markdown cells, in order; what stands in a fenced block is none."""
    found: list[Heading] = []
    for at, cell in enumerate(cells):
        if cell.kind != "markdown":
            continue
        fenced = False
        for number, line in enumerate(cell.source.splitlines(), 1):
            if _FENCE.match(line):
                fenced = not fenced
            match = None if fenced else _HEADING.match(line)
            if match is not None:
                text = re.sub(r"[*_`]|\[(.*?)\]\(.*?\)", r"\1", match[2])
                found.append(Heading(at, number, len(match[1]), text))
    return found


def choose_heading(which: str, found: Sequence[Heading], current: int) -> Heading:
    """Return the heading that is meant, seen from the cell at a position.

    Raises:
        ToolError: there is none; says which there are.
    """
    if not found:
        raise ToolError(_("The notebook has no headings."), hint=_('Say "insert a heading that says ..."'))
    said = " ".join(which.lower().split())
    if said in ("next", "previous", "first", "last"):
        at = _step(said, [heading.cell for heading in found], current)
        if at is None:
            raise ToolError(_("There is no {said} heading.").format(said=said), hint=_listed(found))
        return next(heading for heading in found if heading.cell == at)
    texts = [heading.text for heading in found]
    name = nearest(which, texts)
    if name is None:
        words = {_stem(word) for word in _WORD.findall(said)} - _EMPTY
        name = next((text for text in texts if words and words <= _stems(text)), None)
    if name is None:
        raise ToolError(_("There is no heading “{which}”.").format(which=which), hint=_listed(found))
    return found[texts.index(name)]


def search(text: str, cells: Sequence[CellView], current: int) -> int | None:
    """Return the position of the cell that fits the words best, of equals the first after the current one.

    Args:
        text: what is said of the cell: words in it, or "imports pandas", "defines train".
        cells: with their sources.
        current: position of the current cell, from 0.
    """
    best: tuple[float, int] | None = None
    count = len(cells)
    order = [(current + step) % count for step in range(1, count + 1)] if count else []
    for rank, at in enumerate(order):
        score = _likeness(text, cells[at].source)
        if score >= ENOUGH and (best is None or score > best[0]):
            best = (score, rank)
    return order[best[1]] if best is not None else None


def _likeness(text: str, source: str) -> float:
    """Return how well words fit a cell: 3 for code that means it, 2 for the words in a row, else a share."""
    said = " ".join(text.lower().split())
    for heard, wanted in _VERBS:
        match = re.fullmatch(heard, said)
        if match is not None:
            name = r"[\s_.]*".join(map(re.escape, _WORD.findall(match[1])))
            if name and re.search(wanted.replace("{}", name), source, re.IGNORECASE | re.MULTILINE):
                return 3.0
            said = match[1]
            break
    if re.search(r"(?<!\w)" + re.escape(said) + r"(?!\w)", source.lower()):
        return 2.0
    if len(squash(said)) > 3 and squash(said) in squash(source):
        return 1.5
    words = {_stem(word) for word in _WORD.findall(said)} - _EMPTY
    return len(words & _stems(source)) / len(words) if words else 0.0


def _step(which: str, places: Sequence[int], current: int) -> int | None:
    """Return the next, previous, first or last of some positions, seen from a position."""
    if which == "first":
        return places[0]
    if which == "last":
        return places[-1]
    if which == "previous":
        return next((at for at in reversed(places) if at < current), None)
    return next((at for at in places if at > current), None)


def _stems(text: str) -> set[str]:
    return {_stem(part) for word in _WORD.findall(text.lower()) for part in (word, *word.split("_"))}


def _stem(word: str) -> str:
    word = word.lower()
    for ending in ("ting", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _listed(found: Sequence[Heading]) -> str:
    names = ", ".join(heading.text for heading in found[:6])
    return _("There are: {names}").format(names=names) + (", …" if len(found) > 6 else ".")


def _only(view: NotebookView, failed: Sequence[int]) -> str:
    return _("{cells} failed.").format(
        cells=capital(addresses.named([view.cells[at] for at in failed], view))
    )
