"""The tour's commands in German, typed, run in a notebook without a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
from lab import isolated, write_notebook

CELLS = (
    "%load_ext voice_kernel",
    "import pandas as pd\n\ndf = pd.DataFrame({'Monat': ['Jan', 'Feb'], 'Umsätze': [3, 5]})",
    "%voice was kann ich sagen",
    "%voice liste die Variablen auf",
    "%voice beschreibe den Dataframe df",
    "%voice zeichne Umsätze gegen Monat",
    "%voice führe die Tests aus, die zu Umsatz passen",
    "%%voice\nliste die Dateien auf\nzeige df\nführe den Code zwei hoch zehn aus",
    "try:\n    get_ipython().run_line_magic('voice', 'wir haben die Tests letzte Woche ausgeführt')\n"
    "except Exception as error:\n    print(type(error).__name__)",
)


def seen(cell: nbformat.NotebookNode) -> str:
    """Return what a person reads below a cell."""
    parts = (out.get("data", {}).get("text/html", "") + out.get("text", "") for out in cell.outputs)
    return " ".join(re.sub(r"<[^>]*>", " ", " ".join(parts)).split())


def test_the_tour_can_be_typed_in_german(tmp_path: Path) -> None:
    (tmp_path / "test_umsatz.py").write_text("def test_umsatz():\n    assert True\n")
    path = tmp_path / "buch.ipynb"
    write_notebook(path, CELLS)
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", "--inplace", path.name],
        cwd=tmp_path, env={**isolated(tmp_path / "jupyter"), "VOICE_KERNEL_LANGUAGE": "de"},
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    left = [seen(cell) for cell in nbformat.read(path, as_version=4).cells]
    assert "führe Zelle drei aus" in left[2]
    assert "df" in left[3]
    assert "Umsätze" in left[4]
    assert "1 passed" in left[6]
    assert "test_umsatz.py" in left[7]
    assert "1024" in left[7]
    assert "TurnFailed" in left[8]
