"""The tour's commands in German, typed, run in a notebook without a browser."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from lab import executed, write_notebook

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
    "except Exception as error:\n    print(type(error).__name__, error)",
    "try:\n    get_ipython().run_line_magic('voice', 'starte den Kernel neu')\n"
    "except Exception as error:\n    print(type(error).__name__, error)",
)
# A run of pytest would leave `__pycache__` among the folders the tour counts.
NO_CACHES = {"PYTHONDONTWRITEBYTECODE": "1"}


def seen(cell: nbformat.NotebookNode) -> str:
    """Return what a person reads below a cell."""
    parts = (out.get("data", {}).get("text/html", "") + out.get("text", "") for out in cell.outputs)
    return " ".join(re.sub(r"<[^>]*>", " ", " ".join(parts)).split())


def test_the_tour_can_be_typed_in_german(tmp_path: Path) -> None:
    (tmp_path / "test_umsatz.py").write_text("def test_umsatz():\n    assert True\n")
    path = tmp_path / "buch.ipynb"
    write_notebook(path, CELLS)
    left = [seen(cell) for cell in executed(path, VOICE_KERNEL_LANGUAGE="de", **NO_CACHES).cells]
    assert "Das können Sie sagen." in left[2]
    assert "führe Zelle drei aus" in left[2]
    assert re.search(r"\d+ Variablen?", left[3])
    assert "df: DataFrame, 2 Zeilen, 2 Spalten" in left[4]
    assert "Umsätze nach Monat" in left[5]
    assert "1 bestanden" in left[6]
    assert "2 Dateien und 1 Ordner hier" in left[7]
    assert "test_umsatz.py" in left[7]
    assert "Das Ergebnis ist 1024" in left[7]
    assert "TurnFailed Das habe ich nicht verstanden." in left[8]
    assert "restart_kernel" in left[9]
    assert "braucht eine Freigabe, und hier lässt sich niemand fragen" in left[9]
    assert "Es wird gefragt, weil es etwas neu startet oder beendet, das läuft." in left[9]
