"""`voice-kernel doctor`: checks the installation and says how to mend it."""

from __future__ import annotations

import argparse
from typing import Any

from voice_kernel.cli.exits import EXIT_FAILED, EXIT_OK


def add(commands: Any) -> None:
    """Add the command to the parser."""
    doctor = commands.add_parser(
        "doctor",
        help="check the installation and say how to mend it",
        description="Check the installation and the settings, and say how to mend what is wrong. "
        "Exits with 1 where something is.",
    )
    doctor.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from voice_kernel.doctor import examine

    worst = EXIT_OK
    for finding in examine():
        mark = {"ok": "ok  ", "note": "note", "bad": "BAD "}[finding.level]
        print(f"{mark}  {finding.subject}: {finding.message}", flush=True)
        if finding.cure:
            print(f"      {finding.cure}")
        if finding.level == "bad":
            worst = EXIT_FAILED
    return worst
