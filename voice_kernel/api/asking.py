"""`ask`: words that are done as `%voice` does them, waited for like any coroutine of a notebook."""

from __future__ import annotations

import asyncio
import itertools
import weakref
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from voice_kernel.api.place import begun_app, require_main_thread
from voice_kernel.language import _, quoted

if TYPE_CHECKING:
    from voice_kernel.app import App
    from voice_kernel.handles import TurnGroup
    from voice_kernel.session import TurnResult


def ask(text: str) -> Asked:
    """Do what the words say, as `%voice` does.

    `await` it in a cell or an async function, or call its `.result()`. It begins then, not before;
    several that are made in one cell and awaited together (`asyncio.gather(ask(...), ask(...))`) run
    beside each other. Code of a turn runs on the main thread while it waits, so that other coroutines of
    the notebook wait meanwhile. The interrupt button cancels.

    Nothing can be approved beforehand here: what asks first shows its card, in the cell or the panel, and
    waits for a person. (Where nobody sits before the notebook: `voice-kernel run --approve TOOL`.)

    Args:
        text: what you would say.

    Raises:
        VoiceKernelError: here is no notebook, or this is not its main thread.
    """
    return Asked(text, begun_app())


class Asked(Coroutine[Any, Any, "TurnResult"]):
    """Words that wait to be done: `await` them, or call `result()`."""

    # A coroutine, and not only awaitable, so that `asyncio.create_task` takes it too.

    def __init__(self, text: str, app: App) -> None:
        self.text = text
        self._app = app
        self._number = next(_numbers)
        self._cell = app.kernel.request
        self._turns: TurnGroup | None = None
        self._turn_id = 0
        self._steps: Generator[Any, None, TurnResult] | None = None
        _waiting.add(self)

    def result(self) -> TurnResult:
        """Wait until it is done and return what it came to; a second call returns the same.

        Raises:
            TurnFailed: it failed.
            TurnCancelled: it was cancelled, or the wait was interrupted.
        """
        if self._turns is None:
            require_main_thread()
            together = [asked for asked in {*_waiting, self} if asked._goes_with(self)]
            together.sort(key=lambda asked: asked._number)
            _waiting.difference_update(together)
            turns = self._app.say_together([asked.text for asked in together])
            for asked, turn_id in zip(together, turns.turn_ids, strict=True):
                asked._turns, asked._turn_id = turns, turn_id
        assert self._turns is not None  # it is one of those that were together
        return self._app.outcome_of(self._turns.result(self._turn_id))

    def _goes_with(self, other: Asked) -> bool:
        """Say whether it begins when another one is waited for: both were made in the same cell."""
        return self is other or (self._app is other._app and self._cell == other._cell)

    def send(self, value: Any) -> Any:
        """Go on, as a step of a task."""
        self._steps = self._steps or self.__await__()
        return self._steps.send(value)

    def throw(
        self, kind: Any, value: BaseException | object = None, traceback: TracebackType | None = None
    ) -> Any:
        """Go on with an exception: to be cancelled, before it has begun or while it is awaited."""
        self._steps = self._steps or self.__await__()
        if self._turns is None:
            _waiting.discard(self)
        return self._steps.throw(kind if value is None else value)  # type: ignore[arg-type]  # as it is called

    def close(self) -> None:
        """Forget it, unless it has begun."""
        _waiting.discard(self)
        if self._steps is not None:
            self._steps.close()

    def __await__(self) -> Generator[Any, None, TurnResult]:
        if self._turns is not None and self._turns.under_way(self._turn_id):
            # Another ask of this cell waits on this same thread, for this one too, and its code lets us run.
            try:
                yield from asyncio.wrap_future(self._turns.ended(self._turn_id))
            except asyncio.CancelledError:
                self._turns.cancel(self._turn_id)
                raise
        return self._app.as_awaited(self.result)

    def __repr__(self) -> str:
        if self._turns is not None:
            return repr(self._app.result(self._turn_id))
        return _("{words} has not begun: write await ask(...), or ask(...).result()").format(
            words=quoted(self.text)
        )


_numbers = itertools.count(1)
_waiting: weakref.WeakSet[Asked] = weakref.WeakSet()
"""What was asked and has not begun; what nobody holds any more is forgotten."""
