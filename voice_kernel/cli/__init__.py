"""The `voice-kernel` command: reads options, calls what does the work, prints, sets the exit code.

One module for each subject; `main` is what the console script calls. What the commands need is imported
when one of them runs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from voice_kernel.cli import doctor, history, lab, mcp, replay, run, say, serve, words
from voice_kernel.cli.exits import EXIT_CANCELLED, EXIT_FAILED, EXIT_KILLED
from voice_kernel.errors import KernelDied, VoiceKernelError
from voice_kernel.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        return int(options.run(options))
    except VoiceKernelError as error:
        print(f"voice-kernel: {error.message}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return EXIT_KILLED if isinstance(error, KernelDied) else EXIT_FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return EXIT_CANCELLED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice-kernel", description="A voice assistant that lives in the Jupyter notebook."
    )
    parser.add_argument("--version", action="version", version=f"voice-kernel {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for subject in (lab, words, say, run, serve, history, replay, mcp, doctor):
        subject.add(commands)
    return parser
