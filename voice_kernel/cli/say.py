"""`voice-kernel say`: does what words or a recording say, in a kernel of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.cli.exits import EXIT_USAGE, EXITS, exit_of

if TYPE_CHECKING:
    from voice_kernel.messages import Task, Turn


def add(commands: Any) -> None:
    """Add the command to the parser."""
    say = commands.add_parser(
        "say",
        help="do what words or a recording say, in a kernel in this folder",
        description="Do what words or a recording say, in a kernel of its own in this folder: it knows no\n"
        "variables of your notebooks. What needs a yes is refused unless --approve names its tool.",
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
    return exit_of(turn)


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
