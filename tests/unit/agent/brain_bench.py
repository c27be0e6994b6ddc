"""A real toolbox whose tools note what they saw, and a brain whose pieces are collected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from voice_kernel.agent.brain import Brain
from voice_kernel.context import Context
from voice_kernel.events import Hub
from voice_kernel.messages import Approval, ApprovalChanged, Task, ToSurface
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.registry import Arguments

KEY = "sk-test-0123456789abcdef"
LIMIT_S = 60.0


class NoLog:
    """A log of a task that keeps nothing."""

    path = ""
    cut_bytes = 0

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class Nothing(Arguments):
    pass


class Code(Arguments):
    code: str
    label: str = "cell"


class Name(Arguments):
    name: str


@dataclass
class Bench:
    """The session's lower half, and what the tools saw."""

    hub: Hub
    toolbox: Toolbox
    ran: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    finish: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tasks(self) -> list[Task]:
        return self.toolbox.runner.tasks()

    async def until(self, wanted: Callable[[ToSurface], bool]) -> ToSurface:
        """Wait for a change."""
        _state, subscription = self.hub.subscribe()
        async with asyncio.timeout(LIMIT_S):
            while True:
                for message in await subscription.changes():
                    if wanted(message):
                        subscription.close()
                        return message

    async def card(self) -> Approval:
        """Wait for an open card."""
        message = await self.until(lambda m: isinstance(m, ApprovalChanged) and m.approval.state == "open")
        assert isinstance(message, ApprovalChanged)
        return message.approval


@dataclass
class Asked:
    """A brain, and the pieces of its answers."""

    brain: Brain
    pieces: list[str] = field(default_factory=list)
    spoke: asyncio.Event = field(default_factory=asyncio.Event)
    changes: dict[str, Any] = field(default_factory=dict)
    """What changed of the turn, the newest of each."""

    async def answer(
        self,
        text: str,
        context: Context | None = None,
        turn_id: int = 1,
        approved_tools: Collection[str] = (),
    ) -> str:
        async with asyncio.timeout(LIMIT_S):
            return await self.brain.answer(
                text,
                turn_id=turn_id,
                context=context or Context(),
                on_text=self._take,
                on_change=self.changes.update,
                approved_tools=approved_tools,
            )

    def _take(self, piece: str) -> None:
        self.pieces.append(piece)
        self.spoke.set()
