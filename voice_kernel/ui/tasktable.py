"""Tasks as a table: HTML for a notebook, text for a terminal, records for a data frame.

Pure, like frozen: tasks in, a string out. Everything that came from outside is escaped.
"""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from typing import Any

from voice_kernel.language import _, decimal, ngettext_, quoted
from voice_kernel.messages import Task
from voice_kernel.ui.frozen import state_words

MAX_ROWS = 50
"""The newest; the others are counted."""
MAX_TITLE_CHARS = 60
MAX_SAID_CHARS = 40
MAX_TOLD_CHARS = 80

COLUMNS = (
    "task", "tool", "area", "title", "state", "said", "origin", "created_at", "started_at", "ended_at",
    "duration_s", "summary", "problem", "exit_code", "arguments", "log_path",
)  # fmt: skip
"""Of the records."""

_LINE = "1px solid color-mix(in srgb,currentColor 18%,transparent)"
_CELL = f"padding:3px 12px 3px 0;border-bottom:{_LINE};text-align:left;vertical-align:top"
_MUTED = "opacity:.72"
_TONES = {
    "succeeded": "color:color-mix(in srgb,#2e8b3d 72%,currentColor)",
    "failed": "color:color-mix(in srgb,#d32f2f 72%,currentColor)",
    "interrupted": "color:color-mix(in srgb,#d32f2f 72%,currentColor)",
    "awaiting_approval": "color:color-mix(in srgb,#b07d00 72%,currentColor)",
}


def table_html(tasks: Sequence[Task], said: Mapping[int, str], now: float | None = None) -> str:
    """Return tasks as a table, the newest first; nothing for none.

    Args:
        tasks: oldest first.
        said: what was said, by the number of the turn.
        now: the time, in seconds since the epoch.
    """
    if not tasks:
        return ""
    head = "".join(
        f'<th scope="col" style="{_CELL}">{html.escape(name)}</th>'
        for name in ("", _("task"), _("said"), _("state"), _("took"), "")
    )
    rows = "".join(_row_html(task, said, now) for task in reversed(tasks[-MAX_ROWS:]))
    more = len(tasks) - MAX_ROWS
    note = f'<div style="{_MUTED};margin-top:4px">{_older(more)}</div>' if more > 0 else ""
    return (
        '<div style="overflow-x:auto;font-size:13px">'
        f'<table style="border-collapse:collapse"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"{note}</div>"
    )


def table_text(tasks: Sequence[Task], said: Mapping[int, str], now: float | None = None) -> str:
    """Return the same for a terminal."""
    if not tasks:
        return ""
    rows = [
        (
            str(task.id),
            " ".join(state_words(task)),
            took(task, now),
            _cut(task.title, MAX_TITLE_CHARS),
            _cut(told(task), MAX_TOLD_CHARS),
        )
        for task in reversed(tasks[-MAX_ROWS:])
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = [
        "  ".join(
            (row[0].rjust(widths[0]), *(row[i].ljust(widths[i]) for i in range(1, len(widths))), row[-1])
        ).rstrip()
        for row in rows
    ]
    if len(tasks) > MAX_ROWS:
        lines.append(_older(len(tasks) - MAX_ROWS))
    return "\n".join(lines)


def _older(count: int) -> str:
    return ngettext_("and {count} older one", "and {count} older ones", count).format(count=count)


def records(tasks: Sequence[Task], said: Mapping[int, str], now: float | None = None) -> list[dict[str, Any]]:
    """Return one record a task, with the keys of `COLUMNS`; times in seconds since the epoch."""
    return [
        {
            "task": task.id,
            "tool": task.tool,
            "area": task.area,
            "title": task.title,
            "state": task.state,
            "said": said.get(task.turn_id, ""),
            "origin": task.origin,
            "created_at": task.created_at,
            "started_at": task.started_at,
            "ended_at": task.ended_at,
            "duration_s": duration_s(task, now),
            "summary": task.result.summary if task.result else "",
            "problem": task.problem.message if task.problem else "",
            "exit_code": task.result.exit_code if task.result else None,
            "arguments": task.arguments,
            "log_path": task.log_path,
        }
        for task in tasks
    ]


def duration_s(task: Task, now: float | None = None) -> float | None:
    """Return how long a task ran, or has been running; None before it starts."""
    if task.started_at is None:
        return None
    return max(0.0, (task.ended_at or now or time.time()) - task.started_at)


def took(task: Task, now: float | None = None) -> str:
    """Return the same in words."""
    seconds = duration_s(task, now)
    if seconds is None:
        return ""
    if seconds < 0.995:
        return f"{seconds * 1000:.0f} ms"
    return f"{decimal(seconds, 1)} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def told(task: Task) -> str:
    """Return what there is to say of a task: how far it is, why it failed, what it came to."""
    if task.ended_at is None:
        if task.queue_position is not None:
            return _("number {position} in its queue").format(position=task.queue_position)
        return _progress(task)
    if task.state != "succeeded" and task.problem is not None:
        return task.problem.message
    return task.result.summary if task.result is not None else ""


def _progress(task: Task) -> str:
    progress = task.progress
    if progress is None:
        return ""
    parts = [progress.label]
    if progress.done is not None:
        done = f"{progress.done:g}"
        if progress.total is not None:
            done = _("{done} of {total}").format(done=done, total=f"{progress.total:g}")
        parts.append(f"{done} {progress.unit}".rstrip())
    elif progress.fraction is not None:
        parts.append(f"{progress.fraction:.0%}")
    return ", ".join(part for part in parts if part)


def _row_html(task: Task, said: Mapping[int, str], now: float | None) -> str:
    mark, word = state_words(task)
    tone = _TONES.get(task.state, "")
    words = said.get(task.turn_id, "")
    cells = (
        (str(task.id), f"{_CELL};{_MUTED};text-align:right"),
        (_cut(task.title, MAX_TITLE_CHARS), f"{_CELL};font-family:var(--jp-code-font-family,monospace)"),
        (quoted(_cut(words, MAX_SAID_CHARS)) if words else "", _CELL),
        (f"{mark} {word}", f"{_CELL};{tone};white-space:nowrap"),
        (took(task, now), f"{_CELL};{_MUTED};white-space:nowrap"),
        (_cut(told(task), MAX_TOLD_CHARS), _CELL),
    )
    columns = "".join(f'<td style="{style}">{html.escape(text)}</td>' for text, style in cells)
    return f"<tr>{columns}</tr>"


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"
