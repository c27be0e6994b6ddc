"""Two turns of one number never meet, and numbers move as little as they must."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_kernel.messages import PastTask, Task, Thread, Turn
from voice_kernel.store.kept import Said
from voice_kernel.store.numbering import Numbering, Numbers

THREAD = Thread(id="t", created_at=0.0, updated_at=0.0)


def said(session_id: str, *numbers: int) -> list[Said]:
    return [
        Said(
            session_id, Turn(id=n, state="succeeded", origin="text", text=f"{session_id}{n}", created_at=0.0)
        )
        for n in numbers
    ]


def done(session_id: str, *numbers: int) -> list[PastTask]:
    return [
        PastTask(
            id=n,
            session_id=session_id,
            task=Task(id=n, turn_id=n, tool="t", title=f"{session_id}{n}", created_at=0.0, state="succeeded"),
        )
        for n in numbers
    ]


def own(*numbers: int) -> Numbering:
    numbering = Numbering("me")
    for number in numbers:
        numbering.turns.add(number)
        numbering.tasks.add(number)
    return numbering


def test_numbers_that_nobody_else_has_stay() -> None:
    conversation = own().conversation(THREAD, said("a", 4, 5), done("a", 9), (7, 12))
    assert [turn.id for turn in conversation.turns] == [4, 5]
    assert [(task.id, task.turn_id) for task in conversation.tasks] == [(9, 9)]
    assert (conversation.last_turn_id, conversation.last_task_id) == (7, 12)


def test_a_conversation_of_two_sessions_that_count_on_stays() -> None:
    numbering = own(3, 4)
    conversation = numbering.conversation(THREAD, [*said("a", 1, 2), *said("me", 3)], [], (0, 0))
    assert [turn.id for turn in conversation.turns] == [1, 2, 3]


def test_parents_move_with_their_children() -> None:
    child = Said("a", said("a", 2)[0].turn.model_copy(update={"parent_id": 1}))
    conversation = own(1, 2).conversation(THREAD, [*said("a", 1), child], [], (0, 0))
    assert [(turn.id, turn.parent_id) for turn in conversation.turns] == [(3, None), (4, 3)]


def test_a_task_whose_turn_is_no_longer_shown_moves_with_its_session() -> None:
    conversation = own(1, 2).conversation(THREAD, said("a", 2), done("a", 1, 2), (0, 0))
    assert [turn.id for turn in conversation.turns] == [3]
    assert [task.turn_id for task in conversation.tasks] == [2, 3]


def test_tasks_know_where_they_come_from() -> None:
    numbering = own(1, 2)
    numbering.conversation(THREAD, [], [*done("a", 1), *done("b", 1), *done("me", 2)], (0, 0))
    assert [numbering.origin(n) for n in (1, 2, 3, 4)] == [("me", 1), ("me", 2), ("a", 1), ("b", 1)]


def test_numbers_are_kept_as_runs() -> None:
    numbers = Numbers()
    for number in (1, 2, 3, 7, 8, 2, 8):
        numbers.add(number)
    assert [n for n in range(12) if n in numbers] == [1, 2, 3, 7, 8]
    assert numbers.last == 8


sessions = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.integers(1, 30), min_size=1, max_size=8, unique=True)),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


@given(st.lists(st.integers(1, 30), unique=True).map(sorted), sessions)
def test_no_two_turns_or_tasks_have_one_number(mine: list[int], others: list[tuple[str, list[int]]]) -> None:
    numbering = own(*mine)
    turns = [*said("me", *mine), *(one for name, numbers in others for one in said(name, *sorted(numbers)))]
    tasks = [*done("me", *mine), *(one for name, numbers in others for one in done(name, *sorted(numbers)))]
    conversation = numbering.conversation(THREAD, turns, tasks, (0, 0))
    for seen in ([turn.id for turn in conversation.turns], [task.id for task in conversation.tasks]):
        assert len(set(seen)) == len(seen)
        assert set(mine) <= set(seen)
    # A task stays with the turn it belonged to.
    names = {turn.id: turn.text for turn in conversation.turns}
    assert all(names[task.turn_id] == task.title for task in conversation.tasks)
    assert conversation == numbering.conversation(THREAD, turns, tasks, (0, 0))
