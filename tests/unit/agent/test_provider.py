"""Which model answers, and what is sent to whom."""

from __future__ import annotations

import subprocess
import sys
from enum import Enum

import pytest
from brain_bench import KEY, Asked, Bench
from openai_server import Call, OpenAIServer
from pydantic import Field

from voice_kernel.agent import provider
from voice_kernel.agent.brain import Brain
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.errors import ModelError
from voice_kernel.messages import Result
from voice_kernel.task.runner import TaskHandle
from voice_kernel.toolbox.registry import Arguments


async def ask(settings: ModelSettings, bench: Bench) -> str:
    brain = Brain(settings, bench.toolbox, working_folder="/")
    try:
        return await Asked(brain).answer("hello")
    finally:
        await brain.close()


def test_importing_the_brain_imports_no_sdk() -> None:
    code = (
        "import sys, voice_kernel.agent.brain;"
        "print([m for m in ('agents', 'openai', 'httpx2', 'mcp') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


async def test_a_missing_sdk_is_said_with_the_command_that_installs_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "agents", None)
    with pytest.raises(ModelError) as caught:
        await ask(ModelSettings("test-model", base_url="http://127.0.0.1:9/v1"), bench)
    assert 'pip install "voice-kernel[model]"' in caught.value.hint


def test_a_key_is_never_shown() -> None:
    settings = ModelSettings(api_key=KEY)
    assert KEY not in repr(settings)
    assert KEY not in settings.scrub(f"the key {KEY} is wrong")


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host/v1", "http://", "/v1"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelSettings(base_url=url)
    assert "VOICE_KERNEL_BASE_URL" in caught.value.hint


async def test_a_local_server_needs_no_key_and_gets_chat_completions(
    server: OpenAIServer, bench: Bench
) -> None:
    server.says("Hi.")
    assert await ask(ModelSettings("test-model", base_url=server.url), bench) == "Hi."
    assert server.seen[0].path == "/v1/chat/completions"


async def test_the_only_model_of_a_server_is_used_without_being_named(
    server: OpenAIServer, bench: Bench
) -> None:
    server.says("Hi.")
    await ask(ModelSettings(base_url=server.url), bench)
    assert server.asked[0]["model"] == "test-model"


@pytest.mark.parametrize(
    ("models", "said"),
    [([], "offers no model"), (["one", "two"], r"several models.*MODEL to one of: one, two")],
)
async def test_a_model_is_not_guessed(
    models: list[str], said: str, server: OpenAIServer, bench: Bench
) -> None:
    server.models = models
    with pytest.raises(ModelError, match=said):
        await ask(ModelSettings(base_url=server.url), bench)


async def test_a_wrong_key_is_said_when_models_are_listed(server: OpenAIServer, bench: Bench) -> None:
    server.key = "another"
    with pytest.raises(ModelError, match="wants an API key"):
        await ask(ModelSettings(base_url=server.url), bench)


class _Kind(Enum):
    LINE = "line"
    BAR = "bar"


class _Plot(Arguments):
    x: str
    kind: _Kind = Field(default=_Kind.LINE, description="How to draw.")
    frame: str | None = None
    bins: tuple[int, ...] = ()


async def test_openai_itself_keeps_nothing_and_enforces_schemas(
    server: OpenAIServer, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[_Plot] = []

    @bench.toolbox.registry.tool(area="data", effects=frozenset({"read"}))
    async def plot(task: TaskHandle, arguments: _Plot) -> Result:
        """Draw."""
        drawn.append(arguments)
        return Result()

    monkeypatch.setattr(provider, "OPENAI_URL", server.url)
    server.key = KEY
    server.says(Call("plot", {"x": "a", "kind": None, "frame": None, "bins": None}), "Hi.")
    assert await ask(ModelSettings(api_key=KEY), bench) == "Hi."
    assert {seen.path for seen in server.seen} == {"/v1/responses"}
    body = server.asked[0]
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["model"].startswith("gpt-")
    (tool,) = [tool for tool in body["tools"] if tool["name"] == "plot"]
    assert tool["strict"] is True
    schema = tool["parameters"]
    assert schema["required"] == ["x", "kind", "frame", "bins"]
    assert schema["additionalProperties"] is False
    assert "default" not in str(schema)
    assert schema["properties"]["kind"]["description"] == 'How to draw. null for "line".'
    assert schema["properties"]["frame"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert drawn == [_Plot(x="a")]


async def test_other_servers_get_schemas_as_they_are(server: OpenAIServer, bench: Bench) -> None:
    server.says("Hi.")
    await ask(ModelSettings("test-model", base_url=server.url), bench)
    (tool,) = [
        tool["function"] for tool in server.asked[0]["tools"] if tool["function"]["name"] == "run_code"
    ]
    assert tool["parameters"]["required"] == ["code"]
    assert "store" not in server.asked[0]
