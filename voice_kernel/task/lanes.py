"""Lanes: queues of tasks, first come first served, each with a limit of how many run at once.

Knows names of lanes, limits and who waits; nothing of what a task does or why it belongs to a lane.

What a task calls while it holds a place is part of it: such a call queues only among its own siblings,
never behind strangers. So nobody who holds a place waits for a place that another holds, and no circle of
waiting can arise, whatever tools call each other. What comes back by another way (a cell's own `%voice`,
a command that runs `voice-kernel say`) cannot be known to be part of a task, and queues like any other.

Everything here belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal, Protocol

from voice_kernel.errors import Refused
from voice_kernel.events import EventSink
from voice_kernel.language import _, number
from voice_kernel.messages import QueueChanged

LIMITS: Mapping[str, int] = {"shell": 4, "tests": 2, "browser": 2, "research": 4}
"""How many tasks of an area run at once, where the settings say nothing else. Others have no limit."""
AREAS = frozenset(
    {
        "browser",
        "data",
        "lab",
        "mcp",
        "model",
        "notebook",
        "research",
        "session",
        "shell",
        "tasks",
        "tests",
        "own",
    }
)
"""What limits can be set for: the areas of all tools there are."""
TELL_S = 0.25
"""Places are told at most four times a second, one message a lane: 200 tasks that move up one by one are
20,000 changes of place."""
MAX_WAITING = 1_000
"""Tasks that wait in one lane; past that a call is refused instead of queued."""
MAX_TOLD = 500
"""Places that one message tells: what a surface remembers of tasks."""
MAX_OVERTAKEN = 20
"""So often may others be moved ahead of a waiting task; then it keeps its place until it starts."""


def misnamed(limits: Iterable[str]) -> str:
    """Return what is wrong with the names in a table of limits, as a sentence; empty if nothing is."""
    wrong = sorted(set(limits) - AREAS)
    if not wrong:
        return ""
    areas = ", ".join(sorted(AREAS))
    return _("Limits are set for {names}, but tasks are only of these kinds: {areas}.").format(
        names=", ".join(wrong), areas=areas
    )


Where = Literal["first", "up", "down", "last"]


class Queued(Protocol):
    """A task, as far as a queue knows it."""

    @property
    def id(self) -> int:
        """The task's number."""
        ...

    def queued(self) -> None:
        """Note that it has to wait."""
        ...

    def placed(self, position: int | None) -> None:
        """Note the task's place, from 1; None when it no longer waits. Tells nobody."""
        ...

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Have a callback called once the task has ended, at once if it has."""
        ...


@dataclass(eq=False)
class _Place:
    """One task in a lane: waiting, then holding it, then gone."""

    task: Queued
    turn: asyncio.Future[None]
    overtaken: int = 0
    held: bool = False
    inside: dict[str, _Lane] = field(default_factory=dict)
    """Lanes for what the task calls while it holds this place."""


@dataclass(eq=False)
class _Lane:
    name: str
    limit: int
    holding: int = 0
    waiting: list[_Place] = field(default_factory=list)


_inside: ContextVar[_Place | None] = ContextVar("voice_kernel_place", default=None)
"""The innermost place that is held around the code which runs now."""


class Lanes:
    """The lanes of a session.

    Args:
        limits: how many tasks of a lane run at once; a lane without a limit lets everyone through.
        sink: told the places of those who wait.
    """

    def __init__(self, limits: Mapping[str, int], sink: EventSink) -> None:
        self._limits = dict(limits)
        self._sink = sink
        self._lanes: dict[str, _Lane] = {}
        self._waiting: dict[int, tuple[_Lane, _Place]] = {}
        self._untold: dict[str, _Lane] = {}
        self._telling: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def slot(self, lane: str, task: Queued) -> AsyncIterator[None]:
        """Wait for a place in a lane and hold it, until the block is left or the task has ended.

        Raises:
            Refused: too many wait already.
        """
        if lane not in self._limits:
            yield
            return
        chosen = self._lane_here(lane)
        place = _Place(task, asyncio.get_running_loop().create_future())
        token = None
        try:
            await self._enter(chosen, place)
            # A task may be given up while its work, deaf to cancellation, still goes on in this block.
            task.when_ended(lambda: self._leave(chosen, place))
            token = _inside.set(place)
            yield
        finally:
            if token is not None:
                _inside.reset(token)
            self._leave(chosen, place)

    def move(self, task_id: int, to: Where) -> bool:
        """Change the place of a waiting task; returns whether it waits.

        It is not moved ahead of one that others were moved ahead of `MAX_OVERTAKEN` times already.
        """
        lane, place = self._waiting.get(task_id, (None, None))
        if lane is None or place is None:
            return False
        waiting = lane.waiting
        at = waiting.index(place)
        wanted = {
            "first": 0,
            "up": max(0, at - 1),
            "down": min(at + 1, len(waiting) - 1),
            "last": len(waiting) - 1,
        }
        target = wanted[to]
        # The last one before it that has been overtaken often enough stays ahead.
        for index in range(at - 1, target - 1, -1):
            if waiting[index].overtaken >= MAX_OVERTAKEN:
                target = index + 1
                break
        for passed in waiting[target:at]:
            passed.overtaken += 1
        waiting.insert(target, waiting.pop(at))
        self._tell_soon(lane)
        return True

    def waiting(self, lane: str) -> list[int]:
        """Return the tasks that wait in a lane, the next one first."""
        known = self._lanes.get(lane)
        return [place.task.id for place in known.waiting] if known else []

    def holding(self, lane: str) -> int:
        """Return how many tasks hold a place in a lane."""
        known = self._lanes.get(lane)
        return known.holding if known else 0

    def _lane_here(self, name: str) -> _Lane:
        around = _inside.get()
        # A place that was given back meanwhile is around code that outlived its task.
        within = around is not None and around.held
        lanes = around.inside if around is not None and within else self._lanes
        lane = lanes.get(name)
        if lane is None:
            label = name
            if around is not None and within:
                label = _("{lane} of task {number}").format(lane=name, number=around.task.id)
            lane = lanes[name] = _Lane(label, self._limits[name])
        return lane

    async def _enter(self, lane: _Lane, place: _Place) -> None:
        if lane.holding < lane.limit:  # then nobody waits
            lane.holding += 1
            place.held = True
            return
        if len(lane.waiting) >= MAX_WAITING:
            raise Refused(
                _("{count} tasks wait in the queue {name!r} already.").format(
                    count=number(MAX_WAITING), name=lane.name
                ),
                hint=_("Let some of them end, or cancel them."),
                retryable=True,
            )
        place.task.queued()
        lane.waiting.append(place)
        self._waiting[place.task.id] = (lane, place)
        self._tell_soon(lane)
        await place.turn

    def _leave(self, lane: _Lane, place: _Place) -> None:
        """Give a place up, whether it is held or waited for; a second call does nothing."""
        if place.held:
            place.held = False
            lane.holding -= 1
        elif place in lane.waiting:
            lane.waiting.remove(place)
            self._forget(lane, place)
        while lane.waiting and lane.holding < lane.limit:
            following = lane.waiting.pop(0)
            self._forget(lane, following)
            lane.holding += 1
            following.held = True
            if not following.turn.done():  # cancelled in this moment: it will leave by itself
                following.turn.set_result(None)

    def _forget(self, lane: _Lane, place: _Place) -> None:
        del self._waiting[place.task.id]
        place.task.placed(None)
        self._tell_soon(lane)

    def _tell_soon(self, lane: _Lane) -> None:
        self._untold[lane.name] = lane
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_S, self._tell)

    def _tell(self) -> None:
        self._telling = None
        untold, self._untold = self._untold, {}
        for lane in untold.values():
            for position, place in enumerate(lane.waiting, 1):
                place.task.placed(position)
            if lane.waiting:
                tasks = [place.task.id for place in lane.waiting[:MAX_TOLD]]
                self._sink.publish(QueueChanged(lane=lane.name, tasks=tasks))
