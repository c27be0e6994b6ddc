"""The ports of speech recognition: what every engine offers, and what it gives back.

Standard library only, so that anyone may name these types without loading an engine. It does not
know any engine, nor what a transcript is used for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from voice_kernel.context import Context

RATE_HZ = 16_000
"""The rate at which engines listen; other rates are converted."""
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
"""Rates that may be fed."""
MAX_UTTERANCE_S = 300.0
"""The longest utterance, in seconds. What comes after is cut, and the transcript says so."""

Expect = Literal["command", "dictation"]
"""What the speaker is likely to say. `command` biases recognition with our commands and the
context's names, and is checked against an unbiased reading; `dictation` listens without bias."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard. An empty `text` means that nobody spoke."""

    text: str
    """As recognised, with the recogniser's own punctuation; never rewritten."""
    audio_s: float
    """Length of the sound that was given, in seconds."""
    latency_s: float
    """From the end of the sound (the call of `finish`) to the text, in seconds."""
    engine: str
    """Name of the engine, e.g. `local`."""
    language: str = "en"
    speech_s: float = 0.0
    """How much of the sound was speech, in seconds."""
    avg_logprob: float | None = None
    """Mean log probability of a token, at most 0: near 0 is sure, below -1 is a guess."""
    no_speech_prob: float | None = None
    """What the recogniser itself thinks the chance is that nobody spoke, 0 to 1."""
    notice: str = ""
    """What a person should know about this transcript, e.g. that the sound was cut; else empty."""
    hint: str = ""
    """What the person can do about it."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine is told when it is made."""

    model: str = ""
    """The setting `speech_model`: a folder or a name; empty for the engine's own choice."""
    language: str = "en"
    """ISO 639-1 code of what is spoken. An engine that does not know it says so in `load`, with
    `EngineUnavailable`; it never listens in another language."""


class Recognition(Protocol):
    """One utterance under way. Used from the event loop that opened it."""

    def feed(self, pcm: bytes) -> None:
        """Add mono 16-bit little-endian PCM at the rate given to `open`.

        Never blocks and costs well under a millisecond. What comes after `finish`, `discard`, or
        the longest allowed utterance is ignored.
        """
        ...

    async def finish(self) -> Transcript:
        """Return the final transcript of everything fed. Call it once.

        Cancelling the wait discards the recognition.

        Raises:
            AudioError: the sound is not 16-bit PCM (half a sample is left over).
            EngineUnavailable: the engine could not be loaded.
            SpeechError: the recognition was discarded, or the engine is closed.
        """
        ...

    def discard(self) -> None:
        """Throw the utterance away: no partial is delivered after this. May be called twice."""
        ...


@runtime_checkable
class ReadsAhead(Protocol):
    """A recognition that reads on while nobody speaks, so that the text is there when the turn ends."""

    on_pause: Callable[[str], None] | None
    """Called on the event loop when all that was said before a pause has been read, with its whole text:
    what `finish` would return now."""

    def closing(self) -> None:
        """Read the end first, and tell of it by `on_pause`: the speaker let go of the key.

        The last samples may still follow.
        """
        ...


@runtime_checkable
class HeardByPage(Protocol):
    """A recognition whose words come from the page that records, beside the sound."""

    def heard(self, text: str, *, final: bool = False, problem: str = "") -> None:
        """Take what the page makes of the utterance.

        Args:
            text: all of it so far.
            final: whether nothing follows.
            problem: why nothing will come, in one sentence for a person.
        """
        ...


@runtime_checkable
class TellsSpeech(Protocol):
    """An engine that can tell whether somebody speaks without writing it down."""

    async def speech_in(self, pcm: bytes, rate_hz: int) -> bool:
        """Return whether somebody speaks in mono 16-bit little-endian PCM.

        Raises:
            SpeechError: it cannot tell here.
        """
        ...


class Transcriber(Protocol):
    """A speech engine."""

    @property
    def name(self) -> str:
        """The engine's name in settings, e.g. `local`."""
        ...

    @property
    def sent_to(self) -> str:
        """Host that the sound is sent to; empty when it stays on this machine."""
        ...

    @property
    def loaded(self) -> bool:
        """Whether a recognition could start without waiting for the engine."""
        ...

    async def load(self) -> None:
        """Make the engine ready; at once when it is. Concurrent callers share one load.

        Raises:
            EngineUnavailable: it cannot be used here; the next call tries again.
        """
        ...

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> Recognition:
        """Start an utterance. Needs a running event loop; loads the engine when need be.

        Args:
            rate_hz: sampling rate of what will be fed, `MIN_RATE_HZ` to `MAX_RATE_HZ`.
            context: names that may be spoken.
            expect: what kind of speech this is.
            on_partial: called on the event loop with the text so far, about twice a second while
                somebody speaks, or as the text arrives; never after `finish` has returned, nor after
                `discard`.
            understands: how well a text is understood by the listener, from 0 (not at all) to 1. Of
                readings that are about as likely, the one that is understood best is preferred; for
                `command` only. It is called in another thread, some times an utterance, with texts that
                may not have been said: so it should say 0 to what must be said exactly, such as an
                approval.

        Raises:
            AudioError: the rate is out of range.
        """
        ...

    async def close(self) -> None:
        """Stop the engine; waits at most 2 s for work under way."""
        ...
