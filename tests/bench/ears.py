"""The recognisers that are compared, all behind one small interface.

local            ours, the way of a spoken command: vocabulary of the context, and of several readings
                 the one that means something
local-dictation  ours without any expectation
faster-whisper   the same weights through faster-whisper's own API
pocketsphinx     CMU Sphinx with its own English language model
NAME             any other transcriber of an installed package (entry points `voice_kernel.transcribers`)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import metadata
from typing import Any, Protocol

from voice_kernel.context import Context
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import Expect, Transcriber
from voice_kernel.speech.weights import find_weights


class Ear(Protocol):
    """A recogniser under test."""

    name: str

    async def load(self) -> None:
        """Make it ready; raises ImportError or EngineUnavailable where it cannot be."""
        ...

    async def hear(self, clip: AudioClip) -> str:
        """Return what is said in a clip."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...


class Port:
    """One of our transcribers, fed through its port as the microphone does it."""

    def __init__(
        self,
        name: str,
        transcriber: Transcriber,
        expect: Expect = "command",
        context: Context | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> None:
        self.name = name
        self.transcriber = transcriber
        self.context = context or Context()
        self._expect: Expect = expect
        self._understands = understands

    async def load(self) -> None:
        """Load the models."""
        await self.transcriber.load()

    def open(self, rate_hz: int, on_partial: Callable[[str], None] | None = None) -> Any:
        """Open an utterance."""
        return self.transcriber.open(
            rate_hz=rate_hz,
            context=self.context,
            expect=self._expect,
            on_partial=on_partial,
            understands=self._understands,
        )

    async def hear(self, clip: AudioClip) -> str:
        """Feed the clip at once."""
        recognition = self.open(clip.rate_hz)
        recognition.feed(clip.pcm)
        return str((await recognition.finish()).text)

    async def close(self) -> None:
        """Close the engine."""
        await self.transcriber.close()


class FasterWhisper:
    """The same weights through faster-whisper."""

    name = "faster-whisper"

    def __init__(self, threads: int, language: str) -> None:
        self._threads = threads
        self._language = language

    async def load(self) -> None:
        """Load the weights."""
        from faster_whisper import WhisperModel

        self._model: Any = WhisperModel(
            str(find_weights(language=self._language).folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=self._threads,
        )

    async def hear(self, clip: AudioClip) -> str:
        """Transcribe with its defaults, timestamps left out."""
        return await asyncio.to_thread(self._hear, clip)

    def _hear(self, clip: AudioClip) -> str:
        segments, _ = self._model.transcribe(
            clip.samples, beam_size=5, without_timestamps=True, language=self._language
        )
        return " ".join(segment.text.strip() for segment in segments)

    async def close(self) -> None:
        """Nothing is held."""


class Sphinx:
    """CMU Sphinx with the language model of its wheel."""

    name = "pocketsphinx"

    async def load(self) -> None:
        """Load the acoustic and the language model."""
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(samprate=16000, loglevel="FATAL")

    async def hear(self, clip: AudioClip) -> str:
        """Decode the clip as one utterance."""
        return await asyncio.to_thread(self._hear, clip.pcm)

    def _hear(self, pcm: bytes) -> str:
        self._decoder.start_utt()
        if pcm:
            self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return str(hypothesis.hypstr) if hypothesis else ""

    async def close(self) -> None:
        """Nothing is held."""


def make(name: str, *, threads: int, understands: Callable[[str], float] | None = None,
         context: Context | None = None, language: str = "en") -> Ear:  # fmt: skip
    """Return a recogniser by its name.

    Raises:
        LookupError: none is called so.
    """
    if name == "local":
        return Port(
            name, LocalTranscriber(threads=threads, language=language), "command", context, understands
        )
    if name == "local-dictation":
        return Port(name, LocalTranscriber(threads=threads, language=language), "dictation", context)
    if name == "faster-whisper":
        return FasterWhisper(threads, language)
    if name == "pocketsphinx":
        return Sphinx()
    for entry in metadata.entry_points(group="voice_kernel.transcribers", name=name):
        return Port(name, entry.load()(), "command", context, understands)
    raise LookupError(f"There is no recogniser called {name}.")


def installed(language: str = "en") -> list[str]:
    """Return the names of what can be measured here in a language, ours first."""
    names = ["local", "local-dictation", "faster-whisper"]
    if language != "en":
        return names  # the other's model is English
    try:
        metadata.version("pocketsphinx")
        names.append("pocketsphinx")
    except metadata.PackageNotFoundError:
        pass
    return names
