"""Whose process lives is known by its lock: without a clock, and whatever way it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from voice_kernel.store import owner
from voice_kernel.store.owner import Owner, forget, lives, sweep

HOLDS = """
import subprocess, sys
from pathlib import Path
from voice_kernel.store.owner import Owner
held = Owner(Path(sys.argv[1]), "other")
child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
print(child.pid if held.held else "failed", flush=True)
sys.stdin.read()
"""


def test_a_session_of_this_process_lives_until_it_is_released(tmp_path: Path) -> None:
    held = Owner(tmp_path, "mine")
    assert held.held
    assert lives(tmp_path, "mine") is True
    assert lives(tmp_path, "mine") is True  # asking does not take the lock away
    held.release()
    held.release()
    assert not held.held
    assert lives(tmp_path, "mine") is None
    assert list(tmp_path.iterdir()) == []


def test_a_session_of_another_process_lives_until_it_is_killed_whatever_its_children_do(
    tmp_path: Path,
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    try:
        assert lives(tmp_path, "other") is True
        assert not Owner(tmp_path, "other").held
        assert lives(tmp_path, "other") is True
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert lives(tmp_path, "other") is False
    finally:
        os.kill(grandchild, signal.SIGKILL)
        assert child.stdin is not None
        child.stdin.close()
        child.stdout.close()
    forget(tmp_path, "other")
    assert lives(tmp_path, "other") is None


def test_a_fork_of_a_session_is_not_its_owner(tmp_path: Path) -> None:
    held = Owner(tmp_path, "mine")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        # The lock is the parent's: the child sees a living session, as any other process does.
        os.write(writer, repr(lives(tmp_path, "mine")).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    assert os.read(reader, 100) == b"True"
    os.close(reader)
    assert lives(tmp_path, "mine") is True
    held.release()


def test_where_no_lock_can_be_held_nothing_is_claimed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not Owner(tmp_path / "file", "mine").held
    assert lives(tmp_path / "file", "mine") is None


def test_old_locks_that_nobody_holds_are_swept_away(tmp_path: Path) -> None:
    held = Owner(tmp_path, "mine")
    old = {"gone.lock": owner.STALE_S + 60, "new.lock": 0.0, "notes.txt": owner.STALE_S + 60}
    for name, age_s in old.items():
        (tmp_path / name).touch()
        then = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (then, then))
    os.utime(tmp_path / "mine.lock", (0, 0))
    sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.lock", "new.lock", "notes.txt"]
    held.release()
    sweep(tmp_path / "nowhere")
