"""A form of a ChatKit client: what its author wrote and what was filled in come as one payload."""

from __future__ import annotations

from typing import Any

import pytest
from chatkit.actions import Action

from voice_kernel.messages import Widget
from voice_kernel.server.chatkit import parted

FORM = {
    "type": "Card",
    "asForm": True,
    "confirm": {"label": "Save", "action": {"type": "save", "payload": {"id": 7}}},
    "cancel": {"label": "Cancel", "action": {"type": "leave"}},
    "children": [
        {"type": "Input", "name": "title"},
        {
            "type": "Select",
            "name": "size",
            "options": [],
            "onChangeAction": {"type": "size", "payload": None},
        },
        {
            "type": "Button",
            "onClickAction": {"type": "save", "payload": {"id": 7, "copy": True}},
        },
    ],
}


@pytest.mark.parametrize(
    ("kind", "sent", "payload", "values"),
    [
        ("save", {"id": 7, "title": "Tea"}, {"id": 7}, {"title": "Tea"}),
        ("save", {"id": 7}, {"id": 7}, {}),
        ("save", {"id": 7, "copy": True, "title": "Tea"}, {"id": 7, "copy": True}, {"title": "Tea"}),
        ("leave", None, None, {}),
        ("leave", {"title": "Tea"}, None, {"title": "Tea"}),
        ("size", {"size": "m"}, None, {"size": "m"}),
        # What the author did not write stays as it came, and the session refuses it.
        ("save", {"id": 8, "title": "Tea"}, {"id": 8, "title": "Tea"}, {}),
        ("drop", {"id": 7}, {"id": 7}, {}),
    ],
)
def test_what_was_filled_in_is_told_from_what_was_written(
    kind: str, sent: Any, payload: Any, values: dict[str, Any]
) -> None:
    action = Action[str, Any](type=kind, payload=sent)
    clicked, filled = parted(action, Widget(id="w", root=FORM))
    assert (clicked.type, clicked.payload) == (kind, payload)
    assert filled == values
