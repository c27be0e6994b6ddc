"""The engine that was chosen, and the local one in its place while it fails: said, never silent.

Keeps the sound of every utterance until a text exists, so that nothing said is lost. It does not know which
engines there are, nor who reads what it tells.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from voice_kernel.context import Context
from voice_kernel.errors import AudioError, EngineUnavailable, SpeechError
from voice_kernel.language import _
from voice_kernel.speech.recording import Recording
from voice_kernel.speech.transcriber import (
    Expect,
    HeardByPage,
    Recognition,
    TellsSpeech,
    Transcriber,
    Transcript,
)

logger = logging.getLogger(__name__)

LOCAL = "local"
REST_S = 60.0
"""How long an engine is left alone that cannot be used as things are."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an utterance is to be heard; see `Transcriber.open`."""

    rate_hz: int
    context: Context | None
    expect: Expect
    on_partial: Callable[[str], None] | None
    understands: Callable[[str], float] | None


class ChosenTranscriber:
    """Several engines as one. Use it from one event loop.

    Args:
        make: makes an engine by its name, once; raises `EngineUnavailable` for one that is not there.
        chosen: the engine to begin with.
        tell: tells a person something that belongs to no utterance: a sentence and a hint.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        make: Callable[[str], Transcriber],
        chosen: str = LOCAL,
        *,
        tell: Callable[[str, str], None] = lambda message, hint: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.chosen = chosen
        """The engine that was chosen, whether it hears now or not."""
        self._make = make
        self._tell = tell
        self._clock = clock
        self._made: dict[str, Transcriber] = {}
        self._resting_until = 0.0
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        """The engine that hears now, as it is called in settings."""
        return self.chosen if self._now() is not self._made.get(LOCAL) else LOCAL

    @property
    def sent_to(self) -> str:
        """Where the sound goes now; see `Transcriber.sent_to`."""
        return self._now().sent_to

    @property
    def loaded(self) -> bool:
        """Whether the engine that hears now is ready."""
        return self._now().loaded

    @property
    def local(self) -> Transcriber:
        """The engine on this machine, for what must not leave it."""
        return self._engine(LOCAL)

    def choose(self, name: str) -> None:
        """Let another engine hear from now on; utterances under way are not disturbed.

        Raises:
            EngineUnavailable: there is none of that name; the one before stays.
        """
        self._engine(name)
        self.chosen = name
        self._resting_until = 0.0

    async def load(self) -> None:
        """Load the chosen engine, or the local one where that cannot be used; see `Transcriber.load`.

        Raises:
            EngineUnavailable: the local one cannot be used either.
        """
        now = self._now()
        try:
            await now.load()
        except EngineUnavailable as error:
            if now is self._made.get(LOCAL):
                raise
            self._rest(REST_S)
            await self._engine(LOCAL).load()
            self._tell(
                _("{message} Speech is recognised on this machine meanwhile.").format(message=error.message),
                error.hint,
            )

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> Recognition:
        """Start an utterance; see `Transcriber.open`."""
        options = Options(rate_hz, context, expect, on_partial, understands)
        engine = self._now()
        if engine is self._made.get(LOCAL):
            return _open(engine, options)
        if engine.sent_to and engine.sent_to not in self._told:
            self._told.add(engine.sent_to)
            self._tell(
                _("What you say is sent to {sent_to} to be turned into text.").format(sent_to=engine.sent_to),
                _("The engine “local” keeps it on this machine."),
            )
        return KeptRecognition(self, engine, options)

    async def close(self) -> None:
        """Stop every engine that was used; see `Transcriber.close`."""
        for engine in self._made.values():
            await engine.close()

    # ---- for recognitions --------------------------------------------------------------------------

    def instead(self, error: SpeechError, options: Options) -> Recognition:
        """Return a recognition by the local engine, for an utterance in which another one failed."""
        self._rest(REST_S if isinstance(error, EngineUnavailable) else getattr(error, "rest_s", 0.0))
        return _open(self._engine(LOCAL), replace(options, on_partial=None))

    async def is_silent(self, recording: Recording) -> bool:
        """Return whether surely nobody speaks in a recording; False where this machine cannot tell."""
        local = self.local
        if not isinstance(local, TellsSpeech) or not recording.audio_s:
            return False
        try:
            return not await local.speech_in(recording.pcm, recording.rate_hz)
        except AudioError:
            raise
        except SpeechError:
            return False

    # ---- inside ------------------------------------------------------------------------------------

    def _now(self) -> Transcriber:
        if self.chosen != LOCAL and self._clock() >= self._resting_until:
            try:
                return self._engine(self.chosen)
            except EngineUnavailable as error:
                self._rest(REST_S)
                self._tell(
                    _("{message} Speech is recognised on this machine instead.").format(
                        message=error.message
                    ),
                    error.hint,
                )
        return self._engine(LOCAL)

    def _engine(self, name: str) -> Transcriber:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _rest(self, seconds: float) -> None:
        self._resting_until = max(self._resting_until, self._clock() + seconds)


class KeptRecognition:
    """One utterance in an engine that may fail, its sound kept meanwhile; see `Recognition`."""

    def __init__(self, chosen: ChosenTranscriber, engine: Transcriber, options: Options) -> None:
        self._chosen = chosen
        self._name = chosen.chosen
        self._leaves = bool(engine.sent_to)
        self._options = options
        self._recording = Recording(options.rate_hz)
        self._recognition: Recognition | None = None
        self._failure: SpeechError | None = None
        with self._guarded():
            self._recognition = _open(engine, options)
        self._over = False
        self._discarded = False

    def feed(self, pcm: bytes) -> None:
        """Add PCM; see `Recognition.feed`."""
        if not self._over:
            self._recording.feed(pcm)
            if self._recognition is not None and self._failure is None:
                with self._guarded():
                    self._recognition.feed(pcm)

    def heard(self, text: str, *, final: bool = False, problem: str = "") -> None:
        """Take what a page makes of the utterance; see `HeardByPage`."""
        if isinstance(self._recognition, HeardByPage):
            self._recognition.heard(text, final=final, problem=problem)

    async def finish(self) -> Transcript:
        """Return the transcript, of whichever engine gives one; see `Recognition.finish`."""
        if self._over:
            raise SpeechError(_("The recording was thrown away."))
        self._over = True
        try:
            if self._leaves and await self._chosen.is_silent(self._recording):
                # A server makes up words for noise; and what nobody said need not be sent.
                self.discard()
                return Transcript("", self._recording.audio_s, 0.0, self._name)
            if self._recognition is not None and self._failure is None:
                with self._guarded():
                    return await self._recognition.finish()
            if self._discarded or isinstance(self._failure, AudioError):
                raise self._failure or SpeechError(_("The recording was thrown away."))
            return await self._instead(self._failure or SpeechError(_("No text came.")))
        finally:
            self._recording.clear()

    def discard(self) -> None:
        """Throw the utterance away; see `Recognition.discard`."""
        self._over = self._discarded = True
        self._recording.clear()
        if self._recognition is not None:
            with self._guarded():
                self._recognition.discard()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Note what an engine raises; whoever goes on looks at `_failure`."""
        try:
            yield
        except SpeechError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001  an engine of somebody else's must not take away what was said
            logger.error("the speech engine %s failed: %s", self._name, type(error).__name__)
            self._failure = SpeechError(
                _("The speech engine {name} failed ({error}).").format(
                    name=self._name, error=type(error).__name__
                )
            )

    async def _instead(self, error: SpeechError) -> Transcript:
        self._recognition = self._chosen.instead(error, self._options)
        self._recognition.feed(self._recording.pcm)
        try:
            transcript = await self._recognition.finish()
        except SpeechError as second:
            if self._discarded:
                raise
            message = f"{error.message} {second.message}"
            raise SpeechError(message, hint=error.hint or second.hint, retryable=True) from second
        if not transcript.text:
            return transcript  # nobody spoke, and so nothing was missed
        notice = _("{message} This was recognised on this machine instead. {notice}").format(
            message=error.message, notice=transcript.notice
        )
        return replace(transcript, notice=notice.strip(), hint=error.hint)


def _open(engine: Transcriber, options: Options) -> Recognition:
    return engine.open(
        rate_hz=options.rate_hz,
        context=options.context,
        expect=options.expect,
        on_partial=options.on_partial,
        understands=options.understands,
    )
