"""The line to one kernel: what it publishes, to each of those who wait for a part of it.

One connection serves all who use a kernel: requests that follow a turn of theirs (`Feed`), watchers of
everything, panels with a comm of their own, and questions that have one answer. Knows which event belongs
to whom, and not what it is shown as.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from pydantic import ValidationError

from voice_kernel.client import Link, OwnKernel, RunningKernel, published
from voice_kernel.errors import ClientError, VoiceKernelError
from voice_kernel.language import _
from voice_kernel.messages import (
    AboutChanged,
    AnswerDelta,
    Approval,
    ApprovalChanged,
    ApprovalShown,
    Done,
    Hello,
    Keeping,
    KeepingChanged,
    NewThread,
    Offers,
    OpenThread,
    ServerDetails,
    ServersChanged,
    State,
    Task,
    TaskChanged,
    TaskOutput,
    TaskProgress,
    ToKernel,
    ToSurface,
    Turn,
    TurnChanged,
    Widget,
    WidgetChanged,
    WidgetUpdated,
)
from voice_kernel.widgets.update import applied

log = logging.getLogger(__name__)

ANSWER_LIMIT_S = 60.0
HELLO_LIMIT_S = 30.0
SWITCH_LIMIT_S = 10.0
"""Past this, what is said goes into the conversation that is open."""
MAX_WAITING = 4_000
"""Events that wait for one follower; what only shows progress is left out past this."""
MAX_TASKS = 500
MAX_WIDGETS = 100
PASSING = (TaskOutput, TaskProgress)

Publisher = Callable[[dict[str, Any], list[bytes]], None]


class Feed:
    """What becomes of one request: the events of its turn, in order."""

    def __init__(self, request: str) -> None:
        self.request = request
        self.turn: Turn | None = None
        self.tasks: dict[int, Task] = {}
        self.approvals: dict[int, Approval] = {}
        self.widgets: set[str] = set()
        self.problem: VoiceKernelError | None = None
        """Why nothing more comes, where that is not the end of the turn."""
        self.ended = asyncio.Event()
        self._waiting: asyncio.Queue[ToSurface | None] = asyncio.Queue()
        self._news = asyncio.Event()

    def put(self, event: ToSurface) -> None:
        """Add an event; one that only shows progress is dropped when too many wait."""
        if self._waiting.qsize() < MAX_WAITING or not isinstance(event, PASSING):
            self._waiting.put_nowait(event)
            self._news.set()

    def end(self, problem: VoiceKernelError | None = None) -> None:
        """Note that nothing more comes."""
        if not self.ended.is_set():
            self.problem = problem
            self.ended.set()
            self._waiting.put_nowait(None)
            self._news.set()

    @property
    def has_news(self) -> bool:
        """Whether something waits to be read."""
        return not self._waiting.empty()

    async def next(self) -> ToSurface | None:
        """Wait for the next event; None at the end, as often as it is asked."""
        if self.ended.is_set() and self._waiting.empty():
            return None
        event = await self._waiting.get()
        if self._waiting.empty():
            self._news.clear()
        return event

    async def wait_for_news(self, limit_s: float) -> bool:
        """Wait until something can be read; False where nothing came in time."""
        try:
            async with asyncio.timeout(limit_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True


class Line:
    """A connection to the session of one kernel.

    Args:
        kernel: a kernel, not started yet.
        on_end: told when the kernel has ended by itself.
    """

    def __init__(self, kernel: OwnKernel | RunningKernel, on_end: Callable[[], None] = lambda: None) -> None:
        self.kernel = kernel
        self.used_at = time.monotonic()
        self.tasks: OrderedDict[int, Task] = OrderedDict()
        self.approvals: dict[int, Approval] = {}
        self.widgets: OrderedDict[str, Widget] = OrderedDict()
        """The live ones, as they are now."""
        self.servers: ServersChanged | None = None
        self.keeping = Keeping()
        self.model = ""
        """Which model answers what the grammar does not understand; empty for none."""
        self._on_end = on_end
        self._surface_id = f"server-{uuid.uuid4().hex[:12]}"
        self._link: Link
        self._feeds: dict[str, Feed] = {}
        self._of_turn: dict[int, Feed] = {}
        self._answers: dict[int, asyncio.Future[ToSurface]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._last_id = 0
        self._fresh = True
        """Whether nothing has been said in the conversation that is open."""
        self._panels: dict[str, tuple[Link, Publisher]] = {}
        self._watchers: set[asyncio.Queue[ToSurface]] = set()
        self._servers_told = asyncio.Event()
        self._switching = asyncio.Lock()
        self._switched = asyncio.Event()
        self._hello: asyncio.Future[None] | None = None
        self._reader: asyncio.Task[None] | None = None

    # ---- its life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Start the kernel, or connect to it, and say hello.

        Raises:
            ClientError: it does not start or answer.
        """
        await self.kernel.start()
        self._link = Link(self.kernel.client)
        self._hello = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read())
        self._link.open(Hello(surface_id=self._surface_id, kind="client", asks=True, client_tools=True))
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                await self._hello
        except TimeoutError:
            await self.close()
            raise ClientError(_("The session does not answer."), retryable=True) from None
        self.used_at = time.monotonic()  # to start may take longer than it is kept unused

    async def close(self) -> None:
        """Disconnect; a kernel of our own ends, with all that it runs."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        if self.kernel.client is not None:
            for link, _publish in self._panels.values():
                link.close()
            with contextlib.suppress(AttributeError):  # it never came to a hello
                self._link.close()
        self._end_all(ClientError(_("The server is shutting down."), hint=_("Ask again when it is back.")))
        await self.kernel.stop()

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for something, or something runs."""
        running = any(task.ended_at is None for task in self.tasks.values())
        switching = self._switching.locked()  # to where something is about to be said
        return bool(self._feeds or self._panels or self._watchers or self._answers or switching or running)

    async def _read(self) -> None:
        try:
            async for message in published(self.kernel):
                self._published(message)
        except VoiceKernelError as error:  # the kernel has ended by itself
            self._end_all(error)
            self._on_end()

    def _end_all(self, error: VoiceKernelError) -> None:
        for feed in list(self._feeds.values()):
            feed.end(error)
        self._feeds.clear()
        self._of_turn.clear()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)
        if self._hello is not None and not self._hello.done():
            self._hello.set_exception(error)

    # ---- asking -----------------------------------------------------------------------------------

    def send(self, message: ToKernel, buffers: Sequence[bytes] = ()) -> None:
        """Send a message that needs no answer."""
        self.used_at = time.monotonic()
        self._link.send(message, buffers)

    def follow(self, make: Callable[[str], ToKernel]) -> Feed:
        """Ask for a turn, and follow it.

        Args:
            make: makes the message (`Say`, `Do`, `RetryTask`) with the name of the request.
        """
        feed = self._feed()
        self.send(make(feed.request))
        return feed

    async def follow_in(self, conversation: str, make: Callable[[str], ToKernel]) -> tuple[Feed, str]:
        """Ask for a turn in a conversation of its own, and follow it.

        Args:
            conversation: where it belongs; empty for a new one.
            make: as of `follow`.

        Returns:
            The turn's events, and the conversation it is in; empty where none is kept.
        """
        async with self._switching:  # nobody may go elsewhere before the turn has begun
            if not conversation or not await self._switch(OpenThread(thread_id=conversation), conversation):
                await self._switch(NewThread())
            return self.follow(make), self._conversation

    @property
    def _conversation(self) -> str:
        return self.keeping.thread.id if self.keeping.thread is not None else ""

    async def _switch(self, message: ToKernel, wanted: str = "") -> bool:
        """Go to another conversation; returns whether that is the one that was wanted."""
        if wanted and self._conversation == wanted:
            return True
        if not wanted and self._fresh:
            self._fresh = False
            await self._opened()
            return True
        before = self._conversation
        self._switched.clear()
        self.send(message)
        try:
            async with asyncio.timeout(SWITCH_LIMIT_S):
                await self._switched.wait()
                while before and self._conversation == before:  # where none is kept, none has a name
                    self._switched.clear()
                    await self._switched.wait()
        except TimeoutError:  # it was deleted, or the database is away
            return False
        self._fresh = False
        return not wanted or self._conversation == wanted

    async def _opened(self) -> None:
        """Wait a moment for the session's first conversation, where it keeps any."""
        try:
            async with asyncio.timeout(SWITCH_LIMIT_S):
                while not self._conversation and not self.keeping.message:
                    self._switched.clear()
                    await self._switched.wait()
        except TimeoutError:
            log.info("the session has no conversation yet")

    def follow_asked(self, make: Callable[[int, str], ToKernel]) -> Feed:
        """Ask for something that may become a turn and is answered at its end, and follow it.

        Args:
            make: makes the message with the number of the question and the name of the request.
        """
        feed = self._feed()

        async def ask() -> None:
            try:
                done = await self.ask(lambda number: make(number, feed.request))
            except ClientError as error:  # it goes on: the turn tells of its end
                if feed.turn is None:
                    self._refused(feed, error)
                return
            if feed.turn is None and isinstance(done, Done):
                problem = done.problem
                refusal = ClientError(problem.message, hint=problem.hint) if problem is not None else None
                self._refused(feed, refusal)

        asking = asyncio.create_task(ask())
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return feed

    def _feed(self) -> Feed:
        feed = Feed(uuid.uuid4().hex)
        self._feeds[feed.request] = feed
        return feed

    def _refused(self, feed: Feed, error: ClientError | None) -> None:
        self.drop(feed)
        feed.end(error)

    def drop(self, feed: Feed) -> None:
        """Follow a turn no longer; it goes on."""
        self._feeds.pop(feed.request, None)
        if feed.turn is not None:
            self._of_turn.pop(feed.turn.id, None)

    async def ask(self, make: Callable[[int], ToKernel]) -> ToSurface:
        """Send a message that has one answer, and wait for it.

        Raises:
            ClientError: no answer came in time, or the kernel died.
        """
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[ToSurface] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            self.send(make(number))
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return await answer
        except TimeoutError:
            raise ClientError(_("The session does not answer."), retryable=True) from None
        finally:
            del self._answers[number]

    async def watched_servers(self, watch: ToKernel) -> ServersChanged:
        """Return the MCP servers as they are now; they are watched from the first time on."""
        if self.servers is None:
            self.send(watch)
            try:
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    await self._servers_told.wait()
            except TimeoutError:
                raise ClientError(_("The session does not answer."), retryable=True) from None
        assert self.servers is not None
        return self.servers

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Queue[ToSurface]]:
        """Be told of everything that changes of tasks, approvals and turns."""
        waiting: asyncio.Queue[ToSurface] = asyncio.Queue(MAX_WAITING)
        self._watchers.add(waiting)
        try:
            yield waiting
        finally:
            self._watchers.discard(waiting)

    # ---- panels -----------------------------------------------------------------------------------

    def open_panel(self, hello: Hello, publish: Publisher) -> Link:
        """Open a comm for a panel; what the session tells it goes to `publish`, unread."""
        self.used_at = time.monotonic()
        self.close_panel(hello.surface_id)
        link = Link(self.kernel.client)
        self._panels[hello.surface_id] = (link, publish)
        link.open(hello)
        return link

    def close_panel(self, surface_id: str) -> None:
        """Let the session forget a panel."""
        link, _ = self._panels.pop(surface_id, (None, None))
        if link is not None and self.kernel.client is not None:
            link.close()

    # ---- what is told -----------------------------------------------------------------------------

    def _published(self, message: dict[str, Any]) -> None:
        if message["msg_type"] != "comm_msg":
            return
        data = self._link.data(message)
        if data is None:
            for link, publish in self._panels.values():
                if (data := link.data(message)) is not None:
                    publish(data, [bytes(buffer) for buffer in message.get("buffers", ())])
                    return
            return
        try:
            event = self._link.received(message)
        except ValidationError as error:  # a kernel of another version
            log.warning("a session said something that does not fit: %d errors", error.error_count())
            return
        assert event is not None
        self._told(event)

    def _told(self, event: ToSurface) -> None:
        match event:
            case State():
                self._state(event)
            case TurnChanged():
                self._turn(event)
            case TaskChanged(task=task):
                self._task(event, task)
            case TaskOutput(task_id=task_id) | TaskProgress(task_id=task_id):
                self._to_task(task_id, event)
            case AnswerDelta(turn_id=turn_id):
                if (feed := self._of_turn.get(turn_id)) is not None:
                    feed.put(event)
            case ApprovalChanged(approval=approval):
                self._approval(event, approval)
            case WidgetChanged(widget=widget):
                self._widget(event, widget)
            case WidgetUpdated(widget_id=widget_id):
                if (live := self.widgets.get(widget_id)) is not None:
                    root = applied(live.root, [event.update])
                    self.widgets[widget_id] = live.model_copy(update={"root": root})
                for feed in self._feeds.values():
                    if widget_id in feed.widgets:
                        feed.put(event)
            case AboutChanged(about=about):
                self.model = about.model
                return
            case KeepingChanged(keeping=keeping):
                self.keeping = keeping
                self._switched.set()
                return
            case ServersChanged():
                self.servers = event
                self._servers_told.set()
            case Done(id=number) | ServerDetails(id=number) | Offers(id=number):
                answer = self._answers.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(event)
            case _:
                return
        for waiting in self._watchers:
            if not waiting.full():
                waiting.put_nowait(event)

    def _state(self, state: State) -> None:
        """Take everything anew: at the beginning, and after more changed than could be told one by one."""
        if self._hello is not None and not self._hello.done():
            self._hello.set_result(None)
        self.keeping, self.model = state.keeping, state.about.model
        self._switched.set()
        for task in state.tasks:
            self._task(TaskChanged(task=task), task)
        for widget in state.widgets:
            self.widgets[widget.id] = widget
        for approval in state.approvals:
            self._approval(ApprovalChanged(approval=approval), approval)
        for turn in state.turns:
            self._turn(TurnChanged(turn=turn))
        there = {turn.id for turn in state.turns}
        for turn_id, feed in list(self._of_turn.items()):
            if turn_id not in there:
                self.drop(feed)
                feed.end(
                    ClientError(_("What became of it is not known any more."), hint=_("Look at its tasks."))
                )

    def _turn(self, event: TurnChanged) -> None:
        turn = event.turn
        feed = self._of_turn.get(turn.id)
        if feed is None:
            feed = self._feeds.get(turn.request) if turn.request else None
            if feed is None or feed.turn is not None:
                return
            self._of_turn[turn.id] = feed
        if feed.turn is None:
            feed.turn = turn
            for task in self.tasks.values():  # those of the turn that were heard of before it
                if task.turn_id == turn.id:
                    self._task(TaskChanged(task=task), task)
        feed.turn = turn
        feed.put(event)
        if turn.ended_at is not None:
            self.drop(feed)
            feed.end()

    def _task(self, event: TaskChanged, task: Task) -> None:
        self.tasks[task.id] = task
        while len(self.tasks) > MAX_TASKS:
            self.tasks.popitem(last=False)
        feed = self._of_turn.get(task.turn_id)
        if feed is not None and feed.tasks.get(task.id) != task:
            feed.tasks[task.id] = task
            feed.put(event)
            for approval in [one for one in self.approvals.values() if one.task_id == task.id]:
                self._approval(ApprovalChanged(approval=approval), approval)

    def _to_task(self, task_id: int, event: TaskOutput | TaskProgress) -> None:
        task = self.tasks.get(task_id)
        feed = self._of_turn.get(task.turn_id) if task is not None else None
        if feed is not None:
            feed.put(event)

    def _approval(self, event: ApprovalChanged, approval: Approval) -> None:
        if approval.state == "open":
            self.approvals[approval.id] = approval
        else:
            self.approvals.pop(approval.id, None)
        task = self.tasks.get(approval.task_id)
        feed = self._of_turn.get(task.turn_id) if task is not None else None
        if feed is not None and feed.approvals.get(approval.id) != approval:
            feed.approvals[approval.id] = approval
            feed.put(event)

    def _widget(self, event: WidgetChanged, widget: Widget) -> None:
        self.widgets[widget.id] = widget
        while len(self.widgets) > MAX_WIDGETS:
            self.widgets.popitem(last=False)
        task = self.tasks.get(widget.task_id)
        feed = self._of_turn.get(task.turn_id) if task is not None else None
        if feed is not None:
            feed.widgets.add(widget.id)
            feed.put(event)

    def shown(self, approval: Approval) -> None:
        """Note that a card is on a screen, so that a spoken yes can count."""
        self.send(ApprovalShown(approval_id=approval.id))
