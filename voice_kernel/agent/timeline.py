"""When what happened in a turn of the model: kept in memory, told on request, sent nowhere.

The SDK's own tracing stays off. Requests are noted here; what tools did is known from their tasks.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from voice_kernel.language import _
from voice_kernel.language import number as grouped
from voice_kernel.messages import Task
from voice_kernel.toolbox.timelimit import duration
from voice_kernel.tools.tasks import WORDS

MAX_TURNS = 50


@dataclass
class Request:
    """One request to the model; times in seconds since the epoch."""

    begun_at: float
    first_at: float | None = None
    """When the first piece of its answer came."""
    ended_at: float | None = None
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass
class Timeline:
    """The requests of one turn."""

    model: str
    requests: list[Request] = field(default_factory=list)

    def asked(self) -> None:
        """Note that a request is sent."""
        self.requests.append(Request(time.time()))

    def spoke(self) -> None:
        """Note that a piece of the answer came."""
        if self.requests and self.requests[-1].first_at is None:
            self.requests[-1].first_at = time.time()

    def ended(self, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Note that the answer is whole, or over."""
        if self.requests and self.requests[-1].ended_at is None:
            last = self.requests[-1]
            last.ended_at, last.input_tokens, last.output_tokens = time.time(), input_tokens, output_tokens

    def told(self, tasks: Sequence[Task]) -> str:
        """Return what happened when, a line each, with the tasks of the turn in their places."""
        if not self.requests:
            return ""
        start = self.requests[0].begun_at
        lines: list[tuple[float, str]] = []
        for number, request in enumerate(self.requests, 1):
            end = request.ended_at or time.time()
            line = _("request {number} to {model}: {took}").format(
                number=number, model=self.model, took=duration(end - request.begun_at)
            )
            if request.first_at:
                after = duration(request.first_at - request.begun_at)
                line += ", " + _("first piece after {after}").format(after=after)
            line += ", " + _("{taken} tokens in, {given} out").format(
                taken=grouped(request.input_tokens), given=grouped(request.output_tokens)
            )
            lines.append((request.begun_at, line))
        for task in tasks:
            end = task.ended_at or time.time()
            waited = (task.started_at or end) - task.created_at
            ran = duration(end - task.started_at) if task.started_at else _("not run")
            asked = ", " + _("waited {time}").format(time=duration(waited)) if waited > 0.5 else ""
            lines.append((task.created_at, f"{task.title} ({_(WORDS[task.state])}): {ran}{asked}"))
        return "\n".join(f"{at - start:8.2f} s  {line}" for at, line in sorted(lines))


class Timelines:
    """The timelines of the newest turns."""

    def __init__(self) -> None:
        self._turns: OrderedDict[int, Timeline] = OrderedDict()

    def begin(self, turn_id: int, model: str) -> Timeline:
        """Return a new timeline for a turn."""
        timeline = self._turns[turn_id] = Timeline(model)
        self._turns.move_to_end(turn_id)
        while len(self._turns) > MAX_TURNS:
            self._turns.popitem(last=False)
        return timeline

    def of(self, turn_id: int | None = None) -> tuple[int, Timeline] | None:
        """Return a turn's timeline, the newest by default; None when there is none."""
        if not self._turns:
            return None
        number = next(reversed(self._turns)) if turn_id is None else turn_id
        timeline = self._turns.get(number)
        return (number, timeline) if timeline is not None else None
