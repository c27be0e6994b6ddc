"""Lets a conversation of several sessions be one session's, without two turns or tasks of one number.

Every session numbers its turns and tasks from 1. A session that goes on with what another one began
counts on from there; but a person may also open a conversation whose numbers are taken. Then those of
the other session are moved up, by as much every time.
"""

from __future__ import annotations

from collections.abc import Iterable

from voice_kernel.messages import PastTask, Task, Thread, Turn
from voice_kernel.store.kept import Conversation, Said


class Numbers:
    """Numbers that were given one after the other, with few gaps."""

    def __init__(self) -> None:
        self._runs: list[list[int]] = []

    @property
    def last(self) -> int:
        """The highest; 0 when there is none."""
        return self._runs[-1][1] if self._runs else 0

    def add(self, number: int) -> None:
        """Take a number in; those below the highest are there already."""
        if number == self.last + 1 and self._runs:
            self._runs[-1][1] = number
        elif number > self.last:
            self._runs.append([number, number])

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._runs)


class Numbering:
    """The numbers that one session sees.

    Args:
        session_id: whose own numbers are never moved.

    Attributes:
        turns: those the session gave itself.
        tasks: the same.
    """

    def __init__(self, session_id: str) -> None:
        self.turns = Numbers()
        self.tasks = Numbers()
        self._session_id = session_id
        self._shifts: dict[tuple[str, str, str], int] = {}
        self._origins: dict[int, tuple[str, int]] = {}

    def origin(self, task_id: int) -> tuple[str, int]:
        """Return which session gave a task that is seen here its number, and what that was."""
        if task_id in self.tasks:
            return self._session_id, task_id
        return self._origins.get(task_id, (self._session_id, task_id))

    def conversation(
        self, thread: Thread, said: list[Said], past: list[PastTask], last: tuple[int, int]
    ) -> Conversation:
        """Return a conversation as this session sees it.

        Args:
            thread: which one.
            said: its turns, oldest first.
            past: its tasks, oldest first.
            last: the highest numbers of a turn and a task in the workspace.
        """
        of_turns = self._moved(thread.id, "turns", self.turns, [(s.session_id, s.turn.id) for s in said])
        # A task names its turn: where the turn is among those asked for or not, it is moved alike.
        strangers = [(p.session_id, p.task.turn_id) for p in past]
        of_turns = self._moved(thread.id, "turns", self.turns, strangers, of_turns)
        of_tasks = self._moved(thread.id, "tasks", self.tasks, [(p.session_id, p.task.id) for p in past])
        turns = [self._turn(s.turn, of_turns[s.session_id]) for s in said]
        tasks = []
        self._origins = {}
        for p in past:
            number = p.task.id + of_tasks[p.session_id]
            self._origins[number] = (p.session_id, p.task.id)
            if p.session_id == self._session_id:
                tasks.append(p.task)
            else:
                tasks.append(_earlier(p.task, number, p.task.turn_id + of_turns[p.session_id]))
        return Conversation(
            thread,
            turns,
            tasks,
            last_turn_id=max([last[0], self.turns.last, *(turn.id for turn in turns)]),
            last_task_id=max([last[1], self.tasks.last, *(task.id for task in tasks)]),
        )

    def _moved(
        self,
        thread_id: str,
        kind: str,
        own: Numbers,
        numbered: Iterable[tuple[str, int]],
        fixed: dict[str, int] | None = None,
    ) -> dict[str, int]:
        """Return by how much the numbers of each session are moved."""
        by_session: dict[str, set[int]] = {}
        for session_id, number in numbered:
            by_session.setdefault(session_id, set()).add(number)
        shifts = dict(fixed or {})
        taken: set[int] = set()
        for session_id, numbers in by_session.items():
            if session_id in shifts:
                continue
            key = (thread_id, session_id, kind)
            shift = self._shifts.get(key, 0)
            if session_id != self._session_id and any(
                n + shift in own or n + shift in taken for n in numbers
            ):
                shift = max([own.last, *taken]) + 1 - min(numbers)
            shifts[session_id] = self._shifts[key] = shift
            taken.update(n + shift for n in numbers)
        return shifts

    def _turn(self, turn: Turn, shift: int) -> Turn:
        if not shift:
            return turn
        parent_id = turn.parent_id + shift if turn.parent_id is not None else None
        return turn.model_copy(update={"id": turn.id + shift, "parent_id": parent_id})


def _earlier(task: Task, number: int, turn_id: int) -> Task:
    change = {
        "id": number,
        "turn_id": turn_id,
        "earlier": True,
        "approval_id": None,
        "queue_position": None,
        "deadline_at": None,
    }
    return task.model_copy(update=change)
