"""Hands-free listening: where commands end, how soon their text is there, and what ten minutes of noise cost.

    python tests/bench/listening.py [--minutes 10] [FOLDER ...]

Each FOLDER holds WAV files and a manifest.jsonl (see `bench/speech.py`). Every command is followed by
silence; one that was ended before its last voiced sound was cut short. That is counted at the pace of the
machine, sound by sound, since it depends on the samples alone; latencies are measured at the pace of a
microphone, on some of the clips. The noise is that of `tests/noises.py`, with silence between.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from noises import noises
from open_microphone import Microphone

import voice_kernel.listening as listening
from voice_kernel.handsfree import HandsFree
from voice_kernel.intents import Grammar
from voice_kernel.messages import TurnChanged
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.endpointing import Ended
from voice_kernel.speech.frames import FRAME_S
from voice_kernel.speech.local import LocalTranscriber
from voice_kernel.speech.transcriber import RATE_HZ, Recognition, Transcript
from voice_kernel.speech.vad import SpeechDetector

LEAD_S, TAIL_S = 0.6, 2.2
"""Silence before and after each command; after it more than the longest wait."""
PACED = 24
"""Clips that are played at the pace of a microphone."""
MAX_CUT, MAX_TEXT_MS, MAX_CPU, MAX_GROWTH_MB = 0.01, 100.0, 0.10, 20.0


@dataclass
class Observed:
    """What happened to the utterances of one stream, in seconds of `time.perf_counter`."""

    ends: list[tuple[float, Ended]] = field(default_factory=list)
    texts: list[tuple[float, Transcript]] = field(default_factory=list)


OBSERVED = Observed()


class ObservedHandsFree(HandsFree):
    """Tells when an end was decided, and when its text was there."""

    def _ended(self, event: Ended) -> None:
        OBSERVED.ends.append((time.perf_counter(), event))
        super()._ended(event)

    async def _transcript(self, recognition: Recognition) -> Transcript | None:
        transcript = await super()._transcript(recognition)
        if transcript is not None:
            OBSERVED.texts.append((time.perf_counter(), transcript))
        return transcript


@dataclass
class Command:
    file: str
    sound: np.ndarray
    ends_at_s: float
    """Its last voiced sound."""


def main(argv: Sequence[str]) -> int:
    """Print the figures; return 1 when one is out of its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("folders", nargs="*", type=Path)
    options = parser.parse_args(argv)
    folders = options.folders or [Path(__file__).parents[1] / "data" / "speech"]
    listening.HandsFree = ObservedHandsFree  # type: ignore[misc]  # it tells nobody else of its ends
    return asyncio.run(measure(folders, options.minutes))


async def measure(folders: Sequence[Path], minutes: float) -> int:
    engine = LocalTranscriber(threads=2)
    await engine.load()
    grammar = Grammar.shared()
    within, cut, count = [], 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for clips in folders:
            commands = read_commands(clips)
            print(f"{len(commands)} commands of {clips.name}, load {psutil.getloadavg()[0]:.1f}")
            cut += await cuts(engine, grammar, folder, commands)
            count += len(commands)
            within.append(await latencies(engine, grammar, folder, commands))
        share = cut / max(1, count)
        print(f"commands cut short: {cut} of {count} ({share:.1%})")
        within.append(verdict(share <= MAX_CUT, f"at most {MAX_CUT:.0%} of all commands cut short"))
        within.append(await noise(engine, grammar, folder, minutes))
    await engine.close()
    return 0 if all(within) else 1


def read_commands(folder: Path) -> list[Command]:
    detector = SpeechDetector()
    commands = []
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if not row["text"] or "read" in row.get("group", ""):
            continue
        samples = AudioClip.read(folder / row["file"]).samples
        quiet = np.random.default_rng(len(commands)).normal(0, 0.0007, len(samples) + int(2.8 * RATE_HZ))
        whole = quiet.astype(np.float32)
        start = round(LEAD_S * RATE_HZ)
        whole[start : start + len(samples)] += samples
        track = detector.track()
        track.push(whole)
        if not any(track.speech):
            continue
        last = len(track.speech) - track.speech[::-1].index(True)
        pcm = (np.clip(whole, -1, 1) * 32767).astype("<i2")
        commands.append(Command(row["file"], pcm, last * FRAME_S))
    return commands


async def fresh(engine: LocalTranscriber, grammar: Grammar, folder: Path) -> Microphone:
    OBSERVED.ends.clear()
    OBSERVED.texts.clear()
    microphone = Microphone(engine, folder, grammar)
    await microphone.open()
    return microphone


async def cuts(engine: LocalTranscriber, grammar: Grammar, folder: Path, commands: list[Command]) -> int:
    """Print how many commands were ended in the middle, and return that."""
    cut, waits = [], []
    for command in commands:
        microphone = await fresh(engine, grammar, folder)
        await microphone.hear(command.sound)
        ends = [event for _, event in OBSERVED.ends]
        await microphone.close()
        if len(ends) > 1 or any(event.last_speech * FRAME_S < command.ends_at_s - 0.1 for event in ends):
            cut.append(command.file)
        elif ends:
            waits.append(ends[0].frame * FRAME_S - command.ends_at_s)
    print(f"  cut short: {len(cut)} of {len(commands)} {' '.join(cut)}")
    print(f"  silence until the end was decided: {spread([w * 1000 for w in waits])} ms of sound")
    return len(cut)


async def latencies(
    engine: LocalTranscriber, grammar: Grammar, folder: Path, commands: list[Command]
) -> bool:
    """Print how soon the text is there, at the pace of a microphone."""
    decided, spoken, acted, first, gaps = [], [], [], [], []
    for command in commands[:: max(1, len(commands) // PACED)][:PACED]:
        microphone = await fresh(engine, grammar, folder)
        told: list[tuple[float, TurnChanged]] = []
        publish = microphone.publish
        microphone.publish = lambda message, publish=publish, told=told: (  # type: ignore[method-assign,misc]
            told.append((time.perf_counter(), message)),
            publish(message),
        )
        began = await microphone.play(command.sound)
        await microphone.ended()
        await microphone.close()
        if len(OBSERVED.ends) != 1 or not OBSERVED.texts:
            continue
        at, text_at = OBSERVED.ends[0][0], OBSERVED.texts[0][0]
        decided.append((text_at - at) * 1000)
        spoken.append((text_at - began - command.ends_at_s) * 1000)
        runs = [when for when, m in told if m.type == "task"]
        if runs:
            acted.append((runs[0] - text_at) * 1000)
        shown = partials(told)
        if shown:
            first.append((shown[0] - began - LEAD_S) * 1000)
            gaps += [(b - a) * 1000 for a, b in pairwise(shown)]
    print(
        f"  end decided to text:       {spread(decided)} ms   ({len(decided)} clips at a microphone's pace)"
    )
    print(f"  last voiced sound to text: {spread(spoken)} ms")
    print(f"  text to the act:           {spread(acted)} ms")
    print(f"  first partial after begin: {spread(first)} ms; between partials: {spread(gaps)} ms")
    return verdict(
        statistics.median(decided or [999]) <= MAX_TEXT_MS, f"end to text p50 at most {MAX_TEXT_MS:.0f} ms"
    )


def partials(told: list[tuple[float, Any]]) -> list[float]:
    """Return when the words on the screen changed while somebody spoke."""
    shown, text = [], ""
    for when, message in told:
        if message.type == "turn" and message.turn.partial:
            now = message.turn.text
        elif message.type == "speech":
            now = message.speech.heard
        else:
            continue
        if now and now != text:
            shown.append(when)
        text = now
    return shown


async def noise(engine: LocalTranscriber, grammar: Grammar, folder: Path, minutes: float) -> bool:
    """Print what listening to noise and music costs, and what came of it."""
    microphone = await fresh(engine, grammar, folder)
    process = psutil.Process()
    quiet = np.zeros(round(5 * RATE_HZ), np.float32)
    parts = [(name, samples) for name, samples in noises(6.0) if len(samples) > RATE_HZ]
    costs: dict[str, list[float]] = {}
    heard_s, number, rss_mb = 0.0, 0, 0.0
    while heard_s < minutes * 60:
        name, samples = parts[number % len(parts)]
        number += 1
        for kind, sound in ((name.split()[0], samples), ("silence", quiet)):
            pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")
            before = time.process_time()
            await microphone.hear(pcm)
            costs.setdefault(kind, []).append((time.process_time() - before) / (len(pcm) / RATE_HZ))
            heard_s += len(pcm) / RATE_HZ
        if not rss_mb and heard_s >= min(60.0, minutes * 15):
            rss_mb = process.memory_info().rss / 1e6
    growth_mb = process.memory_info().rss / 1e6 - rss_mb
    asked = sum(1 for turn in microphone.turns if turn.calls or turn.asks)
    await microphone.close()
    print(f"{heard_s / 60:.1f} minutes of noise, music and silence, load {psutil.getloadavg()[0]:.1f}")
    for kind, shares in sorted(costs.items(), key=lambda item: statistics.mean(item[1])):
        print(f"  {kind:10} {statistics.mean(shares):6.1%} of one core")
    print(
        f"  acts: {len(microphone.acts)}, turns: {len(microphone.turns)}, questions: {asked}; "
        f"memory after the first minute: {growth_mb:+.1f} MB"
    )
    silent = statistics.mean(costs["silence"])
    within = not microphone.acts and growth_mb <= MAX_GROWTH_MB and silent <= MAX_CPU
    return verdict(within, f"no act, no growth past {MAX_GROWTH_MB:.0f} MB, silence below {MAX_CPU:.0%}")


def spread(values: Sequence[float]) -> str:
    """Return median and 95th percentile."""
    if not values:
        return "none"
    return f"p50 {np.percentile(values, 50):5.0f}  p95 {np.percentile(values, 95):5.0f}"


def verdict(within: bool, budget: str) -> bool:
    print(f"  {'ok' if within else 'OUT OF BUDGET'}: {budget}")
    return within


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
