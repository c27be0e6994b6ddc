"""Where figures are kept for `notebooks/benchmarks.ipynb`: one JSON file, a part a key."""

from __future__ import annotations

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "notebooks" / "benchmarks.json"


def keep(part: str, figures: Any) -> None:
    """Write the figures of a part, with when and under what load they were taken; others stay."""
    kept = load()
    kept[part] = {
        "taken": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "figures": figures,
    }
    FILE.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def load() -> dict[str, Any]:
    """Return what is kept; nothing when there is no file."""
    try:
        kept: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return kept
