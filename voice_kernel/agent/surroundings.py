"""What a question is about: the cells around the cursor, the last error, and what the words refer to.

`@df`, `@cell 3` and `@data/notes.md` put a value, a cell or a file into the question, because the person
said so; otherwise no value leaves. Spoken words name cells too ("cell three"). Knows how cells and files are
read, nothing of models. Everything is bounded.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from voice_kernel.agent.report import clip, plain
from voice_kernel.context import Context
from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import CellView, NotebookView, Task

SOURCE_CHARS = 4_000
NEIGHBOUR_CHARS = 1_500
TRACEBACK_CHARS = 3_000
FILE_CHARS = 12_000
VALUE_CHARS = 4_000
MAX_REFERENCES = 8
MAX_PICTURES = 3
MAX_PICTURE_BYTES = 4_000_000
LOOK_LIMIT_S = 2.0
"""How long a question waits for the page that shows the notebook; then it goes without."""

PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
            ".webp": "image/webp"}  # fmt: skip

_REFERENCE = re.compile(
    r'(?<![\w@.])@(?:cell\s*(?P<cell>\d+)|"(?P<quoted>[^"\n]{1,200})"|(?P<name>[\w./\\-]+))', re.I
)
_CELL = re.compile(r"\bcell\s+(?:number\s+)?(\d{1,4})\b", re.I)


@dataclass(frozen=True, slots=True)
class Around:
    """What goes with a question."""

    told: dict[str, Any] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()
    """As data URLs."""
    untrusted: str = ""
    """What of it is text of strangers; empty when nothing is."""


class Cells(Protocol):
    """Reads the cells of the notebook."""

    async def __call__(self, turn_id: int, ids: list[str] | None) -> NotebookView:
        """Return the notebook: without sources for None, else with those and the outputs of some cells.

        Raises:
            VoiceKernelError: no page shows the notebook.
        """
        ...


class Sight:
    """Sees what is around a question.

    Args:
        cells: reads the notebook.
        show: shows a variable as a task of the turn, which the person sees too.
        folder: returns the working folder; no file above it is read.
        values: whether a person may put values into a question.
        attached: files that were dropped into the panel, by name.
    """

    def __init__(
        self,
        cells: Cells,
        show: Callable[[int, str], Awaitable[Task]],
        folder: Callable[[], Path],
        *,
        values: bool = True,
        attached: Mapping[str, bytes] | None = None,
    ) -> None:
        self._cells = cells
        self._show = show
        self._folder = folder
        self._values = values
        self._attached = attached if attached is not None else {}

    async def __call__(self, text: str, turn_id: int, context: Context) -> Around:
        """Return what goes with a question. Never raises: what cannot be read is said to be so."""
        wanted = references(text, context, self._attached)
        seen = _Seen()
        await self._look(turn_id, wanted, seen)
        for name in wanted.variables:
            await self._value(turn_id, name, seen)
        for path in wanted.files:
            await self._file(path, seen)
        return Around(seen.told, tuple(seen.pictures[:MAX_PICTURES]), seen.untrusted)

    async def _look(self, turn_id: int, wanted: References, seen: _Seen) -> None:
        try:
            async with asyncio.timeout(LOOK_LIMIT_S):
                outline = await self._cells(turn_id, None)
                near = _near(outline)
                asked = [n - 1 for n in wanted.cells if 0 < n <= len(outline.cells)]
                failed = _failed(outline)
                ids = [outline.cells[i].id for i in dict.fromkeys([*near, *asked, *failed])]
                if not ids:
                    return
                whole = {cell.id: cell for cell in (await self._cells(turn_id, ids)).cells if cell.id in ids}
        except (VoiceKernelError, TimeoutError):
            return  # nobody shows the notebook: the names of its variables are known all the same
        view = [whole.get(cell.id, cell) for cell in outline.cells]
        notebook: dict[str, Any] = {
            "current_cell": outline.active + 1,
            "cells": [
                _cell(i + 1, view[i], SOURCE_CHARS if i == outline.active else NEIGHBOUR_CHARS) for i in near
            ],
        }
        if failed:
            cell = view[failed[0]]
            seen.told["last_error"] = {"cell": failed[0] + 1, "traceback": _traceback(cell)}
            if failed[0] not in near:
                seen.told["last_error"]["source"] = clip(cell.source, SOURCE_CHARS)
            seen.read(_("the output of cell {number}").format(number=failed[0] + 1))
        for i in asked:
            shown = _cell(i + 1, view[i], SOURCE_CHARS)
            if self._values and (output := _output(view[i])):
                shown["output"] = output
                seen.read(_("the output of cell {number}").format(number=i + 1))
                seen.pictures += _pictures(view[i])
            seen.refer(f"@cell {i + 1}", shown)
        seen.told["notebook"] = notebook

    async def _value(self, turn_id: int, name: str, seen: _Seen) -> None:
        if not self._values:
            seen.refer(f"@{name}", "its value may not be sent")
            return
        task = await self._show(turn_id, name)
        text = task.result.text if task.result is not None else ""
        seen.refer(f"@{name}", clip(plain(text), VALUE_CHARS) or "it could not be shown")
        seen.read(_("the value of {name}").format(name=name))
        if task.result is not None:
            seen.pictures += [
                f"data:{mime};base64,{''.join(data.split())}"
                for output in task.result.outputs
                for mime, data in output.data.items()
                if mime in PICTURES.values()
            ]

    async def _file(self, path: str, seen: _Seen) -> None:
        try:
            if path in self._attached:
                text, picture = _shown(path, self._attached[path])
            else:
                text, picture = await asyncio.to_thread(read, self._folder(), path)
        except (OSError, ValueError) as error:
            seen.refer(f"@{path}", f"it could not be read: {type(error).__name__}")
            return
        seen.read(path)
        if picture:
            seen.pictures.append(picture)
        seen.refer(f"@{path}", text)


@dataclass(frozen=True, slots=True)
class References:
    """What words refer to."""

    cells: tuple[int, ...] = ()
    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def references(text: str, context: Context, attached: Collection[str] = ()) -> References:
    """Return the cells, variables and files that words refer to, `MAX_REFERENCES` of each at most.

    A cell may be named in plain words; a variable or a file only with its `@`.
    """
    names = {variable.name for variable in context.variables}
    files = {path.rstrip("/") for path in context.files if not path.endswith("/")}
    cells: dict[int, None] = {int(match.group(1)): None for match in _CELL.finditer(text)}
    variables: dict[str, None] = {}
    paths: dict[str, None] = {}
    for match in _REFERENCE.finditer(text):
        if match.group("cell"):
            cells[int(match.group("cell"))] = None
            continue
        name = match.group("quoted") or match.group("name").rstrip(".")
        if name in attached:
            paths[name] = None
        elif name in names:
            variables[name] = None
        elif name in files or "/" in name or "." in name:
            paths[name] = None
    limit = MAX_REFERENCES
    return References(tuple(cells)[:limit], tuple(variables)[:limit], tuple(paths)[:limit])


def read(folder: Path, path: str) -> tuple[str, str]:
    """Return a file's text, or what it is and, of a picture, its data URL.

    Raises:
        OSError: it cannot be read.
        ValueError: it lies outside of the folder.
    """
    root = folder.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root):
        raise ValueError("it lies outside of the working folder")
    if found.exists() and not found.is_file():  # a pipe would be waited for, for ever
        raise ValueError("it is no file")
    with found.open("rb") as file:
        return _shown(found.name, file.read(MAX_PICTURE_BYTES + 1))


def _shown(name: str, raw: bytes) -> tuple[str, str]:
    mime = PICTURES.get(Path(name).suffix.lower())
    if mime and len(raw) <= MAX_PICTURE_BYTES:
        return "[a picture]", f"data:{mime};base64,{base64.b64encode(raw).decode()}"
    if b"\0" in raw[:4_096]:
        size = f"{len(raw):,}" if len(raw) <= MAX_PICTURE_BYTES else f"more than {MAX_PICTURE_BYTES:,}"
        return f"[{size} bytes that are no text]", ""
    return clip(raw[: FILE_CHARS * 4].decode("utf-8", "replace"), FILE_CHARS), ""


class _Seen:
    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.pictures: list[str] = []
        self.untrusted = ""

    def refer(self, name: str, what: Any) -> None:
        self.told.setdefault("referred_to", {})[name] = what

    def read(self, what: str) -> None:
        self.untrusted = self.untrusted or what


def _near(view: NotebookView) -> list[int]:
    if view.active < 0:
        return []
    return [i for i in range(view.active - 1, view.active + 2) if 0 <= i < len(view.cells)]


def _failed(view: NotebookView) -> list[int]:
    """Return the position of the cell whose error was probably meant: the current one, else the last run."""
    failed = [i for i, cell in enumerate(view.cells) if cell.failed]
    if view.active in failed:
        return [view.active]
    return sorted(failed, key=lambda i: view.cells[i].execution_count or 0)[-1:]


def _cell(number: int, cell: CellView, limit: int) -> dict[str, Any]:
    return {"number": number, "kind": cell.kind, "source": clip(cell.source, limit)}


def _traceback(cell: CellView) -> str:
    errors = [output.text for output in cell.outputs if output.kind == "error"]
    return clip(plain(errors[-1]), TRACEBACK_CHARS) if errors else ""


def _output(cell: CellView) -> str:
    texts = [output.text or output.data.get("text/plain", "") for output in cell.outputs]
    return clip(plain("\n".join(filter(None, texts))), VALUE_CHARS)


def _pictures(cell: CellView) -> list[str]:
    return [
        f"data:{mime};base64,{''.join(data.split())}"
        for output in cell.outputs
        for mime, data in output.data.items()
        if mime in PICTURES.values()
    ]
