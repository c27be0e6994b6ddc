"""What every message is, whatever its subject: frozen, strict, of one protocol; and an error as data.

It knows no message.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

PROTOCOL = 1
"""Raised when an older surface can no longer talk to this kernel."""


class Wire(BaseModel):
    """Base of everything on the wire: frozen, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # Else `type` and every other field with a default turn optional in the generated TypeScript.
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # a session that says "help" needs few of them, and its first cell waits for all
    )


class Problem(Wire):
    """An error as data: what happened and what to do next."""

    kind: str
    """The error's class name, e.g. `Refused`, or the exception name of user code."""
    message: str
    hint: str = ""
    retryable: bool = False
