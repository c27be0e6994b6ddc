"""What the user has defined, by name: one collection for the process.

Imports next to nothing, so that unloading an extension that never had a tool costs
nothing. It does not know what a tool is, nor who uses it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from voice_kernel.errors import InvalidTool
from voice_kernel.language import _

if TYPE_CHECKING:
    from voice_kernel.usertools.definition import UserTool

AREA = "own"
"""What help, limits and tasks call the area of the user's tools."""
MAX_TOOLS = 500
"""Tools of one process; a loop that defines them by mistake ends here."""


class Shelf:
    """The user's tools. Callable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tools: dict[str, UserTool] = {}
        self._actions: dict[str, str] = {}
        self._listeners: list[Callable[[], object]] = []

    def put(self, tool: UserTool) -> None:
        """Add a tool; one of the same name is replaced, as when its cell is run again.

        Raises:
            InvalidTool: there are `MAX_TOOLS` already.
        """
        with self._lock:
            if tool.name not in self._tools and len(self._tools) >= MAX_TOOLS:
                raise InvalidTool(
                    _("There are {count} tools of your own already.").format(count=MAX_TOOLS),
                    hint=_("%unload_ext voice_kernel forgets them."),
                )
            self._tools.pop(tool.name, None)  # what was defined last comes last
            self._tools[tool.name] = tool
        self._tell()

    def answer(self, action: str, tool: str) -> None:
        """Let clicks of an action's type in widgets call a tool; the last one counts.

        Raises:
            InvalidTool: there are `MAX_TOOLS` already.
        """
        with self._lock:
            if action not in self._actions and len(self._actions) >= MAX_TOOLS:
                raise InvalidTool(_("There are {count} actions already.").format(count=MAX_TOOLS))
            self._actions[action] = tool

    def answering(self, action: str) -> str:
        """Return the tool that clicks of an action call: that of its type, unless another answers."""
        with self._lock:
            return self._actions.get(action, action)

    def clear(self) -> None:
        """Forget all tools."""
        with self._lock:
            self._tools.clear()
            self._actions.clear()
        self._tell()

    @property
    def tools(self) -> tuple[UserTool, ...]:
        """The tools, in the order in which they were defined."""
        with self._lock:
            return tuple(self._tools.values())

    def on_change(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Have a listener called after every change, on the thread that made it.

        Returns:
            A function that stops it.
        """
        with self._lock:
            self._listeners.append(listener)

        def stop() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


shelf = Shelf()
"""The one of this process."""
