"""What the doctor finds in an installation, and that it never gives up half-way."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_kernel.doctor import Finding, examine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOICE_KERNEL_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("VOICE_KERNEL_SENTENCES_FILE", str(tmp_path / "sentences.yaml"))
    return tmp_path


def found(subject: str) -> Finding:
    return next(finding for finding in examine() if finding.subject == subject)


def test_a_broken_sentence_file_is_found(home: Path) -> None:
    (home / "sentences.yaml").write_text("intents: [")
    assert found("sentences").level == "bad"
    assert "sentences.yaml, line" in found("sentences").message


def test_a_good_sentence_file_is_named(home: Path) -> None:
    (home / "sentences.yaml").write_text("intents: {hello: {sentences: [good day], calls: [help]}}")
    assert found("sentences") == Finding("sentences", "ok", f"{home / 'sentences.yaml'} is readable")


def test_a_broken_setting_is_told_once_and_the_rest_is_looked_at(home: Path) -> None:
    (home / "config.toml").write_text("model = ")
    findings = list(examine())
    assert [finding.subject for finding in findings if "config.toml" in finding.message] == ["settings"]
    assert any(finding.subject == "kernel" for finding in findings)


def test_a_limit_for_no_kind_of_task_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICE_KERNEL_TASK_LIMITS", "shell=8,test=1")
    finding = next(one for one in examine() if one.subject == "settings")
    assert finding.level == "bad"
    assert "for test, but" in finding.message
    assert "VOICE_KERNEL_TASK_LIMITS" in finding.cure


def test_a_cluster_that_is_not_there_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("executor") == Finding("executor", "ok", "commands and tests run on this machine")
    monkeypatch.setenv("VOICE_KERNEL_EXECUTOR", "dask")
    assert found("executor").message == "No Dask scheduler is configured."
    assert "VOICE_KERNEL_DASK_SCHEDULER" in found("executor").cure


def test_what_runs_mcp_servers_is_named_and_a_missing_program_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(home / "data"))
    assert "0 MCP servers; " in found("servers").message
    file = home / "data" / "voice_kernel" / "mcp.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"mcpServers": {"helper": {"command": "no-such-program"}}}')
    assert found("servers") == Finding(
        "servers", "bad", "MCP servers need no-such-program, which is not here"
    )
