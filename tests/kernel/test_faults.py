"""Whatever happens to the place where things are kept, the assistant works and loses nothing written.

The disks, locks, files and clocks here are real ones, of the kernel's process alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from page import SHELL, Notebook, Page

from voice_kernel.messages import ListThreads
from voice_kernel.store import History

PATIENT = """
import functools
from voice_kernel.store import store
store.Patience = functools.partial(store.Patience, busy_s=600)
"""
"""The writer waits for a lock longer than any test does: whoever waits for the writer is not done in time."""

OWN_DISK = 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"'
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
FILL = """
def fill():
    try:
        with open(os.path.join({folder!r}, "filler"), "ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
    except OSError:
        pass
def clear():
    os.remove(os.path.join({folder!r}, "filler"))
"""


def mounting(script: str, folder: Path) -> list[str]:
    """Return a launcher that mounts something for one process and what that starts; skips where none can."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(folder)]
    if shutil.which("unshare") is None or subprocess.run([*launcher, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount anything")
    return launcher


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    # Logs have tests of their own: here they are elsewhere, and well.
    with Notebook(tmp_path, environment=SHELL | {"VOICE_KERNEL_LOG_DIR": str(tmp_path / "logs")}) as notebook:
        yield notebook


def expect_works(page: Page, words: str = "on") -> None:
    """A command runs, and its output is shown."""
    task = page.done(f"echo {words}")
    assert (task.state, task.tail) == ("succeeded", f"{words}\n")


def expect_says(page: Page, words: str) -> None:
    """It is said that nothing is kept, and once what to do."""
    page.until(lambda: page.keeping.state == "memory" and bool(page.keeping.message))
    assert words in page.keeping.message
    assert page.keeping.hint
    page.until(lambda: any(notice.message == page.keeping.message for notice in page.notices))
    (notice,) = [notice for notice in page.notices if notice.level == "warning"]
    assert notice.hint == page.keeping.hint


def titles(page: Page) -> list[str]:
    """What was done according to the history, oldest first; the last may not be written yet."""
    tasks = [past.task for past in reversed(page.find(limit=200)) if past.task.ended_at is not None]
    return [task.title.removeprefix("run_shell ") for task in tasks]


def expect_titles(page: Page, *expected: str) -> None:
    """This is what was done according to the history, as soon as all of it is written."""
    page.until(lambda: titles(page)[-1:] == list(expected[-1:]))
    assert titles(page) == list(expected)


# ---- disk full ----------------------------------------------------------------------------------------


def test_on_a_full_disk_everything_works_and_is_written_when_there_is_room(notebook: Notebook) -> None:
    launcher = mounting(OWN_DISK, notebook.data)
    setup = "import os\n" + FILL.format(folder=str(notebook.data))
    page = notebook.open(launcher=launcher, setup=setup)
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    page.kernel.execute("fill()").expect_ok()
    # The log of changes has some room of its own: fill that too.
    for number in range(200):
        if page.keeping.state == "memory":
            break
        page.done(f"echo {number} {'x' * 4000}")
        page.kernel.execute("fill()").expect_ok()
    expect_says(page, "full")
    expect_works(page, "while full")
    again = Page(page.kernel)  # loaded again
    assert again.keeping.message == page.keeping.message
    page.kernel.execute("clear()").expect_ok()
    page.until_kept()
    expect_works(page, "after")
    page.until(lambda: titles(page)[-1:] == ["echo after"])
    kept = titles(page)
    assert kept[0] == "echo before"
    assert kept[-2:] == ["echo while full", "echo after"]
    check = (
        f"import sqlite3\ndb = sqlite3.connect({str(notebook.data / 'history.db')!r})\n"
        "print(db.execute('pragma integrity_check').fetchall(), end='')"
    )
    assert page.kernel.execute(check).text == "[('ok',)]"
    assert page.notices[-1].message == "Conversations and tasks are being kept again."


def test_on_a_disk_that_is_full_from_the_start_everything_works(notebook: Notebook) -> None:
    launcher = mounting(OWN_DISK, notebook.data)
    setup = "import os\n" + FILL.format(folder=str(notebook.data)) + "fill()\n"
    page = notebook.open(launcher=launcher, setup=setup)
    expect_works(page)
    expect_says(page, "full")
    page.kernel.execute("clear()").expect_ok()
    page.until_kept()
    page.until(lambda: titles(page) == ["echo on"])


# ---- locked -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(database: Path) -> Iterator[sqlite3.Connection]:
    """Keep others from writing, as a backup or a crashed tool may do."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=30)
    connection.execute("begin exclusive")
    try:
        yield connection
    finally:
        connection.close()


def test_while_the_database_is_locked_everything_works_and_is_written_afterwards(
    notebook: Notebook,
) -> None:
    page = notebook.open()
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    until = time.monotonic() + 10
    with locked(notebook.data / "history.db"):
        expect_works(page, "one")
        expect_says(page, "locked")
        expect_works(page, "two")
        Page(page.kernel)
        page.until(lambda: time.monotonic() > until)
    page.until_kept()
    expect_titles(page, "echo before", "echo one", "echo two")


def test_no_command_and_no_page_waits_for_what_is_written(notebook: Notebook) -> None:
    page = notebook.open(setup=PATIENT)
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    with locked(notebook.data / "history.db"):
        expect_works(page, "one")
        expect_works(page, "two")
        assert sorted(Page(page.kernel).tasks) == [1, 2, 3]
    expect_titles(page, "echo before", "echo one", "echo two")


def test_a_database_that_is_locked_from_the_start_keeps_nobody_waiting(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    page.kernel.shut_down()
    with locked(notebook.data / "history.db"):
        page = notebook.open(setup=PATIENT)
        assert page.tasks == {}
        expect_works(page, "meanwhile")
    page.until_kept()
    expect_titles(page, "echo before", "echo meanwhile")
    assert len(page.threads()) == 2  # the old conversation was not there in time: it can be opened


def test_a_cell_waits_two_seconds_for_a_locked_database_and_goes_on(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    page.kernel.shut_down()
    # Another one, of which no page has begun to open the database.
    from real_kernel import RealKernel

    with locked(notebook.data / "history.db"):
        notebook.kernel = RealKernel(
            notebook.folder,
            notebook=notebook.name,
            setup=PATIENT + "import voice_kernel.app",
            environment=notebook.options["environment"],
        )
        begun = time.monotonic()
        cell = notebook.kernel.execute("%load_ext voice_kernel\n%voice run the command echo in the cell")
        cell.expect_ok()
        assert time.monotonic() - begun > 1.5


# ---- damaged ------------------------------------------------------------------------------------------


def moved_aside(notebook: Notebook) -> list[Path]:
    return [path for path in notebook.data.glob("history.corrupt-*") if path.suffix == ".db"]


def test_a_file_truncated_under_a_running_kernel_is_put_aside_and_a_new_one_begun(
    notebook: Notebook,
) -> None:
    page = notebook.open()
    page.until_kept()
    for number in range(5):
        expect_works(page, f"before {number}")
    expect_titles(page, *(f"echo before {number}" for number in range(5)))
    database = notebook.data / "history.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:  # from the log of changes to the file
        connection.execute("pragma wal_checkpoint(truncate)")
    os.truncate(database, database.stat().st_size // 4)
    page.done("echo damaged")
    page.until(lambda: bool(moved_aside(notebook)))
    page.until(lambda: any("damaged" in notice.message for notice in page.notices))
    (notice,) = [notice for notice in page.notices if notice.level == "warning"]
    assert str(moved_aside(notebook)[0].name) in notice.hint
    page.until_kept()
    expect_works(page, "after")
    page.until(lambda: "echo after" in titles(page))
    assert sorted(page.tasks) == [1, 2, 3, 4, 5, 6, 7]  # all that this kernel knows is still shown


def test_a_file_truncated_between_two_kernels_is_put_aside_and_said(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    page.kernel.shut_down()
    size = (notebook.data / "history.db").stat().st_size
    os.truncate(notebook.data / "history.db", size // 2)
    page = notebook.open()
    page.until_kept()
    assert any("damaged" in notice.message for notice in page.notices)
    expect_works(page, "after")
    expect_titles(page, "echo after")
    (aside,) = moved_aside(notebook)
    assert aside.stat().st_size == size // 2  # for whoever can mend it


# ---- read-only ----------------------------------------------------------------------------------------


def test_in_a_read_only_folder_everything_works_and_what_was_kept_stays(notebook: Notebook) -> None:
    page = notebook.open()
    page.until_kept()
    expect_works(page, "before")
    expect_titles(page, "echo before")
    page.kernel.shut_down()

    page = notebook.open(launcher=mounting(READ_ONLY, notebook.data))
    expect_says(page, "read")
    expect_works(page, "in memory")
    page.kernel.shut_down()

    page = notebook.open()
    page.until_kept()
    assert titles(page) == ["echo before"]
    page.until(lambda: 1 in page.tasks)
    assert page.tasks[1].tail == "before\n"


def test_where_no_folder_can_be_made_everything_works(notebook: Notebook) -> None:
    (notebook.folder / "data").write_text("a file where the folder should be")
    page = notebook.open()
    expect_works(page)
    expect_says(page, "")
    assert page.refused(ListThreads(id=1))


# ---- the clock ----------------------------------------------------------------------------------------


def test_a_clock_that_jumps_confuses_nothing(notebook: Notebook) -> None:
    jumping = (
        "import time\ntrue_time, offset = time.time, [0.0]\ntime.time = lambda: true_time() + offset[0]\n"
    )
    page = notebook.open(setup=jumping)
    page.until_kept()
    for name, offset in (("now", 0), ("back", -86_400), ("forth", 10 * 365 * 86_400), ("home", 0)):
        page.kernel.execute(f"offset[0] = {offset}").expect_ok()
        expect_works(page, name)
    page.until(lambda: len(titles(page)) == 4)
    assert titles(page) == ["echo now", "echo back", "echo forth", "echo home"]
    running = page.shell("echo begun; sleep 600")
    page.kernel.execute("offset[0] = -3600").expect_ok()
    page.until(lambda: "begun" in page.tasks[running.id].tail)
    notebook.written(lambda tasks: len(tasks) == 5)
    page.kernel.kill()

    page = notebook.open()
    page.until_shown(1, 2, 3, 4, 5)
    assert page.tasks[5].state == "interrupted"
    assert [page.tasks[i].tail for i in (1, 2, 3, 4)] == ["now\n", "back\n", "forth\n", "home\n"]
    with notebook.history as history:
        for session in history.sessions():
            seqs = [event.seq for event in history.events(session.id)]
            assert seqs == list(range(1, len(seqs) + 1))
        for past in history.find()[0]:
            assert past.task.ended_at is not None
            assert past.task.ended_at >= (past.task.started_at or 0) - 86_400 * 366 * 10


# ---- several kernels ----------------------------------------------------------------------------------


def test_two_kernels_with_one_store_keep_everything_of_both(notebook: Notebook) -> None:
    page = notebook.open()
    with Notebook(notebook.folder, "other.ipynb", environment=notebook.options["environment"]) as other:
        there = other.open()
        page.until_kept()
        there.until_kept()
        for number in range(15):
            first, second = page.shell(f"echo here {number}"), there.shell(f"echo there {number}")
            page.ended(first.id)
            there.ended(second.id)
        here = [f"echo here {number}" for number in range(15)]
        theirs = [f"echo there {number}" for number in range(15)]
        page.until(lambda: len(titles(page)) == 30)
        there.until(lambda: len(titles(there)) == 30)
        assert [title for title in titles(page) if "here" in title and "there" not in title] == here
        assert [title for title in titles(there) if "there" in title] == theirs
        page.kernel.kill()
        there.kernel.shut_down()
    with History("", notebook.data) as history:
        found, more = history.find(limit=200)
        assert (len(found), more) == (30, False)
        sessions = history.sessions()
        assert len(sessions) == 2
        for session in sessions:
            seqs = [event.seq for event in history.events(session.id)]
            assert seqs == list(range(1, len(seqs) + 1))
