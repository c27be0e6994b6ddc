"""From the voice to the deed as a person meets it: the real panel in real JupyterLab and Chromium.

    python tests/bench/panel_speech.py [FOLDER ...] [--clips N]

Each clip of a short command is the microphone once while the button is held, and once hands-free. Times are
the page's own: from the release of the button, or from the last voiced sample that the page was given, to the
final text and to the task in the panel. Plain faster-whisper gets the same clip, whole, between the two.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import wave
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import ears
import numpy as np
import results
from lab import Notebook, chromium, lab_server, microphone, write_notebook
from playwright.sync_api import Error, expect
from speech import THREADS, Clip, read_manifest, voiced_s

from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.transcriber import RATE_HZ

SHORTEST_S, LONGEST_S = 1.8, 5.0
CLIPS = 12
RELEASED_MS = 100.0
"""A person lets go of the button so long after their last sound: quick ones, whom the budget is for."""
LATE_MS = 300.0
"""And those who take their time."""
LEAD_S, TAIL_S = 0.3, 3.0
MAX_RATIO = 0.5
PARTIAL_MS, DECIDED_MS, ACT_MS = 500.0, 100.0, 50.0
WAIT_MS = 60_000
HARMLESS = {
    "describe_data", "list_files", "list_tasks", "list_variables", "mcp_list_servers", "plot", "run_cells",
    "run_shell", "select_cell", "show_history", "show_variable",
}  # fmt: skip
"""Tools that leave panel and notebook as they are (`run_shell` is refused: nobody allowed it)."""
CELLS = [
    "%load_ext voice_kernel\n%voice",
    "import pandas as pd\ndf = pd.DataFrame({'revenue': [1, 2], 'month': [1, 2]})",
    *(f"step_{number} = {number}" for number in range(3, 9)),
]

WATCH = """
(() => {
  const heard = window.heard = { first: null, last: null, released: null, seen: [], turns: 0 };
  const all = () => document.querySelectorAll('.vk-panel .vk-turn');
  heard.forget = () => Object.assign(heard, {
    first: null, last: null, released: null, seen: [], turns: all().length
  });
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async constraints => {
    const stream = await open(constraints);
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 256;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(256);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (Math.max(...samples.map(Math.abs)) > 0.02) {
        heard.last = performance.now();
        heard.first ??= heard.last;
      }
      if (stream.getAudioTracks()[0].readyState === 'ended') {
        clearInterval(timer);
        void context.close();
      }
    }, 4);
    return stream;
  };
  window.addEventListener('pointerup', () => { heard.released ??= performance.now(); }, true);
  new MutationObserver(() => {
    const turn = [...all()].at(-1);
    if (all().length <= heard.turns) return;
    const shown = turn.querySelector('.vk-transcript');
    const state = turn.dataset.state;
    const now = {
      text: shown?.textContent ?? '',
      final: shown !== null && !shown.classList.contains('vk-partial'),
      acted: turn.querySelector('.vk-task') !== null || !['listening', 'understanding'].includes(state),
      over: !['listening', 'understanding', 'running'].includes(state)
    };
    const before = heard.seen.at(-1);
    if (!before || Object.keys(now).some(key => now[key] !== before[key])) {
      heard.seen.push({ ...now, at: performance.now() });
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ['data-state', 'class'] });
})();
"""

WAITING = "Listening…"
"""What a turn says before its first words."""

LATENCIES = """
import json
from voice_kernel.app import app_of
turns = app_of(get_ipython()).hub.turns.values()
print(json.dumps([turn.latency_s for turn in turns]))
"""


@dataclass
class Times:
    """What was measured in one way of listening, in ms."""

    text: list[float] = field(default_factory=list)
    """From the release to the final text; hands-free, from the last voiced sample."""
    act: list[float] = field(default_factory=list)
    """From the final text to the act."""
    first: list[float] = field(default_factory=list)
    """From the first voiced sample to the first words."""
    gaps: list[float] = field(default_factory=list)
    """Between two texts while somebody spoke."""
    missed: int = 0

    def add(self, heard: dict[str, Any], since: float) -> None:
        """Take what a page noted of one clip."""
        seen = heard["seen"]
        final = next((each["at"] for each in seen if each["final"]), None)
        if final is None:
            self.missed += 1
            return
        self.text.append(final - since)
        self.act.append(next(each["at"] for each in seen if each["acted"]) - final)
        changes = [
            b["at"] for a, b in pairwise([{"text": ""}, *seen]) if b["text"] not in (a["text"], WAITING)
        ]
        partial = [at for at in changes if at <= heard["last"]]
        if partial:
            self.first.append(partial[0] - heard["first"])
            self.gaps += [b - a for a, b in pairwise(partial)]


class Bench:
    """A panel, a microphone that is a file, and the clips that are put into it."""

    def __init__(self, notebook: Notebook, clip_file: Path) -> None:
        self.page = notebook.page
        self.panel = self.page.locator(".vk-panel")
        self._file = clip_file

    def put(self, sound: AudioClip) -> None:
        """Make a clip what is heard when the microphone opens next."""
        quiet = np.random.default_rng(1).normal(0, 0.0003, round((LEAD_S + TAIL_S) * RATE_HZ))
        lead = round(LEAD_S * RATE_HZ)
        whole = np.concatenate([quiet[:lead], sound.samples, quiet[lead:]])
        write(self._file, whole)
        self.page.evaluate("heard.forget()")

    def hold(self, sound: AudioClip, after_ms: float = RELEASED_MS) -> dict[str, Any]:
        """Hold the button while a clip is spoken, and some time after; return what the page noted."""
        self.put(sound)
        onset, end = voiced_s(sound)
        self.panel.locator(".vk-talk button").first.hover()
        self.page.mouse.down()
        self.page.evaluate(
            """async spoken => {
              while (heard.first === null) await new Promise(resolve => setTimeout(resolve, 5));
              await new Promise(resolve => setTimeout(resolve, heard.first + spoken - performance.now()));
            }""",
            (end - onset) * 1e3 + after_ms,
        )
        self.page.mouse.up()
        return self._noted()

    def speak(self, sound: AudioClip) -> dict[str, Any]:
        """Say a clip into the open microphone; return what the page noted."""
        self.put(sound)
        button = self.panel.get_by_role("button", name="Listen hands-free")
        button.click()
        noted = self._noted()
        button.click()
        expect(self.panel.locator(".vk-talk")).to_have_attribute("data-phase", "idle", timeout=WAIT_MS)
        return noted

    def _noted(self) -> dict[str, Any]:
        with contextlib.suppress(Error):  # too late: counted as missed
            self.page.wait_for_function("() => heard.seen.at(-1)?.over", timeout=WAIT_MS / 4, polling=50)
        noted: dict[str, Any] = self.page.evaluate("({ ...heard })")
        return noted

    def hands_free(self) -> None:
        """Listen hands-free from now on."""
        settings = self.panel.get_by_role("button", name="Microphone settings")
        settings.click()
        self.panel.get_by_label("How to listen").select_option("handsfree")
        settings.click()


def write(file: Path, samples: np.ndarray) -> None:
    """Write sound as a WAV file."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def chosen(folders: Sequence[Path], most: int) -> list[Clip]:
    """Return short commands that do no harm, evenly from what there is."""
    clips = [
        clip
        for folder in folders
        for clip in read_manifest(folder)
        if clip.calls
        and SHORTEST_S <= clip.sound.duration_s <= LONGEST_S
        and all(
            tool in HARMLESS and arguments.get("cells", "3")[0].isdigit() for tool, arguments in clip.calls
        )
    ]
    return clips[:: max(1, len(clips) // most)][:most]


def plain_ms(engine: ears.Ear, clip: Clip) -> float:
    """Return how long plain faster-whisper takes for a clip that is there as a whole."""
    with ThreadPoolExecutor(1) as thread:  # this one has the browser's loop
        began = perf_counter()
        thread.submit(lambda: asyncio.run(engine.hear(clip.sound))).result()
        return (perf_counter() - began) * 1e3


def measure(clips: list[Clip]) -> tuple[Times, Times, Times, list[float], list[float]]:
    """Return the times with the button, quick and late, hands-free, of plain faster-whisper, and from
    decision to text."""
    plain = ears.make("faster-whisper", threads=THREADS)
    asyncio.run(plain.load())
    plain_ms(plain, clips[0])  # first-call costs
    held, late, open_mike, peer = Times(), Times(), Times(), []
    with tempfile.TemporaryDirectory() as place:
        root, file = Path(place) / "lab", Path(place) / "microphone.wav"
        root.mkdir()
        write_notebook(root / "speech.ipynb", CELLS)
        write(file, np.zeros(RATE_HZ))
        with lab_server(root, Path(place)) as base, chromium(microphone(file)) as browser:
            context = browser.new_context(
                viewport={"width": 1280, "height": 1000}, permissions=["microphone"]
            )
            context.add_init_script(WATCH)
            notebook = Notebook.open(context, base, "speech.ipynb")
            notebook.run(1)
            notebook.run(0)
            bench = Bench(notebook, file)
            status = bench.panel.locator(".vk-status")
            expect(status).to_have_attribute("data-status", "Ready", timeout=WAIT_MS)
            bench.hold(clips[0].sound)  # first-call costs
            for clip in clips:
                noted = bench.hold(clip.sound)
                held.add(noted, noted["released"])
                noted = bench.hold(clip.sound, LATE_MS)
                late.add(noted, noted["released"])
                peer.append(plain_ms(plain, clip))
            before = len(json.loads(notebook.execute(LATENCIES)))
            bench.hands_free()
            for clip in clips:
                noted = bench.speak(clip.sound)
                open_mike.add(noted, noted["last"])
            latencies = json.loads(notebook.execute(LATENCIES))[before:]
            notebook.shut_down()
    return held, late, open_mike, peer, [each * 1e3 for each in latencies if each is not None]


def row(title: str, times: Sequence[float]) -> list[int]:
    """Print a line of the table; returns p50 and p95."""
    if not times:
        print(f"  {title:<42} nothing measured")
        return []
    half, most = statistics.median(times), float(np.percentile(times, 95))
    print(f"  {title:<42} p50 {half:>5.0f} ms   p95 {most:>5.0f} ms   of {len(times)}")
    return [round(half), round(most)]


def verdict(within: bool, budget: str) -> bool:
    """Print whether a budget is kept."""
    print(f"  {'ok' if within else 'OUT OF BUDGET'}: {budget}")
    return within


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--clips", type=int, default=CLIPS)
    options = parser.parse_args(argv)
    clips = chosen(options.folders or [Path(__file__).parents[1] / "data" / "speech"], options.clips)
    print(f"{len(clips)} commands, load {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    held, late, free, peer, decided = measure(clips)
    figures: dict[str, Any] = {}
    print(f"the button is held ({held.missed} without a text):")
    figures["held"] = {
        "text": row("release to the final text", held.text),
        "text_late": row(f"the same, let go {LATE_MS:.0f} ms after the end", late.text),
        "act": row("text to the act", held.act),
        "first": row("first voiced sample to the first words", held.first),
        "gaps": row("between two texts while it is spoken", held.gaps),
    }
    figures["plain"] = row("plain faster-whisper, the clip as a whole", peer)
    print(f"hands-free ({free.missed} without a text):")
    figures["hands_free"] = {
        "decided": row("the end decided to the text", decided),
        "text": row("last voiced sample to the final text", free.text),
        "act": row("text to the act", free.act),
        "gaps": row("between two texts while it is spoken", free.gaps),
    }
    results.keep("panel_speech", {"clips": len(clips), "load": round(os.getloadavg()[0], 1), **figures})
    if not (held.text and free.text and held.gaps and decided):
        return 1
    ratio = statistics.median(held.text) / statistics.median(peer)
    within = [
        verdict(ratio <= MAX_RATIO, f"{ratio:.2f} of plain faster-whisper, at most {MAX_RATIO}"),
        verdict(
            statistics.median(decided) <= DECIDED_MS, f"from the decision to the text {DECIDED_MS:.0f} ms"
        ),
        verdict(
            max(statistics.median(held.act), statistics.median(free.act)) <= ACT_MS,
            f"to the act {ACT_MS:.0f} ms more",
        ),
        verdict(statistics.median(held.gaps) <= PARTIAL_MS, f"a new text every {PARTIAL_MS:.0f} ms"),
    ]
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
