"""Whatever ends us, no Chromium, no driver, no profile and no temporary folder is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_kernel.tools.browser.driver import PREFIX

from .conftest import LIMIT_S, desk_over

CHILD = """
import asyncio, sys
from pathlib import Path
from voice_kernel.tools.browser import BrowserLife, Choices
async def main():
    life = BrowserLife(Choices(), Path.cwd, lambda: "one")
    window = await life.window()
    await window.page.goto("about:blank")
    print("open", flush=True)
    if sys.argv[1] == "close":
        await life.stop()
        return
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that nobody else uses, so that whatever is found there is the browser's."""
    folder = Path(tempfile.mkdtemp(prefix="vk-", dir="/tmp"))  # short: Chromium opens a socket below it
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    monkeypatch.undo()
    tempfile.tempdir = None
    folder.rmdir()


def living(folder: Path) -> list[str]:
    """Return the command lines of processes that know of a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            known = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if str(folder).encode() in known and (entry / "cmdline").read_bytes():
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:1000])
        except OSError:  # gone meanwhile
            continue
    return found


async def nothing_left(folder: Path) -> None:
    async with asyncio.timeout(LIMIT_S):
        while living(folder) or os.listdir(folder):  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("ending", ["close", "SIGKILL", "SIGTERM"])
async def test_nothing_is_left_whichever_way_the_kernel_ends(temporary: Path, ending: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, ending, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"open\n"
    if ending != "close":
        assert any("chrom" in line for line in living(temporary))
        assert any("run-driver" in line for line in living(temporary))
        child.send_signal(getattr(signal, ending))
    await child.wait()
    await nothing_left(temporary)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_the_browser_can_be_closed_and_opened_again(temporary: Path) -> None:
    desk = desk_over(temporary.parent)
    for _ in range(2):
        await desk.life.window()
        assert await desk.life.close()
        await nothing_left(temporary)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_what_an_earlier_kernel_left_is_swept_and_what_lives_is_not(temporary: Path) -> None:
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    stale = temporary / f"{PREFIX}{gone.pid}-x"
    alive = temporary / f"{PREFIX}{os.getpid()}-x"
    stale.mkdir()
    alive.mkdir()
    desk = desk_over(temporary.parent)
    await desk.life.window()
    assert not stale.exists()
    assert alive.exists()
    alive.rmdir()
    await desk.life.stop()
    await nothing_left(temporary)
