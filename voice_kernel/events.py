"""How state reaches every surface: one hub that keeps the current state and tells what changes.

The hub knows entities (turns, tasks, approvals, speech) by id, and nothing of how they come about, who
draws them or who writes them down. All its methods belong to the loop thread; a snapshot and a
subscription taken together are therefore consistent: nothing is lost or doubled between them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar

from voice_kernel.language import _
from voice_kernel.messages import (
    About,
    AboutChanged,
    AnswerDelta,
    Approval,
    ApprovalChanged,
    ControlSpoken,
    Keeping,
    KeepingChanged,
    Notice,
    QueueChanged,
    Speech,
    SpeechChanged,
    State,
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

MAX_TURNS = 200
MAX_TASKS = 300
MAX_TAIL_CHARS = 8_192
MAX_TAIL_LINES = 300
MAX_PENDING = 2_000
"""Changes kept for a surface that does not fetch them; past that it gets the whole state again."""

MAX_APPROVALS = 50
MAX_WIDGETS = 50
MAX_STATE_CHARS = 400_000
"""Tasks of a state message, and once more turns: the rest of it is small."""
MAX_KEPT_CHARS = 32_000_000
"""Outputs of all remembered tasks together; older ones are let go first."""
MAX_OLD_ANSWER_CHARS = 500

OPEN_TASKS = frozenset({"queued", "awaiting_approval", "running"})
OPEN_TURNS = frozenset({"listening", "understanding", "running"})

T = TypeVar("T")
E = TypeVar("E", Turn, Task, Approval)


def clip_tail(text: str) -> str:
    """Keep the newest lines: at most `MAX_TAIL_LINES` lines and `MAX_TAIL_CHARS` characters."""
    text = text[-MAX_TAIL_CHARS:]
    lines = text.splitlines(keepends=True)
    return "".join(lines[-MAX_TAIL_LINES:]) if len(lines) > MAX_TAIL_LINES else text


class EventSink(Protocol):
    """Where lower layers put their events."""

    def publish(self, message: ToSurface) -> None:
        """Record the change and hand it to every subscriber. Never blocks."""
        ...


class Subscription:
    """The changes since the last fetch, coalesced: of each entity only its newest version."""

    def __init__(self, close: Callable[[Subscription], None]) -> None:
        self._pending: OrderedDict[tuple[str, int | str], ToSurface] = OrderedDict()
        self._serial = 0
        self._wake = asyncio.Event()
        self._close = close
        self.overflowed = False

    def offer(self, message: ToSurface) -> None:
        """Queue a change, merging it with one that is still waiting."""
        if self.overflowed:
            return
        key = self._key(message)
        # To the end: what is told last has happened last, a turn's end after that of its tasks.
        waiting = self._pending.pop(key, None)
        if isinstance(message, TaskOutput) and isinstance(waiting, TaskOutput):
            message = _join_output(waiting, message)
        elif isinstance(message, AnswerDelta) and isinstance(waiting, AnswerDelta):
            message = AnswerDelta(turn_id=message.turn_id, text=waiting.text + message.text)
        elif isinstance(message, TaskChanged):
            # The whole task carries its tail: waiting output would be shown twice.
            self._pending.pop(("output", message.task.id), None)
            self._pending.pop(("progress", message.task.id), None)
        elif isinstance(message, TurnChanged):
            self._pending.pop(("answer", message.turn.id), None)
        elif isinstance(message, WidgetChanged):
            self._drop_updates(message.widget.id)
        elif isinstance(message, WidgetUpdated):
            message = self._joined(message, waiting)
        self._pending[key] = message
        if len(self._pending) > MAX_PENDING:
            self._pending.clear()
            self.overflowed = True
        self._wake.set()

    def _joined(self, message: WidgetUpdated, waiting: ToSurface | None) -> WidgetUpdated:
        """Join an update with those of its widget that still wait."""
        update = message.update
        if update.get("type") == "widget.root.updated":
            self._drop_updates(message.widget_id)  # it has them in it
        elif isinstance(waiting, WidgetUpdated):  # more of a text that grows
            delta = f"{waiting.update['delta']}{update['delta']}"
            return WidgetUpdated(widget_id=message.widget_id, update={**update, "delta": delta})
        return message

    def _drop_updates(self, widget_id: str) -> None:
        of_it = [
            key for key in self._pending if key[0] == "widget_update" and str(key[1]).startswith(widget_id)
        ]
        for key in of_it:
            del self._pending[key]

    def restart(self, state: State) -> None:
        """Queue a whole state, after what waits: whoever follows a turn must hear of its end."""
        if self.overflowed:
            return  # it fetches the state anyway
        for key in [key for key in self._pending if key[0] not in ("turn", "task", "approval", "once")]:
            del self._pending[key]  # the state has it
        self._pending[("state", 0)] = state
        self._wake.set()

    async def changes(self) -> list[ToSurface]:
        """Wait for changes and return them in order; empty once after an overflow."""
        await self._wake.wait()
        self._wake.clear()
        batch = list(self._pending.values())
        self._pending.clear()
        return batch

    def close(self) -> None:
        """Stop receiving; a second call does nothing."""
        self._close(self)

    def _key(self, message: ToSurface) -> tuple[str, int | str]:
        if isinstance(message, TurnChanged):
            return ("turn", message.turn.id)
        if isinstance(message, TaskChanged):
            return ("task", message.task.id)
        if isinstance(message, TaskOutput):
            return ("output", message.task_id)
        if isinstance(message, TaskProgress):
            return ("progress", message.task_id)
        if isinstance(message, QueueChanged):
            return ("queue", message.lane)
        if isinstance(message, AnswerDelta):
            return ("answer", message.turn_id)
        if isinstance(message, ApprovalChanged):
            return ("approval", message.approval.id)
        if isinstance(message, WidgetChanged):
            return ("widget", message.widget.id)
        if isinstance(message, WidgetUpdated):
            # Of a text that grows there is one; nothing else is sent of components yet.
            return ("widget_update", f"{message.widget_id}/{message.update.get('component_id', '')}")
        if isinstance(message, SpeechChanged):
            return ("speech", 0)
        if isinstance(message, KeepingChanged):
            return ("keeping", 0)
        if isinstance(message, AboutChanged):
            return ("about", 0)
        self._serial += 1
        return ("once", self._serial)


def _join_output(first: TaskOutput, second: TaskOutput) -> TaskOutput:
    text = first.text + second.text
    kept = clip_tail(text)
    cut = len(text.encode()) - len(kept.encode())
    return TaskOutput(
        task_id=second.task_id,
        text=kept,
        output_bytes=second.output_bytes,
        skipped_bytes=first.skipped_bytes + second.skipped_bytes + cut,
    )


class Hub:
    """Keeps the newest version of every entity and tells each subscriber what changes."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.speech = Speech()
        self.keeping = Keeping()
        self.turns: OrderedDict[int, Turn] = OrderedDict()
        self.tasks: OrderedDict[int, Task] = OrderedDict()
        self.approvals: OrderedDict[int, Approval] = OrderedDict()
        self.widgets: OrderedDict[str, Widget] = OrderedDict()
        self._subscriptions: list[Subscription] = []
        self._ear: EventSink | None = None

    def publish(self, message: ToSurface) -> None:
        """Record the change and hand it to every subscriber. Never blocks."""
        self._record(message)
        if self._ear is not None:
            self._ear.publish(message)
        for subscription in self._subscriptions:
            subscription.offer(message)

    def redraw(self, widget: Widget, updates: Sequence[dict[str, Any]]) -> None:
        """Keep a widget as it is now, and tell what of it has changed: all of it, where it is new."""
        if widget.id not in self.widgets or not updates:
            self.publish(WidgetChanged(widget=widget))
            return
        self.widgets[widget.id] = widget
        for update in updates:
            self.publish(WidgetUpdated(widget_id=widget.id, update=update))

    def tell_also(self, ear: EventSink | None) -> None:
        """Let one more hear every change from now on, uncoalesced: whoever writes them down."""
        self._ear = ear

    def show(self, turns: Iterable[Turn], tasks: Iterable[Task]) -> None:
        """Show another conversation, and beside it what still goes on of the one before.

        What goes on are open turns with all their tasks, open tasks with their turns, and open approvals:
        nothing that runs may get out of sight. Every subscriber gets the whole state.
        """
        live_tasks = {task.id: task for task in self.tasks.values() if task.state in OPEN_TASKS}
        turn_ids = {turn.id for turn in self.turns.values() if turn.state in OPEN_TURNS}
        live_tasks |= {task.id: task for task in self.tasks.values() if task.turn_id in turn_ids}
        turn_ids |= {task.turn_id for task in live_tasks.values()}
        live_turns = {turn.id: turn for turn in self.turns.values() if turn.id in turn_ids}
        self.turns = _newest({turn.id: turn for turn in turns} | live_turns, MAX_TURNS)
        self.tasks = _newest({task.id: task for task in tasks} | live_tasks, MAX_TASKS)
        self.approvals = OrderedDict((i, card) for i, card in self.approvals.items() if card.state == "open")
        let_go(self.tasks)
        state = self.state()
        for subscription in self._subscriptions:
            subscription.restart(state)

    def state(self) -> State:
        """Return everything a surface needs to draw itself.

        Past `MAX_STATE_CHARS` the outputs of older tasks and the answers of older turns are left out:
        the Jupyter server silently drops messages when a kernel sends more than about 1 MB a second.
        """
        return State(
            about=self.about,
            speech=self.speech,
            keeping=self.keeping,
            turns=_newest_whole(self.turns, _turn_size, _short_turn, MAX_STATE_CHARS),
            tasks=_newest_whole(self.tasks, _task_size, _short_task, MAX_STATE_CHARS),
            approvals=list(self.approvals.values()),
            widgets=self._newest_widgets(),
        )

    def _newest_widgets(self) -> list[Widget]:
        room, chosen = MAX_STATE_CHARS, list[Widget]()
        for widget in reversed(self.widgets.values()):
            room -= len(str(widget.root))
            if room < 0:
                break
            chosen.append(widget)
        return chosen[::-1]

    def subscribe(self) -> tuple[State, Subscription]:
        """Return the state now and a subscription to every change after it."""
        subscription = Subscription(self._unsubscribe)
        self._subscriptions.append(subscription)
        return self.state(), subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _record(self, message: ToSurface) -> None:
        if isinstance(message, TurnChanged) and message.turn.state == "dismissed":
            self.turns.pop(message.turn.id, None)
        elif isinstance(message, TurnChanged):
            _keep(self.turns, message.turn, MAX_TURNS, OPEN_TURNS)
        elif isinstance(message, TaskChanged):
            _keep(self.tasks, message.task, MAX_TASKS, OPEN_TASKS)
            if message.task.state not in OPEN_TASKS:
                let_go(self.tasks)
        elif isinstance(message, TaskOutput):
            task = self.tasks.get(message.task_id)
            if task is not None:
                update = {"tail": clip_tail(task.tail + message.text), "output_bytes": message.output_bytes}
                self.tasks[task.id] = task.model_copy(update=update)
        elif isinstance(message, TaskProgress):
            task = self.tasks.get(message.task_id)
            if task is not None:
                self.tasks[task.id] = task.model_copy(update={"progress": message.progress})
        elif isinstance(message, QueueChanged):
            for position, task_id in enumerate(message.tasks, 1):
                task = self.tasks.get(task_id)
                if task is not None and task.state == "queued":
                    self.tasks[task_id] = task.model_copy(update={"queue_position": position})
        elif isinstance(message, AnswerDelta):
            turn = self.turns.get(message.turn_id)
            if turn is not None:
                self.turns[turn.id] = turn.model_copy(update={"answer": turn.answer + message.text})
        elif isinstance(message, ApprovalChanged):
            _keep(self.approvals, message.approval, MAX_APPROVALS, frozenset({"open"}))
        elif isinstance(message, WidgetChanged):
            self.widgets[message.widget.id] = message.widget
            while len(self.widgets) > MAX_WIDGETS:
                self.widgets.popitem(last=False)
        elif isinstance(message, SpeechChanged):
            self.speech = message.speech
        elif isinstance(message, KeepingChanged):
            self.keeping = message.keeping
        elif isinstance(message, AboutChanged):
            self.about = message.about
        elif isinstance(message, State | Notice | ControlSpoken):
            pass  # nothing to keep


def let_go(tasks: MutableMapping[int, Task]) -> None:
    """Let the outputs of older tasks go, so that all together stay below `MAX_KEPT_CHARS`."""
    room = MAX_KEPT_CHARS
    for task_id, task in reversed(list(tasks.items())):
        room -= _output_size(task)
        if room < 0 and task.state not in OPEN_TASKS:
            tasks[task_id] = _without_output(task)


def _keep(entities: OrderedDict[int, E], entity: E, limit: int, open_states: Collection[str]) -> None:
    entities[entity.id] = entity
    while len(entities) > limit:
        # What is still open must stay in sight, or nobody could cancel or answer it any more.
        over = (i for i, kept in entities.items() if kept.state not in open_states and i != entity.id)
        del entities[next(over, next(iter(entities)))]


def _newest(entities: dict[int, T], limit: int) -> OrderedDict[int, T]:
    return OrderedDict(sorted(entities.items())[-limit:])


def _newest_whole(
    entities: OrderedDict[int, T], size: Callable[[T], int], short: Callable[[T], T], room: int
) -> list[T]:
    chosen: list[T] = []
    for entity in reversed(entities.values()):
        room -= size(entity)
        chosen.append(entity if room > 0 else short(entity))
    return chosen[::-1]


def _output_size(task: Task) -> int:
    size = len(task.tail)
    if task.result is not None:
        size += sum(len(str(widget.root)) for widget in task.result.widgets)
        size += len(task.result.text) + len(task.result.code)
        size += sum(len(o.text) + sum(map(len, o.data.values())) for o in task.result.outputs)
        if task.result.tests is not None:
            size += sum(len(case.message) + len(case.detail) for case in task.result.tests.cases)
    return size


def _without_output(task: Task) -> Task:
    result = task.result
    if result is not None:
        note = _("(its output is no longer kept here; run it again to see it)") if result.outputs else ""
        tests = result.tests.model_copy(update={"cases": []}) if result.tests is not None else None
        result = result.model_copy(
            update={"outputs": [], "text": note, "code": "", "data": {}, "tests": tests, "widgets": []}
        )
    return task.model_copy(update={"tail": "", "result": result})


def _task_size(task: Task) -> int:
    data = task.result.data if task.result is not None else {}
    return _output_size(task) + len(str(task.arguments)) + len(str(data)) + 500


def _short_task(task: Task) -> Task:
    arguments = {key: value for key, value in task.arguments.items() if len(str(value)) <= 200}
    return _without_output(task).model_copy(update={"arguments": arguments})


def _turn_size(turn: Turn) -> int:
    return len(turn.text) + len(turn.answer) + len(str(turn.calls)) + 300


def _short_turn(turn: Turn) -> Turn:
    answer = turn.answer
    if len(answer) > MAX_OLD_ANSWER_CHARS:
        answer = answer[:MAX_OLD_ANSWER_CHARS] + "…"
    return turn.model_copy(update={"answer": answer, "calls": []})
