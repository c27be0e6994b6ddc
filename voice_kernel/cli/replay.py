"""`voice-kernel replay`: does again what was done before, after showing what that is, and compares."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.cli import source
from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, EXIT_TIMEOUT, EXIT_USAGE
from voice_kernel.cli.terminal import one_line, painted, safe
from voice_kernel.errors import KernelDied, ScriptError

if TYPE_CHECKING:
    from voice_kernel.messages import Approval, Call
    from voice_kernel.replay import Done
    from voice_kernel.script.step import Step
    from voice_kernel.toolbox.forecast import Forecast

DESCRIPTION = """Without --run it shows the steps, what each would call, which would ask for approval and
how each ended before; nothing is done. With --run they are done in a kernel in this folder, and the state,
exit status, numbers of tests and kind of problem of each are compared with the first time; times and output
are not. It stops at the first step that comes out differently."""
EXITS = """exit codes:
  0  every step came out as before; or it was only shown
  1  a step came out differently
  2  wrong options, or no such script
  4  a step was refused: policy, a person who said no, or nobody to ask (see --approve)
  5  a step took too long (--timeout)
  6  the kernel died
  130  cancelled"""
TAIL_LINES = 20
EXIT_OF_STATE = {"refused": EXIT_REFUSED, "timeout": EXIT_TIMEOUT}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    replay = commands.add_parser(
        "replay",
        help="do again what was done before, and compare the outcomes",
        description=DESCRIPTION,
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choice = source.add_choice(replay, required=True)
    choice.add_argument("script", nargs="?", type=Path, metavar="FILE.voice", help="an exported script")
    replay.add_argument("--run", dest="do", action="store_true", help="do it, and not only show it")
    replay.add_argument(
        "--keep-going", action="store_true", help="go on after a step that came out differently"
    )
    replay.add_argument(
        "--approve", action="append", default=[], metavar="TOOL", help="approve a tool beforehand"
    )
    replay.add_argument("--timeout", type=float, metavar="S", help="limit in seconds for each step")
    replay.add_argument("--json", action="store_true", help="one JSON object a step")
    replay.set_defaults(run=_replay)


def _replay(options: argparse.Namespace) -> int:
    if options.script is not None:
        from voice_kernel.script import voicefile

        title = one_line(options.script.name)
        try:
            steps = voicefile.read(options.script)
        except ScriptError as error:
            print(f"voice-kernel: {error}", file=sys.stderr)
            return EXIT_USAGE
    else:
        with source.history() as history:
            chosen = source.chosen(history, options)
        title, steps = one_line(chosen.title), chosen.steps
    if options.do:
        return asyncio.run(_do(title, steps, options))
    _show(title, steps, options)
    return EXIT_OK


# ---- only shown -----------------------------------------------------------------------------------


def _show(title: str, steps: Sequence[Step], options: argparse.Namespace) -> None:
    from voice_kernel.app import known_tools
    from voice_kernel.script.outcome import words_of
    from voice_kernel.settings import load
    from voice_kernel.toolbox.forecast import forecast
    from voice_kernel.toolbox.policy import Policy

    registry, policy = known_tools(), Policy(shell_allowed=load().shell_allowed)
    asking = notebook = 0
    if not options.json:
        count = sum(not step.left_out for step in steps)
        print(painted(f"{title}: {_steps(count)}. Nothing is done yet.", "bold"))
    for number, step in enumerate(steps, 1):
        foreseen = [forecast(registry, policy, call, "script") for call in step.calls]
        approved = [call.tool in options.approve for call in step.calls]
        asking += any(one.kind == "ask" and not ok for one, ok in zip(foreseen, approved, strict=True))
        notebook += any(one.area == "notebook" for one in foreseen) and not step.left_out
        if options.json:
            print(json.dumps(_as_json(number, step, foreseen), ensure_ascii=False))
            continue
        if step.left_out:
            print(painted(f"  –  {safe(step.text)}  (left out: {step.left_out})", "dim"))
            continue
        before = f"before: {words_of(step.expected)}" if step.expected is not None else ""
        print(f"{number:>3}  {safe(step.text)}")
        for call, one, ok in zip(step.calls, foreseen, approved, strict=True):
            print(f"       {signature(call)}{_remark(one, ok)}")
        for note in (before, step.note, "" if step.calls else "The words are understood when it is done."):
            if note:
                print(painted(f"       {one_line(note)}", "dim"))
    if options.json:
        return
    if notebook:
        first = "" if options.script else "export a script of it, and use "
        name = one_line(str(options.script)) if options.script else "FILE.voice"
        _hint(f"{notebook} of them act on the cells of a notebook, of which there is none here:")
        _hint(f"{first}voice-kernel run NOTEBOOK --script {name}")
    if asking:
        _hint(f"{asking} of them ask for approval again; --approve TOOL gives it beforehand.")
    _hint("Add --run to do it, in a kernel in this folder.")


def _hint(text: str) -> None:
    print(painted(text, "dim"))


def signature(call: Call) -> str:
    """Return a call as a person reads it, on one line."""
    arguments = ", ".join(f"{name}={_value(value)}" for name, value in call.arguments.items())
    return f"{one_line(call.tool)}({arguments})"


def _value(value: Any) -> str:
    text = safe(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 300 else text[:299] + "…"


def _remark(foreseen: Forecast, approved: bool) -> str:
    if foreseen.kind == "ask":
        if approved:
            return painted("  approved beforehand", "green")
        return painted(f"  asks first: {one_line(foreseen.reason)}", "yellow")
    if foreseen.kind == "refuse":
        return painted(f"  would be refused: {one_line(foreseen.reason)}", "red")
    if foreseen.kind == "impossible":
        return painted(f"  not known here: {one_line(foreseen.reason)}", "yellow")
    return ""


def _as_json(number: int, step: Step, foreseen: Sequence[Forecast]) -> dict[str, Any]:
    return {
        "step": number,
        "said": step.text,
        "calls": [
            {**call.model_dump(mode="json"), "decision": one.kind, "reason": one.reason}
            for call, one in zip(step.calls, foreseen, strict=True)
        ],
        "expected": _outcome(step.expected),
        "left_out": step.left_out,
        "note": step.note,
    }


def _outcome(outcome: Any) -> list[dict[str, Any]] | None:
    if outcome is None:
        return None
    return [task.model_dump(mode="json", exclude_defaults=True) for task in outcome]


# ---- done -----------------------------------------------------------------------------------------


async def _do(title: str, steps: Sequence[Step], options: argparse.Namespace) -> int:
    from voice_kernel.client import Client
    from voice_kernel.replay import Replay

    asks = not options.json and sys.stdin.isatty() and sys.stderr.isatty()
    worst = EXIT_OK
    same = other = 0
    if not options.json:
        print(painted(f"{title}: {_steps(sum(not step.left_out for step in steps))}", "bold"), flush=True)
    done: Done | None = None
    async with Client(Path.cwd(), options.approve, asks=asks, scripted=True) as client:
        replay = Replay(client, ask=_ask if asks else None, timeout_s=options.timeout)
        try:
            async with contextlib.aclosing(replay.run(steps, keep_going=options.keep_going)) as results:
                async for done in results:
                    _tell(done, len(steps), as_json=options.json)
                    same += done.state in ("same", "done")
                    if not done.went_well and done.state != "not_done":
                        other += 1
                        worst = worst or EXIT_OF_STATE.get(done.state, EXIT_FAILED)
        except KernelDied as died:
            number = done.number + 1 if done is not None else 1
            raise KernelDied(f"The kernel died in step {number}.", hint=died.hint) from None
        except asyncio.CancelledError:
            await client.interrupt()
            raise
    if not options.json:
        print(_summary(same, other, len([step for step in steps if not step.left_out])))
    return worst


def _tell(done: Done, count: int, *, as_json: bool) -> None:
    from voice_kernel.script.outcome import words_of

    if as_json:
        row = {
            "step": done.number,
            "said": done.step.text,
            "state": done.state,
            "outcome": _outcome(done.outcome),
            "expected": _outcome(done.step.expected),
            "message": done.message,
        }
        print(json.dumps(row, ensure_ascii=False), flush=True)
        return
    place = f"[{done.number}/{count}] {safe(done.step.text)}"
    if done.state == "not_done":
        print(painted(f"  · {place}  not done", "dim"), flush=True)
    elif done.state == "left_out":
        print(painted(f"  – {place}  {done.message}", "dim"), flush=True)
    elif done.went_well:
        print(f"  {painted('✓', 'green')} {place}  {one_line(words_of(done.outcome))}", flush=True)
    else:
        print(f"  {painted('✗', 'red')} {place}  {painted(done.state, 'red')}")
        for text in (done.message, done.hint):
            if text:
                print(f"      {one_line(text)}")
        for line in _tail(done):
            print(painted(f"      | {line}", "dim"))
        sys.stdout.flush()


def _tail(done: Done) -> list[str]:
    from voice_kernel.tools.terminal import plain

    last = done.tasks[-1] if done.tasks else None
    if last is None:
        return []
    text = last.tail or (last.result.text if last.result is not None else "")
    lines = plain(text).rstrip().split("\n") if text.strip() else []
    return [safe(line)[:200] for line in lines[-TAIL_LINES:]]


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _summary(same: int, other: int, count: int) -> str:
    left = count - same - other
    if not other:
        return painted(f"{'It' if count == 1 else f'All {count} steps'} came out as before.", "green")
    ended = f", {left} not done" if left else ""
    return painted(f"{other} of {count} came out differently{ended}.", "red")


async def _ask(approval: Approval) -> bool:
    """Ask the person at the terminal; only a plain yes is one."""
    print(
        f"      {painted('?', 'yellow')} {one_line(approval.tool)}. {one_line(approval.reason)}",
        file=sys.stderr,
    )
    for line in approval.target.split("\n")[:TAIL_LINES]:
        print(f"        {safe(line)}", file=sys.stderr)
    print("        Approve? [y/N] ", end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def typed() -> None:
        line = sys.stdin.readline()
        if not answer.done():
            answer.set_result(line)

    # Not in a thread: one that waits for the keyboard could not be ended by Ctrl-C.
    loop.add_reader(sys.stdin.fileno(), typed)
    try:
        return (await answer).strip().lower() in ("y", "yes")
    finally:
        loop.remove_reader(sys.stdin.fileno())
