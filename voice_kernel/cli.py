"""The `voice-kernel` command: reads options, calls what does the work, prints, sets the exit code."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from voice_kernel.errors import ClientError, KernelDied, NotebookError, VoiceKernelError
from voice_kernel.version import __version__

if TYPE_CHECKING:
    from voice_kernel.messages import Task, Turn

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_REFUSED = 0, 1, 2, 3, 4
EXIT_TIMEOUT, EXIT_KILLED, EXIT_CANCELLED = 5, 6, 130
EXITS = """exit codes:
  0  everything that was asked for succeeded
  1  it failed: a cell that raised, a test that failed, a command that could not be done
  2  wrong options, or no such file
  3  not understood, or nothing was said: nothing was done
  4  refused by policy (see --allow-cli of run), or it needs an approval and nobody can be asked
     (see --approve)
  5  it took too long (--timeout)
  6  the kernel died
  130  cancelled"""


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

    lab = commands.add_parser("lab", help="open JupyterLab with a notebook that shows the panel")
    lab.add_argument("notebook", nargs="?", type=Path, help="the notebook to open")
    lab.add_argument("--dry-run", action="store_true", help="print the command and do not run it")
    lab.add_argument("options", nargs=argparse.REMAINDER, help="-- and options for jupyter lab")
    lab.set_defaults(run=_lab)

    parse = commands.add_parser("parse", help="show what words would do, without doing it")
    parse.add_argument("--json", action="store_true", help="one JSON object a line")
    parse.add_argument("text", nargs="+", help="the words; - reads one text a line from stdin")
    parse.set_defaults(run=_parse)

    transcribe = commands.add_parser("transcribe", help="turn recordings into text")
    transcribe.add_argument("--json", action="store_true", help="one JSON object a line")
    transcribe.add_argument("files", nargs="+", type=Path, metavar="FILE")
    transcribe.set_defaults(run=_transcribe)

    say = commands.add_parser(
        "say",
        help="do what words or a recording say, in a kernel in this folder",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    say.add_argument("text", nargs="*", help="the words")
    say.add_argument("--audio", type=Path, metavar="FILE", help="a recording instead of words")
    say.add_argument(
        "--approve", action="append", default=[], metavar="TOOL", help="approve a tool beforehand"
    )
    say.add_argument("--json", action="store_true", help="print the events as JSON, one a line")
    say.set_defaults(run=_say)

    _add_run(commands)

    doctor = commands.add_parser("doctor", help="check the installation and say how to mend it")
    doctor.set_defaults(run=_doctor)
    return parser


class _AddCommand(argparse.Action):
    """Collects --say, --audio and --script in the order in which they are given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None
    ) -> None:
        namespace.commands = [*(namespace.commands or []), (str(option).lstrip("-"), values)]


def _add_run(commands: Any) -> None:
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
        ("--script", "FILE", "a file with one command a line; # begins a comment line"),
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


# ---- lab ------------------------------------------------------------------------------------------


def _lab(options: argparse.Namespace) -> int:
    jupyter = _beside_python("jupyter-lab")
    if jupyter is None:
        print('JupyterLab is not installed here. Run: pip install "voice-kernel[lab]"', file=sys.stderr)
        return EXIT_FAILED
    extra = [option for option in options.options if option != "--"]
    command = [jupyter, *_opening(options.notebook), *extra]
    if os.geteuid() == 0 and "--allow-root" not in command:
        command.append("--allow-root")
    if not os.environ.get("DISPLAY") and sys.platform == "linux" and "--no-browser" not in command:
        command.append("--no-browser")
    if options.dry_run:
        print(" ".join(command))
        return EXIT_OK
    print("Open the URL below, then run the first cell: the voice panel appears under it.", flush=True)
    os.execv(jupyter, command)


def _opening(notebook: Path | None) -> list[str]:
    """Return the options that make the printed URL open a notebook, also where no browser starts."""
    if notebook is None:
        return []
    if not notebook.is_file():
        raise ClientError(f"There is no notebook {notebook}.", hint="Name one that exists, or none.")
    folder = notebook.resolve().parent
    return [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}"]


def _beside_python(name: str) -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


# ---- parse and transcribe -------------------------------------------------------------------------


def _parse(options: argparse.Namespace) -> int:
    from voice_kernel.app import load_grammar
    from voice_kernel.context import Context
    from voice_kernel.intents import parse_lines
    from voice_kernel.settings import load
    from voice_kernel.surroundings import scan

    settings = load()
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
    from voice_kernel.settings import load
    from voice_kernel.speech import LocalTranscriber, transcribe_files

    failed = False
    transcriber = LocalTranscriber(load().speech_model_path or None)
    for row in transcribe_files(options.files, transcriber):
        failed = failed or "error" in row
        if options.json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        elif "error" in row:
            print(f"{row['file']}: {row['error']}", file=sys.stderr)
        else:
            print(f"{row['file']}: {row['text']}", flush=True)
    return EXIT_FAILED if failed else EXIT_OK


# ---- say ------------------------------------------------------------------------------------------


def _say(options: argparse.Namespace) -> int:
    if bool(options.text) == bool(options.audio):
        print("voice-kernel say takes words, or --audio FILE.", file=sys.stderr)
        return EXIT_USAGE
    return asyncio.run(_say_in_kernel(options))


async def _say_in_kernel(options: argparse.Namespace) -> int:
    from voice_kernel.client import Client
    from voice_kernel.messages import Notice, Say, TaskChanged, TaskOutput, TurnChanged, to_surface

    clip: Any = None
    if options.audio:
        from voice_kernel.speech.clip import AudioClip

        clip = AudioClip.read(options.audio)
    states: dict[int, str] = {}
    printed: dict[int, int] = {}
    async with Client(Path.cwd(), options.approve) as client:
        if clip is not None:
            client.send_recording(clip.pcm, clip.rate_hz)
        else:
            client.send(Say(text=" ".join(options.text)))
        turn: Turn | None = None
        try:
            async for event in client.events():
                if options.json:
                    print(to_surface.dump_json(event).decode(), flush=True)
                if isinstance(event, TurnChanged) and event.turn.surface_id == client.surface_id:
                    if not options.json:
                        _print_turn(turn, event.turn)
                    turn = event.turn
                    if turn.ended_at is not None:
                        break
                elif not options.json:
                    if isinstance(event, TaskOutput):
                        print(event.text, end="", flush=True)
                        printed[event.task_id] = event.output_bytes
                    elif isinstance(event, TaskChanged):
                        _print_tail(event.task, printed)
                        _print_task(event, states)
                    elif isinstance(event, Notice):
                        print(f"{event.message} {event.hint}".strip(), file=sys.stderr)
        except asyncio.CancelledError:
            await client.interrupt()
            raise
    return _exit_code(turn)


def _print_turn(before: Turn | None, turn: Turn) -> None:
    if turn.route and (before is None or before.route != turn.route):
        print(f"“{turn.text}” [{turn.route}]", flush=True)
    if turn.ended_at is None:
        return
    if turn.problem:
        print(f"{turn.state}: {turn.problem.message} {turn.problem.hint}".strip(), file=sys.stderr)
        if turn.closest:
            print(f"Closest: {'; '.join(turn.closest)}", file=sys.stderr)
    elif turn.answer:
        print(turn.answer)


def _print_tail(task: Task, printed: dict[int, int]) -> None:
    # A changed task carries its newest output with it, instead of a piece of its own.
    new = task.output_bytes - printed.get(task.id, 0)
    if new > 0:
        print(task.tail.encode()[-new:].decode(errors="replace"), end="", flush=True)
        printed[task.id] = task.output_bytes


def _print_task(event: Any, states: dict[int, str]) -> None:
    task = event.task
    if states.get(task.id) == task.state:
        return
    states[task.id] = task.state
    if task.ended_at is None:
        print(f"{task.id} {task.title}: {task.state}", flush=True)
    else:
        from voice_kernel.ui.frozen import task_text

        if task.result and task.output_bytes:  # the output has been printed as it came
            task = task.model_copy(
                update={"tail": "", "result": task.result.model_copy(update={"text": "", "outputs": []})}
            )
        print(task_text(task), flush=True)


def _exit_code(turn: Turn | None) -> int:
    if turn is None or turn.state == "failed":
        kind = turn.problem.kind if turn is not None and turn.problem is not None else ""
        return EXIT_REFUSED if kind in ("NobodyToAsk", "Refused") else EXIT_FAILED
    return {"succeeded": EXIT_OK, "nothing": EXIT_NOTHING, "cancelled": EXIT_CANCELLED}.get(
        turn.state, EXIT_FAILED
    )


# ---- run ------------------------------------------------------------------------------------------


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
    except NotebookError as error:
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


EXIT_OF_RUN = {
    "passed": EXIT_OK, "failed": EXIT_FAILED, "unknown": EXIT_NOTHING, "refused": EXIT_REFUSED,
    "timeout": EXIT_TIMEOUT, "killed": EXIT_KILLED, "cancelled": EXIT_CANCELLED, "skipped": EXIT_OK,
}  # fmt: skip


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


# ---- doctor ---------------------------------------------------------------------------------------


def _doctor(options: argparse.Namespace) -> int:
    from voice_kernel.doctor import examine

    worst = EXIT_OK
    for finding in examine():
        mark = {"ok": "ok  ", "note": "note", "bad": "BAD "}[finding.level]
        print(f"{mark}  {finding.subject}: {finding.message}", flush=True)
        if finding.cure:
            print(f"      {finding.cure}")
        if finding.level == "bad":
            worst = EXIT_FAILED
    return worst


if __name__ == "__main__":
    sys.exit(main())
