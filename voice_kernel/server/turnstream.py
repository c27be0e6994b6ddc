"""What a turn tells, as ChatKit's thread stream events.

A workflow with a row for each task, the answer as an assistant message that grows, a widget for what has
more to show than a line, progress, and what waits for a person: an approval as a card with two buttons, a
form or a question as structured input, what a tool asks the page to do as a client tool call. Knows the
turn it follows, and neither HTTP nor the database.

A stream ends where the turn waits for a person, as ChatKit has it; `events` goes on from there when it is
called again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatkit.icons import IconName
from chatkit.store import StoreItemType
from chatkit.types import (
    Annotation,
    AssistantMessageContent,
    AssistantMessageContentPartAdded,
    AssistantMessageContentPartAnnotationAdded,
    AssistantMessageContentPartDone,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    CustomSummary,
    CustomTask,
    ErrorEvent,
    ProgressUpdateEvent,
    SearchTask,
    StructuredInput,
    StructuredInputFreeform,
    StructuredInputItem,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThreadItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdatedEvent,
    ThreadStreamEvent,
    URLSource,
    WidgetItem,
    Workflow,
    WorkflowItem,
    WorkflowTaskAdded,
    WorkflowTaskUpdated,
)
from pydantic import TypeAdapter, ValidationError

from voice_kernel.language import N_, _, ngettext_
from voice_kernel.messages import (
    AnswerDelta,
    Approval,
    ApprovalChanged,
    ClientCall,
    FormField,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    ToSurface,
    Turn,
    TurnChanged,
    Widget,
    WidgetChanged,
    WidgetUpdated,
)
from voice_kernel.server.line import Feed
from voice_kernel.usertools.shelf import AREA
from voice_kernel.widgets.taskcards import approval_card, fenced, has_body, plain, task_card, task_list

TASKS_CHANGED = "voice_kernel.tasks_changed"
"""A client effect after each turn: what a page shows of tasks beside the thread is old."""
OUTPUT_PAUSE_S = 0.3
TAIL_LINES = 12
MAX_CONTENT = 2_000
YES, NO = N_("Yes"), N_("No")

ICONS: dict[str, IconName] = {
    "notebook": "notebook",
    "data": "analytics",
    "shell": "square-code",
    "tests": "lab",
    "browser": "globe",
    "research": "search",
    "mcp": "cube",
    "tasks": "batch",
}
"""Of an area's tasks."""

_event: TypeAdapter[ThreadItemUpdatedEvent] = TypeAdapter(ThreadItemUpdatedEvent)

NewId = Callable[[StoreItemType], str]


@dataclass(frozen=True)
class Waiting:
    """Something that a person has to answer before the turn goes on."""

    item_id: str
    approval_id: int | None = None
    turn_id: int | None = None
    """The turn that asks; None for an approval."""
    call_id: str = ""
    """What a tool waits for the page to do."""
    fields: tuple[FormField, ...] = ()


class TurnStream:
    """Follows one turn.

    Args:
        feed: its events.
        thread_id: where its items belong.
        new_id: makes names of items.
        shown: told of every approval that is shown.
        tasks: all tasks, for the list of them.
    """

    def __init__(
        self,
        feed: Feed,
        thread_id: str,
        new_id: NewId,
        shown: Callable[[Approval], None],
        tasks: Callable[[], list[Task]],
    ) -> None:
        self.feed = feed
        self.waiting: dict[str, Waiting] = {}
        """What waits for a person, by the item that shows it."""
        self._thread_id = thread_id
        self._new_id = new_id
        self._shown = shown
        self._tasks = tasks
        self._workflow: WorkflowItem | None = None
        self._rows: dict[int, int] = {}
        self._outputs: dict[int, str] = {}
        self._told_at = 0.0
        self._message: AssistantMessageItem | None = None
        self._widgets: dict[str, WidgetItem] = {}
        self._cards: dict[int, StructuredInputItem | WidgetItem] = {}
        self._question: StructuredInputItem | None = None
        self._carded: set[int] = set()
        self.finished = False
        """Whether everything has been told."""
        self._called: ClientToolCallItem | None = None
        """What the page is to do. Until it has, it is the thread's last item: there ChatKit looks for it."""
        self._caller = 0
        """The task that waits for it."""
        self._calls_seen: set[str] = set()
        self._held: deque[ToSurface] = deque()
        """What came meanwhile."""

    async def events(self) -> AsyncIterator[ThreadStreamEvent]:
        """Yield events until the turn has ended, or waits for a person."""
        if self.finished:
            return
        for again in self._open_items():
            yield ThreadItemAddedEvent(item=again)
        while True:
            if self._called is not None:
                yield await self._given_up(self._called)
            event = self._held.popleft() if self._held else await self.feed.next()
            if event is None:
                self.finished = True
                for last in self._finish():
                    yield last
                return
            for made in self._translated(event):
                yield made
            if self.waiting:
                for made in self._rest():
                    yield made
                if self._called is not None:
                    yield ThreadItemDoneEvent(item=self._called)
                return

    def answered(self, item_id: str) -> None:
        """Note that what waited for a person, or for the page, has its answer."""
        self.waiting.pop(item_id, None)
        if self._called is not None and self._called.id == item_id:
            self._called = None

    async def _given_up(self, called: ClientToolCallItem) -> ThreadItemReplacedEvent:
        """Wait until nobody waits any more for what the page has not done; what else comes is held back."""
        over = any(self._is_over(event, called) for event in self._held)
        while not over and (event := await self.feed.next()) is not None:
            self._held.append(event)
            over = self._is_over(event, called)
        self.answered(called.id)
        task = self.feed.tasks.get(self._caller)
        problem = task.problem if task is not None else None
        why = problem.message if problem is not None else _("Nobody waits for it any more.")
        return ThreadItemReplacedEvent(
            item=called.model_copy(update={"status": "completed", "output": {"error": why}})
        )

    def _is_over(self, event: ToSurface, called: ClientToolCallItem) -> bool:
        if not isinstance(event, TaskChanged) or event.task.id != self._caller:
            return False
        call = event.task.client_call
        return call is None or call.id != called.call_id

    @property
    def still_waits(self) -> bool:
        """Whether nothing has happened to what waits for a person."""
        return bool(self.waiting) and not self.feed.has_news

    def _open_items(self) -> list[ThreadItem]:
        """Return the items that were begun and not ended: somebody else reads from here on."""
        begun: list[ThreadItem | None] = [self._workflow, self._message, *self._widgets.values()]
        return [item.model_copy(deep=True) for item in begun if item is not None]

    def _translated(self, event: ToSurface) -> Iterator[ThreadStreamEvent]:
        match event:
            case TaskChanged(task=task):
                yield from self._task(task)
            case TaskOutput():
                yield from self._output(event)
            case TaskProgress():
                yield from self._progress(event)
            case AnswerDelta(text=text):
                yield from self._say(text)
            case TurnChanged(turn=turn):
                yield from self._turn(turn)
            case ApprovalChanged(approval=approval):
                yield from self._approval(approval)
            case WidgetChanged(widget=widget):
                yield from self._widget(widget)
            case WidgetUpdated():
                yield from self._widget_update(event)

    # ---- tasks ------------------------------------------------------------------------------------

    def _task(self, task: Task) -> Iterator[ThreadStreamEvent]:
        yield from self._row(task)
        if task.client_call is not None and task.ended_at is None:
            self._call(task.id, task.client_call)
        if task.ended_at is None or task.id in self._carded:
            return
        self._carded.add(task.id)
        for widget in task.result.widgets if task.result is not None else []:
            yield from self._widget(widget)
        mine = [key for key in self._widgets if key.startswith(f"{task.id}:")]
        for key in mine:
            yield ThreadItemDoneEvent(item=self._widgets.pop(key))
        if mine:
            return
        if task.tool == "list_tasks" and task.state == "succeeded":
            yield self._done_widget(task_list(self._tasks()), task.result.text if task.result else "")
        elif has_body(task):
            yield self._done_widget(task_card(task), _copied(task))

    def _call(self, task_id: int, call: ClientCall) -> None:
        if call.id in self._calls_seen:
            return
        self._calls_seen.add(call.id)
        self._caller = task_id
        self._called = ClientToolCallItem(
            **self._base("tool_call"), call_id=call.id, name=call.name, arguments=call.arguments
        )
        self.waiting[self._called.id] = Waiting(self._called.id, call_id=call.id)

    def _row(self, task: Task) -> Iterator[ThreadStreamEvent]:
        row = self._row_of(task)
        at = self._rows.get(task.id)
        if self._workflow is None:
            workflow = Workflow(type="custom", tasks=[row], expanded=True)
            self._workflow = WorkflowItem(**self._base("workflow"), workflow=workflow)
            self._rows = {task.id: 0}
            yield ThreadItemAddedEvent(item=self._workflow.model_copy(deep=True))
            return
        tasks = self._workflow.workflow.tasks
        if at is None:
            self._rows[task.id] = len(tasks)
            tasks.append(row)
            update: WorkflowTaskAdded | WorkflowTaskUpdated = WorkflowTaskAdded(
                task_index=len(tasks) - 1, task=row
            )
        elif tasks[at] == row:
            return
        else:
            tasks[at] = row
            update = WorkflowTaskUpdated(task_index=at, task=row)
        yield ThreadItemUpdatedEvent(item_id=self._workflow.id, update=update)

    def _row_of(self, task: Task) -> CustomTask | SearchTask:
        indicator: Any = "none"
        if task.ended_at is not None:
            indicator = "complete"
        elif task.state == "running":
            indicator = "loading"
        if task.tool in ("web_search", "read_page"):
            query = str(task.arguments.get("query", ""))
            return SearchTask(
                title=task.title[:200],
                title_query=query or None,
                queries=[query] if query else [],
                sources=_sources(task),
                status_indicator=indicator,
            )
        return CustomTask(
            title=task.title[:200],
            icon=ICONS.get(task.area, "bolt"),
            content=self._content(task)[:MAX_CONTENT] or None,
            status_indicator=indicator,
        )

    def _content(self, task: Task) -> str:
        if task.problem is not None:
            return f"{task.problem.message} {task.problem.hint}".strip()
        if task.ended_at is not None:
            return plain(task.result.summary) if task.result is not None else task.state
        if task.state == "awaiting_approval":
            return _("Waits for your approval.")
        if task.state == "queued":
            words = _("Number {number} in the queue.")
            return words.format(number=task.queue_position) if task.queue_position else ""
        if task.client_call is not None:
            return _("Waits for the page.")
        tail = self._outputs.get(task.id, task.tail)
        lines = plain(tail).splitlines()[-TAIL_LINES:]
        return fenced("\n".join(lines)) if lines else ""

    def _output(self, event: TaskOutput) -> Iterator[ThreadStreamEvent]:
        task = self.feed.tasks.get(event.task_id)
        if task is None:
            return
        before = self._outputs.get(task.id, task.tail)
        self._outputs[task.id] = (before + event.text)[-MAX_CONTENT:]
        now = time.monotonic()
        if now - self._told_at >= OUTPUT_PAUSE_S:  # a page need not draw every line of a build
            self._told_at = now
            yield from self._row(task)

    def _progress(self, event: TaskProgress) -> Iterator[ThreadStreamEvent]:
        task, progress = self.feed.tasks.get(event.task_id), event.progress
        if task is None or progress is None:
            return
        said = [progress.label or task.title]
        if progress.fraction is not None:
            said.append(f"{progress.fraction:.0%}")
        elif progress.done is not None:
            words = "{done:g}" if progress.total is None else _("{done:g} of {total:g}")
            counted = words.format(done=progress.done, total=progress.total)
            said.append(f"{counted} {progress.unit}".strip())
        yield ProgressUpdateEvent(icon=ICONS.get(task.area, "bolt"), text=" · ".join(said))

    # ---- the answer -------------------------------------------------------------------------------

    def _say(self, text: str) -> Iterator[ThreadStreamEvent]:
        if not text:
            return
        if self._message is None:
            self._message = AssistantMessageItem(**self._base("message"), content=[])
            yield ThreadItemAddedEvent(item=self._message.model_copy(deep=True))
            part = AssistantMessageContent(text="")
            self._message.content.append(part)
            added = AssistantMessageContentPartAdded(content_index=0, content=part.model_copy())
            yield ThreadItemUpdatedEvent(item_id=self._message.id, update=added)
        self._message.content[0].text += text
        delta = AssistantMessageContentPartTextDelta(content_index=0, delta=text)
        yield ThreadItemUpdatedEvent(item_id=self._message.id, update=delta)

    def _turn(self, turn: Turn) -> Iterator[ThreadStreamEvent]:
        said = self._message.content[0].text if self._message is not None else ""
        if turn.answer.startswith(said) and (said or turn.ended_at is None):
            yield from self._say(turn.answer[len(said) :])
        if turn.asks and self._question is None:
            yield from self._ask(turn)
        elif not turn.asks and self._question is not None:
            yield from self._settled(self._question, "skipped")
            self._question = None

    def _finish(self) -> Iterator[ThreadStreamEvent]:
        """Say how it ended, and end what is open."""
        turn = self.feed.turn
        yield from self._rest()
        said = self._message.content[0].text if self._message is not None else ""
        text, annotations = self._closing(turn, said)
        yield from self._say(text)
        if self._message is not None:
            content = self._message.content[0]
            for at, annotation in enumerate(annotations):
                content.annotations.append(annotation)
                added = AssistantMessageContentPartAnnotationAdded(
                    content_index=0, annotation_index=at, annotation=annotation
                )
                yield ThreadItemUpdatedEvent(item_id=self._message.id, update=added)
            done = AssistantMessageContentPartDone(content_index=0, content=content.model_copy(deep=True))
            yield ThreadItemUpdatedEvent(item_id=self._message.id, update=done)
            yield ThreadItemDoneEvent(item=self._message)
            self._message = None
        for task in self.feed.tasks.values():
            if (effect := _effect(task)) is not None:
                yield ClientEffectEvent(name=effect[0], data=effect[1])
        if self.feed.tasks:
            yield ClientEffectEvent(name=TASKS_CHANGED, data={"tasks": sorted(self.feed.tasks)})
        if self.feed.problem is not None:
            problem = self.feed.problem
            yield ErrorEvent(code="custom", message=str(problem), allow_retry=True)

    def _closing(self, turn: Turn | None, said: str) -> tuple[str, list[Annotation]]:
        """Return what is still to be said at the end, and where it comes from."""
        if turn is None or turn.ended_at is None:
            return "", []
        if said:
            rest = turn.answer[len(said) :] if turn.answer.startswith(said) else ""
            problem = turn.problem
            return rest + (f"\n\n{problem.message} {problem.hint}".rstrip() if problem else ""), []
        cited = [task for task in self.feed.tasks.values() if _citations(task)]
        if cited:
            return _quoted(cited)
        parts = [turn.answer] if turn.answer else []
        if not parts and turn.route != "model":
            parts = [
                plain(task.result.summary)
                for task in self.feed.tasks.values()
                if task.result is not None and task.result.summary and task.problem is None
            ]
        if turn.problem is not None:
            parts.append(f"{turn.problem.message} {turn.problem.hint}".strip())
        if turn.closest:
            parts.append(_("Closest: {sentences}.").format(sentences="; ".join(turn.closest)))
        if not parts and turn.state == "cancelled":
            parts.append(_("Cancelled."))
        return "\n\n".join(dict.fromkeys(parts)), []

    def _rest(self) -> Iterator[ThreadStreamEvent]:
        """End the workflow and live widgets: the turn has ended, or waits."""
        if self._workflow is not None:
            tasks = [self.feed.tasks[task_id] for task_id in self._rows if task_id in self.feed.tasks]
            for task in tasks:  # what they put out last may have been held back
                yield from self._row(task)
            self._workflow.workflow.summary = CustomSummary(title=_summary(tasks), icon="batch")
            self._workflow.workflow.expanded = False
            yield ThreadItemDoneEvent(item=self._workflow)
            self._workflow, self._rows = None, {}
        for key in list(self._widgets):
            yield ThreadItemDoneEvent(item=self._widgets.pop(key))

    # ---- what waits for a person ------------------------------------------------------------------

    def _approval(self, approval: Approval) -> Iterator[ThreadStreamEvent]:
        shown = self._cards.get(approval.id)
        if shown is None and approval.state == "open":
            if approval.fields:
                fields = [_input(field, approval) for field in approval.fields]
                item: StructuredInputItem | WidgetItem = StructuredInputItem(
                    **self._base("message"), inputs=fields
                )
            else:
                item = self._widget_item(approval_card(approval), f"{approval.reason} {approval.target}")
            self._cards[approval.id] = item
            self.waiting[item.id] = Waiting(item.id, approval.id, fields=tuple(approval.fields))
            yield ThreadItemDoneEvent(item=item)
            self._shown(approval)
        elif shown is not None and approval.state != "open":
            self.waiting.pop(shown.id, None)
            del self._cards[approval.id]
            if isinstance(shown, WidgetItem):
                card = self._widget_item(approval_card(approval), shown.copy_text or "", shown.id)
                yield ThreadItemReplacedEvent(item=card.model_copy(update={"created_at": shown.created_at}))
            else:
                state = "answered" if approval.state == "approved" else "skipped"
                yield from self._settled(shown, state)

    def _ask(self, turn: Turn) -> Iterator[ThreadStreamEvent]:
        choices = [StructuredInputMultipleChoiceOption(value=word) for word in (_(YES), _(NO))]
        question = StructuredInputMultipleChoice(id="answer", question=turn.asks, options=choices)
        self._question = StructuredInputItem(**self._base("message"), inputs=[question])
        self.waiting[self._question.id] = Waiting(self._question.id, None, turn.id)
        yield ThreadItemDoneEvent(item=self._question)

    def _settled(self, item: StructuredInputItem, state: Any) -> Iterator[ThreadStreamEvent]:
        if self.waiting.pop(item.id, None) is not None:  # answered elsewhere: by voice, or not at all
            yield ThreadItemReplacedEvent(item=item.model_copy(update={"status": state}))

    # ---- widgets ----------------------------------------------------------------------------------

    def _widget(self, widget: Widget) -> Iterator[ThreadStreamEvent]:
        key = f"{widget.task_id}:{widget.id}"
        shown = self._widgets.get(key)
        item = self._widget_item(
            widget.root, widget.copy_text, shown.id if shown else f"{self._new_id('message')}~{widget.id}"
        )
        if shown is None:
            self._widgets[key] = item
            yield ThreadItemAddedEvent(item=item)
        elif shown.widget != item.widget:
            self._widgets[key] = item.model_copy(update={"created_at": shown.created_at})
            update = {"type": "widget.root.updated", "widget": item.widget}
            yield _event.validate_python({"item_id": shown.id, "update": update})

    def _widget_update(self, event: WidgetUpdated) -> Iterator[ThreadStreamEvent]:
        for key, item in self._widgets.items():
            if key.partition(":")[2] == event.widget_id:
                try:
                    yield _event.validate_python({"item_id": item.id, "update": event.update})
                except ValidationError:
                    return  # the whole widget comes with the end of its task

    def _done_widget(self, root: dict[str, Any], copy_text: str) -> ThreadItemDoneEvent:
        return ThreadItemDoneEvent(item=self._widget_item(root, copy_text))

    def _widget_item(self, root: dict[str, Any], copy_text: str, item_id: str = "") -> WidgetItem:
        base = self._base("message")
        if item_id:
            base["id"] = item_id
        return widget_item(base, root, copy_text)

    def _base(self, kind: StoreItemType) -> dict[str, Any]:
        return {"id": self._new_id(kind), "thread_id": self._thread_id, "created_at": datetime.now()}


def widget_item(base: dict[str, Any], root: dict[str, Any], copy_text: str = "") -> WidgetItem:
    """Return a widget as an item; a root that ChatKit has no name for stands in a `Basic` one."""
    if root.get("type") not in ("Card", "ListView", "Basic"):
        root = {"type": "Basic", "children": [root]}
    fields = {**base, "copy_text": copy_text[:10_000] or None}
    try:
        return WidgetItem.model_validate({**fields, "widget": root})
    except ValidationError:
        text = copy_text or _("This cannot be shown here.")
        told = {"type": "Card", "children": [{"type": "Text", "value": text[:2_000]}]}
        return WidgetItem.model_validate({**fields, "widget": told})


def widget_of(item: WidgetItem) -> str:
    """Return the session's id of the widget that an item shows; empty for a card of our own."""
    return item.id.partition("~")[2]


def values_of(waiting: Waiting, answers: dict[str, list[str]]) -> dict[str, Any]:
    """Return what was filled in, in the types of the form's fields.

    Raises:
        ValueError: something required is missing, or no number.
    """
    values: dict[str, Any] = {}
    for field in waiting.fields:
        given = [value for value in answers.get(field.name, []) if value != ""]
        if not given:
            if field.required and field.default is None:
                raise ValueError(_("{field} is missing.").format(field=field.title or field.name))
            continue
        by_label = dict(zip(field.labels, field.choices, strict=False))
        match field.kind:
            case "choices":
                values[field.name] = [by_label.get(value, value) for value in given]
            case "choice":
                values[field.name] = by_label.get(given[0], given[0])
            case "boolean":
                values[field.name] = given[0].casefold() in (_(YES).casefold(), "yes", "true", "1")
            case "integer":
                values[field.name] = int(given[0])
            case "number":
                values[field.name] = float(given[0])
            case _:
                values[field.name] = given[0]
    return values


def _input(field: FormField, approval: Approval) -> StructuredInput:
    question = field.title or field.name
    if field.kind in ("choice", "choices", "boolean"):
        words = [_(YES), _(NO)] if field.kind == "boolean" else field.labels or field.choices
        return StructuredInputMultipleChoice(
            id=field.name,
            question=question,
            options=[StructuredInputMultipleChoiceOption(value=word) for word in words],
            multiple=field.kind == "choices",
        )
    told = field.description or approval.reason
    return StructuredInputFreeform(id=field.name, question=question, description=told)


def _copied(task: Task) -> str:
    result = task.result
    if result is None:
        return task.problem.message if task.problem is not None else plain(task.tail)
    text = result.text or "".join(output.text for output in result.outputs)
    return plain(text or result.summary)


KINDS: Mapping[str, str] = {
    "failed": N_("{count} failed"),
    "cancelled": N_("{count} cancelled"),
    "interrupted": N_("{count} interrupted"),
    "awaiting_approval": N_("{count} waiting for you"),
    "running": N_("{count} running"),
    "queued": N_("{count} queued"),
}
"""How many tasks of a turn have not simply succeeded."""


def _summary(tasks: list[Task]) -> str:
    count = ngettext_("{count} task", "{count} tasks", len(tasks)).format(count=len(tasks))
    counted = {kind: sum(task.state == kind for task in tasks) for kind in KINDS}
    told = [_(words).format(count=counted[kind]) for kind, words in KINDS.items() if counted[kind]]
    return f"{count}: {', '.join(told)}" if told else _("{tasks} done").format(tasks=count)


def _effect(task: Task) -> tuple[str, dict[str, Any]] | None:
    """Return what a tool of the user's own tells the page; what others return tells it nothing."""
    if task.area != AREA or task.state != "succeeded" or task.result is None:
        return None
    name, data = task.result.data.get("client_effect"), task.result.data.get("data", {})
    if not isinstance(name, str) or not name or not isinstance(data, dict):
        return None
    return name[:200], data


# ---- sources --------------------------------------------------------------------------------------


def _citations(task: Task) -> list[dict[str, Any]]:
    cited = task.result.data.get("citations") if task.result is not None else None
    if not isinstance(cited, list):
        return []
    return [one for one in cited if isinstance(one, dict) and one.get("url") and one.get("passage")]


def _sources(task: Task) -> list[URLSource]:
    by_url = {str(one["url"]): one for one in _citations(task)}
    return [_source(one) for one in by_url.values()]


def _source(cited: dict[str, Any]) -> URLSource:
    return URLSource(
        title=str(cited.get("title") or cited["url"])[:300],
        url=str(cited["url"]),
        description=str(cited["passage"])[:300],
        timestamp=str(cited.get("date") or "") or None,
        attribution=str(cited.get("site") or "") or None,
    )


def _quoted(tasks: list[Task]) -> tuple[str, list[Annotation]]:
    """Return the passages that were found, each with its source where it ends."""
    text, annotations = "", []
    for task in tasks:
        text += plain(task.result.summary if task.result is not None else "")
        for cited in _citations(task):
            text += f"\n\n{cited['passage']}"
            annotations.append(Annotation(source=_source(cited), index=len(text)))
        text += "\n\n"
    return text.rstrip(), annotations
