"""Microphone streams become turns: opens a turn when a key is held, transcribes, hands on the text.

Knows surfaces only by id, engines only by the `Transcriber` protocol. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from voice_kernel.context import Context
from voice_kernel.errors import AudioError, VoiceKernelError
from voice_kernel.events import Hub
from voice_kernel.handsfree import HandsFree
from voice_kernel.hearing import BROWSER, Hearing
from voice_kernel.heeding import is_sure, without_over
from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import understanding
from voice_kernel.language import _
from voice_kernel.messages import (
    ControlSpoken,
    ListEngines,
    Notice,
    Problem,
    Speech,
    SpeechChanged,
    SpeechEngine,
    SpeechEngines,
    TurnChanged,
)
from voice_kernel.room import Manners, Mouth
from voice_kernel.session import Session, TurnResult
from voice_kernel.speech.chosen import ChosenTranscriber
from voice_kernel.speech.keeping import AudioFolder
from voice_kernel.speech.names import names_of
from voice_kernel.speech.recording import Recording
from voice_kernel.speech.settling import Settling
from voice_kernel.speech.transcriber import (
    RATE_HZ,
    Expect,
    HeardByPage,
    ReadsAhead,
    Recognition,
    Transcriber,
    Transcript,
)
from voice_kernel.speech.wake import after_phrase
from voice_kernel.task.runner import problem_of

MAX_PHRASES = 100
"""Names that a page's own recogniser is told to expect."""
MAX_KEPT = 3
"""Utterances whose sound is kept because no text came of it."""
MAX_OPEN = 4
"""Utterances that may be recorded at once, over all surfaces."""
RELEASED_LIMIT_S = 2.0
"""The end of an utterance whose key was let go is on its way for no longer."""
FINISH_LIMIT_S = 120.0
"""A transcript that takes longer than this is given up."""


@dataclass
class _Utterance:
    turn_id: int
    surface_id: str
    recognition: Recognition
    recording: Recording
    started_at: float
    chunks: int = 0
    missing: int = 0


class Listener:
    """The utterances being recorded or transcribed.

    Args:
        hub: where the recogniser's state is told.
        session: gets the text.
        transcriber: the engine.
        context: the names that may be spoken, as known now.
        grammar: the intents; of readings that sound alike, the one that means something is chosen.
        expect: what kind of speech comes next.
        manners: how the person wants to be listened to.
        mouth: who speaks our answers, where somebody does.
        asked: whether a card or a question waits for a yes or a no.
        folder: where recordings are kept, where the person wants that.
        hearing: the engines there are; without it no other can be chosen.
    """

    def __init__(
        self,
        hub: Hub,
        session: Session,
        transcriber: Transcriber,
        context: Callable[[], Context],
        grammar: Callable[[], Awaitable[Grammar]],
        expect: Callable[[], Expect] = lambda: "command",
        *,
        manners: Manners | None = None,
        mouth: Mouth | None = None,
        asked: Callable[[], bool] = lambda: False,
        folder: AudioFolder | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self._hub = hub
        self._session = session
        self._transcriber = transcriber
        self._context = context
        self._load_grammar = grammar
        self._expect = expect
        self._grammar: Grammar | None = None
        self._open: dict[str, _Utterance] = {}
        self._ending: dict[str, _Utterance] = {}
        self._kept: dict[int, tuple[Recording, float]] = {}
        self._loading: asyncio.Task[None] | None = None
        self._manners = manners or Manners()
        self._asked = asked
        self._mouth = mouth
        self._folder = folder
        self._hearing = hearing
        self._microphones: dict[str, HandsFree] = {}
        self._keeping: set[asyncio.Task[None]] = set()

    @property
    def microphones(self) -> list[HandsFree]:
        """Those that stay open."""
        return list(self._microphones.values())

    def warm_up(self) -> None:
        """Load the engine now, unless it is loaded or loading."""
        if self._transcriber.loaded and self._grammar is not None:
            self._rest()
        elif self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(self._load())

    async def choose(self, engine: str) -> None:
        """Let another engine hear from now on, and load it.

        Raises:
            EngineUnavailable: there is none of that name.
            SettingsError: nobody may choose here.
        """
        if self._hearing is not None and isinstance(self._transcriber, ChosenTranscriber):
            self._hearing.check_free()
            self._transcriber.choose(engine)
            self._rest()
            if self._loading is not None:  # the engine before it
                await asyncio.wait({self._loading})
            self.warm_up()

    async def engines(self, message: ListEngines) -> SpeechEngines:
        """Answer a surface that asks which engines there are."""
        chosen = self._transcriber
        name = chosen.chosen if isinstance(chosen, ChosenTranscriber) else chosen.name
        if self._hearing is None:
            return SpeechEngines(id=message.id, chosen=name, engines=[SpeechEngine(name=name)])
        return await self._hearing.listed(message, name)

    def start(
        self,
        utterance_id: str,
        rate_hz: int,
        surface_id: str,
        *,
        hands_free: bool = False,
        approved_tools: Collection[str] = (),
    ) -> None:
        """Begin an utterance or, hands-free, listen until further notice; the chunks follow."""
        if utterance_id in self._open or utterance_id in self._microphones:
            return
        if len(self._open) + len(self._microphones) >= MAX_OPEN:
            self._notice(
                _("Too many recordings are open at once."), _("Release the other microphone buttons first.")
            )
            return
        if hands_free:
            self._leave_other_microphones(surface_id)
            room = _Room(self)
            self._microphones[utterance_id] = HandsFree(room, surface_id, rate_hz, approved_tools)
            self._rest()
            self.warm_up()
            return
        if self._mouth is not None:
            self._mouth.stop(surface_id)  # who presses the key wants to speak
        turn_id = self._session.begin("voice", surface_id=surface_id, state="listening")
        settling = Settling()

        def on_partial(text: str) -> None:
            shown = settling.next(text)
            self._session.change(turn_id, text=shown.text, settled=shown.settled, partial=True)

        try:
            recognition = self._recognition(rate_hz, on_partial)
        except VoiceKernelError as error:
            self._session.change(turn_id, state="failed", problem=problem_of(error))
            return
        if isinstance(recognition, ReadsAhead):
            recognition.on_pause = self._end_if_over
        self._open[utterance_id] = _Utterance(
            turn_id, surface_id, recognition, Recording(rate_hz), time.time()
        )
        self._tell("listening")
        self.warm_up()

    def _leave_other_microphones(self, surface_id: str) -> None:
        """Listen to one open microphone only: two in one room would hear, and do, everything twice."""
        for utterance_id in [i for i, m in self._microphones.items() if m.surface_id != surface_id]:
            self._microphones.pop(utterance_id).close()
            self._notice(
                _("Another page listens hands-free now; what this one hears is not acted on any more."),
                _("Close the microphone of the page that you do not use."),
            )

    def _end_if_over(self, text: str) -> None:
        """Have the page end its recording where the speaker has said that it is over."""
        if self._command(text) != text:
            self._hub.publish(ControlSpoken(control="stop_listening"))

    def _command(self, text: str) -> str:
        """Return what is meant by a text that may end in "over"."""
        closed = without_over(text, self._manners.language)
        if closed is None or self._grammar is None or self._expect() == "dictation":
            return text
        # "start over" is a command.
        return closed if self._grammar.parse(text, self._context()).route == "none" else text

    def chunk(self, utterance_id: str, seq: int, pcm: bytes) -> None:
        """Take one chunk of PCM; a gap in `seq` is counted."""
        microphone = self._microphones.get(utterance_id)
        if microphone is not None:
            microphone.chunk(seq, pcm)
            return
        utterance = self._open.get(utterance_id)
        if utterance is None:
            return
        utterance.missing += max(0, seq - utterance.chunks)
        utterance.chunks = seq + 1
        utterance.recording.feed(pcm)
        utterance.recognition.feed(pcm)

    def heard(self, utterance_id: str, text: str, *, final: bool, problem: str) -> None:
        """Take what a page makes of an utterance that it records."""
        utterance = self._open.get(utterance_id) or self._ending.get(utterance_id)
        if utterance is not None and isinstance(utterance.recognition, HeardByPage):
            utterance.recognition.heard(text, final=final, problem=problem)

    async def release(
        self, utterance_id: str, approved_tools: Collection[str] = (), *, asks: bool = True
    ) -> TurnResult | None:
        """Note that the key was let go: where its speaker had finished, the utterance ends at once.

        Otherwise the last samples are waited for, and `end` ends it. Arguments as there.
        """
        utterance = self._open.get(utterance_id)
        if utterance is None or not isinstance(utterance.recognition, ReadsAhead):
            return None
        paused = asyncio.Event()
        utterance.recognition.on_pause = lambda _text: paused.set()
        utterance.recognition.closing()
        try:
            async with asyncio.timeout(RELEASED_LIMIT_S):
                await paused.wait()
        except TimeoutError:
            return None
        return await self.end(utterance_id, utterance.chunks, False, approved_tools, asks=asks)

    async def end(
        self,
        utterance_id: str,
        chunks: int,
        discard: bool,
        approved_tools: Collection[str] = (),
        *,
        asks: bool = True,
    ) -> TurnResult | None:
        """End an utterance: transcribe it and act on it, or throw it away. A microphone is closed.

        Args:
            utterance_id: which one.
            chunks: how many were sent.
            discard: whether it is thrown away.
            approved_tools: tools a person approved beforehand.
            asks: whether a person is there who can be asked what they meant.
        """
        microphone = self._microphones.pop(utterance_id, None)
        if microphone is not None:
            if discard:
                microphone.close()
            else:
                microphone.finish()
            self._rest()
            return None
        utterance = self._open.pop(utterance_id, None)
        if utterance is None:
            return None
        turn_id = utterance.turn_id
        if discard:
            utterance.recognition.discard()
            self._session.change(turn_id, state="cancelled", text="")
            self._rest()
            return None
        utterance.missing += max(0, chunks - utterance.chunks)
        if utterance.missing:
            self._notice(
                _("{missing} pieces of the recording were lost on the way to the kernel.").format(
                    missing=utterance.missing
                ),
                _("Check the transcript; if it happens again, the connection is too slow for audio."),
            )
        self._session.change(turn_id, state="understanding")
        self._tell("transcribing")
        self._ending[utterance_id] = utterance
        try:
            async with asyncio.timeout(FINISH_LIMIT_S):
                transcript = await utterance.recognition.finish()
        except TimeoutError:
            utterance.recognition.discard()
            problem = Problem(
                kind="SpeechError",
                message=_("The transcript took more than two minutes and was given up."),
                hint=_("Say it again, in shorter pieces, or type it."),
                retryable=True,
            )
            self._missed(turn_id, utterance.recording, utterance.started_at, problem)
            return self._session.result(turn_id)
        except VoiceKernelError as error:
            self._missed(turn_id, utterance.recording, utterance.started_at, problem_of(error))
            return self._session.result(turn_id)
        finally:
            del self._ending[utterance_id]
            self._rest()
        self._told(turn_id, transcript)
        if transcript.text.strip():
            self._keep(turn_id, utterance.recording.pcm, utterance.recording.rate_hz)
        return await self._session.understand(
            turn_id,
            transcript.text,
            first_sample_at=utterance.started_at,
            approved_tools=approved_tools,
            command=self._command(transcript.text),
            sure=is_sure(transcript) or not asks,
        )

    async def recording(
        self,
        turn_id: int,
        pcm: bytes,
        rate_hz: int,
        approved_tools: Collection[str] = (),
        started_at: float | None = None,
    ) -> TurnResult:
        """Transcribe a whole recording and act on it; where that fails, the turn has failed.

        Args:
            turn_id: a turn that was begun.
            pcm: mono 16-bit little-endian sound.
            rate_hz: its rate.
            approved_tools: tools a person approved beforehand.
            started_at: when it was said; now when not given.
        """
        started_at = time.time() if started_at is None else started_at
        try:
            self._grammar = await self._load_grammar()
            recognition = self._recognition(rate_hz)
            recognition.feed(pcm)
            transcript = await recognition.finish()
        except VoiceKernelError as error:
            kept = Recording(rate_hz)
            kept.feed(pcm)
            self._missed(turn_id, kept, started_at, problem_of(error))
            return self._session.result(turn_id)
        self._told(turn_id, transcript)
        return await self._session.understand(
            turn_id, transcript.text, first_sample_at=started_at, approved_tools=approved_tools
        )

    async def hear_again(
        self, turn_id: int, surface_id: str, approved_tools: Collection[str] = ()
    ) -> TurnResult | None:
        """Turn the sound of a turn into text once more, as a new turn; None when it is not kept."""
        recording, started_at = self._kept.pop(turn_id, (None, 0.0))
        if recording is None:
            self._notice(_("The sound of that turn is not kept any more."), _("Say it again."))
            return None
        self._set_kept(turn_id, False)
        again = self._session.begin("voice", surface_id=surface_id, state="understanding")
        # It was said when it was said: no old recording approves what was asked after it.
        return await self.recording(again, recording.pcm, recording.rate_hz, approved_tools, started_at)

    def drop_surface(self, surface_id: str) -> None:
        """Throw away what a surface that has gone was recording."""
        for utterance_id in [i for i, m in self._microphones.items() if m.surface_id == surface_id]:
            self._microphones.pop(utterance_id).close()
            self._rest()
        for utterance_id in [i for i, u in self._open.items() if u.surface_id == surface_id]:
            utterance = self._open.pop(utterance_id)
            utterance.recognition.discard()
            problem = Problem(
                kind="SpeechError",
                message=_("The page went away while it was recording."),
                hint=_("Open the panel again and repeat what you said."),
            )
            self._session.change(utterance.turn_id, state="cancelled", problem=problem)
            self._rest()

    async def _load(self) -> None:
        if not self._open:
            self._tell("loading")
        try:
            self._grammar = await self._load_grammar()
            await self._transcriber.load()
        except VoiceKernelError as error:
            self._hub.publish(
                SpeechChanged(
                    speech=Speech(
                        state="unavailable",
                        engine=self._transcriber.name,
                        message=error.message,
                        hint=error.hint,
                        mode=self._hub.speech.mode,
                    )
                )
            )
            return
        self._rest()

    @property
    def _here(self) -> Transcriber:
        """The engine on this machine."""
        engine = self._transcriber
        return engine.local if isinstance(engine, ChosenTranscriber) else engine

    def _recognition(
        self,
        rate_hz: int,
        on_partial: Callable[[str], None] | None = None,
        engine: Transcriber | None = None,
    ) -> Recognition:
        called = self._manners.wake_phrase
        context = replace(self._context(), called=called)
        rate: Callable[[str], float] | None = None

        def understands(text: str) -> float:
            nonlocal rate
            if rate is None and self._grammar is not None:
                rate = understanding(self._grammar, context)
            rest = after_phrase(text, called) if called else None
            return rate(text if rest is None else rest) if rate is not None else 0.0

        return (engine or self._transcriber).open(
            rate_hz=rate_hz,
            context=context,
            expect=self._expect(),
            on_partial=on_partial,
            understands=understands,
        )

    def _missed(self, turn_id: int, recording: Recording, started_at: float, problem: Problem) -> None:
        """End a turn of whose sound no text came; the sound is kept, to be heard again."""
        keep = recording.audio_s > 0 and problem.kind != AudioError.__name__
        if keep:
            self._kept[turn_id] = recording, started_at
            while len(self._kept) > MAX_KEPT:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self._set_kept(oldest, False)
        # Half a text is none: it must not look like what was said.
        self._session.change(turn_id, state="failed", text="", problem=problem, kept_audio=keep)

    def _set_kept(self, turn_id: int, kept: bool) -> None:
        turn = self._hub.turns.get(turn_id)
        if turn is not None:
            self._hub.publish(TurnChanged(turn=turn.model_copy(update={"kept_audio": kept})))

    def _told(self, turn_id: int, transcript: Transcript) -> None:
        """Tell what is known of a transcript beside its text."""
        if transcript.notice:
            self._notice(transcript.notice, transcript.hint)
        self._session.change(
            turn_id,
            audio_s=transcript.audio_s,
            latency_s=transcript.latency_s,
            engine=transcript.engine,
        )

    def _keep(self, turn_id: int, pcm: bytes, rate_hz: int) -> None:
        """Keep a recording, where the person wants that."""
        if self._folder is not None and pcm:
            task = asyncio.ensure_future(self._keep_in(self._folder, pcm, turn_id, rate_hz))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _keep_in(self, folder: AudioFolder, pcm: bytes, turn_id: int, rate_hz: int) -> None:
        try:
            await asyncio.to_thread(folder.keep, pcm, turn_id, rate_hz=rate_hz)
        except VoiceKernelError as error:
            self._notice(error.message, error.hint)

    def _rest(self) -> None:
        if self._hub.speech.state != "unavailable" or self._transcriber.loaded:
            listens = self._open or self._microphones
            self._tell("listening" if listens else "ready" if self._transcriber.loaded else "loading")

    def _tell(self, state: str, **more: Any) -> None:
        engine = self._transcriber
        chosen = engine.chosen if isinstance(engine, ChosenTranscriber) else ""
        speech = Speech.model_validate(
            {
                "state": state,
                "engine": engine.name,
                "chosen": chosen if chosen != engine.name else "",
                "sent_to": engine.sent_to,
                "language": self._hearing.options.language if self._hearing else "en",
                "phrases": names_of(self._context())[:MAX_PHRASES] if engine.name == BROWSER else [],
                "mode": self._hub.speech.mode,
                "hands_free": bool(self._microphones),
            }
            | ({"waiting_for": self._hub.speech.waiting_for} if self._microphones else {})
            | more
        )
        if speech != self._hub.speech:
            self._hub.publish(SpeechChanged(speech=speech))

    def _notice(self, message: str, hint: str) -> None:
        self._hub.publish(Notice(level="warning", message=message, hint=hint))


class _Room:
    """The session around an open microphone; see `room.Room`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.manners = listener._manners
        self.session = listener._session
        self.mouth = listener._mouth

    @property
    def grammar(self) -> Grammar | None:
        return self._listener._grammar

    async def load_grammar(self) -> Grammar:
        listener = self._listener
        listener._grammar = await listener._load_grammar()
        return listener._grammar

    @property
    def expect(self) -> Expect:
        return self._listener._expect()

    @property
    def asked(self) -> bool:
        return self._listener._asked()

    @property
    def keeps(self) -> bool:
        return self._listener._folder is not None

    def context(self) -> Context:
        return self._listener._context()

    def recognise(self, on_partial: Callable[[str], None]) -> Recognition:
        listener = self._listener
        if listener._transcriber.name == "browser":  # its recogniser hears one utterance, not a room
            return listener._recognition(RATE_HZ, on_partial, listener._here)
        return listener._recognition(RATE_HZ, on_partial)

    def recognise_here(self) -> Recognition:
        return self._listener._here.open(rate_hz=RATE_HZ, expect="dictation")

    def show(self, *, heard: str | None = None, waiting_for: str | None = None) -> None:
        speech = self._listener._hub.speech
        changed = speech.model_copy(
            update={
                "heard": speech.heard if heard is None else heard,
                "waiting_for": speech.waiting_for if waiting_for is None else waiting_for,
            }
        )
        if changed != speech:
            self._listener._hub.publish(SpeechChanged(speech=changed))

    def stop_listening(self) -> None:
        self._listener._hub.publish(ControlSpoken(control="stop_listening"))

    def notice(self, message: str, hint: str) -> None:
        self._listener._notice(message, hint)

    def keep(self, turn_id: int, pcm: bytes, rate_hz: int) -> None:
        self._listener._keep(turn_id, pcm, rate_hz)
