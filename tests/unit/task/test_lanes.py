"""Lanes: limits are kept, order is kept, whoever waits gets a turn, and nobody waits in a circle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.app import known_tools
from voice_kernel.errors import Refused
from voice_kernel.messages import QueueChanged, ToSurface
from voice_kernel.task import lanes as lanes_module
from voice_kernel.task.lanes import AREAS, MAX_OVERTAKEN, Lanes, Where, misnamed
from voice_kernel.usertools import shelf

LIMITS = {"one": 1, "three": 3}


def test_limits_can_be_set_for_the_kinds_of_tasks_there_are() -> None:
    assert {spec.area for spec in known_tools().specs.values()} | {shelf.AREA} == AREAS
    assert misnamed(["shell", "own"]) == ""
    assert misnamed(["shells", "cells"]).startswith("Limits are set for cells, shells, but")


@dataclass
class Job:
    """A task as a queue knows it."""

    id: int
    queued_times: int = 0
    positions: list[int | None] = field(default_factory=list)
    ends: list[Callable[[], None]] = field(default_factory=list)

    def queued(self) -> None:
        self.queued_times += 1

    def placed(self, position: int | None) -> None:
        self.positions.append(position)

    def when_ended(self, callback: Callable[[], None]) -> None:
        self.ends.append(callback)

    def end(self) -> None:
        for callback in self.ends:
            callback()


class Desk:
    """Lanes, what they told, and jobs that hold their place until they are let go."""

    def __init__(self, limits: dict[str, int] | None = None) -> None:
        self.told: list[QueueChanged] = []
        self.lanes = Lanes(limits or LIMITS, self)
        self.started: list[int] = []
        self.holding: set[int] = set()
        self.jobs: dict[int, Job] = {}
        self.running: dict[int, asyncio.Task[None]] = {}
        self.release: dict[int, asyncio.Event] = {}

    def publish(self, message: ToSurface) -> None:
        assert isinstance(message, QueueChanged)
        self.told.append(message)

    def start(self, lane: str) -> int:
        job = Job(len(self.jobs) + 1)
        self.jobs[job.id] = job
        self.release[job.id] = asyncio.Event()
        self.running[job.id] = asyncio.ensure_future(self._run(lane, job))
        return job.id

    async def _run(self, lane: str, job: Job) -> None:
        async with self.lanes.slot(lane, job):
            self.started.append(job.id)
            self.holding.add(job.id)
            try:
                await self.release[job.id].wait()
            finally:
                self.holding.discard(job.id)

    async def finish(self) -> None:
        async with asyncio.timeout(60):
            while not all(task.done() for task in self.running.values()):
                for event in self.release.values():
                    event.set()
                await settle()
        assert self.holding == set()


async def settle() -> None:
    """Let everything that can go on go on; nothing here waits for a clock."""
    for _ in range(8):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def desk_of(limits: dict[str, int] | None = None) -> AsyncIterator[Desk]:
    desk = Desk(limits)
    yield desk
    await desk.finish()


async def test_as_many_run_as_the_limit_says_and_the_others_follow_in_order() -> None:
    async with desk_of() as desk:
        ids = [desk.start("three") for _ in range(6)]
        await settle()
        assert desk.started == ids[:3]
        assert desk.lanes.waiting("three") == ids[3:]
        desk.release[ids[1]].set()
        await settle()
        assert desk.started == ids[:4]
    assert desk.started == ids


async def test_a_lane_without_a_limit_lets_everyone_through() -> None:
    async with desk_of() as desk:
        ids = [desk.start("free") for _ in range(50)]
        await settle()
        assert desk.started == ids


async def test_lanes_do_not_wait_for_each_other() -> None:
    async with desk_of() as desk:
        first, second, other = desk.start("one"), desk.start("one"), desk.start("three")
        await settle()
        assert desk.started == [first, other]
        assert desk.lanes.waiting("one") == [second]


async def test_who_is_cancelled_while_waiting_is_gone_and_the_others_move_up() -> None:
    async with desk_of() as desk:
        _first, second, third = (desk.start("one") for _ in range(3))
        await settle()
        desk.running[second].cancel()
        await settle()
        assert desk.lanes.waiting("one") == [third]
    assert second not in desk.started


async def test_a_place_given_in_the_moment_of_cancelling_goes_to_the_next() -> None:
    async with desk_of() as desk:
        first, second, third = (desk.start("one") for _ in range(3))
        await settle()
        desk.release[first].set()
        while desk.lanes.waiting("one") == [second, third]:  # noqa: ASYNC110 - moment by moment
            await asyncio.sleep(0)
        desk.running[second].cancel()  # it has its place, and has not yet noticed
        await settle()
        assert desk.started == [first, third]


async def test_a_task_that_ended_gives_its_place_back_though_its_work_goes_on() -> None:
    async with desk_of() as desk:
        first, second = desk.start("one"), desk.start("one")
        await settle()
        desk.jobs[first].end()  # given up; what it runs is deaf
        await settle()
        assert desk.holding == {first, second}
        assert desk.lanes.holding("one") == 1
        desk.release[first].set()  # at last: that gives nothing back a second time
        await settle()
        third = desk.start("one")
        await settle()
        assert desk.lanes.waiting("one") == [third]


@pytest.mark.parametrize(
    ("to", "order"),
    [("first", [4, 2, 3, 5]), ("up", [2, 4, 3, 5]), ("down", [2, 3, 5, 4]), ("last", [2, 3, 5, 4])],
)
async def test_a_waiting_task_can_be_moved(to: Where, order: list[int]) -> None:
    async with desk_of() as desk:
        for _ in range(5):
            desk.start("one")
        await settle()
        assert desk.lanes.move(4, to)
        assert desk.lanes.waiting("one") == order
    assert desk.started == [1, *order]


async def test_only_what_waits_can_be_moved() -> None:
    async with desk_of() as desk:
        running = desk.start("one")
        await settle()
        assert not desk.lanes.move(running, "last")
        assert not desk.lanes.move(99, "first")


async def test_moving_others_ahead_does_not_keep_a_task_waiting_for_ever() -> None:
    async with desk_of() as desk:
        running, patient = desk.start("one"), desk.start("one")
        await settle()
        passed = 0
        for _ in range(3 * MAX_OVERTAKEN):
            newcomer = desk.start("one")
            await settle()
            desk.lanes.move(newcomer, "first")
            passed += desk.lanes.waiting("one")[0] == newcomer
            desk.release[running].set()
            await settle()
            running = desk.started[-1]
            if running == patient:
                break
        assert desk.started[-1] == patient
        assert passed == MAX_OVERTAKEN


async def test_places_are_told_in_few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "TELL_S", 0.01)
    async with desk_of() as desk:
        for _ in range(200):
            desk.start("one")
        async with asyncio.timeout(30):
            while not desk.told:  # noqa: ASYNC110 - the loop's clock tells it
                await asyncio.sleep(0.001)
        assert desk.told == [QueueChanged(lane="one", tasks=list(range(2, 201)))]
        assert desk.jobs[200].positions == [199]
        assert desk.jobs[1].positions == []


async def test_a_queue_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_module, "MAX_WAITING", 2)
    async with desk_of() as desk:
        for _ in range(3):
            desk.start("one")
        await settle()
        with pytest.raises(Refused, match="2 tasks wait") as refused:
            async with desk.lanes.slot("one", Job(99)):
                pass
        assert refused.value.retryable
        assert desk.lanes.waiting("one") == [2, 3]


# ---- calls inside of calls ----------------------------------------------------------------------------


async def test_what_a_task_calls_in_its_own_lane_does_not_wait_for_it() -> None:
    lanes = Lanes({"one": 1}, Desk())
    slots = (lanes.slot("one", Job(number)) for number in (1, 2, 3))
    async with asyncio.timeout(30), next(slots), next(slots), next(slots):
        assert lanes.holding("one") == 1


async def test_what_one_task_calls_at_once_keeps_the_limit_among_itself() -> None:
    desk = Desk({"one": 1, "three": 3})
    async with desk.lanes.slot("one", Job(100)):
        ids = [desk.start("three") for _ in range(5)]
        await settle()
        assert desk.started == ids[:3]
        assert desk.lanes.holding("three") == 0  # they are a part of task 100
        await desk.finish()
    assert {message.lane for message in desk.told} <= {"three of task 100"}


async def test_two_tasks_that_call_into_each_others_lanes_both_end() -> None:
    lanes = Lanes({"left": 1, "right": 1}, Desk())
    both = asyncio.Barrier(2)

    async def crossing(outer: str, inner: str, number: int) -> None:
        async with lanes.slot(outer, Job(number)):
            await both.wait()
            async with lanes.slot(inner, Job(number + 1)):
                pass

    async with asyncio.timeout(30):
        await asyncio.gather(crossing("left", "right", 1), crossing("right", "left", 3))


async def test_code_that_outlived_its_task_queues_like_any_other() -> None:
    lanes, outer, held = Lanes({"one": 1}, Desk()), Job(1), asyncio.Event()

    async def inside(job: Job) -> None:
        async with lanes.slot("one", job):
            held.set()
            await asyncio.Event().wait()

    async with lanes.slot("one", outer):
        outer.end()
        late = asyncio.create_task(inside(Job(2)))
        await held.wait()
        assert lanes.holding("one") == 1
        later = asyncio.create_task(inside(Job(3)))
        await settle()
        assert lanes.waiting("one") == [3]
        late.cancel()
        later.cancel()
        await asyncio.wait({late, later})


# ---- whatever happens ---------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), st.sampled_from(["one", "three", "free"])),
        st.tuples(st.sampled_from(["finish", "cancel", "end"]), st.integers(0, 30)),
        st.tuples(st.sampled_from(["first", "up", "down", "last"]), st.integers(0, 30)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_whatever_happens_limits_and_order_are_kept_and_all_end(steps: list[tuple[str, object]]) -> None:
    asyncio.run(_whatever(steps))


async def _whatever(steps: list[tuple[str, object]]) -> None:
    async with desk_of() as desk:
        lane_of: dict[int, str] = {}
        waiting: dict[str, list[int]] = {"one": [], "three": []}
        given_up: set[int] = set()
        for name, value in steps:
            if name == "start":
                assert isinstance(value, str)
                job = desk.start(value)
                lane_of[job] = value
                if value in waiting:
                    waiting[value].append(job)
            elif lane_of:
                assert isinstance(value, int)
                job = 1 + value % len(lane_of)
                queue = waiting.get(lane_of[job], [])
                match name:
                    case "finish":
                        desk.release[job].set()
                    case "cancel":
                        desk.running[job].cancel()
                        if job in queue:
                            queue.remove(job)
                    case "end":
                        desk.jobs[job].end()
                        given_up |= {job} & desk.holding
                    case "first" | "up" | "down" | "last":
                        assert desk.lanes.move(job, name) == (job in queue)
                        if job in queue:
                            before = queue.copy()
                            queue[:] = desk.lanes.waiting(lane_of[job])
                            assert sorted(queue) == sorted(before)
                            assert [i for i in queue if i != job] == [i for i in before if i != job]
            await settle()
            for lane, queue in waiting.items():
                # Whoever has begun stood at the front.
                begun = [i for i in queue if i in desk.started]
                assert queue[: len(begun)] == begun
                del queue[: len(begun)]
                assert desk.lanes.waiting(lane) == queue
                holding = {i for i in desk.holding - given_up if lane_of[i] == lane}
                assert len(holding) == desk.lanes.holding(lane) <= LIMITS[lane]
                assert not queue or len(holding) == LIMITS[lane]  # nobody waits before a free place
        assert len(desk.started) == len(set(desk.started))
