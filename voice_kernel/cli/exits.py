"""The exit codes of `voice-kernel`, and what the end of a turn comes to among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice_kernel.messages import Turn

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING, EXIT_REFUSED = 0, 1, 2, 3, 4
EXIT_TIMEOUT, EXIT_KILLED, EXIT_CANCELLED = 5, 6, 130
EXITS = """exit codes:
  0  everything that was asked for succeeded
  1  it failed: a cell that raised, a test that failed, a command that could not be done
  2  wrong options, or no such file
  3  not understood, or nothing was said: nothing was done
  4  refused by policy (see --allow-cli of run), or it needs an approval and nobody can be asked
     (see --approve)
  5  it took too long (--timeout)
  6  the kernel died
  130  cancelled"""

EXIT_OF_RUN = {
    "passed": EXIT_OK, "failed": EXIT_FAILED, "unknown": EXIT_NOTHING, "refused": EXIT_REFUSED,
    "timeout": EXIT_TIMEOUT, "killed": EXIT_KILLED, "cancelled": EXIT_CANCELLED, "skipped": EXIT_OK,
}  # fmt: skip


def exit_of(turn: Turn | None) -> int:
    """Return the exit code for how a turn ended; None is a turn that never began."""
    if turn is None or turn.state == "failed":
        kind = turn.problem.kind if turn is not None and turn.problem is not None else ""
        return EXIT_REFUSED if kind in ("NobodyToAsk", "Refused") else EXIT_FAILED
    return {"succeeded": EXIT_OK, "nothing": EXIT_NOTHING, "cancelled": EXIT_CANCELLED}.get(
        turn.state, EXIT_FAILED
    )
