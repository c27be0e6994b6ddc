"""How large a task's result may be: what is more is left out, and a note says so where it was.

A result travels to every surface, into the history and to models. Tools cut their own results with more
sense than this module can; it holds the line for those that do not. It also makes sure that a result can
be sent at all: what is no JSON in `data` becomes text.
"""

from __future__ import annotations

import json
from typing import Any

from voice_kernel.language import _, ngettext_
from voice_kernel.messages import Output, Problem, Result

MAX_SUMMARY_CHARS = 500
MAX_TEXT_BYTES = 16 * 1024
MAX_CODE_BYTES = 128 * 1024
MAX_DATA_BYTES = 64 * 1024
MAX_OUTPUTS = 500
MAX_OUTPUT_BYTES = 2_000_000
MAX_OUTPUTS_BYTES = 8_000_000
MAX_MESSAGE_BYTES = 4_000
NOTE_BYTES = 64
"""Room for a note of what was left out."""


def bounded(result: Result) -> Result:
    """Return the result within its bounds; the same object when it was."""
    changes: dict[str, Any] = {}
    summary = sendable(result.summary)
    if len(summary) > MAX_SUMMARY_CHARS:
        summary = summary[: MAX_SUMMARY_CHARS - 1] + "…"
    text, code = cut(result.text, MAX_TEXT_BYTES), cut(result.code, MAX_CODE_BYTES)
    for name, kept in (("summary", summary), ("text", text), ("code", code)):
        if kept is not getattr(result, name):
            changes[name] = kept
    outputs = _outputs(result.outputs)
    if outputs is not result.outputs:
        changes["outputs"] = outputs
    data = _data(result.data)
    if data is not result.data:
        changes["data"] = data
    return result.model_copy(update=changes) if changes else result


def bounded_problem(problem: Problem) -> Problem:
    """Return the problem within its bounds: an exception may quote all it was given."""
    message, hint = cut(problem.message, MAX_MESSAGE_BYTES), cut(problem.hint, MAX_MESSAGE_BYTES)
    if message is problem.message and hint is problem.hint:
        return problem
    return problem.model_copy(update={"message": message, "hint": hint})


def sendable(text: str) -> str:
    """Return the text without lone surrogates, which names of files may hold and no JSON can."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def cut(text: str, max_bytes: int) -> str:
    """Return the beginning of a text that is longer than `max_bytes` in UTF-8, with a note of the rest."""
    text = sendable(text)
    if len(text) * 4 <= max_bytes:
        return text
    kept = text.encode()
    if len(kept) <= max_bytes:
        return text
    head = kept[: max_bytes - NOTE_BYTES].decode("utf-8", "ignore")
    note = _("{amount} more were left out").format(amount=_amount(len(kept) - len(head.encode())))
    return f"{head}\n[{note}]"


def _outputs(outputs: list[Output]) -> list[Output]:
    """Keep the newest, which hold the error if there is one, and of each what fits."""
    kept: list[Output] = []
    room = MAX_OUTPUTS_BYTES
    for output in reversed(outputs):
        output = _output(output)
        room -= _size(output)
        if len(kept) == MAX_OUTPUTS or room < 0:
            break
        kept.append(output)
    kept.reverse()
    left_out = len(outputs) - len(kept)
    if left_out:
        note = ngettext_(
            "{count} earlier output was left out", "{count} earlier outputs were left out", left_out
        ).format(count=left_out)
        return [Output(kind="stream", text=f"[{note}]\n"), *kept]
    return outputs if all(now is then for now, then in zip(kept, outputs, strict=True)) else kept


def _output(output: Output) -> Output:
    text = sendable(output.text)
    if text is not output.text or not all(value.isascii() for value in output.data.values()):
        data = {mime: sendable(value) for mime, value in output.data.items()}
        if text is not output.text or data != output.data:
            output = output.model_copy(update={"text": text, "data": data})
    if _size(output) <= MAX_OUTPUT_BYTES:
        return output
    # A picture cut in two is no picture: what does not fit goes as a whole, the largest first.
    data = dict(output.data)
    notes = []
    while data and sum(map(len, data.values())) > MAX_OUTPUT_BYTES // 2:
        largest = max(data, key=lambda mime: len(data[mime]))
        note = _("{kind} of {amount} was left out")
        notes.append("[" + note.format(kind=largest, amount=_amount(len(data.pop(largest)))) + "]")
    text = "\n".join([cut(output.text, MAX_OUTPUT_BYTES // 2), *notes]).strip("\n") if notes else output.text
    if notes and output.kind in ("display", "result") and "text/plain" not in data:
        data["text/plain"] = "\n".join(notes)
    return output.model_copy(update={"text": cut(text, MAX_OUTPUT_BYTES // 2), "data": data})


def _size(output: Output) -> int:
    return len(output.text) + sum(len(mime) + len(value) for mime, value in output.data.items())


def _data(data: dict[str, Any]) -> dict[str, Any]:
    if not data:
        return data
    try:
        size = len(json.dumps(data, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        data = {sendable(str(key)): _jsonable(value) for key, value in data.items()}
        size = _json_size(data)
    if size <= MAX_DATA_BYTES:
        return data
    kept = dict(data)
    sizes = {key: _json_size(value) for key, value in kept.items()}
    over = size - MAX_DATA_BYTES
    for key in sorted(sizes, key=lambda key: sizes[key], reverse=True):
        kept[key] = f"[{_amount(sizes[key])} were left out]"
        over -= sizes[key] - len(kept[key]) - 2  # its quotes
        if over <= 0:
            return kept
    return {"left_out": f"[{_amount(size)} were left out]"}  # so many names that they alone are too much


def _jsonable(value: Any) -> Any:
    """Return the value if JSON can carry it, else as text."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return cut(_shown(value), MAX_DATA_BYTES)
    return value


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the user's own class
        return f"<{type(value).__name__}>"


def _json_size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _amount(size: int) -> str:
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1_000:.0f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
