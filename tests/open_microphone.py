"""An open microphone without a page: sound made of clips, silence and noise, and what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voice_kernel.context import Context, Variable
from voice_kernel.events import Hub
from voice_kernel.handsfree import HandsFree
from voice_kernel.intents import Grammar
from voice_kernel.listening import Listener
from voice_kernel.messages import About, ControlSpoken, Task, ToSurface, Turn
from voice_kernel.room import Manners, Mouth
from voice_kernel.session import ENDED_TURN, Session
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.keeping import AudioFolder
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import RATE_HZ, Expect, Transcriber
from voice_kernel.speech.worker import Urgency
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry

CLIPS = Path(__file__).parent / "data" / "speech"
TURNS = Path(__file__).parent / "data" / "listening"
"""What is said to take a turn, to give it back, or to stop."""
STEP_S = 0.16
"""Sound between two looks at what came of it: four chunks of the panel."""


def sound(*parts: str | float, noise: float = 0.001, seed: int = 7) -> np.ndarray:
    """Return clips (by file name) and silences (in seconds) in a row, 16-bit, over a little noise."""
    pieces = [
        read(part) if isinstance(part, str) else np.zeros(round(part * RATE_HZ), np.float32) for part in parts
    ]
    whole = np.concatenate(pieces)
    whole = whole + np.random.default_rng(seed).normal(0, noise, len(whole))
    return (np.clip(whole, -1, 1) * 32767).astype("<i2")


def read(clip: str) -> np.ndarray:
    """Return a clip by its file name, or one of `TURNS` by its name."""
    return AudioClip.read(CLIPS / clip if clip.endswith(".wav") else TURNS / f"{clip}.wav").samples


class Microphone:
    """A session that listens hands-free; its tools are unknown, so that a call ends at once as a task."""

    def __init__(
        self,
        engine: LocalTranscriber,
        folder: Path,
        grammar: Grammar,
        *,
        manners: Manners | None = None,
        mouth: Mouth | None = None,
        expect: Expect = "command",
        keep_in: AudioFolder | None = None,
        ear: Transcriber | None = None,
    ) -> None:
        self.engine = engine
        self.hub = Hub(About(version="test"))
        self.told: list[ToSurface] = []
        self.hub.tell_also(self)
        runner = Runner(self.hub, lambda task_id: LogFolder(folder).open(f"task-{task_id}"))

        async def nobody() -> bool:
            return False

        async def load_grammar() -> Grammar:
            return grammar

        async def context() -> Context:
            return self.context

        self.context = Context(
            variables=(Variable("df", "DataFrame", columns=("revenue", "month")),), files=("tests/unit/",)
        )
        toolbox = Toolbox(Registry(), Policy(shell_allowed=True), Approvals(self.hub, nobody), runner)
        self.session = Session(self.hub, toolbox, load_grammar, context, lambda: None)
        self.listener = Listener(
            self.hub,
            self.session,
            ear or engine,
            lambda: self.context,
            load_grammar,
            lambda: expect,
            manners=manners,
            mouth=mouth,
            asked=lambda: bool(self.session.questions.open),
            folder=keep_in,
        )
        self.fed = 0
        self.seq = 0

    def publish(self, message: ToSurface) -> None:
        """Remember everything that surfaces are told."""
        self.told.append(message)

    async def open(self) -> None:
        """Open the microphone, and wait until the engine is there."""
        await self.engine.load()
        self.listener.start("m", RATE_HZ, "page", hands_free=True)
        self._opened = self.stream

    @property
    def stream(self) -> HandsFree:
        """The open stream."""
        return self.listener.microphones[0]

    async def hear(self, samples: np.ndarray, step_s: float = STEP_S) -> None:
        """Let it hear sound, and wait after each little piece until all that follows from it is done."""
        size = round(step_s * RATE_HZ)
        for at in range(0, len(samples), size):
            piece = samples[at : at + size]
            for chunk in range(0, len(piece), 640):
                self.listener.chunk("m", self.seq, piece[chunk : chunk + 640].tobytes())
                self.seq += 1
            self.fed += len(piece)
            await self._looked()
            for _ in range(3):  # taking in, reading ahead, and what a reading brought
                await self._engine_idle()

    async def play(self, samples: np.ndarray) -> float:
        """Let it hear sound at the pace of a microphone; return when the first sample was due."""
        began = time.perf_counter()
        for at in range(0, len(samples), 640):
            piece = samples[at : at + 640]
            # A chunk is complete only when its last sample was spoken.
            await asyncio.sleep(max(0.0, began + (at + len(piece)) / RATE_HZ - time.perf_counter()))
            self.listener.chunk("m", self.seq, piece.tobytes())
            self.seq += 1
        self.fed += len(samples)
        return began

    async def _looked(self) -> None:
        # Its thread tells nobody else that it has looked.
        while self.listener.microphones and round(self.stream.heard_s * RATE_HZ) < self.fed:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    async def _engine_idle(self) -> None:
        loop, idle = asyncio.get_running_loop(), asyncio.Event()
        self.engine.submit(Urgency.READ_AHEAD, lambda: loop.call_soon_threadsafe(idle.set))
        await idle.wait()
        await asyncio.sleep(0)

    async def close(self) -> None:
        """End it as a key does."""
        await self.listener.end("m", self.seq, False)
        await self.ended()

    async def ended(self) -> None:
        """Wait until all that was said is understood, and every turn has ended, but for those that ask."""
        async with asyncio.timeout(120):
            await self._looked()
            for _ in range(3):
                await self._engine_idle()
            while True:
                asking = sum(bool(turn.asks) and turn.state not in ENDED_TURN for turn in self.turns)
                open_turns = sum(turn.state not in ENDED_TURN for turn in self.turns)
                if len(self._opened._work) <= asking and open_turns == asking:
                    return
                await self._engine_idle()

    @property
    def turns(self) -> list[Turn]:
        return list(self.hub.turns.values())

    @property
    def tasks(self) -> list[Task]:
        return list(self.hub.tasks.values())

    @property
    def acts(self) -> list[tuple[str, dict[str, Any]]]:
        """What was to be done: every task that was begun."""
        return [(task.tool, task.arguments) for task in self.tasks]

    @property
    def controls(self) -> Sequence[str]:
        return [message.control for message in self.told if isinstance(message, ControlSpoken)]
