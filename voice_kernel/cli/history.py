"""`voice-kernel history`: what was done, in any kernel; searched, shown, exported and pruned."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voice_kernel.cli import source
from voice_kernel.cli.exits import EXIT_OK, EXIT_USAGE
from voice_kernel.cli.terminal import OF_STATE, one_line, painted, safe, table
from voice_kernel.errors import NotebookError, ToolError

if TYPE_CHECKING:
    from voice_kernel.messages import PastTask, Task, TaskState
    from voice_kernel.store import History

PAGE = 200
LINES_SHOWN = 40
LOG_PIECE = 1 << 20
STATES = ("queued", "awaiting_approval", "running", "succeeded", "failed", "cancelled", "interrupted")
DESCRIPTION = """What was done by voice, text, magic or script, in any kernel of this computer (or of everyone
who shares the database). Numbers in the first column are those that show, export and replay take."""
FILTERS = "On a terminal it is a table; piped, one task a line, with tabs between number, time, state, \
seconds, what was called, what was said and the conversation's id."


def add(commands: Any) -> None:
    """Add the command to the parser."""
    history = commands.add_parser(
        "history",
        help="what was done: list, search, show, export, prune",
        description=DESCRIPTION,
        epilog=FILTERS,
    )
    history.add_argument("--json", action="store_true", help="one JSON object a line")
    history.add_argument("--since", metavar="TIME", help="2d, 90m, yesterday, monday, 2026-11-22, ...")
    history.add_argument("--until", metavar="TIME", help="the same; a day counts to its end")
    history.add_argument(
        "--status", metavar="STATE,...", type=_states, default=(), help=f"any of {', '.join(STATES)}"
    )
    history.add_argument("--search", metavar="WORDS", default="", help="words that all occur, as beginnings")
    history.add_argument("--thread", metavar="ID", default="", help="only this conversation")
    history.add_argument("--session", metavar="ID", default="", help="only this run of a kernel, or last")
    history.add_argument("--limit", metavar="N", type=_positive, default=30, help="how many at most (30)")
    history.set_defaults(run=_list)
    parts = history.add_subparsers(metavar="")

    show = parts.add_parser("show", help="one task: what it was, what happened, what it put out")
    show.add_argument("number", type=int, metavar="N")
    show.add_argument("--json", action="store_true", help="as one JSON object")
    show.add_argument("--log", action="store_true", help="print all of its log instead")
    show.set_defaults(run=_show)

    threads = parts.add_parser("threads", help="the conversations")
    threads.add_argument("--json", action="store_true", help="one JSON object a line")
    threads.add_argument("--search", metavar="WORDS", default="", help="words of the title or what was said")
    threads.add_argument("--limit", metavar="N", type=_positive, default=30, help="how many at most (30)")
    threads.set_defaults(run=_threads)

    sessions = parts.add_parser("sessions", help="the runs of kernels")
    sessions.add_argument("--json", action="store_true", help="one JSON object a line")
    sessions.add_argument("--limit", metavar="N", type=_positive, default=30, help="how many at most (30)")
    sessions.set_defaults(run=_sessions)

    export = parts.add_parser("export", help="a script to replay, a notebook, or a report with pictures")
    source.add_choice(export, required=True)
    export.add_argument("--format", choices=("voice", "ipynb", "md"), help="else by the name of the file")
    export.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="- prints it; pictures are then in it",
    )
    export.add_argument("--embed", action="store_true", help="keep a report's pictures in its own file")
    export.set_defaults(run=_export)

    prune = parts.add_parser("prune", help="remove what is old, with its logs")
    prune.add_argument("--older-than", metavar="TIME", help="e.g. 30d; the setting history_days if absent")
    prune.add_argument(
        "--keep",
        metavar="N",
        type=_positive,
        help="only the newest N tasks; the setting history_tasks if absent",
    )
    prune.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    prune.set_defaults(run=_prune)


# ---- lists ----------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    now = time.time()
    with source.history() as history:
        if options.thread:
            options.thread = source.thread_of(history, options.thread)
        if options.session:
            options.session = source.session_of(history, options.session)
        found, more = _found(history, options, now)
    if options.json:
        for past in found:
            print(past.model_dump_json())
    elif not sys.stdout.isatty():
        for past in found:
            print(_line(past))
    elif found:
        _print_table(found, now)
        if more:
            print(painted("There are more: --limit, --since and --search choose.", "dim"))
    if not found:
        chosen = options.search or options.status or options.since or options.until or options.thread
        print("No task is like that." if chosen else NOTHING, file=sys.stderr)
    return EXIT_OK


NOTHING = "Nothing is in the history yet: it begins with the first command in a kernel."


def _found(history: History, options: argparse.Namespace, now: float) -> tuple[list[PastTask], bool]:
    since = _moment(options.since, now, 0)
    until = _moment(options.until, now, 1)
    found: list[PastTask] = []
    before: int | None = None
    while True:
        page, more = history.find(
            options.search,
            states=options.status,
            session_id=options.session,
            thread_id=options.thread,
            since=since,
            until=until,
            before=before,
            limit=min(PAGE, options.limit + 1 - len(found)),
        )
        found += page
        if len(found) > options.limit or not more or not page:
            return found[: options.limit], more or len(found) > options.limit
        before = page[-1].id


def _print_table(found: Sequence[PastTask], now: float) -> None:
    from voice_kernel.tools.history import outcome, what, when

    rows = [["no", "when", "what", "outcome"]]
    for past in found:
        told = one_line(outcome(past.task, now))
        rows.append([str(past.id), when(past.task.created_at, now), one_line(what(past, 200)), told[:60]])
    for at, cells in enumerate(table(rows, flexible=2)):
        if at == 0:
            print(painted("  ".join(cells).rstrip(), "bold"))
        else:
            colour = OF_STATE[found[at - 1].task.state]
            print("  ".join([*cells[:-1], painted(cells[-1], colour)]))


def _line(past: PastTask) -> str:
    task = past.task
    took = (
        "" if task.started_at is None or task.ended_at is None else f"{task.ended_at - task.started_at:.3f}"
    )
    made = datetime.fromtimestamp(task.created_at).isoformat(timespec="seconds")
    texts = (one_line(task.title), one_line(past.utterance), past.thread_id)
    return "\t".join([str(past.id), made, task.state, took, *texts])


def _threads(options: argparse.Namespace) -> int:
    from voice_kernel.tools.history import when

    now = time.time()
    with source.history() as history:
        threads, _more = history.threads(options.search, limit=options.limit)
    rows = [["id", "used", "turns", "title", "where"]]
    for thread in threads:
        where = one_line(_short_path(thread.workspace))
        if options.json:
            print(thread.model_dump_json())
        elif sys.stdout.isatty():
            used = when(thread.updated_at, now)
            rows.append([thread.id, used, str(thread.turns), one_line(thread.title), where])
        else:
            used = datetime.fromtimestamp(thread.updated_at).isoformat(timespec="seconds")
            print(
                "\t".join(
                    [thread.id, used, str(thread.turns), one_line(thread.title), one_line(thread.workspace)]
                )
            )
    _print_rows(rows, flexible=3)
    if not threads:
        print("No conversation is like that." if options.search else NOTHING, file=sys.stderr)
    return EXIT_OK


def _sessions(options: argparse.Namespace) -> int:
    from voice_kernel.tools.history import when

    now = time.time()
    with source.history() as history:
        sessions = history.sessions(options.limit)
    rows = [["id", "began", "tasks", "ended", "where"]]
    for session in sessions:
        ended = session.ending or "lives"
        where = one_line(_short_path(session.workspace))
        if options.json:
            print(json.dumps(asdict(session), ensure_ascii=False))
        elif sys.stdout.isatty():
            rows.append([session.id, when(session.started_at, now), str(session.tasks), ended, where])
        else:
            began = datetime.fromtimestamp(session.started_at).isoformat(timespec="seconds")
            print("\t".join([session.id, began, str(session.tasks), ended, one_line(session.workspace)]))
    _print_rows(rows, flexible=4)
    if not sessions:
        print(NOTHING, file=sys.stderr)
    return EXIT_OK


def _print_rows(rows: list[list[str]], *, flexible: int) -> None:
    for at, cells in enumerate(table(rows, flexible=flexible) if len(rows) > 1 else ()):
        line = "  ".join(cells).rstrip()
        print(painted(line, "bold") if at == 0 else line)


def _short_path(path: str) -> str:
    home = str(Path.home())
    return f"~{path[len(home) :]}" if path == home or path.startswith(f"{home}/") else path


# ---- one task -------------------------------------------------------------------------------------


def _show(options: argparse.Namespace) -> int:
    with source.history() as history:
        past = source.task_of(history, options.number)
        events = [
            event
            for event in _events(history, past.session_id)
            if event.task_id == past.task.id
        ]  # fmt: skip
    if options.log:
        return _print_log(past.task)
    if options.json:
        data = past.model_dump(mode="json")
        data["events"] = [asdict(event) for event in events]
        print(json.dumps(data, ensure_ascii=False))
        return EXIT_OK
    from voice_kernel.tools.shell import duration

    task = past.task
    print(painted(f"{past.id}  {one_line(task.title)}", "bold"))
    said = f"“{one_line(past.utterance)}”" if past.utterance else ""
    facts = [
        ("said", said),
        ("by", task.origin),
        ("call", f"{task.tool}({_arguments(task)})"),
        ("state", painted(task.state.replace("_", " "), OF_STATE[task.state])),
        ("made", f"{datetime.fromtimestamp(task.created_at):%Y-%m-%d %H:%M:%S}"),
        ("took", duration(task.ended_at - task.started_at) if task.started_at and task.ended_at else ""),
        ("thread", f"{past.thread_id}  {one_line(past.thread_title)}".rstrip()),
        ("session", f"{past.session_id}, task {task.id}"),
        ("log", one_line(task.log_path)),
    ]
    for name, value in facts:
        if value:
            print(f"  {name:<9}{value}")
    if events:
        print("\nWhat happened")
        for event in events:
            at = f"{datetime.fromtimestamp(event.at):%H:%M:%S}.{int(event.at * 1000) % 1000:03d}"
            why = one_line(" ".join(str(value) for value in event.data.values() if isinstance(value, str)))
            print(f"  {at}  {one_line(event.kind)}{f'  {why}' if why else ''}"[:200])
    print_result(task)
    return EXIT_OK


def print_result(task: Task) -> None:
    """Print what a task came to: its problem, its tests, the end of its output."""
    from voice_kernel.script.outcome import Counts
    from voice_kernel.tools.terminal import plain

    result = task.result
    if task.problem is not None:
        print(f"\n{painted(one_line(task.problem.message), 'red')}")
        if task.problem.hint:
            print(one_line(task.problem.hint))
    elif result is not None and result.summary:
        print(f"\n{one_line(result.summary)}")
    if result is not None and result.tests is not None:
        print(f"\nTests: {Counts.of(result.tests)}")
        for case in result.tests.cases:
            if case.outcome in ("failed", "error"):
                print(f"  {painted(case.outcome, 'red')}  {one_line(case.id)}: {one_line(case.message)}")
    text = plain(task.tail or (result.text if result is not None else "")).rstrip()
    if text:
        lines = text.split("\n")
        left = f" (the last {LINES_SHOWN} lines of what is kept here)" if len(lines) > LINES_SHOWN else ""
        print(f"\nOutput{left}")
        for line in lines[-LINES_SHOWN:]:
            print(f"  {safe(line)}")


def _print_log(task: Task) -> int:
    """Print a log as it is where it goes into a file, harmless where it goes to a terminal."""
    if not task.log_path:
        print("The task has no log: it put nothing out.", file=sys.stderr)
        return EXIT_OK
    try:
        with open(task.log_path, "rb") as log:
            while piece := log.read(LOG_PIECE):
                if sys.stdout.isatty():
                    sys.stdout.write(safe(piece.decode(errors="replace")))
                else:
                    sys.stdout.flush()
                    sys.stdout.buffer.write(piece)
    except FileNotFoundError:
        print(f"The log is not there any more: {one_line(task.log_path)}", file=sys.stderr)
    except OSError as error:
        print(f"{one_line(task.log_path)} cannot be read: {error.strerror}.", file=sys.stderr)
    sys.stdout.flush()
    return EXIT_OK


def _events(history: History, session_id: str) -> Iterator[Any]:
    after = 0
    while page := history.events(session_id, after=after):
        yield from page
        after = page[-1].seq


def _arguments(task: Task) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in task.arguments.items())


def _value(value: Any) -> str:
    text = one_line(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 200 else text[:199] + "…"


# ---- export and prune -----------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> int:
    path: Path = options.output
    form = options.format or {".voice": "voice", ".ipynb": "ipynb", ".md": "md"}.get(path.suffix)
    if form is None:
        print(f"What shall {path} be? Name it .voice, .ipynb or .md, or say --format.", file=sys.stderr)
        return EXIT_USAGE
    printed = str(path) == "-"
    with source.history() as history:
        chosen = source.chosen(history, options)
    folder = None if printed or options.embed else f"{path.stem}_files"
    text, pictures = _text(form, chosen, folder)
    if printed:
        sys.stdout.write(text)
        return EXIT_OK
    try:
        if pictures and folder is not None:
            (path.parent / folder).mkdir(parents=True, exist_ok=True)
            for picture in pictures:
                (path.parent / folder / picture.name).write_bytes(picture.data)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotebookError(f"{error.filename} cannot be written: {error.strerror}.") from None
    done = sum(not step.left_out for step in chosen.steps)
    left = len(chosen.steps) - done
    also = f", {left} left out" if left else ""
    count = f"{len(pictures)} picture{'' if len(pictures) == 1 else 's'}"
    beside = f" and {count} in {folder}" if pictures and folder is not None else ""
    print(f"Wrote {path}{beside}: {done} step{'' if done == 1 else 's'}{also}.", file=sys.stderr)
    return EXIT_OK


def _text(form: str, chosen: source.Chosen, folder: str | None) -> tuple[str, list[Any]]:
    if form == "voice":
        from voice_kernel.script import voicefile

        return voicefile.write(chosen.steps, chosen.title), []
    if form == "ipynb":
        from voice_kernel.export.notebook import notebook

        made = notebook(chosen.recorded, one_line(chosen.title))
        return json.dumps(made, indent=1, ensure_ascii=False) + "\n", []
    from voice_kernel.export.pictures import Pictures
    from voice_kernel.export.report import report

    pictures = Pictures(folder)
    return report(chosen.recorded, chosen.title, chosen.about, pictures), pictures.found


def _prune(options: argparse.Namespace) -> int:
    from voice_kernel.settings import load

    settings = load()
    days, tasks = settings.history_days, settings.history_tasks
    if options.older_than is not None or options.keep is not None:
        days = _days(options.older_than) if options.older_than is not None else 0
        tasks = options.keep or 0
    with source.history() as history:
        gone = history.prune(days=days, tasks=tasks, dry_run=options.dry_run)
    verb = "Would remove" if options.dry_run else "Removed"
    print(
        f"{verb} {gone.tasks} tasks in {gone.threads} conversations and {gone.sessions} sessions, and "
        f"{gone.logs} logs ({gone.log_bytes / 1e6:.1f} MB)."
    )
    return EXIT_OK


# ---- values of options ----------------------------------------------------------------------------


def _states(text: str) -> tuple[TaskState, ...]:
    states = tuple(name.strip().lower().replace("-", "_") for name in text.split(",") if name.strip())
    for name in states:
        if name not in STATES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(STATES)}")
    return states  # type: ignore[return-value]  # checked against the names just now


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def _moment(text: str | None, now: float, end: int) -> float | None:
    if not text:
        return None
    from voice_kernel.tools.moments import span_of

    return span_of(text, now)[end]


def _days(text: str) -> int:
    now = time.time()
    moment = _moment(text, now, 0)
    days = round((now - (moment or 0)) / 86_400)
    if days < 1:
        raise ToolError(f"{one_line(text)} is less than a day ago.", hint="Say at least 1d.")
    return days
