"""`ask`, `tasks` and `@tool` outside of a notebook: what they cost and say, what a type checker sees."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from voice_kernel import ask, tasks, tool
from voice_kernel.errors import KernelError, UnknownTask
from voice_kernel.usertools.shelf import shelf
from voice_kernel.usertools.toolcontext import ToolContext

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def empty_shelf() -> Iterator[None]:
    shelf.clear()
    yield
    shelf.clear()


def python(code: str, *options: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)],
        capture_output=True, text=True, timeout=120, cwd=folder, check=False,
    )  # fmt: skip


def test_the_names_cost_nothing_until_they_are_used() -> None:
    done = python(
        """
        import sys
        from voice_kernel import ToolContext, ask, tasks, tool
        repr(tasks), tasks._repr_html_(), len(tasks), tasks.failed, tasks.last
        heavy = {"pydantic", "IPython", "hassil", "yaml", "pandas", "numpy", "voice_kernel.app"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert done.stdout == "['pydantic']\n", done.stderr  # for the looks of an empty table


def test_a_script_that_only_imports_tools_loads_no_grammar() -> None:
    done = python(
        """
        import sys
        from voice_kernel import tool

        @tool(sentences=["train [the] model [for {epochs} epochs]"])
        def train(epochs: int = 3):
            return epochs

        from voice_kernel.intents import grammar
        print(train(2), sorted({"IPython", "voice_kernel.app"} & set(sys.modules)))
        print(grammar._compiled.cache_info().misses)
        """
    )
    assert done.stdout == "2 []\n0\n", done.stderr


def test_outside_of_a_notebook_an_ask_says_what_to_do_instead() -> None:
    with pytest.raises(KernelError, match="voice-kernel say") as caught:
        ask("run the tests")
    assert "needs a notebook" in caught.value.message


def test_there_are_no_tasks_before_there_is_a_session() -> None:
    assert (len(tasks), list(tasks), tasks.last, repr(tasks)) == (0, [], None, "No tasks yet.")
    assert "No tasks yet." in tasks._repr_html_()
    assert list(tasks.running) == list(tasks.failed) == []
    for number in (1, -1):
        with pytest.raises(UnknownTask):
            tasks[number]
    assert tasks.to_frame().empty


def test_a_tool_is_the_function_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    @tool
    def double(number: int) -> int:
        """Double a number."""
        return 2 * number

    @tool(asks=True)
    def report(ctx: ToolContext, rows: int = 1) -> int:
        ctx.progress(0.5)
        ctx.output(f"{rows} rows")
        ctx.check()
        return rows

    assert double(4) == 8
    assert double.__doc__ == "Double a number."
    assert report(ToolContext(), rows=3) == 3
    assert capsys.readouterr().out == "3 rows\n"
    assert [made.name for made in shelf.tools] == ["double", "report"]


def test_types_that_are_text_may_be_local_to_where_the_tool_is_written() -> None:
    from typing import Literal

    Mode = Literal["fast", "slow"]  # noqa: N806 - a type

    @tool
    def run(mode: "Mode") -> str:  # noqa: UP037 - text is the point
        return mode

    made = shelf.tools[0]
    assert made.signature.model.model_json_schema()["properties"]["mode"]["enum"] == ["fast", "slow"]


def test_type_checkers_see_the_function_as_it_was_written(tmp_path: Path) -> None:
    assert resources.files("voice_kernel").joinpath("py.typed").is_file()
    source = tmp_path / "own.py"
    source.write_text(
        textwrap.dedent(
            """
            from typing import Any
            from voice_kernel import ToolContext, ask, tasks, tool

            @tool
            def double(number: int) -> int:
                return 2 * number

            @tool(sentences=["halve {number}"], effects={"read"}, asks="it matters", thread="main")
            def halve(number: int, *, exact: bool = False) -> float:
                return number / 2

            @tool(sentences={"wait": {"seconds": 1.0}})
            async def wait(seconds: float, ctx: ToolContext) -> str:
                ctx.progress(done=1, total=2, unit="files")
                return "waited"

            reveal_type(double)
            reveal_type(halve)
            reveal_type(wait)

            async def main() -> None:
                result = await ask("run the tests")
                reveal_type(result.ok)
                reveal_type(tasks[1])
                reveal_type(tasks.last)

            double("four")
            halve(2, exact=1, more=3)

            @tool(effects={"explode"})
            def wrong() -> None: ...
            """
        )
    )
    done = subprocess.run(  # in the project, for the cache that `make check` has filled
        [sys.executable, "-m", "mypy", str(source)],
        capture_output=True, text=True, timeout=1200, cwd=PROJECT, check=False,
    )  # fmt: skip
    # From its cache mypy tells of the folder in which it saw the same file before.
    told = [line.partition(": ")[2] for line in done.stdout.splitlines() if f"{source.name}:" in line]
    revealed = [line.split('"')[1] for line in told if "Revealed" in line]
    assert revealed == [
        "def (number: int) -> int",
        "def (number: int, *, exact: bool =) -> float",
        "def (seconds: float, ctx: voice_kernel.usertools.toolcontext.ToolContext)"
        " -> typing.Coroutine[Any, Any, str]",
        "bool",
        "voice_kernel.api.taskviews.TaskView",
        "voice_kernel.api.taskviews.TaskView | None",
    ], done.stdout
    errors = [line for line in told if "error" in line]
    assert len(errors) == 4, done.stdout
    assert "explode" in errors[-1] or "effects" in errors[-1]


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import voice_kernel

    with pytest.raises(AttributeError, match="nothing_there"):
        voice_kernel.nothing_there  # noqa: B018 - looking is the point
    public: list[Any] = [getattr(voice_kernel, name) for name in voice_kernel.__all__]
    assert len(public) == len(set(map(id, public)))
