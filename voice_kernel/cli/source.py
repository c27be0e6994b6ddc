"""Where a command reads history from, and what `--task`, `--thread` and `--session` choose of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from voice_kernel.cli.terminal import one_line
from voice_kernel.errors import HistoryError, NotInHistory

if TYPE_CHECKING:
    from voice_kernel.messages import PastTask
    from voice_kernel.script.step import Recorded, Step
    from voice_kernel.store import History
    from voice_kernel.store.kept import Conversation

READING = {
    "locked": "It holds the history for itself alone. Try again in a moment.",
    "corrupt": "It is {folder}/history.db. The next kernel sets it aside under another name and begins a new "
    "one; nothing is deleted.",
    "moved": "Try again.",
}
"""What to do about a history that cannot be read, by the kind of what is wrong."""
PAGE = 1_000


@dataclass(frozen=True)
class Chosen:
    """A piece of the history: one task, or all of a conversation or session."""

    title: str
    recorded: list[Recorded] = field(default_factory=list)
    task: PastTask | None = None
    """When it is one task only."""
    about: list[tuple[str, str]] = field(default_factory=list)
    """What else there is to say of it: names and values."""

    @property
    def steps(self) -> list[Step]:
        """What is to be done to do it again."""
        from voice_kernel.script.step import step_of_task, steps_of

        if self.task is not None:
            return [step_of_task(self.task.task, self.task.utterance)]
        return steps_of(self.recorded)


def add_choice(parser: argparse.ArgumentParser, *, required: bool) -> Any:
    """Add the options that choose; returns their group."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument("--task", type=int, metavar="N", help="a task, by its number in voice-kernel history")
    group.add_argument("--thread", metavar="ID", help="a conversation (voice-kernel history threads)")
    group.add_argument("--session", metavar="ID", help="a run of a kernel: its id, or last")
    return group


@contextmanager
def history() -> Iterator[History]:
    """Open the history of the settings.

    Raises:
        HistoryError: it cannot be read, or is switched off.
    """
    from pathlib import Path

    from voice_kernel.settings import data_folder, load
    from voice_kernel.store import History
    from voice_kernel.store.faults import LATER, Fault

    settings = load()
    logs = Path(settings.log_dir).expanduser() if settings.log_dir else None
    try:
        with History(settings.database_url, data_folder(), logs=logs) as opened:
            yield opened
    except Fault as fault:  # in the words of somebody who writes
        reading = READING.get(fault.kind, fault.hint.replace(LATER, "").strip())
        raise HistoryError(fault.message, hint=reading.format(folder=data_folder())) from None


def chosen(opened: History, options: argparse.Namespace) -> Chosen:
    """Return what the options choose.

    Raises:
        NotInHistory: there is no such thing.
    """
    if options.task is not None:
        return _task(opened, options.task)
    if options.thread:
        thread_id = thread_of(opened, options.thread)
        return _conversation(opened.conversation(thread_id=thread_id), f"conversation {thread_id}")
    session_id = session_of(opened, options.session)
    return _conversation(opened.conversation(session_id=session_id), f"session {session_id}")


def task_of(opened: History, number: int) -> PastTask:
    """Return a task by its number in the history.

    Raises:
        NotInHistory: there is none.
    """
    past = opened.past(number)
    if past is None:
        raise NotInHistory(
            f"There is no task {number} in the history.", hint="voice-kernel history lists what there is."
        )
    return past


def thread_of(opened: History, start: str) -> str:
    """Return the id of a conversation by the beginning of it.

    Raises:
        NotInHistory: there is none, or more than one.
    """
    ids: list[str] = []
    before: float | None = None
    more = True
    while more and start not in ids:
        page, more = opened.threads(before=before, limit=PAGE)
        ids += [thread.id for thread in page]
        before = page[-1].updated_at if page else None
    return _only(ids, start, "conversation", "voice-kernel history threads")


def session_of(opened: History, start: str) -> str:
    """Return the id of a session by the beginning of it.

    `last` is the newest in which something was done, other than replays: who replays the last session twice
    means the same one both times.

    Raises:
        NotInHistory: there is none, or more than one.
    """
    if start == "last":
        done = (session.id for session in opened.sessions(PAGE) if session.tasks)
        last = next((session_id for session_id in done if not _is_replay(opened, session_id)), None)
        if last is None:
            raise NotInHistory("Nothing has been done in any session yet.")
        return last
    ids = [session.id for session in opened.sessions(PAGE, session_id=start)]
    return _only(ids, start, "session", "voice-kernel history sessions")


def _is_replay(opened: History, session_id: str) -> bool:
    found = opened.conversation(session_id=session_id)
    turns = found.turns if found is not None else []
    return all(turn.origin == "script" and turn.surface_id.startswith("client-") for turn in turns)


def _only(ids: list[str], start: str, noun: str, lister: str) -> str:
    found = [one for one in ids if one.startswith(start)]
    if start in found:
        return start
    if len(found) != 1 or not start:
        many = f"{len(found)} {noun}s begin with" if found else f"There is no {noun}"
        raise NotInHistory(f"{many} {one_line(start)!r}.", hint=f"{lister} lists them.")
    return found[0]


def _task(opened: History, number: int) -> Chosen:
    from voice_kernel.messages import Call, Turn
    from voice_kernel.script.step import Recorded

    past = task_of(opened, number)
    task = past.task
    turn = Turn(
        id=task.turn_id,
        state="succeeded" if task.state == "succeeded" else "failed",
        origin=task.origin,
        text=past.utterance or task.title,
        calls=[Call(tool=task.tool, arguments=task.arguments)],
        problem=task.problem,
        created_at=task.created_at,
        ended_at=task.ended_at,
    )
    about = [("conversation", past.thread_title)] if past.thread_title else []
    return Chosen(f"task {number}", [Recorded(turn, (task,))], past, about)


def _conversation(found: Conversation | None, name: str) -> Chosen:
    from voice_kernel.script.step import recorded_of

    if found is None:
        raise NotInHistory(f"There is no {name} in the history.")
    if not found.turns:
        raise HistoryError(f"Nothing was said in {name}.")
    first, last = (datetime.fromtimestamp(turn.created_at) for turn in (found.turns[0], found.turns[-1]))
    about = [("workspace", found.thread.workspace)] if found.thread.workspace else []
    about.append(("time", f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"))
    title = found.thread.title or found.turns[0].text
    return Chosen(f"{name}: {title}" if title else name, recorded_of(found.turns, found.tasks), about=about)
