"""Speech: every recogniser that is installed on the same clips, in the same run.

    python tests/bench/speech.py [FOLDER ...] [--engines local,faster-whisper,...] [--quick]

A FOLDER holds WAV files and a manifest.jsonl with a row per file: `file`, `text` (empty: no speech),
`group` (a name with "read" in it: read sentences), and `calls`, what the words ask for (missing or empty:
nothing may be done). `language` in a folder's `context.json` says what is spoken, if not English.
Printed for each recogniser: word errors and commands understood by group of voices,
what was done that nobody asked for (clips that are no command, and the noises of tests/noises.py), time to
text and to action, partial texts at the pace of a microphone, CPU seconds a second of sound, memory.

Latencies are wall time; recognisers take turns on each clip, so that a load falls on all of them. CPU and
memory are measured in a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

import ears
import numpy as np
import results
from noises import noises
from scoring import agrees, percentile, word_error_rate

from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import understanding
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.transcriber import RATE_HZ

HERE = Path(__file__).parent
THREADS = 2
LEAST_RIGHT = 0.9
"""Commands of clear speech that must lead to the right tool with the right arguments."""
LEAST_RIGHT_ELSEWHERE = 0.85
"""The same in other languages than English: the multilingual model of that size knows each less well."""
MAX_RATIO = 0.5
"""Key release to text, and clips under 3 s that are in memory, against plain faster-whisper."""
MAX_RATIO_LONG, SHORT_S = 0.65, 3.0
STREAMED = 16
"""Clips that are also fed at the pace of a microphone."""
RELEASED_S = 0.1
"""After the last sound, the key is let go."""
SECOND_S = 120.0
"""Past this, clips are timed once and no more."""
OURS, PLAIN = "local", "faster-whisper"


@dataclass
class Clip:
    """A row of a manifest, and what was made of it."""

    file: str
    group: str
    text: str
    calls: list[Any]
    sound: AudioClip
    heard: dict[str, str] = field(default_factory=dict)
    took_s: dict[str, float] = field(default_factory=dict)
    """The least time to the text, by recogniser."""
    act_s: dict[str, float] = field(default_factory=dict)
    """From the text to the plan."""


Calls = list[tuple[str, dict[str, Any]]]


def main(argv: Sequence[str]) -> int:
    """Print the figures; return 1 when one is out of its budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE.parent / "data" / "speech"])
    parser.add_argument("--engines", default="", help="comma-separated; all that are installed by default")
    parser.add_argument("--quick", action="store_true", help="each clip once, few noises, no streaming")
    parser.add_argument("--misses", action="store_true", help="print what each miss was heard as")
    parser.add_argument("--footprint", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.footprint:
        return asyncio.run(footprint(options.footprint, options.folders))
    language = read_language(options.folders)
    names = options.engines.split(",") if options.engines else ears.installed(language)
    clips = [clip for folder in options.folders for clip in read_manifest(folder)]
    where = ", ".join(folder.name for folder in options.folders)
    print(f"{len(clips)} clips of {where} ({language}), {THREADS} threads, load {os.getloadavg()[0]:.1f}")
    return asyncio.run(measure(clips, names, read_context(options.folders), language, options))


async def measure(clips: list[Clip], names: list[str], context: Context, language: str, options: Any) -> int:
    """Let every recogniser hear everything, and print the comparison."""
    grammar = Grammar.load(language)

    def act(text: str) -> Calls:
        return [(call.tool, dict(call.arguments)) for call in grammar.parse(text, context).calls]

    made: list[ears.Ear] = []
    for name in names:
        rate = understanding(grammar, context)
        ear = ears.make(name, threads=THREADS, understands=rate, context=context, language=language)
        began = time.perf_counter()
        await ear.load()
        await ear.hear(clips[0].sound)  # first-call costs
        print(f"  {name}: ready in {time.perf_counter() - began:.2f} s")
        made.append(ear)

    began = time.perf_counter()
    for clip in clips:
        for repetition in range(1 if options.quick else 2):
            if repetition and time.perf_counter() - began > SECOND_S:
                break
            for ear in made:
                if repetition and ear.name not in (OURS, PLAIN):
                    continue
                start = time.perf_counter()
                text = clip.heard[ear.name] = await ear.hear(clip.sound)
                took = time.perf_counter() - start
                act(text)
                clip.took_s[ear.name] = min(took, clip.took_s.get(ear.name, took))
                clip.act_s[ear.name] = time.perf_counter() - start - took
    figures: dict[str, Any] = {name: {} for name in names}
    within = [
        word_errors(clips, names, figures),
        commands(
            clips,
            names,
            act,
            figures,
            least=LEAST_RIGHT if language == "en" else LEAST_RIGHT_ELSEWHERE,
            misses=options.misses,
        ),
        await false_accepts(clips, made, act, figures, every=6 if options.quick else 1),
        latency(clips, names, figures),
    ]
    if not options.quick:
        within.append(await streamed(made, clips, act, figures))
    for ear in made:
        await ear.close()
    footprints(names, options.folders, figures)
    results.keep(
        "speech" if language == "en" else f"speech-{language}", {"clips": len(clips), "engines": figures}
    )
    return 0 if all(within) else 1


# ---- what is compared -----------------------------------------------------------------------------


def word_errors(clips: list[Clip], names: list[str], figures: dict[str, Any]) -> bool:
    """Print word error rates by group."""
    header("word errors", names, "words")
    spoken = [clip for clip in clips if clip.text]
    groups = {group: [c for c in spoken if c.group == group] for group in sorted({c.group for c in spoken})}
    groups["all commands"] = [c for c in spoken if "read" not in c.group]
    groups["all reading"] = [c for c in spoken if "read" in c.group]
    for group, chosen in groups.items():
        if not chosen:
            continue
        rates = [word_error_rate((clip.text, clip.heard[name]) for clip in chosen) for name in names]
        row(group, sum(len(c.text.split()) for c in chosen), rates, "{:.1%}")
        for name, rate in zip(names, rates, strict=True):
            figures[name].setdefault("word_errors", {})[group] = round(rate, 4)
    if not {OURS, PLAIN} <= set(names):
        return True
    ours, plain = figures[OURS]["word_errors"], figures[PLAIN]["word_errors"]
    within = all(ours[group] <= plain[group] for group in ("all commands", "all reading") if group in ours)
    return verdict(within, "ours no worse than plain, on commands and on reading")


def commands(
    clips: list[Clip],
    names: list[str],
    act: Callable[[str], Calls],
    figures: dict[str, Any],
    *,
    least: float,
    misses: bool,
) -> bool:
    """Print how many commands lead to the right tool with the right arguments."""
    chosen = [clip for clip in clips if clip.calls]
    if not chosen:
        return True
    header("commands understood", ["typed", *names], "clips")
    for group in [*sorted({clip.group for clip in chosen}), "all"]:
        these = [clip for clip in chosen if group in (clip.group, "all")]
        typed = statistics.mean(agrees(clip.calls, act(clip.text)) for clip in these)
        rates = [statistics.mean(agrees(c.calls, act(c.heard[name])) for c in these) for name in names]
        row(group, len(these), [typed, *rates], "{:.1%}")
        for name, rate in zip(names, rates, strict=True):
            figures[name].setdefault("commands", {})[group] = round(rate, 4)
    if misses:
        for clip in chosen:
            if not agrees(clip.calls, act(clip.heard[names[0]])):
                print(f"    {clip.file}: {clip.text!r} -> {clip.heard[names[0]]!r}")
    within = figures[names[0]]["commands"]["all"] >= least
    return verdict(within, f"{names[0]}: at least {least:.0%}")


async def false_accepts(
    clips: list[Clip], made: list[ears.Ear], act: Callable[[str], Calls], figures: dict[str, Any], every: int
) -> bool:
    """Print what was done, and heard, where nobody asked for anything."""
    names = [ear.name for ear in made]
    talk = [clip for clip in clips if not clip.calls]
    sounds = noises()
    header("where nothing may be done", names, "clips")
    acted = {name: [clip for clip in talk if act(clip.heard[name])] for name in names}
    row("acted on speech", len(talk), [len(acted[name]) for name in names], "{}")
    texts: list[int] = []
    actions: list[int] = []
    counts: list[int] = []
    for ear in made:
        # Others invent long texts from noise, and take seconds for each: a part of the noises must do.
        chosen = sounds[:: every if ear.name.startswith(OURS) else max(every, 3)]
        heard = [(name, await ear.hear(AudioClip(samples))) for name, samples in chosen]
        counts.append(len(chosen))
        texts.append(sum(bool(text.strip()) for _, text in heard))
        actions.append(sum(bool(act(text)) for _, text in heard))
        figures[ear.name]["false_accepts"] = {
            "speech": len(acted[ear.name]), "speech_clips": len(talk), "noise": actions[-1],
            "noise_texts": texts[-1], "noise_clips": len(chosen),
        }  # fmt: skip
    row("noises heard", max(counts), counts, "{}")
    row("text from noise", max(counts), texts, "{}")
    row("acted on noise", max(counts), actions, "{}")
    for clip in acted[names[0]]:
        print(f"    {clip.file}: {clip.heard[names[0]]!r} -> {act(clip.heard[names[0]])}")
    return verdict(not acted[names[0]] and not actions[0], f"{names[0]}: nothing is done unasked")


def latency(clips: list[Clip], names: list[str], figures: dict[str, Any]) -> bool:
    """Print the time from the end of the sound to the text and to the plan, for clips in memory."""
    header("end of speech to text, ms", names, "clips")
    within = True
    spans = ((f"under {SHORT_S:.0f} s", 0.0, SHORT_S, MAX_RATIO), ("longer", SHORT_S, 1e9, MAX_RATIO_LONG))
    for label, least, most, limit in spans:
        chosen = [clip for clip in clips if clip.text and least <= clip.sound.duration_s < most]
        if not chosen:
            continue
        for share, which in ((0.5, "p50"), (0.95, "p95")):
            times = [percentile([clip.took_s[name] for clip in chosen], share) for name in names]
            row(f"{label}, {which}", len(chosen), [time * 1e3 for time in times], "{:.0f}")
            if which == "p50" and {OURS, PLAIN} <= set(names):
                within = within and times[names.index(OURS)] <= limit * times[names.index(PLAIN)]
    acts = [statistics.median(clip.act_s[name] for clip in clips) * 1e3 for name in names]
    row("text to plan, p50", len(clips), acts, "{:.1f}")
    for name in names:
        took = [clip.took_s[name] for clip in clips if clip.text]
        figures[name]["text_ms"] = [round(percentile(took, share) * 1e3) for share in (0.5, 0.95)]
        done = [clip.took_s[name] + clip.act_s[name] for clip in clips if clip.text]
        figures[name]["action_ms"] = [round(percentile(done, share) * 1e3) for share in (0.5, 0.95)]
    return verdict(within, f"ours at most {MAX_RATIO} and {MAX_RATIO_LONG} of plain")


async def streamed(
    made: list[ears.Ear], clips: list[Clip], act: Callable[[str], Calls], figures: dict[str, Any]
) -> bool:
    """Print what happens at the pace of a microphone: partial texts, and the time after the key is let go."""
    spoken = [clip for clip in clips if clip.calls and clip.sound.duration_s < 6]
    chosen = spoken[:: max(1, len(spoken) // STREAMED)][:STREAMED]
    ports = [ear for ear in made if isinstance(ear, ears.Port) and ear.name == OURS]
    if not ports or not chosen:
        return True
    plain = [ear for ear in made if ear.name == PLAIN]
    first: list[float] = []
    gaps: list[float] = []
    text_s: list[float] = []
    action_s: list[float] = []
    plain_s: list[float] = []
    for clip in chosen:
        onset, end = voiced_s(clip.sound)
        # The key is let go a moment after the last sound: what waits in the file would hide the work.
        pcm = clip.sound.pcm[: round((end + RELEASED_S) * RATE_HZ) * 2]
        partials: list[float] = []
        start = time.perf_counter()
        recognition = ports[0].open(RATE_HZ, stamper(partials))
        for number, at in enumerate(range(0, len(pcm), 1280)):  # 40 ms
            await asyncio.sleep(max(0.0, start + (number + 1) * 0.04 - time.perf_counter()))
            recognition.feed(pcm[at : at + 1280])
        released = time.perf_counter()
        heard = await recognition.finish()
        text_s.append(time.perf_counter() - released)
        act(heard.text)
        action_s.append(time.perf_counter() - released)
        first += [partials[0] - start - onset] if partials else []
        gaps += [b - a for a, b in itertools.pairwise(partials)]
        for ear in plain:
            began = time.perf_counter()
            await ear.hear(clip.sound)
            plain_s.append(time.perf_counter() - began)
    print(f"\nat the pace of a microphone: {len(chosen)} clips under 6 s")
    print(f"  first words          {statistics.median(first or [0]):.2f} s after speech begins (median)")
    print(f"  between two partials {statistics.median(gaps or [0]):.2f} s (median)")
    for label, times in (("key release to text", text_s), ("key release to action", action_s)):
        half, most = percentile(times, 0.5) * 1e3, percentile(times, 0.95) * 1e3
        print(f"  {label:22} p50 {half:.0f} ms, p95 {most:.0f} ms")
    figures[OURS]["streamed_ms"] = {
        "first_words": round(statistics.median(first or [0]) * 1e3),
        "partials": round(statistics.median(gaps or [0]) * 1e3),
        "text": [round(percentile(text_s, share) * 1e3) for share in (0.5, 0.95)],
        "action": [round(percentile(action_s, share) * 1e3) for share in (0.5, 0.95)],
    }
    if not plain_s:
        return True
    ratio = percentile(text_s, 0.5) / percentile(plain_s, 0.5)
    figures[OURS]["streamed_ms"]["plain"] = [round(percentile(plain_s, share) * 1e3) for share in (0.5, 0.95)]
    print(f"  plain faster-whisper   p50 {percentile(plain_s, 0.5) * 1e3:.0f} ms: ratio {ratio:.2f}")
    return verdict(ratio <= MAX_RATIO, f"at most {MAX_RATIO} of plain")


def stamper(times: list[float]) -> Callable[[str], None]:
    """Return a listener to partial texts that notes when they come."""
    return lambda _: times.append(time.perf_counter())


def footprints(names: list[str], folders: list[Path], figures: dict[str, Any]) -> None:
    """Print CPU and memory of each recogniser, in a process of its own."""
    header("footprint", names, "")
    found: list[dict[str, float]] = []
    for name in names:
        command = [sys.executable, __file__, "--footprint", name, *map(str, folders)]
        run = subprocess.run(command, capture_output=True, text=True)
        found.append(json.loads(run.stdout.splitlines()[-1]) if run.returncode == 0 else {})
        figures[name] |= found[-1]
    row("CPU s a second of sound", 0, [each.get("cpu_per_s", 0.0) for each in found], "{:.2f}")
    row("memory, MB", 0, [each.get("rss_mb", 0.0) for each in found], "{:.0f}")


async def footprint(name: str, folders: list[Path]) -> int:
    """Hear some clips and print what it cost, as JSON."""
    clips = [clip for folder in folders for clip in read_manifest(folder)]
    language = read_language(folders)
    rate = understanding(Grammar.load(language), Context())
    ear = ears.make(name, threads=THREADS, understands=rate, language=language)
    await ear.load()
    await ear.hear(clips[0].sound)
    began, heard_s = time.process_time(), 0.0
    for clip in clips[:: max(1, len(clips) // 16)]:
        await ear.hear(clip.sound)
        heard_s += clip.sound.duration_s
    cpu = (time.process_time() - began) / heard_s
    await ear.close()
    print(json.dumps({"cpu_per_s": round(cpu, 3), "rss_mb": peak_mb()}))
    return 0


def peak_mb() -> int:
    """Return the most memory that this process has had (Linux; `ru_maxrss` would tell the parent's)."""
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    return round(int(peak[1]) / 1024) if peak else 0


# ---- tables ---------------------------------------------------------------------------------------


def header(title: str, names: list[str], count: str) -> None:
    """Print the first line of a table."""
    print(f"\n{title:28}{count:>6}" + "".join(f"{name:>17}" for name in names))


def row(title: str, count: int, values: Sequence[float], form: str) -> None:
    """Print a line of a table."""
    print(
        f"{title:28}{count or '':>6}" + "".join(f"{form.format(value):>17}" for value in values), flush=True
    )


def verdict(within: bool, budget: str) -> bool:
    """Print whether a budget is kept."""
    print(f"  {'ok' if within else 'OUT OF BUDGET'}: {budget}")
    return within


# ---- clips ----------------------------------------------------------------------------------------


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


def read_context(folders: list[Path]) -> Context:
    """Return the names that exist around the clips: `context.json` of the first folder that has one.

    Its keys: `variables` (name -> columns), `files`, `tests`, `servers`, `words`.
    """
    for folder in folders:
        file = folder / "context.json"
        if file.exists():
            known = json.loads(file.read_text("utf-8"))
            variables = tuple(
                Variable(name, "DataFrame" if columns else "object", columns=tuple(columns))
                for name, columns in known.get("variables", {}).items()
            )
            return Context(
                variables=variables,
                files=tuple(known.get("files", ())),
                tests=tuple(known.get("tests", ())),
                servers=tuple(known.get("servers", ())),
                words=tuple(known.get("words", ())),
            )
    return Context()


def read_language(folders: list[Path]) -> str:
    """Return what is spoken, ISO 639-1: `language` in the first `context.json` that says so."""
    for folder in folders:
        file = folder / "context.json"
        if file.exists() and (language := json.loads(file.read_text("utf-8")).get("language")):
            return str(language)
    return "en"


def voiced_s(clip: AudioClip) -> tuple[float, float]:
    """Return when the sound first and last rises above a twentieth of its loudest 20 ms."""
    frames = clip.samples[: len(clip.samples) // 320 * 320].reshape(-1, 320)
    power = np.sqrt((frames**2).mean(axis=1))
    loud = np.flatnonzero(power > power.max() / 20)
    return float(loud[0]) * 0.02, float(loud[-1] + 1) * 0.02


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
