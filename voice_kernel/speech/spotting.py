"""Looks for speech in an open microphone: PCM of any rate in; 16 kHz sound and its frames out.

One thread for each stream, so that an end is found in time while the recogniser is busy. It does not know
when an utterance begins or ends (`endpointing`), nor what is said.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voice_kernel.errors import SpeechError
from voice_kernel.language import _
from voice_kernel.speech.worker import Urgency, Worker

if TYPE_CHECKING:  # numpy and ONNX Runtime are imported in the thread
    from voice_kernel.speech.resampling import PcmStream
    from voice_kernel.speech.vad import SpeechTrack
    from voice_kernel.speech.wake import WakeModel

logger = logging.getLogger(__name__)

MAX_WAITING_S = 20.0
"""Sound that waits to be looked at; what is older is dropped, oldest first."""


@dataclass(frozen=True, slots=True)
class Spotted:
    """A piece of the stream that was looked at."""

    pcm: bytes
    """Mono 16-bit little-endian at 16 kHz."""
    probabilities: list[float]
    """Of speech, for each frame that is complete now."""
    woken: bool = False
    """Whether the wake phrase ended in this piece."""


class Spotter:
    """Looks at one stream. Create and use it on one event loop.

    Args:
        rate_hz: of what will be fed.
        on_spotted: called on the loop with each piece, in order.
        on_problem: called on the loop, once, when the stream cannot be looked at.
        wake: makes what listens for the wake phrase, where a model does; called in the thread.
    """

    def __init__(
        self,
        rate_hz: int,
        on_spotted: Callable[[Spotted], None],
        on_problem: Callable[[SpeechError], None],
        wake: Callable[[], WakeModel] | None = None,
    ) -> None:
        self._rate_hz = rate_hz
        self._on_spotted = on_spotted
        self._on_problem = on_problem
        self._make_wake = wake
        self._loop = asyncio.get_running_loop()
        self._worker = Worker("voice-kernel-spotter")
        self._closed = False
        self._incoming: deque[bytes] = deque()  # crosses the threads: append and popleft are atomic
        self._scheduled = False
        self.dropped_s = 0.0
        """Sound that came faster than it could be looked at."""
        # The thread's own.
        self._stream: PcmStream | None = None
        self._track: SpeechTrack | None = None
        self._wake: WakeModel | None = None
        self._broken = False

    def feed(self, pcm: bytes) -> None:
        """Add PCM; never blocks."""
        if self._closed or not pcm:
            return
        self._incoming.append(bytes(pcm))
        while sum(map(len, self._incoming)) > MAX_WAITING_S * self._rate_hz * 2:
            try:
                self.dropped_s += len(self._incoming.popleft()) / (2 * self._rate_hz)
            except IndexError:  # the thread was faster
                break
        if not self._scheduled:
            self._scheduled = True
            self._worker.submit(Urgency.LISTEN, self._look)

    def close(self) -> None:
        """Stop looking; nothing is reported any more."""
        if not self._closed:
            self._closed = True
            self._incoming.clear()
            self._worker.close(lambda: None)

    def _look(self) -> None:
        self._scheduled = False
        if self._broken:
            self._incoming.clear()
            return
        try:
            spotted = self._look_at(self._taken())
        except SpeechError as error:
            self._fail(error)
        except Exception as error:  # whoever listens must hear that nobody listens any more
            logger.exception("looking for speech failed")
            self._fail(SpeechError(_("Listening failed ({name}).").format(name=type(error).__name__)))
        else:
            self._tell(lambda: self._on_spotted(spotted))

    def _look_at(self, pcm: bytes) -> Spotted:
        if self._stream is None or self._track is None:
            from voice_kernel.speech.resampling import PcmStream
            from voice_kernel.speech.vad import SpeechDetector

            self._stream = PcmStream(self._rate_hz)
            self._track = SpeechDetector().track()
            self._wake = self._make_wake() if self._make_wake is not None else None
        samples = self._stream.push(pcm)
        self._track.push(samples)
        sound = (samples.clip(-1, 1) * 32767).astype("<i2").tobytes()
        woken = self._wake is not None and self._wake.heard(sound)
        return Spotted(sound, self._track.take(), woken)

    def _taken(self) -> bytes:
        pieces = []
        while self._incoming:
            try:
                pieces.append(self._incoming.popleft())
            except IndexError:  # `close` cleared it meanwhile
                break
        return b"".join(pieces)

    def _fail(self, error: SpeechError) -> None:
        self._broken = True
        self._tell(lambda: self._on_problem(error))

    def _tell(self, callback: Callable[[], None]) -> None:
        def call() -> None:
            if not self._closed:
                callback()

        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            logger.debug("something was spotted after its event loop was closed")
