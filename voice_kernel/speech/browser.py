"""The `browser` engine: the page that records recognises too, and hands over its words.

The browser's own recogniser (Web Speech API) runs in the page; here its words are waited for. Where there
is no page, or the browser gives up, that is a `SpeechError`, and the sound that was streamed beside it is
there for another engine. It does not know browsers, nor where they send sound: the page says that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from voice_kernel.context import Context
from voice_kernel.errors import ServerFailed, SpeechError
from voice_kernel.language import _
from voice_kernel.speech.recording import Recording, cut_notice
from voice_kernel.speech.transcriber import Expect, Transcript

FINAL_LIMIT_S = 4.0
"""How long after the end of the sound the browser's last words are waited for."""


class BrowserTranscriber:
    """Waits for the words of pages. Use it from one event loop.

    Args:
        language: ISO 639-1 code of what is spoken.
        final_limit_s: how long the last words may take.
    """

    name = "browser"
    sent_to = ""
    loaded = True

    def __init__(self, *, language: str = "en", final_limit_s: float = FINAL_LIMIT_S) -> None:
        self.language = language
        self.final_limit_s = final_limit_s
        self._recognitions: set[BrowserRecognition] = set()

    async def load(self) -> None:
        """Do nothing: what there is to load is in the page."""

    def open(
        self,
        *,
        rate_hz: int,
        context: Context | None = None,
        expect: Expect = "command",
        on_partial: Callable[[str], None] | None = None,
        understands: Callable[[str], float] | None = None,
    ) -> BrowserRecognition:
        """Start an utterance; see `Transcriber.open`. Names are given to the page, not here."""
        recognition = BrowserRecognition(self, rate_hz, on_partial)
        self._recognitions.add(recognition)
        return recognition

    def forget(self, recognition: BrowserRecognition) -> None:
        """Let go of a recognition that is over."""
        self._recognitions.discard(recognition)

    async def close(self) -> None:
        """Give up what is under way; see `Transcriber.close`."""
        for recognition in list(self._recognitions):
            recognition.discard()


class BrowserRecognition:
    """One utterance that a page hears; see `Recognition` and `HeardByPage`."""

    def __init__(
        self, engine: BrowserTranscriber, rate_hz: int, on_partial: Callable[[str], None] | None
    ) -> None:
        self._engine = engine
        self._recording = Recording(rate_hz)
        self._on_partial = on_partial
        self._page_listens = False
        self._words: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._over = False

    def feed(self, pcm: bytes) -> None:
        """Count PCM; see `Recognition.feed`. Whoever feeds it keeps it."""
        if not self._over:
            self._recording.feed(pcm)
            self._recording.clear()

    def heard(self, text: str, *, final: bool = False, problem: str = "") -> None:
        """Take the page's words; see `HeardByPage`."""
        self._page_listens = True
        if self._words.done():
            return
        if problem:
            self._fail(ServerFailed(problem))
        elif final:
            self._words.set_result(text.strip())
        elif text and self._on_partial is not None:
            self._on_partial(text)

    async def finish(self) -> Transcript:
        """Wait for the page's last words; see `Recognition.finish`."""
        finished_at = time.perf_counter()
        self._over = True
        if not self._page_listens:
            self._fail(SpeechError(_("Only a page with a microphone can recognise speech with its browser.")))
        try:
            async with asyncio.timeout(self._engine.final_limit_s):
                text = await asyncio.shield(self._words)
        except TimeoutError:
            raise SpeechError(_("The browser gave no text."), retryable=True) from None
        finally:
            self.discard()
        if not text:
            # Browsers end in silence too where they failed; another engine knows better.
            raise SpeechError(_("The browser heard no words."), retryable=True)
        return Transcript(
            text=text,
            audio_s=self._recording.audio_s,
            latency_s=time.perf_counter() - finished_at,
            engine=self._engine.name,
            language=self._engine.language,
            speech_s=self._recording.audio_s,
            notice=cut_notice() if self._recording.cut else "",
        )

    def discard(self) -> None:
        """Throw the utterance away; see `Recognition.discard`."""
        self._over = True
        self._engine.forget(self)
        self._fail(SpeechError(_("The recording was thrown away.")))

    def _fail(self, error: SpeechError) -> None:
        if not self._words.done():
            self._words.set_exception(error)
            self._words.exception()  # nobody may be waiting, and that is no mistake
