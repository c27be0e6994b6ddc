"""The worker: the most urgent job first, nothing after close, and never in the way of the end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from voice_kernel.speech.worker import Urgency, Worker

LIMIT_S = 60.0


def wait_for(gate: threading.Event, started: threading.Event | None = None) -> Callable[[], None]:
    """Return a job that holds the worker until the gate opens."""

    def job() -> None:
        if started is not None:
            started.set()
        gate.wait(LIMIT_S)

    return job


def fail() -> None:
    raise RuntimeError("a bug")


def test_the_most_urgent_job_goes_first() -> None:
    worker, gate, done = Worker("test"), threading.Event(), threading.Event()
    order: list[str] = []

    def last() -> None:
        order.append("ahead")
        done.set()

    worker.submit(Urgency.LISTEN, wait_for(gate))
    worker.submit(Urgency.READ_AHEAD, last)
    worker.submit(Urgency.LISTEN, lambda: order.append("first chunk"))
    worker.submit(Urgency.LISTEN, lambda: order.append("second chunk"))
    worker.submit(Urgency.ANSWER, lambda: order.append("answer"))
    gate.set()
    assert done.wait(LIMIT_S)
    assert order == ["answer", "first chunk", "second chunk", "ahead"]
    worker.close(lambda: None)


def test_a_job_that_breaks_does_not_stop_the_others() -> None:
    worker, done = Worker("test"), threading.Event()
    worker.submit(Urgency.LISTEN, fail)
    worker.submit(Urgency.LISTEN, done.set)
    assert done.wait(LIMIT_S)
    worker.close(lambda: None)


def test_a_closed_worker_drops_what_waits_and_takes_no_more() -> None:
    worker, gate, ended = Worker("test"), threading.Event(), threading.Event()
    ran: list[str] = []
    started = threading.Event()
    worker.submit(Urgency.LISTEN, wait_for(gate, started))
    worker.submit(Urgency.LISTEN, lambda: ran.append("dropped"))
    assert started.wait(LIMIT_S)
    worker.close(ended.set)
    assert not ended.is_set()
    gate.set()
    assert ended.wait(LIMIT_S)
    assert not worker.submit(Urgency.ANSWER, lambda: ran.append("late"))
    assert ran == []


def test_a_worker_that_never_ran_is_closed_at_once() -> None:
    ended = threading.Event()
    Worker("test").close(ended.set)
    assert ended.is_set()
