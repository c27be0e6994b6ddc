"""Where in a sound somebody speaks.

Silero's detector (the ONNX file that faster-whisper ships) gives a probability of speech for every
32 ms; `SpeechTrack` keeps them for one stream. It does not know words, nor when a turn is over.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from voice_kernel.errors import EngineUnavailable
from voice_kernel.language import _
from voice_kernel.speech.frames import FRAME, OFFSET, ONSET
from voice_kernel.speech.resampling import Samples

_CONTEXT = 64  # samples of the frame before that the detector wants to see


class SpeechDetector:
    """The loaded network, shared by all tracks. Used by one thread at a time.

    Raises:
        EngineUnavailable: faster-whisper or ONNX Runtime is not installed.
    """

    def __init__(self) -> None:
        try:
            import onnxruntime  # heavy: the worker only
        except ImportError as error:
            raise _unavailable(_("ONNX Runtime is not installed.")) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a frame is too small to share
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            str(_find_network()), options, providers=["CPUExecutionProvider"]
        )
        if {i.name for i in self._session.get_inputs()} != {"input", "h", "c"}:
            raise _unavailable(_("The installed faster-whisper brings another speech detector."))

    def track(self) -> SpeechTrack:
        """Return a fresh track that listens through this detector."""
        return SpeechTrack(self)

    def probabilities(self, frames: Samples, state: tuple[Samples, Samples]) -> tuple[Samples, Any]:
        """Return the probability of speech in consecutive frames, and the state after them.

        Args:
            frames: shape (n, 576): 64 samples of context, then 512 of the frame.
            state: the network's memory after the frame before.
        """
        output, h, c = self._session.run(None, {"input": frames, "h": state[0], "c": state[1]})
        return np.asarray(output, np.float32).reshape(-1), (h, c)


class SpeechTrack:
    """Follows one stream of samples and remembers where speech was.

    Its answers depend on the samples alone, not on how they were cut into chunks.
    """

    def __init__(self, detector: SpeechDetector) -> None:
        self._detector = detector
        memory = np.zeros((1, 1, 128), np.float32)
        self._state: Any = (memory, memory)
        self._tail: Samples = np.zeros(_CONTEXT, np.float32)
        self._rest: Samples = np.zeros(0, np.float32)
        self.probabilities: list[float] = []
        """Probability of speech in every frame so far."""
        self.speech: list[bool] = []
        """Whether a frame belongs to speech: from `ONSET` up, until it falls below `OFFSET`."""

    def push(self, samples: Samples) -> None:
        """Listen to more of the stream."""
        sound = np.concatenate((self._rest, samples))
        count = len(sound) // FRAME
        self._rest = sound[count * FRAME :]
        if not count:
            return
        body = sound[: count * FRAME].reshape(count, FRAME)
        context = np.concatenate((self._tail[None], body[:-1, -_CONTEXT:]))
        self._tail = body[-1, -_CONTEXT:]
        found, self._state = self._detector.probabilities(
            np.concatenate((context, body), axis=1), self._state
        )
        for probability in found.tolist():
            speaking = bool(self.speech) and self.speech[-1]
            self.speech.append(probability >= (OFFSET if speaking else ONSET))
            self.probabilities.append(probability)

    def take(self) -> list[float]:
        """Return the probabilities found since the last call, and forget them: for a stream without end."""
        found = self.probabilities
        self.probabilities = []
        del self.speech[:-1]  # whether somebody speaks now is still needed
        return found

    def flush(self) -> None:
        """Hear the last part of a frame, as if silence followed."""
        if len(self._rest):
            self.push(np.zeros(FRAME - len(self._rest), np.float32))


def _find_network() -> Path:
    """Return the detector's file without importing the package that carries it."""
    try:
        files = metadata.files("faster-whisper") or []
    except metadata.PackageNotFoundError as error:
        raise _unavailable(
            _("faster-whisper, which brings the speech detector, is not installed.")
        ) from error
    for file in files:
        if file.match("silero_vad*.onnx"):
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise _unavailable(_("The installed faster-whisper brings no speech detector."))


def _unavailable(reason: str) -> EngineUnavailable:
    return EngineUnavailable(reason, hint=_('Run: pip install "voice-kernel[local]"'))
