"""Spoken answers: how soon they are heard, how fast they stop, what they cost.

First the voice alone, beside the plain library given the same text whole; then real JupyterLab and real
Chromium, where the time runs from the moment the kernel ended a turn (`Turn.ended_at`, the same clock) to
the first sample that was scheduled, and to the first that an analyser before the loudspeaker found loud.
Last, somebody talks into an answer, in a room that is made of the page: from their first sound to silence.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from lab import Notebook, chromium, lab_server, write_notebook
from open_microphone import sound
from playwright.sync_api import Page, expect
from sound import LISTEN, ROOM, figures, forget, wait_loud, wait_quiet
from sound import say as speak

ROUNDS = 10
TURNS = 12
FIRST_SOUND_MS, STOP_MS = 150.0, 200.0
WAIT_MS = 120_000
INTERJECTIONS = ("librivox_0930.wav", "sb_spk1_snt5.wav", "hibari_077.wav", "az_weather.wav") * 3
"""What is said into an answer: talk, so that nothing is done on it."""
RATE_HZ = 16_000
TEXTS = {
    "short": "Ran cell 3.",
    "tests": "12 passed, 1 failed: test login, expected 200, got 500.",
    "long": (
        "The mean price is forty two dollars and ten cents, with three missing values in the date column, "
        "all of them in the last week of March. I dropped those rows and plotted the price against the date. "
        "The second cell failed because the file was not found. The rest is on the screen."
    ),
}
LAST_TURN = """
import json
from voice_kernel.app import app_of
app = app_of(get_ipython())
print(json.dumps([turn.ended_at for turn in app.hub.turns.values()][-1]))
"""


def rss_mb() -> float:
    """Return this process's resident memory, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def cpu_s() -> float:
    """Return what this process has used, in seconds of one core."""
    times = os.times()
    return times.user + times.system


async def voice_alone() -> None:
    """Print what the local voice takes, beside the library alone."""
    import numpy as np

    from voice_kernel.speaking.local import LocalVoice
    from voice_kernel.speaking.prose import pieces

    before = rss_mb()
    voice = LocalVoice()
    began = time.perf_counter()
    await voice.load()
    print(f"load: {time.perf_counter() - began:.2f} s, {rss_mb() - before:+.0f} MB")

    from hibari import Hibari

    plain = Hibari(threads=1)
    plain("Ready.")

    async def ours(text: str) -> tuple[float, float]:
        start, first, samples = time.perf_counter(), 0.0, 0
        for piece in pieces(text):
            async for pcm in voice.speak(piece):
                if not samples:
                    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2")) > 330)
                    first = time.perf_counter() - start + loud[0] / voice.rate_hz
                samples += len(pcm) // 2
        return first, samples / voice.rate_hz

    def whole(text: str) -> float:
        start = time.perf_counter()
        sound = plain(text)
        return time.perf_counter() - start + np.flatnonzero(np.abs(sound) > 0.01)[0] / 24_000

    print("to the first audible sample, median:      ours   plain library, text given whole")
    for name, text in TEXTS.items():
        spent, heard = cpu_s(), 0.0
        firsts = []
        for _ in range(ROUNDS):
            first, sound_s = await ours(text)
            firsts.append(first)
            heard += sound_s
        spent = cpu_s() - spent
        peer = statistics.median(whole(text) for _ in range(ROUNDS))
        print(
            f"  {name:<6} {len(text):>4} characters  {statistics.median(firsts) * 1e3:>17.0f} ms"
            f" {peer * 1e3:>8.0f} ms   {spent / heard * 1e3:.0f} ms of CPU a second of sound"
        )
    await voice.close()


def say(page: Page, text: str) -> None:
    """Type a command into the panel."""
    box = page.locator(".vk-panel").get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def answered(notebook: Notebook, text: str) -> tuple[float, float]:
    """Return ms from the end of a turn to its first sample scheduled, and to its first one heard."""
    page = notebook.page
    forget(page)
    say(page, text)
    loud = wait_loud(page, WAIT_MS)
    origin = float(page.evaluate("performance.timeOrigin"))
    scheduled = float(figures(page)["scheduled"])
    ended = float(json.loads(notebook.execute(LAST_TURN))) * 1e3
    return origin + scheduled - ended, origin + loud - ended


def stopped(page: Page) -> float:
    """Return ms from a key to silence."""
    page.evaluate(
        "() => window.addEventListener('keydown', () => { window.asked = performance.now(); },"
        " { capture: true, once: true })"
    )
    page.keyboard.press("Escape")
    return wait_quiet(page) - float(page.evaluate("window.asked"))


def interrupted(page: Page) -> list[float]:
    """Return ms from the first sound of a voice to silence, for everything that is said into an answer."""
    panel = page.locator(".vk-panel")
    settings = panel.get_by_role("button", name="Microphone settings")
    settings.click()
    panel.get_by_label("Spoken answers").select_option("full")
    panel.get_by_label("How to listen").select_option("handsfree")
    panel.get_by_label("Tones when the microphone opens").uncheck()  # they are sound, too
    settings.click()
    panel.get_by_role("button", name="Listen hands-free").click()
    expect(panel.locator(".vk-talk")).to_have_attribute("data-phase", "listening", timeout=WAIT_MS)
    took = []
    for clip in INTERJECTIONS:
        forget(page)
        say(page, "help")  # a minute and more, read in full
        wait_loud(page, WAIT_MS)
        page.wait_for_timeout(1_500)  # into the middle of it
        speak(page, sound(clip, 0.5, noise=0.0), RATE_HZ)
        page.wait_for_function("() => window.room.spoken !== null", timeout=WAIT_MS, polling=5)
        # The answer has pauses of its own: the silence that counts is the one after it was ended.
        expect(page.locator("[data-speaking]")).to_have_count(0, timeout=WAIT_MS)
        took.append(wait_quiet(page, WAIT_MS) - float(page.evaluate("window.room.spoken")))
    return took


def in_the_browser() -> bool:
    """Print how soon answers are heard and how fast they stop; returns whether that is in budget."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "lab"
        root.mkdir()
        write_notebook(root / "speak.ipynb", ["%load_ext voice_kernel\n%voice"])
        options = ["--autoplay-policy=no-user-gesture-required"]
        with lab_server(root, Path(place)) as base, chromium(options) as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 1000})
            context.add_init_script(LISTEN)
            context.add_init_script(ROOM)
            notebook = Notebook.open(context, base, "speak.ipynb")
            page = notebook.page
            notebook.run(0)
            page.locator(".vk-panel").get_by_role("button", name="Answer out loud").click()
            answered(notebook, "list files")  # the grammar and the voice are loaded now
            stopped(page)
            scheduled, heard, silenced = [], [], []
            for _ in range(TURNS):
                first, loud = answered(notebook, "list files")
                scheduled.append(first)
                heard.append(loud)
                expect(page.locator("[data-speaking]")).to_be_visible()
                silenced.append(stopped(page))
            talked_into = interrupted(page)
            notebook.shut_down()

    def row(title: str, values: list[float]) -> None:
        median, worst = statistics.median(values), max(values)
        print(f"  {title:<44} p50 {median:>4.0f} ms   worst of {len(values)} {worst:>4.0f} ms")

    print("a turn of the panel, in Chromium:")
    row("its end to the first sample scheduled", scheduled)
    row("its end to the first audible sample", heard)
    row("a key to silence", silenced)
    row("the first sound of a voice to silence", talked_into)
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
    return (
        statistics.median(scheduled) <= FIRST_SOUND_MS
        and max(silenced) <= STOP_MS
        and statistics.median(talked_into) <= STOP_MS
    )


def main() -> int:
    parts: dict[str, Callable[[], bool]] = {
        "voice": lambda: asyncio.run(voice_alone()) is None,
        "page": in_the_browser,
    }
    chosen = sys.argv[1:] or list(parts)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    in_budget = [parts[name]() for name in chosen]
    return 0 if all(in_budget) else 1


if __name__ == "__main__":
    sys.exit(main())
