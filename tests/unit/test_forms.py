"""Forms that other programs ask a person to fill in: what counts as an answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from voice_kernel.messages import ApprovalChanged, FormField, Task
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals

FIELDS = [FormField(name="guests", kind="integer"), FormField(name="when", required=True)]


class Hub:
    """Keeps what was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def publish(self, message: Any) -> None:
        self.told.append(message)

    @property
    def card(self) -> Any:
        return [one for one in self.told if isinstance(one, ApprovalChanged)][-1].approval


async def here() -> bool:
    return True


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def approvals(hub: Hub) -> Approvals:
    return Approvals(hub, here)


@pytest.fixture
def task(hub: Hub) -> TaskHandle:
    handle = Runner(hub, lambda _: None).create(
        turn_id=1, tool="helper__book", arguments={}, title="book", origin="text"
    )
    assert isinstance(handle.task, Task)
    return handle


async def asked(approvals: Approvals, task: TaskHandle) -> asyncio.Task[dict[str, Any] | None]:
    asking = asyncio.ensure_future(approvals.fill_in(task, "helper", "For how many?", FIELDS))
    await asyncio.sleep(0)
    return asking


async def test_what_was_filled_in_comes_back_by_name(
    hub: Hub, approvals: Approvals, task: TaskHandle
) -> None:
    asking = await asked(approvals, task)
    assert (hub.card.target, hub.card.reason, hub.card.fields) == ("helper", "For how many?", FIELDS)
    assert approvals.decide(hub.card.id, True, {"guests": 4, "when": "seven"})
    assert await asking == {"guests": 4, "when": "seven"}
    assert hub.card.state == "approved"
    assert not approvals.decide(hub.card.id, True)


async def test_a_form_is_sent_by_hand_and_never_by_a_spoken_yes(
    hub: Hub, approvals: Approvals, task: TaskHandle
) -> None:
    asking = await asked(approvals, task)
    approvals.shown(hub.card.id)
    assert "form" in approvals.spoken(True, None, time.time() + 1)
    assert not asking.done()
    assert approvals.spoken(False, None, time.time() + 1) == ""  # a no is always one
    assert await asking is None
    assert hub.card.state == "denied"


async def test_a_form_whose_task_is_cancelled_goes_away(
    hub: Hub, approvals: Approvals, task: TaskHandle
) -> None:
    asking = await asked(approvals, task)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert hub.card.state == "expired"
    assert approvals.open == []
