"""Names of real data-science code, spoken by two voices: how many are understood.

    python tests/bench/identifiers.py [--count N] [--misses]
    python tests/bench/identifiers.py --draw        # draw them anew from the installed packages

`tests/data/speech/identifiers.jsonl` holds what was drawn: 40 names that are spoken, and 160 more that are
in the notebook beside them, so that there is something to confuse them with. A name counts as right when
the tool call has it letter by letter. hibari-tts and espeak-ng speak; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import collections
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import ears
import numpy as np
import results

from voice_kernel.context import Context, Variable
from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import understanding
from voice_kernel.speech.clip import AudioClip

DRAWN = Path(__file__).parents[1] / "data" / "speech" / "identifiers.jsonl"
SEED = 6
SPOKEN = {"variable": 24, "column": 8, "file": 8}
BESIDE = {"variable": 96, "column": 32, "file": 32}
PACKAGES = ("pandas/core", "pandas/tests", "matplotlib", "numpy/lib", "emcee", "polars", "distributed")
SENTENCES = {"variable": "show {}", "column": "plot {}", "file": "run the tests in {}"}
LEAST = 0.85
THREADS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--misses", action="store_true", help="print what was heard for each miss")
    options = parser.parse_args()
    if options.draw:
        DRAWN.write_text("".join(json.dumps(row) + "\n" for row in draw()), "utf-8")
        return 0
    return asyncio.run(measure(options.count, options.misses))


# ---- what is spoken -------------------------------------------------------------------------------


def draw() -> Iterator[dict[str, Any]]:
    """Yield names drawn at random from installed code, those that are spoken first."""
    import pandas

    root = Path(pandas.__file__).parents[1]
    files = sorted(file for package in PACKAGES for file in (root / package).rglob("*.py"))
    names: collections.Counter[str] = collections.Counter()
    columns: set[str] = set()
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        found: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.FunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                columns.add(str(node.slice.value))
        names.update(found)
    pools = {
        "variable": {n for n, count in names.items() if count >= 8 and len(n) >= 2 and n[0] != "_"},
        "column": {c for c in columns if re.fullmatch(r"[A-Za-z]\w{2,40}", c)},
        "file": {f.name for f in files if f.name.startswith("test_")},
    }
    chosen = random.Random(SEED)
    for spoken, counts in ((True, SPOKEN), (False, BESIDE)):
        for kind, count in counts.items():
            for name in chosen.sample(sorted(pools[kind]), count):
                pools[kind].discard(name)
                pools["variable"].discard(name)
                yield {"name": name, "kind": kind} | ({"spoken": aloud(name)} if spoken else {})


SAID = {"dtype": "D type", "dtypes": "D types", "uid": "U I D", "abc": "A B C", "py": "pie",
        "cummax": "cum max", "byteswap": "byte swap", "lst": "list", "repr": "repper"}  # fmt: skip
"""Parts that people say in a way of their own."""


def aloud(name: str) -> str:
    """Return how a person says a name: words, letters where no word can be made of them, "dot pie"."""
    words: list[str] = []
    for part in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|\.", name):
        low = part.lower()
        if part == ".":
            words.append("dot")
        elif low in SAID:
            words.append(SAID[low])
        elif part.isalpha() and (len(part) == 1 or not set(low) & set("aeiouy")):
            words.append(" ".join(low.upper()))
        else:
            words.append(low)
    return " ".join(words)


class Hibari:
    """The voice of hibari-tts."""

    name = "hibari"

    def __init__(self) -> None:
        from hibari import SAMPLE_RATE, Hibari

        self._rate_hz = SAMPLE_RATE
        self._voice = Hibari()

    def say(self, text: str) -> AudioClip:
        """Return the sound of a text."""
        sound = np.asarray(self._voice(text), np.float32).reshape(-1)
        pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
        return padded(AudioClip.from_pcm(pcm, rate_hz=self._rate_hz))


class Espeak:
    """espeak-ng's American voice."""

    name = "espeak-ng"

    def __init__(self) -> None:
        if shutil.which("espeak-ng") is None:
            raise ImportError("espeak-ng is not installed")

    def say(self, text: str) -> AudioClip:
        """Return the sound of a text."""
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", file.name, text], check=True)
            return padded(AudioClip.read(file.name))


def padded(clip: AudioClip) -> AudioClip:
    """Return a clip with a moment of faint hiss around it: nobody presses and speaks at the same time."""
    hiss = np.random.default_rng(1).normal(0, 0.0005, 16_000).astype(np.float32)
    return AudioClip(np.concatenate((hiss[:6000], clip.samples, hiss[:9600])))


def voices() -> Iterator[Hibari | Espeak]:
    """Yield the voices that are installed."""
    for voice in (Hibari, Espeak):
        try:
            yield voice()
        except ImportError as error:
            print(f"{voice.name} is left out: {error}")


# ---- what is measured -----------------------------------------------------------------------------


def notebook(rows: Iterable[dict[str, Any]]) -> Context:
    """Return a notebook in which the names exist."""
    names: dict[str, list[str]] = collections.defaultdict(list)
    for row in rows:
        names[row["kind"]].append(row["name"])
    frame = Variable("frame", "DataFrame", (100, 8), tuple(names["column"]), library="pandas")
    return Context(
        variables=(*(Variable(name, "object") for name in names["variable"]), frame),
        files=("tests/", *(f"tests/{name}" for name in names["file"])),
    )


async def measure(count: int, misses: bool) -> int:
    rows = [json.loads(line) for line in DRAWN.read_text("utf-8").splitlines()]
    spoken = [row for row in rows if "spoken" in row][:count]
    shuffled = list(rows)
    random.Random(SEED).shuffle(shuffled)  # the spoken names are no more recent than the others
    context = notebook(shuffled)
    grammar = Grammar.load("en")
    figures: dict[str, dict[str, float]] = {}
    print(f"{len(spoken)} names of {len(rows)} that are in the notebook")
    print(f"{'voice':12}{'without':>10}{'with vocabulary':>18}{'ms, median':>12}")
    for voice in voices():
        sounds = [(row, voice.say(sentence(row))) for row in spoken]
        rates: dict[str, float] = {}
        took: list[float] = []
        for what, known in (("without", Context()), ("with", context)):
            ear = ears.make(
                "local", threads=THREADS, understands=understanding(grammar, known), context=known
            )
            await ear.load()
            right = 0
            for row, sound in sounds:
                began = time.perf_counter()
                heard = await ear.hear(sound)
                took += [time.perf_counter() - began] if what == "with" else []
                calls = [(c.tool, dict(c.arguments)) for c in grammar.parse(heard, known).calls]
                good = is_right(row, calls)
                right += good
                if misses and not good and what == "with":
                    print(f"    {row['name']:28}{sentence(row)!r:50} -> {heard!r} -> {calls}")
            rates[what] = right / len(sounds)
            await ear.close()
        took.sort()
        print(
            f"{voice.name:12}{rates['without']:10.1%}{rates['with']:18.1%}{took[len(took) // 2] * 1e3:12.0f}"
        )
        figures[voice.name] = rates
    results.keep("identifiers", figures)
    within = all(rates["with"] >= LEAST for rates in figures.values())
    print(f"  {'ok' if within else 'OUT OF BUDGET'}: at least {LEAST:.0%} with vocabulary")
    return 0 if within else 1


def sentence(row: dict[str, Any]) -> str:
    """Return the command that a name is spoken in."""
    return SENTENCES[row["kind"]].format(row["spoken"])


def is_right(row: dict[str, Any], calls: list[tuple[str, dict[str, Any]]]) -> bool:
    """Return whether the one call is about the name, letter by letter."""
    if len(calls) != 1:
        return False
    values = [str(value) for value in calls[0][1].values()]
    return row["name"] in values or f"tests/{row['name']}" in values


if __name__ == "__main__":
    sys.exit(main())
