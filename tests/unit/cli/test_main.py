"""The command line: what it prints and returns without a kernel."""

import subprocess
import sys

import pytest

from voice_kernel.cli import main
from voice_kernel.cli.exits import exit_of
from voice_kernel.messages import Problem, Turn
from voice_kernel.version import __version__


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    for command in ("lab", "parse", "transcribe", "say", "run", "history", "replay", "doctor"):
        assert f"\n    {command}" in said


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"voice-kernel {__version__}\n"


def test_recordings_are_kept_only_where_the_person_says_so(capsys, tmp_path):
    assert main(["lab", "--keep-audio", str(tmp_path), "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith(f"VOICE_KERNEL_KEEP_AUDIO={tmp_path} ")
    assert main(["lab", "--dry-run"]) == 0
    assert "KEEP_AUDIO" not in capsys.readouterr().out


def test_nothing_heavy_is_imported_to_read_options():
    heavy = "pydantic sqlalchemy alembic nbformat jupyter_client hassil numpy"
    code = f"import sys, voice_kernel.cli; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("state", "kind", "code"),
    [
        ("succeeded", "", 0),
        ("nothing", "", 3),
        ("cancelled", "", 130),
        ("failed", "ZeroDivisionError", 1),
        ("failed", "NobodyToAsk", 4),
        ("failed", "Refused", 4),
    ],
)
def test_the_end_of_a_turn_is_an_exit_code(state, kind, code):
    problem = Problem(kind=kind, message="") if kind else None
    assert exit_of(Turn(id=1, state=state, origin="text", created_at=0, problem=problem)) == code


def test_a_turn_that_never_began_is_a_failure():
    assert exit_of(None) == 1
