"""The tour in German, spoken: recordings through the real recogniser, and through a session in a kernel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench.scoring import agrees
from bench.speech import read_context
from real_kernel import RealKernel

from voice_kernel.intents import Grammar
from voice_kernel.intents.understanding import understanding
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.local import LocalTranscriber

CLIPS = Path(__file__).parents[1] / "data" / "speech-de"
LEAST_OF_THE_TOUR, LEAST_OF_MORE = 0.85, 0.75
"""Commands that must be understood, with the right arguments, of the small multilingual model."""


def rows(*, tour: bool) -> list[dict[str, Any]]:
    lines = (CLIPS / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [row for row in map(json.loads, lines) if row.get("tour", False) == tour]


async def test_german_commands_are_understood_from_their_sound() -> None:
    grammar, context = Grammar.load("de"), read_context([CLIPS])
    ear = LocalTranscriber(language="de", threads=2)
    missed: list[str] = []

    async def share(chosen: list[dict[str, Any]]) -> float:
        right = []
        for row in chosen:
            heard = await ear.transcribe(
                AudioClip.read(CLIPS / row["file"]),
                context=context,
                understands=understanding(grammar, context),
            )
            calls = [(call.tool, dict(call.arguments)) for call in grammar.parse(heard.text, context).calls]
            if row["calls"]:
                right.append(agrees(row["calls"], calls))
                if not right[-1]:
                    missed.append(f"{row['file']}: {row['text']!r} -> {heard.text!r}")
            else:
                assert calls == [], f"acted on talk: {row['text']!r} -> {heard.text!r}"
        return sum(right) / len(right)

    of_the_tour, of_more = await share(rows(tour=True)), await share(rows(tour=False))
    await ear.close()
    print(
        f"\nGerman, spoken: {of_the_tour:.1%} of the tour, {of_more:.1%} of other commands",
        *missed,
        sep="\n  ",
    )
    assert of_the_tour >= LEAST_OF_THE_TOUR
    assert of_more >= LEAST_OF_MORE


SALES = """import pandas as pd
df = pd.DataFrame({'Monat': ['Jan', 'Feb'], 'Umsatz': [3, 5], 'Region': ['N', 'O'], 'Verkäufe': [1, 2]})"""


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealKernel]:
    monkeypatch.setenv("VOICE_KERNEL_LANGUAGE", "de")
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    (tmp_path / "tour").mkdir()
    (tmp_path / "test_umsatz.py").write_text("def test_umsatz():\n    assert True\n")
    running = RealKernel(tmp_path, environment={"MPLBACKEND": "agg", "ALLOW_CLI_EXECUTION": "true"})
    running.execute(f"import os; os.chdir({str(tmp_path)!r})\n%load_ext voice_kernel\n{SALES}").expect_ok()
    yield running
    running.stop()


def test_the_tour_can_be_spoken_in_german(kernel: RealKernel) -> None:
    spoken = [row for row in rows(tour=True) if row["group"] == "pico"]
    done: dict[str, list[str]] = {}
    for row in spoken:
        kernel.execute(
            f"try:\n    turn = get_ipython().run_line_magic('voice', '--audio {CLIPS / row['file']}')\n"
            "except Exception as error:\n    turn = error.result"
        ).expect_ok()
        cell = kernel.execute("import json\nprint(json.dumps([task.tool for task in turn.tasks]))")
        done[row["text"]] = json.loads(cell.text)
    wrong = {
        row["text"]: done[row["text"]]
        for row in spoken
        if done[row["text"]] != [tool for tool, _ in row["calls"]]
    }
    print(f"\nThe tour in a kernel: {len(spoken) - len(wrong)} of {len(spoken)}", wrong)
    assert len(wrong) <= 1
    assert done["wir haben die Tests letzte Woche ausgeführt"] == []
