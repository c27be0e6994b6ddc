"""What an open microphone needs of the session around it, as ports: `listening` fills them.

Knows no engine, surface or tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from voice_kernel.context import Context
from voice_kernel.intents import Grammar
from voice_kernel.session import Session
from voice_kernel.speech.transcriber import Expect, Recognition


class Mouth(Protocol):
    """Whoever speaks our answers."""

    @property
    def saying(self) -> str:
        """What is being heard now, or was a moment ago; empty when nothing is."""
        ...

    def stop(self, surface_id: str = "") -> bool:
        """Stop speaking at once; returns whether anything was being said."""
        ...

    def hold(self, surface_id: str) -> None:
        """Hold what is being said there, until `go_on` or `stop`."""
        ...

    def held(self, surface_id: str) -> bool:
        """Whether what is said there is silent at the moment, because somebody may be speaking up."""
        ...

    def go_on(self, surface_id: str) -> None:
        """Say the rest of what is held there."""
        ...


@dataclass(frozen=True)
class Manners:
    """How the person wants to be listened to."""

    end_silence_s: float = 0.5
    wake_phrase: str = ""
    language: str = "en"


class Room(Protocol):
    """What an open microphone needs of the session around it."""

    manners: Manners
    session: Session
    mouth: Mouth | None

    @property
    def grammar(self) -> Grammar | None:
        """The intents; None until they are loaded."""
        ...

    async def load_grammar(self) -> Grammar:
        """Return the intents, once they are loaded."""
        ...

    @property
    def expect(self) -> Expect:
        """What kind of speech comes next."""
        ...

    @property
    def asked(self) -> bool:
        """Whether a card or a question waits for a yes or a no."""
        ...

    def context(self) -> Context:
        """Return the names that may be spoken."""
        ...

    def recognise(self, on_partial: Callable[[str], None]) -> Recognition:
        """Begin an utterance of `RATE_HZ` with the session's engine."""
        ...

    def recognise_here(self) -> Recognition:
        """Begin one with an engine on this machine: what waits for a wake phrase goes nowhere else."""
        ...

    def show(self, *, heard: str | None = None, waiting_for: str | None = None) -> None:
        """Tell everyone what is heard, or what is waited for."""
        ...

    def stop_listening(self) -> None:
        """Have the page close its microphone."""
        ...

    def notice(self, message: str, hint: str) -> None:
        """Tell everyone what they should know."""
        ...

    @property
    def keeps(self) -> bool:
        """Whether the person wants recordings to be kept."""
        ...

    def keep(self, turn_id: int, pcm: bytes, rate_hz: int) -> None:
        """Keep one."""
        ...
