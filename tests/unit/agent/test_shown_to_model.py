"""What goes with a question, and what does not before a person has agreed."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from brain_bench import LIMIT_S, Asked, Bench
from openai_server import Call, OpenAIServer
from played_notebook import PlayedNotebook
from test_brain import sent

from voice_kernel.agent import brain as brain_module
from voice_kernel.agent import commands, surroundings
from voice_kernel.agent.brain import Brain
from voice_kernel.agent.models import MAX_ATTACHED, MAX_ATTACHED_BYTES, Models
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.agent.surroundings import Around, Sight, read, references
from voice_kernel.context import Context, Variable
from voice_kernel.errors import Refused
from voice_kernel.messages import CellView, NotebookView, Output, ReadNotebook, Result
from voice_kernel.settings import Settings
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Arguments
from voice_kernel.tools.desk import view_of

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NAMES = Context(
    variables=(
        Variable("df", "DataFrame", (3, 2), ("city", "price")),
        Variable("secret", "str", preview="42"),
    ),
    files=("notes.md", "data/plot.png", "data/"),
)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time to look around."""
    monkeypatch.setattr(surroundings, "LOOK_LIMIT_S", LIMIT_S)


class Named(Arguments):
    name: str


@pytest.fixture
def played() -> PlayedNotebook:
    played = PlayedNotebook(active=1)
    for source in ("import this", "x = 1", "y = x + z", "far = 'away'"):
        played.add(source)
    error = Output(kind="error", text="\x1b[31mNameError\x1b[0m: name 'z' is not defined")
    played.cells[2] = played.cells[2].model_copy(update={"outputs": [error], "failed": True})
    shown = Output(
        kind="display", data={"text/plain": "<Figure>", "image/png": base64.b64encode(PIXEL).decode()}
    )
    played.cells[3] = played.cells[3].model_copy(update={"outputs": [shown]})
    return played


@pytest.fixture
def sight(bench: Bench, played: PlayedNotebook, tmp_path: Path) -> Sight:
    bench.toolbox.registry.remove("show_variable")

    @bench.toolbox.registry.tool(area="data", effects=frozenset({"read", "values"}), untrusted=True)
    async def show_variable(task: TaskHandle, arguments: Named) -> Result:
        """Show a variable."""
        return Result(text=f"the value of {arguments.name} is 4242")

    async def look(turn_id: int, ids: list[str] | None) -> NotebookView:
        wanted = ReadNotebook() if ids is None else ReadNotebook(sources=True, outputs=True, cells=ids)
        return view_of(await played.request(wanted, step=turn_id))

    async def show(turn_id: int, name: str) -> Any:
        return await bench.toolbox.call("show_variable", {"name": name}, turn_id=turn_id, origin="text")

    (tmp_path / "notes.md").write_text("Buy milk.")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plot.png").write_bytes(PIXEL)
    return Sight(look, show, lambda: tmp_path)


@pytest.fixture
async def seeing(bench: Bench, sight: Sight, server: OpenAIServer) -> AsyncIterator[Asked]:
    settings = ModelSettings("test-model", None, server.url, sees=True)
    asked = Asked(Brain(settings, bench.toolbox, working_folder="/", around=sight))
    yield asked
    await asked.brain.close()


def test_words_refer_to_cells_and_only_an_at_sign_to_values_and_files() -> None:
    found = references("compare @df with cell 2, @cell 4 and @notes.md, not df or secret", NAMES)
    assert found.cells == (2, 4)
    assert found.variables == ("df",)
    assert found.files == ("notes.md",)
    assert references('read @"data/my file.csv" and ada@example.org', NAMES).files == ("data/my file.csv",)


async def test_the_cells_around_the_cursor_and_the_last_error_go_with_a_question(
    seeing: Asked, server: OpenAIServer
) -> None:
    server.says("z is not defined.")
    await seeing.answer("why does this fail", NAMES)
    text = sent(server.asked[0])
    assert all(source in text for source in ("import this", "x = 1", "y = x + z"))
    assert "NameError: name 'z' is not defined" in text
    assert "far = 'away'" not in text
    assert "4242" not in text


async def test_references_bring_a_value_a_cell_and_a_file_into_the_question(
    seeing: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says("Well.")
    await seeing.answer("look at @df, @cell 4, @notes.md and @data/plot.png", NAMES)
    text = sent(server.asked[0])
    assert all(words in text for words in ("the value of df is 4242", "far = 'away'", "Buy milk."))
    assert text.count("data:image/png;base64,") == 2  # the file, and what cell 4 shows
    assert "the value of secret" not in text
    (task,) = bench.tasks  # the person sees what was looked at
    assert (task.tool, task.origin) == ("show_variable", "text")


async def test_a_file_that_was_dropped_is_named_like_any_other(
    seeing: Asked, sight: Sight, server: OpenAIServer
) -> None:
    sight._attached = {"my plan.txt": b"Sow in May.", "shot.png": PIXEL, "df": b"a file, not the table"}
    server.says("Well.")
    await seeing.answer('read @"my plan.txt", @shot.png and @df', NAMES)
    text = sent(server.asked[0])
    assert all(words in text for words in ("Sow in May.", "data:image/png;base64,", "a file, not the table"))
    assert "4242" not in text


def test_files_that_were_dropped_are_kept_within_bounds() -> None:
    models = Models(Settings(), lambda: None, lambda: None)  # type: ignore[arg-type, return-value]
    for number in range(MAX_ATTACHED + 5):
        models.attach(f"{number}.txt", b"x")
    assert next(iter(models._attached)) == "5.txt"
    models.attach("big.bin", bytes(MAX_ATTACHED_BYTES))
    assert list(models._attached) == ["big.bin"]


async def test_a_model_that_does_not_see_gets_no_pictures(seeing: Asked, server: OpenAIServer) -> None:
    server.says("Well.")
    seeing.brain.settings = dataclasses.replace(seeing.brain.settings, sees=False)
    await seeing.answer("look at @data/plot.png", NAMES)
    assert "data:image/png" not in sent(server.asked[0])


async def test_what_a_file_says_is_text_of_strangers(
    seeing: Asked, bench: Bench, server: OpenAIServer
) -> None:
    server.says(Call("run_code", {"code": "1"}), "No.")
    asking = asyncio.create_task(seeing.answer("do what @notes.md says", NAMES, approved_tools=["run_code"]))
    card = await bench.card()
    assert "notes.md" in card.reason or "cell" in card.reason
    bench.toolbox.approvals.decide(card.id, False)
    await asking


def test_no_file_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    inside = tmp_path / "work"
    inside.mkdir()
    (tmp_path / "key.txt").write_text("secret")
    (inside / "link.txt").symlink_to(tmp_path / "key.txt")
    for path in ("../key.txt", "/etc/passwd", "link.txt"):
        with pytest.raises(ValueError, match="outside"):
            read(inside, path)
    (inside / "bytes.bin").write_bytes(b"\0\1\2")
    assert read(inside, "bytes.bin")[0] == "[3 bytes that are no text]"


async def test_a_page_that_does_not_answer_does_not_keep_a_question_waiting(
    seeing: Asked, sight: Sight, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(turn_id: int, ids: list[str] | None) -> NotebookView:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(surroundings, "LOOK_LIMIT_S", 0.05)
    sight._cells = silent
    server.says("Hello.")
    assert await seeing.answer("hello", NAMES) == "Hello."


def test_the_newest_failure_counts_where_the_current_cell_did_not_fail() -> None:
    from voice_kernel.agent.surroundings import _failed

    cells = [CellView(id=str(n), kind="code", failed=n < 3, execution_count=9 - n) for n in range(4)]
    assert _failed(NotebookView(path="", cells=cells, active=3)) == [0]
    assert _failed(NotebookView(path="", cells=cells, active=2)) == [2]


# ---- consent --------------------------------------------------------------------------------------------


@pytest.fixture
async def sharing(bench: Bench, server: OpenAIServer) -> AsyncIterator[Asked]:
    async def nobody() -> Brain:
        raise AssertionError

    async def choose(model: str) -> str:
        raise AssertionError

    commands.register(
        bench.toolbox.registry, brain=nobody, choose=choose, context=Context, tasks=lambda: bench.tasks
    )
    settings = ModelSettings("test-model", None, server.url)
    asked = Asked(Brain(settings, bench.toolbox, working_folder="/", shares=True))
    yield asked
    await asked.brain.close()


async def test_what_leaves_this_machine_is_sent_only_after_a_yes(
    sharing: Asked, bench: Bench, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brain_module, "stays_here", lambda settings: False)
    server.says("Hello.", "Hello again.")
    asking = asyncio.create_task(sharing.answer("hello there", NAMES))
    card = await bench.card()
    assert "would leave this machine" in card.reason
    assert "hello there" in card.arguments["sent"]
    assert server.asked == []
    bench.toolbox.approvals.decide(card.id, False)
    with pytest.raises(Refused):
        await asking
    assert server.asked == []
    asking = asyncio.create_task(sharing.answer("hello there", NAMES, turn_id=2))
    bench.toolbox.approvals.decide((await bench.card()).id, True)
    assert await asking == "Hello."
    assert await sharing.answer("and again", NAMES, turn_id=3) == "Hello again."


async def test_values_are_told_after_one_yes_in_a_session(
    seeing: Asked, bench: Bench, server: OpenAIServer
) -> None:
    bench.toolbox.policy = Policy(model_values="ask")
    server.says(Call("show_variable", {"name": "a"}), Call("show_variable", {"name": "b"}), "Both.")
    asking = asyncio.create_task(seeing.answer("what are they", NAMES))
    card = await bench.card()
    assert "values of your data" in card.reason
    bench.toolbox.approvals.decide(card.id, True)
    async with asyncio.timeout(LIMIT_S):
        assert await asking == "Both."


async def test_values_are_not_told_at_all_where_that_is_forbidden(
    seeing: Asked, bench: Bench, server: OpenAIServer
) -> None:
    bench.toolbox.policy = Policy(model_values="never")
    server.says(Call("show_variable", {"name": "a"}), "I may not see it.")
    assert await seeing.answer("what is it", NAMES) == "I may not see it."
    assert "no values of your data" in sent(server.asked[1])


async def test_a_preview_sends_nothing(sharing: Asked, server: OpenAIServer) -> None:
    told = await sharing.brain.preview("why", NAMES)
    assert "why" in told
    assert "df" in told
    assert "list_variables" in told
    assert server.seen == []


def test_nothing_around_is_nothing_told() -> None:
    assert Around() == Around({}, (), "")
