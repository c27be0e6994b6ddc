"""The tools of the shelf in one session: registered at the toolbox, and understood by the grammar.

Belongs to the loop thread. It does not know how a tool is defined, nor how it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from voice_kernel.errors import IntentError
from voice_kernel.intents import Grammar
from voice_kernel.language import _
from voice_kernel.messages import Notice, Result
from voice_kernel.task.executor import LOCAL, Executor
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.clientcalls import ClientCalls
from voice_kernel.toolbox.registry import Arguments, Registry, ToolSpec
from voice_kernel.usertools.calling import Caller, CodeDoor
from voice_kernel.usertools.definition import UserTool
from voice_kernel.usertools.shelf import AREA, Shelf

MAX_WORDS = 40
"""Words of the tools' sentences that the recogniser is told of."""


class Adoption:
    """The user's tools in one session.

    Args:
        shelf: where they come from.
        registry: where they go.
        door: the main thread.
        tell: tells a person what went wrong.
        executor: runs functions that have a process of their own.
        clients: has pages do what a function asks of them.
    """

    def __init__(
        self,
        shelf: Shelf,
        registry: Registry,
        door: CodeDoor,
        tell: Callable[[Notice], object],
        executor: Executor = LOCAL,
        clients: ClientCalls | None = None,
    ) -> None:
        self._shelf = shelf
        self._registry = registry
        self._caller = Caller(door, executor, clients)
        self._tell = tell
        self._adopted: dict[str, UserTool] = {}
        self._grammar: tuple[Grammar, tuple[UserTool, ...], Grammar] | None = None
        self.words: tuple[str, ...] = ()
        """Words of their sentences that no other sentence has, for the recogniser."""

    def update(self) -> list[Notice]:
        """Make the toolbox have what is on the shelf; returns what a person should know of it."""
        notices = []
        tools = {tool.name: tool for tool in self._shelf.tools}
        for name in [name for name, tool in self._adopted.items() if tools.get(name) is not tool]:
            del self._adopted[name]
            self._registry.remove(name)
        for name, tool in tools.items():
            if name in self._adopted:
                continue
            if name in self._registry.specs:
                notices.append(
                    Notice(
                        level="warning",
                        message=_(
                            "Your tool {name} is left out: there is a tool of that name already."
                        ).format(name=name),
                        hint=_('Give yours another name: @tool(name="...").'),
                    )
                )
                continue
            self._adopted[name] = tool
            self._registry.add(self._spec(tool))
        return notices

    def grammar(self, base: Grammar) -> Grammar:
        """Return a grammar with the sentences of the tools on top."""
        tools = tuple(self._adopted.values())
        if self._grammar is None or self._grammar[0] is not base or self._grammar[1] != tools:
            grammar = self._extended(base, tools)
            self.words = _new_words(base, tools)
            self._grammar = (base, tools, grammar)
        return self._grammar[2]

    def _extended(self, base: Grammar, tools: tuple[UserTool, ...]) -> Grammar:
        try:
            return base.extended([(tool.place, tool.source) for tool in tools])
        except IntentError:
            grammar = base
        for tool in tools:  # one of them is wrong: the others shall be understood all the same
            try:
                grammar = grammar.extended([(tool.place, tool.source)])
            except IntentError as error:
                self._tell(Notice(level="warning", message=error.message, hint=error.hint))
        return grammar

    def _spec(self, tool: UserTool) -> ToolSpec:
        async def handler(task: TaskHandle, arguments: Arguments) -> Result:
            return await self._caller.call(tool, task, arguments)

        return ToolSpec(
            name=tool.name,
            area=AREA,
            description=tool.description,
            arguments=tool.signature.model,
            handler=handler,
            effects=lambda _arguments: tool.effects,
            target=lambda _arguments: tool.description,  # a card shows the arguments by themselves
            asks=tool.asks,
            for_models=tool.for_models,
            untrusted=True,  # it may return whatever it read
        )


def _new_words(base: Grammar, tools: tuple[UserTool, ...]) -> tuple[str, ...]:
    words: dict[str, None] = {}
    for tool in reversed(tools):
        for sentence in tool.sentences:
            spoken = re.sub(r"\{[^}]*\}|<[^>]*>", " ", sentence.template)
            for word in re.findall(r"[^\W\d_]{3,}", spoken.lower()):
                if word not in base.vocabulary:
                    words.setdefault(word)
    return tuple(words)[:MAX_WORDS]
