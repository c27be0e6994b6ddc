"""How soon a surface is told, and how seldom: quick after a rest, never faster than the server takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from voice_kernel.events import Hub
from voice_kernel.messages import About, AnswerDelta, Turn, TurnChanged
from voice_kernel.ui import surface as surface_module
from voice_kernel.ui.surface import BURST_S, FEW, SEND_PAUSE_S, SHORT_PAUSE_S, Surface


class Wire:
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, data: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        self.sent.append(data["type"])

    def on_message(self, callback: Callable[..., None]) -> None: ...

    def on_close(self, callback: Callable[..., None]) -> None: ...


class Clock:
    """A time that passes only while the sender pauses."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    times = SimpleNamespace(time=lambda: sum(clock.pauses))
    stopped = SimpleNamespace(sleep=clock.sleep, get_running_loop=lambda: times)
    monkeypatch.setattr(surface_module, "asyncio", stopped)
    return clock


@pytest.fixture
async def told(clock: Clock) -> AsyncIterator[tuple[Hub, Wire]]:
    hub, wire = Hub(About(version="test")), Wire()
    _, subscription = hub.subscribe()
    sending = asyncio.ensure_future(
        Surface(cast("Any", SimpleNamespace()), cast("Any", wire))._send_changes(subscription)
    )
    yield hub, wire
    sending.cancel()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_after_a_rest_is_sent_without_a_pause(told: tuple[Hub, Wire], clock: Clock) -> None:
    hub, wire = told
    for number in range(4):
        hub.publish(AnswerDelta(turn_id=1, text=f"{number} "))
        await settled()
    assert wire.sent == ["answer_delta"] * 4
    assert clock.pauses == []


async def test_a_stream_of_words_is_sent_no_faster_than_before(told: tuple[Hub, Wire], clock: Clock) -> None:
    hub, wire = told
    for number in range(100):
        hub.publish(AnswerDelta(turn_id=1, text=f"{number} "))
        await settled()
    assert len(wire.sent) == 100
    assert sum(clock.pauses) == pytest.approx(100 * SHORT_PAUSE_S - BURST_S)


async def test_large_batches_are_at_most_twenty_a_second(told: tuple[Hub, Wire], clock: Clock) -> None:
    hub, wire = told
    for _ in range(20):
        for number in range(FEW + 1):
            turn = Turn(id=number + 1, state="running", origin="text", text="x", created_at=1)
            hub.publish(TurnChanged(turn=turn))
        await settled()
    assert len(wire.sent) == 20 * (FEW + 1)
    assert sum(clock.pauses) == pytest.approx(20 * SEND_PAUSE_S - BURST_S)
