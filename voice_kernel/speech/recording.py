"""`Recording`: the sound of one utterance, kept until a text exists.

Standard library only. It does not know who listens to it.
"""

from __future__ import annotations

import struct

from voice_kernel.errors import AudioError
from voice_kernel.language import _
from voice_kernel.speech.transcriber import MAX_RATE_HZ, MAX_UTTERANCE_S, MIN_RATE_HZ, RATE_HZ


def cut_notice() -> str:
    """Return what is told of a recording that was longer than what is heard of one."""
    return _("Only the first {minutes} minutes were heard.").format(minutes=round(MAX_UTTERANCE_S / 60))


class Recording:
    """Mono 16-bit little-endian PCM as it comes in, at most `MAX_UTTERANCE_S`.

    Raises:
        AudioError: the rate is out of range.
    """

    def __init__(self, rate_hz: int) -> None:
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise AudioError(
                _("A sampling rate of {rate_hz} Hz cannot be used.").format(rate_hz=rate_hz),
                hint=_("Record at {min_rate_hz} to {max_rate_hz} Hz; {rate_hz} is best.").format(
                    min_rate_hz=MIN_RATE_HZ, max_rate_hz=MAX_RATE_HZ, rate_hz=RATE_HZ
                ),
            )
        self.rate_hz = rate_hz
        self.cut = False
        """Whether more came than is kept."""
        self._pieces: list[bytes] = []
        self._room = round(MAX_UTTERANCE_S * rate_hz) * 2
        self._bytes = 0

    def feed(self, pcm: bytes) -> bytes:
        """Keep a piece, and return as much of it as there was room for."""
        taken = bytes(pcm[: self._room])
        self.cut = self.cut or len(taken) < len(pcm)
        self._room -= len(taken)
        self._bytes += len(taken)
        if taken:
            self._pieces.append(taken)
        return taken

    def clear(self) -> None:
        """Let the sound go; its length stays known."""
        self._pieces.clear()

    @property
    def audio_s(self) -> float:
        """Length in seconds."""
        return self._bytes / (2 * self.rate_hz)

    @property
    def pcm(self) -> bytes:
        """All of it.

        Raises:
            AudioError: half a sample is left over.
        """
        if self._bytes % 2:
            raise AudioError(
                _("The sound ends in the middle of a sample."),
                hint=_("Send whole 16-bit little-endian samples."),
            )
        return b"".join(self._pieces)

    @property
    def wav(self) -> bytes:
        """All of it as a WAV file. Raises like `pcm`."""
        pcm = self.pcm
        layout = struct.pack("<HHIIHH", 1, 1, self.rate_hz, 2 * self.rate_hz, 2, 16)
        chunks = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout
        return (
            b"RIFF"
            + struct.pack("<I", 28 + 8 + len(pcm))
            + chunks
            + b"data"
            + struct.pack("<I", len(pcm))
            + pcm
        )
