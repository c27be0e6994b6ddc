"""Cards that sessions leave open: handed on once, with what is needed to go on, for a day."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.unit.store.sessions import LIMIT_S, Session, Sessions
from voice_kernel.messages import Approval, ApprovalChanged, Task
from voice_kernel.store import Left
from voice_kernel.store.rows import MAX_GOING_ON_CHARS

SECRET = "swordfish-4711"


def ask(session: Session, arguments: dict[str, Any] | None = None, **how: Any) -> Approval:
    """Let a task wait for a person, with what is needed to go on."""
    going_on = how.pop("going_on", {"origin": "text", "then": []})
    task = session.start(session.say("note it"))
    session.change(task, "awaiting_approval")
    approval = Approval(
        id=task.id,
        task_id=task.id,
        tool=task.tool,
        arguments={"command": "ls"} if arguments is None else arguments,
        target="x",
        reason="y",
        created_at=how.pop("created_at", time.time()),
    )
    if going_on is not None:
        session.store.keep(approval.id, going_on)
    session.store.publish(ApprovalChanged(approval=approval))
    return approval


def answer(session: Session, approval: Approval, state: str) -> None:
    session.store.publish(ApprovalChanged(approval=approval.model_copy(update={"state": state})))


async def left(session: Session) -> list[Left]:
    """Take over what is left in the session's conversation."""
    assert session.store.keeping.thread is not None
    return await session.store.take_left(session.store.keeping.thread.id)


def sql(sessions: Sessions, statement: str) -> list[Any]:
    patience: dict[str, Any] = {"timeout": LIMIT_S} if sessions.url.startswith("sqlite") else {}
    url = sessions.url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, connect_args=patience)
    with engine.begin() as connection:
        done = connection.execute(text(statement))
        rows = [row[0] for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


def states(sessions: Sessions) -> list[str]:
    return sql(sessions, "SELECT state FROM approvals ORDER BY created_at")


async def test_an_open_card_is_handed_to_the_session_that_goes_on_and_to_no_other(sessions: Sessions) -> None:
    first = await sessions.begin()
    asked = ask(first, going_on={"origin": "text", "then": [{"tool": "list_variables"}], "untrusted": ""})
    await first.close()
    second = await sessions.begin()
    (card,) = await left(second)
    assert card.approval.model_copy(update={"state": "open"}) == asked
    assert (card.session_id, card.text) == (first.store.session_id, "note it")
    assert card.going_on["then"] == [{"tool": "list_variables"}]
    assert await left(second) == []
    assert states(sessions) == ["asked_again"]


async def test_of_many_sessions_that_ask_at_once_one_gets_it(sessions: Sessions) -> None:
    first = await sessions.begin()
    ask(first)
    thread = first.store.keeping.thread
    assert thread is not None
    await first.close()
    others = [await sessions.begin(workspace=f"{number}.ipynb") for number in range(4)]
    taken = await asyncio.gather(*(other.store.take_left(thread.id) for other in others))
    assert sorted(map(len, taken)) == [0, 0, 0, 1]


@pytest.mark.parametrize("state", ["approved", "denied", "expired"])
async def test_an_answered_card_is_not_handed_on(sessions: Sessions, state: str) -> None:
    first = await sessions.begin()
    answer(first, ask(first), state)
    await first.close()
    assert await left(await sessions.begin()) == []
    assert states(sessions) == [state]


async def test_a_yes_is_on_disk_before_anything_is_done(sessions: Sessions) -> None:
    first = await sessions.begin()
    asked = ask(first)
    assert await first.store.claim(asked.id)
    assert states(sessions) == ["approved"]
    assert not await first.store.claim(asked.id)  # once


async def test_a_card_that_is_older_than_a_day_is_closed_instead(sessions: Sessions) -> None:
    first = await sessions.begin()
    ask(first, created_at=time.time() - 25 * 3600)
    ask(first, created_at=time.time() - 23 * 3600)
    await first.close()
    assert len(await left(await sessions.begin())) == 1
    assert states(sessions) == ["expired", "asked_again"]


async def test_a_card_without_what_is_needed_to_go_on_is_closed(sessions: Sessions) -> None:
    first = await sessions.begin()
    ask(first, going_on=None)
    await first.close()
    assert await left(await sessions.begin()) == []
    assert states(sessions) == ["expired"]


@pytest.mark.parametrize(
    ("arguments", "then"),
    [
        ({"command": f"login {SECRET}"}, []),
        ({"command": "ls"}, [{"tool": "run_shell", "arguments": {"command": f"login {SECRET}"}}]),
        ({"command": "x" * (MAX_GOING_ON_CHARS + 1)}, []),
        ({"when": {1, 2}}, []),
    ],
    ids=["a secret in it", "a secret in what follows", "too large", "no JSON"],
)
async def test_a_call_that_cannot_be_kept_whole_is_not_handed_on(
    sessions: Sessions, arguments: dict[str, Any], then: list[Any]
) -> None:
    first = await sessions.begin(secrets=[SECRET])
    ask(first, arguments, going_on={"then": then})
    await first.close()
    assert await left(await sessions.begin()) == []
    assert states(sessions) == ["expired"]


async def test_secrets_in_the_conversation_are_hidden_and_the_card_is_handed_on(sessions: Sessions) -> None:
    first = await sessions.begin(secrets=[SECRET])
    ask(first, going_on={"model": {"items": [{"role": "user", "content": f"it is {SECRET}"}]}})
    await first.close()
    (card,) = await left(await sessions.begin())
    assert card.going_on["model"]["items"][0]["content"] == "it is [secret]"


async def test_who_was_taken_for_dead_may_not_act_on_a_card_that_another_asks_for_again(
    sessions: Sessions,
) -> None:
    first = await sessions.begin()
    asked = ask(first)
    await first.written()
    assert first.store.keeping.thread is not None
    # It seems to have been silent for long: another session ends it, though it lives.
    owner = first.store._owner
    assert owner is not None
    owner.release()
    sql(sessions, "UPDATE sessions SET beaten_at = beaten_at - 1000")
    second = await sessions.begin()
    assert len(await second.store.take_left(first.store.keeping.thread.id)) == 1
    assert not await first.store.claim(asked.id)
    answer(first, asked, "expired")
    await first.written()
    assert states(sessions) == ["asked_again"]


async def test_what_never_ran_says_so(sessions: Sessions) -> None:
    first = await sessions.begin()
    ask(first)
    await first.close()
    (past,) = await (await sessions.begin()).store.tasks(session_id=first.store.session_id)
    task: Task = past.task
    assert task.state == "interrupted"
    assert task.problem is not None
    assert task.problem.message == "The kernel ended before it was approved: it did not run."
