"""Other people's test suites: the same counts as pytest's own, and what it costs to tell of each test.

The suites are those of three packages, downloaded as they are published (with pip, into a folder beside the
project that is not kept) and run in a throw-away environment with what they ask for. The peer is bare pytest,
in turn with run_tests; the time is measured on a suite that takes longer than 5 s.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from voice_kernel.events import Hub
from voice_kernel.messages import About, Result, Task
from voice_kernel.task.logs import LogFolder
from voice_kernel.task.runner import Runner, TaskHandle
from voice_kernel.toolbox.registry import Registry
from voice_kernel.tools import testing

OUT = Path(__file__).parents[2] / "out" / "suites"
RUNS = 5
MAX_RATIO = 1.25
MIN_S = 5.0
"""A suite shorter than this says more about starting a process than about tests."""
TIMED = ("attrs", "tests")
"""What is timed: some 7 s of many short tests, where all of attrs takes a minute in a few long ones."""


@dataclass(frozen=True)
class Suite:
    """One package whose tests are run."""

    name: str
    version: str
    needs: tuple[str, ...]
    """What its tests import besides pytest and itself."""


SUITES = (
    Suite("pluggy", "1.6.0", ("pytest-benchmark==5.1.0",)),
    Suite("iniconfig", "2.3.0", ()),
    Suite("attrs", "25.3.0", ("hypothesis==6.138.0", "cloudpickle==3.1.1")),
)


def fetched(suite: Suite) -> Path:
    """Download a package's source and give it an environment, once."""
    folder = OUT / f"{suite.name}-{suite.version}"
    if (folder / ".venv" / "ready").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    wanted = f"{suite.name}=={suite.version}"
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    # Its source, but not that of whatever builds it: pip prepares a build to learn the metadata.
    source = [*pip, "download", "--no-binary", suite.name, "--no-deps", "-d", str(OUT), wanted]
    subprocess.run(source, check=True)
    with tarfile.open(next(OUT.glob(f"{suite.name}-{suite.version}.tar.gz"))) as archive:
        archive.extractall(OUT, filter="data")
    environment = folder / ".venv"
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    assert uv is not None, "uv is not installed: pip install uv"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(environment)], check=True)
    python = str(environment / "bin" / "python")
    packages = ["pytest==8.4.1", "pytest-xdist==3.8.0", *suite.needs, str(folder)]
    variables = {**os.environ, "SETUPTOOLS_SCM_PRETEND_VERSION": suite.version}
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *packages], check=True, env=variables)
    (environment / "ready").touch()
    return folder


Counts = tuple[int, int, int, int]
"""Passed, failed, errors, skipped; as JUnit has it, tests that are expected to fail are skipped."""


def bare(folder: Path) -> tuple[Counts, float]:
    """Run pytest by itself, and return its own counts and the time."""
    report = folder.parent / f"{folder.name}.xml"
    command = [str(folder / ".venv" / "bin" / "python"), "-m", "pytest", "-q", f"--junitxml={report}"]
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - begin
    suite = ElementTree.parse(report).getroot()[0]
    tests, failed, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    return (tests - failed - errors - skipped, failed, errors, skipped), took


def bare_time(folder: Path) -> float:
    """Run pytest by itself, with its output thrown away, and return the time."""
    begin = time.perf_counter()
    subprocess.run(
        [str(folder / ".venv" / "bin" / "python"), "-m", "pytest", TIMED[1]],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


async def ours(folder: Path, path: str = "") -> tuple[Counts, float]:
    """Run the tests as the assistant does, and return the counts and the time."""
    registry = Registry()
    testing.register(registry, cwd=lambda: folder)
    logs = LogFolder(folder.parent / "logs")
    runner = Runner(Hub(About(version="bench")), lambda task_id: logs.open(f"task-{task_id}"))
    handle = runner.create(turn_id=1, tool="run_tests", arguments={}, title="run_tests", origin="text")
    spec = registry.get("run_tests")
    assert spec.handler is not None
    handler = spec.handler

    async def work(task: TaskHandle) -> Result:
        task.move("running")
        return await handler(task, spec.validate({"path": path}))

    begin = time.perf_counter()
    task: Task = await runner.run(handle, work)
    took = time.perf_counter() - begin
    assert task.result is not None, task.problem
    assert task.result.tests is not None, task.problem
    told = task.result.tests
    return (told.passed, told.failed, told.errors, told.skipped), took


def main() -> int:
    """Compare, print, and return 1 when a count differs or it takes too long."""
    os.environ.pop("PYTEST_ADDOPTS", None)
    right = True
    timed = OUT
    print("  counts: passed, failed, errors, skipped")
    for suite in SUITES:
        folder = fetched(suite)
        own, took = bare(folder)
        told, _ = asyncio.run(ours(folder))
        right &= own == told and sum(own) > 0
        timed = folder if suite.name == TIMED[0] else timed
        print(f"  {suite.name:<10} {suite.version:<8} pytest {own}   run_tests {told}   {took:5.1f} s")
    times: dict[str, list[float]] = {"pytest": [], "run_tests": []}
    for _ in range(RUNS):
        times["pytest"].append(bare_time(timed))
        times["run_tests"].append(asyncio.run(ours(timed, TIMED[1]))[1])
    medians = {who: statistics.median(taken) for who, taken in times.items()}
    if medians["pytest"] < MIN_S:
        print(f"  It took {medians['pytest']:.1f} s only: {MIN_S:.0f} s are wanted.")
    ratio = medians["run_tests"] / medians["pytest"]
    print(
        f"  {' '.join(TIMED)}, median of {RUNS}: pytest {medians['pytest']:.2f} s, "
        f"run_tests {medians['run_tests']:.2f} s, ratio {ratio:.2f} (at most {MAX_RATIO})"
    )
    return 0 if right and ratio <= MAX_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
