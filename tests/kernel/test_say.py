"""`voice-kernel say`: words in, events out, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voice_kernel.store import History

SAY = [sys.executable, "-c", "from voice_kernel.cli import main; raise SystemExit(main())", "say"]


def say(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "IPYTHONDIR": str(folder.parent / "ipython"),
        "JUPYTER_DATA_DIR": str(folder.parent / "data"),
        "TMPDIR": str(folder.parent),
    }
    environment.pop("ALLOW_CLI_EXECUTION", None)
    return subprocess.run(
        [*SAY, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "sales.csv").write_text("a,b\n")
    return folder


def test_only_what_is_the_users_is_in_the_folder(folder: Path) -> None:
    done = say(folder, "list", "the", "files")
    assert done.returncode == 0, done.stderr
    assert "sales.csv" in done.stdout
    assert "ipc" not in done.stdout
    assert [path.name for path in folder.iterdir()] == ["sales.csv"]
    assert not list(folder.parent.glob("voice-kernel-*"))


def test_a_wrong_setting_is_said_and_not_blamed_on_the_installation(folder: Path) -> None:
    (folder / ".env").write_text("ALLOW_CLI_EXECUTION=perhaps")
    done = say(folder, "help")
    assert done.returncode == 1
    assert ".env" in done.stderr
    assert "Install" not in done.stderr


def test_a_refused_command_has_an_exit_code_of_its_own(folder: Path) -> None:
    done = say(folder, "run the command echo hello")
    assert done.returncode == 4
    assert "ALLOW_CLI_EXECUTION" in done.stderr


def test_a_slip_in_the_users_own_sentences_takes_no_command_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder.parent / "sentences.yaml"
    own.write_text("intents: [")
    monkeypatch.setenv("VOICE_KERNEL_SENTENCES_FILE", str(own))
    done = say(folder, "list", "the", "files")
    assert done.returncode == 0, done.stderr
    assert "sales.csv" in done.stdout
    assert "Your own sentences are left out" in done.stderr
    assert str(own) in done.stderr


def test_what_was_said_at_a_terminal_is_in_the_history(folder: Path) -> None:
    assert say(folder, "list", "the", "files").returncode == 0
    assert say(folder, "show", "variables").returncode == 0
    with History("", folder.parent / "data" / "voice_kernel") as history:
        tasks, _ = history.find()
        threads, _ = history.threads()
        sessions = history.sessions()
    assert [(past.task.tool, past.task.state) for past in tasks] == [
        ("list_variables", "succeeded"),
        ("list_files", "succeeded"),
    ]
    assert [thread.workspace for thread in threads] == [str(folder), str(folder)]  # each a conversation
    assert [session.ending for session in sessions] == ["closed", "closed"]
