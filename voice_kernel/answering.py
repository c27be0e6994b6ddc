"""Answers are spoken: what, when, in which order, to whom, and when they stop.

Follows the hub while somebody wants to hear something, and sends sound to the one surface that was spoken
to. One answer at a time: a new command ends the answer before it; what a task in the background has to say
waits. Knows surfaces only by the port `Page`, voices only by the port `Voice`; the words are the renderer's.
Everything belongs to the loop thread, and nothing is loaded before a page switches speaking on.

For whoever listens meanwhile (hands-free): `saying` is what is being heard now, so that the assistant's own
words are not taken for a person's; `hold` makes it pause until `go_on`; `stop` ends it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from voice_kernel.controls import CONTROLS
from voice_kernel.errors import Refused, SpeechError, VoiceUnavailable
from voice_kernel.events import OPEN_TURNS, Hub, Subscription
from voice_kernel.language import _
from voice_kernel.messages import (
    AnswerDelta,
    Approval,
    ApprovalChanged,
    HoldSpeaking,
    Notice,
    SpeakAnswer,
    SpeakChanged,
    SpeakChoice,
    SpeakingState,
    State,
    StopSpeaking,
    Task,
    ToSurface,
    Turn,
    TurnChanged,
    Verbosity,
    VoiceEngine,
)
from voice_kernel.speaking.voice import MAX_RATE, MIN_RATE, Voice

if TYPE_CHECKING:  # at run time it is loaded with the first words
    from voice_kernel.speaking.renderer import Renderer

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
RATE_STEP = 1.2
MAX_SEEN = 500

LOCAL_LANGUAGES = frozenset({"en"})
"""What the kernel's own voice speaks."""
SILENT = frozenset({"stop_speaking", "stop_listening", "approve", "accept_changes"})
"""Controls whose own answer nobody needs to hear."""
ASKED = frozenset({"repeat_answer", "change_speech_rate", "answer_aloud"})
"""Whoever says these wants to hear something, however little is spoken otherwise."""


class Page(Protocol):
    """A surface that can sound."""

    surface_id: str

    def send(self, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        """Send one message now; a page that has gone drops it."""
        ...


@dataclass
class _Hearer:
    """A page with its choice, and what it was told last."""

    page: Page
    choice: SpeakChoice
    last: str = ""
    newest_turn: int = 0
    """The last command; a yes, a "be quiet" or noise does not take its place for good."""
    turn_before: int = 0
    active_at: float = 0.0


@dataclass
class _Answer:
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


class Answering:
    """What is spoken in one session.

    Args:
        hub: what happens.
        renderer: makes what puts it into words, when there is something to be said.
        voice: returns an engine of the kernel by its name.
        notify_after_s: what took longer is worth an announcement when it ends in the background.
    """

    def __init__(
        self,
        hub: Hub,
        renderer: Callable[[], Renderer],
        voice: Callable[[VoiceEngine], Voice],
        *,
        notify_after_s: float = 20.0,
    ) -> None:
        self._hub = hub
        self._make_renderer = renderer
        self._voice = voice
        self._notify_after_s = notify_after_s
        self._hearers: dict[str, _Hearer] = {}
        self._queue: deque[_Answer] = deque()
        self._current: _Answer | None = None
        self._last_id = 0
        self._seen: OrderedDict[int, bool] = OrderedDict()
        """Turns and whether they have ended, as far as this module has taken notice."""
        self._asked: set[int] = set()
        """Approvals that are open and were asked for aloud."""
        self._stream: _Answer | None = None
        """The answer of a model that is spoken while it is written."""
        self._hushed = 0
        """The turn whose answer a person has stopped while it was written."""
        self._told: dict[int, list[str]] = {}
        """Of a turn whose answer was broken off by a question: the sentences told before."""
        self._questions: dict[int, str] = {}
        """The question of a turn that was asked last."""
        self._listening: set[int] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._ended_at = 0.0
        self._ended_text = ""
        self._follower: asyncio.Task[None] | None = None
        self._speaker: asyncio.Task[None] | None = None
        self._loading: set[asyncio.Task[None]] = set()
        self._told_unavailable = ""

    @cached_property
    def _renderer(self) -> Renderer:
        return self._make_renderer()

    # ---- pages ------------------------------------------------------------------------------------

    def choose(self, page: Page, choice: SpeakChoice) -> None:
        """Take a page's choice; the first one introduces the page."""
        hearer = self._hearers.get(page.surface_id)
        if hearer is None:
            hearer = self._hearers[page.surface_id] = _Hearer(page, choice)
        changed = choice != hearer.choice or hearer.page is not page
        hearer.page, hearer.choice = page, choice
        if choice.speak == "off":
            self.stop(page.surface_id)
        elif changed or self._follower is None:
            self._load_ahead(hearer)
        self._follow_or_rest()

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

    def left(self, page: Page) -> None:
        """Forget a page that has gone; a newer one with its id stays."""
        hearer = self._hearers.get(page.surface_id)
        if hearer is not None and hearer.page is page:
            self.stop(page.surface_id)
            del self._hearers[page.surface_id]
            self._follow_or_rest()

    # ---- barge-in ---------------------------------------------------------------------------------

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
        stream = self._stream
        if stream is not None and surface_id in ("", stream.surface_id):
            self._stream = None
            self._hushed = stream.turn_id
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

    # ---- what a person says -----------------------------------------------------------------------

    def control(self, name: str, arguments: dict[str, Any], surface_id: str) -> str:
        """Carry out a spoken wish about speaking; returns what to answer.

        Raises:
            Refused: no page is there that could speak.
        """
        if name == "stop_speaking":
            self.stop()
            return _("Stopped.")
        hearer = self._hearers.get(surface_id)
        if hearer is None:
            raise Refused(_("Only the voice panel speaks."), hint=_("Open it and say it there."))
        phrases = self._renderer.phrases
        if name == "repeat_answer":
            if hearer.choice.speak == "off":
                return hearer.last or phrases.is_off
            return hearer.last or phrases.nothing_said_yet
        if name == "change_speech_rate":
            return self._change_rate(hearer, str(arguments.get("change", "faster")))
        return self._change_speak(hearer, str(arguments.get("how", "short")))

    def _change_rate(self, hearer: _Hearer, change: str) -> str:
        phrases = self._renderer.phrases
        before = hearer.choice.rate
        if change == "normal":
            rate, said = 1.0, phrases.normal
        elif change == "slower":
            rate, said = max(MIN_RATE, round(before / RATE_STEP, 2)), phrases.slower
        else:
            rate, said = min(MAX_RATE, round(before * RATE_STEP, 2)), phrases.faster
        if rate == before and change != "normal":
            return phrases.slowest if change == "slower" else phrases.fastest
        self._change(hearer, rate=rate)
        return said

    def _change_speak(self, hearer: _Hearer, how: str) -> str:
        phrases = self._renderer.phrases
        wanted: dict[str, tuple[Verbosity, str]] = {
            "off": ("off", phrases.now_off),
            "errors": ("errors", phrases.now_errors),
            "short": ("short", phrases.now_aloud),
            "full": ("full", phrases.now_full),
        }
        speak, said = wanted.get(how, wanted["short"])
        self._change(hearer, speak=speak)
        return said

    def _change(self, hearer: _Hearer, **changes: Any) -> None:
        self.choose(hearer.page, hearer.choice.model_copy(update=changes))
        hearer.page.send(SpeakChanged(speak=hearer.choice.speak, rate=hearer.choice.rate))

    async def close(self) -> None:
        """Say no more."""
        self._hearers.clear()
        self.stop()
        self._follow_or_rest()
        for loading in self._loading:
            loading.cancel()

    # ---- following what happens -------------------------------------------------------------------

    def _follow_or_rest(self) -> None:
        wanted = any(hearer.choice.speak != "off" for hearer in self._hearers.values())
        if wanted and (self._follower is None or self._follower.done()):
            # Subscribed at once: what the person says in the same moment is heard.
            state, subscription = self._hub.subscribe()
            self._follower = asyncio.ensure_future(self._follow(state, subscription))
            self._follower.add_done_callback(_look_at)
            self._follower.add_done_callback(lambda _: subscription.close())  # it may end before it begins
        elif not wanted and self._follower is not None:
            self._follower.cancel()
            self._follower = None
            self._listening.clear()
            self._quiet.set()

    async def _follow(self, state: State, subscription: Subscription) -> None:
        while True:
            for turn in state.turns:
                if turn.state in OPEN_TURNS or turn.id in self._seen:
                    self._turn(turn)
                else:
                    self._see(turn.id, True)  # an old one, of no news
            self._asked.update(card.id for card in state.approvals)
            try:
                while not subscription.overflowed:
                    for message in await subscription.changes():
                        self._take(message)
            finally:
                subscription.close()
            state, subscription = self._hub.subscribe()

    def _take(self, message: ToSurface) -> None:
        if isinstance(message, TurnChanged):
            self._turn(message.turn)
        elif isinstance(message, AnswerDelta):
            self._written(message.turn_id)
        elif isinstance(message, ApprovalChanged):
            self._approval(message.approval)

    def _turn(self, turn: Turn) -> None:
        hearer = self._hearers.get(turn.surface_id)
        if turn.state == "listening":
            self._listen(turn.id)
        elif turn.id in self._listening:
            self._listening.discard(turn.id)
            if not self._listening:
                self._quiet.set()
        if turn.id not in self._seen:
            self._see(turn.id, False)
            if hearer is not None:
                # A person says something new: what was being said is over.
                hearer.turn_before, hearer.newest_turn = hearer.newest_turn, turn.id
                hearer.active_at = time.monotonic()
                self.stop(turn.surface_id)
        if turn.asks and turn.state in OPEN_TURNS and hearer is not None and hearer.choice.speak != "off":
            if self._questions.get(turn.id) != turn.asks:
                self._questions = {turn.id: turn.asks}
                self._enqueue(hearer, turn.id, self._renderer.question(turn.asks), waits=False)
            return
        if turn.state in OPEN_TURNS or self._seen.get(turn.id, True):
            return
        self._see(turn.id, True)
        self._ended(turn, hearer)
        is_command = turn.state != "nothing" and not (turn.calls and {c.tool for c in turn.calls} <= CONTROLS)
        if hearer is not None and hearer.newest_turn == turn.id and not is_command:
            hearer.newest_turn = hearer.turn_before

    def _written(self, turn_id: int) -> None:
        """Speak the sentences of a model's answer as they are finished."""
        turn = self._hub.turns.get(turn_id)
        hearer = self._hearers.get(turn.surface_id) if turn is not None and turn.surface_id else None
        if turn is None or hearer is None or turn.parent_id is not None or turn_id != hearer.newest_turn:
            return
        if turn.state not in OPEN_TURNS or turn_id in self._told or turn_id == self._hushed:
            return
        said = self._renderer.so_far(turn.answer, hearer.choice.speak)
        if not said:
            return
        stream = self._stream
        if stream is None or stream.turn_id != turn_id:
            stream = self._enqueue(hearer, turn_id, "", waits=False, complete=False)
            self._stream = stream
        more = [sentence for sentence in said if sentence not in stream.parts]
        if more:
            stream.grow(more)
            hearer.last = stream.text

    def _see(self, turn_id: int, ended: bool) -> None:
        self._seen[turn_id] = ended
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def _listen(self, turn_id: int) -> None:
        self._listening.add(turn_id)
        self._quiet.clear()

    def _ended(self, turn: Turn, hearer: _Hearer | None) -> None:
        stream = self._stream
        if stream is not None and stream.turn_id == turn.id:
            self._stream = None
        else:
            stream = None
        before = self._told.pop(turn.id, None)
        listener, text = self._answer_of(turn, hearer)
        if stream is not None:
            if turn.state == "succeeded" and text and listener is not None:
                stream.grow(_without(text, stream.parts))
                listener.last, text = text, ""
            stream.finish()
        elif before is not None and turn.state == "succeeded":
            text = " ".join(_without(text, before))
        if text and listener is not None:
            self._enqueue(listener, turn.id, text, waits=turn.id != listener.newest_turn)

    def _answer_of(self, turn: Turn, hearer: _Hearer | None) -> tuple[_Hearer | None, str]:
        """Return who is to hear what of a turn that has ended; nobody, or nothing, where it is of no news."""
        nothing = None, ""
        if turn.parent_id is not None or (turn.id == self._hushed and turn.state == "succeeded"):
            return nothing
        long = (turn.ended_at or 0.0) - turn.created_at >= self._notify_after_s
        if hearer is None:
            if turn.surface_id or turn.origin != "magic" or not long:
                return nothing  # another page's, or a cell's own business
            hearer = self._attentive()
        if hearer is None or hearer.choice.speak == "off":
            return nothing
        calls = {call.tool for call in turn.calls}
        if turn.state == "succeeded" and calls and calls <= SILENT:
            return nothing
        in_background = turn.id != hearer.newest_turn
        if in_background and not long and turn.state != "failed":
            return nothing
        tasks = [task for task in self._hub.tasks.values() if task.turn_id == turn.id]
        verbosity = hearer.choice.speak
        if verbosity == "errors" and calls & ASKED:  # as the renderer does with what reads aloud
            verbosity = "short"
        try:
            return hearer, self._renderer.turn(turn, tasks, verbosity)
        except Exception as error:  # words that no rule foresaw must not make the session mute
            log.exception("an answer could not be put into words: %s", type(error).__name__)
            return nothing

    def _attentive(self) -> _Hearer | None:
        """Return the page that was used last, of those that speak."""
        speaking = [hearer for hearer in self._hearers.values() if hearer.choice.speak != "off"]
        return max(speaking, key=lambda hearer: hearer.active_at, default=None)

    def _approval(self, approval: Approval) -> None:
        if approval.state != "open":
            self._asked.discard(approval.id)
            return
        if approval.id in self._asked:
            return
        self._asked.add(approval.id)
        task: Task | None = self._hub.tasks.get(approval.task_id)
        turn = self._hub.turns.get(task.turn_id) if task is not None else None
        hearer = self._hearers.get(turn.surface_id) if turn is not None and turn.surface_id else None
        if hearer is None and turn is not None and turn.origin == "magic":
            hearer = self._attentive()
        if hearer is not None and turn is not None and hearer.choice.speak != "off":
            stream, self._stream = self._stream, None
            if stream is not None:  # the model waits for the answer, and the question must not wait for it
                self._told = {stream.turn_id: list(stream.parts)}
                stream.finish()
            self._enqueue(hearer, turn.id, self._renderer.approval(approval), waits=True)

    # ---- speaking ---------------------------------------------------------------------------------

    def _enqueue(
        self, hearer: _Hearer, turn_id: int, text: str, *, waits: bool, complete: bool = True
    ) -> _Answer:
        self._last_id += 1
        hearer.last = text
        answer = _Answer(self._last_id, hearer.page.surface_id, turn_id, text, waits, complete=complete)
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

    def _replace(self, current: _Answer) -> None:
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
        self._speaker.add_done_callback(_look_at)

    def _end(self, answer: _Answer) -> None:
        if self._current is answer:
            self._current = None
        if answer.begun:
            self._ended_at, self._ended_text = time.monotonic(), answer.text

    async def _speak(self, answer: _Answer) -> None:
        await self._quiet.wait()
        hearer = self._hearers.get(answer.surface_id)
        if hearer is not None and time.monotonic() - answer.made_at < STALE_S:
            try:
                await self._utter(answer, hearer)
            except SpeechError as error:
                self._not_heard(answer, hearer, error)
        self._end(answer)
        self._speaker = None
        self._go_on()

    async def _utter(self, answer: _Answer, hearer: _Hearer) -> None:
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

    async def _by_browser(self, answer: _Answer, hearer: _Hearer) -> None:
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
                language=self._renderer.language,
                by="browser",
            ),
        )
        await self._over(answer, len(answer.text) * SECONDS_PER_CHAR / rate + GRACE_S)

    async def _by_kernel(self, answer: _Answer, hearer: _Hearer, voice: Voice) -> None:
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
                        language=self._renderer.language,
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

    async def _over(self, answer: _Answer, limit_s: float) -> None:
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
        if engine == "local" and self._renderer.language not in LOCAL_LANGUAGES:
            raise VoiceUnavailable(
                _("The kernel's own voice speaks English only."),
                hint=_(
                    "Choose a voice of the browser, or that of a server, in the settings beside the button."
                ),
            )

    def _load_ahead(self, hearer: _Hearer) -> None:
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

    async def _load(self, voice: Voice, hearer: _Hearer) -> None:
        try:
            await voice.load()
        except SpeechError as error:
            self._tell(hearer, error, fallback=hearer.choice.browser_voice)

    def _not_heard(self, answer: _Answer, hearer: _Hearer, error: SpeechError) -> None:
        """Give the words to the page after all: whoever cannot hear them may still be told them."""
        self._tell(hearer, error, fallback=False)
        if not answer.begun:
            self._send(answer, SpeakAnswer(id=answer.id, turn_id=answer.turn_id, text=answer.text))
        else:
            self._send(answer, StopSpeaking(id=answer.id))

    def _tell(self, hearer: _Hearer, error: SpeechError, *, fallback: bool) -> None:
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

    def _send(self, answer: _Answer, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        hearer = self._hearers.get(answer.surface_id)
        if hearer is not None:
            hearer.page.send(message, buffers)


def _without(text: str, told: Sequence[str]) -> list[str]:
    """Return the sentences of a text that were not told before."""
    from voice_kernel.speaking.prose import sentences

    return [sentence for sentence in sentences(text) if sentence not in told]


def _look_at(work: asyncio.Task[None]) -> None:
    if not work.cancelled() and (error := work.exception()) is not None:
        log.error("answers are no longer spoken: %s", type(error).__name__)
