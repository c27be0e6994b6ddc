"""When somebody begins to speak in an open microphone, and when they have finished.

Sees the probability of speech in every 32 ms and how far the words are that were read so far, and decides;
it depends on nothing else, so the same stream always falls into the same utterances. It does not know
sound, engines, or what becomes of an utterance. Standard library only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from voice_kernel.speech.frames import FRAME_S, OFFSET, ONSET

SURE_FRAMES, SURE_WITHIN = 3, 6
"""So many sure frames (96 ms) within so many (192 ms) begin an utterance; less is a click or a cough."""
INSISTENT = 0.7
INSISTENT_FRAMES = 3
"""So many very sure frames in a row (96 ms): somebody speaks up. What interrupts an answer must be quick."""

UNFINISHED_S = 1.2
"""How much longer a command is waited for that breaks off in the middle: "run the tests in ..."."""
READING_S = 0.4
"""How much longer is waited for the words of a pause, where they are not read in time."""
FINISHED_SHARE = 0.7
"""The part of the usual silence that is enough after a command that nothing can follow."""
SHORTEST_S = 0.25
"""No pause within a command is taken for its end that is shorter than this."""
MAX_SPEECH_S = 30.0
"""Nobody gives a command that takes longer; talk in the background does."""

Progress = Literal["unread", "unfinished", "extensible", "finished", "other", "over"]
"""What the words before a pause amount to. `unread`: not known yet; `over`: the speaker said so."""


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks."""

    frame: int
    """The first frame of speech, from 0 since the stream began."""


@dataclass(frozen=True, slots=True)
class Insisted:
    """Somebody speaks up: enough to interrupt."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is over."""

    frame: int
    """The first frame that does not belong to it."""
    last_speech: int
    """The frame after its last one of speech."""
    too_long: bool = False


Event = Began | Insisted | Ended


class Endpointer:
    """Follows one stream, frame by frame.

    Args:
        end_silence_s: silence that ends an utterance.
    """

    def __init__(self, end_silence_s: float = 0.5) -> None:
        self.end_silence_s = end_silence_s
        self.frame = 0
        """Frames so far."""
        self._recent: deque[bool] = deque(maxlen=SURE_WITHIN)
        self._insistent = 0
        self._insisted = False
        self._speaking = False  # the newest frame is one of speech
        self._began: int | None = None
        self._last_speech = 0
        self._progress: Progress = "unread"

    @property
    def in_utterance(self) -> bool:
        """Whether one is under way."""
        return self._began is not None

    @property
    def pausing(self) -> bool:
        """Whether nobody speaks at the moment, within an utterance."""
        return self._began is not None and not self._speaking

    @property
    def silence_s(self) -> float:
        """How long it has been silent, within an utterance."""
        return (self.frame - self._last_speech) * FRAME_S

    def push(self, probabilities: Iterable[float]) -> list[Event]:
        """Take the next frames; return what they bring, in order."""
        events: list[Event] = []
        for probability in probabilities:
            events.extend(self._next(probability))
        return events

    def read(self, progress: Progress) -> list[Event]:
        """Take in what the words before the present pause amount to; an end may be due at once."""
        if self._began is None or self._speaking:
            return []
        self._progress = progress
        return self._end_if_due()

    def drop(self) -> None:
        """Give up the utterance under way; the next one begins with new speech."""
        self._began = None
        self._recent.clear()

    def _next(self, probability: float) -> list[Event]:
        self._speaking = probability >= (OFFSET if self._speaking else ONSET)
        self._recent.append(probability >= ONSET)
        self.frame += 1
        events: list[Event] = []
        if self._began is None:
            if sum(self._recent) >= SURE_FRAMES:
                self._began = self.frame - len(self._recent) + self._recent.index(True)
                self._last_speech = self.frame
                self._insistent, self._insisted = 0, False
                self._progress = "unread"
                events.append(Began(self._began))
            else:
                return events
        if self._speaking:
            self._last_speech = self.frame
            self._progress = "unread"
        self._insistent = self._insistent + 1 if probability >= INSISTENT else 0
        if self._insistent >= INSISTENT_FRAMES and not self._insisted:
            self._insisted = True
            events.append(Insisted())
        return events + self._end_if_due()

    def _end_if_due(self) -> list[Event]:
        if self._began is None:
            return []
        too_long = (self.frame - self._began) * FRAME_S >= MAX_SPEECH_S
        if not too_long and (self._speaking or self.silence_s < self._needed_s()):
            return []
        self.drop()
        return [Ended(self.frame, self._last_speech, too_long)]

    def _needed_s(self) -> float:
        usual = self.end_silence_s
        match self._progress:
            case "over":
                return 0.0
            case "finished":
                return min(usual, max(SHORTEST_S, FINISHED_SHARE * usual))
            case "unfinished":
                return usual + UNFINISHED_S
            case "unread":
                return usual + READING_S
            case _:
                return usual
