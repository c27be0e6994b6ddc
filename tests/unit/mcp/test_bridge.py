"""Servers' tools in the toolbox: by which names, with which effects, what comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faulty_servers import faulty, until

from voice_kernel.errors import InvalidArguments
from voice_kernel.messages import Task
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools.mcp.bridge import Bridge, mismatch, name_in_toolbox
from voice_kernel.tools.mcp.secrets import Secrets
from voice_kernel.tools.mcp.serverfile import ServerFile
from voice_kernel.tools.mcp.supervisor import Supervisor


class House:
    """A registry with a supervisor's servers in it."""

    def __init__(self, folder: Path) -> None:
        self.registry = Registry()
        self.secrets = Secrets(folder / "secrets.json", use_keyring=False)
        self.supervisor = Supervisor(ServerFile(folder / "mcp.json"), self.secrets)
        self.supervisor.on_change(Bridge(self.registry).update)
        self.told: list[Any] = []
        logs = LogFolder(folder / "logs")
        self.runner = Runner(self, lambda task_id: logs.open(f"task-{task_id}"))

    def publish(self, message: Any) -> None:
        self.told.append(message)

    async def call(self, tool: str, **arguments: Any) -> Task:
        spec = self.registry.get(tool)
        handle = self.runner.create(turn_id=1, tool=tool, arguments=arguments, title=tool, origin="text")

        async def work(task: Any) -> Any:
            parsed = spec.validate(arguments)
            task.move("running")
            return await spec.handler(task, parsed)

        return await self.runner.run(handle, work)


@pytest.fixture
async def house(tmp_path: Path) -> Any:
    one = House(tmp_path)
    yield one
    await one.supervisor.close()


async def test_tools_join_when_their_server_runs_and_leave_with_it(house: House) -> None:
    house.supervisor.put(faulty("time"))
    house.supervisor.put(faulty("clock"))
    assert house.registry.specs == {}
    problems = await house.supervisor.start_all(["time", "clock"])
    assert problems == {"time": None, "clock": None}
    assert {"time__echo", "clock__echo"} <= set(house.registry.specs)
    await house.supervisor.stop("time")
    assert not any(name.startswith("time__") for name in house.registry.specs)
    assert (await house.call("clock__echo", text="still here")).result.summary == "still here"


async def test_hints_decide_what_asks(house: House) -> None:
    house.supervisor.put(faulty())
    await house.supervisor.start("faulty")
    effects = {name: spec.effects(None) for name, spec in house.registry.specs.items()}
    assert effects["faulty__echo"] == {"read"}
    assert effects["faulty__environment"] == {"execute"}
    assert house.registry.get("faulty__erase").asks
    assert all(spec.untrusted for spec in house.registry.specs.values())


async def test_results_are_shown_as_what_they_are(house: House) -> None:
    house.supervisor.put(faulty())
    await house.supervisor.start("faulty")
    picture = await house.call("faulty__picture")
    assert picture.result.outputs[0].data["image/png"].startswith("iVBOR")
    page = await house.call("faulty__page")
    assert "a memo" in page.result.text
    total = await house.call("faulty__add", a=1, b=2)
    assert total.result.data["structured"] == {"result": 3.0}
    failed = await house.call("faulty__fail")
    assert failed.state == "failed"
    assert "wrong phase" in failed.problem.message
    counted = await house.call("faulty__count", to=5)
    assert counted.result.summary == "done"
    assert any(getattr(one, "type", "") == "task_progress" for one in house.told)


async def test_arguments_are_held_against_the_servers_schema(house: House) -> None:
    house.supervisor.put(faulty())
    await house.supervisor.start("faulty")
    spec = house.registry.get("faulty__add")
    assert set(spec.json_schema()["properties"]) == {"a", "b"}
    with pytest.raises(InvalidArguments, match="'b' is a required property") as caught:
        spec.validate({"a": 1})
    assert "a, b" in caught.value.hint
    with pytest.raises(InvalidArguments, match="a: 'one' is not of type 'number'"):
        spec.validate({"a": "one", "b": 2})


async def test_tools_that_come_later_join_at_once(house: House) -> None:
    house.supervisor.put(faulty())
    await house.supervisor.start("faulty")
    await house.call("faulty__learn")
    await until(lambda: "faulty__learned" in house.registry.specs)


async def test_a_tool_that_is_switched_off_leaves(house: House) -> None:
    house.supervisor.put(faulty())
    running = await house.supervisor.start("faulty")
    house.supervisor.put(running.server.model_copy(update={"off": ("erase",)}))
    assert "faulty__erase" not in house.registry.specs
    assert "faulty__echo" in house.registry.specs


async def test_a_secret_reaches_its_server_and_nothing_else(house: House, tmp_path: Path) -> None:
    house.secrets.put("faulty", "TOKEN", "hunter22")
    house.supervisor.put(faulty(secrets=("TOKEN",)))
    await house.supervisor.start("faulty")
    task = await house.call("faulty__environment", name="TOKEN")
    assert task.result.summary == "***"
    assert "hunter22" not in repr(house.told)
    assert "hunter22" not in (tmp_path / "mcp.json").read_text()
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_names_are_what_models_can_say() -> None:
    assert name_in_toolbox("time", "get_time") == "time__get_time"
    assert name_in_toolbox("io.ada", "a/b") != name_in_toolbox("io_ada", "a_b")
    assert len(name_in_toolbox("s" * 60, "t" * 60)) == 64


def test_a_strangers_schema_can_do_no_harm() -> None:
    assert mismatch({"a": "x"}, {"$ref": "http://127.0.0.1:9/schema"}) == ""
    slow = {"properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    assert mismatch({"a": "a" * 60 + "!"}, slow) == ""
    assert mismatch({}, {"type": 7}) == ""
