"""Turns as a cell holds them: a failure that raises, one in the background, several beside each other.

Knows how a turn is waited for on the thread that its code may need, and not how turns come about.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from voice_kernel.errors import VoiceKernelError
from voice_kernel.language import _
from voice_kernel.loop import Submission
from voice_kernel.messages import Turn
from voice_kernel.session import TurnResult
from voice_kernel.task.runner import INTERRUPTED

if TYPE_CHECKING:
    from voice_kernel.app import App
    from voice_kernel.ui.cards import Card, Others

STOP_LIMIT_S = 10.0
SETTLE_LIMIT_S = 1.0
"""How long turns that were interrupted together may take to end before they are shown as still running."""


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

    def __init__(self, app: App, turn_id: int, work: Any, card: Card | Others) -> None:
        self._app = app
        self._work = work
        self._card = card
        self.turn_id = turn_id

    @property
    def done(self) -> bool:
        """Whether the turn has ended."""
        return bool(self._work.done())

    def cancel(self) -> bool:
        """Cancel the turn with everything it started; returns whether it was running."""
        running = bool(self._work.cancel())
        if running and not self._app.kernel.can_ask:  # the saved notebook is all that anybody will see
            concurrent.futures.wait([self._work], STOP_LIMIT_S)
            self._card.show_again()
        return running

    def result(self) -> TurnResult:
        """Wait for the turn and return its result, also when the session has ended since.

        Raises:
            TurnFailed: it failed.
            TurnCancelled: it was cancelled, or the wait was interrupted.
            VoiceKernelError: the session ended before the turn did.
        """
        try:
            return self._outcome()
        finally:
            if self._work.done() and not (self._app.closed or self._app.kernel.can_ask):
                self._card.show_again()

    def _outcome(self) -> TurnResult:
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
                _("Turn {turn_id} had not ended when voice_kernel was unloaded.").format(
                    turn_id=self.turn_id
                ),
                hint=_("Load it again with %load_ext voice_kernel, and say it again."),
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
                self._app.loop.run_sync(self._stop(), STOP_LIMIT_S)
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


class Results(list[TurnResult]):
    """The results of a `%%voice` cell; their cards have shown them already."""

    def _ipython_display_(self) -> None:
        pass


def was_interrupted(turn: Turn) -> bool:
    """Say whether a person interrupted the code of a turn while it ran."""
    return turn.problem is not None and turn.problem.kind == KeyboardInterrupt.__name__
