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

MAX_SESSIONS = 1_000
MAX_THREADS = 1_000


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

    from voice_kernel.app import data_folder
    from voice_kernel.settings import load
    from voice_kernel.store import History

    settings = load()
    logs = Path(settings.log_dir).expanduser() if settings.log_dir else None
    with History(settings.database_url, data_folder(), logs=logs) as opened:
        yield opened


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
    threads, _ = opened.threads(limit=MAX_THREADS)
    return _only([thread.id for thread in threads], start, "conversation", "voice-kernel history threads")


def session_of(opened: History, start: str) -> str:
    """Return the id of a session by the beginning of it; `last` is the newest in which something was done.

    Raises:
        NotInHistory: there is none, or more than one.
    """
    sessions = opened.sessions(MAX_SESSIONS)
    if start == "last":
        done = [session.id for session in sessions if session.tasks]
        if not done:
            raise NotInHistory("Nothing has been done in any session yet.")
        return done[0]
    return _only([session.id for session in sessions], start, "session", "voice-kernel history sessions")


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
