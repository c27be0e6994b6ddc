"""`voice-kernel parse` and `transcribe`: what words mean and what recordings say; nothing is done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OK


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    parse = commands.add_parser(
        "parse",
        help="show what words would do, without doing it",
        description="Show the route and the calls that words would take here: the files and tests of this "
        "folder are known. No kernel is started and nothing is done.",
    )
    parse.add_argument("--json", action="store_true", help="one JSON object a line")
    parse.add_argument(
        "--language", default="", metavar="LL", help="en or de; the setting language when not given"
    )
    parse.add_argument("text", nargs="+", help="the words; - reads one text a line from stdin")
    parse.set_defaults(run=_parse)

    transcribe = commands.add_parser(
        "transcribe",
        help="turn recordings into text",
        description="Turn recordings into text, as a session would: commands are expected, and the words "
        "of the setting vocabulary. Nothing is done.",
    )
    transcribe.add_argument("--json", action="store_true", help="one JSON object a line")
    transcribe.add_argument(
        "--engine",
        default="",
        metavar="NAME",
        help="local, openai, realtime or an installed one; the setting speech_engine when not given",
    )
    transcribe.add_argument("files", nargs="+", type=Path, metavar="FILE")
    transcribe.set_defaults(run=_transcribe)


def _parse(options: argparse.Namespace) -> int:
    from voice_kernel.app import load_grammar
    from voice_kernel.context import Context
    from voice_kernel.intents import parse_lines
    from voice_kernel.settings import load
    from voice_kernel.surroundings import scan

    settings = load(**({"language": options.language} if options.language else {}))
    files, tests = scan(Path.cwd())
    context = Context(files=files, tests=tests, words=settings.vocabulary)
    lines: Iterator[str] | list[str] = (
        (line.rstrip("\n") for line in sys.stdin) if options.text == ["-"] else [" ".join(options.text)]
    )
    for line in parse_lines(lines, load_grammar(settings), context):
        if options.json:
            print(line, flush=True)
            continue
        parsed = json.loads(line)
        calls = ", then ".join(
            f"{call['tool']}({', '.join(f'{k}={v!r}' for k, v in call['arguments'].items())})"
            for call in parsed["calls"]
        )
        closest = f" closest: {'; '.join(parsed['closest'])}" if parsed["closest"] else ""
        print(f"[{parsed['route']}] {calls or 'nothing'}{closest}")
    return EXIT_OK


def _transcribe(options: argparse.Namespace) -> int:
    from voice_kernel.app import load_grammar
    from voice_kernel.context import Context
    from voice_kernel.hearing import Hearing
    from voice_kernel.intents.understanding import understanding
    from voice_kernel.settings import load
    from voice_kernel.speech import transcribe_files
    from voice_kernel.speech.chosen import ChosenTranscriber
    from voice_kernel.speech.transcriber import Transcriber

    settings = load()
    hearing = Hearing(settings)
    # An engine that was named hears, or says why not; the one of the settings may be stood in for.
    transcriber: Transcriber = (
        hearing.make(options.engine)
        if options.engine
        else ChosenTranscriber(hearing.make, settings.speech_engine, tell=_told)
    )
    failed = False
    # As in a session: of several readings, the one is taken that means something.
    context = Context(words=settings.vocabulary)
    rate = understanding(load_grammar(settings), context)
    for row in transcribe_files(options.files, transcriber, context=context, understands=rate):
        failed = failed or "error" in row
        if options.json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        elif "error" in row:
            print(f"{row['file']}: {row['error']}", file=sys.stderr)
        else:
            print(f"{row['file']}: {row['text']}", flush=True)
            if "notice" in row:
                print(f"{row['file']}: {row['notice']}", file=sys.stderr)
    return EXIT_FAILED if failed else EXIT_OK


def _told(message: str, hint: str) -> None:
    print(f"{message} {hint}".strip(), file=sys.stderr)
