"""`voice-kernel run`: runs a notebook file, or does what words say in it, without a browser."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OF_RUN, EXIT_USAGE, EXITS
from voice_kernel.errors import NotebookError, ScriptError


class _AddCommand(argparse.Action):
    """Collects --say, --audio and --script in the order in which they are given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        namespace.commands = [*(namespace.commands or []), (str(option).lstrip("-"), values)]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    run = commands.add_parser(
        "run",
        help="run a notebook file, or do what words say in it, without a browser",
        description="Without --say, --audio or --script all cells are run. It stops at the first that "
        "fails; the notebook is saved in any case.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    for option, meta, text in (
        ("--say", "TEXT", "a command in words; may be repeated"),
        ("--audio", "FILE", "a command in a recording; may be repeated"),
        ("--script", "FILE", "a file with one command a line, # begins a comment; or an exported session"),
    ):
        run.add_argument(option, action=_AddCommand, dest="commands", metavar=meta, help=text)
    run.add_argument("-o", "--output", type=Path, metavar="OUT", help="write here instead of over NOTEBOOK")
    run.add_argument("--report", type=Path, metavar="FILE", help="write a report: .xml (JUnit) or .json")
    run.add_argument(
        "--timeout", type=float, metavar="S", help="limit in seconds for each command (or cell, without any)"
    )
    run.add_argument("--allow-cli", action="store_true", help="allow shell commands")
    run.add_argument(
        "--approve", action="append", default=[], metavar="TOOL", help="approve a tool beforehand"
    )
    run.add_argument(
        "-p", "--parameter", dest="parameters", nargs=2, action="append", default=[],
        metavar=("NAME", "VALUE"), help="a parameter, put in as papermill does",
    )  # fmt: skip
    run.add_argument("--kernel", default="", metavar="NAME", help="the kernel to use")
    run.add_argument("-q", "--quiet", action="store_true", help="print only what goes wrong")
    run.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        from voice_kernel.headless import report as reports
        from voice_kernel.headless.progress import TerminalProgress
        from voice_kernel.headless.run import NotebookRun, Options, parameter
    except ImportError as error:
        if error.name not in ("nbclient", "nbformat"):
            raise
        print(f'{error.name} is not installed here. Run: pip install "voice-kernel[run]"', file=sys.stderr)
        return EXIT_FAILED
    try:
        if not options.notebook.is_file():
            raise NotebookError(f"There is no notebook {options.notebook}.")
        if options.report:
            reports.check(options.report)
        commands = _commands(options.commands or [])
    except (NotebookError, ScriptError) as error:
        print(f"voice-kernel: {error}", file=sys.stderr)
        return EXIT_USAGE
    wanted = Options(
        notebook=options.notebook,
        commands=commands,
        output=options.output,
        timeout_s=options.timeout,
        allow_cli=options.allow_cli,
        approve=options.approve,
        parameters={name: parameter(value) for name, value in options.parameters},
        kernel_name=options.kernel,
    )

    def write(text: str) -> None:
        print(text, end="", flush=True)

    run = NotebookRun(wanted, TerminalProgress(write, quiet=options.quiet))
    try:
        return EXIT_OF_RUN[asyncio.run(run.execute())]
    finally:
        if options.report:
            reports.write(run.report, options.report, EXIT_OF_RUN[run.report.state])


def _commands(given: Sequence[tuple[str, str]]) -> list[Any]:
    from voice_kernel.headless.commands import Command, read_script

    commands: list[Command] = []
    for kind, value in given:
        if kind == "say":
            commands.append(Command(text=value))
        elif kind == "script":
            commands += read_script(Path(value))
        elif not Path(value).is_file():
            raise NotebookError(f"There is no recording {value}.")
        else:
            commands.append(Command(audio=Path(value)))
    return commands
