"""Displays pinned to the cell in which they were made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

Bundle = Mapping[str, Any]
"""A mime bundle: `{"text/plain": ..., "text/html": ...}`."""
Publish = Callable[[str, dict[str, Any]], None]
"""Sends one message, type and content, as an output of the cell a display is pinned to."""


class Display:
    """One display, which any thread may update later; it stays where it was made.

    Args:
        publish: sends to the cell it is pinned to.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self.display_id = uuid.uuid4().hex

    def update(self, bundle: Bundle, metadata: Mapping[str, Any] | None = None) -> None:
        """Replace what is shown, in every copy of it, also after the cell has ended.

        Callable from any thread. In a terminal there is nothing to replace: the plain text is
        printed once more.
        """
        self._publish("update_display_data", self.content(bundle, metadata))

    def content(self, bundle: Bundle, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the content of a display message for a bundle."""
        return {
            "data": dict(bundle),
            "metadata": dict(metadata or {}),
            "transient": {"display_id": self.display_id},
        }
