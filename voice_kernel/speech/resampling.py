"""Any sampling rate to 16 kHz, or to another, chunk by chunk.

A polyphase windowed-sinc filter. It knows nothing of files or channels.
"""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from voice_kernel.errors import AudioError
from voice_kernel.language import _
from voice_kernel.speech.transcriber import RATE_HZ

MIN_HZ = 4_000
MAX_HZ = 384_000

Samples = NDArray[np.float32]

_ZERO_CROSSINGS = 24
_ROLL_OFF = 0.94
"""Pass band as a share of the lower Nyquist frequency; the rest is the filter's transition."""
_KAISER_BETA = 9.0
_MAX_PHASES = 1024
"""Rates with a large common denominator share this many phases: the position in time is then right
to 1/2048 of an input sample, far below what the filter itself leaves."""
_BLOCK = 8_192
"""Outputs computed at once; bounds the memory of the gathered windows."""


class Resampler:
    """Turn a stream of samples at `rate_hz` into one at `to_hz`.

    The result does not depend on how the stream was cut into chunks. `flush` ends the stream; all
    in all `ceil(n * to_hz / rate_hz)` samples come out for `n` that went in.

    Raises:
        AudioError: the rate is outside 4 to 384 kHz.
    """

    def __init__(self, rate_hz: int, to_hz: int = RATE_HZ) -> None:
        if not MIN_HZ <= rate_hz <= MAX_HZ:
            raise AudioError(
                _("A sampling rate of {rate_hz} Hz cannot be used.").format(rate_hz=rate_hz),
                hint=_("Record at {least} to {most} Hz; {best} is best.").format(
                    least=MIN_HZ, most=MAX_HZ, best=RATE_HZ
                ),
            )
        divisor = gcd(to_hz, rate_hz)
        self._up = to_hz // divisor
        self._down = rate_hz // divisor
        self._identity = rate_hz == to_hz
        self._received = 0  # input samples so far
        self._produced = 0  # output samples so far
        if self._identity:
            return
        self._taps = _filter_bank(self._up, self._down)
        self._half = self._taps.shape[1] // 2
        # Input from sample `_origin` on; the stream starts with silence so that the filter has a past.
        self._origin = -self._half
        self._input: Samples = np.zeros(self._half, np.float32)

    def push(self, samples: Samples) -> Samples:
        """Return what can be computed now that `samples` are known; may be empty."""
        self._received += len(samples)
        if self._identity:
            return samples
        self._input = np.concatenate((self._input, samples))
        # Output n lies at n * down / up and needs `half` samples after it.
        ready = ((self._received - self._half) * self._up - 1) // self._down + 1
        return self._advance_to(max(self._produced, ready))

    def flush(self) -> Samples:
        """Return the rest. The stream is over."""
        if self._identity:
            return np.zeros(0, np.float32)
        self._input = np.concatenate((self._input, np.zeros(self._half + 1, np.float32)))
        return self._advance_to(ceil(self._received * self._up / self._down))

    def _advance_to(self, end: int) -> Samples:
        blocks = []
        phases = len(self._taps)
        while self._produced < end:
            n = np.arange(self._produced, min(end, self._produced + _BLOCK), dtype=np.int64)
            base, remainder = np.divmod(n * self._down, self._up)
            phase = remainder if phases == self._up else remainder * phases // self._up
            # Tap 0 of a window lies `half - 1` samples before its base.
            first = base - (self._half - 1) - self._origin
            windows = np.lib.stride_tricks.sliding_window_view(self._input, 2 * self._half)
            blocks.append(np.einsum("ij,ij->i", windows[first], self._taps[phase]))
            self._produced += len(n)
        needed = self._produced * self._down // self._up - (self._half - 1)
        if needed > self._origin:
            self._input = self._input[needed - self._origin :]
            self._origin = needed
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


class PcmStream:
    """Turn mono 16-bit little-endian PCM at `rate_hz` into samples at `to_hz`, chunk by chunk."""

    def __init__(self, rate_hz: int, to_hz: int = RATE_HZ) -> None:
        self._resampler = Resampler(rate_hz, to_hz)
        self._half = b""

    @property
    def torn(self) -> bool:
        """Whether half a sample is left over."""
        return bool(self._half)

    def push(self, pcm: bytes) -> Samples:
        """Return what can be computed now; a chunk may end within a sample."""
        pcm = self._half + pcm
        whole = len(pcm) // 2 * 2
        self._half = pcm[whole:]
        return self._resampler.push(np.frombuffer(pcm[:whole], "<i2").astype(np.float32) / np.float32(32768))

    def flush(self) -> Samples:
        """Return the rest. The stream is over."""
        return self._resampler.flush()


def resample(samples: Samples, rate_hz: int) -> Samples:
    """Return a whole recording at 16 kHz."""
    resampler = Resampler(rate_hz)
    return np.concatenate((resampler.push(samples), resampler.flush()))


def _filter_bank(up: int, down: int) -> Samples:
    """Return one windowed-sinc filter per phase, shape (phases, taps); each passes a constant as is."""
    phases = min(up, _MAX_PHASES)
    cutoff = _ROLL_OFF * min(1.0, up / down)  # relative to the input's Nyquist frequency
    half = ceil(_ZERO_CROSSINGS / cutoff)
    offset = (np.arange(phases) + (0.0 if phases == up else 0.5)) / phases
    # Distance in input samples of every tap from the output's place.
    distance = np.arange(-half + 1, half + 1)[None, :] - offset[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None)))
    taps = np.sinc(cutoff * distance) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32)
