"""show_history: what is found, how it is told, and what it does where nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from workbench import Workbench

from voice_kernel.errors import HistoryError
from voice_kernel.messages import PastTask, Problem, Result, Task, TaskState, TestReport
from voice_kernel.tools import history

NOW = datetime(2026, 11, 25, 15, 30).timestamp()
DAY = 86_400.0


def past(
    number: int, age_s: float = 60.0, said: str = "", state: str = "succeeded", **fields: Any
) -> PastTask:
    made = NOW - age_s
    task = {
        "id": number,
        "turn_id": number,
        "tool": "run_shell",
        "title": "run_shell make",
        "state": state,
        "created_at": made,
        "started_at": made,
        "ended_at": made + 2,
        "earlier": True,
        **fields,
    }
    return PastTask(id=1000 + number, task=Task.model_validate(task), utterance=said)


class Kept:
    """A history of a few tasks; searches by state, time and page, as the store does."""

    def __init__(self, *kept: PastTask) -> None:
        self.kept = sorted(kept, key=lambda one: -one.id)
        self.asked: list[dict[str, Any]] = []

    async def find(
        self,
        query: str = "",
        *,
        states: Sequence[TaskState] = (),
        everywhere: bool = True,
        since: float | None = None,
        until: float | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> tuple[list[PastTask], bool]:
        self.asked.append({"query": query, "everywhere": everywhere, "limit": limit})
        found = [
            one
            for one in self.kept
            if (not states or one.task.state in states)
            and (since is None or one.task.created_at >= since)
            and (until is None or one.task.created_at < until)
            and (before is None or one.id < before)
        ]
        return found[:limit], len(found) > limit


async def nothing_kept(query: str = "", **how: Any) -> tuple[list[PastTask], bool]:
    raise HistoryError("The disk is full.")


def shown(bench: Workbench, find: history.Find, tasks: Sequence[Task] = (), **arguments: Any) -> Result:
    history.register(bench.registry, find=find, tasks=lambda: tasks, now=lambda: NOW)
    done = bench.call("show_history", **arguments)
    assert done.result is not None, done.problem
    return done.result


def test_tasks_are_told_with_what_was_said_and_what_came_of_it(bench: Workbench) -> None:
    tests = Result(tests=TestReport(passed=3, failed=1))
    kept = Kept(
        past(3, said="run the tests", tool="run_tests", title="run_tests", state="failed", result=tests),
        past(2, DAY, "shell make", state="failed", problem=Problem(kind="X", message="make exited\nwith 2.")),
        past(1, 40 * DAY),
    )
    result = shown(bench, kept.find, [one.task for one in kept.kept])
    assert result.summary == "3 tasks."
    assert [" ".join(line.split()) for line in result.text.splitlines()] == [
        "no when what outcome",
        "3 15:29 run the tests [run_tests] failed, 2 s, 3 passed, 1 failed",
        "2 yesterday 15:30 shell make [run_shell] failed, 2 s: make exited with 2.",
        "1 16 Oct 15:30 run_shell make succeeded, 2 s",
    ]


def test_a_day_ends_where_it_ends(bench: Workbench) -> None:
    kept = Kept(past(3), past(2, DAY), past(1, 2 * DAY))
    result = shown(bench, kept.find, since="yesterday", until="yesterday")
    assert [one["history_id"] - 1000 for one in result.data["tasks"]] == [2]


def test_a_day_long_ago_is_found_behind_many_newer_tasks(bench: Workbench) -> None:
    kept = Kept(*(past(number) for number in range(10, 460)), past(1, DAY))
    result = shown(bench, kept.find, until="yesterday")
    assert [one["history_id"] - 1000 for one in result.data["tasks"]] == [1]
    assert not result.data["more"]


def test_no_more_are_told_than_were_asked_for(bench: Workbench) -> None:
    kept = Kept(*(past(number) for number in range(1, 60)))
    result = shown(bench, kept.find, limit=5)
    assert [one["history_id"] - 1000 for one in result.data["tasks"]] == [59, 58, 57, 56, 55]
    assert "\nand older ones\n" in result.text
    assert result.summary == "5 of many tasks."


def test_what_is_of_another_conversation_has_its_number_in_the_history(bench: Workbench) -> None:
    kept = Kept(past(1))
    result = shown(bench, kept.find, everywhere=True, search="make")
    assert "#1001" in result.text
    assert "voice-kernel history show 1001" in result.text
    assert result.data["tasks"][0]["id"] is None
    assert kept.asked == [{"query": "make", "everywhere": True, "limit": 21}]


def test_where_nothing_is_kept_this_session_is_told_and_why(bench: Workbench) -> None:
    tasks = [past(1, state="failed").task, past(2, title="run_shell pip list").task]
    result = shown(bench, nothing_kept, tasks, search="MAKE", state="failed")
    assert [one["id"] for one in result.data["tasks"]] == [1]
    assert result.summary == "1 task. The disk is full. These are the tasks of this session only."


def test_nothing_found_is_said(bench: Workbench) -> None:
    assert shown(bench, Kept().find).summary == "Nothing of that kind was done."


def test_hostile_text_stays_on_its_line_without_escape_codes(bench: Workbench) -> None:
    result = shown(bench, Kept(past(1, said="\x1b[2Jrun\nthis\x07 \x1b]0;owned\x07")).find)
    assert [line.split()[2:4] for line in result.text.splitlines()[1:2]] == [["run", "this"]]
    assert "\x1b" not in result.text
    assert "\x07" not in result.text


def test_a_time_that_is_none_says_what_is(bench: Workbench) -> None:
    history.register(bench.registry, find=Kept().find, tasks=list, now=lambda: NOW)
    done = bench.call("show_history", since="soon")
    assert done.problem is not None
    assert done.problem.message == "'soon' is no time that I know."


@pytest.mark.parametrize(
    ("age_s", "told"),
    [(60, "15:29"), (DAY, "yesterday 15:30"), (20 * DAY, "5 Nov 15:30"), (400 * DAY, "21 Oct 2025")],
)
def test_a_time_is_told_as_short_as_it_is_clear(age_s: float, told: str) -> None:
    assert history.when(NOW - age_s, NOW) == told
