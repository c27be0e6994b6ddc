"""One turn: an utterance becomes a plan, the plan becomes tool calls, the outcome becomes an answer.

The session owns turns. It does not know sound (listening.py hands it text), what words mean (meaning), how a
tool acts or a control is carried out (the toolbox), nor who draws (the hub). Everything belongs to the loop
thread.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from voice_kernel.context import Context
from voice_kernel.controls import CONTROLS
from voice_kernel.errors import Refused, VoiceKernelError
from voice_kernel.events import MAX_TURNS, Hub
from voice_kernel.intents import Grammar, Parse
from voice_kernel.intents.correction import corrected
from voice_kernel.language import N_, _
from voice_kernel.meaning import Meaning, Meanings, not_understood
from voice_kernel.messages import (
    AnswerDelta,
    Call,
    Origin,
    Output,
    Problem,
    Result,
    Task,
    Turn,
    TurnChanged,
    TurnState,
)
from voice_kernel.store import Left
from voice_kernel.task.lanes import Where
from voice_kernel.task.runner import problem_of
from voice_kernel.toolbox.door import Toolbox, title_of
from voice_kernel.toolbox.questions import Questions
from voice_kernel.toolbox.steering import Steering
from voice_kernel.tools.tasks import picked

ENDED_TURN: frozenset[TurnState] = frozenset({"succeeded", "failed", "cancelled", "nothing", "dismissed"})
NO_SPEECH = N_("I heard no speech.")
FOR_THE_MODEL = re.compile(
    r"\s*(?:please\s+)?(?:ask\s+the\s+(?:model|ai)|(?:bitte\s+)?frage?\s+das\s+modell)"
    r"[\s,:]+(?:to\s+)?(?P<words>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
"""What makes a model answer whatever the grammar understands; the words reach it as they were said."""
NOT_DONE = N_("Nothing was done.")
UNSURE_YES = N_("I am not sure that I heard a yes, so it does not count.")


class Brain(Protocol):
    """Answers what the grammar does not understand, acting through the toolbox."""

    async def answer(
        self,
        text: str,
        *,
        turn_id: int,
        context: Context,
        on_text: Callable[[str], None],
        approved_tools: Collection[str] = (),
        on_change: Callable[..., None] = ...,
        model: str = "",
        tool: str = "",
    ) -> str:
        """Return the whole answer; pieces go to `on_text` as they come, changes of the turn to `on_change`.

        Raises:
            ModelError: with what to do next.
        """
        ...

    async def go_on(
        self,
        left: Sequence[Left],
        *,
        turn_id: int,
        on_text: Callable[[str], None],
        on_change: Callable[..., None] = ...,
    ) -> str:
        """Ask again for calls that waited when their kernel ended, and go on from the answers.

        Returns and raises like `answer`.
        """
        ...


@dataclass(frozen=True)
class TurnResult:
    """What one turn came to; `%voice` returns it.

    `outcome` is the turn's state; `outputs` are those of its tasks, in order.
    """

    turn: Turn
    tasks: tuple[Task, ...] = ()
    _shown: list[bool] = field(default_factory=list, repr=False, compare=False)

    @property
    def transcript(self) -> str:
        """The words as heard or typed."""
        return self.turn.text

    @property
    def route(self) -> str | None:
        """How it was understood: intents, fuzzy, model or none."""
        return self.turn.route

    @property
    def calls(self) -> list[Call]:
        """The tool calls of the plan."""
        return self.turn.calls

    @property
    def outcome(self) -> TurnState:
        """How the turn ended."""
        return self.turn.state

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for succeeded."""
        return self.turn.state == "succeeded"

    @property
    def outputs(self) -> list[Output]:
        """The outputs of all its tasks, in order."""
        return [output for task in self.tasks if task.result for output in task.result.outputs]

    @property
    def results(self) -> list[Result]:
        """The results of its tasks, in order."""
        return [task.result for task in self.tasks if task.result]

    def __repr__(self) -> str:
        lines = [f"“{self.transcript}” ({self.route or _('no route')}): {self.outcome}"]
        for task in self.tasks:
            summary = task.result.summary if task.result and task.result.summary else ""
            problem = task.problem.message if task.problem else ""
            lines.append(f"  {task.id}. {task.title}: {task.state}. {summary or problem}".rstrip())
        if self.turn.answer:
            lines.append(f"  {self.turn.answer}")
        if self.turn.problem and not self.tasks:
            lines.append(f"  {self.turn.problem.message}")
        return "\n".join(lines)

    def mark_shown(self) -> TurnResult:
        """Note that a card already shows it, so that the cell does not show it twice."""
        self._shown.append(True)
        return self

    def _ipython_display_(self) -> None:
        if self._shown:
            self._shown.clear()  # the next display is one the person asked for
        else:
            print(repr(self))  # noqa: T201  what a cell shows of a value is its output


@dataclass(frozen=True)
class Wanted:
    """What a client wants to be answered with; counts only as far as the settings let it."""

    model: str = ""
    """Which model answers where one has to; empty for the chosen one."""
    tool: str = ""
    """The tool that is to be used; empty for whichever fits."""


@dataclass(frozen=True)
class _Heard:
    """What a turn is made of."""

    text: str
    command: str
    sure: bool
    spoken_at: float
    model: str | None = None
    """Which model is to answer, whatever the grammar understands: empty for the chosen one, None for none."""
    wanted: Wanted = Wanted()


@dataclass(frozen=True)
class _Tell:
    """Where a model tells what it says, and what changes of its turn."""

    text: Callable[[str], None]
    change: Callable[..., None]


@dataclass
class _Running:
    turn: Turn
    work: asyncio.Task[Any] | None = None


class Session:
    """The turns of one kernel.

    Args:
        hub: where turns are told.
        toolbox: the door to every action.
        grammar: the intents; loaded when first needed.
        context: what exists now.
        interrupt: interrupts user code on the main thread.
        brain: the model, when there may be one.
        model_on: whether what the grammar does not understand goes to the model.
        look_again: what exists after looking again, where something was named that is not known.
        allowed_model: how to choose the model that a client names; None for one that may not be chosen.
        aloud: carries out a control of what is spoken, given its name, its arguments and the surface on which
            it was said; returns what to answer.
        dictated: while dictation is on, what words become instead of a command; None while it is off.
    """

    def __init__(
        self,
        hub: Hub,
        toolbox: Toolbox,
        grammar: Callable[[], Awaitable[Grammar]],
        context: Callable[[], Awaitable[Context]],
        interrupt: Callable[[], object],
        brain: Callable[[], Awaitable[Brain]] | None = None,
        dictated: Callable[[str], list[Call] | None] = lambda text: None,
        aloud: Callable[[str, dict[str, Any], str], str] = lambda name, arguments, surface_id: _("Stopped."),
        model_on: Callable[[], bool] = lambda: True,
        look_again: Callable[[], Awaitable[Context]] | None = None,
        allowed_model: Callable[[str], str | None] = lambda model: None,
    ) -> None:
        self._hub = hub
        self._toolbox = toolbox
        self._grammar = grammar
        self._brain = brain
        self._model_on = model_on
        self._meanings = Meanings(grammar, context, look_again)
        self._allowed_model = allowed_model
        self._dictated = dictated
        self._running: dict[int, _Running] = {}
        self._ended: OrderedDict[int, Turn] = OrderedDict()
        self._last_id = 0
        self._understood: list[tuple[str, tuple[Call, ...], int]] = []
        self.questions = Questions(lambda turn_id, text: self.change(turn_id, asks=text))
        self._steering = Steering(hub, toolbox.approvals, self.questions, toolbox.runner, interrupt, aloud)
        self._leaving = False

    # ---- turns ------------------------------------------------------------------------------------

    def begin(
        self,
        origin: Origin,
        *,
        surface_id: str = "",
        parent_id: int | None = None,
        state: TurnState,
        request: str = "",
    ) -> int:
        """Open a turn and tell everyone; returns its number.

        Args:
            origin: who asked.
            surface_id: where.
            parent_id: the turn inside which it begins.
            state: what is done first.
            request: what the surface calls it.
        """
        self._last_id += 1
        turn = Turn(
            id=self._last_id,
            parent_id=parent_id,
            state=state,
            origin=origin,
            surface_id=surface_id,
            request=request,
            created_at=time.time(),
        )
        self._running[turn.id] = _Running(turn)
        self._hub.publish(TurnChanged(turn=turn))
        return turn.id

    def change(self, turn_id: int, **changes: Any) -> None:
        """Change an open turn and tell everyone; a turn that has ended stays as it is."""
        running = self._running.get(turn_id)
        if running is None:
            return
        if changes.get("state") in ENDED_TURN:
            changes.setdefault("ended_at", time.time())
            changes["partial"] = False
            del self._running[turn_id]
        running.turn = running.turn.model_copy(update=changes)
        if turn_id not in self._running:
            self._ended[turn_id] = running.turn  # its result is asked for whatever conversation is open then
            if len(self._ended) > MAX_TURNS:
                self._ended.popitem(last=False)
        self._hub.publish(TurnChanged(turn=running.turn))

    async def understand(
        self,
        turn_id: int,
        text: str,
        *,
        first_sample_at: float | None = None,
        approved_tools: Collection[str] = (),
        corrects_turn_id: int | None = None,
        command: str | None = None,
        sure: bool = True,
        model: str | None = None,
        wanted: Wanted = Wanted(),
    ) -> TurnResult:
        """Take a turn from its text to its end.

        Args:
            turn_id: a turn that was begun.
            text: the transcript.
            first_sample_at: when the utterance began; typed text counts from now.
            approved_tools: tools a person approved beforehand.
            corrects_turn_id: the turn whose transcript was edited; its open tasks are cancelled.
            command: the part of the text that is meant, where there is more: a wake phrase, "over".
            sure: whether the words were heard well; if not, the turn asks before anything is done.
            model: which model is to answer, whatever the grammar understands; empty for the chosen one.
            wanted: what a client wants to be answered with.

        Returns:
            The ended turn with its tasks. A failure is a state of the turn, not an exception.
        """
        spoken_at = time.time() if first_sample_at is None else first_sample_at
        running = self._running.get(turn_id)
        if running is None:
            return self.result(turn_id)
        if corrects_turn_id is not None:
            self._cancel_tasks_of(corrects_turn_id)
        heard = _Heard(text, text if command is None else command, sure, spoken_at, model, wanted)
        return await self._seen_through(turn_id, self._take(turn_id, heard, approved_tools))

    async def prepare(self, text: str) -> Parse:
        """Work out what a text means that may still go on, so that it is known when the turn ends."""
        return (await self._meanings.of(text)).parse

    async def _seen_through(self, turn_id: int, work: Coroutine[Any, Any, None]) -> TurnResult:
        """Let work be what a turn does, and end the turn with it."""
        running = self._running[turn_id]
        running.work = asyncio.ensure_future(work)
        try:
            await asyncio.wait({running.work})
        except asyncio.CancelledError:
            running.work.cancel()
            await asyncio.wait({running.work})
            self.change(turn_id, state="cancelled")
            raise
        error = None if running.work.cancelled() else running.work.exception()
        if running.work.cancelled():
            if not self._leaving:  # else `close` says why
                self.change(turn_id, state="cancelled")
        elif error is not None:
            self.change(turn_id, state="failed", problem=problem_of(error))
        return self.result(turn_id)

    def result(self, turn_id: int) -> TurnResult:
        """Return a turn, running or ended, with its tasks."""
        running = self._running.get(turn_id)
        turn = running.turn if running else self._ended[turn_id]
        tasks = tuple(task for task in self._toolbox.runner.tasks() if task.turn_id == turn_id)
        return TurnResult(turn, tasks)

    def cancel_turn(self, turn_id: int) -> bool:
        """Cancel a turn with everything it started; returns whether it was open."""
        running = self._running.get(turn_id)
        if running is None:
            return False
        if running.work is None:
            self.change(turn_id, state="cancelled")
        else:
            running.work.cancel()
        return True

    async def retry(self, task_id: int, surface_id: str = "", request: str = "") -> TurnResult | None:
        """Run a task's call again as a new turn; None when the task is not known."""
        task = self._toolbox.runner.task(task_id)
        if task is None:
            return None
        call = Call(tool=task.tool, arguments=task.arguments)
        return await self._carry_out(
            [call], _("Again: {title}").format(title=task.title), "retry", surface_id, request=request
        )

    async def do(
        self,
        calls: list[Call],
        *,
        text: str,
        origin: Origin,
        surface_id: str = "",
        approved_tools: Collection[str] = (),
        request: str = "",
    ) -> TurnResult:
        """Carry out calls that nobody said, as one turn: a task with changes, a step of a replay.

        Controls are not among them: those are for the moment in which a person makes them.
        """
        words = text or title_of(calls[0].tool, calls[0].arguments)
        return await self._carry_out(calls, words, origin, surface_id, approved_tools, request)

    async def carry_out(self, turn_id: int, calls: list[Call]) -> TurnResult:
        """Take a turn that was begun through calls that nobody said; the turn has its text already."""
        self.change(turn_id, calls=calls)
        return await self._seen_through(turn_id, self._act(turn_id, calls, ()))

    async def _carry_out(
        self,
        calls: list[Call],
        text: str,
        origin: Origin,
        surface_id: str,
        approved_tools: Collection[str] = (),
        request: str = "",
    ) -> TurnResult:
        turn_id = self.begin(origin, surface_id=surface_id, state="running", request=request)
        self.change(turn_id, text=text, calls=calls)
        if controls := [call.tool for call in calls if call.tool in CONTROLS]:
            problem = Problem(
                kind=Refused.__name__,
                message=_("{name} is for a person only.").format(name=controls[0]),
            )
            self.change(turn_id, state="failed", problem=problem)
            return self.result(turn_id)
        return await self._seen_through(turn_id, self._act(turn_id, calls, approved_tools))

    async def ask_again(self, left: Sequence[Left]) -> TurnResult:
        """Ask again for calls that waited for a person when their kernel ended, as a new turn.

        It goes on from the answers as the turn would have: with the rest of its plan, or with the model's
        conversation.

        Args:
            left: the calls of one turn, which nobody else has.
        """
        calls = [Call(tool=one.approval.tool, arguments=one.approval.arguments) for one in left]
        for one in left:
            calls += [Call.model_validate(call) for call in one.going_on.get("then", [])]
        by_model = any("model" in one.going_on for one in left)
        turn_id = self.begin("text", state="running")
        self.change(turn_id, text=left[0].text, route="model" if by_model else "intents")
        if by_model:
            return await self._seen_through(turn_id, self._let_model_go_on(turn_id, left))
        self.change(turn_id, calls=calls)
        asked_at = left[0].approval.created_at
        return await self._seen_through(turn_id, self._act(turn_id, calls, (), asked_at=asked_at))

    def cancel_task(self, task_id: int) -> bool:
        """Cancel one task; returns whether it was open."""
        return self._toolbox.runner.cancel(task_id)

    def move_task(self, task_id: int, to: Where) -> bool:
        """Change the place of a task that waits in a queue; returns whether it does."""
        return self._toolbox.lanes.move(task_id, to)

    # ---- conversations ----------------------------------------------------------------------------

    @property
    def open_turns(self) -> frozenset[int]:
        """The turns that have not ended."""
        return frozenset(self._running)

    def turn(self, turn_id: int) -> Turn | None:
        """Return a turn of this session, if it is still remembered."""
        running = self._running.get(turn_id)
        return running.turn if running else self._ended.get(turn_id)

    def recall(self, last_id: int) -> None:
        """Begin or go on with a conversation: what was said last is no longer the last command.

        Args:
            last_id: new turns get higher numbers.
        """
        self._last_id = max(self._last_id, last_id)
        self._understood = []

    def leave(self) -> None:
        """Let no model ask for more, because the session ends: what it had running was interrupted."""
        self._leaving = True
        for running in self._running.values():
            if running.turn.route == "model" and running.work is not None:
                running.work.cancel()

    def close(self, problem: Problem) -> None:
        """End the open turns because the session ends; what they ran was interrupted first."""
        for turn_id in list(self._running):
            self.change(turn_id, state="failed", problem=problem)

    # ---- one turn ---------------------------------------------------------------------------------

    async def _take(self, turn_id: int, heard: _Heard, approved_tools: Collection[str]) -> None:
        text, spoken_at = heard.command, heard.spoken_at
        self.change(turn_id, state="understanding", text=heard.text, partial=False)
        if not text.strip():
            self.change(turn_id, state="nothing", answer=_(NO_SPEECH))
            return
        meaning = await self._meanings.of(text)
        self._meanings.forget()
        grammar, context, parse = await self._grammar(), meaning.context, meaning.parse
        # A cell's own %voice is a command whatever is done in the panel.
        dictated = self._dictated(text) if self._running[turn_id].turn.surface_id else None
        if dictated is not None and not self._steering.means_one(parse):
            self.change(turn_id, route="intents", calls=dictated, state="running")
            await self._act(turn_id, dictated, approved_tools, spoken_at)
            return
        controls = {call.tool for call in parse.calls} & CONTROLS
        if not controls:
            self.questions.withdraw()
        if not heard.sure and controls & {"approve", "accept_changes"}:
            raise Refused(_(UNSURE_YES), hint=_("Say it again, or click."))
        asks = not heard.sure and not controls and (parse.calls or self.answers_rest)
        if asks and not await self.questions.ask(
            turn_id, _("Did you mean “{words}”?").format(words=text.strip())
        ):
            self.change(turn_id, state="nothing", route=parse.route, answer=_(NOT_DONE))
            return
        forced = FOR_THE_MODEL.match(text)
        if heard.model is not None or (forced and self._brain is not None):
            words = forced["words"] if forced else text
            await self._ask_model(turn_id, words, context, approved_tools, heard.model or "")
            return
        named = heard.wanted.tool
        if named and [call.tool for call in parse.calls] != [named]:
            self._check_named(named)
            await self._ask_model(turn_id, text, context, approved_tools, wanted=heard.wanted)
            return
        if parse.route == "none":
            await self._unmatched(turn_id, heard, meaning, approved_tools)
            return
        calls = [Call(tool=call.tool, arguments=dict(call.arguments)) for call in parse.calls]
        self.change(turn_id, route=parse.route)
        if len(calls) == 1 and calls[0].tool == "correct":
            calls = self._corrected(grammar, context, str(calls[0].arguments.get("text", "")))
        elif len(calls) == 1 and calls[0].tool == "undo" and self._stop_last():
            self.change(turn_id, calls=calls, state="succeeded", answer=_("Stopped what was running."))
            return
        elif len(calls) == 1 and calls[0].tool == "retry_task" and calls[0].arguments.get("task") != "all":
            calls = [self._called_before(str(calls[0].arguments.get("task", "last")))]
        elif not any(call.tool in CONTROLS for call in calls):
            self._understood = [*self._understood[-19:], (text, tuple(calls), turn_id)]
        self.change(turn_id, calls=calls, state="running")
        await self._act(turn_id, calls, approved_tools, spoken_at)

    async def _act(
        self,
        turn_id: int,
        calls: list[Call],
        approved_tools: Collection[str],
        spoken_at: float | None = None,
        asked_at: float | None = None,
    ) -> None:
        turn = self._running[turn_id].turn
        origin, surface_id = turn.origin, turn.surface_id
        answer = ""
        for position, call in enumerate(calls):
            if call.tool in CONTROLS:
                try:
                    answer = self._steering.carry_out(
                        call.tool, call.arguments, origin, spoken_at or time.time(), surface_id
                    )
                except Refused as refused:
                    self.change(turn_id, state="failed", problem=problem_of(refused))
                    return
                continue
            task = await self._toolbox.call(
                call.tool,
                call.arguments,
                turn_id=turn_id,
                origin=origin,
                approved_tools=approved_tools,
                going_on=_then(calls[position + 1 :]),
                asked_at=asked_at,
            )
            asked_at = None
            if task.state != "succeeded":
                state: TurnState = "cancelled" if task.state == "cancelled" else "failed"
                self.change(turn_id, state=state, problem=task.problem)
                return
            answer = ""  # the task's card says it
        self.change(turn_id, state="succeeded", answer=answer)

    async def _unmatched(
        self, turn_id: int, heard: _Heard, meaning: Meaning, approved_tools: Collection[str]
    ) -> None:
        if self.answers_rest:
            await self._ask_model(
                turn_id, heard.command, meaning.context, approved_tools, wanted=heard.wanted
            )
            return
        problem, closest = not_understood(meaning, sure=heard.sure)
        self.change(turn_id, route="none", closest=closest, state="nothing", problem=problem)

    @property
    def answers_rest(self) -> bool:
        """Whether a model answers what the grammar does not understand."""
        return self._brain is not None and self._model_on()

    def _check_named(self, tool: str) -> None:
        """Check that something can use a tool that a client has named, for words that do not ask for it."""
        if tool in CONTROLS:
            raise Refused(_("{name} is for a person only.").format(name=tool))
        if not self.answers_rest:
            raise Refused(
                _("These words do not ask for {name}, and there is no model that could.").format(name=tool),
                hint=_('Say "help" for what you can say.'),
            )

    async def _ask_model(
        self,
        turn_id: int,
        text: str,
        context: Context,
        approved_tools: Collection[str],
        model: str = "",
        wanted: Wanted = Wanted(),
    ) -> None:
        if wanted.model:
            allowed = self._allowed_model(wanted.model)
            if allowed is None:
                raise Refused(
                    _("The model {name} may not be chosen here.").format(name=wanted.model),
                    hint=_("The settings say which may: VOICE_KERNEL_MODEL_CHOICES."),
                )
            model = allowed
        self.change(turn_id, route="model", state="running")

        async def answer(brain: Brain, tell: _Tell) -> str:
            return await brain.answer(
                text,
                turn_id=turn_id,
                context=context,
                on_text=tell.text,
                approved_tools=approved_tools,
                on_change=tell.change,
                model=model,
                tool=wanted.tool,
            )

        await self._answered_by_model(turn_id, answer)

    async def _let_model_go_on(self, turn_id: int, left: Sequence[Left]) -> None:
        await self._answered_by_model(
            turn_id,
            lambda brain, tell: brain.go_on(left, turn_id=turn_id, on_text=tell.text, on_change=tell.change),
        )

    async def _answered_by_model(
        self, turn_id: int, answer: Callable[[Brain, _Tell], Awaitable[str]]
    ) -> None:
        """Let the model answer, and end the turn with that."""
        if self._brain is None:
            raise Refused(_("No model can be asked in this session."))

        def on_text(piece: str) -> None:
            running = self._running.get(turn_id)
            if running is not None:
                running.turn = running.turn.model_copy(update={"answer": running.turn.answer + piece})
                self._hub.publish(AnswerDelta(turn_id=turn_id, text=piece))

        try:
            tell = _Tell(on_text, lambda **changes: self.change(turn_id, **changes))
            said = await answer(await self._brain(), tell)
        except VoiceKernelError as error:
            self.change(turn_id, state="failed", problem=problem_of(error))
            return
        self.change(turn_id, state="succeeded", answer=said)

    def _corrected(self, grammar: Grammar, context: Context, text: str) -> list[Call]:
        """Work out what "no, I meant TEXT" asks for, and stop what it corrects."""
        last = self._understood[-1] if self._understood else None
        meant = corrected(grammar, context, text, last and last[:2])
        if meant is not None:
            self._stop_last()
            return meant
        if last is None:
            raise Refused(_("There is no earlier command to correct."), hint=_("Say the whole command."))
        raise Refused(
            _("I cannot fit that into your last command, “{said}”.").format(said=last[0]),
            hint=_("Say the whole command."),
        )

    def _called_before(self, which: str) -> Call:
        """Return the call of an earlier task: `last`, or its number."""
        task = picked(self._toolbox.runner.tasks(), which)
        return Call(tool=task.tool, arguments=task.arguments)

    def _stop_last(self) -> bool:
        """Cancel what the last command still runs; returns whether there was something."""
        return bool(self._understood) and self._cancel_tasks_of(self._understood[-1][2])

    def _cancel_tasks_of(self, turn_id: int) -> bool:
        chosen = [task for task in self._toolbox.runner.open_tasks() if task.turn_id == turn_id]
        for task in chosen:
            self.cancel_task(task.id)
        return bool(chosen)


def _then(calls: list[Call]) -> Callable[[], dict[str, Any]]:
    """Return what says how a plan goes on."""
    return lambda: {"then": [call.model_dump() for call in calls]}
