"""The composition root: chooses implementations and wires the ports. The only module that does.

One `App` per IPython shell, made by the first `%voice`. What is heavy is wired as a function that is
called when it is first needed.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from voice_kernel import session as session_module
from voice_kernel.conversations import Conversations, workspace
from voice_kernel.errors import IntentError, VoiceKernelError
from voice_kernel.events import Hub
from voice_kernel.intents import Grammar
from voice_kernel.kernel import Kernel
from voice_kernel.listening import Listener
from voice_kernel.loop import AgentLoop, Submission
from voice_kernel.messages import About, Notice, Origin, SpeechChanged, Task, Turn
from voice_kernel.session import Brain, Session, TurnResult
from voice_kernel.settings import Settings, data_folder
from voice_kernel.settings import load as load_settings
from voice_kernel.store import Store
from voice_kernel.surroundings import Surroundings, scan
from voice_kernel.task import process
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import INTERRUPTED, Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
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
    navigation,
    notebook,
    planned,
    queries,
    reading,
    repairs,
    replay,
    research,
    shell,
    tasks,
    tests,
)
from voice_kernel.tools.caret import Caret
from voice_kernel.tools.dictation import Dictation
from voice_kernel.ui import cards
from voice_kernel.ui.channel import register_target
from voice_kernel.ui.logs import LogDesk
from voice_kernel.ui.surface import Surfaces
from voice_kernel.usertools.adoption import Adoption
from voice_kernel.usertools.shelf import shelf
from voice_kernel.version import __version__
from voice_kernel.web.addresses import Reach

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from voice_kernel.agent.brain import Brain as AgentBrain
    from voice_kernel.speech.transcriber import Transcriber
    from voice_kernel.web.engines import Engine
    from voice_kernel.web.library import Library

BEGIN_LIMIT_S = 10.0
OPEN_LIMIT_S = 2.0
"""How long a cell's first command waits for the conversation that it may go on with."""
END_LIMIT_S = 2.0
SETTLE_LIMIT_S = 1.0
"""How long turns that were interrupted together may take to end before they are shown as still running."""
CLOSE_LIMIT_S = 3.0
CARD_LIMIT_S = 10.0
"""How long a card may take to be drawn before we say that nobody can be asked."""


class TurnFailed(VoiceKernelError):
    """A turn did not succeed; `result` holds what it came to."""

    def __init__(self, message: str, *, hint: str, result: TurnResult) -> None:
        super().__init__(message, hint=hint)
        self.result = result


class TurnCancelled(KeyboardInterrupt):
    """The turn of a `%voice` was interrupted or cancelled."""

    def _render_traceback_(self) -> list[str]:
        return ["Cancelled."]


class AwaitedTurnCancelled(TurnCancelled, asyncio.CancelledError):
    """The same inside a coroutine.

    asyncio ends the whole event loop, here the kernel's, when a task of it raises a KeyboardInterrupt; to
    be cancelled is something that tasks may come to.
    """


class TurnHandle:
    """A turn in the background: `await handle`, `handle.result()`, `handle.cancel()`."""

    def __init__(self, app: App, turn_id: int, work: Any) -> None:
        self._app = app
        self._work = work
        self.turn_id = turn_id

    @property
    def done(self) -> bool:
        """Whether the turn has ended."""
        return bool(self._work.done())

    def cancel(self) -> bool:
        """Cancel the turn with everything it started; returns whether it was running."""
        return bool(self._work.cancel())

    def result(self) -> TurnResult:
        """Wait for the turn and return its result, also when the session has ended since.

        Raises:
            TurnFailed: it failed.
            TurnCancelled: it was cancelled, or the wait was interrupted.
            VoiceKernelError: the session ended before the turn did.
        """
        if not self._work.done():
            return self._app.outcome_of(self._app.wait(self._joined))
        try:
            result: TurnResult | None = self._work.result()
        except concurrent.futures.CancelledError:
            if not self._app.closed:
                raise TurnCancelled from None
            result = None
        problem = result.turn.problem if result is not None else None
        if result is None or (self._app.closed and problem is not None and problem.kind == INTERRUPTED.kind):
            raise VoiceKernelError(
                f"Turn {self.turn_id} had not ended when voice_kernel was unloaded.",
                hint="Load it again with %load_ext voice_kernel, and say it again.",
            )
        return self._app.outcome_of(result)

    def __await__(self) -> Any:
        return self._app.as_awaited(self.result)
        yield

    async def _joined(self) -> TurnResult:
        result: TurnResult = await asyncio.wrap_future(self._work)
        return result

    def __repr__(self) -> str:
        return f"<turn {self.turn_id}: {'ended' if self.done else 'running'}>"


class TurnGroup:
    """Turns that run beside each other in one cell. They begin with the first wait for any of them.

    Args:
        app: the session.
        texts: what was said, by the number of the turn.
    """

    def __init__(self, app: App, texts: Mapping[int, str]) -> None:
        self._app = app
        self._texts = dict(texts)
        self._cards = {turn_id: app.open_card(turn_id) for turn_id in texts}
        self._work: dict[int, asyncio.Task[TurnResult]] = {}
        self._results: dict[int, TurnResult] = {}
        self._begun = False

    @property
    def turn_ids(self) -> list[int]:
        """The numbers of the turns, in the order of the texts."""
        return list(self._texts)

    def result(self, turn_id: int) -> TurnResult:
        """Wait for a turn; returns what it came to, a failure being a state of it.

        The first wait is for all of them: code of theirs needs this thread. Code that runs meanwhile may
        come here again, and then waits for the one that it wants.
        """
        if turn_id not in self._results:
            waited, start = (self.turn_ids, self._all) if not self._begun else ([turn_id], None)
            self._begun = True
            try:
                if start is not None:
                    with self._app.inside(waited):
                        self._app.wait(start)
                elif not self._work[turn_id].done():
                    self._app.wait(lambda: self._one(turn_id))
            except KeyboardInterrupt:  # all of them were meant
                self._app.loop.run_sync(self._stop(), BEGIN_LIMIT_S)
            finally:
                for ended in waited:
                    self._end(ended)
        return self._results[turn_id]

    def under_way(self, turn_id: int) -> bool:
        """Whether the wait for all of them has begun, and the turn has not been waited for."""
        return self._begun and turn_id not in self._results

    def ended(self, turn_id: int) -> Submission[None]:
        """Return a future that is done when a turn has ended that is under way."""
        return self._app.loop.submit(self._one(turn_id))

    def cancel(self, turn_id: int) -> None:
        """Cancel one turn."""
        self._app.loop.call_soon(lambda: self._work[turn_id].cancel())

    async def _all(self) -> None:
        for turn_id, text in self._texts.items():
            self._work[turn_id] = asyncio.ensure_future(self._understood(turn_id, text))
        # Not only until the first is cancelled: each of them has to come to its end.
        await asyncio.gather(*self._work.values(), return_exceptions=True)

    async def _understood(self, turn_id: int, text: str) -> TurnResult:
        result = await self._app.understood(turn_id, text)
        if was_interrupted(result.turn):  # in its code: that was meant for all of them
            self._cancel()
        return result

    async def _one(self, turn_id: int) -> None:
        await asyncio.wait({self._work[turn_id]})

    async def _stop(self) -> None:
        self._cancel()
        if self._work:  # what still has to run on the thread that waits here cannot end meanwhile
            await asyncio.wait(self._work.values(), timeout=SETTLE_LIMIT_S)

    def _cancel(self) -> None:
        for work in self._work.values():
            work.cancel()

    def _end(self, turn_id: int) -> None:
        if turn_id not in self._results:
            result = self._app.result(turn_id)
            self._results[turn_id] = result.mark_shown()
            self._cards[turn_id].freeze(result)


class App:
    """Everything of one session, wired.

    Args:
        shell: the user's shell.
        settings: as read.
    """

    def __init__(self, shell: InteractiveShell, settings: Settings) -> None:
        self.settings = settings
        self.closed = False
        """Whether the session has ended."""
        self.loop = AgentLoop()
        self.kernel = Kernel(shell)
        self.hub = Hub(self._about())
        secrets = [settings.openai_api_key.get_secret_value()] if settings.openai_api_key else []
        self._passing_logs: Path | None = None
        self.logs = LogFolder(
            self._log_dir(),
            max_log_bytes=settings.log_cap_mb * 1024**2,
            secrets=secrets,
            on_problem=lambda problem: self.hub.publish(Notice(level="warning", message=problem)),
        )
        runner = Runner(self.hub, lambda task_id: self.logs.open(f"task-{os.getpid()}-{task_id}"), secrets)
        self.approvals = Approvals(self.hub, self._somebody_listens)
        self.executor = executor_of(settings)
        self.registry = Registry()
        self.toolbox = Toolbox(
            self.registry,
            Policy(shell_allowed=settings.shell_allowed),
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
        )
        self.dictation = Dictation(self._dictation_changed)
        self._grammar: asyncio.Task[Grammar] | None = None
        self._model: AgentBrain | None = None
        self._past_turns: Sequence[Turn] = ()
        self.session = Session(
            self.hub,
            self.toolbox,
            self.grammar,
            self.surroundings.refresh,
            self.kernel.interrupt,
            self._brain if settings.model_configured else None,
            self.dictation.calls,
        )
        worked_for, is_notebook = workspace(os.environ, Path.cwd())
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
        self.conversations = Conversations(
            self.hub, self.session, runner, self.store, resume=is_notebook, recalled=self._recalled
        )
        self.listener = Listener(
            self.hub,
            self.session,
            self.transcriber,
            self.surroundings.now,
            self.grammar,
            lambda: "dictation" if self.dictation.on else "command",
        )
        self.surfaces = Surfaces(
            self.loop,
            self.hub,
            self.session,
            self.listener,
            self.approvals,
            self.kernel.interrupt,
            LogDesk(self.logs, runner.task, self.conversations.past),
            self.conversations,
        )
        self.kernel.on_control(self.surfaces.receive_control)
        self.kernel.on_shutdown(self.end)
        atexit.register(self.end)
        self._register_tools()
        self.own_tools = Adoption(shelf, self.registry, self.kernel, self.hub.publish, self.executor)
        for notice in self.own_tools.update():
            warnings.warn(f"{notice.message} {notice.hint}", stacklevel=2)
        self._stop_adopting = shelf.on_change(lambda: self.loop.call_soon(self._adopt))
        self._turns: list[int] = []
        self._told_reach = False
        self._stop_accepting = register_target(
            lambda channel, _data: (self.surfaces.connect(channel), None)[1], self._route
        )

    # ---- what a cell asks for ---------------------------------------------------------------------

    def say(self, text: str, *, background: bool = False) -> TurnResult | TurnHandle:
        """Do what the words say, in the cell that runs.

        Raises:
            TurnFailed: the turn did not succeed.
            TurnCancelled: it was interrupted.
        """
        turn_id = self._begin("understanding", text)
        return self._turn(turn_id, lambda: self.understood(turn_id, text), background)

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
        return _Results(results)

    def say_together(self, texts: Sequence[str]) -> TurnGroup:
        """Open a turn for each of several texts, to be done beside each other in the cell that runs."""
        return TurnGroup(self, {self._begin("understanding", text): text for text in texts})

    def open_card(self, turn_id: int) -> cards.Card:
        """Show a turn in the cell that runs."""
        return cards.Card(self.kernel, self.surfaces, self._route, turn_id)

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

    async def understood(self, turn_id: int, text: str) -> TurnResult:
        """Take a turn from its text to its end."""
        return await self.session.understand(turn_id, text, approved_tools=self.surfaces.approved)

    def show_panel(self) -> Any:
        """Return a live panel for the cell to display; None in a terminal, which can show none."""
        if not self.kernel.has_kernel:
            raise VoiceKernelError(
                "A terminal cannot show the voice panel.", hint="Give the words: %voice run the tests."
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
        message = problem.message if problem else turn.answer or "The turn failed."
        hint = problem.hint if problem else ""
        if turn.closest:
            hint = "Closest: " + "; ".join(turn.closest) + "."
        raise TurnFailed(message, hint=hint, result=result)

    def end(self) -> None:
        """Interrupt what runs and write down what is known, within `END_LIMIT_S`. Callable from any thread.

        All there is time for when the kernel shuts down; `close` does it too.
        """
        if not self.loop.running:  # nothing was begun, or this is a forked copy of the kernel
            return
        with contextlib.suppress(TimeoutError, RuntimeError):
            self.loop.run_sync(self.conversations.close(END_LIMIT_S), END_LIMIT_S + 0.5)
        if self._passing_logs is not None:
            shutil.rmtree(self._passing_logs, ignore_errors=True)

    def close(self) -> None:
        """End the session: interrupt everything, stop the thread."""
        self.closed = True
        atexit.unregister(self.end)
        self._stop_accepting()
        self._stop_adopting()
        self.end()
        self.kernel.close()
        if self.loop.running:
            with contextlib.suppress(TimeoutError):
                self.loop.run_sync(self._close_engines(), CLOSE_LIMIT_S)
        self.loop.stop()

    # ---- parts ------------------------------------------------------------------------------------

    @cached_property
    def transcriber(self) -> Transcriber:
        """The speech engine; its weights load when it is first used."""
        from voice_kernel.speech import LocalTranscriber

        return LocalTranscriber(self.settings.speech_model_path or None)

    @cached_property
    def browser(self) -> browser.BrowserLife:
        """The web browser; it starts when a page is first opened."""
        settings = self.settings
        profile = Path(settings.browser_profile).expanduser() if settings.browser_profile else None
        choices = browser.Choices(
            executable=settings.browser_executable,
            headed=settings.browser_headed,
            profile=profile,
            reach=Reach(settings.private_hosts, settings.allowed_hosts, settings.denied_hosts),
        )
        return browser.BrowserLife(choices, Path.cwd, self._conversation)

    def _conversation(self) -> str:
        thread = self.hub.keeping.thread
        return thread.id if thread is not None else ""

    @cached_property
    def library(self) -> Library:
        """Reads pages of the web."""
        from urllib.request import getproxies

        from voice_kernel.web.fetch import Fetcher
        from voice_kernel.web.library import Library

        settings = self.settings
        reach = Reach(settings.private_hosts, settings.allowed_hosts, settings.denied_hosts)
        proxies = getproxies()
        proxy = proxies.get("https") or proxies.get("http") or ""
        return Library(Fetcher(reach, proxy=proxy), _run_to_its_end)

    def _search_engine(self) -> Engine:
        from voice_kernel.web.engines import engine_of

        key = self.settings.search_api_key
        return engine_of(
            self.settings.search_engine, self.settings.search_url, key.get_secret_value() if key else ""
        )

    async def grammar(self) -> Grammar:
        """Return the sentences, loading them on a worker the first time; those of the user's tools too."""
        if self._grammar is None or (self._grammar.done() and self._grammar.exception() is not None):
            self._grammar = asyncio.ensure_future(self._load_grammar())
        grammar = self.own_tools.grammar(await asyncio.shield(self._grammar))
        self.surroundings.expect((*self.settings.vocabulary, *self.own_tools.words))
        return grammar

    async def _load_grammar(self) -> Grammar:
        try:
            return await asyncio.to_thread(load_grammar, self.settings)
        except IntentError as error:
            # A slip in the user's own file must not take every command away.
            path = self.settings.sentences_path
            notice = Notice(
                level="warning",
                message=f"Your own sentences are left out: {error.message}",
                hint=f"Mend {path}, then restart the kernel.",
            )
            self.hub.publish(notice)
            return await asyncio.to_thread(load_grammar, self.settings, own=False)

    async def _brain(self) -> Brain:
        if self._model is None:
            from voice_kernel.agent.brain import Brain as AgentBrain
            from voice_kernel.agent.provider import ModelSettings

            key = self.settings.openai_api_key
            model = ModelSettings(
                model=self.settings.model,
                api_key=key.get_secret_value() if key else None,
                base_url=self.settings.base_url or None,
            )
            self._model = AgentBrain(model, self.toolbox, working_folder=str(Path.cwd()))
            self._model.recall(self._past_turns)
        return self._model

    def _recalled(self, turns: Sequence[Turn]) -> None:
        self._past_turns = turns
        if self._model is not None:
            self._model.recall(turns)

    def _register_tools(self) -> None:
        for tables in (data, queries):
            tables.register(
                self.registry,
                runner=self.kernel,
                context=self.surroundings.now,
                propose_cell=self.kernel.set_next_input,
            )
        desk = notebook.register(
            self.registry, host=self.surfaces.cells, kernel=self.kernel, asked_by_cell=self._asked_by_cell
        )
        self.surfaces.cells.running = desk.shown_now
        caret = Caret()
        navigation.register(self.registry, desk=desk, caret=caret)
        reading.register(self.registry, desk=desk, caret=caret)
        editing.register(self.registry, desk=desk, caret=caret, write=self._write)
        dictation.register(self.registry, desk=desk, caret=caret, dictation=self.dictation, write=self._write)
        repairs.register(
            self.registry,
            desk=desk,
            context=self.surroundings.now,
            attributes=self.kernel.attributes,
            tasks=self.toolbox.runner.tasks,
            call=self._call,
        )
        files.register(self.registry)
        shell.register(self.registry, executor=self.executor)
        tests.register(self.registry, executor=self.executor)
        tasks.register(self.registry, tasks=self._known_tasks, call=self._call)
        history.register(self.registry, find=self.conversations.search, tasks=self._known_tasks)
        replay.register(
            self.registry,
            past=replay.Past(lambda: list(self.hub.turns.values()), self._known_tasks),
            call=self._call,
            foreseen=lambda call: forecast(self.registry, self.toolbox.policy, call, "script"),
        )
        browser.register(self.registry, browser.Hands(self.browser, allowed=self.settings.browser_allowed))
        research.register(
            self.registry,
            library=lambda: self.library,
            engine=self._search_engine,
            pages=self.settings.search_pages,
            tasks=self.toolbox.runner.tasks,
            call=self._call,
        )
        session_module.register(self.registry, self.grammar, self.conversations.new)
        planned.register(self.registry)

    def _adopt(self) -> None:
        for notice in self.own_tools.update():
            self.hub.publish(notice)

    async def _write(self, text: str, kind: str, before: str) -> str:
        grammar = await self.grammar()
        return grammar.write(text, kind, before, self.surroundings.now())

    def _known_tasks(self) -> list[Task]:
        return list(self.hub.tasks.values())

    async def _call(self, task: TaskHandle, tool: str, arguments: dict[str, str]) -> Task:
        return await self.toolbox.call(tool, arguments, turn_id=task.turn_id, origin=task.origin)

    def _dictation_changed(self, on: bool) -> None:
        speech = self.hub.speech.model_copy(update={"mode": "dictation" if on else "command"})
        self.hub.publish(SpeechChanged(speech=speech))

    def _asked_by_cell(self, turn_id: int) -> bool:
        turn = self.hub.turns.get(turn_id)
        return turn is not None and turn.origin in ("magic", "script") and not turn.surface_id

    async def _close_engines(self) -> None:
        await self.toolbox.runner.close(CLOSE_LIMIT_S - 1)
        await self.executor.close()
        if "transcriber" in self.__dict__:
            await self.transcriber.close()
        if self._model is not None:
            await self._model.close()
        await self.browser.stop()
        if "library" in self.__dict__:
            await self.library.close()

    # ---- inside -----------------------------------------------------------------------------------

    def _turn(self, turn_id: int, start: Any, background: bool) -> TurnResult | TurnHandle:
        card = self.open_card(turn_id)
        if background:
            return TurnHandle(self, turn_id, self.loop.submit(self._in_background(start, card, turn_id)))
        try:
            with self.inside([turn_id]):
                self.wait(start)
        finally:
            result = self.result(turn_id)
            card.freeze(result)
        return self.outcome_of(result.mark_shown())

    async def _in_background(self, start: Any, card: cards.Card, turn_id: int) -> TurnResult:
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
                message="With this ipykernel, clicks and speech arrive only when no cell is running.",
                hint="pip install 'ipykernel>=7.1' mends it.",
            )
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
            model=(self.settings.model or "default model") if self.settings.model_configured else "",
            shell_allowed=self.settings.shell_allowed,
            cwd=str(Path.cwd()),
            notify_after_s=self.settings.notify_after_s,
        )


class _Results(list[TurnResult]):
    """The results of a `%%voice` cell; their cards have shown them already."""

    def _ipython_display_(self) -> None:
        pass


async def _run_to_its_end(argv: Sequence[str], limit_s: float) -> int:
    return (await process.run(argv, timeout_s=limit_s)).code


def was_interrupted(turn: Turn) -> bool:
    """Say whether a person interrupted the code of a turn while it ran."""
    return turn.problem is not None and turn.problem.kind == KeyboardInterrupt.__name__


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


def executor_of(settings: Settings) -> Executor:
    """Return what runs commands, tests and functions, as configured."""
    if settings.executor == "local":
        return LOCAL
    from voice_kernel.task.dask import DaskExecutor

    return DaskExecutor(settings.dask_scheduler, retries=settings.dask_retries)


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
