"""What a person does with the model besides asking it: choose it, see what it is told, what it took and when.

`share_with_model` is the card that shows what is sent, before it is sent to a server for the first time. None
of these is offered to a model.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from voice_kernel.agent.brain import SHARE
from voice_kernel.agent.report import clip
from voice_kernel.context import Context
from voice_kernel.errors import ToolError
from voice_kernel.language import _, ngettext_, number
from voice_kernel.messages import Result, Task, Usage
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Effects, Registry

if TYPE_CHECKING:
    from voice_kernel.agent.brain import Brain

MAX_TEXT_CHARS = 15_000


class ShareWithModel(Arguments):
    """Arguments of `share_with_model`."""

    model: str = Field(description="The model's name.")
    server: str = Field(description="Where it runs.")
    stays: bool = Field(default=False, description="Whether that is this machine.")
    sent: str = Field(default="", description="What is sent this time.")


class ChooseModel(Arguments):
    """Arguments of `choose_model`."""

    model: str = Field(min_length=1, max_length=300, description="Server and model: ollama/qwen3, openai.")


class ShowModelContext(Arguments):
    """Arguments of `show_model_context`."""

    question: str = Field(default="", max_length=10_000, description="The question it would go with.")


class ShowTimeline(Arguments):
    """Arguments of `show_timeline`."""

    turn: int = Field(default=0, ge=0, description="Number of the turn; 0 for the last one of the model.")


class Nothing(Arguments):
    """No arguments."""


def register(
    registry: Registry,
    *,
    brain: Callable[[], Awaitable[Brain]],
    choose: Callable[[str], Awaitable[str]],
    context: Callable[[], Context],
    tasks: Callable[[], Sequence[Task]],
) -> None:
    """Register them.

    Args:
        registry: where.
        brain: the model.
        choose: has another model answer; returns its name for a person.
        context: what exists now.
        tasks: the session's tasks.
    """

    def sharing(args: ShareWithModel) -> Effects:
        return frozenset({"read"}) if args.stays else frozenset({"share"})

    @registry.tool(
        area="model",
        effects=sharing,
        target=lambda args: _("{model} at {server}").format(model=args.model, server=args.server),
        for_models=False,
    )
    async def share_with_model(task: TaskHandle, args: ShareWithModel) -> Result:
        """Show what is sent to a model, before the first time it is sent there."""
        where = _("It leaves this machine, for {server}.").format(server=args.server)
        if args.stays:
            where = _("It stays on this machine.")
        return Result(
            summary=_("{model} is told what you see here. {where}").format(model=args.model, where=where),
            text=clip(args.sent, MAX_TEXT_CHARS),
        )

    assert share_with_model.__name__ == SHARE

    @registry.tool(area="model", for_models=False, target=lambda args: args.model)
    async def choose_model(task: TaskHandle, args: ChooseModel) -> Result:
        """Have another model answer from now on."""
        return Result(summary=_("{value} answers from now on.").format(value=await choose(args.model)))

    @registry.tool(area="model", effects=frozenset({"read"}), for_models=False)
    async def show_model_context(task: TaskHandle, args: ShowModelContext) -> Result:
        """Show what a question would tell the model; nothing is sent."""
        told = await (await brain()).preview(args.question or _("(your question)"), context())
        return Result(summary=_("This is what the model would be told."), text=clip(told, MAX_TEXT_CHARS))

    @registry.tool(area="model", effects=frozenset({"read"}), for_models=False)
    async def show_timeline(task: TaskHandle, args: ShowTimeline) -> Result:
        """Show when what happened in a turn of the model."""
        found = (await brain()).timelines.of(args.turn or None)
        if found is None:
            raise ToolError(
                _("The model has answered nothing yet.") if not args.turn else _("That turn asked no model.")
            )
        turn_id, timeline = found
        text = timeline.told([task for task in tasks() if task.turn_id == turn_id])
        return Result(
            summary=_("This is what happened in turn {number}.").format(number=turn_id),
            text=clip(text, MAX_TEXT_CHARS),
        )

    @registry.tool(area="model", effects=frozenset({"read"}), for_models=False)
    async def show_model_usage(task: TaskHandle, args: Nothing) -> Result:
        """Show what the model has taken in this conversation."""
        accounts = (await brain()).accounts
        usage = accounts.conversation
        summary = _("This conversation has taken {described}.").format(described=described(usage))
        if accounts.budget:
            summary += " " + _("Its budget is {count} tokens.").format(count=number(accounts.budget))
        return Result(summary=summary, data=usage.model_dump())


def described(usage: Usage) -> str:
    """Return usage in words: `3 requests, 1,200 tokens in, 80 out, 0.0012 US dollars`."""
    requests = ngettext_("{count} request", "{count} requests", usage.requests)
    words = _("{requests}, {taken} tokens in, {given} out").format(
        requests=requests.format(count=number(usage.requests)),
        taken=number(usage.input_tokens),
        given=number(usage.output_tokens),
    )
    if usage.price_usd is None:
        return words
    return _("{words}, {price} US dollars").format(words=words, price=f"{usage.price_usd:.4f}")
