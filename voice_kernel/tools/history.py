"""`show_history`: what was done, in this session and in earlier ones; searched by words, state and time.

Knows how past tasks are told to a person; where they are kept is the part of whoever is asked for them.
"""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, Protocol, Unpack

from pydantic import Field

from voice_kernel.errors import HistoryError
from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import Output, PastTask, Result, Task, TaskState
from voice_kernel.store import Wanted
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry
from voice_kernel.tools.moments import EXAMPLES, span_of
from voice_kernel.tools.shell import duration
from voice_kernel.tools.terminal import clip, plain

MAX_LISTED = 100
"""How far back a search that ends in the past is followed, in pages."""
MAX_WHAT_CHARS = 90
STATE_WORDS: dict[TaskState, str] = {
    "queued": N_("waiting"),
    "awaiting_approval": N_("waiting for approval"),
    "running": N_("running"),
    "succeeded": N_("succeeded"),
    "failed": N_("failed"),
    "cancelled": N_("cancelled"),
    "interrupted": N_("interrupted"),
}


class ShowHistory(Arguments):
    """Arguments of `show_history`."""

    search: str = Field(
        default="",
        max_length=200,
        description="Words that what was said, done or went wrong must hold; everything if absent.",
    )
    state: Literal["", "succeeded", "failed", "cancelled", "interrupted", "running", "queued"] = Field(
        default="", description="Only tasks in this state."
    )
    since: str = Field(default="", max_length=40, description=f"Only tasks since then: {EXAMPLES}.")
    until: str = Field(default="", max_length=40, description="Only tasks until then, in the same words.")
    everywhere: bool = Field(
        default=False, description="Those of every notebook and folder, not only of this one."
    )
    limit: int = Field(default=20, ge=1, le=MAX_LISTED, description="How many at most.")


class Find(Protocol):
    """Searches the history: newest first, and whether there are more. Raises `HistoryError`."""

    async def __call__(
        self, query: str = "", *, everywhere: bool = True, **which: Unpack[Wanted]
    ) -> tuple[list[PastTask], bool]:
        """Search; arguments like those of `store.Store.find`."""
        ...


def register(
    registry: Registry,
    *,
    find: Find,
    tasks: Callable[[], Sequence[Task]],
    now: Callable[[], float] = time.time,
) -> None:
    """Register the tool.

    Args:
        registry: where.
        find: searches the history.
        tasks: the tasks of this conversation, oldest first: all there is where nothing is kept.
        now: the time, in seconds since the epoch.
    """

    @registry.tool(area="tasks", effects=frozenset({"read"}), untrusted=True)
    async def show_history(task: TaskHandle, args: ShowHistory) -> Result:
        """Show what was done before: all of it, or what holds some words, failed, or is from some day."""
        since, until = _limits(args, now())
        states: tuple[TaskState, ...] = (args.state,) if args.state else ()
        note = ""
        try:
            found, more = await _found(find, args, states, since, until, task.id)
        except HistoryError as error:
            note = f"{error.message} " + _("These are the tasks of this session only.")
            found, more = _of_session(tasks(), args, states, since, until, task.id)
        return listing(found, now(), tasks(), more=more, note=note)


def listing(
    found: Sequence[PastTask], now: float, here: Sequence[Task], *, more: bool = False, note: str = ""
) -> Result:
    """Return past tasks as a table.

    Args:
        found: the newest first.
        now: the time.
        here: the tasks of this conversation: only these have a number that can be said.
        more: whether there are more of them.
        note: what else there is to say.
    """
    numbers = {(task.created_at, task.title): task.id for task in here}
    said = [numbers.get((past.task.created_at, past.task.title)) for past in found]
    rows = [
        (
            f"#{past.id}" if number is None else str(number),
            when(past.task.created_at, now),
            what(past),
            outcome(past.task, now),
        )
        for past, number in zip(found, said, strict=True)
    ]
    after = [_("and older ones")] if more else []
    elsewhere = next((past.id for past, number in zip(found, said, strict=True) if number is None), None)
    if elsewhere is not None:
        after.append(
            _("In a terminal: {commands}").format(
                commands=f"voice-kernel history show {elsewhere}, voice-kernel replay --task {elsewhere}"
            )
        )
    text = "\n".join(
        [aligned([(_("no"), _("when"), _("what"), _("outcome")), *rows]) if rows else "", *after]
    ).strip()
    outputs = [Output(kind="display", data={"text/plain": text, "text/html": _table(rows, after)})]
    count = len(found)
    counted = ngettext_("{count} task.", "{count} tasks.", count)
    if more:
        counted = ngettext_("{count} of many task.", "{count} of many tasks.", count)
    summary = counted.format(count=count) if count else _(NOTHING)
    return Result(
        summary=f"{summary} {note}".strip(),
        text=clip(text),
        outputs=outputs if found else [],
        data={
            "tasks": [
                {
                    "id": number,
                    "history_id": past.id,
                    "tool": past.task.tool,
                    "said": past.utterance[:200],
                    "title": past.task.title,
                    "state": past.task.state,
                    "created_at": round(past.task.created_at),
                }
                for past, number in zip(found, said, strict=True)
            ],
            "more": more,
        },
    )


def _table(rows: Sequence[tuple[str, str, str, str]], after: Sequence[str]) -> str:
    """Return the rows as HTML, with time and outcome below what was done: panels are narrow."""
    lines = (
        f"<tr><th>{html.escape(number)}</th>"
        f"<td><p>{html.escape(done)}<br><small>{html.escape(f'{at} · {end}')}</small></p></td></tr>"
        for number, at, done, end in rows
    )
    below = "".join(f"<p>{html.escape(line)}</p>" for line in after)
    return f"<table><tbody>{''.join(lines)}</tbody></table>{below}"


NOTHING = N_("Nothing of that kind was done.")


def what(past: PastTask, max_chars: int = MAX_WHAT_CHARS) -> str:
    """Return what a task was, on one line: what was said, and what was called where that says more."""
    said, title = (" ".join(plain(text).split()) for text in (past.utterance, past.task.title))
    tool, _space, rest = title.partition(" ")
    called = tool if rest.lower() in said.lower() else title  # in full where the words do not say it already
    text = f"{said} [{called}]" if said else title
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def outcome(task: Task, now: float) -> str:
    """Return how a task ended, on one line: state, length, and what it came to."""
    said = _(STATE_WORDS[task.state])
    if task.started_at is not None:
        said += f", {duration(max(0.0, (task.ended_at or now) - task.started_at))}"
    result = task.result
    if result is not None and result.tests is not None:
        tests = result.tests
        counts = (
            (tests.passed, _("{count} passed")),
            (tests.failed, _("{count} failed")),
            (tests.errors, _("{count} errors")),
        )
        said += "".join(", " + counted.format(count=number) for number, counted in counts if number)
    elif task.problem is not None and task.state in ("failed", "interrupted"):
        message = " ".join(plain(task.problem.message).split())
        said += f": {message if len(message) <= 120 else message[:119] + '…'}"
    return said


def when(moment: float, now: float) -> str:
    """Return a time for a person: `14:03`, `yesterday 14:03`, `20 Nov 14:03`, `20 Nov 2025`."""
    then, today = datetime.fromtimestamp(moment), datetime.fromtimestamp(now)
    clock = f"{then:%H:%M}"
    days = (today.date() - then.date()).days
    if days == 0:
        return clock
    if days == 1:
        return _("yesterday {time}").format(time=clock)
    return f"{then.day} {then:%b} {clock}" if then.year == today.year else f"{then.day} {then:%b %Y}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as text with every column but the last padded to one width."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ("  ".join([*map(str.ljust, row[:-1], widths), row[-1]]).rstrip() for row in rows)
    return "\n".join(lines)


async def _found(
    find: Find,
    args: ShowHistory,
    states: tuple[TaskState, ...],
    since: float | None,
    until: float | None,
    asking: int,
) -> tuple[list[PastTask], bool]:
    page, more = await find(
        args.search,
        states=states,
        everywhere=args.everywhere,
        since=since,
        until=until,
        limit=args.limit + 1,
    )
    found = [past for past in page if not _is_itself(past.task, asking)]
    return found[: args.limit], more or len(found) > args.limit


def _of_session(
    tasks: Sequence[Task],
    args: ShowHistory,
    states: tuple[TaskState, ...],
    since: float | None,
    until: float | None,
    asking: int,
) -> tuple[list[PastTask], bool]:
    words = args.search.lower().split()
    found = [
        PastTask(id=task.id, task=task)
        for task in reversed(tasks)
        if not _is_itself(task, asking)
        and (not states or task.state in states)
        and (since is None or task.created_at >= since)
        and (until is None or task.created_at < until)
        and all(word in f"{task.title} {task.problem and task.problem.message}".lower() for word in words)
    ]
    return found[: args.limit], len(found) > args.limit


def _is_itself(task: Task, asking: int) -> bool:
    # The task that asks is in the history already.
    return task.id == asking and task.tool == "show_history" and not task.earlier


def _limits(args: ShowHistory, now: float) -> tuple[float | None, float | None]:
    since = span_of(args.since, now)[0] if args.since.strip() else None
    until = span_of(args.until, now)[1] if args.until.strip() else None
    return since, until
