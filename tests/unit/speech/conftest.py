"""The real engine, loaded once for all tests of speech, and the clips they listen to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.local import LocalTranscriber

CLIPS = Path(__file__).parents[2] / "data" / "speech"


class Clips:
    """The project's clips, by file name, with what is said in them."""

    def __init__(self) -> None:
        rows = [json.loads(line) for line in (CLIPS / "manifest.jsonl").read_text("utf-8").splitlines()]
        self.said = {row["file"]: row["text"] for row in rows}

    def __getitem__(self, file: str) -> AudioClip:
        return AudioClip.read(CLIPS / file)


@pytest.fixture(scope="session")
def clips() -> Clips:
    return Clips()


@pytest.fixture(scope="session")
def engine() -> Iterator[LocalTranscriber]:
    """One engine for the session: its thread outlives the event loops of single tests."""
    transcriber = LocalTranscriber(threads=2)
    asyncio.run(transcriber.load())
    yield transcriber
    asyncio.run(transcriber.close())
