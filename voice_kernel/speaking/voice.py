"""The port of a voice: words in, sound out.

Standard library only, so that anyone may name these types without loading an engine.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

MIN_RATE, MAX_RATE = 0.5, 2.0
"""How slow and how fast a voice speaks, as a factor of its own pace."""


class Voice(Protocol):
    """An engine that speaks."""

    @property
    def name(self) -> str:
        """The engine's name in settings, e.g. `local`."""
        ...

    @property
    def rate_hz(self) -> int:
        """Sampling rate of its sound."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether it could speak without waiting for the engine."""
        ...

    async def load(self) -> None:
        """Make the engine ready; at once when it is. Concurrent callers share one load.

        Raises:
            VoiceUnavailable: it cannot be used here; the next call tries again.
        """
        ...

    def speak(self, text: str, *, rate: float = 1.0) -> AsyncGenerator[bytes, None]:
        """Speak one piece of text, loading the engine when need be.

        Closing the iterator stops it: what is not made by then is not made.

        Args:
            text: a sentence or a part of one, at most a few hundred characters.
            rate: `MIN_RATE` to `MAX_RATE`.

        Yields:
            Mono 16-bit little-endian PCM at `rate_hz`, in pieces of at least 20 ms.

        Raises:
            VoiceUnavailable: the engine could not be loaded.
            SpeechError: this text could not be spoken.
        """
        ...

    async def close(self) -> None:
        """Stop the engine; waits at most 2 s for work under way."""
        ...
