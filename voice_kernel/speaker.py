"""Says one answer at a time, to the page that was spoken to, and stops at once.

A new command ends the answer before it; what waits has its turn later. Knows pages only by the port `Page`,
voices only by the port `Voice`; what there is to be said, and to whom, others decide. Belongs to the loop
thread.

For whoever listens meanwhile (hands-free): `saying` is what is being heard now, so that the assistant's own
words are not taken for a person's; `hold` makes it pause until `go_on`; `stop` ends it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from voice_kernel.errors import SpeechError, VoiceUnavailable
from voice_kernel.language import _
from voice_kernel.messages import (
    HoldSpeaking,
    Notice,
    SpeakAnswer,
    SpeakChoice,
    SpeakingState,
    StopSpeaking,
    ToSurface,
    VoiceEngine,
)
from voice_kernel.speaking.voice import Voice

log = logging.getLogger(__name__)

MAX_WAITING = 5
"""Announcements that wait for their turn; the oldest go first."""
STALE_S = 60.0
"""What could not be said for so long is not said any more."""
AHEAD_S = 6.0
"""How far sound is sent ahead of what is heard: the Jupyter server drops what comes faster than 1 MB/s."""
GRACE_S = 5.0
"""How long a page may take, past the sound's own length, to say that it has ended."""
SECONDS_PER_CHAR = 0.09
"""How long a voice of the browser takes for a character, with room to spare."""
ECHO_S = 1.5
"""How long after its end an answer may still come back through the microphone."""

LOCAL_LANGUAGES = frozenset({"en"})
"""What the kernel's own voice speaks."""


class Page(Protocol):
    """A surface that can sound."""

    surface_id: str

    def send(self, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        """Send one message now; a page that has gone drops it."""
        ...


@dataclass
class Hearer:
    """A page with its choice, and what it was told last."""

    page: Page
    choice: SpeakChoice
    last: str = ""
    newest_turn: int = 0
    """The last command; a yes, a "be quiet" or noise does not take its place for good."""
    turn_before: int = 0
    active_at: float = 0.0


@dataclass
class Answer:
    """What is said, or waits to be."""

    id: int
    surface_id: str
    turn_id: int
    text: str
    waits: bool = False
    """Whether it waits for its turn instead of taking the place of what is said now."""
    made_at: float = field(default_factory=time.monotonic)
    begun: bool = False
    complete: bool = True
    """Whether all of the text is there; a model's answer is spoken while it is written."""
    parts: list[str] = field(default_factory=list)
    """The sentences that a model's answer has so far."""
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """The page has said what became of it."""
    held_at: float | None = None
    """Since when the page holds it."""
    held_s: float = 0.0
    """How long it was held before."""

    def go_on(self) -> None:
        """Take in that the page does not hold it any more."""
        if self.held_at is not None:
            self.held_s += time.monotonic() - self.held_at
            self.held_at = None

    def grow(self, sentences: Sequence[str]) -> None:
        """Take more sentences."""
        self.parts.extend(sentences)
        self.text = " ".join(self.parts)
        self.grown.set()

    def finish(self) -> None:
        """Let it end with the sentences that it has."""
        self.complete = True
        self.grown.set()

    async def pieces(self) -> AsyncIterator[str]:
        """Yield the pieces in which it is spoken, as they come to be known."""
        from voice_kernel.speaking.prose import pieces

        if self.complete and not self.parts:
            for piece in pieces(self.text):
                yield piece
            return
        told = 0
        while True:
            self.grown.clear()
            while told < len(self.parts):
                for piece in pieces(self.parts[told]) if told == 0 else [self.parts[told]]:
                    yield piece
                told += 1
            if self.complete and told == len(self.parts):
                return
            if not self.grown.is_set():
                await self.grown.wait()


class Speaker:
    """What one session says aloud.

    Args:
        hearers: the pages that may be spoken to, by their surfaces.
        voice: returns an engine of the kernel by its name.
        language: what is spoken, once there is something to be said.
        stopped: told that what is said on a surface is stopped, or on all of them where none is named.
    """

    def __init__(
        self,
        hearers: Mapping[str, Hearer],
        voice: Callable[[VoiceEngine], Voice],
        language: Callable[[], str],
        stopped: Callable[[str], None],
    ) -> None:
        self._hearers = hearers
        self._voice = voice
        self._language = language
        self._stopped = stopped
        self._queue: deque[Answer] = deque()
        self._current: Answer | None = None
        self._last_id = 0
        self.quiet = asyncio.Event()
        """Set while nobody speaks to us: an answer begins only then."""
        self.quiet.set()
        self._ended_at = 0.0
        self._ended_text = ""
        self._speaker: asyncio.Task[None] | None = None
        self._loading: set[asyncio.Task[None]] = set()
        self._told_unavailable = ""

    def page_said(self, page: Page, message: SpeakingState) -> None:
        """Take what a page says became of an answer."""
        answer = self._current
        if answer is None or answer.id != message.id or answer.surface_id != page.surface_id:
            return
        if message.state == "held":
            if answer.held_at is None:
                answer.held_at = time.monotonic()
            return
        answer.go_on()
        if message.state == "started":
            return
        if message.state == "stopped":
            self.stop(page.surface_id)
        else:
            answer.over.set()

    @property
    def saying(self) -> str:
        """What is being heard now, or was a moment ago; empty when nothing is."""
        if self._current is not None and self._current.begun:
            return self._current.text
        return self._ended_text if time.monotonic() - self._ended_at < ECHO_S else ""

    @property
    def speaking(self) -> bool:
        """Whether an answer is being heard now."""
        return self._current is not None and self._current.begun

    def hold(self, surface_id: str) -> None:
        """Hold what is being said on a page, until `go_on` or `stop`; the page does so by itself, too."""
        answer = self._current
        if answer is not None and answer.begun and answer.surface_id == surface_id and answer.held_at is None:
            self._send(answer, HoldSpeaking(id=answer.id, hold=True))

    def held(self, surface_id: str) -> bool:
        """Whether a page holds what it says, because somebody may be speaking up."""
        answer = self._current
        return answer is not None and answer.surface_id == surface_id and answer.held_at is not None

    def go_on(self, surface_id: str) -> None:
        """Let a page say the rest of what it holds."""
        answer = self._current
        if answer is not None and answer.surface_id == surface_id and answer.held_at is not None:
            answer.go_on()
            self._send(answer, HoldSpeaking(id=answer.id, hold=False))

    def stop(self, surface_id: str = "") -> bool:
        """Stop speaking at once, and forget what waits.

        Args:
            surface_id: only what is said there; everything when not given.

        Returns:
            Whether anything was being said.
        """
        self._queue = deque(answer for answer in self._queue if surface_id not in ("", answer.surface_id))
        self._stopped(surface_id)
        answer = self._current
        if answer is None or surface_id not in ("", answer.surface_id):
            return False
        self._end(answer)
        if self._speaker is not None:
            self._speaker.cancel()
            self._speaker = None
        if answer.begun:
            self._send(answer, StopSpeaking(id=answer.id))
        self._go_on()
        return answer.begun

    def say(self, hearer: Hearer, turn_id: int, text: str, *, waits: bool, complete: bool = True) -> Answer:
        """Say something to a page, in its turn.

        Args:
            hearer: to whom.
            turn_id: whose answer it is.
            text: the words; more come while it is not complete.
            waits: whether it waits for its turn instead of taking the place of what is said now.
            complete: whether all of the text is there.
        """
        self._last_id += 1
        hearer.last = text
        answer = Answer(self._last_id, hearer.page.surface_id, turn_id, text, waits, complete=complete)
        if waits:
            self._queue.append(answer)
            while len(self._queue) > MAX_WAITING:
                self._queue.popleft()
        else:
            self._queue.appendleft(answer)
            current = self._current
            if current is not None and not current.waits:
                # Two answers at once to one page cannot be; to two pages only one is heard.
                self._queue = deque(one for one in self._queue if one.waits or one is answer)
                self._replace(current)
        self._go_on()
        return answer

    def _replace(self, current: Answer) -> None:
        self._end(current)
        if self._speaker is not None:
            self._speaker.cancel()
            self._speaker = None
        if current.begun:
            self._send(current, StopSpeaking(id=current.id))

    def _go_on(self) -> None:
        if self._current is not None or not self._queue:
            return
        answer = self._current = self._queue.popleft()
        self._speaker = asyncio.ensure_future(self._speak(answer))
        self._speaker.add_done_callback(failure_logged)

    def _end(self, answer: Answer) -> None:
        if self._current is answer:
            self._current = None
        if answer.begun:
            self._ended_at, self._ended_text = time.monotonic(), answer.text

    async def _speak(self, answer: Answer) -> None:
        await self.quiet.wait()
        hearer = self._hearers.get(answer.surface_id)
        if hearer is not None and time.monotonic() - answer.made_at < STALE_S:
            try:
                await self._utter(answer, hearer)
            except SpeechError as error:
                self._not_heard(answer, hearer, error)
        self._end(answer)
        self._speaker = None
        self._go_on()

    async def _utter(self, answer: Answer, hearer: Hearer) -> None:
        engine = self._engine(hearer.choice)
        if engine == "browser":
            await self._by_browser(answer, hearer)
            return
        try:
            self._check(engine)
            await self._by_kernel(answer, hearer, self._voice(engine))
        except VoiceUnavailable as error:
            if answer.begun or not hearer.choice.browser_voice:
                raise
            self._tell(hearer, error, fallback=True)
            await self._by_browser(answer, hearer)

    async def _by_browser(self, answer: Answer, hearer: Hearer) -> None:
        rate = hearer.choice.rate
        async for _piece in answer.pieces():
            pass  # it is given all the words at once, so they must be there
        answer.begun = True
        self._send(
            answer,
            SpeakAnswer(
                id=answer.id,
                turn_id=answer.turn_id,
                text=answer.text,
                rate=rate,
                language=self._language(),
                by="browser",
            ),
        )
        await self._over(answer, len(answer.text) * SECONDS_PER_CHAR / rate + GRACE_S)

    async def _by_kernel(self, answer: Answer, hearer: Hearer, voice: Voice) -> None:
        rate = hearer.choice.rate
        seq, heard_until = 0, 0.0
        async for text in answer.pieces():
            async with contextlib.aclosing(voice.speak(text, rate=rate)) as sound:
                async for pcm in sound:
                    answer.begun = True
                    message = SpeakAnswer(
                        id=answer.id,
                        seq=seq,
                        turn_id=answer.turn_id,
                        text=text,
                        rate=rate,
                        rate_hz=voice.rate_hz,
                        language=self._language(),
                        last=False,
                    )
                    self._send(answer, message, [pcm])
                    seq += 1
                    now = time.monotonic()
                    heard_until = max(heard_until, now) + len(pcm) / 2 / voice.rate_hz
                    if heard_until - now > AHEAD_S:
                        await asyncio.sleep(heard_until - now - AHEAD_S)  # the sound itself is the clock
        self._send(answer, SpeakAnswer(id=answer.id, seq=seq, turn_id=answer.turn_id, rate=rate))
        answer.begun = True
        await self._over(answer, max(0.0, heard_until - time.monotonic()) + GRACE_S)

    async def _over(self, answer: Answer, limit_s: float) -> None:
        held_s = 0.0
        while not answer.over.is_set():
            try:
                async with asyncio.timeout(limit_s):
                    await answer.over.wait()
            except TimeoutError:
                held_now_s = 0.0 if answer.held_at is None else time.monotonic() - answer.held_at
                limit_s, held_s = answer.held_s + held_now_s - held_s, answer.held_s + held_now_s
                if limit_s <= 0:  # it was not silent meanwhile, and still there is no word of its end
                    log.debug("a page did not say what became of an answer")
                    return

    def _engine(self, choice: SpeakChoice) -> VoiceEngine:
        if choice.voice == "auto":
            return "browser" if choice.browser_voice else "local"
        return choice.voice

    def _check(self, engine: VoiceEngine) -> None:
        if engine == "local" and self._language() not in LOCAL_LANGUAGES:
            raise VoiceUnavailable(
                _("The kernel's own voice speaks English only."),
                hint=_(
                    "Choose a voice of the browser, or that of a server, in the settings beside the button."
                ),
            )

    def load_ahead(self, hearer: Hearer) -> None:
        """Load the voice that a page has chosen before there is something to be said; tell why not."""
        engine = self._engine(hearer.choice)
        try:
            self._check(engine)
        except VoiceUnavailable as error:
            self._tell(hearer, error, fallback=hearer.choice.browser_voice)
            return
        if engine == "browser":
            return
        voice = self._voice(engine)
        if not voice.loaded:
            task = asyncio.ensure_future(self._load(voice, hearer))
            self._loading.add(task)
            task.add_done_callback(self._loading.discard)

    async def _load(self, voice: Voice, hearer: Hearer) -> None:
        try:
            await voice.load()
        except SpeechError as error:
            self._tell(hearer, error, fallback=hearer.choice.browser_voice)

    def _not_heard(self, answer: Answer, hearer: Hearer, error: SpeechError) -> None:
        """Give the words to the page after all: whoever cannot hear them may still be told them."""
        self._tell(hearer, error, fallback=False)
        if not answer.begun:
            self._send(answer, SpeakAnswer(id=answer.id, turn_id=answer.turn_id, text=answer.text))
        else:
            self._send(answer, StopSpeaking(id=answer.id))

    def _tell(self, hearer: Hearer, error: SpeechError, *, fallback: bool) -> None:
        """Say once why a voice is not heard."""
        if error.message == self._told_unavailable:
            return
        self._told_unavailable = error.message
        message = (
            _("{message} The browser's voice speaks instead.").format(message=error.message)
            if fallback
            else error.message
        )
        hearer.page.send(Notice(level="warning", message=message, hint=error.hint))

    def _send(self, answer: Answer, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        hearer = self._hearers.get(answer.surface_id)
        if hearer is not None:
            hearer.page.send(message, buffers)

    def close(self) -> None:
        """Say no more, and load no voice."""
        self.stop()
        for loading in self._loading:
            loading.cancel()


def failure_logged(work: asyncio.Task[None]) -> None:
    """Log that work of speaking has failed, when it is done."""
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("answers are no longer spoken: %s", type(error).__name__)
