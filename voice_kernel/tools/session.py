"""What the session itself can do: say what can be said, and begin a new conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from voice_kernel.controls import CONTROLS
from voice_kernel.intents import Grammar
from voice_kernel.language import _
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments, Registry


class _Nothing(Arguments):
    pass


def register(
    registry: Registry,
    grammar: Callable[[], Awaitable[Grammar]],
    begin_thread: Callable[[], Awaitable[None]],
) -> None:
    """Register what the session itself can do.

    Args:
        registry: where to.
        grammar: knows what can be said.
        begin_thread: begins a new conversation.
    """

    @registry.tool(area="session")
    async def help(task: TaskHandle, args: _Nothing) -> Result:  # noqa: A001  the tool's public name
        """Show what can be said."""
        sentences = await grammar()
        areas: dict[str, list[str]] = {}
        tools = [(spec.area, spec.name) for spec in registry.available()]
        for area, tool in [*tools, *(("controls", name) for name in sorted(CONTROLS))]:
            areas.setdefault(area, []).extend(sentences.examples(tool))
        text = "\n".join(
            f"{area}\n" + "\n".join(f"  {phrase}" for phrase in said) for area, said in areas.items() if said
        )
        return Result(summary=_("Here is what you can say."), text=text, data={"phrases": areas})

    @registry.tool(area="session")
    async def new_thread(task: TaskHandle, args: _Nothing) -> Result:
        """Start a new conversation: the model forgets this one, which stays in the history."""
        await begin_thread()
        return Result(summary=_("A new conversation."))
