"""`list_files`: what is in a folder. Reads names and sizes, opens and runs nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from voice_kernel.errors import ToolError
from voice_kernel.language import _, ngettext_, number
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry
from voice_kernel.tools import suggestion
from voice_kernel.tools.terminal import clip

MAX_ENTRIES = 500
MAX_SCANNED = 100_000
SKIPPED = frozenset(
    [".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints"]
)
"""Folders no one looks for a file in."""


class ListFiles(Arguments):
    """Arguments of `list_files`."""

    path: str = Field(default=".", max_length=4096, description="Folder, relative to the working folder.")


def register(registry: Registry, *, cwd: Callable[[], Path] = Path.cwd) -> None:
    """Register the file tools.

    Args:
        registry: where.
        cwd: the folder to which paths are relative, asked at each call.
    """

    @registry.tool(area="shell", effects=frozenset({"read"}), target=lambda args: args.path, untrusted=True)
    async def list_files(task: TaskHandle, args: ListFiles) -> Result:
        """List the files of a folder with their sizes."""
        # A folder may be huge, or on a network disk that does not answer.
        return await asyncio.to_thread(listing, cwd(), args.path or ".")


def listing(cwd: Path, path: str) -> Result:
    """Return the entries of a folder, folders first, hidden ones only counted.

    Raises:
        ToolError: there is no such folder, or it cannot be read.
    """
    folder = cwd / os.path.expanduser(path)
    name = path.rstrip("/") or path
    try:
        if folder.is_file():
            size = folder.stat().st_size
            entries, hidden, scanned = [(folder.name, False, size)], 0, 1
        else:
            entries, hidden, scanned = _scan(folder)
    except FileNotFoundError:
        raise ToolError(
            _("There is no folder {name} here.").format(name=name),
            hint=suggestion.hint(name, known_paths(cwd, folders=True), _("Say: list files, to see what is.")),
        ) from None
    except OSError as error:
        raise ToolError(
            _("The folder {name} cannot be read: {strerror}.").format(name=name, strerror=error.strerror)
        ) from None
    where = _("here") if name == "." else _("in {folder}").format(folder=name)
    shown = entries[:MAX_ENTRIES]
    lines = [
        f"{'' if is_folder else size_text(size):>9}  {entry}{'/' * is_folder}"
        for entry, is_folder, size in shown
    ]
    if len(entries) > len(shown):
        lines.append(f"{'':>9}  … " + _("and {count} more").format(count=number(len(entries) - len(shown))))
    if scanned >= MAX_SCANNED:
        lines.append(
            f"{'':>9}  ({_('stopped looking after {count} entries').format(count=number(MAX_SCANNED))})"
        )
    folders = sum(is_folder for _name, is_folder, _size in entries)
    files = len(entries) - folders
    summary = _("{files} and {folders} {where}").format(
        files=ngettext_("{count} file", "{count} files", files).format(count=number(files)),
        folders=ngettext_("{count} folder", "{count} folders", folders).format(count=number(folders)),
        where=where,
    )
    if hidden:
        summary += ", " + _("{count} hidden").format(count=hidden)
    return Result(
        summary=summary,
        text=clip("\n".join(lines), 64_000),
        data={
            "path": path,
            "entries": [
                {"name": entry, "folder": True} if is_folder else {"name": entry, "size_bytes": size}
                for entry, is_folder, size in shown
            ],
            "left_out": len(entries) - len(shown),
            "hidden": hidden,
        },
    )


def _scan(folder: Path) -> tuple[list[tuple[str, bool, int]], int, int]:
    entries, hidden, scanned = [], 0, 0
    with os.scandir(folder) as found:
        for entry in found:
            scanned += 1
            if scanned >= MAX_SCANNED:
                break
            if entry.name.startswith("."):
                hidden += 1
                continue
            try:
                is_folder = entry.is_dir()
                size = 0 if is_folder else entry.stat().st_size
            except OSError:  # a broken link, or gone meanwhile
                is_folder, size = False, 0
            entries.append((_printable(entry.name), is_folder, size))
    entries.sort(key=lambda item: (not item[1], item[0].casefold(), item[0]))
    return entries, hidden, scanned


def known_paths(cwd: Path, *, folders: bool = False, limit: int = 5_000) -> list[str]:
    """Return the paths below a folder, nearest first, for suggestions; at most `limit` are looked at."""
    found: list[str] = []
    waiting = [""]
    seen = 0
    while waiting and seen < limit:
        base = waiting.pop(0)
        try:
            entries = sorted(os.scandir(cwd / base), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > limit:
                break
            path = os.path.join(base, entry.name)
            is_folder = entry.is_dir(follow_symlinks=False)
            if entry.name in SKIPPED or (entry.name.startswith(".") and is_folder):
                continue
            if is_folder:
                waiting.append(path)
            if is_folder or not folders:
                found.append(path)
    return found


def size_text(size_bytes: int) -> str:
    """Return a size for a person: `12 B`, `3.4 KB`, `1.2 GB`."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _printable(name: str) -> str:
    # A file name may hold anything but a slash: escape codes and broken bytes must not reach a terminal.
    text = name.encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in text)
