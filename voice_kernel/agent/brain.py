"""One turn of the model: question -> steps of text and tool calls -> answer.

The only place that runs the agents SDK. Knows the toolbox and what is around the user; does not know
surfaces (text goes to a callback) nor how a question came to it. Belongs to the loop thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from voice_kernel.agent import failure, provider
from voice_kernel.agent.instructions import MAX_TASKS, instructions, question
from voice_kernel.agent.memory import Memory
from voice_kernel.agent.provider import Connection, ModelSettings
from voice_kernel.agent.tools import TurnTools
from voice_kernel.context import Context
from voice_kernel.errors import ModelError
from voice_kernel.messages import Task, Turn
from voice_kernel.toolbox.door import Toolbox

if TYPE_CHECKING:
    from agents.items import TResponseStreamEvent

MAX_STEPS = 12
"""Requests to the model in one turn."""
MAX_ANSWER_CHARS = 40_000


class Brain:
    """The model brain of one session.

    Args:
        settings: which model answers.
        toolbox: the one door.
        working_folder: the folder the kernel runs in, as the model is told.
    """

    def __init__(self, settings: ModelSettings, toolbox: Toolbox, *, working_folder: str) -> None:
        self.settings = settings
        self._toolbox = toolbox
        self._working_folder = working_folder
        self._memory = Memory()
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()

    async def warm_up(self) -> None:
        """Import the SDK now, so that the first answer does not wait for it. Sends nothing."""
        await provider.load_sdk()

    async def answer(
        self,
        text: str,
        *,
        turn_id: int,
        context: Context,
        on_text: Callable[[str], None],
        approved_tools: Collection[str] = (),
    ) -> str:
        """Answer one question, acting through the toolbox as needed.

        Cancelling it stops the request and every tool it started before it is passed on.

        Args:
            text: what the user said.
            turn_id: the turn that the tasks belong to.
            context: what is around the user now.
            on_text: called on the loop thread with each new piece of the answer.
            approved_tools: tools a person approved beforehand for this turn.

        Returns:
            The whole answer as Markdown: all pieces together.

        Raises:
            ModelError: when the model did not answer to the end. What came before it was already handed
                to `on_text`; what its tasks did stays done.
        """
        await provider.load_sdk()
        tools = TurnTools(
            self._toolbox,
            turn_id=turn_id,
            untrusted=self._memory.untrusted,
            approved_tools=approved_tools,
            strict=self.settings.is_openai,
        )
        said = _Answer(on_text)
        model = self.settings.model
        try:
            connection = await self._connect()
            model = connection.model
            await self._run(connection, text, context, tools, said)
            if not said.text and not tools.exchanges:
                raise ModelError(f"{model} gave an empty answer.", hint="Ask again.", retryable=True)
        except failure.failures() as error:
            if failure.is_too_long(error):
                self._memory.clear()
            if said.text and failure.is_broken_off(error):
                raise failure.broken_off(self.settings) from error
            raise failure.model_error(error, self.settings, model) from error
        finally:
            # Also what was broken off or cancelled: "go on" must know what it means.
            if said.text or tools.exchanges:
                self._memory.add(text, tools.exchanges, said.text, untrusted=tools.untrusted)
        return said.text

    def recall(self, turns: Sequence[Turn]) -> None:
        """Forget the conversation so far, and remember what was asked and answered in another one.

        Its answers count as text of strangers: what they were made from is not known any more.
        """
        self._memory.clear()
        for turn in turns:
            if turn.route == "model" and turn.answer:
                self._memory.add(turn.text, (), turn.answer, untrusted=True)

    async def close(self) -> None:
        """Close the connection to the model server."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connect(self) -> Connection:
        async with self._connecting:
            if self._connection is None:
                self._connection = await provider.connect(self.settings)
            return self._connection

    async def _run(
        self, connection: Connection, text: str, context: Context, tools: TurnTools, said: _Answer
    ) -> None:
        import agents

        agent = agents.Agent(
            name="voice_kernel",
            instructions=instructions(
                self._toolbox.registry,
                working_folder=self._working_folder,
                shell_allowed=self._toolbox.policy.shell_allowed,
            ),
            model=connection.model,
            model_settings=connection.tuning,
            tools=[*tools.function_tools()],
        )
        asked: Any = {"role": "user", "content": question(text, context, self._recent_tasks())}
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
        items: list[Any] = [*self._memory.items(), asked]
        run = agents.Runner.run_streamed(agent, items, max_turns=MAX_STEPS, run_config=config)
        try:
            async for event in run.stream_events():
                if event.type == "raw_response_event":
                    if wrong := failure.reported(event.data, self.settings, connection.model):
                        raise wrong
                    said.take(event.data)
        finally:
            # However the turn ends, nothing of it goes on behind it.
            run.cancel()
            await tools.stop()

    def _recent_tasks(self) -> list[Task]:
        """Tasks that people started, which the model's own memory does not know."""
        tasks = [task for task in self._toolbox.runner.tasks() if task.origin != "model"]
        return tasks[-MAX_TASKS:]


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
                "The answer grew past every bound and was cut.", hint="Ask for something shorter."
            )
        self.text += piece
        self._on_text(piece)
