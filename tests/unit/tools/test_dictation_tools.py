"""Dictation: what counts as a command meanwhile, and who may use it."""

from __future__ import annotations

import pytest
from test_notebook import NoHost, NoKernel
from workbench import Workbench

from voice_kernel.agent.tools import TurnTools
from voice_kernel.events import Hub
from voice_kernel.messages import About
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.tools import dictation, notebook
from voice_kernel.tools.caret import Caret
from voice_kernel.tools.desk import Desk
from voice_kernel.tools.dictation import Dictation

TOOLS = ("start_dictation", "stop_dictation", "dictate", "scratch_dictation")


async def as_said(text: str, kind: str, before: str) -> str:
    return before + text


@pytest.fixture
def mode(bench: Workbench) -> Dictation:
    mode = Dictation(lambda on: None)
    desk = Desk(NoHost(), NoKernel(), lambda turn_id: False)
    notebook.register(bench.registry, desk)
    dictation.register(bench.registry, desk=desk, caret=Caret(), dictation=mode, write=as_said)
    return mode


def test_words_are_commands_again_when_dictation_is_off(mode: Dictation) -> None:
    assert mode.calls("run cell three") is None
    mode.switch(True)
    assert [call.tool for call in mode.calls("run cell three") or []] == ["dictate"]
    assert [call.tool for call in mode.calls("Stop dictation.") or []] == ["stop_dictation"]
    mode.switch(False)
    assert mode.calls("run cell three") is None


@pytest.mark.parametrize("tool", TOOLS)
async def test_dictation_is_for_people_and_not_for_models(
    bench: Workbench, mode: Dictation, tool: str
) -> None:
    async def somebody() -> bool:
        return True

    hub = Hub(About(version="test"))
    toolbox = Toolbox(bench.registry, Policy(), Approvals(hub, somebody), bench.runner)
    tools = TurnTools(toolbox, turn_id=1).function_tools()
    assert tool not in {offered.name for offered in tools}
    assert "edit_cell" in {offered.name for offered in tools}
    task = await toolbox.call(tool, {}, turn_id=1, origin="model")
    assert task.state == "failed"
    assert not mode.on


def test_german_dictation_ends_in_german() -> None:
    mode = Dictation(lambda on: None, "de")
    mode.switch(True)
    assert [call.tool for call in mode.calls("führe Zelle drei aus") or []] == ["dictate"]
    assert [call.tool for call in mode.calls("Diktat beenden.") or []] == ["stop_dictation"]
    assert [call.tool for call in mode.calls("Streich das!") or []] == ["scratch_dictation"]
