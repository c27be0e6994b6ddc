"""Speech beside plain faster-whisper: the same weights, threads, clips and machine, in turns.

    python tests/bench/speech.py [FOLDER]

FOLDER holds WAV files and a manifest.jsonl with a row per file: `file`, `text` (empty: no speech),
`group` (a name with "read" in it: read sentences), and `calls`, what the words ask for (missing or
empty: nothing may be done). Word errors are counted on both sides after the same normalisation.
Latency is from the end of the sound to the text, for sound that is in memory: the least of some
repetitions, medians over clips.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voice_kernel.context import Context
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import RATE_HZ
from voice_kernel.speech.weights import find_weights

THREADS = 2
SHORT_S = 3.0
MAX_RATIO_SHORT, MAX_RATIO_LONG = 0.5, 0.65
TIME_LIMIT_S = 200.0
"""Past this, clips are timed once and no more."""
STREAMED = 8
"""Clips that are also fed at the pace of a microphone."""


@dataclass
class Clip:
    """A row of the manifest, and what was made of it."""

    file: str
    group: str
    text: str
    calls: list[Any]
    sound: AudioClip
    ours: str = ""
    plain: str = ""
    session: str = ""
    ours_s: list[float] = field(default_factory=list)
    plain_s: list[float] = field(default_factory=list)


def main(argv: Sequence[str]) -> int:
    """Print the figures; return 1 when one is out of its budget."""
    folder = Path(argv[0]) if argv else Path(__file__).parent.parent / "data" / "speech"
    clips = read_manifest(folder)
    print(f"{len(clips)} clips of {folder.name}, {THREADS} threads, wall time")
    return asyncio.run(measure(clips))


async def measure(clips: list[Clip]) -> int:
    """Transcribe everything both ways and print the comparison."""
    from faster_whisper import WhisperModel

    began = time.perf_counter()
    engine = LocalTranscriber(threads=THREADS)
    await engine.load()
    print(f"load, hash check and first decode included: {time.perf_counter() - began:.2f} s")
    model = WhisperModel(str(find_weights().folder), device="cpu", compute_type="int8", cpu_threads=THREADS)

    def plain(sound: AudioClip) -> str:
        segments, _ = model.transcribe(sound.samples, beam_size=5, without_timestamps=True, language="en")
        return " ".join(segment.text.strip() for segment in segments)

    plain(clips[0].sound)  # first-call costs
    began = time.perf_counter()
    for clip in clips:
        for repetition in range(3 if len(clips) <= 60 else 2):
            if repetition and time.perf_counter() - began > TIME_LIMIT_S:
                break
            start = time.perf_counter()
            clip.plain = plain(clip.sound)
            clip.plain_s.append(time.perf_counter() - start)
            start = time.perf_counter()
            clip.ours = (await engine.transcribe(clip.sound)).text
            clip.ours_s.append(time.perf_counter() - start)
    within = [
        errors(clips),
        latency(clips),
        await understood(engine, clips),
        await noise(engine, plain, clips),
    ]
    await streamed(engine, clips[:: max(1, len(clips) // STREAMED)][:STREAMED])
    await engine.close()
    return 0 if all(within) else 1


# ---- what is compared -----------------------------------------------------------------------------


def errors(clips: list[Clip]) -> bool:
    """Print word error rates by group."""
    print(f"\n{'word errors':24}{'clips':>6}{'words':>7}{'plain':>9}{'ours':>9}")
    spoken = [c for c in clips if c.text]
    for group in sorted({c.group for c in spoken}):
        print_rate(group, [c for c in spoken if c.group == group])
    within = True
    for name, chosen in (
        ("all commands", [c for c in spoken if "read" not in c.group]),
        ("all reading", [c for c in spoken if "read" in c.group]),
    ):
        if chosen:
            plain, ours = print_rate(name, chosen)
            within = within and (ours <= plain if name == "all reading" else ours < plain or ours == 0)
    return verdict(within, "commands better than plain, reading not worse")


def print_rate(name: str, clips: list[Clip]) -> tuple[float, float]:
    """Print one line; return both rates."""
    words = sum(len(normalise(c.text)) for c in clips)
    plain = sum(distance(normalise(c.text), normalise(c.plain)) for c in clips) / words
    ours = sum(distance(normalise(c.text), normalise(c.ours)) for c in clips) / words
    print(f"{name:24}{len(clips):6}{words:7}{plain:9.1%}{ours:9.1%}")
    return plain, ours


def latency(clips: list[Clip]) -> bool:
    """Print median latencies and their ratio."""
    print(f"\n{'median time to text':24}{'clips':>6}{'plain':>10}{'ours':>10}{'ratio':>8}")
    within = True
    for name, limit, chosen in (
        (f"clips < {SHORT_S:.0f} s", MAX_RATIO_SHORT, [c for c in clips if c.sound.duration_s < SHORT_S]),
        (f"clips >= {SHORT_S:.0f} s", MAX_RATIO_LONG, [c for c in clips if c.sound.duration_s >= SHORT_S]),
    ):
        if chosen:
            plain = statistics.median(min(c.plain_s) for c in chosen)
            ours = statistics.median(min(c.ours_s) for c in chosen)
            within = within and ours <= limit * plain
            print(f"{name:24}{len(chosen):6}{plain * 1e3:7.0f} ms{ours * 1e3:7.0f} ms{ours / plain:8.2f}")
    return verdict(within, f"at most {MAX_RATIO_SHORT} and {MAX_RATIO_LONG} of plain")


async def understood(engine: LocalTranscriber, clips: list[Clip]) -> bool:
    """Print how many transcripts lead to the right calls, and how many to calls nobody asked for.

    `session` is the way of a spoken command: the recogniser may ask the grammar which of several likely
    readings means something.
    """
    from voice_kernel.intents import Grammar

    grammar = Grammar.load("en")

    def calls(text: str) -> list[tuple[str, dict[str, Any]]]:
        return [(c.tool, c.arguments) for c in grammar.parse(text, Context()).calls]

    def understands(text: str) -> bool:
        parse = grammar.parse(text, Context())
        return parse.route == "intents" and all(call.tool != "approve" for call in parse.calls)

    took: list[float] = []
    for clip in clips:
        start = time.perf_counter()
        clip.session = (await engine.transcribe(clip.sound, understands=understands)).text
        took.append(time.perf_counter() - start)
    print(f"\n{'commands understood':24}{'clips':>6}{'typed':>9}{'plain':>9}{'ours':>9}{'session':>9}")
    commands = [c for c in clips if c.calls]
    for group in sorted({c.group for c in commands}):
        chosen = [c for c in commands if c.group == group]
        right = [
            sum(agrees(c.calls, calls(getattr(c, field))) for c in chosen) / len(chosen)
            for field in ("text", "plain", "ours", "session")
        ]
        print(f"{group:24}{len(chosen):6}" + "".join(f"{rate:9.1%}" for rate in right))
    print(f"  session: median time to text {statistics.median(took) * 1e3:.0f} ms, one run")
    talk = [c for c in clips if not c.calls]
    acted = [c for c in talk if calls(c.session) or calls(c.ours)]
    print(f"{'acted on, not asked for':24}{len(talk):6}{len(acted):36}")
    for clip in acted:
        print(f"  {clip.file}: {clip.session!r} -> {calls(clip.session)}")
    return verdict(not acted, "nothing is done that nobody asked for")


async def noise(engine: LocalTranscriber, plain: Callable[[AudioClip], str], clips: list[Clip]) -> bool:
    """Print what silence and noise were taken for."""
    sounds = [*generated_noise(), *((c.file, c.sound) for c in clips if not c.text)]
    heard = [(name, (await engine.transcribe(sound)).text, plain(sound)) for name, sound in sounds]
    invented = [(name, text) for name, text, _ in heard if text]
    print(
        f"\nnoise and silence: {len(sounds)} clips, text from {len(invented)} "
        f"(plain: {sum(bool(text) for _, _, text in heard)})"
    )
    for name, text in invented:
        print(f"  {name}: {text!r}")
    return verdict(not invented, "no text from noise")


async def streamed(engine: LocalTranscriber, clips: list[Clip]) -> None:
    """Print the latency at the pace of a microphone, where reading ahead has its effect."""
    released, first = [], []
    for clip in clips:
        partials: list[float] = []
        start = time.perf_counter()
        recognition = engine.open(
            rate_hz=RATE_HZ, on_partial=lambda _, p=partials: p.append(time.perf_counter())
        )
        pcm = clip.sound.pcm
        for number, at in enumerate(range(0, len(pcm), 1280)):  # 40 ms
            await asyncio.sleep(max(0.0, start + (number + 1) * 0.04 - time.perf_counter()))
            recognition.feed(pcm[at : at + 1280])
        released.append((await recognition.finish()).latency_s)
        first += [partials[0] - start] if partials else []
    print(
        f"\n{len(clips)} clips at the pace of a microphone: text "
        f"{statistics.median(released) * 1e3:.0f} ms after release (median), worst "
        f"{max(released) * 1e3:.0f} ms; first words {statistics.median(first or [0]):.2f} s into the clip"
    )


def verdict(within: bool, budget: str) -> bool:
    """Print whether a budget is kept."""
    print(f"  {'ok' if within else 'OUT OF BUDGET'}: {budget}")
    return within


# ---- clips and noise ------------------------------------------------------------------------------


def read_manifest(folder: Path) -> list[Clip]:
    """Return the clips of a folder."""
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines() if line]
    return [
        Clip(
            row["file"],
            row.get("group", "clips"),
            row.get("text", ""),
            row.get("calls", []),
            AudioClip.read(folder / row["file"]),
        )
        for row in rows
    ]


def generated_noise() -> list[tuple[str, AudioClip]]:
    """Return three seconds each of what a microphone hears when nobody speaks."""
    random = np.random.default_rng(7)
    count = 3 * RATE_HZ
    t = np.arange(count) / RATE_HZ
    white = random.normal(0, 1, count)
    spectrum = np.fft.rfft(random.normal(0, 1, count))
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20)), count)
    brown = np.fft.irfft(spectrum / np.maximum(hertz, 20), count)
    pink, brown = pink / pink.std(), brown / brown.std()
    hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5))
    clicks = np.zeros(count)
    for at in random.integers(0, count - 200, 30):
        clicks[at : at + 200] += random.normal(0, 1, 200) * np.exp(-np.arange(200) / 30)
    notes = np.repeat(2.0 ** (random.integers(0, 24, 12) / 12), count // 12) * 220
    melody = sum(np.sin(2 * np.pi * np.cumsum(notes) * k / RATE_HZ) / k for k in (1, 2, 3, 4))
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6))
    gusts = pink * (0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * t)) ** 2
    typing = np.zeros(count)
    for at in range(0, count - 1600, RATE_HZ // 6):
        typing[at : at + 1600] += random.normal(0, 1, 1600) * np.exp(-np.arange(1600) / 120)
    siren = np.sin(2 * np.pi * np.cumsum(700 + 300 * np.sin(2 * np.pi * 0.5 * t)) / RATE_HZ)
    kinds = {
        "white": white, "pink": pink, "brown": brown, "hum": hum, "clicks": clicks, "melody": melody,
        "chord": chord, "gusts": gusts, "typing": typing, "siren": siren,
    }  # fmt: skip
    made = [("silence", np.zeros(count)), ("zero-length", np.zeros(1))]
    for name, sound in kinds.items():
        made += [(f"{name} {level}", sound * level) for level in (0.003, 0.03, 0.3)]
    return [(name, AudioClip(np.clip(sound, -1, 1).astype(np.float32))) for name, sound in made]


# ---- words ----------------------------------------------------------------------------------------

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: n for n, word in enumerate(_NUMBERS.split())}
NUMBERS |= {word: 20 + 10 * n for n, word in enumerate(_TENS.split())}
_TENS_DIGITS = {str(NUMBERS[word]) for word in _TENS.split()}


def normalise(text: str) -> list[str]:
    """Return the words as they sound: no case, no punctuation, numbers as digits, signs as words."""
    text = text.casefold().replace("’", "'").replace("'", "")
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    text = re.sub(r"(?<=\w)\.(?=\w)", " dot ", text)
    text = re.sub(r"--", " dash dash ", text)
    text = re.sub(r"/", " slash ", text)
    text = re.sub(r":(?=\d)", " colon ", text)
    words: list[str] = []
    for word in re.sub(r"[^\w\s]|_", " ", text).split():
        if word not in NUMBERS:
            words.append(word)
        elif words and words[-1] in _TENS_DIGITS and 0 < NUMBERS[word] < 10:
            words[-1] = str(int(words[-1]) + NUMBERS[word])
        else:
            words.append(str(NUMBERS[word]))
    return words


def distance(said: list[str], heard: list[str]) -> int:
    """Return the least number of words to insert, delete or replace."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row = row, [i]
        for j, other in enumerate(heard, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (word != other)))
    return row[-1]


def agrees(expected: list[Any], calls: list[tuple[str, dict[str, Any]]]) -> bool:
    """Return whether the calls are the expected ones; only listed arguments count, without case."""
    return len(expected) == len(calls) and all(
        tool == wanted[0]
        and all(str(arguments.get(k)).casefold() == str(v).casefold() for k, v in wanted[1].items())
        for wanted, (tool, arguments) in zip(expected, calls, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
