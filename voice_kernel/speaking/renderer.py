"""A turn, a task or a question as a short spoken answer: no code, no ids, numbers rounded.

Decides the words and nothing else: whether and when they are heard is `answering`'s part, and what is left
out is on the screen. Summaries, problems and hints come as the tools wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice_kernel.language import capital
from voice_kernel.messages import Approval, Result, Task, TestReport, Turn, Verbosity
from voice_kernel.speaking.failures import problem_said, test_failure
from voice_kernel.speaking.phrases import Phrases, phrases_of, plural
from voice_kernel.speaking.pronunciation import pronounced
from voice_kernel.speaking.prose import first_sentences, markdown_said, sentences, settled

SHORT_CHARS = 200
FULL_CHARS = 1_200
MAX_ANSWER_CHARS = 6_000
"""Of a model's answer that is still being written, so much is looked at again with every piece."""
MAX_FAILURES = 4
"""Failed tests that are named in a full answer; a short one names one."""
MAX_TASKS = 3
ONE_LINE_CHARS = 90
"""The one line that a command put out is read when it is no longer."""

WENT_WRONG = frozenset({"failed", "interrupted"})
READS = frozenset({"where_am_i", "read_cell", "read_output", "read_error", "explain_error", "read_page"})
"""Tools by which a person asks to be told something."""

_PLAIN_LINE = re.compile(r"[\w\s.,;:!?'’%()-]+$")
_SHELL_DONE = re.compile(r"^Exit 0 \w+ (?P<time>.+)$")
_CODE_SHOWN = re.compile(r"[\[\]{}<>=]|\w\(")


class Renderer:
    """Puts what happened into words.

    Args:
        language: of the session, as an ISO 639-1 code.
    """

    def __init__(self, language: str = "en") -> None:
        self.phrases: Phrases = phrases_of(language)
        self.language = language

    def turn(self, turn: Turn, tasks: Sequence[Task], verbosity: Verbosity) -> str:
        """Return what is said of a turn that has ended; empty when nothing is.

        Args:
            turn: as it ended.
            tasks: what it did, in order.
            verbosity: `errors` says nothing of what went well.
        """
        if verbosity == "off" or turn.state == "cancelled":
            return ""
        if turn.state == "nothing":
            return self._not_understood(turn)
        if turn.state == "failed":
            return self._failed(turn, tasks, verbosity)
        asked = any(task.tool in READS for task in tasks)
        if turn.state != "succeeded" or (verbosity == "errors" and not asked):
            return ""
        if turn.answer and turn.route == "model":
            return self._fitted(markdown_said(turn.answer, self.phrases), verbosity)
        if turn.answer:
            return self._fitted(pronounced(turn.answer, self.phrases), verbosity)
        said = [self.result(task, verbosity) for task in tasks if task.result is not None]
        parts = [part for part in said if part]
        if len(parts) > MAX_TASKS:
            parts = [*parts[: MAX_TASKS - 1], parts[-1]]
        return " ".join(dict.fromkeys(parts))  # the same words are said once

    def so_far(self, answer: str, verbosity: Verbosity) -> list[str]:
        """Return the sentences of a model's answer that are sure while it is still being written.

        They are the first ones of what `turn` will return of it.
        """
        if verbosity not in ("short", "full"):
            return []
        limit = FULL_CHARS if verbosity == "full" else SHORT_CHARS
        kept: list[str] = []
        for sentence in sentences(
            markdown_said(settled(answer[:MAX_ANSWER_CHARS]), self.phrases, notes=False)
        ):
            if len(sentence) > limit * 2 or (kept and sum(map(len, kept)) + len(sentence) > limit):
                break
            kept.append(sentence)
        return kept

    def task(self, task: Task, verbosity: Verbosity) -> str:
        """Return what is said of a task that has ended."""
        if task.state in WENT_WRONG:
            return self._went_wrong(task, verbosity)
        return self.result(task, verbosity) if task.state == "succeeded" and verbosity != "errors" else ""

    def result(self, task: Task, verbosity: Verbosity) -> str:
        """Return what is said of what a task gave back."""
        result = task.result
        if result is None:
            return ""
        if result.tests is not None:
            return self._tests(result.tests, verbosity)
        if result.exit_code is not None and task.tool == "run_shell":
            return self._command(result)
        summary = _sentence(pronounced(result.summary, self.phrases))
        value = _value(result)
        if value and _CODE_SHOWN.search(value):
            if value in result.summary:
                summary = self.phrases.result_on_screen
        elif value and len(value) <= ONE_LINE_CHARS and task.tool in ("show_variable", "run_cells"):
            said = pronounced(value.strip("'\""), self.phrases)
            name = pronounced(str(task.arguments.get("name", "")), self.phrases)
            if said and task.tool == "run_cells":
                summary = f"{summary} {self.phrases.result_is.format(said)}"
            elif said and name:
                summary = _sentence(self.phrases.is_value.format(name, said))
        if verbosity == "full":
            more = self._more(task, result)
            return self._fitted(f"{summary} {more}".strip(), verbosity)
        return self._fitted(summary or self.phrases.done, verbosity)

    def approval(self, approval: Approval) -> str:
        """Return the question of an approval: what would be done, and how to answer."""
        reason = _sentence(pronounced(approval.reason, self.phrases))
        return self.phrases.asks_plain.format(reason).replace("  ", " ")

    def question(self, text: str) -> str:
        """Return the question of a turn as it is asked aloud."""
        return pronounced(text, self.phrases)

    # ---- inside -----------------------------------------------------------------------------------

    def _not_understood(self, turn: Turn) -> str:
        if turn.problem is None:
            return ""  # silence, noise, or talk that was meant for somebody else
        if turn.closest:
            return self.phrases.not_understood_closest.format(pronounced(turn.closest[0], self.phrases))
        return self._with_hint(problem_said(turn.problem, self.phrases), turn.problem.hint)

    def _failed(self, turn: Turn, tasks: Sequence[Task], verbosity: Verbosity) -> str:
        for task in reversed(tasks):
            if task.state in WENT_WRONG:
                return self._went_wrong(task, verbosity)
        if turn.problem is None:
            return self.phrases.failed_plain
        return self._with_hint(problem_said(turn.problem, self.phrases), turn.problem.hint)

    def _went_wrong(self, task: Task, verbosity: Verbosity) -> str:
        tests = task.result.tests if task.result is not None else None
        if tests is not None and (tests.failed or tests.errors):
            return self._tests(tests, verbosity)
        if task.problem is None:
            return self.phrases.interrupted if task.state == "interrupted" else self.phrases.failed_plain
        return self._with_hint(problem_said(task.problem, self.phrases), task.problem.hint)

    def _with_hint(self, message: str, hint: str) -> str:
        """Return a problem with what to do next: of a long hint, its first sentence."""
        said = _sentence(pronounced(hint, self.phrases)) if hint else ""
        first = sentences(said)[:1]
        return self._fitted(" ".join([_sentence(message) or self.phrases.failed_plain, *first]), "full")

    def _tests(self, report: TestReport, verbosity: Verbosity) -> str:
        phrases = self.phrases
        counts = []
        if report.passed:
            counts.append(phrases.passed.format(report.passed))
        if report.failed:
            counts.append(phrases.failed.format(report.failed))
        if report.errors:
            counts.append(plural(phrases.errors, report.errors))
        if report.skipped and verbosity == "full":
            counts.append(phrases.skipped.format(report.skipped))
        if not counts:
            return phrases.skipped.format(report.skipped) + "." if report.skipped else phrases.no_tests
        bad = [case for case in report.cases if case.outcome in ("failed", "error")]
        number = report.failed + report.errors
        if not bad:
            return f"{', '.join(counts)}."
        shown = [test_failure(case, phrases) for case in bad[: MAX_FAILURES if verbosity == "full" else 1]]
        more = number - len(shown)
        names = "; ".join(shown)
        if more > 0 and len(shown) == 1:
            return f"{', '.join(counts)}. {phrases.first_failure.format(names)}."
        if more > 0:
            names = f"{names}; {plural(phrases.and_more, more)}"
        return f"{', '.join(counts)}: {names}."

    def _command(self, result: Result) -> str:
        lines = [line.strip() for line in result.text.splitlines() if line.strip()]
        if len(lines) == 1 and len(lines[0]) <= ONE_LINE_CHARS and _PLAIN_LINE.match(lines[0]):
            said = pronounced(lines[0], self.phrases)
            if said:
                return _sentence(said)
        if len(lines) > 1:
            return plural(self.phrases.done_lines, len(lines))
        taken = _SHELL_DONE.match(result.summary)
        return (
            self.phrases.done_in.format(pronounced(taken["time"], self.phrases))
            if taken
            else self.phrases.done
        )

    def _more(self, task: Task, result: Result) -> str:
        """Return what a full answer adds to a summary: the first lines, where they are words."""
        pictures = sum(any(mime.startswith("image/") for mime in output.data) for output in result.outputs)
        if pictures:
            return plural(self.phrases.picture, pictures)
        if task.area in ("research", "session", "tasks", "mcp") and result.text:
            return markdown_said(result.text[: FULL_CHARS * 2], self.phrases)
        return ""

    def _fitted(self, text: str, verbosity: Verbosity) -> str:
        return first_sentences(text, FULL_CHARS if verbosity == "full" else SHORT_CHARS, self.phrases)


def _value(result: Result) -> str:
    """Return the one line that code gave back last; empty where it gave back more, or nothing."""
    value = next((o.data.get("text/plain", "") for o in reversed(result.outputs) if o.kind == "result"), "")
    return "" if "\n" in value else value


def _sentence(text: str) -> str:
    """Return words as a sentence: a capital at the beginning, a stop at the end."""
    text = text.strip()
    if not text:
        return ""
    text = capital(text)
    return text if text[-1] in ".!?" else f"{text}."
