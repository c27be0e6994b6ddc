"""From the samples of one utterance to its text.

Follows the speech in it, cuts what is too long for one decode at a silence, reads ahead while the
speaker goes on, and believes one of two readings. Everything here is synchronous and depends on the
samples alone: what was read ahead is the final text exactly when no speech came after it. It does
not know threads, rates or microphones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voice_kernel.context import Context
from voice_kernel.speech.frames import FRAME, FRAME_S, ONSET
from voice_kernel.speech.names import Sentence, sentences
from voice_kernel.speech.resampling import Samples
from voice_kernel.speech.transcriber import RATE_HZ, Expect
from voice_kernel.speech.vad import SpeechDetector
from voice_kernel.speech.vocabulary import command_prompt, opens_like_a_command, terms, unglued
from voice_kernel.speech.wake import after_phrase
from voice_kernel.speech.whisper import MAX_PROMPT_TOKENS, Encoded, Reading, Whisper

PRE_ROLL_FRAMES = 16
"""Half a second before the detector is sure: soft first consonants are in there."""
TAIL_FRAMES = 2
"""How much silence after speech is read along (64 ms), and how long it takes to call it silence. 6 frames are
read no better, and the text would come an eighth of a second later."""
HURRIED_TAIL_FRAMES = 1
"""The same once the speaker has let go of the key: nobody pauses then."""
FADED = (0.5 + 0.5 * np.cos(np.linspace(0, np.pi, RATE_HZ // 50))).astype(np.float32)
"""How a segment ends, within 20 ms: zeros fill the model's window up, and a step to them would be heard."""
PAUSE_FRAMES = 62
"""A pause of 2 s ends a segment: long silence in a window makes the model invent words."""
MAX_SEGMENT_FRAMES = 812
"""26 s: with the margin the model wants after the sound, this fills its window."""
MIN_SURE_FRAMES = 3
"""Fewer sure frames than this (96 ms) are a click or a cough, no word."""
PARTIAL_FRAMES = 13
"""New sound after which a partial text is worth a decode: 416 ms, so that there are two a second."""

SURE_LOGPROB = -0.7
"""A reading as a command that is less likely than this is checked for noise by a plain one."""
OPENING_TOKENS = 6
"""Enough of a reading to see how it opens."""
LONG_FRAMES = 94
"""From 3 s on, the opening is looked at before the whole is read: reading long talk twice is slow."""
BEAM = 3
"""Hypotheses of a final reading. 5 is no better (word errors of commands 9.4% and 9.2%, of read speech
1.6% both), and a fifth slower."""
CHOICE_BEAM = 5
"""Hypotheses when the listener can choose among them: 1% more commands are understood than with 3."""
PARTIAL_BEAM = 1
ALTERNATIVE_LEAD = 0.5
"""How much less likely than the best reading one that is chosen may be, in log probability."""
UNDERSTOOD_WORTH, TERM_WORTH = 0.45, 0.13
"""What it counts, in log probability, that a reading is understood, and each word of the trade in it."""
BREAK_COST = 0.08
"""What it counts against a reading that a sentence ends within it: few commands are two sentences."""
UNSURE = 0.8
"""How well a reading is understood (see `Transcriber.open`) up to which names are looked for in it."""
MOST_ASKED, MOST_COMPARED = 150, 10
"""Sentences with names that the listener is asked about, and that are compared with the sound."""
NAME_LEAD = 1.3
"""How much less likely a sentence with a name that exists may be than one with a name that does not, in log
probability: names are rare words."""
TALK_LEAD = 1.0
"""The same, where what was heard is no command at all, though it opens like one: "showmark's expected"."""
LONE_LEAD, LONE_BY = 2.0, 1.2
"""The same, where no other name comes nearer to it than that."""
NOISE_PROB = 0.6
NOISE_LOGPROB = -1.0
"""Beyond both, the plain reading is invented from noise.

Source: the thresholds of OpenAI's reference decoder for `no_speech` and `logprob`."""
GUESS_LOGPROB = -1.4
"""A reading with a hint that is less likely than this is a guess too: what is spoken fits one of the two."""


@dataclass(frozen=True, slots=True)
class Ears:
    """The loaded models, shared by all utterances."""

    detector: SpeechDetector
    whisper: Whisper

    @classmethod
    def load(cls, folder: Path, *, threads: int, language: str) -> Ears:
        """Load them; takes about a second.

        Raises:
            EngineUnavailable: a library is missing, or the folder holds no Whisper model.
        """
        ears = cls(SpeechDetector(), Whisper(folder, threads=threads, language=language))
        silence = np.zeros(RATE_HZ, np.float32)
        ears.detector.track().push(silence)
        ears.whisper.read(ears.whisper.encode(silence), beam=1)  # the first calls are slow: not the user's
        return ears


class Segment(NamedTuple):
    """A stretch of frames that is decoded at once."""

    start: int
    end: int
    spoken: int
    """The frame after the last one of speech in it."""

    def has_the_words_of(self, other: Segment) -> bool:
        """Return whether the two differ in the silence at their ends alone."""
        return (self.start, self.spoken) == (other.start, other.spoken)


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of an utterance when it is over."""

    text: str
    speech_s: float
    avg_logprob: float | None
    no_speech_prob: float | None


class Utterance:
    """One utterance. Used by one thread at a time.

    Args:
        ears: the models.
        context: names that may be spoken.
        expect: what kind of speech this is.
        understands: see `Transcriber.open`.
    """

    def __init__(
        self,
        ears: Ears,
        context: Context,
        expect: Expect,
        understands: Callable[[str], float] | None = None,
    ) -> None:
        whisper = self._whisper = ears.whisper
        self._understands = understands
        self._context = context
        self._hinted = 0.0  # how likely the newest reading with a hint was, in log probability
        self._opening_tokens = OPENING_TOKENS + 3 * len(context.called.split())
        self._prompt = ""
        # The words by which a command is known from its opening are English; elsewhere the listener knows.
        self._chooses = expect == "command" and understands is not None and whisper.language != "en"
        if expect == "command" and (self._chooses or whisper.language == "en"):
            self._prompt = command_prompt(
                context, lambda text: whisper.prompt_tokens(text) <= MAX_PROMPT_TOKENS, whisper.language
            )
        self._track = ears.detector.track()
        self._blocks: list[Samples] = []
        self._dropped = 0  # samples before the blocks, read already
        self._length = 0  # samples in all
        self._frame = 0  # frames that were assigned to segments
        self._open: int | None = None  # first frame of the segment under way
        self._last_speech = 0  # frame after the last one of speech
        self._cut_at = 0  # no segment begins before this frame
        self._closed: list[Segment] = []  # complete, not read
        self._read: list[Reading] = []  # readings of complete segments
        self._ahead: tuple[Segment, Reading] | None = None  # the newest good reading of the open segment
        self._tail_frames = TAIL_FRAMES
        self._tried_at = 0  # frame of the newest partial reading

    def push(self, samples: Samples) -> None:
        """Add sound: mono, 16 kHz. Cheap: finds speech, reads nothing."""
        if len(samples):
            self._blocks.append(samples)
            self._length += len(samples)
            self._track.push(samples)
            self._segment()

    def hurry(self) -> None:
        """Wait no longer than must be for what may be the end: the speaker has let go of the key."""
        self._tail_frames = HURRIED_TAIL_FRAMES

    @property
    def partial_due(self) -> bool:
        """Whether reading ahead would show something new."""
        if self._closed:
            return True
        if self._open is None or not self._enough(Segment(self._open, self._last_speech, self._last_speech)):
            return False
        if self.pausing:
            return not self._is_read(self._tail_segment(self._open))
        return self._frame - max(self._tried_at, self._open) >= PARTIAL_FRAMES

    @property
    def pausing(self) -> bool:
        """Whether it is silent within an utterance."""
        return self._open is not None and self._frame - self._last_speech >= self._tail_frames

    @property
    def read_to_the_end(self) -> bool:
        """Whether somebody has spoken, pauses now, and all of it has been read."""
        if self._closed:
            return False
        if self._open is None:
            return bool(self._read)
        return self._is_read(self._tail_segment(self._open))

    def read_ahead(self) -> str:
        """Return the text so far, after one decode of what is new."""
        if self._closed:
            self._read_closed(self._closed.pop(0))
            return self._text()
        if self._open is None:
            return self._text()
        self._tried_at = self._frame
        if self.pausing:
            segment = self._tail_segment(self._open)
            self._ahead = (segment, self._believe(segment))
            return self._text(self._ahead[1])
        return self._text(self._glance(Segment(self._open, self._frame, self._frame)))

    def finish(self, abandoned: Callable[[], bool] = lambda: False) -> Heard:
        """Return the whole text. No sound may come after.

        Args:
            abandoned: asked between two segments; the rest is not read once nobody wants it.
        """
        self._track.flush()
        self._segment()
        if self._open is not None:
            self._close(self._tail_segment(self._open))
        while self._closed and not abandoned():
            self._read_closed(self._closed.pop(0))
        sure = sum(probability >= ONSET for probability in self._track.probabilities)
        spoken = [reading for reading in self._read if reading.text]
        return Heard(
            text=self._text(),
            speech_s=sure * FRAME_S if spoken else 0.0,
            avg_logprob=min((r.avg_logprob for r in spoken), default=None),
            no_speech_prob=max((r.no_speech_prob for r in spoken), default=None),
        )

    # ---- segments --------------------------------------------------------------------------------

    def _segment(self) -> None:
        """Assign new frames, one by one, so that chunks make no difference."""
        speech = self._track.speech
        while self._frame < len(speech):
            now = self._frame
            self._frame += 1
            if speech[now]:
                self._last_speech = now + 1
                if self._open is None:
                    self._open = max(self._cut_at, now - PRE_ROLL_FRAMES)
            if self._open is None:
                continue
            if self._frame - self._last_speech >= PAUSE_FRAMES:
                self._close(self._tail_segment(self._open))
                self._open = None
            elif self._frame - self._open >= MAX_SEGMENT_FRAMES:
                cut = self._quietest(self._frame - MAX_SEGMENT_FRAMES // 2, self._frame)
                self._close(Segment(self._open, cut, cut))
                self._open = cut

    def _close(self, segment: Segment) -> None:
        self._closed.append(segment)
        self._cut_at = segment.end

    def _tail_segment(self, start: int) -> Segment:
        end = min(self._last_speech + self._tail_frames, self._frame)
        return Segment(start, end, min(self._last_speech, end))

    def _quietest(self, start: int, end: int) -> int:
        """Return the middle of the longest silence in a stretch, or its least speech-like frame."""
        best, run = (start, start), start
        for frame in range(start, end):
            if self._track.speech[frame]:
                run = frame + 1
            elif frame + 1 - run > best[1] - best[0]:
                best = (run, frame + 1)
        if best[1] > best[0]:
            return sum(best) // 2
        return start + int(np.argmin(self._track.probabilities[start:end]))

    def _enough(self, segment: Segment) -> bool:
        sure = sum(p >= ONSET for p in self._track.probabilities[segment.start : segment.end])
        return sure >= MIN_SURE_FRAMES

    def _sound(self, segment: Segment) -> Samples:
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        start, end = segment.start * FRAME - self._dropped, segment.end * FRAME - self._dropped
        sound = self._blocks[0][max(0, start) : end].copy()
        if len(sound) >= len(FADED):
            sound[-len(FADED) :] *= FADED
        return sound

    def _forget(self, frame: int) -> None:
        """Drop the sound before a frame: it has been read."""
        count = frame * FRAME - self._dropped
        if count > RATE_HZ and self._blocks:
            whole = np.concatenate(self._blocks)
            self._blocks = [whole[count:].copy()]
            self._dropped += min(count, len(whole))

    # ---- readings --------------------------------------------------------------------------------

    def _is_read(self, segment: Segment) -> bool:
        return self._ahead is not None and self._ahead[0].has_the_words_of(segment)

    def _read_closed(self, segment: Segment) -> None:
        if self._ahead is not None and self._is_read(segment):
            self._read.append(self._ahead[1])
        elif self._enough(segment):
            self._read.append(self._believe(segment))
        self._ahead = None
        self._forget(segment.end)

    def _believe(self, segment: Segment) -> Reading:
        """Read a segment as well as we can.

        The hint helps commands and bends everything else (word errors of read speech: 1.6% without,
        4.8% with it), so it is used for what opens like a command, and only for that.
        """
        sound = self._whisper.encode(self._sound(segment))
        self._hinted = 0.0
        command: Reading | None = None
        if self._chooses and not self._read:
            return self._understood(sound)
        if self._prompt and self._may_be_command(sound, segment):
            command = self._command(sound)
            if command is not None and command.avg_logprob >= SURE_LOGPROB:
                return command
        plain = self._whisper.read(sound, beam=BEAM)
        if _is_noise(plain, self._hinted):
            return Reading("", plain.avg_logprob, plain.no_speech_prob)
        return command or plain

    def _understood(self, sound: Encoded) -> Reading:
        """Return the likeliest reading, or one about as likely that means something.

        For languages whose commands are not known by how they open: what is read with the hint counts only
        where it is understood, since the hint bends talk towards commands.
        """
        assert self._understands is not None
        if self._prompt:
            hinted = self._whisper.readings(sound, prompt=self._prompt, beam=CHOICE_BEAM)
            self._hinted = hinted[0].avg_logprob
            best, rate = self._meant(hinted)
            if rate > 0 and best.avg_logprob >= SURE_LOGPROB:
                return best
        plain = self._whisper.readings(sound, beam=CHOICE_BEAM)
        if _is_noise(plain[0], self._hinted):
            return Reading("", plain[0].avg_logprob, plain[0].no_speech_prob)
        return self._meant(plain)[0]

    def _meant(self, readings: list[Reading]) -> tuple[Reading, float]:
        """Return the likeliest reading, or one about as likely that means something, and how well it does."""
        assert self._understands is not None
        close = [r for r in readings if r.avg_logprob > readings[0].avg_logprob - ALTERNATIVE_LEAD]
        rates = [self._understands(reading.text) for reading in close]
        worth = [r.avg_logprob + UNDERSTOOD_WORTH * rate for r, rate in zip(close, rates, strict=True)]
        number = worth.index(max(worth))
        return close[number], rates[number]

    def _command(self, sound: Encoded) -> Reading | None:
        """Return the reading of a sound as a command, or None when it is none."""
        if self._understands is None:
            readings = [self._whisper.read(sound, prompt=self._prompt, beam=BEAM)]
        else:
            readings = self._whisper.readings(sound, prompt=self._prompt, beam=CHOICE_BEAM)
        best = readings[0]
        self._hinted = best.avg_logprob
        if not self._opens(unglued(best.text)):
            return None
        if self._understands is None or self._read:
            return best
        close = [
            reading
            for reading in readings
            if reading.avg_logprob > best.avg_logprob - ALTERNATIVE_LEAD
            and self._opens(unglued(reading.text))
            and _sentences(reading.text) <= _sentences(best.text)  # or it is a loop that changes as it goes
        ]
        rates = [self._understands(reading.text) for reading in close]
        worth = [
            reading.avg_logprob
            + UNDERSTOOD_WORTH * rate
            + TERM_WORTH * terms(reading.text)
            - BREAK_COST * _sentences(reading.text)
            for reading, rate in zip(close, rates, strict=True)
        ]
        number = worth.index(max(worth))
        best, rate = close[number], rates[number]
        if rate <= UNSURE and self._whisper.language == "en":
            best = self._with_a_name(sound, readings, best, rate) or best
        return best if self._opens(best.text) else None

    def _with_a_name(
        self, sound: Encoded, readings: list[Reading], best: Reading, rate: float
    ) -> Reading | None:
        """Return a reading with a name that exists, when the sound is about as likely to be that."""
        assert self._understands is not None
        meant: list[Sentence] = []
        for sentence in sentences([unglued(reading.text) for reading in readings], self._context)[
            :MOST_ASKED
        ]:
            if self._understands(sentence.text) == 1:
                meant.append(sentence)
                if len(meant) == MOST_COMPARED:
                    break
        if not meant:
            return None
        sayings = [(saying, sentence) for sentence in meant for saying in sentence.sayings]
        heard, *scores = self._whisper.likelihoods(sound, [best.text, *(saying for saying, _ in sayings)])
        score, number = max((score, -number) for number, score in enumerate(scores))
        chosen = sayings[-number][1]
        rival = max(
            (s for s, (_, other) in zip(scores, sayings, strict=True) if other != chosen), default=-9.0
        )
        lead = heard - score
        if lead <= (NAME_LEAD if rate else TALK_LEAD) or (
            rate and lead <= LONE_LEAD and score - rival > LONE_BY
        ):
            return Reading(chosen.text, best.avg_logprob, best.no_speech_prob)
        return None

    def _opens(self, text: str) -> bool:
        """Return whether a text opens like a command, after the assistant's name if that was said."""
        called = self._context.called
        rest = after_phrase(text, called) if called else None
        return opens_like_a_command(text if rest is None else rest)

    def _may_stand(self, text: str) -> bool:
        """Return whether a partial text that was read with the hint looks like a command."""
        if self._chooses:
            return self._understands is not None and self._understands(text) > 0
        return self._opens(text)

    def _may_be_command(self, sound: Encoded, segment: Segment) -> bool:
        if segment.end - segment.start < LONG_FRAMES:
            return True
        opening = self._whisper.read(sound, prompt=self._prompt, beam=1, max_tokens=self._opening_tokens)
        self._hinted = opening.avg_logprob
        return self._opens(opening.text)

    def _glance(self, segment: Segment) -> Reading:
        """Read a segment quickly, for a partial text that the next one replaces."""
        sound = self._whisper.encode(self._sound(segment))
        reading = self._whisper.read(sound, prompt=self._prompt, beam=PARTIAL_BEAM)
        if self._prompt and not self._may_stand(reading.text):
            reading = self._whisper.read(sound, beam=PARTIAL_BEAM)
        return Reading("", reading.avg_logprob, reading.no_speech_prob) if _is_noise(reading) else reading

    def _text(self, last: Reading | None = None) -> str:
        readings = [*self._read, *([last] if last else [])]
        return " ".join(reading.text for reading in readings if reading.text)


def _sentences(text: str) -> int:
    return len(re.findall(r"[.?!] ", text))


def _is_noise(plain: Reading, hinted: float = 0.0) -> bool:
    if plain.no_speech_prob <= NOISE_PROB:
        return False
    return plain.avg_logprob < NOISE_LOGPROB or hinted < GUESS_LOGPROB
