"""`voice-kernel run` beside `jupyter execute`: wall time of the same notebooks, with the same cells run.

Given files as arguments those; else the project's tour and the notebooks of others in tests/data/notebooks.
The two are run in turn, so that a busy moment of the machine meets both.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests"))

from lab import isolated  # noqa: E402  the path comes first

TIMES = 5
BUDGET = 1.25


def cells_run(path: Path) -> list[tuple[int, bool]]:
    """Return which cells were run, by position, and whether each put out an error."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        (at, any(output.output_type == "error" for output in cell.outputs))
        for at, cell in enumerate(cells)
        if cell.cell_type == "code" and cell.execution_count is not None
    ]


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Return the wall time of a command in seconds."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - started


def compare(source: Path, times: int) -> float:
    """Run one notebook both ways; print and return the ratio of the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook = Path(shutil.copy(source, folder))
        beside = source.with_suffix("")
        if beside.is_dir():
            shutil.copytree(beside, folder / beside.name)
        environment = isolated(folder / "jupyter")
        ours = [
            sys.executable,
            "-m",
            "voice_kernel.cli",
            "run",
            notebook.name,
            "-q",
            "--kernel",
            "python3",
            "-o",
            "ours.ipynb",
        ]
        theirs = [
            sys.executable,
            "-m",
            "jupyter",
            "execute",
            notebook.name,
            "--kernel_name=python3",
            "--output=theirs.ipynb",
        ]
        walls: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(times + 1):
            walls["ours"].append(timed(ours, folder, environment))
            walls["theirs"].append(timed(theirs, folder, environment))
        same = cells_run(folder / "ours.ipynb") == cells_run(folder / "theirs.ipynb")
        # The first of each fills caches: bytecode, fonts, the disk.
        mine, peer = (statistics.median(walls[who][1:]) for who in ("ours", "theirs"))
    ratio = mine / peer
    print(
        f"{source.name:<32} voice-kernel run {mine:6.2f} s   jupyter execute {peer:6.2f} s   "
        f"ratio {ratio:.2f} (at most {BUDGET})   same cells: {'yes' if same else 'NO'}",
        flush=True,
    )
    return ratio if same else float("inf")


def main() -> int:
    chosen = [Path(argument).resolve() for argument in sys.argv[1:]]
    others = sorted((PROJECT / "tests" / "data" / "notebooks").glob("*.ipynb"))
    ratios = [compare(path, TIMES) for path in chosen or [PROJECT / "notebooks" / "tour.ipynb", *others]]
    return 1 if max(ratios) > BUDGET else 0


if __name__ == "__main__":
    sys.exit(main())
