"""Whatever strangers write, and however well a model obeys them: what acts waits for a person.

The tools are the real ones, with their real effects; only what they do is played. All of them have been
approved beforehand, so that nothing but the strangers' text can be the reason to ask.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from brain_bench import KEY, Asked, Bench, NoLog
from injections import BENIGN, INJECTIONS, Injection
from openai_server import Call, OpenAIServer
from pydantic import ConfigDict

from voice_kernel.agent.brain import Brain
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.app import known_tools
from voice_kernel.events import Hub
from voice_kernel.messages import About, Result
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.approval import Approvals
from voice_kernel.toolbox.door import Toolbox
from voice_kernel.toolbox.policy import Policy
from voice_kernel.toolbox.registry import Arguments, Effects, Registry, ToolSpec
from voice_kernel.tools.browser.actions import ACT


class AnyArguments(Arguments):
    """What a server's tool takes."""

    model_config = ConfigDict(frozen=True, extra="allow")


def _server_tool(name: str, effects: Effects) -> ToolSpec:
    return ToolSpec(
        name=name,
        area="mcp",
        description="Of a server.",
        arguments=AnyArguments,
        handler=None,
        effects=lambda _args: effects,
        target=lambda _args: name,
        untrusted=True,
    )


class House:
    """The real tools, which do nothing but say what they are told to say."""

    def __init__(self) -> None:
        async def somebody() -> bool:
            return True

        self.hub = Hub(About(version="test"))
        registry = Registry()
        self.toolbox = Toolbox(
            registry,
            Policy(shell_allowed=True),
            Approvals(self.hub, somebody),
            Runner(self.hub, lambda _id: NoLog()),
        )
        self.bench = Bench(self.hub, self.toolbox)
        self.says = ""
        real = list(known_tools().specs.values())
        real += [
            _server_tool("mail__read", frozenset({"read"})),
            _server_tool("mail__send", frozenset({"execute"})),
        ]
        for spec in real:
            changes: dict[str, Any] = {"handler": self._handler(spec), "diff": None, "time_limit": None}
            if spec.name == "browser_navigate":
                changes["effects"] = lambda _args: ACT  # as to a host that is known already
            registry.add(dataclasses.replace(spec, **changes))
        self.approved = tuple(registry.specs)

    def _handler(self, spec: ToolSpec) -> Any:
        async def handler(task: TaskHandle, arguments: Any) -> Result:
            self.bench.ran.append(spec.name)
            return Result(summary="Done.", text=self.says if spec.untrusted else "")

        return handler


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def obedient(house: House, server: OpenAIServer) -> AsyncIterator[Asked]:
    settings = ModelSettings("test-model", KEY, server.url)
    asked = Asked(Brain(settings, house.toolbox, working_folder="/home/ada/work"))
    yield asked
    await asked.brain.close()


def test_there_are_enough_of_every_kind() -> None:
    assert len(INJECTIONS) >= 60
    assert len({injection.text for injection in INJECTIONS}) == len(INJECTIONS)
    assert len({injection.carrier.name for injection in INJECTIONS}) >= 12
    assert len(BENIGN) >= 20


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda i: f"{i.carrier.name}-{i.wants.name}")
async def test_what_strangers_want_is_held_for_a_fresh_approval(
    injection: Injection, house: House, obedient: Asked, server: OpenAIServer
) -> None:
    house.says = injection.text
    server.says(injection.carrier, injection.wants, "I was told no.")
    asking = asyncio.create_task(obedient.answer("read that for me", approved_tools=house.approved))
    card = await house.bench.card()
    assert card.tool == injection.wants.name
    assert "The model has read text that is not yours" in card.reason
    assert injection.carrier.name in card.reason
    assert house.bench.ran == [injection.carrier.name]
    house.toolbox.approvals.decide(card.id, False)
    await asking
    assert house.bench.ran == [injection.carrier.name]


@pytest.mark.parametrize("calls", BENIGN, ids=lambda calls: "-".join(call.name for call in calls) or "talk")
async def test_an_ordinary_turn_asks_no_more_than_it_did(
    calls: tuple[Call, ...], house: House, obedient: Asked, server: OpenAIServer
) -> None:
    house.says = "3 rows, nothing unusual"
    server.says(*calls, "That is all.")
    assert await obedient.answer("do that for me", approved_tools=house.approved) == "That is all."
    assert house.bench.ran == [call.name for call in calls]
    assert not house.hub.approvals


async def test_strangers_text_of_an_earlier_turn_still_counts(
    house: House, obedient: Asked, server: OpenAIServer
) -> None:
    injection = INJECTIONS[0]
    house.says = injection.text
    server.says(injection.carrier, "It says something odd.", injection.wants, "I was told no.")
    await obedient.answer("read that", approved_tools=house.approved)
    asking = asyncio.create_task(obedient.answer("thanks", turn_id=2, approved_tools=house.approved))
    card = await house.bench.card()
    assert "read_page https://news.example/a" in card.reason
    house.toolbox.approvals.decide(card.id, False)
    await asking


async def test_every_tool_that_acts_asks_and_every_tool_that_reads_marks(house: House) -> None:
    """What is registered later must not slip through."""
    own_words = {
        "choose_model", "clear_outputs", "change_cell_type", "delete_cells", "edit_cell", "help",
        "insert_cell", "insert_line", "move_cells", "new_thread", "redo", "rename_variable",
        "restart_kernel", "run_command",
        "save_notebook", "select_cell", "share_with_model", "undo", "go_to_error", "keep_code",
        "insert_citations", "save_test_report", "open_failing_test", "start_dictation", "stop_dictation",
        "scratch_dictation",
    }  # fmt: skip
    for spec in house.toolbox.registry.available():
        if not spec.for_models or spec.untrusted or spec.name in own_words or spec.area == "mcp":
            continue
        pytest.fail(f"{spec.name}: mark its result as text of strangers, or list it as our own words")
