"""Cards that wait for a person, and what counts as a yes.

A spoken yes counts only when its first sample came after the card was on the screen; with several
cards open its number must be said. Anything else is no approval. All of it belongs to the loop thread.

A card outlives its kernel where whoever asks says what is needed to go on: that is handed to a `Keeper`, and
the yes counts only if nobody else has taken the card over meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from voice_kernel.errors import NobodyToAsk, Refused
from voice_kernel.events import EventSink
from voice_kernel.language import N_, _
from voice_kernel.messages import Approval, ApprovalChanged, Diff, FormField
from voice_kernel.task.runner import TaskHandle

APPROVAL_LIMIT_S = 600.0
"""A card nobody answers is closed after ten minutes, as denied."""


ASKED_BEFORE = N_("Asked before the restart.")
TAKEN_OVER = N_("Another session has taken this card over.")


class Keeper(Protocol):
    """Keeps cards beyond the end of their kernel."""

    def keep(self, approval_id: int, going_on: dict[str, Any]) -> None:
        """Keep what is needed to go on from a card's answer, as JSON; the card is told of after that."""
        ...

    async def claim(self, approval_id: int) -> bool:
        """Take down, before anything is done, that a card was approved; False if it is another's by now."""
        ...


@dataclass
class _Card:
    approval: Approval
    answer: asyncio.Future[bool]
    values: dict[str, Any] = field(default_factory=dict)
    """What was filled in."""


class Approvals:
    """The open cards.

    Args:
        sink: where changes are told.
        somebody_listens: whether a person can see a card; may wait a moment for a page that is just
            being drawn.
    """

    def __init__(self, sink: EventSink, somebody_listens: Callable[[], Awaitable[bool]]) -> None:
        self._sink = sink
        self._somebody_listens = somebody_listens
        self._cards: dict[int, _Card] = {}
        self._last_id = 0
        self._leaving = False
        self.keeper: Keeper | None = None
        """Where cards are kept that can be answered after their kernel has ended; nowhere when None."""

    async def ask(
        self,
        handle: TaskHandle,
        target: str,
        reason: str,
        approved_tools: Collection[str] = (),
        *,
        diff: Diff | None = None,
        going_on: dict[str, Any] | None = None,
        asked_at: float | None = None,
    ) -> None:
        """Show a card and wait for the answer; the task waits with it, and knows its number.

        Args:
            handle: the task that waits.
            target: what it will touch.
            reason: why it asks.
            approved_tools: tools that were approved beforehand.
            diff: what it would change in a cell.
            going_on: what is needed to go on from the answer in another kernel, as JSON; None when that
                cannot be done.
            asked_at: when a kernel that has ended asked it first.

        Raises:
            NobodyToAsk: at once, when no person can see the card.
            Refused: when the person denies, or nobody answers in time.
        """
        task = handle.task
        if task.tool in approved_tools:
            return
        handle.move("awaiting_approval")
        if not await self._somebody_listens():
            raise NobodyToAsk(
                _("{tool} needs approval, and nobody can be asked here. {reason}").format(
                    tool=task.tool, reason=reason
                ),
                hint=_(
                    "Run it from a notebook with the voice panel open, or pass --approve {tool} to "
                    "voice-kernel."
                ).format(tool=task.tool),
            )
        self._last_id += 1
        approval = Approval(
            id=self._last_id,
            task_id=task.id,
            tool=task.tool,
            arguments=task.arguments,
            target=target,
            reason=reason if asked_at is None else f"{_(ASKED_BEFORE)} {reason}".strip(),
            diff=diff,
            created_at=time.time() if asked_at is None else asked_at,
        )
        card = _Card(approval, asyncio.get_running_loop().create_future())
        self._cards[approval.id] = card
        keeper = self.keeper if going_on is not None else None
        if keeper is not None and going_on is not None:
            keeper.keep(approval.id, going_on)
        self._publish(card)
        handle.waits_for(approval.id)
        try:
            async with asyncio.timeout(APPROVAL_LIMIT_S):
                approved = await card.answer
        except TimeoutError:
            self._close(card, "expired")
            raise Refused(
                _("Nobody answered the card for {tool} within ten minutes.").format(tool=task.tool),
                hint=_("Ask for it again."),
            ) from None
        except asyncio.CancelledError:
            if keeper is None or not self._leaving:
                self._close(card, "expired")
            raise
        if approved and keeper is not None and not await keeper.claim(approval.id):
            self._close(card, "expired")
            raise Refused(_(TAKEN_OVER), hint=_("Answer it there."))
        self._close(card, "approved" if approved else "denied")
        if not approved:
            raise Refused(_("You said no to {tool}.").format(tool=task.tool))

    def leave(self) -> None:
        """Let the cards that are kept stay open, because the session ends."""
        self._leaving = True

    async def somebody(self) -> bool:
        """Return whether a person can see a card now."""
        return await self._somebody_listens()

    async def fill_in(
        self, task: TaskHandle, server: str, message: str, fields: list[FormField]
    ) -> dict[str, Any] | None:
        """Show a card with a form, on behalf of a program that a running task waits for.

        Args:
            task: goes on running meanwhile.
            server: who asks.
            message: what it says, a stranger's text.
            fields: what is to be filled in.

        Returns:
            The values, or None when the person declines or does not answer in time.
        """
        self._last_id += 1
        approval = Approval(
            id=self._last_id,
            task_id=task.id,
            tool=task.task.tool,
            target=server,
            reason=message,
            fields=fields,
            created_at=time.time(),
        )
        card = _Card(approval, asyncio.get_running_loop().create_future())
        self._cards[approval.id] = card
        self._publish(card)
        try:
            async with asyncio.timeout(APPROVAL_LIMIT_S):
                agreed = await card.answer
        except (TimeoutError, asyncio.CancelledError) as ended:
            self._close(card, "expired")
            if isinstance(ended, TimeoutError):
                return None
            raise
        self._close(card, "approved" if agreed else "denied")
        return card.values if agreed else None

    def shown(self, approval_id: int) -> None:
        """Note that a surface has the card on the screen."""
        card = self._cards.get(approval_id)
        if card is not None and card.approval.shown_at is None:
            card.approval = card.approval.model_copy(update={"shown_at": time.time()})
            self._publish(card)

    def decide(self, approval_id: int, approved: bool, values: Mapping[str, Any] | None = None) -> bool:
        """Answer a card by its number, as a click does; returns whether it was open.

        Args:
            approval_id: the card's number.
            approved: yes or no.
            values: what was filled in, on a card with a form.
        """
        card = self._cards.get(approval_id)
        if card is None or card.answer.done():
            return False
        card.values = dict(values or {})
        card.answer.set_result(approved)
        return True

    def spoken(self, approved: bool, number: int | None, first_sample_at: float) -> str:
        """Answer by voice or typed text; returns what to say when it did not count, else empty.

        Args:
            approved: yes or no.
            number: the card's number, when it was said.
            first_sample_at: when the utterance began, seconds since the epoch.
        """
        cards = {i: c for i, c in self._cards.items() if not c.answer.done()}
        if not cards:
            return _("Nothing is waiting for your approval.")
        if number is None and len(cards) > 1:
            if not approved:
                # A no is always safe to take generously.
                for card in cards.values():
                    card.answer.set_result(False)
                return ""
            numbers = ", ".join(str(i) for i in cards)
            return _(
                "Several cards are open. Say the number, for example: approve {number}. Open: {numbers}."
            ).format(number=min(cards), numbers=numbers)
        chosen = cards.get(number) if number is not None else next(iter(cards.values()))
        if chosen is None:
            return _("No open card has the number {number}.").format(number=number)
        if approved and chosen.approval.fields:
            return _("That card is a form. Fill it in on the screen.")
        shown_at = chosen.approval.shown_at
        if approved and (shown_at is None or first_sample_at <= shown_at):
            return _("That was said before the card was on the screen, so it does not count. Say it again.")
        chosen.answer.set_result(approved)
        return ""

    def spoken_for_changes(self, approved: bool, first_sample_at: float) -> str:
        """Answer, by voice or typed text, every open card that shows a change of a cell.

        Returns what to say when it did not count, else empty.
        """
        changes = [card for card in self._cards.values() if card.approval.diff and not card.answer.done()]
        if not changes:
            return _("No changes are waiting for your approval.")
        seen = [card.approval.shown_at for card in changes]
        if approved and any(shown_at is None or first_sample_at <= shown_at for shown_at in seen):
            return _(
                "That was said before all changes were on the screen, so it does not count. Say it again."
            )
        for card in changes:
            card.answer.set_result(approved)
        return ""

    @property
    def open(self) -> list[Approval]:
        """The cards that wait, oldest first."""
        return [card.approval for card in self._cards.values() if not card.answer.done()]

    def _close(self, card: _Card, state: Literal["approved", "denied", "expired"]) -> None:
        card.approval = card.approval.model_copy(update={"state": state})
        self._cards.pop(card.approval.id, None)
        self._publish(card)

    def _publish(self, card: _Card) -> None:
        self._sink.publish(ApprovalChanged(approval=card.approval))
