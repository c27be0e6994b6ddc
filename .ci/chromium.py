"""Make sure that Debian's chromium is installed, for the browser tests."""

import os
import shutil
import subprocess
import sys


def main() -> int:
    if shutil.which("chromium"):
        return 0
    if shutil.which("apt-get") is None:
        print("The browser tests need chromium on the PATH; install it with your package manager.")
        return 1
    become_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]):
        if subprocess.run([*become_root, *command], env=environment).returncode:
            print("chromium could not be installed; install it by hand: apt-get install chromium")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
