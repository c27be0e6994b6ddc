"""Which server is meant by what a person says, and where keys go."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from voice_kernel.agent.models import Models, configured
from voice_kernel.agent.provider import ModelSettings
from voice_kernel.agent.servers import PRESETS, Choice, chosen, parse, stays_here
from voice_kernel.errors import ModelError
from voice_kernel.messages import About
from voice_kernel.settings import Settings

CLOUD = ModelSettings("gpt-5", "sk-secret")


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("ollama", Choice("ollama", "")),
        ("Ollama/qwen3:8b", Choice("ollama", "qwen3:8b")),
        ("llama cpp", Choice("llama.cpp", "")),
        ("LM Studio", Choice("lmstudio", "")),
        ("openai/gpt-5", Choice("openai", "gpt-5")),
        ("http://gpu:8000/v1#llama-3", Choice("http://gpu:8000/v1", "llama-3")),
        ("gpt-5-mini", Choice("", "gpt-5-mini")),
        ("org/model", Choice("", "org/model")),
    ],
)
def test_a_server_and_a_model_are_understood(said: str, choice: Choice) -> None:
    assert parse(said) == choice


def test_a_key_goes_to_no_other_server() -> None:
    assert chosen("ollama/qwen3", CLOUD).api_key is None
    assert chosen("http://gpu:8000/v1", CLOUD).api_key is None
    assert chosen("gpt-5-mini", CLOUD).api_key == "sk-secret"
    here = ModelSettings("m", "local-key", "http://gpu:8000/v1")
    assert chosen("http://gpu:8000/v1#other", here).api_key == "local-key"
    assert chosen("ollama", here).api_key is None


def test_a_name_alone_stays_with_the_server_that_is_configured() -> None:
    here = ModelSettings("m", None, PRESETS["ollama"])
    assert chosen("other", here).base_url == PRESETS["ollama"]
    with pytest.raises(ModelError, match="no key for OpenAI"):
        chosen("openai", here)


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        (None, False), ("http://localhost:1234/v1", True), ("http://127.0.0.1/v1", True),
        ("http://[::1]:8080/v1", True), ("http://10.0.0.5/v1", False), ("https://api.example/v1", False),
        ("http://localhost.example/v1", False),
    ],
)  # fmt: skip
def test_what_stays_on_this_machine_is_known(address: str | None, stays: bool) -> None:
    assert stays_here(ModelSettings("m", "k", address)) is stays


def test_settings_name_a_server_by_preset_or_address() -> None:
    key = SecretStr("sk-secret")
    preset = configured(Settings(openai_api_key=key, model_server="ollama", model="qwen3"))
    assert (preset.base_url, preset.api_key, preset.model) == (PRESETS["ollama"], None, "qwen3")
    cloud = configured(Settings(openai_api_key=key, model_server="openai"))
    assert cloud.is_openai
    assert cloud.api_key == "sk-secret"
    other = configured(Settings(model_server="http://gpu:8000/v1", model_protocol="responses"))
    assert other.speaks_responses
    with pytest.raises(ModelError, match="not an http"):
        configured(Settings(model_server="gpu:8000"))


def test_a_surface_is_told_which_model_answers_and_where() -> None:
    def nothing() -> None:
        raise AssertionError

    models = Models(Settings(model_server="ollama", model="qwen3"), nothing, nothing, Path.cwd)  # type: ignore[arg-type]
    about = models.told(About(version="1"))
    assert (about.model, about.model_server, about.model_stays) == ("qwen3", "127.0.0.1:11434", True)
    assert "openai" not in about.models
    off = Models(Settings(), nothing, nothing, Path.cwd).told(About(version="1"))  # type: ignore[arg-type]
    assert off.model == ""
    assert off.models == list(PRESETS)
