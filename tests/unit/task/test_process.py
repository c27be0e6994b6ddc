"""Commands end, and nothing they started outlives them. Real processes throughout."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hasty_loop import run_past

from voice_kernel.task import process
from voice_kernel.task.process import Exit

T = TypeVar("T")
LIMIT_S = 120.0
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and a subreaper")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(LIMIT_S):
            return await coroutine

    return asyncio.run(bounded())


def shell(command: str, **options: Any) -> tuple[Exit, str]:
    output = bytearray()
    exit_ = run(process.run(process.shell_argv(command), on_output=output.extend, **options))
    return exit_, output.decode()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < give_up_at, "the condition did not come true in time"
        time.sleep(0.005)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - the state belongs to other processes
            await asyncio.sleep(0.005)


def pids_in(folder: Path) -> list[int]:
    """The pids that a command wrote into files of this folder, each as its name."""
    return [int(path.name) for path in folder.iterdir()]


NOTE = "touch pids/$BASHPID; "
"""Shell text that notes the pid of the (sub)shell that runs it."""


def test_output_and_exit_status_come_back() -> None:
    begin = time.monotonic()
    exit_, output = shell("echo one; echo two >&2; exit 3")
    assert (exit_.code, exit_.signal, exit_.problem) == (3, "", "")
    assert output == "one\ntwo\n"
    assert 0 < exit_.duration_s <= time.monotonic() - begin


def test_a_terminal_has_a_sensible_size_and_plain_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # of the terminal in which Jupyter was started
    exit_, output = shell("test -t 1 && test -t 2 && tput cols && tput lines", pty=True)
    assert (exit_.code, output) == (0, "120\n40\n")


def test_without_a_terminal_output_is_a_pipe() -> None:
    assert shell("test -t 1 || echo pipe")[1] == "pipe\n"


@pytest.mark.parametrize("pty", [False, True])
def test_reading_stdin_gives_its_end_at_once(pty: bool) -> None:
    exit_, output = shell("cat; read line || echo end", pty=pty)
    assert (exit_.code, output) == (0, "end\n")


def test_asking_at_the_terminal_for_a_password_fails_instead_of_waiting() -> None:
    exit_, output = shell("read password < /dev/tty", pty=True)
    assert exit_.code != 0
    assert "/dev/tty" in output


def test_the_signal_that_ended_it_is_named() -> None:
    exit_, _ = shell("kill -SEGV $$")
    assert (exit_.code, exit_.signal) == (139, "SIGSEGV")


def test_a_missing_command_is_a_result_with_a_reason() -> None:
    exit_ = run(process.run(["no-such-command-here"]))
    assert exit_.code == 127
    assert exit_.problem == "There is no command named 'no-such-command-here' here."


def test_a_missing_folder_is_a_result_with_a_reason(tmp_path: Path) -> None:
    exit_ = run(process.run(["true"], cwd=tmp_path / "gone"))
    assert exit_.code == 127
    assert "gone cannot be entered: No such file or directory." in exit_.problem


def test_a_time_limit_ends_the_command_and_keeps_its_output() -> None:
    output = bytearray()
    command = process.shell_argv("echo begun; sleep 600")
    running = process.run(command, on_output=output.extend, timeout_s=300)
    exit_ = run_past(300, lambda: bool(output), running)
    assert exit_.timed_out
    assert exit_.signal == "SIGTERM"
    assert output == b"begun\n"


def test_keys_are_not_in_the_environment_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OTHER_API_KEY", "JPY_API_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "value")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    _, output = shell("env")
    names = {line.partition("=")[0] for line in output.splitlines()}
    assert not names & {"OPENAI_API_KEY", "OTHER_API_KEY", "JPY_API_TOKEN", "MPLBACKEND"}
    assert {"AWS_PROFILE", "PATH", "HOME"} <= names


def test_descriptors_of_the_kernel_are_not_inherited() -> None:
    secret_r, secret_w = os.pipe()
    os.set_inheritable(secret_r, True)
    try:
        _, output = shell(f"ls /proc/self/fd; test -e /proc/self/fd/{secret_r} || echo closed")
    finally:
        os.close(secret_r)
        os.close(secret_w)
    assert output.split() == ["0", "1", "2", "3", "closed"]  # 3 is ls's own


def test_signals_have_their_usual_meaning_in_a_command() -> None:
    # Python ignores SIGPIPE; a command that inherited that would go on writing to nobody.
    exit_, output = shell("kill -PIPE $$; echo ignored")
    assert (exit_.signal, output) == ("SIGPIPE", "")


def test_a_background_process_that_holds_the_output_does_not_hold_up_the_end() -> None:
    exit_, output = shell("sleep 3600 & echo done", pty=True)  # `run` would not wait for that
    assert output == "done\n"
    assert (exit_.code, exit_.ended) == (0, 1)


@linux_only
def test_whatever_escapes_its_session_is_ended_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    nested = f"{NOTE} sleep 600; true"
    exit_, _ = shell(
        f"setsid bash -c '{nested}' & "  # another session
        f"(setsid bash -c '({nested}) &' &) ; "  # twice forked, its parents gone
        f"nohup bash -c '{nested}' >/dev/null 2>&1 & "
        "while [ $(ls pids | wc -l) -lt 3 ]; do sleep 0.01; done",
        cwd=tmp_path,
    )
    assert exit_.ended >= 3
    assert not any(map(alive, pids_in(tmp_path / "pids")))


@linux_only
def test_cancelling_ends_the_whole_tree_quickly(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()

    async def scenario() -> None:
        command = f"{NOTE} setsid bash -c '{NOTE} sleep 600; true' & bash -c '{NOTE} sleep 600 | cat'; true"
        task = asyncio.create_task(
            process.run(process.shell_argv(command), cwd=tmp_path, pty=True, grace_s=3600)
        )
        await until(lambda: len(pids_in(tmp_path / "pids")) == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())  # which would not wait for the time of grace: nobody had to be killed
    assert not any(map(alive, pids_in(tmp_path / "pids")))


@linux_only
def test_what_ignores_sigterm_is_killed_after_the_time_of_grace(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()

    async def scenario() -> None:
        command = f"trap '' TERM; {NOTE} while true; do sleep 600; done"
        task = asyncio.create_task(process.run(process.shell_argv(command), cwd=tmp_path, grace_s=0.2))
        await until(lambda: len(pids_in(tmp_path / "pids")) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())
    assert not any(map(alive, pids_in(tmp_path / "pids")))


@linux_only
def test_what_forks_on_while_it_is_being_ended_is_ended_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    # Told to end, it starts a copy in a session of its own, which does not listen any more.
    (tmp_path / "hydra.sh").write_text(
        f"trap 'trap \"\" TERM; setsid bash hydra.sh & exit' TERM\n{NOTE}\nwhile true; do sleep 0.02; done\n"
    )

    async def scenario(grace_s: float) -> int:
        before = len(pids_in(tmp_path / "pids"))
        task = asyncio.create_task(process.run(["bash", "hydra.sh"], cwd=tmp_path, grace_s=grace_s))
        await until(lambda: len(pids_in(tmp_path / "pids")) > before)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(pids_in(tmp_path / "pids")) - before

    for grace_s in (0.3, 3.0, 30.0):  # until that is long enough to fork in
        count = run(scenario(grace_s))
        assert not any(map(alive, pids_in(tmp_path / "pids")))
        if count > 1:
            break
    assert count > 1


def test_a_command_that_says_goodbye_is_heard_to_the_end() -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    print('x' * 200_000); print('goodbye'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\ntime.sleep(600)\n"
    )
    output = bytearray()

    async def scenario() -> None:
        task = asyncio.create_task(
            process.run([sys.executable, "-c", code], on_output=output.extend, grace_s=60)
        )
        await until(lambda: b"ready" in output)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(scenario())
    assert output.endswith(b"goodbye\n")


def test_cancelling_twice_still_ends_everything(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()

    async def scenario() -> None:
        command = f"trap '' TERM; {NOTE} while true; do sleep 600; done"
        task = asyncio.create_task(process.run(process.shell_argv(command), cwd=tmp_path, grace_s=0.2))
        await until(lambda: len(pids_in(tmp_path / "pids")) == 1)
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not any(map(alive, pids_in(tmp_path / "pids"))))

    run(scenario())


def test_nothing_is_left_open_after_many_commands() -> None:
    def opened() -> set[tuple[str, str]]:
        """The pipes and terminals of this process; what else it has open may belong to other threads."""
        found = set()
        for fd in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # that of the listing itself
                found.add((fd, os.readlink(f"/proc/self/fd/{fd}")))
        return {(fd, name) for fd, name in found if name.startswith(("pipe:", "/dev/"))}

    async def scenario() -> set[tuple[str, str]]:
        await process.run(["true"], pty=True)
        before = opened()
        for pty in (True, False):
            await process.run(["true"], pty=pty, on_event=lambda _: None, event_variable="EVENTS")
            await process.run(["no-such-command-here"], pty=pty)
        return opened() - before

    assert run(scenario()) == set()


def test_events_come_through_a_descriptor_of_their_own() -> None:
    events, output = bytearray(), bytearray()
    run(
        process.run(
            process.shell_argv('echo event >&"$EVENTS"; echo output'),
            on_output=output.extend,
            on_event=events.extend,
            event_variable="EVENTS",
        )
    )
    assert (bytes(events), bytes(output)) == (b"event\n", b"output\n")


def test_a_fault_of_the_taker_ends_the_command_and_is_raised() -> None:
    def take(_data: bytes) -> None:
        raise ValueError("taker")

    with pytest.raises(ValueError, match="taker"):
        run(process.run(process.shell_argv("echo x; sleep 600"), on_output=take))


@pytest.mark.parametrize("pty", [False, True])
def test_all_bytes_of_a_flood_arrive_in_pieces(pty: bool) -> None:
    sizes: list[int] = []
    exit_ = run(
        process.run(
            process.shell_argv("yes 0123456789 | head -c 20000000"),
            pty=pty,
            on_output=lambda data: sizes.append(len(data)),
        )
    )
    assert exit_.code == 0
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= process.PIECE_BYTES


OWNER = """
import asyncio, os, sys
from voice_kernel.task import process
async def main():
    task = asyncio.create_task(process.run(process.shell_argv(sys.argv[1]), pty=True))
    if sys.argv[2] == "forks":
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        pid = os.fork()  # as multiprocessing does: the copy keeps every descriptor open
        if pid == 0:
            import time
            open("copy-%d" % os.getpid(), "w").close()
            time.sleep(600)
    await task
asyncio.run(main())
"""


def owner(tmp_path: Path, command: str, how: str = "") -> subprocess.Popen[bytes]:
    root = Path(process.__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, command, how],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


TREE = f"{NOTE} setsid bash -c '{NOTE} sleep 600; true' & sleep 600; true"


@linux_only
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_kernel_that_is_killed(tmp_path: Path, number: int) -> None:
    (tmp_path / "pids").mkdir()
    kernel = owner(tmp_path, TREE)
    wait_until(lambda: len(pids_in(tmp_path / "pids")) == 2)
    kernel.send_signal(number)
    kernel.wait()
    wait_until(lambda: not any(map(alive, pids_in(tmp_path / "pids"))))


@linux_only
def test_nothing_outlives_a_killed_kernel_of_which_a_forked_copy_lives_on(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    kernel = owner(tmp_path, TREE, "forks")
    wait_until(lambda: len(pids_in(tmp_path / "pids")) == 2 and bool(list(tmp_path.glob("copy-*"))))
    copy = int(next(tmp_path.glob("copy-*")).name.partition("-")[2])
    try:
        kernel.kill()
        kernel.wait()
        wait_until(lambda: not any(map(alive, pids_in(tmp_path / "pids"))))
        assert alive(copy)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(copy, signal.SIGKILL)


def reaper_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@linux_only
def test_a_killed_reaper_takes_its_command_along(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()

    async def scenario() -> Exit:
        task = asyncio.create_task(process.run(process.shell_argv(f"{NOTE} sleep 600; true"), cwd=tmp_path))
        await until(lambda: len(pids_in(tmp_path / "pids")) == 1)
        os.kill(reaper_of(pids_in(tmp_path / "pids")[0]), signal.SIGKILL)
        return await task

    assert run(scenario()).signal == "SIGKILL"
    wait_until(lambda: not any(map(alive, pids_in(tmp_path / "pids"))))


@linux_only
def test_an_interrupt_of_the_kernels_group_does_not_reach_a_command(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()

    async def scenario() -> tuple[int, int]:
        task = asyncio.create_task(process.run(process.shell_argv(f"{NOTE} read < wait"), cwd=tmp_path))
        os.mkfifo(tmp_path / "wait")
        await until(lambda: len(pids_in(tmp_path / "pids")) == 1)
        pid = pids_in(tmp_path / "pids")[0]
        groups = os.getpgid(pid), os.getpgid(reaper_of(pid))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return groups

    command_group, reaper_group = run(scenario())
    assert os.getpgid(0) not in (command_group, reaper_group)
    assert command_group != reaper_group
