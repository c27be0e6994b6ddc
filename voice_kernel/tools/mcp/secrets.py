"""Where the secrets of MCP servers are: the system's keyring, else a file that only its owner can read.

Never in a notebook, a database, a log or the list of servers. Blocking: called on a worker thread.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from voice_kernel.language import _

SERVICE = "voice_kernel.mcp"


class Secrets:
    """Secret values by server and name.

    Args:
        path: the file used where there is no keyring; mode 0600.
        use_keyring: whether to look for a keyring at all.
    """

    def __init__(self, path: Path, *, use_keyring: bool = True) -> None:
        self._path = path
        self._use_keyring = use_keyring

    @cached_property
    def _keyring(self) -> Any:
        # Looked for when the first secret is: it brings along whatever each desktop has.
        return _keyring() if self._use_keyring else None

    @property
    def place(self) -> str:
        """Where they are, for a person."""
        return _("the system's keyring") if self._keyring is not None else str(self._path)

    def get(self, server: str, name: str) -> str | None:
        """Return a secret, or None."""
        if self._keyring is not None:
            with contextlib.suppress(Exception):  # a locked keyring raises whatever its backend likes
                value = self._keyring.get_password(SERVICE, f"{server}/{name}")
                if value is not None:
                    return str(value)
        return self._file().get(f"{server}/{name}")

    def put(self, server: str, name: str, value: str) -> None:
        """Keep a secret."""
        if self._keyring is not None:
            with contextlib.suppress(Exception):  # then the file, which always can
                self._keyring.set_password(SERVICE, f"{server}/{name}", value)
                return
        self._write(self._file() | {f"{server}/{name}": value})

    def forget(self, server: str, names: Iterable[str]) -> None:
        """Forget the secrets of a server."""
        for name in names:
            self.forget_one(server, name)

    def forget_one(self, server: str, name: str) -> None:
        """Forget one secret."""
        if self._keyring is not None:
            with contextlib.suppress(Exception):  # there was none, or it is locked
                self._keyring.delete_password(SERVICE, f"{server}/{name}")
        kept = self._file()
        if kept.pop(f"{server}/{name}", None) is not None:
            self._write(kept)

    def _file(self) -> dict[str, str]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, values: dict[str, str]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd, half = tempfile.mkstemp(dir=self._path.parent, prefix=".secrets-")  # mode 0600
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                json.dump(values, file)
            os.replace(half, self._path)
        except BaseException:
            os.unlink(half)
            raise


def _keyring() -> Any:
    """Return the keyring library when it has a place of its own here, else None."""
    try:
        import keyring
        from keyring.backends import fail
    except ImportError:
        return None
    with contextlib.suppress(Exception):  # backends raise whatever they like when a desktop is missing
        backend = keyring.get_keyring()
        if not isinstance(backend, fail.Keyring) and getattr(backend, "priority", 0) >= 1:
            return keyring
    return None
