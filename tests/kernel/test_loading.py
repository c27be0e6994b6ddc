"""What `%load_ext` costs: nothing heavy, no network."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
connections = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        connections.append(event)
sys.addaudithook(watch)
before = set(sys.modules)
shell.run_line_magic("load_ext", "voice_kernel")
loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
after_load = list(connections)
shell.run_line_magic("voice", "help")
print("\\n" + json.dumps({"loaded": loaded, "load": after_load, "help": connections}))
"""


def measured(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", SHELL], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_loading_imports_nothing_but_our_own_small_modules(tmp_path: Path) -> None:
    # IPython loads parts of itself to load any extension.
    assert set(measured(tmp_path)["loaded"]) - {"IPython", "__future__"} == {"voice_kernel"}


def test_loading_and_help_open_no_connection(tmp_path: Path) -> None:
    found = measured(tmp_path)
    assert found["load"] == []
    assert found["help"] == []
