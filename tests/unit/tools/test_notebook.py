"""What the notebook tools decide by themselves: places, errors, what a command may do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from workbench import Workbench

from voice_kernel.errors import InvalidArguments, ToolError, ToolUnavailable
from voice_kernel.intents import Grammar
from voice_kernel.kernel import CodeResult
from voice_kernel.messages import CellAction, CellReply, CellView, NotebookView, Output, Problem, RunCommand
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import lab, notebook
from voice_kernel.tools.desk import Desk
from voice_kernel.tools.lab import RunCommandArguments, effects_of_command
from voice_kernel.tools.running import error_in

COMMANDS = Path(__file__).parents[2] / "data" / "intents" / "en" / "commands.jsonl"


class NoHost:
    async def request(self, action: CellAction, *, step: int = 0) -> CellReply:
        raise ToolUnavailable("No front end.")


class NoKernel:
    calling_request = ""

    async def run(self, code: str, **options: object) -> CodeResult:
        raise AssertionError

    def inputs(self) -> dict[int, str]:
        return {}

    def set_next_input(self, code: str) -> bool:
        return False


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    desk = Desk(NoHost(), NoKernel(), lambda turn_id: False)
    notebook.register(registry, desk)
    lab.register(registry, desk)
    return registry


def view(count: int, active: int = 0) -> NotebookView:
    cells = [CellView(id=f"c{at + 1}", kind="code") for at in range(count)]
    return NotebookView(path="a.ipynb", cells=cells, active=active)


# ---- vocabulary -------------------------------------------------------------------------------------

DESIGNED = {
    "run_cells": {"cells"},
    "insert_cell": {"source", "kind", "position"},
    "edit_cell": {"cell", "source"},
    "delete_cells": {"cells"},
    "move_cells": {"cells", "direction"},
    "select_cell": {"cell"},
    "change_cell_type": {"cells", "kind"},
    "clear_outputs": {"cells"},
    "undo": set(),
    "redo": set(),
    "save_notebook": set(),
    "restart_kernel": {"run_all"},
    "read_notebook": set(),
    "run_command": {"label"},
}


def test_the_tools_and_their_arguments_are_those_of_the_design(registry: Registry) -> None:
    known = {name: set(registry.get(name).arguments.model_fields) for name in DESIGNED}
    assert known == DESIGNED


def test_every_tool_says_what_it_does_and_takes(registry: Registry) -> None:
    for spec in registry.specs.values():
        assert spec.description.endswith(".")
        for field in spec.json_schema().get("properties", {}).values():
            assert field["description"].endswith(".")


def test_what_the_grammar_makes_of_the_sentences_fits(registry: Registry) -> None:
    grammar = Grammar.load("en")
    seen = set()
    for line in COMMANDS.read_text("utf-8").splitlines():
        row = json.loads(line)
        for call in grammar.parse(row["say"]).calls:
            if call.tool in registry.specs:
                seen.add(call.tool)
                registry.get(call.tool).validate(dict(call.arguments))
    assert len(seen) >= 13


def test_what_does_not_fit_is_refused(registry: Registry) -> None:
    for tool, arguments in {
        "move_cells": {"cells": "1", "direction": "sideways"},
        "change_cell_type": {"cells": "1", "kind": "poem"},
        "run_cells": {"cell": "1"},
    }.items():
        with pytest.raises(InvalidArguments):
            registry.get(tool).validate(arguments)


# ---- places -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "index"),
    [("above", 2), ("below", 3), ("", 3), ("first", 0), ("top", 0), ("last", 5), ("bottom", 5), ("2", 1),
     ("6", 5), ("above 2", 1), ("below 2", 2), ("after 5", 5)],
)  # fmt: skip
def test_a_new_cell_goes_where_it_is_said(position: str, index: int) -> None:
    assert notebook._index_of(position, view(5, active=2), 2) == index


@pytest.mark.parametrize("position", ["0", "7", "beside", "below 6"])
def test_a_new_cell_cannot_go_nowhere(position: str) -> None:
    with pytest.raises(ToolError, match="cannot be inserted"):
        notebook._index_of(position, view(5), 0)


def test_in_an_empty_notebook_a_new_cell_is_the_first() -> None:
    assert notebook._index_of("above", view(0, active=-1), -1) == 0


@pytest.mark.parametrize(
    ("moved", "direction", "order"),
    [
        ([3], "up", [1, 3, 2, 4, 5]),
        ([3], "down", [1, 2, 4, 3, 5]),
        ([2, 3], "down", [1, 4, 2, 3, 5]),
        ([2, 3], "up", [2, 3, 1, 4, 5]),
        ([2, 4], "up", [2, 4, 1, 3, 5]),
        ([2, 4], "down", [1, 3, 5, 2, 4]),
        ([4], "top", [4, 1, 2, 3, 5]),
        ([1, 2], "last", [3, 4, 5, 1, 2]),
        ([1], "up", [1, 2, 3, 4, 5]),
        ([5], "down", [1, 2, 3, 4, 5]),
    ],
)
def test_cells_move_as_a_block(moved: list[int], direction: str, order: list[int]) -> None:
    cells = view(5)
    found = [cells.cells[at - 1] for at in moved]
    index = notebook._moved_to(found, cells, direction)
    assert notebook._after_move(found, cells, index) == [f"c{at}" for at in order]


# ---- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (Output(kind="error", data={"ename": "A", "evalue": "b"}), Problem(kind="A", message="b")),
        (
            Output(kind="error", text="\x1b[31mValueError\x1b[39m: no such thing\nand more of it: x y"),
            Problem(kind="ValueError", message="no such thing"),
        ),
        (
            Output(kind="error", text="Traceback\n  x\npandas.errors.EmptyDataError: No columns"),
            Problem(kind="pandas.errors.EmptyDataError", message="No columns"),
        ),
        (Output(kind="error", text="KeyboardInterrupt"), Problem(kind="KeyboardInterrupt", message="")),
        (Output(kind="stream", text="x"), Problem(kind="Error", message="")),
    ],
)
def test_an_error_is_found_in_a_cells_outputs(output: Output, problem: Problem) -> None:
    assert error_in(CellView(id="a", kind="code", failed=True, outputs=[output])) == problem


# ---- commands of the front end ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "label",
    [
        "Restart Kernel…",
        "Restart Kernel and Run All Cells…",
        "Shut Down All Kernels…",
        "Close All Tabs",
        "Delete",
        "Clear Outputs of All Cells",
        "Revert Notebook to Checkpoint…",
        "Reload Notebook from Disk",
        "Log Out",
        "Trust Notebook",
        "Reset All Settings",
        "Install Extensions",
        "Kernel neu starten…",
        "Neustart des Kernels",
        "Alle Kernel herunterfahren…",
        "Zellen löschen",
        "Ausgaben aller Zellen leeren",
        "Alle Registerkarten schließen",
        "Notebook vertrauen",
        "\uff32estart Kernel",
    ],
)
def test_a_command_that_cannot_be_undone_asks_first(label: str) -> None:
    effects = effects_of_command(RunCommandArguments(label=label))
    assert Policy().decide(effects, "voice").kind == "ask"


@pytest.mark.parametrize(
    ("said", "found", "runs"),
    [
        ("resart kernel", "Restart Kernel…", False),
        ("re-start the kernel", "Restart Kernel…", False),
        ("restart the kernal", "Restart Kernel…", True),
        ("toggle the line numbers", "Toggle Line Numbers", True),
        ("Toggle Line Numbers", "Toggle Line Numbers", True),
    ],
)
async def test_a_misheard_name_is_not_taken_for_a_command_that_asks_first(
    said: str, found: str, runs: bool, bench: Workbench
) -> None:
    ran: list[str] = []

    class Palette:
        async def request(self, action: CellAction, *, step: int = 0) -> CellReply:
            assert isinstance(action, RunCommand)
            if action.exact and action.label != found:
                return CellReply(id=0, text=found, ran=False)
            ran.append(action.label)
            return CellReply(id=0, text=found)

    lab.register(bench.registry, Desk(Palette(), NoKernel(), lambda turn_id: False))
    task = await bench.start("run_command", label=said)
    assert ran == ([found] if runs else [])
    assert task.state == ("succeeded" if runs else "failed")
    assert task.problem is None or found in task.problem.message


@pytest.mark.parametrize(
    "label", ["Toggle Line Numbers", "Show Line Numbers", "Zoom In", "Split Cell", "Merge Selected Cells"]
)
def test_a_command_that_only_changes_the_view_or_can_be_undone_does_not_ask(label: str) -> None:
    effects = effects_of_command(RunCommandArguments(label=label))
    assert Policy().decide(effects, "voice").kind == "allow"
    assert Policy().decide(effects, "model").kind == "ask"
