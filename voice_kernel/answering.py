"""Answers are spoken: which, in which words, to whom.

Follows the hub while somebody wants to hear something, and lets `speaker` say it to the one surface that was
spoken to. A new command ends the answer before it; what a task in the background has to say waits. The words
are the renderer's. Everything belongs to the loop thread, and nothing is loaded before a page switches
speaking on.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from voice_kernel.controls import CONTROLS
from voice_kernel.errors import Refused
from voice_kernel.events import OPEN_TURNS, Hub, Subscription
from voice_kernel.language import _
from voice_kernel.messages import (
    AnswerDelta,
    Approval,
    ApprovalChanged,
    SpeakChanged,
    SpeakChoice,
    State,
    Task,
    ToSurface,
    Turn,
    TurnChanged,
    Verbosity,
    VoiceEngine,
)
from voice_kernel.speaker import Answer, Hearer, Page, Speaker, failure_logged
from voice_kernel.speaking.voice import MAX_RATE, MIN_RATE, Voice

if TYPE_CHECKING:  # at run time it is loaded with the first words
    from voice_kernel.speaking.renderer import Renderer

log = logging.getLogger(__name__)

RATE_STEP = 1.2
MAX_SEEN = 500

SILENT = frozenset({"stop_speaking", "stop_listening", "approve", "accept_changes"})
"""Controls whose own answer nobody needs to hear."""
ASKED = frozenset({"repeat_answer", "change_speech_rate", "answer_aloud"})
"""Whoever says these wants to hear something, however little is spoken otherwise."""


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
        self._notify_after_s = notify_after_s
        self._hearers: dict[str, Hearer] = {}
        self.speaker = Speaker(self._hearers, voice, lambda: self._renderer.language, self._stopped)
        self._seen: OrderedDict[int, bool] = OrderedDict()
        """Turns and whether they have ended, as far as this module has taken notice."""
        self._asked: set[int] = set()
        """Approvals that are open and were asked for aloud."""
        self._stream: Answer | None = None
        """The answer of a model that is spoken while it is written."""
        self._hushed = 0
        """The turn whose answer a person has stopped while it was written."""
        self._told: dict[int, list[str]] = {}
        """Of a turn whose answer was broken off by a question: the sentences told before."""
        self._questions: dict[int, str] = {}
        """The question of a turn that was asked last."""
        self._listening: set[int] = set()
        self._follower: asyncio.Task[None] | None = None

    @cached_property
    def _renderer(self) -> Renderer:
        return self._make_renderer()

    # ---- pages ------------------------------------------------------------------------------------

    def choose(self, page: Page, choice: SpeakChoice) -> None:
        """Take a page's choice; the first one introduces the page."""
        hearer = self._hearers.get(page.surface_id)
        if hearer is None:
            hearer = self._hearers[page.surface_id] = Hearer(page, choice)
        changed = choice != hearer.choice or hearer.page is not page
        hearer.page, hearer.choice = page, choice
        if choice.speak == "off":
            self.speaker.stop(page.surface_id)
        elif changed or self._follower is None:
            self.speaker.load_ahead(hearer)
        self._follow_or_rest()

    def left(self, page: Page) -> None:
        """Forget a page that has gone; a newer one with its id stays."""
        hearer = self._hearers.get(page.surface_id)
        if hearer is not None and hearer.page is page:
            self.speaker.stop(page.surface_id)
            del self._hearers[page.surface_id]
            self._follow_or_rest()

    # ---- what a person says -----------------------------------------------------------------------

    def control(self, name: str, arguments: dict[str, Any], surface_id: str) -> str:
        """Carry out a spoken wish about speaking; returns what to answer.

        Raises:
            Refused: no page is there that could speak.
        """
        if name == "stop_speaking":
            self.speaker.stop()
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

    def _change_rate(self, hearer: Hearer, change: str) -> str:
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

    def _change_speak(self, hearer: Hearer, how: str) -> str:
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

    def _change(self, hearer: Hearer, **changes: Any) -> None:
        self.choose(hearer.page, hearer.choice.model_copy(update=changes))
        hearer.page.send(SpeakChanged(speak=hearer.choice.speak, rate=hearer.choice.rate))

    def _stopped(self, surface_id: str) -> None:
        """Say no more of an answer that is spoken while it is written, either."""
        stream = self._stream
        if stream is not None and surface_id in ("", stream.surface_id):
            self._stream = None
            self._hushed = stream.turn_id

    async def close(self) -> None:
        """Say no more."""
        self._hearers.clear()
        self.speaker.close()
        self._follow_or_rest()

    # ---- following what happens -------------------------------------------------------------------

    def _follow_or_rest(self) -> None:
        wanted = any(hearer.choice.speak != "off" for hearer in self._hearers.values())
        if wanted and (self._follower is None or self._follower.done()):
            # Subscribed at once: what the person says in the same moment is heard.
            state, subscription = self._hub.subscribe()
            self._follower = asyncio.ensure_future(self._follow(state, subscription))
            self._follower.add_done_callback(failure_logged)
            self._follower.add_done_callback(lambda _: subscription.close())  # it may end before it begins
        elif not wanted and self._follower is not None:
            self._follower.cancel()
            self._follower = None
            self._listening.clear()
            self.speaker.quiet.set()

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
                self.speaker.quiet.set()
        if turn.id not in self._seen:
            self._see(turn.id, False)
            if hearer is not None:
                # A person says something new: what was being said is over.
                hearer.turn_before, hearer.newest_turn = hearer.newest_turn, turn.id
                hearer.active_at = time.monotonic()
                self.speaker.stop(turn.surface_id)
        if turn.asks and turn.state in OPEN_TURNS and hearer is not None and hearer.choice.speak != "off":
            if self._questions.get(turn.id) != turn.asks:
                self._questions = {turn.id: turn.asks}
                self.speaker.say(hearer, turn.id, self._renderer.question(turn.asks), waits=False)
            return
        if turn.state in OPEN_TURNS or self._seen.get(turn.id, True):
            return
        self._see(turn.id, True)
        self._ended(turn, hearer)
        was_talk = turn.state in ("nothing", "dismissed")
        is_command = not was_talk and not (turn.calls and {c.tool for c in turn.calls} <= CONTROLS)
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
            stream = self.speaker.say(hearer, turn_id, "", waits=False, complete=False)
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
        self.speaker.quiet.clear()

    def _ended(self, turn: Turn, hearer: Hearer | None) -> None:
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
            self.speaker.say(listener, turn.id, text, waits=turn.id != listener.newest_turn)

    def _answer_of(self, turn: Turn, hearer: Hearer | None) -> tuple[Hearer | None, str]:
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

    def _attentive(self) -> Hearer | None:
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
            self.speaker.say(hearer, turn.id, self._renderer.approval(approval), waits=True)


def _without(text: str, told: Sequence[str]) -> list[str]:
    """Return the sentences of a text that were not told before."""
    from voice_kernel.speaking.prose import sentences

    return [sentence for sentence in sentences(text) if sentence not in told]
