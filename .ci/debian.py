"""Make sure that what the tests need of Debian is installed: chromium, PostgreSQL's server, and searx."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def missing() -> list[str]:
    """Return the packages that are needed and not there."""
    packages = []
    if not shutil.which("chromium"):
        packages.append("chromium")
    if not (any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb")):
        packages.append("postgresql")
    if not Path("/usr/share/doc/searx").exists():
        packages.append("searx")
    return packages


def main() -> int:
    packages = missing()
    if not packages:
        return 0
    names = " and ".join(packages)
    if shutil.which("apt-get") is None:
        print(f"The tests need {names}; install it with your package manager.")
        return 1
    become_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        if subprocess.run([*become_root, *command], env=environment).returncode:
            print(f"{names} could not be installed; install it by hand: apt-get install {' '.join(packages)}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
