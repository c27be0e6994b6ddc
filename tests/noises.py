"""Sound in which nobody speaks to the computer: hum, hiss, babble, clicks, music. The same at every call.

Everything is made from one seed. Babble is made of many voices at once, each a train of glottal pulses
through moving formants: it has the rhythm and the spectrum of speech, and no words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
SEED = 20261122
LEVELS = (0.01, 0.05, 0.25)
"""Root mean square of the noises, full scale being 1: a quiet room, a loud one, beside the machine."""

Samples = NDArray[np.float32]
Wave = NDArray[np.float64]


def noises(seconds: float = 3.0, seed: int = SEED) -> list[tuple[str, Samples]]:
    """Return named noises, every kind at every level: mono, 16 kHz, float."""
    made: list[tuple[str, Samples]] = [
        ("silence", np.zeros(round(seconds * RATE_HZ), np.float32)),
        ("zero-length", np.zeros(1, np.float32)),
    ]
    for number, (name, make) in enumerate(KINDS.items()):
        for level_number, level in enumerate(LEVELS):
            random = np.random.default_rng((seed, number, level_number))  # no kind depends on another
            wave = make(random, round(seconds * RATE_HZ))
            scale = level / max(float(np.sqrt(np.mean(wave**2))), 1e-9)
            made.append((f"{name} {level}", np.clip(wave * scale, -1, 1).astype(np.float32)))
    return made


def _time(count: int) -> Wave:
    return np.arange(count) / RATE_HZ


def _coloured(random: np.random.Generator, count: int, power: float) -> Wave:
    spectrum = np.fft.rfft(random.normal(0, 1, count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE_HZ), 20)
    return np.fft.irfft(spectrum / hertz**power, count)


def _white(random: np.random.Generator, count: int) -> Wave:
    return random.normal(0, 1, count)


def _pink(random: np.random.Generator, count: int) -> Wave:
    return _coloured(random, count, 0.5)


def _brown(random: np.random.Generator, count: int) -> Wave:
    return _coloured(random, count, 1.0)


def _hum(random: np.random.Generator, count: int) -> Wave:
    base = float(random.choice([50.0, 60.0]))
    t = _time(count)
    return sum((np.sin(2 * np.pi * base * k * t + random.uniform(0, 6)) / k for k in (1, 2, 3, 5, 7)), t * 0)


def _fan(random: np.random.Generator, count: int) -> Wave:
    blades = 1 + 0.4 * np.sin(2 * np.pi * random.uniform(20, 40) * _time(count))
    return _coloured(random, count, 0.7) * blades


def _bursts(random: np.random.Generator, count: int, every_s: float, length: int, decay: float) -> Wave:
    wave = np.zeros(count)
    at = 0.0
    while True:
        at += random.exponential(every_s)
        start = int(at * RATE_HZ)
        if start + length >= count:
            return wave + 1e-6
        wave[start : start + length] += random.normal(0, 1, length) * np.exp(-np.arange(length) / decay)


def _clicks(random: np.random.Generator, count: int) -> Wave:
    return _bursts(random, count, 0.15, 200, 30)


def _typing(random: np.random.Generator, count: int) -> Wave:
    return _bursts(random, count, 0.12, 1600, 120) + 0.5 * _bursts(random, count, 0.12, 800, 60)


def _knocks(random: np.random.Generator, count: int) -> Wave:
    wave = np.zeros(count)
    for start in random.integers(0, max(1, count - 2400), 8):
        t = np.arange(2400) / RATE_HZ
        wave[start : start + 2400] += np.sin(2 * np.pi * random.uniform(90, 220) * t) * np.exp(-t * 40)
    return wave


def _paper(random: np.random.Generator, count: int) -> Wave:
    rustle: Wave = np.abs(_coloured(random, count, 0.9))
    hiss: Wave = np.diff(random.normal(0, 1, count + 1))
    wave: Wave = hiss * (rustle / rustle.max()) ** 2
    return wave


def _gusts(random: np.random.Generator, count: int) -> Wave:
    return _pink(random, count) * (0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(0.4, 1) * _time(count))) ** 2


def _rain(random: np.random.Generator, count: int) -> Wave:
    return 0.3 * _white(random, count) + _bursts(random, count, 0.02, 60, 12)


def _siren(random: np.random.Generator, count: int) -> Wave:
    swing = 700 + 300 * np.sin(2 * np.pi * random.uniform(0.3, 0.8) * _time(count))
    return np.sin(2 * np.pi * np.cumsum(swing) / RATE_HZ)


def _beeps(random: np.random.Generator, count: int) -> Wave:
    t = _time(count)
    return np.sin(2 * np.pi * random.uniform(800, 2000) * t) * (np.sin(2 * np.pi * 2 * t) > 0.3)


def _note(hertz: float, count: int) -> Wave:
    t = _time(count)
    tone = sum((np.sin(2 * np.pi * hertz * k * t) / k for k in (1, 2, 3, 4)), t * 0)
    return tone * np.minimum(t * 50, 1) * np.exp(-t * 3)


def _melody(random: np.random.Generator, count: int) -> Wave:
    length = count // 12
    notes = 220 * 2.0 ** (random.integers(0, 24, 12) / 12)
    wave = np.concatenate([_note(float(hertz), length) for hertz in notes])
    return np.pad(wave, (0, count - len(wave)))


def _chords(random: np.random.Generator, count: int) -> Wave:
    length = count // 4
    pieces = []
    for root in 110 * 2.0 ** (random.integers(0, 12, 4) / 12):
        pieces.append(
            sum((_note(float(root * ratio), length) for ratio in (1, 1.26, 1.5, 2)), np.zeros(length))
        )
    wave = np.concatenate(pieces)
    return np.pad(wave, (0, count - len(wave)))


def _drums(random: np.random.Generator, count: int) -> Wave:
    wave = _bursts(random, count, 0.12, 900, 80) * 0.4
    for start in range(0, count - 4000, RATE_HZ // 2):
        t = np.arange(4000) / RATE_HZ
        wave[start : start + 4000] += np.sin(2 * np.pi * (60 + 80 * np.exp(-t * 30)) * t) * np.exp(-t * 12)
    return wave


def _song(random: np.random.Generator, count: int) -> Wave:
    return _melody(random, count) + 0.7 * _chords(random, count) + 0.5 * _drums(random, count)


def _voice(random: np.random.Generator, count: int) -> Wave:
    """Return one babbler: pulses at a wandering pitch, through two formants that move, in syllables."""
    t = _time(count)
    pitch = random.uniform(90, 230) * (1 + 0.15 * np.sin(2 * np.pi * random.uniform(0.3, 1.2) * t))
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE_HZ), prepend=0.0) + 0.02 * random.normal(0, 1, count)
    wave = np.zeros(count)
    block = RATE_HZ // 50
    for low, high in ((300, 800), (900, 2300)):
        centre = random.uniform(low, high)
        y1 = y2 = 0.0
        for start in range(0, count, block):
            centre = float(np.clip(centre + random.normal(0, (high - low) / 8), low, high))
            r = np.exp(-np.pi * 90 / RATE_HZ)
            a1, a2 = 2 * r * np.cos(2 * np.pi * centre / RATE_HZ), -r * r
            for at in range(start, min(count, start + block)):
                y1, y2 = pulses[at] + a1 * y1 + a2 * y2, y1
                wave[at] += y1
    syllables = np.maximum(0, np.sin(2 * np.pi * random.uniform(2.5, 4.5) * t + random.uniform(0, 6))) ** 0.7
    return wave * syllables


def _babble(random: np.random.Generator, count: int) -> Wave:
    return sum((_voice(random, count) for _ in range(4)), np.zeros(count))


def _crowd(random: np.random.Generator, count: int) -> Wave:
    return sum((_voice(random, count) for _ in range(8)), np.zeros(count)) + 0.3 * _pink(random, count)


def _mumble(random: np.random.Generator, count: int) -> Wave:
    """Return one voice behind a wall."""
    spectrum = np.fft.rfft(_voice(random, count))
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    return np.fft.irfft(spectrum / (1 + (hertz / 350) ** 4), count)


KINDS = {
    "white": _white, "pink": _pink, "brown": _brown, "hum": _hum, "fan": _fan, "clicks": _clicks,
    "typing": _typing, "knocks": _knocks, "paper": _paper, "gusts": _gusts, "rain": _rain, "siren": _siren,
    "beeps": _beeps, "melody": _melody, "chords": _chords, "drums": _drums, "song": _song,
    "babble": _babble, "crowd": _crowd, "mumble": _mumble,
}  # fmt: skip
"""What a microphone hears; each is a function of (random, number of samples)."""
