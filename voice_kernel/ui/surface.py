"""One connected surface: receives its messages, sends it the state and every change after.

A surface is whatever is at the other end of a `Channel`: a panel, an inline card, a sidebar, another
process. This module translates between the wire and the session; it draws nothing and decides nothing.
Messages may arrive on any thread; everything else happens on the loop thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic import ValidationError

from voice_kernel.answering import Answering
from voice_kernel.conversations import Conversations
from voice_kernel.errors import VoiceKernelError
from voice_kernel.events import Hub, Subscription
from voice_kernel.language import _
from voice_kernel.listening import Listener
from voice_kernel.loop import AgentLoop
from voice_kernel.messages import (
    PROTOCOL,
    AnswerQuestion,
    ApprovalShown,
    Attach,
    Audio,
    AudioEnd,
    AudioReleased,
    AudioStart,
    CancelTask,
    CancelTurn,
    CellReply,
    ChooseEngine,
    ClientAnswer,
    Decide,
    DeleteThread,
    Do,
    Done,
    FindTasks,
    FinishSignIn,
    HearAgain,
    Heard,
    Hello,
    Interrupt,
    KeepSecret,
    ListEngines,
    ListThreads,
    MoveTask,
    NewThread,
    Notice,
    OpenThread,
    Origin,
    Problem,
    ReadLog,
    ReadPart,
    ReadServer,
    RenameThread,
    RetryTask,
    Say,
    SearchLog,
    SearchRegistry,
    SpeakChoice,
    SpeakingState,
    ToKernel,
    ToSurface,
    WarmUp,
    WatchServers,
    WidgetAction,
    to_kernel,
    to_surface,
)
from voice_kernel.session import Session, Wanted
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.clientcalls import ClientCalls
from voice_kernel.ui.bundle import part
from voice_kernel.ui.cellhost import SurfaceCells
from voice_kernel.ui.channel import Channel
from voice_kernel.ui.logs import LogDesk
from voice_kernel.ui.servers import ServerDesk
from voice_kernel.ui.widgets import WidgetDesk

log = logging.getLogger(__name__)

SEND_PAUSE_S = 0.05
"""At most 20 batches a second: the Jupyter server silently drops what comes faster than its limits."""
SHORT_PAUSE_S = 0.015
"""After a batch of few messages: far below those limits."""
FEW = 3
BURST_S = 4 * SEND_PAUSE_S
"""So much of these pauses is left out after a rest: the first word of an answer waits for none, nor does the
end of a spoken turn, which comes in a few full batches."""


class Surfaces:
    """All connected surfaces of a session."""

    def __init__(
        self,
        loop: AgentLoop,
        hub: Hub,
        session: Session,
        listener: Listener,
        approvals: Approvals,
        interrupt: Callable[[], object],
        logs: LogDesk,
        servers: ServerDesk,
        conversations: Conversations,
        answering: Answering,
        widgets: WidgetDesk,
        clients: ClientCalls,
    ) -> None:
        self.loop = loop
        self.hub = hub
        self.session = session
        self.listener = listener
        self.approvals = approvals
        self.interrupt = interrupt
        self.logs = logs
        self.servers = servers
        self.conversations = conversations
        self.answering = answering
        self.widgets = widgets
        self.clients = clients
        self.cells = SurfaceCells(hub)
        self.on_attach: Callable[[str, bytes], None] = lambda name, data: None
        """Takes a file that a person has dropped."""
        self._said_hello: set[Surface] = set()
        self._somebody = asyncio.Event()

    def connect(self, channel: Channel) -> Surface:
        """Serve a channel until it closes. Callable from any thread."""
        return Surface(self, channel)

    @property
    def somebody_listens(self) -> bool:
        """Whether a surface is connected on which a person can see a card."""
        return any(surface.asks for surface in self._said_hello)

    def does_client_tools(self, surface_id: str) -> bool:
        """Return whether a page is connected that carries out what tools ask of it."""
        return any(one.client_tools and one.surface_id == surface_id for one in self._said_hello)

    @property
    def approved(self) -> tuple[str, ...]:
        """Tools that whoever runs the notebook without a browser approved beforehand."""
        return tuple(
            tool for surface in self._said_hello if surface.kind == "headless" for tool in surface.approve
        )

    def receive_control(self, data: dict[str, Any], _buffers: list[bytes]) -> None:
        """Take a message that came over the kernel's control channel. Callable from any thread.

        Only what must get through while a cell runs, and needs no answer: cancel, decide, interrupt.
        """
        self.loop.call_soon(self._receive_control, data)

    def _receive_control(self, data: dict[str, Any]) -> None:
        try:
            message = to_kernel.validate_python(data)
        except ValidationError as error:
            log.warning("a control message does not fit: %d errors", error.error_count())
        else:
            self.control(message)

    def control(self, message: ToKernel) -> bool:
        """Carry out a click that passes every queue; returns whether the message was one."""
        match message:
            case CancelTask():
                self.session.cancel_task(message.task_id)
            case CancelTurn():
                self.session.cancel_turn(message.turn_id)
            case MoveTask():
                self.session.move_task(message.task_id, message.to)
            case Decide():
                self.approvals.decide(message.approval_id, message.approved, message.values)
            case AnswerQuestion():
                self.session.questions.answer(message.turn_id, message.yes)
            case ClientAnswer():
                self.clients.answer(message.call_id, message.result, message.problem)
            case Interrupt():
                self.interrupt()
            case _:
                return False
        return True

    async def wait_for_somebody(self, limit_s: float) -> bool:
        """Wait until a surface is connected on which a person can see a card; False after `limit_s`."""
        try:
            async with asyncio.timeout(limit_s):
                await self._somebody.wait()
        except TimeoutError:
            return False
        return True

    def arrived(self, surface: Surface) -> None:
        """Note that a surface has said hello."""
        self._said_hello.add(surface)
        if surface.cells:
            self.cells.arrived(surface)
        else:
            self.cells.left(surface)
        self._update()

    def left(self, surface: Surface) -> None:
        """Note that a surface is gone."""
        self._said_hello.discard(surface)
        self.cells.left(surface)
        self._update()

    def _update(self) -> None:
        if self.somebody_listens:
            self._somebody.set()
        else:
            self._somebody.clear()


class Surface:
    """One end of one channel."""

    def __init__(self, surfaces: Surfaces, channel: Channel) -> None:
        self._surfaces = surfaces
        self._channel = channel
        self._subscription: Subscription | None = None
        self._sender: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[Any]] = set()
        self.kind = ""
        self.surface_id = ""
        self.cells = False
        self.approve: tuple[str, ...] = ()
        self.asks = False
        self.client_tools = False
        self.scripted = False
        channel.on_message(self._arrived)
        channel.on_close(lambda: surfaces.loop.call_soon(self.close))

    # ---- any thread -------------------------------------------------------------------------------

    def _arrived(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        self._surfaces.loop.call_soon(self._receive, data, buffers)

    # ---- loop thread ------------------------------------------------------------------------------

    def _receive(self, data: dict[str, Any], buffers: list[bytes]) -> None:
        try:
            message = to_kernel.validate_python(data)
        except ValidationError as error:
            log.warning("a surface sent a message that does not fit: %d errors", error.error_count())
            self.send(
                Notice(
                    level="error",
                    message=_("The panel sent something this kernel does not know."),
                    hint=_("Reload the page; if it stays, restart the kernel."),
                )
            )
            return
        self._act(message, buffers)

    def _act(self, message: ToKernel, buffers: list[bytes]) -> None:
        session, listener = self._surfaces.session, self._surfaces.listener
        if self._surfaces.control(message):
            return
        match message:
            case Hello():
                self._hello(message)
            case AudioStart():
                listener.start(
                    message.utterance_id,
                    message.rate_hz,
                    self.surface_id,
                    hands_free=message.hands_free,
                    approved_tools=self.approve,
                )
            case Audio():
                listener.chunk(message.utterance_id, message.seq, buffers[0] if buffers else b"")
            case AudioReleased():
                self._spawn(listener.release(message.utterance_id, self.approve, asks=self.asks))
            case AudioEnd():
                self._spawn(
                    listener.end(
                        message.utterance_id,
                        message.chunks,
                        message.discard,
                        self.approve,
                        asks=self.asks,
                    )
                )
            case Heard():
                listener.heard(
                    message.utterance_id, message.text, final=message.final, problem=message.problem
                )
            case HearAgain():
                self._spawn(listener.hear_again(message.turn_id, self.surface_id, self.approve))
            case ListEngines():
                self._spawn(self._answer(listener.engines(message)))
            case ChooseEngine():
                self._spawn(self._told(listener.choose(message.engine)))
            case Say():
                origin: Origin = "script" if self.kind == "headless" or self.scripted else "text"
                turn_id = session.begin(
                    origin, surface_id=self.surface_id, state="understanding", request=message.request
                )
                self._spawn(
                    session.understand(
                        turn_id,
                        message.text,
                        approved_tools=self.approve,
                        corrects_turn_id=message.corrects_turn_id,
                        wanted=Wanted(message.model, message.tool),
                    )
                )
            case RetryTask():
                self._spawn(session.retry(message.task_id, self.surface_id, message.request))
            case ReadLog() if message.server:
                self._spawn(self._answer(self._surfaces.servers.page(message)))
            case SearchLog() if message.server:
                self._spawn(self._answer(self._surfaces.servers.hits(message)))
            case WatchServers() | ReadServer() | SearchRegistry() | KeepSecret() | FinishSignIn():
                self._ask_servers(message)
            case ReadLog():
                self._spawn(self._answer(self._surfaces.logs.page(message)))
            case ReadPart():
                self.send(part(message))
            case SearchLog():
                self._spawn(self._answer(self._surfaces.logs.hits(message)))
            case Do():
                self._spawn(
                    session.do(
                        message.calls,
                        text=message.text,
                        origin="script" if self.kind in ("client", "headless") else "text",
                        surface_id=self.surface_id,
                        approved_tools=self.approve,
                        request=message.request,
                    )
                )
            case ListThreads():
                self._spawn(self._answer(self._surfaces.conversations.threads(message)))
            case FindTasks():
                self._spawn(self._answer(self._surfaces.conversations.find(message)))
            case NewThread():
                self._spawn(self._told(self._surfaces.conversations.new()))
            case OpenThread():
                self._spawn(self._told(self._surfaces.conversations.open(message.thread_id)))
            case RenameThread():
                self._spawn(self._told(self._surfaces.conversations.rename(message.thread_id, message.title)))
            case DeleteThread():
                self._spawn(self._told(self._surfaces.conversations.delete(message.thread_id)))
            case WidgetAction():
                self._clicked(message)
            case Attach():
                self._attach(message, buffers)
            case ApprovalShown():
                self._surfaces.approvals.shown(message.approval_id)
            case WarmUp():
                listener.warm_up()
            case SpeakChoice():
                self._surfaces.answering.choose(self, message)
            case SpeakingState():
                self._surfaces.answering.speaker.page_said(self, message)
            case CellReply():
                self._surfaces.cells.replied(self, message)

    def _ask_servers(
        self, message: WatchServers | ReadServer | SearchRegistry | KeepSecret | FinishSignIn
    ) -> None:
        servers = self._surfaces.servers
        match message:
            case WatchServers():
                servers.watch(self, self.send if message.on else None)
            case ReadServer():
                self._spawn(self._answer(servers.details(message)))
            case SearchRegistry():
                self._spawn(self._answer(servers.offers(message)))
            case KeepSecret():
                self._spawn(self._answer(servers.keep(message)))
            case FinishSignIn():
                self._spawn(self._answer(servers.finish(message)))

    def _clicked(self, message: WidgetAction) -> None:
        if self.kind == "headless" or self.scripted:  # only a person clicks
            problem = Problem(kind="Refused", message=_("A click is for a person only."))
            self.send(Done(id=message.id, problem=problem))
        else:
            self._spawn(self._answer(self._surfaces.widgets.act(message, self.surface_id)))

    def _attach(self, attached: Attach, buffers: list[bytes]) -> None:
        data = buffers[0] if buffers else b""
        if len(data) == attached.size:
            self._surfaces.on_attach(attached.name, bytes(data))
        else:
            self.send(
                Notice(level="error", message=_("The file did not arrive whole."), hint=_("Drop it again."))
            )

    def _hello(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            self.send(
                Notice(
                    level="error",
                    message=_("This page is from another version of voice_kernel than the kernel."),
                    hint=_("Reload the page."),
                )
            )
        self.kind, self.surface_id = hello.kind, hello.surface_id
        self.cells = hello.cells
        self.approve = tuple(hello.approve) if hello.kind in ("client", "headless") else ()
        self.client_tools = hello.client_tools
        self.scripted = hello.scripted
        self.asks = hello.asks if hello.kind == "client" else hello.kind != "headless"
        self._surfaces.arrived(self)
        self._restart_sender()
        self._surfaces.conversations.begin()  # after the first state: the page need not wait for it
        self._surfaces.conversations.somebody_came()

    async def _told(self, work: Awaitable[None]) -> None:
        """See something through that has no answer of its own; what is wrong becomes a notice."""
        try:
            await work
        except VoiceKernelError as error:
            self.send(Notice(level="error", message=error.message, hint=error.hint))

    def _restart_sender(self) -> None:
        self._stop_sender()
        state, self._subscription = self._surfaces.hub.subscribe()
        self.send(state)
        self._sender = asyncio.ensure_future(self._send_changes(self._subscription))

    async def _send_changes(self, subscription: Subscription) -> None:
        now = asyncio.get_running_loop().time
        ahead_s, sent_at = BURST_S, now()
        while True:
            batch = await subscription.changes()
            if subscription.overflowed:
                self._surfaces.loop.call_soon(self._restart_sender)
                return
            for message in batch:
                self.send(message)
            rested_s, sent_at = now() - sent_at, now()
            pause_s = SHORT_PAUSE_S if len(batch) <= FEW else SEND_PAUSE_S
            ahead_s = min(BURST_S, ahead_s + rested_s) - pause_s
            if ahead_s < 0:
                await asyncio.sleep(-ahead_s)

    def send(self, message: ToSurface, buffers: Sequence[bytes] = ()) -> None:
        """Send one message now; a channel that has closed drops it."""
        self._channel.send(to_surface.dump_python(message, mode="json"), buffers)

    async def _answer(self, answer: Awaitable[ToSurface]) -> None:
        self.send(await answer)

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._work.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a surface's request failed: %s", type(task.exception()).__name__)

    def _stop_sender(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None

    def close(self) -> None:
        """Forget the surface: its recording ends, its turns go on."""
        self._surfaces.servers.watch(self, None)
        self._stop_sender()
        self._surfaces.left(self)
        self._surfaces.answering.left(self)
        self._surfaces.listener.drop_surface(self.surface_id)
