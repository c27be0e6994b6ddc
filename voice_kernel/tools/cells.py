"""Which cells are meant: an address such as `current`, `3-5` or `failed`, against a notebook's outline.

Knows positions and ids only: not where the outline comes from, nor what is done with the cells.

    all             every cell (but the one whose `%voice` asks)
    current         the active cell
    next previous   the one after it, before it
    first last      of the notebook
    last 3          as many cells at its end
    above           every cell before the current one
    below           the current cell and every one after it
    failed          every cell whose outputs hold an error
    3   3-5   1,4   positions from 1

`above` and `below` are those of JupyterLab's "Run All Above" and "Run Selected Cell and All Below".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from voice_kernel.errors import ToolError
from voice_kernel.language import _, ngettext_
from voice_kernel.messages import CellView, NotebookView

WORDS = ("all", "current", "next", "previous", "first", "last", "above", "below", "failed")
ADDRESSES = f"{', '.join(WORDS)}, a position such as 3, or a range such as 3-5"

_PART = re.compile(r"(\d{1,6})(?:\s*(?:-|–|to)\s*(\d{1,6}))?")


def resolve(
    address: str, notebook: NotebookView, *, anchor: int | None = None, busy: Collection[str] = ()
) -> list[CellView]:
    """Return the cells that are meant, in the order of the notebook, each once.

    Args:
        address: see the module; case and spaces do not matter.
        notebook: the outline.
        anchor: position (from 0) of the cell that `current` means; the active one if absent.
        busy: ids of cells that run now, waiting for what is asked: left out of every address that names
            cells by a word for several.

    Raises:
        ToolError: there are no such cells, or it is no address; says what there is.
    """
    cells = notebook.cells
    said = " ".join(address.lower().split())
    if not cells:
        raise ToolError(_("The notebook has no cells."), hint=_('Say "insert a cell" to make one.'))
    if match := re.fullmatch(r"last (\d{1,6})", said):
        if not 1 <= int(match[1]) <= len(cells):
            raise ToolError(
                _("There are no {count} cells.").format(count=match[1]), hint=_there_are(len(cells))
            )
        return [cell for cell in cells[-int(match[1]) :] if cell.id not in busy]
    if said in WORDS:
        at = notebook.active if anchor is None else anchor
        return _by_word(said, cells, at, busy)
    positions: set[int] = set()
    for part in re.split(r"\s*(?:,|\band\b)\s*", said):
        match = _PART.fullmatch(part)
        if match is None:
            raise ToolError(
                _("“{address}” does not say which cell.").format(address=address),
                hint=_("Say {words}, a position such as 3, or a range such as 3-5.").format(
                    words=", ".join(WORDS)
                ),
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            first, last = last, first
        if first < 1 or last > len(cells):
            wrong = first if first < 1 or first > len(cells) else last
            raise ToolError(_("There is no cell {wrong}.").format(wrong=wrong), hint=_there_are(len(cells)))
        positions.update(range(first - 1, last))
    return [cells[position] for position in sorted(positions)]


def resolve_one(
    address: str, notebook: NotebookView, *, anchor: int | None = None, busy: Collection[str] = ()
) -> CellView:
    """Return the one cell that is meant. Arguments and errors like `resolve`.

    Raises:
        ToolError: also when the address means several cells.
    """
    found = resolve(address, notebook, anchor=anchor, busy=busy)
    if len(found) != 1:
        raise ToolError(
            _("“{address}” means {count} cells.").format(address=address, count=len(found)),
            hint=_("Say which one, for example cell 3."),
        )
    return found[0]


def position_of(cell_id: str, notebook: NotebookView) -> int | None:
    """Return a cell's position, from 0; None when it is not in the outline."""
    return next((at for at, cell in enumerate(notebook.cells) if cell.id == cell_id), None)


def named(cells: Collection[CellView], notebook: NotebookView) -> str:
    """Return cells in a person's words: `cell 3`, `cells 3 to 5`, `cells 1, 4 and 7`."""
    ids = {cell.id for cell in cells}
    positions = [at for at, cell in enumerate(notebook.cells, 1) if cell.id in ids]
    if not positions:
        return _("no cell")
    if len(positions) == 1:
        return _("cell {number}").format(number=positions[0])
    if positions[-1] - positions[0] == len(positions) - 1:
        return _("cells {first} to {last}").format(first=positions[0], last=positions[-1])
    if len(positions) > 8:
        return _("{count} cells").format(count=len(positions))
    return _("cells {numbers} and {last}").format(
        numbers=", ".join(map(str, positions[:-1])), last=positions[-1]
    )


def _by_word(word: str, cells: list[CellView], at: int, busy: Collection[str]) -> list[CellView]:
    several: dict[str, list[CellView]] = {
        "all": cells,
        "above": cells[: max(at, 0)],
        "below": cells[max(at, 0) :],
        "failed": [cell for cell in cells if cell.failed],
    }
    if word in several:
        if word in ("above", "below") and not 0 <= at < len(cells):
            raise _no_current()
        found = [cell for cell in several[word] if cell.id not in busy]
        if not found:
            raise ToolError(
                {
                    "all": _("There is no other cell."),
                    "above": _("There is no cell above the current one."),
                    "below": _("There is no cell below the current one."),
                    "failed": _("No cell has failed."),
                }[word]
            )
        return found
    if word == "first":
        return [cells[0]]
    if word == "last":
        return [cells[-1]]
    if not 0 <= at < len(cells):
        raise _no_current()
    at += {"current": 0, "next": 1, "previous": -1}[word]
    if not 0 <= at < len(cells):
        message = (
            _("There is no cell below the current one.")
            if word == "next"
            else _("There is no cell above the current one.")
        )
        raise ToolError(message, hint=_there_are(len(cells)))
    return [cells[at]]


def ids_of(cells: Sequence[CellView]) -> list[str]:
    """Return the ids of cells, in their order."""
    return [cell.id for cell in cells]


def _no_current() -> ToolError:
    return ToolError(_("No cell is selected."), hint=_("Select one first, or say its number."))


def _there_are(count: int) -> str:
    return ngettext_("The notebook has one cell.", "The notebook has {count} cells.", count).format(
        count=count
    )
