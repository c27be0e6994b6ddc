"""One turn of the model: question -> steps of text and tool calls -> answer.

The only place that runs the agents SDK. Knows the toolbox and what is around the user; does not know
surfaces (text goes to a callback) nor how a question came to it. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voice_kernel.agent import failure, provider
from voice_kernel.agent.accounts import Accounts, taken_by
from voice_kernel.agent.instructions import MAX_TASKS, instructions, question, readable
from voice_kernel.agent.memory import Memory, items_of
from voice_kernel.agent.provider import Connection, ModelSettings
from voice_kernel.agent.report import clip
from voice_kernel.agent.servers import chosen, stays_here
from voice_kernel.agent.surroundings import Around
from voice_kernel.agent.timeline import Timeline, Timelines
from voice_kernel.agent.tools import TurnTools
from voice_kernel.context import Context
from voice_kernel.errors import ModelError, Refused
from voice_kernel.language import N_, _
from voice_kernel.messages import Task, Turn, Usage
from voice_kernel.store import Left
from voice_kernel.toolbox.door import Toolbox

if TYPE_CHECKING:
    from agents.items import TResponseStreamEvent

MAX_ANSWER_CHARS = 40_000
MAX_SHARED_CHARS = 20_000
MAX_CONNECTIONS = 4
MAX_KEPT_REPORT_CHARS = 6_000
"""Of what came of one call, where a conversation is kept to be gone on with."""
SHARE = "share_with_model"
"""The tool by which a person agrees to what is sent."""
NO_MODEL = N_("No model is configured.")
NO_MODEL_HINT = N_(
    "Say which one: use the model ollama/qwen3. Or set VOICE_KERNEL_MODEL_SERVER or OPENAI_API_KEY, and "
    "restart the kernel."
)


def _nobody(**_changes: Any) -> None:
    """Nobody wants to know."""


async def _nothing_around(_text: str, _turn_id: int, _context: Context) -> Around:
    return Around()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one turn may take."""

    steps: int = 12
    """Requests to the model."""
    attempts: int = 3
    """How often cells may be changed and run until they run without an error."""


class Brain:
    """The model brain of one session.

    Args:
        settings: which model answers.
        toolbox: the one door.
        working_folder: the folder the kernel runs in, as the model is told.
        around: what is around the user in the notebook, and what the words refer to.
        accounts: what answers have taken, and may take.
        limits: what one turn may take.
        shares: whether a person is shown what is sent, before the first time it is sent to a server.
    """

    def __init__(
        self,
        settings: ModelSettings,
        toolbox: Toolbox,
        *,
        working_folder: str,
        around: Callable[[str, int, Context], Awaitable[Around]] = _nothing_around,
        accounts: Accounts | None = None,
        limits: Limits | None = None,
        shares: bool = False,
    ) -> None:
        self.settings = settings
        self.accounts = accounts or Accounts()
        self.timelines = Timelines()
        self._toolbox = toolbox
        self._working_folder = working_folder
        self._around = around
        self._limits = limits or Limits()
        self._shares = shares
        self._shared_with: set[str] = set()
        self._memory = Memory()
        self._connections: dict[ModelSettings, Connection] = {}
        self._connecting = asyncio.Lock()

    async def warm_up(self) -> None:
        """Import the SDK now, so that the first answer does not wait for it. Sends nothing."""
        await provider.load_sdk()

    async def choose(self, model: str) -> str:
        """Have another model answer from now on, which knows the conversation so far; returns its name alone.

        Raises:
            ModelError: there is no such model, or its server does not answer.
        """
        await provider.load_sdk()
        settings = chosen(model, self.settings)
        try:
            connection = await self._connect(settings)
        except failure.failures() as error:
            raise failure.model_error(error, settings, settings.model) from error
        self.settings = settings
        return connection.model

    async def answer(
        self,
        text: str,
        *,
        turn_id: int,
        context: Context,
        on_text: Callable[[str], None],
        approved_tools: Collection[str] = (),
        on_change: Callable[..., None] = _nobody,
        model: str = "",
        tool: str = "",
    ) -> str:
        """Answer one question, acting through the toolbox as needed.

        Cancelling it stops the request and every tool it started before it is passed on.

        Args:
            text: what the user said.
            turn_id: the turn that the tasks belong to.
            context: what is around the user now.
            on_text: called on the loop thread with each new piece of the answer.
            approved_tools: tools a person approved beforehand for this turn.
            on_change: called with what changes of the turn: `model`, `usage`.
            model: which model answers this once, as a person says it; the chosen one when empty.
            tool: the tool that it is to call first; its own choice when empty.

        Returns:
            The whole answer as Markdown: all pieces together.

        Raises:
            ModelError: when the model did not answer to the end. What came before it was already handed
                to `on_text`; what its tasks did stays done.
            Refused: a person did not want anything to be sent, or there is no such tool for models.
        """
        settings = chosen(model, self.settings) if model else self.settings
        if not settings.configured:
            raise ModelError(_(NO_MODEL), hint=_(NO_MODEL_HINT))
        self.accounts.check()
        await provider.load_sdk()
        around = await self._around(text, turn_id, context)
        asked = self._asked(text, context, around, settings)
        exchange = _Exchange(text, [asked], _Answer(on_text), turn_id, on_change)
        tools = self._tools(
            exchange, settings, self._memory.untrusted or around.untrusted, approved_tools=approved_tools
        )
        if tool and not tools.offers(tool):
            raise Refused(
                _("The model has no tool {name}.").format(name=tool[:64]),
                hint=_("Ask without naming a tool."),
            )
        exchange.tool = tool
        return await self._see_through(exchange, tools, settings, approved_tools)

    async def go_on(
        self,
        left: Sequence[Left],
        *,
        turn_id: int,
        on_text: Callable[[str], None],
        on_change: Callable[..., None] = _nobody,
    ) -> str:
        """Ask again for calls that waited for a person when their kernel ended, and go on from the answers.

        The conversation goes on as it was kept, with what comes of the calls at its end. A call that the
        same answer of the model held, and whose turn had not come yet, was never made: the model asks for
        it again if it still wants it.

        Args:
            left: the calls of one turn, which nobody else has.
            turn_id: the turn that the tasks belong to.
            on_text: called on the loop thread with each new piece of the answer.
            on_change: called with what changes of the turn: `model`, `usage`.

        Returns:
            The rest of the answer as Markdown.

        Raises:
            ModelError: like `answer`. What the calls did stays done.
            Refused: a person did not want anything to be sent.
        """
        last = max(left, key=lambda one: one.approval.created_at)
        kept = last.going_on["model"]
        settings = self.settings
        exchange = _Exchange(str(kept["question"]), list(kept["items"]), _Answer(on_text), turn_id, on_change)
        exchange.before = False
        untrusted = next((found for one in left if (found := one.going_on.get("untrusted"))), "")
        tools = self._tools(exchange, settings, str(untrusted))
        by_call: dict[str, list[Left]] = {}
        for one in left:
            by_call.setdefault(str(one.going_on["model"]["call_id"]), []).append(one)
        for call_id, parts in by_call.items():
            card, outer = parts[0].approval, parts[0].going_on.get("outer")
            if outer is None:
                await tools.make_again(call_id, card.tool, card.arguments, card.created_at)
            else:
                await tools.make_parts_again(call_id, outer, parts)
            exchange.items += items_of(tools.exchanges[-1], MAX_KEPT_REPORT_CHARS)
        if not settings.configured:
            raise ModelError(_(NO_MODEL), hint=_(NO_MODEL_HINT))
        self.accounts.check()
        await provider.load_sdk()
        return await self._see_through(exchange, tools, settings, ())

    async def preview(self, text: str, context: Context) -> str:
        """Return what a question would send, as text. Sends nothing and asks nobody."""
        around = await self._around(text, 0, context)
        return self._as_text(self._asked(text, context, around, self.settings))

    def recall(self, turns: Sequence[Turn]) -> None:
        """Forget the conversation so far, and remember what was asked and answered in another one.

        Its answers count as text of strangers: what they were made from is not known any more.
        """
        self._memory.clear()
        for turn in turns:
            if turn.route == "model" and turn.answer:
                self._memory.add(turn.text, (), turn.answer, untrusted=_("an earlier answer"))
        self.accounts.begin(taken_by(turns))

    async def close(self) -> None:
        """Close the connections to model servers."""
        connections = list(self._connections.values())
        self._connections.clear()
        for connection in connections:
            await connection.close()

    # ---- one turn ---------------------------------------------------------------------------------

    def _tools(
        self,
        exchange: _Exchange,
        settings: ModelSettings,
        untrusted: str,
        approved_tools: Collection[str] = (),
    ) -> TurnTools:
        """Return what the model may call; should the kernel end while one waits, it can be gone on with."""

        def going_on(call_id: str) -> dict[str, Any]:
            items = [_without_pictures(item) for item in self._input(exchange)]
            if exchange.said.text:
                items.append({"role": "assistant", "content": exchange.said.text})
            for made in tools.exchanges[exchange.made :]:
                items += items_of(made, MAX_KEPT_REPORT_CHARS)
            return {"model": {"question": exchange.question, "call_id": call_id, "items": items}}

        tools = TurnTools(
            self._toolbox,
            turn_id=exchange.turn_id,
            untrusted=untrusted,
            approved_tools=approved_tools,
            strict=settings.is_openai,
            areas=settings.areas,
            pictures=settings.sees_pictures,
            attempts=self._limits.attempts,
            going_on=going_on,
        )
        return tools

    def _input(self, exchange: _Exchange) -> list[Any]:
        return [*(self._memory.items() if exchange.before else ()), *exchange.items]

    async def _see_through(
        self, exchange: _Exchange, tools: TurnTools, settings: ModelSettings, approved_tools: Collection[str]
    ) -> str:
        """Let the model answer what it is given, and remember it."""
        said, turn_id = exchange.said, exchange.turn_id
        exchange.made = len(tools.exchanges)
        name = settings.model
        try:
            connection = await self._connect(settings)
            name = connection.model
            exchange.on_change(model=_("{model} at {server}").format(model=name, server=settings.server))
            await self._share(self._sent(exchange), connection, turn_id, approved_tools)
            turn = _Turn(tools, said, self.timelines.begin(turn_id, name), exchange.on_change)
            try:
                await self._run(connection, self._input(exchange), turn, exchange.tool)
            except failure.failures() as error:
                # A conversation that has grown too long is no reason to fail before anything was done.
                untouched = not said.text and not tools.exchanges
                if not (failure.is_too_long(error) and untouched and self._memory.compact()):
                    raise
                await self._run(connection, self._input(exchange), turn, exchange.tool)
            if not said.text and not tools.exchanges:
                raise ModelError(
                    _("{name} gave an empty answer.").format(name=name), hint=_("Ask again."), retryable=True
                )
        except failure.failures() as error:
            if said.text and failure.is_broken_off(error):
                raise failure.broken_off(settings) from error
            raise failure.model_error(error, settings, name) from error
        finally:
            # Also what was broken off or cancelled: "go on" must know what it means.
            if said.text or tools.exchanges:
                self._memory.add(exchange.question, tools.exchanges, said.text, untrusted=tools.untrusted)
        return said.text

    # ---- what is sent -----------------------------------------------------------------------------

    def _asked(self, text: str, context: Context, around: Around, settings: ModelSettings) -> dict[str, Any]:
        words = question(text, context, self._recent_tasks(), around.told)
        if not (around.pictures and settings.sees_pictures):
            return {"role": "user", "content": words}
        pictures = [{"type": "input_image", "image_url": url, "detail": "auto"} for url in around.pictures]
        return {"role": "user", "content": [{"type": "input_text", "text": words}, *pictures]}

    def _instructions(self) -> str:
        return instructions(
            self._toolbox.registry,
            working_folder=self._working_folder,
            shell_allowed=self._toolbox.policy.shell_allowed,
        )

    def _as_text(self, asked: dict[str, Any]) -> str:
        content = asked["content"]
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        shown = [readable(part["text"]) if "text" in part else "[a picture]" for part in parts]
        offered = sorted(
            spec.name for spec in self._toolbox.registry.available() if spec.for_models and spec.offered
        )
        memory = (
            f"[{len(self._memory.items())} items of this conversation]\n\n" if self._memory.items() else ""
        )
        return f"{memory}{''.join(shown)}\n\nTools it may ask for: {', '.join(offered)}"

    def _sent(self, exchange: _Exchange) -> str:
        if exchange.before:
            return self._as_text(exchange.items[0])
        parts = [
            item.get("content") or item.get("arguments") or item.get("output") for item in exchange.items
        ]
        return "\n\n".join(readable(str(part)) for part in parts)

    async def _share(
        self, sent: str, connection: Connection, turn_id: int, approved_tools: Collection[str]
    ) -> None:
        """Show a person what is sent, before it is sent to this server for the first time."""
        server = connection.settings.server
        if not self._shares or server in self._shared_with:
            return
        arguments = {
            "model": connection.model,
            "server": server,
            "stays": stays_here(connection.settings),
            "sent": clip(sent, MAX_SHARED_CHARS),
        }
        task = await self._toolbox.call(
            SHARE,
            arguments,
            turn_id=turn_id,
            origin="text",  # not the model's wish, but the person's question
            approved_tools=approved_tools,
        )
        if task.state != "succeeded":
            problem = task.problem
            raise Refused(
                problem.message if problem else _("Nothing was sent to the model."),
                hint=problem.hint if problem else "",
            )
        self._shared_with.add(server)

    # ---- inside -----------------------------------------------------------------------------------

    async def _connect(self, settings: ModelSettings) -> Connection:
        async with self._connecting:
            known = self._connections.get(settings)
            if known is None:
                while len(self._connections) >= MAX_CONNECTIONS:
                    oldest = next(iter(self._connections))
                    await self._connections.pop(oldest).close()
                known = self._connections[settings] = await provider.connect(settings)
            return known

    async def _run(self, connection: Connection, items: list[Any], turn: _Turn, tool: str = "") -> None:
        import agents

        tools = turn.tools
        agent = agents.Agent(
            name="voice_kernel",
            instructions=self._instructions(),
            model=connection.model,
            # The SDK asks for the tool once, and leaves the model its choice after that.
            model_settings=connection.tuning.resolve(agents.ModelSettings(tool_choice=tool or None)),
            tools=[*tools.function_tools()],
        )
        config = agents.RunConfig(
            model_provider=connection.provider,
            # The SDK would post every run to OpenAI. Per run, not for the process: the user's own
            # agents in this kernel keep their tracing.
            tracing_disabled=True,
            tool_not_found_behavior="return_error_to_model",
            tool_error_formatter=lambda problem: (
                tools.not_found(problem.tool_name) if problem.kind == "tool_not_found" else None
            ),
        )
        turn.timeline.asked()
        run = agents.Runner.run_streamed(agent, items, max_turns=self._limits.steps, run_config=config)
        try:
            async for event in run.stream_events():
                if event.type == "raw_response_event":
                    self._take(event.data, connection, turn)
                elif event.type == "run_item_stream_event" and event.name == "tool_output":
                    self._check(turn)
        finally:
            # However the turn ends, nothing of it goes on behind it.
            run.cancel()
            await tools.stop()
            turn.timeline.ended()

    def _take(self, event: TResponseStreamEvent, connection: Connection, turn: _Turn) -> None:
        if wrong := failure.reported(event, connection.settings, connection.model):
            raise wrong
        if event.type == "response.created" and turn.timeline.requests[-1].ended_at is not None:
            turn.timeline.asked()
        elif event.type == "response.output_text.delta":
            turn.timeline.spoke()
        elif event.type == "response.completed":
            usage = event.response.usage
            turn.usage = self.accounts.add(turn.usage, usage)
            turn.timeline.ended(*((usage.input_tokens, usage.output_tokens) if usage else (0, 0)))
            turn.on_change(usage=turn.usage)
        turn.said.take(event)

    def _check(self, turn: _Turn) -> None:
        """End a turn that would go on for nothing, or for more than it may take."""
        if turn.tools.circling:
            raise ModelError(
                _("The model went round in circles and was stopped."),
                hint=_("Ask in other words, or for a smaller step; what its tasks did stays done."),
            )
        self.accounts.check()

    def _recent_tasks(self) -> list[Task]:
        """Tasks that people started, which the model's own memory does not know."""
        tasks = [
            task for task in self._toolbox.runner.tasks() if task.origin != "model" and task.tool != SHARE
        ]
        return tasks[-MAX_TASKS:]


@dataclass
class _Exchange:
    """One question, and what the model is given of it."""

    question: str
    items: list[Any]
    """What is asked, after what is remembered of the conversation."""
    said: _Answer
    turn_id: int
    on_change: Callable[..., None]
    before: bool = True
    """Whether what is remembered is to go before the items: they do not hold it."""
    made: int = 0
    """How many calls the items hold already."""
    tool: str = ""
    """What is to be called first."""


class _Turn:
    """What one turn collects."""

    def __init__(
        self, tools: TurnTools, said: _Answer, timeline: Timeline, on_change: Callable[..., None]
    ) -> None:
        self.tools = tools
        self.said = said
        self.timeline = timeline
        self.on_change = on_change
        self.usage = Usage()


def _without_pictures(item: Any) -> Any:
    """Return an item as it is kept: pictures are large, and what they showed is no more."""
    if not isinstance(item, dict) or not isinstance(content := item.get("content"), list):
        return item
    text = "".join(part.get("text", "[a picture]") for part in content)
    return {**item, "content": text}


class _Answer:
    """Collects the text of a turn; texts of different steps become paragraphs."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self.text = ""
        self._on_text = on_text
        self._new_step = False

    def take(self, event: TResponseStreamEvent) -> None:
        if event.type == "response.created":
            self._new_step = bool(self.text)
        elif event.type == "response.output_text.delta" and event.delta:
            self._add(("\n\n" if self._new_step else "") + event.delta)
            self._new_step = False

    def _add(self, piece: str) -> None:
        if len(self.text) + len(piece) > MAX_ANSWER_CHARS:
            raise ModelError(
                _("The answer grew past every bound and was cut."), hint=_("Ask for something shorter.")
            )
        self.text += piece
        self._on_text(piece)
