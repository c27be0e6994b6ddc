"""The states of a task and the moves between them. Knows nothing of what a task does."""

from __future__ import annotations

from voice_kernel.messages import TaskState

MOVES: dict[TaskState, frozenset[TaskState]] = {
    "queued": frozenset({"awaiting_approval", "running", "failed", "cancelled", "interrupted"}),
    # Back to `queued`: approved, and now behind others of its lane.
    "awaiting_approval": frozenset({"queued", "running", "failed", "cancelled", "interrupted"}),
    "running": frozenset({"succeeded", "failed", "cancelled", "interrupted"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "interrupted": frozenset(),
}

ENDED: frozenset[TaskState] = frozenset(state for state, following in MOVES.items() if not following)


def check_move(now: TaskState, then: TaskState) -> None:
    """Raise ValueError unless a task may go from `now` to `then`."""
    if then not in MOVES[now]:
        raise ValueError(f"a task cannot go from {now} to {then}")
