"""Turns, tasks and approvals as rows, and rows as what they were.

Here is what a row may hold: how much of a task is kept, and that no secret is in it. Knows the columns,
not how they are written or read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from voice_kernel.language import _
from voice_kernel.messages import Approval, Output, Problem, Result, Task, TestReport, Turn, Widget
from voice_kernel.store.redaction import Redaction
from voice_kernel.store.words import indexed

MAX_OUTPUTS_CHARS = 256 * 1024
"""Of all text in the outputs of a task together."""
MAX_IMAGES_CHARS = 4 * 1024**2
"""Of all images of a task together, as base64; so that a report can have pictures."""
MAX_ARGUMENTS_CHARS = 256 * 1024
MAX_DATA_CHARS = 64 * 1024
MAX_CASES_CHARS = 512 * 1024
MAX_ANSWER_CHARS = 256 * 1024
MAX_UTTERANCE_CHARS = 500

MAX_GOING_ON_CHARS = 256 * 1024
GOING_ON = "going_on"
"""In the row of an approval: what is needed to go on from its answer."""
THEN = "then"
"""In that: the calls that come after it."""

LIGHT = {"summary", "exit_code"}
"""What lists show of a result."""
HEAVY = {"result", "tail"}
HEAVY_WHEN_ENDED = HEAVY | {"progress"}

Row = dict[str, Any]
Kept = TypeVar("Kept", bound=BaseModel)


class Rows:
    """Makes rows of one session.

    Args:
        session_id: whose.
        workspace: for what it works.
        redaction: hides secrets.
    """

    def __init__(self, session_id: str, workspace: str, redaction: Redaction) -> None:
        self._session_id = session_id
        self._workspace = workspace
        self._redaction = redaction

    def text(self, text: str, limit: int) -> str:
        """Return a short text as it may be kept: cut, without secrets and signs no database takes."""
        return clean(self._redaction.text(text)[:limit])

    def turn(self, turn: Turn, thread_id: str) -> Row:
        """Make the row of a turn."""
        if len(turn.answer) > MAX_ANSWER_CHARS:
            turn = turn.model_copy(update={"answer": _cut(turn.answer, MAX_ANSWER_CHARS)})
        if any(len(str(call.arguments)) > MAX_ARGUMENTS_CHARS for call in turn.calls):
            calls = [call for call in turn.calls if len(str(call.arguments)) <= MAX_ARGUMENTS_CHARS]
            turn = turn.model_copy(update={"calls": calls})
        document = _json(turn)
        text, answer = turn.text[:10_000], turn.answer[:2_000]
        if self._redaction.suspects(document):
            document, text, answer = (
                self._redaction.json(document),
                self.text(text, 10_000),
                self.text(answer, 2_000),
            )
        return {
            "session_id": self._session_id,
            "number": turn.id,
            "thread_id": thread_id,
            "state": turn.state,
            "created_at": turn.created_at,
            "text": clean(text),
            "words": indexed(text, answer),
            "data": document,
        }

    def task(self, task: Task, thread_id: str, utterance: str) -> Row:
        """Make the row of a task."""
        if sum(len(str(value)) for value in task.arguments.values()) > MAX_ARGUMENTS_CHARS:
            task = task.model_copy(update={"arguments": {}})
        result = task.result
        document = _json(task, without=HEAVY if task.ended_at is None else HEAVY_WHEN_ENDED)
        heavy = None
        if result is not None:
            document = f'{document[:-1]},"result":{_json(result, only=LIGHT)}}}'
            heavy = f'{{"tail":{json.dumps(task.tail)},"result":{_json(capped(result))}}}'
        elif task.tail:
            heavy = f'{{"tail":{json.dumps(task.tail)}}}'
        summary = result.summary if result is not None else ""
        problem = task.problem.message if task.problem is not None else ""
        told = [utterance[:MAX_UTTERANCE_CHARS], task.title, summary, problem]
        if self._redaction.suspects(document, heavy or "", utterance):
            document = self._redaction.json(document)
            heavy = self._redaction.json(heavy) if heavy is not None else None
            told = [self.text(text, 1_000) for text in told]
        return {
            "session_id": self._session_id,
            "number": task.id,
            "thread_id": thread_id,
            "turn": task.turn_id,
            "workspace": self._workspace,
            "tool": task.tool,
            "area": task.area,
            "state": task.state,
            "created_at": task.created_at,
            "ended_at": task.ended_at,
            "utterance": clean(told[0]),
            "log_path": clean(task.log_path),
            "words": indexed(*told),
            "data": document,
            "heavy": heavy,
        }

    def approval(self, approval: Approval, thread_id: str, going_on: dict[str, Any] | None = None) -> Row:
        """Make the row of an approval.

        Args:
            approval: as it is.
            thread_id: its conversation.
            going_on: what is needed to go on from its answer after a restart. Left out where it is too
                large, and where the call holds a secret: without that it would be another call.
        """
        arguments = approval.arguments if len(str(approval.arguments)) <= MAX_DATA_CHARS else {}
        document = self._redaction.json(_json(approval.model_copy(update={"arguments": arguments})))
        if going_on is not None:
            document = self._with_going_on(document, approval, going_on)
        return {
            "session_id": self._session_id,
            "number": approval.id,
            "thread_id": thread_id,
            "task": approval.task_id,
            "state": approval.state,
            "created_at": approval.created_at,
            "data": document,
        }

    def _with_going_on(self, document: str, approval: Approval, going_on: dict[str, Any]) -> str:
        calls = [approval.arguments, going_on.get(THEN, [])]
        row = json.loads(document)
        try:
            added = json.dumps(going_on)
        except (TypeError, ValueError):  # arguments of user tools may be anything
            return document
        unchanged = row.get("arguments", {}) == approval.arguments and self._redaction.value(calls) == calls
        if not unchanged or len(added) > MAX_GOING_ON_CHARS:
            return document
        return self._redaction.json(json.dumps({**row, GOING_ON: going_on}, ensure_ascii=False))

    def reason(self, problem: Problem | None) -> str:
        """Return what an event says of a problem, as JSON."""
        if problem is None:
            return ""
        return self._redaction.json(_json(problem.model_copy(update={"message": problem.message[:500]})))


def _json(value: BaseModel, *, without: set[str] | None = None, only: set[str] | None = None) -> str:
    """Write a value as JSON; defaults are left out, since most of a task is defaults."""
    try:
        return value.model_dump_json(exclude_defaults=True, exclude=without, include=only)
    except (ValueError, TypeError):
        # Arguments of user tools may be anything, and text may hold halves of characters.
        document = json.dumps(
            value.model_dump(exclude_defaults=True, exclude=without, include=only), default=str
        )
        return json.dumps(_whole(json.loads(document)), ensure_ascii=False)


def clean(text: str) -> str:
    """Return text as every database takes it: no NUL, no half characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _whole(item) for key, item in value.items()}
    return value


# ---- what is too large ----------------------------------------------------------------------------


def capped(result: Result) -> Result:
    """Return a result of a size that can be kept; what is left out is named."""
    if _is_small(result):
        return result
    data = result.data if len(str(result.data)) <= MAX_DATA_CHARS else {}
    return result.model_copy(
        update={
            "text": _cut(result.text, MAX_OUTPUTS_CHARS),
            "code": _cut(result.code, MAX_OUTPUTS_CHARS),
            "outputs": list(_capped_outputs(result.outputs)),
            "tests": _capped_tests(result.tests),
            "data": data,
            "widgets": list(_capped_widgets(result.widgets)),
        }
    )


def _is_small(result: Result) -> bool:
    if result.tests is not None or len(str(result.data)) > MAX_DATA_CHARS:
        return False
    size = len(result.text) + len(result.code)
    size += sum(len(str(widget.root)) + len(widget.copy_text) for widget in result.widgets)
    size += sum(len(output.text) + sum(map(len, output.data.values())) for output in result.outputs)
    return size <= MAX_OUTPUTS_CHARS


def _capped_widgets(widgets: list[Widget]) -> Iterator[Widget]:
    """Yield the widgets that fit; the text of the result says what the others were."""
    room = MAX_OUTPUTS_CHARS
    for widget in widgets:
        room -= len(str(widget.root)) + len(widget.copy_text)
        if room >= 0:
            yield widget


def _capped_outputs(outputs: list[Output]) -> Iterator[Output]:
    texts, images = MAX_OUTPUTS_CHARS, MAX_IMAGES_CHARS
    for position, output in enumerate(outputs):
        texts -= len(output.text)
        kept, left_out = {}, []
        # The plain text of a display comes first: it is small, and says something of what is left out.
        for mime, value in sorted(output.data.items(), key=lambda item: item[0] != "text/plain"):
            if mime.startswith("image/") and mime != "image/svg+xml":
                fits = len(value) <= images
                images -= len(value) if fits else 0
            else:
                fits = len(value) <= texts
                texts -= len(value) if fits else 0
            if fits:
                kept[mime] = value
            else:
                left_out.append(f"{mime}, {len(value) / 1e6:.1f} MB")
        text = output.text
        if texts < 0:
            text, texts = _cut(text, max(0, len(text) + texts)), 0
        if left_out:
            note = _("not kept in the history: {names}").format(names="; ".join(left_out))
            text = f"{text}[{note}]"
        yield output.model_copy(update={"data": kept, "text": text})
        if texts <= 0 and images <= 0 and position + 1 < len(outputs):
            more = len(outputs) - position - 1
            note = _("{count} more outputs are not kept in the history").format(count=more)
            yield Output(kind="stream", text=f"[{note}]")
            return


def _capped_tests(tests: TestReport | None) -> TestReport | None:
    if tests is None:
        return None
    room, cases = MAX_CASES_CHARS, []
    for case in tests.cases:
        room -= len(case.message) + len(case.detail) + len(case.id) + 100
        if room < 0:
            break
        cases.append(case)
    return tests.model_copy(update={"cases": cases})


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    note = _("the rest is not kept in the history: {count} characters").format(count=len(text) - limit)
    return f"{text[:limit]}\n[{note}]"


# ---- back again -----------------------------------------------------------------------------------


def task_of(row: Row, *, heavy: bool) -> Task:
    """Return the task of a row.

    Args:
        row: columns of `tasks`.
        heavy: whether the row has the column `heavy`, and its content is wanted.
    """
    fields = _object(row["data"])
    if heavy and row["heavy"]:
        fields |= {key: value for key, value in _object(row["heavy"]).items() if value is not None}
    known = {
        "id": row["number"],
        "turn_id": row["turn"],
        "tool": row["tool"],
        "state": row["state"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
    }
    return _restored(Task, {"title": row["tool"], "area": row["area"], **fields}, known)


def approval_of(row: Row) -> tuple[Approval, dict[str, Any] | None]:
    """Return the approval of a row, and what is needed to go on from its answer, if that was kept."""
    fields = _object(row["data"])
    going_on = fields.pop(GOING_ON, None)
    known = {"id": row["number"], "task_id": row["task"], "created_at": row["created_at"]}
    approval = _restored(Approval, {"tool": "", "target": "", "reason": "", **fields}, known)
    return approval, going_on if isinstance(going_on, dict) and approval.tool else None


def turn_of(row: Row) -> Turn:
    """Return the turn of a row."""
    known = {"id": row["number"], "state": row["state"], "created_at": row["created_at"]}
    return _restored(Turn, {"origin": "text", "text": row["text"], **_object(row["data"])}, known)


def _object(document: str) -> dict[str, Any]:
    try:
        value = json.loads(document)
    except ValueError:
        return {}  # the columns must do: one bad row is no reason to show none
    return value if isinstance(value, dict) else {}


def _restored(model: type[Kept], fields: dict[str, Any], known: dict[str, Any]) -> Kept:
    """Make a value of what another version of voice_kernel may have written.

    Fields that this version does not have are dropped; where one does not fit, the columns must do.
    """
    fields |= known  # the columns have the last word
    for _again in range(3):
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                _drop(fields, detail["loc"] if detail["type"] == "extra_forbidden" else detail["loc"][:1])
    return model.model_validate(fields)


def _drop(fields: Any, path: tuple[int | str, ...]) -> None:
    *way, last = path
    for step in way:
        fields = fields.get(step) if isinstance(fields, dict) else fields[step]
        if not isinstance(fields, dict | list):
            return
    if isinstance(fields, dict):
        fields.pop(last, None)
