"""However a kernel ends, nothing of the browser that it drove is left: no process, no port, no folder."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from real_kernel import RealKernel
from web_site import serve

LIMIT_S = 120.0
ENDINGS: dict[str, Callable[[RealKernel], None]] = {
    "SIGKILL": RealKernel.kill,
    "the restart button": RealKernel.restart,
    "a normal shutdown": RealKernel.shut_down,
}


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that nobody else uses; short, since Chromium opens a socket below it."""
    folder = Path(tempfile.mkdtemp(prefix="vk-", dir="/tmp"))
    yield folder
    for left in folder.iterdir():
        left.unlink(missing_ok=True)
    folder.rmdir()


def browsers(folder: Path) -> list[psutil.Process]:
    """Return the processes of the browser whose temporary folder this is: guard, driver and Chromium."""
    found = []
    for process in psutil.process_iter():
        try:
            known = " ".join([*process.cmdline(), process.environ().get("TMPDIR", "")])
            if f"{folder}/voice-kernel-browser-" in known and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:  # gone meanwhile
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the environment of processes")
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_of_the_browser_is_left(temporary: Path, tmp_path: Path, ending: str) -> None:
    kernel = RealKernel(tmp_path, setup="%load_ext voice_kernel", environment={"TMPDIR": str(temporary)})
    try:
        with serve() as site:
            place = site.partition("://")[2]
            kernel.execute(f"%voice open {place}/shop and take a screenshot", timeout_s=LIMIT_S).expect_ok()
        names, ports = set(), []
        for process in browsers(temporary):
            with contextlib.suppress(psutil.Error):  # Chromium ends some of its own
                names.add(process.name())
                ports += [
                    connection.laddr.port
                    for connection in process.net_connections("inet")
                    if connection.status == psutil.CONN_LISTEN
                ]
        assert any("chrom" in name for name in names), names
        assert ports == []  # the browser is driven over pipes
        ENDINGS[ending](kernel)
        deadline = time.monotonic() + LIMIT_S
        while browsers(temporary) or list(temporary.glob("voice-kernel-*")):
            assert time.monotonic() < deadline, (browsers(temporary), os.listdir(temporary))
            time.sleep(0.05)  # nobody tells when a process of others ends
        assert [name for name in os.listdir(temporary) if "playwright" in name or "chrom" in name] == []
    finally:
        if kernel.manager.is_alive():
            kernel.stop()
