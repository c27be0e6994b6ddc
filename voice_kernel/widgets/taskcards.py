"""What the session does, as ChatKit widgets: the card of a task, of an approval, the list of tasks.

Plain JSON in ChatKit's words. Text of commands and of results is shown as text, never as Markdown, so that
nothing in it can be read as a link or a picture; code and output stand in a code block that they cannot end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from voice_kernel.language import N_, _
from voice_kernel.messages import Approval, Task, TaskState

Json = dict[str, Any]

APPROVE, DENY = "voice_kernel.approve", "voice_kernel.deny"
CANCEL_TASK, RETRY_TASK = "voice_kernel.cancel_task", "voice_kernel.retry_task"
SHOW_TASKS = "voice_kernel.show_tasks"

MAX_TEXT = 8_000
MAX_IMAGES = 4
MAX_IMAGE_CHARS = 200_000
MAX_LISTED = 50
MAX_FAILURES = 10

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")

BADGES: dict[TaskState, tuple[str, str]] = {
    "queued": (N_("Queued"), "secondary"),
    "awaiting_approval": (N_("Waits for you"), "warning"),
    "running": (N_("Running"), "info"),
    "succeeded": (N_("Done"), "success"),
    "failed": (N_("Failed"), "danger"),
    "cancelled": (N_("Cancelled"), "secondary"),
    "interrupted": (N_("Interrupted"), "warning"),
}
"""A word and a colour for each state."""


def plain(text: str) -> str:
    """Return text without the control sequences of a terminal."""
    return _ANSI.sub("", text).replace("\r\n", "\n")


def fenced(text: str, language: str = "") -> str:
    """Return a code block of Markdown that nothing in the text can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def has_body(task: Task) -> bool:
    """Return whether a task has more to show than one line."""
    result = task.result
    if task.problem is not None or task.tail:
        return True
    return result is not None and bool(result.text or result.outputs or result.tests or result.code)


def task_card(task: Task) -> Json:
    """Return the card of a task, as it is now."""
    word, colour = BADGES[task.state]
    children: list[Json] = [
        {
            "type": "Row",
            "key": "head",
            "align": "center",
            "justify": "between",
            "children": [
                {"type": "Text", "value": task.title[:200], "weight": "semibold", "truncate": True},
                {"type": "Badge", "label": _(word), "color": colour},
            ],
        }
    ]
    progress = task.progress
    if task.ended_at is None and progress is not None:
        label = progress.label or _("Under way")
        percent = None if progress.fraction is None else round(progress.fraction * 100)
        children.append(
            {"type": "Progress", "id": f"progress-{task.id}", "label": label, "value": percent}
            if percent is not None
            else {"type": "Caption", "value": label}
        )
    children += _body(task)
    children.append({"type": "Row", "key": "buttons", "children": [_button(task)]})
    return {"type": "Card", "size": "md", "key": f"task-{task.id}", "children": children}


def _body(task: Task) -> Iterable[Json]:
    result, problem = task.result, task.problem
    if problem is not None and task.state != "cancelled":
        yield {"type": "Text", "value": problem.message[:2_000], "color": "danger"}
        if problem.hint:
            yield {"type": "Caption", "value": problem.hint[:1_000]}
    if result is None:
        if task.tail:
            yield _block(task.tail)
        return
    if result.summary:
        yield {"type": "Text", "value": plain(result.summary)[:2_000]}
    if result.code:
        yield _block(result.code, "python")
    if result.tests is not None:
        tests = result.tests
        counts = (
            (N_("{count} passed"), tests.passed, "success"),
            (N_("{count} failed"), tests.failed, "danger"),
            (N_("{count} errors"), tests.errors, "danger"),
            (N_("{count} skipped"), tests.skipped, "secondary"),
        )
        yield {
            "type": "Row",
            "key": "tests",
            "children": [
                {"type": "Badge", "label": _(words).format(count=count), "color": colour}
                for words, count, colour in counts
                if count or words == counts[0][0]
            ],
        }
        failed = [case for case in tests.cases if case.outcome in ("failed", "error")]
        for case in failed[:MAX_FAILURES]:
            yield {"type": "Text", "value": case.id[:300], "size": "sm", "weight": "medium"}
            if case.message:
                yield {"type": "Caption", "value": case.message[:500]}
        return
    printed = "".join(output.text for output in result.outputs)
    shown = [
        output.data["text/plain"]
        for output in result.outputs
        if output.data.get("text/plain") and not _picture(output.data)
    ]
    text = "\n".join(part for part in (printed or result.text, *shown) if part)
    if text:
        yield _block(text)
    elif task.tail:
        yield _block(task.tail)
    pictures = [picture for output in result.outputs if (picture := _picture(output.data))]
    for picture in pictures[:MAX_IMAGES]:
        yield {
            "type": "Image",
            "src": picture,
            "alt": _("Figure of {title}").format(title=task.title)[:200],
            "fit": "contain",
        }


def _block(text: str, language: str = "") -> Json:
    text = plain(text)
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 2]}\n[...]\n{text[-MAX_TEXT // 2 :]}"
    return {"type": "Markdown", "value": fenced(text, language)}


def _picture(data: dict[str, str]) -> str:
    for kind in ("image/png", "image/jpeg"):
        if kind in data and len(data[kind]) <= MAX_IMAGE_CHARS:
            encoded = "".join(data[kind].split())
            return f"data:{kind};base64,{encoded}"
    return ""


def _button(task: Task) -> Json:
    ended = task.ended_at is not None
    action = RETRY_TASK if ended else CANCEL_TASK
    return {
        "type": "Button",
        "key": "retry" if ended else "cancel",
        "label": _("Retry") if ended else _("Cancel"),
        "size": "sm",
        "variant": "outline",
        "onClickAction": {"type": action, "payload": {"task_id": task.id}},
    }


def approval_card(approval: Approval) -> Json:
    """Return the card that asks for a yes; once it is answered, without its buttons."""
    children: list[Json] = [
        {"type": "Title", "value": approval.reason[:300], "size": "sm"},
        {"type": "Caption", "value": approval.tool},
        {"type": "Markdown", "value": fenced(plain(approval.target)[:4_000])},
    ]
    if approval.diff is not None:
        changed = f"{approval.diff.action} {approval.diff.name}"
        children.append({"type": "Caption", "value": changed})
        children.append({"type": "Markdown", "value": fenced(approval.diff.after[:4_000], "python")})
    card: Json = {"type": "Card", "size": "md", "key": f"approval-{approval.id}", "children": children}
    if approval.state == "open":
        payload = {"approval_id": approval.id}
        card["confirm"] = {"label": _("Approve"), "action": {"type": APPROVE, "payload": payload}}
        card["cancel"] = {"label": _("Deny"), "action": {"type": DENY, "payload": payload}}
    else:
        word = {"approved": N_("Approved"), "denied": N_("Denied"), "expired": N_("Expired")}[approval.state]
        colour = "success" if approval.state == "approved" else "secondary"
        children.append({"type": "Badge", "label": _(word), "color": colour})
    return card


def task_list(tasks: Iterable[Task]) -> Json:
    """Return the task manager: the newest first, with what can be done to each."""
    newest = sorted(tasks, key=lambda task: task.id, reverse=True)[:MAX_LISTED]
    if not newest:
        nothing = _("Nothing has been done yet.")
        return {"type": "Card", "children": [{"type": "Text", "value": nothing}]}
    rows = []
    for task in newest:
        word, colour = BADGES[task.state]
        told = task.problem.message if task.problem else task.result.summary if task.result else ""
        said: list[Json] = [{"type": "Text", "value": f"{task.id}. {task.title}"[:200], "truncate": True}]
        if told:
            said.append({"type": "Caption", "value": plain(told)[:300], "truncate": True})
        rows.append(
            {
                "type": "ListViewItem",
                "key": f"task-{task.id}",
                "align": "center",
                "children": [
                    {"type": "Badge", "label": _(word), "color": colour},
                    {"type": "Col", "flex": 1, "gap": 0, "children": said},
                    _button(task),
                ],
            }
        )
    return {"type": "ListView", "key": "tasks", "limit": 10, "children": rows}
