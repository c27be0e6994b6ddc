"""What becomes of a spoken answer while somebody may be speaking up: it is held, then ended or let go on.

A page holds its answer within a tenth of a second of any sound that may be a voice; where it did not, speech
that was found here has it do so. Holding is itself the test: our own voice ends with the answer, a click or a
cough is over, and only a person goes on talking. Sees the probabilities of speech in one open microphone; it
does not know words, and leaves to whoever reads them what is too short to be told otherwise. All times are of
the stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from voice_kernel.room import Mouth
from voice_kernel.speech.frames import FRAME_S, ONSET

ECHO_TAIL_S = 0.35
"""How long after it was held an answer may still come back: loudspeaker, room and microphone take that."""
SURE_FRAMES = 3
"""So many frames of speech (96 ms) after that are a person."""
NOBODY_S = 0.4
"""Where nobody has begun to speak by then, the answer goes on."""
MAX_HELD_S = 2.5
"""No answer is held for longer, whatever is still being read."""


class Interruption:
    """Watches one open microphone on behalf of whoever speaks.

    Args:
        mouth: who speaks our answers, where somebody does.
        surface_id: where.
    """

    def __init__(self, mouth: Mouth | None, surface_id: str) -> None:
        self._mouth = mouth
        self._surface_id = surface_id
        self._echoes = False
        self._arrived_s = 0.0
        self._seen_s = 0.0
        self._held_s: float | None = None
        self._speech = 0

    def arrived(self, seconds: float) -> None:
        """Take notice of a piece of the stream: a page tells that it holds before the next one."""
        self._arrived_s += seconds
        held = self._mouth is not None and self._mouth.held(self._surface_id)
        if not held:
            self._held_s = None
        elif self._held_s is None:
            self._held_s, self._speech = self._arrived_s, 0

    def insisted(self) -> None:
        """Hold what is said: somebody speaks up, or we hear ourselves."""
        # Where our own voice was taken for somebody's, words must tell from now on.
        if self._mouth is not None and self._mouth.saying and not self._echoes:
            self._mouth.hold(self._surface_id)

    def echoed(self) -> None:
        """Take in that words were our own: this microphone hears us."""
        self._echoes = True

    def looked(self, probabilities: Sequence[float], *, undecided: bool) -> None:
        """Take the next frames, and end the answer that is held or let it go on, once that is clear.

        Args:
            probabilities: of speech, a frame each.
            undecided: whether an utterance is under way, or its words are being read.
        """
        for probability in probabilities:
            self._seen_s += FRAME_S
            if self._held_s is None or self._mouth is None:
                continue
            since_s = self._seen_s - self._held_s
            if since_s > ECHO_TAIL_S + FRAME_S and probability >= ONSET:
                self._speech += 1
            if self._speech >= SURE_FRAMES:
                self._held_s = None
                self._mouth.stop(self._surface_id)
            elif since_s >= (MAX_HELD_S if undecided else NOBODY_S):
                self.close()

    def close(self) -> None:
        """Let the answer go on: nobody listens any more, or nobody spoke."""
        self._held_s = None
        if self._mouth is not None:
            self._mouth.go_on(self._surface_id)
