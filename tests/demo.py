"""`make demo`: run the tour headless and leave an executed notebook and an HTML page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from lab import isolated

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def run_tour(out: Path) -> tuple[Path, Path]:
    """Execute a copy of the tour in `out`; returns the notebook and the page.

    Raises:
        CalledProcessError: a cell failed.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(NOTEBOOKS / "tour", out / "tour", dirs_exist_ok=True)
    notebook = Path(shutil.copy(NOTEBOOKS / "tour.ipynb", out))
    environment = isolated(out / "jupyter")
    jupyter = [sys.executable, "-m", "jupyter"]
    subprocess.run(
        [*jupyter, "execute", "--inplace", "--timeout=300", notebook.name],
        cwd=out,
        env=environment,
        check=True,
    )
    subprocess.run(
        [*jupyter, "nbconvert", "--to", "html", notebook.name], cwd=out, env=environment, check=True
    )
    return notebook, notebook.with_suffix(".html")


if __name__ == "__main__":
    made = run_tour(Path(sys.argv[1]).resolve())
    print("\nThe tour, executed:\n  " + "\n  ".join(str(path.relative_to(Path.cwd())) for path in made))
