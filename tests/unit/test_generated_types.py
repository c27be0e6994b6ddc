"""The TypeScript types are those of the wire schema."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "labextension"


@pytest.mark.skipif(
    shutil.which("node") is None or not (FOLDER / "node_modules").is_dir(),
    reason="needs node and labextension/node_modules (make setup)",
)
def test_the_typescript_types_are_those_of_the_wire_schema() -> None:
    done = subprocess.run(
        ["node", "generate.mjs", "--check"],
        cwd=FOLDER,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, (
        f"{done.stderr}\nThe wire schema changed: run `make generate` and commit the result."
    )
