"""What is taken down of a session, in memory and in batches, whatever the ledger can do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from voice_kernel.messages import (
    Output,
    Problem,
    Result,
    Task,
    TaskChanged,
    TaskState,
    Thread,
    Turn,
    TurnChanged,
)
from voice_kernel.store import batch as batch_module
from voice_kernel.store.batch import Batch, Happening
from voice_kernel.store.faults import Fault, Patience
from voice_kernel.store.journal import Journal
from voice_kernel.store.numbering import Numbering
from voice_kernel.store.writer import Writer

QUICK = Patience(gather_s=0.001, lazy_s=0.01, retry_s=0.005, most_retry_s=0.02, beat_s=0.01)
LIMIT_S = 60.0
LOCKED = Fault("locked", "It is locked.")


class MemoryLedger:
    """A ledger that keeps what it is given, and fails when it is told to."""

    beats = True

    def __init__(self) -> None:
        self.events: list[Happening] = []
        self.tasks: dict[int, Task] = {}
        self.turns: dict[int, Turn] = {}
        self.batches = 0
        self.connections = 0
        self.beat_count = 0
        self.ended = False
        self.fault: Exception | None = None
        self.tried = threading.Event()

    def connect(self, doubts: int) -> MemoryLedger:
        self.connections += 1
        return self

    def write(self, batch: Batch) -> None:
        self.tried.set()
        if self.fault is not None:
            raise self.fault
        for number, (task, _, _) in batch.tasks.items():
            self.tasks[number] = task
        for number, (turn, _) in batch.turns.items():
            self.turns[number] = turn
        for event in batch.events:
            if event.task is not None:
                assert event.task in self.tasks, "an event came before what it tells of"
        self.events += batch.events
        self.batches += 1

    def beat(self) -> None:
        self.beat_count += 1

    def tidy(self) -> float:
        return 3600.0

    def end(self) -> None:
        self.ended = True

    def close(self) -> None:
        pass


class Recorder:
    """A journal with its ledger, and what it said."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.told: list[Fault | None] = []
        self._said = threading.Condition()
        thread = Thread(id="t", created_at=0.0, updated_at=0.0)
        self.writer = Writer(self.ledger.connect, on_fault=self._hear, patience=QUICK)
        self.journal = Journal(thread, self.writer, Numbering("s"))

    def _hear(self, fault: Fault | None) -> None:
        with self._said:
            self.told.append(fault)
            self._said.notify_all()

    def until(self, test: Callable[[], bool]) -> None:
        with self._said:
            assert self._said.wait_for(test, LIMIT_S)

    def task(self, number: int, state: TaskState = "succeeded", **more: object) -> None:
        task = Task(id=number, turn_id=1, tool="t", title="t", created_at=1.0, state=state)
        self.journal.publish(TaskChanged(task=task.model_copy(update=more)))

    def flush(self) -> bool:
        return self.writer.flush().result(LIMIT_S)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def seqs(recorder: Recorder) -> list[int]:
    return [event.seq for event in recorder.ledger.events]


def test_what_comes_while_the_ledger_fails_is_written_when_it_works_again(recorder: Recorder) -> None:
    recorder.writer.start()
    recorder.task(1)
    assert recorder.flush()
    recorder.ledger.fault = LOCKED
    for number in range(2, 200):
        recorder.task(number)
    recorder.until(lambda: recorder.told[-1:] == [LOCKED])
    assert not recorder.flush()
    recorder.ledger.fault = None
    recorder.until(lambda: recorder.told[-1] is None)
    assert recorder.flush()
    assert seqs(recorder) == list(range(1, 200))
    assert len(recorder.ledger.tasks) == 199
    assert recorder.told == [None, LOCKED, None]


def test_a_failure_is_told_once_however_often_it_is_met(recorder: Recorder) -> None:
    recorder.ledger.fault = LOCKED
    recorder.writer.start()
    recorder.task(1)
    for _ in range(5):
        recorder.ledger.tried.clear()
        assert recorder.ledger.tried.wait(LIMIT_S)
    assert recorder.told == [LOCKED]


def test_a_lasting_fault_is_not_tried_again_and_keeps_nothing_in_memory(recorder: Recorder) -> None:
    newer = Fault("newer", "Too new.", lasting=True)
    recorder.ledger.fault = newer
    recorder.writer.start()
    recorder.task(1)
    recorder.until(lambda: recorder.told == [newer])
    recorder.ledger.fault = None
    recorder.task(2)
    assert not recorder.flush()
    assert recorder.ledger.events == []
    assert not recorder.writer.batch


def test_a_mistake_of_ours_ends_neither_the_thread_nor_what_is_taken_down(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.ledger.fault = ZeroDivisionError("the user's own text")
    recorder.writer.start()
    recorder.task(1)
    recorder.until(lambda: bool(recorder.told))
    (fault,) = recorder.told
    assert fault is not None
    assert "ZeroDivisionError" in fault.message
    assert "the user's own text" not in caplog.text + fault.message
    recorder.ledger.fault = None
    recorder.until(lambda: recorder.told[-1] is None)
    assert seqs(recorder) == [1]


def test_past_the_cap_the_oldest_events_become_a_gap_that_says_which(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "MAX_EVENTS", 10)
    for number in range(1, 31):
        recorder.task(number)
    recorder.writer.start()
    assert recorder.flush()
    gap, *rest = recorder.ledger.events
    assert (gap.kind, gap.gap, gap.seq) == ("gap", (1, 21), 21)
    assert [event.seq for event in rest] == list(range(22, 31))


def test_past_the_cap_of_size_the_oldest_tasks_are_let_go(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "MAX_CHARS", 100_000)
    big = Result(outputs=[Output(kind="stream", text="x" * 30_000)])
    for number in range(1, 11):
        recorder.task(number, result=big)
    assert recorder.writer.batch.chars <= 100_000
    assert list(recorder.writer.batch.tasks) == [8, 9, 10]


def test_of_an_entity_only_the_newest_version_is_written(recorder: Recorder) -> None:
    recorder.task(1, "queued")
    recorder.task(1, "running")
    recorder.task(1, "succeeded")
    recorder.writer.start()
    assert recorder.flush()
    assert [event.kind for event in recorder.ledger.events] == [
        "task.queued",
        "task.running",
        "task.succeeded",
    ]
    assert recorder.ledger.tasks[1].state == "succeeded"
    assert recorder.ledger.batches == 1


def test_what_could_not_be_written_does_not_replace_what_is_newer() -> None:
    older, newer = Batch(), Batch()
    for batch, state in ((older, "queued"), (newer, "running")):
        task = Task(id=1, turn_id=1, tool="t", title="t", created_at=1.0, state=state)
        batch.put_task(task, "t", "")
    only = Task(id=2, turn_id=1, tool="t", title="t", created_at=1.0)
    older.put_task(only, "t", "")
    older.events.append(Happening(1, 1.0, "a"))
    newer.events.append(Happening(2, 1.0, "b"))
    size = newer.chars
    newer.put_back(older)
    assert {number: task.state for number, (task, _, _) in newer.tasks.items()} == {1: "running", 2: "queued"}
    assert [event.seq for event in newer.events] == [1, 2]
    assert newer.chars > size


def test_a_large_batch_is_written_in_parts_and_no_event_before_what_it_tells_of(recorder: Recorder) -> None:
    for number in range(1, 5_001):
        recorder.task(number)
    recorder.writer.start()
    assert recorder.flush()
    assert seqs(recorder) == list(range(1, 5_001))
    assert recorder.ledger.batches > 3


def test_stopping_writes_what_is_left_and_ends_the_session(recorder: Recorder) -> None:
    recorder.writer.start()
    recorder.task(1, "running")
    recorder.journal.interrupt()
    recorder.writer.stop()()
    assert recorder.ledger.ended
    assert recorder.ledger.tasks[1].state == "interrupted"
    assert not recorder.flush()
    with pytest.raises(Fault, match="closed"):
        recorder.writer.submit(lambda ledger: 1).result(LIMIT_S)


def test_a_session_that_nobody_else_sees_beats(recorder: Recorder) -> None:
    recorder.writer.start()
    give_up_at = time.monotonic() + LIMIT_S
    recorder.task(1)
    assert recorder.flush()
    # The journal's own thread beats, with nothing else to wake it.
    while recorder.ledger.beat_count < 3 and time.monotonic() < give_up_at:
        threading.Event().wait(0.005)
    assert recorder.ledger.beat_count >= 3
    recorder.writer.stop()()


def test_jobs_come_after_what_was_taken_down_before_them(recorder: Recorder) -> None:
    recorder.writer.start()
    recorder.task(1)
    assert recorder.writer.submit(lambda ledger: len(ledger.events)).result(LIMIT_S) == 1
    with pytest.raises(KeyError):
        recorder.writer.submit(lambda ledger: {}["x"]).result(LIMIT_S)
    recorder.ledger.fault = LOCKED
    recorder.task(2)
    with pytest.raises(Fault, match="locked"):
        recorder.writer.submit(lambda ledger: 1).result(LIMIT_S)


def test_a_turn_that_ends_tells_why(recorder: Recorder) -> None:
    turn = Turn(id=1, state="running", origin="text", text="x", created_at=1.0)
    recorder.journal.publish(TurnChanged(turn=turn))
    problem = Problem(kind="Refused", message="No.")
    ended = turn.model_copy(update={"state": "failed", "problem": problem})
    recorder.journal.publish(TurnChanged(turn=ended))
    recorder.writer.start()
    assert recorder.flush()
    assert recorder.ledger.events[-1].problem == problem
    assert recorder.ledger.turns[1].state == "failed"


def test_taking_down_never_waits_for_the_ledger(recorder: Recorder) -> None:
    stuck, go_on, went_on = threading.Event(), threading.Event(), threading.Event()
    write = recorder.ledger.write

    def slow(batch: Batch) -> None:
        stuck.set()
        go_on.wait(LIMIT_S)
        went_on.set()
        write(batch)

    recorder.ledger.write = slow  # type: ignore[method-assign]
    recorder.writer.start()
    recorder.task(1)
    assert stuck.wait(LIMIT_S)
    for number in range(2, 1_002):
        recorder.task(number)
    assert not went_on.is_set()  # it is still at the first
    go_on.set()
    assert recorder.flush()
    assert seqs(recorder) == list(range(1, 1_002))
