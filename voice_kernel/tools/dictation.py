"""Dictation: what is said goes into the active cell instead of being parsed as a command.

Knows whether it is on, and what it has put where, so that "scratch that" can take it back. It does not
know how words become code or Markdown (a `Write` does), nor who listens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _
from voice_kernel.messages import Call, CellView, ChangeKind, EditCell, InsertCells, Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry
from voice_kernel.tools import cells as addresses
from voice_kernel.tools.caret import Caret, cursor_at
from voice_kernel.tools.desk import Desk, told
from voice_kernel.tools.editing import Write

MAX_UTTERANCES = 100
"""How many utterances "scratch that" can take back."""
WRITE: Effects = frozenset({"write"})

_STOP, _SCRATCH = Call(tool="stop_dictation"), Call(tool="scratch_dictation")
_BELOW = Call(tool="insert_cell", arguments={"position": "below"})
_CODE_BELOW = Call(tool="insert_cell", arguments={"kind": "code", "position": "below"})
_TEXT_BELOW = Call(tool="insert_cell", arguments={"kind": "markdown", "position": "below"})
_DEAF = Call(tool="stop_listening")


def _by_phrase(*rows: tuple[str, Call]) -> dict[str, Call]:
    return {phrase: call for phrases, call in rows for phrase in phrases.split("|")}


CALLS: Mapping[str, Mapping[str, Call]] = {
    "en": _by_phrase(
        ("stop dictation|stop dictating|end dictation|dictation off|stop the dictation|command mode|"
         "quit dictation|finish dictation", _STOP),
        ("scratch that|scratch it|delete that|undo that", _SCRATCH),
        ("new cell|new cell below", _BELOW),
        ("new code cell", _CODE_BELOW),
        ("new markdown cell|new text cell", _TEXT_BELOW),
        ("stop listening", _DEAF),
    ),
    "de": _by_phrase(
        ("diktat beenden|beende das diktat|diktat aus|diktat ende|ende des diktats|diktat stoppen|"
         "stopp das diktat|stoppe das diktat|befehlsmodus|hör auf zu diktieren", _STOP),
        ("streich das|streiche das|lösch das|lösche das|rückgängig|mach das rückgängig", _SCRATCH),
        ("neue zelle|neue zelle darunter", _BELOW),
        ("neue codezelle|neue code zelle", _CODE_BELOW),
        ("neue markdownzelle|neue markdown zelle|neue textzelle", _TEXT_BELOW),
        ("hör auf zuzuhören|mikrofon aus", _DEAF),
    ),
}  # fmt: skip
"""By language: what is a command while dictation is on, as the whole of what was said."""


class Start(Arguments):
    """Arguments of `start_dictation`."""

    kind: Literal["", "code", "markdown"] = Field(
        default="", description="What will be dictated; what the active cell holds if absent."
    )


class Nothing(Arguments):
    """No arguments."""


class Dictate(Arguments):
    """Arguments of `dictate`."""

    text: str = Field(min_length=1, max_length=10_000, description="The words, symbols as they are spoken.")


@dataclass(frozen=True)
class _Spoken:
    """One utterance that was put into a cell."""

    cell: str
    before: str
    after: str
    start: int
    """Where it was put in `before`."""
    end: int
    """Where it ends in `after`."""


class Dictation:
    """Whether dictation is on.

    Args:
        on_change: told when it goes on or off.
        language: the language of the commands that still count.
    """

    def __init__(self, on_change: Callable[[bool], None], language: str = "en") -> None:
        self._commands = CALLS.get(language, CALLS["en"])
        self._on_change = on_change
        self._spoken: list[_Spoken] = []
        self.on = False
        self.kind: Literal["code", "markdown"] = "code"
        """What new cells hold."""

    def calls(self, text: str) -> list[Call] | None:
        """Return what an utterance means while dictation is on; None when it is off."""
        if not self.on:
            return None
        said = " ".join("".join(mark if mark.isalnum() else " " for mark in text.lower()).split())
        call = self._commands.get(said)
        if call is None:
            return [Call(tool="dictate", arguments={"text": text.strip()})]
        if call.tool == "insert_cell" and "kind" not in call.arguments:
            call = Call(tool=call.tool, arguments={"kind": self.kind, **call.arguments})
        return [call]

    def switch(self, on: bool) -> None:
        """Turn it on or off."""
        self.on = on
        self._spoken.clear()
        self._on_change(on)

    def remember(self, spoken: _Spoken) -> None:
        """Remember what was put into a cell."""
        self._spoken = [*self._spoken[-MAX_UTTERANCES + 1 :], spoken]

    def last(self) -> _Spoken | None:
        """Return the last utterance that still stands."""
        return self._spoken[-1] if self._spoken else None

    def forget_last(self) -> None:
        """Forget the last utterance."""
        self._spoken.pop()


def register(registry: Registry, *, desk: Desk, caret: Caret, dictation: Dictation, write: Write) -> None:
    """Register the tools of dictation.

    Args:
        registry: where.
        desk: reaches the cells.
        caret: where voice commands, or the person, left off.
        dictation: whether it is on.
        write: writes spoken words as code or Markdown.
    """

    async def current(task: TaskHandle) -> CellView | None:
        view = await desk.outline(task)
        caret.follow(view)
        at = desk.anchor(view, task)
        if not 0 <= at < len(view.cells):
            return None
        cell = view.cells[at]
        whole = await desk.read(task, cells=[cell.id])
        return next(one for one in whole.cells if one.id == cell.id)

    async def insert(task: TaskHandle, kind: Literal["code", "markdown"]) -> CellView:
        view = await desk.outline(task)
        index = desk.anchor(view, task) + 1
        reply = await desk.ask(InsertCells(index=index, kinds=[kind], sources=[""]), task)
        await desk.select(reply.cells[0].id, task)
        return reply.cells[0]

    @registry.tool(area="notebook", effects=WRITE, for_models=False)
    async def start_dictation(task: TaskHandle, args: Start) -> Result:
        """Start dictation: what is said goes into the active cell."""
        cell = await current(task)
        if cell is None:
            cell = await insert(task, args.kind or "code")
        elif args.kind and cell.kind != args.kind and not cell.source.strip():
            await desk.ask(ChangeKind(cells=[cell.id], kind=args.kind), task)
        elif args.kind and cell.kind != args.kind:
            cell = await insert(task, args.kind)
        dictation.kind = args.kind or ("code" if cell.kind == "code" else "markdown")
        dictation.switch(True)
        view = await desk.outline(task)
        summary = (
            _("Dictation is on: code goes into {cell}.")
            if dictation.kind == "code"
            else _("Dictation is on: text goes into {cell}.")
        )
        return told(
            summary.format(cell=addresses.named([cell], view)),
            [cell],
            view,
            text=_(
                'Say "stop dictation" to give commands again, "scratch that" to take the last words '
                'back, "new cell" for another cell.'
            ),
        )

    @registry.tool(area="notebook", for_models=False)
    async def stop_dictation(task: TaskHandle, args: Nothing) -> Result:
        """Stop dictation: what is said is a command again."""
        was_on = dictation.on
        dictation.switch(False)
        return Result(summary=_("Dictation is off.") if was_on else _("Dictation was not on."))

    @registry.tool(
        area="notebook", effects=WRITE, untrusted=True, for_models=False, target=lambda args: args.text
    )
    async def dictate(task: TaskHandle, args: Dictate) -> Result:
        """Put dictated words into the active cell, at the cursor or at its end."""
        cell = await current(task) or await insert(task, dictation.kind)
        offset = _offset(cell, dictation.last(), caret)
        before = await write(args.text, cell.kind, cell.source[:offset])
        rest = cell.source[offset:]
        gap = " " if before[-1:].isalnum() and rest[:1].isalnum() else ""
        source = before + gap + rest
        edit = EditCell(
            cell=cell.id, source=source, expected=cell.source, cursor=cursor_at(len(before), source)
        )
        await desk.ask(edit, task)
        dictation.remember(_Spoken(cell.id, cell.source, source, offset, len(before)))
        view = await desk.outline(task)
        added = before[_shared(before, cell.source) :].strip() or before.strip()
        return told(
            _("In {cell}: {words}").format(cell=addresses.named([cell], view), words=_short(added)),
            [cell],
            view,
            code=source,
        )

    @registry.tool(area="notebook", effects=WRITE, for_models=False)
    async def scratch_dictation(task: TaskHandle, args: Nothing) -> Result:
        """Take back the words that were dictated last."""
        last = dictation.last()
        if last is None:
            raise ToolError(
                _("Nothing was dictated that could be taken back."),
                hint=_('Say "undo" after "stop dictation".'),
            )
        cursor = cursor_at(last.start, last.before)
        edit = EditCell(cell=last.cell, source=last.before, expected=last.after, cursor=cursor)
        await desk.ask(edit, task)
        dictation.forget_last()
        gone = last.after[_shared(last.before, last.after) : last.end].strip()
        return Result(
            summary=_("Taken back: {short}").format(short=_short(gone)), data={"cells": [{"id": last.cell}]}
        )


def _offset(cell: CellView, last: _Spoken | None, caret: Caret) -> int:
    """Return where the next words go.

    At the person's cursor, which the front end moves along with what is dictated; where it knows of none,
    where the last words ended, else at the line of the last command, else at the end.
    """
    cursor = caret.offset_in(cell)
    if cursor is not None:
        return cursor
    if last is not None and last.cell == cell.id and last.after == cell.source:
        return last.end
    line = caret.line_in(cell.id)
    if line is None:
        return len(cell.source)
    lines = cell.source.split("\n")[:line]
    return min(len(cell.source), len("\n".join(lines)))


def _shared(one: str, other: str) -> int:
    """Return how long a beginning two texts have in common."""
    length = 0
    for mark, same in zip(one, other, strict=False):
        if mark != same:
            break
        length += 1
    return length


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else "…" + line[-119:]
