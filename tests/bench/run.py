"""`make bench`: every figure beside a peer measured in the same run.

CLIPS=DIR chooses the speech clips (a folder with a manifest.jsonl); the project's own by default. COFFEE=DIR,
a copy of Picovoice's speech-to-intent benchmark, runs that too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = (
    "loading",
    "intents",
    "speech",
    "identifiers",
    "listening",
    "panel_speech",
    "speaking",
    "processes",
    "output",
    "logs",
    "cluster",
    "store",
    "page",
    "widgets",
    "overhttp",
    "notebooks",
    "cells",
    "suites",
    "servers",
    "model",
)
"""Each is a module of its own that prints its figures; run alone with `python tests/bench/NAME.py`."""


def main() -> int:
    chosen = sys.argv[1:] or PARTS
    coffee = os.environ.get("COFFEE", "")
    chosen = [*chosen, "coffee"] if coffee and not sys.argv[1:] else chosen
    clips = os.environ.get("CLIPS") or str(HERE.parent / "data" / "speech")
    failed = []
    for part in chosen:
        print(f"\n==== {part} " + "=" * (70 - len(part)), flush=True)
        arguments = clips.split(os.pathsep) if part in ("speech", "listening", "panel_speech") else []
        arguments = [coffee] if part == "coffee" else arguments
        # A process each, so that no part's memory or threads colour another's figures.
        if subprocess.run([sys.executable, str(HERE / f"{part}.py"), *arguments]).returncode:
            failed.append(part)
    if failed:
        print(f"\nOut of budget or broken: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
