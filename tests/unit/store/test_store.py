"""What a session does is there again later: the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.unit.store.sessions import LIMIT_S, NOTEBOOK, Session, Sessions
from voice_kernel.errors import HistoryError, NotInHistory
from voice_kernel.messages import (
    ApprovalChanged,
    Call,
    Output,
    Problem,
    Progress,
    Result,
    TaskOutput,
    TaskProgress,
    TaskState,
    TurnState,
)

HERE = Path(__file__).parent


def texts(session: Session) -> list[str]:
    assert session.conversation is not None
    return [turn.text for turn in session.conversation.turns]


# ---- going on -------------------------------------------------------------------------------------


async def test_a_notebook_goes_on_with_its_conversation(sessions: Sessions) -> None:
    first = await sessions.begin()
    assert first.conversation is None
    output = Output(kind="stream", text="12 passed\n")
    turn = first.say("run the tests", calls=[Call(tool="run_tests", arguments={"path": "tests"})])
    task = first.start(turn, "run_tests", arguments={"path": "tests"}, title="run_tests tests", area="tests")
    result = Result(summary="12 passed", outputs=[output], exit_code=0, data={"n": 12})
    done = first.end(task, result=result)
    first.end_turn(turn, answer="Done.")
    await first.close()

    second = await sessions.begin()
    conversation = second.conversation
    assert conversation is not None
    assert conversation.thread.title == "run the tests"
    assert conversation.thread.turns == 1
    assert second.store.keeping.thread == conversation.thread
    (again,) = conversation.turns
    assert (again.text, again.state, again.answer) == ("run the tests", "succeeded", "Done.")
    assert conversation.tasks == [done.model_copy(update={"earlier": True})]
    assert (conversation.last_turn_id, conversation.last_task_id) == (1, 1)


async def test_what_is_done_after_going_on_belongs_to_the_same_conversation(sessions: Sessions) -> None:
    first = await sessions.begin()
    first.do("one")
    await first.close()
    second = await sessions.begin()
    second.do("two")
    await second.close()
    third = await sessions.begin()
    assert texts(third) == ["one", "two"]
    assert third.conversation is not None
    assert [turn.id for turn in third.conversation.turns] == [1, 2]
    assert [task.id for task in third.conversation.tasks] == [1, 2]


async def test_a_script_begins_a_new_conversation(sessions: Sessions) -> None:
    first = await sessions.begin(resume=False)
    first.do("one")
    await first.close()
    second = await sessions.begin(resume=False)
    assert second.conversation is None
    assert second.store.keeping.thread != first.store.keeping.thread


async def test_another_notebook_has_a_conversation_of_its_own(sessions: Sessions) -> None:
    first = await sessions.begin()
    first.do("one")
    await first.close()
    assert (await sessions.begin(workspace="/home/me/other.ipynb")).conversation is None


async def test_a_conversation_that_a_living_session_has_is_left_to_it(sessions: Sessions) -> None:
    old = await sessions.begin()
    old.do("one")
    await old.close()
    first = await sessions.begin()
    assert texts(first) == ["one"]
    second = await sessions.begin()
    assert second.conversation is None
    await first.close()
    # The one that ended last is gone on with.
    assert texts(await sessions.begin()) == ["one"]


async def test_who_asked_for_a_new_conversation_gets_it_after_a_restart_too(sessions: Sessions) -> None:
    first = await sessions.begin()
    first.do("one")
    await first.store.new_thread()
    await first.close()
    second = await sessions.begin()
    assert second.conversation is None
    threads, _ = await second.store.threads()
    assert [thread.title for thread in threads] == ["one"]


async def test_nothing_is_restored_when_something_was_done_before_the_store_was_open(
    sessions: Sessions,
) -> None:
    first = await sessions.begin()
    first.do("one")
    await first.close()
    second = sessions.make()
    second.do("early")
    await second.open()
    assert second.conversation is None
    await second.written()
    threads, _ = await second.store.threads()
    assert [thread.title for thread in threads] == ["early", "one"]
    assert [event.seq for event in await second.store.events()] == [1, 2, 3, 4, 5]


async def test_a_clock_that_jumps_back_changes_neither_order_nor_what_is_gone_on_with(
    sessions: Sessions,
) -> None:
    first = await sessions.begin()
    first.say("in the future", created_at=time.time() + 10 * 365 * 86_400.0)
    await first.close()
    second = await sessions.begin(resume=False)
    second.do("one")
    second.do("two")
    await second.close()
    third = await sessions.begin()
    assert texts(third) == ["one", "two"]
    third.do("three")
    await third.written()
    found, _ = await third.store.find()
    assert [past.utterance for past in found] == ["three", "two", "one"]
    events = [e for s in (second, third) for e in await third.store.events(s.store.session_id)]
    assert [e.seq for e in events] == [*range(1, 12), *range(1, 6)]


# ---- conversations --------------------------------------------------------------------------------


async def test_conversations_are_listed_by_their_last_use(sessions: Sessions) -> None:
    session = await sessions.begin()
    for number in range(5):
        await session.store.new_thread()
        session.do(f"number {number}")
    await session.written()
    page, more = await session.store.threads(limit=2)
    assert ([thread.title for thread in page], more) == (["number 4", "number 3"], True)
    page, more = await session.store.threads(limit=2, before=page[-1].updated_at)
    assert ([thread.title for thread in page], more) == (["number 2", "number 1"], True)
    page, more = await session.store.threads(limit=2, before=page[-1].updated_at)
    assert ([thread.title for thread in page], more) == (["number 0"], False)


async def test_only_the_own_workspace_is_listed_unless_all_are_asked_for(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("here")
    other = await sessions.begin(workspace="/tmp/elsewhere")
    other.do("there")
    await session.written()
    await other.written()
    assert [thread.title for thread in (await session.store.threads())[0]] == ["here"]
    assert [t.title for t in (await session.store.threads(everywhere=True))[0]] == ["there", "here"]
    assert len((await session.store.find(everywhere=False))[0]) == 1
    assert len((await session.store.find())[0]) == 2


async def test_a_conversation_is_found_by_its_title_and_by_what_was_said(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("plot the price of houses")
    session.do("now in a logarithmic scale")
    await session.store.new_thread()
    session.do("describe the data")
    await session.written()
    for query, titles in (
        ("log scale", ["plot the price of houses"]),
        ("PRIC", ["plot the price of houses"]),
        ("describe", ["describe the data"]),
        ("the", ["describe the data", "plot the price of houses"]),
        ("nowhere", []),
    ):
        assert [thread.title for thread in (await session.store.threads(query))[0]] == titles, query


async def test_a_conversation_is_opened_again(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("one")
    old = session.store.keeping.thread
    assert old is not None
    await session.store.new_thread()
    session.do("two")
    conversation = await session.store.open_thread(old.id)
    assert [turn.text for turn in conversation.turns] == ["one"]
    assert not any(task.earlier for task in conversation.tasks)
    assert session.store.keeping.thread == conversation.thread
    session.do("three")
    await session.written()
    assert [t.text for t in (await session.store.open_thread(old.id)).turns] == ["one", "three"]


async def test_a_task_that_still_runs_stays_in_the_conversation_that_began_it(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("train the model")
    task = session.start(turn)
    old = session.store.keeping.thread
    assert old is not None
    await session.store.new_thread()
    session.do("something else")
    session.end(task)
    session.end_turn(turn)
    conversation = await session.store.open_thread(old.id)
    assert [task.state for task in conversation.tasks] == ["succeeded"]
    assert [turn.state for turn in conversation.turns] == ["succeeded"]


async def test_numbers_that_are_taken_are_moved_up(sessions: Sessions) -> None:
    other = await sessions.begin(workspace="/elsewhere")
    for text in ("a", "b", "c"):
        other.do(text)
    await other.close()
    thread = other.store.keeping.thread
    assert thread is not None
    session = await sessions.begin()
    session.do("mine")
    session.do("mine too")
    conversation = await session.store.open_thread(thread.id)
    assert [(turn.id, turn.text) for turn in conversation.turns] == [(3, "a"), (4, "b"), (5, "c")]
    assert [(task.id, task.turn_id, task.earlier) for task in conversation.tasks] == [
        (3, 3, True),
        (4, 4, True),
        (5, 5, True),
    ]
    session.take_over(conversation)
    past = await session.store.past_of(4)
    assert past is not None
    assert (past.utterance, past.task.id) == ("b", 2)
    session.do("d")
    # The same way every time.
    again = await session.store.open_thread(thread.id)
    assert [(turn.id, turn.text) for turn in again.turns] == [(3, "a"), (4, "b"), (5, "c"), (6, "d")]
    await session.close()
    last = await sessions.begin()
    assert last.conversation is not None
    assert [(turn.id, turn.text) for turn in last.conversation.turns] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (6, "d"),
    ]


async def test_a_title_given_by_a_person_stays(sessions: Sessions) -> None:
    session = await sessions.begin()
    empty = session.store.keeping.thread
    assert empty is not None
    renamed = await session.store.rename_thread(empty.id, "Sales\0 \ud83d report")
    assert renamed.title.startswith("Sales")
    session.do("one")
    await session.written()
    ((thread,), _) = await session.store.threads()
    assert (thread.title, thread.turns) == (renamed.title, 1)
    assert session.store.keeping.thread is not None
    assert session.store.keeping.thread.title == renamed.title
    assert (await session.store.threads("sales rep"))[0] == [thread]
    with pytest.raises(NotInHistory):
        await session.store.rename_thread("nothing", "x")


async def test_a_deleted_conversation_is_gone_with_its_logs(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("keep this")
    await session.store.new_thread()
    thread = session.store.keeping.thread
    assert thread is not None
    logs = sessions.folder / "logs"
    logs.mkdir()
    inside, index, outside = logs / "task-1-2.log", logs / "task-1-2.log.index", sessions.folder / "notes.log"
    for file in (inside, index, outside):
        file.write_text("x")
    turn = session.say("delete this")
    task = session.start(turn)
    session.ask(task)
    session.end(task, "failed", log_path=str(inside), problem=Problem(kind="ValueError", message="private"))
    session.end(session.start(turn), log_path=str(outside))
    session.end_turn(turn)
    await session.store.delete_thread(thread.id)
    assert not inside.exists()
    assert not index.exists()
    assert outside.exists()  # whatever the database names: only logs are removed
    assert [t.title for t in (await session.store.threads())[0]] == ["keep this"]
    assert [past.utterance for past in (await session.store.find())[0]] == ["keep this"]
    events = await session.store.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert "private" not in str(events)
    new = session.store.keeping.thread
    assert new is not None
    assert new.id != thread.id
    with pytest.raises(NotInHistory):
        await session.store.open_thread(thread.id)
    with pytest.raises(NotInHistory):
        await session.store.delete_thread(thread.id)


async def test_what_runs_on_in_a_deleted_conversation_does_not_bring_it_back(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("train")
    task = session.start(turn)
    thread = session.store.keeping.thread
    assert thread is not None
    await session.store.delete_thread(thread.id)
    session.end(task)
    session.end_turn(turn)
    session.do("next")
    await session.written()
    assert [t.title for t in (await session.store.threads())[0]] == ["next"]
    events = await session.store.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert "task.succeeded" in [event.kind for event in events if event.task_id == task.id]


async def test_a_conversation_deleted_by_another_kernel_goes_on_with_what_is_new(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("old")
    await session.written()
    thread = session.store.keeping.thread
    assert thread is not None
    other = await sessions.begin()
    await other.store.delete_thread(thread.id)
    session.do("new")
    await session.written()
    assert [turn.text for turn in (await session.store.open_thread(thread.id)).turns] == ["new"]


# ---- tasks ----------------------------------------------------------------------------------------


async def test_tasks_are_found_by_the_beginnings_of_words(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("run the tests", tool="run_tests", summary="3 failed", title="run_tests tests/unit")
    session.do("show Müller's naïve résumé", summary="a table")
    session.do("plot x", tool="plot", summary="🎉 a chart")
    await session.written()

    async def found(query: str) -> list[str]:
        return [past.utterance for past in (await session.store.find(query))[0]]

    tests, resume, plot = "run the tests", "show Müller's naïve résumé", "plot x"
    assert await found("") == [plot, resume, tests]
    assert await found("fail TES") == [tests]
    assert await found("run_tests") == [tests]
    assert await found("tests/unit") == [tests]
    assert await found("muller resume") == [resume]
    assert await found("MÜLLER") == [resume]
    assert await found("🎉") == [plot]
    assert await found("a t") == [resume]
    assert await found("unit x") == []


HOSTILE = [
    '"',
    "'",
    "''; DROP TABLE tasks; --",
    '" OR "" = "',
    "run AND NOT tests",
    "NEAR(run tests)",
    "words:run",
    "-run",
    "^run",
    "run*",
    "(run",
    "run:*&!tests|x",
    "a\0b",
    "\ud83d",
    "%_",
    "\\",
    "🎉🎉🎉",
    "é" * 300,
    "word " * 300,
]


async def test_no_query_is_more_than_words(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("run the tests")
    await session.written()
    for query in HOSTILE:
        await session.store.find(query)
        await session.store.threads(query)
    assert len((await session.store.find("run"))[0]) == 1


async def test_tasks_are_found_by_state_area_and_time_page_by_page(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("many")
    for number in range(30):
        state: TaskState = "failed" if number % 3 == 0 else "succeeded"
        area = "tests" if number % 2 else "shell"
        session.end(session.start(turn, area=area, created_at=1_000.0 + number, title=f"n{number}"), state)
    await session.written()
    find = session.store.find
    titles, before = [], None
    for expected in (True, True, True, False):
        page, more = await find(limit=8, before=before)
        titles += [past.task.title for past in page]
        assert more is expected
        before = page[-1].id
    assert titles == [f"n{number}" for number in reversed(range(30))]
    assert len((await find(states=["failed"]))[0]) == 10
    assert len((await find(states=["failed", "succeeded"], areas=["tests"]))[0]) == 15
    assert len((await find(states=["cancelled"]))[0]) == 0
    assert [p.task.title for p in (await find(since=1_027.0))[0]] == ["n29", "n28", "n27"]
    assert [p.task.title for p in (await find(until=1_003.0))[0]] == ["n2", "n1", "n0"]
    assert [p.task.title for p in (await find("many", since=1_003.0, until=1_005.0))[0]] == ["n4", "n3"]
    assert len((await find("many", since=1_020.0, areas=["shell"], states=["succeeded"]))[0]) == 4


async def test_a_list_has_no_outputs_and_one_task_has_all(sessions: Sessions) -> None:
    session = await sessions.begin()
    outputs = [Output(kind="display", data={"image/png": "iVBORw0" * 1_000, "text/plain": "<Figure>"})]
    turn = session.say("plot")
    task = session.start(turn, "plot")
    result = Result(summary="A chart.", text="long", code="plot()", outputs=outputs, data={"x": 1})
    session.end(task, result=result, tail="tail")
    await session.written()
    ((listed,), _) = await session.store.find("chart")
    assert listed.task.result == Result(summary="A chart.")
    assert listed.task.tail == ""
    whole = await session.store.past(listed.id)
    assert whole is not None
    assert whole.task.result == result
    assert whole.task.tail == "tail"
    assert whole == (await session.store.tasks(session_id=session.store.session_id))[0]
    assert whole == await session.store.past_of(task.id)
    assert await session.store.past(999_999) is None


async def test_what_was_only_overheard_is_not_written(sessions: Sessions) -> None:
    session = await sessions.begin()
    overheard: list[tuple[str, TurnState]] = [("my salary is", "listening"), ("my salary", "understanding")]
    for text, state in overheard:
        session.say(text, origin="voice", state=state)
    talk = session.say("see you at lunch", origin="voice", state="understanding")
    session.end_turn(talk, "nothing", route="none")
    command = session.say("run the tests", origin="voice", state="understanding")
    session.end_turn(command, "succeeded", calls=[Call(tool="run_tests")])
    typed = session.say("blah", state="understanding")
    session.end_turn(typed, "nothing")
    await session.written()
    thread = session.store.keeping.thread
    assert thread is not None
    assert thread.title == "run the tests"
    turns = (await session.store.open_thread(thread.id)).turns
    assert [turn.text for turn in turns] == ["run the tests", "blah"]
    assert b"lunch" not in everything(sessions)
    assert b"salary" not in everything(sessions)


async def test_secrets_are_not_written(sessions: Sessions) -> None:
    session = await sessions.begin(secrets=["correct-horse"])
    turn = session.say(
        "log in with password=hunter2", calls=[Call(tool="x", arguments={"a": "correct-horse"})]
    )
    task = session.start(
        turn,
        arguments={"command": 'curl -H "Authorization: Bearer abcdef123456" x', "api_key": "k1"},
        title="curl correct-horse",
    )
    session.ask(task, arguments={"password": "hunter2"})
    result = Result(
        summary="ghp_abcdefghijklmnopqrstuvwxyz0123",
        outputs=[Output(kind="stream", text="AKIAABCDEFGHIJKLMNOP\nsk-abcdefghijklmnop1234")],
    )
    problem = Problem(kind="E", message="bad password: 'hunter2'")
    session.end(task, "failed", result=result, tail="correct-horse", problem=problem)
    session.end_turn(turn, "failed", problem=problem, answer="correct-horse")
    await session.written()
    kept = everything(sessions)
    for secret in (b"hunter2", b"correct-horse", b"abcdef123456", b"ghp_", b"AKIA", b"sk-abc", b'"k1"'):
        assert secret not in kept, secret
    assert (await session.store.find("secret"))[0]


def everything(sessions: Sessions) -> bytes:
    """All that is written anywhere."""
    if sessions.url.startswith("postgresql"):
        dump = subprocess.run(["pg_dump", sessions.url], capture_output=True, check=True)
        return dump.stdout
    return b"".join(file.read_bytes() for file in sessions.folder.rglob("*") if file.is_file())


# ---- events ---------------------------------------------------------------------------------------


async def test_every_transition_is_an_event_and_numbers_have_no_gap(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("install x")
    task = session.start(turn)
    approval = session.ask(task)
    session.store.publish(ApprovalChanged(approval=approval.model_copy(update={"shown_at": 2.0})))
    task = session.change(task, "awaiting_approval")
    session.store.publish(ApprovalChanged(approval=approval.model_copy(update={"state": "approved"})))
    task = session.change(task, "queued", queue_position=1)
    task = session.change(task, "running")
    session.change(task, "running", progress=Progress(fraction=0.5))  # no transition
    problem = Problem(kind="Timeout", message="It took too long.")
    ended = session.end(task, "failed", problem=problem)
    session.store.publish(ApprovalChanged(approval=approval.model_copy(update={"state": "approved"})))
    session.change(ended, "failed")  # told again
    session.end_turn(turn, "failed", problem=problem)
    await session.written()
    events = await session.store.events()
    assert [event.kind for event in events] == [
        "turn.running",
        "task.queued",
        "task.running",
        "approval.open",
        "task.awaiting_approval",
        "approval.approved",
        "task.queued",
        "task.running",
        "task.failed",
        "turn.failed",
    ]
    assert [event.seq for event in events] == list(range(1, 11))
    assert events[8].data["message"] == "It took too long."
    assert [e.seq for e in await session.store.events(after=3, limit=2)] == [4, 5]


async def test_what_is_open_when_the_session_closes_is_interrupted(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("train")
    task = session.start(turn)
    queued = session.change(session.start(turn), "queued", queue_position=1)
    session.ask(queued)
    await session.close()
    with sessions.history() as history:
        past = history.tasks(session_id=session.store.session_id)
        assert [p.task.state for p in past] == ["interrupted", "interrupted"]
        problem = past[0].task.problem
        assert problem is not None
        assert (problem.kind, problem.message) == ("Interrupted", "The kernel ended while it ran.")
        assert problem.hint == "Retry runs it again."
        assert past[0].task.ended_at is not None
        events = history.events(session.store.session_id)
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        assert sorted(e.kind for e in events[-5:]) == [
            "approval.expired",
            "session.ended",
            "task.interrupted",
            "task.interrupted",
            "turn.failed",
        ]
        assert events[-1].kind == "session.ended"
        (session_row,) = history.sessions()
        assert (session_row.ending, session_row.tasks) == ("closed", 2)
    assert task.state == "running"


# ---- other kernels --------------------------------------------------------------------------------

KILLED = """
import asyncio, sys
from pathlib import Path
from tests.unit.store.sessions import Sessions
from voice_kernel.messages import TaskOutput

async def main():
    session = await Sessions(sys.argv[1], Path(sys.argv[2])).begin()
    turn = session.say("train the model")
    task = session.start(turn, log_path=sys.argv[3], area="shell", title="run_shell train")
    session.ask(task)
    session.change(session.start(turn), "awaiting_approval")
    session.end(session.start(turn))
    other = session.start(turn)
    session.store.publish(TaskOutput(task_id=other.id, text="half way", output_bytes=8))
    await session.written()
    print(session.store.session_id, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def killed(sessions: Sessions, log: Path) -> str:
    """Run a session in another process until it is killed; returns its id."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, sessions.url, str(sessions.folder), str(log)],
        stdout=subprocess.PIPE,
        cwd=HERE.parents[2],
    )
    assert child.stdout is not None
    session_id = child.stdout.readline().decode().strip()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    return session_id


async def test_what_a_killed_kernel_left_is_interrupted_with_what_it_had_put_out(sessions: Sessions) -> None:
    log = sessions.folder / "task.log"
    log.write_text("epoch 1\nepoch 2\n")
    dead = killed(sessions, log)
    assert (sessions.folder / "sessions" / f"{dead}.lock").exists()
    session = await sessions.begin()
    conversation = session.conversation
    assert conversation is not None
    assert [task.state for task in conversation.tasks] == [
        "interrupted",
        "interrupted",
        "succeeded",
        "interrupted",
    ]
    first, _, _, last = conversation.tasks
    assert (first.tail, first.output_bytes) == ("epoch 1\nepoch 2\n", 16)
    assert (last.tail, last.output_bytes) == ("half way", 8)
    assert first.problem is not None
    assert first.problem.hint == "Retry runs it again."
    assert first.ended_at is not None
    assert first.started_at is not None
    assert first.ended_at >= first.started_at
    assert [turn.state for turn in conversation.turns] == ["failed"]
    events = await session.store.events(dead)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    assert [e.kind for e in events[-6:]] == [
        *["task.interrupted"] * 3,
        "turn.failed",
        "approval.expired",
        "session.died",
    ]
    assert not (sessions.folder / "sessions" / f"{dead}.lock").exists()
    # Once: the next session finds nothing more to do.
    await session.close()
    third = await sessions.begin()
    assert len(await third.store.events(dead)) == len(events)


async def test_what_a_living_kernel_runs_is_left_alone(sessions: Sessions) -> None:
    first = await sessions.begin()
    task = first.start(first.say("train"))
    await first.written()
    second = await sessions.begin()
    ((past,), _) = await second.store.find()
    assert past.task.state == "running"
    first.end(task)
    await first.written()
    ((past,), _) = await second.store.find()
    assert past.task.state == "succeeded"


WRITES = """
import asyncio, sys
from pathlib import Path
from tests.unit.store.sessions import Sessions
from voice_kernel.store.faults import Patience

async def main():
    sessions = Sessions(sys.argv[1], Path(sys.argv[2]))
    # Started together on a database that does not exist yet.
    sys.stdin.readline()
    patience = Patience(gather_s=0.001, busy_s=300.0, connect_s=60.0)
    session = await sessions.begin(resume=False, patience=patience)
    for number in range(200):
        session.do(f"command {number}")
        if number % 20 == 0:
            await asyncio.sleep(0.002)
    await session.written()
    await session.close()
    print(session.store.session_id, [keeping.state for keeping in session.told if keeping.message])

asyncio.run(main())
"""


async def test_four_kernels_write_at_once_and_nothing_is_lost(sessions: Sessions) -> None:
    children = [
        subprocess.Popen(  # noqa: ASYNC220  nothing else is to go on meanwhile
            [sys.executable, "-c", WRITES, sessions.url, str(sessions.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE.parents[2],
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    told = [child.communicate(timeout=300)[0].decode().split(" ", 1) for child in children]
    assert [problems.strip() for _, problems in told] == ["[]"] * 4
    with sessions.history() as history:
        numbers = history.statistics()
        assert (numbers.sessions, numbers.threads, numbers.turns, numbers.tasks) == (4, 4, 800, 800)
        assert numbers.states == {"succeeded": 800}
        for session_id, _ in told:
            events = history.events(session_id, limit=10_000)
            assert [e.seq for e in events] == list(range(1, 1_002))
    if sessions.url.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(sessions.folder / "history.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# ---- small things ---------------------------------------------------------------------------------


async def test_output_and_progress_of_what_runs_are_kept_too(sessions: Sessions) -> None:
    session = await sessions.begin()
    task = session.start(session.say("train"))
    session.store.publish(TaskOutput(task_id=task.id, text="epoch 1\n", output_bytes=8))
    session.store.publish(TaskOutput(task_id=task.id, text="epoch 2\n", output_bytes=16))
    session.store.publish(TaskProgress(task_id=task.id, progress=Progress(done=2, total=10, unit="epochs")))
    await session.written()
    past = await session.store.past_of(task.id)
    assert past is not None
    assert (past.task.tail, past.task.output_bytes) == ("epoch 1\nepoch 2\n", 16)
    assert past.task.progress == Progress(done=2, total=10, unit="epochs")


async def test_text_that_no_database_takes_is_written_as_far_as_it_can_be(sessions: Sessions) -> None:
    session = await sessions.begin()
    turn = session.say("say \0 and \ud83d")
    odd = {"path": Path("/x"), "bytes": b"\xff", "half": "\ud83d", "nul": "\0"}
    task = session.start(turn, arguments=odd, title="t\0\ud83d")
    session.end(task, result=Result(outputs=[Output(kind="stream", text="\0\ud83d\x1b[31m")]))
    await session.written()
    ((past,), _) = await session.store.find("say and")
    whole = await session.store.past(past.id)
    assert whole is not None
    assert whole.task.result is not None
    assert "\x1b[31m" in whole.task.result.outputs[0].text


async def test_a_store_that_was_never_opened_answers_that_it_is_not_open(sessions: Sessions) -> None:
    session = sessions.make()
    session.do("one")
    with pytest.raises(HistoryError, match="not open"):
        await session.store.find()
    assert not await session.store.flush(1.0)


async def test_closing_twice_and_publishing_afterwards_do_no_harm(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("one")
    await session.store.close()
    session.do("two")
    await session.store.close()
    assert not await session.store.flush(1.0)
    with sessions.history() as history:
        assert [past.utterance for past in history.find()[0]] == ["one"]


async def test_the_command_line_reads_what_sessions_wrote(sessions: Sessions) -> None:
    session = await sessions.begin()
    session.do("one")
    await session.store.new_thread()
    session.do("two")
    await session.close()
    with sessions.history() as history:
        (past, older), more = history.find()
        assert ((past.utterance, older.utterance), more) == (("two", "one"), False)
        assert history.past(past.id) == past
        (row,) = history.sessions()
        assert (row.id, row.workspace, row.pid) == (session.store.session_id, NOTEBOOK, os.getpid())
        assert history.sessions(session_id=row.id[:5]) == [row]
        assert history.sessions(session_id="%") == []
        assert len(history.threads(workspace=NOTEBOOK)[0]) == 2
        assert history.threads(workspace="/elsewhere") == ([], False)
        whole = history.conversation(session_id=row.id)
        assert whole is not None
        assert [turn.text for turn in whole.turns] == ["one", "two"]
        one = history.conversation(thread_id=older.thread_id)
        assert one is not None
        assert [turn.text for turn in one.turns] == ["one"]
        assert history.conversation(thread_id="nothing") is None
        assert history.find(session_id=row.id, thread_id=past.thread_id)[0] == [past]
        numbers = history.statistics()
        assert (numbers.threads, numbers.turns, numbers.tasks, numbers.states) == (2, 2, 2, {"succeeded": 2})
        assert numbers.size_bytes > 10_000


async def test_flushing_takes_no_longer_than_it_may(sessions: Sessions) -> None:
    session = await sessions.begin()
    go_on = threading.Event()
    session.store._writer.submit(lambda _ledger: go_on.wait(LIMIT_S))  # a database that does not answer
    session.do("one")
    assert not await session.store.flush(0.01)
    go_on.set()
    assert await session.store.flush(LIMIT_S)
