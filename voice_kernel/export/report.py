"""A conversation as a report in Markdown.

Whatever was said, printed or answered is text of strangers as far as the page is concerned: it stands in
code spans and fenced blocks that it cannot end, so that none of it is ever markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime

from voice_kernel.export.pictures import Pictures
from voice_kernel.messages import Problem, Task, TestReport
from voice_kernel.script.outcome import TaskOutcome
from voice_kernel.script.step import Recorded
from voice_kernel.tools.shell import duration
from voice_kernel.tools.terminal import plain

MAX_LINES = 60
"""Of one output; its end says most."""
MAX_LINE_CHARS = 500
MAX_TESTS = 50
MARKS = {"succeeded": "✓", "failed": "✗", "cancelled": "–", "interrupted": "■"}
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
"""Controls, and what turns the direction of text around: it would hide what is there."""


def report(
    recorded: Sequence[Recorded], title: str, about: Sequence[tuple[str, str]], pictures: Pictures
) -> str:
    """Return the report.

    Args:
        recorded: the turns with their tasks, in order.
        title: what it is a report of.
        about: what else there is to say of the whole, as pairs of a name and a value.
        pictures: takes the images.
    """
    tasks = [task for one in recorded for task in one.tasks]
    lines = [f"# {span(title) if title else 'Tasks'}", ""]
    rows = [*about, ("tasks", _counted(tasks))]
    lines += ["| | |", "|---|---|", *(f"| {name} | {cell(value)} |" for name, value in rows), ""]
    if tasks:
        lines += ["| no | what | outcome | took |", "|---:|---|---|---:|"]
        lines += [f"| {task.id} | {cell(task.title)} | {_outcome(task)} | {_took(task)} |" for task in tasks]
        lines.append("")
    for one in recorded:
        lines += _turn(one, pictures)
    return "\n".join(lines).rstrip() + "\n"


def span(text: str) -> str:
    """Return text of strangers as a code span: on one line, and never markup."""
    shown = " ".join(visible(text).split()) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def cell(text: str) -> str:
    """Return text of strangers as a code span in a table, where a bar would end the cell."""
    return span(text).replace("|", "\\|")


def block(text: str, language: str = "text") -> list[str]:
    """Return text of strangers as the lines of a fenced block that none of them can end."""
    lines = visible(text).rstrip().split("\n")
    if len(lines) > MAX_LINES:
        lines = [f"… {len(lines) - MAX_LINES} lines before", *lines[-MAX_LINES:]]
    cut = [line if len(line) <= MAX_LINE_CHARS else f"{line[:MAX_LINE_CHARS]} …" for line in lines]
    fence = "`" * max(3, _longest_run("\n".join(cut)) + 1)
    return [f"{fence}{language}", *cut, fence, ""]


def visible(text: str) -> str:
    """Return text without colours, redrawn lines and what no eye can see."""
    return _UNSEEN.sub("", plain(text))


def _turn(one: Recorded, pictures: Pictures) -> list[str]:
    turn = one.turn
    lines = [f"## {span(turn.text) if turn.text.strip() else 'Nothing was heard'}", ""]
    said = [f"{datetime.fromtimestamp(turn.created_at):%Y-%m-%d %H:%M:%S}", f"by {turn.origin}"]
    said += [f"understood by {turn.route}"] if turn.route not in (None, "none") else []
    said += ["not understood"] if turn.route == "none" else []
    lines += [", ".join(said), ""]
    for task in one.tasks:
        lines += _task(task, pictures)
    if turn.problem is not None and not any(task.problem == turn.problem for task in one.tasks):
        lines += _problem(turn.problem)
    if turn.answer:
        lines += ["Answer:", "", *block(turn.answer, "markdown")]
    return lines


def _task(task: Task, pictures: Pictures) -> list[str]:
    took = _took(task)
    lines = [f"### {task.id}. {span(task.title)}", ""]
    lines += [f"{_outcome(task)}{f', {took}' if took else ''}", ""]
    code = task.result.code if task.result is not None else ""
    if task.arguments and list(task.arguments.values()) != [code]:
        lines += block(json.dumps(task.arguments, indent=2, ensure_ascii=False), "json")
    if task.problem is not None:
        lines += _problem(task.problem)
    result = task.result
    if result is None:
        return lines + (["Output:", "", *block(task.tail)] if task.tail.strip() else [])
    if result.summary and (task.problem is None or result.summary != task.problem.message):
        lines += [span(result.summary), ""]
    if result.tests is not None:
        lines += _tests(result.tests)
    if result.code.strip():
        lines += ["Code:", "", *block(result.code, "python")]
    shown = pictures.of(task)
    text = "" if result.tests is not None else task.tail if task.tail.strip() else result.text
    if text.strip() and text.strip() not in [picture.label for picture in shown]:
        lines += ["Output:", "", *block(text)]
    for picture in shown:
        label = re.sub(r"[^\w ,.-]+", " ", visible(picture.label))[:100].strip() or "figure"
        lines += [f"![{label}]({pictures.address(picture)})", ""]
    if task.log_path:
        lines += [f"Log: {span(task.log_path)}", ""]
    return lines


def _tests(tests: TestReport) -> list[str]:
    shown = [case for case in tests.cases if case.outcome not in ("passed", "skipped")]
    shown += [case for case in tests.cases if case.outcome in ("passed", "skipped")]
    lines = ["| test | outcome | took |", "|---|---|---:|"]
    lines += [
        f"| {cell(case.id)} | {case.outcome} | {duration(case.duration_s)} |" for case in shown[:MAX_TESTS]
    ]
    lines.append("")
    counted = tests.passed + tests.failed + tests.errors + tests.skipped
    if counted > min(len(shown), MAX_TESTS):
        lines += [f"and {counted - min(len(shown), MAX_TESTS)} more.", ""]
    for case in shown[:MAX_TESTS]:
        if case.detail or case.message:
            lines += [f"{span(case.id)}:", "", *block(case.detail or case.message)]
    return lines if counted else []


def _problem(problem: Problem) -> list[str]:
    told = [text for text in (problem.message, problem.hint) if text]
    return [f"{span(problem.kind)}:", "", *block("\n".join(told))]


def _outcome(task: Task) -> str:
    words = TaskOutcome.of(task)
    said = f"{MARKS.get(task.state, '…')} {task.state.replace('_', ' ')}"
    if words.exit_code:
        said += f", exit status {words.exit_code}"
    return said + (f", {words.tests}" if words.tests is not None else "")


def _took(task: Task) -> str:
    if task.started_at is None or task.ended_at is None:
        return ""
    return duration(max(0.0, task.ended_at - task.started_at))


def _counted(tasks: Sequence[Task]) -> str:
    states: dict[str, int] = {}
    for task in tasks:
        states[task.state] = states.get(task.state, 0) + 1
    return ", ".join(f"{number} {state}" for state, number in states.items()) or "none"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
