"""Turns, tasks and approvals as rows, and rows as what they were.

Here is what a row may hold: how much of a task is kept, and that no secret is in it. Knows the columns,
not how they are written or read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from voice_kernel.messages import Approval, Output, Problem, Result, Task, TestReport, Turn
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
        answer = _cut(turn.answer, MAX_ANSWER_CHARS)
        calls = [c for c in turn.calls if len(str(c.arguments)) <= MAX_ARGUMENTS_CHARS]
        text = self.text(turn.text, 10_000)
        return {
            "session_id": self._session_id,
            "number": turn.id,
            "thread_id": thread_id,
            "state": turn.state,
            "created_at": turn.created_at,
            "text": text,
            "words": indexed(text, self.text(answer, 2_000)),
            "data": self._json(turn.model_copy(update={"answer": answer, "calls": calls})),
        }

    def task(self, task: Task, thread_id: str, utterance: str) -> Row:
        """Make the row of a task."""
        result = task.result
        light = Result(summary=result.summary, exit_code=result.exit_code) if result else None
        arguments = task.arguments
        if sum(len(str(value)) for value in arguments.values()) > MAX_ARGUMENTS_CHARS:
            arguments = {}
        progress = task.progress if task.ended_at is None else None
        without = {"result": light, "tail": "", "arguments": arguments, "progress": progress}
        heavy: str | None = None
        if result is not None or task.tail:
            kept = {"tail": task.tail, "result": capped(result) if result else None}
            heavy = self._json(Task.model_construct(None, **kept))
        utterance = self.text(utterance, MAX_UTTERANCE_CHARS)
        told = (task.title, result.summary if result else "", task.problem.message if task.problem else "")
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
            "utterance": utterance,
            "log_path": clean(task.log_path),
            "words": indexed(utterance, *(self.text(text, 1_000) for text in told)),
            "data": self._json(task.model_copy(update=without)),
            "heavy": heavy,
        }

    def approval(self, approval: Approval, thread_id: str) -> Row:
        """Make the row of an approval."""
        arguments = approval.arguments if len(str(approval.arguments)) <= MAX_DATA_CHARS else {}
        return {
            "session_id": self._session_id,
            "number": approval.id,
            "thread_id": thread_id,
            "task": approval.task_id,
            "state": approval.state,
            "created_at": approval.created_at,
            "data": self._json(approval.model_copy(update={"arguments": arguments})),
        }

    def reason(self, problem: Problem | None) -> str:
        """Return what an event says of a problem, as JSON."""
        if problem is None:
            return ""
        return self._json(problem.model_copy(update={"message": problem.message[:500]}))

    def _json(self, value: BaseModel) -> str:
        try:
            # Defaults are left out: most of a task is defaults.
            document = value.model_dump_json(exclude_defaults=True)
        except (ValueError, TypeError):
            # Arguments of user tools may be anything; and text may hold halves of characters.
            document = json.dumps(value.model_dump(exclude_defaults=True), default=str)
            document = json.dumps(_whole(json.loads(document)), ensure_ascii=False)
        return self._redaction.json(document)


def clean(text: str) -> str:
    """Return text as every database takes it: no NUL, no half characters."""
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
    data = result.data if len(str(result.data)) <= MAX_DATA_CHARS else {}
    return result.model_copy(
        update={
            "text": _cut(result.text, MAX_OUTPUTS_CHARS),
            "code": _cut(result.code, MAX_OUTPUTS_CHARS),
            "outputs": list(_capped_outputs(result.outputs)),
            "tests": _capped_tests(result.tests),
            "data": data,
        }
    )


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
            text = f"{text}[not kept in the history: {'; '.join(left_out)}]"
        yield output.model_copy(update={"data": kept, "text": text})
        if texts <= 0 and images <= 0 and position + 1 < len(outputs):
            more = len(outputs) - position - 1
            yield Output(kind="stream", text=f"[{more} more outputs are not kept in the history]")
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
    return f"{text[:limit]}\n[the rest is not kept in the history: {len(text) - limit} characters]"


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
        "area": row["area"],
        "title": row["tool"],
        "state": row["state"],
        "created_at": row["created_at"],
        "ended_at": row["ended_at"],
    }
    return _restored(Task, fields, known)


def turn_of(row: Row) -> Turn:
    """Return the turn of a row."""
    known = {
        "id": row["number"],
        "state": row["state"],
        "origin": "text",
        "text": row["text"],
        "created_at": row["created_at"],
    }
    return _restored(Turn, _object(row["data"]), known)


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
    fields = known | fields
    for _ in range(3):
        try:
            return model.model_validate(fields)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                _drop(fields, detail["loc"] if detail["type"] == "extra_forbidden" else detail["loc"][:1])
    return model.model_validate(known)


def _drop(fields: Any, path: tuple[int | str, ...]) -> None:
    *way, last = path
    for step in way:
        fields = fields.get(step) if isinstance(fields, dict) else fields[step]
        if not isinstance(fields, dict | list):
            return
    if isinstance(fields, dict):
        fields.pop(last, None)
