"""One open microphone: a stream without end becomes utterances, and those that are meant for us turns.

`speech.spotting` finds speech, `speech.endpointing` its begin and end, `heeding` what is meant for us, and
`interruption` what ends a spoken answer; this module joins them, opens and ends recognitions, and sleeps
until a wake phrase. Sound is kept for some seconds and never written. It does not know surfaces but by id,
nor who carries a turn out. Everything belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Collection
from dataclasses import dataclass, field
from functools import partial

from voice_kernel.controls import CONTROLS
from voice_kernel.errors import SpeechError, VoiceKernelError
from voice_kernel.heeding import heed, is_echo, is_sure, may_be_meant, without_over
from voice_kernel.interruption import Interruption
from voice_kernel.language import _
from voice_kernel.room import Room
from voice_kernel.speech.endpointing import Began, Ended, Endpointer, Event, Insisted, Progress
from voice_kernel.speech.frames import FRAME, FRAME_S
from voice_kernel.speech.recent import RecentSound
from voice_kernel.speech.settling import Settling
from voice_kernel.speech.spotting import Spotted, Spotter
from voice_kernel.speech.transcriber import RATE_HZ, ReadsAhead, Recognition, Transcript
from voice_kernel.speech.wake import WakeModel, after_phrase, has_model

logger = logging.getLogger(__name__)

PRE_ROLL_S = 0.5
"""Sound from before speech was sure: soft first consonants are in there."""
KEPT_S = 8.0
"""Sound that is remembered, for what turns out late to be meant for us."""
WAKE_S = 1.6
"""The part of an utterance in which a wake phrase is looked for."""
AWAKE_S = 8.0
"""How long a command is waited for after the wake phrase, or an answer after a question."""
CHATTER_S = 5.0
"""Talk that does not begin like a command for so long is not listened to until it pauses."""
HEARD_S = 8.0
"""How long words are shown that were not meant for us."""
FINISH_LIMIT_S = 20.0
"""A transcript that takes longer is given up."""


@dataclass
class _Words:
    """An utterance under way."""

    recognition: Recognition
    start: int
    """Its first sample, from 0 since the stream began."""
    began_at: float
    """Seconds since the epoch."""
    addressed: bool
    spoken: str
    """What we said ourselves when it began."""
    reads_ahead: bool
    """Whether its engine tells what was said before a pause."""
    fed: int = 0
    """The sample after the last one that was fed."""
    newest: str = ""
    """The newest partial text."""
    turn_id: int | None = None
    settling: Settling = field(default_factory=Settling)
    sound: list[bytes] = field(default_factory=list)
    """All of it, where recordings are kept."""


@dataclass(frozen=True)
class _Meant:
    """What was said to us."""

    transcript: Transcript
    command: str
    """The part that is meant."""
    sure: bool


@dataclass
class _Waking:
    """The beginning of an utterance in which a wake phrase is looked for."""

    recognition: Recognition
    start: int
    fed: int
    began_at: float
    ended: int | None = None
    """The sample at which the utterance ended meanwhile."""
    checking: bool = False


class HandsFree:
    """One microphone that stays open.

    Args:
        room: the session around it.
        surface_id: whose it is.
        rate_hz: of the sound.
        approved_tools: what was approved beforehand there.
    """

    def __init__(
        self, room: Room, surface_id: str, rate_hz: int, approved_tools: Collection[str] = ()
    ) -> None:
        self.surface_id = surface_id
        self._room = room
        self._approved_tools = approved_tools
        self._phrase = room.manners.wake_phrase.strip()
        modelled = bool(self._phrase) and has_model(self._phrase)
        self._modelled = modelled
        self._endpointer = Endpointer(room.manners.end_silence_s)
        self._past = RecentSound(KEPT_S)
        self._words: _Words | None = None
        self._waking: _Waking | None = None
        self._onset: int | None = None  # first sample of the speech under way
        self._awake_until_s = 0.0
        self._called_until_s = 0.0
        self._was_awake: bool | None = None
        self._was_asked = False
        self._interruption = Interruption(room.mouth, surface_id)
        self._rate_hz = rate_hz
        self._reading = 0  # utterances that are over, and not known yet to be meant for us
        self._closed = False
        self._next_seq = 0
        self._lost = 0
        self._work: set[asyncio.Task[object]] = set()
        self._preparing: asyncio.Task[object] | None = None
        self._forgetting: asyncio.TimerHandle | None = None
        wake = partial(WakeModel, self._phrase) if modelled else None
        self._spotter = Spotter(rate_hz, self._spotted, self._broken, wake)
        self._show_state()

    # ---- the stream -------------------------------------------------------------------------------

    def chunk(self, seq: int, pcm: bytes) -> None:
        """Take one chunk of PCM."""
        if seq > self._next_seq:
            self._lost += seq - self._next_seq
            if self._lost == seq - self._next_seq:  # said once
                self._room.notice(
                    _("Pieces of the sound were lost on the way to the kernel."),
                    _("Check the transcripts; if it happens again, the connection is too slow for audio."),
                )
        self._next_seq = seq + 1
        self._interruption.arrived(len(pcm) / 2 / self._rate_hz)
        self._spotter.feed(pcm)

    def finish(self) -> None:
        """End the utterance under way now, as if silence followed, and close."""
        words, self._words = self._words, None
        self.close()
        if words is not None:
            self._spawn(self._conclude(words))

    def close(self) -> None:
        """Let go of the stream; what was said in full is still carried out."""
        self._closed = True
        self._spotter.close()
        self._interruption.close()
        self._give_up()
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._room.show(heard="")
        if self._waking is not None:
            self._waking.recognition.discard()
            self._waking = None

    @property
    def awake(self) -> bool:
        """Whether commands are taken without the wake phrase."""
        return not self._phrase or self._now_s < self._awake_until_s

    @property
    def heard_s(self) -> float:
        """How much of the stream has been looked at, in seconds."""
        return self._past.end / RATE_HZ

    @property
    def _now_s(self) -> float:
        """Seconds of sound since the stream began."""
        return self._endpointer.frame * FRAME_S

    def _broken(self, error: SpeechError) -> None:
        self._room.notice(error.message, error.hint or _("Hold the button and talk instead."))
        self._room.stop_listening()  # it must not look as if somebody listened
        self.close()

    def _spotted(self, piece: Spotted) -> None:
        self._past.add(piece.pcm)
        asked = self._room.asked
        if asked and not self._was_asked:  # the answer is waited for like a command
            self._awake_until_s = self._now_s + AWAKE_S
        self._was_asked = asked
        if piece.woken and not self.awake:
            self._wake_up()
        for event in self._endpointer.push(piece.probabilities):
            self._take(event)
        self._feed()
        words = self._words
        if self._endpointer.pausing and (words is None or not words.reads_ahead):
            # Nobody will tell what was said before the pause: what is known of it must do.
            newest = words.newest if words is not None else ""
            for event in self._endpointer.read(self._progress(newest) if newest else "other"):
                self._take(event)
        self._interruption.looked(
            piece.probabilities, undecided=self._endpointer.in_utterance or self._reading > 0
        )
        self._show_state()

    def _take(self, event: Event) -> None:
        if isinstance(event, Began):
            self._began(event)
        elif isinstance(event, Insisted):
            self._interruption.insisted()
        else:
            self._ended(event)

    def _feed(self) -> None:
        end = self._past.end
        words, waking = self._words, self._waking
        if words is not None and words.fed < end:
            self._give(words, end)
            if words.turn_id is None and self._is_chatter(words):
                self._give_up()
        if waking is not None and not waking.checking and waking.fed < end:
            waking.recognition.feed(self._past.between(waking.fed, end))
            waking.fed = end
            if end - waking.start >= (PRE_ROLL_S + WAKE_S) * RATE_HZ:
                self._check(waking)

    def _give(self, words: _Words, end: int) -> None:
        """Feed an utterance up to a sample."""
        pcm = self._past.between(words.fed, end)
        words.fed = end
        words.recognition.feed(pcm)
        if self._room.keeps:
            words.sound.append(pcm)

    def _is_chatter(self, words: _Words) -> bool:
        long = words.fed - words.start >= (PRE_ROLL_S + CHATTER_S) * RATE_HZ
        return long and not words.addressed and self._room.expect == "command"

    def _began(self, event: Began) -> None:
        self._onset = event.frame * FRAME
        start = max(0, self._onset - round(PRE_ROLL_S * RATE_HZ))
        if self.awake:
            self._listen(start, addressed=bool(self._phrase) and self._now_s < self._called_until_s)
        elif not self._modelled and self._waking is None:
            try:
                recognition = self._room.recognise_here()
            except VoiceKernelError as error:
                self._broken(SpeechError(error.message, hint=error.hint))
                return
            self._waking = _Waking(recognition, start, start, self._time_of(self._onset))

    def _ended(self, event: Ended) -> None:
        self._onset = None
        words, self._words = self._words, None
        if words is not None:
            if event.too_long and words.turn_id is None and not words.addressed:
                words.recognition.discard()
            else:
                self._spawn(self._conclude(words))
        if self._waking is not None and self._waking.ended is None:
            self._waking.ended = self._past.end
            self._check(self._waking)

    def _time_of(self, sample: int) -> float:
        return time.time() - max(0, self._past.end - sample) / RATE_HZ

    # ---- the wake phrase --------------------------------------------------------------------------

    def _wake_up(self) -> None:
        """Take what follows, and what was said in the same breath, as meant for us."""
        self._called()
        if self._onset is not None and self._words is None:
            start = max(
                self._onset - round(PRE_ROLL_S * RATE_HZ), self._past.end - round(WAKE_S * RATE_HZ), 0
            )
            self._listen(start, addressed=True)

    def _called(self) -> None:
        self._awake_until_s = self._called_until_s = self._now_s + AWAKE_S
        self._show_state()

    def _check(self, waking: _Waking) -> None:
        if not waking.checking:
            waking.checking = True
            self._spawn(self._look_for_phrase(waking))

    async def _look_for_phrase(self, waking: _Waking) -> None:
        transcript = await self._transcript(waking.recognition)
        if self._waking is waking:
            self._waking = None
        rest = None if transcript is None else after_phrase(transcript.text, self._phrase)
        if rest is None or self._closed:
            return
        self._called()
        if waking.ended is None:
            self._listen(waking.start, addressed=True, began_at=waking.began_at)
        elif rest.strip():
            words = self._opened(waking.start, True, waking.began_at)
            if words is not None:
                self._give(words, waking.ended)
                await self._conclude(words)
        elif self._onset is not None and self._words is None:
            # The command began while the phrase before it was still being read.
            self._listen(max(0, self._onset - round(PRE_ROLL_S * RATE_HZ)), addressed=True)

    # ---- an utterance -----------------------------------------------------------------------------

    def _listen(self, start: int, *, addressed: bool, began_at: float | None = None) -> None:
        self._give_up()
        onset = self._onset if self._onset is not None and self._onset > start else start
        self._words = self._opened(start, addressed, began_at or self._time_of(onset))
        self._feed()

    def _opened(self, start: int, addressed: bool, began_at: float) -> _Words | None:
        words: _Words

        def on_partial(text: str) -> None:
            if self._words is words:
                self._partial(words, text)

        def on_pause(text: str) -> None:
            if self._words is words:
                for event in self._endpointer.read(self._progress(text)):
                    self._take(event)

        try:
            recognition = self._room.recognise(on_partial)
        except VoiceKernelError as error:
            self._broken(SpeechError(error.message, hint=error.hint))
            return None
        reads_ahead = isinstance(recognition, ReadsAhead)
        if isinstance(recognition, ReadsAhead):
            recognition.on_pause = on_pause
        mouth = self._room.mouth
        spoken = mouth.saying if mouth is not None else ""
        words = _Words(recognition, start, began_at, addressed, spoken, reads_ahead, fed=start)
        return words

    def _command(self, text: str, addressed: bool) -> str:
        """Return the part of a text that is meant: without wake phrase and "over"."""
        if self._phrase:
            rest = after_phrase(text, self._phrase)
            if rest is not None:
                text = rest
        closed = without_over(text, self._room.manners.language)
        grammar = self._room.grammar
        if closed is not None and grammar is not None:
            whole = grammar.parse(text, self._room.context()).route
            if whole == "none":  # "start over" is a command
                return closed
        return text

    def _partial(self, words: _Words, text: str) -> None:
        words.newest = text
        shown = words.settling.next(text)
        command = self._command(shown.text, words.addressed)
        if words.turn_id is None:
            if words.spoken:
                return  # perhaps it is ourselves; the whole utterance tells
            if not (words.addressed or self._room.expect == "dictation" or self._may_be_meant(command)):
                self._room.show(heard=shown.text)
                return
            self._begin_turn(words)
        assert words.turn_id is not None
        self._room.session.change(words.turn_id, text=shown.text, settled=shown.settled, partial=True)
        self._prepare(command)

    def _may_be_meant(self, command: str) -> bool:
        grammar = self._room.grammar
        return grammar is not None and may_be_meant(
            command, grammar.completeness(command, self._room.context())
        )

    def _begin_turn(self, words: _Words) -> int:
        if words.turn_id is None:
            self._room.show(heard="")
            words.turn_id = self._room.session.begin("voice", surface_id=self.surface_id, state="listening")
        return words.turn_id

    def _prepare(self, command: str) -> None:
        """Work out ahead what a command means that is whole already and does not decide anything."""
        grammar = self._room.grammar
        if grammar is None or self._preparing is not None or self._room.expect == "dictation":
            return
        parse = grammar.parse(command, self._room.context())
        if parse.route == "intents" and not any(call.tool in CONTROLS for call in parse.calls):
            self._preparing = asyncio.ensure_future(self._room.session.prepare(command))
            self._preparing.add_done_callback(self._prepared)

    def _prepared(self, task: asyncio.Task[object]) -> None:
        self._preparing = None
        if not task.cancelled() and task.exception() is not None:
            logger.warning("a plan could not be prepared: %s", type(task.exception()).__name__)

    def _progress(self, text: str) -> Progress:
        if without_over(text, self._room.manners.language) is not None and self._command(text, True) != text:
            return "over"
        grammar = self._room.grammar
        if grammar is None or self._room.expect == "dictation":
            return "other"
        return grammar.completeness(self._command(text, True), self._room.context())

    async def _conclude(self, words: _Words) -> None:
        """Read the utterance to its end and do what it says, where it is meant for us."""
        self._reading += 1
        try:
            meant = await self._read(words)
        finally:
            self._reading -= 1
        if meant is None:
            return
        room, session = self._room, self._room.session
        turn_id = self._begin_turn(words)
        if room.mouth is not None:
            room.mouth.stop(self.surface_id)
        transcript = meant.transcript
        session.change(turn_id, audio_s=transcript.audio_s, latency_s=transcript.latency_s)
        if words.sound:
            room.keep(turn_id, b"".join(words.sound), RATE_HZ)
        self._awake_until_s = self._called_until_s = self._now_s
        await session.understand(
            turn_id,
            transcript.text,
            first_sample_at=words.began_at,
            approved_tools=self._approved_tools,
            command=meant.command,
            sure=meant.sure,
        )

    async def _read(self, words: _Words) -> _Meant | None:
        """Read the utterance to its end; None where it is let pass."""
        room = self._room
        transcript = await self._transcript(words.recognition)
        if transcript is None:
            self._cancel(words)
            return None
        await room.load_grammar()  # the first words may come before it
        command = self._command(transcript.text, words.addressed)
        if words.spoken and is_echo(command, words.spoken):
            self._interruption.echoed()
            self._dismiss(words)
            return None
        if not command.strip() and (words.addressed or room.expect != "command"):
            self._dismiss(words)  # the phrase alone: what follows is waited for
            return None
        if room.expect != "command":
            return _Meant(transcript, command, is_sure(transcript))
        parse = await room.session.prepare(command)
        verdict = heed(
            command,
            parse,
            sure=is_sure(transcript, understood=parse.route == "intents"),
            addressed=words.addressed,
            asked=room.asked,
            model=room.session.answers_rest,
        )
        if verdict == "ignore":
            self._dismiss(words, transcript.text)
            return None
        return _Meant(transcript, command, verdict == "act")

    def _dismiss(self, words: _Words, text: str = "") -> None:
        """Let an utterance pass: it was not meant for us."""
        if words.turn_id is not None:
            self._room.session.change(words.turn_id, state="dismissed", text="")
        self._room.show(heard=text)
        self._forget_soon()

    def _cancel(self, words: _Words) -> None:
        """End an utterance of which no text came."""
        if words.turn_id is not None:
            self._room.session.change(words.turn_id, state="cancelled", text="")
        else:
            self._dismiss(words)

    def _forget_soon(self) -> None:
        if self._forgetting is not None:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(HEARD_S, self._forget)

    def _forget(self) -> None:
        self._forgetting = None
        if self._words is None:
            self._room.show(heard="")

    async def _transcript(self, recognition: Recognition) -> Transcript | None:
        try:
            async with asyncio.timeout(FINISH_LIMIT_S):
                return await recognition.finish()
        except TimeoutError:
            recognition.discard()
        except VoiceKernelError as error:
            if not self._closed:
                self._room.notice(error.message, error.hint)
        return None

    def _give_up(self) -> None:
        """Throw away the utterance under way."""
        words, self._words = self._words, None
        if words is not None:
            words.recognition.discard()
            self._cancel(words)

    def _show_state(self) -> None:
        if self._phrase and not self._closed and self._was_awake != self.awake:
            self._was_awake = self.awake
            self._room.show(waiting_for="" if self._was_awake else self._phrase)

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[object]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("an utterance failed: %s", type(task.exception()).__name__)
