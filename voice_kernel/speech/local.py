"""The `local` engine: Silero and Whisper behind the ports, in one worker thread.

Owns the thread, what crosses it, and the life of a recognition. What is heard is decided in
`utterance`. It does not know settings: app passes plain values.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from voice_kernel.context import Context
from voice_kernel.errors import AudioError, SpeechError
from voice_kernel.language import _
from voice_kernel.speech.recording import cut_notice
from voice_kernel.speech.transcriber import (
    MAX_RATE_HZ,
    MAX_UTTERANCE_S,
    MIN_RATE_HZ,
    RATE_HZ,
    Expect,
    Transcript,
)
from voice_kernel.speech.worker import Urgency, Worker

if TYPE_CHECKING:  # at run time numpy and all that needs it is imported by the worker
    from voice_kernel.speech.clip import AudioClip
    from voice_kernel.speech.resampling import PcmStream
    from voice_kernel.speech.utterance import Ears, Utterance
    from voice_kernel.speech.vad import SpeechDetector

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0

T = TypeVar("T")


class LocalTranscriber:
    """Speech recognition on this machine. Create it anywhere; use it from one event loop.

    Creating it costs nothing: the models load with the first `load` or `open`, in the worker.

    Args:
        model_path: folder of a CTranslate2 Whisper model; the installed one when not given.
        language: ISO 639-1 code of what is spoken; for another one than English a multilingual model is
            needed, see `weights`.
        threads: CPU threads of a decode; all, but at most four, when not given.
        search_path: where to look for the installed weights; `sys.path` when not given.
    """

    name = "local"
    sent_to = ""

    def __init__(
        self,
        model_path: str | Path | None = None,
        *,
        language: str = "en",
        threads: int | None = None,
        search_path: Iterable[str] | None = None,
    ) -> None:
        self.language = language
        self._model_path = model_path
        self._search_path = None if search_path is None else list(search_path)
        self._threads = threads or min(4, os.cpu_count() or 1)
        self._worker = Worker("voice-kernel-speech")
        self._ears: Ears | None = None
        self._detector: SpeechDetector | None = None  # the worker's own
        self._loading: asyncio.Future[None] | None = None
        self._recognitions: set[LocalRecognition] = set()

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self._ears is not None

    async def load(self) -> None:
        """Load the models; see `Transcriber.load`."""
        if self._ears is not None:
            return
        if self._loading is None or self._loading.done():
            self._loading = self._start_loading()
        await asyncio.shield(self._loading)

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> LocalRecognition:
        """Start an utterance; see `Transcriber.open`."""
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise AudioError(
                _("A sampling rate of {rate_hz} Hz cannot be used.").format(rate_hz=rate_hz),
                hint=_("Record at {min_rate_hz} to {max_rate_hz} Hz; {rate_hz} is best.").format(
                    min_rate_hz=MIN_RATE_HZ, max_rate_hz=MAX_RATE_HZ, rate_hz=RATE_HZ
                ),
            )
        recognition = LocalRecognition(self, rate_hz, context or Context(), expect, on_partial, understands)
        self._recognitions.add(recognition)
        return recognition

    async def transcribe(
        self,
        clip: AudioClip,
        *,
        context: Context | None = None,
        expect: Expect = "command",
        understands: Callable[[str], float] | None = None,
    ) -> Transcript:
        """Return the transcript of a whole clip: what `open`, `feed` and `finish` would give.

        Raises:
            EngineUnavailable: the engine could not be loaded.
        """
        recognition = self.open(rate_hz=clip.rate_hz, context=context, expect=expect, understands=understands)
        recognition.feed(clip.pcm)
        return await recognition.finish()

    async def speech_in(self, pcm: bytes, rate_hz: int) -> bool:
        """Return whether somebody speaks, by the detector alone; see `TellsSpeech`.

        Raises:
            EngineUnavailable: the detector is not installed.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()

        def settle(found: bool | None, error: SpeechError | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(bool(found))

        def look() -> None:
            found, error = _outcome(lambda: self._speech_in(pcm, rate_hz))
            _call_soon(loop, lambda: settle(found, error))

        if not self.submit(Urgency.ANSWER, look):
            raise _closed()
        return await answer

    async def close(self) -> None:
        """Stop the worker; see `Transcriber.close`. What waits for a transcript gets an error."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._worker.close(lambda: _call_soon(loop, ended.set))
        for recognition in list(self._recognitions):
            recognition.fail(_closed())
        if self._loading is not None and not self._loading.done():
            self._loading.set_exception(_closed())
            self._loading.exception()  # nobody may be waiting, and that is no mistake
        try:
            await asyncio.wait_for(ended.wait(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the speech worker is still busy; it ends with the process")

    # ---- the worker's side -----------------------------------------------------------------------

    def submit(self, urgency: Urgency, job: Callable[[], None]) -> bool:
        """Run a job in the worker; False when the engine is closed. For recognitions."""
        return self._worker.submit(urgency, job)

    def forget(self, recognition: LocalRecognition) -> None:
        """Let go of a recognition that is over."""
        self._recognitions.discard(recognition)

    def ears(self) -> Ears:
        """Return the models, loading them the first time. Called in the worker only.

        Raises:
            EngineUnavailable: they cannot be loaded; the next call tries again.
        """
        if self._ears is None:
            from voice_kernel.speech.utterance import Ears
            from voice_kernel.speech.weights import find_weights

            weights = find_weights(self._model_path, search_path=self._search_path, language=self.language)
            self._ears = Ears.load(weights.folder, threads=self._threads, language=self.language)
        return self._ears

    def _speech_in(self, pcm: bytes, rate_hz: int) -> bool:
        from voice_kernel.speech.frames import ONSET
        from voice_kernel.speech.resampling import PcmStream
        from voice_kernel.speech.utterance import MIN_SURE_FRAMES
        from voice_kernel.speech.vad import SpeechDetector

        if self._detector is None:
            self._detector = SpeechDetector()
        track, stream = self._detector.track(), PcmStream(rate_hz)
        track.push(stream.push(pcm))
        track.push(stream.flush())
        return sum(probability >= ONSET for probability in track.probabilities) >= MIN_SURE_FRAMES

    def _start_loading(self) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def settle(error: SpeechError | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

        def load() -> None:
            _, error = _outcome(self.ears)
            _call_soon(loop, lambda: settle(error))

        if not self.submit(Urgency.ANSWER, load):
            settle(_closed())
        return future


class LocalRecognition:
    """One utterance in the local engine; see `Recognition`."""

    def __init__(
        self,
        engine: LocalTranscriber,
        rate_hz: int,
        context: Context,
        expect: Expect,
        on_partial: Callable[[str], None] | None,
        understands: Callable[[str], float] | None,
    ) -> None:
        self._engine = engine
        self._rate_hz = rate_hz
        self._context = context
        self._expect: Expect = expect
        self._on_partial = on_partial
        self._understands = understands
        self.on_pause: Callable[[str], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[Transcript] = self._loop.create_future()
        self._taking = True
        self._closing = False
        self._room = round(MAX_UTTERANCE_S * rate_hz) * 2  # bytes that may still come
        self._bytes = 0
        self._cut = False
        self._finished_at = 0.0
        # Crosses the threads: appending to and popping from a deque is atomic.
        self._incoming: deque[bytes] = deque()
        self._scheduled = False
        # The worker's own.
        self._stream: PcmStream | None = None
        self._utterance: Utterance | None = None
        self._problem: SpeechError | None = None
        self._shown = ""
        engine.submit(Urgency.LISTEN, self._listen)  # loads while the first words are spoken

    def feed(self, pcm: bytes) -> None:
        """Add PCM; see `Recognition.feed`."""
        if not self._taking:
            return
        taken = bytes(pcm[: self._room])
        self._cut = self._cut or len(taken) < len(pcm)
        if taken:
            self._room -= len(taken)
            self._bytes += len(taken)
            self._incoming.append(taken)
            if not self._scheduled:
                self._scheduled = True
                self._engine.submit(Urgency.LISTEN, self._listen)

    def closing(self) -> None:
        """Read the end first; see `ReadsAhead.closing`."""
        if self._taking:
            self._closing = True
            self._engine.submit(Urgency.LISTEN, self._listen)

    async def finish(self) -> Transcript:
        """Return the final transcript; see `Recognition.finish`."""
        if self._taking:
            self._taking = False
            self._finished_at = time.perf_counter()
            if not self._engine.submit(Urgency.ANSWER, self._conclude):
                self.fail(_closed())
        try:
            return await asyncio.shield(self._answer)  # or cancelling the wait would cancel the answer
        finally:
            self.discard()

    def discard(self) -> None:
        """Throw the utterance away; see `Recognition.discard`."""
        self.fail(SpeechError(_("The recording was thrown away.")))

    def fail(self, error: SpeechError) -> None:
        """End the recognition; whoever waits for its transcript gets the error."""
        self._taking = False
        self._engine.forget(self)
        self._incoming.clear()
        if not self._answer.done():
            self._answer.set_exception(error)
            self._answer.exception()  # nobody may be waiting, and that is no mistake

    # ---- in the worker ---------------------------------------------------------------------------

    def _listen(self) -> None:
        """Take in what came, and plan to read ahead when that shows something new."""
        self._scheduled = False
        if self._answer.done() or self._problem is not None:
            self._incoming.clear()
            return
        utterance, self._problem = _outcome(self._take_in)  # a problem is told once, by `finish`
        if utterance is None or not self._taking or self._on_partial is None:
            return
        if self._closing:
            utterance.hurry()
        if self._should_read(utterance):
            self._engine.submit(Urgency.READ_AHEAD, self._read_ahead)
        elif self._closing and utterance.read_to_the_end:
            self._tell_pause(self._shown)

    def _should_read(self, utterance: Utterance) -> bool:
        """Return whether to read ahead; once the key is let go, nothing that the final text must wait for."""
        return utterance.partial_due and (utterance.pausing or not self._closing)

    def _read_ahead(self) -> None:
        utterance = self._utterance
        if utterance is None or not self._taking or not self._should_read(utterance):
            return
        text, self._problem = _outcome(utterance.read_ahead)
        if text is None:
            return
        if text and text != self._shown:
            self._shown = text
            _call_soon(self._loop, lambda: self._show(text))
        # Whoever went on talking while it was read has not paused.
        now, self._problem = _outcome(self._take_in)
        if now is not None and now.read_to_the_end:
            self._tell_pause(text)

    def _tell_pause(self, text: str) -> None:
        _call_soon(self._loop, lambda: self._pause(text))

    def _conclude(self) -> None:
        transcript, error = _outcome(self._transcript)
        _call_soon(self._loop, lambda: self._settle(transcript, error))

    def _transcript(self) -> Transcript | None:
        if self._answer.done():
            return None
        if self._problem is not None:
            raise self._problem
        utterance = self._take_in()
        assert self._stream is not None
        if self._stream.torn:
            raise AudioError(
                _("The sound ends in the middle of a sample."),
                hint=_("Send whole 16-bit little-endian samples."),
            )
        utterance.push(self._stream.flush())
        heard = utterance.finish(abandoned=self._answer.done)
        notice = cut_notice() if self._cut else ""
        return Transcript(
            text=heard.text,
            audio_s=self._bytes / (2 * self._rate_hz),
            latency_s=time.perf_counter() - self._finished_at,
            engine=self._engine.name,
            language=self._engine.language,
            speech_s=heard.speech_s,
            avg_logprob=heard.avg_logprob,
            no_speech_prob=heard.no_speech_prob,
            notice=notice,
        )

    def _take_in(self) -> Utterance:
        """Move what was fed into the utterance."""
        if self._utterance is None or self._stream is None:
            from voice_kernel.speech.resampling import PcmStream
            from voice_kernel.speech.utterance import Utterance

            self._utterance = Utterance(self._engine.ears(), self._context, self._expect, self._understands)
            self._stream = PcmStream(self._rate_hz)
        pieces = []
        while self._incoming:
            try:
                pieces.append(self._incoming.popleft())
            except IndexError:  # `fail` cleared it meanwhile
                break
        self._utterance.push(self._stream.push(b"".join(pieces)))
        return self._utterance

    # ---- back on the loop ------------------------------------------------------------------------

    def _show(self, text: str) -> None:
        if self._taking and self._on_partial is not None:
            self._on_partial(text)

    def _pause(self, text: str) -> None:
        if self._taking and self.on_pause is not None:
            self.on_pause(text)

    def _settle(self, transcript: Transcript | None, error: SpeechError | None) -> None:
        if error is not None:
            self.fail(error)
        elif transcript is not None and not self._answer.done():
            self._answer.set_result(transcript)


def _outcome(work: Callable[[], T]) -> tuple[T | None, SpeechError | None]:
    """Do work in the worker; an error becomes a value, since somebody on the loop waits for it."""
    try:
        return work(), None
    except SpeechError as error:
        return None, error
    except Exception as error:  # a waiting turn must hear of a bug here too, or it waits for ever
        logger.exception("speech recognition failed")
        problem = SpeechError(
            _("Speech recognition failed ({name}).").format(name=type(error).__name__), retryable=True
        )
        problem.__cause__ = error
        return None, problem


def _closed() -> SpeechError:
    return SpeechError(_("The speech engine was closed."))


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Call back on the loop, unless it is gone: then nobody waits any more."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        logger.debug("a speech result came after its event loop was closed")
