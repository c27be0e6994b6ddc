"""How long a history is waited for, and why it cannot be used. Knows no database library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_kernel.errors import HistoryError
from voice_kernel.language import N_, _

Kind = Literal[
    "locked", "full", "unwritable", "corrupt", "moved", "newer", "unreachable", "misconfigured", "refused"
]
"""`moved`: the file is no longer the one that was opened. `refused`: the database did not take these rows."""

LATER = N_("It is written as soon as that is possible again.")


def later(first: str) -> str:
    """Return what a person can do, and that nothing is lost meanwhile."""
    return f"{first} {_(LATER)}"


class Fault(HistoryError):
    """The database cannot be used now.

    Args:
        kind: what is wrong.
        message: the same in a sentence.
        hint: what a person can do; that it is written later when nothing is given.
        lasting: whether trying again is of no use in this session.
    """

    def __init__(self, kind: Kind, message: str, *, hint: str | None = None, lasting: bool = False) -> None:
        super().__init__(message, hint=_(LATER) if hint is None else hint, retryable=not lasting)
        self.kind = kind
        self.lasting = lasting


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds."""

    busy_s: float = 5.0
    """For another process that writes."""
    connect_s: float = 5.0
    """For a server to answer."""
    gather_s: float = 0.05
    """For more events, before a batch is written."""
    lazy_s: float = 5.0
    """Before a change that is no transition (progress) is written by itself."""
    retry_s: float = 1.0
    """Before the first new attempt after a failure; each next one waits twice as long."""
    most_retry_s: float = 30.0
    beat_s: float = 30.0
    """Between heartbeats, where there are any."""
