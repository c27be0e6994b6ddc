"""The `local` voice: hibari in a thread of its own.

hibari-tts (Apache-2.0) is an ordinary library: its English voice is in its wheel. Only that voice is used:
any other would be fetched from the network. Loading takes one to three seconds and some 200 MB.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from voice_kernel.errors import SpeechError, VoiceUnavailable
from voice_kernel.language import _
from voice_kernel.speech.worker import Urgency, Worker

logger = logging.getLogger(__name__)

RATE_HZ = 24_000
CLOSE_TIMEOUT_S = 2.0
VOICE = "heart"
"""The one in the wheel."""
WARM_UP = "Ready."
"""Spoken once, unheard: the dictionaries load with the first words, and the network warms up."""
SILENCE = 0.002
"""Below it nothing is heard."""
MARGIN = RATE_HZ // 50
"""20 ms: soft beginnings and ends of words are kept."""
GAIN = 1.6
"""Its sentences peak at 0.2 to 0.45: made as loud as others speak."""
INSTALL = 'pip install "voice-kernel[local]"'

T = TypeVar("T")


class LocalVoice:
    """An English voice on this machine. Create it anywhere; use it from one event loop."""

    name = "local"
    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self._worker = Worker("voice-kernel-voice")
        self._engine: Any = None
        self._loading: asyncio.Future[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether it could speak without waiting for the engine."""
        return self._engine is not None

    async def load(self) -> None:
        """Load the engine; see `Voice.load`."""
        if self._engine is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = self._submit(self._load)
        await asyncio.shield(self._loading)

    async def speak(self, text: str, *, rate: float = 1.0) -> AsyncGenerator[bytes, None]:
        """Speak a piece of text; see `Voice.speak`."""
        await self.load()
        pcm = await self._submit(lambda: self._synthesise(text, rate))
        if pcm:
            yield pcm

    async def close(self) -> None:
        """Stop the thread; see `Voice.close`."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._worker.close(lambda: _call_soon(loop, ended.set))
        try:
            await asyncio.wait_for(ended.wait(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the voice's thread is still busy; it ends with the process")

    # ---- in the thread ----------------------------------------------------------------------------

    def _load(self) -> None:
        try:
            from hibari import Hibari
        except ImportError:
            raise VoiceUnavailable(
                _("The local voice is not installed."),
                hint=_("Run: {install}, or choose the browser's voice.").format(install=INSTALL),
            ) from None
        engine = Hibari(voice=VOICE, threads=1)
        engine(WARM_UP)
        self._engine = engine

    def _synthesise(self, text: str, rate: float) -> bytes:
        import numpy as np

        samples = self._engine(text, speed=rate)
        loud = np.flatnonzero(np.abs(samples) > SILENCE)
        if not loud.size:
            return b""
        # It begins with a third of a second of silence and ends with a half: nobody is to wait for that.
        samples = samples[max(0, loud[0] - MARGIN) : loud[-1] + MARGIN]
        pcm: bytes = (np.clip(samples * GAIN, -1.0, 1.0) * 32_767.0).astype("<i2").tobytes()
        return pcm

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Do work in the thread, unless nobody waits for it any more when its turn comes."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
                future.exception()  # nobody may be waiting, and that is no mistake
            else:
                future.set_result(value)  # type: ignore[arg-type]  # a value or an error, never both

        def job() -> None:
            if future.cancelled():
                return
            try:
                value = work()
            except SpeechError as error:
                problem: SpeechError = error
            except Exception as error:  # of the library: whoever waits for the sound must hear of it
                logger.exception("the local voice failed")
                problem = SpeechError(
                    _("The local voice failed ({name}).").format(name=type(error).__name__), retryable=True
                )
            else:
                _call_soon(loop, lambda: settle(value, None))
                return
            _call_soon(loop, lambda: settle(None, problem))

        if not self._worker.submit(Urgency.ANSWER, job):
            raise SpeechError(_("The voice was closed."))
        return future


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Call back on the loop, unless it is gone: then nobody waits any more."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        logger.debug("a sound came after its event loop was closed")
