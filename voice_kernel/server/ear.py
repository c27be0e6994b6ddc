"""Turns recordings that clients send into text, with the engine that the settings choose.

Loaded when the first one comes. Nothing is done with the words: the client puts them where it likes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voice_kernel.errors import AudioError
from voice_kernel.language import _
from voice_kernel.settings import Settings

if TYPE_CHECKING:
    from voice_kernel.speech.transcriber import Transcriber

MAX_AUDIO_BYTES = 20_000_000
MAX_AT_ONCE = 2


class Ear:
    """The recogniser of a server.

    Args:
        settings: which engine, and for which language.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._transcriber: Transcriber | None = None
        self._turns = asyncio.Semaphore(MAX_AT_ONCE)

    async def text(self, data: bytes) -> str:
        """Return what a recording says, whatever its container; empty where nobody speaks.

        Raises:
            SpeechError: it is no recording, too long, or no engine can hear it.
        """
        if len(data) > MAX_AUDIO_BYTES:
            raise AudioError(_("The recording is too large."), hint=_("Say it in two pieces."))
        from voice_kernel.context import Context
        from voice_kernel.speech.clip import AudioClip

        async with self._turns:
            clip = await asyncio.to_thread(AudioClip.from_bytes, data)
            transcriber = self._engine()
            await transcriber.load()
            context = Context(words=self._settings.vocabulary)
            recognition = transcriber.open(rate_hz=clip.rate_hz, context=context, expect="command")
            recognition.feed(clip.pcm)
            return (await recognition.finish()).text

    async def close(self) -> None:
        """Let the engine go."""
        if self._transcriber is not None:
            await self._transcriber.close()

    def _engine(self) -> Transcriber:
        if self._transcriber is None:
            from voice_kernel.hearing import Hearing
            from voice_kernel.speech.chosen import ChosenTranscriber

            hearing = Hearing(self._settings)
            self._transcriber = ChosenTranscriber(
                hearing.make, self._settings.speech_engine, tell=lambda message, hint: None
            )
        return self._transcriber
