"""With 100,000 tasks every list and search is answered by an index: the database's own plan says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event

from tests.many_tasks import TURNS_OF_THREAD, fill
from voice_kernel.store import records
from voice_kernel.store.database import Database, Place
from voice_kernel.store.faults import Patience

TASKS = 100_000
HERE = "/home/me/notebook3.ipynb"
Question = Callable[[Connection], Any]

QUESTIONS: dict[str, tuple[Question, int]] = {
    "the newest conversations": (lambda c: records.find_threads(c), 50),
    "a later page of them": (lambda c: records.find_threads(c, before=1_000.0), 50),
    "those of one notebook": (lambda c: records.find_threads(c, workspace=HERE), 50),
    "those that hold words": (lambda c: records.find_threads(c, "module77 xdist"), 50),
    "one with a title": (lambda c: records.find_threads(c, "conversation 2477"), 1),
    "the newest tasks": (lambda c: records.find_tasks(c), 50),
    "a later page of tasks": (lambda c: records.find_tasks(c, before=5_000), 50),
    "tasks with a rare word": (lambda c: records.find_tasks(c, "module996 xdist"), 25),
    "tasks with a word there is not": (lambda c: records.find_tasks(c, "zebra"), 0),
    "tasks with a word all have": (lambda c: records.find_tasks(c, "run te"), 50),
    "tasks in a common state": (lambda c: records.find_tasks(c, states=["failed"]), 50),
    "tasks in rare states": (lambda c: records.find_tasks(c, states=["cancelled", "interrupted"]), 50),
    "tasks of an area": (lambda c: records.find_tasks(c, areas=["shell"]), 50),
    "tasks of a notebook": (lambda c: records.find_tasks(c, workspace=HERE), 50),
    "the tasks of the last moments": (lambda c: records.find_tasks(c, since=TASKS - 10.0), 11),
    "the tasks before a time": (lambda c: records.find_tasks(c, until=11.0), 10),
    "all tasks since a time": (lambda c: records.find_tasks(c, since=10.0), 50),
    "words in a rare state": (lambda c: records.find_tasks(c, "module7", states=["cancelled"]), 3),
    "the turns of a conversation": (lambda c: records.turns(c, thread_id="thread77"), TURNS_OF_THREAD),
    "its tasks": (lambda c: records.past_tasks(c, thread_id="thread77"), TURNS_OF_THREAD),
    "one task": (lambda c: [records.past(c, 777)], 1),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = request.getfixturevalue("postgres").fresh() if request.param == "postgresql" else ""
    database = Database(Place.of(url, tmp_path_factory.mktemp("many")), Patience())
    fill(database, TASKS)
    yield database
    database.close()


def plans(connection: Connection, question: Question) -> tuple[Any, list[str]]:
    """Ask, and return the answer with the lines of the plans of all statements that were used for it."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        answer = question(connection)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    lines = []
    for statement, parameters in asked:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
        plan = [str(row[-1]) for row in rows]
        # In SQLite's words a scan of a table from its end, which stops at the limit, is a scan too: it is
        # told from that of the whole table by there being nothing left to sort.
        if not any("TEMP B-TREE FOR ORDER BY" in line for line in plan):
            plan = [line for line in plan if line not in ("SCAN tasks", "SCAN threads")]
        lines += plan
    return answer, lines


@pytest.mark.parametrize("what", QUESTIONS)
def test_no_list_and_no_search_looks_through_a_whole_table(many: Database, what: str) -> None:
    question, count = QUESTIONS[what]
    with many.reading() as connection:
        answer, plan = plans(connection, question)
    found = answer[0] if isinstance(answer, tuple) else answer
    assert len(found) == count
    whole_tables = (
        [line for line in plan if line.startswith("SCAN ") and line.endswith(("tasks", "items", "threads"))]
        if many.is_sqlite
        else [line for line in plan if "Seq Scan" in line]
    )
    assert not whole_tables, "\n".join(plan)
    assert any("USING" in line or "VIRTUAL TABLE INDEX" in line or "Index" in line for line in plan)
