"""Displays pinned to the cell in which they were made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Bundle = Mapping[str, Any]
"""A mime bundle: `{"text/plain": ..., "text/html": ...}`."""


class Display:
    """One display, which any thread may update later; it stays where it was made."""

    def update(self, bundle: Bundle, metadata: Mapping[str, Any] | None = None) -> None:
        """Replace what is shown, in every copy of it, also after the cell has ended.

        Callable from any thread. In a terminal there is nothing to replace: the plain text is
        printed once more.
        """
        raise NotImplementedError
