"""The newest sound of an open microphone, for what turns out late to be meant for us."""

from __future__ import annotations

from voice_kernel.speech.transcriber import RATE_HZ


class RecentSound:
    """The newest sound of a stream, by position: samples, from 0 since it began.

    Args:
        kept_s: how much of it is remembered, at least.
    """

    def __init__(self, kept_s: float) -> None:
        self._kept_bytes = round(kept_s * RATE_HZ) * 2
        self._pcm = bytearray()
        self._first = 0
        """Position of the first sample that is still there."""

    @property
    def end(self) -> int:
        """The position after the newest sample."""
        return self._first + len(self._pcm) // 2

    def add(self, pcm: bytes) -> None:
        """Add 16-bit PCM; what is too old goes."""
        self._pcm += pcm
        over = len(self._pcm) - self._kept_bytes
        if over > self._kept_bytes // 4:  # now and then, not with every chunk
            del self._pcm[:over]
            self._first += over // 2

    def between(self, start: int, end: int) -> bytes:
        """Return the sound between two positions, as far as it is there."""
        at = max(0, start - self._first) * 2
        return bytes(self._pcm[at : max(0, end - self._first) * 2])
