"""The composition root: chooses implementations and wires the ports. The only module that does.

One `App` per IPython shell, made by the first `%voice`. What is heavy is wired as a function that is
called when it is first needed.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from voice_kernel import language
from voice_kernel.agent import commands as model_commands
from voice_kernel.answering import Answering
from voice_kernel.conversations import Conversations, workspace
from voice_kernel.engines import Engines
from voice_kernel.errors import IntentError, VoiceKernelError
from voice_kernel.events import Hub
from voice_kernel.handles import (
    AwaitedTurnCancelled,
    Results,
    TurnCancelled,
    TurnFailed,
    TurnGroup,
    TurnHandle,
    was_interrupted,
)
from voice_kernel.intents import Grammar
from voice_kernel.intents.sentences import wording
from voice_kernel.intents.tongue import TONGUES, other_tongue
from voice_kernel.kernel import Kernel
from voice_kernel.language import N_, _
from voice_kernel.listening import Listener
from voice_kernel.loop import AgentLoop
from voice_kernel.messages import About, AboutChanged, Call, Notice, Origin, SpeechChanged, Task
from voice_kernel.room import Manners
from voice_kernel.session import Session, TurnResult
from voice_kernel.settings import Settings, data_folder
from voice_kernel.settings import load as load_settings
from voice_kernel.speech.keeping import AudioFolder
from voice_kernel.store import Store
from voice_kernel.surroundings import Surroundings, scan
from voice_kernel.task.lanes import misnamed
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.clientcalls import ClientCalls
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.forecast import forecast
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import (
    browser,
    data,
    dictation,
    editing,
    files,
    history,
    lab,
    mcp,
    navigation,
    notebook,
    proposals,
    queries,
    reading,
    repairs,
    replay,
    research,
    shell,
    snippets,
    tasks,
    testing,
)
from voice_kernel.tools import session as session_tools
from voice_kernel.tools.caret import Caret
from voice_kernel.tools.desk import Desk
from voice_kernel.tools.dictation import Dictation
from voice_kernel.ui import cards
from voice_kernel.ui.channel import register_target
from voice_kernel.ui.logs import LogDesk
from voice_kernel.ui.servers import ServerDesk
from voice_kernel.ui.surface import Surfaces
from voice_kernel.ui.widgets import WidgetDesk
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.shelf import shelf
from voice_kernel.version import __version__
from voice_kernel.widgets.live import live

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from voice_kernel.speaking.renderer import Renderer


BEGIN_LIMIT_S = 10.0
OPEN_LIMIT_S = 2.0
"""How long a cell's first command waits for the conversation that it may go on with."""
END_LIMIT_S = 2.0
CLOSE_LIMIT_S = 3.0
LIMITS_HINT = N_("See VOICE_KERNEL_TASK_LIMITS and VOICE_KERNEL_TASK_TIME_LIMITS.")
CARD_LIMIT_S = 10.0
"""How long a card may take to be drawn before we say that nobody can be asked."""


class App:
    """Everything of one session, wired.

    Args:
        shell: the user's shell.
        settings: as read.
    """

    def __init__(self, shell: InteractiveShell, settings: Settings) -> None:
        language.use(settings.language)
        self.settings = settings
        self.closed = False
        """Whether the session has ended."""
        self.loop = AgentLoop()
        self.kernel = Kernel(shell)
        self.hub = Hub(self._about())
        secrets = settings.secrets
        self._passing_logs: Path | None = None
        self.logs = LogFolder(
            self._log_dir(),
            max_log_bytes=settings.log_cap_mb * 1024**2,
            secrets=secrets,
            on_problem=lambda problem: self.hub.publish(Notice(level="warning", message=problem)),
        )
        runner = Runner(self.hub, lambda task_id: self.logs.open(f"task-{os.getpid()}-{task_id}"), secrets)
        self.approvals = Approvals(self.hub, self._somebody_listens)
        self.engines = Engines(
            settings, lambda: self.toolbox, self._conversation, lambda: self.surfaces.cells, self.hub.publish
        )
        self.hub.about = self.engines.models.told(self.hub.about)
        self.registry = Registry()
        self.toolbox = Toolbox(
            self.registry,
            Policy(shell_allowed=settings.shell_allowed, model_values=settings.model_values),
            self.approvals,
            runner,
            self._asked_by_cell,
            limits=settings.task_limits,
            time_limits=settings.task_time_limits,
        )
        self.surroundings = Surroundings(
            Path.cwd,
            self.kernel.namespace,
            lambda: tuple(task.id for task in runner.tasks()),
            scan,
            settings.vocabulary,
            lambda: (self.surfaces.cells.cell_count, self.surfaces.cells.headings),
            lambda: self.engines.servers.names,
            lambda: (
                self.engines.page_open or any(t.area == "browser" and not t.ended_at for t in runner.tasks())
            ),
        )
        self.dictation = Dictation(self._dictation_changed, settings.language)
        self.answering = Answering(
            self.hub,
            self._renderer,
            self.engines.voice,
            notify_after_s=settings.notify_after_s,
        )
        self._grammar: asyncio.Task[Grammar] | None = None
        self.session = Session(
            self.hub,
            self.toolbox,
            self.grammar,
            self.surroundings.refresh,
            self.kernel.interrupt,
            self.engines.brain,
            self.dictation.calls,
            self.answering.control,
            lambda: self.engines.answering,
            self.surroundings.look_again,
            self.engines.models.allowed,
        )
        worked_for, is_notebook = workspace(os.environ, Path.cwd())
        self._notebook_folder = Path(worked_for).parent if is_notebook else Path(worked_for)
        self.store = Store(
            settings.database_url,
            data_folder(),
            workspace=worked_for,
            secrets=secrets,
            on_keeping=lambda keeping: self.conversations.keeping_changed(keeping),
            max_tasks=settings.history_tasks,
            days=settings.history_days,
            logs=self.logs.path,
        ) if settings.keep_history else None  # fmt: skip
        self.approvals.keeper = self.store
        self.conversations = Conversations(
            self.hub,
            self.session,
            runner,
            self.store,
            resume=is_notebook,
            recalled=self.engines.recalled,
            somebody_listens=lambda: self.surfaces.somebody_listens,
        )
        self.listener = Listener(
            self.hub,
            self.session,
            self.engines.transcriber,
            self.surroundings.now,
            self.grammar,
            lambda: "dictation" if self.dictation.on else "command",
            manners=Manners(
                end_silence_s=settings.end_silence_ms / 1000,
                wake_phrase=settings.wake_phrase,
                language=settings.language,
            ),
            mouth=self.answering.speaker,
            asked=lambda: bool(self.approvals.open or self.session.questions.open),
            folder=AudioFolder(Path(settings.keep_audio).expanduser()) if settings.keep_audio else None,
            hearing=self.engines.hearing,
        )
        self.clients = ClientCalls(self._has_page)
        widgets = WidgetDesk(self.hub, self.session, self.registry, live, shelf.answering)
        self._stop_following = widgets.follow(self.loop)
        self.surfaces = Surfaces(
            self.loop,
            self.hub,
            self.session,
            self.listener,
            self.approvals,
            self.kernel.interrupt,
            LogDesk(self.logs, runner.task, self.conversations.past),
            ServerDesk(
                lambda: self.engines.servers, self.engines.catalog, settings.mcp_registry_url, Path.cwd
            ),
            self.conversations,
            self.answering,
            widgets,
            self.clients,
        )
        self.surfaces.on_attach = self.engines.models.attach
        self.kernel.on_control(self.surfaces.receive_control)
        self.kernel.on_shutdown(self.end)
        atexit.register(self.end)
        self._register_tools()
        self.own_tools = Adoption(
            shelf, self.registry, self.kernel, self.hub.publish, self.engines.executor, self.clients
        )
        for notice in self.own_tools.update():
            warnings.warn(f"{notice.message} {notice.hint}", stacklevel=2)
        self._to_tell: list[Notice] = []
        """Notices for the first surface that connects."""
        if wrong := misnamed([*settings.task_limits, *settings.task_time_limits]):
            warnings.warn(wrong, stacklevel=2)
            self._to_tell.append(Notice(level="warning", message=wrong, hint=_(LIMITS_HINT)))
        self._stop_adopting = shelf.on_change(lambda: self.loop.call_soon(self._adopt))
        self._cards = cards.Cards(self.kernel, self.surfaces, self._route)
        self._turns: list[int] = []
        self._told_reach = False
        self._stop_accepting = register_target(
            lambda channel, _data: (self.surfaces.connect(channel), None)[1], self._route
        )

    # ---- what a cell asks for ---------------------------------------------------------------------

    def say(
        self, text: str, *, background: bool = False, model: str | None = None
    ) -> TurnResult | TurnHandle:
        """Do what the words say, in the cell that runs.

        Args:
            text: the words; without any, `model` answers from now on.
            background: return a handle at once.
            model: which model answers, whatever the grammar understands.

        Raises:
            TurnFailed: the turn did not succeed.
            TurnCancelled: it was interrupted.
        """
        if model and not text:
            turn_id = self._begin("running", _("use the model {model}").format(model=model))
            call = Call(tool="choose_model", arguments={"model": model})
            return self._turn(turn_id, lambda: self.session.carry_out(turn_id, [call]), background)
        turn_id = self._begin("understanding", text)
        return self._turn(turn_id, lambda: self.understood(turn_id, text, model), background)

    def hear(self, path: str, *, background: bool = False) -> TurnResult | TurnHandle:
        """Do what a recording says. Raises like `say`, and `AudioError` for a file that is no sound."""
        from voice_kernel.speech.clip import AudioClip

        clip = AudioClip.read(Path(path).expanduser())
        turn_id = self._begin("understanding", "")
        return self._turn(
            turn_id,
            lambda: self.listener.recording(
                turn_id, clip.pcm, clip.rate_hz, approved_tools=self.surfaces.approved
            ),
            background,
        )

    def say_all(self, commands: list[str], *, keep_going: bool = False) -> list[TurnResult]:
        """Do one command after the other; stop at the first failure, or raise it at the end."""
        results: list[TurnResult] = []
        failure: TurnFailed | None = None
        for command in commands:
            try:
                result = self.say(command)
                assert isinstance(result, TurnResult)
                results.append(result)
            except TurnFailed as failed:
                if not keep_going:
                    raise
                failure = failure or failed
        if failure is not None:
            raise failure
        return Results(results)

    def say_together(self, texts: Sequence[str]) -> TurnGroup:
        """Open a turn for each of several texts, to be done beside each other in the cell that runs."""
        return TurnGroup(self, {self._begin("understanding", text): text for text in texts})

    def open_card(self, turn_id: int) -> cards.Card | cards.Others:
        """Show a turn in the cell that runs."""
        return self._cards.open(turn_id)

    @contextlib.contextmanager
    def inside(self, turn_ids: Collection[int]) -> Iterator[None]:
        """Wait for turns: what begins meanwhile on this thread, begins inside the last of them."""
        before = len(self._turns)
        self._turns.extend(turn_ids)
        try:
            yield
        finally:
            del self._turns[before:]

    def result(self, turn_id: int) -> TurnResult:
        """Return a turn as it is now. Callable from any thread but the loop's."""
        result: TurnResult = self._sync(_value(lambda: self.session.result(turn_id)))
        return result

    async def understood(self, turn_id: int, text: str, model: str | None = None) -> TurnResult:
        """Take a turn from its text to its end."""
        return await self.session.understand(
            turn_id, text, approved_tools=self.surfaces.approved, model=model
        )

    def show_panel(self) -> Any:
        """Return a live panel for the cell to display; None in a terminal, which can show none."""
        if not self.kernel.has_kernel:
            raise VoiceKernelError(
                _("A terminal cannot show the voice panel."), hint=_("Give the words: %voice run the tests.")
            )
        return cards.show_panel(self.surfaces, self._route)

    def wait(self, start: Any) -> Any:
        """Run a coroutine to its end while code of turns runs on this thread."""
        try:
            return self.kernel.wait(self.loop, start)
        except asyncio.CancelledError:
            raise TurnCancelled from None

    def as_awaited(self, result: Callable[[], TurnResult]) -> TurnResult:
        """Return a result inside a coroutine of the notebook's own loop.

        It blocks as it does elsewhere: code of the turn runs on this same thread, so that handing control
        back to that loop would leave nobody to run it.
        """
        try:
            return result()
        except KeyboardInterrupt as interrupt:
            raise AwaitedTurnCancelled from interrupt

    def outcome_of(self, result: TurnResult) -> TurnResult:
        """Return the result of a turn that succeeded; raise for any other."""
        turn = result.turn
        if turn.state == "succeeded":
            return result
        if turn.state == "cancelled" or turn.ended_at is None:  # not ended: left behind by an interrupt
            raise TurnCancelled
        if was_interrupted(turn):
            raise TurnCancelled  # while code ran: nothing that was to follow it may run now
        problem = turn.problem
        message = problem.message if problem else turn.answer or _("The turn failed.")
        hint = problem.hint if problem else ""
        if turn.closest:
            hint = _("Closest: {sentences}.").format(sentences="; ".join(turn.closest))
        raise TurnFailed(message, hint=hint, result=result)

    def end(self) -> None:
        """Interrupt what runs and write down what is known, within `END_LIMIT_S`. Callable from any thread.

        All there is time for when the kernel shuts down; `close` does it too.
        """
        if not self.loop.running:  # nothing was begun, or this is a forked copy of the kernel
            return
        with contextlib.suppress(TimeoutError, RuntimeError):
            self.loop.call_soon(self.approvals.leave)
            self.loop.run_sync(self.conversations.close(END_LIMIT_S), END_LIMIT_S + 0.5)
        if self._passing_logs is not None:
            shutil.rmtree(self._passing_logs, ignore_errors=True)

    def close(self) -> None:
        """End the session: interrupt everything, stop the thread."""
        self.closed = True
        atexit.unregister(self.end)
        self._stop_accepting()
        self._stop_adopting()
        self._stop_following()
        self.end()
        self.kernel.close()
        if self.loop.running:
            with contextlib.suppress(TimeoutError):
                self.loop.run_sync(self._close_engines(), CLOSE_LIMIT_S)
        self.loop.stop()

    # ---- parts ------------------------------------------------------------------------------------

    async def grammar(self) -> Grammar:
        """Return the sentences, loading them on a worker the first time; those of the user's tools too."""
        if self._grammar is None or (self._grammar.done() and self._grammar.exception() is not None):
            self._grammar = asyncio.ensure_future(self._load_grammar())
        grammar = self.own_tools.grammar(await asyncio.shield(self._grammar))
        self.surroundings.expect((*self.settings.vocabulary, *self.own_tools.words))
        return grammar

    async def _load_grammar(self) -> Grammar:
        self.engines.begin_servers(self.hub.publish)  # the first wish of the session: they start beside it
        path = self.settings.sentences_path
        try:
            grammar = await asyncio.to_thread(load_grammar, self.settings)
            if path.is_file() and (other := other_tongue(wording(path), self.settings.language)):
                own = _(TONGUES[self.settings.language])
                sounds = _("Your own sentences sound like {other}, and this session understands {own}.")
                notice = Notice(
                    level="warning",
                    message=sounds.format(other=_(TONGUES[other]), own=own),
                    hint=_("Write {path} in {own}, or set VOICE_KERNEL_LANGUAGE={code}.").format(
                        path=path, own=own, code=other
                    ),
                )
                self.hub.publish(notice)
            return grammar
        except IntentError as error:
            # A slip in the user's own file must not take every command away.
            notice = Notice(
                level="warning",
                message=_("Your own sentences are left out: {message}").format(message=error.message),
                hint=_("Mend {path}, then restart the kernel.").format(path=path),
            )
            self.hub.publish(notice)
            return await asyncio.to_thread(load_grammar, self.settings, own=False)

    def _register_tools(self) -> None:
        for tables in (data, queries):
            tables.register(
                self.registry,
                runner=self.kernel,
                context=self.surroundings.now,
                propose_cell=self.kernel.set_next_input,
            )
        desk = Desk(self.surfaces.cells, self.kernel, self._asked_by_cell)
        notebook.register(self.registry, desk)
        lab.register(self.registry, desk)
        self.surfaces.cells.running = desk.shown_now
        caret = Caret()
        navigation.register(self.registry, desk=desk, caret=caret)
        reading.register(self.registry, desk=desk, caret=caret, tasks=self.toolbox.runner.tasks)
        editing.register(self.registry, desk=desk, caret=caret, write=self._write)
        dictation.register(self.registry, desk=desk, caret=caret, dictation=self.dictation, write=self._write)
        snippets.register(self.registry, desk=desk, tasks=self.toolbox.runner.tasks)
        proposals.register(self.registry, desk=desk, call=self._call)
        repairs.register(
            self.registry,
            desk=desk,
            context=self.surroundings.now,
            attributes=self.kernel.attributes,
            tasks=self.toolbox.runner.tasks,
            call=self._call,
        )
        files.register(self.registry)
        shell.register(self.registry, executor=self.engines.executor)
        testing.register(
            self.registry,
            executor=self.engines.executor,
            open_file=desk.ask,
            notebook_folder=lambda: self._notebook_folder,
        )
        tasks.register(self.registry, tasks=self._known_tasks, call=self._call)
        history.register(self.registry, find=self.conversations.search, tasks=self._known_tasks)
        replay.register(
            self.registry,
            past=replay.Past(lambda: list(self.hub.turns.values()), self._known_tasks),
            call=self._call,
            foreseen=lambda call: forecast(self.registry, self.toolbox.policy, call, "script"),
        )
        browser.register(
            self.registry, browser.Hands(self.engines.browser, allowed=self.settings.browser_allowed)
        )
        research.register(
            self.registry,
            library=lambda: self.engines.library,
            engine=self.engines.search_engine,
            pages=self.settings.search_pages,
            tasks=self.toolbox.runner.tasks,
            call=self._call,
        )
        mcp.register(
            self.registry,
            supervisor=lambda: self.engines.servers,
            catalog=lambda: self.engines.catalog(),
            call=self._call,
        )
        model_commands.register(
            self.registry,
            brain=self.engines.models.brain,
            choose=self._choose_model,
            context=self.surroundings.now,
            tasks=self.toolbox.runner.tasks,
        )
        session_tools.register(self.registry, self.grammar, self.conversations.new)

    def _renderer(self) -> Renderer:
        from voice_kernel.speaking.renderer import Renderer

        return Renderer(self.settings.language)

    def _adopt(self) -> None:
        for notice in self.own_tools.update():
            self.hub.publish(notice)

    async def _write(self, text: str, kind: str, before: str) -> str:
        grammar = await self.grammar()
        return grammar.write(text, kind, before, self.surroundings.now())

    def _known_tasks(self) -> list[Task]:
        return list(self.hub.tasks.values())

    async def _call(self, task: TaskHandle, tool: str, arguments: dict[str, Any]) -> Task:
        # What was approved beforehand was approved of a person's own words: not of what a model or another
        # kind of task makes of them.
        known = self.registry.specs.get(tool)
        own = known is not None and known.area == task.task.area and task.origin != "model"
        approved = self.surfaces.approved if own else ()
        return await self.toolbox.call(
            tool,
            arguments,
            turn_id=task.turn_id,
            origin=task.origin,
            approved_tools=approved,
            untrusted=task.untrusted,
            going_on=task.going_on,
        )

    async def _choose_model(self, model: str) -> str:
        name = await self.engines.models.choose(model)
        self.hub.publish(AboutChanged(about=self.engines.models.told(self.hub.about)))
        return name

    def _dictation_changed(self, on: bool) -> None:
        speech = self.hub.speech.model_copy(update={"mode": "dictation" if on else "command"})
        self.hub.publish(SpeechChanged(speech=speech))

    def _asked_by_cell(self, turn_id: int) -> bool:
        turn = self.hub.turns.get(turn_id)
        return turn is not None and turn.origin in ("magic", "script") and not turn.surface_id

    async def _close_engines(self) -> None:
        await self.answering.close()
        await self.toolbox.runner.close(CLOSE_LIMIT_S - 1)
        await self.engines.close()

    def _conversation(self) -> str:
        thread = self.hub.keeping.thread
        return thread.id if thread is not None else ""

    # ---- inside -----------------------------------------------------------------------------------

    def _turn(self, turn_id: int, start: Any, background: bool) -> TurnResult | TurnHandle:
        card = self.open_card(turn_id)
        if background:
            work = self.loop.submit(self._in_background(start, card, turn_id))
            return TurnHandle(self, turn_id, work, card)
        try:
            with self.inside([turn_id]):
                self.wait(start)
        finally:
            result = self.result(turn_id)
            card.freeze(result)
        return self.outcome_of(result.mark_shown())

    async def _in_background(self, start: Any, card: cards.Card | cards.Others, turn_id: int) -> TurnResult:
        try:
            result: TurnResult = await start()
        finally:
            card.freeze(self.session.result(turn_id))
        return result.mark_shown()

    def _begin(self, state: Any, text: str) -> int:
        origin: Origin = "magic" if self.kernel.can_ask else "script"
        parent_id = self._turns[-1] if self._turns else None

        async def begin() -> int:
            await self.conversations.wait_open(OPEN_LIMIT_S)
            turn_id = self.session.begin(origin, parent_id=parent_id, state=state)
            self.session.change(turn_id, text=text)
            return turn_id

        return int(self._sync(begin()))

    def _sync(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_sync(coroutine, BEGIN_LIMIT_S)

    def _has_page(self, turn_id: int) -> bool:
        turn = self.session.turn(turn_id)
        return turn is not None and self.surfaces.does_client_tools(turn.surface_id)

    async def _somebody_listens(self) -> bool:
        if self.surfaces.somebody_listens:
            return True
        if not (self._turns and self.kernel.has_kernel and self.kernel.can_ask):
            return False
        return await self.surfaces.wait_for_somebody(CARD_LIMIT_S)

    def _route(self, comm: Any) -> str:
        reach = self.kernel.route(comm)
        if reach == "none" and self.kernel.has_kernel and not self._told_reach:
            self._told_reach = True
            notice = Notice(
                level="warning",
                message=_("With this ipykernel, clicks and speech arrive only when no cell is running."),
                hint=_("pip install 'ipykernel>=7.1' mends it."),
            )
            self.loop.call_soon(self.hub.publish, notice)
        notices, self._to_tell = self._to_tell, []
        for notice in notices:
            self.loop.call_soon(self.hub.publish, notice)
        return reach

    def _log_dir(self) -> Path:
        if self.settings.log_dir:
            return Path(self.settings.log_dir).expanduser()
        if self.settings.keep_history:
            return data_folder() / "logs"
        # Logs are there to be read while the session lives; nothing of it is to be left afterwards.
        self._passing_logs = Path(tempfile.gettempdir()) / f"voice-kernel-logs-{token_hex(8)}"
        return self._passing_logs

    def _about(self) -> About:
        return About(
            version=__version__,
            shell_allowed=self.settings.shell_allowed,
            cwd=str(Path.cwd()),
            notify_after_s=self.settings.notify_after_s,
            language=self.settings.language,
            speak=self.settings.speak,
            voice=self.settings.voice,
            speech_rate=self.settings.speech_rate,
            listen=self.settings.listen,
            earcons=self.settings.earcons,
            wake_phrase=self.settings.wake_phrase,
            audio_kept_in=self.settings.keep_audio,
        )


async def _value(function: Any) -> Any:
    return function()


def load_grammar(settings: Settings, *, own: bool = True) -> Grammar:
    """Load the sentences of the settings' language, with the user's own unless they are not wanted.

    Raises:
        IntentError: a file is wrong.
    """
    path = settings.sentences_path
    return Grammar.shared(settings.language, path if own and path.is_file() else None)


def known_tools() -> Registry:
    """Return every tool with nothing behind it: its arguments and effects, for dry runs and for checks."""
    absent: Any = _Absent()
    absent.registry = Registry()
    App._register_tools(absent)  # what the tools act on is touched only when they act
    return cast("Registry", absent.registry)


class _Absent:
    """Stands where a session's parts would stand."""

    def __getattr__(self, name: str) -> _Absent:
        return self


def panel_class() -> Any:
    """Return the panel's widget class."""
    from voice_kernel.ui.widget import PanelWidget

    return PanelWidget


_apps: dict[int, App] = {}


def app_of(shell: InteractiveShell) -> App:
    """Return the shell's app, made when first asked for."""
    app = _apps.get(id(shell))
    if app is None:
        app = _apps[id(shell)] = App(shell, load_settings())
    return app


def app_if_any(shell: InteractiveShell) -> App | None:
    """Return the shell's app, if its session has begun."""
    return _apps.get(id(shell))


def close_app(shell: InteractiveShell) -> None:
    """End the shell's session, if there is one."""
    app = _apps.pop(id(shell), None)
    if app is not None:
        app.close()
