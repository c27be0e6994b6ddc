"""`voice-kernel transcribe` by the engines there are, a real server on loopback among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai_server import OpenAIServer, Reply, serve

from voice_kernel.agent import line
from voice_kernel.cli import main

LIMIT_S = 60.0
CLIP = Path(__file__).parents[2] / "data" / "speech" / "hibari_002.wav"
KEY = "sk-test-0123456789abcdef"


@pytest.fixture(scope="session", autouse=True)
def _sdk() -> None:
    """Import what an engine needs outside its time limits: on a busy machine it takes many seconds."""
    import agents.realtime  # noqa: F401

    import voice_kernel.speech.resampling  # noqa: F401


@pytest.fixture(scope="module")
def _one_server() -> Iterator[OpenAIServer]:
    with serve() as server:
        yield server


@pytest.fixture
def server(_one_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenAIServer:
    _one_server.reset()
    monkeypatch.setattr(line, "CONNECT_LIMIT_S", LIMIT_S)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_URL", _one_server.url)
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_API_KEY", KEY)
    monkeypatch.setenv("VOICE_KERNEL_TRANSCRIPTION_MODEL", "whisper-1")
    return _one_server


@pytest.mark.parametrize("engine", ["openai", "realtime"])
def test_a_named_engine_hears_the_files(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    server.hears("Run cell 3.", "Run cell 4.")
    assert main(["transcribe", "--engine", engine, "--json", str(CLIP), str(CLIP)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["text"], row["engine"]) for row in rows] == [
        ("Run cell 3.", engine),
        ("Run cell 4.", engine),
    ]


def test_a_named_engine_that_fails_is_not_stood_in_for(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.hears(Reply(status=429, headers={"retry-after": "7"}), "Run cell 3.")
    assert main(["transcribe", "--engine", "openai", str(CLIP), str(CLIP)]) == 1
    told = capsys.readouterr()
    assert "limits how often it can be asked" in told.err
    assert told.out == f"{CLIP}: Run cell 3.\n"


def test_the_engine_of_the_settings_is_stood_in_for_and_that_is_said(
    server: OpenAIServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICE_KERNEL_SPEECH_ENGINE", "openai")
    server.key = "sk-another"
    assert main(["transcribe", str(CLIP)]) == 0
    told = capsys.readouterr()
    assert "cell" in told.out.lower()
    assert f"What you say is sent to {server.url.split('/')[2]}" in told.err
    assert "did not accept the API key. This was recognised on this machine instead." in told.err
    assert KEY not in told.err + told.out


def test_the_browser_hears_no_files(server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", "--engine", "browser", str(CLIP)]) == 1
    assert "Only a page with a microphone" in capsys.readouterr().err
