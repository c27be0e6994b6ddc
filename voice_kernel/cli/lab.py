"""`voice-kernel lab`: opens JupyterLab with the voice panel."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OK
from voice_kernel.errors import ClientError


def add(commands: Any) -> None:
    """Add the command to the parser."""
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab with the voice panel",
        description="Open JupyterLab. The microphone in a notebook's toolbar opens the voice panel.",
    )
    lab.add_argument("notebook", nargs="?", type=Path, help="the notebook to open")
    lab.add_argument("--dry-run", action="store_true", help="print the command and do not run it")
    lab.add_argument(
        "--keep-audio",
        metavar="FOLDER",
        type=Path,
        help="keep a recording of every spoken command in FOLDER; without it, sound stays in memory",
    )
    lab.add_argument("options", nargs=argparse.REMAINDER, help="-- and options for jupyter lab")
    lab.set_defaults(run=_lab)


def _lab(options: argparse.Namespace) -> int:
    jupyter = _beside_python("jupyter-lab")
    if jupyter is None:
        print('JupyterLab is not installed here. Run: pip install "voice-kernel[lab]"', file=sys.stderr)
        return EXIT_FAILED
    extra = [option for option in options.options if option != "--"]
    command = [jupyter, *_opening(options.notebook), *extra]
    if os.geteuid() == 0 and "--allow-root" not in command:
        command.append("--allow-root")
    if not os.environ.get("DISPLAY") and sys.platform == "linux" and "--no-browser" not in command:
        command.append("--no-browser")
    kept_in = options.keep_audio.expanduser().resolve() if options.keep_audio is not None else None
    if options.dry_run:
        print(" ".join([f"VOICE_KERNEL_KEEP_AUDIO={kept_in}", *command] if kept_in else command))
        return EXIT_OK
    if kept_in is not None:
        os.environ["VOICE_KERNEL_KEEP_AUDIO"] = str(kept_in)  # the kernels are its children
        print(f"Recordings of what you say are kept in {kept_in}.", flush=True)
    print(
        "Open the URL below and click the microphone in the notebook's toolbar: the voice panel opens.",
        flush=True,
    )
    os.execv(jupyter, command)


def _opening(notebook: Path | None) -> list[str]:
    """Return the options that make the printed URL open a notebook, also where no browser starts."""
    if notebook is None:
        return []
    if not notebook.is_file():
        raise ClientError(f"There is no notebook {notebook}.", hint="Name one that exists, or none.")
    folder = notebook.resolve().parent
    return [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}"]


def _beside_python(name: str) -> str | None:
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)
