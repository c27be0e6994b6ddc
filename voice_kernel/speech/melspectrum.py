"""What Whisper sees of a sound: a log-mel spectrum, one column every 10 ms.

Own code rather than faster-whisper's, whose import brings PyAV and the Hugging Face client along
(0.15 s and 40 MB) for these few lines.

Source: OpenAI Whisper (MIT), whose training fixed every number here; Slaney's mel scale.
"""

from __future__ import annotations

import numpy as np

from voice_kernel.speech.resampling import Samples
from voice_kernel.speech.transcriber import RATE_HZ

HOP = 160
"""Samples between two columns: 10 ms."""
_WINDOW = 400


class MelSpectrum:
    """Computes spectra with a fixed number of mel bands (80, or 128 for large-v3)."""

    def __init__(self, bands: int = 80) -> None:
        self.bands = bands
        self._filters = _mel_filters(bands)
        self._window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)

    def __call__(self, samples: Samples, columns: int) -> Samples:
        """Return the spectrum of `samples`, padded with silence or cut to `columns`.

        Returns:
            float32, shape (bands, columns), C-contiguous.
        """
        length = columns * HOP
        sound = np.zeros(length + _WINDOW, np.float32)
        half = _WINDOW // 2
        used = min(len(samples), length)
        sound[half : half + used] = samples[:used]
        # The ends are mirrored, as in training; beyond a padded end there is silence anyway.
        sound[:half] = sound[half + 1 : _WINDOW + 1][::-1]
        sound[length + half :] = sound[length - 1 : length + half - 1][::-1]
        frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[:length:HOP]
        power = np.abs(np.fft.rfft(frames * self._window, axis=1)).astype(np.float32) ** 2
        spectrum = np.log10(np.maximum(self._filters @ power.T, 1e-10))
        spectrum = np.maximum(spectrum, spectrum.max() - 8.0)
        return np.ascontiguousarray((spectrum + 4.0) / 4.0, np.float32)


def _mel_filters(bands: int) -> Samples:
    """Return triangular filters of equal area on Slaney's mel scale, shape (bands, 201)."""
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ)
    # Slaney: linear up to 1 kHz (15 mel), then 27 steps for a factor of 6.4.
    mels = np.linspace(0, 15 + 27 * np.log(RATE_HZ / 2 / 1000) / np.log(6.4), bands + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    lower, centre, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower)
    return np.asarray(triangles, np.float32)
