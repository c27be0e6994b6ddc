"""ChatKit's requests as turns of a session: what a `ChatKitServer` leaves to whoever serves it.

The SDK parses requests, keeps items and writes events; here a message becomes a turn of the caller's
kernel, and what waits for a person is answered. A turn that waits, or whose client has gone, is kept up with
(`_keep_up`), so that all that comes of it is in the thread when somebody looks again.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chatkit.actions import Action
from chatkit.errors import CustomStreamError
from chatkit.server import ChatKitServer
from chatkit.store import NotFoundError
from chatkit.types import (
    AudioInput,
    ClientToolCallItem,
    ErrorEvent,
    FeedbackKind,
    ProgressUpdateEvent,
    StructuredInputItem,
    SyncCustomActionResponse,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    TranscriptionResult,
    UserMessageItem,
    WidgetItem,
)

from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import (
    ActionConfig,
    AnswerQuestion,
    Attach,
    Call,
    CancelTask,
    CancelTurn,
    ClientAnswer,
    Decide,
    Do,
    Done,
    RetryTask,
    Say,
    WatchServers,
    Widget,
    WidgetAction,
)
from voice_kernel.server.attachments import Files
from voice_kernel.server.ear import Ear
from voice_kernel.server.kernels import Kernels
from voice_kernel.server.line import Feed, Line
from voice_kernel.server.store import Caller, ChatStore
from voice_kernel.server.turnstream import YES, TurnStream, Waiting, values_of, widget_item, widget_of
from voice_kernel.widgets.actions import item_of
from voice_kernel.widgets.document import components
from voice_kernel.widgets.servercards import SHOW_SERVERS, START_SERVER, STOP_SERVER, server_list
from voice_kernel.widgets.taskcards import (
    APPROVE,
    CANCEL_TASK,
    DENY,
    RETRY_TASK,
    SHOW_TASKS,
    task_card,
    task_list,
)

log = logging.getLogger(__name__)

MAX_TITLE = 60
CONVERSATION = "voice_kernel.conversation"
MAX_PROMPT = 10_000
MAX_NAME = 100
"""Of a model or a tool that a client chooses."""
CANCEL_LIMIT_S = 5.0
NEWS_LIMIT_S = 5.0
"""How long after a typed yes the turn that it is for may take to go on: a yes is written down first."""
_NUMBER = re.compile(r"[0-9]{1,9}")
ANSWERS = frozenset({"approve", "deny", "accept_changes", "reject_changes"})


@dataclass
class Running:
    """A turn that goes on, in a thread."""

    line: Line
    feed: Feed
    stream: TurnStream
    asked_by: str = ""
    """The message that it answers; empty for a click."""
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one who reads it."""
    keeper: asyncio.Task[None] | None = None
    """Keeps up with it while no client reads."""

    def cancel(self) -> None:
        """Cancel the turn with all that it runs."""
        if self.feed.turn is not None and not self.feed.ended.is_set():
            self.line.send(CancelTurn(turn_id=self.feed.turn.id))


@dataclass
class Asked(Caller):
    """Who asks, and what came of it."""

    running: Running | None = None
    thread_id: str = ""
    told: bool = False
    """Whether all that came of it has been told."""


class VoiceChatKitServer(ChatKitServer[Caller]):
    """ChatKit on sessions of ours.

    Args:
        store: threads and items.
        files: attachments.
        kernels: the sessions.
        ear: hears recordings.
    """

    def __init__(self, store: ChatStore, files: Files, kernels: Kernels, ear: Ear) -> None:
        super().__init__(store, files)
        self.chats = store
        self.files = files
        self._kernels = kernels
        self._ear = ear
        self._open: dict[tuple[str, str], list[Running]] = {}
        store.on_deleted = self._deleted

    async def close(self) -> None:
        """Stop keeping up with turns; those that run are ended with their kernels."""
        keepers = [run.keeper for runs in self._open.values() for run in runs if run.keeper is not None]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)

    # ---- messages ---------------------------------------------------------------------------------

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Caller
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Answer a message, or go on after what was asked for has come."""
        if input_user_message is None:
            async for event in self._go_on(thread, context):
                yield event
            return
        await self._start_anew(input_user_message.id, thread.id, context)
        self._give_up_calls(thread.id, context)
        text = said_in(input_user_message)
        if thread.title is None and text:
            thread.title = text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…"
        if self._kernels.known(context.session_id) is None:
            yield ProgressUpdateEvent(icon="bolt", text=_("Starting a kernel"))
        line = await self._line(context)
        for attachment in input_user_message.attachments:
            data = await self.files.read(context.user_id, attachment.id)
            if data is not None:
                line.send(Attach(name=attachment.name[:200], size=len(data)), [data])
                if line.model:  # a file is for questions: no command of the grammar takes one
                    text = f'{text} @"{attachment.name}"'
        text = text[:MAX_PROMPT]
        options = input_user_message.inference_options
        model = (options.model or "")[:MAX_NAME]
        tool = options.tool_choice.id[:MAX_NAME] if options.tool_choice is not None else ""
        feed = await self._said(
            line, lambda request: Say(text=text, request=request, model=model, tool=tool), thread
        )
        async for event in self._follow(line, feed, thread, context, input_user_message.id):
            yield event

    async def _said(self, line: Line, say: Callable[[str], Say], thread: ThreadMetadata) -> Feed:
        """Say something in the kernel's conversation that belongs to a thread.

        So a model knows of each thread only what was said in it. A kernel that runs already is its
        notebook's, and so is the conversation that is open there.
        """
        if self._kernels.shared:
            return line.follow(say)
        known = str(thread.metadata.get(CONVERSATION, ""))
        feed, conversation = await line.follow_in(known, say)
        if conversation and conversation != known:
            thread.metadata[CONVERSATION] = conversation
        return feed

    async def _start_anew(self, item_id: str, thread_id: str, context: Caller) -> None:
        """Cancel what a message led to before: it is tried again, and nothing more is to come of that."""
        for running in list(self._open.get((context.user_id, thread_id), ())):
            if running.asked_by == item_id:
                running.cancel()
                await self._take(running)
                self._forget(running, thread_id, context)

    def _give_up_calls(self, thread_id: str, context: Caller) -> None:
        """Let nobody wait any more for what the page was asked: its answer cannot come after a message."""
        for running in self._open.get((context.user_id, thread_id), ()):
            for waiting in running.stream.waiting.values():
                if waiting.call_id:
                    problem = _("The page has not done it before the next message.")
                    running.line.send(ClientAnswer(call_id=waiting.call_id, problem=problem))

    async def _go_on(self, thread: ThreadMetadata, context: Caller) -> AsyncIterator[ThreadStreamEvent]:
        """Go on with what waited: the newest item says what was answered."""
        page = await self.chats.load_thread_items(thread.id, None, 20, "desc", context)
        for item in page.data:
            found = self._waiting(context, thread.id, item.id)
            if isinstance(item, ClientToolCallItem) and item is page.data[0] and found is None:
                break
            if found is None or not isinstance(item, ClientToolCallItem | StructuredInputItem):
                continue
            running, waiting = found
            if item.status == "pending":
                continue
            if isinstance(item, ClientToolCallItem):
                running.line.send(ClientAnswer(call_id=waiting.call_id, result=item.output))
                running.stream.answered(item.id)
                async for event in self._read(running, thread, context):
                    yield event
                return
            answers = {
                part.id: part.answer.values for part in item.inputs if part.answer and not part.answer.skipped
            }
            self._answer(running, waiting, item.status == "answered", answers)
            async for event in self._read(running, thread, context):
                yield event
            return
        yield ErrorEvent(message=_("This waits for an answer no longer. Ask again."), allow_retry=False)

    def _answer(
        self, running: Running, waiting: Waiting, answered: bool, answers: dict[str, list[str]]
    ) -> None:
        if waiting.approval_id is None:
            assert waiting.turn_id is not None
            yes = answered and _(YES) in answers.get("answer", [])
            running.line.send(AnswerQuestion(turn_id=waiting.turn_id, yes=yes))
        else:
            try:
                values = values_of(waiting, answers) if answered else {}
            except ValueError as error:
                running.line.send(Decide(approval_id=waiting.approval_id, approved=False))
                log.info("a form did not fit: %s", type(error).__name__)
            else:
                running.line.send(Decide(approval_id=waiting.approval_id, approved=answered, values=values))
        running.stream.answered(waiting.item_id)

    # ---- turns ------------------------------------------------------------------------------------

    async def _line(self, context: Caller) -> Line:
        try:
            return await self._kernels.line(context.session_id)
        except VoiceKernelError as error:
            raise CustomStreamError(str(error), allow_retry=error.retryable) from error

    async def _follow(
        self, line: Line, feed: Feed, thread: ThreadMetadata, context: Caller, asked_by: str = ""
    ) -> AsyncIterator[ThreadStreamEvent]:
        running = Running(
            line,
            feed,
            TurnStream(
                feed,
                thread.id,
                lambda kind: self.chats.generate_item_id(kind, thread, context),
                line.shown,
                lambda: list(line.tasks.values()),
            ),
            asked_by,
        )
        runs = self._open.setdefault((context.user_id, thread.id), [])
        # Words may answer what an earlier turn of the thread waits for: "approve". What comes of that is told
        # in this stream, so nobody else reads it meanwhile.
        waiting = [other for other in runs if other.stream.waiting]
        runs.append(running)
        for other in waiting:
            await self._take(other)
        try:
            async for event in self._read(running, thread, context):
                yield event
            answered = feed.turn is not None and any(call.tool in ANSWERS for call in feed.turn.calls)
            for other in list(waiting):
                asks = set(other.stream.waiting)
                # What comes first need not be that it is answered: it may be that the card has been shown.
                while asks <= other.stream.waiting.keys():
                    if answered:
                        await other.feed.wait_for_news(NEWS_LIMIT_S)
                    if other.stream.still_waits:
                        break
                    waiting.remove(other)
                    async for event in self._read(other, thread, context):
                        yield event
                    if other.stream.finished:
                        break
                    waiting.append(other)
                    await self._take(other)
        finally:
            for other in waiting:
                self._leave(other, thread.id, context, gone=False)

    async def _read(
        self, running: Running, thread: ThreadMetadata, context: Caller
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Read a turn on, until it has ended or waits for a person."""
        await self._take(running)
        if isinstance(context, Asked):
            context.running, context.thread_id = running, thread.id
        finished = False
        async with running.reading:
            try:
                async for event in running.stream.events():
                    yield event
                finished = True
            finally:
                self._leave(running, thread.id, context, gone=not finished)

    async def _take(self, running: Running) -> None:
        keeper, running.keeper = running.keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.wait({keeper})

    def _leave(self, running: Running, thread_id: str, context: Caller, *, gone: bool) -> None:
        if running.stream.finished and not gone:
            self._forget(running, thread_id, context)
        else:
            running.keeper = asyncio.create_task(self._keep_up(running, thread_id, context))

    def _forget(self, running: Running, thread_id: str, context: Caller) -> None:
        running.line.drop(running.feed)
        key = (context.user_id, thread_id)
        runs = [run for run in self._open.get(key, ()) if run is not running]
        if runs:
            self._open[key] = runs
        else:
            self._open.pop(key, None)

    async def _keep_up(self, running: Running, thread_id: str, context: Caller) -> None:
        """Keep what becomes of a turn that nobody reads now."""
        while not running.stream.finished:
            try:
                await self._keep(running.stream.events(), thread_id, context)
            except NotFoundError:  # the thread was deleted meanwhile
                running.cancel()
                break
            except VoiceKernelError as error:
                log.warning("a turn could not be kept: %s", type(error).__name__)
                break
        self._forget(running, thread_id, context)

    async def _keep(self, events: AsyncIterator[ThreadStreamEvent], thread_id: str, context: Caller) -> None:
        async for event in events:
            match event:
                case ThreadItemDoneEvent(item=item):
                    await self.chats.add_thread_item(thread_id, item, context=context)
                case ThreadItemReplacedEvent(item=item):
                    await self.chats.save_item(thread_id, item, context=context)
                case ThreadItemRemovedEvent(item_id=item_id):
                    await self.chats.delete_thread_item(thread_id, item_id, context=context)

    def _waiting(self, context: Caller, thread_id: str, item_id: str) -> tuple[Running, Waiting] | None:
        for running in self._open.get((context.user_id, thread_id), ()):
            if (waiting := running.stream.waiting.get(item_id)) is not None:
                return running, waiting
        return None

    async def _deleted(self, thread_id: str, attached: list[str], context: Caller) -> None:
        """Cancel what goes on in a thread that was deleted, and delete its files."""
        for running in list(self._open.get((context.user_id, thread_id), ())):
            running.cancel()
        for attachment_id in attached:
            await self.files.delete_attachment(attachment_id, context)

    # ---- actions ----------------------------------------------------------------------------------

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: Caller,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Carry out a click in a widget, or what a client asks for by a name."""
        payload = action.payload if isinstance(action.payload, dict) else {}
        line = await self._line(context)
        follow: Callable[[str], Any] | None = None
        match action.type:
            case t if t in (APPROVE, DENY) and sender is not None:
                found = self._waiting(context, thread.id, sender.id)
                if found is None:
                    yield ErrorEvent(message=_("This card is not open any more."), allow_retry=False)
                    return
                running, waiting = found
                assert waiting.approval_id is not None
                running.line.send(Decide(approval_id=waiting.approval_id, approved=t == APPROVE))
                running.stream.answered(sender.id)
                async for event in self._read(running, thread, context):
                    yield event
                return
            case t if t == RETRY_TASK:
                task_id = _number(payload, "task_id")
                follow = lambda request: RetryTask(task_id=task_id, request=request)  # noqa: E731
            case t if t in (START_SERVER, STOP_SERVER):
                tool = "mcp_start" if t == START_SERVER else "mcp_stop"
                call = Call(tool=tool, arguments={"name": str(payload.get("server", ""))})
                follow = lambda request: Do(calls=[call], request=request)  # noqa: E731
            case _ if sender is not None and widget_of(sender):
                async for event in self._clicked(action, sender, thread, line, context):
                    yield event
            case _:
                item = await self._acted(action, payload, sender, thread, line, context)
                if item is not None and sender is not None:
                    yield ThreadItemReplacedEvent(item=item)
                elif item is not None:
                    yield ThreadItemDoneEvent(item=item)
                elif sender is None:
                    # By the name of a tool: through the same door as words, asking where policy wants it.
                    call = Call(tool=action.type, arguments=payload)
                    follow = lambda request: Do(calls=[call], request=request)  # noqa: E731
        if follow is not None:
            async for event in self._follow(line, line.follow(follow), thread, context):
                yield event

    async def _clicked(
        self,
        action: Action[str, Any],
        sender: WidgetItem,
        thread: ThreadMetadata,
        line: Line,
        context: Caller,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Carry out a click in a widget that a tool has shown: its handler is a turn like any other."""
        widget_id = widget_of(sender)
        live = line.widgets.get(widget_id)
        clicked, values = parted(action, live)
        place = item_of(live.root, clicked) if live is not None else ""
        feed = line.follow_asked(
            lambda number, request: WidgetAction(
                id=number, widget_id=widget_id, item_id=place, action=clicked, values=values, request=request
            )
        )
        async for event in self._follow(line, feed, thread, context):
            yield event
        live = line.widgets.get(widget_id)
        if live is not None:
            base = {"id": sender.id, "thread_id": thread.id, "created_at": sender.created_at}
            item = widget_item(base, live.root, live.copy_text or sender.copy_text or "")
            if item.widget != sender.widget:
                yield ThreadItemReplacedEvent(item=item)

    async def sync_action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: Caller,
    ) -> SyncCustomActionResponse:
        """Carry out a click whose only outcome is a change of its own widget."""
        payload = action.payload if isinstance(action.payload, dict) else {}
        line = await self._line(context)
        if action.type in (APPROVE, DENY) and sender is not None:
            found = self._waiting(context, thread.id, sender.id)
            if found is not None and found[1].approval_id is not None:
                # The turn goes on; what comes of it is kept up with.
                found[0].line.send(Decide(approval_id=found[1].approval_id, approved=action.type == APPROVE))
            return SyncCustomActionResponse(updated_item=None)
        item = await self._acted(action, payload, sender, thread, line, context)
        if item is not None:
            await self.chats.save_item(thread.id, item, context)
        return SyncCustomActionResponse(updated_item=item)

    async def _acted(
        self,
        action: Action[str, Any],
        payload: dict[str, Any],
        sender: WidgetItem | None,
        thread: ThreadMetadata,
        line: Line,
        context: Caller,
    ) -> WidgetItem | None:
        """Carry out an action; returns the widget as it is afterwards, where there is one to show."""
        base = (
            {"id": sender.id, "thread_id": thread.id, "created_at": sender.created_at}
            if sender is not None
            else new_item(self.chats, thread, context)
        )
        match action.type:
            case t if t == CANCEL_TASK:
                task_id = _number(payload, "task_id")
                await cancel(line, task_id)
                task = line.tasks.get(task_id)
                if task is None or sender is None:
                    return None
                whole = sender.widget.type == "ListView"
                return widget_item(base, task_list(line.tasks.values()) if whole else task_card(task))
            case t if t == SHOW_TASKS:
                return widget_item(base, task_list(line.tasks.values()), _("Tasks"))
            case t if t == SHOW_SERVERS:
                told = await line.watched_servers(WatchServers())
                return widget_item(base, server_list(told.servers), _("MCP servers"))
        widget_id = widget_of(sender) if sender is not None else ""
        if sender is None or not widget_id:
            return None
        return await self._acted_in_session(action, widget_id, base, sender, line)

    async def _acted_in_session(
        self, action: Action[str, Any], widget_id: str, base: dict[str, Any], sender: WidgetItem, line: Line
    ) -> WidgetItem | None:
        live = line.widgets.get(widget_id)
        clicked, values = parted(action, live)
        item = item_of(live.root, clicked) if live is not None else ""
        try:
            done = await line.ask(
                lambda number: WidgetAction(
                    id=number, widget_id=widget_id, item_id=item, action=clicked, values=values
                )
            )
        except VoiceKernelError as error:
            raise CustomStreamError(str(error), allow_retry=error.retryable) from error
        if isinstance(done, Done) and done.problem is not None:
            problem = done.problem
            message = f"{problem.message} {problem.hint}".strip()
            raise CustomStreamError(message, allow_retry=problem.retryable)
        root = line.widgets.get(widget_id)
        if root is None:
            return None
        return widget_item(base, root.root, root.copy_text or sender.copy_text or "")

    # ---- the rest ---------------------------------------------------------------------------------

    async def add_feedback(
        self, thread_id: str, item_ids: list[str], feedback: FeedbackKind, context: Caller
    ) -> None:
        """Keep what a person thinks of items."""
        await self.chats.save_feedback(thread_id, item_ids[:200], feedback, context)

    async def transcribe(self, audio_input: AudioInput, context: Caller) -> TranscriptionResult:
        """Turn a recording into text."""
        return TranscriptionResult(text=await self._ear.text(audio_input.data))


def said_in(message: UserMessageItem) -> str:
    """Return the words of a message, with what it quotes."""
    text = "".join(part.text for part in message.content).strip()
    return f'{text} (about: "{message.quoted_text.strip()}")' if message.quoted_text else text


def parted(action: Action[str, Any], widget: Widget | None) -> tuple[ActionConfig, dict[str, Any]]:
    """Return an action as its widget has it, and beside it the values of the form around it.

    ChatKit's clients send both as one payload: what the widget's author has not written was filled in.
    """
    given, found = action.payload, ActionConfig(type=action.type, payload=action.payload)
    if not isinstance(given, dict) or widget is None:
        return found, {}
    values: dict[str, Any] | None = None
    for component in components(widget.root):
        for written in _actions(component):
            payload = written.get("payload")
            known = payload if isinstance(payload, dict) else {}
            if written.get("type") != action.type or (payload is not None and not isinstance(payload, dict)):
                continue
            if any(name not in given or given[name] != value for name, value in known.items()):
                continue
            rest = {name: value for name, value in given.items() if name not in known}
            if values is None or len(rest) < len(values):
                found, values = ActionConfig(type=action.type, payload=payload), rest
    return found, values or {}


def _actions(component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in component.items():
        if name in ("confirm", "cancel") and isinstance(value, dict):
            value = value.get("action")
        elif not name.endswith("Action"):
            continue
        if isinstance(value, dict):
            yield value


def new_item(store: ChatStore, thread: ThreadMetadata, context: Caller) -> dict[str, Any]:
    """Return what a new item begins with."""
    return {
        "id": store.generate_item_id("message", thread, context),
        "thread_id": thread.id,
        "created_at": datetime.now(),
    }


async def cancel(line: Line, task_id: int) -> None:
    """Cancel a task, and wait a moment for its end."""
    line.send(CancelTask(task_id=task_id))
    async with line.watching() as changes:
        try:
            async with asyncio.timeout(CANCEL_LIMIT_S):
                while (task := line.tasks.get(task_id)) is not None and task.ended_at is None:
                    await changes.get()
        except TimeoutError:
            log.info("a task takes long to end")


def _number(payload: dict[str, Any], name: str) -> int:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not _NUMBER.fullmatch(str(value)):
        raise CustomStreamError(_("The action names no {name}.").format(name=name))
    return int(value)
