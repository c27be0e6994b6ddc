"""Cards that wait for a person before something is done."""

from __future__ import annotations

from typing import Any, Literal

from voice_kernel.messages.wire import Wire


class Diff(Wire):
    """A change of one cell as it would be made."""

    name: str
    """The cell in a person's words: `cell 3`."""
    action: Literal["edit", "insert", "delete"] = "edit"
    kind: Literal["code", "markdown", "raw"] = "code"
    before: str = ""
    after: str = ""
    runs: bool = False
    """Whether the cell is run once it is changed."""
    cell: str = ""
    """Id of the cell; empty for one that is not there yet."""


class FormField(Wire):
    """A field of a form that somebody else's program asks a person to fill in."""

    name: str
    title: str = ""
    description: str = ""
    kind: Literal["text", "number", "integer", "boolean", "choice", "choices"] = "text"
    required: bool = False
    choices: list[str] = []
    labels: list[str] = []
    """Words for the choices, one each."""
    default: str | float | bool | list[str] | None = None


class Approval(Wire):
    """A card that waits for a person."""

    id: int
    """The number a person says when two cards are open."""
    task_id: int
    tool: str
    arguments: dict[str, Any] = {}
    target: str
    """What will be touched: the command, the package, the host."""
    reason: str
    """Why it asks, in one or two sentences."""
    diff: Diff | None = None
    """What would be changed, where that is the text of a cell."""
    state: Literal["open", "approved", "denied", "expired"] = "open"
    created_at: float
    shown_at: float | None = None
    """When a surface first said the card was on the screen; speech from before does not count."""
    fields: list[FormField] = []
    """A form to fill in: approving hands the values over. Empty for a plain yes or no."""


class ApprovalChanged(Wire):
    type: Literal["approval"] = "approval"
    approval: Approval


class ApprovalShown(Wire):
    """The card is on the screen: from now on a spoken yes can count."""

    type: Literal["approval_shown"] = "approval_shown"
    approval_id: int


class Decide(Wire):
    """A click on Approve or Deny."""

    type: Literal["decide"] = "decide"
    approval_id: int
    approved: bool
    values: dict[str, Any] = {}
    """What was filled in, by the names of the card's fields."""
