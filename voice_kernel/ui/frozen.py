"""A turn as it stood when it ended: HTML that needs neither kernel nor script, and the same as text.

Responsible for what a saved notebook, nbconvert and a reader without JavaScript see. Pure: a turn and its
tasks in, a string out. It knows no widget and no display.

Colours are the front end's (`--jp-*`) or mixed with the page's own text colour, so that one piece of HTML
reads well on light and dark ground. Everything that came from outside is escaped, written anew
(`markup.sanitize`), or an image.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Sequence

from voice_kernel.language import N_, _, decimal, ngettext_, quoted
from voice_kernel.messages import Output, Problem, Task, TestCase, TestReport, Turn
from voice_kernel.ui.ansi import ansi_to_html, ansi_to_text
from voice_kernel.ui.markup import sanitize
from voice_kernel.usertools.shelf import AREA
from voice_kernel.widgets.frozen import widget_html

MAX_TEXT_CHARS = 100_000
"""Of the whole card without its images; what comes after is named, not shown."""
MAX_IMAGE_CHARS = 1_500_000
"""Of all images of a card, as base64."""
MAX_BLOCK_CHARS = 8_000
FOLD_LINES = 16
"""A longer output is folded away."""
MAX_FAILURES = 20
MAX_OTHER_TESTS = 100

_ROUTES = {
    "intents": N_("grammar"),
    "fuzzy": N_("closest match"),
    "model": N_("model"),
    "none": N_("not understood"),
}
_STATES = {
    "queued": ("…", N_("never started")),
    "awaiting_approval": ("…", N_("was not approved")),
    "running": ("…", N_("was still running")),
    "succeeded": ("✓", N_("done")),
    "failed": ("✗", N_("failed")),
    "cancelled": ("–", N_("cancelled")),
    "interrupted": ("■", N_("interrupted")),
}
_NOW = {
    "queued": ("…", N_("queued")),
    "awaiting_approval": ("?", N_("waiting for your approval")),
    "running": ("▸", N_("running")),
}
"""The words for tasks that may yet go on."""
_OUTCOMES = {
    "passed": ("✓", N_("passed")),
    "failed": ("✗", N_("failed")),
    "error": ("✗", N_("error")),
    "skipped": ("–", N_("skipped")),
    "xfailed": ("–", N_("failed as expected")),
    "xpassed": ("!", N_("passed unexpectedly")),
}
_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")

_LINE = "color-mix(in srgb,currentColor 18%,transparent)"
_MUTED = "opacity:.72"
_RED = "color:color-mix(in srgb,#d32f2f 72%,currentColor)"
_GREEN = "color:color-mix(in srgb,#2e8b3d 72%,currentColor)"
_AMBER = "color:color-mix(in srgb,#b07d00 72%,currentColor)"
_MONO = "font-family:var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace);font-size:12px"
_CARD = (
    f"border:1px solid {_LINE};border-radius:10px;padding:9px 13px;max-width:100%;"
    "color:var(--jp-ui-font-color1,inherit);line-height:1.45;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px"
)
_TASK = f"border:1px solid {_LINE};border-radius:8px;padding:6px 10px;margin-top:7px"
_PRE = (
    f"{_MONO};line-height:1.45;margin:5px 0 0;padding:6px 8px;border-radius:6px;"
    "background:color-mix(in srgb,currentColor 5%,transparent);color:inherit;"
    "white-space:pre-wrap;overflow-wrap:anywhere;max-height:420px;overflow:auto"
)
_TONES = {"succeeded": _GREEN, "failed": _RED, "interrupted": _RED}


def frozen_html(turn: Turn, tasks: list[Task]) -> str:
    """Return the turn as self-contained HTML: inline styles, no script, nothing that is fetched."""
    page = _Page()
    page.add(f'<div class="voice-kernel-turn" style="{_CARD}">')
    page.add(f'<div><strong style="font-size:14px">{_transcript(turn)}</strong> {_meta(turn)}</div>')
    for task in tasks:
        _task(page, task)
    if turn.answer:
        # Markdown of a model stays as written: it reads well enough, and nothing has to be trusted.
        page.add(f'<div style="margin-top:7px;white-space:pre-wrap">{html.escape(_head(turn.answer))}</div>')
    _problem(page, _own_problem(turn, tasks))
    if turn.closest:
        phrases = ", ".join(quoted(html.escape(phrase)) for phrase in turn.closest)
        page.add(f'<div style="margin-top:7px">{_("Did you mean {name}?").format(name=phrases)}</div>')
    page.add("</div>")
    return page.finish()


def frozen_text(turn: Turn, tasks: list[Task]) -> str:
    """Return the same for a terminal and for front ends that show no HTML."""
    lines = [quoted(turn.text) if turn.text else _("(nothing was heard)")]
    if turn.route:
        lines[0] += f"  [{_(_ROUTES[turn.route])}]"
    lines += [task_text(task) for task in tasks]
    if turn.answer:
        lines.append(_head(turn.answer))
    problem = _own_problem(turn, tasks)
    if problem:
        lines += _problem_lines(problem)
    if turn.closest:
        lines.append(_("Did you mean: ") + "; ".join(turn.closest))
    return _head("\n".join(lines), MAX_TEXT_CHARS)


def _own_problem(turn: Turn, tasks: list[Task]) -> Problem | None:
    """Return the turn's problem, unless one of its tasks tells it already."""
    return None if any(task.problem == turn.problem for task in tasks) else turn.problem


def _in_cell(task: Task) -> bool:
    """Say whether the outputs of code stand in the cell itself, right beside the card."""
    # A table of tasks or servers, and what a server answers, are no code's.
    return task.origin in ("magic", "script") and task.area not in ("tasks", "mcp")


def _outputs(task: Task, now: bool) -> list[Output]:
    """Return the outputs that are to be shown: those that do not stand in the cell beside the card.

    What a tool of the user's returns from its thread is shown in the cell; what it raises is not.
    """
    result = task.result
    if result is None:
        return []
    if now or not _in_cell(task):
        return result.outputs
    if task.area == AREA and not result.code:
        return [output for output in result.outputs if output.kind == "error"]
    return []


def _tells_by_tail(task: Task) -> bool:
    """Say whether what a task printed is nowhere but in its tail.

    What code prints is among its outputs; a tool of the user's that runs in a thread only has results there.
    """
    result = task.result
    if result is None or not (result.tests or result.outputs or result.text):
        return True
    return task.area == AREA and not result.code


def task_html(task: Task) -> str:
    """Return one task as it is now, by itself, as self-contained HTML."""
    page = _Page()
    page.add(f'<div class="voice-kernel-task" style="{_CARD}">')
    _task(page, task, now=True)
    page.add("</div>")
    return page.finish()


def state_words(task: Task) -> tuple[str, str]:
    """Return the mark and the words for the state in which a task is now."""
    mark, word = _NOW.get(task.state) or _STATES[task.state]
    return mark, _(word)


def _settled_words(task: Task) -> tuple[str, str]:
    """Return them for the state that a task was left in."""
    mark, word = _STATES[task.state]
    return mark, _(word)


def task_text(task: Task, *, now: bool = False) -> str:
    """Return one task for a terminal: its state on a line, then what it came to.

    Args:
        task: the task.
        now: whether it is shown as it is now, by itself, instead of as it ended beside its cell.
    """
    mark, word = state_words(task) if now else _settled_words(task)
    lines = [f"{mark} {task.id} {task.title}: {word}{_comma(_seconds(task))}"]
    body: list[str] = []
    if task.problem:
        body += _problem_lines(task.problem)
    if task.result:
        body += _result_lines(task, now)
    elif task.tail:
        body.append(_tail(ansi_to_text(task.tail)))
    lines += [f"  {line}" for text in body for line in text.splitlines()]
    return "\n".join(lines)


def _is_told(task: Task) -> bool:
    """Say whether the problem says all that the summary says."""
    return (
        task.result is not None and task.problem is not None and task.problem.message == task.result.summary
    )


class _Page:
    """Collects pieces until the caps are reached, then only what closes them."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._text_left = MAX_TEXT_CHARS
        self._images_left = MAX_IMAGE_CHARS
        self._dropped = 0

    def add(self, piece: str) -> None:
        """Append markup that must not be left out."""
        self._pieces.append(piece)

    def add_block(self, piece: str) -> None:
        """Append a complete element, unless the card is full."""
        if len(piece) > self._text_left:
            self._dropped += 1
            return
        self._text_left -= len(piece)
        self._pieces.append(piece)

    def add_image(self, source: str, label: str) -> None:
        """Append an image, given as a data URI, unless the images are too many."""
        if len(source) > self._images_left:
            self.add_block(f'<div style="{_MUTED}">[{_("image left out")}: {html.escape(label)}]</div>')
            return
        self._images_left -= len(source)
        self._pieces.append(
            f'<img src="{source}" alt="{html.escape(label)}" '
            'style="max-width:100%;height:auto;margin-top:6px;background:#fff;border-radius:6px;display:block">'
        )

    def finish(self) -> str:
        """Return all of it, with a word about what is missing."""
        if self._dropped:
            self._pieces.insert(-1, f'<div style="{_MUTED}">… {_("more was shown while it ran.")}</div>')
        return "".join(self._pieces)


# ---- pieces of HTML -------------------------------------------------------------------------------


def _transcript(turn: Turn) -> str:
    return quoted(html.escape(_head(turn.text, 2_000))) if turn.text else _("Nothing was heard")


def _meta(turn: Turn) -> str:
    parts = []
    if turn.route:
        parts.append(_(_ROUTES[turn.route]))
    if turn.latency_s is not None:
        parts.append(_duration(turn.latency_s))
    if turn.state == "cancelled":
        parts.append(_("cancelled"))
    return f'<span style="{_MUTED};font-size:12px">{" · ".join(parts)}</span>' if parts else ""


def _task(page: _Page, task: Task, *, now: bool = False) -> None:
    mark, word = state_words(task) if now else _settled_words(task)
    tone = _TONES.get(task.state, _MUTED)
    page.add(f'<div style="{_TASK}">')
    page.add(
        f'<div><span style="{tone};font-weight:600">{mark} {word}</span> '
        f'<span style="{_MUTED}">{task.id}</span> '
        f'<code style="{_MONO};background:none;color:inherit">{html.escape(_head(task.title, 500))}</code> '
        f'<span style="{_MUTED};font-size:12px">{_seconds(task)}</span></div>'
    )
    _problem(page, task.problem)
    result = task.result
    if result:
        if result.summary and not result.tests and not _is_told(task):
            page.add_block(f'<div style="margin-top:4px">{html.escape(_head(result.summary, 1_000))}</div>')
        if result.tests:
            _tests(page, result.tests)
        if result.code:
            page.add_block(_pre(result.code, _("Code"), html.escape))
        for output in _outputs(task, now):
            _output(page, output)
        if result.text and not result.outputs and not result.widgets:
            page.add_block(_pre(result.text, _("Result"), html.escape))
        for widget in result.widgets:
            page.add_block(widget_html(widget.root))
    if task.tail and _tells_by_tail(task):
        page.add_block(_pre(_tail(task.tail), _("Output"), ansi_to_html))
    notes = _notes(task)
    if notes:
        page.add_block(f'<div style="{_MUTED};font-size:12px;margin-top:4px">{html.escape(notes)}</div>')
    page.add("</div>")


def _tests(page: _Page, report: TestReport) -> None:
    counts = [
        f'<span style="{tone}">{counted.format(count=f"<b>{number}</b>")}</span>'
        for number, counted, tone in _counts(report)
    ]
    counted = ", ".join(counts) or _("No tests ran")
    took = _("in {duration}").format(duration=_duration(report.duration_s))
    page.add_block(f'<div style="margin-top:4px">{counted} {took}</div>')
    failures = [case for case in report.cases if case.outcome in ("failed", "error")]
    for number, case in enumerate(failures[:MAX_FAILURES]):
        word = _(_OUTCOMES[case.outcome][1])
        detail = _pre(case.detail, "", ansi_to_html, fold=False) if case.detail else ""
        message = (
            f'<div style="{_MONO};margin-top:3px">{html.escape(case.message)}</div>' if case.message else ""
        )
        page.add_block(
            f'<details{" open" if number < 3 else ""} style="margin-top:6px">'
            f'<summary><span style="{_RED};font-weight:600">✗ {word}</span> '
            f'<code style="{_MONO};background:none;color:inherit">{html.escape(_name(case))}</code> '
            f'<span style="{_MUTED};font-size:12px">{html.escape(_place(case))}</span></summary>'
            f"{message}{detail}</details>"
        )
    if len(failures) > MAX_FAILURES:
        page.add_block(
            f"<div>… {_('and {count} more failures.').format(count=len(failures) - MAX_FAILURES)}</div>"
        )
    others = [case for case in report.cases if case.outcome not in ("failed", "error")][:MAX_OTHER_TESTS]
    if others:
        rows = "".join(
            f'<tr><td style="padding:1px 12px 1px 0">{" ".join(map(_, _OUTCOMES[case.outcome]))}</td>'
            f'<td style="{_MONO};padding:1px 12px 1px 0;text-align:left">{html.escape(_name(case))}</td>'
            f'<td style="{_MUTED};padding:1px 0">{_duration(case.duration_s)}</td></tr>'
            for case in others
        )
        page.add_block(
            f'<details style="margin-top:6px"><summary style="{_MUTED}">{_("The other tests")}</summary>'
            f'<table style="border-collapse:collapse;font-size:12px"><tbody>{rows}</tbody></table></details>'
        )


def _output(page: _Page, output: Output) -> None:
    if output.kind in ("stream", "error"):
        label = "Traceback" if output.kind == "error" else _("Printed output")
        page.add_block(_pre(_tail(output.text), label, ansi_to_html))
        return
    data = output.data
    plain = data.get("text/plain", "")
    image = _image(data)
    if image:
        page.add_image(image, _head(plain, 200) or "figure")
        return
    if "text/html" in data and len(data["text/html"]) <= MAX_TEXT_CHARS:
        clean = sanitize(data["text/html"])
        if re.sub(r"<[^>]*>", "", clean).strip():
            page.add_block(f'<div style="margin-top:6px;overflow:auto;max-height:420px">{clean}</div>')
            return
    if plain:
        page.add_block(_pre(_head(plain), _("Result"), html.escape))


def _image(data: dict[str, str]) -> str:
    for mime in _IMAGES:
        encoded = "".join(data.get(mime, "").split())
        if encoded and _BASE64.fullmatch(encoded):
            return f"data:{mime};base64,{encoded}"
    svg = data.get("image/svg+xml")
    if svg:
        # As an image it can neither run scripts nor reach the page.
        return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
    return ""


def _pre(text: str, label: str, convert: Callable[[str], str], *, fold: bool = True) -> str:
    text = text.rstrip("\n")
    body = f'<pre style="{_PRE}">{convert(_head(text))}</pre>'
    lines = text.count("\n") + 1
    if not fold or lines <= FOLD_LINES:
        return body
    summary = _("{label}, {count} lines").format(label=label, count=lines)
    return f'<details style="margin-top:5px"><summary style="{_MUTED}">{summary}</summary>{body}</details>'


def _problem(page: _Page, problem: Problem | None) -> None:
    if problem is None:
        return
    hint = f'<div style="{_MUTED}">{html.escape(_head(problem.hint, 2_000))}</div>' if problem.hint else ""
    page.add_block(
        f'<div style="margin-top:6px;padding-left:9px;border-left:3px solid #d32f2f">'
        f'<div style="{_RED};font-weight:600">{html.escape(_head(problem.message, 2_000))}</div>{hint}</div>'
    )


# ---- words ----------------------------------------------------------------------------------------


def _problem_lines(problem: Problem) -> list[str]:
    return [line for line in (problem.message, problem.hint) if line]


def _result_lines(task: Task, now: bool) -> list[str]:
    result = task.result
    assert result is not None
    lines = [result.summary] if result.summary and not _is_told(task) else []
    if result.tests:
        for case in result.tests.cases:
            if case.outcome in ("failed", "error"):
                where = f" ({_place(case)})" if _place(case) else ""
                lines.append(f"✗ {case.id}{where}: {case.message}")
    if result.code:
        lines.append(_head(result.code))
    for output in _outputs(task, now):
        shown = output.text or output.data.get("text/plain", "")
        if not shown and output.data:
            shown = f"[{next(iter(output.data))}]"
        lines.append(_tail(ansi_to_text(shown)))
    if result.text and not result.outputs:
        lines.append(_head(ansi_to_text(result.text)))
    if task.tail and _tells_by_tail(task):
        lines.append(_tail(ansi_to_text(task.tail)))
    notes = _notes(task)
    return [*lines, notes] if notes else lines


def _notes(task: Task) -> str:
    notes = []
    result = task.result
    if result and result.exit_code:
        notes.append(_("exit code {code}").format(code=result.exit_code))
    if task.output_bytes > MAX_BLOCK_CHARS:
        notes.append(_("{size} of output").format(size=_size(task.output_bytes)))
    if task.log_path:
        notes.append(_("log: {path}").format(path=task.log_path))
    if task.log_cut_bytes:
        notes.append(_("{size} past the log's limit were not kept").format(size=_size(task.log_cut_bytes)))
    return " · ".join(notes)


def _counts(report: TestReport) -> Sequence[tuple[int, str, str]]:
    """Return how many tests came to what: the number, the words around it, and their colour."""
    all_of_them = (
        (report.failed, _("{count} failed"), _RED),
        (report.errors, ngettext_("{count} error", "{count} errors", report.errors), _RED),
        (report.passed, _("{count} passed"), _GREEN),
        (report.skipped, _("{count} skipped"), _MUTED),
    )
    return [one for one in all_of_them if one[0]]


def _name(case: TestCase) -> str:
    return case.id.partition("::")[2] or case.id


def _place(case: TestCase) -> str:
    return f"{case.file}:{case.line}" if case.file and case.line else case.file


def _seconds(task: Task) -> str:
    if task.started_at is None or task.ended_at is None:
        return ""
    return _duration(task.ended_at - task.started_at)


def _comma(text: str) -> str:
    return f", {text}" if text else ""


def _duration(seconds: float) -> str:
    if seconds < 0.995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 60:
        return f"{decimal(seconds, 1)} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _size(count: int) -> str:
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1_000:
            return f"{value:.0f} {unit}"
        value /= 1_000
    return f"{value:.1f} GB"


def _head(text: str, limit: int = MAX_BLOCK_CHARS) -> str:
    return text if len(text) <= limit else text[:limit] + " …"


def _tail(text: str) -> str:
    if len(text) <= MAX_BLOCK_CHARS:
        return text
    kept = text[-MAX_BLOCK_CHARS + 10 :]
    # From a line's start, where one is near.
    line = kept.find("\n")
    return "…\n" + (kept[line + 1 :] if 0 <= line < 1_000 else kept)
