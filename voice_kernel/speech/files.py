"""Transcripts of whole files, one record each: what `voice-kernel transcribe` prints.

It does not know the command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from voice_kernel.context import Context
from voice_kernel.errors import AudioError, EngineUnavailable, SpeechError
from voice_kernel.speech.clip import AudioClip
from voice_kernel.speech.transcriber import Expect, Transcriber, Transcript


def transcribe_files(
    paths: Iterable[str | Path],
    transcriber: Transcriber,
    *,
    context: Context | None = None,
    expect: Expect = "command",
    understands: Callable[[str], float] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield one record per file, in order, and close the engine at the end.

    `context`, `expect` and `understands` are those of `Transcriber.open`.

    Runs an event loop of its own, so it may not be called from a coroutine. A file that cannot be
    read, or in which an engine fails, gives a record with `error` and `hint` instead of a text; the others
    go on.

    Yields:
        `file`, `text`, `audio_s`, `latency_s`, `engine`, and `notice` where there is one.

    Raises:
        EngineUnavailable: the engine cannot be loaded.
    """
    with asyncio.Runner() as runner:
        try:
            for path in paths:
                try:
                    clip = AudioClip.read(path)
                except AudioError as error:
                    yield {"file": str(path), "error": error.message, "hint": error.hint}
                    continue
                runner.run(transcriber.load())  # so that the first file's latency is like the others'
                try:
                    heard = runner.run(_heard(transcriber, clip, context, expect, understands))
                except EngineUnavailable:
                    raise
                except SpeechError as error:
                    yield {"file": str(path), "error": error.message, "hint": error.hint}
                    continue
                record = {
                    "file": str(path),
                    "text": heard.text,
                    "audio_s": round(heard.audio_s, 3),
                    "latency_s": round(heard.latency_s, 3),
                    "engine": heard.engine,
                }
                if heard.notice:
                    record["notice"] = heard.notice
                yield record
        finally:
            runner.run(transcriber.close())


async def _heard(
    transcriber: Transcriber,
    clip: AudioClip,
    context: Context | None,
    expect: Expect,
    understands: Callable[[str], float] | None,
) -> Transcript:
    recognition = transcriber.open(
        rate_hz=clip.rate_hz, context=context, expect=expect, understands=understands
    )
    recognition.feed(clip.pcm)
    return await recognition.finish()
