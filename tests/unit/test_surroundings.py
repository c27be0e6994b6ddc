"""What exists around the user: asked for often, scanned seldom, never waited for long."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from voice_kernel import surroundings
from voice_kernel.context import Context, Variable
from voice_kernel.surroundings import Names, Surroundings

DF = Variable("df", "DataFrame", (3, 2), ("price", "month"))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no scan be late, and none be old, because the machine is slow."""
    monkeypatch.setattr(surroundings, "SCAN_LIMIT_S", 60.0)
    monkeypatch.setattr(surroundings, "SCAN_EVERY_S", 7200.0)
    monkeypatch.setattr(surroundings, "SCAN_AGAIN_S", 3600.0)


def make(scan: object, cwd: Path = Path(".")) -> Surroundings:
    return Surroundings(lambda: cwd, lambda: (DF,), lambda: (1, 2), scan, ("dbt",))  # type: ignore[arg-type]


async def test_the_context_holds_names_files_tests_tasks_and_the_users_words() -> None:
    context = await make(lambda _: (("a.py", "tests/"), ("test_a",))).refresh()
    assert context.variables == (DF,)
    assert context.files == ("a.py", "tests/")
    assert context.tests == ("test_a",)
    assert context.tasks == (1, 2)
    assert context.words == ("dbt",)


async def test_a_folder_is_scanned_once_for_two_turns_in_a_row() -> None:
    scanned: list[Path] = []

    def scan(folder: Path) -> Names:
        scanned.append(folder)
        return (), ()

    around = make(scan)
    await around.refresh()
    await around.refresh()
    assert len(scanned) == 1


async def test_looking_again_scans_at_once_but_not_several_times_a_second() -> None:
    tests: list[str] = []

    def scan(_folder: Path) -> Names:
        return (), tuple(tests)

    around = make(scan)
    await around.refresh()
    tests.append("test_new")
    assert (await around.look_again()).tests == ()  # the last scan is only just over
    around._scanned_at -= surroundings.SCAN_AGAIN_S + 1
    assert (await around.refresh()).tests == ()
    assert (await around.look_again()).tests == ("test_new",)


async def test_another_working_folder_is_scanned_at_once() -> None:
    folders = [Path("a"), Path("b")]
    around = Surroundings(lambda: folders[0], lambda: (), lambda: (), lambda f: ((f.name,), ()))
    assert (await around.refresh()).files == ("a",)
    folders.pop(0)
    assert (await around.refresh()).files == ("b",)


async def test_without_a_working_folder_there_are_still_variables(tmp_path: Path) -> None:
    def cwd() -> Path:
        raise FileNotFoundError

    around = Surroundings(cwd, lambda: (DF,), lambda: (), lambda f: ((f.name,), ()))
    context = await around.refresh()
    assert (context.variables, context.files) == ((DF,), ())


async def test_a_slow_disk_does_not_hold_up_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "SCAN_LIMIT_S", 0.05)
    released = threading.Event()

    def scan(_: Path) -> Names:
        released.wait(600)
        return ("late.py",), ()

    around = make(scan)
    waiting = asyncio.ensure_future(around.refresh())
    try:
        context = await asyncio.wait_for(waiting, 60)
        assert context.files == ()
    finally:
        released.set()


async def test_a_disk_that_hangs_holds_one_turn_up_and_not_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "SCAN_LIMIT_S", 0.05)
    begun, released = threading.Event(), threading.Event()
    scanned: list[Path] = []

    def scan(folder: Path) -> Names:
        scanned.append(folder)
        begun.set()
        released.wait(600)
        return (), ()

    around = make(scan)
    try:
        await around.refresh()
        monkeypatch.setattr(surroundings, "SCAN_LIMIT_S", 600.0)
        around._begun_at -= 600  # it hangs for so long by now
        async with asyncio.timeout(60):  # whoever waits again takes ten minutes
            for _ in range(20):
                await around.refresh()
        assert await asyncio.to_thread(begun.wait, 60)
        assert len(scanned) == 1
    finally:
        released.set()


def test_a_pipe_that_is_called_like_a_test_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "test_pipe.py")
    (tmp_path / "test_file.py").write_text("def test_reads(): ...\n")
    found: list[Names] = []
    scanning = threading.Thread(target=lambda: found.append(surroundings.scan(tmp_path)), daemon=True)
    scanning.start()
    scanning.join(60)
    assert found == [(("test_file.py", "test_pipe.py"), ("test_reads",))]


async def test_a_folder_that_cannot_be_read_leaves_the_names_known_before() -> None:
    def scan(_: Path) -> Names:
        raise PermissionError

    assert (await make(scan).refresh()).variables == (DF,)


def test_a_scan_names_files_folders_and_tests_and_leaves_out_what_nobody_says(tmp_path: Path) -> None:
    for name in (".git/config", "node_modules/x/index.js", "tests/unit/test_store.py", "src/store.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "tests/unit/test_store.py").write_text(
        "def test_keeps(): ...\nclass TestStore:\n    async def test_loses(self): ...\ndef helper(): ...\n"
    )
    files, tests = surroundings.scan(tmp_path)
    assert set(files) == {"tests/", "tests/unit/", "tests/unit/test_store.py", "src/", "src/store.py"}
    assert tests == ("test_keeps", "TestStore", "test_loses")


def test_a_scan_of_a_huge_folder_is_capped(tmp_path: Path) -> None:
    for number in range(surroundings.MAX_FILES + 50):
        (tmp_path / f"file{number}.txt").touch()
    assert len(surroundings.scan(tmp_path)[0]) == surroundings.MAX_FILES


def test_a_scan_of_a_folder_that_is_gone_gives_nothing(tmp_path: Path) -> None:
    assert surroundings.scan(tmp_path / "gone") == ((), ())


async def test_a_turn_that_looks_just_as_a_scan_ends_does_not_take_it_from_another() -> None:
    going_on = threading.Event()

    def scan(_folder: Path) -> Names:
        going_on.wait(60)
        return ("a.py",), ()

    around = make(scan)
    first = asyncio.ensure_future(around.refresh())
    await asyncio.sleep(0)
    scanning = around._scanning
    assert scanning is not None

    async def next_turn() -> Context:
        while not scanning.done():  # noqa: ASYNC110 - it is to be the first that sees it
            await asyncio.sleep(0)
        return await around.refresh()

    following = asyncio.ensure_future(next_turn())
    going_on.set()
    assert (await first).files == ("a.py",)
    assert (await following).files == ("a.py",)
